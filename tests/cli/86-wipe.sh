# SPDX-License-Identifier: Apache-2.0
# The verb wipe: leftover signatures are put away and come back, byte for byte; blkid says what is seen. What lives, what a
# table names and what is another's is refused.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need jq perl blkid wipefs sgdisk
cd "$TMP" || exit 1
START=2048
BASE=$((START * 512))
LVM=$((BASE + 0x100000))
FS=$((BASE + 0x1300000))

# type FILE BYTE: what blkid takes it for
type_at() { blkid -p -o value -s TYPE -O "$2" "$1" 2>/dev/null; }
# bytes FILE BYTE
bytes() { od -An -tx1 -j "$2" -N 4 "$1" | tr -d ' '; }
# differ FILE FILE: in how many bytes, and how many of them are zeros in the second
differ() { cmp -l "$1" "$2" | awk '{ n++; z += $3 == 0 } END { print n + 0, z + 0 }'; }
undo_id() { jq -r .undo "$OUT"; }

"$LAB" make --table gpt --vmfs 5 --start $START --vmfs-size 614399s --size $((START + 614399 + 33))s --label drill whole.img >/dev/null || exit 1
whole=$(disk_sum whole.img)
# the partition is somebody else's by now, and the descriptor was written over
copy_disk whole.img old.img
sgdisk -d 1 -n 1:$START:0 -t 1:8300 old.img >/dev/null 2>&1
zero old.img "$FS" 4096
old=$(disk_sum old.img)

# options
exits "nothing is said to be put away" 2 "$VMFSKIT" wipe old.img
has "nothing is said to be put away: what is missing" "$ERR" '^vmfskit wipe: --signature is missing: give lvm, fs or all$'
exits "a signature that there is not" 2 "$VMFSKIT" wipe old.img --signature gpt
exits "no target" 2 "$VMFSKIT" wipe --signature lvm
exits "partition 0" 2 "$VMFSKIT" wipe old.img --signature lvm --partition 0
exits "two ways to say which" 2 "$VMFSKIT" wipe old.img --signature lvm --partition 1 --start 2048
exits "a partition that there is not" 2 "$VMFSKIT" wipe old.img --signature lvm --partition 7
exits "a place behind the end" 2 "$VMFSKIT" wipe old.img --signature lvm --start 99999999999

# a leftover: blkid sees it, the plan shows it, then it is gone, then it is back
is "a leftover: blkid calls it a member" "$(type_at old.img $BASE)" VMFS_volume_member
ok "a leftover: the plan" "$VMFSKIT" wipe old.img --signature all --store st
has "a leftover: old and new bytes" "$OUT" "^ *lvm at byte $LVM: 0d d0 01 c0 becomes 00 00 00 00$"
has "a leftover: what does not stand there" "$OUT" "^wipe     fs at byte $FS: it does not stand there$"
has "a leftover: what of the field" "$OUT" '^      magic: 0xc001d00d -> zeros$'
has "a leftover: what to type" "$OUT" '^  vmfskit wipe old.img --signature all --store st --plan [0-9a-f]{32} --write$'
is "a leftover: nothing was written" "$(disk_sum old.img) $(ls -d st 2>&1 | grep -c 'No such')" "$old 1"
command=$(grep -E '^  vmfskit wipe .* --write$' "$OUT" | sed "s|^  vmfskit|$VMFSKIT|")
copy_disk old.img disk.img
ok "a leftover, as JSON" "$VMFSKIT" wipe old.img --signature all --store st --json
is "a leftover, as JSON: what becomes of what" "$(jq -c '[.schema, .start_sector, .standing, (.signatures[] | [.signature, .state, .offset, .was, .becomes])]' "$OUT")" \
	"[\"vmfskit.wipe/1\",2048,\"damaged\",[\"fs\",\"not there\",$FS,\"00 00 00 00\",null],[\"lvm\",\"stands\",$LVM,\"0d d0 01 c0\",\"00 00 00 00\"]]"
is "a leftover, as JSON: one range" "$(jq -c '[.edits[] | [.offset, .length, .reason]]' "$OUT")" "[[$LVM,512,\"LVM device header\"]]"
ok "a leftover: as it is printed" bash -c "$command"
has "a leftover: how it is taken back" "$OUT" '^  vmfskit undo [^ ]*-undo old.img --store st --write$'
is "a leftover: four bytes became zeros" "$(differ disk.img old.img)" "4 4"
is "a leftover: blkid sees nothing" "$(type_at old.img $BASE)" ""
dd if=old.img of=part.img bs=512 skip=$START conv=sparse status=none
is "a leftover: nor does wipefs" "$(wipefs --noheadings part.img)" ""
ok "a leftover: once more" "$VMFSKIT" wipe old.img --signature all --store st --write
has "a leftover: once more, nothing is left" "$OUT" '^nothing to remove: nothing was written$'
is "a leftover: no second capture" "$(captures st | wc -l)" 2
ok "a leftover: undo" "$VMFSKIT" undo --store st "$(captures st | grep undo)" old.img --write
is "a leftover: undo puts every byte back" "$(disk_sum old.img)" "$old"
is "a leftover: blkid calls it a member again" "$(type_at old.img $BASE)" VMFS_volume_member
is "a leftover: the store is sound" "$("$VMFSKIT" verify --store st --json | jq -c '[.captures[].verdict] | unique')" '["sound","undo"]'

# what was looked at and what is written are the same
plan=$("$VMFSKIT" wipe old.img --signature lvm --store st --json | jq -r .plan)
printf 'x' | dd of=old.img bs=1 seek=$((LVM + 300)) conv=notrunc status=none
exits "the plan changed: refused" 3 "$VMFSKIT" wipe old.img --signature lvm --store st --plan "$plan" --write
has "the plan changed: by name" "$ERR" '^guard plan refuses: '
zero old.img $((LVM + 300)) 1

# refused NAME GUARD FILE OPTIONS...: and not a byte is written
refused() {
	local name=$1 guard=$2 file=$3 was
	shift 3
	was=$(disk_sum "$file")
	exits "$name: refused" 3 "$VMFSKIT" wipe "$file" --store st "$@" --write
	has "$name: by $guard" "$ERR" "^guard $guard refuses: "
	is "$name: not a byte is written" "$(disk_sum "$file")" "$was"
}
refused "a volume that the table names" worse whole.img --signature all
has "a volume that the table names: which entry" "$ERR" '^guard worse refuses: .*partition 1 of the sound table, which is a VMFS partition'
run "$VMFSKIT" wipe whole.img --signature lvm --store st --json
is "a volume that the table names, as JSON" "$(objected "$OUT") $(jq -c '[.refused, .written, .next]' "$OUT")" "worse [true,false,null]"
copy_disk whole.img hurt.img
zero hurt.img "$FS" 512
refused "one with damage that the table names" worse hurt.img --signature lvm
copy_disk whole.img deleted.img
sgdisk -d 1 deleted.img >/dev/null
refused "a deleted datastore that is whole" worse deleted.img --signature lvm
has "a deleted datastore that is whole: why" "$ERR" 'begins at sector 2048 and is alive'
dd if=whole.img of=part.img bs=512 skip=$START count=614399 conv=sparse status=none
refused "a partition by itself" worse part.img --signature lvm
zero part.img $((0x1300000)) 4096
refused "a partition by itself, with damage" worse part.img --signature lvm
has "a partition by itself, with damage: name the disk" "$ERR" 'name the whole disk$'
copy_disk old.img luks.img
perl -e 'open my $f, "+<:raw", $ARGV[0]; seek $f, $ARGV[1], 0; print $f pack("a6n", "LUKS\xba\xbe", 1)' luks.img $BASE
refused "a part of an encrypted device" member luks.img --signature lvm
flock --no-fork old.img sleep 20 &
holder=$!
sleep 0.3
refused "somebody has it locked" in-use old.img --signature lvm
kill "$holder"
wait "$holder" 2>/dev/null
gzip -c old.img >old.img.gz
exits "a compressed file: refused" 3 "$VMFSKIT" wipe old.img.gz --signature lvm --start 2048 --write --store st
has "a compressed file: by container" "$ERR" 'guard container'

# lifted: it is done, and comes back
copy_disk deleted.img disk.img
run "$VMFSKIT" wipe disk.img --signature fs --store st --override worse --write --json
is "the file system alone" "$CODE $(differ deleted.img disk.img) $(bytes disk.img "$FS")" "0 4 4 00000000"
is "the file system alone: blkid" "$(type_at deleted.img $((BASE + 0x1100000))) $(type_at disk.img $((BASE + 0x1100000)))" "VMFS "
id=$(undo_id)
ok "the file system alone: undo" "$VMFSKIT" undo --store st "$id" disk.img --write
is "the file system alone: every byte is back" "$(disk_sum disk.img)" "$(disk_sum deleted.img)"

# another system over it: it keeps its file system
if PATH=$PATH type -P mkfs.ext4 >/dev/null; then
	copy_disk old.img ext.img
	mkfs.ext4 -q -F -E offset=$BASE,nodiscard,lazy_itable_init=1 ext.img 290m 2>/dev/null
	refused "ext4 over it" foreign-signature ext.img --signature all
	has "ext4 over it: where" "$ERR" '^guard foreign-signature refuses: ext4 is on the place of a volume that is in no table'
	is "ext4 over it: blkid takes it for VMFS" "$(type_at ext.img $BASE)" VMFS_volume_member
	ok "ext4 over it: lifted" "$VMFSKIT" wipe ext.img --signature all --store st --override foreign-signature --write
	is "ext4 over it: blkid sees ext4" "$(type_at ext.img $BASE)" ext4
	dd if=ext.img of=part.img bs=512 skip=$START conv=sparse status=none
	ok "ext4 over it: its own check finds no fault" e2fsck -fn part.img
else
	skip "ext4 over it" "there is no mkfs.ext4"
fi

# a host that beats, the descriptor and the table notwithstanding
if [ -x "$HOOKS" ]; then
	"$LAB" make --table gpt --vmfs 5 --start $START --vmfs-size 300M --live 2 live.img >/dev/null
	sgdisk -d 1 live.img >/dev/null
	"$LAB" beat --start $START --every 100 --times 60 live.img >/dev/null 2>&1 &
	holder=$!
	exits "a host is at work: refused" 3 "$HOOKS" wipe live.img --signature all --store st --override worse --heartbeat-wait 0.5 --write
	has "a host is at work: by heartbeat" "$ERR" '^guard heartbeat refuses: '
	kill "$holder" 2>/dev/null
	wait "$holder" 2>/dev/null
	is "a host is at work: the signature stands" "$(bytes live.img "$LVM")" 0dd001c0
fi

# which one is meant
"$LAB" make --table gpt --volume start=2048,size=300M,version=5 --volume start=1000000,size=300M,version=6 two.img >/dev/null
sgdisk -d 1 two.img >/dev/null
zero two.img "$FS" 4096
ok "beside a volume that lives: the leftover is meant" "$VMFSKIT" wipe two.img --signature all --store st
has "beside a volume that lives: it is the first" "$OUT" '^volume   at sector 2048, damaged'
refused "the other one" worse two.img --signature all --start 1000000
has "the other one: the entry" "$ERR" 'lies in partition 2 of the sound table'
sgdisk -d 2 two.img >/dev/null
zero two.img $((1000000 * 512 + 0x1300000)) 4096
ok "two leftovers: one stands at a likely place" "$VMFSKIT" wipe two.img --signature all --store st
exits "two leftovers: both are found" 2 "$VMFSKIT" wipe two.img --signature all --store st --scan
has "two leftovers: where" "$ERR" 'begin at sectors 2048, 1000000'
ok "two leftovers: one is named" "$VMFSKIT" wipe two.img --signature lvm --start 1000000 --store st --write
is "two leftovers: that one goes" "$(bytes two.img "$LVM") $(bytes two.img $((1000000 * 512 + 0x100000)))" "0dd001c0 00000000"
truncate -s 64M empty.img
exits "no leftover at all" 1 "$VMFSKIT" wipe empty.img --signature all --store st
has "no leftover at all: said" "$ERR" 'no signature of a VMFS volume was found'
ok "a place where nothing is" "$VMFSKIT" wipe empty.img --signature all --start 64 --store st --write
has "a place where nothing is: said" "$OUT" '^nothing to remove: nothing was written$'
truncate -s 64K short.img
ok "an image that ends before" "$VMFSKIT" wipe short.img --signature all --store st
has "an image that ends before: said" "$OUT" "^wipe     fs at byte $((0x1300000)): the target does not reach that far\$"

# every version, large sectors, odd starts
# round NAME LAB-OPTIONS...: everything goes and comes back
round() {
	local name=$1 start id
	shift
	rm -f disk.img was.img
	"$LAB" make "$@" was.img >/dev/null || { fail "$name: no disk"; return; }
	start=$("$VMFSKIT" decode --json was.img | jq '.sources[0].vmfs[0] | .start_sector')
	copy_disk was.img disk.img
	run "$VMFSKIT" wipe disk.img --signature all --partition 1 --store st --override worse --write --json
	is "$name: it goes" "$CODE $(differ was.img disk.img)" "0 8 8"
	id=$(undo_id)
	is "$name: blkid sees it no more" "$(type_at was.img $((start * ${sector:-512})))-$(type_at disk.img $((start * ${sector:-512})))" "VMFS_volume_member-"
	ok "$name: undo" "$VMFSKIT" undo --store st "$id" disk.img --write
	is "$name: every byte is back" "$(disk_sum disk.img)" "$(disk_sum was.img)"
}
round "VMFS3, MBR" --table mbr --vmfs 3 --start 128 --vmfs-size 300M
round "VMFS6" --table gpt --vmfs 6 --start 2048 --vmfs-size 300M
round "VMFS-L" --table gpt --vmfs 6l --start 2048 --vmfs-size 300M
round "an odd start" --table gpt --vmfs 5 --start 73535 --vmfs-size 300M
sector=4096 round "4Kn" --table gpt --sector-size 4096 --vmfs 6 --start 256 --vmfs-size 300M

# after a wipe that was meant doctor says whose it was, and how it is taken back; after one that nobody recorded it plans a repair
doctor() { "$VMFSKIT" doctor --heartbeat-wait 0 "$@"; }
next() { jq -r '[.sources[0].next[].command | values] | join("; ")' "$OUT"; }
rm -rf st disk.img
copy_disk whole.img disk.img
ok "a volume that was put away" "$VMFSKIT" wipe disk.img --signature all --partition 1 --store st --override worse --write --json
id=$(undo_id)
exits "doctor after a wipe" 1 doctor --store st --json disk.img
is "doctor after a wipe: what comes next" "$(next)" "vmfskit undo $id disk.img --store st"
is "doctor after a wipe: the findings" "$(jq -r '[.sources[0].findings[].code] | unique | join(" ")' "$OUT")" incident.magic-wiped
has "doctor after a wipe: whose it was" "$(jq -r '.sources[0].findings[].message' "$OUT")" "everything else that is checked is right: put away by vmfskit wipe, undo capture $id$"
exits "doctor after a wipe, in words" 1 doctor --store st disk.img
has "doctor after a wipe: the answer" "$OUT" '^The few bytes by which systems recognise VMFS were wiped'
hasnt "doctor after a wipe: nothing is to be rebuilt" "$OUT" 'vmfskit (repair|restore|capture)'
mkdir -m 700 none
exits "the same bytes, and nobody knows of a wipe" 1 doctor --store none --json disk.img
has "the same bytes: they are repaired" "$(next)" 'vmfskit repair header'
copy_disk disk.img twin.img
exits "another file with the same bytes" 1 doctor --store st --json twin.img
has "another file: the wipe was not of it" "$(next)" 'vmfskit repair header'
"$LAB" break --how table disk.img >/dev/null
exits "without its table" 1 doctor --store st --json disk.img
is "without its table: that is rebuilt, and no header" "$(next)" \
	"vmfskit undo $id disk.img --store st; vmfskit capture disk.img --store st; vmfskit repair table disk.img --store st"
"$LAB" break --how heartbeats disk.img >/dev/null 2>&1
cp -a st broken
printf x | dd of="$(find "broken/$id" -name '*.raw' | head -n 1)" bs=1 conv=notrunc status=none
exits "an undo capture that is damaged" 1 doctor --store broken --json disk.img
hasnt "an undo capture that is damaged is not offered" "$(next)" 'vmfskit undo'

# away SIGNATURE START FILE: put away on purpose; prints the undo capture
away() { "$VMFSKIT" wipe "$3" --signature "$1" --start "$2" --store st --override worse --write --json 2>/dev/null | jq -r .undo; }
# told: the structures that doctor calls put away, and by which capture
told() { jq -r '.sources[0].findings[].message' "$OUT" | sed -n 's/^the \([A-Za-z]*\).* at sector \([0-9]*\) .* put away by vmfskit wipe, undo capture /\1 \2 /p'; }

# two volumes, two wipes: each is taken back by its own capture, until both are there
rm -rf st two.img
"$LAB" make --table gpt --size 700M --volume start=2048,size=300M,version=5 --volume start=700000,size=300M,version=6 two.img >/dev/null
two=$(disk_sum two.img)
first=$(away all 2048 two.img)
second=$(away all 700000 two.img)
exits "two wipes" 1 doctor --store st --json two.img
is "two wipes: each signature by its own" "$(told)" "LVM 2048 $first
file 2048 $first
LVM 700000 $second
file 700000 $second"
is "two wipes: both are taken back" "$(next)" "vmfskit undo $first two.img --store st; vmfskit undo $second two.img --store st"
ok "two wipes: the second is taken back" "$VMFSKIT" undo "$second" two.img --store st --write
exits "two wipes: the first is left" 1 doctor --store st --json two.img
is "two wipes: the first is taken back, too" "$(next)" "vmfskit undo $first two.img --store st"
ok "two wipes: written" "$VMFSKIT" undo "$first" two.img --store st --write
is "two wipes: all is as it was" "$(disk_sum two.img)" "$two"

# one signature was put away, others were lost: of the other volume, then of the same
fs=$(away fs 2048 two.img)
zero two.img $((700000 * 512 + 0x100000)) 4
exits "another volume's was lost" 1 doctor --store st --json two.img
is "another volume's was lost: that was no wipe" "$(told)" "file 2048 $fs"
is "another volume's was lost: it is repaired" "$(next)" \
	"vmfskit undo $fs two.img --store st; vmfskit capture two.img --store st; vmfskit repair header --partition 2 two.img --store st"
zero two.img $LVM 512
exits "the header behind it is zeros" 1 doctor --store st --json two.img
has "the header behind it is zeros: it is repaired" "$(next)" "vmfskit undo $fs .*vmfskit repair header --partition 1 two.img"

# taken back, written to, lost again: undo would set the label back
rm -rf st
copy_disk whole.img disk.img
id=$(away all $START disk.img)
ok "an old wipe: taken back" "$VMFSKIT" undo "$id" disk.img --store st --write
printf renamed | dd of=disk.img bs=1 seek=$((FS + 0x1d)) conv=notrunc status=none
zero disk.img "$FS" 4
zero disk.img "$LVM" 4
exits "an old wipe: lost again" 1 doctor --store st --json disk.img
is "an old wipe: nothing is called put away" "$(told)" ""
is "an old wipe: header and descriptor are repaired" "$(next)" "vmfskit capture disk.img --store st; vmfskit repair header disk.img --store st"

# what else is broken is repaired
rm -rf st
copy_disk whole.img disk.img
id=$(away all $START disk.img)
cp -a --sparse=always disk.img kept
zero disk.img 0 $((34 * 512))
exits "no primary GPT" 1 doctor --store st --json disk.img
is "no primary GPT: the table is repaired" "$(next)" \
	"vmfskit undo $id disk.img --store st; vmfskit capture disk.img --store st; vmfskit repair table disk.img --store st"
dd if=kept of=disk.img bs=1M conv=notrunc status=none
printf 'no heartbeat' | dd of=disk.img bs=1 seek=$((BASE + 0x1400000)) conv=notrunc status=none
exits "a heartbeat is damaged" 1 doctor --store st --json disk.img
is "a heartbeat is damaged: both" "$(next)" \
	"vmfskit undo $id disk.img --store st; vmfskit capture disk.img --store st; vmfskit repair header disk.img --store st"

# what was saved of a wipe knows whose signatures it puts away
rm -rf st
copy_disk whole.img disk.img
ok "a wipe" "$VMFSKIT" wipe disk.img --signature all --partition 1 --store st --override worse --write --json
ok "taken back" "$VMFSKIT" undo --store st "$(undo_id)" disk.img --write
rebuilt=$(ls st | grep -- '-rebuilt$' | head -n 1)
exits "its capture restored: it asks" 3 "$VMFSKIT" restore "$rebuilt" disk.img --store st --json
is "its capture restored: one guard" "$(jq -c '[.objections[] | select(.overridden | not) | .guard]' "$OUT")" '["worse"]'
exits "its capture restored, in words" 3 "$VMFSKIT" restore "$rebuilt" disk.img --store st
has "its capture restored: the way" "$(cat "$OUT" "$ERR")" 'run vmfskit wipe instead, which asks whether the signatures are leftovers'
hasnt "its capture restored: no newer capture" "$(cat "$OUT" "$ERR")" 'newer capture'
exits "no leftover" 3 "$VMFSKIT" wipe disk.img --signature all --partition 1 --store st
has "no leftover: the way" "$(cat "$OUT" "$ERR")" 'leave it, or name the leftover with --start'
hasnt "no leftover: no newer capture" "$(cat "$OUT" "$ERR")" 'newer capture'
ok "lifted: the same bytes" "$VMFSKIT" restore "$rebuilt" disk.img --store st --override worse --write
is "lifted: eight bytes" "$(differ whole.img disk.img)" "8 8"
