#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz program for a while over its corpus: fuzz.sh FOLDER SECONDS JOBS NAME...
# New inputs go to FOLDER/corpus/NAME, what crashes to FOLDER/crash/NAME-*; exit 1 when anything was found.
set -u
folder=$1 seconds=$2 jobs=$3
shift 3
if [ $# -eq 0 ]; then
	echo "there is no fuzz entry in tests/fuzz" >&2
	exit 1
fi
mkdir -p "$folder/crash" "$folder/log"

one() {
	local name=$1 start=$SECONDS code
	mkdir -p "$folder/corpus/$name"
	"$folder/bin/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$folder/crash/$name-" "$folder/corpus/$name" "tests/fuzz/corpus/$name" \
		>"$folder/log/$name" 2>&1
	code=$?
	printf '%s  %-20s %d s, %s runs, %s edges\n' "$([ "$code" -eq 0 ] && echo 'ok  ' || echo FAIL)" "$name" \
		"$((SECONDS - start))" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/log/$name")" \
		"$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "$folder/log/$name" | tail -n 1)"
	[ "$code" -eq 0 ] && return
	grep -A 40 -m 1 -E 'ERROR|runtime error|TIMEOUT|SUMMARY' "$folder/log/$name"
	echo "input: $(ls "$folder/crash/$name-"* 2>/dev/null | tail -n 1), log: $folder/log/$name"
	return 1
}
export -f one
export folder seconds

printf '%s\n' "$@" | xargs -P "$jobs" -I{} bash -c 'one {}' || exit 1
echo "$# fuzz entries, $seconds s each: no finding"
