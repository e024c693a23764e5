#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The runner and the library of tests notice what they are there for.
. "$(dirname "$0")/../lib.sh"

tree=$TMP/tree
mkdir -p "$tree/tests/cli" "$tree/build"
cp -r "$ROOT/tests/lib.sh" "$ROOT/tests/run.sh" "$ROOT/tests/golden" "$tree/tests/"
find "$tree/tests/golden" -mindepth 1 -type d -exec rm -rf {} +
tests() { env -u VMFSKIT_SHARED BUILD=build TEST_SECONDS=3 bash "$tree/tests/run.sh" "$@"; }
# a test of that name with that body
given() { printf '. "$(dirname "$0")/../lib.sh"\n%s\n' "$2" >"$tree/tests/cli/$1.sh"; }

exits "no test of that name" 1 tests nosuchtest
has "no test of that name: says so" "$OUT" '^0 passed, 1 failed, 0 skipped$'

given 10-good 'pass one; ok two true; is three a a; has four "a b" "^a"; exits five 3 sh -c "exit 3"; skip six why'
ok "all good" tests 10-good
is "all good: one line at the end" "$(tail -n 1 "$OUT")" "5 passed, 0 failed, 1 skipped"

verdict() {
	given 20-case "$2"
	exits "$1" 1 tests 20-case
	is "$1: counted" "$(tail -n 1 "$OUT")" "$3"
	rm "$tree/tests/cli/20-case.sh"
}
verdict "a failed case" 'pass a; ok b false' "1 passed, 1 failed, 0 skipped"
verdict "a different text" 'is a b c' "0 passed, 1 failed, 0 skipped"
verdict "a missing line" 'has a "b" c' "0 passed, 1 failed, 0 skipped"
verdict "a line too many" 'hasnt a "b" b' "0 passed, 1 failed, 0 skipped"
verdict "different files" 'echo a >$TMP/a; echo b >$TMP/b; same a $TMP/a $TMP/b' "0 passed, 1 failed, 0 skipped"
verdict "another exit code" 'exits a 1 sh -c "exit 2"' "0 passed, 1 failed, 0 skipped"
verdict "a script that ends badly" 'pass a; exit 3' "1 passed, 1 failed, 0 skipped"
verdict "a script that crashes" 'pass a; kill -SEGV $BASHPID' "1 passed, 1 failed, 0 skipped"
verdict "an unset variable" 'pass a; echo $nosuchvariable' "1 passed, 1 failed, 0 skipped"
verdict "a script that tests nothing" ':' "0 passed, 1 failed, 0 skipped"
verdict "a script that hangs" 'pass a; sleep 60' "1 passed, 1 failed, 0 skipped"
verdict "fewer cases than announced" 'echo 1..3; pass a' "1 passed, 1 failed, 0 skipped"
verdict "a sanitizer behind the expected exit code" \
	'exits a 1 sh -c "echo \"x.c:1:2: runtime error: shift\" >&2; exit 1"' "0 passed, 1 failed, 0 skipped"
verdict "another sanitizer" \
	'exits a 1 sh -c "echo \"==1==ERROR: AddressSanitizer: heap\" >&2; exit 1"' "0 passed, 1 failed, 0 skipped"
# jq -e of Debian 12 calls an empty file good: a command under ok, exits and run has emptied $OUT and $ERR before it begins
verdict "a command that reads what it writes" 'run echo a; ok b test -e "$OUT"' "0 passed, 1 failed, 0 skipped"
verdict "the same without a verdict" 'run echo a; run cat "$ERR"; pass b' "1 passed, 1 failed, 0 skipped"
verdict "the same in a word of a command" 'run echo a; exits b 1 sh -c "! true <$OUT"' "0 passed, 1 failed, 0 skipped"
verdict "the same in a function" 'f() { ! grep -q a "$OUT"; }; run echo a; ok b f; pass c' "1 passed, 1 failed, 0 skipped"
verdict "the same in a function that it calls" 'f() { ! grep -q a "$OUT"; }; g() { f; }; run echo a; ok b g' \
	"0 passed, 1 failed, 0 skipped"
verdict "nothing, because jq had nothing to read" ': >$TMP/a; is a "$(jq .b $TMP/a)" ""; ok b jq -e .b $TMP/a' \
	"0 passed, 2 failed, 0 skipped"
verdict "nothing, because jq could not read it" 'echo "{" >$TMP/a; is a "$(jq .b $TMP/a 2>$TMP/b)" ""' "0 passed, 1 failed, 0 skipped"
given 10-good 'f() { "$@"; }; run echo a; ok b f test -e /; is "the output of before" "$(cat "$OUT")" ""'
ok "other functions are commands like any other" tests 10-good
has "the slowest are named" "$OUT" '^ +[0-9]+ s, of processors +[0-9]+ s  cli/10-good$'

mkdir "$tree/tests/golden/x"
echo '0: 41' >"$tree/tests/golden/x/input.hex"
echo 'decode @INPUT@' >"$tree/tests/golden/x/cmd"
echo 'by hand' >"$tree/tests/golden/x/origin.txt"
printf '#!/bin/sh\necho "$@"; wc -c <"$2"\n' >"$tree/build/vmfskit"
chmod +x "$tree/build/vmfskit"
exits "golden: no expectation" 1 tests golden
printf 'decode input.bin\n1\n' >"$tree/tests/golden/x/expected.txt"
ok "golden: as expected" tests golden
echo more >>"$tree/tests/golden/x/expected.txt"
exits "golden: another output" 1 tests golden
env BUILD="$tree/build" bash "$tree/tests/golden/update.sh" >/dev/null
ok "golden: updated" tests golden
echo 1 >"$tree/tests/golden/x/expected.exit"
exits "golden: another exit code" 1 tests golden

# nothing stays behind
given 30-left 'd=$(big_dir); echo "$TMP $d" >"'"$TMP"'/left"; truncate -s 64T "$d/f"; is size "$(stat -c %s "$d/f")" 70368744177664'
ok "a folder for 64 TB" tests 30-left
# shellcheck disable=SC2046
is "nothing is left of it" "$(ls -d $(cat "$TMP/left") 2>/dev/null)" ""
ok "each change of tests/mutate.sh fits the tree" "$ROOT/tests/mutate.sh" --check
if [ "$(id -u)" -eq 0 ] && losetup -f >/dev/null 2>&1; then
	# what is left behind when the number was given back and taken by another test
	given 31-loop 'truncate -s 1M other; d=$(losetup -f --show other) && echo "$d /nowhere/mine" >>"$TMP/.loops" && echo "$d" >"'"$TMP"'/device"; ok "attached" [ -b "$d" ]'
	ok "a test that gave its loop device back" tests 31-loop
	device=$(cat "$TMP/device")
	is "a loop device that is someone else's by then stays" "$(behind_loop "$device")" "$tree/other"
	losetup -d "$device"
else
	skip "a loop device that is someone else's by then" "needs root and loop devices"
fi
