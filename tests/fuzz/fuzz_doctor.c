/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The diagnosis of a scattered disk, whatever stands there: ranges in order and within the disk, texts that may be printed,
 * no command that writes. First byte: bit 1 sectors of 4096 bytes. Then pieces.
 */
#include "fuzz_pieces.h"
#include "vmfskit/doctor.h"

static void look_at_ranges(const struct vk_diagnosis *d)
{
	uint64_t end = 0;

	for (size_t i = 0; i < d->range_count; i++) {
		const struct vk_damage_range *r = &d->ranges[i];

		FUZZ_ASSERT(r->length_bytes > 0 && r->offset_bytes >= end && (unsigned)r->damage < VK_DAMAGE_COUNT);
		end = r->offset_bytes + r->length_bytes;
		fuzz_text(r->what, sizeof(r->what));
	}
	FUZZ_ASSERT(end <= d->size_bytes || d->size_bytes == 0);
	FUZZ_ASSERT(!d->damaged || (d->bad && d->first_damaged_bytes <= d->last_damaged_bytes));
	FUZZ_ASSERT(d->last_damaged_bytes <= d->size_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	unsigned how = (unsigned)fuzz_take(&in, 1);
	const struct vk_doctor_options options = {.sector_size = (how & 2) != 0 ? 4096 : 512, .live_id = ""};
	struct vk_io *io = fuzz_pieces(&in, options.sector_size);
	struct vk_diagnosis d;
	struct vk_error err;

	if (io == NULL || vk_diagnose(io, "fuzz", &options, &d, &err) != VK_OK)
		return 0;
	look_at_ranges(&d);
	FUZZ_ASSERT(d.headline[0] != '\0');
	fuzz_text(d.headline, sizeof(d.headline));
	for (size_t i = 0; i < d.advice_count; i++)
		FUZZ_ASSERT(!d.advice[i].writes);
	vk_diagnosis_free(&d);
	return 0;
}
