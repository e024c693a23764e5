# SPDX-License-Identifier: Apache-2.0
# What is no disk (containers, compressed files), has a footer behind it, or is a part of an array: every verb says so, none writes.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need perl qemu-img blkid
cd "$TMP" || exit 1
store=$TMP/store
"$LAB" make --overwrite --table gpt --vmfs 5 --vmfs-size 1228799s --size $((2048 + 1228799 + 33))s --seed 1 good.img >/dev/null || exit 1
size=$(stat -c %s good.img)
ok "a capture of the disk" "$VMFSKIT" capture --store "$store" good.img
id=$(newest "$store")

repair() { "$VMFSKIT" repair "$1" "$2" --store "$store" --no-captures --heartbeat-wait 0.3 --override "heartbeat${3:+,$3}" --write; }
doctor() { "$VMFSKIT" doctor --store "$store" --heartbeat-wait 0 "$@"; }

# container FILE NAME HOW: every verb names it and tells how to open it; nothing writes to it
container() {
	local file=$1 name=$2 how=$3 before after verb
	before=$(disk_state "$file")
	exits "$name: decode" 1 "$VMFSKIT" decode "$file"
	has "$name: decode says what it is, at the top" "$(sed -n 3p "$OUT")" "^This is a .*$name.*, not a disk"
	has "$name: decode says how to open it" "$(sed -n 4p "$OUT")" "$how"
	exits "$name: decode --json" 1 "$VMFSKIT" decode --json "$file"
	is "$name: it is the first finding" "$(jq -r '.findings[0].code' "$OUT")" source.container
	exits "$name: find" 1 "$VMFSKIT" find --no-store "$file"
	has "$name: find says what it is, at the top" "$(head -n 1 "$OUT")" "^This is a .*$name"
	hasnt "$name: find advises no repair" "$OUT" "vmfskit repair"
	for verb in doctor "capture --store none" "diff good.img" "import --store none"; do
		exits "$name: ${verb%% *}" 1 "$VMFSKIT" $verb "$file"
		has "$name: ${verb%% *} says what it is" "$ERR" "^vmfskit: this is a .*$name.*, not a disk"
		has "$name: ${verb%% *} says how to open it" "$ERR" "$how"
	done
	is "$name: nothing was captured or imported" "$(captures none)" ""
	for verb in table header; do
		exits "$name: repair $verb" 3 repair $verb "$file"
		has "$name: repair $verb: by name" "$ERR" "guard container refuses: .*$name"
		has "$name: repair $verb: how to open it" "$ERR" "$how"
	done
	exits "$name: repair header, as a member" 1 "$VMFSKIT" repair header good.img --member "$file" --no-captures
	has "$name: repair header, as a member: says what it is" "$ERR" "this is a .*$name.*, not a disk"
	exits "$name: restore" 3 "$VMFSKIT" restore --store "$store" "$id" "$file" --write --override size,sector-size
	has "$name: restore: by name" "$ERR" "^guard container refuses: .*$name.*$how"
	after=$(disk_state "$file")
	is "$name: it is untouched" "$after" "$before"
}

# as qemu makes them; what it makes of them again is the disk
for format in qcow2 vmdk vdi vhdx qed vpc; do
	case $format in
	vmdk) name="sparse VMDK" ;;
	vpc) name="dynamic VHD" ;;
	qcow2 | vdi | vhdx | qed) name="${format/vd/VD} image" name=${name/qed/QED} name=${name/VDi/VDI} name=${name/vhdx/VHDX} ;;
	esac
	options=
	[ $format = vpc ] && options="-o force_size=on"
	# shellcheck disable=SC2086
	qemu-img convert -f raw -O $format $options good.img box.$format >"$OUT" 2>"$ERR" || { fail "qemu-img makes $format" "$(cat "$ERR")"; continue; }
	container box.$format "$name" "qemu-img convert -O raw box.$format"
	qemu-img convert -f $format -O raw box.$format out.img
	is "$name: what it says opens it" "$(disk_sum out.img)" "$(disk_sum good.img)"
	rm -f out.img
done

# what holds the last bytes of a disk, and with them a copy of its GPT that is sound: no empty table is planned for it
copy_disk box.qcow2 tail.img
dd if=good.img bs=512 skip=$((size / 512 - 33)) count=33 status=none >>tail.img
container tail.img "qcow2 image" "qemu-img"
printf '\0' | dd of=tail.img bs=1 conv=notrunc status=none
before=$(disk_state tail.img)
exits "a sound backup GPT behind what is no disk: nothing is planned" 3 repair table tail.img
has "a sound backup GPT behind what is no disk: why" "$ERR" "which the backup GPT names and nothing contradicts, does not lie in the usable sectors"
is "a sound backup GPT behind what is no disk: untouched" "$(disk_state tail.img)" "$before"

truncate -s 64M empty.img
printf 'label: gpt\n' | sfdisk -q --no-tell-kernel empty.img >"$OUT" 2>&1
ok "an empty GPT that is sound" repair table empty.img
has "an empty GPT that is sound: stays" "$OUT" "nothing to repair"
zero empty.img $((67108864 - 512)) 512
before=$(disk_state empty.img)
exits "an empty GPT without its copy: none is written" 1 repair table empty.img
is "an empty GPT without its copy: untouched" "$(disk_state empty.img)" "$before"

# the first megabytes are enough: what compresses the disk reads all of it
dd if=good.img of=head.img bs=1M count=4 status=none
for tool in gzip xz zstd bzip2 lzop; do
	command -v $tool >/dev/null || { skip "$tool" "it is not installed"; continue; }
	$tool -c <head.img >"box.$tool"
	container "box.$tool" "$tool stream" "$tool -dc box.$tool"
done
gzip -dc box.gzip | "$VMFSKIT" import --store imported --disk d - >"$OUT" 2>"$ERR"
has "what comes out of it is taken as before" "$OUT" "^2[0-9TZ]*-d: d, .*saved 18"
printf '# Disk DescriptorFile\nversion=1\n\nRW 1 VMFS "disk-flat.vmdk"\n' >disk.vmdk
container disk.vmdk "VMDK descriptor" "-flat.vmdk"

# --override knows what it does; undo of it goes the same way. Nothing in a container tells that it is the captured disk.
copy_disk box.qcow2 box.img
truncate -s "$size" box.img
exits "a container of the disk's length: refused" 3 "$VMFSKIT" restore --store "$store" "$id" box.img --write --override unidentified
is "a container of the disk's length: by no other guard" "$(grep -o '^guard [a-z-]* refuses' "$ERR" | sort -u)" "guard container refuses"
ok "a container of the disk's length: --override" "$VMFSKIT" restore --json --store "$store" "$id" box.img --write --override container,unidentified
undo=$(undo_of "$OUT")
dd if=box.qcow2 of=box.img bs=1M conv=notrunc status=none
exits "undo to a container: refused" 3 "$VMFSKIT" undo --store "$store" "$undo" box.img --write --override changed-since
has "undo to a container: by name" "$ERR" "^guard container refuses: .*qcow2"

# forms that are unfolded when they are read are not targets either
head -c 65536 /dev/urandom | hexdump -C >listing.txt
printf 'VMFSIMG\001\001\177' >folded.img
for file in listing.txt folded.img; do
	truncate -s "$size" $file
	before=$(disk_state $file)
	exits "$file: restore" 3 "$VMFSKIT" restore --store "$store" "$id" $file --write --override unidentified
	has "$file: by name" "$ERR" "^guard container refuses: .*not a disk: name the disk that it was made of"
	is "$file: it is untouched" "$(disk_state $file)" "$before"
done

# a disk stays a disk, whatever its first bytes are
copy_disk good.img pk.img
printf 'PK\003\004' | dd of=pk.img bs=1 conv=notrunc status=none
exits "a disk that begins like a zip archive" 0 "$VMFSKIT" decode pk.img
hasnt "a disk that begins like a zip archive: not called one" "$OUT" "archive"
"$LAB" break --how table pk.img >/dev/null
printf 'PK\003\004' | dd of=pk.img bs=1 conv=notrunc status=none
ok "the same without its table: the volume stands in its place" repair table pk.img guess
ok "the same without its table: repaired" "$VMFSKIT" decode pk.img

# on a device, too
if [ "$(id -u)" -eq 0 ] && device=$(loop_attach box.qcow2); then
	exits "a container on a device: doctor" 1 doctor "$device"
	has "a container on a device: doctor says where to look" "$ERR" "qcow2 image.*|written over.*vmfskit find"
	exits "a container on a device: repair" 3 repair table "$device"
	exits "a container on a device: capture" 1 "$VMFSKIT" capture --store none "$device"
	loop_detach "$device"
else
	skip "a container on a device" "needs root"
fi

# a fixed VHD: the disk as it is, and a footer
qemu-img convert -f raw -O vpc -o subformat=fixed,force_size=on good.img fixed.vhd
is "qemu-img makes a fixed VHD" "$(stat -c %s fixed.vhd)" $((size + 512))
footer=$(tail -c 512 fixed.vhd | sha256sum)
exits "a fixed VHD: decode" 0 "$VMFSKIT" decode fixed.vhd
has "a fixed VHD: decode says what it is" "$OUT" "^This is a fixed VHD: its first $size bytes are the disk"
exits "a fixed VHD: doctor" 0 doctor fixed.vhd
has "a fixed VHD: doctor says what it is" "$OUT" "^This is a fixed VHD"
has "a fixed VHD: nothing grew" "$OUT" "Nothing wrong was found"
ok "a fixed VHD: find" "$VMFSKIT" find --no-store fixed.vhd
has "a fixed VHD: find says what it is" "$OUT" "^This is a fixed VHD"
ok "a fixed VHD: repair table" repair table fixed.vhd
has "a fixed VHD: there is nothing to repair" "$OUT" "nothing to repair"
ok "a fixed VHD: its capture is one of the disk" "$VMFSKIT" capture --store vhds fixed.vhd
ok "a fixed VHD: the same as the disk" "$VMFSKIT" diff good.img fixed.vhd
zero fixed.vhd 0 17408
before=$(disk_state fixed.vhd)
exits "a fixed VHD without its table: repair" 3 repair table fixed.vhd
has "a fixed VHD without its table: by name, and how to attach the disk" "$ERR" \
	"^guard container refuses: .*fixed VHD: its first $size bytes.*--sizelimit $size"
exits "a fixed VHD without its table: restore" 3 "$VMFSKIT" restore --store "$store" "$id" fixed.vhd --write
is "a fixed VHD without its table: by no other guard" "$(grep -o '^guard [a-z-]* refuses' "$ERR" | sort -u)" "guard container refuses"
is "a fixed VHD without its table: untouched" "$(disk_state fixed.vhd)" "$before"
ok "a fixed VHD: --override writes to the disk in it" "$VMFSKIT" restore --store "$store" "$id" fixed.vhd --write --override container
is "a fixed VHD: its footer is as it was" "$(tail -c 512 fixed.vhd | sha256sum)" "$footer"
is "a fixed VHD: qemu-img reads the disk from it" "$(qemu-img convert -f vpc -O raw fixed.vhd out.img; disk_sum out.img)" "$(disk_sum good.img)"
if [ "$(id -u)" -eq 0 ] && device=$(loop_attach fixed.vhd); then
	ok "a footer at the end of a device: nothing grew" doctor "$device"
	ok "a footer at the end of a device: nothing to repair" repair table "$device"
	is "a footer at the end of a device: untouched" "$(tail -c 512 fixed.vhd | sha256sum)" "$footer"
	loop_detach "$device"
else
	skip "a footer at the end of a device" "needs root"
fi

# members of arrays: signatures as their formats have them, behind or in front of a disk that then looks grown
signature() { # KIND FILE
	perl -e '
		my ($kind, $file) = @ARGV;
		my $n = -s $file;
		open my $f, "+<:raw", $file or die;
		sub at { seek $f, $_[0], 0 or die; print $f $_[1] or die }
		if ($kind eq "ddf") {
			my $p = $n / 512 - 32768;
			my $h = pack("Nx28a8x56Q>", 0xde11de11, "01.02.00", $p) . "\0" x 408;
			at($n - 512, substr($h, 0, 512)); at($p * 512, substr($h, 0, 512));
		} elsif ($kind =~ /md-1.0/) {
			my $s = (($n / 512) - 16) & ~7;
			my $h = pack("L<L<L<L<a16a32Q<l<l<Q<L<L<x16", 0xa92b4efc, 1, 0, 0, "u" x 16, "host:0", 1, $kind =~ /RAID5/ ? 5 : 1, 0, 2000, 0, 3);
			$h .= pack("x16") ; $h = pack("a256", $h);
			substr($h, 144, 8) = pack("Q<", $s);
			my $sum = 0; $sum += $_ for unpack("L<64", $h);
			substr($h, 216, 4) = pack("L<", ($sum & 0xffffffff) + ($sum >> 32));
			at($s * 512, $h);
		} elsif ($kind eq "isw") {
			at($n - 1024, "Intel Raid ISM Cfg Sig. 1.3.00");
		} elsif ($kind eq "zfs") {
			for my $l (0, 262144, $n - 524288, $n - 262144) {
				next if $l < 262145 * 2;
				at($l + 131072 + $_ * 1024, pack("Q<Q<Q<Q<Q<", 0x00bab10c, 5000, 1, 1, 1700000000)) for 0 .. 31;
			}
		}' "$1" "$2"
}
member() { # KIND TYPE NAME: what libblkid calls it, and what people do
	local kind=$1 type=$2 name=$3 before
	copy_disk good.img member.img
	truncate -s $((size + (64 << 20))) member.img
	signature "$kind" member.img
	if [ -z "$(blkid -p -o value -s TYPE member.img 2>&1)" ]; then
		skip "$kind" "this libblkid wants more of it than these bytes"
		return
	fi
	is "$kind: an independent judge" "$(blkid -p -o value -s TYPE member.img 2>&1 | grep -o "$type\|ambivalent" | head -n 1)" "$type"
	before=$(disk_state member.img)
	exits "$kind: doctor" 1 doctor --json member.img
	is "$kind: a part of an array, not a LUN that grew" "$(jq -r '[.. | .code? // empty] | map(select(test("grown|member"))) | unique | join(" ")' "$OUT")" source.member
	doctor member.img >"$OUT" 2>&1
	hasnt "$kind: doctor advises no repair" "$OUT" "vmfskit (repair|restore)"
	exits "$kind: repair table" 3 repair table member.img
	has "$kind: by name" "$ERR" "^vmfskit: guard member refuses: this is a member of an? $name"
	hasnt "$kind: nobody is told to lift it after a copy" "$ERR" "save that data"
	zero member.img 0 512
	exits "$kind: restore" 3 "$VMFSKIT" restore --store "$store" "$id" member.img --write --override size
	has "$kind: restore: by name" "$ERR" "^guard member refuses: $type"
	exits "$kind: repair of a lost MBR" 3 repair table member.img
	dd if=good.img of=member.img bs=512 count=1 conv=notrunc status=none
	is "$kind: untouched" "$(disk_sum member.img)" "$(echo "$before" | tail -n 1)"
}
member ddf ddf_raid_member "DDF RAID"
member isw isw_raid_member "Intel RAID"
member md-1.0-RAID5 linux_raid_member "Linux RAID .md 1.0, RAID5, 3 disks."
member zfs zfs_member "ZFS pool"

# what nobody knows behind the end that the table names
copy_disk good.img member.img
truncate -s $((size + (64 << 20))) member.img
printf 'controller' | dd of=member.img bs=1 seek=$((size + (64 << 20) - 8192)) conv=notrunc status=none
exits "unknown bytes at the end: doctor" 1 doctor member.img
hasnt "unknown bytes at the end: not called grown" "$OUT" "lun-grown"
exits "unknown bytes at the end: repair table" 3 repair table member.img
has "unknown bytes at the end: by name" "$ERR" "^guard member refuses: .*ends at byte $size, .*from byte $((size + (64 << 20) - 8192)) on"
# the end that the disk had is still known where its table is lost
copy_disk member.img tail.img
zero tail.img 0 $((34 * 512))
exits "unknown bytes at the end, one copy of the table lost" 3 repair table tail.img
has "unknown bytes at the end, one copy lost: by name" "$ERR" "^guard member refuses: the partition table of before says .*ends at byte $size,"
zero tail.img $((size - 33 * 512)) $((33 * 512))
ok "unknown bytes at the end, both lost, no capture" "$VMFSKIT" repair table tail.img --no-captures --override guess
has "unknown bytes at the end, both lost, no capture: is said" "$OUT" "^note +the last sectors, from byte $((size + (64 << 20) - 8192)) on, hold something that is not a copy of a GPT"
exits "unknown bytes at the end, both lost, a capture" 3 "$VMFSKIT" repair table tail.img --store "$store" --write
has "unknown bytes at the end, both lost, a capture: by name" "$ERR" "^guard member refuses: a capture says .*ends at byte $size,"
is "unknown bytes at the end: they are there" "$(dd if=tail.img bs=1 skip=$((size + (64 << 20) - 8192)) count=10 status=none)" controller
zero member.img $((size + (64 << 20) - 8192)) 512
exits "nothing at the end: it grew" 1 doctor member.img
has "nothing at the end: it grew" "$OUT" "lun-grown"
ok "nothing at the end: the copy moves there" repair table member.img

# an array made of a disk since a restore is not undone, although no byte of that restore was changed
copy_disk good.img member.img
"$LAB" break --how table member.img >/dev/null
ok "a restore" "$VMFSKIT" restore --json --store "$store" "$id" member.img --write --part table
undo=$(undo_of "$OUT")
perl -e 'open my $f, "+<:raw", $ARGV[0]; seek $f, (-s $f) - 65536 - (-s $f) % 65536, 0; print $f pack("L<L<L<L<L<L<L<", 0xa92b4efc, 0, 90, 0, 0, 0x12345678, 1)' member.img
is "md 0.90 since then: an independent judge" "$(blkid -p -o value -s TYPE member.img 2>&1 | head -n 1)" linux_raid_member
exits "md 0.90 since then: undo" 3 "$VMFSKIT" undo --store "$store" "$undo" member.img --write
has "md 0.90 since then: by name" "$ERR" "^guard member refuses: linux_raid_member"

# nor where it was made of a partition only: the entry that names it would go
copy_disk good.img member.img
"$LAB" break --how table member.img >/dev/null
ok "a restore before a partition is encrypted" "$VMFSKIT" restore --json --store "$store" "$id" member.img --write --part table
undo=$(undo_of "$OUT")
start=$("$VMFSKIT" decode --json good.img | jq '.sources[0].vmfs[0].start_sector')
perl -e 'open my $f, "+<:raw", $ARGV[0]; seek $f, $ARGV[1] * 512, 0; print $f pack("a6n", "LUKS\xba\xbe", 1)' member.img "$start"
is "an encrypted partition since then: an independent judge" "$(blkid -p -O $((start * 512)) -o value -s TYPE member.img)" crypto_LUKS
exits "an encrypted partition since then: undo" 3 "$VMFSKIT" undo --store "$store" "$undo" member.img --write
has "an encrypted partition since then: by name" "$ERR" "^guard member refuses: crypto_LUKS is on the place of partition 1"
zero member.img $((start * 512)) 512
ok "it is not one any more: undo" "$VMFSKIT" undo --store "$store" "$undo" member.img
