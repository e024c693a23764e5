/* SPDX-License-Identifier: Apache-2.0 */
/* From a path to a file: entries, symbolic links. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "fs/folder.h"
#include "vmfskit/text.h"
#include "vmfskit/vmfs_uuid.h"

enum {
	LINKS_MAX = 40, LINK_BYTES = 4096,
	DEPTH_MAX = 512, STEPS_MAX = 4096,   /* folders over each other, and names looked up, with those of links */
	REST_BYTES = 2 * VK_FS_PATH_BYTES
};

/* A path as people read it in an error. */
struct shown_path {
	char text[200];
};
static struct shown_path shown(const char *path)
{
	struct shown_path s;
	struct vk_text text;

	vk_text_init(&text, s.text, sizeof(s.text));
	vk_text_label(&text, (const uint8_t *)path, strlen(path));
	return s;
}

enum vk_status vk_fs_entry_open(struct vk_fs *fs, const struct vk_fs_entry *entry, const struct vk_finding_sink *sink,
				struct vk_fs_file **ret_file, struct vk_error *err)
{
	enum vk_status st;

	if (vk_address_kind(entry->address) != VK_ADDRESS_FD)
		return vk_error_set(err, VK_DAMAGED, vk_io_name(fs->volume),
				    "the entry \"%s\" leads to no file descriptor: its address is 0x%08x",
				    shown(entry->name).text, entry->address);
	st = vk_fs_file_open(fs, entry->address, sink, ret_file, err);
	if (st == VK_OK && ((*ret_file)->meta.generation != entry->generation ||
			    (*ret_file)->meta.type != entry->type))
		vk_fs_say(fs, sink, entry->address, VK_F_FILE_GENERATION, (*ret_file)->volume_offset,
			  fs->info.fd.fd_bytes, vk_phrase("generation %u, type %u", (*ret_file)->meta.generation,
				    (*ret_file)->meta.type).text,
			  vk_phrase("generation %u, type %u", entry->generation, entry->type).text,
			  "file descriptor 0x%08x is not the one that the entry \"%.60s\" means", entry->address,
			  shown(entry->name).text);
	return st;
}

enum vk_status vk_fs_link(struct vk_fs *fs, const struct vk_fs_file *file, char ret_target[VK_FS_LINK_BYTES],
			  struct vk_error *err)
{
	uint64_t length = file->meta.fileLength;
	char target[LINK_BYTES];
	size_t got = 0;
	enum vk_status st;

	if (file->meta.type != VK_FILE_LINK)
		return vk_error_set(err, VK_USAGE, NULL, "the file of descriptor 0x%08x is no symbolic link",
				    file->address);
	if (length == 0 || length >= sizeof(target))
		return vk_error_set(err, VK_DAMAGED, vk_io_name(fs->volume),
				    "the symbolic link of descriptor 0x%08x has %" PRIu64 " bytes", file->address,
				    length);
	st = vk_fs_read(fs, file, 0, target, (size_t)length, &got, err);
	if (st != VK_OK)
		return st;
	if (got < length)
		return vk_error_set(err, VK_ABSENT, vk_io_name(fs->volume),
				    "the target of the symbolic link of descriptor 0x%08x is not in the source",
				    file->address);
	target[length] = '\0';
	if (strlen(target) < length)
		return vk_error_set(err, VK_DAMAGED, vk_io_name(fs->volume),
				    "the target of the symbolic link of descriptor 0x%08x has a NUL in it",
				    file->address);
	vk_dir_escape(target, "", ret_target);
	return VK_OK;
}

/* A path on its way. */
struct way {
	struct vk_fs *fs;
	const struct vk_finding_sink *sink;
	struct vk_fs_file *at;          /* where it has come to */
	uint32_t above[DEPTH_MAX];      /* the folders over it, by their descriptors, the root first */
	unsigned depth;
	unsigned links;
	char rest[REST_BYTES];
	char name[VK_FS_PATH_BYTES];
};

/* Takes ownership of file. */
static void go_to(struct way *w, struct vk_fs_file *file)
{
	vk_fs_file_close(w->at);
	w->at = file;
}

static enum vk_status go_to_address(struct way *w, uint32_t address, struct vk_error *err)
{
	struct vk_fs_file *file;
	enum vk_status st = vk_fs_file_open(w->fs, address, w->sink, &file, err);

	if (st == VK_OK)
		go_to(w, file);
	return st;
}

/* The next name of rest into name; false: there is none. "." is none. */
static bool next_name(struct way *w)
{
	size_t len, from;

	do {
		from = strspn(w->rest, "/");
		len = strcspn(w->rest + from, "/");
		memcpy(w->name, w->rest + from, len < sizeof(w->name) ? len : sizeof(w->name) - 1);
		w->name[len < sizeof(w->name) ? len : sizeof(w->name) - 1] = '\0';
		memmove(w->rest, w->rest + from + len, strlen(w->rest + from + len) + 1);
	} while (strcmp(w->name, ".") == 0);
	return len > 0;
}

const char *vk_fs_inside_volume(const struct vk_fs *fs, const char *target)
{
	static const char volumes[] = "/vmfs/volumes/";
	char uuid[VK_VMFS_UUID_TEXT_BYTES], label[sizeof(fs->info.descriptor.fsLabel) + 1] = "";
	size_t len;

	if (strncmp(target, volumes, strlen(volumes)) != 0)
		return NULL;
	target += strlen(volumes);
	len = strcspn(target, "/");
	vk_vmfs_uuid_format(&fs->info.descriptor.uuid, uuid);
	memcpy(label, fs->info.descriptor.fsLabel, sizeof(fs->info.descriptor.fsLabel));
	if ((len == strlen(uuid) && strncmp(target, uuid, len) == 0) ||
	    (len > 0 && len == strlen(label) && strncmp(target, label, len) == 0))
		return target + len;
	return NULL;
}

/* Puts the target of a link in front of what is left of the path. */
static enum vk_status follow_link(struct way *w, const struct vk_fs_file *link, struct vk_error *err)
{
	char target[VK_FS_LINK_BYTES];
	const char *from = target;
	enum vk_status st = vk_fs_link(w->fs, link, target, err);
	size_t len, rest = strlen(w->rest);

	if (st != VK_OK)
		return st;
	if (++w->links > LINKS_MAX)
		return vk_error_set(err, VK_DAMAGED, vk_io_name(w->fs->volume),
				    "the path leads over more than %d symbolic links, the last of them to \"%s\"",
				    LINKS_MAX, shown(target).text);
	if (target[0] == '/') {
		from = vk_fs_inside_volume(w->fs, target);
		if (from == NULL)
			return vk_error_set(err, VK_ABSENT, vk_io_name(w->fs->volume),
					    "a symbolic link leads out of the volume, to \"%s\"", shown(target).text);
		w->depth = 0;
		st = go_to_address(w, vk_fd_address(0, VK_SYSTEM_ROOT), err);
		if (st != VK_OK)
			return st;
	}
	len = strlen(from);
	if (len + 1 + rest >= sizeof(w->rest))
		return vk_error_set(err, VK_DAMAGED, vk_io_name(w->fs->volume),
				    "symbolic links make the path longer than %zu bytes", sizeof(w->rest) - 1);
	memmove(w->rest + len + 1, w->rest, rest + 1);
	memcpy(w->rest, from, len);
	w->rest[len] = '/';
	return VK_OK;
}

/* A system file is found without the root folder. 0: the name is of none that is there. */
static uint32_t system_address(const struct vk_fs *fs, const char *name)
{
	for (unsigned i = VK_SYSTEM_FBB; i < VK_SYSTEM_COUNT; i++)
		if (fs->info.system[i].has_fd && strcmp(name, vk_system_file_name((enum vk_system_file)i)) == 0)
			return fs->info.system[i].file->address;
	return 0;
}

static enum vk_status one_step(struct way *w, bool follow, struct vk_error *err)
{
	bool last = w->rest[strspn(w->rest, "/")] == '\0';
	struct vk_fs_entry entry;
	struct vk_fs_file *file;
	enum vk_status st;
	uint32_t system;

	if (!vk_fs_file_is_folder(w->at))
		return vk_error_set(err, VK_ABSENT, vk_io_name(w->fs->volume),
				    "no file \"%s\": what should hold it is no folder", shown(w->name).text);
	if (strcmp(w->name, "..") == 0)
		return w->depth == 0 ? VK_OK : go_to_address(w, w->above[--w->depth], err);
	st = vk_fs_find(w->fs, w->at, w->name, w->sink, &entry, NULL, err);
	if (st == VK_OK)
		st = vk_fs_entry_open(w->fs, &entry, w->sink, &file, err);
	else if (w->depth == 0 && (system = system_address(w->fs, w->name)) != 0)
		st = vk_fs_file_open(w->fs, system, w->sink, &file, err);
	if (st != VK_OK)
		return st;
	if (file->meta.type == VK_FILE_LINK && (follow || !last)) {
		st = follow_link(w, file, err);
		vk_fs_file_close(file);
		return st;
	}
	if (w->depth == DEPTH_MAX) {
		vk_fs_file_close(file);
		return vk_error_set(err, VK_USAGE, vk_io_name(w->fs->volume),
				    "the path goes through more than %d folders", DEPTH_MAX);
	}
	w->above[w->depth++] = w->at->address;
	go_to(w, file);
	return VK_OK;
}

/* "#0x03000004" in front of a path: the descriptor where it begins. Returns its length, 0: there is none. */
static size_t descriptor_in(const char *path, uint32_t *ret_address)
{
	const size_t len = strcspn(path, "/");
	char number[16];
	uint64_t value;

	if (path[0] != '#' || path[1] != '0' || path[2] != 'x' || len >= sizeof(number))
		return 0;
	memcpy(number, path + 1, len - 1);
	number[len - 1] = '\0';
	if (!vk_text_parse_number(number, UINT32_MAX, &value))
		return 0;
	*ret_address = (uint32_t)value;
	return len;
}

enum vk_status vk_fs_lookup(struct vk_fs *fs, const char *path, bool follow, const struct vk_finding_sink *sink,
			    struct vk_fs_file **ret_file, struct vk_error *err)
{
	struct way *w;
	enum vk_status st;
	unsigned steps = 0;
	uint32_t start = vk_fd_address(0, VK_SYSTEM_ROOT);

	if (strlen(path) >= VK_FS_PATH_BYTES)
		return vk_error_set(err, VK_USAGE, NULL, "a path has at most %d bytes", VK_FS_PATH_BYTES - 1);
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return vk_no_memory(err, NULL);
	w->fs = fs;
	w->sink = sink;
	path += descriptor_in(path, &start);
	memcpy(w->rest, path, strlen(path) + 1);
	st = go_to_address(w, start, err);
	while (st == VK_OK && next_name(w)) {
		if (++steps > STEPS_MAX)
			st = vk_error_set(err, VK_DAMAGED, vk_io_name(fs->volume),
					  "symbolic links lead through more than %d names", STEPS_MAX);
		else
			st = one_step(w, follow, err);
	}
	if (st == VK_OK)
		*ret_file = w->at;
	else
		vk_fs_file_close(w->at);
	free(w);
	return st;
}
