/* SPDX-License-Identifier: Apache-2.0 */
/* Whose descriptor it is: UUIDs and times. */
#include <string.h>

#include "base/bytes.h"
#include "rebuild/header/fs_work.h"

/* When the LVM volume was made; 0: not known. */
static uint32_t lvm_second(const struct vk_fs_work *fs)
{
	return fs->lv != NULL ? vk_get_le32(fs->lv->uuid.b) : 0;
}

static bool lvm_second_proved(const struct vk_fs_work *fs)
{
	return fs->work->identity.proof[VK_UUID_TIME_LO] == VK_PART_PROVED;
}

/* The first of the system files was made in that very second. */
static bool shown(const struct vk_fs_work *fs, uint32_t seconds)
{
	const struct vk_self_fact *first = vk_fs_fact(fs, VK_SELF_FIRST_TIME);

	return seconds != 0 && first->sure >= VK_SELF_LIKELY && first->value == seconds;
}

/*
 * The file system was made after its LVM volume and before its first file: where both show one second, it is that. Else
 * only about then.
 */
static void make_creation(struct vk_fs_work *fs)
{
	const struct vk_self_fact *first = vk_fs_fact(fs, VK_SELF_FIRST_TIME);
	uint32_t lv = lvm_second(fs);

	if (first->sure >= VK_SELF_LIKELY)
		vk_mend_number(&fs->m, "creationTime", first->value,
			       vk_fs_by(first->value == lv && lvm_second_proved(fs)), "%s%s",
			  first->from, first->value == lv ? ", and LVM_VolDescriptor.uuid" : "");
	else if (fs->lv != NULL)
		vk_mend_number(&fs->m, "creationTime", vk_get_le32(fs->lv->uuid.b), VK_FIELD_USUAL,
			  "LVM_VolDescriptor.uuid, which may be seconds older");
}

/* The datastore's UUID is drawn in the second that is kept as time of creation, on all volumes seen. */
static void judge_creation(struct vk_fs_work *fs)
{
	uint32_t made = fs->was.creationTime, drawn = vk_get_le32(fs->was.uuid.b);
	uint32_t lv = lvm_second(fs);

	if (!fs->trusted)
		make_creation(fs);
	if (!fs->trusted || (made != 0 && vk_same_event(made, drawn)) || shown(fs, made))
		return;
	if (shown(fs, drawn) || (drawn != 0 && drawn == lv))
		vk_mend_number(&fs->m, "creationTime", drawn, vk_fs_by(shown(fs, drawn) || lvm_second_proved(fs)),
			       "FS3_Descriptor.uuid, and %s",
			  shown(fs, drawn) ? "the file descriptor of a system file" : "LVM_VolDescriptor.uuid");
	else if (made == 0)
		make_creation(fs);
	else
		vk_work_note(fs->work, "Creation time and UUID of the file system name different times, and nothing "
				       "tells which is right: both stay.");
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
	struct vk_vmfs_uuid made;
	uint64_t r = mix(vk_get_le64(fs->lv->uuid.b) + mix(vk_get_le64(fs->lv->uuid.b + 8)));

	id.timeLo = fs->is.creationTime;
	id.timeHi = (uint32_t)r;
	id.rand = (uint16_t)(r >> 32);
	memcpy(id.macAddr, vk_made_here, sizeof(id.macAddr));
	vk_vmfs_uuid_encode(&id, &made);
	vk_mend_bytes(&fs->m, "uuid", &made, VK_FIELD_FRESH,
			"made from the LVM volume's UUID, the same on every run");
	if (fs->capture == NULL)
		vk_work_lost(fs->work, "The datastore's UUID survives nowhere; it gets a new one, so paths with the "
				       "old UUID (/vmfs/volumes/<UUID>) in .vmx files and inventories must be "
				       "corrected, or the volume registered anew.");
}

static void judge_uuid(struct vk_fs_work *fs)
{
	struct vk_vmfs_uuid mended = fs->was.uuid;
	uint32_t made = fs->is.creationTime, drawn = vk_get_le32(fs->was.uuid.b);

	if (!fs->trusted || vk_vmfs_uuid_is_nil(&fs->was.uuid)) {
		if (fs->lv != NULL)
			make_uuid(fs);
		return;
	}
	/* after a resignature it is the LVM volume's UUID that was drawn with it, and the time of creation is older */
	if (vk_same_event(drawn, made) || shown(fs, drawn) || vk_same_event(drawn, lvm_second(fs)))
		return;
	if (fs->lv == NULL || !shown(fs, made) || !vk_same_event(made, lvm_second(fs)) ||
	    memcmp(mended.b + 10, fs->lv->uuid.b + 10, 6) != 0) {
		vk_work_note(fs->work, "The datastore's UUID is not of the time and host that made the volume: it "
				       "stays, for nothing tells what it was.");
		return;
	}
	vk_put_le32(mended.b, made);
	vk_mend_bytes(&fs->m, "uuid", &mended, vk_fs_by(made == fs->was.creationTime && lvm_second_proved(fs)),
			"its first number is FS3_Descriptor.creationTime, in which the first system file was made");
}

/* The LVM part puts what name or uuid of the volume should be. */
static bool lvm_side_guesses(const struct vk_fs_work *fs)
{
	return vk_work_changes(fs->work, &vk_lvm_volume_layout, "uuid") ||
		vk_work_changes(fs->work, &vk_lvm_volume_layout, "name");
}

/*
 * Parts that two other copies prove. What is only likely as a guess, and only where nothing stands or the LVM part
 * takes the same guess: name and uuid would then outvote what stands here in the next run.
 */
static void judge_volume(struct vk_fs_work *fs)
{
	const struct vk_volume_identity *id = &fs->work->identity;
	bool nothing = !fs->trusted || vk_vmfs_uuid_is_nil(&fs->was.volInfo);
	bool guess = nothing || lvm_side_guesses(fs);
	struct vk_vmfs_uuid info = fs->trusted ? fs->was.volInfo : fs->lv->uuid;
	enum vk_part_proof proof = vk_volume_identity_put(id, guess ? VK_PART_LIKELY : VK_PART_PROVED, &info);
	char was[VK_VMFS_UUID_TEXT_BYTES];

	if (fs->trusted && id->info_foreign)
		return;
	if (!fs->trusted)
		proof = vk_volume_identity_proof(id);
	if (guess && vk_lvm_volume_named(fs->lv) && !vk_vmfs_uuid_equal(&info, &fs->lv->uuid)) {
		info = fs->lv->uuid;
		proof = VK_PART_OPEN;
	}
	vk_vmfs_uuid_format(&fs->was.volInfo, was);
	vk_mend_bytes(&fs->m, "volInfo", &info, vk_fs_by(proof == VK_PART_PROVED),
		      "name and uuid of the volume descriptor at 0x%llx",
			(unsigned long long)fs->work->vmfs.volumes[0].offset_bytes);
	if (!nothing && !vk_vmfs_uuid_equal(&info, &fs->was.volInfo))
		vk_work_note(fs->work, "The descriptor named the LVM volume %s; were it another volume's descriptor, "
				       "its files would not be found.", was);
}

/* Three fields hold it, and it is 1 on every volume seen: two that say so decide. */
static void judge_snapshot(struct vk_fs_work *fs)
{
	uint32_t lvm = fs->lv->snapID, own = fs->was.snapID, info = fs->was.volInfoSnapID;
	bool witness = !vk_work_changes(fs->work, &vk_lvm_volume_layout, "snapID");
	unsigned long long at = fs->work->vmfs.volumes[0].offset_bytes;

	if (!fs->trusted || (info != lvm && own == lvm && lvm == 1))
		vk_mend_number(&fs->m, "volInfoSnapID", lvm, vk_fs_by(fs->trusted && witness),
			  "LVM_VolDescriptor.snapID at 0x%llx, and snapID of the descriptor", at);
	if (!fs->trusted || (own != lvm && info == lvm && lvm == 1))
		vk_mend_number(&fs->m, "snapID", lvm, vk_fs_by(fs->trusted && witness),
			  "LVM_VolDescriptor.snapID at 0x%llx, and volInfoSnapID of the descriptor", at);
	if (fs->trusted && own != lvm && info != lvm && own != info && lvm == 1) {
		vk_mend_number(&fs->m, "snapID", lvm, VK_FIELD_USUAL, "LVM_VolDescriptor.snapID at 0x%llx", at);
		vk_mend_number(&fs->m, "volInfoSnapID", lvm, VK_FIELD_USUAL, "LVM_VolDescriptor.snapID at 0x%llx", at);
	} else if (fs->trusted && (own != lvm || info != lvm) && (lvm != 1 || own == info))
		vk_work_note(fs->work, "snapID is %u and %u in the descriptor and %u in the LVM volume: it stays, for "
				       "it cannot be told which is right.",
			     own, info, lvm);
}

static void judge_lvm_volume(struct vk_fs_work *fs)
{
	if (fs->lv == NULL)
		return;
	if (fs->trusted && (fs->lv->state == VK_LVM_RESIG_PENDING || fs->lv->state == VK_LVM_RESIG_DONE)) {
		vk_work_note(fs->work, "The volume is being resignatured: what its descriptor says of the LVM volume "
				       "stays.");
		return;
	}
	judge_volume(fs);
	judge_snapshot(fs);
	if (fs->trusted && !vk_all_zero(fs->was.volInfoRest, sizeof(fs->was.volInfoRest)))
		vk_mend_bytes(&fs->m, "volInfoRest", (const uint8_t[12]){0}, VK_FIELD_CONSTANT,
				"zero on every volume");
}

void vk_fs_judge_identity(struct vk_fs_work *fs)
{
	judge_lvm_volume(fs);
	judge_creation(fs);
	judge_uuid(fs);
}
