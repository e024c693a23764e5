#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Keeps docs/runbook-partial-dump.md true: each command of it is run, on a real volume and the first 26 MiB of it, and must print what
# the page shows (tests/runbook.sh).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
. "$(dirname "$0")/../runbook.sh"
[ -n "$SHARED" ] || { skip "the runbook" "no ../shared/data"; exit 0; }
need ddrescue perl
cd "$TMP" || exit 1
mkdir bin
ln -s "$VMFSKIT" bin/vmfskit
mv "$(real_partition)" sdb
head -c 26M sdb >first-26-MiB.dd

# what one scene made stays for the next
set_scene() {
	case $1 in
	dump | script) ;;
	more) rm -f lun.img lun.map ;;
	*) return 1 ;;
	esac
}
obey() { PATH=$TMP/bin:$PATH bash -c "${1//\/dev\/sdb/$TMP\/sdb}" 2>&1 | sed "s#$TMP/sdb#/dev/sdb#g"; }
keep_page "$ROOT/docs/runbook-partial-dump.md" 'vmfskit|tail|sh|ls|ddrescue|ddrescuelog' 8
same "the file that the script copied" thin-flat.vmdk <(debugvmfs sdb cat /thin-flat.vmdk 2>/dev/null)
