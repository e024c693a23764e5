/* SPDX-License-Identifier: Apache-2.0 */
/* A line against the table of messages, and what the lines before it tell. */
#include <ctype.h>
#include <string.h>

#include "explain/match.h"
#include "explain/messages.h"

/* How much of a listing of partedUtil was seen. */
enum { TABLE_NOTHING, TABLE_UNKNOWN, TABLE_KNOWN, TABLE_ROWS };

const char *vk_explain_weight_name(enum vk_explain_weight weight)
{
	static const char *const names[] = {"note", "attention", "damage"};

	return names[weight];
}

/* Without the blanks in front and at the end. */
static const char *trim(const char *line, size_t *len)
{
	while (*len > 0 && isspace((unsigned char)line[0])) {
		line++;
		--*len;
	}
	while (*len > 0 && isspace((unsigned char)line[*len - 1]))
		--*len;
	return line;
}

static bool is_word(const char *line, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(line, word, len) == 0;
}

static bool counts(const struct vk_explainer *e, enum vk_explain_place place)
{
	switch (place) {
	case VK_NO_TABLE:
		return e->table == TABLE_UNKNOWN;
	case VK_TABLE_ROW:
		return e->table == TABLE_ROWS;
	case VK_EXTENT_ROW:
		return e->extents;
	case VK_IN_BLOCK:
		return e->in_block;
	default:
		return true;
	}
}

static bool fits(const struct vk_explain_row *row, const char *at, size_t len, struct vk_explain_subject *ret_subject)
{
	memset(ret_subject, 0, sizeof(*ret_subject));
	return vk_explain_match(row->message.form, at, len, ret_subject);
}

/* A message of a log may begin at each word. */
static const struct vk_explain_row *find_in_log(const char *line, size_t len, struct vk_explain_subject *ret_subject)
{
	for (size_t at = 0; at < len; at++) {
		if (at > 0 && isalnum((unsigned char)line[at]) && isalnum((unsigned char)line[at - 1]))
			continue;
		for (size_t i = 0; i < vk_explain_row_count; i++) {
			const struct vk_explain_row *row = &vk_explain_rows[i];

			if (row->message.form[0] == line[at] && row->place == VK_IN_A_LOG &&
			    fits(row, line + at, len - at, ret_subject))
				return row;
		}
	}
	return NULL;
}

static const struct vk_explain_row *find_line(const struct vk_explainer *e, const char *line, size_t len,
					      struct vk_explain_subject *ret_subject)
{
	for (size_t i = 0; i < vk_explain_row_count; i++) {
		const struct vk_explain_row *row = &vk_explain_rows[i];

		if ((row->message.form[0] == '%' || row->message.form[0] == line[0]) && row->place != VK_IN_A_LOG &&
		    counts(e, row->place) && fits(row, line, len, ret_subject))
			return row;
	}
	return NULL;
}

/* What a line adds to what is known of the block. */
static void add_subject(struct vk_explain_subject *to, const struct vk_explain_subject *what)
{
	if (what->device[0] != '\0') {
		memcpy(to->device, what->device, sizeof(to->device));
		to->partition = what->partition;
	}
	if (what->volume[0] != '\0')
		memcpy(to->volume, what->volume, sizeof(to->volume));
	if (what->label[0] != '\0')
		memcpy(to->label, what->label, sizeof(to->label));
}

static bool names_nobody(const struct vk_explain_subject *s)
{
	return s->device[0] == '\0' && s->volume[0] == '\0' && s->label[0] == '\0';
}

/* Label, geometry, rows: each only behind the one before it. */
static void follow_table(struct vk_explainer *e, const char *line, size_t len)
{
	struct vk_explain_subject nobody;

	if (is_word(line, len, "unknown"))
		e->table = TABLE_UNKNOWN;
	else if (is_word(line, len, "gpt") || is_word(line, len, "msdos"))
		e->table = TABLE_KNOWN;
	else if (e->table == TABLE_KNOWN && vk_explain_match("%n %n %n %n%$", line, len, &nobody))
		e->table = TABLE_ROWS;
	else if (e->table != TABLE_ROWS || !vk_explain_match("%n %n %n ", line, len, &nobody))
		e->table = TABLE_NOTHING;
}

bool vk_explain(struct vk_explainer *explainer, const char *line, size_t len, struct vk_explained *ret_explained)
{
	const struct vk_explain_row *row;
	struct vk_explain_subject subject;

	if (len > VK_EXPLAIN_LINE_BYTES)
		len = VK_EXPLAIN_LINE_BYTES;
	line = trim(line, &len);
	if (len == 0) {
		memset(explainer, 0, sizeof(*explainer));
		return false;
	}
	row = find_line(explainer, line, len, &subject);
	if (row == NULL)
		row = find_in_log(line, len, &subject);
	follow_table(explainer, line, len);
	if (vk_explain_match("Volume Name VMFS UUID Extent Number Device Name Partition", line, len, &subject))
		explainer->extents = true;
	if (row == NULL)
		return false;
	*ret_explained = (struct vk_explained){.code = row->message.code,
					       .weight = row->message.weight,
					       .means = row->message.means,
					       .next = row->message.next};
	if (row->place == VK_OPENS_BLOCK)
		memset(&explainer->subject, 0, sizeof(explainer->subject));
	if (row->place == VK_OPENS_BLOCK || row->place == VK_IN_BLOCK) {
		explainer->in_block = true;
		ret_explained->carried = names_nobody(&subject) && !names_nobody(&explainer->subject);
		add_subject(&explainer->subject, &subject);
		subject = explainer->subject;
	}
	ret_explained->subject = subject;
	return true;
}
