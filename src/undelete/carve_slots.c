/* SPDX-License-Identifier: Apache-2.0 */
/* File descriptors whose slot is free, or that no name leads to, as candidates. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "undelete/carve_parts.h"

/* One descriptor that is followed. */
struct following {
	struct vk_carve_making *m;
	uint64_t limit;          /* of the file, or as far as addresses reach */
};

static bool on_step(void *ctx, uint64_t offset, const struct vk_fs_step *step)
{
	struct following *f = ctx;
	const uint64_t length = vk_min_u64(step->length_bytes, f->limit - vk_min_u64(f->limit, offset));

	if (length == 0)
		return false;
	if (!vk_carve_pay(f->m->c, step->kind == VK_RUN_HOLE || step->kind == VK_RUN_MISSING ? 0 : length)) {
		f->m->full = true;
		return false;
	}
	if (step->kind == VK_RUN_DATA || step->kind == VK_RUN_TBZ)
		vk_carve_put_data(f->m, step->kind == VK_RUN_TBZ, step->address, step->volume_offset, length);
	else
		vk_carve_put_gap(f->m, step->kind, length);
	return !f->m->full;
}

static void claim_pointer_block(void *ctx, uint64_t address, uint64_t volume_offset)
{
	struct vk_carving *c = ((struct following *)ctx)->m->c;
	enum vk_fs_cluster_kind kind;
	uint64_t number;

	(void)volume_offset;
	if (vk_carve_number(c, address, &kind, &number))
		vk_set_bit(c->claimed[kind], number);
}

static void put_resident(struct vk_carve_making *m, const struct vk_fs_file *file)
{
	const struct vk_fs_info *info = m->c->info;
	const uint64_t length = file->meta.fileLength;
	const uint8_t *bytes = file->fd + info->resident_offset;

	/* what deletion cleared is nothing to bring back */
	if (length == 0 || length > info->resident_bytes || vk_all_zero(bytes, (size_t)length))
		return;
	m->file.resident = malloc((size_t)length);
	if (m->file.resident == NULL) {
		(void)vk_carve_no_memory(m->c);
		return;
	}
	memcpy(m->file.resident, bytes, (size_t)length);
	m->file.resident_bytes = (size_t)length;
	(void)vk_carve_put_range(m, &(struct vk_undelete_range){
		.length_bytes = length, .volume_offset = file->volume_offset + info->resident_offset,
		.kind = VK_RUN_RESIDENT, .state = VK_UNDELETE_UNKNOWN, .why = VK_UNDELETE_UNPROVED});
}

static void put_blocks(struct vk_carve_making *m, const struct vk_fs_file *file)
{
	struct vk_range_set followed = {0};
	struct following f = {m, file->meta.fileLength != 0 ? file->meta.fileLength : UINT64_MAX};
	struct vk_fs_cursor cursor;

	vk_fs_cursor_init(&cursor, m->c->fs, file, NULL);
	if (!vk_fs_has_addresses(&cursor))
		return;
	cursor.followed = &followed;
	cursor.on_pointer_block = claim_pointer_block;
	cursor.ctx = &f;
	vk_fs_follow(&cursor, on_step, &f);
	vk_range_set_free(&followed);
	if (file->meta.fileLength == 0)
		vk_carve_trim(m);
	else if (m->end < file->meta.fileLength && m->placed_end > 0)
		vk_carve_put_gap(m, VK_RUN_MISSING, file->meta.fileLength - m->end);
}

static void take_descriptor(struct vk_carving *c, uint64_t number, const struct vk_fs_file *file)
{
	const struct vk_file_metadata *meta = &file->meta;
	struct vk_carve_making m = {.c = c, .file = {
		.from = VK_UNDELETE_DESCRIPTOR, .type = meta->type, .address = file->address,
		.generation = meta->generation, .mode = meta->mode, .uid = meta->uid, .gid = meta->gid,
		.links = meta->linkCount, .mtime = meta->mtime, .ctime = meta->ctime}};
	bool known;
	const bool allocated = vk_carve_allocated(c, VK_CLUSTERS_DESCRIPTORS, number, &known);

	m.mark.slot_free = known && !allocated;
	m.mark.size_known = meta->fileLength != 0;
	m.file.nameless = !m.mark.slot_free;
	m.file.guess = !m.mark.size_known;
	snprintf(m.mark.name, sizeof(m.mark.name), "#0x%08" PRIx32, file->address);
	if (meta->zeroLevelAddrType == VK_ZLA_RESIDENT)
		put_resident(&m, file);
	else
		put_blocks(&m, file);
	m.file.size_bytes = m.end;
	if (m.placed_end > 0 || m.full) {
		const struct vk_carve_parent parent = {meta->parentFD, c->out.found.count};

		vk_carve_keep(&m);
		if (meta->parentFD != 0 && parent.file < c->out.found.count &&
		    vk_append(&c->parents, &c->parent_count, &parent, sizeof(parent)) == NULL)
			(void)vk_carve_no_memory(c);
	} else {
		c->out.cleared++;
		vk_carve_drop(&m);
	}
}

/* Not opened is what has no lock of a descriptor: most slots were never used. */
static bool is_descriptor(struct vk_carving *c, uint64_t at)
{
	uint8_t type[4];
	size_t got = 0;

	return vk_fs_get(c->fs, at, type, sizeof(type), &got, NULL) == VK_OK && got == sizeof(type) &&
	       vk_get_le32(type) == VK_LOCK_FD;
}

void vk_carve_descriptors(struct vk_carving *c)
{
	const struct vk_fs_clusters_of *of = &c->clusters.of[VK_CLUSTERS_DESCRIPTORS];

	for (uint64_t n = 0; n < of->resources && c->status == VK_OK; n++) {
		const uint64_t cluster = n / of->per_cluster;
		const uint32_t resource = (uint32_t)(n % of->per_cluster);
		struct vk_fs_file *file = NULL;
		uint64_t at;

		if (vk_bit(c->live[VK_CLUSTERS_DESCRIPTORS], n) || cluster > UINT16_MAX || resource > 1023 ||
		    vk_fs_resource(c->fs, VK_SYSTEM_FDC, cluster, resource, &at) != VK_OK || !is_descriptor(c, at) ||
		    vk_fs_file_open(c->fs, vk_fd_address((uint32_t)cluster, resource), NULL, &file, NULL) != VK_OK)
			continue;
		if (file->meta.type == VK_FILE_ORDINARY || file->meta.type == VK_FILE_LINK)
			take_descriptor(c, n, file);
		vk_fs_file_close(file);
	}
}
