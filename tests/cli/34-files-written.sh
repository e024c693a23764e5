#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Files and folders that vmfs-tools writes into copies of real volumes and of practice volumes, and removes there: each is read as it
# was written, and check finds nothing but what vmfs-tools itself leaves wrong.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
. "$(dirname "$0")/../vmfs_writer.sh"
need jq perl mountpoint
writers || { skip "files of another writer" "$writers_why"; exit 0; }
cd "$TMP" || exit 1
umask 022

# the same in volume.img and in the folder "truth"; $lost counts the files that outgrew a sub-block
both_copy() { # SIZE PATH
	head -c "$1" /dev/urandom >"truth$2"
	wrote volume.img copy_file "truth$2" "$2" && chmod 644 "truth$2"
	[ "$1" -le "$sub_block" ] || lost=$((lost + 1))
}
both_folder() { wrote volume.img mkdir "$1" && mkdir -m 755 "truth$1"; }
both_mode() { wrote volume.img chmod "$2" "0$1" && chmod "$1" "truth$2"; }
both_size() { wrote volume.img truncate "$2" "$1" && truncate -s "$1" "truth$2"; }

# of files and folders below /written: kind, mode, owner, size of files, path
listed() {
	"$VMFSKIT" ls -R --json volume.img /written 2>/dev/null | jq -r '.entries[] |
		"\(if .type == "dir" then "d" else "f" end) \(.mode | ltrimstr("0")) \(.uid) \(.gid) \(if .type == "dir" then "-" else .size_bytes end) \(.path)"' | sort
}
# NAME: all of it as in "truth"
compared() {
	local path
	is "$1: kinds, modes, owners, sizes" "$(listed)" \
		"$(cd truth && find written -mindepth 1 \( -type d -printf 'd %m %U %G - /%p\n' -o -printf 'f %m %U %G %s /%p\n' \) | sort)"
	rm -rf copy
	ok "$1: cp takes all out" "$VMFSKIT" cp -r volume.img /written copy
	ok "$1: the same files and bytes" diff -r truth/written copy
	for path in $(cd truth && find written -type f -size -100k | sort | sed -n '1~7p'); do
		run "$VMFSKIT" cat volume.img "/$path"
		same "$1: cat /$path" "$OUT" "truth/$path"
		run "$VMFSKIT" stat --json volume.img "/$path"
		is "$1: stat /$path" "$(jq -r '.files[0] | "\(.size_bytes) \(.mode)"' "$OUT")" "$(stat -c '%s 0%a' "truth/$path")"
	done
	# times are those that the writer shows
	for path in /written /written/many; do
		is "$1: times in $path" "$("$VMFSKIT" ls -l volume.img $path 2>/dev/null | awk '{ print $6, $7, $8 }' | sort)" \
			"$(debugvmfs volume.img ls -l $path 2>/dev/null | awk '$NF !~ /^\.\.?$/ { print $6, $7, $8 }' | sort)"
	done
	checked "$1"
}
# What vmfs-tools leaves wrong: a file that outgrows its sub-block is copied into a block, and the sub-block stays allocated; and a
# heartbeat is written out of memory that nobody cleared, so that a free slot names a journal or a host.
checked() {
	run "$VMFSKIT" check --json volume.img
	is "$1: check finds nothing else" "$(jq -r '.findings[] | select(.severity != "info" and .code != "heartbeat.state" and
		(.code != "file.block-lost" or (.message | contains("sub-blocks") and contains(".sbc.sf")) | not)) | .code + " " + .message' "$OUT")" ""
	is "$1: of sub-blocks it finds each one" \
		"$(jq '[.findings[] | select(.code == "file.block-lost") | .message | split(" ")[0] | tonumber] | add // 0' "$OUT")" "$lost"
	is "$1: debugvmfs and its bitmaps" "$(debugvmfs volume.img check_vol_bitmaps 2>/dev/null | tail -n 1)" "Total errors: 0"
}

# NAME SUB-BLOCK BLOCKS: volume.img has sub-blocks of so many bytes, so many file blocks are free
written() {
	local name=$1 i
	sub_block=$2 lost=0
	rm -rf truth
	mkdir truth
	ok "$name: mkdir" both_folder /written
	ok "$name: mkdir in it" both_folder /written/many
	ok "$name: and in that" both_folder /written/many/deep
	for size in 0 1 511 512 4095 4096 $((sub_block - 1)) $((sub_block)) $((sub_block + 1)) 1048575 1048576 1048577 5000000; do
		ok "$name: a file of $size bytes" both_copy $size /written/file$size
	done
	for ((i = 1; i <= 24; i++)); do both_copy $((i * 50)) /written/many/f$i >/dev/null 2>&1; done
	ok "$name: modes" both_mode 600 /written/file512
	ok "$name: of a folder, too" both_mode 2770 /written/many/deep
	ok "$name: a sub-block cut" both_size 300 /written/file4095
	ok "$name: a sub-block grown" both_size 4000 /written/file511
	ok "$name: blocks cut" both_size 1500000 /written/file5000000
	ok "$name: to nothing" both_size 0 /written/file1048577
	if [ "$3" -gt 265 ]; then
		ok "$name: a file with a pointer block" both_copy $((258 << 20)) /written/large
		# what a cut leaves in the last block is not cleared: so at its end
		ok "$name: cut" both_size $((257 << 20)) /written/large
		ok "$name: grown, a hole" both_size $((300 << 20)) /written/large
	fi
	compared "$name"
	is "$name: what was there before" "$("$VMFSKIT" ls -lR volume.img 2>/dev/null | grep -v ' written$' | sed '/^$/d; /^\/written/,$d' | tr -s ' ')" "$before"
	mount_test "$name"
}

# the same through vmfs-fuse, which also removes, and leaves holes
mount_test() {
	[ "$(id -u)" -eq 0 ] && [ -c /dev/fuse ] || { skip "$1: vmfs-fuse" "needs root and /dev/fuse"; return; }
	mkdir -p m
	mounted volume.img m >/dev/null 2>&1 || { fail "$1: vmfs-fuse mounts it" "$(cat .fuse)"; return; }
	for root in m truth; do
		mkdir $root/written/fuse
		head -c 70000 truth/written/file5000000 >$root/written/fuse/one
		dd if=truth/written/file1048576 of=$root/written/fuse/sparse bs=64k seek=48 count=16 status=none
		rm $root/written/many/f7 $root/written/file1048575 $root/written/file4096 2>/dev/null
		rmdir $root/written/many/deep
	done
	lost=$((lost + 1))
	ok "$1: unmounted" unmounted volume.img m
	# it never had a sub-block: vmfs-tools begins its first block with a copy of the first one of the volume, and reads it like that
	debugvmfs volume.img cat /written/fuse/sparse >cat 2>/dev/null
	ok "$1: what was written behind a hole" cmp -i $((3 << 20)) truth/written/fuse/sparse cat
	mv cat truth/written/fuse/sparse
	is "$1: the hole" "$("$VMFSKIT" map --json volume.img /written/fuse/sparse 2>/dev/null | jq -c '[.extents[] |
		[.kind, .file_offset, .length]] | .[1:]')" '[["hole",1048576,2097152],["data",3145728,1048576]]'
	compared "$1, after vmfs-fuse"
}
before() { before=$("$VMFSKIT" ls -lR volume.img 2>/dev/null | sed '/^$/d' | tr -s ' '); }

if [ -n "$SHARED" ]; then
	mv "$(real_partition)" volume.img
	before
	written "the real VMFS3" 65536 350
	unpack "$SHARED/data/vmfs5-esxi-2021/disk-from-lba-2048.img.xz" volume.img
	before
	written "the real VMFS5" 8192 230
else
	skip "the real volumes" "no ../shared/data"
fi
echo 'file /vm/a.vmx size=900' >recipe
for v in 3 5; do
	ok "VMFS$v: made" "$LAB" make --overwrite --table none --vmfs $v --size 2G --files recipe volume.img
	before
	written "a practice VMFS$v" $((v == 3 ? 65536 : 8192)) 1000
done
