/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Put a capture back: plan on an overlay, guards, undo capture, writing in an order in which the copies of
 * the table never change together. undo is the same with the undo capture.
 */
#ifndef VMFSKIT_RESTORE_H
#define VMFSKIT_RESTORE_H

#include "vmfskit/capture.h"
#include "vmfskit/overlay.h"

__BEGIN_DECLS

/*
 * G(id, name, why it refuses, how to remove the reason, what --override NAME risks). "--override NAME: writes although
 * WHY; the risk: RISK" must be a sentence.
 */
#define VK_GUARDS(G) \
	G(PLAN, "plan", \
	  "the plan is not the one that was shown", \
	  "run the same command without --plan and --write, and read the new plan", \
	  "bytes are written that nobody has seen") \
	G(CAPTURE_VERIFIED, "capture-verified", \
	  "the capture is damaged", \
	  "use another capture of this disk", \
	  "damaged bytes are written to the disk") \
	G(CAPTURE_VOUCHED, "capture-vouched", \
	  "the capture is not vouched for: ledger or signature do not fit it, or others could have changed " \
	  "it", \
	  "use another capture of this disk; vmfskit verify says what is wrong with this one", \
	  "a forged or altered capture is written to the disk") \
	G(LUN, "lun", \
	  "the target is another LUN than the captured one, or another partition of it", \
	  "name the right disk; to put a capture on another disk on purpose, disconnect the captured one " \
	  "first", \
	  "another LUN is overwritten, and hosts confuse the two") \
	G(UNIDENTIFIED, "unidentified", \
	  "nothing proves that the target is the captured disk", \
	  "compare WWID, serial number, size and place with the capture's RESTORE.txt", \
	  "another disk is overwritten") \
	G(SIZE, "size", \
	  "the target is not as long as the captured disk", \
	  "check that this is the right disk, and that all of it is visible", \
	  "the backup GPT is written to the wrong place") \
	G(SECTOR_SIZE, "sector-size", \
	  "the target has sectors of another size than the captured disk", \
	  "attach the disk with its own sector size; for a file, give it with --sector-size", \
	  "the table is written to the wrong places") \
	G(KIND, "kind", \
	  "a whole disk was captured and the target is a partition, or the other way round", \
	  "name the disk if a disk was captured, its partition if a partition was", \
	  "everything is written to the wrong place") \
	G(DISK_ID, "disk-id", \
	  "the volume on the target was written for another LUN, or its partition table for another disk", \
	  "check that this is the right disk", \
	  "another disk is overwritten") \
	G(DEVICE_UUID, "device-uuid", \
	  "the target holds another LVM device", \
	  "check that this is the right disk", \
	  "another LVM device is overwritten") \
	G(VOLUME_UUID, "volume-uuid", \
	  "the target holds another volume", \
	  "check that this is the right disk, and that the volume was not resignatured since the capture", \
	  "another volume is overwritten, or a resignature is undone") \
	G(TABLE_KIND, "table-kind", \
	  "the target has a sound partition table of another kind than the captured one", \
	  "if that table lists the volume, take a newer capture or leave the table out with --part; if not, " \
	  "another system wrote it: keep that system from the LUN and save what is needed of its partitions", \
	  "the partitions of the present table are lost") \
	G(TABLE_PARTITIONS, "table-partitions", \
	  "the target has a sound partition table with partitions that the captured one does not have, or " \
	  "that end elsewhere in it", \
	  "if that table lists the volume, take a newer capture or leave the table out with --part; if not, " \
	  "another system wrote it: keep that system from the LUN and save what is needed of its partitions", \
	  "the partitions of the present table are lost") \
	G(CHANGED, "changed-since", \
	  "the target was changed after the restore", \
	  "look at the change with vmfskit decode: undo puts the older bytes back over it", \
	  "the change is lost") \
	G(FOREIGN_SIGNATURE, "foreign-signature", \
	  "another system's data is in the area to be written", \
	  "keep that system from the LUN; if anybody needs its data, copy the whole disk first", \
	  "that system's data is overwritten") \
	G(CONTAINER, "container", \
	  "the target is a container or a compressed file, not a disk", \
	  "open it as described, and name the disk that comes out", \
	  "the container is destroyed") \
	G(READING, "reading", \
	  "the target is not the disk itself: it contains the disk, it is a damaged copy, or it is another " \
	  "system's", \
	  "look at it with vmfskit decode, and name the disk itself", \
	  "everything is written to the wrong place, unless the first byte of the target is the first of " \
	  "the disk") \
	G(MEMBER, "member", \
	  "the target is a part of a RAID, a pool or an encrypted device, or its last sectors may be", \
	  "assemble the array or pool, and name the device that comes out", \
	  "the array or pool is damaged, unless it is no longer used") \
	G(IN_USE, "in-use", \
	  "the target or a part of it is mounted or in use", \
	  "unmount it and stop what uses it", \
	  "two programs write at once, and both lose data") \
	G(HEARTBEAT, "heartbeat", \
	  "a host is using the volume right now", \
	  "unmount the datastore on every host", \
	  "the host and this run overwrite each other: the volume is damaged") \
	G(UNREADABLE, "unreadable", \
	  "the capture has holes where the disk could not be read, or sectors of the target cannot be read", \
	  "check the paths to the disk, or copy it with ddrescue and work on the copy; use another capture, " \
	  "or leave that part out with --part", \
	  "what the unreadable sectors held is lost, and undo cannot bring it back") \
	G(GUESS, "guess", \
	  "the plan contains values that nothing proves", \
	  "read the plan, and give the values that you know with options", \
	  "a value may be wrong; then hosts do not find or mount the volume; undo takes it back") \
	G(WORSE, "worse", \
	  "the result would be worse than what is there", \
	  "leave the target as it is, or take a newer capture", \
	  "sound structures are overwritten")

#define VK_GUARD_ENUM(id, name, why, past, risk) VK_GUARD_##id,
enum vk_guard { VK_GUARDS(VK_GUARD_ENUM) VK_GUARD_COUNT };
#undef VK_GUARD_ENUM

struct vk_guard_kind {
	const char *name;
	const char *why;
	const char *past;
	const char *risk;
};
const struct vk_guard_kind *vk_guard_kind(enum vk_guard guard);

/* A guard's objection. */
struct vk_objection {
	enum vk_guard guard;
	bool overridden;
	char message[400]; /* one sentence: what was seen, what was expected */
	const char *past;  /* what to do; static */
	/* whether that may be only a person can say, who finds it in the plan: the command that lifts it is shown */
	bool acceptable;
};

struct vk_restore_options {
	unsigned parts;              /* bits of vk_part; 0: the table and whatever is damaged */
	unsigned overrides;          /* bits: 1 << vk_guard */
	uint32_t sector_size;        /* of a file; 0: as captured when the target is a file */
	struct vk_io_view view;      /* what of the target is the disk; then a plan is shown, but never written */
	unsigned heartbeat_wait_ms;  /* between the two reads; 0: 8000 */
	const char *plan;            /* vk_restore_plan_digest of what was shown, for guard plan; may be NULL */
	const char *store;           /* where the undo capture goes, and whose ledger vouches for captures (vouch.h) */
	const struct vk_sign_key *sign_key; /* signs it; may be NULL */
	const struct vk_public_key *public_key; /* captures must be signed by it (guard capture-vouched); may be NULL */
	const char *const *command;  /* the command line, for manifest and ledger; ends with NULL; may be NULL */
	/* Told the undo capture's id before the first byte is written; may be NULL. */
	void (*undo_taken)(void *ctx, const char *undo_id);
	void *undo_taken_ctx;
};

/* A restore that was thought through but not done. */
struct vk_restore;

/*
 * Judge the capture and keep its regions in memory (vk_capture_hold): nothing is read from its files after that. Read
 * target, decide the parts, build the overlay, ask every guard. Nothing is opened for writing. Waits
 * heartbeat_wait_ms when a heartbeat slot on the target is in use. Errors: VK_IO, VK_USAGE (a part that the capture
 * does not hold), VK_NOMEM, VK_DAMAGED (the capture's regions cannot be read). capture and what options point to must
 * outlive the result. Free with vk_restore_free.
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
/*
 * Names the plan: the first 128 bits, as 32 hexadecimal digits, of a SHA-256 over the target (device number, WWID,
 * serial number and model, or file system and inode of a file; size, sector size) and place, old bytes and new bytes
 * of every edit. So long, because it is pasted and never typed, and because then nobody can prepare two plans of
 * which one is looked at and the other carried out. The same target, capture and options give the same digest on
 * every run. Empty when nothing would change.
 */
#define VK_PLAN_DIGEST_BYTES 33
const char *vk_restore_plan_digest(const struct vk_restore *restore);
bool vk_restore_refused(const struct vk_restore *restore); /* an objection that is not overridden */
/* The target as it is, and as it would be; decoded. Borrowed. */
const struct vk_source *vk_restore_before(const struct vk_restore *restore);
const struct vk_source *vk_restore_after(const struct vk_restore *restore);

/* What the plan could not look at: the nth sentence, NULL behind the last. */
const char *vk_restore_remark(const struct vk_restore *restore, size_t n);

/*
 * Do it: undo capture (fsynced and re-read), exclusive open and lock, one more look at who uses the target and at
 * heartbeats, a line restore-begun in the ledger, writes by class with a flush between, read back past the cache, the
 * kernel told to read the table again. ret_undo_id is set before the first write, also when a later step fails. From
 * the look at the undo capture on signals of this thread wait until it is done; one that would end the process and
 * came before the first write stops it there (VK_IO, nothing was written). Nothing to write is VK_OK with an empty
 * ret_undo_id. VK_REFUSED when vk_restore_refused, and when the target changed or came into use since the plan.
 */
VK_MUST_USE enum vk_status vk_restore_write(struct vk_restore *restore,
					    char ret_undo_id[VK_CAPTURE_ID_BYTES],
					    struct vk_error *err);
/*
 * The same onto a scratch file that was made for it: a regular file of this user with one name, of which no block is
 * written yet. So there is nothing to lose: no undo capture is made, and no ledger hears of it. VK_REFUSED when the
 * target is anything else.
 */
VK_MUST_USE enum vk_status vk_restore_write_scratch(struct vk_restore *restore, struct vk_error *err);
/* How many bytes vk_restore_write got onto the target, also when it failed. */
uint64_t vk_restore_written_bytes(const struct vk_restore *restore);
/* What happened while writing that is no failure (the kernel kept the old table): a sentence, or empty. */
const char *vk_restore_note(const struct vk_restore *restore);

__END_DECLS
#endif
