#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Logs and output of VMware's tools: every line is printed as it is, what concerns volumes is explained, with the capture of it.
. "$(dirname "$0")/../lib.sh"
need jq
cd "$TMP" || exit 1

ok "a disk" "$LAB" make --lun 3 --naa naa.600144f07ed404000000496ff8cd0003 --size 2G disk.img
ok "its capture" "$VMFSKIT" capture --store st disk.img
uuid=$(sed -n 's/.*"fs_uuid": "\([^"]*\)".*/\1/p' st/2*/manifest.json)
ok "its volume is known" [ -n "$uuid" ]
{
	echo "first line, of nothing"
	echo "cpu0)LVM: 7404: Device naa.600144f07ed404000000496ff8cd0003:1 detected to be a snapshot:"
	printf 'a\ttab, and \033[31mred\n'
	echo "cpu0)Vol3: 731: Couldn't read volume header from naa.5000:1: Timeout"
	echo "LVM: 2710: Device naa.77:1 is detected as being in volume $uuid (0x41)"
} >host.log
exits "a log" 1 "$VMFSKIT" explain --store st host.log
cp "$OUT" all.txt
is "each line is there" "$(grep -c '^[^ ]' all.txt)" 5
is "the tab stays, what steers a terminal does not" "$(sed -n 's/^a//p' all.txt | cat -A)" '^Itab, and \x1b[31mred$'
is "what it means" "$(grep -A1 7404 all.txt | tail -n 1 | cut -c 1-60)" "    attention: the disk id in the volume's header is not tha"
is "which capture has the device, and which the volume" "$(grep -c "^    kept: capture $(basename st/2*) of .*/disk.img, taken " all.txt)" 2
exits "only what is explained" 1 "$VMFSKIT" explain --only --store st host.log
is "no other line" "$(grep -c '^[^ ]' "$OUT")" 3
is "the sum" "$(cat "$ERR")" "vmfskit: note: 3 of 5 lines speak of volumes: 0 of damage, 2 to attend to"
exits "standard input, no store" 0 "$VMFSKIT" explain --store none - <<<"Mounting volume $uuid"
is "a note is no finding" "$(tail -n 1 "$OUT")" "    note: the host mounts the volume"
exits "a file that is not there" 4 "$VMFSKIT" explain none.log

# --- what to do next is said once of a message, in a log with thousands of it
for i in {1..3000}; do echo "LVM: 7404: Device naa.6001:$((i % 9 + 1)) detected to be a snapshot:"; done >many.log
exits "the same message many times" 1 "$VMFSKIT" explain --store none many.log
is "each is explained, the advice stands once" "$(grep -c '^    attention' "$OUT") $(grep -c '^    next' "$OUT")" "3000 1"
# lines longer than any buffer, no line end, zeros
{ head -c 700000 /dev/zero | tr '\0' x; head -c 700000 /dev/zero; echo; printf 'Mounting volume %s' "$uuid"; } >long.log
exits "lines of megabytes, and zeros" 0 "$VMFSKIT" explain --only --store none long.log
is "the last one is found without its end" "$(head -n 1 "$OUT")" "Mounting volume $uuid"
