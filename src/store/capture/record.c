/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a capture evidence: who took it, its signature, its line in the ledger. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/crash_point.h"
#include "store/capture/taking.h"
#include "store/folder/identity_of_run.h"

/* A hundred LUNs by their long names; what is longer is told of by its beginning. */
enum { COMMAND_BYTES = 16384 };

enum vk_status vk_record_who(struct vk_taking *taking, const struct vk_capture_options *options, struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;
	const struct vk_sign_key *key = vk_store_sign_key(options->store);
	const char *const *command = vk_store_command(options->store);

	taking->store = options->store;
	vk_who_host(c->host);
	vk_who_user(c->user);
	if (key != NULL)
		memcpy(c->signer, vk_sign_key_name(key), sizeof(c->signer));
	if (command[0] == NULL)
		return VK_OK;
	c->command = vk_who_command(command, COMMAND_BYTES);
	return c->command != NULL ? VK_OK : vk_no_memory(err, NULL);
}

static enum vk_status put_signature(struct vk_taking *taking, const char *text, size_t len,
				    char ret_sha256[VK_SHA256_HEX_BYTES], struct vk_error *err)
{
	uint8_t signature[VK_SIGNATURE_BYTES];
	enum vk_status status = vk_sign(vk_store_sign_key(taking->store), text, len, signature, err);

	if (status == VK_OK && !vk_digest_bytes(signature, sizeof(signature), ret_sha256))
		status = vk_no_memory(err, VK_SIGNATURE_FILE);
	if (status == VK_OK)
		status = vk_folder_put(&taking->folder, VK_SIGNATURE_FILE, (const char *)signature,
				       sizeof(signature), err);
	return status;
}

static enum vk_status put_md5sums(struct vk_taking *taking, struct vk_error *err)
{
	char *text = vk_md5sums_text(&taking->manifest.capture);
	enum vk_status status;

	if (text == NULL)
		return vk_no_memory(err, VK_MD5SUMS_FILE);
	status = vk_folder_put(&taking->folder, VK_MD5SUMS_FILE, text, strlen(text), err);
	free(text);
	return status;
}

enum vk_status vk_record_papers(struct vk_taking *taking, const char *manifest_text, size_t len, struct vk_error *err)
{
	struct vk_sums sums = {.manifest_sha256 = taking->manifest_sha256};
	char signature_sha256[VK_SHA256_HEX_BYTES];
	enum vk_status status = VK_OK;
	char *text = NULL;

	if (taking->manifest.capture.signer[0] != '\0') {
		status = put_signature(taking, manifest_text, len, signature_sha256, err);
		sums.signature_sha256 = signature_sha256;
	}
	if (status == VK_OK && vk_capture_has_md5(&taking->manifest.capture))
		status = put_md5sums(taking, err);
	if (status != VK_OK)
		return status;
	if (vk_digest_bytes(manifest_text, len, taking->manifest_sha256))
		text = vk_sums_text(&taking->manifest, &sums);
	if (text == NULL)
		return vk_no_memory(err, VK_SUMS_FILE);
	status = vk_folder_put(&taking->folder, VK_SUMS_FILE, text, strlen(text), err);
	free(text);
	return status;
}

static struct vk_event event_of(const struct vk_taking *taking, const char *const *ids)
{
	const struct vk_capture *c = &taking->manifest.capture;
	struct vk_event event = {.kind = c->is_undo      ? VK_EVENT_UNDO_CAPTURE
					 : c->is_rebuilt ? VK_EVENT_REBUILT_CAPTURE
							 : taking->event,
				 .captures = ids,
				 .capture_count = 1,
				 .manifest_sha256 = taking->manifest_sha256,
				 .target = c->source_path};

	return event;
}

enum vk_status vk_record_line(struct vk_taking *taking, struct vk_error *err)
{
	const char *const id = taking->manifest.capture.id;
	struct vk_event event = event_of(taking, &id);
	const struct vk_findings *findings = &taking->manifest.findings;
	char result[64] = "complete";
	size_t bad = 0;

	for (size_t i = 0; i < findings->count; i++)
		bad += vk_finding_kind(findings->items[i].code)->severity != VK_INFO;
	if (bad > 0)
		snprintf(result, sizeof(result), "%zu finding%s", bad, bad == 1 ? "" : "s");
	event.result = result;
	/* the temporary folder's name, too, must be on disk before the ledger speaks of it */
	if (vk_step_fails("store folder: fsync before the ledger") || fsync(taking->folder.store_fd) != 0)
		return vk_error_errno(err, errno, taking->folder.store, "cannot flush the store");
	return vk_ledger_append(taking->store, &event, err);
}

void vk_record_abandon(struct vk_taking *taking)
{
	const char *const id = taking->manifest.capture.id;
	struct vk_event event = event_of(taking, &id);
	struct vk_error ignored;

	event.kind = VK_EVENT_ABANDON;
	/* when this fails, too, the ledger names a capture that verify will miss: rather that than the reverse */
	(void)!vk_ledger_append(taking->store, &event, &ignored);
}
