/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of the table planner: proposals, notes, and what is lost. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/texts.h"
#include "rebuild/table/plan.h"

/* A crafted table must not fill the screen; the last sentence says that there were more. */
enum { SENTENCES_MAX = 200, SENTENCE_BYTES = 500 };

void vk_table_say(struct vk_table_plan *plan, char ***list, size_t *count, const char *fmt, ...)
{
	char text[SENTENCE_BYTES];
	va_list args;

	if (*count >= SENTENCES_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text) - 1, fmt, args);
	va_end(args);
	if (text[0] != '\0' && text[strlen(text) - 1] != '.')
		strcat(text, ".");
	for (size_t i = 0; i < *count; i++)
		if (strcmp((*list)[i], text) == 0)
			return;
	if (*count == SENTENCES_MAX - 1)
		strcpy(text, "There is more of this kind, which is left out here.");
	if (!vk_sentence_add(list, count, "%s", text))
		plan->nomem = true;
}

void vk_table_propose(struct vk_table_plan *plan, const struct vk_proposal *proposal)
{
	uint64_t start = vk_proposal_start(proposal);

	if (vk_table_listed(plan->options->exclude_sectors, plan->options->exclude_count, start))
		return;
	if (vk_append(&plan->items, &plan->count, proposal, sizeof(*proposal)) == NULL)
		plan->nomem = true;
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

bool vk_proposal_names(const struct vk_proposal *volume, const struct vk_proposal *entry)
{
	return vk_partition_is_vmfs(&entry->entry.partition) ||
	       (volume->entry.length_exact && entry->entry.partition.sectors == volume->entry.partition.sectors);
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

	if (vk_proposal_start(x) != vk_proposal_start(y))
		return vk_proposal_start(x) < vk_proposal_start(y) ? -1 : 1;
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

static struct vk_proposal **order_by_rank(const struct vk_table_plan *plan)
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
	if (vk_append(&plan->out->entries, &plan->out->entry_count, entry, sizeof(*entry)) == NULL)
		plan->nomem = true;
}

enum vk_status vk_table_keep_numbers(struct vk_table_plan *plan, unsigned most, bool *used, struct vk_error *err)
{
	/* the table that stands before captures, and what a volume's header remembers last */
	struct vk_proposal **order = order_by_rank(plan);

	if (order == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < plan->count; i++) {
		struct vk_partition *part = &order[i]->entry.partition;

		if (part->number == 0 || (part->logical && plan->out->kind == VK_TABLE_MBR))
			continue;
		if (part->number <= most && !used[part->number] && !part->logical) {
			used[part->number] = true;
			continue;
		}
		vk_table_note(plan,
			      "The number %u of the partition at sector %llu is taken or not possible; it gets another",
			      part->number, (ull)part->start_sector);
		part->number = 0;
	}
	free(order);
	return VK_OK;
}

unsigned vk_table_free_number(bool *used, unsigned most, unsigned *from)
{
	while (*from <= most && used[*from])
		++*from;
	if (*from > most)
		return 0;
	used[*from] = true;
	return *from;
}
