/* SPDX-License-Identifier: Apache-2.0 */
/* Findings of many captures, told once for each cause. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/shared/causes.h"
#include "report/report.h"
#include "store/verify/told.h"

enum { NAMED_MAX = 3 };

static bool is_same(const struct vk_finding *a, const struct vk_finding *b)
{
	return a->code == b->code && a->offset_bytes == b->offset_bytes && a->length_bytes == b->length_bytes &&
	       strcmp(a->message, b->message) == 0 && strcmp(a->seen, b->seen) == 0 &&
	       strcmp(a->expected, b->expected) == 0;
}

static struct vk_cmd_cause *find_or_add(struct vk_cmd_causes *causes, const struct vk_finding *finding,
					const json_t *told)
{
	const struct vk_cmd_cause cause = {.finding = finding};
	struct vk_cmd_cause *added;
	char text[VK_CAUSE_BYTES];
	const char *since;

	for (size_t i = 0; i < causes->count; i++)
		if (is_same(causes->items[i].finding, finding))
			return &causes->items[i];
	added = vk_append(&causes->items, &causes->count, &cause, sizeof(cause));
	if (added == NULL || told == NULL)
		return added;
	vk_told_cause(finding, text);
	since = vk_told_since(told, text);
	if (since != NULL)
		memcpy(added->since, since, strlen(since) + 1);
	return added;
}

bool vk_cmd_causes_find(const struct vk_cmd_judged *items, size_t count, const json_t *told,
			struct vk_cmd_causes *ret_causes)
{
	memset(ret_causes, 0, sizeof(*ret_causes));
	for (size_t i = 0; i < count; i++) {
		const struct vk_findings *findings = &items[i].findings;

		for (size_t k = 0; k < findings->count; k++) {
			struct vk_cmd_cause *cause = find_or_add(ret_causes, &findings->items[k], told);

			if (cause == NULL || vk_append(&cause->captures, &cause->count, &i, sizeof(i)) == NULL)
				return false;
		}
	}
	return true;
}

void vk_cmd_causes_free(struct vk_cmd_causes *causes)
{
	for (size_t i = 0; i < causes->count; i++)
		free(causes->items[i].captures);
	free(causes->items);
	memset(causes, 0, sizeof(*causes));
}

/* All of them, or how many, the first and the last. */
static void put_captures(struct vk_text *text, const struct vk_cmd_cause *cause, const struct vk_cmd_judged *items)
{
	if (cause->count > NAMED_MAX) {
		vk_text_fmt(text, "%zu captures: %s to %s", cause->count, vk_cmd_judged_id(&items[cause->captures[0]]),
			    vk_cmd_judged_id(&items[cause->captures[cause->count - 1]]));
		return;
	}
	for (size_t i = 0; i < cause->count; i++)
		vk_text_fmt(text, "%s%s", i > 0 ? ", " : "", vk_cmd_judged_id(&items[cause->captures[i]]));
}

void vk_cmd_causes_show(FILE *out, const struct vk_cmd_causes *causes, const struct vk_cmd_judged *items,
			enum vk_severity least, bool named)
{
	const struct vk_report_style style = vk_report_style_for(out);
	bool explained[VK_F_COUNT] = {false};

	for (int severity = VK_ERROR; severity >= (int)least; severity--)
		for (size_t i = 0; i < causes->count; i++) {
			const struct vk_cmd_cause *cause = &causes->items[i];
			struct vk_report_rows rows = {.explained = explained};
			char captures[NAMED_MAX * (VK_CAPTURE_ID_BYTES + 16)];
			struct vk_text text = vk_text_in(captures, sizeof(captures));

			if ((int)vk_finding_kind(cause->finding->code)->severity != severity)
				continue;
			put_captures(&text, cause, items);
			rows.in = named ? captures : NULL;
			rows.since = cause->since[0] != '\0' ? cause->since : NULL;
			vk_report_finding_text(out, cause->finding, &rows, &style);
		}
}

json_t *vk_cmd_causes_json(const struct vk_cmd_causes *causes, const struct vk_cmd_judged *items, const char *now)
{
	json_t *told = json_array();

	for (size_t i = 0; i < causes->count; i++) {
		const struct vk_cmd_cause *cause = &causes->items[i];
		json_t *captures = json_array();
		char text[VK_CAUSE_BYTES];
		int failed = 0;

		vk_told_cause(cause->finding, text);
		for (size_t k = 0; k < cause->count; k++)
			failed |= json_array_append_new(
				captures, vk_json_text(vk_cmd_judged_id(&items[cause->captures[k]])));
		failed |= json_array_append_new(
			told, VK_JSON_OBJECT(VK_KEY("code", vk_finding_kind(cause->finding->code)->code),
					     VK_KEY("since", cause->since[0] != '\0' ? cause->since : now),
					     VK_KEY("cause", (const char *)text), VK_KEY("captures", captures)));
		if (failed != 0) {
			json_decref(told);
			return NULL;
		}
	}
	return told;
}
