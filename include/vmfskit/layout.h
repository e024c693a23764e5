/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On-disk layouts as tables. Each structure is described once, by the rows in its own header (lvm.h, gpt.h,
 * ...). From those rows come the C struct, decoder and encoder, the text view, the JSON, the annotated
 * hexdump and docs/format.md. Everything on disk is packed; numbers are little-endian unless a kind says
 * otherwise.
 */
#ifndef VMFSKIT_LAYOUT_H
#define VMFSKIT_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "vmfskit/text.h"

__BEGIN_DECLS

/* A VMFS UUID and a GUID, as the bytes on disk. See vmfs_uuid.h and gpt.h for their text. */
struct vk_vmfs_uuid {
	uint8_t b[16];
};
struct vk_guid {
	uint8_t b[16];
};

/* How a field is stored; numbers come first. */
enum vk_kind {
	VK_KIND_U8,
	VK_KIND_U16,
	VK_KIND_U32,
	VK_KIND_U64,
	VK_KIND_TEXT,  /* characters, NUL or blank padded, kept byte for byte */
	VK_KIND_BYTES, /* anything else */
	VK_KIND_UUID,
	VK_KIND_GUID,
	VK_KIND_DISKID /* a nested SCSI_DiskId */
};

/* How a field is shown. */
enum vk_view {
	VK_VIEW_DEC,
	VK_VIEW_HEX,      /* 0x... */
	VK_VIEW_SIZE,     /* bytes, readable with the exact number beside it */
	VK_VIEW_OFFSET,   /* byte position: hexadecimal */
	VK_VIEW_LBA,      /* sector number */
	VK_VIEW_TIME_S,   /* Unix seconds */
	VK_VIEW_TIME_US,  /* Unix microseconds */
	VK_VIEW_UPTIME_US,/* microseconds since the host booted */
	VK_VIEW_TEXT,
	VK_VIEW_UTF16,    /* GPT name: UTF-16LE, ends at the first NUL */
	VK_VIEW_RAW,      /* hexadecimal bytes */
	VK_VIEW_UUID,
	VK_VIEW_GUID,
	VK_VIEW_TYPE_GUID,/* partition type */
	VK_VIEW_MBR_TYPE, /* partition type */
	VK_VIEW_CHS,
	VK_VIEW_MAC,
	VK_VIEW_IPV4,
	VK_VIEW_DISKID,
	VK_VIEW_DISKID_TYPE,
	VK_VIEW_SCSI_TYPE,
	VK_VIEW_VOL_STATE,
	VK_VIEW_FS_MAGIC,
	VK_VIEW_FS_VERSION,
	VK_VIEW_FS_CONFIG,
	VK_VIEW_HB_STATE,
	VK_VIEW_LOCK_TYPE,
	VK_VIEW_LOCK_MODE,
	VK_VIEW_UNMAP_PRIO,
	VK_VIEW_LVM_FLAGS,
	VK_VIEW_RESERVED  /* shown only in the hexdump */
};

/* How sure the fact is; the letters are those of the column "sure" in docs/format.md. */
enum vk_evidence {
	VK_EV_V, /* verified on the bytes of a real volume */
	VK_EV_P, /* verified on real bytes published as a hexdump */
	VK_EV_X, /* only shown to be consistent, with a synthetic image */
	VK_EV_S, /* stated by a source, no real bytes seen */
	VK_EV_U  /* uncertain: doubtful, inferred or contradicted; said so in every output */
};

/* What is known of the life of a field; a row has the sum of its marks, and most have none. */
enum vk_field_mark {
	VK_LASTING = 1, /* a structure keeps it from its making to its end; all else a grow, an upgrade or a resignature
			   may change */
	VK_PASSING = 2, /* it may change while generation stays: that counts changes of the structure only */
	VK_ALIKE = 4,	/* all devices of a volume have it alike */
	VK_VOLATILE = 8 /* hosts write it in normal use; identities, sizes and times of making never are */
};

/* One row. */
struct vk_field {
	const char *name;  /* VMware's own name where it is known */
	uint32_t offset;   /* bytes from the start of the structure */
	uint32_t size;     /* bytes */
	enum vk_kind kind;
	enum vk_view view;
	enum vk_evidence evidence;
	const char *note;  /* meaning; for VK_EV_U also the doubt */
	size_t member;     /* offset in the C struct */
	unsigned marks;    /* vk_field_mark */
};

/* One structure. */
struct vk_layout {
	const char *name;   /* VMware's name: "LVM_DevMetadata" */
	const char *title;  /* for people: "LVM device header" */
	const char *source; /* where the facts come from */
	uint32_t size;      /* bytes on disk that the rows cover at most */
	size_t struct_size; /* sizeof the C struct */
	const struct vk_field *fields;
	size_t count;
};

/*
 * Decode what len bytes hold into the C struct at out, which is zeroed first. Fields that do not lie wholly
 * inside len stay zero, but for texts that end there. Returns how many leading bytes of the structure were there:
 * min(len, layout->size). Never fails; vk_field_held tells whether a field was among them.
 */
size_t vk_layout_decode(const struct vk_layout *layout, const uint8_t *buf, size_t len, void *out);
/*
 * Put the C struct at in back into buf; bytes between the rows keep their value, so an unknown byte survives.
 * Only fields wholly inside len are written. Returns min(len, layout->size).
 */
size_t vk_layout_encode(const struct vk_layout *layout, const void *in, uint8_t *buf, size_t len);

/* The same with the types of one structure: noun##_decode(buf, len, &ret) and noun##_encode(&in, buf, len). */
#define VK_CODEC(noun, T) \
	static inline size_t noun##_decode(const uint8_t *buf, size_t len, T *ret) \
	{ \
		return vk_layout_decode(&noun##_layout, buf, len, ret); \
	} \
	static inline size_t noun##_encode(const T *in, uint8_t *buf, size_t len) \
	{ \
		return vk_layout_encode(&noun##_layout, in, buf, len); \
	}

int vk_field_held(const struct vk_field *field, size_t seen_bytes);
/* Whether its value can be shown: it is held, or a text that ends, with a NUL, in what is. in: the C struct. */
bool vk_field_told(const struct vk_field *field, const void *in, size_t seen_bytes);
/* The row of that name, NULL when there is none. */
const struct vk_field *vk_layout_field(const struct vk_layout *layout, const char *name);
/* Value of a number field (U8 to U64) of the C struct at in; 0 for other kinds. */
uint64_t vk_field_number(const struct vk_field *field, const void *in);
/* The raw member of a TEXT, BYTES, UUID, GUID or DISKID field. */
const uint8_t *vk_field_bytes(const struct vk_field *field, const void *in);
/* Append the value as people read it; doubt is added by the caller (field->evidence). */
void vk_field_text(const struct vk_field *field, const void *in, struct vk_text *text);
/* Name of a value of an enumerating view ("LVM_NORMAL"), NULL when the view has none for it. */
const char *vk_view_name(enum vk_view view, uint64_t value);
/* Letter of an evidence mark. */
char vk_evidence_letter(enum vk_evidence evidence);

/* All layouts, for documentation and tests; ends with NULL. */
extern const struct vk_layout *const vk_layouts[];

/* C members from rows: F(T, kind, name, offset, size, view, evidence, note) or, with marks, F(T, ..., note, marks). */
#define VK_MEMBER_U8(name, size) uint8_t name;
#define VK_MEMBER_U16(name, size) uint16_t name;
#define VK_MEMBER_U32(name, size) uint32_t name;
#define VK_MEMBER_U64(name, size) uint64_t name;
#define VK_MEMBER_TEXT(name, size) uint8_t name[size];
#define VK_MEMBER_BYTES(name, size) uint8_t name[size];
#define VK_MEMBER_UUID(name, size) struct vk_vmfs_uuid name;
#define VK_MEMBER_GUID(name, size) struct vk_guid name;
#define VK_MEMBER_DISKID(name, size) struct vk_scsi_disk_id name;
#define VK_MEMBER(T, kind, name, offset, size, view, evidence, note, ...) VK_MEMBER_##kind(name, size)

__END_DECLS
#endif
