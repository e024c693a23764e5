/* SPDX-License-Identifier: Apache-2.0 */
/* Options about keys and anchors. */
#include "cmd/keys.h"

int vk_cmd_sign_key(const struct vk_cli_call *call, struct vk_sign_key **ret_key)
{
	const char *file = vk_cli_value(call, "sign-key");
	struct vk_error err;

	*ret_key = NULL;
	if (file == NULL || vk_sign_key_open(file, ret_key, &err) == VK_OK)
		return VK_EXIT_OK;
	return vk_cli_fail(call, &err);
}

int vk_cmd_public_key(const struct vk_cli_call *call, struct vk_public_key **ret_key)
{
	const char *file = vk_cli_value(call, "public-key");
	struct vk_error err;

	*ret_key = NULL;
	if (file == NULL || vk_public_key_open(file, ret_key, &err) == VK_OK)
		return VK_EXIT_OK;
	return vk_cli_fail(call, &err);
}

int vk_cmd_anchor(const struct vk_cli_call *call, struct vk_store *store)
{
	const char *file = vk_cli_value(call, "anchor");
	struct vk_error err;

	if (file == NULL || vk_ledger_anchor(store, file, &err) == VK_OK)
		return VK_EXIT_OK;
	return vk_cli_fail(call, &err);
}
