/* SPDX-License-Identifier: Apache-2.0 */
/* A history of captures to be decided on. */
#ifndef VK_TEST_RETENTION_HISTORY_H
#define VK_TEST_RETENTION_HISTORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/civil.h"
#include "vmfskit/retention.h"

enum { MAX_ITEMS = 400, ID_BYTES = 40 };

static char ids[MAX_ITEMS][ID_BYTES];
static struct vk_retention_item items[MAX_ITEMS];
static size_t count;

static inline struct vk_retention_item *add(int64_t seconds, const char *disk, const char *header)
{
	struct vk_retention_item *item = &items[count];

	assert_true(count < MAX_ITEMS);
	snprintf(ids[count], sizeof(ids[count]), "c%zu", count);
	*item = (struct vk_retention_item){
		.id = ids[count], .disk = disk, .header = header, .unix_seconds = seconds};
	count++;
	return item;
}

static inline void decide(unsigned daily, unsigned weekly, unsigned monthly, unsigned yearly)
{
	const struct vk_retention_policy policy = {daily, weekly, monthly, yearly};
	struct vk_error err;

	assert_int_equal(vk_retention_decide(items, count, &policy, &err), VK_OK);
	for (size_t i = 0; i < count; i++)
		assert_true(items[i].why[0] != '\0');
}

#endif
