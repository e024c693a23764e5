# SPDX-License-Identifier: Apache-2.0
# Disks of 64 TB with a GPT at both ends, LVM 3, 5 and 6, sectors of 512 and 4096 bytes: destroyed, put back,
# undone; sfdisk and sgdisk judge the table.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need perl
need_root "64 TB disks"
dir=$(big_dir) || { skip "64 TB disks" "no file system here holds them"; exit 0; }
disk=$dir/disk.img

# judge NAME DEVICE
judge() {
	if command -v sgdisk >/dev/null; then
		run sgdisk -v "$2"
		has "$1: sgdisk finds no problem" "$OUT" "^No problems found"
	else
		skip "$1: sgdisk" "there is none"
	fi
	if command -v sfdisk >/dev/null; then
		run sfdisk --verify "$2"
		has "$1: sfdisk finds no problem" "$OUT" "^No errors detected"
		is "$1: sfdisk has no complaint" "$(cat "$ERR")" ""
		is "$1: sfdisk reads the same table" "$(sfdisk -d "$2" | grep -v '^device:' | sed 's,^/dev/[^ ]*,,')" "$dump"
	else
		skip "$1: sfdisk" "there is none"
	fi
}

# restored KIND: from a wreck to the captured state and back
restored() {
	local name="VMFS$version, $sector-byte sectors, $1" parts="" wreck undo
	copy_disk "$dir/whole.img" "$disk"
	device=$(loop_attach "$disk" --sector-size "$sector") || { skip "$name" "no loop device"; return; }
	case $1 in
	primary) "$LAB" break --really --how primary "$device" >/dev/null || exit 1 ;;
	backup) "$LAB" break --really --how backup "$device" >/dev/null || exit 1 ;;
	*)
		"$LAB" break --really --how "$1" "$device" >/dev/null || exit 1
		"$LAB" break --really --how table "$device" >/dev/null || exit 1
		# a copy, on which nothing is left that could say whose it is
		parts="--override unidentified"
		;;
	esac
	[ "$1" = start ] && parts+=" --part table,lvm,vh,heartbeats"
	sync
	wreck=$(disk_sum "$disk")
	hasnt "$name: it is a wreck" "$wreck" "$whole"
	ok "$name: restore" "$VMFSKIT" restore --json --store "$store" "$id" "$device" $parts --write
	undo=$(undo_of "$OUT")
	judge "$name" "$device"
	sync
	is "$name: restored byte for byte" "$(disk_sum "$disk")" "$whole"
	ok "$name: undo" "$VMFSKIT" undo --store "$store" "$undo" "$device" --write
	sync
	is "$name: undone to the wreck" "$(disk_sum "$disk")" "$wreck"
	loop_detach "$device"
}

for sector in 512 4096; do
	for version in 3 5 6; do
		store=$TMP/store-$version-$sector
		rm -f "$dir/whole.img"
		if ! "$LAB" make --table gpt --vmfs "$version" --size 64T --sector-size "$sector" "$dir/whole.img" >"$TMP/made" 2>&1; then
			fail "VMFS$version, $sector-byte sectors: a disk of 64 TB" "$(cat "$TMP/made")"
			continue
		fi
		device=$(loop_attach "$dir/whole.img" --sector-size "$sector") || { skip "64 TB disks" "no loop device"; exit 0; }
		dump=$(sfdisk -d "$device" 2>/dev/null | grep -v '^device:' | sed 's,^/dev/[^ ]*,,')
		ok "VMFS$version, $sector-byte sectors: capture" "$VMFSKIT" capture --store "$store" "$device"
		id=$(newest "$store")
		loop_detach "$device"
		whole=$(disk_sum "$dir/whole.img")
		for kind in primary backup magic header start; do restored "$kind"; done
	done
done
