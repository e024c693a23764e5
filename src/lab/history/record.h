/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of a practice volume that lives: what happened to it, moment by moment. It is a text that only grows, and
 * all that is known of the files of such a volume: reading it again gives their state.
 */
#ifndef VK_LAB_HISTORY_RECORD_H
#define VK_LAB_HISTORY_RECORD_H

#include <stdio.h>

#include "lab/files/fill.h"

/*
 * Lines, fields separated by a blank, numbers decimal. ID is that of a file: 0 is the root, others are numbered as they
 * were made. POOL is b (file block), s (sub-block), p or 2 (pointer block in .pbc.sf or .pb2.sf). PLACE is the volume
 * offset, UNIT the number of an allocation unit in its file.
 *
 *   vmfskit-lab history 1                    first line
 *   M MOMENT SECONDS WORDS                   from here on: what happened at this moment, and to what end
 *   N ID TYPE FD ADDRESS GENERATION FOLDER PATH  a new file; FD is the number of its descriptor, FOLDER an ID
 *   S ID SIZE UNIT-BYTES ZLA                 its size, the size of its units, how their addresses are held
 *   + ID UNIT COUNT POOL RESOURCE TBZ PLACE  it got these units, one behind the other; TBZ 1: to be zeroed
 *   - ID UNIT COUNT                          it lost them
 *   W ID UNIT COUNT                          it wrote them; COUNT 0: into its descriptor
 *   P ID NUMBER POOL RESOURCE PLACE BYTES    it got a pointer block
 *   p ID NUMBER                              it lost that
 *   R ID FOLDER PATH                         it is called so now
 *   D ID                                     it is deleted
 */
#define VK_LIFE_FIRST_LINE "vmfskit-lab history 1\n"
enum { VK_LIFE_PATH_BYTES = 1024 };

/* A unit of a file, or a pointer block. */
struct vk_life_unit {
	bool there;
	bool tbz;
	enum vk_lab_pool_kind pool;
	uint64_t resource;
	uint64_t place;
	uint64_t bytes;
};
struct vk_life_file {
	uint64_t id, folder;
	enum vk_file_type type;
	uint64_t fd;
	uint32_t address, generation;
	uint64_t size_bytes, unit_bytes;
	uint32_t zla;
	struct vk_life_unit *units;
	size_t unit_count;
	struct vk_life_unit *pointers;  /* by their number */
	size_t pointer_count;
	uint64_t born, died;            /* moments; died 0: it is there */
	char *path;
};
/* Something that happened to bytes of the volume. */
struct vk_life_event {
	uint64_t moment;
	char what;                      /* + - W P p as above */
	uint64_t file;
	uint64_t file_offset;           /* not of pointer blocks */
	uint64_t place, length;
	bool tbz;                       /* + of a block that is to be zeroed: nothing was written to it */
};
struct vk_life_record {
	struct vk_life_file *files;     /* by their ids */
	size_t count;
	struct vk_life_event *events;
	size_t event_count;
	uint64_t moment;
};

/* A line as above, with or without its line feed. VK_DAMAGED: it is none, or contradicts those before it. */
VK_MUST_USE enum vk_status vk_life_record_add(struct vk_life_record *record, const char *line, struct vk_error *err);
/* VK_ABSENT: there is no such file. */
VK_MUST_USE enum vk_status vk_life_record_read(const char *path, struct vk_life_record *ret_record,
					       struct vk_error *err);
void vk_life_record_free(struct vk_life_record *record);
/* The file of that name that is there; NULL: none. */
struct vk_life_file *vk_life_find(const struct vk_life_record *record, const char *path);

#endif
