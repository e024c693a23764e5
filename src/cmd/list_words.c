/* SPDX-License-Identifier: Apache-2.0 */
/* Words for the completion of a shell. */
#include "cmd/list_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/screen.h"
#include "base/texts.h"
#include "cmd/shared/captures.h"
#include "vmfskit/luns.h"

enum { MANIFESTS_MAX = 600 }; /* the newest: of 256 LUNs two nights */

static void put_luns(FILE *out)
{
	const struct vk_luns_options all = {.dev_dir = NULL};
	struct vk_lun *luns;
	size_t count;

	if (vk_luns_find(&all, &luns, &count, NULL) != VK_OK)
		return;
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s\n", luns[i].path);
	vk_luns_free(luns, count);
}

static void put_disk(FILE *out, const struct vk_capture *c, char ***said, size_t *count)
{
	const char *label = vk_capture_label(c), *name = label[0] != '\0' ? label : vk_capture_naa(c);

	for (size_t i = 0; i < *count; i++)
		if (strcmp((*said)[i], name) == 0)
			return;
	if (name[0] != '\0' && vk_sentence_add(said, count, "%s", name))
		fprintf(out, "latest:%s\n", name);
}

static void put_captures(FILE *out, const char *store)
{
	char **paths, **said = NULL;
	size_t count, first, said_count = 0;
	struct vk_cmd_judged *items;

	if (vk_cmd_store_paths(store, &paths, &count, NULL) != VK_OK)
		return;
	first = count > MANIFESTS_MAX ? count - MANIFESTS_MAX : 0;
	if (count > 0)
		fputs("latest\n", out);
	items = vk_cmd_judge(paths + first, count - first, NULL);
	for (size_t i = items != NULL ? count - first : 0; i-- > 0;)
		if (items[i].known && !items[i].capture.is_undo && !items[i].capture.is_rebuilt)
			put_disk(out, &items[i].capture, &said, &said_count);
	vk_sentences_free(&said, &said_count);
	for (size_t i = count; items != NULL && i-- > 0;)
		fprintf(out, "%s\n", strrchr(i < first ? paths[i] : items[i - first].path, '/') + 1);
	vk_cmd_judged_free(items, count - first);
	for (size_t i = 0; i < first; i++)
		free(paths[i]);
	free(paths);
}

void vk_cmd_put_words(const struct vk_cli_call *call, const char *kind)
{
	(void)vk_screen_exact(call->out, true);
	if (strcmp(kind, "luns") == 0)
		put_luns(call->out);
	else
		put_captures(call->out, vk_cmd_store(call));
}
