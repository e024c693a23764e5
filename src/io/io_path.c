/* SPDX-License-Identifier: Apache-2.0 */
/* Opening what a path names: a file, a block device, a stream, standard input. Only ever for reading. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/command.h"
#include "base/memory.h"
#include "io/io_handle.h"

#define STDIN_NAME "standard input"

static enum vk_status finish(int fd, const char *name, const struct vk_io_file_facts *facts,
			     struct vk_io **ret_io, struct vk_error *err)
{
	struct vk_io *io = vk_io_file(fd, name, facts);

	if (io == NULL)
		return vk_no_memory(err, name);
	*ret_io = io;
	return VK_OK;
}

static enum vk_status open_device(int fd, const char *name, bool private_fd,
				  const struct vk_open_options *options, struct vk_io **ret_io, struct vk_error *err)
{
	struct vk_io_file_facts facts = {.is_device = true, .in_call_since_ms = options->in_call_since_ms};
	uint32_t sector_size = options->sector_size;
	int logical = 0, flags = fcntl(fd, F_GETFL);
	enum vk_status status = VK_OK;

	if (ioctl(fd, BLKGETSIZE64, &facts.size_bytes) != 0 ||
	    ioctl(fd, BLKSSZGET, &logical) != 0)
		status = vk_error_errno(err, errno, name, "the device does not report its size");
	else if (facts.size_bytes == 0)
		status = vk_error_set(err, VK_IO, name,
				      "the device has no bytes: nothing is attached to it");
	else if (logical < 512 || logical > 65536 || (logical & (logical - 1)) != 0)
		status = vk_error_set(err, VK_IO, name,
				      "the device claims sectors of %d bytes", logical);
	else if (sector_size != 0 && sector_size != (uint32_t)logical) {
		vk_error_set(err, VK_USAGE, name, "the device has sectors of %d bytes, not of %u",
			     logical, (unsigned)sector_size);
		status = VK_USAGE;
		(void)vk_error_remedy(err, "leave the sector size out: a device knows its own");
	}
	if (status != VK_OK) {
		close(fd);
		return status;
	}
	facts.unit_bytes = (uint32_t)logical;
	facts.sector_size = facts.unit_bytes;
	/* O_DIRECT on our own descriptor; where that is refused, at least drop what the cache holds */
	facts.direct = private_fd && flags >= 0 && fcntl(fd, F_SETFL, flags | O_DIRECT) == 0;
	if (!facts.direct)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return finish(fd, name, &facts, ret_io, err);
}

static enum vk_status open_stream(int fd, const char *name,
				  const struct vk_open_options *options,
				  struct vk_io **ret_io, struct vk_error *err)
{
	struct vk_io_file_facts facts = {.sector_size = options->sector_size, .unit_bytes = 512};
	int spool;
	enum vk_status status = vk_stream_spool(fd, name, &spool, &facts.size_bytes, err);

	close(fd);
	return status == VK_OK ? finish(spool, name, &facts, ret_io, err) : status;
}

/* fd is taken over. */
static enum vk_status open_fd(int fd, const char *name, bool private_fd,
			      const struct vk_open_options *options, struct vk_io **ret_io,
			      struct vk_error *err)
{
	struct vk_io_file_facts facts = {.sector_size = options->sector_size,
					 .in_call_since_ms = options->in_call_since_ms};
	struct stat st;
	enum vk_status status;

	if (fstat(fd, &st) != 0) {
		status = vk_error_errno(err, errno, name, "cannot tell what it is");
		close(fd);
		return status;
	}
	if (S_ISDIR(st.st_mode)) {
		close(fd);
		vk_error_set(err, VK_USAGE, name, "this is a folder");
		vk_error_remedy(err, "name a disk, a partition, or a file that holds an image of one");
		return VK_USAGE;
	}
	if (S_ISBLK(st.st_mode))
		return open_device(fd, name, private_fd, options, ret_io, err);
	if (S_ISCHR(st.st_mode) && !isatty(fd)) {
		close(fd);
		vk_error_set(err, VK_USAGE, name, "this is a character device: it has no size and may never end");
		vk_error_remedy(err, "name a block device, or save its bytes to a file first");
		return VK_USAGE;
	}
	if (!S_ISREG(st.st_mode))
		return open_stream(fd, name, options, ret_io, err);
	if (options->uncached)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	facts.size_bytes = (uint64_t)st.st_size;
	/* blocks beside the data may hide a small hole: it is then read, as zeros */
	facts.dense = (uint64_t)st.st_blocks * 512 >= facts.size_bytes;
	facts.unit_bytes = options->sector_size == 4096 ? 4096 : 512;
	return finish(fd, name, &facts, ret_io, err);
}

/* A descriptor of our own for the file or device behind standard input, or -1. */
static int reopen_stdin(const struct stat *want)
{
	struct stat st;
	int fd = open("/proc/self/fd/0", O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_dev == want->st_dev && st.st_ino == want->st_ino &&
	    st.st_rdev == want->st_rdev)
		return fd;
	close(fd);
	return -1;
}

static enum vk_status open_stdin(const struct vk_open_options *options, struct vk_io **ret_io,
				 struct vk_error *err)
{
	struct stat st;
	bool seekable;
	int fd;

	if (fstat(STDIN_FILENO, &st) != 0)
		return vk_error_errno(err, errno, STDIN_NAME, "cannot read it");
	seekable = (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) &&
		   lseek(STDIN_FILENO, 0, SEEK_CUR) == 0;
	fd = seekable ? reopen_stdin(&st) : -1;
	if (fd >= 0)
		return open_fd(fd, STDIN_NAME, true, options, ret_io, err);
	fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return vk_error_errno(err, errno, STDIN_NAME, "cannot read it");
	/* half-read input begins where the reader before us stopped */
	if (!seekable && !S_ISDIR(st.st_mode))
		return open_stream(fd, STDIN_NAME, options, ret_io, err);
	return open_fd(fd, STDIN_NAME, false, options, ret_io, err);
}

/* Devices belong to root and a group, files to whoever made them. */
static void tell_who_may(const char *path, struct vk_error *err)
{
	struct stat st;

	if (geteuid() == 0)
		vk_error_remedy(err, "you are root: a container or a policy of this host keeps it closed");
	else if (stat(path, &st) != 0)
		vk_error_remedy(err, "a folder on the way to it is closed to you: run this as root");
	else if (S_ISBLK(st.st_mode))
		vk_error_remedy(err, "devices can be read by root and the group disk: run the command with sudo");
	else
		vk_error_remedy(err, "its permissions do not let you read it: run this as root or as its owner");
}

/*
 * What must not even be opened: a FIFO waits until somebody writes into it. A pipe of the shell, <(...), has a writer
 * and is on no disk.
 */
static enum vk_status refuse_unopened(const char *path, struct vk_error *err)
{
	struct stat st;
	struct statfs fs;

	if (stat(path, &st) != 0)
		return VK_OK;
	if (S_ISSOCK(st.st_mode)) {
		vk_error_set(err, VK_USAGE, path, "this is a socket: it holds no bytes");
		return vk_error_remedy(err, "name a disk, a partition, or a file that holds an image of one");
	}
	if (!S_ISFIFO(st.st_mode) || (statfs(path, &fs) == 0 && fs.f_type == PIPEFS_MAGIC))
		return VK_OK;
	vk_error_set(err, VK_USAGE, path, "this is a FIFO: it holds no bytes until something writes into it");
	return vk_error_remedy(err, "name - (standard input) in its place, and add: <%s", vk_shell_path(path).text);
}

enum vk_status vk_io_path(const char *path, const struct vk_open_options *options, struct vk_io **ret_io,
			  struct vk_error *err)
{
	static const struct vk_open_options usual;
	uint32_t sector_size;
	enum vk_status status;
	int fd, code;

	if (options == NULL)
		options = &usual;
	sector_size = options->sector_size;
	if (sector_size != 0 && sector_size != 512 && sector_size != 4096)
		return vk_error_set(err, VK_USAGE, path,
				    "a sector size of %u bytes is not possible, only 512 and 4096 are",
				    (unsigned)sector_size);
	if (strcmp(path, "-") == 0)
		return open_stdin(options, ret_io, err);
	vk_io_call_begins(options->in_call_since_ms);
	status = refuse_unopened(path, err);
	if (status != VK_OK) {
		vk_io_call_ends(options->in_call_since_ms);
		return status;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	vk_io_call_ends(options->in_call_since_ms);
	if (fd >= 0)
		return open_fd(fd, path, true, options, ret_io, err);
	code = errno;
	status = vk_error_errno(err, code, path, "cannot open it for reading");
	if (code == EACCES || code == EPERM)
		tell_who_may(path, err);
	return status;
}
