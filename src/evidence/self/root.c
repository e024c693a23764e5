/* SPDX-License-Identifier: Apache-2.0 */
/* System files that have no fixed place: found by their names in the root directory of VMFS 3 and 5. */
#include <string.h>

#include "base/bytes.h"
#include "evidence/self/parts.h"
#include "vmfskit/lock.h"

enum { ENTRY_BYTES = 140, ENTRY_NAME = 12, ENTRIES_MAX = 256, FD_PART_BYTES = 1024 };

/* The file descriptor of that address, where .fdc.sf holds it: it must name its place and its address. */
static bool read_fd(struct vk_self_look *look, const struct vk_self_area *a, uint32_t address,
		    struct vk_self_file *ret_file)
{
	const struct vk_resource_file *fdc = &look->report->files[VK_SYSTEM_FDC].resource;
	uint32_t cluster = address >> 6 & 0xFFFF;
	uint32_t resource = address >> 22;
	uint8_t raw[FD_PART_BYTES];
	struct vk_file_metadata m;
	struct vk_lock lock;
	uint64_t at;

	if (vk_address_kind(address) != VK_ADDRESS_FD || resource >= fdc->resourcesPerCluster ||
	    !vk_self_file_byte(look, a, VK_SYSTEM_FDC, vk_resource_offset(fdc, 0, cluster, resource), &at) ||
	    !vk_self_get(look, at, raw, sizeof(raw)))
		return false;
	vk_lock_decode(raw, a->fd.metadata_offset, &lock);
	vk_file_metadata_decode(raw + a->fd.metadata_offset, VK_FILE_METADATA_BYTES, &m);
	if (lock.type != VK_FD_LOCK_TYPE || lock.addr != at || m.descAddr != address || m.type != VK_FILE_SYSTEM)
		return false;
	*ret_file = (struct vk_self_file){.has_fd = true, .elsewhere = true, .fd_address = address,
					  .fd_offset = at, .fd = m, .first_block = UINT64_MAX};
	return true;
}

static void take_entry(struct vk_self_look *look, const struct vk_self_area *a, const uint8_t *entry)
{
	for (unsigned i = VK_SYSTEM_PB2; i < VK_SYSTEM_COUNT; i++) {
		const char *name = vk_system_file_name((enum vk_system_file)i);
		struct vk_self_file *f = &look->report->files[i];

		if (!f->has_fd && memcmp(entry + ENTRY_NAME, name, strlen(name) + 1) == 0)
			read_fd(look, a, vk_get_le32(entry + 4), f);
	}
}

void vk_self_root_read(struct vk_self_look *look, const struct vk_self_area *area)
{
	struct vk_self_report *r = look->report;
	const struct vk_self_file *root = &r->files[VK_SYSTEM_ROOT];
	uint8_t entry[ENTRY_BYTES];
	uint64_t at;

	if (area->md_alignment != 0 || look->file_block_bytes == 0 || !r->files[VK_SYSTEM_FDC].has_resource)
		return;
	for (uint64_t i = 0; i < ENTRIES_MAX && (i + 1) * ENTRY_BYTES <= root->fd.fileLength; i++) {
		/* no entry lies across two blocks that are not neighbours: the root of the first files is in one */
		if (!vk_self_file_byte(look, area, VK_SYSTEM_ROOT, i * ENTRY_BYTES, &at) ||
		    !vk_self_get(look, at, entry, sizeof(entry)))
			return;
		r->root_readable |= memcmp(entry + ENTRY_NAME, ".fdc.sf", sizeof(".fdc.sf")) == 0;
		take_entry(look, area, entry);
	}
}
