/* SPDX-License-Identifier: Apache-2.0 */
/* Version, sizes and sums of a volume, from its system files and heartbeats, each with its source. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "evidence/self/parts.h"

enum {
	VMFS3 = 4, VMFS5 = 14, VMFS6 = 24,
	SUB_BLOCK5 = 8192, SPARSE_PER_CLUSTER = 16,
	SLOTS = 2048, SLOTS6 = 1024, SLOT6_BYTES = 4096, PIECE_BYTES = 65536
};

/* A slot that names its place: which driver used the volume last is told by the newest. */
static void count_slot(struct vk_self_heartbeats *h, const struct vk_heartbeat *hb, uint64_t volume_offset)
{
	if (hb->addr != volume_offset || (hb->state != VK_HB_FREE && hb->state != VK_HB_IN_USE))
		return;
	h->placed++;
	if (hb->driveX == 0 || hb->driveX > 255 ||
	    (h->has_driver && (hb->driveX < h->driver_major ||
			       (hb->driveX == h->driver_major && hb->driveY <= h->driver_minor))))
		return;
	h->has_driver = true;
	h->driver_major = hb->driveX;
	h->driver_minor = hb->driveY;
	h->driver_offset = volume_offset;
}

static struct vk_self_heartbeats count_slots(struct vk_self_look *look, uint32_t slot_bytes, uint32_t slots,
					     uint8_t *piece)
{
	struct vk_self_heartbeats h = {.slot_bytes = slot_bytes};

	for (uint32_t slot = 0; slot < slots; slot++) {
		uint32_t in_piece = slot % (PIECE_BYTES / slot_bytes);
		uint64_t at = VK_HEARTBEATS_OFFSET + (uint64_t)slot * slot_bytes;
		struct vk_heartbeat hb;

		if (in_piece == 0 && !vk_self_get(look, at, piece, PIECE_BYTES)) {
			slot += PIECE_BYTES / slot_bytes - 1; /* an unreadable piece says nothing */
			continue;
		}
		vk_heartbeat_decode(piece + (size_t)in_piece * slot_bytes, slot_bytes, &hb);
		count_slot(&h, &hb, at);
		if (hb.state == VK_HB_IN_USE && hb.addr == at)
			vk_self_add_host(look->report, &hb.owner, at);
	}
	return h;
}

/* The heartbeat region, by whichever slot size more slots confirm. */
static void read_heartbeats(struct vk_self_look *look)
{
	struct vk_self_heartbeats small, large;
	uint8_t *piece = malloc(PIECE_BYTES);

	if (piece == NULL) {
		look->status = vk_no_memory(look->err, NULL);
		return;
	}
	small = count_slots(look, 512, SLOTS, piece);
	large = count_slots(look, SLOT6_BYTES, SLOTS6, piece);
	free(piece);
	/* seen with the slots of the other kind, a region shows one slot in eight, or none behind its first MiB */
	large.otherwise = small.placed;
	small.otherwise = large.placed;
	look->report->heartbeats = large.placed > small.placed ? large : small;
}

/*
 * The driver's major number is that of the file system, except that ESX 4.1 wrote 8 on VMFS3. VMFS5 and VMFS3 have the
 * same layout, but not the same sub-blocks and system files.
 */
static void settle_version(struct vk_self_report *r)
{
	static const char driver[] = "driver %u.%u in the heartbeat slot at volume offset 0x%" PRIx64;
	const struct vk_self_heartbeats *h = &r->heartbeats;
	const struct vk_self_fact *alignment = &r->facts[VK_SELF_MD_ALIGNMENT];
	const struct vk_self_fact *sub = &r->facts[VK_SELF_SUB_BLOCK_SIZE];
	const struct vk_self_file *pb2 = &r->files[VK_SYSTEM_PB2];
	struct vk_self_fact *version = &r->facts[VK_SELF_FS_MAJOR];
	unsigned family = h->driver_major >= VMFS6 ? VMFS6 : h->driver_major >= VMFS5 ? VMFS5 : VMFS3;
	struct vk_tally major = {0};

	if (alignment->sure != VK_SELF_UNKNOWN && alignment->value != 0) {
		vk_tally_tell(&major, VMFS6, 2, "%s", alignment->from);
	} else {
		if (h->slot_bytes == SLOT6_BYTES && h->placed > 1)
			vk_tally_tell(&major, VMFS6, 2, "%u heartbeat slots of 4096 bytes", h->placed);
		if (pb2->has_fd)
			vk_tally_tell(&major, VMFS5, 2, "file descriptor of .pb2.sf at volume offset 0x%" PRIx64,
				      pb2->fd_offset);
		if (sub->sure != VK_SELF_UNKNOWN && sub->value == SUB_BLOCK5)
			vk_tally_tell(&major, VMFS5, 2, "%s: sub-blocks of 8192 bytes", sub->from);
	}
	if (h->has_driver)
		vk_tally_tell(&major, family, 1, driver, h->driver_major, h->driver_minor, h->driver_offset);
	vk_self_settle(r, VK_SELF_FS_MAJOR, &major);
	/* sub-blocks of 64 KiB are those of VMFS3; an upgraded VMFS5 keeps them, so the driver's word goes first */
	if (version->sure == VK_SELF_UNKNOWN && sub->sure != VK_SELF_UNKNOWN && major.count == 0)
		vk_self_set(r, VK_SELF_FS_MAJOR, VMFS3, VK_SELF_GUESS, "%s: sub-blocks of %" PRIu64 " bytes", sub->from,
			    sub->value);
	else if (version->sure == VK_SELF_LIKELY && version->value == VMFS3 &&
		 sub->sure != VK_SELF_UNKNOWN && sub->value != SUB_BLOCK5)
		version->sure = VK_SELF_CERTAIN;
	if (h->has_driver && h->driver_minor <= 255 && version->value == family)
		vk_self_set(r, VK_SELF_FS_MINOR, h->driver_minor, VK_SELF_LIKELY, driver, h->driver_major,
			    h->driver_minor, h->driver_offset);
}

/* Size of the resources of a file: certain when the length of the file, which its descriptor holds, fits it. */
static void settle_resource_size(struct vk_self_report *r, enum vk_self_fact_id id, enum vk_system_file file,
				 uint32_t most)
{
	const struct vk_self_file *f = &r->files[file];
	uint32_t size = f->resource.resourceSize;

	if (f->has_resource && size >= 512 && size <= most && (size & (size - 1)) == 0)
		vk_self_set(r, id, size, f->length_confirmed ? VK_SELF_CERTAIN : VK_SELF_LIKELY,
			    "resource metadata of %s at volume offset 0x%" PRIx64, vk_system_file_name(file),
			    f->resource_offset);
}

/* On VMFS5 alone sub-blocks come in two kinds of addresses. */
static void settle_dense(struct vk_self_report *r)
{
	const struct vk_self_file *f = &r->files[VK_SYSTEM_SBC], *pb2 = &r->files[VK_SYSTEM_PB2];
	bool fixed = pb2->has_fd && !pb2->elsewhere;
	bool dense = f->resource.resourcesPerCluster > SPARSE_PER_CLUSTER;

	if (r->facts[VK_SELF_FS_MAJOR].value != VMFS5)
		return;
	if (f->has_resource)
		vk_self_set(r, VK_SELF_DENSE, dense, fixed && dense && f->length_confirmed ? VK_SELF_CERTAIN :
			    VK_SELF_LIKELY,
			    "%u sub-blocks in a cluster, by the metadata at volume offset 0x%" PRIx64,
			    f->resource.resourcesPerCluster, f->resource_offset);
	else if (fixed)
		vk_self_set(r, VK_SELF_DENSE, 1, VK_SELF_LIKELY,
			    ".pb2.sf has its fixed place at volume offset 0x%" PRIx64, pb2->fd_offset);
}

static void settle_size(struct vk_self_report *r, bool six)
{
	const struct vk_self_file *f = &r->files[VK_SYSTEM_FBB];
	const struct vk_self_fact *b = &r->facts[VK_SELF_FILE_BLOCK_SIZE];
	const struct vk_resource_file *m = six ? &f->child : &f->resource;
	uint64_t at = six ? f->child_offset : f->resource_offset;
	uint64_t blocks = vk_resource_count(m), bytes;
	enum vk_self_sure sure = f->count_confirmed ? b->sure : VK_SELF_LIKELY;

	if (!(six ? f->has_child : f->has_resource) || blocks == 0 || b->sure == VK_SELF_UNKNOWN ||
	    !vk_mul_u64(blocks, b->value, &bytes))
		return;
	vk_self_set(r, VK_SELF_FILE_BLOCKS, blocks, sure,
		    "resource metadata of .fbb.sf at volume offset 0x%" PRIx64, at);
	vk_self_set(r, VK_SELF_LOGICAL_SIZE, bytes, sure,
		    "%" PRIu64 " blocks of %" PRIu64 " MiB, by the metadata at volume offset 0x%" PRIx64,
		    blocks, b->value >> 20, at);
	if (six && (m->resourcesPerCluster & (m->resourcesPerCluster - 1)) == 0)
		vk_self_set(r, VK_SELF_LFB_SHIFT, (uint64_t)__builtin_ctz(m->resourcesPerCluster),
			    f->cluster_confirmed ? VK_SELF_CERTAIN : VK_SELF_LIKELY,
			    "%u small blocks in a cluster, by the metadata at volume offset 0x%" PRIx64,
			    m->resourcesPerCluster, at);
}

static void settle_time(struct vk_self_report *r)
{
	const struct vk_self_fact *t = &r->facts[VK_SELF_FIRST_TIME];

	for (unsigned i = VK_SYSTEM_FBB; i < VK_SYSTEM_COUNT; i++) {
		const struct vk_self_file *f = &r->files[i];
		uint32_t first = f->fd.ctime != 0 && f->fd.ctime < f->fd.mtime ? f->fd.ctime : f->fd.mtime;

		if (f->has_fd && first != 0 && (t->sure == VK_SELF_UNKNOWN || first < t->value))
			vk_self_set(r, VK_SELF_FIRST_TIME, first, VK_SELF_LIKELY,
				    "file descriptor of %s at volume offset 0x%" PRIx64,
				    vk_system_file_name((enum vk_system_file)i), f->fd_offset);
	}
}

enum vk_status vk_self_report_at(struct vk_io *io, uint64_t start_bytes, uint64_t end_bytes,
				 struct vk_self_report *ret_report, struct vk_error *err)
{
	struct vk_self_look look = {.io = io, .start_bytes = start_bytes, .end_bytes = end_bytes,
				    .report = ret_report, .err = err};
	struct vk_self_report *r = ret_report;
	const struct vk_self_fact *size = &r->facts[VK_SELF_LOGICAL_SIZE];
	bool six;

	memset(r, 0, sizeof(*r));
	r->volume_start_bytes = (int64_t)vk_min_u64(start_bytes, INT64_MAX);
	for (unsigned i = 0; i < VK_SYSTEM_COUNT; i++)
		r->files[i].first_block = UINT64_MAX;
	read_heartbeats(&look);
	vk_self_files_read(&look);
	settle_resource_size(r, VK_SELF_SUB_BLOCK_SIZE, VK_SYSTEM_SBC, 1 << 20);
	settle_version(r);
	settle_dense(r);
	six = r->facts[VK_SELF_MD_ALIGNMENT].value != 0;
	if (six) {
		settle_resource_size(r, VK_SELF_POINTER_BLOCK_SIZE, VK_SYSTEM_PB2, 1 << 20);
		settle_resource_size(r, VK_SELF_JOURNAL_BLOCK_SIZE, VK_SYSTEM_JBC, 64 << 20);
	}
	settle_size(r, six);
	settle_time(r);
	snprintf(r->votes_from, sizeof(r->votes_from), "%" PRIu64 " locks and %u heartbeats", r->self_located,
		 r->heartbeats.placed);
	r->self_located += r->heartbeats.placed;
	r->votes = r->self_located;
	if (r->heartbeats.placed > 0)
		r->highest_volume_offset = vk_max_u64(r->highest_volume_offset, VK_HEARTBEATS_OFFSET);
	r->fs_major = (unsigned)r->facts[VK_SELF_FS_MAJOR].value;
	r->logical_bytes = size->value;
	if (size->value != 0)
		snprintf(r->size_from, sizeof(r->size_from), ".fbb.sf: %s", size->from);
	return look.status;
}
