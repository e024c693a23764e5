#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Volumes that were crafted: a folder that contains itself, a pointer block that points at itself, a file of 2^60 bytes, a folder that
# claims 10^9 entries. Every verb ends, says what is wrong, and still gives the other files.
. "$(dirname "$0")/../lib.sh"
need jq perl
cd "$TMP" || exit 1

number() { "$VMFSKIT" "$1" --json volume.img "$2" 2>/dev/null | jq -r "$3"; }
descriptor() { number stat "$1" '.files[0].device_offset'; }
content() { number map "$1" '.extents[0].device_offset'; }
put() { perl -e 'print pack(shift, shift)' "$1" "$2" | dd of=volume.img bs=1 seek="$3" conv=notrunc status=none; }

contains_itself() {
	local at
	at=$(content /web)
	at=$((at + $(dd if=volume.img bs=1 skip="$at" count=90000 status=none | grep -abo one | head -n 1 | cut -d : -f 1) - back))
	put V 2 $at
	put V "$(($(number stat /web '.files[0].fd')))" $((at + 4))
}
# its pointer block, found by the address of its first block, becomes one that leads to pointer blocks, and the first is itself
points_at_itself() {
	local fd file at
	fd=$(descriptor /pb) file=/.pb$([ $v = 6 ] && echo 2 || echo c).sf
	"$VMFSKIT" cat volume.img $file >blocks
	at=$(perl -e '
		my ($v, $pointers, $big, $block, $other) = @ARGV;
		my ($bytes, $form) = $v == 6 ? (8, "Q<") : (4, "V");
		open(my $image, "<:raw", "volume.img"); seek($image, $pointers, 0); read($image, my $two, 2 * $bytes);
		my ($first, $second) = unpack("$form$form", $two);
		my $wanted = pack($form, $first + ($second - $first) * ($other - $block));
		open(my $in, "<:raw", "blocks"); local $/; my $all = <$in>;
		for (my $at = 0; $at < length($all); $at += 512) { if (substr($all, $at, $bytes) eq $wanted) { print $at; last } }' \
		$v $(($(descriptor /big) + pointers)) 0 $(($(number map /big '.extents[0].volume_offset') >> 20)) \
		$(($(number map /pb '.extents[0].volume_offset') >> 20)))
	at=$(number map $file ".extents[] | select(.file_offset <= $at and $at < .file_offset + .length) |
		.device_offset + $at - .file_offset")
	dd if=volume.img of=volume.img bs=1 skip=$((fd + pointers)) seek="$at" count=$((v == 6 ? 8 : 4)) conv=notrunc status=none
	put V 4304 $((fd + meta + 0x44))
}
is_long() { put 'Q<' $((1 << 60)) $(($(descriptor /big) + meta + 0x14)); }
claims_entries() {
	local at
	at=$(content /sub)
	put 'Q<' 140000000000 $(($(descriptor /sub) + meta + 0x14))
	[ $v != 6 ] || put V 1000000000 $((at + 4))
}

# NAME CRAFT FILE CODE: what FILE has is not all there, which check says by CODE
crafted() {
	local name="VMFS$v, a $1" file=$3 code=$4 path
	cp --sparse=always sound.img volume.img
	$2
	exits "$name: other bytes than before" 1 cmp sound.img volume.img
	for verb in "ls -lR volume.img" "ls -R --json volume.img" "ls -l --bodyfile volume.img" "stat volume.img /web /sub /big /pb" "map volume.img $file" \
		"map --dd volume.img $file" "map --dmsetup volume.img $file" "map --ddrescue volume.img $file" "cat volume.img $file" \
		"cp -r volume.img / out" "check volume.img"; do
		rm -rf out out.vmfskit-map
		# shellcheck disable=SC2086
		run timeout 300 "$VMFSKIT" $verb
		if insane || [ "$CODE" -gt 4 ]; then fail "$name: $verb" "exit code $CODE: $(head -n 20 "$ERR")"; else pass "$name: $verb"; fi
	done
	exits "$name: ls" 1 "$VMFSKIT" ls -lR volume.img
	has "$name: ls says it" "$ERR" "^(error|warning) $code:"
	exits "$name: check" 1 "$VMFSKIT" check volume.img
	has "$name: check says it" "$ERR" "^(error|warning) $code:"
	ok "$name: what is wrong a thousand times is counted" [ "$(grep -cE '^(error|warning)' "$ERR")" -le 25 ]
	rm -rf out out.vmfskit-map
	run timeout 300 "$VMFSKIT" cp -r volume.img / out
	for path in sub/folder/leaf web/two; do
		[ "$file" = "/${path%%/*}" ] || same "$name: $path is taken out" "$path" "out/$path"
	done
	same "$name: another file of that folder" <("$VMFSKIT" cat volume.img /web/two 2>/dev/null) web/two
	mount_crafted
}
mount_crafted() {
	[ "$(id -u)" -eq 0 ] && [ -c /dev/fuse ] && type -P fusermount3 >/dev/null || { skip "$name: mounted" "no FUSE here"; return; }
	run "$VMFSKIT" mount volume.img m
	! grep -q libfuse3 "$ERR" || { skip "$name: mounted" "built without libfuse3"; return; }
	is "$name: mounted" "$CODE" 0
	echo "$TMP/m" >>.mounts
	run timeout 300 find m
	ok "$name: find in it ends" [ "$CODE" -lt 124 ]
	ok "$name: a file of it" cmp m/web/two web/two
	run timeout 300 dd "if=m$file" of=first bs=1M count=4
	ok "$name: $file ends" [ "$CODE" -lt 124 ]
	ok "$name: ended" fusermount3 -u m
}

mkdir m
cat >recipe <<'END'
file /web/one size=5000 content=pattern
file /web/two size=6000 content=pattern
file /sub/folder/leaf size=700 content=pattern
file /big size=4M thick data=0+4M
file /pb size=9M stored=pointer-block data=0+1M,8M+1M
END
for v in 3 5 6; do
	meta=$((v == 6 ? 4096 : 512)) pointers=$((v == 6 ? 0x1600 : 0x400)) back=$((v == 6 ? 24 : 12))
	ok "VMFS$v: made" "$LAB" make --overwrite --table none --vmfs $v --size 3G --files recipe sound.img
	ok "VMFS$v: check of it" "$VMFSKIT" check sound.img
	rm -rf web sub
	"$VMFSKIT" cp -r sound.img /web web && "$VMFSKIT" cp -r sound.img /sub sub
	crafted "folder that contains itself" contains_itself /web 'file\.(generation|link-count)|folder\.loop'
	crafted "pointer block that points at itself" points_at_itself /pb 'file\.(pointer-block-twice|address)'
	crafted "file of 2^60 bytes" is_long /big file.length
	crafted "folder that claims 10^9 entries" claims_entries /sub 'f(ile\.length|older\.count)'
done
