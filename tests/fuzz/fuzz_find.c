/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The search over a scattered disk: whatever stands there, every candidate is within the disk's arithmetic, named and
 * judged, and none is called living of which something that decides fails. First byte: bit 0 the likely places only,
 * bit 1 sectors of 4096 bytes, bit 2 a partition. Then pieces.
 */
#include "fuzz_pieces.h"
#include "vmfskit/find.h"

static void look_at_candidate(const struct vk_find *find, const struct vk_candidate *c)
{
	static const enum vk_find_check decide[] = {VK_CHECK_MAGIC, VK_CHECK_TOTAL_BYTES, VK_CHECK_DATA_OFFSET,
						    VK_CHECK_PE_TABLES, VK_CHECK_INSIDE_DISK, VK_CHECK_ALONE};
	bool living = c->standing == VK_STANDING_LIVING;
	/* of a volume whose end is not in the source, what lies there is not known */
	bool whole = living && c->absent_bytes == 0;

	FUZZ_ASSERT((unsigned)c->standing <= VK_GHOST_NOISE && vk_standing_name(c->standing) != NULL);
	FUZZ_ASSERT(c->start_bytes % 512 == 0 && c->sure_percent <= 99 && c->why[0] != '\0');
	FUZZ_ASSERT(c->inside == SIZE_MAX || (c->inside < find->count && vk_standing_is_ghost(c->standing)));
	FUZZ_ASSERT(!c->length_exact || (c->has_header && c->length_bytes == c->lvm.totalBytes && c->length_witness[0] != '\0'));
	FUZZ_ASSERT(c->told_bytes == 0 || c->told_bytes == c->lvm.totalBytes);
	FUZZ_ASSERT(!living || (c->has_header && c->told_bytes >= c->length_bytes && !c->start_before_disk));
	FUZZ_ASSERT(!whole || c->has_volume);
	FUZZ_ASSERT(!living || c->most_bytes == 0 || c->told_bytes <= c->most_bytes);
	FUZZ_ASSERT(!whole || !c->head || c->has_fs);
	for (size_t i = 0; living && i < sizeof(decide) / sizeof(decide[0]); i++)
		FUZZ_ASSERT(c->checks[decide[i]].verdict == VK_VERDICT_PASS ||
			    (!whole && c->checks[decide[i]].verdict == VK_VERDICT_UNKNOWN));
	fuzz_text(c->why, sizeof(c->why));
	fuzz_text(c->heard, sizeof(c->heard));
	for (int i = 0; i < VK_CHECK_COUNT; i++)
		fuzz_text(c->checks[i].seen, sizeof(c->checks[i].seen));
}

/* The living and the damaged do not overlap. */
static void look_at_overlaps(const struct vk_find *find)
{
	for (size_t i = 0; i < find->count && !vk_standing_is_ghost(find->candidates[i].standing); i++)
		for (size_t k = 0; k < i; k++) {
			const struct vk_candidate *a = &find->candidates[i];
			const struct vk_candidate *b = &find->candidates[k];

			if (a->start_before_disk || b->start_before_disk)
				continue;
			if (a->start_bytes < b->start_bytes)
				FUZZ_ASSERT(b->start_bytes - a->start_bytes >= a->length_bytes);
			else
				FUZZ_ASSERT(a->start_bytes - b->start_bytes >= b->length_bytes);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	unsigned how = (unsigned)fuzz_take(&in, 1);
	uint32_t sector_size = how & 2 ? 4096 : 512;
	const struct vk_find_hint hint = {300, 1000, "capture"};
	const struct vk_find_options options = {.likely_only = (how & 1) != 0, .hints = &hint, .hint_count = 1};
	struct vk_source_options as = {.as = how & 4 ? VK_SOURCE_PARTITION : VK_SOURCE_DISK, .sector_size = sector_size};
	struct vk_io *io = fuzz_pieces(&in, sector_size);
	struct vk_source source;
	struct vk_find find;
	struct vk_error err = {0};

	if (io == NULL)
		return 0;
	if (vk_source_open_io(io, "fuzz", VK_FORM_RAW, &as, &source, &err) != VK_OK)
		return 0;
	FUZZ_ASSERT(vk_find(&source, &options, &find, &err) == VK_OK);
	for (size_t i = 0; i < find.count; i++) {
		look_at_candidate(&find, &find.candidates[i]);
		FUZZ_ASSERT(i == 0 || find.candidates[i - 1].standing <= find.candidates[i].standing);
	}
	look_at_overlaps(&find);
	for (size_t i = 0; i < find.foreign.count; i++) {
		fuzz_text(find.foreign.items[i].type, sizeof(find.foreign.items[i].type));
		fuzz_text(find.foreign.items[i].label, sizeof(find.foreign.items[i].label));
		fuzz_text(find.foreign.items[i].uuid, sizeof(find.foreign.items[i].uuid));
	}
	vk_find_free(&find);
	vk_source_close(&source);
	return 0;
}
