/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of drives with sectors of 520 or 528 bytes, which arrays format their disks with: behind each 512 bytes of
 * data stand 8 or 16 more (a checksum and the block's address; T10 DIF, NetApp, EMC), which were copied along.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "source/survey.h"

/* A GPT header where the second sector begins. */
static bool gpt_at_second_sector(struct vk_io *io, uint32_t stride)
{
	uint8_t sector[512];

	return vk_io_read_all(io, stride, sector, sizeof(sector), NULL) == VK_OK &&
	       vk_gpt_header_proved(sector, sizeof(sector));
}

static bool boot_signature(struct vk_io *io)
{
	uint8_t end[2];

	return vk_io_read_all(io, 510, end, sizeof(end), NULL) == VK_OK && vk_get_le16(end) == VK_MBR_SIGNATURE;
}

static bool add_stride(struct vk_survey *survey, uint32_t stride, const struct vk_lun_signs *signs, bool gpt)
{
	const struct vk_kind_fit *fit = &signs->fits[signs->best];
	struct vk_reading r = {.kind = VK_READING_STRIDE,
			       .sure = gpt || fit->fit == VK_FIT_STRUCTURE ? VK_SURE_CERTAIN : VK_SURE_LIKELY,
			       .weight = VK_WEIGHT_COPY,
			       .stride_bytes = stride,
			       .sector_size = 512};
	struct vk_text text;

	snprintf(r.what, sizeof(r.what), "a copy of a drive with sectors of %" PRIu32 " bytes: %" PRIu32 " behind "
		 "each 512 are not data", stride, stride - 512);
	text = vk_text_in(r.evidence, sizeof(r.evidence));
	if (gpt)
		vk_text_fmt(&text, "%s at byte %" PRIu32 "%s, ", VK_GPT_SIGNATURE, stride,
			    boot_signature(survey->io) ? " behind an MBR" : "");
	if (signs->copies_agree)
		vk_text_put(&text, "both copies of the GPT agree, ");
	if (fit->fit != VK_FIT_NONE && fit->fit != VK_FIT_TABLE)
		vk_text_fmt(&text, "%s of what is left without them, ", fit->why);
	vk_text_fmt(&text, "the length is %sa whole number of such sectors",
		    vk_io_size_bytes(survey->io) % stride == 0 ? "" : "not ");
	return vk_survey_add(survey, &r);
}

void vk_look_at_stride(struct vk_survey *survey)
{
	static const uint32_t strides[] = {520, 528};
	const enum vk_fit own = survey->own.fits[survey->own.best].fit;

	for (size_t i = 0; i < 2 && own != VK_FIT_STRUCTURE; i++) {
		struct vk_io *view = vk_io_strided(survey->io, strides[i]);
		struct vk_lun_signs signs = {.best = 0};
		bool gpt = gpt_at_second_sector(survey->io, strides[i]);

		if (view == NULL) {
			survey->status = vk_no_memory(survey->err, survey->path);
			return;
		}
		survey->status = vk_lun_signs_read(view, 512, &signs, survey->err);
		vk_io_close(view);
		if (survey->status != VK_OK)
			return;
		/* sector 0 is the same in both, and so is what an MBR says */
		if ((gpt || (signs.fits[signs.best].fit != VK_FIT_TABLE && signs.fits[signs.best].fit > own)) &&
		    !add_stride(survey, strides[i], &signs, gpt))
			return;
	}
}
