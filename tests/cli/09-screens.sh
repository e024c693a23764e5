#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Text is fitted to the screen it is printed on, and to none where a script reads it.
. "$(dirname "$0")/../lib.sh"

ok "a disk" "$LAB" make --table gpt --size 3G --vmfs 6 "$TMP/disk.img"
ok "its table is wiped" "$LAB" break --how table "$TMP/disk.img"
cd "$TMP" || exit 1
words() { tr -s ' \n' '\n\n' <"$1"; }
widest() { awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }' "$1"; }

run "$VMFSKIT" doctor disk.img
cp "$OUT" whole
COLUMNS=60 run "$VMFSKIT" doctor disk.img
cp "$OUT" narrow
ok "a script reads whole lines" [ "$(widest whole)" -gt 80 ]
ok "COLUMNS, when it is exported, is the width" [ "$(widest narrow)" -le 60 ]
# the map's legend is put together for the width
same "the words are the same" <(sed '/^Map$/,/^$/d' whole | tr -s ' \n' '\n\n') <(sed '/^Map$/,/^$/d' narrow | tr -s ' \n' '\n\n')
for columns in "" x -5 12 99999999; do
	COLUMNS=$columns run "$VMFSKIT" doctor disk.img
	same "COLUMNS=$columns is no width" "$OUT" whole
done

# JSON, hexdump, errors
run "$VMFSKIT" decode --json disk.img
cp "$OUT" json
COLUMNS=60 run "$VMFSKIT" decode --json disk.img
same "JSON is the same on any screen" "$OUT" json
run "$VMFSKIT" decode --hex disk.img
sed -n '/^000/p' "$OUT" >hex
COLUMNS=60 run "$VMFSKIT" decode --hex disk.img
same "so is a hexdump" <(sed -n '/^000/p' "$OUT") hex
run "$VMFSKIT" repair table disk.img
cp "$OUT" plan
cp "$ERR" guards
COLUMNS=60 run "$VMFSKIT" repair table disk.img
has "a command to paste is one line" "$OUT" '^  vmfskit repair table disk.img --override guess --plan [0-9a-f]{32} --write$'
is "errors fit, too" "$(widest "$ERR")" "$(awk 'length($0) <= 60' "$ERR" | widest /dev/stdin)"
same "their words are the same" <(words "$ERR") <(words guards)
run "$VMFSKIT" repair table --commands-only disk.img
grep -v '^#' "$OUT" >commands
COLUMNS=60 run "$VMFSKIT" repair table --commands-only disk.img
same "what a shell shall run is the same on any screen" <(grep -v '^#' "$OUT") commands
cp "$OUT" script
ok "and what is beside it stays a comment" bash -n script

# a full disk is no screen either
full() { COLUMNS=60 "$VMFSKIT" doctor disk.img >/dev/full; }
exits "results that cannot be written are exit code 4" 4 full
has "results that cannot be written: why" "$ERR" 'results could not be written: No space left'

# a terminal, whose width is its own
if command -v script >/dev/null; then
	on_terminal() { script -qec "stty cols $1; $2" /dev/null | tr -d '\r'; }
	run on_terminal 70 "$VMFSKIT doctor disk.img"
	sed 's/\x1b\[[0-9;]*m//g' "$OUT" >shown
	ok "a terminal's lines fit it" [ "$(widest shown)" -le 70 ]
	ok "a terminal's lines use it" [ "$(widest shown)" -gt 60 ]
	COLUMNS=50 run on_terminal 120 "$VMFSKIT doctor disk.img"
	sed 's/\x1b\[[0-9;]*m//g' "$OUT" >shown
	ok "what a terminal says goes before COLUMNS" [ "$(widest shown)" -gt 100 ]
	COLUMNS=50 run on_terminal 60 "$VMFSKIT help doctor"
	sed 's/^  .*//' "$OUT" >shown
	ok "help fits a terminal" [ "$(widest shown)" -le 60 ]
	run on_terminal 200 "$VMFSKIT help doctor"
	cp "$OUT" shown
	ok "help is not wider than one reads" [ "$(widest shown)" -le 100 ]
	ok "help on a wide terminal is wider" [ "$(widest shown)" -gt 79 ]
else
	skip "terminals" "there is no program script"
fi
