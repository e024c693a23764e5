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
has "a label that does not fit: cut in front of it" "$(headline "$OUT")" 'label "aaa; it concerns'
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
	has "headers are in order" "$(headline doctor.json)" 'own headers are in order'
	VMFSKIT_TEST_BAD=2097152+4096 "$HOOKS" doctor --heartbeat-wait 0 --store nowhere --json prod.img >doctor.json
	hasnt "a header that cannot be read is not in order" "$(headline doctor.json)" 'in order'
fi

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

# --- thousands of pieces: each that is bad is painted ----------------------------------------------------------------------
fresh
PES=$(doctor --json prod.img | jq '[.sources[0].ranges[] | select(.what | startswith("PE table 0")) | .offset_bytes][0]')
perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; my $bad = "\xff" x 8;
	for (my $i = 1; $i < 2048; $i += 2) { for my $at ($ARGV[1] + 512 * $i, 43008 * 512 + 512 * $i + 4) { sysseek($f, $at, 0); syswrite($f, $bad) } }' prod.img "$PES"
exits "many pieces: exit code" 1 doctor --json --svg many.svg prod.img
is "many pieces: more than can be shown one by one elsewhere" "$(jq '.sources[0].ranges | length > 4000' "$OUT")" true
is "many pieces: all that are damaged, on the disk and enlarged, and the legend" "$(grep -c 'fill="#d73027"' many.svg)" \
	"$(jq '[.sources[0].ranges[] | select(.damage == "damaged")] | length * 2 + 1' "$OUT")"

# --- an array in the wrong order: where the last displaced piece ends --------------------------------------------------------
fresh
perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; my $s = 131072;
	for (my $i = 0; $i < 64 << 20; $i += 2 * $s) { my ($x, $y); sysseek($f, $i, 0); sysread($f, $x, $s); sysread($f, $y, $s);
		sysseek($f, $i, 0); syswrite($f, $y . $x); }' prod.img
doctor --json prod.img >doctor.json
is "array: the end of the last piece" "$(jq '.sources[0].findings[] | select(.code == "incident.stripe-order") | .offset + .length' doctor.json)" \
	$((45056 * 512))
