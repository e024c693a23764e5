/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source: anything a person may hand over (a disk, a partition, a logical volume, a fragment, a listing), whole
 * or cut off anywhere, recognised by its content and decoded as far as it reaches.
 */
#ifndef VMFSKIT_SOURCE_H
#define VMFSKIT_SOURCE_H

#include "vmfskit/reading.h"
#include "vmfskit/table.h"
#include "vmfskit/vmfs.h"

__BEGIN_DECLS

enum vk_source_kind {
	VK_SOURCE_AUTO, /* in options only: recognise it */
	VK_SOURCE_DISK,
	VK_SOURCE_PARTITION, /* byte 0 is the first of a partition, or the source keeps a partition's offsets */
	VK_SOURCE_VOLUME,    /* .vh.sf, an image of /dev/lvm, or a piece of one */
	VK_SOURCE_HEADER     /* byte 0 is the LVM header: a fragment that starts at 0x100000 of a partition */
};
const char *vk_source_kind_name(enum vk_source_kind kind);
/* False when there is no such kind. */
VK_MUST_USE bool vk_source_kind_parse(const char *name, enum vk_source_kind *ret_kind);

/* Whether it is asked what a source is. */
enum vk_look {
	VK_LOOK_THROUGH, /* yes; where the best reading is another than the source's own bytes, that is decoded */
	VK_LOOK_AT,      /* yes; but the source's own bytes are decoded: those that can be written to */
	VK_LOOK_NOT      /* no: the caller knows, as of a capture */
};
struct vk_source_options {
	enum vk_look look; /* VK_LOOK_THROUGH counts only where as is VK_SOURCE_AUTO, else it is VK_LOOK_AT */
	enum vk_source_kind as;
	uint32_t sector_size; /* 0: of the device, or recognised */
	struct vk_io_view view; /* by hand: all that is said of the source counts in these bytes */
	uint64_t *in_call_since_ms; /* as in vk_open_options; may be NULL */
	bool several; /* as in vk_open_options: the others follow raw, see vk_io_take_next */
};

/*
 * How long the disk is, or the partition of a piece of one, when its table or a volume says more than the source has,
 * or when the source is a listing with gaps. A GPT whose checksum fits is exact; else it is what partitions and volumes
 * need, or as far as the listing reaches.
 */
struct vk_whole {
	uint64_t bytes; /* 0: nothing says that something is missing */
	bool at_least;
	char by[80];    /* who says so: "its GPT", "the volume at sector 2048" */
	uint64_t held_bytes; /* of the source that are here, without its gaps */
};

struct vk_source {
	char *path;
	enum vk_source_kind kind;
	enum vk_io_form form;
	uint64_t size_bytes;    /* of the unfolded source, of the disk in it when it is looked through */
	uint32_t sector_size;
	uint64_t origin_bytes;  /* where byte 0 of the source lies in the coordinates of its kind */
	struct vk_readings readings; /* the best first: what everything below was judged for */
	struct vk_io *given;    /* as opened */
	struct vk_io *raw;      /* through the best reading; equals given where that is of the source's own bytes */
	struct vk_io *io;       /* in the coordinates of its kind; equals raw unless origin_bytes is set */
	/*
	 * Not NULL: the bytes are not a disk's own but those of a file that holds one in another form; what was
	 * decoded means nothing. Never set where a sound table or a whole VMFS volume stands in its place.
	 */
	const struct vk_image_format *container;
	struct vk_table table;  /* of a disk; kind none otherwise */
	struct vk_tail_gpt tail; /* of a disk or partition without a table of its own; first_sector 0: there is none */
	struct vk_vmfs *vmfs;   /* one for each VMFS partition */
	size_t vmfs_count;
	struct vk_whole whole;
	struct vk_findings findings; /* offsets are bytes of raw */
};

/*
 * Open, recognise and decode. Errors: those of vk_io_open, VK_IO when the source has no bytes, and VK_USAGE when two
 * readings fit equally (both are named; options->as decides). Free ret_source with vk_source_close.
 */
VK_MUST_USE enum vk_status vk_source_open(const char *path, const struct vk_source_options *options,
					  struct vk_source *ret_source, struct vk_error *err);
/* The same over a handle, which the source then owns (also when this fails). */
VK_MUST_USE enum vk_status vk_source_open_io(struct vk_io *io, const char *path,
					     enum vk_io_form form,
					     const struct vk_source_options *options,
					     struct vk_source *ret_source, struct vk_error *err);
void vk_source_close(struct vk_source *source);
/* Whether raw is a view into the source as it was given: a LUN inside, a stride. */
static inline bool vk_source_looked_through(const struct vk_source *source)
{
	return source->raw != source->given;
}
/* Whether the best reading is that the table counts in other sectors than the device, and all was read in those. */
static inline bool vk_source_in_other_units(const struct vk_source *source)
{
	const struct vk_reading *best = source->readings.items;

	return best != NULL && best->kind == VK_READING_UNITS && best->sector_size == source->sector_size;
}
/* Whether its best reading is a text: nothing of it is decoded. */
bool vk_source_is_text(const struct vk_source *source);
/* VK_UNSUPPORTED, with what it is and how to get at the disk in it, when the source is a container; else VK_OK. */
VK_MUST_USE enum vk_status vk_source_refuse_container(const struct vk_source *source, struct vk_error *err);
/*
 * Whether a finding is one of the source itself and not of the disk: what is wrong with it as a whole (a text, a copy
 * that lost bytes, rows that were not used), how a listing was read, and what its text tells.
 */
bool vk_finding_is_of_source(const struct vk_finding *finding);
/* Work out whole again, by what is decoded now. */
void vk_source_measure(struct vk_source *source);
/*
 * A file that ends before the disk does: the beginning of it, or a copy onto something smaller, which look alike; or a
 * listing with gaps. What is not in it is not missing on the disk.
 */
bool vk_source_is_part(const struct vk_source *source);
/* A device that does: it was cut short, and what lay behind its end is lost. */
bool vk_source_is_short(const struct vk_source *source);
/* VK_ABSENT: only a part is here, and why that does not do ("a table needs its end"); what to take instead. */
enum vk_status vk_source_refuse_part(const struct vk_source *source, const char *why, struct vk_error *err);
/* Of these two: "the first 26 MiB (27262976 bytes) of 500 GiB (536870912000 bytes)". */
void vk_source_put_part(const struct vk_source *source, struct vk_text *text);
/*
 * Of these two: what lies behind the end. "the last 4096 sectors of partition 1 (1 of 7 extents of its volume) and the
 * backup GPT". Returns whether something of a partition or volume does.
 */
bool vk_source_put_missing(const struct vk_source *source, struct vk_text *text);
/*
 * Whether the GPT says that the disk ended before it does, and the last sectors, where a GPT of the whole length
 * would put its copy, are not empty. Grown LUNs end with zeros; RAID controllers and others keep what is theirs just
 * there.
 */
bool vk_source_tail_in_use(const struct vk_source *source);

/* Volumes assembled from the sources they were found in. */
struct vk_extent {
	size_t source;    /* index of the source */
	size_t vmfs;      /* index in that source */
	uint64_t first_pe;
	uint64_t last_pe;
};
struct vk_volume {
	struct vk_vmfs_uuid uuid;
	uint32_t snap_id;
	uint32_t num_devs;      /* as recorded */
	uint64_t logical_bytes; /* as recorded */
	struct vk_extent *extents; /* sorted by first_pe */
	size_t extent_count;
	bool complete;
	bool has_fs;            /* a usable descriptor was found on the head extent */
	struct vk_fs_descriptor fs;
};
/* Group the devices of all sources into volumes; findings: volume.extent-missing, -conflict, members-differ. */
VK_MUST_USE enum vk_status vk_volumes_assemble(const struct vk_source *sources, size_t count,
					       const struct vk_finding_sink *sink,
					       struct vk_volume **ret_volumes, size_t *ret_count,
					       struct vk_error *err);
void vk_volumes_free(struct vk_volume *volumes, size_t count);

__END_DECLS
#endif
