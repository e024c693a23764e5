/* SPDX-License-Identifier: Apache-2.0 */
/* Where copied files go. Names that come from a volume are hostile: none leads out of the folder that was named. */
#ifndef VK_CMD_COPY_PLACE_H
#define VK_CMD_COPY_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "vmfskit/error.h"

/* Beside NAME while it is not whole. No name of a volume is kept as one that ends so. */
#define VK_COPY_PART ".vmfskit-part"
#define VK_COPY_MAP ".vmfskit-map"

/* A name in an open folder. Free with vk_copy_place_free. */
struct vk_copy_place {
	int folder_fd;
	char *name;  /* without '/' */
	char *shown; /* as people name it, from where they are */
};

/*
 * What DEST means: a folder that is there takes a file of the name that path has in the volume, else it is the name of
 * the file itself. Never through a link at DEST; links on the way there are the user's own. Errors: VK_USAGE, VK_IO,
 * VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_copy_place_of(const char *dest, const char *path,
					    struct vk_copy_place *ret_place, struct vk_error *err);
/*
 * The same for a whole folder, which need not be there. A folder at DEST that is there takes one of the name that path
 * has in the volume; the root goes into it as it is: name is empty then, and folder_fd is DEST itself.
 * begun (may be NULL): the identity of a folder; a DEST that was made for it, and is not whole, is the tree as before.
 * whole: a DEST that is a folder is the tree itself.
 */
VK_MUST_USE enum vk_status vk_copy_place_of_tree(const char *dest, const char *path,
						 const char *begun, bool whole,
						 struct vk_copy_place *ret_place, struct vk_error *err);
/* A path of the volume below such a folder: each folder on the way is opened, no link is followed. */
VK_MUST_USE enum vk_status vk_copy_place_below(const struct vk_copy_place *tree, const char *path,
					       struct vk_copy_place *ret_place, struct vk_error *err);
/* Make the folder of that name, for its owner alone, or find it: a folder, no link. Errors: VK_USAGE, VK_IO. */
VK_MUST_USE enum vk_status vk_copy_place_make_folder(const struct vk_copy_place *place, int *ret_fd,
						     struct vk_error *err);
void vk_copy_place_free(struct vk_copy_place *place);

/*
 * The name in a folder of this host for a name of a volume: control bytes, "." and "..", and the dot of the
 * names that scratch files have, as %xx. NULL: no memory.
 */
char *vk_copy_place_name(const char *name, size_t len);

#endif
