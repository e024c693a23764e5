#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The files and folders that damaged ranges belong to, as doctor and check name them: against what vmfskit-lab wrote down of the
# volume, on real volumes, in a large folder, over several extents, and where the list of files is gone.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
need jq python3
cd "$TMP" || exit 1
mkdir -m 700 nowhere # a store without captures

# map_of DISK START LENGTH...: the mapfile of ddrescue that did not read these ranges, in their order
map_of() {
	local size at=0
	size=$(stat -c %s "$1")
	shift
	printf '0x0 + 1\n'
	while [ $# -gt 0 ]; do
		[ "$1" -le "$at" ] || printf '%d %d +\n' "$at" $(($1 - at))
		printf '%d %d -\n' "$1" "$2"
		at=$(($1 + $2))
		shift 2
	done
	printf '%d %d +\n' "$at" $((size - at))
}
doctor() { "$VMFSKIT" doctor --heartbeat-wait 0 --store nowhere "$@"; }
# of a file, in disk.img or another one
descriptor() { "$VMFSKIT" stat --json "${2:-disk.img}" "$1" | jq '.files[0].device_offset'; }
content() { "$VMFSKIT" map --json "${2:-disk.img}" "$1" | jq '.extents[0].device_offset'; }
hits() { jq -c ".sources[0].volumes[0].hits${1:-}" "$OUT"; }
section() { sed -n '/^Files in the damaged ranges/,/^$/p' "$1"; }

# draw.py TRUTH SEED BASE SIZE: ranges by a seed, half of them where files are, for map_of. judge.py TRUTH BASE DOCTOR: whose bytes they
# are by the truth, against what doctor says: prints what differs, then how many files were compared. Files whose descriptor or pointer
# blocks are hit are left to the cases below; a folder that is hit may lose names, but no file.
cat >draw.py <<'END'
import json, random, sys
truth, seed, base, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
random.seed(seed)
runs = [r for line in open(truth) for r in json.loads(line)["runs"] if r["kind"] == "data" and not json.loads(line)["deleted"]]
drawn = []
for i in range(12):
    run = random.choice(runs)
    at = run["volume_offset"] + random.randrange(run["length"]) if i % 2 else random.randrange(64 << 20, size)
    drawn.append((base + at // 512 * 512, random.choice((512, 4096, 1 << 20, 5 << 20))))
end = 0
for at, length in sorted(drawn):
    if at > end:
        print(at, length)
        end = at + length
END
cat >judge.py <<'END'
import json, sys
truth, base = sys.argv[1], int(sys.argv[2])
ranges = [[int(word) for word in line.split()] for line in open("ranges")]
hits = json.load(open(sys.argv[3]))["sources"][0]["volumes"][0]["hits"]
seen = {f["fd"]: f for f in hits["files"]}
compared = 0
for file in map(json.loads, open(truth)):
    if file["deleted"]:
        continue
    bytes = sum(max(0, min(base + r["volume_offset"] + r["length"], at + length) - max(base + r["volume_offset"], at))
                for r in file["runs"] if r["kind"] == "data" for at, length in ranges)
    hit = seen.pop(file["fd"], None)
    if hit and (hit["descriptor"] or hit["pointer_blocks"] or not hit["placed"]):
        continue
    compared += bytes > 0
    if (hit["damaged_bytes"] if hit else 0) != bytes:
        print(file["path"], bytes, hit)
    if hit and hit["path"] != file["path"] and not (hits["unknown"] and hit["path"] == "#" + file["fd"]):
        print(file["path"], "is called", hit["path"])
for hit in seen.values():
    if hit["type"] != "system" and hit["path"] != "/":
        print("no such file", hit)
print(compared)
END

cat >recipe <<'END'
file /vm/a.vmx size=900 content=pattern
file /vm/thin-flat.vmdk size=2G data=0+30M,512M+10M
file /vm/thick-flat.vmdk size=40M thick data=0+10M
file /vm/pointers-flat.vmdk size=40M stored=pointer-block data=0+10M,20M+20M
file /web/strewn size=30M content=pattern fragments=7
file /web/small size=5000 content=pattern
file /web/gone size=3M content=pattern deleted
file /deep/1/2/3 size=70000 content=pattern
folder /many entries=20000 names=entry-
link /link to=vm/a.vmx
END
for v in 3 5 6; do
	name="VMFS$v"
	ok "$name: a volume" "$LAB" make --overwrite --table gpt --vmfs $v --size 4G --files recipe --truth truth.jsonl disk.img
	# where the first byte of the volume lies
	base=$(($(content /vm/thick-flat.vmdk) - $(jq 'select(.path == "/vm/thick-flat.vmdk") | .runs[0].volume_offset' truth.jsonl)))
	drawn=0
	: >wrong
	for seed in $(seq 1 12); do
		python3 draw.py truth.jsonl $((seed * 10 + v)) $base $((3 << 30)) >ranges
		# shellcheck disable=SC2046
		map_of disk.img $(cat ranges) >map
		run doctor --json --mapfile map disk.img
		python3 judge.py truth.jsonl $base "$OUT" >judged
		sed '$d' judged >>wrong
		drawn=$((drawn + $(tail -n 1 judged)))
	done
	is "$name: 12 maps, files and bytes as the truth has them" "$(cat wrong)" ""
	ok "$name: of some hundred files" test $drawn -gt 60

	# the metadata of files
	flat=$(descriptor /vm/thick-flat.vmdk)
	map_of disk.img "$flat" 512 >map
	run doctor --json --mapfile map disk.img
	is "$name: the lock of a descriptor" \
		"$(hits '.files | map(select(.path == "/vm/thick-flat.vmdk") | [.type, .folder, .descriptor, .damaged_bytes])')" '[["file","/vm",true,0]]'
	map_of disk.img "$flat" 8192 >map
	run doctor --json --mapfile map disk.img
	is "$name: a descriptor" \
		"$(hits '.files | map(select(.path == "/vm/thick-flat.vmdk") | [.descriptor, .placed, .size_bytes])')" '[[true,false,0]]'
	is "$name: and the file that holds it" "$(hits '.files | map(select(.type == "system") | [.path, .damaged_bytes, .folder])')" '[["/.fdc.sf",8192,null]]'
	run doctor --mapfile map disk.img
	has "$name: as text" "$OUT" '^  virtual machines \(folders\): .*/vm'
	has "$name: its row" "$OUT" '^  /vm/thick-flat\.vmdk  +its descriptor: its blocks cannot be found$'
	run "$VMFSKIT" check --mapfile map disk.img
	has "$name: check names the file whose descriptor cannot be read" "$ERR" '^error source.unreadable: a part of file descriptor 0x[0-9a-f]+ cannot be read.*; file /vm/thick-flat.vmdk$'
	map_of disk.img "$(content /many)" 4096 >map
	run doctor --json --mapfile map disk.img
	is "$name: names of a folder" "$(hits '.files | map(select(.type == "dir") | [.path, .folder, .damaged_bytes])')" '[["/many","/many",4096]]'
	has "$name: others may be missing" "$OUT" '"unknown": "folders cannot be read wholly'

	# no file: free space, and what is deleted
	gone=$(jq 'select(.path == "/web/gone") | .runs[0].volume_offset // empty' truth.jsonl)
	for at in $((base + (3 << 30))) ${gone:+$((base + gone))}; do
		map_of disk.img "$at" 1048576 >map
		run doctor --json --mapfile map disk.img
		is "$name: free space" "$(hits ' | [.bytes, .free_bytes, .unowned_bytes, .unknown, (.files | length)]')" '[1048576,1048576,0,null,0]'
	done
	run doctor --mapfile map disk.img
	is "$name: as text" "$(section "$OUT" | tail -n +2)" "  no file lies there: it is free space"
	# in front of the volume there are no files, either
	map_of disk.img $((2048 * 512 + (2 << 20))) 4096 >map
	run doctor --json --mapfile map disk.img
	is "$name: outside of the volume" "$(hits ' | [.opened, .bytes, (.files | length)]')" '[true,0,0]'
	run doctor --json disk.img
	is "$name: a sound volume" "$(hits)" null

	# 20000 files at once
	map_of disk.img "$(descriptor /many/entry-1000)" $((8 << 20)) >map
	run doctor --mapfile map disk.img
	section "$OUT" >shown
	ok "$name: many files: a dozen lines" test "$(wc -l <shown)" -le 15
	is "$name: many files: 80 columns" "$(awk 'length($0) > 80' shown)" ""
	has "$name: many files: how to see all" shown '^  and [0-9]+ more: vmfskit doctor --json disk\.img --mapfile map --store nowhere$'
	run doctor --json --mapfile map disk.img
	ok "$name: many files: all in JSON" test "$(hits '.files | length')" -gt 500
done

# --- ranges that were overwritten --------------------------------------------------------------------------------------
rm -f disk.img
ok "a volume" "$LAB" make --overwrite --table gpt --vmfs 5 --size 4G --files recipe --truth truth.jsonl disk.img
base=$(($(content /vm/thick-flat.vmdk) - $(jq 'select(.path == "/vm/thick-flat.vmdk") | .runs[0].volume_offset' truth.jsonl)))
copy_disk disk.img hurt.img
at=$(descriptor /vm/a.vmx)
dd if=/dev/urandom of=hurt.img bs=512 seek=$((at / 512)) count=4 conv=notrunc status=none
exits "a descriptor of random bytes" 1 doctor --json hurt.img
is "its file is named" "$(hits '.files | map(select(.type != "system") | [.path, .descriptor, .placed])')" '[["/vm/a.vmx",true,false]]'
# what a pointer block leads to cannot be found
at=$(content /.pbc.sf)
map_of disk.img $((at + 65536)) $(($("$VMFSKIT" map --json disk.img /.pbc.sf | jq '.extents[0].length') - 65536)) >map
exits "pointer blocks that cannot be read" 1 doctor --json --mapfile map disk.img
is "pointer blocks: whose" "$(hits '.files | map(select(.pointer_blocks > 0) | [.path, .folder, .pointer_blocks, .placed])')" \
	'[["/vm/pointers-flat.vmdk","/vm",1,false],["/vm/thin-flat.vmdk","/vm",1,false]]'
run doctor --mapfile map disk.img
section "$OUT" >shown
has "pointer blocks: what that means" shown '^  /vm/pointers-flat\.vmdk +1 pointer block$'
# the file-system descriptor is what leads to all files
copy_disk disk.img hurt.img
zero hurt.img $((base + (2 << 20))) 512
exits "no file-system descriptor" 1 doctor hurt.img
has "that is said" "$OUT" '^  cannot be told: the file-system descriptor .* is zeros$'
exits "no file-system descriptor: JSON" 1 doctor --json hurt.img
is "no file is named" "$(hits ' | [.opened, (.files | length), (.unknown | type)]')" '[false,0,"string"]'
# another file system in front of it, with copies of its superblock among the files
if type -P mkfs.ext4 >/dev/null; then
	copy_disk disk.img hurt.img
	mkfs.ext4 -F -q -E nodiscard,lazy_itable_init=1 hurt.img
	exits "formatted by another system" 1 doctor hurt.img
	has "formatted by another system: what of the files is known" "$OUT" '^Files in the damaged ranges$'
fi

# --- several extents ----------------------------------------------------------------------------------------------------
printf 'file /vm/two-flat.vmdk size=20M content=pattern extent=2\nfile /vm/one.vmx size=300000 content=pattern\n' >recipe
ok "two extents" "$LAB" make --overwrite --table gpt --vmfs 6 --size 4G --extents e1.img --files recipe --truth truth.jsonl e0.img
run "$VMFSKIT" map --json --extent e1.img e0.img /vm/two-flat.vmdk
is "a file on the second" "$(jq -r '.extents[0].source' "$OUT")" e1.img
at=$(jq '.extents[0].device_offset' "$OUT")
map_of e1.img "$at" 8192 >map
run doctor --json --mapfile map e1.img
is "the second extent alone: where the list of files is" "$(hits .unknown)" '"the list of files is on the first extent of the volume: name its disk, too"'

# the mapfile is that of both
run doctor --json --mapfile map e0.img e1.img
is "both: the file on the second, and what lies there on the first" \
	"$(hits '.files | map([.path, .damaged_bytes, .placed])')" '[["/.vh.sf",8192,true],["/vm/two-flat.vmdk",8192,true]]'
is "both: told once" "$(jq '[.sources[].volumes[]? | select(.hits)] | length' "$OUT")" 1
is "both: bytes of both" "$(hits .bytes)" 16384

# --- real volumes -------------------------------------------------------------------------------------------------------
[ -n "$SHARED" ] || { skip "the real volumes" "no ../shared/data"; exit 0; }
mv "$(real_partition)" real3.img
for v in 5 6; do unpack "$SHARED/data/vmfs$v-esxi-2021/disk-from-lba-2048.img.xz" real$v.img; done
for v in 5 6; do
	at=$(content /directory/file5 real$v.img)
	map_of real$v.img "$at" 4096 >map
	run doctor --json --mapfile map real$v.img
	is "the real VMFS$v: file5 of /directory" \
		"$(hits '.files | map(select(.type != "system") | [.path, .folder, .size_bytes, .damaged_bytes])')" '[["/directory/file5","/directory",8193,4096]]'
	map_of real$v.img "$(descriptor /directory/file4 real$v.img)" 8192 >map
	run doctor --json --mapfile map real$v.img
	is "the real VMFS$v: file4 is in its descriptor" "$(hits '.files | map(select(.path == "/directory/file4") | .descriptor)')" '[true]'
done
flat=$("$VMFSKIT" ls real3.img | grep -m 1 flat || "$VMFSKIT" ls real3.img | head -n 1)
map_of real3.img "$(content "/$flat" real3.img)" 4096 >map
run doctor --json --mapfile map real3.img
ok "the real VMFS3: /$flat" test "$(hits '.files | map(select(.damaged_bytes == 4096)) | length')" -ge 1
