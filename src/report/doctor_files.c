/* SPDX-License-Identifier: Apache-2.0 */
/* The files and folders that the damaged ranges of a volume belong to, as text and as JSON. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/screen.h"
#include "base/shown.h"
#include "report/columns.h"
#include "report/doctor.h"

enum { ROWS_MAX = 9, OF_FOLDER_MAX = 4, FOLDERS_SHOWN = 3, PATH_LEAST = 24 };

/* "4 MiB of 40 GiB, its descriptor" */
static struct vk_shown harm_of(const struct vk_fs_hit *hit)
{
	struct vk_shown shown;
	struct vk_text text = vk_text_in(shown.text, sizeof(shown.text));

	if (hit->descriptor)
		vk_text_fmt(&text, "its descriptor%s", hit->placed ? "" : ": its blocks cannot be found");
	if (hit->pointer_blocks > 0)
		vk_text_fmt(&text, "%s%" PRIu64 " pointer block%s", text.len_bytes > 0 ? ", " : "",
			    hit->pointer_blocks, hit->pointer_blocks == 1 ? "" : "s");
	if (hit->content_bytes > 0)
		vk_text_fmt(&text, "%s%s%s of %s", text.len_bytes > 0 ? ", " : "",
			    hit->type == VK_FILE_SYSTEM ? "metadata: " : hit->folder ? "names: " : "",
			    vk_shown_size_short(hit->content_bytes).text, vk_shown_size_short(hit->size_bytes).text);
	return shown;
}

/* Length of the first folder in a path: "/vm" of "/vm/vm.vmdk"; 0: it is in the root, or has no name. */
static size_t folder_length(const struct vk_fs_hit *hit)
{
	const char *end = hit->path[0] == '/' ? strchr(hit->path + 1, '/') : NULL;

	if (end != NULL)
		return (size_t)(end - hit->path);
	return hit->folder && hit->type != VK_FILE_SYSTEM && hit->path[0] == '/' && hit->path[1] != '\0'
		       ? strlen(hit->path)
		       : 0;
}

static bool same_folder(const struct vk_fs_hit *a, const struct vk_fs_hit *b)
{
	size_t length = folder_length(a);

	return length == folder_length(b) && memcmp(a->path, b->path, length) == 0;
}

/* How many from there on are in one folder: they are sorted by path. */
static size_t in_one_folder(const struct vk_fs_hits *h, size_t first)
{
	size_t i = first + 1;

	while (i < h->count && same_folder(&h->items[first], &h->items[i]))
		i++;
	return i - first;
}

static struct vk_middle folder_of(const struct vk_fs_hit *hit)
{
	return vk_shown_middle(vk_shown_label(hit->path, folder_length(hit)).text, PATH_LEAST);
}

static void put_folders(FILE *out, const struct vk_fs_hits *h)
{
	size_t folders = 0;

	for (size_t i = 0; i < h->count; i += in_one_folder(h, i)) {
		if (folder_length(&h->items[i]) == 0)
			continue;
		if (folders < FOLDERS_SHOWN)
			fprintf(out, "%s%s", folders == 0 ? "  virtual machines (folders): " : ", ",
				folder_of(&h->items[i]).text);
		folders++;
	}
	if (folders > FOLDERS_SHOWN)
		fprintf(out, " and %zu more", folders - FOLDERS_SHOWN);
	if (folders > 0)
		fputc('\n', out);
}

/* Of a folder with many the first ones, so that others are seen, too. Returns how many are not shown. */
static size_t put_rows(FILE *out, const struct vk_fs_hits *h)
{
	static const struct vk_column columns[] = {{"", .least = PATH_LEAST}, {"", .least = 20}};
	struct vk_columns table = VK_COLUMNS(columns);
	size_t shown = 0;

	table.indent = 2;
	for (size_t i = 0, n; i < h->count; i += n) {
		n = in_one_folder(h, i);
		for (size_t k = i; k < i + n && shown < ROWS_MAX; k++) {
			if (k == i + OF_FOLDER_MAX && folder_length(&h->items[i]) > 0)
				break;
			vk_columns_row(&table, (const char *const[]){vk_shown_name(h->items[k].path).text,
								     harm_of(&h->items[k]).text});
			shown++;
		}
	}
	vk_columns_end(&table, out);
	return h->count - shown;
}

static void put_rest(FILE *out, const struct vk_diagnosis *d, const struct vk_diagnosed_hits *hits, uint64_t more)
{
	const struct vk_fs_hits *h = &hits->found;

	if (more > 0)
		vk_screen_paste(out, "  and %" PRIu64 " more: %s\n", more,
				d->again != NULL ? d->again : "vmfskit doctor --json");
	if (hits->unknown[0] != '\0')
		fprintf(out, "  there may be more: %s\n", hits->unknown);
	if (h->count == 0 && h->more == 0 && hits->unknown[0] == '\0')
		fprintf(out, "  no file lies there%s\n",
			h->bytes > 0 && h->free_bytes == h->bytes ? ": it is free space" : "");
	else if (h->free_bytes > 0)
		fprintf(out, "  %s of the ranges are free space\n", vk_shown_size_short(h->free_bytes).text);
	if (h->unowned_bytes > 0)
		fprintf(out, "  %s are allocated, and no file is known to use them\n",
			vk_shown_size_short(h->unowned_bytes).text);
}

void vk_report_diagnosed_files_text(FILE *out, const struct vk_diagnosis *d)
{
	for (size_t i = 0; i < d->volume_count; i++) {
		const struct vk_diagnosed_hits *hits = d->volumes[i].hits;

		if (hits == NULL)
			continue;
		fputs("\nFiles in the damaged ranges", out);
		if (d->volume_count > 1)
			fprintf(out, " of the volume at sector %" PRIu64, d->volumes[i].start_bytes / d->sector_size);
		fputc('\n', out);
		if (!hits->opened) {
			fprintf(out, "  cannot be told: %s\n", hits->unknown);
			continue;
		}
		put_folders(out, &hits->found);
		put_rest(out, d, hits, put_rows(out, &hits->found) + hits->found.more);
	}
}

static const char *kind_of(const struct vk_fs_hit *hit)
{
	return hit->type == VK_FILE_SYSTEM ? "system" : hit->folder ? "dir" : "file";
}

static json_t *hit_json(const struct vk_fs_hit *hit)
{
	struct vk_json o = vk_json_begin();
	size_t length = folder_length(hit);

	VK_JSON_SET(&o, VK_KEY("path", (const char *)hit->path), VK_KEY("type", kind_of(hit)));
	vk_json_set(&o, "folder", length > 0 ? vk_json_label((const uint8_t *)hit->path, length) : json_null());
	VK_JSON_SET(&o, VK_KEY("fd", (const char *)vk_phrase("0x%08" PRIx32, hit->address).text),
		    VK_KEY("descriptor", hit->descriptor), VK_KEY("pointer_blocks", hit->pointer_blocks),
		    VK_KEY("size_bytes", hit->size_bytes), VK_KEY("damaged_bytes", hit->content_bytes),
		    VK_KEY("placed", hit->placed));
	return vk_json_end(&o);
}

json_t *vk_report_diagnosed_files_json(const struct vk_diagnosed_hits *hits)
{
	const struct vk_fs_hits *h;
	json_t *files;
	struct vk_json o;

	if (hits == NULL)
		return json_null();
	o = vk_json_begin();
	h = &hits->found;
	files = json_array();
	for (size_t i = 0; i < h->count; i++)
		vk_json_append(files, hit_json(&h->items[i]), &o);
	VK_JSON_SET(&o, VK_KEY("opened", hits->opened), VK_KEY("bytes", h->bytes), VK_KEY("free_bytes", h->free_bytes),
		    VK_KEY("unowned_bytes", h->unowned_bytes), VK_KEY("left_out", h->more),
		    VK_KEY("unknown", hits->unknown[0] != '\0' ? (const char *)hits->unknown : NULL),
		    VK_KEY("files", files));
	return vk_json_end(&o);
}
