/* SPDX-License-Identifier: Apache-2.0 */
/* The one real volume that is public, for tests that look at it where it is present. */
#ifndef VK_TEST_REAL_VOLUME_H
#define VK_TEST_REAL_VOLUME_H

#include <stdio.h>
#include <stdlib.h>

#include "vmfskit/io.h"

/* The whole partition; NULL where it is not present. */
static inline struct vk_io *real_volume_open(void)
{
	const char *shared = getenv("VMFSKIT_SHARED");
	struct vk_error err = {0};
	struct vk_io *io = NULL;
	enum vk_io_form form;
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/data/vmfs3-esx35-volume/partition.vmfsimg",
		 shared != NULL && shared[0] != '\0' ? shared : "../shared");
	f = fopen(path, "rb");
	if (f == NULL)
		return NULL;
	fclose(f);
	if (vk_io_open(path, &(struct vk_open_options){0}, &io, &form, &err) != VK_OK) {
		fprintf(stderr, "%s: %s\n", path, err.what);
		abort();
	}
	return io;
}

#endif
