/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live LUNs. The first byte chooses: 0 INQUIRY and pages (behind it the lengths of the first two), 1 a saved text of
 * ESX, 2 a name.
 */
#include "fuzz.h"
#include "vmfskit/live_lun.h"

static void check(const struct vk_live_lun *lun)
{
	char name[VK_SCSI_NAME_BYTES];

	FUZZ_ASSERT(lun->name_count <= VK_LUN_NAMES_MAX && lun->lun_count <= VK_LUN_PATHS_MAX);
	FUZZ_ASSERT(lun->id.len <= VK_SCSI_ID_MAX && (lun->name_count > 0) == (lun->name[0] != '\0'));
	fuzz_text(lun->name, sizeof(lun->name));
	fuzz_text(lun->model, sizeof(lun->model));
	fuzz_text(lun->volume, sizeof(lun->volume));
	for (size_t i = 0; i < lun->name_count; i++)
		fuzz_text(lun->names[i], sizeof(lun->names[i]));
	for (size_t i = 1; i < lun->lun_count; i++)
		FUZZ_ASSERT(lun->luns[i - 1] < lun->luns[i]);
	vk_scsi_disk_id_vml(&lun->id, name);
	fuzz_text(name, sizeof(name));
}

static void pages(struct fuzz_input *in)
{
	size_t a = (size_t)fuzz_take(in, 1), b = (size_t)fuzz_take(in, 1);
	struct vk_lun_pages p = {.inquiry = in->data, .inquiry_len = a < in->size ? a : in->size};
	struct vk_live_lun lun;

	p.page80 = p.inquiry + p.inquiry_len;
	p.page80_len = b < in->size - p.inquiry_len ? b : in->size - p.inquiry_len;
	p.page83 = p.page80 + p.page80_len;
	p.page83_len = in->size - p.inquiry_len - p.page80_len;
	vk_live_lun_of_pages(&p, &lun);
	check(&lun);
}

static void saved_text(const struct fuzz_input *in)
{
	struct vk_live_luns luns;
	struct vk_error err;

	if (vk_live_luns_of_text((const char *)in->data, in->size, &luns, &err) != VK_OK)
		return;
	FUZZ_ASSERT(luns.count > 0);
	for (size_t i = 0; i < luns.count; i++)
		check(&luns.items[i]);
	vk_live_luns_free(&luns);
}

static void name(const struct fuzz_input *in)
{
	char *text = malloc(in->size + 1);
	struct vk_live_lun lun;
	struct vk_error err;

	if (text == NULL)
		return;
	memcpy(text, in->data, in->size);
	text[in->size] = '\0';
	if (vk_live_lun_of_name(text, &lun, &err) == VK_OK)
		FUZZ_ASSERT(lun.id.len <= VK_SCSI_ID_MAX && lun.name_count == 1);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};

	switch (fuzz_take(&in, 1) % 3) {
	case 0:
		pages(&in);
		break;
	case 1:
		saved_text(&in);
		break;
	default:
		name(&in);
		break;
	}
	return 0;
}
