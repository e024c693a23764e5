#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Benchmarks of find: the whole of a dense disk against dd, grep and testdisk, a disk of holes, the first answer, the
# memory. Ratios of one run; no verdict depends on a time.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bench_lib.sh"
PATH=$PATH:/usr/sbin:/sbin
MAGIC='\x0D\xD0\x01\xC0'
GREP_KIB=$((4 << 20)) # memory that grep may take

scan() { "$VMFSKIT" find --no-store "$1"; }
likely() { "$VMFSKIT" find --no-store --likely "$1"; }
read_direct() { dd if="$1" of=/dev/null bs=4M iflag=direct status=none; }
read_cached() { dd if="$1" of=/dev/null bs=1M status=none; }
# into a pipe: where nobody reads it grep ends at the first hit; to have found none is no failure
search_with_grep() {
	(set -o pipefail; ulimit -v $GREP_KIB; { LC_ALL=C timeout 60 grep -obUaP "$MAGIC" "$1" || [ $? -eq 1 ]; } | cat)
}
search_with_testdisk() { # in a scratch folder: it leaves a log
	(cd "$TMP" && timeout 60 testdisk /log /cmd "$1" partition_gpt,analyze,search </dev/null)
}

once() { # CMD...: its time in $us
	local t0
	t0=$(now_us)
	"$@" >/dev/null 2>&1
	us=$(($(now_us) - t0))
}
# compare NAME CMD... SOURCE: another way and find in turns, so that a busy machine is as busy for both
compare() {
	local name=$1 i ours= theirs= us
	shift
	if ! "$@" >/dev/null 2>"$TMP/why"; then
		line "  $name" "" "fails: $(tail -n 1 "$TMP/why" | cut -c 1-60)"
		return
	fi
	for ((i = 0; i < REPEAT; i++)); do
		once scan "${@: -1}"
		[ -n "$ours" ] && [ "$us" -ge "$ours" ] || ours=$us
		once "$@"
		[ -n "$theirs" ] && [ "$us" -ge "$theirs" ] || theirs=$us
	done
	line "  $name" "$(seconds "$theirs")" "find ($(seconds "$ours")) has $(ratio "$theirs" "$ours") x its rate"
}

# told NAME SOURCE: find on all of it, its first answer and its memory
told() {
	best scan "$2"
	found=$best
	peak "$VMFSKIT" find --no-store "$2"
	line "find on $1" "$(seconds "$found")" "peak memory $peak_kib KiB"
	best likely "$2"
	line "  the likely places" "$(seconds "$best")" "$(first_answer "$2") after the start of a whole search"
}
first_answer() { scan "$1" 2>&1 | sed -n 's/^Likely places, after \(.*\):$/\1/p'; }

# --- 2 GiB without a hole: one volume, the rest random -----------------------------------------------
size=2147483648
"$LAB" make --table gpt --size $size --volume start=2048,version=5 "$dir/lab" >/dev/null || exit 1
cp --sparse=never "$dir/lab" "$dir/dense"
dd if=/dev/urandom of="$dir/dense" bs=1M seek=64 count=$((size / 1048576 - 65)) conv=notrunc status=none
rm -f "$dir/lab"
told "2 GiB without holes, a file in memory" "$dir/dense"
compare "dd bs=4M iflag=direct" read_direct "$dir/dense"
compare "dd bs=1M" read_cached "$dir/dense"
compare "grep -obUaP for one magic" search_with_grep "$dir/dense"
if command -v testdisk >/dev/null; then
	compare "testdisk, analyze and search as GPT" search_with_testdisk "$dir/dense"
else
	line "  testdisk" "" "is not installed"
fi
if [ "$(id -u)" -eq 0 ] && device=$(loop_attach "$dir/dense" -r 2>/dev/null); then
	told "the same as a block device" "$device"
	compare "dd bs=4M iflag=direct" read_direct "$device"
	compare "dd bs=1M" read_cached "$device"
	loop_detach "$device"
fi
rm -f "$dir/dense"

# --- 64 TB of holes with a volume's metadata ----------------------------------------------------------
for version in 5 6; do
	"$LAB" make --table gpt --size 64T --volume "start=2048,version=$version" "$dir/sparse" >/dev/null || exit 1
	told "64 TB of holes with a VMFS$version volume" "$dir/sparse"
	[ $version = 5 ] || compare "grep -obUaP, with $((GREP_KIB >> 20)) GiB of memory" search_with_grep "$dir/sparse"
	rm -f "$dir/sparse"
done
