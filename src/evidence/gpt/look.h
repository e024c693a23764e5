/* SPDX-License-Identifier: Apache-2.0 */
/* Every header and every array of a GPT that the disk still holds, read where anything points, for one sector size. */
#ifndef VK_EVIDENCE_GPT_LOOK_H
#define VK_EVIDENCE_GPT_LOOK_H

#include "vmfskit/source.h"

/* Why a range has no bytes. */
enum vk_gpt_held { VK_GPT_HELD, VK_GPT_UNREADABLE, VK_GPT_OUTSIDE };

struct vk_gpt_header_seen {
	uint64_t lba;
	enum vk_gpt_held held;
	bool blank;          /* all zero */
	bool present;        /* the signature stands */
	bool sound;          /* its checksum fits */
	bool mended;         /* ... once one bit, or the signature, is put back; sector and header are so */
	bool signature_lost; /* it was the signature */
	unsigned bit;        /* which bit, from bit 0 of byte 0 */
	bool fits;           /* sound or mended, and it is for this place on a disk of this size */
	uint8_t *sector;
	struct vk_gpt_header header;
};
static inline bool vk_gpt_header_trusted(const struct vk_gpt_header_seen *seen)
{
	return seen->sound || seen->mended;
}

struct vk_gpt_array_seen {
	uint64_t lba;
	bool backup; /* it is looked for in the place of a backup */
	enum vk_gpt_held held;
	bool blank;
	uint32_t crc;
	uint8_t *bytes;
};

/* Every header, every array of a look; of some the bytes could not be read. */
#define VK_GPT_EACH_HEADER(seen, look) \
	for (const struct vk_gpt_header_seen *seen = (look)->headers; seen < (look)->headers + (look)->header_count; \
	     seen++)
#define VK_GPT_EACH_ARRAY(seen, look) \
	for (const struct vk_gpt_array_seen *seen = (look)->arrays; seen < (look)->arrays + (look)->array_count; seen++)

enum { VK_GPT_LOOK_HEADERS = 8, VK_GPT_LOOK_ARRAYS = 10 };
struct vk_gpt_look {
	struct vk_io *io;
	uint32_t sector_size;
	uint64_t disk_sectors;
	bool cut; /* a file that ends before its disk does */
	enum vk_gpt_held mbr_held;
	uint8_t mbr_bytes[VK_MBR_BYTES];
	struct vk_mbr mbr;
	bool protective;                                        /* an entry of type EE, and 55 AA */
	struct vk_gpt_header_seen headers[VK_GPT_LOOK_HEADERS]; /* first sector 1, then the disk's last */
	size_t header_count;
	uint32_t entries; /* number and size, of the header that counts most; else the usual ones */
	uint32_t entry_size;
	uint32_t array_bytes;
	uint64_t array_sectors;
	struct vk_gpt_array_seen arrays[VK_GPT_LOOK_ARRAYS];
	size_t array_count;
};

/* Errors: VK_IO (environment), VK_NOMEM. Free with vk_gpt_look_free, also after an error. */
VK_MUST_USE enum vk_status vk_gpt_look(struct vk_io *io, uint32_t sector_size, struct vk_gpt_look *ret_look,
				       struct vk_error *err);
/*
 * Nothing points to a header, or all entries are gone: on a disk that was grown, a copy of before may stand behind the
 * last partition. volumes_end: the sector behind the last volume that was found, 0: not known.
 */
VK_MUST_USE enum vk_status vk_gpt_look_behind(struct vk_gpt_look *look, uint64_t volumes_end, struct vk_error *err);
void vk_gpt_look_free(struct vk_gpt_look *look);
bool vk_gpt_look_any_trusted(const struct vk_gpt_look *look);
/* The header, the array at lba, read if it was not yet; *ret_seen is NULL when there is no room for more. */
VK_MUST_USE enum vk_status vk_gpt_look_header(struct vk_gpt_look *look, uint64_t lba,
					      const struct vk_gpt_header_seen **ret_seen, struct vk_error *err);
VK_MUST_USE enum vk_status vk_gpt_look_array(struct vk_gpt_look *look, uint64_t lba, bool backup,
					     const struct vk_gpt_array_seen **ret_seen, struct vk_error *err);
/* What stands in an array's slot (from 0); false when it is unused or makes no sense as an entry of this disk. */
bool vk_gpt_look_entry(const struct vk_gpt_look *look, const uint8_t *array, uint32_t slot,
		       struct vk_gpt_entry *ret_entry);
/* Whether the bytes of a slot are an entry, or zeros: nothing else was ever written there. */
bool vk_gpt_look_plausible(const struct vk_gpt_look *look, const uint8_t *array, uint32_t slot);

#endif
