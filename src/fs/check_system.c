/* SPDX-License-Identifier: Apache-2.0 */
/* What the header of the volume and the metadata of the resource files say of each other. */
#include <inttypes.h>

#include "fs/check.h"

/* A number that must be another: seen in a system file, or where file is NULL in the file-system descriptor. */
static void expect(struct vk_checking *c, const struct vk_fs_file *file, const char *name, const char *what,
		   uint64_t seen, uint64_t expected)
{
	c->result.phases[c->phase].checked++;
	if (seen != expected)
		vk_fs_say(c->fs, &c->named, file != NULL ? file->address : 0, VK_F_FILE_RESOURCE,
			  file != NULL ? file->volume_offset : VK_FS_OFFSET, 0,
			  vk_phrase("%" PRIu64, seen).text, vk_phrase("%" PRIu64, expected).text,
			  "%s of %s contradicts the rest of the volume", what, name);
}

static void compare(struct vk_checking *c, enum vk_system_file file, const char *what, uint64_t seen, uint64_t expected)
{
	const struct vk_fs_system *s = &c->fs->info.system[file];

	if (s->has_resource && s->file != NULL)
		expect(c, s->file, vk_system_file_name(file), what, seen, expected);
}

static uint64_t groups_of(const struct vk_resource_file *r)
{
	uint64_t per_group = (uint64_t)r->resourcesPerCluster * r->clustersPerGroup, count = vk_resource_count(r);

	return per_group == 0 ? 0 : count / per_group + (count % per_group != 0);
}

/* VMFS 3 and 5: all behind the number of resources is zero. */
static void check_old(struct vk_checking *c, enum vk_system_file file)
{
	const struct vk_resource_file *r = &c->fs->info.system[file].resource;

	compare(c, file, "signature", r->signature, 0);
	compare(c, file, "version", r->version, 0);
	compare(c, file, "flags", r->flags, 0);
	compare(c, file, "affinityPerCluster", r->affinityPerCluster, 0);
	compare(c, file, "affinityPerResource", r->affinityPerResource, 0);
	compare(c, file, "bitsPerResource", r->bitsPerResource, 0);
	compare(c, file, "childMetaOffset", r->childMetaOffset, 0);
	compare(c, file, "parentResourcesPerCluster", r->parentResourcesPerCluster, 0);
	compare(c, file, "parentClustersPerGroup", r->parentClustersPerGroup, 0);
	compare(c, file, "parentClusterGroupSize", r->parentClusterGroupSize, 0);
	compare(c, file, "convertedClusters", r->convertedClusters, 0);
}

enum { FAMILY = VK_RESOURCE_HAS_CHILD | VK_RESOURCE_HAS_PARENT };

/* VMFS6: a file without a child, or the large blocks of .fbb.sf. */
static void check_six(struct vk_checking *c, enum vk_system_file file)
{
	const struct vk_resource_file *r = &c->fs->info.system[file].resource;
	bool large = file == VK_SYSTEM_FBB;

	compare(c, file, "flags", r->flags & FAMILY, large ? VK_RESOURCE_HAS_CHILD : 0);
	compare(c, file, "bitsPerResource", r->bitsPerResource, large ? 3 : 1);
	compare(c, file, "parentResourcesPerCluster", r->parentResourcesPerCluster, 0);
	compare(c, file, "parentClustersPerGroup", r->parentClustersPerGroup, 0);
	compare(c, file, "parentClusterGroupSize", r->parentClusterGroupSize, 0);
	compare(c, file, "convertedClusters", r->convertedClusters, 0);
	if (large)
		return;
	compare(c, file, "childMetaOffset", r->childMetaOffset, 0);
	compare(c, file, "affinityPerCluster", r->affinityPerCluster, r->resourcesPerCluster);
	compare(c, file, "affinityPerResource", r->affinityPerResource, 1);
}

static uint64_t group_bytes(const struct vk_checking *c, const struct vk_resource_file *r)
{
	return r->clustersPerGroup * (vk_cluster_header_bytes(c->fs->info.md_alignment) +
				      (uint64_t)r->resourcesPerCluster * r->resourceSize);
}

/* VMFS6: large and small blocks. */
static void check_child(struct vk_checking *c)
{
	const struct vk_fs_system *fbb = &c->fs->info.system[VK_SYSTEM_FBB];
	const struct vk_resource_file *large = &fbb->resource, *small = &fbb->child;

	compare(c, VK_SYSTEM_FBB, "clusterGroupSize", large->clusterGroupSize, group_bytes(c, large));
	compare(c, VK_SYSTEM_FBB, "resourceSize", large->resourceSize,
		vk_cluster_header_bytes(c->fs->info.md_alignment));
	if (large->childMetaOffset == 0)
		compare(c, VK_SYSTEM_FBB, "childMetaOffset", 0, c->fs->info.md_alignment);
	if (!fbb->has_child)
		return;
	compare(c, VK_SYSTEM_FBB, "flags of the small blocks", small->flags & FAMILY, VK_RESOURCE_HAS_PARENT);
	compare(c, VK_SYSTEM_FBB, "bitsPerResource of the small blocks", small->bitsPerResource, 2);
	compare(c, VK_SYSTEM_FBB, "resourceSize of the small blocks", small->resourceSize, 0);
	compare(c, VK_SYSTEM_FBB, "childMetaOffset of the small blocks", small->childMetaOffset, 0);
	compare(c, VK_SYSTEM_FBB, "clusterGroupSize of the small blocks", small->clusterGroupSize,
		group_bytes(c, small));
	compare(c, VK_SYSTEM_FBB, "numClusterGroups of the small blocks", small->numClusterGroups, groups_of(small));
	compare(c, VK_SYSTEM_FBB, "parentResourcesPerCluster", small->parentResourcesPerCluster,
		large->resourcesPerCluster);
	compare(c, VK_SYSTEM_FBB, "parentClustersPerGroup", small->parentClustersPerGroup, large->clustersPerGroup);
	compare(c, VK_SYSTEM_FBB, "parentClusterGroupSize", small->parentClusterGroupSize, large->clusterGroupSize);
}

/* Whether the descriptor leads to the descriptors of .pb2.sf and .sdd.sf. */
static void check_places(struct vk_checking *c)
{
	const struct vk_fs_descriptor *d = &c->fs->info.descriptor;
	const struct vk_fs_file *pb2 = c->fs->info.system[VK_SYSTEM_PB2].file;
	const struct vk_fs_file *sdd = c->fs->info.system[VK_SYSTEM_SDD].file;
	const char *name = "the file-system descriptor";

	if (pb2 != NULL || d->majorVersion == VK_FS_VMFS3) {
		expect(c, NULL, name, "pb2VolAddr", d->pb2VolAddr, pb2 != NULL ? pb2->volume_offset : 0);
		expect(c, NULL, name, "pb2FDAddr", d->pb2FDAddr, pb2 != NULL ? pb2->address : 0);
	}
	if (sdd != NULL && d->majorVersion != VK_FS_VMFS3) {
		expect(c, NULL, name, "sddVolAddr", d->sddVolAddr, sdd->volume_offset);
		expect(c, NULL, name, "sddFDAddr", d->sddFDAddr, sdd->address);
	} else if (d->sddFDAddr == 0) {
		expect(c, NULL, name, "sddVolAddr", d->sddVolAddr, 0);
	} else if (d->sddVolAddr == 0) {
		expect(c, NULL, name, "sddFDAddr", d->sddFDAddr, 0);
	}
}

/* What lies behind the end of the volume is not only absent from the source. */
static void check_fdc(struct vk_checking *c)
{
	const struct vk_fs_info *info = &c->fs->info;
	const struct vk_fs_descriptor *d = &info->descriptor;
	uint64_t at = vk_fdc_start(info->file_block_bytes, info->md_alignment) + d->fdcClusterGroupOffset +
		      (uint64_t)d->fdcClustersPerGroup * vk_cluster_header_bytes(info->md_alignment);

	c->result.phases[c->phase].checked++;
	if (info->volume_bytes != 0 && at >= info->volume_bytes)
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_RESOURCE, VK_FS_OFFSET, 0,
			  vk_phrase("0x%" PRIx64, at).text, vk_phrase("below 0x%" PRIx64, info->volume_bytes).text,
			  "the file-system descriptor has its first file descriptor behind the end of the volume");
}

static void check_header(struct vk_checking *c)
{
	const struct vk_fs_info *info = &c->fs->info;
	const struct vk_fs_descriptor *d = &info->descriptor;
	const struct vk_fs_system *pb2 = &info->system[VK_SYSTEM_PB2], *jbc = &info->system[VK_SYSTEM_JBC];
	const char *name = "the file-system descriptor";

	check_places(c);
	check_fdc(c);
	if (!info->vmfs6) {
		expect(c, NULL, name, "physDiskBlockSize", d->physDiskBlockSize, 0);
		expect(c, NULL, name, "mdAlignment", d->mdAlignment, 0);
		expect(c, NULL, name, "sfbToLfbShift", d->sfbToLfbShift, 0);
		expect(c, NULL, name, "ptrBlockShift", d->ptrBlockShift, 0);
		expect(c, NULL, name, "sfbAddrBits", d->sfbAddrBits, 0);
		expect(c, NULL, name, "journalBlockSize", d->journalBlockSize, 0);
		return;
	}
	expect(c, NULL, name, "physDiskBlockSize", d->physDiskBlockSize, d->physDiskBlockSize == 4096 ? 4096 : 512);
	if (pb2->has_resource)
		expect(c, NULL, name, "ptrBlockShift", d->ptrBlockShift < 64 ? 1ULL << d->ptrBlockShift : 0,
		       pb2->resource.resourceSize);
	if (jbc->has_resource)
		expect(c, NULL, name, "journalBlockSize", d->journalBlockSize, jbc->resource.resourceSize);
}

void vk_check_system(struct vk_checking *c)
{
	const struct vk_fs_info *info = &c->fs->info;
	const struct vk_fs_system *s = info->system;
	const struct vk_fs_descriptor *d = &info->descriptor;
	const struct vk_resource_file *blocks = info->vmfs6 ? &s[VK_SYSTEM_FBB].child : &s[VK_SYSTEM_FBB].resource;

	check_header(c);
	for (unsigned i = 0; i < VK_SYSTEM_COUNT; i++) {
		enum vk_system_file file = (enum vk_system_file)i;

		compare(c, file, "numClusterGroups", s[file].resource.numClusterGroups, groups_of(&s[file].resource));
		if (info->vmfs6)
			check_six(c, file);
		else
			check_old(c, file);
	}
	if (info->vmfs6)
		check_child(c);
	compare(c, VK_SYSTEM_FDC, "clusterGroupOffset", s[VK_SYSTEM_FDC].resource.clusterGroupOffset,
		d->fdcClusterGroupOffset);
	compare(c, VK_SYSTEM_FDC, "clustersPerGroup", s[VK_SYSTEM_FDC].resource.clustersPerGroup,
		d->fdcClustersPerGroup);
	compare(c, VK_SYSTEM_SBC, "resourceSize", s[VK_SYSTEM_SBC].resource.resourceSize, d->subBlockSize);
	if (info->volume_bytes != 0 && (!info->vmfs6 || s[VK_SYSTEM_FBB].has_child))
		compare(c, VK_SYSTEM_FBB, "the number of blocks", vk_resource_count(blocks),
			info->volume_bytes / info->file_block_bytes);
}
