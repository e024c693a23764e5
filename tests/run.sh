#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every test that was built or is there, two at a time, and counts. Arguments: only tests whose name has one of them.
#
# TEST_JOBS=2  TEST_SECONDS=900 (for each file)  BUILD=build
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
export BUILD
# what is printed does not depend on whose screen the tests run on
unset COLUMNS
jobs=${TEST_JOBS:-2}
seconds=${TEST_SECONDS:-900}

log=$(mktemp -d "${TMPDIR:-/tmp}/vmfskit-run.XXXXXX") || exit 1
trap 'rm -rf "$log"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; wait; exit 130' INT TERM

wanted() {
	local name=$1 part
	shift
	[ $# -eq 0 ] && return 0
	for part; do case $name in *"$part"*) return 0 ;; esac; done
	return 1
}

# name and command of every test
list=()
for file in tests/cli/*.sh; do
	[ -e "$file" ] && list+=("cli/$(basename "$file" .sh)|bash $file")
done
list+=("golden|bash tests/golden/run.sh")
for file in tests/unit/test_*.c; do
	[ -e "$file" ] && list+=("unit/$(basename "$file" .c)|$BUILD/unit/$(basename "$file" .c)")
done
for file in tests/fuzz/fuzz_*.c; do
	name=$(basename "$file" .c)
	name=${name#fuzz_}
	[ -e "$file" ] && list+=("replay/$name|bash tests/fuzz/replay.sh $BUILD/replay/$name tests/fuzz/corpus/$name")
done
# the longest first, so that the end is not one of them alone
longest="cli/78-real-volumes unit/test_undamaged cli/62-deb cli/59-nights unit/test_damage_patterns cli/75-repair-cut
	cli/47-store-cut cli/76-doctor cli/53-64tb cli/48-ledger cli/52-power-cut unit/test_find_flips cli/50-restore
	cli/49-capture-all cli/61-push unit/test_gpt_damage"
ordered=()
for name in $longest; do
	for entry in "${list[@]}"; do [ "${entry%%|*}" != "$name" ] || ordered+=("$entry"); done
done
for entry in "${list[@]}"; do
	case " ${ordered[*]-} " in *" $entry "*) ;; *) ordered+=("$entry") ;; esac
done
list=("${ordered[@]}")

# timeout gives the test a process group of its own and ends all of it, when time is up or when we are interrupted
one() {
	local out=$1 start=$SECONDS code pid
	shift
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 20 "$seconds" "$@" >"$out.out" 2>"$out.err" </dev/null &
	pid=$!
	trap 'kill "$pid"; wait "$pid"; exit 143' TERM
	wait "$pid"
	code=$?
	times >"$out.times"
	# the second line: user and system time of all that was waited for
	echo "$code $((SECONDS - start)) $(awk -F '[ms ]+' 'NR == 2 { print int(($1 + $3) * 60 + $2 + $4) }' "$out.times")" >"$out.code"
}

# passed, failed and skipped cases of a test, and whether it did what it announced
count() {
	awk -v code="$2" '
	/^not ok/ { if (tolower($0) ~ /# *skip/) skipped++; else failed++; next }
	/^ok/ { if (tolower($0) ~ /# *skip/) skipped++; else passed++; next }
	/^1\.\.[0-9]+$/ { plan = substr($0, 4) + 0; planned = 1 }
	END {
		why = ""
		sum = passed + failed + skipped
		if (code == 124 || code == 137) why = "stopped: no time left"
		else if (code != 0 && failed == 0) why = "exit code " code " without a failed case"
		else if (sum == 0) why = "it tested nothing"
		else if (planned && plan != sum) why = "announced " plan " cases, reported " sum
		if (why != "") failed++
		printf "%d %d %d %s\n", passed, failed, skipped, why
	}' "$1.out"
}

passed=0 failed=0 skipped=0
report() {
	local name=$1 out=$2 code took cpu p f s why
	read -r code took cpu <"$out.code"
	printf '%5d s, of processors %5d s  %s\n' "$took" "$cpu" "$name" >>"$log/times"
	read -r p f s why < <(count "$out" "$code")
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%s  %-28s %d passed, %d failed, %d skipped  (%d s)\n' "$([ "$f" -eq 0 ] && echo 'ok  ' || echo FAIL)" \
		"$name" "$p" "$f" "$s" "$took"
	[ "$s" -eq 0 ] || grep -i '^\(not \)\{0,1\}ok.*# *skip' "$out.out" | sed 's/^/      /' | head -n 5
	[ "$f" -eq 0 ] && return
	[ -z "$why" ] || echo "      $why"
	# each failed case with the remarks below it
	awk '/^not ok/ && tolower($0) !~ /# *skip/ { show = 1 } /^ok/ { show = 0 } show' "$out.out" | head -n 120 | sed 's/^/      /'
	[ -s "$out.err" ] && tail -n 40 "$out.err" | cut -c1-300 | sed 's/^/      err: /'
}

running=() next=0
: >"$log/times"
while :; do
	while [ "${#running[@]}" -lt "$jobs" ] && [ "$next" -lt "${#list[@]}" ]; do
		name=${list[next]%%|*}
		command=${list[next]#*|}
		if wanted "$name" "$@"; then
			# shellcheck disable=SC2086 # words of the table above
			one "$log/$next" $command 2>/dev/null &
			running+=("$!:$next:$name")
		fi
		next=$((next + 1))
	done
	[ "${#running[@]}" -eq 0 ] && break
	wait -n 2>/dev/null
	left=()
	for entry in "${running[@]}"; do
		IFS=: read -r pid number name <<<"$entry"
		if [ -e "$log/$number.code" ]; then
			wait "$pid"
			report "$name" "$log/$number"
		else
			left+=("$entry")
		fi
	done
	running=("${left[@]}")
done

echo "the slowest ten of all that took $SECONDS s, of processors $(awk '{ n += $5 } END { print n + 0 }' "$log/times") s:"
sort -rn "$log/times" | head -n 10
if [ $((passed + failed)) -eq 0 ]; then
	echo "no test ran"
	failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
