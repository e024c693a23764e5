/* SPDX-License-Identifier: Apache-2.0 */
/* What a verb writes must not come near what it reads. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/shown.h"
#include "cmd/files/files.h"
#include "store/capture/on_itself.h"

/* Sources are opened first and have the lowest numbers. */
enum { OPEN_FILES_MAX = 4096 };

static bool is_one_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Number n of the files that were named: sources, pieces of a split dump, the mapfile. NULL: that was the last. */
static const char *named(const struct vk_files *files, size_t n)
{
	const struct vk_io_view *view = &files->how.view;

	if (n < files->opened.count)
		return vk_files_source(files, n);
	n -= files->opened.count;
	if (n < view->piece_count)
		return view->pieces[n];
	return n == view->piece_count ? view->mapfile : NULL;
}

bool vk_files_is_source(const struct vk_files *files, const struct stat *st)
{
	const char *path;
	struct stat source;

	if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode))
		return false;
	for (size_t n = 0; (path = named(files, n)) != NULL; n++)
		if (stat(path, &source) == 0 && is_one_file(&source, st))
			return true;
	/* standard input, and pieces that were found beside the one that was named, are open for reading */
	for (int fd = 0; fd < OPEN_FILES_MAX; fd++) {
		const int flags = fcntl(fd, F_GETFL);

		if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY && fstat(fd, &source) == 0 &&
		    is_one_file(&source, st))
			return true;
	}
	return false;
}

enum vk_status vk_files_check_disk(const struct vk_files *files, int fd, const char *shown, struct vk_error *err)
{
	const char *path;

	for (size_t n = 0; (path = named(files, n)) != NULL; n++) {
		if (!vk_folder_rests_on(fd, path) && !vk_folder_shares_disk(fd, path))
			continue;
		vk_error_set(err, VK_REFUSED, shown, "this lies on the disk that is read, %s: writing there may "
			     "destroy what is to be saved", vk_shown_name(path).text);
		return vk_error_remedy(err, "name a place on another disk");
	}
	return VK_OK;
}
