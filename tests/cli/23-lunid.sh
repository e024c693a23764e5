# SPDX-License-Identifier: Apache-2.0
# Is this the LUN? Each finding of vmfskit lunid alone, its remedies, saved texts of ESX, and what a capture saw.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need jq perl
cd "$TMP" || exit 1
mkdir none
N=600144f07ed404000000496ff8cd0003
O=600144f07ed404000000496ff8cd0004
COMSTA=434f4d535441
made() { "$LAB" make --overwrite --table gpt --size 320M --model SUN:COMSTAR:1.0 "$@" >/dev/null || exit 1; }
lunid() { run "$VMFSKIT" lunid --json --store none --heartbeat-wait 0 "$@"; }
codes_are() { is "$1" "$CODE $(jq -r '[.findings[].code] | join(" ")' "$OUT")" "$2"; }
remedies() { jq -r ".findings[] | select(.code == \"$1\") | .remedies[] | (.what, .commands[], .set_back[])" "$OUT"; }

# --- the header of 2009
lunid --live vml.0200040000$N$COMSTA "$ROOT/samples/d1-lvm316-vmfs331.hex"
codes_are "the header of 2009 on LUN 4: the number, and nothing else" "1 lunid.lun-changed"
is "the header of 2009: in words" "$(jq -r '.findings[].message' "$OUT")" "LUN changed from 3 to 4"
is "the header of 2009: recorded" "$(jq -c '.volumes[0].recorded | [.type, .lun, .name, .vml]' "$OUT")" \
	"[2,3,\"naa.$N\",\"vml.0200030000$N$COMSTA\"]"
is "the header of 2009: live" "$(jq -c '.volumes[0].live | [.type, .lun, .name, .vml]' "$OUT")" \
	"[2,4,\"naa.$N\",\"vml.0200040000$N$COMSTA\"]"
is "the remedies stand in the order of harm" "$(jq -r '[.findings[].remedies[].harm] | (. == sort_by({look: 0, storage: 1, mount: 2, resignature: 3}[.])), .[0]' "$OUT" | tr '\n' ' ')" "true storage "
has "the number to set, at COMSTAR" "$(remedies lunid.lun-changed)" "^stmfadm add-view -n 3 .*600144F07ED404000000496FF8CD0003\$"
has "at SCST" "$(remedies lunid.lun-changed)" '^echo "add DEVICE 3" >/sys/kernel/scst_tgt/'
has "ESX 3: mounted by force" "$(remedies lunid.lun-changed)" '^esxcfg-advcfg -s 0 /LVM/DisallowSnapshotLun$'
has "and set back" "$(remedies lunid.lun-changed)" '^esxcfg-advcfg -s 1 /LVM/DisallowSnapshotLun$'
lunid --live vml.0200030000$N$COMSTA "$ROOT/samples/d1-lvm316-vmfs331.hex"
codes_are "the header of 2009 on its own LUN" "0 lunid.match"

# --- each finding, of a practice volume
made --vmfs 5 --naa naa.$N --lun 3 a.img
lunid --live naa.$N a.img
codes_are "its own name" "0 lunid.match"
lunid --live vml.0200050100$N$COMSTA a.img
is "LUN 261" "$(jq -r '.findings[].message' "$OUT")" "LUN changed from 3 to 261"
lunid --live naa.$O a.img
codes_are "another identifier" "1 lunid.designator-changed"
has "another identifier: ESX 7 does not mount it" "$(jq -r '.findings[].esx[] | select(.release == 7) | .does' "$OUT")" "does not mount it"
has "another identifier: the one to set" "$(remedies lunid.designator-changed)" "create-lu -p guid=600144F07ED404000000496FF8CD0003"
has "another identifier: COMSTAR, saved before anything" "$(remedies lunid.designator-changed | grep -m 1 -E '^(zfs snapshot|stmfadm delete-lu)')" "^zfs snapshot"
hasnt "another identifier: nothing is left to be filled in by a program" "$(remedies lunid.designator-changed)" '[{}]'
lunid --live vml.0200030000${N}4c494f2d4f52 a.img
codes_are "another product string" "1 lunid.model-changed"
lunid --live vml.0000000000766d68626133323a303a30 a.img
codes_are "another kind of name" "1 lunid.kind-changed"
lunid --live vml.072b6522e97f86428c91e193efa93c864f a.img
codes_are "a name that tells nothing" "0 lunid.not-comparable"
lunid a.img
codes_are "a file, and no name of the LUN" "0 lunid.not-comparable"
is "a file: no live id" "$(jq '.volumes[0].live' "$OUT")" null
run "$VMFSKIT" lunid --store none --heartbeat-wait 0 --live naa.$O a.img
has "as text: the fields side by side" "$OUT" "^  name [(]differs[)] .*naa\..*naa\."
has "as text: whether it may be mounted by force" "$OUT" "^Mounting by force, here and now: not known to be safe: this is a file"
# --- as text: each remedy once, in the order of harm, whatever was found
text() { COLUMNS=80 run "$VMFSKIT" lunid --store none --heartbeat-wait 0 "$@"; }
times() { is "$1: once" "$(grep -c -- "$2" "$OUT")" "${3:-1}"; }
text --live vml.0200040000${N}4c494f2d4f52 a.img
has "two findings: the number" "$OUT" "lunid\.lun-changed"
has "two findings: the model" "$OUT" "lunid\.model-changed"
times "the table of ESX" "^What ESX does by default"
times "the number at SCST" '^ *echo "add DEVICE 3" '
times "the product string at SCST" '/prod_id$'
times "mounting by force, ESX 4" "^ *esxcfg-volume -m "
times "mounting by force, ESXi" "^ *esxcli storage vmfs snapshot mount "
times "a new signature, ESXi" "^ *esxcli storage vmfs snapshot resignature "
is "the order of harm" "$(grep -oE '^(At the storage|Mount by force|New signature)' "$OUT" | tr '\n' '|')" \
	"At the storage|Mount by force|New signature|"
is "ESX 3 to 8, each in one row" "$(sed -nE 's/^  (ESX [3-8]( to [3-8])?)  .*/\1/p' "$OUT" | tr '\n' '|')" \
	"ESX 3|ESX 4|ESX 5|ESX 6|ESX 7 to 8|"
has "a release of which one finding is known says that one" "$OUT" "^  ESX 6 .* by the device id alone"
cp --sparse=always a.img b.img
text a.img b.img
times "two LUNs with one volume: the table" "^What ESX does by default"
has "two LUNs with one volume: ESX 7" "$OUT" "uuidConflict"
has "two LUNs with one volume: what is to be done with both" "$OUT" "^   any array: find out which of the LUNs"
hasnt "two LUNs with one volume: no command to mount it by force" "$OUT" "snapshot mount "
has "two LUNs with one volume: the copy may get a new signature" "$OUT" "snapshot resignature -u "
rm b.img
made --vmfs 5 --naa naa.$O --lun 3 --seed 9 other.img
lunids=$(for id in $N $O; do printf 'naa.%s\n   Model: COMSTAR\n   Other UIDs: vml.0200040000%s%s\n' $id $id $COMSTA; done)
echo "$lunids" >moved.txt
text --live moved.txt a.img other.img
times "two volumes: each has its own" "^What ESX does by default" 2
has "two volumes: of which one" "$OUT" "^The volume on other\.img, partition 1\$"

exits "a name that is none" 2 "$VMFSKIT" lunid --live naa.12 a.img
exits "a file that is not there" 4 "$VMFSKIT" lunid --live there.txt a.img
echo nothing >text
exits "a text without a device" 2 "$VMFSKIT" lunid --live text a.img
truncate -s 1M zero.img
exits "no header" 4 "$VMFSKIT" lunid zero.img

# --- two LUNs
cp --sparse=always a.img b.img
lunid a.img b.img
codes_are "two LUNs with one volume" "1 lunid.not-comparable lunid.not-comparable lunid.conflict"
is "two LUNs with one volume: no mount by force" "$(jq -r '[.findings[].mount] | unique | join(" ")' "$OUT")" no
exits "two volumes, one name" 2 "$VMFSKIT" lunid --live naa.$N a.img b.img

# --- extents
first=s1.img second=s2.img
made --vmfs 5 --size 600M --naa naa.$N --lun 3 --extents $second=600M $first
lunid "$first" "$second"
is "a spanned volume: whole" "$(jq -r '[.findings[].code | select(test("extent|conflict"))] | join(" ")' "$OUT")" ""
lunid "$first"
is "a spanned volume: one extent" "$(jq -r '[.findings[].code | select(test("extent|conflict"))] | join(" ")' "$OUT")" lunid.extent-missing
cp --sparse=always "$second" copy.img
lunid "$first" "$second" copy.img
is "a spanned volume: one extent twice" "$(jq -r '[.findings[].code | select(test("extent|conflict"))] | join(" ")' "$OUT")" lunid.extent-doubled

# --- resignatures
made --vmfs 5 --naa naa.$N --lun 3 --label snap-6104d589-old snap.img
lunid --live naa.$N snap.img
codes_are "a label that ESX made" "0 lunid.match lunid.resignature-done"
poke32() { perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; sysseek($f, $ARGV[1], 0); syswrite($f, pack("V", $ARGV[2]))' "$@"; }
volume=$((2048 * 512 + 0x100200))
cp --sparse=always a.img pending.img
poke32 pending.img $((volume + 0x10)) 2
lunid --live naa.$N pending.img
codes_are "a resignature that was not ended" "1 lunid.match lunid.resignature-pending"
cp --sparse=always a.img id.img
poke32 id.img $((volume + 0x64)) 2
lunid --live naa.$N id.img
codes_are "a snapshot id above 1" "0 lunid.match lunid.resignature-done"
cp --sparse=always a.img length.img
printf '\x15' | dd of=length.img bs=1 seek=$((2048 * 512 + 0x10000d)) conv=notrunc status=none
lunid --live naa.$N length.img
codes_are "a length that lies" "1 lunid.length-wrong"

# --- saved texts
cat >list.txt <<EOF
naa.$N
   Display Name: SUN iSCSI Disk (naa.$N)
   Vendor: SUN
   Model: COMSTAR
   Other UIDs: vml.0200040000$N$COMSTA
naa.$O
   Model: COMSTAR
   Other UIDs: vml.0200030000$O$COMSTA
EOF
lunid --live list.txt a.img
codes_are "esxcli storage core device list" "1 lunid.lun-changed"
uuid=$("$VMFSKIT" decode --json a.img | jq -r '.sources[0].vmfs[0].fs.uuid')
echo "naa.$O:1 /vmfs/devices/disks/naa.$O:1 $uuid  0  practice" >map.txt
lunid --live map.txt a.img
codes_are "esxcfg-scsidevs -m: the device that has this volume" "1 lunid.designator-changed"
printf 'iqn.x-naa.%s\n   Device: naa.%s\n   Adapter: vmhba33 Channel: 0 Target: 0 LUN: 3\n   Adapter: vmhba34 Channel: 0 Target: 0 LUN: 9\n' $N $N >paths.txt
text --live paths.txt a.img
is "one LUN under two numbers: the wrong one is taken away" "$(grep -m 1 -o 'luns delete [0-9]*' "$OUT")" "luns delete 9"
# a copy has the header of its original: a text of all LUNs does not tell which of them it is
cp --sparse=always a.img copied.img
lunid --live list.txt a.img copied.img
codes_are "a LUN and its copy, by one text" "1 lunid.not-comparable lunid.not-comparable lunid.conflict"
is "a LUN and its copy: no mount by force" "$(jq -r '[.findings[].mount] | unique | join(" ")' "$OUT")" no
lunid --live paths.txt a.img
is "esxcfg-mpath -l: one LUN under two numbers" "$(jq -r '.findings[].message' "$OUT")" "LUN is 3 on some paths only: the paths have 3 and 9"

# --- what a capture saw
"$VMFSKIT" capture --store store a.img >/dev/null
cp --sparse=always a.img moved.img
printf '\x07' | dd of=moved.img bs=1 seek=$((2048 * 512 + 0x10000e)) conv=notrunc status=none
run "$VMFSKIT" lunid --json --store store --live vml.0200070000$N$COMSTA moved.img
codes_are "a header that was rewritten: on its LUN" "0 lunid.match"
is "a header that was rewritten: the capture had another number" "$(jq -c '.volumes[0] | [.recorded.lun, .live.lun, .captured.lun]' "$OUT")" "[7,7,3]"
is "and which capture" "$(jq -r '.volumes[0].capture' "$OUT")" "$(newest store)"
