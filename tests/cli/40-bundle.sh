#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bundles: every verb that looks says from one what it says from the disk, but for contents of files; what cannot be read, what
# stands in the way of writing one, what is no bundle any more; and what --redact leaves out.
. "$(dirname "$0")/../lib.sh"
need jq zstd
cd "$TMP" || exit 1
PATH=$PATH:/usr/sbin:/sbin

cat >recipe <<'END'
disk /web%20secret/web01.vmdk size=40M
file /web%20secret/web01-000002-delta.vmdk size=1M
file /web%20secret/web01.vmx size=900
file /web%20secret/notes.txt size=30000
file /web%20secret/tiny.txt size=20
link /web%20secret/hidden-link to=secret-target
folder /many entries=90 names=customer
file /gone-secret.txt size=1M deleted
rdm /web%20secret/raw.vmdk lun=naa.600144f0d0cc2f00000051dc1e860001
END
# what verbs print, in words that do not depend on where the contents are
told() { sed -E "s/$2/disk/g; s/  \[[^]]* of it not in the source\]\$//; s/^(PATH|FILE OFFSET).*//; s/(  no|  yes)\$//; s/ +/ /g" "$1"; }
same_told() { # NAME DISK BUNDLE VERB... (SOURCE stands for the disk)
	local name=$1 disk=$2 bundle=$3 code
	shift 3
	"$VMFSKIT" "${@/SOURCE/$disk}" >from-disk 2>/dev/null
	code=$?
	exits "$name: the same code" $code "$VMFSKIT" "${@/SOURCE/$bundle}"
	told from-disk "$disk" >from-disk.told
	told "$OUT" "$bundle" >from-bundle.told
	same "$name" from-disk.told from-bundle.told
}
# all answers that do not show contents
same_verbs() { # NAME DISK BUNDLE PATH
	same_told "$1: ls" "$2" "$3" ls -laR SOURCE
	same_told "$1: ls of deleted names" "$2" "$3" ls -R --deleted SOURCE
	same_told "$1: stat" "$2" "$3" stat SOURCE "$4"
	same_told "$1: check" "$2" "$3" check SOURCE
	is "$1: map" "$("$VMFSKIT" map --json "$3" "$4" | jq -c '[.extents[] | [.file_offset, .length, .kind, .volume_offset]]')" \
		"$("$VMFSKIT" map --json "$2" "$4" | jq -c '[.extents[] | [.file_offset, .length, .kind, .volume_offset]]')"
	is "$1: decode" "$("$VMFSKIT" decode --json "$3" | jq -cS '.sources[0] | .table, .vmfs')" \
		"$("$VMFSKIT" decode --json "$2" | jq -cS '.sources[0] | .table, .vmfs')"
	is "$1: find" "$("$VMFSKIT" find --no-store --json "$3" 2>/dev/null | jq -c '.volumes')" \
		"$("$VMFSKIT" find --no-store --json "$2" 2>/dev/null | jq -c '.volumes')"
}

for version in 3 5 6; do
	"$LAB" make --vmfs $version --size 2G --label site --live 1 --files recipe d$version.img >/dev/null
	ok "VMFS$version: a bundle" "$VMFSKIT" capture --bundle b$version d$version.img
	has "VMFS$version: its size is told first" "$ERR" 'note: about [0-9.]+ MiB are to be read, at most'
	has "VMFS$version: what is in it" "$OUT" '^  file descriptors +[0-9.]+ [KM]iB$'
	ok "VMFS$version: it is small" [ "$(stat -c %s b$version)" -lt 200000 ]
	same_verbs "VMFS$version" d$version.img b$version "/web secret/web01.vmx"
	is "VMFS$version: a small file is in it" "$("$VMFSKIT" cat b$version "/web secret/notes.txt" | sha256sum)" \
		"$("$VMFSKIT" cat d$version.img "/web secret/notes.txt" | sha256sum)"
	exits "VMFS$version: contents are not in it, and are no zeros" 4 "$VMFSKIT" cat b$version "/web secret/web01-flat.vmdk"
	is "VMFS$version: of these nothing comes" "$(stat -c %s "$OUT")" 0
	ok "VMFS$version: once more" "$VMFSKIT" capture --bundle again d$version.img --overwrite
	same "VMFS$version: the same bytes" b$version again
done
run "$VMFSKIT" decode b6
has "decode says that it is a part" "$OUT" '^  holds a part of the disk: .*, by its index'
is "the form is told" "$("$VMFSKIT" decode --json b6 | jq -r '.sources[0].form')" bundle

run "$VMFSKIT" doctor --store none --heartbeat-wait 0 b6
has "doctor says how much is in it, and that it is sound" "$OUT" '^This is [0-9.]+ MiB of 2 GiB, and what is here is sound\.$'
hasnt "doctor does not call it a copy that was cut short" "$OUT" 'cut short'

# --- several volumes, and an MBR with a chain
"$LAB" make --table mbr --size 2G --volume vmfs=3,size=700M,label=one --volume vmfs=5,size=700M,label=two two.img >/dev/null 2>&1 ||
	"$LAB" make --table mbr --vmfs 3 --start 63 --size 1G --label one two.img >/dev/null
ok "a disk with an MBR" "$VMFSKIT" capture --bundle two two.img
is "all volumes are in it" "$("$VMFSKIT" decode --json two | jq -cS '.sources[0] | .table, .vmfs')" \
	"$("$VMFSKIT" decode --json two.img | jq -cS '.sources[0] | .table, .vmfs')"

# --- the data that other programs get out of it
zstd -dcq b5 >plain
is "zstd unpacks as much as the index says" "$(stat -c %s plain)" \
	"$("$VMFSKIT" capture --bundle again d5.img --overwrite --json 2>/dev/null | jq '.total_bytes - .zero_bytes - .unreadable_bytes')"
cmp -n $((512 * 34)) plain d5.img >cmp.out
is "it begins with the partition table" "$(cat cmp.out)" ""

# --- what cannot be read is listed, and unreadable from the bundle as well
bad=$((2048 * 512 + 0x1100000 + 0x300000))
exits "bad sectors" 1 env VMFSKIT_TEST_BAD="$bad+512" "$HOOKS" capture --bundle bad d5.img
has "bad sectors: told" "$ERR" source.unreadable
has "bad sectors: how much" "$OUT" '^  unreadable +512 bytes$'
run env VMFSKIT_TEST_BAD="$bad+512" "$HOOKS" decode --json d5.img
cp "$OUT" want.json
run "$VMFSKIT" decode --json bad
is "bad sectors: the same findings" "$(jq -c '[.findings[] | select(.code == "source.unreadable") | .offset_bytes]' "$OUT")" \
	"$(jq -c '[.findings[] | select(.code == "source.unreadable") | .offset_bytes]' want.json)"

# --- what stands in the way
exits "a file that exists" 2 "$VMFSKIT" capture --bundle b5 d5.img
has "a file that exists: what to do" "$ERR" 'add --overwrite'
exits "over what is read" 3 "$VMFSKIT" capture --overwrite --bundle d5.img d5.img
exits "over what is read, by another name" 3 "$VMFSKIT" capture --overwrite --bundle "$TMP/d5.img" d5.img
exits "no such folder" 4 "$VMFSKIT" capture --bundle none/b d5.img
exits "not with a store" 2 "$VMFSKIT" capture --bundle x --store s d5.img
exits "not with --all" 2 "$VMFSKIT" capture --bundle x --all
exits "of one disk" 2 "$VMFSKIT" capture --bundle x d5.img d6.img
exits "--redact needs it" 2 "$VMFSKIT" capture --redact d5.img
exits "a key that is too short" 2 "$VMFSKIT" capture --bundle x --redact --redact-key /dev/null d5.img
exits "of no disk" 2 "$VMFSKIT" capture --bundle x recipe
mkdir full
(ulimit -f 8; trap '' XFSZ; exec "$VMFSKIT" capture --bundle full/b d6.img) >full.out 2>&1
is "no room: the exit code" $? 4
is "no room: nothing is left" "$(ls full)" ""
for verb in "repair table" "repair header" "wipe --signature all"; do
	exits "$verb refuses it" 3 "$VMFSKIT" $verb --store s --heartbeat-wait 0.3 --override heartbeat b5
	has "$verb says what it is" "$ERR" 'guard container refuses: this is a bundle, not a disk'
done

# --- what is none any more
head -c 20000 b5 >cut
exits "cut off" 1 "$VMFSKIT" ls cut
has "cut off: told" "$ERR" 'cut off: its index is missing'
cp b5 other
printf '\377' | dd of=other bs=1 seek=3000 conv=notrunc status=none
exits "a damaged frame" 1 "$VMFSKIT" decode other
has "a damaged frame: told" "$OUT" source.stream-damaged

# --- --redact
for version in 3 5 6; do
	ok "VMFS$version: without names" "$VMFSKIT" capture --redact --bundle r$version d$version.img
	has "VMFS$version: that is said" "$OUT" '^Names were hashed\.'
	zstd -dcq r$version >plain
	is "VMFS$version: no name, target or address is in it" "$(LC_ALL=C grep -a -c -iE 'secret|customer|web0|notes|tiny|target|10\.20\.' plain)" 0
	is "VMFS$version: they are in the other one" "$(zstd -dcq b$version | LC_ALL=C grep -a -o -E 'secret|customer|web01|10\.20\.' | sort -u | wc -l)" 4
	same_told "VMFS$version: without names: check" d$version.img r$version check SOURCE
	"$VMFSKIT" ls -R --json d$version.img 2>/dev/null | jq -cS '[.entries[] | [.size_bytes, .type, .mtime]] | sort' >want.json
	"$VMFSKIT" ls -R --json r$version 2>/dev/null | jq -cS '[.entries[] | [.size_bytes, .type, .mtime]] | sort' >have.json
	same "VMFS$version: sizes, types and times are the same" want.json have.json
	is "VMFS$version: what belongs together is seen" "$("$VMFSKIT" ls -R --json r$version 2>/dev/null | jq -r '.entries[].path' |
		sed -nE 's|.*/(x[0-9a-f]{16})(-flat.vmdk\|.vmx\|-000002-delta.vmdk)$|\1|p' | sort | uniq -c | awk '{ print $1 }')" 3
	run "$VMFSKIT" cat r$version "$("$VMFSKIT" ls -R --json r$version 2>/dev/null | jq -r '.entries[] | select(.size_bytes == 20) | .path')"
	is "VMFS$version: a tiny file has no contents, not zeros" "$(stat -c %s "$OUT")" 0
done
head -c 32 /dev/urandom >key
for n in 1 2; do ok "with a key" "$VMFSKIT" capture --redact --redact-key key --bundle k$n d6.img; done
same "with a key the same bytes" k1 k2
ok "without one others" test "$(sha256sum <r6)" != "$(sha256sum <k1)"

# --- 64 TB
if big=$(big_dir); then
	"$LAB" make --vmfs 6 --size 64T --label big --files recipe "$big/64T.img" >/dev/null
	ok "64 TB" "$VMFSKIT" capture --bundle b64 "$big/64T.img"
	ok "64 TB: its size, $(stat -c %s b64) bytes" [ "$(stat -c %s b64)" -lt 2000000 ]
	ln -s "$big/64T.img" 64T.img
	same_verbs "64 TB" 64T.img b64 "/web secret/web01.vmx"
else
	skip "64 TB" "no file system for a file of 64 TB"
fi
