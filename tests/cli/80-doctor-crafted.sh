#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The doctor on what was crafted, or is rare: endless superblocks, cut labels, headers that contradict the table, stale
# signatures, disks that are two things at once, names that look like options.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
PATH=$PATH:/usr/sbin:/sbin
need perl jq mkfs.ext4 xmllint iconv
cd "$TMP" || exit 1
mkdir -m 700 nowhere # a store without captures

doctor() { "$VMFSKIT" doctor --heartbeat-wait 0 --store nowhere "$@"; }
codes() { jq -r '[.sources[].findings[].code | sub("incident."; "")] | sort | unique | join(" ")' "$1"; }
commands() { jq -r '[.sources[0].next[].command | values] | join("; ")' "$1"; }
headline() { jq -r '.sources[0].headline' "$1"; }
# put FILE OFFSET HEX: these bytes
put() { perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; sysseek($f, $ARGV[1], 0); syswrite($f, pack("H*", $ARGV[2])) or die' "$1" $(($2)) "$3"; }
# flip FILE OFFSET BIT
flip() { perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; sysseek($f, $ARGV[1], 0); sysread($f, my $b, 1); sysseek($f, $ARGV[1], 0);
	syswrite($f, chr(ord($b) ^ 1 << $ARGV[2])) or die' "$1" $(($2)) "$3"; }

"$LAB" make --table gpt --vmfs 5 --start 2048 --size 420M --label prod prod.orig >/dev/null || exit 1
fresh() { copy_disk prod.orig prod.img; }

# a superblock without a checksum: newer versions of libblkid believe no altered one with it
ext4() { mkfs.ext4 -F -q -O ^metadata_csum -E "$@" 2>mkfs.said || cat mkfs.said; }

# --- an ext superblock of 2^40 groups ------------------------------------------------------------------
fresh
ext4 nodiscard,offset=1048576 prod.img 400M
put prod.img 1048576+1024+4 00000000
put prod.img 1048576+1024+0x20 00010000
put prod.img 1048576+1024+0x150 00000100
exits "an endless ext file system is told in no time" 1 timeout 20 "$VMFSKIT" doctor --heartbeat-wait 0 --store nowhere prod.img

# --- a label that ends in the middle of a character --------------------------------------------------------
fresh
ext4 nodiscard -L aaaé -U 12345678-1234-4234-8234-123456789abc prod.img
exits "a label that does not fit: exit code" 1 doctor prod.img
cp "$OUT" said.txt
ok "a label that does not fit: no broken character" iconv -f utf-8 -t utf-8 said.txt
exits "a label that does not fit: json" 1 doctor --json prod.img
has "a label that does not fit: cut in front of it" "$(headline "$OUT")" 'label "aaa \(at least'
exits "a label that does not fit: svg" 1 doctor --svg label.svg prod.img
ok "a label that does not fit: the picture is well-formed" xmllint --noout label.svg

# --- stale signatures are not blamed for what happened elsewhere ---------------------------------------------
truncate -s 64M other.img
ext4 nodiscard other.img
put other.img 1024+0x108 00e0903a # 2001
fresh
dd if=other.img of=prod.img bs=512 skip=2 seek=2050 count=2 conv=notrunc status=none
"$LAB" break --how heartbeat-corrupt prod.img >/dev/null
exits "an old ext4 and a corrupt heartbeat: exit code" 1 doctor --json prod.img
cp "$OUT" doctor.json
hasnt "an old ext4 and a corrupt heartbeat: nobody formatted it" "$(codes doctor.json)" formatted
has "an old ext4 and a corrupt heartbeat: told as two things" "$(codes doctor.json)" 'foreign-signature heartbeats'
has "an old ext4 and a corrupt heartbeat: the answer" "$(headline doctor.json)" '^Heartbeat slots are damaged'
hasnt "an old ext4 and a corrupt heartbeat: it did not overwrite them" "$(jq -r '.sources[0].lost[]' doctor.json)" 'heartbeat.*overwritten by ext4'
"$LAB" make --table gpt --volume start=2048,size=300M,version=5 --volume start=616448,size=300M,version=5 two.orig >/dev/null || exit 1
copy_disk two.orig two.img
# an md superblock, version 1.1: magic, major version, checksum in the end
put two.img 2048*512 "$(perl -e 'my @w = (0) x 64; @w[0, 1] = (0xa92b4efc, 1); @w[4 .. 7] = (1, 2, 3, 4); $w[18] = 1; $w[20] = 204800; $w[23] = 2;
	my ($low, $high) = (0, 0); $low += $_ for @w; $low = ($low & 0xffffffff) + ($low >> 32); $w[54] = $low; print unpack("H*", pack("V*", @w))')"
put two.img 616448*512+0x1400000+512*5+4 01
exits "md at one volume, a heartbeat of the other: exit code" 1 doctor --json two.img
cp "$OUT" doctor.json
has "md at one volume, a heartbeat of the other: it is seen" "$(jq -r '.sources[0].foreign[].type' doctor.json)" linux_raid_member
is "md at one volume, a heartbeat of the other: nobody formatted it" "$(codes doctor.json)" "foreign-signature heartbeats"

# --- the header says this, a proved entry says that ----------------------------------------------------------------
"$LAB" make --volume start=2048,size=10G,version=6 --volume start=41945088,size=10G,version=6 lengths.img >/dev/null || exit 1
exits "two lengths: first there is one" 0 doctor lengths.img
flip lengths.img 2048*512+0x100000+0x5E+2 4
exits "two lengths: exit code" 1 doctor --json lengths.img
cp "$OUT" doctor.json
is "two lengths: told" "$(codes doctor.json)" length
has "two lengths: the answer" "$(headline doctor.json)" 'two lengths'
hasnt "two lengths: that header is not consistent" "$(jq -r '.sources[0].intact[]' doctor.json)" 'sector 2048:.*LVM device header'
has "two lengths: the other one is" "$(jq -r '.sources[0].intact[]' doctor.json)" 'sector 41945088:.*LVM device header'
is "two lengths: next" "$(commands doctor.json)" "vmfskit capture lengths.img --store nowhere; vmfskit decode lengths.img"

# --- headers that cannot be read ------------------------------------------------------------------------------------
if [ -x "$HOOKS" ]; then
	fresh
	"$LAB" break --how primary prod.img >/dev/null
	doctor --json prod.img >doctor.json
	has "headers are intact" "$(headline doctor.json)" 'headers are intact'
	VMFSKIT_TEST_BAD=2097152+4096 "$HOOKS" doctor --heartbeat-wait 0 --store nowhere --json prod.img >doctor.json
	hasnt "a header that cannot be read is not in order" "$(headline doctor.json)" 'in order'
	copies() { jq -c '[.sources[0].ranges[] | select(.what | test("superblock or a copy")) | .offset_bytes]' "$1"; }
	rm -f other.img
	truncate -s 420M other.img
	ext4 nodiscard -b 4096 other.img
	fresh
	for sector in 2 262144; do
		dd if=other.img of=prod.img bs=512 skip=$sector seek=$sector count=2 conv=notrunc status=none
	done
	doctor --json prod.img >doctor.json
	is "a superblock: its copy" "$(copies doctor.json)" '[134217728]'
	VMFSKIT_TEST_BAD=0+512 "$HOOKS" doctor --heartbeat-wait 0 --store nowhere --json prod.img >doctor.json
	is "a superblock: its copy, where a sector in front of it cannot be read" "$(copies doctor.json)" '[134217728]'
fi

# --- a partition longer than its volume, and what was left in the rest of it ---------------------------------------------
# entry FILE NUMBER FIRST LAST: this entry of both copies of the GPT, with checksums that fit. A new one is of type Linux
entry() { perl -e '
	use strict;
	my ($file, $number, $first, $last) = @ARGV;
	sub crc { my $c = 0xffffffff; for my $b (unpack("C*", $_[0])) { $c ^= $b; $c = $c & 1 ? $c >> 1 ^ 0xedb88320 : $c >> 1 for 1 .. 8 } $c ^ 0xffffffff }
	open(my $f, "+<:raw", $file) or die;
	for my $lba (1, (-s $file) / 512 - 1) {
		my ($h, $a);
		sysseek($f, $lba * 512, 0); sysread($f, $h, 512);
		my $at = unpack("Q<", substr($h, 72, 8)) * 512;
		sysseek($f, $at, 0); sysread($f, $a, 128 * 128);
		my $e = substr($a, 128 * ($number - 1), 128);
		substr($e, 0, 32) = pack("H*", "af3dc60f838472478e793d69d8477de4") . pack("Q<2", 77, $number) if $e !~ /[^\0]/;
		substr($e, 32, 16) = pack("Q<2", $first, $last);
		substr($a, 128 * ($number - 1), 128) = $e;
		substr($h, 88, 4) = pack("V", crc($a)); substr($h, 16, 4) = "\0" x 4;
		substr($h, 16, 4) = pack("V", crc(substr($h, 0, 92)));
		sysseek($f, $at, 0); syswrite($f, $a); sysseek($f, $lba * 512, 0); syswrite($f, $h);
	}' "$@"; }
"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 420M --size 2G --label grown grown.orig >/dev/null || exit 1
"$LAB" make --table gpt --vmfs 5 --start 2048 --size 420M --seed 7 --label old old.img >/dev/null || exit 1
leftover=$((2048 + (1 << 21)))
# 256 KiB of header, nothing behind it
leave() { dd if=old.img of="$1" bs=512 skip=$((2048 + 2048)) seek=$((leftover + 2048)) count=512 conv=notrunc status=none; }
copy_disk grown.orig grown.img
entry grown.img 1 2048 4194270
leave grown.img
exits "what was left in the rest of a partition: exit code" 1 doctor --scan --json grown.img
cp "$OUT" doctor.json
is "what was left in the rest of a partition: no volume" "$(jq -c '[.sources[0].volumes[].label]' doctor.json)" '["grown"]'
is "what was left in the rest of a partition: nothing is damaged" "$(jq '.sources[0].damaged' doctor.json)" null
is "what was left in the rest of a partition: what there is to say" "$(codes doctor.json)" length
hasnt "what was left in the rest of a partition: no repair" "$(commands doctor.json)" repair
copy_disk grown.orig grown.img
leave grown.img
exits "a header left in free space is nothing wrong" 0 doctor --scan --json grown.img
cp "$OUT" doctor.json
is "a header left in free space: nothing is damaged" "$(jq '.sources[0].damaged' doctor.json)" null
is "a header left in free space: told" "$(codes doctor.json)" header-left-over
has "a header left in free space: the answer" "$(headline doctor.json)" '^Nothing wrong was found$'

# --- a table that names one volume and not the other -----------------------------------------------------------------------
copy_disk two.orig deleted.img
sfdisk -q --delete deleted.img 2
exits "one of two partitions deleted: exit code" 1 doctor --scan --json deleted.img
cp "$OUT" doctor.json
is "one of two partitions deleted: told" "$(codes doctor.json)" volume-unnamed
is "one of two partitions deleted: it is that one" "$(jq '.sources[0].findings[0].offset' doctor.json)" $((616448 * 512))
has "one of two partitions deleted: the answer" "$(headline doctor.json)" '^A volume on the disk is listed in no partition$'
is "one of two partitions deleted: next" "$(commands doctor.json)" \
	"vmfskit capture deleted.img --store nowhere; vmfskit repair table deleted.img --store nowhere --scan"
sfdisk -q --delete deleted.img 1
exits "both deleted: exit code" 1 doctor --scan --json deleted.img
has "both deleted: now the table is gone" "$(codes "$OUT")" table-lost

# --- what decode objects to, the doctor does, too ----------------------------------------------------------------------------
copy_disk two.orig overlap.img
entry overlap.img 3 600000 700000
entry overlap.img 4 1300000 9000000
exits "overlapping entries: exit code" 1 doctor --json overlap.img
cp "$OUT" doctor.json
is "overlapping entries: told once, not for each copy" "$(jq -r '[.sources[0].findings[] | .code] | join(" ")' doctor.json)" \
	"gpt.entry-range gpt.entry-overlap gpt.entry-overlap"
has "overlapping entries: the answer" "$(headline doctor.json)" '^The partition table contradicts'
is "overlapping entries: next" "$(commands doctor.json)" "vmfskit capture overlap.img --store nowhere; vmfskit decode overlap.img"
# every warning and error of decode on table and headers is in the answer, or lies in what is damaged
covered() {
	"$VMFSKIT" decode --json "$1" >decode.json
	doctor --json "$1" >doctor.json
	jq -n --slurpfile x decode.json --slurpfile y doctor.json '
		($y[0].sources[0]) as $d |
		[$x[0].findings[] | select(.severity != "info") | select(
			. as $f | ([$d.findings[] | select(.code == $f.code)] | length) == 0 and
			([$d.ranges[] | select(.damage != "intact" and .damage != "consistent" and .offset_bytes < $f.offset + ([$f.length, 1] | max) and
				$f.offset < .offset_bytes + .length_bytes)] | length) == 0) | .code] | join(" ")'
}
is "overlapping entries: nothing of decode is left out" "$(covered overlap.img)" '""'
fresh
flip prod.img 2048*512+0x100000+0x200+0x54+9 3 # of the volume's UUID: who is wrong, it or the descriptor, nobody knows
is "a volume UUID that contradicts the file system: nothing of decode is left out" "$(covered prod.img)" '""'
has "a volume UUID that contradicts the file system: the answer" "$(headline doctor.json)" '^The LVM header or its tables are damaged \(at least sector 4097'
hasnt "a volume UUID that contradicts the file system: the descriptor has not passed all checks" "$(jq -r '.sources[0].intact[]' doctor.json)" file-system
# name and uuid stand in one sector: that it is damaged is sure, which of the two is not
fresh
put prod.img 2048*512+0x100000+0x200+0x14+8 2b
exits "a damaged name of the volume: exit code" 1 doctor --json prod.img
cp "$OUT" doctor.json
is "a damaged name of the volume: told" "$(codes doctor.json)" header-lost
is "a damaged name of the volume: where" "$(jq '.sources[0].findings[0] | .offset, .length' doctor.json | xargs)" "$((4097 * 512)) 512"
has "a damaged name of the volume: next" "$(commands doctor.json)" 'vmfskit repair header prod.img'
is "a damaged name of the volume: nothing of decode is left out" "$(covered prod.img)" '""'
has "a damaged name of the volume: decode says it" "$(jq -r '.findings[].code' decode.json)" '^volume.name-damaged$'
fresh
put prod.img 2048*512+0x100000+0x200+0x14 "$(printf %-128s "$(printf 'old backup' | xxd -p)" | tr ' ' 0)"
exits "a name that somebody chose is nothing wrong" 0 doctor prod.img
fresh
put prod.img 2048*512+0x100000+0x2e+2 00000000
exits "a disk id that the table of members contradicts: exit code" 1 doctor --json prod.img
cp "$OUT" doctor.json
has "a disk id that the table of members contradicts: told" "$(codes doctor.json)" 'lvm.disk-id-name'
hasnt "a disk id that the table of members contradicts: that header is not consistent" "$(jq -r '.sources[0].intact[]' doctor.json)" 'LVM device header'
is "a disk id that the table of members contradicts: nothing of decode is left out" "$(covered prod.img)" '""'
for version in 5l 6l; do
	"$LAB" make --overwrite --volume start=2048,size=420M,version=$version local.img >/dev/null || exit 1
	exits "VMFS-L $version: nothing wrong" 0 doctor local.img
	put local.img 2048*512+0x1300000 5e
	exits "VMFS-L $version with the magic of VMFS: exit code" 1 doctor --json local.img
	cp "$OUT" doctor.json
	is "VMFS-L $version with the magic of VMFS: told, and nobody is blamed" "$(codes doctor.json)" fs.local-mismatch
	hasnt "VMFS-L $version with the magic of VMFS: the descriptor is not consistent" "$(jq -r '.sources[0].intact[]' doctor.json)" file-system
	is "VMFS-L $version with the magic of VMFS: nothing of decode is left out" "$(covered local.img)" '""'
done
fresh
put prod.img 2048*512+0x1300000 5f
has "VMFS with the magic of VMFS-L: told" "$(doctor --json prod.img >doctor.json; codes doctor.json)" 'fs.local-mismatch'

# --- header of one volume, file system of another: which is at home cannot be told ---------------------------------------------
# both FILE WHAT: each of the two is named, neither is called damaged
both() {
	has "$2 of another volume: told" "$(codes "$1")" 'two-volumes$'
	hasnt "$2 of another volume: not called damaged" "$(codes "$1")" '(header|descriptor)-lost|volinfo'
	has "$2 of another volume: both are named" "$(jq -r '.sources[0].findings[] | select(.code == "incident.two-volumes").seen' "$1")" "$one.*$other|$other.*$one"
	hasnt "$2 of another volume: nothing is lost" "$(jq -r '.sources[0].lost[]' "$1")" 'sector 2048'
	hasnt "$2 of another volume: neither is consistent" "$(jq -r '.sources[0].intact[]' "$1")" 'sector 2048:.*(LVM device header|file-system descriptor)'
	hasnt "$2 of another volume: no repair is advised" "$(commands "$1")" repair
}
one=$("$VMFSKIT" decode --json two.orig | jq -r '.sources[0].vmfs[0].lvm.volumes[0].uuid')
other=$("$VMFSKIT" decode --json two.orig | jq -r '.sources[0].vmfs[1].lvm.volumes[0].uuid')
copy_disk two.orig mixed.img
dd if=two.orig of=mixed.img bs=1M skip=302 seek=2 count=16 conv=notrunc status=none
doctor --json mixed.img >doctor.json
both doctor.json "an LVM region"
copy_disk two.orig mixed.img
dd if=two.orig of=mixed.img bs=512 skip=$((616448 + 0x1300000 / 512)) seek=$((2048 + 0x1300000 / 512)) count=1 conv=notrunc status=none
doctor --json mixed.img >doctor.json
both doctor.json "a file-system descriptor"

copy_disk two.orig twice.img
dd if=two.orig of=twice.img bs=512 skip=$((616448 + 2048)) seek=$((2048 + 2048)) count=1 conv=notrunc status=none
exits "the same LVM header in two partitions: exit code" 1 doctor --json twice.img
cp "$OUT" doctor.json
has "the same LVM header in two partitions: told" "$(codes doctor.json)" lvm.device-twice
hasnt "the same LVM header in two partitions: neither is consistent" "$(jq -r '.sources[0].intact[]' doctor.json)" 'LVM device header'
is "the same LVM header in two partitions: nothing of decode is left out" "$(covered twice.img)" '""'

# --- an old volume in free space: no entry gives it a length that its header could contradict -----------------------------------
"$LAB" make --size 8G --vmfs-size 4G --start 2048 free.img >/dev/null || exit 1
"$LAB" make --size 3G --start 2048 --seed 9 earlier.img >/dev/null || exit 1
dd if=earlier.img of=free.img bs=1M skip=1 seek=5120 count=80 conv=notrunc,sparse status=none
exits "an old volume in free space: exit code" 1 doctor --scan --json free.img
cp "$OUT" doctor.json
is "an old volume in free space: told" "$(codes doctor.json)" volume-unnamed
has "an old volume in free space: the answer" "$(headline doctor.json)" '^A volume on the disk is listed in no partition$'

"$LAB" make --table mbr --volume start=128,size=420M,version=3 --volume start=1000000,size=420M,version=3 mbr.img >/dev/null
put mbr.img 0x1ca 0000ff00
is "an MBR entry that is too long: nothing of decode is left out" "$(covered mbr.img)" '""'
has "an MBR entry that is too long: told" "$(codes doctor.json)" 'mbr.entry-o'

# --- a disk from its partition on: the table in front is not lost, it is not in the image --------------------------------------
dd if=prod.orig of=behind.img bs=1M skip=1 conv=sparse status=none
exits "an image from the partition on is sound" 0 doctor behind.img
has "an image from the partition on: what it is" "$OUT" 'this image begins at sector 2048 of its disk; partition 1: 2048 \.\.\. [0-9]+$'
has "an image from the partition on: the answer" "$OUT" '^Nothing wrong was found\.$'
hasnt "an image from the partition on: no repair" "$OUT" 'vmfskit repair'

# --- two volumes without headers ----------------------------------------------------------------------------------------
copy_disk two.orig two.img
zero two.img $((2048 * 512 + (1 << 20))) 512
zero two.img $((616448 * 512 + (1 << 20))) 512
doctor --json two.img >doctor.json
is "two broken headers: both are planned" "$(commands doctor.json)" \
	"vmfskit capture two.img --store nowhere; vmfskit repair header --partition 1 two.img --store nowhere; vmfskit repair header --partition 2 two.img --store nowhere"

# --- nothing at the likely places -----------------------------------------------------------------------------------------
"$LAB" make --table gpt --vmfs 5 --start 777777 --size 900M far.img >/dev/null || exit 1
zero far.img 0 $((34 * 512))
zero far.img $(($(stat -c %s far.img) - 33 * 512)) $((33 * 512))
exits "a volume where nobody looks first: exit code" 1 doctor --json far.img
cp "$OUT" doctor.json
is "a volume where nobody looks first: told" "$(codes doctor.json)" nothing-found
has "a volume where nobody looks first: the answer" "$(headline doctor.json)" 'at the likely places$'
is "a volume where nobody looks first: next" "$(commands doctor.json)" "vmfskit find far.img --store nowhere"
exits "a volume where nobody looks first, scanned: exit code" 1 doctor --scan --json far.img
is "a volume where nobody looks first, scanned: found" "$(jq '.sources[0].volumes | length' "$OUT")" 1
truncate -s 100M blank.img
dd if=/dev/zero of=blank.img bs=1M count=2 conv=notrunc status=none
exits "zeros are nothing to warn of" 0 doctor blank.img

# --- disks that are partitions, too; names that look like options ---------------------------------------------------------
fresh
dd if=prod.img of=prod.img bs=512 skip=$((2048 + 2048)) seek=2048 count=1 conv=notrunc status=none
mkdir -p bin && ln -sf "$VMFSKIT" bin/vmfskit
exits "a disk and a partition at once: capture asks" 2 "$VMFSKIT" capture --store s prod.img
doctor --json prod.img >doctor.json
has "a disk and a partition at once: it is said which" "$(commands doctor.json)" '^vmfskit capture prod.img --store nowhere --as disk'
ok "a disk and a partition at once: the command runs" env PATH="$TMP/bin:$PATH" bash -c "$(jq -r '[.sources[0].next[].command | values][0]' doctor.json)"
rm -rf nowhere && mkdir -m 700 nowhere
copy_disk prod.orig ./-x.img
doctor --json -- -x.img >doctor.json
is "a name like an option" "$(commands doctor.json)" "vmfskit capture ./-x.img --store nowhere"

# --- the picture, the command line ------------------------------------------------------------------------------------------
echo kept >kept.svg
exits "a picture that exists is refused" 2 doctor --svg kept.svg prod.orig
is "a picture that exists is refused before the examination" "$(cat "$OUT")" ""
exits "-j" 0 doctor -j prod.orig
is "-j is --json" "$(jq -r .schema "$OUT")" vmfskit.doctor/1

# --- what to do next can be pasted, whatever the folder is called ----------------------------------------------------------
mkdir -m 700 "my store" "my conf"
"$VMFSKIT" capture --store "my store" prod.orig >/dev/null
run "$VMFSKIT" prune --store "my other store"
has "a store with blanks that is not there: what to do" "$ERR" "vmfskit capture --store 'my other store' DISK makes it"
run "$VMFSKIT" verify --store "my store" nosuch
has "a capture that is not there: what to do" "$ERR" "vmfskit list --store 'my store' shows"
echo "md5 = yes" >"my conf/v.conf"
chmod 666 "my conf/v.conf"
run "$VMFSKIT" capture --config "my conf/v.conf" --store "my store" prod.orig
has "a configuration that others can write: what to do" "$ERR" "chmod go-w 'my conf/v.conf'"

# what XML has no way to say: U+FFFF, a non-character, a lone surrogate, control characters
odd=$'\xef\xbf\xbf\xef\xb7\x90\xf0\x9f\xbf\xbe\xed\xa0\x80\x01<&"x.img'
copy_disk prod.orig "$odd"
exits "a path that is no XML: exit code" 0 doctor --svg odd.svg "$odd"
ok "a path that is no XML: the picture is well-formed" xmllint --noout odd.svg
has "a path that is no XML: it can be told" odd.svg '<title id="title">\\xef\\xbf\\xbf\\xef\\xb7\\x90\\xf0\\x9f\\xbf\\xbe\\xed\\xa0\\x80\\x01&lt;&amp;&quot;x\.img'
"$VMFSKIT" capture --store odd "$odd" >/dev/null
"$VMFSKIT" list --dfxml --store odd >odd.xml
ok "a path that is no XML: a listing is well-formed" xmllint --noout odd.xml
has "a path that is no XML: a listing tells it in the same way" odd.xml '\\xef\\xbf\\xbf\\xef\\xb7\\x90\\xf0\\x9f\\xbf\\xbe\\xed\\xa0\\x80\\x01&lt;&amp;&quot;x\.img'

# --- thousands of pieces: each that is bad is painted ----------------------------------------------------------------------
fresh
PES=$(doctor --json prod.img | jq '[.sources[0].ranges[] | select(.what | startswith("PE table 0")) | .offset_bytes][0]')
perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; my $bad = "\xff" x 8;
	for (my $i = 1; $i < 2048; $i += 2) { for my $at ($ARGV[1] + 512 * $i, 43008 * 512 + 512 * $i + 4) { sysseek($f, $at, 0); syswrite($f, $bad) } }' prod.img "$PES"
exits "many pieces: exit code" 1 doctor --json --svg many.svg prod.img
is "many pieces: more than can be shown one by one elsewhere" "$(jq '.sources[0].ranges | length > 4000' "$OUT")" true
is "many pieces: as wide as what is damaged" "$(sed -n 's/.* width="\([0-9]*\)" height="30" fill="#d73027".*/\1/p' many.svg | sort -n | head -n 1)" 6
has "many pieces: told as the one structure that they are in" many.svg '>damaged in sectors 5124 to 7170</text>'
ok "many pieces: a picture all the same" [ "$(wc -c <many.svg)" -lt 100000 ]

# --- an array in the wrong order: where the last displaced piece ends --------------------------------------------------------
fresh
perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; my $s = 131072;
	for (my $i = 0; $i < 64 << 20; $i += 2 * $s) { my ($x, $y); sysseek($f, $i, 0); sysread($f, $x, $s); sysread($f, $y, $s);
		sysseek($f, $i, 0); syswrite($f, $y . $x); }' prod.img
doctor --json prod.img >doctor.json
is "array: the end of the last piece" "$(jq '.sources[0].findings[] | select(.code == "incident.stripe-order") | .offset + .length' doctor.json)" \
	$((45056 * 512))
