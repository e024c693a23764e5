/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a virtual disk's descriptor, line by line; the headers of its data files. */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/hex_digit.h"
#include "vmfskit/virtual_disk.h"

/* A piece of the text; no NUL ends it. */
struct part {
	const char *at;
	size_t len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct part trimmed(struct part p)
{
	for (; p.len > 0 && is_blank(p.at[0]); p.len--)
		p.at++;
	while (p.len > 0 && is_blank(p.at[p.len - 1]))
		p.len--;
	return p;
}

static bool is_word(struct part p, const char *word)
{
	return p.len == strlen(word) && strncasecmp(p.at, word, p.len) == 0;
}

/* The next line of a text; a NUL ends one, too. False: there is none. */
static bool next_line(struct part *text, struct part *ret_line)
{
	size_t len = 0;

	if (text->len == 0)
		return false;
	while (len < text->len && text->at[len] != '\n' && text->at[len] != '\r' && text->at[len] != '\0')
		len++;
	*ret_line = trimmed((struct part){text->at, len});
	len += len < text->len;
	text->at += len;
	text->len -= len;
	return true;
}

static struct part next_word(struct part *line)
{
	struct part word = {line->at, 0};

	while (word.len < line->len && !is_blank(word.at[word.len]))
		word.len++;
	*line = trimmed((struct part){line->at + word.len, line->len - word.len});
	return word;
}

/* What stands between the first two quotes; what follows them stays in line. Without quotes: a word. */
static struct part next_quoted(struct part *line)
{
	const char *end = line->len > 1 && line->at[0] == '"' ? memchr(line->at + 1, '"', line->len - 1) : NULL;
	struct part inside;

	if (end == NULL)
		return next_word(line);
	inside = (struct part){line->at + 1, (size_t)(end - line->at) - 1};
	*line = trimmed((struct part){end + 1, line->len - inside.len - 2});
	return inside;
}

/* False: it does not fit, or is there already; to is as before. */
static bool keep(char *to, size_t cap, struct part value)
{
	if (to[0] != '\0' || value.len >= cap)
		return false;
	memcpy(to, value.at, value.len);
	to[value.len] = '\0';
	return true;
}

static bool number_of(struct part word, uint64_t *ret_number)
{
	char text[24] = "";

	return word.len > 0 && word.at[0] >= '0' && word.at[0] <= '9' && keep(text, sizeof(text), word) &&
	       vk_text_parse_number(text, UINT64_MAX, ret_number);
}

static void set_cid(bool *has, uint32_t *to, struct part value)
{
	uint32_t cid = 0;

	if (*has || value.len == 0 || value.len > 8)
		return;
	for (size_t i = 0; i < value.len; i++) {
		const int digit = vk_hex_digit(value.at[i]);

		if (digit < 0)
			return;
		cid = cid << 4 | (uint32_t)digit;
	}
	*has = true;
	*to = cid;
}

static void take_pair(struct vk_vmdk_descriptor *d, struct part line, const char *equals)
{
	const struct part key = trimmed((struct part){line.at, (size_t)(equals - line.at)});
	struct part rest = trimmed((struct part){equals + 1, line.len - (size_t)(equals - line.at) - 1});
	/* a value without quotes is all of the rest */
	const struct part value = rest.len > 0 && rest.at[0] == '"' ? next_quoted(&rest) : rest;

	if (is_word(key, "CID"))
		set_cid(&d->has_cid, &d->cid, value);
	else if (is_word(key, "parentCID"))
		set_cid(&d->has_parent_cid, &d->parent_cid, value);
	else if (is_word(key, "createType"))
		(void)keep(d->create_type, sizeof(d->create_type), value);
	else if (is_word(key, "parentFileNameHint"))
		(void)keep(d->parent_hint, sizeof(d->parent_hint), value);
}

static enum vk_vmdk_extent_type type_of(struct part word)
{
	static const struct {
		const char *word;
		enum vk_vmdk_extent_type type;
	} types[] = {
		{"VMFS", VK_VMDK_VMFS}, {"VMFSSPARSE", VK_VMDK_VMFSSPARSE}, {"SESPARSE", VK_VMDK_SESPARSE},
		{"VMFSRDM", VK_VMDK_VMFSRDM}, {"VMFSRDMP", VK_VMDK_VMFSRDM}, {"FLAT", VK_VMDK_FLAT},
		{"SPARSE", VK_VMDK_SPARSE}, {"ZERO", VK_VMDK_ZERO},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (is_word(word, types[i].word))
			return types[i].type;
	return VK_VMDK_OTHER;
}

/* A line is longer than its name and a NUL: names has room for those of all lines. */
static const char *add_name(struct vk_vmdk_descriptor *d, struct part name)
{
	char *to = d->names + d->names_bytes;

	if (name.len >= VK_VMDK_NAME_BYTES)
		name.len = 0;
	memcpy(to, name.at, name.len);
	to[name.len] = '\0';
	d->names_bytes += name.len + 1;
	return to;
}

/* False: the line is none of an extent. */
static bool take_extent(struct vk_vmdk_descriptor *d, struct part line)
{
	const struct part access = next_word(&line);
	struct vk_vmdk_extent *e;
	uint64_t sectors, start = 0;

	if ((!is_word(access, "RW") && !is_word(access, "RDONLY") && !is_word(access, "NOACCESS")) ||
	    !number_of(next_word(&line), &sectors))
		return false;
	e = &d->extents[d->extent_count++];
	e->sectors = sectors;
	e->type = type_of(next_word(&line));
	e->name = add_name(d, next_quoted(&line));
	(void)number_of(next_word(&line), &start);
	e->start_sector = start;
	return true;
}

static bool is_mark(struct part line)
{
	static const char mark[] = "Disk DescriptorFile";

	for (; line.len > 0 && (line.at[0] == '#' || is_blank(line.at[0])); line.len--)
		line.at++;
	return line.len >= strlen(mark) && strncasecmp(line.at, mark, strlen(mark)) == 0;
}

bool vk_vmdk_parse(const void *bytes, size_t len, struct vk_vmdk_descriptor *ret_descriptor)
{
	struct part text = {bytes, len}, line;
	bool marked = false;

	/* the rest is filled as far as it counts */
	memset(ret_descriptor, 0, offsetof(struct vk_vmdk_descriptor, extents));
	if (len > VK_VMDK_TEXT_BYTES)
		return false;
	while (next_line(&text, &line)) {
		const char *equals;

		if (line.len == 0)
			continue;
		if (line.at[0] == '#') {
			marked = marked || is_mark(line);
			continue;
		}
		if (!marked)
			return false;
		if (take_extent(ret_descriptor, line))
			continue;
		equals = memchr(line.at, '=', line.len);
		if (equals != NULL)
			take_pair(ret_descriptor, line, equals);
	}
	return marked;
}

bool vk_vmdk_header_decode(const uint8_t *b, size_t len, struct vk_vmdk_header *ret_header)
{
	*ret_header = (struct vk_vmdk_header){VK_VMDK_NO_MAGIC, 0, 0, 0};
	if (len < VK_VMDK_HEADER_BYTES)
		return false;
	/* magicNumber, version, flags, numSectors, grainSize: 32 bits each */
	if (memcmp(b, "COWD", 4) == 0)
		*ret_header = (struct vk_vmdk_header){VK_VMDK_COWD, vk_get_le32(b + 4), vk_get_le32(b + 12),
						      vk_get_le32(b + 16)};
	/* magic, version, capacity, grain_size: 64 bits each */
	else if (vk_get_le64(b) == 0xCAFEBABE)
		*ret_header = (struct vk_vmdk_header){VK_VMDK_SESPARSE_MAGIC, vk_get_le64(b + 8), vk_get_le64(b + 16),
						      vk_get_le64(b + 24)};
	/* magicNumber, version, flags: 32 bits each; capacity, grainSize: 64 */
	else if (memcmp(b, "KDMV", 4) == 0)
		*ret_header = (struct vk_vmdk_header){VK_VMDK_KDMV, vk_get_le32(b + 4), vk_get_le64(b + 12),
						      vk_get_le64(b + 20)};
	return ret_header->magic != VK_VMDK_NO_MAGIC;
}
