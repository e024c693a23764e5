/* SPDX-License-Identifier: Apache-2.0 */
/* The head of the ledger, kept outside of the store: what shows that the whole store was put back by a night. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/command.h"
#include "store/folder/folder.h"
#include "store/ledger/ledger_lines.h"

/* Whether folder is the store or lies below it; by climbing, so that no link and no mount misleads. */
static bool is_inside(int folder_fd, int store_fd)
{
	struct stat store;
	struct stat here;
	struct stat above;
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool inside = false;

	if (fstat(store_fd, &store) != 0)
		inside = true;
	while (!inside && fd >= 0 && fstat(fd, &here) == 0) {
		int up = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		inside = here.st_dev == store.st_dev && here.st_ino == store.st_ino;
		close(fd);
		fd = up;
		if (up >= 0 && fstat(up, &above) == 0 && above.st_dev == here.st_dev && above.st_ino == here.st_ino)
			break;
	}
	if (fd >= 0)
		close(fd);
	return inside;
}

/*
 * The anchor that is there is the only witness of a store that was put back: it is replaced by none that does not
 * follow from it. ret_lines: how many the ledger has at least.
 */
static enum vk_status check_old(const char *store, int folder_fd, const char *name, const char *file,
				size_t *ret_lines, struct vk_error *err)
{
	struct vk_findings findings = {.count = 0};
	const struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_ledger_check check = {.anchor = file, .lines_only = true};
	struct stat st;
	bool rolled_back;
	enum vk_status status;

	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		check.anchor = NULL;
	status = vk_ledger_verify(store, &check, &sink, ret_lines, err);
	rolled_back = findings.dropped > 0 || vk_findings_have(&findings, VK_F_LEDGER_ROLLED_BACK, 0);
	vk_findings_free(&findings);
	/* a store that is not there has no line that an anchor could name */
	if (status == VK_ABSENT) {
		rolled_back = check.anchor != NULL;
		status = VK_OK;
	}
	if (status != VK_OK || !rolled_back)
		return status;
	vk_error_set(err, VK_REFUSED, file, "the anchor stays as it is: the store is older than it, or another one");
	return vk_error_remedy(
		err, "vmfskit verify --ledger --store %s --anchor %s; when all is explained, move the anchor away",
		vk_shell_path(store).text, vk_shell_path(file).text);
}

/* The head as it is now, of a ledger of so many lines: one that lags behind would be no witness of the last of them. */
static enum vk_status read_head(const struct vk_store *store, size_t lines, struct vk_ledger_head *head,
				struct vk_error *err)
{
	struct vk_error why = {.status = VK_OK};
	const char *path = vk_store_path(store);
	int ledger_fd = -1;
	/* under the lock of the ledger head and signature belong together */
	enum vk_status status = vk_ledger_open(vk_store_fd(store), &ledger_fd, &why);

	if (status == VK_OK)
		status = vk_ledger_head_read(vk_store_fd(store), VK_LEDGER_HEAD_FILE, VK_LEDGER_HEAD_SIG, head, &why);
	if (ledger_fd >= 0)
		close(ledger_fd);
	if (status == VK_OK && head->seq >= lines)
		return VK_OK;
	if (status != VK_OK)
		vk_error_set(err, VK_IO, path, "there is no head of the ledger that could be kept as an anchor: %s",
			     why.what);
	else
		vk_error_set(err, VK_IO, path,
			     "the head of the ledger stays behind at line %llu of %zu: no anchor was kept",
			     (unsigned long long)head->seq, lines);
	return vk_error_remedy(err, "was the key changed? vmfskit verify --ledger --store %s says more",
			       vk_shell_path(path).text);
}

/* Where the anchor goes; *ret_fd is the folder, to be closed. store_fd: of the store; -1: there is none yet. */
static enum vk_status open_place(const char *file, int store_fd, int *ret_fd, const char **ret_name,
				 struct vk_error *err)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash != NULL ? slash + 1 : file;
	/* with the slash, so that that of the root is not lost */
	char *folder = slash != NULL ? strndup(file, (size_t)(slash + 1 - file)) : strdup(".");
	enum vk_status status = VK_OK;

	*ret_fd = -1;
	*ret_name = name;
	if (folder == NULL)
		return vk_no_memory(err, file);
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		status = vk_error_set(err, VK_USAGE, file, "the anchor is to be a file");
	else
		*ret_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (status == VK_OK && *ret_fd < 0) {
		vk_error_errno(err, errno, folder, "cannot open the folder of the anchor");
		status = vk_error_remedy(err, "make the folder, or name another file with --anchor");
	} else if (status == VK_OK && store_fd >= 0 && is_inside(*ret_fd, store_fd)) {
		vk_error_set(err, VK_REFUSED, file,
			     "the anchor would be in the store: an older copy of the store would contain an older "
			     "anchor");
		status = vk_error_remedy(err, "name a file elsewhere with --anchor, best on another host");
	} else if (status == VK_OK && faccessat(*ret_fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
		vk_error_errno(err, errno, folder, "cannot write to the folder of the anchor");
		status = vk_error_remedy(err, "name a file elsewhere with --anchor");
	}
	free(folder);
	return status;
}

enum vk_status vk_ledger_anchor_check(const char *store, const char *file, struct vk_error *err)
{
	int store_fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *name;
	int fd;
	enum vk_status status = open_place(file, store_fd, &fd, &name, err);

	if (status == VK_OK)
		status = check_old(store, fd, name, file, NULL, err);
	if (fd >= 0)
		close(fd);
	if (store_fd >= 0)
		close(store_fd);
	return status;
}

enum vk_status vk_ledger_anchor(struct vk_store *store, const char *file, struct vk_error *err)
{
	struct vk_ledger_head head = {.seq = 0};
	char sig_name[300];
	const char *name;
	size_t lines = 0;
	int fd;
	enum vk_status status = open_place(file, vk_store_fd(store), &fd, &name, err);

	if (status == VK_OK)
		status = check_old(vk_store_path(store), fd, name, file, &lines, err);
	if (status == VK_OK)
		status = read_head(store, lines, &head, err);
	snprintf(sig_name, sizeof(sig_name), "%s.sig", name);
	if (status == VK_OK && head.is_signed)
		status = vk_replace_file(fd, sig_name, head.signature, VK_SIGNATURE_BYTES, "ledger anchor", err);
	if (status == VK_OK)
		status = vk_replace_file(fd, name, head.text, head.len, "ledger anchor", err);
	if (status == VK_OK && !head.is_signed)
		(void)unlinkat(fd, sig_name, 0);
	if (fd >= 0)
		close(fd);
	return status;
}
