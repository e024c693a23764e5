#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tables that count in sectors of another size than the device: told by decode, doctor and find; no plan of repair but
# --convert-sectors, which keeps every partition in its place, and its GUIDs.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need jq sgdisk sfdisk
cd "$TMP" || exit 1
mkdir -m 700 nowhere # a store without captures

doctor() { "$VMFSKIT" doctor --heartbeat-wait 0 --store nowhere "$@"; }
repair() { "$VMFSKIT" repair table --no-captures "$@"; }
codes() { jq -r '[(.findings, .sources[0].findings | values)[].code] | unique | join(" ")' "$OUT"; }
# partitions SECTOR_SIZE: of the table in $OUT, a plan or what decode says: number, first and last byte, type, GUID
partitions() {
	jq -c --argjson ss "$1" '[(.table.entries, .sources[0].table.partitions | values)[] |
		[.number, .start_sector * $ss, (.start_sector + .sectors) * $ss, .type, .unique_guid // .guid]]' "$OUT"
}

# --- images: a file is read in the sectors that its table counts in --------------------------------------------
"$LAB" make --table gpt --vmfs 5 --size 2G five.img >/dev/null || exit 1
"$LAB" make --table gpt --vmfs 6 --sector-size 4096 --vmfs-size 1500M --size 2G four.img >/dev/null || exit 1
"$LAB" make --table mbr --vmfs 5 --sector-size 4096 --size 2G mbr.img >/dev/null || exit 1
"$LAB" make --table mbr --vmfs 5 --start 2048 --size 2G mbr5.img >/dev/null || exit 1
for image in five:512 four:4096 mbr:4096 mbr5:512; do
	ok "${image%:*}: decode" "$VMFSKIT" decode --json "${image%:*}.img"
	is "${image%:*}: a whole disk" "$(jq -c '.sources[0] | [.sector_size, .readings[0].kind, .table.partitions[0].start_sector * .sector_size]' "$OUT")" \
		"[${image#*:},\"disk\",1048576]"
done

# --- a table of 4096 counted anew, of an image ----------------------------------------------------------------
was=$(run "$VMFSKIT" decode --json four.img; partitions 4096)
copy_disk four.img disk.img
ok "an image: planned" repair --convert-sectors 512 --json disk.img
is "an image: the same partitions, byte for byte" "$(partitions 512)" "$was"
is "an image: nothing is a guess, nothing lost, nothing new" \
	"$(jq -c '[.table.converted_from, .guessed, .table.doubts, .lost, .table.disk_guid_fresh, .refused]' "$OUT")" '[4096,false,[],[],false,false]'
ok "an image: told" repair --convert-sectors 512 disk.img
has "an image: in words" "$OUT" ', the same bytes of the disk: '
hasnt "an image: the end of the disk is nobody else's" "$OUT" 'no copy of a GPT any more'
has "an image: ESXi sees no table before" "$OUT" '^partedUtil mklabel /vmfs/devices/disks/DEVICE gpt$'
has "an image: what getUsableSectors shows" "$OUT" '^# note: getUsableSectors must show 48 4194263'
ok "an image: written" repair --convert-sectors 512 --store st --write disk.img
ok "an image: sgdisk" sgdisk -v disk.img
has "an image: sgdisk finds nothing" "$OUT" '^No problems found'
ok "an image: sound" doctor disk.img
for image in four.img:$((4096 + 0x38)) disk.img:$((512 + 0x38)); do
	dd if="${image%:*}" of="guid-${image%.img*}" bs=1 skip="${image#*:}" count=16 status=none
done
same "an image: the GUID of the disk" guid-four guid-disk
run "$VMFSKIT" decode --json disk.img
is "an image: read in 512 now, the same partitions" "$(jq -r '.sources[0].sector_size' "$OUT") $(partitions 512)" "512 $was"
exits "an image: a second time there is nothing to convert" 2 repair --convert-sectors 512 disk.img
has "an image: which says so" "$ERR" 'nothing to convert: there is no GPT with sectors larger than 512 bytes'
ok "an image: taken back" "$VMFSKIT" undo "$(ls st | grep -- '-undo$')" disk.img --store st --write
is "an image: every byte as it was" "$(disk_sum disk.img)" "$(disk_sum four.img)"
exits "a table of 512: nothing to convert" 2 repair --convert-sectors 512 five.img
exits "an MBR is not converted" 2 repair --convert-sectors 512 mbr.img
has "an MBR is not converted: why" "$ERR" 'the MBR counts sectors of 4096 bytes and is not converted: it has neither checksum nor copy'
has "an MBR is not converted: what to do" "$ERR" 'set the block size of the LUN back to 4096'
exits "an MBR of 512 has nothing to convert" 2 repair --convert-sectors 512 mbr5.img
has "an MBR of 512 has nothing to convert: said" "$ERR" 'nothing to convert: there is no GPT with sectors larger than 512 bytes'
exits "by hand in the wrong sectors: nothing is planned over it" 3 repair --sector-size 512 four.img
has "by hand in the wrong sectors: why" "$ERR" 'the table counts sectors of 4096 bytes, and the disk is read in sectors of 512: the table is not damaged'
has "by hand in the wrong sectors: what to do" "$ERR" 'set the block size of the LUN back to 4096 .*--convert-sectors 512'
for option in '--include 2048' '--exclude 2048' '--label gpt' '--sector-size 512'; do
	# shellcheck disable=SC2086 # an option with its value
	exits "together with $option: refused" 2 repair --convert-sectors 512 $option four.img
done
exits "only into 512" 2 repair --convert-sectors 4096 four.img
exits "not of a header" 2 "$VMFSKIT" repair header --convert-sectors 512 four.img
# what its checksums do not prove is not counted anew
for at in 8200 $(($(stat -c %s four.img) - 20480 + 8)); do
	copy_disk four.img disk.img
	printf '\x5a\xa5\x5a' | dd of=disk.img bs=1 seek="$at" conv=notrunc status=none
	ok "one array damaged: the other and the checksum prove it" repair --convert-sectors 512 --json disk.img
	is "one array damaged: the same partitions" "$(partitions 512)" "$was"
done
printf '\x5a\xa5\x5a' | dd of=disk.img bs=1 seek=8200 conv=notrunc status=none
exits "both arrays damaged: refused" 3 repair --convert-sectors 512 disk.img
has "both arrays damaged: why" "$ERR" 'cannot be converted to sectors of 512: its checksums do not prove all of it'

need_root "loop devices with sectors of 4096 bytes"

# --- a table of 4096 on a device of 512 -------------------------------------------------------------------------
loop=$(loop_attach four.img --sector-size 4096) || exit 1
sgdisk -n 2:400000:0 -t 2:8300 -c 2:other "$loop" >/dev/null || exit 1
ok "4096 on 4096: healthy" doctor "$loop"
exits "4096 on 4096: not converted" 2 repair --convert-sectors 512 "$loop"
has "4096 on 4096: what is there" "$ERR" 'nothing to convert: the device has sectors of 4096 bytes \(4Kn\), and its table counts such sectors, so hosts see it'
loop_detach "$loop"
was=$(run "$VMFSKIT" decode --json four.img; partitions 4096)
copy_disk four.img disk.img
loop=$(loop_attach disk.img) || exit 1
exits "4096 on 512: decode" 1 "$VMFSKIT" decode "$loop"
has "4096 on 512: the reading" "$OUT" '^This is a disk whose GPT counts sectors of 4096 bytes, and the device has sectors of 512, so hosts do not see it: both copies of the GPT fit'
has "4096 on 512: how to look at it" "$OUT" "losetup --find --show --read-only --sector-size 4096 $loop$"
run "$VMFSKIT" decode --json "$loop"
is "4096 on 512: JSON" "$(jq -c '.sources[0] | [.sector_size, (.readings[0] | .kind, .sure, .sector_size, .repairable), .vmfs[0].partition]' "$OUT") $(codes)" \
	'[4096,"units","certain",4096,false,1] source.sector-units'
is "4096 on 512: the partitions" "$(partitions 4096)" "$was"
exits "4096 on 512: doctor" 1 doctor "$loop"
has "4096 on 512: doctor's answer" "$OUT" '^Nothing else wrong was found\.$'
run doctor --json "$loop"
is "4096 on 512: nothing else is wrong" "$(codes) $(jq -r '.sources[0].volumes[0].in_table' "$OUT")" 'source.sector-units true'
is "4096 on 512: next, the safest first" "$(jq -r '.sources[0].next | [(.[0].why | test("^Set the block size of the LUN back to 4096 bytes")), .[2].command] | map(tostring) | join(" ")' "$OUT")" \
	"true vmfskit repair table --convert-sectors 512 $loop --store nowhere"
run "$VMFSKIT" find "$loop"
has "4096 on 512: find agrees with the table" "$OUT" '^The partition table agrees with what was found\.'
before=$(disk_sum disk.img)
exits "4096 on 512: no plan" 3 repair "$loop"
has "4096 on 512: why" "$ERR" 'guard reading refuses: this is a disk whose GPT counts sectors of 4096 bytes'
has "4096 on 512: what to do" "$ERR" 'set the block size of the LUN back .*--convert-sectors 512'
exits "4096 on 512: nor with that guard lifted" 3 repair --override reading "$loop" --store st2 --write
exits "4096 on 512: nor of a header" 3 "$VMFSKIT" repair header "$loop" --no-captures
is "4096 on 512: nothing was written" "$(disk_sum disk.img)" "$before"
run doctor --json "$loop"
ok "4096 on 512: the step that doctor names" repair --convert-sectors 512 --json "$loop"
is "4096 on 512: the same partitions" "$(partitions 512)" "$was"
ok "4096 on 512: written" repair --convert-sectors 512 --store st2 --write "$loop"
ok "4096 on 512: healed" doctor "$loop"
has "4096 on 512: and a disk of its own" "$OUT" '^This is a whole disk: '
sgdisk -i 2 "$loop" >"$TMP/second" 2>&1
has "4096 on 512: the other partition's name" "$TMP/second" "^Partition name: 'other'"
loop_detach "$loop"

# --- a table of 512 on a device of 4096, as ESXi has it -----------------------------------------------------------
loop=$(loop_attach five.img --sector-size 4096) || exit 1
before=$(disk_sum five.img)
exits "512 on 4096: decode" 0 "$VMFSKIT" decode "$loop"
has "512 on 4096: the reading" "$OUT" '^This is a disk whose GPT counts sectors of 512 bytes, as ESXi has it on devices with sectors of 4096 \(4Kn, SWE\): '
run "$VMFSKIT" decode --json "$loop"
is "512 on 4096: JSON" "$(jq -c '.sources[0] | [.sector_size, .readings[0].kind, .table.kind, .vmfs[0].partition]' "$OUT") $(codes)" \
	'[512,"units","gpt",1] source.sector-emulation'
exits "512 on 4096: doctor" 0 doctor "$loop"
has "512 on 4096: doctor's answer" "$OUT" '^Nothing wrong was found\.$'
hasnt "512 on 4096: no repair is offered" "$OUT" 'vmfskit repair'
exits "512 on 4096: nothing is planned" 3 repair "$loop"
has "512 on 4096: why" "$ERR" 'do nothing: the table is as ESXi needs it'
exits "512 on 4096: nor with that guard lifted" 3 repair --override reading "$loop" --store st3 --write
exits "512 on 4096: nor converted" 2 repair --convert-sectors 512 "$loop"
has "512 on 4096: what is there" "$ERR" 'the device has sectors of 4096 bytes \(4Kn\), and its table counts sectors of 512 as ESXi has it there'
has "512 on 4096: what to do" "$ERR" 'leave it as it is'
is "512 on 4096: nothing was written" "$(disk_sum five.img)" "$before"
loop_detach "$loop"

# --- an MBR counted in 4096 on a device of 512 --------------------------------------------------------------------
loop=$(loop_attach mbr.img) || exit 1
exits "an MBR of 4096 on 512: decode" 1 "$VMFSKIT" decode "$loop"
has "an MBR of 4096 on 512: the reading" "$OUT" '^This is a disk whose MBR counts sectors of 4096 bytes, and the device has sectors of 512, so hosts look in other places than it means: '
run doctor --json "$loop"
is "an MBR of 4096 on 512: doctor" "$(codes) $(jq -c '.sources[0] | [.sector_size, .volumes[0].start_sector, .volumes[0].in_table]' "$OUT")" \
	'source.sector-units [4096,256,true]'
is "an MBR of 4096 on 512: no repair is offered" "$(jq -c '[.sources[0].next[].command | values | select(test("repair"))]' "$OUT")" '[]'
exits "an MBR of 4096 on 512: no plan" 3 repair "$loop"
loop_detach "$loop"
loop=$(loop_attach mbr.img --sector-size 4096) || exit 1
ok "an MBR of 4096 on 4096: healthy" doctor "$loop"
loop_detach "$loop"
loop=$(loop_attach mbr5.img) || exit 1
ok "an MBR of 512 on 512: healthy" doctor "$loop"
loop_detach "$loop"
