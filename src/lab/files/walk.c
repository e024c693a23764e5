/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of this system as it is to stand on the volume. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "lab/files/files.h"

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Holes stay holes. */
static enum vk_status find_data(struct vk_lab_item *item, struct vk_error *err)
{
	int fd = open(item->text, O_RDONLY | O_CLOEXEC);
	enum vk_status status = VK_OK;
	off_t at = 0;

	if (fd < 0)
		return vk_error_errno(err, errno, item->text, "the file cannot be opened");
	item->sparse = true;
	while (status == VK_OK && (uint64_t)at < item->size_bytes) {
		off_t from = lseek(fd, at, SEEK_DATA), to = from < 0 ? -1 : lseek(fd, from, SEEK_HOLE);
		struct vk_lab_stretch s = {(uint64_t)from, (uint64_t)(to - from)};

		if (from < 0 && errno == ENXIO)
			break;
		if (from < 0 || to < 0)
			status = vk_error_errno(err, errno, item->text, "its holes cannot be found");
		else if (vk_append(&item->data, &item->data_count, &s, sizeof(s)) == NULL)
			status = vk_no_memory(err, NULL);
		at = to;
	}
	close(fd);
	return status;
}

static enum vk_status read_target(struct vk_lab_item *item, struct vk_error *err)
{
	char target[4096];
	ssize_t len = readlink(item->text, target, sizeof(target) - 1);

	if (len < 0)
		return vk_error_errno(err, errno, item->text, "the link cannot be read");
	target[len] = '\0';
	free(item->text);
	item->text = strdup(target);
	item->size_bytes = (uint64_t)len;
	return item->text == NULL ? vk_no_memory(err, NULL) : VK_OK;
}

static void copy_stat(struct vk_lab_item *item, const struct stat *st)
{
	item->mode = st->st_mode & 07777;
	item->has_mode = true;
	item->uid = st->st_uid;
	item->gid = st->st_gid;
	item->times[0] = (uint32_t)st->st_mtim.tv_sec;
	item->times[1] = (uint32_t)st->st_ctim.tv_sec;
	item->times[2] = (uint32_t)st->st_atim.tv_sec;
}

static enum vk_status add_entry(struct vk_lab_files_asked *asked, const FTSENT *e, size_t root_len,
				struct vk_error *err)
{
	struct vk_lab_item item = {.path = e->fts_path + root_len, .type = VK_FILE_FOLDER};
	enum vk_status status = VK_OK;

	copy_stat(&item, e->fts_statp);
	if (e->fts_info != FTS_D) {
		item.text = strdup(e->fts_path);
		if (item.text == NULL)
			return vk_no_memory(err, NULL);
	}
	if (e->fts_info == FTS_F) {
		item.type = VK_FILE_ORDINARY;
		item.content = VK_LAB_COPY;
		item.size_bytes = (uint64_t)e->fts_statp->st_size;
		status = find_data(&item, err);
	} else if (e->fts_info != FTS_D) {
		item.type = VK_FILE_LINK;
		status = read_target(&item, err);
	}
	if (status == VK_OK)
		status = vk_lab_asked_add(asked, &item, err);
	if (status != VK_OK) {
		free(item.text);
		free(item.data);
	}
	return status;
}

enum vk_status vk_lab_from_folder(struct vk_lab_files_asked *asked, const char *folder, struct vk_error *err)
{
	size_t len = strlen(folder);
	enum vk_status status = VK_OK;
	char *copy, *roots[2];
	FTSENT *e;
	FTS *fts;

	while (len > 1 && folder[len - 1] == '/')
		len--;
	copy = strndup(folder, len);
	if (copy == NULL)
		return vk_no_memory(err, NULL);
	roots[0] = copy;
	roots[1] = NULL;
	fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	if (fts == NULL)
		status = vk_error_errno(err, errno, folder, "the folder cannot be read");
	while (status == VK_OK && (errno = 0, e = fts_read(fts)) != NULL) {
		bool top = e->fts_level == 0;

		if (e->fts_info == FTS_DP)
			continue;
		if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
			status = vk_error_errno(err, e->fts_errno, e->fts_path, "it cannot be read");
		else if (top ? e->fts_info != FTS_D
			     : e->fts_info != FTS_D && e->fts_info != FTS_F && e->fts_info != FTS_SL &&
				       e->fts_info != FTS_SLNONE)
			status = vk_error_set(err, VK_USAGE, e->fts_path,
					      top ? "this is no folder" : "this is neither file, folder nor link");
		else if (!top)
			status = add_entry(asked, e, len == 1 && *copy == '/' ? 0 : len, err);
	}
	if (status == VK_OK && errno != 0)
		status = vk_error_errno(err, errno, folder, "the folder cannot be read");
	if (fts != NULL)
		fts_close(fts);
	free(copy);
	return status;
}
