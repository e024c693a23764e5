#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Partitions of a sound GPT that hold another system's data, with a VMFS volume inside as a copy: no plan drops them.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need jq sgdisk mkfs.ext4 perl
cd "$TMP" || exit 1

# the guard of readings, which refuses a disk of another system in use, is lifted: the plan itself must hold
repair() { "$VMFSKIT" repair table --no-captures --override reading "$@"; }
entries() { jq -r '[.table.entries[] | "\(.start_sector)+\(.sectors) \(.type_name)"] | join(", ")' "$OUT"; }
# disk SIZE: disk.img, a sound GPT with one Linux partition from sector 2048 on
disk() {
	rm -f disk.img
	truncate -s "$1" disk.img
	sgdisk -n 1:2048:0 -t 1:"$2" disk.img >/dev/null
}
# stays NAME START: the partition stays, whatever was found at START inside
stays() {
	ok "$1: planned" repair --scan --json disk.img
	is "$1: the partition stays" "$(entries)" "$held"
	is "$1: nothing is to be written" "$(jq -c '[(.edits | length), .guessed]' "$OUT")" '[0,false]'
	ok "$1: with --label gpt, too" repair --scan --label gpt --json disk.img
	is "$1: with --label gpt it stays" "$(entries)" "$held"
	exits "$1: not for a wish either" 3 repair --scan --include "$2" disk.img
	has "$1: which says why" "$ERR" "^vmfskit: the volume at sector $2 lies over partition 1, sectors 2048 to [0-9]+, of a sound table, which holds a whole $3"
	has "$1: and what to do" "$ERR" "^  it is a copy in a file there, or older; .* --exclude 2048 leaves its partition out"
	run repair --scan --include "$2" --exclude 2048 --json disk.img
	is "$1: the partition goes when a person names it" "$(entries)" "$(jq -r '[.table.entries[] | select(.type_name == "VMFS") | "\(.start_sector)+\(.sectors) VMFS"] | join(", ")' "$OUT")"
}

"$LAB" make --table gpt --vmfs 5 --vmfs-size 300M --size 310M lun.img >/dev/null || exit 1

# --- ext4 with a LUN as a file in it -------------------------------------------------------------------------
mkdir files
cp --sparse=never lun.img files/lun-flat.vmdk
disk 1G 8300
held="2048+$(sgdisk -i 1 disk.img | sed -n 's/^Partition size: \([0-9]*\) .*/\1/p') Linux"
mkfs.ext4 -F -q -d files -E offset=1048576 disk.img 1000000k || exit 1
exits "ext4, a thin file: decode" 0 "$VMFSKIT" decode disk.img
ok "ext4, a thin file: planned" repair --scan --json disk.img
is "ext4, a thin file: the partition stays" "$(entries)" "$held"
is "ext4, a thin file: nothing is to be written" "$(jq -c '[(.edits | length), .guessed]' "$OUT")" '[0,false]'
# one that lies in one piece, where all structures of the volume are in their places
dd if=lun.img of=disk.img bs=1M seek=520 conv=notrunc,sparse status=none
exits "ext4: decode" 0 "$VMFSKIT" decode disk.img
run "$VMFSKIT" find --json disk.img
is "ext4: the copy is found inside" "$(jq "[.candidates[].start_sector] | index(1067008) != null" "$OUT")" true
stays "ext4" 1067008 ext4

# --- a physical volume of LVM2 with the LUN in a logical one; it does not say how long it is -------------------
disk 1G 8e00
held=${held/Linux/Linux LVM}
perl -e '
	my $label = "LABELONE" . pack("Q<", 1) . pack("V", 0) . pack("V", 32) . "LVM2 001" .
		"ZIb4fL000000000000000000000000Nx" . pack("Q<", 1022 << 20);
	$label .= "\0" x (512 - length $label);
	my $crc = 0xf597a6cf;
	for my $byte (unpack "C*", substr($label, 20)) {
		$crc ^= $byte;
		$crc = $crc & 1 ? ($crc >> 1) ^ 0xedb88320 : $crc >> 1 for 1 .. 8;
	}
	substr($label, 16, 4) = pack("V", $crc);
	print $label' | dd of=disk.img bs=512 seek=2049 conv=notrunc status=none
dd if=lun.img of=disk.img bs=1M seek=2 conv=notrunc,sparse status=none
is "LVM2: made" "$(blkid -p -O 1048576 -o value -s TYPE disk.img)" LVM2_member
run "$VMFSKIT" find --json disk.img
start=$(jq -r '[.candidates[].start_sector] | min' "$OUT")
is "LVM2: the copy is found inside" "$start" 6144
stays "LVM2" "$start" LVM2_member

# --- the same volume where the table names nothing that holds anything: it is a volume that was lost -------------
disk 1G 8300
dd if=lun.img of=disk.img bs=1M seek=2 conv=notrunc,sparse status=none
run repair --scan --json disk.img
is "an empty Linux partition holds nothing: the volume is planned" "$(entries)" \
	"6144+$(jq -r '.table.entries[0].sectors' "$OUT") VMFS"
