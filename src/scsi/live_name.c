/* SPDX-License-Identifier: Apache-2.0 */
/* A live LUN by its name, and what is known of one put together. */
#include <string.h>

#include "base/hex_digit.h"
#include "scsi/live_lun.h"

void vk_live_lun_add_name(struct vk_live_lun *lun, const char *name)
{
	for (size_t i = 0; i < lun->name_count; i++)
		if (strcmp(lun->names[i], name) == 0)
			return;
	if (lun->name_count < VK_LUN_NAMES_MAX) {
		struct vk_text text = vk_text_in(lun->names[lun->name_count++], VK_SCSI_NAME_BYTES);

		vk_text_put(&text, name);
	}
	if (lun->name[0] == '\0') {
		struct vk_text text = vk_text_in(lun->name, sizeof(lun->name));

		vk_text_put(&text, name);
	}
}

void vk_live_lun_add_path(struct vk_live_lun *lun, uint16_t number)
{
	size_t at = 0;

	while (at < lun->lun_count && lun->luns[at] < number)
		at++;
	if (lun->lun_count == VK_LUN_PATHS_MAX || (at < lun->lun_count && lun->luns[at] == number))
		return;
	memmove(&lun->luns[at + 1], &lun->luns[at], (lun->lun_count - at) * sizeof(lun->luns[0]));
	lun->luns[at] = number;
	lun->lun_count++;
	if (!lun->lun_known) {
		lun->id.lun = number;
		lun->lun_known = true;
	}
}

void vk_live_lun_make_naa(struct vk_live_lun *lun, const char *name)
{
	struct vk_scsi_disk_id id;

	if (vk_scsi_disk_id_from_name(name, lun->model, lun->id.lun, &id) != VK_OK)
		return;
	id.deviceType = lun->id.deviceType;
	lun->id = id;
	lun->kind_known = true;
	lun->id_known = true;
	lun->model_known = lun->model[0] != '\0';
}

void vk_live_lun_set_model(struct vk_live_lun *lun, const char *model, size_t len)
{
	size_t used = 0;

	for (; used < len && used < sizeof(lun->model) - 1 && model[used] >= ' ' && model[used] <= '~'; used++)
		lun->model[used] = model[used];
	while (used > 0 && lun->model[used - 1] == ' ')
		used--;
	lun->model[used] = '\0';
	/* an id from a vml. name has the characters that ESX took */
	if (used == 0 || !lun->id_known || lun->model_known || lun->id.len <= VK_SCSI_MODEL_TAIL_BYTES ||
	    lun->id.type == VK_SCSI_ID_PATH)
		return;
	lun->model_known = true;
	for (size_t i = 0; i < VK_SCSI_MODEL_TAIL_BYTES; i++)
		lun->id.id[lun->id.len - VK_SCSI_MODEL_TAIL_BYTES + i] = (uint8_t)(i < used ? lun->model[i] : ' ');
}

void vk_live_lun_cut_partition(char *name)
{
	char *colon = strrchr(name, ':');

	if (colon != NULL && colon[1] != '\0' && colon[1 + strspn(colon + 1, "0123456789")] == '\0')
		*colon = '\0';
}

static const char *const prefixes[] = {"vml.", "naa.", "eui.", "t10.", "mpx.", "uuid."};

bool vk_live_lun_is_name(const char *text)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static bool all_hex(const char *text)
{
	for (; *text != '\0'; text++)
		if (vk_hex_digit(*text) < 0)
			return false;
	return true;
}

static enum vk_status of_vml(const char *name, struct vk_live_lun *lun)
{
	char canonical[VK_SCSI_NAME_BYTES];
	unsigned partition;
	bool certain;
	enum vk_status status = vk_scsi_vml_parse(name, &lun->id, &partition);

	/* vml.05 and vml.07 of NVMe: digests and UUIDs, of which nothing that a header records can be made */
	if (status == VK_UNSUPPORTED) {
		vk_live_lun_add_name(lun, name);
		return VK_OK;
	}
	if (status != VK_OK)
		return status;
	lun->kind_known = true;
	lun->id_known = true;
	lun->model_known = lun->id.type != VK_SCSI_ID_PATH && lun->id.len > VK_SCSI_MODEL_TAIL_BYTES;
	vk_live_lun_add_path(lun, lun->id.lun);
	lun->lun_known = true;
	vk_scsi_disk_id_name(&lun->id, canonical, &certain);
	vk_live_lun_add_name(lun, canonical);
	return VK_OK;
}

/* Lower case where the letters are hexadecimal digits. */
static void lower(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

static enum vk_status of_canonical(char *name, struct vk_live_lun *lun)
{
	size_t len = strlen(name);

	if (strncmp(name, "naa.", 4) == 0) {
		lower(name);
		vk_live_lun_make_naa(lun, name);
		if (!lun->id_known)
			return VK_USAGE;
	} else if (strncmp(name, "eui.", 4) == 0) {
		lower(name);
		if ((len != 20 && len != 28 && len != 36) || !all_hex(name + 4))
			return VK_USAGE;
		lun->kind_known = true;
		lun->id.type = VK_SCSI_ID_PATH;
	} else if (strncmp(name, "mpx.", 4) == 0) {
		if (vk_scsi_disk_id_from_name(name, NULL, 0, &lun->id) != VK_OK)
			return VK_USAGE;
		vk_scsi_disk_id_shorten(&lun->id);
		lun->kind_known = true;
		lun->id_known = true;
	} else if (strncmp(name, "t10.", 4) == 0) {
		if (len < 13)
			return VK_USAGE;
		lun->kind_known = true;
		lun->id.type = VK_SCSI_ID_SERIAL;
	}
	vk_live_lun_add_name(lun, name);
	return VK_OK;
}

enum vk_status vk_live_lun_of_name(const char *name, struct vk_live_lun *ret_lun, struct vk_error *err)
{
	struct vk_live_lun lun = {.lun_count = 0};
	char copy[VK_SCSI_NAME_BYTES];
	size_t len = strlen(name);
	enum vk_status status = VK_USAGE;

	if (len < sizeof(copy) && vk_live_lun_is_name(name)) {
		memcpy(copy, name, len + 1);
		vk_live_lun_cut_partition(copy);
		status = strncmp(copy, "vml.", 4) == 0 ? of_vml(copy, &lun) : of_canonical(copy, &lun);
	}
	if (status != VK_OK) {
		vk_error_set(err, VK_USAGE, NULL, "%.160s is no whole name of a LUN", name);
		return vk_error_remedy(err, "give it as ESX shows it: vml., naa., eui., t10. or mpx.");
	}
	*ret_lun = lun;
	return VK_OK;
}
