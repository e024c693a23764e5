/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit undelete: the run. What captures know of the volume, what of that is gone, and the copies of it. */
#ifndef VK_CMD_UNDELETE_H
#define VK_CMD_UNDELETE_H

#include "cmd/copy/copy.h"
#include "cmd/shared/captures.h"
#include "vmfskit/undelete.h"

/* A capture with a map of the volume that is not that of the capture before or after it. */
struct vk_lost_moment {
	const struct vk_capture *capture; /* the newest with this map: of judged */
	size_t map;
	char since[32];                   /* time of the oldest with it, as far as they follow each other */
	struct vk_io *bundle; /* of its metadata; NULL: none */
};
struct vk_lost_run {
	struct vk_copy copy;              /* first */
	char *path;                       /* as maps name it; NULL: not given */
	/* where nothing is gone at path: whether a file is there; where the one is that had this path. NULL: nowhere */
	bool there;
	char *now;
	/* captures of this LUN with a map of this volume, newest first */
	struct vk_cmd_judged *judged;
	size_t judged_count, believed_count;
	struct vk_lost_moment *moments;   /* newest first */
	struct vk_undelete_known *known;  /* one for each */
	size_t moment_count, known_count;
	size_t newest;                    /* as in vk_undelete_wish */
	struct vk_undelete gone;
	size_t *by_path, named_count;     /* of files that are gone and have a path, sorted */
	/* of each file that is gone: its number in copy, SIZE_MAX: none; NULL: no DEST */
	size_t *copied;
	/* behind the copies: how many of them are not what they were; other: other files are gone now */
	size_t changed;
	bool other;
};

/* Find the captures and open their maps. False: there is none that can be used; that is reported. */
bool vk_lost_know(struct vk_lost_run *run);
void vk_lost_know_end(struct vk_lost_run *run);
/* Whether it is a file that can be brought back: what else is gone holds no bytes of its own. */
bool vk_lost_is_file(const struct vk_undelete_file *file);
/* Bytes of it that are free or of nobody knows whom, and that the source does not hold, or cannot be read. */
uint64_t vk_lost_not_held(const struct vk_lost_run *run, const struct vk_undelete_file *file);
/* Time of the capture that knows it; "" when none does. */
const char *vk_lost_last_seen(const struct vk_lost_run *run, const struct vk_undelete_file *file);
/* "a capture of 2026-11-21T02:53:23Z"; "today" */
struct vk_shown vk_lost_since(const struct vk_lost_run *run, const struct vk_undelete_range *range);
/*
 * Where nothing is gone at PATH: what is known of it; sets there and now. Errors: VK_ABSENT, with wanted always, else
 * when neither a capture nor the volume knows that path; VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_lost_trace(struct vk_lost_run *run, bool wanted, struct vk_error *err);
/* Find what is gone once more, behind the copies; sets changed and other. Errors: those of vk_undelete_find. */
VK_MUST_USE enum vk_status vk_lost_ask_again(struct vk_lost_run *run, struct vk_error *err);
/* Copy all files that are gone to DEST. Errors: of the place; what goes wrong with a file is reported. */
VK_MUST_USE enum vk_status vk_lost_recover(void *run, struct vk_error *err);

/*
 * Ranges of one state and reason that follow each other, as one: the next one from *index on. False: there is none.
 * Where it lies is not told then.
 */
bool vk_lost_next_range(const struct vk_undelete_file *file, size_t *index, struct vk_undelete_range *ret_range);

void vk_lost_put_text(const void *run);
void vk_lost_put_json(const void *run, struct vk_json *root);

#endif
