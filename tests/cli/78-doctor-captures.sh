#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# doctor and the captures that it does not use: why not, and what comes next.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
need jq
PATH=$PATH:/usr/sbin:/sbin
cd "$TMP" || exit 1

doctor() { "$VMFSKIT" doctor --heartbeat-wait 0 "$@"; }
# why STORE DISK: which one is not used, and why
why() { "$VMFSKIT" doctor --json --heartbeat-wait 0 --store "$1" "$2" | jq -r '.sources[] | "\(.passed_over) \(.passed_over_why)"'; }
fresh() { rm -rf "$1" && mkdir -m 700 "$1"; }

make_disk() { "$LAB" make --table gpt --vmfs 6 --start 2048 --size 2G "$@" >/dev/null; }
make_disk --label one --naa naa.60000000000000000000000000000001 one.img || exit 1
make_disk --label two --naa naa.60000000000000000000000000000002 two.img || exit 1
copy_disk one.img hurt.img
"$LAB" break --how header hurt.img >/dev/null

fresh store
is "an empty store" "$(why store hurt.img)" "null the store is empty"
"$VMFSKIT" capture --store store two.img >/dev/null
run doctor --store store one.img
has "another disk's: in words" "$OUT" '^  the store holds 1 capture: it is of another disk$'

# of the damaged disk itself: it is saved once, not asked for again
fresh store
run doctor --store store hurt.img
has "nothing saved: it is asked for" "$OUT" '^  1\. vmfskit capture hurt.img --store store$'
"$VMFSKIT" capture --store store hurt.img >/dev/null
run doctor --store store hurt.img
has "saved as it is: said" "$OUT" '^  not used: [^ ]*-hurt.img: it holds the disk as it is now, already damaged$'
hasnt "saved as it is: not asked for again" "$OUT" '^  [0-9]\. vmfskit capture'
has "saved as it is: the repair comes next" "$OUT" '^  1\. vmfskit repair header hurt.img'
printf x | dd of=hurt.img bs=1 seek=$((2048 * 512 + 0x101000 + 3000)) conv=notrunc status=none
run doctor --store store hurt.img
has "changed since: said" "$OUT" '^  not used: [^ ]*-hurt.img: the disk was already damaged'
has "changed since: it is asked for" "$OUT" '^  1\. vmfskit capture hurt.img'

# what was imported of it may be less than what a capture saves
fresh store
"$VMFSKIT" import --store store hurt.img >/dev/null 2>&1
is "imported: it is in the store" "$(captures store | wc -l)" 1
run doctor --store store hurt.img
has "imported: a capture is asked for" "$OUT" '^  1\. vmfskit capture hurt.img'

# one whose bytes are not what was saved
fresh store
"$VMFSKIT" capture --store store one.img >/dev/null
id=$(captures store)
chmod u+w "store/$id" "store/$id"/*.raw
printf junk | dd of="store/$id/p1-lvm.raw" bs=1 seek=100 conv=notrunc status=none
has "a damaged one" "$(why store one.img)" "^$id it is damaged: p1-lvm.raw "

# a copy that lost its start: only a person knows of which LUN it is
fresh store
"$VMFSKIT" capture --store store one.img >/dev/null
id=$(captures store)
copy_disk one.img copy.img
"$LAB" break --how table copy.img >/dev/null
"$LAB" break --how start --start 2048 copy.img >/dev/null
run doctor --store store copy.img
has "a copy without start: said" "$OUT" '^  the store holds 1 capture: it cannot be matched to this disk$'
has "a copy without start: the LUN is named" "$OUT" '^  1\. vmfskit doctor --live-id naa\.60000000000000000000000000000001 copy\.img --store store$'
run bash -c "$(sed -n 's/^  1\. vmfskit/"$VMFSKIT"/p' "$OUT")"
has "a copy without start: as printed" "$OUT" "^  1\. vmfskit restore $id copy.img --store store\$"
run doctor --store store --live-id vml.020000000060000000000000000000000000000001505241435449 copy.img
has "a copy without start: by the vml. name of the LUN" "$OUT" "^  1\. vmfskit restore $id copy.img --store store\$"
for what in "table copy.img" "header copy.img --start 2048"; do
	run "$VMFSKIT" repair $what --store store
	is "repair $what: refused" "$CODE" 3
	has "repair $what: the capture is named" "$OUT" "^  vmfskit repair $what --store store --capture $id\$"
	run bash -c "$(sed -n '/--capture/s/^  vmfskit/"$VMFSKIT"/p' "$OUT")"
	has "repair $what: as printed" "$OUT" "^asked    $id, taken "
	hasnt "repair $what: it is not named again" "$OUT" '^a capture may be of this disk'
done
run "$VMFSKIT" repair header copy.img --start 2048 --no-captures
is "neighbouring ranges of one kind are one line" "$(grep -c ': heartbeat region' "$OUT")" 1
has "and their number and place" "$OUT" '^  bytes [0-9]+ to [0-9]+ \(sectors 43008 to 45048\), 256 ranges of [0-9]+ bytes together: heartbeat region'
run "$VMFSKIT" repair header copy.img --start 2048 --no-captures --verbose
is "--verbose shows each" "$(grep -c ' bytes: heartbeat region' "$OUT")" 256
copy_disk one.img table.img
"$LAB" break --how table table.img >/dev/null
run "$VMFSKIT" repair table table.img --no-captures --override guess
has "the commands of other tools are shown" "$OUT" '^# on the ESXi host'
has "the command that writes stands last" "$(tail -n 1 "$OUT")" '^  vmfskit repair table table\.img .* --write$'

"$VMFSKIT" capture --store store two.img >/dev/null
run doctor --store store copy.img
has "two LUNs of one length: neither is preferred" "$OUT" '^  1\. vmfskit doctor --live-id NAME copy\.img'
run doctor --store store hurt.img
hasnt "a disk that still says who it is: not asked for its name" "$OUT" 'live-id'

# the boot record that protects a GPT is the same under another system's GPT
if command -v sfdisk >/dev/null; then
	copy_disk one.img windows.img
	printf 'label: gpt\nstart=2048, size=300000, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n' |
		sfdisk -q --no-tell-kernel --wipe never windows.img >/dev/null 2>&1
	run dd if=one.img of=windows.img bs=512 count=1 conv=notrunc status=none
	fresh store
	run doctor --store store windows.img
	has "another system's GPT: its headers are" "$OUT" '^  primary GPT header: overwritten by another system'
	hasnt "another system's GPT: the boot record that did not change is not" "$OUT" '^  protective MBR: overwritten'
fi
exit 0
