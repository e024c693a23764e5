#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Collects the bytes that vmfskit import needs, from the disks of a host where vmfskit cannot run (ESXi, an ESX console).
#
# Runs under any POSIX shell, also that of busybox; needs dd, ls, mkdir, rm, date, and hexdump or od. The disks are only read.
# Everything is in functions, so that sh -s has read this whole text before it runs anything.

help() {
	cat <<'TEXT'
usage: vmfskit-collect.sh [-o DIR] [-s BYTES] [DISK...]
       ssh HOST sh -s <vmfskit-collect.sh >HOST.tar
       ssh HOST sh -s -- -s 4096 /dev/disks/NAME <vmfskit-collect.sh >HOST.tar

Saves of each DISK the first 26 MiB, the last 3 and, of each VMFS partition,
the first 26 MiB: the partition tables, the LVM region, the volume header
(.vh.sf) and the heartbeats. Without DISK: all of /vmfs/devices/disks or
/dev/disks (without vml.* and partitions), else those of /sys/block.

The result is for "vmfskit import". It is a tar on standard output, or with -o
a folder. $TMPDIR or /tmp needs room for one piece, 26 MiB. The disks are only
read.

  -o DIR    write the folder DIR, which must not exist yet
    -s BYTES  size of a logical sector, 512 or 4096, if a disk without GPT does
            not show it
  -h        this text

Prints nothing when all went well. Exit code 0: all was collected; 1: a disk or
a part of one could not be read, the rest was collected; 2: usage; 4: the
result could not be written, or a required program does not work here; the
result is then not complete.
TEXT
}

say() { printf 'vmfskit-collect: %s\n' "$*" >&2; }

die() {
	say "$*"
	exit 4
}

# broken PROGRAM: it worked when it was tested and has failed since; the rest of this disk that needs it is missing
broken() {
	case $faulty in *" $1 "*) return 0 ;; esac
	faulty="$faulty$1 " status=incomplete failed=4
	say "$disk: $1 no longer works: the disk could not be collected completely"
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

# words FILE COUNT: sets $bytes to its first bytes; false, and $bytes empty, when the dumper did not show that many
words() {
	# shellcheck disable=SC2046
	set -- "$2" $(dump "$1" "$2" 2>"$work/err")
	count=$1
	shift
	bytes=$*
	[ $# -ne "$count" ] || return 0
	bytes=
	broken "$dumper"
	return 1
}

# number OFFSET LENGTH: sets $value to that little-endian number of $bytes; a number that needs the last bit of 64 counts as infinite
number() {
	offset=$1 digits=$(($2 * 2)) value=
	# shellcheck disable=SC2086
	set -- $bytes
	[ $# -ge $((offset + digits / 2)) ] || return 1
	shift "$offset"
	while [ ${#value} -lt "$digits" ]; do
		value=$1$value
		shift
	done
	case $value in [89a-f]???????????????) value=7fffffffffffffff ;; esac
	value=$((0x$value))
}

# copy BLOCKS ARGUMENT...: whether dd copied exactly that many (ends with: at most). A disk can make it fail. If dd does not start, or
# dies, the disk is not the cause.
copy() {
	blocks=$1
	shift
	dd "$@" 2>"$work/dd"
	dd_code=$?
	[ "$dd_code" -lt 126 ] || broken dd
	while read -r line; do
		case $line in
		*"space left"*) die "there is no room in $place" ;;
		"$blocks+0 records out"*) return "$dd_code" ;;
		*"records out"*) [ "$blocks" = most ] && return "$dd_code" ;;
		esac
	done <"$work/dd"
	return 1
}

# possible BYTE: false when no disk is that long. A dd that cannot seek behind the end would read the whole disk.
possible() { [ "$1" -ge 0 ] && [ "$1" -lt 1125899906842624 ]; }

# at BYTE LENGTH: $bytes is that of the disk; both are multiples of the sector size
at() {
	bytes=
	possible "$1" && { [ "$size" -eq 0 ] || [ $(($1 + $2)) -le "$size" ]; } &&
		copy $(($2 / sector)) if="$disk" of="$work/part" bs="$sector" skip=$(($1 / sector)) count=$(($2 / sector)) &&
		words "$work/part" "$2"
}

# starts_with BYTE BYTES: whether the disk has them there; $bytes is then that sector
starts_with() { at "$1" "$sector" && case $bytes in "$2"*) ;; *) false ;; esac; }

# --- the result

# zeros COUNT: that many
zeros() {
	zeros_left=$1
	while [ "$zeros_left" -gt 0 ]; do
		printf '\000' || return
		zeros_left=$((zeros_left - 1))
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

# put FILE: a file of $work/out or of $out is complete; for a tar it is written out and removed
put() {
	[ -z "$out" ] || return 0
	size_of "$place/$1"
	put_bytes=$value sum=32
		# the checksum counts its own field as eight blanks
	header "vmfskit-collect/$1" "$put_bytes" '      ' >"$work/header" || die "there is no room in $place"
	words "$work/header" 512 || die "the tar cannot be written"
	for byte in $bytes; do sum=$((sum + 0x$byte)); done
	header "vmfskit-collect/$1" "$put_bytes" "$(printf '%06o' "$sum")" >"$work/header"
	copy 1 if="$work/header" bs=512 || die "the tar cannot be written"
	copy $(((put_bytes + 511) / 512)) if="$place/$1" bs=512 conv=sync || die "the tar cannot be written"
	rm -f "$place/$1"
}

note() { printf '%s\n' "$*" >>"$index" || die "$index cannot be written"; }

# size_of FILE: $value, the fifth word of ls; on ESXi of a disk, too
size_of() {
	# shellcheck disable=SC2046
	set -- $(ls -lndL "$1" 2>"$work/err" || ls -lnd "$1" 2>"$work/err")
	value=${5:-}
	case $value in '' | *[!0-9]*) value=0 ;; esac
}

sums() {
	[ -n "$digester" ] || return 0
	told=$($digester "$place/$1" 2>"$work/err")
	told=${told%% *}
	case ${#told}-$told in *-*[!0-9a-f]*) ;; 64-* | 32-*) note "$digester $1 $told" && return ;; esac
	broken "$digester"
}

# piece BYTE LENGTH: one file; if a part cannot be read, several files around it. At the end of the disk the file is shorter.
piece() {
	name=$folder/from-$1.raw block=1048576
	[ "$2" -ge "$block" ] || block=$sector
	if [ "$faults" -lt 64 ]; then
		if copy most if="$disk" of="$place/$name" bs="$block" skip=$(($1 / block)) count=$(($2 / block)); then
			size_of "$place/$name"
			[ "$value" -gt 0 ] || return 0
			note "piece $name $1 $value"
			sums "$name"
			put "$name"
			pieces=$((pieces + 1))
			return 0
		fi
		rm -f "$place/$name"
		if [ "$2" -gt "$sector" ]; then
			[ "$2" -gt 1048576 ] || block=$sector
			set -- "$1" "$2" $(($2 / block / 2 * block))
			piece "$1" "$3"
			piece $(($1 + $3)) $(($2 - $3))
			return 0
		fi
		faults=$((faults + 1))
	fi
	note "unreadable $1 $2"
	status=incomplete
}

# save START END: that part of the disk, in whole MiB, without the bytes of earlier pieces; an odd end of the disk is a separate piece
save() {
	possible "$1" && possible "$2" || return 0
	from=$(($1 / 1048576 * 1048576)) to=$((($2 + 1048575) / 1048576 * 1048576)) odd=0
	for old in $saved; do
		[ "$from" -lt "${old%-*}" ] || [ "$from" -ge "${old#*-}" ] || from=${old#*-}
	done
	if [ "$size" -gt 0 ] && [ "$to" -gt "$size" ]; then to=$((size / 1048576 * 1048576)) odd=$((size % 1048576 / sector * sector)); fi
	[ "$from" -lt $((to + odd)) ] || return 0
	saved="$saved $from-$((to + odd))"
	set -- "$from" "$to" "$odd"
	[ "$1" -ge "$2" ] || piece "$1" $(($2 - $1))
	[ "$3" -eq 0 ] || piece "$2" "$3"
}

# --- one disk

# sets $size of the disk, 0 when it is not known
find_size() {
	size=0 value=0
	if [ -r "/sys/class/block/${disk##*/}/size" ]; then
		read -r value <"/sys/class/block/${disk##*/}/size"
		value=$((value * 512))
	fi
	[ "$value" -ne 0 ] || [ -b "$disk" ] || [ -c "$disk" ] || size_of "$disk"
	[ "$value" -ne 0 ] || value=$(blockdev --getsize64 "$disk" 2>"$work/err") || value=0
	case $value in '' | *[!0-9]*) ;; *) size=$value ;; esac
}

# The output of partedUtil or fdisk is kept for people. Only running them shows whether they work: a busybox lists programs that it
# cannot run.
ask_tools() {
	for tool in "partedUtil getptbl" "fdisk -l"; do
		told=$folder/${tool%% *}.txt
		# shellcheck disable=SC2086
		$tool "$disk" >"$place/$told" 2>&1
		if [ $? -lt 126 ]; then
			note "text $told"
			put "$told"
			return
		fi
		rm -f "$place/$told"
	done
}

# a GPT header is at the end of the first logical sector, and at the end of the disk
find_sector_size() {
	sector=512
	[ ! -r "/sys/class/block/${disk##*/}/queue/logical_block_size" ] ||
		read -r sector <"/sys/class/block/${disk##*/}/queue/logical_block_size"
	sector=${forced_sector:-$sector}
	case $sector in 512 | 4096) ;; *) sector=512 ;; esac
	first=$sector
	for sector in "$first" 512 4096; do
		[ -z "$forced_sector" ] || return 0
		starts_with "$sector" "$efi_part" || starts_with $(((size / sector - 1) * sector)) "$efi_part" && return
	done
	sector=$first
}

# volume BYTE KIND: the first 26 MiB of a partition of type vmfs, or of one that begins as VMFS; and the further LVM regions that the
# header of a volume of more than 16 TiB gives
volume() {
	start=$1 region=0 links=0
	[ "$start" -gt 0 ] && possible "$start" || return 0
	starts_with $((start + 1048576)) "$lvm_magic" && number 194 8 && region=$value || [ "$2" = vmfs ] || return 0
	save "$start" $((start + 27262976))
	while [ "$region" -gt 0 ] && possible "$region" && [ "$links" -lt 64 ]; do
		link=$region links=$((links + 1)) region=0
		[ $((link % sector)) -eq 0 ] && starts_with $((start + link)) "$lvm_magic" && number 8 8 && end=$value && number 16 8 || return 0
		[ "$value" -le "$link" ] || region=$value
		[ "$end" -gt "$link" ] && [ $((end - link)) -le 268435456 ] || end=$((link + 17825792))
		save $((start + link)) $((start + end))
	done
}

# boot_record LBA EXTENDED-START: entries of sector 0, or the first two of a link of the chain; sets $next to the next link
boot_record() {
	lba=$1 extended=$2
	at $((lba * sector)) "$sector" || return 0
	# shellcheck disable=SC2086
	set -- $bytes
	shift 446
	[ "$lba" -eq 0 ] || [ "${65}${66}" = 55aa ] || return 0
	for entry in 1 2 3 4; do
		type=$5 first=$((0x${12}${11}${10}$9))
		shift 16
		case $lba-$entry-$type in
		*-00 | *-ee) ;;
		0-*-05 | 0-*-0f | 0-*-85) [ "$next" -ne 0 ] || next=$first ;;
		0-*-fb | [!0]*-1-fb) volume $(((first + lba) * sector)) vmfs ;;
		0-* | [!0]*-1-*) volume $(((first + lba) * sector)) other ;;
		[!0]*-2-*) next=$((first + extended)) ;;
		esac
	done
}

mbr() {
	next=0 links_left=128
	boot_record 0 0
	chain=$next
	while [ "$next" -ne 0 ] && [ "$links_left" -gt 0 ]; do
		record_at=$next links_left=$((links_left - 1)) next=0
		save $((record_at * sector)) $(((record_at + 1) * sector))
		boot_record "$record_at" "$chain"
	done
}

# gpt LBA: the volumes of that copy's array, of which at most 2 MiB are read; sets $alternate to the place of the other copy
gpt() {
	alternate=0
	starts_with $(($1 * sector)) "$efi_part" && number 32 8 && alternate=$value && number 72 8 && array=$value &&
		number 80 4 && entries=$value && number 84 4 && step=$value || return 0
	case $step in 128 | 256 | 512 | 1024 | 2048 | 4096) ;; *) return 0 ;; esac
	[ "$entries" -le 16384 ] && [ $((entries * step)) -le 2097152 ] && [ "$array" -lt 140737488355328 ] || return 0
	array=$((array * sector)) left=$((entries * step))
	save "$array" $((array + left))
	while [ "$left" -gt 0 ] && at "$array" 4096; do
		gpt_entries
		array=$((array + 4096)) left=$((left - 4096))
	done
}

# of $bytes, as many as there are left of $step bytes; no start from sector 2^41 on is possible
gpt_entries() {
	more=$((left / step))
	# shellcheck disable=SC2086
	set -- $bytes
	while [ $# -ge "$step" ] && [ "$more" -gt 0 ]; do
		type=$1$2$3$4$5$6$7$8$9${10}${11}${12}${13}${14}${15}${16}
		first=${40}${39}${38}${37}${36}${35}${34}${33}
		case $first-$type in
		00000[01]*-"$vmfs_type" | 00000[01]*-"$vmfsl_type") volume $((0x$first * sector)) vmfs ;;
		00000[01]*-*[!0]*) volume $((0x$first * sector)) other ;;
		esac
		shift "$step"
		more=$((more - 1))
	done
}

# worse CODE TEXT: prints TEXT; the exit code becomes at least CODE
worse() {
	[ "$failed" -ge "$1" ] || failed=$1
	shift
	[ -z "$*" ] || say "$*"
}

# collect DISK: its part of the index and its files
collect() {
	disk=$1 folder=d$((disks + 1)) status=complete faulty=" " faults=0 pieces=0 saved=
	case $disk in
	*"
"*)
		worse 1 "$disk: a name with a line break cannot be recorded"
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
		note "status failed"
		worse 1 "$disk: cannot be read${line:+: $line}"
		return 0
	fi
	ask_tools
	find_size
	find_sector_size
	note "size $([ "$size" -gt 0 ] && echo "$size" || echo unknown)"
	note "sector $sector"
	save 0 27262976
	mbr
	gpt 1
		# on a grown disk the copy is still at the old end
	for copy in "$alternate" $((size / sector - 1)); do
		[ "$copy" -gt 1 ] && [ "$copy" -lt 2199023255552 ] || continue
		[ $((copy * sector)) -le 3145728 ] || save $((copy * sector - 3145728)) $(((copy + 1) * sector))
		gpt "$copy"
	done
		# volumes at the usual starts that the table does not list
	for usual in 63 64 128 1024 2048 16384 10229760 15472640 20973535 268437504; do
		[ $((usual * 512 % sector)) -ne 0 ] || volume $((usual * 512)) other
	done
	[ "$pieces" -gt 0 ] || status=failed
	note "status $status"
	[ "$status" = complete ] && return 0
	if [ "$faulty" = " " ]; then worse 1 "$disk: could not be read completely"; else worse 1; fi
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
			read -r value <"$disk/size"
			[ "$value" != 0 ] && collect "/dev/$name"
			continue
		fi
		case $name in
		vml.*) continue ;;
		*:*) case ${name##*:} in *[!0-9]*) ;; *) [ ! -e "$dir/${name%:*}" ] || continue ;; esac ;;
		esac
		collect "$disk"
	done
	[ "$disks" -gt 0 ] || worse 1 "no disks were found: name them"
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

# A shell may list a program that it cannot run (busybox without /proc), or that lacks an option: each program is tested on known bytes
# first.
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
	[ "$value" -eq 512 ] || die "ls does not show the length of a file here"
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
	*) die "date does not print the time here" ;;
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
		die "there is no folder for temporary files: name one with TMPDIR=DIR"
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
	efi_part="45 46 49 20 50 41 52 54" lvm_magic="0d d0 01 c0"
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
		# standard input may be this text
	everything "$@" <"$work/empty"
	exit "$failed"
}

main "$@"
