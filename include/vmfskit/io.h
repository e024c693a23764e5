/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positional reading of anything that holds bytes: memory, a file, a block device, a part of another, a
 * listing, a compressed image, a copy-on-write overlay. There is no cursor and, except for the writer in
 * repair (restore.h), nothing here ever opens anything for writing.
 *
 * Bytes that are not there are never given as zeros: a read stops in front of them and span() says why.
 */
#ifndef VMFSKIT_IO_H
#define VMFSKIT_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmfskit/error.h"
#include "vmfskit/finding.h"

__BEGIN_DECLS

/* What lies at an offset. */
enum vk_span_state {
	VK_SPAN_DATA,       /* bytes that can be read */
	VK_SPAN_ZERO,       /* bytes known to be zero without reading them (a hole of a sparse file) */
	VK_SPAN_ABSENT,     /* the source does not hold them, although it holds later ones */
	VK_SPAN_UNREADABLE, /* the device failed to deliver them */
	VK_SPAN_END         /* behind the last byte; the length is then 0 */
};
struct vk_span {
	enum vk_span_state state;
	uint64_t length_bytes; /* from the offset asked for; at least 1 unless END */
};

/* A handle. Free with vk_io_close. */
struct vk_io;

/* Operations of a backend. self is the backend's own state. */
struct vk_io_ops {
	/*
	 * Read up to len bytes at offset; *ret_got is how many came, counted from offset without a gap. Fewer than
	 * len: the byte at offset + *ret_got is absent, unreadable or behind the end. An unreadable sector is not
	 * an error of this call. Errors: VK_IO for failures of the environment only.
	 */
	enum vk_status (*read_at)(void *self, uint64_t offset, void *buf, size_t len,
				  size_t *ret_got, struct vk_error *err);
	/* What lies at offset. May be NULL: DATA up to size_bytes. */
	struct vk_span (*span)(void *self, uint64_t offset);
	/* May be NULL. */
	void (*close)(void *self);
	/* Put bytes from offset on into a pipe; how many of len. May be NULL: none. What stops it read_at tells. */
	size_t (*splice)(void *self, uint64_t offset, int pipe, size_t len);
};

/*
 * Wrap a backend. The handle takes ownership of self (through ops->close). name is copied and appears in
 * errors. size_bytes is one behind the last byte; sector_size 512 or 4096. NULL when memory ran out (self is
 * then closed).
 */
struct vk_io *vk_io_new(const struct vk_io_ops *ops, void *self, const char *name,
			uint64_t size_bytes, uint32_t sector_size);
void vk_io_close(struct vk_io *io); /* NULL is allowed */

VK_MUST_USE enum vk_status vk_io_read(struct vk_io *io, uint64_t offset, void *buf, size_t len,
				      size_t *ret_got, struct vk_error *err);
/* The same, but fewer than len bytes is an error: VK_ABSENT or VK_IO, with the offset of the first missing byte. */
VK_MUST_USE enum vk_status vk_io_read_all(struct vk_io *io, uint64_t offset, void *buf, size_t len,
					  struct vk_error *err);
/*
 * The same, but sectors (of sector_bytes) that the device cannot deliver become zeros, and ret_unread says that there
 * were such. VK_ABSENT: the source does not hold all of it.
 */
VK_MUST_USE enum vk_status vk_io_read_around_bad(struct vk_io *io, uint64_t offset, void *buf, size_t len,
						 uint32_t sector_bytes, bool *ret_unread,
						 struct vk_error *err);
/*
 * Put bytes of a file's cache into a pipe without copying them; how many of len, as far as there is room. 0: they must
 * be read, which also tells what is wrong with them.
 */
size_t vk_io_splice(struct vk_io *io, uint64_t offset, int pipe, size_t len);
struct vk_span vk_io_span(struct vk_io *io, uint64_t offset);
/* Bytes of offset .. offset+length that the source holds without a gap, from offset on. */
uint64_t vk_io_held(struct vk_io *io, uint64_t offset, uint64_t length);

const char *vk_io_name(const struct vk_io *io);
uint64_t vk_io_size_bytes(const struct vk_io *io);
uint32_t vk_io_sector_size(const struct vk_io *io);
void vk_io_set_sector_size(struct vk_io *io, uint32_t sector_size);

/* Bytes in memory; copied when copy is set, else they must outlive the handle. */
struct vk_io *vk_io_memory(const char *name, const void *bytes, size_t len, bool copy);
/* A range of a source that is put together from others. */
struct vk_io_part {
	uint64_t offset_bytes;
	uint64_t length_bytes;
	struct vk_io *base;  /* NULL: these bytes cannot be read (VK_SPAN_UNREADABLE) */
	uint64_t base_bytes; /* where its first byte lies in base */
};
/*
 * A source made of parts of others, sorted by offset and not overlapping; what lies between and behind them up to
 * size_bytes is gap (VK_SPAN_ABSENT or VK_SPAN_UNREADABLE). The array is copied, the bases are borrowed. NULL when
 * memory ran out, or the parts are out of order, overlap, are empty or reach behind size_bytes.
 */
struct vk_io *vk_io_parts(const char *name, const struct vk_io_part *parts, size_t count, uint64_t size_bytes,
			  enum vk_span_state gap);
/*
 * A copy of a drive with longer sectors: byte k is byte k / 512 * stride_bytes + k % 512 of base. base is borrowed.
 * NULL when memory ran out, or stride_bytes is not above 512 and at most VK_STRIDE_MAX_BYTES.
 */
#define VK_STRIDE_MAX_BYTES 4096u
struct vk_io *vk_io_strided(struct vk_io *base, uint32_t stride_bytes);
/*
 * A part of another source: byte 0 of the new one is byte `offset` of base, `length` bytes long (cut at the
 * end of base). base is borrowed: it must outlive the window.
 */
struct vk_io *vk_io_window(struct vk_io *base, uint64_t offset, uint64_t length);
/*
 * Another source moved up: byte 0 of base is byte `origin` of the new one; below it everything is absent.
 * base is borrowed.
 */
struct vk_io *vk_io_shifted(struct vk_io *base, uint64_t origin);

/* A piece of a scattered source. */
struct vk_io_piece {
	uint64_t offset_bytes;
	uint64_t length_bytes;
	const uint8_t *bytes; /* NULL: zeros */
};
/*
 * A source made of pieces, sorted by offset and not overlapping; what lies between is absent. The array is
 * copied, the bytes are borrowed unless own is given: own is freed (free()) with the handle, or at once when
 * this fails. NULL when memory ran out, or the pieces are out of order, overlap or are empty.
 */
struct vk_io *vk_io_pieces(const char *name, const struct vk_io_piece *pieces, size_t count,
			   uint32_t sector_size, void *own);

/* Which bytes of what a path names are the source: each member speaks of what the one before it leaves. */
struct vk_io_view {
	/*
	 * The pieces of a split dump behind the first one, which the path names, in their order. What is named .001,
	 * .000 or .aa is put together with its siblings without them. A piece that is not there is absent.
	 */
	const char *const *pieces;
	size_t piece_count;
	const char *mapfile;   /* NULL: all. The mapfile of ddrescue: what was not read is unreadable, never zero */
	uint32_t stride_bytes; /* 0: all. 520 or 528: only the first 512 of so many bytes, and so on */
	uint64_t at_bytes;     /* only what lies from there on */
};
/* How to open a path. */
struct vk_open_options {
	uint32_t sector_size; /* 0: of the device, 512 for files */
	struct vk_io_view view;
	/*
	 * May be NULL. The time (CLOCK_MONOTONIC, in milliseconds) at which the call into the file or device began that
	 * has not come back yet; 0: there is none. Set atomically, so that another process that shares this memory can
	 * tell a device that does not answer. Must outlive the handle.
	 */
	uint64_t *in_call_since_ms;
	/*
	 * Of a file: drop what the kernel remembers of it first, as far as it is not still to be written, so that
	 * what is read is what the disk holds. For who plans to write: after a flush that failed, memory shows bytes
	 * that never arrived.
	 */
	bool uncached;
	/*
	 * A text with listings of several disks is opened, as its first, unless view says something of one of them;
	 * else it is refused, and they are named.
	 */
	bool several;
};
/* Forms that are unfolded when they are opened: a row each in src/io/image/formats.c. */
enum vk_io_form { VK_FORM_RAW, VK_FORM_VMFSIMG, VK_FORM_HEXDUMP, VK_FORM_BUNDLE };
struct vk_form {
	const char *name;  /* "vmfsimg" */
	const char *title; /* for sentences: "VMFSIMG image" */
	/* NULL: these are the disk's own bytes, and may be written to */
	bool (*recognise)(struct vk_io *io);
	enum vk_status (*unfold)(struct vk_io *base, struct vk_io **ret_io, struct vk_error *err);
};
const struct vk_form *vk_form(enum vk_io_form form);
/* What a handle of raw bytes holds. */
enum vk_io_form vk_io_form_of(struct vk_io *io);
/*
 * Open what path names for reading: a file, a block device (O_DIRECT, so that no stale cache is read; falls
 * back to cached reading where the device refuses O_DIRECT), or "-" for standard input (kept in a file without
 * name when it cannot be read twice). VMFSIMG images, bundles and listings of bytes are recognised by content and
 * unfolded (never those on a block device, which is what it is); ret_form says which it was. FILE#NAME is one of
 * several disks whose listings stand in a text.
 * Errors: VK_IO (cannot open or read, with the path), VK_USAGE (a folder, a sector size other than 512 and 4096, a
 * stride other than 520 and 528, a view that begins behind the end, a mapfile of another image, a listing that can be
 * read in two ways, listings of several disks), VK_DAMAGED (a compressed image or listing that is broken at its very
 * start, a mapfile that is none), VK_UNSUPPORTED (a VMFSIMG version that is not known, too many pieces), VK_ABSENT (a
 * piece of a split dump), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_io_open(const char *path, const struct vk_open_options *options,
				      struct vk_io **ret_io, enum vk_io_form *ret_form,
				      struct vk_error *err);
/* Raw bytes only: no unfolding. */
VK_MUST_USE enum vk_status vk_io_open_raw(const char *path, const struct vk_open_options *options,
					  struct vk_io **ret_io, struct vk_error *err);
/*
 * How many of the paths, from the first on, are pieces of one split dump in their order: their names count on, and none
 * but the first begins like a disk or a VMFS partition. At least 1, unless count is 0.
 */
size_t vk_io_split_count(const char *const *paths, size_t count);
/* How the pieces of a split dump were put together. */
enum { VK_JOIN_NAME_BYTES = 256 };
struct vk_io_join {
	size_t count;                  /* of pieces that are there */
	/*
	 * Not empty: this is one later piece, named alone (count 1), and the file that the dump begins with lies
	 * beside it under this path.
	 */
	char first[VK_JOIN_NAME_BYTES];
	char last[VK_JOIN_NAME_BYTES]; /* the path of the last one; the first is the name of the source */
	size_t missing_count;
	char missing[VK_JOIN_NAME_BYTES]; /* their names, cut where there are too many */
	uint64_t missing_at_bytes;        /* where the first of them would lie */
	uint64_t missing_bytes;           /* of all of them */
};
const struct vk_io_join *vk_io_join(const struct vk_io *io); /* NULL: it is none */
/* VK_USAGE where it is a later piece, named alone: its bytes have their places behind those of others. */
VK_MUST_USE enum vk_status vk_io_refuse_later_piece(const struct vk_io *io, struct vk_error *err);
/*
 * Whether a byte of the handle need not be the same byte of one file or device, or not all of its bytes are there: the
 * view of vk_open_options, or a split dump. Nothing is ever written through it.
 */
bool vk_io_is_view(const struct vk_io *io);
/* VK_REFUSED, with what to work on instead, when it is one. */
VK_MUST_USE enum vk_status vk_io_refuse_view(const struct vk_io *io, struct vk_error *err);
/* The same before path is opened, as far as the view tells. */
VK_MUST_USE enum vk_status vk_io_refuse_view_of(const struct vk_io_view *view, const char *path,
						struct vk_error *err);
/* It ends after length_bytes, if it is longer. */
void vk_io_cut(struct vk_io *io, uint64_t length_bytes);
/* Whether the handle reads a block device. */
bool vk_io_is_device(const struct vk_io *io);
/*
 * The descriptor of the file or device whose bytes these are, through windows and overlays; -1 when they are not
 * those of one. Borrowed: to be asked who it is (fstat, ioctl), not to be read or closed.
 */
int vk_io_descriptor(const struct vk_io *io);
/* Which file it is on this host. inode 0: it is none, or not known. */
struct vk_file_id {
	uint64_t device;
	uint64_t inode;
	uint64_t born_ns; /* since 1970, for inode numbers are used again; 0: the file system does not tell */
};

/*
 * A form in which files hold a disk that is not the disk's own bytes: a row of the table in src/io/image/formats.c.
 * Recognised by its first and last bytes alone: whether a source really is one is decided where its partition table and
 * volumes are known (vk_source.container).
 */
enum { VK_IMAGE_HEAD_BYTES = 1024, VK_IMAGE_TAIL_BYTES = 512 };
#define VK_IMAGE_AT_TAIL SIZE_MAX
struct vk_image_format {
	const char *name;   /* "qcow2 image" */
	size_t magic_at;    /* in the first VK_IMAGE_HEAD_BYTES; VK_IMAGE_AT_TAIL: at the start of the last 512 */
	const char *magic;
	size_t magic_bytes;
	bool (*check)(const uint8_t *part); /* of the head or tail; NULL: the magic says it all */
	const char *open;   /* how to get at the disk in it: a command in which FILE is its name */
	bool raw_inside;    /* the disk's bytes stand in it as they are, in front of a footer */
};
struct vk_text;
/* That command for one file; a path that names none, like -, leaves FILE in it. */
void vk_image_format_put_open(const struct vk_image_format *format, const char *path, struct vk_text *text);
size_t vk_image_formats(const struct vk_image_format **ret_formats);
/* NULL: none of them. Bytes that are not known are given as zeros. */
const struct vk_image_format *vk_image_format_of(const uint8_t head[VK_IMAGE_HEAD_BYTES],
						 const uint8_t tail[VK_IMAGE_TAIL_BYTES]);
/*
 * What the file or device below this handle was recognised as when it was opened; NULL: nothing. Of one with raw_inside
 * the handle ends where the footer begins.
 */
const struct vk_image_format *vk_io_image_format(const struct vk_io *io);
/* How many bytes of the file or device lie behind the end of the handle because they are such a footer. */
uint64_t vk_io_footer_bytes(const struct vk_io *io);

/*
 * Unfold a VMFSIMG image (vmfs-tools' compressed form) or the listings of bytes in a text. base is owned by the new
 * handle on success. A stream that breaks ends there: what came before is given, the rest is absent, and
 * vk_io_damage says so.
 */
VK_MUST_USE enum vk_status vk_io_vmfsimg(struct vk_io *base, struct vk_io **ret_io,
					 struct vk_error *err);
VK_MUST_USE enum vk_status vk_io_hexdump(struct vk_io *base, struct vk_io **ret_io,
					 struct vk_error *err);
bool vk_io_is_vmfsimg(struct vk_io *base);
bool vk_io_is_hexdump(struct vk_io *base);
/* Whether the file begins with text, of whatever kind; never a device. */
bool vk_io_is_text(struct vk_io *base);
/*
 * Of a file that is text as far as it was looked at and holds no listing: what it is, and by what that is known. False:
 * it is not that.
 */
bool vk_io_text_told(struct vk_io *base, char *ret_what, size_t what_size, char *ret_evidence, size_t evidence_size);
/*
 * The source of the next disk in the same text, which the caller then owns (NULL: there is none); those behind it come
 * with it. Names of such handles are FILE#NAME.
 */
struct vk_io *vk_io_take_next(struct vk_io *io);
bool vk_io_has_next(const struct vk_io *io);
/* What is broken in an unfolded stream: one sentence and the byte in the file; NULL when all is well. */
const char *vk_io_damage(const struct vk_io *io, uint64_t *ret_offset_bytes);
/* For backends: record that sentence. */
void vk_io_set_damage(struct vk_io *io, const char *sentence, uint64_t offset_bytes);

/* Ranges that could not be read through this handle so far, sorted, neighbours joined. Valid until the next read. */
struct vk_range {
	uint64_t offset_bytes;
	uint64_t length_bytes;
};
size_t vk_io_bad_ranges(const struct vk_io *io, const struct vk_range **ret_ranges);
/* All that is known to be wrong with the input: missing pieces, these ranges, the damage, how a text was read. */
void vk_io_say_faults(const struct vk_io *io, const struct vk_finding_sink *sink);

__END_DECLS
#endif
