/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked for, from words: volume SPECs, foreign partitions. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lab/disk/practice.h"

void vk_lab_volume_init(struct vk_lab_volume *volume)
{
	memset(volume, 0, sizeof(*volume));
	strcpy(volume->model, "VMFSKIT:PRACTICE DISK:1.0");
}

static bool copy_text(char *to, size_t cap, const char *text)
{
	size_t len = strlen(text);

	if (len >= cap)
		return false;
	memcpy(to, text, len + 1);
	return true;
}

enum word { START, SIZE, VERSION, LABEL, NAA, LUN, MODEL, LIVE, BLOCK_SIZE, IMAGE, NUMBER, LOGICAL, WORDS };
static const struct {
	const char *word;
	const char *expected;
} words[WORDS] = {
	[START] = {"start", "the number of a sector"},
	[SIZE] = {"size", "a size like 20G, 64T or 41943040s (sectors of 512 bytes)"},
	[VERSION] = {"version", "3, 5, 6, 5l or 6l"},
	[LABEL] = {"label", "at most 128 bytes long"},
	[NAA] = {"naa", "naa. with 16 or 32 hexadecimal digits that begin with 2, 3, 5 or 6, or an mpx. name"},
	[LUN] = {"lun", "a number up to 65535"},
	[MODEL] = {"model", "[VENDOR:]MODEL[:REVISION] of at most 8, 16 and 4 characters"},
	[LIVE] = {"live", "a number of hosts up to 512"},
	[BLOCK_SIZE] = {"block-size", "1M, 2M, 4M or 8M"},
	[IMAGE] = {"image", "the path of a partition image"},
	[NUMBER] = {"number", "a partition number from 1 to 128"},
	[LOGICAL] = {"logical", "a word without a value"},
};

static bool fits_model(const char *value)
{
	const char *colon = strchr(value, ':');
	size_t vendor = colon == NULL ? 0 : (size_t)(colon - value);
	const char *model = colon == NULL ? value : colon + 1;
	size_t model_len = strcspn(model, ":");
	size_t revision = model[model_len] == '\0' ? 0 : strlen(model + model_len + 1);

	return vendor <= 8 && model_len <= 16 && model_len > 0 && revision <= 4;
}

/* False: the value makes no sense, and the volume is of no use any more. */
static bool set_word(struct vk_lab_volume *v, enum word word, const char *value)
{
	struct vk_scsi_disk_id id;
	uint64_t n = 0;
	bool good = false;

	switch (word) {
	case START:
		v->has_start = vk_text_parse_number(value, UINT64_MAX, &v->start_sector);
		return v->has_start;
	case SIZE:
		return vk_text_parse_size(value, &v->size_bytes) && v->size_bytes > 0;
	case VERSION:
		v->local = strlen(value) == 2 && (value[1] == 'l' || value[1] == 'L');
		v->version = (unsigned)(value[0] - '0');
		return (strlen(value) == 1 || v->local) &&
		       (v->version == 5 || v->version == 6 || (v->version == 3 && !v->local));
	case LABEL:
		v->has_label = true;
		return copy_text(v->label, sizeof(v->label), value);
	case NAA:
		return vk_scsi_disk_id_from_name(value, "", 0, &id) == VK_OK &&
		       copy_text(v->lun_name, sizeof(v->lun_name), value);
	case LUN:
		good = vk_text_parse_number(value, UINT16_MAX, &n);
		v->lun = (uint16_t)n;
		return good;
	case MODEL:
		return fits_model(value) && copy_text(v->model, sizeof(v->model), value);
	case LIVE:
		good = vk_text_parse_number(value, VK_LAB_LIVE_MAX, &n);
		v->live = (unsigned)n;
		return good;
	case BLOCK_SIZE:
		good = vk_text_parse_size(value, &n);
		v->block_bytes = n;
		return good && (n == 1 << 20 || n == 2 << 20 || n == 4 << 20 || n == 8 << 20);
	case IMAGE:
		return *value != '\0' && copy_text(v->image, sizeof(v->image), value);
	case NUMBER:
		good = vk_text_parse_number(value, 128, &n) && n > 0;
		v->number = (unsigned)n;
		return good;
	default:
		v->logical = true;
		return *value == '\0';
	}
}

enum vk_status vk_lab_volume_set(struct vk_lab_volume *volume, const char *word, const char *value,
				 struct vk_error *err)
{
	for (unsigned i = 0; i < WORDS; i++)
		if (strcmp(words[i].word, word) == 0)
			return set_word(volume, (enum word)i, value)
				       ? VK_OK
				       : vk_error_set(err, VK_USAGE, NULL, "%s cannot be \"%s\"; it is %s", word, value,
						      words[i].expected);
	vk_error_set(err, VK_USAGE, NULL, "a volume has no \"%s\"", word);
	return vk_error_remedy(err, "start, size, version, label, naa, lun, model, live, block-size, "
				    "image, number and logical are known");
}

enum vk_status vk_lab_volume_parse(struct vk_lab_volume *volume, const char *spec,
				   struct vk_error *err)
{
	char *copy = strdup(spec);
	enum vk_status status = VK_OK;
	char *rest = copy;

	if (copy == NULL)
		return vk_no_memory(err, NULL);
	while (status == VK_OK && rest != NULL && *rest != '\0') {
		char *word = strsep(&rest, ",");
		char *value = strchr(word, '=');

		if (value != NULL)
			*value++ = '\0';
		status = vk_lab_volume_set(volume, word, value == NULL ? "" : value, err);
	}
	free(copy);
	return status;
}

static const struct {
	const char *name;
	const char *guid;
} gpt_types[] = {
	{"vmfs", VK_GPT_TYPE_VMFS},       {"vmfsl", VK_GPT_TYPE_VMFSL},
	{"vmkdiag", VK_GPT_TYPE_VMKDIAG}, {"reserved", VK_GPT_TYPE_RESERVED},
	{"efi", VK_GPT_TYPE_EFI},         {"basic", VK_GPT_TYPE_BASIC},
	{"linux", "0FC63DAF-8483-4772-8E79-3D69D8477DE4"},
};

static bool parse_type(struct vk_lab_partition *f, const char *text, enum vk_table_kind table)
{
	char *end;
	unsigned long type;

	if (table == VK_TABLE_GPT) {
		for (size_t i = 0; i < sizeof(gpt_types) / sizeof(gpt_types[0]); i++)
			if (strcmp(gpt_types[i].name, text) == 0)
				return vk_guid_parse(gpt_types[i].guid, &f->type);
		return vk_guid_parse(text, &f->type) && !vk_guid_is_nil(&f->type);
	}
	type = strtoul(text, &end, 16);
	f->mbr_type = (uint8_t)type;
	return *text != '\0' && *end == '\0' && type > 0 && type < 256 &&
	       !vk_mbr_type_is_extended((uint8_t)type) && type != VK_MBR_TYPE_PROTECTIVE;
}

enum vk_status vk_lab_foreign_parse(struct vk_lab_partition *foreign, const char *text,
				    enum vk_table_kind table, struct vk_error *err)
{
	const char *plus = strchr(text, '+');
	const char *colon = plus == NULL ? NULL : strchr(plus, ':');
	char start[24] = "", sectors[24] = "";

	memset(foreign, 0, sizeof(*foreign));
	if (colon != NULL && (size_t)(plus - text) < sizeof(start) && (size_t)(colon - plus) <= sizeof(sectors)) {
		memcpy(start, text, (size_t)(plus - text));
		memcpy(sectors, plus + 1, (size_t)(colon - plus - 1));
		if (vk_text_parse_number(start, INT64_MAX, &foreign->start_sector) &&
		    vk_text_parse_number(sectors, INT64_MAX, &foreign->sectors) && foreign->sectors > 0 &&
		    parse_type(foreign, colon + 1, table))
			return VK_OK;
	}
	vk_error_set(err, VK_USAGE, NULL, "\"%s\" does not describe a partition", text);
	return vk_error_remedy(err, "write START+SECTORS:TYPE, where TYPE is hexadecimal on an MBR (83, fc), a "
				    "GUID or efi, basic, linux, vmkdiag, reserved, vmfs, vmfsl on a GPT");
}
