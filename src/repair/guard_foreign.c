/* SPDX-License-Identifier: Apache-2.0 */
/* Guard foreign-signature: does another system's data lie where would be written? libblkid knows them. */
#include <blkid/blkid.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "find/boot_sector.h"
#include "repair/guards.h"

/* Where is looked: the whole target, the place of a captured VMFS partition, or a partition the target has. */
struct field_of_view {
	uint64_t start;
	uint64_t length;
	unsigned partition;
	bool whole;
	bool own;
};

struct sign {
	char type[64];
	char label[128];
	char uuid[64];
	uint64_t offset; /* of its magic, on the target */
};
enum { AROUND_BYTES = 4096 };

static bool is_our_own(const char *type)
{
	return strncmp(type, "VMFS", 4) == 0;
}

/*
 * Bytes that are as they were captured belong to what was captured, whatever they look like. A magic is short
 * and says nothing of whose it is: the 4 KiB from its sector on are compared.
 */
static bool as_captured(const struct vk_restore *restore, const struct sign *sign)
{
	uint8_t seen[AROUND_BYTES], want[AROUND_BYTES];
	uint64_t start = sign->offset - sign->offset % 512; /* not the sectors before: a lost MBR */
	size_t len = (size_t)vk_min_u64(restore->target.size_bytes - start, AROUND_BYTES);
	struct vk_error ignored;

	/* what was rebuilt is the target itself, with whatever stands on it: no evidence of whose it was */
	return !restore->capture->is_rebuilt && start < restore->target.size_bytes &&
	       vk_io_read_all(restore->io, start, seen, len, &ignored) == VK_OK &&
	       vk_io_read_all(restore->captured_io, start, want, len, &ignored) == VK_OK &&
	       memcmp(seen, want, len) == 0;
}

static bool in_the_way(const struct vk_restore *restore, const struct field_of_view *view)
{
	return vk_restore_edits_meet(restore, view->start, view->length) ||
	       (!view->whole && vk_restore_edits_in_part(restore, VK_PART_TABLE));
}

static enum vk_status object_to(struct vk_restore *restore, const struct field_of_view *view,
				const struct sign *sign, struct vk_error *err)
{
	char where[64] = "the whole target", names[256] = "";
	size_t used = 0;

	if (view->own)
		snprintf(where, sizeof(where), "the target's own partition %u", view->partition);
	else if (!view->whole)
		snprintf(where, sizeof(where), "the place of partition %u", view->partition);
	if (sign->label[0] != '\0')
		used = (size_t)snprintf(names, sizeof(names), ", label \"%s\"", sign->label);
	if (sign->uuid[0] != '\0')
		snprintf(names + used, sizeof(names) - used, ", UUID %s", sign->uuid);
	return vk_guard_object(restore, VK_GUARD_FOREIGN_SIGNATURE, err,
			       "%s is on %s: its signature is at byte %" PRIu64 "%s", sign->type,
			       where, sign->offset, names);
}

static void put_value(blkid_probe probe, const char *name, char *text, size_t cap)
{
	struct vk_text out;
	const char *value;
	size_t len = 0;

	vk_text_init(&out, text, cap);
	if (blkid_probe_lookup_value(probe, name, &value, &len) != 0)
		return;
	/* a label is whatever stands on the disk */
	vk_text_label(&out, (const uint8_t *)value, len);
}

static bool take_sign(blkid_probe probe, const struct field_of_view *view, struct sign *sign)
{
	const char *value;

	memset(sign, 0, sizeof(*sign));
	put_value(probe, "TYPE", sign->type, sizeof(sign->type));
	if (sign->type[0] == '\0' || is_our_own(sign->type))
		return false;
	put_value(probe, "LABEL", sign->label, sizeof(sign->label));
	put_value(probe, "UUID", sign->uuid, sizeof(sign->uuid));
	sign->offset = view->start;
	if (blkid_probe_lookup_value(probe, "SBMAGIC_OFFSET", &value, NULL) == 0)
		sign->offset = vk_add_sat(view->start, strtoull(value, NULL, 10));
	return true;
}

static enum vk_status look_at_boot_sector(struct vk_restore *restore,
					  const struct field_of_view *view, struct vk_error *err)
{
	const struct vk_boot_sector *boot;
	uint8_t sector[512];
	struct vk_error ignored;

	/* libblkid passes over those whose file system is not whole */
	if (view->length < sizeof(sector) ||
	    vk_io_read_all(restore->io, view->start, sector, sizeof(sector), &ignored) != VK_OK)
		return VK_OK;
	boot = vk_boot_sector_of(sector);
	if (boot != NULL) {
		struct sign sign = {.offset = view->start + boot->at};

		snprintf(sign.type, sizeof(sign.type), "%s", boot->name);
		if (!as_captured(restore, &sign))
			return object_to(restore, view, &sign, err);
	}
	return VK_OK;
}

enum { SIGNS_MAX = 32, OWN_LOOKS_MAX = 256 };

static enum vk_status look(struct vk_restore *restore, int fd, const struct field_of_view *view,
			   struct vk_error *err)
{
	blkid_probe probe = blkid_new_probe();
	enum vk_status status = VK_OK;
	size_t found = 0;

	if (probe == NULL)
		return vk_error_set(err, VK_NOMEM, restore->path, "Out of memory");
	if (blkid_probe_set_device(probe, fd, (blkid_loff_t)view->start,
				   (blkid_loff_t)view->length) != 0) {
		blkid_free_probe(probe);
		return vk_error_set(err, VK_IO, restore->path,
				    "Cannot look for signatures of other systems");
	}
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE |
							 BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_LABEL |
							 BLKID_SUBLKS_UUID);
	blkid_probe_filter_superblocks_usage(probe, BLKID_FLTR_ONLYIN,
					     BLKID_USAGE_FILESYSTEM | BLKID_USAGE_RAID |
						     BLKID_USAGE_CRYPTO | BLKID_USAGE_OTHER);
	for (int i = 0; i < SIGNS_MAX && status == VK_OK && blkid_do_probe(probe) == 0; i++) {
		struct sign sign;

		if (!take_sign(probe, view, &sign) || as_captured(restore, &sign))
			continue;
		status = object_to(restore, view, &sign, err);
		found++;
	}
	blkid_free_probe(probe);
	if (status == VK_OK && found == 0)
		status = look_at_boot_sector(restore, view, err);
	return status;
}

/* Cut to the target and looked at, when it would be hit or lose its entry in the table. */
static enum vk_status look_in(struct vk_restore *restore, int fd, struct field_of_view view,
			      struct vk_error *err)
{
	uint64_t size = restore->target.size_bytes;

	if (view.start == 0 || view.start >= size || view.length == 0)
		return VK_OK;
	view.length = vk_min_u64(view.length, size - view.start);
	return in_the_way(restore, &view) ? look(restore, fd, &view, err) : VK_OK;
}

static enum vk_status look_in_places(struct vk_restore *restore, int fd, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < restore->place_count && status == VK_OK; i++) {
		const struct vk_captured_place *place = &restore->places[i];

		status = look_in(restore, fd,
				 (struct field_of_view){.start = place->start_bytes,
							.length = place->length_bytes,
							.partition = place->identity->partition},
				 err);
	}
	return status;
}

/* What the target's own table names and the captured one does not, however broken that table is. */
static enum vk_status look_in_own(struct vk_restore *restore, int fd, struct vk_error *err)
{
	const struct vk_table *table = &restore->before.table;
	uint32_t ss = restore->target.sector_size;
	enum vk_status status = VK_OK;
	size_t looks = 0;

	if (restore->before.kind != VK_SOURCE_DISK)
		return VK_OK;
	for (size_t i = 0; i < table->partition_count && status == VK_OK; i++) {
		const struct vk_partition *partition = &table->partitions[i];
		struct field_of_view view = {.start = vk_mul_sat(partition->start_sector, ss),
					     .length = vk_mul_sat(partition->sectors, ss),
					     .partition = partition->number,
					     .own = true};
		bool seen = vk_partition_is_extended(partition) ||
			    (vk_partition_was_captured(restore, partition) &&
			     !vk_restore_edits_meet(restore, view.start, view.length));

		for (size_t p = 0; p < restore->place_count && !seen; p++)
			seen = restore->places[p].start_bytes == view.start;
		if (!seen && looks++ < OWN_LOOKS_MAX)
			status = look_in(restore, fd, view, err);
	}
	return status;
}

enum vk_status vk_guard_ask_foreign(struct vk_restore *restore, struct vk_error *err)
{
	struct field_of_view view = {.length = restore->target.size_bytes, .whole = true};
	enum vk_status status = VK_OK;
	int fd;

	if (restore->known_state || restore->target.size_bytes == 0 ||
	    vk_overlay_dirty_bytes(restore->overlay) == 0)
		return VK_OK;
	fd = open(restore->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return vk_error_set(err, VK_IO, restore->path, "Cannot open the target for reading");
	if (in_the_way(restore, &view))
		status = look(restore, fd, &view, err);
	if (status == VK_OK)
		status = look_in_places(restore, fd, err);
	if (status == VK_OK)
		status = look_in_own(restore, fd, err);
	close(fd);
	return status;
}
