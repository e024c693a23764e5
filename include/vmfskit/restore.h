/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Put a capture back: plan on an overlay, guards, undo capture, writing in an order in which the copies of
 * the table never change together. undo is the same with the undo capture.
 */
#ifndef VMFSKIT_RESTORE_H
#define VMFSKIT_RESTORE_H

#include "vmfskit/capture.h"
#include "vmfskit/overlay.h"

#ifdef __cplusplus
extern "C" {
#endif

/* G(id, name, what it protects from, how to get past it). The names are what --override takes. */
#define VK_GUARDS(G) \
	G(CAPTURE_VERIFIED, "capture-verified", "the capture is not what was saved", "use another capture of this disk") \
	G(SIZE, "size", "the disk is not as long as the one that was captured", "make sure that this is the right disk, whole") \
	G(SECTOR_SIZE, "sector-size", "the disk counts in other sectors than the one that was captured", "name the sector size with --sector-size if this is a file") \
	G(KIND, "kind", "the target is not what was captured: a whole disk, a partition", "name the disk if a disk was captured, its partition if a partition was") \
	G(DISK_ID, "disk-id", "the volume on the target was written for another LUN", "make sure that this is the right disk") \
	G(DEVICE_UUID, "device-uuid", "the target holds another LVM device", "make sure that this is the right disk") \
	G(VOLUME_UUID, "volume-uuid", "the target holds another volume", "make sure that this is the right disk, and that the volume was not resignatured since the capture") \
	G(TABLE_KIND, "table-kind", "the target has a sound partition table of another kind than the captured one", "the volume may have been grown since; take a newer capture, or leave the table out with --part; of a repair, make sure that nobody needs the table that is there") \
	G(TABLE_PARTITIONS, "table-partitions", "the target has a sound partition table with partitions that the captured one does not have", "take a newer capture, or leave the table out with --part; of a repair, make sure that nobody needs those partitions") \
	G(CHANGED, "changed-since", "the target was changed after the restore", "decode it and decide; undo would put the older bytes back over the change") \
	G(FOREIGN_SIGNATURE, "foreign-signature", "another system's data lies where would be written", "save that data first, then lift this guard") \
	G(IN_USE, "in-use", "the target or a part of it is mounted or in use", "unmount it and stop what uses it") \
	G(HEARTBEAT, "heartbeat", "a host is using the volume right now", "unmount the datastore on every host") \
	G(UNREADABLE, "unreadable", "the capture has holes where the disk could not be read, or the target cannot be read", "use another capture, or leave that part out with --part") \
	G(GUESS, "guess", "the plan holds values that are nowhere to be found", "read the plan; give the value with an option, or lift this guard") \
	G(WORSE, "worse", "the result would decode worse than what is there", "leave the target as it is, or take a newer capture; if it is meant, lift this guard")

#define VK_GUARD_ENUM(id, name, protects, past) VK_GUARD_##id,
enum vk_guard { VK_GUARDS(VK_GUARD_ENUM) VK_GUARD_COUNT };
#undef VK_GUARD_ENUM

struct vk_guard_kind {
	const char *name;
	const char *protects;
	const char *past;
};
const struct vk_guard_kind *vk_guard_kind(enum vk_guard guard);
VK_MUST_USE bool vk_guard_parse(const char *name, enum vk_guard *ret_guard);

/* A guard's objection. */
struct vk_objection {
	enum vk_guard guard;
	bool overridden;
	char message[400]; /* one sentence: what was seen, what was expected */
};

struct vk_restore_options {
	unsigned parts;              /* bits of vk_part; 0: the table and whatever is damaged */
	unsigned overrides;          /* bits: 1 << vk_guard */
	uint32_t sector_size;        /* of a file; 0: as captured when the target is a file */
	unsigned heartbeat_wait_ms;  /* between the two reads; 0: 8000 */
	const char *store;           /* where the undo capture goes */
	const struct vk_sign_key *sign_key; /* signs it; may be NULL */
	const char *const *command;  /* the command line, for manifest and ledger; ends with NULL; may be NULL */
	/* Told the undo capture's id before the first byte is written; may be NULL. */
	void (*undo_taken)(void *ctx, const char *undo_id);
	void *undo_taken_ctx;
};

/* A restore that was thought through but not done. */
struct vk_restore;

/*
 * Read target, decide the parts, build the overlay, ask every guard. Nothing is opened for writing. Waits
 * heartbeat_wait_ms when a heartbeat slot on the target is in use. Errors: VK_IO, VK_USAGE (a
 * part that the capture does not hold), VK_NOMEM, VK_DAMAGED (the capture's regions cannot be read).
 * capture must outlive the result. Free with vk_restore_free.
 */
VK_MUST_USE enum vk_status vk_restore_plan(const struct vk_capture *capture, const char *target,
					   const struct vk_restore_options *options,
					   struct vk_restore **ret_restore, struct vk_error *err);
void vk_restore_free(struct vk_restore *restore);

unsigned vk_restore_parts(const struct vk_restore *restore); /* the parts that were chosen */
/* Which part of which partition (0: of the disk) was chosen, and why. */
struct vk_restore_choice {
	enum vk_part part;
	unsigned partition;
	char why[200];
};
size_t vk_restore_choices(const struct vk_restore *restore,
			  const struct vk_restore_choice **ret_choices);
size_t vk_restore_edits(const struct vk_restore *restore, const struct vk_edit **ret_edits);
size_t vk_restore_objections(const struct vk_restore *restore,
			     const struct vk_objection **ret_objections);
bool vk_restore_refused(const struct vk_restore *restore); /* an objection that is not overridden */
/* The target as it is, and as it would be; decoded. Borrowed. */
const struct vk_source *vk_restore_before(const struct vk_restore *restore);
const struct vk_source *vk_restore_after(const struct vk_restore *restore);

/* What the plan could not look at: the nth sentence, NULL behind the last. */
const char *vk_restore_remark(const struct vk_restore *restore, size_t n);

/*
 * Do it: undo capture (fsynced and re-read), exclusive open, writes by class with a flush between, read back, the
 * kernel told to read the table again. ret_undo_id is set before the first write, also when a later step fails.
 * Nothing to write is VK_OK with an empty ret_undo_id. VK_REFUSED when vk_restore_refused.
 */
VK_MUST_USE enum vk_status vk_restore_write(struct vk_restore *restore,
					    char ret_undo_id[VK_CAPTURE_ID_BYTES],
					    struct vk_error *err);
/* How many bytes vk_restore_write got onto the target, also when it failed. */
uint64_t vk_restore_written_bytes(const struct vk_restore *restore);
/* What happened while writing that is no failure (the kernel kept the old table): a sentence, or empty. */
const char *vk_restore_note(const struct vk_restore *restore);

#ifdef __cplusplus
}
#endif
#endif
