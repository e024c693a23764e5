#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A command of which only the beginning and the end is told: quietly.sh WHAT LOG CMD... All that it says is in LOG; when it fails, the
# last lines of that are shown and LOG is named.
set -u
what=$1 log=$2
shift 2
mkdir -p "$(dirname "$log")" || exit 1
started=$SECONDS
printf '%s ... ' "$what"
"$@" >"$log" 2>&1
code=$?
if [ "$code" -eq 0 ]; then
	echo "done in $((SECONDS - started)) s."
	exit 0
fi
printf 'failed.\n' >&2
tail -n 20 "$log" >&2
echo "All that was said is in $log" >&2
exit "$code"
