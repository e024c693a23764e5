# SPDX-License-Identifier: Apache-2.0
# Each guard refuses its case, with exit 3 and its own name, and the target is not touched.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need perl
store=$TMP/store
good=$TMP/good.img
disk=$TMP/disk.img

made() { "$LAB" make --overwrite "$@" >/dev/null || exit 1; }

made --table gpt --vmfs 5 --vmfs-size 600M --seed 1 "$good"
start=$(sfdisk -d "$good" | sed -n 's/.*start= *\([0-9]*\),.*/\1/p')
lvm=$((start * 512 + 0x100000))
fs=$((start * 512 + 0x1300000))
hb=$((start * 512 + 0x1400000))
ok "a capture to restore from" "$VMFSKIT" capture --store "$store" "$good"
id=$(newest "$store")

# table_gone: a fresh disk whose table is zeroed, so that there is something to do
table_gone() {
	copy_disk "$good" "$disk"
	"$LAB" break --how table "$disk" >/dev/null || exit 1
}

# refused GUARD NAME [options]: restore of $id to $disk is refused by GUARD and no other, dry and with --write
refused() {
	local guard=$1 name=$2 before
	shift 2
	before=$(disk_state "$disk")
	exits "$name: refused" 3 "$VMFSKIT" restore --store "$store" "$id" "$disk" "$@"
	has "$name: by name" "$ERR" "^guard $guard refuses: "
	has "$name: the option that lifts it, last, and what it risks" "$(grep -A 2 "^guard $guard refuses" "$ERR" | sed -n 3p)" "^  --override $guard: writes although .*; the risk: ."
	is "$name: by no other guard" "$(grep -c '^guard .* refuses: ' "$ERR")" 1
	exits "$name: refused with --write" 3 "$VMFSKIT" restore --store "$store" "$id" "$disk" --write "$@"
	exits "$name: refused in JSON" 3 "$VMFSKIT" restore --json --store "$store" "$id" "$disk" --write "$@"
	has "$name: JSON names the guard" "$OUT" "\"guard\": \"$guard\""
	has "$name: JSON says that nothing was written" "$OUT" '"written": false'
	is "$name: bytes and time are untouched" "$(disk_state "$disk")" "$before"
	is "$name: no undo capture was taken" "$(ls "$store" | grep -c undo)" 0
}
# lifted GUARD NAME [options]: with --override it is planned (not written)
lifted() {
	local guard=$1 name=$2
	shift 2
	exits "$name: --override lifts it" 0 "$VMFSKIT" restore --store "$store" "$id" "$disk" \
		--override "$guard" "$@"
	has "$name: and says so" "$ERR" "^guard $guard was lifted: "
}

# no guard, no refusal: the case that the others differ from
table_gone
ok "nothing stands in the way of a wreck" "$VMFSKIT" restore --store "$store" "$id" "$disk"
hasnt "no guard speaks" "$ERR" "guard"

# a dry run opens nothing for writing
if command -v strace >/dev/null; then
	before=$(disk_state "$disk")
	STRACE_OPTIONS="-e trace=open,openat,openat2,creat,truncate,ftruncate" \
		traced "$TMP/trace" "$VMFSKIT" restore --store "$store" "$id" "$disk" >/dev/null 2>&1
	has "strace saw the target being opened" "$TMP/trace" 'disk\.img.*O_RDONLY'
	hasnt "a dry run opens the target for reading only" "$TMP/trace" 'disk\.img.*(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC)'
	# what has no name is in memory: the copy that libblkid looks at
	hasnt "a dry run opens nothing at all for writing" "$TMP/trace" '(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|creat\(|[^f]truncate)'
	is "a dry run leaves bytes and time alone" "$(disk_state "$disk")" "$before"
	copy_disk "$good" "$TMP/used.img"
	made --table gpt --vmfs 5 --vmfs-size 601M --seed 1 "$disk"
	STRACE_OPTIONS="-e trace=open,openat,openat2,creat,truncate,ftruncate" \
		traced "$TMP/trace" "$VMFSKIT" restore --store "$store" "$id" "$disk" --write >/dev/null 2>&1
	hasnt "a refused restore --write does not open the target for writing" "$TMP/trace" \
		'disk\.img.*(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC)'
else
	skip "a dry run under strace" "there is no strace"
fi

# capture-verified
table_gone
copy=$TMP/flipped
cp -a "$store/$id" "$copy"
flip() { printf "\\x$(printf %02x $((0x$(xxd -s "$2" -l 1 -p "$1") ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
if command -v xxd >/dev/null; then
	chmod -R u+w "$copy"
	rm -f "$copy/head.raw"
	cp "$store/$id/head.raw" "$copy/head.raw"
	chmod u+w "$copy/head.raw"
	flip "$copy/head.raw" 450
	(id=$copy; refused capture-verified "a flipped byte in a region"; exit "$failed_cases") || failed_cases=$((failed_cases + 1))
	exits "nothing is planned with a broken capture" 3 "$VMFSKIT" restore --store "$store" "$copy" "$disk"
	has "nothing is planned with a broken capture: no part" "$OUT" "^parts    none"
	(id=$copy; lifted capture-verified "a flipped byte in a region"; exit "$failed_cases") || failed_cases=$((failed_cases + 1))
	rm -f "$copy/head.raw"
	(id=$copy; refused capture-verified "a missing region"; exit "$failed_cases") || failed_cases=$((failed_cases + 1))
	cp "$store/$id/head.raw" "$copy/head.raw"
	echo '{' >"$copy/manifest.json"
	exits "a manifest that cannot be read: refused" 3 "$VMFSKIT" restore --store "$store" "$copy" "$disk"
	has "a manifest that cannot be read: by name" "$ERR" "^guard capture-verified refuses: "
	sed '/"schema"/s,/[0-9]*",/99",' "$store/$id/manifest.json" >"$copy/manifest.json"
	has "the schema was changed" "$copy/manifest.json" '"schema": ".*/99"'
	exits "a manifest of another time: refused" 3 "$VMFSKIT" restore --store "$store" "$copy" "$disk"
	has "a manifest of another time: by name" "$ERR" "^guard capture-verified refuses: "
else
	skip "capture-verified" "there is no xxd"
fi

# size
table_gone
truncate -s +1M "$disk"
refused size "a longer disk"
lifted size "a longer disk"
table_gone
truncate -s -1M "$disk"
refused size "a shorter disk"
truncate -s +1048575 "$disk"
run "$VMFSKIT" restore --store "$store" "$id" "$disk"
has "a disk that lacks one byte" "$ERR" ': 1 byte less$'
truncate -s -1048575 "$disk"

# sector-size
table_gone
refused sector-size "other sectors" --sector-size 4096
lifted sector-size "other sectors" --sector-size 4096

# identity: the same place and size, another device, LUN or volume
made --table gpt --vmfs 5 --vmfs-size 600M --seed 2 "$TMP/other.img"
patch_in() { # FROM OFFSET LENGTH: bytes of another disk into $disk
	dd if="$1" of="$disk" bs=64K iflag=skip_bytes,count_bytes oflag=seek_bytes skip="$2" seek="$2" count="$3" conv=notrunc status=none
}
table_gone
patch_in "$TMP/other.img" $((lvm + 0x82)) 16
refused device-uuid "another device UUID"
lifted device-uuid "another device UUID"
table_gone
printf 'X' | dd of="$disk" bs=1 seek=$((lvm + 0x30)) conv=notrunc status=none
refused disk-id "another LUN"
lifted disk-id "another LUN"
table_gone
patch_in "$TMP/other.img" $((lvm + 0x200 + 0x54)) 16
refused volume-uuid "another volume"
lifted volume-uuid "another volume"
table_gone
patch_in "$TMP/other.img" $((fs + 9)) 16
refused volume-uuid "another file system"
# also where nothing else would be changed
copy_disk "$good" "$disk"
patch_in "$TMP/other.img" $((lvm + 0x82)) 16
refused device-uuid "another device UUID and nothing to do"
# a volume whose table is lost, at another start than the captured one's
made --table gpt --vmfs 5 --start 128 --size "$(stat -c %s "$good")" --seed 5 "$disk"
"$LAB" break --how table "$disk" >/dev/null || exit 1
# (and where it begins is nothing that could prove the disk)
refused device-uuid "another volume behind a lost table" --override unidentified
has "another volume behind a lost table: where" "$ERR" "begins at sector 128 "
lifted device-uuid "another volume behind a lost table" --override unidentified
# but not the relic of a volume that the captured one has replaced
table_gone
patch_relic() { dd if="$TMP/relic.img" of="$disk" bs=512 skip="$1" seek="$1" count="$2" conv=notrunc status=none; }
made --table gpt --vmfs 5 --start 128 --size "$(stat -c %s "$good")" --seed 5 "$TMP/relic.img"
patch_relic $((128 + 2048)) 2
ok "a relic of an older volume" "$VMFSKIT" restore --store "$store" "$id" "$disk" --part table,lvm
# a header without magic says nothing: it may be put back
table_gone
patch_in "$TMP/other.img" "$lvm" 512
zero "$disk" "$lvm" 4
ok "a header without magic cannot contradict" "$VMFSKIT" restore --store "$store" "$id" "$disk"

# table-kind
table_gone
printf 'label: dos\nstart=2048, size=20480, type=83\n' | sfdisk -q --no-tell-kernel --wipe never "$disk" >/dev/null 2>&1
refused table-kind "a sound MBR where a GPT was captured"
lifted table-kind "a sound MBR where a GPT was captured"
ok "without the table it does not matter" "$VMFSKIT" restore --store "$store" "$id" "$disk" --part lvm,vh
made --table mbr --vmfs 3 --vmfs-size 600M --start 128 --seed 3 "$TMP/mbr.img"
ok "a capture of an MBR disk" "$VMFSKIT" capture --store "$store" "$TMP/mbr.img"
mbr_id=$(ls "$store" | grep -v -e "^$id\$" -e "^ledger\." | head -n 1)
copy_disk "$TMP/mbr.img" "$disk"
zero "$disk" 0 512
printf 'label: gpt\nstart=2048, size=20480, type=L\n' | sfdisk -q --no-tell-kernel --wipe never "$disk" >/dev/null 2>&1
(id=$mbr_id; refused table-kind "a sound GPT where an MBR was captured"; exit "$failed_cases") || failed_cases=$((failed_cases + 1))

# kind: a partition's capture on a disk, a disk's on a partition
part=$TMP/part.img
dd if="$good" of="$part" bs=1M iflag=skip_bytes skip=$((start * 512)) count=600 conv=sparse status=none
ok "a capture of a partition" "$VMFSKIT" capture --store "$TMP/part-store" "$part"
part_id=$(newest "$TMP/part-store")
copy_disk "$part" "$disk"
zero "$disk" 0 $((21 * 1048576))
# a copy of which nothing is left to tell whose it is
blank="--override unidentified"
exits "a wrecked copy of a partition: refused" 3 "$VMFSKIT" restore --store "$TMP/part-store" "$part_id" "$disk"
has "a wrecked copy of a partition: nothing proves it" "$ERR" "^guard unidentified refuses: "
is "a wrecked copy of a partition: by no other guard" "$(grep -c '^guard .* refuses: ' "$ERR")" 1
ok "a wrecked partition is still one" "$VMFSKIT" restore --store "$TMP/part-store" "$part_id" "$disk" $blank
dd if="$good" of="$disk" bs=512 count=1 conv=notrunc status=none
ok "with a protective MBR alone, too" "$VMFSKIT" restore --store "$TMP/part-store" "$part_id" "$disk" $blank
for table in gpt dos; do
	rm -f "$disk"
	truncate -s "$(stat -c %s "$part")" "$disk"
	printf 'label: %s\nstart=8192, size=20480, type=linux\n' "$table" | sfdisk -q --no-tell-kernel "$disk" >/dev/null 2>&1
	(store=$TMP/part-store; id=$part_id; refused kind "a partition onto a disk with a $table table" $blank
	lifted kind "a partition onto a disk with a $table table" $blank; exit "$failed_cases") || failed_cases=$((failed_cases + 1))
done
table_gone
truncate -s "$(stat -c %s "$part")" "$disk"
exits "a partition onto a disk that lost its table" 3 "$VMFSKIT" restore --store "$TMP/part-store" "$part_id" "$disk"
has "a partition onto a disk that lost its table: by name" "$ERR" "^guard kind refuses: .*begins at its sector $start"
made --table none --vmfs 5 --size "$(stat -c %s "$good")" --seed 9 "$disk"
refused kind "a disk onto a partition" $blank
lifted kind "a disk onto a partition" $blank
zero "$disk" 1048576 512
refused kind "a disk onto a partition that lost its LVM header" $blank

# disk-id: the header is gone, but the table is of another disk
copy_disk "$good" "$disk"
"$LAB" break --how header "$disk" >"$OUT" 2>&1
ok "the right disk without its header" "$VMFSKIT" restore --store "$store" "$id" "$disk"
hasnt "the right disk without its header: its table proves it" "$ERR" 'guard'
sfdisk --disk-id "$disk" 0FC63DAF-8483-4772-8E79-3D69D8477DE4 >/dev/null 2>&1
refused disk-id "a table of another disk"
lifted disk-id "a table of another disk"
has "a table of another disk: which" "$ERR" 'of disk 0FC63DAF-8483-4772-8E79-3D69D8477DE4'
"$LAB" break --how table "$disk" >"$OUT" 2>&1
refused unidentified "nothing left at all"
lifted unidentified "nothing left at all"
# the file that was captured is itself, whatever is left in it
cp --sparse=always "$good" "$TMP/itself.img"
ok "a file of which nothing will be left: captured" "$VMFSKIT" capture --store "$TMP/itself-store" "$TMP/itself.img"
zero "$TMP/itself.img" 0 $((21 * 1048576))
zero "$TMP/itself.img" $(($(stat -c %s "$good") - 1048576)) 1048576
itself_id=$(newest "$TMP/itself-store")
ok "a file of which nothing is left" "$VMFSKIT" restore --store "$TMP/itself-store" "$itself_id" "$TMP/itself.img"
mv "$TMP/itself.img" "$TMP/itself-2.img"
ok "also under another name" "$VMFSKIT" restore --store "$TMP/itself-store" "$itself_id" "$TMP/itself-2.img"
cp --sparse=always "$TMP/itself-2.img" "$TMP/itself.img"
exits "another file under its name" 3 "$VMFSKIT" restore --store "$TMP/itself-store" "$itself_id" "$TMP/itself.img"
has "another file under its name: by name" "$ERR" "^guard unidentified refuses: "
rm -f "$TMP/itself.img" "$TMP/itself-2.img"

# what is not put back is said
copy_disk "$good" "$disk"
hb=$("$VMFSKIT" decode --json "$disk" | jq '[.sources[0].structures[] | select(.name == "heartbeat region")][0].offset')
zero "$disk" "$hb" 4096
ok "damage in a part that is never chosen" "$VMFSKIT" restore --store "$store" "$id" "$disk"
has "damage in a part that is never chosen: named" "$OUT" 'note .*heartbeats of partition 1'
copy_disk "$good" "$disk"
run "$VMFSKIT" restore --store "$store" "$id" "$disk"
hasnt "nothing differs: nothing is said" "$OUT" 'although it differs from the capture'

# table-partitions: a sound table with what the capture does not know
copy_disk "$good" "$disk"
guid=$(sfdisk --disk-id "$disk")
printf 'label: gpt\nlabel-id: %s\nfirst-lba: 34\nstart=2048, size=20480, type=L\n' "$guid" |
	sfdisk -q --no-tell-kernel --wipe never "$disk" >/dev/null 2>&1
zero "$disk" $((2048 * 512)) $((20480 * 512))
refused table-partitions "another partition in a sound GPT" --part table
lifted table-partitions "another partition in a sound GPT" --part table
has "another partition in a sound GPT: which" "$ERR" "number 1 at sector 2048, 20480 sectors"
zero "$disk" 512 512
zero "$disk" $(($(stat -c %s "$disk") - 512)) 512
ok "what a broken GPT says does not count" "$VMFSKIT" restore --store "$store" "$id" "$disk" --part table
(id=$mbr_id
copy_disk "$TMP/mbr.img" "$disk"
printf 'label: dos\nstart=128, size=1024, type=83\n' | sfdisk -q --no-tell-kernel --wipe never "$disk" >/dev/null 2>&1
refused table-partitions "another partition in a sound MBR"
exit "$failed_cases") || failed_cases=$((failed_cases + 1))

# foreign-signature
if command -v mkfs.ext4 >/dev/null; then
	for at in 256 2048 40960; do
		rm -f "$disk"
		truncate -s "$(stat -c %s "$good")" "$disk"
		printf 'label: gpt\nfirst-lba: 34\nstart=%s, size=204800, type=L\n' "$at" |
			sfdisk -q --no-tell-kernel "$disk" >/dev/null 2>&1
		mkfs.ext4 -q -F -L linux -E offset=$((at * 512)) "$disk" 100m >/dev/null 2>&1
		exits "a Linux disk with ext4 at sector $at: refused" 3 "$VMFSKIT" restore --store "$store" "$id" "$disk"
		has "a Linux disk with ext4 at sector $at: its signature" "$ERR" \
			"^guard foreign-signature refuses: ext4 .* partition 1.*label \"linux\""
		has "a Linux disk with ext4 at sector $at: its table" "$ERR" "^guard table-partitions refuses: "
	done
fi
if command -v mkfs.ext4 >/dev/null; then
	copy_disk "$good" "$disk"
	"$LAB" break --how ext4 "$disk" >/dev/null || exit 1
	refused foreign-signature "ext4 on the whole disk"
	has "ext4 on the whole disk: named" "$ERR" "ext4"
	lifted foreign-signature "ext4 on the whole disk"
	copy_disk "$good" "$disk"
	zero "$disk" $((start * 512)) $((21 * 1048576))
	mkfs.ext4 -q -F -L intruder -E offset=$((start * 512)) "$disk" 400m >/dev/null 2>&1
	refused foreign-signature "ext4 in the partition"
	has "ext4 in the partition: named with its label" "$ERR" 'ext4 .*label "intruder"'
else
	skip "ext4" "there is no mkfs.ext4"
fi
# a magic that the capture has in the same place, but of another file system
if command -v mkfs.ext4 >/dev/null; then
	made --table mbr --vmfs 3 --vmfs-size 600M --start 2048 --seed 3 "$TMP/magic.img"
	printf '\123\357' | dd of="$TMP/magic.img" bs=1 seek=$((1024 + 56)) conv=notrunc status=none
	"$VMFSKIT" capture --store "$TMP/magic-store" "$TMP/magic.img" >/dev/null
	copy_disk "$TMP/magic.img" "$disk"
	zero "$disk" 0 512
	(store=$TMP/magic-store; id=$(newest "$store")
	ok "a magic without a file system is no sign" "$VMFSKIT" restore --store "$store" "$id" "$disk"
	mkfs.ext4 -q -F -L other "$disk" 500m >/dev/null 2>&1
	refused foreign-signature "the captured magic in another file system" $blank
	exit "$failed_cases") || failed_cases=$((failed_cases + 1))
else
	skip "a captured magic" "there is no mkfs.ext4"
fi
copy_disk "$good" "$disk"
"$LAB" break --how ntfs "$disk" >/dev/null || exit 1
refused foreign-signature "NTFS on the whole disk"
copy_disk "$good" "$disk"
"$LAB" break --how ntfs --at partition "$disk" >/dev/null || exit 1
refused foreign-signature "NTFS in the partition" --part lvm
table_gone
printf '\353\122\220NTFS    ' | dd of="$disk" bs=1 seek=0 conv=notrunc status=none
printf '\125\252' | dd of="$disk" bs=1 seek=510 conv=notrunc status=none
refused foreign-signature "an NTFS boot sector alone"

# heartbeat
made --table gpt --vmfs 5 --vmfs-size 600M --seed 1 --live 2 "$TMP/live.img"
ok "a capture of a disk in use" "$VMFSKIT" capture --store "$store" "$TMP/live.img"
live_id=$(ls -1t "$store" | grep -v "^ledger\." | head -n 1)
copy_disk "$TMP/live.img" "$disk"
zero "$disk" 0 512
"$LAB" beat --start "$start" --every 100 --times 60 "$disk" >/dev/null 2>&1 &
beating=$!
exits "a host is at work: refused" 3 "$HOOKS" restore --store "$store" "$live_id" "$disk" --heartbeat-wait 0.5
has "a host is at work: by name" "$ERR" "^guard heartbeat refuses: "
exits "a host is at work: refused with --write" 3 "$HOOKS" restore --store "$store" "$live_id" "$disk" --heartbeat-wait 0.5 --write
# what beats here is a process of this machine, with the file open for writing
exits "a host is at work: --override lifts it" 0 "$HOOKS" restore --store "$store" "$live_id" "$disk" --heartbeat-wait 0.5 --override heartbeat,in-use
hasnt "a host is at work: heartbeats can be judged" "$OUT" "heartbeats cannot be judged"
kill "$beating" 2>/dev/null
wait "$beating" 2>/dev/null
is "a host is at work: sector 0 is untouched" "$(head -c 512 "$disk" | tr -d '\000' | wc -c)" 0
ok "a host that crashed does not stand in the way" "$HOOKS" restore --store "$store" "$live_id" "$disk" --heartbeat-wait 0.3

copy_disk "$good" "$disk"
zero "$disk" 0 512
hbs=$(sed -n 's/.*"heartbeat_length_bytes": *\([0-9]*\).*/\1/p' "$store/$id/manifest.json" | head -n 1)
ok "free heartbeats" "$VMFSKIT" restore --store "$store" "$id" "$disk"
hasnt "free heartbeats are judged" "$OUT" "heartbeats cannot be judged"
zero "$disk" "$hb" "$hbs"
ok "no heartbeats where they are expected" "$VMFSKIT" restore --store "$store" "$id" "$disk"
has "no heartbeats where they are expected: said" "$OUT" "^note .*heartbeats cannot be judged: there are none at byte $hb "

# in-use
if [ "$(id -u)" -eq 0 ]; then
	table_gone
	if device=$(loop_attach "$disk"); then
		refused in-use "a file that is attached as a loop device"
		has "a file that is attached as a loop device: named" "$ERR" "$device"
		lifted in-use "a file that is attached as a loop device"
		loop_detach "$device"
	else
		skip "in-use: loop devices" "there are none"
	fi
	# a file system in a partition of the disk, mounted
	copy_disk "$good" "$disk"
	device=$(loop_attach "$disk" -P) && { [ -e "${device}p1" ] || partx -a "$device" 2>/dev/null; }
	if mkdir "$TMP/mnt" && mkfs.ext4 -q -F "${device}p1" >/dev/null 2>&1 && mount "${device}p1" "$TMP/mnt" 2>/dev/null; then
		echo "$TMP/mnt" >>"$TMP/.mounts"
		for write in "" --write; do
			exits "a mounted partition: refused${write:+ with }$write" 3 "$VMFSKIT" restore --store "$store" "$id" "$device" \
				--override foreign-signature $write
			has "a mounted partition: by name and place" "$ERR" "^guard in-use refuses: .*mounted on $TMP/mnt"
		done
		is "a mounted partition: by no other guard" "$(grep -c '^guard .* refuses: ' "$ERR")" 1
		umount "$TMP/mnt" && : >"$TMP/.mounts"
	else
		skip "in-use: a mounted partition" "it cannot be made here"
	fi
	partx -d "$device" 2>/dev/null
	# a program that has the device for itself alone
	table_gone
	loop_detach "$device"
	device=$(loop_attach "$disk")
	perl -e 'use Fcntl; sysopen(F, $ARGV[0], O_RDONLY | O_EXCL) or exit 1; sleep 20' "$device" &
	holding=$!
	sleep 0.5
	exits "a device that a program holds: refused" 3 "$VMFSKIT" restore --store "$store" "$id" "$device" --write
	has "a device that a program holds: by name" "$ERR" "^guard in-use refuses: "
	kill "$holding" 2>/dev/null
	wait "$holding" 2>/dev/null
	loop_detach "$device"
else
	skip "in-use" "needs root"
fi
table_gone
flock --no-fork "$disk" sleep 20 &
holding=$!
sleep 0.3
refused in-use "a file that another process has locked"
kill "$holding" 2>/dev/null
wait "$holding" 2>/dev/null

# usage
table_gone
exits "a guard that does not exist" 2 "$VMFSKIT" restore --store "$store" "$id" "$disk" --override everything
exits "a wait that no heartbeat fits in" 2 "$VMFSKIT" restore --store "$store" "$id" "$disk" --heartbeat-wait 3.9
has "a wait that no heartbeat fits in: why" "$ERR" "hosts beat every 3 seconds"
ok "unless nobody asks for heartbeats" "$VMFSKIT" restore --store "$store" "$id" "$disk" --heartbeat-wait 0.3 --override heartbeat
ok "a wait that is long enough" "$VMFSKIT" restore --store "$store" "$id" "$disk" --heartbeat-wait 4
exits "a part that does not exist" 2 "$VMFSKIT" restore --store "$store" "$id" "$disk" --part files
exits "undo of what is no undo capture" 2 "$VMFSKIT" undo --store "$store" "$id" "$disk"
exits "a target that does not exist" 4 "$VMFSKIT" restore --store "$store" "$id" "$TMP/nowhere"
exits "a capture that does not exist" 4 "$VMFSKIT" restore --store "$store" nothing "$disk"
exits "a folder as target" 2 "$VMFSKIT" restore --store "$store" "$id" "$TMP"

# worse: what decodes now and would not afterwards; nothing else speaks against a capture of a wreck
# worse_than NAME WHAT [options]: restore of $id to the healthy disk
worse_than() {
	local what=$2 healthy=$id
	id=$wreck
	copy_disk "$good" "$disk"
	refused worse "$1" "${@:3}"
	has "$1: what would be lost" "$ERR" "^guard worse .*$what"
	lifted worse "$1" "${@:3}"
	id=$healthy
}
for how in header start table; do
	copy_disk "$good" "$disk"
	"$LAB" break --how $how "$disk" >/dev/null || exit 1
	run "$VMFSKIT" capture --json --store "$store" "$disk"
	wreck=$(sed -n 's/^ *"id": "\(.*\)",*$/\1/p' "$OUT" | head -n 1)
	case $how in
	header) worse_than "a zeroed LVM header over a usable one" "now there is a usable LVM header of the volume at sector $start" --part lvm ;;
	start) worse_than "zeroed headers over usable ones" "a usable (LVM header|file-system descriptor) of the volume" --part lvm,vh ;;
	table) worse_than "no table over a sound one" "it would have 1 error more; .* gpt.primary-missing at byte 512" --part table --override table-kind,table-partitions ;;
	esac
done

# undo is guarded the same way
table_gone
ok "a restore to undo" "$VMFSKIT" restore --json --store "$store" "$id" "$disk" --write
undo=$(undo_of "$OUT")
truncate -s +1M "$disk"
exits "undo to a longer disk: refused" 3 "$VMFSKIT" undo --store "$store" "$undo" "$disk" --write
has "undo to a longer disk: by name" "$ERR" "^guard size refuses: "
truncate -s -1M "$disk"
copy_disk "$TMP/other.img" "$TMP/other2.img"
exits "undo on another disk: refused" 3 "$VMFSKIT" undo --store "$store" "$undo" "$TMP/other2.img" --write
has "undo on another disk: by name" "$ERR" "^guard (device-uuid|volume-uuid|disk-id) refuses: "
same "undo on another disk: untouched" "$TMP/other.img" "$TMP/other2.img"
ok "undo on the right disk" "$VMFSKIT" undo --store "$store" "$undo" "$disk" --write
