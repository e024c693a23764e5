#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Benchmarks: everything is measured in one run, against what people did before, and given as a ratio. No verdict
# depends on a time. The 2009 way: per disk `dd bs=512 count=4096`, `debugvmfs cat /.vh.sf`, `sha256sum` of both.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bench_lib.sh"

echo "vmfskit benchmarks, best of $REPEAT runs, $(nproc) processors, disks and captures in memory"
echo

# --- decode ---------------------------------------------------------------------------------------
for version in 5 6; do
	"$LAB" make --table gpt --size 64T --volume "start=2048,version=$version" "$dir/64T" >/dev/null || exit 1
	best "$VMFSKIT" decode --json "$dir/64T"
	ours=$best
	read_bytes=$("$VMFSKIT" decode --json "$dir/64T" | jq '[.sources[0].structures[].length] | add')
	best dd if="$dir/64T" of=/dev/null bs=64k count=$(((read_bytes + 65535) / 65536))
	peak "$VMFSKIT" decode --json "$dir/64T"
	line "decode of a 64 TB VMFS$version disk" "$(seconds $ours)" \
		"$(ratio $ours $best) x dd of as many bytes ($((read_bytes >> 10)) KiB), peak memory $peak_kib KiB"
	rm -f "$dir/64T"
done

# --- capture ---------------------------------------------------------------------------------------
image=
if [ -n "$SHARED" ]; then
	unpack "$SHARED/data/vmfs3-esx35-volume/partition.img.xz" "$dir/partition"
	image=",image=$dir/partition"
fi
for ((i = 1; i <= 32; i++)); do
	"$LAB" make --table mbr --volume "start=128$image" --seed $i "$dir/disk$i" >/dev/null || exit 1
done

the_2009_way() { # COUNT
	local i
	rm -rf "$dir/2009"
	mkdir "$dir/2009"
	for ((i = 1; i <= $1; i++)); do
		dd if="$dir/disk$i" of="$dir/2009/header-$i.hex" bs=512 count=4096 status=none
		if [ -n "$image" ]; then
			debugvmfs "$dir/disk$i" cat /.vh.sf >"$dir/2009/vh.sf-$i"
		else # practice disks have no files: the same bytes without debugvmfs
			dd if="$dir/disk$i" of="$dir/2009/vh.sf-$i" bs=64k skip=$((17 * 16 + 1)) count=64 status=none
		fi
		sha256sum "$dir/2009/header-$i.hex" >"$dir/2009/header-$i.sha256"
		sha256sum "$dir/2009/vh.sf-$i" >"$dir/2009/vh.sf-$i.sha256"
	done
}
our_way() { # COUNT
	rm -rf "$dir/store"
	"$VMFSKIT" capture --store "$dir/store" $(seq -f "$dir/disk%.0f" "$1")
}
for count in 1 32; do
	best the_2009_way $count
	theirs=$best
	best our_way $count
	rm -rf "$dir/store"
	peak "$VMFSKIT" capture --store "$dir/store" $(seq -f "$dir/disk%.0f" $count)
	saved=$(cat "$dir"/store/*/manifest.json | jq -s '[.[].regions[].length_bytes] | add')
	old=$(cat "$dir"/2009/header-* "$dir"/2009/vh.sf-* | wc -c)
	line "capture of $count disk$([ $count = 1 ] || echo s)" "$(seconds $best)" \
		"$(ratio $best $theirs) x the 2009 way ($(seconds $theirs)), with $(ratio $saved $old) x its bytes, peak memory $peak_kib KiB"
done
