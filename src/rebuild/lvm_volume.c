/* SPDX-License-Identifier: Apache-2.0 */
/* What the fields of the volume descriptor should say. */
#include <string.h>

#include "rebuild/lvm_case.h"

/* Characters of a name that are those of a UUID's text. */
static size_t alike(const uint8_t name[64], const char *uuid)
{
	size_t n = 0;

	for (size_t i = 0; i < VK_VMFS_UUID_TEXT_BYTES - 1; i++)
		n += name[i] == (uint8_t)uuid[i];
	return n;
}
enum { ALIKE = 20 }; /* of 35 */

/* Text of another kind than a UUID that somebody chose, rather than a damaged one. */
static bool chosen_name(const uint8_t name[64], const char *uuid)
{
	size_t len = 0;

	while (len < 64 && name[len] >= 0x20 && name[len] < 0x7F)
		len++;
	for (size_t i = len; i < 64; i++)
		if (name[i] != 0)
			return false;
	return len > 0 && alike(name, uuid) < ALIKE;
}

static void set_name_as(struct vk_lvm_case *c, enum vk_field_origin origin, const char *from)
{
	char text[VK_VMFS_UUID_TEXT_BYTES];
	uint8_t name[64] = {0};

	vk_vmfs_uuid_format(&c->v.uuid, text);
	memcpy(name, text, sizeof(text));
	vk_side_bytes(&c->volume, "name", name, origin, "%s", from);
}

static void set_name(struct vk_lvm_case *c, const char *from)
{
	set_name_as(c, VK_FIELD_COMPUTED, from);
}

static void leave_identity(struct vk_lvm_case *c)
{
	/* a descriptor that is made new names the volume by its uuid, and then the name is wrong */
	if (!c->fs_believed) {
		uint8_t name[sizeof(c->v.name)];
		char text[80];
		struct vk_text shown;

		memcpy(name, c->v.name, sizeof(name));
		vk_text_init(&shown, text, sizeof(text));
		vk_text_label(&shown, name, VK_VMFS_UUID_TEXT_BYTES);
		set_name_as(c, VK_FIELD_USUAL, "uuid of the volume");
		vk_work_lost(c->work, "Name and uuid of the LVM volume differed, and it cannot be told which was right: the "
			     "uuid was taken (the name said \"%s\").", text);
		return;
	}
	c->work->volume_identity_open = true;
	vk_work_lost(c->work, "Name, uuid and the file system name different volumes, and it cannot be told which is right: "
		     "left as they are.");
}

/* Votes of the time of creation and of the device's host for one of two UUIDs. */
static unsigned witnesses(const struct vk_lvm_case *c, const struct vk_vmfs_uuid *id)
{
	return (unsigned)vk_same_event(vk_uuid_seconds(id), c->v.creationTimeUS / 1000000) +
	       (unsigned)(c->device_believed && memcmp(id->b + 10, c->d0.devID.b + 10, 6) == 0);
}

/* The name is no UUID, and the UUID not what the file system says: what is left of the name decides. */
static void mend_by_likeness(struct vk_lvm_case *c, const char *uuid)
{
	char info[VK_VMFS_UUID_TEXT_BYTES];
	size_t as_info, as_uuid = alike(c->v.name, uuid);

	vk_vmfs_uuid_format(&c->fs.volInfo, info);
	as_info = c->fs_believed ? alike(c->v.name, info) : 0;
	if (as_info > as_uuid && as_info >= ALIKE) {
		vk_side_bytes(&c->volume, "uuid", &c->fs.volInfo, VK_FIELD_COPY,
			      "volInfo of the file-system descriptor, and most of the volume's name");
		set_name(c, "volInfo of the file-system descriptor");
	} else if (as_uuid > as_info && as_uuid >= ALIKE) {
		set_name(c, "uuid of the volume, and most of the name");
	} else if (!c->fs_believed && witnesses(c, &c->v.uuid) == 2) {
		set_name(c, "uuid of the volume; its time and host are those of the device");
	} else {
		leave_identity(c);
	}
}

/* Name and UUID are of different volumes, and the file system, if it is there, knows neither. */
static void mend_by_witnesses(struct vk_lvm_case *c, const struct vk_vmfs_uuid *named)
{
	unsigned by_name = witnesses(c, named), by_uuid = witnesses(c, &c->v.uuid);

	if (by_name > by_uuid)
		vk_side_bytes(&c->volume, "uuid", named, VK_FIELD_COPY,
			      "name of the volume; its time and host are those of the device");
	else if (by_uuid > by_name)
		set_name(c, "uuid of the volume; its time and host are those of the device");
	else
		leave_identity(c);
}

/*
 * Both sides are whole, and speak of different volumes: the region of another LUN was put here, or another volume's
 * descriptor. Damage to the UUID that the file system names would also show beside its own UUID and time.
 */
static bool strangers(const struct vk_lvm_case *c)
{
	uint32_t info = vk_uuid_seconds(&c->fs.volInfo), own = vk_uuid_seconds(&c->v.uuid);

	return c->fs_believed && !vk_vmfs_uuid_equal(&c->fs.volInfo, &c->v.uuid) &&
	       vk_same_event(info, c->fs.creationTime) &&
	       memcmp(c->fs.volInfo.b + 10, c->fs.uuid.b + 10, 6) == 0 &&
	       vk_same_event(own, c->v.creationTimeUS / 1000000) && !vk_same_event(own, info);
}

/* Name and UUID say the same, and the file system says it a third time: two of three. */
static void mend_identity(struct vk_lvm_case *c)
{
	const struct vk_vmfs_uuid *info = c->fs_believed ? &c->fs.volInfo : NULL;
	char text[VK_VMFS_UUID_TEXT_BYTES], uuid[VK_VMFS_UUID_TEXT_BYTES];
	struct vk_vmfs_uuid named;
	bool has_name;

	vk_vmfs_uuid_format(&c->v.uuid, uuid);
	if (memcmp(c->v.name, uuid, sizeof(uuid)) == 0) {
		if (!strangers(c))
			return;
		c->work->volume_identity_open = true;
		vk_work_lost(c->work, "LVM region and file system are of different volumes, and each is whole: one of them does "
			     "not belong here. Compare both with captures; nothing was made to fit.");
		return;
	}
	memcpy(text, c->v.name, sizeof(text));
	has_name = text[sizeof(text) - 1] == '\0' && vk_vmfs_uuid_parse(text, &named);
	if (info != NULL && vk_vmfs_uuid_equal(&c->v.uuid, info)) {
		if (!chosen_name(c->v.name, uuid))
			set_name(c, "uuid of the volume, and volInfo of the file-system descriptor");
	} else if (has_name && info != NULL && vk_vmfs_uuid_equal(&named, info)) {
		vk_side_bytes(&c->volume, "uuid", &named, VK_FIELD_COPY,
			      "name of the volume, and volInfo of the file-system descriptor");
	} else if (has_name) {
		mend_by_witnesses(c, &named);
	} else if (info != NULL || !chosen_name(c->v.name, uuid)) {
		mend_by_likeness(c, uuid);
	}
}

static void make_identity(struct vk_lvm_case *c)
{
	struct vk_vmfs_uuid id;
	const char *from;
	uint32_t seconds;

	if (!vk_vmfs_uuid_is_nil(&c->v.uuid)) /* another extent, or a capture */
		return;
	if (c->fs_believed && !vk_vmfs_uuid_is_nil(&c->fs.volInfo)) {
		vk_side_bytes(&c->volume, "uuid", &c->fs.volInfo, VK_FIELD_COPY,
			      "volInfo of the file-system descriptor");
		set_name(c, "volInfo of the file-system descriptor");
		return;
	}
	seconds = vk_lvm_made_at(c, &from);
	vk_lvm_fresh_uuid(c, "volume", seconds != 0 ? seconds : 1, &id);
	vk_side_bytes(&c->volume, "uuid", &id, VK_FIELD_FRESH, "made new");
	set_name(c, "uuid of the volume");
	vk_work_lost(c->work, "The UUID of the LVM volume survives nowhere: a new one was made.");
}

static void mend_times(struct vk_lvm_case *c)
{
	struct vk_lvm_volume *v = &c->v;
	uint64_t created = v->creationTimeUS / 1000000, init = c->d0.initTimeUS / 1000000;
	uint32_t uuid = vk_uuid_seconds(&v->uuid);
	bool has_init = c->device_believed && init == vk_uuid_seconds(&c->d0.devID);
	bool by_init = has_init && vk_same_event(init, uuid);
	const char *from;
	uint32_t made = vk_lvm_made_at(c, &from);

	if (c->volume.rebuilt && v->creationTimeUS != 0)
		return;
	if (c->volume.rebuilt) {
		uint64_t us = (made != 0 ? made : 1) * 1000000ULL;

		vk_side_number(&c->volume, "creationTimeUS", us, VK_FIELD_FRESH,
			       "%s; the microseconds are lost", from);
		vk_side_number(&c->volume, "modTimeUS", us, VK_FIELD_FRESH, "%s", from);
		vk_work_lost(c->work, "The times of the volume descriptor survive nowhere to the microsecond: new ones were made.");
		return;
	}
	/* after a resignature the UUID is newer, and the time still that of the device */
	if (!vk_same_event(created, uuid) && !(has_init && vk_same_event(created, init)) &&
	    !(c->fs_believed && vk_same_event(created, c->fs.creationTime))) {
		vk_side_number(&c->volume, "creationTimeUS", by_init ? c->d0.initTimeUS : uuid * 1000000ULL,
			       VK_FIELD_FRESH, "%s",
			       by_init ? "initTimeUS of the device, some milliseconds away"
				       : "the second in the volume's UUID");
		vk_work_lost(c->work, "creationTimeUS of the volume was damaged: the second is known, the microseconds are not.");
	}
	if (v->modTimeUS / 1000000 > UINT32_MAX || v->modTimeUS / 1000000 + 60 < v->creationTimeUS / 1000000)
		vk_work_lost(c->work, "modTimeUS of the volume cannot be right, and nothing else tells it: left as it is.");
}

static void mend_extents(struct vk_lvm_case *c)
{
	const struct vk_lvm_sizes *z = &c->sizes;
	const char *from = z->volume_pes_from;
	enum vk_field_origin origin = z->pes_usual ? VK_FIELD_USUAL : VK_FIELD_COMPUTED;
	struct vk_side *v = &c->volume;

	if (z->pes_open)
		return;
	vk_side_number(v, "numPEs", z->volume_pes, origin, "%s", from);
	vk_side_number(v, "firstPE", z->first_pe, VK_FIELD_COMPUTED, "%s", z->first_from);
	vk_side_number(v, "lastPE", z->first_pe + z->volume_pes - 1, origin, "%s", from);
	if (z->several_open) {
		vk_work_lost(c->work, "Whether the volume has other extents cannot be told: numDevs is %u and logicalSize %llu; "
			     "left as they are.", c->v.numDevs, (unsigned long long)c->v.logicalSize);
	} else if (!z->several) {
		vk_side_number(v, "logicalSize", z->volume_pes * VK_LVM_PE_BYTES, origin, "%s", from);
		vk_side_number(v, "numDevs", 1, VK_FIELD_COMPUTED, "the volume has no other extents");
	} else if (c->sibling == NULL && (c->v.numDevs < 2 || c->v.numDevs > VK_LVM_SD_ENTRIES)) {
		vk_work_lost(c->work, "The volume has other extents; how many is told only by these: give them.");
	} else if (c->sibling == NULL && (c->v.logicalSize % VK_LVM_PE_BYTES != 0 ||
					  z->logical_pes < z->first_pe + z->volume_pes)) {
		vk_work_lost(c->work, "The volume has other extents; its whole size is told only by these: give them.");
	}
}

static void mend_rest(struct vk_lvm_case *c)
{
	struct vk_side *v = &c->volume;
	const struct vk_majority *id = &c->survey.volume_id;

	if (c->fs_believed && c->fs.volInfoSnapID == 1)
		vk_side_number(v, "snapID", 1, VK_FIELD_COPY,
			       "volInfo of the file-system descriptor");
	else if (v->rebuilt)
		vk_side_number(v, "snapID", c->v.snapID != 0 ? c->v.snapID : 1, VK_FIELD_USUAL,
			       "every header seen");
	if (c->v.state > VK_LVM_SENTINEL || c->v.state == VK_LVM_INVALID)
		vk_side_number(v, "state", VK_LVM_NORMAL, VK_FIELD_USUAL,
			       "the state of every volume in use");
	if (id->lead > 1 || (id->lead == 1 && id->value == 0))
		vk_side_number(v, "volumeID", id->value, VK_FIELD_COPY, "the PE table");
	else if (v->rebuilt)
		vk_side_number(v, "volumeID", 0, VK_FIELD_USUAL, "every header seen");
	if (!c->sizes.pes_open && c->v.consumedPEs > c->sizes.volume_pes)
		vk_side_number(v, "consumedPEs", 0, VK_FIELD_USUAL, "every header seen");
	if (v->rebuilt && c->v.generation == 0)
		vk_side_number(v, "generation", c->sizes.volume_pes + 1, VK_FIELD_USUAL,
			       "numPEs + 1 after one creation");
}

void vk_lvm_volume_mend(struct vk_lvm_case *c)
{
	if (c->volume.rebuilt)
		make_identity(c);
	else
		mend_identity(c);
	mend_times(c);
	mend_extents(c);
	mend_rest(c);
}
