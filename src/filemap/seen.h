/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a walk has met, to be compared with those of a second one. */
#ifndef VK_FILEMAP_SEEN_H
#define VK_FILEMAP_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* sum is of all that is in the map of a file; its two lowest bits are flags of the second walk. */
struct vk_map_seen {
	struct vk_map_seen_file {
		uint32_t address, generation;
		uint64_t sum;
	} *of;
	size_t count;
	bool all;  /* what is met in the second walk and not here is new */
};

#define VK_MAP_SUM_FIRST 0xcbf29ce484222325ULL
uint64_t vk_map_sum(uint64_t sum, const void *bytes, size_t len);

/* A file; its sum is set when its lines are known. False: memory ran out. */
bool vk_map_seen_add(struct vk_map_seen *seen, uint32_t address, uint32_t generation);
void vk_map_seen_set(struct vk_map_seen *seen, uint64_t sum);
/* Between the walks. */
void vk_map_seen_sort(struct vk_map_seen *seen, bool all);
/* A file of the second walk, and the folder that names it. */
void vk_map_seen_again(struct vk_map_seen *seen, uint32_t address, uint32_t generation, uint64_t sum, uint32_t folder);
/* The next file, from *at on, that was not met as it was, or that names a new one; false: there is none. */
bool vk_map_seen_torn(const struct vk_map_seen *seen, size_t *at, uint32_t *ret_address, uint32_t *ret_generation);

#endif
