/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of VMFS 3 and 5: arrays of entries. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lab/files/fill.h"

static void put_entry(uint8_t *to, const struct vk_lab_fill *f, const struct vk_lab_node *n, const char *name)
{
	struct vk_dir_entry e = {.type = n->item == NULL ? VK_FILE_FOLDER : n->item->type,
				 .descAddr = vk_lab_fd_address(f, n->fd), .generation = n->generation};

	memcpy(e.name, name, strlen(name));
	vk_dir_entry_encode(&e, to, VK_DIR_ENTRY_BYTES);
}

/* The last entry takes the place of the deleted one; its old bytes stay behind the end. */
static void remove_entry(struct vk_lab_folder *folder, size_t index)
{
	size_t last = folder->live_bytes - VK_DIR_ENTRY_BYTES;

	memmove(folder->bytes + index * VK_DIR_ENTRY_BYTES, folder->bytes + last, VK_DIR_ENTRY_BYTES);
	folder->live_bytes = last;
}

enum vk_status vk_lab_folder5_add(struct vk_lab_fill *f, const struct vk_lab_node *child, struct vk_lab_folder *folder)
{
	uint8_t *bytes = realloc(folder->bytes, folder->live_bytes + VK_DIR_ENTRY_BYTES);

	if (bytes == NULL)
		return vk_no_memory(f->err, NULL);
	put_entry(bytes + folder->live_bytes, f, child, child->name);
	*folder = (struct vk_lab_folder){bytes, folder->live_bytes + VK_DIR_ENTRY_BYTES,
					 folder->live_bytes + VK_DIR_ENTRY_BYTES};
	return VK_OK;
}

void vk_lab_folder5_remove(const struct vk_lab_node *child, struct vk_lab_folder *folder)
{
	struct vk_dir_entry e;

	for (size_t i = 2; (i + 1) * VK_DIR_ENTRY_BYTES <= folder->live_bytes; i++) {
		vk_dir_entry_decode(folder->bytes + i * VK_DIR_ENTRY_BYTES, VK_DIR_ENTRY_BYTES, &e);
		if (strncmp((const char *)e.name, child->name, sizeof(e.name)) != 0)
			continue;
		remove_entry(folder, i);
		return;
	}
}

enum vk_status vk_lab_folder5(struct vk_lab_fill *f, const struct vk_lab_node *n, struct vk_lab_folder *folder)
{
	size_t dots = folder->bytes == NULL ? 2 : 0, had = folder->len;
	uint8_t *bytes = realloc(folder->bytes, had + (dots + n->child_count) * VK_DIR_ENTRY_BYTES);
	uint8_t *to;

	if (bytes == NULL)
		return vk_no_memory(f->err, NULL);
	to = bytes + had;
	memset(to, 0, (dots + n->child_count) * VK_DIR_ENTRY_BYTES);
	if (dots != 0) {
		put_entry(to, f, n, ".");
		put_entry(to + VK_DIR_ENTRY_BYTES, f, n->parent, "..");
		to += 2 * VK_DIR_ENTRY_BYTES;
	}
	for (size_t i = 0; i < n->child_count; i++)
		put_entry(to + i * VK_DIR_ENTRY_BYTES, f, n->children[i].node, n->children[i].node->name);
	*folder = (struct vk_lab_folder){.bytes = bytes};
	folder->len = (size_t)(to - bytes) + n->child_count * VK_DIR_ENTRY_BYTES;
	folder->live_bytes = folder->len;
	/* from the last one on, so that those that have not been looked at keep their places */
	for (size_t i = n->child_count; i-- > 0;)
		if (n->children[i].node->item->deleted)
			remove_entry(folder, (size_t)(to - bytes) / VK_DIR_ENTRY_BYTES + i);
	return VK_OK;
}
