/* SPDX-License-Identifier: Apache-2.0 */
/* Version, sizes and sums of a volume, from its system files and heartbeats. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "evidence/self/parts.h"

enum { VMFS3 = 4, VMFS5 = 14, VMFS6 = 24, SUB_BLOCK5 = 8192, SPARSE_PER_CLUSTER = 16 };

/* The driver's major number is that of the file system, except that ESX 4.1 wrote 8 on VMFS3. */
static unsigned family_of_driver(uint32_t driver_major)
{
	if (driver_major >= VMFS6)
		return VMFS6;
	return driver_major >= VMFS5 ? VMFS5 : VMFS3;
}

static void tell_driver(const struct vk_self_report *r, struct vk_tally *major)
{
	const struct vk_self_heartbeats *h = &r->heartbeats;

	if (h->has_driver)
		vk_tally_tell(major, family_of_driver(h->driver_major), 1,
			     "driver %u.%u in the heartbeat slot at volume offset 0x%llx", h->driver_major,
			     h->driver_minor, (unsigned long long)h->driver_offset);
}

/* What tells VMFS5 from VMFS3: both have the same layout, but not the same sub-blocks and system files. */
static void tell_family(const struct vk_self_report *r, struct vk_tally *major)
{
	const struct vk_self_fact *alignment = &r->facts[VK_SELF_MD_ALIGNMENT];
	const struct vk_self_fact *sub = &r->facts[VK_SELF_SUB_BLOCK_SIZE];

	if (alignment->sure != VK_SELF_UNKNOWN && alignment->value != 0) {
		vk_tally_tell(major, VMFS6, 2, "%s", alignment->from);
		return;
	}
	if (r->heartbeats.slot_bytes == 4096 && r->heartbeats.placed > 1)
		vk_tally_tell(major, VMFS6, 2, "%u heartbeat slots of 4096 bytes", r->heartbeats.placed);
	if (r->files[VK_SYSTEM_PB2].has_fd)
		vk_tally_tell(major, VMFS5, 2, "file descriptor of .pb2.sf at volume offset 0x%llx",
			     (unsigned long long)r->files[VK_SYSTEM_PB2].fd_offset);
	if (sub->sure != VK_SELF_UNKNOWN && sub->value == SUB_BLOCK5)
		vk_tally_tell(major, VMFS5, 2, "%s: sub-blocks of 8192 bytes", sub->from);
}

static void settle_version(struct vk_self_report *r)
{
	const struct vk_self_heartbeats *h = &r->heartbeats;
	const struct vk_self_fact *sub = &r->facts[VK_SELF_SUB_BLOCK_SIZE];
	struct vk_tally major = {0};

	tell_family(r, &major);
	tell_driver(r, &major);
	vk_self_settle(r, VK_SELF_FS_MAJOR, &major);
	/* sub-blocks of 64 KiB are those of VMFS3; an upgraded VMFS5 keeps them, so the driver's word goes first */
	if (r->facts[VK_SELF_FS_MAJOR].sure == VK_SELF_UNKNOWN && sub->sure != VK_SELF_UNKNOWN &&
	    major.count == 0)
		vk_self_set(r, VK_SELF_FS_MAJOR, VMFS3, VK_SELF_GUESS, "%s: sub-blocks of %llu bytes",
			    sub->from, (unsigned long long)sub->value);
	else if (r->facts[VK_SELF_FS_MAJOR].sure == VK_SELF_LIKELY && r->facts[VK_SELF_FS_MAJOR].value == VMFS3 &&
		 sub->sure != VK_SELF_UNKNOWN && sub->value != SUB_BLOCK5)
		r->facts[VK_SELF_FS_MAJOR].sure = VK_SELF_CERTAIN;
	if (h->has_driver && h->driver_minor <= 255 &&
	    r->facts[VK_SELF_FS_MAJOR].value == family_of_driver(h->driver_major))
		vk_self_set(r, VK_SELF_FS_MINOR, h->driver_minor, VK_SELF_LIKELY,
			    "driver %u.%u in the heartbeat slot at volume offset 0x%llx", h->driver_major,
			    h->driver_minor, (unsigned long long)h->driver_offset);
}

/* Size of the resources of a file: certain when the length of the file, which its descriptor holds, fits it. */
static void settle_resource_size(struct vk_self_report *r, enum vk_self_fact_id id, enum vk_system_file file,
				 uint32_t most)
{
	const struct vk_self_file *f = &r->files[file];
	uint32_t size = f->resource.resourceSize;

	if (!f->has_resource || size < 512 || size > most || (size & (size - 1)) != 0)
		return;
	vk_self_set(r, id, size, f->length_confirmed ? VK_SELF_CERTAIN : VK_SELF_LIKELY,
		    "resource metadata of %s at volume offset 0x%llx", vk_system_file_name(file),
		    (unsigned long long)f->resource_offset);
}

/* On VMFS5 alone sub-blocks come in two kinds of addresses. */
static void settle_dense(struct vk_self_report *r)
{
	const struct vk_self_file *f = &r->files[VK_SYSTEM_SBC];
	bool fixed = r->files[VK_SYSTEM_PB2].has_fd && !r->files[VK_SYSTEM_PB2].elsewhere;
	bool dense = f->resource.resourcesPerCluster > SPARSE_PER_CLUSTER;

	if (r->facts[VK_SELF_FS_MAJOR].value != VMFS5)
		return;
	if (f->has_resource)
		vk_self_set(r, VK_SELF_DENSE, dense, fixed && dense && f->length_confirmed ? VK_SELF_CERTAIN :
			    VK_SELF_LIKELY,
			    "%u sub-blocks in a cluster, by the metadata at volume offset 0x%llx",
			    f->resource.resourcesPerCluster, (unsigned long long)f->resource_offset);
	else if (fixed)
		vk_self_set(r, VK_SELF_DENSE, 1, VK_SELF_LIKELY, ".pb2.sf has its fixed place at volume offset 0x%llx",
			    (unsigned long long)r->files[VK_SYSTEM_PB2].fd_offset);
}

static void settle_size(struct vk_self_report *r)
{
	const struct vk_self_file *f = &r->files[VK_SYSTEM_FBB];
	const struct vk_self_fact *b = &r->facts[VK_SELF_FILE_BLOCK_SIZE];
	bool six = r->facts[VK_SELF_MD_ALIGNMENT].value != 0;
	const struct vk_resource_file *m = six ? &f->child : &f->resource;
	uint64_t at = six ? f->child_offset : f->resource_offset;
	uint64_t blocks = vk_resource_count(m);
	enum vk_self_sure sure = f->count_confirmed ? b->sure : VK_SELF_LIKELY;
	uint64_t bytes;

	if (!(six ? f->has_child : f->has_resource) || blocks == 0 || b->sure == VK_SELF_UNKNOWN ||
	    !vk_mul_u64(blocks, b->value, &bytes))
		return;
	vk_self_set(r, VK_SELF_FILE_BLOCKS, blocks, sure,
		    "resource metadata of .fbb.sf at volume offset 0x%llx", (unsigned long long)at);
	vk_self_set(r, VK_SELF_LOGICAL_SIZE, bytes, sure,
		    "%llu blocks of %llu MiB, by the metadata at volume offset 0x%llx",
		    (unsigned long long)blocks, (unsigned long long)b->value >> 20, (unsigned long long)at);
	if (!six || (m->resourcesPerCluster & (m->resourcesPerCluster - 1)) != 0)
		return;
	vk_self_set(r, VK_SELF_LFB_SHIFT, (uint64_t)__builtin_ctz(m->resourcesPerCluster),
		    f->cluster_confirmed ? VK_SELF_CERTAIN : VK_SELF_LIKELY,
		    "%u small blocks in a cluster, by the metadata at volume offset 0x%llx",
		    m->resourcesPerCluster, (unsigned long long)at);
}

static void settle_time(struct vk_self_report *r)
{
	struct vk_self_fact *t = &r->facts[VK_SELF_FIRST_TIME];

	for (unsigned i = VK_SYSTEM_FBB; i < VK_SYSTEM_COUNT; i++) {
		const struct vk_self_file *f = &r->files[i];
		uint32_t first = f->fd.ctime != 0 && f->fd.ctime < f->fd.mtime ? f->fd.ctime : f->fd.mtime;

		if (f->has_fd && first != 0 && (t->sure == VK_SELF_UNKNOWN || first < t->value))
			vk_self_set(r, VK_SELF_FIRST_TIME, first, VK_SELF_LIKELY,
				    "file descriptor of %s at volume offset 0x%llx",
				    vk_system_file_name((enum vk_system_file)i),
				    (unsigned long long)f->fd_offset);
	}
}

/* The members that the LVM region is rebuilt from. */
static void sum_up(struct vk_self_report *r)
{
	const struct vk_self_fact *f = r->facts;
	unsigned locks = (unsigned)r->self_located;

	r->self_located += r->heartbeats.placed;
	r->votes = r->self_located;
	r->votes_against = r->misplaced;
	if (r->heartbeats.placed > 0)
		r->highest_volume_offset = vk_max_u64(r->highest_volume_offset, VK_HEARTBEATS_OFFSET);
	snprintf(r->votes_from, sizeof(r->votes_from), "%u locks and %u heartbeats", locks,
		 r->heartbeats.placed);
	r->fs_major = (unsigned)f[VK_SELF_FS_MAJOR].value;
	r->found = f[VK_SELF_FS_MAJOR].sure != VK_SELF_UNKNOWN &&
		   f[VK_SELF_FILE_BLOCK_SIZE].sure != VK_SELF_UNKNOWN;
	if (r->fs_major != 0)
		r->metadata_block_bytes = r->fs_major >= VMFS6 ? 4096 : 512;
	r->file_block_bytes = f[VK_SELF_FILE_BLOCK_SIZE].value;
	r->file_blocks = f[VK_SELF_FILE_BLOCKS].value;
	r->creation_time = (uint32_t)f[VK_SELF_FIRST_TIME].value;
	r->logical_bytes = f[VK_SELF_LOGICAL_SIZE].value;
	if (r->logical_bytes != 0)
		snprintf(r->size_from, sizeof(r->size_from), ".fbb.sf: %s", f[VK_SELF_LOGICAL_SIZE].from);
}

void vk_self_facts(struct vk_self_look *look)
{
	struct vk_self_report *r = look->report;

	settle_resource_size(r, VK_SELF_SUB_BLOCK_SIZE, VK_SYSTEM_SBC, 1 << 20);
	settle_version(r);
	settle_dense(r);
	if (r->facts[VK_SELF_MD_ALIGNMENT].value != 0) {
		settle_resource_size(r, VK_SELF_POINTER_BLOCK_SIZE, VK_SYSTEM_PB2, 1 << 20);
		settle_resource_size(r, VK_SELF_JOURNAL_BLOCK_SIZE, VK_SYSTEM_JBC, 64 << 20);
	}
	settle_size(r);
	settle_time(r);
	sum_up(r);
}
