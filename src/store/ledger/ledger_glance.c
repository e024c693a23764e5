/* SPDX-License-Identifier: Apache-2.0 */
/* What single lines of the ledger say, without proving that it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/texts.h"
#include "store/folder/folder.h"
#include "store/folder/reader.h"
#include "store/ledger/ledger_captures.h"

/* The lines are spelt by vmfskit alone: what can be asked of one is asked of its text, and few are read. */

/* Where the list of its captures begins; NULL: it has none. */
static const char *list_of(const char *text)
{
	static const char list[] = "\"captures\":[";
	const char *at = strstr(text, list);

	return at != NULL ? at + sizeof(list) - 1 : NULL;
}

/* The next id of the list, empty when it is too long for one; false at the end. */
static bool next_id(const char **at, char ret_id[VK_CAPTURE_ID_BYTES])
{
	size_t len;

	if (**at != '"')
		return false;
	len = strcspn(++*at, "\"");
	ret_id[0] = '\0';
	if (len < VK_CAPTURE_ID_BYTES) {
		memcpy(ret_id, *at, len);
		ret_id[len] = '\0';
	}
	*at += len;
	*at += **at == '"';
	*at += **at == ',';
	return true;
}

static bool is_among(const char *id, char *const *ids, size_t count)
{
	return count > 0 && bsearch(&id, ids, count, sizeof(*ids), vk_texts_compare) != NULL;
}

static bool is_wanted(const struct vk_ledger_span *span, char *const *ids, size_t count)
{
	const char *at = list_of(span->text);
	char id[VK_CAPTURE_ID_BYTES];

	if (at == NULL)
		return false;
	if (*at == ']')
		return strstr(span->text, ",\"event\":\"verify\",") != NULL;
	/* a prune names all that it removed */
	while (next_id(&at, id))
		if (is_among(id, ids, count))
			return true;
	return false;
}

/* A line that adds or removes a capture which is not in the store. */
struct mention {
	char id[VK_CAPTURE_ID_BYTES];
	uint64_t offset; /* of the line */
	bool adds;
};

struct mentions {
	struct mention *items;
	size_t count;
};

static int compare_mentions(const void *a, const void *b)
{
	const struct mention *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	return order != 0 ? order : (x->offset > y->offset) - (x->offset < y->offset);
}

static unsigned effects_of(const char *text)
{
	static const char key[] = ",\"event\":\"";
	const char *word = strstr(text, key);
	size_t len;

	if (word == NULL)
		return 0;
	word += sizeof(key) - 1;
	len = strcspn(word, "\"");
	for (unsigned kind = 0; kind < VK_EVENT_COUNT; kind++)
		if (strlen(vk_event_word(kind)) == len && strncmp(vk_event_word(kind), word, len) == 0)
			return vk_event_effects(kind);
	return 0;
}

static bool add_mentions(struct mentions *list, const struct vk_ledger_span *span, char *const *ids, size_t count)
{
	unsigned effects = effects_of(span->text);
	const char *at = (effects & (VK_EFFECT_ADDS | VK_EFFECT_REMOVES)) != 0 ? list_of(span->text) : NULL;
	struct mention mention = {.offset = span->offset, .adds = (effects & VK_EFFECT_ADDS) != 0};

	while (at != NULL && next_id(&at, mention.id))
		if (mention.id[0] != '\0' && vk_text_printable(mention.id) && !is_among(mention.id, ids, count) &&
		    vk_append(&list->items, &list->count, &mention, sizeof(mention)) == NULL)
			return false;
	return true;
}

/* The line comes before the name: it may have been given, or be about to be, while this runs. */
static bool is_there(int store_fd, const char *id)
{
	char temporary[VK_CAPTURE_ID_BYTES + sizeof(VK_TEMPORARY_PREFIX)];
	struct stat st;

	/* a name of the ledger is no path */
	if (id[0] == '.' || strchr(id, '/') != NULL)
		return false;
	snprintf(temporary, sizeof(temporary), VK_TEMPORARY_PREFIX "%s", id);
	return fstatat(store_fd, temporary, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	       fstatat(store_fd, id, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/* The last line about each decides. */
static bool keep_missing(int store_fd, struct mentions *list, char ***ret_missing, size_t *ret_count)
{
	if (list->count > 0)
		qsort(list->items, list->count, sizeof(*list->items), compare_mentions);
	for (size_t i = 0; i < list->count; i++) {
		const struct mention *m = &list->items[i];

		if (m->adds && (i + 1 == list->count || strcmp(m->id, m[1].id) != 0) && !is_there(store_fd, m->id) &&
		    !vk_sentence_add(ret_missing, ret_count, "%s", m->id))
			return false;
	}
	return true;
}

enum vk_status vk_ledger_glance(int store_fd, char *const *ids, size_t count, struct vk_recorded_set *recorded,
				char ret_verified[32], struct vk_ledger_missing *missing, struct vk_error *err)
{
	struct mentions mentions = {.count = 0};
	struct vk_ledger_scan scan;
	struct vk_ledger_span span;
	int fd;
	enum vk_status status = vk_ledger_open(store_fd, &fd, err);

	ret_verified[0] = '\0';
	if (status != VK_OK)
		return status;
	status = vk_ledger_scan_open(fd, &scan, err);
	while (status == VK_OK && vk_ledger_scan_next(&scan, &span, err)) {
		struct vk_ledger_line line;
		struct vk_error ignored;

		if (span.is_torn || span.is_too_long)
			continue;
		if (missing != NULL && !add_mentions(&mentions, &span, missing->present, missing->present_count))
			status = vk_no_memory(err, VK_LEDGER_FILE);
		if (!is_wanted(&span, ids, count))
			continue;
		if (vk_ledger_line_read(span.text, span.len, &line, &ignored) == VK_OK) {
			if (line.kind == VK_EVENT_VERIFY && (line.captures == NULL || line.captures[0] == NULL))
				memcpy(ret_verified, line.time, sizeof(line.time));
			if (!vk_recorded_add(recorded, &line, span.offset))
				status = vk_no_memory(err, VK_LEDGER_FILE);
		}
		vk_ledger_line_free(&line);
	}
	if (status == VK_OK)
		status = err->status;
	vk_ledger_scan_close(&scan);
	close(fd);
	if (status == VK_OK && missing != NULL && !keep_missing(store_fd, &mentions, &missing->ids, &missing->count))
		status = vk_no_memory(err, VK_LEDGER_FILE);
	free(mentions.items);
	return status;
}

