#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# vmfskit undelete: a deleted virtual machine comes back byte for byte, what was reused since is named range by range; DEST on the disk
# that is read is refused; a copy that was cut goes on; which captures are asked.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
. "$(dirname "$0")/../vmfs_writer.sh"
need jq
cd "$TMP" || exit 1
PATH=$PATH:/usr/sbin:/sbin

# "path verdict; ..." of what is gone
verdicts() { jq -r '.files | sort_by(.path)[] | "\(.path) \(.verdict)"' "$OUT" | tr '\n' ';'; }
# "file-offset length state by; ..." of a file
ranges() { jq -r --arg path "$1" '.files[] | select(.path == $path) | .ranges[] | "\(.file_offset) \(.length) \(.state) \(.by // "-")"' "$OUT" | tr '\n' ';'; }
# of each block of a file: where it is in the file, where on the volume
blocks() { jq -r '.extents[] | select(.kind == "data") | "\(.file_offset) \(.length) \(.volume_offset)"' | awk '{ for (i = 0; i < $2; i += 1048576) printf "%d %d\n", $1 + i, $3 + i }'; }
sum() { sha256sum <"$1" | cut -d ' ' -f 1; }

for version in 3 5 6; do
	rm -rf v.img* st truth out
	"$LAB" make --overwrite --vmfs $version --size 2G --label ds7 v.img >/dev/null
	printf '%s\n' 'folder /vm' 'create /vm/vm.vmdk 500' 'create /vm/vm-flat.vmdk 40M' 'create /vm/note 9000' 'create /keep 3M' >script
	"$LAB" history --script script v.img >/dev/null
	ok "VMFS$version: a capture" "$VMFSKIT" capture --store st v.img
	id=$(captures st)
	exits "VMFS$version: nothing is gone" 0 "$VMFSKIT" undelete --store st --json v.img
	is "VMFS$version: so it says" "$(verdicts)" ""
	"$VMFSKIT" cp -r v.img /vm truth >/dev/null 2>&1
	"$VMFSKIT" map --json v.img /vm/vm-flat.vmdk | blocks >ours
	printf 'delete /vm/vm-flat.vmdk\n' >script
	"$LAB" history --script script v.img >/dev/null
	exits "VMFS$version: a disk is gone" 0 "$VMFSKIT" undelete --store st --json v.img
	is "VMFS$version: which" "$(verdicts)" "/vm/vm-flat.vmdk untouched;"
	is "VMFS$version: known from, size, dest" "$(jq -r '.files[0] | "\(.known_from) \(.size_bytes) \(.dest) \(.sha256)"' "$OUT")" "$id 41943040 null null"
	is "VMFS$version: last seen" "$(jq -r '.files[0].last_seen' "$OUT")" "$(jq -r .time "st/$id/manifest.json")"
	is "VMFS$version: its range" "$(ranges /vm/vm-flat.vmdk)" "0 41943040 untouched -;"
	exits "VMFS$version: taken out alone" 0 "$VMFSKIT" undelete --store st --json v.img vm//vm-flat.vmdk out
	is "VMFS$version: where and what" "$(jq -r '.files[0] | "\(.dest) \(.sha256)"' "$OUT")" "out $(sum truth/vm-flat.vmdk)"
	same "VMFS$version: byte for byte" out truth/vm-flat.vmdk
	ok "VMFS$version: no map stays" test ! -e out.vmfskit-map
	rm out
	mkdir out
	exits "VMFS$version: the folder" 0 "$VMFSKIT" undelete --store st --sums sums v.img /vm out
	same "VMFS$version: the folder: byte for byte" out/vm/vm-flat.vmdk truth/vm-flat.vmdk
	ok "VMFS$version: the sums" sha256sum -c --quiet sums
	is "VMFS$version: what is there has its descriptor still: none is made" "$(ls -A out out/vm | tr '\n' ' ')" "out: vm  out/vm: vm-flat.vmdk "
	exits "VMFS$version: once more" 4 "$VMFSKIT" undelete --store st v.img /vm/note out/note
	has "VMFS$version: what is there is no matter of undelete" "$ERR" 'nothing that the captures know is gone at /vm/note'
	has "VMFS$version: but of cp" "$ERR" 'it is in the volume: vmfskit cp copies it'
	rm -f sums
	printf 'reuse /other 10M\n' >script
	"$LAB" history --script script v.img >/dev/null
	exits "VMFS$version: another file took blocks of it" 1 "$VMFSKIT" undelete --store st --json v.img /vm
	is "VMFS$version: the verdict" "$(verdicts)" "/vm/vm-flat.vmdk partly-reused;"
	"$VMFSKIT" map --json v.img /other | blocks | cut -d ' ' -f 2 | sort >theirs
	is "VMFS$version: exactly the blocks that the other file has are reused, by that one" \
		"$(jq -r '.files[0].ranges[] | select(.state == "reused" and .by == "/other" and .since == "today") | "\(.file_offset) \(.length)"' "$OUT" |
			while read -r from length; do seq "$from" 1048576 $((from + length - 1)); done | tr '\n' ' ')" \
		"$(while read -r from place; do ! grep -qx "$place" theirs || echo "$from"; done <ours | tr '\n' ' ')"
	ok "VMFS$version: these are some" test -s theirs
	run "$VMFSKIT" undelete --store st --json v.img /vm
	jq -r '.files[0].ranges[] | select(.state == "reused") | "\(.file_offset) \(.length)"' "$OUT" >reused
	jq -r '.files[0].ranges[] | select(.state != "reused") | "\(.file_offset) \(.length)"' "$OUT" >rest
	rm -rf out
	exits "VMFS$version: what is left" 1 "$VMFSKIT" undelete --store st --json v.img /vm/vm-flat.vmdk out
	is "VMFS$version: it is not whole" "$(jq -r '.files[0] | "\(.dest) \(.sha256)"' "$OUT")" "out.vmfskit-part null"
	cp --sparse=always truth/vm-flat.vmdk should
	while read -r from length; do fallocate -p -o "$from" -l "$length" should; done <reused
	same "VMFS$version: reused ranges are holes, the rest is equal" out.vmfskit-part should
	is "VMFS$version: the map beside it has them" "$(while read -r from length state; do [ "$state" != - ] || echo "$((from)) $((length))"; done <out.vmfskit-map)" "$(cat reused)"
	rm -f out.*
	exits "VMFS$version: with what lies there now" 1 "$VMFSKIT" undelete --with-reused --store st v.img /vm/vm-flat.vmdk out
	has "VMFS$version: with them: who has it" "$OUT" 'reused +by /other, seen first today'
	differs=
	while read -r from length; do cmp -s -i "$from" -n "$length" out truth/vm-flat.vmdk || differs+="$from "; done <rest
	is "VMFS$version: with them: the rest is equal" "$differs" ""
	ok "VMFS$version: with them: the map stays" test -s out.vmfskit-map
	rm -f out*
	# the night after knows nothing of it: the older capture is asked, and the new one says who has it
	sleep 1
	ok "VMFS$version: the night after" "$VMFSKIT" capture --store st v.img
	new=$(captures st | tail -n 1)
	run "$VMFSKIT" undelete --store st --json v.img
	is "VMFS$version: which night shows it first" "$(jq -r '[.files[0].ranges[] | select(.state == "reused") | .since] | unique | join(" ")' "$OUT")" "$(jq -r .time "st/$new/manifest.json")"
	is "VMFS$version: and what is known from" "$(jq -r '.files[0].known_from' "$OUT")" "$id"
	exits "VMFS$version: by the new capture nothing is gone" 0 "$VMFSKIT" undelete --store st --capture "$new" --json v.img
	is "VMFS$version: by it" "$(verdicts)" ""
	run "$VMFSKIT" undelete --store st --from "$id" --json v.img
	is "VMFS$version: from the old one on" "$(verdicts)" "/vm/vm-flat.vmdk partly-reused;"
done

# --- a volume that was rolled back to a snapshot of the array, and lives on: nothing of what the capture knows is proved
for version in 3 5 6; do
	rm -rf a.img* b.img* old old-c*
	"$LAB" make --vmfs $version --size 2G a.img >/dev/null
	printf 'create /keep.vmdk 3M block\n' >script
	"$LAB" history --script script a.img >/dev/null
	cp --sparse=always a.img b.img
	cp a.img.history b.img.history
	printf '%s\n' 'create /a 30M block' 'create /b 60M block' 'create /c 3M block' >script
	"$LAB" history --script script a.img >/dev/null
	run "$VMFSKIT" capture --store old a.img
	id=$(captures old)
	printf '%s\n' 'create /other 30M block' 'delete /other' >script
	"$LAB" history --script script b.img >/dev/null
	exits "VMFS$version: rolled back" 1 "$VMFSKIT" undelete --store old --json b.img
	is "VMFS$version: rolled back: nothing is untouched" "$(verdicts)" "/a unknown;/b unknown;/c unknown;"
	is "VMFS$version: rolled back: why" "$(jq -r '[.older_than, (.files[].ranges[] | .state, .why)] | unique | join("; ")' "$OUT")" \
		"$id; the volume is older than that capture: it was rolled back, or is a copy; unknown"
	exits "VMFS$version: rolled back: one of them" 1 "$VMFSKIT" undelete --store old b.img /b
	is "VMFS$version: rolled back: said once" "$(grep -c "^the volume is older than capture $id: it was rolled back, or is a copy" "$OUT")" 1
	exits "VMFS$version: rolled back: copied" 1 "$VMFSKIT" undelete --store old b.img /c old-c
	has "VMFS$version: rolled back: said of the copy" "$ERR" "note: the volume is older than capture $id"
	exits "VMFS$version: the other line of time" 0 "$VMFSKIT" undelete --store old --json a.img
	is "VMFS$version: it is not older" "$(jq -r '.older_than' "$OUT")" null
done
rm -rf old old-c*

# --- UNMAP: what had blocks and is zeros now is told of the copy; holes are not, and neither are blocks that are zeros in part
rm -rf u.img* unmap whole
"$LAB" make --vmfs 6 --size 2G u.img >/dev/null
printf '%s\n' 'folder /vm' 'create /vm/disk 9000000 block' 'create /vm/thin 9M thin' 'write /vm/thin 4M 1M' >script
"$LAB" history --script script u.img >/dev/null
run "$VMFSKIT" capture --store unmap u.img
first=$("$VMFSKIT" map --json u.img /vm/disk | jq '.extents[0].device_offset')
printf '%s\n' 'delete /vm/disk' 'delete /vm/thin' >script
"$LAB" history --script script u.img >/dev/null
exits "UNMAP: before" 0 "$VMFSKIT" undelete --store unmap --json u.img /vm whole
is "UNMAP: before: no zeros" "$(jq -r '.files[] | "\(.path) \(.zero_bytes)"' "$OUT" | tr '\n' ';')" "/vm/disk 0;/vm/thin 0;"
COLUMNS=400 run "$VMFSKIT" undelete --store unmap u.img
has "UNMAP: the list warns of it" "$OUT" 'ESX gives freed blocks of this volume back to the array \(UNMAP\)'
for how in -p -z; do # a hole in the image, and zeros that are written
	fallocate $how -o $((first + 1000)) -l 3145728 u.img
	exits "UNMAP $how: three MiB, not at their begin" 1 "$VMFSKIT" undelete --store unmap u.img /vm/disk part$how
	has "UNMAP $how: two of them count" "$OUT" 'all of it is untouched; 2 MiB of it are zeros: never written, or given back by UNMAP$'
	rm part$how
done
fallocate -p -o "$first" -l 9437184 u.img
exits "UNMAP: all" 1 "$VMFSKIT" undelete --store unmap --sums sums --json u.img /vm/disk all
is "UNMAP: all: all of it" "$(jq -r '.files[0] | "\(.verdict) \(.zero_bytes)"' "$OUT")" "untouched 9000000"
exits "UNMAP: all: compared" 1 "$VMFSKIT" undelete --store unmap --resume --json u.img /vm/disk all
is "UNMAP: all: compared: the same" "$(jq -r '.files[0].zero_bytes' "$OUT")" 9000000
rm -rf all sums whole* unmap u.img*

# --- the descriptor is lost, too: one is made; a copy that is cut goes on
printf 'delete /vm/vm.vmdk\n' >script
"$LAB" history --script script v.img >/dev/null
rm -rf p.img* part st
"$LAB" make --overwrite --vmfs 6 --size 2G --label ds8 p.img >/dev/null
printf '%s\n' 'folder /vm' 'create /vm/vm-flat.vmdk 40M' >script
"$LAB" history --script script p.img >/dev/null
"$VMFSKIT" cp p.img /vm/vm-flat.vmdk truth-flat >/dev/null 2>&1
run "$VMFSKIT" capture --store st p.img
printf 'create /vm/vm.vmdk 500\ndelete /vm/vm-flat.vmdk\ndelete /vm/vm.vmdk\n' >script
"$LAB" history --script script p.img >/dev/null
exits "a lost descriptor" 0 "$VMFSKIT" undelete --store st p.img /vm rescue
has "a descriptor is made" rescue/vm.vmdk '^RW 81920 VMFS "vm-flat.vmdk"$'
has "it is told" "$ERR" 'rescue/vm\.vmdk was made; guessed in it: CID'
same "its flat file" rescue/vm-flat.vmdk truth-flat
is "nothing else is left" "$(ls -A rescue . | grep vmfskit)" ""
# killed while it writes the large file
VMFSKIT_CRASH_LOG=log "$HOOKS" undelete --store st p.img /vm cut >/dev/null 2>&1
n=$(grep -n 'extract: write' log | tail -n 1 | cut -d : -f 1)
rm -rf cut
VMFSKIT_CRASH_AT=$n "$HOOKS" undelete --store st p.img /vm cut >/dev/null 2>&1
ok "a cut leaves a part and its map" test -e cut/vm-flat.vmdk.vmfskit-part -a -e cut/vm-flat.vmdk.vmfskit-map
exits "what was begun is not replaced" 2 "$VMFSKIT" undelete --store st p.img /vm cut
exits "it goes on" 0 "$VMFSKIT" undelete --resume --store st p.img /vm cut
same "what was cut is whole" cut/vm-flat.vmdk truth-flat
is "and nothing else is left" "$(ls -A cut . | grep vmfskit)" ""
rm -rf cut
exits "DEST is the disk itself" 3 "$VMFSKIT" undelete --overwrite --store st p.img /vm/vm-flat.vmdk p.img
exits "once more it is refused" 2 "$VMFSKIT" undelete --store st p.img /vm/vm-flat.vmdk rescue/vm-flat.vmdk
exits "with --resume it is compared" 0 "$VMFSKIT" undelete --resume --store st p.img /vm/vm-flat.vmdk rescue/vm-flat.vmdk
has "it is the same" "$OUT" '1 of them was there and holds the bytes of the source'
COLUMNS=80 run "$VMFSKIT" undelete --store st p.img
has "the next command" "$OUT" '^  vmfskit undelete --store st p\.img /vm /rescue$'
has "the listing" "$OUT" '^untouched +40 MiB +all +20[0-9-]+ [0-9:]+ +/vm/vm-flat\.vmdk$'
ok "the listing fits" test "$(grep -v '^  vmfskit' "$OUT" | wc -L)" -le 80
exits "no store" 4 "$VMFSKIT" undelete --store none p.img
"$VMFSKIT" capture --no-files --store bare p.img >/dev/null
exits "no map" 4 "$VMFSKIT" undelete --store bare p.img
has "no map: why" "$ERR" 'no capture in this store has a map of the files of volume'
exits "options for a copy alone" 2 "$VMFSKIT" undelete --resume --store st p.img /vm
exits "two ways to choose" 2 "$VMFSKIT" undelete --capture latest --from latest --store st p.img
cp -a st forged
chmod -R u+w forged
sed -i 's/vm-flat/vm-flax/' forged/*/p1-files.map
exits "a map that was changed is not asked" 4 "$VMFSKIT" undelete --store forged p.img
has "it is named" "$ERR" 'note: capture .* is not asked: its map of files is damaged'

# --- a real volume: truncate stands for the deletion that clears pointers, a copy for what comes over it
if [ -z "$SHARED" ]; then
	skip "the real VMFS3" "no ../shared/data"
elif ! writers; then
	skip "the real VMFS3" "$writers_why"
else
	mv "$(real_partition)" volume.img
	head -c 40000000 /dev/urandom >disk
	ok "real: a disk" wrote volume.img copy_file disk /lost-flat.vmdk
	ok "real: capture" "$VMFSKIT" capture --store real volume.img
	ok "real: truncated" wrote volume.img truncate /lost-flat.vmdk 0
	run "$VMFSKIT" undelete --store real --json volume.img /lost-flat.vmdk back
	is "real: untouched" "$CODE $(jq -r '.files[0] | "\(.verdict) \(.sha256)"' "$OUT")" "0 untouched $(sum disk)"
	same "real: every byte" back disk
	head -c 7000000 /dev/urandom >over
	ok "real: another file" wrote volume.img copy_file over /over
	run "$VMFSKIT" undelete --store real --json volume.img /lost-flat.vmdk
	is "real: exactly its blocks are reused" "$CODE $(jq -r '.files[0] | .verdict, ([.ranges[] | select(.state == "reused") | .by] | unique | join(" ")),
		([.ranges[] | select(.state == "reused") | .length] | add)' "$OUT" | tr '\n' ' ')" "1 partly-reused /over $(((7000000 + 1048575) / 1048576 * 1048576)) "
fi
