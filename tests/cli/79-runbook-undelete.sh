#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Keeps docs/runbook-undelete.md true: each command of it is run on a practice volume, and must print what the page shows
# (tests/runbook.sh).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../runbook.sh"
need perl jq
cd "$TMP" || exit 1
mkdir bin
ln -s "$VMFSKIT" bin/vmfskit
"$LAB" make --vmfs 6 --size 2G --label datastore7 sdb >/dev/null
steps() { printf '%s\n' "$@" >script && "$LAB" history --script script sdb >/dev/null; }
steps 'folder /web' 'create /web/web.vmx 3000' 'create /web/web-flat.vmdk 40M' 'create /web/web.vmdk 500' 'create /mail-flat.vmdk 20M'
"$VMFSKIT" cp sdb /web/web-flat.vmdk truth >/dev/null 2>&1
"$VMFSKIT" capture --store store sdb >/dev/null 2>&1
steps 'delete /web/web.vmdk' 'delete /web/web-flat.vmdk' 'delete /web/web.vmx'

set_scene() {
	case $1 in
	deleted) ;;
	reused) [ "$last" = reused ] || { steps 'reuse /new-flat.vmdk 6M' && rm -rf rescue && mkdir rescue; } ;;
	*) return 1 ;;
	esac
	last=$1
}
last=
obey() {
	local line=${1//\/dev\/sdb/sdb}
	line=${line//\/rescue/rescue}
	PATH=$TMP/bin:$PATH bash -c "${line/undelete /undelete --store store }" 2>&1 |
		sed 's/20[0-9-]\{8\}\([ T]\)[0-9:]\{5\}\(:[0-9][0-9]Z\)*/2026-11-21\102:53\2/g; s/:[0-9][0-9]Z/:23Z/g; s/20[0-9]*T[0-9]*Z-sdb/20261121T025323Z-sdb/g' |
		sed 's/[0-9.]* [GT]iB free/900 GiB free/; s# --store store##; s#Z-sdb#Z-SDB#g; s#\bsdb\b#/dev/sdb#g; s#\([ >"]\)rescue#\1/rescue#g; s#//dev#/dev#g; s#//rescue#/rescue#g; s#Z-SDB#Z-sdb#g'
}
keep_page "$ROOT/docs/runbook-undelete.md" 'vmfskit|ls|grep' 6
ok "it was rescued" test -s rescue/web-flat.vmdk.vmfskit-part
