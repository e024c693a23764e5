#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# decode: every kind of source, whole and cut off anywhere, as text, JSON and hexdump.
. "$(dirname "$0")/../lib.sh"
need jq hexdump xxd

json() { "$VMFSKIT" decode --json "$@" 2>"$ERR"; }
# fact NAME FILTER EXPECTED SOURCE...
fact() {
	local name=$1 filter=$2 expected=$3
	shift 3
	is "$name" "$(json "$@" | jq -c "$filter")" "$expected"
}

# --- practice disks of every kind -----------------------------------------------------------------
for version in 3 5 6; do
	for table in mbr gpt; do
		for ss in 512 4096; do
			disk=$TMP/$version-$table-$ss.img
			start=$((1048576 / ss))
			"$LAB" make --table $table --sector-size $ss --volume "start=$start,size=2G,version=$version,label=ds$version,naa=naa.600144f07ed404000000496ff8cd0003,lun=3" "$disk" >"$OUT" 2>&1
			opts=
			[ $ss-$table = 4096-mbr ] && opts="--sector-size 4096"
			ok "VMFS$version, $table, $ss: sound" "$VMFSKIT" decode $opts "$disk"
			fact "VMFS$version, $table, $ss: table" '[.sources[0] | .kind, .sector_size, .table.kind, .table.partitions[0].start_sector, .table.partitions[0].sectors]' \
				"[\"disk\",$ss,\"$table\",$start,$((2147483648 / ss))]" $opts "$disk"
			fact "VMFS$version, $table, $ss: volume" '[.sources[0].vmfs[0] | .fs.label, .lvm.diskID.name, .lvm.diskID.lun, .lvm.volumes[0].state, .heartbeats.slots, .heartbeats.slots_seen]' \
				"[\"ds$version\",\"naa.600144f07ed404000000496ff8cd0003\",3,\"LVM_NORMAL\",$([ $version = 6 ] && echo 1024,1024 || echo 2048,2048)]" $opts "$disk"
			exits "VMFS$version, $table, $ss: every byte with its name" 0 "$VMFSKIT" decode --hex $opts "$disk"
			has "VMFS$version, $table, $ss: hexdump of a field" "$OUT" 'totalBytes +2 GiB \(2147483648 bytes\)'
		done
	done
done
fact "LVM6: doubt is said, and only where there is any" '.sources[0].vmfs[0].lvm.uncertain | keys' '["lockedFromIPv4"]' "$TMP/6-gpt-512.img"
run "$VMFSKIT" decode --all "$TMP/6-gpt-512.img"
has "LVM6: doubt is said in text" "$OUT" 'lockedFromIPv4 .*uncertain'

# --- what the LUN is called: the table of device names has it in full -----------------------------------
# put FILE OFFSET TEXT: this text and a NUL
put() { printf '%s\0' "$3" | dd of="$1" bs=1 seek=$(($2)) conv=notrunc status=none; }
sd=$((1048576 + 0x17e200))
call() { printf '%s' "$2" | dd of="$1" bs=256 seek=$((sd / 256)) conv=notrunc,sync status=none; }
for name in mpx.vmhba0:C0:T4:L0 naa.600144f07ed404000000496ff8cd0003; do
	rm -f "$TMP/named" && "$LAB" make --table gpt --volume "start=2048,size=1G,version=5,naa=$name" "$TMP/named" >"$OUT" 2>&1
	call "$TMP/named" "$name:1"
	fact "$name: certain" '.sources[0].vmfs[0] | [.lun_name, .lun_name_certain]' "[\"$name\",true]" "$TMP/named"
	run "$VMFSKIT" decode "$TMP/named"
	has "$name: in text" "$OUT" "GUID +$name\$"
done
call "$TMP/named" naa.600144f07ed404000000496ff8cd0004:1
fact "a table of names that contradicts the disk id is not believed" '.sources[0].vmfs[0].lun_name' '"naa.600144f07ed404000000496ff8cd0003"' "$TMP/named"
rm -f "$TMP/named" && "$LAB" make --table gpt --volume "start=2048,size=1G,version=5,naa=mpx.vmhba0:C0:T4:L0" "$TMP/named" >"$OUT" 2>&1
call "$TMP/named" eui.00a0504658335330:1
fact "a device named eui. has the id of its path" '.sources[0].vmfs[0] | [.lun_name, .lun_name_certain, .lvm.diskID.name_certain]' \
	'["eui.00a0504658335330",true,false]' "$TMP/named"
printf '\377' | dd of="$TMP/named" bs=1 seek=$((sd + 200)) conv=notrunc status=none
fact "a damaged table of names tells nothing" '.sources[0].vmfs[0].lun_name_certain' false "$TMP/named"
run "$VMFSKIT" decode "$TMP/named"
has "a damaged table of names: the doubt is said" "$OUT" 'GUID +mpx\.vmhba0:C0:T4:L0 +\[uncertain: the header has a path only, as for a device with an eui\. name\]'

# --- who had a volume mounted last ------------------------------------------------------------------------
put "$TMP/named" 1048576+0x1400000+512*5+0x36 10.199.5.140
put "$TMP/named" 1048576+0x1400000+512*5+0x0c "$(printf '\036')"
fact "a free heartbeat slot keeps the address of its last user" '.sources[0].vmfs[0].heartbeats.history[0] | [.slot, .ip, .owner]' '[5,"10.199.5.140",null]' "$TMP/named"
run "$VMFSKIT" decode "$TMP/named"
has "a free heartbeat slot: the address in text" "$OUT" 'slot 5 .*: free; the last mount: IP 10\.199\.5\.140, uptime at the last beat .*, generation 30, driver '

disk=$TMP/5-gpt-512.img
# --- cut off anywhere: what is there is sound, what is not is no error; of nothing nothing is known -----------------
# whole structures of this disk end with the heartbeats at 1 + 21 MiB, but its second GPT stands at its end
for n in 0 1 511 512 513 1024 4096 17408 1048576 2097152 2097252 3145728 20971520 23068672 26214400; do
	head -c $n "$disk" >"$TMP/cut"
	# of less than a boot record nobody can tell what it is
	exits "a disk cut at $n bytes" $((n == 0 ? 4 : n < 512 ? 1 : 0)) "$VMFSKIT" decode "$TMP/cut"
done
run "$VMFSKIT" decode "$TMP/cut"
hasnt "a cut disk is not a damaged one" "$OUT" 'gpt\.backup-missing'

dd if="$disk" of="$TMP/partition" bs=1M skip=1 count=2048 conv=sparse status=none
# cuts_right NAME FILE WHOLE LENGTH...: a partition; everything is there from WHOLE bytes on (21 MiB, version 6: 24 MiB).
# Before its header begins nobody can tell what it is; from there on what is there is sound, and the rest is counted
cuts_right() {
	local name=$1 file=$2 whole=$3 n want bad=
	shift 3
	for n; do
		head -c "$n" "$file" >"$TMP/cut"
		run "$VMFSKIT" decode "$TMP/cut"
		want=1
		[ "$n" -ge 1048584 ] && want=0
		[ "$n" -eq 0 ] && want=4
		[ "$CODE" -eq $want ] && ! insane || bad+="at $n: exit $CODE, expected $want; "
		[ "$n" -eq 0 ] || grep -q '^Findings: .*not in the source' "$OUT" || [ "$n" -ge "$whole" ] || bad+="at $n: absent is not counted; "
		! grep -q '^Findings: .*not in the source' "$OUT" || [ "$n" -lt "$whole" ] || bad+="at $n: absent is counted; "
	done
	is "$name" "$bad" ""
}
lengths=$(awk 'BEGIN { srand(42); for (i = 0; i < 200; i++) printf "%d ", rand() * 27000000 }')
cuts_right "a VMFS5 partition cut at the named lengths" "$TMP/partition" 22020096 \
	0 1 511 512 $((1048576 + 100)) $((2 << 20)) $((17 << 20)) $((19 << 20)) $((20 << 20)) $((21 << 20)) $((25 << 20))
cuts_right "a VMFS5 partition cut at 200 other lengths" "$TMP/partition" 22020096 $lengths
head -c 1048676 "$TMP/partition" >"$TMP/cut"
run "$VMFSKIT" decode "$TMP/cut"
has "a header of 100 bytes: cut" "$OUT" 'cut +0x0+100000 +512  LVM device header \(100 bytes of it\)'
hasnt "a header of 100 bytes: no length is made up" "$OUT" 'partition size'
head -c 2097152 "$TMP/partition" >"$TMP/cut"
run "$VMFSKIT" decode "$TMP/cut"
has "how much of the partition a dump holds" "$OUT" 'holds 0\.09766 % of the partition: the first 2 MiB of 2 GiB, by its LVM header; what is here is sound$'
has "a dump cut in a table: cut" "$OUT" 'cut .*PE table 0'
has "a dump cut in a table: absent" "$OUT" 'absent .*heartbeat region'

# --- the same bytes in every wrapping give the same facts -----------------------------------------
facts='.sources[0].vmfs[0] | [.lvm.devID, .lvm.volumes[0].uuid, .fs.uuid, .fs.label, .heartbeats.slots_seen]'
head -c 23068672 "$TMP/partition" >"$TMP/dump"
want=$(json "$TMP/dump" | jq -c "$facts")
hexdump -C "$TMP/dump" >"$TMP/dump.txt"
fact "a hexdump -C listing" "$facts" "$want" "$TMP/dump.txt"
fact "a listing: the form is said" '.sources[0].form' '"hexdump"' "$TMP/dump.txt"
is "standard input, a file" "$("$VMFSKIT" decode --json - <"$TMP/dump" | jq -c "$facts")" "$want"
is "standard input, a pipe" "$(cat "$TMP/dump" | "$VMFSKIT" decode --json - | jq -c "$facts")" "$want"
is "standard input, a listing" "$(cat "$TMP/dump.txt" | "$VMFSKIT" decode --json - | jq -c "$facts")" "$want"
tail -c +17825793 "$TMP/dump" >"$TMP/vh.sf"
fact "a logical volume" '[.sources[0].kind, .sources[0].vmfs[0].fs.label, .sources[0].vmfs[0].heartbeats.slots_seen]' '["volume","ds5",2048]' "$TMP/vh.sf"
tail -c +1048577 "$TMP/dump" | head -c 1048576 >"$TMP/fragment"
fact "a fragment that starts at the header" '[.sources[0].kind, .sources[0].origin_bytes, .sources[0].vmfs[0].lvm.totalBytes]' '["header",1048576,2147483648]' "$TMP/fragment"
hexdump -C -s 0x100000 -n 8192 "$TMP/dump" >"$TMP/part.txt"
fact "a listing with the offsets of the partition" '[.sources[0].kind, .sources[0].vmfs[0].lvm.diskID.lun]' '["partition",3]' "$TMP/part.txt"
xxd -s 0x200000 -l 8192 "$disk" >"$TMP/disk.xxd"
fact "a listing with the offsets of a disk" '[.sources[0].kind, .sources[0].vmfs[0].start_sector]' '["disk",2048]' "$TMP/disk.xxd"

# --- the end of a disk whose first sectors were not copied: its backup GPT says where it began --------------------
tail='[.sources[0].kind, (.sources[0].tail_gpt | [.first_sector, .disk_sectors, .sector_size, .table.partitions[0].start_sector, .table.partitions[0].sectors])]'
for ss in 512 4096; do
	start=$((1048576 / ss)) sectors=$(($(stat -c %s "$TMP/5-gpt-$ss.img") / ss)) length=$((2147483648 / ss))
	dd if="$TMP/5-gpt-$ss.img" of="$TMP/tail-$ss" bs=1M skip=1 conv=sparse status=none
	ok "the end of a disk, $ss: sound" "$VMFSKIT" decode "$TMP/tail-$ss"
	fact "the end of a disk, $ss: its GPT is seen" "$tail" "[\"partition\",[$start,$sectors,$ss,$start,$length]]" "$TMP/tail-$ss"
	run "$VMFSKIT" decode "$TMP/tail-$ss"
	has "the end of a disk, $ss: and shown" "$OUT" "a backup GPT at the end says: this image begins at sector $start of its disk; partition 1: $start \.\.\. $((start + length - 1))\$"
done
fact "a whole disk has no such GPT" '.sources[0] | has("tail_gpt")' false "$disk"
cp --sparse=always "$TMP/tail-512" "$TMP/tail"
dd if=/dev/zero of="$TMP/tail" bs=1M count=30 conv=notrunc status=none
fact "its volume lost: it is a partition all the same" "$tail" "[\"partition\",[2048,$(($(stat -c %s "$disk") / 512)),512,2048,4194304]]" "$TMP/tail"
size=$(stat -c %s "$TMP/tail-512")
for at in $((size - 512 + 40)) $((size - 512 - 16384 + 33)); do
	cp --sparse=always "$TMP/tail-512" "$TMP/tail"
	printf '\377' | dd of="$TMP/tail" bs=1 seek=$at conv=notrunc status=none
	fact "a GPT whose checksum is wrong is not believed (byte $at)" '.sources[0] | has("tail_gpt")' false "$TMP/tail"
done
{ head -c 26M "$disk"; tail -c 1M "$disk"; } >"$TMP/glued"
fact "a head and a tail glued together: the head says where it begins" '.sources[0] | .kind, has("tail_gpt")' "$(printf '"disk"\nfalse')" "$TMP/glued"
cp --sparse=always "$TMP/tail-512" "$TMP/tail"
printf '\2' | dd of="$TMP/tail" bs=1 seek=$((0x10005E + 1)) conv=notrunc status=none
run "$VMFSKIT" decode "$TMP/tail"
has "the partition's length is that of the entry" "$OUT" 'table\.length-mismatch'

# --- what is damaged, and what it is read as ------------------------------------------------------
cp --sparse=always "$disk" "$TMP/wreck"
"$LAB" break --how table "$TMP/wreck" >"$OUT" 2>&1
exits "a table that was zeroed" 1 "$VMFSKIT" decode "$TMP/wreck"
has "a table that was zeroed: what still stands is shown" "$OUT" 'table\.hidden-vmfs'
has "a table that was zeroed: whose it is" "$OUT" 'label +ds5'
"$LAB" make --table mbr --volume start=63,size=1G,version=3 "$TMP/both" >"$OUT" 2>&1
cp --sparse=always "$TMP/partition" "$TMP/old"
dd if="$TMP/both" of="$TMP/old" bs=512 count=1 conv=notrunc status=none
fact "a stale boot record in a partition: the better reading wins" '.sources[0].kind' '"partition"' "$TMP/old"
dd if="$TMP/partition" of="$TMP/both" bs=1 skip=1048576 seek=1048576 count=214 conv=notrunc status=none
exits "two readings fit equally: refused" 2 "$VMFSKIT" decode "$TMP/both"
has "two readings fit equally: both are named" "$ERR" 'read as a disk .* and as a partition'
has "two readings fit equally: what to do" "$ERR" '--as disk or --as partition'
run "$VMFSKIT" decode --as disk --json "$TMP/both"
is "--as decides" "$(jq -r '.sources[0].kind' "$OUT")" disk
run "$VMFSKIT" decode --as partition --json "$TMP/both"
is "--as decides the other way" "$(jq -r '.sources[0].kind' "$OUT")" partition
exits "--as something else" 2 "$VMFSKIT" decode --as floppy "$disk"
exits "a source that is not there" 4 "$VMFSKIT" decode "$TMP/nowhere"
has "a source that is not there: named" "$ERR" "$TMP/nowhere"
exits "a folder that is no capture" 2 "$VMFSKIT" decode "$TMP"
exits "a device that never ends" 2 timeout 20 "$VMFSKIT" decode /dev/zero
has "a device that never ends: said" "$ERR" 'character device'
# a FIFO waits for whoever writes into it: so it is not opened
mkfifo "$TMP/fifo"
for verb in "decode fifo" "find fifo" "doctor fifo" "capture --store s fifo" "import --store s fifo" "repair table fifo" "diff fifo fifo"; do
	# shellcheck disable=SC2086
	(cd "$TMP" && timeout 20 "$VMFSKIT" $verb) >"$TMP/said" 2>&1
	is "a FIFO: ${verb%% fifo*}" "$?" 2
done
exits "a FIFO" 2 timeout 20 "$VMFSKIT" decode "$TMP/fifo"
has "a FIFO: said" "$ERR" 'this is a FIFO'
has "a FIFO: what to do" "$ERR" "name - \(standard input\) in its place, and add: <$TMP/fifo"
cat "$TMP/partition" >"$TMP/fifo" &
run "$VMFSKIT" decode --json - <"$TMP/fifo"
is "a FIFO as standard input" "$(jq -r '.sources[0].kind' "$OUT")" partition
run "$VMFSKIT" decode --json <(cat "$TMP/partition")
is "a pipe of the shell" "$(jq -r '.sources[0].kind' "$OUT")" partition
command -v python3 >/dev/null && python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$TMP/socket" 2>/dev/null
[ ! -S "$TMP/socket" ] || exits "a socket" 2 "$VMFSKIT" decode "$TMP/socket"
[ ! -S "$TMP/socket" ] || has "a socket: said" "$ERR" 'this is a socket'
exits "text that is no listing" 1 "$VMFSKIT" decode /etc/passwd
hasnt "text that is no listing: no volume is made up" "$OUT" 'VMFS partition'
head -c 512 "$disk" >"$TMP/first"
run "$VMFSKIT" decode --json "$TMP/first"
is "sector 0 of a GPT disk alone" "$(jq -c '[.sources[0].kind, .sources[0].table.kind]' "$OUT")" '["disk","gpt"]'
exits "one of two is not there: the other is shown" 4 "$VMFSKIT" decode "$disk" "$TMP/nowhere"
has "the other is shown" "$OUT" 'label +ds5'

printf 'start\033[31m\nred' >"$TMP/label"
cp --sparse=always "$TMP/partition" "$TMP/hostile"
dd if="$TMP/label" of="$TMP/hostile" bs=1 seek=$((0x1300000 + 0x1d)) conv=notrunc status=none
run "$VMFSKIT" decode "$TMP/hostile"
hasnt "a label cannot steer the terminal" "$OUT" $'\033'
has "it is shown escaped" "$OUT" 'start\\x1b\[31m\\x0ared'

# --- extents ---------------------------------------------------------------------------------------
"$LAB" make --table gpt --volume size=1G,version=5,label=spanned --extents "$TMP/e2=1G,$TMP/e3=1G" "$TMP/e1" >"$OUT" 2>&1
ok "all extents of a volume" "$VMFSKIT" decode "$TMP/e3" "$TMP/e1" "$TMP/e2"
has "they are put together" "$OUT" '3 of 3 extents, complete'
exits "an extent is missing" 1 "$VMFSKIT" decode --json "$TMP/e1" "$TMP/e3"
is "it is named" "$(jq -c '[.volumes[0].complete, (.findings[] | select(.code == "volume.extent-missing") | .seen)]' "$OUT")" '[false,"2 of 3 devices"]'
exits "an extent twice" 1 "$VMFSKIT" decode --json "$TMP/e1" "$TMP/e1" "$TMP/e2" "$TMP/e3"
is "it is named as a conflict" "$(jq -r '[.findings[].code] | unique | join(" ")' "$OUT")" volume.extent-conflict

# --- a capture is a source -------------------------------------------------------------------------
"$VMFSKIT" capture --store "$TMP/store" "$disk" >"$OUT" 2>&1
ok "a capture is decoded" "$VMFSKIT" decode --json "$TMP"/store/2*
is "a capture shows what the disk shows" "$(jq -c "$facts" "$OUT")" "$want"

# --- looking changes nothing ------------------------------------------------------------------------
if command -v strace >/dev/null; then
	traced "$TMP/trace" "$VMFSKIT" decode "$disk"
	hasnt "nothing is opened for writing" "$TMP/trace" "open.*\"$disk\".*(O_RDWR|O_WRONLY)"
fi

# --- real volumes ----------------------------------------------------------------------------------
if [ -z "$SHARED" ]; then
	skip "real volumes" "no ../shared"
	exit 0
fi
unpack "$SHARED/data/vmfs3-esx35-volume/partition.img.xz" "$TMP/real"
both='.sources[0] | del(.path, .form)'
is "the real volume: raw and VMFSIMG give the same facts" "$(json "$SHARED/data/vmfs3-esx35-volume/partition.vmfsimg" | jq -cS "$both")" "$(json "$TMP/real" | jq -cS "$both")"
ok "the real volume is sound" "$VMFSKIT" decode --json "$TMP/real"
fact "the real volume: header" '.sources[0].vmfs[0].lvm | [.majorVersion, .minorVersion, .diskID.id, .totalBytes, .devID, .volumes[0].uuid, .initTime]' \
	'[3,16,"vmhba0:C0:T0:L0",1258435584,"49edf844-da2dde19-747b-0021280083cf","49edf842-dcb35d37-b383-0021280083cf","2009-04-21T16:45:56.211175Z"]' "$TMP/real"
fact "the real volume: file system" '.sources[0].vmfs[0].fs | [.label, .majorVersion, .minorVersion, .fileBlockSize, .magic]' '["toto",4,31,1048576,"0x2fabf15e"]' "$TMP/real"
fact "the real volume: heartbeats" '.sources[0].vmfs[0].heartbeats | [.slots, .in_use, .free_with_history, .history[0].volume_offset, .history[0].uptime_us, .history[0].driver]' '[2048,[],1,4064768,392363951,"4.31"]' "$TMP/real"
cuts_right "the real volume cut at the named lengths" "$TMP/real" 22020096 \
	0 1 511 512 $((1048576 + 100)) $((2 << 20)) $((17 << 20)) $((19 << 20)) $((20 << 20)) $((21 << 20)) $((25 << 20))
cuts_right "the real volume cut at 200 other lengths" "$TMP/real" 22020096 $lengths

d=$SHARED/data/esx35-2009
header='.sources[0].vmfs[0].lvm | [.diskID.lun, .diskID.target_label, .diskID.name, .diskID.vml, .totalBytes, .devID]'
header_is='[3,"SUN COMSTAR 1.0","naa.600144f07ed404000000496ff8cd0003","vml.0200030000600144f07ed404000000496ff8cd0003434f4d535441",107372739584,"49716cd8-9b97aab0-2f6c-000d60d46e2e"]'
fs='.sources[0].vmfs[0].fs | [.label, .uuid]'
fs_is='["ss2-cstar-zs0.2","49716cd8-ebcbbf9a-6792-000d60d46e2e"]'
truncate -s 25M "$TMP/2009"
dd if="$d/lvm-header-at-0x100000.bin" of="$TMP/2009" bs=1 seek=1048576 conv=notrunc status=none
dd if="$d/vh.sf-at-0x200000.bin" of="$TMP/2009" bs=1 seek=$((0x1300000)) conv=notrunc status=none
hexdump -C "$d/lvm-header-at-0x100000.bin" >"$TMP/lvm.txt"
hexdump -C "$d/vh.sf-at-0x200000.bin" >"$TMP/vh.txt"
for source in "$d/lvm-header-at-0x100000.bin" "$TMP/lvm.txt" "$TMP/2009"; do
	fact "2009, ${source##*/}: header" "$header" "$header_is" "$source"
done
for source in "$d/vh.sf-at-0x200000.bin" "$TMP/vh.txt" "$TMP/2009"; do
	fact "2009, ${source##*/}: descriptor" "$fs" "$fs_is" "$source"
	run "$VMFSKIT" decode "$source"
	has "2009, ${source##*/}: the host" "$OUT" 'made +2009-01-17T05:30:00Z, by the host with MAC 00:0d:60:d4:6e:2e'
done
fact "2009: the partition table" '.sources[0].table.partitions[0] | [.type, .start_sector, .sectors]' '["fb",128,1572859762]' "$d/mbr-at-0.bin"

# real_line FILE PATTERN...: each of these lines is in the text
real_lines() {
	local name=$1 file=$2 line
	shift 2
	exits "$name: sound" 0 "$VMFSKIT" decode --all "$file"
	cp "$OUT" "$TMP/real.txt"
	has "$name: no error, no warning" "$TMP/real.txt" '^Findings: sound: no errors, no warnings'
	for line; do has "$name: $line" "$TMP/real.txt" "$line"; done
}
unpack "$SHARED/data/vmfs5-esxi-2021/disk-from-lba-2048.img.xz" "$TMP/real5"
unpack "$SHARED/data/vmfs6-esxi-2021/disk-from-lba-2048.img.xz" "$TMP/real6"
real_lines "the real VMFS5 volume" "$TMP/real5" 'GUID +mpx\.vmhba0:C0:T4:L0$' ' numPEMaps +1$' ' consumedPEs +0$' ' numPEs6 +0$' ' flags +0x0$' \
	'slot 984 \(volume offset 0x37B000\): in use by 61137d5a-a2df8778-7ed5-000c29801686, .*IP 10\.199\.5\.140, uptime at the last beat 522\.91 s, generation 9, driver 14\.81$'
real_lines "the real VMFS6 volume" "$TMP/real6" 'GUID +mpx\.vmhba0:C0:T2:L0$' ' numPEMaps +0$' ' consumedPEs +1$' ' numPEs6 +3$' ' mdAlignment +4096$' \
	'slot 120 \(volume offset 0x378000\): free; the last mount: IP 10\.199\.5\.140, uptime at the last beat 571\.12 s, generation 30, driver 24\.82$'
