#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Headers are damaged in every way and repaired; then readers of others must find the same files with the same contents.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
PATH=$PATH:/usr/sbin:/sbin
need debugvmfs cmp

LVM=$((0x100000)) FS=$((0x1300000))
dir=$(big_dir) || dir=$TMP
image=$dir/damaged.img whole=$dir/whole.img store=$dir/store

# put_back OFFSET LENGTH: the bytes of the sound image
put_back() {
	dd if="$whole" of="$image" bs=4096 iflag=skip_bytes,count_bytes oflag=seek_bytes skip="$1" seek="$1" count="$2" \
		conv=notrunc status=none
}
# all that these tests damage
heal() {
	put_back $LVM $((0x200000))
	put_back $FS 512
}
# invert OFFSET LENGTH
invert() {
	perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; sysseek($f, $ARGV[1], 0); sysread($f, my $b, $ARGV[2]) == $ARGV[2] or die;
		sysseek($f, $ARGV[1], 0); syswrite($f, ~$b)' "$image" "$1" "$2"
}
# repair NAME [GUARD]: exit code 0, or 1 when something stays lost
repair() {
	run "$VMFSKIT" repair header --start 0 --write --override guess ${2:+--override "$2"} --store "$store" --no-captures "$image"
	if [ "$CODE" -le 1 ] && ! insane; then pass "$1: repaired"; else
		fail "$1: repaired" "exit code $CODE"
		explain repair
	fi
}
# same_header: LVM region and descriptor are what they were
same_header() { cmp -s -i $LVM -n $((0x200000)) "$whole" "$image" && cmp -s -i $FS -n 512 "$whole" "$image"; }
# exact_or_told NAME FIELD: the headers are what they were, or the output says of the field that they are not
exact_or_told() {
	same_header && { pass "$1: the same bytes"; return; }
	has "$1: not the same bytes, and it is said" "$OUT" "$2"
}
small_files() { debugvmfs "$image" ls / 2>&1 && for file in thin thick zeroedthick eagerzeroedthick; do debugvmfs "$image" cat /$file.vmdk; done; } 2>/dev/null
all_files() { small_files && for file in thin thick zeroedthick eagerzeroedthick; do debugvmfs "$image" cat /$file-flat.vmdk 2>/dev/null | sha256sum; done; }

# fields LAYOUT: "NAME OFFSET LENGTH" of each row of a public header
fields() {
	sed -n "s/^\tF(T, [A-Z0-9]*, \([A-Za-z0-9]*\), 0x\([0-9A-F]*\), \([0-9]*\), .*/\1 \2 \3/p" <(sed -n "/define VK_$2_ROWS/,/^\$/p" "$ROOT/include/vmfskit/$1.h")
}

if [ -n "$SHARED" ]; then
	unpack "$SHARED/data/vmfs3-esx35-volume/partition.img.xz" "$whole"
	copy_disk "$whole" "$image"
	small_files >"$TMP/small"
	all_files >"$TMP/all"
	ok "the real volume has files" grep -q '^# Disk DescriptorFile' "$TMP/small"

	count=0
	while read -r header rows at; do
		while read -r name offset length; do
			case $name in
			magic | pad* | reserved*) continue ;;
			esac
			count=$((count + 1))
			invert $((at + 0x$offset)) "$length"
			guard=''
			# a UUID that is made new is that of another volume
			[ "$rows.$name" != FS_DESCRIPTOR.uuid ] || guard=volume-uuid
			repair "$rows.$name" $guard
			exact_or_told "$rows.$name" "$([ "$name" = diskID ] && echo "disk id" || echo "$name")"
			small_files >"$TMP/now"
			same "$rows.$name: the files are there" "$TMP/small" "$TMP/now"
			heal
		done < <(fields "$header" "$rows")
	done <<-ROWS
		lvm LVM_DEVICE $LVM
		lvm LVM_VOLUME $((LVM + 512))
		fs_descriptor FS_DESCRIPTOR $FS
	ROWS
	ok "there were fields" [ "$count" -gt 60 ]

	invert $LVM 4 && invert $FS 4
	repair "both magics"
	ok "both magics: the same bytes" same_header
	heal
	for what in "LVM region:$LVM:$((0x1000000))" "descriptor:$FS:512" "both:$LVM:$((FS + 512 - LVM))" "heartbeats:$((FS + 0x100000)):$((0x100000))"; do
		name=${what%%:*} at=${what#*:}
		zero "$image" "${at%:*}" "${at#*:}"
		repair "$name zeroed"
		[ "$name" = heartbeats ] || has "$name zeroed: it says what is not exact" "$OUT" "^lost |fresh:"
		all_files >"$TMP/now"
		same "$name zeroed: every file is there with its contents" "$TMP/all" "$TMP/now"
		# with exit code 1 as long as the LUN's id, for one, is not known
		run "$VMFSKIT" repair header --start 0 --store "$store" --no-captures "$image"
		has "$name zeroed: a second run finds nothing to do" "$OUT" "^nothing to repair"
		heal
		put_back $((FS + 0x100000)) $((0x100000))
	done
	rm -f "$image" "$whole"
else
	skip "the real volume" "it is not here"
fi

# volumes of the lab: what others list afterwards is what they listed before
for version in 3 5 6 6l; do
	judge=debugvmfs
	case $version in
	6*) judge=debugvmfs6 ;;
	esac
	command -v $judge >/dev/null || { skip "VMFS$version" "there is no $judge"; continue; }
	ok "VMFS$version" "$LAB" make --overwrite --table none --vmfs $version --vmfs-size 20G --live 2 --label before "$whole"
	copy_disk "$whole" "$image"
	$judge "$whole" ls -l / >"$TMP/all" 2>/dev/null
	has "VMFS$version: $judge lists it" "$TMP/all" '\.fbb\.sf$'
	invert $LVM 4 && invert $FS 4
	repair "VMFS$version: both magics"
	ok "VMFS$version: both magics: the same bytes" same_header
	for what in "LVM region:$LVM:$((0x1000000))" "descriptor:$FS:512" "both:$LVM:$((FS + 512 - LVM))"; do
		name="VMFS$version: ${what%%:*} zeroed" at=${what#*:}
		zero "$image" "${at%:*}" "${at#*:}"
		$judge "$image" ls -l / >"$TMP/now" 2>/dev/null
		hasnt "$name: $judge cannot read it" "$TMP/now" '\.fbb\.sf$'
		repair "$name"
		$judge "$image" ls -l / >"$TMP/now" 2>/dev/null
		same "$name: $judge lists it again" "$TMP/all" "$TMP/now"
		cp --sparse=always "$whole" "$image"
	done
done
