#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Benchmarks of files in volumes: cat and cp of a dense file of $SIZE against dd of the same blocks, debugvmfs and
# vmfs-fuse, its bytes in the cache and dropped from it; ls -lR and check of 20 000 files against fsck.vmfs; peak memory.
# On a disk, so that there is a cache to drop; all in turn, best of $REPEAT. Everybody flushes the copy, as cp does.
REPEAT=${REPEAT:-3}
SIZE=${SIZE:-2G}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bench_lib.sh"
dir=$(mktemp -d /var/tmp/vmfskit-bench.XXXXXX) || exit 4
echo "$dir" >>"$TMP/.dirs"

path=/dense-flat.vmdk
image=$dir/volume
many=$dir/many
echo "file $path size=$SIZE content=pattern" >"$dir/recipe"
echo "folder /many entries=20000" >"$dir/recipe-many"
"$LAB" make --vmfs 5 --table none --size 20G --files "$dir/recipe" "$image" >/dev/null || exit 1
"$LAB" make --vmfs 5 --table none --size 20G --files "$dir/recipe-many" "$many" >/dev/null || exit 1
file=$("$VMFSKIT" map --json "$image" $path |
	jq -r '.extents | select(length == 1)[0] | "\(.device_offset) \(.length)"')
offset=${file% *} length=${file#* }

by_dd() { dd if="$image" bs=1M iflag=skip_bytes,count_bytes skip="$offset" count="$length" status=none "$@"; }
dd_pipe() { by_dd | cat >/dev/null; }
dd_file() { by_dd of="$dir/copy" conv=fsync; }
dd_sums() { by_dd | tee "$dir/copy" | sha256sum && sync "$dir/copy"; }
cat_pipe() { "$VMFSKIT" cat "$image" $path | cat >/dev/null; }
cp_file() { "$VMFSKIT" cp "$image" $path "$dir/copy"; }
cp_sums() { "$VMFSKIT" cp --sums "$dir/sums" "$image" $path "$dir/copy"; }
debugvmfs_pipe() { debugvmfs "$image" cat $path | cat >/dev/null; }
debugvmfs_file() { debugvmfs "$image" cat $path >"$dir/copy" && sync "$dir/copy"; }
fuse_cp() { cp "$dir/mnt$path" "$dir/copy" && sync "$dir/copy"; }
ls_many() { "$VMFSKIT" ls -lR "$many"; }
check_many() { "$VMFSKIT" check "$many"; }
fsck_many() { fsck.vmfs "$many"; }

# a virtual machine gives memory that is free for two seconds back to its host, and who needs it next waits for each page (7 times the
# processor time of dd, measured): everybody begins with memory that is there
touched() { by_dd of="$dir/touched"; rm -f "$dir/touched"; }
warm() { rm -f "$dir/copy" "$dir/sums"; touched; by_dd of=/dev/null; }
dropped() { rm -f "$dir/copy" "$dir/sums"; touched; drop "$image"; }
many_warm() { check_many >/dev/null; }
many_dropped() { drop "$many"; }
drop() { dd of="$1" oflag=nocache conv=notrunc,fdatasync count=0 status=none; }

# BEFORE WHAT OURS THEIRS...
compare() {
	local before=$1 what=$2 theirs
	shift 2
	race "$before" "$@"
	line "$what, cache ${before#many_}" "$(seconds ${wall[$1]})" "$(seconds ${cpu[$1]}) of processors"
	for theirs in "${@:2}"; do
		line "    $theirs" "$(seconds ${wall[$theirs]})" \
			"$(ratio ${wall[$theirs]} ${wall[$1]}) x, of processors $(ratio ${cpu[$theirs]} ${cpu[$1]}) x"
	done
}

have_fuse="" have_debugvmfs=""
if type -P vmfs-fuse >/dev/null && mkdir "$dir/mnt" && vmfs-fuse "$image" "$dir/mnt" 2>/dev/null; then
	echo "$dir/mnt" >>"$TMP/.mounts"
	have_fuse=fuse_cp
fi
! type -P debugvmfs >/dev/null || have_debugvmfs=1
echo "files: speed of vmfskit, in multiples of the others, best of $REPEAT"
for before in warm dropped; do
	compare $before "cat of $SIZE to a pipe" cat_pipe dd_pipe ${have_debugvmfs:+debugvmfs_pipe}
	compare $before "cp of $SIZE to a file" cp_file dd_file ${have_debugvmfs:+debugvmfs_file} $have_fuse
	compare $before "cp of $SIZE with SHA-256" cp_sums dd_sums
	cmp "$dir/copy" <(by_dd) || exit 1
done
for before in many_warm many_dropped; do
	compare $before "ls -lR of 20 000 files" ls_many ${have_debugvmfs:+fsck_many}
	compare $before "check of 20 000 files" check_many ${have_debugvmfs:+fsck_many}
done
warm
peak "$VMFSKIT" cat "$image" $path
line "peak memory of cat" "$peak_kib KiB" ""
peak "$VMFSKIT" cp "$image" $path "$dir/copy"
line "peak memory of cp" "$peak_kib KiB" ""
peak "$VMFSKIT" cp --sums "$dir/sums" --overwrite "$image" $path "$dir/copy"
line "peak memory of cp --sums" "$peak_kib KiB" ""
peak "$VMFSKIT" ls -lR "$many"
line "peak memory of ls -lR of 20 000 files" "$peak_kib KiB" ""
peak "$VMFSKIT" check "$many"
line "peak memory of check of 20 000 files" "$peak_kib KiB" ""
