/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a store: a run finds it without what killed ones left. */
#include "store/folder/handle.h"
#include "store/sweep.h"

enum vk_status vk_store_open(const char *path, const struct vk_store_options *options,
			     struct vk_store **ret_store, struct vk_error *err)
{
	struct vk_store *store;
	enum vk_status status = vk_store_hold(path, options, &store, err);

	if (status == VK_OK && options->use == VK_STORE_RUN) {
		status = vk_store_sweep(store, options->sink, err);
		if (status != VK_OK)
			vk_store_close(store);
	}
	if (status == VK_OK)
		*ret_store = store;
	return status;
}
