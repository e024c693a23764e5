#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Virtual disks seen as one: sets that the lab makes against what it says of them, on VMFS 3, 5 and 6; the four of the real VMFS3
# volume; what is lost; descriptors that somebody made up; dumps that end anywhere.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
need jq
cd "$TMP" || exit 1
lab() { "$LAB" "$@" >/dev/null; }
# NAME CODE SOURCE [PATH]: into list.json
list() {
	exits "$1" "$2" "$VMFSKIT" ls --disks --json "${@:3}"
	cp "$OUT" list.json
}
# EXPRESSION about the disk PATH of the last list
of() { jq -rc --arg p "$1" ".disks[] | select(.path == \$p) | $2" list.json; }
problems() { of "$1" '.problems | join(" ")'; }

# the lab's sets
cat >recipe <<'END'
disk /vm/vm.vmdk size=24M kind=flat cid=0a1b2c3d thin data=0+1M,7M+2M
disk /vm/vm-000001.vmdk size=24M kind=delta cid=11111111 parent=vm.vmdk parent-cid=0a1b2c3d
disk /vm/vm-000002.vmdk size=24M kind=sesparse cid=22222222 parent=/vmfs/volumes/chains/vm/vm-000001.vmdk parent-cid=11111111
disk /vm/raw.vmdk size=500G kind=rdm cid=33333333 lun=naa.600144f07ed404000000496ff8cd0003
disk /vm/rawp.vmdk size=500G kind=rdmp cid=44444444 lun=naa.600144f07ed404000000496ff8cd0003
disk /vm/thick.vmdk size=3M kind=flat cid=fffffffe thick data=1M+1M
disk /clone/c.vmdk size=24M kind=delta cid=55555555 parent=./../vm//vm.vmdk parent-cid=0a1b2c3d
file /vm/vm-000001-ctk.vmdk size=2000
file /vm/vmware.log size=2000
END
for v in 3 5 6; do
	lab make --table none --vmfs "$v" --size 2G --label chains --files recipe --truth truth.json "v$v.img"
	list "vmfs$v" 0 "v$v.img"
	is "vmfs$v: nothing is found wrong" "$(jq -c '[.findings, [.disks[].problems[]]]' list.json)" '[[],[]]'
	# "rdmp" of the lab is a physical rdm
	jq -rc 'select(.disk) | [.path, (.disk | .kind, .size_bytes, .cid, .parent_cid, .parent)] | map(if . == "rdmp" then "physical rdm" else . end)' \
		truth.json | sort >lab.txt
	jq -rc '.disks[] | [.path, .kind, .size_bytes, .cid, .parent_cid, .parent_hint]' list.json | sort >ours.txt
	ok "vmfs$v: the lab made disks" [ "$(wc -l <lab.txt)" = 7 ]
	same "vmfs$v: kind, length and CIDs are what the lab wrote" ours.txt lab.txt
	is "vmfs$v: chains" "$(jq -c '[.disks[] | select(.chain != []) | [.path, .cid_check, .chain]]' list.json)" \
		'[["/clone/c.vmdk","fits",["/vm/vm.vmdk"]],["/vm/vm-000001.vmdk","fits",["/vm/vm.vmdk"]],["/vm/vm-000002.vmdk","fits",["/vm/vm-000001.vmdk","/vm/vm.vmdk"]]]'
	is "vmfs$v: no parent, no CID to compare" "$(of /vm/vm.vmdk '[.cid_check, .chain]')" '["none",[]]'
	jq -r '.disks[] | .extents[].path' list.json | sort >ours.txt
	jq -r 'select(.path | test("-(flat|delta|sesparse|rdm|rdmp).vmdk$")).path' truth.json | sort >lab.txt
	same "vmfs$v: each data file belongs to one disk" ours.txt lab.txt
	"$VMFSKIT" ls -lR --json "v$v.img" | jq '.entries[] | select(.path == "/vm/vm-flat.vmdk").allocated_bytes' >lab.txt
	is "vmfs$v: blocks, as ls -l has them" "$(of /vm/vm.vmdk .allocated_bytes)" "$(cat lab.txt)"
	is "vmfs$v: header of the delta" "$(of /vm/vm-000001.vmdk '.extents[0] | [.type, .capacity_sectors, .grain_sectors]')" '["VMFSSPARSE",49152,1]'
	is "vmfs$v: header of the sesparse file" "$(of /vm/vm-000002.vmdk '.extents[0] | [.type, .capacity_sectors, .grain_sectors]')" '["SESPARSE",49152,8]'
done
run "$VMFSKIT" ls --disks v6.img /vm
has "a line for each disk" "$OUT" '^/vm/vm-000002\.vmdk  sesparse       24 MiB      1 MiB  fits  on vm-000001\.vmdk, on vm\.vmdk$'
has "a raw device has no blocks here" "$OUT" '^/vm/rawp\.vmdk       physical rdm  500 GiB          -  none  -$'
is "a folder: its disks" "$(grep -c '^/vm/' "$TMP/.stdout") $(grep -c '^/clone/' "$TMP/.stdout")" "6 0"
run "$VMFSKIT" ls --disks v6.img /vm/vm-000001-delta.vmdk
is "a data file: its disk" "$(tail -n +2 "$TMP/.stdout" | cut -d ' ' -f 1)" /vm/vm-000001.vmdk
run "$VMFSKIT" ls --disks v6.img /vm/vmware.log
is "a file of no disk" "$(cat "$TMP/.stdout")" ""
fd=$("$VMFSKIT" stat --json v6.img /vm | jq -r '.files[0].fd')
list "a folder by its descriptor" 0 v6.img "#$fd"
is "a folder by its descriptor" "$(jq -c '[.disks[] | select(.kind == "delta") | [.path, .chain]]' list.json)" "[[\"#$fd/vm-000001.vmdk\",[\"#$fd/vm.vmdk\"]]]"
for option in -l -R -a --bodyfile; do exits "--disks with $option" 2 "$VMFSKIT" ls --disks $option v6.img; done

# what is lost
cat >recipe <<'END'
disk /vm/alone.vmdk size=3M kind=flat cid=00000001 lost=descriptor
disk /vm/alone-000001.vmdk size=4M kind=delta cid=00000001 parent=alone.vmdk parent-cid=00000001 lost=descriptor
disk /vm/alone-000002.vmdk size=5M kind=sesparse cid=00000001 parent=alone.vmdk parent-cid=00000001 lost=descriptor
disk /vm/empty.vmdk size=3M kind=flat cid=00000002 lost=data
link /x/link to=../kids
link /x/root to=..
disk /kids/kid.vmdk size=3M kind=delta cid=0000000c parent=../vm/empty.vmdk parent-cid=00000002
disk /kids/kid2.vmdk size=3M kind=delta cid=0000000d parent=kid.vmdk parent-cid=0000000c
disk /kids/far.vmdk size=3M kind=delta cid=0000000d parent=../vm/far.vmdk parent-cid=00000003
disk /vm/orphan.vmdk size=3M kind=delta cid=00000003 parent=nobody.vmdk parent-cid=00000004
disk /vm/far.vmdk size=3M kind=delta cid=00000003 parent=/vmfs/volumes/4f4173d6-923034a3-5a3d-0050561003bf/vm/x.vmdk parent-cid=00000004
disk /vm/up.vmdk size=3M kind=delta cid=00000003 parent=../../other/x.vmdk parent-cid=00000004
disk /vm/base.vmdk size=3M kind=flat cid=00000005
disk /vm/changed.vmdk size=3M kind=delta cid=00000006 parent=base.vmdk parent-cid=00000004
disk /vm/over.vmdk size=3M kind=delta cid=00000007 parent=changed.vmdk parent-cid=00000006
disk /vm/self.vmdk size=3M kind=delta cid=00000008 parent=self.vmdk parent-cid=00000008
disk /vm/ring1.vmdk size=3M kind=delta cid=00000009 parent=ring2.vmdk parent-cid=0000000a
disk /vm/ring2.vmdk size=3M kind=delta cid=0000000a parent=/vmfs/volumes/chains/vm/ring1.vmdk parent-cid=00000009
disk /vm/tail.vmdk size=3M kind=delta cid=0000000b parent=ring1.vmdk parent-cid=00000009
END
lab make --table none --vmfs 6 --size 2G --label chains --files recipe lost.img
list "lost files are damage" 1 lost.img
is "a flat file without a descriptor" "$(of /vm/alone-flat.vmdk '[.kind, .size_bytes, .descriptor, .cid_check, .problems]')" '["flat",3145728,null,"unknown",["descriptor-lost"]]'
is "a delta without one: its header tells the length" "$(of /vm/alone-000001-delta.vmdk '[.kind, .size_bytes, .problems]')" '["delta",4194304,["descriptor-lost"]]'
is "a sesparse file without one" "$(of /vm/alone-000002-sesparse.vmdk '[.kind, .size_bytes, .problems]')" '["sesparse",5242880,["descriptor-lost"]]'
is "a descriptor without data" "$(of /vm/empty.vmdk '[.kind, .size_bytes, .extents[0].place, .problems]')" '["flat",3145728,"lost",["data-lost"]]'
is "a parent that is not there" "$(problems /vm/orphan.vmdk)" parent-lost
is "a parent on another volume" "$(problems /vm/far.vmdk)" parent-elsewhere
is "a path that leads out of the volume" "$(problems /vm/up.vmdk)" parent-elsewhere
is "a parent that was changed" "$(of /vm/changed.vmdk '[.cid_check, .problems]')" '["differs",["cid"]]'
is "its own child fits it, and stands on it" "$(of /vm/over.vmdk '[.cid_check, .chain, .problems]')" '["fits",["/vm/changed.vmdk","/vm/base.vmdk"],["parent-problem"]]'
is "a disk that stands on lost data" "$(of /kids/kid.vmdk '[.cid_check, .problems]')" '["fits",["parent-problem"]]'
is "and one that stands on that" "$(of /kids/kid2.vmdk '[.cid_check, .problems]')" '["fits",["parent-problem"]]'
is "which one it is" "$(jq -r '.findings[] | select(.message | test("/kids/kid2.vmdk: ")) | .code, .message, .seen' list.json | sed 's/, at volume.*//' | paste -sd '|')" \
	"vdisk.parent|/kids/kid2.vmdk: a disk that it stands on has a problem|/vm/empty.vmdk"
is "a disk that stands on one of another volume's child" "$(problems /kids/far.vmdk)" parent-partly
is "its own parent" "$(of /vm/self.vmdk '[.chain, .problems]')" '[["/vm/self.vmdk"],["chain-loop"]]'
is "two that are each other's parent" "$(of /vm/ring1.vmdk '[.chain, .problems]')" '[["/vm/ring2.vmdk","/vm/ring1.vmdk"],["chain-loop"]]'
is "a chain that leads into a ring" "$(of /vm/tail.vmdk '[.chain, .problems]')" '[["/vm/ring1.vmdk","/vm/ring2.vmdk","/vm/ring1.vmdk"],["chain-loop"]]'
is "the findings" "$(jq -r '[.findings[].code] | group_by(.) | map("\(.[0]) \(length)") | join(", ")' list.json)" \
	"vdisk.chain 4, vdisk.cid 1, vdisk.data 1, vdisk.descriptor 3, vdisk.parent 4"
is "a finding names the file" "$(jq -r '.findings[] | select(.code == "vdisk.cid") | .message, .seen, .expected' list.json | sed 's/, at volume.*//' | paste -sd '|')" \
	"/vm/changed.vmdk: the parent was changed: its CID differs|00000005, CID of the parent|00000004, parentCID"
exits "a folder of which only a parent elsewhere is wrong" 1 "$VMFSKIT" ls --disks lost.img /kids
has "and its line says so" "$OUT" '^/kids/kid\.vmdk .* fits  on .*/vm/empty\.vmdk; a disk that it stands on has a problem$'
list "a folder over a symbolic link" 1 lost.img /x/link
is "a folder over a symbolic link: what it shows of the folder itself" "$(jq -c '[.disks[] | [.path, .cid_check, .problems]]' list.json)" \
	'[["/kids/far.vmdk","fits",["parent-partly"]],["/kids/kid.vmdk","fits",["parent-problem"]],["/kids/kid2.vmdk","fits",["parent-problem"]]]'
"$VMFSKIT" ls --disks --json lost.img / | jq -S .disks >root.txt
same "the root over a symbolic link" <("$VMFSKIT" ls --disks --json lost.img /x/root | jq -S .disks) root.txt
fd=$("$VMFSKIT" stat --json lost.img /kids | jq -r '.files[0].fd')
list "a folder by its descriptor, and a parent above it" 0 lost.img "#$fd"
is "a parent above a folder by its descriptor" "$(problems "#$fd/kid.vmdk")" parent-absent
exits "another disk's loss is no fault of this one" 0 "$VMFSKIT" ls --disks lost.img /vm/base.vmdk

# made by hand: any bytes
mkdir -p from/d/sub
cd from/d || exit 1
text() { printf '# Disk DescriptorFile\nversion=1\nCID=%s\nparentCID=%s\n%b\n' "$@"; }
head -c 1M /dev/zero >a-flat.vmdk
text 1 ffffffff 'RW 2048 VMFS "a-flat.vmdk"' >a.vmdk
text 1 ffffffff 'RW 2048 VMFS "/vmfs/volumes/chains/d/a-flat.vmdk"' >second.vmdk
head -c 1M /dev/zero >short-flat.vmdk
text 1 ffffffff 'RW 2049 VMFS "short-flat.vmdk"' >short.vmdk
head -c 1000000 /dev/zero >odd-flat.vmdk
text 1 ffffffff 'RW 1953 VMFS "odd-flat.vmdk"' >odd.vmdk
head -c 1M /dev/zero >n-delta.vmdk
text 2 ffffffff 'RW 2048 VMFSSPARSE "n-delta.vmdk"' >n.vmdk
text 2 ffffffff 'RW 2048 VMFS ""' >none.vmdk
text 2 ffffffff '' >nothing.vmdk
text 2 ffffffff 'RW 2048 VMFS "/etc/passwd"' >etc.vmdk
text 2 ffffffff 'RW 2048 VMFS "../../../../../etc/passwd"' >etc2.vmdk
text 2 00000001 '' >noname.vmdk
text 2 00000001 'parentFileNameHint="odd-flat.vmdk"\nRW 1 ZERO' >onflat.vmdk
text 2 00000001 'parentFileNameHint="f1.bin"\nRW 1 ZERO' >onbin.vmdk
text 2 00000001 'parentFileNameHint="parent.txt"\nRW 1 ZERO' >ontext.vmdk
text 1 ffffffff 'RW 1 ZERO' >parent.txt
text 2 00000001 'parentFileNameHint="zeros.vmdk"\nRW 1 ZERO' >onzeros.vmdk
text 2 00000001 'parentFileNameHint="sub"\nRW 2048 VMFS "sub"' >folder.vmdk
head -c 4096 /dev/zero >zeros.vmdk
head -c 1M /dev/zero >zeros-flat.vmdk
{ text 1 ffffffff 'RW 2048 VMFS "a-flat.vmdk"' && head -c 65536 /dev/zero; } >long.vmdk
printf 'KDMV\1\0\0\0\3\0\0\0\0\10\0\0\0\0\0\0\200\0\0\0\0\0\0\0' >hosted.vmdk
head -c 100K /dev/zero >>hosted.vmdk
head -c 512 /dev/zero >f1.bin
head -c 1024 /dev/zero >f2.bin
text 3 ffffffff 'RW 1 FLAT "f1.bin" 0\nRW 1 FLAT "f2.bin" 1\nRW 5 ZERO' >parts.vmdk
text 3 ffffffff 'RW 3 FLAT "f2.bin" 0' >parts2.vmdk
printf 'RW 1 VMFS "\033[2J\n' | cat <(text 3 ffffffff) - >'esc.vmdk'
text 3 ffffffff 'RW 1000 FLAT "two-flat.vmdk" 0\nRW 1048 FLAT "two-flat.vmdk" 1000' >two.vmdk
head -c 1M /dev/urandom >two-flat.vmdk
# a disk in more parts than 32: pieces of 2 GB in the world, of a sector here
for i in $(seq -f %03g 40); do echo "RW 1 FLAT \"split-f$i.vmdk\" 0" && head -c 512 /dev/zero >split-f$i.vmdk; done >split.txt
text 4 ffffffff "$(cat split.txt)" >split.vmdk
sed 's/split-f040/split-f041/' split.vmdk >split2.vmdk
sed -i 's/split-f/other-f/' split2.vmdk
for i in $(seq -f %03g 39); do cp split-f$i.vmdk other-f$i.vmdk; done
rm split.txt
for name in 'p%41' $'c\001' 'a b'; do
	head -c 1M /dev/zero >"$name-flat.vmdk"
	text 1 ffffffff "RW 2048 VMFS \"$name-flat.vmdk\"" >"$name.vmdk"
done
for i in $(seq 300); do text "$i" "$((i - 1))" "parentFileNameHint=\"c$((i - 1)).vmdk\"\nRW 1 ZERO" >sub/c$i.vmdk; done
text 0 ffffffff 'RW 1 ZERO' >sub/c0.vmdk
cd "$TMP" || exit 1
lab make --table none --vmfs 5 --size 2G --label chains --from from hand.img
list "descriptors of anybody" 1 hand.img
while IFS='|' read -r path expected; do
	is "$path" "$(problems "/d/$path")" "$expected"
done <<'END'
a.vmdk|data-shared
second.vmdk|data-shared
short.vmdk|size
odd.vmdk|size
n.vmdk|header
none.vmdk|data-lost
nothing.vmdk|no-extent
etc.vmdk|data-elsewhere
etc2.vmdk|data-elsewhere
noname.vmdk|no-extent parent-lost
folder.vmdk|data-lost parent-lost
onflat.vmdk|parent-no-descriptor
onbin.vmdk|parent-no-descriptor
ontext.vmdk|
onzeros.vmdk|parent-problem
zeros.vmdk|descriptor-damaged
long.vmdk|descriptor-too-long
hosted.vmdk|
parts.vmdk|data-shared
parts2.vmdk|data-shared size
esc.vmdk|data-lost
two.vmdk|
split.vmdk|
split-f033.vmdk|
split-f040.vmdk|
split2.vmdk|data-lost
p%2541.vmdk|
c%01.vmdk|
a b.vmdk|
sub/c0.vmdk|
sub/c256.vmdk|chain-long
sub/c255.vmdk|
END
is "a damaged descriptor is the line of its data file" "$(of /d/zeros.vmdk '[.kind, .size_bytes, .extents[0].path]')" '["flat",1048576,"/d/zeros-flat.vmdk"]'
is "names with bytes that paths show otherwise" "$(jq -c '[.disks[] | select(.path | test("/(p%|c%|a b)")) | .extents[0] | [.name, .place]]' list.json)" \
	'[["a b-flat.vmdk","here"],["c\u0001-flat.vmdk","here"],["p%41-flat.vmdk","here"]]'
is "made by Workstation" "$(of /d/hosted.vmdk '[.kind, .size_bytes]')" '["hosted",1048576]'
is "in parts" "$(of /d/parts.vmdk '[.kind, .size_bytes, [.extents[].place]]')" '["flat",3584,["here","here","nowhere"]]'
is "two extents in one file: its blocks once" "$(of /d/two.vmdk '[.size_bytes, .allocated_bytes]')" '[1048576,1048576]'
is "in 40 parts" "$(of /d/split.vmdk '[.size_bytes, (.extents | length)]')" '[20480,40]'
is "in 40 parts: no part is a disk of its own" "$(jq -c '[.disks[].path | select(test("-f0"))]' list.json)" '[]'
is "no longer chain is followed" "$(of /d/sub/c300.vmdk '.chain | length')" 256
run "$VMFSKIT" ls --disks hand.img
hasnt "no name steers a terminal" <(cat "$OUT" "$ERR") $'\033'

# the real volume
if [ -n "$SHARED" ]; then
	mv "$(real_partition)" vmfs3.img
	list "vmfs3" 0 vmfs3.img
	is "vmfs3: four disks, nothing wrong" "$(jq -c '[.disks[] | [.path, .kind, .size_bytes, .allocated_bytes, .cid, .cid_check, .extents[0].path, (.problems | length)]]' list.json)" \
		'[["/eagerzeroedthick.vmdk","flat",209715200,209715200,"d425fe82","none","/eagerzeroedthick-flat.vmdk",0],["/thick.vmdk","flat",209715200,209715200,"05a15a72","none","/thick-flat.vmdk",0],["/thin.vmdk","flat",209715200,1048576,"dab8f8df","none","/thin-flat.vmdk",0],["/zeroedthick.vmdk","flat",209715200,209715200,"501e91e0","none","/zeroedthick-flat.vmdk",0]]'
	is "vmfs3: no finding" "$(jq -c .findings list.json)" '[]'
else
	skip "disks of the real volume" "no ../shared/data"
fi

# dumps: what is not in them is not lost
for cut in 24M 26M 30M 40M 60M; do
	head -c $cut v5.img >cut.img
	list "$cut" 0 cut.img
	is "$cut: nothing is called lost or damaged" "$(jq -r '[.disks[].problems[]] | map(select(test("lost|damaged|size|header|loop|cid"))) | join(" ")' list.json)" ""
done
hasnt "60M: no name is missing" "$ERR" 'names are missing'
is "60M: the disks are there" "$(jq -r '.disks | length' list.json)" 7
exits "the root folder is not there" 4 "$VMFSKIT" ls --disks <(head -c 22M v5.img)
head -c 40M v5.img >cut.img
list "40M, again" 0 cut.img
is "40M: what is not there is said" "$(of /vm/thick.vmdk '[.missing_bytes > 0, .problems]')" '[true,["data-absent"]]'

# nor is what a descriptor names that is not there, or lies in a folder whose file descriptor is not there
mkdir -p beyond/base beyond/web beyond/sub
head -c 1M /dev/zero >beyond/base/base-flat.vmdk
head -c 512 /dev/zero >beyond/sub/part.bin
printf '# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\nRW 2048 VMFS "../base/base-flat.vmdk"\nRW 1 FLAT "../sub/part.bin" 0\n' >beyond/web/web.vmdk
lab make --table none --vmfs 6 --size 2G --label chains --from beyond beyond.img
list "all is there" 0 beyond.img
size=$(stat -c %s beyond.img)
# NAME PATH MARK: a mapfile in which the file descriptor of PATH was not copied
without() {
	local at
	at=$("$VMFSKIT" stat --json beyond.img "$2" | jq '.files[0].device_offset')
	printf '0x0 ?\n0x0 %#x +\n%#x 0x2000 %s\n%#x %#x +\n' "$at" "$at" "$3" $((at + 8192)) $((size - at - 8192)) >"$1"
}
# one that cannot be read and has its own data file stops no other
mkdir -p one && head -c 65536 /dev/zero >one/a-flat.vmdk && cp one/a-flat.vmdk one/b-flat.vmdk
printf '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\nRW 128 VMFS "b-flat.vmdk"\n' >one/b.vmdk
lab make --table none --vmfs 6 --size 2G --from one one.img
at=$("$VMFSKIT" stat --json one.img /b.vmdk | jq '.files[0].device_offset')
printf '0x0 ?\n0x0 %#x +\n%#x 0x2000 -\n%#x %#x +\n' "$at" "$at" $((at + 8192)) $(($(stat -c %s one.img) - at - 8192)) >d.map
exits "an unreadable descriptor beside it" 0 "$VMFSKIT" cp --make-descriptor --mapfile d.map one.img /a-flat.vmdk one.a
has "its own is made" "$ERR" '^vmfskit: one\.a\.vmdk was made'
exits "of the one that cannot be read none is made" 1 "$VMFSKIT" cp --make-descriptor --mapfile d.map one.img /b-flat.vmdk one.b
has "and why" "$ERR" "a file that cannot be read as one has the descriptor's name"
for mark in '?' '-'; do
	without d.map /web/web.vmdk "$mark"
	list "descriptor $mark" 0 --mapfile d.map beyond.img
	is "descriptor $mark: it is not lost" "$(problems /base/base-flat.vmdk)" descriptor-absent
	exits "descriptor $mark: none is made" 1 "$VMFSKIT" cp --make-descriptor --mapfile d.map beyond.img /base/base-flat.vmdk beyond.$mark
	has "descriptor $mark: and why" "$ERR" 'no descriptor is made for /base/base-flat\.vmdk: its own may be in what the source does not hold'
	run "$VMFSKIT" cp -r --make-descriptor --mapfile d.map beyond.img /base "beyond$mark"
	is "descriptor $mark: nor with -r" "$(ls "beyond$mark")" base-flat.vmdk
	has "descriptor $mark: nor with -r, and why" "$ERR" 'no descriptor is made for /base/base-flat\.vmdk: its own may be'
	for lacks in /base /base/base-flat.vmdk /sub /sub/part.bin; do
		without d.map $lacks "$mark"
		list "$lacks $mark" 0 --mapfile d.map beyond.img
		case $mark$lacks in -*-flat.vmdk | -*.bin) is=data-unreadable ;; *) is=data-absent ;; esac
		is "$lacks $mark: data is not lost" "$(problems /web/web.vmdk)" $is
	done
done

# --- so many names are looked up; behind them a name that would have been met is lost, of the others it is not known
rm -rf from && mkdir from
{ seq -f 'RW 1 FLAT "gone-%04g.bin" 0' 1100 && echo 'RW 1 FLAT "there.bin" 0' && echo 'RW 1 FLAT "gone.vmdk" 0'; } >names
{ printf '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="custom"\n' && cat names; } >from/many.vmdk
head -c 512 /dev/zero >from/there.bin
ok "1102 names: a volume" "$LAB" make --overwrite --table none --vmfs 5 --size 2G --label many --from from many.img
run "$VMFSKIT" ls --disks --json many.img
is "1102 names: of which what is known" "$(jq -c '[.disks[0].extents[] | select(.name | test("gone-0001|gone-1100|there|gone.vmdk")) | .place]' "$OUT")" \
	'["lost","not found","not found","lost"]'
