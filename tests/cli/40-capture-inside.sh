# SPDX-License-Identifier: Apache-2.0
# capture of what is something of another system: it says what it is, what of it was saved, and the command that saves the LUN inside; a
# night over mirrors whose LUN is captured is silent, one that leaves a LUN unsaved is not.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
. "$(dirname "$0")/../wrap.sh"
PATH=$(dirname "$VMFSKIT"):$PATH:/usr/sbin:/sbin
need perl jq sfdisk mkfs.ext4
cd "$TMP" || exit 1
: >none.conf

"$LAB" make --vmfs 5 --table gpt --start 2048 --size 280M --live 0 --label lun lun.img >/dev/null || exit 1
"$VMFSKIT" capture --json --store own lun.img >cap.json || exit 1
regions() { jq -c .regions "$(jq -r '.captures[0].path' "$1")/manifest.json"; }
lun=$(regions cap.json)
codes() { jq -r '[.findings[].code] | join(" ")' "$OUT"; }
inside() { jq -c '.inside[] | [.disk, .at_bytes, .saved, .next]' "$OUT"; }

ok "a LUN" "$VMFSKIT" capture --json --store own lun.img
is "a LUN: nothing is inside" "$(jq -c .inside "$OUT") $(codes)" "[] "

# ---- nothing of its own is on it
for kind in md-1.2 lvm2; do
	wrap $kind lun.img $kind.img
	case $kind in md-1.2) at=1048576 what='a member of a Linux RAID \(md 1.2' ;; *) at=5242880 what='a physical volume of LVM2' ;; esac
	exits "$kind: not captured" 4 "$VMFSKIT" capture --store "s-$kind" $kind.img
	has "$kind: what it is" "$ERR" "nothing was saved: this is $what.* with a LUN whole inside, from byte $at on"
	has "$kind: the LUN can be saved" "$OUT" "^$kind.img: this saves the LUN in it:"
	hasnt "$kind: nobody is told to restore the table" "$OUT$ERR" "older capture"
	is "$kind: nothing was saved" "$(captures "s-$kind")" ""
	exits "$kind: in JSON" 4 "$VMFSKIT" capture --json --store "s-$kind" $kind.img
	is "$kind: where, and what saves it" "$(inside)" "[\"$kind.img\",$at,null,\"vmfskit import $kind.img --store s-$kind\"]"
	is "$kind: an error in JSON" "$(jq -r '.errors[].status' "$OUT")" absent
	next=$(jq -r '.inside[0].next' "$OUT")
	ok "$kind: what is printed is run" bash -c "$next --json"
	is "$kind: that is the LUN" "$(regions "$OUT")" "$lun"
done

# ---- a table of its own is on it
wrap partition lun.img partition.img
exits "partition: its table is captured" 1 "$VMFSKIT" capture --json --store s-partition partition.img
is "partition: what is missing is said, and nothing else" "$(codes)" capture.lun-inside
is "partition: and how long" "$(jq -c '.findings[0] | [.offset, .length]' "$OUT")" "[2097152,$(stat -c %s lun.img)]"
is "partition: what saves it" "$(inside)" '["partition.img",2097152,null,"vmfskit import partition.img --store s-partition"]'
exits "partition: as text" 1 "$VMFSKIT" capture --store s-partition partition.img
has "partition: the finding" "$OUT" "^warning capture.lun-inside: the LUN in it was not saved: this is partition 2 of a disk"
has "partition: the command stands alone on its line" "$OUT" "^  vmfskit import partition.img --store s-partition$"
wrap stride-520 lun.img s520.img
exits "stride" 1 "$VMFSKIT" capture --json --store s-stride s520.img
is "stride: what saves it" "$(inside)" '["s520.img",0,null,"vmfskit import s520.img --store s-stride"]'
ok "stride: what is printed is run" bash -c "$(jq -r '.inside[0].next' "$OUT") --json"
is "stride: that is the LUN" "$(regions "$OUT")" "$lun"
if [ "$(id -u)" -eq 0 ] && device=$(loop_attach partition.img --read-only); then
	exits "a device" 1 "$VMFSKIT" capture --json --store s-device "$device"
	next=$(jq -r '.inside[0].next' "$OUT")
	has "a device: what it is a part of is attached" "$next" "^dev=.*losetup.* --offset 2097152 .*$device\) && vmfskit capture \"\\\$dev\" --store s-device$"
	ok "a device: what is printed is run" bash -c "$next --json && echo \$dev >dev"
	is "a device: that is the LUN" "$(regions "$OUT")" "$lun"
	losetup -d "$(cat dev)"
	loop_detach "$device"
	wrap md-1.2 lun.img held.img
	device=$(loop_attach held.img --read-only)
	run "$VMFSKIT" capture --json --store s-device "$device"
	is "a member: the array is put together" "$(jq -r '.inside[0].next' "$OUT")" \
		"mdadm --assemble --readonly --run /dev/md127 $device && vmfskit capture /dev/md127 --store s-device"
	loop_detach "$device"
else
	skip "devices" "needs root and loop devices"
fi

# ---- the LUN begins where the disk does
wrap md-1.0 lun.img md-1.0.img
ok "md 1.0: what is at its place is captured" "$VMFSKIT" capture --json --store s-md10 md-1.0.img
is "md 1.0: it is said what it is" "$(codes) $(jq -c .inside "$OUT")" "source.carrier []"
is "md 1.0: all of the LUN but the copy at its end is there" "$(regions "$OUT" | jq -c '[.[] | select(.part != "table")]')" \
	"$(jq -c '[.[] | select(.part != "table")]' <<<"$lun")"
wrap ddf lun.img ddf.img
exits "a member of another array" 1 "$VMFSKIT" capture --json --store s-ddf ddf.img
is "it is said what it is" "$(codes)" source.member
wrap shift+4096 lun.img shifted.img
exits "a copy that gained bytes" 1 "$VMFSKIT" capture --json --store s-shift shifted.img
has "it is said what it is" "$(codes)" "^source.shifted"
mkdir files
for i in $(seq 40); do echo "$i" >"files/$i"; done
truncate -s 64M ext4.img
mkfs.ext4 -q -F -d files ext4.img
exits "a file system of somebody else" 4 "$VMFSKIT" capture --store s-ext4 ext4.img
has "it is said what it is" "$ERR" "nothing was saved: this is another system's ext4, sound and in use"
hasnt "nobody is told that it is damaged" "$OUT$ERR" "damaged|older capture"
ok "what was said by hand is taken so" bash -c '"$1" capture --store s-hand --as disk ext4.img; [ $? -eq 1 ]' - "$VMFSKIT"

# ---- what was a LUN before is captured, whatever it is now
cp --sparse=always lun.img turned.img
ok "a LUN, captured" "$VMFSKIT" capture --store s-turned turned.img
cat ext4.img >turned.img
truncate -s "$(stat -c %s lun.img)" turned.img
exits "somebody made a file system over it" 1 "$VMFSKIT" capture --json --store s-turned turned.img
has "that the volume is gone is said" "$(codes)" "capture.no-vmfs"

# ---- nights
all() { run "$VMFSKIT" capture --all --config none.conf --dev-dir "$1" --store "$2" "${@:3}"; }
mkdir luns
ln lun.img luns/
for i in md-1.2.img lvm2.img md-1.0.img partition.img ext4.img; do ln $i luns/; done
all luns nights
is "a night with the LUN beside its members" "$CODE" 0
all luns nights
is "the next one is silent" "$CODE $(cat "$OUT" "$ERR")" "0 "
all luns nights --json
is "whose LUN is saved by what, in JSON" "$(jq -c '[.inside[] | [(.disk | sub(".*/"; "")), (.saved | type), .next]]' "$OUT")" \
	'[["lvm2.img","string",null],["md-1.2.img","string",null],["partition.img","string",null]]'
is "a file system is passed over, as ever" "$(jq -r '.skipped[] | select(.disk | endswith("ext4.img")) | .why' "$OUT")" \
	"there is neither a partition table nor VMFS on it"
rm luns/lun.img luns/md-1.0.img luns/partition.img
all luns alone
is "a night in which nobody has the LUN" "$CODE" 4
is "it is said of each in which it lies" "$(grep -c '^vmfskit: the LUN in it was not saved: this is ' "$ERR")" 2
has "and what to do" "$OUT" "^  vmfskit import luns/lvm2.img --store alone --config none.conf$"
has "or how to be quiet about it" "$ERR" "pass over the disk with --exclude"
all luns alone --exclude 'lvm2*' --exclude 'md*'
is "then it is quiet" "$CODE $(cat "$OUT" "$ERR")" "0 "

# ---- several LUNs in one disk: each is saved, or it is said of each that it is not
"$LAB" make --vmfs 5 --table gpt --start 2048 --size 280M --live 0 --seed 5 --label other other.img >/dev/null || exit 1
truncate -s 600M two.img
printf 'label: gpt\nstart=2048,size=573440\nstart=577536,size=573440\n' | sfdisk -q two.img
dd if=lun.img of=two.img bs=1M seek=1 conv=notrunc,sparse status=none
dd if=other.img of=two.img bs=1M seek=282 conv=notrunc,sparse status=none
exits "two LUNs, one of them captured" 1 "$VMFSKIT" capture --json --store two lun.img two.img
is "the other is not saved, and has its command" "$(inside)" "$(printf '%s\n' \
	"[\"two.img\",1048576,\"$(jq -r '.captures[0].id' "$OUT")\",null]" \
	'["two.img",295698432,null,"vmfskit import --at 295698432 two.img --store two"]')"
is "and its finding" "$(jq -c '[.findings[] | [.code, .offset]]' "$OUT")" '[["capture.lun-inside",295698432]]'
other=$("$VMFSKIT" capture --json --store own other.img >other.json && regions other.json)
ok "what is printed is run" bash -c "$(jq -r '.inside[1].next' "$OUT") --json"
is "that is the other LUN" "$(regions "$OUT")" "$other"
run "$VMFSKIT" capture --store two2 lun.img other.img two.img
is "both captured: both are said" "$(grep -c '^two.img: the LUN at byte [0-9]* of it is saved as ' "$OUT")" 2
exits "an import takes the first" 1 "$VMFSKIT" import --json --store two3 two.img
is "and names the other" "$(jq -r '.findings[] | select(.code == "capture.lun-inside") | .message' "$OUT")" \
	"a further LUN in it was not saved, import --at 295698432 saves it: partition 2 of a disk with a LUN whole inside, from byte 295698432 on"
mkdir twos
ln lun.img two.img twos/
all twos two4
is "a night tells of it, too" "$CODE $(grep -c '^  vmfskit import --at 295698432 twos/two.img' "$OUT")" "1 1"

# ---- a copy of the LUN as it was: its device UUID is the same, its bytes are not
cp --sparse=always lun.img older.img
printf X | dd of=older.img bs=1 seek=440 conv=notrunc status=none
wrap partition older.img snapshot.img
exits "a copy with other bytes is not saved" 1 "$VMFSKIT" capture --json --store copy lun.img snapshot.img
is "of which capture it is a copy" "$(jq -c '.inside[0] | [.saved, .like]' "$OUT")" "[null,\"$(jq -r '.captures[0].id' "$OUT")\"]"
has "it is said in the finding" "$(jq -r '.findings[].seen' "$OUT")" '^other bytes than in .*-lun.img$'
ok "captured by itself it is" bash -c '"$1" capture --json --store copy older.img snapshot.img | jq -e ".inside[0].saved != null"' - "$VMFSKIT"

# ---- one name for two disks makes a capture of neither
wrap md-1.2 other.img md-other.img
exits "dumps of two disks under one name" 2 "$VMFSKIT" import --json --store joined --disk d md-1.2.img md-other.img
is "which is said, and nothing is saved" "$(jq -r '.errors[] | .status' "$OUT") $(captures joined)" "usage "
ok "two dumps of one disk" "$VMFSKIT" import --json --store joined --disk d md-1.2.img partition.img

# ---- a listing shows bytes of another disk: the text is none
hexdump -C -s 2097152 -n 1024 lun.img >mail.txt
exits "a listing is not captured" 1 "$VMFSKIT" capture --store listed mail.txt
has "a listing is not captured: why" "$ERR" 'nothing was saved: this is a listing of bytes, not a disk'
has "a listing is not captured: what keeps it" "$ERR" 'vmfskit import mail\.txt keeps what it shows'
is "a listing is not captured: nothing is there" "$(captures listed)" ""
run "$VMFSKIT" import --store listed mail.txt
has "import keeps it" "$(captures listed)" 'mail\.txt'
