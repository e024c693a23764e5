/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a capture of a disk that hosts may be changing. */
#include <stdlib.h>

#include "base/memory.h"
#include "store/capture/take.h"

/* One try. *ret_again: it changed meanwhile, and nothing of this try is left. */
static enum vk_status try_once(const struct vk_source *source, bool last,
			       const struct vk_capture_options *options,
			       const struct vk_finding_sink *sink, bool *ret_again,
			       char ret_id[VK_CAPTURE_ID_BYTES], struct vk_error *err)
{
	struct vk_taking *taking = calloc(1, sizeof(*taking));
	struct vk_findings changes = {.count = 0};
	enum vk_status status;

	if (taking == NULL)
		return vk_no_memory(err, source->path);
	vk_taking_init(taking);
	status = vk_take_copy(taking, source, options, err);
	if (status == VK_OK)
		status = vk_taking_moved(taking, source, &changes, err);
	*ret_again = status == VK_OK && changes.count > 0 && !last;
	if (status == VK_OK && !*ret_again)
		status = vk_take_finish(taking, source, options, &changes, sink, ret_id, err);
	vk_taking_end(taking);
	free(taking);
	vk_findings_free(&changes);
	return status;
}

enum vk_status vk_capture_take_live(
	enum vk_status (*open)(void *ctx, struct vk_source *ret_source, struct vk_error *err),
	void *ctx, const struct vk_capture_options *options, const struct vk_finding_sink *sink,
	char ret_id[VK_CAPTURE_ID_BYTES], struct vk_error *err)
{
	enum vk_status status = VK_OK;
	bool again = true;

	for (unsigned tries = 1; again && status == VK_OK; tries++) {
		struct vk_source source;

		status = open(ctx, &source, err);
		if (status != VK_OK)
			return status;
		again = false;
		status = try_once(&source, tries == VK_CAPTURE_TRIES, options, sink, &again, ret_id, err);
		vk_source_close(&source);
	}
	return status;
}
