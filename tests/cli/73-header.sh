#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The real VMFS3 volume with every header field damaged, with headers gone: repaired, and read by debugvmfs and vmfs-fuse.
. "$(dirname "$0")/../lib.sh"

PATH=$PATH:/usr/sbin:/sbin
if [ -z "$SHARED" ] || [ ! -f "$SHARED/data/vmfs3-esx35-volume/partition.img.xz" ]; then
	skip "repairs of the real volume" "the real volume is not here"
	exit 0
fi
need debugvmfs xz perl
# a folder in memory: every repair is flushed many times
work=$(big_dir) && cd "$work" || exit 1
unpack "$SHARED/data/vmfs3-esx35-volume/partition.img.xz" whole.img
HEAD=$((0x1400000)) # nothing behind it is damaged here but by name

files='.fbb.sf .fdc.sf .pbc.sf thin.vmdk thick.vmdk zeroedthick.vmdk eagerzeroedthick.vmdk'
disks='.sbc.sf thin-flat.vmdk thick-flat.vmdk zeroedthick-flat.vmdk eagerzeroedthick-flat.vmdk'
sums() { # IMAGE FILE...
	local image=$1 file
	shift
	for file; do printf '%s %s\n' "$file" "$(debugvmfs "$image" cat "/$file" 2>/dev/null | sha256sum)"; done
}
# the root, small files whole, and where blocks of large ones lie
quick() {
	local at
	debugvmfs "$1" ls -l / 2>/dev/null
	# shellcheck disable=SC2086
	sums "$1" $files
	for at in 0 33554432 67000000; do debugvmfs "$1" get_file_block /.sbc.sf $at 2>/dev/null; done
}
quick whole.img >whole.quick
# shellcheck disable=SC2086
sums whole.img $files $disks >whole.sums
has "debugvmfs reads the volume" whole.quick 'eagerzeroedthick-flat\.vmdk$'
is "debugvmfs finds blocks of files" "$(tail -n 3 whole.quick | sort -u | grep -c .)" 3

# everything in front of HEAD as it was
fresh() {
	[ -f t.img ] || cp --sparse=always whole.img t.img
	dd if=whole.img of=t.img bs=1M count=$((HEAD >> 20)) conv=notrunc status=none
}
# zero OFFSET LENGTH; invert OFFSET LENGTH
zero() { dd if=/dev/zero of=t.img bs=64K oflag=seek_bytes iflag=count_bytes seek="$1" count="$2" conv=notrunc status=none; }
invert() {
	dd if=t.img bs=64K iflag=skip_bytes,count_bytes skip="$1" count="$2" status=none | perl -0777 -pe '$_ = ~$_' |
		dd of=t.img bs=64K oflag=seek_bytes seek="$1" conv=notrunc status=none
}
repair() { run "$VMFSKIT" repair header t.img --start 0 --verbose --write --store store "$@"; }

# --- magics, and whole structures --------------------------------------------------------------------------
# whole NAME EXPECTED-CODE [OPTION]...: the volume repaired, its files read; with $all also the large ones
whole() {
	local name=$1 code=$2
	shift 2
	repair "$@"
	cp "$OUT" said
	if [ "$CODE" -ne "$code" ] || insane; then
		fail "$name: repair" "exit code $CODE"
		explain repair "$@"
		return
	fi
	pass "$name: repair"
	# shellcheck disable=SC2086
	[ -z "$all" ] || is "$name: every file's SHA-256 is what it was" "$(sums t.img $files $disks)" "$(cat whole.sums)"
	is "$name: the root is what it was" "$(quick t.img)" "$(cat whole.quick)"
	run "$VMFSKIT" repair header t.img --start 0 --likely
	has "$name: a second run has nothing to do" "$OUT" '^nothing to repair: nothing was written$'
}
all=
exact() { is "$1: every byte is what it was" "$(cmp -n $HEAD whole.img t.img 2>&1)" ""; }

fresh && zero $((0x100000)) 4
is "LVM magic: debugvmfs cannot read it before" "$(debugvmfs t.img ls / 2>/dev/null)" ""
whole "LVM magic" 0
exact "LVM magic"
fresh && zero $((0x1300000)) 4
whole "descriptor magic" 0
exact "descriptor magic"
fresh && zero $((0x100000)) 4 && zero $((0x1300000)) 4
all=yes
whole "both magics" 0
exact "both magics"
all=
fresh && invert $((0x180600)) 512 && invert $((0x180200)) 8
whole "PE bitmap and table" 0 --override guess
exact "PE bitmap and table"

fresh && zero $((0x100000)) $((0x1000000))
repair
is "LVM region gone: a guess is not written without being asked" "$CODE" 3
has "LVM region gone: which guard" "$ERR" 'guard guess refuses'
all=yes
whole "LVM region gone" 0 --override guess
has "LVM region gone: fresh fields are named" said '^ +fresh: made new$'
has "LVM region gone: one copy alone is a guess" said '^ +usual: volInfo of the file-system descriptor, the one copy that is left$'
has "LVM region gone: what is lost is told" said '^lost +the UUID of the device \(devID\)'
cp said said.first
fresh && zero $((0x100000)) $((0x1000000))
repair --override guess
is "LVM region gone: the same on every run" "$(grep -A1 -E 'devID|initTimeUS' "$OUT")" "$(grep -A1 -E 'devID|initTimeUS' said.first)"
if [ "$(id -u)" -eq 0 ] && [ -c /dev/fuse ] && command -v vmfs-fuse >/dev/null && mkdir -p mnt && vmfs-fuse t.img mnt 2>/dev/null; then
	echo "$work/mnt" >>"$TMP/.mounts"
	is "LVM region gone: vmfs-fuse reads the same" "$(cd mnt && sha256sum thick-flat.vmdk thin.vmdk | cut -d ' ' -f 1)" \
		"$(for f in thick-flat.vmdk thin.vmdk; do grep "^$f " whole.sums | cut -d ' ' -f 2; done)"
	umount mnt && : >"$TMP/.mounts"
else
	skip "LVM region gone: vmfs-fuse reads the same" "no fuse here"
fi
fresh && zero $((0x1300000)) 512
whole "descriptor gone" 0 --override guess
has "descriptor gone: what is lost is told" said "^lost +the datastore's UUID is lost"
fresh && zero $((0x1300000)) 512
repair --override guess --label toto
has "descriptor gone: the label that was given" "$OUT" 'fsLabel.*"toto"'
fresh && zero $((0x100000)) $((0x1000000)) && zero $((0x1300000)) 512
whole "LVM region and descriptor gone" 0 --override guess
has "LVM region and descriptor gone: told" said '^lost +the UUID of the LVM volume is lost'

# --- every single field ------------------------------------------------------------------------------------
# rows NAME: offset (hexadecimal), size, field of that structure, from the page that is made of its layout
rows() {
	perl -ne '$in = 1 if /^`'"$1"'`/; $in = 0 if /^#/;
		print "$1 $2 $3\n" if $in && /^\| 0x([0-9a-f]+) \| (\d+) \| `(\w+)`/' "$ROOT/docs/format.md"
}
# mended FIELD HOW: read as before; exact, or said to be not
mended() {
	local name="$1, $2" told
	# that it would be another volume or LUN is what some of the fields say
	repair --override guess --override device-uuid --override volume-uuid --override disk-id
	told=$(cat "$OUT")
	if [ "$CODE" -gt 1 ] || insane; then
		fail "$name: repair" "exit code $CODE"
		explain repair
	elif ! quick t.img | cmp -s - whole.quick; then
		fail "$name: debugvmfs reads something else" "$(quick t.img | diff - whole.quick | head -n 10)"
	elif cmp -s -n $HEAD whole.img t.img; then
		exact=$((exact + 1))
	elif grep -qE "^lost " <<<"$told" || grep -qE "^note .*\b$1\b" <<<"$told" ||
		grep -A1 -E ", $1: " <<<"$told" | grep -qE '^ +(usual|fresh): '; then
		said=$((said + 1))
	else
		fail "$name: not exact, and nothing says so" "$(cmp -l -n $HEAD whole.img t.img | head -n 8)"
	fi
}
fields() { # STRUCTURE OFFSET
	local at size field
	exact=0 said=0
	while read -r at size field; do
		fresh && invert $(($2 + 0x$at)) "$size"
		mended "$field" inverted
	done < <(rows "$1" | grep -v ' diskID$' | head -n "$3")
	echo "# $1: $exact mended exactly, $said told as not exact"
	is "$1: every field was looked at" $((exact + said)) "$3"
}
fields LVM_DevMetadata $((0x100000)) 21
fields SCSI_DiskId $((0x10000C)) 9
fields LVM_VolDescriptor $((0x100200)) 16
# what lies behind subBlockSize is zero on this volume, and nothing needs it
fields FS3_Descriptor $((0x1300000)) 16
