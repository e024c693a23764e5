/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the ledger with which one thing is wrong: the first is told, and how many there are. */
#include "store/ledger/wrong_lines.h"

#include <string.h>

#include "vmfskit/text.h"

void vk_wrong_line(struct vk_wrong_lines *wrong, enum vk_finding_code code, size_t number, uint64_t offset, size_t len,
		   const char *message)
{
	if (wrong->count++ == 0)
		vk_finding_init(&wrong->first, code, offset, len, "line %zu of the ledger%s", number, message);
}

void vk_wrong_lines_put(const struct vk_finding_sink *sink, struct vk_wrong_lines *wrong)
{
	size_t used = strlen(wrong->first.message);
	struct vk_text text;

	if (wrong->count == 0)
		return;
	vk_text_init(&text, wrong->first.message + used, sizeof(wrong->first.message) - used);
	if (wrong->count > 1)
		vk_text_fmt(&text, ", the first of %zu lines that are wrong", wrong->count);
	vk_finding_put(sink, &wrong->first);
}
