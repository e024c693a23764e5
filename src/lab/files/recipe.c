/* SPDX-License-Identifier: Apache-2.0 */
/* Recipes: a line for each file, KIND PATH and words about it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/memory.h"
#include "lab/files/files.h"
#include "vmfskit/text.h"

enum word {
	SIZE, CONTENT, DATA, TBZ, STORED, POINTERS, THIN, THICK, EAGER, FRAGMENTS, EXTENT, COW, DELETED, LEFT, MODE,
	UID, GID, MTIME, CTIME, ATIME, LOCK, ENTRIES, NAMES, TO, LUN, KIND, CID, PARENT, PARENT_CID, LOST, WORDS
};
static const struct {
	const char *word;
	const char *expected;
} words[WORDS] = {
	[SIZE] = {"size", "a size like 8193, 300G"},
	[CONTENT] = {"content", "pattern, zeros, or a file of this system with a slash in its name"},
	[DATA] = {"data", "stretches OFFSET+LENGTH, separated by commas, one behind the other; or none"},
	[TBZ] = {"tbz", "stretches OFFSET+LENGTH, separated by commas, one behind the other"},
	[STORED] = {"stored", "resident, sub-block, block, pointer-block, pointer-block2, double or large"},
	[POINTERS] = {"pointers", "pbc, pb2, sbc or fbb"},
	[THIN] = {"thin", "a word without a value"},
	[THICK] = {"thick", "a word without a value"},
	[EAGER] = {"eager", "a word without a value"},
	[FRAGMENTS] = {"fragments", "a number up to 1000000"},
	[EXTENT] = {"extent", "a member of the volume from 1 to 32"},
	[COW] = {"cow", "a word without a value"},
	[DELETED] = {"deleted", "a word without a value"},
	[LEFT] = {"left", "pointers, blocks or nothing"},
	[MODE] = {"mode", "octal permission bits"},
	[UID] = {"uid", "a number below 2^32"},
	[GID] = {"gid", "a number below 2^32"},
	[MTIME] = {"mtime", "a time like 2021-08-11T07:38:01Z, or seconds since 1970"},
	[CTIME] = {"ctime", "a time like 2021-08-11T07:38:01Z, or seconds since 1970"},
	[ATIME] = {"atime", "a time like 2021-08-11T07:38:01Z, or seconds since 1970"},
	[LOCK] = {"lock", "exclusive:HOST, shared:HOSTS or multi-writer:HOSTS; a host is a number from 0 on, or dead"},
	[ENTRIES] = {"entries", "a number of files up to 100000"},
	[NAMES] = {"names", "what the names of the entries begin with"},
	[TO] = {"to", "the target of the link"},
	[LUN] = {"lun", "naa. with 16 or 32 hexadecimal digits, or an mpx. name"},
	[KIND] = {"kind", "flat, delta, sesparse, rdm or rdmp"},
	[CID] = {"cid", "8 hexadecimal digits"},
	[PARENT] = {"parent", "the parent as the descriptor is to name it"},
	[PARENT_CID] = {"parent-cid", "8 hexadecimal digits"},
	[LOST] = {"lost", "descriptor or data"},
};

/* %20 is a blank; false: broken. In place. */
static bool unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++, to++) {
		char digits[3] = {0}, *end;

		*to = *from;
		if (*from != '%')
			continue;
		memcpy(digits, from + 1, strnlen(from + 1, 2));
		*to = (char)strtoul(digits, &end, 16);
		if (end != digits + 2 || *to == '\0')
			return false;
		from += 2;
	}
	*to = '\0';
	return true;
}

static bool set_text(char **to, const char *value)
{
	free(*to);
	*to = strdup(value);
	return *to != NULL && *value != '\0' && unescape(*to);
}

static bool set_stretches(struct vk_lab_stretch **to, size_t *count, char *value)
{
	while (value != NULL) {
		char *one = strsep(&value, ","), *plus = strchr(one, '+');
		struct vk_lab_stretch s;

		if (plus == NULL)
			return false;
		*plus++ = '\0';
		if (!vk_text_parse_size(one, &s.offset) || !vk_text_parse_size(plus, &s.length) || s.length == 0 ||
		    (*count > 0 && s.offset < (*to)[*count - 1].offset + (*to)[*count - 1].length) ||
		    vk_append(to, count, &s, sizeof(s)) == NULL)
			return false;
	}
	return true;
}

static bool set_lock(struct vk_lab_item *item, char *value)
{
	static const char *const modes[] = {"free", "exclusive", "shared", "multi-writer"};
	char *hosts = strchr(value, ':');
	uint64_t n;

	if (hosts == NULL)
		return false;
	*hosts++ = '\0';
	for (item->lock_mode = 1; item->lock_mode < 4 && strcmp(modes[item->lock_mode], value) != 0;)
		item->lock_mode++;
	while (hosts != NULL && item->host_count < VK_LOCK_HOLDERS) {
		const char *host = strsep(&hosts, ",");

		if (strcmp(host, "dead") == 0)
			item->hosts[item->host_count++] = VK_LAB_HOST_DEAD;
		else if (vk_text_parse_number(host, VK_LAB_LIVE_MAX, &n))
			item->hosts[item->host_count++] = (int)n;
		else
			return false;
	}
	return item->lock_mode < 4 && hosts == NULL && (item->lock_mode != 1 || item->host_count == 1);
}

static bool set_time(uint32_t *to, const char *value)
{
	uint64_t seconds;
	int64_t when;

	if (vk_text_parse_number(value, UINT32_MAX, &seconds)) {
		*to = (uint32_t)seconds;
		return true;
	}
	*to = vk_civil_parse(value, &when) ? (uint32_t)when : 0;
	return *to != 0 && (int64_t)*to == when;
}

static bool set_stored(struct vk_lab_item *item, const char *value)
{
	static const char *const names[] = {"", "resident", "sub-block", "block", "pointer-block", "pointer-block2",
					    "double", "large"};

	for (unsigned i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], value) == 0) {
			item->stored = (enum vk_lab_stored)i;
			return true;
		}
	return false;
}

/* Of a file that is deleted. */
static bool set_left(struct vk_lab_item *item, const char *value)
{
	static const char *const names[] = {"blocks", "pointers", "nothing"};

	item->deleted = true;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(value, names[i]) == 0) {
			item->left = (enum vk_lab_left)i;
			return true;
		}
	return false;
}

static bool set_pointers(struct vk_lab_item *item, const char *value)
{
	static const struct {
		const char *name;
		enum vk_system_file file;
	} places[] = {{"pbc", VK_SYSTEM_PBC}, {"pb2", VK_SYSTEM_PB2}, {"sbc", VK_SYSTEM_SBC}, {"fbb", VK_SYSTEM_FBB}};

	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strcmp(places[i].name, value) == 0) {
			item->pointers = places[i].file;
			return true;
		}
	return false;
}

static bool set_number(unsigned *to, const char *value, unsigned least, unsigned most)
{
	uint64_t n;

	if (!vk_text_parse_number(value, most, &n) || n < least)
		return false;
	*to = (unsigned)n;
	return true;
}

static bool set_content(struct vk_lab_item *item, const char *value)
{
	item->content = strcmp(value, "pattern") == 0 ? VK_LAB_PATTERN
			: strcmp(value, "zeros") == 0 ? VK_LAB_ZEROS
						      : VK_LAB_COPY;
	return item->content != VK_LAB_COPY || (strchr(value, '/') != NULL && set_text(&item->text, value));
}

static bool set_mode(struct vk_lab_item *item, const char *value)
{
	char *end;
	unsigned long mode = strtoul(value, &end, 8);

	item->mode = (unsigned)mode;
	item->has_mode = true;
	return *value != '\0' && *end == '\0' && mode <= 07777;
}

static bool set_cid(uint32_t *to, const char *value)
{
	char *end;

	*to = (uint32_t)strtoul(value, &end, 16);
	return strspn(value, "0123456789abcdef") == 8 && *end == '\0';
}

static bool set_lost(struct vk_lab_virtual *disk, const char *value)
{
	disk->no_descriptor = strcmp(value, "descriptor") == 0;
	disk->no_data = strcmp(value, "data") == 0;
	return disk->no_descriptor || disk->no_data;
}

/* False: the value makes no sense. */
static bool set_word(struct vk_lab_item *item, enum word word, char *value)
{
	switch (word) {
	case SIZE:
		return vk_text_parse_size(value, &item->size_bytes);
	case CONTENT:
		return set_content(item, value);
	case DATA:
		item->sparse = true;
		return strcmp(value, "none") == 0 || set_stretches(&item->data, &item->data_count, value);
	case TBZ:
		/* what is not to be zeroed is not written either, unless data says so */
		item->sparse = true;
		return set_stretches(&item->tbz, &item->tbz_count, value);
	case STORED:
		return set_stored(item, value);
	case POINTERS:
		return set_pointers(item, value);
	case THIN: case THICK: case EAGER:
		item->provision = word == THIN ? VK_LAB_THIN : word == THICK ? VK_LAB_THICK : VK_LAB_EAGER;
		return *value == '\0';
	case FRAGMENTS:
		return set_number(&item->fragments, value, 1, 1000000);
	case EXTENT:
		return set_number(&item->extent, value, 1, VK_LAB_MEMBERS_MAX);
	case COW:
		item->cow = true;
		return *value == '\0';
	case DELETED:
		item->deleted = true;
		return *value == '\0';
	case LEFT:
		return set_left(item, value);
	case MODE:
		return set_mode(item, value);
	case UID:
		return set_number(&item->uid, value, 0, UINT32_MAX);
	case GID:
		return set_number(&item->gid, value, 0, UINT32_MAX);
	case MTIME: case CTIME: case ATIME:
		return set_time(&item->times[word - MTIME], value);
	case LOCK:
		return set_lock(item, value);
	case ENTRIES:
		return set_number(&item->entries, value, 1, 100000);
	case NAMES:
		return set_text(&item->names, value);
	case KIND:
		return vk_lab_disk_kind_parse(value, &item->disk->kind);
	case CID: case PARENT_CID:
		return set_cid(word == CID ? &item->disk->cid : &item->disk->parent_cid, value);
	case PARENT:
		return set_text(&item->disk->parent, value);
	case LOST:
		return set_lost(item->disk, value);
	default:
		return set_text(&item->text, value);
	}
}

/* Which words a kind of file takes; all others are refused. */
static bool fits_kind(const struct vk_lab_item *item, enum word word)
{
	const enum vk_file_type type = item->type;
	bool common = word == DELETED || (word >= MODE && word <= LOCK);

	if (item->disk != NULL)
		return word >= LUN || (word != CONTENT && word != ENTRIES && word != NAMES && word != TO);
	switch (type) {
	case VK_FILE_FOLDER:
		return common || word == ENTRIES || word == NAMES || word == STORED;
	case VK_FILE_LINK:
		return common || word == TO || word == STORED;
	case VK_FILE_RDM:
		return common || word == LUN || word == SIZE;
	default:
		return word != ENTRIES && word != NAMES && word != TO && word < LUN;
	}
}

static enum vk_status parse_word(struct vk_lab_item *item, char *text, const char *line, struct vk_error *err)
{
	char *value = strchr(text, '=');

	if (value != NULL)
		*value++ = '\0';
	for (unsigned i = 0; i < WORDS; i++)
		if (strcmp(words[i].word, text) == 0 && fits_kind(item, (enum word)i))
			return set_word(item, (enum word)i, value == NULL ? text + strlen(text) : value)
				       ? VK_OK
				       : vk_error_set(err, VK_USAGE, line, "%s is %s", text, words[i].expected);
	return vk_error_set(err, VK_USAGE, line, "\"%s\" says nothing about such a file", text);
}

static bool parse_kind(const char *kind, enum vk_file_type *ret_type)
{
	*ret_type = strcmp(kind, "folder") == 0 ? VK_FILE_FOLDER
		    : strcmp(kind, "file") == 0 || strcmp(kind, "disk") == 0 ? VK_FILE_ORDINARY
		    : strcmp(kind, "link") == 0 ? VK_FILE_LINK
		    : strcmp(kind, "rdm") == 0	? VK_FILE_RDM
						: VK_FILE_INVALID;
	return *ret_type != VK_FILE_INVALID;
}

/* Empty files of a folder, f0 and so on. */
static enum vk_status add_entries(struct vk_lab_files_asked *asked, const struct vk_lab_item *folder,
				  struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (unsigned i = 0; i < folder->entries && status == VK_OK; i++) {
		struct vk_lab_item item = {.type = VK_FILE_ORDINARY};

		if (asprintf(&item.path, "%s/%s%u", folder->path, folder->names == NULL ? "f" : folder->names, i) < 0)
			return vk_no_memory(err, NULL);
		status = vk_lab_asked_add(asked, &item, err);
		free(item.path);
	}
	return status;
}

static enum vk_status parse_line(struct vk_lab_files_asked *asked, const char *line, char *text, struct vk_error *err)
{
	struct vk_lab_item item = {.type = VK_FILE_INVALID};
	char *kind = strtok_r(text, " \t", &text), *path = strtok_r(NULL, " \t", &text);
	enum vk_status status = VK_OK;

	if (kind == NULL || *kind == '#')
		return VK_OK;
	if (!parse_kind(kind, &item.type))
		return vk_error_set(err, VK_USAGE, line, "\"%s\" is none of file, folder, link, rdm and disk", kind);
	if (strcmp(kind, "disk") == 0 && (item.disk = calloc(1, sizeof(*item.disk))) == NULL)
		return vk_no_memory(err, NULL);
	if (path == NULL || !set_text(&item.path, path))
		status = vk_error_set(err, VK_USAGE, line, "there is no path, or one with a %% that no byte follows");
	for (char *word; status == VK_OK && (word = strtok_r(NULL, " \t", &text)) != NULL;)
		status = parse_word(&item, word, line, err);
	if (status == VK_OK && item.text == NULL && (item.type == VK_FILE_LINK || item.type == VK_FILE_RDM))
		status = vk_error_set(err, VK_USAGE, line, "%s is missing", item.type == VK_FILE_LINK ? "to" : "lun");
	if (status == VK_OK && item.type == VK_FILE_LINK)
		item.size_bytes = strlen(item.text);
	if (status == VK_OK && item.disk != NULL) {
		struct vk_lab_virtual *disk = item.disk;

		item.disk = NULL;
		status = vk_lab_disk_add(asked, &item, disk, err);
	} else {
		if (status == VK_OK)
			status = vk_lab_asked_add(asked, &item, err);
		if (status != VK_OK)
			vk_lab_item_free(&item);
		else
			status = add_entries(asked, &item, err);
	}
	free(item.path);
	free(item.names);
	return status;
}

enum vk_status vk_lab_recipe_parse(struct vk_lab_files_asked *asked, const char *name, char *text, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (unsigned number = 1; text != NULL && status == VK_OK; number++) {
		char *one = strsep(&text, "\n"), line[300];

		snprintf(line, sizeof(line), "%s, line %u", name, number);
		status = parse_line(asked, line, one, err);
	}
	return status;
}

enum vk_status vk_lab_recipe_read(struct vk_lab_files_asked *asked, const char *path, struct vk_error *err)
{
	FILE *file = fopen(path, "r");
	size_t size = 0;
	char *text = NULL;
	enum vk_status status = VK_OK;
	ssize_t len;

	if (file == NULL)
		return vk_error_errno(err, errno, path, "the recipe cannot be opened");
	errno = 0;
	/* all of it: a recipe has no byte 0 */
	len = getdelim(&text, &size, '\0', file);
	if (len < 0 && ferror(file))
		status = vk_error_errno(err, errno, path, "the recipe cannot be read");
	else if (len > 0)
		status = vk_lab_recipe_parse(asked, path, text, err);
	free(text);
	fclose(file);
	return status;
}
