/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a store: made when it is not there, refused when others could tamper with it, locked for a run. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/command.h"
#include "base/crash_point.h"
#include "store/folder/folder.h"
#include "vmfskit/store.h"
#include "vmfskit/text.h"

#define LOCK_FILE ".lock"
enum { HOLDER_BYTES = 400, LOCK_TRIES = 20, LOCK_WAIT_MS = 100 };

struct vk_store {
	char *path;
	int fd;
	int lock_fd; /* -1: not held */
	const struct vk_sign_key *sign_key;
	const char *const *command;
	char run[48];
	atomic_flag without_links; /* that the store has no links was told */
};

static enum vk_status open_folder(const char *path, enum vk_store_use use, int *ret_fd,
				  struct vk_error *err)
{
	enum vk_status status = VK_OK;
	int above;

	if (use != VK_STORE_READ &&
	    (vk_step_fails("store folder: mkdir") || (mkdir(path, 0700) != 0 && errno != EEXIST))) {
		int code = errno;

		vk_error_errno(err, code, path, "cannot make the store");
		return vk_error_remedy(err, code == EACCES || code == EPERM
						    ? "run this as root, or name a folder of your own with --store"
						    : "make its parent folder, or name another with --store");
	}
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0 && errno == ENOENT) {
		vk_error_set(err, VK_ABSENT, path, "there is no store here yet");
		return vk_error_remedy(err, "vmfskit capture --store %s DISK makes it", vk_shell_path(path).text);
	}
	if (*ret_fd < 0)
		return vk_folder_closed(err, errno, path, "cannot open the store");
	if (use == VK_STORE_READ)
		return VK_OK;
	/* its own entry must survive a power cut; also when it was there: whoever made it may not have come to this */
	above = openat(*ret_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (above < 0)
		return vk_error_errno(err, errno, path, "cannot open the folder above the store");
	if (vk_step_fails("store folder: fsync parent") || fsync(above) != 0)
		status = vk_error_errno(err, errno, path, "cannot flush the folder above the store");
	close(above);
	return status;
}

/* Whoever can write to the store can replace what a restore would write to a disk. */
static enum vk_status refuse_shared(int fd, const char *path, struct vk_error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return vk_error_errno(err, errno, path, "cannot look at the store");
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		vk_error_set(err, VK_REFUSED, path,
			     "others can write to the store (mode %04o): nothing in it could be trusted",
			     (unsigned)(st.st_mode & 07777));
		return vk_error_remedy(err, "chmod go-w %s", vk_shell_path(path).text);
	}
	if (st.st_uid != geteuid() && st.st_uid != 0) {
		vk_error_set(err, VK_REFUSED, path,
			     "the store belongs to another user (%u), who could change what is in it",
			     (unsigned)st.st_uid);
		return vk_error_remedy(err, "run this as that user, or name another store with --store");
	}
	return VK_OK;
}

static enum vk_status write_holder(const struct vk_store *store, struct vk_error *err)
{
	char line[HOLDER_BYTES];
	struct vk_text text = vk_text_in(line, sizeof(line) - 1);
	struct utsname name;
	size_t len;

	vk_text_fmt(&text, "process %ld", (long)getpid());
	if (uname(&name) == 0)
		vk_text_fmt(&text, " on %s", name.nodename);
	vk_text_put(&text, " since ");
	vk_text_time_s(&text, (uint64_t)time(NULL));
	for (size_t i = 0; store->command[i] != NULL; i++)
		vk_text_fmt(&text, "%s%s", i == 0 ? ": " : " ", store->command[i]);
	len = strlen(line);
	line[len++] = '\n';
	if (vk_step_fails("store lock: write") || ftruncate(store->lock_fd, 0) != 0 ||
	    pwrite(store->lock_fd, line, len, 0) != (ssize_t)len) {
		vk_error_errno(err, errno, store->path, "cannot write the lock of the store");
		return vk_error_remedy(err, "make room in the store, or name another with --store");
	}
	return VK_OK;
}

static enum vk_status take_lock(struct vk_store *store, struct vk_error *err)
{
	char raw[HOLDER_BYTES], holder[HOLDER_BYTES];
	struct vk_text text;
	struct stat st;
	ssize_t len;

	if (!vk_step_fails("store lock: open"))
		store->lock_fd = openat(store->fd, LOCK_FILE,
					O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (store->lock_fd < 0 && errno != ELOOP && errno != EISDIR && errno != ENXIO)
		return vk_error_errno(err, errno, store->path, "cannot open the lock of the store");
	/* something else, or a file with another name elsewhere, must not be written to */
	if (store->lock_fd < 0 || fstat(store->lock_fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_nlink != 1 || st.st_uid != geteuid()) {
		vk_error_set(err, VK_REFUSED, store->path,
			     "the lock of the store, " LOCK_FILE
			     ", is not a plain file of this user with this one name");
		return vk_error_remedy(err, "look at %s/" LOCK_FILE ", then remove it", store->path);
	}
	/*
	 * a run that was killed is waited for: its end is told before its process is out of the system call it was
	 * in
	 */
	for (unsigned tries = 0; tries < LOCK_TRIES; tries++) {
		if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
			return write_holder(store, err);
		if (errno != EWOULDBLOCK)
			break;
		nanosleep(&(struct timespec){.tv_nsec = LOCK_WAIT_MS * 1000000L}, NULL);
		errno = EWOULDBLOCK;
	}
	if (errno != EWOULDBLOCK)
		return vk_error_errno(err, errno, store->path, "cannot lock the store");
	/* what the holder wrote of itself; anyone may have written it */
	len = pread(store->lock_fd, raw, sizeof(raw), 0);
	while (len > 0 && raw[len - 1] == '\n')
		len--;
	text = vk_text_in(holder, sizeof(holder));
	if (len > 0)
		vk_text_label(&text, (const uint8_t *)raw, (size_t)len);
	else
		vk_text_put(&text, "a process that did not leave its name");
	close(store->lock_fd);
	store->lock_fd = -1;
	vk_error_set(err, VK_IO, store->path, "the store is in use by %s", holder);
	return vk_error_remedy(err, "wait for its end, or look at that process; the lock goes away with it");
}

enum vk_status vk_store_hold(const char *path, const struct vk_store_options *options,
			     struct vk_store **ret_store, struct vk_error *err)
{
	static const char *const nothing[] = {NULL};
	struct vk_store *store = calloc(1, sizeof(*store));
	struct timespec now;
	struct tm tm;
	size_t len = 0;
	enum vk_status status = VK_OK;

	if (store != NULL)
		store->path = strdup(path);
	if (store == NULL || store->path == NULL) {
		free(store);
		return vk_no_memory(err, path);
	}
	store->fd = -1;
	store->lock_fd = -1;
	atomic_flag_clear(&store->without_links);
	store->sign_key = options->sign_key;
	store->command = options->command != NULL ? options->command : nothing;
	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm) != NULL)
		len = strftime(store->run, sizeof(store->run), "%Y%m%dT%H%M%S", &tm);
	snprintf(store->run + len, sizeof(store->run) - len, ".%06ldZ-%ld", now.tv_nsec / 1000, (long)getpid());
	status = open_folder(path, options->use, &store->fd, err);
	if (status == VK_OK && options->use != VK_STORE_READ)
		status = refuse_shared(store->fd, path, err);
	if (status == VK_OK && options->use == VK_STORE_RUN)
		status = take_lock(store, err);
	if (status != VK_OK) {
		vk_store_close(store);
		return status;
	}
	*ret_store = store;
	return VK_OK;
}

void vk_store_close(struct vk_store *store)
{
	if (store == NULL)
		return;
	if (store->lock_fd >= 0) {
		/* given back by name: another process may have inherited the descriptor */
		(void)flock(store->lock_fd, LOCK_UN);
		close(store->lock_fd);
	}
	if (store->fd >= 0)
		close(store->fd);
	free(store->path);
	free(store);
}

const char *vk_store_path(const struct vk_store *store)
{
	return store->path;
}

int vk_store_fd(const struct vk_store *store)
{
	return store->fd;
}

const struct vk_sign_key *vk_store_sign_key(const struct vk_store *store)
{
	return store->sign_key;
}

const char *vk_store_run(const struct vk_store *store)
{
	return store->run;
}

const char *const *vk_store_command(const struct vk_store *store)
{
	return store->command;
}

bool vk_store_first_without_links(struct vk_store *store)
{
	return !atomic_flag_test_and_set(&store->without_links);
}
