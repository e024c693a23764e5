/* SPDX-License-Identifier: Apache-2.0 */
/* What a collector wrote: a folder or a tar with vmfskit-collect.txt in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/io_handle.h"
#include "store/folder/folder.h"
#include "store/import/import_parts.h"

static enum vk_status no_index(const char *path, struct vk_error *err)
{
	vk_error_set(err, VK_ABSENT, path, "there is no " VK_INDEX_FILE " in it");
	return vk_error_remedy(err, "name what vmfskit-collect.sh wrote; a collection that was stopped or cut short "
				    "may lack it: dumps are imported one by one");
}

/* The index lies in the top folder of the tar, whatever its name; the shortest name is that one. */
static const struct vk_tar_member *find_index(const struct vk_tar *tar)
{
	const struct vk_tar_member *best = NULL;
	const size_t len = strlen(VK_INDEX_FILE);

	for (size_t i = 0; i < tar->count; i++) {
		const char *name = tar->members[i].name;
		size_t n = strlen(name);

		if (n < len || strcmp(name + n - len, VK_INDEX_FILE) != 0 ||
		    (n > len && name[n - len - 1] != '/'))
			continue;
		if (best == NULL || n < strlen(best->name))
			best = &tar->members[i];
	}
	return best;
}

static enum vk_status open_tar(struct vk_container *c, uint64_t modified, struct vk_error *err)
{
	const struct vk_tar_member *index;
	enum vk_status status = vk_tar_read(c->io, &c->tar, err);
	char *text;

	if (status != VK_OK)
		return status;
	index = find_index(&c->tar);
	if (index == NULL)
		return no_index(c->path, err);
	if (index->length_bytes > VK_INDEX_MAX_BYTES)
		return vk_error_set(err, VK_DAMAGED, c->path, VK_INDEX_FILE " is too long");
	memcpy(c->prefix, index->name, strlen(index->name) - strlen(VK_INDEX_FILE));
	text = malloc((size_t)index->length_bytes + 1);
	if (text == NULL)
		return vk_no_memory(err, c->path);
	status = vk_io_read_all(c->io, index->offset_bytes, text, (size_t)index->length_bytes, err);
	if (status == VK_OK)
		status = vk_index_parse(text, (size_t)index->length_bytes, index->name, &c->index, err);
	free(text);
	if (status == VK_OK)
		status = vk_import_digest(c->io, 0, vk_io_size_bytes(c->io), &c->self, NULL, err);
	vk_import_name(&c->self, c->path, NULL, modified);
	return status;
}

static enum vk_status open_folder(struct vk_container *c, struct vk_error *err)
{
	struct vk_io *memory;
	struct stat st;
	char *text;
	size_t len;
	enum vk_status status;

	c->folder_fd = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->folder_fd < 0)
		return vk_error_errno(err, errno, c->path, "cannot open the folder");
	if (fstatat(c->folder_fd, VK_INDEX_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return no_index(c->path, err);
	status = vk_folder_slurp(c->folder_fd, VK_INDEX_FILE, VK_INDEX_MAX_BYTES, &text, &len, err);
	if (status != VK_OK)
		return status;
	status = vk_index_parse(text, len, VK_INDEX_FILE, &c->index, err);
	memory = vk_io_memory(VK_INDEX_FILE, text, len, false);
	if (status == VK_OK && memory == NULL)
		status = vk_no_memory(err, c->path);
	if (status == VK_OK)
		status = vk_import_digest(memory, 0, len, &c->self, NULL, err);
	vk_io_close(memory);
	free(text);
	vk_import_name(&c->self, c->path, VK_INDEX_FILE, (uint64_t)st.st_mtime);
	return status;
}

enum vk_status vk_container_open(const char *path, struct vk_io *io, uint64_t modified,
				 struct vk_container *ret_container, struct vk_error *err)
{
	struct vk_container c = {.path = strdup(path), .folder_fd = -1, .io = io};
	enum vk_status status;

	if (c.path == NULL)
		status = vk_no_memory(err, path);
	else
		status = io != NULL ? open_tar(&c, modified, err) : open_folder(&c, err);
	if (status == VK_OK)
		*ret_container = c;
	else
		vk_container_close(&c);
	return status;
}

void vk_container_close(struct vk_container *container)
{
	vk_index_free(&container->index);
	vk_tar_free(&container->tar);
	vk_io_close(container->io);
	if (container->folder_fd >= 0)
		close(container->folder_fd);
	free(container->path);
	memset(container, 0, sizeof(*container));
	container->folder_fd = -1;
}

/* Below the folder, through no link: each part of the path is opened by itself. */
static enum vk_status open_below(int folder_fd, const char *file, struct vk_io **ret_io, struct stat *ret_st,
				 struct vk_error *err)
{
	struct vk_io_file_facts facts = {.sector_size = 512, .unit_bytes = 512};
	char path[sizeof(((struct vk_index_piece *)NULL)->file)];
	char *name = path;
	char *slash;
	int dir_fd = dup(folder_fd);
	enum vk_status status;
	int fd;

	memcpy(path, file, strlen(file) + 1);
	while (dir_fd >= 0 && (slash = strchr(name, '/')) != NULL) {
		*slash = '\0';
		fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(dir_fd);
		dir_fd = fd;
		name = slash + 1;
	}
	if (dir_fd < 0)
		return vk_error_errno(err, errno, file, "cannot open the folder that it is in");
	status = vk_folder_open_file(dir_fd, name, &fd, &facts.size_bytes, err);
	close(dir_fd);
	if (status != VK_OK)
		return status;
	if (fstat(fd, ret_st) != 0) {
		vk_error_errno(err, errno, file, "cannot look at the file");
		close(fd);
		return VK_IO;
	}
	*ret_io = vk_io_file(fd, file, &facts);
	return *ret_io != NULL ? VK_OK : vk_no_memory(err, file);
}

/* A file of the folder, opened for each read: there may be more of them than a process may have open. */
struct folder_file {
	int folder_fd;     /* of the container, which outlives this */
	const char *file;  /* in the index */
	struct stat found; /* when it was first opened */
};

static enum vk_status open_again(const struct folder_file *f, struct vk_io **ret_io, struct vk_error *err)
{
	struct stat now;
	enum vk_status status = open_below(f->folder_fd, f->file, ret_io, &now, err);

	if (status != VK_OK || (now.st_dev == f->found.st_dev && now.st_ino == f->found.st_ino &&
				now.st_size == f->found.st_size))
		return status;
	vk_io_close(*ret_io);
	return vk_error_set(err, VK_IO, f->file, "it was replaced by another file while it was imported");
}

static enum vk_status folder_read_at(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
				     struct vk_error *err)
{
	struct vk_io *io;
	enum vk_status status = open_again(self, &io, err);

	if (status != VK_OK)
		return status;
	status = vk_io_read(io, offset, buf, len, ret_got, err);
	vk_io_close(io);
	return status;
}

/* What cannot be opened any more is said by the read that follows. */
static struct vk_span folder_span(void *self, uint64_t offset)
{
	struct vk_span span = {VK_SPAN_DATA, UINT64_MAX};
	struct vk_io *io;

	if (open_again(self, &io, NULL) != VK_OK)
		return span;
	span = vk_io_span(io, offset);
	vk_io_close(io);
	return span;
}

static const struct vk_io_ops folder_ops = {folder_read_at, folder_span, free};

static enum vk_status open_piece(struct vk_container *c, const char *file, struct vk_io **ret_io,
				 uint64_t *ret_modified, struct vk_error *err)
{
	struct folder_file *f = calloc(1, sizeof(*f));
	struct vk_io *io;
	enum vk_status status;

	if (f == NULL)
		return vk_no_memory(err, file);
	f->folder_fd = c->folder_fd;
	f->file = file;
	status = open_below(c->folder_fd, file, &io, &f->found, err);
	if (status != VK_OK) {
		free(f);
		return status;
	}
	*ret_modified = (uint64_t)f->found.st_mtime;
	*ret_io = vk_io_new(&folder_ops, f, file, vk_io_size_bytes(io), vk_io_sector_size(io));
	vk_io_close(io);
	return *ret_io != NULL ? VK_OK : vk_no_memory(err, file);
}

/* Where the bytes of a piece are; ret_length: how many of them there really are. */
static enum vk_status locate(struct vk_container *c, const struct vk_index_piece *piece, struct vk_parts *parts,
			     struct vk_io_part *ret_at, uint64_t *ret_length, uint64_t *ret_modified,
			     struct vk_error *err)
{
	char name[sizeof(c->prefix) + sizeof(piece->file)];
	const struct vk_tar_member *member;
	enum vk_status status;

	if (c->io == NULL) {
		status = open_piece(c, piece->file, &ret_at->base, ret_modified, err);
		if (status != VK_OK)
			return status;
		*ret_length = vk_io_size_bytes(ret_at->base);
		if (vk_append(&parts->owned, &parts->owned_count, &ret_at->base, sizeof(struct vk_io *)) != NULL)
			return VK_OK;
		vk_io_close(ret_at->base);
		return vk_no_memory(err, piece->file);
	}
	snprintf(name, sizeof(name), "%s%s", c->prefix, piece->file);
	member = vk_tar_find(&c->tar, name);
	if (member == NULL)
		return vk_error_set(err, VK_ABSENT, piece->file, "the tar does not have this file, which its "
				    VK_INDEX_FILE " names");
	ret_at->base = c->io;
	ret_at->base_bytes = member->offset_bytes;
	*ret_length = member->length_bytes;
	*ret_modified = member->modified;
	return VK_OK;
}

static enum vk_status add_piece(struct vk_container *c, const struct vk_index_piece *piece, struct vk_parts *parts,
				struct vk_error *err)
{
	struct vk_io_part at = {.offset_bytes = piece->offset_bytes, .length_bytes = piece->length_bytes};
	struct vk_origin_file file = {.name = ""};
	char md5[VK_MD5_HEX_BYTES] = "";
	uint64_t length = 0, modified = 0;
	enum vk_status status = VK_OK;

	if (piece->file[0] != '\0')
		status = locate(c, piece, parts, &at, &length, &modified, err);
	if (status == VK_OK && at.base != NULL && length != piece->length_bytes)
		return vk_error_set(err, VK_DAMAGED, piece->file, "it is %llu bytes long, %llu were collected",
				    (unsigned long long)length, (unsigned long long)piece->length_bytes);
	if (status == VK_OK && at.base != NULL)
		status = vk_import_digest(at.base, at.base_bytes, length, &file, piece->md5[0] != '\0' ? md5 : NULL,
					  err);
	if (status != VK_OK)
		return status;
	if (at.base != NULL && ((piece->sha256[0] != '\0' && strcmp(piece->sha256, file.sha256) != 0) ||
				strcmp(piece->md5, md5) != 0)) {
		vk_error_set(err, VK_DAMAGED, piece->file, "it changed since it was collected: its digest differs");
		return vk_error_remedy(err, "copy the collection again, or collect again");
	}
	vk_import_name(&file, c->path, piece->file, modified);
	if ((at.base != NULL && vk_append(&parts->files, &parts->file_count, &file, sizeof(file)) == NULL) ||
	    vk_append(&parts->pieces, &parts->count, &at, sizeof(at)) == NULL)
		return vk_no_memory(err, c->path);
	return VK_OK;
}

enum vk_status vk_container_parts(struct vk_container *container, const struct vk_index_disk *disk,
				  struct vk_parts *ret_parts, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	memset(ret_parts, 0, sizeof(*ret_parts));
	if (vk_append(&ret_parts->files, &ret_parts->file_count, &container->self, sizeof(container->self)) == NULL)
		return vk_no_memory(err, container->path);
	for (size_t i = 0; i < disk->piece_count && status == VK_OK; i++)
		status = add_piece(container, &disk->pieces[i], ret_parts, err);
	return status;
}
