#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# vmfskit-lab history: check is silent after each part of a history, fsck.vmfs of VMFS 3 and 5 agrees; parts make the same volume as
# the whole; scripts; what a deletion leaves; what is refused.
. "$(dirname "$0")/../lib.sh"
need jq fsck.vmfs python3
cd "$TMP" || exit 1
PATH=$PATH:/usr/sbin:/sbin

make() { "$LAB" make --overwrite --table none --vmfs "$1" --size 2G "$2" >/dev/null && rm -f "$2.history"; }
silent() { # NAME IMAGE
	exits "$1: check finds nothing" 0 "$VMFSKIT" check "$2"
	has "$1: and says so" "$OUT" '^No damage was found in the file system\.$'
}
# what fsck.vmfs finds besides two things that it does not know: the flag of blocks that are to be zeroed, which it takes for other
# blocks, and contents in descriptors, which it takes for addresses ("vmfs")
fsck() {
	awk '$1 == "+" && $5 == "b" && $7 == 1 { for (i = 0; i < $4; i++) printf "File Block 0x%08x is lost.\n", ($6 + i) * 64 + 1 }' "$1.history" >known
	fsck.vmfs "$1" 2>&1 | grep -vxFf known | grep -E 'lost\.$|Block 0x|Undefined|Orphaned|Directory errors' | grep -v 0x73666d76 | tr -s ' ' | tr '\n' ';'
}
# a digest of what is not zero; cmp would read 2 GiB of holes
digest() {
	python3 - "$1" <<-'EOF'
	import hashlib, os, sys
	fd, at, sum = os.open(sys.argv[1], os.O_RDONLY), 0, hashlib.sha256()
	try:
	    while True:
	        at = os.lseek(fd, at, os.SEEK_DATA)
	        page = os.pread(fd, 65536 - at % 65536, at)
	        for i in range(0, len(page), 512):
	            if page[i:i + 512].strip(b"\0"):
	                sum.update(b"%d:" % (at + i) + page[i:i + 512])
	        at += len(page)
	except OSError:
	    print(sum.hexdigest())
	EOF
}
for version in 3 5 6; do
	for seed in 1 2; do
		make $version v.img
		for part in 1 2 3; do
			ok "VMFS$version, seed $seed, part $part" "$LAB" history --seed $seed --steps 25 v.img
			silent "VMFS$version, seed $seed, part $part" v.img
		done
		[ $version = 6 ] || is "VMFS$version, seed $seed: fsck.vmfs finds nothing" "$(fsck v.img)" \
			"Undefined inodes : 0;Orphaned inodes : 0;Directory errors : 0;"
		is "VMFS$version, seed $seed: all kinds of steps" "$(sed -n 's/^M [0-9]* [0-9]* \([a-z]*\) .*/\1/p' v.img.history | sort -u | tr '\n' ' ')" \
			"begin create delete folder grow rename reuse shrink write "
	done
	make $version whole.img
	ok "VMFS$version: in one go" "$LAB" history --seed 2 --steps 75 whole.img
	same "VMFS$version: the same record" whole.img.history v.img.history
	is "VMFS$version: the same volume" "$(digest whole.img)" "$(digest v.img)"
done

# --- a script, and what a deletion leaves
for version in 3 5 6; do
	make $version s.img
	cat >script <<-'EOF'
	# a virtual machine
	folder /vm
	create /vm/a-flat.vmdk 3M
	create /vm/b-flat.vmdk 4M pointer-block
	create /vm/c.log 5000
	rename /vm/a-flat.vmdk /a-flat.vmdk
	resize /a-flat.vmdk 5M
	write /a-flat.vmdk 4M 1M
	delete /vm/b-flat.vmdk
	reuse /vm/d 2M
	EOF
	ok "VMFS$version: a script" "$LAB" history --script script s.img
	has "VMFS$version: it says where it is" "$OUT" '^partition 0: moment 9, 4 files of 5 that were made$'
	silent "VMFS$version: a script" s.img
	is "VMFS$version: what is there" "$("$VMFSKIT" ls -R --json s.img | jq -r '.entries[] | "\(.path) \(.size_bytes)"' | sort | sed 's/^\/vm [0-9]*$/\/vm/' | tr '\n' ';')" \
		"/a-flat.vmdk 5242880;/vm;/vm/c.log 5000;/vm/d 2097152;"
	is "VMFS$version: who wrote it, and when" "$("$VMFSKIT" cat s.img /a-flat.vmdk | tail -c 1048576 | head -n 1)" "vmfskit-lab file 2 moment 7 offset 4194304"
	is "VMFS$version: what was not written is a hole" "$("$VMFSKIT" map --json s.img /a-flat.vmdk | jq -c '[.extents[] | select(.kind == "hole") | .file_offset, .length]')" "[3145728,1048576]"
	# the first of its four blocks has another owner now, or none; the descriptor has no address and no link
	base=$("$VMFSKIT" map --json s.img /a-flat.vmdk | jq '.extents[0] | .device_offset - .volume_offset')
	is "VMFS$version: a deletion leaves the bytes" "$(dd if=s.img bs=1M count=1 iflag=skip_bytes skip=$((base + $(awk '$1 == "+" && $2 == 3 { print $8 }' s.img.history) + 3145728)) status=none | head -n 1)" \
		"vmfskit-lab file 3 moment 3 offset 3145728"
	descriptor=$(awk '$1 == "N" && $2 == 3 { print $5 }' s.img.history)
	run "$VMFSKIT" stat --json s.img "#$(printf 0x%08x "$descriptor")"
	is "VMFS$version: and its descriptor, without links and addresses" "$(jq -c '.files[0] | [.links, .size_bytes, .blocks]' "$OUT")" "[0,0,0]"
	cp s.img.history before
	for bad in 'fly /vm' 'fly /vm/d' 'write /vm/none 0 1' 'create /vm/c.log 1' 'create /none/c 1' 'delete /vm' 'write /vm/d 1' 'resize /vm/d' 'create /vm/e 9M resident'; do
		echo "$bad" >bad
		exits "VMFS$version: refused: $bad" 2 "$LAB" history --script bad s.img
		cp before s.img.history
	done
done

# --- what is refused
exits "neither steps nor script" 2 "$LAB" history s.img
exits "both" 2 "$LAB" history --steps 1 --script script s.img
printf 'no record\n' >other
exits "a record that is none" 1 "$LAB" history --steps 1 --record other s.img
has "why" "$ERR" 'this is no record of a history'
"$LAB" make --overwrite --vmfs 5 --size 1G --extents b.img a.img >/dev/null
exits "two extents" 1 "$LAB" history --steps 1 a.img
has "why not two" "$ERR" 'histories are made on sound volumes of one extent'
truncate -s 1G blank.img
exits "no volume" 4 "$LAB" history --steps 1 blank.img
