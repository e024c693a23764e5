/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of a plan, over the target and the old and new bytes of every edit: it binds --write to what was shown. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "repair/plan/restore_state.h"
#include "store/folder/digest.h"

/*
 * The target comes first: what must still be the same when the plan is carried out. A path is no part of it: it may
 * come to name another device. No time is part of it either, nor what a host in use writes beside the edits.
 */
enum vk_status vk_restore_make_digest(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_disk_facts *facts = restore->facts;
	const struct vk_edit *edits;
	size_t count = vk_overlay_edits(restore->overlay, &edits);
	char hex[VK_SHA256_HEX_BYTES], lines[1024];
	struct vk_text text;
	struct vk_digest digest;
	bool done;

	restore->plan[0] = '\0';
	if (count == 0)
		return VK_OK;
	if (!vk_digest_init(&digest))
		return vk_no_memory(err, NULL);
	vk_text_init(&text, lines, sizeof(lines));
	vk_text_fmt(&text, "vmfskit plan 1\nsector %" PRIu32 "\n", restore->target.sector_size);
	/* a device without a name of its own is known by its number only */
	if (facts->is_device && facts->wwid[0] == '\0' && facts->serial[0] == '\0')
		vk_text_fmt(&text, "device %u:%u\n", major(restore->target.rdev), minor(restore->target.rdev));
	vk_disk_facts_text(facts, &text);
	vk_digest_add(&digest, lines, text.len_bytes);
	for (size_t i = 0; i < count; i++) {
		uint8_t place[16];

		/* place and length come first, so that no two lists of edits are the same stream of bytes */
		vk_put_le64(place, edits[i].offset_bytes);
		vk_put_le64(place + 8, edits[i].length_bytes);
		vk_digest_add(&digest, place, sizeof(place));
		if (edits[i].old_unread)
			vk_digest_add(&digest, "unread", 6);
		vk_digest_add(&digest, edits[i].old_bytes, edits[i].length_bytes);
		vk_digest_add(&digest, edits[i].new_bytes, edits[i].length_bytes);
	}
	done = vk_digest_take(&digest, hex);
	vk_digest_free(&digest);
	if (!done)
		return vk_no_memory(err, NULL);
	snprintf(restore->plan, sizeof(restore->plan), "%.*s", VK_PLAN_DIGEST_BYTES - 1, hex);
	return VK_OK;
}

const char *vk_restore_plan_digest(const struct vk_restore *restore)
{
	return restore->plan;
}
