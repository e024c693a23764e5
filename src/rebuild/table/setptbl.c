/* SPDX-License-Identifier: Apache-2.0 */
/* Reads lines of partedUtil setptbl as a shell would take them apart, and writes the words of their entries. */
#include "rebuild/table/setptbl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/shown.h"

static enum vk_status wrong_line(struct vk_error *err, const char *what, const char *word)
{
	vk_error_set(err, VK_USAGE, NULL, "the line %s%s%s", what, word[0] != '\0' ? ": " : "",
		     vk_shown_name(word).text);
	return vk_error_remedy(err, "a line looks like this: partedUtil setptbl /vmfs/devices/disks/DEVICE gpt "
				    "\"1 2048 41943006 AA31E02A400F11DB9590000C2911D1B8 0\"");
}

/*
 * The next word as a shell takes it; *text goes on behind it. False: there is none, or (*ret_fault, static) it is none.
 */
static bool next_word(const char **text, char ret_word[VK_SETPTBL_WORD_BYTES], const char **ret_fault)
{
	const char *p = *text;
	char quote = '\0';
	size_t len = 0;

	p += strspn(p, " \t\r\n");
	if (*p == '\0')
		return false;
	for (; *p != '\0' && (quote != '\0' || strchr(" \t\r\n", *p) == NULL); p++) {
		if (*p == quote) {
			quote = '\0';
			continue;
		}
		if (quote == '\0' && (*p == '"' || *p == '\'')) {
			quote = *p;
			continue;
		}
		if (*p == '\\' && quote != '\'' && p[1] != '\0')
			p++;
		if (len + 1 >= VK_SETPTBL_WORD_BYTES) {
			*ret_fault = "has a word that is too long";
			return false;
		}
		ret_word[len++] = *p;
	}
	ret_word[len] = '\0';
	if (quote != '\0')
		*ret_fault = "has a quote that does not end";
	*text = p;
	return quote == '\0';
}

/* Its five words; blanks between. */
static bool split_entry(const char *text, char ret_fields[5][48])
{
	for (int i = 0; i < 5; i++) {
		size_t len;

		text += strspn(text, " \t");
		len = strcspn(text, " \t");
		if (len == 0 || len >= sizeof(ret_fields[i]))
			return false;
		memcpy(ret_fields[i], text, len);
		ret_fields[i][len] = '\0';
		text += len;
	}
	return text[strspn(text, " \t")] == '\0';
}

/* A GUID in partedUtil's form, 32 digits, or with the usual hyphens. */
static void read_guid(struct vk_setptbl_entry *entry)
{
	char guid[VK_GUID_TEXT_BYTES];
	struct vk_text text = vk_text_in(guid, sizeof(guid));

	entry->hyphens = strchr(entry->type, '-') != NULL;
	if (entry->hyphens)
		vk_text_put(&text, entry->type);
	else if (strlen(entry->type) == 32)
		vk_text_fmt(&text, "%.8s-%.4s-%.4s-%.4s-%.12s", entry->type, entry->type + 8, entry->type + 12,
			    entry->type + 16, entry->type + 20);
	entry->has_guid = vk_guid_parse(guid, &entry->guid);
}

/* partedUtil reads no hexadecimal numbers. */
static bool read_decimal(const char *text, uint64_t most, uint64_t *ret_number)
{
	return text[strspn(text, "0123456789")] == '\0' && vk_text_parse_number(text, most, ret_number);
}

static bool read_entry(const char *word, struct vk_setptbl_entry *ret_entry)
{
	static const char type_letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";
	struct vk_setptbl_entry e = {.number = 0};
	char fields[5][48];
	uint64_t type = 0;

	vk_label_into(e.text, sizeof(e.text), word, strlen(word));
	if (!split_entry(word, fields) || !read_decimal(fields[0], UINT32_MAX, &e.number) ||
	    !read_decimal(fields[1], INT64_MAX, &e.first) || !read_decimal(fields[2], INT64_MAX, &e.last) ||
	    !read_decimal(fields[4], UINT32_MAX, &e.attribute) || fields[3][strspn(fields[3], type_letters)] != '\0')
		return false;
	memcpy(e.type, fields[3], sizeof(e.type));
	read_guid(&e);
	e.has_mbr_type = read_decimal(e.type, UINT8_MAX, &type);
	e.mbr_type = e.has_mbr_type ? (uint8_t)type : 0;
	*ret_entry = e;
	return true;
}

static bool is_program(const char *word)
{
	const char *slash = strrchr(word, '/');

	return strcmp(slash != NULL ? slash + 1 : word, "partedUtil") == 0;
}

/* Everything in front of the entries; what a prompt leaves in front of the program is passed over. */
static enum vk_status read_head(const char **text, struct vk_setptbl *line, struct vk_error *err)
{
	char word[VK_SETPTBL_WORD_BYTES] = "";
	const char *fault = "does not contain the word partedUtil";
	bool set;

	do
		if (!next_word(text, word, &fault))
			return wrong_line(err, fault, "");
	while (!is_program(word));
	fault = "ends too early";
	if (!next_word(text, word, &fault))
		return wrong_line(err, fault, "");
	set = strcmp(word, "set") == 0;
	if (!set && strcmp(word, "setptbl") != 0)
		return wrong_line(err, "makes no table: only setptbl and set are checked", word);
	if (!next_word(text, line->device, &fault))
		return wrong_line(err, fault, "");
	if (set)
		return VK_OK;
	if (!next_word(text, word, &fault))
		return wrong_line(err, fault, "");
	line->gpt = strcmp(word, "gpt") == 0;
	if (!line->gpt && strcmp(word, "msdos") != 0)
		return wrong_line(err, "has a label that is neither gpt nor msdos", word);
	return VK_OK;
}

enum vk_status vk_setptbl_read(const char *line, struct vk_setptbl *ret_line, struct vk_error *err)
{
	char word[VK_SETPTBL_WORD_BYTES];
	const char *fault = NULL;
	enum vk_status status;

	memset(ret_line, 0, sizeof(*ret_line));
	/* U+2018 to U+201F, as web pages and word processors write quotes */
	for (const char *p = line; (p = strstr(p, "\xe2\x80")) != NULL; p += 2)
		if ((uint8_t)p[2] >= 0x98 && (uint8_t)p[2] <= 0x9f)
			return wrong_line(err, "has typographic quotes, which no shell accepts: use plain ones", "");
	status = read_head(&line, ret_line, err);
	if (status != VK_OK)
		return status;
	while (next_word(&line, word, &fault)) {
		if (ret_line->count == VK_SETPTBL_ENTRIES_MAX)
			return wrong_line(err, "has more than 128 entries", "");
		if (!read_entry(word, &ret_line->entries[ret_line->count]))
			return wrong_line(err, "has an entry that is not five words, number, first and last sector, "
					  "type and attribute, in one pair of quotes", word);
		ret_line->count++;
	}
	return fault != NULL ? wrong_line(err, fault, "") : VK_OK;
}

void vk_setptbl_words(const struct vk_partition *p, char ret_words[VK_SETPTBL_WORDS_BYTES])
{
	char guid[VK_GUID_TEXT_BYTES];
	struct vk_text text = vk_text_in(ret_words, VK_SETPTBL_WORDS_BYTES);

	vk_text_fmt(&text, "%u %" PRIu64 " %" PRIu64 " ", p->number, p->start_sector,
		    vk_add_sat(p->start_sector, p->sectors) - 1);
	if (!p->gpt) {
		vk_text_fmt(&text, "%u", p->mbr_type);
		return;
	}
	vk_guid_format(&p->entry.typeGUID, guid);
	for (const char *c = guid; *c != '\0'; c++)
		if (*c != '-')
			vk_text_fmt(&text, "%c", *c);
}

unsigned vk_setptbl_attribute(const struct vk_partition *p, bool active)
{
	if (!p->gpt)
		return active ? VK_SETPTBL_BOOT : 0;
	return strcmp(vk_guid_text(&p->entry.typeGUID).text, VK_GPT_TYPE_EFI) == 0 ? VK_SETPTBL_BOOT : 0;
}
