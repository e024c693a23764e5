/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guards lun and unidentified: is the target the disk that was captured? What vk_capture_is_of says of the device
 * itself is lun's, and no other knowledge silences it: a replica has the same headers, and can have the same bytes.
 * What the headers on it contradict has guards of its own.
 */
#include "repair/guard/guards.h"

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
				      "WWID %s: a snapshot or replica looks so; make sure that it is the disk that is "
				      "meant",
				      written_for, restore->facts->wwid);
	}
	if (restore->of.is_of != VK_OF_NO || !vk_proof_is_of_device(restore->of.by))
		return VK_OK;
	return vk_guard_object(restore, VK_GUARD_LUN, err, "The target is not the captured disk: %.300s",
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
			       "Nothing proves that the target is the captured disk: %.300s", restore->of.why);
}
