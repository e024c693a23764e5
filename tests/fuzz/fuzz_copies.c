/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz entry: whether a source is a copy with longer sectors, or one that lost or gained bytes. */
#include "fuzz.h"
#include "fuzz_pieces.h"

#include "source/survey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Everything that the reading says lies in the source, and its view can be made. */
static void look_at_reading(struct vk_io *io, const struct vk_reading *r)
{
	struct vk_io *view;
	uint8_t buf[4096];
	size_t got;

	FUZZ_ASSERT(r->kind == VK_READING_STRIDE || r->kind == VK_READING_SHIFTED || r->kind == VK_READING_GLUED);
	FUZZ_ASSERT(!r->repairable && r->what[0] != '\0' && r->evidence[0] != '\0');
	if (r->kind == VK_READING_STRIDE) {
		FUZZ_ASSERT(r->stride_bytes == 520 || r->stride_bytes == 528);
		return;
	}
	FUZZ_ASSERT(r->shift_bytes != 0 && r->shift_from_bytes < vk_io_size_bytes(io));
	view = vk_reading_put_right(io, r);
	FUZZ_ASSERT(view != NULL);
	FUZZ_ASSERT(vk_io_size_bytes(view) == vk_io_size_bytes(io) - (uint64_t)r->shift_bytes);
	FUZZ_ASSERT(vk_io_read(view, 0, buf, sizeof(buf), &got, NULL) == VK_OK);
	vk_io_close(view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint32_t sector_size = (fuzz_take(&in, 1) & 1) != 0 ? 4096 : 512;
	struct vk_io *io = fuzz_pieces(&in, sector_size);
	struct vk_readings readings = {.count = 0};
	struct vk_tail_gpt tail = {.first_sector = 0};
	struct vk_table table = {.gpt_chosen = -1};
	struct vk_error err = {0};
	struct vk_survey survey = {.io = io, .path = "fuzz", .table = &table, .tail = &tail, .readings = &readings,
				   .err = &err};

	if (io == NULL)
		return 0;
	FUZZ_ASSERT(vk_table_read(io, sector_size, true, NULL, &table, &err) == VK_OK);
	if (!table.mbr_used && !table.gpt[0].present)
		FUZZ_ASSERT(vk_tail_gpt_read(io, sector_size, &tail, &err) == VK_OK);
	vk_lun_signs_of(io, &table, &tail, &survey.own);
	vk_look_at_stride(&survey);
	vk_look_at_shift(&survey);
	FUZZ_ASSERT(survey.status == VK_OK);
	for (size_t i = 0; i < readings.count; i++)
		look_at_reading(io, &readings.items[i]);
	free(readings.items);
	vk_table_free(&table);
	vk_tail_gpt_free(&tail);
	vk_io_close(io);
	return 0;
}
