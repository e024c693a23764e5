#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What may not be read, and folders that are no captures: what is said, and what to do about each.
. "$(dirname "$0")/../lib.sh"
need runuser losetup
cd "$TMP" || exit 1
"$LAB" make --table gpt --vmfs 6 --size 2G --label shop lun.img >/dev/null || exit 1
# one that anybody may open, from where anybody gets to
visit() { runuser -u nobody -- "$TMP/vmfskit" "$@"; }

# --- folders ---------------------------------------------------------------------------------------------------
mkdir empty
exits "decode of a folder" 2 "$VMFSKIT" decode empty
is "decode of a folder: what it is" "$(cat "$ERR")" "vmfskit: this is a folder, and no capture (empty)
  name a disk, a partition, the folder of a capture, or a file that holds an image"
for night in 1 2 3 4; do "$VMFSKIT" capture --store store lun.img >/dev/null; done
mapfile -t ids < <("$VMFSKIT" list --store store --json | jq -r '.captures[].id')
exits "decode of a store" 2 "$VMFSKIT" decode store
is "decode of a store: the newest captures in it" "$(cat "$ERR")" \
	"vmfskit: this folder is a store: it holds 4 captures, the newest ${ids[3]}, ${ids[2]}, ${ids[1]} (store)
  name a capture, store/ID; vmfskit list --store store shows them all"
ok "decode of a capture" "$VMFSKIT" decode "store/${ids[3]}"
chmod u+w "store/${ids[0]}" && rm "store/${ids[0]}/manifest.json"
exits "decode of a capture that lost its manifest" 1 "$VMFSKIT" decode "store/${ids[0]}"
has "decode of a capture that lost its manifest: another one" "$ERR" 'no manifest\.json'
exits "a store that is a file" 4 "$VMFSKIT" list --store lun.img
has "a store that is a file: what to do" "$ERR" '^  name a folder, not a file and not a link$'

# --- not root ---------------------------------------------------------------------------------------------------
need_root "somebody who is not root"
id nobody >/dev/null 2>&1 && visit --version >/dev/null 2>&1 || { cp "$VMFSKIT" vmfskit && chmod 755 "$TMP" vmfskit; }
run visit --version
[ "$CODE" -eq 0 ] || { skip "somebody who is not root" "the account nobody cannot run it"; exit 0; }
device=$(loop_attach "$TMP/lun.img") || exit 1
chmod 600 lun.img
mkdir -m 700 closed
chmod 700 store
cp --sparse=always lun.img closed/
for verb in decode doctor find; do
	exits "$verb of a device" 4 visit $verb "$device"
	has "$verb of a device: what to do" "$ERR" '^  devices can be read by root and the group disk: run the command with sudo$'
	exits "$verb of a file" 4 visit $verb lun.img
	has "$verb of a file: what to do" "$ERR" '^  its permissions do not let you read it: run this as root or as its owner$'
done
exits "a folder on the way" 4 visit decode closed/lun.img
has "a folder on the way: what to do" "$ERR" '^  a folder on the way to it is closed to you: run this as root$'
for command in "list --store store" "verify --store store" "prune --store store" "decode store" "restore ${ids[3]} lun.img --store store"; do
	# shellcheck disable=SC2086
	exits "${command%% *}: a store of root" 4 visit $command
	has "${command%% *}: a store of root: what to do" "$ERR" '^  run this as root, or as the owner of the store$'
done
exits "a new store where one may not write" 4 visit capture --store "$TMP/new" lun.img
has "a new store: what to do" "$ERR" '^  run this as root, or name a folder of your own with --store$'
