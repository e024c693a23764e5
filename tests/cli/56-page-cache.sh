# SPDX-License-Identifier: Apache-2.0
# What is proved is read from the disk and not from the kernel's memory: the bytes that were just written, those that a plan
# goes by, and those of a capture. The disk below a mounted file system is altered, which its memory does not hear of.
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
disk=$TMP/mnt/disk.img
wreck() {
	copy_disk good.img "$disk"
	"$LAB" break --how table "$disk" >/dev/null
	rm -rf undo
	mkdir -m 700 undo
}
restore() { "$HOOKS" restore --store undo "$TMP/store/$id" "$disk" "$@"; }

# --- what was written
wreck
VMFSKIT_CRASH_LOG=$TMP/points ok "a restore" restore --write
hasnt "a restore: read past the cache" "$OUT" "only through its cache"
whole=$(disk_sum "$disk")
is "a restore: whole" "$whole" "$(disk_sum good.img)"
last=$(sed -n 's/^\([0-9]*\) after flush$/\1/p' points | tail -n 1)
for at in 100 516 1030; do
	wreck
	stops "$last" restore --store undo "$TMP/store/$id" "$disk" --write || continue
	alter "$disk" "$at"
	is "byte $at does not arrive on the disk: memory does not show it" "$(disk_sum "$disk")" "$whole"
	go_on
	is "byte $at does not arrive on the disk: found" $? 4
	has "byte $at does not arrive on the disk: told" bg.err "does not hold what was just written to it"
done

# a file system that cannot read past its cache, and one that says so only when it is read
if command -v strace >/dev/null; then
	wreck
	STRACE_OPTIONS="-P $disk -e trace=fcntl,fadvise64,pread64 -e inject=fcntl:error=EINVAL" run traced trace "$HOOKS" restore --store undo \
		"$TMP/store/$id" "$disk" --write
	is "no way past the cache: written" "$CODE $(disk_sum "$disk")" "0 $whole"
	has "no way past the cache: said" "$OUT" "^note: the file system reads this file only through its cache"
	has "no way past the cache: all of the file is dropped from it" trace 'fadvise64\([0-9]+, 0, 0, POSIX_FADV_DONTNEED'
	wreck
	STRACE_OPTIONS="-P $disk -e trace=fcntl,pread64" run traced trace "$HOOKS" restore --store undo "$TMP/store/$id" "$disk" --write
	first=$(awk '/F_SETFL.*O_DIRECT/ { print reads + 1; exit } /pread64/ { reads++ }' trace)
	wreck
	STRACE_OPTIONS="-P $disk -e trace=fcntl,fadvise64,pread64 -e inject=pread64:error=EINVAL:when=$first" run traced trace "$HOOKS" \
		restore --store undo "$TMP/store/$id" "$disk" --write
	is "no way past the cache, said when it is read: written" "$CODE $(disk_sum "$disk")" "0 $whole"
	has "no way past the cache, said when it is read: said" "$OUT" "^note: the file system reads this file only through its cache"
	is "no way past the cache, said when it is read: not tried again" "$(grep -c 'F_SETFL.*O_DIRECT' trace)" 1
	wreck
	STRACE_OPTIONS="-P $disk -e trace=fsync -e inject=fsync:error=EIO" run traced trace "$HOOKS" restore --store undo \
		"$TMP/store/$id" "$disk" --write
	is "a flush that fails" "$CODE" 4
	has "a flush that fails: what is read now may be wrong" "$ERR" "did not confirm .* read from memory what is not on the disk"
else
	skip "file systems that cannot read past their cache" "there is no strace"
fi

# --- what a plan goes by
copy_disk good.img "$disk"
rm -rf undo && mkdir -m 700 undo
sync -f "$disk"
cat "$disk" >/dev/null
alter "$disk" 516
cmp -s good.img "$disk"
is "memory shows the file as it was" $? 0
ok "a plan for it" restore
has "a plan for it: goes by the disk" "$OUT" "512 bytes: GPT header \(primary\)"
cat "$disk" >/dev/null
copy_disk good.img "$disk"
sync -f "$disk"
cat "$disk" >/dev/null
alter "$disk" 516
run "$VMFSKIT" repair table "$disk" --no-captures
has "a repair of it: goes by the disk" "$OUT" "GPT header \(primary\)"

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
