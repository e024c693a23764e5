#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What repair header takes for evidence: no guessed length, nothing that repair made itself.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
need jq
cd "$TMP" || exit 1

START=2048
BASE=$((START * 512))

# table and LVM region gone, the descriptor there: with and without --start it is the same volume of unknown length
"$LAB" make --table gpt --vmfs 5 --start $START --vmfs-size 700M --label drill disk.img >/dev/null || exit 1
size=$(stat -c %s disk.img)
zero disk.img 0 $((34 * 512))
zero disk.img $((size - 33 * 512)) $((33 * 512))
zero disk.img $((BASE + 0x100000)) $((0x1000000))
plan() { "$VMFSKIT" repair header disk.img --store none --no-captures --override guess --json "$@" | jq -c '[.refused, .lost, [.header.fields[] | [.field, .is, .origin]]]'; }
plan --start $START >by-start
has "table and LVM region gone: by its start" by-start totalBytes
for how in "" --scan --likely; do
	# shellcheck disable=SC2086
	plan $how >by-search
	same "table and LVM region gone: found $how" by-start by-search
done
has "table and LVM region gone: its end is a guess" by-search '\["totalBytes","[^"]*","usual"\]'

# what repair made is no evidence of where volumes begin
exits "repaired" 1 "$VMFSKIT" repair header disk.img --start $START --store st --no-captures --override guess --write
is "the store has what was rebuilt" "$("$VMFSKIT" list --store st --json | jq -r '[.captures[].purpose] | sort | join(" ")')" "rebuilt undo"
run "$VMFSKIT" find --likely --store st --json disk.img
hasnt "a rebuilt capture names no place" "$OUT" '"capture '

# an extended partition holds no volume: what lies in it are logical ones, whose headers are not to be made anew over them
"$LAB" make --table mbr --volume start=2048,size=300M --volume size=300M,version=5,logical --volume size=300M,version=5,logical \
	--size 2G mbr.img >/dev/null || exit 1
number=$("$VMFSKIT" decode mbr.img --json | jq -r '[.sources[0].table.partitions[] | select(.type == "05" or .type == "0f")][0].number')
start=$("$VMFSKIT" decode mbr.img --json | jq -r ".sources[0].table.partitions[] | select(.number == $number).start_sector")
for how in "--partition $number" "--start $start"; do
	# shellcheck disable=SC2086
	exits "the extended partition by $how is refused" 2 "$VMFSKIT" repair header mbr.img $how --store none --no-captures
	has "by $how: the logical ones are named" "$ERR" 'extended partition.*logical partitions: 5, 6'
done
second=$("$VMFSKIT" decode mbr.img --json | jq -r '.sources[0].table.partitions[] | select(.number == 6).start_sector')
ebr=$(perl -e 'open F, "mbr.img"; seek F, $ARGV[0] * 512 + 446 + 16 + 8, 0; read F, $b, 4; print $ARGV[0] + unpack("V", $b)' "$start")
ok "the second boot record lies before its partition" test "$ebr" -gt "$start" -a "$ebr" -lt "$second"
exits "a boot record of the chain is no start" 2 "$VMFSKIT" repair header mbr.img --start "$ebr" --store none --no-captures
has "it is named" "$ERR" 'extended boot record'

# names of members that are not those of the disk id, or are gone
names() { sed -n 's/^  SD table: //p' "$OUT"; }
"$LAB" make --table gpt --vmfs 6 --start 2048 --size 320M named.img >/dev/null
at=$((2048 * 512 + 0x17f000))
copy_disk named.img disk.img
printf 'naa.60000000000000000000000000000001:1' | dd of=disk.img bs=1 seek=$at conv=notrunc status=none
exits "another LUN's name" 1 "$VMFSKIT" repair header disk.img --no-captures --store st
is "another LUN's name: told" "$(names)" "lost: it names another LUN than the disk id of the header: left as it is, for which is right is not known"
dd if=/dev/zero of=disk.img bs=1 seek=$at count=256 conv=notrunc status=none
exits "no name" 0 "$VMFSKIT" repair header disk.img --no-captures --store st
is "no name: told" "$(names)" "consistent: it holds no name; no reader needs one"

# the disk is opened for the work, by libblkid and once more for the plan; its table is not read again for every question
if command -v strace >/dev/null; then
	zero named.img $((BASE + 0x100000)) $((0x1000000))
	STRACE_OPTIONS="-y -e trace=openat,pread64" traced trace "$VMFSKIT" repair header named.img --partition 1 --no-captures \
		--store st >"$OUT" 2>&1
	is "opened three times at most" "$(grep -c 'openat.*named\.img"' trace | tr 1-3 +)" +
	is "the first sectors of its GPT are read eight times at most" \
		"$(grep -cE 'pread64.*named\.img.*, (512|1024)\) = ' trace | tr 1-8 +)" +
else
	skip "how often the disk is read" "there is no strace"
fi
