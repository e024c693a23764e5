# SPDX-License-Identifier: Apache-2.0
# Is this the LUN? What the kernel calls a device decides over everything that lies on it. The names are those of a tree of our
# own over /sys/dev/block, in a mount namespace of this test.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need jq perl losetup
cd "$TMP" || exit 1
A=naa.600144f07ed404000000496ff8cd0003
B=naa.6999999999999999999999999999bbbb

made() { "$LAB" make --overwrite "$@" >/dev/null || exit 1; }
wipe() { zero "$1" 0 $((21 * 1048576)); zero "$1" $(($2 - 1048576)) 1048576; sync "$1"; }

# --- two disks, one after the other, at one path: whatever is asked names the same capture, or none
made --table gpt --vmfs 5 --size 5G --seed 1 --label first one.img
ok "the first disk at a path: captured" "$VMFSKIT" capture --store two one.img
first=$(newest two)
run "$VMFSKIT" doctor --json --store two one.img
is "the first disk: doctor has its capture" "$(jq -r '.sources[0].capture' "$OUT")" "$first"
rm -f one.img
made --table gpt --vmfs 5 --size 9G --seed 2 --label second one.img
zero one.img 0 $((20 * 1048576))
run "$VMFSKIT" doctor --json --store two one.img
hasnt "the second disk: doctor" "$OUT" "$first"
run "$VMFSKIT" find --json --store two one.img
hasnt "the second disk: find" "$OUT" "$first"
run "$VMFSKIT" repair table --json --store two one.img
hasnt "the second disk: repair" "$OUT" "$first"
run "$VMFSKIT" capture --json --store two one.img
is "the second disk: capture compares with none" "$(jq -r '.captures[0].previous // "none"' "$OUT")" none
run "$VMFSKIT" repair table --json --store two --capture "$first" one.img --write
is "the first disk's capture, named by hand for the second: refused" "$CODE $(objected "$OUT")" "3 guess volume-uuid"
zero one.img 0 $((22 * 1048576))
run "$VMFSKIT" repair table --json --store two --capture "$first" one.img --write
is "also where only a copy of the second GPT is left" "$CODE $(objected "$OUT")" "3 disk-id guess"
rm -rf two one.img

need_root "the rest: it names devices"
if ! unshare -m --propagation private true 2>/dev/null; then
	skip "names of devices" "there are no mount namespaces here"
	exit 0
fi
made --table gpt --vmfs 5 --start 2048 --size 2G --seed 3 --naa $A --lun 3 --label dsA a.img
size=$(stat -c %s a.img)
truncate -s "$size" b.img
cp --sparse=always a.img whole.img
loop_a=$(loop_attach a.img) || { skip "names of devices" "there are no loop devices"; exit 0; }
loop_b=$(loop_attach b.img) || exit 1

# in_tree CMD...: with the names in ./names (DEVICE WWID SERIAL MODEL, "-" for none) and nothing else of /sys/dev/block
in_tree() {
	rm -rf tree
	while read -r device wwid serial model; do
		number=$((0x$(stat -c %t "$device"))):$((0x$(stat -c %T "$device")))
		mkdir -p "tree/$number/device" "tree/$number/holders" "tree/$number/slaves"
		[ "$wwid" = - ] || echo "$wwid" >"tree/$number/wwid"
		[ "$serial" = - ] || echo "$serial" >"tree/$number/serial"
		[ "$model" = - ] || echo "$model" >"tree/$number/device/model"
		[ -z "${held:-}" ] || mkdir "tree/$number/holders/$held"
	done <names
	unshare -m --propagation private sh -c 'mount --bind tree /sys/dev/block && exec "$@"' sh "$@"
}
names() { printf '%s\n' "$@" >names; }
names "$loop_a $A - -" "$loop_b $B - -"

ok "LUN A: captured" in_tree "$VMFSKIT" capture --store lun "$loop_a"
id=$(newest lun)
is "its WWID is in the manifest" "$(jq -r .device.wwid "lun/$id/manifest.json")" $A
has "and in RESTORE.txt" "lun/$id/RESTORE.txt" "^WWID     $A\$"
has "RESTORE.txt tells how to compare it, on Linux" "lun/$id/RESTORE.txt" 'cat /sys/block/sdX/device/wwid'
has "and on ESXi" "lun/$id/RESTORE.txt" "esxcli storage core device list -d $A "

# another LUN of equal length, with bytes of its own
perl -e 'srand(1); print pack("L*", map { int rand 2**32 } 1 .. 2**18)' | dd of="$loop_b" bs=1M conv=notrunc,fsync status=none
before=$(disk_sum b.img)
exits "restore onto another LUN: refused" 3 in_tree "$VMFSKIT" restore --json --store lun "$id" "$loop_b" --write
is "restore onto another LUN: by its guard" "$(objected "$OUT")" lun
has "restore onto another LUN: both are named" "$(jq -r '.objections[].message' "$OUT")" "$A.*$B"
exits "no other override lifts it" 3 in_tree "$VMFSKIT" restore --json --store lun "$id" "$loop_b" --write --override unidentified,disk-id,device-uuid,volume-uuid,size,kind
is "restore onto another LUN: nothing was written" "$(disk_sum b.img)" "$before"
ok "lifted by its name it is planned" in_tree "$VMFSKIT" restore --store lun "$id" "$loop_b" --override lun
has "and that is said" "$ERR" '^guard lun was lifted: '

# a wiped LUN is itself by its name alone
wipe "$loop_a" "$size"
held=dm-7
exits "a LUN that something was made of: refused" 3 in_tree "$VMFSKIT" restore --json --store lun "$id" "$loop_a"
is "a LUN that something was made of: by its guard" "$(objected "$OUT")" in-use
has "a LUN that something was made of: what" "$(jq -r '.objections[].message' "$OUT")" 'part of dm-7'
held=
ok "the LUN itself, wiped" in_tree "$VMFSKIT" restore --json --store lun "$id" "$loop_a" --part table,lvm,vh,heartbeats --write
undo=$(undo_of "$OUT")
sync
is "it is what it was" "$(disk_sum a.img)" "$(disk_sum whole.img)"
is "its undo capture knows the LUN, too" "$(jq -r .device.wwid "lun/$undo/manifest.json")" $A

# --- an array snapshot of A: every byte is as the restore left it, and it is not A
cp --sparse=always a.img b.img
blockdev --flushbufs "$loop_b"
before=$(disk_sum b.img)
exits "undo on a snapshot of the LUN: refused" 3 in_tree "$VMFSKIT" undo --json --store lun "$undo" "$loop_b" --write
is "undo on a snapshot: by its guard" "$(objected "$OUT")" lun
is "undo on a snapshot: its table stands" "$(disk_sum b.img)" "$before"
exits "a restore to the snapshot: refused" 3 in_tree "$VMFSKIT" restore --json --store lun "$id" "$loop_b"
is "a restore to the snapshot: by its guard" "$(objected "$OUT")" lun
run in_tree "$VMFSKIT" doctor --json --store lun "$loop_b"
has "doctor says that it is a replica" "$(jq -r '.sources[].findings[].code' "$OUT")" '^lunid\.designator-changed$'
exits "a night of the snapshot: it is said" 1 in_tree "$VMFSKIT" capture --json --store night "$loop_b"
is "a night of the snapshot: as doctor says it" "$(jq -c '[.findings[].code]' "$OUT")" '["lunid.designator-changed"]'
exits "a night of the snapshot, as cron runs it" 1 in_tree "$VMFSKIT" capture --quiet --store night "$loop_b"
is "a night of the snapshot, as cron runs it: one line, and no damage" "$(cat "$OUT" "$ERR")" \
	"$loop_b: the header was written for another LUN ($A in the header; $B, as this LUN is called); next: vmfskit lunid $loop_b"
exits "the command of that line" 1 in_tree "$VMFSKIT" lunid --json --store night --heartbeat-wait 0 "$loop_b"
is "the command of that line: what it finds" "$(jq -c '[.findings[].code]' "$OUT")" '["lunid.designator-changed"]'
exits "a capture of the snapshot by hand" 1 in_tree "$VMFSKIT" capture --store night "$loop_b"
is "a capture of the snapshot by hand: the same line" "$(grep -c "next: vmfskit lunid $loop_b\$" "$OUT")" 1
exits "a night of the LUN itself: nothing is said" 0 in_tree "$VMFSKIT" capture --json --store night "$loop_a"
is "a night of the LUN itself: no finding" "$(jq -c '[.findings[].code]' "$OUT")" '[]'
rm -rf night
zero "$loop_b" $((2048 * 512 + 0x110000)) 4096
sync
run in_tree "$VMFSKIT" doctor --json --store lun "$loop_b"
is "and does not judge it by the other LUN's capture" "$(jq -r '.sources[0].capture // "none"' "$OUT")" none
run in_tree "$VMFSKIT" find --json --store lun "$loop_b"
hasnt "nor does find ask it" "$OUT" "$id"
run in_tree "$VMFSKIT" capture --json --store lun "$loop_b"
is "nor does capture compare with it" "$(jq -r '.captures[0].previous // "none"' "$OUT")" none
"$LAB" break --really --how table "$loop_b" >/dev/null || exit 1
run in_tree "$VMFSKIT" repair table --json --store lun "$loop_b"
hasnt "nor does repair ask it" "$OUT" "\"$id\""
before=$(disk_sum b.img)
run in_tree "$VMFSKIT" repair table --json --store lun --capture "$id" "$loop_b" --write
is "named by hand it is refused" "$CODE $(objected "$OUT")" "3 lun"
is "and nothing was written" "$(disk_sum b.img)" "$before"

# --- a copy whose header names no LUN: only the capture tells that its volume is another LUN's
made --table gpt --vmfs 5 --start 54321 --size 2G --seed 6 --naa mpx.vmhba1:C0:T0:L0 mpx.img
cp --sparse=always mpx.img a.img
blockdev --flushbufs "$loop_a"
ok "a LUN whose header does not name it: captured" in_tree "$VMFSKIT" capture --store mpx "$loop_a"
mpx=$(newest mpx)
cp --sparse=always mpx.img b.img
blockdev --flushbufs "$loop_b"
run in_tree "$VMFSKIT" doctor --json --store mpx "$loop_b"
has "its copy: doctor says whose volume it is" "$(jq -r '.sources[].findings[] | select(.code == "lunid.designator-changed") | .message' "$OUT")" "another LUN \($mpx\): .*$A.*$B"
is "its copy: judged by no capture" "$(jq -r '.sources[0].capture // "none"' "$OUT")" none
run in_tree "$VMFSKIT" doctor --json --store mpx "$loop_a"
is "the LUN itself: judged by its capture" "$(jq -r '.sources[0].capture // "none"' "$OUT")" "$mpx"
hasnt "the LUN itself: no replica" "$OUT" 'lunid\.designator-changed'
# where the volume began nobody tells but the capture, and that is asked of its own LUN only
"$LAB" break --really --how table "$loop_a" >/dev/null || exit 1
"$LAB" break --really --how table "$loop_b" >/dev/null || exit 1
run in_tree "$VMFSKIT" find --likely --json --store mpx "$loop_a"
has "the LUN itself: find asks its capture" "$(jq -r '.candidates[].heard' "$OUT")" "capture $mpx"
run in_tree "$VMFSKIT" find --likely --json --store mpx "$loop_b"
hasnt "its copy: find does not" "$OUT" "$mpx"
cp --sparse=always whole.img a.img
cp --sparse=always whole.img b.img
blockdev --flushbufs "$loop_a" "$loop_b"
"$LAB" break --really --how table "$loop_b" >/dev/null || exit 1

# --- a saved rebuilt capture is checked like any other
run in_tree "$VMFSKIT" repair table --json --no-captures --override guess --store lun "$loop_b" --write
is "the table of B is repaired without captures" "$CODE" 0
is "and it is said that its headers are another LUN's" "$(jq -r ".remarks[]" "$OUT" | grep -c "written for the LUN $A, and this one has the WWID $B")" 1
rebuilt=$(ls lun | grep -- -rebuilt | head -n 1)
is "the rebuilt capture is of B" "$(jq -r .device.wwid "lun/$rebuilt/manifest.json")" $B
"$LAB" break --really --how table "$loop_a" >/dev/null || exit 1
exits "restored to A it is refused" 3 in_tree "$VMFSKIT" restore --json --override guess --store lun "$rebuilt" "$loop_a" --write
is "restored to A: by its guard" "$(objected "$OUT")" lun
ok "A is put back" in_tree "$VMFSKIT" restore --json --store lun "$id" "$loop_a" --write

# --- where there is no WWID
names "$loop_a - 0815 disk" "$loop_b - 4711 disk"
ok "a disk with a serial number: captured" in_tree "$VMFSKIT" capture --store serial "$loop_a"
serial=$(newest serial)
has "its number is in RESTORE.txt" "serial/$serial/RESTORE.txt" '^Serial   0815$'
has "and its model" "serial/$serial/RESTORE.txt" '^Model    disk$'
cp --sparse=always a.img b.img
blockdev --flushbufs "$loop_b"
"$LAB" break --really --how table "$loop_b" >/dev/null || exit 1
exits "its copy on a disk with another number: refused" 3 in_tree "$VMFSKIT" restore --json --store serial "$serial" "$loop_b"
is "its copy: by its guard" "$(objected "$OUT")" lun
# taken of an image the capture knows only for which LUN its headers were written
cp --sparse=always whole.img image.img
ok "an image of A: captured" "$VMFSKIT" capture --store image image.img
image=$(newest image)
names "$loop_a $A - -" "$loop_b $B - -"
exits "restored to another LUN: refused" 3 in_tree "$VMFSKIT" restore --json --store image "$image" "$loop_b"
is "restored to another LUN: by its guard" "$(objected "$OUT")" lun
"$LAB" break --really --how table "$loop_a" >/dev/null || exit 1
ok "restored to the LUN that its headers name" in_tree "$VMFSKIT" restore --json --store image "$image" "$loop_a"
is "restored to that LUN: no guard speaks" "$(jq '.objections | length' "$OUT")" 0
# nothing at all
names "$loop_b - - -"
wipe "$loop_b" "$size"
exits "a wiped disk without a name: refused" 3 in_tree "$VMFSKIT" restore --json --store image "$image" "$loop_b"
is "a wiped disk without a name: by its guard" "$(objected "$OUT")" unidentified
ok "lifted by name" in_tree "$VMFSKIT" restore --store image "$image" "$loop_b" --override unidentified

# --- partitions of one disk: a tree in which partition and disk lie as in sysfs
part() { # NUMBER START
	rm -rf tree
	mkdir -p "tree/disk/part" "tree/disk/holders" tree/disk/part/holders
	echo $A >tree/disk/wwid
	echo "$1" >tree/disk/part/partition
	echo "$2" >tree/disk/part/start
	ln -s disk/part "tree/$((0x$(stat -c %t "$loop_p"))):$((0x$(stat -c %T "$loop_p")))"
}
with_part() { unshare -m --propagation private sh -c 'mount --bind tree /sys/dev/block && exec "$@"' sh "$@"; }
dd if=whole.img of=part.img bs=1M skip=1 conv=sparse status=none
loop_p=$(loop_attach part.img) || exit 1
part 1 2048
ok "a partition: captured" with_part "$VMFSKIT" capture --store part "$loop_p"
part_id=$(newest part)
is "it knows which partition" "$(jq -c '.device | [.wwid, .partition, .start_sector]' "part/$part_id/manifest.json")" "[\"$A\",1,2048]"
zero "$loop_p" 0 $((21 * 1048576))
sync
ok "the partition itself, wiped" with_part "$VMFSKIT" restore --json --store part "$part_id" "$loop_p"
part 2 4096
exits "another partition of the same disk: refused" 3 with_part "$VMFSKIT" restore --json --store part "$part_id" "$loop_p"
is "another partition: by its guard" "$(objected "$OUT")" lun
rm -rf tree
