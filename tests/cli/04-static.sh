#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The static program needs nothing: decode and capture in a chroot that holds only it and a disk.
. "$(dirname "$0")/../lib.sh"
if [ -z "$STATIC" ]; then
	skip "the static program" "not built in this pass"
	exit 0
fi
is "no interpreter, no shared library" "$(readelf -ld "$STATIC" | grep -E 'INTERP|NEEDED')" ""
need_root "in an empty chroot"

mkdir -p "$TMP/root/store"
cp "$STATIC" "$TMP/root/vmfskit"
ok "a practice disk" "$LAB" make "$TMP/root/disk" --table gpt --size 2G
ok "version" chroot "$TMP/root" /vmfskit --version
ok "decode" chroot "$TMP/root" /vmfskit decode /disk
cp "$OUT" "$TMP/decoded"
(cd "$TMP/root" && "$VMFSKIT" decode disk | sed 's|disk|/disk|' >"$TMP/ordinary")
has "decode: shows the header" "$TMP/decoded" 'LVM'
ok "capture" chroot "$TMP/root" /vmfskit capture --store /store /disk
has "capture: made" "$(ls "$TMP/root/store")" '.'
ok "verify" chroot "$TMP/root" /vmfskit verify --store /store "$(ls "$TMP/root/store" | head -n 1)"
openssl genpkey -algorithm ed25519 -out "$TMP/root/key" 2>/dev/null && chmod 600 "$TMP/root/key"
openssl pkey -in "$TMP/root/key" -pubout -out "$TMP/root/pub"
ok "a signed capture" chroot "$TMP/root" /vmfskit capture --store /signed --sign-key /key --md5 /disk
ok "its signatures and ledger" chroot "$TMP/root" /vmfskit verify --store /signed --ledger --public-key /pub
has "who took it has a number at least" "$TMP/root/signed/ledger.jsonl" '"user":"0"'
ok "openssl agrees" openssl pkeyutl -verify -pubin -inkey "$TMP/root/pub" -rawin -in "$TMP/root/signed/ledger.head" \
	-sigfile "$TMP/root/signed/ledger.head.sig"
ok "the capture is sound outside" bash -c 'cd "$1"/*/ && sha256sum --quiet -c SHA256SUMS' bash "$TMP/root/store"
