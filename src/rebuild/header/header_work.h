/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One partition whose headers are being mended: what the parts of the planner (LVM region, file-system descriptor,
 * heartbeats) share. Offsets are bytes from the start of the partition throughout; nothing outside of it can be put.
 */
#ifndef VK_REBUILD_HEADER_WORK_H
#define VK_REBUILD_HEADER_WORK_H

#include <string.h>

#include "evidence/self/report.h"
#include "rebuild/header/volume_identity.h"
#include "vmfskit/rebuild_header.h"

/* The classes of repair's writer that headers belong to (vk_write_class): what makes a volume recognised comes last. */
enum vk_header_class { VK_HEADER_CLASS_TABLES = 4, VK_HEADER_CLASS_FS = 5, VK_HEADER_CLASS_LVM = 6 };

struct vk_header_work {
	struct vk_overlay *overlay;
	struct vk_io *base;     /* the disk as it is */
	struct vk_io *window;   /* the partition, with everything put so far; byte 0 is its first */
	uint64_t start_bytes;   /* of the partition on the disk */
	uint64_t length_bytes;  /* of the partition; 0: not known */
	bool length_proved;     /* an entry of a GPT whose checksums are right says so */
	uint64_t room_bytes;    /* of the window: length_bytes, or up to the end of the disk */
	uint32_t sector_size;
	const struct vk_rebuild_header_options *options; /* never NULL */
	struct vk_vmfs vmfs;    /* the window as it was decoded last */
	bool is_decoded;        /* nothing was put since then */
	struct vk_findings findings; /* of that decoding; offsets in the window */
	struct vk_self_report self;
	/* which volume this is, by the LVM part; of what is not proved, nothing may be copied */
	struct vk_volume_identity identity;
	/* that the volume was not changed since the capture is not proved: of what may change it proves nothing */
	bool capture_old;
	bool capture_untied;    /* nothing that is left says that the capture shows this volume: only the caller does */
	bool volume_lost;       /* the volume descriptor was: what stands there now was put by this plan */
	struct vk_rebuild_header *header; /* the result in the making */
	bool no_memory;         /* a text or a field could not be kept: the whole ends with VK_NOMEM */
};

/*
 * The host in a UUID that is made new: a locally administered address that no host has; it spells "vmfsk". Such a UUID
 * is no witness of anything: neither its time nor its host tells of another field.
 */
extern const uint8_t vk_made_here[6];
static inline bool vk_uuid_made_here(const struct vk_vmfs_uuid *uuid)
{
	return memcmp(uuid->b + 10, vk_made_here, sizeof(vk_made_here)) == 0;
}

/* Whether the caller wants that structure looked after. */
bool vk_work_wants(const struct vk_header_work *work, enum vk_header_structure structure);
/*
 * The version of the file system that the caller named (fs_major); 0: none, or heartbeats or a sound LVM header
 * contradict it, which is noted.
 */
unsigned vk_work_asked_major(struct vk_header_work *work);
/* Decode the window anew: vmfs and findings. Errors: VK_IO, VK_NOMEM. */
VK_MUST_USE enum vk_status vk_work_decode(struct vk_header_work *work, struct vk_error *err);

/*
 * Ask the volume under the window about itself: at the place that options->candidate votes for, at the one that a
 * usable LVM header names, at the usual one; the strongest answer counts. Errors: VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_work_ask_volume(struct vk_header_work *work, struct vk_self_report *ret_report,
					      struct vk_error *err);

/* Exactly len bytes of the window; false when any of them is absent or unreadable. */
bool vk_work_get(struct vk_header_work *work, uint64_t offset, void *buf, size_t len);
/*
 * The same for what is going to be written: sectors that the device cannot deliver are taken for zeros, which nothing
 * is concluded from, and it is told that they are lost. Guard "unreadable" decides whether they are written.
 */
bool vk_work_get_anew(struct vk_header_work *work, uint64_t offset, void *buf, size_t len);
/*
 * Put bytes, not necessarily whole sectors: what shares a sector with them stays. reason is static text. Errors: VK_IO
 * (a sector cannot be read), VK_INTERNAL (outside the partition), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_work_put(struct vk_header_work *work, uint64_t offset,
				       const void *bytes, size_t len, const char *reason,
				       enum vk_header_class write_class, struct vk_error *err);

/*
 * Say that a field of the structure at structure_bytes changes. was and is are C structs of that layout, NULL where
 * there is nothing to show. An origin that is not exact also sets header->guessed.
 */
void vk_work_field(struct vk_header_work *work, const struct vk_layout *layout,
		   const char *field_name, uint64_t structure_bytes, enum vk_field_origin origin,
		   const void *was, const void *is, const char *from, ...)
	__attribute__((format(printf, 8, 9)));
/* The same for len_bytes bytes from at_bytes on: whole structures of that layout, one behind the other. */
void vk_work_range(struct vk_header_work *work, const struct vk_layout *layout, uint64_t at_bytes,
		   uint64_t len_bytes, enum vk_field_origin origin, const char *from, ...)
	__attribute__((format(printf, 6, 7)));
/* Whether this plan changes that field of a structure, as far as it is recorded: then it is no witness for another. */
bool vk_work_changes(const struct vk_header_work *work, const struct vk_layout *layout, const char *field_name);
/* Whole sentences with a final full stop, none twice. */
void vk_work_lost(struct vk_header_work *work, const char *sentence, ...)
	__attribute__((format(printf, 2, 3)));
void vk_work_note(struct vk_header_work *work, const char *sentence, ...)
	__attribute__((format(printf, 2, 3)));
void vk_work_verdict(struct vk_header_work *work, enum vk_header_structure structure,
		     enum vk_structure_state state, const char *why, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * The parts, in this order; the window is decoded anew before each of them. Each sets the verdicts of its structures,
 * records every field it changes, and puts nothing when it cannot know. Errors: as vk_rebuild_header.
 */
VK_MUST_USE enum vk_status vk_rebuild_lvm(struct vk_header_work *work, struct vk_error *err);
/* FS_DESCRIPTOR; work->vmfs.fs_offset_bytes is where it belongs once the LVM region is sound. */
VK_MUST_USE enum vk_status vk_rebuild_fs(struct vk_header_work *work, struct vk_error *err);
/* HEARTBEATS: slots that are neither free nor in use become free; never one in use. */
VK_MUST_USE enum vk_status vk_rebuild_heartbeats(struct vk_header_work *work, struct vk_error *err);

#endif
