/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz entry: texts with listings. */
#include "io_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vk_io *base = vk_io_memory("input", data, size, false);
	struct vk_error err = {0};
	struct vk_io *io;

	(void)vk_io_is_hexdump(base);
	if (vk_io_hexdump(base, &io, &err) == VK_OK) {
		for (struct vk_io *next; io != NULL; io = next) {
			next = vk_io_take_next(io);
			fuzz_check_source(io, size);
			vk_io_close(io);
		}
		return 0;
	}
	fuzz_must(err.status == VK_DAMAGED || err.status == VK_USAGE);
	vk_io_close(base);
	return 0;
}
