# SPDX-License-Identifier: Apache-2.0
# The power fails at every single write and flush of restore and undo, the store's own included; then a second
# restore reaches the captured state, and the first undo capture leads back to the wreck, exactly.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

need perl
if [ ! -x "$HOOKS" ]; then
	skip "power cuts" "there is no program with crash points"
	exit 0
fi
dir=$(big_dir)
cd "$dir" || exit 1

# garbage DISK OFFSET LENGTH
garbage() {
	perl -e 'srand($ARGV[0]); print pack("C*", map { int rand 256 } 1 .. $ARGV[1])' "$2" "$3" |
		dd of="$1" bs=64K iflag=fullblock oflag=seek_bytes seek="$2" conv=notrunc status=none
}

"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 300M whole.img >/dev/null || exit 1
"$VMFSKIT" capture --store store whole.img >/dev/null || exit 1
id=$(newest store)
whole=$(disk_sum whole.img)
copy_disk whole.img wreck.img
"$LAB" break --how table wreck.img >/dev/null || exit 1
base=$((2048 * 512))
for at in 0xfe000 0x17f000 0x1100000 0x12ff000; do garbage wreck.img $((base + at)) 12288; done
wreck=$(disk_sum wreck.img)
# each run has a copy of the wreck, on which nothing is left that could say whose it is
copy="--override unidentified"
hasnt "the wreck is one" "$wreck" "$whole"

# undo_ids STORE: complete undo captures, oldest first (a folder that was not finished has another kind of name)
# links to the captures, which nobody changes, and a ledger of its own, which grows
clone() { cp -al "$1" "$2" && rm "$2/ledger.jsonl" && cp -p "$1/ledger.jsonl" "$2/"; }
undo_ids() { "$VMFSKIT" list --store "$1" --json | sed -n 's/^ *"id": "\([^"]*-undo[^"]*\)",*$/\1/p'; }

# expect WHAT GOT WANT: silent unless it fails
expect() { [ "$2" = "$3" ] || echo "$WHERE: $1: got $2, expected $3"; }
# quietly CODE CMD...
quietly() {
	local want=$1 got
	shift
	"$@" >out.$$.txt 2>&1
	got=$?
	[ "$got" -eq "$want" ] || { echo "$WHERE: exit code $got, expected $want: $*"; tail -n 5 out.$$.txt; }
}

# after_restore N PARTS: crash point N of restore --write
after_restore() (
	n=$1
	parts=$2
	WHERE="restore${parts:+ with all parts}, crash point $n"
	mkdir "r$n" && cd "r$n" || exit 1
	clone ../store store
	copy_disk ../wreck.img disk.img
	VMFSKIT_CRASH_AT=$n quietly 99 "$HOOKS" restore --store store "$id" disk.img $parts $copy --write
	first=$(undo_ids store | head -n 1)
	if [ -n "$first" ]; then
		quietly 0 "$VMFSKIT" verify "store/$first"
		clone store store2
		copy_disk disk.img disk2.img
		quietly 0 "$VMFSKIT" undo --store store2 "$first" disk2.img --write
		expect "undo leads to the wreck" "$(disk_sum disk2.img)" "$wreck"
	else
		expect "without an undo capture nothing was written" "$(disk_sum disk.img)" "$wreck"
	fi
	quietly 0 "$VMFSKIT" restore --store store "$id" disk.img $parts $copy --write
	expect "a second restore completes it" "$(disk_sum disk.img)" "$whole"
	if [ -n "$first" ]; then
		quietly 0 "$VMFSKIT" undo --store store "$first" disk.img --write
		expect "and the first undo leads to the wreck" "$(disk_sum disk.img)" "$wreck"
	fi
	cd .. && rm -rf "r$n"
)

# after_undo N: crash point N of undo --write of what restore did
after_undo() (
	n=$1
	WHERE="undo, crash point $n"
	mkdir "u$n" && cd "u$n" || exit 1
	clone ../done-store store
	copy_disk ../whole.img disk.img
	VMFSKIT_CRASH_AT=$n quietly 99 "$HOOKS" undo --store store "$undo" disk.img --write
	clone store store2
	copy_disk disk.img disk2.img
	quietly 0 "$VMFSKIT" undo --store store "$undo" disk.img --write
	expect "a second undo reaches the wreck" "$(disk_sum disk.img)" "$wreck"
	quietly 0 "$VMFSKIT" restore --store store2 "$id" disk2.img $all $copy --write
	expect "restore reaches the captured state" "$(disk_sum disk2.img)" "$whole"
	cd .. && rm -rf "u$n"
)

# every NAME COUNT COMMAND...: the command for 1 to COUNT, two at a time
every() {
	local name=$1 count=$2 n failed
	shift 2
	: >failures.txt
	for ((n = 1; n <= count; n++)); do
		"$@" "$n" >>failures.txt 2>&1 &
		[ $((n % 2)) -eq 0 ] && wait
	done
	wait
	failed=$(cat failures.txt)
	if [ -z "$failed" ]; then pass "$name: $count crash points"; else fail "$name" "$failed"; fi
}
restore_default() { after_restore "$1" ""; }
restore_all() { after_restore "$1" "$all"; }

all="--part table,lvm,vh,heartbeats"
for parts in "" "$all"; do
	copy_disk wreck.img disk.img
	rm -rf done-store log
	clone store done-store
	VMFSKIT_CRASH_LOG=$PWD/log ok "restore${parts:+ $parts}, not cut" "$HOOKS" restore --store done-store "$id" disk.img $parts $copy --write
	is "restore${parts:+ $parts}: the captured state" "$(disk_sum disk.img)" "$whole"
	points=$(wc -l <log)
	has "restore${parts:+ $parts}: its writes are among the crash points" log "write GPT header \(backup\)"
	has "restore${parts:+ $parts}: its flushes are among the crash points" log "flush"
	# one good copy stands: backup, primary, MBR, and last what makes the volume known
	is "restore${parts:+ $parts}: the order of writing" \
		"$(sed -n 's/^[0-9]* write \(GPT header (backup)\|GPT header (primary)\|protective MBR\|file-system descriptor\|LVM device header\)$/\1/p' log | tr '\n' ';')" \
		"GPT header (backup);GPT header (primary);protective MBR;file-system descriptor;LVM device header;"
	if [ -z "$parts" ]; then
		every "power cut in restore" "$points" restore_default
	else
		every "power cut in restore $parts" "$points" restore_all
	fi
done
undo=$(undo_ids done-store | head -n 1)
rm -f log
copy_disk whole.img disk.img
clone done-store undone-store
VMFSKIT_CRASH_LOG=$PWD/log ok "undo, not cut" "$HOOKS" undo --store undone-store "$undo" disk.img --write
is "undo: the wreck" "$(disk_sum disk.img)" "$wreck"
every "power cut in undo" "$(wc -l <log)" after_undo
