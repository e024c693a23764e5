#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Disks of other systems with something of VMFS on them: what is sound and in use is said to be, and no repair is offered; what
# was only made over a LUN stays the accident that it is.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need jq perl sgdisk mkfs.ext4 mkfs.xfs mkfs.vfat blkid
cd "$TMP" || exit 1
mkdir -m 700 nowhere # a store without captures

decode() { "$VMFSKIT" decode "$@"; }
doctor() { "$VMFSKIT" doctor --heartbeat-wait 0 --store nowhere "$@"; }
repair() { "$VMFSKIT" repair "$1" --no-captures "${@:2}"; }
best() { jq -r '.sources[0].readings[0].kind' "$1"; }
codes() { jq -r '[.sources[].findings[].code] | sort | unique | join(" ")' "$1"; }
commands() { jq -r '[.sources[0].next[].command | values] | join("; ")' "$1"; }

# other NAME IMAGE WHERE [INCIDENT]: read as another system's from WHERE on, and as sound; nothing offers or plans a repair
other() {
	local name=$1 image=$2 where=$3
	exits "$name: decode finds nothing wrong" 0 decode "$image"
	has "$name: decode begins with it" "$OUT" "^This is (likely )?.*$where"
	hasnt "$name: and with nothing else" "$OUT" "^It could also be"
	exits "$name: decode --json" 0 decode --json "$image"
	is "$name: the best reading" "$(jq -r '.sources[0].readings[0] | "\(.kind) \(.repairable)"' "$OUT")" "other false"
	exits "$name: doctor" 0 doctor "$image"
	has "$name: doctor says it" "$OUT" "$where"
	has "$name: doctor says what not to do" "$OUT" "Do not write to it"
	hasnt "$name: nothing is lost" "$OUT" "^Lost or damaged"
	exits "$name: doctor --json" 0 doctor --json "$image"
	is "$name: what doctor found" "$(codes "$OUT")" "${4:+$4 }source.other-system"
	is "$name: no command is next, but to put away what is left" \
		"$(commands "$OUT" | sed 's/^vmfskit wipe --signature all --start [0-9]* disk.img --store nowhere$//')" ""
	exits "$name: repair table" 3 repair table "$image"
	has "$name: repair table says why" "$ERR" "^vmfskit: guard reading refuses: this is .*$where"
	exits "$name: repair header" 3 repair header "$image"
	has "$name: repair header says why" "$ERR" "^vmfskit: guard reading refuses"
	run "$VMFSKIT" find --json "$image"
	is "$name: find has no volume" "$(jq '[.candidates[] | select(.standing | startswith("ghost") | not)] | length' "$OUT")" 0
	run "$VMFSKIT" find "$image"
	hasnt "$name: find offers no repair" "$OUT" "vmfskit repair"
}
# accident NAME IMAGE TYPE: what doctor and repair said of it before stays
accident() {
	exits "$1: doctor" 1 doctor --json "$2"
	is "$1: read as what it was" "$(best "$OUT")" disk
	has "$1: another system formatted it" "$(jq -r '.sources[0].headline' "$OUT")" "^Another system formatted it: $3"
	has "$1: what is next" "$(commands "$OUT")" "vmfskit repair table $2"
	run repair table "$2"
	hasnt "$1: no guard of readings" "$ERR" "guard reading"
	has "$1: a plan" "$OUT" "^plan "
}

"$LAB" make --table gpt --vmfs 5 --size 1G --label prod lun.img >/dev/null || exit 1
"$LAB" make --table gpt --vmfs 5 --vmfs-size 300M --size 310M small.img >/dev/null || exit 1
mkdir files
for i in $(seq 20); do echo "$i" >files/"$i"; done
fresh() { copy_disk lun.img disk.img; }
made_ext4() { mkfs.ext4 -F -q -E nodiscard "$@" disk.img 2>mkfs.said || cat mkfs.said; }

# --- the same LUN healthy -------------------------------------------------------------------------------------
exits "a datastore: doctor" 0 doctor --json lun.img
is "a datastore: it is a disk of its own" "$(best "$OUT")" disk
hasnt "a datastore: nobody else's" "$(jq -r '.sources[0].readings[].kind' "$OUT")" other

# --- a healthy ext4 with a thin LUN as a file in it --------------------------------------------------------------
mkdir with
cp --sparse=never small.img with/lun-flat.vmdk
for features in metadata_csum,64bit ^metadata_csum,^64bit meta_bg,^resize_inode bigalloc ^flex_bg,^uninit_bg,^metadata_csum; do
	rm -f disk.img
	truncate -s 1G disk.img
	mkfs.ext4 -F -q -O "$features" -d with disk.img >mkfs.said 2>&1 || { skip "ext4 with $features" "mkfs.ext4 cannot"; continue; }
	other "ext4 with $features" disk.img "another system's ext4, sound and in use, from byte 0 \(sector 0\) on"
	has "ext4 with $features: it has a file" "$(decode disk.img)" "it holds 1 file, directories counted"
	run "$VMFSKIT" find --json disk.img
	has "ext4 with $features: the copy is a file's" "$(jq -r '.candidates[] | "\(.standing): \(.why)"' "$OUT")" \
		"^ghost: in another system's file: in a file of the ext4 at byte 0: byte [0-9]+ lies in a block that it marks as in use"
done
rm -f disk.img
truncate -s 1100M disk.img
sgdisk -n 1:2048:0 -t 1:8300 disk.img >/dev/null
mkfs.ext4 -F -q -d with -E offset=1048576 disk.img 1000000k
other "ext4 in a partition" disk.img "in use: ext4 in partition 1, from byte 1048576 \(sector 2048\) on"
run "$VMFSKIT" find disk.img
has "ext4 in a partition: find names the ghosts" "$OUT" "^  ghost: in another system's file: "
has "ext4 in a partition: and where they are" "$OUT" "in a file of the ext4 at byte 1048576"
ok "ext4 in a partition: as JSON" "$VMFSKIT" find --likely --json disk.img

# --- made over a LUN, and never used: an accident ------------------------------------------------------------------
fresh
made_ext4
accident "a new ext4" disk.img ext4
is "a new ext4: it is in the list, and last" "$(doctor --json disk.img | jq -r '.sources[0].readings[-1] | "\(.kind) \(.sure)"')" "other possible"
fresh
mkfs.xfs -f -q -K disk.img
accident "a new xfs" disk.img xfs
fresh
mkfs.vfat -I disk.img >/dev/null
exits "a new vfat: doctor" 1 doctor --json disk.img
is "a new vfat: read as what it was" "$(best "$OUT")" disk

# --- made over a LUN, and files put there: the other system's, and the volume under it is named -----------------------
fresh
made_ext4 -d files
under="incident.header-left-over"
other "a used ext4 over a LUN" disk.img "another system's ext4, sound and in use, from byte 0" $under
has "a used ext4 over a LUN: where the header lies" "$(decode disk.img)" \
	"; the VMFS header at byte 2097152 \(sector 4096\) lies in (blocks that it does not use|room that it keeps for its tables): a leftover"
run doctor disk.img
has "a used ext4 over a LUN: what to do" "$OUT" "copy all of it, and run vmfskit repair on the copy: guard reading says what that risks"
run repair table --override reading disk.img
has "a used ext4 over a LUN: who knows better gets a plan" "$OUT" "^plan "
has "a used ext4 over a LUN: which others refuse" "$ERR" "^guard foreign-signature refuses: ext4"
cat >proto <<-'PROTO'
	/boot
	0 0
	d--755 0 0
PROTO
for i in $(seq 20); do echo "f$i ---644 0 0 /dev/null"; done >>proto
echo '$' >>proto
fresh
mkfs.xfs -f -q -K -p proto disk.img
other "a used xfs over a LUN" disk.img "another system's xfs, sound and in use, from byte 0" $under

# --- a used ext4 that is older than the volume is what was left of it -------------------------------------------------
"$LAB" make --table mbr --vmfs 5 --start 2048 --size 1G mbr.img >/dev/null || exit 1
rm -f disk.img
truncate -s 1G disk.img
made_ext4 -O ^metadata_csum -d files
dd if=mbr.img of=disk.img bs=512 conv=notrunc,sparse status=none
run decode --json disk.img
is "ext4 in use, with an MBR and a volume: it was written to later" "$(best "$OUT")" other
# last written and made in 2001
for at in 0x30 0x108; do
	perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; sysseek($f, 1024 + hex($ARGV[1]), 0); syswrite($f, pack("V", 0x3a90e000)) or die' disk.img "$at"
done
run doctor --json disk.img
is "ext4 older than the volume: the LUN's own" "$(best "$OUT")" disk

# what is left of a btrfs between the table and the first partition says when it was used, but not when that was
# its tree of chunks lies at byte 128 KiB, which the superblock's list of chunks says
perl -e '
	my $root = 1 << 20;
	my $sb = "\x22" x 16 . pack("Q<Q<", 65536, 1) . "_BHRfS_M" . pack("Q<4", 500, 1 << 22, $root, 0) . pack("Q<", 0) .
		pack("Q<Q<Q<Q<", 1 << 30, 500 << 20, 6, 1) . pack("V4", 4096, 16384, 16384, 4096);
	$sb .= "\0" x (4064 - length $sb);
	my $chunks = pack("Q<CQ<", 256, 228, $root) . pack("Q<4V3v2", 65536, 2, 65536, 2, 4096, 4096, 4096, 1, 1) . pack("Q<Q<a16", 1, 128 << 10, "");
	substr($sb, 160 - 32, 4) = pack("V", length $chunks);
	substr($sb, 164 - 32, 8) = pack("Q<", 500);
	substr($sb, 201 - 32, 8) = pack("Q<", 1);
	substr($sb, 811 - 32, length $chunks) = $chunks;
	my $crc = 0xffffffff;
	for my $byte (unpack "C*", $sb) {
		$crc ^= $byte;
		$crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 for 1 .. 8;
	}
	print pack("V", $crc ^ 0xffffffff) . "\0" x 28 . $sb;
	open(my $node, ">", "btrfs.node") or die;
	print $node "\0" x 32 . "\x22" x 16 . pack("Q<Q<a16Q<", $root, 1, "", 500) . "\0" x 32' >btrfs.sb
for table in lun mbr; do
	copy_disk $table.img disk.img
	dd if=btrfs.sb of=disk.img bs=4096 seek=16 conv=notrunc status=none
	dd if=btrfs.node of=disk.img bs=4096 seek=32 conv=notrunc status=none
	is "an old btrfs, $table: libblkid sees it" "$(blkid -p -n btrfs -o value -s TYPE disk.img)" btrfs
	run doctor --json disk.img
	is "an old btrfs, $table: the LUN's own" "$(best "$OUT")" disk
	has "an old btrfs, $table: it is in the list" "$(jq -r '.sources[0].readings[].what' "$OUT")" "another system's btrfs, sound and in use"
done
rm -f disk.img
truncate -s 1G disk.img
dd if=btrfs.sb of=disk.img bs=4096 seek=16 conv=notrunc status=none
dd if=btrfs.node of=disk.img bs=4096 seek=32 conv=notrunc status=none
run decode --json disk.img
is "the same btrfs without a table is a btrfs" "$(best "$OUT")" other
# of one whose tree the volume was written over only the superblock is left: it speaks for nobody when the table is lost
for lost in 'count=34' 'count=128'; do
	copy_disk lun.img disk.img
	dd if=btrfs.sb of=disk.img bs=4096 seek=16 conv=notrunc status=none
	dd if=/dev/zero of=disk.img bs=512 "$lost" conv=notrunc status=none
	[ "$lost" = count=34 ] || dd if=/dev/zero of=disk.img bs=512 seek=$(($(stat -c %s disk.img) / 512 - 33)) count=33 conv=notrunc status=none
	run doctor --json disk.img
	is "a superblock of btrfs, its tree gone ($lost): the LUN's own" "$(best "$OUT")" disk
	exits "a superblock of btrfs, its tree gone ($lost): damage" 1 "$VMFSKIT" doctor disk.img
	run repair table disk.img --store store
	has "a superblock of btrfs, its tree gone ($lost): a plan" "$OUT" "primary GPT header: lost, written anew"
done

# --- a capture that has the datastore: then the other system is the accident, whatever it holds ------------------------
fresh
ok "a datastore is captured" "$VMFSKIT" capture disk.img --store store
made_ext4 -d files
exits "a used ext4 where a datastore was captured: doctor" 1 "$VMFSKIT" doctor --heartbeat-wait 0 --store store --json disk.img
is "a used ext4 where a datastore was captured: both are said" "$(codes "$OUT")" "incident.formatted incident.header-left-over source.other-system"
has "a used ext4 where a datastore was captured: what is next" "$(jq -r '.sources[0].next[0].why' "$OUT")" \
	"^Do not write to it. If the datastore of capture .* is missed, save what the other system holds first"

# --- a disk of Linux with a leftover header ---------------------------------------------------------------------------
# linux FIRST OPTION...: EFI from that sector on, ext4, swap
linux() {
	local first=$1
	shift
	rm -f disk.img
	truncate -s 1G disk.img
	sgdisk -n 1:"$first":616447 -t 1:ef00 -n 2:0:+500M -t 2:8300 -n 3:0:+100M -t 3:8200 disk.img >/dev/null
	mkfs.vfat -F 32 --offset="$first" disk.img 204800 >/dev/null 2>&1
	mkfs.ext4 -F -q "$@" -E nodiscard,offset=$((616448 * 512)) disk.img 512000k 2>/dev/null
}
# leave SECTOR: the first MiB of metadata of a volume that began there
leave() { dd if=lun.img of=disk.img bs=512 skip=4096 seek=$(($1 + 2048)) count="${2:-1024}" conv=notrunc status=none; }
where="in use: ext4 in partition 2, from byte 315621376 \(sector 616448\) on"
linux 2048 -d files
other "Linux" disk.img "$where"
linux 2048 -d files
leave 616448 8
other "Linux, a header in its ext4" disk.img "$where"
has "Linux, a header in its ext4: where" "$(decode disk.img)" "the VMFS header at byte 316669952 \(sector 618496\) lies in room that it keeps for its tables: a leftover"
linux 40960 -d files
leave 2048
other "Linux, a header in no partition" disk.img "$where"
has "Linux, a header in no partition: where" "$(decode disk.img)" "the VMFS header at byte 2097152 \(sector 4096\) lies in no partition: a leftover"
linux 2048 -d files
leave 2048
other "Linux, a header in another partition" disk.img "$where"
has "Linux, a header in another partition: where" "$(decode disk.img)" "the VMFS header at byte 2097152 \(sector 4096\) lies in partition 1: a leftover"
run doctor --json disk.img
is "Linux, a leftover header: doctor names wipe" "$(commands "$OUT")" "vmfskit wipe --signature all --start 2048 disk.img --store nowhere"
has "Linux, a leftover header: when" "$(jq -r '.sources[0].next[].why' "$OUT")" "^Only if nobody misses that volume"
run "$VMFSKIT" wipe --signature lvm --start 2048 --override foreign-signature disk.img
has "Linux, a leftover header: wipe takes it" "$OUT" "^wipe +lvm at byte 2097152"
hasnt "Linux, a leftover header: no guard of readings" "$ERR" "guard reading"
# nobody has used that ext4: nothing says that the disk is another system's
linux 2048
exits "Linux, never used: decode" 0 decode --json disk.img
is "Linux, never used: nothing is claimed" "$(best "$OUT")" disk
# a volume that is alive where the table names nothing is what it was: one that no partition names
rm -f disk.img
truncate -s 1G disk.img
dd if=small.img of=disk.img bs=512 skip=2048 seek=2048 conv=notrunc,sparse status=none
sgdisk -n 1:700000:0 -t 1:8300 disk.img >/dev/null
mkfs.ext4 -F -q -d files -E nodiscard,offset=$((700000 * 512)) disk.img 500000k 2>/dev/null
run doctor --json disk.img
is "a volume beside Linux, without its entry: read as what it was" "$(best "$OUT")" disk
has "a volume beside Linux, without its entry: said" "$(codes "$OUT")" "incident\.(unnamed|table-lost)"
# and with its entry it is a disk with a datastore
sgdisk -n 2:2048:616447 -t 2:fb00 disk.img >/dev/null
run doctor --json disk.img
is "a volume beside Linux: a disk with a datastore" "$(best "$OUT")" disk

# --- an OSD of Ceph ----------------------------------------------------------------------------------------------------
# bluestore BYTES READY: the label of one
bluestore() {
	perl -e '
		my ($bytes, $ready) = @ARGV;
		my $string = sub { pack("V", length $_[0]) . $_[0] };
		my @meta = (["ceph_fsid", "0123456789abcdef"], ["whoami", "3"], $ready ? ["ready", "ready"] : ());
		my $body = "\x11" x 16 . pack("Q<VV", $bytes, 1700000000, 0) . $string->("main") . pack("V", scalar @meta);
		$body .= $string->($_->[0]) . $string->($_->[1]) for @meta;
		my $label = "bluestore block device\n11111111-1111-1111-1111-111111111111\n" . pack("CCV", 2, 1, length $body) . $body;
		my $crc = 0xffffffff;
		for my $byte (unpack "C*", $label) {
			$crc ^= $byte;
			$crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 for 1 .. 8;
		}
		print $label . pack("V", $crc)' "$@"
}
osd() {
	fresh
	zero disk.img 0 $((34 * 512))
	zero disk.img $((1024 * 1048576 - 34 * 512)) $((34 * 512))
	zero disk.img $((17 << 20)) $((8 << 20))
	bluestore $((1 << 30)) "$1" | dd of=disk.img conv=notrunc status=none
}
osd 1
is "Ceph: made" "$(blkid -p -o value -s TYPE disk.img)" ceph_bluestore
other "Ceph" disk.img "another system's Ceph OSD \(bluestore\), sound and in use, from byte 0 \(sector 0\) on"
has "Ceph: what says so" "$(decode disk.img)" "the OSD is ready, and its checksum fits; the VMFS header at byte 2097152 \(sector 4096\) lies in it"
