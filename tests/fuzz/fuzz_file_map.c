/* SPDX-License-Identifier: Apache-2.0 */
/* The map of the files of a volume: what is accepted keeps its sums, and is compared with itself without a change. */
#include "fuzz.h"
#include "vmfskit/file_map.h"

struct counted {
	uint64_t files, runs, torn, size, mapped, clusters, kind, next;
};

static bool count_file(void *ctx, const struct vk_file_map_file *file)
{
	struct counted *c = ctx;

	FUZZ_ASSERT(file->path[0] != '\0' && strlen(file->path) < VK_FS_PATH_BYTES && strchr(file->path, '\n') == NULL);
	FUZZ_ASSERT(c->mapped == 0 || c->mapped == c->size);
	c->files++;
	c->size = file->size_bytes;
	c->mapped = 0;
	return true;
}

static bool count_run(void *ctx, const struct vk_fs_run *run)
{
	struct counted *c = ctx;

	FUZZ_ASSERT(run->file_offset == c->mapped && run->length_bytes > 0);
	FUZZ_ASSERT(run->length_bytes <= c->size - c->mapped);
	FUZZ_ASSERT(run->volume_offset == UINT64_MAX || run->volume_offset + run->length_bytes <= INT64_MAX);
	c->mapped += run->length_bytes;
	c->runs++;
	return true;
}

static bool count_torn(void *ctx, uint32_t address, uint32_t generation)
{
	struct counted *c = ctx;

	(void)address;
	(void)generation;
	c->torn++;
	return true;
}

static bool count_stamps(void *ctx, const struct vk_file_map_stamps *stamps)
{
	struct counted *c = ctx;

	FUZZ_ASSERT(stamps->kind < VK_CLUSTERS_KINDS && stamps->count > 0 && stamps->stamp != VK_STAMP_NONE);
	FUZZ_ASSERT(stamps->kind > c->kind || (stamps->kind == c->kind && stamps->first >= c->next));
	c->kind = stamps->kind;
	c->next = stamps->first + stamps->count;
	c->clusters += stamps->count;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vk_io *io = vk_io_memory("map", data, size, false);
	struct counted counted = {0};
	const struct vk_file_map_visitor visitor = {count_file, NULL, count_run, count_torn, count_stamps, &counted};
	struct vk_file_map_sums sums;
	struct vk_file_map map;
	struct vk_file_change *changes = NULL;
	size_t change_count = 0;
	struct vk_error err = {.status = VK_OK};
	uint64_t runs = 0;

	FUZZ_ASSERT(io != NULL);
	if (vk_file_map_read(io, &visitor, &sums, &err) != VK_OK) {
		FUZZ_ASSERT(err.what[0] != '\0');
		fuzz_text(err.what, sizeof(err.what));
		vk_io_close(io);
		return 0;
	}
	FUZZ_ASSERT(sums.files == counted.files && sums.runs == counted.runs && sums.torn == counted.torn);
	FUZZ_ASSERT(sums.clusters == counted.clusters);
	FUZZ_ASSERT(vk_file_map_load(io, &map, &err) == VK_OK);
	FUZZ_ASSERT(map.count == sums.files);
	for (size_t i = 0; i < map.count; i++) {
		FUZZ_ASSERT(i == 0 || strcmp(map.files[i - 1].path, map.files[i].path) <= 0);
		FUZZ_ASSERT(sums.scope != VK_FILE_MAP_ALL || map.files[i].unread || map.files[i].run_count > 0 ||
			    map.files[i].size_bytes == 0);
		(void)vk_file_map_is_disk(&map.files[i]);
		runs += map.files[i].run_count;
	}
	FUZZ_ASSERT(runs == sums.runs);
	FUZZ_ASSERT(vk_file_map_compare(&map, &map, &changes, &change_count, &err) == VK_OK);
	FUZZ_ASSERT(change_count == 0);
	free(changes);
	vk_file_map_free(&map);
	vk_io_close(io);
	return 0;
}
