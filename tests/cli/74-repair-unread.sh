# SPDX-License-Identifier: Apache-2.0
# Repairs of a table of which sectors cannot be read: planned, guarded, written anew, and what the undo capture says.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

need jq cc
cd "$TMP" || exit 1
# Reads of EIO_FILE fail in the sectors named by EIO_AT (bytes, separated by commas) until they are written, as on a disk that
# puts another sector in the place of a bad one. EIO_BRIEF: they do not fail once the disk is open for writing.
cat >eio.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
static char healed[16];
static int is_it(int fd)
{
	struct stat a, b;
	const char *path = getenv("EIO_FILE");
	return path != NULL && fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}
/* The first bad byte at or behind `from`; -1: none. heal: these are written. */
static off64_t bad(off64_t from, size_t len, int heal)
{
	const char *s = getenv("EIO_AT");
	off64_t first = -1;
	for (int i = 0; s != NULL && *s != '\0' && i < 16; i++) {
		char *end;
		off64_t at = strtoll(s, &end, 0);
		int meets = at < from + (off64_t)len && from < at + 512;
		if (meets && heal)
			healed[i] = 1;
		if (meets && !healed[i] && (first < 0 || at < first))
			first = at;
		s = *end == ',' ? end + 1 : NULL;
	}
	return first;
}
ssize_t pread64(int fd, void *buf, size_t len, off64_t at)
{
	ssize_t (*next)(int, void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pread64");
	int writer = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
	off64_t stop = is_it(fd) && !(writer && getenv("EIO_BRIEF") != NULL) ? bad(at, len, 0) : -1;
	if (stop >= 0 && stop <= at) {
		errno = EIO;
		return -1;
	}
	return next(fd, buf, stop >= 0 ? (size_t)(stop - at) : len, at);
}
ssize_t pwrite64(int fd, const void *buf, size_t len, off64_t at)
{
	ssize_t (*next)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
	if (is_it(fd))
		bad(at, len, 1);
	return next(fd, buf, len, at);
}
ssize_t pread(int fd, void *buf, size_t len, off_t at) { return pread64(fd, buf, len, at); }
ssize_t pwrite(int fd, const void *buf, size_t len, off_t at) { return pwrite64(fd, buf, len, at); }
END
ok "reads that fail are built" cc -shared -fPIC -o eio.so eio.c -ldl
if [ "${BUILD%/asan}" != "$BUILD" ]; then
	skip "sectors that cannot be read" "a library that is loaded before a sanitizer is not supported"
	exit 0
fi
"$LAB" make --table gpt --vmfs 5 --size 1G --label drill whole.img >/dev/null || exit 1
whole=$(disk_sum whole.img)
size=$(stat -c %s whole.img)
guards() { jq -r '[.objections[].guard] | join(" ")' "$OUT"; }

# unread NAME BYTES GUARDS: the table of disk.img, of which the sectors at BYTES cannot be read
unread() {
	local undo
	rm -rf st
	copy_disk whole.img disk.img
	# what stands there is something else: nobody sees it
	for at in ${2//,/ }; do dd if=/dev/urandom of=disk.img bs=512 count=1 seek=$((at / 512)) conv=notrunc status=none; done
	exits "$1: is refused" 3 env EIO_FILE="$TMP/disk.img" EIO_AT="$2" LD_PRELOAD="$TMP/eio.so" \
		"$VMFSKIT" repair table --store st disk.img --json
	is "$1: the guards" "$(guards)" "$3"
	exits "$1: is written" 0 env EIO_FILE="$TMP/disk.img" EIO_AT="$2" LD_PRELOAD="$TMP/eio.so" \
		"$VMFSKIT" repair table --store st disk.img --override "${3// /,}" --write --json
	undo=$(undo_of "$OUT")
	is "$1: the disk is as it was" "$(disk_sum disk.img)" "$whole"
	is "$1: the undo capture says what it could not read" \
		"$(jq -r '[.unreadable[].offset_bytes | tostring] | join(",")' "st/$undo/manifest.json")" "$2"
	ok "$1: nothing is left to do" "$VMFSKIT" repair table --store st disk.img
	has "$1: it says so" "$OUT" '^nothing to repair: nothing was written$'
	exits "$1: what the undo capture lacks is not put back unasked" 3 "$VMFSKIT" undo --store st "$undo" disk.img
	has "$1: by its guard" "$ERR" '^guard unreadable refuses: 512'
}
unread "the primary header" 512 unreadable
unread "the primary entries" 1024 unreadable
unread "the backup entries" $((size - 33 * 512)) unreadable
unread "the backup header" $((size - 512)) unreadable
unread "sector 0" 0 "unreadable guess"
has "sector 0: told" "$ERR" 'guard unreadable'

# The headers of the volume, one sector at a time: what stood there is not known, so it is a guess, too.
# unread_header NAME OFFSET: in the partition, which begins at sector 2048
unread_header() {
	local at=$((1048576 + $2))
	rm -rf st
	copy_disk whole.img disk.img
	dd if=/dev/urandom of=disk.img bs=512 count=1 seek=$((at / 512)) conv=notrunc status=none
	exits "$1: is refused" 3 env EIO_FILE="$TMP/disk.img" EIO_AT="$at" LD_PRELOAD="$TMP/eio.so" \
		"$VMFSKIT" repair header --store st --json disk.img
	has "$1: by its guard" "$OUT" '"unreadable"'
	exits "$1: is written" 0 env EIO_FILE="$TMP/disk.img" EIO_AT="$at" LD_PRELOAD="$TMP/eio.so" \
		"$VMFSKIT" repair header --store st disk.img --override unreadable,guess --write
	ok "$1: decodes" "$VMFSKIT" decode disk.img
	has "$1: the volume is there" "$OUT" 'VMFS-5'
}
unread_header "the LVM header" $((0x100000))
unread_header "the volume descriptor" $((0x100200))
unread_header "the PE bitmap" $((0x180200))
unread_header "the PE table" $((0x180600))
unread_header "the file-system descriptor" $((0x1300000))

copy_disk whole.img disk.img
poked=$(disk_sum disk.img)
exits "a sector that can be read in the end" 3 env EIO_FILE="$TMP/disk.img" EIO_AT=512 EIO_BRIEF=1 LD_PRELOAD="$TMP/eio.so" \
	"$VMFSKIT" repair table --store st disk.img --override unreadable --write
has "a sector that can be read in the end: says so" "$ERR" 'a sector that could not be read became readable since the plan was made'
is "a sector that can be read in the end: nothing was written" "$(disk_sum disk.img)" "$poked"
