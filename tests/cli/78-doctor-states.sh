#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What else the doctor is called for: deleted tables, wiped magics and headers, grown and cut LUNs, replicas, arrays in the
# wrong order, bad sectors, living hosts, extents; and how the answer is given.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
PATH=$PATH:/usr/sbin:/sbin
need perl jq mkfs.ext4 xmllint
cd "$TMP" || exit 1
mkdir -m 700 nowhere # a store without captures

"$LAB" make --table gpt --vmfs 5 --start 2048 --size 420M --label prod --live 1 prod.orig >/dev/null || exit 1
fresh() { copy_disk prod.orig prod.img; }
doctor() { "$VMFSKIT" doctor --heartbeat-wait 0 --store nowhere "$@"; }
codes() { jq -r '[.sources[].findings[].code | sub("incident."; "")] | sort | unique | join(" ")' "$1"; }
# told NAME CODES FIRST LAST SOURCE...: JSON of doctor, the incidents, first and last damaged sector
told() {
	local name=$1 wanted=$2 first=$3 last=$4
	shift 4
	exits "$name: exit code" 1 doctor --json "$@"
	cp "$OUT" doctor.json
	is "$name: what happened" "$(codes doctor.json)" "$wanted"
	is "$name: damaged sectors" "$(jq -r '.sources[0].damaged | "\(.first_sector) \(.last_sector)"' doctor.json)" "$first $last"
}
headline() { has "$1" "$(jq -r '.sources[0].headline' doctor.json)" "$2"; }
next_is() { is "$1" "$(jq -r '[.sources[0].next[].command | values] | join("; ")' doctor.json)" "$2"; }

# --- tables and headers ------------------------------------------------------------------------------
fresh
"$LAB" break --how table prod.img >/dev/null
told "deleted table" table-lost 0 860159 prod.img
headline "deleted table: the answer" '^The partition table is gone.*headers are intact$'
next_is "deleted table: next" "vmfskit capture prod.img --store nowhere; vmfskit repair table prod.img --store nowhere"
is "deleted table: the volume is in no table" "$(jq -c '.sources[0].volumes | map([.in_table, .start_sector, .sectors, .label])' doctor.json)" \
	'[[false,2048,858079,"prod"]]'
fresh
"$LAB" break --how primary prod.img >/dev/null
told "primary copy gone" table-damaged 1 2 prod.img
fresh
"$LAB" break --how backup prod.img >/dev/null
told "backup copy gone" table-damaged 860127 860159 prod.img
is "backup copy gone: the other one is proved" "$(jq -r '.sources[0].intact[0]' doctor.json)" \
	"intact, as their checksums prove: primary GPT header, primary GPT entries"
fresh
"$LAB" break --how magic prod.img >/dev/null
told "magics wiped" magic-wiped 4096 40960 prod.img
is "magics wiped: four bytes each" "$(jq -c '[.sources[0].findings[] | [.offset, .length]]' doctor.json)" '[[2097152,4],[20971520,4]]'
next_is "magics wiped: next" "vmfskit capture prod.img --store nowhere; vmfskit repair header prod.img --store nowhere"
fresh
"$LAB" break --how header prod.img >/dev/null
told "headers gone" "blanked descriptor-lost header-lost" 4096 40960 prod.img
fresh
"$LAB" break --how start prod.img >/dev/null
told "first 21 MiB gone" "blanked descriptor-lost header-lost heartbeats" 4096 45048 prod.img
fresh
"$LAB" break --how heartbeat-corrupt prod.img >/dev/null
told "a corrupt heartbeat" heartbeats 43320 43320 prod.img
# the table and the header: the volume begins where the table said
fresh
"$LAB" break --how header prod.img >/dev/null
"$LAB" break --how table prod.img >/dev/null
told "table and headers" "blanked descriptor-lost header-lost table-lost" 0 40960 --scan prod.img
has "table and headers: the start is known by heartbeats alone" "$(jq -r '[.sources[0].next[].command | values] | join("; ")' doctor.json)" \
	'repair table prod.img .*; vmfskit repair header --start 2048 prod.img'

# two volumes, one of them where nobody looks first
"$LAB" make --table mbr --volume start=128,size=600M,version=3 --volume size=600M,version=3,label=second,logical two.img >/dev/null
exits "two volumes" 0 doctor two.img
"$LAB" break --how table two.img >/dev/null
exits "two volumes, no table: exit code" 1 doctor two.img
has "two volumes, no table: there may be more" "$OUT" 'outside of the volumes at the likely places; doctor --scan'
exits "two volumes, no table, scanned: exit code" 1 doctor --scan --json two.img
is "two volumes, no table, scanned: both" "$(jq -c '[.sources[0].volumes[].label]' "$OUT")" '["practice","second"]'
big=$(big_dir)
if [ -n "$big" ]; then
	"$LAB" make --table gpt --vmfs 5 --size 64T "$big/big.img" >/dev/null
	exits "64 TB" 0 timeout 30 "$VMFSKIT" doctor --store nowhere "$big/big.img"
	has "64 TB: the map has one cell for all bitmaps and one for all tables" "$OUT" '^  M\. G= E= \| L\. V\. N\? B\. P\. F\. H\. '
fi

# --- a file system in the partition: the table stands -----------------------------------------------------
fresh
mkfs.ext4 -F -q -E nodiscard,offset=1048576 prod.img 400M 2>"$ERR" || cat "$ERR"
exits "ext4 in the partition: exit code" 1 doctor --json prod.img
cp "$OUT" doctor.json
has "ext4 in the partition: named" "$(codes doctor.json)" 'formatted'
hasnt "ext4 in the partition: the table is sound" "$(codes doctor.json)" 'table'
is "ext4 in the partition: where it begins" "$(jq -r '.sources[0].foreign[0] | "\(.type) \(.start_bytes)"' doctor.json)" "ext4 1048576"
# one that does not say when it was made may be older than the volume, where nothing else tells
fresh
"$LAB" break --how ntfs --at partition --partition 1 prod.img >/dev/null
told "NTFS in the partition" foreign-signature 2048 2086 prod.img
"$VMFSKIT" capture --store sound prod.orig >/dev/null
mv prod.img moved.img && mkdir -p there && copy_disk prod.orig there/prod.img
"$VMFSKIT" capture --store sound there/prod.img >/dev/null
mv moved.img there/prod.img
exits "NTFS in the partition, with a capture" 1 "$VMFSKIT" doctor --heartbeat-wait 0 --json --store sound there/prod.img
is "NTFS in the partition, with a capture: certain" "$(codes "$OUT")" formatted
# restore does not touch heartbeats unless it is told to
copy_disk prod.orig beaten.img
"$LAB" break --how heartbeat-corrupt beaten.img >/dev/null
exits "a corrupt heartbeat, with a capture" 1 "$VMFSKIT" doctor --heartbeat-wait 0 --store sound beaten.img
next=$(sed -n 's/^  1\. vmfskit //p' "$OUT")
is "a corrupt heartbeat, with a capture: next" "$next" "repair header beaten.img --store sound"
exits "a corrupt heartbeat, with a capture: next asks whether a guess will do" 3 bash -c "'$VMFSKIT' $next"
has "a corrupt heartbeat, with a capture: next mends it" "$OUT" '^changes  1 range, 512 bytes$'
# an ext4 that lay there before the volume did is no incident: captured, and as captured
copy_disk prod.orig old.img
mkfs.ext4 -F -q -E nodiscard other.img 64M
dd if=other.img of=old.img bs=512 skip=2 seek=40 count=2 conv=notrunc status=none
"$VMFSKIT" capture --store old old.img >/dev/null
exits "remains as captured" 0 "$VMFSKIT" doctor --heartbeat-wait 0 --store old old.img

# --- sizes, names, arrays ---------------------------------------------------------------------------------
fresh
truncate -s 500M prod.img
exits "grown LUN: exit code" 1 doctor --json prod.img
cp "$OUT" doctor.json
is "grown LUN" "$(codes doctor.json)" lun-grown
has "grown LUN: repair table comes next" "$(jq -r '[.sources[0].next[].command | values] | join("; ")' doctor.json)" 'vmfskit repair table prod.img'
truncate -s 400M prod.img
exits "a file that ends early may be a dump of the beginning: no fault" 0 doctor --json prod.img
is "a file that ends early" "$(codes "$OUT")" part
is "a file that ends early: no writing, and the LUN first" "$(jq -c '[.sources[0].next[].command]' "$OUT")" '[null,null]'
copy_disk prod.orig prod.img
"$VMFSKIT" capture --store longer prod.img >/dev/null
truncate -s 400M prod.img
exits "the same file was longer: it was cut short" 1 "$VMFSKIT" doctor --heartbeat-wait 0 --store longer --json prod.img
is "the same file was longer" "$(codes "$OUT")" lun-shrunk
is "the same file was longer: no writing, and the LUN first" "$(jq -r '.sources[0].next[0].command' "$OUT")" null
if command -v sgdisk >/dev/null; then
	rm -rf there && mkdir there && copy_disk prod.orig there/prod.img
	"$VMFSKIT" capture --store before there/prod.img >/dev/null
	truncate -s 500M there/prod.img
	sgdisk -e there/prod.img >/dev/null 2>&1
	exits "grown LUN whose table was moved: an older capture is no reproach" 0 "$VMFSKIT" doctor --heartbeat-wait 0 --store before there/prod.img
	has "grown LUN whose table was moved: changed, not damaged" "$OUT" 'changed since the capture.*GPT header'
fi
"$LAB" make --table gpt --vmfs 6 --seed 77 --size 420M another.img >/dev/null
mkdir -p there && copy_disk prod.orig there/prod.img && "$VMFSKIT" capture --store renamed there/prod.img >/dev/null
mv another.img there/prod.img
exits "another disk under the name of a captured one" 0 "$VMFSKIT" doctor --heartbeat-wait 0 --store renamed there/prod.img
has "another disk under the name of a captured one: no capture is its own" "$OUT" '^Capture: none usable'
"$LAB" make --table gpt --vmfs 6 --size 420M --naa naa.600144f07ed404000000496ff8cd0003 lun.img >/dev/null
exits "the same LUN" 0 doctor --live-id naa.600144F07ED404000000496FF8CD0003 lun.img
exits "a replica: exit code" 1 doctor --live-id naa.600144f07ed404000000496ff8cd0004 lun.img
exits "its vml. name" 0 doctor --live-id vml.0200000000600144f07ed404000000496ff8cd0003505241435449 lun.img
exits "its vml. name with another product string" 1 doctor --live-id vml.0200000000600144f07ed404000000496ff8cd0003564d464b4954 lun.img
for name in 600144f07ed404000000496ff8cd0004 naa.12 nvme. NAME ''; do
	exits "--live-id '$name' is no name of a LUN" 2 doctor --live-id "$name" lun.img
	has "--live-id '$name': which forms are taken" "$ERR" 'naa\., eui\., t10\., mpx\., uuid\., nvme\. or vml\.'
done
exits "a replica: exit code" 1 doctor --live-id naa.600144f07ed404000000496ff8cd0004 lun.img
has "a replica" "$OUT" 'lunid.designator-changed: .*written for another LUN'
has "a replica: both names" "$OUT" 'naa.600144f07ed404000000496ff8cd0003 in the header'
swap_stripes() { # FILE STRIPE
	perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; my $s = $ARGV[1];
		for (my $i = 0; $i < 64 << 20; $i += 2 * $s) { my ($x, $y); sysseek($f, $i, 0); sysread($f, $x, $s); sysread($f, $y, $s);
			sysseek($f, $i, 0); syswrite($f, $y . $x); }' "$1" "$2"
}
for stripe in 4096 16384 65536 131072; do
	fresh
	swap_stripes prod.img $stripe
	exits "array, stripes of $stripe: exit code" 1 doctor --json prod.img
	cp "$OUT" doctor.json
	has "array, stripes of $stripe" "$(jq -r '.sources[0].findings[].message' doctor.json)" "displaced in .* multiple of $stripe bytes"
	is "array, stripes of $stripe: nothing to run" "$(jq -r '[.sources[0].next[].command] | join(" ")' doctor.json)" ""
done

# --- bad sectors, living hosts ------------------------------------------------------------------------------
fresh
export VMFSKIT_TEST_BAD=512+512,2097152+4096
exits "bad sectors: exit code" 4 "$HOOKS" doctor --heartbeat-wait 0 --store nowhere --json prod.img
unset VMFSKIT_TEST_BAD
cp "$OUT" doctor.json
is "bad sectors: told as that, and as nothing else" "$(codes doctor.json)" unreadable
is "bad sectors: their ranges" "$(jq -c '[.sources[0].findings[] | [.offset, .length]]' doctor.json)" '[[512,512],[2097152,4096]]'
is "bad sectors: nothing is provably wrong" "$(jq '.sources[0].damaged' doctor.json)" null
fresh
exits "a slot in use, one look" 0 doctor prod.img
has "a slot in use, one look: says so" "$OUT" '^In use: a heartbeat slot is taken; it was not watched$'
exits "a slot in use, watched" 0 "$HOOKS" doctor --heartbeat-wait 0.05 --store nowhere prod.img
has "a slot in use, watched: it did not move" "$OUT" 'did not change while it was watched'
"$LAB" break --how primary prod.img >/dev/null
(for ((i = 0; i < 100; i++)); do "$LAB" beat prod.img >/dev/null 2>&1; sleep 0.1; done) &
beater=$!
exits "a living host: exit code" 1 "$HOOKS" doctor --heartbeat-wait 2 --store nowhere --json prod.img
kill $beater 2>/dev/null
wait $beater 2>/dev/null
cp "$OUT" doctor.json
has "a living host: told" "$(codes doctor.json)" alive
is "a living host: which volume" "$(jq -c '[.sources[0].alive, .sources[0].volumes[0].alive]' doctor.json)" '["yes",true]'
is "a living host: unmounting comes first" "$(jq -r '.sources[0].next[0].command' doctor.json)" null

# --- several sources, partitions, what cannot be looked at -------------------------------------------------
"$LAB" make --table gpt --vmfs 5 --size 700M --extents e2.img=600M,e3.img=600M e1.img >/dev/null
exits "all extents" 0 doctor e1.img e2.img e3.img
exits "an extent is missing: exit code" 1 doctor --json e1.img e3.img
is "an extent is missing: which" "$(jq -r '.findings[].code' "$OUT")" volume.extent-missing
"$LAB" break --how table e2.img >/dev/null
exits "an extent whose table is gone is found all the same: exit code" 1 doctor --json e1.img e2.img e3.img
is "an extent whose table is gone: none is missing" "$(jq -r '.findings | length' "$OUT")" 0
dd if=prod.orig of=part.img bs=1M skip=1 count=419 conv=sparse status=none
exits "a partition" 0 doctor part.img
zero part.img $((0x1300000)) 512
exits "a partition without descriptor: exit code" 1 doctor --json part.img
is "a partition without descriptor" "$(codes "$OUT")" descriptor-lost
is "a partition without descriptor: repair comes next" "$(jq -r '.sources[0].next[1].command' "$OUT")" \
	"vmfskit repair header part.img --store nowhere"
truncate -s 100M blank.img
exits "an empty disk" 0 doctor blank.img
has "an empty disk: says so, and where else to look" "$OUT" 'No VMFS volume was found'
has "an empty disk: find comes next" "$OUT" 'vmfskit find blank.img'
exits "nothing there" 4 doctor nosuchfile
dd if=part.img of=volume.bin bs=1M skip=17 count=8 status=none
exits "a volume is for decode" 2 doctor volume.bin
has "a volume is for decode: says so" "$ERR" 'vmfskit decode'
exits "one that is not there does not hide the other" 4 doctor nosuchfile lun.img
has "one that is not there: the other is shown" "$OUT" '^lun.img: disk'

# --- what stands in for a table, or beside it ----------------------------------------------------------------
# names of two lengths: a LUN may have both, and a copy on another array does
fresh
run doctor --json --live-id naa.5000c50012345678 prod.img
has "a name of another length: a person should look" "$(codes "$OUT")" 'lunid.designator-changed'
# the entries of another disk in the backup's place do not excuse those of the primary
sectors=$(($(stat -c %s prod.orig) / 512))
"$LAB" make --table gpt --vmfs 5 --start 4096 --size 420M --seed 9 rival.img >/dev/null || exit 1
fresh
perl -e 'open(F, "+<:raw", $ARGV[0]); seek(F, 1024 + 40, 0); read(F, $b, 1); seek(F, 1024 + 40, 0); print F chr(ord($b) ^ 1)' prod.img
dd if=rival.img of=prod.img bs=512 skip=$((sectors - 33)) seek=$((sectors - 33)) count=32 conv=notrunc status=none
zero prod.img $(((sectors - 1) * 512)) 512
run doctor --json prod.img
is "one bit of an entry beside a foreign array" \
	"$(jq -c '[.sources[0].ranges[] | select(.what == "primary GPT entries" and .damage == "damaged") | .offset_bytes]' "$OUT")" "[1024]"
# a header that counts other entries, and a whole copy beside it
if command -v sgdisk >/dev/null; then
	fresh
	sgdisk -S 64 prod.img >/dev/null 2>&1
	dd if=prod.orig of=prod.img bs=512 skip=$((sectors - 33)) seek=$((sectors - 33)) count=33 conv=notrunc status=none
	run doctor --json prod.img
	is "a copy with another number of entries is not called damaged" \
		"$(jq '[.sources[0].ranges[] | select(.what == "backup GPT entries" and .damage == "damaged")] | length' "$OUT")" 0
fi
# what is left of a longer disk's GPT, its signature taken away, in front of a VMFS3 on an MBR
"$LAB" make --table gpt --vmfs 5 --start 2048 --size 2G longer.img >/dev/null || exit 1
"$LAB" make --table mbr --vmfs 3 --start 128 --size 1G mbr.img >/dev/null || exit 1
dd if=longer.img of=mbr.img bs=512 skip=1 seek=1 count=33 conv=notrunc status=none
zero mbr.img 512 8
exits "remains of a longer disk's GPT do not make a file the beginning of one" 0 "$VMFSKIT" repair table --store nowhere mbr.img

# --- the picture -----------------------------------------------------------------------------------------
fresh
"$LAB" break --how start prod.img >/dev/null
exits "svg: exit code" 1 doctor --svg map.svg prod.img
ok "svg: well-formed" xmllint --noout map.svg
doctor --svg again.svg prod.img >/dev/null
same "svg: the same bytes again" map.svg again.svg
has "svg: titles" map.svg '<title>LVM device header of the volume at sector 2048: zero, sector 4096</title>'
is "svg: whoever uses a screen reader hears the answer" "$(xmllint --xpath 'string(//*[local-name()="desc"])' map.svg)" \
	"$(doctor --json prod.img | jq -r '.sources[0].headline')"
cp map.svg kept.svg
exits "svg: nothing is replaced" 2 doctor --svg map.svg blank.img
same "svg: nothing was replaced" map.svg kept.svg
exits "svg: --overwrite" 0 doctor --overwrite --svg map.svg lun.img
ok "svg: and then it is" bash -c '! cmp -s map.svg kept.svg'
ln -s lun.img link.svg
sum=$(disk_sum lun.img)
exits "svg: never through a link" 2 doctor --overwrite --svg link.svg lun.img
exits "svg: never onto a device" 2 doctor --overwrite --svg /dev/null lun.img
is "svg: the disk is what it was" "$(disk_sum lun.img)" "$sum"
exits "svg: a folder that is not there" 4 doctor --svg nosuch/map.svg lun.img
exits "svg: of one disk" 2 doctor --svg two.svg lun.img blank.img
is "svg: nothing is left behind" "$(ls | grep -c 'svg\..*tmp')" 0

# --- the rest of the command line ----------------------------------------------------------------------------
exits "too short a wait" 2 doctor --heartbeat-wait 1 lun.img
exits "a path with blanks and quotes" 0 bash -c 'cp --sparse=always lun.img "it'\''s mine.img" && "$VMFSKIT" doctor --store nowhere "it'\''s mine.img"'
has "a path with blanks and quotes: ready to paste" "$OUT" "vmfskit capture 'it'\\\\''s mine.img' --store nowhere"
if command -v strace >/dev/null; then
	STRACE_OPTIONS="-e trace=open,openat,creat" traced calls "$VMFSKIT" doctor --heartbeat-wait 0 --store nowhere prod.img >/dev/null
	is "nothing is opened for writing" "$(grep -E 'O_(WRONLY|RDWR|CREAT)' calls | grep -v '/dev/null\|memfd')" ""
fi
