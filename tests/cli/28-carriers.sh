#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A LUN in a member of an array, in a physical volume, in a partition, and in several of them; superblocks that are only old, or were made
# over a LUN by accident; what is told of them, and how they are opened for reading.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/disk.sh"
. "$ROOT/tests/wrap.sh"
PATH=$PATH:/usr/sbin:/sbin
need jq perl blkid sfdisk
cd "$TMP" || exit 1

doctor() { "$VMFSKIT" doctor --store none --heartbeat-wait 0 "$@"; }
repair() { "$VMFSKIT" repair table --no-captures --heartbeat-wait 4 --store undo "$@"; }
first() { jq -r ".sources[0].readings[0].$1" "$OUT"; }
mib=$((1 << 20))

"$LAB" make --size 300M sound.img >/dev/null || exit 1
size=$(stat -c %s sound.img)
copy_disk sound.img table.img
zero table.img 0 $((34 * 512))
zero table.img $((size - 33 * 512)) $((33 * 512))
copy_disk sound.img header.img
zero header.img $((2048 * 512 + mib)) 512

# room FILE BEFORE BEHIND: the disk of $disk with so many bytes before and behind it
room() {
	rm -f "$1"
	truncate -s $((size + $2 + $3)) "$1"
	lay "$disk" "$1" "$2"
}
# make KIND FILE: what wrap does not make; the disk is $disk
make() {
	case $1 in
	md-0.90)
		room "$2" 0 $((128 << 10))
		bytes_into 'my ($size) = @ARGV;
			my $at = ($n & ~65535) - 65536;
			my @w = (0) x 1024; @w[0 .. 10] = (0xa92b4efc, 0, 90, 0, 0, 1, 2, 1, $size / 1024, 2, 2);
			my $sum = 0; $sum += $_ for @w; $w[38] = (($sum & 0xffffffff) + ($sum >> 32)) & 0xffffffff;
			at($at, pack("L<*", @w));' "$2" "$size"
		;;
	bcache)
		room "$2" 65536 0
		bytes_into 'my $sb = pack("a208", pack("Q<Q<Q<a16a16", 0, 8, 4,
				"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81", "u" x 16));
			substr($sb, 184, 8) = pack("Q<", 128);
			my $crc = ~0;
			for my $b (unpack("C*", substr($sb, 8))) {
				$crc ^= $b << 56;
				$crc = ($crc << 1) ^ (($crc >> 63) ? 0x42f0e1eba9ea3693 : 0) for 1 .. 8;
			}
			substr($sb, 0, 8) = pack("Q<", ~$crc);
			at(4096, $sb);' "$2"
		;;
	drbd)
		room "$2" 0 $mib
		bytes_into 'at($n - 4096, pack("Q>Q>4Q>x8x4L>L>l>L>l>L>", $ARGV[0] / 512, 4, 0, 0, 0, 5, 0x8374026d, 72, 8, 127, 64, 4096));' "$2" "$size"
		;;
	isw)
		room "$2" 0 $mib
		bytes_into 'at($n - 1024, "Intel Raid ISM Cfg Sig. 1.3.00");' "$2"
		;;
	partition-md) # the RAID of a NAS: md 1.2 in a partition
		wrap md-1.2 "$disk" inner.img && disk=inner.img size=$(stat -c %s inner.img) wrap partition inner.img "$2"
		;;
	partition-md-lvm2)
		wrap lvm2 "$disk" one.img && wrap md-1.2 one.img inner.img && wrap partition inner.img "$2"
		;;
	*) wrap "$1" "$disk" "$2" ;;
	esac
}

# carries KIND NAME AT: in it the LUN lies whole, from byte AT on
carries() {
	local kind=$1 name=$2 at=$3 state disk want before
	for state in sound table header; do
		disk=$state.img
		make "$kind" carrier.img || { fail "$kind" "cannot be made"; return; }
		before=$(disk_state carrier.img)
		run "$VMFSKIT" decode --json carrier.img
		is "$kind, $state: decode" "$(first kind) $(first at_bytes) $(first repairable)" "carrier $at false"
		is "$kind, $state: how sure" "$(first sure)" "$([ $state = table ] && echo likely || echo certain)"
		has "$kind, $state: what" "$(first what)" "$name.* with a LUN whole inside, from byte $at on$"
		is "$kind, $state: how long the disk is" "$(jq .sources[0].size_bytes "$OUT")" "$size"
		run "$VMFSKIT" decode --json "$disk"
		want=$(jq -c '[.sources[0].vmfs[].start_sector, .sources[0].table.kind] + [.. | .code? // empty]' "$OUT")
		run "$VMFSKIT" decode --json carrier.img
		is "$kind, $state: decoded as the disk alone" \
			"$(jq -c '[.sources[0].vmfs[].start_sector, .sources[0].table.kind] + [.. | .code? // empty | select(. != "source.carrier")]' "$OUT")" "$want"
		run doctor --json "$disk"
		want=$(jq -c '[.. | .code? // empty]' "$OUT")
		run doctor --json carrier.img
		is "$kind, $state: doctor says the same of it" \
			"$(jq -c '[.. | .code? // empty | select(. != "source.carrier")]' "$OUT")" "$want"
		is "$kind, $state: its exit code" "$CODE" "$([ $state = sound ] && echo 0 || echo 1)"
		run doctor carrier.img
		has "$kind, $state: doctor, in words" "$OUT" "^This (is|is likely) $name.* with a LUN whole inside, from byte $at on: "
		is "$kind, $state: said once" "$(grep -c 'with a LUN whole inside, from byte' "$OUT")" 2 # and as a finding
		has "$kind, $state: doctor's answer" "$OUT" '^(Nothing wrong was found|The |A part of |Only )'
		has "$kind, $state: the size of the file, and of the disk in it" "$OUT" \
			"^carrier.img: .* \($(stat -c %s carrier.img) bytes\), in it a disk of .* \($size bytes\), sectors of 512 bytes$"
		[ $state = table ] || is "$kind, $state: no other reading is to be written to" \
			"$("$VMFSKIT" decode --json carrier.img | jq -c '[.sources[0].readings[].repairable] | any')" false
		hasnt "$kind, $state: doctor advises no repair" "$OUT" "vmfskit (repair|restore)|made over it|lun-grown"
		run "$VMFSKIT" find --no-store --json carrier.img
		is "$kind, $state: find" "$(jq -c '[.readings[0].kind, .candidates[0].start_sector]' "$OUT")" '["carrier",2048]'
		exits "$kind, $state: repair table" 3 repair carrier.img --write
		has "$kind, $state: repair table: by name" "$ERR" "guard reading refuses: this is $name"
		has "$kind, $state: repair table: where writing goes" "$ERR" "write to the assembled array or volume, .* For reading: .*--read-only"
		is "$kind, $state: untouched" "$(disk_state carrier.img)" "$before"
	done
}
carries md-0.90 "a member of a Linux RAID .md 0.90, RAID1, 2 disks." 0
carries md-1.0 "a member of a Linux RAID .md 1.0, RAID1, 2 disks." 0
carries md-1.1 "a member of a Linux RAID .md 1.1, RAID1, 2 disks." $mib
carries md-1.2 "a member of a Linux RAID .md 1.2, RAID1, 2 disks." $mib
carries bcache "a disk behind bcache" 65536
carries drbd "a replica of DRBD" 0
carries partition "partition 2 of a disk" $((2 * mib))
carries partition-md "partition 2 of a disk, in it a member of a Linux RAID" $((3 * mib))

# a physical volume is not always as long as its volume, and the LUN is not always in the first one
size_was=$size
disk=sound.img
make lvm2 carrier.img
run "$VMFSKIT" decode --json carrier.img
is "LVM2: where" "$(first kind) $(first sure) $(first at_bytes)" "carrier certain $((5 * mib))"
has "LVM2: what" "$(first what)" "a physical volume of LVM2 .volume vg0/lun0. with a LUN whole inside"
is "LVM2: what is opened" "$(first device)" /dev/vg0/lun0
run "$VMFSKIT" decode carrier.img
has "LVM2: what is opened, in words" "$OUT" '^  The disk is then /dev/vg0/lun0\.$'
run doctor carrier.img
has "LVM2: doctor names it" "$OUT" 'Then run vmfskit doctor on /dev/vg0/lun0\.$'
make partition-md-lvm2 carrier.img
run "$VMFSKIT" decode --json carrier.img
is "three layers: where" "$(first kind) $(first sure) $(first at_bytes)" "carrier certain $((8 * mib))"
has "three layers: what" "$(first what)" "partition 2 of a disk, in it a member of a Linux RAID .*, in it a physical volume of LVM2"
is "three layers: how" "$(first attach)" "dev=\$(losetup --find --show --read-only --offset $((2 * mib)) --sizelimit $(jq '.sources[0].readings[0].length_bytes' <<<'{"sources":[{"readings":[{"length_bytes":'"$(stat -c %s inner.img)"'}]}]}') carrier.img) && mdadm --assemble --readonly --run /dev/md127 \"\$dev\" && lvchange --activate y --config 'devices{use_devicesfile=0} activation{read_only_volume_list=[\"vg0/lun0\"]}' vg0/lun0"
size=$size_was

# --- named by hand: what lies around says how long it is, and how it is opened ------------------------------------------------
# at KIND BYTE DEVICE: the LUN is as long through --at as by itself, and is never written through it
at() {
	local kind=$1 byte=$2 device=$3 state disk
	for state in sound table; do
		disk=$state.img
		make "$kind" carrier.img
		run "$VMFSKIT" decode --json --at "$byte" carrier.img
		is "$kind, $state, --at: how long it is" "$(jq .sources[0].size_bytes "$OUT")" "$size"
		is "$kind, $state, --at: how it is opened" "$(first device)" "$device"
		run doctor --json --at "$byte" carrier.img
		hasnt "$kind, $state, --at: nothing grew" "$OUT" "incident.(lun-grown|member)"
		run "$VMFSKIT" find --no-store --json --at "$byte" carrier.img
		hasnt "$kind, $state, --at: find offers no repair" "$(jq -r '.next[]' "$OUT")" vmfskit
		[ $state = sound ] || has "$kind, $state, --at: find says how to get there" "$(jq -r '.next[]' "$OUT")" "losetup .*--read-only"
	done
	run repair --at "$byte" carrier.img
	has "$kind, --at: the plan is for its length" "$OUT" "^         .* \\($size bytes\\), sectors of 512 bytes, table none"
	run doctor --at "$byte" carrier.img
	has "$kind, --at: doctor says which device comes out" "$OUT" "Then run vmfskit doctor on ${device/null/the device that it prints}\\.$"
}
at md-1.2 $mib /dev/md127
at partition $((2 * mib)) null
# of a disk by itself a partition is what begins there
run "$VMFSKIT" decode --json --at $mib sound.img
is "--at in the LUN itself" "$(first kind) $(jq .sources[0].size_bytes "$OUT")" "partition $((size - mib))"
# what --as said is meant by the next command, too
head -c $((size - mib)) /dev/zero >part.img
dd if=header.img of=part.img bs=1M skip=1 conv=notrunc,sparse status=none
run "$VMFSKIT" find --no-store --json --as partition part.img
is "--as partition: the next command keeps it" "$(jq -r '.next[]' "$OUT")" "vmfskit repair header part.img --start 0"
run "$VMFSKIT" find --no-store --json part.img
is "of itself: no more than needed" "$(jq -r '.next[]' "$OUT")" "vmfskit repair header part.img"

# the path is quoted as a shell needs it
make md-1.2 "it's a copy.img"
run "$VMFSKIT" decode --json "it's a copy.img"
is "a path with blanks and quotes" "$(first attach)" "dev=\$(losetup --find --show --read-only 'it'\\''s a copy.img') && mdadm --assemble --readonly --run /dev/md127 \"\$dev\""
if [ "$(id -u)" -eq 0 ] && make partition "p a.img" && run "$VMFSKIT" decode --json "p a.img" && device=$(bash -c "$(first attach)"); then
	run "$VMFSKIT" decode --json "$device"
	is "what is printed is run: the LUN comes out" "$(first kind) $(jq .sources[0].size_bytes "$OUT")" "disk $size"
	loop_detach "$device"
else
	skip "what is printed is run" "needs root"
fi

# --- members singly: the array is what to work on ---------------------------------------------------------------
# member NAME FILE PATTERN: a sound LUN seems to lie on it, and it is a member all the same
member() {
	local before
	before=$(disk_state "$2")
	run "$VMFSKIT" decode --json "$2"
	is "$1: decode" "$(first kind) $(first repairable)" "member false"
	has "$1: what" "$(first what)" "$3"
	exits "$1: doctor" 1 doctor "$2"
	hasnt "$1: nothing grew, and nobody is told to lift a guard" "$OUT" "lun-grown|save that data|vmfskit (repair|restore)"
	run "$VMFSKIT" decode "$2"
	hasnt "$1: decode: nothing grew, either" "$OUT" "was grown|alternate-lba|could also be"
	exits "$1: repair table" 3 repair "$2" --write
	has "$1: repair table: by name" "$ERR" "^vmfskit: guard member refuses: this is $3"
	is "$1: untouched" "$(disk_state "$2")" "$before"
}
disk=sound.img
make ddf carrier.img
run "$VMFSKIT" find --no-store carrier.img
has "DDF: find says where its signature is" "$OUT" "^  ddf_raid_member, its signature at byte $((size + (64 << 20) - 512))$"
member DDF carrier.img "a member of a DDF RAID"
make isw carrier.img
member Intel carrier.img "a member of an Intel RAID"
make md-1.0 carrier.img
bytes_into 'md(0, 5, 3, 0, ($n >> 9) - 2048, (($n >> 9) - 16) & ~7);' carrier.img
member "md 1.0, RAID5" carrier.img "a member of a Linux RAID .md 1.0, RAID5, 3 disks."
for level in 0 4 5 6 10 -1; do
	make md-1.2 carrier.img
	bytes_into 'md(2, '$level', 4, 2048, ($n >> 9) - 4096, 8);' carrier.img
	member "md 1.2, level $level" carrier.img "a member of a Linux RAID .md 1.2, (RAID)?($level|linear), 4 disks."
done
make md-1.2 carrier.img
bytes_into 'md(2, 0, 1, 2048, ($n >> 9) - 4096, 8);' carrier.img
run "$VMFSKIT" decode --json carrier.img
is "md, a RAID0 of one disk: all of it is here" "$(first kind)" carrier
printf 'LUKS\xba\xbe\0\1' | cat - /dev/zero | head -c $((4 * mib)) >luks.img
run "$VMFSKIT" decode --json luks.img
is "LUKS" "$(first kind): $(first what)" "member: an encrypted device (LUKS): its content cannot be read without the key"

# a striped volume is not in one piece
make lvm2 carrier.img
perl -0777 -pi -e 's/stripe_count = 1/stripe_count = 2/' carrier.img
bytes_into 'open(my $g, "<", $ARGV[0]); seek($g, 4096 + 512, 0); read($g, my $t, 65536); $t =~ s/\0.*//s; $t .= "\0";
	my $mda = pack("a512", pack("L<a16L<Q<Q<Q<Q<L<L<", 0, " LVM2 x[5A%r0N*>", 1, 4096, (1 << 20) - 4096, 512, length($t), lvm_crc($t), 0));
	substr($mda, 0, 4) = pack("L<", lvm_crc(substr($mda, 4))); at(4096, $mda);' carrier.img carrier.img
member "LVM2, striped" carrier.img "a physical volume of LVM2 .group vg0."

# --- superblocks that do not count ------------------------------------------------------------------------------
# own NAME FILE: it is a disk of its own
own() {
	run "$VMFSKIT" decode --json "$2"
	is "$1" "$(first kind) $(first repairable)" "disk true"
}
# made over a LUN: nothing lies where its data would begin, and the copy of the GPT still tells of the LUN
copy_disk sound.img over.img
bytes_into 'my $l = pack("a512", pack("a8Q<L<L<a8a32Q<Q<Q<Q<Q<", "LABELONE", 1, 0, 32, "LVM2 001", "b" x 32, $n, 1 << 20, 0, 0, 0));
	substr($l, 16, 4) = pack("L<", lvm_crc(substr($l, 20))); at(0, "\0" x 512 . $l);' over.img
is "pvcreate over a LUN: an independent judge" "$(blkid -p -o value -s TYPE over.img 2>&1 | head -n 1)" LVM2_member
own "pvcreate over a LUN" over.img
run doctor over.img
has "pvcreate over a LUN: doctor says so" "$OUT" "LVM2_member was made over it"
zero over.img $((size - 33 * 512)) $((33 * 512))
own "pvcreate over a LUN, no copy of the table left" over.img
copy_disk sound.img over.img
bytes_into 'md(2, 1, 2, 2048, ($n >> 9) - 4096, 8);' over.img
own "mdadm over a LUN" over.img
copy_disk sound.img over.img
bytes_into 'md(0, 1, 2, 0, ($n >> 9) - 64, (($n >> 9) - 16) & ~7);' over.img
own "mdadm over a LUN, its superblock in the copy of the GPT" over.img
# where ESXi begins, volume groups and arrays begin with their data, too: the volume is the LUN's own, however long the LUN is
# accident NAME FILE STARTS: what was made over it is said, and behind the guard the table can be repaired
accident() {
	local kind=$4 before
	own "$1" "$2"
	is "$1: no carrier" "$(jq -c '[.sources[0].readings[] | select(.kind == "carrier" and .repairable)]' "$OUT")" "[]"
	run doctor --json "$2"
	is "$1: doctor finds something wrong" "$((CODE != 0))" 1
	is "$1: doctor: the table is lost" "$(jq -r '[.sources[0].findings[].code | select(. == "incident.table-lost")] | join(" ")' "$OUT")" incident.table-lost
	run doctor "$2"
	has "$1: doctor says so" "$OUT" "$kind was made over it"
	hasnt "$1: something is wrong" "$OUT" "Nothing wrong"
	before=$(disk_state "$2")
	exits "$1: repair table" 3 repair "$2" --write
	has "$1: behind the guard" "$ERR" "guard member refuses: $kind is on the whole target"
	is "$1: untouched" "$(disk_state "$2")" "$before"
	ok "$1: the guards lifted" repair "$2" --override member --override guess --write
	run "$VMFSKIT" decode --json "$2"
	is "$1: the table" "$(jq -c '[.sources[0].table.partitions[].start_sector]' "$OUT")" "$3"
}
lun() { rm -f lun.img && "$LAB" make "$@" lun.img >/dev/null || fail "lun $*" "cannot be made"; }
for lun in mbr 4kn grown two gpt; do
	starts='[2048]' sector=512
	case $lun in
	mbr) lun --table mbr --vmfs 5 --start 2048 --vmfs-size 300M --size 400M ;;
	4kn) lun --table gpt --vmfs 6 --start 256 --sector-size 4096 --size 300M && starts='[256]' sector=4096 ;;
	grown) lun --size 300M && truncate -s 400M lun.img ;;
	two) lun --table gpt --size 700M --volume start=2048,size=300M,version=5 --volume start=700000,size=300M,version=6 && starts='[2048,700000]' ;;
	gpt) lun --size 300M ;;
	esac
	end=$(stat -c %s lun.img)
	# the tools take the beginning and the signature of the copy
	for code in 'lvm("");' 'lvm(lvm_text());' 'md(2, 1, 2, 2048, ($n >> 9) - 2048, 8);'; do
		copy_disk lun.img over.img
		zero over.img 0 4096
		[ $lun = mbr ] || zero over.img $((end - sector)) 8
		case $code in lvm*) kind=LVM2_member ;; *) kind=linux_raid_member ;; esac
		bytes_into "$code" over.img
		accident "$lun, $code" over.img "$starts" $kind
	done
done
# the LVM header of the volume is lost, too; and nobody knows any more whether there was a group
copy_disk lun.img over.img
zero over.img 0 4096
zero over.img $((end - 512)) 8
bytes_into 'lvm("");' over.img
zero over.img $((2 * mib)) 512
own "pvcreate over a LUN, its header lost" over.img
run doctor --json over.img
has "pvcreate over a LUN, its header lost: both are told" "$(jq -r '[.sources[0].findings[].code] | join(" ")' "$OUT")" "incident.table-lost.*incident.header-lost"
zero over.img 4096 512
own "a label of LVM2 alone over a LUN, its header lost" over.img
# a volume without a table that is theirs: a volume of LVM2 lies over the place, or the array was used since
# inside FILE PERL-CODE: carrier.img has the file from 1 MiB on; $OUT is what decode says
inside() {
	rm -f carrier.img
	truncate -s 400M carrier.img
	lay "$1" carrier.img $mib
	bytes_into "$2" carrier.img
	run "$VMFSKIT" decode --json carrier.img
}
real() { # NAME PERL-CODE WHAT
	inside bare.img "$2"
	is "$1" "$(first kind) $(first at_bytes) $(first repairable)" "carrier $mib false"
	has "$1: what" "$(first what)" "$3 with a VMFS partition whole inside"
	exits "$1: nothing is planned" 3 repair carrier.img --override member --write
}
"$LAB" make --table none --vmfs 5 --size 300M --vmfs-size 300M bare.img >/dev/null
real "LVM2, a volume as long as it" 'lvm(lvm_text(0, 75));' "a physical volume of LVM2 .volume vg0/lun0."
real "LVM2, a longer volume" 'lvm(lvm_text(0, 90));' "a physical volume of LVM2 .volume vg0/lun0."
real "md, as long as it" 'md(2, 1, 2, 2048, 300 << 11, 8);' "a member of a Linux RAID .*"
real "md, used since" 'md(2, 1, 2, 2048, ($n >> 9) - 2048, 8, 1300000000, 1700000000);' "a member of a Linux RAID .*"
# a volume of the group that lies elsewhere, or is too short for it, is not where it is
for place in '80, 10' '0, 2'; do
	bytes_into "lvm(lvm_text($place));" carrier.img
	run "$VMFSKIT" decode --json carrier.img
	is "LVM2, a volume in extents $place: a member, not a carrier" "$(first kind) $(first repairable)" "member false"
done
# what a removed group leaves: a table inside tells of a LUN all the same
inside sound.img 'lvm("");'
is "LVM2, the group removed: the LUN is seen" "$(first kind) $(first at_bytes)" "carrier $mib"
# an old one in front of a volume that was made later
"$LAB" make --table mbr --vmfs 3 --size 300M later.img >/dev/null
bytes_into 'md(2, 1, 2, 2048, ($n >> 9) - 4096, 8);' later.img
own "an old superblock on a sound disk with an MBR" later.img
# an offset that leads nowhere, a place that is not its own
make md-1.2 carrier.img
bytes_into 'md(2, 1, 2, 0xffffffffffffff, 0xffffffffffffff, 8);' carrier.img
run "$VMFSKIT" decode --json carrier.img
is "data that begins behind the end" "$(first kind)" member
# a file system in a partition, in which a file lies so that its volume stands at a usual start of a LUN
if command -v mkfs.ext4 >/dev/null; then
	rm -f files.img
	truncate -s 400M files.img
	printf '%s\n' 'label: gpt' 'start=2048, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4' | sfdisk -q files.img
	dd if=sound.img of=files.img bs=1M seek=8 conv=notrunc,sparse status=none
	run "$VMFSKIT" decode --json files.img
	is "no file system: the LUN is seen" "$(first kind)" carrier
	mkfs.ext4 -F -q -E offset=1048576,nodiscard files.img 390000k
	run "$VMFSKIT" decode --json files.img
	is "ext4: what lies in a file of it is no LUN" "$(jq -r '[.sources[0].readings[].kind] | index("carrier")' "$OUT")" null
else
	fail "a file system in a partition" "there is no mkfs.ext4"
fi
