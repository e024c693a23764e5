/* SPDX-License-Identifier: Apache-2.0 */
/* The system files of a volume, found by their file descriptors' own places, and what their metadata says. */
#include <stdlib.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "evidence/self/parts.h"
#include "vmfskit/lock.h"

enum {
	MIB = 1 << 20,
	AREA_BYTES = VK_SELF_AREA_BYTES,
	FDC_LOCK_TYPE = 0x10C00005,
	SMALL_CLUSTERS_READ = 8
};

static bool locked_here(const struct vk_self_area *a, uint64_t at, uint32_t type)
{
	struct vk_lock lock;

	vk_lock_decode(a->bytes + at, AREA_BYTES - at, &lock);
	return lock.type == type && lock.addr == a->volume_offset + at;
}

/* The system file whose descriptor lies there by its own words; VK_SYSTEM_COUNT when none does. */
static enum vk_system_file system_file_at(const struct vk_self_area *a, uint64_t at,
					  struct vk_file_metadata *ret_file)
{
	uint32_t resource;

	if (at > AREA_BYTES - a->fd.fd_bytes || !locked_here(a, at, VK_FD_LOCK_TYPE))
		return VK_SYSTEM_COUNT;
	vk_file_metadata_decode(a->bytes + at + a->fd.metadata_offset, VK_FILE_METADATA_BYTES, ret_file);
	resource = ret_file->descAddr >> 22;
	if (resource >= VK_SYSTEM_COUNT || ret_file->descAddr != vk_fd_address(0, resource))
		return VK_SYSTEM_COUNT;
	if (ret_file->type != (resource == VK_SYSTEM_ROOT ? VK_FILE_FOLDER : VK_FILE_SYSTEM))
		return VK_SYSTEM_COUNT;
	return (enum vk_system_file)resource;
}

static uint64_t cluster_number(const struct vk_self_area *a, uint64_t at)
{
	struct vk_cluster6 six;
	struct vk_cluster c;

	at += a->md_alignment != 0 ? a->md_alignment : 512;
	if (at > AREA_BYTES - 512)
		return UINT64_MAX;
	if (a->md_alignment != 0) {
		vk_cluster6_decode(a->bytes + at, 512, &six);
		return six.signature == VK_CLUSTER6_SIGNATURE ? six.clusterNum : UINT64_MAX;
	}
	vk_cluster_decode(a->bytes + at, 512, &c);
	return c.totalResources != 0 ? c.clusterNum : UINT64_MAX;
}

/* Where the system files' descriptors agree that number 0 lies. */
static void find_base(struct vk_self_area *a)
{
	struct vk_file_metadata file;
	struct vk_tally base = {0};
	struct vk_ballot best;

	a->cluster0 = UINT64_MAX;
	for (uint64_t at = 0; at < AREA_BYTES; at += 512) {
		enum vk_system_file which = system_file_at(a, at, &file);

		if (which != VK_SYSTEM_COUNT && at >= (uint64_t)which * a->fd.fd_bytes)
			vk_tally_tell(&base, at - (uint64_t)which * a->fd.fd_bytes, 1, "-");
		else if (a->cluster0 == UINT64_MAX && locked_here(a, at, FDC_LOCK_TYPE) &&
			 cluster_number(a, at) == 0)
			a->cluster0 = at;
	}
	best = vk_tally_best(&base, 0, "");
	a->base = best.value;
	a->fds = best.weight;
}

static void take_fds(struct vk_self_look *look, const struct vk_self_area *a)
{
	struct vk_self_report *r = look->report;

	for (unsigned i = 0; i < VK_SYSTEM_COUNT; i++) {
		uint64_t at = a->base + (uint64_t)i * a->fd.fd_bytes;
		struct vk_self_file *f = &r->files[i];

		f->has_fd = system_file_at(a, at, &f->fd) == (enum vk_system_file)i;
		f->fd_address = vk_fd_address(0, i);
		f->fd_offset = a->volume_offset + at;
		f->first_block = UINT64_MAX;
	}
}

/* Everything in the area that names a place: this one, or another. */
static void count_located(struct vk_self_look *look, const struct vk_self_area *a)
{
	for (uint64_t at = 0; at < AREA_BYTES; at += 512) {
		struct vk_lock lock;

		vk_lock_decode(a->bytes + at, AREA_BYTES - at, &lock);
		if (lock.type < VK_FD_LOCK_TYPE || lock.type > VK_FD_LOCK_TYPE + 7)
			continue;
		if (lock.addr == a->volume_offset + at) {
			look->report->self_located++;
			look->report->highest_volume_offset =
				vk_max_u64(look->report->highest_volume_offset, lock.addr);
		} else {
			look->report->misplaced++;
		}
	}
}

static bool block_size_sound(uint64_t size, uint32_t md_alignment)
{
	if (md_alignment != 0)
		return size == MIB;
	return size == MIB || size == 2 * MIB || size == 4 * MIB || size == 8 * MIB;
}

static void tell_block_size(struct vk_self_look *look, const struct vk_self_area *a)
{
	const struct vk_self_file *fdc = &look->report->files[VK_SYSTEM_FDC];
	struct vk_tally t = {0};
	uint64_t block;
	uint64_t first = vk_self_fd_pointer(a, VK_SYSTEM_FDC, 0);

	for (unsigned i = VK_SYSTEM_FBB; i <= VK_SYSTEM_VH; i++) {
		const struct vk_self_file *f = &look->report->files[i];

		if (f->has_fd && block_size_sound(f->fd.blockSize, a->md_alignment))
			vk_tally_tell(&t, f->fd.blockSize, 1, "file descriptor of %s at volume offset 0x%llx",
				     vk_system_file_name((enum vk_system_file)i),
				     (unsigned long long)f->fd_offset);
	}
	if (fdc->has_fd && vk_file_block_number(a->md_alignment != 0, first, VK_SELF_SMALL_PER_CLUSTER, &block) &&
	    block != 0 && a->volume_offset % block == 0 &&
	    block_size_sound(a->volume_offset / block, a->md_alignment))
		vk_tally_tell(&t, a->volume_offset / block, 1, ".fdc.sf begins in block %llu at volume offset 0x%llx",
			     (unsigned long long)block, (unsigned long long)a->volume_offset);
	/* only blocks of 8 MiB push .fdc.sf that far */
	if (a->md_alignment == 0 && a->volume_offset == 8 * MIB)
		vk_tally_tell(&t, 8 * MIB, 1, ".fdc.sf begins at volume offset 0x800000");
	vk_self_settle(look->report, VK_SELF_FILE_BLOCK_SIZE, &t);
	if (look->report->facts[VK_SELF_FILE_BLOCK_SIZE].sure != VK_SELF_UNKNOWN)
		look->file_block_bytes = look->report->facts[VK_SELF_FILE_BLOCK_SIZE].value;
}

static bool read_resource(struct vk_self_look *look, uint64_t volume_offset,
			  struct vk_resource_file *ret_file)
{
	uint8_t sector[512];

	if (!vk_self_get(look, volume_offset, sector, sizeof(sector)))
		return false;
	return vk_resource_file_usable(ret_file, vk_resource_file_decode(sector, sizeof(sector), ret_file),
				       look->md_alignment);
}

/* The last cluster of .fbb.sf holds what is left of the blocks: a second word on their number. */
static bool last_cluster_agrees(struct vk_self_look *look, const struct vk_self_area *a)
{
	const struct vk_resource_file *m = &look->report->files[VK_SYSTEM_FBB].resource;
	uint64_t count = vk_resource_count(m);
	uint64_t last = count == 0 ? 0 : (count - 1) / m->resourcesPerCluster;
	uint8_t header[1024];
	struct vk_cluster c;
	struct vk_lock lock;
	uint64_t at;

	if (a->md_alignment != 0 || count == 0 ||
	    !vk_self_file_byte(look, a, VK_SYSTEM_FBB, vk_cluster_header_offset(m, 0, last), &at) ||
	    !vk_self_get(look, at, header, sizeof(header)))
		return false;
	vk_lock_decode(header, 512, &lock);
	vk_cluster_decode(header + 512, 512, &c);
	return lock.addr == at && c.clusterNum == last &&
	       c.totalResources == count - last * m->resourcesPerCluster;
}

/* The file ends behind its last resource: a second word on the sizes, from its file descriptor. */
static bool length_agrees(const struct vk_self_file *f, uint32_t md_alignment)
{
	uint64_t count = vk_resource_count(&f->resource);
	uint64_t last;

	if (!f->has_fd || count == 0 || f->resource.resourceSize == 0)
		return false;
	last = count - 1;
	return f->fd.fileLength == vk_add_sat(f->resource.resourceSize,
					      vk_resource_offset(&f->resource, md_alignment,
								 last / f->resource.resourcesPerCluster,
								 (uint32_t)(last % f->resource.resourcesPerCluster)));
}

/* Headers of the first clusters of small blocks: their number of blocks, and hosts that held them. */
static void read_small_clusters(struct vk_self_look *look, const struct vk_self_area *a)
{
	struct vk_self_file *f = &look->report->files[VK_SYSTEM_FBB];
	uint64_t first = (uint64_t)f->child.parentClustersPerGroup * vk_cluster_header_bytes(a->md_alignment);

	for (uint64_t i = 0; i < SMALL_CLUSTERS_READ && f->has_child; i++) {
		uint64_t offset = vk_add_sat(f->resource.clusterGroupOffset,
					     first + i * vk_cluster_header_bytes(a->md_alignment));
		struct vk_cluster6 c;
		struct vk_lock lock;
		uint8_t sector[512];
		uint64_t at;

		if (!vk_self_file_byte(look, a, VK_SYSTEM_FBB, offset, &at) ||
		    !vk_self_get(look, at, sector, sizeof(sector)))
			return;
		vk_lock_decode(sector, sizeof(sector), &lock);
		if (lock.addr != at)
			return;
		if (lock.lastMagic == VK_LOCK_LAST_MAGIC)
			vk_self_add_host(look->report, &lock.lastHolder, at);
		if (i != 0 || !vk_self_get(look, at + a->md_alignment, sector, sizeof(sector)))
			continue;
		vk_cluster6_decode(sector, sizeof(sector), &c);
		f->cluster_confirmed = c.signature == VK_CLUSTER6_SIGNATURE && c.clusterNum == 0 &&
				       c.totalResources == vk_min_u64(f->child.resourcesPerCluster,
								      vk_resource_count(&f->child));
	}
}

static void read_file(struct vk_self_look *look, const struct vk_self_area *a, enum vk_system_file which)
{
	struct vk_self_file *f = &look->report->files[which];

	if (!vk_self_file_byte(look, a, which, 0, &f->first_block))
		return;
	f->resource_offset = f->first_block;
	f->has_resource = read_resource(look, f->resource_offset, &f->resource);
	f->length_confirmed = f->has_resource && length_agrees(f, a->md_alignment);
	f->count_confirmed = which == VK_SYSTEM_FBB && f->has_resource && last_cluster_agrees(look, a);
	if (!f->has_resource || f->resource.childMetaOffset == 0 ||
	    !vk_self_file_byte(look, a, which, f->resource.childMetaOffset, &f->child_offset))
		return;
	f->has_child = read_resource(look, f->child_offset, &f->child) &&
		(f->child.flags & VK_RESOURCE_HAS_PARENT) != 0;
}

static void read_files(struct vk_self_look *look, const struct vk_self_area *a)
{
	/* pointer blocks first: a large .sbc.sf is mapped by them */
	static const enum vk_system_file order[] = {VK_SYSTEM_FBB, VK_SYSTEM_FDC, VK_SYSTEM_PBC, VK_SYSTEM_PB2,
						    VK_SYSTEM_SBC, VK_SYSTEM_JBC};
	struct vk_self_report *r = look->report;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		read_file(look, a, order[i]);
	read_small_clusters(look, a);
	/* .fdc.sf begins where the area does, whoever's descriptor is gone */
	if (!r->files[VK_SYSTEM_FDC].has_resource) {
		r->files[VK_SYSTEM_FDC].resource_offset = a->volume_offset;
		r->files[VK_SYSTEM_FDC].has_resource =
			read_resource(look, a->volume_offset, &r->files[VK_SYSTEM_FDC].resource) &&
			r->files[VK_SYSTEM_FDC].resource.resourceSize == a->fd.fd_bytes;
	}
}

static void tell_fdc_geometry(struct vk_self_look *look, const struct vk_self_area *a)
{
	const struct vk_self_file *fdc = &look->report->files[VK_SYSTEM_FDC];
	uint32_t header = vk_cluster_header_bytes(a->md_alignment);
	struct vk_tally offset = {0};
	struct vk_tally per_group = {0};

	if (fdc->has_resource) {
		vk_tally_tell(&offset, fdc->resource.clusterGroupOffset, 1,
			     "resource metadata of .fdc.sf at volume offset 0x%llx",
			     (unsigned long long)fdc->resource_offset);
		vk_tally_tell(&per_group, fdc->resource.clustersPerGroup, 1,
			     "resource metadata of .fdc.sf at volume offset 0x%llx",
			     (unsigned long long)fdc->resource_offset);
	}
	if (a->cluster0 != UINT64_MAX) {
		vk_tally_tell(&offset, a->cluster0, 1, "cluster 0 of .fdc.sf at volume offset 0x%llx",
			     (unsigned long long)a->volume_offset + a->cluster0);
		if (a->base > a->cluster0 && (a->base - a->cluster0) % header == 0)
			vk_tally_tell(&per_group, (a->base - a->cluster0) / header, 1,
				     "distance of cluster 0 of .fdc.sf from the first file descriptor");
	}
	vk_self_settle(look->report, VK_SELF_FDC_GROUP_OFFSET, &offset);
	vk_self_settle(look->report, VK_SELF_FDC_PER_GROUP, &per_group);
}

/* The start of .fdc.sf by the geometry that most system files confirm. a->bytes is set and the caller's. */
static bool find_area(struct vk_self_look *look, struct vk_self_area *a)
{
	static const struct {
		uint64_t fdc_start;
		uint32_t md_alignment;
	} geometries[] = {{4 * MIB, 0}, {8 * MIB, 0}, {7 * MIB, 4096}};
	struct vk_self_area best = {0};

	for (size_t i = 0; i < sizeof(geometries) / sizeof(geometries[0]); i++) {
		a->volume_offset = geometries[i].fdc_start;
		a->md_alignment = geometries[i].md_alignment;
		vk_fd_geometry(a->md_alignment, &a->fd);
		if (!vk_self_get(look, a->volume_offset, a->bytes, AREA_BYTES))
			continue;
		find_base(a);
		if (a->fds > best.fds)
			best = *a;
	}
	if (best.fds == 0)
		return false;
	*a = best;
	return vk_self_get(look, a->volume_offset, a->bytes, AREA_BYTES);
}

void vk_self_files_read(struct vk_self_look *look)
{
	struct vk_self_report *r = look->report;
	struct vk_self_area a = {.bytes = malloc(AREA_BYTES)};

	if (a.bytes == NULL)
		look->status = vk_no_memory(look->err, NULL);
	else if (find_area(look, &a)) {
		look->md_alignment = a.md_alignment;
		r->fdc_start = a.volume_offset;
		vk_self_set(r, VK_SELF_MD_ALIGNMENT, a.md_alignment,
			    a.fds > 1 ? VK_SELF_CERTAIN : VK_SELF_LIKELY,
			    "%u file descriptors of system files from volume offset 0x%llx on", a.fds,
			    (unsigned long long)a.volume_offset + a.base);
		take_fds(look, &a);
		count_located(look, &a);
		tell_block_size(look, &a);
		read_files(look, &a);
		vk_self_root_read(look, &a);
		tell_fdc_geometry(look, &a);
	}
	free(a.bytes);
}
