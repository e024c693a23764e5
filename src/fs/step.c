/* SPDX-License-Identifier: Apache-2.0 */
/* One step of the walk over a file: the address of a byte, and where the block of an address lies. */
#include <inttypes.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "fs/fs_parts.h"

enum {
	DEPTH_MAX = 4 /* .sbc.sf through .pb2.sf takes two */
};
/* No volume reaches so far: sums of offsets below it cannot overflow. */
#define FAR_BYTES (1ULL << 62)

/* The block of an address. */
struct unit {
	uint64_t volume_offset;
	uint64_t bytes;       /* of it on the volume */
	uint64_t whole_bytes; /* of all blocks of its kind: the volume may end inside the last one */
	struct vk_address address;
};

enum vk_status vk_fs_map(struct vk_fs *fs, const struct vk_fs_file *file, uint64_t offset, uint64_t *ret_volume_offset,
			 uint64_t *ret_length)
{
	struct vk_fs_cursor cursor;
	struct vk_fs_step step;

	/* only damage makes system files lead to each other in a circle */
	if (fs->depth >= DEPTH_MAX)
		return VK_DAMAGED;
	fs->depth++;
	vk_fs_cursor_init(&cursor, fs, file, NULL);
	vk_fs_step(&cursor, offset, &step);
	fs->depth--;
	if (step.kind == VK_RUN_MISSING && step.lack < VK_LACK_ZEROS)
		return VK_ABSENT;
	if (step.kind != VK_RUN_DATA)
		return VK_DAMAGED;
	*ret_volume_offset = step.volume_offset;
	*ret_length = step.length_bytes;
	return VK_OK;
}

/* The offset in its file where a resource begins. */
static enum vk_status resource_place(const struct vk_fs *fs, enum vk_system_file file, uint64_t cluster,
				     uint32_t resource, const struct vk_fs_file **ret_in, uint64_t *ret_offset)
{
	const struct vk_fs_system *s = &fs->info.system[file];
	uint64_t number = vk_add_sat(vk_mul_sat(cluster, s->resource.resourcesPerCluster), resource);

	*ret_in = file == VK_SYSTEM_FDC ? fs->fdc : s->file;
	if (*ret_in == NULL || !s->has_resource)
		return s->lack >= VK_LACK_ZEROS ? VK_DAMAGED : VK_ABSENT;
	if (resource >= s->resource.resourcesPerCluster || number >= vk_resource_count(&s->resource) ||
	    s->resource.resourceSize == 0)
		return VK_DAMAGED;
	*ret_offset = vk_resource_offset(&s->resource, fs->info.md_alignment, cluster, resource);
	return VK_OK;
}

enum vk_status vk_fs_resource(struct vk_fs *fs, enum vk_system_file file, uint64_t cluster, uint32_t resource,
			      uint64_t *ret_volume_offset)
{
	const struct vk_fs_file *in;
	uint64_t offset, rest;
	enum vk_status status = resource_place(fs, file, cluster, resource, &in, &offset);

	if (status == VK_OK)
		status = vk_fs_map(fs, in, offset, ret_volume_offset, &rest);
	return status == VK_OK && rest < fs->info.system[file].resource.resourceSize ? VK_DAMAGED : status;
}

/*
 * The part of a sub-block that a byte of it lies in. On VMFS3 they are not aligned to their own size: each sixteenth
 * lies in two blocks of .sbc.sf. The start is then where the sub-block would begin if all of it lay as that part.
 */
static enum vk_status locate_part(struct vk_fs *fs, uint64_t inside, struct unit *unit)
{
	const struct vk_fs_file *in;
	uint64_t offset, at, rest;
	enum vk_status status = resource_place(fs, VK_SYSTEM_SBC, unit->address.cluster, unit->address.resource, &in,
					       &offset);

	if (status == VK_OK)
		status = vk_fs_map(fs, in, vk_add_sat(offset, inside), &at, &rest);
	if (status != VK_OK || at < inside)
		return status != VK_OK ? status : VK_DAMAGED;
	unit->volume_offset = at - inside;
	unit->bytes = vk_min_u64(unit->whole_bytes, inside + rest);
	return VK_OK;
}

static enum vk_status locate_resource(struct vk_fs *fs, enum vk_system_file file, struct unit *unit)
{
	unit->bytes = unit->whole_bytes = fs->info.system[file].resource.resourceSize;
	return vk_fs_resource(fs, file, unit->address.cluster, unit->address.resource, &unit->volume_offset);
}

static enum vk_status locate_block(const struct vk_fs *fs, uint64_t number, uint64_t bytes, struct unit *unit)
{
	uint64_t end = fs->info.volume_bytes != 0 ? fs->info.volume_bytes : FAR_BYTES;

	unit->volume_offset = vk_mul_sat(number, bytes);
	unit->whole_bytes = bytes;
	if (unit->volume_offset >= end)
		return VK_DAMAGED;
	/* the last large block may be short */
	unit->bytes = vk_min_u64(bytes, end - unit->volume_offset);
	return VK_OK;
}

/* What the system file that has the blocks of this address lacks. False: nothing; it has none. */
static bool is_lost(const struct vk_fs *fs, const struct vk_address *a, enum vk_fs_lack *ret_lack)
{
	enum vk_system_file file = a->kind == VK_ADDRESS_SUB_BLOCK ? VK_SYSTEM_SBC
				   : a->kind == VK_ADDRESS_POINTER_BLOCK ? VK_SYSTEM_PBC : VK_SYSTEM_PB2;
	const struct vk_fs_system *s = &fs->info.system[file];

	if (a->kind != VK_ADDRESS_SUB_BLOCK && a->kind != VK_ADDRESS_POINTER_BLOCK &&
	    a->kind != VK_ADDRESS_POINTER_BLOCK2)
		return false;
	if (s->file != NULL && s->has_resource)
		return false;
	*ret_lack = s->lack;
	return true;
}

/* VK_DAMAGED: the address makes no sense. VK_ABSENT: the source does not hold what tells it. */
static enum vk_status locate(struct vk_fs *fs, uint64_t address, struct unit *unit)
{
	const struct vk_fs_info *info = &fs->info;

	vk_address_decode(address, &info->addresses, &unit->address);
	switch (unit->address.kind) {
	case VK_ADDRESS_FILE_BLOCK:
		if (!info->vmfs6)
			return address <= UINT32_MAX
				       ? locate_block(fs, unit->address.block, info->file_block_bytes, unit)
				       : VK_DAMAGED;
		if (unit->address.resource >= info->small_per_cluster)
			return VK_DAMAGED;
		return locate_block(fs, unit->address.cluster * info->small_per_cluster + unit->address.resource,
				    info->file_block_bytes, unit);
	case VK_ADDRESS_LARGE_BLOCK:
		return info->vmfs6 ? locate_block(fs, unit->address.block, info->large_block_bytes, unit) : VK_DAMAGED;
	case VK_ADDRESS_SUB_BLOCK:
		return locate_resource(fs, VK_SYSTEM_SBC, unit);
	case VK_ADDRESS_POINTER_BLOCK:
		return locate_resource(fs, VK_SYSTEM_PBC, unit);
	case VK_ADDRESS_POINTER_BLOCK2:
		return locate_resource(fs, VK_SYSTEM_PB2, unit);
	default:
		return VK_DAMAGED;
	}
}

void vk_fs_cursor_init(struct vk_fs_cursor *c, struct vk_fs *fs, const struct vk_fs_file *file,
		       const struct vk_finding_sink *sink)
{
	const struct vk_fs_info *info = &fs->info;
	uint64_t bytes = file->meta.blockSize;

	*c = (struct vk_fs_cursor){.fs = fs, .file = file, .sink = sink, .unit_bytes = bytes};
	switch (file->meta.zeroLevelAddrType) {
	case VK_ZLA_POINTER_BLOCK:
	case VK_ZLA_POINTER_BLOCK2:
		c->level_count = 1;
		break;
	case VK_ZLA_DOUBLE:
		c->level_count = 2;
		break;
	default:
		break;
	}
	if (bytes == info->file_block_bytes || bytes == info->sub_block_bytes)
		return;
	c->unit_bytes = file->meta.zeroLevelAddrType == VK_ZLA_SUB_BLOCK ? info->sub_block_bytes
									 : info->file_block_bytes;
	if (file->meta.zeroLevelAddrType != VK_ZLA_RESIDENT && file->meta.type != VK_FILE_RDM)
		vk_fs_say(fs, sink, file->address, VK_F_FILE_DESCRIPTOR, file->volume_offset, 0, vk_phrase("%" PRIu64,
			  bytes).text,
			  vk_phrase("%" PRIu64, c->unit_bytes).text, "blockSize is no size of blocks of this volume");
}

/* What an offset has to do with the addresses: see place_in_levels. */
struct at {
	uint64_t offset;
	uint64_t index;    /* of the unit in the file */
	uint64_t span;     /* units that one pointer of the descriptor reaches over */
	uint64_t pointer;  /* its number in the descriptor */
};

static uint64_t reach(const struct vk_fs_cursor *c, const struct at *at, uint64_t span)
{
	return (span - at->index % span) * c->unit_bytes - at->offset % c->unit_bytes;
}

static void set_missing(struct vk_fs_step *step, uint64_t length, enum vk_fs_lack lack)
{
	step->kind = VK_RUN_MISSING;
	step->length_bytes = length;
	step->lack = lack;
}

/* Said once of a file, however often it is asked. */
static const struct vk_finding_sink *length_sink(struct vk_fs_cursor *c)
{
	const bool said = c->length_said;

	c->length_said = true;
	return said ? NULL : c->sink;
}

static void step_resident(struct vk_fs_cursor *c, uint64_t offset, struct vk_fs_step *step)
{
	const struct vk_fs_info *info = &c->fs->info;

	if (offset < info->resident_bytes) {
		step->kind = VK_RUN_RESIDENT;
		step->length_bytes = info->resident_bytes - offset;
		step->volume_offset = c->file->volume_offset + info->resident_offset + offset;
		return;
	}
	set_missing(step, UINT64_MAX - offset, VK_LACK_DAMAGED);
	vk_fs_say(c->fs, length_sink(c), c->file->address, VK_F_FILE_LENGTH, c->file->volume_offset, 0,
		  vk_phrase("%" PRIu64, c->file->meta.fileLength).text,
		  vk_phrase("at most %" PRIu32, info->resident_bytes).text,
		  "the file does not fit into its descriptor");
}

/* One damaged pointer block may have thousands. */
static bool may_be_told(struct vk_fs_cursor *c, enum vk_finding_code code)
{
	return code == VK_F_STRUCTURE_ABSENT || c->wrong++ < VK_FS_WRONG_SAID;
}

void vk_fs_cursor_end(const struct vk_fs_cursor *c)
{
	if (c->wrong > VK_FS_WRONG_SAID)
		vk_fs_say(c->fs, c->sink, c->file->address, VK_F_FILE_ADDRESS, c->file->volume_offset, 0, NULL, NULL,
			  "file descriptor 0x%08" PRIx32 ": %" PRIu64 " more of its addresses make no sense",
			  c->file->address, c->wrong - VK_FS_WRONG_SAID);
}

static void say_follow(struct vk_fs_cursor *c, const struct vk_fs_level *l, enum vk_finding_code code,
		       uint64_t volume_offset, const char *message)
{
	if (may_be_told(c, code))
		vk_fs_say(c->fs, c->sink, c->file->address, code, volume_offset, 0, vk_fs_address_text(c->fs,
			  l->address).text, NULL,
			  "file descriptor 0x%08" PRIx32 ", %s %" PRIu64, c->file->address, message, l->slot);
}

/* Where the pointer block of level->address lies, and whether it may be followed. */
static void follow(struct vk_fs_cursor *c, struct vk_fs_level *l)
{
	const struct vk_fs_info *info = &c->fs->info;
	uint64_t bytes = (uint64_t)info->pointers_per_block * info->fd.pointer_bytes, one = 1;
	struct unit unit = {0};
	struct vk_span span;
	bool pointers;

	l->known = true;
	l->state = locate(c->fs, l->address, &unit);
	l->volume_offset = unit.volume_offset;
	pointers = unit.address.kind == VK_ADDRESS_POINTER_BLOCK || unit.address.kind == VK_ADDRESS_POINTER_BLOCK2;
	/* VMFS6 keeps them in sub-blocks and file blocks, too */
	if (l->state == VK_OK && (unit.bytes < bytes || (!pointers && !info->vmfs6)))
		l->state = VK_DAMAGED;
	l->lack = l->state == VK_ABSENT ? VK_LACK_ABSENT : VK_LACK_DAMAGED;
	/* of the system file that is said once */
	if (l->state != VK_OK && is_lost(c->fs, &unit.address, &l->lack) && l->lack != VK_LACK_ABSENT)
		return;
	if (l->state == VK_DAMAGED) {
		say_follow(c, l, VK_F_FILE_POINTER_BLOCK, c->file->volume_offset,
			   "the address leads to no pointer block; pointer");
		return;
	}
	if (l->state == VK_ABSENT) {
		say_follow(c, l, VK_F_STRUCTURE_ABSENT, c->file->volume_offset,
			   "what leads to a pointer block is not in the source; pointer");
		return;
	}
	if (c->followed != NULL) {
		if (vk_range_set_holds(c->followed, l->volume_offset, &one)) {
			l->state = VK_DAMAGED;
			say_follow(c, l, VK_F_FILE_POINTER_BLOCK_TWICE, l->volume_offset,
				   "this pointer block is used a second time; pointer");
			return;
		}
		if (!vk_range_set_add(c->followed, l->volume_offset, 1)) {
			l->state = VK_NOMEM;
			return;
		}
	}
	if (c->on_pointer_block != NULL)
		c->on_pointer_block(c->ctx, l->address, l->volume_offset);
	span = vk_io_span(c->fs->volume, l->volume_offset);
	l->zeros = span.state == VK_SPAN_ZERO && span.length_bytes >= bytes;
	if (span.state == VK_SPAN_ABSENT || span.state == VK_SPAN_END) {
		l->state = VK_ABSENT;
		l->lack = VK_LACK_ABSENT;
		say_follow(c, l, VK_F_STRUCTURE_ABSENT, l->volume_offset,
			   "a pointer block is not in the source; pointer");
	}
}

/* Address number index of the pointer block that is open on that level. */
static bool read_entry(struct vk_fs *fs, const struct vk_fs_level *l, uint64_t index, uint64_t *ret_address)
{
	uint32_t bytes = fs->info.fd.pointer_bytes;
	uint8_t raw[8] = {0};
	size_t got = 0;

	if (vk_fs_get(fs, l->volume_offset + index * bytes, raw, bytes, &got, NULL) != VK_OK || got < bytes)
		return false;
	*ret_address = vk_get_le64(raw);
	return true;
}

/* The address of the unit, down through the pointer blocks. False: the step is settled by one of them. */
static bool descend(struct vk_fs_cursor *c, const struct at *at, uint64_t *address, struct vk_fs_step *step)
{
	uint64_t per_block = c->fs->info.pointers_per_block, span = at->span;

	for (unsigned i = c->level_count; i > 0; i--) {
		struct vk_fs_level *l = &c->levels[i - 1];
		uint64_t slot = at->index / span;

		step->length_bytes = reach(c, at, span);
		if (*address == 0)
			return false;
		if (!l->known || l->slot != slot || l->address != *address) {
			*l = (struct vk_fs_level){.slot = slot, .address = *address};
			follow(c, l);
		}
		if (l->state == VK_OK && l->zeros)
			return false;
		span /= per_block;
		if (l->state != VK_OK) {
			set_missing(step, step->length_bytes, l->lack);
			return false;
		}
		if (!read_entry(c->fs, l, at->index / span % per_block, address)) {
			set_missing(step, reach(c, at, span),
				    vk_fs_lack_at(c->fs, l->volume_offset + at->index / span % per_block *
							 c->fs->info.fd.pointer_bytes, VK_ABSENT));
			return false;
		}
	}
	step->length_bytes = reach(c, at, 1);
	return *address != 0;
}

static void step_block(struct vk_fs_cursor *c, const struct at *at, uint64_t address, struct vk_fs_step *step)
{
	uint64_t length = reach(c, at, 1), inside;
	struct unit unit = {0};
	enum vk_status status = locate(c->fs, address, &unit);

	step->address = address;
	if (unit.address.kind == VK_ADDRESS_POINTER_BLOCK || unit.address.kind == VK_ADDRESS_POINTER_BLOCK2)
		status = VK_DAMAGED; /* no place of data, whether it is in the source or not */
	/* a block that is shorter than the file's, and the last block of the volume, do not reach every offset */
	inside = at->offset % vk_max_u64(unit.whole_bytes, c->unit_bytes);
	if (status == VK_DAMAGED && unit.address.kind == VK_ADDRESS_SUB_BLOCK && inside < unit.whole_bytes)
		status = locate_part(c->fs, inside, &unit);
	if (status == VK_OK && inside >= unit.bytes)
		status = VK_DAMAGED;
	if (status != VK_OK) {
		enum vk_fs_lack lack = status == VK_DAMAGED ? VK_LACK_DAMAGED : VK_LACK_ABSENT;
		const bool said = is_lost(c->fs, &unit.address, &lack);

		set_missing(step, length, lack);
		if (status == VK_DAMAGED && !said && may_be_told(c, VK_F_FILE_ADDRESS))
			vk_fs_say(c->fs, c->sink, c->file->address, VK_F_FILE_ADDRESS, c->file->volume_offset, 0,
				  vk_fs_address_text(c->fs, address).text, NULL,
				  "file descriptor 0x%08" PRIx32 ": block %" PRIu64 " of the file has no such place",
				  c->file->address, at->index);
		return;
	}
	step->kind = unit.address.zeroed ? VK_RUN_TBZ : VK_RUN_DATA;
	step->length_bytes = vk_min_u64(length, unit.bytes - inside);
	step->volume_offset = unit.volume_offset + inside;
	step->copy_on_write = unit.address.copy_on_write;
}

void vk_fs_step(struct vk_fs_cursor *c, uint64_t offset, struct vk_fs_step *step)
{
	const struct vk_fs_info *info = &c->fs->info;
	const struct vk_file_metadata *meta = &c->file->meta;
	struct at at = {.offset = offset, .index = offset / c->unit_bytes, .span = 1};
	uint64_t address;

	*step = (struct vk_fs_step){.kind = VK_RUN_HOLE, .length_bytes = 1, .volume_offset = UINT64_MAX};
	if (meta->type == VK_FILE_RDM) {
		set_missing(step, UINT64_MAX - offset, VK_LACK_ABSENT);
		return;
	}
	if (meta->zeroLevelAddrType == VK_ZLA_RESIDENT) {
		step_resident(c, offset, step);
		return;
	}
	for (unsigned i = 0; i < c->level_count; i++)
		at.span *= info->pointers_per_block;
	at.pointer = at.index / at.span;
	if (at.pointer >= info->fd.pointers ||
	    (c->level_count == 0 && meta->zeroLevelAddrType != VK_ZLA_FILE_BLOCK &&
	     meta->zeroLevelAddrType != VK_ZLA_SUB_BLOCK)) {
		set_missing(step, UINT64_MAX - offset, VK_LACK_DAMAGED);
		vk_fs_say(c->fs, length_sink(c), c->file->address, VK_F_FILE_LENGTH, c->file->volume_offset, 0,
			  vk_phrase("%" PRIu64, meta->fileLength).text, NULL,
			  "file descriptor 0x%08" PRIx32 ": no address reaches byte %" PRIu64 " of the file, "
			  "zeroLevelAddrType is %" PRIu32, c->file->address, offset, meta->zeroLevelAddrType);
		return;
	}
	if (info->fd.pointers_offset + (at.pointer + 1) * info->fd.pointer_bytes > c->file->fd_seen_bytes) {
		set_missing(step, reach(c, &at, at.span), VK_LACK_ABSENT);
		return;
	}
	address = vk_fd_pointer(&info->fd, c->file->fd, (uint32_t)at.pointer);
	if (descend(c, &at, &address, step))
		step_block(c, &at, address, step);
}
