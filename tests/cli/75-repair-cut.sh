# SPDX-License-Identifier: Apache-2.0
# The power fails at every single write and flush of repair --write and wipe --write, the store's own included; then undo leads back to
# the wreck, exactly, and a second run, or restore of what was rebuilt, completes the work.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need perl jq sgdisk
if [ ! -x "$HOOKS" ]; then
	skip "power cuts" "there is no program with crash points"
	exit 0
fi
dir=$(big_dir)
cd "$dir" || exit 1

# expect WHAT GOT WANT: silent unless it fails
expect() { [ "$2" = "$3" ] || echo "$WHERE: $1: got $2, expected $3"; }
# quietly CODE CMD...
quietly() {
	local want=$1 got
	shift
	"$@" >out.txt 2>&1
	got=$?
	[ "$got" -eq "$want" ] || { echo "$WHERE: exit code $got, expected $want: $*"; tail -n 5 out.txt; }
}
# ids STORE PURPOSE: of complete captures, oldest first
ids() { "$VMFSKIT" list --store "$1" --json --no-verify 2>/dev/null | jq -r ".captures[] | select(.purpose == \"$2\") | .id"; }

# cut_at N: crash point N of $verb --write
cut_at() (
	n=$1
	WHERE="$verb, crash point $n"
	mkdir "c$n" && cd "c$n" || exit 1
	copy_disk ../wreck.img disk.img
	VMFSKIT_CRASH_AT=$n quietly 99 "$HOOKS" $verb disk.img --store store $options --write
	first=$(ids store undo)
	rebuilt=$(ids store rebuilt)
	if [ -n "$first" ]; then
		quietly 0 "$VMFSKIT" verify "store/$first" "store/$rebuilt"
		cp -al store store2
		copy_disk disk.img disk2.img
		quietly 0 "$VMFSKIT" undo --store store2 "$first" disk2.img --write
		expect "undo leads to the wreck" "$(disk_sum disk2.img)" "$wreck"
		rm -rf store2
		cp -al store store2
		copy_disk disk.img disk2.img
		# shellcheck disable=SC2086 # words are meant to be split
		quietly 0 "$VMFSKIT" restore --store store2 "$rebuilt" disk2.img $completes --write
		expect "restore of what was rebuilt completes it" "$(disk_sum disk2.img)" "$finished"
	else
		expect "without an undo capture nothing was written" "$(disk_sum disk.img)" "$wreck"
	fi
	quietly 0 "$VMFSKIT" $verb disk.img --store store $options --write
	expect "a second run completes it" "$(disk_sum disk.img)" "$finished"
	if [ -n "$first" ]; then
		quietly 0 "$VMFSKIT" undo --store store "$first" disk.img --write
		expect "and the first undo leads to the wreck" "$(disk_sum disk.img)" "$wreck"
	fi
	cd .. && rm -rf "c$n"
)

# every NAME FROM COUNT: two at a time
every() {
	local name=$1 from=$2 count=$3 n failed
	: >failures.txt
	for ((n = from; n <= count; n++)); do
		cut_at "$n" >>failures.txt 2>&1 &
		[ $((n % 2)) -eq 0 ] && wait
	done
	wait
	failed=$(cat failures.txt)
	if [ -z "$failed" ]; then pass "$name: crash points $from to $count"; else fail "$name" "$failed"; fi
}

# run_all NAME FROM VERB OPTIONS...: wreck.img is there, $completes are the options of restore. FROM: all, or target: what the store does before, which is the
# same for every repair, is left out
run_all() {
	local name=$1 from=1
	[ "$2" = all ] || from=target
	verb=$3
	shift 3
	options=$*
	completes=${completes:-$options}
	wreck=$(disk_sum wreck.img)
	copy_disk wreck.img disk.img
	rm -rf done-store log
	# shellcheck disable=SC2086
	VMFSKIT_CRASH_LOG=$PWD/log ok "$name, not cut" "$HOOKS" $verb disk.img --store done-store $options --write
	finished=$(disk_sum disk.img)
	hasnt "$name: something was written" "$finished" "$wreck"
	has "$name: its writes are among the crash points" log "write "
	has "$name: its flushes are among the crash points" log "before flush"
	[ "$from" = 1 ] || from=$(grep -nE '^[0-9]* (write|before flush)' log | head -n 1 | cut -d : -f 1)
	every "power cut in $verb: $name" "$from" "$(wc -l <log)"
	completes=
}

# the volume ends with the last usable sector, so that its end is no guess
"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 614399s --size $((2048 + 614399 + 33))s whole.img >/dev/null || exit 1
size=$(stat -c %s whole.img)
base=$((2048 * 512))

copy_disk whole.img wreck.img
zero wreck.img 0 $((34 * 512))
zero wreck.img $((size - 33 * 512)) $((33 * 512))
run_all "a GPT of which nothing is left" all "repair table" --override guess
is "a GPT of which nothing is left: the order of writing" \
	"$(sed -n 's/^[0-9]* write \(GPT header (backup)\|GPT header (primary)\|protective MBR\)$/\1/p' log | tr '\n' ';')" \
	"GPT header (backup);GPT header (primary);protective MBR;"

# the disk was grown: the backup is in the middle, the primary does not reach the end
copy_disk whole.img wreck.img
truncate -s $((size + (8 << 20))) wreck.img
run_all "a GPT of a disk that was grown" target "repair table"

copy_disk whole.img wreck.img
zero wreck.img $((base + 0x100000)) 4
zero wreck.img $((base + 0x100200)) 8
zero wreck.img $((base + 0x180200)) 1
zero wreck.img $((base + 0x1300000)) 4
zero wreck.img $((base + 0x1400000 + 7 * 512)) 512
run_all "headers" target "repair header" --override guess
is "headers: all is back" "$finished" "$(disk_sum whole.img)"
is "headers: what makes the volume known is written last" \
	"$(sed -n 's/^[0-9]* write \(file-system descriptor\|LVM device header\)$/\1/p' log | tr '\n' ';')" \
	"file-system descriptor;LVM device header;"

# signatures of a volume that no table names
copy_disk whole.img wreck.img
sgdisk -d 1 wreck.img >/dev/null
completes="--override worse"
run_all "signatures" target wipe --signature all --override worse
is "signatures: eight bytes are zeros" "$(cmp -l wreck.img disk.img | awk '$3 == 0' | wc -l) $(cmp -l wreck.img disk.img | wc -l)" "8 8"
