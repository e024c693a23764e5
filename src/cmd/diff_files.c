/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the files of a volume, for people and for scripts. */
#include "cmd/diff_files.h"

#include "base/shown.h"

enum { FILES_SHOWN = 40, FILES_LISTED = 65536 };

static void show_change(FILE *out, const struct vk_file_change *change)
{
	const struct vk_file_map_file *before = change->before, *after = change->after;
	const struct vk_file_map_file *file = before != NULL ? before : after;

	fprintf(out, "  %-8s  %s", vk_file_change_name(change->kind), vk_shown_name(file->path).text);
	if (change->kind == VK_FILE_MOVED)
		fprintf(out, " -> %s", vk_shown_name(after->path).text);
	if (!file->unread && file->type != VK_FILE_FOLDER)
		fprintf(out, ", %s", vk_shown_size_short(file->size_bytes).text);
	if (before != NULL && after != NULL && before->size_bytes != after->size_bytes && !after->unread)
		fprintf(out, " -> %s", vk_shown_size_short(after->size_bytes).text);
	fputc('\n', out);
}

void vk_diff_show_files(FILE *out, const struct vk_files_diff *diff)
{
	if (diff->change_count == 0)
		return;
	fprintf(out, "\nFiles of partition %u:\n", diff->partition);
	for (size_t i = 0; i < diff->change_count && i < FILES_SHOWN; i++)
		show_change(out, &diff->changes[i]);
	if (diff->change_count > FILES_SHOWN)
		fprintf(out, "  and %zu more files; --json lists them\n", diff->change_count - FILES_SHOWN);
	if (diff->unsure)
		fputs("  Not all files could be mapped each time: others may have changed as well.\n", out);
}

static json_t *change_json(const struct vk_file_change *change)
{
	const struct vk_file_map_file *before = change->before, *after = change->after;
	struct vk_json o = vk_json_begin();

	VK_JSON_SET(&o, VK_KEY("change", vk_file_change_name(change->kind)),
		    VK_KEY("matters", vk_json_bool(vk_file_change_matters(change))));
	if (before != NULL)
		VK_JSON_SET(&o, VK_KEY("path_before", vk_json_text(before->path)),
			    VK_KEY("size_before", before->size_bytes));
	if (after != NULL)
		VK_JSON_SET(&o, VK_KEY("path_after", vk_json_text(after->path)),
			    VK_KEY("size_after", after->size_bytes));
	return vk_json_end(&o);
}

json_t *vk_diff_files_json(const struct vk_files_diff *diff)
{
	struct vk_json o = vk_json_begin();
	json_t *changes = json_array();

	for (size_t i = 0; i < diff->change_count && i < FILES_LISTED; i++)
		vk_json_append(changes, change_json(&diff->changes[i]), &o);
	VK_JSON_SET(&o, VK_KEY("partition", diff->partition), VK_KEY("unsure", vk_json_bool(diff->unsure)),
		    VK_KEY("changes", changes),
		    VK_KEY("changes_dropped",
			   diff->change_count > FILES_LISTED ? diff->change_count - FILES_LISTED : 0));
	return vk_json_end(&o);
}
