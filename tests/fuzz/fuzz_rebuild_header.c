/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of a partition are mended, and the result again. First byte: bit 3 sectors of 4096 bytes, bit 5 the length of
 * the partition is not known, bit 6 it begins at sector 128; the other bits are as in fuzz_source and mean nothing here.
 * Then pieces.
 */
#include "fuzz_pieces.h"
#include "../unit/rebuild_of.h"

static void look_at(const struct vk_rebuild_header *h)
{
	for (unsigned i = 0; i < VK_HS_COUNT; i++) {
		fuzz_text(h->verdicts[i].why, sizeof(h->verdicts[i].why));
		FUZZ_ASSERT(vk_structure_state_name(h->verdicts[i].state) != NULL);
		FUZZ_ASSERT(vk_header_structure_name((enum vk_header_structure)i) != NULL);
	}
	for (size_t i = 0; i < h->field_count; i++) {
		const struct vk_rebuilt_field *f = &h->fields[i];

		FUZZ_ASSERT(f->layout != NULL && vk_field_origin_name(f->origin) != NULL);
		fuzz_text(f->from, sizeof(f->from));
		fuzz_text(f->was, sizeof(f->was));
		fuzz_text(f->is, sizeof(f->is));
		FUZZ_ASSERT(f->from[0] != '\0');
	}
	for (size_t i = 0; i < h->lost_count; i++)
		fuzz_text(h->lost[i], strlen(h->lost[i]) + 1);
	for (size_t i = 0; i < h->note_count; i++)
		fuzz_text(h->notes[i], strlen(h->notes[i]) + 1);
}

static bool is_lvm(const struct vk_edit *edit, uint64_t start)
{
	return edit->offset_bytes - start < VK_LVM_DATA_OFFSET;
}

/* Edits of the LVM region; none lies outside of the partition. */
static size_t look_at_edits(const struct vk_overlay *overlay, uint64_t start, uint64_t length)
{
	const struct vk_edit *edits;
	size_t count = vk_overlay_edits(overlay, &edits), lvm = 0;

	for (size_t i = 0; i < count; i++) {
		FUZZ_ASSERT(edits[i].offset_bytes >= start);
		FUZZ_ASSERT(length == 0 || edits[i].offset_bytes - start + edits[i].length_bytes <= length);
		lvm += is_lvm(&edits[i], start);
	}
	return lvm;
}

static bool plan(struct vk_io *io, uint64_t start, uint64_t length, uint32_t sector_size,
		 struct vk_overlay *overlay, size_t *ret_lvm_edits)
{
	struct vk_rebuild_header header;
	struct vk_error err = {0};
	enum vk_status status =
		rebuild_of(io, start, length, sector_size, NULL, overlay, &header, &err);

	if (status != VK_OK) {
		FUZZ_ASSERT(status == VK_ABSENT || status == VK_UNSUPPORTED || status == VK_IO);
		FUZZ_ASSERT(err.status == status);
		fuzz_text(err.what, sizeof(err.what));
		fuzz_text(err.remedy, sizeof(err.remedy));
		return false;
	}
	look_at(&header);
	*ret_lvm_edits = look_at_edits(overlay, start, length);
	FUZZ_ASSERT(!header.nothing_to_do || vk_overlay_dirty_bytes(overlay) == 0);
	vk_rebuild_header_free(&header);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	unsigned options = (unsigned)fuzz_take(&in, 1);
	uint32_t sector_size = options & 8 ? 4096 : 512;
	struct vk_io *io = fuzz_pieces(&in, sector_size);
	uint64_t start = options & 64 ? 128 * 512 : 0;
	struct vk_overlay *first, *second;
	uint64_t length;
	size_t edits = 0;

	if (io == NULL)
		return 0;
	length = options & 32 || vk_io_size_bytes(io) <= start ? 0 : vk_io_size_bytes(io) - start;
	first = vk_overlay_new(io);
	second = first != NULL ? vk_overlay_new(vk_overlay_io(first)) : NULL;
	if (second != NULL && plan(io, start, length, sector_size, first, &edits) &&
	    plan(vk_overlay_io(first), start, length, sector_size, second, &edits))
		FUZZ_ASSERT(edits == 0);
	vk_overlay_free(second);
	vk_overlay_free(first);
	vk_io_close(io);
	return 0;
}
