#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The commands that repair table prints: sfdisk makes the same table of them, partedUtil's have the published form.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need jq sfdisk sgdisk perl
cd "$TMP" || exit 1

# wipe IMAGE: both copies of its table
wipe() {
	zero "$1" 0 $((34 * 512))
	zero "$1" $(($(stat -c %s "$1") - 33 * 512)) $((33 * 512))
}
# dump IMAGE: as sfdisk reads it, without what the name of the file changes; GUIDs that could not survive are left out
dump() { sfdisk --dump "$1" 2>/dev/null | sed -e "s|^$1||" -e '/^device:/d' -e '/^label-id:/d' -e 's/ uuid=[^,]*,\{0,1\}//' -e 's/, *$//'; }
# each check that is printed for Linux says something, as it must where it is the right disk
checks_speak() {
	jq -r '.commands.linux.check[]' "$1" | while IFS= read -r line; do
		[ -n "$(bash -c "$line")" ] || echo "silent: $line"
	done
}
# lines TOOL LIST JSON: the printed lines, for bash; what ESXi calls DEVICE is the image here
lines() { jq -r ".commands.$1.$2[]" "$3" | sed 's,/vmfs/devices/disks/DEVICE,disk.img,g'; }
# apply IMAGE JSON: what repair says, as a person would paste it
apply() { jq -r .commands.linux.script[] "$2" | bash -c "$(jq -r .commands.linux.command "$2")"; }

# again NAME LAB-OPTIONS...: make a disk, wipe its table, let sfdisk make it again from the script
again() {
	local name=$1
	shift
	rm -f disk.img was.img
	"$LAB" make "$@" was.img >/dev/null || { fail "$name: no disk"; return; }
	copy_disk was.img disk.img
	wipe disk.img
	run "$VMFSKIT" repair table disk.img --no-captures --override guess --json
	cp "$OUT" plan.json
	wreck=$(disk_sum disk.img)
	rm -f -- disk.img-* DEVICE-*
	is "$name: it is this disk" "$(checks_speak plan.json)" ""
	lines linux save plan.json | bash >"$OUT" 2>"$ERR"
	hasnt "$name: what is overwritten can be saved" "$ERR" '^dd: |cannot'
	ok "$name: sfdisk takes the script" apply disk.img plan.json
	is "$name: and makes the same table" "$(dump disk.img)" "$(dump was.img)"
	if [ "$(disk_sum disk.img)" = "$wreck" ]; then fail "$name: something was overwritten"; fi
	lines linux save plan.json | bash >"$OUT" 2>&1
	is "$name: what was saved is not overwritten" "$(grep -c 'cannot overwrite existing file' "$OUT")" \
		"$(jq '.commands.linux.save | length' plan.json)"
	ok "$name: what was saved is put back" bash -ec "$(lines linux back plan.json)"
	is "$name: every byte is as before" "$(disk_sum disk.img)" "$wreck"
	apply disk.img plan.json >/dev/null 2>&1
	ok "$name: sfdisk finds no fault" sfdisk --verify disk.img
	hasnt "$name: nor says of one" "$OUT" '[Ww]arning|overlap|[Ii]nvalid|[Ee]rror:'
	run "$VMFSKIT" decode --json disk.img
	is "$name: all VMFS are found on it" "$(jq '[.sources[0].vmfs[]] | length' "$OUT")" \
		"$("$VMFSKIT" decode --json was.img | jq '[.sources[0].vmfs[]] | length')"
}
again "GPT" --table gpt --vmfs 5 --start 2048 --vmfs-size 300M
# the same of what is printed for an ESXi host; sfdisk stands in for partedUtil
wipe disk.img
lines esxi save plan.json | grep -v partedUtil | bash >/dev/null 2>&1
apply disk.img plan.json >/dev/null 2>&1
ok "ESXi: what was saved is put back" bash -ec "$(lines esxi back plan.json)"
is "ESXi: every byte is as before" "$(disk_sum disk.img)" "$wreck"
is "ESXi: the old table as text" "$(jq -r '.commands.esxi.save[-1]' plan.json)" \
	"(set -C; partedUtil getptbl /vmfs/devices/disks/DEVICE >DEVICE-table.getptbl)"
is "ESXi: which LUN" "$(jq -r '.commands.esxi.check[]' plan.json)" "esxcli storage core device list -d DEVICE"
again "GPT, odd start" --table gpt --vmfs 6 --start 20973535 --vmfs-size 300M
again "two on a GPT" --table gpt --volume start=2049,size=300M,version=5 --volume start=900000,size=300M,version=6
again "ESXi 5.0" --layout esxi50 --size 40G
again "ESXi 5 and 6" --layout esxi5 --size 40G
again "ESXi 7" --layout esxi7 --size 300G
again "ESXi 7, small" --layout esxi7-small --size 40G
again "MBR" --table mbr --vmfs 3 --start 128 --vmfs-size 300M
again "MBR, sector 63" --table mbr --vmfs 3 --start 63 --vmfs-size 300M
again "MBR, sector 16065" --table mbr --vmfs 3 --start 16065 --vmfs-size 300M
again "logical partitions" --table mbr --volume start=63,size=300M,version=3 \
	--volume start=800000,size=300M,version=3,logical --volume start=1600063,size=300M,version=3,logical
is "logical partitions: their numbers" "$(sfdisk --dump disk.img | sed -n 's/^disk.img\([0-9]*\) .*/\1/p' | tr '\n' ' ')" "1 2 5 6 "
is "logical partitions: partedUtil gets nothing to do" "$(jq -r '.commands.esxi.commands[]' plan.json | cut -d ' ' -f 2 | tr '\n' ' ')" "getptbl "
has "logical partitions: and why" "$(jq -r '.commands.esxi.notes[]' plan.json)" 'cannot write logical partitions'

# what survives of a table survives the script: GUIDs, names with everything in them, attributes, numbers
"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 300M --size 400M was.img >/dev/null 2>&1 || { rm -f was.img; "$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 300M --size 400M was.img >/dev/null; }
sgdisk -t 1:AA31E02A-400F-11DB-9590-000C2911D1B8 -c '1:a "quoted" \back $HOME `x` ü€' -A 1:set:0 -A 1:set:2 -A 1:set:60 \
	-n 9:700000:710000 -t 9:0FC63DAF-8483-4772-8E79-3D69D8477DE4 -c 9:nine was.img >/dev/null
copy_disk was.img disk.img
zero disk.img 0 $((34 * 512))
run "$VMFSKIT" repair table disk.img --no-captures --override guess --json
cp "$OUT" plan.json
ok "what survives: sfdisk takes the script" apply disk.img plan.json
is "what survives: all of it" "$(sfdisk --dump disk.img | sed 's/^disk.img//; /^device:/d')" "$(sfdisk --dump was.img | sed 's/^was.img//; /^device:/d')"
is "what survives: and the names" "$(for n in 1 9; do sgdisk -i $n disk.img; done)" "$(for n in 1 9; do sgdisk -i $n was.img; done)"

# partedUtil: the forms of the published listings
rm -f disk.img
"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 325056479s --size 325058560s disk.img >/dev/null
wipe disk.img
run "$VMFSKIT" repair table disk.img --no-captures --override guess --commands-only
device=/vmfs/devices/disks/DEVICE
has "partedUtil: an image is no LUN: the recorded name is only said" "$OUT" \
	"^# the header was written for naa.6000c297e49918434c247ac801f7bac9: check which LUN this is, then replace DEVICE with its name$"
hasnt "partedUtil: no command has it" "$OUT" '^partedUtil.*naa'
has "partedUtil: mklabel" "$OUT" "^partedUtil mklabel $device gpt$"
# look, save, and only then write, for people who paste from the top
has "partedUtil: the head is saved" "$OUT" "^\(set -C; dd if=$device bs=512 skip=0 count=34 >DEVICE-sector0.dd\)\$"
has "partedUtil: and the tail" "$OUT" "^\(set -C; dd if=$device bs=512 skip=325058527 count=33 >DEVICE-sector325058527.dd\)\$"
has "partedUtil: how it goes back" "$OUT" \
	"^# to put back what was saved: dd if=DEVICE-sector0.dd of=$device bs=512 seek=0 conv=notrunc,fsync\$"
is "partedUtil: in this order" "$(grep -oE '^(esxcli|\(set -C; dd|\(set -C; partedUtil|partedUtil mklabel)' "$OUT" | tr '\n' ' ')" \
	"esxcli (set -C; dd (set -C; dd (set -C; partedUtil partedUtil mklabel (set -C; dd (set -C; dd "
has "partedUtil: how long the LUN is" "$OUT" '^# is it this LUN, and 158720 MiB long\? If not, stop$'
has "sfdisk: is it this disk" "$OUT" "^LC_ALL=C sfdisk --list disk.img [|] grep -F ' 166429982720 bytes'\$"
has "partedUtil: getUsableSectors" "$OUT" "^partedUtil getUsableSectors $device$"
has "partedUtil: setptbl" "$OUT" "^partedUtil setptbl $device gpt \"1 2048 325058526 AA31E02A400F11DB9590000C2911D1B8 0\"$"
is "partedUtil: mklabel comes first, getptbl last" "$(grep -o '^partedUtil [a-zA-Z]*' "$OUT" | cut -d ' ' -f 2 | tr '\n' ' ')" \
	"mklabel getUsableSectors setptbl getptbl "
is "partedUtil: what getptbl shows is as published" "$(sed -n '/^# getptbl/,/^# note/s/^#   //p' "$OUT")" "gpt
20233 255 63 325058560
1 2048 325058526 AA31E02A400F11DB9590000C2911D1B8 vmfs 0"
has "partedUtil: what is not repeated is lost" "$OUT" '^# note: setptbl deletes every partition you do not list'
hasnt "only commands and comments" "$OUT" '^(target|entries|changes|result)'
rm -f disk.img
"$LAB" make --table mbr --vmfs 3 --start 128 --vmfs-size 1048562422s --size 1048576000s disk.img >/dev/null
zero disk.img 0 512
run "$VMFSKIT" repair table disk.img --no-captures --override guess --commands-only
has "partedUtil, MBR: setptbl" "$OUT" "^partedUtil setptbl $device msdos \"1 128 1048562549 251 0\"$"
is "partedUtil, MBR: what getptbl shows is as published" "$(sed -n '/^# getptbl/,/^# note/s/^#   //p' "$OUT")" "msdos
65270 255 63 1048576000
1 128 1048562549 251 0"
rm -f disk.img
"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 300M --naa mpx.vmhba32:C0:T0:L0 disk.img >/dev/null
wipe disk.img
run "$VMFSKIT" repair table disk.img --no-captures --override guess --commands-only
has "a name with colons is said as well" "$OUT" '^# the header was written for mpx.vmhba32:C0:T0:L0: check which'

# one copy stands: fixGpt is the cure, and keeps what setptbl cannot say
rm -f disk.img
"$LAB" make --layout esxi7-small --size 40G disk.img >/dev/null
zero disk.img 512 $((33 * 512))
run "$VMFSKIT" repair table disk.img --no-captures --override guess --commands-only
is "the primary copy is gone: fixGpt" "$(grep -o '^partedUtil [a-zA-Z]*' "$OUT" | cut -d ' ' -f 2 | tr '\n' ' ')" "getptbl fixGpt getptbl "
has "fixGpt asks" "$OUT" '^# note: fixGpt asks before it writes: answer Y, then Fix\. '
has "fixGpt and RDM" "$OUT" '^# note: do not run fixGpt on a disk that a virtual machine uses as a raw device'
zero disk.img 0 512
run "$VMFSKIT" repair table disk.img --no-captures --override guess --commands-only
is "sector 0 too: everything is said again" "$(grep -o '^partedUtil [a-zA-Z]*' "$OUT" | cut -d ' ' -f 2 | tr '\n' ' ')" \
	"mklabel getUsableSectors setptbl getptbl "
is "sector 0 too: all five, in the order of the disk" "$(grep '^partedUtil setptbl' "$OUT" | grep -o '"[0-9]* ' | tr -d '\n" ')" 15678

# a sound table that lacks the volume
rm -f disk.img
"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 300M disk.img >/dev/null
sgdisk -d 1 disk.img >/dev/null
run "$VMFSKIT" repair table disk.img --no-captures --override guess
has "sound and yet written: why" "$OUT" 'sound, written anew: it is whole in itself, but does not agree with the planned table$'
hasnt "sound and yet written: never without a reason" "$OUT" 'written anew$'

# with the plan, unless it is written; never with --write
rm -f disk.img
"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 300M disk.img >/dev/null
run "$VMFSKIT" repair table disk.img --no-captures --override guess
hasnt "a sound table: no commands" "$OUT" partedUtil
run "$VMFSKIT" repair table disk.img --no-captures --override guess --json
is "a sound table: nothing to save" "$(jq '[.commands[].save, .commands[].check] | flatten | length' "$OUT")" 0
is "a sound table: only the check" "$(jq -r '.commands.esxi.commands[]' "$OUT" | cut -d ' ' -f 2)" getptbl
is "a sound table: no script" "$(jq -r .commands.linux.command "$OUT")" null
wipe disk.img
run "$VMFSKIT" repair table disk.img --no-captures
hasnt "a plan that is a guess: no commands" "$OUT" partedUtil
run "$VMFSKIT" repair table disk.img --no-captures --override guess
has "a plan: the commands" "$OUT" '^partedUtil setptbl '
exits "commands, and write" 2 "$VMFSKIT" repair table disk.img --commands-only --write
has "commands, and write: why not" "$ERR" '^vmfskit repair: --commands-only and --write do not go together$'

# 4096-byte sectors: not with partedUtil; sfdisk needs a disk that has them
rm -f disk.img was.img
"$LAB" make --table gpt --vmfs 6 --sector-size 4096 --start 256 --vmfs-size 300M was.img >/dev/null
copy_disk was.img disk.img
zero disk.img 0 $((6 * 4096))
zero disk.img $(($(stat -c %s disk.img) - 5 * 4096)) $((5 * 4096))
run "$VMFSKIT" repair table disk.img --no-captures --override guess --sector-size 4096 --json
cp "$OUT" plan.json
is "4Kn: partedUtil is not told anything" "$(jq '.commands.esxi.commands | length' plan.json)" 0
has "4Kn: and why" "$(jq -r '.commands.esxi.notes[]' plan.json)" 'counts sectors of 512 bytes, this table sectors of 4096'
has "4Kn: a file needs a loop device" "$(jq -r '.commands.linux.notes[]' plan.json)" 'losetup --sector-size 4096'
need_root "4Kn through a loop device"
if loop=$(loop_attach disk.img --sector-size 4096) && was=$(loop_attach was.img --sector-size 4096); then
	run "$VMFSKIT" repair table "$loop" --no-captures --override guess --json
	cp "$OUT" plan.json
	wreck=$(disk_sum disk.img)
	bash >"$OUT" 2>"$ERR" <<<"$(lines linux save plan.json)"
	ok "4Kn: sfdisk takes the script" apply "$loop" plan.json
	ok "4Kn: what was saved is put back" bash -ec "$(lines linux back plan.json)"
	is "4Kn: every byte is as before" "$(sync; disk_sum disk.img)" "$wreck"
	apply "$loop" plan.json >/dev/null 2>&1
	is "4Kn: the same table" "$(sfdisk --dump "$loop" | grep start= | sed "s|^$loop||; s/ uuid=.*//")" \
		"$(sfdisk --dump "$was" | grep start= | sed "s|^$was||; s/ uuid=.*//")"
else
	skip "4Kn through a loop device" "no loop device with such sectors"
fi

# a LUN is known by its WWID: the printed line finds it where the kernel has it, and says nothing on another
if unshare -m true 2>/dev/null && rm -f disk.img &&
	"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 300M disk.img >/dev/null && wipe disk.img && loop=$(loop_attach disk.img); then
	number=$(lsblk -dno MAJ:MIN "$loop" | tr -d ' ')
	mkdir -p "fake/$number/holders" "fake/$number/slaves"
	ln -s "$number" "fake/${loop##*/}"
	# as WWID COMMAND...: the kernel calls the device by this name
	as() {
		echo "$1" >"fake/$number/wwid"
		shift
		unshare -m bash -c 'mount --bind fake /sys/dev/block && mount --bind fake /sys/class/block && "$@"' bash "$@"
	}
	run as naa.600144f07ed404000000496ff8cd0003 "$VMFSKIT" repair table "$loop" --no-captures --override guess --json
	line=$(jq -r '.commands.linux.check[1]' "$OUT")
	ok "WWID: on this LUN" as naa.600144f07ed404000000496ff8cd0003 bash -c "$line"
	is "WWID: it is printed" "$(cat "$OUT")" naa.600144f07ed404000000496ff8cd0003
	exits "WWID: on another one" 1 as naa.6999999999999999999999999999bbbb bash -c "$line"
	is "WWID: nothing is printed" "$(cat "$OUT")" ""
else
	skip "WWID: on this LUN" "no loop device or no namespace of mounts here"
fi
