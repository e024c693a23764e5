/* SPDX-License-Identifier: Apache-2.0 */
/* What the last verify of the whole store found, and since when. */
#include "store/verify/told.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/memory.h"
#include "store/folder/folder.h"

#define TOLD_FILE ".findings.json"
#define TOLD_SCHEMA "vmfskit.findings/1"
enum { TOLD_MAX_BYTES = 16 << 20 };

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

json_t *vk_told_read(int store_fd)
{
	struct vk_error unknown;
	json_t *root = NULL, *told;
	char *text;
	size_t len;

	if (vk_folder_slurp(store_fd, TOLD_FILE, TOLD_MAX_BYTES, &text, &len, &unknown) == VK_OK) {
		root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
		free(text);
	}
	told = json_object_get(root, "findings");
	told = strcmp(text_of(root, "schema"), TOLD_SCHEMA) == 0 && json_is_array(told) ? json_incref(told)
											 : json_array();
	json_decref(root);
	return told;
}

enum vk_status vk_told_write(int store_fd, json_t *told, struct vk_error *err)
{
	json_t *root = VK_JSON_OBJECT(VK_KEY("schema", TOLD_SCHEMA), VK_KEY("findings", told));
	char *text = root != NULL ? json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER) : NULL;
	enum vk_status status;

	json_decref(root);
	if (text == NULL)
		return vk_no_memory(err, TOLD_FILE);
	status = vk_replace_file(store_fd, TOLD_FILE, text, strlen(text), "findings", err);
	free(text);
	return status;
}

void vk_told_cause(const struct vk_finding *f, char ret_cause[VK_CAUSE_BYTES])
{
	struct vk_text text = vk_text_in(ret_cause, VK_CAUSE_BYTES);

	vk_text_fmt(&text, "%s %" PRIu64 " %" PRIu64 " ", vk_finding_kind(f->code)->code, f->offset_bytes,
		    f->length_bytes);
	vk_text_fmt(&text, "%s; %s; %s", f->message, f->seen, f->expected);
}

const char *vk_told_since(const json_t *told, const char *cause)
{
	for (size_t i = 0; i < json_array_size(told); i++) {
		const json_t *entry = json_array_get(told, i);
		const char *since = text_of(entry, "since");
		int64_t seconds;

		if (strcmp(text_of(entry, "cause"), cause) == 0 && vk_civil_parse(since, &seconds))
			return since;
	}
	return NULL;
}

enum vk_finding_code vk_told_code(const json_t *entry)
{
	enum vk_finding_code code = 0;

	while (code < VK_F_COUNT && strcmp(vk_finding_kind(code)->code, text_of(entry, "code")) != 0)
		code++;
	return code;
}
