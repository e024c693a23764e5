/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A volume as a file system of the kernel: read-only, one request at a time. The inode of a file is the address of its
 * descriptor. The kernel puts zeros behind a short answer, so bytes that are not in the source are an I/O error.
 */
#ifdef VK_HAVE_FUSE
#define FUSE_USE_VERSION 35
#include <fuse_lowlevel.h>
#endif

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/checked.h"
#include "base/memory.h"
#include "cmd/files/mount.h"
#include "vmfskit/text.h"

#ifdef VK_HAVE_FUSE

/* The volume may be in use by its hosts: nothing is believed for longer, in seconds. */
#define LASTS 1.0

/* The volume of a request, with nothing of it that was read longer ago than that. */
static struct vk_fs *volume_of(fuse_req_t req)
{
	static double read_at;
	struct vk_fs *fs = fuse_req_userdata(req);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((double)now.tv_sec + (double)now.tv_nsec / 1e9 - read_at >= LASTS) {
		vk_fs_forget(fs);
		read_at = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	}
	return fs;
}

/* An open folder: its entries as the kernel reads them. */
struct listing {
	fuse_req_t req;
	struct vk_fs *fs;
	char *bytes;
	size_t len;
	size_t room;
	bool nomem;
	bool incomplete; /* names may be missing */
};

static int errno_of(const struct vk_error *err)
{
	switch (err->status) {
	case VK_NOMEM: return ENOMEM;
	case VK_UNSUPPORTED: return EOPNOTSUPP;
	default: return EIO;
	}
}

static uint32_t root_address(void)
{
	return vk_fd_address(0, VK_SYSTEM_ROOT);
}

static fuse_ino_t inode_of(uint32_t address)
{
	return address == root_address() ? FUSE_ROOT_ID : address;
}

static enum vk_status open_inode(fuse_req_t req, fuse_ino_t ino, struct vk_fs_file **ret_file, struct vk_error *err)
{
	uint32_t address = ino == FUSE_ROOT_ID ? root_address() : (uint32_t)ino;

	return vk_fs_file_open(volume_of(req), address, NULL, ret_file, err);
}

static mode_t type_bits(uint32_t type, bool folder)
{
	return folder ? S_IFDIR : type == VK_FILE_LINK ? S_IFLNK : S_IFREG;
}

static void fill(const struct vk_fs_file *file, struct stat *ret_stat)
{
	const struct vk_file_metadata *m = &file->meta;

	*ret_stat = (struct stat){
		.st_ino = inode_of(file->address),
		.st_mode = type_bits(m->type, vk_fs_file_is_folder(file)) | (m->mode & 07777),
		.st_nlink = m->linkCount,
		.st_uid = m->uid,
		.st_gid = m->gid,
		.st_size = (off_t)vk_min_u64(m->fileLength, INT64_MAX),
		.st_blocks = (blkcnt_t)(vk_min_u64(vk_mul_sat(m->numBlocks, m->blockSize), INT64_MAX) / 512),
		.st_blksize = 1 << 20,
		.st_mtim.tv_sec = m->mtime,
		.st_ctim.tv_sec = m->ctime,
		.st_atim.tv_sec = m->atime,
	};
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = {.attr_timeout = LASTS, .entry_timeout = LASTS};
	struct vk_fs_file *folder = NULL, *file = NULL;
	struct vk_fs_entry found;
	struct vk_error err;
	enum vk_status status = open_inode(req, parent, &folder, &err);
	uint64_t missing_bytes = 0;
	bool no_name = false;

	if (status == VK_OK) {
		status = vk_fs_find(volume_of(req), folder, name, NULL, &found, &missing_bytes, &err);
		no_name = status == VK_ABSENT && missing_bytes == 0;
	}
	if (status == VK_OK)
		status = vk_fs_entry_open(volume_of(req), &found, NULL, &file, &err);
	if (status == VK_OK) {
		entry.ino = inode_of(file->address);
		fill(file, &entry.attr);
		fuse_reply_entry(req, &entry);
	} else {
		/* what is not in the source is not missing: it may be there */
		fuse_reply_err(req, no_name ? ENOENT : errno_of(&err));
	}
	vk_fs_file_close(folder);
	vk_fs_file_close(file);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct vk_fs_file *file;
	struct vk_error err;
	struct stat st;

	(void)info;
	if (open_inode(req, ino, &file, &err) != VK_OK) {
		fuse_reply_err(req, errno_of(&err));
		return;
	}
	fill(file, &st);
	fuse_reply_attr(req, &st, LASTS);
	vk_fs_file_close(file);
}

static void on_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char target[VK_FS_LINK_BYTES];
	struct vk_fs_file *file;
	struct vk_error err;
	enum vk_status status = open_inode(req, ino, &file, &err);

	if (status == VK_OK) {
		status = vk_fs_link(volume_of(req), file, target, &err);
		vk_fs_file_close(file);
	}
	if (status == VK_OK)
		fuse_reply_readlink(req, target);
	else
		fuse_reply_err(req, errno_of(&err));
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct vk_fs_file *file;
	struct vk_error err;

	if ((info->flags & O_ACCMODE) != O_RDONLY) {
		fuse_reply_err(req, EROFS);
	} else if (open_inode(req, ino, &file, &err) != VK_OK) {
		fuse_reply_err(req, errno_of(&err));
	} else if (file->meta.type == VK_FILE_RDM) {
		/* its data lie on another LUN */
		vk_fs_file_close(file);
		fuse_reply_err(req, EOPNOTSUPP);
	} else {
		info->fh = (uintptr_t)file;
		if (fuse_reply_open(req, info) != 0)
			vk_fs_file_close(file);
	}
}

static void on_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	(void)ino;
	vk_fs_file_close((struct vk_fs_file *)(uintptr_t)info->fh);
	fuse_reply_err(req, 0);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at, struct fuse_file_info *info)
{
	const struct vk_fs_file *file = (const struct vk_fs_file *)(uintptr_t)info->fh;
	uint64_t offset = (uint64_t)at, length = file->meta.fileLength;
	size_t want = (size_t)vk_min_u64(size, offset < length ? length - offset : 0), got = 0;
	struct vk_error err;
	char *buf = malloc(want + 1);

	(void)ino;
	if (buf == NULL)
		fuse_reply_err(req, ENOMEM);
	else if (vk_fs_read(volume_of(req), file, offset, buf, want, &got, &err) != VK_OK || got < want)
		fuse_reply_err(req, EIO);
	else
		fuse_reply_buf(req, buf, got);
	free(buf);
}

static bool add_entry(void *ctx, const struct vk_fs_entry *entry)
{
	struct listing *l = ctx;
	char name[VK_FS_PATH_NAME_BYTES];
	struct stat st = {.st_ino = inode_of(entry->address),
			  .st_mode = type_bits(entry->type, entry->type == VK_FILE_FOLDER)};
	size_t need;

	vk_fs_name_in_path(entry, name);
	need = fuse_add_direntry(l->req, NULL, 0, name, NULL, 0);
	if (l->len + need > l->room) {
		size_t room = (l->len + need) * 2;
		char *bytes = realloc(l->bytes, room);

		if (bytes == NULL) {
			l->nomem = true;
			return false;
		}
		l->bytes = bytes;
		l->room = room;
	}
	fuse_add_direntry(l->req, l->bytes + l->len, need, name, &st, (off_t)(l->len + need));
	l->len += need;
	return true;
}

static void free_listing(struct listing *l)
{
	free(l->bytes);
	free(l);
}

static void note_gap(void *ctx, const struct vk_finding *finding)
{
	struct listing *l = ctx;

	l->incomplete |= finding->code == VK_F_SOURCE_UNREADABLE || finding->code == VK_F_STRUCTURE_ABSENT;
}

static void on_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct listing *l = calloc(1, sizeof(*l));
	const struct vk_finding_sink gaps = {note_gap, l};
	struct vk_fs_file *folder = NULL;
	struct vk_error err;
	enum vk_status status;

	if (l == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	l->req = req;
	status = open_inode(req, ino, &folder, &err);
	if (status == VK_OK)
		status = vk_fs_list(volume_of(req), folder, false, add_entry, l, &gaps, &err);
	vk_fs_file_close(folder);
	if (status != VK_OK || l->nomem) {
		fuse_reply_err(req, l->nomem ? ENOMEM : errno_of(&err));
		free_listing(l);
		return;
	}
	info->fh = (uintptr_t)l;
	if (fuse_reply_open(req, info) != 0)
		free_listing(l);
}

static void on_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at, struct fuse_file_info *info)
{
	const struct listing *l = (const struct listing *)(uintptr_t)info->fh;
	size_t from = (size_t)vk_min_u64((uint64_t)at, l->len);

	(void)ino;
	/* behind the names that are there: the reader must not take them for all */
	if (l->incomplete && from == l->len) {
		fuse_reply_err(req, EIO);
		return;
	}
	/* an entry that is cut off at the end is left for the next call by the kernel */
	fuse_reply_buf(req, l->bytes + from, (size_t)vk_min_u64(size, l->len - from));
}

static void on_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	(void)ino;
	free_listing((struct listing *)(uintptr_t)info->fh);
	fuse_reply_err(req, 0);
}

static void on_statfs(fuse_req_t req, fuse_ino_t ino)
{
	const struct vk_fs_info *info = vk_fs_info(volume_of(req));
	struct statvfs st = {.f_bsize = 1 << 20, .f_frsize = 1 << 20, .f_namemax = 127, .f_flag = ST_RDONLY,
			     .f_blocks = info->volume_bytes >> 20};

	(void)ino;
	fuse_reply_statfs(req, &st);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = on_lookup, .getattr = on_getattr, .readlink = on_readlink, .open = on_open, .read = on_read,
	.release = on_release, .opendir = on_opendir, .readdir = on_readdir, .releasedir = on_releasedir,
	.statfs = on_statfs,
};

/* What libfuse said last: the reason, when a call of it fails. One process mounts one volume. */
static char last_words[200];

__attribute__((format(printf, 2, 0)))
static void keep_words(enum fuse_log_level level, const char *fmt, va_list args)
{
	(void)level;
	vsnprintf(last_words, sizeof(last_words), fmt, args);
	last_words[strcspn(last_words, "\n")] = '\0';
}

/* In the list of mount options a comma ends a word. */
static void put_fsname(struct vk_text *text, const char *source)
{
	vk_text_put(text, "fsname=");
	for (; *source != '\0'; source++)
		vk_text_fmt(text, strchr(",\\", *source) != NULL ? "\\%c" : "%c", *source);
}

static enum vk_status make_session(struct vk_fs *fs, const char *source, struct fuse_session **ret_session,
				   struct vk_error *err)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	char options[4096 + 64];
	struct vk_text text;

	vk_text_init(&text, options, sizeof(options));
	vk_text_put(&text, "ro,nosuid,nodev,subtype=vmfskit,");
	put_fsname(&text, source);
	if (fuse_opt_add_arg(&args, "vmfskit") != 0 || fuse_opt_add_arg(&args, "-o") != 0 ||
	    fuse_opt_add_arg(&args, options) != 0) {
		fuse_opt_free_args(&args);
		return vk_no_memory(err, source);
	}
	*ret_session = fuse_session_new(&args, &operations, sizeof(operations), fs);
	fuse_opt_free_args(&args);
	if (*ret_session == NULL)
		return vk_error_set(err, VK_IO, source, "libfuse does not start: %s", last_words);
	return VK_OK;
}

static enum vk_status serve(struct fuse_session *session, const char *folder, bool foreground,
			    void (*mounted)(void *ctx), void *ctx, struct vk_error *err)
{
	/* it goes to "/": where it ends the mount, too, the name of the folder must lead there */
	char *whole = realpath(folder, NULL);
	enum vk_status status = VK_OK;

	if (whole == NULL)
		return vk_error_errno(err, errno, folder, "cannot mount here");
	if (fuse_session_mount(session, whole) != 0) {
		free(whole);
		return vk_error_set(err, VK_IO, folder, "cannot mount here: %s", last_words);
	}
	mounted(ctx);
	if (fuse_daemonize(foreground) != 0 || fuse_set_signal_handlers(session) != 0)
		status = vk_error_set(err, VK_IO, folder, "%s", last_words);
	else if (fuse_session_loop(session) < 0)
		status = vk_error_set(err, VK_IO, folder, "the mount ended: %s", last_words);
	fuse_remove_signal_handlers(session);
	fuse_session_unmount(session);
	free(whole);
	return status;
}

enum vk_status vk_mount(struct vk_fs *fs, const char *source, const char *folder, bool foreground,
			void (*mounted)(void *ctx), void *ctx, struct vk_error *err)
{
	struct fuse_session *session;
	enum vk_status status;

	fuse_set_log_func(keep_words);
	status = make_session(fs, source, &session, err);
	if (status != VK_OK)
		return status;
	status = serve(session, folder, foreground, mounted, ctx, err);
	fuse_session_destroy(session);
	return status;
}

#else

enum vk_status vk_mount(struct vk_fs *fs, const char *source, const char *folder, bool foreground,
			void (*mounted)(void *ctx), void *ctx, struct vk_error *err)
{
	(void)fs, (void)source, (void)foreground, (void)mounted, (void)ctx;
	vk_error_set(err, VK_UNSUPPORTED, folder, "this vmfskit was built without libfuse3 and cannot mount");
	return vk_error_remedy(err, "take files out with vmfskit cp, or build it again with libfuse3-dev installed");
}

#endif
