/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of the table planner: proposals, notes, and what is lost. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rebuild/table/plan.h"

/* A crafted table must not fill the screen; the last sentence says that there were more. */
enum { SENTENCES_MAX = 200, SENTENCE_BYTES = 500 };

static void add_sentence(struct vk_table_plan *plan, char ***list, size_t *count, const char *fmt,
			 va_list args) __attribute__((format(printf, 4, 0)));
static void add_sentence(struct vk_table_plan *plan, char ***list, size_t *count, const char *fmt,
			 va_list args)
{
	char text[SENTENCE_BYTES];
	char **grown;

	if (*count >= SENTENCES_MAX)
		return;
	vsnprintf(text, sizeof(text) - 1, fmt, args);
	if (text[0] != '\0' && text[strlen(text) - 1] != '.')
		strcat(text, ".");
	for (size_t i = 0; i < *count; i++)
		if (strcmp((*list)[i], text) == 0)
			return;
	if (*count == SENTENCES_MAX - 1)
		strcpy(text, "There is more of this kind, which is left out here.");
	grown = realloc(*list, (*count + 1) * sizeof(*grown));
	if (grown == NULL) {
		plan->nomem = true;
		return;
	}
	*list = grown;
	grown[*count] = strdup(text);
	if (grown[*count] == NULL)
		plan->nomem = true;
	else
		++*count;
}

void vk_table_note(struct vk_table_plan *plan, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_sentence(plan, &plan->out->notes, &plan->out->note_count, fmt, args);
	va_end(args);
}

void vk_table_lost(struct vk_table_plan *plan, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_sentence(plan, &plan->out->lost, &plan->out->lost_count, fmt, args);
	va_end(args);
}

void vk_table_doubt(struct vk_table_plan *plan, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_sentence(plan, &plan->out->doubts, &plan->out->doubt_count, fmt, args);
	va_end(args);
}

void vk_table_propose(struct vk_table_plan *plan, const struct vk_proposal *proposal)
{
	uint64_t start = proposal->entry.partition.start_sector;

	if (vk_table_listed(plan->options->exclude_sectors, plan->options->exclude_count, start))
		return;
	if (plan->count == plan->cap) {
		size_t cap = plan->cap == 0 ? 32 : plan->cap * 2;
		struct vk_proposal *grown = realloc(plan->items, cap * sizeof(*grown));

		if (grown == NULL) {
			plan->nomem = true;
			return;
		}
		plan->items = grown;
		plan->cap = cap;
	}
	plan->items[plan->count++] = *proposal;
}

void vk_proposal_why(struct vk_proposal *proposal, const char *fmt, ...)
{
	size_t len = strlen(proposal->entry.why);
	size_t room = sizeof(proposal->entry.why) - len;
	va_list args;

	if (len > 0 && room > 2) {
		strcpy(proposal->entry.why + len, "; ");
		len += 2;
		room -= 2;
	}
	va_start(args, fmt);
	vsnprintf(proposal->entry.why + len, room, fmt, args);
	va_end(args);
}

bool vk_table_listed(const uint64_t *sectors, size_t count, uint64_t sector)
{
	for (size_t i = 0; i < count; i++)
		if (sectors[i] == sector)
			return true;
	return false;
}

static int by_start(const void *a, const void *b)
{
	const struct vk_proposal *x = a, *y = b;

	if (x->entry.partition.start_sector != y->entry.partition.start_sector)
		return x->entry.partition.start_sector < y->entry.partition.start_sector ? -1 : 1;
	if ((x->by == VK_PROPOSED_FOUND) != (y->by == VK_PROPOSED_FOUND))
		return x->by == VK_PROPOSED_FOUND ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->entry.partition.number < y->entry.partition.number
		       ? -1
		       : x->entry.partition.number > y->entry.partition.number;
}

void vk_table_sort(struct vk_table_plan *plan)
{
	if (plan->count > 0)
		qsort(plan->items, plan->count, sizeof(*plan->items), by_start);
}

static int by_rank(const void *a, const void *b)
{
	const struct vk_proposal *x = *(struct vk_proposal *const *)a;
	const struct vk_proposal *y = *(struct vk_proposal *const *)b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x < y ? -1 : x > y;
}

struct vk_proposal **vk_table_by_rank(const struct vk_table_plan *plan)
{
	struct vk_proposal **order = calloc(plan->count + 1, sizeof(struct vk_proposal *));

	if (order == NULL)
		return NULL;
	for (size_t i = 0; i < plan->count; i++)
		order[i] = &plan->items[i];
	qsort(order, plan->count, sizeof(struct vk_proposal *), by_rank);
	return order;
}

void vk_table_planned(struct vk_table_plan *plan, const struct vk_planned_entry *entry)
{
	struct vk_rebuild_table *out = plan->out;

	/* room for all and an extended partition is made at once */
	if (out->entries == NULL)
		out->entries = calloc(plan->count + 1, sizeof(*out->entries));
	if (out->entries == NULL)
		plan->nomem = true;
	else
		out->entries[out->entry_count++] = *entry;
}
