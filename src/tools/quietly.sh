#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A command of which only the beginning and the end is told: quietly.sh WHAT CMD... When it fails, the last lines of what it said are
# shown, and the file that has all of it is named.
set -u
what=$1
shift
log=$(mktemp "${TMPDIR:-/tmp}/vmfskit-log.XXXXXX") || exit 1
started=$SECONDS
printf '%s ... ' "$what"
"$@" >"$log" 2>&1
code=$?
if [ "$code" -eq 0 ]; then
	rm -f "$log"
	echo "done in $((SECONDS - started)) s."
	exit 0
fi
printf 'failed.\n' >&2
tail -n 20 "$log" >&2
echo "All that was said is in $log" >&2
exit "$code"
