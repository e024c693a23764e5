#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Listings as sources: several disks in one text, in decode, import and the verbs that take one; what a text tells.
. "$(dirname "$0")/../lib.sh"
need jq hexdump od xxd
cd "$TMP" || exit 1
"$LAB" make --size 2G --label mine a.img >/dev/null && "$LAB" make --vmfs 6 --size 3G b.img >/dev/null || exit 1

json() { "$VMFSKIT" decode --json "$@" 2>"$ERR"; }
list() { # COMMAND...: as it stands behind a prompt
	echo "[root@esx1:~] $*"
	"$@"
}

# --- two disks in one text
{
	echo "Hello, these are the LUNs:"
	list hexdump -C -s 0x200000 -n 4096 a.img
	list hexdump -C -n 2048 a.img
	list od -A d -t x1 -N 17408 b.img
} >two.txt
run "$VMFSKIT" decode --json two.txt
is "two disks are two sources" "$(jq -c '[.sources[] | [.path, .kind, .size_bytes]]' "$OUT")" \
	'[["two.txt#a.img","disk",2101248],["two.txt#b.img","disk",17408]]'
is "the first in one piece with what comes before it" "$(jq -c '.sources[0] | [.table.kind, .vmfs[0].lvm.magic]' "$OUT")" \
	"$(json a.img | jq -c '.sources[0] | [.table.kind, .vmfs[0].lvm.magic]')"
is "how the second was read" "$(jq -r '.findings[] | select(.code == "source.listing-read") | .message' "$OUT" | sort -u)" \
	"the listing from line $(($(grep -n 'od -A d' two.txt | cut -d : -f 1) + 1)) on is read with decimal offsets"
run "$VMFSKIT" decode --json - <two.txt
is "from standard input" "$(jq '.sources | length' "$OUT")" 2
for verb in find "doctor --store none --heartbeat-wait 0"; do
	read -ra words <<<"$verb"
	exits "$verb takes one" 2 "$VMFSKIT" "${words[@]}" two.txt
	has "$verb names them" "$ERR" 'listings of several disks: a\.img, b\.img'
	has "$verb says how to choose" "$ERR" 'FILE#NAME'
done
run "$VMFSKIT" decode --json two.txt#b.img
is "one of them by its name" "$(jq -c '[.sources[] | .path, .table.kind]' "$OUT")" '["two.txt#b.img","gpt"]'
exits "a name that is not there" 4 "$VMFSKIT" decode two.txt#c.img
has "says which are" "$ERR" 'there are: a\.img, b\.img'

# --- import keeps all of both
run "$VMFSKIT" import --json --store i1 two.txt
is "a capture of each" "$(jq -c '[.captures[] | .kind]' "$OUT")" '["disk","disk"]'
has "of the first" "$OUT" 'two\.txt#a\.img'
exits "one name for two disks" 2 "$VMFSKIT" import --store i2 --disk lun7 two.txt
has "says so" "$ERR" 'listings of several disks: a\.img, b\.img'
run "$VMFSKIT" import --json --store i2 --disk lun7 two.txt#a.img
is "one of them" "$(jq -r '.captures[0].disk // .captures[0].source.path // "lun7"' "$OUT")" lun7
# the second part of a disk in front of the first
{
	hexdump -C -s 0x200000 -n 4096 a.img
	hexdump -C -n 2048 a.img
} >reverse.txt
run "$VMFSKIT" import --json --store i3 --disk t reverse.txt
is "what goes back is kept" "$(head -c 2048 i3/*-t/head.raw | cmp - <(head -c 2048 a.img) && echo same)" same

# --- what collides
{
	hexdump -C -n 512 a.img
	hexdump -C -n 512 a.img | sed 's/^000001f0 .*/000001f0  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00/'
} >collides.txt
run "$VMFSKIT" decode --json collides.txt
is "two listings that differ are two sources" "$(jq -c '[.sources[].path]' "$OUT")" \
	"[\"collides.txt#line-1\",\"collides.txt#line-$(($(wc -l <collides.txt) / 2 + 1))\"]"
is "and that is told" "$(jq -r '[.findings[].code] | index("source.listing-collides") != null' "$OUT")" true
run "$VMFSKIT" import --json --store i4 --as disk collides.txt
is "by import as well" "$(jq -r '[.findings[].code] | index("source.listing-collides") != null' "$OUT")" true
is "which keeps both" "$(jq '.captures | length' "$OUT")" 2

# --- a row that was changed, and what is ambiguous
hexdump -C -n 2048 a.img | sed 's/^00000200  45/00000200  46/' >changed.txt
run "$VMFSKIT" decode --json changed.txt
is "a changed row is not used" "$(jq -r '.findings[] | select(.code == "source.listing-unused") | .message' "$OUT")" \
	"1 row is not used; the first is line $(grep -n '^00000200' changed.txt | cut -d : -f 1): its text column is not that of its bytes"
head -c 4096 /dev/urandom | tr '\0\001\002\136\015\125\105' x >noise
hexdump -v -n 500 noise >words.txt
exits "words of unknown order" 2 "$VMFSKIT" decode words.txt
has "both readings are named" "$ERR" 'groups of 2 bytes, the first digits first; or groups of 2 bytes, the last digits first'
{ echo x86_64; cat words.txt; } >pc.txt
run "$VMFSKIT" decode --json pc.txt
is "until the text tells the host" "$(jq -c '.sources[0].size_bytes' "$OUT")" 500

# --- rows of characters
head -c 2048 a.img >head
for form in "od -c" "od -a" "hexdump -c"; do
	read -ra words <<<"$form"
	"${words[@]}" head >chars.txt
	exits "$form" 1 "$VMFSKIT" decode chars.txt
	has "$form is no listing of bytes, and why" "$OUT" 'rows are not used, the first is line 1: it shows characters, which do not show every byte: use hexdump -C'
	is "$form, in JSON" "$(json chars.txt | jq -c '[.sources[0].readings[0] | .kind, (.evidence | contains("hexdump -C"))]')" '["text",true]'
done
run "$VMFSKIT" decode --json <(xxd -b head)
is "bits are read" "$(jq -c '[.sources[] | [.size_bytes, .table.kind]]' "$OUT")" '[[2048,"gpt"]]'

# --- a listing is nothing to write to, and a view is of one disk
hexdump -C a.img >whole.txt
for verb in "repair table --no-captures" "repair header --no-captures" "wipe --signature all"; do
	read -ra words <<<"$verb"
	before=$(sha256sum <whole.txt)
	exits "$verb" 3 "$VMFSKIT" "${words[@]}" whole.txt
	has "$verb says what it is" "$ERR" 'guard container refuses: this is a listing of bytes, not a disk'
	exits "$verb --write" 3 "$VMFSKIT" "${words[@]}" --write whole.txt
	is "$verb: nothing is written" "$(sha256sum <whole.txt)" "$before"
done
for view in "--at 512" "--stride 520"; do
	read -ra words <<<"$view"
	exits "$view of two disks" 2 "$VMFSKIT" decode "${words[@]}" two.txt
	has "$view: names them" "$ERR" 'listings of several disks: a\.img, b\.img'
done
run "$VMFSKIT" decode --json --at 2048 two.txt#b.img
is "--at of one of them" "$(jq -c '[.sources[].size_bytes]' "$OUT")" '[15360]'

# --- how much of the disk it is: without its gaps
{
	list hexdump -C -n 512 a.img
	list hexdump -C -s 0x200000 -n 1024 a.img
} >gaps.txt
run "$VMFSKIT" decode --json gaps.txt
is "the share counts bytes, not addresses" "$(jq -c '[.sources[0].size_bytes, .sources[0].whole.held_bytes]' "$OUT")" '[2098176,1536]'
run "$VMFSKIT" decode gaps.txt
has "so does the text" "$OUT" 'holds less than 0\.01 % of the disk: 1\.50 KiB of at least 2 GiB'
head -c 26M a.img >cut.img
run "$VMFSKIT" decode --json cut.img
is "of a file without gaps all of them" "$(jq -c '.sources[0] | .size_bytes == .whole.held_bytes' "$OUT")" true
# sector 0 says that there is a GPT, and none of it is in the listing
for verb in decode "doctor --store none --heartbeat-wait 0" "find --no-store"; do
	read -ra words <<<"$verb"
	ok "$verb: a table that is not in the text is not missing" "$VMFSKIT" "${words[@]}" gaps.txt
	hasnt "$verb: nor gone" "$OUT" 'The partition table is gone|hidden|table-lost'
done

# --- what VMware's search prints (KB 2046610): magics and a name, nothing else
kb() { # IMAGE DEVICE
	echo "/vmfs/devices/disks/$2"
	printf 'gpt\n261 255 63 4194304\n1 2048 4194270 AA31E02A400F11DB9590000C2911D1B8 vmfs 0\n'
	for i in 128 2048; do
		echo "Checking offset found at $i:"
		hexdump -n 4 -s $((0x100000 + 512 * i)) "$1"
		hexdump -n 4 -s $((0x1300000 + 512 * i)) "$1"
		hexdump -C -n 128 -s $((0x130001d + 512 * i)) "$1"
	done | grep -B 1 -A 5 d00d
	echo ---------------------
}
kb a.img naa.6005 >kb.txt
told='the search of VMware.s KB 2046610 in line 5: an LVM header at byte 2097152, so a partition starts at sector 2048; its name is "mine"'
for verb in decode "doctor --store none --heartbeat-wait 0" "find --no-store"; do
	read -ra words <<<"$verb"
	ok "$verb: what is in it is sound" "$VMFSKIT" "${words[@]}" kb.txt
	has "$verb tells the header" "$OUT" "$told"
	has "$verb tells the table" "$OUT" 'partedUtil getptbl in line 2 of .*naa\.6005: gpt, 4194304 sectors; partition 1: 2048 to 4194270 \(vmfs\)'
	run "$VMFSKIT" "${words[@]}" --json kb.txt
	is "$verb: in JSON" "$(jq -c '[.. | .code? // empty | select(. == "source.told")]' "$OUT")" '["source.told","source.told"]'
done
"$VMFSKIT" doctor --store none --heartbeat-wait 0 kb.txt >"$OUT"
has "doctor: the volume" "$OUT" '^  sector 2048, the table is not in the source$'
has "doctor: what it is" "$OUT" '^This is 40 bytes of at least 20 MiB, and what is here is sound\.$'
hasnt "doctor: not nothing" "$OUT" 'nothing-found|No VMFS volume'
run "$VMFSKIT" find --no-store --json kb.txt
is "find: no ghost, and not called living" "$(jq -c '[.candidates[] | [.start_sector, .standing, .ghost]]' "$OUT")" '[[2048,"unknown",false]]'
hexdump -C -s $((0x1400000)) -n 240 a.img >fs.txt
ok "find: a piece of a descriptor" "$VMFSKIT" find --no-store --json fs.txt
is "find: it is not known, too" "$(jq -c '[.candidates[] | [.standing, .ghost]]' "$OUT")" '[["unknown",false]]'
# the first 4 bytes of a header with zeros behind them on a disk are no more than they were
truncate -s 64M noise.img
printf '\015\320\001\300' | dd of=noise.img bs=1 seek=$((0x200000)) conv=notrunc status=none
run "$VMFSKIT" find --no-store --json noise.img
is "find: the same on a disk is noise" "$(jq -c '[.candidates[].standing]' "$OUT")" '["ghost: noise"]'
# of two disks each has its own
{
	cat kb.txt
	kb b.img naa.6006
} >kb2.txt
run "$VMFSKIT" decode --json kb2.txt
is "of two disks each has its own header and table" "$(jq -c '[.findings[] | select(.code == "source.told") | [(.source | .[-8:]), (.message | capture("in line (?<n>[0-9]+)").n)]]' "$OUT")" \
	'[["naa.6005","2"],["naa.6005","5"],["naa.6006","14"],["naa.6006","17"]]'
table() { printf 'gpt\n261 255 63 4194304\n1 2048 %s AA31E02A400F11DB9590000C2911D1B8 vmfs 0\n' "$1"; }
{
	echo "Look:"
	table 4194270
	list hexdump -C -n 512 a.img
	list hexdump -C -n 512 b.img
	echo '[root@esx1:~] partedUtil getptbl /vmfs/devices/disks/naa.7'
	table 4194271
} >tables.txt
run "$VMFSKIT" decode --json tables.txt
is "one that names no disk is said so at each" "$(jq -c '[.findings[] | select(.code == "source.told" and (.message | contains("getptbl in line 2,"))) |
	[.source, (.message | contains("of one of these disks, which is not said"))]]' "$OUT")" '[["tables.txt#a.img",true],["tables.txt#b.img",true]]'
is "one of a disk without rows once" "$(jq -c '[.findings[] | select(.code == "source.told" and (.message | contains("naa.7"))) |
	[.source, (.message | contains("a disk of which there are no rows"))]]' "$OUT")" '[["tables.txt#a.img",true]]'

# --- text
exits "a text" 1 "$VMFSKIT" decode /etc/passwd
has "is called so" "$OUT" '^/etc/passwd: text, '
has "as a finding" "$OUT" '^error source\.text: a text that holds no listing of bytes'
hasnt "and is no disk" "$OUT" 'Partition table|table\.none'
is "in JSON" "$(json /etc/passwd | jq -c '[.sources[0].readings[0] | .kind, .repairable]')" '["text",false]'
exits "find calls nothing sound that is a text" 1 "$VMFSKIT" find --no-store /etc/passwd
exits "import takes none" 2 "$VMFSKIT" import --store i5 /etc/passwd
has "says why" "$ERR" 'this is a text that holds no listing of bytes'
printf 'gpt\n20233 255 63 325058560\n1 2048 325058526 AA31E02A400F11DB9590000C2911D1B8 vmfs 0\n' >getptbl.txt
run "$VMFSKIT" decode getptbl.txt
has "a table as partedUtil prints it" "$OUT" 'partedUtil getptbl in line 1: gpt, 325058560 sectors; partition 1: 2048 to 325058526 \(vmfs\)'
sed 's/325058560/725058560/' getptbl.txt | cat getptbl.txt - >getptbls.txt
run "$VMFSKIT" decode getptbls.txt
has "two tables: both are told" "$OUT" 'getptbl in line 1: gpt, 325058560 .*getptbl in line 4: gpt, 725058560 sectors'

# --- bytes that are there are shown
hexdump -C -s 0x1400000 -n 64 a.img >label.txt
run "$VMFSKIT" decode --as disk <(hexdump -C -s 0x200000 -n 512 a.img; cat label.txt)
has "a label that ends in what is given" "$OUT" '^  label +mine$'
dd if=a.img bs=1M skip=1 count=2 of=part.dd status=none
run "$VMFSKIT" decode <(hexdump -C -s 0x100000 -n 8 part.dd)
has "a version as far as it is there" "$OUT" '^LVM device header \(device offset 0x100000\), LVM 5$'
run "$VMFSKIT" decode --json <(hexdump -C -n 17408 a.img)
is "a backup that is not in the listing is not missing" "$(jq -c '[.findings[].code] | unique - ["structure.absent", "structure.cut", "source.truncated"]' "$OUT")" '[]'
