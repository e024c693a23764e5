#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Benchmarks of reading files out of volumes: cat and cp of a dense file against dd of the same blocks, debugvmfs and vmfs-fuse, everything
# in one run, in memory, best of $REPEAT. The real VMFS3 volume; its largest file is filled with bytes that are no zeros.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bench_lib.sh"
[ -n "$SHARED" ] || { echo "no real volumes in ../shared: no benchmark of files"; exit 0; }

unpack "$SHARED/data/vmfs3-esx35-volume/partition.img.xz" "$dir/volume"
image=$dir/volume
file=$("$VMFSKIT" map --json "$image" /eagerzeroedthick-flat.vmdk | jq -r '.extents | select(length == 1)[0] | "\(.device_offset) \(.length)"')
offset=${file% *} length=${file#* }
openssl enc -aes-128-ctr -K 00 -iv 00 -nosalt -in /dev/zero 2>/dev/null | head -c "$length" |
	dd of="$image" bs=1M oflag=seek_bytes seek="$offset" iflag=fullblock conv=notrunc status=none
path=/eagerzeroedthick-flat.vmdk

by_dd() { dd if="$image" bs=1M iflag=skip_bytes,count_bytes skip="$offset" count="$length" status=none "$@"; }
dd_pipe() { by_dd | cat >/dev/null; }
dd_file() { rm -f "$dir/copy"; by_dd of="$dir/copy"; }
cat_pipe() { "$VMFSKIT" cat "$image" $path | cat >/dev/null; }
cp_file() { rm -f "$dir/copy"; "$VMFSKIT" cp "$image" $path "$dir/copy"; }
cp_sums() { rm -f "$dir/copy" "$dir/sums"; "$VMFSKIT" cp --sums "$dir/sums" "$image" $path "$dir/copy"; }
dd_sums() { rm -f "$dir/copy"; by_dd | tee "$dir/copy" | sha256sum; }
debugvmfs_pipe() { debugvmfs "$image" cat $path | cat >/dev/null; }
debugvmfs_file() { rm -f "$dir/copy"; debugvmfs "$image" cat $path >"$dir/copy"; }
fuse_cp() { rm -f "$dir/copy"; cp "$dir/mnt$path" "$dir/copy"; }

# NAME OURS THEIRS...
compare() {
	local name=$1 ours theirs told="" our_time
	shift
	best "$1"
	our_time=$best
	shift
	for theirs; do
		best "$theirs"
		told+="${told:+, }$(ratio $best $our_time) x $theirs ($(seconds $best))"
	done
	line "$name of $((length >> 20)) MiB" "$(seconds $our_time)" "$told"
}

have_fuse=
if type -P vmfs-fuse >/dev/null && mkdir "$dir/mnt" && vmfs-fuse "$image" "$dir/mnt" 2>/dev/null; then
	echo "$dir/mnt" >>"$TMP/.mounts"
	have_fuse=fuse_cp
fi
echo "speed of vmfskit, in multiples of the others"
compare "cat to a pipe" cat_pipe dd_pipe $(type -P debugvmfs >/dev/null && echo debugvmfs_pipe)
compare "cp to a file" cp_file dd_file $(type -P debugvmfs >/dev/null && echo debugvmfs_file) $have_fuse
compare "cp with SHA-256" cp_sums dd_sums
cmp "$dir/copy" <(by_dd) || exit 1
peak "$VMFSKIT" cat "$image" $path
line "peak memory of cat" "$peak_kib KiB" ""
rm -f "$dir/copy"
peak "$VMFSKIT" cp --sums "$dir/sums" --overwrite "$image" $path "$dir/copy"
line "peak memory of cp --sums" "$peak_kib KiB" ""
