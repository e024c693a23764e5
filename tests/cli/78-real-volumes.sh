#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The three real volumes, damaged and repaired: independent readers list the same files with the same bytes, and whatever is not
# what stood there was named by the plan as not exact, behind guard guess.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

[ -n "$SHARED" ] || { skip "the real volumes" "no ../shared/data"; exit 0; }
need jq gdisk sfdisk debugvmfs debugvmfs6
cd "$TMP" || exit 1

# whole disks: 2021's with the primary GPT that gdisk makes from the backup, 2009's on an MBR
disk_of() { # disk_of NAME: makes NAME.img, sets start (sector), size (of the partition, bytes) and reader
	case $1 in
	vmfs3)
		start=128 size=1258435584 reader=debugvmfs
		truncate -s $((size + 128 * 512 + (1 << 20))) vmfs3.img
		place "$(real_partition)" vmfs3.img 128
		rm -f real.img
		echo "128,$REAL_SECTORS,fb" | sfdisk -q --no-reread vmfs3.img >/dev/null 2>&1
		return
		;;
	vmfs5) start=2048 size=534774272 reader=debugvmfs total=536870912 ;;
	vmfs6) start=2048 size=1071645184 reader=debugvmfs6 total=1073741824 ;;
	esac
	unpack "$SHARED/data/$1-esxi-2021/disk-from-lba-2048.img.xz" part.img
	truncate -s $total "$1.img"
	place part.img "$1.img" 2048
	rm -f part.img
	printf '1\nr\nb\nc\ny\nw\ny\n' | gdisk "$1.img" >/dev/null 2>&1
}

# what debugvmfs says, without the line in front of everything that debugvmfs6 says
read_volume() { if [ $reader = debugvmfs6 ]; then debugvmfs6 volume.img "$@" 2>/dev/null | tail -n +2; else debugvmfs volume.img "$@" 2>/dev/null; fi; }
# volume DISK: the partition as an image of its own; the listing of its folders and the sum of each file
volume() {
	local file
	dd if="$1" of=volume.img bs=1M iflag=skip_bytes,count_bytes skip=$((start * 512)) count=$size conv=sparse status=none
	read_volume ls -l /
	[ $reader$start = debugvmfs128 ] || read_volume ls -l /directory
	# the file .vh.sf is the headers themselves, and three others are large
	for file in $(read_volume ls / | grep -v -x -e '\.\.*' -e '\.vh\.sf' -e '\.sdd\.sf' -e '\.[sj]bc\.sf' -e '\.fdc\.sf' -e directory) \
		directory/file4 directory/file5; do
		[ "$reader$start$file" = "debugvmfs128directory/file4" ] && break
		echo "$file $(read_volume cat "/$file" | sha256sum)"
	done
	rm -f volume.img
}

# not_named DISK DAMAGED WAS PLAN: bytes that were written, are not what stood there and were not named as not exact; ten at most
not_named() {
	cmp -l "$3" "$1" | awk '{ print $1 - 1 }' >differ
	cmp -l "$2" "$1" | awk '{ print $1 - 1 }' >written
	# what is left as it was is told in words
	if [ -s differ ] && [ "$(jq '.guessed or (.lost | length) > 0' "$4")" != true ]; then
		echo "nothing is said of byte $(head -n 3 differ | xargs)"
		return
	fi
	comm -12 <(sort differ) <(sort written) >changed
	if [ -s changed ] && [ "$(jq .guessed "$4")" != true ]; then
		echo "no guard: $(head -n 3 changed | xargs)"
		return
	fi
	jq -r --argjson base $((start * 512)) '
		(.header.fields // [] | .[] | select(.exact | not) | "\($base + .at) \(.length)"),
		(.table.parts // [] | .[] | select(.rewritten) | "\(.offset) \(.length)")' "$4" >named
	awk 'NR == FNR { at[n] = $1; end[n++] = $1 + $2; next }
		{ for (i = 0; i < n; i++) if ($1 >= at[i] && $1 < end[i]) next; print }' named changed | head -n 10 | xargs
}

# repaired NAME WHAT VERB OPTIONS...: disk.img as it is now, written; guard guess is lifted only where the plan asks for it
repaired() {
	local name=$1 verb=$2 lift=
	shift 2
	copy_disk disk.img damaged.img
	run "$VMFSKIT" repair "$verb" disk.img "$@" --store st --no-captures --json
	cp "$TMP/.stdout" plan.json
	case "$(objected plan.json)" in
	"") ;;
	guess) lift="--override guess" ;;
	*) fail "$name: only guard guess objects" "$(objected plan.json)" ;;
	esac
	is "$name: guard guess stands where something is not known" "$(jq .guessed plan.json)" "$([ -n "$lift" ] && echo true || echo false)"
	# shellcheck disable=SC2086
	run "$VMFSKIT" repair "$verb" disk.img "$@" --store st --no-captures $lift --write
	[ "$CODE" -le 1 ] && has "$name: written" "$OUT" 'written' || fail "$name: written" "$(cat "$TMP/.stderr")"
	is "$name: whatever differs is named as not exact" "$(not_named disk.img damaged.img "$volume.img" plan.json)" ""
	volume disk.img >now
	same "$name: $reader lists the same, every file has its sum" now was
	rm -rf st
}

damaged() { copy_disk "$volume.img" disk.img; }
header() { zero disk.img $((start * 512 + 0x100000)) 512; }
descriptor() { zero disk.img $((start * 512 + 0x1300000)) 512; }

# what the readers must say, from the reference data
file5=227c62ef44ec9d9d4dbda23feaf622078a496368e919980afcd786acd9f455c4

for volume in vmfs3 vmfs5 vmfs6; do
	disk_of $volume
	volume $volume.img >was
	if [ $volume = vmfs3 ]; then has "$volume: $reader reads it" was 'thin-flat.vmdk'; else has "$volume: $reader reads it" was "file5 $file5"; fi

	damaged
	zero disk.img 0 $((34 * 512))
	[ $volume = vmfs3 ] || zero disk.img $((total - 33 * 512)) $((33 * 512))
	repaired "$volume, table wiped" table

	damaged
	header
	repaired "$volume, LVM header zeroed" header --partition 1

	damaged
	descriptor
	repaired "$volume, descriptor zeroed" header --partition 1

	damaged
	header
	descriptor
	repaired "$volume, LVM header and descriptor zeroed" header --partition 1

	damaged
	is "$volume, undamaged: nothing to repair in the table" \
		"$("$VMFSKIT" repair table disk.img --store none --no-captures --json 2>/dev/null | jq -c '[(.edits | length), .guessed, (.lost | length)]')" '[0,false,0]'
	is "$volume, undamaged: nor in the headers" \
		"$("$VMFSKIT" repair header disk.img --store none --no-captures --json 2>/dev/null | jq -c '[(.edits | length), .guessed, (.lost | length)]')" '[0,false,0]'
	run "$VMFSKIT" doctor disk.img --store none
	has "$volume, undamaged: doctor finds nothing wrong" "$OUT" '^Nothing wrong was found'
	hasnt "$volume, undamaged: doctor advises no repair" "$OUT" 'vmfskit repair'
	rm -f "$volume.img" disk.img
done
