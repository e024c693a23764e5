# SPDX-License-Identifier: Apache-2.0
# import of files from elsewhere: the script of 2009, dumps, listings; what a capture lacks is said and never written; hostile
# tars and indexes are refused.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
PATH=$PATH:/usr/sbin:/sbin
need perl jq sha256sum tar hexdump
collector=$ROOT/cron/vmfskit-collect.sh
cd "$TMP" || exit 1

make() { "$LAB" make "$@" >/dev/null || exit 1; }
make --vmfs 3 --table mbr --start 128 --size 2G --live 1 --label old mbr128.img
make --vmfs 3 --table mbr --start 2048 --size 2G mbr2048.img
make --vmfs 5 --table gpt --start 2048 --size 3G --label drill gpt.img

import() { run "$VMFSKIT" import --json "$@"; }
found() { jq -c '[.findings[] | [.code, .offset, .length]]' "$OUT"; }
# the capture that was told of last
manifest() { echo "$(jq -r '.captures[0].path' "$OUT")/manifest.json"; }

# --- the files of 2009: the first 2 MiB of the disk and .vh.sf
script() {
	dd if="$2" of="$1/vmfs-header-backup-$3.hex" bs=512 count=4096 status=none
	dd if="$2" of="$1/vmfs-metadata-$3-vh.sf.bu" bs=512 skip=$(($4 + 34816)) count=16384 status=none
	TZ=UTC touch -d '2009-04-21 16:45:56' "$1/vmfs-header-backup-$3.hex" "$1/vmfs-metadata-$3-vh.sf.bu"
}
mkdir script
script script mbr128.img sda 128
script script mbr2048.img sdb 2048
import --store s1 script/vmfs-header-backup-sda.hex
is "start 128, header file alone: exit code" "$CODE" 1
is "start 128: what it lacks" "$(found)" '[["capture.not-held",17891328,3145728],["capture.not-held",21037056,1048576],["capture.not-held",2097152,15794176],["capture.not-held",19988480,512]]'
is "start 128: the disk is named" "$(jq -r '.captures[0].disk' "$OUT")" sda
has "start 128: the LVM header is in it" "$(jq -r '.captures[0].volumes[0].disk_id' "$OUT")" '^naa\.'
is "its time is that of the file" "$(jq -r '.captures[0] | "\(.time) \(.id)"' "$OUT")" "2009-04-21T16:45:56Z 20090421T164556Z-sda"
is "what is not there is no file" "$(ls s1/20090421T164556Z-sda | tr '\n' ' ')" "RESTORE.txt SHA256SUMS head.raw manifest.json p1-lvm.raw "
has "where it comes from is in it" "$(jq -c .imported.files "$(manifest)")" \
	"^\[\{\"file\":\"script/vmfs-header-backup-sda.hex\",\"length_bytes\":2097152,\"sha256\":\"$(sha256sum script/vmfs-header-backup-sda.hex | cut -c 1-64)\",\"modified\":\"2009-04-21T16:45:56Z\"\}\]$"
is "how long the disk is is not certain" "$(jq -c '.source | [.size_bytes, .size_certain]' "$(manifest)")" '[2147483648,false]'
exits "verify: incomplete" 1 "$VMFSKIT" verify --store s1
has "and sound as far as it goes" "$OUT" ': incomplete, '
has "the dd line for a file with holes is a comment" s1/*/RESTORE.txt '^# dd if=p1-lvm\.raw'
has "and the size a least one" s1/*/RESTORE.txt 'least the size above'

import --store s1 script/vmfs-header-backup-sda.hex script/vmfs-metadata-sda-vh.sf.bu --host esx35
is "both files: one capture" "$(jq '.captures | length' "$OUT")" 1
is "both files: what it lacks" "$(found)" '[["capture.not-held",2097152,15794176]]'
is "both files: label and host" "$(jq -r '.captures[0] | "\(.volumes[0].label) \(.host)"' "$OUT")" "old esx35"
both=$(jq -r '.captures[0].id' "$OUT")
is "an import never overwrites" "$(ls s1 | grep -c '^20090421T164556Z[.2]*-sda')" 2
ok "not the first one either" bash -c 'cd s1/20090421T164556Z-sda && sha256sum --quiet -c SHA256SUMS'
ok ".vh.sf is at its place" cmp -n 3145728 "s1/$both/p1-vh.raw" script/vmfs-metadata-sda-vh.sf.bu
import --store s1 script/*
is "files of two disks: two captures" "$(jq -r '[.captures[].disk] | join(" ")' "$OUT")" "sda sdb"

import --store s2 script/vmfs-header-backup-sdb.hex
is "start 2048: exit code" "$CODE" 1
has "start 2048: the header is not in it, in plain words" "$(jq -r '.findings[].message' "$OUT")" \
	'^the LVM header of partition 1 is not in it: it would be at byte 2097152 \(0x200000\) of the disk$'
has "start 2048: its range" "$(found)" '\["capture.not-held",2097152,214\]'
hasnt "start 2048: nothing is called damaged" "$(found)" 'not-containing|unreadable'
is "start 2048: what is not held is on record" "$(jq -c '[.unreadable[] | [.offset_bytes, .length_bytes]]' "$(manifest)")" '[[2097152,16777216]]'
run "$VMFSKIT" import --store s2 script/vmfs-header-backup-sdb.hex
has "the same as text" "$OUT" 'capture\.not-held: the LVM header of partition 1 is not in it: it would be at byte 2097152'
import --store s3 script/vmfs-metadata-sda-vh.sf.bu
is ".vh.sf alone: a partition that lacks its LVM region" "$(jq -r '.captures[0].kind' "$OUT") $(found)" \
	'partition [["capture.not-held",0,17825792],["capture.not-held",1048576,214]]'

# --- restore never writes what was not imported
cp --sparse=always mbr128.img wreck.img
"$LAB" break --how header wreck.img >/dev/null
wreck=$(disk_sum wreck.img)
run "$VMFSKIT" restore --json --store s1 "$both" wreck.img --part lvm,vh --write
is "restore of a part with holes: refused" "$CODE" 3
# of this copy no header is left that could say that it is the disk
is "by its guard, and nothing proves the disk" "$(jq -r '[.objections[].guard] | join(" ")' "$OUT")" "unidentified unreadable"
is "nothing was written" "$(disk_sum wreck.img)" "$wreck"
run "$VMFSKIT" restore --json --store s1 "$both" wreck.img --part lvm,vh --override unreadable,unidentified --write
is "overridden: done" "$CODE" 0
is "and the holes stay as they were on the disk" "$(disk_sum wreck.img)" "$(disk_sum mbr128.img)"

# --- a disk whose length is not known: a longer one is taken, a shorter one is not
cp --sparse=always mbr128.img longer.img
truncate -s 3G longer.img
zero longer.img 446 64
run "$VMFSKIT" restore --json --store s1 "$both" longer.img --part table --write
is "a longer target" "$CODE" 0
has "but that is told" "$(jq -r '.remarks[]' "$OUT")" 'at least 2147483648 bytes, its exact length is not known; the target has 3221225472 bytes'
cp --sparse=always mbr128.img shorter.img
truncate -s 1G shorter.img
run "$VMFSKIT" restore --json --store s1 "$both" shorter.img --part table
is "a shorter target is refused" "$CODE $(jq -r '[.objections[].guard] | join(" ")' "$OUT" | grep -o size)" "3 size"
import --store s4 --disk-size 2G script/*sda*
is "--disk-size makes it certain" "$(jq -c '.captures[0] | [.size_bytes, .size_certain]' "$OUT")" '[2147483648,true]'
run "$VMFSKIT" restore --json --store s4 "$(jq -r '.captures[0].id' "$OUT")" longer.img --part table
has "then a longer target is refused" "$(jq -r '.objections[].guard' "$OUT")" '^size$'
exits "a size for two disks" 2 "$VMFSKIT" import --store s4 --disk-size 2G script/*
exits "a size that is too small" 1 "$VMFSKIT" import --store s4 --disk-size 1M script/*sda*
has "says what reaches where" "$ERR" 'reach to byte .* but the disk is 1048576 bytes long'

# --- a dump of a partition, of a disk, pieces of a disk
dd if=gpt.img of=part.dd bs=1M skip=1 count=25 status=none
import --store d1 part.dd
is "25 MiB of a partition: all that is needed" "$CODE $(found)" "0 []"
is "its header tells its length" "$(jq -c '.captures[0] | [.kind, .size_certain, .size_bytes % 512]' "$OUT")" '["partition",true,0]'
is "the same regions as of the partition itself" \
	"$(jq -c '[.regions[] | [.file, .offset_bytes, .length_bytes, .sha256]]' "$(manifest)")" \
	"$(dd if=gpt.img of=whole-part.dd bs=1M skip=1 conv=sparse status=none
	"$VMFSKIT" capture --json --store d0 whole-part.dd >cap.json
	jq -c '[.regions[] | [.file, .offset_bytes, .length_bytes, .sha256]]' "$(jq -r '.captures[0].path' cap.json)/manifest.json")"
cp --sparse=always gpt.img native.img
"$VMFSKIT" capture --json --store d0 gpt.img >cap.json
native=$(jq -r '.captures[0].path' cap.json)/manifest.json
import --store d2 gpt.img
is "a whole disk" "$(jq -c .regions "$(manifest)")" "$(jq -c .regions "$native")"
dd if=gpt.img of=table.dd bs=512 count=34 status=none
dd if=gpt.img of=tail.dd bs=512 skip=$((6291456 - 33)) status=none
import --store d3 --disk lun7 --place 0 --place 2048s --place $((6291423 * 512)) table.dd part.dd tail.dd
is "three dumps of one disk: all but what lies between" "$(found)" '[["capture.not-held",17408,1031168]]'
is "by its name" "$(jq -r '.captures[0].disk' "$OUT")" lun7
is "all other regions" "$(jq -c '[.regions[] | select(.file != "head.raw")]' "$(manifest)")" \
	"$(jq -c '[.regions[] | select(.file != "head.raw")]' "$native")"
import --store d4 --disk lun7 table.dd part.dd
is "a partition finds its place from the table" "$(jq -c '[.regions[] | select(.file | test("^p1"))]' "$(manifest)")" \
	"$(jq -c '[.regions[] | select(.file | test("^p1"))]' "$native")"
exits "more places than dumps" 2 "$VMFSKIT" import --store d4 --place 0 --place 1M part.dd
exits "a place that is none" 2 "$VMFSKIT" import --store d4 --place here part.dd
head -c 100000 /dev/urandom >noise.dd
exits "bytes that tell nothing" 2 "$VMFSKIT" import --store d4 noise.dd
has "says what to do" "$ERR" 'say it with --as, or with --place'
: >empty.dd
exits "an empty file" 1 "$VMFSKIT" import --store d4 empty.dd
exits "no file" 4 "$VMFSKIT" import --store d4 nosuch.dd
exits "no source" 2 "$VMFSKIT" import --store d4
run "$VMFSKIT" import --store d5 --disk mail - <part.dd
is "a dump on standard input" "$CODE" 0

# --- restored from an import, a wrecked disk is what it was
cp --sparse=always gpt.img back.img
"$LAB" break --how start back.img >/dev/null
"$LAB" break --how table back.img >/dev/null 2>&1
hasnt "it is a wreck" "$(disk_sum back.img)" "$(disk_sum gpt.img)"
sh "$collector" -o collected "$TMP/gpt.img"
import --store r1 collected
# a collection knows no file, and on the wreck nothing is left that it could be known by
ok "restore from a collection" "$VMFSKIT" restore --store r1 "$(jq -r '.captures[0].id' "$OUT")" back.img --part table,lvm,vh,heartbeats \
	--override unidentified --write
is "the disk is what it was" "$(disk_sum back.img)" "$(disk_sum gpt.img)"

# --- listings
for sample in d1-lvm316-vmfs331 d2-lvm317 d3-lvm521 d4-lvm521-older; do
	import --store l1 "$ROOT/samples/$sample.hex"
	is "$sample: exit code and kind" "$CODE $(jq -r '.captures[0].kind' "$OUT")" "1 partition"
	hasnt "$sample: nothing but what is not held" "$(found)" 'not-containing|unreadable'
	is "$sample: the header is at its place" "$(dd if="$(dirname "$(manifest)")/p0-lvm.raw" bs=1M skip=1 count=1 status=none | head -c 4 | xxd -p)" 0dd001c0
done
import --store l1 "$ROOT/samples/d5-mbr-gpt.hex"
is "d5: a GPT whose last sector is known" "$(jq -c '.captures[0] | [.kind, .size_bytes, .size_certain]' "$OUT")" '["disk",10737418240,false]'
exits "d6: heartbeats have no place by themselves" 2 "$VMFSKIT" import --store l1 "$ROOT/samples/d6-heartbeats.hex"
hexdump -C part.dd >part.hex
import --store l2 part.hex
is "hexdump -C of 25 MiB" "$CODE $(found)" "0 []"
is "gives the same regions" "$(jq -c .regions "$(manifest)")" "$(jq -c .regions d1/*/manifest.json)"
is "and names the listing with its own digest" "$(jq -r '.imported.files[0] | "\(.file) \(.sha256)"' "$(manifest)")" \
	"part.hex $(sha256sum part.hex | cut -c 1-64)"
if [ -n "$SHARED" ]; then
	xz -dc "$SHARED/data/vmfs3-esx35-volume/partition.img.xz" | head -c 26214400 >real.dd
	import --store real real.dd
	is "the real partition's first 25 MiB" "$CODE $(found) $(jq -r '.captures[0].volumes[0].label' "$OUT")" "0 [] toto"
	is "its length" "$(jq '.captures[0].size_bytes' "$OUT")" 1258435584
	import --store real "$SHARED/data/vmfs3-esx35-volume/partition.vmfsimg"
	is "the VMFSIMG image of it" "$CODE $(jq -c '[.regions[].sha256]' "$(manifest)")" \
		"0 $(jq -c '[.regions[].sha256]' real/*-real.dd/manifest.json)"
	import --store real --as header "$SHARED/data/esx35-2009/lvm-header-at-0x100000.bin"
	is "a header of 2009 alone" "$(jq -r '.captures[0] | "\(.volumes[0].disk_id) \(.volumes[0].lun) \(.size_bytes)"' "$OUT")" \
		"naa.600144f07ed404000000496ff8cd0003 3 107372739584"
else
	skip "real bytes" "../shared is not there"
fi

# --- hostile tars: all refused, and no store is begun
mkdir tars good
cp -r collected good/x
refuse() {
	exits "$1" "$2" "$VMFSKIT" import --store evil "$3"
	has "$1: says why" "$ERR" "$4"
	ok "$1: nothing is in a store" test ! -e evil
}
tar cf tars/good.tar --sort=name -C good x
ok "a tar that someone made of the folder" "$VMFSKIT" import --store fine tars/good.tar
tar cf tars/dot.tar -C good/x .
ok "one without a folder in front" "$VMFSKIT" import --store fine tars/dot.tar
mkdir good/y
ln -s /etc/passwd good/y/link
tar cf tars/symlink.tar -C good x y
refuse "a link" 1 tars/symlink.tar 'neither a file nor a folder: "y/link"'
rm good/y/link
ln good/x/vmfskit-collect.txt good/y/hard
tar cf tars/hard.tar -C good x y
refuse "a hard link" 1 tars/hard.tar 'neither a file nor a folder'
rm good/y/hard
mkfifo good/y/fifo
tar cf tars/fifo.tar -C good x y
refuse "a fifo" 1 tars/fifo.tar 'neither a file nor a folder'
rm good/y/fifo
echo x >good/y/f
tar cf tars/up.tar -C good/y ../x --transform 's,^x,../x,' -P
refuse "a name with .." 3 tars/up.tar 'leads elsewhere: "\.\./x'
tar cf tars/mid.tar -C good --transform 's,^x/d1,x/../d1,' -P x
refuse "a name with .. in the middle" 3 tars/mid.tar 'leads elsewhere'
tar cf tars/abs.tar -P "$TMP/good/x"
refuse "an absolute name" 3 tars/abs.tar 'leads elsewhere: "/'
touch "good/y/$(printf 'n%.0s' $(seq 150))"
tar cf tars/long.tar --format=gnu -C good x y
refuse "a long name of GNU" 1 tars/long.tar 'neither a file nor a folder'
tar cf tars/pax.tar --format=pax --pax-option=comment=x -C good x y
refuse "a pax record" 1 tars/pax.tar 'neither a file nor a folder'
rm -r good/y
head -c 10000000 tars/good.tar >tars/cut.tar
refuse "cut in a member" 1 tars/cut.tar 'reaches behind its end'
size=$(stat -c %s tars/good.tar)
used=$(perl -e 'local $/ = \512; open(my $f, "<", $ARGV[0]); my ($n, $last) = (0, 0); while (<$f>) { $n++; $last = $n if /[^\0]/ } print $last * 512' tars/good.tar)
head -c "$used" tars/good.tar >tars/noend.tar
refuse "cut in front of its end" 1 tars/noend.tar 'it ends in the middle'
# patch FILE OFFSET BYTES [MEMBER-OFFSET]: and put the checksum of that header right
patch() {
	perl -e 'my ($f, $at, $bytes, $head) = @ARGV; $head //= 0; open(my $h, "+<:raw", $f) or die;
		seek($h, $head, 0); read($h, my $b, 512) == 512 or die; substr($b, $at, length $bytes) = $bytes;
		substr($b, 148, 8) = " " x 8; my $s = 0; $s += $_ for unpack "C*", $b; substr($b, 148, 8) = sprintf("%06o\0 ", $s);
		seek($h, $head, 0); print $h $b' "$@"
}
cp tars/dot.tar tars/size.tar
first=$(perl -e 'open(my $f, "<:raw", $ARGV[0]); my $at = 0; while (read($f, my $b, 512) == 512) { if (substr($b, 156, 1) eq "0") { print $at; exit } $at += 512 }' tars/dot.tar)
patch tars/size.tar 124 "77777777777" "$first"
refuse "a size behind the file" 1 tars/size.tar 'reaches behind its end'
cp tars/dot.tar tars/base256.tar
perl -e 'open(my $h, "+<:raw", $ARGV[0]); seek($h, $ARGV[1] + 124, 0); print $h "\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"' tars/base256.tar "$first"
patch tars/base256.tar 0 "." "$first"
refuse "a size in base 256" 1 tars/base256.tar 'not a number'
cp tars/dot.tar tars/sum.tar
printf 'X' | dd of=tars/sum.tar bs=1 seek=$((first + 3)) conv=notrunc status=none
refuse "a checksum" 1 tars/sum.tar 'no header where one should be'
tar cf tars/twice.tar -C good x
tar rf tars/twice.tar -C good x/vmfskit-collect.txt
refuse "a member twice" 1 tars/twice.tar 'is there twice'
tar cf tars/noindex.tar -C good x/d1
refuse "no index" 4 tars/noindex.tar 'no vmfskit-collect\.txt in it'
mkdir emptydir
refuse "a folder without an index" 4 emptydir 'no vmfskit-collect\.txt in it'

# --- hostile indexes
# index NAME CODE WHY SED-SCRIPT
err() { cat "$ERR" "$OUT"; }
index() {
	rm -rf bad evil
	cp -al collected bad
	sed -i "$4" bad/vmfskit-collect.txt
	exits "index: $1" "$2" "$VMFSKIT" import --store evil bad
	has "index: $1: says why" "$(err)" "$3"
	is "index: $1: no capture" "$(ls evil 2>/dev/null | grep -c Z-)" 0
}
index "a piece above the folder" 1 'line 11 .*leads elsewhere' 's,^piece d1/from-0,piece ../from-0,'
index "an absolute piece" 1 'leads elsewhere' 's,^piece d1/from-0,piece /d1/from-0,'
index "a piece that is not there" 4 'not there' 's,from-0.raw,from-1.raw,'
index "a piece of another length" 1 'bytes long, 27262977 were collected' 's,^\(piece .*from-0.*\) 27262976,\1 27262977,'
index "a digest" 1 'its digest differs' 's,^\(sha256sum .*from-0.* \)...,\1000,'
index "a piece behind the end of the disk" 1 'but the disk is' 's,^\(piece .*from-32[0-9]*.raw\) [0-9]*,\1 4000000000,'
index "an offset beyond 63 bits" 1 'not a number in bounds' 's,^\(piece .*from-0.raw\) 0,\1 18446744073709551615,'
index "a number that is none" 1 'not a number' 's,^\(piece .*from-0.raw\) 0,\1 0x0,'
index "sectors of 520 bytes" 1 'neither 512 nor 4096' 's,^sector .*,sector 520,'
index "another version" 1 'another version' 's,^vmfskit-collect/1,vmfskit-collect/2,'
index "another file" 1 'does not begin with' '1d'
index "no time" 1 'when it was collected' '/^time/d'
index "a time that is none" 1 'not a time' 's/^time.*/time yesterday/'
index "a piece of no disk" 1 'belongs to no disk' '/^disk 1/d'
index "no name" 1 'has no name' '/^name/d'
index "more behind the end" 1 'behind the end' '$a\more'
index "a line that is too long" 1 'too long' "2s,\$,$(printf 'h%.0s' $(seq 2000)),"
# a collection of more files than a process may have open
rm -rf many evil
cp -a collected many
line=$(grep -m1 '^piece d1/from-0.raw ' many/vmfskit-collect.txt)
split -b 65536 -d -a 4 many/d1/from-0.raw many/d1/h.
sed -i '/ *d1.from-0.raw /d' many/vmfskit-collect.txt
n=0
for piece in many/d1/h.*; do
	echo "piece d1/${piece##*/} $((n * 65536)) $(stat -c %s "$piece")"
	n=$((n + 1))
done >many.pieces
sed -i '/^disk 1/r many.pieces' many/vmfskit-collect.txt
has "many pieces: the index is as expected" "$line" '^piece d1/from-0.raw 0 27262976'
ok "more pieces than a process may have open" bash -c 'ulimit -n 64 && exec "$@"' - "$VMFSKIT" import --store evil many
rm -rf evil
ok "collected in few pieces" "$VMFSKIT" import --store few collected
"$VMFSKIT" import --store evil many >/dev/null
same "more pieces: the same bytes" evil/*Z-*/head.raw few/*Z-*/head.raw

rm -rf bad
cp -al collected bad
mv bad/d1/from-0.raw elsewhere
ln -s "$TMP/elsewhere" bad/d1/from-0.raw
exits "a piece that is a link" 1 "$VMFSKIT" import --store evil bad
has "says so" "$ERR" 'not a regular file'
rm -rf bad
cp -al collected bad
mv bad/d1 d1
ln -s "$TMP/d1" bad/d1
exits "a folder that is a link" 4 "$VMFSKIT" import --store evil bad
rm -rf bad
cp -al collected bad
sed -i '/^end/d' bad/vmfskit-collect.txt
exits "a collector that was stopped" 1 "$VMFSKIT" import --store evil bad
has "says so" "$OUT" 'capture\.not-held: the collector was stopped before it was done'
sed -i 's/^sha256sum \(.*\) .*/md5sum \1 d41d8cd98f00b204e9800998ecf8427e/' bad/vmfskit-collect.txt
exits "an MD5 digest" 1 "$VMFSKIT" import --store evil bad
has "is compared, too" "$ERR" 'its digest differs'
md5=$(md5sum bad/d1/from-0.raw | cut -c 1-32)
sed -i "s/^md5sum d1.from-0.raw .*/md5sum d1\/from-0.raw $md5/; /^md5sum d1.from-[1-9]/d" bad/vmfskit-collect.txt
exits "a right MD5 digest" 1 "$VMFSKIT" import --store evil bad
has "is fine" "$OUT" 'the collector was stopped'

# --- a signed store
if command -v openssl >/dev/null; then
	openssl genpkey -algorithm ed25519 -out key 2>/dev/null
	openssl pkey -in key -pubout -out key.pub
	ok "a signed import" "$VMFSKIT" import --store signed --sign-key key --anchor anchor collected
	ok "verifies" "$VMFSKIT" verify --store signed --ledger --public-key key.pub --anchor anchor
	has "as an import" signed/ledger.jsonl '"event":"import"'
	ok "a second one without the key" "$VMFSKIT" import --store signed collected
	exits "is found" 1 "$VMFSKIT" verify --store signed --ledger --public-key key.pub
	has "by name" "$OUT" 'signature\.missing'
else
	skip "a signed store" "there is no openssl"
fi

# --- sources are only read
if command -v strace >/dev/null; then
	STRACE_OPTIONS="-e trace=open,openat,openat2" traced trace "$VMFSKIT" import --store traced collected part.dd >/dev/null
	has "it opens the source" trace 'part\.dd"'
	is "but never for writing" "$(grep -E 'part\.dd|head-0|vmfskit-collect' trace | grep -E 'O_(WRONLY|RDWR|CREAT)')" ""
fi

# images of two disks that --disk calls one: together they would be bytes that no disk ever had
"$LAB" make --vmfs 5 --table gpt --size 300M --start 2048 lunA.img >/dev/null
"$LAB" make --vmfs 6 --seed 7 --table gpt --size 300M --start 2048 lunB.img >/dev/null
head -c 100M lunA.img >lunA.cut
exits "two disks are not one" 2 "$VMFSKIT" import --store two --disk d lunA.cut lunB.img
has "two disks: said" "$ERR" "it is of another disk than"
is "two disks: no capture" "$(ls two)" ""
ok "two copies of one disk" "$VMFSKIT" import --store one --disk d lunB.img lunB.img
"$LAB" make --vmfs 5 --table mbr --size 300M --start 2048 mbrA.img >/dev/null
"$LAB" make --vmfs 5 --seed 7 --table mbr --size 300M --start 2048 mbrB.img >/dev/null
exits "two disks with an MBR" 2 "$VMFSKIT" import --store two --disk d mbrA.img mbrB.img
has "two disks with an MBR: said" "$ERR" "their identities differ"
# volumes that begin elsewhere are of two disks where each image holds the other's place, and may be of one where not
"$LAB" make --vmfs 3 --table mbr --size 300M --start 128 mbrC.img >/dev/null
exits "two disks that begin elsewhere" 2 "$VMFSKIT" import --store two --disk d mbrA.img mbrC.img
is "two disks that begin elsewhere: no capture" "$(ls two)" ""
"$LAB" make --table gpt --size 1G --volume start=2048,size=300M,version=5 --volume start=1000000,version=5 pair.img >/dev/null
for at in 0 512000000; do hexdump -C -s $((at == 0 ? 2097152 : at + 1048576)) -n 1536 pair.img; echo; done | csplit -s -z -f piece. - '/^$/' '{*}'
exits "two listings of one disk, a volume in each" 1 "$VMFSKIT" import --json --as disk --store pair --disk d piece.00 piece.01
is "two listings: one capture" "$(captures pair | wc -w)" 1
