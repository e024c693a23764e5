#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The GPT doctor through repair table --write, judged by sgdisk and sfdisk: parts zeroed, flipped, of before a grow.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need jq sfdisk sgdisk perl
cd "$TMP" || exit 1

"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 300M --size 310M old.img >/dev/null || exit 1
sgdisk -n 7:620544:630783 -t 7:8300 -c 7:other old.img >/dev/null
# the tools write CHS bytes of their own into sector 0, which nothing could tell: those of the ESXi tools
printf '\x00\x01\x00\xee\xfe\xff\xff' | dd of=old.img bs=1 seek=447 conv=notrunc status=none
old_size=$(stat -c %s old.img)
# the same disk once it was grown and everything told
copy_disk old.img now.img
truncate -s 330M now.img
sgdisk -e -n 8:649216:661503 -t 8:8300 -c 8:later now.img >/dev/null
printf '\x00\x01\x00\xee\xfe\xff\xff' | dd of=now.img bs=1 seek=447 conv=notrunc status=none
size=$(stat -c %s now.img)
whole=$(disk_sum now.img)

# where PART SIZE: offset and length of a part on a disk of that size
where() {
	case $1 in
	mbr) echo 0 512 ;;
	primary-header) echo 512 512 ;;
	primary-array) echo 1024 16384 ;;
	backup-array) echo $(($2 - 33 * 512)) 16384 ;;
	backup-header) echo $(($2 - 512)) 512 ;;
	esac
}
# wound PART DAMAGE: of disk.img
wound() {
	local at length old
	read -r at length <<<"$(where "$1" "$size")"
	read -r old _ <<<"$(where "$1" "$old_size")"
	case $2 in
	zeroed) zero disk.img "$at" "$length" ;;
	flipped) # a bit of the type in sector 0, of the disk GUID, of the second array entry's start
		case $1 in mbr) at=$((at + 450)) ;; *header) at=$((at + 0x3A)) ;; *) at=$((at + 0x25)) ;; esac
		perl -e 'open(F, "+<", $ARGV[0]); sysseek(F, $ARGV[1], 0); sysread(F, $b, 1); sysseek(F, $ARGV[1], 0);
			syswrite(F, chr(ord($b) ^ 4));' disk.img "$at" ;;
	stale) dd if=old.img of=disk.img bs=512 iflag=skip_bytes,count_bytes oflag=seek_bytes skip="$old" seek="$at" \
		count="$length" conv=notrunc status=none ;;
	esac
}
# judges NAME IMAGE
judges() {
	ok "$1: sgdisk" sgdisk -v "$2"
	has "$1: sgdisk finds nothing" "$OUT" '^No problems found'
	hasnt "$1: nor warns" "$OUT" '[Cc]aution|[Ww]arning|[Pp]roblem:'
	ok "$1: sfdisk" sfdisk --verify "$2"
	is "$1: sfdisk says nothing of damage" "$(sfdisk --dump "$2" 2>&1 >/dev/null)" ""
}
# mend NAME: disk.img is repaired; with $override only when that guard is lifted
mend() {
	if [ -n "$override" ]; then
		exits "$1: refused" 3 "$VMFSKIT" repair table disk.img --no-captures --store st --write
		has "$1: by guard $override" "$ERR" "^guard $override refuses: sector 0: "
		is "$1: by no other" "$(grep -c ' refuses: ' "$ERR")" 1
	fi
	# shellcheck disable=SC2086 # an option, or none
	ok "$1: repaired" "$VMFSKIT" repair table disk.img --no-captures --store st --write ${override:+--override $override}
}
# heal NAME PART DAMAGE [PART DAMAGE]: every byte comes back
heal() {
	local name=$1 override=
	shift
	# of sector 0 there is no copy: its length, heads and sectors are only usual, unless one bit is flipped, or a copy of the GPT
	# still stands where the disk ended when it was written
	case " $* " in *" mbr zeroed "*) override=guess ;; esac
	copy_disk now.img disk.img
	while [ $# -gt 0 ]; do
		wound "$1" "$2"
		shift 2
	done
	rm -rf st
	mend "$name"
	is "$name: every byte" "$(disk_sum disk.img)" "$whole"
}

judges "before" now.img
for part in mbr primary-header primary-array backup-array backup-header; do
	for damage in zeroed flipped stale; do
		heal "$part $damage" $part $damage
	done
done
# of the pairs those that need more than the other copy
heal "an array of each damage" primary-array flipped backup-array zeroed
heal "both arrays flipped" primary-array flipped backup-array flipped
heal "both headers flipped" primary-header flipped backup-header flipped
heal "a flipped header is the only one" primary-header zeroed backup-header flipped
heal "the primary copy of before" primary-header stale primary-array stale
has "the primary copy of before: why" "$OUT" 'backup header is the newer one'
heal "header and array crosswise" primary-header stale backup-array stale
heal "header and array crosswise, zeroed" primary-header zeroed backup-array zeroed
heal "sector 0 and the primary header" mbr zeroed primary-header zeroed

# what cannot be known is said
copy_disk now.img disk.img
wound primary-header zeroed
wound backup-header zeroed
run "$VMFSKIT" repair table disk.img --no-captures
has "no header: the disk GUID" "$OUT" '^lost .*disk GUID is lost'
rm -rf st
run "$VMFSKIT" repair table disk.img --no-captures --store st --write --override guess
judges "no header" disk.img
is "no header: all entries" "$(sfdisk --dump disk.img | grep start=)" "$(sfdisk --dump now.img | sed 's/^now/disk/' | grep start=)"
copy_disk now.img disk.img
wound primary-array stale
wound backup-array zeroed
run "$VMFSKIT" repair table disk.img --no-captures
has "older entries: said" "$OUT" '^lost .*(entries as|checksum)'

# the LUN was grown and nobody told the table
copy_disk old.img disk.img
truncate -s 330M disk.img
run "$VMFSKIT" repair table disk.img --no-captures
has "grown: from what to what" "$OUT" 'the disk was grown from 634880 to 675840 sectors\.?$'
has "grown: the old backup stays" "$OUT" 'the old backup, in sectors 634847 to 634879, is left as it is\.?$'
rm -rf st
ok "grown: repaired" "$VMFSKIT" repair table disk.img --no-captures --store st --write
judges "grown" disk.img
is "grown: the entries are the same" "$(sfdisk --dump disk.img | grep start=)" "$(sfdisk --dump old.img | sed 's/^old/disk/' | grep start=)"
is "grown: and GUIDs" "$(sgdisk -p disk.img | grep GUID)" "$(sgdisk -p old.img | grep GUID)"
is "grown: the end is used" "$(sfdisk --dump disk.img | grep last-lba)" "last-lba: 675806"
undo=$(ls -d st/*-undo | sed 's,.*/,,')
ok "grown: undo" "$VMFSKIT" undo --store st "$undo" disk.img --write
copy_disk old.img back.img
truncate -s 330M back.img
is "grown: undone" "$(disk_sum disk.img)" "$(disk_sum back.img)"

# Windows initialised it: an MBR with a partition of its own in sector 0
copy_disk now.img disk.img
printf '\x80\x01\x01\x00\x07\xfe\xff\xff\x3f\x00\x00\x00\x00\x00\x09\x00' | dd of=disk.img bs=1 seek=446 conv=notrunc status=none
run "$VMFSKIT" repair table disk.img --no-captures --json
is "another table in sector 0" "$(jq -r '.table.kind, .table.parts[0].state' "$OUT" | tr '\n' ' ')" "gpt foreign "
rm -rf st
run "$VMFSKIT" repair table disk.img --no-captures --store st --write --override foreign-signature,table-kind,guess
is "another table in sector 0: GPT again" "$(sfdisk --dump disk.img 2>&1 | grep start=)" "$(sfdisk --dump now.img | sed 's/^now/disk/' | grep start=)"

# a backup of an earlier time, whole in itself, on a disk of which only the primary header is lost
"$LAB" make --volume start=2048,size=2G,version=6 --size 4G --seed 51 whole.img >/dev/null || exit 1
for backup in "another length:size=1G" "other GUIDs:size=2G"; do
	"$LAB" make --overwrite --volume "start=2048,${backup#*:},version=5" --size 4G --seed 50 old.img >/dev/null || exit 1
	name="a backup of before, ${backup%:*}"
	copy_disk whole.img disk.img
	tail -c $((33 * 512)) old.img | dd of=disk.img bs=512 seek=$((4 * 2097152 - 33)) conv=notrunc status=none
	zero disk.img 512 512
	before=$(disk_sum disk.img)
	exits "$name: not without being told" 3 "$VMFSKIT" repair table disk.img --no-captures --store st --write
	is "$name: nothing was written" "$(disk_sum disk.img)" "$before"
	has "$name: guard" "$ERR" "^guard guess refuses"
	hasnt "$name: nothing is called exact" "$OUT" "byte for byte|GPT [a-z]*: (sound|damaged)"
	run "$VMFSKIT" doctor disk.img --store st
	hasnt "$name: doctor calls neither damaged nor intact" "$OUT" "GPT entries: damaged|intact.*GPT"
	run "$VMFSKIT" repair table disk.img --no-captures --store st --json
	case $name in
	*length) is "$name: the volume's own entry is taken" "$(jq -c '.table.entries[0].sectors' "$OUT")" 4194304 ;;
	esac
done
rm -f whole.img old.img

# 4096-byte sectors, judged where they are sectors
"$LAB" make --table gpt --vmfs 6 --sector-size 4096 --start 256 --vmfs-size 300M whole.img >/dev/null || exit 1
size=$(stat -c %s whole.img)
for what in "0 4096" "4096 4096" "8192 16384" "$((size - 5 * 4096)) 16384" "$((size - 4096)) 4096" "0 24576"; do
	copy_disk whole.img disk.img
	# shellcheck disable=SC2086
	zero disk.img $what
	rm -rf st
	override=
	case $what in "0 "*) override=guess ;; esac
	mend "4096, zeroed $what"
	is "4096, zeroed $what: every byte" "$(disk_sum disk.img)" "$(disk_sum whole.img)"
done
# an image without any table does not tell its sectors: that is said
zero disk.img 0 24576
zero disk.img $((size - 5 * 4096)) 20480
run "$VMFSKIT" repair table disk.img --no-captures
has "4096, all zeroed: the doubt is told, as a guess" "$OUT" '^guess .*made on blocks of 4096 bytes: .*--sector-size 4096'
run "$VMFSKIT" repair table disk.img --no-captures --sector-size 4096
hasnt "4096, all zeroed: no doubt when it is said" "$OUT" 'made on blocks of 4096 bytes'
copy_disk whole.img disk.img
need_root "4096 through a loop device"
if loop=$(loop_attach disk.img --sector-size 4096); then
	ok "4096: sgdisk" sgdisk -v "$loop"
	has "4096: sgdisk finds nothing" "$OUT" '^No problems found'
	ok "4096: sfdisk" sfdisk --verify "$loop"
else
	skip "4096 through a loop device" "no loop device with such sectors"
fi
