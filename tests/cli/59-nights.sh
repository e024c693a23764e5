#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Thirty nights on 64 volumes in use: what the store grows by, that nothing is said, and that a change is one line.
. "$(dirname "$0")/../lib.sh"
dir=$(big_dir)
[ -n "$dir" ] || { skip "thirty nights" "no tmpfs for the disks"; exit 0; }
nights=30 volumes=64
case $BUILD in */asan*) nights=8 ;; esac

mkdir "$dir/luns" || exit 1
starts=(63 128 2048 20973535)
versions=(3 5 6)
for ((i = 0; i < volumes; i++)); do
	table=mbr
	[ $((i % 2)) -eq 0 ] || table=gpt
	"$LAB" make --table $table --vmfs "${versions[i % 3]}" --start "${starts[i % 4]}" --vmfs-size 2G --live 2 --seed $((i + 1)) \
		--label "store$i" --lun $((i % 200)) "$dir/luns/naa.6001$(printf '%012x' $i)" >"$OUT" 2>"$ERR" || {
		fail "a practice disk" "$(cat "$OUT" "$ERR")"
		exit 1
	}
done

night() { run "$VMFSKIT" capture --all --quiet --dev-dir "$dir/luns" --store "$dir/store" "$@"; }
used() { du -s --block-size=1 "$dir/store" | cut -f 1; }
# what the heartbeats of the newest captures take
newest_heartbeats() {
	find "$dir/store" -name '*heartbeats*.raw' -newer "$dir/stamp" -printf '%i %b\n' | sort -u | awk '{ sum += $2 * 512 } END { print sum + 0 }'
}

night
is "the first night" "$CODE" 0
full=$(used)
ok "the first night verifies" "$VMFSKIT" verify --store "$dir/store"

said='' codes='' worst=0
for ((n = 2; n <= nights; n++)); do
	for disk in "$dir"/luns/*; do "$LAB" beat "$disk" >/dev/null || exit 1; done
	before=$(used)
	touch "$dir/stamp"
	night
	said+=$(cat "$OUT" "$ERR")
	codes+=$CODE
	grown=$(($(used) - before - $(newest_heartbeats)))
	[ "$grown" -le "$worst" ] || worst=$grown
done
is "every night ended with 0" "${codes//0/}" ""
is "no night said anything" "$said" ""
if [ $((worst * 100)) -lt $((full * 5)) ]; then
	pass "no night took 5 % of a full capture beside the heartbeats ($((worst * 1000 / full)) per mille)"
else
	fail "no night took 5 % of a full capture beside the heartbeats" "$worst bytes of $full"
fi
is "as many captures as nights and volumes" "$("$VMFSKIT" list --no-verify --json --store "$dir/store" | jq '.captures | length')" \
	$((nights * volumes))
ok "all of it verifies" "$VMFSKIT" verify --store "$dir/store"
ok "and its ledger" "$VMFSKIT" verify --ledger --store "$dir/store"

# --- a change is one line ---------------------------------------------------------------------------
disks=("$dir"/luns/*)
poke() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
# where a field lies: PATH STRUCTURE FIELD is not needed, the places are fixed (docs/format.md)
partition_start() { "$VMFSKIT" decode --json "$1" | jq '.sources[0].table.partitions[0].start_sector * 512'; }
one_line() { # NAME PATTERN
	is "$1: exit code" "$CODE" 0
	is "$1: one line" "$(wc -l <"$OUT")" 1
	has "$1: which says it" "$OUT" "$2"
	is "$1: nothing on standard error" "$(cat "$ERR")" ""
}

# the LUN in the disk id: header + 0x0e
poke "${disks[0]}" $(($(partition_start "${disks[0]}") + 0x100000 + 0x0e)) '\x07'
night
one_line "a LUN" "${disks[0]##*/}.*LUN.* 0 -> 7"
night
is "and the night after nothing" "$(cat "$OUT" "$ERR")" ""

# the label: file-system descriptor + 0x1d
poke "${disks[1]}" $(($(partition_start "${disks[1]}") + 0x1100000 + 0x200000 + 0x1d)) 'Store1'
night
one_line "a label" "${disks[1]##*/}.*label \"store1\" -> \"Store1\""

# the end of the partition of an MBR, eight sectors less
sfdisk --dump "${disks[2]}" 2>/dev/null >"$TMP/table"
size=$(sed -n 's/.*size= *\([0-9]*\).*/\1/p' "$TMP/table" | head -n 1)
sed "s/size= *$size/size=$((size - 8))/" "$TMP/table" | sfdisk --no-reread --force -q "${disks[2]}" >/dev/null 2>&1
night
one_line "the end of an MBR partition" "${disks[2]##*/}.*partition 1.*end sector"

# the same on a GPT
sfdisk --dump "${disks[3]}" 2>/dev/null >"$TMP/table"
size=$(sed -n 's/.*size= *\([0-9]*\).*/\1/p' "$TMP/table" | head -n 1)
sed "s/size= *$size/size=$((size - 8))/" "$TMP/table" | sfdisk --no-reread --force -q "${disks[3]}" >/dev/null 2>&1
night
one_line "the end of a GPT partition" "${disks[3]##*/}.*partition 1.*end sector"

poke "${disks[4]}" $(($(partition_start "${disks[4]}") + 0x100000 + 0x0e)) '\x09'
night --fail-on-change
is "--fail-on-change" "$CODE" 1
