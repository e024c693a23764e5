#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The practice disks before independent judges: sfdisk, sgdisk, blkid, debugvmfs; and how they are broken.
. "$(dirname "$0")/../lib.sh"
PATH=$PATH:/usr/sbin:/sbin
need sfdisk sgdisk blkid debugvmfs truncate cmp
BIG=$(big_dir)
root=$([ "$(id -u)" -eq 0 ] && echo yes)

# --- tables x versions x sector sizes x sizes -------------------------------------------------------------

# tag VALUE-NAME FILE BYTE: what blkid sees there
tag() { blkid -p -o value -s "$1" -O "$3" "$2" 2>/dev/null; }

# judge_volume NAME FILE START-BYTE LVM-VERSION MINOR VERSION: both signatures of a volume, with the versions asked for
judge_volume() {
	local name=$1 file=$2 start=$3 version=$4 minor=$5
	is "$name: blkid sees LVM $version" "$(tag TYPE "$file" "$start") $(tag VERSION "$file" "$start")" \
		"VMFS_volume_member $version"
	if [ "$version" != "${6:-$version}" ]; then
		# blkid knows VMFS-L by its LVM header only
		is "$name: descriptor of a VMFS-L" "$(od -An -tx1 -j $((start + 0x1300000)) -N 4 "$file")" " 5f f1 ab 2f"
		return
	fi
	is "$name: blkid sees the file system" \
		"$(tag TYPE "$file" $((start + 0x1100000))) $(tag VERSION "$file" $((start + 0x1100000)))" "VMFS $minor"
	is "$name: blkid reads the label" "$(tag LABEL "$file" $((start + 0x1100000)))" "practice"
}

# judge_table NAME DEVICE KIND START SECTORS
judge_table() {
	local name=$1 device=$2 kind=$3 start=$4 sectors=$5
	ok "$name: sfdisk --verify" sfdisk --verify "$device"
	has "$name: sfdisk finds no fault" "$OUT" "No errors detected"
	is "$name: sfdisk reads the partition" \
		"$(sfdisk -d "$device" | sed -n 's/.*start= *\([0-9]*\), size= *\([0-9]*\),.*/\1 \2/p')" "$start $sectors"
	[ "$kind" = gpt ] || return
	run sgdisk -v "$device"
	has "$name: sgdisk -v" "$OUT" "No problems found"
	hasnt "$name: sgdisk warns of nothing" "$OUT" "Warning|Problem:|Error|corrupt"
}

declare -A minor=([3]=31 [5]=81 [6]=82 [5l]=81 [6l]=82)
judge_disk() {
	local kind=$1 version=$2 sector=$3 size=$4 file=$BIG/disk.img device start sectors name bytes
	name="$kind VMFS$version sector $sector $size"
	ok "$name: made" "$LAB" make --overwrite --table "$kind" --vmfs "$version" --sector-size "$sector" --size "$size" "$file"
	bytes=$(stat -c %s "$file")
	case $kind in
	mbr) start=$((sector == 512 ? 128 : 256)) sectors=$((bytes / sector - start)) ;;
	gpt) start=$((1048576 / sector)) sectors=$((bytes / sector - start - 1 - 16384 / sector)) ;;
	none) start=0 ;;
	esac
	judge_volume "$name" "$file" $((start * sector)) "${version%l}" "${minor[$version]}" "$version"
	[ "$kind" != none ] || return
	if [ "$sector" = 512 ]; then
		judge_table "$name" "$file" "$kind" "$start" "$sectors"
	elif [ -n "$root" ]; then
		device=$(loop_attach "$file" -b 4096) && judge_table "$name" "$device" "$kind" "$start" "$sectors"
		loop_detach "$device"
	else
		skip "$name: table" "needs root for sectors of 4096 bytes"
	fi
}
for version in 3 5 6; do
	for sector in 512 4096; do
		for size in 2G 1999999M 16T 64T; do
			judge_disk gpt $version $sector $size
		done
		judge_disk mbr $version $sector 1999999M
		judge_disk none $version $sector 70G
	done
done
judge_disk gpt 5l 512 64T
judge_disk gpt 6l 4096 100T
rm -f "$BIG"/*

# the tables of a 64 TB volume, read by a second program, are those the unit tests walk; here: that it is quick
SECONDS=0
ok "64 TB is made" "$LAB" make --vmfs 5 --size 64T --live 4 "$BIG/disk.img"
ok "in under 10 s" [ "$SECONDS" -lt 10 ]
ok "and takes less than 64 MiB" [ "$(du -m "$BIG/disk.img" | cut -f1)" -lt 64 ]
rm -f "$BIG/disk.img"

# --- boot layouts -----------------------------------------------------------------------------------------

efi=C12A7328-F81F-11D2-BA4B-00A0C93EC93B basic=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7
diag=9D275380-40AD-11DB-BF97-000C2911D1B8 vmfs=AA31E02A-400F-11DB-9590-000C2911D1B8
vmfsl=4EB2EA39-7855-4790-A79E-FAE495E21F8D
layout() {
	local name=$1 size=$2 expected=$3 file=$BIG/boot.img
	ok "$name: made" "$LAB" make --overwrite --layout "$name" --size "$size" "$file"
	is "$name: numbers, sectors, types" "$(sfdisk -d "$file" | sed -n \
		's/.*img\([0-9]*\) : start= *\([0-9]*\), size= *\([0-9]*\), type=\([^,]*\),.*/\1 \2 \3 \4/p' |
		while read -r n start sectors type; do echo "$n $start $((start + sectors - 1)) $type"; done)" "$expected"
	ok "$name: sfdisk --verify" sfdisk --verify "$file"
	run sgdisk -v "$file"
	has "$name: sgdisk -v" "$OUT" "No problems found"
}
fats() { # fats FILE START...: blkid sees a FAT at each
	local file=$1 start
	shift
	for start in "$@"; do
		echo "$(tag TYPE "$file" $((start * 512))) $(tag VERSION "$file" $((start * 512)))"
	done | sort -u
}
layout esxi50 20G "1 64 8191 $efi
2 1843200 10229759 $basic
3 10229760 41943006 $vmfs
5 8224 520191 $basic
6 520224 1032191 $basic
7 1032224 1257471 $diag
8 1257504 1843199 $basic"
is "esxi50: a FAT in each partition that has one" "$(fats "$BIG/boot.img" 64 8224 520224 1257504 1843200)" "vfat FAT16"
layout esxi5 40G "1 64 8191 $efi
2 7086080 15472639 $basic
3 15472640 83886046 $vmfs
5 8224 520191 $basic
6 520224 1032191 $basic
7 1032224 1257471 $diag
8 1257504 1843199 $basic
9 1843200 7086079 $diag"
is "esxi5: a FAT in each partition that has one" "$(fats "$BIG/boot.img" 64 8224 520224 1257504 7086080)" "vfat FAT16"
is "esxi5: the datastore is VMFS5" "$(tag VERSION "$BIG/boot.img" $((15472640 * 512)))" 5
is "esxi5: entries have the name that the ESXi tools leave" \
	"$(od -An -v -tx1 -j $((1024 + 2 * 128 + 56)) -N 8 "$BIG/boot.img")" " 00 00 ff ff ff ff ff ff"
layout esxi7 300G "1 64 204863 $efi
5 208896 8595455 $basic
6 8597504 16984063 $basic
7 16986112 268435455 $vmfsl
8 268437504 629145566 $vmfs"
is "esxi7: a FAT in each partition that has one" "$(fats "$BIG/boot.img" 64 208896 8597504)" "vfat FAT16"
is "esxi7: names" "$(sfdisk -d "$BIG/boot.img" | sed -n 's/.*name="\(.*\)"/\1/p' | xargs)" \
	"BOOT BOOTBANK1 BOOTBANK2 OSDATA datastore1"
is "esxi7: OSDATA is a VMFS-L" "$(od -An -tx1 -j $((16986112 * 512 + 0x1300000)) -N 4 "$BIG/boot.img")" " 5f f1 ab 2f"
is "esxi7: the datastore is VMFS6" "$(tag VERSION "$BIG/boot.img" $((268437504 * 512)))" 6
layout esxi7-small 100G "1 64 204863 $efi
5 208896 2306047 $basic
6 2308096 4405247 $basic
7 4407296 20971486 $vmfsl
8 20973535 209715166 $vmfs"
is "esxi7-small: a FAT in each partition that has one" "$(fats "$BIG/boot.img" 64 208896 2308096)" "vfat FAT16"
exits "a boot layout has sectors of 512 bytes" 2 "$LAB" make --layout esxi7 --sector-size 4096 "$BIG/x.img"
exits "a boot layout is a GPT" 2 "$LAB" make --layout esxi5 --table mbr "$BIG/x.img"
rm -f "$BIG"/*

# --- several partitions, logical ones, other kinds --------------------------------------------------------

cd "$TMP" || exit 1
ok "two volumes and a Linux partition" "$LAB" make --table mbr --volume start=63,size=4G,version=3,label=first \
	--volume size=3G,version=3,label=second,logical --volume size=3G,version=5,label=third,logical \
	--extra-partition 30000000+4096:83 many.img
is "primary and logical partitions" "$(sfdisk -d many.img | sed -n \
	's/.*img\([0-9]*\) : start= *\([0-9]*\), size= *\([0-9]*\), type=\([^,]*\)$/\1 \2 \3 \4/p')" "1 63 8388608 fb
2 8390593 12585023 5
3 30000000 4096 83
5 8390656 6291456 fb
6 14684160 6291456 fb"
ok "sfdisk takes the chain" sfdisk --verify many.img
for place in 63:first 8390656:second 14684160:third; do
	is "label of ${place#*:}" "$(tag LABEL many.img $((${place%:*} * 512 + 0x1100000)))" "${place#*:}"
done
ok "numbers may be chosen" "$LAB" make --table gpt --volume size=1G,number=5 --volume size=1G,number=2 --extra-partition \
	40+2000:vmkdiag numbers.img
is "and are kept" "$(sfdisk -d numbers.img | sed -n 's/.*img\([0-9]*\) : .*/\1/p' | xargs)" "1 2 5"

# --- the same command, the same bytes ---------------------------------------------------------------------

ok "a disk" "$LAB" make --vmfs 6 --live 5 --size 3G one.img
ok "the same once more" "$LAB" make --vmfs 6 --live 5 --size 3G two.img
same "same command, same bytes" one.img two.img
ok "with another seed" "$LAB" make --vmfs 6 --live 5 --size 3G --seed 1 --overwrite two.img
exits "other bytes" 1 cmp -s one.img two.img
exits "an existing disk is not replaced" 3 "$LAB" make one.img
has "and the reason is said" "$ERR" "exists and is not empty"

# --- debugvmfs: volumes of the lab, and its headers before the files of a real volume ---------------------

# judge_files VERSION BLOCK SIZE FILE: what a reader of others finds on a volume
judge_files() {
	local version=$1 block=$2 size=$3 file=$4 judge=debugvmfs files name
	name="VMFS$version of $size, blocks of $block"
	ok "$name" "$LAB" make --overwrite --table none --vmfs "$version" --block-size "$block" --vmfs-size "$size" --live 2 "$file"
	case $version in
	3) files=". .. .fbb.sf .fdc.sf .pbc.sf .sbc.sf .vh.sf" ;;
	5) files=". .. .fbb.sf .fdc.sf .pb2.sf .pbc.sf .sbc.sf .sdd.sf .vh.sf" ;;
	6*)
		judge=debugvmfs6 files=". .. .fbb.sf .fdc.sf .jbc.sf .pb2.sf .pbc.sf .sbc.sf .sdd.sf .vh.sf"
		command -v $judge >/dev/null || { skip "$name: files" "there is no $judge"; return; }
		;;
	esac
	is "$name: $judge lists the root" "$($judge "$file" ls / 2>/dev/null | grep -v '^VMFS version' | LC_ALL=C sort | xargs)" "$files"
	[ "$judge" = debugvmfs ] || return
	debugvmfs "$file" cat /.vh.sf >vh.sf 2>/dev/null
	ok "$name: .vh.sf holds the descriptor" cmp -i 2097152:$((0x1300000)) -n 512 vh.sf "$file"
	command -v fsck.vmfs >/dev/null || { skip "$name: fsck.vmfs" "there is none"; return; }
	run fsck.vmfs "$file"
	# it calls the journal of a host that is alive lost, on a real volume, too
	is "$name: fsck.vmfs finds nothing but the journals of two hosts" \
		"$(sed -n 's/^\(Unallocated\|Lost\|Undefined\|Orphaned\|Directory\) .*: //p' "$OUT" | xargs)" "0 2 0 0 0"
}
for block in 1M 2M 4M 8M; do
	judge_files 3 $block 2G alone.img
done
judge_files 5 1M 2G alone.img
for version in 3 5; do
	ok "VMFS$version for a count" "$LAB" make --overwrite --table none --vmfs $version --vmfs-size 20G alone.img
	ok "VMFS$version: debugvmfs counts blocks" debugvmfs alone.img df
	has "as many as the volume has" "$OUT" "^Total blocks *: 20224\$"
	has "and some of them taken" "$OUT" "^Allocated blocks : [1-9][0-9]*\$"
	ok "and its bitmaps are sound" debugvmfs alone.img check_vol_bitmaps
	has "without errors" "$OUT" "^Total errors: 0\$"
	judge_files $version 1M 64T "$BIG/alone.img"
done
for size in 300M 2G 64T; do
	judge_files 6 1M $size "$BIG/alone.img"
	judge_files 6l 1M $size "$BIG/alone.img"
done
ok "a head of one extent carries the files of a large volume" "$LAB" make --overwrite --vmfs 6 --table none --vmfs-size 280M \
	--extents "$BIG/two.img=63T" "$BIG/one.img"
rm -f "$BIG"/*

open_alone() { { ("$1" alone.img show) >alone.txt 2>&1; } 2>/dev/null; }
for version in 3 5 6; do
	judge=debugvmfs
	if [ $version = 6 ]; then
		judge=debugvmfs6
		command -v $judge >/dev/null || { skip "VMFS6 alone" "there is no $judge"; continue; }
	fi
	ok "VMFS$version alone" "$LAB" make --overwrite --table none --vmfs $version --vmfs-size 2G alone.img
	open_alone $judge
	hasnt "$judge takes LVM header and descriptor of VMFS$version" alone.txt "VMFS:|Unable|LVM|open|extent|Lun"
	cp --sparse=always alone.img whole.img
	# LVM header, descriptor, volInfo, and the file descriptor of .fdc.sf
	fd=$((version == 6 ? 0x1824000 : version == 5 ? 0x1521000 : 0x1519000))
	for at in $((0x100000)) $((0x1300000)) $((0x13000b1)) $fd; do
		cp --sparse=always whole.img alone.img
		printf '\0' | dd of=alone.img bs=1 seek=$at conv=notrunc status=none
		open_alone $judge
		has "and complains of a wrong byte at $at" alone.txt "Unable to open"
	done
done

if [ -n "$SHARED" ]; then
	unpack "$SHARED/data/vmfs3-esx35-volume/partition.img.xz" real.img
	debugvmfs real.img ls / >real.ls 2>/dev/null
	for version in 3 5; do
		ok "VMFS$version head for a real volume" "$LAB" make --overwrite --table none --vmfs $version --vmfs-size 1258435584 \
			--live 3 --label grafted graft.img
		dd if=real.img of=graft.img bs=1M skip=21 seek=21 conv=notrunc,sparse status=none
		ok "debugvmfs opens it" debugvmfs graft.img show
		has "label" "$OUT" "Label: grafted\$"
		has "version" "$OUT" "Volume Version: $((version == 3 ? 4 : 14))\$"
		has "minor version" "$OUT" "^ *Version: ${minor[$version]}\$"
		has "mode" "$OUT" "Mode: public\$"
		has "block size" "$OUT" "Block size: 1 MiB\$"
		has "sub-blocks" "$OUT" "Subblock size: $((version == 3 ? 64 : 8)) KiB\$"
		has "the UUID that blkid reads" "$OUT" "UUID: $(tag UUID graft.img $((0x1100000)))\$"
		run debugvmfs graft.img show_heartbeats
		is "debugvmfs reads three heartbeats" "$(grep -c "Magic    : 0xabcdef02" "$OUT")" 3
		debugvmfs graft.img ls / >graft.ls 2>/dev/null
		same "debugvmfs finds the files" real.ls graft.ls
	done
	# two extents each, the real volume cut in halves
	ok "a volume over two disks" "$LAB" make --overwrite --table none --vmfs 5 --vmfs-size $((0x1100000 + 2 * 0x10000000)) \
		--extents tail.img=721420288 head.img
	dd if=real.img of=head.img bs=1M skip=21 seek=21 count=508 conv=notrunc,sparse status=none
	dd if=real.img of=tail.img bs=1M skip=529 seek=17 conv=notrunc,sparse count=512 status=none
	ok "debugvmfs opens both together" debugvmfs tail.img head.img show lvm
	has "its size" "$OUT" "Size: 1 GiB\$"
	has "its extents" "$OUT" "Num. Extents: 2\$"
	debugvmfs head.img tail.img ls / >graft.ls 2>/dev/null
	same "debugvmfs finds the files across two extents" real.ls graft.ls
	# file block 600 lies 88 MiB into the second extent; its address is 600 << 6 | 1
	printf 'on the second extent' | dd of=tail.img bs=1M seek=$((17 + 88)) conv=notrunc status=none
	is "a block of the second extent" "$(debugvmfs head.img tail.img read_block 0x9601 2>/dev/null | head -c 20 | tr -d '\0')" \
		"on the second extent"
	is "which the first one alone has not" "$(debugvmfs head.img read_block 0x9601 2>/dev/null | head -c 20 | tr -d '\0')" ""

	ok "the real volume, twice on one disk" "$LAB" make --table mbr --volume start=128,image=real.img \
		--volume image=real.img,logical placed.img
	for start in $(sfdisk -d placed.img | sed -n 's/.*start= *\([0-9]*\), size= *2457882,.*/\1/p'); do
		ok "at sector $start byte for byte" cmp -n 1258435584 -i "$((start * 512)):0" placed.img real.img
	done
	ok "the real volume behind the partitions of a boot disk" "$LAB" make --overwrite --layout esxi7-small --image real.img \
		placed.img
	ok "at sector 20973535 byte for byte" cmp -n 1258435584 -i $((20973535 * 512)):0 placed.img real.img
	ok "holes stay holes" [ "$(du -m placed.img | cut -f1)" -lt 64 ]
	exits "an image is not its own disk" 2 "$LAB" make --overwrite --image real.img real.img
	ok "and is still whole" [ "$(stat -c %s real.img)" -eq 1258435584 ]
	exits "an image of half a sector" 2 "$LAB" make --overwrite --sector-size 4096 --image real.img placed.img
else
	skip "headers before the files of a real volume" "no ../shared/data"
fi
rm -f ./*.img

# --- break ------------------------------------------------------------------------------------------------

fresh() { "$LAB" make --overwrite --size 400M --live 2 "$@" disk.img >/dev/null && cp --sparse=always disk.img before.img; }
zeros() { cmp -s -n "$3" -i "$2:0" "$1" /dev/zero; }
# changed: the places that differ, as "first last" of each run that is not interrupted by more than a sector
changed() {
	cmp -l before.img disk.img | awk '{ at = $1 - 1 } NR == 1 { from = at; to = at; next }
		at > to + 512 { print from, to; from = at } { to = at } END { if (NR) print from, to }'
}
inside() { # inside FIRST END: everything that changed lies there
	changed | awk -v a="$1" -v b="$2" '$1 < a || $2 >= b { bad = 1 } END { exit bad || NR == 0 }'
}

fresh
end=$((400 << 20))
ok "break table" "$LAB" break --how table disk.img
for range in 0:512 512:16896 $((end - 16896)):16896; do
	ok "zero at ${range%:*}" zeros disk.img "${range%:*}" "${range#*:}"
done
is "blkid sees no table" "$(blkid -p -o value -s PTTYPE disk.img)" ""
ok "nothing else changed" cmp -s -i 17408 -n $((end - 17408 - 16896)) before.img disk.img
exits "no table is left to find the volume" 4 "$LAB" break --how magic disk.img
has "what to do is said" "$ERR" "--start"
ok "with its start it is found" "$LAB" break --how header --start 2048 disk.img
for at in $((0x200000)) $((0x200200)) $((0x1400000)); do
	ok "zero at $at" zeros disk.img $at 512
done

for copy in primary backup; do
	fresh
	ok "break $copy" "$LAB" break --how $copy disk.img
	run sgdisk -v disk.img
	has "sgdisk misses the $copy copy" "$OUT" "$([ $copy = primary ] && echo 'main|invalid|Caution' || echo 'backup|secondary|second')"
	case $copy in
	primary) ok "only there" inside 512 17408 ;;
	backup) ok "only there" inside $((end - 16896)) "$end" ;;
	esac
done
exits "no GPT to break on an MBR" 4 bash -c '"$LAB" make --overwrite --vmfs 3 disk.img >/dev/null && "$LAB" break --how primary disk.img'

fresh
ok "break magic" "$LAB" break --how magic disk.img
is "eight bytes" "$(cmp -l before.img disk.img | awk '{ print $1 - 1 }' | xargs)" \
	"$(seq -s ' ' $((0x200000)) $((0x200003))) $(seq -s ' ' $((0x1400000)) $((0x1400003)))"
is "blkid sees no member" "$(tag TYPE disk.img $((0x100000)))" ""

fresh --vmfs 6
ok "break header of VMFS6" "$LAB" break --how header disk.img
for at in $((0x200000)) $((0x201000)) $((0x1400000)); do
	ok "zero at $at" zeros disk.img $at 512
done
ok "heartbeats stay" cmp -s -i $((0x1500000)) -n $((4 << 20)) before.img disk.img

fresh
ok "break start" "$LAB" break --how start disk.img
ok "21 MiB are gone" zeros disk.img $((0x100000)) $((21 << 20))
ok "nothing else" inside $((0x100000)) $((0x100000 + (21 << 20)))

fresh
ok "break heartbeat-corrupt" "$LAB" break --how heartbeat-corrupt disk.img
ok "one slot" inside $((0x100000 + 0x1100000 + 3305472)) $((0x100000 + 0x1100000 + 3305472 + 512))
is "state 0" "$(od -An -tx4 -j $((0x1200000 + 3305472)) -N 4 disk.img)" " 00000000"

fresh
ok "break ntfs" "$LAB" break --how ntfs disk.img
is "blkid sees NTFS" "$(blkid -p -o value -s TYPE disk.img)" ntfs
fresh --vmfs 3 --table mbr
ok "break ntfs at the partition" "$LAB" break --how ntfs --at partition disk.img
is "an NTFS boot sector there" "$(dd if=disk.img bs=1 skip=$((128 * 512 + 3)) count=4 status=none)" NTFS
ok "and nothing before it" cmp -s -n $((128 * 512)) before.img disk.img

if command -v mkfs.ext4 >/dev/null; then
	fresh
	ok "break ext4" "$LAB" break --how ext4 disk.img
	is "blkid sees ext4" "$(tag TYPE disk.img 0)" ext4
	if [ -n "$root" ] && unshare -m true 2>/dev/null; then
		exits "without mkfs.ext4 it says so" 4 unshare -m bash -c \
			'mount -t tmpfs none /usr/sbin && mount -t tmpfs none /sbin; PATH=/nonexistent exec "$LAB" break --how ext4 disk.img'
		has "and names the package" "$ERR" "e2fsprogs"
	fi
else
	skip "break ext4" "there is no mkfs.ext4"
fi

fresh
ok "break cut" "$LAB" break --how cut --to 2M disk.img
is "2 MiB stay" "$(stat -c %s disk.img)" 2097152
exits "a cut does not lengthen" 2 "$LAB" break --how cut --to 3M disk.img
fresh
exits "cut needs a length" 2 "$LAB" break --how cut disk.img
exits "a kind is needed" 2 "$LAB" break disk.img
exits "a kind that exists" 2 "$LAB" break --how nothing disk.img
exits "a partition that exists" 4 "$LAB" break --how magic --partition 2 disk.img
exits "a partition means nothing to a table" 2 "$LAB" break --how table --partition 1 disk.img
same "none of these wrote a byte" before.img disk.img

"$LAB" make --overwrite --volume size=300M --volume size=300M disk.img >/dev/null && cp --sparse=always disk.img before.img
ok "one partition of two" "$LAB" break --how magic --partition 2 disk.img
ok "the other stays" cmp -s -n $((301 << 20)) before.img disk.img
is "eight bytes of the second" "$(cmp -l before.img disk.img | wc -l)" 8

# --- beat -------------------------------------------------------------------------------------------------

for version in 3 5 6; do
	fresh --vmfs $version
	ok "VMFS$version: hosts beat" "$LAB" beat disk.img
	is "both of them" "$(grep -c ' stamp ' "$OUT")" 2
	first=$(sed -n '1s/.*stamp //p' "$OUT")
	region=$(((version == 3 ? 128 * 512 : 1 << 20) + 0x1400000))
	ok "only in the heartbeat region" inside $region $((region + (version == 6 ? 4 : 1) * (1 << 20)))
	ok "three beats more" "$LAB" beat --every 1 --times 3 disk.img
	ok "once more" "$LAB" beat disk.img
	is "3 s each" "$(sed -n '1s/.*stamp //p' "$OUT")" $((first + 4 * 3000000))
done
fresh --live 0
exits "nobody is alive" 4 "$LAB" beat disk.img

# --- an MBR does not tell its sector size: the header of its volume does

fresh --vmfs 3 --sector-size 4096 --size 1G
ok "magic of a volume behind an MBR of large sectors" "$LAB" break --how magic disk.img
is "is where the header lies" "$(sed -n 's/^zeroed: LVM magic, .* at byte //p' "$OUT")" $((0x200000))

# --- block devices ----------------------------------------------------------------------------------------

if [ -n "$root" ]; then
	fresh
	device=$(loop_attach disk.img)
	exits "a block device is refused" 3 "$LAB" break --how table "$device"
	has "with the way around it" "$ERR" "--really"
	exits "beat refuses it too" 3 "$LAB" beat "$device"
	exits "no disk is made on a block device" 3 "$LAB" make --overwrite "$device"
	same "it is untouched" before.img disk.img
	ok "it beats when really meant" "$LAB" beat --really "$device"
	sync "$device"
	ok "which changed it" inside $((0x1500000)) $((0x1600000))
	if command -v mkfs.ext4 >/dev/null; then
		ok "it is formatted when really meant" "$LAB" break --how ext4 --really "$device"
		mkdir -p mnt
		if mount "$device" mnt 2>/dev/null; then
			exits "a mounted device is refused, really or not" 3 "$LAB" break --how table --really "$device"
			has "and why" "$ERR" "mounted or in use"
			umount mnt
		else
			skip "a mounted device is refused" "cannot mount here"
		fi
	fi
	# a name of a disk, whether there is one or not: it is refused before it is opened
	if mknod disk-of-a-host b 8 0 2>/dev/null; then
		for verb in "break --really --how table" "break --really --how ext4" "beat --really"; do
			# shellcheck disable=SC2086
			exits "${verb%% *} ${verb##* }: what is no loop device is refused, really or not" 3 "$LAB" $verb disk-of-a-host
			has "and why" "$ERR" "no loop device"
		done
		rm disk-of-a-host
	else
		skip "what is no loop device is refused" "no block special files can be made here"
	fi
else
	skip "block devices" "needs root"
fi

# --- what cannot be made ----------------------------------------------------------------------------------

rm -f ./*.img
for arguments in "--table mbr --size 64T" "--size 1M" "--vmfs 4" "--volume start=5" "--table none --extra-partition 1+1:83" \
	"--volume size=2G,logical" "--vmfs-size 100M" "--naa naa.9" "--vmfs 5 --block-size 2M" "--extra-partition 1-2" \
	"--extents a.img,a.img" "--volume size=1G --volume size=1G --extents b.img" "--start 2048 --volume size=1G"; do
	# shellcheck disable=SC2086 # words are meant to be split
	exits "refused: $arguments" 2 "$LAB" make $arguments no.img
	has "says why" "$ERR" "^vmfskit-lab[ :]+[a-z]* *.*[A-Za-z]{4}"
done
is "and nothing was left behind" "$(ls ./*.img 2>/dev/null)" ""
