/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of the table planner share: lists, the order of proposals, numbers, types that both tables have. */
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
		strcpy(text, "there is more of this kind, which is left out here.");
	if (!vk_sentence_add(list, count, "%s", text))
		plan->nomem = true;
}

void vk_table_propose(struct vk_table_plan *plan, const struct vk_proposal *proposal)
{
	/* entry and volume may begin at one sector: named in both lists, the entry goes, the volume stays */
	if (vk_table_excluded(plan, vk_proposal_start(proposal)) &&
	    !(proposal->by == VK_PROPOSED_FOUND && proposal->claim == VK_CLAIM_ASKED))
		return;
	if (vk_append(&plan->items, &plan->count, proposal, sizeof(*proposal)) == NULL)
		plan->nomem = true;
}

void vk_table_planned(struct vk_table_plan *plan, const struct vk_planned_entry *entry)
{
	if (vk_append(&plan->out->entries, &plan->out->entry_count, entry, sizeof(*entry)) == NULL)
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

const char *vk_proposal_type(const struct vk_proposal *p)
{
	const struct vk_partition *part = &p->entry.partition;

	return part->gpt ? vk_gpt_type_name(&part->entry.typeGUID) : vk_mbr_type_name(part->mbr_type);
}

bool vk_proposal_names(const struct vk_proposal *volume, const struct vk_proposal *entry)
{
	return vk_partition_is_vmfs(&entry->entry.partition) ||
	       (volume->entry.length_exact && entry->entry.partition.sectors == volume->entry.partition.sectors);
}

static bool is_listed(const uint64_t *sectors, size_t count, uint64_t sector)
{
	for (size_t i = 0; i < count; i++)
		if (sectors[i] == sector)
			return true;
	return false;
}

bool vk_table_included(const struct vk_table_plan *plan, uint64_t sector)
{
	return is_listed(plan->options->include_sectors, plan->options->include_count, sector);
}

bool vk_table_excluded(const struct vk_table_plan *plan, uint64_t sector)
{
	return is_listed(plan->options->exclude_sectors, plan->options->exclude_count, sector);
}

static int by_start(const void *a, const void *b)
{
	const struct vk_proposal *x = a, *y = b;
	unsigned m = x->entry.partition.number, n = y->entry.partition.number;

	if (vk_proposal_start(x) != vk_proposal_start(y))
		return vk_proposal_start(x) < vk_proposal_start(y) ? -1 : 1;
	if ((x->by == VK_PROPOSED_FOUND) != (y->by == VK_PROPOSED_FOUND))
		return x->by == VK_PROPOSED_FOUND ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return m < n ? -1 : m > n;
}

void vk_table_sort(struct vk_table_plan *plan)
{
	if (plan->count > 0)
		qsort(plan->items, plan->count, sizeof(*plan->items), by_start);
}

static uint64_t start_of(const void *item)
{
	return vk_proposal_start(item);
}

const struct vk_proposal *vk_table_volume_at(const struct vk_table_plan *plan, uint64_t sector)
{
	const struct vk_proposal *p =
		plan->items + vk_first_not_below(plan->items, plan->count, sizeof(*plan->items), sector, start_of);

	return p < plan->items + plan->count && p->by == VK_PROPOSED_FOUND && vk_proposal_start(p) == sector ? p : NULL;
}

static int by_rank(const void *a, const void *b)
{
	const struct vk_proposal *x = *(struct vk_proposal *const *)a;
	const struct vk_proposal *y = *(struct vk_proposal *const *)b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* The next number from *from on that is not used, and is then; 0: there is none up to most. */
static unsigned free_number(bool *used, unsigned most, unsigned *from)
{
	while (*from <= most && used[*from])
		++*from;
	if (*from > most)
		return 0;
	used[*from] = true;
	return *from;
}

enum vk_status vk_table_number(struct vk_table_plan *plan, unsigned most, unsigned *extended, size_t turn,
			       struct vk_error *err)
{
	/* the table that stands before captures, and what a volume's header remembers last */
	struct vk_proposal **order = calloc(plan->count + 1, sizeof(struct vk_proposal *));
	bool used[VK_TABLE_NUMBERS + 1] = {false}, mbr = plan->out->kind == VK_TABLE_MBR;
	unsigned next = 1;

	if (order == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < plan->count; i++)
		order[i] = &plan->items[i];
	qsort(order, plan->count, sizeof(struct vk_proposal *), by_rank);
	used[*extended] = *extended != 0;
	for (size_t i = 0; i < plan->count; i++) {
		struct vk_partition *part = &order[i]->entry.partition;

		if (part->number == 0 || (part->logical && mbr))
			continue;
		if (part->number <= most && !used[part->number] && !part->logical) {
			used[part->number] = true;
			continue;
		}
		vk_table_note(plan,
			      "the number %u of the partition at sector %llu is taken or not possible; it gets another",
			      part->number, (ull)part->start_sector);
		part->number = 0;
	}
	free(order);
	for (size_t i = 0; i < plan->count; i++) {
		struct vk_planned_entry *e = &plan->items[i].entry;

		if (i == turn && *extended == 0)
			*extended = free_number(used, most, &next);
		if ((e->partition.logical && mbr) || e->partition.number != 0)
			continue;
		e->partition.number = free_number(used, most, &next);
		e->number_exact = false;
		/* an entry of a GPT stands in the place of its number */
		e->bytes_exact = e->bytes_exact && mbr;
	}
	return VK_OK;
}

/* Types that both kinds of table have. The first row of a type counts. */
static const struct {
	uint8_t mbr;
	const char *guid;
} types[] = {
	{VK_MBR_TYPE_VMFS, VK_GPT_TYPE_VMFS},
	{VK_MBR_TYPE_VMFS, VK_GPT_TYPE_VMFSL},
	{VK_MBR_TYPE_VMKCORE, VK_GPT_TYPE_VMKDIAG},
	{0xEF, VK_GPT_TYPE_EFI},
	{0x07, VK_GPT_TYPE_BASIC},
	{0x0C, VK_GPT_TYPE_BASIC},
	{0x0B, VK_GPT_TYPE_BASIC},
	{0x0E, VK_GPT_TYPE_BASIC},
	{0x06, VK_GPT_TYPE_BASIC},
	{0x04, VK_GPT_TYPE_BASIC},
	{0x83, "0FC63DAF-8483-4772-8E79-3D69D8477DE4"},
	{0x82, "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"},
	{0x8E, "E6D6D379-F507-44C2-A23C-238F2A3DF928"},
	{0xFD, "A19D880F-05FC-4D3B-A006-743F0F84911E"},
};

bool vk_table_type_to_mbr(const struct vk_guid *type, uint8_t *ret_type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct vk_guid guid;

		if (!vk_guid_parse(types[i].guid, &guid) || !vk_guid_equal(&guid, type))
			continue;
		*ret_type = types[i].mbr;
		return true;
	}
	return false;
}

bool vk_table_type_to_gpt(uint8_t type, struct vk_guid *ret_type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].mbr == type)
			return vk_guid_parse(types[i].guid, ret_type);
	return false;
}

void vk_table_gpt_name(const char *name, uint8_t ret_name[VK_GPT_NAME_BYTES])
{
	memset(ret_name, name == NULL ? 0xFF : 0, VK_GPT_NAME_BYTES);
	if (name == NULL)
		ret_name[0] = ret_name[1] = 0;
	for (size_t i = 0; name != NULL && i < VK_GPT_NAME_BYTES / 2 && name[i] != '\0'; i++)
		ret_name[2 * i] = (uint8_t)name[i];
}
