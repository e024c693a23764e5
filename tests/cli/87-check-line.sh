# SPDX-License-Identifier: Apache-2.0
# repair table --check-line: a line of partedUtil before it is typed. What our own commands say is right, and every way to get
# it wrong is told with what to type instead. Nothing is written.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need jq perl sgdisk
cd "$TMP" || exit 1
VMFS=AA31E02A400F11DB9590000C2911D1B8
DEVICE=/vmfs/devices/disks/naa.600144f07ed404000000496ff8cd0003
LAST=616446

"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 614399s --size $((2048 + 614399 + 33))s whole.img >/dev/null || exit 1
# wipe_table IMAGE
wipe_table() {
	zero "$1" 0 $((34 * 512))
	zero "$1" $(($(stat -c %s "$1") - 33 * 512)) $((33 * 512))
}
copy_disk whole.img gone.img
wipe_table gone.img
gone=$(disk_sum gone.img)

# check LINE OPTIONS...
check() { "$VMFSKIT" repair table --no-captures --check-line "$@"; }
# entry ENTRY: the line for gone.img with it
entry() { echo "partedUtil setptbl $DEVICE gpt \"$1\""; }

# what is right, in every way to quote it
right="1 2048 $LAST $VMFS 0"
for line in "partedUtil setptbl $DEVICE gpt \"$right\"" "partedUtil setptbl \"$DEVICE\" gpt \"$right\"" \
	"partedUtil setptbl '$DEVICE' gpt '$right'" "[root@esx1:~] /sbin/partedUtil  setptbl	$DEVICE gpt  \"1  2048 $LAST $VMFS 0\" " \
	"~ # partedUtil setptbl /vmfs/devices/disks/mpx.vmhba32\\:C0\\:T0\\:L0 gpt \"$right\"" \
	"partedUtil setptbl $DEVICE gpt \"1 2048 $LAST aa31e02a400f11db9590000c2911d1b8 0\""; do
	ok "right: $line" check "$line" gone.img
	has "right: it is said" "$OUT" '^nothing speaks against this line$'
done
has "right: where it begins" "$OUT" '^  right    sector 2048 is where it begins: found volume'
has "right: where it ends, and who says so" "$OUT" "^  right    sector $LAST is where it ends: so says the end of the disk"
has "right: that a label must be made first" "$OUT" '^  unknown  the disk has no label: first type partedUtil mklabel DEVICE gpt'
ok "right, as JSON" check "$(entry "$right")" gone.img --json
is "right, as JSON: all of it" "$(jq -c '[.schema, .device, .label, .sound, .instead, .wrong, (.entries[] | [.number, .first, .last, .type, .attribute, .wrong, .unknown, .instead])]' "$OUT")" \
	"[\"vmfskit.check-line/1\",\"$DEVICE\",\"gpt\",true,null,[],[1,2048,$LAST,\"$VMFS\",0,[],[],null]]"
ok "right where the table stands, too" check "$(entry "$right")" whole.img
hasnt "right where the table stands: there is a label" "$OUT" mklabel

# wrong NAME PATTERN LINE: that is said, with exit code 1, and what to type instead
wrong() {
	exits "$1" 1 check "$3" "${4:-gone.img}"
	has "$1: said" "$OUT" "^  wrong    $2"
	has "$1: do not type it" "$OUT" '^do not type this line$'
	has "$1: what to type instead" "$OUT" "^  partedUtil setptbl $DEVICE gpt \"$right\"\$"
}
wrong "counted in 4096" 'the start is in sectors of 4096 bytes, partedUtil uses 512: 8 times 256 is 2048' "$(entry "1 256 77055 $VMFS 0")"
wrong "the number of sectors" "614399 is the number of its sectors: the third word is the last sector itself, $LAST" "$(entry "1 2048 614399 $VMFS 0")"
has "the number of sectors: that entry instead" "$OUT" "^  instead  $right\$"
wrong "the sector behind" "$((LAST + 1)) is the sector behind it" "$(entry "1 2048 $((LAST + 1)) $VMFS 0")"
wrong "in the backup" 'it ends at sector 616470, in the backup of the table: the last that a partition may have is 616446' "$(entry "1 2048 616470 $VMFS 0")"
wrong "behind the end" 'it ends at sector 700000, behind the end of the disk' "$(entry "1 2048 700000 $VMFS 0")"
wrong "too short" "it ends at sector $LAST, not at 500000" "$(entry "1 2048 500000 $VMFS 0")"
wrong "a length for an end" 'it ends at sector 100, before it begins' "$(entry "1 2048 100 $VMFS 0")"
wrong "another start" 'nothing begins at sector 128; you may mean the volume that begins at sector 2048' "$(entry "1 128 $LAST $VMFS 0")"
wrong "in the table" 'sector 1 belongs to the table: the first that a partition may have is 34' "$(entry "1 1 $LAST $VMFS 0")"
wrong "another type" "its type is $VMFS, not EBD0A0A2B9E5443387C068B6B72699C7" "$(entry "1 2048 $LAST EBD0A0A2B9E5443387C068B6B72699C7 0")"
wrong "hyphens" 'partedUtil takes the type AA31E02A-400F-11DB-9590-000C2911D1B8 without hyphens' "$(entry "1 2048 $LAST AA31E02A-400F-11DB-9590-000C2911D1B8 0")"
wrong "a type that is none" 'the type vmfs is not a GUID' "$(entry "1 2048 $LAST vmfs 0")"
wrong "a boot mark" 'the last word is 0, not 128' "$(entry "1 2048 $LAST $VMFS 128")"
wrong "partition 0" 'there is no partition 0' "$(entry "0 2048 $LAST $VMFS 0")"
wrong "two over each other" 'it overlaps partition 1' "$(entry "$right")  \"2 400000 500000 $VMFS 0\""
wrong "twice" 'partition 1 stands on the line twice' "$(entry "$right")  '1 34 40 $VMFS 0'"
wrong "no entry at all" 'setptbl deletes every partition you do not list; partition 1 is missing' "partedUtil setptbl $DEVICE gpt"
wrong "the other label" 'the label is gpt, not msdos' "partedUtil setptbl $DEVICE msdos \"1 2048 $LAST 251 0\""
wrong "the old form" 'the label is gpt, not msdos' "partedUtil set $DEVICE \"1 2048 $LAST 251 0\""
wrong "a hexadecimal type" 'the type fb is not a decimal number' "partedUtil setptbl $DEVICE msdos \"1 2048 $LAST fb 0\""
wrong "a partition's device" 'naa.600144f07ed404000000496ff8cd0003:1 is a partition' "partedUtil setptbl $DEVICE:1 gpt \"$right\""
exits "wrong, as JSON" 1 check "$(entry "1 2048 614399 $VMFS 0")" gone.img --json
is "wrong, as JSON: what and what instead" "$(jq -c '[.sound, .instead, (.entries[0] | (.wrong | length), .instead)]' "$OUT")" \
	"[false,\"partedUtil setptbl $DEVICE gpt \\\"$right\\\"\",1,\"$right\"]"

# what is no such line
# noline NAME PATTERN LINE
noline() {
	exits "$1" 2 check "$3" gone.img
	has "$1: said" "$ERR" "$2"
	has "$1: what one looks like" "$ERR" 'a line looks like this: partedUtil setptbl'
}
noline "another program" 'does not contain the word partedUtil' "sfdisk /dev/sdb"
noline "another verb" 'makes no table: only setptbl and set are checked: mklabel' "partedUtil mklabel $DEVICE gpt"
noline "no label" 'has a label that is neither gpt nor msdos: 1 2048' "partedUtil setptbl $DEVICE \"$right\""
noline "an open quote" 'has a quote that does not end' "partedUtil setptbl $DEVICE gpt \"$right"
noline "no quotes" 'has an entry that is not five words.*: 1$' "partedUtil setptbl $DEVICE gpt $right"
noline "typographic quotes" 'has typographic quotes' "partedUtil setptbl $DEVICE gpt “$right”"
noline "a number in hexadecimal" 'has an entry that is not five words' "$(entry "1 0x800 $LAST $VMFS 0")"
noline "nothing" 'does not contain the word partedUtil' ""
exits "with --write" 2 check "$(entry "$right")" gone.img --write
has "with --write: said" "$ERR" '^vmfskit repair: --check-line and --write do not go together$'
exits "of repair header" 2 "$VMFSKIT" repair header gone.img --check-line "$(entry "$right")"
is "nothing was written" "$(disk_sum gone.img)" "$gone"

# the lines that repair itself prints are right, and one entry less is not
# again NAME LAB-OPTIONS...
again() {
	local name=$1 line
	shift
	rm -f disk.img
	"$LAB" make "$@" disk.img >/dev/null || { fail "$name: no disk"; return; }
	case "$*" in *mbr*) zero disk.img 0 512 ;; *) wipe_table disk.img ;; esac
	line=$("$VMFSKIT" repair table disk.img --no-captures --override guess --json | jq -r '.commands.esxi.commands[] | select(test("setptbl"))')
	ok "$name: as it is printed" check "$line" disk.img
	exits "$name: without its last entry" 1 check "${line% \"*}" disk.img
	line=${line##* \"}
	has "$name: that entry is named" "$OUT" "^  wrong    setptbl deletes every partition you do not list; partition [0-9]* is missing: ${line% *}(, whose end nothing proves)?\$"
}
again "VMFS6" --table gpt --vmfs 6 --start 2048 --vmfs-size 300M
again "ESXi 7, small" --layout esxi7-small --size 40G
again "ESXi 5 and 6" --layout esxi5 --size 40G
again "MBR" --table mbr --vmfs 3 --start 128 --vmfs-size 300M
again "two" --table gpt --volume start=2049,size=300M,version=5 --volume start=900000,size=300M,version=6

# a start that nobody looks at by himself
rm -f disk.img
"$LAB" make --table gpt --vmfs 5 --start 409675 --vmfs-size 300M disk.img >/dev/null
wipe_table disk.img
ok "an unusual start, likely places only" check "$(entry "1 409675 1024074 $VMFS 0")" disk.img --likely
has "an unusual start: it is looked at" "$OUT" '^  right    sector 409675 is where it begins: found volume'
exits "an unusual start: the line is no witness of its end" 1 check "$(entry "1 409675 900000 $VMFS 0")" disk.img --likely

# an end that only the header tells
rm -f disk.img
"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 300M --size 500M disk.img >/dev/null
wipe_table disk.img
ok "an end that only the header tells" check "$(entry "1 2048 616447 $VMFS 0")" disk.img
has "an end that only the header tells: unknown" "$OUT" '^  unknown  sector 616447 fits what is left, but nothing proves that it ends there$'
exits "an end that only the header tells, another start" 1 check "$(entry "1 256 77055 $VMFS 0")" disk.img
has "an end that only the header tells: of what is told instead, too" "$OUT" '^  unknown  nothing proves the end in the line to type instead$'

# no plan: nothing is told instead
truncate -s 64M empty.img
exits "an empty disk" 1 check "$(entry "1 2048 100000 $VMFS 0")" empty.img
has "an empty disk: nothing begins there" "$OUT" '^  wrong    no VMFS volume begins at sector 2048$'
has "an empty disk: why there is no plan" "$OUT" '^  unknown  there is no plan to compare the line with\. '
hasnt "an empty disk: nothing is told instead" "$OUT" instead
rm -f disk.img
"$LAB" make --table gpt --sector-size 4096 --vmfs 6 --start 256 --vmfs-size 300M disk.img >/dev/null
exits "4Kn" 1 check "$(entry "1 2048 616447 $VMFS 0")" disk.img
has "4Kn: said" "$OUT" '^  wrong    partedUtil counts sectors of 512 bytes, the table of this disk counts 4096: it cannot make it$'
hasnt "4Kn: no line instead" "$OUT" '^  partedUtil'
gzip -c gone.img >gone.img.gz
exits "a compressed file" 3 check "$(entry "$right")" gone.img.gz
