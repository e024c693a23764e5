/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz entry: bundles. An input that begins with 'I' is an index and frames, of which a bundle is made: digests and
 * compression would else keep every changed byte of an index from being looked at. Behind the I: u16, length of the
 * index, then it, then the frames.
 */
#include "../unit/bundle_bench.h"
#include "io_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A frame that is damaged stops a read, and is unreadable then; all else is as its span says. */
static void check_bundle_span(struct vk_io *io, uint64_t offset, const struct vk_span *span)
{
	static uint8_t bytes[FUZZ_READ_BYTES];
	size_t len = span->length_bytes < FUZZ_READ_BYTES ? (size_t)span->length_bytes : FUZZ_READ_BYTES;
	size_t got = fuzz_read(io, offset, bytes, len);

	switch (span->state) {
	case VK_SPAN_DATA:
		fuzz_must(got == len || (vk_io_span(io, offset + got).state == VK_SPAN_UNREADABLE));
		break;
	case VK_SPAN_ZERO:
		fuzz_must(got == len && vk_all_zero(bytes, len));
		break;
	case VK_SPAN_ABSENT:
	case VK_SPAN_UNREADABLE:
		fuzz_must(got == 0);
		break;
	case VK_SPAN_END:
		abort();
	}
	(void)fuzz_read(io, offset + span->length_bytes - 1, bytes, 1);
}

static void check_bundle(struct vk_io *io, size_t input_bytes)
{
	uint64_t size = vk_io_size_bytes(io), offset = 0, damage_at = 0;
	bool redacted;

	fuzz_must(vk_io_bundle_facts(io, &redacted) != NULL);
	for (int i = 0; i < FUZZ_SPANS_MAX && offset < size; i++) {
		struct vk_span span = vk_io_span(io, offset);

		fuzz_must(span.length_bytes > 0 && span.length_bytes <= size - offset);
		check_bundle_span(io, offset, &span);
		offset += span.length_bytes;
	}
	fuzz_must(vk_io_span(io, size).state == VK_SPAN_END);
	if (vk_io_damage(io, &damage_at) != NULL)
		fuzz_must(damage_at <= input_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct grown made = {NULL, 0};
	struct vk_error err = {0};
	struct vk_io *base, *io;
	bool is;

	if (size > 3 && data[0] == 'I' && vk_get_le16(data + 1) <= size - 3) {
		size_t index = vk_get_le16(data + 1);

		made = bundle_of(data + 3 + index, size - 3 - index, data + 3, index);
		data = made.bytes;
		size = made.len;
	}
	base = vk_io_memory("input", data, size, false);
	is = vk_io_is_bundle(base);
	if (vk_io_bundle(base, &io, &err) == VK_OK) {
		check_bundle(io, size);
		vk_io_close(io);
	} else {
		fuzz_must(err.status == VK_DAMAGED || (is && err.status == VK_UNSUPPORTED));
		vk_io_close(base);
	}
	free(made.bytes);
	return 0;
}
