# SPDX-License-Identifier: Apache-2.0
# A second night that is cut off: power cut and full disk at every step, SIGKILL at any moment. The store verifies every
# time, what was there stays, and the next run succeeds and leaves nothing over.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

# in memory where that is possible: hundreds of runs flush everything they write
cd "$(big_dir)" || exit 1
work=$PWD
"$LAB" make --vmfs 5 --table gpt --size 2G --live 2 a.img >/dev/null
"$LAB" make --vmfs 3 --table mbr --size 2G --live 1 b.img >/dev/null
"$VMFSKIT" capture --store base a.img b.img >/dev/null || exit 1
"$LAB" beat a.img >/dev/null
"$LAB" beat b.img >/dev/null

captures() { ls "$1" | grep -c '^[0-9]*T'; }
leftovers() { ls -A "$1" | grep -E '^\.(tmp|gone)-'; }
reset() { rm -rf "$1" && cp -a --sparse=always base "$1"; }

# sound STORE LEAST MOST: what verify says, how many captures there are; prints what is wrong
sound() {
	local n
	"$VMFSKIT" verify --ledger --store "$1" >"$1.told" 2>&1 || echo "verify: $(grep -v '^sound' "$1.told" | head -n 3)"
	n=$(captures "$1")
	[ "$n" -ge "$2" ] && [ "$n" -le "$3" ] || echo "$n captures"
}

# the next run of a store where something was cut off
next_run() {
	"$VMFSKIT" capture --store "$1" a.img b.img >"$1.next" 2>&1 || echo "next run: $(cat "$1.next")"
	leftovers "$1" | sed 's/^/left: /'
	sound "$1" 4 6
}

# every NAME LIST COMMAND: the command for each number of the list, two at a time
every() {
	local name=$1 list=$2 failed n k=0
	shift 2
	: >failures
	for n in $list; do
		"$@" "$n" 2>&1 | sed "s/^/$n: /" >>failures &
		k=$((k + 1))
		[ $((k % 2)) -eq 0 ] && wait
	done
	wait
	failed=$(head -n 20 failures)
	if [ -z "$failed" ]; then pass "$name: $k"; else fail "$name" "$failed"; fi
}

# --- power cut at every crash point of the second night
reset counted
VMFSKIT_CRASH_LOG=$work/points ok "the second night, not cut" "$HOOKS" capture --store counted a.img b.img
is "it leaves nothing over" "$(leftovers counted)" ""
points=$(wc -l <points)
ok "there are crash points" test "$points" -gt 40
for step in 'capture folder: mkdir' 'capture file: create' 'region file: write' 'region file: set length' 'capture file: fsync' \
	'capture folder: fsync' 'capture folder: rename' 'store folder: fsync'; do
	has "among them: $step" points "^[0-9]+ $step\$"
done

cut_at() {
	local store=cut$1
	reset "$store"
	VMFSKIT_CRASH_AT=$1 "$HOOKS" capture --store "$store" a.img b.img >/dev/null 2>"$store.err"
	# how often files are read and written in parts is not the same each time
	[ $? -eq 99 ] || [ "$1" -gt $((points - 10)) ] || echo "not cut"
	sound "$store" 2 4
	next_run "$store"
	rm -rf "$store"*
}
every "power cut" "$(seq "$points")" cut_at

# a second cut, while the first one's leftovers are removed: as many as there can be, those of a folder that was about to be done
reset twice
full=$(sed -n 's/^\([0-9]*\) capture folder: fsync$/\1/p' points | head -n 1)
VMFSKIT_CRASH_AT=$((full - 3)) "$HOOKS" capture --store twice a.img b.img >/dev/null 2>&1
has "a temporary folder is left" "$(leftovers twice)" '^\.tmp-'
rm -rf base.first && mv base base.first && cp -a twice base
reset sweeping
VMFSKIT_CRASH_LOG=$work/sweep-points "$HOOKS" capture --store sweeping a.img b.img >/dev/null
sweep=$(sed -n 's/^\([0-9]*\) left folder: .*/\1/p' sweep-points)
ok "removing passes crash points" test "$(wc -w <<<"$sweep")" -gt 2
every "power cut while leftovers are removed" "$sweep" cut_at
rm -rf base && mv base.first base

# --- no room at any step: that disk is told, the other is captured, nothing is left over
full_at() {
	local store=full$1 code name
	name=$(sed -n "s/^$1 //p" points)
	reset "$store"
	VMFSKIT_TEST_NOSPACE_AT=$1 "$HOOKS" capture --store "$store" a.img b.img >/dev/null 2>"$store.err"
	code=$?
	[ "$code" -eq 4 ] || [ "$code" -eq 0 ] || echo "$name: exit code $code"
	[ "$code" -eq 0 ] || grep -q 'No space left' "$store.err" || echo "$name: $(cat "$store.err")"
	leftovers "$store" | sed 's/^/left: /'
	case $name in
	store*) sound "$store" 2 4 ;;
	*) sound "$store" 3 4 ;;
	esac
	[ $(($1 % 4)) -ne 0 ] || next_run "$store"
	rm -rf "$store"*
}
every "no room" "$(seq "$points")" full_at

# --- a LUN that is gone: cut where the run puts on record what it saw, that is told by this run or by the next
gone_at() {
	local store=gone$1
	reset "$store"
	VMFSKIT_CRASH_AT=$1 "$HOOKS" capture --all --dev-dir luns --store "$store" >"$store.out" 2>&1
	"$VMFSKIT" capture --all --dev-dir luns --store "$store" >>"$store.out" 2>&1
	grep -q 'c.img: no longer seen' "$store.out" || echo "not told: $(cat "$store.out")"
	rm -rf "$store"*
}
mkdir luns
cp --sparse=always a.img luns
cp --sparse=always b.img luns/c.img
rm -rf base.first && mv base base.first
"$VMFSKIT" capture --all --dev-dir luns --store base >/dev/null
rm luns/c.img
reset gone
VMFSKIT_CRASH_LOG=$work/gone-points ok "a LUN is gone" "$HOOKS" capture --all --dev-dir luns --store gone
ok "what the run saw passes crash points" grep -q 'seen: rename' gone-points
gone_points=$(wc -l <gone-points)
every "power cut beside what the run saw" "$(seq $((gone_points - 6)) $((gone_points + 2)))" gone_at
rm -rf base && mv base.first base

# --- killed at 200 random moments, always the same ones
killed() {
	local store=kill$1 k pid
	reset "$store"
	for k in 1 2 3 4; do
		"$VMFSKIT" capture --store "$store" a.img b.img >/dev/null 2>&1 &
		pid=$!
		perl -e 'srand($ARGV[0] * 4 + $ARGV[1]); select(undef, undef, undef, rand(0.09))' "$1" "$k"
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
		sound "$store" 2 10
	done
	"$VMFSKIT" capture --store "$store" a.img b.img >"$store.next" 2>&1 || echo "next run: $(cat "$store.next")"
	leftovers "$store" | sed 's/^/left: /'
	sound "$store" 4 12
	rm -rf "$store"*
}
every "killed four times" "$(seq 50)" killed

# --- a small tmpfs, with every number of free pages until there are enough
if [ "$(id -u)" -ne 0 ] || ! mkdir small || ! mount -t tmpfs -o size=16m,mode=0700 tmpfs small 2>/dev/null; then
	skip "a small tmpfs" "needs root"
	exit 0
fi
echo "$work/small" >>"$TMP/.mounts"

# fill NAME LEAST DISK...: into a copy of the store base-NAME, with more and more pages free until there is room
fill() {
	local name=$1 least=$2 told= code=4 pages=0 free
	shift 2
	while [ "$code" -ne 0 ] && [ "$pages" -lt 1200 ]; do
		rm -rf small/*
		mkdir -m 700 small/store
		[ ! -d "base-$name" ] || cp -a --sparse=always "base-$name/." small/store
		free=$(df --output=avail -k small | tail -n 1)
		fallocate -l $(((free - pages * 4) * 1024)) small/filler
		"$VMFSKIT" capture --store small/store "$@" >full.out 2>full.err
		code=$?
		# 1: all but the map of the files is there, and that is said
		case $code in
		0) ;;
		1) grep -q 'no room for the file map' full.out || told="$told $pages:exit 1 $(head -n 1 full.out)" ;;
		4) grep -qE 'No space left|no room in the store' full.err || told="$told $pages:$(head -n 1 full.err)" ;;
		*) told="$told $pages:exit $code" ;;
		esac
		[ -z "$(leftovers small/store)" ] || told="$told $pages:left"
		rm small/filler
		told="$told$(sound small/store "$least" 4 | sed "s/^/ $pages:/")"
		pages=$((pages + (pages < 24 ? 1 : 6)))
	done
	is "$name: each number of free pages up to $pages" "$told" ""
	is "$name: at last there is room" "$code" 0
}
mv base base-second
fill second 2 a.img b.img
fill first 0 b.img
