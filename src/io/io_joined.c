/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of a split dump as one source. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/command.h"
#include "base/memory.h"
#include "base/shown.h"
#include "io/io_handle.h"
#include "io/split_name.h"
#include "vmfskit/text.h"

/* What lies farther from the last piece than this is no piece: "gz" is a number, too. */
enum { MISSING_MAX = 8, MBR_ENTRIES_AT = 446, MBR_ENTRY_BYTES = 16 };
/* As in vmfskit/lvm.h. */
#define LVM_HEADER_AT ((uint64_t)1 << 20)
#define LVM_MAGIC 0xc001d00dU

/* The pieces of one dump, by number. */
struct piece_list {
	char **paths;
	size_t count;
};

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A partition table at its start, or an LVM header where a partition has it. */
static bool holds_beginning(struct vk_io *io)
{
	uint8_t head[4096 + 8] = {0}, magic[4];
	bool boots = true, used = false;
	size_t got = 0;

	if (vk_io_read_all(io, LVM_HEADER_AT, magic, sizeof(magic), NULL) == VK_OK && vk_get_le32(magic) == LVM_MAGIC)
		return true;
	if (vk_io_read(io, 0, head, sizeof(head), &got, NULL) != VK_OK || got < 1024)
		return false;
	if (memcmp(head + 512, "EFI PART", 8) == 0 || memcmp(head + 4096, "EFI PART", 8) == 0)
		return true;
	/* boot sectors of file systems have the signature, too, but code where the entries of a table are */
	for (const uint8_t *entry = head + MBR_ENTRIES_AT; entry < head + 510; entry += MBR_ENTRY_BYTES) {
		boots = boots && (entry[0] & 0x7f) == 0;
		used = used || entry[4] != 0;
	}
	return vk_get_le16(head + 510) == 0xaa55 && boots && used;
}

/* Then it is a disk or a partition of its own, whatever its name. */
static bool is_of_its_own(const char *path)
{
	struct vk_io *io;
	bool own;

	if (vk_io_path(path, NULL, &io, NULL) != VK_OK)
		return false;
	own = holds_beginning(io);
	vk_io_close(io);
	return own;
}

size_t vk_io_split_count(const char *const *paths, size_t count)
{
	struct vk_split_name name, next;
	size_t n = 1;

	if (count == 0 || !vk_split_name(paths[0], &name) || name.number > 1 + MISSING_MAX || !is_file(paths[0]))
		return count > 0;
	for (; n < count; n++, name = next)
		if (!vk_split_name(paths[n], &next) || !vk_split_name_same(&name, &next) ||
		    next.number <= name.number || next.number - name.number > 1 + MISSING_MAX ||
		    !is_file(paths[n]) || is_of_its_own(paths[n]))
			break;
	return n;
}

static int by_number(const void *a, const void *b)
{
	struct vk_split_name x, y;

	/* names of one width: in the order of their numbers */
	if (!vk_split_name(*(char *const *)a, &x) || !vk_split_name(*(char *const *)b, &y))
		return 0;
	return x.number < y.number ? -1 : x.number > y.number;
}

/* What lies beside a piece, itself among it, by number. */
static enum vk_status find_siblings(const char *path, const struct vk_split_name *first, struct piece_list *list,
				    struct vk_error *err)
{
	const size_t folder = (size_t)(first->base - path);
	char *name = strndup(folder > 0 ? path : ".", folder > 0 ? folder : 1);
	DIR *dir = name != NULL ? opendir(name) : NULL;
	enum vk_status status = name == NULL ? vk_no_memory(err, path) : VK_OK;
	const struct dirent *entry;

	free(name);
	while (status == VK_OK && dir != NULL && (entry = readdir(dir)) != NULL) {
		struct vk_split_name other;
		char *sibling;

		if (!vk_split_name(entry->d_name, &other) || !vk_split_name_same(first, &other))
			continue;
		if (asprintf(&sibling, "%.*s%s", (int)folder, path, entry->d_name) < 0)
			status = vk_no_memory(err, path);
		else if (!is_file(sibling))
			free(sibling);
		else if (vk_append(&list->paths, &list->count, &sibling, sizeof(sibling)) == NULL)
			status = vk_no_memory(err, path);
	}
	if (dir != NULL)
		closedir(dir);
	if (list->count > 0)
		qsort(list->paths, list->count, sizeof(*list->paths), by_number);
	return status;
}

/* The length of all pieces but the last, which may be shorter; 0: they have several. */
static uint64_t piece_length(struct vk_io *const *pieces, size_t count)
{
	uint64_t length = vk_io_size_bytes(pieces[0]);

	for (size_t i = 1; i < count; i++)
		if (i + 1 < count ? vk_io_size_bytes(pieces[i]) != length : vk_io_size_bytes(pieces[i]) > length)
			return 0;
	return length;
}

static enum vk_status refuse_missing(const char *path, const char *name, struct vk_error *err)
{
	vk_error_set(err, VK_ABSENT, path, "the piece %s is missing, and the others do not show its length",
		     vk_shown_name(name).text);
	return vk_error_remedy(err, "name all pieces, in their order");
}

/* Name the pieces between two that are there; the sentence of them is cut where it does not fit. */
static void tell_missing(struct vk_io_join *join, const struct vk_split_name *from, size_t to, uint64_t at)
{
	struct vk_text text = {join->missing, sizeof(join->missing), strlen(join->missing)};
	char name[VK_JOIN_NAME_BYTES];

	if (join->missing_count == 0)
		join->missing_at_bytes = at;
	for (size_t number = from->number + 1; number < to; number++, join->missing_count++) {
		vk_split_name_nth(from, number, name, sizeof(name));
		vk_text_put(&text, join->missing_count > 0 ? ", " : "");
		vk_text_label(&text, (const uint8_t *)name, strlen(name));
	}
}

/* Where each piece lies, from its number. */
static enum vk_status place_pieces(const struct piece_list *list, struct vk_io *const *pieces,
				   struct vk_io_part *parts, struct vk_io_join *join, struct vk_error *err)
{
	const uint64_t length = piece_length(pieces, list->count);
	struct vk_split_name before, name;
	char missing[VK_JOIN_NAME_BYTES];
	uint64_t at = 0;

	for (size_t i = 0; i < list->count; i++, before = name) {
		uint64_t gap;

		if (!vk_split_name(list->paths[i], &name))
			return vk_error_set(err, VK_INTERNAL, list->paths[i], "this is not a piece of a split dump");
		if (i == 0)
			before = name;
		if (i == 0 && !vk_split_name_first(&name)) {
			vk_split_name_nth(&name, !name.letters, missing, sizeof(missing));
			return refuse_missing(list->paths[0], missing, err);
		}
		gap = i == 0 ? 0 : name.number - before.number - 1;
		if (gap > 0 && length == 0) {
			vk_split_name_nth(&name, before.number + 1, missing, sizeof(missing));
			return refuse_missing(list->paths[0], missing, err);
		}
		if (gap > 0)
			tell_missing(join, &before, name.number, at);
		at = vk_add_sat(at, vk_mul_sat(gap, length));
		join->missing_bytes += gap * length;
		parts[i] = (struct vk_io_part){at, vk_io_size_bytes(pieces[i]), pieces[i], 0};
		at = vk_add_sat(at, parts[i].length_bytes);
		if (parts[i].length_bytes == 0)
			return vk_error_set(err, VK_IO, list->paths[i], "this piece of a split dump is 0 bytes long");
	}
	return VK_OK;
}

static enum vk_status join_pieces(const struct piece_list *list, const struct vk_open_options *options,
				  struct vk_io **pieces, struct vk_io **ret_io, struct vk_error *err)
{
	struct vk_io_part *parts = calloc(list->count, sizeof(*parts));
	struct vk_io_join *join = calloc(1, sizeof(*join));
	const struct vk_io_part *last = NULL;
	enum vk_status status = parts == NULL || join == NULL ? vk_no_memory(err, list->paths[0]) : VK_OK;

	for (size_t i = 0; status == VK_OK && i < list->count; i++)
		status = vk_io_path(list->paths[i], options, &pieces[i], err);
	if (status == VK_OK)
		status = place_pieces(list, pieces, parts, join, err);
	if (status == VK_OK) {
		last = &parts[list->count - 1];
		join->count = list->count;
		snprintf(join->last, sizeof(join->last), "%s", list->paths[list->count - 1]);
		*ret_io = vk_io_parts(list->paths[0], parts, list->count,
				      vk_add_sat(last->offset_bytes, last->length_bytes), VK_SPAN_ABSENT);
		if (*ret_io == NULL)
			status = vk_no_memory(err, list->paths[0]);
	}
	if (status == VK_OK) {
		vk_io_parts_own(*ret_io);
		(*ret_io)->join = join;
	} else {
		free(join);
	}
	free(parts);
	return status;
}

/* Of what lies beside a first piece: whether it is what goes on there, as far as names and lengths tell. */
static bool is_dump(const struct piece_list *list)
{
	struct stat st;
	off_t length = 0;

	for (size_t i = 0; list->paths != NULL && i < list->count; i++) {
		if (stat(list->paths[i], &st) != 0 || st.st_size == 0)
			return false;
		if (i == 0)
			length = st.st_size;
		if (i + 1 < list->count ? st.st_size != length : st.st_size > length)
			return false;
	}
	return list->paths != NULL && list->count > 1;
}

static enum vk_status open_list(struct piece_list *list, const struct vk_open_options *options,
				struct vk_io **ret_io, struct vk_error *err)
{
	struct vk_io **pieces;
	enum vk_status status;

	if (list->count > VK_SPLIT_PIECES_MAX) {
		vk_error_set(err, VK_UNSUPPORTED, list->paths[0], "it is split into more than %d pieces",
			     VK_SPLIT_PIECES_MAX);
		return vk_error_remedy(err, "put them together with cat, in their order");
	}
	pieces = calloc(list->count + 1, sizeof(struct vk_io *));
	if (pieces == NULL)
		return vk_no_memory(err, list->paths[0]);
	status = join_pieces(list, options, pieces, ret_io, err);
	for (size_t i = 0; status != VK_OK && i < list->count; i++)
		vk_io_close(pieces[i]);
	free(pieces);
	return status;
}

/* The first piece alone was named. */
static enum vk_status open_with_siblings(const char *path, const struct vk_split_name *first,
					 const struct vk_open_options *options, struct vk_io **ret_io,
					 struct vk_error *err)
{
	struct piece_list found = {.count = 0}, dump;
	struct vk_split_name lowest;
	enum vk_status status = find_siblings(path, first, &found, err);

	if (status == VK_OK) {
		dump = found;
		dump.count = vk_io_split_count((const char *const *)found.paths, found.count);
		/* beside a .000 a .001 is the second one */
		if (dump.paths != NULL && is_dump(&dump) && vk_split_name(dump.paths[0], &lowest) &&
		    lowest.number == first->number)
			status = open_list(&dump, options, ret_io, err);
		else
			status = vk_io_path(path, options, ret_io, err);
	}
	for (size_t i = 0; found.paths != NULL && i < found.count; i++)
		free(found.paths[i]);
	free(found.paths);
	return status;
}

/* A backup GPT ends a whole disk: what is numbered after it is another one. */
static bool ends_a_disk(const char *path, uint64_t size_bytes)
{
	static const uint32_t sectors[] = {512, 4096};
	uint8_t signature[8];
	struct vk_io *io;
	bool ends = false;

	if (vk_io_path(path, NULL, &io, NULL) != VK_OK)
		return false;
	for (size_t i = 0; i < sizeof(sectors) / sizeof(sectors[0]); i++)
		ends = ends || (size_bytes >= sectors[i] &&
				vk_io_read_all(io, size_bytes - sectors[i], signature, sizeof(signature), NULL) ==
					VK_OK &&
				memcmp(signature, "EFI PART", 8) == 0);
	vk_io_close(io);
	return ends;
}

/* Whether a later piece was named alone, as far as names, lengths and beginnings tell. */
static enum vk_status note_first(const char *path, const struct vk_split_name *name, struct vk_io *io,
				 struct vk_error *err)
{
	struct vk_io_join join = {.count = 1};
	const size_t folder = (size_t)(name->base - path);
	struct stat st;

	if (strlen(path) >= sizeof(join.first) || holds_beginning(io))
		return VK_OK;
	memcpy(join.first, path, folder);
	/* beside a .000 a .001 is the second one */
	vk_split_name_nth(name, 0, join.first + folder, sizeof(join.first) - folder);
	if (!is_file(join.first) && !name->letters)
		vk_split_name_nth(name, 1, join.first + folder, sizeof(join.first) - folder);
	if (strcmp(join.first, path) == 0 || !is_file(join.first) || stat(join.first, &st) != 0 ||
	    (uint64_t)st.st_size < vk_io_size_bytes(io) || ends_a_disk(join.first, (uint64_t)st.st_size))
		return VK_OK;
	io->join = malloc(sizeof(join));
	if (io->join == NULL)
		return vk_no_memory(err, path);
	*io->join = join;
	return VK_OK;
}

enum vk_status vk_io_refuse_later_piece(const struct vk_io *io, struct vk_error *err)
{
	const struct vk_io_join *join = vk_io_join(io);

	if (join == NULL || join->first[0] == '\0')
		return VK_OK;
	vk_error_set(err, VK_USAGE, vk_io_name(io), "this is a later piece of the split dump that begins with %s",
		     vk_shown_name(join->first).text);
	return vk_error_remedy(err, "name %s: the pieces beside it are read with it", vk_shell_path(join->first).text);
}

enum vk_status vk_io_joined(const char *path, const struct vk_open_options *options, struct vk_io **ret_io,
			    struct vk_error *err)
{
	const struct vk_io_view *view = options != NULL ? &options->view : NULL;
	struct vk_split_name name;
	struct piece_list list;
	enum vk_status status;

	if (view != NULL && view->piece_count > 0) {
		list.count = view->piece_count + 1;
		list.paths = calloc(list.count, sizeof(*list.paths));
		if (list.paths == NULL)
			return vk_no_memory(err, path);
		list.paths[0] = (char *)(uintptr_t)path;
		for (size_t i = 1; i < list.count; i++)
			list.paths[i] = (char *)(uintptr_t)view->pieces[i - 1];
		status = open_list(&list, options, ret_io, err);
		free(list.paths);
		return status;
	}
	if (strcmp(path, "-") == 0 || !vk_split_name(path, &name) || !is_file(path))
		return vk_io_path(path, options, ret_io, err);
	status = vk_split_name_first(&name) ? open_with_siblings(path, &name, options, ret_io, err)
					    : vk_io_path(path, options, ret_io, err);
	if (status != VK_OK || vk_io_join(*ret_io) != NULL)
		return status;
	status = note_first(path, &name, *ret_io, err);
	if (status != VK_OK)
		vk_io_close(*ret_io);
	return status;
}
