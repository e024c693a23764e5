/* SPDX-License-Identifier: Apache-2.0 */
/* One run of vmfskit map: where the bytes of a file lie, and that in the forms of other programs. */
#ifndef VK_CMD_FILES_MAP_H
#define VK_CMD_FILES_MAP_H

#include "base/shown.h"
#include "cmd/files/files.h"

/* Sums over all runs. */
struct vk_map_sums {
	uint64_t runs;
	uint64_t unknown_bytes; /* nothing tells where they lie */
	enum vk_fs_lack lack;   /* the worst reason of that */
	uint64_t absent_bytes;  /* where they lie is known, and the source does not hold it */
	uint64_t *ends;         /* of each extent: one behind its last byte in its source; 0: it has none */
};
struct vk_map {
	struct vk_files files;  /* first */
	const char *path;       /* as it was given */
	struct vk_fs_file *file;
	struct vk_map_sums sums;
};

/* Call fn for each run of the file, in order. Findings go to sink (NULL: nowhere). False: memory ran out (reported). */
typedef void (*vk_map_run_fn)(void *ctx, const struct vk_map *map, const struct vk_fs_run *run);
bool vk_map_each(struct vk_map *map, const struct vk_finding_sink *sink, vk_map_run_fn fn, void *ctx);
/* How many of its bytes the source of its extent does not hold; of a hole 0. */
uint64_t vk_map_absent(const struct vk_map *map, const struct vk_fs_run *run);
/* Whether the bytes are on a disk: data, or in the descriptor. */
static inline bool vk_map_on_disk(const struct vk_fs_run *run)
{
	return run->kind == VK_RUN_DATA || run->kind == VK_RUN_RESIDENT;
}
/*
 * Of a file of which bytes have no known place because the source does not hold what tells it: the system file that
 * does. NULL: it is damage, or not known.
 */
const char *vk_map_told_by(const struct vk_map *map);
/* "/vm/vm.vmdk (393 bytes) of toto, 49edf842-...", fit for a comment. */
void vk_map_put_title(const struct vk_map *map, FILE *out);

/* Each prints its whole output. False: it cannot be, which is reported. */
bool vk_map_show_dd(struct vk_map *map);
bool vk_map_show_dmsetup(struct vk_map *map);
bool vk_map_show_ddrescue(struct vk_map *map);

#endif
