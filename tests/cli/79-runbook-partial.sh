#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Keeps docs/runbook-partial-dump.md true: each command of it is run, on real volumes and the first 26 MiB of them, and must print what
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
unpack "$SHARED/data/vmfs6-esxi-2021/disk-from-lba-2048.img.xz" sdc
head -c 26M sdc >first6.dd

# what one scene made stays for the next
set_scene() {
	case $1 in
	dump | script) ;;
	vmfs6) [ "$last" = vmfs6 ] || rm -f lun.img lun.map ;;
	more) rm -f lun.img lun.map ;;
	*) return 1 ;;
	esac
	last=$1
}
last=
obey() { PATH=$TMP/bin:$PATH bash -c "${1//\/dev\/sd/$TMP\/sd}" 2>&1 | sed "s#$TMP/sd#/dev/sd#g"; }
keep_page "$ROOT/docs/runbook-partial-dump.md" 'vmfskit|tail|sh|ls|ddrescue|ddrescuelog' 13
same "the file that the script copied" thin-flat.vmdk <(debugvmfs sdb cat /thin-flat.vmdk 2>/dev/null)
same "the file of VMFS6 that the script copied" file5 <("$VMFSKIT" cat sdc /directory/file5)
