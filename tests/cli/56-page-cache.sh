# SPDX-License-Identifier: Apache-2.0
# What is proved is read from the disk and not from the kernel's memory: the bytes of a capture. The disk below a mounted file system is altered, which its memory does not hear of.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need_root
need perl mkfs.ext4 filefrag
cd "$TMP" || exit 1
truncate -s 1G below.img
mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 below.img >/dev/null 2>&1 || exit 1
mkdir mnt
if ! loop=$(loop_attach below.img) || ! mount "$loop" mnt 2>/dev/null; then
	skip "the rest of this test" "a file system cannot be mounted here"
	exit 0
fi
echo "$TMP/mnt" >>"$TMP/.mounts"

# alter FILE OFFSET: flip a bit of that byte of a file in mnt, on the disk only
alter() {
	local at sector
	sync -f "$1"
	sector=$(filefrag -b512 -v "$1" | perl -ne '
		BEGIN { $want = int($ARGV[0] / 512); @ARGV = () }
		if (/^\s*\d+:\s*(\d+)\.\.\s*(\d+):\s*(\d+)\.\./ && $1 <= $want && $want <= $2) { print $3 + $want - $1 }' "$2")
	[ -n "$sector" ] || { fail "byte $2 of $1 lies somewhere"; return 1; }
	at=$((sector * 512 + $2 % 512))
	perl -e 'open(F, "+<", $ARGV[0]) or die; binmode F; seek F, $ARGV[1], 0; read F, $b, 1; seek F, $ARGV[1], 0; print F chr(ord($b) ^ 1)' \
		below.img "$at"
}

"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 300M good.img >/dev/null || exit 1
"$VMFSKIT" capture --store store good.img >/dev/null || exit 1
id=$(newest store)

# --- what a capture holds
for file in head-s34.raw manifest.json SHA256SUMS RESTORE.txt; do
	rm -rf mnt/store
	cp -a store mnt/store
	folder=mnt/store/$id
	[ -e "$folder/$file" ] || file=$(cd "$folder" && ls -- *.raw | head -n 1)
	ok "$file: sound" "$VMFSKIT" verify --store mnt/store
	cat "$folder"/* >/dev/null
	alter "$folder/$file" 20
	cmp -s "store/$id/$file" "$folder/$file"
	is "$file rotted: memory does not show it" $? 0
	exits "$file rotted: found" 1 "$VMFSKIT" verify --store mnt/store
done
