/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GPT: one byte of options, 8 bytes each of the header's sector and the disk's last, the header's 92 bytes, then the
 * entry array. Option bits: 0 sectors of 4096, 1 the checksums are put right first (past them lies the rest).
 */
#include "fuzz.h"
#include "vmfskit/gpt.h"

static void entries(const struct vk_gpt_header *h, const struct fuzz_input *in, const uint8_t *array)
{
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	uint32_t used = 0;

	for (uint32_t i = 0; i < h->numEntries; i++) {
		struct vk_gpt_entry e;

		vk_gpt_entry_decode(array + (size_t)i * h->entrySize, h->entrySize, &e);
		used += !vk_guid_is_nil(&e.typeGUID);
		/* the zeros behind the input read the same everywhere */
		if ((size_t)i * h->entrySize > in->size)
			continue;
		fuzz_layout(&vk_gpt_entry_layout, array + (size_t)i * h->entrySize, h->entrySize, &e);
		FUZZ_ASSERT(vk_gpt_type_name(&e.typeGUID) != NULL);
	}
	vk_gpt_entries_check(h, array, (uint64_t)h->myLBA * 512, &sink);
	/* one for the checksum, and for each used entry its range and one overlap */
	FUZZ_ASSERT(count.count <= 1 + 2 * (size_t)used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t array[VK_GPT_ENTRIES_MAX_BYTES];
	struct fuzz_input in = {data, size};
	unsigned options = (unsigned)fuzz_take(&in, 1);
	uint64_t lba = fuzz_take(&in, 8);
	uint64_t last_lba = fuzz_take(&in, 8);
	uint32_t sector_size = options & 1 ? 4096 : 512;
	uint8_t sector[4096] = {0};
	size_t head = in.size < VK_GPT_HEADER_BYTES ? in.size : VK_GPT_HEADER_BYTES;
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	struct vk_gpt_header h;
	uint32_t bytes;

	fuzz_layout(&vk_gpt_header_layout, in.data, in.size, &h);
	(void)vk_gpt_has_signature(in.data, in.size);
	memcpy(sector, in.data, head);
	in.data += head;
	in.size -= head;
	vk_gpt_header_decode(sector, sector_size, &h);
	bytes = vk_gpt_entries_bytes(&h);
	FUZZ_ASSERT(bytes <= sizeof(array));
	memset(array, 0, bytes);
	memcpy(array, in.data, in.size < bytes ? in.size : bytes);
	if (options & 2 && vk_gpt_seal(sector, sector_size, array)) {
		vk_gpt_header_decode(sector, sector_size, &h);
		FUZZ_ASSERT(h.entriesCRC32 == vk_crc32(0, array, bytes));
	}
	if (vk_gpt_header_check(sector, sector_size, lba, last_lba, &sink)) {
		FUZZ_ASSERT(bytes != 0);
		entries(&h, &in, array);
	} else {
		FUZZ_ASSERT(count.count > 0);
	}
	return 0;
}
