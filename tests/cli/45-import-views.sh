# SPDX-License-Identifier: Apache-2.0
# import of what carries the disk, of longer sectors, of a rescue and of split dumps: the capture is that of the disk itself, says how it
# was read, and brings the disk back, never what it was read from.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
. "$(dirname "$0")/../wrap.sh"
PATH=$PATH:/usr/sbin:/sbin
need perl jq sfdisk sha256sum
collector=$ROOT/cron/vmfskit-collect.sh
cd "$TMP" || exit 1

"$LAB" make --vmfs 5 --table gpt --start 2048 --size 280M --live 0 --label lun gpt.img >/dev/null || exit 1
"$LAB" make --vmfs 3 --table mbr --start 128 --size 280M --live 0 --label old mbr.img >/dev/null || exit 1
size=$(stat -c %s gpt.img)
import() { run "$VMFSKIT" import --json "$@"; }
manifest() { echo "$(jq -r '.captures[0].path' "$OUT")/manifest.json"; }
# what a capture holds, and of how long a disk
held() { jq -c '[.source.kind, .source.table, .source.size_bytes, .regions]' "$1"; }
"$VMFSKIT" capture --json --store own gpt.img >cap.json || exit 1
gpt=$(held "$(jq -r '.captures[0].path' cap.json)/manifest.json")
# a disk without a GPT does not say where it ends: it is as long as its partition needs
"$VMFSKIT" capture --json --store own mbr.img >cap.json || exit 1
mbr=$(jq -c .regions "$(jq -r '.captures[0].path' cap.json)/manifest.json")

# same NAME FILE ... : what is imported is what a capture of the disk holds
same() {
	local name=$1
	shift
	import --store "s-$name" "$@"
	is "$name: import" "$CODE" 0
	is "$name: it is the disk" "$(held "$(manifest)")" "$gpt"
	id=$(jq -r '.captures[0].id' "$OUT")
}
# back NAME, of the import of last: the wiped table of the disk comes back from that capture, and nothing else changes
back() {
	copy_disk gpt.img back.img
	zero back.img 0 17408
	zero back.img $((size - 16896)) 16896
	ok "$1: restore to the disk" "$VMFSKIT" restore --store "s-$1" "$id" back.img --part table --write
	is "$1: it is what it was" "$(disk_sum back.img)" "$(disk_sum gpt.img)"
}
# keeps NAME FILE SAID: what it was read from takes none of it
keeps() {
	local before
	before=$(disk_sum "$2")
	run "$VMFSKIT" restore --json --store "s-$1" "$id" "$2" --override unidentified,size,lun --write
	is "$1: restore to what it was read from is refused" "$CODE" 3
	has "$1: for what that is" "$(jq -r '.objections[].guard' "$OUT")" "^(reading|foreign|disk-id|table-kind)$"
	has "$1: and it is said how the capture was read" "$(jq -r '.remarks[]' "$OUT")" "imported from $2,? .*$3"
	is "$1: nothing was written" "$(disk_sum "$2")" "$before"
	has "$1: RESTORE.txt says it as well" "s-$1/$id/RESTORE.txt" "^Read as  $2,? .*$3"
	has "$1: and what the target is" "s-$1/$id/RESTORE.txt" "TARGET is that disk, not what it was read from"
}

same raw gpt.img
is "raw: nothing is said of how it was read" "$(jq -c '.captures[0].read_as' "$OUT") $(jq -c '.imported.files[0] | keys' "$(manifest)")" \
	'null ["file","length_bytes","modified","sha256"]'
hasnt "raw: nor in RESTORE.txt" s-raw/*/RESTORE.txt "^Read as"
back raw

# ---- the disk lies in something else
for kind in md-1.2 lvm2 partition; do
	wrap $kind gpt.img $kind.img
	same $kind $kind.img
	at=$(jq '.imported.files[0].at_bytes' "$(manifest)")
	has "$kind: it is said where it lies" "$at" '^[1-9][0-9]+$'
	is "$kind: and what it is" "$(jq -r '.findings[].code' "$OUT")" source.carrier
	is "$kind: in words" "$(jq -r '.captures[0].read_as' "$OUT")" "$kind.img from byte $at on"
	is "$kind: the digest is that of the file as it came" "$(jq -r '.imported.files[0].sha256' "$(manifest)")" "$(sha256sum $kind.img | cut -c 1-64)"
	back $kind
	keeps $kind $kind.img "from byte $at on"
	same "$kind-at" --at "$at" $kind.img
	is "$kind: said by hand it is the same" "$(jq '.imported.files[0].at_bytes' "$(manifest)")" "$at"
done
wrap md-1.0 gpt.img md-1.0.img
same md-1.0 md-1.0.img
is "md 1.0: the superblock at its end is none of the disk's" "$(jq '.captures[0].size_bytes' "$OUT")" "$size"
back md-1.0
wrap md-1.2 mbr.img mbr-md.img
import --store mbr --at 1M mbr-md.img
is "a disk with an MBR" "$CODE $(jq -c .regions "$(manifest)")" "0 $mbr"
ok "goes back to its disk" "$VMFSKIT" restore --store mbr "$(jq -r '.captures[0].id' "$OUT")" mbr.img
import --store mbr --at 1M --disk-size 280M mbr-md.img
is "and its length can be said" "$(jq -c '.captures[0] | [.size_bytes, .size_certain]' "$OUT")" "[$((280 << 20)),true]"
ok "as text" "$VMFSKIT" import --store mbr --at 1M mbr-md.img
has "how it was read is said there, too" "$OUT" "^  read as   mbr-md.img from byte 1048576 on"
copy_disk gpt.img wiped.img
zero wiped.img 0 17408
zero wiped.img $((size - 16896)) 16896
wrap md-1.2 wiped.img wiped-md.img
for how in "" "--at 1M"; do
	# shellcheck disable=SC2086 # words
	import --store wiped $how wiped-md.img
	is "no table is left, $how: the mirror says how long the disk is" "$(jq -r '.captures[0].size_bytes' "$OUT")" "$size"
done
exits "from behind its end" 2 "$VMFSKIT" import --store none --at 1T md-1.2.img
wrap ddf gpt.img ddf.img
exits "a member whose disk is spread over others" 2 "$VMFSKIT" import --store none ddf.img
has "it is said what it is" "$ERR" "this is a member of a DDF RAID"
has "and what to do" "$ERR" "assemble the array"
ok "who knows better can say so" "$VMFSKIT" import --store better --as disk --disk-size "$(stat -c %s ddf.img)" ddf.img
wrap shift+4096 gpt.img shifted.img
exits "a copy that gained bytes" 2 "$VMFSKIT" import --store none shifted.img
has "why" "$ERR" "this is a copy that gained 4096 bytes"

# ---- longer sectors
wrap stride-520 gpt.img s520.img
same stride s520.img
is "stride: it is said" "$(jq -c '.imported.files[0].stride_bytes' "$(manifest)") $(jq -r '.findings[].code' "$OUT")" "520 source.stride"
back stride
keeps stride s520.img "of each 520 bytes the first 512"
same stride-by-hand --stride 520 s520.img
wrap md-1.2 gpt.img inner.img
wrap stride-520 inner.img both.img
same stride-at --stride 520 --at 1M both.img
is "stride and start: both are said" "$(jq -r '.captures[0].read_as' "$OUT")" "both.img, of each 520 bytes the first 512, of these from byte 1048576 on"
back stride-at

# ---- a rescue
printf '# Mapfile\n0 + 1\n0 %s +\n' "$size" >all.map
same mapfile --mapfile all.map gpt.img
is "mapfile: it is among the files" "$(jq -r '[.imported.files[].file] | join(" ")' "$(manifest)")" "gpt.img all.map"
is "mapfile: and named" "$(jq -r '.captures[0].read_as' "$OUT")" "gpt.img, as far as all.map says it was read"
header=$((2048 * 512 + 1048576))
printf '# Mapfile\n0 + 1\n0 %s +\n%s 4096 -\n%s %s +\n' $header $header $((header + 4096)) $((size - header - 4096)) >hole.map
import --store s-hole --mapfile hole.map gpt.img
is "what was not rescued is not in it" "$CODE $(jq -c '[.unreadable[] | [.offset_bytes, .length_bytes]]' "$(manifest)")" "1 [[$header,4096]]"
run "$VMFSKIT" restore --json --store s-hole "$(newest s-hole)" gpt.img --part lvm --write
is "and not restored" "$CODE $(jq -r '.objections[].guard' "$OUT" | grep -c unreadable)" "3 1"
exits "--mapfile is of one image" 2 "$VMFSKIT" import --store none --mapfile all.map gpt.img mbr.img
exits "a mapfile of another image" 2 "$VMFSKIT" import --store none --mapfile all.map table.dd gpt.img

# ---- split dumps
mkdir split gap
split -b 60M -d -a 3 --numeric-suffixes=1 gpt.img split/disk.
split -b 60M gpt.img split/img.
same split split/disk.00?
is "split: each piece is a file of its own" "$(jq -r '.imported.files[] | "\(.sha256)  \(.file)"' "$(manifest)")" "$(sha256sum split/disk.00?)"
has "split: it is said" "$(jq -r '.findings[] | "\(.code) \(.message)"' "$OUT")" "^source.joined 5 files were put together, up to split/disk.005$"
is "split: one capture, as the first piece is called" "$(jq -r '[.captures[].disk] | join(" ")' "$OUT")" "$TMP/split/disk.001"
back split
same split-first split/disk.001
same split-letters split/img.a?
ln split/disk.00[1245] gap/
import --store s-gap gap/disk.00?
is "a piece is missing" "$CODE" 1
has "it is named" "$(jq -r '.findings[] | select(.code == "source.piece-missing") | "\(.message) \(.offset) \(.length)"' "$OUT")" \
	"^1 piece is not there: disk.003 $((120 << 20)) $((60 << 20))$"
is "and what is needed is there" "$(jq -c .regions "$(manifest)")" "$(jq -c '.[3]' <<<"$gpt")"
exits "the first piece is missing" 4 "$VMFSKIT" import --store none gap/disk.00[245]
has "it is named as well" "$ERR" "the piece disk.001 is missing"
exits "pieces have one place" 2 "$VMFSKIT" import --store none --place 0 --place 60M split/disk.001 split/disk.002
has "it is said why" "$ERR" "the pieces of one dump; give them other names"

# ---- a collection says itself where its bytes belong
sh "$collector" -o collected "$TMP/gpt.img" >/dev/null 2>&1
tar cf collected.tar collected
for what in collected collected.tar; do
	exits "$what: not from some byte on" 2 "$VMFSKIT" import --store none --at 1M $what
	has "$what: why" "$ERR" "are of dumps, and this is what a collector wrote"
	ok "$what: else it is taken" "$VMFSKIT" import --store coll $what
done
ok "nothing that was refused began a store" test ! -e none
