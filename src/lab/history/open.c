/* SPDX-License-Identifier: Apache-2.0 */
/* A volume of the lab that exists: what its maker knew is worked out again from what it wrote. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "lab/history/life.h"
#include "vmfskit/heartbeat.h"

enum { SECONDS_AFTER = 1000, MOMENTS_EACH = 5, LOCKS_EACH = 100, LOCKS_BEFORE = 100000,
       CURSOR_MOST = 1200 };

static enum vk_status read_headers(struct vk_life *life, uint64_t base)
{
	struct vk_lab_device *d = &life->device;
	uint8_t raw[VK_FS_SECTOR_BYTES];
	struct vk_lvm_geometry g;
	enum vk_status status = vk_lab_get(life->disk, base + VK_LVM_HEADER_OFFSET, raw, VK_LVM_DEVICE_BYTES,
					   life->err);

	if (status != VK_OK)
		return status;
	vk_lvm_device_decode(raw, VK_LVM_DEVICE_BYTES, &d->header);
	if (d->header.magic != VK_LVM_MAGIC || !vk_lvm_geometry(&d->header, VK_LVM_HEADER_OFFSET, &g))
		return vk_error_set(life->err, VK_UNSUPPORTED, life->disk->path, "no volume of the lab begins there");
	status = vk_lab_get(life->disk, base + g.volume_table, raw, VK_LVM_VOLUME_BYTES, life->err);
	if (status != VK_OK)
		return status;
	vk_lvm_volume_decode(raw, VK_LVM_VOLUME_BYTES, &d->volume);
	status = vk_lab_get(life->disk, base + d->header.dataOffset + VK_FS_OFFSET, raw, sizeof(raw), life->err);
	if (status != VK_OK)
		return status;
	vk_fs_descriptor_decode(raw, sizeof(raw), &d->fs);
	d->head = true;
	d->seed = life->seed;
	d->version = d->header.majorVersion;
	if (d->fs.magic != VK_FS_MAGIC_VMFS || d->version < 3 || d->version > 6 || d->version == 4 ||
	    d->volume.logicalSize == 0 || d->volume.numPEs * VK_LVM_PE_BYTES != d->volume.logicalSize)
		return vk_error_set(life->err, VK_UNSUPPORTED, life->disk->path,
				    "histories are made on sound volumes of one extent");
	return VK_OK;
}

/* The slot of the host that made the volume, in whose name all changes are made: it is free and shows its last user. */
static enum vk_status find_maker(struct vk_life *life)
{
	struct vk_fs_geometry g;
	struct vk_heartbeat hb;
	uint8_t raw[VK_HEARTBEAT_BYTES];

	vk_fs_geometry(&life->device.fs, VK_FS_DESCRIPTOR_BYTES, &g);
	for (uint32_t i = 0; i < g.heartbeat_slots; i++) {
		enum vk_status status = vk_lab_volume_get(life->f, g.heartbeat_offset +
									   (uint64_t)i * g.heartbeat_slot_bytes,
							  raw, sizeof(raw));

		if (status != VK_OK)
			return status;
		vk_heartbeat_decode(raw, sizeof(raw), &hb);
		if (hb.state == VK_HB_FREE && vk_heartbeat_has_history(&hb)) {
			life->device.maker_slot = i + 1;
			return VK_OK;
		}
	}
	return vk_error_set(life->err, VK_UNSUPPORTED, life->disk->path, "no host has made this volume");
}

/* The descriptor of a system file. */
static enum vk_status read_system(struct vk_life *life, enum vk_system_file file, struct vk_file_metadata *m,
				  uint64_t *ret_first_block)
{
	struct vk_lab_fill *f = life->f;
	uint8_t raw[2 * 4096];
	enum vk_status status = vk_lab_volume_get(f, vk_lab_system_fd(&life->device.fs, file), raw, f->fd.fd_bytes);
	const uint8_t *at = raw + f->fd.pointers_offset;

	if (status != VK_OK)
		return status;
	vk_file_metadata_decode(raw + f->fd.metadata_offset, 512, m);
	*ret_first_block = UINT64_MAX;
	if (m->zeroLevelAddrType != VK_ZLA_FILE_BLOCK)
		return VK_OK;
	if (!f->vmfs6)
		*ret_first_block = vk_get_le32(at) >> 6;
	else
		*ret_first_block = (vk_get_le64(at) >> 15 & 0x7FFFFFFF) * VK_LAB_SMALL_PER_CLUSTER +
				   (vk_get_le64(at) >> 51);
	return VK_OK;
}

static enum vk_status read_resource(struct vk_life *life, enum vk_system_file file, uint64_t offset,
				    struct vk_resource_file *resource)
{
	struct vk_file_metadata m;
	uint64_t block;
	uint8_t raw[512];
	enum vk_status status = read_system(life, file, &m, &block);

	if (status == VK_OK && block == UINT64_MAX)
		return vk_error_set(life->err, VK_UNSUPPORTED, life->disk->path, "%s is too long for a history",
				    vk_system_file_name(file));
	if (status == VK_OK)
		status = vk_lab_volume_get(life->f, block * life->device.fs.fileBlockSize + offset, raw, sizeof(raw));
	if (status == VK_OK)
		vk_resource_file_decode(raw, sizeof(raw), resource);
	return status;
}

/* How many of everything were asked for, so that the plan becomes the same. */
static enum vk_status find_needs(struct vk_life *life)
{
	struct vk_lab_needs *needs = &life->device.needs;
	struct vk_resource_file r;
	enum vk_status status = read_resource(life, VK_SYSTEM_FDC, 0, &r);

	needs->descriptors = status == VK_OK ? vk_resource_count(&r) : 0;
	if (status != VK_OK || life->f->vmfs6)
		return status;
	status = read_resource(life, VK_SYSTEM_SBC, 0, &r);
	needs->sub_blocks = status == VK_OK ? vk_resource_count(&r) : 0;
	if (status == VK_OK)
		status = read_resource(life, VK_SYSTEM_PBC, 0, &r);
	needs->pointer_blocks = status == VK_OK ? vk_resource_count(&r) : 0;
	return status;
}

/* Whether the plan is that of this volume: each system file has the length and the first block that it gives. */
static enum vk_status check_plan(struct vk_life *life, bool *ret_fits)
{
	const struct vk_lab_files *files = &life->f->w.files;
	struct vk_file_metadata m;
	uint64_t block;

	*ret_fits = true;
	for (unsigned i = VK_SYSTEM_FBB; i < files->file_count; i++) {
		const struct vk_lab_file *of = &files->of[i];
		enum vk_status status = read_system(life, (enum vk_system_file)i, &m, &block);

		if (status != VK_OK)
			return status;
		*ret_fits = *ret_fits && m.fileLength == of->length && m.numBlocks == of->blocks &&
			    (block == UINT64_MAX || of->blocks == 0 || block == of->runs[0].first_block);
	}
	return VK_OK;
}

static enum vk_status plan(struct vk_life *life)
{
	struct vk_lab_fill *f = life->f;
	bool fits = false;
	enum vk_status status;

	f->vmfs6 = life->device.version == 6;
	vk_fd_geometry(f->vmfs6 ? life->device.fs.mdAlignment : 0, &f->fd);
	if (f->fd.fd_bytes > sizeof(f->raw))
		return vk_error_set(life->err, VK_UNSUPPORTED, life->disk->path, "its file descriptors are too long");
	status = find_needs(life);
	for (unsigned attempt = 0; status == VK_OK && !fits && attempt < 2; attempt++) {
		if (attempt == 1)
			life->device.needs = (struct vk_lab_needs){0};
		status = vk_lab_files_plan(&life->device, &f->w.files, life->err);
		if (status == VK_OK)
			status = check_plan(life, &fits);
	}
	if (status == VK_OK && !fits)
		return vk_error_set(life->err, VK_UNSUPPORTED, life->disk->path,
				    "its system files do not lie where the lab puts them");
	return status;
}

/* The root is the first file of the record. */
static enum vk_status note_root(struct vk_life *life)
{
	struct vk_file_metadata m;
	uint64_t block;
	enum vk_status status = read_system(life, VK_SYSTEM_ROOT, &m, &block);

	if (status == VK_OK && (block == UINT64_MAX || m.numBlocks != 1))
		return vk_error_set(life->err, VK_UNSUPPORTED, life->disk->path, "its root folder is too long");
	if (status == VK_OK)
		status = vk_life_moment(life, "begin", "/");
	if (status == VK_OK)
		status = vk_life_note(life, "N 0 %d 0 %" PRIu32 " %" PRIu32 " 0 /", VK_FILE_FOLDER, m.descAddr,
				      m.generation);
	if (status == VK_OK)
		status = vk_life_note(life, "S 0 %" PRIu64 " %" PRIu64 " %d", m.fileLength, m.blockSize,
				      VK_ZLA_FILE_BLOCK);
	if (status == VK_OK)
		status = vk_life_note(life, "+ 0 0 1 b %" PRIu64 " 0 %" PRIu64, block, block * m.blockSize);
	return status;
}

static enum vk_status open_record(struct vk_life *life)
{
	enum vk_status status = VK_OK;
	bool is_new = access(life->path, F_OK) != 0;

	if (!is_new)
		status = vk_life_record_read(life->path, &life->record, life->err);
	if (status != VK_OK)
		return status;
	life->log = fopen(life->path, "ae");
	if (life->log == NULL)
		return vk_error_errno(life->err, errno, life->path, "the record cannot be written");
	if (!is_new)
		return VK_OK;
	fputs(VK_LIFE_FIRST_LINE, life->log);
	return note_root(life);
}

enum vk_status vk_life_open(struct vk_lab_disk *disk, uint64_t base_bytes, const char *record_path, uint64_t seed,
			    struct vk_life *ret_life, struct vk_error *err)
{
	struct vk_life *life = ret_life;
	struct vk_lab_fill *f = calloc(1, sizeof(*f));
	static const struct vk_lab_files_asked nothing;
	enum vk_status status;

	*life = (struct vk_life){.disk = disk, .f = f, .path = record_path, .seed = seed, .err = err};
	if (f == NULL)
		return vk_no_memory(err, NULL);
	life->member = (struct vk_lab_member){disk, base_bytes, &life->device};
	*f = (struct vk_lab_fill){.asked = &nothing, .members = &life->member, .member_count = 1, .err = err};
	status = read_headers(life, base_bytes);
	f->w = (struct vk_lab_writing){.disk = disk, .base_bytes = base_bytes, .device = &life->device};
	if (status == VK_OK)
		status = find_maker(life);
	if (status == VK_OK)
		status = plan(life);
	if (status == VK_OK) {
		vk_lab_set_geometry(f);
		status = vk_lab_pools_open(f);
	}
	/* large blocks may have become small ones since */
	if (status == VK_OK && f->vmfs6)
		status = read_resource(life, VK_SYSTEM_FBB, f->files->of[VK_SYSTEM_FBB].resource.childMetaOffset,
				       &f->w.files.small);
	return status == VK_OK ? open_record(life) : status;
}

enum vk_status vk_life_close(struct vk_life *life)
{
	enum vk_status status = VK_OK;

	if (life->f != NULL)
		vk_lab_pools_free(life->f);
	free(life->f);
	vk_life_record_free(&life->record);
	if (life->log != NULL && fclose(life->log) != 0)
		status = vk_error_errno(life->err, errno, life->path, "the record could not be written");
	*life = (struct vk_life){NULL};
	return status;
}

/* The search for free resources begins somewhere, but at the same place however often the volume is opened between. */
static void set_cursors(struct vk_life *life)
{
	for (unsigned k = 0; k < VK_LAB_POOLS; k++) {
		struct vk_lab_pool *p = &life->f->pools[k];
		uint64_t first = k == VK_LAB_POOL_SMALL ? life->f->files->used_blocks : 0;

		if (p->count > first)
			p->cursor = first + vk_life_random(life, vk_min_u64(p->count - first, CURSOR_MOST));
	}
}

enum vk_status vk_life_moment(struct vk_life *life, const char *what, const char *path)
{
	uint64_t moment = life->record.count == 0 ? 0 : life->record.moment + 1;
	struct vk_lab_fill *f = life->f;
	enum vk_status status;

	/* several moments in a second */
	f->now = life->device.fs.creationTime + SECONDS_AFTER + (uint32_t)moment / MOMENTS_EACH;
	f->w.locks = LOCKS_BEFORE + moment * LOCKS_EACH;
	life->drawn = 0;
	status = vk_life_note(life, "M %" PRIu64 " %" PRIu32 " %s %s", moment, f->now, what, path);
	set_cursors(life);
	return status;
}

uint64_t vk_life_random(struct vk_life *life, uint64_t most)
{
	/* what is drawn before a moment begins is that moment's */
	return vk_lab_random(life->seed, "history", (life->record.moment << 16) + life->drawn++) % most;
}

enum vk_status vk_life_note(struct vk_life *life, const char *fmt, ...)
{
	char line[VK_LIFE_PATH_BYTES + 200];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line))
		return vk_error_set(life->err, VK_USAGE, NULL, "the path is too long for a history");
	if (fprintf(life->log, "%s\n", line) < 0)
		return vk_error_errno(life->err, errno, life->path, "the record could not be written");
	return vk_life_record_add(&life->record, line, life->err);
}
