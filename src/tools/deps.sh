#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes sure that the Debian packages of some purposes are there: deps.sh PURPOSE... (build check fuzz tidy bench deb).
# Says nothing when they are. VMFSKIT_NO_DEPS=1: do not look, for systems that have the same things from elsewhere.
set -u

# package and what it is for; "a|b": any of them
list() {
	case $1 in
	build)
		echo "gcc:the C compiler"
		echo "libc6-dev:headers and static library of the C library"
		echo "make:runs the build"
		echo "pkgconf|pkg-config:finds the libraries"
		echo "libblkid-dev:tells what else lives on a disk"
		echo "uuid-dev:reads and writes GUIDs"
		echo "libssl-dev:SHA-256"
		echo "libjansson-dev:JSON"
		echo "zlib1g-dev:the checksum of partition tables"
		echo "libzstd-dev:compresses bundles; for the static program also libcrypto of Debian 13 needs it"
		echo "libfuse3-dev:vmfskit mount"
		;;
	check)
		echo "libcmocka-dev:unit tests"
		echo "binutils:looks into the libraries that were built (nm)"
		echo "bsdextrautils:hexdump, makes listings for the tests"
		echo "busybox-static|busybox:the shell of ESXi, for the collector"
		echo "dash:another small shell"
		echo "debootstrap:a fresh Debian, into which the package goes"
		echo "dosfstools:mkfs.vfat, another intruder"
		echo "dpkg-dev:makes the Debian package"
		echo "e2fsprogs:mkfs.ext4, an intruder on a lost disk"
		echo "fuse3:fusermount3, with which vmfskit mount is ended"
		echo "fdisk:sfdisk, an independent judge of partition tables"
		echo "gdisk:sgdisk, another one"
		echo "gddrescue:ddrescue, takes the mapfiles that map prints"
		echo "groff-base:checks the manual pages"
		echo "jq:reads the JSON output"
		echo "lvm2:pvcreate, another intruder"
		echo "mandoc:reads the manual pages more strictly"
		echo "mount:loop devices and file systems for the tests"
		echo "libxml2-utils:xmllint, reads the XML output"
		echo "ntfs-3g:mkfs.ntfs, another intruder"
		echo "openssl:an independent judge of signatures"
		echo "openssh-client:vmfskit-push goes through it"
		echo "openssh-server:an sshd on loopback, to which it goes; its service stays off"
		echo "python3:compares practice volumes with what independent readers say of them"
		echo "rsync:carries the captures"
		echo "strace:shows that nothing is opened for writing"
		echo "systemd:systemd-analyze, a judge of the units and of their filter of system calls"
		echo "vmfs-tools:debugvmfs, an independent reader of VMFS3 and VMFS5"
		echo "vmfs6-tools:debugvmfs6, an independent reader of VMFS6"
		echo "xfsprogs:mkfs.xfs, another intruder"
		echo "zstd:unpacks bundles, independently"
		echo "xxd:makes listings of another kind"
		echo "qemu-utils:qemu-img, makes and opens containers of virtual disks"
		echo "xz-utils:unpacks test images"
		;;
	fuzz)
		echo "clang:the compiler with libFuzzer"
		echo "libclang-rt-14-dev|libclang-rt-dev:libFuzzer and the sanitizers"
		echo "llvm:readable stack traces"
		;;
	tidy)
		echo "clang-tidy:static analysis"
		echo "cppcheck:static analysis"
		;;
	deb)
		echo "dpkg-dev:makes the Debian package"
		;;
	bench)
		echo "jq:reads the JSON output"
		echo "openssl:its speed at SHA-256 is the measure"
		echo "strace:counts what is read"
		echo "testdisk:what people search lost partitions with"
		echo "vmfs-tools:debugvmfs, the way of 2009"
		;;
	*)
		echo "deps.sh: there is no purpose $1" >&2
		exit 2
		;;
	esac
}

installed() {
	local name
	for name in ${1//|/ }; do
		case $(dpkg-query -W -f '${db:Status-Abbrev}\n' "$name" 2>/dev/null) in
		*ii*) return 0 ;;
		esac
	done
	return 1
}

[ "${VMFSKIT_NO_DEPS:-}" = 1 ] && exit 0
missing=() why=()
for purpose; do
	lines=$(list "$purpose") || exit 2
	while IFS=: read -r package reason; do
		name=${package%%|*}
		case " ${missing[*]-} " in *" $name "*) continue ;; esac
		if ! command -v dpkg-query >/dev/null || ! installed "$package"; then
			missing+=("$name")
			why+=("$reason")
		fi
	done <<<"$lines"
done
[ "${#missing[@]}" -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	echo "This is no Debian: install what these Debian packages hold and say VMFSKIT_NO_DEPS=1 make ..." >&2
	printf '  %s\n' "${missing[*]}" >&2
	exit 1
fi

echo "For \"$*\" these Debian packages are missing and will be installed with apt-get:"
for i in "${!missing[@]}"; do
	printf '  %-20s %s\n' "${missing[i]}" "${why[i]}"
done
sudo=()
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "You are not root and there is no sudo. As root: apt-get update && apt-get install" \
			"${missing[*]}" >&2
		exit 1
	fi
	sudo=(sudo)
fi
# the tests need the program sshd, nobody needs a server that listens from now on
quiet_ssh() {
	case " ${missing[*]} " in *" openssh-server "*) ;; *) return ;; esac
	command -v systemctl >/dev/null || return
	"${sudo[@]}" systemctl "$@" ssh.service ssh.socket >/dev/null 2>&1
}
log=$(mktemp "${TMPDIR:-/tmp}/vmfskit-packages.XXXXXX") || exit 1
# lists that could not be refreshed may still do
"${sudo[@]}" apt-get -qq update >"$log" 2>&1 ||
	echo "The package lists could not be refreshed; trying with those that are there." >&2
quiet_ssh mask
if ! "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
	apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install "${missing[@]}" >>"$log" 2>&1; then
	tail -n 15 "$log" >&2
	echo "All that apt-get said is in $log" >&2
	echo "They could not be installed. By hand, as root: apt-get update && apt-get install ${missing[*]}" >&2
	quiet_ssh unmask
	exit 1
fi
quiet_ssh unmask
quiet_ssh disable
rm -f "$log"
echo "Installed."
