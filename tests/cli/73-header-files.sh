#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Volumes of the lab, all versions, without headers and heartbeats: repaired, and listed by readers of others as before.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
PATH=$PATH:/usr/sbin:/sbin
need debugvmfs cmp perl

LVM=$((0x100000)) FS=$((0x1300000)) BEATS=$((0x1400000))
# a folder in memory: every repair is flushed many times
dir=$(big_dir) || exit 1
image=$dir/damaged.img whole=$dir/whole.img store=$dir/store

# invert OFFSET LENGTH
invert() {
	perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; sysseek($f, $ARGV[1], 0); sysread($f, my $b, $ARGV[2]) == $ARGV[2] or die;
		sysseek($f, $ARGV[1], 0); syswrite($f, ~$b)' "$image" "$1" "$2"
}
# repair NAME: exit code 0, or 1 when something stays lost
repair() {
	run "$VMFSKIT" repair header --start 0 --write --override guess --store "$store" --no-captures "$image"
	if [ "$CODE" -le 1 ] && ! insane; then pass "$1: repaired"; else
		fail "$1: repaired" "exit code $CODE"
		explain repair
	fi
}
same_bytes() { cmp -n $((0x1900000)) "$whole" "$image"; }
fresh() { cp --sparse=always "$whole" "$image"; }

for version in 3 5 6 6l; do
	judge=debugvmfs
	case $version in
	6*) judge=debugvmfs6 ;;
	esac
	command -v $judge >/dev/null || { skip "VMFS$version" "there is no $judge"; continue; }
	ok "VMFS$version" "$LAB" make --overwrite --table none --vmfs $version --vmfs-size 20G --label before "$whole"
	$judge "$whole" ls -l / >"$TMP/all" 2>/dev/null
	has "VMFS$version: $judge lists it" "$TMP/all" '\.fbb\.sf$'
	fresh
	invert $LVM 4 && invert $FS 4
	repair "VMFS$version: both magics"
	ok "VMFS$version: both magics: the same bytes" same_bytes
	for what in "LVM region:$LVM:$((0x1000000))" "descriptor:$FS:512" "both:$LVM:$((FS + 512 - LVM))"; do
		name="VMFS$version: ${what%%:*} zeroed" at=${what#*:}
		fresh
		zero "$image" "${at%:*}" "${at#*:}"
		$judge "$image" ls -l / >"$TMP/now" 2>/dev/null
		hasnt "$name: $judge cannot read it" "$TMP/now" '\.fbb\.sf$'
		repair "$name"
		has "$name: what is not exact is said" "$OUT" '^ +fresh: '
		$judge "$image" ls -l / >"$TMP/now" 2>/dev/null
		same "$name: $judge lists it again" "$TMP/all" "$TMP/now"
	done
	# a slot in the middle that no host has used, then all
	fresh
	zero "$image" $((BEATS + 4096 * 200)) 4096
	repair "VMFS$version: heartbeat slots"
	has "VMFS$version: heartbeat slots are told" "$OUT" '^ +heartbeat region: mended: [18] of [0-9]+ slots '
	zero "$image" $BEATS $((0x100000))
	repair "VMFS$version: heartbeats"
	run "$VMFSKIT" decode --as partition "$image"
	hasnt "VMFS$version: no heartbeat is damaged" "$OUT" 'heartbeat\.(state|address)'
	run "$VMFSKIT" repair header --start 0 --store "$store" --no-captures "$image"
	has "VMFS$version: a second run finds nothing to do" "$OUT" "^nothing to repair"
done

# a slot in use is never touched, not even one that lies about its place
ok "a volume in use" "$LAB" make --overwrite --table none --vmfs 5 --vmfs-size 20G --live 1 "$whole"
fresh
slot=$(head -c $((0x1500000)) "$image" | LC_ALL=C grep -obUaP '\x02\xef\xcd\xab' | head -n 1 | cut -d : -f 1)
invert $((slot + 4)) 1
run "$VMFSKIT" repair header --start 0 --structure heartbeats --store "$store" --no-captures "$image"
has "a slot in use that lies about its place stays" "$OUT" "^nothing to repair"
has "and is told" "$OUT" "1 heartbeat slot is marked as in use"
