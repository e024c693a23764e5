#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The beginning of a disk, and a disk that was cut short: how much of it is here, what of the rest is not known, and that
# neither is taken for the other. The same disk whole stands beside each.
. "$(dirname "$0")/../lib.sh"
need jq hexdump
cd "$TMP" || exit 1
mkdir -m 700 nowhere # a store without captures

decode() { "$VMFSKIT" decode "$@"; }
doctor() { "$VMFSKIT" doctor --heartbeat-wait 0 --store nowhere "$@"; }
find_in() { "$VMFSKIT" find --no-store "$@"; }
table() { "$VMFSKIT" repair table --no-captures "$@"; }
# zero FILE OFFSET LENGTH
zero() { dd if=/dev/zero of="$1" bs=512 seek=$(($2 / 512)) count=$(($3 / 512)) conv=notrunc status=none; }
codes() { jq -r '[.findings[]?, .sources[].findings[]?] | map(select(.severity != "info").code) | unique | join(" ")' "$1"; }
# never NAME: what was said last accuses nobody of what is not in the source
never() {
	hasnt "$1: nothing is missing on the disk" "$OUT" 'backup-missing|shorter|shrunk|cut short|^error'
	hasnt "$1: no repair is offered" "$OUT" 'vmfskit repair'
}

# --- 26 MiB of a LUN of 500 GiB -------------------------------------------------------------------------------------
"$LAB" make --size 500G --vmfs 5 --label ds5 whole.img >/dev/null || exit 1
head -c 26M whole.img >part.img
ok "a dump of the beginning: decode" decode part.img
has "decode: how much" "$OUT" '^  holds less than 0\.01 % of the disk: the first 26 MiB of 500 GiB, by its GPT; what is here is sound$'
has "decode: absent is counted apart" "$OUT" '^Findings: what is here is sound: no errors, no warnings, 1 remark; 1 structure is not in the source$'
never decode
ok "a dump of the beginning: JSON of decode" decode --json part.img
is "JSON of decode: how much" "$(jq -c '.sources[0] | [.whole.bytes, .whole.at_least, .whole.by, .whole.cut_short, .not_in_source]' "$OUT")" '[536870912000,false,"its GPT",false,1]'
is "JSON of decode: the backup is absent, and no error" "$(jq -c '[.findings[] | select(.code == "structure.absent") | [.severity, .offset]]' "$OUT")" '[["info",536870911488]]'
is "JSON of decode: nothing is wrong" "$(codes "$OUT")" ""
ok "a dump of the beginning: doctor" doctor part.img
has "doctor: the answer" "$OUT" '^This is the first 26 MiB of 500 GiB, and what is here is sound\.$'
has "doctor: what next" "$OUT" '^  1\. Name the whole LUN, or dump more of it'
never doctor
ok "a dump of the beginning: JSON of doctor" doctor --json part.img
is "JSON of doctor" "$(jq -c '.sources[0] | [.findings[].code, .damaged, .whole.bytes, .volumes[0].label, .next[].command]' "$OUT")" '["incident.part",null,536870912000,"ds5",null]'
ok "a dump of the beginning: find" find_in part.img
has "find: the volume" "$OUT" '^Living: sector 2048, 1048573919 sectors'
has "find: how much" "$OUT" '^This file is the first 26 MiB of 500 GiB: .*name the whole LUN or dump more of it'
has "find: no ghost" "$OUT" '0 damaged, 0 ghosts'
never find
ok "a dump of the beginning: JSON of find" find_in --json part.img
is "JSON of find" "$(jq -c '[.agrees, .whole.bytes, (.candidates[] | [.standing, .absent_bytes, .length_exact]), .next]' "$OUT")" '[true,536870912000,["living",536843632128,true],[]]'
exits "a dump of the beginning: no table is planned for it" 1 table part.img
has "repair table: why" "$ERR" 'only a part of the disk is here, the first 26 MiB of 500 GiB, by its GPT, and a table needs its end'
has "repair table: what to do" "$ERR" '^  take the whole disk: a copy of all of it, or the LUN once it has its length of 536870912000 bytes again'

ok "the same LUN whole: decode" decode whole.img
has "whole: nothing is absent" "$OUT" '^Findings: sound: no errors, no warnings$'
hasnt "whole: no part" "$OUT" '^  holds'
ok "the same LUN whole: doctor" doctor --json whole.img
is "whole: JSON of doctor" "$(jq -c '.sources[0] | [.findings[].code, has("whole")]' "$OUT")" '[false]'
ok "the same LUN whole: find" find_in --likely --json whole.img
is "whole: JSON of find" "$(jq -c '[.agrees, has("whole"), (.candidates[0] | has("absent_bytes"))]' "$OUT")" '[true,false,false]'
ok "the same LUN whole: repair table" table whole.img

# --- what is here and damaged is still an error --------------------------------------------------------------------
cp part.img bad.img
printf '\377' | dd of=bad.img bs=1 seek=$((0x200000)) conv=notrunc status=none
exits "a part with a damaged header: decode" 1 decode bad.img
has "a part with a damaged header: both are said" "$OUT" '^Findings: [0-9]+ errors?, [0-9]+ warnings?.*; 1 structure is not in the source$'
hasnt "a part with a damaged header: not called sound" "$OUT" 'what is here is sound'
cp part.img wiped.img
zero wiped.img 0 $((34 * 512))
exits "a part with a wiped table: doctor" 1 doctor --json wiped.img
is "a part with a wiped table: what happened" "$(jq -c '.sources[0] | [[.findings[].code], .damaged.last_sector, .whole.at_least, .whole.by]' "$OUT")" \
	'[["incident.part","incident.table-lost"],1,true,"the volume at sector 2048"]'
has "a part with a wiped table: the answer" "$(jq -r '.sources[0].headline' "$OUT")" '^The partition table is gone.*headers are intact. This is only the first 26 MiB of at least 500 GiB'
is "a part with a wiped table: no repair" "$(jq -c '[.sources[0].next[].command | values]' "$OUT")" '[]'
exits "a part with a wiped table: find" 1 find_in wiped.img
has "a part with a wiped table: no ghost" "$OUT" '^Living: sector 2048, at least'
hasnt "a part with a wiped table: find offers no repair" "$OUT" 'vmfskit repair'
exits "a part with a wiped table: repair table" 1 table wiped.img
has "a part with a wiped table: why" "$ERR" 'by the volume at sector 2048, and a table needs its end'

# --- other pieces ---------------------------------------------------------------------------------------------------
head -c 600 whole.img >c.img
ok "a header that is cut in its sector" decode c.img
has "a header that is cut in its sector: how long the disk is says sector 0" "$OUT" 'of at least 500 GiB, by its protective MBR'
head -c 1024 whole.img >c.img
ok "a GPT header alone" decode c.img
has "a GPT header alone: of how much" "$OUT" 'the first 1 KiB of 500 GiB'
never "a GPT header alone"
ok "a GPT header alone: doctor" doctor c.img
has "a GPT header alone: the answer" "$OUT" '^This is the first 1 KiB of 500 GiB, and no VMFS volume was found in it\.$'
hexdump -C -n 1024 whole.img >c.txt
ok "the same as a listing" decode c.txt
has "the same as a listing: of how much" "$OUT" 'the first 1 KiB of 500 GiB'
{ hexdump -C -n 17408 whole.img; hexdump -C -s 0x200000 -n 1024 whole.img; } >c.txt
ok "two pieces in a listing" decode c.txt
has "two pieces in a listing: not the first" "$OUT" 'of the disk: 18 KiB of 500 GiB'
# sector 0 is not in it, or the entries of the GPT are not: what the table names is not known
hexdump -C -s 0x200000 -n 1536 whole.img >middle.txt
{ hexdump -C -n 1024 whole.img; cat middle.txt; } >headers.txt
for c in middle headers; do
	ok "$c: decode" decode $c.txt
	hasnt "$c: the table is not called empty" "$OUT" 'hidden-vmfs|not in the table|Partition table: none|^  damaged'
	ok "$c: doctor" doctor $c.txt
	hasnt "$c: nothing is lost" "$OUT" 'is gone|table-lost|in no table'
	has "$c: the volume" "$OUT" '^  sector 2048, .*, the table is not in the source$'
	ok "$c: JSON of doctor" doctor --json $c.txt
	is "$c: in JSON" "$(codes "$OUT")" ""
done
run decode middle.txt
has "middle: the table" "$OUT" '^Partition table: not in the source$'
run decode headers.txt
has "headers: the table" "$OUT" '^Partition table: gpt; its entries are not in the source, or not completely$'
has "headers: the header is proved" "$OUT" '^  whole .* GPT header \(primary\)$'
for n in 2098000 2621440 3M 5M 19M 22M; do
	head -c $n whole.img >c.img
	ok "the first $n: decode" decode c.img
	ok "the first $n: doctor" doctor c.img
	ok "the first $n: find" find_in c.img
	has "the first $n: find: living" "$OUT" '^Living: sector 2048'
done
dd if=part.img of=p.img bs=1M skip=1 status=none
ok "the beginning of a partition: decode" decode p.img
has "the beginning of a partition: of how much" "$OUT" '^  holds less than 0\.01 % of the partition: the first 25 MiB of 500 GiB, by its LVM header; what is here is sound$'
ok "the beginning of a partition: doctor" doctor p.img
has "the beginning of a partition: the answer" "$OUT" '^This is the first 25 MiB of .*, and what is here is sound\.$'
never "the beginning of a partition"
ok "the beginning of a partition: find" find_in p.img
has "the beginning of a partition: living" "$OUT" '^Living: sector 0'
dd if=part.img of=h.img bs=1M skip=2 count=4 status=none
ok "from the header on: decode" decode h.img
has "from the header on: absent is counted apart" "$OUT" '^Findings: what is here is sound: .*; 2 structures are not in the source$'
has "from the header on: of how much" "$OUT" '^  holds less than 0\.01 % of the partition: 4 MiB of 500 GiB'
dd if=part.img of=v.img bs=1M skip=18 count=3 status=none
ok "the beginning of a volume: decode" decode v.img
has "the beginning of a volume: absent is counted apart" "$OUT" '^Findings: what is here is sound: no errors, no warnings; 1 structure is not in the source$'
"$VMFSKIT" capture --store store whole.img >/dev/null
ok "a capture holds pieces, and all that it is for" decode store/2*
hasnt "a capture is no part" "$OUT" '^  holds'

# --- an MBR says where partitions end, and no more -----------------------------------------------------------------
"$LAB" make --table mbr --vmfs 3 --size 40G --start 128 mbr.img >/dev/null
for n in 512 32K 26M; do
	head -c $n mbr.img >c.img
	ok "an MBR, the first $n: decode" decode c.img
	has "an MBR, the first $n: of how much" "$OUT" 'of the disk: the first .* of at least '
	hasnt "an MBR, the first $n: nothing lies outside" "$OUT" 'entry-outside'
done
ok "an MBR, the first 26M: doctor" doctor c.img
has "an MBR: the answer" "$OUT" '^This is the first 26 MiB of at least .*, and what is here is sound\.$'
ok "an MBR, whole: doctor" doctor mbr.img
has "an MBR, whole: the answer" "$OUT" '^Nothing wrong was found\.$'

# --- where all extents are here, totalBytes alone is a wrong bit ---------------------------------------------------
dd if=mbr.img of=p.img bs=512 skip=128 conv=sparse status=none
total=$(od -An -tu1 -j $((0x10005E + 1)) -N 1 p.img)
printf "\\x$(printf %x $((total ^ 8)))" | dd of=p.img bs=1 seek=$((0x10005E + 1)) conv=notrunc status=none
run decode p.img
hasnt "a wrong bit in totalBytes: not called a part" "$OUT" 'what is here is sound'

# --- a copy that may have been cut short: a file does not tell ------------------------------------------------------
"$LAB" make --vmfs 6 --size 800M --vmfs-size 700M lun.img >/dev/null
cp --sparse=always lun.img short.img
truncate -s 500M short.img
ok "a file of 500 MiB of a LUN of 800 MiB" doctor short.img
has "it may be a copy: what lies behind its end" "$OUT" 'If it should be a whole copy, it was cut short \(the last 411648 sectors of partition 1 \(1 of 2 extents of its volume\) and the backup GPT\): copy again onto at least 838860800 bytes\.'
cp --sparse=always lun.img little.img
truncate -s $((799 << 20)) little.img
run decode --json little.img
is "only the backup GPT lies behind it" "$(jq -r '.sources[0].whole.missing' "$OUT")" "nothing but the backup GPT"
cp --sparse=always little.img again.img
truncate -s 800M again.img
exits "the end is there, and empty: that is an error" 1 decode again.img
has "the end is there, and empty: the backup is missing" "$OUT" '^error gpt\.backup-missing'

# --- real volumes ---------------------------------------------------------------------------------------------------
if [ -n "$SHARED" ]; then
	for real in vmfs3-esx35-volume/partition vmfs5-esxi-2021/disk-from-lba-2048 vmfs6-esxi-2021/disk-from-lba-2048; do
		unpack "$SHARED/data/$real.img.xz" real.img
		head -c 26M real.img >c.img
		ok "the first 26 MiB of ${real%%/*}" decode c.img
		has "the first 26 MiB of ${real%%/*}: how much" "$OUT" '^  holds .* of the partition: the first 26 MiB .*; what is here is sound$'
		run doctor c.img
		has "the first 26 MiB of ${real%%/*}: doctor" "$OUT" '^This is the first 26 MiB .*'
		never "the first 26 MiB of ${real%%/*}"
		ok "${real%%/*} whole" decode real.img
		hasnt "${real%%/*} whole: no part" "$OUT" '^  holds'
		rm real.img
	done
else
	skip "real volumes" "no ../shared"
fi

# --- a device has the size it has -----------------------------------------------------------------------------------
need_root "loop devices"
need losetup
device=$(loop_attach short.img) || exit 1
exits "a device that is too short: decode" 1 decode "$device"
has "a device that is too short: how much, and what lay there" "$OUT" '^error source\.cut-short: 314572800 bytes are missing at the end; they held the last 411648 sectors of partition 1 \(1 of 2 extents of its volume\) and the backup GPT$'
exits "a device that is too short: doctor" 1 doctor --json "$device"
is "a device that is too short: what happened" "$(jq -c '.sources[0] | [[.findings[].code], .headline, .whole.cut_short]' "$OUT")" '[["incident.lun-shrunk"],"The disk is shorter than what lies on it",true]'
has "a device that is too short: clone again" "$(jq -r '.sources[0].next[0].why' "$OUT")" 'clone again onto a LUN of at least the same length'
is "a device that is too short: no repair" "$(jq -r '[.sources[0].next[].command | values] | join("; ")' "$OUT")" "vmfskit capture $device --store nowhere"
exits "a device that is too short: find" 1 find_in --likely "$device"
has "a device that is too short: the volume does not fit it" "$OUT" 'ghost: reaches past the disk'
exits "a device that is too short: repair table" 3 table "$device"
loop_detach "$device"
device=$(loop_attach little.img) || exit 1
exits "a device without the room for the backup GPT: doctor" 1 doctor "$device"
has "only the backup GPT: said" "$OUT" 'bytes are missing; they held nothing but the backup GPT$'
next=$(sed -n 's/^  [0-9]\. vmfskit \(repair .*\)/\1/p' "$OUT")
is "only the backup GPT: the table may be fitted to it" "$next" "repair table $device --store nowhere"
ok "only the backup GPT: and that plans it" "$VMFSKIT" $next
has "only the backup GPT: the plan" "$OUT" '^result   decoded with these changes, nothing on the target is in error$'
loop_detach "$device"
device=$(loop_attach lun.img) || exit 1
ok "a device of the right length: doctor" doctor "$device"
has "a device of the right length: nothing" "$OUT" '^Nothing wrong was found\.$'
