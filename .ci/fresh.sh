#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A command in a fresh Debian, as in a machine of its own: fresh.sh RELEASE ROOT CMD... Needs root, debootstrap, a network.
#
# The folder ROOT is made by debootstrap, with what the README takes for granted, git and make; when it is there it is used
# again. CMD runs in a copy of this tree, with ../shared beside it to read, /proc, /sys, /dev with loop devices, the network
# and a /dev/shm of its own. All processes and mounts are in namespaces, and end with this process whatever way it ends.
# VMFSKIT_CI_CACHE=FOLDER keeps the packages that were fetched; it is not needed.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
shared=${VMFSKIT_SHARED:-$here/../shared}
tree=/srv/tree
if [ $# -lt 3 ] || [ "$(id -u)" -ne 0 ]; then
	echo "usage, as root: fresh.sh RELEASE ROOT CMD..." >&2
	exit 2
fi
release=$1 root=$(realpath -m "$2")
shift 2
PATH=$PATH:/usr/sbin:/sbin
cache=
if [ -n "${VMFSKIT_CI_CACHE-}" ]; then
	mkdir -p "$VMFSKIT_CI_CACHE/$release/partial"
	cache=$(cd "$VMFSKIT_CI_CACHE/$release" && pwd)
fi

alone() { setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child "$@"; }

# from the first mirror of apt that has a whole release, not its updates
debian() {
	local site keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	site=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' | awk '$2 !~ /-/ { print $1; exit }')
	if [ -z "$site" ]; then
		echo "fresh.sh: apt of this machine has no mirror" >&2
		return 1
	fi
	alone debootstrap --variant=minbase --include=ca-certificates,git,make ${cache:+"--cache-dir=$cache"} \
		$([ -r $keyring ] && echo "--keyring=$keyring") "$release" "$root.part" "$site" &&
		mv "$root.part" "$root" && return
	tail -n 20 "$root.part/debootstrap/debootstrap.log" >&2
	return 1
}

# the copy, and what every installed machine has and debootstrap leaves out
furnish() {
	mkdir -p "$root$tree/vmfskit" "$root$tree/shared" "$root/.host"
	tar -C "$here" --exclude=./build -cf - . | tar -C "$root$tree/vmfskit" --no-same-owner -xf -
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	# packages of servers start none
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
}

# process 1 of its namespaces. A root of its own, no chroot: in a chroot nothing can have a mount namespace.
inside() {
	set -eu
	mount --bind "$root" "$root"
	mount -t proc proc "$root/proc"
	mount --rbind /sys "$root/sys"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
	# as Debian installs itself: on the disk in 12, in memory from 13 on
	[ "$release" = bookworm ] || mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
	if [ -d "$shared" ]; then
		mount --bind "$shared" "$root$tree/shared"
		mount -o remount,bind,ro "$root$tree/shared"
	fi
	[ -z "$cache" ] || mount --bind "$cache" "$root/var/cache/apt/archives"
	cd "$root"
	pivot_root . .host
	umount -l /.host
	cd "$tree/vmfskit"
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root CI=true \
		${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} \
		${no_proxy:+"no_proxy=$no_proxy"} ${TEST_JOBS:+"TEST_JOBS=$TEST_JOBS"} \
		${TEST_SECONDS:+"TEST_SECONDS=$TEST_SECONDS"} "$@"
}

[ -d "$root" ] || debian
furnish
export release root shared tree cache
export -f inside
alone bash -c 'inside "$@"' fresh.sh "$@"
