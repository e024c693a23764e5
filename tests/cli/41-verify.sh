# SPDX-License-Identifier: Apache-2.0
# verify: whatever changes in a capture is found, and sha256sum agrees. Every byte of manifest.json and SHA256SUMS is
# flipped in tests/unit/test_capture_verify.c, which is quicker; here it is the program that is tested.
. "$(dirname "$0")/../lib.sh"
need perl sha256sum

"$LAB" make --vmfs 3 --table mbr --size 2G --live 1 "$TMP/disk.img" >/dev/null || exit 1
"$VMFSKIT" capture --store "$TMP/store" "$TMP/disk.img" >/dev/null || exit 1
id=$(ls "$TMP/store" | grep -v "^ledger\.")
dir=$TMP/store/$id

# flip FILE OFFSET MASK
flip() {
	perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; sysseek($f, $ARGV[1], 0); sysread($f, my $b, 1);
		sysseek($f, $ARGV[1], 0); syswrite($f, chr(ord($b) ^ $ARGV[2]))' "$1" "$2" "$3"
}
json() { perl -MJSON::PP -e 'local $/; open(my $f, "<", $ARGV[0]) or die; our $j = decode_json(<$f>); print eval($ARGV[1]) // "undef: $@"' "$2" "$1"; }
# damaged NAME CODE: verify exits 1 and names exactly that finding
damaged() {
	exits "$1" 1 "$VMFSKIT" verify --json "$dir"
	is "$1: what it is" "$(json 'join " ", map { $_->{code} } @{$j->{findings}}' "$OUT")" "$2"
}

ok "by path" "$VMFSKIT" verify "$dir"
ok "by path with a slash behind" "$VMFSKIT" verify "$dir/"
ok "by id" "$VMFSKIT" verify --store "$TMP/store" "$id"
ok "all of the store" "$VMFSKIT" verify --store "$TMP/store"
has "verdict" "$OUT" ': sound, '
ok "quiet" "$VMFSKIT" verify --quiet --ledger --store "$TMP/store"
is "quiet: not a word" "$(cat "$OUT" "$ERR")" ""
ok "JSON" "$VMFSKIT" verify --json --store "$TMP/store"
is "its form" "$(json 'join " ", $j->{schema}, $j->{captures}[0]{id}, $j->{captures}[0]{verdict}' "$OUT")" "vmfskit.verify/1 $id sound"
exits "unknown" 4 "$VMFSKIT" verify --store "$TMP/store" 20090421T164556Z-none
has "says where it looked" "$ERR" "$TMP/store"
exits "one unknown, one sound" 4 "$VMFSKIT" verify --store "$TMP/store" nope "$id"
has "the sound one is judged" "$OUT" ': sound, '
exits "no store" 4 "$VMFSKIT" verify --store "$TMP/nothing"
mkdir "$TMP/empty"
ok "empty store" "$VMFSKIT" verify --store "$TMP/empty"
has "empty store: nothing was expected there" "$OUT" '^no captures in'
# an emptied one: head or anchor know that there was something
emptied() { # NAME OPTIONS...
	local name=$1
	shift
	exits "emptied store, $name" 1 "$VMFSKIT" verify --store "$TMP/emptied" "$@"
	has "emptied store, $name: not sound" "$OUT" 'ledger\.jsonl: .* not sound'
	exits "emptied store, $name: quiet" 1 "$VMFSKIT" verify --quiet --store "$TMP/emptied" "$@"
	has "emptied store, $name: not silent" "$OUT" "not sound"
}
cp -a "$TMP/store" "$TMP/emptied"
"$VMFSKIT" prune --store "$TMP/emptied" --write --keep-daily 100 --anchor "$TMP/anchor" >/dev/null
rm -r "$TMP/emptied/$id"
: >"$TMP/emptied/ledger.jsonl"
emptied "its head is left"
emptied "its head is left, insisting" --ledger
emptied "its head is left, with its anchor" --anchor "$TMP/anchor"
rm "$TMP/emptied/ledger.head"
emptied "with its anchor" --anchor "$TMP/anchor"
printf 'anchor = %s\n' "$TMP/anchor" >"$TMP/anchored.conf"
emptied "with the configured anchor" --config "$TMP/anchored.conf"
rm "$TMP/emptied/ledger.jsonl"
emptied "with the configured anchor, the ledger gone" --config "$TMP/anchored.conf"
cp "$TMP/anchor" "$TMP/emptied/ledger.head"
emptied "the ledger gone and its head left"

cp -a "$TMP/store" "$TMP/keep"
renew() {
	rm -rf "$TMP/store"
	cp -a "$TMP/keep" "$TMP/store"
	chmod u+w "$dir"/*
}

renew
missed=
for file in manifest.json SHA256SUMS RESTORE.txt; do
	size=$(stat -c %s "$dir/$file")
	for at in 0 1 $((size / 3)) $((size / 2)) $((size - 2)) $((size - 1)); do
		flip "$dir/$file" $at 1
		"$VMFSKIT" verify "$dir" >/dev/null 2>&1
		[ $? -eq 1 ] || missed="$missed $file:$at"
		flip "$dir/$file" $at 1
	done
done
is "flipped bytes of the small files" "$missed" ""
missed=
for file in head.raw p1-lvm.raw p1-vh.raw p1-heartbeats.raw; do
	size=$(stat -c %s "$dir/$file")
	for at in 0 511 $((size / 2)) $((size - 1)); do
		flip "$dir/$file" $at 128
		"$VMFSKIT" verify "$dir" >"$TMP/told" 2>&1
		[ $? -eq 1 ] && grep -q "$file is not what was saved" "$TMP/told" || missed="$missed $file:$at"
		(cd "$dir" && sha256sum --status -c SHA256SUMS) && missed="$missed sha256sum:$file:$at"
		flip "$dir/$file" $at 128
	done
done
is "flipped bytes of the regions, and sha256sum agrees" "$missed" ""
ok "all flipped back" "$VMFSKIT" verify "$dir"

renew
rm "$dir/head.raw"
damaged "a file gone" capture.file-missing
renew
truncate -s -1 "$dir/p1-vh.raw"
damaged "a file cut" capture.file-size
renew
truncate -s +1 "$dir/p1-vh.raw"
damaged "a file grown" capture.file-size
renew
echo >"$dir/p1-vh.raw.bak"
damaged "a foreign file" capture.extra-file
renew
mv "$dir/head.raw" "$TMP/head.raw"
ln -s "$TMP/head.raw" "$dir/head.raw"
damaged "a link" capture.file-missing
renew
echo >>"$dir/SHA256SUMS"
damaged "a line too much" capture.sums
renew
rm "$dir/SHA256SUMS"
damaged "no sums" capture.sums
renew
sed -i 's/"table": "mbr"/"table": "gpt"/' "$dir/manifest.json"
damaged "another manifest" "capture.manifest ledger.capture-differs"
renew
# whoever alters the manifest and adapts the sums must at least write it as we do
perl -pi -e 's/"table": "mbr"/"table":  "mbr"/' "$dir/manifest.json"
sum=$(sha256sum "$dir/manifest.json" | cut -d ' ' -f 1)
sed -i "s/^[0-9a-f]*  manifest.json/$sum  manifest.json/" "$dir/SHA256SUMS"
ok "sums that were adapted" bash -c "cd '$dir' && sha256sum --quiet -c SHA256SUMS"
damaged "do not help" "capture.manifest ledger.capture-differs"
renew
flip "$dir/head.raw" 5 1
flip "$dir/p1-lvm.raw" 5 1
rm "$dir/p1-vh.raw"
echo >"$dir/extra"
damaged "all at once" "capture.digest capture.digest capture.file-missing capture.extra-file"
renew
: >"$dir/manifest.json"
flip "$dir/head.raw" 5 1
exits "no manifest to speak of" 1 "$VMFSKIT" verify "$dir"
has "says so" "$OUT" 'capture\.manifest'
has "and still finds the damaged region" "$OUT" 'head\.raw is not what was saved'
