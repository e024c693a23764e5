#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Collects from the disks of a host where vmfskit cannot run (ESXi, an ESX console) what vmfskit import makes captures of.
#
# Runs under any POSIX shell, also that of busybox; needs dd, ls, mkdir, rm, date, and hexdump or od. The disks are only read.
# Everything happens in functions, so that a shell that is fed this text (sh -s) has all of it before anything is read.

help() {
	cat <<'TEXT'
usage: vmfskit-collect.sh [-o DIR] [-s BYTES] [DISK...]
       ssh HOST sh -s <vmfskit-collect.sh >HOST.tar
       ssh HOST sh -s -- -s 4096 /dev/disks/NAME <vmfskit-collect.sh >HOST.tar

Reads of each DISK the partition table with all its copies and, of each VMFS
partition, the LVM region, the volume header (.vh.sf) and the heartbeats:
about 21 MiB. Without DISK: all of /vmfs/devices/disks or /dev/disks (without
vml.* and partitions), else those of /sys/block.

The result is for "vmfskit import". It goes to standard output as a tar, or
with -o into a folder. What one disk needs at a time, at most 256 MiB, is kept
in $TMPDIR or /tmp meanwhile. The disks are only read.

  -o DIR    write the folder DIR, which must not exist yet
  -s BYTES  size of a logical sector, 512 or 4096, where a disk without GPT
            does not tell
  -h        this text

Says nothing when all went well. Exit code 0: all was collected; 1: a disk or
a part of one could not be read, the others are there; 2: usage; 4: the result
could not be written, or a program that this needs does not work here: what
there is then, is not complete.
TEXT
}

say() { printf 'vmfskit-collect: %s\n' "$*" >&2; }

die() {
	say "$*"
	exit 4
}

# broken PROGRAM: it worked when it was tried and no longer does; what was to come of this disk by it is missing
broken() {
	case $faulty in *" $1 "*) return 0 ;; esac
	faulty="$faulty$1 " status=incomplete failed=4
	say "$disk: $1 does not work any more: not all of it could be collected"
	note "broken $1"
}

# --- numbers and bytes

# all the bytes of a file, at most $2, as words of two digits
dump() {
	if [ "$dumper" = hexdump ]; then
		hexdump -v -n "$2" -e '1/1 "%02x "' "$1"
	else
		od -An -v -tx1 -N "$2" "$1"
	fi
}

# words FILE COUNT: its first bytes are then $bytes; false, and $bytes empty, when the dumper did not show that many
words() {
	bytes=$(dump "$1" "$2" 2>"$work/err") && counted "$2" && return
	bytes=
	broken "$dumper"
	return 1
}

# counted COUNT: whether $bytes is that many words
counted() {
	wanted=$1
	# shellcheck disable=SC2086
	set -- $bytes
	[ $# -eq "$wanted" ]
}

# hex OFFSET LENGTH: $value is these bytes of the sector that was read last
hex() {
	offset=$1 length=$2 value=
	# shellcheck disable=SC2086
	set -- $bytes
	[ $# -ge $((offset + length)) ] || return 1
	shift "$offset"
	while [ "$length" -gt 0 ]; do
		value=$value$1
		shift
		length=$((length - 1))
	done
}

# little BYTE...: $value is that little-endian number; what needs the last bit of 64 is as good as infinite
little() {
	value=
	for byte; do value=$byte$value; done
	case $# in
	8) case $value in [89abcdef]*) value=7fffffffffffffff ;; esac ;;
	esac
	value=$((0x$value))
}

# number OFFSET LENGTH: of the sector that was read last
number() {
	hex "$1" "$2" || return 1
	rest=$value
	set --
	while [ -n "$rest" ]; do
		set -- "$@" "${rest%"${rest#??}"}"
		rest=${rest#??}
	done
	little "$@"
}

# --- reading

# copy BLOCKS ARGUMENT...: whether dd copied exactly that many. A disk can make it fail; where it does not start, or dies, the
# fault is not the disk's.
copy() {
	blocks=$1
	shift
	dd "$@" 2>"$work/dd"
	dd_code=$?
	[ "$dd_code" -lt 126 ] || broken dd
	while read -r records word way; do
		[ "$word $way" = "records out" ] && [ "$records" = "$blocks+0" ] && return
	done <"$work/dd"
	while read -r line; do
		case $line in *"space left"*) die "there is no room in $place" ;; esac
	done <"$work/dd"
	return 1
}

# append OFFSET LENGTH FILE: in the largest blocks that meet the place exactly; false when not all of it came
append() {
	at=$1 end=$(($1 + $2)) to=$3
	while [ "$at" -lt "$end" ]; do
		block=$sector
		stop=$((at / 65536 * 65536 + 65536))
		for try in 65536 1048576; do
			if [ $((at % try)) -eq 0 ] && [ $((end - at)) -ge "$try" ]; then
				block=$try
				stop=$((at / 1048576 * 1048576 + 1048576))
			fi
		done
		[ "$block" -eq 1048576 ] && stop=$end
		[ "$stop" -gt "$end" ] && stop=$end
		count=$(((stop - at) / block))
		copy "$count" if="$disk" bs="$block" skip=$((at / block)) count="$count" >>"$to" || return 1
		at=$((at + count * block))
	done
}

# read_sector LBA: its first 512 bytes are then $bytes
read_sector() {
	bytes=
	[ "$1" -lt 140737488355328 ] || return 1
	# a dd that cannot seek behind the end would read the whole disk to get there
	[ "$limit" -eq 0 ] || [ "$1" -lt $((limit / sector)) ] || return 1
	rm -f "$work/sector"
	append $(($1 * sector)) "$sector" "$work/sector" || return 1
	words "$work/sector" 512
}

# --- the result

# zeros COUNT: that many
zeros() {
	left=$1
	while [ "$left" -gt 0 ]; do
		printf '\000' || return
		left=$((left - 1))
	done
}

# header NAME SIZE CHECKSUM: a tar header
header() {
	printf '%s' "$1"
	zeros $((100 - ${#1}))
	printf '0000400\0000000000\0000000000\000%011o\000%011o\000%s\000 0' "$2" "$seconds" "$3"
	zeros 100
	printf 'ustar\00000'
	zeros 247
}

# put FILE: a file of $work/out or of $out is complete; in a tar it leaves the place
put() {
	[ -z "$out" ] || return 0
	size_of "$place/$1"
	# the checksum counts itself as eight blanks, two of which are written as they are or as zero
	header "vmfskit-collect/$1" "$size" '      ' >"$work/header" || die "there is no room in $place"
	sum=32
	words "$work/header" 512 || die "the tar cannot be written"
	for byte in $bytes; do sum=$((sum + 0x$byte)); done
	header "vmfskit-collect/$1" "$size" "$(printf '%06o' "$sum")" >"$work/header"
	copy 1 if="$work/header" bs=512 || die "the tar cannot be written"
	copy $(((size + 511) / 512)) if="$place/$1" bs=512 conv=sync || die "the tar cannot be written"
	rm -f "$place/$1"
}

note() { printf '%s\n' "$*" >>"$index" || die "$index cannot be written"; }

# size_of FILE: $size, the fifth word of ls; on ESXi of a disk, too
size_of() {
	# shellcheck disable=SC2046
	set -- $(ls -lndL "$1" 2>"$work/err" || ls -lnd "$1" 2>"$work/err")
	size=${5:-}
	case $size in '' | *[!0-9]*) size=0 ;; esac
}

sums() {
	[ -n "$digester" ] || return 0
	told=$($digester "$place/$1" 2>"$work/err")
	told=${told%% *}
	case ${#told}-$told in *-*[!0-9a-f]*) ;; 64-* | 32-*) note "$digester $1 $told" && return ;; esac
	broken "$digester"
}

# piece KIND OFFSET LENGTH: one file; where a part cannot be read, several around it
piece() {
	name=$folder/$1-$2.raw
	case $done in *" $name "*) return 0 ;; esac
	if [ "$faults" -lt 64 ]; then
		rm -f "$place/$name"
		if append "$2" "$3" "$place/$name"; then
			done="$done$name "
			note "piece $name $2 $3"
			sums "$name"
			put "$name"
			pieces=$((pieces + 1))
			return 0
		fi
		rm -f "$place/$name"
		if [ "$3" -gt "$sector" ]; then
			piece "$1" "$2" $(($3 / sector / 2 * sector))
			piece "$1" $(($2 + $3 / sector / 2 * sector)) $(($3 - $3 / sector / 2 * sector))
			return 0
		fi
		faults=$((faults + 1))
	fi
	note "unreadable $2 $3"
	status=incomplete
}

# save KIND START END: what of it lies on the disk
save() {
	save_end=$3
	[ "$limit" -eq 0 ] || [ "$save_end" -le "$limit" ] || save_end=$limit
	save_length=$(((save_end - $2) / sector * sector))
	[ "$2" -ge "$save_end" ] || [ "$save_length" -le 0 ] || piece "$1" "$2" "$save_length"
}

# --- one disk

# $size of the disk, 0 when nothing tells; the texts of the programs that were asked are kept
find_size() {
	size=0
	base=${disk##*/}
	if [ -r "/sys/class/block/$base/size" ]; then
		read -r size <"/sys/class/block/$base/size"
		size=$((size * 512))
		[ "$size" -eq 0 ] || return 0
	fi
	[ -b "$disk" ] || [ -c "$disk" ] || size_of "$disk"
	if [ "$size" -eq 0 ]; then
		size=$(blockdev --getsize64 "$disk" 2>"$work/err") || size=0
		case $size in '' | *[!0-9]*) size=0 ;; esac
	fi
	[ "$size" -ne 0 ] || size=$told_size
}

# What partedUtil or fdisk say is kept for people; $told_size is the size in it. Which of them there is only running them tells: a
# busybox knows names of what it cannot run.
ask_tools() {
	told_size=0 told=$folder/partedUtil.txt
	partedUtil getptbl "$disk" >"$place/$told" 2>&1
	if [ $? -lt 126 ]; then
		while read -r cylinders heads sectors total rest; do
			case $cylinders$heads$sectors$total in *[!0-9]* | '') continue ;; esac
			[ -n "$total" ] && [ -z "$rest" ] && told_size=$((total * 512)) && break
		done <"$place/$told"
	else
		rm -f "$place/$told"
		told=$folder/fdisk.txt
		fdisk -l "$disk" >"$place/$told" 2>&1
		if [ $? -ge 126 ]; then
			rm -f "$place/$told"
			return 0
		fi
		while read -r line; do
			last=
			case $line in Disk*bytes*) ;; *) continue ;; esac
			for word in $line; do
				case $word in bytes | bytes,) told_size=$last && break 2 ;; esac
				last=$word
			done
		done <"$place/$told"
		case $told_size in '' | *[!0-9]*) told_size=0 ;; esac
	fi
	note "text $told"
	put "$told"
}

# a GPT header stands where a logical sector ends, and at the end of the disk once more
find_sector_size() {
	base=${disk##*/}
	sector=512
	[ -r "/sys/class/block/$base/queue/logical_block_size" ] &&
		read -r sector <"/sys/class/block/$base/queue/logical_block_size"
	[ -z "$forced_sector" ] || sector=$forced_sector
	case $sector in 512 | 4096) ;; *) sector=512 ;; esac
	[ -z "$forced_sector" ] || return 0
	first=$sector
	for sector in "$first" 512 4096; do
		read_sector 1 && hex 0 8 && [ "$value" = "$efi_part" ] && return
	done
	for sector in "$first" 512 4096; do
		[ "$limit" -gt 0 ] && read_sector $((limit / sector - 1)) && hex 0 8 && [ "$value" = "$efi_part" ] && return
	done
	sector=$first
}

# partition START SECTORS KIND: 1 VMFS, x extended, 0 any other
partition() {
	if [ "$1" -gt 0 ] && [ "$1" -lt 140737488355328 ] && [ "$2" -gt 0 ] && [ "$2" -lt 140737488355328 ]; then
		case " $partitions " in *" $1/$2/$3 "*) return 0 ;; esac
		partitions="$partitions$1/$2/$3 "
		count_partitions=$((count_partitions + 1))
		if [ "$limit" -eq 0 ] && [ $((($1 + $2) * sector)) -gt "$least" ]; then least=$((($1 + $2) * sector)); fi
	fi
	return 0
}

# boot_record LBA EXTENDED-START: entries of sector 0, or of a link of the chain
boot_record() {
	read_sector "$1" || return 0
	hex 510 2
	[ "$1" -eq 0 ] || [ "$value" = 55aa ] || return 0
	for entry in 446 462 478 494; do
		hex $((entry + 4)) 1 || return 0
		type=$value
		number $((entry + 8)) 4
		first=$value
		number $((entry + 12)) 4
		case $1-$entry in
		0-* | *-446) ;;
		*-462) type=next ;;
		*) return 0 ;;
		esac
		case $type-$value in
		00-* | ee-* | *-0) ;;
		next-*) next=$((first + $2)) ;;
		05-* | 0f-* | 85-*)
			partition $((first + $1)) "$value" x
			[ "$1" -ne 0 ] || [ "$next" -ne 0 ] || next=$first
			;;
		fb-*) partition $((first + $1)) "$value" 1 ;;
		*) partition $((first + $1)) "$value" 0 ;;
		esac
	done
}

mbr() {
	next=0
	boot_record 0 0
	extended=$next links=" " count_links=0
	while [ "$next" -ne 0 ] && [ "$count_links" -lt 128 ]; do
		link=$next
		case $links in *" $link "*) break ;; esac
		links="$links$link " count_links=$((count_links + 1)) next=0
		boot_record "$link" "$extended"
	done
}

# gpt_entries: of the copy whose header was read last, at most 2 MiB
gpt_entries() {
	array=0 array_bytes=0
	number 72 8 && array=$value && number 80 4 && entries=$value && number 84 4 && entry_bytes=$value || return 0
	case $entry_bytes in 128 | 256 | 512 | 1024 | 2048 | 4096) ;; *) entries=0 ;; esac
	[ "$entries" -le 16384 ] && [ "$array" -lt 140737488355328 ] || entries=0 array=0
	array_bytes=$(((entries * entry_bytes + sector - 1) / sector * sector))
	[ "$array_bytes" -le 2097152 ] || array_bytes=0
	chunk=0
	while [ "$chunk" -lt "$array_bytes" ] && [ "$count_partitions" -lt 256 ]; do
		want=$((array_bytes - chunk))
		[ "$want" -le 16384 ] || want=16384
		rm -f "$work/entries"
		[ "$limit" -eq 0 ] || [ $((array * sector + chunk + want)) -le "$limit" ] || return 0
		append $((array * sector + chunk)) "$want" "$work/entries" && words "$work/entries" "$want" || return 0
		gpt_chunk "$entry_bytes" $(((entries * entry_bytes - chunk) / entry_bytes))
		chunk=$((chunk + 16384))
	done
}

# gpt_chunk BYTES COUNT: entries in $bytes
gpt_chunk() {
	step=$1 left=$2
	# shellcheck disable=SC2086
	set -- $bytes
	while [ $# -ge "$step" ] && [ "$left" -gt 0 ] && [ "$count_partitions" -lt 256 ]; do
		type=$1$2$3$4$5$6$7$8$9${10}${11}${12}${13}${14}${15}${16}
		case $type in
		*[!0]*)
			little "${33}" "${34}" "${35}" "${36}" "${37}" "${38}" "${39}" "${40}"
			first=$value
			little "${41}" "${42}" "${43}" "${44}" "${45}" "${46}" "${47}" "${48}"
			case $type in "$vmfs_type" | "$vmfsl_type") type=1 ;; *) type=0 ;; esac
			[ "$value" -lt "$first" ] || partition "$first" $((value - first + 1)) $type
			;;
		esac
		shift "$step"
		left=$((left - 1))
	done
}

# header_at LBA: whether a GPT header stands there; it is then $bytes
header_at() { read_sector "$1" && hex 0 8 && [ "$value" = "$efi_part" ]; }

# both copies; each is read on its own
gpt() {
	gpt=0 alternate=0 backup=0 backup_array=0 array_at=0 array_end=0
	if header_at 1; then
		gpt=1
		number 32 8 && alternate=$value
		gpt_entries
		array_at=$((array * sector)) array_end=$((array * sector + array_bytes))
		if [ "$limit" -eq 0 ] && [ "$alternate" -lt 140737488355328 ] && [ $(((alternate + 1) * sector)) -gt "$least" ]; then
			least=$(((alternate + 1) * sector))
		fi
	fi
	for copy in $((limit / sector - 1)) "$alternate"; do
		[ "$copy" -gt 1 ] && header_at "$copy" || continue
		gpt=1 backup=$copy
		gpt_entries
		backup_array=$array
		break
	done
}

# what stands at the end; a disk that was grown keeps its copy where the end was
gpt_tail() {
	last=$((known / sector * sector))
	[ "$gpt" -eq 1 ] && [ "$last" -ge $((67 * sector)) ] || return 0
	tail=$((last - 33 * sector))
	start=$tail
	if [ "$backup" -ne 0 ]; then
		start=$((backup * sector))
		[ "$backup_array" -le 0 ] || [ $((backup_array * sector)) -ge "$start" ] || start=$((backup_array * sector))
	fi
	if [ "$start" -lt "$tail" ] && [ $((last - start)) -le 4194304 ]; then tail=$start; fi
	save gpt-tail "$tail" "$last"
	if [ "$start" -lt "$tail" ] && [ $(((backup + 1) * sector - start)) -le 4194304 ]; then
		save gpt-backup "$start" $(((backup + 1) * sector))
	fi
}

head_and_chain() {
	# which of several tables counts is decided where they are decoded: the most that a head can be is little
	head_end=1048576
	save head 0 "$head_end"
	[ "$array_end" -le "$head_end" ] || save gpt-entries "$array_at" "$array_end"
	for link in $links; do
		save ebr $((link * sector)) $(((link + 1) * sector))
	done
}

# --- one VMFS partition

# extended START-BYTE END-BYTE OFFSET: the chain of further LVM regions
extended_regions() {
	next=$3 before=0 regions=0
	while [ "$next" -gt "$before" ] && [ "$next" -lt 1125899906842624 ] && [ "$regions" -lt 64 ]; do
		[ $((next % sector)) -eq 0 ] && read_sector $((($1 + next) / sector)) || return 0
		before=$next regions=$((regions + 1))
		hex 0 4
		[ "$value" = 0dd001c0 ] || return 0
		number 8 8
		region=$((value - next))
		[ "$region" -gt 0 ] || return 0
		[ "$region" -le 268435456 ] || region=17825792
		number 16 8
		next=$value
		region_end=$(($1 + before + region))
		[ "$region_end" -le "$2" ] || region_end=$2
		save lvm-ext $(($1 + before)) "$region_end"
	done
}

# the length of the volume's start up to where .vh.sf ends, from its descriptor
volume_start() {
	vh=4194304
	read_sector "$1" && hex 0 4 || return 0
	case $value in 5ef1ab2f | 5ff1ab2f | 60f1ab2f | 61f1ab2f) ;; *) return 0 ;; esac
	number 161 8
	case $value in 1048576 | 2097152 | 4194304 | 8388608) vh=$value ;; *) return 0 ;; esac
	[ "$vh" -ge 4194304 ] || vh=4194304
	number 4 4
	[ "$value" -ge 24 ] || return 0
	number 308 4
	case $value in 512 | 1024 | 2048 | 4096 | 8192 | 16384 | 32768) ;; *) return 0 ;; esac
	vh=$(((3145728 + 1024 * value + 1048575) / 1048576 * 1048576))
}

# vmfs START SECTORS: everything in front of the files
vmfs() {
	base=$(($1 * sector)) bound=$((base + $2 * sector))
	data=17825792 more=0 first_extent=0
	if read_sector $(($1 + 1048576 / sector)) && hex 0 4 && [ "$value" = 0dd001c0 ]; then
		number 122 8
		[ "$value" -le 1048576 ] || [ "$value" -gt 268435456 ] || [ $((value % sector)) -ne 0 ] || data=$value
		number 194 8
		more=$value
		number 4 4
		table=512
		if [ "$value" -ge 6 ]; then
			number 202 4
			table=$value
		fi
		if read_sector $(($1 + (1048576 + table) / sector)); then
			# with sectors of 4096 bytes the descriptor may lie inside of one
			[ $((table % sector)) -eq 0 ] || words_at $((table % sector))
			number 120 8 && first_extent=$value
		fi
	fi
	end=$((base + data))
	[ "$end" -le "$bound" ] || end=$bound
	save lvm "$base" "$end"
	extended_regions "$base" "$bound" "$more"
	[ "$first_extent" -eq 0 ] || return 0
	volume_start $(((base + data + 2097152) / sector))
	end=$((base + data + vh))
	[ "$end" -le "$bound" ] || end=$bound
	save vh $((base + data)) "$end"
}

# 512 bytes of the sector that was read last, from byte $1 on
words_at() {
	bytes=
	copy 1 if="$work/sector" of="$work/part" bs=512 skip=$(($1 / 512)) count=1 && words "$work/part" 512
}

# partitions of the table that are VMFS or look like it, then what still stands at the usual starts
volumes() {
	for entry in $partitions; do
		first=${entry%%/*} rest=${entry#*/}
		case $entry in
		*/x) ;;
		*/1) vmfs "$first" "${rest%/*}" ;;
		*) read_sector $((first + 1048576 / sector)) && hex 0 4 && [ "$value" = 0dd001c0 ] && vmfs "$first" "${rest%/*}" ;;
		esac
	done
	# inside of a partition, too: the table that names it may be the wrong one of several
	for usual in 63 64 128 1024 2048 16384 10229760 15472640 20973535 268437504; do
		[ $((usual * 512 % sector)) -eq 0 ] && [ $((usual * 512)) -lt "$known" ] || continue
		usual=$((usual * 512 / sector))
		read_sector $((usual + 1048576 / sector)) && hex 0 4 && [ "$value" = 0dd001c0 ] &&
			vmfs "$usual" $(((known - usual * sector) / sector))
	done
	return 0
}

worse() { [ "$failed" -ge "$1" ] || failed=$1; }

# collect DISK: its part of the index and its files
collect() {
	disk=$1 folder=d$((disks + 1)) status=complete done=" " faulty=" " faults=0 pieces=0
	sector=512 limit=0 least=0 partitions="" count_partitions=0 links=""
	case $disk in
	*"
"*)
		say "$disk: a name of several lines cannot be written down"
		worse 1
		return 0
		;;
	esac
	disks=$((disks + 1))
	note "disk $disks"
	note "name ${disk##*/}"
	case $disk in /*) note "path $disk" ;; *) note "path ${PWD%/}/$disk" ;; esac
	mkdir "$place/$folder" || die "$place/$folder cannot be made"
	if [ -d "$disk" ] || { ! copy 1 if="$disk" of="$work/first" bs=4096 count=1 && [ "$dd_code" -ne 0 ]; }; then
		line=
		[ -d "$disk" ] || read -r line <"$work/dd"
		say "$disk: cannot be read${line:+: $line}"
		note "status failed"
		worse 1
		return 0
	fi
	ask_tools
	find_size
	limit=$size
	find_sector_size
	mbr
	gpt
	known=$limit
	[ "$known" -ne 0 ] || known=$least
	if [ "$limit" -gt 0 ]; then note "size $limit"; else note "size unknown"; fi
	note "sector $sector"
	head_and_chain
	volumes
	gpt_tail
	[ "$pieces" -gt 0 ] || status=failed
	note "status $status"
	[ "$status" = complete ] && return 0
	[ "$faulty" != " " ] || say "$disk: not all of it could be read"
	worse 1
}

# --- all of them

# Linux lists its disks in /sys, ESX and ESXi list them with other names of the same and with partitions
collect_all() {
	for dir in /vmfs/devices/disks /dev/disks /sys/block; do
		[ -d $dir ] && break
	done
	set +f
	set -- "$dir"/*
	set -f
	for disk; do
		name=${disk##*/}
		[ -e "$disk" ] || continue
		if [ "$dir" = /sys/block ]; then
			case $name in loop* | ram* | zram* | sr* | fd* | nbd* | dm-* | md*) continue ;; esac
			read -r size <"$disk/size"
			[ "$size" != 0 ] && collect "/dev/$name"
			continue
		fi
		case $name in
		vml.*) continue ;;
		*:*) case ${name##*:} in *[!0-9]*) ;; *) [ ! -e "$dir/${name%:*}" ] || continue ;; esac ;;
		esac
		collect "$disk"
	done
	[ "$disks" -gt 0 ] && return
	say "no disks were found: name them"
	worse 1
}

everything() {
	: >"$index" || die "$index cannot be written"
	note "vmfskit-collect/1"
	host=$(uname -n 2>"$work/err")
	note "host ${host:-unknown}"
	note "time $time"
	note "system $(uname -a 2>"$work/err")"
	if [ $# -gt 0 ]; then
		for disk; do collect "$disk"; done
	else
		collect_all
	fi
	note "end $disks"
	put vmfskit-collect.txt
	[ -n "$out" ] || zeros 1024 || die "the tar cannot be written"
}

usage() {
	say "$*"
	help >&2
	exit 2
}

# is_known LENGTH FILE TEXT: whether the dumper shows the text in so many bytes of it
is_known() {
	# shellcheck disable=SC2046
	set -- "$3" $(dump "$2" "$1" 2>"$work/err")
	text=$1
	shift
	[ "$*" = "$text" ]
}

# That a shell knows the name of a program does not mean that it can run it (busybox without /proc), nor that it does what is
# needed: each one is tried on known bytes first.
try_tools() {
	none="00 00 00 00 00 00 00 00" faulty=" dd "
	{ printf '0123456789abcdef\000\001\n\t\177\200\376\377' && zeros 72; } >"$work/known" || die "$work: nothing can be written there"
	known="30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 00 01 0a 09 7f 80 fe ff"
	for dumper in hexdump od ''; do
		[ -n "$dumper" ] || die "neither hexdump nor od works here: bytes cannot be read"
		is_known 72 "$work/known" "$known $none $none $none $none $none $none" && break
	done
	copy 1 if="$work/known" of="$work/tried" bs=8 skip=1 count=1 && is_known 99 "$work/tried" "38 39 61 62 63 64 65 66" &&
		copy 1 if="$work/known" bs=512 conv=sync >"$work/tried" && is_known 24 "$work/tried" "$known" ||
		die "dd does not work here: nothing can be copied"
	size_of "$work/tried"
	[ "$size" -eq 512 ] || die "ls does not tell the length of a file here"
	rm -f "$work/tried"
	[ ! -e "$work/tried" ] || die "rm does not work here"
	digester=
	for tool in sha256sum md5sum; do
		told=$($tool "$work/known" 2>"$work/err")
		case $tool-${told%% *} in
		sha256sum-e4baa1be4f185ad65e41324f22ad7b05d2bad924fda441226d4d7a8661ce3e7e) digester=$tool && break ;;
		md5sum-638db86403cf35b887293d0690db242e) digester=$tool && break ;;
		esac
	done
	time=$(date -u +%Y-%m-%dT%H:%M:%SZ 2>"$work/err")
	case $time in
	[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z) ;;
	*) die "date does not tell the time here" ;;
	esac
	seconds=$(date +%s 2>"$work/err")
	case $seconds in '' | *[!0-9]*) seconds=0 ;; esac
}

clean_up() { [ -z "$work" ] || rm -rf "$work"; }

# a folder of our own: in the result, or where temporary files lie
make_work() {
	if [ -n "$out" ]; then
		mkdir "$out" || die "$out cannot be made: name a folder that does not exist yet"
		work=$out/.work place=$out
		mkdir "$work" || die "$work cannot be made"
		return
	fi
	work=${TMPDIR:-/tmp}/vmfskit-collect.$$
	mkdir "$work" || {
		work=
		die "there is no place for temporary files: say where with TMPDIR=DIR"
	}
	place=$work/out
	mkdir "$place" || die "$place cannot be made"
}

main() {
	LC_ALL=C PATH=$PATH:/bin:/sbin:/usr/bin:/usr/sbin
	export LC_ALL PATH
	umask 077
	set -f
	out='' work='' forced_sector='' failed=0 disks=0
	efi_part=4546492050415254
	vmfs_type=2ae031aa0f40db119590000c2911d1b8 vmfsl_type=39eab24e55789047a79efae495e21f8d
	while [ $# -gt 0 ]; do
		case $1 in
		-h | --help) help && exit 0 ;;
		-o | -s) [ $# -gt 1 ] || usage "$1 needs a value" ;;
		--) shift && break ;;
		-*) usage "there is no option $1" ;;
		*) break ;;
		esac
		[ "$1" = -s ] || out=$2
		[ "$1" = -o ] || forced_sector=$2
		shift 2
	done
	case $forced_sector in '' | 512 | 4096) ;; *) usage "-s is 512 or 4096, not $forced_sector" ;; esac
	[ -n "$out" ] || [ ! -t 1 ] || usage "standard output is a terminal: name a folder with -o, or redirect it into a file"
	[ "$((1 << 40))" -eq 1099511627776 ] || die "this shell counts to 2147483647 only: it cannot address disks"
	trap clean_up EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	make_work
	index=$place/vmfskit-collect.txt
	: >"$work/empty"
	try_tools <"$work/empty"
	# what is on standard input may be this text
	everything "$@" <"$work/empty"
	exit "$failed"
}

main "$@"
