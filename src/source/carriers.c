/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of arrays and pools. Where the data of one begins, its superblock says; whether a LUN lies whole in it, what
 * is read there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "source/survey.h"

/* What a superblock says of the device that it lies on. */
struct member {
	char name[80];         /* "a Linux RAID (md 1.2, RAID1)" */
	uint64_t data_bytes;   /* where its data begins */
	uint64_t length_bytes; /* of the data; 0: not known */
	bool whole;            /* its data is all of the array's: a mirror, or the only device */
	char attach[400];      /* commands in which FILE is the source */
};

/* struct mdp_superblock_1; Linux, include/uapi/linux/raid/md_p.h */
static bool read_md(struct vk_survey *survey, const struct vk_foreign *f, struct member *ret)
{
	enum { MD_MAGIC = 0xa92b4efc, MD_BYTES = 256 };
	uint8_t sb[MD_BYTES];
	size_t got = 0;
	int32_t level;
	uint32_t disks;

	if (vk_io_read(survey->io, f->magic_bytes, sb, sizeof(sb), &got, NULL) != VK_OK || got < sizeof(sb) ||
	    vk_get_le32(sb) != MD_MAGIC || vk_get_le32(sb + 4) != 1)
		return false;
	level = (int32_t)vk_get_le32(sb + 72);
	disks = vk_get_le32(sb + 92);
	ret->data_bytes = vk_mul_sat(vk_get_le64(sb + 128), 512);
	ret->length_bytes = vk_mul_sat(vk_get_le64(sb + 136), 512);
	ret->whole = level == 1 || disks == 1;
	snprintf(ret->name, sizeof(ret->name), "a Linux RAID (md 1.%u, RAID%" PRId32 ", %" PRIu32 " disks)",
		 f->magic_bytes == 0 ? 1 : f->magic_bytes == 4096 ? 2 : 0, level, disks);
	snprintf(ret->attach, sizeof(ret->attach), "mdadm --assemble --readonly --run /dev/md/vmfs FILE");
	return true;
}

static bool add_member(struct vk_survey *survey, const struct vk_foreign *f, const struct member *m)
{
	struct vk_reading r = {.kind = VK_READING_MEMBER, .sure = VK_SURE_CERTAIN, .weight = VK_WEIGHT_MEMBER};
	struct vk_lun_signs inner = {.best = 0};
	struct vk_io *window;

	snprintf(r.evidence, sizeof(r.evidence), "the superblock at byte %" PRIu64, f->magic_bytes);
	snprintf(r.attach, sizeof(r.attach), "%s", m->attach);
	snprintf(r.what, sizeof(r.what), "a member of %s: what was stored can be read in the array only", m->name);
	if (m->whole && m->data_bytes > 0 && m->data_bytes < vk_io_size_bytes(survey->io)) {
		window = vk_io_window(survey->io, m->data_bytes, m->length_bytes != 0 ? m->length_bytes : UINT64_MAX);
		if (window == NULL)
			return false;
		survey->status = vk_lun_signs_read(window, 0, &inner, survey->err);
		vk_io_close(window);
		if (survey->status != VK_OK)
			return false;
		if (inner.fits[inner.best].fit > VK_FIT_NONE) {
			r.kind = VK_READING_CARRIER;
			r.at_bytes = m->data_bytes;
			r.length_bytes = m->length_bytes;
			snprintf(r.what, sizeof(r.what), "a member of %s with a LUN whole inside, from byte %" PRIu64
				 " on", m->name, m->data_bytes);
		}
	}
	return vk_survey_add(survey, &r);
}

void vk_look_at_carriers(struct vk_survey *survey)
{
	for (size_t i = 0; i < survey->foreign->count; i++) {
		const struct vk_foreign *f = &survey->foreign->items[i];
		struct member m = {.data_bytes = 0};

		if (strcmp(f->type, "linux_raid_member") == 0 && read_md(survey, f, &m) && !add_member(survey, f, &m))
			return;
	}
}
