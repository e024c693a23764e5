#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The contract of docs/json.md: every key that its tables name is in real output.
. "$(dirname "$0")/../lib.sh"
cd "$TMP" || exit 1
PATH=$PATH:/usr/sbin:/sbin

# "SCHEMA KEY" for each key of the tables; keys behind a comma are siblings of the first
awk -F '|' '
/^## Findings/ { schema = "finding" }
/^## vmfskit/ { schema = $0; sub(/^## /, "", schema); sub(/ and .*/, "", schema) }
/^\| `/ {
	n = split($2, part, ",")
	for (i = 1; i <= n; i++) {
		key = part[i]
		gsub(/[` ?]/, "", key)
		if (i == 1) { prefix = key; if (!sub(/[^.]*$/, "", prefix)) prefix = "" }
		else key = prefix key
		gsub(/\[\]/, ".[]", key)
		print schema, key
	}
}' "$ROOT/docs/json.md" >keys
ok "the page names keys" [ "$(wc -l <keys)" -gt 100 ]

# keys of JSON files, list elements as []
keys_of() { cat "$@" | jq -r 'paths | map(if type == "number" then "[]" else . end) | join(".")' | sort -u; }
# the keys of a schema that are in none of the files
lacking() {
	local schema=$1
	shift
	sed -n "s|^$schema ||p" keys | sort -u | comm -23 - <(keys_of "$@")
}
json() {
	local name=$1 code=$2 out=$3
	shift 3
	exits "$name" "$code" "$VMFSKIT" "$@" --json
	cp "$OUT" "$out"
	is "$name: one object" "$(jq -rs 'length, (.[0] | type)' "$out" 2>&1 | tr '\n' ' ')" "1 object "
}

"$LAB" make --table gpt --size 320M --label drill disk.img >/dev/null
"$LAB" make --table gpt --size 320M --label drill --live 2 live.img >/dev/null
"$LAB" make --table mbr --vmfs 3 --start 63 --size 320M --model SUN:COMSTAR:1.0 old.img >/dev/null
json "decode" 0 decode.json decode live.img
json "decode, VMFS3 on an MBR" 0 decode3.json decode old.img
dd if=disk.img of=header.bin bs=1M skip=2 count=24 status=none
run "$VMFSKIT" decode --as header --json header.bin
cp "$OUT" header.json
dd if=disk.img of=tail.bin bs=1M skip=1 conv=sparse status=none
json "decode of the end of a disk" 0 tail.json decode tail.bin
json "capture" 0 capture.json capture --store store disk.img
mkdir luns
cp --sparse=always disk.img luns/a
cp --sparse=always old.img luns/b
"$LAB" make --table gpt --size 320M --label other --seed 3 luns/c >/dev/null
ln luns/a luns/path
truncate -s 1M luns/blank
json "capture into a bundle" 0 bundle.json capture --bundle bundle disk.img
json "capture of all" 0 all.json capture --all --dev-dir luns --store all
"$LAB" make --overwrite --table gpt --size 320M --label changed --seed 3 luns/c >/dev/null
rm luns/b
json "capture of all, a night later" 0 all2.json capture --all --dev-dir luns --store all
json "capture of nothing" 4 capture-bad.json capture --store store nosuchfile
json "list" 0 list.json list --store store
. "$ROOT/tests/disk.sh"
. "$ROOT/tests/wrap.sh"
wrap md-1.2 disk.img member.img
json "capture of what a LUN lies in" 4 capture-inside.json capture --store store member.img
json "pin" 0 pin.json pin --store store "$(captures store)" --reason drill
json "list of pinned ones" 0 list-pinned.json list --store store
json "prune" 0 prune.json prune --store store
json "verify" 0 verify.json verify --store store --ledger
"$ROOT/cron/vmfskit-collect.sh" -o collected disk.img nosuchfile 2>collector.err
json "import" 4 import.json import --store imported collected
id=$(jq -r '.captures[0].id' list.json)
"$LAB" break --how header disk.img >/dev/null
json "decode of a wreck" 1 wreck.json decode disk.img
json "restore on another disk" 3 plan.json restore --store store "$id" old.img
json "restore without a place for the undo capture" 4 error.json restore --store /proc/nosuch "store/$id" disk.img --write
cp --sparse=always disk.img inside.img
json "restore through a view" 0 restore-inside.json restore --store store "$id" inside.img --mapfile <(printf '0 + 1\n0 %s +\n' "$(stat -c %s disk.img)") --override lun
json "restore" 0 restore.json restore --store store "$id" disk.img --write
cp --sparse=always old.img lost.img
dd if=/dev/zero of=lost.img bs=512 count=1 conv=notrunc status=none
printf 'NTFS    ' | dd of=lost.img bs=1 seek=$((63 * 512 + 3)) conv=notrunc status=none
printf '\125\252' | dd of=lost.img bs=1 seek=$((63 * 512 + 510)) conv=notrunc status=none
json "find" 1 find.json find --no-store lost.img
for file in gone header guess; do cp --sparse=always luns/c $file.img; done
"$LAB" break --how table gone.img >/dev/null
dd if=/dev/zero of=header.img bs=512 seek=$((2048 + 2048)) count=1 conv=notrunc status=none
dd if=/dev/zero of=guess.img bs=1M seek=2 count=21 conv=notrunc status=none
json "capture before a repair" 0 capture-c.json capture --store mended luns/c
json "repair of a table" 0 repair-table.json repair table --store mended gone.img
json "repair of a table with guesses" 0 repair-table-guess.json repair table --store mended --no-captures gone.img --override guess
truncate -s 4096 inside.img
cat gone.img >>inside.img
json "repair from some byte on" 0 repair-inside.json repair table --store mended --no-captures inside.img --at 4096 --override guess
json "repair of a header" 0 repair-header.json repair header --store mended header.img --override guess --write
json "repair with guesses" 3 repair-guess.json repair header --store mended --no-captures guess.img
"$LAB" make --table gpt --vmfs 6 --sector-size 4096 --size 320M four.img >/dev/null
json "repair in other sectors" 0 repair-units.json repair table --store mended --no-captures four.img --convert-sectors 512
json "a line of partedUtil" 1 check-line.json repair table --store mended disk.img --check-line 'partedUtil setptbl /vmfs/devices/disks/naa.1 gpt "1 2048 9 251 0"'
json "another line of partedUtil" 1 check-line-2.json repair table --store mended disk.img --check-line 'partedUtil setptbl x msdos "2 70 90 7 0"'
json "wipe" 3 wipe.json wipe --store mended disk.img --signature all
json "repair without a place for the undo capture" 4 repair-error.json repair table --store /proc/nosuch gone.img --override guess --write
json "diff" 1 diff.json diff --store store "$id" old.img
json "undo" 0 undo.json undo --store store "$(jq -r .undo restore.json)" disk.img
json "list with an undo capture" 0 list-undo.json list --store store
json "verify with an undo capture" 0 verify-undo.json verify --store store
is "the undo capture is one in the list" "$("$VMFSKIT" list --store store --json | jq -r '[.captures[].purpose] | join(" ")')" "capture undo"

"$LAB" make --table gpt --size 320M --seed 9 --live 1 ill.img >/dev/null
"$LAB" break --how table ill.img >/dev/null
mkfs.ext4 -F -q -E nodiscard ill.img
"$LAB" make --table gpt --size 320M --label drill --naa naa.600144f07ed404000000496ff8cd0003 --lun 3 --model SUN:COMSTAR:1.0 lun.img >/dev/null
"$VMFSKIT" capture --store lun-store lun.img >/dev/null
json "lunid" 1 lunid.json lunid --store lun-store --live vml.0200040000600144f07ed404000000496ff8cd0003434f4d535441 lun.img
json "doctor" 1 doctor.json doctor --store store --heartbeat-wait 0 ill.img
"$LAB" make --table gpt --vmfs 5 --size 2G --files all hit.img >/dev/null
printf '0 +\n0 %d +\n%d 8192 -\n%d %d +\n' $((23 << 20)) $((23 << 20)) $(((23 << 20) + 8192)) $(((2 << 30) - (23 << 20) - 8192)) >hit.map
json "doctor with files in the damaged ranges" 4 doctor-hit.json doctor --store store --heartbeat-wait 0 --mapfile hit.map hit.img

# a free heartbeat slot that keeps the address of its last user
"$LAB" make --table gpt --start 2048 --size 320M last.img >/dev/null
printf '\1' | dd of=last.img bs=1 seek=$((1048576 + 0x1400000 + 0x0c)) conv=notrunc status=none
printf '10.0.0.1' | dd of=last.img bs=1 seek=$((1048576 + 0x1400000 + 0x36)) conv=notrunc status=none
head -c 26M ill.img >part.img
json "doctor of a dump of the beginning" 1 doctor-part.json doctor --store store --heartbeat-wait 0 part.img
json "find in a dump of the beginning" 1 find-part.json find --no-store part.img
# a backup GPT of before: the disk was grown, and sector 0 to 33 are lost
"$LAB" make --size 2G --vmfs 6 older.img >/dev/null && truncate -s 3G older.img &&
	dd if=/dev/zero of=older.img bs=512 count=34 conv=notrunc status=none
json "find on a disk that was grown" 1 find-older.json find --no-store older.img
json "decode of a last mount" 0 last.json decode last.img
"$LAB" make --table gpt --size 320M unsigned.img >/dev/null
for at in 512 $((320 * 1048576 - 512)); do dd if=/dev/zero of=unsigned.img bs=1 seek=$at count=8 conv=notrunc status=none; done
json "decode without signatures" 1 unsigned.json decode unsigned.img
# files of a volume
if [ -n "$SHARED" ]; then
	for v in 5 6; do unpack "$SHARED/data/vmfs$v-esxi-2021/disk-from-lba-2048.img.xz" "files$v.img"; done
	# the lock of /directory/file1 as a host holds it that has the volume open, with the heartbeat in slot 984
	cp --sparse=always files5.img files-held.img
	fd=$(jq '.files[0].device_offset' <("$VMFSKIT" stat --json files5.img /directory/file1))
	slot=$((17825792 + 0x37b000))
	{
		printf '\1\0\0\0' && dd if=files5.img bs=1 skip=$((slot + 0x1c)) count=16 status=none
	} | dd of=files-held.img bs=1 seek=$((fd + 0x24)) conv=notrunc status=none
	{
		printf '\0\xb0\x37\0\0\0\0\0' && dd if=files5.img bs=1 skip=$((slot + 0x0c)) count=8 status=none
	} | dd of=files-held.img bs=1 seek=$((fd + 0x0c)) conv=notrunc status=none
	json "ls" 0 ls.json ls -laR files6.img
	json "stat" 0 stat.json stat files6.img /directory/symlink
	json "stat of a file that a host has open" 0 stat-held.json stat files-held.img /directory/file1
	is "stat: the host that holds it" "$(jq -c '.files[0].lock | [.mode, .holders[0].heartbeat, .holders[0].slot]' stat-held.json)" \
		'["1 (exclusive)","in-use",984]'
	json "map" 0 map.json map files6.img /.sbc.sf
	printf '%s\n' 'disk /vm.vmdk size=1M kind=flat cid=0a1b2c3d' 'disk /vm-1.vmdk size=1M kind=delta cid=1 parent=vm.vmdk' |
		sed 's/cid=1 /cid=00000001 parent-cid=0a1b2c3c /' >recipe
	echo 'disk /lost.vmdk size=1M kind=flat cid=00000002 lost=descriptor' >>recipe
	"$LAB" make --size 2G --files recipe disks.img >/dev/null
	json "ls of virtual disks" 1 ls-disks.json ls --disks disks.img
	json "cp of a disk without descriptor" 0 cp.json cp --make-descriptor disks.img /lost-flat.vmdk .
	is "cp: every key" "$(lacking vmfskit.cp/1 cp.json | grep -vE '^findings$|unreadable')" ""
	# without .pb2.sf the place of what pointer blocks lead to is lost; a file without a descriptor
	printf 'file /large size=9M stored=pointer-block\nfile /small size=9\n' >recipe
	"$LAB" make --table none --vmfs 6 --size 2G --files recipe files-lost.img >/dev/null
	for path in /small /.pb2.sf; do
		dd if=/dev/zero of=files-lost.img bs=512 seek=$(($("$VMFSKIT" stat --json files-lost.img $path | jq '.files[0].device_offset') / 512)) \
			count=16 conv=notrunc status=none
	done
	json "ls of damaged files" 1 ls-lost.json ls -R files-lost.img
	json "map of a file that is lost" 1 map-lost.json map files-lost.img /large
	is "ls: every key" "$(lacking vmfskit.ls/1 ls.json ls-lost.json ls-disks.json | grep -vxE 'findings.\[\]')" ""
	echo 'rdm /raw.vmdk size=5G lun=naa.600144f07ed404000000496ff8cd0003' >recipe
	"$LAB" make --size 2G --files recipe raw.img >/dev/null
	json "stat of a raw device mapping" 0 stat-raw.json stat raw.img /raw.vmdk
	is "stat: every key" "$(lacking vmfskit.stat/1 stat.json stat-held.json stat-raw.json | grep -vx 'findings.\[\]')" ""
	is "map: every key" "$(lacking vmfskit.map/1 map.json map-lost.json | grep -vx 'findings.\[\]')" ""
	for file in ls stat map; do is "$file: schema" "$(jq -r .schema $file.json)" "vmfskit.$file/1"; done
else
	skip "files of a volume" "no ../shared/data"
fi
# a LUN in a mirror of which the system names the device
. "$ROOT/tests/disk.sh" && . "$ROOT/tests/wrap.sh" && wrap md-1.2 unsigned.img carrier.img
json "decode of a carrier" 1 carrier.json decode carrier.img
is "decode: every key" "$(lacking vmfskit.decode/1 carrier.json unsigned.json decode.json decode3.json header.json tail.json wreck.json last.json)" ""
is "findings: every key" "$(sed -n 's/^finding /findings.[]./p' keys | sort | comm -23 - <(keys_of wreck.json))" ""
jq '.captures |= map(. + {verdict: 0, pinned: 0, pin_reason: 0, use: 0})' capture.json >capture-as-list.json
is "capture: every key" "$(lacking vmfskit.capture/1 capture.json capture-bad.json capture-inside.json all.json all2.json | grep -vx 'findings.\[\]')" ""
is "bundle: every key" "$(lacking vmfskit.bundle/1 bundle.json | grep -vx 'findings.\[\]')" ""
is "capture: entries as in list" "$(lacking vmfskit.list/1 capture-as-list.json |
	grep -vxE 'captures\.\[\]\.(host|kind|purpose)')" ""
is "list: every key" "$(lacking vmfskit.list/1 list.json list-pinned.json list-undo.json)" ""
for name in before after; do
	printf '%s\n' 'rdm /raw.vmdk size=5G lun=naa.600144f07ed404000000496ff8cd0003' "file /$name size=1M" >recipe
	"$LAB" make --overwrite --size 2G --vmfs 5 --files recipe files.img >/dev/null
	json "capture of files $name" 0 "files-$name.json" capture --store files files.img
done
json "list of files" 0 list-files.json list --files --store files
json "diff of files" 0 diff-files.json diff --store files "$(captures files | head -n 1)" "$(captures files | tail -n 1)"
"$LAB" make --overwrite --vmfs 6 --size 2G gone.img >/dev/null
printf '%s\n' 'create /a-flat.vmdk 9M' 'create /b 500' >script
"$LAB" history --script script gone.img >/dev/null
json "capture of files to be deleted" 0 capture-gone.json capture --store gone gone.img
printf '%s\n' 'delete /a-flat.vmdk' 'delete /b' 'reuse /c 3M' 'create /d 2M' 'delete /d' >script
"$LAB" history --script script gone.img >/dev/null
json "undelete" 1 undelete.json undelete --store gone gone.img / rescued
is "undelete: every key" "$(lacking vmfskit.undelete/1 undelete.json | grep -vx 'findings')" ""
is "list of files: every key" "$(lacking vmfskit.list-files/1 list-files.json)" ""
printf 'x\n   Volume Name: a\n   VMFS UUID: %s\n   Can mount: false\nVol3: 731: Couldn'\''t read volume header from eui.3939:1: Timeout\nLVM: 1: Device naa.6001:1 is a snapshot:\n' \
	"$(sed -n 's/^ *"uuid": "\([-0-9a-f]*\)".*/\1/p' list.json | head -n 1)" >host.log
json "explain" 1 explain.json explain --store all host.log
is "explain: every key" "$(lacking vmfskit.explain/1 explain.json)" ""
json "drill" 0 drill.json drill --store all --scratch .
touch "$(find all -mindepth 1 -maxdepth 1 -name '2*' | head -n 1)/extra"
cp -r "$(find all -mindepth 1 -maxdepth 1 -name '2*' | head -n 1)" broken
rm -f broken/head.raw
run "$VMFSKIT" drill --store all --scratch . ./broken --json
cp "$OUT" drill-refused.json
run "$VMFSKIT" drill --store all --scratch nowhere --json
cp "$OUT" drill-none.json
"$VMFSKIT" capture --store cut disk.img >/dev/null
truncate -s 1 "$(find cut -name head.raw)"
run "$VMFSKIT" drill --store cut --scratch . --json
cp "$OUT" drill-unsound.json
is "drill: every key" "$(lacking vmfskit.drill/1 drill.json drill-refused.json drill-none.json drill-unsound.json)" "drills.[].differs_at"
json "status" 0 status.json status --store all --exclude '*/b'
ok "a volume to check" "$LAB" make --table none --vmfs 5 --size 2G checked.img
json "check" 0 check.json check checked.img
ok "one with files" "$LAB" make --overwrite --table none --vmfs 5 --size 2G --files <(printf 'file /vm/a size=5M thick\n') checked.img
printf '\7' | dd of=checked.img bs=1 seek=$(($("$VMFSKIT" map --json checked.img /.fdc.sf | command jq '.extents[0].device_offset') + 0x10000 + 512)) conv=notrunc status=none
json "check of a damaged one" 1 check-bad.json check checked.img
is "check: every key" "$(lacking vmfskit.check/1 check.json check-bad.json | grep -vx 'findings.\[\]')" ""
cp -a all short
rm -rf "short/$(captures short | head -n 1)"
json "status of a store that lost a capture" 1 status-short.json status --store short
json "prune of it" 1 prune-short.json prune --store short --override missing
is "status: every key" "$(lacking vmfskit.status/1 status.json status-short.json | grep -v '^findings')" ""
exits "a verify that finds something" 1 "$VMFSKIT" verify --store all
is "what verify found last: every key" "$(sed -n 's/^vmfskit.status.1 \(findings.*\)/\1/p' keys | sort -u | comm -23 - <(keys_of all/.findings.json))" ""
is "prune: every key" "$(lacking vmfskit.prune/1 prune.json prune-short.json | grep -vx 'findings.\[\]')" ""
is "import: every key" "$(lacking vmfskit.import/1 import.json | grep -vx 'findings.\[\]')" ""
is "import: entries as in capture" "$(jq -r '.captures[0] | keys[]' capture.json | grep -vxE 'decode_findings|files_at_most|other_paths|previous|changes|unchanged|new' |
	comm -23 - <(jq -r '.captures[0] | keys[]' import.json))" ""
is "pin: every key" "$(lacking vmfskit.pin/1 pin.json)" ""
is "verify: every key" "$(lacking vmfskit.verify/1 verify.json verify-undo.json | grep -vx 'findings.\[\]')" ""
is "restore: every key" "$(lacking vmfskit.restore/1 plan.json restore.json restore-inside.json error.json | grep -vx note)" ""
is "check-line: every key" "$(lacking vmfskit.check-line/1 check-line.json check-line-2.json)" ""
is "wipe: every key" "$(lacking vmfskit.wipe/1 wipe.json | grep -vx "remarks.\[\]")" ""
is "repair: every key" "$(lacking vmfskit.repair/1 repair-table-guess.json repair-table.json repair-inside.json repair-units.json repair-header.json repair-guess.json repair-error.json | grep -vxE 'note|notes.\[\]')" ""
is "doctor: every key" "$(lacking vmfskit.doctor/1 doctor.json doctor-part.json doctor-hit.json | grep -vx 'findings.\[\]')" ""
is "lunid: every key" "$(lacking vmfskit.lunid/1 lunid.json)" ""
is "diff: every key" "$(lacking vmfskit.diff/1 diff.json diff-files.json)" ""
is "find: every key" "$(lacking vmfskit.find/1 find.json find-part.json find-older.json | grep -vx 'findings.\[\]' | grep -vx 'unreadable.\[\].*')" ""
for file in find:find diff:diff doctor:doctor lunid:lunid decode:decode capture:capture import:import list:list list-files:list-files verify:verify prune:prune pin:pin restore:restore undo:undo repair-table:repair repair-header:repair wipe:wipe check-line:check-line; do
	is "${file#*:}: schema" "$(jq -r .schema "${file%:*}.json")" "vmfskit.${file#*:}/1"
done

# what was agreed on for a whole disk, with its types
for file in decode decode3; do
	is "$file: the agreed keys and types" "$(jq -r '
		def t(p; kind): if ([p] | length > 0 and all(.[]; type == kind)) then empty else "\(kind) \(path(p))" end;
		t(.sources[].path; "string"), t(.sources[].kind; "string"), t(.sources[].size_bytes; "number"),
		t(.sources[].sector_size; "number"), t(.sources[].table.kind; "string"),
		(.sources[].table.partitions[] | t(.number; "number"), t(.start_sector; "number"), t(.sectors; "number"),
			t(.type; "string"), t(.type_name; "string")),
		(.sources[].vmfs[] | t(.partition; "number"), t(.start_sector; "number"), t(.sectors; "number"),
			(.lvm | t(.majorVersion; "number"), t(.minorVersion; "number"), t(.totalBytes; "number"),
				t(.numPEs; "number"), t(.dataOffset; "number"), t(.generation; "number"), t(.devID; "string"),
				t(.initTime; "string"),
				(.diskID | t(.type; "number"), t(.len; "number"), t(.lun; "number"), t(.vendor; "string"),
					t(.model; "string"), t(.revision; "string"), t(.id; "string"), t(.name; "string"),
					t(.vml; "string")),
				(.volumes[] | t(.name; "string"), t(.uuid; "string"), t(.snapID; "number"), t(.state; "string"),
					t(.logicalSize; "number"), t(.numPEs; "number"), t(.firstPE; "number"),
					t(.lastPE; "number"))),
			(.fs | t(.magic; "string"), t(.majorVersion; "number"), t(.minorVersion; "number"), t(.uuid; "string"),
				t(.label; "string"), t(.fileBlockSize; "number"), t(.creationTime; "string"),
				t(.volInfo; "string")),
			(.heartbeats | t(.slots; "number"), t(.in_use; "array"), t(.free_with_history; "number")))
		' $file.json 2>&1)" ""
done
is "a heartbeat: the agreed keys and types" "$(jq -c '[.sources[0].vmfs[0].heartbeats.in_use[0] |
	.slot, .owner, .mac, .ip, .uptime_us | type]' decode.json)" '["number","string","string","string","number"]'
is "values: table" "$(jq -c '.sources[0].table | [.kind, .partitions[0].number, .partitions[0].start_sector]' decode.json)" \
	'["gpt",1,2048]'
is "values: table of an MBR" "$(jq -c '.sources[0].table | [.kind, .partitions[0].type, .partitions[0].type_name]' decode3.json)" \
	'["mbr","fb","VMFS"]'
is "values: volume" "$(jq -c '.sources[0].vmfs[0] | [.lvm.volumes[0].state, .fs.label, .fs.magic]' decode.json)" \
	'["LVM_NORMAL","drill","0x2fabf15e"]'
