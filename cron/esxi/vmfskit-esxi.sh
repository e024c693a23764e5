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

# everything but our own lines; what was cut in the middle of them is for a person to mend
without_ours() {
	[ -e "$1" ] || return 0
	[ "$(grep -c '# vmfskit begin$' "$1")" = "$(grep -c '# vmfskit end$' "$1")" ] ||
		die "$1: it is not whole, the end of vmfskit's lines is missing; mend it by hand"
	sed -e '/# vmfskit begin$/,/# vmfskit end$/d' -e '/vmfskit-esxi\.sh night /d' "$1"
}

# equal FILE FILE: of text; false when one cannot be read
equal() { one=$(cat "$1" && echo .) && two=$(cat "$2" && echo .) && [ "$one" = "$two" ]; }

# over FILE FROM: in place, because the file may be a link. The new bytes are laid over the old ones and the rest is cut off only then:
# on a RAM disk that is full the file keeps its room meanwhile, so that what it was can go back in the same way.
over() {
	dd if="$2" of="$1" conv=notrunc 2>"$tmp/said" && dd if=/dev/null of="$1" bs=1 seek=$(($(wc -c <"$2"))) 2>"$tmp/said" && equal "$1" "$2"
}

# replace FILE: by $tmp/new, which has the same lines but for our own; afterwards it is the one or the other, and whole
replace() {
	without_ours "$1" >"$tmp/old" && without_ours "$tmp/new" >"$tmp/again" && equal "$tmp/old" "$tmp/again" ||
		die "$tmp: there is no room for copies, or they are not whole; $1 is as it was"
	there=yes
	[ -e "$1" ] || there=no
	[ "$there" = no ] || { cat "$1" >"$tmp/old" && equal "$1" "$tmp/old"; } || die "$tmp: there is no room for a copy; $1 is as it was"
	chmod u+w "$1" 2>/dev/null
	over "$1" "$tmp/new" && return
	read -r said <"$tmp/said"
	if [ "$there" = no ]; then
		rm -f "$1"
	elif ! over "$1" "$tmp/old"; then
		trap - EXIT
		die "$1 can neither be written nor put back ($said): copy $tmp/old over it before the next boot"
	fi
	die "$1 cannot be written and is as it was ($said): is its file system full?"
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

# a crontab that is written in place is read anew only by a new crond
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
		[ -r "$folder/$file" ] || die "$folder/$file: is not there; copy it first"
	done
	line "$folder" "$minute" "$hour"
	[ -e "$boot" ] || die "$boot: is not there; after a boot the line must be added anew"
	# in front of the exit that ends it
	without_ours "$boot" >"$tmp/rest" && {
		sed '/^exit\( 0\)\{0,1\}$/,$d' "$tmp/rest" &&
			printf '%s\n' "# vmfskit begin" "/bin/sh $folder/vmfskit-esxi.sh line $folder $minute $hour >/dev/null 2>&1" "# vmfskit end" &&
			sed -n '/^exit\( 0\)\{0,1\}$/,$p' "$tmp/rest"
	} >"$tmp/new" || die "$tmp/new cannot be written"
	replace "$boot"
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
