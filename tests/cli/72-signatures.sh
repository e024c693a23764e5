#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A GPT of which only the signatures are gone, as wipefs and installers leave it: told by decode and doctor, and put back byte for byte.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need jq wipefs sfdisk perl blkid
cd "$TMP" || exit 1
mkdir -m 700 nowhere # a store without captures

"$LAB" make --table gpt --vmfs 5 --size 2G now.img >/dev/null || exit 1
whole=$(disk_sum now.img)
end=$(stat -c %s now.img)
repair() { "$VMFSKIT" repair table --no-captures "$@"; }
doctor() { "$VMFSKIT" doctor --store nowhere --heartbeat-wait 0 "$@"; }
codes() { jq -r '[(.findings, .sources[0].findings | values)[].code] | unique | join(" ")' "$OUT"; }
# patch OFFSET TEXT: of disk.img
patch() { printf '%b' "$2" | dd of=disk.img bs=1 seek="$1" conv=notrunc status=none; }
# put_back NAME: disk.img becomes what it was, with no guard lifted and nothing guessed
put_back() {
	ok "$1: planned" repair --json disk.img
	is "$1: nothing is a guess, nothing lost, nothing new" \
		"$(jq -c '[.guessed, .table.doubts, .lost, .table.disk_guid_fresh, ([.table.entries[] | select(.bytes_exact | not)] | length)]' "$OUT")" \
		'[false,[],[],false,0]'
	hasnt "$1: no checksum is missing" "$OUT" 'no checksum is left'
	ok "$1: repaired" repair --store st --write disk.img
	is "$1: every byte" "$(disk_sum disk.img)" "$whole"
	ok "$1: and healthy" doctor disk.img
}

# --- the same disk healthy -------------------------------------------------------------------------------
ok "healthy: decode" "$VMFSKIT" decode --json now.img
is "healthy: nothing is said of signatures" "$(jq -c '[.sources[0].table.signatures_lost, (.findings | length)]' "$OUT")" '[null,0]'

# --- wipefs -a ---------------------------------------------------------------------------------------------
copy_disk now.img disk.img
wipefs -a -f -q disk.img
is "wipefs: systems see nothing" "$(blkid -p -o value -s PTTYPE disk.img)" ""
exits "wipefs: decode" 1 "$VMFSKIT" decode disk.img
has "wipefs: decode tells" "$OUT" '^Partition table: gpt; only its signatures are gone, so systems see no table$'
has "wipefs: the partition is shown" "$OUT" '^ +1 +2048 +4192223 .* VMFS$'
run "$VMFSKIT" decode --json disk.img
is "wipefs: JSON" "$(jq -c '.sources[0].table | [.kind, .read_from, .signatures_lost, .partitions[0].start_sector]' "$OUT")" '["gpt","primary",true,2048]'
is "wipefs: findings" "$(codes)" 'gpt.protective-mbr gpt.signature-lost'
exits "wipefs: doctor" 1 doctor disk.img
has "wipefs: the headline" "$OUT" '^Only the signatures of the partition table are gone .*The volume.s headers are intact'
has "wipefs: what is gone" "$OUT" '^  primary GPT header: only its signature is gone, sector 1$'
has "wipefs: of sector 0" "$OUT" '^  protective MBR: only its last two bytes, 55 aa, are gone, sector 0$'
run doctor --json disk.img
is "wipefs: doctor JSON" "$(codes) $(jq -r '.sources[0].headline' "$OUT" | cut -d '(' -f 1)" \
	'incident.table-lost Only the signatures of the partition table are gone '
run repair disk.img
hasnt "wipefs: the end of the disk is nobody else's" "$OUT" 'no copy of a GPT any more'
has "wipefs: ESXi sees no table" "$OUT" '^partedUtil mklabel /vmfs/devices/disks/DEVICE gpt$'
put_back wipefs

# --- whatever stands there instead -------------------------------------------------------------------------
for instead in 'EFI PARX' '\x01\x02\x03\x04\x05\x06\x07\x08' '\xff\xff\xff\xff\xff\xff\xff\xff'; do
	copy_disk now.img disk.img
	patch 512 "$instead"
	patch $((end - 512)) "$instead"
	run "$VMFSKIT" decode --json disk.img
	is "$instead: findings" "$(codes)" 'gpt.signature-lost'
	put_back "$instead"
done
copy_disk now.img disk.img
patch 512 '\0\0\0\0\0\0\0\0'
run "$VMFSKIT" decode --json disk.img
is "only the primary: the table is the backup's" "$(jq -c '[(.sources[0].table | .read_from, .signatures_lost)] + [.findings[].code]' "$OUT")" \
	'["backup",null,"gpt.signature-lost"]'
put_back "only the primary"

# --- where more than the signature is gone, that is not said -------------------------------------------------
copy_disk now.img disk.img
wipefs -a -f -q disk.img
for at in $((512 + 0x38)) $((end - 512 + 0x38)); do patch "$at" '\x55\x66\x77\x88'; done
run "$VMFSKIT" decode --json disk.img
is "the disk GUID gone, too: no table" "$(jq -r '.sources[0].table.kind' "$OUT") $(codes)" 'none table.hidden-vmfs table.none'
run repair --json disk.img
is "the disk GUID gone, too: it is lost" "$(jq -c '[.guessed, (.lost | any(test("disk GUID is lost")))]' "$OUT")" '[true,true]'

# --- where another table, or something else, took its place --------------------------------------------------
copy_disk now.img disk.img
printf 'label: dos\nstart=4096, size=8192, type=83\n' | sfdisk -q --wipe always disk.img >"$OUT" 2>&1
run "$VMFSKIT" decode --json disk.img
is "an MBR of today: it is the table" "$(jq -c '.sources[0].table | [.kind, .signatures_lost]' "$OUT")" '["mbr",null]'
hasnt "an MBR of today: no signature is missed" "$OUT" 'signature-lost'
copy_disk now.img disk.img
wipefs -a -f -q disk.img
patch 512 'LABELONE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0LVM2 001'
run "$VMFSKIT" decode --json disk.img
is "a label of LVM2 over the header: no table" "$(jq -r '.sources[0].table.kind' "$OUT")" none
hasnt "a label of LVM2 over the header: no signature is missed" "$OUT" 'signature-lost'

# --- sectors of 4096 bytes ----------------------------------------------------------------------------------
"$LAB" make --table gpt --vmfs 6 --sector-size 4096 --size 2G four.img >/dev/null || exit 1
copy_disk four.img disk.img
whole=$(disk_sum four.img)
patch 4096 '\0\0\0\0\0\0\0\0'
patch $((end - 4096)) '\0\0\0\0\0\0\0\0'
run "$VMFSKIT" decode --json disk.img
is "4096: told" "$(jq -c '[.sources[0].sector_size, .sources[0].table.signatures_lost]' "$OUT")" '[4096,true]'
put_back "4096"
