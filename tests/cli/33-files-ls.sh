#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ls and stat on the three real volumes, whole and cut off anywhere, against the reference data and independent readers.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

[ -n "$SHARED" ] || { skip "files of the real volumes" "no ../shared/data"; exit 0; }
PATH=$PATH:/usr/sbin:/sbin
need jq debugvmfs debugvmfs6
cd "$TMP" || exit 1

mv "$(real_partition)" vmfs3.img
for v in vmfs5 vmfs6; do unpack "$SHARED/data/$v-esxi-2021/disk-from-lba-2048.img.xz" "$v.img"; done
read_volume() { # VOLUME COMMAND...
	local v=$1
	shift
	if [ "$v" = vmfs6 ]; then debugvmfs6 vmfs6.img "$@" 2>/dev/null | tail -n +2; else debugvmfs "$v.img" "$@" 2>/dev/null; fi
}
folders_of() { if [ "$1" = vmfs3 ]; then echo /; else echo / /directory; fi; }

for v in vmfs3 vmfs5 vmfs6; do
	for folder in $(folders_of $v); do
		run "$VMFSKIT" ls -la $v.img "$folder"
		# debugvmfs shows names of users, and the time of the last change of the descriptor
		awk '{ print $1, $2, $5, $8 }' "$OUT" | sort >ours
		read_volume $v ls -l "$folder" | awk '{ print $1, $2, $5, $8 }' | sort >theirs
		same "$v $folder: modes, links, sizes and names are those of debugvmfs" ours theirs
		run "$VMFSKIT" ls -a --json $v.img "$folder"
		jq -r '.entries[] | "\(.path | sub(".*/"; "")) \(.ctime | sub("T"; " ") | sub("Z"; ""))"' "$OUT" | sort >ours
		read_volume $v ls -l "$folder" | awk '{ print $8, $6, $7 }' | sort >theirs
		same "$v $folder: times" ours theirs
	done
done

# the page of the reference data: length of every file
run "$VMFSKIT" ls -aR --json vmfs5.img
is "vmfs5: sizes of the page" "$(jq -r '[.entries[] | "\(.path) \(.type) \(.size_bytes)"] | join("\n")' "$OUT")" \
	"/.fbb.sf system 131072
/.fdc.sf system 1048576
/.pb2.sf system 135168
/.pbc.sf system 135168
/.sbc.sf system 2228224
/.sdd.sf system 280
/.vh.sf system 4194304
/directory dir 1120
/directory/file1 file 0
/directory/file2 file 0
/directory/file3 file 0
/directory/file4 file 8
/directory/file5 file 8193
/directory/symlink symlink 5"
is "vmfs5: nothing is found wrong, nothing is missing" "$(jq -c '[.findings, ([.entries[].missing_bytes] | add)]' "$OUT")" '[[],0]'
is "vmfs5: the target of the link" "$(jq -r '.entries[] | select(.type == "symlink").target' "$OUT")" file4
run "$VMFSKIT" ls -aR --json vmfs6.img
is "vmfs6: sizes of the page" "$(jq -r '[.entries[] | select(.path | test("sf$|5$|4$")) | "\(.path) \(.size_bytes)"] | join("\n")' "$OUT")" \
	"/.fbb.sf 147456
/.fdc.sf 134807552
/.jbc.sf 268632064
/.pb2.sf 196608
/.pbc.sf 65536
/.sbc.sf 387973120
/.sdd.sf 69632
/.vh.sf 7340032
/directory/file4 8
/directory/file5 8193"
is "vmfs6: nothing is found wrong" "$(jq -c .findings "$OUT")" '[]'
is "vmfs6: the volume" "$(jq -c .volume "$OUT")" '{"uuid":"6113001e-a6377ebc-1d24-000c29801686","label":"VMFS6 Test","version":"VMFS-6.82"}'

# how it is printed
run "$VMFSKIT" ls vmfs6.img /directory
is "names alone" "$(xargs <"$TMP/.stdout")" "file1 file2 file3 file4 file5 symlink"
run "$VMFSKIT" ls vmfs6.img
is "system files are left out" "$(cat "$TMP/.stdout")" "directory"
run "$VMFSKIT" ls -l vmfs6.img directory/symlink
has "a link, long: itself" "$OUT" '^lrwxrwxrwx  1  0  0  5  2021-08-10 22:44:03  /directory/symlink -> file4$'
run "$VMFSKIT" ls -R vmfs5.img
is "folders, one after the other" "$(tr '\n' ' ' <"$TMP/.stdout")" "/: directory  /directory: file1 file2 file3 file4 file5 symlink "
exits "a name that is not there" 4 "$VMFSKIT" ls vmfs5.img /nothing
has "a name that is not there: says so" "$ERR" 'nothing'
exits "two paths" 2 "$VMFSKIT" ls vmfs5.img / /directory
run "$VMFSKIT" ls --bodyfile vmfs6.img
has "a body file" "$OUT" '^0\|/directory/file5\|0x03c00004\|r/rrw-r--r--\|0\|0\|8193\|1628635476\|1628635476\|1628635476\|0$'
has "a body file: a link" "$OUT" '^0\|/directory/symlink -> file4\|0x03800004\|l/lrwxrwxrwx\|'
is "a body file: eleven fields" "$(awk -F '|' 'NF != 11' "$TMP/.stdout")" ""

# stat
run "$VMFSKIT" stat vmfs3.img thin-flat.vmdk
has "stat: the size" "$OUT" '^  size          200 MiB \(209715200 bytes\)$'
has "stat: one block" "$OUT" '^  blocks        1 of 1 MiB$'
has "stat: the descriptor" "$OUT" '^  descriptor    0x00000184, FD <6,0>, generation 1$'
has "stat: its place" "$OUT" '^  stands at     byte 4685824 of the volume, byte 22511616 of vmfs3.img$'
run "$VMFSKIT" stat vmfs3.img zeroedthick-flat.vmdk
has "stat: blocks to be zeroed" "$OUT" '^  to be zeroed  199 of them'
run "$VMFSKIT" stat vmfs6.img /directory/file4 /directory/file5
has "stat: resident" "$OUT" 'no blocks: the content is in the descriptor \(ZLA 4305\)'
has "stat: a sub-block" "$OUT" 'addresses of sub-blocks in the descriptor \(ZLA 2\)'
exits "stat: one is there, one is not" 4 "$VMFSKIT" stat vmfs6.img /directory/file4 /none
has "stat: the one is shown" "$OUT" '^/directory/file4$'

# the files as vmfs-fuse shows them
mounted() { # MOUNT VOLUME
	mkdir -p mnt && "$1" "$2.img" mnt >/dev/null 2>&1 || return 1
	echo "$TMP/mnt" >>"$TMP/.mounts"
	(cd mnt && find . -mindepth 1 -printf '%P %m %s %n %T@ %C@ %A@ %b\n') | sed 's/\.0000000000//g' | sort >theirs
	umount mnt && sed -i '$d' "$TMP/.mounts"
}
for v in vmfs3 vmfs5 vmfs6; do
	tool=vmfs-fuse
	[ $v = vmfs6 ] && tool=vmfs6-fuse
	if ! [ -e /dev/fuse ] || ! command -v $tool >/dev/null || ! mounted $tool $v; then
		skip "$v: as $tool shows it" "it cannot be mounted here"
		continue
	fi
	run "$VMFSKIT" ls -aR --json $v.img
	jq -r '.entries[] | "\(.path[1:]) \(.mode | ltrimstr("0")) \(.size_bytes) \(.links) \(.mtime | fromdate) \(.ctime | fromdate) \(.atime | fromdate) \(.allocated_bytes / 512)"' \
		"$TMP/.stdout" | sort >ours
	same "$v: modes, sizes, links, all times and blocks are those of $tool" ours theirs
done

# --- which volume
truncate -s 2G two.img
printf 'label: gpt\nstart=2048, size=1044481, type=%s\nstart=1050624, size=2093057, type=%s\n' $VMFS_GUID $VMFS_GUID |
	sfdisk -q --no-reread two.img >/dev/null 2>&1
dd if=vmfs5.img of=two.img bs=1M seek=1 iflag=count_bytes count=534774272 conv=notrunc,sparse status=none
dd if=vmfs6.img of=two.img bs=1M seek=513 iflag=count_bytes count=1071645184 conv=notrunc,sparse status=none
exits "two volumes: which" 2 "$VMFSKIT" ls two.img /directory
has "two volumes: the list" "$ERR" '^VMFS5 Test, VMFS-5.81, 61137dd5-df6bc2c8-f0e7-000c29801686:$'
has "two volumes: a command to paste" "$ERR" '^  vmfskit ls --volume 1 two.img /directory$'
for name in 2 'VMFS6 Test' 6113001e-a6377ebc-1d24-000c29801686 6113001e-95afd8fb-d830-000c29801686; do
	run "$VMFSKIT" ls --volume "$name" -a two.img
	has "--volume $name" "$OUT" '^\.jbc\.sf$'
done
exits "--volume of none" 2 "$VMFSKIT" ls --volume other two.img
has "--volume of none: the list" "$ERR" '^  vmfskit ls --volume 2 two.img$'
run "$VMFSKIT" stat --json --volume 2 two.img /directory/file5
is "offsets count from the start of the disk" "$(jq '.files[0].device_offset' "$OUT")" $((513 * 1048576 + 17825792 + 0x73e000))
exits "an extent of another volume" 2 "$VMFSKIT" ls --extent vmfs5.img vmfs6.img
has "an extent of another volume: both UUIDs" "$ERR" 'this is no extent of VMFS6 Test: it belongs to volume 61137[0-9a-f-]*, not to 6113001e-95afd8fb-d830-000c29801686'

# --- every source that decode takes
head -c 64M vmfs5.img >head.img
dd if=vmfs5.img of=header.img bs=1M skip=1 count=63 status=none
run "$VMFSKIT" ls header.img /directory
is "a piece that begins at the LVM header" "$(xargs <"$TMP/.stdout")" "file1 file2 file3 file4 file5 symlink"
run "$VMFSKIT" stat --json header.img /directory
is "and its offsets" "$(jq '.files[0].device_offset' "$OUT")" "$(jq '.files[0].device_offset - 1048576' <("$VMFSKIT" stat --json vmfs5.img /directory))"
truncate -s 4096 inside.img && cat head.img >>inside.img
run "$VMFSKIT" stat --json --at 4096 inside.img /directory
is "--at: offsets count in the file" "$(jq '.files[0].device_offset' "$OUT")" "$(jq '.files[0].device_offset + 4096' <("$VMFSKIT" stat --json vmfs5.img /directory))"
head -c 32M head.img >split.001 && tail -c +$((32 * 1048576 + 1)) head.img >split.002
run "$VMFSKIT" ls split.001 split.002 /directory
is "a split dump" "$(xargs <"$TMP/.stdout")" "file1 file2 file3 file4 file5 symlink"
cp "$SHARED/data/vmfs3-esx35-volume/partition.vmfsimg" .
run "$VMFSKIT" ls partition.vmfsimg
has "a VMFSIMG image" "$OUT" '^thin-flat\.vmdk$'
hexdump -C head.img >listing.txt
run "$VMFSKIT" ls listing.txt /directory
is "a listing" "$(xargs <"$TMP/.stdout")" "file1 file2 file3 file4 file5 symlink"
"$VMFSKIT" capture --store st two.img >/dev/null
exits "a capture: it holds headers, and no files" 4 "$VMFSKIT" ls -l --store st --volume 1 latest
has "a capture: says so" "$ERR" 'the file descriptors .* are not in the source'

# --- nothing to list, and why
truncate -s 64M nothing.img
exits "a disk without a volume" 4 "$VMFSKIT" ls nothing.img
has "a disk without a volume: next" "$ERR" 'vmfskit find nothing.img'
head -c 18M vmfs5.img >short.img
exits "a dump without the descriptor" 4 "$VMFSKIT" ls short.img
has "a dump without the descriptor: why" "$ERR" 'the file-system descriptor of .* is not in the source'
cp --sparse=always vmfs5.img lost.img
zero lost.img $((0x1300000)) 512
exits "a lost descriptor" 1 "$VMFSKIT" ls lost.img
has "a lost descriptor: next" "$ERR" 'vmfskit repair header'
cp --sparse=always vmfs5.img lost.img
zero lost.img $((0x100000)) 512
run "$VMFSKIT" ls lost.img /directory
is "a lost LVM header: the files are there" "$(xargs <"$TMP/.stdout")" "file1 file2 file3 file4 file5 symlink"
exits "a folder is no source" 2 "$VMFSKIT" ls .
cp --sparse=always vmfs5.img odd.img
# /directory/file1 becomes a name that would steer a terminal
at=$(grep -abo file1 odd.img | head -n 1 | cut -d : -f 1)
printf '\033[2J|' | dd of=odd.img bs=1 seek="$at" conv=notrunc status=none
for how in "" -l --bodyfile --json; do
	# shellcheck disable=SC2086
	run "$VMFSKIT" ls $how odd.img /directory
	hasnt "a name that steers a terminal, ls $how" "$OUT" $'\033'
	has "its name is shown, ls $how" "$OUT" '(\\{1,2}x1b|%1b)\[2J'
done
is "and parts no fields of a body file" "$("$VMFSKIT" ls --bodyfile odd.img | awk -F '|' 'NF != 11')" ""

# looking opens nothing for writing
if command -v strace >/dev/null; then
	run traced trace "$VMFSKIT" ls -laR vmfs6.img
	is "nothing is opened for writing" "$(grep -E 'open(at)?\(' trace | grep -E 'O_(RDWR|WRONLY|CREAT)' | grep -v /dev/null)" ""
fi

# --- cut off anywhere: what is listed is right, what is not there is said
RANDOM=26
for v in vmfs3 vmfs5 vmfs6; do
	size=$(stat -c %s $v.img)
	run "$VMFSKIT" ls -aR --json $v.img
	jq -c '.entries | map({key: .path, value: .}) | from_entries' "$TMP/.stdout" >whole.json
	jq -r 'keys[]' whole.json | while read -r path; do
		"$VMFSKIT" map --json $v.img "$path" |
			jq -c --arg path "$path" '{($path): [.extents[] | select(.kind == "data" or .kind == "resident") | [.device_offset, .length]]}'
	done | jq -cs add >places.json
	{
		echo $((26 * 1048576))
		for _ in {1..34}; do echo $((18 * 1048576 + (RANDOM * 32768 + RANDOM) % (96 * 1048576))); done
		for _ in {1..6}; do echo $((RANDOM * 32768 * (size / 1073741824 + 1) % size)); done
	} | sort -rn >lengths
	cp --sparse=always $v.img cut.img
	wrong='' listed=0
	while read -r length; do
		truncate -s "$length" cut.img
		run "$VMFSKIT" ls -aR --json cut.img
		if insane || [ "$CODE" -ne 0 ] && [ "$CODE" -ne 4 ]; then wrong+="$length: exit code $CODE "; fi
		[ "$CODE" -eq 0 ] || continue
		listed=$((listed + 1))
		# what is shown is as in the whole volume; missing is what lies behind the end, or more where addresses are missing, too:
		# on VMFS6 a block of pointers leads to the sub-blocks
		told=$(jq -r --argjson stop "$length" --slurpfile whole whole.json --slurpfile places places.json --arg v $v '
			.entries[] | . as $e | $whole[0][.path] as $w |
			if .unreadable then (if .unreadable == "not in the source" then empty else "\(.path) unreadable" end)
			elif $w == null then "\(.path) is new"
			elif .missing_bytes > 0 and .missing != "not in the source" then "\(.path) is \(.missing)"
			elif (del(.missing_bytes, .missing, .target, .allocated_bytes) != ($w | del(.missing_bytes, .missing, .target, .allocated_bytes))) then "\(.path) differs"
			else ([$places[0][.path][] | ([0, .[0] + .[1] - ([$stop, .[0]] | max)] | max)] | add // 0) as $behind |
				if .missing_bytes < $behind or (.missing_bytes > $behind and ($v == "vmfs6" | not)) then
					"\(.path): \(.missing_bytes) missing, \($behind) behind the end" else empty end
			end' "$OUT" 2>&1)
		[ -z "$told" ] || wrong+="$length: $told "
		is_bad=$(jq '[.findings[] | select(.severity != "info")] | length' "$OUT")
		[ "$is_bad" -eq 0 ] || wrong+="$length: $is_bad findings "
	done <lengths
	is "$v cut off at $(wc -l <lengths) lengths" "$wrong" ""
	ok "$v: most of them were listed" [ "$listed" -gt 20 ]
done
