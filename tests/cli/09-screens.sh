#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Text is fitted to the screen it is printed on, and to none where a script reads it.
. "$(dirname "$0")/../lib.sh"

ok "a disk" "$LAB" make --table gpt --size 3G --vmfs 6 "$TMP/disk.img"
ok "its table is wiped" "$LAB" break --how table "$TMP/disk.img"
cd "$TMP" || exit 1
words() { tr -s ' \n' '\n\n' <"$1"; }
widest() { awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }' "$1"; }

run "$VMFSKIT" doctor disk.img
cp "$OUT" whole
COLUMNS=60 run "$VMFSKIT" doctor disk.img
cp "$OUT" narrow
ok "a script reads whole lines" [ "$(widest whole)" -gt 80 ]
ok "COLUMNS, when it is exported, is the width" [ "$(widest narrow)" -le 60 ]
# the map's legend is put together for the width
same "the words are the same" <(sed '/^Map$/,/^$/d' whole | tr -s ' \n' '\n\n') <(sed '/^Map$/,/^$/d' narrow | tr -s ' \n' '\n\n')
for columns in "" x -5 12 99999999; do
	COLUMNS=$columns run "$VMFSKIT" doctor disk.img
	same "COLUMNS=$columns is no width" "$OUT" whole
done

# JSON, errors
run "$VMFSKIT" decode --json disk.img
cp "$OUT" json
COLUMNS=60 run "$VMFSKIT" decode --json disk.img
same "JSON is the same on any screen" "$OUT" json
# half a line of bytes, so that their names have room
run "$VMFSKIT" decode --hex disk.img
has "a hexdump: sixteen bytes in a line" "$OUT" '^00000020001a( {1,2}[0-9a-f]{2}){16}  diskID.model'
COLUMNS=80 run "$VMFSKIT" decode --hex disk.img
has "a hexdump on a narrow screen: eight" "$OUT" '^00000020001a ( [0-9a-f]{2}){8}  diskID.model'
has "a hexdump on a narrow screen: names beside" "$OUT" '^000000200000  0d d0 01 c0 {14}magic {20}0xc001d00d$'
run "$VMFSKIT" repair table disk.img
cp "$OUT" plan
cp "$ERR" guards
COLUMNS=60 run "$VMFSKIT" repair table disk.img
has "a command to paste is one line" "$OUT" '^  vmfskit repair table disk.img --override guess --plan [0-9a-f]{32} --write$'
is "errors fit, too" "$(widest "$ERR")" "$(awk 'length($0) <= 60' "$ERR" | widest /dev/stdin)"
same "their words are the same" <(words "$ERR") <(words guards)
run "$VMFSKIT" repair table --commands-only disk.img
grep -v '^#' "$OUT" >commands
COLUMNS=60 run "$VMFSKIT" repair table --commands-only disk.img
same "what a shell shall run is the same on any screen" <(grep -v '^#' "$OUT") commands
cp "$OUT" script
ok "and what is beside it stays a comment" bash -n script

# a full disk is no screen either
full() { COLUMNS=60 "$VMFSKIT" doctor disk.img >/dev/full; }
exits "results that cannot be written are exit code 4" 4 full
has "results that cannot be written: why" "$ERR" 'results could not be written: No space left'

# a terminal, whose width is its own
if command -v script >/dev/null; then
	on_terminal() { script -qec "stty cols $1; $2" /dev/null | tr -d '\r'; }
	run on_terminal 70 "$VMFSKIT doctor disk.img"
	sed 's/\x1b\[[0-9;]*m//g' "$OUT" >shown
	ok "a terminal's lines fit it" [ "$(widest shown)" -le 70 ]
	ok "a terminal's lines use it" [ "$(widest shown)" -gt 60 ]
	COLUMNS=50 run on_terminal 120 "$VMFSKIT doctor disk.img"
	sed 's/\x1b\[[0-9;]*m//g' "$OUT" >shown
	ok "what a terminal says goes before COLUMNS" [ "$(widest shown)" -gt 100 ]
	COLUMNS=50 run on_terminal 60 "$VMFSKIT help doctor"
	sed 's/^  .*//' "$OUT" >shown
	ok "help fits a terminal" [ "$(widest shown)" -le 60 ]
	run on_terminal 200 "$VMFSKIT help doctor"
	cp "$OUT" shown
	ok "help is not wider than one reads" [ "$(widest shown)" -le 100 ]
	ok "help on a wide terminal is wider" [ "$(widest shown)" -gt 79 ]
else
	skip "terminals" "there is no program script"
fi

# --- every verb on a screen of 80: nothing is longer but a command to paste, and a word that is one
. "$ROOT/tests/disk.sh"
. "$ROOT/tests/wrap.sh"
PATH=$PATH:/usr/sbin:/sbin
need perl sfdisk jq
programs='vmfskit|stmfadm|targetcli|tgtadm|zfs|echo|esxcfg-[a-z]+|partedUtil|dd|\(set -C;|sfdisk|esxcli|LC_ALL=C|d=/sys/[^ ]*|dev=\$\(losetup|mdadm|losetup|cryptsetup|lvchange|vgchange'
before='[0-9]+\. |# to put back what was saved: |to go back[^:]*: |# {3}'
too_long() { awk 'length($0) > 80' "$@" | grep -vE "^ *($before)?($programs) |^ *[^ ]+\$|^/dev/[^ ]* : start="; }
at_80() { COLUMNS=80 "$VMFSKIT" "$@" 2>&1; }
fits() {
	run at_80 "$@"
	is "80 columns: $*" "$(too_long "$OUT")" ""
}
lab() { "$LAB" "$@" >/dev/null || exit 1; }
lab make --table gpt --size 3G --vmfs 6 --label 'a label of some length, as people give them' sound.img
lab make --table mbr --size 3G --vmfs 3 mbr.img
lab make --layout esxi7 --size 200G --vmfs 6 esxi.img
lab make --size 300M small.img
for how in table header ext4; do
	copy_disk sound.img "$how.img"
	lab break --how "$how" "$how.img"
done
copy_disk mbr.img mbr-table.img
lab break --how table mbr-table.img
disks=(sound.img mbr.img esxi.img table.img header.img ext4.img mbr-table.img)
for kind in md-1.2 lvm2 partition stride-520 shift+4096; do
	wrap "$kind" small.img "$kind.img"
	disks+=("$kind.img")
done
if big=$(big_dir); then
	lab make --table gpt --size 64T --vmfs 6 "$big/64T.img"
	copy_disk "$big/64T.img" "$big/64T-table.img"
	lab break --how table "$big/64T-table.img"
	disks+=("$big/64T.img" "$big/64T-table.img")
else
	skip "64 TB" "no file system here holds them"
fi
for live in vml.020004000060015400000000000000000000000004434f4d535441 vml.0000000000766d68626133323a303a30 naa.600144f07ed404000000496ff8cd0003; do
	fits lunid --store none --heartbeat-wait 0 --live $live sound.img
done
copy_disk sound.img copy.img
fits lunid --store none --heartbeat-wait 0 sound.img copy.img
rm copy.img
for disk in "${disks[@]}"; do
	fits decode "$disk"
	fits decode --all "$disk"
	fits decode --hex "$disk"
	fits doctor --heartbeat-wait 0 --store none "$disk"
	fits find "$disk"
	fits repair table --no-captures --heartbeat-wait 4 "$disk"
	fits repair header --no-captures --heartbeat-wait 4 "$disk"
	fits wipe --signature all --heartbeat-wait 4 "$disk"
done
# the files in them
printf '%s\n' 'file /web/web-flat.vmdk size=3M content=pattern' 'link /web/link to=web-flat.vmdk' \
	'rdm /web/raw.vmdk lun=naa.600144f07ed404000000496ff8cd0003' \
	'disk /web/a-disk-with-a-name-of-some-length-000001.vmdk size=3M kind=delta parent=/vmfs/volumes/somewhere-else/web.vmdk cid=00000001' \
	'file /web/a%20name%20of%20some%20length%20as%20hosts%20give%20them%20to%20the%20logs.log size=200 content=pattern' >recipe
lab make --table gpt --size 3G --vmfs 6 --live 2 --files recipe filled.img
head -c 26M filled.img >start.img
for disk in "${disks[@]}" filled.img start.img; do
	fits check "$disk"
	fits ls -la "$disk"
done
for disk in filled.img start.img; do
	fits ls -lR "$disk"
	fits ls --disks "$disk"
	fits stat "$disk" /web /web/web-flat.vmdk /web/link /web/raw.vmdk /.fdc.sf
	fits map "$disk" /web/web-flat.vmdk
	fits cat "$disk" /web
	fits cat "$disk" /web/web.vmdk
	fits cp "$disk" /web/raw.vmdk out
	fits cp -r "$disk" / "out-$disk"
done
fits repair table --commands-only --no-captures table.img
fits repair table sound.img --check-line 'partedUtil setptbl /vmfs/devices/disks/naa.1 gpt "1 2048 5000000 AA31E02A400F11DB9590000C2911D1B8 0"'
for disk in sound.img mbr.img esxi.img header.img; do fits capture --store st "$disk"; done
fits capture --store st --all --dev-dir .
fits capture --store st --quiet sound.img
# but a table that was asked for in full
COLUMNS=60 run "$VMFSKIT" list --wide --store st
grep -E ' 20[0-9]{6}T[0-9]{6}Z-' "$OUT" >narrow
run "$VMFSKIT" list --wide --store st
same "list --wide is one line for each volume on any screen" <(grep -E ' 20[0-9]{6}T[0-9]{6}Z-' "$OUT") narrow
id=$(captures st | head -n 1)
for verb in list status verify prune "prune --keep-daily 0 --keep-weekly 0 --keep-monthly 0 --keep-yearly 0" "pin $id" "pin nothing"; do
	# shellcheck disable=SC2086
	fits $verb --store st
done
fits diff --store st "$id" mbr.img
fits diff sound.img table.img
fits diff sound.img header.img
printf 'file /a-long-name-of-a-virtual-machine/disk-0000000000000000000000000000000000000000001.vmdk size=9M content=pattern\nfolder /many entries=300 names=entry-\n' >recipe
lab make --table gpt --size 3G --vmfs 5 --files recipe files.img
printf '0 +\n0 %d +\n%d %d -\n%d %d +\n' $((23 << 20)) $((23 << 20)) $((9 << 20)) $((32 << 20)) $((3040 << 20)) >files.map
fits doctor --heartbeat-wait 0 --store none --mapfile files.map files.img
fits restore --store st "$id" mbr.img
fits restore --store st "$id" table.img
fits restore --store st "$id" table.img --write
undo=$(captures st | grep undo | tail -n 1)
fits undo --store st "$undo" table.img
fits undo --store st "$undo" table.img --write
dd if=sound.img of=25.dd bs=1M count=25 status=none
fits import --store imported --disk lun7 --place 0 25.dd
fits decode 25.dd
fits doctor --store none 25.dd
fits find 25.dd
fits decode nothing
fits decode --nothing
fits verify --store nowhere

# --- a disk whose headers are gone: the heartbeats themselves say how large a slot is, so none is taken for damaged
for version in 3 5 6; do
	rm -f headers.img
	lab make --size 3G --vmfs $version headers.img
	run "$VMFSKIT" decode --json headers.img
	cp "$OUT" sound.json
	lab break --how header headers.img
	run "$VMFSKIT" decode --json headers.img
	is "VMFS$version without headers: its slots" "$(jq -c '.sources[0].vmfs[0].heartbeats | [.slots, .slot_bytes, .damaged]' "$OUT")" \
		"$(jq -c '.sources[0].vmfs[0].heartbeats | [.slots, .slot_bytes, .damaged]' sound.json)"
	is "VMFS$version without headers: no slot is in error" "$(jq '[.findings[] | select(.code == "heartbeat.state")] | length' "$OUT")" 0
	run at_80 doctor --store none --heartbeat-wait 0 headers.img
	cp "$OUT" shown
	ok "VMFS$version without headers: the doctor's answer is short" [ "$(wc -l <shown)" -lt 70 ]
done
