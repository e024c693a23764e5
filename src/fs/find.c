/* SPDX-License-Identifier: Apache-2.0 */
/* One name in a folder. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/command.h"
#include "fs/folder.h"
#include "vmfskit/text.h"

enum { FIND_WINDOW = 4096 };

static bool is_escape(const char *text)
{
	static const char digits[] = "0123456789abcdef";

	return text[0] == '%' && text[1] != '\0' && strchr(digits, text[1]) != NULL && text[2] != '\0' &&
	       strchr(digits, text[2]) != NULL;
}

void vk_dir_escape(const char *name, const char *also, char *ret_text)
{
	size_t at = 0;

	for (; *name != '\0'; name++) {
		uint8_t byte = (uint8_t)*name;

		if (byte < ' ' || byte == 0x7F || strchr(also, byte) != NULL || is_escape(name)) {
			ret_text[at++] = '%';
			ret_text[at++] = "0123456789abcdef"[byte >> 4];
			byte = (uint8_t)"0123456789abcdef"[byte & 0xF];
		}
		ret_text[at++] = (char)byte;
	}
	ret_text[at] = '\0';
}

void vk_fs_name_in_path(const struct vk_fs_entry *entry, char ret_name[VK_FS_PATH_NAME_BYTES])
{
	vk_dir_escape(entry->name, entry->unsafe_name && vk_dir_is_dots(entry->name) ? "." : "/", ret_name);
}

/* The name that a part of a path means, for the hash of it; false: it cannot be told so. */
static bool name_meant(const char *in_path, char ret_name[VK_FS_PATH_NAME_BYTES])
{
	char again[3 * VK_FS_PATH_NAME_BYTES], *to = ret_name;

	if (strlen(in_path) >= VK_FS_PATH_NAME_BYTES)
		return false;
	for (const char *from = in_path; *from != '\0'; from++) {
		unsigned byte = (uint8_t)*from;

		if (is_escape(from) && sscanf(from + 1, "%2x", &byte) == 1)
			from += 2;
		*to++ = (char)byte;
	}
	*to = '\0';
	vk_dir_escape(ret_name, "/", again);
	return !vk_dir_is_dots(ret_name) && (strcmp(again, in_path) == 0 || strcmp(ret_name, in_path) == 0);
}

/* A name that is looked for, and what was found. */
struct search {
	struct vk_dir *folder;   /* where the hash table leads */
	const char *in_path;
	char name[VK_FS_PATH_NAME_BYTES]; /* that it means */
	struct vk_fs_entry entry;
	bool found;
};

static bool compare_at(void *ctx, uint64_t offset)
{
	struct search *s = ctx;
	uint32_t alignment = s->folder->fs->info.md_alignment;
	uint64_t in_block = (offset - VK_DIR6_BLOCKS) % alignment, next;
	uint32_t slot = (uint32_t)(in_block - VK_DIR6_BLOCK_BYTES) / VK_DIR6_ENTRY_BYTES;
	struct vk_dir6_block block;
	struct vk_dir6_entry raw;
	const uint8_t *bytes;

	/* the table of a damaged folder may lead to a free slot */
	if (slot >= vk_dir6_block_slots(VK_DIR6_ENTRIES, alignment))
		return false;
	bytes = vk_dir_bytes(s->folder, offset - in_block, VK_DIR6_BLOCK_BYTES, &next);
	if (bytes == NULL)
		return false;
	vk_dir6_block_decode(bytes, VK_DIR6_BLOCK_BYTES, &block);
	if (block.type != VK_DIR6_ENTRIES || vk_dir6_slot_free(&block, slot))
		return false;
	bytes = vk_dir_bytes(s->folder, offset, VK_DIR6_ENTRY_BYTES, &next);
	if (bytes == NULL)
		return false;
	vk_dir6_entry_decode(bytes, VK_DIR6_ENTRY_BYTES, &raw);
	if (strncmp((const char *)raw.name, s->name, sizeof(raw.name)) != 0 ||
	    !vk_dir_entry_sound(raw.type, raw.address))
		return false;
	s->entry = (struct vk_fs_entry){.type = raw.type, .address = raw.address, .generation = raw.generation,
					.file_offset = offset};
	s->found = vk_dir_name(s->folder, raw.name, sizeof(raw.name), &s->entry);
	return s->found;
}

/* As ESX finds it. */
static enum vk_status find_by_hash(struct vk_fs *fs, const struct vk_fs_file *folder, struct search *s,
				   struct vk_error *err)
{
	struct vk_dir table, entries;
	enum vk_status st = vk_dir_open(&table, fs, folder, NULL, FIND_WINDOW, err), opened;
	struct vk_dir6_key key;

	opened = vk_dir_open(&entries, fs, folder, NULL, FIND_WINDOW, err);
	if (st == VK_OK)
		st = opened;
	s->folder = &entries;
	if (st == VK_OK && vk_dir6_key((const uint8_t *)s->name, strlen(s->name),
				       folder->address == vk_fd_address(0, VK_SYSTEM_ROOT), &key))
		vk_dir6_candidates(&table, &table, &key, compare_at, s);
	s->folder = NULL;
	vk_dir_close(&entries);
	vk_dir_close(&table);
	return st;
}

/* The name that a path means comes first; where no entry has it, one whose bytes are those of the path. */
static bool compare_entry(void *ctx, const struct vk_fs_entry *entry)
{
	char in_path[VK_FS_PATH_NAME_BYTES];
	struct search *s = ctx;
	bool dots = entry->unsafe_name && vk_dir_is_dots(entry->name), same;

	vk_fs_name_in_path(entry, in_path);
	same = strcmp(in_path, s->in_path) == 0;
	if (!same && (s->found || dots || strcmp(entry->name, s->in_path) != 0))
		return true;
	s->entry = *entry;
	s->found = true;
	return !same;
}

enum vk_status vk_fs_find(struct vk_fs *fs, const struct vk_fs_file *folder, const char *name,
			  const struct vk_finding_sink *sink, struct vk_fs_entry *ret_entry,
			  uint64_t *ret_missing_bytes, struct vk_error *err)
{
	uint64_t slots_left = VK_DIR_SLOTS_MAX;
	struct search s = {.in_path = name};
	struct vk_dir_visit visit = {.fn = compare_entry, .ctx = &s};
	enum vk_status st = VK_OK;
	struct vk_text text;
	char shown[300];

	if (fs->info.vmfs6 && name_meant(name, s.name))
		st = find_by_hash(fs, folder, &s, err);
	if (st == VK_OK && !s.found)
		st = vk_dir_list(fs, folder, &visit, sink, &slots_left, err);
	if (ret_missing_bytes != NULL)
		*ret_missing_bytes = visit.missing_bytes;
	if (st != VK_OK)
		return st;
	vk_text_init(&text, shown, sizeof(shown));
	vk_text_label(&text, (const uint8_t *)name, strlen(name));
	if (!s.found && visit.unreadable_bytes > 0)
		return vk_error_set(err, VK_IO, vk_io_name(fs->volume),
				    "\"%s\" is not among the names of %s that can be read, and %" PRIu64
				    " bytes of the folder cannot be read", shown,
				    vk_dir_called(folder, NULL).text, visit.unreadable_bytes);
	if (!s.found && visit.missing_bytes > 0)
		return vk_error_set(err, VK_ABSENT, vk_io_name(fs->volume),
				    "\"%s\" is not among the names of %s that the source holds, and %" PRIu64
				    " bytes of the folder are not in the source", shown,
				    vk_dir_called(folder, NULL).text, visit.missing_bytes);
	if (!s.found) {
		const bool root = folder->address == vk_fd_address(0, VK_SYSTEM_ROOT);

		vk_error_set(err, VK_ABSENT, vk_io_name(fs->volume), "no file \"%s\" is in the %s", shown,
			     root ? "root folder" : vk_phrase("folder of descriptor 0x%08x", folder->address).text);
		(void)vk_error_remedy(err, "vmfskit ls %s %s%s shows what is",
				      vk_shell_path(vk_io_name(fs->volume)).text,
				      root ? "/" : vk_phrase("'#0x%08x'", folder->address).text,
				      vk_fs_command_options(fs));
		return VK_ABSENT;
	}
	*ret_entry = s.entry;
	return VK_OK;
}
