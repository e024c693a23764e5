/* SPDX-License-Identifier: Apache-2.0 */
/* Options about keys and anchors. */
#include "base/memory.h"
#include "cmd/shared/keys.h"

#include "cmd/shared/captures.h"

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

int vk_cmd_keys(const struct vk_cli_call *call, struct vk_cmd_key_pair *ret_keys)
{
	int code = vk_cmd_sign_key(call, &ret_keys->sign);

	ret_keys->check = NULL;
	if (code == VK_EXIT_OK)
		code = vk_cmd_public_key(call, &ret_keys->check);
	if (code != VK_EXIT_OK)
		vk_cmd_keys_close(ret_keys);
	return code;
}

void vk_cmd_keys_close(struct vk_cmd_key_pair *keys)
{
	vk_sign_key_close(keys->sign);
	vk_public_key_close(keys->check);
	*keys = (struct vk_cmd_key_pair){.sign = NULL};
}

int vk_cmd_trust(const struct vk_cli_call *call, struct vk_cmd_trust *ret_trust)
{
	struct vk_error err;
	int code;

	*ret_trust = (struct vk_cmd_trust){.key = NULL};
	code = vk_cmd_public_key(call, &ret_trust->key);
	if (code != VK_EXIT_OK)
		return code;
	ret_trust->vouching = vk_vouching_new(vk_cmd_store(call), ret_trust->key);
	if (ret_trust->vouching != NULL)
		return VK_EXIT_OK;
	vk_cmd_trust_free(ret_trust);
	vk_no_memory(&err, NULL);
	return vk_cli_fail(call, &err);
}

void vk_cmd_trust_free(struct vk_cmd_trust *trust)
{
	vk_vouching_free(trust->vouching);
	vk_public_key_close(trust->key);
	*trust = (struct vk_cmd_trust){.key = NULL};
}

int vk_cmd_anchor_check(const struct vk_cli_call *call, const char *store, bool saves)
{
	const char *file = vk_cli_value(call, "anchor");
	struct vk_error err;

	if (file == NULL || vk_ledger_anchor_check(store, file, &err) == VK_OK)
		return VK_EXIT_OK;
	/* an anchor that is out of reach costs no night its captures: it is told of when they are safe */
	if (saves && err.status == VK_IO)
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
	fprintf(call->err, "%s: %zu capture%s %s; anchor not updated\n", call->program->name, done,
		done == 1 ? "" : "s", what);
	return VK_EXIT_IO;
}
