#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the collector every night on an ESXi host: adds a line to its crontab, and adds it again after every boot.
#
# ESXi loses its crontab when it boots; /etc/rc.local.d/local.sh is kept and runs at the end of the boot. The files lie on a datastore; that
# should not be the only datastore. Runs under the shell of busybox.

usage() {
	cat <<'TEXT'
usage: vmfskit-esxi.sh install FOLDER [MINUTE HOUR]
       vmfskit-esxi.sh remove
       vmfskit-esxi.sh night FOLDER | line FOLDER MINUTE HOUR

    install  collect the disks into FOLDER every night at HOUR:MINUTE (2:30, UTC);
           FOLDER holds this file and vmfskit-collect.sh
           (/vmfs/volumes/DATASTORE/vmfskit)
  remove   remove the lines from crontab and local.sh
  line     local.sh calls this after a boot
  night    the crontab calls this: it writes FOLDER/HOST-DAY.tar, one for each
           day of the week, for vmfskit import, and FOLDER/collect.log

ESXi 8 runs only programs signed by VMware (execInstalledOnly) and may refuse
scripts, too. Then collect from another machine:
  ssh root@HOST sh -s <vmfskit-collect.sh >HOST.tar
TEXT
}

die() {
	printf 'vmfskit-esxi: %s\n' "$1" >&2
	exit "${2:-4}"
}

# everything but our own lines; a file that was cut within them must be repaired by a person
without_ours() {
	[ -e "$1" ] || return 0
	[ "$(grep -c '# vmfskit begin$' "$1")" = "$(grep -c '# vmfskit end$' "$1")" ] ||
		die "$1: it is not whole, the end of vmfskit's lines is missing; repair it by hand"
	sed -e '/# vmfskit begin$/,/# vmfskit end$/d' -e '/vmfskit-esxi\.sh night /d' "$1"
}

# equal FILE FILE: of text; false when one cannot be read
equal() { one=$(cat "$1" && echo .) && two=$(cat "$2" && echo .) && [ "$one" = "$two" ]; }

# over FILE FROM: in place, because the file may be a link. The new bytes overwrite the old ones, and only then is the file shortened: on a
# full RAM disk the file keeps its space meanwhile, so that the old contents can be written back in the same way.
over() {
	dd if="$2" of="$1" conv=notrunc 2>"$tmp/said" && dd if=/dev/null of="$1" bs=1 seek=$(($(wc -c <"$2"))) 2>"$tmp/said" && equal "$1" "$2"
}

# replace FILE: by $tmp/new, which differs only in our own lines; afterwards FILE is the old or the new one, and whole
replace() {
	without_ours "$1" >"$tmp/old" && without_ours "$tmp/new" >"$tmp/again" && equal "$tmp/old" "$tmp/again" ||
		die "$tmp: there is no room for copies, or they are not whole; $1 is unchanged"
	there=yes
	[ -e "$1" ] || there=no
	[ "$there" = no ] || { cat "$1" >"$tmp/old" && equal "$1" "$tmp/old"; } || die "$tmp: there is no room for a copy; $1 is unchanged"
	chmod u+w "$1" 2>/dev/null
	over "$1" "$tmp/new" && return
	read -r said <"$tmp/said"
	if [ "$there" = no ]; then
		rm -f "$1"
	elif ! over "$1" "$tmp/old"; then
		trap - EXIT
		die "$1 can neither be written nor restored ($said): copy $tmp/old over it before the next boot"
	fi
	die "$1 cannot be written and is unchanged ($said): is its file system full?"
}

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

# only a restarted crond reads a crontab that was written in place
line() {
	{
		without_ours "$crontab" &&
			echo "$2 $3 * * * /bin/sh $1/vmfskit-esxi.sh night $1 >>$1/collect.log 2>&1"
	} >"$tmp/new" || die "$tmp/new cannot be written"
	replace "$crontab"
	restart_crond
}

remove() {
	for file in "$crontab" "$boot"; do
		[ -e "$file" ] || continue
		without_ours "$file" >"$tmp/new" || die "$tmp/new cannot be written"
		replace "$file"
	done
}

install() {
	folder=$1 minute=${2:-30} hour=${3:-2}
	case $folder in /*) ;; *) die "$folder: a full path is needed" 2 ;; esac
	case $folder in *[!A-Za-z0-9._/-]*) die "$folder: use a path of plain letters (the datastore's UUID instead of its name)" 2 ;; esac
	case $minute$hour in *[!0-9]*) die "MINUTE and HOUR are numbers" 2 ;; esac
	for file in vmfskit-esxi.sh vmfskit-collect.sh; do
		[ -r "$folder/$file" ] || die "$folder/$file is missing: copy it there first"
	done
	line "$folder" "$minute" "$hour"
	[ -e "$boot" ] || die "$boot is missing: after each boot the line must be added again"
		# before the exit at its end
	without_ours "$boot" >"$tmp/rest" && {
		sed '/^exit\( 0\)\{0,1\}$/,$d' "$tmp/rest" &&
			printf '%s\n' "# vmfskit begin" "/bin/sh $folder/vmfskit-esxi.sh line $folder $minute $hour >/dev/null 2>&1" "# vmfskit end" &&
			sed -n '/^exit\( 0\)\{0,1\}$/,$p' "$tmp/rest"
	} >"$tmp/new" || die "$tmp/new cannot be written"
	replace "$boot"
}

# The last good tar of a weekday is kept until the new one is whole; the log is emptied. The collector's temporary files do not
# fit into ESXi's /tmp.
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

# VMFSKIT_ROOT: a folder used as /, for tests
root=${VMFSKIT_ROOT-}
crontab=$root/var/spool/cron/crontabs/root
boot=$root/etc/rc.local.d/local.sh
tmp=${TMPDIR:-/tmp}/vmfskit-esxi.$$
case ${1-} in
install | line | remove)
	mkdir -m 700 "$tmp" && : >"$tmp/said" || die "$tmp cannot be made"
	trap 'rm -rf "$tmp"' EXIT
	;;
esac
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
