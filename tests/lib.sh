# SPDX-License-Identifier: Apache-2.0
# What every command-line test stands on: the programs, a scratch folder, verdicts. To be sourced by bash.
#
#   $VMFSKIT $LAB $HOOKS $STATIC   the programs (HOOKS: vmfskit with crash points; STATIC: empty when not built)
#   $ROOT $BUILD $SHARED           the project, its build folder, ../shared (empty when absent)
#   $TMP                           a scratch folder of this test, removed at its end
#   $OUT $ERR                      files with what the last command under ok, exits or run printed; $CODE its exit code
#
#   ok NAME CMD...            passes when CMD exits 0
#   exits NAME CODE CMD...    passes when CMD exits with CODE
#   run CMD...                no verdict: sets $OUT, $ERR, $CODE
#   is NAME GOT EXPECTED      passes when the two texts are equal
#   has NAME WHERE PATTERN    passes when the file WHERE (or else the text WHERE) has a line with that extended
#   hasnt NAME WHERE PATTERN  regular expression; or has none
#   same NAME FILE FILE       passes when the two files hold the same bytes
#   fail NAME [WHY]           pass NAME              skip NAME WHY
#   need_root [WHAT]          need PROGRAM...        skip the whole rest of the test without it
#   loop_attach FILE [OPTS]   prints a loop device on FILE, detached at the end (needs root)
#   loop_detach DEVICE        detach it before the end
#   captures STORE            prints the ids of the captures in it, oldest first; captures_by_time: newest first, by the clock
#   big_dir                   prints a scratch folder that holds sparse files of 64 TB, removed at the end
#   traced FILE CMD...        CMD under strace -f, its system calls in FILE; more options in $STRACE_OPTIONS
#   unpack FILE.xz OUT        unpack and keep the holes
#   record STORE              write the ledger of a store that was made by hand anew: it records what is there (needs perl)
#
# A command that dies under a sanitizer passes nothing, whatever exit code was expected of it.

set -u
LC_ALL=C
TZ=UTC
export LC_ALL TZ
# what is printed does not depend on whose screen the tests run on
unset COLUMNS
# a test that calls make is not a part of the make that runs the tests
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
BUILD=${BUILD:-build}
BUILD=$(cd "$ROOT" && cd "$BUILD" && pwd) || { echo "there is no build folder: run make first" >&2; exit 1; }
VMFSKIT=$BUILD/vmfskit
LAB=$BUILD/vmfskit-lab
HOOKS=$BUILD/hooks/vmfskit
STATIC=$BUILD/static/vmfskit
[ -x "$STATIC" ] || STATIC=
SHARED=${VMFSKIT_SHARED:-$ROOT/../shared}
[ -d "$SHARED/data" ] || SHARED=
export VMFSKIT LAB HOOKS SHARED

TMP=$(mktemp -d "${TMPDIR:-/tmp}/vmfskit-test.XXXXXX") || exit 1
OUT=$TMP/.stdout
ERR=$TMP/.stderr
CODE=0
: >"$OUT" >"$ERR" >"$TMP/.loops" >"$TMP/.mounts" >"$TMP/.dirs"
failed_cases=0

# the file of a loop device: a number that was given back may be someone else's by now
behind_loop() { losetup --noheadings --output BACK-FILE "$1" 2>/dev/null | sed 's/ (deleted)$//'; }

# everything that was attached, mounted or made goes away, whatever way the test ends
cleanup() {
	local code=$? line file
	trap - EXIT
	while IFS=' ' read -r line file; do
		[ "$(behind_loop "$line")" = "$file" ] && losetup -d "$line"
	done <"$TMP/.loops"
	tac "$TMP/.mounts" | while read -r line; do umount "$line" 2>/dev/null || umount -l "$line"; done
	while read -r line; do rm -rf "$line"; done <"$TMP/.dirs"
	rm -rf "$TMP"
	[ "$code" -eq 0 ] && [ "$failed_cases" -gt 0 ] && code=1
	exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

pass() { printf 'ok - %s\n' "$1"; }
skip() { printf 'ok - %s # skip %s\n' "$1" "$2"; }
fail() {
	failed_cases=$((failed_cases + 1))
	printf 'not ok - %s\n' "$1"
	[ $# -lt 2 ] || printf '%s\n' "$2" | sed 's/^/#   /'
}

# the command and the beginning of what it said, below a failure
explain() {
	printf '#   command: %s\n' "$(printf '%q ' "$@")"
	printf '#   exit code: %s\n' "$CODE"
	head -n 25 "$OUT" | tr -d '\000' | cut -c1-300 | sed 's/^/#   out: /'
	head -n 40 "$ERR" | tr -d '\000' | cut -c1-300 | sed 's/^/#   err: /'
}

# CMD writes $OUT and $ERR and cannot read what an earlier one left there: it would find empty files, which jq -e, cmp and
# grep -v may take for good. A command or function that names them fails; in what it calls in turn they are unset, which ends
# the test.
run() {
	local out=$OUT err=$ERR OUT ERR said=$*
	! declare -F "$1" >/dev/null || said+=$(declare -f "$1")
	if [[ $said == *"$out"* || $said == *"$err"* || $said =~ \$\{?(OUT|ERR)[^A-Za-z0-9_] ]]; then
		fail "a command may not read the files that it writes" "$(printf '%q ' "$@")"
		CODE=-1
		return 1
	fi
	"$@" >"$out" 2>"$err"
	CODE=$?
}

insane() { grep -qaE 'ERROR: (Address|Leak|Undefined)[A-Za-z]*Sanitizer|: runtime error: ' "$ERR"; }

exits() {
	local name=$1 code=$2
	shift 2
	run "$@" || return
	if [ "$CODE" -eq "$code" ] && ! insane; then
		pass "$name"
	else
		fail "$name" "expected exit code: $code"
		explain "$@"
	fi
}

ok() {
	local name=$1
	shift
	exits "$name" 0 "$@"
}

# what is empty or broken must not look like an expected "nothing", nor like good: jq -e of Debian 12 takes an empty file for it
jq() {
	local file code
	for file; do
		[ ! -f "$file" ] || [ -s "$file" ] || { echo "jq: $file is empty"; return 2; }
	done
	command jq "$@"
	code=$?
	[ "$code" -lt 2 ] || echo "jq: exit code $code"
	return "$code"
}

is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got:      $2
expected: $3"
	fi
}

# in TEXT-OR-FILE PATTERN
found_in() {
	if [ -n "$1" ] && [ -f "$1" ]; then
		grep -qaE -e "$2" "$1"
	else
		grep -qaE -e "$2" <<<"$1"
	fi
}

shown() { if [ -n "$1" ] && [ -f "$1" ]; then head -n 40 "$1" | tr -d '\000'; else printf '%s' "$1"; fi; }

has() {
	if found_in "$2" "$3"; then pass "$1"; else fail "$1" "no line matches: $3
in: $(shown "$2")"; fi
}

hasnt() {
	if found_in "$2" "$3"; then fail "$1" "a line matches: $3
in: $(shown "$2")"; else pass "$1"; fi
}

same() {
	local told
	if told=$(cmp -- "$2" "$3" 2>&1); then pass "$1"; else fail "$1" "$told"; fi
}

need_root() {
	[ "$(id -u)" -eq 0 ] && return
	skip "${1:-the rest of this test}" "needs root"
	exit 0
}

need() {
	local program
	for program; do
		PATH=$PATH:/usr/sbin:/sbin type -P "$program" >/dev/null && continue
		skip "the rest of this test" "there is no $program"
		exit 0
	done
}

loop_attach() {
	local file=$1 device tries=0
	shift
	# another test may take the number that was found free
	until device=$(losetup --find --show "$@" "$file" 2>"$TMP/.losetup"); do
		tries=$((tries + 1))
		if [ "$tries" -ge 20 ]; then
			cat "$TMP/.losetup" >&2
			return 1
		fi
		sleep 0.2
	done
	echo "$device $(behind_loop "$device")" >>"$TMP/.loops"
	echo "$device"
}

# what is detached must be forgotten
loop_detach() {
	losetup -d "$1" && sed -i "\\,^$1 ,d" "$TMP/.loops"
}

captures_by_time() { (cd "$1" && ls -1td [0-9]* 2>/dev/null); }
captures() { (cd "$1" && ls -d [0-9]* 2>/dev/null); }

big_dir() {
	local dir base
	for base in /dev/shm "$TMP"; do
		dir=$(mktemp -d "$base/vmfskit-big.XXXXXX" 2>/dev/null) || continue
		echo "$dir" >>"$TMP/.dirs"
		if truncate -s 70368744177664 "$dir/probe" 2>/dev/null; then
			rm -f "$dir/probe"
			echo "$dir"
			return
		fi
	done
	dir=$(mktemp -d "$TMP/big.XXXXXX") && mount -t tmpfs -o size=75% tmpfs "$dir" || return 1
	echo "$dir" >>"$TMP/.mounts"
	echo "$dir"
}

# leaks cannot be looked for in a process that is traced
traced() {
	local file=$1
	shift
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -o "$file" ${STRACE_OPTIONS:-} "$@"
}

unpack() { xz -dc -- "$1" | dd of="$2" conv=sparse bs=1M iflag=fullblock status=none; }

record() {
	perl -MDigest::SHA=sha256_hex -e '
		my $store = shift; my ($seq, $previous, $last) = (0, "0" x 64, "");
		my $now = "2026-01-01T00:00:00Z";
		open(my $out, ">", "$store/ledger.jsonl") or die;
		for my $path (sort glob("$store/*/manifest.json")) {
			my ($id) = $path =~ m{([^/]*)/manifest.json$};
			open(my $in, "<:raw", $path) or die; local $/; my $sum = sha256_hex(<$in>);
			my $line = sprintf(q({"seq":%d,"time":"%s","event":"capture","host":"h","user":"u","version":"1","command":[],) .
				q("captures":["%s"],"manifest_sha256":"%s","previous":"%s"}), ++$seq, $now, $id, $sum, $previous);
			print $out "$line\n";
			$previous = sha256_hex($line);
		}
		open($out, ">", "$store/ledger.head") or die;
		print $out qq({"schema":"vmfskit.ledger-head/1","seq":$seq,"sha256":"$previous","time":"$now"}\n) if $seq > 0;
		unlink("$store/ledger.head") if $seq == 0' "$1"
}
