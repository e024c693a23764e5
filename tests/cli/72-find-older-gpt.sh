#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The backup GPT of before on a disk that was grown and got a second volume: find names it with what it says, repair table
# takes a GUID from it where nothing else of a table is left, as a guess. The disk that was never grown stands beside it.
. "$(dirname "$0")/../lib.sh"
need jq
cd "$TMP" || exit 1

find_in() { "$VMFSKIT" find --no-store "$@"; }
table() { "$VMFSKIT" repair table --no-captures "$@"; }
old=41943040 new=83886080
"$LAB" make --size 20G --vmfs 6 --label ds1 before.img >/dev/null || exit 1
"$LAB" make --size 40G --volume "start=2048,size=$((old - 2081))s,version=6,label=ds1" \
	--volume start=41945088,version=6,label=ds2 grown.img >/dev/null || exit 1
cp --sparse=always grown.img healthy.img
dd if=before.img of=grown.img bs=512 skip=$((old - 33)) seek=$((old - 33)) count=33 conv=notrunc status=none
guid=$("$VMFSKIT" decode --json before.img | jq -r '.sources[0].table.partitions[0].guid')

says='[.older_gpts[]? | [.sector, .disk_sectors, .entries_fit, (.partitions[] | [.number, .start_sector, .sectors, .type])]]'
was='[[41943039,41943040,true,[1,2048,41940959,"VMFS"]]]'
ok "a grown disk" find_in --json grown.img
is "the older copy" "$(jq -c "$says" "$OUT")" "$was"
is "the table of now agrees all the same" "$(jq -c '[.agrees, [.candidates[].heard]]' "$OUT")" '[true,["entry 1 of the primary GPT","entry 2 of the primary GPT"]]'
ok "likely places only" find_in --likely --json grown.img
is "it is met there, too" "$(jq -c "$says" "$OUT")" "$was"
for image in before healthy; do
	ok "$image: find" find_in --json $image.img
	is "$image: nothing is said" "$(jq -c 'has("older_gpts")' "$OUT")" false
	ok "$image: text" find_in $image.img
	hasnt "$image: no word of it" "$OUT" 'older|Earlier'
done

# the disk of a virtual machine in the volume: the copy at its end names another place
cp --sparse=always healthy.img nested.img
dd if=before.img of=nested.img bs=512 skip=$((old - 33)) seek=20000000 count=33 conv=notrunc status=none
ok "a copy that names another place" find_in --json nested.img
is "it is none of this disk" "$(jq -c 'has("older_gpts")' "$OUT")" false

# the table of now is lost
for at in 0 $((new - 34)); do
	dd if=/dev/zero of=grown.img bs=512 seek="$at" count=34 conv=notrunc status=none
done
exits "the table is lost: find" 1 find_in grown.img
has "find: the older copy" "$OUT" "^  an older backup GPT at sector 41943039, whose checksums fit: the disk was 41943040 sectors long then\$"
has "find: what it names" "$OUT" '^    partition 1: sectors 2048 to 41943006, VMFS$'
has "find: it is a witness of the length" "$OUT" 'the header says it, and entry 1 of an older backup GPT'
exits "repair table" 3 table grown.img
has "repair table: whose number and name" "$OUT" 'number and name as in an older GPT at sector 41943039'
has "repair table: it is a guess" "$ERR" '^guard guess refuses: .*no checksum proves its GUID'
exits "repair table: JSON" 3 table --json grown.img
is "repair table: its GUID" "$(jq -r '[.. | .unique_guid? // empty | strings] | index("'"$guid"'") != null' "$OUT")" true

# its entries were written over
dd if=/dev/urandom of=grown.img bs=512 seek=$((old - 33)) count=1 conv=notrunc status=none
exits "the entries are gone" 1 find_in grown.img
has "only the header is believed" "$OUT" '^  an older backup GPT at sector 41943039, whose checksum fits, and whose entries were written over: the disk was 41943040 sectors'
hasnt "and no partition" "$OUT" '^    partition 1'
# and one bit of its header
printf '\001' | dd of=grown.img bs=1 seek=$(((old - 1) * 512 + 40)) conv=notrunc status=none
exits "the header is hurt" 1 find_in grown.img
hasnt "no checksum, no word" "$OUT" 'older'
