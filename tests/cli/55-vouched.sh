#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A capture that fits itself and is not what was saved: verify, list, doctor and find do not believe it, restore, undo and
# repair refuse it. And what was judged is what is written, whatever becomes of the files meanwhile.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
need perl jq openssl sha256sum
cd "$TMP" || exit 1

for key in key foreign; do
	openssl genpkey -algorithm ed25519 -out $key 2>/dev/null
	openssl pkey -in $key -pubout -out $key.pub
	chmod 600 $key
done
"$LAB" make --table gpt --vmfs 5 --size 320M --label kept good.img >/dev/null || exit 1
"$VMFSKIT" capture --store plain good.img >/dev/null || exit 1
"$VMFSKIT" capture --store signed --sign-key key good.img >/dev/null || exit 1

# forge FOLDER: other bytes in the LVM region, and every digest put right
forge() {
	chmod -R u+w "$1"
	cp "$1/p1-lvm.raw" "$1/.new" && mv "$1/.new" "$1/p1-lvm.raw"
	printf EVILEVIL | dd of="$1/p1-lvm.raw" bs=1 seek=$((3 << 20)) conv=notrunc status=none
	perl -MDigest::SHA -e '
		my ($dir) = @ARGV; my $sum = Digest::SHA->new(256)->addfile("$dir/p1-lvm.raw", "b")->hexdigest;
		local $/; open(my $f, "<:raw", "$dir/manifest.json") or die; my $text = <$f>; close $f;
		$text =~ s/("file": "p1-lvm.raw".*?"sha256": ")[0-9a-f]{64}/$1$sum/s or die;
		open($f, ">:raw", "$dir/manifest.json") or die; print $f $text' "$1"
	(cd "$1" && sed -i -E "s/^[0-9a-f]+(  (p1-lvm.raw|manifest.json))\$/X\\1/" SHA256SUMS &&
		for file in p1-lvm.raw manifest.json; do
			sed -i "s/^X  $file\$/$(sha256sum <$file | cut -d ' ' -f 1)  $file/" SHA256SUMS
		done)
	chmod -R go-w "$1"
}
# renew KIND: st is a fresh copy of that store, $id its capture, disk.img a disk whose LVM header is gone
renew() {
	rm -rf st
	cp -a "$1" st
	id=$(captures st)
	copy_disk good.img disk.img
	"$LAB" break --how header disk.img >/dev/null || exit 1
	broken=$(disk_sum disk.img)
}
# refused NAME CAPTURE OPTIONS...: by capture-vouched and by nothing else, and nothing is written
refused() {
	local name=$1 capture=$2
	shift 2
	exits "$name: refused" 3 "$VMFSKIT" restore "$@" "$capture" disk.img
	has "$name: by name" "$ERR" '^guard capture-vouched refuses: '
	is "$name: by no other guard" "$(grep -c '^guard .* refuses: ' "$ERR")" 1
	exits "$name: refused with --write" 3 "$VMFSKIT" restore "$@" --override capture-verified "$capture" disk.img --write
	is "$name: nothing was written" "$(disk_sum disk.img)" "$broken"
}
# taken NAME CAPTURE OPTIONS...: restored, and the bytes are those of the good disk
taken() {
	local name=$1 capture=$2
	shift 2
	ok "$name: restored" "$VMFSKIT" restore --json "$@" "$capture" disk.img --write
	cp "$OUT" taken.json
	is "$name: the disk is whole" "$(disk_sum disk.img)" "$(disk_sum good.img)"
}

# --- forged in its store
for kind in plain signed; do
	options=()
	[ $kind = plain ] || options=(--public-key key.pub)
	renew $kind
	ok "$kind: verify" "$VMFSKIT" verify --store st "${options[@]}"
	has "$kind: says who vouches" "$OUT" ", vouched for by the ledger$([ $kind = plain ] || echo ' and its signature')\$"
	taken "$kind" "$id" --store st "${options[@]}"
	hasnt "$kind: nothing is remarked of that" taken.json 'vouched for by'
	[ $kind = plain ] || has "$kind: without the private key the undo capture is not signed, which is said" taken.json 'undo capture will not be signed'

	renew $kind
	forge "st/$id"
	ok "$kind, forged: it fits itself" bash -c "cd 'st/$id' && sha256sum --quiet -c SHA256SUMS"
	exits "$kind, forged: verify" 1 "$VMFSKIT" verify --store st "$id"
	has "$kind, forged: verify does not trust it" "$OUT" ': not trusted, '
	hasnt "$kind, forged: not vouched for" "$OUT" 'vouched for by'
	exits "$kind, forged: verify, JSON" 1 "$VMFSKIT" verify --json --store st "$id"
	is "$kind, forged: verify, JSON: by nobody" "$(jq -c '[.captures[].vouched_by]' "$OUT")" '[[]]'
	exits "$kind, forged: list" 1 "$VMFSKIT" list --store st
	has "$kind, forged: list does not trust it" "$OUT" '^not trusted'
	refused "$kind, forged" "$id" --store st "${options[@]}"
	has "$kind, forged: says why" "$ERR" 'ledger\.capture-differs'
	refused "$kind, forged, by its path and with another store named" "st/$id" --store nowhere "${options[@]}"
	ok "$kind, forged: lifted by its name" "$VMFSKIT" restore --store st "${options[@]}" --override capture-vouched "$id" disk.img
	has "$kind, forged: and says so" "$ERR" '^guard capture-vouched was lifted: '

	# the healthy disk is not accused, and find is not sent elsewhere
	run "$VMFSKIT" doctor --json --store st "${options[@]}" --heartbeat-wait 0 good.img
	is "$kind, forged: doctor does not go by it" "$(jq -r '[.sources[].capture // "none"] | join(" ")' "$OUT")" none
	is "$kind, forged: doctor says which capture it does not use, and why" \
		"$(jq -r '.sources[] | .passed_over + ": " + .passed_over_why' "$OUT")" "$id: $id has another manifest than the ledger recorded"
	run "$VMFSKIT" doctor --json --store $kind "${options[@]}" --heartbeat-wait 0 good.img
	is "$kind: doctor goes by a genuine one" "$(jq -r '[.sources[].capture // "none"] | join(" ")' "$OUT")" "$id"
	is "$kind: doctor passes over none" "$(jq -c '.sources[] | [.passed_over, .passed_over_why]' "$OUT")" '[null,null]'
	copy_disk good.img lost.img
	"$LAB" break --how table lost.img >/dev/null
	run "$VMFSKIT" doctor --store $kind "${options[@]}" --heartbeat-wait 0 lost.img
	next=$(sed -n 's/^  1\. vmfskit //p' "$OUT")
	is "$kind: doctor's next command asks for the signature as well" "$next" "restore $id lost.img --store $kind${options[*]:+ ${options[*]}}"
	ok "$kind: doctor's next command works" bash -c "'$VMFSKIT' $next"
	run "$VMFSKIT" doctor --store st "${options[@]}" --heartbeat-wait 0 lost.img
	has "$kind, forged: doctor in words" "$OUT" "^  not used: $id: "
	is "$kind, forged: before any repair it is looked at" "$(sed -n 's/^  1\. vmfskit //p' "$OUT")" \
		"verify $id --store st${options[*]:+ ${options[*]}}"
	run "$VMFSKIT" find --likely --store $kind "${options[@]}" lost.img
	has "$kind: find is told by a genuine one" "$OUT" "found by .*capture $id"
	run "$VMFSKIT" find --likely --store st "${options[@]}" lost.img
	has "$kind, forged: find still finds" "$OUT" '^Found 1 living volume'
	hasnt "$kind, forged: find is not told by it" "$OUT" "capture $id"
	run "$VMFSKIT" repair header --json --store st "${options[@]}" disk.img --partition 1
	is "$kind, forged: repair does not ask it, and says so" "$(jq -c '[.asked, .passed_over]' "$OUT")" "[[],\"$id\"]"
	run "$VMFSKIT" repair header --store st "${options[@]}" disk.img --partition 1
	has "$kind, forged: repair in words" "$OUT" "^not used $id: "
	exits "$kind, forged: repair, named" 3 "$VMFSKIT" repair header --store st "${options[@]}" --capture "$id" disk.img --partition 1
	has "$kind, forged: repair, named: by name" "$ERR" '^guard capture-vouched refuses: '
	is "$kind, forged: nothing was written" "$(disk_sum disk.img)" "$broken"
done

# what was captured of a damaged disk is no better than the disk: nobody is sent there
copy_disk good.img lost.img
"$LAB" break --how table lost.img >/dev/null
run "$VMFSKIT" capture --store damaged lost.img
chmod g+w damaged
run "$VMFSKIT" doctor --json --store damaged --heartbeat-wait 0 lost.img
is "a capture of the damage: not advised" "$(jq -c ".sources[] | [.next[0].command]" "$OUT")" \
	'["vmfskit capture lost.img --store damaged"]'

# --- the key alone tells: the attacker put the ledger right
renew signed
forge "st/$id"
record st
refused "the ledger put right" "$id" --store st --public-key key.pub
has "the ledger put right: the signature tells" "$ERR" 'signature\.wrong'
renew signed
refused "signed by somebody else" "$id" --store st --public-key foreign.pub
renew plain
refused "not signed" "$id" --store st --public-key key.pub
printf 'public-key = %s\n' "$TMP/key.pub" >keyed.conf
refused "not signed, the key is configured" "$id" --config keyed.conf --store st

# --- the ledger itself
renew plain
rm st/ledger.*
refused "no ledger" "$id" --store st
has "no ledger: says so" "$ERR" 'ledger\.missing'
renew plain
: >st/ledger.jsonl
refused "an empty ledger" "$id" --store st
renew plain
sed -i 's/"user":"[^"]*"/"user":"nobody"/' st/ledger.jsonl
refused "its line was altered" "$id" --store st
renew plain
cp -a "signed/$(captures signed)" "st/20200101T000000Z-slipped"
sed -i "s/\"id\": \"[^\"]*\"/\"id\": \"20200101T000000Z-slipped\"/" st/20200101T000000Z-slipped/manifest.json
exits "slipped in: verify" 1 "$VMFSKIT" verify --store st 20200101T000000Z-slipped
has "slipped in: is told" "$OUT" 'ledger\.capture-unrecorded'
slip=st/20200101T000000Z-slipped
chmod u+w $slip $slip/SHA256SUMS
sed -i "s/^[0-9a-f]*  manifest.json\$/$(sha256sum <$slip/manifest.json | cut -d ' ' -f 1)  manifest.json/" $slip/SHA256SUMS
refused "slipped in" 20200101T000000Z-slipped --store st

# --- others can write
renew plain
chmod g+w "st/$id/p1-lvm.raw"
refused "a file that others can write to" "$id" --store st
renew plain
chmod o+w "st/$id"
refused "a folder that others can write to" "$id" --store st
renew plain
chmod g+w st
refused "a store that others can write to" "$id" --store st
exits "a store that others can write to: verify" 1 "$VMFSKIT" verify --store st "$id"
if [ "$(id -u)" -eq 0 ]; then
	renew plain
	chown 4711 st
	refused "a store of somebody else" "$id" --store st
	renew plain
	chown 4711 "st/$id"
	refused "a capture of somebody else" "$id" --store st
else
	skip "a store of somebody else" "needs root"
fi

# --- a copy on a stick: no ledger beside it
mkdir stick
stick() { rm -rf stick && mkdir stick && cp -a "$1/$(captures "$1")" stick/ && copy=stick/$(captures stick) && renew "$1"; }
stick plain
taken "a copy" "$copy" --store elsewhere
has "a copy: nothing but itself vouches" taken.json 'vouched for by nothing but itself'
rm -rf elsewhere
ok "a copy: verify" "$VMFSKIT" verify --store elsewhere "$copy"
has "a copy: verify says so" "$OUT" 'sound, .*, vouched for by nothing but itself$'
stick plain
taken "a copy of what is in the store" "$copy" --store st
hasnt "a copy of what is in the store: its ledger vouches" taken.json 'vouched for by'
stick plain
forge "$copy"
refused "a forged copy of what is in the store" "$copy" --store st
exits "a forged copy of what is in the store: verify" 1 "$VMFSKIT" verify --store st "$copy"
has "a forged copy of what is in the store: is told" "$OUT" 'ledger\.capture-differs'
stick plain
cp plain/ledger.* stick/
taken "a copy with its ledger" "$copy" --store elsewhere
hasnt "a copy with its ledger: it vouches" taken.json 'vouched for by'
rm -rf elsewhere
forge "$copy"
renew plain
refused "a forged copy with its ledger" "$copy" --store elsewhere
rm stick/ledger.jsonl
refused "a copy whose ledger is gone and whose head is not" "$copy" --store elsewhere
stick signed
taken "a signed copy" "$copy" --store elsewhere --public-key key.pub
hasnt "a signed copy: the signature vouches" taken.json 'vouched for by'
rm -rf elsewhere
forge "$copy"
renew signed
refused "a signed copy that was forged" "$copy" --store elsewhere --public-key key.pub
stick plain
refused "a copy that is not signed" "$copy" --store elsewhere --public-key key.pub

# --- undo
renew plain
taken "for an undo" "$id" --store st
undo=$(undo_of taken.json)
ok "the undo capture is vouched for" "$VMFSKIT" undo --store st "$undo" disk.img
hasnt "and no guard speaks" "$ERR" guard
whole=$(disk_sum disk.img)
hasnt "what was put back tells that nothing changed since" "$OUT" 'is not known without'
cp -a "st/$id" put.back
forge "st/$id"
run "$VMFSKIT" undo --store st "$undo" disk.img
has "a forged one tells nothing of that" "$OUT" 'is not known without'
rm -rf "st/$id" && mv put.back "st/$id"
chmod -R u+w "st/$undo"
sed -i 's/"user": "[^"]*"/"user": "nobody"/' "st/$undo/manifest.json"
sum=$(sha256sum <"st/$undo/manifest.json" | cut -d ' ' -f 1)
sed -i "s/^[0-9a-f]*  manifest.json/$sum  manifest.json/" "st/$undo/SHA256SUMS"
exits "a forged undo capture" 3 "$VMFSKIT" undo --store st "$undo" disk.img --write
has "a forged undo capture: by name" "$ERR" '^guard capture-vouched refuses: '
is "a forged undo capture: nothing was written" "$(disk_sum disk.img)" "$whole"

renew signed
ok "without the private key: restored" "$VMFSKIT" restore --store st --public-key key.pub "$id" disk.img --write
back=$(sed -n 's/^to go back to the state before: vmfskit //p' "$ERR")
has "without the private key: the same way back at the end" "$OUT" "^  vmfskit $back\$"
ok "without the private key: the printed way back works" bash -c "'$VMFSKIT' $back"
is "without the private key: it leads back" "$(disk_sum disk.img)" "$broken"
ok "with both keys: restored" "$VMFSKIT" restore --store st --sign-key key --public-key key.pub "$id" disk.img --write
hasnt "with both keys: no guard is lifted by the way back" "$ERR" override

# --- a file that is swapped after it was judged: before the Nth time that it is opened, another one takes its name
if [ "${BUILD%/asan}" = "$BUILD" ] && command -v cc >/dev/null; then
	cat >swap.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int swapped(int dir, const char *path, int flags, const char *name)
{
	static int opened;
	int (*real)(int, const char *, int, ...) = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, name);
	if (strcmp(path, "p1-lvm.raw") == 0 && ++opened == atoi(getenv("SWAP_BEFORE")))
		rename(getenv("SWAP_FROM"), getenv("SWAP_TO"));
	return real(dir, path, flags, 0600);
}
int openat(int dir, const char *path, int flags, ...) { return swapped(dir, path, flags, "openat"); }
int openat64(int dir, const char *path, int flags, ...) { return swapped(dir, path, flags, "openat64"); }
END
	ok "the swap is built" cc -shared -fPIC -o swap.so swap.c -ldl
	seen=
	for n in 1 2 3 4 5 6; do
		renew plain
		cp -a "st/$id/p1-lvm.raw" evil.raw
		chmod u+w evil.raw
		printf EVILEVIL | dd of=evil.raw bs=1 seek=$((3 << 20)) conv=notrunc status=none
		printf EVILEVIL | dd of=evil.raw bs=1 seek=$(((1 << 20) + 672)) conv=notrunc status=none
		run env LD_PRELOAD="$TMP/swap.so" SWAP_BEFORE=$n SWAP_FROM="$TMP/evil.raw" SWAP_TO="$TMP/st/$id/p1-lvm.raw" \
			"$VMFSKIT" restore --store st "$id" disk.img --write
		[ -e evil.raw ] && state=unopened || state=swapped
		case $CODE in
		3) is "swapped before it is opened the $n. time: nothing was written" "$(disk_sum disk.img)" "$broken" ;;
		*) is "swapped before it is opened the $n. time: the judged bytes were written" "$CODE $(disk_sum disk.img)" \
			"0 $(disk_sum good.img)" ;;
		esac
		seen="$seen $state:$CODE"
	done
	has "it was swapped before it was judged, and after" "$seen" 'swapped:3 .*unopened:0'
	has "between the two looks: it is refused" "$seen" '^ swapped:3 swapped:3'
else
	skip "a file that is swapped" "this is the pass with sanitizers, or there is no compiler"
fi
