/* SPDX-License-Identifier: Apache-2.0 */
/* All readings of a source, weighed against each other. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "source/survey.h"

/* The source's own bytes, as the kind that was chosen by hand or that fits best. */
static struct vk_reading own_reading(const struct vk_lun_signs *signs, enum vk_source_kind as)
{
	static const unsigned weights[] = {VK_WEIGHT_NOTHING, VK_WEIGHT_HINT, VK_WEIGHT_TABLE, VK_WEIGHT_STRUCTURE};
	const struct vk_kind_fit *fit = &signs->fits[as == VK_SOURCE_AUTO ? signs->best
									 : (size_t)(as - VK_SOURCE_DISK)];
	struct vk_reading r = {.kind = (enum vk_reading_kind)(VK_READING_DISK + (fit->kind - VK_SOURCE_DISK)),
			       .sure = fit->fit == VK_FIT_STRUCTURE ? VK_SURE_CERTAIN
				       : fit->fit == VK_FIT_NONE    ? VK_SURE_POSSIBLE
								    : VK_SURE_LIKELY,
			       .weight = weights[fit->fit],
			       .repairable = true};

	if (fit->fit == VK_FIT_STRUCTURE && signs->table_sound)
		r.weight = VK_WEIGHT_SOUND;
	snprintf(r.what, sizeof(r.what), "%s", vk_reading_title(r.kind));
	snprintf(r.evidence, sizeof(r.evidence), "%s",
		 fit->fit == VK_FIT_NONE ? "nothing in it shows what it is" : fit->why);
	return r;
}

/* The disk of a reading; NULL with VK_OK when it is of the source's own bytes. */
static enum vk_status look_through(struct vk_source *s, const struct vk_reading *r, struct vk_io **ret_view,
				   struct vk_error *err)
{
	switch (r->kind) {
	case VK_READING_CARRIER:
		*ret_view = vk_io_window(s->given, r->at_bytes, r->length_bytes != 0 ? r->length_bytes : UINT64_MAX);
		break;
	case VK_READING_STRIDE:
		*ret_view = vk_io_strided(s->given, r->stride_bytes);
		break;
	case VK_READING_SHIFTED:
	case VK_READING_GLUED:
		*ret_view = vk_reading_put_right(s->given, r);
		break;
	default:
		return VK_OK;
	}
	return *ret_view != NULL ? VK_OK : vk_no_memory(err, s->path);
}

/* As many whole phrases of the evidence as a finding has room for. */
static void cut_evidence(const char *evidence, char *seen, size_t size)
{
	static const char more[] = ", ...";
	size_t end = size - sizeof(more);

	if (strlen(evidence) < size) {
		memcpy(seen, evidence, strlen(evidence) + 1);
		return;
	}
	while (end > 0 && !(evidence[end] == ',' && evidence[end + 1] == ' '))
		end--;
	if (end == 0)
		for (end = size - sizeof(more); end > 0 && evidence[end] != ' '; end--)
			;
	snprintf(seen, size, "%.*s%s", (int)end, evidence, more);
}

/* What everything else that is said depends on. */
static void say_reading(struct vk_source *s)
{
	static const enum vk_finding_code codes[VK_READING_COUNT] = {
		[VK_READING_CARRIER] = VK_F_SOURCE_CARRIER, [VK_READING_MEMBER] = VK_F_SOURCE_MEMBER,
		[VK_READING_OTHER] = VK_F_SOURCE_OTHER,     [VK_READING_UNITS] = VK_F_SOURCE_UNITS,
		[VK_READING_STRIDE] = VK_F_SOURCE_STRIDE,   [VK_READING_SHIFTED] = VK_F_SOURCE_SHIFTED,
		[VK_READING_GLUED] = VK_F_SOURCE_GLUED,     [VK_READING_TEXT] = VK_F_SOURCE_TEXT};
	const struct vk_reading *best = s->readings.items;
	enum vk_finding_code code = codes[best->kind];
	char seen[sizeof(((struct vk_finding *)0)->seen)];

	/* as ESXi has it, and right so */
	if (best->kind == VK_READING_UNITS && best->sector_size < vk_io_sector_size(s->given))
		code = VK_F_SOURCE_EMULATED;
	if (code == 0)
		return;
	cut_evidence(best->evidence, seen, sizeof(seen));
	VK_FINDINGS_SAY(&s->findings, code, 0, s->size_bytes, seen, NULL, "%s", best->what);
}

enum vk_status vk_source_survey(struct vk_source *s, const struct vk_source_options *options,
				const struct vk_lun_signs *signs, struct vk_io **ret_view, struct vk_error *err)
{
	static void (*const detectors[])(struct vk_survey *survey) = {vk_look_at_units, vk_look_at_carriers,
								      vk_look_at_stride, vk_look_at_shift,
								      vk_look_at_text, vk_look_at_others};
	struct vk_foreigners foreign = {.count = 0};
	struct vk_survey survey = {.io = s->given,
				   .path = s->path,
				   .sector_size = options->sector_size != 0 || vk_io_is_device(s->given)
							  ? vk_io_sector_size(s->given)
							  : 0,
				   .sector_size_by_hand = options->sector_size != 0,
				   .table = &s->table,
				   .tail = &s->tail,
				   .own = *signs,
				   .foreign = &foreign,
				   .readings = &s->readings,
				   .err = err};
	const struct vk_reading own = own_reading(signs, options->as);

	if (!vk_survey_add(&survey, &own))
		return survey.status;
	/* a listing, an image that was unfolded: their bytes are those that somebody took of a disk */
	if (options->look == VK_LOOK_NOT || s->form != VK_FORM_RAW)
		return VK_OK;
	/* whoever says where it begins knows what it is */
	if (options->view.at_bytes != 0 || options->view.stride_bytes != 0)
		return VK_OK;
	survey.status = vk_foreign_look(s->given, 0, vk_io_size_bytes(s->given), &foreign, err);
	for (size_t i = 0; i < sizeof(detectors) / sizeof(detectors[0]) && survey.status == VK_OK; i++)
		detectors[i](&survey);
	vk_foreigners_free(&foreign);
	if (survey.status == VK_OK)
		say_reading(s);
	if (survey.status != VK_OK || options->look != VK_LOOK_THROUGH || options->as != VK_SOURCE_AUTO)
		return survey.status;
	return look_through(s, &s->readings.items[0], ret_view, err);
}
