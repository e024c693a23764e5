/* SPDX-License-Identifier: Apache-2.0 */
/* Texts: what people paste when they are asked for bytes. */

#include "source/survey.h"

bool vk_source_is_text(const struct vk_source *source)
{
	return source->readings.count > 0 && source->readings.items[0].kind == VK_READING_TEXT;
}

void vk_look_at_text(struct vk_survey *survey)
{
	struct vk_reading r = {.kind = VK_READING_TEXT, .sure = VK_SURE_LIKELY, .weight = VK_WEIGHT_HINT};

	/* a disk may begin with text; one that shows anything of its own is none */
	if (survey->status != VK_OK || survey->own.fits[survey->own.best].fit != VK_FIT_NONE ||
	    !vk_io_text_told(survey->io, r.what, sizeof(r.what), r.evidence, sizeof(r.evidence)))
		return;
	if (!vk_survey_add(survey, &r))
		return;
}
