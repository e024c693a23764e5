# SPDX-License-Identifier: Apache-2.0
# Undo leads back to any wreck, also one that guards were lifted for; and it is guarded itself. Partitions and
# extents as targets.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need perl
store=$TMP/store
good=$TMP/good.img
disk=$TMP/disk.img
all="--part table,lvm,vh,heartbeats"

made() { "$LAB" make --overwrite "$@" >/dev/null || exit 1; }
captured() { "$VMFSKIT" capture --store "$store" "$1" >/dev/null || exit 1; ls -1t "$store" | grep -v "^ledger\." | head -n 1; }

made --table gpt --vmfs 5 --start 2048 --vmfs-size 600M --seed 1 "$good"
base=$((2048 * 512))
id=$(captured "$good")

# there_and_back NAME GUARDS: $disk is restored with these guards lifted, undone, and the undo undone
there_and_back() {
	local name=$1 wreck restored undo redo lifted=${2:+--override }${2:-}
	wreck=$(disk_sum "$disk")
	if [ -n "$2" ]; then
		exits "$name: guarded" 3 "$VMFSKIT" restore --store "$store" "$id" "$disk" $all --write
	fi
	ok "$name: restore" "$VMFSKIT" restore --json --store "$store" "$id" "$disk" $all $lifted --write
	undo=$(undo_of "$OUT")
	restored=$(disk_sum "$disk")
	hasnt "$name: it was changed" "$restored" "$wreck"
	ok "$name: undo" "$VMFSKIT" undo --json --store "$store" "$undo" "$disk" --write
	redo=$(undo_of "$OUT")
	hasnt "$name: no guard stands in the way of undo" "$ERR" "guard"
	is "$name: undo leads to the wreck" "$(disk_sum "$disk")" "$wreck"
	ok "$name: the undo is undone" "$VMFSKIT" undo --store "$store" "$redo" "$disk" --write
	hasnt "$name: no guard stands in its way either" "$ERR" "guard"
	is "$name: and all is as restored" "$(disk_sum "$disk")" "$restored"
}

copy_disk "$good" "$disk"
"$LAB" break --how ntfs "$disk" >/dev/null || exit 1
there_and_back "NTFS on the disk" foreign-signature
copy_disk "$good" "$disk"
"$LAB" break --how ntfs --at partition "$disk" >/dev/null || exit 1
there_and_back "NTFS in the partition" foreign-signature
if command -v mkfs.ext4 >/dev/null; then
	copy_disk "$good" "$disk"
	"$LAB" break --how ext4 "$disk" >/dev/null || exit 1
	there_and_back "ext4 on the disk" foreign-signature
else
	skip "ext4 on the disk" "there is no mkfs.ext4"
fi
made --table gpt --vmfs 5 --start 2048 --vmfs-size 600M --seed 2 "$disk"
there_and_back "another volume" device-uuid,volume-uuid,disk-id
copy_disk "$good" "$disk"
zero "$disk" 0 512
printf 'label: dos\nstart=128, size=20480, type=83\n' | sfdisk -q --no-tell-kernel --wipe never "$disk" >/dev/null 2>&1
there_and_back "another kind of table" table-kind

# what came after the restore is not undone blindly, and not touched where the restore wrote nothing
copy_disk "$good" "$disk"
"$LAB" break --how header "$disk" >/dev/null || exit 1
ok "headers put back" "$VMFSKIT" restore --json --store "$store" "$id" "$disk" --write
undo=$(undo_of "$OUT")
printf 'later' | dd of="$disk" bs=1 seek=$((base + 0x1100000)) conv=notrunc status=none
printf '\001' | dd of="$disk" bs=1 seek=$((base + 0x100000 + 0x72)) conv=notrunc status=none
before=$(disk_sum "$disk")
exits "undo of a volume that a host has changed since: refused" 3 "$VMFSKIT" undo --store "$store" "$undo" "$disk" --write
has "undo of a volume that a host has changed since: by name" "$ERR" "^guard changed-since refuses: byte $((base + 0x100000)) "
has "undo of a volume that a host has changed since: it would zero a header that is usable" "$ERR" \
	"^guard worse refuses: .*a usable LVM header of the volume at sector 2048"
is "undo of a volume that a host has changed since: untouched" "$(disk_sum "$disk")" "$before"
exits "one of the two guards is not both" 3 "$VMFSKIT" undo --store "$store" "$undo" "$disk" --write --override changed-since
ok "undo of a volume that a host has changed since: lifted" "$VMFSKIT" undo --store "$store" "$undo" "$disk" --write --override changed-since,worse
is "its header is gone again" "$(dd if="$disk" bs=512 skip=$(((base + 0x100000) / 512)) count=1 status=none | tr -d '\000' | wc -c)" 0
is "what was written elsewhere since stays" "$(dd if="$disk" bs=1 skip=$((base + 0x1100000)) count=5 status=none)" later
ok "headers put back again" "$VMFSKIT" restore --json --store "$store" "$id" "$disk" --write
undo=$(undo_of "$OUT")
made --table gpt --vmfs 5 --start 2048 --vmfs-size 600M --seed 2 "$disk"
before=$(disk_sum "$disk")
exits "undo where another volume was made since: refused" 3 "$VMFSKIT" undo --store "$store" "$undo" "$disk" --write
has "undo where another volume was made since: by name" "$ERR" "^guard (device-uuid|volume-uuid) refuses: "
is "undo where another volume was made since: untouched" "$(disk_sum "$disk")" "$before"

# an undo capture is no backup: it says so wherever it is shown, and nothing takes it for one
copy_disk "$good" "$disk"
"$LAB" break --how table "$disk" >/dev/null || exit 1
wreck=$(disk_sum "$disk")
rm -rf "$TMP/store3"
"$VMFSKIT" capture --store "$TMP/store3" "$good" >/dev/null
backup=$(captures "$TMP/store3")
ok "a table put back" "$VMFSKIT" restore --store "$TMP/store3" "$TMP/store3/$backup" "$disk" --write
printed=$(sed -n 's/^  \(vmfskit undo .*\)/\1/p' "$OUT")
undo=$(captures "$TMP/store3" | grep -e '-undo$')
healed=$(disk_sum "$disk")
ok "list" "$VMFSKIT" list --store "$TMP/store3"
has "list: its verdict" "$OUT" "^undo .* $undo\$"
has "list: what to do with it" "$OUT" 'use vmfskit undo$'
has "list: the backup is what it was" "$OUT" "^sound .* $backup\$"
ok "list without reading" "$VMFSKIT" list --no-verify --store "$TMP/store3"
has "list without reading: its verdict" "$OUT" "^undo .* $undo\$"
ok "list in JSON" "$VMFSKIT" list --json --store "$TMP/store3"
has "list in JSON: its verdict" "$OUT" '"verdict": "undo"'
has "list in JSON: what to do with it" "$OUT" '"use": ".*use vmfskit undo"'
ok "verify" "$VMFSKIT" verify --store "$TMP/store3"
has "verify: verdict and what to do" "$OUT" "$undo: undo, .*use vmfskit undo\$"
ok "verify in JSON" "$VMFSKIT" verify --json --store "$TMP/store3"
has "verify in JSON: its verdict" "$OUT" '"verdict": "undo"'
has "RESTORE.txt says it" "$TMP/store3/$undo/RESTORE.txt" '^This is an undo capture'
exits "restore of an undo capture: refused" 2 "$VMFSKIT" restore --store "$TMP/store3" "$undo" "$disk" --write --override worse
has "restore of an undo capture: says what it is" "$ERR" "$undo is an undo capture"
has "restore of an undo capture: the command that was meant" "$ERR" "^  vmfskit undo $undo $disk --override worse --store $TMP/store3 --write\$"
is "restore of an undo capture: untouched" "$(disk_sum "$disk")" "$healed"
copy_disk "$disk" "$TMP/copy.img"
"$LAB" break --how table "$TMP/copy.img" >/dev/null || exit 1
run "$VMFSKIT" doctor --json --heartbeat-wait 0 --store "$TMP/store3" "$TMP/copy.img"
has "doctor goes by the backup" "$OUT" "\"capture\": \"$backup\""
ok "undo, shown" "$VMFSKIT" undo --store "$TMP/store3" "$undo" "$disk"
has "undo, shown: that it puts the damage back" "$OUT" '^note .*this puts the damage back: now there is a sound gpt partition table'
has "undo, shown: the errors are new ones" "$OUT" '^result .*1 error, 1 of them not there now:'
has "undo, shown: each of them" "$OUT" '^  new: table.none at byte 0: '
hasnt "undo, shown: none is from before" "$OUT" 'from before|is left|are left'
ok "undo in JSON" "$VMFSKIT" undo --json --store "$TMP/store3" "$undo" "$disk"
has "undo in JSON: that it puts the damage back" "$OUT" 'this puts the damage back'
has "undo in JSON: how many errors are new" "$OUT" '"new_errors": 1'
has "the restore printed how to undo it" "$printed" '^vmfskit undo .* --write$'
ok "which needs no override" bash -c "${printed/#vmfskit/$VMFSKIT}"
is "and leads to the wreck" "$(disk_sum "$disk")" "$wreck"
ok "a plan on it" "$VMFSKIT" restore --part lvm --store "$TMP/store3" "$backup" "$disk"

# a damaged undo capture, and one whose restored capture is gone
copy_disk "$good" "$disk"
"$LAB" break --how header "$disk" >/dev/null || exit 1
wreck=$(disk_sum "$disk")
ok "headers put back once more" "$VMFSKIT" restore --json --store "$store" "$id" "$disk" --write
undo=$(undo_of "$OUT")
cp -a "$store/$undo" "$TMP/alone-undo"
has_first() { is "$1" "$(head -n 1 "$ERR" | cut -d: -f1)" "$2"; }
copy_disk "$good" "$TMP/copy.img"
"$LAB" break --how header "$TMP/copy.img" >/dev/null || exit 1
changes() { sed -n '/^changes /,/^result /p' "$OUT"; }
ok "a plan in words" "$VMFSKIT" restore --store "$store" "$id" "$TMP/copy.img"
shown=$(changes)
has "a plan in words: what the bytes mean" "$shown" '^      magic: zeros -> '
ok "a restore in words" "$VMFSKIT" restore --store "$store" "$id" "$TMP/copy.img" --write
is "a restore in words: the same changes as the plan" "$(changes)" "$shown"
has_first "the undo capture is named before anything else" "undo capture"
hasnt "and once" "$OUT" '^undo capture: '
# the capture that was put back lies in the current folder, but not where it belongs
(cd "$store" && "$VMFSKIT" undo --store "$TMP/store2" "$TMP/alone-undo" "$disk") >"$OUT"
has "undo without the capture that was put back says what it cannot tell" "$OUT" "^note .*changed since the restore is not known"
exits "undo from a folder that lies elsewhere: whose later work would be lost nobody knows" 3 \
	"$VMFSKIT" undo --store "$TMP/store2" "$TMP/alone-undo" "$disk" --write
is "undo from a folder that lies elsewhere: by its guard" "$(grep -o '^guard [a-z-]* refuses' "$ERR")" "guard worse refuses"
ok "undo from a folder that lies elsewhere" "$VMFSKIT" undo --store "$TMP/store2" "$TMP/alone-undo" "$disk" --write --override worse
is "it leads to the wreck" "$(disk_sum "$disk")" "$wreck"
chmod -R u+w "$TMP/alone-undo"
printf x >>"$(ls "$TMP"/alone-undo/*.raw | head -n 1)"
exits "a damaged undo capture: refused" 3 "$VMFSKIT" undo --store "$TMP/store2" "$TMP/alone-undo" "$disk" --write
has "a damaged undo capture: by name" "$ERR" "^guard capture-verified refuses: "

# a store that cannot take the undo capture: nothing is written
if [ "$(id -u)" -ne 0 ] || mount -t tmpfs -o size=64k,mode=0755 tmpfs "$(mkdir -p "$TMP/full" && echo "$TMP/full")" 2>/dev/null; then
	if [ -d "$TMP/full" ]; then
		echo "$TMP/full" >>"$TMP/.mounts"
		dd if=/dev/zero of="$TMP/full/ballast" bs=4k 2>/dev/null
		before=$(disk_sum "$disk")
		exits "no room for the undo capture: nothing is done" 4 "$VMFSKIT" restore --store "$TMP/full" "$store/$id" "$disk" --write
		is "no room for the undo capture: untouched" "$(disk_sum "$disk")" "$before"
	else
		skip "no room for the undo capture" "needs root"
	fi
else
	skip "no room for the undo capture" "a small file system cannot be mounted here"
fi

# the target takes no more in mid-write: the error has the whole command that leads back, as it was given and however long
cut=$TMP/cut
if [ "$(id -u)" -eq 0 ] && mkdir "$cut" && mount -t tmpfs -o size=64m,mode=0755 tmpfs "$cut" 2>/dev/null; then
	echo "$cut" >>"$TMP/.mounts"
	long="a store/$(printf 'with a name as they come from tickets and customers/%.0s' 1 2 3 4 5 6 7 8)it's here"
	mkdir -p "$TMP/$(dirname "$long")"
	ok "in mid-write: a capture in a store far away" "$VMFSKIT" capture --store "$TMP/$long" "$good"
	copy_disk "$good" "$cut/-disk.img"
	fallocate --punch-hole --offset 0 --length 64K "$cut/-disk.img"
	fallocate --punch-hole --offset $(($(stat -c %s "$good") - 65536)) --length 64K "$cut/-disk.img"
	wreck=$(disk_sum "$cut/-disk.img")
	cat /dev/zero >"$cut/ballast" 2>/dev/null
	truncate -s -8K "$cut/ballast"
	cd "$cut" || exit 1
	exits "in mid-write: it fails" 4 "$VMFSKIT" restore --write --store "$TMP/$long" -- "$(captures "$TMP/$long")" -disk.img
	has "in mid-write: says how far it came" "$ERR" '^  [1-9][0-9]* of [1-9][0-9]* bytes were written before this; look at the plan again'
	undo=$(captures "$TMP/$long" | grep -e '-undo$')
	is "in mid-write: the way back, whole" "$(sed -n 's/^  to go back: //p' "$ERR")" \
		"vmfskit undo $undo ./-disk.img --store '${TMP}/${long%it\'s here}it'\\''s here' --write"
	hasnt "in mid-write: something was written" "$(disk_sum "$cut/-disk.img")" "$wreck"
	rm "$cut/ballast"
	sed -n 's/^  to go back: vmfskit/"$VMFSKIT"/p' "$ERR" >"$TMP/back.sh"
	ok "in mid-write: the way back, pasted" bash "$TMP/back.sh"
	cd "$TMP" || exit 1
	is "in mid-write: it leads back" "$(disk_sum "$cut/-disk.img")" "$wreck"
else
	skip "an error in mid-write" "a small file system cannot be mounted here"
fi

# a partition as target
dd if="$good" of="$TMP/part.img" bs=1M iflag=skip_bytes skip="$base" count=600 conv=sparse status=none
id=$(captured "$TMP/part.img")
copy_disk "$TMP/part.img" "$disk"
zero "$disk" 0 $((21 * 1048576))
all="--part lvm,vh,heartbeats"
# this and the extents below are copies, on which nothing is left that could say whose they are
there_and_back "a partition" unidentified
same "a partition: restored byte for byte" "$disk" "$TMP/part.img"
exits "a partition has no table to put back" 2 "$VMFSKIT" restore --store "$store" "$id" "$disk" --part table

# one that ends inside a sector
cp --sparse=always "$TMP/part.img" "$TMP/odd.img"
truncate -s $((base + 0x100000 + 0x80000 + 100)) "$TMP/odd.img"
"$VMFSKIT" capture --as partition --store "$store" "$TMP/odd.img" >/dev/null 2>&1
odd=$(newest "$store")
copy_disk "$TMP/odd.img" "$disk"
zero "$disk" 1048576 512
ok "a partition that ends inside a sector" "$VMFSKIT" restore --store "$store" "$odd" "$disk" --part lvm --override unidentified
printf x | dd of="$disk" bs=1 seek=$((base + 0x100000 + 0x80000 + 50)) conv=notrunc status=none
exits "what cannot be written there: refused" 3 "$VMFSKIT" restore --store "$store" "$odd" "$disk" --part lvm
has "what cannot be written there: why" "$ERR" "^guard unreadable refuses: .*ends inside a sector"

# one volume on two disks
made --size 1G --seed 4 --extents "$TMP/second.img" "$TMP/first.img"
for extent in first second; do
	id=$(captured "$TMP/$extent.img")
	copy_disk "$TMP/$extent.img" "$disk"
	"$LAB" break --how start "$disk" >/dev/null || exit 1
	"$LAB" break --how table "$disk" >/dev/null || exit 1
	all=
	there_and_back "the $extent extent of a volume" unidentified
	[ "$extent" = second ] && same "the second extent: all its headers are back" "$disk" "$TMP/second.img"
done

# --- the configuration says where the store is
printf 'store = %s\n' "$TMP/configured" >"$TMP/conf"
"$LAB" make --size 320M "$TMP/conf.img" >/dev/null || exit 1
ok "capture into the configured store" "$VMFSKIT" capture --config "$TMP/conf" "$TMP/conf.img"
conf_id=$(captures "$TMP/configured")
"$LAB" break --how table "$TMP/conf.img" >/dev/null || exit 1
ok "restore looks there, too" "$VMFSKIT" restore --config "$TMP/conf" "$conf_id" "$TMP/conf.img"
has "and says so in the command to paste" "$OUT" "^  vmfskit restore .*--store $TMP/configured .*--write\$"
