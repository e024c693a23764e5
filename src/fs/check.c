/* SPDX-License-Identifier: Apache-2.0 */
/* The check of a file system: its phases, and the names of files in findings. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "fs/check.h"
#include "vmfskit/text.h"

enum { UNREAD_MAX = 64 /* files that are named because of what could not be read; the rest is counted */ };

const char *vk_fs_check_phase_name(enum vk_fs_check_phase phase)
{
	static const char *const names[] = {"header and resource files", "heartbeats and locks", "file descriptors",
					    "names and links", "blocks and bitmaps"};

	return names[phase];
}

/* A path that is too long loses its beginning: the name of the file is at its end. */
static void name_and_pass(void *ctx, const struct vk_finding *finding)
{
	struct vk_checking *c = ctx;
	struct vk_finding f = *finding;
	size_t used = strlen(f.message), room = sizeof(f.message) - 1 - used;
	const char *path = c->path;
	struct vk_text text;

	if (f.fd == 0)
		f.fd = c->fd;
	if (vk_finding_kind(f.code)->severity != VK_INFO)
		c->result.phases[c->phase].findings++;
	if (path != NULL && room > 12) {
		size_t len = strlen(path);

		vk_text_init(&text, f.message + used, sizeof(f.message) - used);
		vk_text_fmt(&text, "; file %s%s", len > room - 10 ? "..." : "",
			    len > room - 10 ? path + len - (room - 10) : path);
	}
	vk_finding_put(c->sink, &f);
}

static void free_all(struct vk_checking *c)
{
	vk_check_free_maps(c);
	free(c->subfolders);
}

/* Whose the bytes are that could not be read. */
static void say_unread_files(struct vk_checking *c, const struct vk_fs_hits *hits)
{
	for (size_t i = 0; i < hits->count && i < UNREAD_MAX; i++) {
		const struct vk_fs_hit *hit = &hits->items[i];

		c->path = hit->path;
		vk_fs_say(c->fs, &c->named, hit->address, VK_F_SOURCE_UNREADABLE, hit->volume_offset, 0, NULL, NULL,
			  "%s of file descriptor 0x%08" PRIx32 " cannot be read",
			  hit->descriptor ? "a part" : hit->pointer_blocks > 0 ? "a pointer block" : "content",
			  hit->address);
	}
	c->path = NULL;
	if (hits->count > UNREAD_MAX)
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_SOURCE_UNREADABLE, VK_FS_OFFSET, 0, NULL, NULL,
			  "%" PRIu64 " more files cannot be read wholly", hits->count - UNREAD_MAX + hits->more);
}

/* What could not be read was not checked, whatever it is. */
static void say_unreadable(struct vk_checking *c)
{
	struct vk_range_set unread = {0};
	struct vk_fs_hits hits = {.count = 0};
	const struct vk_range *bad;
	size_t count = vk_io_bad_ranges(c->fs->volume, &bad);

	c->path = NULL;
	for (size_t i = 0; i < count; i++)
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_SOURCE_UNREADABLE, bad[i].offset_bytes, bad[i].length_bytes,
			  NULL, NULL, "%" PRIu64 " bytes cannot be read", bad[i].length_bytes);
	if (c->status != VK_OK || count == 0)
		return;
	if (!vk_range_set_add_all(&unread, bad, count))
		c->status = vk_no_memory(c->err, NULL);
	else
		c->status = vk_hits_in(c->fs, &unread, &hits, c->err);
	if (c->status == VK_OK)
		say_unread_files(c, &hits);
	vk_fs_hits_free(&hits);
	vk_range_set_free(&unread);
}

enum vk_status vk_fs_check(struct vk_fs *fs, const struct vk_finding_sink *sink, struct vk_fs_check *ret_check,
			   struct vk_error *err)
{
	static void (*const phases[])(struct vk_checking *c) = {vk_check_resources, vk_check_heartbeats, vk_check_names,
								 vk_check_files, vk_check_lost};
	struct vk_error unasked = {0};
	struct vk_checking c = {.fs = fs, .sink = sink, .err = err != NULL ? err : &unasked};

	c.named = (struct vk_finding_sink){name_and_pass, &c};
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]) && c.status == VK_OK; i++)
		phases[i](&c);
	say_unreadable(&c);
	if (c.status == VK_OK && c.damaged.count > 0)
		c.status = vk_hits_in(fs, &c.damaged, &c.result.in_doubt, c.err);
	if (c.status == VK_OK)
		*ret_check = c.result;
	else
		vk_fs_check_free(&c.result);
	free_all(&c);
	return c.status;
}

void vk_fs_check_free(struct vk_fs_check *check)
{
	for (size_t i = 0; i < check->name_count; i++)
		free(check->names[i].path);
	free(check->names);
	vk_fs_hits_free(&check->in_doubt);
	*check = (struct vk_fs_check){.files = 0};
}
