/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partition table of a disk. First byte: bit 0 the handle has sectors of 4096 bytes, bit 1 the caller says so too
 * (else the size is found out), bit 2 the source is the whole disk. Then pieces.
 */
#include "fuzz_pieces.h"
#include "vmfskit/table.h"

static void look_at(const struct vk_table *t)
{
	size_t logical = 0;

	FUZZ_ASSERT(t->sector_size == 512 || t->sector_size == 4096);
	FUZZ_ASSERT(vk_table_kind_name(t->kind) != NULL);
	FUZZ_ASSERT(t->kind != VK_TABLE_NONE || t->partition_count == 0);
	FUZZ_ASSERT(t->gpt_chosen >= -1 && t->gpt_chosen <= 1);
	FUZZ_ASSERT(t->ebr_count <= VK_EBR_MAX);
	for (int i = 0; i < 2; i++) {
		const struct vk_gpt_copy *c = &t->gpt[i];

		FUZZ_ASSERT(!c->usable || (c->present && c->array != NULL));
		FUZZ_ASSERT(!c->sound || c->usable);
		FUZZ_ASSERT(!c->usable || vk_gpt_entries_bytes(&c->header) > 0);
	}
	for (size_t i = 0; i < t->partition_count; i++) {
		const struct vk_partition *p = &t->partitions[i];
		char type[VK_GUID_TEXT_BYTES];
		const char *name = NULL;

		FUZZ_ASSERT(p->gpt == (t->kind == VK_TABLE_GPT));
		FUZZ_ASSERT(p->number > 0 && p->sectors > 0);
		FUZZ_ASSERT(!p->logical || p->number == 5 + logical);
		logical += p->logical;
		vk_partition_type(p, type, &name);
		fuzz_text(type, sizeof(type));
		FUZZ_ASSERT(name != NULL);
		FUZZ_ASSERT(!(vk_partition_is_vmfs(p) && vk_partition_is_extended(p)));
	}
	FUZZ_ASSERT(logical <= VK_EBR_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	unsigned options = (unsigned)fuzz_take(&in, 1);
	uint32_t sector_size = options & 1 ? 4096 : 512;
	struct vk_io *io = fuzz_pieces(&in, sector_size);
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	struct vk_error err = {0};
	struct vk_table table;

	if (io == NULL)
		return 0;
	FUZZ_ASSERT(vk_table_read(io, options & 2 ? sector_size : 0, options & 4, &sink, &table,
				  &err) == VK_OK);
	look_at(&table);
	vk_table_free(&table);
	FUZZ_ASSERT(table.partitions == NULL && table.partition_count == 0);
	vk_io_close(io);
	return 0;
}
