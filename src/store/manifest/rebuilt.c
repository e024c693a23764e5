/* SPDX-License-Identifier: Apache-2.0 */
/* What a rebuilt capture says of itself: lists of sentences, and a copy of them. */
#include "base/memory.h"
#include "base/texts.h"
#include "store/manifest/rebuilt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/manifest/manifest.h"
#include "store/folder/identity_of_run.h"

enum { SENTENCES_MAX = 500, SENTENCE_BYTES = 600 };

const char *vk_capture_purpose(const struct vk_capture *capture)
{
	return capture->is_undo ? "undo" : capture->is_rebuilt ? "rebuilt" : "capture";
}

void vk_rebuilt_free(struct vk_rebuilt *rebuilt)
{
	free(rebuilt->ranges);
#define LIST(name) vk_texts_free(rebuilt->name);
	VK_REBUILT_LISTS(LIST)
#undef LIST
	memset(rebuilt, 0, sizeof(*rebuilt));
}

void vk_capture_close(struct vk_capture *capture)
{
	vk_io_close(capture->held);
	free(capture->path);
	vk_texts_free(capture->other_paths);
	vk_texts_free(capture->command);
	free(capture->identities);
	free(capture->regions);
	free(capture->maps);
	free(capture->metadata);
	free(capture->unreadable);
	free(capture->imported);
	vk_rebuilt_free(&capture->rebuilt);
	memset(capture, 0, sizeof(*capture));
}

static size_t length_of(char *const *list)
{
	size_t count = 0;

	while (list != NULL && list[count] != NULL)
		count++;
	return count;
}

static bool copy_list(char *const *from, char ***ret_list)
{
	size_t count = length_of(from);

	if (from == NULL)
		return true;
	*ret_list = calloc(count + 1, sizeof(**ret_list));
	for (size_t i = 0; *ret_list != NULL && i < count; i++) {
		(*ret_list)[i] = strdup(from[i]);
		if ((*ret_list)[i] == NULL)
			return false;
	}
	return *ret_list != NULL;
}

enum vk_status vk_rebuilt_copy(const struct vk_rebuilt *from, struct vk_rebuilt *ret_copy,
			       struct vk_error *err)
{
	struct vk_rebuilt copy = {.range_count = from->range_count};
	bool sound;

	memcpy(copy.what, from->what, sizeof(copy.what));
	copy.ranges = calloc(from->range_count + 1, sizeof(*copy.ranges));
	if (copy.ranges != NULL && from->range_count > 0)
		memcpy(copy.ranges, from->ranges, from->range_count * sizeof(*copy.ranges));
	sound = copy.ranges != NULL;
#define LIST(name) sound = sound && copy_list(from->name, &copy.name);
	VK_REBUILT_LISTS(LIST)
#undef LIST
	if (!sound) {
		vk_rebuilt_free(&copy);
		return vk_no_memory(err, NULL);
	}
	*ret_copy = copy;
	return VK_OK;
}

bool vk_rebuilt_say(char ***list, const char *format, ...)
{
	char text[SENTENCE_BYTES], label[SENTENCE_BYTES];
	size_t count = length_of(*list);
	char **longer;
	va_list args;

	if (count >= SENTENCES_MAX)
		return true;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	vk_who_label(label, sizeof(label),
		     count + 1 < SENTENCES_MAX ? text : "and more of the same kind");
	longer = realloc(*list, (count + 2) * sizeof(*longer));
	if (longer == NULL)
		return false;
	*list = longer;
	longer[count] = strdup(label);
	longer[count + 1] = NULL;
	return longer[count] != NULL;
}
