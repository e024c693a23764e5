/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a store lies on the disk that it protects, as sysfs tells it. */
#include "store/capture/on_itself.h"

#include "base/mounts.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { DEVICES_MAX = 256, ATTRIBUTE_BYTES = 4096 };

/* The devices that something rests on, each once; found in this order, so that the walk is a loop over the list. */
struct below {
	dev_t devices[DEVICES_MAX];
	size_t count;
	const struct stat *image; /* of the disk, when it is a file; NULL otherwise */
	bool not_files;           /* what files lie on does not count: a loop device ends the walk */
	bool on_image;            /* a loop device on it is among them */
};

static void add_device(struct below *b, dev_t device)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->devices[i] == device)
			return;
	if (b->count < DEVICES_MAX && major(device) != 0)
		b->devices[b->count++] = device;
}

static bool read_attribute(int dir_fd, const char *name, char ret_text[ATTRIBUTE_BYTES])
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, ret_text, ATTRIBUTE_BYTES - 1);
	close(fd);
	ret_text[n > 0 ? n : 0] = '\0';
	ret_text[strcspn(ret_text, "\n")] = '\0';
	return n > 0;
}

/* The device number in a file "dev": "8:16". */
static void add_named(struct below *b, int dir_fd, const char *name)
{
	char text[ATTRIBUTE_BYTES];
	unsigned major_number, minor_number;

	if (read_attribute(dir_fd, name, text) && sscanf(text, "%u:%u", &major_number, &minor_number) == 2)
		add_device(b, makedev(major_number, minor_number));
}

static void add_slaves(struct below *b, int dir_fd)
{
	int fd = openat(dir_fd, "slaves", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		char name[300];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/dev", entry->d_name);
		add_named(b, dirfd(dir), name);
	}
	closedir(dir);
}

static int open_device(dev_t device)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(device), minor(device));
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void walk(struct below *b)
{
	for (size_t i = 0; i < b->count; i++) {
		const int fd = open_device(b->devices[i]);
		char path[ATTRIBUTE_BYTES];
		struct stat st;

		if (fd < 0)
			continue;
		/* a partition's folder lies in that of its disk */
		if (faccessat(fd, "partition", F_OK, 0) == 0)
			add_named(b, fd, "../dev");
		add_slaves(b, fd);
		if (!b->not_files && read_attribute(fd, "loop/backing_file", path) && stat(path, &st) == 0) {
			b->on_image = b->on_image || (b->image != NULL && st.st_dev == b->image->st_dev &&
						      st.st_ino == b->image->st_ino);
			add_device(b, S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev);
		}
		close(fd);
	}
}

/* What a folder rests on. */
static void store_of(struct below *store, const struct stat *folder)
{
	add_device(store, folder->st_dev);
	/* file systems over several devices have a number of their own; the table of mounts has the device */
	if (major(folder->st_dev) == 0)
		for (struct vk_mounts m = vk_mounts_begin(); vk_mounts_next(&m);)
			if (m.device == folder->st_dev)
				add_device(store, vk_mounts_source_device(&m));
	walk(store);
}

static bool meet(const struct below *a, const struct below *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++)
			if (a->devices[i] == b->devices[k])
				return true;
	return false;
}

bool vk_folder_rests_on(int folder_fd, const char *disk)
{
	struct below store = {.count = 0}, target = {.count = 0};
	char uuid[ATTRIBUTE_BYTES];
	struct stat folder, st;
	int fd;

	if (fstat(folder_fd, &folder) != 0 || stat(disk, &st) != 0)
		return false;
	if (S_ISBLK(st.st_mode)) {
		add_device(&target, st.st_rdev);
		/* a disk that is several paths: the paths are the same disk, which what lies in parts of it is not */
		fd = open_device(st.st_rdev);
		if (fd >= 0 && read_attribute(fd, "dm/uuid", uuid) && strncmp(uuid, "mpath-", 6) == 0)
			add_slaves(&target, fd);
		if (fd >= 0)
			close(fd);
	} else {
		store.image = &st;
	}
	store_of(&store, &folder);
	return meet(&store, &target) || store.on_image;
}

bool vk_folder_shares_disk(int folder_fd, const char *source)
{
	struct below store = {.count = 0}, target = {.not_files = true};
	struct stat folder, st;

	if (fstat(folder_fd, &folder) != 0 || stat(source, &st) != 0)
		return false;
	if (!S_ISBLK(st.st_mode))
		return false;
	add_device(&target, st.st_rdev);
	walk(&target);
	store_of(&store, &folder);
	return meet(&store, &target);
}

static bool is_name(const char *name, size_t len, const char *of)
{
	return of[0] != '\0' && strlen(of) == len && strncmp(name, of, len) == 0;
}

bool vk_path_in_volume(const char *path, const struct vk_identity *volume)
{
	static const char volumes[] = "/vmfs/volumes/";
	const char *name = path + sizeof(volumes) - 1;
	size_t len;

	if (strncmp(path, volumes, sizeof(volumes) - 1) != 0)
		return false;
	len = strcspn(name, "/");
	return is_name(name, len, volume->fs_uuid) || is_name(name, len, volume->volume_uuid) ||
	       is_name(name, len, volume->fs_label);
}

void vk_capture_check_store(const struct vk_store *store, const struct vk_capture *capture,
			    const char *disk, const struct vk_finding_sink *sink)
{
	const char *paths[] = {vk_store_path(store), NULL};
	struct vk_finding finding;
	char *whole;
	bool inside;

	/* where there is no VMFS the store protects nothing but a table: that is every host's own disk */
	if (capture->identity_count == 0)
		return;
	whole = realpath(vk_store_path(store), NULL);
	paths[1] = whole;
	inside = vk_folder_rests_on(vk_store_fd(store), disk);
	for (size_t i = 0; i < capture->identity_count; i++)
		for (size_t k = 0; k < 2; k++)
			inside = inside ||
				 (paths[k] != NULL && vk_path_in_volume(paths[k], &capture->identities[i]));
	free(whole);
	if (!inside)
		return;
	vk_finding_init(&finding, VK_F_CAPTURE_ON_ITSELF, 0, 0, "the store %s lies on this disk", vk_store_path(store));
	vk_finding_put(sink, &finding);
}
