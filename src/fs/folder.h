/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the folder reader share: the bytes of a folder, and its findings. */
#ifndef VK_FS_FOLDER_H
#define VK_FS_FOLDER_H

#include <string.h>

#include "fs/fs_parts.h"
#include "vmfskit/directory.h"

enum {
	VK_DIR_PIECE = 256 << 10,     /* read at once where a folder is read from its start to its end */
	VK_DIR_SLOTS_MAX = 1 << 20,   /* of one folder: no volume has that many files */
	VK_DIR_SAID_MAX = 8           /* findings of one code; the rest is counted */
};

/* The content of a folder up to the end of its last block, which may hold entries behind fileLength. */
struct vk_dir {
	struct vk_fs *fs;
	const struct vk_fs_file *file;
	struct vk_fs_file whole;            /* the same, up to the end of the last block */
	struct vk_fs_cursor cursor;
	const struct vk_finding_sink *sink; /* may be NULL */
	uint8_t *window;
	size_t window_bytes;
	uint64_t window_at;
	size_t window_held;
	uint64_t missing_bytes;             /* that the source does not hold, or that nothing leads to */
	uint64_t unreadable_bytes;          /* of them, in gaps where the device failed */
	uint64_t damaged_bytes;             /* of them, in gaps where what leads there is damaged */
	uint64_t *slots_left;               /* of all that is looked at */
	struct vk_dir_said {
		enum vk_finding_code code;
		uint64_t count;
	} said[4];
};

/* window_bytes: how much is read at once. Errors: VK_USAGE (no folder), VK_NOMEM. Close it also after an error. */
VK_MUST_USE enum vk_status vk_dir_open(struct vk_dir *f, struct vk_fs *fs, const struct vk_fs_file *file,
					  const struct vk_finding_sink *sink, size_t window_bytes,
					  struct vk_error *err);
/* Says how many findings were not put. */
void vk_dir_close(struct vk_dir *f);
/*
 * len bytes at an offset, valid until the next call; len is at most window_bytes. NULL: they are not there, and
 * *ret_next is the first offset behind it where bytes may be.
 */
const uint8_t *vk_dir_bytes(struct vk_dir *f, uint64_t offset, size_t len, uint64_t *ret_next);
/* Skips what is not there: counted as missing, and said if the device failed. */
void vk_dir_gap(struct vk_dir *f, uint64_t offset, uint64_t next);
/* A finding about the bytes at an offset of the folder; only the first of each code are put. */
void vk_dir_say(struct vk_dir *f, enum vk_finding_code code, uint64_t offset, uint64_t length,
		   const char *seen, const char *expected, const char *message, ...)
	__attribute__((format(printf, 7, 8)));

static inline bool vk_dir_is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}
/*
 * A name, or the target of a link, as text of a path: control characters, the bytes of also, and a '%' that two
 * hexadecimal digits follow, as %xx. At most three times as long.
 */
void vk_dir_escape(const char *name, const char *also, char *ret_text);
/* Whether a type and an address can be those of an entry. */
bool vk_dir_entry_sound(uint32_t type, uint32_t address);
/*
 * Copies the name of an entry and judges it (ret_entry->name, .unsafe_name). False: there is none. The finding is put
 * only for entries that are not deleted.
 */
bool vk_dir_name(struct vk_dir *f, const uint8_t *name, size_t cap, struct vk_fs_entry *ret_entry);

/* What a caller wants of a folder, and what he got. */
struct vk_dir_visit {
	vk_fs_entry_fn fn;
	void *ctx;
	bool deleted;
	const char *path;           /* of the folder, for findings; NULL: not known */
	uint64_t given;
	uint64_t missing_bytes;     /* of the folder: more names may lie there */
	uint64_t unreadable_bytes;  /* of them: the device failed, or what leads there is damaged */
};
/* Whether to go on. */
bool vk_dir_give(struct vk_dir_visit *visit, const struct vk_fs_entry *entry);
VK_MUST_USE enum vk_status vk_dir6_list(struct vk_dir *f, struct vk_dir_visit *visit, struct vk_error *err);

/*
 * VMFS6: where the hash table says that entries of this key may lie. fn gets folder offsets and returns true when it is
 * the one that was looked for. table and links may be the same folder. True: found.
 */
bool vk_dir6_candidates(struct vk_dir *table, struct vk_dir *links, const struct vk_dir6_key *key,
			   bool (*fn)(void *ctx, uint64_t offset), void *ctx);

/* "the folder "/vm"", or by its descriptor where the path is NULL */
struct vk_phrase vk_dir_called(const struct vk_fs_file *folder, const char *path);
/* vk_fs_list with a bound on all the slots that are looked at, for many folders. */
VK_MUST_USE enum vk_status vk_dir_list(struct vk_fs *fs, const struct vk_fs_file *folder,
					  struct vk_dir_visit *visit, const struct vk_finding_sink *sink,
					  uint64_t *slots_left, struct vk_error *err);

#endif
