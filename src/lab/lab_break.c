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
	vk_lab_damaged told;
	void *arg;
};

static void tell(const struct breaking *b, const struct vk_lab_range *range, const char *what)
{
	if (b->told != NULL)
		b->told(b->arg, range, what);
}

static enum vk_status zero(struct breaking *b, const struct vk_lab_range *range,
			   struct vk_error *err)
{
	enum vk_status status;

	if (range->length_bytes == 0)
		return VK_OK;
	status = vk_lab_zero(&b->disk, range->offset_bytes, range->length_bytes, err);
	if (status == VK_OK)
		tell(b, range, "zeroed");
	return status;
}

static enum vk_status zero_copy(struct breaking *b, const struct vk_lab_range copy[2],
				struct vk_error *err)
{
	enum vk_status status = zero(b, &copy[0], err);

	return status == VK_OK ? zero(b, &copy[1], err) : status;
}

static enum vk_status break_table(struct breaking *b, struct vk_error *err)
{
	struct vk_lab_table t;
	enum vk_status status = vk_lab_table_read(&b->disk, b->what->choice.sector_size, &t, err);

	if (status != VK_OK)
		return status;
	if (!t.mbr && !t.gpt)
		return vk_error_set(err, VK_ABSENT, b->disk.path, "The disk has no partition table");
	if (t.mbr)
		status = zero(b, &(struct vk_lab_range){0, t.sector_size, "sector 0"}, err);
	if (status == VK_OK)
		status = zero_copy(b, t.primary, err);
	return status == VK_OK ? zero_copy(b, t.backup, err) : status;
}

static enum vk_status break_copy(struct breaking *b, bool primary, struct vk_error *err)
{
	struct vk_lab_table t;
	enum vk_status status = vk_lab_table_read(&b->disk, b->what->choice.sector_size, &t, err);
	const struct vk_lab_range *copy = primary ? t.primary : t.backup;

	if (status != VK_OK)
		return status;
	if (copy[0].length_bytes == 0)
		return vk_error_set(err, VK_ABSENT, b->disk.path, "The disk has no %s GPT",
				    primary ? "primary" : "backup");
	return zero_copy(b, copy, err);
}

static enum vk_status break_primary(struct breaking *b, struct vk_error *err)
{
	return break_copy(b, true, err);
}

static enum vk_status break_backup(struct breaking *b, struct vk_error *err)
{
	return break_copy(b, false, err);
}

/* Do one thing to each chosen partition. */
static enum vk_status each(struct breaking *b,
			   enum vk_status (*one)(struct breaking *b, const struct vk_lab_found *found,
						 const struct vk_lab_places *places,
						 struct vk_error *err),
			   struct vk_error *err)
{
	struct vk_lab_table t;
	enum vk_status status = vk_lab_choose(&b->disk, &b->what->choice, &t, err);

	for (size_t i = 0; i < t.count && status == VK_OK; i++) {
		struct vk_lab_places places;

		status = vk_lab_places_find(&b->disk, &t.found[i], &places, err);
		if (status == VK_OK)
			status = one(b, &t.found[i], &places, err);
	}
	return status;
}

static enum vk_status zero_magics(struct breaking *b, const struct vk_lab_found *found,
				  const struct vk_lab_places *places, struct vk_error *err)
{
	const struct vk_lab_range lvm = {places->lvm.offset_bytes, 4, "LVM magic"};
	const struct vk_lab_range fs = {places->fs.offset_bytes, 4, "file-system magic"};
	enum vk_status status = zero(b, &lvm, err);

	(void)found;
	return status == VK_OK ? zero(b, &fs, err) : status;
}

static enum vk_status zero_headers(struct breaking *b, const struct vk_lab_found *found,
				   const struct vk_lab_places *places, struct vk_error *err)
{
	enum vk_status status = zero(b, &places->lvm, err);

	(void)found;
	return status == VK_OK ? zero(b, &places->fs, err) : status;
}

static enum vk_status zero_start(struct breaking *b, const struct vk_lab_found *found,
				 const struct vk_lab_places *places, struct vk_error *err)
{
	const struct vk_lab_range start = {found->start_bytes,
					   vk_min_u64(found->length_bytes, START_BYTES),
					   "start of the partition"};

	(void)places;
	return zero(b, &start, err);
}

/* The slot of VMware's own example: "Corrupt heartbeat detected at offset 3305472: [HB state 0 offset 605283...". */
static enum vk_status corrupt_heartbeat(struct breaking *b, const struct vk_lab_found *found,
					const struct vk_lab_places *places, struct vk_error *err)
{
	const struct vk_heartbeat hb = {
		.addr = 6052837899185946624ULL,
		.hbGen = 15439450,
		.stamp = 5,
	};
	uint8_t raw[VK_HEARTBEAT_BYTES] = {0};
	const struct vk_lab_range slot = {places->heartbeats.offset_bytes + 0x27000,
					  sizeof(raw), "heartbeat slot at volume offset 3305472"};
	enum vk_status status;

	(void)found;
	vk_heartbeat_encode(&hb, raw, sizeof(raw));
	status = vk_lab_put(&b->disk, slot.offset_bytes, raw, sizeof(raw), err);
	if (status == VK_OK)
		tell(b, &slot, "corrupted");
	return status;
}

static enum vk_status break_magic(struct breaking *b, struct vk_error *err)
{
	return each(b, zero_magics, err);
}

static enum vk_status break_header(struct breaking *b, struct vk_error *err)
{
	return each(b, zero_headers, err);
}

static enum vk_status break_start(struct breaking *b, struct vk_error *err)
{
	return each(b, zero_start, err);
}

static enum vk_status break_heartbeat(struct breaking *b, struct vk_error *err)
{
	return each(b, corrupt_heartbeat, err);
}

static enum vk_status break_ntfs(struct breaking *b, struct vk_error *err)
{
	struct vk_lab_found whole = {.length_bytes = b->disk.size_bytes};
	struct vk_lab_table t = {.count = 0};
	enum vk_status status = b->what->at_partition
					? vk_lab_choose(&b->disk, &b->what->choice, &t, err)
					: vk_lab_table_read(&b->disk, b->what->choice.sector_size, &t, err);

	if (!b->what->at_partition) {
		t.count = 1;
		t.found[0] = whole;
	}
	for (size_t i = 0; i < t.count && status == VK_OK; i++) {
		struct vk_lab_range ranges[2];

		status = vk_lab_put_ntfs(&b->disk, t.found[i].start_bytes, t.found[i].length_bytes,
					 t.sector_size, ranges, err);
		for (size_t k = 0; k < 2 && status == VK_OK; k++)
			tell(b, &ranges[k], "overwritten");
	}
	return status;
}

static enum vk_status break_cut(struct breaking *b, struct vk_error *err)
{
	uint64_t to = b->what->to_bytes;
	const struct vk_lab_range gone = {to, b->disk.size_bytes - to, "end of the file"};

	if (b->disk.device)
		return vk_error_set(err, VK_USAGE, b->disk.path, "A block device cannot be cut");
	if (to > b->disk.size_bytes)
		return vk_error_set(err, VK_USAGE, b->disk.path,
				    "The file is only %llu bytes long",
				    (unsigned long long)b->disk.size_bytes);
	if (ftruncate(b->disk.fd, (off_t)to) != 0)
		return vk_error_errno(err, errno, b->disk.path, "The file could not be cut");
	tell(b, &gone, "cut off");
	return VK_OK;
}

static const struct {
	const char *how;
	enum vk_status (*run)(struct breaking *b, struct vk_error *err);
} kinds[] = {
	{"table", break_table},   {"primary", break_primary}, {"backup", break_backup},
	{"magic", break_magic},   {"header", break_header},   {"start", break_start},
	{"ntfs", break_ntfs},     {"heartbeat-corrupt", break_heartbeat},
	{"cut", break_cut},
};

static enum vk_status break_ext4(struct breaking *b, struct vk_error *err)
{
	const struct vk_lab_range all = {0, b->disk.size_bytes, "disk"};
	enum vk_status status = vk_lab_disk_close(&b->disk, err);

	if (status == VK_OK)
		status = vk_lab_mkfs_ext4(b->disk.path, err);
	if (status == VK_OK)
		tell(b, &all, "formatted with ext4");
	return status;
}

enum vk_status vk_lab_break(const char *path, const struct vk_lab_break *what, vk_lab_damaged told,
			    void *arg, struct vk_error *err)
{
	struct breaking b = {.what = what, .told = told, .arg = arg};
	enum vk_status status = vk_lab_disk_open(path, what->really, &b.disk, err);
	size_t i = 0;

	if (status != VK_OK)
		return status;
	if (strcmp(what->how, "ext4") == 0)
		return break_ext4(&b, err);
	while (i < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[i].how, what->how) != 0)
		i++;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		status = vk_error_set(err, VK_USAGE, NULL, "There is no way to break called \"%s\"",
				      what->how);
	else
		status = kinds[i].run(&b, err);
	if (status != VK_OK) {
		vk_lab_disk_abandon(&b.disk);
		return status;
	}
	return vk_lab_disk_close(&b.disk, err);
}
