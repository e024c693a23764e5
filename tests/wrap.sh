# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A disk in something of another system, or copied in a way that lost or gained bytes: wrap KIND DISK FILE. To be sourced behind
# tests/disk.sh. The superblocks are made by hand, as the formats have them, so that no driver and no tool is needed.

# PERL-CODE FILE ARGUMENT...: code that may call at(OFFSET, BYTES), md(MINOR, LEVEL, DISKS, DATA-SECTORS, DATA-LENGTH-SECTORS, SECTOR,
# MADE, WRITTEN), lvm_crc(BYTES) and lvm(TEXT): a physical volume with data from 1 MiB on, without a text one in no group;
# lvm_text(FIRST, COUNT): a group with a volume in these extents of it, or without a volume; $n is the length of the file
bytes_into() {
	local code=$1
	shift
	perl -e '
		my $file = shift; open(my $f, "+<", $file) or die; our $n = -s $file;
		sub at { my ($at, $bytes) = @_; seek($f, $at, 0); print $f $bytes; }
		sub md {
			my ($minor, $level, $disks, $data, $length, $sector, $made, $written) = @_;
			my $h = pack("a256", pack("L<L<L<L<a16a32Q<l<l<Q<L<L<", 0xa92b4efc, 1, 0, 0, "u" x 16, "host:0", $made // 1700000000, $level, 0,
				$length, 0, $disks));
			substr($h, 128, 8) = pack("Q<", $data); substr($h, 136, 8) = pack("Q<", $length);
			substr($h, 144, 8) = pack("Q<", $sector); substr($h, 192, 8) = pack("Q<", $written // 0); substr($h, 220, 4) = pack("L<", 2);
			my $roles = pack("S<S<", 0, 1); my $sum = 0;
			$sum += $_ for unpack("L<*", $h . $roles);
			substr($h, 216, 4) = pack("L<", (($sum & 0xffffffff) + ($sum >> 32)) & 0xffffffff);
			at($sector * 512, $h . $roles);
		}
		sub lvm_crc {
			my $crc = 0xf597a6cf;
			for my $b (unpack("C*", $_[0])) { $crc ^= $b; $crc = ($crc >> 1) ^ (0xedb88320 & -($crc & 1)) for 1 .. 8; }
			return $crc & 0xffffffff;
		}
		sub lvm_text {
			my ($first, $count) = @_;
			my $volume = sprintf("lun0 {\nid = \"%s\"\nstatus = [\"READ\", \"WRITE\", \"VISIBLE\"]\nflags = []\nsegment_count = 1\n\n" .
				"segment1 {\nstart_extent = 0\nextent_count = %d\n\ntype = \"striped\"\nstripe_count = 1\n\nstripes = [\n\"pv0\", %d\n]\n}\n" .
				"}\n", "c" x 32, $count // 0, $first // 0);
			return sprintf("vg0 {\nid = \"%s\"\nseqno = 2\nformat = \"lvm2\"\nstatus = [\"RESIZEABLE\", \"READ\", \"WRITE\"]\n" .
				"flags = []\nextent_size = 8192\nmax_lv = 0\nmax_pv = 0\n\nphysical_volumes {\n\npv0 {\nid = \"%s\"\n" .
				"device = \"/dev/sdb\"\n\nstatus = [\"ALLOCATABLE\"]\nflags = []\ndev_size = %d\npe_start = 2048\npe_count = %d\n}\n}\n\n" .
				"%s}\ncontents = \"Text Format Volume Group\"\nversion = 1\n", "a" x 32, "b" x 32, $n >> 9, ($n >> 22) - 1,
				defined($count) ? "logical_volumes {\n\n$volume}\n" : "");
		}
		sub lvm {
			my ($text) = @_;
			my $header = pack("a32Q<Q<Q<Q<Q<Q<Q<Q<Q<", "b" x 32, $n, 1 << 20, 0, 0, 0, 4096, (1 << 20) - 4096, 0, 0);
			my $label = pack("a512", pack("a8Q<L<L<a8", "LABELONE", 1, 0, 32, "LVM2 001") . $header);
			substr($label, 16, 4) = pack("L<", lvm_crc(substr($label, 20)));
			my @place = $text eq "" ? (0, 0, 0, 0) : (512, length($text) + 1, lvm_crc($text . "\0"), 0);
			my $area = pack("a512", pack("L<a16L<Q<Q<Q<Q<L<L<", 0, " LVM2 x[5A%r0N*>", 1, 4096, (1 << 20) - 4096, @place));
			substr($area, 0, 4) = pack("L<", lvm_crc(substr($area, 4)));
			at(0, "\0" x 512 . $label . "\0" x 1024);
			at(4096, $area . $text . "\0");
		}
		'"$code"'
		close($f) or die;' "$@"
}

# DISK FILE AT: the disk from byte AT of the file on; holes stay holes
lay() { dd if="$1" of="$2" bs=64K seek=$(($3 >> 16)) conv=sparse,notrunc status=none; }

wrap() { # KIND DISK FILE
	local kind=$1 disk=$2 file=$3 size
	size=$(stat -c %s "$disk")
	rm -f "$file"
	case $kind in
	raw) copy_disk "$disk" "$file" ;;
	md-1.2)
		truncate -s $((size + (2 << 20))) "$file"
		lay "$disk" "$file" $((1 << 20))
		bytes_into 'md(2, 1, 2, 2048, ($n >> 9) - 4096, 8);' "$file"
		;;
	md-1.1)
		truncate -s $((size + (2 << 20))) "$file"
		lay "$disk" "$file" $((1 << 20))
		bytes_into 'md(1, 1, 2, 2048, ($n >> 9) - 4096, 0);' "$file"
		;;
	md-1.0)
		copy_disk "$disk" "$file"
		truncate -s $((size + (1 << 20))) "$file"
		bytes_into 'md(0, 1, 2, 0, ($n >> 9) - 2048, (($n >> 9) - 16) & ~7);' "$file"
		;;
	lvm2)
		truncate -s $((size + (8 << 20))) "$file"
		lay "$disk" "$file" $((5 << 20)) # the volume begins with the second extent
		bytes_into 'lvm(lvm_text(1, ($n >> 22) - 2));' "$file"
		;;
	ddf)
		copy_disk "$disk" "$file"
		truncate -s $((size + (64 << 20))) "$file"
		bytes_into 'my $p = $n / 512 - 32768;
			for my $s ($n / 512 - 1, $p) { my $h = pack("a512", "\xde\x11\xde\x11"); substr($h, 32, 8) = "01.02.00";
				substr($h, 96, 8) = pack("Q>", $p); at($s * 512, $h); }' "$file"
		;;
	partition) # the second partition of somebody else'"'"'s disk
		truncate -s $((size + (4 << 20))) "$file"
		printf '%s\n' 'label: gpt' 'start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649' \
			"start=4096, size=$((size >> 9)), type=0FC63DAF-8483-4772-8E79-3D69D8477DE4" | sfdisk -q "$file" || return 1
		lay "$disk" "$file" $((2 << 20))
		;;
	stride-520) # behind each sector eight bytes that are not its own
		perl -e 'open(my $in, "<", $ARGV[0]) or die; open(my $out, ">", $ARGV[1]) or die; my ($s, $k) = ("", 0);
			while (read($in, $s, 512)) { if ($s ne "\0" x 512) { seek($out, $k * 520, 0); print $out $s . pack("a8", "\x12\x34" . $k); } $k++; }
			truncate($out, $k * 520);' "$disk" "$file"
		;;
	shift+4096) # 4096 bytes too many, 1 MiB behind the beginning
		truncate -s $((size + 4096)) "$file"
		dd if="$disk" of="$file" bs=64K count=16 conv=notrunc,sparse status=none
		dd if="$disk" of="$file" bs=4K skip=256 seek=257 conv=notrunc,sparse status=none
		;;
	shift-4096) # 4096 bytes got lost there
		truncate -s $((size - 4096)) "$file"
		dd if="$disk" of="$file" bs=64K count=16 conv=notrunc,sparse status=none
		dd if="$disk" of="$file" bs=4K skip=257 seek=256 conv=notrunc,sparse status=none
		;;
	*) return 1 ;;
	esac
}
