# SPDX-License-Identifier: Apache-2.0
# Nobody else writes while this writes: processes with the target open, locks, hosts that beat after the plan; and a signal
# in the middle of it waits until the target is whole.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need perl sfdisk
cd "$TMP" || exit 1
good=$TMP/good.img
disk=$TMP/disk.img
store=$TMP/store
"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 300M --live 1 "$good" >/dev/null || exit 1
"$VMFSKIT" capture --store "$store" "$good" >/dev/null || exit 1
id=$(newest "$store")
copy_disk "$good" wreck.img
zero wreck.img 0 512
zero wreck.img $(($(stat -c %s wreck.img) - 512)) 512
whole=$(disk_sum "$good")
wreck=$(disk_sum wreck.img)
fresh() { rm -rf store && cp -a base store && copy_disk wreck.img "$disk"; }
cp -a store base

# hold HOW LOCK PATH: another process with PATH open for reading (ro) or writing (rw), without a lock (none), with one as
# virtual machine monitors take them (ofd) or as udev wants it (flock)
hold() {
	: >held
	perl -e '
		use Fcntl qw(:DEFAULT :flock);
		sysopen(F, $ARGV[2], $ARGV[0] eq "rw" ? O_RDWR : O_RDONLY) or die "$ARGV[2]: $!";
		if ($ARGV[1] eq "ofd") { fcntl(F, 37, pack("s s x4 q q l x4", $ARGV[0] eq "rw" ? F_WRLCK : F_RDLCK, 0, 100, 1, 0)) or die $! }
		if ($ARGV[1] eq "flock") { flock(F, LOCK_EX | LOCK_NB) or die $! }
		$| = 1; print "held\n"; sleep 600' "$@" >held &
	holding=$!
	until [ -s held ]; do
		kill -0 "$holding" 2>/dev/null || { fail "another process opens $3 ($1, $2)"; return 1; }
		sleep 0.05
	done
}
let_go() { kill "$holding" 2>/dev/null; wait "$holding" 2>/dev/null || :; }
restore() { "$HOOKS" restore --store "$store" "$id" --heartbeat-wait 0.1 "$@"; }

# in_use NAME TARGET PATTERN: refused dry and with --write, and why; then lifted
in_use() {
	local name=$1 target=$2
	exits "$name: refused" 3 restore "$target"
	has "$name: by name, and who" "$ERR" "^guard in-use refuses: .*$3"
	is "$name: by no other guard" "$(grep -c '^guard .* refuses: ' "$ERR")" 1
	exits "$name: refused with --write" 3 restore "$target" --write
	is "$name: untouched" "$(disk_sum "$disk")" "$wreck"
	ok "$name: lifted" restore "$target" --override in-use
}

# --- an image file
fresh
hold rw none "$disk" && in_use "a file that a process has open for writing" "$disk" "open for writing by process $holding \(perl\)"
ok "a file that a process has open for writing: written when lifted" restore "$disk" --override in-use --write
is "a file that a process has open for writing: whole" "$(disk_sum "$disk")" "$whole"
let_go
fresh
hold ro none "$disk" && ok "a file that a process only reads" restore "$disk"
hasnt "a file that a process only reads: nobody objects" "$ERR" "guard"
# the first namespace of processes has this number; in another one some are never seen
if [ "$(stat -Lc %i /proc/self/ns/pid)" = 4026531836 ]; then
	hasnt "everybody could be looked at" "$OUT" "is not known of all"
else
	has "in a namespace: not everybody could be looked at" "$OUT" "is not known of all"
fi
let_go
ln "$disk" other-name.img
hold rw none other-name.img && in_use "a file that is open by another name" "$disk" "open for writing by process $holding"
let_go
rm other-name.img
for n in 1 2 3 4 5 6; do
	perl -e 'open(F, "+<", $ARGV[0]) or die; open(G, ">", $ARGV[1]); close(G); sleep 600' "$disk" "many.$n" &
	many[n]=$!
done
until [ "$(ls many.? 2>/dev/null | wc -l)" -eq 6 ]; do sleep 0.05; done
exits "six writers" 3 restore "$disk"
has "six writers: the first of them and how many more" "$ERR" "(open for writing by process [0-9]+ \(perl\),? ?){4}and by 2 more"
kill "${many[@]}"
wait "${many[@]}" 2>/dev/null

if [ "$(id -u)" -eq 0 ] && command -v setpriv unshare >/dev/null; then
	fresh
	chmod 711 "$TMP"
	chown -R 65534 "$store" "$disk"
	ok "as somebody who is not root" setpriv --reuid 65534 --clear-groups "$HOOKS" restore --store "$store" "$id" --heartbeat-wait 0.1 "$disk"
	has "as somebody who is not root: not all could be looked at" "$OUT" "^note .*is not known of all"
	fresh
	ok "in a container" unshare --pid --fork --mount-proc "$HOOKS" restore --store "$store" "$id" --heartbeat-wait 0.1 "$disk"
	has "in a container: not all could be looked at" "$OUT" "^note .*is not known of all"
else
	skip "who cannot see every process" "needs root, setpriv and unshare"
fi

# --- just before the first write it is looked at once more
fresh
VMFSKIT_CRASH_LOG=$TMP/points restore "$disk" --write >/dev/null 2>&1
is "a restore that nobody disturbs" "$(disk_sum "$disk")" "$whole"
undo_point=$(sed -n 's/^\([0-9]*\) capture folder: mkdir$/\1/p' points | head -n 1)
last_look=$(sed -n 's/^\([0-9]*\) before the last look$/\1/p' points)
first_write=$(sed -n 's/^\([0-9]*\) write .*/\1/p' points | head -n 1)
first_flush=$(sed -n 's/^\([0-9]*\) after flush$/\1/p' points | head -n 1)
last_flush=$(sed -n 's/^\([0-9]*\) before flush$/\1/p' points | tail -n 1)
is "the last look comes before the first write" "$((last_look < first_write && undo_point < last_look))" 1
stops_restore() { stops "$1" restore --store "$store" "$id" "$disk" --heartbeat-wait 0.1 --write "${@:2}"; }

fresh
if stops_restore "$undo_point"; then
	hold rw none "$disk"
	go_on
	is "a writer that came after the plan: refused" $? 3
	has "a writer that came after the plan: by name, and who" bg.err "guard in-use: .* came into use .*process $holding \(perl\)"
	has "a writer that came after the plan: said" bg.err "nothing was written"
	is "a writer that came after the plan: untouched" "$(disk_sum "$disk")" "$wreck"
	hasnt "a writer that came after the plan: the ledger knows of nothing begun" "$store/ledger.jsonl" '"event":"restore-begun"'
	let_go
fi

# --- heartbeats
beat() { for _ in 1 2 3; do "$LAB" beat --start 2048 "$disk" >/dev/null || fail "a beat"; done; }
for point in "$undo_point" "$last_look"; do
	fresh
	stops_restore "$point" || continue
	beat
	beaten=$(disk_sum "$disk")
	go_on
	is "a host that beat after the plan, at $point: refused" $? 3
	has "a host that beat after the plan, at $point: by name" bg.err "guard heartbeat: heartbeat slot .* changed since the plan"
	is "a host that beat after the plan, at $point: untouched" "$(disk_sum "$disk")" "$beaten"
done
fresh
if stops_restore "$undo_point" --override heartbeat; then
	beat
	go_on
	is "a host that beat after the plan, lifted: written" $? 0
fi
fresh
if stops_restore "$last_flush"; then
	beat
	go_on
	is "a host that beat while it was written: written to the end" $? 0
	has "a host that beat while it was written: told" bg.out "^note: .*heartbeat slot .* changed while the target was written: host .*unmount"
fi
# heartbeats that this run writes itself are no beats
fresh
zero "$disk" "$("$VMFSKIT" decode --json "$good" | jq '[.sources[0].structures[] | select(.name == "heartbeat region")][0].offset')" 4096
ok "a restore of the heartbeats themselves" restore "$disk" --write --part table,lvm,vh,heartbeats
hasnt "a restore of the heartbeats themselves: no host is seen" "$OUT" "changed while"
is "a restore of the heartbeats themselves: whole" "$(disk_sum "$disk")" "$whole"

# --- a new table that somebody makes while the capture is judged, or while a table is worked out
for point in "capture judged" "worked out"; do
	fresh
	if [ "$point" = "capture judged" ]; then
		stops "$point" restore --store "$store" "$id" --heartbeat-wait 0.1 --write "$disk" || continue
	else
		stops "$point" repair table --store "$store" --heartbeat-wait 0.1 --override guess --write "$disk" || continue
	fi
	printf 'label: gpt\nstart=2048, size=100000, type=L\nstart=200000, size=100000, type=L\n' | sfdisk -q --no-reread "$disk"
	made=$(disk_sum "$disk")
	go_on
	is "a table made meanwhile, at $point: refused" $? 3
	has "a table made meanwhile, at $point: by name" bg.err '^guard table-partitions refuses'
	is "a table made meanwhile, at $point: untouched" "$(disk_sum "$disk")" "$made"
done

# --- a link that comes to lead to another disk while the plan is worked out. The other one is a replica: same bytes, same
# size. Nothing of what was searched on the first may be written there.
link=$TMP/by-id
for what in table header; do
	fresh
	option=
	[ "$what" = table ] || { option="--start 2048" && copy_disk "$good" "$disk" && zero "$disk" $((2048 * 512 + 0x100000)) 512; }
	copy_disk "$disk" replica.img
	ln -sfn "$disk" "$link"
	first=$(disk_state "$disk")
	second=$(disk_state replica.img)
	# shellcheck disable=SC2086 # a word or none
	stops "worked out" repair $what --store "$store" --heartbeat-wait 0.1 --override guess,unidentified $option --write "$link" ||
		continue
	ln -sfn "$TMP/replica.img" "$link"
	go_on
	is "a link that leads to another disk now, $what: refused" $? 3
	has "a link that leads to another disk now, $what: why" bg.err "the path came to name something else since the (table was|headers were) worked out"
	has "a link that leads to another disk now, $what: said" bg.err "nothing was written; look at the target, then repeat the command"
	is "a link that leads to another disk now, $what: the first one is untouched" "$(disk_state "$disk")" "$first"
	is "a link that leads to another disk now, $what: the other one is untouched" "$(disk_state replica.img)" "$second"
done
# restore opens its target once: a link that is turned before that names the other disk, one that is turned after it changes nothing
fresh
copy_disk "$disk" replica.img
second=$(disk_state replica.img)
ln -sfn "$disk" "$link"
if stops "$undo_point" restore --store "$store" "$id" "$link" --heartbeat-wait 0.1 --write; then
	ln -sfn "$TMP/replica.img" "$link"
	go_on
	is "a link that is turned after the plan of a restore: the planned disk is written" "$? $(disk_sum "$disk")" "0 $whole"
	is "a link that is turned after the plan of a restore: the other one is untouched" "$(disk_state replica.img)" "$second"
fi

# --- signals
# the last two lines of the ledger that tell of the restore
ends() { grep -oE '"event":"(restore|restore-begun)"|"result":"[^"]*"' "$store/ledger.jsonl" | tail -n 4 | tr '\n' ' '; }
# not INT: a shell without job control has the background ignore it
for signal in HUP TERM PIPE; do
	for json in "" --json; do
		fresh
		stops_restore "$first_flush" $json || continue
		# the connection is gone: nobody reads what comes now, but what was said before the first write was read
		has "$signal in the middle $json: the undo capture was named by then" bg.err "^undo capture: .*-undo$"
		has "$signal in the middle $json: and the whole way back" bg.err \
			"^to go back to the state before: vmfskit undo .*-undo $disk --store $store --write$"
		kill -"$signal" "$worker"
		go_on 2>/dev/null
		is "$signal in the middle $json: delivered at the end" $? $((128 + $(kill -l "$signal")))
		is "$signal in the middle $json: the target is whole" "$(disk_sum "$disk")" "$whole"
		has "$signal in the middle $json: the ledger tells beginning and end" "$(ends)" \
			'"restore-begun" "result":"[0-9]+ bytes to write" "event":"restore" "result":"written '
	done
done
has "what came of it is still told" bg.out '"written": true'
fresh
if stops_restore "$undo_point"; then
	kill -HUP "$worker"
	go_on 2>/dev/null
	is "a signal before the first write: it ends there" $? 129
	has "a signal before the first write: said" bg.err "stopped by signal 1 .*before the first write"
	is "a signal before the first write: untouched" "$(disk_sum "$disk")" "$wreck"
fi
fresh
trap '' HUP
stops_restore "$undo_point"
trap - HUP
kill -HUP "$worker"
go_on
is "a signal that is ignored stops nothing" "$? $(disk_sum "$disk")" "0 $whole"
# killed in the middle: the ledger says that it was begun, and how to find the way back
fresh
stops_restore "$first_flush"
kill -KILL "$worker"
wait "$pid" 2>/dev/null
exits "killed in the middle: the ledger is sound" 0 "$VMFSKIT" verify --ledger --store "$store"
has "killed in the middle: verify tells of it" "$OUT" "restore.*was begun.*no line says how it ended"
ok "killed in the middle: the way back works" "$VMFSKIT" undo --store "$store" "$(sed -n 's/^undo capture: //p' bg.err)" "$disk" --write
is "killed in the middle: the state before" "$(disk_sum "$disk")" "$wreck"
run "$VMFSKIT" verify --ledger --store "$store"
hasnt "after the way back, verify tells of nothing begun" "$OUT" "was begun"
fresh
line=$(sed -n '/ before the last look$/,$ s/^\([0-9]*\) ledger: room$/\1/p' points | head -n 1)
exits "a ledger that takes no line" 4 env VMFSKIT_TEST_NOSPACE_AT="$line" "$HOOKS" restore --store "$store" "$id" "$disk" \
	--heartbeat-wait 0.1 --write
is "a ledger that takes no line: untouched" "$(disk_sum "$disk")" "$wreck"

# --- devices
if [ "$(id -u)" -ne 0 ] || ! device=$(loop_attach "$disk" -P); then
	skip "devices" "needs root and loop devices"
	exit 0
fi
loop_detach "$device"
fresh
device=$(loop_attach "$disk")
hold rw none "$device" && in_use "a device that a process has open for writing" "$device" "open for writing by process $holding \(perl\)"
if command -v strace >/dev/null; then
	STRACE_OPTIONS="-e trace=openat" run traced "$TMP/trace" "$HOOKS" restore --store "$store" "$id" "$device" --heartbeat-wait 0.1 \
		--override in-use --write
	has "a device that a process has open for writing: taken for itself alone all the same" trace "$device.*O_RDWR.*O_EXCL"
fi
let_go
loop_detach "$device"
fresh
device=$(loop_attach "$disk")
mknod "$TMP/node" b $((0x$(stat -c %t "$device"))) $((0x$(stat -c %T "$device")))
hold rw none "$TMP/node" && in_use "a device that is open by another node" "$device" "open for writing by process $holding"
let_go
hold ro none "$device" && ok "a device that a process only reads" restore "$device"
hasnt "a device that a process only reads: nobody objects" "$ERR" "guard"
let_go
hold ro ofd "$device" && in_use "a device with a lock as a virtual machine has it" "$device" "locked by another process"
let_go
hold ro flock "$device" && in_use "a device that a program has locked as udev wants it" "$device" "holds a lock"
let_go
hold rw none "$disk" && in_use "a loop device whose file is open for writing" "$device" "open for writing by process $holding"
let_go
second=$(loop_attach "$disk") && in_use "a loop device whose file has another one" "$device" "attached as $second"
loop_detach "$second"
is "undisturbed by all that" "$(disk_sum "$disk")" "$wreck"

# the lock that others see while it is written
fresh
loop_detach "$device"
device=$(loop_attach "$disk")
if stops "$first_flush" restore --store "$store" "$id" "$device" --heartbeat-wait 0.1 --write; then
	exits "while it is written the whole disk is locked" 1 flock -n -s "$device" true
	go_on
	is "and it is written" "$?" 0
	ok "afterwards it is not" flock -n -s "$device" true
fi
loop_detach "$device"

# a partition as target: of its disk, too
copy_disk "$good" "$disk"
device=$(loop_attach "$disk" -P)
[ -e "${device}p1" ] || partx -a "$device" 2>/dev/null
if [ -e "${device}p1" ]; then
	part=${device}p1
	rm -rf store
	"$VMFSKIT" capture --store store --as partition "$part" >/dev/null
	id=$(newest store)
	zero "$part" 1048576 512
	sync "$part"
	wreck=$(disk_sum "$disk")
	hold rw none "$device" && in_use "a partition whose disk is open for writing" "$part" "open for writing by process $holding"
	let_go
	hold ro flock "$device" && in_use "a partition whose disk is locked" "$part" "holds a lock"
	let_go
	rm -f points
	cp -a store base2
	VMFSKIT_CRASH_LOG=$TMP/points restore "$part" --part lvm --write >/dev/null 2>&1
	point=$(sed -n 's/^\([0-9]*\) after flush$/\1/p' points | head -n 1)
	rm -rf store && mv base2 store
	zero "$part" 1048576 512
	if stops "$point" restore --store store "$id" "$part" --heartbeat-wait 0.1 --part lvm --write; then
		exits "while a partition is written the whole disk is locked" 1 flock -n -s "$device" true
		go_on
		is "and the partition is written" "$?" 0
	fi
	zero "$part" 1048576 512
	wreck=$(disk_sum "$disk")
	# the disk as target, the partition open
	id=$(newest base)
	store=$TMP/base
	zero "$device" $(($(stat -c %s "$disk") - 512)) 512
	sync "$device"
	wreck=$(disk_sum "$disk")
	hold rw none "$part" && in_use "a disk one of whose partitions is open for writing" "$device" "open for writing by process $holding"
	let_go
else
	skip "partitions" "they cannot be made here"
fi
