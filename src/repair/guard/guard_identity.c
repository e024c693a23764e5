/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guards that compare who the target says it is with who was captured: disk-id, device-uuid and volume-uuid.
 * Only what is sound can contradict; what is absent or damaged is what a restore is for. And guards lun and
 * unidentified: is the target the disk that was captured? What vk_capture_is_of says of the device itself is lun's, and
 * no other knowledge silences it: a replica has the same headers, and can have the same bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "repair/guard/guards.h"

/* What a decoded partition says of itself; empty where it does not say, or is not to be trusted. */
struct said {
	char disk_id[VK_SCSI_NAME_BYTES];
	char device[VK_VMFS_UUID_TEXT_BYTES];
	char volume[VK_VMFS_UUID_TEXT_BYTES];
	char fs[VK_VMFS_UUID_TEXT_BYTES];
};

static void say_uuid(const struct vk_vmfs_uuid *uuid, char ret_text[VK_VMFS_UUID_TEXT_BYTES])
{
	if (!vk_vmfs_uuid_is_nil(uuid))
		vk_vmfs_uuid_format(uuid, ret_text);
}

static void listen(const struct vk_vmfs *vmfs, struct said *ret_said)
{
	bool certain;

	memset(ret_said, 0, sizeof(*ret_said));
	if (vmfs->lvm_usable) {
		if (!vk_scsi_disk_id_is_nil(&vmfs->lvm.diskID))
			vk_scsi_disk_id_name(&vmfs->lvm.diskID, ret_said->disk_id, &certain);
		say_uuid(&vmfs->lvm.devID, ret_said->device);
		if (vmfs->volume_count > 0 && vmfs->volumes[0].volume.state >= VK_LVM_NORMAL &&
		    vmfs->volumes[0].volume.state <= VK_LVM_RESIG_DONE)
			say_uuid(&vmfs->volumes[0].volume.uuid, ret_said->volume);
	}
	if (vmfs->fs_usable) {
		say_uuid(&vmfs->fs.uuid, ret_said->fs);
		if (ret_said->volume[0] == '\0')
			say_uuid(&vmfs->fs.volInfo, ret_said->volume);
	}
}

/*
 * Two headers of one place are compared byte for byte, ids of every kind: whether they can be of one LUN
 * (vmfskit/lunid.h) is another question, which guard lun asks of the live one. was: of an undo, what the disk said
 * before the restore.
 */
static bool contradicts(const struct vk_restore *restore, const char *seen, const char *want, const char *was)
{
	char *const *replaced = restore->capture->rebuilt.replaced;

	if (seen[0] == '\0' || want[0] == '\0' || strcmp(seen, want) == 0 || strcmp(seen, was) == 0)
		return false;
	/* an id of the target that repair found to be damage is no name */
	for (; replaced != NULL && *replaced != NULL; replaced++)
		if (strcmp(*replaced, seen) == 0)
			return false;
	return true;
}

static enum vk_status ask_place(struct vk_restore *restore, const struct vk_captured_place *place,
				struct vk_error *err)
{
	const struct vk_identity *want = place->identity;
	struct said seen, was = {.fs = ""};
	const struct {
		enum vk_guard guard;
		const char *what, *seen, *want, *was;
	} ids[] = {
		{VK_GUARD_DISK_ID, "the disk id in the LVM header", seen.disk_id, want->disk_id, was.disk_id},
		{VK_GUARD_DEVICE_UUID, "the device UUID in the LVM header", seen.device, want->device_uuid, was.device},
		{VK_GUARD_VOLUME_UUID, "the volume UUID", seen.volume, want->volume_uuid, was.volume},
		{VK_GUARD_VOLUME_UUID, "the file system's UUID", seen.fs, want->fs_uuid, was.fs},
	};
	enum vk_status status = VK_OK;
	bool volume = false;

	listen(&place->vmfs, &seen);
	if (restore->capture->is_undo) {
		struct vk_io *window = vk_io_window(restore->captured_io, place->start_bytes, place->length_bytes);
		struct vk_vmfs vmfs = {.start_sector = want->start_sector};
		struct vk_error ignored;

		if (window != NULL && vk_vmfs_read(window, NULL, &vmfs, &ignored) == VK_OK) {
			listen(&vmfs, &was);
			vk_vmfs_free(&vmfs);
		}
		vk_io_close(window);
	}
	for (size_t i = 0; status == VK_OK && i < sizeof(ids) / sizeof(ids[0]); i++) {
		/* a volume that is another one has another file system */
		if (volume || !contradicts(restore, ids[i].seen, ids[i].want, ids[i].was))
			continue;
		volume = ids[i].guard == VK_GUARD_VOLUME_UUID;
		status = vk_guard_object(restore, ids[i].guard, err,
					 "%s at sector %" PRIu64 " of the target says %s, the captured one said %s",
					 ids[i].what, place->start_bytes / restore->target.sector_size, ids[i].seen,
					 ids[i].want);
	}
	return status;
}

static bool captured_at(const struct vk_restore *restore, uint64_t start_bytes)
{
	for (size_t i = 0; i < restore->place_count; i++)
		if (restore->places[i].start_bytes == start_bytes)
			return true;
	return false;
}

bool vk_guard_knows_device(const struct vk_restore *restore, const char *device)
{
	for (size_t i = 0; i < restore->place_count; i++)
		if (strcmp(restore->places[i].identity->device_uuid, device) == 0)
			return true;
	return false;
}

/*
 * A volume that no table names any more, where it would be written into. Where a captured volume that it
 * overlaps is still there, that one is the younger and this a relic.
 */
static enum vk_status ask_tableless(struct vk_restore *restore, const struct vk_vmfs *vmfs,
				    struct vk_error *err)
{
	uint64_t start = vk_mul_sat(vmfs->start_sector, restore->target.sector_size);
	struct said seen;

	if (!vmfs->lvm_usable || captured_at(restore, start) ||
	    !vk_restore_edits_meet(restore, start, vmfs->lvm.totalBytes))
		return VK_OK;
	listen(vmfs, &seen);
	if (seen.device[0] == '\0' || vk_guard_knows_device(restore, seen.device))
		return VK_OK;
	for (size_t i = 0; i < restore->place_count; i++) {
		const struct vk_captured_place *place = &restore->places[i];
		struct said captured;

		listen(&place->vmfs, &captured);
		if (captured.device[0] != '\0' &&
		    strcmp(captured.device, place->identity->device_uuid) == 0 &&
		    vk_ranges_meet(start, vmfs->lvm.totalBytes, place->start_bytes,
				   place->length_bytes))
			return VK_OK;
	}
	return vk_guard_object(restore, VK_GUARD_DEVICE_UUID, err,
			       "a VMFS volume outside of all tables begins at sector %" PRIu64 " of the target "
			       "(device %s, %" PRIu64 " bytes); it is not in the capture and would be overwritten in "
			       "part",
			       vmfs->start_sector, seen.device, vmfs->lvm.totalBytes);
}

/* A volume that the target's own table shows where the capture knows none: would it be hit, or dropped? */
static enum vk_status ask_elsewhere(struct vk_restore *restore, const struct vk_vmfs *vmfs,
				    struct vk_error *err)
{
	uint32_t ss = restore->target.sector_size;
	uint64_t start = vk_mul_sat(vmfs->start_sector, ss);
	bool device, known = false;
	struct said seen;
	const char *fate;

	if (vmfs->sectors == 0)
		return ask_tableless(restore, vmfs, err);
	if (captured_at(restore, start))
		return VK_OK;
	if (vk_restore_edits_meet(restore, start, vk_mul_sat(vmfs->sectors, ss)))
		fate = "would be overwritten in part";
	else if (vk_restore_edits_in_part(restore, VK_PART_TABLE))
		fate = "would be dropped from the table";
	else
		return VK_OK;
	listen(vmfs, &seen);
	device = seen.device[0] != '\0' && !vk_guard_knows_device(restore, seen.device);
	for (size_t i = 0; i < restore->place_count; i++)
		known = known || strcmp(restore->places[i].identity->volume_uuid, seen.volume) == 0;
	if (!device && (seen.volume[0] == '\0' || known))
		return VK_OK;
	return vk_guard_object(restore, device ? VK_GUARD_DEVICE_UUID : VK_GUARD_VOLUME_UUID, err,
			       "the target's table has a VMFS partition at sector %" PRIu64 " that is not in the "
			       "capture (%s %s); it %s",
			       vmfs->start_sector, device ? "device" : "volume", device ? seen.device : seen.volume,
			       fate);
}

enum vk_status vk_guard_ask_identity(struct vk_restore *restore, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	if (restore->known_state)
		return VK_OK;
	for (size_t i = 0; status == VK_OK && i < restore->place_count; i++)
		status = ask_place(restore, &restore->places[i], err);
	for (size_t i = 0; status == VK_OK && i < restore->before->vmfs_count; i++)
		if (restore->before->kind == VK_SOURCE_DISK)
			status = ask_elsewhere(restore, &restore->before->vmfs[i], err);
	return status;
}

enum vk_guard vk_guard_of_answer(const struct vk_of_disk *answer)
{
	if (answer->is_of != VK_OF_NO)
		return VK_GUARD_UNIDENTIFIED;
	if (vk_proof_is_of_device(answer->by))
		return VK_GUARD_LUN;
	return answer->by == VK_PROOF_DEVICE_UUID   ? VK_GUARD_DEVICE_UUID
	       : answer->by == VK_PROOF_VOLUME_UUID ? VK_GUARD_VOLUME_UUID
						    : VK_GUARD_DISK_ID;
}

enum vk_status vk_guard_ask_lun(struct vk_restore *restore, struct vk_error *err)
{
	struct vk_capture nameless = *restore->capture;
	const char *written_for = "";
	struct vk_of_disk of;

	vk_capture_is_of(restore->capture, restore->facts, &restore->of);
	/*
	 * What repair rebuilt bears the names of the target itself, which then prove nothing. That its headers were
	 * written for another LUN is no reason to refuse: so it is on every snapshot and after a move to another array.
	 */
	nameless.wwid[0] = '\0';
	if (restore->capture->memory != NULL && vk_capture_is_of(&nameless, restore->facts, &of) == VK_OF_NO &&
	    of.by == VK_PROOF_RECORDED_ID) {
		for (size_t i = nameless.identity_count; i-- > 0;)
			if (nameless.identities[i].disk_id[0] != '\0')
				written_for = nameless.identities[i].disk_id;
		vk_restore_add_remark(restore,
				      "the headers on the target were written for the LUN %s, and this one has the "
				      "WWID %s: a snapshot or replica looks like this; check that it is the right "
				      "disk",
				      written_for, restore->facts->wwid);
	}
	if (restore->of.is_of != VK_OF_NO || !vk_proof_is_of_device(restore->of.by))
		return VK_OK;
	return vk_guard_object(restore, VK_GUARD_LUN, err, "the target is not the captured disk: %.300s",
			       restore->of.why);
}

/*
 * Asked behind the guards of headers and tables. Of an undo the bytes that the restore left, or found, are a name,
 * too, and so are the ids that the restore found.
 */
enum vk_status vk_guard_ask_unidentified(struct vk_restore *restore, struct vk_error *err)
{
	bool contradicted = vk_guard_has_objected(restore, VK_GUARD_DISK_ID) ||
			    vk_guard_has_objected(restore, VK_GUARD_DEVICE_UUID) ||
			    vk_guard_has_objected(restore, VK_GUARD_VOLUME_UUID);

	/* what repair worked out was read from a target with the same names, if it has any */
	if (restore->capture->memory != NULL || restore->known_state || restore->of.is_of >= VK_OF_LIKELY ||
	    vk_proof_is_of_device(restore->of.by))
		return VK_OK;
	if (restore->of.is_of == VK_OF_NO && (restore->capture->is_undo || contradicted))
		return VK_OK;
	return vk_guard_object(restore, VK_GUARD_UNIDENTIFIED, err,
			       "nothing proves that the target is the captured disk: %.300s", restore->of.why);
}
