# SPDX-License-Identifier: Apache-2.0
# --at, --stride, --mapfile, split dumps: the same answer as of the disk itself from every verb, and nothing is written through them.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

need perl
cd "$TMP" || exit 1
store=$TMP/store
"$LAB" make --overwrite --table gpt --vmfs 5 --vmfs-size 1228799s --size $((2048 + 1228799 + 33))s --seed 1 good.img >/dev/null || exit 1
size=$(stat -c %s good.img)

# long_sectors IN OUT STRIDE: each sector of 512 bytes with something behind it; holes stay holes
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
# what is said, without the name of the source and what tells that it was put together
said() { sed -e "s,[^ ]*$1,NAME,g" -e '/ 1 remark$/s/, 1 remark//' -e '/^info source.joined/,+3d' "$OUT"; }
decoded() {
	local name=$1 file=$2
	shift 2
	ok "$name: decode" "$VMFSKIT" decode "$@" "$file"
	is "$name: decode says what it says of the disk" "$(said "${file##*/}")" "$plain"
	ok "$name: decode --json" "$VMFSKIT" decode --json "$@" "$file"
	is "$name: and in JSON" "$(jq -c '[.sources[0] | .kind, .size_bytes, .sector_size, .partitions, .table]' "$OUT")" "$plain_json"
	ok "$name: find" "$VMFSKIT" find --no-store "$@" "$file"
	has "$name: find agrees" "$OUT" "^The partition table agrees with what was found"
	ok "$name: doctor" "$VMFSKIT" doctor --store "$store" --heartbeat-wait 0 "$@" "$file"
}
ok "the disk itself" "$VMFSKIT" decode good.img
plain=$(said good.img)
ok "the disk itself, in JSON" "$VMFSKIT" decode --json good.img
plain_json=$(jq -c '[.sources[0] | .kind, .size_bytes, .sector_size, .partitions, .table]' "$OUT")

# ---- longer sectors
for stride in 520 528; do
	long_sectors good.img s$stride.img $stride
	decoded "sectors of $stride bytes" s$stride.img --stride $stride
done
ok "diff with the disk" "$VMFSKIT" capture --store "$store" good.img
id=$(newest "$store")
ok "a capture of the disk is the same as the copy" "$VMFSKIT" diff --store "$store" "$id" s520.img --stride 520
exits "no other stride" 2 "$VMFSKIT" decode --stride 524 good.img
has "it says which there are" "$ERR" "stride.*520"

# ---- from some byte on
truncate -s 1M at.img
cat good.img >>at.img
decoded "from byte 1 MiB on" at.img --at 1M
decoded "from sector 2048 on" at.img --at 2048s
long_sectors at.img at520.img 520
decoded "--at counts in what --stride leaves" at520.img --stride 520 --at 1M
exits "--at behind the end" 2 "$VMFSKIT" decode --at 1T at.img
has "it says where the end is" "$ERR" "it ends after $((size + 1048576)) bytes"
exits "--at is a size" 2 "$VMFSKIT" decode --at here at.img

# ---- a rescue
map() { printf '# Mapfile. Created by GNU ddrescue version 1.27\n# current_pos  current_status  current_pass\n0x0  +  1\n#  pos  size  status\n%s\n' "$1"; }
map "0x0 $size +" >all.map
decoded "all was rescued" good.img --mapfile all.map
map "0 0x100000 +
0x100000 4096 -
0x101000 $((size - 0x101000)) +" >hole.map
cp good.img rescued.img
dd if=/dev/zero of=rescued.img bs=4096 seek=256 count=1 conv=notrunc status=none
first=$(((2048 * 512 + 0x100000)))
map "0 $first +
$first 4096 -
$((first + 4096)) $((size - first - 4096)) +" >header.map
dd if=/dev/zero of=rescued.img bs=4096 seek=$((first / 4096)) count=1 conv=notrunc status=none
exits "the header was not rescued" 1 "$VMFSKIT" decode --mapfile header.map rescued.img
has "it is unreadable" "$OUT" "^error source.unreadable"
has "where" "$OUT" "bytes $first to $((first + 4095))"
exits "and in JSON" 1 "$VMFSKIT" decode --json --mapfile header.map rescued.img
has "where, in JSON" "$(jq -c '.findings[] | select(.code == "source.unreadable") | [.offset, .length]' "$OUT")" "^\\[$first,4096\\]"
exits "find does not call it gone" 4 "$VMFSKIT" find --no-store --mapfile header.map rescued.img
has "find: could not be read" "$OUT" "the LVM header could not be read; the file-system descriptor says where the volume begins"
exits "find: without the mapfile it is gone" 1 "$VMFSKIT" find --no-store rescued.img
has "find: which is said then" "$OUT" "the LVM header is gone; "
exits "doctor does not call it wiped" 4 "$VMFSKIT" doctor --store "$store" --heartbeat-wait 0 --mapfile header.map rescued.img
has "doctor: cannot be read" "$OUT" "^  error incident.unreadable"
hasnt "doctor: no zeros" "$OUT" "header.*zeros"
hasnt "doctor advises no repair" "$OUT" "vmfskit repair"
exits "without the mapfile it looks wiped" 1 "$VMFSKIT" doctor --store "$store" --heartbeat-wait 0 rescued.img
ok "capture takes what was read" "$VMFSKIT" capture --store "$TMP/rescue" --mapfile all.map good.img
exits "--mapfile is of one image" 2 "$VMFSKIT" capture --store "$TMP/rescue" --mapfile all.map good.img rescued.img
exits "a mapfile of a longer image" 2 "$VMFSKIT" decode --mapfile all.map <(head -c 1M good.img)
has "it is of another image" "$ERR" "mapfile of another image"
exits "what is no mapfile" 1 "$VMFSKIT" decode --mapfile "$ROOT/README.md" good.img
has "it is named with the line" "$ERR" "line [0-9]+ is none of a ddrescue mapfile"

# ---- split dumps
mkdir split gap two
split -b 130M -d -a 3 --numeric-suffixes=1 good.img split/disk.
split -b 130M good.img split/img.
decoded "the first piece alone" split/disk.001
ok "it is said" "$VMFSKIT" decode split/disk.001
has "how many" "$OUT" "^info source.joined: 5 files were put together, up to split/disk.005"
decoded "letters" split/img.aa
ok "all pieces, in order" "$VMFSKIT" decode split/disk.00?
is "they are the disk" "$(said disk.001)" "$(sed "s,NAME,NAME,g" <<<"$plain")"
ok "find takes them, too" "$VMFSKIT" find --no-store split/disk.00?
exits "find takes one source" 2 "$VMFSKIT" find --no-store split/disk.00? good.img
ok "doctor takes them" "$VMFSKIT" doctor --heartbeat-wait 0 --json --store "$store" split/disk.00?
is "as one" "$(jq '.sources | length' "$OUT")" 1
ok "capture takes them" "$VMFSKIT" capture --store "$TMP/pieces" split/disk.00?
is "as one" "$(captures "$TMP/pieces" | wc -l)" 1
ok "what it holds is what the disk has" "$VMFSKIT" diff --store "$TMP/pieces" "$(newest "$TMP/pieces")" good.img
ln split/disk.00[1245] gap/
exits "a piece is missing" 1 "$VMFSKIT" decode gap/disk.001
has "it is named" "$OUT" "^warning source.piece-missing: 1 piece is not there: disk.003"
has "and where it was" "$OUT" "bytes $((260 << 20)) to $(((390 << 20) - 1))"
for verb in "find --no-store" "doctor --heartbeat-wait 0 --store $TMP/empty-store" "capture --store $TMP/gap-store"; do
	for pieces in gap/disk.001 "$(echo gap/disk.00?)"; do
		# shellcheck disable=SC2086 # words
		exits "a piece is missing: ${verb%% *} $pieces" 1 "$VMFSKIT" $verb $pieces
		has "it is named" "$OUT" "warning source.piece-missing: 1 piece is not there: disk.003"
	done
done
exits "a piece is missing, in JSON" 1 "$VMFSKIT" decode --json gap/disk.00?
is "its range" "$(jq -c '.findings[] | select(.code == "source.piece-missing") | [.offset, .length]' "$OUT")" "[$((260 << 20)),$((130 << 20))]"
rm gap/disk.001
cat split/disk.001 split/disk.002 >gap/disk.001
exits "how long it was cannot be told" 4 "$VMFSKIT" decode gap/disk.00?
has "it is named all the same" "$ERR" "the piece disk.003 is missing, and the others do not show its length"
cp good.img two/lun.001
cp good.img two/lun.002
exits "two disks are no pieces" 1 "$VMFSKIT" decode --json two/lun.00?
is "both are shown" "$(jq '.sources | length' "$OUT")" 2
ok "nor is a disk with another beside it" "$VMFSKIT" decode two/lun.001
hasnt "nothing was put together" "$OUT" source.joined
# a later piece alone
mkdir split/zero
split -b 130M -d -a 3 good.img split/zero/disk.
for piece in split/zero/disk.001 split/zero/disk.002; do
	exits "$piece alone, beside a .000" 1 "$VMFSKIT" decode "$piece"
	has "$piece alone, beside a .000: what it is" "$OUT" "^This is a later piece of the split dump that begins with split/zero/disk\.000\."
done
decoded "a dump that counts from .000" split/zero/disk.000
rm -r split/zero
for piece in split/disk.002 split/disk.005 split/img.ab; do
	first=${piece%/*}/$(basename "${piece%.*}").$([[ $piece == *.ab ]] && echo aa || echo 001)
	exits "$piece alone" 1 "$VMFSKIT" decode "$piece"
	has "$piece alone: what it is" "$OUT" "^This is a later piece of the split dump that begins with $first\."
	exits "$piece alone: doctor" 1 "$VMFSKIT" doctor --heartbeat-wait 0 --store "$TMP/empty-store" "$piece"
	has "$piece alone: doctor names what has all of it" "$OUT" "^  1\. vmfskit doctor $first --store "
	run "$VMFSKIT" repair table --no-captures --override guess --write "$piece"
	hasnt "$piece alone: nothing is written to it" "$OUT" '^written'
	exits "$piece alone: no import" 2 "$VMFSKIT" import --store "$TMP/none" "$piece"
done
dd if=/dev/zero of=two/lun.002 bs=1M count=2 conv=notrunc status=none
run "$VMFSKIT" decode two/lun.002
hasnt "a broken disk beside a whole one is no piece of it" "$OUT" "later piece"
cp good.img two/lun.002
ok "import takes them" "$VMFSKIT" import --store "$TMP/imported" split/disk.001
is "as one" "$(captures "$TMP/imported" | wc -l)" 1

# ---- what cannot be
exits "no capture from some byte on" 2 "$VMFSKIT" capture --store "$TMP/none" --at 1M at.img
has "why" "$ERR" "would begin at byte 1048576 of this source"
exits "no capture of a stride" 2 "$VMFSKIT" capture --store "$TMP/none" --stride 520 s520.img
is "nothing was captured" "$(captures "$TMP/none" 2>/dev/null)" ""

# refused FILE [OPTION...]: its table is gone; a plan is shown, and is not written
refused() {
	local file=$1 before
	shift
	before=$(disk_state "${file%% *}")
	exits "$*: doctor of a wiped table" 1 "$VMFSKIT" doctor --store "$TMP/empty" --heartbeat-wait 0 "$@" "$file"
	has "$*: doctor says what to do" "$OUT" "A source that is read in this way cannot be written"
	hasnt "$*: doctor advises no repair of it" "$OUT" "vmfskit (repair|capture)"
	exits "$*: find" 1 "$VMFSKIT" find --no-store "$@" "$file"
	hasnt "$*: find offers no repair that is refused" "$OUT" "vmfskit repair"
	has "$*: find says why" "$OUT" "^Note: nothing is written through --at, --stride, --mapfile"
	case $* in
	--at*) has "$*: find says how to get there" "$OUT" "^  losetup --find --show --read-only --offset 1048576 $file" ;;
	*) hasnt "$*: find says nothing that would not do" "$OUT" "^Next" ;;
	esac
	exits "$*: find, in JSON" 1 "$VMFSKIT" find --no-store --json "$@" "$file"
	hasnt "$*: find, in JSON: no repair" "$(jq -r '.next[]' "$OUT")" "vmfskit"
	run "$VMFSKIT" repair table "$file" --no-captures "$@" --store "$TMP/empty"
	has "$*: the plan is shown" "$OUT" "^plan  *[0-9a-f]{32}"
	has "$*: and cannot be written" "$OUT" "nothing was written, and cannot be"
	hasnt "$*: no command to write" "$OUT" "[-]-write"
	hasnt "$*: nobody is told to write to byte 0 of it by hand" "$OUT" "sfdisk|partedUtil|dd if=|without vmfskit"
	run "$VMFSKIT" repair table "$file" --no-captures "$@" --store "$TMP/empty" --json
	has "$*: in JSON" "$(jq -r .read_only "$OUT")" "nothing is written through"
	is "$*: no next command" "$(jq -r .next "$OUT")" null
	is "$*: no commands in JSON" "$(jq -r .commands "$OUT")" null
	run "$VMFSKIT" repair table "$file" --no-captures "$@" --store "$TMP/empty" --commands-only
	has "$*: asked for the commands, it says why there are none" "$OUT" "^# no commands: nothing is written through"
	hasnt "$*: and nothing else" "$OUT" "^[^#]"
	exits "$*: repair --write" 3 "$VMFSKIT" repair table "$file" --no-captures "$@" --store "$TMP/empty" --override guess --write
	has "$*: the reason" "$ERR" "nothing is written through --at, --stride, --mapfile"
	has "$*: what to do" "$ERR" "whole copy"
	exits "$*: restore --write" 3 "$VMFSKIT" restore "$id" "$file" "$@" --store "$store" --override unidentified,lun --write
	has "$*: the reason, of restore" "$ERR" "nothing is written through"
	is "$*: nothing was saved" "$(captures empty)" ""
	is "$*: nothing was written" "$(disk_state "${file%% *}")" "$before"
}
wipe() { dd if=/dev/zero of="$1" bs=1 seek="$2" count="$3" conv=notrunc status=none; }
mkdir empty
wipe at.img 1048576 17408
wipe at.img $((1048576 + size - 16896)) 16896
refused at.img --at 1048576
wipe s520.img 0 17680
wipe s520.img $(((size / 512 - 33) * 520)) 17160
refused s520.img --stride 520
wipe split/disk.001 0 17408
wipe split/disk.005 $((size - (520 << 20) - 16896)) 16896
refused split/disk.001

# --- what ddrescue did not try is no damage, and nothing is said of it ------------------------------------------------
ok "a disk of which only the beginning was tried" "$LAB" make --overwrite --table gpt --vmfs 6 --size 3G tried.img
printf '0 ?\n0 %d +\n%d %d ?\n' $((64 << 20)) $((64 << 20)) $(((3 << 30) - (64 << 20))) >tried.map
exits "the beginning" 0 "$VMFSKIT" doctor --store none --heartbeat-wait 0 --mapfile tried.map tried.img
has "the beginning: what this is" "$OUT" '^This is 64 MiB of (at least )?3 GiB, and what is here is sound\.$'
printf '0 ?\n0 %d +\n%d 512 -\n%d %d ?\n' $((64 << 20)) $((64 << 20)) $(((64 << 20) + 512)) $(((3 << 30) - (64 << 20) - 512)) >tried.map
exits "a sector behind it failed" 1 "$VMFSKIT" doctor --store none --heartbeat-wait 0 --mapfile tried.map tried.img
has "a sector behind it failed: only that" "$OUT" 'incident.unreadable: 512 bytes from sector 131072 on'
