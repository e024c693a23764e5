/* SPDX-License-Identifier: Apache-2.0 */
/* Which processes have a block device or a file open for writing. */
#include "repair/guard/open_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Beyond this many descriptors on the host the look ends; the kernel's usual limit of open files is lower. */
enum { NAMED_MAX = 4, DESCRIPTORS_MAX = 4 << 20 };
/* The number that the kernel gives its first namespace of processes; who sees another one sees only a part. */
#define FIRST_PID_NAMESPACE 0xeffffffcU

struct look {
	const struct vk_open_thing *thing;
	struct vk_text *users;
	size_t found;
	size_t descriptors;
	bool all_seen;
};

/* Without asking a server: a file of somebody else's on a file system that hangs must not stop us. */
static bool is_it(const struct look *look, int fds, const char *name)
{
	const struct vk_open_thing *thing = look->thing;
	struct statx st;

	if (statx(fds, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO, &st) != 0)
		return false;
	if (thing->device_count == 0)
		return S_ISREG(st.stx_mode) && st.stx_ino == thing->ino &&
		       makedev(st.stx_dev_major, st.stx_dev_minor) == thing->dev;
	for (size_t i = 0; S_ISBLK(st.stx_mode) && i < thing->device_count; i++)
		if (makedev(st.stx_rdev_major, st.stx_rdev_minor) == thing->devices[i])
			return true;
	return false;
}

/* The link in /proc/PID/fd shows its owner the right to write exactly when the descriptor has it. */
static bool is_for_writing(int fds, const char *name)
{
	struct stat st;

	return fstatat(fds, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IWUSR) != 0;
}

static void add_process(struct look *look, const char *pid)
{
	char path[64], program[64] = "";
	FILE *file;

	if (look->found++ >= NAMED_MAX)
		return;
	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	file = fopen(path, "re");
	if (file != NULL) {
		if (fgets(program, sizeof(program), file) != NULL)
			program[strcspn(program, "\n")] = '\0';
		fclose(file);
	}
	vk_text_fmt(look->users, "%sopen for writing by process %.20s (", look->users->len_bytes > 0 ? ", " : "", pid);
	vk_text_label(look->users, (const uint8_t *)program, strlen(program));
	vk_text_put(look->users, ")");
}

/* One that ended meanwhile has nothing open. */
static void look_at_process(struct look *look, const char *pid)
{
	char path[64];
	const struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	folder = opendir(path);
	if (folder == NULL) {
		look->all_seen = look->all_seen && (errno == ENOENT || errno == ESRCH);
		return;
	}
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (look->descriptors++ == DESCRIPTORS_MAX) {
			look->all_seen = false;
			break;
		}
		if (is_it(look, dirfd(folder), entry->d_name) && is_for_writing(dirfd(folder), entry->d_name)) {
			add_process(look, pid);
			break;
		}
	}
	closedir(folder);
}

/* /proc may be mounted so that others are not even listed, and a container has a /proc of its own. */
static bool sees_everybody(void)
{
	struct stat st;

	return geteuid() == 0 && stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == FIRST_PID_NAMESPACE;
}

bool vk_open_writers(const struct vk_open_thing *thing, struct vk_text *users)
{
	struct look look = {.thing = thing, .users = users, .all_seen = sees_everybody()};
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	char self[32] = "";

	/* our number as this /proc counts */
	if (readlink("/proc/self", self, sizeof(self) - 1) < 0)
		look.all_seen = false;
	while (folder != NULL && look.descriptors <= DESCRIPTORS_MAX && (entry = readdir(folder)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && strcmp(entry->d_name, self) != 0)
			look_at_process(&look, entry->d_name);
	if (folder != NULL)
		closedir(folder);
	if (look.found > NAMED_MAX)
		vk_text_fmt(users, " and by %zu more", look.found - NAMED_MAX);
	return folder != NULL && look.all_seen;
}
