#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A volume descriptor with a damaged firstPE: the PE table and the other two numbers say which extent is the first on this device.
. "$(dirname "$0")/../lib.sh"
need jq
cd "$TMP" || exit 1

printf 'file /small size=30000 content=pattern\n' >recipe
for v in 5 6; do
	ok "VMFS$v, a disk" "$LAB" make --overwrite --table gpt --vmfs $v --size 4G --files recipe disk.img
	whole=$("$VMFSKIT" cat disk.img /small | sha256sum)
	run "$VMFSKIT" decode --hex disk.img
	at=$(sed -n 's/^\([0-9a-f]*\) .* firstPE .*/\1/p' "$OUT" | head -n 1)
	ok "VMFS$v: firstPE is found" [ -n "$at" ]
	printf '\x13\x37\xaa\x05' | dd of=disk.img bs=1 seek=$((16#$at)) conv=notrunc status=none
	exits "VMFS$v, firstPE damaged: decode" 1 "$VMFSKIT" decode disk.img
	has "VMFS$v, firstPE damaged: it is said" "$ERR$(cat "$OUT")" 'first and last extent do not fit'
	has "VMFS$v, firstPE damaged: the file system is shown" "$OUT" '^  file system +VMFS'
	exits "VMFS$v, firstPE damaged: the files are there" 0 "$VMFSKIT" cat disk.img /small
	is "VMFS$v, firstPE damaged: with their bytes" "$(sha256sum <"$OUT")" "$whole"
	run "$VMFSKIT" doctor --json --heartbeat-wait 0 --store none disk.img
	is "VMFS$v, firstPE damaged: doctor knows the volume" "$(jq -r '.sources[0].volumes[0].fs_version | .[0:4]' "$OUT")" VMFS
done
