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

/* One structure at one place, decoded before and after. */
struct pair {
	const struct vk_layout *layout;
	uint8_t bytes[2][STRUCTURE_MAX_BYTES];
	size_t got[2];
	void *decoded[2];
};

/* What stood there: the target itself may have been written by now. */
static void put_old_bytes(struct pair *pair, const struct vk_structure *item, const struct vk_edit *edit)
{
	uint64_t from = vk_max_u64(item->at, edit->offset_bytes);
	uint64_t to = vk_min_u64(item->at + pair->got[0], edit->offset_bytes + edit->length_bytes);

	if (from < to)
		memcpy(pair->bytes[0] + (from - item->at), edit->old_bytes + (from - edit->offset_bytes), to - from);
}

static bool read_pair(const struct vk_restore_run *run, const struct vk_structure *item, const struct vk_edit *edit,
		      struct pair *pair)
{
	struct vk_io *io[2] = {vk_restore_before(run->restore)->io,
			       vk_restore_after(run->restore)->io};
	struct vk_error ignored;

	pair->layout = item->layout;
	for (int i = 0; i < 2; i++) {
		size_t len = pair->layout->size < STRUCTURE_MAX_BYTES ? pair->layout->size
								      : STRUCTURE_MAX_BYTES;

		pair->decoded[i] = NULL;
		if (vk_io_read(io[i], item->at, pair->bytes[i], len, &pair->got[i], &ignored) !=
		    VK_OK)
			pair->got[i] = 0;
	}
	put_old_bytes(pair, item, edit);
	for (int i = 0; i < 2; i++) {
		pair->decoded[i] = malloc(pair->layout->struct_size);
		if (pair->decoded[i] == NULL)
			return false;
		vk_layout_decode(pair->layout, pair->bytes[i], pair->got[i], pair->decoded[i]);
	}
	return true;
}

static bool is_changed(const struct pair *pair, const struct vk_field *field)
{
	return vk_field_held(field, pair->got[0]) && vk_field_held(field, pair->got[1]) &&
	       memcmp(pair->bytes[0] + field->offset, pair->bytes[1] + field->offset,
		      field->size) != 0;
}

static void show_value(FILE *out, const struct pair *pair, const struct vk_field *field, int which)
{
	char value[VALUE_BYTES];
	struct vk_text text;

	if (vk_all_zero(pair->bytes[which] + field->offset, field->size)) {
		fputs("zeros", out);
		return;
	}
	vk_text_init(&text, value, sizeof(value));
	vk_field_text(field, pair->decoded[which], &text);
	fputs(value, out);
}

static void show_field(FILE *out, const struct pair *pair, const struct vk_field *field)
{
	fprintf(out, "      %s: ", field->name);
	if (field->view == VK_VIEW_RESERVED) {
		fprintf(out, "%" PRIu32 " bytes differ\n", field->size);
		return;
	}
	show_value(out, pair, field, 0);
	fputs(" -> ", out);
	show_value(out, pair, field, 1);
	fputs(field->evidence == VK_EV_U ? " (uncertain)\n" : "\n", out);
}

static void show_pair(const struct vk_restore_run *run, const struct pair *pair)
{
	FILE *out = run->cmd.call->out;
	size_t shown = 0, left = 0;

	for (size_t i = 0; i < pair->layout->count; i++) {
		const struct vk_field *field = &pair->layout->fields[i];

		if (!is_changed(pair, field))
			continue;
		if (shown < FIELDS_SHOWN || run->verbose) {
			show_field(out, pair, field);
			shown++;
		} else {
			left++;
		}
	}
	if (left > 0)
		fprintf(out, "      and %zu fields more (--verbose shows all)\n", left);
}

static void show_bytes(FILE *out, const struct vk_edit *edit)
{
	bool from_zero = vk_all_zero(edit->old_bytes, edit->length_bytes);
	bool to_zero = vk_all_zero(edit->new_bytes, edit->length_bytes);
	size_t differ = 0;

	for (size_t i = 0; i < edit->length_bytes; i++)
		differ += edit->old_bytes[i] != edit->new_bytes[i];
	if (from_zero)
		fprintf(out, "      zeros -> %zu bytes of data\n", differ);
	else if (to_zero)
		fprintf(out, "      %zu bytes of data -> zeros\n", differ);
	else
		fprintf(out, "      %zu bytes differ\n", differ);
}

void vk_restore_show_fields(const struct vk_restore_run *run, const struct vk_edit *edit)
{
	/* the side on which the structures stand tells where they are */
	const struct vk_source *side = run->capture->is_undo ? vk_restore_before(run->restore)
							     : vk_restore_after(run->restore);
	struct vk_structures list;
	bool any = false;

	if (edit->old_unread) {
		fputs("      what stands there cannot be read; it is written anew\n", run->cmd.call->out);
		return;
	}
	if (vk_structures_list(side, &list, NULL) != VK_OK)
		return;
	for (size_t i = 0; i < list.count; i++) {
		const struct vk_structure *item = &list.items[i];
		struct pair pair;

		if (item->layout == NULL || item->end <= edit->offset_bytes ||
		    item->start >= edit->offset_bytes + edit->length_bytes)
			continue;
		if (read_pair(run, item, edit, &pair)) {
			show_pair(run, &pair);
			any = true;
		}
		free(pair.decoded[0]);
		free(pair.decoded[1]);
	}
	vk_structures_free(&list);
	if (!any)
		show_bytes(run->cmd.call->out, edit);
}
