#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# vmfskit diff: one cause is one line, what changes by itself is apart, what no field explains is told.
. "$(dirname "$0")/../lib.sh"
need sfdisk sgdisk
PATH=$PATH:/usr/sbin:/sbin
cd "$TMP" || exit 1

naa=naa.600144f07ed404000000496ff8cd0003
make() { "$LAB" make --overwrite --naa $naa --lun 3 --label drill "$@" >/dev/null; }
make --table gpt --vmfs 5 --size 1200M --live 2 gpt.img
make --table mbr --vmfs 3 --start 128 --size 1200M --model SUN:COMSTAR:1.0 mbr.img

fresh() { cp --sparse=always "$1.img" new.img; }
# at OFFSET HEX: put these bytes into new.img
poke() {
	local text
	text=$(sed 's/../\\x&/g' <<<"$2")
	printf '%b' "$text" | dd of=new.img bs=1 seek=$(($1)) conv=notrunc status=none
}
# NAME EXPECTED-CODE EXPECTED-MESSAGES [BEFORE [AFTER]]: all of what matters, line by line; then the volatile ones behind |
told() {
	local name=$1 code=$2 expected=$3 before=${4:-gpt.img} after=${5:-new.img}
	exits "$name" "$code" "$VMFSKIT" diff --json "$before" "$after"
	is "$name: told" "$(jq -r '([.changes[] | select(.volatile | not).message] | join("; ")) +
		([.changes[] | select(.volatile).message] | if length > 0 then " | " + join("; ") else "" end)' "$OUT")" "$expected"
	exits "$name, for people" "$code" "$VMFSKIT" diff "$before" "$after"
	while read -r line; do
		[ -z "$line" ] || { grep -qF "  $line" "$OUT" || fail "$name: shown: $line"; }
	done < <(sed 's/; /\n/g; s/ *| */\n/' <<<"$expected")
}

# nothing, and what ticks
fresh gpt
told "the same" 0 ""
has "the same: said" "$OUT" 'compared: the same$'
has "both are named, with size and time" "$OUT" '^before  disk gpt\.img, read 20..-..-..T..:..:..Z, 1\.17 GiB'
"$LAB" beat new.img >/dev/null
told "heartbeats ticked" 0 " | partition 1: heartbeats: 2 slots changed"
has "bytes that changed by themselves" "$OUT" '^  partition 1 heartbeats .* volatile$'
has "said" "$OUT" 'compared: the same, apart from what hosts change all the time$'

# partition 1 starts at 0x100000 on the GPT disk
lvm=0x200000 volume=0x200200 fs=$((0x100000 + 0x1300000))
field() { fresh gpt; poke "$2" "$3"; told "$1" "${5:-1}" "$4"; }
field "LUN" $((lvm + 0x0e)) 04 "partition 1: LUN 3 -> 4"
field "NAA" $((lvm + 0x2e + 15)) 04 "partition 1: disk id $naa -> ${naa%3}4"
field "label" $((fs + 0x1d)) 44 'partition 1: label "drill" -> "Drill"'
field "generation" $((lvm + 0x72)) 77 " | partition 1: LVM device header: generation 3 -> 119" 0
field "lock holder and its time" $((lvm + 0xa2)) 0102030405060708090a0b0c0d0e0f10aabbccddeeff0500 \
	" | partition 1: LVM device header: lockedBy none -> 04030201-08070605-0a09-0b0c0d0e0f10; partition 1: LVM device header: lockedWhenUS never (0) -> $(date -u -d @$((0x5ffeeddccbbaa / 1000000)) +%FT%T).$(printf %06d $((0x5ffeeddccbbaa % 1000000)))Z" 0
field "a state of resignature" $((volume + 0x10)) 02 "partition 1: volume state 1 (LVM_NORMAL) -> 2 (LVM_RESIG_PENDING)"
field "snapID" $((volume + 0x64)) 02 "partition 1: volume snapID 1 -> 2"
field "a byte that no field explains" $((lvm + 0x1f0)) ff \
	"partition 1: LVM region: 1 byte from 0x2001f0 on differs that no field explains (00 -> ff)"
has "its place, in three ways" "$OUT" '1 byte  at 2097648 \(0x2001f0, sector 4096\)'
field "a byte of the extents' places" $((0x100000 + 0x180600)) 00 "partition 1: PE table: extents 4 -> 3"
field "a byte in front of the partition" 0x8000 ff \
	"partition table: 1 byte from 0x8000 on differs that no field explains (00 -> ff)"
fresh gpt
poke $((fs + 0x09)) 00000000
exits "datastore UUID" 1 "$VMFSKIT" diff gpt.img new.img
has "datastore UUID: one line" "$(grep -c '^  partition 1: ' "$OUT")" '^1$'
has "datastore UUID: before and after" "$OUT" '^  partition 1: datastore UUID [0-9a-f-]{35} -> 00000000-'
fresh gpt
dd if=/dev/zero of=new.img bs=512 seek=$((lvm / 512)) count=1 conv=notrunc status=none
told "header wiped" 1 "partition 1: LVM device header: present -> zeros"
told "header back" 1 "partition 1: LVM device header: zeros -> present" new.img gpt.img
fresh gpt
dd if=/dev/zero of=new.img bs=512 seek=$(((fs + 0x100000) / 512)) count=16 conv=notrunc status=none
told "a piece of the heartbeats wiped" 1 "partition 1: heartbeats: damaged slots 0 -> 16"

# the table, changed as an administrator would
end=$(sgdisk -i 1 gpt.img | awk '/^Last sector/ { print $3 }')
guid=$(sgdisk -i 1 gpt.img | awk '/unique GUID/ { print $4 }')
fresh gpt
sgdisk -d 1 -n 1:2048:$((end - 8)) -a 1 -t 1:AA31E02A-400F-11DB-9590-000C2911D1B8 -u "1:$guid" new.img >/dev/null 2>&1
told "GPT: partition end" 1 "partition 1: end sector $end -> $((end - 8))"
fresh gpt
sgdisk -c 1:datastore1 new.img >/dev/null 2>&1
told "GPT: name" 1 'partition 1: name "" -> "datastore1"'
fresh gpt
sgdisk -A 1:set:0 new.img >/dev/null 2>&1
told "GPT: attributes" 1 'partition 1: attributes 0x0 -> 0x1'
fresh gpt
sgdisk -u 1:01234567-89AB-CDEF-0123-456789ABCDEF new.img >/dev/null 2>&1
told "GPT: partition GUID" 1 "partition 1: partition GUID $guid -> 01234567-89AB-CDEF-0123-456789ABCDEF"
fresh gpt
sgdisk -U 01234567-89AB-CDEF-0123-456789ABCDEF new.img >/dev/null 2>&1
exits "GPT: disk GUID" 1 "$VMFSKIT" diff --json gpt.img new.img
is "GPT: disk GUID: one line" "$(jq -r '[.changes[].field] | join(" ")' "$OUT")" "disk GUID"
fresh gpt
sgdisk -t 1:8300 new.img >/dev/null 2>&1
told "GPT: type" 1 "partition 1: type AA31E02A-400F-11DB-9590-000C2911D1B8 (VMFS) -> 0FC63DAF-8483-4772-8E79-3D69D8477DE4 (Linux)"
fresh gpt
dd if=/dev/zero of=new.img bs=512 seek=$((1200 * 2048 - 1)) count=1 conv=notrunc status=none
told "GPT: the backup's header gone" 1 "partition table: backup GPT sound -> missing"
fresh gpt
poke 1064 00
told "GPT: a byte of the primary copy" 1 "partition table: primary GPT sound -> damaged"
fresh gpt
truncate -s 1300M new.img
sgdisk -e new.img >/dev/null 2>&1
told "disk grown, backup moved to its end" 1 "disk: size 1.17 GiB (1258291200 bytes) -> 1.27 GiB (1363148800 bytes)"
fresh gpt
sgdisk -Z new.img >/dev/null 2>&1
told "table wiped" 1 "partition table: kind gpt (1 partition) -> none"
fresh gpt
dd if=/dev/zero of=new.img bs=1M count=1 conv=notrunc status=none
told "only the first MiB wiped" 1 "partition table: sector 0 boot record -> zeros; partition table: primary GPT sound -> missing"

fresh mbr
sfdisk -d mbr.img 2>/dev/null | sed 's/size= *[0-9]*/size=2400000/' | sfdisk -q --no-reread new.img >/dev/null 2>&1
told "MBR: partition end" 1 "partition 1: end sector 2457599 -> 2400127" mbr.img
fresh mbr
sfdisk -q -A new.img 1 >/dev/null 2>&1
told "MBR: boot flag" 1 "partition 1: boot flag 0x0 -> 0x80" mbr.img
fresh mbr
sfdisk -q --disk-id new.img 0x12345678 >/dev/null 2>&1
exits "MBR: disk signature" 1 "$VMFSKIT" diff mbr.img new.img
has "MBR: disk signature: told" "$OUT" '^  partition table: disk signature 0x[0-9a-f]+ -> 0x12345678$'
fresh mbr
poke 0x20 90
told "MBR: boot code" 1 "partition table: boot code byte 32: 00 -> byte 32: 90" mbr.img
fresh mbr
poke 0x1fe 0000
told "MBR: signature" 1 "partition table: boot signature 0xaa55 -> 0x0" mbr.img
fresh mbr
dd if=/dev/zero of=new.img bs=512 count=1 conv=notrunc status=none
told "MBR wiped" 1 "partition table: kind mbr (1 partition) -> none" mbr.img
fresh mbr
poke $((0x1be + 8)) 3f000000
told "MBR: start, the data stays" 1 "partition 1: start sector 128 -> 63, length unchanged" mbr.img
fresh mbr
poke $((65536 + 0x100000 + 0x12)) 434f4d5053
told "vendor" 1 'partition 1: vendor and model "SUN COMSTAR 1.0" -> "COMPS COMSTAR 1.0"' mbr.img
"$LAB" make --overwrite --table mbr --volume start=63,size=400M,version=3 --volume size=400M,version=3,logical two.img >/dev/null
cp --sparse=always two.img new.img
sfdisk -q --no-reread --delete new.img 5 >/dev/null 2>&1
exits "a logical partition removed" 1 "$VMFSKIT" diff --json two.img new.img
is "a logical partition removed: one line" "$(jq -r '[.changes[].message] | map(sub(" \\(.*"; "")) | join("; ")' "$OUT")" \
	"partition 5: removed from the table"

# a volume that was grown: partition, volume, last extent
make --table gpt --vmfs 5 --start 2048 --vmfs-size 1200M --size 2G small.img
make --table gpt --vmfs 5 --start 2048 --vmfs-size 1700M --size 2G large.img
exits "a volume grown" 1 "$VMFSKIT" diff --json small.img large.img
is "a volume grown: what is told" "$(jq -r '[.changes[] | select(.volatile | not).field] | join("; ")' "$OUT")" "end sector; last extent"

# sectors of 4096 bytes, also where the table that said so is gone; a partition alone; other disks
make --table gpt --vmfs 6 --size 1200M --sector-size 4096 4kn.img
cp --sparse=always 4kn.img new.img
poke $((0x100000 + 0x100000 + 0x0e)) 04
told "4Kn" 1 "partition 1: LUN 3 -> 4" 4kn.img
has "4Kn: sector" "$OUT" 'at 2097166 \(0x20000e, sector 512\)'
cp --sparse=always 4kn.img new.img
dd if=/dev/zero of=new.img bs=4096 count=6 conv=notrunc status=none
dd if=/dev/zero of=new.img bs=4096 seek=$((1200 * 256 - 6)) count=6 conv=notrunc status=none
told "4Kn: table wiped" 1 "partition table: kind gpt (1 partition) -> none" 4kn.img
dd if=gpt.img of=part.img bs=1M skip=1 count=64 conv=sparse status=none
cp --sparse=always part.img new.img
poke $((0x100000 + 0x0e)) 04
told "a partition" 1 "LVM device header: LUN 3 -> 4" part.img
cp --sparse=always part.img new.img
dd if=/dev/zero of=new.img bs=1M seek=1 count=1 conv=notrunc status=none
exits "a partition without header" 1 "$VMFSKIT" diff part.img new.img
has "a partition without header: told" "$OUT" '^  LVM device header: present -> zeros$'
hasnt "a partition without header: the rest is the same" "$OUT" '^  (heartbeats|file-system|label)'
cp --sparse=always new.img bare.img
told "two partitions without header" 0 "" new.img bare.img
exits "a partition and a disk" 2 "$VMFSKIT" diff gpt.img part.img
has "a partition and a disk: why" "$ERR" 'a disk cannot be compared with a partition|a partition cannot be compared with a disk'
"$LAB" make --overwrite --seed 99 --table gpt --size 1200M other.img >/dev/null
exits "two different disks" 1 "$VMFSKIT" diff gpt.img other.img
has "two different disks: said at the top" "$(sed -n 4p "$OUT")" '^These are most likely two different disks'
hasnt "one disk: not said" "$("$VMFSKIT" diff gpt.img gpt.img)" 'two different disks'

# captures
S=(--store "$TMP/store")
capture() { "$VMFSKIT" capture "${S[@]}" "$1" >/dev/null; "$VMFSKIT" list "${S[@]}" --no-verify --json | jq -r '.captures[-1].id'; }
cp --sparse=always gpt.img disk.img
first=$(capture disk.img)
"$LAB" beat disk.img >/dev/null
second=$(capture disk.img)
[ "$first" != "$second" ] || second=${first/Z-/Z.2-}
exits "two captures" 0 "$VMFSKIT" diff "${S[@]}" "$first" "$second"
has "two captures: header" "$OUT" "^before  capture $first, taken 20.*Z of $TMP/disk\.img"
has "two captures: ticked" "$OUT" 'partition 1: heartbeats: 2 slots changed'
hasnt "two captures: all is held" "$OUT" 'could not be compared'
printf '\x04' | dd of=disk.img bs=1 seek=$((lvm + 0x0e)) conv=notrunc status=none
exits "a capture and the disk" 1 "$VMFSKIT" diff "${S[@]}" "$first" disk.img
has "a capture and the disk: told" "$OUT" '^  partition 1: LUN 3 -> 4$'
exits "a folder's path and the disk, the other way round" 1 "$VMFSKIT" diff disk.img "store/$first"
has "the other way round" "$OUT" '^  partition 1: LUN 4 -> 3$'
dd if=/dev/zero of=disk.img bs=1M count=1 conv=notrunc status=none
dd if=/dev/zero of=disk.img bs=512 seek=$((1200 * 2048 - 33)) count=33 conv=notrunc status=none
exits "a capture and a disk without table" 1 "$VMFSKIT" diff "${S[@]}" "$first" disk.img
is "the table is gone and the LUN is another: two lines" "$(sed -n '/^Changed:/,/^$/p' "$OUT" | grep '^  ')" \
	"  partition table: kind gpt (1 partition) -> none
  partition 1: LUN 3 -> 4"
run "$VMFSKIT" restore "${S[@]}" "$first" disk.img --part table --override changed-since --write --json
undo=$(jq -r .undo "$OUT")
exits "after the restore" 1 "$VMFSKIT" diff "${S[@]}" "$first" disk.img
is "only the LUN is left" "$(sed -n '/^Changed:/,/^$/p' "$OUT" | grep '^  ')" "  partition 1: LUN 3 -> 4"
exits "an undo capture and the disk" 1 "$VMFSKIT" diff "${S[@]}" "$undo" disk.img
has "an undo capture: named as such" "$OUT" '^before  undo capture '
has "an undo capture: what it does not hold is no difference" "$OUT" 'could not be compared: only one of the two holds them$'
hasnt "an undo capture: nothing of the volume" "$OUT" '^  partition 1: (LUN|LVM|label|file)'

# what cannot be read on one side is told of a structure, counted of bytes
exits "an unreadable header" 1 env VMFSKIT_TEST_BAD="$((lvm))+512" "$HOOKS" diff "${S[@]}" "$second" gpt.img
has "an unreadable header: told" "$OUT" '^  partition 1: LVM device header: present -> unreadable$'
has "an unreadable header: counted" "$OUT" '^512 bytes could not be compared'
exits "unreadable bytes" 0 env VMFSKIT_TEST_BAD="$((0x280600))+512" "$HOOKS" diff "${S[@]}" "$second" gpt.img
has "unreadable bytes: counted" "$OUT" '^512 bytes could not be compared'

# the same volume on a partition that starts elsewhere
make --table gpt --start 2048 --vmfs-size 1000M --size 1200M here.img
make --table gpt --start 4096 --vmfs-size 1000M --size 1200M there.img
told "moved with its data" 1 "partition 1: start sector 2048 -> 4096, length unchanged" here.img there.img

# a change of the table claims its fields and no more: boot code of an extended record, what is behind a GPT header
"$LAB" make --volume start=63,size=300M,logical --volume size=300M,logical --table mbr --vmfs 3 --size 700M ebr1.img >/dev/null
cp --sparse=always ebr1.img ebr2.img
ebr=$(($("$VMFSKIT" decode --json ebr1.img | jq '[.sources[0].structures[] | select(.name | test("extended"; "i"))][0].offset')))
perl -e 'open(F, "+<:raw", $ARGV[0]); seek(F, 0x1c1, 0); print F "\x08"; seek(F, $ARGV[1] + 0x40, 0); print F "\x80"' ebr2.img "$ebr"
run "$VMFSKIT" diff ebr1.img ebr2.img
has "a byte of an extended record's boot code beside a changed entry" "$OUT" 'bytes? from .* no field explains'
cp --sparse=always here.img named.img
sfdisk -q --no-reread --part-label named.img 1 foo
cp --sparse=always named.img behind.img
perl -e 'open(F, "+<:raw", $ARGV[0]); seek(F, 0x3d3, 0); print F "\x04"' behind.img
run "$VMFSKIT" diff here.img named.img
hasnt "a name alone is one thing" "$OUT" 'no field explains'
run "$VMFSKIT" diff here.img behind.img
has "a byte behind the fields of a GPT header beside a changed name" "$OUT" 'bytes? from .* no field explains'

# a listing holds a few bytes of the disk: what it does not hold is no difference
{ hexdump -C -n 1024 mbr.img; hexdump -C -s $((1024 * 1024)) -n 512 mbr.img; } >listing.txt
exits "a listing of the same bytes" 0 "$VMFSKIT" diff listing.txt mbr.img
has "a listing of the same bytes: said, and how many" "$OUT" '^[0-9.]+ (KiB|bytes) that both hold were compared: all bytes are equal$'
hasnt "a listing of the same bytes: nothing changed" "$OUT" '^Changed'
cp --sparse=always mbr.img other.img
printf Z | dd of=other.img bs=1 seek=100 conv=notrunc status=none
exits "a listing of another byte" 1 "$VMFSKIT" diff listing.txt other.img
has "a listing of another byte: said" "$OUT" 'that both hold were compared: different$'

# which is which
exits "standard input" 0 sh -c "'$VMFSKIT' diff mbr.img - <mbr.img"
cp mbr.img "$first"
exits "a file with the name of a capture" 2 "$VMFSKIT" diff "${S[@]}" "$first" mbr.img
has "a file with the name of a capture: what to write" "$ERR" "write \./$first or $TMP/store/$first"
ok "the file, by a path" "$VMFSKIT" diff "${S[@]}" "./$first" mbr.img
rm "$first"
exits "no such thing" 4 "$VMFSKIT" diff "${S[@]}" nosuchthing mbr.img
has "no such thing: where it was looked for" "$ERR" "no such capture in the store $TMP/store, and no such file"
exits "no such path" 4 "$VMFSKIT" diff "${S[@]}" ./nosuchthing mbr.img
exits "one name" 2 "$VMFSKIT" diff mbr.img
exits "three names" 2 "$VMFSKIT" diff a b c
exits "standard input twice" 2 "$VMFSKIT" diff - -
exits "a folder that is no capture" 1 "$VMFSKIT" diff "$TMP/store" mbr.img
exits "the wrong kind" 2 "$VMFSKIT" diff --as volume mbr.img mbr.img
