/* SPDX-License-Identifier: Apache-2.0 */
/* Captures of the disk that is searched: newest first, a bounded number of manifests. */
#include "base/memory.h"
#include "cmd/find_hints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/shared/captures.h"
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

	return c->source_kind == facts->kind && vk_capture_tells_of(c, facts, &answer);
}

/* Where volumes began is believed only of a manifest that is the one that was saved. */
static bool is_vouched(struct vk_vouching *vouching, const char *path)
{
	struct vk_findings findings = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_error ignored;
	unsigned by;
	bool vouched = vk_vouch(vouching, path, &sink, &by, &ignored) == VK_OK && findings.count == 0;

	vk_findings_free(&findings);
	return vouched;
}

static bool add_hints(struct vk_cmd_hints *hints, const struct vk_capture *c)
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

enum vk_status vk_cmd_hints_read(const struct vk_cmd *cmd, const struct vk_source *source, struct vk_cmd_hints *hints,
				 struct vk_error *err)
{
	struct vk_disk_facts facts;
	char **paths = NULL;
	size_t count = 0, used = 0;
	bool fits;
	enum vk_status status = vk_cmd_store_paths(vk_cmd_store(cmd->call), &paths, &count, err);

	if (status == VK_ABSENT && !vk_cli_given_here(cmd->call, "store"))
		return VK_OK;
	if (status != VK_OK)
		return status;
	vk_disk_facts_read(source, &facts);
	hints->items = calloc(HINTS_MAX, sizeof(*hints->items));
	hints->texts = calloc(HINTS_MAX, sizeof(*hints->texts));
	fits = hints->items != NULL && hints->texts != NULL;
	for (size_t n = 0; n < count; n++) {
		char *path = paths[count - 1 - n];
		enum vk_status opened = VK_ABSENT;
		struct vk_error unread = {.status = VK_OK};
		struct vk_capture c;

		if (fits && n < MANIFESTS_MAX && used < CAPTURES_MAX)
			opened = vk_capture_open("", path, &c, &unread);
		/* one that is damaged has nothing to say; of one that cannot be read that is not known */
		if (opened == VK_IO && status == VK_OK) {
			status = opened;
			*err = unread;
		}
		if (opened == VK_OK) {
			if (is_of_this_disk(&c, &facts) && is_vouched(cmd->vouching, path)) {
				fits = add_hints(hints, &c);
				used++;
			}
			vk_capture_close(&c);
		}
		free(path);
	}
	free(paths);
	vk_disk_facts_free(&facts);
	if (status != VK_OK)
		return status;
	return fits ? VK_OK : vk_no_memory(err, NULL);
}
