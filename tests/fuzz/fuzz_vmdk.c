/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz entry: descriptors of virtual disks, and the headers of their data files. */
#include "fuzz.h"

#include "vmfskit/virtual_disk.h"

static void check(const struct vk_vmdk_descriptor *d)
{
	FUZZ_ASSERT(d->extent_count <= VK_VMDK_EXTENTS);
	FUZZ_ASSERT(d->names_bytes <= sizeof(d->names));
	FUZZ_ASSERT(strnlen(d->create_type, sizeof(d->create_type)) < sizeof(d->create_type));
	FUZZ_ASSERT(strnlen(d->parent_hint, sizeof(d->parent_hint)) < sizeof(d->parent_hint));
	for (size_t i = 0; i < d->extent_count; i++)
		FUZZ_ASSERT(strnlen(d->extents[i].name, VK_VMDK_NAME_BYTES) < VK_VMDK_NAME_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vk_vmdk_descriptor d, again;
	struct vk_vmdk_header header;
	/* no byte behind the input may be read */
	uint8_t *copy = malloc(size > 0 ? size : 1);
	bool is;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	is = vk_vmdk_parse(copy, size, &d);
	check(&d);
	/* a descriptor that is made for what one names reads back as it was meant */
	if (is && d.extent_count > 0) {
		const struct vk_vmdk_new made = {d.extents[0].name, d.extents[0].sectors * 512, true, 8};
		char buf[4096];
		struct vk_text text = vk_text_in(buf, sizeof(buf));

		if (vk_vmdk_compose(&made, &text)) {
			FUZZ_ASSERT(vk_vmdk_parse(buf, text.len_bytes, &again));
			FUZZ_ASSERT(again.extent_count == 1 && again.extents[0].type == VK_VMDK_VMFS);
			FUZZ_ASSERT(again.extents[0].sectors == made.size_bytes / 512);
			FUZZ_ASSERT(strcmp(again.extents[0].name, d.extents[0].name) == 0);
			FUZZ_ASSERT(again.has_parent_cid && again.parent_cid == VK_VMDK_NO_PARENT);
		}
	}
	FUZZ_ASSERT(vk_vmdk_header_decode(copy, size, &header) == (header.magic != VK_VMDK_NO_MAGIC));
	free(copy);
	return 0;
}
