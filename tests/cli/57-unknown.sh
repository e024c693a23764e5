# SPDX-License-Identifier: Apache-2.0
# What cannot be read is not known: it is neither sound nor absent, no repair is advised on it, and the exit code is 4.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
PATH=$PATH:/usr/sbin:/sbin
need jq
cd "$TMP" || exit 1

"$LAB" make --size 1G --seed 3 good.img >/dev/null || exit 1
"$VMFSKIT" capture --store store good.img >/dev/null || exit 1
id=$(captures store)
mkdir -m 700 empty

# --- a source of no bytes: so looks a LUN of which all paths are dead
# no_bytes SOURCE NAME: every verb that reads a source
no_bytes() {
	local source=$1 name=$2 verb
	while read -r verb; do
		# shellcheck disable=SC2086
		exits "$name: ${verb%% S*}" 4 "$VMFSKIT" ${verb/S/$source}
		has "$name: ${verb%% S*}: says why" "$ERR" '0 bytes long: nothing of it can be read|the device has no bytes'
		hasnt "$name: ${verb%% S*}: nothing is said of it" "$OUT" 'sound|Nothing wrong|no volume|lost|repair'
	done <<-'VERBS'
		decode S
		find --no-store S
		doctor --heartbeat-wait 0 --store empty S
		capture --as disk --store taken S
		repair table --store empty S
		repair header --start 2048 --store empty S
	VERBS
	exits "$name: restore" 4 "$VMFSKIT" restore --store store "$id" "$source" --write
	has "$name: restore: says why" "$ERR" '0 bytes long|the device has no bytes'
	exits "$name: diff" 4 "$VMFSKIT" diff --store store "$id" "$source"
	has "$name: diff: says why" "$ERR" '0 bytes long|the device has no bytes'
	is "$name: no capture of it" "$(captures taken 2>/dev/null)" ""
}
: >nothing.img
no_bytes nothing.img "an empty file"
exits "an empty file on standard input" 4 "$VMFSKIT" decode - <nothing.img
exits "beside a good one" 4 "$VMFSKIT" doctor --heartbeat-wait 0 --store store nothing.img good.img
has "beside a good one: which is still told of" "$OUT" 'Nothing wrong was found'
if [ "$(id -u)" -eq 0 ] && device=$(loop_attach nothing.img 2>/dev/null); then
	no_bytes "$device" "a device of no bytes"
else
	skip "a device of no bytes" "needs root and a loop device"
fi

# --- sectors that the disk does not deliver
copy_disk good.img bad.img
table=0+17408,$((1073741824 - 16896))+16896
next() { jq -r '[.sources[0].next[].command | values] | join("; ")' "$OUT"; }
codes() { jq -r '[.sources[].findings[].code] | unique | join(" ")' "$OUT"; }
if [ -x "$HOOKS" ]; then
	export VMFSKIT_TEST_BAD=$table
	run "$HOOKS" decode bad.img
	has "the whole table: decode" "$OUT" '^Partition table: could not be read$'
	hasnt "the whole table: decode calls nothing missing" "$OUT" 'table\.none|gpt\.(primary|backup)-missing'
	exits "the whole table: doctor" 4 "$HOOKS" doctor --heartbeat-wait 0 --store empty --json bad.img
	is "the whole table: doctor calls nothing lost" "$(codes)" incident.unreadable
	is "the whole table: doctor advises no repair" "$(next)" "vmfskit capture bad.img --store empty"
	exits "the whole table: no table is repaired" 4 "$HOOKS" repair table --store empty bad.img --write
	exits "the whole table: restore is guarded" 3 "$HOOKS" restore --store store "$id" bad.img --write
	has "the whole table: restore is guarded by name" "$ERR" '^guard unreadable refuses'
	VMFSKIT_TEST_BAD=512+512 run "$HOOKS" decode bad.img
	hasnt "the primary header: it is not missing" "$OUT" 'gpt\.primary-missing'
	has "the primary header: it cannot be read" "$OUT" 'source\.unreadable: GPT header \(primary\)'
	for bad in 0+512 512+512 2097152+4096 20971520+512; do
		VMFSKIT_TEST_BAD=$bad exits "bytes $bad: doctor" 4 "$HOOKS" doctor --heartbeat-wait 0 --store empty --json bad.img
		hasnt "bytes $bad: doctor advises no repair" "$(next)" repair
	done
	VMFSKIT_TEST_BAD=0+1073741824
	exits "the whole disk: doctor" 4 "$HOOKS" doctor --heartbeat-wait 0 --store empty --json bad.img
	is "the whole disk: doctor advises to copy it and nothing else" "$(next)" ""
	exits "the whole disk: repair table" 4 "$HOOKS" repair table --store empty bad.img
	has "the whole disk: repair table does not call it empty" "$ERR" 'could not be read: whether there is one is not known'
	exits "the whole disk: find" 4 "$HOOKS" find --no-store bad.img
	unset VMFSKIT_TEST_BAD
	same "nothing was written to it" good.img bad.img
else
	skip "sectors that the disk does not deliver" "needs the test build"
fi

# --- a store that was named and is not there
copy_disk good.img broken.img
"$LAB" break --how table broken.img >/dev/null || exit 1
exits "no such store: doctor" 4 "$VMFSKIT" doctor --heartbeat-wait 0 --store gone --json broken.img
has "no such store: doctor says that captures are not known" "$(jq -r '.sources[0].captures_unknown' "$OUT")" 'there is no store here yet'
hasnt "no such store: doctor advises no repair" "$(next)" repair
exits "no such store: in words" 4 "$VMFSKIT" doctor --heartbeat-wait 0 --store gone broken.img
has "no such store: in words, not known" "$OUT" '^Capture: not known whether one is usable for this disk in gone$'
hasnt "no such store: in words, not absent" "$OUT" 'none usable'
exits "no such store, and nothing is wrong" 0 "$VMFSKIT" doctor --heartbeat-wait 0 --store gone good.img
has "no such store, and nothing is wrong: a capture is advised, which makes it" "$OUT" '^  1\. vmfskit capture good.img --store gone'
exits "an empty store is an answer" 1 "$VMFSKIT" doctor --heartbeat-wait 0 --store empty --json broken.img
is "an empty store: a repair is advised" "$(next)" "vmfskit capture broken.img --store empty; vmfskit repair table broken.img --store empty"
run "$VMFSKIT" find --store gone broken.img
has "no such store: find says so" "$ERR" 'note: captures are not used: there is no store'
exits "no such store: verify" 4 "$VMFSKIT" verify --store gone
exits "no such store: prune" 4 "$VMFSKIT" prune --store gone

# --- captures that this user may not read
need_root "captures without permission"
as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
chmod 755 "$TMP"
mkdir -m 755 bin
cp "$VMFSKIT" bin/vmfskit
if ! as_nobody bin/vmfskit --version >/dev/null 2>&1; then
	skip "captures without permission" "another user cannot run the program here"
	exit 0
fi
as_user() { as_nobody bin/vmfskit "$@"; }
chmod 644 ./*.img
# unreadable NAME: a store in which nobody can read the capture
unreadable() {
	exits "$1: doctor" 4 as_user doctor --heartbeat-wait 0 --store store --json broken.img
	has "$1: doctor says so" "$(jq -r '.sources[0].captures_unknown' "$OUT")" "${2:-capture $id cannot be read}"
	hasnt "$1: doctor advises no repair" "$(next)" repair
	exits "$1: doctor in words" 4 as_user doctor --heartbeat-wait 0 --store store broken.img
	hasnt "$1: doctor in words: not absent" "$OUT" 'none usable'
	run as_user find --store store broken.img
	has "$1: find says that it is searched without them" "$ERR" 'note: captures are not used: .*Permission denied'
	exits "$1: verify" 4 as_user verify --store store
	exits "$1: verify by its id" 4 as_user verify --store store "$id"
	exits "$1: list" 4 as_user list --store store
	hasnt "$1: list does not call it empty, damaged or sound" "$OUT" 'no captures|^damaged|^sound'
	exits "$1: list without reading" 4 as_user list --no-verify --store store
	exits "$1: repair" 4 as_user repair table --store store broken.img
	has "$1: repair: why" "$ERR" 'no-captures plans without them'
	ok "$1: repair without captures" as_user repair table --no-captures --store store --override guess broken.img
	exits "$1: prune" 4 as_user prune --store store
}
chmod 755 store
chmod 000 "store/$id"
unreadable "a folder without permission"
chmod 755 "store/$id"
unreadable "files without permission"
chmod 744 store
unreadable "a store that can only be listed"
chmod 700 store
unreadable "a store without permission" 'Permission denied|cannot open the store'
exits "by its path" 4 as_user verify "./store/$id"
has "by its path: it is not absent" "$ERR" 'cannot look into'
chmod 755 store
chmod -R a+rX store
chmod 644 "store/$id"/*
ok "a store that can be read" as_user verify --store store
exits "a store that can be read: doctor" 1 as_user doctor --heartbeat-wait 0 --store store --json broken.img
is "a store that can be read: restore is advised" "$(next)" "vmfskit restore $id broken.img --store store"
