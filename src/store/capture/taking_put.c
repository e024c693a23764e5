/* SPDX-License-Identifier: Apache-2.0 */
/* One file of a capture that is being made: from the disk, or from bytes; beside the file of the previous capture. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "store/capture/taking.h"

const char *vk_taking_file(const struct vk_taking *taking, size_t index, uint64_t *ret_length)
{
	const struct vk_capture *c = &taking->manifest.capture;

	if (index < c->region_count) {
		*ret_length = c->regions[index].length_bytes;
		return c->regions[index].file;
	}
	if (index == c->region_count) {
		*ret_length = taking->manifest.restore_bytes;
		return VK_RESTORE_FILE;
	}
	index -= c->region_count + 1;
	if (index < c->map_count) {
		*ret_length = c->maps[index].length_bytes;
		return c->maps[index].file;
	}
	index -= c->map_count;
	*ret_length = c->metadata[index].length_bytes;
	return c->metadata[index].file;
}

static enum vk_status copy_bytes(struct vk_saver *saver, const struct vk_taking_bytes *bytes, uint64_t length,
				 struct vk_region_file *file, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	if (bytes->text != NULL)
		return vk_region_file_bytes(file, 0, (const uint8_t *)bytes->text, (size_t)length, err);
	vk_digest_restart(&saver->digest);
	for (uint64_t pos = 0, n; pos < length && status == VK_OK; pos += n) {
		n = vk_min_u64(length - pos, VK_FILE_BUFFER_BYTES);
		if (!vk_pread_all(bytes->fd, saver->buf, (size_t)n, pos))
			return vk_error_errno(err, errno, file->file, "cannot read what was made of it");
		vk_digest_add(&saver->digest, saver->buf, (size_t)n);
		status = vk_region_file_bytes(file, pos, saver->buf, (size_t)n, err);
	}
	if (status == VK_OK && !vk_digest_take(&saver->digest, bytes->ret_sha256))
		status = vk_error_set(err, VK_INTERNAL, file->file, "the digest could not be computed");
	return status;
}

/* *ret_old_is_lost: of vk_region_file. */
static enum vk_status put_file(struct vk_taking *taking, size_t index, struct vk_previous *previous,
			       const struct vk_taking_bytes *bytes, bool *ret_old_is_lost, struct vk_error *err)
{
	struct vk_saver *saver = &taking->saver;
	struct vk_region_file file;
	uint64_t length;
	const char *name = vk_taking_file(taking, index, &length);
	enum vk_status status;

	*ret_old_is_lost = false;
	status = vk_region_file_begin(&file, &taking->folder, previous, name, length, &saver->sum,
				      &taking->written[index], err);
	if (status != VK_OK)
		return status;
	if (bytes != NULL)
		status = copy_bytes(saver, bytes, length, &file, err);
	else
		status = vk_saver_copy(saver, &taking->manifest.capture.regions[index], &file, err);
	if (status == VK_OK)
		status = vk_region_file_finish(&file, err);
	else
		vk_region_file_abandon(&file);
	*ret_old_is_lost = status != VK_OK && file.old_is_lost;
	return status;
}

/* What the previous capture has become costs this one nothing: the file is then made from the source alone. */
enum vk_status vk_taking_put(struct vk_taking *taking, size_t index, const struct vk_taking_bytes *bytes,
			     struct vk_error *err)
{
	struct vk_saver *saver = &taking->saver;
	struct vk_previous none = {.fd = -1};
	const size_t missing_count = saver->missing_count;
	/* more may have been added to the last one */
	const struct vk_missing last = missing_count > 0 ? saver->missing[missing_count - 1] : (struct vk_missing){0};
	uint64_t length;
	const char *file = vk_taking_file(taking, index, &length);
	bool old_is_lost;
	enum vk_status status = put_file(taking, index, &taking->previous, bytes, &old_is_lost, err);

	if (!old_is_lost)
		return status;
	saver->missing_count = missing_count;
	if (missing_count > 0)
		saver->missing[missing_count - 1] = last;
	vk_written_free(&taking->written[index]);
	if (unlinkat(taking->folder.fd, file, 0) != 0)
		return vk_folder_failed(&taking->folder, file, errno, "cannot make anew", err);
	return put_file(taking, index, &none, bytes, &old_is_lost, err);
}
