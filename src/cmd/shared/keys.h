/* SPDX-License-Identifier: Apache-2.0 */
/* Options about keys and anchors, for the verbs that have them. */
#ifndef VK_CMD_KEYS_H
#define VK_CMD_KEYS_H

#include "cmd/shared/frame.h"

/*
 * The key that was named; NULL when none was. An exit code; what is wrong with the key was told then. Free with
 * vk_sign_key_close, vk_public_key_close.
 */
int vk_cmd_sign_key(const struct vk_cli_call *call, struct vk_sign_key **ret_key);
int vk_cmd_public_key(const struct vk_cli_call *call, struct vk_public_key **ret_key);
/* Both, for verbs that check captures and make new ones. Close also after a failure. */
struct vk_cmd_key_pair {
	struct vk_sign_key *sign;
	struct vk_public_key *check;
};
int vk_cmd_keys(const struct vk_cli_call *call, struct vk_cmd_key_pair *ret_keys);
void vk_cmd_keys_close(struct vk_cmd_key_pair *keys);
/*
 * The key of --public-key, and who vouches for captures by it and by the ledger of --store. Free with
 * vk_cmd_trust_free.
 */
struct vk_cmd_trust {
	struct vk_public_key *key;
	struct vk_vouching *vouching;
};
/* An exit code; what is wrong was told then. */
int vk_cmd_trust(const struct vk_cli_call *call, struct vk_cmd_trust *ret_trust);
void vk_cmd_trust_free(struct vk_cmd_trust *trust);
/*
 * --anchor, when it was given: before anything is done, so that a refusal leaves everything as it was. saves:
 * captures are only added; then an anchor that cannot be reached is no reason to stop, vk_cmd_anchor tells of it. An
 * exit code.
 */
int vk_cmd_anchor_check(const struct vk_cli_call *call, const char *store, bool saves);
/*
 * --anchor, when it was given: afterwards. Whatever stands in the way, done captures were saved or removed (what) by
 * then: the exit code is never the one that says that nothing was written.
 */
int vk_cmd_anchor(const struct vk_cli_call *call, struct vk_store *store, size_t done, const char *what);

#endif
