/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a copy that is not whole. */
#include "cmd/copy/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "io/mapfile.h"
#include "store/folder/folder.h"
#include "vmfskit/vmfs_uuid.h"

#define MARK "# Source: "
enum { MAP_MAX_BYTES = 32 << 20 };

void vk_copy_identity(const struct vk_fs_info *info, const struct vk_fs_file *file,
		      char ret_text[VK_COPY_IDENTITY_BYTES])
{
	char uuid[VK_VMFS_UUID_TEXT_BYTES];

	vk_vmfs_uuid_format(&info->descriptor.uuid, uuid);
	/* what is in a folder may change, it stays the same folder */
	if (vk_fs_file_is_folder(file)) {
		snprintf(ret_text, VK_COPY_IDENTITY_BYTES, "volume %s, folder 0x%08" PRIx32, uuid, file->address);
		return;
	}
	snprintf(ret_text, VK_COPY_IDENTITY_BYTES,
		 "volume %s, file 0x%08" PRIx32 ", generation %" PRIu32 ", %" PRIu64 " bytes, modified %" PRIu32, uuid,
		 file->address, file->meta.generation, file->meta.fileLength, file->meta.mtime);
}

static void put_block(FILE *out, uint64_t start, uint64_t end, char status)
{
	if (start < end)
		fprintf(out, "0x%08" PRIX64 "  0x%08" PRIX64 "  %c\n", start, end - start, status);
}

/* What lies between two done ranges: not copied, but for what could not be read. */
static void put_gap(FILE *out, uint64_t start, uint64_t end, const struct vk_extract_missing *missing, size_t count,
		    size_t *next)
{
	while (*next < count && missing[*next].file_offset + missing[*next].length_bytes <= start)
		(*next)++;
	for (size_t i = *next; i < count && missing[i].file_offset < end; i++) {
		const uint64_t from = vk_max_u64(missing[i].file_offset, start);
		const uint64_t to = vk_min_u64(missing[i].file_offset + missing[i].length_bytes, end);

		if (missing[i].absent || from >= to)
			continue;
		put_block(out, start, from, '?');
		put_block(out, from, to, '-');
		start = to;
	}
	put_block(out, start, end, '?');
}

enum vk_status vk_copy_state_write(int folder_fd, const char *map, const char *identity, uint64_t size_bytes,
				   const struct vk_range_set *done, const struct vk_extract_missing *missing,
				   size_t missing_count, struct vk_error *err)
{
	enum vk_status status;
	uint64_t at = 0;
	char *text = NULL;
	size_t len = 0, next = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return vk_no_memory(err, map);
	fprintf(out, "# Mapfile. Created by vmfskit\n" MARK "%s\n", identity);
	fputs("# current_pos  current_status  current_pass\n0x00000000     ?               1\n#      pos        size  "
	      "status\n", out);
	for (size_t i = 0; i < done->count; i++) {
		const struct vk_range *r = &done->ranges[i];

		put_gap(out, at, r->offset_bytes, missing, missing_count, &next);
		at = r->offset_bytes + r->length_bytes;
		put_block(out, r->offset_bytes, at, '+');
	}
	put_gap(out, at, size_bytes, missing, missing_count, &next);
	if (fclose(out) != 0) {
		free(text);
		return vk_no_memory(err, map);
	}
	status = vk_replace_file(folder_fd, map, text, len, "copy map", err);
	free(text);
	return status;
}

static int compare_places(const void *a, const void *b)
{
	const uint64_t x = ((const struct vk_extract_missing *)a)->file_offset;
	const uint64_t y = ((const struct vk_extract_missing *)b)->file_offset;

	return (x > y) - (x < y);
}

/* What is done of start .. end. */
static bool add_done(struct vk_range_set *certain, const struct vk_range_set *done, uint64_t start, uint64_t end)
{
	bool ok = true;

	for (uint64_t length; start < end && ok; start += length) {
		length = end - start;
		if (vk_range_set_holds(done, start, &length))
			ok = vk_range_set_add(certain, start, length);
	}
	return ok;
}

enum vk_status vk_copy_state_write_doubts(int folder_fd, const char *map, const char *identity, uint64_t size_bytes,
					  const struct vk_range_set *done, const struct vk_extract *extract,
					  const struct vk_extract_missing *doubts, size_t count, struct vk_error *err)
{
	struct vk_range_set certain = {.count = 0};
	struct vk_extract_missing *all = calloc(count + extract->missing_count, sizeof(*all));
	enum vk_status status = all != NULL ? VK_OK : vk_no_memory(err, map);
	size_t all_count = 0;
	uint64_t at = 0;

	for (size_t i = 0; i <= count && status == VK_OK; i++) {
		if (!add_done(&certain, done, at, i < count ? doubts[i].file_offset : size_bytes))
			status = vk_no_memory(err, map);
		if (i == count)
			break;
		all[all_count++] = doubts[i];
		at = doubts[i].file_offset + doubts[i].length_bytes;
	}
	for (size_t i = 0; i < extract->missing_count && status == VK_OK; i++)
		if (!extract->missing[i].absent)
			all[all_count++] = extract->missing[i];
	if (status == VK_OK) {
		qsort(all, all_count, sizeof(*all), compare_places);
		status = vk_copy_state_write(folder_fd, map, identity, size_bytes, &certain, all, all_count, err);
	}
	free(all);
	vk_range_set_free(&certain);
	return status;
}

static bool is_of(const char *text, const char *identity)
{
	const char *at = strstr(text, "\n" MARK);
	const size_t len = strlen(identity);

	if (at == NULL)
		return false;
	at += sizeof("\n" MARK) - 1;
	return strncmp(at, identity, len) == 0 && at[len] == '\n';
}

enum vk_status vk_copy_state_read(int folder_fd, const char *map, const char *identity, uint64_t size_bytes,
				  struct vk_range_set *ret_done, struct vk_error *err)
{
	struct vk_mapfile read = {.end_bytes = 0};
	struct vk_io *io;
	char *text;
	size_t len;
	enum vk_status status = vk_folder_slurp(folder_fd, map, MAP_MAX_BYTES, &text, &len, err);

	if (status != VK_OK)
		return status;
	if (!is_of(text, identity)) {
		free(text);
		vk_error_set(err, VK_REFUSED, map, "this is of another file, or the file was changed since: it is not "
			     "%s", identity);
		return vk_error_remedy(err, "choose another DEST, or move it away; nothing of it is replaced");
	}
	*ret_done = (struct vk_range_set){.count = 0};
	if (size_bytes == 0) {
		free(text);
		return VK_OK;
	}
	io = vk_io_memory(map, text, len, false);
	status = io != NULL ? vk_mapfile_read(io, &read, err) : vk_no_memory(err, map);
	vk_io_close(io);
	free(text);
	if (status == VK_OK)
		vk_range_set_free(&read.failed);
	if (status == VK_OK && read.end_bytes != size_bytes) {
		vk_range_set_free(&read.read);
		status = vk_error_set(err, VK_DAMAGED, map, "it does not end where the file ends");
	}
	if (status == VK_OK)
		*ret_done = read.read;
	return status;
}
