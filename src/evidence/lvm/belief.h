/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far what stands at a place can be believed to be the structure that belongs there, whatever else is wrong with
 * it. A check of disk/ asks whether anything in it is wrong, which is another question.
 */
#ifndef VK_EVIDENCE_LVM_BELIEF_H
#define VK_EVIDENCE_LVM_BELIEF_H

#include "base/bytes.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/lvm.h"

/* The second in which a UUID was drawn. */
static inline uint32_t vk_uuid_seconds(const struct vk_vmfs_uuid *uuid)
{
	return vk_get_le32(uuid->b);
}
/* Whether two moments are of one event: the volume's UUID is drawn some seconds before its descriptor is written. */
static inline bool vk_same_event(uint64_t a_seconds, uint64_t b_seconds)
{
	return (a_seconds > b_seconds ? a_seconds - b_seconds : b_seconds - a_seconds) <= 60;
}
/* devID is drawn in the second of initTimeUS. */
static inline bool vk_lvm_device_time_sound(const struct vk_lvm_device *device)
{
	return device->initTimeUS >= 1000000 && device->initTimeUS / 1000000 == vk_uuid_seconds(&device->devID);
}

/* Whether enough of a device header agrees with itself that what stands there is one, magic or not. */
bool vk_belief_device(const struct vk_lvm_device *device);
/*
 * The header as it is, or with the one field put right that keeps it from being usable; then its other fields must
 * vouch for it. False: it is as it was.
 */
bool vk_belief_device_mended(const struct vk_lvm_device *seen, size_t seen_bytes, struct vk_lvm_device *ret_device);

/*
 * Signs that this is a volume descriptor, from VK_BELIEF_ENOUGH on it is one; info: volInfo of the file system, NULL:
 * not known.
 */
enum { VK_BELIEF_ENOUGH = 5 };
unsigned vk_belief_volume(const struct vk_lvm_volume *volume, const struct vk_vmfs_uuid *info);
/* Of a volume that carries a name of its own the numbers must fit the device. */
bool vk_belief_volume_fits(const struct vk_lvm_volume *volume, const struct vk_lvm_device *device);

/* Whether this is a file-system descriptor, and that of the LVM volume (NULL: not known). */
bool vk_belief_fs(const struct vk_fs_descriptor *fs, const struct vk_vmfs_uuid *lvm_volume);
/* Bytes of text in front of the first NUL of a label; 0 when there is none, or it is no text. */
size_t vk_label_text_bytes(const uint8_t label[128]);
/* Whether a label is text that ends in zeros. */
bool vk_label_sound(const uint8_t label[128]);

#endif
