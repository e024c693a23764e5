#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# repair table: lost tables come back with the starts, lengths and types of before, judged by sfdisk and sgdisk. The bulk of the
# random disks is in tests/unit/test_rebuild_table.c; here a sample goes through the program and onto the disk.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need sfdisk sgdisk jq
root=
[ "$(id -u)" = 0 ] && root=1
BIG=$(big_dir) || exit 1
cd "$TMP" || exit 1

RANDOM=20090421
rnd() { echo $(((RANDOM << 15 | RANDOM) % $1)); }

# vmfs FILE: "number start sectors type" of each VMFS partition as sfdisk reads them
vmfs() {
	sfdisk -d "$1" 2>/dev/null | sed -n 's/^[^ ]*[^0-9]\([0-9]*\) : start= *\([0-9]*\), size= *\([0-9]*\), type=\([^, ]*\).*/\1 \2 \3 \4/p' |
		grep -iE ' (fb|AA31E02A-400F-11DB-9590-000C2911D1B8|4EB2EA39-7855-4790-A79E-FAE495E21F8D)$' | sort -n
}
places() { cut -d ' ' -f 2-; } # without the numbers
# wipe FILE: sector 0 and both copies, and with EBR also the boot records of logical partitions
wipe() {
	"$LAB" break --really --how table "$1" >/dev/null || fail "wiping the table of $1"
}
# where nothing is left of a table, GUIDs, heads and sectors are new, and that is a guess
repair() { run "$VMFSKIT" repair table "$@" --store "$TMP/store" --override guess --write; }

# --- one volume, everywhere -------------------------------------------------------------------------------

# judge NAME FILE LABEL [OPTION]...: wiped, rebuilt, the same volumes as before
judge() {
	local name=$1 file=$2 label=$3 before
	shift 3
	before=$(vmfs "$file" | places)
	has "$name: a volume to lose" "$before" .
	wipe "$file"
	is "$name: lost" "$(vmfs "$file")" ""
	repair "$file" "$@"
	is "$name: done" "$CODE" 0
	is "$name: start, length, type" "$(vmfs "$file" | places)" "$before"
	is "$name: label" "$(sfdisk -d "$file" | sed -n 's/^label: //p')" "$label"
	ok "$name: sfdisk --verify" sfdisk --verify "$file"
	hasnt "$name: and has nothing to say" "$OUT" "overlap|outside|Sector .* already"
	hasnt "$name: not on stderr either" "$ERR" ..
	if [ "$label" = gpt ]; then
		run sgdisk -v "$file"
		has "$name: sgdisk -v" "$OUT" "No problems found"
	fi
}

for i in $(seq 1 12); do
	start=$((40 + $(rnd 3000000)))
	sectors=$((620000 + $(rnd 1000000)))
	case $((i % 4)) in
	0) kind=mbr version=3 label=dos options='' ;;
	1) kind=gpt version=5 label=gpt options='' ;;
	2) kind=gpt version=6 label=gpt options='' ;;
	3) kind=mbr version=5 label=dos options='--label mbr' ;; # nothing tells that it was one
	esac
	"$LAB" make --overwrite --table $kind --vmfs $version --start "$start" --vmfs-size "${sectors}s" --seed "$i" disk.img >/dev/null
	# shellcheck disable=SC2086 # words are meant to be split
	judge "VMFS$version on $kind from sector $start" disk.img $label $options
	[ "$i" != 2 ] || cp --sparse=always disk.img second.img
done
wipe second.img
exits "an end that only the header says: not without being told" 3 "$VMFSKIT" repair table second.img --store "$TMP/store" --write
has "an end that only the header says: which guard" "$ERR" "guard guess"
cp --sparse=always second.img again.img
repair second.img
repair again.img
same "twice the same bytes, fresh GUIDs as well" second.img again.img
rm -f second.img again.img
if [ -n "$SHARED" ]; then
	real=$(real_partition)
	for start in 63 128 2048 $((40 + $(rnd 3000000))) $((40 + $(rnd 3000000))); do
		for kind in mbr gpt; do
			options=
			[ $kind = mbr ] || options='--label gpt' # a VMFS3 is on an MBR as far as anyone can tell
			"$LAB" make --overwrite --table $kind --start "$start" --image "$real" disk.img >/dev/null
			# shellcheck disable=SC2086
			judge "the real VMFS3 on $kind from sector $start" disk.img "$([ $kind = mbr ] && echo dos || echo gpt)" $options
		done
	done
	rm -f real.img
else
	skip "the real volume" "no ../shared/data"
fi

# --- several, with others between, in chains --------------------------------------------------------------

at=$((40 + $(rnd 30000)))
"$LAB" make --overwrite --table gpt --volume start=$((at + 5000)),size=700000s,version=6 --volume start=$((at + 900001)),size=700003s,version=5 \
	--volume start=$((at + 1700005)),size=800001s,version=6l --extra-partition $at+4000:linux --extra-partition $((at + 2600000))+10:efi disk.img >/dev/null
judge "three volumes and two others" disk.img gpt
"$LAB" make --overwrite --table mbr --volume start=63,size=700000s,version=3 --volume start=800003,size=700000s,version=3,logical \
	--volume start=1600001,size=700001s,version=3,logical disk.img >/dev/null
before=$(vmfs disk.img)
judge "a chain" disk.img dos
is "a chain: the boot records tell the numbers" "$(vmfs disk.img)" "$before"
zero disk.img $(((800003 - 63) * 512)) 512
zero disk.img $(((1600001 - 63) * 512)) 512
repair disk.img
is "a chain, with the MBR alone: numbers, too" "$(vmfs disk.img)" "$before"

# an image says nothing of its sectors; a device does
if [ -n "$root" ]; then
	"$LAB" make --overwrite --table gpt --sector-size 4096 --vmfs 6 --start 777 --vmfs-size 3G disk.img >/dev/null
	device=$(loop_attach disk.img --sector-size 4096)
	judge "sectors of 4096 bytes" "$device" gpt
	loop_detach "$device"
else
	skip "sectors of 4096 bytes" "needs root"
fi
"$LAB" make --overwrite --table gpt --sector-size 4096 --vmfs 6 --start 777 --vmfs-size 3G disk.img >/dev/null
parts() { "$VMFSKIT" decode --json "$1" | jq -c '[.sources[0].table.partitions[] | {number, start_sector, sectors, type}]'; }
before=$(parts disk.img)
wipe disk.img
repair --sector-size 4096 disk.img
is "an image with sectors of 4096 bytes" "$(parts disk.img)" "$before"
"$VMFSKIT" capture --sector-size 4096 disk.img --store "$TMP/store-4096" >/dev/null || fail "capturing"
wipe disk.img
run "$VMFSKIT" repair table disk.img --store "$TMP/store-4096"
has "a capture with other sectors: that it was not used is said" "$OUT" "counts sectors of 4096 bytes and was not used"
rm -rf "$TMP/store-4096"

# --- boot disks -------------------------------------------------------------------------------------------

all() { sfdisk -d "$1" | sed -n 's/.*img\([0-9]*\) : start= *\([0-9]*\), size= *\([0-9]*\), type=\([^,]*\),.*/\1 \2 \3 \4/p'; }
names() { sfdisk -d "$1" | sed -n 's/.*name="\([^"]*\)".*/\1/p' | xargs; }
boot() { # boot LAYOUT SIZE WHAT
	local file=$BIG/boot.img before
	"$LAB" make --overwrite --layout "$1" --size "$2" "$file" >/dev/null
	before=$(all "$file")
	named=$(names "$file")
	wipe "$file"
	repair "$file"
	is "$1: done" "$CODE" 0
	has "$1: recognised" "$OUT" "$3"
	is "$1: number, start, end, type of all" "$(all "$file")" "$before"
	boot_entries=$before
	is "$1: names" "$(names "$file")" "$named"
	run sgdisk -v "$file"
	has "$1: sgdisk -v" "$OUT" "No problems found"
}
boot esxi50 20G "ESXi 5.0 or 5.1 boot disk"
boot esxi5 40G "ESXi 5.5 or 6 boot disk"
boot esxi7 300G "ESXi 7 or 8 boot disk"
boot esxi7-small 100G "ESXi 7 or 8 boot disk \(small\)"
# a boot bank that is gone leaves its entry out, and nothing else
wipe "$BIG/boot.img"
zero "$BIG/boot.img" $((208896 * 512)) 512
repair "$BIG/boot.img"
is "without a boot bank: the other four" "$(all "$BIG/boot.img" | cut -d ' ' -f 1 | xargs)" "1 6 7 8"
has "without a boot bank: which one, and where" "$OUT" "partition 5 in sectors 208896 to 2306047, of which nothing is left"
add=$(sed -n 's/.*add it after the repair: sgdisk \(.*\)\./\1/p' "$OUT")
# shellcheck disable=SC2086 # words are meant to be split
ok "without a boot bank: it is added as was said" sgdisk $add "$BIG/boot.img"
is "without a boot bank: all five" "$(all "$BIG/boot.img")" "$boot_entries"
rm -f "$BIG/boot.img"

# --- a deleted partition ----------------------------------------------------------------------------------

"$LAB" make --overwrite --table gpt --vmfs 5 --start 1234567 --vmfs-size 3G --size 5G disk.img >/dev/null
before=$(vmfs disk.img)
sgdisk -d 1 disk.img >/dev/null
ok "deleted at a start that nobody would guess: what sgdisk left is sound" sgdisk -v disk.img
exits "deleted: found all the same" 3 "$VMFSKIT" repair table disk.img --store "$TMP/store"
has "deleted: its GUID is a guess" "$ERR" "guard guess refuses: partition 1 at sector 1234567: .*its unique GUID is new"
has "deleted: why it searched" "$OUT" "leaves a part of the disk unexplained"
repair disk.img
is "deleted: it is back" "$(vmfs disk.img)" "$before"

# --- what nothing proves ----------------------------------------------------------------------------------

"$LAB" make --overwrite --table gpt --vmfs 5 --vmfs-size 2G --size 10G --extra-partition 12000000+4096:linux disk.img >/dev/null
zero disk.img 512 512
zero disk.img $((20971520 * 512 - 33 * 512)) $((33 * 512))
printf '\xff\x2e\xc7\x00' | dd of=disk.img bs=1 seek=$((1024 + 128 + 40)) conv=notrunc status=none
exits "an end that nothing proves: not without being told" 3 "$VMFSKIT" repair table disk.img --store "$TMP/store" --write
has "an end that nothing proves: which guard" "$ERR" "guard guess"
exits "an end that nothing proves: told" 0 "$VMFSKIT" repair table disk.img --store "$TMP/store" --write --override guess
ok "an end that nothing proves: the rebuilt capture does not call it exact" grep -rqE "\"partition 2 at sector 12000000: nothing proves any of it" "$TMP/store"

# --- tables of others -------------------------------------------------------------------------------------

"$LAB" make --overwrite --table gpt --vmfs 6 --vmfs-size 3G --size 4G disk.img >/dev/null
before=$(vmfs disk.img | places)
wipe disk.img
sgdisk -o -a 1 -n 1:34:32801 -t 1:0C01 disk.img >/dev/null
run "$VMFSKIT" repair table disk.img --store "$TMP/store"
has "Windows initialised it: the entry that goes is named" "$OUT" "Microsoft reserved\) is left out: it overlaps the volume at sector 2048"
exits "Windows initialised it: a sound table of others is a guard's matter" 3 "$VMFSKIT" repair table disk.img --store "$TMP/store" --write
has "Windows initialised it: which" "$ERR" "guard table-partitions"
repair disk.img --override table-partitions,guess
is "Windows initialised it: start, length, type" "$(vmfs disk.img | places)" "$before"
is "Windows initialised it: nothing of theirs" "$(sfdisk -d disk.img | grep -c 'start=')" 1

# --- what stands ------------------------------------------------------------------------------------------

# an entry longer than its volume, and inside of it what is left of a volume of before
"$LAB" make --overwrite --table gpt --vmfs 6 --start 2048 --vmfs-size 2G --size 8G disk.img >/dev/null
sgdisk -d 1 -a 1 -n 1:2048:16777182 -t 1:AA31E02A-400F-11DB-9590-000C2911D1B8 disk.img >/dev/null
"$LAB" make --overwrite --table gpt --vmfs 5 --start 2048 --vmfs-size 1G --seed 7 --label old old.img >/dev/null
dd if=old.img of=disk.img bs=1M skip=1 seek=4096 count=24 conv=notrunc,sparse status=none
before=$(vmfs disk.img)
ok "a copy in a partition that stands: nothing to do" "$VMFSKIT" repair table --scan disk.img --store "$TMP/store" --write
has "a copy in a partition that stands: said" "$OUT" "^note .*sector 8388608 lies inside the partition at sector 2048.*--include 8388608"
is "a copy in a partition that stands: it stays" "$(vmfs disk.img)" "$before"
exits "a copy that is asked for" 3 "$VMFSKIT" repair table --scan --include 8388608 disk.img --store "$TMP/store" --json
is "a copy that is asked for: the guards" "$(jq -r '[.objections[].guard] | join(" ")' "$OUT")" "table-partitions guess"
has "a copy that is asked for: an end that moves is no small thing" "$(jq -r '.objections[0].message' "$OUT")" "1 partition that the rebuilt one does not have, or not with this end; the first is number 1"
rm -f old.img

# --- what cannot be ---------------------------------------------------------------------------------------

truncate -s 0 disk.img
truncate -s 100M disk.img
exits "an empty disk" 1 "$VMFSKIT" repair table disk.img --store "$TMP/store"
has "an empty disk: what was looked for" "$OUT$(cat "$OUT" "$ERR")" "neither a volume of VMFS nor anything of a partition table was found"
"$LAB" make --overwrite --table gpt --vmfs 6 --start 2048 --size 4G disk.img >/dev/null
truncate -s 700M disk.img
zero disk.img 0 $((34 * 512))
exits "a disk that was cut off" 1 "$VMFSKIT" repair table disk.img --store "$TMP/store"
has "a disk that was cut off: a volume begins on it" "$ERR" "only a part of the disk is here, the first 700 MiB of at least .*, by the volume at sector 2048, and a table needs its end"
has "a disk that was cut off: what to do" "$ERR" "^  take the whole disk"
run "$VMFSKIT" find disk.img
has "a disk that was cut off: find has it at the likely places" "$OUT" "^  living +sector 2048"
has "a disk that was cut off: find says how much is here" "$OUT" "^This file is the first 700 MiB .* name the whole LUN or dump more of it"
hasnt "a disk that was cut off: find offers no repair" "$OUT" "vmfskit repair"
hasnt "a disk that was cut off: find does not say none" "$OUT" "^  no volume"
"$LAB" make --overwrite --vmfs 5 --size 4T "$BIG/disk.img" >/dev/null
wipe "$BIG/disk.img"
exits "an MBR cannot say 4 TB" 2 "$VMFSKIT" repair table "$BIG/disk.img" --label mbr
has "an MBR cannot say 4 TB: what to do" "$ERR" "use --label gpt"
judge4t=$("$VMFSKIT" repair table "$BIG/disk.img" --store "$TMP/store" --json | jq -r '.table.entries[0].sectors')
is "a GPT can" "$judge4t" $((8589934592 - 2048 - 33))

# a partition that only a capture names may have been deleted since
rm -rf since
"$LAB" make --table gpt --vmfs 6 --start 2048 --vmfs-size 1G --size 2G since.img >/dev/null
echo 'start=3000000, size=100000, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4' |
	sfdisk --quiet --append since.img >/dev/null 2>&1
"$VMFSKIT" capture since.img --store since >/dev/null
zero since.img 0 $((34 * 512))
zero since.img $(($(stat -c %s since.img) - 33 * 512)) $((33 * 512))
exits "a partition that only a capture names: asked" 3 "$VMFSKIT" repair table since.img --store since
has "a partition that only a capture names: which" "$OUT" '^guess +partition 2 at sector 3000000 is in capture .*may have been deleted or changed since'
hasnt "the volume that was found is no guess" "$OUT" '^guess +partition 1 '
has "both are planned" "$OUT" '^  2: sectors 3000000 to 3099999'
