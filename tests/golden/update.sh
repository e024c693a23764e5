#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes expected.txt and expected.exit of the golden cases anew (all, or those whose name has an argument), to be
# reviewed with git diff: what is written here is what the program says, not what is right.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/golden/lib.sh"

while read -r case; do
	wanted=$([ $# -eq 0 ] && echo yes)
	for part; do case $case in *"$part"*) wanted=yes ;; esac; done
	[ "$wanted" = yes ] || continue
	golden_run "$case" || { echo "$case: cannot be made: $(cat "$ERR")" >&2; exit 1; }
	cp "$OUT" "$case/expected.txt"
	rm -f "$case/expected.exit"
	[ "$CODE" -eq 0 ] || echo "$CODE" >"$case/expected.exit"
	echo "${case#"$ROOT"/}: exit $CODE, $(wc -l <"$OUT") lines"
done < <(golden_cases)
