/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz entry: lines of logs. */
#include "fuzz.h"
#include "vmfskit/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vk_explainer explainer = {0};
	struct vk_explained e;

	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		const size_t len = end != NULL ? (size_t)(end - data) : size;

		if (vk_explain(&explainer, (const char *)data, len, &e)) {
			FUZZ_ASSERT(memchr(e.subject.device, 0, sizeof(e.subject.device)) != NULL);
			FUZZ_ASSERT(memchr(e.subject.label, 0, sizeof(e.subject.label)) != NULL);
			FUZZ_ASSERT(strlen(e.subject.volume) == 0 || strlen(e.subject.volume) == VK_EXPLAIN_UUID_BYTES - 1);
			FUZZ_ASSERT(e.means != NULL && e.code != NULL);
		}
		data += len + (end != NULL);
		size -= len + (end != NULL);
	}
	return 0;
}
