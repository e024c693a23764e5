/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping the regions of a capture in memory: what is used of it later is what was digested here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/checked.h"
#include "store/capture/region_io.h"
#include "store/folder/save.h"
#include "store/verify/verify.h"

enum { PAGE_BYTES = 4096 };

struct holding {
	const struct vk_capture *capture;
	int folder_fd;
	struct vk_held_region *held; /* one for each region */
	struct vk_saver saver;
	struct vk_keeping to;
	const struct vk_finding_sink *sink;
	bool is_broken; /* verify found that its bytes are wrong */
};

static void pass_on(void *ctx, const struct vk_finding *finding)
{
	struct holding *h = ctx;

	h->is_broken = h->is_broken || vk_finding_flaw(finding->code) == VK_FLAW_BROKEN;
	vk_finding_put(h->sink, finding);
}

/* Only what verify did not see: a file that became another one since. */
static void report_region(const struct holding *h, const struct vk_region *r, enum vk_finding_code code,
			  const char *what)
{
	struct vk_finding finding;

	if (h->is_broken)
		return;
	vk_finding_init(&finding, code, r->offset_bytes, r->length_bytes, "%s: %s", r->file, what);
	vk_finding_put(h->sink, &finding);
}

/*
 * What verify said of the file need not be true of the one that is read now: all is judged again. What it holds is
 * kept also when it is not what was saved, for who goes on in spite of that.
 */
static enum vk_status keep_region(struct holding *h, size_t index, struct vk_error *err)
{
	const struct vk_region *r = &h->capture->regions[index];
	struct vk_error why = {.status = VK_OK};
	char sha256[VK_SHA256_HEX_BYTES];
	uint64_t length;
	int fd;
	enum vk_status status = vk_folder_open_file(h->folder_fd, r->file, &fd, &length, &why);

	if (status == VK_ABSENT || status == VK_DAMAGED) {
		report_region(h, r, VK_F_CAPTURE_FILE_MISSING, why.what);
		return VK_OK;
	}
	if (status != VK_OK) {
		*err = why;
		return status;
	}
	if (length != r->length_bytes)
		report_region(h, r, VK_F_CAPTURE_FILE_SIZE, "it does not have its length any more");
	h->to.start = h->held[index].start;
	h->held[index].length = vk_min_u64(length, r->length_bytes);
	errno = 0;
	if (!vk_saver_keep(&h->saver, fd, h->held[index].length, &h->to, sha256))
		status = errno == EFBIG ? vk_error_set(err, VK_UNSUPPORTED, h->capture->path,
						       "the capture holds more than %u MiB of data, more than any disk "
						       "gives",
						       (unsigned)(VK_HELD_MAX_BYTES >> 20))
					: vk_error_errno(err, errno, r->file, "the file cannot be read");
	else if (strcmp(sha256, r->sha256) != 0)
		report_region(h, r, VK_F_CAPTURE_DIGEST, "what was read is not what was saved");
	close(fd);
	return status;
}

static enum vk_status keep_regions(struct holding *h, struct vk_io **ret_io, struct vk_error *err)
{
	const struct vk_capture *c = h->capture;
	uint64_t at = 0;
	enum vk_status status = vk_saver_init(&h->saver, NULL, err);

	if (status != VK_OK)
		return status;
	h->to = (struct vk_keeping){.fd = -1, .room = VK_HELD_MAX_BYTES};
	h->held = calloc(c->region_count + 1, sizeof(*h->held));
	if (h->held == NULL)
		status = vk_no_memory(err, c->path);
	/* each region begins on a page of its own, so that holes stay holes */
	for (size_t i = 0; status == VK_OK && i < c->region_count; i++) {
		h->held[i].start = at;
		at = vk_round_up_sat(vk_add_sat(at, c->regions[i].length_bytes), PAGE_BYTES);
	}
	if (status == VK_OK) {
		h->to.fd = memfd_create("vmfskit-capture", MFD_CLOEXEC);
		if (h->to.fd < 0 || at > INT64_MAX || ftruncate(h->to.fd, (off_t)at) != 0)
			status = vk_error_errno(err, errno, c->path, "no memory for the capture");
	}
	for (size_t i = 0; status == VK_OK && i < c->region_count; i++)
		status = keep_region(h, i, err);
	vk_saver_free(&h->saver);
	if (status == VK_OK)
		return vk_region_io_held(c, h->to.fd, h->held, ret_io, err);
	if (h->to.fd >= 0)
		close(h->to.fd);
	free(h->held);
	return status;
}

/*
 * The manifest that is vouched for must be the one that the capture was opened with: its digests are those that count.
 */
static enum vk_status judge(struct holding *h, struct vk_vouching *vouching, unsigned *ret_by, struct vk_error *err)
{
	const struct vk_finding_sink sink = {.put = pass_on, .ctx = h};
	char sha256[VK_SHA256_HEX_BYTES];
	struct vk_finding finding;
	enum vk_status status = vk_verify_folder(h->folder_fd, h->capture->path, NULL, &sink, err);

	if (status == VK_OK)
		status = vk_vouch_folder(vouching, h->folder_fd, h->capture->path, h->sink, ret_by, sha256, err);
	if (status == VK_OK && strcmp(sha256, h->capture->manifest_sha256) != 0) {
		vk_finding_init(&finding, VK_F_CAPTURE_MANIFEST, 0, 0,
				"the manifest was replaced while the capture was read");
		vk_finding_put(h->sink, &finding);
		*ret_by = 0;
	}
	return status;
}

enum vk_status vk_capture_hold(struct vk_capture *capture, struct vk_vouching *vouching,
			       const struct vk_finding_sink *sink, unsigned *ret_by, struct vk_error *err)
{
	struct holding h = {.capture = capture, .sink = sink};
	struct vk_error own = {.status = VK_OK};
	enum vk_status status;

	err = err != NULL ? err : &own;
	*ret_by = 0;
	status = vk_folder_open(capture->path, &h.folder_fd, err);
	if (status != VK_OK)
		return status;
	status = judge(&h, vouching, ret_by, err);
	if (status == VK_OK)
		status = keep_regions(&h, &capture->held, err);
	close(h.folder_fd);
	return status;
}
