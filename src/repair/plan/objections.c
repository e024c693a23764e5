/* SPDX-License-Identifier: Apache-2.0 */
/* What guards say of a plan: objections, and remarks about what could not be looked at. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/texts.h"
#include "repair/plan/restore_state.h"

#define KIND_ROW(id, name, why, past, risk) {name, why, past, risk},
static const struct vk_guard_kind kinds[VK_GUARD_COUNT] = {VK_GUARDS(KIND_ROW)};

const struct vk_guard_kind *vk_guard_kind(enum vk_guard guard)
{
	return &kinds[guard];
}

bool vk_guard_is_lifted(const struct vk_restore_options *options, enum vk_guard guard)
{
	return (options->overrides & 1U << guard) != 0;
}

bool vk_guard_has_objected(const struct vk_restore *restore, enum vk_guard guard)
{
	for (size_t i = 0; i < restore->objection_count; i++)
		if (restore->objections[i].guard == guard)
			return true;
	return false;
}

enum vk_status vk_guard_object(struct vk_restore *restore, enum vk_guard guard, struct vk_error *err,
			       const char *message, ...)
{
	struct vk_objection objection = {.guard = guard,
					 .overridden = vk_guard_is_lifted(&restore->options, guard),
					 .past = vk_guard_kind(guard)->past,
					 .acceptable = guard == VK_GUARD_GUESS || guard == VK_GUARD_UNREADABLE};
	va_list args;

	va_start(args, message);
	vsnprintf(objection.message, sizeof(objection.message), message, args);
	va_end(args);
	if (vk_append(&restore->objections, &restore->objection_count, &objection, sizeof(objection)) == NULL)
		return vk_no_memory(err, NULL);
	return VK_OK;
}

void vk_guard_add_remedy(struct vk_restore *restore, const char *past, bool acceptable)
{
	struct vk_objection *last = &restore->objections[restore->objection_count - 1];

	last->past = past;
	last->acceptable = acceptable;
}

size_t vk_restore_objections(const struct vk_restore *restore, const struct vk_objection **ret_objections)
{
	*ret_objections = restore->objections;
	return restore->objection_count;
}

const struct vk_objection *vk_restore_first_refusal(const struct vk_restore *restore)
{
	for (size_t i = 0; i < restore->objection_count; i++)
		if (!restore->objections[i].overridden)
			return &restore->objections[i];
	return NULL;
}

bool vk_restore_refused(const struct vk_restore *restore)
{
	return vk_restore_first_refusal(restore) != NULL;
}

void vk_restore_add_remark(struct vk_restore *restore, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!vk_sentence_vadd(&restore->remarks, &restore->remark_count, format, args))
		restore->remark_lost = true;
	va_end(args);
}

const char *vk_restore_remark(const struct vk_restore *restore, size_t n)
{
	return n < restore->remark_count ? restore->remarks[n] : NULL;
}
