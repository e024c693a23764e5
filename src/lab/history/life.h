/* SPDX-License-Identifier: Apache-2.0 */
/* A practice volume that lives: files are made, written, grown, cut, renamed and deleted in the image that exists. */
#ifndef VK_LAB_HISTORY_LIFE_H
#define VK_LAB_HISTORY_LIFE_H

#include "lab/history/record.h"

/* Where blocks are taken from. */
enum vk_life_from { VK_LIFE_NEXT, VK_LIFE_LOWEST, VK_LIFE_FREED };

struct vk_life {
	struct vk_lab_disk *disk;
	struct vk_lab_device device;
	struct vk_lab_member member;
	struct vk_lab_fill *f;
	struct vk_life_record record;
	const char *path;         /* of the record */
	FILE *log;
	uint64_t seed;
	uint64_t drawn;           /* random numbers at this moment */
	enum vk_life_from from;
	struct vk_error *err;
};
/*
 * The volume on the partition that begins there; record_path may name a file that is not there yet: then the history
 * begins. VK_UNSUPPORTED: more than one extent, or not a volume of the lab.
 */
VK_MUST_USE enum vk_status vk_life_open(struct vk_lab_disk *disk, uint64_t base_bytes, const char *record_path,
					uint64_t seed, struct vk_life *ret_life, struct vk_error *err);
/* The record is on its medium then. */
VK_MUST_USE enum vk_status vk_life_close(struct vk_life *life);

/* The next moment begins; what says to what end. */
VK_MUST_USE enum vk_status vk_life_moment(struct vk_life *life, const char *what, const char *path);
/* A number below most (at least 1). The same seed and moment give the same ones. */
uint64_t vk_life_random(struct vk_life *life, uint64_t most);

/* stored AUTO: as ESX does. thick: all blocks at once, to be zeroed. Nothing is written to an ordinary file yet. */
VK_MUST_USE enum vk_status vk_life_create(struct vk_life *life, const char *path, enum vk_file_type type,
					  uint64_t size_bytes, enum vk_lab_stored stored, bool thick);
/* Units that are not there are taken. */
VK_MUST_USE enum vk_status vk_life_write(struct vk_life *life, uint64_t id, uint64_t offset, uint64_t length);
VK_MUST_USE enum vk_status vk_life_resize(struct vk_life *life, uint64_t id, uint64_t size_bytes);
VK_MUST_USE enum vk_status vk_life_rename(struct vk_life *life, uint64_t id, const char *path);
/* A folder must be empty. */
VK_MUST_USE enum vk_status vk_life_delete(struct vk_life *life, uint64_t id);

/* One step, drawn by the seed; or one line of a script. */
VK_MUST_USE enum vk_status vk_life_step(struct vk_life *life);
VK_MUST_USE enum vk_status vk_life_script_line(struct vk_life *life, char *line);

/* What the files above share. */
VK_MUST_USE enum vk_status vk_life_note(struct vk_life *life, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Take those of the units first..end that are not there; give back those that are. */
VK_MUST_USE enum vk_status vk_life_take(struct vk_life *life, uint64_t id, uint64_t first, uint64_t end, bool tbz);
VK_MUST_USE enum vk_status vk_life_drop(struct vk_life *life, uint64_t id, uint64_t first, uint64_t end);
/* How and how long the file is: the units that it no longer has are given back, what moves is copied. */
VK_MUST_USE enum vk_status vk_life_set_size(struct vk_life *life, uint64_t id, uint64_t size_bytes);
/* Bitmaps, pointer blocks and the descriptor go to the disk; links: so many more. */
VK_MUST_USE enum vk_status vk_life_settle(struct vk_life *life, uint64_t id, bool is_new, int links);
/* What the writer of whole volumes knows of a file. Freed with vk_life_undress. */
struct vk_life_dressed {
	struct vk_lab_item item, folder_item;
	struct vk_lab_node node, folder;
};
VK_MUST_USE enum vk_status vk_life_dress(struct vk_life *life, uint64_t id, struct vk_life_dressed *dressed);
void vk_life_undress(struct vk_life_dressed *dressed);

#endif
