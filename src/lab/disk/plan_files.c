/* SPDX-License-Identifier: Apache-2.0 */
/* Where the system files of a practice volume lie, how their clusters are laid out, and bytes put into them. */
#include <string.h>

#include "base/checked.h"
#include "lab/disk/practice.h"

enum {
	GROUP_OFFSET = 0x10000, SMALL_META_OFFSET = 0x1000,
	FBB_PER_CLUSTER = 200,
	FBB_PER_CLUSTER_MOST = 512,    /* what a bitmap holds; large volumes take it */
	FBB_MANY_BLOCKS = 8 << 20,
	LARGE_PER_CLUSTER = 16, LARGE_SHIFT = 9, LARGE_AFFINITY = 840, LARGE_AFFINITY_EACH = 52,
	LARGE_UNKNOWN_FLAG = 0x10, SMALL_AFFINITY = 216,
	JBC_PER_GROUP = 4, JOURNAL_BYTES = 2 << 20,
	POINTERS6 = 8192               /* addresses in a pointer block of VMFS6 */
};

/* Of a resource file: resources in a cluster, bytes of one. */
struct shape {
	uint32_t per_cluster;
	uint32_t bytes;
};
static const struct shape shapes[][VK_LAB_SYSTEM_FILES] = {
	[3] = {[VK_SYSTEM_FDC] = {32, 2048}, [VK_SYSTEM_PBC] = {16, 4096}, [VK_SYSTEM_SBC] = {16, 65536}},
	[5] = {[VK_SYSTEM_FDC] = {32, 2048}, [VK_SYSTEM_PBC] = {16, 4096}, [VK_SYSTEM_SBC] = {32, 8192},
	       [VK_SYSTEM_PB2] = {16, 4096}},
	[6] = {[VK_SYSTEM_FDC] = {256, 8192}, [VK_SYSTEM_PBC] = {0, 65536}, [VK_SYSTEM_SBC] = {256, 65536},
	       [VK_SYSTEM_PB2] = {32, 65536}, [VK_SYSTEM_JBC] = {8, JOURNAL_BYTES}},
};

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

uint64_t vk_lab_system_fd(const struct vk_fs_descriptor *fs, enum vk_system_file file)
{
	uint64_t group = vk_fdc_start(fs->fileBlockSize, fs->mdAlignment) + fs->fdcClusterGroupOffset;
	struct vk_fd_geometry fd;

	vk_fd_geometry(fs->mdAlignment, &fd);
	return group + (uint64_t)fs->fdcClustersPerGroup * vk_cluster_header_bytes(fs->mdAlignment) +
	       (uint64_t)file * fd.fd_bytes;
}

static void fill_resource(const struct vk_lab_files *f, struct vk_resource_file *r, struct shape shape,
			  uint32_t per_group, uint64_t count)
{
	*r = (struct vk_resource_file){
		.resourcesPerCluster = shape.per_cluster,
		.clustersPerGroup = per_group,
		.clusterGroupOffset = GROUP_OFFSET,
		.resourceSize = shape.bytes,
		.clusterGroupSize =
			per_group * (vk_cluster_header_bytes(f->md_alignment) + shape.per_cluster * shape.bytes),
		.numResourcesLo = (uint32_t)count,
		.numResourcesHi = (uint32_t)(count >> 32),
	};
	if (shape.per_cluster != 0)
		r->numClusterGroups = (uint32_t)divide_up(count, (uint64_t)shape.per_cluster * per_group);
	if (f->md_alignment == 0)
		return;
	r->signature = VK_RESOURCE_SIGNATURE;
	r->version = 1;
	r->flags = per_group == JBC_PER_GROUP ? 0 : VK_RESOURCE_AFFINITY;
	r->affinityPerCluster = (uint16_t)shape.per_cluster;
	r->affinityPerResource = 1;
	r->bitsPerResource = 1;
}

/* The file ends with its last resource. */
static uint64_t resource_length(const struct vk_resource_file *r, uint32_t md_alignment)
{
	uint64_t count = vk_resource_count(r);
	uint64_t last;

	if (count == 0)
		return GROUP_OFFSET;
	last = (count - 1) / r->resourcesPerCluster;
	return vk_resource_offset(r, md_alignment, last, (uint32_t)(count - last * r->resourcesPerCluster));
}

static void set_resource(struct vk_lab_files *f, unsigned version, enum vk_system_file file, uint64_t count)
{
	struct vk_lab_file *to = &f->of[file];

	fill_resource(f, &to->resource, shapes[version][file],
		      file == VK_SYSTEM_JBC ? JBC_PER_GROUP : f->per_group, count);
	to->has_resource = true;
	to->length = resource_length(&to->resource, f->md_alignment);
	to->blocks = divide_up(to->length, f->block_bytes);
}

/*
 * VMFS6: the resources of the large blocks' clusters are the cluster headers of the small blocks, one for each large
 * block. Those that hold system files have become clusters of small blocks.
 */
static uint64_t plan_fbb6(struct vk_lab_files *f)
{
	struct vk_resource_file *large = &f->of[VK_SYSTEM_FBB].resource;
	const struct shape large_shape = {LARGE_PER_CLUSTER, vk_cluster_header_bytes(f->md_alignment)};
	const struct shape small_shape = {VK_LAB_SMALL_PER_CLUSTER, 0};

	fill_resource(f, large, large_shape, f->per_group, divide_up(f->volume_blocks, 1U << LARGE_SHIFT));
	fill_resource(f, &f->small, small_shape, f->per_group, f->volume_blocks);
	large->flags = VK_RESOURCE_HAS_CHILD | VK_RESOURCE_AFFINITY | LARGE_UNKNOWN_FLAG | VK_RESOURCE_HAS_UNMAP;
	large->affinityPerCluster = LARGE_AFFINITY;
	large->affinityPerResource = LARGE_AFFINITY_EACH;
	large->bitsPerResource = 3;
	large->childMetaOffset = SMALL_META_OFFSET;
	f->small.flags = VK_RESOURCE_HAS_PARENT | VK_RESOURCE_AFFINITY_COUNTS | VK_RESOURCE_HAS_UNMAP;
	f->small.affinityPerCluster = SMALL_AFFINITY;
	f->small.bitsPerResource = 2;
	f->small.parentResourcesPerCluster = LARGE_PER_CLUSTER;
	f->small.parentClustersPerGroup = f->per_group;
	f->small.parentClusterGroupSize = large->clusterGroupSize;
	return resource_length(large, f->md_alignment);
}

/*
 * What would take more than half of the first device, or more than the direct addresses, is cut off, with the headers
 * of its clusters. A real volume of more than 18 TiB must have pointer blocks here; debugvmfs6 cannot open one.
 */
static void plan_fbb(struct vk_lab_files *f)
{
	struct vk_lab_file *fbb = &f->of[VK_SYSTEM_FBB];
	struct vk_fd_geometry fd;
	uint64_t most;
	const struct shape shape = {f->volume_blocks > FBB_MANY_BLOCKS ? FBB_PER_CLUSTER_MOST : FBB_PER_CLUSTER, 0};

	fbb->has_resource = true;
	if (f->md_alignment != 0) {
		fbb->length = plan_fbb6(f);
	} else {
		fill_resource(f, &fbb->resource, shape, f->per_group, f->volume_blocks);
		fbb->length = GROUP_OFFSET + (uint64_t)fbb->resource.numClusterGroups * fbb->resource.clusterGroupSize;
	}
	fbb->blocks = divide_up(fbb->length, f->block_bytes);
	vk_fd_geometry(f->md_alignment, &fd);
	most = vk_min_u64(f->device_blocks / 2, fd.pointers);
	if (fbb->blocks > most) {
		fbb->blocks = most;
		fbb->length = fbb->blocks * f->block_bytes;
	}
}

static void plan_plain(struct vk_lab_files *f, enum vk_system_file file, uint64_t length)
{
	f->of[file].length = length;
	f->of[file].blocks = divide_up(length, f->block_bytes);
}

static uint64_t sum_blocks(const struct vk_lab_files *f)
{
	uint64_t blocks = 0;

	for (unsigned i = 0; i < f->file_count; i++)
		blocks += f->of[i].blocks;
	return blocks;
}

/* As many of everything as the real volumes have for their size; clusters without a header there are none. */
static void plan_counts(struct vk_lab_files *f, unsigned version, const struct vk_lab_needs *needs)
{
	const struct shape *s = shapes[version];
	uint64_t most = VK_LAB_CLUSTERS_MAX;
	uint64_t pointer_blocks = f->volume_blocks / 512;
	struct vk_lab_file *fdc = &f->of[VK_SYSTEM_FDC];

	if (pointer_blocks == 0)
		pointer_blocks = 1;
	set_resource(f, version, VK_SYSTEM_FDC,
		     vk_max_u64(vk_min_u64(most, divide_up(f->volume_blocks / 4, s[VK_SYSTEM_FDC].per_cluster)),
				divide_up(needs->descriptors, s[VK_SYSTEM_FDC].per_cluster)) *
			     s[VK_SYSTEM_FDC].per_cluster);
	fdc->length = fdc->blocks * f->block_bytes;
	for (unsigned i = VK_SYSTEM_PBC; i < f->file_count; i++)
		if (i == VK_SYSTEM_PBC || i == VK_SYSTEM_PB2)
			set_resource(f, version, (enum vk_system_file)i,
				     vk_max_u64(vk_min_u64(most * s[i].per_cluster, pointer_blocks),
						needs->pointer_blocks));
	set_resource(f, version, VK_SYSTEM_SBC,
		     vk_max_u64(vk_min_u64(most * s[VK_SYSTEM_SBC].per_cluster, f->volume_blocks), needs->sub_blocks));
}

/*
 * VMFS6: 16384 file descriptors, 128 journal blocks and up to 16384 sub-blocks. The real volume of 768 MiB has one
 * pointer block, and its sub-blocks take what the others leave. Of one of 500 GB 256 pointer blocks are published, and
 * metadata of 1510866944 bytes: exactly that many of everything. A first device that is smaller than any real one gets
 * less.
 */
static void plan_counts6(struct vk_lab_files *f, const struct vk_lab_needs *needs)
{
	uint64_t room = f->device_blocks - f->of[VK_SYSTEM_FBB].blocks;
	bool small = room < 430;

	set_resource(f, 6, VK_SYSTEM_FDC,
		     vk_max_u64(small ? 4096 : 16384,
				vk_round_up_sat(needs->descriptors, shapes[6][VK_SYSTEM_FDC].per_cluster)));
	set_resource(f, 6, VK_SYSTEM_PBC, 0);
	set_resource(f, 6, VK_SYSTEM_SBC, 16384);
	set_resource(f, 6, VK_SYSTEM_JBC, small ? 32 : 128);
	set_resource(f, 6, VK_SYSTEM_PB2, 256);
	if (sum_blocks(f) > f->device_blocks && needs->descriptors == 0)
		set_resource(f, 6, VK_SYSTEM_PB2, 1);
}

/* Sub-blocks adapt to what is left: of the device, and on VMFS 3 and 5 of the direct addresses. */
static void fit_sub_blocks(struct vk_lab_files *f, unsigned version)
{
	struct vk_lab_file *sbc = &f->of[VK_SYSTEM_SBC];
	const struct vk_resource_file *r = &sbc->resource;
	uint64_t others = sum_blocks(f) - sbc->blocks;
	uint64_t most = f->device_blocks - vk_min_u64(f->device_blocks, others);
	uint64_t headers = (uint64_t)r->clustersPerGroup * vk_cluster_header_bytes(f->md_alignment);
	uint64_t count = 0;
	struct vk_fd_geometry fd;

	vk_fd_geometry(f->md_alignment, &fd);
	if (f->md_alignment == 0)
		most = vk_min_u64(most, fd.pointers);
	if (sbc->blocks <= most)
		return;
	if (most * f->block_bytes >= GROUP_OFFSET) {
		uint64_t room = most * f->block_bytes - GROUP_OFFSET;
		uint64_t rest = room % r->clusterGroupSize;

		count = room / r->clusterGroupSize * r->resourcesPerCluster * r->clustersPerGroup +
			(rest > headers ? (rest - headers) / r->resourceSize : 0);
	}
	set_resource(f, version, VK_SYSTEM_SBC, count);
}

static void place(struct vk_lab_files *f, enum vk_system_file file, unsigned run, uint64_t blocks)
{
	f->of[file].runs[run] = (struct vk_lab_run){f->used_blocks, blocks};
	f->used_blocks += blocks;
}

/* The order of the real volumes: .fdc.sf goes on behind .fbb.sf, and .sbc.sf grew when all files were made. */
static void place_all(struct vk_lab_files *f)
{
	struct vk_fd_geometry fd;

	vk_fd_geometry(f->md_alignment, &fd);
	place(f, VK_SYSTEM_VH, 0, f->of[VK_SYSTEM_VH].blocks);
	place(f, VK_SYSTEM_FDC, 0, 1);
	place(f, VK_SYSTEM_ROOT, 0, f->of[VK_SYSTEM_ROOT].blocks);
	place(f, VK_SYSTEM_FBB, 0, f->of[VK_SYSTEM_FBB].blocks);
	place(f, VK_SYSTEM_FDC, 1, f->of[VK_SYSTEM_FDC].blocks - 1);
	place(f, VK_SYSTEM_PBC, 0, f->of[VK_SYSTEM_PBC].blocks);
	place(f, VK_SYSTEM_SBC, 0, vk_min_u64(f->of[VK_SYSTEM_SBC].blocks, fd.pointers));
	for (unsigned i = VK_SYSTEM_PB2; i < f->file_count; i++)
		place(f, (enum vk_system_file)i, 0, f->of[i].blocks);
	place(f, VK_SYSTEM_SBC, 1, f->of[VK_SYSTEM_SBC].blocks - f->of[VK_SYSTEM_SBC].runs[0].blocks);
	for (unsigned i = 0; i < f->file_count; i++) {
		struct vk_lab_file *file = &f->of[i];

		if (file->blocks <= fd.pointers)
			continue;
		file->pointer_block = (uint32_t)f->of[VK_SYSTEM_PB2].used;
		file->pointer_blocks = (uint32_t)divide_up(file->blocks, POINTERS6);
		f->of[VK_SYSTEM_PB2].used += file->pointer_blocks;
	}
}

uint64_t vk_lab_block_number(const struct vk_lab_files *files, enum vk_system_file file, uint64_t index)
{
	const struct vk_lab_run *run = files->of[file].runs;

	if (index < run[0].blocks)
		return run[0].first_block + index;
	return run[1].first_block + index - run[0].blocks;
}

uint64_t vk_lab_file_volume_offset(const struct vk_lab_files *files, enum vk_system_file file,
				   uint64_t offset)
{
	return vk_lab_block_number(files, file, offset / files->block_bytes) * files->block_bytes +
	       offset % files->block_bytes;
}

void vk_lab_file_put(const struct vk_lab_writing *w, enum vk_system_file file, uint64_t offset, const void *buf,
		     size_t len)
{
	uint64_t volume_bytes = w->base_bytes + w->device->header.dataOffset;

	vk_lab_put(w->disk, volume_bytes + vk_lab_file_volume_offset(&w->files, file, offset), buf, len);
}

struct vk_lock vk_lab_lock(struct vk_lab_writing *w, uint32_t type, uint64_t volume_offset)
{
	/* VMFS3 stamps microseconds, later ones count */
	uint64_t mtime = w->device->version == 3 ? 243180244 + (volume_offset >> 9) * 97 : 402 + w->locks;

	w->locks++;
	return (struct vk_lock){.type = type, .addr = volume_offset, .token = 1, .mtime = mtime};
}

uint64_t vk_lab_journal(const struct vk_lab_files *f, unsigned host)
{
	const struct vk_lab_file *jbc = &f->of[VK_SYSTEM_JBC];
	uint64_t n;

	if (f->md_alignment == 0)
		return (f->used_blocks + (f->journal_blocks == 0 ? 0 : host % f->journal_blocks)) * f->block_bytes;
	n = host % vk_resource_count(&jbc->resource);
	return vk_lab_file_volume_offset(f, VK_SYSTEM_JBC,
					 vk_resource_offset(&jbc->resource, f->md_alignment,
							    n / jbc->resource.resourcesPerCluster,
							    (uint32_t)(n % jbc->resource.resourcesPerCluster)));
}

enum vk_status vk_lab_files_plan(const struct vk_lab_device *device, struct vk_lab_files *ret_files,
				 struct vk_error *err)
{
	struct vk_lab_files *f = ret_files;
	struct vk_fd_geometry fd;

	memset(f, 0, sizeof(*f));
	f->md_alignment = device->version == 6 ? device->fs.mdAlignment : 0;
	f->per_group = device->fs.fdcClustersPerGroup;
	f->block_bytes = device->fs.fileBlockSize;
	f->device_blocks = device->volume.numPEs * VK_LVM_PE_BYTES / f->block_bytes;
	f->volume_blocks = device->volume.logicalSize / f->block_bytes;
	f->file_count = 1U + (device->version == 6   ? VK_SYSTEM_JBC
			      : device->version == 5 ? VK_SYSTEM_SDD
						     : VK_SYSTEM_VH);
	plan_plain(f, VK_SYSTEM_VH, vk_fdc_start(f->block_bytes, f->md_alignment));
	/* the root itself has no entry, but "." and ".." have */
	plan_plain(f, VK_SYSTEM_ROOT, f->md_alignment != 0 ? VK_LAB_FOLDER6_BYTES + VK_LAB_FOLDER6_BLOCK_BYTES
							   : (f->file_count + 1ULL) * VK_DIR_ENTRY_BYTES);
	if (f->file_count > VK_SYSTEM_SDD)
		plan_plain(f, VK_SYSTEM_SDD, f->md_alignment != 0 ? VK_LAB_FOLDER6_BYTES : 2ULL * VK_DIR_ENTRY_BYTES);
	plan_fbb(f);
	if (device->version == 6)
		plan_counts6(f, &device->needs);
	else
		plan_counts(f, device->version, &device->needs);
	fit_sub_blocks(f, device->version);
	vk_fd_geometry(f->md_alignment, &fd);
	if (f->of[VK_SYSTEM_FDC].blocks > fd.pointers)
		return vk_error_set(err, VK_USAGE, NULL, "%llu files are more than the descriptors of such a volume",
				    (unsigned long long)device->needs.descriptors);
	if (sum_blocks(f) > f->device_blocks)
		return vk_error_set(err, VK_USAGE, NULL,
				    "the first device is too small for the files of a file system");
	place_all(f);
	/* hosts that are alive have a journal: a file block, on VMFS6 one of .jbc.sf */
	f->of[VK_SYSTEM_FDC].used = f->file_count;
	if (f->md_alignment == 0) {
		f->journal_blocks = vk_min_u64(device->live, f->device_blocks - f->used_blocks);
		f->of[VK_SYSTEM_FBB].used = f->used_blocks + f->journal_blocks;
		return VK_OK;
	}
	f->of[VK_SYSTEM_JBC].used = vk_min_u64(device->live, vk_resource_count(&f->of[VK_SYSTEM_JBC].resource));
	/* a large block becomes a cluster of small ones as soon as one of them is taken */
	f->of[VK_SYSTEM_FBB].used = divide_up(f->used_blocks, VK_LAB_SMALL_PER_CLUSTER);
	f->small.convertedClusters = (uint32_t)f->of[VK_SYSTEM_FBB].used;
	return VK_OK;
}
