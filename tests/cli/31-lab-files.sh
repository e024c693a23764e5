#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Files in practice volumes before independent judges: debugvmfs and fsck.vmfs for VMFS 3 and 5, debugvmfs6 for VMFS6, as far as
# they are right; and the bytes of the volume themselves.
. "$(dirname "$0")/../lib.sh"
PATH=$PATH:/usr/sbin:/sbin
need jq debugvmfs debugvmfs6 fsck.vmfs python3
BIG=$(big_dir)
cd "$BIG" || exit 1

# the volume's partitions as images of their own: V0.img V1.img ...; IMAGES names them
volumes() { # volumes START-BYTE FILE...
	local start=$1 i=0
	shift
	IMAGES=()
	for file; do
		dd if="$file" of="V$i.img" bs=1M iflag=skip_bytes skip="$start" conv=sparse status=none
		IMAGES+=("V$i.img")
		i=$((i + 1))
	done
}
# what a judge says, without the line that debugvmfs6 puts in front of everything
judge() { if [ "$version" = 6 ]; then debugvmfs6 "${IMAGES[@]}" "$@" 2>/dev/null | tail -n +$((${#IMAGES[@]} + 1)); else debugvmfs "${IMAGES[@]}" "$@" 2>/dev/null; fi; }

# Names, sizes and bytes as a judge reads them against the truth. Which files it reads wrong: debugvmfs knows no .pb2.sf, so neither
# ZLA 5 nor 4304. debugvmfs6 takes bit 5 for "to be zeroed" (it is that of copy-on-write; TBZ is bits 7 to 14), knows no ZLA 4304,
# looks for the resource of a pointer block in other bits, so that it finds number 0 of .pb2.sf only, knows no pointer block in a file
# block, takes a large block for a small one, and reads zeros behind a hole of a file with direct addresses. It also lists deleted
# entries: it does not look whether their slots are free. Of some thousand entries every hundredth is read.
cat >judge.py <<'EOF'
import hashlib, json, subprocess, sys
version, images = sys.argv[1], sys.argv[2:]
tool = "debugvmfs6" if version == "6" else "debugvmfs"
def judge(*command):
    process = subprocess.Popen([tool, *images, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for image in images if version == "6" else []:
        process.stdout.readline()  # the version, for each member
    return process.stdout
def wrong(f):
    if version == "3":
        return False
    if version == "5":
        return f["zla"] in (5, 4304)
    kinds = {r["kind"] for r in f["runs"]}
    pointers = f["zla"] == 5 or (f["zla"] == 3 and "sub" not in f["path"]) or (f["zla"] == 1 and "hole" in kinds)
    return pointers or f["zla"] == 4304 or "cow" in f["path"] or "large" in f["path"] or "tbz" in kinds
files = [json.loads(line) for line in open("truth.jsonl")]
live = [f for f in files if not f["deleted"]]
letters = {"dir": "d", "symlink": "l"}
for folder in [f["path"] for f in live if f["type"] == "dir"]:
    seen = set()
    for line in judge("ls", "-l", folder).read().decode().splitlines():
        words = line.split(None, 7)
        if words[7] not in (".", ".."):
            seen.add((words[0][0], int(words[4]), words[7].split(" -> ")[0]))
    expected = {(letters.get(f["type"], "-"), f["size_bytes"], f["path"].rsplit("/", 1)[1]) for f in live
                if f["path"].rsplit("/", 1)[0] == folder}
    gone = {f["path"].rsplit("/", 1)[1] for f in files if f["deleted"] and f["path"].rsplit("/", 1)[0] == folder}
    if version == "6":
        seen = {s for s in seen if s[2] not in gone}
    if seen != expected:
        print(folder, "lists", sorted(seen ^ expected)[:3])
read = 0
for number, f in enumerate(live):
    if f["type"] != "file" or "sha256" not in f or f["size_bytes"] > 64 << 20 or wrong(f) or (f["size_bytes"] == 0 and number % 100 != 0):
        continue
    total = hashlib.sha256()
    for piece in iter(lambda out=judge("cat", f["path"]): out.read(1 << 20), b""):
        total.update(piece)
    read += 1
    if total.hexdigest() != f["sha256"]:
        print(f["path"], "differs, ZLA", f["zla"])
if read < 15:
    print("only", read, "files were read")
EOF

# every run of data of every file, read from the volume where the truth says that it lies
cat >runs.py <<'EOF'
import hashlib, json, struct, sys
members = []
for name in sys.argv[2:]:
    f = open(name, "rb")
    f.seek(0x100004)
    f.seek(0x101000 if struct.unpack("<I", f.read(4))[0] == 6 else 0x100200)
    entry = f.read(512)
    first, last = struct.unpack_from("<QQ", entry, 0x78)
    members.append((first << 28, (last + 1) << 28, f))
def read(offset, length):
    while length > 0:
        start, end, f = next(m for m in members if m[0] <= offset < m[1])
        f.seek(0x1100000 + offset - start)
        piece = f.read(min(length, end - offset, 1 << 20))
        yield piece
        offset += len(piece)
        length -= len(piece)
used = {}
for line in open(sys.argv[1]):
    file = json.loads(line)
    total = hashlib.sha256()
    end = 0
    for run in file["runs"]:
        if run["file_offset"] != end:
            print(file["path"], "has a gap at", end)
        end += run["length"]
        if run["kind"] in ("data", "resident"):
            for piece in read(run["volume_offset"], run["length"]):
                total.update(piece)
        if run["kind"] in ("data", "tbz") and used.setdefault(run["volume_offset"], file["path"]) != file["path"]:
            print(file["path"], "and", used[run["volume_offset"]], "share a block")
    if file["type"] == "file" and (end != file["size_bytes"] or file["data_sha256"] != total.hexdigest()):
        print(file["path"], "differs")
EOF

for version in 3 5 6; do
	for extents in 1 3; do
		name="VMFS$version, $extents extents"
		start=$((version == 3 ? 65536 : 1048576))
		files=(disk0.img)
		[ $extents = 1 ] || files+=(disk1.img disk2.img)
		others=$(IFS=,; echo "${files[*]:1}")
		ok "$name: made" "$LAB" make --overwrite --vmfs $version --size 8G ${others:+--extents "$others"} --live 2 --files all \
			--truth truth.jsonl "${files[0]}"
		volumes "$start" "${files[@]}"
		is "$name: a judge reads names, sizes and bytes" "$(python3 judge.py $version "${IMAGES[@]}" 2>&1)" ""
		is "$name: the bytes lie where the truth says" "$(python3 runs.py truth.jsonl "${IMAGES[@]}" 2>&1)" ""
		if [ $version != 6 ]; then
			run judge check_vol_bitmaps
			has "$name: bitmaps and counts agree" "$OUT" "Total errors: 0"
		fi
	done
done

# --- fsck.vmfs: silent where there is nothing that it is known to misread ------------------------------------

# no blocks to be zeroed (it compares addresses with their flags), no resident bytes (it takes them for addresses), no .pb2.sf, no
# host alive (whose journal it calls lost)
cat >sound.txt <<'EOF'
# a comment
folder /a entries=300
file /a/sub size=5000 stored=sub-block
file /a/sub-several size=30000 stored=sub-block
file /a/flat size=12M fragments=6
file /a/pointers size=2G stored=pointer-block data=0+1M,1200M+3M,2047M+1M
link /l to=a/sub stored=sub-block
file /gone/1 size=5000 stored=sub-block deleted
file /gone/2 size=3M deleted
file /gone/kept size=2M
file /gone/3 size=400M stored=pointer-block data=1M+1M deleted
folder /gone/folder deleted
EOF
for version in 3 5; do
	start=$((version == 3 ? 65536 : 1048576))
	ok "VMFS$version: the sound one is made" "$LAB" make --overwrite --vmfs $version --size 4G --files sound.txt --truth truth.jsonl disk0.img
	volumes "$start" disk0.img
	run fsck.vmfs V0.img
	is "VMFS$version: fsck.vmfs finds nothing" "$(grep -E '^(Unallocated|Lost|Undefined|Orphaned|Directory)' "$OUT" | tr -d '\n ')" \
		"Unallocatedblocks:0Lostblocks:0Undefinedinodes:0Orphanedinodes:0Directoryerrors:0"
done

# --- 20000 entries; sectors of 4096 bytes; 64 TB --------------------------------------------------------------

echo 'folder /big entries=20000' >big.txt
echo 'file /last size=2000' >>big.txt
for version in 5 6; do
	ok "VMFS$version: 20000 entries" "$LAB" make --overwrite --vmfs $version --size 8G --files big.txt --truth truth.jsonl disk0.img
	volumes 1048576 disk0.img
	is "VMFS$version: a judge lists them all" "$(judge ls /big | grep -c '^f')" 20000
	is "VMFS$version: each once" "$(judge ls /big | sort -u | wc -l)" "$(judge ls /big | wc -l)"
	is "VMFS$version: and reads the last file" "$(judge cat /last | sha256sum)" "$(jq -r 'select(.path == "/last") | .sha256' truth.jsonl)  -"
done

cat >giant.txt <<'EOF'
file /giant-flat.vmdk size=3000G data=0+1M,2000G+2M,3071999M+1M
file /two-flat.vmdk size=2G data=1M+1M fragments=2
file /sub size=5000
EOF
for version in 5 6; do
	ok "VMFS$version: 64 TB, sectors of 4096 bytes" "$LAB" make --overwrite --vmfs $version --size 64T --sector-size 4096 --files giant.txt \
		--truth truth.jsonl disk0.img
	is "VMFS$version: what was written lies there" "$(python3 - <<'EOF'
import json
for line in open("truth.jsonl"):
    f = json.loads(line)
    print(f["path"], f["zla"], f["blocks"], sum(r["length"] for r in f["runs"] if r["kind"] == "data"))
EOF
	)" "/giant-flat.vmdk 4304 4 4194304
/two-flat.vmdk $((version == 5 ? 3 : 5)) 1 1048576
/sub 2 1 5000"
done

# --- a folder of this system ----------------------------------------------------------------------------------

mkdir -p tree/sub/empty
printf 'hello\n' >tree/hello
head -c 300000 /dev/urandom >"tree/sub/with blank"
truncate -s 30M tree/sub/holes
printf 'x' | dd of=tree/sub/holes bs=1 seek=20000000 conv=notrunc status=none
ln -s ../hello tree/sub/link
chmod 0640 tree/hello
for version in 3 5 6; do
	start=$((version == 3 ? 65536 : 1048576))
	ok "VMFS$version: from a folder" "$LAB" make --overwrite --vmfs $version --size 4G --from tree --truth truth.jsonl disk0.img
	volumes "$start" disk0.img
	for file in hello "sub/with blank" sub/holes; do
		[ "$version$file" != 6sub/holes ] || continue # see above
		is "VMFS$version: $file" "$(judge cat "/$file" | sha256sum)" "$(sha256sum <"tree/$file")"
	done
	has "VMFS$version: mode and size" "$(judge ls -l /)" "^-rw-r----- .* 6 .* hello$"
	is "VMFS$version: the target of the link" "$(jq -r 'select(.path == "/sub/link") | .target' truth.jsonl)" ../hello
	is "VMFS$version: holes stay holes" "$(jq -r 'select(.path == "/sub/holes") | .blocks' truth.jsonl)" 1
done
mkfifo tree/pipe
exits "a pipe is refused" 2 "$LAB" make --overwrite --from tree disk0.img
has "and named" "$ERR" "this is neither file, folder nor link \(tree/pipe\)"

# --- what is refused --------------------------------------------------------------------------------------------

# refused NAME LINE PATTERN
refused() {
	printf '%s\n' "$2" >bad.txt
	exits "$1 is refused" 2 "$LAB" make --overwrite --vmfs "${3%%:*}" --size 4G --live 1 --files bad.txt disk0.img
	has "$1: why" "$ERR" "${3#*:}"
}
refused "an unknown kind" "pipe /a" '5:"pipe" is none of file, folder, link, rdm and disk \(bad.txt, line 1\)'
refused "an unknown word" "file /a colour=red" '5:"colour" says nothing about such a file \(bad.txt, line 1\)'
refused "a word of another kind" "folder /a size=3" '5:"size" says nothing about such a file'
refused "a size that is none" "file /a size=much" "5:size is a size like"
refused "stretches out of order" "file /a size=9M data=4M+1M,1M+1M" "5:data is stretches"
refused "a path without a slash" "file a" "5:this is no path on a volume: .*\(a\)"
refused "the name of a system file" "file /.fbb.sf" "5:this is no path on a volume"
refused "a file twice" $'file /a\nfile /a size=1' "5:it is asked for twice \(/a\)"
refused "a file in a file" $'file /a\nfile /a/b' "5:what it should lie in is no folder \(/a/b\)"
refused "resident on VMFS3" "file /a size=1 stored=resident" "3:VMFS3 stores nothing in file descriptors"
refused "two levels on VMFS3" "file /a size=1 stored=double" "3:VMFS3 knows one level"
refused "large blocks on VMFS5" "file /a size=1G stored=large" "5:only VMFS6 has large file blocks"
refused "a host that is not there" "file /a lock=exclusive:7" "5:no host number 7 holds a heartbeat"
refused "more than fits" "file /a size=5G eager" "5:the volume has no file block left"
refused "too long for its addresses" "file /a size=300M stored=block" "5:it is too long for addresses of that kind \\(/a\\)"
[ ! -e disk0.img ]
is "half a volume does not stay" "$?" 0
exits "--truth without files" 2 "$LAB" make --truth truth.jsonl disk0.img
exits "files in two volumes" 2 "$LAB" make --volume size=4G --volume size=4G --files sound.txt disk0.img
