/* SPDX-License-Identifier: Apache-2.0 */
/* Proving a capture: that nobody but its owner could have changed it. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/verify/verify.h"

static void check(const struct vk_verifier *v, const char *name, const struct stat *st, uid_t owner)
{
	struct vk_finding finding;
	char label[160];
	struct vk_text text;

	vk_text_init(&text, label, sizeof(label));
	vk_text_label(&text, (const uint8_t *)name, strlen(name));
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		vk_finding_init(&finding, VK_F_CAPTURE_WRITABLE, 0, 0, "others may write to %s", label);
		vk_finding_seen(&finding, "mode %04o", (unsigned)(st->st_mode & 07777));
		vk_finding_put(v->sink, &finding);
	}
	if (st->st_uid != owner && st->st_uid != 0) {
		vk_finding_init(&finding, VK_F_CAPTURE_WRITABLE, 0, 0, "%s belongs to another user than the capture", label);
		vk_finding_seen(&finding, "user %u", (unsigned)st->st_uid);
		vk_finding_expected(&finding, "user %u", (unsigned)owner);
		vk_finding_put(v->sink, &finding);
	}
}

/* Files that do not belong to the capture are told of by themselves. */
void vk_verify_modes(const struct vk_verifier *v)
{
	int copy = openat(v->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	struct stat folder;

	if (dir == NULL || fstat(v->folder_fd, &folder) != 0) {
		if (dir != NULL)
			closedir(dir);
		else if (copy >= 0)
			close(copy);
		return;
	}
	check(v, "the capture's folder", &folder, folder.st_uid);
	while ((entry = readdir(dir)) != NULL) {
		struct stat st;

		if (fstatat(v->folder_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			check(v, entry->d_name, &st, folder.st_uid);
	}
	closedir(dir);
}
