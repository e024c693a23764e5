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

int vk_cmd_anchor_check(const struct vk_cli_call *call, const char *store)
{
	const char *file = vk_cli_value(call, "anchor");
	struct vk_error err;

	if (file == NULL || vk_ledger_anchor_check(store, file, &err) == VK_OK)
		return VK_EXIT_OK;
	return vk_cli_fail(call, &err);
}

int vk_cmd_anchor(const struct vk_cli_call *call, struct vk_store *store, size_t done, const char *what)
{
	const char *file = vk_cli_value(call, "anchor");
	struct vk_error err;

	if (file == NULL || vk_ledger_anchor(store, file, &err) == VK_OK)
		return VK_EXIT_OK;
	(void)vk_cli_fail(call, &err);
	fprintf(call->err, "%s: %zu capture%s %s; anchor not updated\n", call->program->name, done, done == 1 ? "" : "s", what);
	return VK_EXIT_IO;
}
