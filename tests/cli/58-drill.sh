#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Restores that nobody's disk is needed for: each capture onto a scratch file, every saved byte compared; nothing else is written.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
need jq strace
cd "$TMP" || exit 1

mkdir scratch luns
drill() { "$VMFSKIT" drill --scratch scratch --store store "$@"; }
newest() { (cd store && printf '%s\n' *-"$1" | tail -n 1); }
nothing_left() { is "$1: no scratch file is left" "$(ls -A scratch)" ""; }
state_of() { find store luns -type f -printf '%p %s %T@ %C@\n' | sort; }

exits "no store" 4 drill
mkdir -m 700 store
exits "no capture" 1 drill
has "no capture: says so" "$OUT" '^no sound capture in store$'
rmdir store

# twenty kinds of disks
n=0
disk() { n=$((n + 1)); "$LAB" make --seed "$n" --label "disk $n" "$@" "luns/lun$(printf %02d $n)" >/dev/null || fail "lab disk $n"; }
for version in 3 5 6; do
	disk --vmfs $version --table gpt --size 4G
	disk --vmfs $version --table gpt --size 4G --live 2
	disk --vmfs $version --table none --size 4G
done
disk --vmfs 3 --table mbr --size 4G
disk --vmfs 5 --table mbr --size 4G
disk --vmfs 5 --table gpt --size 4T
disk --vmfs 6 --table gpt --size 4T
disk --vmfs 5 --table gpt --start 128 --size 4G
disk --vmfs 5 --layout esxi5 --size 40G
disk --vmfs 5 --layout esxi50 --size 40G
disk --vmfs 6 --layout esxi7 --size 300G
disk --vmfs 6 --table gpt --size 20G
disk --vmfs 5 --table gpt --size 20G --model SUN:COMSTAR:1.0
disk --vmfs 3 --table mbr --size 20G
is "twenty disks" "$(ls luns | wc -l)" 20
"$VMFSKIT" capture --all --quiet --dev-dir luns --store store >/dev/null
before=$(state_of)
ok "the newest of each LUN" drill
has "each: how many" "$OUT" '^20 of 20 LUNs restored and compared$'
is "each: is what was saved" "$(grep -c '; decoded: sound; [0-9.]* m*s$' "$OUT")" 20
has "each: with its label, length and time" "$OUT" '^2[0-9TZ]*-lun01: disk 1, disk of 4 GiB, [0-9.]+ [KM]iB written, [0-9.]+ MiB compared; decoded: sound; '
is "store and disks are as they were" "$(state_of)" "$before"
nothing_left "each"
ok "as JSON" drill --json
is "as JSON: all" "$(jq -c '[.schema, .sound, (.drills | length), ([.drills[].result] | unique)]' "$OUT")" '["vmfskit.drill/1",20,20,["sound"]]'
is "as JSON: every byte that was saved was compared" "$(jq -r '.drills[] | "\(.id) \(.compared_bytes)"' "$OUT" | sort)" \
	"$(cd store && for id in 2*; do echo "$id $(jq '[.regions[].length_bytes] | add' "$id/manifest.json")"; done | sort)"

# what is opened for writing, made or removed is the scratch file
id=$(newest lun01)
STRACE_OPTIONS='-y -e trace=file,ftruncate,pwrite64,write' traced trace "$VMFSKIT" drill "$id" --scratch scratch --store store >out
is "traced: writes are to the scratch file" "$(grep -E 'pwrite64\(|ftruncate\(' trace | grep -v memfd: | grep -vc 'scratch/vmfskit-drill\.')" 0
is "traced: what is opened for writing, made or removed" \
	"$(grep -E 'O_WRONLY|O_RDWR|O_CREAT|unlink|rename|mkdir|truncate\(' trace | grep -v -e memfd: -e 'scratch/vmfskit-drill\.' -e '/dev/null' -e ENOENT)" ""
ok "traced: it was made and removed" [ "$(grep -c 'unlink.*scratch/vmfskit-drill\.' trace)" -eq 1 ]
# the file itself, between restoring and comparing: every saved byte by cmp; then one that another program alters
stop_drill() { stops "drill written" drill "$1" --scratch scratch --store store; }
for lun in lun01 lun05 lun06 lun12 lun15; do
	id=$(newest $lun)
	stop_drill "$id"
	jq -r '.regions[] | "\(.offset_bytes) \(.length_bytes) \(.file)"' "store/$id/manifest.json" >regions
	while read -r offset length file; do
		cmp -n "$length" -i "$offset:0" scratch/vmfskit-drill.* "store/$id/$file" || echo "$file differs"
	done <regions >differ 2>&1
	is "$lun: what was saved lies on the file" "$(cat differ)" ""
	is "$lun: it is as long as the disk" "$(stat -c %s scratch/vmfskit-drill.*)" "$(jq .source.size_bytes "store/$id/manifest.json")"
	read -r offset length file <regions
	[ $lun != lun15 ] || printf 'XX' | dd of="$(echo scratch/vmfskit-drill.*)" bs=1 seek=$((offset + length / 2)) conv=notrunc status=none
	go_on
	is "$lun: its exit code" "$?" "$([ $lun = lun15 ] && echo 1 || echo 0)"
done
has "a byte that another program altered" bg.out ': .* compared; not what was saved from byte [0-9]+ on; '
nothing_left "stopped in between"
stop_drill "$id"
kill -TERM "$pid"
go_on
is "a signal: its exit code" "$?" 143
nothing_left "a signal"
# a store on a read-only file system
if [ "$(id -u)" -eq 0 ] && mkdir read-only && mount --bind store read-only 2>/dev/null && mount -o remount,ro,bind read-only 2>/dev/null; then
	echo "$TMP/read-only" >>"$TMP/.mounts"
	ok "a store that cannot be written" "$VMFSKIT" drill "$id" --scratch scratch --store read-only
else
	skip "a store that cannot be written" "needs root and mounts"
fi
# a disk that was damaged when it was captured comes back as damaged
"$LAB" break --how table luns/lun02 >/dev/null
run "$VMFSKIT" capture --quiet --store store luns/lun02
ok "a damaged disk" drill "$(newest lun02)"
has "a damaged disk: says so" "$OUT" 'decoded: as damaged as the disk was \([0-9]+ errors?\)|decoded: sound'

# captures that are not what was saved
id=$(newest lun03)
chmod u+w "store/$id/p1-lvm.raw" 2>/dev/null || chmod u+w "store/$id"/*
file=$(jq -r '.regions[] | select(.part == "lvm").file' "store/$id/manifest.json" | head -n 1)
printf 'X' | dd of="store/$id/$file" bs=1 seek=4000 conv=notrunc status=none
exits "an altered file" 1 drill "$id"
has "an altered file: the guard" "$OUT" 'refused: guard capture-verified: '
nothing_left "an altered file"
id=$(newest lun04)
sed -i "/$id/d" store/ledger.jsonl
exits "a capture that the ledger does not have" 1 drill "$id"
has "not recorded: the guard" "$OUT" 'refused: guard capture-vouched: '
exits "another is tried all the same" 1 drill "$id" "$(newest lun20)"
has "another: sound" "$OUT" 'lun20: .*decoded: sound'
exits "no such capture" 4 drill 20090421T164556Z-none
"$LAB" break --how table luns/lun20 >/dev/null
run "$VMFSKIT" restore --store store "$(newest lun20)" luns/lun20 --write --override capture-vouched
exits "an undo capture" 2 drill "$(newest lun20-undo)"
has "an undo capture: says what it is" "$ERR" 'this is what a restore overwrote, no backup of a disk'

# a LUN whose damage verify has seen is no LUN less
mkdir two
for n in 1 2; do "$LAB" make --seed $n --size 2G --label "vol $n" --naa "naa.600144f07ed404000000496ff8cd0a0$n" two/v$n >/dev/null; done
"$VMFSKIT" capture --all --quiet --dev-dir two --store two.st >/dev/null
ok "two LUNs" drill --store two.st
has "two LUNs: how many" "$OUT" '^2 of 2 LUNs restored and compared$'
id=$(cd two.st && echo *-v2)
chmod u+w two.st/*-v2/p1-vh.raw
printf X | dd of="two.st/$id/p1-vh.raw" bs=1 seek=1000 conv=notrunc status=none
exits "one is damaged" 1 drill --store two.st
run "$VMFSKIT" verify --store two.st
exits "one is known to be damaged" 1 drill --store two.st
has "known: it is named" "$OUT" "^vol 2: no sound capture, nothing to drill; of the newest, $id: vmfskit verify found it damaged\$"
has "known: how many" "$OUT" '^1 of 2 LUNs restored and compared$'
exits "known, as JSON" 1 drill --store two.st --json
is "known, as JSON: named" "$(jq -c '[.sound, (.drills[] | [.label, .result, .why])]' "$OUT")" \
	'[1,["vol 1","sound",null],["vol 2","no sound capture","vmfskit verify found it damaged"]]'
ok "the other alone" drill --store two.st "$(cd two.st && echo *-v1)"
has "the other alone: how many" "$OUT" '^1 of 1 capture restored and compared$'
echo '{' >"two.st/$id/manifest.json"
exits "a manifest that cannot be read" 1 drill --store two.st
has "it cannot be read: is counted" "$OUT" '^1 capture cannot be read; vmfskit verify says which$'
nothing_left "two LUNs"
# bytes that could not be read when it was captured
bad=$(jq '[.regions[] | select(.part == "vh").offset_bytes][0] + 2099200' two.st/*-v1/manifest.json)
run env VMFSKIT_TEST_BAD="$bad+1024" "$HOOKS" capture --store bad.st two/v1
exits "an incomplete capture" 1 drill --store bad.st "$(cd bad.st && echo *-v1)"
has "incomplete: how much was not saved" "$OUT" '; decoded: .*; 1024 bytes were not saved; '
has "incomplete: it does not count" "$OUT" '^0 of 1 capture restored and compared$'
exits "incomplete, as JSON" 1 drill --json --store bad.st "$(cd bad.st && echo *-v1)"
is "incomplete, as JSON: how much" "$(jq -c '.drills[0] | [.result, .unsaved_bytes]' "$OUT")" '["incomplete",1024]'
exits "of its LUN no capture is sound" 1 drill --store bad.st
has "no capture is sound: why" "$OUT" '^vol 1: no sound capture, nothing to drill; of the newest, .*: the disk was damaged when it was taken: 1024 bytes'

# where it cannot lie
exits "no such folder" 4 drill "$(newest lun20)" --scratch nowhere
has "no such folder: says so" "$ERR" 'cannot (make a scratch file|look at the scratch folder)'
if [ "$(id -u)" -eq 0 ] && mkdir full && mount -t tmpfs -o size=64k tmpfs full 2>/dev/null; then
	echo "$TMP/full" >>"$TMP/.mounts"
	exits "a full file system" 4 "$VMFSKIT" drill "$(newest lun19)" --scratch full --store store
	has "a full file system: how much is missing" "$ERR" 'the scratch folder has 0 MiB free, and [0-9]+ MiB are needed'
	is "a full file system: nothing is left" "$(ls -A full)" ""
else
	skip "a full file system" "needs root"
fi
if truncate -s 70368744177664 scratch/probe 2>/dev/null; then
	rm scratch/probe
	skip "a file system that ends before the disk does" "this one does not"
elif big=$(big_dir); then
	rm -f scratch/probe
	"$LAB" make --table gpt --size 64T "$big/disk" >/dev/null
	"$VMFSKIT" capture --store big "$big/disk" >/dev/null
	exits "a file system that ends before the disk does" 4 "$VMFSKIT" drill --store big --scratch scratch
	has "it says so" "$ERR" 'the file system of the scratch folder cannot hold a file of 64 TiB'
	has "and what to do" "$ERR" 'XFS'
	nothing_left "a file system that ends before"
	ok "64 TB where there is room" "$VMFSKIT" drill --store big --scratch "$big"
	has "64 TB: sound" "$OUT" 'decoded: sound'
else
	skip "a file system that ends before the disk does" "no file system here holds the disk"
fi

# the three real volumes
if [ -n "$SHARED" ]; then
	for real in vmfs3-esx35-volume/partition vmfs5-esxi-2021/disk-from-lba-2048 vmfs6-esxi-2021/disk-from-lba-2048; do
		unpack "$SHARED/data/$real.img.xz" real
		"$VMFSKIT" capture --as partition --store real-store real >/dev/null 2>&1
		id=$(cd real-store && printf '%s\n' 2* | tail -n 1)
		ok "${real%%-*}" "$VMFSKIT" drill "$id" --store real-store --scratch scratch
		has "${real%%-*}: is what was saved, and sound" "$OUT" 'decoded: sound'
		rm -r real real-store
	done
else
	skip "the real volumes" "no ../shared/data"
fi
nothing_left "at the end"
