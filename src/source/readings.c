/* SPDX-License-Identifier: Apache-2.0 */
/* The list of readings, the best first. */
#include <string.h>

#include "base/memory.h"
#include "source/survey.h"
#include "vmfskit/source.h"

#define VK_READING_NAME(id, name, title, evidence, next) name,
#define VK_READING_TITLE(id, name, title, evidence, next) title,

const char *vk_reading_name(enum vk_reading_kind kind)
{
	static const char *const names[] = {VK_READINGS(VK_READING_NAME)};

	return names[kind];
}

const char *vk_reading_title(enum vk_reading_kind kind)
{
	static const char *const titles[] = {VK_READINGS(VK_READING_TITLE)};

	return titles[kind];
}

const char *vk_sure_name(enum vk_sure sure)
{
	static const char *const names[] = {"possible", "likely", "certain"};

	return names[sure];
}

static const char *const kind_names[] = {"auto", "disk", "partition", "volume", "header"};

const char *vk_source_kind_name(enum vk_source_kind kind)
{
	return kind_names[kind];
}

bool vk_source_kind_parse(const char *name, enum vk_source_kind *ret_kind)
{
	for (unsigned i = VK_SOURCE_DISK; i <= VK_SOURCE_HEADER; i++) {
		if (strcmp(name, kind_names[i]) != 0)
			continue;
		*ret_kind = (enum vk_source_kind)i;
		return true;
	}
	return false;
}

bool vk_readings_put(struct vk_readings *readings, const struct vk_reading *reading)
{
	size_t at = readings->count;

	if (vk_append(&readings->items, &readings->count, reading, sizeof(*reading)) == NULL)
		return false;
	for (; at > 0 && readings->items[at - 1].weight < reading->weight; at--)
		readings->items[at] = readings->items[at - 1];
	readings->items[at] = *reading;
	/* what is certainly something else is no disk of its own to be written to */
	for (size_t i = 1; i < readings->count; i++)
		if (!readings->items[0].repairable && readings->items[0].sure == VK_SURE_CERTAIN)
			readings->items[i].repairable = false;
	return true;
}

bool vk_survey_add(struct vk_survey *survey, const struct vk_reading *reading)
{
	if (vk_readings_put(survey->readings, reading))
		return true;
	survey->status = vk_no_memory(survey->err, vk_io_name(survey->io));
	return false;
}

bool vk_finding_is_of_source(const struct vk_finding *finding)
{
	const struct vk_finding_kind *kind = vk_finding_kind(finding->code);

	/* a blank disk tells nothing, and is not wrong */
	return strncmp(kind->code, "source.", 7) == 0 && finding->code != VK_F_SOURCE_UNRECOGNISED &&
	       (kind->severity != VK_INFO || finding->code == VK_F_SOURCE_LISTING_READ ||
		finding->code == VK_F_SOURCE_TOLD);
}
