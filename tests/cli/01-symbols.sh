#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the libraries show: the shared one exactly the names of the public headers, the static one only names of ours.
. "$(dirname "$0")/../lib.sh"
cd "$ROOT" || exit 1

# a sanitizer adds names of its own
nm -D --defined-only "$BUILD/libvmfskit.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
	grep -v -e '^__odr_asan' -e '^__asan' | sort -u >"$TMP/shown"
ok "libvmfskit.so shows something" [ -s "$TMP/shown" ]
nm -g --defined-only "$BUILD/libvmfskit.a" 2>/dev/null | awk 'NF == 3 { print $3 }' |
	grep -v -e '^__odr_asan' -e '^__asan' -e '^\.' | sort -u >"$TMP/static"
is "libvmfskit.a shows only vk_" "$(grep -v '^vk_' "$TMP/static")" ""
is "soname" "$(readelf -d "$BUILD/libvmfskit.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')" libvmfskit.so.0

src/tools/exports.sh | sort -u >"$TMP/declared"
ok "the headers declare functions" [ "$(wc -l <"$TMP/declared")" -gt 50 ]
is "every name of the headers is in the library" "$(comm -23 "$TMP/declared" "$TMP/shown")" ""
is "the library shows nothing that no header declares" "$(comm -13 "$TMP/declared" "$TMP/shown")" ""
