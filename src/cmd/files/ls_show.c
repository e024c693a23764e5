/* SPDX-License-Identifier: Apache-2.0 */
/* The listing for people, and the body file. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/screen.h"
#include "base/texts.h"
#include "cmd/files/ls.h"
#include "report/columns.h"
#include "vmfskit/text.h"

/* "vm.vmdk", "symlink -> file4", and what of it is not there */
static struct vk_shown_label name_of(const struct vk_ls_entry *e, bool with_target)
{
	struct vk_shown_label shown;
	struct vk_text text;

	vk_text_init(&text, shown.text, sizeof(shown.text));
	vk_text_put(&text, vk_shown_name(e->path + e->name_at).text);
	if (with_target && e->target != NULL)
		vk_text_fmt(&text, " -> %s", vk_shown_name(e->target).text);
	if (!e->known)
		vk_text_fmt(&text, "  [its descriptor is %s]", vk_fs_lack_said(e->lack));
	else if (e->missing_bytes > 0)
		vk_text_fmt(&text, "  [%s of it %s]", vk_shown_size_short(e->missing_bytes).text, vk_ls_missing(e));
	return shown;
}

static void put_row(struct vk_columns *table, const struct vk_ls_entry *e)
{
	struct vk_shown mode, time, links, uid, gid, size;

	if (!e->known) {
		vk_columns_row(table, (const char *const[]){"?---------", "?", "?", "?", "?", "?",
							    name_of(e, true).text});
		return;
	}
	mode = vk_ls_mode(e->type, e->is_folder, e->meta.mode);
	time = vk_shown_time_s(e->meta.mtime);
	time.text[strcspn(time.text, "T")] = ' ';
	time.text[strcspn(time.text, "Z")] = '\0';
	snprintf(links.text, sizeof(links.text), "%" PRIu32, e->meta.linkCount);
	snprintf(uid.text, sizeof(uid.text), "%" PRIu32, e->meta.uid);
	snprintf(gid.text, sizeof(gid.text), "%" PRIu32, e->meta.gid);
	snprintf(size.text, sizeof(size.text), "%" PRIu64, e->meta.fileLength);
	vk_columns_row(table, (const char *const[]){mode.text, links.text, uid.text, gid.text, size.text, time.text,
						    name_of(e, true).text});
}

static void put_long(FILE *out, const struct vk_ls_entry *entries, size_t count)
{
	static const struct vk_column columns[] = {{""}, {"", .right = true}, {"", .right = true}, {"", .right = true},
						   {"", .right = true}, {""}, {"", .prose = true}};
	struct vk_columns table = VK_COLUMNS(columns);

	for (size_t i = 0; i < count; i++)
		put_row(&table, &entries[i]);
	vk_columns_end(&table, out);
}

static void put_entries(const struct vk_ls *ls, const struct vk_ls_entry *entries, size_t count)
{
	FILE *out = ls->files.cmd.call->out;

	if (vk_cli_flag(ls->files.cmd.call, "long")) {
		put_long(out, entries, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		vk_screen_paste(out, "%s\n", name_of(&entries[i], false).text);
}

/* Length of the folder in an entry's path; of the root 1. */
static size_t folder_length(const struct vk_ls_entry *e)
{
	return e->name_at > 1 ? e->name_at - 1 : 1;
}

static int by_path(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;

	return vk_paths_compare(x, strlen(x), y, strlen(y));
}

/* The folders that are listed, each before what is in it; free the array. */
static const char **folders_of(const struct vk_ls *ls, size_t *ret_count)
{
	const char **folders = NULL, *path = ls->folder;

	*ret_count = 0;
	if (vk_append(&folders, ret_count, &path, sizeof(*folders)) == NULL)
		return NULL;
	for (size_t i = 0; i < ls->count; i++) {
		path = ls->entries[i].path;
		if (ls->entries[i].is_folder && vk_append(&folders, ret_count, &path, sizeof(*folders)) == NULL) {
			free(folders);
			return NULL;
		}
	}
	qsort(folders, *ret_count, sizeof(*folders), by_path);
	return folders;
}

static bool is_in(const struct vk_ls_entry *e, const char *folder)
{
	return vk_paths_compare(e->path, folder_length(e), folder, strlen(folder)) == 0;
}

bool vk_ls_show(const struct vk_ls *ls)
{
	FILE *out = ls->files.cmd.call->out;
	size_t count, from = 0;
	const char **folders;

	if (ls->folder == NULL || !ls->recursive) {
		put_entries(ls, ls->entries, ls->count);
		return true;
	}
	folders = folders_of(ls, &count);
	if (folders == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		size_t here = 0;

		while (from + here < ls->count && is_in(&ls->entries[from + here], folders[i]))
			here++;
		vk_screen_paste(out, "%s%s:\n", i > 0 ? "\n" : "", vk_shown_name(folders[i]).text);
		put_entries(ls, ls->entries + from, here);
		from += here;
	}
	free(folders);
	return true;
}

/* A name in a line of which "|" parts the fields. */
static void put_body_name(FILE *out, const char *name)
{
	for (const char *c = vk_shown_name(name).text; *c != '\0'; c++)
		fprintf(out, *c == '|' ? "\\x%02x" : "%c", (unsigned char)*c);
}

void vk_ls_show_body(const struct vk_ls *ls)
{
	FILE *out = ls->files.cmd.call->out;

	(void)vk_screen_exact(out, true);
	for (size_t i = 0; i < ls->count; i++) {
		const struct vk_ls_entry *e = &ls->entries[i];
		struct vk_shown mode = vk_ls_mode(e->type, e->is_folder, e->meta.mode);
		char kind = e->is_folder ? 'd' : e->type == VK_FILE_LINK ? 'l' : 'r';

		fputs("0|", out);
		put_body_name(out, e->path);
		if (e->target != NULL) {
			fputs(" -> ", out);
			put_body_name(out, e->target);
		}
		mode.text[0] = kind;
		fprintf(out, "|0x%08" PRIx32 "|%c/%s|%" PRIu32 "|%" PRIu32 "|%" PRIu64 "|%" PRIu32 "|%" PRIu32
			     "|%" PRIu32 "|0\n",
			e->address, kind, mode.text, e->meta.uid, e->meta.gid, e->meta.fileLength, e->meta.atime,
			e->meta.mtime, e->meta.ctime);
	}
	(void)vk_screen_exact(out, false);
}
