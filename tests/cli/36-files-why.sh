#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Why bytes of a file cannot be had: the source does not hold them, a device does not deliver them, or what leads to them is damaged or
# zeros; of system files, on which others depend, as well. Every verb says the same.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
need jq
cd "$TMP" || exit 1

printf 'file /small size=30000 content=pattern\nfile /large size=9M stored=pointer-block content=pattern\nfolder /vm entries=3 names=entry-\n' >recipe
fd() { "$VMFSKIT" stat --json sound.img "$1" | jq '.files[0].device_offset'; }
content() { "$VMFSKIT" map --json sound.img "$1" | jq '.extents[0].device_offset'; }
# hurt BYTE LENGTH HOW: hurt.img, of which these bytes are zeros, or random
hurt() {
	copy_disk sound.img hurt.img
	dd if=/dev/"$3" of=hurt.img bs=512 seek=$(($1 / 512)) count=$(($2 / 512)) conv=notrunc status=none
}
# why FILE PATH REASON: as ls, stat, map and cp of hurt.img say it
why() {
	run "$VMFSKIT" ls -l "$2"
	has "$1: ls" "$OUT" "${3##*/}  \\[.* of it lost: what leads to it is $4\\]"
	hasnt "$1: ls does not blame the source" "$OUT" "not in the source"
	hasnt "$1: nor behind it" "$ERR" "not in the source|not, or not wholly, in the source"
	run "$VMFSKIT" ls --json "$2"
	is "$1: ls --json" "$(jq -r --arg path "$3" '.entries[] | select(.path == $path) | .missing' "$OUT")" "$4"
	run "$VMFSKIT" stat "$2" "$3"
	has "$1: stat" "$OUT" "^  not here +.* are lost: what leads to it is $4\$"
	run "$VMFSKIT" map "$2" "$3"
	has "$1: map" "$OUT" "^Where .* of it lie is not known: what tells it is $4\\.\$"
	run "$VMFSKIT" map --json "$2" "$3"
	is "$1: map --json" "$(jq -r '[.extents[] | select(.kind == "missing") | .missing] | unique | join(" ")' "$OUT")" "$4"
	rm -rf copied && mkdir copied
	exits "$1: cp" 1 "$VMFSKIT" cp "$2" "$3" copied/
	has "$1: cp" "$ERR" "cannot be read"
	hasnt "$1: cp does not blame the source" "$ERR" "not in the source"
}
for v in 5 6; do
	ok "VMFS$v" "$LAB" make --overwrite --table none --vmfs $v --size 4G --files recipe sound.img
	bytes=$((v == 6 ? 8192 : 2048))
	pointers=.pb2.sf
	[ $v = 6 ] || pointers=.pbc.sf
	for how in zero:zeros urandom:damaged; do
		hurt "$(fd /.sbc.sf)" $bytes ${how%:*}
		[ $v = 5 ] || why "VMFS$v, descriptor of .sbc.sf ${how#*:}" hurt.img /small ${how#*:}
		exits "VMFS$v, descriptor of .sbc.sf ${how#*:}: check" 1 "$VMFSKIT" check hurt.img
		hasnt "VMFS$v, descriptor of .sbc.sf ${how#*:}: no device is blamed" "$ERR" 'source\.unreadable'
		hurt "$(fd /$pointers)" $bytes ${how%:*}
		why "VMFS$v, descriptor of $pointers ${how#*:}" hurt.img /large ${how#*:}
		hurt "$(content /$pointers)" 512 ${how%:*}
		why "VMFS$v, metadata of $pointers ${how#*:}" hurt.img /large ${how#*:}
	done
	# the descriptor of a file: zeros, damaged, unreadable, behind the end of a dump
	at=$(fd /vm/entry-2)
	hurt "$at" $bytes zero
	run "$VMFSKIT" ls --json hurt.img /vm
	is "VMFS$v: a descriptor of zeros" "$(jq -r '[.entries[].unreadable | values] | join(" ")' "$OUT")" zeros
	hurt "$at" $bytes urandom
	run "$VMFSKIT" ls hurt.img /vm
	has "VMFS$v: a damaged descriptor" "$OUT" '^entry-2  \[its descriptor is damaged\]$'
	printf '0 +\n0 %d +\n%d %d -\n%d %d +\n' "$at" "$at" $bytes $((at + bytes)) $((4 * 1073741824 - at - bytes)) >map
	run "$VMFSKIT" ls --mapfile map sound.img /vm
	has "VMFS$v: an unreadable descriptor" "$OUT" '^entry-2  \[its descriptor is unreadable\]$'
	at=$(fd /.sbc.sf)
	printf '0 +\n0 %d +\n%d %d -\n%d %d +\n' "$at" "$at" $bytes $((at + bytes)) $((4 * 1073741824 - at - bytes)) >map
	run "$VMFSKIT" ls --mapfile map sound.img
	has "VMFS$v: an unreadable descriptor of .sbc.sf" "$ERR" 'source\.unreadable: the file descriptor of \.sbc\.sf is unreadable'

done
