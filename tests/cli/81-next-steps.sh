#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The next steps of doctor and find, run as they are printed, after every accident.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
. "$(dirname "$0")/../next_steps.sh"
PATH=$PATH:/usr/sbin:/sbin
need jq sfdisk mkfs.ext4
cd "$TMP" || exit 1

make_disk() { # NAME
	local table=${1%%-*} vmfs=${1##*-} start=2048
	[ "$table" != mbr ] || start=128
	"$LAB" make --overwrite --table "$table" --vmfs "$vmfs" --start $start --size 2G --label ds "$1.orig" >/dev/null
}
# the row of accidents, by the words of vmfskit-lab break
accidents() { # TABLE
	printf "%s\n" table magic header start ext4 ntfs "ntfs --at partition" heartbeat-corrupt "cut --to 1G" "cut --to 100M" "cut --to 2M"
	[ "$1" = mbr ] || printf "%s\n" primary backup
}
# sectors that no structure uses, and nothing says whose the bytes in them are
make_disk gpt-6 || exit 1
mkdir -m 700 store
copy_disk gpt-6.orig disk.img
"$VMFSKIT" capture --store store disk.img >/dev/null
printf junk | dd of=disk.img bs=1 seek=$((2058 * 512)) conv=notrunc status=none
next_steps "unused sectors" disk.img store
is "unused sectors: what is next" "$(jq -r '[.sources[0].next[].command | values | split(" ")[1]] | join(" ")' steps/doctor.json)" diff
for kind in gpt-5 gpt-6 mbr-5 mbr-3; do
	make_disk $kind || exit 1
	while read -r how; do
		for captured in "a capture" "no capture"; do
			rm -rf store disk.img
			mkdir -m 700 store
			copy_disk $kind.orig disk.img
			[ "$captured" = "no capture" ] || "$VMFSKIT" capture --store store disk.img >/dev/null
			"$LAB" break --how $how disk.img >/dev/null || { fail "$kind, $how"; continue; }
			next_steps "$kind, $how, $captured" disk.img store
		done
	done < <(accidents "${kind%%-*}")
done
