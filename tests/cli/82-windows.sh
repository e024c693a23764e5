#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A LUN that Windows initialised, formatted, or both: from doctor to healed, each step as the one before prints it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
. "$(dirname "$0")/../next_steps.sh"
PATH=$PATH:/usr/sbin:/sbin
need jq sfdisk perl
cd "$TMP" || exit 1

script() { sfdisk -q --no-tell-kernel --wipe never --wipe-partitions never "$1" 2>"$TMP/sfdisk.err" || cat "$TMP/sfdisk.err"; }
windows_mbr() { printf 'label: dos\nstart=2048, size=4190000, type=7\n' | script "$1"; }
windows_gpt() {
	printf 'label: gpt\nfirst-lba: 34\nstart=34, size=32734, type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE, name="Microsoft reserved partition"\nstart=34816, size=4159455, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n' | script "$1"
}
# of a file system of SECTORS at SECTOR what Windows writes, and nothing of the zeros between
quick_format() { # DISK SECTOR SECTORS
	truncate -s $(($3 * 512)) ntfs.part
	"$LAB" break --how ntfs ntfs.part >/dev/null
	dd if=ntfs.part of="$1" bs=512 count=$((1 << 12)) seek="$2" conv=sparse,notrunc status=none
	rm ntfs.part
}
in_place() { "$LAB" break --how ntfs --at partition "$1" >/dev/null; }
mbr_and_ntfs() { quick_format "$1" 2048 4190000 && windows_mbr "$1"; }
gpt_and_ntfs() { quick_format "$1" 34816 4159455 && windows_gpt "$1"; }
# the first MiB of Windows' partition, and in it what lies there of the volume
mbr_and_zeros() { zero "$1" $((2048 * 512)) $((1 << 20)) && mbr_and_ntfs "$1"; }
answer() { jq -r '.sources[0].headline' walked.json; }
said() { jq -r '[.sources[0].findings[].code | sub("incident."; "")] | join(" ")' walked.json; }
offered() { jq -r '[.sources[0].next[].command | values | split(" ")[1:3] | join(" ")] | join("; ")' walked.json; }

"$LAB" make --table gpt --vmfs 6 --start 2048 --size 2G --label ds gpt6.orig >/dev/null || exit 1
"$LAB" make --table mbr --vmfs 3 --start 128 --size 2G --label ds mbr3.orig >/dev/null || exit 1
for kind in gpt6 mbr3; do
	for deed in windows_mbr windows_gpt in_place mbr_and_ntfs gpt_and_ntfs mbr_and_zeros; do
		# with a capture it is as it was, byte for byte
		rm -rf store disk.img && mkdir -m 700 store
		copy_disk $kind.orig disk.img
		"$VMFSKIT" capture --store store disk.img >/dev/null
		$deed disk.img
		next_steps "$kind, $deed" disk.img store
		walk "$kind, $deed, a capture" disk.img store
		is "$kind, $deed, a capture: nothing is wrong any more" "$(answer), $(said)" "Nothing wrong was found, "
		is "$kind, $deed, a capture: nothing is left to do" "$(offered)" ""
		# the end of a volume that reaches to that of the disk is data: Windows' backup GPT stays in it
		case $kind-$deed in mbr3-*gpt*) truncate -s -16896 disk.img ;; esac
		is "$kind, $deed, a capture: every byte is as it was" "$(cmp $kind.orig disk.img 2>&1 | grep -v EOF)" ""
		# without one the table is right; what Windows has in sectors that VMFS leaves unused is told, or as it was captured
		rm -rf store disk.img && mkdir -m 700 store
		copy_disk $kind.orig disk.img
		$deed disk.img
		next_steps "$kind, $deed, no capture" disk.img store
		rm -rf store && mkdir -m 700 store
		walk "$kind, $deed, no capture" disk.img store
		is "$kind, $deed, no capture: nothing is wrong any more" "$(answer), $(said)" "Nothing wrong was found, "
		is "$kind, $deed, no capture: nothing is left to do" "$(offered)" ""
		exits "$kind, $deed, no capture: the table and the volume agree" 0 "$VMFSKIT" decode disk.img
		exits "$kind, $deed, no capture: nothing else of the volume was touched" 0 cmp --ignore-initial=$((20 << 20)) $kind.orig disk.img \
			--bytes=$((1 << 30))
	done
done

# --- what the guards say, in text and JSON ---------------------------------------------------------------------------------
rm -rf store && mkdir -m 700 store
copy_disk gpt6.orig disk.img
"$VMFSKIT" capture --store store disk.img >/dev/null
id=$(captures store)
mbr_and_ntfs disk.img
exits "what the guards say" 3 "$VMFSKIT" restore "$id" disk.img --store store
hasnt "what the guards say: no newer capture" "$ERR" 'newer capture|save that data'
has "what the guards say: whose table it is" "$ERR" 'what to do: another system wrote that table over the volume: keep it from the LUN'
has "what the guards say: the signature" "$ERR" 'what to do: keep that system from the LUN; if anybody needs its data, copy the whole disk first'
has "what the guards say: the whole command" "$OUT" "^  vmfskit restore $id disk.img --override table-kind --override foreign-signature --store store --plan [0-9a-f]{32} --write\$"
has "what the guards say: which sectors of the volume" "$OUT" 'lvm of partition 1: ntfs from byte 1048576 on lies over it: only sectors that no structure uses'
exits "what the guards say, JSON" 3 "$VMFSKIT" restore "$id" disk.img --store store --json
is "what the guards say, JSON: the guards" "$(objected "$OUT")" "foreign-signature table-kind"
has "what the guards say, JSON: what to do" "$(jq -r '.objections[] | select(.guard == "table-kind").remedy' "$OUT")" 'another system wrote that table'
# a table that still names the volume is no intruder's
copy_disk gpt6.orig disk.img
printf ', \n' | sfdisk -q --no-tell-kernel --wipe never -N 1 disk.img 2>/dev/null
printf 'label: gpt\nfirst-lba: 34\nstart=2048, size=2000000, type=AA31E02A-400F-11DB-9590-000C2911D1B8\n' | script disk.img
run "$VMFSKIT" restore "$id" disk.img --store store
has "a table that names the volume: it may be the newer one" "$ERR" 'what to do: the volume may have been grown or moved since: take a newer capture'
hasnt "a table that names the volume: nobody is shown how to lift it" "$OUT" '^  vmfskit restore .* --write$'

# --- the signature goes, what hosts wrote since stays ----------------------------------------------------------------------
copy_disk gpt6.orig disk.img
printf 'renamed\0' | dd of=disk.img bs=1 seek=$((2048 * 512 + 0x1300000 + 0x1d)) conv=notrunc status=none
copy_disk disk.img renamed.orig
in_place disk.img
walk "renamed since the capture" disk.img store
same "renamed since the capture: only what no structure uses is put back" renamed.orig disk.img

# --- a capture that was taken when the table was Windows' own is no way back -----------------------------------------------
for deed in windows_mbr mbr_and_ntfs; do
	rm -rf store && mkdir -m 700 store
	copy_disk gpt6.orig disk.img
	$deed disk.img
	"$VMFSKIT" capture --store store disk.img >/dev/null
	"$VMFSKIT" doctor --heartbeat-wait 0 --store store --json disk.img >walked.json
	is "$deed, captured then: it is no good capture" "$(jq -r '.sources[0].capture' walked.json)" null
	has "$deed, captured then: the table is worked out" "$(offered)" 'repair table'
	next_steps "$deed, captured then" disk.img store
done

# --- Windows' partition begins where the volume does, and nothing was saved: what doctor prints is carried out and taken back
"$LAB" make --table gpt --vmfs 5 --start 2048 --size 2G place.img >/dev/null
in_place place.img
sfdisk -q --no-tell-kernel --part-type place.img 1 EBD0A0A2-B9E5-4433-87C0-68B6B72699C7
cp --sparse=always place.img place.orig
mkdir -m 700 empty
"$VMFSKIT" doctor --heartbeat-wait 0 --store empty --json place.img >walked.json
offer=$(jq -r '[.sources[0].next[].command | values | select(contains("repair table"))][0]' walked.json)
is "one start: entry and volume are named" "$offer" "vmfskit repair table place.img --store empty --include 2048 --exclude 2048"
exits "one start: as printed" 3 bash -c "\"$VMFSKIT\" ${offer#vmfskit }"
has "one start: the volume is planned" "$OUT" '^  1: sectors 2048 to 4194270, VMFS$'
write=$(grep -E '^  vmfskit repair table .* --write$' "$OUT")
has "one start: at what risk" "$write" '--override table-partitions --override foreign-signature --override guess'
ok "one start: carried out" bash -c "\"$VMFSKIT\" ${write#  vmfskit }"
run "$VMFSKIT" decode --json place.img
is "one start: the volume is listed" "$(jq -c '[.sources[0].table.partitions[] | [.start_sector, .type_name]]' "$OUT")" '[[2048,"VMFS"]]'
ok "one start: taken back" "$VMFSKIT" undo "$(captures empty | tail -n 1)" place.img --store empty --write
same "one start: as it was" place.orig place.img
