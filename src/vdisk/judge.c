/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with virtual disks, and with the chains that they make. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/shown.h"
#include "fs/fs_parts.h"
#include "vdisk/vdisk.h"

#define PROBLEM_ROW(id, name, finding, text) {name, finding, text},
static const struct {
	const char *name;
	enum vk_finding_code finding;
	const char *text;
} problems[] = {VK_VDISK_PROBLEMS(PROBLEM_ROW)};

const char *vk_vdisk_problem_name(enum vk_vdisk_problem problem)
{
	return problems[problem].name;
}

const char *vk_vdisk_problem_text(enum vk_vdisk_problem problem)
{
	return problems[problem].text;
}

const char *vk_vdisk_cid_name(enum vk_vdisk_cid cid)
{
	static const char *const names[] = {"none", "fits", "differs", "unknown"};

	return names[cid];
}

static void note(struct vk_vdisk *disk, enum vk_vdisk_problem problem)
{
	disk->problems |= 1U << problem;
}

static enum vk_vdisk_kind kind_of(const struct vk_vdisk_extent *extent)
{
	switch (extent->type) {
	case VK_VMDK_VMFS:
	case VK_VMDK_FLAT:
		return VK_VDISK_FLAT;
	case VK_VMDK_VMFSSPARSE:
		return VK_VDISK_DELTA;
	case VK_VMDK_SESPARSE:
		return VK_VDISK_SESPARSE;
	case VK_VMDK_SPARSE:
		return VK_VDISK_HOSTED;
	default:
		return vk_vdisk_kind_of_name(extent->name);
	}
}

/* The header that data of a kind begins with. */
static enum vk_vmdk_magic magic_of(enum vk_vdisk_kind kind)
{
	switch (kind) {
	case VK_VDISK_DELTA:
		return VK_VMDK_COWD;
	case VK_VDISK_SESPARSE:
		return VK_VMDK_SESPARSE_MAGIC;
	case VK_VDISK_HOSTED:
		return VK_VMDK_KDMV;
	default:
		return VK_VMDK_NO_MAGIC;
	}
}

static bool is_read(const struct vk_vdisks *list, const struct vk_vdisk *disk)
{
	return disk->descriptor != SIZE_MAX && list->files[disk->descriptor].is_descriptor;
}

/* Of a file with the name of one, that is none. */
static enum vk_vdisk_problem why_no_descriptor(const struct vk_vdisk_file *file)
{
	static const enum vk_vdisk_problem why[] = {VK_VDISK_P_DESCRIPTOR_ABSENT, VK_VDISK_P_DESCRIPTOR_UNREAD,
						    VK_VDISK_P_DESCRIPTOR_DAMAGED, VK_VDISK_P_DESCRIPTOR_DAMAGED};

	if (file->status == VK_OK && file->size_bytes > VK_VMDK_TEXT_BYTES)
		return VK_VDISK_P_DESCRIPTOR_LONG;
	return file->status != VK_OK || file->missing_bytes > 0 ? why[file->lack] : VK_VDISK_P_DESCRIPTOR_DAMAGED;
}

static void judge_descriptor(const struct vk_vdisk_making *m, struct vk_vdisk *disk)
{
	const struct vk_vdisk_file *file = disk->descriptor != SIZE_MAX ? &m->disks->files[disk->descriptor] : NULL;

	if (!is_read(m->disks, disk))
		disk->cid_check = VK_VDISK_CID_UNKNOWN;
	if (file == NULL) {
		note(disk, m->disks->incomplete || m->disks->unread ? VK_VDISK_P_DESCRIPTOR_ABSENT
								    : VK_VDISK_P_DESCRIPTOR_LOST);
	} else if (file->is_descriptor) {
		if (disk->extent_count == 0)
			note(disk, VK_VDISK_P_NO_EXTENT);
	} else if (disk->extent_count == 0 && file->header.magic == VK_VMDK_KDMV) {
		/* the descriptor is within */
		disk->kind = VK_VDISK_HOSTED;
		disk->has_size = true;
		disk->size_bytes = vk_mul_sat(file->header.capacity_sectors, 512);
		disk->allocated_bytes = file->allocated_bytes;
		disk->missing_bytes = file->missing_bytes;
	} else {
		note(disk, why_no_descriptor(file));
	}
}

/* Whether a data file has the length that its line demands; how many sectors it has, and should have. */
static bool length_fits(const struct vk_vdisk_extent *extent, const struct vk_vdisk_file *file, uint64_t *ret_seen,
			uint64_t *ret_expected)
{
	*ret_expected = vk_add_sat(extent->start_sector, extent->sectors);
	*ret_seen = file->size_bytes / 512;
	if (magic_of(kind_of(extent)) != VK_VMDK_NO_MAGIC) {
		*ret_seen = file->header.capacity_sectors;
		*ret_expected = extent->sectors;
		return *ret_seen == *ret_expected;
	}
	if (extent->type == VK_VMDK_FLAT)
		return *ret_seen >= *ret_expected;
	/* the length of a mapping is that of a LUN, which may grow */
	return extent->type != VK_VMDK_VMFS || file->raw ||
	       (*ret_seen == *ret_expected && file->size_bytes % 512 == 0);
}

static void judge_length(const struct vk_vdisk_making *m, struct vk_vdisk *disk, const struct vk_vdisk_extent *extent,
			 const struct vk_vdisk_file *file)
{
	const enum vk_vmdk_magic magic = magic_of(kind_of(extent));
	uint64_t seen, expected;

	if (magic != VK_VMDK_NO_MAGIC && !file->header_seen)
		return;
	if (file->header.magic != magic && magic != VK_VMDK_NO_MAGIC)
		note(disk, VK_VDISK_P_HEADER);
	else if (is_read(m->disks, disk) && !length_fits(extent, file, &seen, &expected))
		note(disk, VK_VDISK_P_SIZE);
}

static void judge_file(const struct vk_vdisk_making *m, struct vk_vdisk *disk, const struct vk_vdisk_extent *extent)
{
	static const enum vk_vdisk_problem lacking[] = {VK_VDISK_P_DATA_ABSENT, VK_VDISK_P_DATA_UNREAD,
							VK_VDISK_P_DATA_UNPLACED, VK_VDISK_P_DATA_UNPLACED};
	const struct vk_vdisk_file *file = &m->disks->files[extent->file];

	if (file->named_by > 1)
		note(disk, VK_VDISK_P_DATA_SHARED);
	if (file->status != VK_OK) {
		note(disk, file->lack >= VK_LACK_ZEROS ? VK_VDISK_P_DATA_DAMAGED : lacking[file->lack]);
		return;
	}
	if (!extent->again) {
		disk->allocated_bytes = vk_add_sat(disk->allocated_bytes, file->allocated_bytes);
		disk->missing_bytes = vk_add_sat(disk->missing_bytes, file->missing_bytes);
	}
	if (file->missing_bytes > 0)
		note(disk, lacking[file->lack]);
	judge_length(m, disk, extent, file);
}

static void judge_extents(const struct vk_vdisk_making *m, struct vk_vdisk *disk)
{
	uint64_t sectors = 0;

	for (size_t i = 0; i < disk->extent_count; i++) {
		const struct vk_vdisk_extent *extent = &disk->extents[i];

		sectors = vk_add_sat(sectors, extent->sectors);
		if (extent->place == VK_VDISK_HERE)
			judge_file(m, disk, extent);
		else if (extent->place == VK_VDISK_ELSEWHERE)
			note(disk, VK_VDISK_P_DATA_ELSEWHERE);
		else if (extent->type != VK_VMDK_ZERO)
			note(disk, extent->place == VK_VDISK_NOT_FOUND ? VK_VDISK_P_DATA_ABSENT
								       : VK_VDISK_P_DATA_LOST);
	}
	if (disk->extent_count == 0)
		return;
	if (disk->kind == VK_VDISK_UNKNOWN)
		disk->kind = kind_of(&disk->extents[0]);
	if (is_read(m->disks, disk)) {
		disk->size_bytes = vk_mul_sat(sectors, 512);
	} else {
		/* the data file alone tells it */
		const struct vk_vdisk_file *file = &m->disks->files[disk->extents[0].file];
		const bool sparse = magic_of(disk->kind) != VK_VMDK_NO_MAGIC;

		disk->has_size = file->status == VK_OK && (!sparse || file->header.magic == magic_of(disk->kind));
		disk->size_bytes = sparse ? vk_mul_sat(file->header.capacity_sectors, 512) : file->size_bytes;
	}
}

static bool has_parent(const struct vk_vdisk *disk)
{
	return disk->has_parent_cid ? disk->parent_cid != VK_VMDK_NO_PARENT : disk->parent_hint != NULL;
}

/* The parent is a file which is no descriptor among those of the list. */
static void judge_other_parent(const struct vk_vdisk_file *file, struct vk_vdisk *disk)
{
	if (file->status == VK_ABSENT || file->status == VK_IO || file->missing_bytes > 0)
		note(disk, VK_VDISK_P_PARENT_ABSENT);
	else if (!file->is_descriptor)
		note(disk, VK_VDISK_P_PARENT_NONE);
}

/* disk_of: the disk of each file that is a descriptor; SIZE_MAX: none. */
static void find_parent(struct vk_vdisk_making *m, struct vk_vdisk *disk, const size_t *disk_of, size_t known)
{
	const struct vk_vdisk *parent;
	size_t file;

	if (!has_parent(disk))
		return;
	disk->cid_check = VK_VDISK_CID_UNKNOWN;
	disk->parent_place = vk_vdisk_resolve(m, disk->path, disk->parent_hint != NULL ? disk->parent_hint : "", &file);
	if (disk->parent_place == VK_VDISK_HERE && file < known)
		disk->parent = disk_of[file];
	if (disk->parent_place == VK_VDISK_ELSEWHERE)
		note(disk, VK_VDISK_P_PARENT_ELSEWHERE);
	else if (disk->parent_place == VK_VDISK_NOT_FOUND)
		note(disk, VK_VDISK_P_PARENT_ABSENT);
	else if (disk->parent_place != VK_VDISK_HERE)
		note(disk, VK_VDISK_P_PARENT_LOST);
	if (disk->parent == SIZE_MAX) {
		if (disk->parent_place == VK_VDISK_HERE)
			judge_other_parent(&m->disks->files[file], disk);
		return;
	}
	parent = &m->disks->disks[disk->parent];
	if (!parent->has_cid || !disk->has_parent_cid)
		return;
	disk->cid_check = parent->cid == disk->parent_cid ? VK_VDISK_CID_FITS : VK_VDISK_CID_DIFFERS;
	if (disk->cid_check == VK_VDISK_CID_DIFFERS)
		note(disk, VK_VDISK_P_CID);
}

/* What is wrong with a disk itself. */
static uint32_t own_problems(const struct vk_vdisk *disk)
{
	const uint32_t of_chain = 1U << VK_VDISK_P_CHAIN_LOOP | 1U << VK_VDISK_P_CHAIN_LONG |
				  1U << VK_VDISK_P_PARENT_PROBLEM | 1U << VK_VDISK_P_PARENT_PARTLY;

	return disk->problems & ~of_chain;
}

static bool is_wrong(const struct vk_vdisk *disk)
{
	const uint32_t own = own_problems(disk);

	for (unsigned p = 0; p < VK_VDISK_P_COUNT; p++)
		if ((own >> p & 1) != 0 && problems[p].finding != VK_F_COUNT)
			return true;
	return false;
}

/* met: the disk from which each one was met last, and one more. */
static void follow(struct vk_vdisk *disks, size_t start, size_t *met)
{
	size_t at = start;

	for (unsigned links = 0; at != SIZE_MAX; at = disks[at].parent, links++) {
		if (met[at] == start + 1) {
			note(&disks[start], VK_VDISK_P_CHAIN_LOOP);
			return;
		}
		if (links == VK_VDISK_CHAIN_MAX) {
			note(&disks[start], VK_VDISK_P_CHAIN_LONG);
			return;
		}
		met[at] = start + 1;
		if (at != start && is_wrong(&disks[at]))
			note(&disks[start], VK_VDISK_P_PARENT_PROBLEM);
		else if (at != start && own_problems(&disks[at]) != 0)
			note(&disks[start], VK_VDISK_P_PARENT_PARTLY);
	}
}

void vk_vdisk_judge(struct vk_vdisk_making *m)
{
	const size_t files = m->disks->file_count, count = m->disks->count;
	size_t *disk_of = calloc(files + 1, sizeof(*disk_of)), *met = calloc(count + 1, sizeof(*met));

	if (disk_of == NULL || met == NULL)
		m->status = vk_no_memory(m->err, NULL);
	for (size_t i = 0; m->status == VK_OK && i < files; i++)
		disk_of[i] = SIZE_MAX;
	for (size_t i = 0; m->status == VK_OK && i < count; i++)
		if (m->disks->disks[i].descriptor != SIZE_MAX)
			disk_of[m->disks->disks[i].descriptor] = i;
	for (size_t i = 0; m->status == VK_OK && i < count; i++) {
		judge_descriptor(m, &m->disks->disks[i]);
		judge_extents(m, &m->disks->disks[i]);
		find_parent(m, &m->disks->disks[i], disk_of, files);
	}
	for (size_t i = 0; m->status == VK_OK && i < count; i++)
		follow(m->disks->disks, i, met);
	free(disk_of);
	free(met);
}

/* The next disk below that is wrong; the chain has one. */
static const char *wrong_parent(const struct vk_vdisks *list, const struct vk_vdisk *disk)
{
	do
		disk = &list->disks[disk->parent];
	while (!is_wrong(disk));
	return disk->path;
}

/* What stands there and what should; empty where the sentence says it all. */
static void details(const struct vk_vdisks *list, const struct vk_vdisk *disk, enum vk_vdisk_problem problem,
		    struct vk_phrase *ret_seen, struct vk_phrase *ret_expected)
{
	uint64_t seen, expected;

	if (problem == VK_VDISK_P_PARENT_PROBLEM)
		*ret_seen = vk_phrase("%s", vk_shown_name(wrong_parent(list, disk)).text);
	if (problem == VK_VDISK_P_PARENT_LOST || problem == VK_VDISK_P_PARENT_NONE)
		*ret_seen = vk_phrase("%s", disk->parent_hint != NULL ? vk_shown_name(disk->parent_hint).text
								      : "no name of it");
	if (problem == VK_VDISK_P_CID) {
		*ret_seen = vk_phrase("%08" PRIx32 ", CID of the parent", list->disks[disk->parent].cid);
		*ret_expected = vk_phrase("%08" PRIx32 ", parentCID", disk->parent_cid);
	}
	for (size_t i = 0; i < disk->extent_count; i++) {
		const struct vk_vdisk_extent *extent = &disk->extents[i];

		if (problem == VK_VDISK_P_DATA_LOST && extent->place != VK_VDISK_HERE && ret_seen->text[0] == '\0')
			*ret_seen = vk_phrase("%s", vk_shown_name(extent->name).text);
		if (problem == VK_VDISK_P_SIZE && extent->place == VK_VDISK_HERE &&
		    !length_fits(extent, &list->files[extent->file], &seen, &expected)) {
			*ret_seen = vk_phrase("%" PRIu64 " sectors of data", seen);
			*ret_expected = vk_phrase("%" PRIu64, expected);
		}
	}
}

void vk_vdisks_say(const struct vk_fs *fs, const struct vk_vdisks *list, size_t number,
		   const struct vk_finding_sink *sink)
{
	const struct vk_vdisk *disk = &list->disks[number];
	const size_t file = disk->descriptor != SIZE_MAX ? disk->descriptor : disk->extents[0].file;

	for (unsigned p = 0; p < VK_VDISK_P_COUNT; p++) {
		struct vk_phrase seen = {""}, expected = {""};

		if ((disk->problems >> p & 1) == 0 || problems[p].finding == VK_F_COUNT)
			continue;
		details(list, disk, (enum vk_vdisk_problem)p, &seen, &expected);
		vk_fs_say(fs, sink, list->files[file].address, problems[p].finding, list->files[file].volume_offset,
			  vk_fs_info(fs)->fd.fd_bytes,
			  seen.text[0] != '\0' ? seen.text : NULL, expected.text[0] != '\0' ? expected.text : NULL,
			  "%s: %s", vk_shown_name(disk->path).text, problems[p].text);
	}
}
