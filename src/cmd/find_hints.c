/* SPDX-License-Identifier: Apache-2.0 */
/* Captures of the disk that is searched: newest first, a bounded number of manifests. */
#include "cmd/find_hints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/captures.h"
#include "vmfskit/of_disk.h"

enum { MANIFESTS_MAX = 4096, CAPTURES_MAX = 4, HINTS_MAX = 64 };

void vk_cmd_hints_free(struct vk_cmd_hints *hints)
{
	for (size_t i = 0; i < hints->count; i++)
		free(hints->texts[i]);
	free(hints->texts);
	free(hints->items);
	memset(hints, 0, sizeof(*hints));
}

static bool is_of_this_disk(const struct vk_capture *c, struct vk_disk_facts *facts)
{
	struct vk_of_disk answer;

	/* what was rebuilt is a conclusion, not evidence */
	return !c->is_undo && !c->is_rebuilt && c->source_kind == facts->kind &&
	       vk_capture_is_of(c, facts, &answer) >= VK_OF_LIKELY;
}

static bool add(struct vk_cmd_hints *hints, const struct vk_capture *c)
{
	for (size_t i = 0; i < c->identity_count && hints->count < HINTS_MAX; i++) {
		char *text;

		if (asprintf(&text, "capture %s", c->id) < 0)
			return false;
		hints->texts[hints->count] = text;
		hints->items[hints->count++] = (struct vk_find_hint){
			.start_sector = c->identities[i].start_sector,
			.sectors = c->identities[i].sectors,
			.from = text};
	}
	return true;
}

enum vk_status vk_cmd_hints_read(const struct vk_cli_call *call, const struct vk_source *source,
				 struct vk_cmd_hints *hints, struct vk_error *err)
{
	struct vk_disk_facts facts;
	char **paths = NULL;
	size_t count = 0, used = 0;
	bool fits;
	enum vk_status status = vk_cmd_store_paths(vk_cmd_store(call), &paths, &count, err);

	if (status == VK_ABSENT && !vk_cli_given_here(call, "store"))
		return VK_OK;
	if (status != VK_OK)
		return status;
	vk_disk_facts_read(source, &facts);
	hints->items = calloc(HINTS_MAX, sizeof(*hints->items));
	hints->texts = calloc(HINTS_MAX, sizeof(*hints->texts));
	fits = hints->items != NULL && hints->texts != NULL;
	for (size_t n = 0; n < count; n++) {
		char *path = paths[count - 1 - n];
		struct vk_error unreadable;
		struct vk_capture c;

		if (fits && n < MANIFESTS_MAX && used < CAPTURES_MAX &&
		    vk_capture_open("", path, &c, &unreadable) == VK_OK) {
			if (is_of_this_disk(&c, &facts)) {
				fits = add(hints, &c);
				used++;
			}
			vk_capture_close(&c);
		}
		free(path);
	}
	free(paths);
	vk_disk_facts_free(&facts);
	return fits ? VK_OK : vk_error_set(err, VK_NOMEM, NULL, "no memory for what captures say");
}
