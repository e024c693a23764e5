/* SPDX-License-Identifier: Apache-2.0 */
/* Proving a capture: that it lies where it belongs, and that somebody vouches for it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/verify/verify.h"
#include "vmfskit/ledger.h"

/* A folder elsewhere may have any name: it was copied there. */
static bool needs_its_name(const struct vk_verifier *v, const char *name)
{
	if (name[0] == '.')
		return false;
	return vk_id_stamped(name) || faccessat(v->folder_fd, "../" VK_LEDGER_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void vk_verify_place(const struct vk_verifier *v)
{
	char *path = realpath(v->path, NULL);
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;
	const char *id = v->manifest.capture.id;
	struct vk_finding finding;
	struct vk_text seen;

	if (slash != NULL && strcmp(slash + 1, id) != 0 && needs_its_name(v, slash + 1)) {
		vk_finding_init(&finding, VK_F_CAPTURE_MISPLACED, 0, 0, "the folder holds the capture %s of %.100s", id,
				v->manifest.capture.source_path);
		vk_text_init(&seen, finding.seen, sizeof(finding.seen));
		vk_text_label(&seen, (const uint8_t *)slash + 1, strlen(slash + 1));
		vk_finding_expected(&finding, "%s", id);
		vk_finding_put(v->sink, &finding);
	}
	free(path);
}

static void put(const struct vk_finding_sink *sink, enum vk_finding_code code, const char *message)
{
	struct vk_finding finding;

	vk_finding_init(&finding, code, 0, 0, "%s", message);
	vk_finding_put(sink, &finding);
}

enum vk_status vk_verify_signature(int folder_fd, const char *manifest, size_t manifest_len,
				   const struct vk_public_key *key, const struct vk_finding_sink *sink, bool *ret_fits,
				   struct vk_error *err)
{
	char *signature = NULL;
	size_t signature_len = 0;
	enum vk_status status = vk_folder_slurp(folder_fd, VK_SIGNATURE_FILE, VK_SIGNATURE_BYTES, &signature,
						&signature_len, err);

	*ret_fits = status == VK_OK && signature_len == VK_SIGNATURE_BYTES &&
		    vk_signature_fits(key, manifest, manifest_len, (const uint8_t *)signature);
	free(signature);
	if (status != VK_OK && status != VK_ABSENT && status != VK_DAMAGED)
		return status;
	if (status == VK_ABSENT)
		put(sink, VK_F_SIGNATURE_MISSING, "the capture is not signed");
	else if (!*ret_fits)
		put(sink, VK_F_SIGNATURE_WRONG, VK_SIGNATURE_FILE " is not a signature of " VK_MANIFEST_FILE " by this key");
	return VK_OK;
}
