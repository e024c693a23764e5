/* SPDX-License-Identifier: Apache-2.0 */
/* Whose descriptor it is: UUIDs, times and the datastore's label. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "rebuild/header/header_work.h"

enum {
	LABEL_BYTES = 128,
	/* so many zeros behind the end of the text are no hole in a label: what follows them is no part of it */
	SURE_END = 16
};

/* When the LVM volume was made; 0: not known. */
static uint32_t lvm_second(const struct vk_header_work *w)
{
	return w->fsd.lv != NULL ? vk_uuid_seconds(&w->fsd.lv->uuid) : 0;
}

static bool lvm_second_proved(const struct vk_header_work *w)
{
	return w->identity.proof[VK_UUID_TIME_LO] == VK_PART_PROVED;
}

/* The first of the system files was made in that very second. */
static bool shown(const struct vk_header_work *w, uint32_t seconds)
{
	const struct vk_self_fact *first = vk_fs_fact(w, VK_SELF_FIRST_TIME);

	return seconds != 0 && first->sure >= VK_SELF_LIKELY && first->value == seconds;
}

/*
 * The datastore's UUID is drawn in the second that is kept as time of creation, on all volumes seen. The file system
 * was made after its LVM volume and before its first file: where both show one second, it is that. Else about then.
 */
static void judge_creation(struct vk_header_work *w)
{
	const struct vk_self_fact *first = vk_fs_fact(w, VK_SELF_FIRST_TIME);
	uint32_t made = w->fsd.was.creationTime, drawn = vk_uuid_seconds(&w->fsd.was.uuid), lv = lvm_second(w);
	bool proved = lvm_second_proved(w), trusted = w->fsd.trusted;

	if (trusted && ((made != 0 && vk_same_event(made, drawn)) || shown(w, made)))
		return;
	if (trusted && (shown(w, drawn) || (drawn != 0 && drawn == lv)))
		vk_mend_number(&w->fsd.m, "creationTime", drawn, vk_fs_by(shown(w, drawn) || proved),
			       "FS3_Descriptor.uuid, and %s",
			       shown(w, drawn) ? "the file descriptor of a system file" : "LVM_VolDescriptor.uuid");
	else if (trusted && made != 0)
		vk_work_note(w, "creation time and UUID of the file system name different times, and which is right "
				"is not known: both stay.");
	else if (first->sure >= VK_SELF_LIKELY)
		vk_mend_number(&w->fsd.m, "creationTime", first->value, vk_fs_by(first->value == lv && proved), "%s%s",
			       first->from, first->value == lv ? ", and LVM_VolDescriptor.uuid" : "");
	else if (w->fsd.lv != NULL)
		vk_mend_number(&w->fsd.m, "creationTime", lv, VK_FIELD_USUAL,
			       "LVM_VolDescriptor.uuid, which may be seconds older");
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

static void make_uuid(struct vk_header_work *w)
{
	struct vk_vmfs_uuid_parts id = {.timeLo = w->fsd.is.creationTime};
	struct vk_vmfs_uuid made;
	uint64_t r = mix(vk_get_le64(w->fsd.lv->uuid.b) + mix(vk_get_le64(w->fsd.lv->uuid.b + 8)));

	id.timeHi = (uint32_t)r;
	id.rand = (uint16_t)(r >> 32);
	memcpy(id.macAddr, vk_made_here, sizeof(id.macAddr));
	vk_vmfs_uuid_encode(&id, &made);
	vk_mend_bytes(&w->fsd.m, "uuid", &made, VK_FIELD_FRESH,
		      "made from the LVM volume's UUID, the same on every run");
	if (w->fsd.capture == NULL)
		vk_work_lost(w, "the datastore's UUID is lost; it gets a new one, so paths with the old UUID "
				"(/vmfs/volumes/<UUID>) in .vmx files and inventories must be corrected, or the "
				"volume registered anew.");
}

static void judge_uuid(struct vk_header_work *w)
{
	struct vk_vmfs_uuid mended = w->fsd.was.uuid;
	uint32_t made = w->fsd.is.creationTime, drawn = vk_uuid_seconds(&mended), lv = lvm_second(w);

	if (!w->fsd.trusted || vk_vmfs_uuid_is_nil(&mended)) {
		if (w->fsd.lv != NULL)
			make_uuid(w);
		return;
	}
	/* after a resignature it is the LVM volume's UUID that was drawn with it, and the time of creation is older */
	if (vk_same_event(drawn, made) || shown(w, drawn) || vk_same_event(drawn, lv))
		return;
	if (w->fsd.lv == NULL || !shown(w, made) || !vk_same_event(made, lv) ||
	    memcmp(mended.b + 10, w->fsd.lv->uuid.b + 10, 6) != 0) {
		vk_work_note(w, "the datastore's UUID is not of the time and host that made the volume: it stays, "
				"for its original value is not known.");
		return;
	}
	vk_put_le32(mended.b, made);
	vk_mend_bytes(&w->fsd.m, "uuid", &mended, vk_fs_by(made == w->fsd.was.creationTime && lvm_second_proved(w)),
		      "its first number is FS3_Descriptor.creationTime, in which the first system file was made");
}

/*
 * Parts that two other copies prove. What is only likely as a guess, and only where nothing stands or the LVM part
 * takes the same guess: name and uuid would then outvote what stands here in the next run.
 */
static void judge_volume(struct vk_header_work *w)
{
	const struct vk_volume_identity *id = &w->identity;
	const struct vk_lvm_volume *lv = w->fsd.lv;
	const struct vk_vmfs_uuid *stands = &w->fsd.was.volInfo;
	bool nothing = !w->fsd.trusted || vk_vmfs_uuid_is_nil(stands);
	bool guess = nothing || vk_work_changes(w, &vk_lvm_volume_layout, "uuid") ||
		     vk_work_changes(w, &vk_lvm_volume_layout, "name");
	struct vk_vmfs_uuid info = w->fsd.trusted ? *stands : lv->uuid;
	enum vk_part_proof proof = vk_volume_identity_put(id, guess ? VK_PART_LIKELY : VK_PART_PROVED, &info);

	if (w->fsd.trusted && id->info_foreign)
		return;
	if (!w->fsd.trusted)
		proof = vk_volume_identity_proof(id);
	if (guess && vk_lvm_volume_named(lv) && !vk_vmfs_uuid_equal(&info, &lv->uuid)) {
		info = lv->uuid;
		proof = VK_PART_OPEN;
	}
	vk_mend_bytes(&w->fsd.m, "volInfo", &info, vk_fs_by(proof == VK_PART_PROVED),
		      "name and uuid of the volume descriptor at 0x%" PRIx64, w->vmfs.volumes[0].offset_bytes);
	if (!nothing && !vk_vmfs_uuid_equal(&info, stands))
		vk_work_note(w,
			     "the descriptor named the LVM volume %s; were it another volume's descriptor, its "
			     "files would not be found.",
			     vk_vmfs_uuid_text(stands).text);
}

/* Three fields hold it, and it is 1 on every volume seen: two that say so decide. */
static void judge_snapshot(struct vk_header_work *w)
{
	uint32_t lvm = w->fsd.lv->snapID, own = w->fsd.was.snapID, info = w->fsd.was.volInfoSnapID;
	bool trusted = w->fsd.trusted;
	enum vk_field_origin origin = vk_fs_by(trusted && !vk_work_changes(w, &vk_lvm_volume_layout, "snapID"));
	uint64_t at = w->vmfs.volumes[0].offset_bytes;
	static const char alone[] = "LVM_VolDescriptor.snapID at 0x%" PRIx64;

	if (!trusted || (info != lvm && own == lvm && lvm == 1))
		vk_mend_number(&w->fsd.m, "volInfoSnapID", lvm, origin,
			       "LVM_VolDescriptor.snapID at 0x%" PRIx64 ", and snapID of the descriptor", at);
	if (!trusted || (own != lvm && info == lvm && lvm == 1))
		vk_mend_number(&w->fsd.m, "snapID", lvm, origin,
			       "LVM_VolDescriptor.snapID at 0x%" PRIx64 ", and volInfoSnapID of the descriptor", at);
	if (trusted && own != lvm && info != lvm && own != info && lvm == 1) {
		vk_mend_number(&w->fsd.m, "snapID", lvm, VK_FIELD_USUAL, alone, at);
		vk_mend_number(&w->fsd.m, "volInfoSnapID", lvm, VK_FIELD_USUAL, alone, at);
	} else if (trusted && (own != lvm || info != lvm) && (lvm != 1 || own == info)) {
		vk_work_note(w, "snapID is %u and %u in the descriptor and %u in the LVM volume: it stays, for which "
				"is right is not known.", own, info, lvm);
	}
}

void vk_fs_judge_identity(struct vk_header_work *w)
{
	const struct vk_lvm_volume *lv = w->fsd.lv;

	if (w->fsd.trusted && lv != NULL && (lv->state == VK_LVM_RESIG_PENDING || lv->state == VK_LVM_RESIG_DONE)) {
		vk_work_note(w, "the volume is being resignatured: the LVM volume in its descriptor stays.");
	} else if (lv != NULL) {
		judge_volume(w);
		judge_snapshot(w);
		if (w->fsd.trusted && !vk_all_zero(w->fsd.was.volInfoRest, sizeof(w->fsd.was.volInfoRest)))
			vk_mend_bytes(&w->fsd.m, "volInfoRest", (const uint8_t[12]){0}, VK_FIELD_CONSTANT,
				      "zero on every volume");
	}
	judge_creation(w);
	judge_uuid(w);
}

static bool printable(uint8_t c)
{
	return c >= 0x20 && c < 0x7F;
}

/* Whether a person can make out something: text, or most of what is not zero. */
static bool readable(const uint8_t label[LABEL_BYTES])
{
	size_t letters = 0, others = 0;

	for (size_t i = 0; i < LABEL_BYTES; i++) {
		letters += printable(label[i]);
		others += label[i] != 0 && !printable(label[i]);
	}
	return letters > others || vk_label_text_bytes(label) > 0;
}

/* What stands behind the end of a label and cannot be the rest of one in which a byte became zero. */
static bool stray_tail(const uint8_t label[LABEL_BYTES])
{
	size_t len = vk_label_text_bytes(label);
	size_t at = len;

	while (at < LABEL_BYTES && label[at] == 0)
		at++;
	if (len == 0 || at - len < SURE_END)
		return false;
	for (; at < LABEL_BYTES; at++)
		if (printable(label[at]))
			return false;
	return true;
}

/* It stays as it is, damaged as it is. */
static void leave(struct vk_header_work *w)
{
	char seen[4 * LABEL_BYTES + 1], behind[4 * LABEL_BYTES + 1] = "";
	const uint8_t *label = w->fsd.was.fsLabel;
	size_t next = strnlen((const char *)label, LABEL_BYTES);
	struct vk_text text;

	while (next < LABEL_BYTES && label[next] == 0)
		next++;
	text = vk_text_in(seen, sizeof(seen));
	vk_text_label(&text, label, LABEL_BYTES);
	text = vk_text_in(behind, sizeof(behind));
	vk_text_label(&text, label + next, LABEL_BYTES - next);
	if (next < LABEL_BYTES)
		vk_work_lost(w, "the datastore's label is \"%s\", but behind its end stands more (\"%s\"): it stays as "
				"it is. If a byte in its middle was lost, rename the datastore once it is mounted, or "
				"say --label.", seen, behind);
	else
		vk_work_lost(w, "the datastore's label is damaged (\"%s\") and stays as it is; rename the datastore "
				"once it is mounted, or say --label.", seen);
}

void vk_fs_judge_label(struct vk_header_work *w)
{
	const uint8_t *was = w->fsd.was.fsLabel;
	const char *asked = w->options->label;
	bool captured = w->fsd.capture != NULL;
	uint8_t label[LABEL_BYTES] = {0};

	/* what is readable stays, whatever is wrong with it */
	if (vk_label_sound(was) && (w->fsd.trusted || was[0] != 0)) {
		memcpy(w->fsd.is.fsLabel, was, LABEL_BYTES);
		return;
	}
	if (stray_tail(was)) {
		memcpy(label, was, vk_label_text_bytes(was));
		vk_mend_bytes(&w->fsd.m, "fsLabel", label, VK_FIELD_CONSTANT,
			      "zero behind the end of the text, as every host writes it");
		return;
	}
	if (w->fsd.trusted && readable(was) && asked == NULL) {
		leave(w);
		return;
	}
	if (asked != NULL && !captured) {
		snprintf((char *)label, sizeof(label), "%s", asked);
		vk_mend_bytes(&w->fsd.m, "fsLabel", label, VK_FIELD_ASKED, "--label");
		return;
	}
	if (captured)
		vk_work_note(w, "the label is the one in %s; a datastore that was renamed since has another one.",
			     w->fsd.m.capture_name);
	else
		vk_work_lost(w, "the datastore's label is lost; rename the datastore once it is mounted, or say "
				"--label.");
	snprintf((char *)label, sizeof(label), "vmfskit-recovered-%08x", lvm_second(w));
	vk_mend_bytes(&w->fsd.m, "fsLabel", label, VK_FIELD_FRESH, "left recognisable");
}
