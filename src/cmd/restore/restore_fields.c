/* SPDX-License-Identifier: Apache-2.0 */
/* What an edit means: the fields of a structure before and after. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "cmd/restore/restore_run.h"
#include "repair/plan/structures.h"

enum { FIELDS_SHOWN = 8, STRUCTURE_MAX_BYTES = 4096, VALUE_BYTES = 400 };

static void show_value(FILE *out, const struct vk_field *field, const uint8_t *bytes, const void *decoded)
{
	char value[VALUE_BYTES];
	struct vk_text text = vk_text_in(value, sizeof(value));

	vk_field_text(field, decoded, &text);
	fputs(vk_all_zero(bytes + field->offset, field->size) ? "zeros" : value, out);
}

/* Of one structure, decoded before and after: the fields that change. False: no memory. */
static bool show_structure(const struct vk_restore_run *run, const struct vk_structure *item,
			   const struct vk_edit *edit)
{
	const struct vk_layout *layout = item->layout;
	struct vk_io *io[2] = {vk_restore_before(run->restore)->io, vk_restore_after(run->restore)->io};
	void *decoded[2] = {malloc(layout->struct_size), malloc(layout->struct_size)};
	bool both = decoded[0] != NULL && decoded[1] != NULL;
	uint8_t bytes[2][STRUCTURE_MAX_BYTES];
	FILE *out = run->cmd.call->out;
	size_t got[2] = {0, 0}, shown = 0, left = 0;
	struct vk_error ignored;

	for (int i = 0; both && i < 2; i++) {
		uint64_t from = vk_max_u64(item->at, edit->offset_bytes), to;

		if (vk_io_read(io[i], item->at, bytes[i], (size_t)vk_min_u64(layout->size, STRUCTURE_MAX_BYTES),
			       &got[i], &ignored) != VK_OK)
			got[i] = 0;
		/* what stood there: the target itself may have been written by now */
		to = vk_min_u64(item->at + got[i], edit->offset_bytes + edit->length_bytes);
		if (i == 0 && from < to)
			memcpy(bytes[0] + (from - item->at), edit->old_bytes + (from - edit->offset_bytes), to - from);
		vk_layout_decode(layout, bytes[i], got[i], decoded[i]);
	}
	for (size_t i = 0; both && i < layout->count; i++) {
		const struct vk_field *field = &layout->fields[i];

		if (!vk_field_held(field, got[0]) || !vk_field_held(field, got[1]) ||
		    memcmp(bytes[0] + field->offset, bytes[1] + field->offset, field->size) == 0)
			continue;
		if (shown++ >= FIELDS_SHOWN && !run->verbose) {
			left++;
			continue;
		}
		fprintf(out, "      %s: ", field->name);
		if (field->view == VK_VIEW_RESERVED) {
			fprintf(out, "%" PRIu32 " bytes differ\n", field->size);
			continue;
		}
		show_value(out, field, bytes[0], decoded[0]);
		fputs(" -> ", out);
		show_value(out, field, bytes[1], decoded[1]);
		fputs(field->evidence == VK_EV_U ? " (uncertain)\n" : "\n", out);
	}
	if (left > 0)
		fprintf(out, "      and %zu fields more (--verbose shows all)\n", left);
	free(decoded[0]);
	free(decoded[1]);
	return both;
}

void vk_restore_show_fields(const struct vk_restore_run *run, const struct vk_edit *edit)
{
	/* the side on which the structures stand tells where they are */
	bool before = run->capture->is_undo || vk_rebuilt_is_wipe(&run->capture->rebuilt);
	const struct vk_source *side = before ? vk_restore_before(run->restore) : vk_restore_after(run->restore);
	FILE *out = run->cmd.call->out;
	struct vk_structures list;
	size_t differ = 0;
	bool any = false;

	if (edit->old_unread) {
		fputs("      these bytes cannot be read; they are overwritten\n", out);
		return;
	}
	if (vk_structures_list(side, &list, NULL) != VK_OK)
		return;
	for (size_t i = 0; i < list.count; i++) {
		const struct vk_structure *item = &list.items[i];

		if (item->layout != NULL && item->end > edit->offset_bytes &&
		    item->start < edit->offset_bytes + edit->length_bytes)
			any = show_structure(run, item, edit) || any;
	}
	vk_structures_free(&list);
	if (any)
		return;
	for (size_t i = 0; i < edit->length_bytes; i++)
		differ += edit->old_bytes[i] != edit->new_bytes[i];
	if (vk_all_zero(edit->old_bytes, edit->length_bytes))
		fprintf(out, "      zeros -> %zu bytes of data\n", differ);
	else if (vk_all_zero(edit->new_bytes, edit->length_bytes))
		fprintf(out, "      %zu bytes of data -> zeros\n", differ);
	else
		fprintf(out, "      %zu bytes differ\n", differ);
}
