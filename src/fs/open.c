/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a volume: its geometry, the descriptors of the system files, and what these say of themselves. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "fs/fs_parts.h"

enum {
	DENSE_SBPC = 4,                  /* FS3_Descriptor.config */
	USUAL_SHIFT = 9,                 /* VMFS6: log2 of large block / small block */
	FDS = 32, FDS6 = 256,            /* in a cluster of .fdc.sf */
	FDS_MAX = 1 << 26,               /* that an address can name */
	POINTERS = 1024, POINTERS6 = 8192,
	RESIDENT6_OFFSET = 512           /* behind FS3_FileMetadata */
};

/* One opening. */
struct opening {
	struct vk_fs *fs;
	const struct vk_finding_sink *sink;
	struct vk_error *err;
	uint64_t fdc_start;
};

static bool power_of_two(uint64_t n, uint64_t least, uint64_t most)
{
	return n >= least && n <= most && (n & (n - 1)) == 0;
}

static enum vk_status read_descriptor(struct opening *o)
{
	struct vk_fs *fs = o->fs;
	uint8_t sector[VK_FS_SECTOR_BYTES];
	size_t got = 0;
	enum vk_status status = vk_io_read(fs->volume, VK_FS_OFFSET, sector, sizeof(sector), &got, o->err);
	const char *name = vk_io_name(fs->volume);

	if (status != VK_OK)
		return status;
	if (vk_fs_descriptor_decode(sector, got, &fs->info.descriptor) < VK_FS_DESCRIPTOR_BYTES)
		return vk_error_set(o->err, VK_ABSENT, name,
				    "the file-system descriptor (volume offset 0x%llx) is not in the source",
				    (unsigned long long)VK_FS_OFFSET);
	if (vk_fs_magic_known(fs->info.descriptor.magic) &&
	    !vk_fs_version_known(fs->info.descriptor.majorVersion))
		return vk_error_set(o->err, VK_UNSUPPORTED, name,
				    "files of file-system version %" PRIu32 " cannot be read; 4, 14 and 24 are known",
				    fs->info.descriptor.majorVersion);
	if (!vk_fs_descriptor_usable(&fs->info.descriptor, got)) {
		(void)vk_error_set(o->err, VK_DAMAGED, name,
				   "the file-system descriptor (volume offset 0x%llx) is %s",
				   (unsigned long long)VK_FS_OFFSET, vk_all_zero(sector, got) ? "zeros" : "damaged");
		(void)vk_error_remedy(o->err, "vmfskit repair header shows what of it can be rebuilt");
		return VK_DAMAGED;
	}
	/* smaller ones leave no room for the addresses of a file descriptor */
	if (vk_fs_is_vmfs6(&fs->info.descriptor) && fs->info.descriptor.mdAlignment < 4096)
		return vk_error_set(o->err, VK_UNSUPPORTED, name,
				    "metadata blocks of %" PRIu32 " bytes are not known; VMFS6 has 4096",
				    fs->info.descriptor.mdAlignment);
	return VK_OK;
}

static void settle_geometry(struct opening *o)
{
	struct vk_fs_info *info = &o->fs->info;
	const struct vk_fs_descriptor *d = &info->descriptor;
	unsigned shift = d->sfbToLfbShift > 0 && d->sfbToLfbShift <= 13 ? d->sfbToLfbShift : USUAL_SHIFT;

	info->vmfs6 = vk_fs_is_vmfs6(d);
	info->md_alignment = info->vmfs6 ? d->mdAlignment : 0;
	info->file_block_bytes = d->fileBlockSize;
	info->large_block_bytes = info->vmfs6 ? d->fileBlockSize << shift : 0;
	info->small_per_cluster = info->vmfs6 ? 1U << shift : 0;
	info->addresses = (struct vk_address_form){info->vmfs6, !info->vmfs6 && (d->config & DENSE_SBPC) != 0};
	vk_fd_geometry(info->md_alignment, &info->fd);
	info->resident_offset = info->vmfs6 ? info->fd.metadata_offset + RESIDENT6_OFFSET : info->fd.pointers_offset;
	info->resident_bytes = info->fd.fd_bytes - info->resident_offset;
	info->pointers_per_block = info->vmfs6 ? POINTERS6 : POINTERS;
	info->sub_block_bytes = power_of_two(d->subBlockSize, 512, info->file_block_bytes)
					? d->subBlockSize
					: d->majorVersion == VK_FS_VMFS5 ? 8192 : 65536;
	o->fdc_start = vk_fdc_start(info->file_block_bytes, info->md_alignment);
}

/* Volume offset of the descriptor of a system file. */
static uint64_t slot_of(const struct opening *o, unsigned file)
{
	const struct vk_fs_info *info = &o->fs->info;
	uint64_t headers = (uint64_t)info->descriptor.fdcClustersPerGroup * vk_cluster_header_bytes(info->md_alignment);

	return o->fdc_start + info->descriptor.fdcClusterGroupOffset + headers + (uint64_t)file * info->fd.fd_bytes;
}

/* Of an upgraded VMFS5 two are elsewhere. False: it has no such file. */
static bool system_place(const struct opening *o, enum vk_system_file file, uint64_t *ret_at, uint32_t *ret_address)
{
	const struct vk_fs_descriptor *d = &o->fs->info.descriptor;

	*ret_at = slot_of(o, file);
	*ret_address = vk_fd_address(0, file);
	if (d->majorVersion != VK_FS_VMFS5 || o->fs->info.addresses.dense ||
	    (file != VK_SYSTEM_PB2 && file != VK_SYSTEM_SDD))
		return true;
	*ret_at = file == VK_SYSTEM_PB2 ? d->pb2VolAddr : d->sddVolAddr;
	*ret_address = file == VK_SYSTEM_PB2 ? d->pb2FDAddr : d->sddFDAddr;
	return *ret_at != 0;
}

/* Whether every volume of this version has it. On others a file of a user may lie there. */
static bool must_have(const struct vk_fs_info *info, enum vk_system_file file)
{
	if (file == VK_SYSTEM_JBC)
		return info->vmfs6;
	return file <= VK_SYSTEM_VH || info->vmfs6 || info->addresses.dense;
}

/* The finding for it; damaged: of what is there. */
static enum vk_finding_code lack_code(enum vk_fs_lack lack, enum vk_finding_code damaged)
{
	return lack == VK_LACK_ABSENT ? VK_F_STRUCTURE_ABSENT
	       : lack == VK_LACK_UNREADABLE ? VK_F_SOURCE_UNREADABLE : damaged;
}

static enum vk_status open_system(struct opening *o, enum vk_system_file file)
{
	struct vk_fs *fs = o->fs;
	struct vk_fs_file *opened = NULL;
	struct vk_error why = {0};
	uint64_t at;
	uint32_t address, type = file == VK_SYSTEM_ROOT ? VK_FILE_FOLDER : VK_FILE_SYSTEM;
	enum vk_fs_lack lack;
	enum vk_status status;
	bool zeros;

	if (!system_place(o, file, &at, &address))
		return VK_OK;
	/* a slot that is not used is zeros */
	zeros = fs->info.zero_metadata;
	status = vk_fs_file_at(fs, at, address, must_have(&fs->info, file) ? o->sink : NULL, &opened, &why);
	if (!must_have(&fs->info, file))
		fs->info.zero_metadata = zeros;
	if (status == VK_OK && opened->meta.type != type) {
		vk_fs_file_close(opened);
		opened = NULL;
		status = VK_DAMAGED;
	}
	fs->info.system[file].file = opened;
	fs->info.system[file].has_fd = opened != NULL;
	if (status == VK_NOMEM || status == VK_IO) {
		*o->err = why;
		return status;
	}
	if (status == VK_OK || !must_have(&fs->info, file))
		return VK_OK;
	lack = fs->info.system[file].lack = vk_fs_lack_at(fs, at, status);
	vk_fs_say(fs, o->sink, address, lack_code(lack, VK_F_FILE_DESCRIPTOR), at, fs->info.fd.fd_bytes, NULL, NULL,
		  "the file descriptor of %s%s is %s", file == VK_SYSTEM_ROOT ? "the root folder " : "",
		  vk_system_file_name(file),
		  lack == VK_LACK_DAMAGED ? "not at its place" : vk_fs_lack_said(lack));
	return VK_OK;
}

/*
 * In place of a damaged descriptor of .fdc.sf: its first block is known, and the others usually follow it. Each file
 * descriptor says whether that is so.
 */
static enum vk_status stand_in(struct opening *o)
{
	const struct vk_fs_info *info = &o->fs->info;
	const struct vk_fd_geometry *g = &info->fd;
	struct vk_fs_file *file = calloc(1, sizeof(*file));
	uint64_t block = o->fdc_start / info->file_block_bytes;

	if (file == NULL)
		return vk_no_memory(o->err, NULL);
	o->fs->fdc = file;
	file->fd = calloc(1, g->fd_bytes);
	if (file->fd == NULL)
		return vk_no_memory(o->err, NULL);
	file->address = vk_fd_address(0, VK_SYSTEM_FDC);
	file->volume_offset = slot_of(o, VK_SYSTEM_FDC);
	file->fd_seen_bytes = g->fd_bytes;
	file->meta.type = VK_FILE_SYSTEM;
	file->meta.zeroLevelAddrType = VK_ZLA_FILE_BLOCK;
	file->meta.blockSize = info->file_block_bytes;
	file->meta.fileLength = g->pointers * info->file_block_bytes;
	for (uint32_t i = 0; i < g->pointers; i++) {
		uint64_t address = vk_file_block_address(info->vmfs6, block + i, info->small_per_cluster);
		uint8_t *to = file->fd + g->pointers_offset + (size_t)i * g->pointer_bytes;

		if (g->pointer_bytes == 8)
			vk_put_le64(to, address);
		else
			vk_put_le32(to, (uint32_t)address);
	}
	return VK_OK;
}

/* FS3_ResFileMetadata at an offset of a system file. VK_DAMAGED and VK_ABSENT: there is none. */
static enum vk_status read_resource(struct opening *o, const struct vk_fs_file *file, uint64_t offset,
				    struct vk_resource_file *ret_file, uint64_t *ret_at)
{
	struct vk_fs *fs = o->fs;
	uint8_t raw[VK_RESOURCE_FILE_BYTES];
	uint64_t rest;
	size_t got = 0;
	enum vk_status status = vk_fs_map(fs, file, offset, ret_at, &rest);

	if (status == VK_OK)
		status = vk_fs_get(fs, *ret_at, raw, sizeof(raw), &got, o->err);
	if (status != VK_OK)
		return status;
	if (got < sizeof(raw))
		return VK_ABSENT;
	fs->info.zero_metadata |= vk_all_zero(raw, sizeof(raw));
	return vk_resource_file_usable(ret_file, vk_resource_file_decode(raw, got, ret_file), fs->info.md_alignment)
		       ? VK_OK
		       : VK_DAMAGED;
}

/* at: where it lies; 0: what leads there is lost. */
static enum vk_status say_resource(struct opening *o, enum vk_status status, struct vk_fs_system *s,
				   const struct vk_fs_file *file, const char *of, uint64_t at)
{
	if (status == VK_ABSENT || status == VK_DAMAGED) {
		s->lack = at != 0 ? vk_fs_lack_at(o->fs, at, status)
			  : status == VK_DAMAGED ? VK_LACK_DAMAGED : VK_LACK_ABSENT;
		vk_fs_say(o->fs, o->sink, file->address, lack_code(s->lack, VK_F_FILE_RESOURCE),
			  at != 0 ? at : file->volume_offset,
			  at != 0 ? VK_RESOURCE_FILE_BYTES : 0, NULL, NULL, "the resource metadata of %s is %s", of,
			  vk_fs_lack_said(s->lack));
	}
	return status == VK_IO || status == VK_NOMEM ? status : VK_OK;
}

/* Small blocks: clusters of another size than the descriptor says would put every block elsewhere. */
static enum vk_status read_child(struct opening *o)
{
	struct vk_fs_system *fbb = &o->fs->info.system[VK_SYSTEM_FBB];
	uint64_t at = 0;
	enum vk_status status;

	if (!fbb->has_resource || !o->fs->info.vmfs6)
		return VK_OK;
	status = fbb->resource.childMetaOffset == 0
			 ? VK_DAMAGED
			 : read_resource(o, fbb->file, fbb->resource.childMetaOffset, &fbb->child, &at);
	if (status == VK_OK && ((fbb->child.flags & VK_RESOURCE_HAS_PARENT) == 0 ||
				fbb->child.resourcesPerCluster != o->fs->info.small_per_cluster))
		status = VK_DAMAGED;
	fbb->has_child = status == VK_OK;
	return say_resource(o, status, fbb, fbb->file, ".fbb.sf (small blocks)", at);
}

static enum vk_status read_system_resource(struct opening *o, enum vk_system_file file)
{
	struct vk_fs_info *info = &o->fs->info;
	struct vk_fs_system *s = &info->system[file];
	uint64_t at = 0;
	enum vk_status status;

	if (s->file == NULL)
		return VK_OK;
	status = read_resource(o, s->file, 0, &s->resource, &at);
	if (status == VK_OK && file == VK_SYSTEM_FDC && s->resource.resourceSize != info->fd.fd_bytes)
		status = VK_DAMAGED;
	s->has_resource = status == VK_OK;
	return say_resource(o, status, s, s->file, vk_system_file_name(file), at);
}

/* What .fdc.sf of every volume seen says, for one whose metadata is damaged. */
static void usual_fdc(struct vk_fs *fs)
{
	struct vk_fs_info *info = &fs->info;
	struct vk_resource_file *r = &info->system[VK_SYSTEM_FDC].resource;
	const struct vk_fs_descriptor *d = &info->descriptor;
	uint32_t fds = info->vmfs6 ? FDS6 : FDS;
	uint64_t count = vk_min_u64(fs->fdc->meta.fileLength / info->fd.fd_bytes, FDS_MAX);

	*r = (struct vk_resource_file){
		.resourcesPerCluster = fds, .clustersPerGroup = d->fdcClustersPerGroup,
		.clusterGroupOffset = d->fdcClusterGroupOffset, .resourceSize = info->fd.fd_bytes,
		.numResourcesLo = (uint32_t)count, .numClusterGroups = FDS_MAX,
		.clusterGroupSize = d->fdcClustersPerGroup *
				    (vk_cluster_header_bytes(info->md_alignment) + fds * info->fd.fd_bytes),
		.signature = info->vmfs6 ? VK_RESOURCE_SIGNATURE : 0,
	};
	fs->fdc_guessed = true;
	info->system[VK_SYSTEM_FDC].has_resource =
		vk_resource_file_usable(r, VK_RESOURCE_FILE_BYTES, info->md_alignment);
}

static enum vk_status open_fdc(struct opening *o)
{
	struct vk_fs *fs = o->fs;
	struct vk_fs_system *fdc = &fs->info.system[VK_SYSTEM_FDC];
	enum vk_status status = open_system(o, VK_SYSTEM_FDC);
	uint64_t at;

	if (status != VK_OK)
		return status;
	fs->fdc = fdc->file;
	if (fs->fdc == NULL) {
		if (vk_io_held(fs->volume, o->fdc_start, fs->info.fd.fd_bytes) < fs->info.fd.fd_bytes)
			return vk_error_set(o->err, VK_ABSENT, vk_io_name(fs->volume),
					    "the file descriptors (from volume offset 0x%" PRIx64
					    " on) are not in the source", o->fdc_start);
		status = stand_in(o);
		if (status == VK_OK)
			status = read_resource(o, fs->fdc, 0, &fdc->resource, &at);
		fdc->has_resource = status == VK_OK && fdc->resource.resourceSize == fs->info.fd.fd_bytes;
		status = say_resource(o, status, fdc, fs->fdc, ".fdc.sf", o->fdc_start);
	} else {
		status = read_system_resource(o, VK_SYSTEM_FDC);
	}
	if (status == VK_OK && !fdc->has_resource)
		usual_fdc(fs);
	return status;
}

static enum vk_status open_files(struct opening *o)
{
	/* pointer blocks first: a large .sbc.sf is mapped by them */
	static const enum vk_system_file order[] = {VK_SYSTEM_PB2, VK_SYSTEM_PBC, VK_SYSTEM_FBB, VK_SYSTEM_SBC,
						    VK_SYSTEM_JBC};
	struct vk_fs_info *info = &o->fs->info;
	struct vk_fs_system *sbc = &info->system[VK_SYSTEM_SBC], *fbb = &info->system[VK_SYSTEM_FBB];
	enum vk_status status = open_fdc(o);

	for (unsigned i = 0; i < VK_SYSTEM_COUNT && status == VK_OK; i++)
		if (i != VK_SYSTEM_FDC)
			status = open_system(o, (enum vk_system_file)i);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && status == VK_OK; i++)
		status = read_system_resource(o, order[i]);
	if (status == VK_OK)
		status = read_child(o);
	/* sub-blocks are found by it, so that it is right where the descriptor is not */
	if (sbc->has_resource && power_of_two(sbc->resource.resourceSize, 512, info->file_block_bytes))
		info->sub_block_bytes = sbc->resource.resourceSize;
	if (info->volume_bytes == 0 && (info->vmfs6 ? fbb->has_child : fbb->has_resource))
		info->volume_bytes = vk_mul_sat(vk_resource_count(info->vmfs6 ? &fbb->child : &fbb->resource),
						info->file_block_bytes);
	return status;
}

enum vk_status vk_fs_open(const struct vk_fs_extent *extents, size_t count, const struct vk_finding_sink *sink,
			  struct vk_fs **ret_fs, struct vk_error *err)
{
	struct vk_fs *fs;
	struct vk_error unasked = {0};
	struct opening o = {.sink = sink, .err = err != NULL ? err : &unasked};
	enum vk_status status;

	if (count == 0)
		return vk_error_set(err, VK_USAGE, NULL, "no extent of a volume was given");
	fs = calloc(1, sizeof(*fs));
	if (fs == NULL)
		return vk_no_memory(err, NULL);
	o.fs = fs;
	fs->extents = calloc(count, sizeof(*fs->extents));
	if (fs->extents == NULL) {
		free(fs);
		return vk_no_memory(err, NULL);
	}
	memcpy(fs->extents, extents, count * sizeof(*fs->extents));
	fs->extent_count = count;
	status = vk_fs_volume_open(fs, o.err);
	if (status == VK_OK)
		status = read_descriptor(&o);
	if (status == VK_OK) {
		settle_geometry(&o);
		status = open_files(&o);
	}
	if (status == VK_OK)
		*ret_fs = fs;
	else
		vk_fs_close(fs);
	return status;
}

void vk_fs_close(struct vk_fs *fs)
{
	if (fs == NULL)
		return;
	if (fs->fdc != fs->info.system[VK_SYSTEM_FDC].file)
		vk_fs_file_close(fs->fdc);
	for (unsigned i = 0; i < VK_SYSTEM_COUNT; i++)
		vk_fs_file_close(fs->info.system[i].file);
	vk_fs_volume_close(fs);
	free(fs);
}

const struct vk_fs_info *vk_fs_info(const struct vk_fs *fs)
{
	return &fs->info;
}
