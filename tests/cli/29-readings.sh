#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a disk really is: each way in which a LUN can come wrapped, displaced or counted, sound and damaged, to each verb that judges.
# All of them name the same reading, and nobody plans to write to what is not the disk itself.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/disk.sh"
. "$ROOT/tests/wrap.sh"
PATH=$PATH:/usr/sbin:/sbin
cd "$TMP" || exit 1

# doctor and repair without waiting for heartbeats, and without captures
doctor() { "$VMFSKIT" doctor --store none --heartbeat-wait 0 "$@"; }
repair() { "$VMFSKIT" repair table --no-captures --heartbeat-wait 4 --store undo "$@"; }

best() { jq -r "$1.readings[0].kind" "$OUT"; }

# the same to all verbs: KIND is the reading that is right
judge() { # NAME FILE KIND
	local name=$1 file=$2 kind=$3 before code
	before=$(disk_state "$file")
	run "$VMFSKIT" decode --json "$file"
	code=$CODE
	is "$name: decode names it" "$(best '.sources[0]')" "$kind"
	run doctor --json "$file"
	code="$code $CODE"
	is "$name: doctor names the same" "$(best '.sources[0]')" "$kind"
	if [ "$kind" != disk ]; then
		is "$name: doctor advises no repair" "$(jq -r '[.. | .command? // empty | select(test("vmfskit (repair|restore)") and
			(test("--convert-sectors") | not))] | join("; ")' "$OUT")" ""
	fi
	run "$VMFSKIT" find --no-store --json "$file"
	code="$code $CODE"
	is "$name: find names the same" "$(best '')" "$kind"
	is "$name: find ends as decode does, doctor too or says that captures are not known" \
		"$(sed -E 's/^(.) (\1|4) \1$/same/' <<<"$code")" same
	run doctor "$file"
	has "$name: in words" "$OUT" "^This (is|is likely|may be) "
	run "$VMFSKIT" decode "$file"
	has "$name: decode, in words" "$OUT" "^This (is|is likely|may be) "
	run "$VMFSKIT" find --likely --no-store "$file"
	has "$name: find, in words" "$OUT" "^This (is|is likely|may be) "
	rm -rf undo
	run repair "$file"
	code="$code $CODE"
	case $kind in
	disk) hasnt "$name: repair table looks at it" "$ERR" "guard (reading|member)" ;;
	*) is "$name: repair table refuses" "$CODE" 3
	   has "$name: repair table says why" "$ERR" "guard (reading|member|container) refuses: this is"
	   run repair --write "$file"
	   is "$name: nothing is written" "$CODE" 3 ;;
	esac
	is "$name: no verb fails inside" "$(grep -c '\b5\b' <<<"$code")" 0
	is "$name: the disk is as it was" "$(disk_state "$file")" "$before"
}

"$LAB" make --size 300M sound.img >/dev/null || exit 1
copy_disk sound.img table.img
size=$(stat -c %s sound.img)
zero table.img 0 $((34 * 512))
zero table.img $((size - 33 * 512)) $((33 * 512))
copy_disk sound.img header.img
zero header.img $((2048 * 512 + (1 << 20))) 512

right() { # KIND STATE: the reading
	case $1 in
	raw) echo disk ;;
	# of a mirror each disk holds all of it
	md-1.2 | md-1.1 | md-1.0 | lvm2 | partition) echo carrier ;;
	ddf) echo member ;;
	stride-520) echo stride ;;
	# without the table that says where the volume begins, it may as well begin there
	shift*) [ "$2" = table ] && echo disk || echo shifted ;;
	esac
}
for kind in raw md-1.2 md-1.1 md-1.0 lvm2 ddf partition stride-520 shift+4096 shift-4096; do
	for state in sound table header; do
		wrap $kind $state.img wrapped.img || { fail "$kind" "cannot be made"; continue; }
		judge "$kind, $state" wrapped.img "$(right $kind $state)"
	done
done

# a host that counts in other sectors than the table
if need_root "sectors of another size"; then
	"$LAB" make --size 300M --sector-size 4096 --vmfs 6 wide.img >/dev/null || exit 1
	copy_disk wide.img wide-table.img
	zero wide-table.img 0 $((6 * 4096))
	zero wide-table.img $((size - 5 * 4096)) $((5 * 4096))
	copy_disk wide.img wide-header.img
	start=$("$VMFSKIT" decode --json wide.img | jq '.sources[0].table.partitions[0].start_sector')
	zero wide-header.img $((start * 4096 + (1 << 20))) 512
	for state in '' -table -header; do
		device=$(loop_attach wide$state.img --sector-size 512) || continue
		judge "4096 on 512, ${state:-sound}" "$device" "$([ "$state" = -table ] && echo disk || echo units)"
		loop_detach "$device"
	done
	for state in sound table header; do
		device=$(loop_attach $state.img --sector-size 4096) || continue
		judge "512 on 4096, $state" "$device" "$([ $state = table ] && echo disk || echo units)"
		loop_detach "$device"
	done
fi

# what is no copy of a disk as it was: find says what to do, as decode does
wrap shift+4096 sound.img wrapped.img || exit 1
exits "a copy that gained bytes: find" 1 "$VMFSKIT" find --no-store wrapped.img
has "find: copy it again" "$OUT" '^  next +copy the disk again; nothing on the disk itself is known to be damaged$'
exits "in JSON" 1 "$VMFSKIT" find --no-store --json wrapped.img
is "find: the finding" "$(jq -c '[.agrees, [.findings[].code]]' "$OUT")" '[true,["source.shifted"]]'
ok "the sound disk: find" "$VMFSKIT" find --no-store --json sound.img
is "find: nothing of the source" "$(jq -c '[.agrees, .findings]' "$OUT")" '[true,[]]'
# the same for what else can be named: EXIT-CODE FILE
truncate -s 64M blank.img
cp /etc/passwd text.txt
gzip -c sound.img >sound.gz
head -c 26M sound.img >part.img
hexdump -C -s 0x200000 -n 4096 sound.img >list.txt
while read -r code file; do
	exits "decode: $file" "$code" "$VMFSKIT" decode "$file"
	exits "find: $file" "$code" "$VMFSKIT" find --no-store "$file"
done <<'END'
0 part.img
0 list.txt
1 text.txt
1 sound.gz
END
# a disk without anything is not what is looked for, and nothing to be found is no fault
ok "find: a blank disk" "$VMFSKIT" find --no-store blank.img
