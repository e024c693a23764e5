/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Superblocks of arrays and pools. First byte: the system; then where its signature lies (6 bytes), then pieces of a
 * source. The last system is the text of LVM2 alone, which is all that follows.
 */
#include "fuzz_pieces.h"
#include "source/carrier_lvm.h"

static const char *const types[] = {"linux_raid_member", "LVM2_member",     "bcache",
				    "drbd",              "ddf_raid_member", "crypto_LUKS"};
enum { TYPES = sizeof(types) / sizeof(types[0]) };

static void read_text(const struct fuzz_input *in)
{
	struct vk_lvm2_group *group = calloc(1, sizeof(*group));
	char *text = calloc(1, in->size + 1);
	uint8_t uuid[VK_LVM2_UUID_BYTES];

	memset(uuid, 'b', sizeof(uuid));
	if (group != NULL && text != NULL) {
		memcpy(text, in->data, in->size);
		if (vk_lvm2_read_text(text, uuid, group))
			FUZZ_ASSERT(group->extent_bytes > 0);
		fuzz_text(group->name, sizeof(group->name));
		FUZZ_ASSERT(group->volume_count <= VK_LVM2_VOLUMES_MAX);
		for (size_t i = 0; i < group->volume_count; i++) {
			fuzz_text(group->volumes[i].name, sizeof(group->volumes[i].name));
			FUZZ_ASSERT(group->volumes[i].extents > 0);
		}
	}
	free(text);
	free(group);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	size_t type = fuzz_take(&in, 1) % (TYPES + 1);
	struct vk_foreign found = {.kind = VK_FOREIGN_VOLUME_MANAGER};
	struct vk_layers layers = {.count = 0};
	struct vk_io *io;
	uint64_t length;

	if (type == TYPES) {
		read_text(&in);
		return 0;
	}
	snprintf(found.type, sizeof(found.type), "%s", types[type]);
	found.magic_bytes = fuzz_take(&in, 6);
	io = fuzz_pieces(&in, 512);
	if (io == NULL)
		return 0;
	length = vk_io_size_bytes(io);
	if (length > 0 && vk_layers_read(io, &found, &layers)) {
		FUZZ_ASSERT(layers.count > 0);
		for (size_t i = 0; i < layers.count; i++) {
			const struct vk_layer *l = &layers.items[i];

			FUZZ_ASSERT(l->data_bytes < length && l->length_bytes <= length - l->data_bytes);
			fuzz_text(l->name, sizeof(l->name));
			fuzz_text(l->evidence, sizeof(l->evidence));
			fuzz_text(l->open, sizeof(l->open));
			fuzz_text(l->device, sizeof(l->device));
			FUZZ_ASSERT(l->name[0] != '\0' && l->evidence[0] != '\0');
		}
	}
	free(layers.items);
	vk_io_close(io);
	return 0;
}
