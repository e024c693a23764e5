/* SPDX-License-Identifier: Apache-2.0 */
/* What a run that copies begins and ends with: options, the list of sums, the summary. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/shown.h"
#include "cmd/copy/copy.h"

/* Findings of a file come again where its walk is begun anew. */
static void put_once(void *ctx, const struct vk_finding *finding)
{
	struct vk_findings *list = ctx;

	if (!vk_findings_have(list, finding->code, finding->offset_bytes))
		vk_findings_add(list, finding);
}

bool vk_copy_read_options(struct vk_copy *copy)
{
	struct vk_cmd *cmd = &copy->files.cmd;

	copy->overwrite = vk_cli_flag(cmd->call, "overwrite");
	copy->resume = vk_cli_flag(cmd->call, "resume");
	copy->keep_owner = vk_cli_flag(cmd->call, "owner");
	copy->digests = cmd->json || vk_cli_value(cmd->call, "sums") != NULL;
	if (copy->keep_owner && geteuid() != 0)
		return vk_cmd_ok(cmd, vk_cli_usage(cmd->call, "--owner needs root: nobody else can give files away"));
	if (!vk_files_read_options(copy))
		return false;
	copy->files.sink = (struct vk_finding_sink){put_once, &copy->files.findings};
	return true;
}

/* A list that an earlier run wrote, or nothing: what --resume alone may replace. */
static bool is_list_of_sums(int fd)
{
	char line[VK_SHA256_HEX_BYTES + 2];
	const ssize_t n = pread(fd, line, sizeof(line), 0);
	const size_t mark = n > 0 && line[0] == '\\';

	return n == 0 || (n == (ssize_t)sizeof(line) && line[mark + 64] == ' ' && line[mark + 65] == ' ' &&
			  strspn(line + mark, "0123456789abcdef") == 64);
}

/* Before anything is made: that the list of sums may lie there. */
static enum vk_status check_sums(const struct vk_copy *copy, const char *path, struct vk_error *err)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
	const int folder_fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	enum vk_status status = VK_OK;
	struct stat st;
	int fd;

	if (folder == NULL)
		return vk_no_memory(err, path);
	if (folder_fd < 0)
		status = vk_error_errno(err, errno, folder, "cannot open the folder");
	free(folder);
	if (status != VK_OK)
		return status;
	status = vk_files_check_disk(&copy->files, folder_fd, path, err);
	close(folder_fd);
	if (status != VK_OK || lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return status;
	if (vk_files_is_source(&copy->files, &st)) {
		vk_error_set(err, VK_REFUSED, path, "this is the source itself");
		return vk_error_remedy(err, "choose another name for the list of sums");
	}
	if (copy->overwrite)
		return VK_OK;
	if (!copy->resume) {
		vk_error_set(err, VK_USAGE, path, "this file exists");
		return vk_error_remedy(err, "choose another name for the list of sums, one for each run: with "
				       "--overwrite what was copied now would stand in it alone");
	}
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return vk_error_errno(err, errno, path, "cannot open the file");
	if (!is_list_of_sums(fd)) {
		vk_error_set(err, VK_USAGE, path, "the file exists and is no list of sums, which --resume "
			     "would replace");
		status = vk_error_remedy(err, "choose another name");
	}
	close(fd);
	return status;
}

/* Whether what path names is a file that this run copied. */
static bool made_now(const struct vk_copy *copy, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	for (size_t i = 0; i < copy->count; i++)
		if (copy->copied[i].device == st.st_dev && copy->copied[i].inode == st.st_ino)
			return true;
	return false;
}

enum vk_status vk_copy_with_sums(struct vk_copy *copy, enum vk_status (*work)(void *ctx, struct vk_error *err),
				 void *ctx, struct vk_error *err)
{
	const char *sums = vk_cli_value(copy->files.cmd.call, "sums");
	enum vk_status status = sums != NULL ? check_sums(copy, sums, err) : VK_OK;
	struct vk_error other;
	bool keep;

	if (status == VK_OK && sums != NULL)
		status = vk_output_open(sums, copy->overwrite || copy->resume, &copy->sums, err);
	if (status == VK_OK)
		status = work(ctx, err);
	if (copy->stopped)
		(void)vk_cmd_ok(&copy->files.cmd, VK_EXIT_IO);
	if (copy->sums.out == NULL)
		return status;
	keep = status == VK_OK && !made_now(copy, sums);
	if (vk_output_close(&copy->sums, keep, &other) != VK_OK)
		(void)vk_cmd_fail(&copy->files.cmd, &other);
	if (status != VK_OK || keep)
		return status;
	status = vk_error_set(err, VK_REFUSED, sums, "this is a file that was copied now");
	(void)vk_error_remedy(err, "choose another name for the list of sums; what was copied stays");
	return status;
}

void vk_copy_put_summary(const struct vk_copy *copy)
{
	FILE *out = copy->files.cmd.call->out;
	const double seconds = vk_cmd_progress_seconds(&copy->progress);
	uint64_t length = 0, compared = 0;

	for (size_t i = 0; i < copy->count; i++) {
		compared += copy->copied[i].whole && copy->copied[i].compared;
		length += copy->copied[i].whole ? copy->copied[i].size_bytes : 0;
	}
	fprintf(out, "%llu of %llu files copied, %s long; %s written", (unsigned long long)vk_copy_whole(copy),
		(unsigned long long)copy->total_files, vk_shown_size_short(length).text,
		vk_shown_size_short(copy->written_bytes).text);
	if (seconds >= 1)
		fprintf(out, " in %s, %.0f MiB/s", vk_shown_duration_us((uint64_t)(seconds * 1e6)).text,
			(double)copy->written_bytes / seconds / (1 << 20));
	fputc('\n', out);
	if (compared > 0)
		fprintf(out, "%llu of them %s there and hold%s the bytes of the source\n",
			(unsigned long long)compared, compared == 1 ? "was" : "were", compared == 1 ? "s" : "");
	if (copy->left_out > 0)
		fprintf(out, "%zu name%s left out, see above\n", copy->left_out, copy->left_out == 1 ? "" : "s");
	if (copy->unreadable > 0)
		fprintf(out, "%zu name%s not copied: what %s cannot be read, see above\n", copy->unreadable,
			copy->unreadable == 1 ? "" : "s", copy->unreadable == 1 ? "it stands for" : "they stand for");
	vk_files_show_findings(&copy->files);
}

/* The command once more: what is there stays. */
static void report_how_to_go_on(const struct vk_copy *copy)
{
	fprintf(copy->files.cmd.call->err, "%s: stopped before the end; go on with:\n",
		copy->files.cmd.call->program->name);
	vk_files_put_again(&copy->files, copy->resume ? NULL : "--resume", NULL, NULL, NULL);
}

void vk_copy_end(struct vk_copy *copy)
{
	if (copy->stopped)
		report_how_to_go_on(copy);
	for (size_t i = 0; i < copy->count; i++) {
		free(copy->copied[i].path);
		free(copy->copied[i].dest);
		free(copy->copied[i].missing);
	}
	free(copy->copied);
	vk_vdisks_free(&copy->disks);
	free(copy->tree_map);
	if (copy->tree_map_fd >= 0)
		close(copy->tree_map_fd);
	vk_fs_file_close(copy->file);
	vk_files_close(&copy->files);
}
