# SPDX-License-Identifier: Apache-2.0
# Somebody else who writes to volumes: debugvmfs and vmfs-fuse of the package vmfs-tools. To be sourced behind lib.sh.
#
#   writers               makes copies of both that may write; fails where that cannot be, $writers_why says why
#   wrote IMAGE CMD...    a command of debugvmfs on a volume of VMFS 3 or 5
#   mounted IMAGE DIR     mounts it with vmfs-fuse: files can be made, written, removed there. Needs root
#   unmounted IMAGE DIR   ends that, and waits until all is written
#
# They can write, but Debian's build only opens volumes for reading: main passes one constant to the function that opens, 0x20 ("an
# extent may be missing"). 0x10 in it would mean "to be written, too". In the copies it is 0x30; no other byte differs.
# They refuse to write when the LVM header says version 5, of which they know no more than this number. So it says 3 meanwhile.

writers_why=
writers() {
	local program path
	PATH=$PATH:/usr/sbin:/sbin
	for program in debugvmfs vmfs-fuse; do
		path=$(type -P $program) || { writers_why="there is no $program"; return 1; }
		# the constant goes into a register of amd64, right before the call: "mov $0x20,%esi", then maybe "mov %r..,%rdi"
		perl -0777 -pe 's/\xbe\x20(\x00\x00\x00(?:\x48\x89.)?\xe8)/\xbe\x30$1/gs == 1 or exit 1' "$path" >"$TMP/$program" ||
			{ writers_why="this build of $program is another one"; return 1; }
		chmod +x "$TMP/$program"
	done
}

lvm_version() { # IMAGE [NUMBER]: what it is, or to be
	if [ $# -eq 1 ]; then
		od -An -tu1 -j $((0x100004)) -N 1 "$1" | tr -d ' '
	else
		printf "\\x0$2" | dd of="$1" bs=1 seek=$((0x100004)) conv=notrunc status=none
	fi
}

wrote() {
	local image=$1 code version
	shift
	version=$(lvm_version "$image")
	lvm_version "$image" 3
	"$TMP/debugvmfs" "$image" "$@"
	code=$?
	lvm_version "$image" "$version"
	return $code
}

mounted() {
	local tries
	lvm_version "$1" >"$TMP/.version"
	lvm_version "$1" 3
	"$TMP/vmfs-fuse" -f "$1" "$2" >"$TMP/.fuse" 2>&1 &
	writer=$!
	echo "$2" >>"$TMP/.mounts"
	for ((tries = 0; tries < 600; tries++)); do
		! mountpoint -q "$2" || return 0
		kill -0 $writer 2>/dev/null || break
		sleep 0.1
	done
	cat "$TMP/.fuse"
	return 1
}

unmounted() {
	umount "$2" && wait $writer
	sed -i "\\,^$2\$,d" "$TMP/.mounts"
	lvm_version "$1" "$(cat "$TMP/.version")"
}
