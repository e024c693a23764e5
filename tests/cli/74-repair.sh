# SPDX-License-Identifier: Apache-2.0
# The verb repair: what it says, what it refuses, how it is taken back, and that a second run has nothing to do.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need jq perl
cd "$TMP" || exit 1
START=2048
BASE=$((START * 512))

# a volume that ends with the last usable sector: that is a second witness of its length
SECTORS=614399
fits="--vmfs-size ${SECTORS}s --size $((START + SECTORS + 33))s"
# shellcheck disable=SC2086 # words are meant to be split
"$LAB" make --table gpt --vmfs 5 --start $START $fits --label drill whole.img >/dev/null || exit 1
whole=$(disk_sum whole.img)
size=$(stat -c %s whole.img)

# poke DISK OFFSET HEXBYTES
poke() { printf '%b' "$(sed 's/../\\x&/g' <<<"$3")" | dd of="$1" bs=64K oflag=seek_bytes seek="$2" conv=notrunc status=none; }
# wreck KIND: disk.img, damaged
wreck() {
	copy_disk whole.img disk.img
	case $1 in
	table) zero disk.img 0 $((34 * 512)) && zero disk.img $((size - 33 * 512)) $((33 * 512)) ;;
	magic) zero disk.img $((BASE + 0x100000)) 4 ;;
	lvm) zero disk.img $((BASE + 0x100000)) $((0x1000000)) ;;
	uuid) poke disk.img $((BASE + 0x100000 + 0x82)) deadbeef ;;
	beats) zero disk.img $((BASE + 0x1400000 + 5 * 512 + 4)) 8 ;;
	slot) zero disk.img $((BASE + 0x1400000 + 5 * 512)) 512 ;;
	esac
}

# words and options
exits "no word" 2 "$VMFSKIT" repair
exits "a word that there is not" 2 "$VMFSKIT" repair disk x
has "a word that there is not: the words" "$ERR" '"disk" is not one of: table header'
has "a word that there is not: usage" "$ERR" '^usage: vmfskit repair \[OPTION\]\.\.\. table\|header TARGET$'
exits "no target" 2 "$VMFSKIT" repair table
exits "an option of the other word" 2 "$VMFSKIT" repair table whole.img --partition 1
has "an option of the other word: whose" "$ERR" '^vmfskit repair: --partition is of repair header$'
exits "an option of the other word, again" 2 "$VMFSKIT" repair header whole.img --exclude 63
exits "a label that is no kind of table" 2 "$VMFSKIT" repair table whole.img --label bsd
exits "a sector that is no number" 2 "$VMFSKIT" repair table whole.img --exclude 12s
exits "partition 0" 2 "$VMFSKIT" repair header whole.img --partition 0
exits "two ways to say which partition" 2 "$VMFSKIT" repair header whole.img --partition 1 --start 2048
exits "two ways to search" 2 "$VMFSKIT" repair table whole.img --scan --likely
exits "a capture and none" 2 "$VMFSKIT" repair table whole.img --capture x --no-captures
exits "a structure that there is not" 2 "$VMFSKIT" repair header whole.img --structure boot
exits "a target that is not there" 4 "$VMFSKIT" repair table nosuchfile
exits "a folder as target" 2 "$VMFSKIT" repair table .
exits "a capture that is not there" 4 "$VMFSKIT" repair table whole.img --store st --capture nosuch
ok "help shows both words" "$VMFSKIT" repair --help
has "help shows both words: usage" "$OUT" '^usage: vmfskit repair \[OPTION\]\.\.\. table\|header TARGET$'
complete_words() {
	bash --norc --noprofile -c '
		source "$1"; shift
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		compopt() { :; }
		_vmfskit
		printf "%s\n" "${COMPREPLY[@]}"' bash "$BUILD/generated/completion/vmfskit" vmfskit repair "$@"
}
if [ -f "$BUILD/generated/completion/vmfskit" ]; then
	is "repair <TAB>: the words" "$(complete_words '' | tr '\n' ' ')" "table header "
	is "repair --scan h<TAB>" "$(complete_words --scan h)" header
	is "repair table wh<TAB>: files" "$(complete_words table wh)" whole.img
	is "repair header --structure lvm,f<TAB>" "$(complete_words header --structure lvm,f)" lvm,fs
fi

# nothing to do
for what in table header; do
	ok "a sound $what" "$VMFSKIT" repair $what whole.img --store st --write
	has "a sound $what: it says so" "$OUT" '^nothing to repair: nothing was written$'
	is "a sound $what: no byte changed" "$(disk_sum whole.img)" "$whole"
done
ok "a sound table: no store was made" [ ! -e st ]

# cycle NAME WORD CODE OPTIONS...: plan, write, nothing left, undo, from the store again, undo
cycle() {
	local name=$1 word=$2 wreck code lift
	code=$3
	shift 3
	lift=$*
	wreck=$(disk_sum disk.img)
	rm -rf st
	exits "$name: the plan" "$code" "$VMFSKIT" repair "$word" disk.img --store st "$@"
	has "$name: the command to paste" "$OUT" "^  vmfskit repair $word disk.img .*--write$"
	pasted=$(grep -E '^  vmfskit repair .*--write$' "$OUT" | sed 's/^  vmfskit//')
	ok "$name: a plan makes no store" [ ! -e st ]
	is "$name: a plan writes nothing" "$(disk_sum disk.img)" "$wreck"
	eval "set -- $pasted"
	exits "$name: that command" "$code" "$VMFSKIT" "$@"
	has "$name: written" "$OUT" '^written, flushed and read back$'
	has "$name: the way back" "$OUT" '^  vmfskit undo [^ ]*-undo disk.img --store st --write$'
	back=$(grep -E '^  vmfskit undo ' "$OUT" | sed 's/^  vmfskit//')
	is "$name: all is back" "$(state)" "$before"
	rebuilt=$(ls -d st/*-rebuilt | sed 's,.*/,,')
	ok "$name: nothing is left to do" "$VMFSKIT" repair "$word" disk.img --store st --write
	has "$name: and it says so" "$OUT" '^nothing to repair'
	ok "$name: the store is sound" "$VMFSKIT" verify --store st --ledger
	is "$name: the ledger" "$(jq -r .event st/ledger.jsonl | head -n 4 | tr '\n' ' ')" "rebuilt-capture undo-capture restore-begun repair "
	is "$name: the list" "$("$VMFSKIT" list --store st --json | jq -r '[.captures[].purpose] | sort | join(" ")')" "rebuilt undo"
	has "$name: the list for people" "$("$VMFSKIT" list --store st)" "^rebuilt .*$rebuilt$"
	is "$name: the manifest" "$(jq -r '.rebuilt.what' "st/$rebuilt/manifest.json")" "$word"
	eval "set -- $back"
	ok "$name: undo" "$VMFSKIT" "$@"
	is "$name: exactly as it was" "$(disk_sum disk.img)" "$wreck"
	# shellcheck disable=SC2086 # an option, or none
	ok "$name: restore of what was rebuilt" "$VMFSKIT" restore --store st "$rebuilt" disk.img --write $lift
	is "$name: all is back again" "$(state)" "$before"
	ok "$name: prune keeps both" "$VMFSKIT" prune --store st --json
	is "$name: and why" "$(jq -r '[.captures[].why] | unique | sort | join("; ")' "$OUT")" "newest undo capture of its disk; rebuilt by repair; undo capture of a time that is kept"
}
state() { disk_sum disk.img; }
before=$whole
for kind in magic beats; do
	wreck $kind
	cycle "header, $kind" header 0
done
# a slot of which nothing is left may have been used
wreck slot
exits "an empty heartbeat slot is a guess" 3 "$VMFSKIT" repair header disk.img --store st --write --json
is "an empty heartbeat slot is a guess: the guard" "$(objected "$OUT")" guess
ok "an empty heartbeat slot is a guess: lifted" "$VMFSKIT" repair header disk.img --store st --write --override guess
is "an empty heartbeat slot is a guess: all is back" "$(disk_sum disk.img)" "$whole"
# bytes of the UUID that nothing else tells may be damaged, too: that is said
wreck uuid
cycle "header, uuid" header 0
wreck table
# GUIDs that are lost are made new; place, length and type are those of before
state() { "$VMFSKIT" decode --json disk.img | jq -c '[.sources[0].table.partitions[] | {number, start_sector, sectors, type}], .findings'; }
before=$("$VMFSKIT" decode --json whole.img | jq -c '[.sources[0].table.partitions[] | {number, start_sector, sectors, type}], .findings')
exits "table: what is new is a guess" 3 "$VMFSKIT" repair table disk.img --store st
has "table: by its guard" "$ERR" '^guard guess refuses'
cycle "table" table 0 --override guess

# headers: which partition
wreck magic
ok "by its number" "$VMFSKIT" repair header disk.img --store st --partition 1
exits "a number that there is not" 2 "$VMFSKIT" repair header disk.img --store st --partition 3
ok "by its start" "$VMFSKIT" repair header disk.img --store st --start $START
exits "a start behind the end" 2 "$VMFSKIT" repair header disk.img --store st --start 99999999999
for file in whole disk; do
	dd if=$file.img of=part-$file.img bs=1M iflag=skip_bytes,count_bytes skip=$BASE count=$((SECTORS * 512)) conv=sparse status=none
done
for start in "" "--start 0"; do
	rm -rf st
	cp --sparse=always part-disk.img p.img
	# shellcheck disable=SC2086
	ok "a partition as target $start" "$VMFSKIT" repair header p.img --store st $start --write
	same "a partition as target $start: every byte is back" p.img part-whole.img
done
# leading zeros are decimal: 010 must not become sector 8
cp --sparse=always part-disk.img p.img
for start in 00 0x0; do
	ok "$start is sector 0" "$VMFSKIT" repair header p.img --store st --start $start
done
exits "010 is sector 10, where nothing is" 1 "$VMFSKIT" repair header p.img --store st --start 010
has "010 is sector 10: where it looked" "$ERR" 'at byte 5120\)'
exits "09 is a number, too" 1 "$VMFSKIT" repair header p.img --store st --start 09
exits "a partition has no table to repair" 1 "$VMFSKIT" repair table part-whole.img --store st
has "a partition has no table to repair: why" "$ERR" 'begins before sector 1'

# a structure that nothing brings back
copy_disk whole.img disk.img
zero disk.img $((BASE + 0x1300000)) $((200 << 20))
exits "a structure stays lost" 1 "$VMFSKIT" repair header disk.img --store st --json
is "a structure stays lost: which" "$(jq -r '[.header.structures[] | select(.state == "lost") | .structure] | join(" ")' "$OUT")" "file-system descriptor heartbeat region"

copy_disk whole.img disk.img
poke disk.img $((BASE + 0x100000 + 0x2e)) 07
exits "a disk id that the SD table tells is a guess" 3 "$VMFSKIT" repair header disk.img --store st --json
zero disk.img $((BASE + 0x17e200)) 512 # and without that
exits "damage that nothing mends" 1 "$VMFSKIT" repair header disk.img --store st --json
is "damage that nothing mends: it is told" "$(jq -c '[(.lost | length > 0), .edits]' "$OUT")" '[true,[]]'

# values that nobody knows
wreck lvm
rm -rf st
exits "a guess is refused" 3 "$VMFSKIT" repair header disk.img --store st --write --json
is "a guess is refused: the guard" "$(objected "$OUT")" guess
is "a guess is refused: the fields say so" "$(jq '[.header.fields[] | select(.exact | not)] | length > 0' "$OUT")" true
exits "a guess, lifted: the SD table stays lost" 1 "$VMFSKIT" repair header disk.img --store st --write --override guess --json
is "a guess, lifted: written" "$(jq -c '[.written, .guessed, (.lost | length > 0)]' "$OUT")" '[true,true,true]'
manifest=$(ls -d st/*-rebuilt)/manifest.json
is "the manifest tells what is new" "$(jq -c '[(.rebuilt.fresh, .rebuilt.lost, .rebuilt.guessed) | length > 0] | unique' "$manifest")" '[true]'
id=$(jq -r .id "$manifest")
wreck lvm
exits "the capture in the store asks as well" 3 "$VMFSKIT" restore --store st "$id" disk.img
has "the capture in the store asks as well: which guard" "$ERR" '^guard guess refuses: '
# a capture of the volume knows them all
rm -rf st
ok "a capture of the disk" "$VMFSKIT" capture --store st whole.img
id=$(newest st)
mv disk.img lun.img
for how in "--capture $id" ""; do
	rm -rf st-asked
	cp -al st st-asked
	wreck lvm
	mv disk.img lun.img
	# all of the region is lost: what may have changed since the capture is a guess
	# shellcheck disable=SC2086
	exits "a capture is asked $how: a guess" 3 "$VMFSKIT" repair header lun.img --store st-asked $how --write --json
	# shellcheck disable=SC2086
	exits "a capture is asked $how" 0 "$VMFSKIT" repair header lun.img --store st-asked $how --write --override guess --json
	is "a capture is asked $how: which" "$(jq -r '.asked | join(" ")' "$OUT")" "$id"
	is "a capture is asked $how: every byte is back" "$(disk_sum lun.img)" "$whole"
done
wreck lvm
exits "unless it is not wanted" 1 "$VMFSKIT" repair header disk.img --store st --json --no-captures --override guess
is "unless it is not wanted: none" "$(jq -c .asked "$OUT")" '[]'
"$LAB" make --table gpt --vmfs 5 --start $START $fits --seed 77 --label other other.img >/dev/null || exit 1
zero other.img $((BASE + 0x100000)) 4
ok "a capture of another disk is not asked" "$VMFSKIT" repair header other.img --store st --json
is "a capture of another disk is not asked: none" "$(jq -c .asked "$OUT")" '[]'
exits "named all the same, it is refused" 3 "$VMFSKIT" repair header other.img --store st --capture "$id" --write --json
is "named all the same, it is refused: the guard" "$(objected "$OUT")" volume-uuid
rm -rf st-broken
cp -r st st-broken
printf x >>"st-broken/$id/p1-lvm.raw"
wreck magic
ok "a capture that is damaged is not asked" "$VMFSKIT" repair header disk.img --store st-broken --json
is "a capture that is damaged is not asked: none" "$(jq -c .asked "$OUT")" '[]'
exits "named, it is refused" 3 "$VMFSKIT" repair header disk.img --store st-broken --capture "$id" --write --json
is "named, it is refused: the guard" "$(objected "$OUT")" capture-verified

# guards of a table, one by one: refused, nothing written, lifted by its name, written
guarded() {
	local name=$1 guard=$2 sum
	shift 2
	sum=$(disk_sum disk.img)
	rm -rf st
	exits "$name: refused" 3 "$HOOKS" repair table disk.img --store st --json "$@" --write
	is "$name: the guard" "$(objected "$OUT")" "$guard"
	is "$name: nothing written" "$(disk_sum disk.img) $(ls -d st 2>/dev/null)" "$sum "
	exits "$name: nor are there commands to do it by hand" 3 "$HOOKS" repair table disk.img --store st --commands-only "$@"
	is "$name: none at all" "$(cat "$OUT")" ""
	exits "$name: lifted" 0 "$HOOKS" repair table disk.img --store st --json "$@" --override "${guard// /,}"
	is "$name: lifted, it says so" "$(jq -r '[.objections[] | select(.overridden) | .guard] | unique | join(" ")' "$OUT")" "$guard"
}
if [ -x "$HOOKS" ]; then
	if command -v mkfs.ext4 >/dev/null; then
		wreck table
		truncate -s 64M ext.img
		mkfs.ext4 -q -F ext.img
		dd if=ext.img of=disk.img bs=4096 count=1 conv=notrunc status=none
		guarded "ext4 over the start of the disk" "foreign-signature guess"
		has "ext4 over the start of the disk: by name" "$ERR" 'ext4 is on the whole target'
	else
		skip "ext4 over the start of the disk" "there is no mkfs.ext4"
	fi
	# a file system where the partition begins: the volume itself is whole
	wreck table
	printf '\x00\x00\x00NTFS    ' | dd of=disk.img bs=64K oflag=seek_bytes seek=$BASE conv=notrunc status=none
	printf '\x55\xaa' | dd of=disk.img bs=64K oflag=seek_bytes seek=$((BASE + 510)) conv=notrunc status=none
	guarded "a boot sector where the partition begins" "foreign-signature guess"
	wreck table
	if command -v sfdisk >/dev/null; then
		echo 'start=2048, size=20480, type=7' | sfdisk -q --no-tell-kernel disk.img >/dev/null 2>&1
		guarded "an MBR of Windows" "guess table-kind"
		wreck table
		printf '%s\n' 'label: gpt' 'first-lba: 34' 'start=34, size=32768, type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE' |
			sfdisk -q --no-tell-kernel disk.img >/dev/null 2>&1
		guarded "a GPT of Windows" "guess table-partitions"
	fi
	# nothing but the volume knows where it ends, and its header is gone
	wreck table
	zero disk.img $((BASE + 0x100000)) $((0x1000000))
	guarded "an end that nobody knows" guess
	# a host that beats
	"$LAB" make --overwrite --table gpt --vmfs 5 --start $START $fits --live 1 live.img >/dev/null || exit 1
	mv live.img disk.img
	zero disk.img 0 $((34 * 512))
	zero disk.img $((size - 33 * 512)) $((33 * 512))
	"$LAB" beat --start $START --every 100 --times 200 disk.img >/dev/null 2>&1 &
	beating=$!
	rm -rf st
	# what beats is a process of this machine, with the file open for writing
	exits "a host that beats" 3 "$HOOKS" repair table disk.img --store st --json --heartbeat-wait 0.5 --write --override in-use
	is "a host that beats: the guard" "$(objected "$OUT")" "guess heartbeat"
	kill "$beating" 2>/dev/null
	wait "$beating" 2>/dev/null
	# locked by another program
	wreck table
	if command -v flock >/dev/null; then
		exec 9<disk.img
		flock -x 9
		guarded "a disk in use" "guess in-use" 9<&-
		exec 9<&-
	fi
	# what cannot be read is not written unasked
	wreck magic
	VMFSKIT_TEST_BAD=$((BASE + 0x100000))+512 exits "a header that cannot be read" 3 "$HOOKS" repair header disk.img --store st --write
	has "a header that cannot be read: by its guard" "$ERR" '^guard unreadable refuses: '
	has "a header that cannot be read: where" "$ERR" "byte $((BASE + 0x100000))"
	# tables behind it, met while the volume is looked for, cannot be read either: no fault of what is put together
	VMFSKIT_TEST_BAD=$((BASE + 0x100000))+1048576 exits "a region that cannot be read" 3 \
		"$HOOKS" repair header disk.img --store st --no-captures --structure pe-tables
	has "a region that cannot be read: by its guard" "$ERR" '^guard unreadable refuses: '
fi

# kinds of tables that are asked for, and what is left out
wreck table
exits "an MBR that is asked for" 3 "$VMFSKIT" repair table disk.img --store st --label mbr --json
is "an MBR that is asked for: it is" "$(jq -r .table_after.kind "$OUT")" mbr
exits "without the only volume nothing is left" 1 "$VMFSKIT" repair table disk.img --store st --exclude $START
exits "only the likely places" 3 "$VMFSKIT" repair table disk.img --store st --likely --json
is "only the likely places: it says so" "$(jq -c '.searched.all' "$OUT")" false
exits "all of the disk" 3 "$VMFSKIT" repair table disk.img --store st --scan --json
is "all of the disk: it says so" "$(jq -c '[.searched.all, .searched.why]' "$OUT")" '[true,"as requested"]'
is "all of the disk: every byte" "$(jq .searched.bytes "$OUT")" "$size"

# a start that nobody uses is found by the search that follows
"$LAB" make --overwrite --table gpt --vmfs 5 --start 77777 --vmfs-size 300M odd.img >/dev/null || exit 1
"$LAB" break --how table odd.img >/dev/null
exits "an odd start" 3 "$VMFSKIT" repair table odd.img --store st --json
is "an odd start: found" "$(jq -c '[.searched.all, (.table.entries[] | .start_sector, .sectors)]' "$OUT")" '[true,77777,614400]'

# by hand
wreck table
ok "only the commands" "$VMFSKIT" repair table disk.img --store st --override guess --commands-only
has "only the commands: for an ESXi host" "$OUT" '^partedUtil setptbl '
has "only the commands: for Linux" "$OUT" '^sfdisk '
hasnt "only the commands: and nothing else" "$OUT" '^target '
