/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a handle, for the backends of this folder. */
#ifndef VK_IO_IO_HANDLE_H
#define VK_IO_IO_HANDLE_H

#include <time.h>

#include "io/range_set.h"
#include "vmfskit/finding.h"
#include "vmfskit/io.h"

struct vk_io {
	const struct vk_io_ops *ops;
	void *self;
	char *name;
	uint64_t size_bytes;
	uint32_t sector_size;
	bool is_device;
	const struct vk_image_format *format; /* of a file or device that was opened; NULL: none */
	uint64_t footer_bytes;     /* of such a format; they lie behind size_bytes */
	int fd;                    /* whose bytes these are, unchanged; -1: nobody's; the file backend's */
	uint64_t fd_start;         /* where byte 0 of the handle lies in it */
	uint64_t *in_call_since_ms; /* of vk_open_options, of the file backend; NULL: nobody asks */
	const struct vk_io *below; /* the borrowed source whose bytes these are; asked for device and damage */
	struct vk_range_set bad;   /* in the offsets of this handle */
	struct vk_io *owned;       /* closed behind this handle; NULL: below is borrowed */
	struct vk_io_join *join;   /* of a split dump; freed with the handle; NULL: it is none */
	bool opened;               /* what a path led to, whatever lies below it */
	bool viewed;               /* not all bytes of one file, in their places */
	char damage[200];          /* empty: none */
	uint64_t damage_offset;
	struct vk_findings notes;  /* what was told when a text was unfolded */
	struct vk_io *next;        /* the next source of the same text; owned */
};

/* A file or device that is already open; fd is owned by the handle, and closed when this fails. */
struct vk_io_file_facts {
	uint64_t size_bytes;
	uint32_t sector_size; /* as seen by the reader of the handle */
	uint32_t unit_bytes;  /* grain of reading and of its failures: the device's logical sector */
	bool is_device;
	bool direct;          /* fd has O_DIRECT */
	bool dense;           /* a file that has no holes: there is no need to ask */
	uint64_t *in_call_since_ms; /* of vk_open_options; may be NULL */
};
static inline void vk_io_call_begins(uint64_t *since_ms)
{
	struct timespec now;

	if (since_ms == NULL)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	__atomic_store_n(since_ms, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000, __ATOMIC_SEQ_CST);
}
static inline void vk_io_call_ends(uint64_t *since_ms)
{
	if (since_ms != NULL)
		__atomic_store_n(since_ms, 0, __ATOMIC_SEQ_CST);
}
struct vk_io *vk_io_file(int fd, const char *name, const struct vk_io_file_facts *facts);
/* What vk_io_open_raw opens, whatever form its bytes have. */
VK_MUST_USE enum vk_status vk_io_path(const char *path, const struct vk_open_options *options, struct vk_io **ret_io,
				      struct vk_error *err);
/*
 * The same, and the pieces of a split dump put together: those of options->view, or those that lie beside a first
 * piece, have its length (the last may be shorter) and do not begin like a disk or partition.
 */
VK_MUST_USE enum vk_status vk_io_joined(const char *path, const struct vk_open_options *options,
					struct vk_io **ret_io, struct vk_error *err);
/* io is the view that options ask for; replaced by it, and closed when this fails. Errors: those of vk_io_open. */
VK_MUST_USE enum vk_status vk_io_viewed(struct vk_io **io, const struct vk_io_view *view, struct vk_error *err);
/* base is closed when io is. */
void vk_io_own(struct vk_io *io, struct vk_io *base);
/* Where a call is noted that somebody else makes into the file or device of the handle; NULL: nobody asks. */
uint64_t *vk_io_in_call(const struct vk_io *io);
/* The bases of all parts are closed when parts is. */
void vk_io_parts_own(struct vk_io *parts);
/* The base of part i of what vk_io_parts made. */
struct vk_io *vk_io_parts_base(const struct vk_io *parts, size_t i);

/*
 * FILE#NAME, where there is no file of the whole name: *ret_name, inside path, is one of several disks in a text, and
 * *ret_file (to be freed) the text. NULL: it is not that. False: memory ran out.
 */
bool vk_io_split_name(const char *path, char **ret_file, const char **ret_name);
/*
 * Of an unfolded text the disk of that name; NULL: the only one. Else *io is closed and NULL: VK_ABSENT, or VK_USAGE
 * when there are several, which are named.
 */
VK_MUST_USE enum vk_status vk_io_choose(struct vk_io **io, const char *name, struct vk_error *err);

/*
 * Copy a stream that can be read only once to a file without a name; runs of zeros become holes. On success
 * *ret_fd is open for reading and owned by the caller.
 */
VK_MUST_USE enum vk_status vk_stream_spool(int in, const char *name, int *ret_fd,
					   uint64_t *ret_size_bytes, struct vk_error *err);

#endif
