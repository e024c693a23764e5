#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Volumes that cannot be read wholly, or are in use: what is not known is said, and is no success.
. "$(dirname "$0")/../lib.sh"
need jq
cd "$TMP" || exit 1

printf 'folder /many entries=300 names=aaaa\nfile /b size=10 content=pattern\n' >recipe
ok "a volume of VMFS5" "$LAB" make --table none --vmfs 5 --size 3G --files recipe d5
ok "a volume of VMFS6" "$LAB" make --table none --vmfs 6 --size 6G --files recipe d6
[ -c /dev/fuse ] && [ "$(id -u)" = 0 ] && type -P fusermount3 >/dev/null && mkdir m
trap 'code=$?; [ ! -d m ] || fusermount3 -uq m; (exit $code); cleanup' EXIT
for d in d5 d6; do
	"$VMFSKIT" ls $d /many | sort >all
	at=$("$VMFSKIT" map --json $d /many | jq '.extents[0].device_offset')
	if [ $d = d5 ]; then at=$((at + 8192)); else at=$((at + 81920)); fi
	# the map of ddrescue; the device itself
	printf '0 ?\n0 %d +\n%d 8192 -\n%d %d +\n' $at $at $((at + 8192)) \
		$(($(stat -c %s $d) - at - 8192)) >map
	for how in mapfile device; do
		if [ $how = mapfile ]; then
			tool=("$VMFSKIT") map=(--mapfile map)
		else
			tool=(env VMFSKIT_TEST_BAD=$at+8192 "$HOOKS") map=()
		fi
		exits "$d, $how: ls of a folder that cannot be read wholly" 1 "${tool[@]}" ls "${map[@]}" $d /many
		has "$d, $how: the folder is named" "$ERR" '[0-9]+ bytes of the folder /many cannot be read: names may be missing'
		sort "$OUT" >some
		ok "$d, $how: the other names are there" test -s some
		gone=$(comm -23 all some | head -n 1)
		ok "$d, $how: some are not" test -n "$gone"
		exits "$d, $how: ls -R" 1 "${tool[@]}" ls -R "${map[@]}" $d
		exits "$d, $how: check" 1 "${tool[@]}" check "${map[@]}" $d
		hasnt "$d, $how: check does not say that all is well" "$OUT" 'No damage'
		for verb in stat cat; do
			exits "$d, $how: $verb of a name that may be there" 4 "${tool[@]}" $verb "${map[@]}" $d "/many/$gone"
			has "$d, $how: $verb: what is known" "$ERR" "\"$gone\" is not among the names .* bytes of the folder cannot be read"
		done
		ok "$d, $how: stat of another name" "${tool[@]}" stat "${map[@]}" $d "/many/$(head -n 1 some)"
		[ -d m ] || continue
		run "${tool[@]}" mount "${map[@]}" $d m
		[ "$CODE" = 0 ] || continue
		exits "$d, $how, mounted: ls" 2 ls m/many
		has "$d, $how, mounted: an error of the device" "$ERR" 'Input/output error'
		is "$d, $how, mounted: the names that are there" "$(grep -v '^\.\.\?$' "$OUT" | sort)" "$(cat some)"
		exits "$d, $how, mounted: a name that may be there" 1 stat "m/many/$gone"
		has "$d, $how, mounted: that, too" "$ERR" 'Input/output error'
		exits "$d, $how, mounted: no such name" 1 stat m/nosuch
		has "$d, $how, mounted: it is not there" "$ERR" 'No such file'
		fusermount3 -u m
	done
done
# a dump that ends inside the folder
run "$VMFSKIT" map --json d5 /many
head -c $(($(jq '.extents[0].device_offset' "$OUT") + 8192)) d5 >cut
ok "ls of a folder that the dump does not hold wholly" "$VMFSKIT" ls cut /many
exits "a name that may lie behind the end of the dump" 4 "$VMFSKIT" stat cut /many/nosuch
has "that is said" "$ERR" '"nosuch" is not among the names .* bytes of the folder are not in the source'
exits "no such name" 4 "$VMFSKIT" stat d5 /many/nosuch
has "that is known" "$ERR" 'no file "nosuch" is in the folder'
# a sector of a file descriptor; that file is not there, the check is not whole
at=$("$VMFSKIT" stat --json d5 /b | jq '.files[0].device_offset')
exits "check of a volume with a file descriptor that cannot be read" 1 env VMFSKIT_TEST_BAD="$at+4096" "$HOOKS" check d5
hasnt "it does not say that all is well" "$OUT" 'No damage'
has "it says what cannot be read" "$ERR" 'source.unreadable: [0-9]+ bytes cannot be read'

# --- a volume that hosts use: what is read may be of two moments -------------------------------------------------------
printf 'file /b size=3M content=pattern lock=exclusive:0\n' >recipe
ok "a volume that two hosts use" "$LAB" make --table none --vmfs 6 --size 6G --live 2 --files recipe live
for verb in "cp live /b b" "cat live /b" "map --dd live /b" "check live" "ls live"; do
	# shellcheck disable=SC2086
	run "$VMFSKIT" $verb
	is "$verb: who may be alive, once" "$CODE $(grep -cE '^vmfskit: note: in use by 2 hosts that may be alive \(MAC [0-9a-f:]+, IP [0-9.]+; MAC [0-9a-f:]+, IP [0-9.]+\): what is read may be of two moments$' "$ERR")" "0 1"
done
# a slot whose address is none
"$VMFSKIT" decode --json live | jq -r '.sources[0].vmfs[0].heartbeats.in_use[0] | .slot, .ip' >slot
at=$(head -c 40M live | grep -abo -F "$(tail -n 1 slot)" | head -n 1 | cut -d : -f 1)
cp --sparse=always live live2
printf 'n\377\033[2Jsense' | dd of=live2 bs=1 seek="$at" conv=notrunc status=none
run "$VMFSKIT" ls live2
has "no nonsense is printed as an address" "$ERR" "in use by 2 hosts that may be alive \(heartbeat slot $(head -n 1 slot), which is damaged; MAC [0-9a-f:]+, IP [0-9.]+\):"
run "$VMFSKIT" ls d6
hasnt "nothing of it where no host has a heartbeat" "$ERR" 'may be alive'

# --- a disk that does not answer where metadata lies ------------------------------------------------------------------
at=$("$VMFSKIT" map --json d5 /many | jq '.extents[0].device_offset')
for verb in "ls d5 /many" "stat d5 /many/aaaa1" "check d5" "cat d5 /many/aaaa1" "cp -r d5 / out"; do
	# shellcheck disable=SC2086
	exits "$verb of a disk that does not answer" 4 timeout 60 env VMFSKIT_TEST_STUCK=d5 VMFSKIT_TEST_STUCK_AT="$at" \
		"$HOOKS" ${verb%% *} --timeout 1 ${verb#* }
	has "$verb: it is given up" "$ERR" '^vmfskit: the device did not answer for 1 s and was given up \(d5\)$'
done
