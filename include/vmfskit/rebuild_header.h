/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LVM header, volume table, PE tables, file-system descriptor and heartbeat slots of one partition, mended or made new
 * from what the volume still says about itself, put on an overlay. Nothing here writes; repair.h applies it.
 */
#ifndef VMFSKIT_REBUILD_HEADER_H
#define VMFSKIT_REBUILD_HEADER_H

#include "vmfskit/find.h"
#include "vmfskit/overlay.h"

__BEGIN_DECLS

/* How a field's value is known. */
enum vk_field_origin {
	VK_FIELD_CONSTANT,  /* it is the same in all volumes of that version */
	VK_FIELD_COPY,      /* another structure of this volume holds the same */
	VK_FIELD_COMPUTED,  /* it follows from others */
	VK_FIELD_MEMBER,    /* another extent of the volume says so */
	VK_FIELD_CAPTURE,   /* a capture of this volume holds it */
	VK_FIELD_ASKED,     /* the caller gave it */
	VK_FIELD_USUAL,     /* every volume seen has it so; not proved for this one */
	VK_FIELD_FRESH      /* it survives nowhere: made new, or left recognisable */
};
const char *vk_field_origin_name(enum vk_field_origin origin);
/* Whether such a value is what stood there. USUAL and FRESH are not. */
bool vk_field_origin_exact(enum vk_field_origin origin);

/* One field that the plan changes. */
struct vk_rebuilt_field {
	const struct vk_layout *layout;
	const struct vk_field *field;  /* NULL: whole structures (entries of a PE table, heartbeat slots) */
	uint64_t structure_bytes;      /* where the structure lies, from the partition's start */
	uint64_t at_bytes, len_bytes;  /* the bytes that may change: the field's, or those of the structures */
	enum vk_field_origin origin;
	char from[160];                /* "FS3_Descriptor.volInfo at 0x1300000", "1873 locks" */
	char was[100], is[100];        /* as people read it; empty when long */
};

enum vk_structure_state {
	VK_STRUCTURE_CONSISTENT,
	VK_STRUCTURE_MENDED,
	VK_STRUCTURE_REBUILT,
	VK_STRUCTURE_LOST,
	VK_STRUCTURE_NONE
};
const char *vk_structure_state_name(enum vk_structure_state state);
enum vk_header_structure {
	VK_HS_LVM_HEADER,
	VK_HS_VOLUME,
	VK_HS_PE_TABLES,
	VK_HS_SD_TABLE,
	VK_HS_FS_DESCRIPTOR,
	VK_HS_HEARTBEATS,
	VK_HS_COUNT
};
const char *vk_header_structure_name(enum vk_header_structure structure);
struct vk_header_verdict {
	enum vk_structure_state state; /* NONE: this partition has no such thing */
	char why[240];
};

/* Another view of the same partition or volume. Borrowed. */
struct vk_known_header {
	const struct vk_source *source; /* decoded; of a capture, or of another extent */
	size_t vmfs;                    /* index in it */
	const char *name;
	bool member;                    /* another extent, not this one at another time */
};

struct vk_rebuild_header_options {
	const struct vk_candidate *candidate; /* what find says of this partition (votes); may be NULL */
	const char *label;              /* for a descriptor that is made new; NULL: left recognisable */
	const struct vk_known_header *known;
	size_t known_count;
	unsigned structures;            /* bits 1 << vk_header_structure; 0: all but heartbeats that are sound */
	const struct vk_scsi_disk_id *live_id; /* the LUN as this host sees it, for a lost diskID; NULL: not known */
	unsigned fs_major; /* 4, 14, 24: the caller knows the version (not used when the volume contradicts); 0: found
			      out */
};

struct vk_rebuild_header {
	struct vk_header_verdict verdicts[VK_HS_COUNT];
	struct vk_rebuilt_field *fields;
	size_t field_count;
	char **lost;                    /* what cannot be brought back: whole sentences */
	size_t lost_count;
	char **notes;
	size_t note_count;
	bool nothing_to_do;
	bool guessed;                   /* the origin of some changed field is not exact (guard "guess") */
};

/*
 * disk->io is the base of overlay; its sector size, its table or the GPT in its tail, and what was decoded of the
 * partition are asked, too. The partition is length_bytes bytes from start_bytes on (length 0: not known). Errors:
 * VK_ABSENT (too little is left: err says what is missing), VK_UNSUPPORTED (a lost header of a volume with several
 * extents), VK_IO, VK_NOMEM. A slot in use is never touched. Free with vk_rebuild_header_free.
 */
VK_MUST_USE enum vk_status vk_rebuild_header(const struct vk_source *disk, uint64_t start_bytes,
					     uint64_t length_bytes,
					     const struct vk_rebuild_header_options *options,
					     struct vk_overlay *overlay,
					     struct vk_rebuild_header *ret_header,
					     struct vk_error *err);
void vk_rebuild_header_free(struct vk_rebuild_header *header);

__END_DECLS
#endif
