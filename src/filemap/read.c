/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the map of a volume line by line; it is taken for hostile. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "filemap/file_map_form.h"
#include "vmfskit/scsi_id.h"
#include "vmfskit/text.h"
#include "vmfskit/vmfs_uuid.h"

enum { PIECE_BYTES = 256 << 10, FIELDS_MAX = 12 };

struct reader {
	struct vk_io *io;
	const struct vk_file_map_visitor *visitor;
	char *buf;             /* PIECE_BYTES and a line */
	size_t start, end;     /* what is in it */
	uint64_t at;           /* of buf[end] in the map */
	uint64_t line_number;
	struct vk_file_map_sums sums;
	uint64_t torn;
	bool old;              /* form 1 */
	unsigned kind;         /* of the stamps that came last */
	uint64_t cluster;      /* behind them */
	bool at_end;           /* no file comes any more */
	bool has_file, has_id; /* runs, or an id, of a file may come */
	uint32_t type;
	uint64_t size;         /* of the file */
	uint64_t mapped;       /* how far its runs reach */
	bool left_out;         /* a file has no runs that should have some */
	bool ended;
	enum vk_status status;
	struct vk_error *err;
};

const char *vk_file_map_scope_name(unsigned scope)
{
	static const char *const names[] = {"all", "disks", "names", "cut"};

	return scope <= VK_FILE_MAP_CUT ? names[scope] : "";
}

static bool fail(struct reader *r, const char *what)
{
	if (r->status == VK_OK)
		r->status = vk_error_set(r->err, VK_DAMAGED, vk_io_name(r->io), "line %llu of the file map: %s",
					 (unsigned long long)r->line_number, what);
	return false;
}

/* Whoever takes it in has no memory for it. */
static bool taken(struct reader *r, bool took)
{
	if (!took)
		r->status = vk_no_memory(r->err, vk_io_name(r->io));
	return took;
}

/* Cuts count words off a line at single blanks; what is left of it is *ret_rest, NULL when nothing is. */
static bool split(struct reader *r, char *line, size_t count, char *words[FIELDS_MAX], char **ret_rest)
{
	for (size_t i = 0; i < count; i++) {
		if (line == NULL || line[0] == '\0' || line[0] == ' ')
			return fail(r, "fields are missing");
		words[i] = line;
		line = strchr(line, ' ');
		if (line != NULL)
			*line++ = '\0';
	}
	*ret_rest = line;
	return true;
}

static bool number32(const char *word, uint32_t *ret_number)
{
	uint64_t number;

	if (!vk_text_parse_number(word, UINT32_MAX, &number))
		return false;
	*ret_number = (uint32_t)number;
	return true;
}

/* The runs of a file reach to its end, or there are none. */
static bool end_file(struct reader *r)
{
	if (r->has_file && r->mapped == 0 && r->size > 0)
		r->left_out = true;
	else if (r->has_file && r->mapped != r->size)
		return fail(r, "the runs of the file before it have another length than the file");
	r->has_file = r->has_id = false;
	return true;
}

static bool begin_file(struct reader *r)
{
	return end_file(r) && (!r->at_end || fail(r, "a file behind what ends the map"));
}

static bool path_sound(const char *path)
{
	return path != NULL && path[0] != '\0' && strlen(path) < VK_FS_PATH_BYTES;
}

static bool give_file(struct reader *r, const struct vk_file_map_file *file)
{
	if (++r->sums.files > VK_FILE_MAP_FILES_MAX)
		return fail(r, "no volume has so many files");
	return r->visitor == NULL || r->visitor->file == NULL ||
	       taken(r, r->visitor->file(r->visitor->ctx, file));
}

static bool read_file(struct reader *r, char *line)
{
	struct vk_file_map_file f = {.path = NULL};
	char *w[FIELDS_MAX], *path;
	uint32_t *const rest[] = {&f.flags, &f.mode, &f.uid, &f.gid, &f.links, &f.mtime, &f.ctime};
	bool sound = begin_file(r) && split(r, line, 12, w, &path);

	if (!sound)
		return false;
	sound = path_sound(path) && number32(w[0], &f.type) && number32(w[1], &f.address) &&
		number32(w[2], &f.generation) && vk_text_parse_number(w[3], UINT64_MAX, &f.size_bytes) &&
		vk_text_parse_number(w[4], UINT64_MAX, &f.block_bytes);
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		sound = sound && number32(w[5 + i], rest[i]);
	if (!sound)
		return fail(r, "this describes no file");
	f.path = path;
	r->has_file = true;
	r->has_id = f.type == VK_FILE_RDM;
	r->size = f.size_bytes;
	r->mapped = 0;
	return give_file(r, &f);
}

static bool read_unread(struct reader *r, char *line)
{
	struct vk_file_map_file f = {.unread = true};
	char *w[FIELDS_MAX], *path;

	if (!begin_file(r) || !split(r, line, 3, w, &path))
		return false;
	if (!path_sound(path) || !number32(w[0], &f.type) || !number32(w[1], &f.address) ||
	    !number32(w[2], &f.generation))
		return fail(r, "this describes no file");
	f.path = path;
	r->sums.unread++;
	return give_file(r, &f);
}

static bool read_id(struct reader *r, const char *line)
{
	if (!r->has_id || r->mapped > 0 || line[0] == '\0' || strlen(line) >= VK_SCSI_NAME_BYTES)
		return fail(r, "a LUN is named that is not of a raw device mapping");
	r->has_id = false;
	return r->visitor == NULL || r->visitor->disk_id == NULL ||
	       taken(r, r->visitor->disk_id(r->visitor->ctx, line));
}

static bool read_run(struct reader *r, enum vk_run_kind kind, bool copy_on_write, char *line)
{
	struct vk_fs_run run = {.kind = kind, .file_offset = r->mapped, .volume_offset = UINT64_MAX, .extent = SIZE_MAX,
				.source_offset = UINT64_MAX, .copy_on_write = copy_on_write};
	char *w[FIELDS_MAX], *place;

	if (!r->has_file)
		return fail(r, "a run of no file");
	if (!split(r, line, 1, w, &place))
		return false;
	if (!vk_text_parse_number(w[0], r->size - r->mapped, &run.length_bytes) || run.length_bytes == 0)
		return fail(r, "the length of a run does not fit its file");
	if (place != NULL && (!vk_text_parse_number(place, INT64_MAX, &run.volume_offset) ||
			      run.length_bytes > INT64_MAX - run.volume_offset))
		return fail(r, "a run lies nowhere");
	if (place == NULL && (kind == VK_RUN_DATA || kind == VK_RUN_TBZ))
		return fail(r, "a run has no place");
	r->mapped += run.length_bytes;
	r->sums.runs++;
	return r->visitor == NULL || r->visitor->run == NULL || taken(r, r->visitor->run(r->visitor->ctx, &run));
}

static bool read_torn(struct reader *r, char *line)
{
	char *w[FIELDS_MAX], *rest;
	uint32_t address, generation;

	if (!end_file(r) || !split(r, line, 2, w, &rest))
		return false;
	if (rest != NULL || !number32(w[0], &address) || !number32(w[1], &generation) ||
	    ++r->torn > r->sums.files)
		return fail(r, "this names no torn file");
	return r->visitor == NULL || r->visitor->torn == NULL ||
	       taken(r, r->visitor->torn(r->visitor->ctx, address, generation));
}

static bool read_stamps(struct reader *r, char *line)
{
	struct vk_file_map_stamps s = {.first = 0};
	char *w[FIELDS_MAX], *rest;
	unsigned kind = 0;

	if (!end_file(r) || !split(r, line, 4, w, &rest))
		return false;
	while (kind < VK_CLUSTERS_KINDS && strcmp(w[0], vk_fs_cluster_kind_name((enum vk_fs_cluster_kind)kind)) != 0)
		kind++;
	r->at_end = true;
	r->cluster = kind > r->kind ? 0 : r->cluster;
	if (r->old || rest != NULL || kind < r->kind || kind == VK_CLUSTERS_KINDS ||
	    !vk_text_parse_number(w[1], VK_FILE_MAP_CLUSTERS_MAX, &s.first) || s.first < r->cluster ||
	    !vk_text_parse_number(w[2], VK_FILE_MAP_CLUSTERS_MAX - s.first, &s.count) || s.count == 0 ||
	    !vk_text_parse_number(w[3], VK_STAMP_NONE - 1, &s.stamp))
		return fail(r, "these are no stamps of clusters");
	s.kind = (enum vk_fs_cluster_kind)kind;
	r->kind = kind;
	r->cluster = s.first + s.count;
	r->sums.clusters += s.count;
	return r->visitor == NULL || r->visitor->stamps == NULL || taken(r, r->visitor->stamps(r->visitor->ctx, &s));
}

static bool read_volume(struct reader *r, char *line)
{
	char *w[FIELDS_MAX], *rest;
	struct vk_vmfs_uuid uuid;

	if (r->sums.volume[0] != '\0' || !split(r, line, 2, w, &rest))
		return fail(r, "the volume is named twice, or not at all");
	if (!vk_vmfs_uuid_parse(w[0], &uuid) || !vk_text_parse_number(w[1], INT64_MAX, &r->sums.block_bytes) ||
	    rest == NULL || strlen(rest) >= sizeof(r->sums.version))
		return fail(r, "this describes no volume");
	vk_vmfs_uuid_format(&uuid, r->sums.volume);
	memcpy(r->sums.version, rest, strlen(rest) + 1);
	return true;
}

static bool read_end(struct reader *r, char *line)
{
	uint64_t seen[4] = {r->sums.files, r->sums.runs, r->sums.unread, r->torn}, said;
	char *w[FIELDS_MAX], *rest;
	bool sound;
	unsigned scope = 0;

	if (!end_file(r) || !split(r, line, r->old ? 6 : 7, w, &rest))
		return false;
	while (scope <= VK_FILE_MAP_CUT && strcmp(w[0], vk_file_map_scope_name(scope)) != 0)
		scope++;
	sound = rest == NULL && scope <= VK_FILE_MAP_CUT && vk_text_parse_number(w[5], UINT64_MAX, &r->sums.faults);
	for (size_t i = 0; i < 4; i++)
		sound = sound && vk_text_parse_number(w[1 + i], UINT64_MAX, &said) && said == seen[i];
	sound = sound && (r->old || (vk_text_parse_number(w[6], UINT64_MAX, &said) && said == r->sums.clusters));
	if (!sound)
		return fail(r, "the sums are not those of the map");
	if (scope == VK_FILE_MAP_ALL && r->left_out)
		return fail(r, "a file has no runs");
	r->sums.scope = (enum vk_file_map_scope)scope;
	r->sums.torn = r->torn;
	return r->ended = true;
}

static bool newer(struct reader *r)
{
	r->status = vk_error_set(r->err, VK_UNSUPPORTED, vk_io_name(r->io), "the file map has a newer form");
	return false;
}

/* One line without its end. */
static bool read_line(struct reader *r, char *line)
{
	const char *kind;

	if (r->ended)
		return fail(r, "bytes behind the end");
	if (r->line_number == 1) {
		r->old = strcmp(line, VK_FILE_MAP_FORM_1) == 0;
		if (r->old || strncmp(line, VK_FILE_MAP_FIRST_LINE, strlen(VK_FILE_MAP_FIRST_LINE) - 1) == 0)
			return r->old || line[strlen(VK_FILE_MAP_FIRST_LINE) - 1] == '\0' || newer(r);
		if (strncmp(line, "vmfskit file map ", 17) != 0)
			return fail(r, "this is no file map");
		return newer(r);
	}
	if (line[0] == '\0' || line[1] != ' ' || (line[0] == 'V') != (r->line_number == 2))
		return fail(r, "no line of a file map");
	switch (line[0]) {
	case 'V':
		return read_volume(r, line + 2);
	case 'F':
		return read_file(r, line + 2);
	case 'U':
		return read_unread(r, line + 2);
	case 'R':
		return read_id(r, line + 2);
	case 'T':
		return read_torn(r, line + 2);
	case 'C':
		return read_stamps(r, line + 2);
	case 'E':
		return read_end(r, line + 2);
	case '-':
		break;
	default:
		kind = strchr(vk_file_map_kinds, line[0]);
		if (kind != NULL)
			return read_run(r, (enum vk_run_kind)(kind - vk_file_map_kinds), false, line + 2);
		kind = strchr(vk_file_map_kinds_cow, line[0]);
		if (kind != NULL)
			return read_run(r, (enum vk_run_kind)(kind - vk_file_map_kinds_cow), true, line + 2);
	}
	return fail(r, "no line of a file map");
}

/* The next line, with a NUL in place of its end; NULL: there is none, or it is none. */
static char *next_line(struct reader *r)
{
	for (;;) {
		char *line = r->buf + r->start, *end = memchr(line, '\n', r->end - r->start);
		size_t got;

		if (end != NULL) {
			r->line_number++;
			r->start += (size_t)(end - line) + 1;
			*end = '\0';
			if (strlen(line) == (size_t)(end - line) && end - line < VK_FILE_MAP_LINE_BYTES)
				return line;
			(void)fail(r, "too long, or not text");
			return NULL;
		}
		if (r->end - r->start >= VK_FILE_MAP_LINE_BYTES) {
			(void)fail(r, "a line is too long");
			return NULL;
		}
		memmove(r->buf, line, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
		r->status = vk_io_read(r->io, r->at, r->buf + r->end, PIECE_BYTES, &got, r->err);
		if (r->status != VK_OK)
			return NULL;
		if (got == 0) {
			if (!r->ended || r->end > 0)
				(void)fail(r, "it ends early");
			return NULL;
		}
		r->at += got;
		r->end += got;
	}
}

enum vk_status vk_file_map_read(struct vk_io *io, const struct vk_file_map_visitor *visitor,
				struct vk_file_map_sums *ret_sums, struct vk_error *err)
{
	struct reader r = {.io = io, .visitor = visitor, .status = VK_OK, .err = err};
	char *line;

	if (vk_io_size_bytes(io) > VK_FILE_MAP_MOST_BYTES)
		return vk_error_set(err, VK_DAMAGED, vk_io_name(io), "no file map is so long");
	r.buf = malloc(PIECE_BYTES + VK_FILE_MAP_LINE_BYTES);
	if (r.buf == NULL)
		return vk_no_memory(err, vk_io_name(io));
	do
		line = next_line(&r);
	while (line != NULL && read_line(&r, line));
	free(r.buf);
	if (r.status == VK_OK)
		*ret_sums = r.sums;
	return r.status;
}
