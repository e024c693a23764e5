#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The errors of the verbs about files, and what they say to do next: each printed command is run as it stands.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../next_steps.sh"
cd "$TMP" || exit 1

# next NAME CODE PATTERN COMMAND [CODE2]: the last error has that code, that text and, word for word, that command, which
# then ends with CODE2 (0)
next() {
	is "$1: exit code" "$CODE" "$2"
	has "$1: why" "$ERR" "$3"
	if grep -qF -- "$4" "$ERR"; then pass "$1: what to do"; else fail "$1: what to do" "expected: $4
in: $(shown "$ERR")"; fi
	exits "$1: and that is so" "${5:-0}" paste_it "$4"
}
# with_devices NAME DEVICE...: the command that is printed to paste, with these in the place of DEVICE, gives no error
with_devices() {
	local name=$1 line
	line=$(sed -n '/^  vmfskit .*DEVICE/{s/^  //p;q}' "$ERR")
	shift
	for device; do line=${line/DEVICE/$device}; done
	has "$name: a command for as many devices as are missing" "$line" '^[^D]+$'
	ok "$name: $line" paste_it "$line"
}

# --- devices of a volume ----------------------------------------------------------------------------------------------
printf '%s\n' 'file /vm/first size=2M content=pattern extent=1' 'file /vm/second size=3M content=pattern extent=2' \
	'file /vm/third size=4M content=pattern extent=3' >recipe
for version in 5 6; do
	ok "VMFS$version: a volume of three" "$LAB" make --overwrite --vmfs $version --size 4G --extents b,c --files recipe a
	run "$VMFSKIT" ls -l a /vm
	has "VMFS$version, one of three: how many are named" "$ERR" 'note: of this volume 1 of 3 devices are named'
	with_devices "VMFS$version, one of three" b c
	hasnt "VMFS$version: then nothing is missing" "$OUT" 'not in the source'
	is "VMFS$version: nor a word said" "$(cat "$ERR")" ""
	run "$VMFSKIT" cp --extent=c a /vm/second copy
	is "VMFS$version: a file on the device that is not named" "$CODE" 1
	rm -f copy.*
	with_devices "VMFS$version, two of three" b
	is "VMFS$version: the copy is whole" "$(stat -c %s copy)" 3145728
	rm -f copy
	run "$VMFSKIT" map --ddrescue a /vm/third
	has "VMFS$version, map --ddrescue: it is on another device" "$ERR" 'on a device of the volume that is not named: name it with --extent$'
	run "$VMFSKIT" check a
	has "VMFS$version: what is on others was not checked" "$OUT" '^What lies on devices that are not named was not checked\.$'
	has "VMFS$version: that is no damage" "$OUT" '^No damage was found in the rest of the file system\.$'
	exits "VMFS$version: a later device alone" 4 "$VMFSKIT" ls b /vm
	has "VMFS$version, a later device: what it holds" "$ERR" 'this holds physical extents 15 to 29 of volume'
	with_devices_code=$(sed -n '/^  vmfskit .*DEVICE/{s/^  //p;q}' "$ERR")
	is "VMFS$version, a later device: the command" "$with_devices_code" "vmfskit ls --extent b DEVICE /vm"
	run paste_it "${with_devices_code/DEVICE/a}"
	is "VMFS$version, a later device: which gives the names" "$(tr '\n' ' ' <"$OUT")" "first second third  [4 MiB of it not in the source] "
	has "VMFS$version, a later device: and names the one that still lacks" "$ERR" '^  vmfskit ls --extent DEVICE --extent b a /vm$'
	with_devices "VMFS$version, a later device" c
done
ok "another volume" "$LAB" make --vmfs 5 --size 4G --files recipe --extents other2,other3 other
run "$VMFSKIT" ls --extent other a
next "a device of another volume" 2 'this is no extent of practice: it belongs to volume' 'vmfskit decode other' 1

# --- dumps that end early ---------------------------------------------------------------------------------------------
ok "a volume with files" "$LAB" make --overwrite --vmfs 5 --size 4G --files all whole
for size in 2M 20M 21M; do
	head -c $size whole >start
	run "$VMFSKIT" ls start
	is "the first $size" "$CODE" 4
	has "the first $size: why" "$ERR" 'not in the source'
	has "the first $size: how long it must be" "$ERR" 'take a longer dump: the first 26 MiB of the disk'
done
head -c 26M whole >start
run "$VMFSKIT" ls start /folder
for folder in $("$VMFSKIT" ls --json -R whole | jq -r '.entries[] | select(.type == "dir").path'); do
	"$VMFSKIT" map --ddrescue whole "$folder" >/dev/null 2>&1 || continue
	end=$("$VMFSKIT" map --json whole "$folder" | jq '[.extents[] | select(.kind == "data").device_offset] | min // 0')
	[ "$end" -gt 0 ] && [ "$end" -lt $((1 << 30)) ] || continue
	head -c "$end" whole >start
	run "$VMFSKIT" ls start "$folder"
	[ "$CODE" -eq 4 ] || continue
	address=$("$VMFSKIT" stat --json whole "$folder" | jq -r '.files[0].fd // .entries[0].fd')
	next "a folder that the dump does not hold" 4 'the source does not hold the names in' "vmfskit map --ddrescue start '#$address'"
	printf '0x0 ?\n0x0 %#x +\n%#x 0x40000000 ?\n' "$end" "$end" >start.map
	run "$VMFSKIT" ls --mapfile start.map --volume 1 whole "$folder"
	next "such a folder by a mapfile" 4 'the source does not hold the names in' \
		"vmfskit map --ddrescue whole '#$address' --mapfile start.map --volume 1"
	run "$VMFSKIT" ls --mapfile start.map --volume 1 whole "$folder/none"
	has "a name that is not there" "$ERR" 'folder are not in the source|names in'
	run "$VMFSKIT" map --ddrescue start "#$address"
	is "the same blocks as by its path" "$(grep -v '^#' "$OUT")" "$("$VMFSKIT" map --ddrescue whole "$folder" | grep -v '^#')"
	told=1
	break
done
is "such a folder was found" "${told:-}" 1

# --- volumes that are not clear, or not there -------------------------------------------------------------------------
ok "two volumes" "$LAB" make --table gpt --volume size=2G,version=5 --volume size=2G,version=6,label=second two
run "$VMFSKIT" ls two
is "two volumes: exit code" "$CODE" 2
sed -n 's/^  \(vmfskit ls --volume .*\)/\1/p' "$ERR" >commands
is "two volumes: as many commands" "$(grep -c . commands)" 2
while read -r line; do ok "two volumes: $line" paste_it "$line"; done <commands
truncate -s 100M empty
run "$VMFSKIT" ls empty
next "no volume" 4 'no VMFS volume was found' 'vmfskit find empty'
cp --sparse=always whole hurt
dd if=/dev/zero of=hurt bs=512 seek=$((2048 + 34816 + 4096)) count=1 conv=notrunc status=none
run "$VMFSKIT" ls hurt
next "the descriptor of the file system is lost" 1 'the file-system descriptor of .* is lost' 'vmfskit doctor hurt' 1

# --- files ------------------------------------------------------------------------------------------------------------
small=$("$VMFSKIT" ls --json -R whole | jq -r 'first(.entries[] | select(.type == "file" and .size_bytes > 0 and .size_bytes < 60000).path)')
folder=$("$VMFSKIT" ls --json -R whole | jq -r 'first(.entries[] | select(.type == "dir").path)')
rdm=$("$VMFSKIT" ls --json -R whole | jq -r 'first(.entries[] | select(.type == "rdm").path)')
run "$VMFSKIT" stat whole /nothing
next "a name that is not there" 4 'no file "nothing" is in the root folder' 'vmfskit ls whole /'
run "$VMFSKIT" stat whole "$folder/nothing"
next "nor in a folder" 4 'no file "nothing" is in the folder' \
	"vmfskit ls whole '#$("$VMFSKIT" stat --json whole "$folder" | jq -r '.files[0].fd')'"
run "$VMFSKIT" cp whole "$small" "$folder" dest
is "cp of several" "$CODE" 2
has "cp of several: what to do" "$ERR" 'run it once for each PATH'
ok "a list of sums" "$VMFSKIT" cp --sums sums whole "$small" summed
run "$VMFSKIT" cp --sums sums whole "$small" other-copy
is "a second run does not replace the list of the first" "$CODE $(grep -c . sums)" "2 1"
has "a second run: what to do" "$ERR" 'choose another name for the list of sums, one for each run'
run "$VMFSKIT" cp whole "$folder" dest
next "cp of a folder" 2 'is a folder' -r 2
ok "cp -r" "$VMFSKIT" cp -r whole "$folder" dest
run "$VMFSKIT" cat whole "$rdm"
next "cat of a raw mapping" 1 'it has no bytes of its own' 'vmfskit stat' 2
run "$VMFSKIT" stat whole "$rdm"
has "stat names its LUN" "$OUT" 'naa\.|vml\.'
run "$VMFSKIT" cp whole "$small" no/such/folder/x
is "cp into a folder that is not there" "$CODE" 2
has "cp into a folder that is not there: what to do" "$ERR" 'make it first, with mkdir -p'
mkdir -p no/such/folder
ok "then it is copied" "$VMFSKIT" cp whole "$small" no/such/folder/x
run "$VMFSKIT" cp whole "$small" no/such/folder/x
is "the file exists" "$CODE" 2
has "the file exists: what to do" "$ERR" 'choose another name, or add --overwrite'
ok "it is replaced" "$VMFSKIT" cp --overwrite whole "$small" no/such/folder/x
empty=$("$VMFSKIT" ls --json -R whole | jq -r 'first(.entries[] | select(.type == "file" and .size_bytes == 0).path)')
run "$VMFSKIT" map --dmsetup whole "$empty"
next "no table of it" 1 'so it cannot be a device|an empty file cannot be a device' 'vmfskit map --dd' 2
ok "but a script" "$VMFSKIT" map --dd whole "$empty"
