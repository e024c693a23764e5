#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What ls, stat and map say of volumes that are damaged, of images with holes, and of files that have no bytes.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
need jq
cd "$TMP" || exit 1

descriptor_at() { "$VMFSKIT" stat --json "$1" "$2" | jq '.files[0].device_offset'; }
noise() { dd if=/dev/urandom of="$1" bs=512 seek=$(($2 / 512)) count=$(($3 / 512)) conv=notrunc status=none; }
# all of a disk, and zeros where its file would have been copied from IMAGE on
beginning() { truncate -s "$(stat -c %s "$1")" "$2" && dd if="$1" of="$2" bs=1M count="$3" conv=notrunc,sparse status=none; }

for v in 5 6; do
	"$LAB" make --table gpt --vmfs $v --size 20G --files all v$v >/dev/null

	# --- a raw device mapping has no bytes of its own
	for how in "" --dd --dmsetup --ddrescue --json; do
		# shellcheck disable=SC2086
		exits "VMFS$v: map $how of a raw device mapping" 1 "$VMFSKIT" map $how v$v /vm/raw-rdmp.vmdk
		has "VMFS$v: map $how: says what it is" "$ERR" 'is the mapping file of a raw device'
		is "VMFS$v: map $how: prints nothing to use" "$(grep -c 'dd if\|linear\|extents' "$OUT")" 0
	done
	run "$VMFSKIT" stat v$v /vm/raw-rdmp.vmdk
	has "VMFS$v: stat names its LUN" "$OUT" '^  raw device    the LUN naa\.600144f07ed404000000496ff8cd0003$'
	hasnt "VMFS$v: stat of it knows no blocks" "$OUT" 'addressed by|not here'
	run "$VMFSKIT" stat --json v$v /vm/raw-rdmp.vmdk
	is "VMFS$v: stat --json names its LUN" "$(jq -r '.files[0] | .raw_device, .raw_device_vml' "$OUT" | tr '\n' ' ')" \
		"naa.600144f07ed404000000496ff8cd0003 vml.0200000000600144f07ed404000000496ff8cd0003564d46534b49 "
	cp --sparse=always v$v damaged
	at=$(descriptor_at v$v /vm/raw-rdmp.vmdk)
	zero damaged $((at + 1024)) 78
	[ $v = 5 ] || zero damaged $((at + 4096 + 512)) 78
	run "$VMFSKIT" stat damaged /vm/raw-rdmp.vmdk
	has "VMFS$v: a LUN that is lost" "$OUT" 'the name of its LUN is lost'

	# --- a damaged descriptor is no part of a dump that ends
	cp --sparse=always v$v damaged
	at=$(descriptor_at v$v /small/one)
	noise damaged "$at" 1024
	[ $v = 5 ] || noise damaged $((at + 4096)) 1024
	exits "VMFS$v: ls with a damaged descriptor" 1 "$VMFSKIT" ls damaged /small
	has "VMFS$v: it is named" "$OUT" '^one  \[its descriptor is damaged\]$'
	has "VMFS$v: what the note says" "$ERR" 'note: of 1 of 11 files the descriptor is damaged'
	hasnt "VMFS$v: nothing is called missing" "$ERR" 'in the source'
	run "$VMFSKIT" stat damaged /small/one
	has "VMFS$v: the byte in the error is that of the disk" "$ERR" "\(damaged, at byte $at\)"

	# --- an image with holes, named without its mapfile
	beginning v$v holes 26
	exits "VMFS$v: an image with holes" 1 "$VMFSKIT" ls holes
	has "VMFS$v: zeros are called so" "$ERR" 'the resource metadata of \.pb2\.sf is zeros'
	has "VMFS$v: and the mapfile is named" "$ERR" 'note: zeros stand where the file system has its metadata.*--mapfile FILE'
	run "$VMFSKIT" ls v$v
	hasnt "VMFS$v: of a sound volume no word" "$ERR" '.'
done
cp --sparse=always v5 holes
root=$("$VMFSKIT" map --json v5 / | jq '.extents[0].device_offset')
zero holes "$root" 4096
exits "VMFS5: the root folder is zeros" 1 "$VMFSKIT" ls holes
has "VMFS5: that is no empty volume" "$ERR" 'zeros stand where a folder has its first entry'
has "VMFS5: the mapfile is named" "$ERR" '--mapfile FILE'

# --- the table is lost
"$LAB" make --table gpt --volume size=5G,version=5 --volume size=5G,version=6,label=second two >/dev/null
exits "a volume that is not there" 2 "$VMFSKIT" ls --volume bad two
has "the command that is printed replaces it" "$ERR" '^  vmfskit ls --volume 2 two$'
exits "in the other form, too" 2 "$VMFSKIT" ls --volume=bad two
has "in the other form, too: the command" "$ERR" '^  vmfskit ls --volume 2 two$'
"$LAB" break --how table two >/dev/null
ok "a volume whose table is lost" "$VMFSKIT" ls two
has "it is said which one this is" "$ERR" 'no partition table names this volume, which begins at sector 2048'
has "and that others may follow" "$ERR" 'vmfskit find two searches for them'
run "$VMFSKIT" ls v5
hasnt "with its table no word" "$ERR" 'partition table'

# --- where the descriptor should stand
head -c 2M v5 >short
run "$VMFSKIT" ls short
has "the byte of a descriptor is that of the file as it was named" "$ERR" 'at byte 20971520\)'
hasnt "no sentence about a name" "$ERR" 'of no name'

# --- a file without a name: by its descriptor
run "$VMFSKIT" stat --json v6 /small/tiny.vmx /small
file=$(jq -r '.files[0].fd' "$OUT") folder=$(jq -r '.files[1].fd' "$OUT")
"$VMFSKIT" cat v6 /small/tiny.vmx >by-name
for path in "#$file" "#$folder/tiny.vmx"; do
	ok "cat of $path" "$VMFSKIT" cat v6 "$path"
	same "cat of $path: its bytes" "$OUT" by-name
	ok "stat of $path" "$VMFSKIT" stat v6 "$path"
	ok "map of $path" "$VMFSKIT" map v6 "$path"
	ok "cp of $path" "$VMFSKIT" cp v6 "$path" copied
	same "cp of $path: its bytes" copied by-name
	rm -f copied
	ok "ls of $path" "$VMFSKIT" ls -l v6 "$path"
	has "ls of $path" "$OUT" 'tiny\.vmx|#0x'
done
"$VMFSKIT" ls v6 /small >by-name
ok "ls of a folder by its descriptor" "$VMFSKIT" ls v6 "#$folder"
same "the same names" "$OUT" by-name
ok "cp -r of it" "$VMFSKIT" cp -r v6 "#$folder" tree
is "all its files came" "$(find tree -type f | wc -l)" "$("$VMFSKIT" ls -l v6 /small | grep -c '^-')"
exits "with a slash it is a name" 4 "$VMFSKIT" stat v6 "/#$file"
exits "no descriptor" 4 "$VMFSKIT" stat v6 '#0xzz'

# --- PATHs that are none
for verb in ls stat map cat; do exits "$verb of an empty PATH" 2 "$VMFSKIT" $verb v6 ''; done
has "an empty PATH: says so" "$ERR" 'a PATH is empty'
exits "a second disk in place of PATH" 2 "$VMFSKIT" ls v5 v6 two
has "a second disk: --extent" "$ERR" '--extent'

# --- what must come first of a dump
head -c 26M v6 >dump
exits "blocks whose place another file tells" 4 "$VMFSKIT" map --ddrescue dump /.sbc.sf
has "which one to ask for" "$ERR" 'vmfskit map --ddrescue dump /\.pb2\.sf'

# --- where the volume lies is told by a descriptor that is damaged
ok "a disk" "$LAB" make --table gpt --vmfs 6 --size 3G lvd.img
seq 1000 | head -c 600 | dd of=lvd.img bs=1 seek=$((2048 * 512 + 0x101000)) conv=notrunc status=none
exits "its LVM volume descriptor is overwritten" 1 "$VMFSKIT" ls lvd.img
has "that is said, with its byte" "$ERR" 'the LVM volume descriptor is damaged: .*lvd\.img, at byte 2101248'
ok "what is named mends it" "$VMFSKIT" repair header lvd.img --no-captures --override guess --write
ok "then its files are there" "$VMFSKIT" ls -a lvd.img
