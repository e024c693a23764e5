/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes in memory as a source. */
#include <stdlib.h>
#include <string.h>

#include "vmfskit/io.h"

struct memory {
	const uint8_t *bytes;
	uint8_t *owned;
};

static enum vk_status memory_read_at(void *self, uint64_t offset, void *buf, size_t len,
				     size_t *ret_got, struct vk_error *err)
{
	const struct memory *m = self;

	(void)err;
	memcpy(buf, m->bytes + offset, len);
	*ret_got = len;
	return VK_OK;
}

static void memory_close(void *self)
{
	struct memory *m = self;

	free(m->owned);
	free(m);
}

static const struct vk_io_ops memory_ops = {memory_read_at, NULL, memory_close};

struct vk_io *vk_io_memory(const char *name, const void *bytes, size_t len, bool copy)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->bytes = bytes;
	if (copy && len > 0) {
		m->owned = malloc(len);
		if (m->owned == NULL) {
			free(m);
			return NULL;
		}
		memcpy(m->owned, bytes, len);
		m->bytes = m->owned;
	}
	return vk_io_new(&memory_ops, m, name, len, 512);
}
