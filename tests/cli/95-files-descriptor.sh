#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cp --make-descriptor: against the four descriptors of the real VMFS3 volume line by line; qemu-img reads what was made; what is
# refused, what is never replaced.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
need jq qemu-img
cd "$TMP" || exit 1
lab() { "$LAB" "$@" >/dev/null; }
at() { "$VMFSKIT" map --json "$1" "$2" | jq '.extents[0].device_offset'; }

# the real volume, its descriptors overwritten with zeros
if [ -n "$SHARED" ]; then
	mv "$(real_partition)" vmfs3.img
	ok "vmfs3: its own descriptors" "$VMFSKIT" cp -r vmfs3.img / theirs
	for d in thin thick zeroedthick eagerzeroedthick; do
		dd if=/dev/zero of=vmfs3.img bs=512 count=1 seek="$(at vmfs3.img /$d.vmdk)" oflag=seek_bytes conv=notrunc status=none
	done
	exits "vmfs3: all four are lost" 1 "$VMFSKIT" ls --disks --json vmfs3.img
	is "vmfs3: which ls says" "$(jq -rc '[.disks[] | [.path, .problems[]]]' "$OUT")" \
		'[["/eagerzeroedthick.vmdk","descriptor-damaged"],["/thick.vmdk","descriptor-damaged"],["/thin.vmdk","descriptor-damaged"],["/zeroedthick.vmdk","descriptor-damaged"]]'
	exits "vmfs3: a whole folder: what lies at their places is copied" 1 "$VMFSKIT" cp -r --make-descriptor vmfs3.img / whole
	is "vmfs3: nothing is left out, nothing made" "$(find whole -type f | wc -l) $(grep -c "no descriptor is made for /.*-flat.vmdk: a file that cannot be read as one has the descriptor's name" "$ERR") $(grep -cE 'left out|was made' "$ERR")" "8 4 0"
	is "vmfs3: the copies are what lies there" "$(cat whole/*k.vmdk whole/thin.vmdk | tr -d '\0' | grep -c Disk)" 0
	mkdir ours
	for d in thin thick zeroedthick eagerzeroedthick; do
		ok "vmfs3: $d: made anew for the flat file alone" "$VMFSKIT" cp --make-descriptor vmfs3.img /$d-flat.vmdk ours
		cat "$ERR" >>made.err
	done
	has "vmfs3: counted" "$OUT" '^2 of 2 files copied'
	has "vmfs3: guesses are said" made.err '^vmfskit: ours/thin\.vmdk was made; guessed in it: CID, ddb\.virtualHWVersion, ddb\.adapterType$'
	has "vmfs3: a file without holes may be a thin disk" made.err 'ours/thick\.vmdk was made; .*, ddb\.thinProvisioned$'
	for d in thin thick zeroedthick eagerzeroedthick; do
		# ESX puts the lines of the data base in one order or another
		is "vmfs3: $d: what differs cannot be known" "$(diff <(sort theirs/$d.vmdk) <(sort ours/$d.vmdk) | grep '^[<>]' | sed 's/ *=.*//' | sort | paste -sd ' ')" \
			"< CID < ddb.adapterType < ddb.uuid > CID > ddb.adapterType"
	done
else
	skip "descriptors of the real volume" "no ../shared/data"
fi

# of the lab; qemu-img is the judge
cat >recipe <<'END'
disk /vm/vm.vmdk size=24M kind=flat cid=0a1b2c3d thin data=0+1M,7M+2M lost=descriptor
disk /vm/vm-000001.vmdk size=24M kind=delta cid=11111111 parent=vm.vmdk parent-cid=fffffffe
disk /vm/big.vmdk size=1G kind=flat cid=0a1b2c3d thin data=0+1M,1023M+1M lost=descriptor
disk /vm/large.vmdk size=2G kind=flat cid=0a1b2c3d thick data=1G+1M lost=descriptor
disk /vm/gone-000001.vmdk size=24M kind=delta cid=11111111 parent=vm.vmdk parent-cid=fffffffe lost=descriptor
disk /vm/gone-000002.vmdk size=24M kind=sesparse cid=11111111 parent=vm.vmdk parent-cid=fffffffe lost=descriptor
disk /vm/sound.vmdk size=2M kind=flat cid=22222222
file /vm/odd-flat.vmdk size=1000
file /vm/quote%22-flat.vmdk size=1M
file /vm/other.vmx size=1000
END
lab make --table none --vmfs 6 --size 6G --label made --files recipe vm.img
exits "a folder; what cannot be made is said" 1 "$VMFSKIT" cp -r --make-descriptor --sums SUMS --json vm.img /vm out
cp "$OUT" cp.json
is "which were made, and their guesses" "$(jq -rc '[.files[] | select(.guesses) | [.path, .dest, .guesses[]]] | sort' cp.json)" \
	'[["/vm/big.vmdk","out/big.vmdk","CID","ddb.virtualHWVersion","ddb.adapterType","ddb.geometry"],["/vm/large.vmdk","out/large.vmdk","CID","ddb.virtualHWVersion","ddb.adapterType","ddb.thinProvisioned"],["/vm/vm.vmdk","out/vm.vmdk","CID","ddb.virtualHWVersion","ddb.adapterType"]]'
has "a delta" "$ERR" 'no descriptor is made for /vm/gone-000001-delta\.vmdk: only the lost one told which disk is its parent'
has "a sesparse file" "$ERR" 'no descriptor is made for /vm/gone-000002-sesparse\.vmdk: only'
has "a file of no whole sectors" "$ERR" 'out/odd-flat\.vmdk: *no descriptor is made for it: its length is no number of sectors|its length is no number of sectors'
has "a name that would end the line" "$ERR" 'a quote or a control character is in its name'
is "data files are copied all the same" "$(find out -name '*-flat.vmdk' | wc -l) $(find out -name '*-delta.vmdk' | wc -l)" "6 2"
ok "no half files stay" [ -z "$(find out -name '*vmfskit*')" ]
ok "the list of sums has the made ones" sha256sum -c --quiet SUMS
is "made ones in the list" "$(grep -cE 'out/(vm|big|large)\.vmdk$' SUMS)" 3
is "its lines" "$(cat out/vm.vmdk)" "$(printf '%s\n' '# Disk DescriptorFile' version=1 CID=fffffffe parentCID=ffffffff 'createType="vmfs"' '' \
	'# Extent description' 'RW 49152 VMFS "vm-flat.vmdk"' '' '# The Disk Data Base ' '#DDB' '' 'ddb.virtualHWVersion = "8"' \
	'ddb.geometry.cylinders = "24"' 'ddb.geometry.heads = "64"' 'ddb.geometry.sectors = "32"' 'ddb.adapterType = "lsilogic"' 'ddb.thinProvisioned = "1"')"
is "from 2 GiB on" "$(grep geometry out/large.vmdk | sed 's/.*"\(.*\)"/\1/' | paste -sd ' ')" "261 255 63"
for d in vm big large; do
	is "$d: qemu-img sees the disk" "$(qemu-img info --output=json out/$d.vmdk | jq -r '[.format, ."virtual-size", ."format-specific".data."create-type"] | join(" ")')" \
		"vmdk $(stat -c %s out/$d-flat.vmdk) vmfs"
	ok "$d: qemu-img reads it" qemu-img convert -f vmdk -O raw out/$d.vmdk $d.raw
	ok "$d: and what it reads is the flat file" cmp $d.raw out/$d-flat.vmdk
	rm $d.raw
done
# the empty delta on the disk that was made: the lab's delta, and the CID that was guessed, are taken
ok "a delta on it: qemu-img reads the chain" qemu-img convert -f vmdk -O raw out/vm-000001.vmdk chain.raw
ok "and it is the flat file" cmp chain.raw out/vm-flat.vmdk

# what lies at the descriptor's name, whatever it is, is copied, and nothing takes its place
mkdir -p from/d
{ printf 'KDMV\1\0\0\0\3\0\0\0\0\10\0\0\0\0\0\0\200\0\0\0\0\0\0\0' && seq 20000; } >from/d/kdmv.vmdk
seq 20000 >from/d/big.vmdk
{ printf '# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\nRW 2048 VMFS "long-flat.vmdk"\n' && seq 20000 | sed 's/^/#/'; } >from/d/long.vmdk
echo junk >from/d/junk.vmdk
echo junk >from/d/odd.vmdk
for d in kdmv big long junk; do head -c 1M /dev/zero >from/d/$d-flat.vmdk; done
head -c 1000 /dev/zero >from/d/odd-flat.vmdk
mkdir from/many
{ printf '# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\n' && for i in $(seq 32); do echo 'RW 2048 ZERO'; done && echo 'RW 2048 VMFS "many-flat.vmdk"'; } >from/many/d.vmdk
head -c 1M /dev/zero >from/many/many-flat.vmdk
lab make --table none --vmfs 6 --size 2G --label made --from from there.img
exits "files at the descriptors' names" 1 "$VMFSKIT" cp -r --make-descriptor there.img /d there
same "all is copied as it is" <(cd there && sha256sum *) <(cd from/d && sha256sum *)
for d in kdmv big long junk odd; do
	has "$d: no descriptor is made" "$ERR" "no descriptor is made for /d/$d-flat\.vmdk: a file that cannot be read as one has the descriptor's name"
done
hasnt "nothing is left out, nothing is made" "$ERR" 'left out|was made'
mkdir alone
exits "named as the 33rd extent" 2 "$VMFSKIT" cp --make-descriptor there.img /many/many-flat.vmdk alone
has "named as the 33rd extent: it has its descriptor" "$ERR" '/many/many-flat\.vmdk has its descriptor, /many/d\.vmdk'
ok "named as the 33rd extent: a whole folder" "$VMFSKIT" cp -r --make-descriptor there.img /many many
is "named as the 33rd extent: nothing is made" "$(cd many && echo *)" "d.vmdk many-flat.vmdk"
for d in kdmv big long; do exits "$d: nor for the flat file alone" 1 "$VMFSKIT" cp --make-descriptor there.img /d/$d-flat.vmdk alone; done
is "not even the flat file is copied" "$(ls alone)" ""
ok "junk: for the flat file alone one is made" "$VMFSKIT" cp --make-descriptor there.img /d/junk-flat.vmdk alone
has "junk: made" alone/junk.vmdk '^RW 2048 VMFS "junk-flat\.vmdk"$'

# one file
mkdir one
ok "one file" "$VMFSKIT" cp --make-descriptor vm.img /vm/vm-flat.vmdk one
ok "one file: both" cmp one/vm.vmdk out/vm.vmdk
ok "under another name" "$VMFSKIT" cp --make-descriptor vm.img /vm/vm-flat.vmdk one/rescued.raw
has "under another name: which the descriptor has" one/rescued.raw.vmdk '^RW 49152 VMFS "rescued\.raw"$'
ok "under another name: qemu-img reads it" qemu-img compare -f vmdk -F raw one/rescued.raw.vmdk one/rescued.raw
fd=$("$VMFSKIT" stat --json vm.img /vm/vm-flat.vmdk | jq -r '.files[0].fd')
ok "named by its file descriptor" "$VMFSKIT" cp --make-descriptor vm.img "#$fd" one/byfd-flat.vmdk
has "named by its file descriptor: made" one/byfd.vmdk '^RW 49152 VMFS "byfd-flat\.vmdk"$'
exits "a delta alone" 1 "$VMFSKIT" cp --make-descriptor vm.img /vm/gone-000001-delta.vmdk one
ok "a delta alone: nothing is copied" [ ! -e one/gone-000001-delta.vmdk ]
exits "a disk that has its descriptor" 2 "$VMFSKIT" cp --make-descriptor vm.img /vm/sound-flat.vmdk one
has "a disk that has its descriptor: which is named" "$ERR" '/vm/sound-flat\.vmdk has its descriptor, /vm/sound\.vmdk'
exits "no data file" 2 "$VMFSKIT" cp --make-descriptor vm.img /vm/other.vmx one

# what is there stays
mkdir two
echo mine >two/vm.vmdk
exits "a descriptor that is there" 2 "$VMFSKIT" cp --make-descriptor vm.img /vm/vm-flat.vmdk two
is "a descriptor that is there: stays" "$(cat two/vm.vmdk)" mine
exits "--resume does not take it for its own" 2 "$VMFSKIT" cp --resume --make-descriptor vm.img /vm/vm-flat.vmdk two
is "--resume: stays" "$(cat two/vm.vmdk)" mine
ok "--overwrite replaces it" "$VMFSKIT" cp --overwrite --make-descriptor vm.img /vm/vm-flat.vmdk two
ok "--overwrite: made" cmp two/vm.vmdk out/vm.vmdk
inode=$(stat -c %i two/vm.vmdk)
ok "--resume finds it made" "$VMFSKIT" cp --resume --make-descriptor vm.img /vm/vm-flat.vmdk two
has "--resume: says so" "$OUT" '^2 of them were there and hold the bytes of the source$'
is "--resume: it is the same file" "$(stat -c %i two/vm.vmdk)" "$inode"
rm two/vm.vmdk
echo elsewhere >aside
ln -s ../aside two/vm.vmdk
exits "a link at its place" 2 "$VMFSKIT" cp --overwrite --make-descriptor vm.img /vm/vm-flat.vmdk two
is "a link at its place: what it leads to stays" "$(cat aside)" elsewhere
rm two/vm.vmdk
echo mine >two/vm.vmdk.vmfskit-part
exits "a file of others under the scratch name" 3 "$VMFSKIT" cp --overwrite --make-descriptor vm.img /vm/vm-flat.vmdk two
is "a file of others: stays" "$(cat two/vm.vmdk.vmfskit-part)" mine
head -c 100 out/vm.vmdk >two/vm.vmdk.vmfskit-part
ok "what a killed run left" "$VMFSKIT" cp --resume --make-descriptor vm.img /vm/vm-flat.vmdk two
ok "what a killed run left: is finished" cmp two/vm.vmdk out/vm.vmdk
ok "what a killed run left: is gone" [ ! -e two/vm.vmdk.vmfskit-part ]
mkdir three
ln vm.img three/vm.vmdk
exits "never onto the source" 3 "$VMFSKIT" cp --overwrite --make-descriptor vm.img /vm/vm-flat.vmdk three
ok "never onto the source: it is as before" "$VMFSKIT" check vm.img

# a flat file that is not whole has none yet
head -c 700M vm.img >cut.img
exits "a flat file that is not whole" 1 "$VMFSKIT" cp --make-descriptor cut.img /vm/large-flat.vmdk two
ok "a flat file that is not whole: no descriptor" [ ! -e two/large.vmdk ]
