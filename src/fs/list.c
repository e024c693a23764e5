/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of a folder: VMFS 3 and 5 have an array of them. */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/command.h"
#include "fs/folder.h"

/* An entry of VMFS 3 and 5. Returns false when the caller wants no more. */
static bool give_entry(struct vk_dir *f, struct vk_dir_visit *visit, const uint8_t *bytes, uint64_t at)
{
	static const char *const dots[] = {".", ".."};
	struct vk_fs_entry entry = {.file_offset = at};
	struct vk_dir_entry raw;
	uint64_t number = at / VK_DIR_ENTRY_BYTES;

	vk_dir_entry_decode(bytes, VK_DIR_ENTRY_BYTES, &raw);
	entry.type = raw.type;
	entry.address = raw.descAddr;
	entry.generation = raw.generation;
	entry.deleted = raw.descAddr == 0 || at + VK_DIR_ENTRY_BYTES > f->file->meta.fileLength;
	if (entry.deleted) {
		/* behind the last entry lies anything */
		if (!visit->deleted || (raw.descAddr != 0 && !vk_dir_entry_sound(raw.type, raw.descAddr)) ||
		    !vk_dir_name(f, raw.name, sizeof(raw.name), &entry))
			return true;
		return vk_dir_give(visit, &entry);
	}
	if (!vk_dir_entry_sound(raw.type, raw.descAddr))
		vk_dir_say(f, VK_F_FOLDER_ENTRY, at, VK_DIR_ENTRY_BYTES,
			      vk_phrase("type %u, descriptor 0x%08x", raw.type, raw.descAddr).text, NULL,
			      "entry %" PRIu64 " cannot be one", number);
	if (!vk_dir_name(f, raw.name, sizeof(raw.name), &entry))
		return true;
	if (number < 2 && (strcmp(entry.name, dots[number]) != 0 ||
			   (number == 0 && entry.address != f->file->address)))
		vk_dir_say(f, VK_F_FOLDER_ENTRY, at, VK_DIR_ENTRY_BYTES, NULL, NULL,
			      "entry %" PRIu64 " is not \"%s\"%s", number, dots[number],
			      number == 0 ? " with the folder's own address" : "");
	return vk_dir_give(visit, &entry);
}

/* "." is never deleted. */
static void say_zeros(struct vk_dir *f)
{
	f->fs->info.zero_metadata = true;
	vk_dir_say(f, VK_F_FOLDER_ENTRY, 0, VK_DIR_ENTRY_BYTES, "zeros", "\".\"",
		   "zeros stand where a folder has its first entry");
}

static void list_array(struct vk_dir *f, struct vk_dir_visit *visit)
{
	uint64_t length = f->file->meta.fileLength;
	uint64_t end = visit->deleted ? f->whole.meta.fileLength : length, next;

	if (length % VK_DIR_ENTRY_BYTES != 0)
		vk_dir_say(f, VK_F_FOLDER_COUNT, 0, 0, vk_phrase("%" PRIu64 " bytes", length).text,
			      "a multiple of 140 bytes", "the length of a folder is no number of entries");
	for (uint64_t at = 0; end - at >= VK_DIR_ENTRY_BYTES && *f->slots_left > 0; --*f->slots_left) {
		const uint8_t *bytes = vk_dir_bytes(f, at, VK_DIR_ENTRY_BYTES, &next);

		if (bytes == NULL) {
			next = vk_round_up_sat(next, VK_DIR_ENTRY_BYTES);
			vk_dir_gap(f, at, next);
			at = next;
			if (at > end)
				return;
			continue;
		}
		if (at == 0 && vk_all_zero(bytes, VK_DIR_ENTRY_BYTES))
			say_zeros(f);
		if (!vk_all_zero(bytes, VK_DIR_ENTRY_BYTES) && !give_entry(f, visit, bytes, at))
			return;
		at += VK_DIR_ENTRY_BYTES;
	}
}

static enum vk_status tell_missing(struct vk_dir *f, struct vk_dir_visit *visit, struct vk_error *err)
{
	struct vk_phrase called = vk_dir_called(f->file, visit->path);

	if (*f->slots_left == 0)
		vk_dir_say(f, VK_F_FOLDER_COUNT, 0, 0, NULL, NULL,
			   "a folder is longer than any can be: only its first slots were looked at");
	visit->missing_bytes = f->missing_bytes;
	visit->unreadable_bytes = vk_add_sat(f->unreadable_bytes, f->damaged_bytes);
	if (f->missing_bytes == 0)
		return VK_OK;
	if (visit->given == 0) {
		bool root = f->file->address == vk_fd_address(0, VK_SYSTEM_ROOT);
		const char *name = vk_io_name(f->fs->volume);

		if (f->unreadable_bytes > 0)
			return vk_error_set(err, VK_IO, name, "the names in %s cannot be read: what it holds is not "
					    "known", called.text);
		if (f->damaged_bytes > 0)
			return vk_error_set(err, VK_DAMAGED, name, "the names in %s are lost: what leads to them is "
					    "damaged", called.text);
		(void)vk_error_set(err, VK_ABSENT, name, "the source does not hold the names in %s%s", called.text,
				   root ? ": what the volume holds is not known" : "");
		(void)vk_error_remedy(err, "vmfskit map --ddrescue %s %s%s lists the blocks of it, to ask for",
				      vk_shell_path(name).text,
				      root ? "/" : vk_phrase("'#0x%08x'", f->file->address).text,
				      vk_fs_command_options(f->fs));
		return VK_ABSENT;
	}
	if (f->unreadable_bytes > 0)
		vk_dir_say(f, VK_F_SOURCE_UNREADABLE, 0, 0, NULL, NULL,
			   "%" PRIu64 " bytes of %s cannot be read: names may be missing", f->unreadable_bytes,
			   called.text);
	if (f->damaged_bytes > 0)
		vk_dir_say(f, VK_F_FOLDER_BLOCK, 0, 0, NULL, NULL,
			   "%" PRIu64 " bytes of %s are lost, as what leads to them is damaged: names may be missing",
			   f->damaged_bytes, called.text);
	if (f->missing_bytes > visit->unreadable_bytes)
		vk_dir_say(f, VK_F_STRUCTURE_ABSENT, 0, 0, NULL, NULL,
			   "%" PRIu64 " bytes of %s are not in the source: names may be missing",
			   f->missing_bytes - visit->unreadable_bytes, called.text);
	return VK_OK;
}

enum vk_status vk_dir_list(struct vk_fs *fs, const struct vk_fs_file *folder, struct vk_dir_visit *visit,
			      const struct vk_finding_sink *sink, uint64_t *slots_left, struct vk_error *err)
{
	struct vk_dir f;
	enum vk_status st = vk_dir_open(&f, fs, folder, sink, VK_DIR_PIECE, err);

	if (st != VK_OK)
		return st;
	f.slots_left = slots_left;
	if (fs->info.vmfs6)
		st = vk_dir6_list(&f, visit, err);
	else
		list_array(&f, visit);
	if (st == VK_OK)
		st = tell_missing(&f, visit, err);
	vk_dir_close(&f);
	return st;
}

enum vk_status vk_fs_list(struct vk_fs *fs, const struct vk_fs_file *folder, bool deleted, vk_fs_entry_fn fn, void *ctx,
			  const struct vk_finding_sink *sink, struct vk_error *err)
{
	struct vk_dir_visit visit = {.fn = fn, .ctx = ctx, .deleted = deleted};
	uint64_t slots_left = VK_DIR_SLOTS_MAX;

	return vk_dir_list(fs, folder, &visit, sink, &slots_left, err);
}
