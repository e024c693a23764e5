/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz entry: mapfiles of ddrescue. */
#include "io_fuzz.h"

#include "io/mapfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vk_io *io = vk_io_memory("input", data, size, false);
	struct vk_mapfile map;
	uint64_t end = 0;

	if (vk_mapfile_read(io, &map, NULL) == VK_OK) {
		for (size_t i = 0; i < map.read.count; i++) {
			fuzz_must(map.read.ranges[i].offset_bytes >= end && map.read.ranges[i].length_bytes > 0);
			end = map.read.ranges[i].offset_bytes + map.read.ranges[i].length_bytes;
		}
		fuzz_must(end <= map.end_bytes && map.end_bytes <= INT64_MAX);
		vk_mapfile_free(&map);
	}
	vk_io_close(io);
	return 0;
}
