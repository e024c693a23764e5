/* SPDX-License-Identifier: Apache-2.0 */
/* Whose descriptor it is: UUIDs, times, label; and what a capture of it says. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "rebuild/fs_work.h"

/* When the volume was made, as others say; 0 when nobody does. */
static uint32_t made_at(const struct vk_fs_work *fs, const char **ret_from)
{
	const struct vk_self_fact *first = vk_fs_fact(fs, VK_SELF_FIRST_TIME);
	struct vk_vmfs_uuid_parts lv;

	*ret_from = first->from;
	if (first->sure >= VK_SELF_LIKELY)
		return (uint32_t)first->value;
	*ret_from = "LVM_VolDescriptor.uuid, which is seconds older";
	if (fs->lv == NULL)
		return 0;
	vk_vmfs_uuid_decode(&fs->lv->uuid, &lv);
	return lv.timeLo;
}

/* Another structure of this volume shows that moment. */
static bool confirmed(const struct vk_fs_work *fs, uint32_t seconds)
{
	const struct vk_self_fact *first = vk_fs_fact(fs, VK_SELF_FIRST_TIME);
	struct vk_vmfs_uuid_parts lv;

	if (seconds == 0)
		return false;
	if (first->sure >= VK_SELF_LIKELY && vk_fs_seconds_near(seconds, first->value))
		return true;
	if (fs->lv == NULL)
		return false;
	vk_vmfs_uuid_decode(&fs->lv->uuid, &lv);
	return vk_fs_seconds_near(seconds, lv.timeLo) ||
	       vk_fs_seconds_near(seconds, fs->lv->creationTimeUS / 1000000);
}

static void judge_creation(struct vk_fs_work *fs)
{
	struct vk_vmfs_uuid_parts id;
	const char *from;
	uint32_t made = made_at(fs, &from);

	vk_vmfs_uuid_decode(&fs->was.uuid, &id);
	if (fs->trusted && confirmed(fs, fs->was.creationTime))
		return;
	if (fs->trusted && fs->was.creationTime != 0 && vk_fs_seconds_near(fs->was.creationTime, id.timeLo))
		return;
	/* the file system's UUID is drawn in that second */
	if (fs->trusted && confirmed(fs, id.timeLo))
		vk_fs_set(fs, "creationTime", id.timeLo, VK_FIELD_COPY, "FS3_Descriptor.uuid");
	else if (made != 0 && (!fs->trusted || fs->was.creationTime == 0))
		vk_fs_set(fs, "creationTime", made,
			  vk_fs_fact(fs, VK_SELF_FIRST_TIME)->sure >= VK_SELF_LIKELY ? VK_FIELD_COPY
										     : VK_FIELD_USUAL, "%s", from);
	else if (fs->trusted)
		vk_work_note(fs->work, "Creation time and UUID of the file system name different times, and nothing tells which is right: both stay.");
}

/* The same bytes on every run, different ones for every volume. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xFF51AFD7ED558CCDULL;
	x ^= x >> 33;
	x *= 0xC4CEB9FE1A85EC53ULL;
	return x ^ x >> 33;
}

static void make_uuid(struct vk_fs_work *fs)
{
	struct vk_vmfs_uuid_parts id = {0};
	struct vk_vmfs_uuid_parts lv;
	struct vk_vmfs_uuid made;
	uint64_t r = mix(vk_get_le64(fs->lv->uuid.b) + mix(vk_get_le64(fs->lv->uuid.b + 8)));

	vk_vmfs_uuid_decode(&fs->lv->uuid, &lv);
	id.timeLo = fs->is.creationTime;
	id.timeHi = (uint32_t)r;
	id.rand = (uint16_t)(r >> 32);
	memcpy(id.macAddr, lv.macAddr, sizeof(id.macAddr));
	vk_vmfs_uuid_encode(&id, &made);
	vk_fs_set_bytes(fs, "uuid", &made, VK_FIELD_FRESH,
			"made from the LVM volume's UUID, the same on every run");
	if (!fs->has_capture)
		vk_work_lost(fs->work, "The datastore's UUID survives nowhere; it gets a new one, so paths with the old UUID (/vmfs/volumes/<UUID>) in .vmx files and inventories must be corrected, or the volume registered anew.");
}

/* The host that made the file system is the one that made its LVM volume. */
static bool maker_confirmed(const struct vk_fs_work *fs, const struct vk_vmfs_uuid_parts *id)
{
	struct vk_vmfs_uuid_parts lv;

	if (fs->lv == NULL)
		return true;
	vk_vmfs_uuid_decode(&fs->lv->uuid, &lv);
	return memcmp(lv.macAddr, id->macAddr, sizeof(lv.macAddr)) == 0;
}

static void judge_uuid(struct vk_fs_work *fs)
{
	struct vk_vmfs_uuid_parts id;
	struct vk_vmfs_uuid mended;

	vk_vmfs_uuid_decode(&fs->was.uuid, &id);
	if (!fs->trusted || vk_vmfs_uuid_is_nil(&fs->was.uuid)) {
		if (fs->lv != NULL)
			make_uuid(fs);
		return;
	}
	/* after a resignature it is the LVM volume's UUID that was drawn with it */
	if (confirmed(fs, id.timeLo) || vk_fs_seconds_near(id.timeLo, fs->is.creationTime))
		return;
	if (!confirmed(fs, fs->is.creationTime))
		return;
	if (!maker_confirmed(fs, &id)) {
		make_uuid(fs);
		return;
	}
	id.timeLo = fs->is.creationTime;
	vk_vmfs_uuid_encode(&id, &mended);
	vk_fs_set_bytes(fs, "uuid", &mended, VK_FIELD_COPY,
			"its first number is FS3_Descriptor.creationTime");
}

static void judge_volume(struct vk_fs_work *fs)
{
	char was[VK_VMFS_UUID_TEXT_BYTES];

	if (fs->lv == NULL || (fs->trusted && fs->work->volume_identity_open))
		return;
	if (fs->trusted && (fs->lv->state == VK_LVM_RESIG_PENDING || fs->lv->state == VK_LVM_RESIG_DONE)) {
		vk_work_note(fs->work, "The volume is being resignatured: what its descriptor says of the LVM volume stays.");
		return;
	}
	if (!fs->trusted || !vk_vmfs_uuid_equal(&fs->was.volInfo, &fs->lv->uuid)) {
		vk_vmfs_uuid_format(&fs->was.volInfo, was);
		vk_fs_set_bytes(fs, "volInfo", &fs->lv->uuid, VK_FIELD_COPY,
				"LVM_VolDescriptor.uuid at 0x%llx",
				(unsigned long long)fs->work->vmfs.volumes[0].offset_bytes);
		if (fs->trusted && !vk_vmfs_uuid_is_nil(&fs->was.volInfo))
			vk_work_note(fs->work, "The descriptor named the LVM volume %s; were it another volume's descriptor, its files would not be found.", was);
	}
	if (!fs->trusted || fs->was.volInfoSnapID != fs->lv->snapID)
		vk_fs_set(fs, "volInfoSnapID", fs->lv->snapID, VK_FIELD_COPY,
			  "LVM_VolDescriptor.snapID at 0x%llx",
			  (unsigned long long)fs->work->vmfs.volumes[0].offset_bytes);
	if (!fs->trusted || fs->was.snapID != fs->lv->snapID)
		vk_fs_set(fs, "snapID", fs->lv->snapID, VK_FIELD_COPY,
			  "LVM_VolDescriptor.snapID at 0x%llx",
			  (unsigned long long)fs->work->vmfs.volumes[0].offset_bytes);
	if (fs->trusted && !vk_all_zero(fs->was.volInfoRest, sizeof(fs->was.volInfoRest)))
		vk_fs_set_bytes(fs, "volInfoRest", (const uint8_t[12]){0}, VK_FIELD_CONSTANT,
				"zero on every volume");
}

void vk_fs_judge_identity(struct vk_fs_work *fs)
{
	judge_volume(fs);
	judge_creation(fs);
	judge_uuid(fs);
}

bool vk_fs_label_sound(const uint8_t label[128])
{
	size_t len = 0;
	uint32_t point;

	while (len < 128 && label[len] != 0) {
		size_t n = vk_utf8_decode(label + len, 128 - len, &point);

		if (n == 0 || vk_utf8_steers(point))
			return false;
		len += n;
	}
	return vk_all_zero(label + len, 128 - len);
}

static void tell_label_lost(struct vk_fs_work *fs)
{
	char seen[140] = "";
	struct vk_text text;

	vk_text_init(&text, seen, sizeof(seen));
	if (fs->trusted)
		vk_text_label(&text, fs->was.fsLabel, sizeof(fs->was.fsLabel));
	if (seen[0] != '\0')
		vk_work_lost(fs->work, "The datastore's label is damaged (\"%s\" stood there); rename the datastore once it is mounted, or say --label.", seen);
	else
		vk_work_lost(fs->work, "The datastore's label survives nowhere; rename the datastore once it is mounted, or say --label.");
}

void vk_fs_judge_label(struct vk_fs_work *fs)
{
	const char *asked = fs->work->options->label;
	uint8_t label[128] = {0};

	if (fs->trusted && vk_fs_label_sound(fs->was.fsLabel))
		return;
	if (asked != NULL && !fs->has_capture) {
		snprintf((char *)label, sizeof(label), "%s", asked);
		vk_fs_set_bytes(fs, "fsLabel", label, VK_FIELD_ASKED, "--label");
		return;
	}
	if (!fs->has_capture) {
		snprintf((char *)label, sizeof(label), "vmfskit-recovered-%08x",
			 fs->lv != NULL ? vk_get_le32(fs->lv->uuid.b) : 0);
		tell_label_lost(fs);
	} else {
		vk_work_note(fs->work, "The label is the one in %s; a datastore that was renamed since has another one.",
			     fs->capture_name);
	}
	vk_fs_set_bytes(fs, "fsLabel", label, VK_FIELD_FRESH, "left recognisable");
}
