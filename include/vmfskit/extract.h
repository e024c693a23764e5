/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files out of a volume: a file as a source of its own, and copying such a source into a file or a pipe. What is not
 * allocated or was never written stays a hole. What is missing is listed and never becomes zeros that look like data.
 */
#ifndef VMFSKIT_EXTRACT_H
#define VMFSKIT_EXTRACT_H

#include "vmfskit/fs.h"

__BEGIN_DECLS

/* Where the runs of a file come from. */
struct vk_fs_runs {
	/* The next run is the one that holds offset. Errors: those of vk_fs_walk_open. */
	enum vk_status (*seek)(void *ctx, uint64_t offset, struct vk_error *err);
	bool (*next)(void *ctx, struct vk_fs_run *ret_run); /* false: that was the last */
	void (*close)(void *ctx);                           /* may be NULL */
	void *ctx;
};
/*
 * A file as a source: byte k is byte k of the file. Holes and TBZ blocks are VK_SPAN_ZERO; what is missing, and what no
 * run covers, is VK_SPAN_ABSENT. volume is borrowed. runs is closed with the handle, or at once when memory ran out,
 * which is NULL. Runs of any order, length and place are survived.
 */
struct vk_io *vk_io_runs(const char *name, uint64_t size_bytes, struct vk_io *volume, const struct vk_fs_runs *runs);
/*
 * The same of an open file. fs, file and sink are borrowed, and whoever reads from the handle uses all three: on
 * another thread the caller leaves them alone meanwhile. Errors: VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_fs_file_io(struct vk_fs *fs, const struct vk_fs_file *file, const char *name,
					 const struct vk_finding_sink *sink, struct vk_io **ret_io,
					 struct vk_error *err);

/* A range of a file that could not be copied. */
struct vk_extract_missing {
	uint64_t file_offset;
	uint64_t length_bytes;
	bool absent; /* the source does not hold it; else it cannot be read */
};
/* More than this many are joined with what lies between them: rather too much on record than too little. */
enum { VK_EXTRACT_MISSING_MAX = 100000, VK_EXTRACT_ZERO_BYTES = 1 << 20 };

enum vk_extract_end {
	VK_EXTRACT_DONE,
	VK_EXTRACT_STOPPED, /* the caller did not want to go on */
	VK_EXTRACT_MISSING, /* stop_at_missing: position is that of the first missing byte */
	VK_EXTRACT_DIFFERS  /* compare: in the piece that begins at position */
};
struct vk_extract {
	/* from the caller */
	int fd;               /* borrowed, open for writing */
	bool sparse;          /* byte k goes to offset k, holes are left out; else all is written in order */
	bool compare;         /* nothing is written: fd is read, and compared with what would be; needs sparse */
	bool count_zeros;     /* zero_bytes is wanted: no pipes then */
	bool stop_at_missing; /* else missing bytes become a hole, or zeros where nothing can be left out */
	void *digest;         /* struct vk_digest of store/folder, borrowed; NULL: none */
	/* May be NULL. Called every 200 ms, also while the source does not answer; false: stop. */
	bool (*progress)(void *ctx, const struct vk_extract *extract);
	void *ctx;
	/* results, added to by each call */
	uint64_t position;       /* up to here all is dealt with */
	uint64_t written_bytes;  /* data, without what was left out */
	uint64_t missing_bytes;
	/* of whole blocks of VK_EXTRACT_ZERO_BYTES, and the last one of the file: only zeros in them, be they holes */
	uint64_t zero_bytes;
	struct vk_extract_missing *missing; /* ascending, neighbours of one kind joined */
	size_t missing_count;
	enum vk_extract_end end;
};
/*
 * Copy bytes start .. end of io, which is read on another thread, one piece ahead. Bytes in the cache of a file that
 * need no digest are moved through pipes, and copied at most once. Bad sectors are read around one by one. The length
 * of the output is the caller's to set. At most 8 MiB of buffers, or 2 MiB in pipes. Errors: VK_IO (reading, or
 * writing: err says which by where it is: out_name), VK_NOMEM, VK_INTERNAL (the digest).
 */
VK_MUST_USE enum vk_status vk_extract(struct vk_extract *extract, struct vk_io *io, uint64_t start, uint64_t end,
				      const char *out_name, struct vk_error *err);
void vk_extract_free(struct vk_extract *extract); /* the results */

__END_DECLS
#endif
