#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What was looked at binds: --plan carries out the plan that was shown and no other, of restore, undo and both repairs.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

PATH=$PATH:/usr/sbin:/sbin
need jq perl
cd "$TMP" || exit 1
"$LAB" make --table gpt --vmfs 5 --start 2048 --vmfs-size 600M whole.img >/dev/null || exit 1
"$VMFSKIT" capture --store store whole.img >/dev/null || exit 1
id=$(captures store)

# the digest in what was printed last; the printed command as a function of its words
shown() { sed -n 's/^plan     \([0-9a-f]\{32\}\)$/\1/p' "$OUT"; }
pasted() { grep -E '^  vmfskit .*--write$' "$OUT" | sed 's/^  vmfskit//'; }
# flip FILE OFFSET: every bit of one byte
flip() {
	perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; sysseek($f, $ARGV[1], 0); sysread($f, my $c, 1);
		sysseek($f, $ARGV[1], 0); syswrite($f, chr(ord($c) ^ 255))' "$1" "$2"
}
# nothing_done NAME: the disk and the store are as they were
nothing_done() {
	is "$1: nothing was written" "$(disk_sum disk.img)" "$wreck"
	is "$1: nothing was saved" "$(captures store | wc -l)" "$saved"
}
# refused NAME OPTIONS...: the plan that was shown is refused in its place, and by that guard
refused() {
	local name=$1
	shift
	wreck=$(disk_sum disk.img)
	saved=$(captures store | wc -l)
	exits "$name: refused" 3 "$VMFSKIT" "$@" --plan "$digest" --write
	has "$name: by its name" "$ERR" "^guard plan refuses: the plan is no longer the one that was shown, $digest; it is [0-9a-f]{32}: "
	has "$name: what to do" "$ERR" '^  what to do: run the same command without --plan and --write, and read the new plan$'
	has "$name: says that nothing was written" "$OUT" '^refused: nothing was written$'
	nothing_done "$name"
}

# bound NAME OFFSET COMMAND...: COMMAND has a plan for disk.img as it is now, which changes the sector of byte OFFSET
bound() {
	local name=$1 offset=$2
	shift 2
	run "$VMFSKIT" "$@"
	digest=$(shown)
	has "$name: the plan has a digest" "$digest" '^[0-9a-f]{32}$'
	has "$name: the command to paste has it" "$(pasted)" " --plan $digest --write\$"
	sleep 1.1
	run "$VMFSKIT" "$@"
	is "$name: the same on every run" "$(shown)" "$digest"
	run "$VMFSKIT" "$@" --json
	is "$name: JSON" "$(jq -r '.plan, (.next | contains("--plan " + $plan))' --arg plan "$digest" "$OUT" | tr '\n' ' ')" "$digest true "
	ok "$name: shown again with --plan" "$VMFSKIT" "$@" --plan "$digest"
	flip disk.img "$offset"
	exits "$name: other bytes on the disk, without --write" 3 "$VMFSKIT" "$@" --plan "$digest"
	refused "$name: other bytes on the disk" "$@"
	flip disk.img "$offset"
	copy_disk disk.img other.img
	mv other.img disk.img
	refused "$name: another file of this name" "$@"
	run "$VMFSKIT" "$@"
	eval "set -- $(pasted)"
	digest=$(shown)
	ok "$name: carried out as shown" "$VMFSKIT" "$@"
	is "$name: the ledger has it" "$(tail -n 1 store/ledger.jsonl | jq -r .plan)" "$digest"
	ok "$name: and is sound" "$VMFSKIT" verify --ledger --store store
}

copy_disk whole.img disk.img
zero disk.img 0 $((34 * 512))
bound "restore" 512 restore --store store "$id" disk.img
is "restore: the disk is whole" "$(disk_sum disk.img)" "$(disk_sum whole.img)"
undo=$(captures store | grep -e '-undo$')
ok "restore: nothing is left to do, whatever the plan was" "$VMFSKIT" restore --store store "$id" disk.img --plan "$digest" --write
bound "undo" 512 undo --store store "$undo" disk.img --override changed-since
bound "repair table" 512 repair table --store store disk.img --no-captures --override guess
zero disk.img $((2048 * 512 + 0x100000)) 4
bound "repair header" $((2048 * 512 + 0x100000)) repair header --store store disk.img --no-captures

# another capture, or other parts of it: other bytes would be written
copy_disk whole.img disk.img
zero disk.img 0 512
zero disk.img $((2048 * 512 + 0x100000)) 512
run "$VMFSKIT" restore --store store "$id" disk.img --part table,lvm
digest=$(shown)
refused "other parts" restore --store store "$id" disk.img --part table
exits "as often as it is tried" 3 "$VMFSKIT" restore --store store "$id" disk.img --part table --plan "$digest" --write
ok "lifted by its name" "$VMFSKIT" restore --store store "$id" disk.img --part table --plan "$digest" --override plan --write
has "lifted by its name: says so" "$ERR" '^guard plan was lifted: '

exits "no digest" 2 "$VMFSKIT" restore --store store "$id" disk.img --plan 12 --write
has "no digest: says what is meant" "$ERR" '^vmfskit restore: --plan 12: give the 32 hexadecimal digits that the plan was shown with$'

# a guess is for the reader of the plan to decide: the whole command is there
copy_disk whole.img disk.img
zero disk.img 0 $((34 * 512))
zero disk.img $(($(stat -c %s disk.img) - 33 * 512)) $((33 * 512))
exits "refused as a guess" 3 "$VMFSKIT" repair table disk.img --no-captures --store store
has "refused as a guess: the command to paste" "$(pasted)" ' --override guess --plan [0-9a-f]{32} --write$'
eval "set -- $(pasted)"
ok "refused as a guess: carried out as pasted" "$VMFSKIT" "$@"
has "refused as a guess: written" "$OUT" '^written, flushed and read back$'

# a plan that a guard refuses has its digest, too: it is the one that is carried out when the guard is lifted
copy_disk whole.img disk.img
zero disk.img 0 $((34 * 512))
truncate -s +1M disk.img
exits "refused by another guard" 3 "$VMFSKIT" restore --store store "$id" disk.img
is "refused by another guard: no command that lifts it" "$(pasted)" ""
digest=$(shown)
ok "refused by another guard: lifted, as shown" "$VMFSKIT" restore --store store "$id" disk.img --override size --plan "$digest" --write

# a device is known by what the kernel calls it, not by its path
need_root "a device of another WWID"
copy_disk whole.img disk.img
zero disk.img 0 $((34 * 512))
if ! unshare -m true 2>/dev/null || ! loop=$(loop_attach disk.img); then
	skip "a device of another WWID" "no loop device or no namespace of mounts here"
	exit 0
fi
number=$(lsblk -dno MAJ:MIN "$loop" | tr -d ' ')
mkdir -p "fake/$number/holders" "fake/$number/slaves"
# as WWID COMMAND...: the kernel calls the device by this name
as() {
	echo "$1" >"fake/$number/wwid"
	shift
	unshare -m bash -c 'mount --bind fake /sys/dev/block && "$@"' bash "$@"
}
own=$(jq -r '.partitions[0].disk_id' "store/$id/manifest.json")
ok "a device: its plan" as "$own" "$VMFSKIT" restore --store store "$id" "$loop"
digest=$(shown)
exits "a device of another WWID at this path" 3 \
	as naa.6999999999999999999999999999bbbb "$VMFSKIT" restore --store store "$id" "$loop" --plan "$digest" --write
has "a device of another WWID at this path: by name" "$ERR" '^guard plan refuses: '
ok "a device: carried out as shown" \
	as "$own" "$VMFSKIT" restore --store store "$id" "$loop" --plan "$digest" --write
