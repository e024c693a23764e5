/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that ran out, in one wording; arrays that grow. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum vk_status vk_no_memory(struct vk_error *err, const char *where)
{
	vk_error_set(err, VK_NOMEM, where, "memory ran out");
	return VK_NOMEM;
}

void *vk_append(void *items, size_t *count, const void *item, size_t size)
{
	size_t n = *count;
	unsigned char *array;
	unsigned char *last;

	/* items is the address of some pointer type: its value is copied, not read through void ** */
	memcpy(&array, items, sizeof(array));
	/* the capacity is used up when the count is 0 or a power of two */
	if ((n & (n - 1)) == 0) {
		array = n > SIZE_MAX / 2 ? NULL : reallocarray(array, n == 0 ? 1 : 2 * n, size);
		if (array == NULL)
			return NULL;
		memcpy(items, &array, sizeof(array));
	}
	last = array + n * size;
	if (item != NULL)
		memcpy(last, item, size);
	else
		memset(last, 0, size);
	*count = n + 1;
	return last;
}

size_t vk_first_not_below(const void *items, size_t count, size_t size, uint64_t key,
			  uint64_t (*key_of)(const void *item))
{
	size_t low = 0;
	size_t high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (key_of((const unsigned char *)items + mid * size) < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
