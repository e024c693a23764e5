/* SPDX-License-Identifier: Apache-2.0 */
/* A file system opened from an image of one partition, for the tests of src/fs. */
#ifndef VK_TESTS_FS_OPEN_H
#define VK_TESTS_FS_OPEN_H

#include "real_volumes.h"
#include "vmfskit/fs.h"

struct opened_fs {
	struct vk_io *io;
	struct vk_vmfs vmfs;
	struct vk_fs *fs;
	const struct vk_fs_info *info;
};

/* io is taken over. */
static inline enum vk_status fs_try(struct vk_io *io, bool volume_only, const struct vk_finding_sink *sink,
				    struct opened_fs *ret, struct vk_error *err)
{
	struct vk_fs_extent extent = {.io = io, .vmfs = &ret->vmfs};
	enum vk_status status;

	*ret = (struct opened_fs){.io = io, .vmfs = {.volume_only = volume_only}};
	assert_int_equal(vk_vmfs_read(io, NULL, &ret->vmfs, err), VK_OK);
	status = vk_fs_open(&extent, 1, sink, &ret->fs, err);
	ret->info = ret->fs != NULL ? vk_fs_info(ret->fs) : NULL;
	return status;
}

static inline void fs_done(struct opened_fs *o)
{
	vk_fs_close(o->fs);
	vk_vmfs_free(&o->vmfs);
	vk_io_close(o->io);
}

/* A real volume; false: it is not there. Nothing but information may be found. */
static inline bool fs_real(size_t number, struct opened_fs *ret)
{
	struct vk_io *io = real_volume_open(&real_volumes[number]);
	struct vk_error err = {0};

	if (io == NULL)
		return false;
	if (fs_try(io, false, &sound, ret, &err) != VK_OK)
		fail_msg("%s: %s", real_volumes[number].name, err.what);
	return true;
}

#endif
