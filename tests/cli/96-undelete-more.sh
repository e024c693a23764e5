#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# vmfskit undelete, what it must not claim: of a dump that does not reach the bytes, of a PATH that nobody knows.
. "$(dirname "$0")/../lib.sh"
need jq
cd "$TMP" || exit 1

# change v.img by the lines of a history
live() {
	printf '%s\n' "$@" >script
	"$LAB" history --script script v.img >/dev/null
}
"$LAB" make --vmfs 5 --size 2G v.img >/dev/null
live 'folder /vm' 'create /vm/vm-flat.vmdk 8M block' 'create /vm/keep 3M'
run "$VMFSKIT" capture --store st v.img
live 'delete /vm/vm-flat.vmdk'

# --- a dump that ends before the bytes
head -c 60M v.img >short.img
exits "short: the listing" 1 "$VMFSKIT" undelete --store st short.img
has "short: how much" "$OUT" '^8 MiB of them are not in this source, or cannot be read'
has "short: none of it is untouched here" "$OUT" '^untouched +8 MiB +0 bytes .* not in source +/vm/vm-flat\.vmdk$'
exits "short: the ranges" 1 "$VMFSKIT" undelete --store st short.img /vm
has "short: said of the file" "$OUT" '^  note +8 MiB of it cannot be read from this source, or are not in it$'
exits "short: the copy" 1 "$VMFSKIT" undelete --store st short.img /vm/vm-flat.vmdk out
has "short: what came" "$OUT" '-> out\.vmfskit-part: 8 MiB of it are not in the source$'
has "short: why" "$ERR" '8 MiB not in the source; what there is'
hasnt "short: nothing is called untouched" "$OUT" 'all of it is untouched'
hasnt "short: nothing is called reused" "$ERR" 'reused'
rm -f out*
exits "whole: the listing" 0 "$VMFSKIT" undelete --store st v.img
hasnt "whole: nothing is missing" "$OUT" 'not in'

# --- a PATH of which nobody knows anything
for path in /vm-typo /./x.vmdk /vm/vm-flat.vmd; do
	exits "nobody: $path" 4 "$VMFSKIT" undelete --store st v.img "$path"
	has "nobody: $path: said" "$ERR" "nothing that the captures know is gone at "
done
exits "nobody: JSON" 4 "$VMFSKIT" undelete --store st --json v.img /vm-typo
exits "a descriptor is no path" 2 "$VMFSKIT" undelete --store st v.img '#0x01000004'
exits "nothing is gone there" 0 "$VMFSKIT" undelete --store st v.img /vm/keep
hasnt "nothing to take out" "$OUT" 'to take out|Write nothing'
live 'folder /old' 'rename /vm/keep /old/kept' 'create /vm/keep 1M'
exits "renamed" 0 "$VMFSKIT" undelete --store st v.img /vm/keep
has "renamed: where it is" "$OUT" '^it was renamed: it is /old/kept now$'
exits "renamed: copied" 4 "$VMFSKIT" undelete --store st v.img /vm/keep out
has "renamed: copied: where it is" "$ERR" 'it was renamed: it is /old/kept now, and vmfskit cp copies it'

# --- a capture that is named by its path is believed if the ledger of the store knows it
id=$(captures st)
cp -a "st/$id" evil
chmod -R u+w evil
sed -i -E 's/^d 8388608 [0-9]+$/d 8388608 524288000/' evil/p1-files.map
sum=$(sha256sum evil/p1-files.map | cut -d ' ' -f 1)
old=$(sha256sum "st/$id/p1-files.map" | cut -d ' ' -f 1)
sed -i "s/$old/$sum/" evil/manifest.json evil/SHA256SUMS
before=$(sha256sum "st/$id/manifest.json" | cut -d ' ' -f 1)
after=$(sha256sum evil/manifest.json | cut -d ' ' -f 1)
sed -i "s/$before/$after/" evil/SHA256SUMS
ok "forged: the map is another" test "$old" != "$sum"
exits "forged: by its path" 4 "$VMFSKIT" undelete --store st --capture ./evil v.img
has "forged: why" "$ERR" 'note: capture evil is not asked: it is not vouched for'
exits "forged: nothing is copied" 4 "$VMFSKIT" undelete --store st --capture ./evil v.img /vm out
ok "forged: there is no copy" test ! -e out
mkdir stick
cp -a "st/$id" stick
exits "a copy that the ledger knows" 0 "$VMFSKIT" undelete --store st --capture "stick/$id" v.img
has "it is counted once" "$OUT" '^1 file is gone from the volume, as 1 capture knows it'
exits "the one in the store, by its path" 0 "$VMFSKIT" undelete --store st --capture "st/$id" v.img
has "it is counted once, too" "$OUT" '^1 file is gone from the volume, as 1 capture knows it'
exits "a copy that no ledger knows" 4 "$VMFSKIT" undelete --store none --capture "stick/$id" v.img
has "so it is said" "$ERR" 'is not asked: it is not vouched for'

# --- another file takes the blocks while the copy is made
VMFSKIT_CRASH_LOG=log "$HOOKS" undelete --store st v.img /vm/vm-flat.vmdk out >/dev/null 2>&1
n=$(grep -n 'extract: write' log | head -n 1 | cut -d : -f 1)
rm -f out*
VMFSKIT_STOP_AT=$n "$HOOKS" undelete --store st v.img /vm/vm-flat.vmdk out >bg.out 2>bg.err &
worker=$!
until grep -q '^State:[[:space:]]*T' /proc/$worker/status 2>/dev/null || ! kill -0 $worker 2>/dev/null; do sleep 0.05; done
live 'reuse /evil 2M'
kill -CONT $worker
wait $worker
is "written to meanwhile: the exit code" $? 1
has "written to meanwhile: said" bg.err 'note: the volume was written to during the copy: 1 file has less of it untouched than at its begin'
has "written to meanwhile: by whom" bg.out '^ +[0-9]+ +[0-9]+ +reused +by /evil, seen first today'
hasnt "written to meanwhile: it is not untouched" bg.out 'all of it is untouched'

# --- two files of one name, one after the other
rm -rf v.img* out* st
"$LAB" make --vmfs 5 --size 2G v.img >/dev/null
live 'folder /vm' 'create /vm/a 4M block'
run "$VMFSKIT" capture --store st v.img
first=$(captures st)
live 'delete /vm/a' 'create /vm/a 3M block'
sleep 1
run "$VMFSKIT" capture --store st v.img
live 'delete /vm/a'
exits "one name: the newer" 1 "$VMFSKIT" undelete --store st v.img /vm/a out
is "one name: its size" "$(stat -c %s out)" 3145728
has "one name: the other" "$ERR" "/vm/a: an older file of this name, 4 MiB long, is not copied; the same command with --capture $first and another DEST"
run "$VMFSKIT" undelete --store st --capture "$first" v.img /vm/a out2
is "one name: so it is had" "$(stat -c %s out2)" 4194304
exits "one name: the folder" 1 "$VMFSKIT" undelete --store st v.img /vm tree
has "one name: the folder: the other" "$ERR" "with --capture $first and another DEST"

# --- small files lie in their descriptors, which new files get: their bytes come from the capture
for version in 5 6; do
	ok "VMFS$version: a volume" "$LAB" make --overwrite --vmfs "$version" --size 2G small.img
	rm -rf small.img.history was-small out-small
	printf '%s\n' 'folder /vm' 'create /vm/vm.vmx 900 resident' 'create /vm/vm.nvram 500 resident' 'create /vm/x-flat.vmdk 3M block' >steps
	ok "VMFS$version: small files" "$LAB" history --script steps small.img
	ok "VMFS$version: what they are" "$VMFSKIT" cp -r small.img /vm was-small
	ok "VMFS$version: a night" "$VMFSKIT" capture --store "small-$version" small.img
	printf '%s\n' 'delete /vm/vm.vmx' 'delete /vm/vm.nvram' 'create /vm/new 300 resident' 'create /vm/new2 300 resident' >steps
	ok "VMFS$version: they are deleted, and new ones made" "$LAB" history --script steps small.img
	exits "VMFS$version: they come back" 0 "$VMFSKIT" undelete --store "small-$version" small.img /vm out-small
	same "VMFS$version: vm.vmx" was-small/vm.vmx out-small/vm.vmx
	same "VMFS$version: vm.nvram" was-small/vm.nvram out-small/vm.nvram
done
