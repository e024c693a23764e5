/* SPDX-License-Identifier: Apache-2.0 */
/* Damage to practice disks, of the kinds that real ones suffer. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "lab/lab_break.h"

#define START_BYTES (21ULL << 20) /* LVM region, descriptor and the heartbeats of VMFS3 and 5 */

struct breaking {
	struct vk_lab_disk disk;
	const struct vk_lab_break *what;
	struct vk_lab_table table;
	vk_lab_damaged told;
	void *arg;
};

/* One of the chosen partitions, and where its structures lie. */
struct breaking_place {
	const struct vk_lab_found *found;
	struct vk_lab_places places;
};

/* Reported is only what was written. */
static void report_range(const struct breaking *b, const struct vk_lab_range *range, const char *what)
{
	if (b->told != NULL && b->disk.failed == VK_OK)
		b->told(b->arg, range, what);
}

static void zero(struct breaking *b, uint64_t offset, uint64_t length, const char *name, struct vk_error *err)
{
	const struct vk_lab_range range = {offset, length, name};

	if (length == 0)
		return;
	vk_lab_zero(&b->disk, offset, length, err);
	report_range(b, &range, "zeroed");
}

static void zero_ranges(struct breaking *b, const struct vk_lab_range *ranges, size_t count, struct vk_error *err)
{
	for (size_t i = 0; i < count; i++)
		zero(b, ranges[i].offset_bytes, ranges[i].length_bytes, ranges[i].name, err);
}

static enum vk_status break_table(struct breaking *b, struct vk_error *err)
{
	if (!b->table.mbr && !b->table.gpt)
		return vk_error_set(err, VK_ABSENT, b->disk.path, "The disk has no partition table");
	if (b->table.mbr)
		zero(b, 0, b->table.sector_size, "sector 0", err);
	zero_ranges(b, b->table.primary, 2, err);
	zero_ranges(b, b->table.backup, 2, err);
	return b->disk.failed;
}

static enum vk_status break_copy(struct breaking *b, struct vk_error *err)
{
	bool primary = strcmp(b->what->how, "primary") == 0;
	const struct vk_lab_range *copy = primary ? b->table.primary : b->table.backup;

	if (copy[0].length_bytes == 0)
		return vk_error_set(err, VK_ABSENT, b->disk.path, "The disk has no %s GPT", b->what->how);
	zero_ranges(b, copy, 2, err);
	return b->disk.failed;
}

static enum vk_status zero_magics(struct breaking *b, const struct breaking_place *p, struct vk_error *err)
{
	zero(b, p->places.lvm.offset_bytes, 4, "LVM magic", err);
	zero(b, p->places.fs.offset_bytes, 4, "file-system magic", err);
	return b->disk.failed;
}

static enum vk_status zero_headers(struct breaking *b, const struct breaking_place *p, struct vk_error *err)
{
	zero_ranges(b, &p->places.lvm, 1, err);
	zero_ranges(b, &p->places.fs, 1, err);
	return b->disk.failed;
}

static enum vk_status zero_start(struct breaking *b, const struct breaking_place *p, struct vk_error *err)
{
	zero(b, p->found->start_bytes, vk_min_u64(p->found->length_bytes, START_BYTES), "start of the partition", err);
	return b->disk.failed;
}

/* The slot of VMware's own example: "Corrupt heartbeat detected at offset 3305472: [HB state 0 offset 605283...". */
static enum vk_status corrupt_heartbeat(struct breaking *b, const struct breaking_place *p, struct vk_error *err)
{
	const struct vk_heartbeat hb = {.addr = 6052837899185946624ULL, .hbGen = 15439450, .stamp = 5};
	uint8_t raw[VK_HEARTBEAT_BYTES] = {0};
	const struct vk_lab_range slot = {p->places.heartbeats.offset_bytes + 0x27000, sizeof(raw),
					  "heartbeat slot at volume offset 3305472"};

	vk_heartbeat_encode(&hb, raw, sizeof(raw));
	vk_lab_put(&b->disk, slot.offset_bytes, raw, sizeof(raw), err);
	report_range(b, &slot, "corrupted");
	return b->disk.failed;
}

static enum vk_status put_ntfs(struct breaking *b, const struct vk_lab_found *found, struct vk_error *err)
{
	struct vk_lab_range ranges[2];

	vk_lab_put_ntfs(&b->disk, found->start_bytes, found->length_bytes, b->table.sector_size, ranges, err);
	for (size_t i = 0; i < 2; i++)
		report_range(b, &ranges[i], "overwritten");
	return b->disk.failed;
}

static enum vk_status break_ntfs(struct breaking *b, struct vk_error *err)
{
	return put_ntfs(b, &(struct vk_lab_found){.length_bytes = b->disk.size_bytes}, err);
}

static enum vk_status break_cut(struct breaking *b, struct vk_error *err)
{
	uint64_t to = b->what->to_bytes;
	const struct vk_lab_range gone = {to, b->disk.size_bytes - to, "end of the file"};

	if (b->disk.device)
		return vk_error_set(err, VK_USAGE, b->disk.path, "A block device cannot be cut");
	if (to > b->disk.size_bytes)
		return vk_error_set(err, VK_USAGE, b->disk.path, "The file is only %llu bytes long",
				    (unsigned long long)b->disk.size_bytes);
	if (ftruncate(b->disk.fd, (off_t)to) != 0)
		return vk_error_errno(err, errno, b->disk.path, "The file could not be cut");
	report_range(b, &gone, "cut off");
	return VK_OK;
}

/* Of the whole disk, or of each chosen partition. */
static const struct {
	const char *how;
	enum vk_status (*disk)(struct breaking *b, struct vk_error *err);
	enum vk_status (*place)(struct breaking *b, const struct breaking_place *p, struct vk_error *err);
} kinds[] = {
	{"table", break_table, NULL},  {"primary", break_copy, NULL},  {"backup", break_copy, NULL},
	{"magic", NULL, zero_magics},  {"header", NULL, zero_headers}, {"start", NULL, zero_start},
	{"ntfs", break_ntfs, NULL},    {"cut", break_cut, NULL},       {"heartbeat-corrupt", NULL, corrupt_heartbeat},
};

static enum vk_status break_each(struct breaking *b, size_t kind, struct vk_error *err)
{
	enum vk_status status = vk_lab_choose(&b->disk, &b->what->choice, &b->table, err);

	for (size_t i = 0; i < b->table.count && status == VK_OK; i++) {
		struct breaking_place p = {.found = &b->table.found[i]};

		if (b->what->at_partition) {
			status = put_ntfs(b, p.found, err);
			continue;
		}
		status = vk_lab_places_find(&b->disk, p.found, &p.places, err);
		if (status == VK_OK)
			status = kinds[kind].place(b, &p, err);
	}
	return status;
}

static enum vk_status break_open(struct breaking *b, struct vk_error *err)
{
	enum vk_status status;
	size_t i = 0;

	while (i < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[i].how, b->what->how) != 0)
		i++;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return vk_error_set(err, VK_USAGE, NULL, "There is no way to break called \"%s\"", b->what->how);
	if (kinds[i].place != NULL || b->what->at_partition)
		return break_each(b, i, err);
	if (kinds[i].disk == break_cut)
		return break_cut(b, err);
	status = vk_lab_table_read(&b->disk, b->what->choice.sector_size, &b->table, err);
	return status == VK_OK ? kinds[i].disk(b, err) : status;
}

static enum vk_status break_ext4(struct breaking *b, struct vk_error *err)
{
	const struct vk_lab_range all = {0, b->disk.size_bytes, "disk"};
	enum vk_status status = vk_lab_disk_close(&b->disk, err);

	if (status == VK_OK)
		status = vk_lab_mkfs_ext4(b->disk.path, err);
	if (status == VK_OK)
		report_range(b, &all, "formatted with ext4");
	return status;
}

enum vk_status vk_lab_break(const char *path, const struct vk_lab_break *what, vk_lab_damaged told,
			    void *arg, struct vk_error *err)
{
	struct breaking b = {.what = what, .told = told, .arg = arg};
	enum vk_status status = vk_lab_disk_open(path, what->really, &b.disk, err);

	if (status != VK_OK)
		return status;
	if (strcmp(what->how, "ext4") == 0)
		return break_ext4(&b, err);
	status = break_open(&b, err);
	if (status == VK_OK)
		return vk_lab_disk_close(&b.disk, err);
	vk_lab_disk_abandon(&b.disk);
	return status;
}
