/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs that speak of captures have in common. */
#ifndef VK_CMD_CAPTURES_H
#define VK_CMD_CAPTURES_H

#include "cmd/shared/frame.h"
#include "vmfskit/diff.h"

/* Call work(ctx, i) for i in 0 .. count-1, on a few threads. */
void vk_cmd_spread(size_t count, void (*work)(void *ctx, size_t index), void *ctx);

/* A capture as docs/json.md describes it, to which members may be added; end it with vk_json_end. */
struct vk_json vk_cmd_capture_json(const char *id, const char *path, const struct vk_capture *capture);
/*
 * A change between two captures or disks; NULL when memory ran out. with_volatile: whether it is one that hosts make is
 * said, too.
 */
json_t *vk_cmd_change_json(const struct vk_change *change, bool with_volatile);
/* Sum of the regions. */
uint64_t vk_cmd_saved_bytes(const struct vk_capture *capture);
/* "saved 21 MiB; partition 1: LABEL, naa.6001..." */
void vk_cmd_show_saved(FILE *out, const struct vk_capture *capture);

/* A capture and what verify says of it. */
struct vk_cmd_judged {
	char *path;
	bool known;            /* the manifest could be read */
	struct vk_capture capture;
	bool verified;
	enum vk_status status; /* not VK_OK when it could not be read */
	struct vk_error err;
	struct vk_findings findings;
	unsigned vouched_by; /* when it was verified: bits of vouch.h */
};
/*
 * Judge them on a few threads. The paths, not their array, become the results', also after a failure; vouching NULL:
 * only manifests are read. NULL when memory ran out. Free with vk_cmd_judged_free.
 */
struct vk_cmd_judged *vk_cmd_judge(char *const *paths, size_t count, struct vk_vouching *vouching);
void vk_cmd_judged_free(struct vk_cmd_judged *items, size_t count); /* NULL is allowed */
/* The name that its folder has in the store: by that it is named. */
const char *vk_cmd_judged_id(const struct vk_cmd_judged *judged);
const char *vk_cmd_verdict(const struct vk_cmd_judged *judged); /* "sound", "incomplete", "damaged", ... */
/* Of an undo capture that nothing speaks against, and what to say beside it. */
#define VK_VERDICT_UNDO "undo"
#define VK_UNDO_USE "what a restore overwrote, no backup: use vmfskit undo"
/* Set "verdict" and, of such a one, "use". */
void vk_cmd_set_verdict(struct vk_json *object, const struct vk_cmd_judged *judged);

/*
 * The paths of all captures of a store. VK_ABSENT when there is no store; free each and the
 * array.
 */
VK_MUST_USE enum vk_status vk_cmd_store_paths(const char *store, char ***ret_paths,
					      size_t *ret_count, struct vk_error *err);

#endif
