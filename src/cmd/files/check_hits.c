/* SPDX-License-Identifier: Apache-2.0 */
/* Which virtual machines the damage hits that a check found. */
#include "cmd/files/check_hits.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/shown.h"

enum { FOLDERS_SHOWN = 64 };

static size_t folder_length(const char *path, bool is_folder)
{
	const char *end = path[0] == '/' ? strchr(path + 1, '/') : path;

	if (end != NULL)
		return (size_t)(end - path);
	return is_folder ? strlen(path) : 1;
}

static struct vk_check_row row_of(const struct vk_fs_check *check, uint32_t fd)
{
	const struct vk_fs_check_name *name = vk_fs_check_name_of(check, fd);
	struct vk_check_row row = {.path = name != NULL ? name->path : ""};

	if (fd == vk_fd_address(0, VK_SYSTEM_ROOT))
		row.path = "/";
	else if (name == NULL)
		row.number = vk_phrase("#0x%08" PRIx32, fd);
	row.folder_len = folder_length(row.path, name != NULL && name->type == VK_FILE_FOLDER);
	return row;
}

static const char *shown_path(const struct vk_check_row *row)
{
	return row->folder_len == 0 ? row->number.text : row->path;
}

static bool one_folder(const struct vk_check_row *a, const struct vk_check_row *b)
{
	return a->folder_len == b->folder_len && memcmp(a->path, b->path, a->folder_len) == 0;
}

static int by_folder(const void *a, const void *b)
{
	const struct vk_check_row *x = a, *y = b;
	int order = memcmp(x->path, y->path, x->folder_len < y->folder_len ? x->folder_len : y->folder_len);

	if (order == 0 && x->folder_len != y->folder_len)
		order = x->folder_len < y->folder_len ? -1 : 1;
	if (order == 0)
		order = x->in_doubt - y->in_doubt;
	return order != 0 ? order : strcmp(shown_path(x), shown_path(y));
}

bool vk_check_rows_make(const struct vk_files *files, const struct vk_fs_check *check, struct vk_check_rows *ret_rows)
{
	for (size_t i = 0; i < files->findings.count; i++) {
		const struct vk_finding *f = &files->findings.items[i];
		const struct vk_check_row row = row_of(check, f->fd);

		if (f->fd != 0 && vk_finding_kind(f->code)->severity != VK_INFO &&
		    vk_append(&ret_rows->items, &ret_rows->count, &row, sizeof(row)) == NULL)
			return false;
	}
	for (size_t i = 0; i < check->in_doubt.count; i++) {
		struct vk_check_row row = row_of(check, check->in_doubt.items[i].address);

		row.in_doubt = true;
		if (vk_append(&ret_rows->items, &ret_rows->count, &row, sizeof(row)) == NULL)
			return false;
	}
	if (ret_rows->count > 0)
		qsort(ret_rows->items, ret_rows->count, sizeof(*ret_rows->items), by_folder);
	return true;
}

/* Behind the last row of the folder of row i; *ret_doubts: where those in doubt begin. */
static size_t end_of(const struct vk_check_rows *rows, size_t i, size_t *ret_doubts)
{
	size_t end = i;

	for (*ret_doubts = i; end < rows->count && one_folder(&rows->items[i], &rows->items[end]); end++)
		*ret_doubts += !rows->items[end].in_doubt;
	return end;
}

void vk_check_rows_put(FILE *out, const struct vk_check_rows *rows)
{
	size_t folders = 0, end, doubts;

	for (size_t i = 0; i < rows->count; i = end, folders++) {
		const struct vk_check_row *row = &rows->items[i];
		const size_t findings = (end = end_of(rows, i, &doubts), doubts - i);

		if (folders >= FOLDERS_SHOWN)
			continue;
		fprintf(out, "hits: %s (", row->folder_len == 0 ? "files without a name"
					   : vk_shown_label(row->path, row->folder_len).text);
		if (findings > 0)
			fprintf(out, "%zu finding%s%s", findings, findings == 1 ? "" : "s", doubts < end ? "; " : "");
		if (doubts < end)
			fprintf(out, "%zu file%s in clusters whose header is damaged", end - doubts,
				end - doubts == 1 ? "" : "s");
		fputs(")\n", out);
	}
	if (folders > FOLDERS_SHOWN)
		fprintf(out, "hits: %zu more folders, which --json lists\n", folders - FOLDERS_SHOWN);
}

/* Each path once. */
static json_t *paths_json(const struct vk_check_rows *rows, size_t first, size_t end, struct vk_json *owner)
{
	json_t *paths = json_array();

	for (size_t i = first; i < end; i++)
		if (i == first || strcmp(shown_path(&rows->items[i - 1]), shown_path(&rows->items[i])) != 0)
			vk_json_append(paths, vk_json_text(shown_path(&rows->items[i])), owner);
	return paths;
}

static void set_file(json_t *finding, const struct vk_check_row *row, struct vk_json *owner)
{
	char folder[VK_FS_PATH_BYTES];

	snprintf(folder, sizeof(folder), "%.*s", (int)row->folder_len, row->path);
	if (json_object_set_new(finding, "path", vk_json_text(shown_path(row))) != 0 ||
	    (row->folder_len > 0 && json_object_set_new(finding, "folder", vk_json_text(folder)) != 0))
		owner->failed = true;
}

void vk_check_rows_json(const struct vk_files *files, const struct vk_fs_check *check,
			const struct vk_check_rows *rows, struct vk_json *root)
{
	json_t *hits = json_array(), *findings;
	size_t end, doubts;

	for (size_t i = 0; i < rows->count; i = end) {
		struct vk_json o = vk_json_begin();
		char folder[VK_FS_PATH_BYTES];

		end = end_of(rows, i, &doubts);
		snprintf(folder, sizeof(folder), "%.*s", (int)rows->items[i].folder_len, rows->items[i].path);
		vk_json_set_text(&o, "folder", folder);
		vk_json_set_number(&o, "findings", doubts - i);
		vk_json_set(&o, "files", paths_json(rows, i, doubts, root));
		vk_json_set(&o, "in_doubt", paths_json(rows, doubts, end, root));
		vk_json_append(hits, vk_json_end(&o), root);
	}
	vk_json_set(root, "hits", hits);
	vk_files_set_findings(files, root);
	findings = json_object_get(root->o, "findings");
	for (size_t i = 0; i < files->findings.count && i < json_array_size(findings); i++) {
		const struct vk_check_row row = row_of(check, files->findings.items[i].fd);

		if (files->findings.items[i].fd != 0)
			set_file(json_array_get(findings, i), &row, root);
	}
}
