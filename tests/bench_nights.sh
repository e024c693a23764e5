#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Benchmarks of the nightly run: 64 disks, the first night and one without changes, against dd and sha256sum of the same
# ranges; what hashing takes of it; how much is read. Ratios of one run; no verdict depends on a time.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bench_lib.sh"
disks=64

mkdir "$dir/luns"
for ((i = 0; i < disks; i++)); do
	"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 20G --live 2 --seed $((i + 1)) \
		"$dir/luns/naa.6001$(printf '%012x' $i)" >/dev/null || exit 1
done
capture() { "$VMFSKIT" capture --all --quiet --dev-dir "$dir/luns" --store "$dir/store"; }
first_night() {
	rm -rf "$dir/store"
	capture
}
# the ranges of every capture, as: disk offset length file
capture >/dev/null
jq -r '.source.path as $p | .id as $id | .regions[] | "\($p) \(.offset_bytes) \(.length_bytes) \($id)-\(.file)"' \
	"$dir"/store/2*/manifest.json >"$TMP/ranges"
the_2009_way() {
	local path offset length file
	rm -rf "$dir/2009"
	mkdir "$dir/2009"
	while read -r path offset length file; do
		dd if="$path" of="$dir/2009/$file" bs=64k iflag=skip_bytes,count_bytes skip="$offset" count="$length" status=none
		sha256sum "$dir/2009/$file" >"$dir/2009/$file.sha256"
	done <"$TMP/ranges"
}

best the_2009_way
theirs=$best
rm -rf "$dir/2009"
best first_night
first=$best
rm -rf "$dir/store"
peak "$VMFSKIT" capture --all --quiet --dev-dir "$dir/luns" --store "$dir/store"
line "capture --all of $disks disks, first night" "$(seconds "$first")" \
	"$(ratio "$first" "$theirs") x dd and sha256sum of the same ranges ($(seconds "$theirs")), peak memory $peak_kib KiB"
best capture
line "the same, a night without changes" "$(seconds "$best")" \
	"$(ratio "$best" "$theirs") x dd and sha256sum, $(ratio "$best" "$first") x the first night"
before=$(du -s --block-size=1 "$dir/store" | cut -f 1)
full=$("$VMFSKIT" list --no-verify --json --store "$dir/store" | jq '.captures | length')
capture
line "what that night adds to the store" "$((($(du -s --block-size=1 "$dir/store" | cut -f 1) - before) / 1024)) KiB" \
	"$(ratio $(($(du -s --block-size=1 "$dir/store" | cut -f 1) - before)) $((before / (full / disks)))) x an average night so far"

# --- hashing: what the processor needs for the digests alone -----------------------------------------
bytes=$(awk '{ sum += $3 } END { print sum }' "$TMP/ranges")
rate=$(openssl speed -elapsed -seconds 1 -bytes 16384 -evp sha256 2>/dev/null | awk 'END { sub(/k$/, "", $2); printf "%d", $2 * 1000 }')
hash_us=$((bytes * 1000000 / rate))
cpu_us() {
	local TIMEFORMAT='%3U %3S' told user system
	told=$({ time first_night >/dev/null 2>&1; } 2>&1)
	read -r user system <<<"$told"
	awk -v u="$user" -v s="$system" 'BEGIN { printf "%d", (u + s) * 1e6 }'
}
cpu=$(cpu_us)
line "processor time of a first night" "$(seconds "$cpu")" \
	"$(ratio "$cpu" "$hash_us") x the $(seconds "$hash_us") that openssl speed sha256 needs for its $((bytes >> 20)) MiB"

# --- reading: bytes asked of the disks against those that had to be read --------------------------------
rm -rf "$dir/store"
STRACE_OPTIONS='-y -e trace=pread64,read' traced "$TMP/trace" \
	"$VMFSKIT" capture --all --quiet --dev-dir "$dir/luns" --store "$dir/store" >/dev/null 2>&1
read_bytes=$(grep -F "<$dir/luns/" "$TMP/trace" | awk '$NF ~ /^[0-9]+$/ { sum += $NF } END { print sum + 0 }')
# nothing that saves them reads less than what is no hole in the ranges: the blocks of the saved files
least=$(find "$dir/store" -name '*.raw' -printf '%b\n' | awk '{ sum += $1 * 512 } END { print sum }')
line "read from the disks on a first night" "$((read_bytes >> 10)) KiB" \
	"$(ratio "$read_bytes" "$least") x the $((least >> 10)) KiB in the saved ranges that are no holes"

# --- status: 256 LUNs, 30 nights, without reading their files -------------------------------------------
rm -rf "$dir/store" "$dir/luns"
mkdir "$dir/luns"
"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 2G "$dir/luns/lun000" >/dev/null || exit 1
for n in $(seq -f '%03.0f' 1 255); do cp --sparse=always "$dir/luns/lun000" "$dir/luns/lun$n"; done
for ((i = 0; i < 30; i++)); do capture >/dev/null; done
the_status() { "$VMFSKIT" status --store "$dir/store" >/dev/null; }
the_verify() { "$VMFSKIT" verify --quiet --store "$dir/store" >/dev/null; }
best the_verify
verified=$best
best the_status
line "status of 256 LUNs, 30 nights" "$(seconds "$best")" "$(ratio "$best" "$verified") x a verify of the same store ($(seconds "$verified"))"
