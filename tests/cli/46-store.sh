# SPDX-License-Identifier: Apache-2.0
# The store: unchanged files are links, one run at a time, what does not belong is refused or left alone, and a store that
# is swapped under a run is never mixed with another.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
PATH=$PATH:/usr/sbin:/sbin

cd "$TMP" || exit 1
"$LAB" make --vmfs 5 --table gpt --size 2G --live 2 a.img >/dev/null || exit 1
"$LAB" make --vmfs 3 --table mbr --start 128 --size 2G b.img >/dev/null || exit 1
captures() { ls "$1" | grep '^[0-9]*T'; }
leftovers() { ls -A "$1" | grep -E '^\.(tmp|gone)-'; }
json() { perl -MJSON::PP -e 'local $/; open(my $f, "<", $ARGV[0]) or die; our $j = decode_json(<$f>); print eval($ARGV[1]) // "undef: $@"' "$2" "$1"; }

# --- unchanged files are links
ok "first night" "$VMFSKIT" capture --store links a.img
first=$(captures links)
before=$(du -k links | tail -n 1 | cut -f 1)
"$LAB" beat a.img >/dev/null
ok "second night, only heartbeats changed" "$VMFSKIT" capture --store links a.img
second=$(captures links | grep -vxF "$first")
for file in head.raw gpt-tail.raw p1-lvm.raw p1-vh.raw RESTORE.txt; do
	is "$file is the same file" "$(stat -c %i "links/$second/$file")" "$(stat -c %i "links/$first/$file")"
done
for file in p1-heartbeats.raw manifest.json SHA256SUMS; do
	[ "$(stat -c %i "links/$second/$file")" != "$(stat -c %i "links/$first/$file")" ]
	is "$file is a new one" $? 0
done
ticks=$(du -k "links/$second/p1-heartbeats.raw" | cut -f 1)
ok "the store grew by what ticks and the papers" test $(($(du -k links | tail -n 1 | cut -f 1) - before - ticks)) -le 24
ok "both are sound" "$VMFSKIT" verify --store links
ok "and for sha256sum" bash -c "cd 'links/$second' && sha256sum --quiet -c SHA256SUMS"
ok "modes are as ever" test "$(stat -c %a "links/$second" "links/$second"/* | sort -u | tr '\n' ' ')" = "400 700 "
# a file that rotted is not carried on
chmod u+w "links/$second/p1-vh.raw"
printf x | dd of="links/$second/p1-vh.raw" bs=1 seek=2097200 conv=notrunc status=none
chmod u-w "links/$second/p1-vh.raw"
ok "third night" "$VMFSKIT" capture --store links a.img
third=$(captures links | grep -vxF -e "$first" -e "$second")
ok "is sound" "$VMFSKIT" verify --store links "$third"
exits "the rotten ones are not" 1 "$VMFSKIT" verify --store links
rm -rf links

# --- a file system without links
if [ "$(id -u)" -eq 0 ] && command -v mkfs.vfat >/dev/null && truncate -s 64M fat.img && mkfs.vfat fat.img >/dev/null 2>&1 &&
	mkdir fat && mount -o loop,umask=077 fat.img fat 2>/dev/null; then
	echo "$TMP/fat" >>"$TMP/.mounts"
	ok "a store on FAT" "$VMFSKIT" capture --store fat/store b.img
	hasnt "nothing is said as long as there is nothing to link" "$OUT" 'capture\.no-links'
	ok "second night on FAT" "$VMFSKIT" capture --store fat/store b.img a.img
	is "it says that there are no links, once" "$(grep -c 'capture\.no-links' "$OUT")" 1
	ok "sound" "$VMFSKIT" verify --store fat/store
	umount fat
else
	skip "a file system without links" "needs root, mkfs.vfat and FAT in the kernel"
fi

# what is the same as in the last night is linked without being written first
"$VMFSKIT" capture --store quiet a.img >/dev/null
VMFSKIT_CRASH_LOG=$TMP/steps ok "a night without changes" "$HOOKS" capture --store quiet a.img
is "writes no region" "$(grep -c 'region file: ' "$TMP/steps")" 0
has "but links them" "$TMP/steps" 'capture file: link'

# the same, as the answers of such a file system
if command -v strace >/dev/null; then
	for answer in EPERM EOPNOTSUPP EMLINK EXDEV ENOSPC; do
		rm -rf nolinks
		"$VMFSKIT" capture --store nolinks a.img b.img >/dev/null
		STRACE_OPTIONS="-e trace=linkat -e inject=linkat:error=$answer" run traced trace "$VMFSKIT" capture --store nolinks a.img b.img
		is "linkat answers $answer: captured all the same" "$CODE" 0
		case $answer in
		EPERM | EOPNOTSUPP) is "$answer: told once" "$(grep -c 'capture\.no-links' "$OUT")" 1 ;;
		*) is "$answer: nothing to tell" "$(grep -c 'capture\.no-links' "$OUT")" 0 ;;
		esac
		ok "$answer: all are sound" "$VMFSKIT" verify --store nolinks
		is "$answer: no file has two names" "$(find nolinks -type f -links +1)" ""
	done
else
	skip "answers of a file system without links" "there is no strace"
fi

# stopped POINT STORE DISK...: a capture in the background that stops at a crash point
stopped() {
	local point=$1 store=$2
	shift 2
	stops "$point" capture --store "$store" "$@"
}

# --- one run at a time
mkdir -m 700 locked
VMFSKIT_CRASH_LOG=$TMP/points "$HOOKS" capture --store locked b.img >/dev/null
rename=$(sed -n 's/^\([0-9]*\) capture folder: rename$/\1/p' points)
create=$(sed -n 's/^\([0-9]*\) capture file: create$/\1/p' points | head -n 1)
fsync=$(sed -n 's/^\([0-9]*\) capture file: fsync$/\1/p' points | head -n 1)
rm -rf locked
if stopped "$create" locked b.img; then
	exits "a second run" 4 "$VMFSKIT" capture --store locked a.img
	has "says who holds the store" "$ERR" "in use by process $pid on .*: .*capture --store locked b.img"
	has "and what to do" "$ERR" 'wait for its end'
	is "its folder is not touched" "$(leftovers locked | wc -l)" 1
	exits "prune does not run beside it, either" 4 "$VMFSKIT" prune --store locked --write
	ok "looking is possible" "$VMFSKIT" list --store locked
	go_on
	is "the first run ends well" $? 0
	is "with its capture" "$(captures locked | wc -l)" 1
	ok "the lock goes away with it" "$VMFSKIT" capture --store locked a.img
	ok "and all is sound" "$VMFSKIT" verify --ledger --store locked
fi

# --- a process that dies is the failure of its disk, and of no other
if stopped "$create" dies a.img b.img; then
	kill -KILL "$worker"
	wait "$pid"
	is "the process of a disk is killed: the run ends and says so" $? 5
	has "of which disk" bg.err 'the process that captured it was ended by signal 9 \([ab]\.img\)'
	is "the other disk is captured" "$(captures dies | wc -l)" 1
	ok "the next run clears up" "$VMFSKIT" capture --store dies a.img b.img
	is "and leaves nothing over" "$(leftovers dies)" ""
	ok "all of it is sound" "$VMFSKIT" verify --ledger --store dies
fi

# --- somebody makes hard links of the whole store while files are still to be flushed: they are flushed all the same
# flushes NAME VERB...: as many flushes with such a snapshot as without; each time in a copy of the store base
flushes() {
	local name=$1 first plain
	shift
	rm -rf store snapshot points
	cp -a base store
	copy_disk target.img disk.img
	VMFSKIT_CRASH_LOG=$TMP/points "$HOOKS" "$@" >/dev/null 2>&1
	plain=$(grep -c 'capture file: fsync' points)
	first=$(sed -n 's/^\([0-9]*\) capture file: fsync$/\1/p' points | head -n 1)
	rm -rf store points
	cp -a base store
	copy_disk target.img disk.img
	export VMFSKIT_CRASH_LOG=$TMP/points
	if stops "$first" "$@"; then
		cp -al store snapshot
		go_on
		is "$name, with hard links made meanwhile: ends well" $? 0
		is "$name, with hard links made meanwhile: every file is flushed" "$(grep -c 'capture file: fsync' points)" "$plain"
	fi
	unset VMFSKIT_CRASH_LOG
}
rm -rf base
"$VMFSKIT" capture --store base a.img >/dev/null
id=$(captures base)
copy_disk a.img target.img
"$LAB" beat target.img >/dev/null
flushes "a second night" capture --store store disk.img
copy_disk a.img target.img
"$LAB" break --how table target.img >/dev/null
flushes "a restore" restore --store store "$id" disk.img --write --override heartbeat
rm -rf base store

# --- a store that is swapped under a run: all in the old one, or nothing; the other is never written to
for point in "$create" "$fsync" "$rename"; do
	rm -rf store old
	stopped "$point" store b.img || continue
	mv store old
	mkdir -m 700 store
	go_on
	code=$?
	is "swapped at $point: the other store stays empty" "$(ls -A store)" ""
	ok "swapped at $point: what is in the old one is sound" "$VMFSKIT" verify --store old
	# what was captured cannot be shown any more by its path
	ok "swapped at $point: the run says that something is wrong" test "$code" -eq 4
	is "swapped at $point: the capture is whole, and there" "$(captures old | wc -l)" 1
	is "swapped at $point: nothing is left over" "$(leftovers old)" ""
done
# a link to somewhere else in the place of the store
rm -rf store old elsewhere
mkdir -m 700 elsewhere
if stopped "$fsync" store b.img; then
	mv store old
	ln -s elsewhere store
	go_on
	is "a link in its place: nothing got there" "$(ls -A elsewhere)" ""
	rm store
fi
# another folder in the place of the one that is written, also in the last moment
for point in "$fsync" "$rename"; do
	rm -rf store aside
	stopped "$point" store b.img || continue
	folder=$(leftovers store)
	mv "store/$folder" aside
	mkdir -m 700 "store/$folder"
	echo x >"store/$folder/theirs"
	go_on
	is "another folder in the place of the new one at $point" $? 4
	has "replaced at $point: told" bg.err 'replaced the folder'
	is "replaced at $point: it is no capture" "$(captures store | wc -l)" 0
	ok "replaced at $point: and not emptied" test -f "store/$folder/theirs"
done

# --- who may write there
for mode in 0777 1777 0770; do
	mkdir "open$mode"
	chmod "$mode" "open$mode"
	exits "a store of mode $mode" 3 "$VMFSKIT" capture --store "open$mode" b.img
	has "what to do about it" "$ERR" 'chmod go-w'
	is "nothing is in it" "$(ls -A "open$mode")" ""
done

# --- what lies in the place of something of ours
mkdir -m 700 tricks
"$VMFSKIT" capture --store tricks b.img >/dev/null
echo precious >precious
rm tricks/.lock
for trick in "ln -s ../precious" "ln precious" "mkfifo" "mkdir" "mknod:c 1 3"; do
	case $trick in
	"ln -s ../precious") ln -s ../precious tricks/.lock ;;
	"ln precious") ln precious tricks/.lock ;;
	mkfifo) mkfifo tricks/.lock ;;
	mkdir) mkdir tricks/.lock ;;
	*) mknod tricks/.lock c 1 3 2>/dev/null || continue ;;
	esac
	exits ".lock by $trick" 3 timeout 20 "$VMFSKIT" capture --store tricks b.img
	is ".lock by $trick: nothing is written there" "$(cat precious)" precious
	rm -rf tricks/.lock
done
# the last capture's files: whatever stands there is not linked and not waited for
last=$(captures tricks)
for trick in symlink fifo device hardlink; do
	file=tricks/$last/p1-vh.raw
	cp -p "$file" kept.raw
	rm "$file"
	case $trick in
	symlink) ln -s "$TMP/kept.raw" "$file" ;;
	fifo) mkfifo -m 400 "$file" ;;
	device) mknod "$file" c 1 3 2>/dev/null || { cp -p kept.raw "$file"; continue; } ;;
	hardlink) chown 65534 kept.raw 2>/dev/null && ln kept.raw "$file" ;;
	esac
	ok "p1-vh.raw by $trick: captured" timeout 60 "$VMFSKIT" capture --store tricks b.img
	next=$(captures tricks | grep -vxF "$last")
	ok "p1-vh.raw by $trick: and sound" "$VMFSKIT" verify --store tricks "$next"
	is "p1-vh.raw by $trick: a file of its own" "$(stat -c '%F %h' "tricks/$next/p1-vh.raw")" "regular file 1"
	exits "p1-vh.raw by $trick: verify tells of the old one" 1 timeout 60 "$VMFSKIT" verify --store tricks "$last"
	rm -rf "tricks/${next:?}" "$file"
	chown 0 kept.raw 2>/dev/null
	cp -p kept.raw "$file"
	rm -f kept.raw
done
# leftovers, and what looks like them
rm -rf tricks
"$VMFSKIT" capture --store tricks b.img >/dev/null
last=$(captures tricks)
mkdir -m 700 tricks/.tmp-20260101T000000Z-x tricks/.gone-20260101T000000Z-y tricks/.tmp-odd tricks/.tmp-odd/sub
echo x >tricks/.tmp-20260101T000000Z-x/head.raw
echo x >tricks/.gone-20260101T000000Z-y/head.raw
ln -s "$last" tricks/.tmp-link
exits "leftovers and strange things" 1 "$VMFSKIT" capture --store tricks b.img
has "the strange folder is told" "$ERR" 'store\.left-over: \.tmp-odd stays in the store: it contains something'
has "the link, too" "$ERR" 'store\.left-over: \.tmp-link stays in the store: it is not a folder'
is "what a killed run left is gone, the rest stays" "$(leftovers tricks | tr '\n' ' ')" ".tmp-link .tmp-odd "
ok "nothing behind the link was touched" "$VMFSKIT" verify --store tricks "$last"
rm -r tricks/.tmp-odd tricks/.tmp-link
# where the ledger is broken, what it does not record may have been recorded
cp -a tricks altered
sed -i '1s/"user":"[^"]*"/"user":"nobody"/' altered/ledger.jsonl
mkdir -m 700 altered/.tmp-20260101T000000Z-x
exits "a leftover beside a broken ledger" 1 "$VMFSKIT" capture --store altered b.img
has "it is told" "$ERR" 'store\.left-over: \.tmp-20260101T000000Z-x stays in the store: it may be a capture'
is "and stays" "$(leftovers altered)" .tmp-20260101T000000Z-x
# a link in the place of a capture is none
ln -s "$last" tricks/20200101T000000Z-link
hasnt "a link is not listed" "$("$VMFSKIT" list --store tricks)" 20200101T000000Z-link
exits "and is no capture by its id" 4 "$VMFSKIT" verify --store tricks 20200101T000000Z-link
ok "the store itself may be reached through a link" bash -c "ln -s tricks way && '$VMFSKIT' verify --store way"
# who may write to a capture
chmod o+w "tricks/$last/p1-lvm.raw"
exits "a file that others may write" 1 "$VMFSKIT" verify --store tricks "$last"
has "is told" "$OUT" 'capture\.writable: others may write to p1-lvm\.raw'
chmod o-w "tricks/$last/p1-lvm.raw"
chmod g+w "tricks/$last"
exits "a folder that others may write" 1 "$VMFSKIT" verify --store tricks "$last"
has "is told, too" "$OUT" "capture\.writable: others may write to the capture's folder"
has "and what that makes it" "$OUT" ': exposed'
chmod g-w "tricks/$last"

# --- unreadable ranges are exact to the sector, whatever was halved on the way
bad() { json 'join " ", map { "$_->{offset_bytes}+$_->{length_bytes}" } @{$j->{unreadable}}' "$1/$(captures "$1" | tail -n 1)/manifest.json"; }
# no holes: those are not read
dd if=b.img of=solid.img bs=1M count=24 status=none && truncate -s 2G solid.img
begin=$((128 * 512))
lvm_end=$((begin + 17825792))
for case in "first sector of a region:$begin+512" "last sector of a region:$((lvm_end - 512))+512" \
	"over the end of one and the start of the next:$((lvm_end - 1024))+2048" \
	"one byte counts as its sector:$((begin + 0x100000 + 700))+1:$((begin + 0x100000 + 512))+512" \
	"two neighbours:$((begin + 4096))+512,$((begin + 4608))+512:$((begin + 4096))+1024" \
	"every other sector:$((begin + 8192))+512,$((begin + 9216))+512,$((begin + 10240))+512" \
	"a long one across buffers:$((begin + 262144 - 1536))+530432"; do
	name=${case%%:*}
	faults=${case#*:}
	expected=${faults#*:}
	faults=${faults%%:*}
	rm -rf bad
	exits "unreadable, $name" 1 env VMFSKIT_TEST_BAD="$faults" "$HOOKS" capture --store bad solid.img
	is "unreadable, $name: exact" "$(bad bad)" "$(tr ',' ' ' <<<"$expected")"
done
"$LAB" make --vmfs 5 --table gpt --sector-size 4096 --size 2G 4k-holes.img >/dev/null
dd if=4k-holes.img of=4k.img bs=1M count=24 status=none && truncate -s 1G 4k.img && dd if=4k-holes.img of=4k.img bs=1M skip=2040 seek=2040 conv=notrunc status=none
rm -rf bad
exits "unreadable, sectors of 4096 bytes" 1 env VMFSKIT_TEST_BAD="$((0x300000 + 4097))+10" "$HOOKS" capture --sector-size 4096 --store bad 4k.img
is "unreadable, sectors of 4096 bytes: exact" "$(bad bad)" "$((0x300000 + 4096))+4096"
# restore writes none of the holes
rm -rf bad
VMFSKIT_TEST_BAD="$((begin + 0x100200))+512" "$HOOKS" capture --store bad b.img >/dev/null
cp --sparse=always b.img wreck.img
zero wreck.img $((begin + 0x100000)) 4096
wreck=$(disk_sum wreck.img)
exits "restore of a capture with a hole" 3 "$VMFSKIT" restore --store bad "$(captures bad)" wreck.img --part lvm --write
has "names the guard" "$ERR" 'unreadable'
is "and writes nothing" "$(disk_sum wreck.img)" "$wreck"

# --- room
if [ "$(id -u)" -eq 0 ] && mkdir tiny && mount -t tmpfs -o size=16k,mode=0700 tmpfs tiny 2>/dev/null; then
	echo "$TMP/tiny" >>"$TMP/.mounts"
	exits "a store that is certainly too small" 4 "$VMFSKIT" capture --store tiny b.img
	has "says how much there is and how much is needed" "$ERR" 'no room in the store: .* free, this capture of .* needs at least'
	has "and what to do" "$ERR" 'prune --store'
	is "nothing is left in it" "$(captures tiny; leftovers tiny)" ""
	# what is the same as in the last night takes no room, also where there is none
	cp --sparse=always b.img dense.img
	dd if=/dev/urandom of=dense.img bs=1M seek=$((begin / 1048576 + 3)) count=12 conv=notrunc status=none
	mkdir tight && mount -t tmpfs -o size=20m,mode=0700 tmpfs tight && echo "$TMP/tight" >>"$TMP/.mounts"
	"$VMFSKIT" capture --store tight dense.img >/dev/null 2>&1
	run "$VMFSKIT" capture --store tight dense.img
	is "no room for it twice, and it is the same: captured" "$(captures tight | wc -l) $(grep -c 'No space' "$ERR")" "2 0"
	printf "no longer random" | dd of=dense.img bs=1 seek=$((begin + 3 * 1048576 + 100)) conv=notrunc status=none
	exits "no room for it twice, and it changed" 4 "$VMFSKIT" capture --store tight dense.img
	has "no room for it twice: said" "$ERR" 'No space left on device|no room in the store'
else
	skip "a store that is too small" "needs root"
fi

# --- a store on the disk that it protects
need_root "a store on the disk that it protects"
need mkfs.ext4 losetup
"$LAB" make --volume start=128,size=1G --extra-partition 2097408+204800:83 --table mbr --vmfs 3 --size 2G self.img >/dev/null || exit 1
disk=$(loop_attach self.img) || exit 1
part=$(loop_attach "$disk" --offset $((2097408 * 512)) --sizelimit $((204800 * 512))) || exit 1
other=$(loop_attach b.img) || exit 1
if mkfs.ext4 -q "$part" && mkdir self && mount "$part" self; then
	echo "$TMP/self" >>"$TMP/.mounts"
	exits "the store lies on the disk" 1 "$VMFSKIT" capture --store self/store "$disk"
	has "loudly" "$OUT" 'warning capture\.on-itself: the store self/store lies on this disk'
	exits "also when the image is named" 1 "$VMFSKIT" capture --store self/store self.img
	has "loudly, too" "$OUT" 'capture\.on-itself'
	ok "another disk is none of that" "$VMFSKIT" capture --store self/store "$other"
	ok "the same disk into another store" "$VMFSKIT" capture --store apart "$disk"
	ok "the capture itself is as good as any" "$VMFSKIT" verify --store self/store
	umount self
fi
