/* SPDX-License-Identifier: Apache-2.0 */
/* Reading back what a target holds: from the disk, past what the kernel remembers of it. */
#include "repair/target_read.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/checked.h"

static bool set_direct(const struct vk_target_reader *r, bool on)
{
	int flags = fcntl(r->fd, F_GETFL);

	return flags >= 0 && fcntl(r->fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

/*
 * All of the file: of a range the kernel keeps the pages that it only partly covers, and a sector is a part of a page.
 */
static void go_cached(struct vk_target_reader *r)
{
	r->cached = true;
	(void)posix_fadvise(r->fd, 0, 0, POSIX_FADV_DONTNEED);
}

void vk_target_read_begin(struct vk_target_reader *r)
{
	if (!r->is_device && !set_direct(r, true))
		go_cached(r);
}

void vk_target_read_end(const struct vk_target_reader *r)
{
	if (!r->is_device)
		(void)set_direct(r, false);
}

/* The file system took the flag and refuses the read. */
static bool leave_direct(struct vk_target_reader *r)
{
	if (r->is_device || r->cached || !set_direct(r, false))
		return false;
	go_cached(r);
	return true;
}

/*
 * At least need of want bytes from start on into the buffer; start and want are aligned, the end of the target may
 * not be.
 */
static enum vk_status read_window(struct vk_target_reader *r, uint64_t start, size_t need, size_t want,
				  struct vk_error *err)
{
	size_t got = 0;

	while (got < need) {
		size_t at = got - got % VK_TARGET_ALIGN_BYTES;
		ssize_t n = pread(r->fd, r->buf + at, want - at, (off_t)(start + at));

		if (n < 0 && (errno == EINTR || (errno == EINVAL && leave_direct(r))))
			continue;
		if (n < 0 || at + (size_t)n <= got) {
			vk_error_errno(err, n < 0 ? errno : EIO, r->path, "Cannot read the target");
			return vk_error_at(err, start + got);
		}
		got = at + (size_t)n;
	}
	return VK_OK;
}

enum vk_status vk_target_compare(struct vk_target_reader *r, uint64_t offset, const uint8_t *want, size_t len,
				 bool *ret_same, uint64_t *ret_at, struct vk_error *err)
{
	*ret_same = true;
	for (size_t done = 0; done < len && *ret_same;) {
		uint64_t at = offset + done;
		size_t lead = (size_t)(at % VK_TARGET_ALIGN_BYTES);
		size_t n = (size_t)vk_min_u64(len - done, VK_TARGET_BUFFER_BYTES - lead);
		enum vk_status status =
			read_window(r, at - lead, lead + n,
				    (size_t)vk_round_up_sat(lead + n, VK_TARGET_ALIGN_BYTES), err);

		if (status != VK_OK)
			return status;
		for (size_t i = 0; i < n && *ret_same; i++) {
			*ret_same = r->buf[lead + i] == want[done + i];
			*ret_at = at + i;
		}
		done += n;
	}
	return VK_OK;
}

bool vk_target_readable(struct vk_target_reader *r, uint64_t offset, size_t len, size_t sector, uint64_t *ret_at)
{
	for (size_t done = 0; done < len; done += sector) {
		uint64_t at = offset + done;
		size_t lead = (size_t)(at % VK_TARGET_ALIGN_BYTES);
		size_t whole = (size_t)vk_round_up_sat(lead + sector, VK_TARGET_ALIGN_BYTES);
		struct vk_error ignored;

		*ret_at = at;
		if (read_window(r, at - lead, lead + sector, whole, &ignored) == VK_OK)
			return true;
	}
	return false;
}
