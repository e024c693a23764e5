# SPDX-License-Identifier: Apache-2.0
# The collector, in a chroot that holds busybox alone and under dash: what it saves becomes the very capture that vmfskit
# takes of the same disk; what cannot be read is on record; nothing but the result is written.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
PATH=$PATH:/usr/sbin:/sbin
need busybox perl jq sha256sum
need_root "the collector in a chroot"
collector=$ROOT/cron/vmfskit-collect.sh

# --- a root folder with busybox, the names of what it can do, and the libraries that it may need; no /dev, no /proc, no /sys
cage=$TMP/cage
mkdir -p "$cage/bin" "$cage/tmp" "$cage/disks"
cp -L "$(command -v busybox)" "$cage/bin/busybox"
ldd "$cage/bin/busybox" 2>/dev/null | grep -o '/[^ ]*' | while read -r lib; do
	mkdir -p "$cage${lib%/*}" && cp -L "$lib" "$cage$lib"
done
busybox --list | while read -r applet; do
	[ "$applet" = busybox ] || ln -s busybox "$cage/bin/$applet"
done
rm -f "$cage/bin/od" "$cage/bin/tar"
caged() { env -i PATH=/bin "$(command -v chroot)" "$cage" /bin/busybox ash "$@"; }
# caged_with FUNCTIONS ARGUMENT...: with programs of another kind. A busybox may run what it has whatever the PATH says and whether or
# not there is a link of that name; functions go before that in every shell.
caged_with() { local functions=$1; shift; caged -c "$functions"' . /collect.sh' collect "$@"; }
# known by name, as "command -v" has it, and cannot be run
unable() { local name; for name; do printf '%s() { echo "%s: not found" >&2; return 127; }; ' "$name" "$name"; done; }
cp "$collector" "$cage/collect.sh"

big=$(big_dir) || { skip "disks of 64 TB" "no file system here holds them"; big=$TMP; }
disks=$big/disks
mkdir "$disks"
mount --bind "$disks" "$cage/disks" || { skip "the rest of this test" "no bind mounts here"; exit 0; }
echo "$cage/disks" >>"$TMP/.mounts"

make() { "$LAB" make "$@" >/dev/null || exit 1; }
make --vmfs 3 --table mbr --start 128 --size 2G --live 1 "$disks/mbr128.img"
make --vmfs 3 --table mbr --start 63 --size 2G --block-size 8M "$disks/mbr63.img"
make --vmfs 5 --table gpt --start 2048 --size 3G --live 3 "$disks/gpt.img"
make --vmfs 6 --table gpt --start 20973535 --size 14G --live 2 "$disks/odd6.img"
make --vmfs 5 --table gpt --sector-size 4096 --size 3G "$disks/4k5.img"
make --vmfs 6 --table gpt --sector-size 4096 --size 3G "$disks/4k6.img"
make --volume start=63,size=1G,logical --volume size=1G,logical --table mbr --vmfs 3 --size 4G "$disks/ebr.img"
make --layout esxi5 --size 20G "$disks/esxi5.img"
make --layout esxi7 --size 300G "$disks/esxi7.img"
make --size 3G --extents "$disks/extent.img=2G" "$disks/head.img"
make --vmfs 3 --table mbr --start 128 --size 2G "$disks/hidden.img"
zero "$disks/hidden.img" 446 66
make --vmfs 5 --table gpt --size 3G "$disks/noprimary.img"
"$LAB" break --how primary "$disks/noprimary.img" >/dev/null || exit 1
# 16384 entries of 4096 bytes: more than is read of any table
make --vmfs 5 --table gpt --size 3G "$disks/entries.img"
printf '\0\100\0\0\0\20\0\0' | dd of="$disks/entries.img" bs=1 seek=592 conv=notrunc status=none
make --vmfs 5 --table gpt --size 3G "$disks/grown.img"
truncate -s 4G "$disks/grown.img"
truncate -s 100M "$disks/foreign.img"
printf 'label: gpt\nstart=2048, size=100000, type=L\n' | sfdisk -q "$disks/foreign.img"
# what stands in front of the entry must not hide it: 59 entries of a GPT, an extended partition of an MBR
make --vmfs 5 --table gpt --start 70001 --size 3G "$disks/entry60.img"
sfdisk -d "$disks/entry60.img" | sed 's/img1 :/img60 :/' | sfdisk -q --no-reread "$disks/entry60.img"
make --vmfs 3 --table mbr --start 70016 --size 2G "$disks/entry4.img"
{ sfdisk -d "$disks/entry4.img" | sed 's/img1 :/img4 :/'; echo "$disks/entry4.img1 : start=2048, size=20480, type=5"
	echo "$disks/entry4.img5 : start=4096, size=2048, type=83"; } | sfdisk -q --no-reread "$disks/entry4.img"
if [ "$big" != "$TMP" ]; then
	make --vmfs 3 --table gpt --size 64T "$disks/big3.img"
	make --vmfs 5 --table gpt --size 64T --live 3 "$disks/big5.img"
	make --vmfs 6 --table gpt --sector-size 4096 --size 64T "$disks/big6.img"
fi
names=$(cd "$disks" && ls | sed 's/\.img$//')

# --- all of them in one run, fed through standard input, as over ssh
list=$(for name in $names; do echo "/disks/$name.img"; done)
before=$(for name in $names; do disk_sum "$disks/$name.img"; done)
# shellcheck disable=SC2086
caged -s -- $list <"$collector" >"$TMP/all.tar" 2>"$TMP/said"
is "all of them through standard input: exit code" $? 0
is "nothing is said" "$(cat "$TMP/said")" ""
is "the disks are as they were" "$(for name in $names; do disk_sum "$disks/$name.img"; done)" "$before"
is "nothing is left in /tmp" "$(ls -A "$cage/tmp")" ""
ok "tar takes it for a tar" tar tf "$TMP/all.tar"
mkdir "$TMP/all"
ok "and unpacks it" tar xf "$TMP/all.tar" -C "$TMP/all"
collected=$TMP/all/vmfskit-collect
is "the first line" "$(head -n 1 "$collected/vmfskit-collect.txt")" vmfskit-collect/1
is "the last line" "$(tail -n 1 "$collected/vmfskit-collect.txt")" "end $(echo "$names" | wc -l)"
sed -n 's/^sha256sum \([^ ]*\) \(.*\)/\2  \1/p' "$collected/vmfskit-collect.txt" >"$collected/sums"
ok "digests of the pieces" bash -c "cd '$collected' && [ -s sums ] && sha256sum --quiet -c sums"
rm "$collected/sums"

# regions STORE DISK: name, offset, length, digest of each region of its only capture
regions() {
	cat "$1"/*Z-"$2"/manifest.json | jq -r '.source.size_bytes, .source.sector_size, .source.table, (.regions[] |
		"\(.file) \(.part) \(.partition) \(.offset_bytes) \(.length_bytes) \(.sha256)"), (.unreadable[] | tostring),
		(.partitions[] | tostring)'
}
findings() { jq -c '[.findings[] | {code, offset, length, message}]' "$1"/*Z-"$2"/manifest.json; }

run "$VMFSKIT" import --store "$TMP/imported" "$TMP/all.tar"
import_code=$CODE
cp "$OUT" "$TMP/told"
sector_of() { case $1 in 4k* | big6) echo 4096 ;; *) echo 512 ;; esac; }
for name in $names; do
	"$VMFSKIT" capture --as disk --sector-size "$(sector_of "$name")" --store "$TMP/native" "$disks/$name.img" >/dev/null 2>&1
	is "$name: the same regions as of a capture" "$(regions "$TMP/imported" "$name.img")" "$(regions "$TMP/native" "$name.img")"
	is "$name: the same findings" "$(findings "$TMP/imported" "$name.img")" "$(findings "$TMP/native" "$name.img")"
	ok "$name: the very files" bash -c "for f in '$TMP/native'/*Z-$name.img/*.raw; do
		cmp \"\$f\" '$TMP/imported'/*Z-$name.img/\"\${f##*/}\" || exit 1; done"
done
is "hidden, damaged and foreign disks have their findings" "$import_code" 1
has "a volume that the table lost is found" "$(regions "$TMP/imported" hidden.img)" '^p0-lvm\.raw lvm 0 65536 17825792 '
has "the copy of a GPT where the end was" "$(regions "$TMP/imported" grown.img)" '^gpt-backup\.raw '
has "GPT from its backup alone" "$(regions "$TMP/imported" noprimary.img)" '^p1-vh\.raw '
hasnt "no .vh.sf where none is" "$(regions "$TMP/imported" extent.img)" '^p1-vh\.raw '
if [ "$big" != "$TMP" ]; then
	has "extended metadata of 64 TB" "$(regions "$TMP/imported" big5.img)" '^p1-lvm-ext1\.raw '
fi
is "host and time are those of the collector" \
	"$(jq -r '"\(.host) \(.time)"' "$TMP/imported"/*Z-gpt.img/manifest.json)" \
	"$(sed -n 's/^host //p' "$collected/vmfskit-collect.txt") $(sed -n 's/^time //p' "$collected/vmfskit-collect.txt")"

# --- into a folder, with od in the place of hexdump, under dash, from another place
ln -s busybox "$cage/bin/od"
ok "into a folder, with od" caged_with "$(unable hexdump)" -o /tmp/o /disks/ebr.img /disks/4k6.img /disks/mbr63.img
is "nothing is said" "$(cat "$OUT" "$ERR")" ""
exits "never into one that exists" 4 caged /collect.sh -o /tmp/o /disks/ebr.img
ok "import of the folder" "$VMFSKIT" import --store "$TMP/from-od" "$cage/tmp/o"
for name in ebr 4k6 mbr63; do
	is "$name with od" "$(regions "$TMP/from-od" "$name.img")" "$(regions "$TMP/native" "$name.img")"
done
exits "with neither of them" 4 caged_with "$(unable hexdump od)" -o /tmp/o3 /disks/ebr.img
has "says so" "$ERR" 'neither hexdump nor od'
is "and collects nothing" "$(ls "$cage/tmp/o3")" ""

# --- programs that are there and do not do what is needed: tried on known bytes, none is believed by its name
unfit() { # NAME FUNCTIONS WHY
	rm -rf "$cage/tmp/u"
	exits "$1" 4 caged_with "$2" -o /tmp/u /disks/gpt.img
	has "$1: says so" "$ERR" "$3"
	is "$1: collects nothing" "$(ls "$cage/tmp/u")" ""
}
unfit "a dd that cannot be run" "$(unable dd)" 'dd does not work here'
unfit "a dd that ignores skip" 'dd() { for a; do shift; case $a in skip=*) ;; *) set -- "$@" "$a" ;; esac; done; /bin/dd "$@"; };' 'dd does not work here'
unfit "an ls that cannot be run" "$(unable ls)" 'ls does not show'
unfit "an rm that does nothing" 'rm() { :; };' 'rm does not work'
unfit "a date that cannot be run" "$(unable date)" 'date does not print'
unfit "dumpers that say nothing" 'hexdump() { :; }; od() { :; };' 'neither hexdump nor od'
unfit "dumpers that leave out what repeats" 'hexdump() { return 1; }; od() { shift 2; /bin/od -An "$@"; };' 'neither hexdump nor od'
rm -rf "$cage/tmp/u"
ok "a hexdump that writes another form, and no sha256sum" caged_with "$(unable sha256sum)"'hexdump() { /bin/hexdump -C "$4"; };' -o /tmp/u /disks/4k6.img
ok "import of that" "$VMFSKIT" import --store "$TMP/from-other" "$cage/tmp/u"
is "the same regions" "$(regions "$TMP/from-other" 4k6.img)" "$(regions "$TMP/native" 4k6.img)"
is "each piece has its MD5" "$(grep -c ^md5sum "$cage/tmp/u/vmfskit-collect.txt")" "$(grep -c ^piece "$cage/tmp/u/vmfskit-collect.txt")"

# --- programs that fail later, as when memory runs out: the index says so, and import reads it
later() { # PROGRAM CALL: from that call on it cannot be run
	printf '%s() { echo >>/tmp/calls; calls=0; while read -r call; do calls=$((calls + 1)); done </tmp/calls; ' "$1"
	printf '[ "$calls" -lt %s ] || return 127; /bin/%s "$@"; }; ' "$2" "$1"
}
fails_later() { # PROGRAM CALL CODE-OF-IMPORT
	rm -rf "$cage/tmp/u" "$cage/tmp/calls"
	exits "$1 fails later" 4 caged_with "$(later "$1" "$2")" -o /tmp/u /disks/gpt.img /disks/ebr.img
	has "$1 fails later: says so" "$ERR" "gpt.img: $1 no longer works"
	has "$1 fails later: the index has it" "$cage/tmp/u/vmfskit-collect.txt" "^broken $1\$"
	hasnt "$1 fails later: no disk is complete" "$cage/tmp/u/vmfskit-collect.txt" '^status complete'
	exits "$1 fails later: import" "$3" "$VMFSKIT" import --store "$TMP/from-$1" "$cage/tmp/u"
	has "$1 fails later: import tells why" "$OUT" 'capture\.not-held: .*because a program that it needs failed on the host'
}
fails_later hexdump 4 1
fails_later dd 9 4
fails_later sha256sum 2 1
if command -v dash >/dev/null; then
	(cd "$disks" && TMPDIR=$TMP dash -s -- gpt.img odd6.img) <"$collector" >"$TMP/dash.tar"
	is "under dash" $? 0
	run "$VMFSKIT" import --store "$TMP/from-dash" - <"$TMP/dash.tar"
	is "import from standard input" "$CODE" 0
	for name in gpt odd6; do
		is "$name under dash" "$(regions "$TMP/from-dash" "$name.img")" "$(regions "$TMP/native" "$name.img")"
	done
	is "a path is made whole" "$(jq -r .source.path "$TMP/from-dash"/*gpt.img/manifest.json)" "$disks/gpt.img"
else
	skip "under dash" "there is none"
fi

# --- a size that nothing tells: ls says nothing of a device, and there is no blockdev, fdisk or /sys
device=$(loop_attach "$disks/gpt.img" -r 2>/dev/null)
if [ -n "$device" ]; then
	mknod "$cage/disks/node" b "$(stat -c '%Hr' "$device")" "$(stat -c '%Lr' "$device")" 2>/dev/null ||
		cp -a "$device" "$cage/disks/node"
	ok "a disk of unknown size" caged_with "$(unable blockdev fdisk)" -o /tmp/unknown /disks/node
	has "is called so" "$cage/tmp/unknown/vmfskit-collect.txt" '^size unknown$'
	exits "import of it" 0 "$VMFSKIT" import --store "$TMP/unknown" --json "$cage/tmp/unknown"
	is "its GPT proves its length" "$(jq -c '.captures[0] | [.size_bytes, .size_certain]' "$OUT")" "[3221225472,false]"
	is "the regions are the same" "$(regions "$TMP/unknown" node | tail -n +2)" "$(regions "$TMP/native" gpt.img | tail -n +2)"
	rm "$disks/node"
	loop_detach "$device"
	# its copy 2^44 sectors on, its array 2^43: nothing is read where no disk reaches
	cp --sparse=always "$disks/gpt.img" "$disks/far.img"
	printf '\0\0\0\0\0\20\0\0' | dd of="$disks/far.img" bs=1 seek=544 conv=notrunc status=none
	printf '\0\0\0\0\0\10\0\0' | dd of="$disks/far.img" bs=1 seek=584 conv=notrunc status=none
	device=$(loop_attach "$disks/far.img" -r 2>/dev/null)
	mknod "$cage/disks/node" b "$(stat -c '%Hr' "$device")" "$(stat -c '%Lr' "$device")" 2>/dev/null ||
		cp -a "$device" "$cage/disks/node"
	ok "a GPT that leads past any disk" caged_with "$(unable blockdev fdisk)" -o /tmp/far /disks/node
	is "nothing is said" "$(cat "$OUT" "$ERR")" ""
	is "the same pieces" "$(sed -n 's/^piece [^ ]* \([0-9]*\) .*/\1/p' "$cage/tmp/far/vmfskit-collect.txt" | tr '\n' ' ')" "0 27262976 "
	rm "$disks/node" "$disks/far.img"
	loop_detach "$device"
else
	skip "a disk of unknown size" "no loop devices here"
fi

# --- sectors that cannot be read: a dd that fails where they are
mkdir "$TMP/bin"
cat >"$TMP/bin/dd" <<'DD'
#!/bin/sh
bs=512 skip=0 count=
for arg; do
	case $arg in bs=*) bs=${arg#bs=} ;; skip=*) skip=${arg#skip=} ;; count=*) count=${arg#count=} ;; if=*/gpt.img) disk=1 ;; esac
done
if [ -n "${disk:-}" ] && [ -n "$count" ]; then
	for bad in $BAD; do
		if [ "$bad" -ge $((bs * skip)) ] && [ "$bad" -lt $((bs * (skip + count))) ]; then
			printf 'half of it'
			echo "dd: error reading: Input/output error" >&2
			exit 1
		fi
	done
fi
exec "$DD" "$@"
DD
chmod +x "$TMP/bin/dd"
bad1=$((1048576 + 1048576 + 8 * 512))
bad2=$((1048576 + 17825792 + 3 * 1048576))
failing() { DD=$(command -v dd) BAD="$bad1 $bad2" PATH=$TMP/bin:$PATH dash "$collector" "$@"; }
if command -v dash >/dev/null; then
	exits "sectors that cannot be read" 1 failing -o "$TMP/bad" "$disks/gpt.img" "$disks/ebr.img"
	has "the disk is named" "$ERR" 'gpt\.img: could not be read completely'
	hasnt "the sound one is not" "$ERR" 'ebr\.img'
	is "the very sectors are on record" "$(grep ^unreadable "$TMP/bad/vmfskit-collect.txt" | tr '\n' ' ')" \
		"unreadable $bad1 512 unreadable $bad2 512 "
	exits "import of that" 1 "$VMFSKIT" import --json --store "$TMP/from-bad" "$TMP/bad"
	is "what could not be read" "$(jq -c '[.findings[] | [.code, .offset, .length]]' "$OUT")" \
		"[[\"capture.unreadable\",$bad1,512],[\"capture.unreadable\",$bad2,512]]"
	is "everything else is there" "$(jq -c '[.unreadable[] | [.offset_bytes, .length_bytes]]' "$TMP/from-bad"/*gpt.img/manifest.json)" \
		"[[$bad1,512],[$bad2,512]]"
	is "and the other disk" "$(regions "$TMP/from-bad" ebr.img)" "$(regions "$TMP/native" ebr.img)"
else
	skip "sectors that cannot be read" "there is no dash"
fi

# --- one bad disk never stops the others
exits "one disk is not there, one is a folder" 1 caged /collect.sh -o /tmp/some /disks/nosuch.img /disks /disks/gpt.img
has "the first is named" "$ERR" '/disks/nosuch\.img: cannot be read: .*No such file'
has "the second is named" "$ERR" '/disks: cannot be read'
is "the third is there" "$(grep -c ^piece "$cage/tmp/some/vmfskit-collect.txt")" 3
is "each has its status" "$(grep ^status "$cage/tmp/some/vmfskit-collect.txt" | tr '\n' ' ')" "status failed status failed status complete "
exits "import: the third" 4 "$VMFSKIT" import --store "$TMP/some" "$cage/tmp/some"
is "one capture" "$(ls "$TMP/some" | grep -c Z-)" 1
has "and says which is missing" "$ERR" 'nothing of this disk was collected \(/disks/nosuch\.img\)'

# --- the disks of a host: aliases and partitions of ESXi are passed over
mkdir -p "$cage/vmfs/devices"
ln -s /disks "$cage/vmfs/devices/unused"
mkdir "$cage/vmfs/devices/disks"
for name in gpt ebr; do ln -s "/disks/$name.img" "$cage/vmfs/devices/disks/naa.$name"; done
ln -s naa.gpt "$cage/vmfs/devices/disks/vml.0200"
ln -s naa.gpt "$cage/vmfs/devices/disks/naa.gpt:1"
ln -s /disks/mbr63.img "$cage/vmfs/devices/disks/mpx.vmhba1:C0:T1:L0"
ln -s /disks/mbr63.img "$cage/vmfs/devices/disks/mpx.vmhba1:C0:T1:L0:1"
ok "without a name: all of /vmfs/devices/disks" caged /collect.sh -o /tmp/host
is "each once, without aliases and partitions" "$(sed -n 's/^name //p' "$cage/tmp/host/vmfskit-collect.txt" | tr '\n' ' ')" \
	"mpx.vmhba1:C0:T1:L0 naa.ebr naa.gpt "
ok "import of one of them" "$VMFSKIT" import --disk naa.ebr --store "$TMP/one" "$cage/tmp/host"
is "import of one of them: ESXi's name for it is its WWID" "$(jq -r .device.wwid "$TMP"/one/*/manifest.json)" naa.ebr
is "only that" "$(ls "$TMP/one" | grep -c Z-)" 1
exits "a name that is not there" 4 "$VMFSKIT" import --disk naa.nosuch --store "$TMP/one" "$cage/tmp/host"
rm -r "$cage/vmfs"
exits "no disks at all" 1 caged /collect.sh -o /tmp/none
has "says so" "$ERR" 'no disks were found'

# --- usage
ok "-h" caged /collect.sh -h
has "explains" "$OUT" '^usage: vmfskit-collect.sh'
exits "an option that there is not" 2 caged /collect.sh -x
exits "-s takes 512 or 4096" 2 caged /collect.sh -s 520 /disks/gpt.img
exits "-o needs a folder" 2 caged /collect.sh -o
rm -rf "$cage/tmp"
exits "no place for temporary files" 4 caged /collect.sh /disks/gpt.img
has "says what to do" "$ERR" 'TMPDIR=DIR'
if [ -c /dev/full ]; then
	exits "a tar that cannot be written" 4 env TMPDIR="$TMP" sh -c '"$0" "$1" >/dev/full' "$collector" "$disks/gpt.img"
	is "leaves nothing behind" "$(ls -d "$TMP"/vmfskit-collect.* 2>/dev/null)" ""
fi

# --- nothing is opened for writing but the result
if command -v strace >/dev/null && command -v dash >/dev/null; then
	STRACE_OPTIONS="-e trace=open,openat,creat" TMPDIR=$TMP traced "$TMP/trace" dash "$collector" -o "$TMP/traced" "$disks/mbr128.img"
	has "it opens the disk" "$TMP/trace" 'mbr128\.img"'
	is "and writes into its folder only" "$(grep -E 'O_(WRONLY|RDWR|CREAT)' "$TMP/trace" | grep -vE '"[^"]*(/traced/|/dev/(null|tty))' | grep -v ENOENT)" ""
else
	skip "nothing is opened for writing but the result" "there is no strace or no dash"
fi
