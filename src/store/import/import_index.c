/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing the text of a collector, line by line. */
#include "base/memory.h"
#include "base/shown.h"
#include "store/folder/digest.h"
#include "store/import/import_index.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/image/tar.h"
#include "store/manifest/manifest.h"

struct parser {
	const char *where;
	struct vk_error *err;
	struct vk_index index;
	size_t line;
	enum vk_status status;
};

static void fail(struct parser *p, const char *what)
{
	if (p->status == VK_OK)
		p->status = vk_error_set(p->err, VK_DAMAGED, p->where, "line %zu is wrong: %s", p->line, what);
}

/* The last disk, whose block the line belongs to. */
static struct vk_index_disk *disk_of(struct parser *p)
{
	if (p->index.disk_count > 0)
		return &p->index.disks[p->index.disk_count - 1];
	fail(p, "it belongs to no disk");
	return NULL;
}

/* Decimal digits and nothing else. */
static bool read_number(const char *text, uint64_t max, uint64_t *ret_value)
{
	return text[strspn(text, "0123456789")] == '\0' && vk_text_parse_number(text, max, ret_value);
}

/* The next word of the line, which then begins behind it. */
static const char *word(char **line)
{
	char *start = *line;
	size_t len = strcspn(start, " ");

	*line = start + len;
	if (**line == ' ')
		*(*line)++ = '\0';
	return start;
}

static void add_disk(struct parser *p)
{
	const struct vk_index_disk disk = {.sector_size = 512};

	if (p->index.disk_count == VK_INDEX_DISKS_MAX)
		fail(p, "too many disks");
	else if (vk_append(&p->index.disks, &p->index.disk_count, &disk, sizeof(disk)) == NULL)
		p->status = vk_no_memory(p->err, p->where);
}

static void add_piece(struct parser *p, bool readable, char *rest)
{
	struct vk_index_disk *disk = disk_of(p);
	struct vk_index_piece piece = {.file = ""};
	const char *file = readable ? word(&rest) : "";

	if (disk == NULL)
		return;
	if (strlen(file) >= sizeof(piece.file) || (readable && !vk_import_path_plain(file))) {
		fail(p, "the name of the file leads elsewhere or is too long");
		return;
	}
	memcpy(piece.file, file, strlen(file) + 1);
	if (!read_number(word(&rest), INT64_MAX / 2, &piece.offset_bytes) ||
	    !read_number(word(&rest), INT64_MAX / 2, &piece.length_bytes) ||
	    piece.length_bytes == 0 || *rest != '\0') {
		fail(p, "offset or length is not a number in bounds");
		return;
	}
	if (disk->piece_count == VK_INDEX_PIECES_MAX)
		fail(p, "too many pieces");
	else if (vk_append(&disk->pieces, &disk->piece_count, &piece, sizeof(piece)) == NULL)
		p->status = vk_no_memory(p->err, p->where);
}

/* Digests follow the piece that they are of. */
static void add_digest(struct parser *p, bool sha256, char *rest)
{
	struct vk_index_disk *disk = disk_of(p);
	const char *file = word(&rest);
	struct vk_index_piece *piece;

	if (disk == NULL)
		return;
	piece = disk->piece_count > 0 ? &disk->pieces[disk->piece_count - 1] : NULL;
	if (piece == NULL || strcmp(piece->file, file) != 0)
		fail(p, "the digest does not match the piece before it");
	else if (!(sha256 ? vk_sha256_text(rest) : vk_digest_text(rest, VK_MD5_HEX_BYTES - 1)))
		fail(p, "this is not a digest");
	else
		memcpy(sha256 ? piece->sha256 : piece->md5, rest, strlen(rest) + 1);
}

static void copy_text(struct parser *p, char *ret_text, size_t cap, const char *from)
{

	if (from[0] == '\0' || strlen(from) >= cap) {
		fail(p, "the text is empty or too long");
		return;
	}
	vk_label_into(ret_text, cap, from, strlen(from));
}

static void read_time(struct parser *p, const char *text)
{
	struct tm tm = {.tm_year = 0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	time_t seconds = end != NULL && *end == '\0' ? timegm(&tm) : -1;

	if (seconds < 0)
		fail(p, "this is not a time in UTC");
	else
		p->index.unix_seconds = (uint64_t)seconds;
}

static void read_disk_line(struct parser *p, const char *key, char *rest)
{
	struct vk_index_disk *disk = disk_of(p);
	uint64_t number = 0;

	if (disk == NULL)
		return;
	if (strcmp(key, "name") == 0) {
		copy_text(p, disk->name, sizeof(disk->name), rest);
	} else if (strcmp(key, "path") == 0) {
		copy_text(p, disk->path, sizeof(disk->path), rest);
	} else if (strcmp(key, "sector") == 0) {
		if (!read_number(rest, 4096, &number) || (number != 512 && number != 4096))
			fail(p, "the sector size is neither 512 nor 4096");
		disk->sector_size = (uint32_t)number;
	} else if (strcmp(key, "status") == 0) {
		disk->incomplete = strcmp(rest, "complete") != 0;
	} else if (strcmp(key, "broken") == 0) {
		disk->broken = true;
	} else if (strcmp(rest, "unknown") != 0) {
		if (!read_number(rest, INT64_MAX / 2, &number) || number == 0)
			fail(p, "the size is not a number in bounds");
		disk->size_bytes = number;
	}
}

/* Keys that are not known belong to later versions of the same format, or are for people. */
static void read_line(struct parser *p, char *line)
{
	const char *key = word(&line);
	uint64_t count;

	if (p->index.complete)
		fail(p, "there is more behind the end");
	else if (strcmp(key, "host") == 0)
		copy_text(p, p->index.host, sizeof(p->index.host), line);
	else if (strcmp(key, "time") == 0)
		read_time(p, line);
	else if (strcmp(key, "disk") == 0)
		add_disk(p);
	else if (strcmp(key, "name") == 0 || strcmp(key, "path") == 0 || strcmp(key, "size") == 0 ||
		 strcmp(key, "sector") == 0 || strcmp(key, "status") == 0 || strcmp(key, "broken") == 0)
		read_disk_line(p, key, line);
	else if (strcmp(key, "piece") == 0 || strcmp(key, "unreadable") == 0)
		add_piece(p, key[0] == 'p', line);
	else if (strcmp(key, "sha256sum") == 0 || strcmp(key, "md5sum") == 0)
		add_digest(p, key[0] == 's', line);
	else if (strcmp(key, "end") == 0)
		p->index.complete = read_number(line, SIZE_MAX, &count) && count == p->index.disk_count;
}

static void read_first_line(struct parser *p, const char *line)
{
	static const char name[] = "vmfskit-collect/";

	if (strcmp(line, "vmfskit-collect/1") == 0)
		return;
	if (strncmp(line, name, sizeof(name) - 1) != 0) {
		fail(p, "it does not begin with vmfskit-collect/1");
		return;
	}
	vk_error_set(p->err, VK_UNSUPPORTED, p->where, "it was written by another version of the collector");
	p->status = vk_error_remedy(p->err, "use a newer vmfskit");
}

enum vk_status vk_index_parse(const char *text, size_t len, const char *where,
			      struct vk_index *ret_index, struct vk_error *err)
{
	struct parser p = {.where = where, .err = err, .status = VK_OK};
	char line[VK_INDEX_TEXT_BYTES + 64];

	for (size_t at = 0; at < len && p.status == VK_OK;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end != NULL ? (size_t)(end - text) - at : len - at;

		p.line++;
		if (end == NULL || n >= sizeof(line) || memchr(text + at, '\0', n) != NULL) {
			fail(&p, "it is too long, has a NUL in it or is cut");
			break;
		}
		memcpy(line, text + at, n);
		line[n] = '\0';
		at += n + 1;
		if (p.line == 1)
			read_first_line(&p, line);
		else
			read_line(&p, line);
	}
	if (p.line == 0)
		fail(&p, "it is empty");
	if (p.status == VK_OK && p.index.unix_seconds == 0)
		p.status = vk_error_set(err, VK_DAMAGED, where, "it does not say when it was collected");
	for (size_t i = 0; i < p.index.disk_count && p.status == VK_OK; i++)
		if (p.index.disks[i].name[0] == '\0')
			p.status = vk_error_set(err, VK_DAMAGED, where, "disk %zu has no name", i + 1);
	if (p.status == VK_OK)
		*ret_index = p.index;
	else
		vk_index_free(&p.index);
	return p.status;
}

void vk_index_free(struct vk_index *index)
{
	for (size_t i = 0; i < index->disk_count; i++)
		free(index->disks[i].pieces);
	free(index->disks);
	memset(index, 0, sizeof(*index));
}
