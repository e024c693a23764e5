/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of an undo: is the target as the restore left it, or somewhere between that and what it found? Then going
 * back cannot destroy anything that came later, whatever the decoders make of a half-written disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "repair/plan/restore_state.h"
#include "vmfskit/vouch.h"

enum { CHUNK_BYTES = 1 << 20 };

static bool open_in(const char *folder, size_t len, const char *id, struct vk_capture *ret_capture)
{
	struct vk_error ignored;
	bool opened = false;
	size_t cap = len + strlen(id) + 2;
	char *path = malloc(cap);

	if (path != NULL) {
		snprintf(path, cap, "%.*s/%s", (int)len, folder, id);
		opened = vk_capture_open(folder, path, ret_capture, &ignored) == VK_OK;
	}
	free(path);
	return opened;
}

enum vk_status vk_restore_hold(const struct vk_restore *restore, struct vk_capture *capture,
			       const struct vk_finding_sink *sink, unsigned *ret_by, struct vk_error *err)
{
	struct vk_vouching *vouching = vk_vouching_new(restore->store, restore->options.public_key);
	enum vk_status status;

	if (vouching == NULL)
		return vk_no_memory(err, NULL);
	status = vk_capture_hold(capture, vouching, sink, ret_by, err);
	vk_vouching_free(vouching);
	return status;
}

/*
 * The capture that the restore was made from: beside the undo capture, or in the store; nowhere else. Its word silences
 * guards: it must be sound and vouched for, and stays as it was judged.
 */
static bool open_restored(const struct vk_restore *restore, struct vk_capture *ret_capture)
{
	const struct vk_capture *undo = restore->capture;
	const char *slash = strrchr(undo->path, '/'), *id = undo->undo_of;
	struct vk_error ignored;
	unsigned by, flaws;
	const struct vk_finding_sink sink = vk_flaws_sink(&flaws);
	bool opened = false;

	if (id[0] == '\0' || id[0] == '.' || strchr(id, '/') != NULL)
		return false;
	if (slash != NULL && slash != undo->path)
		opened = open_in(undo->path, (size_t)(slash - undo->path), id, ret_capture);
	if (!opened)
		opened = open_in(restore->store, strlen(restore->store), id, ret_capture);
	if (!opened || (vk_restore_hold(restore, ret_capture, &sink, &by, &ignored) == VK_OK &&
			(flaws & (VK_FLAW_BROKEN | VK_FLAW_DOUBT)) == 0))
		return opened;
	vk_capture_close(ret_capture);
	return false;
}

struct known {
	struct vk_restore *restore;
	struct vk_io *restored;
	size_t step; /* sectors of whichever has the smaller ones */
	uint8_t *now, *found, *left; /* CHUNK_BYTES each */
};

/* Each sector is as the restore found it, or as it left it. */
static bool chunk_known(const struct known *known, uint64_t offset, size_t len)
{
	size_t step = known->step, got = 0;
	struct vk_error ignored;

	known->restore->knowledge.stranger = offset;
	if (vk_io_read_all(known->restore->io, offset, known->now, len, &ignored) != VK_OK ||
	    vk_io_read_all(known->restore->captured_io, offset, known->found, len, &ignored) !=
		    VK_OK)
		return false;
	for (size_t at = 0; at < len; at += step) {
		size_t n = len - at < step ? len - at : step;

		if (memcmp(known->now + at, known->found + at, n) == 0)
			continue;
		known->restore->knowledge.stranger = offset + at;
		if (vk_io_read(known->restored, offset + at, known->left, n, &got, &ignored) !=
			    VK_OK ||
		    got < n || memcmp(known->now + at, known->left, n) != 0)
			return false;
	}
	return true;
}

enum vk_status vk_restore_known_state(struct vk_restore *restore, bool *ret_known,
				      struct vk_error *err)
{
	const struct vk_capture *undo = restore->capture;
	struct known known = {.restore = restore};
	struct vk_capture restored;
	enum vk_status status = VK_OK;
	uint8_t *buf;
	bool all = true;

	*ret_known = false;
	restore->knowledge = (struct vk_knowledge){.judged = false};
	/* undo captures that were taken with joined ranges say so in the names of their files */
	for (size_t i = 0; undo->is_undo && i < undo->region_count; i++)
		restore->knowledge.has_gaps |= strstr(undo->regions[i].file, VK_JOINED_MARK) != NULL;
	if (!undo->is_undo || !open_restored(restore, &restored))
		return VK_OK;
	buf = malloc(3 * (size_t)CHUNK_BYTES);
	if (buf == NULL)
		status = vk_no_memory(err, NULL);
	else
		status = vk_capture_io(&restored, &known.restored, err);
	if (status == VK_OK) {
		known.step = vk_min_u64(restore->target.sector_size, restored.sector_size);
		known.now = buf;
		known.found = buf + CHUNK_BYTES;
		known.left = buf + 2 * (size_t)CHUNK_BYTES;
		for (size_t i = 0; all && i < undo->region_count; i++) {
			uint64_t at = undo->regions[i].offset_bytes;
			uint64_t end = vk_add_sat(at, undo->regions[i].length_bytes), next;

			for (; all && at < end; at = next) {
				next = at + vk_min_u64(end - at, CHUNK_BYTES);
				all = chunk_known(&known, at, (size_t)(next - at));
			}
		}
		*ret_known = all;
		restore->knowledge.judged = true;
		vk_io_close(known.restored);
	}
	free(buf);
	vk_capture_close(&restored);
	return status;
}
