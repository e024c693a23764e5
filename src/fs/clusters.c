/* SPDX-License-Identifier: Apache-2.0 */
/* What the headers of all clusters say, for those who compare two moments. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "fs/check.h"
#include "vmfskit/fs_clusters.h"

static const enum vk_check_kind check_kinds[VK_CLUSTERS_KINDS] = {
	[VK_CLUSTERS_BLOCKS] = VK_CHECK_BLOCKS,  [VK_CLUSTERS_LARGE] = VK_CHECK_KINDS,
	[VK_CLUSTERS_DESCRIPTORS] = VK_CHECK_FDS, [VK_CLUSTERS_SUB_BLOCKS] = VK_CHECK_SUB_BLOCKS,
	[VK_CLUSTERS_POINTERS] = VK_CHECK_PBS,   [VK_CLUSTERS_POINTERS2] = VK_CHECK_PB2S,
};

const char *vk_fs_cluster_kind_name(enum vk_fs_cluster_kind kind)
{
	static const char *const names[] = {"fbb", "lfb", "fdc", "sbc", "pbc", "pb2"};

	return names[kind];
}

struct reading {
	struct vk_checking c;
	struct vk_fs_clusters out;
};

static void drop(void *ctx, const struct vk_finding *finding)
{
	(void)ctx;
	(void)finding;
}

static enum vk_fs_cluster_kind kind_of(const struct vk_check_header *header)
{
	for (unsigned k = 0; k < VK_CLUSTERS_KINDS; k++)
		if (k == VK_CLUSTERS_LARGE ? header->lock_type == VK_LOCK_LFB : header->kind == check_kinds[k])
			return (enum vk_fs_cluster_kind)k;
	return VK_CLUSTERS_KINDS;
}

static uint64_t clusters_in(uint64_t resources, uint32_t per_cluster)
{
	return per_cluster == 0 ? 0 : resources / per_cluster + (resources % per_cluster != 0);
}

static void note_stamp(void *ctx, const struct vk_check_header *header)
{
	struct reading *r = ctx;
	const enum vk_fs_cluster_kind kind = kind_of(header);
	struct vk_fs_clusters_of *of = &r->out.of[kind == VK_CLUSTERS_KINDS ? 0 : kind];

	if (kind == VK_CLUSTERS_KINDS)
		return;
	if (of->stamps == NULL) {
		const struct vk_resource_file *large = &r->c.fs->info.system[VK_SYSTEM_FBB].resource;
		const bool is_large = kind == VK_CLUSTERS_LARGE;

		of->resources = is_large ? vk_resource_count(large) : r->c.maps[header->kind].count;
		of->per_cluster = is_large ? large->resourcesPerCluster : r->c.maps[header->kind].per_cluster;
		of->count = clusters_in(of->resources, of->per_cluster);
		of->stamps = malloc((size_t)(of->count + 1) * sizeof(*of->stamps));
		if (of->stamps == NULL) {
			of->count = 0;
			r->c.status = vk_no_memory(r->c.err, NULL);
			return;
		}
		memset(of->stamps, 0xFF, (size_t)(of->count + 1) * sizeof(*of->stamps));
	}
	if (header->cluster < of->count)
		of->stamps[header->cluster] = header->stamp;
}

/* The maps of the check become those of the clusters. */
static void take_maps(struct reading *r)
{
	for (unsigned k = 0; k < VK_CLUSTERS_KINDS; k++) {
		struct vk_fs_clusters_of *of = &r->out.of[k];

		if (k == VK_CLUSTERS_LARGE || of->stamps == NULL)
			continue;
		of->known = r->c.maps[check_kinds[k]].known;
		of->allocated = r->c.maps[check_kinds[k]].allocated;
		r->c.maps[check_kinds[k]].known = r->c.maps[check_kinds[k]].allocated = NULL;
	}
}

enum vk_status vk_fs_clusters_read(struct vk_fs *fs, struct vk_fs_clusters *ret_clusters, struct vk_error *err)
{
	struct vk_error unasked = {0};
	struct reading r = {.c = {.fs = fs, .named = {drop, NULL}, .err = err != NULL ? err : &unasked}};

	r.c.on_header = note_stamp;
	r.c.on_header_ctx = &r;
	vk_check_clusters(&r.c, true);
	if (r.c.status == VK_OK)
		take_maps(&r);
	vk_check_free_maps(&r.c);
	if (r.c.status == VK_OK)
		*ret_clusters = r.out;
	else
		vk_fs_clusters_free(&r.out);
	return r.c.status;
}

void vk_fs_clusters_free(struct vk_fs_clusters *clusters)
{
	for (unsigned k = 0; k < VK_CLUSTERS_KINDS; k++) {
		free(clusters->of[k].stamps);
		free(clusters->of[k].known);
		free(clusters->of[k].allocated);
	}
	memset(clusters, 0, sizeof(*clusters));
}
