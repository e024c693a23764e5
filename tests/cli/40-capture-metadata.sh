#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The metadata of volumes in captures: verbs say the same from it as from the volume; links of unchanged nights; the limit, told before;
# damage of it, a store without room for it; restore has nothing to do with it.
. "$(dirname "$0")/../lib.sh"
need jq
cd "$TMP" || exit 1
: >none.conf
capture() { "$VMFSKIT" capture --config none.conf "$@"; }
newest() { captures "$1" | tail -n 1; }
size() { stat -c %s "$1"; }
recipe() { printf '%s\n' 'folder /vm' 'file /vm/vm.vmx size=3000' 'file /vm/a.vmdk size=500' 'file /vm/a-flat.vmdk size=400M fragments=4 content=zeros' \
	'file /vm/ptr size=40M stored=pointer-block data=0+1M,30M+2M' 'link /vm/l to=vm.vmx' 'folder /many entries=9' 'file /gone/x-flat.vmdk size=5M deleted' "$@"; }

# --- the same answers
all() { # SOURCE: what verbs say of the files
	local path
	"$VMFSKIT" ls -alR "$1" | sed 's/  \[.* of it not in the source\]$//'
	"$VMFSKIT" ls --disks --json "$1" | jq -c '.disks[] | [.path, .kind, .size_bytes]'
	"$VMFSKIT" ls -aR --json "$1" | jq -r '.entries[].path' >paths
	while read -r path; do
		"$VMFSKIT" map --json "$1" "$path" | jq -c '.extents[] | [.file_offset, .length, .kind, .device_offset]'
	done <paths
	"$VMFSKIT" stat --json "$1" /vm /vm/vm.vmx /vm/a-flat.vmdk | jq -c '.files[] | del(.missing_bytes, .missing, .source)'
	"$VMFSKIT" check --json "$1" | jq -c '.findings, (.phases[] | select(.name != "heartbeats and locks"))'
	"$VMFSKIT" cat "$1" /vm/vm.vmx | sha256sum
}
for version in 3 5 6; do
	recipe >r
	"$LAB" make --overwrite --vmfs $version --size 4G --live 1 --label m$version --files r v$version.img >/dev/null
	ok "VMFS$version is captured" capture --store st v$version.img
	bundle=$(echo "st/$(newest st)"/p1-metadata.bundle)
	has "VMFS$version: its metadata is named" "$OUT" '^  metadata of partition 1: [0-9.]+ MiB, packed [0-9.]+ KiB$'
	all v$version.img >whole 2>/dev/null
	all "$bundle" >few 2>/dev/null
	ok "VMFS$version: there is much to compare" test "$(wc -l <whole)" -gt 55
	same "VMFS$version: what is said of the files" whole few
	ok "VMFS$version: it is packed" test "$(size "$bundle")" -lt 200000
	exits "VMFS$version: contents of files are not in it" 4 "$VMFSKIT" cat "$bundle" /vm/a-flat.vmdk
	at_most=$(capture --json --store again v$version.img | jq -r '.captures[0].files_at_most | "\(.map_bytes) \(.metadata_bytes)"')
	ok "VMFS$version: told before: the map" test "${at_most% *}" -ge "$(size "st/$(newest st)/p1-files.map")"
	ok "VMFS$version: told before: the metadata" test "${at_most#* }" -ge "$(size "$bundle")"
done

# --- nights
first=$(newest st)
ok "the next night" capture --store st v6.img
second=$(newest st)
is "unchanged it is a link" "$(stat -c %i "st/$second/p1-metadata.bundle")" "$(stat -c %i "st/$first/p1-metadata.bundle")"
ok "a host is alive" "$LAB" beat v6.img
ok "and the night after" capture --store st v6.img
is "heartbeats do not change it" "$(stat -c %i "st/$(newest st)/p1-metadata.bundle")" "$(stat -c %i "st/$first/p1-metadata.bundle")"
ok "diff: nothing" "$VMFSKIT" diff --store st "$first" "$second"
is "the manifest has it" "$(jq -r '.metadata[0] | [.file, .scope, .unreadable_bytes, .faults] | join(" ")' "st/$first/manifest.json")" "p1-metadata.bundle all 0 0"
has "it is in SHA256SUMS" "st/$first/SHA256SUMS" ' p1-metadata.bundle$'
hasnt "no region of it" "st/$first/RESTORE.txt" metadata
ok "all verifies" "$VMFSKIT" verify --config none.conf --store st
ok "--no-files" capture --no-files --store without v5.img
is "leaves it out" "$(jq 'has("metadata")' "without/$(newest without)/manifest.json") $(ls "without/$(newest without)" | grep -c bundle)" "false 0"

# --- the limit
bundle=$(echo st/*v5.img/p1-metadata.bundle)
exits "too short for all" 1 capture --store limit --files-limit $(($(size "$bundle") - 1)) v5.img
has "it says so" "$OUT" 'warning capture\.files-limit: partition 1: its metadata would be longer than .*: bitmaps of blocks and small files are left out'
is "what leads to files is there" "$(jq -r '.metadata[0].scope' "limit/$(newest limit)/manifest.json")" leads
less=limit/$(newest limit)/p1-metadata.bundle
ok "it is shorter" test "$(size "$less")" -lt "$(size "$bundle")"
where() { "$VMFSKIT" map --json "$1" /vm/a-flat.vmdk | jq -c '[.extents[].device_offset]'; }
is "and leads to them" "$(where "$less")" "$(where v5.img)"
seq -f 'file /f%g size=600' 800 >r
"$LAB" make --overwrite --vmfs 5 --size 2G --label many --files r many.img >/dev/null
exits "too short for that" 1 capture --store limit --files-limit 4K many.img
has "nothing of it" "$OUT" 'partition 1: its metadata is not saved: it would be longer than 4 KiB'
is "no file of it" "$(ls limit/*-many.img* | grep -c bundle)" 0
ok "the limits verify" "$VMFSKIT" verify --config none.conf --store limit

# --- damage of it
flip() { chmod u+w "$1" && printf x | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
cp -a st broken
flip "broken/$second/p1-metadata.bundle" 300
exits "it was changed" 1 "$VMFSKIT" verify --config none.conf --store broken
has "verify: which, and how bad" "$OUT" 'warning capture\.file-map: p1-metadata\.bundle is not what was saved'
has "the capture is incomplete, not damaged" "$OUT" "broken/$second: incomplete"
rm "broken/$second/p1-metadata.bundle"
exits "it is lost" 1 "$VMFSKIT" verify --config none.conf --store broken
has "verify: it is missing" "$OUT" 'warning capture\.file-map: p1-metadata\.bundle: '
cp -a "st/$first" forged
chmod -R u+w forged
head -c 700 /dev/zero >forged/p1-metadata.bundle
sum=$(sha256sum <forged/p1-metadata.bundle | cut -d ' ' -f 1)
old=$(jq -r '.metadata[0].sha256' forged/manifest.json)
sed -i "s/$old/$sum/; /\"p1-metadata.bundle\"/,/sha256/s/\"length_bytes\": [0-9]*/\"length_bytes\": 700/" forged/manifest.json
(cd forged && find . -type f ! -name SHA256SUMS -printf '%f\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
chmod -R go-w forged
exits "one that is none, with digests that fit" 1 "$VMFSKIT" verify forged
has "verify reads it" "$OUT" 'warning capture\.file-map: p1-metadata\.bundle: '
if [ -x "$HOOKS" ]; then
	bad=$("$VMFSKIT" stat --json v5.img /vm/a-flat.vmdk | jq '.files[0].device_offset')
	VMFSKIT_TEST_BAD=$bad+512 exits "a bad sector in a descriptor" 1 "$HOOKS" capture --config none.conf --store bad v5.img
	has "it is said" "$OUT" 'warning capture\.files-unread: partition 1: 512 bytes of its metadata could not be read'
	is "and recorded" "$(jq '.metadata[0].unreadable_bytes' "bad/$(newest bad)/manifest.json")" 512
	ok "the headers are saved" "$VMFSKIT" verify --config none.conf --store bad
	VMFSKIT_TEST_BAD=1048576+512 exits "a bad sector in a header" 1 "$HOOKS" capture --config none.conf --store once --json v5.img
	is "is told once" "$(jq -c '[.findings[].code]' "$OUT")" '["capture.unreadable"]'
	is "and recorded for both" "$(jq -c '[.metadata[0].unreadable_bytes, .unreadable[0].length_bytes]' "once/$(newest once)/manifest.json")" "[512,512]"
else
	skip "a bad sector" "no test build"
fi

# --- restore
cp --sparse=always v6.img target.img
"$LAB" break --how header target.img >/dev/null
ok "restore" "$VMFSKIT" restore --config none.conf --store st "$second" target.img --write
undo=$(jq -r 'select(.purpose == "undo").id' st/*/manifest.json)
ok "the undo capture has none" test -n "$undo" -a ! -e "st/$undo/p1-metadata.bundle"
ok "undo" "$VMFSKIT" undo --config none.conf --store st "$undo" target.img
