#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Keeps the practice night of docs/runbook-nightly.md true: each line of its blocks is run, with the exit code that it names, and so are
# the commands that these lines print.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
need_root "the practice night"
need losetup readlink
losetup --find >/dev/null 2>&1 || { skip "the practice night" "there are no loop devices"; exit 0; }
page=$ROOT/docs/runbook-nightly.md
export PATH=$BUILD:$PATH TMPDIR=$TMP
folder=$TMP/practice
# LINE...: in the folder of the page, of which cd only says where the next one runs
obey() { (cd "$folder" 2>/dev/null || cd "$TMP" || exit; eval "$1"); }
lines=() said=
mapfile -t lines < <(awk '/^<!-- practice -->$/ { next_one = 1 } /^```$/ { on = 0 } on { print } /^```sh$/ { on = next_one; next_one = 0 }' "$page")
ok "there are lines to run" [ "${#lines[@]}" -ge 10 ]
for line in "${lines[@]}"; do
	name=${line%%  *# *}
	code=$(sed -n 's/.*# exit code \([0-9]\).*/\1/p' <<<"$line")
	line=${line//\/tmp\/practice/$folder}
	[ -z "$said" ] || line=${line//20261121T023012Z-lun1/$said}
	exits "$name" "${code:-0}" obey "$line"
	case $line in
	*"ln -s"*)
		for n in 0 1; do echo "$(readlink "$folder/disks/lun$n") $(behind_loop "$(readlink "$folder/disks/lun$n")")" >>"$TMP/.loops"; done
		before=$(disk_sum "$folder/lun1.img")
		;;
	*"first night"*) is "$name: both are new" "$(grep -c 'lun[01]: new, captured as' "$OUT")" 2 ;;
	*"second night"*) is "$name: nothing is printed" "$(cat "$OUT" "$ERR")" "" ;;
	*"mail of that night"*) has "$name: says which" "$OUT" 'lun1: partition table: kind gpt .* -> none' ;;
	*"which LUN it is"*) has "$name: says which" "$OUT" '^bad disk +shop1 ' ;;
	*"vmfskit doctor"*) said=$(sed -n 's/^  1\. vmfskit restore \([^ ]*\) .*/\1/p' "$OUT") && broken=$(disk_sum "$folder/lun1.img") ;;
	*"vmfskit restore"*)
		write=$(sed -n 's/^  \(vmfskit restore .* --write\)$/\1/p' "$OUT")
		exits "the command at the end of the plan" 0 obey "$write"
		undo=$(sed -n 's/^  \(vmfskit undo .* --write\)$/\1/p' "$OUT")
		is "the disk is what it was" "$(disk_sum "$folder/lun1.img")" "$before"
		ok "doctor once more" obey "vmfskit doctor disks/lun1 --store store"
		exits "the command that takes it back" 0 obey "$undo"
		is "and it is broken again" "$(disk_sum "$folder/lun1.img")" "$broken"
		;;
	esac
done
is "nothing is left" "$(ls -d "$folder" 2>/dev/null; losetup --noheadings --list --output BACK-FILE | grep "^$folder")" ""
