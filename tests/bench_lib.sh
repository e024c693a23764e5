# SPDX-License-Identifier: Apache-2.0
# What the benchmarks have in common: best times, peak memory, ratios. To be sourced by bash, after lib.sh.
REPEAT=${REPEAT:-5}
dir=$(big_dir)
[ -n "$dir" ] || { echo "no tmpfs for the disks" >&2; exit 4; }

now_us() { echo $((${EPOCHREALTIME%.*} * 1000000 + 10#${EPOCHREALTIME#*.})); }
# best NAME CMD...: the shortest of $REPEAT runs in microseconds, in $best; peak memory of the last in $peak_kib
best() {
	local i t0 t
	best=
	for ((i = 0; i < REPEAT; i++)); do
		t0=$(now_us)
		"$@" >/dev/null 2>&1
		t=$(($(now_us) - t0))
		[ -z "$best" ] || [ $t -lt "$best" ] && best=$t
	done
}
# race BEFORE CMD...: each CMD in turn, $REPEAT times, in front of each BEFORE, which is not timed; the shortest times
# in microseconds in ${wall[CMD]}, and of processors in ${cpu[CMD]}
declare -A wall cpu
race() {
	local before=$1 i cmd real user sys TIMEFORMAT='%3R %3U %3S'
	shift
	wall=() cpu=()
	for ((i = 0; i < REPEAT; i++)); do
		for cmd; do
			$before
			read -r real user sys < <({ time $cmd >/dev/null 2>&1; } 2>&1 | tr -d .)
			real=$((10#$real * 1000)) user=$(((10#$user + 10#$sys) * 1000))
			[ "${wall[$cmd]:-$real}" -lt $real ] || wall[$cmd]=$real
			[ "${cpu[$cmd]:-$user}" -lt $user ] || cpu[$cmd]=$user
		done
		set -- "${@:2}" "$1" # who comes first has it harder
	done
}
peak() { peak_kib=$(python3 -c '
import os, sys
pid = os.fork()
if pid == 0:
    null = os.open("/dev/null", os.O_WRONLY)
    os.dup2(null, 1); os.dup2(null, 2)
    os.execv(sys.argv[1], sys.argv[1:])
print(os.wait4(pid, 0)[2].ru_maxrss)' "$@" 2>/dev/null || echo '?'); }
seconds() { awk -v us="$1" 'BEGIN { printf "%.3f s", us / 1e6 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / (b > 0 ? b : 1) }'; }
line() { printf '%-58s %12s  %s\n' "$1" "$2" "$3"; }
