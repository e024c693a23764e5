#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# vmfskit find: lost and present volumes, on every kind of table, and with parts of them gone; ghosts are named.
. "$(dirname "$0")/../lib.sh"
cd "$TMP" || exit 1

# found NAME CODE FILE EXPECTED [OPTION]...: "standing start sectors" of each candidate; the sectors where they are exact, else
# what its header says and nothing confirms it, or at-least
found() {
	local name=$1 code=$2 file=$3 expected=$4
	shift 4
	exits "$name" "$code" "$VMFSKIT" find --no-store --json "$@" "$file"
	is "$name: what is found" "$(jq -r '.sector_size as $unit | .candidates[] | [.standing, .start_sector, if .length_exact then .sectors elif .told_bytes > 0 then "told-\(.told_bytes / $unit)" else "at-least" end] | join(" ")' "$OUT")" "$expected"
}
put() { printf "$2" | dd of="$1" bs=1 seek="$3" conv=notrunc status=none; }
sectors() { stat -c %s "$1" | awk '{ print $1 / 512 }'; }
wipe() { dd if=/dev/zero of="$1" bs=512 seek="$2" count="$3" conv=notrunc status=none; }
# both copies of any table
wipe_table() {
	wipe "$1" 0 63
	wipe "$1" $(($(sectors "$1") - 63)) 63
}

# every version, on both kinds of table, at starts nobody would guess
n=0
for version in 3 5 6; do
	for table in mbr gpt; do
		n=$((n + 1))
		start=$((70001 + n * 1237))
		"$LAB" make --vmfs $version --table $table --size 3G --start $start --vmfs-size 2G --label "v$n" disk.img >/dev/null
		found "VMFS$version, $table" 0 disk.img "living $start 4194304"
		is "VMFS$version, $table: label and table" "$(jq -r '[.candidates[0].label, .agrees, .candidates[0].in_table] | join(" ")' "$OUT")" "v$n true true"
		wipe_table disk.img
		found "VMFS$version, $table wiped" 1 disk.img "living $start told-4194304"
		is "VMFS$version, $table wiped: next" "$(jq -r '.next[]' "$OUT")" "vmfskit repair table disk.img"
		found "VMFS$version, likely places only" 0 disk.img "" --likely
		rm disk.img
	done
done

# sectors of 4096 bytes
"$LAB" make --vmfs 6 --sector-size 4096 --size 3G --start 2048 --vmfs-size 2G disk.img >/dev/null
found "4Kn" 0 disk.img "living 2048 524288"
wipe_table disk.img
found "4Kn, wiped" 1 disk.img "living 2048 told-524288" --sector-size 4096
found "4Kn, wiped, likely" 1 disk.img "living 2048 told-524288" --sector-size 4096 --likely
is "4Kn, wiped: next keeps the size of sectors" "$(jq -r '.next[]' "$OUT")" "vmfskit repair table disk.img --sector-size 4096"
: >my.conf
mkdir "my store"
run "$VMFSKIT" find --json --sector-size 4096 --store "my store" --config my.conf disk.img
is "next keeps store and configuration" "$(jq -r '.next[]' "$OUT")" "vmfskit repair table disk.img --sector-size 4096 --store 'my store' --config my.conf"
vmfskit() { "$VMFSKIT" "$@"; }
exits "next is taken by repair" 3 eval "$(jq -r '.next[0]' "$OUT") --json >plan.json"
is "the end that only the header says is a guess" "$(jq -c '[.table.entries[] | .sectors, .length_exact]' plan.json)" "[524288,false]"
is "next plans with the same sectors" "$(jq -c '[.table.entries[].start_sector]' plan.json)" "[2048]"
dd if=/dev/zero of=disk.img bs=4096 seek=$((2048 + 256)) count=1 conv=notrunc status=none
run "$VMFSKIT" find --no-store --json --sector-size 4096 disk.img
has "next of a damaged volume counts in the same sectors" "$(jq -r '.next[]' "$OUT")" \
	"^vmfskit repair header disk.img --start 2048 --sector-size 4096$"
# a store that is not there or cannot be read keeps nobody from searching
run "$VMFSKIT" find --store nosuch disk.img
has "no such store: told" "$ERR" '^vmfskit: note: captures are not used: there is no store here yet'
has "no such store: searched all the same" "$OUT" '^Found '
rm disk.img

# the commands that it prints work as they stand: a name that looks like an option
"$LAB" make --vmfs 6 --size 1G --start 2048 --vmfs-size 400M ./-x.img >/dev/null
wipe_table ./-x.img
exits "a hyphen in front" 1 "$VMFSKIT" find --no-store --json -- -x.img
is "a hyphen in front: next" "$(jq -r '.next[]' "$OUT")" "vmfskit repair table ./-x.img"
cp ./-x.img "./- x.img"
exits "a hyphen and a blank" 1 "$VMFSKIT" find --no-store --json -- "- x.img"
is "a hyphen and a blank: next" "$(jq -r '.next[]' "$OUT")" "vmfskit repair table './- x.img'"
ok "a hyphen in front: repair" "$VMFSKIT" repair table --no-captures --override guess -- -x.img
has "a hyphen in front: its command" "$OUT" 'vmfskit repair table \./-x.img .*--no-captures.* --plan [0-9a-f]{32} --write'
has "a hyphen in front: sfdisk's" "$OUT" "^sfdisk .* \./-x.img <<"
run "$VMFSKIT" doctor --store nosuch --json -- -x.img
has "a hyphen in front: doctor's" "$(jq -r '.sources[0].next[].command | values' "$OUT")" '^vmfskit [a-z ]* \./-x.img --store nosuch'
rm ./-*

# a name that is no UTF-8
name=$(printf 'caf\xe9 x.img')
"$LAB" make --vmfs 6 --size 1G --start 2048 --vmfs-size 400M "$name" >/dev/null
wipe_table "$name"
exits "no UTF-8" 1 "$VMFSKIT" find --no-store --json "$name"
is "no UTF-8: the name" "$(jq -r .source "$OUT")" 'caf\xe9 x.img'
is "no UTF-8: next" "$(jq -r '.next[]' "$OUT")" "vmfskit repair table 'caf\xe9 x.img'"
ok "no UTF-8: repair" "$VMFSKIT" repair table --no-captures --override guess --json "$name"
has "no UTF-8: its commands" "$(jq -r .commands.linux.command "$OUT")" 'caf.xe9 x\.img'
rm "$name"

# logical partitions, and three volumes
"$LAB" make --table mbr --vmfs 3 --size 6G --volume start=128,size=1G --volume start=4194304,size=1G,logical \
	--volume start=7000063,size=1G,logical,version=5 disk.img >/dev/null
all="living 128 2097152
living 4194304 2097152
living 7000063 2097152"
found "logical partitions" 0 disk.img "$all"
has "who named it" "$(jq -r '.candidates[1].heard' "$OUT")" "^partition 5 of the extended partition$"
wipe_table disk.img
found "logical partitions, wiped" 1 disk.img "$(sed -E 's/ ([0-9]+)$/ told-\1/' <<<"$all")"
rm disk.img

# one thing after another goes
"$LAB" make --vmfs 5 --size 3G --start 12345 --vmfs-size 2G disk.img >/dev/null
wipe_table disk.img
put disk.img '\0\0\0\0' $(((12345 + 2048) * 512))
found "magic gone" 1 disk.img "damaged 12345 told-4194304"
is "magic gone: next" "$(jq -r '.next[]' "$OUT")" "vmfskit repair header disk.img --start 12345
vmfskit repair table disk.img"
wipe disk.img $((12345 + 2048)) 1
found "header gone" 1 disk.img "damaged 12345 at-least"
wipe disk.img 12345 34816
found "all of the LVM gone" 1 disk.img "damaged 12345 at-least"
wipe disk.img $((12345 + 38912)) 1
found "descriptor gone, too" 1 disk.img "damaged 12345 at-least"
is "only votes are left" "$(jq -c '.candidates[0] | [.found_by, .votes.heartbeats]' "$OUT")" '[["self-location"],2048]'
ok_text=$("$VMFSKIT" find --no-store disk.img)
has "text: how sure" "$ok_text" "blocks that say where they lie agree on this start"
has "text: no exact length" "$ok_text" "at least [0-9]+ sectors"
rm disk.img

# a partition as the source, and a table that is wrong
"$LAB" make --vmfs 5 --table none --size 2G part.img >/dev/null
found "a partition" 0 part.img "living 0 4194304" --as partition
"$LAB" make --vmfs 3 --table mbr --size 3G --start 128 --vmfs-size 2G disk.img >/dev/null
put disk.img '\0\0\37\0' 458 # one entry of another length
found "a table with another length" 1 disk.img "living 128 told-4194304"
has "a table with another length: text" "$("$VMFSKIT" find --no-store disk.img)" "entry 1 of the MBR, but with 2031616 sectors"
rm disk.img part.img

# totalBytes stands once: with another word against it, or none for it, nobody calls it exact; nothing agrees where there is no table
"$LAB" make --overwrite --vmfs 6 --size 3G disk.img >/dev/null
dd if=disk.img of=part.img bs=1M skip=1 count=2000 conv=sparse status=none
truncate -s $(((6291423 - 2048) * 512)) part.img
dd if=disk.img of=tail.img bs=1M skip=1 conv=sparse status=none
run "$VMFSKIT" find --no-store --likely part.img
has "a partition by itself: its end is that of the file" "$OUT" 'length +from the header, and the end of the disk'
hasnt "a partition by itself: no table agrees" "$OUT" agrees
is "a partition by itself: for scripts" "$("$VMFSKIT" find --no-store --json --likely part.img | jq -c '[.agrees, .candidates[0].in_table]')" "[null,false]"
exits "the end of a disk" 0 "$VMFSKIT" find --no-store --likely tail.img
has "the end of a disk: who says its length" "$OUT" 'length +from the header, and entry 1 of the backup GPT at the end'
has "the end of a disk: that GPT agrees" "$OUT" '^The backup GPT at the end agrees with what was found\.$'
has "nobody is sure of all" "$OUT" 'sure +99 %'
# flipped FILE BYTE-OF-totalBytes MASK
flipped() {
	local at=$((0x10005E + $2)) byte
	byte=$(od -An -tu1 -j $at -N 1 "$1")
	printf "\\x$(printf %x $((byte ^ $3)))" | dd of="$1" bs=1 seek=$at conv=notrunc status=none
}
flipped tail.img 1 16
exits "another length than the entry" 1 "$VMFSKIT" find --no-store --likely tail.img
has "another length than the entry: at least" "$OUT" '^Living: sector 0, at least [0-9]* sectors'
has "another length than the entry: who contradicts" "$OUT" 'FAILS +length .* by entry 1 of the backup GPT at the end$'
hasnt "another length than the entry: not agreed" "$OUT" agrees
has "another length than the entry: the header is to be looked at" "$OUT" '^  vmfskit repair header tail\.img$'
flipped tail.img 1 16
flipped tail.img 2 16
found "a header that reaches past the disk: bounded by its extents, no ghost" 1 tail.img "damaged 0 at-least" --likely
flipped disk.img $((1048576 + 1)) 16
found "the same on a disk with a sound table" 1 disk.img "living 2048 told-6289367" --likely
is "the same on a disk with a sound table: next" "$(jq -r '.next[]' "$OUT")" "vmfskit repair header disk.img --start 2048"
exits "and the sound entry stays" 0 "$VMFSKIT" repair table disk.img --no-captures
has "and the sound entry stays: nothing to do" "$OUT" '^nothing to repair'
rm disk.img part.img tail.img

# what captures know of
"$LAB" make --vmfs 5 --size 3G --start 54321 --vmfs-size 2G disk.img >/dev/null
"$VMFSKIT" capture --store store disk.img >/dev/null
wipe_table disk.img
wipe disk.img 54321 34816
exits "a hint of a capture" 1 "$VMFSKIT" find --likely --store store --json disk.img
is "a hint of a capture: start, length, who" "$(jq -r '.candidates[0] | [.standing, .start_sector, .claimed_bytes, .heard] | join(" ")' "$OUT")" \
	"damaged 54321 2147483648 capture $(captures store)"
found "without it" 0 disk.img "" --likely
exits "a store that is not there keeps nobody from searching" 1 "$VMFSKIT" find --store nosuch disk.img
found "only a range" 0 disk.img "" --range 0+16M
found "only the range" 1 disk.img "damaged 54321 at-least" --range 32M+64M
exits "a range that is none" 2 "$VMFSKIT" find --range 5 disk.img
exits "a range outside" 2 "$VMFSKIT" find --no-store --range 2G+64G disk.img
exits "a range for no search" 2 "$VMFSKIT" find --likely --range 0+1G disk.img
exits "a source that is not there" 4 "$VMFSKIT" find nosuch.img
rm -r disk.img store

# ghosts: the disk of a virtual machine, dumps, a header by itself
"$LAB" make --vmfs 5 --size 8G outer.img >/dev/null
"$LAB" make --vmfs 6 --size 1G --label inner inner.img >/dev/null
dd if=inner.img of=outer.img bs=1M seek=5000 conv=notrunc,sparse status=none
dd if=outer.img bs=1M skip=1 count=4 2>/dev/null | dd of=outer.img bs=512 seek=4000001 conv=notrunc,sparse status=none iflag=fullblock
dd if=inner.img of=outer.img bs=512 skip=4096 seek=7000001 count=1 conv=notrunc status=none
for how in present wiped; do
	[ $how = present ] || wipe_table outer.img
	run "$VMFSKIT" find --no-store --json outer.img
	is "ghosts, table $how" "$(jq -r '.candidates[] | [.standing, .start_sector, .inside] | join(" ")' "$OUT")" \
		"living 2048 
ghost: copy of a header 4000001 0
ghost: copy of a header 6997953 0
ghost: disk of a virtual machine 10242048 0"
	is "ghosts, table $how: exit code" "$CODE" "$([ $how = present ] && echo 0 || echo 1)"
done
exits "ghosts as text" 1 "$VMFSKIT" find --no-store outer.img
has "ghosts as text: heading" "$OUT" "^Not volumes of this disk"
has "ghosts as text: nested" "$OUT" "its own partition table stands at byte 5242880000"
rm outer.img inner.img

# two generations, 65 sectors apart
"$LAB" make --vmfs 3 --size 4G --start 63 --label old disk.img >/dev/null
"$LAB" make --vmfs 5 --table mbr --size 4G --start 128 --label new new.img >/dev/null
dd if=new.img of=disk.img bs=512 count=65536 conv=notrunc,sparse status=none
for how in present wiped; do
	[ $how = present ] || wipe disk.img 0 63
	run "$VMFSKIT" find --no-store --json disk.img
	is "two generations, table $how" "$(jq -r '.candidates[] | [.standing, .start_sector, .label] | join(" ")' "$OUT")" \
		"living 128 new
ghost: earlier format 63 old"
done
rm disk.img new.img

# extended metadata
big=$(big_dir)
if [ -n "$big" ]; then
	"$LAB" make --vmfs 5 --size 64T "$big/disk.img" >/dev/null
	ok "64 TB" "$VMFSKIT" find --no-store --json "$big/disk.img"
	is "64 TB: what is found" "$(jq -r '.candidates[] | [.standing, .inside] | join(" ")' "$OUT" | uniq -c | awk '{ $1 = $1 } 1')" \
		"1 living
3 ghost: extended metadata 0"
	rm "$big/disk.img"
else
	skip "64 TB" "no file system here holds such a file"
fi

# another system's file system over it: TOOL TYPE KIND COMMAND...
under() {
	local tool=$1 type=$2 kind=$3 device
	shift 3
	if ! PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null; then
		skip "under $type" "there is no $tool"
		return
	fi
	"$LAB" make --overwrite --vmfs 5 --size 3G --vmfs-size 2G disk.img >/dev/null
	device=$(loop_attach disk.img --offset 1048576 --sizelimit 2147483648) || return
	PATH=$PATH:/usr/sbin:/sbin "$@" "$device" >made.out 2>&1 || fail "under $type: $tool" "$(cat made.out)"
	loop_detach "$device"
	exits "under $type" 1 "$VMFSKIT" find --no-store --json disk.img
	is "under $type: who" "$(jq -r '.foreign[] | [.type, .kind, .start_bytes] | join(" ")' "$OUT")" "$type $kind 1048576"
	is "under $type: how long" "$(jq '.foreign[0].length_bytes | . > 2147400000 and . <= 2147483648' "$OUT")" true
	run "$VMFSKIT" find --no-store --json disk.img
	is "under $type: nothing is called living" "$(jq -r '.candidates[] | select(.standing == "living") | .why' "$OUT")" ""
}
if [ "$(id -u)" -eq 0 ]; then
	under mkfs.ext4 ext4 "file system" mkfs.ext4 -q -F -E nodiscard
	under mkfs.xfs xfs "file system" mkfs.xfs -q -f -K
	under mkfs.vfat vfat "file system" mkfs.vfat -F 32
	under mkfs.ntfs ntfs "file system" mkfs.ntfs -Q -q -F
	under mkswap swap other mkswap
	under pvcreate LVM2_member "volume manager" pvcreate -q -y -ff --config 'devices{filter=["a|.*|"]use_devicesfile=0}'
	rm -f disk.img
else
	skip "under other systems" "needs root"
fi

# interrupted and continued
if PATH=$PATH:/usr/sbin:/sbin command -v strace >/dev/null; then
	"$LAB" make --vmfs 5 --size 1G --vmfs-size 900M disk.img >/dev/null
	wipe_table disk.img
	head -c 128M /dev/urandom | dd of=disk.img bs=1M seek=300 conv=notrunc status=none
	STRACE_OPTIONS="-e inject=pread64,read,io_submit:delay_exit=10000" traced trace "$VMFSKIT" find --no-store --resume state disk.img \
		>stopped.out 2>stopped.err &
	job=$!
	for _ in $(seq 600); do
		[ -s stopped.out ] && break
		sleep 0.05
	done
	tracer=$(pgrep -P $job | head -n 1)
	kill -INT "$(pgrep -P "$tracer" | head -n 1)"
	wait $job
	is "interrupted: exit code" "$?" 4
	has "interrupted: how to go on" stopped.err "stopped before the end; go on with: .* find --no-store --resume state disk.img"
	ok "interrupted: the state is kept" [ -s state ]
	found "continued" 1 disk.img "living 2048 told-1843200" --resume state
	is "continued: all of it was searched" "$(jq -r '.scanned_bytes == .total_bytes // .scanned_bytes' "$OUT")" 1073741824
	rm -f disk.img
else
	skip "interrupted and continued" "there is no strace"
fi

# a version that was never one is told with all of its digits
"$LAB" make --vmfs 5 --start 2048 --size 300M disk.img >/dev/null
put disk.img '\005\000\000\113\377\377\377\377' $((2048 * 512 + 0x100004))
run "$VMFSKIT" find --no-store --json disk.img
is "a version that was never one" "$(jq -r '.candidates[].lvm_version' "$OUT")" 1258291205.4294967295
rm disk.img

# the real volume
if [ -n "$SHARED" ] && [ -f "$SHARED/data/vmfs3-esx35-volume/partition.img.xz" ]; then
	unpack "$SHARED/data/vmfs3-esx35-volume/partition.img.xz" real.img
	"$LAB" make --table mbr --vmfs 3 --start 77 --image real.img --vmfs-size 1258435584 disk.img >/dev/null
	wipe_table disk.img
	found "the real volume" 1 disk.img "living 77 told-2457882"
	is "the real volume: every block votes for it" "$(jq -r '.candidates[0].votes | [.locks, .heartbeats] | join(" ")' "$OUT")" "93 2048"
	is "the real volume: every check holds but for its length" "$(jq -r '[.candidates[0].checks[] | select(.verdict != "pass") | .name, .verdict] | join(" ")' "$OUT")" "length unknown"
	wipe disk.img 77 34816
	wipe disk.img $((77 + 38912)) 1
	run "$VMFSKIT" find --no-store --json disk.img
	is "the real volume, header and descriptor gone" "$(jq -r '.candidates[] | [.standing, .start_sector] | join(" ")' "$OUT")" "damaged 77"
else
	skip "the real volume" "it is not here"
fi
