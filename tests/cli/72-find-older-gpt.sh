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
"$LAB" make --size 20G --vmfs 6 --seed 5 --label ds1 before.img >/dev/null || exit 1
"$LAB" make --size 40G --volume "start=2048,size=$((old - 2081))s,version=6,label=ds1" \
	--volume start=41945088,version=6,label=ds2 grown.img >/dev/null || exit 1
cp --sparse=always grown.img healthy.img
dd if=before.img of=grown.img bs=512 skip=$((old - 33)) seek=$((old - 33)) count=33 conv=notrunc status=none
guid=$("$VMFSKIT" decode --json before.img | jq -r '.sources[0].table.partitions[0].guid')
disk_guid() { # IMAGE [SECTOR-SIZE]: of its primary GPT
	dd if="$1" bs=1 skip=$((${2:-512} + 56)) count=16 status=none |
		perl -e 'read(STDIN, $_, 16); printf "%08X-%04X-%04X-%s-%s\n", map { /[a-f]/ ? uc : $_ } unpack("VvvH4H12")'
}
was_disk=$(disk_guid before.img)

says='[.older_gpts[]? | [.sector, .disk_sectors, .entries_fit, (.partitions[] | [.number, .start_sector, .sectors, .type])]]'
was='[[41943039,41943040,true,[1,2048,41940959,"VMFS"]]]'
ok "a grown disk" find_in --json grown.img
is "the older copy" "$(jq -c "$says" "$OUT")" "$was"
is "the GUID that the disk had then" "$(jq -r '.older_gpts[0].disk_guid' "$OUT")" "$was_disk"
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
has "find: the GUID of the disk" "$OUT" "^    disk GUID $was_disk\$"
has "find: what it names" "$OUT" '^    partition 1: sectors 2048 to 41943006, VMFS$'
has "find: it is a witness of the length" "$OUT" 'from the header, and entry 1 of an older backup GPT'
exits "repair table" 3 table grown.img
has "repair table: whose number and name" "$OUT" 'number and name as in an older GPT at sector 41943039'
has "repair table: it is a guess" "$ERR" '^guard guess refuses: .*no checksum proves its GUID'
exits "repair table: JSON" 3 table --json grown.img
is "repair table: its GUID" "$(jq -r '[.. | .unique_guid? // empty | strings] | index("'"$guid"'") != null' "$OUT")" true

is "repair table: the GUID of the disk" "$(jq -c '[.. | objects | select(has("disk_guid_fresh")) | [.disk_guid, .disk_guid_fresh]] | unique' "$OUT")" \
	"[[\"$was_disk\",false]]"
exits "repair table: text" 3 table grown.img
has "repair table: what of it is proved, and what is not" "$OUT" "^guess +the GUID of the disk is that of the older GPT at byte $(((old - 1) * 512)): its checksum proves that the disk had it when it was $((old * 512)) bytes long, not that no table was made anew since\.\$"

# another system's MBR stands where the table was; one that names a volume is a table of its own
mbr() { # IMAGE TYPE SECTORS
	perl -e 'print pack("C4 C4 V V", 0, 0x20, 0x21, 0, hex($ARGV[0]), 0xfe, 0xff, 0xff, 2048, $ARGV[1])' "$2" "$3" |
		dd of="$1" bs=1 seek=446 conv=notrunc status=none
	printf '\125\252' | dd of="$1" bs=1 seek=510 conv=notrunc status=none
}
cp --sparse=always grown.img windows.img
mbr windows.img 07 83881984
exits "Windows wrote an MBR" 3 table --json windows.img
is "Windows wrote an MBR: the GUIDs of disk and partition" "$(jq -c '[.. | objects | select(has("disk_guid_fresh")) | .disk_guid] | unique' "$OUT") $(jq -r '[.. | .unique_guid? // empty | strings] | index("'"$guid"'") != null' "$OUT")" \
	"[\"$was_disk\"] true"
cp --sparse=always grown.img named.img
mbr named.img fb 41940959
run table --json named.img
is "an MBR that names the volume: nothing of it" "$(jq -r '[.. | strings | select(. == "'"$was_disk"'" or . == "'"$guid"'")] | length' "$OUT")" 0

# two older tables that differ say nothing of the disk's GUID
cp --sparse=always grown.img differ.img
"$LAB" make --size 30G --vmfs 6 --seed 7 --label ds1 other.img >/dev/null || exit 1
dd if=other.img of=differ.img bs=512 skip=$((62914560 - 33)) seek=$((62914560 - 33)) count=33 conv=notrunc status=none
exits "two older tables" 3 table --scan --json differ.img
is "two older tables: the GUID is new" "$(jq -c '[.. | objects | select(has("disk_guid_fresh")) | .disk_guid_fresh] | unique' "$OUT")" '[true]'

# written, the disk has its own GUID again
cp --sparse=always grown.img written.img
ok "as the plan says" table --store undo --override guess --write written.img
is "the disk has its own GUID again" "$(disk_guid written.img)" "$was_disk"

# sectors of 4096 bytes
"$LAB" make --size 20G --sector-size 4096 --vmfs 6 --seed 5 --label ds1 before4.img >/dev/null || exit 1
"$LAB" make --size 40G --sector-size 4096 --volume start=256,size=41940952s,version=6,label=ds1 \
	--volume start=5243136,version=6,label=ds2 grown4.img >/dev/null || exit 1
cp --sparse=always grown4.img healthy4.img
dd if=before4.img of=grown4.img bs=4096 skip=5242875 seek=5242875 count=5 conv=notrunc status=none
ok "4096: never grown" find_in --json healthy4.img
is "4096: nothing is said" "$(jq -c 'has("older_gpts")' "$OUT")" false
ok "4096: a grown disk" find_in --json grown4.img
is "4096: the older copy" "$(jq -c '[.older_gpts[0] | .sector, .sector_size, .disk_sectors, .entries_fit, .disk_guid]' "$OUT")" "[5242879,4096,5242880,true,\"$(disk_guid before4.img 4096)\"]"
dd if=/dev/zero of=grown4.img bs=4096 count=6 conv=notrunc status=none
dd if=/dev/zero of=grown4.img bs=4096 seek=10485754 count=6 conv=notrunc status=none
exits "4096: planned in 512" 3 table grown4.img
has "4096: what speaks against it" "$OUT" '^guess +the table is planned in sectors of 512 bytes\. The older GPT at byte 21474832384 counts in sectors of 4096 bytes'
exits "4096: the table is lost" 3 table --sector-size 4096 --json grown4.img
is "4096: its GUIDs" "$(jq -c '[.. | objects | select(has("disk_guid_fresh")) | .disk_guid] | unique' "$OUT") $(jq -r '[.. | .unique_guid? // empty | strings] | index("'"$("$VMFSKIT" decode --json before4.img | jq -r '.sources[0].table.partitions[0].guid')"'") != null' "$OUT")" \
	"[\"$(disk_guid before4.img 4096)\"] true"

# its entries were written over
dd if=/dev/urandom of=grown.img bs=512 seek=$((old - 33)) count=1 conv=notrunc status=none
exits "the entries are gone" 1 find_in grown.img
has "only the header is believed" "$OUT" '^  an older backup GPT at sector 41943039, whose checksum fits, and whose entries were overwritten: the disk was 41943040 sectors'
hasnt "and no partition" "$OUT" '^    partition 1'
# and one bit of its header
printf '\001' | dd of=grown.img bs=1 seek=$(((old - 1) * 512 + 40)) conv=notrunc status=none
exits "the header is hurt" 1 find_in grown.img
hasnt "no checksum, no word" "$OUT" 'older'
