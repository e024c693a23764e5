#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Keeps docs/runbook-deleted-volume.md true: every console block of it is run, on the disk of its scene, and must print what the
# page shows (tests/runbook.sh).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
page=$ROOT/docs/runbook-deleted-volume.md
cd "$TMP" || exit 1
mkdir bin store
# what the page calls vmfskit and /dev/sdb
cat >bin/vmfskit <<END
#!/bin/sh
exec "$VMFSKIT" "\$@" --store "$TMP/store"
END
chmod 755 bin/vmfskit
"$LAB" make --table gpt --vmfs 6 --start 2048 --size 20G --label datastore1 sound.img >/dev/null || exit 1
capture() { bin/vmfskit capture "$TMP/sdb" >/dev/null; }
# the one id that a block may mean: the page has but one stamp
capture_id() { captures store | grep -- "-sdb${1-}\$" | tail -n 1; }

# what Windows leaves: a GPT of its own with one reserved partition
windows_table() {
	printf 'label: gpt\nfirst-lba: 34\nstart=34, size=32734, type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE\n' |
		sfdisk --force --no-reread -q --wipe never --wipe-partitions never "$1" >/dev/null 2>&1
}

set_scene() {
	rm -rf store sdb damage.svg
	mkdir store
	copy_disk sound.img sdb
	case $1 in
	"deleted, with a capture") capture && "$LAB" break --how table sdb >/dev/null ;;
	"deleted, without a capture") "$LAB" break --how table sdb >/dev/null ;;
	"initialised") windows_table sdb ;;
	"initialised, with a capture")
		capture
		truncate -s $((41938944 * 512)) ntfs.part
		"$LAB" break --how ntfs ntfs.part >/dev/null
		dd if=ntfs.part of=sdb bs=512 count=4096 seek=2048 conv=sparse,notrunc status=none
		printf 'label: dos\nstart=2048, size=41938944, type=7\n' |
			sfdisk --force --no-reread -q --wipe never --wipe-partitions never sdb >/dev/null 2>&1
		;;
	"magic wiped") "$LAB" break --how magic sdb >/dev/null ;;
	"header lost") "$LAB" break --how header sdb >/dev/null ;;
	"healthy") : ;;
	"repaired") "$LAB" break --how table sdb >/dev/null && bin/vmfskit repair table "$TMP/sdb" --override guess --write >/dev/null ;;
	*) return 1 ;;
	esac
}

# what is different on every run; the page has one digest of a plan
digest=d3c27fad8f2d1ddbcb1a4a6ddf0c0a35 plan=
settled() {
	sed -e '/^note     whether another process has the target open/d' -e "s#^plan     [0-9a-f]\{32\}\$#plan     $digest#" -e "s# --plan [0-9a-f]\{32\} # --plan $digest #" -e "s# --store $TMP/store##g" -e "s#$TMP/store#/var/lib/vmfskit#g" -e "s#$TMP/sdb#/dev/sdb#g" \
		-e "s# on $(uname -n)\$# on lnx7#" -e 's/[0-9]\{8\}T[0-9]\{6\}Z/20261121T014500Z/g' -e 's/20[0-9-]\{8\}T[0-9:]\{8\}Z/2026-11-21T01:45:00Z/g'
}

# a command of the page, on the disk of the scene
obey() {
	local line=$1 id
	line=${line//\/dev\/sdb/$TMP\/sdb}
	for suffix in -undo ""; do
		id=$(capture_id "$suffix")
		line=${line//20261121T014500Z-sdb$suffix/${id:-none}}
	done
	line=${line//--plan $digest/--plan ${plan:-none}}
	PATH=$TMP/bin:$PATH bash -c "$line" >said 2>&1
	plan=$(sed -n 's/^plan     //p' said)
	settled <said
}

. "$(dirname "$0")/../runbook.sh"
keep_page "$page" vmfskit 10
# every block of the page that runs vmfskit is one that was run
is "vmfskit runs in console blocks only" "$(awk '/^```sh/ { sh = 1 } /^```$/ { sh = 0 } sh && /vmfskit/' "$page")" ""
