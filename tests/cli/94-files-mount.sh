#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A volume mounted read-only: what other programs see is what vmfskit cp takes out, and what is missing is an error.
. "$(dirname "$0")/../lib.sh"
cd "$TMP" || exit 1
need_root "mounts"
[ -c /dev/fuse ] && type -P fusermount3 >/dev/null || { skip "the rest of this test" "no FUSE here"; exit 0; }
mkdir m
# a mount that a failed check left
trap 'code=$?; fusermount3 -uq m; (exit $code); cleanup' EXIT

mkdir -p from/web
seq 1 200000 >from/web/web-flat.vmdk
seq 1 10 >from/web/web.vmx
ln -s web.vmx from/web/link
for version in 3 5 6; do
	ok "a volume of VMFS$version" "$LAB" make lab$version --table none --size 3G --vmfs $version --from from
	run "$VMFSKIT" mount lab$version m
	if [ "$CODE" -ne 0 ] && grep -q 'libfuse3' "$ERR"; then
		skip "the rest of this test" "built without libfuse3"
		exit 0
	fi
	is "VMFS$version: mounted" "$CODE" 0
	has "VMFS$version: how to end it" "$OUT" '^mounted read-only at m; to end it: fusermount3 -u m$'
	ok "VMFS$version: the same files" diff -r --exclude='.*.sf' from m
	ok "VMFS$version: as cp takes them out" "$VMFSKIT" cp -ra lab$version / all$version
	ok "VMFS$version: system files, too" diff -r all$version m
	is "VMFS$version: a link" "$(readlink m/web/link)" web.vmx
	is "VMFS$version: times and modes" "$(cd m && find web -mindepth 1 -printf '%P %s %m %T@\n' | sort)" \
		"$(cd all$version && find web -mindepth 1 -printf '%P %s %m %T@\n' | sort)"
	exits "VMFS$version: nothing can be written" 1 touch m/web/new
	exits "VMFS$version: nothing can be removed" 1 rm m/web/web.vmx
	ok "VMFS$version: ended" fusermount3 -u m
done
if [ -n "$STATIC" ]; then
	exits "the static program has no libfuse3" 1 "$STATIC" mount lab5 m
	has "it says so" "$ERR" 'built without libfuse3'
fi

# names that look like the escape of another
mkdir names
printf newline >names/$'a\n'
printf escape >'names/a%0a'
ln -s 'a%0a' names/link
for version in 5 6; do
	ok "VMFS$version: a volume with such names" "$LAB" make named$version --table none --size 3G --vmfs $version --from names
	ok "VMFS$version: it is mounted" "$VMFSKIT" mount named$version m
	is "VMFS$version: each is a file of its own" "$(cat m/a%0a) $(cat m/a%250a) $(cat m/link)" "newline escape escape"
	fusermount3 -u m
done

# what a cut dump does not hold is no zeros
truncate -s 20000 from/web/second.vmdk
ok "a volume whose file lies far behind" "$LAB" make far --table none --size 3G --vmfs 5 --from from --truth truth
at=$(jq -r 'select(.path == "/web/web-flat.vmdk") | [.runs[].volume_offset] | max' truth)
head -c $((0x1100000 + at + 4096)) far >cut
ok "the dump is mounted" "$VMFSKIT" mount cut m
exits "a file that is not all there is an error" 1 cat m/web/web-flat.vmdk
has "an I/O error" "$ERR" 'Input/output error'
ok "another one is whole" cmp from/web/web.vmx m/web/web.vmx
fusermount3 -u m

# the volume may be in use: what was read is not believed for long
ok "a volume that changes" "$VMFSKIT" mount lab5 m
is "as it was" "$(head -c 3 m/web/web.vmx)" "$(head -c 3 from/web/web.vmx)"
at=$("$VMFSKIT" map --json lab5 /web/web.vmx | jq '.extents[0].device_offset')
printf 'new' | dd of=lab5 bs=1 seek="$at" conv=notrunc status=none
sleep 2
is "as it is now" "$(head -c 3 m/web/web.vmx)" new
fusermount3 -u m
head -c 3 from/web/web.vmx | dd of=lab5 bs=1 seek="$at" conv=notrunc status=none

# --- in the foreground, and where it cannot be ------------------------------------------------------------------------
: >said
"$VMFSKIT" mount --foreground lab5 m >said 2>&1 &
pid=$!
for _ in $(seq 200); do grep -q '^mounted' said && break; sleep 0.05; done
ok "in the foreground it is there" cmp from/web/web.vmx m/web/web.vmx
kill -TERM $pid
wait $pid
is "a signal ends it" "$?" 0
exits "and the mount is gone" 32 mountpoint -q m
exits "no such folder" 4 "$VMFSKIT" mount lab5 nowhere
has "which one" "$ERR" 'nowhere'
exits "no folder at all" 2 "$VMFSKIT" mount lab5
