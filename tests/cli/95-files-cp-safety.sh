#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What cp and cat may never touch: what is read, what lies on its disk, and files of others that are called like scratch.
. "$(dirname "$0")/../lib.sh"
cd "$TMP" || exit 1
M=mtime=2021-08-11T07:38:01Z
cat >recipe <<END
file /vm/disk size=64K content=pattern $M
file /vm/twin size=64K content=pattern $M
file /vm/web size=64K content=pattern
file /vm/web.vmfskit-map size=7K content=pattern
file /vm/web.vmfskit-part size=9K content=pattern
file /vm/web.part size=9K content=pattern
file /vm/web.map size=7K content=pattern
END
ok "a disk" "$LAB" make --vmfs 6 --size 3G --files recipe d.img
# of the disks only the beginning, and what a write or a replacement would change
sum() { { head -c 32M "$1"; stat -c '%s %Y %i' "$1"; } | sha256sum | cut -d ' ' -f 1; }
"$VMFSKIT" cat d.img /vm/disk >disk.good
before=$(sum d.img)

# --- scratch is only what a map says is of this file ------------------------------------------------------------------
for end in part map vmfskit-part vmfskit-map; do
	ln d.img "disk.$end"
	run "$VMFSKIT" cp "disk.$end" /vm/disk . --overwrite
	is "the source is called like scratch: .$end" "$(sum "disk.$end") $(stat -c %h d.img)" "$before 2"
	rm -f "disk.$end" disk
done
for option in "" --resume --overwrite; do
	for end in part map; do
		echo "of another" >disk.vmfskit-$end
		# shellcheck disable=SC2086
		run "$VMFSKIT" cp d.img /vm/disk . $option
		is "somebody's file .vmfskit-$end ${option:-plain}" "$(cat disk.vmfskit-$end) $(ls disk disk.vmfskit-* 2>/dev/null)" \
			"of another disk.vmfskit-$end"
		[ "$CODE" -ne 0 ] && pass "it is told" || fail "it is told"
		rm -f disk disk.vmfskit-*
	done
done
printf '# Mapfile. Created by GNU ddrescue\n0x0 + 1\n0x0  0xC0000000  +\n' >disk.vmfskit-map
cp disk.vmfskit-map mapfile.kept
run "$VMFSKIT" cp d.img /vm/disk . --mapfile disk.vmfskit-map --overwrite
same "the mapfile of the evidence stays" disk.vmfskit-map mapfile.kept
exits "the mapfile is no DEST" 3 "$VMFSKIT" cp d.img /vm/disk mapfile.kept --mapfile mapfile.kept --overwrite
rm -f disk*.vmfskit-* disk
ok "all names of a volume stay apart" "$VMFSKIT" cp -r --overwrite --sums sums d.img /vm out
ok "all of them are there" sha256sum -c --quiet sums
is "all of them are there: how many" "$(grep -c . sums) $(find out -type f | wc -l)" "7 7"
is "what ends like scratch is escaped" "$(cd out && ls -d web%*)" "web%2evmfskit-map
web%2evmfskit-part"

# --- the list of sums -------------------------------------------------------------------------------------------------
ln d.img other
for option in --resume --overwrite; do
	exits "the source is no list of sums: $option" 3 "$VMFSKIT" cp d.img /vm/disk x --sums other $option
done
is "the source stays" "$(sum other)" "$before"
echo precious >precious
exits "--resume replaces only lists of sums" 2 "$VMFSKIT" cp d.img /vm/disk x --sums precious --resume
is "another file stays" "$(cat precious)" precious
ok "nothing was copied" [ ! -e x ]
ok "a list of sums is replaced" "$VMFSKIT" cp d.img /vm/disk x --sums sums --resume
has "a list of sums is replaced: by the new one" sums "^$(sha256sum <disk.good | cut -d ' ' -f 1)  x\$"

# --- --resume believes nothing ---------------------------------------------------------------------------------------
ok "a copy that is there" "$VMFSKIT" cp d.img /vm/disk z
exits "the same again" 0 "$VMFSKIT" cp --resume --sums zs d.img /vm/disk z
has "the same again: it was compared" "$OUT" '1 of them was there and holds the bytes of the source'
has "the same again: the digest" zs "^$(sha256sum <z | cut -d ' ' -f 1)  z\$"
printf X | dd of=z bs=1 seek=40000 conv=notrunc status=none
touch -r out/disk z
exits "one byte is another" 2 "$VMFSKIT" cp --resume --sums zs2 d.img /vm/disk z
has "one byte is another: it is told" "$ERR" 'the file exists, and is not'
ok "one byte is another: no digest of it" [ ! -s zs2 ]
truncate -s 0 z
truncate -s 64K z
exits "a hole is not the bytes" 2 "$VMFSKIT" cp --resume d.img /vm/disk z
ok "--resume --overwrite copies it" "$VMFSKIT" cp --resume --overwrite --sums zs2 d.img /vm/disk z
same "--resume --overwrite: all of it" z disk.good
has "--resume --overwrite: the digest" zs2 "^$(sha256sum <z | cut -d ' ' -f 1)  z\$"

# --- a tree goes on where it began ------------------------------------------------------------------------------------
steps=$(VMFSKIT_CRASH_LOG=log "$HOOKS" cp -r d.img /vm tree >/dev/null 2>&1; wc -l <log)
for n in 4 $((steps / 2)); do
	rm -rf tree*
	VMFSKIT_CRASH_AT=$n "$HOOKS" cp -r d.img /vm tree >/dev/null 2>&1
	is "stopped at step $n" $? 99
	exits "it goes on" 0 "$VMFSKIT" cp -r --resume d.img /vm tree
	is "in the same place" "$(find tree* -maxdepth 1 | sort | tr '\n' ' ')" "$(cd out && find . -maxdepth 1 | sed 's/^\./tree/' |
		sort | tr '\n' ' ')"
done

# --- a tree is not another one of the same time -----------------------------------------------------------------------
printf '%s\n' 'folder /a mtime=1500000000' 'folder /b mtime=1500000000' 'folder /c mtime=1500000000' 'file /a/vm.vmx size=1000' \
	'file /a/only-a size=1000' 'file /b/vm.vmx size=2000' 'file /b/only-b size=1000' 'file /c/vm.vmx size=1000 content=pattern' \
	'file /c/only-a size=1000 content=pattern' >trees.recipe
"$LAB" make --table none --vmfs 6 --size 2G --files trees.recipe trees.img >/dev/null
ok "a copy of one folder" "$VMFSKIT" cp -r trees.img /a two
all_of() { (cd "$1" && find . -type f -exec sha256sum {} + | sort -k 2); }
all_of two >two.good
for option in --resume "--resume --overwrite"; do
	# shellcheck disable=SC2086
	ok "another folder, $option" "$VMFSKIT" cp -r $option trees.img /b two
	is "another folder, $option: lies in it" "$(find two -type f | sort | tr '\n' ' ')" "two/b/only-b two/b/vm.vmx two/only-a two/vm.vmx "
	is "another folder, $option: what was there stays" "$(all_of two | grep -v ' \./b/')" "$(cat two.good)"
	rm -r two/b
done
exits "a folder of the same names and sizes" 2 "$VMFSKIT" cp -r --resume trees.img /c two
has "a folder of the same names and sizes: told" "$ERR" 'the file exists, and is not'
exits "a folder of the same names and sizes, --overwrite" 2 "$VMFSKIT" cp -r --resume --overwrite trees.img /c two
has "a folder of the same names and sizes, --overwrite: told" "$ERR" 'no record tells that this folder is a copy of /c'
is "a folder of the same names and sizes: all stays" "$(all_of two)" "$(cat two.good)"
echo x >two/NOTES
ok "a whole tree with a file of its owner" "$VMFSKIT" cp -r --resume trees.img /a two
has "a whole tree with a file of its owner: is compared" "$OUT" '^2 of them were there'
is "a whole tree with a file of its owner: no second one in it" "$(ls two | tr '\n' ' ')" "NOTES only-a vm.vmx "

# --- cat --------------------------------------------------------------------------------------------------------------
exits "cat does not write into the source" 3 sh -c '"$VMFSKIT" cat d.img /vm/disk >>other'
is "cat: the source stays" "$(sum d.img)" "$before"

# --- on the disk that is read -----------------------------------------------------------------------------------------
need_root "outputs on the disk that is read"
PATH=$PATH:/usr/sbin:/sbin
need mkfs.ext4
truncate -s 3200M both.img
dd if=d.img of=both.img bs=1M seek=104 conv=notrunc,sparse status=none
loop=$(loop_attach both.img) || { skip "outputs on the disk that is read" "no loop device"; exit 0; }
if ! { mkfs.ext4 -qF "$loop" 100M && mkdir -p mnt && mount "$loop" mnt; }; then
	skip "outputs on the disk that is read" "no ext4"
	exit 0
fi
echo "$TMP/mnt" >>"$TMP/.mounts"
exits "a new tree" 3 "$VMFSKIT" cp -r --at 104M "$loop" /vm mnt/new
exits "the list of sums" 3 "$VMFSKIT" cp --at 104M "$loop" /vm/disk elsewhere --sums mnt/sums
mkdir -p deep/vm
mount --bind mnt deep/vm
echo "$TMP/deep/vm" >>"$TMP/.mounts"
exits "through a folder below DEST" 3 "$VMFSKIT" cp -r --at 104M "$loop" / deep/
exits "the folder itself" 3 "$VMFSKIT" cp -r --at 104M "$loop" /vm deep
export loop
exits "standard output of cat" 3 sh -c '"$VMFSKIT" cat --at 104M "$loop" /vm/disk >mnt/cat'
is "nothing was written there" "$(ls mnt) $(stat -c %s mnt/cat)" "cat
lost+found 0"

# --- a copy is of one moment ------------------------------------------------------------------------------------------
printf 'file /vm/disk size=3M content=pattern stored=block\n' >moments
"$LAB" make --table none --vmfs 6 --size 3G --files moments then.img >/dev/null
at=$("$VMFSKIT" map --json then.img /vm/disk | jq '.extents[0].device_offset')
cp --sparse=always then.img now.img
printf 'of another day' | dd of=now.img bs=1 seek=$((at + 100)) conv=notrunc status=none
VMFSKIT_TEST_BAD=$((at + 1048576))+1048576 "$HOOKS" cp then.img /vm/disk moment >/dev/null 2>&1
ok "a part of it is there" [ -e moment.vmfskit-part ]
exits "the rest of a later moment" 3 "$VMFSKIT" cp --resume now.img /vm/disk moment
has "is refused" "$ERR" 'changed since: they differ behind byte 0'
ok "the part stays" [ -e moment.vmfskit-part ]
ok "the rest of the same moment" "$VMFSKIT" cp --resume then.img /vm/disk moment
is "makes it whole" "$("$VMFSKIT" cat then.img /vm/disk | sha256sum)" "$(sha256sum <moment)"

# --- the list of sums is none of the copies ---------------------------------------------------------------------------
exits "--sums names the copy" 3 "$VMFSKIT" cp --overwrite --sums both d.img /vm/disk both
has "it is refused" "$ERR" 'this is a file that was copied now'
is "the copy is there" "$("$VMFSKIT" cat d.img /vm/disk | sha256sum)" "$(sha256sum <both)"

# --- what was sent into a pipe does not change with the image ---------------------------------------------------------
printf 'file /small size=30000 content=pattern\nfile /large size=70M content=pattern\n' >recipe
ok "a volume" "$LAB" make --overwrite --table none --vmfs 6 --size 2G --files recipe pattern.img
at=$("$VMFSKIT" map --json pattern.img /small | jq '.extents[0].device_offset')
"$VMFSKIT" cat pattern.img /small >small.bin
{ "$VMFSKIT" cat pattern.img /small && printf 'changed' | dd of=pattern.img bs=1 seek="$at" conv=notrunc status=none; } | {
	for _ in $(seq 100); do
		cmp -s -n 7 -i "$at:0" pattern.img <(printf 'changed') && break
		sleep 0.1
	done
	cat >small.sent
}
is "the image was changed meanwhile" "$(dd if=pattern.img bs=1 skip="$at" count=7 status=none)" changed
same "what was sent is what was read" small.sent small.bin
