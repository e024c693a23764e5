/* SPDX-License-Identifier: Apache-2.0 */
/* One structure being mended: how it was, how it should be, and how each field of that is known. */
#ifndef VK_REBUILD_HEADER_MEND_H
#define VK_REBUILD_HEADER_MEND_H

#include "evidence/tally.h"
#include "vmfskit/rebuild_header.h"

struct vk_header_work;

enum { VK_MEND_FIELDS_MAX = 48 };
struct vk_mending {
	struct vk_header_work *work;
	const struct vk_layout *layout;
	const void *was;   /* C structs of that layout, borrowed */
	void *is;
	uint64_t at;       /* from the partition's start */
	bool rebuilt;      /* nothing of what stands there is believed */
	bool blank;        /* nothing stands there: was is not worth showing */
	bool contradicted; /* something in it is wrong, and stays */
	/*
	 * The structure as a capture has it: its values go before all others but constants and what the volume proves
	 * alike.
	 */
	const void *capture;
	const char *capture_name;
	bool capture_proves; /* what lasts is as it was; capture_names: of UUIDs, too, which a resignature draws anew */
	bool capture_names;
	struct {
		bool set;
		enum vk_field_origin origin;
		char from[160];
	} fields[VK_MEND_FIELDS_MAX];
};

/*
 * Set a field and remember where its value comes from. Of equal values the first one that is sure counts, of others the
 * last.
 */
void vk_mend_number(struct vk_mending *m, const char *field, uint64_t value, enum vk_field_origin origin,
		    const char *from, ...)
	__attribute__((format(printf, 5, 6)));
/* The same for the member of a field of any kind. */
void vk_mend_bytes(struct vk_mending *m, const char *field, const void *bytes, enum vk_field_origin origin,
		   const char *from, ...)
	__attribute__((format(printf, 5, 6)));
/* A field of any kind as a C struct of its layout has it. */
static inline const uint8_t *vk_mend_member(const struct vk_field *field, const void *in)
{
	return (const uint8_t *)in + field->member;
}
/* Every field as another structure has it, but for a disk id inside, which is a mending of its own. */
void vk_mend_all(struct vk_mending *m, const void *other, enum vk_field_origin origin, const char *from);
/* From the capture: of a structure that is made new all that was not set, of one that stands what lasts. */
void vk_mend_from_capture(struct vk_mending *m);
/* Where the structure lies, or which one it is, is not proved: then none of its values is. */
void vk_mend_doubt(struct vk_mending *m);
/* How a value is known that is what stood there when proved; else it is what fits best. */
static inline enum vk_field_origin vk_origin_if(bool proved, enum vk_field_origin origin)
{
	return proved ? origin : VK_FIELD_USUAL;
}

/* A number as the votes on it have it. */
static inline void vk_mend_voted(struct vk_mending *m, const char *field, const struct vk_ballot *vote,
				 enum vk_field_origin origin)
{
	vk_mend_number(m, field, vote->value, vk_origin_if(vote->proved, origin), "%s", vote->from);
}

/* How many things change, and how many of them are not as they were. */
struct vk_mend_sum {
	size_t changed, inexact;
};
/* Record the fields that change. */
void vk_mend_record(const struct vk_mending *m, struct vk_mend_sum *sum);
/*
 * Lay the structure as it is to be into raw, the len bytes that stand there, and record what changes of bytes that no
 * field holds. One that is made new is laid over base: the capture's bytes, or zeros (NULL).
 */
void vk_mend_lay(const struct vk_mending *m, uint8_t *raw, size_t len, const uint8_t *base, struct vk_mend_sum *sum);

#endif
