#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the collector every night on an ESXi host: puts a line into its crontab, and again after every boot.
#
# ESXi forgets its crontab when it boots; /etc/rc.local.d/local.sh is kept and runs at the end of the boot. Files lie on a datastore, which
# should not be the only one that is worth saving. Runs under the shell of busybox.

usage() {
	cat <<'TEXT'
usage: vmfskit-esxi.sh install FOLDER [MINUTE HOUR]
       vmfskit-esxi.sh remove
       vmfskit-esxi.sh night FOLDER | line FOLDER MINUTE HOUR

  install  every night at HOUR:MINUTE (2:30, UTC) the disks are collected into
           FOLDER, which holds this file and vmfskit-collect.sh
           (/vmfs/volumes/DATASTORE/vmfskit)
  remove   take both lines out again
  line     what local.sh calls after a boot
  night    what the crontab line calls: FOLDER/HOST-DAY.tar, one for each day
           of the week, for vmfskit import; FOLDER/collect.log says how it went

ESXi 8 runs only what VMware signed (execInstalledOnly), where scripts may be
refused too. Collect from another machine then:
  ssh root@HOST sh -s <vmfskit-collect.sh >HOST.tar
TEXT
}

die() {
	printf 'vmfskit-esxi: %s\n' "$1" >&2
	exit "${2:-4}"
}

# everything but our own lines
without_ours() { [ ! -e "$1" ] || sed -e '/# vmfskit begin$/,/# vmfskit end$/d' -e '/vmfskit-esxi\.sh night /d' "$1"; }

# replace FILE BY: contents only, because the file may be a link
replace() { chmod u+w "$1" 2>/dev/null; cat "$2" >"$1" && rm -f "$2"; }

restart_crond() {
	[ -r "$root/var/run/crond.pid" ] && kill "$(cat "$root/var/run/crond.pid")" 2>/dev/null
	if [ -x "$root/usr/lib/vmware/busybox/bin/busybox" ]; then
		"$root/usr/lib/vmware/busybox/bin/busybox" crond
	elif command -v crond >/dev/null; then
		crond
	else
		busybox crond
	fi
}

# a crontab that is written in place is read anew only by a new crond
line() {
	{
		without_ours "$crontab"
		echo "$2 $3 * * * /bin/sh $1/vmfskit-esxi.sh night $1 >>$1/collect.log 2>&1"
	} >"$tmp" && replace "$crontab" "$tmp" || die "$crontab cannot be written"
	restart_crond
}

remove() {
	without_ours "$crontab" >"$tmp" && replace "$crontab" "$tmp" || die "$crontab cannot be written"
	[ ! -e "$boot" ] || { without_ours "$boot" >"$tmp" && replace "$boot" "$tmp"; } || die "$boot cannot be written"
}

install() {
	folder=$1 minute=${2:-30} hour=${3:-2}
	case $folder in /*) ;; *) die "$folder: a full path is needed" 2 ;; esac
	case $folder in *[!A-Za-z0-9._/-]*) die "$folder: use a path of plain letters (the datastore's UUID instead of its name)" 2 ;; esac
	case $minute$hour in *[!0-9]*) die "MINUTE and HOUR are numbers" 2 ;; esac
	for file in vmfskit-esxi.sh vmfskit-collect.sh; do
		[ -r "$folder/$file" ] || die "$folder/$file: is not there; copy it first"
	done
	remove
	line "$folder" "$minute" "$hour"
	[ -e "$boot" ] || die "$boot: is not there; after a boot the line must be added anew"
	# in front of the exit that ends it
	{
		sed '/^exit\( 0\)\{0,1\}$/,$d' "$boot"
		printf '%s\n' "# vmfskit begin" "/bin/sh $folder/vmfskit-esxi.sh line $folder $minute $hour >/dev/null 2>&1" "# vmfskit end"
		sed -n '/^exit\( 0\)\{0,1\}$/,$p' "$boot"
	} >"$tmp" && replace "$boot" "$tmp" || die "$boot cannot be written"
}

# The last good one of a day stays until the new one is whole; the log starts anew. What the collector keeps meanwhile does
# not fit into ESXi's /tmp.
night() {
	folder=$1
	out=$folder/$(uname -n | sed 's/[^A-Za-z0-9._-]/_/g')-$(date -u +%u).tar
	: >"$folder/collect.log"
	TMPDIR=$folder /bin/sh "$folder/vmfskit-collect.sh" >"$out.part"
	code=$?
	case $code in
	0 | 1) mv -f "$out.part" "$out" || code=4 ;;
	*) rm -f "$out.part" ;;
	esac
	printf '%s vmfskit-collect.sh: exit code %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$code"
	logger -t vmfskit "vmfskit-collect.sh: exit code $code" 2>/dev/null
	exit "$code"
}

# VMFSKIT_ROOT: a folder in the place of /, to try it
root=${VMFSKIT_ROOT-}
crontab=$root/var/spool/cron/crontabs/root
boot=$root/etc/rc.local.d/local.sh
tmp=${TMPDIR:-/tmp}/vmfskit-esxi.$$
case $#:${1-} in
2:install | 4:install)
	shift
	install "$@"
	;;
4:line) line "$2" "$3" "$4" ;;
2:night) night "$2" ;;
1:remove)
	remove
	restart_crond
	;;
*)
	usage >&2
	exit 2
	;;
esac
