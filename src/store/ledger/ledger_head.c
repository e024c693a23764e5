/* SPDX-License-Identifier: Apache-2.0 */
/* The head of the ledger: number and digest of a line near its end, small enough to be kept elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "store/folder/folder.h"
#include "store/ledger/ledger_lines.h"
#include "store/manifest/manifest.h"
#include "store/folder/reader.h"

size_t vk_ledger_head_text(uint64_t seq, const char *sha256, const char *time, char ret_text[VK_LEDGER_HEAD_MAX])
{
	char *text = NULL;
	json_t *o = json_pack("{s:s,s:I,s:s,s:s}", "schema", VK_LEDGER_HEAD_SCHEMA, "seq", (json_int_t)seq, "sha256",
			      sha256, "time", time);
	int n = 0;

	if (o != NULL)
		text = json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER);
	if (text != NULL)
		n = snprintf(ret_text, VK_LEDGER_HEAD_MAX, "%s\n", text);
	json_decref(o);
	free(text);
	return n > 0 && n < VK_LEDGER_HEAD_MAX ? (size_t)n : 0;
}

enum vk_status vk_ledger_head_parse(const char *file, struct vk_ledger_head *head, struct vk_error *err)
{
	struct vk_reader r = {.what = "the head of the ledger", .where = file, .err = err, .ok = true, .status = VK_OK};
	json_error_t error;
	json_t *root = json_loadb(head->text, head->len, JSON_REJECT_DUPLICATES, &error);
	char schema[64];
	char again[VK_LEDGER_HEAD_MAX];

	if (root == NULL)
		return vk_error_set(err, VK_DAMAGED, file, "the head of the ledger is no JSON object");
	vk_reader_text(&r, root, "schema", schema, sizeof(schema));
	head->seq = vk_reader_number(&r, root, "seq", VK_LEDGER_SEQ_MAX);
	vk_reader_digest(&r, root, head->sha256);
	vk_reader_text(&r, root, "time", head->time, sizeof(head->time));
	json_decref(root);
	if (r.ok && (strcmp(schema, VK_LEDGER_HEAD_SCHEMA) != 0 || head->seq == 0 ||
		     vk_ledger_head_text(head->seq, head->sha256, head->time, again) != head->len ||
		     memcmp(again, head->text, head->len) != 0))
		r.status = vk_error_set(err, VK_DAMAGED, file, "the head of the ledger is not written as vmfskit writes it");
	return r.status;
}

static enum vk_status read_signature(int folder_fd, const char *sig_file, struct vk_ledger_head *head,
				     struct vk_error *err)
{
	char *bytes;
	size_t len;
	enum vk_status status = vk_folder_slurp(folder_fd, sig_file, VK_SIGNATURE_BYTES, &bytes, &len, err);

	if (status == VK_ABSENT)
		return VK_OK;
	if (status == VK_DAMAGED) {
		head->odd_signature = true;
		return VK_OK;
	}
	if (status != VK_OK)
		return status;
	head->is_signed = len == VK_SIGNATURE_BYTES;
	head->odd_signature = !head->is_signed;
	if (head->is_signed)
		memcpy(head->signature, bytes, VK_SIGNATURE_BYTES);
	free(bytes);
	return VK_OK;
}

enum vk_status vk_ledger_head_read(int folder_fd, const char *file, const char *sig_file,
				   struct vk_ledger_head *ret_head, struct vk_error *err)
{
	char *text;
	enum vk_status status;

	memset(ret_head, 0, sizeof(*ret_head));
	status = vk_folder_slurp(folder_fd, file, VK_LEDGER_HEAD_MAX - 1, &text, &ret_head->len, err);
	if (status != VK_OK)
		return status;
	memcpy(ret_head->text, text, ret_head->len);
	free(text);
	status = read_signature(folder_fd, sig_file, ret_head, err);
	if (status == VK_OK)
		status = vk_ledger_head_parse(file, ret_head, err);
	if (status != VK_OK)
		ret_head->seq = 0;
	return status;
}

static enum vk_status write_new(int fd, const char *file, const char *bytes, size_t len, struct vk_error *err)
{
	bool torn = vk_crash_here("ledger head: write");
	size_t want = torn ? len / 2 : len;
	ssize_t n = vk_step_fails("ledger head: room") ? -1 : write(fd, bytes, want);

	if (torn)
		vk_crash_now();
	if (n != (ssize_t)want)
		return vk_error_errno(err, n < 0 ? errno : ENOSPC, file, "cannot write the file");
	return !vk_step_fails("ledger head: fsync") && fsync(fd) == 0 ? VK_OK : vk_error_errno(err, errno, file, "cannot flush the file");
}

enum vk_status vk_ledger_replace(int folder_fd, const char *file, const void *bytes, size_t len, const char *where,
				 struct vk_error *err)
{
	char temporary[300];
	enum vk_status status;
	int fd;

	if (snprintf(temporary, sizeof(temporary), ".%s.new", file) >= (int)sizeof(temporary))
		return vk_error_set(err, VK_USAGE, where, "the name of the file is too long");
	/* left by a run that was killed here */
	(void)unlinkat(folder_fd, temporary, 0);
	fd = vk_step_fails("ledger head: create") ? -1 : openat(folder_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return vk_error_errno(err, errno, where, "cannot make a file for %s", file);
	status = write_new(fd, where, bytes, len, err);
	if (close(fd) != 0 && status == VK_OK)
		status = vk_error_errno(err, errno, where, "cannot write %s", file);
	if (status == VK_OK && (vk_step_fails("ledger head: rename") || renameat(folder_fd, temporary, folder_fd, file) != 0))
		status = vk_error_errno(err, errno, where, "cannot replace %s", file);
	if (status != VK_OK) {
		(void)unlinkat(folder_fd, temporary, 0);
		return status;
	}
	return !vk_step_fails("ledger head: fsync folder") && fsync(folder_fd) == 0 ? VK_OK : vk_error_errno(err, errno, where, "cannot flush the folder of %s", file);
}
