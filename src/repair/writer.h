/* SPDX-License-Identifier: Apache-2.0 */
/* The one place in the library that opens a disk for writing. */
#ifndef VK_REPAIR_WRITER_H
#define VK_REPAIR_WRITER_H

#include "repair/plan/restore_state.h"

struct vk_write_job {
	const char *path;
	struct vk_target_id target; /* what was planned for */
	const struct vk_disk_facts *facts; /* and who it was then; NULL: nothing is known of it */
	bool shared;                /* somebody holds it and guard in-use was lifted: it need not be had alone */
	const struct vk_edit *edits;
	size_t edit_count;
	const char *store;          /* where the undo capture lies */
	const char *undo_id;        /* NULL: onto an empty scratch file (vk_target_scratch) alone */
	uint64_t *ret_written;      /* bytes, also when it fails; may be NULL */
	bool reread_table;          /* tell the kernel of a new partition table */
	/* whose guards are asked once more before the first write; the store whose ledger hears of it; or both NULL */
	struct vk_restore *restore;
	struct vk_store *ledger;
};

/*
 * Prove the undo capture and that the target still is what was planned for, then write class by class with
 * a flush between, and read everything back past the cache. Signals of this thread wait until the end; one that came
 * before the first write stops it there. ret_note: what happened that is no failure. Errors: VK_REFUSED
 * (the target changed, or is in use; nothing was written), VK_DAMAGED (the undo capture does not hold what it
 * has to; nothing was written), VK_IO (says how far it came and how to undo it; or a signal came in time), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_writer_run(const struct vk_write_job *job, struct vk_text *ret_note,
					 struct vk_error *err);

#endif
