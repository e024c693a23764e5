/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that may hold the path of a file. */
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

json_t *vk_report_text_json(const char *bytes)
{
	size_t len = strlen(bytes), cap = 4 * len + 1;
	json_t *value = json_string(bytes);
	struct vk_text text;
	char *buf;

	if (value != NULL)
		return value;
	buf = malloc(cap);
	if (buf == NULL)
		return NULL;
	vk_text_init(&text, buf, cap);
	vk_text_label(&text, (const uint8_t *)bytes, len);
	value = json_string(buf);
	free(buf);
	return value;
}
