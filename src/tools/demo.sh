#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole path on a practice disk, each step with its command: look, keep, lose, put back, undo. demo.sh BUILD
set -u
LC_ALL=C
export LC_ALL
PATH=$(cd "$1" && pwd):$PATH
folder=$(mktemp -d "${TMPDIR:-/tmp}/vmfskit-demo.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
cd "$folder" || exit 1
started=$SECONDS
step=0

bold='' plain=''
[ -t 1 ] && bold=$(printf '\033[1m') plain=$(printf '\033[0m')

# what is shown is indented by five columns, and the programs fit what they say to the rest
exec 3>&1
columns=$(stty size <&3 2>/dev/null | cut -d ' ' -f 2)
[ "${columns:-0}" -lt 45 ] || export COLUMNS=$((columns - 5))

# what happens now
tell() {
	step=$((step + 1))
	printf '\n%s%d. %s%s\n' "$bold" "$step" "$1" "$plain"
}

# run a command as it is shown; $1: the exit code that it must have, $2: how many lines of its output to show, the
# last ones when negative
show() {
	local expected=$1 lines=$2 code count
	shift 2
	printf '   $ %s\n' "$*"
	"$@" >output 2>&1
	code=$?
	count=$(wc -l <output)
	if [ "$lines" -lt 0 ] && [ "$count" -gt "${lines#-}" ]; then
		printf '     ... after %d lines\n' "$((count + lines))"
		tail -n "${lines#-}" output | sed 's/^/     /'
	else
		head -n "${lines#-}" output | sed 's/^/     /'
		[ "$count" -le "${lines#-}" ] || printf '     ... and %d lines more\n' "$((count - lines))"
	fi
	[ "$code" -eq 0 ] || printf '     (exit code %d)\n' "$code"
	if [ "$code" -ne "$expected" ]; then
		printf '\nThis should have ended with exit code %d. All it said:\n' "$expected" >&2
		cat output >&2
		exit 1
	fi
}

must() {
	"$@" || { printf '\nThis is not so: %s\n' "$*" >&2; exit 1; }
}

digest() { sha256sum disk.img | cut -d ' ' -f 1; }
newest() { find store -mindepth 1 -maxdepth 1 -type d ! -name '.*' -printf '%f\n' | grep -vxF -f known | head -n 1; }
: >known

tell "A practice disk: GPT, one VMFS5 datastore, small so that it is quick."
show 0 10 vmfskit-lab make --table gpt --start 2048 --size 280M --label practice --naa naa.600144f07ed404000000496ff8cd0003 --lun 3 disk.img
sound=$(digest)

tell "Look: what a host needs to mount it, decoded."
show 0 19 vmfskit decode disk.img

tell "Keep: save these bytes, their digests, and the dd lines that restore them."
show 0 12 vmfskit capture --store store disk.img
capture=$(newest)
echo "$capture" >>known
must [ -n "$capture" ]
show 0 20 ls -sh "store/$capture"
show 0 12 vmfskit list --store store
show 0 6 vmfskit verify --store store "$capture"

tell "Lose it: zeros over the partition table and the headers of the volume."
show 0 10 vmfskit-lab break --how header disk.img
show 0 10 vmfskit-lab break --how table disk.img
wreck=$(digest)
must [ "$wreck" != "$sound" ]

tell "Look at the wreck: exit code 1, and every finding says what to do."
show 1 17 vmfskit decode disk.img

tell "Put it back, first as a plan: nothing is written without --write."
show 0 -12 vmfskit restore --store store "$capture" disk.img
must [ "$(digest)" = "$wreck" ]
printf '   The disk is untouched: sha256 still %.16s...\n' "$wreck"

tell "Put it back. What is overwritten is saved first."
show 0 -4 vmfskit restore --store store "$capture" disk.img --write
undo=$(newest)
must [ -n "$undo" ]
must [ "$(digest)" = "$sound" ]
printf '   Byte for byte the disk of step 1: sha256 %.16s...\n' "$sound"
show 0 2 vmfskit decode disk.img

tell "Changed your mind? A restore can be undone."
show 0 -4 vmfskit undo --store store "$undo" disk.img --write
must [ "$(digest)" = "$wreck" ]
printf '   Byte for byte the wreck of step 4: sha256 %.16s...\n' "$wreck"

printf '\nAll of it took %d seconds and leaves nothing behind. Next: README.md, vmfskit --help\n' "$((SECONDS - started))"
