#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The next steps of doctor and find where the source is no LUN by itself: none writes to a part of something else.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
. "$(dirname "$0")/../wrap.sh"
. "$(dirname "$0")/../next_steps.sh"
PATH=$PATH:/usr/sbin:/sbin
need jq perl sfdisk wipefs mkfs.ext4
cd "$TMP" || exit 1

"$LAB" make --table gpt --vmfs 6 --start 2048 --size 600M --label ds sound.img >/dev/null || exit 1
copy_disk sound.img wiped.img && "$LAB" break --how table wiped.img >/dev/null
copy_disk sound.img headless.img && "$LAB" break --how header headless.img >/dev/null
mkdir -m 700 store
for kind in md-1.2 md-1.1 md-1.0 lvm2 ddf partition stride-520 shift+4096 shift-4096; do
	for state in sound wiped headless; do
		wrap $kind $state.img disk.img || { fail "$kind, $state: made"; continue; }
		next_steps "$kind, $state" disk.img store
		for told in doctor.json find.json; do
			# without a table nothing tells that bytes are missing: a volume may begin anywhere
			case $kind-$state in shift*-wiped) continue ;; esac
			is "$kind, $state, $told: no repair of it as it is" \
				"$(jq -r '(.sources[0].next // .next)[] | (.command? // .) | strings' "steps/$told" | grep -E ' (repair|restore) ')" ""
		done
		hasnt "$kind, $state: nobody is told to lift a guard after a copy" steps/doctor.json 'save that data|lift this guard'
		rm -rf store && mkdir -m 700 store
	done
done

# --- the disk itself, in other ways than its own ---------------------------------------------------------------------------
copy_disk sound.img disk.img
wipefs -a -f -q disk.img
next_steps "wipefs -a" disk.img store
walk "wipefs -a" disk.img store
is "wipefs -a: healed" "$(jq -r '.sources[0].headline' walked.json)" "Nothing wrong was found"
rm -rf store && mkdir -m 700 store
head -c $((26 << 20)) sound.img >disk.img
next_steps "the first 26 MiB" disk.img store
for size in 512 4096; do
	"$LAB" make --overwrite --table gpt --vmfs 6 --sector-size $size --size 600M disk.img >/dev/null
	next_steps "a table of sectors of $size, sound" disk.img store
	"$LAB" break --how table --sector-size $size disk.img >/dev/null
	next_steps "a table of sectors of $size, wiped" disk.img store
	rm -rf store && mkdir -m 700 store
done
# somebody's file system with the LUN as a file in one piece
rm -f disk.img
truncate -s 2G disk.img
printf 'label: gpt\nstart=2048, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4\n' | sfdisk -q disk.img
mkfs.ext4 -F -q -E offset=$((1 << 20)),nodiscard disk.img 2000000k
dd if=sound.img of=disk.img bs=1M seek=520 conv=notrunc,sparse status=none
next_steps "a file of ext4" disk.img store
next_steps "a file of ext4, scanned" disk.img store --scan
is "a file of ext4: no repair" "$(jq -r '.next[]' steps/find.json | cat - <(doctor_next steps/doctor.json) | grep -E ' (repair|restore) ')" ""
