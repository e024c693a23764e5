/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose capture is this? One answer, for everything that reads or writes on the word of a capture.
 *
 * A WWID decides when both sides have one, whatever the headers say: replicas, snapshots of an array and disks for
 * practice have the same UUIDs. Then, in this order: the disk id in the captured headers against the WWID of the
 * target, a serial number that is another one, what the headers of the target say at their places (disk id, UUIDs),
 * the image file itself, the GUID of a sound GPT, the same serial number and model. A path proves nothing.
 */
#ifndef VMFSKIT_OF_DISK_H
#define VMFSKIT_OF_DISK_H

#include "vmfskit/capture.h"

__BEGIN_DECLS

/* Who a place of a disk says it is. */
struct vk_disk_place {
	uint64_t start_bytes;
	struct vk_identity identity; /* texts are empty where nothing stands */
};

/* Who a disk, a partition or an image is. Texts are empty where nothing tells. Free with vk_disk_facts_free. */
struct vk_disk_facts {
	char wwid[200];  /* what the kernel says; of a partition: of its disk; of a multipath device: of its paths */
	char serial[160];
	char model[160];
	unsigned device_partition;    /* 0: it is a whole device, or no device */
	uint64_t device_start_sector; /* of that partition, in 512 bytes; 0: not known */
	struct vk_file_id file;       /* of an image; of a loop device: the file below it */
	bool is_device;
	enum vk_source_kind kind;     /* as which it was decoded */
	uint64_t size_bytes;
	struct vk_guid disk_guids[2]; /* of sound copies of its GPT */
	size_t disk_guid_count;
	bool has_partitions;          /* its table has entries */
	const struct vk_source *source; /* borrowed: what stands where a capture saw volumes; NULL: places has all */
	struct vk_disk_place *places;   /* what was asked so far */
	size_t place_count;
};
/*
 * Of an opened source, through its descriptor; source must outlive the facts. Nothing of this can fail: what is not
 * known stays empty.
 */
void vk_disk_facts_read(const struct vk_source *source, struct vk_disk_facts *ret_facts);
/* What the kernel says of a path, which is not opened: names, and the size of a file, to look for captures by. */
void vk_disk_facts_of_path(const char *path, struct vk_disk_facts *ret_facts);
void vk_disk_facts_free(struct vk_disk_facts *facts);
/*
 * Who the place that begins there says it is; read once. NULL: nothing can stand there. Valid until the next place is
 * asked.
 */
const struct vk_identity *vk_disk_facts_place(struct vk_disk_facts *facts, uint64_t start_bytes);
/* The same from what was decoded there already, unless it is known. */
void vk_disk_facts_learn(struct vk_disk_facts *facts, uint64_t start_bytes, const struct vk_vmfs *vmfs);

/* Who it is as lines of text: the same for the same disk as long as its names and its size stay. */
void vk_disk_facts_text(const struct vk_disk_facts *facts, struct vk_text *out);
/*
 * The best name of it as one text, "WWID naa.6000..., partition 2", which no other disk has and which stays while
 * it is the same one; a path is none. Empty: it has no name.
 */
void vk_disk_facts_name(const struct vk_disk_facts *facts, struct vk_text *out);
/* Whether what is open under fd still has these names; ret_now has what it is called now. Its size is not asked. */
VK_MUST_USE bool vk_disk_facts_still(const struct vk_disk_facts *facts, int fd, struct vk_disk_facts *ret_now);

enum vk_is_of {
	VK_OF_UNKNOWN, /* nothing proves it */
	VK_OF_NO,      /* another disk, or another partition of it */
	VK_OF_LIKELY,
	VK_OF_CERTAIN
};

/* What decided. Those of the device itself come first and stand together: vk_proof_is_of_device. */
enum vk_proof {
	VK_PROOF_NONE,
	VK_PROOF_WWID,
	VK_PROOF_RECORDED_ID, /* disk id in the captured headers, against the WWID of the target */
	VK_PROOF_SERIAL,
	VK_PROOF_PARTITION,   /* which partition of the disk */
	VK_PROOF_DISK_ID,     /* in the headers of both */
	VK_PROOF_DEVICE_UUID, /* at its place, as the next one */
	VK_PROOF_VOLUME_UUID, /* of the volume or its file system */
	VK_PROOF_FILE,
	VK_PROOF_GUID
};
/* Whether the device itself says so, not the bytes on it. */
static inline bool vk_proof_is_of_device(enum vk_proof proof)
{
	return proof >= VK_PROOF_WWID && proof <= VK_PROOF_PARTITION;
}

struct vk_of_disk {
	enum vk_is_of is_of;
	enum vk_proof by;
	bool same_volume; /* a UUID at its place is the captured one; with NO: this is a copy of that disk */
	char why[400];    /* one sentence without its full stop */
};
/*
 * Whether a capture is of the disk with these facts. The facts may learn more of their source by it. Whether the
 * capture is sound, and of a kind that can be used, are other questions.
 */
enum vk_is_of vk_capture_is_of(const struct vk_capture *capture, struct vk_disk_facts *facts,
			       struct vk_of_disk *ret_answer);
/*
 * Whether a capture may be asked what the disk with these facts held: it is of it (at least VK_OF_LIKELY), and neither
 * what a restore overwrote nor what a repair concluded. ret_answer is filled in any case where it was judged.
 */
VK_MUST_USE bool vk_capture_tells_of(const struct vk_capture *capture, struct vk_disk_facts *facts,
				     struct vk_of_disk *ret_answer);
/*
 * Of one of which that answer was given: whether only a person can know that it is of the disk. Nothing shows that it
 * is or is not, and their lengths are the same. So it is with a copy of a LUN that lost its start.
 */
VK_MUST_USE bool vk_capture_may_be_of(const struct vk_capture *capture, const struct vk_disk_facts *facts,
				      const struct vk_of_disk *answer);
/*
 * Whether another volume stands where the capture has one, and none of its own is left at its place: the disk was
 * given another use since. One UUID that is still there is enough for no.
 */
VK_MUST_USE bool vk_capture_is_of_old_use(const struct vk_capture *capture, struct vk_disk_facts *facts);
/*
 * Whether the names alone contradict, or the path leads to another file of another size: what can be told before the
 * disk is opened. For the choice of the last capture under a path, whose differences are told and nothing more.
 */
VK_MUST_USE bool vk_capture_contradicts(const struct vk_capture *capture, const struct vk_disk_facts *facts);

__END_DECLS
#endif
