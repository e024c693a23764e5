/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a configuration file: every line is a key and a value, or it is told what is wrong with it. */
#include "cli/config_text.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct vk_config_line line;
	unsigned number = 0;
	unsigned before = 0;
	char *cursor = text;

	FUZZ_ASSERT(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	while (vk_config_next(&cursor, &number, &line)) {
		FUZZ_ASSERT(line.number == number && number > before);
		before = number;
		FUZZ_ASSERT(line.key >= text ? line.key <= text + size : line.key[0] == '\0');
		if (line.wrong != NULL)
			continue;
		FUZZ_ASSERT(line.key[0] != '\0' && strpbrk(line.key, " =#\t\n") == NULL);
		FUZZ_ASSERT(line.value[0] != '\0' && strchr(line.value, '\n') == NULL);
	}
	FUZZ_ASSERT(*cursor == '\0');
	free(text);
	return 0;
}
