/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UUIDs, GUIDs and LUN names. The first byte chooses: 0 bytes of a UUID, 1 bytes of a SCSI_DiskId, 2 a vml name,
 * 3 a canonical name (model behind a NUL), 4 the text of a UUID or GUID, 5 a size.
 */
#include "fuzz.h"
#include "vmfskit/gpt.h"
#include "vmfskit/scsi_id.h"
#include "vmfskit/text.h"
#include "vmfskit/vmfs_uuid.h"

static void uuid_bytes(const uint8_t *data, size_t size)
{
	struct vk_vmfs_uuid_parts parts;
	struct vk_vmfs_uuid uuid = {{0}};
	struct vk_vmfs_uuid again;
	struct vk_guid guid = {{0}};
	struct vk_guid guid_again;
	char text[VK_GUID_TEXT_BYTES];

	fuzz_layout(&vk_vmfs_uuid_layout, data, size, &parts);
	memcpy(uuid.b, data, size < 16 ? size : 16);
	vk_vmfs_uuid_decode(&uuid, &parts);
	vk_vmfs_uuid_encode(&parts, &again);
	FUZZ_ASSERT(vk_vmfs_uuid_equal(&uuid, &again));
	vk_vmfs_uuid_format(&uuid, text);
	FUZZ_ASSERT(strlen(text) == VK_VMFS_UUID_TEXT_BYTES - 1);
	FUZZ_ASSERT(vk_vmfs_uuid_parse(text, &again) && vk_vmfs_uuid_equal(&uuid, &again));
	memcpy(guid.b, uuid.b, 16);
	vk_guid_format(&guid, text);
	FUZZ_ASSERT(vk_guid_parse(text, &guid_again) && vk_guid_equal(&guid, &guid_again));
	vk_mac_format(uuid.b, text);
	fuzz_text(text, sizeof(text));
}

static void names(const struct vk_scsi_disk_id *id)
{
	char name[VK_SCSI_NAME_BYTES];
	struct vk_scsi_disk_id again;
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	unsigned partition;
	bool certain;

	vk_scsi_disk_id_check(id, UINT64_MAX - 1000, &sink);
	FUZZ_ASSERT(count.count <= 1);
	vk_scsi_disk_id_guid(id, name);
	fuzz_text(name, sizeof(name));
	vk_scsi_disk_id_label(id, name);
	fuzz_text(name, sizeof(name));
	vk_scsi_disk_id_name(id, name, &certain);
	fuzz_text(name, sizeof(name));
	if (certain && count.count == 0 && id->type == VK_SCSI_ID_NAA) {
		FUZZ_ASSERT(vk_scsi_disk_id_from_name(name, NULL, id->lun, &again) == VK_OK);
		FUZZ_ASSERT(again.len == id->len && memcmp(again.id, id->id, id->len - 6U) == 0);
	}
	vk_scsi_disk_id_vml(id, name);
	fuzz_text(name, sizeof(name));
	if (id->type <= VK_SCSI_ID_SYMM && id->len > 0 && id->len <= VK_SCSI_ID_MAX) {
		FUZZ_ASSERT(vk_scsi_vml_parse(name, &again, &partition) == VK_OK && partition == 0);
		FUZZ_ASSERT(vk_scsi_disk_id_same_lun(id, &again) && again.lun == id->lun);
	}
}

static void id_bytes(const uint8_t *data, size_t size)
{
	struct vk_scsi_disk_id id;

	fuzz_layout(&vk_scsi_disk_id_layout, data, size, &id);
	names(&id);
}

static void vml_text(const char *text)
{
	struct vk_scsi_disk_id id;
	unsigned partition;
	enum vk_status status = vk_scsi_vml_parse(text, &id, &partition);

	FUZZ_ASSERT(status == VK_OK || status == VK_DAMAGED || status == VK_UNSUPPORTED);
	if (status == VK_OK) {
		FUZZ_ASSERT(partition < 10000 && id.len <= VK_SCSI_ID_MAX);
		names(&id);
	}
}

static void name_text(const char *text, size_t len)
{
	size_t first = strlen(text);
	const char *model = first < len ? text + first + 1 : NULL;
	struct vk_scsi_disk_id id;

	if (vk_scsi_disk_id_from_name(text, model, 7, &id) == VK_OK) {
		FUZZ_ASSERT(id.len <= VK_SCSI_ID_MAX && id.lun == 7);
		names(&id);
	}
}

static void uuid_text(const char *text)
{
	struct vk_vmfs_uuid uuid;
	struct vk_guid guid;

	if (vk_vmfs_uuid_parse(text, &uuid))
		uuid_bytes(uuid.b, 16);
	if (vk_guid_parse(text, &guid))
		uuid_bytes(guid.b, 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	unsigned what = (unsigned)fuzz_take(&in, 1);
	char *text = malloc(in.size + 1);
	uint64_t bytes;

	if (text == NULL)
		return 0;
	memcpy(text, in.data, in.size);
	text[in.size] = '\0';
	switch (what % 6) {
	case 0:
		uuid_bytes(in.data, in.size);
		break;
	case 1:
		id_bytes(in.data, in.size);
		break;
	case 2:
		vml_text(text);
		break;
	case 3:
		name_text(text, in.size);
		break;
	case 4:
		uuid_text(text);
		break;
	default:
		(void)vk_text_parse_size(text, &bytes);
		break;
	}
	free(text);
	return 0;
}
