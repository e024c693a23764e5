#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The doctor on what was crafted, or is rare: endless superblocks, cut labels, headers that contradict the table, stale
# signatures, disks that are two things at once, names that look like options.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
PATH=$PATH:/usr/sbin:/sbin
need perl jq mkfs.ext4 xmllint iconv
cd "$TMP" || exit 1

doctor() { "$VMFSKIT" doctor --heartbeat-wait 0 --store nowhere "$@"; }
codes() { jq -r '[.sources[].findings[].code | sub("incident."; "")] | sort | unique | join(" ")' "$1"; }
commands() { jq -r '[.sources[0].next[].command | values] | join("; ")' "$1"; }
headline() { jq -r '.sources[0].headline' "$1"; }
# put FILE OFFSET HEX: these bytes
put() { perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; sysseek($f, $ARGV[1], 0); syswrite($f, pack("H*", $ARGV[2])) or die' "$1" $(($2)) "$3"; }
# flip FILE OFFSET BIT
flip() { perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; sysseek($f, $ARGV[1], 0); sysread($f, my $b, 1); sysseek($f, $ARGV[1], 0);
	syswrite($f, chr(ord($b) ^ 1 << $ARGV[2])) or die' "$1" $(($2)) "$3"; }

"$LAB" make --table gpt --vmfs 5 --start 2048 --size 420M --label prod prod.orig >/dev/null || exit 1
fresh() { copy_disk prod.orig prod.img; }

# --- an ext superblock of 2^40 groups ------------------------------------------------------------------
fresh
mkfs.ext4 -F -q -E nodiscard,offset=1048576 prod.img 400M 2>"$ERR" || cat "$ERR"
put prod.img 1048576+1024+4 00000000
put prod.img 1048576+1024+0x20 00010000
put prod.img 1048576+1024+0x150 00000100
exits "an endless ext file system is told in no time" 1 timeout 20 "$VMFSKIT" doctor --heartbeat-wait 0 --store nowhere prod.img

# --- a label that ends in the middle of a character --------------------------------------------------------
fresh
mkfs.ext4 -F -q -E nodiscard -L aaaé -U 12345678-1234-4234-8234-123456789abc prod.img 2>"$ERR" || cat "$ERR"
exits "a label that does not fit: exit code" 1 doctor prod.img
cp "$OUT" said.txt
ok "a label that does not fit: no broken character" iconv -f utf-8 -t utf-8 said.txt
exits "a label that does not fit: json" 1 doctor --json prod.img
has "a label that does not fit: cut in front of it" "$(headline "$OUT")" 'label "aaa; it concerns'
exits "a label that does not fit: svg" 1 doctor --svg label.svg prod.img
ok "a label that does not fit: the picture is well-formed" xmllint --noout label.svg
