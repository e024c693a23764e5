#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The maps of files in captures: the same runs as vmfskit map, links of unchanged nights, what became of files between two nights,
# the limit, what cannot be read, what changes meanwhile; and that restore, undo and prune have nothing to do with them.
. "$(dirname "$0")/../lib.sh"
need jq
cd "$TMP" || exit 1
PATH=$PATH:/usr/sbin:/sbin

recipe() { printf '%s\n' 'folder /vm' 'file /vm/vm.vmdk size=500' 'file /vm/vm-flat.vmdk size=40M fragments=3 content=zeros' \
	'file /vm/note%20x.txt size=9000' 'link /vm/l to=vm.vmdk' 'rdm /vm/raw-rdm.vmdk lun=naa.600144f0d0cc2f00000051dc1e860001 size=10G' \
	'file /vm/thin-flat.vmdk size=64M data=3M+1M,9M+2M content=zeros' "$@"; }
make() { # VERSION FILE LINE...
	local version=$1 file=$2
	shift 2
	recipe "$@" >recipe
	"$LAB" make --overwrite --vmfs "$version" --size 2G --label files --files recipe "$file" >/dev/null
}
newest() { captures "$1" | tail -n 1; }
# runs MAP PATH: "file-offset length kind volume-offset" of each, as vmfskit map --json has them
runs() {
	awk -v want="$2" 'BEGIN { split("d data D data h hole z tbz Z tbz r resident m missing", w, " "); for (i = 1; i < 14; i += 2) name[w[i]] = w[i + 1] }
		/^[FU] / { line = $0; for (i = 1; i <= 13; i++) sub(/^[^ ]* /, "", line); on = line == want; at = 0; next }
		/^[dDhzZrm] / && on { print at, $2, name[$1], $3 == "" ? "-" : $3; at += $2 }' "$1"
}

# --- the map is that of ls and map, for practice and real volumes
same_as_map() { # NAME IMAGE CAPTURE-FOLDER
	local path differs=""
	"$VMFSKIT" ls -aR --json "$2" | jq -r '.entries[].path' | sort >paths
	{ sed -n 's/^F \([^ ]* \)\{12\}//p' "$3"/p*-files.map | grep -vx /; } | sort >mapped
	same "$1: each path" paths mapped
	while read -r path; do
		runs "$3"/p*-files.map "$path" >is
		"$VMFSKIT" map --json "$2" "#$(sed -n "s|^F [0-9]* \(0x[0-9a-f]*\) \([^ ]* \)\{10\}$path\$|\1|p" "$3"/p*-files.map | head -n 1)" 2>/dev/null |
			jq -r '.extents[] | "\(.file_offset) \(.length) \(.kind) \(.volume_offset // "-")"' >should
		# map refuses a raw device mapping
		[ -s should ] || [ "$path" = /vm/raw-rdm.vmdk ] || [ ! -s is ] || differs+=" $path"
		[ ! -s should ] || cmp -s is should || differs+=" $path"
	done <mapped
	is "$1: the runs of all $(wc -l <mapped)" "$differs" ""
}
for version in 3 5 6; do
	make $version v$version.img
	ok "VMFS$version is captured" "$VMFSKIT" capture --store all v$version.img
	has "VMFS$version: its map is named" "$OUT" '^  files of partition 1: 1[3-7] in [0-9]+ runs, [0-9.]+ KiB$'
	same_as_map "VMFS$version" v$version.img "all/$(newest all)"
	is "VMFS$version: the LUN of a raw device mapping" "$(grep -A 1 ' /vm/raw-rdm.vmdk$' "all/$(newest all)/p1-files.map" | tail -n 1)" \
		"R naa.600144f0d0cc2f00000051dc1e860001"
done
for real in vmfs3-esx35-volume/partition vmfs5-esxi-2021/disk-from-lba-2048 vmfs6-esxi-2021/disk-from-lba-2048; do
	[ -e "$SHARED/data/$real.img.xz" ] || continue
	xz -dc "$SHARED/data/$real.img.xz" | dd of=real.img bs=1M conv=sparse iflag=fullblock status=none
	run "$VMFSKIT" capture --store real real.img
	same_as_map "$real" real.img "real/$(newest real)"
done
ok "the documented awk prints the same runs" test "$(sed -n '/^awk -v base/,/^```/p' "$ROOT/docs/file-map.md" | grep -v '^```' |
	BASE=0 bash -c "cd all/$(newest all) && sed 's|want=/vm/big-flat.vmdk|want=/vm/thin-flat.vmdk|' | bash" | sed 's/.*skip=\([0-9]*\) count=\([0-9]*\) seek=\([0-9]*\)$/\3 \2 data \1/')" = \
	"$(runs "all/$(newest all)/p1-files.map" /vm/thin-flat.vmdk | grep data)"

# --- nights
make 5 d.img
ok "the first night" "$VMFSKIT" capture --store st d.img
first=$(newest st)
ok "the second night" "$VMFSKIT" capture --store st d.img
second=$(newest st)
is "an unchanged map is a link" "$(stat -c %i "st/$first/p1-files.map")" "$(stat -c %i "st/$second/p1-files.map")"
ok "diff: nothing" "$VMFSKIT" diff --store st "$first" "$second"
hasnt "diff: no files" "$OUT" '^Files'
has "it is in SHA256SUMS" "st/$first/SHA256SUMS" ' p1-files.map$'
is "the manifest has it" "$(jq -r '.file_maps[0] | [.file, .scope, .unread, .torn, .faults] | join(" ")' "st/$first/manifest.json")" "p1-files.map all 0 0 0"
hasnt "no region of it" "st/$first/RESTORE.txt" files.map
# the lab gives descriptors in the order of the recipe: a disk is gone, another has its place and generation, one grew, one is renamed
recipe | sed '/thin-flat/d; s/size=9000/size=9500/; s|/vm/l to|/vm/link to|' >recipe
"$LAB" make --overwrite --vmfs 5 --size 2G --label files --files recipe d.img >/dev/null
ok "the third night" "$VMFSKIT" capture --store st d.img
has "the disk that is gone is news" "$OUT" '^d\.img: partition 1: deleted or moved: /vm/thin-flat\.vmdk \(64 MiB\)$'
third=$(newest st)
exits "diff: a virtual disk vanished" 1 "$VMFSKIT" diff --store st "$second" "$third"
has "diff: vanished" "$OUT" '^  vanished  /vm/thin-flat\.vmdk, 64 MiB$'
has "diff: grew" "$OUT" '^  grew      /vm/note x\.txt, 8\.79 KiB -> 9\.28 KiB$'
has "diff: moved" "$OUT" '^  moved     /vm/l -> /vm/link, 7 bytes$'
exits "diff, the other way round" 0 "$VMFSKIT" diff --store st "$third" "$second"
has "diff: appeared" "$OUT" '^  appeared  /vm/thin-flat\.vmdk, 64 MiB$'
has "diff: shrank" "$OUT" '^  shrank    /vm/note x\.txt, 9\.28 KiB -> 8\.79 KiB$'
run "$VMFSKIT" diff --json --store st "$second" "$third"
is "diff --json" "$(jq -r '.matters, (.files[0].changes[] | "\(.change) \(.matters) \(.path_before // "-") \(.path_after // "-")")' "$OUT" | tr '\n' ';')" \
	"true;vanished true /vm/thin-flat.vmdk -;moved false /vm/l /vm/link;grew false /vm/note x.txt /vm/note x.txt;"
make 5 d.img
rm -rf quiet
mkdir luns
cp --sparse=always d.img luns/d
ok "a night of all" "$VMFSKIT" capture --all --dev-dir luns --store quiet
recipe | sed '/thin-flat/d' >recipe
"$LAB" make --overwrite --vmfs 5 --size 2G --label files --files recipe luns/d >/dev/null
ok "the next night of all" "$VMFSKIT" capture --all --dev-dir luns --store quiet
is "says one line" "$(cat "$OUT")" "d: partition 1: deleted or moved: /vm/thin-flat.vmdk (64 MiB)"
ok "and the night after" "$VMFSKIT" capture --all --dev-dir luns --store quiet
is "says nothing" "$(cat "$OUT")" ""

# --- list
ok "list --files" "$VMFSKIT" list --files --store st "$first"
has "list: a file" "$OUT" '^ +40 MiB +4  file +/vm/vm-flat\.vmdk$'
has "list: a raw device mapping" "$OUT" '^ +10 GiB +1  rdm +/vm/raw-rdm\.vmdk$'
run "$VMFSKIT" list --files --json --store st "$first"
is "list --json" "$(jq -r '.volumes[0] | .scope, .whole, (.files[] | select(.path == "/vm/raw-rdm.vmdk").lun), (.files | length)' "$OUT" | tr '\n' ' ')" \
	"all true naa.600144f0d0cc2f00000051dc1e860001 15 "
ok "list --files without a name: the newest" "$VMFSKIT" list --files --store st
has "which is named" "$ERR" "latest is $third"
exits "list CAPTURE without --files" 2 "$VMFSKIT" list --store st "$first"

# --- what is left out
ok "--no-files" "$VMFSKIT" capture --no-files --store without d.img
ok "there is no map" test ! -e "without/$(newest without)/p1-files.map"
is "nor in the manifest" "$(jq 'has("file_maps")' "without/$(newest without)/manifest.json")" false
exits "list --files of it" 4 "$VMFSKIT" list --files --store without
has "why" "$ERR" 'this capture has no map of files'
# an old capture is sound, and no file is called gone or new where only one night has a map
ok "it verifies" "$VMFSKIT" verify --store without
ok "with a map the next night" "$VMFSKIT" capture --store without d.img
hasnt "no file is new" "$OUT" 'deleted or moved'
ok "without one again" "$VMFSKIT" capture --no-files --store without d.img
hasnt "no file is gone" "$OUT" 'deleted or moved'
for bad in 4095 2G -1 x; do exits "--files-limit $bad" 2 "$VMFSKIT" capture --files-limit $bad --store st d.img; done
{
	recipe
	for i in $(seq 60); do echo "file /many/$i size=9000"; done
	echo 'file /big-flat.vmdk size=200M fragments=40 content=zeros'
	seq -f 'file /log%g size=3M fragments=3 content=zeros' 12
	echo 'file /zz/late-flat.vmdk size=2M content=zeros'
} >recipe
"$LAB" make --overwrite --vmfs 5 --size 4G --label files --files recipe many.img >/dev/null
# without the stamps of clusters, which go first
bytes() { grep -av "^C " "limit/$(newest limit)/p1-files.map" | wc -c; }
ok "without a limit" "$VMFSKIT" capture --store limit many.img
all=$(bytes)
strewn=$(runs "limit/$(newest limit)/p1-files.map" /big-flat.vmdk | wc -l)
ok "the large disk is strewn" test "$strewn" -ge 40
# 32 bytes for each file are kept free, for those that are torn
exits "too short for all" 1 "$VMFSKIT" capture --store limit --files-limit $((all + 2900)) many.img
has "it says so" "$OUT" 'warning capture\.files-limit: partition 1: the map of its files would be longer than .*: the runs of other files than virtual disks are left out'
is "of what is left there are the virtual disks" "$(jq -r '.file_maps[0].scope' "limit/$(newest limit)/manifest.json") $(runs "limit/$(newest limit)/p1-files.map" /big-flat.vmdk | wc -l) $(runs "limit/$(newest limit)/p1-files.map" /log1 | wc -l)" "disks $strewn 0"
ok "it is shorter" test "$(bytes)" -lt "$all"
run "$VMFSKIT" list --files --store limit
has "list: its runs are left out" "$OUT" '^ +3 MiB +0  file +left out  /log1$'
disks=$(bytes)
exits "too short for those" 1 "$VMFSKIT" capture --store limit --files-limit $((disks + 2900)) many.img
is "names" "$(jq -r '.file_maps[0] | "\(.scope) \(.runs)"' "limit/$(newest limit)/manifest.json")" "names 0"
exits "too short for all names" 1 "$VMFSKIT" capture --store limit --files-limit 4K many.img
cp "$OUT" told
is "cut" "$(jq -r '.file_maps[0].scope' "limit/$(newest limit)/manifest.json") $(bytes | awk '{ print $1 <= 4096 }')" "cut 1"
hasnt "what is cut off is not called gone" told 'deleted or moved'
has "it is called not seen" told 'partition 1: not seen, and not all files could be mapped: /zz/late-flat\.vmdk \(2 MiB\)$'
exits "diff: nor there" 0 "$VMFSKIT" diff --store limit "$(captures limit | head -n 1)" "$(newest limit)"
has "diff: it was not seen" "$OUT" '^  unseen    /'
has "diff: why" "$OUT" 'Not all files could be mapped each time'
ok "the limits verify" "$VMFSKIT" verify --store limit

# --- what cannot be read
"$LAB" make --table gpt --size 2G --overwrite empty.img >/dev/null
head -c 26M v5.img >part.img
run "$VMFSKIT" capture --store parts part.img
has "what is not in it is said" "$OUT" 'info capture\.files-absent: partition 1: '
truncate -s 64M blank.img
echo 'label: gpt' | sfdisk -q blank.img 2>/dev/null
run "$VMFSKIT" capture --store blank blank.img
hasnt "a disk without VMFS: nothing of files" "$OUT" 'capture\.files'
is "no map of it" "$(ls "blank/$(newest blank)" | grep files.map)" ""
# a folder whose block is damaged: headers as good as ever, the map says that it is not whole
cp --sparse=always v5.img hurt.img
at=$(runs "all/$(captures all | grep v5)/p1-files.map" /vm | head -n 1 | cut -d ' ' -f 4)
base=$(($("$VMFSKIT" map --json v5.img /vm/vm-flat.vmdk | jq '.extents[0] | .device_offset - .volume_offset')))
head -c 700 /dev/urandom | tr '\0' 'x' | dd of=hurt.img bs=1 seek=$((base + at + 280)) conv=notrunc status=none
exits "a damaged folder" 1 "$VMFSKIT" capture --store hurt hurt.img
has "it is a finding" "$OUT" 'warning capture\.files-unread: partition 1: not all of its files could be mapped: '
ok "of the night, not of the capture" "$VMFSKIT" verify --store hurt
is "the map says so, too" "$(jq -r '.file_maps[0].faults > 0' "hurt/$(newest hurt)/manifest.json")" true
is "the headers are those of the sound one" "$(cd "hurt/$(newest hurt)" && sha256sum p1-lvm.raw p1-vh.raw head.raw)" \
	"$(cd "all/$(captures all | grep v5)" && sha256sum p1-lvm.raw p1-vh.raw head.raw)"
# the file-system descriptor is there, the descriptors of the files are not
cp --sparse=always v5.img nofdc.img
dd if=/dev/zero of=nofdc.img bs=1M seek=$(((base + 4194304) >> 20)) count=8 conv=notrunc status=none
run "$VMFSKIT" capture --store hurt nofdc.img
is "lost descriptors: captured" "$(captures hurt | wc -l)" 2
has "lost descriptors: said" "$OUT" '(info|warning) capture\.files-(absent|unread): partition 1: its files are not saved: '

# --- a night without a map between two that have one: what vanished around it is told all the same
fd=$("$VMFSKIT" stat --json v5.img / | jq '.files[0].device_offset')
recipe | sed '/thin-flat/d' >recipe
"$LAB" make --overwrite --vmfs 5 --size 2G --label files --files recipe gone.img >/dev/null
night() { # IMAGE WORD...: the disk of that night is IMAGE
	local image=$1
	shift
	cp --sparse=always "$image" night.img
	run "$VMFSKIT" capture --fail-on-change "$@" --store nights night.img
}
cp --sparse=always v5.img unread.img
dd if=/dev/zero of=unread.img bs=512 count=4 seek="$fd" oflag=seek_bytes conv=notrunc status=none
unlisted='partition 1: the files could not be listed: what vanished is not known$'
for middle in "v5.img --no-files" unread.img; do
	rm -rf nights
	night v5.img
	# shellcheck disable=SC2086
	night $middle
	is "$middle: there is no map" "$(ls "nights/$(newest nights)" | grep -c files.map)" 0
	if [ "$middle" = unread.img ]; then
		has "$middle: it is told" "$OUT" "$unlisted"
		is "$middle: it fails" "$CODE" 1
		is "$middle: for scripts" "$(night $middle --json; jq -r '.captures[0].changes | length' "$OUT")" 0
	else
		hasnt "$middle: nobody wanted a list" "$OUT" "$unlisted"
		is "$middle: it is no change" "$CODE" 0
	fi
	# shellcheck disable=SC2086
	night $middle
	hasnt "$middle: it is told once" "$OUT" "$unlisted"
	cp -a nights nights.kept
	night gone.img
	is "$middle, then a disk is gone" "$CODE $(grep -c 'partition 1: deleted or moved: /vm/thin-flat.vmdk (64 MiB)' "$OUT")" "1 1"
	night gone.img
	is "$middle, then a disk is gone: it is told once" "$CODE $(grep -c 'deleted or moved' "$OUT")" "0 0"
	rm -rf nights
	mv nights.kept nights
	night v5.img
	is "$middle, and nothing is gone" "$CODE $(grep -c 'deleted or moved' "$OUT")" "0 0"
done

# --- a name that looks like the escape of another
printf 'folder /b\nfile /b/a%%252fb size=100\n' >recipe
"$LAB" make --overwrite --vmfs 5 --size 2G --label files --files recipe percent.img >/dev/null
run "$VMFSKIT" capture --store percent percent.img
is "a name with %2f in it: its path" "$(sed -n 's/^F .* \/b\//\/b\//p' "percent/$(newest percent)/p1-files.map")" "/b/a%252fb"
is "a name with %2f in it: as ls prints it" "$("$VMFSKIT" ls -R --json percent.img /b | jq -r '.entries[].path')" "/b/a%252fb"

# --- verify, restore, undo
flip() { chmod u+w "$1" && printf x | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
cp -a st broken
flip "broken/$third/p1-files.map" 30
exits "a changed map" 1 "$VMFSKIT" verify --store broken
has "verify: which, and how bad" "$OUT" 'warning capture\.file-map: p1-files\.map is not what was saved'
has "the capture is incomplete, not damaged" "$OUT" "broken/$third: incomplete"
run "$VMFSKIT" restore --store broken "$third" d.img
hasnt "a restore of its headers is not refused for that" "$ERR" 'refused'
rm "broken/$third/p1-files.map"
exits "a lost map" 1 "$VMFSKIT" verify --store broken
has "verify: it is missing" "$OUT" 'warning capture\.file-map: p1-files\.map: '
exits "list --files of it" 4 "$VMFSKIT" list --files --store broken "$third"
# a map that is no map, with digests that fit it
cp -a "st/$first" forged
chmod -R u+w forged
printf 'vmfskit file map 1\nV nobody\n' >forged/p1-files.map
sum=$(sha256sum <forged/p1-files.map | cut -d ' ' -f 1)
old=$(jq -r '.file_maps[0].sha256' forged/manifest.json)
sed -i "s/$old/$sum/; /\"p1-files.map\"/,/sha256/s/\"length_bytes\": [0-9]*/\"length_bytes\": $(stat -c %s forged/p1-files.map)/" forged/manifest.json
(cd forged && find . -type f ! -name SHA256SUMS -printf '%f\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
chmod -R go-w forged
exits "a forged map" 1 "$VMFSKIT" verify forged
has "verify reads it" "$OUT" 'warning capture\.file-map: p1-files\.map: line 2 of the file map'
cp --sparse=always d.img target.img
sha256sum <target.img >before
"$LAB" break --how header target.img >/dev/null
ok "restore" "$VMFSKIT" restore --store st "$third" target.img --write
sha256sum <target.img >after
same "restore wrote what was there, and nothing of the map" before after
undo=$(jq -r 'select(.purpose == "undo").id' st/*/manifest.json)
ok "the undo capture has no map" test -n "$undo" -a ! -e "st/$undo/p1-files.map"
ok "undo" "$VMFSKIT" undo --store st "$undo" target.img
ok "all verifies" "$VMFSKIT" verify --store st

# --- a store that is full: the headers are worth more than the map
if [ "$(id -u)" -eq 0 ] && mkdir small && mount -t tmpfs -o size=2600k none small 2>/dev/null; then
	echo "$TMP/small" >>"$TMP/.mounts"
	echo 'folder /many entries=9000' >recipe
	"$LAB" make --overwrite --vmfs 5 --size 4G --label files --files recipe full.img >/dev/null
	for size in 1500k 2600k; do
		mount -o "remount,size=$size" small
		exits "no room for the map in $size" 1 "$VMFSKIT" capture --store small/st full.img
		has "$size: it is said" "$OUT" 'warning capture\.files-unread: partition 1: its files are not saved: .*(No space left|no room for the file map)'
		ok "$size: the headers are saved" "$VMFSKIT" verify --store small/st
		is "$size: without a map" "$(ls small/st/2* | grep -c files.map)" 0
		rm -rf small/st
	done
else
	skip "a store that is full" "needs root and a mount"
fi
