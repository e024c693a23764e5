/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sources are compared. First byte: bits 0 to 2 as in fuzz_source (0, and 3 to 7: a disk), bit 3 sectors of 4096
 * bytes, bit 4 what follows behind the first source is the second one; else it is a list of places (2 bytes) and
 * masks (1 byte): the second source is the first with these bytes of the input changed. Then 2 bytes: how long the
 * first source is. Then pieces.
 */
#include "fuzz_pieces.h"
#include "vmfskit/diff.h"

static void look_at(const struct vk_diff *diff)
{
	bool change = false, range = false;

	FUZZ_ASSERT(diff->change_count <= VK_CHANGES_MAX);
	for (size_t i = 0; i < diff->change_count; i++) {
		const struct vk_change *c = &diff->changes[i];

		change |= !c->is_volatile;
		FUZZ_ASSERT(c->subject[0] != '\0' && c->field[0] != '\0' && c->message[0] != '\0');
		fuzz_text(c->subject, sizeof(c->subject));
		fuzz_text(c->field, sizeof(c->field));
		fuzz_text(c->before, sizeof(c->before));
		fuzz_text(c->after, sizeof(c->after));
		fuzz_text(c->message, sizeof(c->message));
	}
	for (size_t i = 0; i < diff->range_count; i++) {
		const struct vk_byte_change *r = &diff->ranges[i];

		range |= !r->is_volatile;
		FUZZ_ASSERT(r->length_bytes > 0);
		FUZZ_ASSERT(i == 0 || r->offset_bytes >= r[-1].offset_bytes + r[-1].length_bytes);
	}
	/* no byte changes without a line, and nothing is told that does not matter */
	FUZZ_ASSERT(!range || change || diff->changes_dropped > 0);
	FUZZ_ASSERT(diff->matters == (change || range) || diff->changes_dropped > 0);
}

static bool open_source(struct fuzz_input in, unsigned options, struct vk_source *ret_source)
{
	uint32_t sector_size = options & 8 ? 4096 : 512;
	struct vk_source_options how = {.sector_size = sector_size, .as = VK_SOURCE_DISK};
	struct vk_io *io = fuzz_pieces(&in, sector_size);
	struct vk_error err = {0};

	if ((options & 7) == VK_SOURCE_PARTITION)
		how.as = VK_SOURCE_PARTITION;
	return io != NULL && vk_source_open_io(io, "fuzz", VK_FORM_RAW, &how, ret_source, &err) == VK_OK;
}

static void compare(struct vk_source *before, struct vk_source *after)
{
	struct vk_diff diff;
	struct vk_error err = {0};
	enum vk_status status = vk_diff_sources(before, after, &diff, &err);

	FUZZ_ASSERT(status == VK_OK || (status == VK_DAMAGED && err.status == status));
	if (status != VK_OK)
		return;
	look_at(&diff);
	vk_diff_free(&diff);
	FUZZ_ASSERT(vk_diff_sources(before, before, &diff, &err) == VK_OK);
	FUZZ_ASSERT(diff.change_count == 0 && diff.range_count == 0 && !diff.matters && !diff.unrelated);
	FUZZ_ASSERT(diff.missing_bytes == 0);
	vk_diff_free(&diff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	unsigned options = (unsigned)fuzz_take(&in, 1);
	size_t length = (size_t)fuzz_take(&in, 2);
	struct fuzz_input first = {in.data, length < in.size ? length : in.size};
	struct fuzz_input second = {in.data + first.size, in.size - first.size};
	uint8_t *changed = malloc(first.size + 1);
	struct vk_source before, after;

	if (changed == NULL)
		return 0;
	if (!(options & 16)) {
		memcpy(changed, first.data, first.size);
		while (second.size > 0) {
			size_t at = (size_t)fuzz_take(&second, 2);
			uint8_t mask = (uint8_t)fuzz_take(&second, 1);

			if (at < first.size)
				changed[at] ^= mask;
		}
		second = (struct fuzz_input){changed, first.size};
	}
	if (open_source(first, options, &before)) {
		if (open_source(second, options, &after)) {
			compare(&before, &after);
			vk_source_close(&after);
		}
		vk_source_close(&before);
	}
	free(changed);
	return 0;
}
