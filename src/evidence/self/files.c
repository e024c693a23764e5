/* SPDX-License-Identifier: Apache-2.0 */
/* The system files of a volume, found by their file descriptors' own places, and what their metadata says. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "evidence/self/parts.h"
#include "vmfskit/directory.h"
#include "vmfskit/lock.h"

enum {
	MIB = 1 << 20,
	AREA_BYTES = 1 << 20, /* the system files' descriptors lie in so much of .fdc.sf */
	FDC_LOCK_TYPE = 0x10C00005,
	SMALL_CLUSTERS_READ = 8,
	SMALL_PER_CLUSTER = 512, /* small blocks of a VMFS6 cluster while .fbb.sf is not open */
	POINTER_BLOCK = 4096, POINTER_BLOCK6 = 65536,
	ENTRIES_MAX = 256 /* of the root directory */
};

/* The start of .fdc.sf as one geometry would have it. */
struct area {
	uint8_t *bytes;
	uint64_t volume_offset;
	uint32_t md_alignment;
	struct vk_fd_geometry fd;
	uint64_t base;         /* offset in bytes of file descriptor 0 */
	unsigned fds;          /* system files that agree on base */
	uint64_t cluster0;     /* offset in bytes of the lock of cluster 0; UINT64_MAX: none */
};

/* Address number index in the file descriptor of a system file. */
static uint64_t fd_pointer(const struct area *a, unsigned file, uint64_t index)
{
	return vk_fd_pointer(&a->fd, a->bytes + a->base + (uint64_t)file * a->fd.fd_bytes, (uint32_t)index);
}

/*
 * Volume offset of a byte of a system file that is mapped by file blocks, directly or through one pointer block; false
 * otherwise, and while the file of the pointer blocks has not been read.
 */
static bool file_byte(struct vk_self_look *look, const struct area *a, unsigned file, uint64_t offset,
		      uint64_t *ret_volume_offset)
{
	const struct vk_self_file *f = &look->report->files[file], *blocks;
	bool six = a->md_alignment != 0;
	uint32_t bytes = a->fd.pointer_bytes, kind = f->fd.zeroLevelAddrType;
	uint64_t per_block = (six ? POINTER_BLOCK6 : POINTER_BLOCK) / bytes, block, address, index, at;
	struct vk_address pointer;
	uint8_t raw[8] = {0};

	if (!f->has_fd || look->file_block_bytes == 0)
		return false;
	index = offset / look->file_block_bytes;
	if (kind == VK_ZLA_FILE_BLOCK) {
		address = index < a->fd.pointers ? fd_pointer(a, file, index) : 0;
	} else if ((kind == VK_ZLA_POINTER_BLOCK || kind == VK_ZLA_POINTER_BLOCK2) &&
		   index / per_block < a->fd.pointers) {
		/* in the file of the pointer blocks, which is mapped by file blocks itself */
		vk_address_decode(fd_pointer(a, file, index / per_block), &(struct vk_address_form){.vmfs6 = six},
				  &pointer);
		file = pointer.kind == VK_ADDRESS_POINTER_BLOCK ? VK_SYSTEM_PBC : VK_SYSTEM_PB2;
		blocks = &look->report->files[file];
		if ((file == VK_SYSTEM_PB2 && pointer.kind != VK_ADDRESS_POINTER_BLOCK2) ||
		    !blocks->has_resource || blocks->fd.zeroLevelAddrType != VK_ZLA_FILE_BLOCK ||
		    pointer.resource >= blocks->resource.resourcesPerCluster ||
		    !file_byte(look, a, file, vk_resource_offset(&blocks->resource, a->md_alignment, pointer.cluster,
								 pointer.resource), &at) ||
		    !vk_self_get(look, at + index % per_block * bytes, raw, bytes))
			return false;
		address = vk_get_le64(raw);
	} else {
		return false;
	}
	if (!vk_file_block_number(six, address, SMALL_PER_CLUSTER, &block))
		return false;
	*ret_volume_offset = block * look->file_block_bytes + offset % look->file_block_bytes;
	return true;
}

static bool locked_here(const struct area *a, uint64_t at, uint32_t type)
{
	struct vk_lock lock;

	vk_lock_decode(a->bytes + at, AREA_BYTES - at, &lock);
	return lock.type == type && lock.addr == a->volume_offset + at;
}

/* The system file whose descriptor lies there by its own words; VK_SYSTEM_COUNT when none does. */
static enum vk_system_file system_file_at(const struct area *a, uint64_t at, struct vk_file_metadata *ret_file)
{
	uint32_t resource;

	if (at > AREA_BYTES - a->fd.fd_bytes || !locked_here(a, at, VK_FD_LOCK_TYPE))
		return VK_SYSTEM_COUNT;
	vk_file_metadata_decode(a->bytes + at + a->fd.metadata_offset, VK_FILE_METADATA_BYTES, ret_file);
	resource = ret_file->descAddr >> 22;
	if (resource >= VK_SYSTEM_COUNT || ret_file->descAddr != vk_fd_address(0, resource) ||
	    ret_file->type != (resource == VK_SYSTEM_ROOT ? VK_FILE_FOLDER : VK_FILE_SYSTEM))
		return VK_SYSTEM_COUNT;
	return (enum vk_system_file)resource;
}

static uint64_t cluster_number(const struct area *a, uint64_t at)
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
static void find_base(struct area *a)
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

/* The start of .fdc.sf by the geometry that most system files confirm. a->bytes is set and the caller's. */
static bool find_area(struct vk_self_look *look, struct area *a)
{
	static const struct {
		uint64_t fdc_start;
		uint32_t md_alignment;
	} geometries[] = {{4 * MIB, 0}, {8 * MIB, 0}, {7 * MIB, 4096}};
	struct area best = {0};

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

/* The descriptors of system files, and every block of the area that names the place where it was found. */
static void take_fds(struct vk_self_look *look, const struct area *a)
{
	struct vk_self_report *r = look->report;

	for (unsigned i = 0; i < VK_SYSTEM_COUNT; i++) {
		uint64_t at = a->base + (uint64_t)i * a->fd.fd_bytes;
		struct vk_self_file *f = &r->files[i];

		f->has_fd = system_file_at(a, at, &f->fd) == (enum vk_system_file)i;
		f->fd_address = vk_fd_address(0, i);
		f->fd_offset = a->volume_offset + at;
	}
	for (uint64_t at = 0; at < AREA_BYTES; at += 512) {
		struct vk_lock lock;

		vk_lock_decode(a->bytes + at, AREA_BYTES - at, &lock);
		if (lock.type < VK_FD_LOCK_TYPE || lock.type > VK_FD_LOCK_TYPE + 7 ||
		    lock.addr != a->volume_offset + at)
			continue;
		r->self_located++;
		r->highest_volume_offset = vk_max_u64(r->highest_volume_offset, lock.addr);
	}
}

static bool block_size_sound(uint64_t size, uint32_t md_alignment)
{
	return size == MIB || (md_alignment == 0 && (size == 2 * MIB || size == 4 * MIB || size == 8 * MIB));
}

static void tell_block_size(struct vk_self_look *look, const struct area *a)
{
	struct vk_self_report *r = look->report;
	struct vk_tally t = {0};
	uint64_t block;

	for (unsigned i = VK_SYSTEM_FBB; i <= VK_SYSTEM_VH; i++)
		if (r->files[i].has_fd && block_size_sound(r->files[i].fd.blockSize, a->md_alignment))
			vk_tally_tell(&t, r->files[i].fd.blockSize, 1,
				      "file descriptor of %s at volume offset 0x%" PRIx64,
				      vk_system_file_name((enum vk_system_file)i), r->files[i].fd_offset);
	if (r->files[VK_SYSTEM_FDC].has_fd &&
	    vk_file_block_number(a->md_alignment != 0, fd_pointer(a, VK_SYSTEM_FDC, 0), SMALL_PER_CLUSTER, &block) &&
	    block != 0 && a->volume_offset % block == 0 &&
	    block_size_sound(a->volume_offset / block, a->md_alignment))
		vk_tally_tell(&t, a->volume_offset / block, 1,
			      ".fdc.sf begins in block %" PRIu64 " at volume offset 0x%" PRIx64, block,
			      a->volume_offset);
	/* only blocks of 8 MiB push .fdc.sf that far */
	if (a->md_alignment == 0 && a->volume_offset == 8 * MIB)
		vk_tally_tell(&t, 8 * MIB, 1, ".fdc.sf begins at volume offset 0x800000");
	vk_self_settle(r, VK_SELF_FILE_BLOCK_SIZE, &t);
	look->file_block_bytes = r->facts[VK_SELF_FILE_BLOCK_SIZE].value;
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
static bool last_cluster_agrees(struct vk_self_look *look, const struct area *a)
{
	const struct vk_resource_file *m = &look->report->files[VK_SYSTEM_FBB].resource;
	uint64_t count = vk_resource_count(m);
	uint64_t last = count == 0 ? 0 : (count - 1) / m->resourcesPerCluster;
	uint8_t header[1024];
	struct vk_cluster c;
	struct vk_lock lock;
	uint64_t at;

	if (a->md_alignment != 0 || count == 0 ||
	    !file_byte(look, a, VK_SYSTEM_FBB, vk_cluster_header_offset(m, 0, last), &at) ||
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
	const struct vk_resource_file *m = &f->resource;
	uint64_t last = vk_resource_count(m) - 1;

	return f->has_fd && last != UINT64_MAX && m->resourceSize != 0 &&
	       f->fd.fileLength == vk_add_sat(m->resourceSize,
					      vk_resource_offset(m, md_alignment, last / m->resourcesPerCluster,
								 (uint32_t)(last % m->resourcesPerCluster)));
}

/* Headers of the first clusters of small blocks: their number of blocks, and hosts that held them. */
static void read_small_clusters(struct vk_self_look *look, const struct area *a)
{
	struct vk_self_file *f = &look->report->files[VK_SYSTEM_FBB];
	uint32_t step = vk_cluster_header_bytes(a->md_alignment);

	for (uint64_t i = 0; i < SMALL_CLUSTERS_READ && f->has_child; i++) {
		struct vk_cluster6 c;
		struct vk_lock lock;
		uint8_t sector[512];
		uint64_t at;

		if (!file_byte(look, a, VK_SYSTEM_FBB, vk_add_sat(f->resource.clusterGroupOffset,
			       (f->child.parentClustersPerGroup + i) * step), &at) ||
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

static void read_files(struct vk_self_look *look, const struct area *a)
{
	/* pointer blocks first: a large .sbc.sf is mapped by them */
	static const enum vk_system_file order[] = {VK_SYSTEM_FBB, VK_SYSTEM_FDC, VK_SYSTEM_PBC, VK_SYSTEM_PB2,
						    VK_SYSTEM_SBC, VK_SYSTEM_JBC};
	struct vk_self_file *fdc = &look->report->files[VK_SYSTEM_FDC];

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct vk_self_file *f = &look->report->files[order[i]];

		if (!file_byte(look, a, order[i], 0, &f->first_block))
			continue;
		f->resource_offset = f->first_block;
		f->has_resource = read_resource(look, f->resource_offset, &f->resource);
		f->length_confirmed = f->has_resource && length_agrees(f, a->md_alignment);
		f->count_confirmed = order[i] == VK_SYSTEM_FBB && f->has_resource && last_cluster_agrees(look, a);
		f->has_child = f->has_resource && f->resource.childMetaOffset != 0 &&
			       file_byte(look, a, order[i], f->resource.childMetaOffset, &f->child_offset) &&
			       read_resource(look, f->child_offset, &f->child) &&
			       (f->child.flags & VK_RESOURCE_HAS_PARENT) != 0;
	}
	read_small_clusters(look, a);
	/* .fdc.sf begins where the area does, whoever's descriptor is gone */
	if (fdc->has_resource)
		return;
	fdc->resource_offset = a->volume_offset;
	fdc->has_resource = read_resource(look, a->volume_offset, &fdc->resource) &&
			    fdc->resource.resourceSize == a->fd.fd_bytes;
}

/* The file descriptor of that address, where .fdc.sf holds it: it must name its place and its address. */
static void read_fd(struct vk_self_look *look, const struct area *a, uint32_t address, struct vk_self_file *file)
{
	const struct vk_resource_file *fdc = &look->report->files[VK_SYSTEM_FDC].resource;
	uint8_t raw[1024];
	struct vk_file_metadata m;
	struct vk_address fd;
	struct vk_lock lock;
	uint64_t at;

	vk_address_decode(address, &(struct vk_address_form){0}, &fd);
	if (fd.kind != VK_ADDRESS_FD || fd.resource >= fdc->resourcesPerCluster ||
	    !file_byte(look, a, VK_SYSTEM_FDC, vk_resource_offset(fdc, 0, fd.cluster, fd.resource), &at) ||
	    !vk_self_get(look, at, raw, sizeof(raw)))
		return;
	vk_lock_decode(raw, a->fd.metadata_offset, &lock);
	vk_file_metadata_decode(raw + a->fd.metadata_offset, VK_FILE_METADATA_BYTES, &m);
	if (lock.type == VK_FD_LOCK_TYPE && lock.addr == at && m.descAddr == address && m.type == VK_FILE_SYSTEM)
		*file = (struct vk_self_file){.has_fd = true, .elsewhere = true, .fd_address = address,
					      .fd_offset = at, .fd = m, .first_block = UINT64_MAX};
}

/* System files that have no fixed place: found by their names in the root directory of VMFS 3 and 5. */
static void read_root(struct vk_self_look *look, const struct area *a)
{
	struct vk_self_report *r = look->report;
	uint64_t length = r->files[VK_SYSTEM_ROOT].fd.fileLength, at;
	uint8_t entry[VK_DIR_ENTRY_BYTES];

	if (a->md_alignment != 0 || look->file_block_bytes == 0 || !r->files[VK_SYSTEM_FDC].has_resource)
		return;
	for (uint64_t i = 0; i < ENTRIES_MAX && (i + 1) * VK_DIR_ENTRY_BYTES <= length; i++) {
		/* no entry lies across two blocks that are not neighbours: the root of the first files is in one */
		if (!file_byte(look, a, VK_SYSTEM_ROOT, i * VK_DIR_ENTRY_BYTES, &at) ||
		    !vk_self_get(look, at, entry, sizeof(entry)))
			return;
		r->root_readable |= memcmp(entry + VK_DIR_ENTRY_NAME, ".fdc.sf", sizeof(".fdc.sf")) == 0;
		for (unsigned k = VK_SYSTEM_PB2; k < VK_SYSTEM_COUNT; k++) {
			const char *name = vk_system_file_name((enum vk_system_file)k);

			if (!r->files[k].has_fd && memcmp(entry + VK_DIR_ENTRY_NAME, name, strlen(name) + 1) == 0)
				read_fd(look, a, vk_get_le32(entry + 4), &r->files[k]);
		}
	}
}

static void tell_fdc_geometry(struct vk_self_look *look, const struct area *a)
{
	static const char by_metadata[] = "resource metadata of .fdc.sf at volume offset 0x%" PRIx64;
	const struct vk_self_file *fdc = &look->report->files[VK_SYSTEM_FDC];
	uint32_t header = vk_cluster_header_bytes(a->md_alignment);
	struct vk_tally offset = {0}, per_group = {0};

	if (fdc->has_resource) {
		vk_tally_tell(&offset, fdc->resource.clusterGroupOffset, 1, by_metadata, fdc->resource_offset);
		vk_tally_tell(&per_group, fdc->resource.clustersPerGroup, 1, by_metadata, fdc->resource_offset);
	}
	if (a->cluster0 != UINT64_MAX)
		vk_tally_tell(&offset, a->cluster0, 1, "cluster 0 of .fdc.sf at volume offset 0x%" PRIx64,
			      a->volume_offset + a->cluster0);
	if (a->base > a->cluster0 && (a->base - a->cluster0) % header == 0)
		vk_tally_tell(&per_group, (a->base - a->cluster0) / header, 1,
			      "distance of cluster 0 of .fdc.sf from the first file descriptor");
	vk_self_settle(look->report, VK_SELF_FDC_GROUP_OFFSET, &offset);
	vk_self_settle(look->report, VK_SELF_FDC_PER_GROUP, &per_group);
}

void vk_self_files_read(struct vk_self_look *look)
{
	struct area a = {.bytes = malloc(AREA_BYTES)};

	if (a.bytes == NULL)
		look->status = vk_no_memory(look->err, NULL);
	else if (find_area(look, &a)) {
		look->md_alignment = a.md_alignment;
		vk_self_set(look->report, VK_SELF_MD_ALIGNMENT, a.md_alignment,
			    a.fds > 1 ? VK_SELF_CERTAIN : VK_SELF_LIKELY,
			    "%u file descriptors of system files from volume offset 0x%" PRIx64 " on", a.fds,
			    a.volume_offset + a.base);
		take_fds(look, &a);
		tell_block_size(look, &a);
		read_files(look, &a);
		read_root(look, &a);
		tell_fdc_geometry(look, &a);
	}
	free(a.bytes);
}
