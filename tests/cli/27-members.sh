#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Parts of arrays, and what only looks like one: a partition of a RAID, arrays of controllers, an old superblock in front of a volume, a
# volume without a table in an array, a label over a table, a part of a disk. Each beside the disk that is sound.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/disk.sh"
. "$ROOT/tests/wrap.sh"
PATH=$PATH:/usr/sbin:/sbin
need jq perl sfdisk
cd "$TMP" || exit 1

doctor() { "$VMFSKIT" doctor --store none --heartbeat-wait 0 "$@"; }
repair() { "$VMFSKIT" repair "$1" --no-captures --heartbeat-wait 4 --store undo "${@:2}"; }
first() { jq -r ".sources[0].readings[0].$1" "$OUT"; }
commands() { jq -r '[.sources[0].next[].command | values] | join("; ")' "$OUT"; }
# best NAME FILE KIND WHAT: the best reading, of decode and of doctor, in text and JSON
best() {
	local verb
	for verb in "$VMFSKIT decode" doctor; do
		# shellcheck disable=SC2086 # words are meant to be split
		run $verb --json "$2"
		is "$1: ${verb##*/}" "$(first kind)" "$3"
		has "$1: ${verb##*/}: what" "$(first what)" "^$4"
		# shellcheck disable=SC2086
		run $verb "$2"
		has "$1: ${verb##*/}, in words" "$OUT" "^This (is|is likely|may be) $4"
	done
}
mib=$((1 << 20))
mkdir -m 700 none # a store without captures
"$LAB" make --size 300M sound.img >/dev/null || exit 1
size=$(stat -c %s sound.img)
copy_disk sound.img table.img
zero table.img 0 $((34 * 512))
zero table.img $((size - 33 * 512)) $((33 * 512))
best "sound" sound.img disk "a whole disk"

# --- a disk of a NAS: the data are a RAID in its third partition ------------------------------------------------------
# nas LEVEL DISKS: the third partition is one of those; what lies in it looks like a LUN
nas() {
	wrap md-1.2 "${3:-sound.img}" inner.img
	bytes_into 'md(2, $ARGV[0], $ARGV[1], 2048, ($n >> 9) - 4096, 8);' inner.img "$1" "$2"
	rm -f nas.img
	truncate -s 400M nas.img
	printf '%s\n' 'label: gpt' 'size=8192, type=R' 'size=8192, type=R' 'type=R' |
		sed 's/type=R/type=A19D880F-05FC-4D3B-A006-743F0F84911E/' | sfdisk -q nas.img
	dd if=inner.img of=nas.img bs=512 seek=18432 conv=notrunc,sparse status=none
}
for level in 0 5 6; do
	nas $level 4
	before=$(disk_state nas.img)
	best "a NAS, RAID$level" nas.img member "partition 3 of a disk, in it a member of a Linux RAID \\(md 1.2, RAID$level, 4 disks\\)"
	run doctor --json nas.img
	is "a NAS, RAID$level: how it is opened" "$(first attach)" \
		"dev=\$(losetup --find --show --read-only --offset 9437184 --sizelimit $(($(sfdisk -J nas.img | jq '.partitiontable.partitions[2].size') * 512)) nas.img) && mdadm --assemble --readonly --uuid=75757575-7575-7575-7575-757575757575 /dev/md127"
	has "a NAS, RAID$level: what that needs" "$(jq -r '.sources[0].next[0].why' "$OUT")" 'once all its other disks are attached, too\. Then run vmfskit doctor on /dev/md127\.$'
	exits "a NAS, RAID$level: no table is planned" 3 repair table nas.img --write
	has "a NAS, RAID$level: why" "$ERR" "guard member refuses: this is partition 3 of a disk"
	is "a NAS, RAID$level: untouched" "$(disk_state nas.img)" "$before"
done
nas 1 2
best "a NAS, a mirror: the LUN is looked through to" nas.img carrier "partition 3 of a disk, in it a member of a Linux RAID \\(md 1.2, RAID1, 2 disks\\) with a LUN whole inside"
truncate -s 300M nothing.img
nas 1 2 nothing.img
best "a NAS, a mirror without a LUN" nas.img member "partition 3 of a disk, in it a member of a Linux RAID"
zero nas.img $((18432 * 512 + 4096)) 4096
best "the same disk without the superblock" nas.img disk "a whole disk"

# --- arrays of controllers: what shows them, and what puts them together ------------------------------------------------
for kind in ddf isw; do
	if [ $kind = ddf ]; then wrap ddf sound.img array.img; else
		copy_disk sound.img array.img && truncate -s $((size + mib)) array.img
		bytes_into 'at($n - 1024, "Intel Raid ISM Cfg Sig. 1.3.00");' array.img
	fi
	run doctor --json array.img
	has "$kind: what shows it" "$(commands)" '^dev=\$\(losetup --find --show --read-only array.img\) && (IMSM_NO_PLATFORM=1 )?mdadm --examine "\$dev"$'
	has "$kind: what puts it together" "$(jq -r '.sources[0].next[1].why' "$OUT")" \
		'blockdev --setro each disk, mdadm --assemble --readonly /dev/md/raid DISK\.\.\., mdadm --incremental /dev/md/raid\. .*what comes out\.$'
	run "$VMFSKIT" decode array.img
	has "$kind: decode says it, too" "$OUT" '^  To see what it is a part of: .*mdadm --examine'
done

# --- one header, two ways to see it: the volume's length, times and where ESXi begins decide ------------------------------------
# over NAME OFFSET: a RAID1 of that data offset over a LUN without its table
over() {
	copy_disk table.img over.img
	bytes_into 'md(2, 1, 2, $ARGV[0], ($n >> 9) - $ARGV[0], 8);' over.img "$2"
	best "$1" over.img disk "a whole disk"
	run doctor --json over.img
	hasnt "$1: nothing shrank or grew" "$OUT" 'incident.lun-(shrunk|grown)'
	is "$1: where the volume is" "$(jq -c '[.sources[0].volumes[] | .start_sector]' "$OUT")" '[2048]'
	run repair table over.img --write
	is "$1: nothing is written over it" "$CODE" 3
}
over "an old superblock, data from sector 1024 on" 1024
over "a superblock made over it, data where the volume begins" 2048
# the array's: the same offset, and the LUN begins where LUNs do in it
rm -f array.img
truncate -s $((size + mib)) array.img
lay table.img array.img $((512 << 10))
bytes_into 'md(2, 1, 2, 1024, ($n >> 9) - 2048, 8);' array.img
best "the array's LUN, data from sector 1024 on" array.img carrier "a member of a Linux RAID .* with a LUN whole inside, from byte 524288 on"

# --- a volume without a table in an array -------------------------------------------------------------------------------------
"$LAB" make --table none --vmfs 5 --size 300M --vmfs-size 300M bare.img >/dev/null || exit 1
best "a partition by itself" bare.img partition "one partition"
wrap md-1.2 bare.img array.img
best "a partition in an array" array.img carrier "a member of a Linux RAID .* with a VMFS partition whole inside, from byte $mib on"
run doctor --json array.img
is "a partition in an array: sound" "$CODE $(jq -r '.sources[0].kind' "$OUT") $(jq -r '[.sources[0].findings[].code] | join(" ")' "$OUT")" "0 partition source.carrier"
exits "a partition in an array: nothing is planned" 3 repair header array.img --write
has "a partition in an array: where writing goes" "$ERR" "write to the assembled array or volume"

# --- the label of an OSD over the table of a sound LUN ------------------------------------------------------------------------
copy_disk sound.img label.img
bytes_into 'my $l = "bluestore block device\n11111111-2222-3333-4444-555555555555\n"; at(0, $l . "\0" x (4096 - length($l)));' label.img
exits "a label of Ceph: doctor" 1 doctor --json label.img
is "a label of Ceph: what happened" "$(jq -r '[.sources[0].findings[].code] | join(" ")' "$OUT")" "incident.table-damaged incident.foreign-signature"
has "a label of Ceph: the answer" "$(jq -r '.sources[0].headline' "$OUT")" "^A part of the partition table is damaged"
exits "a label of Ceph, in words" 1 doctor label.img
hasnt "a label of Ceph: nothing was formatted" "$OUT" "formatted|made a file system|wrote into the volume"

# --- the beginning of a disk is no disk to be repaired ------------------------------------------------------------------------
head -c 26M sound.img >cut.img
exits "a part: repair header" 1 repair header cut.img --write
has "a part: as such" "$ERR" "only a part of the disk is here, the first 26 MiB .* by its GPT, and headers are repaired on the whole disk"
zero cut.img $((3 * mib - mib)) 4
exits "a part, its header damaged" 1 repair header cut.img --write
has "a part, its header damaged: as such" "$ERR" "only a part of the disk is here"
copy_disk sound.img hurt.img
zero hurt.img $((2 * mib)) 4
ok "the whole disk: repair header" repair header hurt.img
has "the whole disk: there is a plan" "$OUT" "^plan  *[0-9a-f]{32}"
