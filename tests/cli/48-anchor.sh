#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An anchor that contradicts the store stops a run before it begins. One that is out of reach stops prune, but costs no night its
# captures; the exit code then does not say that nothing was written.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
cd "$TMP" || exit 1

for name in one two; do
	"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 300M --label $name $name.img >/dev/null || exit 1
done
"$VMFSKIT" capture --store other --anchor other.anchor two.img >/dev/null || exit 1
for i in 1 2 3; do "$VMFSKIT" capture --store store --anchor own.anchor one.img >/dev/null || exit 1; done
dd if=one.img of=dump.dd bs=1M count=24 status=none
none="--keep-daily 0 --keep-weekly 0 --keep-monthly 0 --keep-yearly 0"

# every file of the store, with size and time
state() { find "$1" -name .lock -prune -o -type f -printf '%P %s %T@\n' | sort; }
# refuses NAME CODE ANCHOR PATTERN: capture, import and prune do nothing, and say why; a store that is not there is not made
refuses() {
	local name=$1 code=$2 anchor=$3 pattern=$4 before verb args
	before=$(state store)
	while read -r verb args; do
		# shellcheck disable=SC2086 # words
		exits "$name: $verb" "$code" "$VMFSKIT" $verb --store store --anchor "$anchor" $args
		has "$name: $verb: says why" "$ERR" "$pattern"
		is "$name: $verb: nothing is saved or removed" "$(state store)" "$before"
	done <<-END
		capture one.img two.img
		import --disk sda --place 0 dump.dd
		prune $none --write
	END
}
# out_of_reach NAME ANCHOR PATTERN: captures are saved all the same, nothing is removed, and each says why
out_of_reach() {
	local name=$1 anchor=$2 pattern=$3 before
	before=$(captures store | wc -l)
	exits "$name: capture" 4 "$VMFSKIT" capture --store store --anchor "$anchor" one.img two.img
	has "$name: capture: says why" "$ERR" "$pattern"
	has "$name: capture: what was done" "$ERR" '^vmfskit: 2 captures saved; anchor not updated$'
	exits "$name: import" 4 "$VMFSKIT" import --store store --anchor "$anchor" --disk sda --place 0 dump.dd
	has "$name: import: what was done" "$ERR" '^vmfskit: 1 capture saved; anchor not updated$'
	is "$name: they are there" "$(captures store | wc -l)" $((before + 3))
	before=$(state store)
	# shellcheck disable=SC2086 # words
	exits "$name: prune" 4 "$VMFSKIT" prune --store store --anchor "$anchor" $none --write
	has "$name: prune: says why" "$ERR" "$pattern"
	is "$name: prune: nothing is removed" "$(state store)" "$before"
}
cp other.anchor witness
refuses "the anchor of another store" 3 other.anchor 'the anchor stays as it is: the store is older than it, or another one'
same "the anchor of another store: it stays" witness other.anchor
exits "a store that is not there yet" 3 "$VMFSKIT" capture --store fresh --anchor other.anchor one.img
ok "a store that is not there yet: it is not made" [ ! -e fresh ]
refuses "in the store" 3 store/anchor 'the anchor would be in the store'
out_of_reach "no such folder" nowhere/anchor 'cannot open the folder of the anchor'
echo nothing >strange
refuses "no anchor at all" 2 strange 'the anchor is not a head of a ledger'
ok "the right one" "$VMFSKIT" capture --store store --anchor own.anchor one.img
before=$(state store)
# shellcheck disable=SC2086 # words
exits "prune, dry: what speaks against the store is told then, too" 3 "$VMFSKIT" prune --store store $none --anchor other.anchor
is "prune, dry: nothing is removed" "$(state store)" "$before"

# pin keeps no anchor, so a bad one in the configuration is none of its business; a store that it refuses gets no pin
printf 'anchor = %s\n' "$PWD/other.anchor" >conf
id=$(captures store | head -n 1)
ok "pin" "$VMFSKIT" pin --store store "$id"
chmod g+w store
before=$(state store)
exits "pin in a store of others" 3 "$VMFSKIT" pin --store store "$id" --unpin
is "pin in a store of others: nothing changes" "$(state store)" "$before"
chmod g-w store

# the anchor becomes another one while the run is at work: it has begun to read by the time that so much of its input is gone
changed() {
	head -c 16M dump.dd
	cp other.anchor own.anchor
	tail -c +$((16 * 1024 * 1024 + 1)) dump.dd
}
count=$(captures store | wc -l)
cp own.anchor kept.anchor
exits "another anchor in the middle of the run" 4 "$VMFSKIT" import --store store --anchor own.anchor --disk sda --place 0 - < <(changed)
has "another anchor in the middle of the run: why" "$ERR" 'the anchor stays as it is'
has "another anchor in the middle of the run: what was done" "$ERR" '^vmfskit: 1 capture saved; anchor not updated$'
is "another anchor in the middle of the run: it was" "$(captures store | wc -l)" $((count + 1))
mv kept.anchor own.anchor

# a place that has no room any more
need_root "no room for the anchor"
if ! mkdir full || ! mount -t tmpfs -o size=64k tmpfs full 2>/dev/null; then
	skip "no room for the anchor" "a small file system cannot be mounted here"
	exit 0
fi
echo "$TMP/full" >>"$TMP/.mounts"
cp own.anchor full/anchor
cat /dev/zero >full/ballast 2>/dev/null
exits "no room for the anchor: capture" 4 "$VMFSKIT" capture --store store --anchor full/anchor one.img one.img
has "no room for the anchor: capture: what was done" "$ERR" '^vmfskit: 2 captures saved; anchor not updated$'
exits "no room for the anchor: prune" 4 "$VMFSKIT" prune --store store --anchor full/anchor $none --write
has "no room for the anchor: prune: what was done" "$ERR" '^vmfskit: [1-9][0-9]* captures removed; anchor not updated$'
same "no room for the anchor: it is as it was" full/anchor own.anchor
rm full/ballast
mount -o remount,ro full
out_of_reach "a place that cannot be written" full/anchor 'cannot write to the folder of the anchor'
