/* SPDX-License-Identifier: Apache-2.0 */
/* A store for tests, opened or the test fails. */
#ifndef VK_TEST_STORE_H
#define VK_TEST_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmfskit/store.h"

static inline struct vk_store *test_store(const char *path, enum vk_store_use use)
{
	const struct vk_store_options options = {.use = use};
	struct vk_store *store;
	struct vk_error err = {.status = VK_OK};

	if (vk_store_open(path, &options, &store, &err) != VK_OK)
		fail_msg("the store cannot be opened: %s (%s)", err.what, err.where);
	return store;
}

#endif
