/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capture that undoes a restore: taken, read again from its files and compared before
 * anything is written.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/checked.h"
#include "io/range_set.h"
#include "store/capture/taking.h"
#include "store/plan/plan.h"

/* The saver's buffer, one half for the file and one for the target. */
static enum vk_status compare_region(struct vk_taking *taking, const struct vk_region *region,
				     const struct vk_range_set *unreadable, int fd, struct vk_error *err)
{
	const size_t half = VK_FILE_BUFFER_BYTES / 2;
	uint8_t *saved = taking->saver.buf;
	uint8_t *now = taking->saver.buf + half;
	struct vk_digest *digest = &taking->saver.digest;
	char sha256[VK_SHA256_HEX_BYTES];

	for (uint64_t pos = 0; pos < region->length_bytes;) {
		uint64_t offset = region->offset_bytes + pos;
		uint64_t length = vk_min_u64(half, region->length_bytes - pos);
		bool skip = vk_range_set_holds(unreadable, offset, &length);
		size_t len;
		enum vk_status status;

		len = (size_t)vk_min_u64(vk_min_u64(length, half), region->length_bytes - pos);
		if (!vk_pread_all(fd, saved, len, pos))
			return vk_error_set(err, VK_IO, region->file,
					    "the undo capture cannot be read back");
		vk_digest_add(digest, saved, len);
		if (!skip) {
			status = vk_io_read_all(taking->saver.io, offset, now, len, err);
			if (status != VK_OK)
				return status;
			if (memcmp(saved, now, len) != 0) {
				vk_error_set(err, VK_IO, region->file,
					     "the target changed while its undo capture was taken");
				return vk_error_remedy(err, "check that nothing writes to the target");
			}
		}
		pos += len;
	}
	if (!vk_digest_take(digest, sha256) || strcmp(sha256, region->sha256) != 0)
		return vk_error_set(err, VK_IO, region->file,
				    "the undo capture does not read back as it was written");
	return VK_OK;
}

/* What was saved, read from its files, against the target as it is now. */
static enum vk_status compare(struct vk_taking *taking, struct vk_error *err)
{
	const struct vk_capture *c = &taking->manifest.capture;
	struct vk_range_set unreadable = {.count = 0};
	enum vk_status status = vk_range_set_add_all(&unreadable, c->unreadable, c->unreadable_count)
					? VK_OK
					: vk_no_memory(err, NULL);

	for (size_t i = 0; i < c->region_count && status == VK_OK; i++) {
		const struct vk_region *region = &c->regions[i];
		uint64_t length;
		int fd;

		status = vk_folder_open_fresh(taking->folder.fd, region->file, &fd, &length, err);
		if (status != VK_OK)
			break;
		status = length == region->length_bytes
				 ? compare_region(taking, region, &unreadable, fd, err)
				 : vk_error_set(err, VK_IO, region->file,
						"the undo capture does not have its length");
		close(fd);
	}
	vk_range_set_free(&unreadable);
	return status;
}

static enum vk_status take_undo(struct vk_taking *taking, struct vk_io *target,
				const struct vk_capture *of, const struct vk_region *regions,
				size_t count, const struct vk_capture_options *options,
				char ret_id[VK_CAPTURE_ID_BYTES], struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;
	enum vk_status status = vk_taking_begin(taking, target, vk_io_name(target), options, "-undo", err);

	if (status != VK_OK)
		return status;
	c->is_undo = true;
	memcpy(c->undo_of, of->id, sizeof(c->undo_of));
	c->source_kind = of->source_kind;
	c->table_kind = of->table_kind;
	if (options->sector_size != 0)
		c->sector_size = options->sector_size;
	status = vk_taking_set(taking, regions, count, of->identities, of->identity_count, err);
	if (status != VK_OK)
		return status;
	if (count > 0)
		qsort(c->regions, count, sizeof(*c->regions), vk_region_compare);
	if (!vk_manifest_check_ranges(c, NULL))
		return vk_error_set(err, VK_USAGE, vk_io_name(target),
				    "the regions of an undo capture overlap or lie outside the target");
	status = vk_taking_copy(taking, err);
	if (status == VK_OK)
		status = vk_folder_flush(&taking->folder, err);
	if (status == VK_OK)
		status = compare(taking, err);
	taking->reread = true;
	return status == VK_OK ? vk_taking_commit(taking, ret_id, err) : status;
}

enum vk_status vk_capture_take_undo(struct vk_io *target, const struct vk_capture *of,
				    const struct vk_region *regions, size_t count,
				    const struct vk_capture_options *options,
				    char ret_id[VK_CAPTURE_ID_BYTES], struct vk_error *err)
{
	struct vk_taking *taking = vk_taking_new();
	enum vk_status status = taking != NULL ? take_undo(taking, target, of, regions, count, options, ret_id, err)
					       : vk_no_memory(err, vk_io_name(target));

	vk_taking_free(taking);
	return status;
}
