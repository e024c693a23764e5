/* SPDX-License-Identifier: Apache-2.0 */
/* What the disk id in the device header should say: only what it says twice itself can be mended. */
#include <string.h>

#include "base/bytes.h"
#include "evidence/identity.h"
#include "rebuild/header/lvm_case.h"

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

	if (used > 5 && memcmp(id, "vmhba", 5) == 0 && printable(id, used)) {
		*ret_type = VK_SCSI_ID_PATH;
		*ret_len = (uint8_t)used;
		return true;
	}
	if (naa != 0 && used == naa + TAIL && printable(id + naa, TAIL) && !printable(id, naa)) {
		*ret_type = VK_SCSI_ID_NAA;
		*ret_len = (uint8_t)used;
		return true;
	}
	if (used > TAIL && printable(id, used)) {
		*ret_type = VK_SCSI_ID_SERIAL;
		*ret_len = (uint8_t)used;
		return true;
	}
	return false;
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
static bool read_name(const struct vk_lvm_case *c, struct vk_scsi_disk_id *ret_named)
{
	char name[VK_LVM_SD_BYTES + 1] = "";
	char *colon;

	if (c->name_count == 0 || c->sizes.first_pe != 0)
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

/* Whether the SD table names the LUN that the bytes of the id name, too: then form and name tell type and length. */
static bool named_so(const struct vk_lvm_case *c, uint8_t type, uint8_t len)
{
	struct vk_scsi_disk_id named;
	size_t tail = type == VK_SCSI_ID_NAA ? TAIL : 0;

	return type != VK_SCSI_ID_SERIAL && read_name(c, &named) && named.type == type && named.len == len &&
	       memcmp(named.id, c->d.diskID.id, len - tail) == 0;
}

static bool take_name(struct vk_lvm_case *c)
{
	struct vk_scsi_disk_id named;

	if (!read_name(c, &named))
		return false;
	vk_mend_number(&c->disk_id, "type", named.type, VK_FIELD_USUAL, "the SD table");
	vk_mend_number(&c->disk_id, "len", named.len, VK_FIELD_USUAL, "the SD table");
	if (named.type == VK_SCSI_ID_PATH) {
		vk_mend_bytes(&c->disk_id, "id", named.id, VK_FIELD_USUAL,
			      "the SD table, in the short form of such headers");
		return true;
	}
	vk_mend_bytes(&c->disk_id, "id", named.id, VK_FIELD_FRESH,
		      "the SD table; the six characters of the model are not told there");
	vk_work_lost(c->work, "The LUN number and the model's six characters in the disk id survive nowhere; ESX may "
			      "take the volume for a snapshot until it is resignatured or mounted by force.");
	return true;
}

/* How many bytes of the id are other than what the SD table names, as far as that tells them. */
static size_t bytes_apart(const struct vk_scsi_disk_id *id, const struct vk_scsi_disk_id *named, size_t told)
{
	size_t n = 0;

	for (size_t i = 0; i < told; i++)
		n += id->id[i] != named->id[i];
	return n;
}

/*
 * An id that is damaged, and still mostly what the SD table names, is taken from there; what that does not tell of it
 * (LUN number, six characters of the model) stays. The volume may have been accepted on another LUN since: a guess.
 */
static bool take_hurt(struct vk_lvm_case *c)
{
	const struct vk_scsi_disk_id *id = &c->d.diskID;
	struct vk_scsi_disk_id named;
	size_t told;

	if (!read_name(c, &named))
		return false;
	told = named.len - (named.type == VK_SCSI_ID_NAA ? TAIL : 0U);
	if (named.type == VK_SCSI_ID_SERIAL || bytes_apart(id, &named, told) > told / 2)
		return false;
	if (named.type == VK_SCSI_ID_NAA)
		memcpy(named.id + told, id->id + told, VK_SCSI_ID_MAX - told);
	vk_mend_number(&c->disk_id, "type", named.type, VK_FIELD_USUAL, "the SD table");
	vk_mend_number(&c->disk_id, "len", named.len, VK_FIELD_USUAL, "the SD table");
	vk_mend_bytes(&c->disk_id, "id", named.id, VK_FIELD_USUAL, "the SD table");
	return true;
}

static void mend_form(struct vk_lvm_case *c)
{
	const struct vk_scsi_disk_id *id = &c->d.diskID;
	bool contradiction = contradicts(id);
	uint8_t type, len;

	if ((contradiction || !recognise(id->id, &type, &len)) && take_hurt(c))
		return;
	if (!recognise(id->id, &type, &len)) {
		if (contradiction || id->len > VK_SCSI_ID_MAX)
			vk_work_lost(c->work, "The disk id in the LVM header is damaged, and nothing else tells it: "
					      "left as it is.");
	} else if (named_so(c, type, len)) {
		vk_mend_number(&c->disk_id, "type", type, VK_FIELD_COMPUTED, "the form of the id, and the SD table");
		vk_mend_number(&c->disk_id, "len", len, VK_FIELD_COMPUTED, "the form of the id, and the SD table");
	} else if (contradiction || id->len < len || id->len > VK_SCSI_ID_MAX ||
		   (id->len != len && type != VK_SCSI_ID_SERIAL)) {
		vk_work_lost(c->work, "Type or length of the disk id in the LVM header do not go with its bytes, and "
				      "nothing else tells which is right: left as they are.");
	}
}

/* Where the disk is now; not when the volume says that it was accepted elsewhere. */
static bool take_live(struct vk_lvm_case *c)
{
	const struct vk_scsi_disk_id *live = c->work->options->live_id;
	char here[VK_SCSI_NAME_BYTES], there[VK_SCSI_NAME_BYTES];
	const struct vk_live_lun lun = {.name = here};
	struct vk_scsi_disk_id named;
	bool certain;

	if (live == NULL)
		return false;
	vk_scsi_disk_id_name(live, here, &certain);
	/* what cannot be compared may be a copy, too */
	if (read_name(c, &named) && vk_lun_relate(&named, &lun, there) != VK_LUN_SAME) {
		vk_work_note(c->work, "The SD table names the LUN %s, and this one is %s: it may be a copy of that.",
			     there, here);
		return false;
	}
	vk_mend_all(&c->disk_id, live, VK_FIELD_USUAL, "the LUN as this host sees it");
	vk_work_note(c->work, "The disk id (diskID) is lost and becomes that of the LUN on which the volume lies now, "
			      "%s: ESX will accept the volume as the original on this LUN. Were it a copy of another "
			      "LUN, both would count as originals.",
		     here);
	return true;
}

static void make_id(struct vk_lvm_case *c)
{
	if (!vk_scsi_disk_id_is_nil(&c->d.diskID))
		return;
	if (take_live(c) || take_name(c))
		return;
	vk_work_lost(c->work, "Which LUN the volume was accepted on (diskID) survives nowhere: it is left empty, and "
			      "ESX will take the volume for a snapshot until it is resignatured or mounted by force.");
}

void vk_lvm_disk_id_mend(struct vk_lvm_case *c)
{
	struct vk_mending *m = &c->disk_id;
	const struct vk_scsi_disk_id *id = &c->d.diskID;
	bool proved;

	if (m->rebuilt || vk_scsi_disk_id_is_nil(id)) {
		make_id(c);
	} else {
		mend_form(c);
		if (id->deviceType != 0)
			vk_work_lost(c->work, "deviceType of the disk id in the LVM header is %u; in every header seen "
					      "it is 0, a disk. It stays.", id->deviceType);
	}
	proved = vk_lvm_five_proved(c);
	if (!proved && !vk_lvm_five_likely(c)) {
		if (!printable_or_zero(id->vendor, 8) || !printable_or_zero(id->model, 16) ||
		    !printable_or_zero(id->revision, 4))
			vk_work_lost(c->work, "Vendor, model or revision in the LVM header are damaged, and nothing "
					      "else tells them: left as they are.");
		return;
	}
	vk_mend_number(m, "scsiLevel", 0, vk_origin_if(proved, VK_FIELD_CONSTANT), "zero from LVM 3.17 on");
	vk_mend_bytes(m, "vendor", (uint8_t[8]){0}, vk_origin_if(proved, VK_FIELD_CONSTANT), "zero from LVM 3.17 on");
	vk_mend_bytes(m, "model", (uint8_t[16]){0}, vk_origin_if(proved, VK_FIELD_CONSTANT), "zero from LVM 3.17 on");
	vk_mend_bytes(m, "revision", (uint8_t[4]){0}, vk_origin_if(proved, VK_FIELD_CONSTANT), "zero from LVM 3.17 on");
}
