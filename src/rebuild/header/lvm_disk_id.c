/* SPDX-License-Identifier: Apache-2.0 */
/* What the disk id in the device header should say: only what it says twice itself can be mended. */
#include <string.h>

#include "base/bytes.h"
#include "vmfskit/lunid.h"
#include "rebuild/header/header_work.h"

enum { TAIL = VK_SCSI_MODEL_TAIL_BYTES };

static size_t used_bytes(const uint8_t *id)
{
	size_t n = VK_SCSI_ID_MAX;

	while (n > 0 && id[n - 1] == 0)
		n--;
	return n;
}

static bool printable(const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7E)
			return false;
	return true;
}

static bool printable_or_zero(const uint8_t *text, size_t len)
{
	return printable(text, len) || vk_all_zero(text, len);
}

/* Length of a NAA designator by its first digit, 0 when it is none. */
static size_t naa_bytes(const uint8_t *id)
{
	unsigned digit = id[0] >> 4;

	return digit == 6 ? 16 : digit == 2 || digit == 3 || digit == 5 ? 8 : 0;
}

/*
 * What kind of id these bytes are by themselves: a path, a designator with a model's six characters, a serial number.
 */
static bool recognise(const uint8_t id[VK_SCSI_ID_MAX], uint8_t *ret_type, uint8_t *ret_len)
{
	size_t used = used_bytes(id), naa = naa_bytes(id);

	*ret_len = (uint8_t)used;
	if (used > 5 && memcmp(id, "vmhba", 5) == 0 && printable(id, used))
		*ret_type = VK_SCSI_ID_PATH;
	else if (naa != 0 && used == naa + TAIL && printable(id + naa, TAIL) && !printable(id, naa))
		*ret_type = VK_SCSI_ID_NAA;
	else if (used > TAIL && printable(id, used))
		*ret_type = VK_SCSI_ID_SERIAL;
	else
		return false;
	return true;
}

/* Whether the bytes of the id cannot be of the type that stands beside them. */
static bool contradicts(const struct vk_scsi_disk_id *id)
{
	switch (id->type) {
	case VK_SCSI_ID_PATH:
		return memcmp(id->id, "vmhba", 5) != 0;
	case VK_SCSI_ID_SERIAL:
		return !printable(id->id, used_bytes(id->id)) || memcmp(id->id, "vmhba", 5) == 0;
	case VK_SCSI_ID_NAA:
		return naa_bytes(id->id) == 0;
	default:
		return true;
	}
}

bool vk_lvm_disk_id_sound(const struct vk_scsi_disk_id *id)
{
	uint8_t type, len;

	return recognise(id->id, &type, &len) && !contradicts(id) && id->len == len;
}

/* The members' names tell the designator of the head. */
static bool read_name(const struct vk_header_work *c, struct vk_scsi_disk_id *ret_named)
{
	char name[VK_LVM_SD_BYTES + 1] = "";
	char *colon;

	if (c->name_count == 0 || c->sizes.first.value != 0)
		return false;
	memcpy(name, c->names[0].deviceName, VK_LVM_SD_BYTES);
	/* the number of the partition stands behind the last colon; the names of paths have colons themselves */
	colon = strrchr(name, ':');
	if (colon == NULL || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return false;
	*colon = '\0';
	if (vk_scsi_disk_id_from_name(name, NULL, 0, ret_named) != VK_OK)
		return false;
	/* whoever has an SD table records a path in its short form */
	vk_scsi_disk_id_shorten(ret_named);
	return true;
}

/* The volume may have been accepted on another LUN since: a guess. */
static void take_name(struct vk_header_work *c, const struct vk_scsi_disk_id *named, enum vk_field_origin origin,
		      const char *from)
{
	vk_mend_number(&c->disk_id, "type", named->type, VK_FIELD_USUAL, "the SD table");
	vk_mend_number(&c->disk_id, "len", named->len, VK_FIELD_USUAL, "the SD table");
	vk_mend_bytes(&c->disk_id, "id", named->id, origin, "%s", from);
}

/*
 * An id that is damaged, and still mostly what the SD table names, is taken from there; what that does not tell of it
 * (LUN number, six characters of the model) stays.
 */
static bool take_hurt(struct vk_header_work *c, struct vk_scsi_disk_id *named)
{
	const struct vk_scsi_disk_id *id = &c->d.diskID;
	size_t told = named->len - (named->type == VK_SCSI_ID_NAA ? TAIL : 0U), apart = 0;

	for (size_t i = 0; i < told; i++)
		apart += id->id[i] != named->id[i];
	if (named->type == VK_SCSI_ID_SERIAL || apart > told / 2)
		return false;
	if (named->type == VK_SCSI_ID_NAA)
		memcpy(named->id + told, id->id + told, VK_SCSI_ID_MAX - told);
	take_name(c, named, VK_FIELD_USUAL, "the SD table");
	return true;
}

static void mend_form(struct vk_header_work *c)
{
	static const char from[] = "the form of the id, and the SD table";
	const struct vk_scsi_disk_id *id = &c->d.diskID;
	bool contradiction = contradicts(id);
	struct vk_scsi_disk_id named;
	bool has_name = read_name(c, &named);
	uint8_t type, len;

	if (!recognise(id->id, &type, &len)) {
		if (!(has_name && take_hurt(c, &named)) && (contradiction || id->len > VK_SCSI_ID_MAX))
			vk_work_lost(c, "the disk id in the LVM header is damaged, and it has no copy: left as it is.");
	} else if (contradiction && has_name && take_hurt(c, &named)) {
		return;
	} else if (has_name && type != VK_SCSI_ID_SERIAL && named.type == type && named.len == len &&
		   memcmp(named.id, id->id, len - (type == VK_SCSI_ID_NAA ? TAIL : 0U)) == 0) {
		/* the SD table names the LUN that the bytes of the id name, too: form and name tell type and length */
		vk_mend_number(&c->disk_id, "type", type, VK_FIELD_COMPUTED, from);
		vk_mend_number(&c->disk_id, "len", len, VK_FIELD_COMPUTED, from);
	} else if (contradiction || id->len < len || id->len > VK_SCSI_ID_MAX ||
		   (id->len != len && type != VK_SCSI_ID_SERIAL)) {
		vk_work_lost(c, "type or length of the disk id in the LVM header do not go with its bytes, and which "
				"is right is not known: left as they are.");
	}
}

/* Where the disk is now, but not when the volume says that it was accepted elsewhere; else what the SD table names. */
static void make_id(struct vk_header_work *c)
{
	const struct vk_scsi_disk_id *live = c->options->live_id;
	char here[VK_SCSI_NAME_BYTES], there[VK_SCSI_NAME_BYTES];
	struct vk_scsi_disk_id named;
	bool has_name = read_name(c, &named), certain;

	if (live != NULL) {
		vk_scsi_disk_id_name(live, here, &certain);
		/* what cannot be compared may be a copy, too */
		if (has_name)
			vk_scsi_disk_id_name(&named, there, &certain);
		if (!has_name || vk_lun_relate_names(there, here) == VK_LUN_SAME) {
			vk_mend_all(&c->disk_id, live, VK_FIELD_USUAL, "the LUN as this host sees it");
			vk_work_note(c, "the disk id (diskID) is lost and becomes that of the present LUN, %s: ESX "
					"will accept the volume as the original on this LUN. If it is a copy of "
					"another LUN, both count as originals.", here);
			return;
		}
		vk_work_note(c, "the SD table names the LUN %s, and this one is %s: it may be a copy of that.", there,
			     here);
	}
	if (!has_name) {
		vk_work_lost(c, "which LUN the volume was accepted on (diskID) is lost: it is left empty, and ESX "
				"will take the volume for a snapshot until it is resignatured or mounted by force.");
	} else if (named.type == VK_SCSI_ID_PATH) {
		take_name(c, &named, VK_FIELD_USUAL, "the SD table, in the short form of such headers");
	} else {
		take_name(c, &named, VK_FIELD_FRESH,
			  "the SD table; it does not contain the six characters of the model");
		vk_work_lost(c, "the LUN number and the model's six characters in the disk id are lost; ESX may take "
				"the volume for a snapshot until it is resignatured or mounted by force.");
	}
}

void vk_lvm_disk_id_mend(struct vk_header_work *c)
{
	static const char *const before_five[] = {"vendor", "model", "revision"};
	struct vk_mending *m = &c->disk_id;
	const struct vk_scsi_disk_id *id = &c->d.diskID;
	bool proved;

	if (vk_scsi_disk_id_is_nil(id)) {
		make_id(c);
	} else if (!m->rebuilt) {
		mend_form(c);
		if (id->deviceType != 0)
			vk_work_lost(c, "deviceType of the disk id in the LVM header is %u; in every header seen it is "
					"0, a disk. It stays.", id->deviceType);
	}
	if (!vk_lvm_five_likely(c, &proved)) {
		if (!printable_or_zero(id->vendor, 8) || !printable_or_zero(id->model, 16) ||
		    !printable_or_zero(id->revision, 4))
			vk_work_lost(c, "vendor, model or revision in the LVM header are damaged, and they have no "
					"copy: left as they are.");
		return;
	}
	vk_mend_number(m, "scsiLevel", 0, vk_origin_if(proved, VK_FIELD_CONSTANT), "zero from LVM 3.17 on");
	for (size_t i = 0; i < sizeof(before_five) / sizeof(before_five[0]); i++)
		vk_mend_bytes(m, before_five[i], (uint8_t[16]){0}, vk_origin_if(proved, VK_FIELD_CONSTANT),
			      "zero from LVM 3.17 on");
}
