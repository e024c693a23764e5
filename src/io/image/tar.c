/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the headers of a tar; its bytes stay where they are. */
#include "base/memory.h"
#include "io/image/tar.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/shown.h"

enum {
	BLOCK_BYTES = 512,
	/* fields of the ustar header, POSIX.1-1988 */
	NAME = 0,
	NAME_BYTES = 100,
	SIZE = 124,
	SIZE_BYTES = 12,
	TIME = 136,
	CHECKSUM = 148,
	CHECKSUM_BYTES = 8,
	TYPE = 156,
	MAGIC = 257,
	PREFIX = 345,
	PREFIX_BYTES = 155
};

struct reader {
	struct vk_io *io;
	struct vk_tar tar;
	size_t headers; /* folders count, too */
	uint64_t at;
	struct vk_error *err;
};

/* Blanks in front, octal digits, then a NUL or a blank; nothing else is a number. */
static bool read_octal(const uint8_t *field, size_t len, uint64_t *ret_value)
{
	uint64_t value = 0;
	size_t i = 0;
	size_t digits = 0;

	while (i < len && field[i] == ' ')
		i++;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++, digits++)
		value = value * 8 + (field[i] - '0');
	if (digits == 0 || (i < len && field[i] != '\0' && field[i] != ' '))
		return false;
	*ret_value = value;
	return true;
}

static bool checksum_fits(const uint8_t *header)
{
	uint64_t recorded;
	uint64_t sum = 0;

	for (size_t i = 0; i < BLOCK_BYTES; i++)
		sum += i >= CHECKSUM && i < CHECKSUM + CHECKSUM_BYTES ? ' ' : header[i];
	return read_octal(header + CHECKSUM, CHECKSUM_BYTES, &recorded) && recorded == sum;
}

bool vk_tar_recognise(struct vk_io *io)
{
	uint8_t header[BLOCK_BYTES];

	return vk_io_read_all(io, 0, header, sizeof(header), NULL) == VK_OK &&
	       memcmp(header + MAGIC, "ustar", 5) == 0 && checksum_fits(header);
}

bool vk_import_path_plain(const char *path)
{
	for (const char *part = path;; part++) {
		size_t len = strcspn(part, "/");

		if (len == 0 || (len == 1 && part[0] == '.') ||
		    (len == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		part += len;
		if (*part == '\0')
			return true;
	}
}

static enum vk_status damaged(const struct reader *r, const char *what)
{
	vk_error_set(r->err, VK_DAMAGED, vk_io_name(r->io), "the tar is damaged: %s", what);
	vk_error_at(r->err, r->at);
	return vk_error_remedy(r->err, "collect or copy it again; a tar that was cut short lacks its end");
}

static enum vk_status refused(const struct reader *r, enum vk_status status, const char *name,
			      const char *what)
{
	char shown[200];

	vk_label_into(shown, sizeof(shown), name, strlen(name));
	vk_error_set(r->err, status, vk_io_name(r->io), "the tar has a member that %s: \"%s\"", what,
		     shown);
	return vk_error_at(r->err, r->at);
}

/* prefix/name, each of which may fill its field without a NUL. */
static void read_name(const uint8_t *header, char ret_name[VK_TAR_NAME_BYTES])
{
	size_t prefix = strnlen((const char *)header + PREFIX, PREFIX_BYTES);
	size_t len = strnlen((const char *)header + NAME, NAME_BYTES);
	char full[VK_TAR_NAME_BYTES];
	size_t at = 0;

	/* GNU tar has other things there */
	if (memcmp(header + MAGIC, "ustar\0", 6) == 0 && prefix > 0) {
		memcpy(full, header + PREFIX, prefix);
		full[prefix] = '/';
		at = prefix + 1;
	}
	memcpy(full + at, header + NAME, len);
	full[at + len] = '\0';
	at = strncmp(full, "./", 2) == 0 && full[2] != '\0' ? 2 : 0;
	memcpy(ret_name, full + at, strlen(full + at) + 1);
}

/* A folder's name ends with a slash; "./" is the one that everything lies in. */
static bool folder_plain(char *name)
{
	size_t len = strlen(name);

	while (len > 0 && name[len - 1] == '/')
		name[--len] = '\0';
	return strcmp(name, ".") == 0 || vk_import_path_plain(name);
}

static enum vk_status read_member(struct reader *r, const uint8_t *header)
{
	struct vk_tar_member member = {.offset_bytes = r->at + BLOCK_BYTES};
	char type = (char)header[TYPE];
	uint64_t size = vk_io_size_bytes(r->io);
	uint64_t end;

	if (memcmp(header + MAGIC, "ustar", 5) != 0 || !checksum_fits(header))
		return damaged(r, "there is no header where one should be");
	if (++r->headers > VK_TAR_MEMBERS_MAX)
		return damaged(r, "it has too many members");
	read_name(header, member.name);
	if (type != '0' && type != '\0' && type != '5')
		return refused(r, VK_UNSUPPORTED, member.name, "is neither a file nor a folder");
	if (!read_octal(header + SIZE, SIZE_BYTES, &member.length_bytes) ||
	    !read_octal(header + TIME, SIZE_BYTES, &member.modified))
		return damaged(r, "a size or time is not a number");
	if (type == '5') {
		r->at += BLOCK_BYTES;
		if (member.length_bytes != 0)
			return damaged(r, "a folder has a size");
		return folder_plain(member.name) ? VK_OK : refused(r, VK_REFUSED, member.name, "leads elsewhere");
	}
	if (!vk_import_path_plain(member.name))
		return refused(r, VK_REFUSED, member.name, "leads elsewhere");
	if (!vk_add_u64(member.offset_bytes, member.length_bytes, &end) || end > size)
		return damaged(r, "a member reaches behind its end");
	r->at = vk_round_up_sat(end, BLOCK_BYTES);
	if (vk_append(&r->tar.members, &r->tar.count, &member, sizeof(member)) == NULL)
		return vk_no_memory(r->err, vk_io_name(r->io));
	return VK_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct vk_tar_member *)a)->name, ((const struct vk_tar_member *)b)->name);
}

static enum vk_status sort_members(const struct reader *r)
{
	const struct vk_tar *tar = &r->tar;

	if (tar->count > 0)
		qsort(tar->members, tar->count, sizeof(*tar->members), by_name);
	for (size_t i = 1; i < tar->count; i++)
		if (by_name(&tar->members[i - 1], &tar->members[i]) == 0)
			return refused(r, VK_DAMAGED, tar->members[i].name, "is there twice");
	return VK_OK;
}

enum vk_status vk_tar_read(struct vk_io *io, struct vk_tar *ret_tar, struct vk_error *err)
{
	static const uint8_t zeros[BLOCK_BYTES];
	struct reader r = {.io = io, .err = err};
	enum vk_status status = VK_OK;

	while (status == VK_OK) {
		uint8_t header[BLOCK_BYTES];
		size_t got;

		status = vk_io_read(io, r.at, header, sizeof(header), &got, err);
		if (status == VK_OK && got < sizeof(header))
			status = damaged(&r, "it ends in the middle");
		if (status == VK_OK && memcmp(header, zeros, sizeof(zeros)) == 0)
			break;
		if (status == VK_OK)
			status = read_member(&r, header);
	}
	if (status == VK_OK)
		status = sort_members(&r);
	if (status == VK_OK)
		*ret_tar = r.tar;
	else
		vk_tar_free(&r.tar);
	return status;
}

void vk_tar_free(struct vk_tar *tar)
{
	free(tar->members);
	memset(tar, 0, sizeof(*tar));
}

static int compare_name(const void *name, const void *member)
{
	return strcmp(name, ((const struct vk_tar_member *)member)->name);
}

const struct vk_tar_member *vk_tar_find(const struct vk_tar *tar, const char *name)
{
	return tar->count == 0 ? NULL : bsearch(name, tar->members, tar->count, sizeof(*tar->members), compare_name);
}
