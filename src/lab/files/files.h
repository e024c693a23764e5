/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files for practice volumes: what is asked for, line by line of a recipe or from a folder of this system; and their
 * way into a volume that has just been made. Nothing here is shared with what reads files of a volume, but the rows of
 * the structures: a rule that was misread by one of the two must show.
 */
#ifndef VK_LAB_FILES_FILES_H
#define VK_LAB_FILES_FILES_H

#include <stdio.h>

#include "lab/disk/practice.h"

/* A stretch of a file. */
struct vk_lab_stretch {
	uint64_t offset;
	uint64_t length;
};

enum vk_lab_content { VK_LAB_PATTERN, VK_LAB_ZEROS, VK_LAB_COPY };
/* How the addresses of a file are held; AUTO: as ESX does for that length, as far as it is known. */
enum vk_lab_stored {
	VK_LAB_AUTO, VK_LAB_RESIDENT, VK_LAB_SUB_BLOCK, VK_LAB_BLOCK, VK_LAB_POINTER_BLOCK, VK_LAB_POINTER_BLOCK2,
	VK_LAB_DOUBLE, VK_LAB_LARGE
};
/* What becomes of the blocks that nothing was written to: not there, to be zeroed, or written with zeros. */
enum vk_lab_provision { VK_LAB_THIN, VK_LAB_THICK, VK_LAB_EAGER };
enum { VK_LAB_HOST_DEAD = -1 };

/* The files of a virtual disk: a line of a recipe, of which two items are made. */
enum vk_lab_disk_kind { VK_LAB_FLAT, VK_LAB_DELTA, VK_LAB_SESPARSE, VK_LAB_RDM, VK_LAB_RDMP };
struct vk_lab_virtual {
	char *path;                 /* of the descriptor */
	enum vk_lab_disk_kind kind;
	uint64_t size_bytes;        /* as the machine sees it */
	uint32_t cid, parent_cid;
	char *parent;               /* as the descriptor names it; NULL: none */
	bool no_descriptor, no_data; /* lost */
};

/* What deletion leaves: pointer blocks, addresses and length as well, or not even these. */
enum vk_lab_left { VK_LAB_LEFT_BLOCKS, VK_LAB_LEFT_POINTERS, VK_LAB_LEFT_NOTHING };

/* A file or folder that is asked for. */
struct vk_lab_item {
	char *path;                 /* from the root, "/vm/disk.vmdk" */
	enum vk_file_type type;     /* folder, ordinary file, symbolic link, RDM */
	uint64_t size_bytes;
	enum vk_lab_content content;
	char *text;                 /* file to copy from, target of a link, LUN of an RDM */
	uint8_t *head;              /* what it begins with, whatever its content is; owned */
	size_t head_bytes;
	struct vk_lab_virtual *disk; /* this file stands for it; owned */
	enum vk_lab_stored stored;
	enum vk_lab_provision provision;
	struct vk_lab_stretch *data; /* written stretches in their order; none: the whole file */
	size_t data_count;
	bool sparse;                 /* data says all, also when it is empty */
	struct vk_lab_stretch *tbz;
	size_t tbz_count;
	enum vk_system_file pointers; /* where pointer blocks are put; 0: as usual */
	unsigned fragments;          /* 0: one behind the other */
	unsigned extent;             /* member of the volume from 1 on; 0: any */
	unsigned entries;            /* of a folder: so many empty files are made in it */
	char *names;                 /* what their names begin with */
	bool cow;
	bool deleted;
	enum vk_lab_left left;       /* of one that is deleted */
	unsigned mode;               /* permission bits */
	bool has_mode;
	uint32_t uid, gid;
	uint32_t times[3];           /* mtime, ctime, atime; 0: soon after the volume was made */
	uint32_t lock_mode;          /* as in the lock; 0: free */
	int hosts[VK_LOCK_HOLDERS];  /* that hold it: a number from 0 on, or VK_LAB_HOST_DEAD */
	unsigned host_count;
};

/* All that is asked for; folders stand before what is in them. */
struct vk_lab_files_asked {
	struct vk_lab_item *items;
	size_t count;
	const char *truth; /* file that is told where everything lies; NULL: none */
};
void vk_lab_asked_free(struct vk_lab_files_asked *asked);

/* Lines of a recipe. name is for errors, "LINE: what". VK_USAGE: a line is none. */
VK_MUST_USE enum vk_status vk_lab_recipe_parse(struct vk_lab_files_asked *asked, const char *name, char *text,
					       struct vk_error *err);
VK_MUST_USE enum vk_status vk_lab_recipe_read(struct vk_lab_files_asked *asked, const char *path, struct vk_error *err);
/*
 * The data file and the descriptor of a virtual disk. what has what the recipe says of the data, and is taken over;
 * disk is, too.
 */
VK_MUST_USE enum vk_status vk_lab_disk_add(struct vk_lab_files_asked *asked, struct vk_lab_item *what,
					   struct vk_lab_virtual *disk, struct vk_error *err);
const char *vk_lab_disk_kind_name(enum vk_lab_disk_kind kind);
/* False: no kind is called so. */
bool vk_lab_disk_kind_parse(const char *name, enum vk_lab_disk_kind *ret_kind);
/* What an item owns but its path. */
void vk_lab_item_free(struct vk_lab_item *item);
/* The built-in recipe that has everything such a volume can have. */
VK_MUST_USE enum vk_status vk_lab_recipe_all(struct vk_lab_files_asked *asked, unsigned version, unsigned members,
					     unsigned live, struct vk_error *err);
/* All below a folder of this system: folders, files, links. VK_USAGE: something else is in it. */
VK_MUST_USE enum vk_status vk_lab_from_folder(struct vk_lab_files_asked *asked, const char *folder,
					      struct vk_error *err);
/*
 * Append an item: its path is copied, what else it owns is taken over when it is VK_OK. Folders on the way that
 * nobody asked for are put before it.
 */
VK_MUST_USE enum vk_status vk_lab_asked_add(struct vk_lab_files_asked *asked, const struct vk_lab_item *item,
					    struct vk_error *err);

/* What the system files must have room for. */
void vk_lab_files_needs(const struct vk_lab_files_asked *asked, struct vk_lab_needs *ret_needs);

/* A member of the volume, where it lies. */
struct vk_lab_member {
	struct vk_lab_disk *disk;
	uint64_t base_bytes;
	const struct vk_lab_device *device;
};
/* Put everything into a volume that has just been made; members[0] is its head. */
VK_MUST_USE enum vk_status vk_lab_fill(const struct vk_lab_files_asked *asked, const struct vk_lab_member *members,
				       size_t count, struct vk_error *err);

#endif
