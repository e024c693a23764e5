#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every golden case.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/golden/lib.sh"

# the reader of input.hex itself
printf '# remark\n00000010: 41 42\n0010  43 44 45 46 47 48 49 4a  4b 4c 4d 4e 4f 50 51 52  |CDEFGHIJKLMNOPQR|\n\n1000: 5a5b\n' >"$TMP/a.hex"
unhex "$TMP/a.hex" "$TMP/a.bin"
is "input.hex: length" "$(stat -c %s "$TMP/a.bin")" 4098
is "input.hex: bytes" "$(dd if="$TMP/a.bin" bs=1 skip=16 count=16 status=none)" CDEFGHIJKLMNOPQR
is "input.hex: last bytes" "$(tail -c 2 "$TMP/a.bin")" 'Z['

while read -r case; do
	name=${case#"$ROOT"/}
	name=${name#tests/golden/}
	if [ ! -s "$case/expected.txt" ] || [ ! -s "$case/origin.txt" ]; then
		fail "$name" "expected.txt or origin.txt is missing or empty"
		continue
	fi
	expected_code=0
	[ -e "$case/expected.exit" ] && read -r expected_code <"$case/expected.exit"
	golden_run "$case"
	if [ "$CODE" != "$expected_code" ]; then
		fail "$name" "exit code $CODE, expected $expected_code
$(head -n 20 "$ERR")"
	elif insane; then
		fail "$name" "$(head -n 40 "$ERR")"
	elif told=$(diff -u "$case/expected.txt" "$OUT" | head -n 60) && [ -z "$told" ]; then
		pass "$name"
	else
		fail "$name" "$told"
	fi
	grep -q -e --json "$case/cmd" && continue
	# on a narrow screen only a word that is longer than it
	COLUMNS=80 golden_run "$case"
	is "$name: 80 columns" "$(awk 'length($0) > 80' "$OUT" | grep -vE '^ *[^ ]+$')" ""
done < <(golden_cases)
