/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked for, from words: volume SPECs, foreign partitions. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lab/lab.h"

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

static enum vk_status wrong(struct vk_error *err, const char *word, const char *value,
			    const char *expected)
{
	return vk_error_set(err, VK_USAGE, NULL, "%s cannot be \"%s\"; it is %s", word, value, expected);
}

static enum vk_status set_start(struct vk_lab_volume *v, const char *value, struct vk_error *err)
{
	if (!vk_text_parse_number(value, UINT64_MAX, &v->start_sector))
		return wrong(err, "start", value, "the number of a sector");
	v->has_start = true;
	return VK_OK;
}

static enum vk_status set_size(struct vk_lab_volume *v, const char *value, struct vk_error *err)
{
	if (vk_text_parse_size(value, &v->size_bytes) && v->size_bytes > 0)
		return VK_OK;
	return wrong(err, "size", value, "a size like 20G, 64T or 41943040s (sectors of 512 bytes)");
}

static enum vk_status set_version(struct vk_lab_volume *v, const char *value, struct vk_error *err)
{
	bool local = strlen(value) == 2 && (value[1] == 'l' || value[1] == 'L');
	unsigned version = (unsigned)(value[0] - '0');

	if ((strlen(value) != 1 && !local) || (version != 3 && version != 5 && version != 6) ||
	    (version == 3 && local))
		return wrong(err, "version", value, "3, 5, 6, 5l or 6l");
	v->version = version;
	v->local = local;
	return VK_OK;
}

static enum vk_status set_label(struct vk_lab_volume *v, const char *value, struct vk_error *err)
{
	v->has_label = true;
	if (copy_text(v->label, sizeof(v->label), value))
		return VK_OK;
	return wrong(err, "label", value, "at most 128 bytes long");
}

static enum vk_status set_naa(struct vk_lab_volume *v, const char *value, struct vk_error *err)
{
	struct vk_scsi_disk_id id;

	if (vk_scsi_disk_id_from_name(value, "", 0, &id) == VK_OK &&
	    copy_text(v->lun_name, sizeof(v->lun_name), value))
		return VK_OK;
	return wrong(err, "naa", value,
		     "naa. with 16 or 32 hexadecimal digits that begin with 2, 3, 5 or 6, or an mpx. name");
}

static enum vk_status set_lun(struct vk_lab_volume *v, const char *value, struct vk_error *err)
{
	uint64_t n;

	if (!vk_text_parse_number(value, UINT16_MAX, &n))
		return wrong(err, "lun", value, "a number up to 65535");
	v->lun = (uint16_t)n;
	return VK_OK;
}

static enum vk_status set_model(struct vk_lab_volume *v, const char *value, struct vk_error *err)
{
	const char *colon = strchr(value, ':');
	size_t vendor = colon == NULL ? 0 : (size_t)(colon - value);
	const char *model = colon == NULL ? value : colon + 1;
	const char *second = strchr(model, ':');
	size_t model_len = second == NULL ? strlen(model) : (size_t)(second - model);
	size_t revision = second == NULL ? 0 : strlen(second + 1);

	if (vendor <= 8 && model_len <= 16 && model_len > 0 && revision <= 4 &&
	    copy_text(v->model, sizeof(v->model), value))
		return VK_OK;
	return wrong(err, "model", value,
		     "[VENDOR:]MODEL[:REVISION] of at most 8, 16 and 4 characters");
}

static enum vk_status set_live(struct vk_lab_volume *v, const char *value, struct vk_error *err)
{
	uint64_t n;

	if (!vk_text_parse_number(value, VK_LAB_LIVE_MAX, &n))
		return wrong(err, "live", value, "a number of hosts up to 512");
	v->live = (unsigned)n;
	return VK_OK;
}

static enum vk_status set_block_size(struct vk_lab_volume *v, const char *value,
				     struct vk_error *err)
{
	uint64_t n;

	if (!vk_text_parse_size(value, &n) ||
	    (n != 1 << 20 && n != 2 << 20 && n != 4 << 20 && n != 8 << 20))
		return wrong(err, "block-size", value, "1M, 2M, 4M or 8M");
	v->block_bytes = n;
	return VK_OK;
}

static enum vk_status set_image(struct vk_lab_volume *v, const char *value, struct vk_error *err)
{
	if (*value != '\0' && copy_text(v->image, sizeof(v->image), value))
		return VK_OK;
	return wrong(err, "image", value, "the path of a partition image");
}

static enum vk_status set_number(struct vk_lab_volume *v, const char *value, struct vk_error *err)
{
	uint64_t n;

	if (!vk_text_parse_number(value, 128, &n) || n == 0)
		return wrong(err, "number", value, "a partition number from 1 to 128");
	v->number = (unsigned)n;
	return VK_OK;
}

static enum vk_status set_logical(struct vk_lab_volume *v, const char *value, struct vk_error *err)
{
	if (*value != '\0')
		return wrong(err, "logical", value, "a word without a value");
	v->logical = true;
	return VK_OK;
}

static const struct {
	const char *word;
	enum vk_status (*set)(struct vk_lab_volume *v, const char *value, struct vk_error *err);
} words[] = {
	{"start", set_start},     {"size", set_size},   {"version", set_version},
	{"label", set_label},     {"naa", set_naa},     {"lun", set_lun},
	{"model", set_model},     {"live", set_live},   {"block-size", set_block_size},
	{"image", set_image},     {"number", set_number}, {"logical", set_logical},
};

enum vk_status vk_lab_volume_set(struct vk_lab_volume *volume, const char *word, const char *value,
				 struct vk_error *err)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].set(volume, value, err);
	vk_error_set(err, VK_USAGE, NULL, "A volume has no \"%s\"", word);
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

static bool parse_type(struct vk_lab_foreign *f, const char *text, enum vk_table_kind table)
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

enum vk_status vk_lab_foreign_parse(struct vk_lab_foreign *foreign, const char *text,
				    enum vk_table_kind table, struct vk_error *err)
{
	const char *plus = strchr(text, '+');
	const char *colon = plus == NULL ? NULL : strchr(plus, ':');
	char start[24];
	char sectors[24];
	bool good = false;

	memset(foreign, 0, sizeof(*foreign));
	if (colon != NULL && (size_t)(plus - text) < sizeof(start) &&
	    (size_t)(colon - plus) <= sizeof(sectors)) {
		memcpy(start, text, (size_t)(plus - text));
		start[plus - text] = '\0';
		memcpy(sectors, plus + 1, (size_t)(colon - plus - 1));
		sectors[colon - plus - 1] = '\0';
		good = vk_text_parse_number(start, INT64_MAX, &foreign->start_sector) &&
		       vk_text_parse_number(sectors, INT64_MAX, &foreign->sectors) &&
		       foreign->sectors > 0 && parse_type(foreign, colon + 1, table);
	}
	if (good)
		return VK_OK;
	vk_error_set(err, VK_USAGE, NULL, "\"%s\" does not describe a partition", text);
	return vk_error_remedy(err, "write START+SECTORS:TYPE, where TYPE is hexadecimal on an MBR (83, fc), a "
				    "GUID or efi, basic, linux, vmkdiag, reserved, vmfs, vmfsl on a GPT");
}
