/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for the nodes of LUNs in sysfs and in folders of nodes or images. */
#include "base/memory.h"
#include "scsi/lun_nodes.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "scsi/device_info.h"

enum { PATH_BYTES = 4096, TEXT_BYTES = 256 };

void vk_lun_nodes_free(struct vk_lun_nodes *nodes)
{
	for (size_t i = 0; i < nodes->count; i++)
		free(nodes->items[i].path);
	free(nodes->items);
	memset(nodes, 0, sizeof(*nodes));
}

static enum vk_status add_node(struct vk_lun_nodes *nodes, const struct vk_lun_node *node, const char *path,
			       struct vk_error *err)
{
	struct vk_lun_node *added;

	if (nodes->count == VK_LUN_NODES_MAX)
		return vk_error_set(err, VK_IO, path, "there are more than %d disks", VK_LUN_NODES_MAX);
	added = vk_append(&nodes->items, &nodes->count, node, sizeof(*node));
	if (added != NULL)
		added->path = strdup(path);
	return added == NULL || added->path == NULL ? vk_no_memory(err, path) : VK_OK;
}

static void add_key(struct vk_lun_node *node, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void add_key(struct vk_lun_node *node, const char *fmt, ...)
{
	va_list args;
	int n;

	if (node->key_count == VK_LUN_KEYS)
		return;
	va_start(args, fmt);
	n = vsnprintf(node->keys[node->key_count], VK_LUN_KEY_BYTES, fmt, args);
	va_end(args);
	/* what was cut off could be equal by accident */
	if (n > 0 && n < VK_LUN_KEY_BYTES)
		node->key_count++;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* The UUID of the device-mapper device "dm-3"; empty when it is none. */
static void read_dm_uuid(const char *root, const char *name, char ret_uuid[TEXT_BYTES])
{
	char folder[PATH_BYTES];

	ret_uuid[0] = '\0';
	if (begins(name, "dm-") &&
	    snprintf(folder, sizeof(folder), "%s/sys/block/%s", root, name) < PATH_BYTES)
		(void)vk_sysfs_text(folder, "dm/uuid", ret_uuid, TEXT_BYTES);
}

/* A path of a multipath device has that as its holder. */
static void read_holders(const char *root, const char *sysfs, struct vk_lun_node *node)
{
	char path[PATH_BYTES];
	char uuid[TEXT_BYTES];
	const struct dirent *entry;
	DIR *dir;

	if (snprintf(path, sizeof(path), "%s/holders", sysfs) >= PATH_BYTES)
		return;
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		read_dm_uuid(root, entry->d_name, uuid);
		if (!begins(uuid, "mpath-"))
			continue;
		add_key(node, "multipath %s", entry->d_name);
		break;
	}
	if (dir != NULL)
		closedir(dir);
}

/* Loop devices on one file are one, unless they begin at different places of it. */
static void read_loop(const char *root, const char *sysfs, struct vk_lun_node *node)
{
	char backing[PATH_BYTES];
	char path[PATH_BYTES * 2];
	char offset[TEXT_BYTES];
	struct stat st;

	if (!vk_sysfs_text(sysfs, "loop/backing_file", backing, sizeof(backing)))
		return;
	snprintf(path, sizeof(path), "%s%s", root, backing);
	(void)vk_sysfs_text(sysfs, "loop/offset", offset, sizeof(offset));
	if (stat(path, &st) == 0 && (offset[0] == '\0' || strcmp(offset, "0") == 0))
		add_key(node, "file %ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
}

/* What sysfs knows of a block device; false: it is none to be looked at. kernel_name is "sda", "dm-3". */
static bool read_sysfs(const char *root, const char *sysfs, const char *kernel_name,
		       struct vk_lun_node *node)
{
	struct vk_device_info info;
	char text[TEXT_BYTES];
	char size[TEXT_BYTES];

	if (!vk_sysfs_text(sysfs, "size", size, sizeof(size)) || strcmp(size, "0") == 0 ||
	    vk_sysfs_text(sysfs, "partition", text, sizeof(text)))
		return false;
	if (vk_sysfs_text(sysfs, "hidden", text, sizeof(text)) && strcmp(text, "1") == 0)
		return false;
	read_dm_uuid(root, kernel_name, text);
	/* kpartx makes partitions of multipath devices */
	if (begins(text, "part"))
		return false;
	node->is_multipath = begins(text, "mpath-");
	if (node->is_multipath)
		add_key(node, "multipath %s", kernel_name);
	node->only_with_vmfs = (begins(kernel_name, "dm-") && !node->is_multipath) ||
			       begins(kernel_name, "md");
	vk_device_info_of(sysfs, &info);
	memcpy(node->wwid, info.wwid, sizeof(node->wwid));
	/* there are cheap bridges that give each disk the same name */
	if (node->wwid[0] != '\0' && !node->only_with_vmfs)
		add_key(node, "wwid %s %s", size, node->wwid);
	read_holders(root, sysfs, node);
	read_loop(root, sysfs, node);
	return true;
}

/* Where the node of a kernel name is: "cciss!c0d0" is in a folder, device-mapper devices have names for people. */
static bool find_node(const char *root, const char *sysfs, const char *name,
		      char ret_path[PATH_BYTES])
{
	char dm_name[TEXT_BYTES];
	int n;

	if (begins(name, "dm-") && vk_sysfs_text(sysfs, "dm/name", dm_name, sizeof(dm_name))) {
		n = snprintf(ret_path, PATH_BYTES, "%s/dev/mapper/%s", root, dm_name);
		if (n < PATH_BYTES && access(ret_path, F_OK) == 0)
			return true;
	}
	n = snprintf(ret_path, PATH_BYTES, "%s/dev/%s", root, name);
	if (n >= PATH_BYTES)
		return false;
	for (char *p = ret_path + strlen(root) + strlen("/dev/"); *p != '\0'; p++)
		if (*p == '!')
			*p = '/';
	return true;
}

static bool is_passed_over(const char *name)
{
	static const char *const kinds[] = {"loop", "ram", "zram", "sr", "fd"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i]);

		if (strncmp(name, kinds[i], len) == 0 && name[len] >= '0' && name[len] <= '9')
			return true;
	}
	return name[0] == '.';
}

static enum vk_status cannot_read(const char *folder, struct vk_error *err)
{
	vk_error_errno(err, errno, folder, "cannot read the folder of the disks");
	return vk_error_remedy(err, "name a folder of device nodes or of images with --dev-dir");
}

enum vk_status vk_lun_nodes_of_sysfs(const char *root, struct vk_lun_nodes *nodes,
				     struct vk_error *err)
{
	char folder[PATH_BYTES];
	char sysfs[PATH_BYTES * 2];
	char path[PATH_BYTES];
	enum vk_status status = VK_OK;
	const struct dirent *entry;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/sys/block", root);
	dir = opendir(folder);
	if (dir == NULL)
		return cannot_read(folder, err);
	while (status == VK_OK && (entry = readdir(dir)) != NULL) {
		struct vk_lun_node node = {.path = NULL};

		snprintf(sysfs, sizeof(sysfs), "%s/%s", folder, entry->d_name);
		if (!is_passed_over(entry->d_name) &&
		    read_sysfs(root, sysfs, entry->d_name, &node) &&
		    find_node(root, sysfs, entry->d_name, path))
			status = add_node(nodes, &node, path, err);
	}
	closedir(dir);
	return status;
}

/* vml.* are aliases; name:N are partitions. */
static bool is_other_name(const char *name)
{
	const char *colon = strrchr(name, ':');

	return name[0] == '.' || begins(name, "vml.") ||
	       (colon != NULL && colon[1] != '\0' && colon[1 + strspn(colon + 1, "0123456789")] == '\0');
}

/* The name that the kernel has for a device number: where the link of sysfs leads. */
static void kernel_name(const char *sysfs, char ret_name[TEXT_BYTES])
{
	char target[PATH_BYTES];
	ssize_t n = readlink(sysfs, target, sizeof(target) - 1);
	const char *last;

	target[n > 0 ? n : 0] = '\0';
	last = strrchr(target, '/');
	snprintf(ret_name, TEXT_BYTES, "%.*s", TEXT_BYTES - 1, last != NULL ? last + 1 : target);
}

static bool look_at(const char *root, const char *path, struct vk_lun_node *node)
{
	char sysfs[PATH_BYTES];
	char name[TEXT_BYTES];
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	if (S_ISREG(st.st_mode)) {
		add_key(node, "file %ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
		return st.st_size > 0;
	}
	if (!S_ISBLK(st.st_mode))
		return false;
	add_key(node, "device %u:%u", major(st.st_rdev), minor(st.st_rdev));
	snprintf(sysfs, sizeof(sysfs), "%s/sys/dev/block/%u:%u", root, major(st.st_rdev),
		 minor(st.st_rdev));
	/* without sysfs nothing is known of it but that it is there */
	if (access(sysfs, F_OK) != 0)
		return true;
	kernel_name(sysfs, name);
	return read_sysfs(root, sysfs, name, node);
}

enum vk_status vk_lun_nodes_of_folder(const char *root, const char *folder,
				      struct vk_lun_nodes *nodes, struct vk_error *err)
{
	size_t len = strlen(folder);
	const char *slash = len > 0 && folder[len - 1] == '/' ? "" : "/";
	enum vk_status status = VK_OK;
	char path[PATH_BYTES];
	const struct dirent *entry;
	DIR *dir = opendir(folder);

	if (dir == NULL)
		return cannot_read(folder, err);
	while (status == VK_OK && (entry = readdir(dir)) != NULL) {
		struct vk_lun_node node = {.path = NULL};
		int n = snprintf(path, sizeof(path), "%s%s%s", folder, slash, entry->d_name);

		if (n < PATH_BYTES && !is_other_name(entry->d_name) && look_at(root, path, &node))
			status = add_node(nodes, &node, path, err);
	}
	closedir(dir);
	return status;
}
