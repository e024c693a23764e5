# SPDX-License-Identifier: Apache-2.0
# Copies that are not the disk: longer sectors, bytes lost or gained, beginning and end put together. Each is named by every
# verb, is looked at as the disk that it is of, and has no plan; what only looks like one is not called so.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

need perl
cd "$TMP" || exit 1
store=$TMP/store
size=$(((2048 + 1228799 + 33) * 512))
"$LAB" make --overwrite --table gpt --vmfs 5 --vmfs-size 1228799s --size $size --seed 1 sound.img >/dev/null || exit 1
copy_disk sound.img table.img
zero table.img 0 17408
copy_disk table.img both.img
zero both.img $((size - 16896)) 16896
copy_disk sound.img header.img
zero header.img $((2 << 20)) $((1 << 20))

# long_sectors IN OUT STRIDE
long_sectors() {
	perl -e '
		my ($in, $out, $stride) = @ARGV; my ($n, $zeros) = (0, "\0" x (512 * 2048));
		open(IN, "<", $in) && open(OUT, ">", $out) or die;
		while (my $len = read(IN, my $b, 512 * 2048)) {
			if ($b ne substr($zeros, 0, $len)) {
				seek(OUT, $n * $stride, 0);
				print OUT substr($b, $_ * 512, 512), "\xa5" x ($stride - 512) for 0 .. $len / 512 - 1;
			}
			$n += $len / 512;
		}
		close(OUT); truncate($out, $n * $stride) or die' "$@"
}
# spliced OUT FILE [FROM LENGTH FILE FROM LENGTH...]: ranges of files, one behind the other; FILE - is zeros. Holes stay holes
spliced() {
	perl -e '
		my $out = shift; my $at = 0; my $zeros = "\0" x 65536;
		open(OUT, ">", $out) or die;
		while (my ($file, $from, $len) = splice(@ARGV, 0, 3)) {
			if ($file ne "-") {
				open(IN, "<", $file) or die; seek(IN, $from, 0);
				for (my $done = 0; $done < $len;) {
					my $n = read(IN, my $b, $len - $done < 65536 ? $len - $done : 65536) or die "$file is short";
					if ($b ne substr($zeros, 0, $n)) { seek(OUT, $at + $done, 0); print OUT $b }
					$done += $n;
				}
			}
			$at += $len;
		}
		close(OUT); truncate($out, $at) or die' "$@"
}
lost() { spliced "$2" "$1" 0 "$3" "$1" $(($3 + $4)) $((size - $3 - $4)); }
gained() { spliced "$2" "$1" 0 "$3" - 0 "$4" "$1" "$3" $((size - $3)); }
glued() { spliced "$2" "$1" 0 "$3" "$1" $((size - $4)) "$4"; }

# said FILE KIND TEXT CODES DOCTOR FIND: what all verbs say of it; CODES: exit codes of decode, find and doctor
said() {
	local file=$1 kind=$2 text=$3 codes=$4 before
	before=$(disk_state "$file")
	exits "$file: decode" "${codes:0:1}" "$VMFSKIT" decode "$file"
	has "$file: decode names it" "$OUT" "^This is (likely )?$text"
	exits "$file: decode --json" "${codes:0:1}" "$VMFSKIT" decode --json "$file"
	is "$file: the best reading" "$(jq -r '.sources[0].readings[0] | [.kind, .repairable] | @tsv' "$OUT")" "$kind	false"
	exits "$file: find" "${codes:1:1}" "$VMFSKIT" find --no-store "$file"
	has "$file: find names it" "$OUT" "^This is (likely )?$text"
	has "$file: find has the volume where it belongs" "$OUT" "^(Living|Damaged): sector 2048, .*\"practice\""
	hasnt "$file: find offers no repair" "$OUT" "vmfskit repair"
	exits "$file: doctor" "${codes:2:1}" "$VMFSKIT" doctor --store "$store" --heartbeat-wait 0 "$file"
	has "$file: doctor names it" "$OUT" "^This is (likely )?$text"
	grep -q "^This is likely" "$OUT" || hasnt "$file: what is certain is not doubted" "$OUT" "^It could also be a whole disk"
	hasnt "$file: evidence is not cut within a word" "$OUT" "heartbeat at by$|without the$"
	has "$file: doctor says what to do" "$OUT" "Do not write to it"
	hasnt "$file: doctor offers no repair, and no capture" "$OUT" "vmfskit (repair|restore|capture)"
	[[ $file == *header* ]] || hasnt "$file: doctor calls nothing lost" "$(sed -n '/^What happened/,/^Next/p' "$OUT")" "header.*(lost|gone)"
	exits "$file: doctor --json" "${codes:2:1}" "$VMFSKIT" doctor --store "$store" --heartbeat-wait 0 --json "$file"
	has "$file: doctor in JSON" "$(jq -r '.sources[0].headline' "$OUT")" "$text"
	exits "$file: repair table" 3 "$VMFSKIT" repair table --no-captures "$file"
	has "$file: repair table refuses" "$ERR" "guard reading refuses: this is $text"
	exits "$file: repair table --write" 3 "$VMFSKIT" repair table --no-captures "$file" --override guess --write
	exits "$file: restore --write" 3 "$VMFSKIT" restore --store "$store" "$id" "$file" --override size,lun,unidentified --write
	has "$file: restore refuses" "$ERR" "guard reading refuses: the target is $text"
	is "$file: nothing was written" "$(disk_state "$file")" "$before"
}
field() { jq -r ".sources[0].readings[0].$2" <("$VMFSKIT" decode --json "$1"); }
# unsaid NAME FILE: it is read as its own bytes
unsaid() {
	run "$VMFSKIT" decode --json "$2"
	hasnt "$1" "$(jq -r '.sources[0].readings[0].kind' "$OUT")" "stride|shifted|glued"
}

ok "a capture of the disk" "$VMFSKIT" capture --store "$store" sound.img
id=$(newest "$store")
for file in sound table both header; do unsaid "the disk itself: $file" $file.img; done
ok "the disk itself" "$VMFSKIT" decode sound.img
hasnt "it is called nothing else" "$OUT" "(stride|lost|gained|put together)"

# ---- longer sectors: with its table, without it, without its header
for state in sound:000 table:101 both:111 header:111; do
	long_sectors ${state%:*}.img stride-${state%:*}.img 520
	said stride-${state%:*}.img stride "a copy of a drive with sectors of 520 bytes: 8 behind each 512 are not data" ${state#*:}
done
is "the stride is told" "$(field stride-sound.img stride_bytes)" 520
has "its evidence" "$(field stride-sound.img evidence)" "EFI PART at byte 520 behind an MBR, both copies of the GPT agree"
long_sectors sound.img stride-528.img 528
is "sectors of 528 bytes" "$(field stride-528.img stride_bytes)" 528
ok "a sound one compares with the disk" "$VMFSKIT" diff sound.img stride-528.img

# ---- bytes lost and gained behind the table
for state in sound:111 table:111 header:111; do
	file=${state%:*}
	front=17408
	[ "$file" != table ] || front=0
	first=$(((2048 * 512) + (1 << 20)))
	[ "$file" != header ] || first=$((2048 * 512 + 0x1300000))
	lost $file.img lost-$file.img 1048576 4096
	said lost-$file.img shifted "a copy that lost 4096 bytes between byte $front and byte $((first - 4096)): all behind lies 4096 bytes before its place" ${state#*:}
	gained $file.img gained-$file.img 1048576 4096
	said gained-$file.img shifted "a copy that gained 4096 bytes between byte $front and byte $((first + 4096)): all behind lies 4096 bytes behind its place" ${state#*:}
done
is "where it begins" "$(field lost-sound.img shift_from_bytes)" $((2 * 1048576 - 4096))
is "how far" "$(field lost-sound.img shift_bytes) $(field gained-sound.img shift_bytes)" "-4096 4096"
has "what says so" "$(field lost-sound.img evidence)" "the backup GPT at byte .*, LVM header at byte 2093056, file-system descriptor at .*, heartbeat at .* and the length agree on 4096 bytes"
exits "decode shows the disk as it is" 1 "$VMFSKIT" decode lost-sound.img
is "with nothing wrong but the copy" "$(grep -cE '^(error|warning) ' "$OUT")" 1

# ---- in the middle of the data, at the very beginning, by no whole sectors
lost sound.img lost-middle.img 400000000 8192
said lost-middle.img shifted "a copy that lost 8192 bytes between byte 22020260 and byte $((size - 16896 - 8192))" 111
lost table.img lost-middle-table.img 400000000 8192
said lost-middle-table.img shifted "a copy that lost 8192 bytes between byte 22020260 and byte $((size - 16896 - 8192))" 111
lost sound.img lost-front.img 0 4096
said lost-front.img shifted "a copy that lost 4096 bytes between byte 0 and byte 2093056" 111
gained sound.img gained-front.img 0 4096
said gained-front.img shifted "a copy that gained 4096 bytes between byte 0 and byte 2101248" 111
lost sound.img lost-odd.img 1048576 1000
said lost-odd.img shifted "a copy that lost 1000 bytes between byte 17408 and byte 2096152" 111
zero lost-odd.img $((size - 1000 - 16896)) 16896
said lost-odd.img shifted "a copy that lost 1000 bytes between byte 17408 and byte 2096152" 111
"$LAB" make --overwrite --table mbr --start 63 --vmfs 3 --vmfs-size 1228799s --size $size --seed 2 mbr.img >/dev/null || exit 1
lost mbr.img mbr-odd.img 20000 1000
run "$VMFSKIT" decode --json mbr-odd.img
is "an MBR, and a shift that no other start explains" "$(jq -r '.sources[0].readings[0] | [.kind, .shift_bytes] | @tsv' "$OUT")" "shifted	-1000"

# ---- beginning and end
for state in sound:000 table:101 header:111; do
	glued ${state%:*}.img glued-${state%:*}.img $((64 << 20)) 1048576
	said glued-${state%:*}.img glued "beginning and end of a disk of $size bytes, put together: $((size - (65 << 20))) bytes between" ${state#*:}
done
ok "both ends are shown in their places" "$VMFSKIT" decode glued-sound.img
has "the copy of the table is whole, in the last sector of the disk" "$OUT" "^ *whole +0x0*$(printf %x $((size - 512))) .*GPT header \\(backup\\)"
is "nothing is wrong" "$(grep -cE '^(error|warning) ' "$OUT")" 0

# ---- what only looks like it
unsaid "the table is gone, and with it what would tell" both.img
lost both.img lost-both.img 1048576 4096
unsaid "a shift and another start of the partition are the same then" lost-both.img
copy_disk sound.img grown.img
truncate -s +4096 grown.img
unsaid "a disk that was grown" grown.img
head -c $((size - 4096)) sound.img >cut.img
unsaid "a disk that was cut" cut.img
spliced partition.img sound.img 1048576 $((size - 1048576))
unsaid "a partition and what lies behind it" partition.img
"$LAB" make --overwrite --table gpt --vmfs 5 --start 2056 --vmfs-size 1228791s --size $size --seed 1 other.img >/dev/null || exit 1
dd if=sound.img of=other.img bs=512 count=34 conv=notrunc status=none
dd if=sound.img of=other.img bs=512 skip=$((size / 512 - 33)) seek=$((size / 512 - 33)) count=33 conv=notrunc status=none
unsaid "a partition that begins elsewhere than the table says" other.img
"$LAB" make --overwrite --table gpt --vmfs 5 --vmfs-size 600000s --size $(((2048 + 600000 + 33) * 512)) --seed 5 guest.img >/dev/null || exit 1
copy_disk table.img guests.img
dd if=guest.img of=guests.img bs=512 skip=$((2048 + 600000)) seek=$((size / 512 - 33)) count=33 conv=notrunc status=none
unsaid "the end of a virtual disk at the end of the LUN" guests.img

# a virtual ESXi's disk at the end of the LUN has a table, a volume and a length of its own, and none of them is the LUN's
"$LAB" make --overwrite --table gpt --vmfs 5 --start 128 --size 290M --seed 7 nested.img >/dev/null || exit 1
"$LAB" make --overwrite --table mbr --vmfs 3 --start 63 --size $size --seed 2 mbr.img >/dev/null || exit 1
copy_disk both.img bare.img
zero bare.img $((1 << 20)) $((20 << 20))
for lun in both mbr bare; do
	copy_disk $lun.img nesting.img
	at=$(((size - (290 << 20) - 65536) / 65536))
	dd if=nested.img of=nesting.img bs=64K seek=$at conv=notrunc,sparse status=none
	unsaid "a virtual ESXi's disk at the end of the LUN ($lun)" nesting.img
	run "$VMFSKIT" doctor --json nesting.img
	is "a virtual ESXi's disk at the end of the LUN ($lun): the LUN is what is looked at" \
		"$(jq -r '.sources[0].size_bytes' "$OUT")" "$size"
done
