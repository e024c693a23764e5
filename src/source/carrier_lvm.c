/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical volumes of LVM2. Label, header and areas: LVM2, lib/label/label.h and lib/format_text/layout.h; what the
 * areas hold is the text of lvm_vgcfg in source/carrier_lvm_text.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "source/carrier_lvm.h"
#include "vmfskit/gpt.h"
#include "vmfskit/text.h"

enum {
	LABEL_SECTORS = 4, /* the label is in one of the first */
	LABEL_BYTES = 512,
	HEADER_BYTES = 40, /* of a pv_header in front of its areas, and of an mda_header in front of its texts */
	AREA_BYTES = 16,
	TEXT_MAX_BYTES = 1 << 20
};

/* What the label says. */
struct label {
	uint8_t uuid[VK_LVM2_UUID_BYTES];
	uint64_t at; /* the label itself */
	uint64_t data_bytes; /* where the first extent begins; 0: it does not say */
	uint64_t text_area_bytes, text_area_length; /* 0: there is none */
};

/* CRC-32 with a start of its own, and not inverted at the end; LVM2, lib/misc/crc.c. */
static uint32_t crc_of(const uint8_t *bytes, size_t len)
{
	return ~vk_crc32(~0xf597a6cfU, bytes, len);
}

static bool read_label(struct vk_io *io, struct label *ret)
{
	uint8_t sector[LABEL_BYTES];
	size_t at;

	for (ret->at = 0; ret->at < LABEL_SECTORS * LABEL_BYTES; ret->at += LABEL_BYTES)
		if (vk_io_read_all(io, ret->at, sector, sizeof(sector), NULL) == VK_OK &&
		    memcmp(sector, "LABELONE", 8) == 0 && memcmp(sector + 24, "LVM2 001", 8) == 0)
			break;
	if (ret->at == LABEL_SECTORS * LABEL_BYTES)
		return false;
	at = vk_get_le32(sector + 20);
	if (at > LABEL_BYTES - HEADER_BYTES)
		return false;
	memcpy(ret->uuid, sector + at, VK_LVM2_UUID_BYTES);
	/* areas of data, a nil one, areas of text, a nil one */
	for (at += HEADER_BYTES; at + AREA_BYTES <= LABEL_BYTES && vk_get_le64(sector + at) != 0; at += AREA_BYTES)
		if (ret->data_bytes == 0)
			ret->data_bytes = vk_get_le64(sector + at);
	at += AREA_BYTES;
	if (at + AREA_BYTES <= LABEL_BYTES) {
		ret->text_area_bytes = vk_get_le64(sector + at);
		ret->text_area_length = vk_get_le64(sector + at + 8);
	}
	return true;
}

/* The newest text of an area; it goes on behind the area's header where the area ends. NULL: none that is sound. */
static char *read_text(struct vk_io *io, const struct label *label)
{
	uint64_t area = label->text_area_bytes, length = label->text_area_length, first;
	uint8_t header[LABEL_BYTES];
	uint64_t at, size;
	char *text;
	struct vk_error ignored;

	if (area == 0 || length <= LABEL_BYTES || vk_io_read_all(io, area, header, sizeof(header), NULL) != VK_OK ||
	    memcmp(header + 4, " LVM2 x[5A%r0N*>", 16) != 0)
		return NULL;
	at = vk_get_le64(header + HEADER_BYTES);
	size = vk_get_le64(header + HEADER_BYTES + 8);
	if (at < LABEL_BYTES || at >= length || size == 0 || size > TEXT_MAX_BYTES || size > length - LABEL_BYTES)
		return NULL;
	text = malloc(size + 1);
	first = vk_min_u64(size, length - at);
	if (text == NULL || vk_io_read_all(io, vk_add_sat(area, at), text, first, &ignored) != VK_OK ||
	    vk_io_read_all(io, vk_add_sat(area, LABEL_BYTES), text + first, size - first, &ignored) != VK_OK ||
	    crc_of((const uint8_t *)text, size) != vk_get_le32(header + HEADER_BYTES + 16)) {
		free(text);
		return NULL;
	}
	text[size] = '\0';
	return text;
}

/*
 * The area's header is whole and says that there is no text in it: nobody has put the physical volume into a group, or
 * it was taken out of it. Where texts of the group are kept elsewhere, a flag beside the place of the text says so.
 */
static bool is_empty(struct vk_io *io, const struct label *label)
{
	static const uint8_t no_text[24];
	uint8_t header[LABEL_BYTES];

	return label->text_area_bytes != 0 &&
	       vk_io_read_all(io, label->text_area_bytes, header, sizeof(header), NULL) == VK_OK &&
	       memcmp(header + 4, " LVM2 x[5A%r0N*>", 16) == 0 &&
	       crc_of(header + 4, sizeof(header) - 4) == vk_get_le32(header) &&
	       memcmp(header + HEADER_BYTES, no_text, sizeof(no_text)) == 0;
}

/* For reading only, and without a word in the metadata; lvm.conf(5), activation/read_only_volume_list. */
static void say_how_to_open(struct vk_layer *layer, const char *verb, const char *what)
{
	struct vk_text text = vk_text_in(layer->open, sizeof(layer->open));

	vk_text_fmt(&text,
		    "%s --activate y --config 'devices{use_devicesfile=0} "
		    "activation{read_only_volume_list=[\"%s\"]}' %s", verb, what, what);
	/* one that is too long for a line would name another volume */
	if (2 * strlen(what) + 120 > sizeof(layer->open))
		layer->open[0] = '\0';
}

/* Where a volume lies, when it lies in one piece on this device. */
static bool add_volume(struct vk_io *io, const struct label *label, const struct vk_lvm2_group *group,
		       const struct vk_lvm2_volume *v, struct vk_layers *layers)
{
	struct vk_layer layer = {.whole = true, .in_use = true};
	char what[2 * VK_LVM2_NAME_BYTES];

	layer.data_bytes = vk_add_sat(group->data_bytes, vk_mul_sat(v->first_extent, group->extent_bytes));
	layer.length_bytes = vk_mul_sat(v->extents, group->extent_bytes);
	if (vk_add_sat(layer.data_bytes, layer.length_bytes) > vk_io_size_bytes(io))
		return true;
	snprintf(layer.name, sizeof(layer.name), "a physical volume of LVM2 (volume %.30s/%.30s)", group->name,
		 v->name);
	snprintf(what, sizeof(what), "%s/%s", group->name, v->name);
	say_how_to_open(&layer, "lvchange", what);
	snprintf(layer.device, sizeof(layer.device), "/dev/%s/%s", group->name, v->name);
	snprintf(layer.evidence, sizeof(layer.evidence),
		 "LVM2 label at byte %" PRIu64 ", the checksum of its text fits", label->at);
	return vk_layers_add(io, &layer, layers);
}

bool vk_layers_read_lvm(struct vk_io *io, struct vk_layers *layers)
{
	struct label label = {.at = 0};
	struct vk_layer rest = {.name = ""};
	struct vk_lvm2_group group = {.name = ""};
	bool fine = true, said;
	char *text;

	if (!read_label(io, &label))
		return true;
	snprintf(rest.name, sizeof(rest.name), "a physical volume of LVM2");
	snprintf(rest.evidence, sizeof(rest.evidence), "LVM2 label at byte %" PRIu64, label.at);
	text = read_text(io, &label);
	said = text != NULL && vk_lvm2_read_text(text, label.uuid, &group);
	free(text);
	if (group.data_bytes == 0)
		group.data_bytes = label.data_bytes;
	if (said) {
		snprintf(rest.name, sizeof(rest.name), "a physical volume of LVM2 (group %.60s)", group.name);
		rest.in_use = group.pieces > 0;
		say_how_to_open(&rest, "vgchange", group.name);
	}
	for (size_t i = 0; said && i < group.volume_count && fine; i++)
		fine = add_volume(io, &label, &group, &group.volumes[i], layers);
	/* without its text nobody knows where volumes begin, but the first one mostly begins with the data */
	rest.empty = !said && is_empty(io, &label);
	rest.whole = !said && group.data_bytes != 0;
	rest.data_bytes = group.data_bytes;
	return fine && vk_layers_add(io, &rest, layers);
}
