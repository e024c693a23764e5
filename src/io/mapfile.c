/* SPDX-License-Identifier: Apache-2.0 */
/* The mapfile of GNU ddrescue, and the image that it describes. */
#include "io/mapfile.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "io/io_handle.h"
#include "io/io_reader.h"

/* ddrescue writes one line for each change between read and not read. */
enum { FILE_MAX_BYTES = 64 << 20, LINE_BYTES = 128, WORDS_MAX = 4 };

struct map_reader {
	struct vk_byte_reader bytes;
	const char *path;
	size_t line; /* the number of the last one */
	char text[LINE_BYTES];
	char *words[WORDS_MAX];
	size_t count;
};

static enum vk_status bad_line(const struct map_reader *r, const char *what, struct vk_error *err)
{
	vk_error_set(err, VK_DAMAGED, r->path, "line %zu is none of a ddrescue mapfile: %s", r->line, what);
	return vk_error_remedy(err, "name the mapfile that ddrescue wrote beside the image (it begins with \"# "
				    "Mapfile\")");
}

/* The next line without its comment into text; false at the end. Longer than any line with a meaning: cut, and told. */
static bool next_line(struct map_reader *r, bool *ret_cut)
{
	bool comment = false, any = false, blank = true;
	size_t len = 0;
	uint8_t c;

	*ret_cut = false;
	while (vk_byte_reader_byte(&r->bytes, &c)) {
		any = true;
		if (c == '\n')
			break;
		comment = comment || (c == '#' && blank);
		blank = c == ' ' || c == '\t' || c == '\r';
		if (comment)
			continue;
		*ret_cut = *ret_cut || len == LINE_BYTES - 1 || c == '\0';
		if (!*ret_cut)
			r->text[len++] = (char)c;
	}
	r->text[len] = '\0';
	r->line += any;
	return any;
}

/* The words of the next line that has any; *ret_more is false at the end. */
static enum vk_status next_words(struct map_reader *r, bool *ret_more, struct vk_error *err)
{
	char *rest, *word;
	bool cut;

	for (r->count = 0; r->count == 0;) {
		*ret_more = next_line(r, &cut);
		if (!*ret_more)
			return VK_OK;
		if (cut)
			return bad_line(r, "it is too long, or no text", err);
		for (rest = r->text; (word = strtok_r(rest, " \t\r", &rest)) != NULL; r->count++) {
			if (r->count == WORDS_MAX)
				return bad_line(r, "it has more than three values", err);
			r->words[r->count] = word;
		}
	}
	return VK_OK;
}

static bool read_integer(const char *word, uint64_t *ret_number)
{
	char *end;

	if (!isdigit((unsigned char)word[0]))
		return false;
	errno = 0;
	*ret_number = strtoull(word, &end, 0);
	return errno == 0 && *end == '\0' && *ret_number <= INT64_MAX;
}

static bool is_status(const char *word, const char *among)
{
	return word[0] != '\0' && word[1] == '\0' && strchr(among, word[0]) != NULL;
}

static enum vk_status read_status_line(struct map_reader *r, struct vk_error *err)
{
	uint64_t number;
	bool more;
	enum vk_status status = next_words(r, &more, err);

	if (status != VK_OK)
		return status;
	if (!more)
		return bad_line(r, "there is no status line", err);
	if (r->count < 2 || r->count > 3 || !read_integer(r->words[0], &number) ||
	    !is_status(r->words[1], "?*/-FG+") || (r->count == 3 && !read_integer(r->words[2], &number)))
		return bad_line(r, "a position, a status and the number of the pass are expected first", err);
	return VK_OK;
}

static enum vk_status read_blocks(struct map_reader *r, struct vk_mapfile *map, struct vk_error *err)
{
	bool first = true, more;

	for (;; first = false) {
		uint64_t start, length, end;
		enum vk_status status = next_words(r, &more, err);

		if (status != VK_OK)
			return status;
		if (!more)
			return first ? bad_line(r, "there are no blocks", err) : VK_OK;
		if (r->count != 3 || !read_integer(r->words[0], &start) || !read_integer(r->words[1], &length) ||
		    !is_status(r->words[2], "?*/-+"))
			return bad_line(r, "a block is a position, a size and one of ? * / - +", err);
		if (length == 0 || !vk_add_u64(start, length, &end) || end > INT64_MAX)
			return bad_line(r, "the block has no such size", err);
		if (!first && start != map->end_bytes)
			return bad_line(r, "the block does not begin where the one before it ends", err);
		map->end_bytes = end;
		if (r->words[2][0] != '?' &&
		    !vk_range_set_add(r->words[2][0] == '+' ? &map->read : &map->failed, start, length))
			return vk_no_memory(err, r->path);
	}
}

enum vk_status vk_mapfile_read(struct vk_io *io, struct vk_mapfile *ret_map, struct vk_error *err)
{
	struct vk_mapfile map = {.end_bytes = 0};
	struct map_reader *r;
	enum vk_status status;

	if (vk_io_size_bytes(io) > FILE_MAX_BYTES)
		return vk_error_set(err, VK_DAMAGED, vk_io_name(io),
				    "this is not a ddrescue mapfile: it is too long");
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return vk_no_memory(err, vk_io_name(io));
	r->path = vk_io_name(io);
	vk_byte_reader_init(&r->bytes, io, UINT64_MAX);
	status = read_status_line(r, err);
	if (status == VK_OK)
		status = read_blocks(r, &map, err);
	/* what could not be read of it would be taken for its end */
	if (status == VK_OK && r->bytes.failed) {
		*err = r->bytes.error;
		status = err->status;
	}
	free(r);
	if (status == VK_OK)
		*ret_map = map;
	else
		vk_mapfile_free(&map);
	return status;
}

void vk_mapfile_free(struct vk_mapfile *map)
{
	vk_range_set_free(&map->read);
	vk_range_set_free(&map->failed);
}

/* The parts of base that were read, and what failed. */
static enum vk_status mapped_parts(struct vk_io *base, const struct vk_mapfile *map, uint64_t size_bytes,
				   struct vk_io **ret_io, struct vk_error *err)
{
	const size_t count = map->read.count + map->failed.count;
	struct vk_io_part *parts = calloc(count + 1, sizeof(*parts));
	const struct vk_range *read = map->read.ranges, *failed = map->failed.ranges;
	size_t used = 0;

	if (parts == NULL)
		return vk_no_memory(err, vk_io_name(base));
	for (size_t i = 0; i < count; i++) {
		const bool took_all = read == map->read.ranges + map->read.count;
		const bool next_is_read =
			!took_all && (failed == map->failed.ranges + map->failed.count ||
				      read->offset_bytes < failed->offset_bytes);
		const struct vk_range *range = next_is_read ? read++ : failed++;

		/* a block that failed may reach up to the largest number */
		if (range->offset_bytes < size_bytes)
			parts[used++] = (struct vk_io_part){
				range->offset_bytes,
				vk_min_u64(range->length_bytes, size_bytes - range->offset_bytes),
				next_is_read ? base : NULL, range->offset_bytes};
	}
	*ret_io = vk_io_parts(vk_io_name(base), parts, used, size_bytes, VK_SPAN_ABSENT);
	free(parts);
	if (*ret_io == NULL)
		return vk_no_memory(err, vk_io_name(base));
	vk_io_own(*ret_io, base);
	return VK_OK;
}

enum vk_status vk_io_mapped(struct vk_io *base, const char *mapfile, struct vk_io **ret_io, struct vk_error *err)
{
	uint64_t size = vk_io_size_bytes(base), read_end;
	const struct vk_range *last;
	struct vk_mapfile map;
	struct vk_io *file;
	enum vk_status status = vk_io_path(mapfile, NULL, &file, err);

	if (status != VK_OK)
		return status;
	status = vk_mapfile_read(file, &map, err);
	vk_io_close(file);
	if (status != VK_OK)
		return status;
	last = map.read.count > 0 ? &map.read.ranges[map.read.count - 1] : NULL;
	read_end = last != NULL ? last->offset_bytes + last->length_bytes : 0;
	if (read_end > size) {
		vk_error_set(err, VK_USAGE, mapfile,
			     "it says that %llu bytes were read, and %s has %llu: this is the mapfile of another image",
			     (unsigned long long)read_end, vk_io_name(base), (unsigned long long)size);
		status = vk_error_remedy(err, "name the image that ddrescue wrote with this mapfile");
	} else {
		/* the last block of an input whose length ddrescue did not know reaches up to the largest number */
		if (map.end_bytes < INT64_MAX)
			size = vk_max_u64(size, map.end_bytes);
		status = mapped_parts(base, &map, size, ret_io, err);
	}
	vk_mapfile_free(&map);
	return status;
}
