/* SPDX-License-Identifier: Apache-2.0 */
/* The list of layers: none reaches past what it lies on. */
#include "source/carrier.h"

#include "base/memory.h"

bool vk_layers_add(struct vk_io *io, const struct vk_layer *layer, struct vk_layers *layers)
{
	uint64_t size = vk_io_size_bytes(io);
	struct vk_layer *added = vk_append(&layers->items, &layers->count, layer, sizeof(*layer));

	if (added == NULL)
		return false;
	if (layer->data_bytes >= size) {
		added->whole = false;
		added->data_bytes = 0;
	}
	added->length_known = layer->length_bytes != 0 && layer->length_bytes <= size - added->data_bytes;
	if (!added->length_known)
		added->length_bytes = size - added->data_bytes;
	return true;
}
