/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every fuzz entry shares. An entry is one file with LLVMFuzzerTestOneInput; linked with replay.c instead of
 * libFuzzer it runs over files, so the corpus is part of the ordinary tests.
 */
#ifndef VK_FUZZ_H
#define VK_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "vmfskit/finding.h"
#include "vmfskit/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_ASSERT(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* A text that ends inside its buffer, is UTF-8 and steers no terminal. */
static inline void fuzz_text(const char *text, size_t cap)
{
	size_t len = strnlen(text, cap);

	FUZZ_ASSERT(len < cap);
	for (size_t i = 0; i < len;) {
		uint32_t c;
		size_t n = vk_utf8_decode((const uint8_t *)text + i, len - i, &c);

		FUZZ_ASSERT(n > 0 && !vk_utf8_steers(c));
		i += n;
	}
}

struct fuzz_count {
	size_t count;
	enum vk_severity worst;
};

static inline void fuzz_put(void *ctx, const struct vk_finding *f)
{
	struct fuzz_count *count = ctx;

	FUZZ_ASSERT((unsigned)f->code < VK_F_COUNT);
	FUZZ_ASSERT(f->message[0] != '\0');
	fuzz_text(f->message, sizeof(f->message));
	fuzz_text(f->seen, sizeof(f->seen));
	fuzz_text(f->expected, sizeof(f->expected));
	count->count++;
	if (vk_finding_kind(f->code)->severity > count->worst)
		count->worst = vk_finding_kind(f->code)->severity;
}

static inline struct vk_finding_sink fuzz_sink(struct fuzz_count *count)
{
	count->count = 0;
	count->worst = VK_INFO;
	return (struct vk_finding_sink){fuzz_put, count};
}

/* Input that is read front to back: what is not there is zero. */
struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

static inline uint64_t fuzz_take(struct fuzz_input *in, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes && in->size > 0; i++, in->data++, in->size--)
		value |= (uint64_t)*in->data << (8 * i);
	return value;
}

/*
 * Decode what there is into the C struct at out, show every field in rooms of several sizes, encode it again over
 * other bytes: fields that were held must come back, all others must stay. Returns the bytes seen.
 */
static inline size_t fuzz_layout(const struct vk_layout *layout, const uint8_t *data, size_t size,
				 void *out)
{
	size_t seen = vk_layout_decode(layout, data, size, out);
	uint8_t again[2048];
	char buf[700];

	FUZZ_ASSERT(layout->size <= sizeof(again));
	FUZZ_ASSERT(seen == (size < layout->size ? size : layout->size));
	memset(again, 0xA5, sizeof(again));
	FUZZ_ASSERT(vk_layout_encode(layout, out, again, seen) == seen);
	for (size_t i = 0, byte = 0; i < layout->count; i++) {
		const struct vk_field *f = &layout->fields[i];
		struct vk_text text;

		for (; byte < f->offset; byte++)
			FUZZ_ASSERT(again[byte] == 0xA5);
		if (vk_field_held(f, seen))
			FUZZ_ASSERT(memcmp(again + f->offset, data + f->offset, f->size) == 0);
		else
			FUZZ_ASSERT(again[f->offset] == 0xA5 && again[f->offset + f->size - 1] == 0xA5);
		byte = f->offset + f->size;
		for (size_t room = 1; room <= sizeof(buf); room = room * 3 + 1) {
			vk_text_init(&text, buf, room);
			vk_field_text(f, out, &text);
			fuzz_text(buf, room);
		}
	}
	return seen;
}

#endif
