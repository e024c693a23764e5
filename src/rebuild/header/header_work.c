/* SPDX-License-Identifier: Apache-2.0 */
/* The work that the parts of the header planner share: bytes of the partition, and what is told of them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/texts.h"
#include "rebuild/header/header_work.h"

enum { SENTENCES_MAX = 256, FIELDS_MAX = 4096 };

bool vk_work_wants(const struct vk_header_work *work, enum vk_header_structure structure)
{
	unsigned wanted = work->options->structures;

	return wanted == 0 || (wanted & 1U << structure) != 0;
}

unsigned vk_work_asked_major(struct vk_header_work *work)
{
	const struct vk_self_heartbeats *hb = &work->self.heartbeats;
	unsigned asked = work->options->fs_major;
	bool six = asked >= 24;
	const char *against = NULL;

	if (hb->placed > hb->otherwise && six != (hb->slot_bytes == 4096))
		against = "the size of the heartbeat slots";
	else if (work->vmfs.lvm_usable && six != (work->vmfs.lvm.majorVersion >= 6))
		against = "the LVM header";
	if (asked == 0 || against == NULL)
		return asked;
	vk_work_note(work, "The version of the file system that was named (%u) is not used: %s contradicts it.", asked,
		     against);
	return 0;
}

bool vk_work_get(struct vk_header_work *work, uint64_t offset, void *buf, size_t len)
{
	struct vk_error ignored;

	return vk_add_sat(offset, len) <= work->room_bytes &&
	       vk_io_read_all(work->window, offset, buf, len, &ignored) == VK_OK;
}

bool vk_work_get_anew(struct vk_header_work *work, uint64_t offset, void *buf, size_t len)
{
	struct vk_error ignored;
	bool unread;

	if (vk_add_sat(offset, len) > work->room_bytes ||
	    vk_io_read_around_bad(work->window, offset, buf, len, work->sector_size, &unread, &ignored) != VK_OK)
		return false;
	if (unread)
		vk_work_lost(work, "Of the %zu bytes at byte 0x%llx of the partition some cannot be read: what stood "
				   "there is not known.",
			     len, (unsigned long long)offset);
	return true;
}

enum vk_status vk_work_put(struct vk_header_work *work, uint64_t offset, const void *bytes,
			   size_t len, const char *reason, enum vk_header_class write_class,
			   struct vk_error *err)
{
	if (vk_add_sat(offset, len) > work->room_bytes) {
		vk_error_set(err, VK_INTERNAL, vk_io_name(work->base),
			     "a repair of the %s would reach behind the end of the partition", reason);
		vk_error_at(err, offset);
		return VK_INTERNAL;
	}
	work->is_decoded = false;
	return vk_overlay_lay(work->overlay, work->start_bytes + offset, bytes, len, reason, write_class, NULL, err);
}

/* One more change; NULL: there is no room for it. */
static struct vk_rebuilt_field *add_field(struct vk_header_work *work, const struct vk_layout *layout,
					  uint64_t structure_bytes, enum vk_field_origin origin)
{
	struct vk_rebuild_header *h = work->header;
	struct vk_rebuilt_field *f;

	if (!vk_field_origin_exact(origin))
		h->guessed = true;
	if (h->field_count == FIELDS_MAX)
		return NULL;
	f = vk_append(&h->fields, &h->field_count, NULL, sizeof(*f));
	if (f == NULL) {
		work->no_memory = true;
		return NULL;
	}
	f->layout = layout;
	f->structure_bytes = structure_bytes;
	f->origin = origin;
	return f;
}

void vk_work_field(struct vk_header_work *work, const struct vk_layout *layout, const struct vk_field *field,
		   uint64_t structure_bytes, enum vk_field_origin origin, const void *was, const void *is,
		   const char *from)
{
	struct vk_rebuilt_field *f = add_field(work, layout, structure_bytes, origin);
	struct vk_text shown;

	if (f == NULL)
		return;
	snprintf(f->from, sizeof(f->from), "%s", from);
	f->field = field;
	f->at_bytes = structure_bytes + field->offset;
	f->len_bytes = field->size;
	vk_text_init(&shown, f->was, sizeof(f->was));
	if (was != NULL)
		vk_field_text(field, was, &shown);
	vk_text_init(&shown, f->is, sizeof(f->is));
	vk_field_text(field, is, &shown);
}

void vk_work_range(struct vk_header_work *work, const struct vk_layout *layout, uint64_t at_bytes,
		   uint64_t len_bytes, enum vk_field_origin origin, const char *from, ...)
{
	struct vk_rebuilt_field *f = add_field(work, layout, at_bytes, origin);
	va_list ap;

	if (f == NULL)
		return;
	va_start(ap, from);
	vsnprintf(f->from, sizeof(f->from), from, ap);
	va_end(ap);
	f->at_bytes = at_bytes;
	f->len_bytes = len_bytes;
}

bool vk_work_changes(const struct vk_header_work *work, const struct vk_layout *layout, const char *field_name)
{
	const struct vk_rebuild_header *h = work->header;

	for (size_t i = 0; i < h->field_count; i++)
		if (h->fields[i].layout == layout &&
		    (h->fields[i].field == NULL || strcmp(h->fields[i].field->name, field_name) == 0))
			return true;
	return false;
}

/* Keep a sentence that is not there yet. */
__attribute__((format(printf, 4, 0))) static void
add_sentence(struct vk_header_work *work, char ***list, size_t *count, const char *fmt, va_list ap)
{
	if (*count == SENTENCES_MAX)
		return;
	if (!vk_sentence_vadd(list, count, fmt, ap)) {
		work->no_memory = true;
		return;
	}
	for (size_t i = 0; i + 1 < *count; i++) {
		if (strcmp((*list)[i], (*list)[*count - 1]) == 0) {
			free((*list)[--*count]);
			return;
		}
	}
}

void vk_work_lost(struct vk_header_work *work, const char *sentence, ...)
{
	va_list ap;

	va_start(ap, sentence);
	add_sentence(work, &work->header->lost, &work->header->lost_count, sentence, ap);
	va_end(ap);
}

void vk_work_note(struct vk_header_work *work, const char *sentence, ...)
{
	va_list ap;

	va_start(ap, sentence);
	add_sentence(work, &work->header->notes, &work->header->note_count, sentence, ap);
	va_end(ap);
}

void vk_work_verdict(struct vk_header_work *work, enum vk_header_structure structure,
		     enum vk_structure_state state, const char *why, ...)
{
	struct vk_header_verdict *v = &work->header->verdicts[structure];
	va_list ap;

	v->state = state;
	va_start(ap, why);
	vsnprintf(v->why, sizeof(v->why), why, ap);
	va_end(ap);
}
