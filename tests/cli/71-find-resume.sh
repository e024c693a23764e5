#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The state of a search on its way to the disk: power cut and full disk at every step, SIGKILL at any moment; sectors that
# cannot be read. The next run ends like one that nothing happened to.
. "$(dirname "$0")/../lib.sh"

cd "$(big_dir)" || exit 1
work=$PWD
"$LAB" make --table gpt --size 2G --volume start=2050,version=5 disk.img >/dev/null || exit 1
# without what was taken from a state: the answer must not depend on it
answer() { jq 'del(.resumed_bytes, .resumed_from, .resumed_date)'; }
find_all() { "$VMFSKIT" find --no-store --json "$@" disk.img | answer; }
find_all >whole.json 2>/dev/null
is "the volume is found" "$(jq -r '.candidates[] | "\(.standing) \(.start_sector)"' whole.json)" "living 2050"

# --- what stands where the new state is written first
echo precious >state.new
exits "somebody's file is in the way" 2 "$VMFSKIT" find --no-store --resume state disk.img
has "somebody's file is in the way: which" "$ERR" 'this is not the state of a scan, and it is in the way of one [(]state\.new[)]'
is "somebody's file is left as it is" "$(cat state.new)" precious
printf 'vmfskit scan 1\ndisk' >state.new
find_all --resume state >after.json 2>/dev/null
same "what a killed run left is no hindrance" whole.json after.json
ok "what a killed run left is gone" [ ! -e state.new ]
rm -f state


VMFSKIT_CRASH_LOG=$work/points run "$HOOKS" find --no-store --json --resume counted disk.img
answer <"$OUT" >after.json
same "with a state the answer is the same" whole.json after.json
is "the state is for its owner only" "$(stat -c %a counted)" 600
is "steps of a search" "$(cut -d ' ' -f 4 points | sort | uniq -c | tr -s ' \n' ' ')" " 2 create 2 fsync 2 rename 2 write "

# --- power cut
bad=
for ((n = 1; n <= $(wc -l <points); n++)); do
	rm -f state*
	VMFSKIT_CRASH_AT=$n "$HOOKS" find --no-store --resume state disk.img >/dev/null 2>&1
	code=$?
	[ $code -eq 99 ] || bad+="$n: exit code $code"$'\n'
	find_all --resume state >after.json 2>after.err
	cmp -s whole.json after.json || bad+="$n: another answer: $(tail -n 1 after.err)"$'\n'
	[ "$(ls -A | grep -c '^state')" -eq 1 ] || bad+="$n: left: $(ls -A | grep '^state' | tr '\n' ' ')"$'\n'
done
is "after a power cut at any step the next run gives the same answer and leaves nothing over" "$bad" ""

# --- no room for the state: told before the search; not told when the search came to its end all the same
bad=
for ((n = 1; n <= $(wc -l <points); n++)); do
	rm -f state*
	VMFSKIT_TEST_NOSPACE_AT=$n "$HOOKS" find --no-store --json --resume state disk.img >room.json 2>room.err
	code=$?
	if [ "$n" -le 4 ]; then
		[ $code -eq 4 ] || bad+="$n: exit code $code"$'\n'
		grep -q 'No space left' room.err || bad+="$n: $(cat room.err)"$'\n'
	else
		answer <room.json | cmp -s whole.json - || bad+="$n: another answer"$'\n'
	fi
	[ ! -e state.new ] || bad+="$n: state.new is left"$'\n'
done
is "no room for the state at any step" "$bad" ""

# --- SIGKILL while it reads
need strace
dd if=/dev/urandom of=disk.img bs=1M seek=128 count=256 conv=notrunc status=none
find_all >whole.json 2>/dev/null
bad=
for wait in 0.02 0.1 0.2 0.3; do
	rm -f state*
	STRACE_OPTIONS="-e inject=pread64:delay_exit=3000" traced trace "$VMFSKIT" find --no-store --resume state disk.img >/dev/null 2>&1 &
	tracer=$!
	for ((i = 0; i < 500; i++)); do
		[ -s state ] && break
		sleep 0.01
	done
	sleep $wait
	kill -KILL "$(pgrep -P "$tracer" | head -n 1)" 2>/dev/null
	wait $tracer 2>/dev/null
	find_all --resume state >after.json 2>after.err
	cmp -s whole.json after.json || bad+="$wait s: another answer: $(tail -n 1 after.err)"$'\n'
done
is "killed at any moment" "$bad" ""

# --- a disk that cannot be read everywhere
VMFSKIT_TEST_BAD=200000000+1,300000256+70000 run "$HOOKS" find --no-store --json disk.img
is "bad sectors are told, and the search goes on behind them" \
	"$(jq -c '[.candidates[].standing, [.unreadable[] | [.offset, .length]]]' "$OUT")" \
	'["living",[[200000000,512],[300000256,70144]]]'

# --- a state is of one disk, and says of when it is ---------------------------------------------------------------
"$LAB" make --overwrite --size 3G source.img >/dev/null || exit 1
truncate -s 4G one.img two.img
dd if=source.img of=two.img bs=1M skip=1 seek=539 count=80 conv=notrunc status=none # a volume behind sectors of zeros
dd if=source.img of=one.img bs=1M skip=21 seek=2068 count=1 conv=notrunc status=none # nothing but heartbeats
run "$VMFSKIT" find --no-store --resume one.state one.img
hasnt "the first search takes nothing from anywhere" "$OUT" 'taken from'
exits "the state of another disk" 2 "$VMFSKIT" find --no-store --resume one.state two.img
has "the state of another disk: what differs" "$ERR" \
	"another disk: of the file with inode $(stat -c %i one.img) of .*, and this is the file with inode $(stat -c %i two.img) of .* \(one\.state\)"
has "the state of another disk: what to do" "$ERR" 'name a file that does not exist yet'
mv one.img moved.img
run "$VMFSKIT" find --no-store --resume one.state moved.img
has "a search that came to its end: what it is taken from" "$OUT" 'all of it comes from one\.state of 20[0-9-]*T[0-9:]*Z; only what was found '
has "a search that came to its end: found again" "$OUT" '^Found 0 living volumes, 1 damaged'
run "$VMFSKIT" find --no-store --json --resume one.state moved.img
is "a search that came to its end: for scripts" "$(jq -r '[.resumed_bytes, .resumed_from, (.resumed_date | length)] | join(" ")' "$OUT")" "4294967296 one.state 20"
cat two.img >moved.img
exits "written over since" 2 "$VMFSKIT" find --no-store --resume one.state moved.img
has "written over since: what differs" "$ERR" 'another disk, or this one was written over: [0-9]+ of [0-9]+ blocks that it noted are others now'
sed -i 's/^vmfskit scan 3$/vmfskit scan 1/' one.state
cp one.state kept.state
exits "a state of another format" 2 "$VMFSKIT" find --no-store --resume one.state moved.img
has "a state of another format: said" "$ERR" 'has the format of another vmfskit, and it is left as it is'
same "a state of another format: left alone" one.state kept.state
exits "repair asks the same" 2 "$VMFSKIT" repair table --scan --no-captures --resume one.state moved.img
if [ "$(id -u)" = 0 ]; then
	run "$VMFSKIT" find --no-store --resume two.state two.img
	loop=$(loop_attach two.img) || exit 1
	run "$VMFSKIT" find --no-store --resume two.state "$loop"
	has "a loop device over the image is the same disk" "$OUT" 'all of it comes from two\.state'
	loop_detach "$loop"
else
	skip "a loop device over the image" "only root can make one"
fi
