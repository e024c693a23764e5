/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a folder, read in large pieces; what is said about them. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "fs/folder.h"
#include "vmfskit/text.h"

enum vk_status vk_dir_open(struct vk_dir *f, struct vk_fs *fs, const struct vk_fs_file *file,
			      const struct vk_finding_sink *sink, size_t window_bytes, struct vk_error *err)
{
	uint64_t block = file->meta.blockSize;

	*f = (struct vk_dir){.fs = fs, .file = file, .whole = *file, .sink = sink};
	if (!vk_fs_file_is_folder(file))
		return vk_error_set(err, VK_USAGE, NULL, "the file of descriptor 0x%08x is no folder", file->address);
	if (file->meta.zeroLevelAddrType != VK_ZLA_RESIDENT && block != 0)
		f->whole.meta.fileLength = vk_round_up_sat(file->meta.fileLength, block);
	vk_fs_cursor_init(&f->cursor, fs, &f->whole, sink);
	f->window = malloc(window_bytes);
	f->window_bytes = window_bytes;
	return f->window != NULL ? VK_OK : vk_no_memory(err, NULL);
}

void vk_dir_close(struct vk_dir *f)
{
	vk_fs_cursor_end(&f->cursor);
	for (size_t i = 0; i < sizeof(f->said) / sizeof(f->said[0]); i++)
		if (f->said[i].count > VK_DIR_SAID_MAX)
			vk_fs_say(f->fs, f->sink, f->file->address, f->said[i].code, f->file->volume_offset, 0, NULL,
				  NULL, "%" PRIu64 " more of these in the folder of descriptor 0x%08x",
				  f->said[i].count - VK_DIR_SAID_MAX, f->file->address);
	free(f->window);
	f->window = NULL;
}

/* Bytes from offset on, until the window is full or something is missing. */
static void fill(struct vk_dir *f, uint64_t offset)
{
	f->window_at = offset;
	f->window_held = 0;
	while (f->window_held < f->window_bytes && offset < f->whole.meta.fileLength) {
		uint8_t *to = f->window + f->window_held;
		size_t len = f->window_bytes - f->window_held, got = 0;
		struct vk_fs_step step;

		vk_fs_step(&f->cursor, offset, &step);
		len = (size_t)vk_min_u64(len, vk_min_u64(step.length_bytes, f->whole.meta.fileLength - offset));
		if (step.kind == VK_RUN_HOLE || step.kind == VK_RUN_TBZ) {
			memset(to, 0, len);
			got = len;
		} else if (step.kind == VK_RUN_MISSING ||
			   vk_io_read(f->fs->volume, step.volume_offset, to, len, &got, NULL) != VK_OK) {
			return;
		}
		f->window_held += got;
		offset += got;
		if (got < len || len == 0)
			return;
	}
}

/* The first offset behind it where bytes may be. */
static uint64_t behind_gap(struct vk_dir *f, uint64_t offset)
{
	struct vk_fs_step step;
	struct vk_span span;
	uint64_t length;

	if (offset >= f->whole.meta.fileLength)
		return UINT64_MAX;
	vk_fs_step(&f->cursor, offset, &step);
	length = step.length_bytes;
	if (step.kind == VK_RUN_DATA || step.kind == VK_RUN_RESIDENT) {
		span = vk_io_span(f->fs->volume, step.volume_offset);
		if (span.state != VK_SPAN_END)
			length = vk_min_u64(length, span.length_bytes);
	}
	return vk_add_sat(offset, vk_max_u64(length, 1));
}

const uint8_t *vk_dir_bytes(struct vk_dir *f, uint64_t offset, size_t len, uint64_t *ret_next)
{
	bool inside = offset >= f->window_at && offset - f->window_at < f->window_held;

	if (!inside || f->window_held - (offset - f->window_at) < len)
		fill(f, offset);
	*ret_next = offset;
	if (f->window_held >= len + (size_t)(offset - f->window_at))
		return f->window + (offset - f->window_at);
	*ret_next = behind_gap(f, f->window_at + f->window_held);
	return NULL;
}

void vk_dir_gap(struct vk_dir *f, uint64_t offset, uint64_t next)
{
	uint64_t end = vk_min_u64(next, f->file->meta.fileLength);
	enum vk_fs_lack worst = VK_LACK_ABSENT, lack;
	struct vk_fs_step step;

	if (offset >= end)
		return;
	f->missing_bytes = vk_add_sat(f->missing_bytes, end - offset);
	for (uint64_t at = offset; at < end && worst == VK_LACK_ABSENT; at = behind_gap(f, at)) {
		vk_fs_step(&f->cursor, at, &step);
		lack = step.kind == VK_RUN_MISSING ? step.lack : VK_LACK_ABSENT;
		if (step.kind == VK_RUN_DATA || step.kind == VK_RUN_RESIDENT)
			lack = vk_fs_lack_at(f->fs, step.volume_offset, VK_ABSENT);
		worst = lack > worst ? lack : worst;
	}
	if (worst == VK_LACK_UNREADABLE)
		f->unreadable_bytes = vk_add_sat(f->unreadable_bytes, end - offset);
	else if (worst != VK_LACK_ABSENT)
		f->damaged_bytes = vk_add_sat(f->damaged_bytes, end - offset);
}

struct vk_phrase vk_dir_called(const struct vk_fs_file *folder, const char *path)
{
	char shown[64];
	struct vk_text text;

	if (folder->address == vk_fd_address(0, VK_SYSTEM_ROOT))
		return vk_phrase("the root folder");
	if (path == NULL)
		return vk_phrase("the folder of descriptor 0x%08x", folder->address);
	vk_text_init(&text, shown, sizeof(shown));
	vk_text_label(&text, (const uint8_t *)path, strlen(path));
	return vk_phrase("the folder %s", shown);
}

void vk_dir_say(struct vk_dir *f, enum vk_finding_code code, uint64_t offset, uint64_t length,
		   const char *seen, const char *expected, const char *message, ...)
{
	uint64_t volume_offset = f->file->volume_offset;
	struct vk_dir_said *said = f->said;
	struct vk_fs_step step;
	char text[200];
	va_list args;

	while (said->count != 0 && said->code != code && said < f->said + 3)
		said++;
	said->code = code;
	if (f->sink == NULL || said->count++ >= VK_DIR_SAID_MAX)
		return;
	va_start(args, message);
	vsnprintf(text, sizeof(text), message, args);
	va_end(args);
	if (offset < f->whole.meta.fileLength) {
		vk_fs_step(&f->cursor, offset, &step);
		if (step.volume_offset != UINT64_MAX)
			volume_offset = step.volume_offset;
	}
	vk_fs_say(f->fs, f->sink, f->file->address, code, volume_offset, length, seen, expected,
		  "%s (folder of descriptor 0x%08x)", text, f->file->address);
}

bool vk_dir_entry_sound(uint32_t type, uint32_t address)
{
	return type >= VK_FILE_FOLDER && type <= VK_FILE_RDM && (address & 0x3F) == VK_ADDRESS_FD;
}

bool vk_dir_name(struct vk_dir *f, const uint8_t *name, size_t cap, struct vk_fs_entry *ret_entry)
{
	size_t len = strnlen((const char *)name, cap);
	struct vk_text text;
	char shown[80];
	bool dots;

	len = len < sizeof(ret_entry->name) ? len : sizeof(ret_entry->name) - 1;
	memcpy(ret_entry->name, name, len);
	ret_entry->name[len] = '\0';
	/* the folder itself and the one above stand in the header of VMFS6, and first in the array */
	dots = vk_dir_is_dots(ret_entry->name) &&
	       ret_entry->file_offset >= (f->fs->info.vmfs6 ? VK_DIR6_BLOCKS : 2 * VK_DIR_ENTRY_BYTES);
	ret_entry->unsafe_name = dots;
	for (size_t i = 0; i < len; i++)
		ret_entry->unsafe_name |= name[i] < ' ' || name[i] == 0x7F || name[i] == '/';
	if (ret_entry->deleted)
		return len > 0;
	vk_text_init(&text, shown, sizeof(shown));
	vk_text_label(&text, name, len);
	if (len == 0)
		vk_dir_say(f, VK_F_FOLDER_ENTRY, ret_entry->file_offset, 0, NULL, NULL, "an entry in use has no name");
	else if (dots)
		vk_dir_say(f, VK_F_FOLDER_ENTRY, ret_entry->file_offset, 0, shown, NULL,
			   "the name of an entry means a folder, and stands where other names stand");
	else if (memchr(name, '/', len) != NULL)
		vk_dir_say(f, VK_F_FOLDER_ENTRY, ret_entry->file_offset, 0, shown, "no '/'",
			      "no name has a '/' in it");
	return len > 0;
}

bool vk_dir_give(struct vk_dir_visit *visit, const struct vk_fs_entry *entry)
{
	visit->given++;
	return visit->fn(visit->ctx, entry);
}
