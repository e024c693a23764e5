/* SPDX-License-Identifier: Apache-2.0 */
/* The head of the ledger: number and digest of a line near its end, small enough to be kept elsewhere. */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/command.h"
#include "store/folder/folder.h"
#include "store/ledger/ledger_lines.h"
#include "store/manifest/manifest.h"
#include "store/folder/reader.h"

size_t vk_ledger_head_text(uint64_t seq, const char *sha256, const char *time, char ret_text[VK_LEDGER_HEAD_MAX])
{
	json_t *o = json_pack("{s:s,s:I,s:s,s:s}", "schema", VK_LEDGER_HEAD_SCHEMA, "seq", (json_int_t)seq, "sha256",
			      sha256, "time", time);
	size_t len = json_dumpb(o, ret_text, VK_LEDGER_HEAD_MAX - 1, JSON_COMPACT | JSON_PRESERVE_ORDER);

	json_decref(o);
	if (len == 0 || len >= VK_LEDGER_HEAD_MAX - 1)
		return 0;
	ret_text[len++] = '\n';
	ret_text[len] = '\0';
	return len;
}

enum vk_status vk_ledger_head_parse(const char *file, struct vk_ledger_head *head, struct vk_error *err)
{
	struct vk_json_reader r = {
		.what = "the head of the ledger", .where = file, .err = err, .ok = true, .status = VK_OK};
	json_error_t error;
	json_t *root = json_loadb(head->text, head->len, JSON_REJECT_DUPLICATES, &error);
	char schema[64];
	char again[VK_LEDGER_HEAD_MAX];

	if (root == NULL)
		return vk_error_set(err, VK_DAMAGED, file, "the head of the ledger is not a JSON object");
	vk_reader_text(&r, root, "schema", schema, sizeof(schema));
	head->seq = vk_reader_number(&r, root, "seq", VK_LEDGER_SEQ_MAX);
	vk_reader_digest(&r, root, "sha256", head->sha256);
	vk_reader_text(&r, root, "time", head->time, sizeof(head->time));
	json_decref(root);
	if (r.ok && (strcmp(schema, VK_LEDGER_HEAD_SCHEMA) != 0 || head->seq == 0 ||
		     vk_ledger_head_text(head->seq, head->sha256, head->time, again) != head->len ||
		     memcmp(again, head->text, head->len) != 0))
		r.status = vk_error_set(err, VK_DAMAGED, file,
					"the head of the ledger is not written as vmfskit writes it");
	return r.status;
}

enum vk_status vk_ledger_head_read(int folder_fd, const char *file, const char *sig_file,
				   struct vk_ledger_head *ret_head, struct vk_error *err)
{
	char *bytes;
	size_t len;
	enum vk_status status;

	memset(ret_head, 0, sizeof(*ret_head));
	status = vk_folder_slurp(folder_fd, file, VK_LEDGER_HEAD_MAX - 1, &bytes, &ret_head->len, err);
	if (status != VK_OK)
		return status;
	memcpy(ret_head->text, bytes, ret_head->len);
	free(bytes);
	status = vk_folder_slurp(folder_fd, sig_file, VK_SIGNATURE_BYTES, &bytes, &len, err);
	if (status == VK_OK) {
		ret_head->is_signed = len == VK_SIGNATURE_BYTES;
		if (ret_head->is_signed)
			memcpy(ret_head->signature, bytes, VK_SIGNATURE_BYTES);
		free(bytes);
	}
	ret_head->odd_signature = status == VK_DAMAGED || (status == VK_OK && !ret_head->is_signed);
	if (status == VK_OK || status == VK_ABSENT || status == VK_DAMAGED)
		status = vk_ledger_head_parse(file, ret_head, err);
	if (status != VK_OK)
		ret_head->seq = 0;
	return status;
}

enum vk_status vk_ledger_anchor_read(const char *file, struct vk_ledger_head *ret_head, struct vk_error *err)
{
	char sig[4096];
	enum vk_status status;

	snprintf(sig, sizeof(sig), "%s.sig", file);
	status = vk_ledger_head_read(AT_FDCWD, file, sig, ret_head, err);
	if (status == VK_OK)
		return VK_OK;
	if (status == VK_DAMAGED)
		status = vk_error_set(err, VK_USAGE, file, "the anchor is not a head of a ledger as vmfskit writes it");
	(void)vk_error_remedy(err, "vmfskit capture --anchor %s writes it", vk_shell_path(file).text);
	return status == VK_ABSENT ? VK_IO : status;
}
