# SPDX-License-Identifier: Apache-2.0
# A real partition behind every kind of table: captured, destroyed, put back byte for byte, and undone.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need sfdisk perl xz
if [ -z "$SHARED" ]; then
	skip "restore of a real partition" "../shared is not there"
	exit 0
fi
real=$(real_partition) || exit 1

# make LAYOUT: $TMP/LAYOUT.img, its VMFS start sectors in $starts, its EBRs in $ebrs
make() {
	local disk=$TMP/$1.img rest=$((REAL_SECTORS + 4096)) start
	starts=
	ebrs=
	rm -f "$disk"
	case $1 in
	mbr128) starts=128; set -- "label: dos" "start=128, size=$REAL_SECTORS, type=fb" ;;
	mbr63) starts=63; set -- "label: dos" "start=63, size=$REAL_SECTORS, type=fb" ;;
	gpt2048) starts=2048; set -- "label: gpt" "start=2048, size=$REAL_SECTORS, type=$VMFS_GUID" ;;
	gpt20973535)
		starts=20973535
		set -- "label: gpt" "first-lba: 34" "start=64, size=204800, type=U" \
			"start=206848, size=8386560, type=L" "start=8595456, size=8386560, type=L" \
			"start=16984064, size=3989471, type=L" "start=20973535, size=$REAL_SECTORS, type=$VMFS_GUID"
		;;
	logical)
		starts=309248
		ebrs="206848 307200"
		set -- "label: dos" "start=2048, size=204800, type=83" \
			"start=206848, size=$((REAL_SECTORS + 106496)), type=5" \
			"start=208896, size=98304, type=83" "start=309248, size=$REAL_SECTORS, type=fb"
		;;
	twice)
		starts="128 $((128 + REAL_SECTORS + 1000))"
		set -- "label: dos" "start=128, size=$REAL_SECTORS, type=fb" \
			"start=$((128 + REAL_SECTORS + 1000)), size=$REAL_SECTORS, type=fb"
		;;
	esac
	truncate -s $(((${starts##* } + rest) * 512)) "$disk"
	printf '%s\n' "$@" | sfdisk -q --no-tell-kernel "$disk" >"$TMP/sfdisk" 2>&1 || { cat "$TMP/sfdisk" >&2; exit 1; }
	for start in $starts; do place "$real" "$disk" "$start"; done
}

# wreck KIND DISK SIZE: table; headers: and the sectors with LVM header and descriptor; start: and the first 21 MiB
wreck() {
	local at
	zero "$2" 0 $((34 * 512))
	zero "$2" $(($3 - 33 * 512)) $((33 * 512))
	for at in $ebrs; do zero "$2" $((at * 512)) 512; done
	for at in $starts; do
		case $1 in
		headers)
			zero "$2" $((at * 512 + 0x100000)) 512
			zero "$2" $((at * 512 + 0x1300000)) 512
			;;
		start) zero "$2" $((at * 512)) $((21 * 1048576)) ;;
		esac
	done
}

list_files() {
	local at
	for at in $starts; do
		dd if="$1" of="$TMP/part.img" bs=1M iflag=skip_bytes,count_bytes skip=$((at * 512)) \
			count=$((REAL_SECTORS * 512)) conv=sparse status=none
		debugvmfs "$TMP/part.img" ls / 2>&1 | sort
		rm -f "$TMP/part.img"
	done
}

# where the kernel sees partitions of a device
kernel_starts() { cat "/sys/class/block/${1#/dev/}"/*/start 2>/dev/null | sort -n; }

# cycle LAYOUT KIND TARGET: TARGET is the file or a loop device on it
cycle() {
	local name="$1, $2, ${4:-file}" disk=$TMP/$1.img parts="" sum_wreck size
	size=$(stat -c %s "$disk")
	[ "$2" = start ] && parts="--part table,lvm,vh,heartbeats"
	wreck "$2" "$disk" "$size"
	sum_wreck=$(disk_sum "$disk")
	hasnt "$name: it is a wreck" "$sum_wreck" "$sum"
	exits "$name: a dry run shows the plan" 0 "$VMFSKIT" restore --store "$store" "$id" "$3" $parts
	has "$name: and the command to paste" "$OUT" "^  vmfskit restore $id .* --write$"
	is "$name: a dry run writes nothing" "$(disk_sum "$disk")" "$sum_wreck"
	ok "$name: restore" "$VMFSKIT" restore --json --store "$store" "$id" "$3" $parts --write
	undo=$(undo_of "$OUT")
	sync
	is "$name: restored byte for byte" "$(disk_sum "$disk")" "$sum"
	ok "$name: nothing is left to do" "$VMFSKIT" restore --store "$store" "$id" "$3" $parts --write
	has "$name: and it says so" "$OUT" "nothing to change"
	ok "$name: the undo capture is sound" "$VMFSKIT" verify "$store/$undo"
	ok "$name: undo" "$VMFSKIT" undo --json --store "$store" "$undo" "$3" --write
	redo=$(undo_of "$OUT")
	sync
	is "$name: undone to the wreck" "$(disk_sum "$disk")" "$sum_wreck"
	ok "$name: the undo is undone" "$VMFSKIT" undo --json --store "$store" "$redo" "$3" --write
	sync
	is "$name: and all is back" "$(disk_sum "$disk")" "$sum"
}

for layout in mbr128 mbr63 gpt2048 gpt20973535 logical twice; do
	make "$layout"
	disk=$TMP/$layout.img
	store=$TMP/store-$layout
	sum=$(disk_sum "$disk")
	files=$(list_files "$disk")
	dump=$(sfdisk -d "$disk")
	ok "$layout: capture" "$VMFSKIT" capture --store "$store" "$disk"
	id=$(newest "$store")
	for kind in table headers start; do cycle "$layout" "$kind" "$disk"; done
	is "$layout: sfdisk reads the same table" "$(sfdisk -d "$disk")" "$dump"
	case $layout in gpt*)
		command -v sgdisk >/dev/null && ok "$layout: sgdisk has no complaint" sgdisk -v "$disk" ;;
	esac
	if command -v debugvmfs >/dev/null; then
		is "$layout: debugvmfs lists the files again" "$(list_files "$disk")" "$files"
		has "$layout: and there are some" "$files" "^thin-flat.vmdk$"
	else
		skip "$layout: debugvmfs" "there is no debugvmfs"
	fi
	if [ "$(id -u)" -eq 0 ] && device=$(loop_attach "$disk" -P); then
		store=$TMP/store-$layout-loop
		ok "$layout: capture of a loop device" "$VMFSKIT" capture --store "$store" "$device"
		id=$(newest "$store")
		known=$(kernel_starts "$device")
		cycle "$layout" start "$device" "loop device"
		if [ -n "$known" ]; then
			is "$layout: the kernel has its partitions again" "$(kernel_starts "$device")" "$known"
		else
			skip "$layout: the kernel reads the table again" "this kernel reads no tables of loop devices"
		fi
		loop_detach "$device"
	else
		skip "$layout: on a loop device" "needs root and loop devices"
	fi
	rm -rf "$disk" "$TMP"/store-*
done
