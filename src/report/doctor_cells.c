/* SPDX-License-Identifier: Apache-2.0 */
/* The structures of a diagnosis in their order, each with the worst of its verdicts. */
#include "report/doctor_cells.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"

static const struct {
	const char *symbol;
	const char *name;
} symbols[] = {
	{"M", "boot record"},       {"G", "GPT header"},        {"E", "partition entries"}, {"L", "LVM header"},
	{"V", "volume"},            {"N", "names of devices"},  {"B", "PE bitmap"},         {"P", "PE table"},
	{"X", "extended metadata"}, {"F", "FS descriptor"},     {"H", "heartbeats"},        {"C", "FD clusters"},
	{"D", "file descriptors"},  {"_", "unused sectors"},    {"+", "others' copies"},
};

const char *vk_report_symbol_name(size_t index, const char **ret_symbol)
{
	if (index >= sizeof(symbols) / sizeof(symbols[0]))
		return NULL;
	*ret_symbol = symbols[index].symbol;
	return symbols[index].name;
}

/* Beside anything else what is not known is not drawn. */
unsigned vk_report_damage_rank(enum vk_damage damage)
{
	return damage == VK_DAMAGE_UNKNOWN ? 0 : vk_damage_rank(damage) + 1;
}

bool vk_report_harmed(enum vk_damage damage)
{
	return vk_report_damage_rank(damage) > vk_report_damage_rank(VK_DAMAGE_CHANGED);
}

static const char *symbol_of(const struct vk_damage_range *r)
{
	if (r->symbol[0] != '\0')
		return r->symbol;
	return strstr(r->what, "copy") != NULL ? "+" : "_";
}

/* Two of one kind beside each other are one cell; bitmaps and PE tables of a large volume take turns. */
static struct vk_cell *find_cell(struct vk_cell *cells, size_t count, const struct vk_damage_range *r)
{
	const char *symbol = symbol_of(r);

	for (size_t back = 1; back <= 2 && back <= count; back++) {
		struct vk_cell *cell = &cells[count - back];
		bool turns = strchr("PB", symbol[0]) != NULL;

		if (strcmp(cell->range->what, r->what) != 0 &&
		    (strcmp(cell->symbol, symbol) != 0 || strchr("PB_+", symbol[0]) == NULL ||
		     cell->range->volume_start_bytes != r->volume_start_bytes))
			continue;
		if (back == 1 || turns)
			return cell;
	}
	return NULL;
}

static void put_into(struct vk_cell *cell, const struct vk_damage_range *r)
{
	uint64_t end = vk_add_sat(r->offset_bytes, r->length_bytes);

	cell->end_bytes = vk_max_u64(cell->end_bytes, end);
	cell->several = cell->several || strcmp(cell->range->what, r->what) != 0;
	if (vk_report_damage_rank(r->damage) > vk_report_damage_rank(cell->worst))
		cell->worst = r->damage;
	if (!vk_report_harmed(r->damage))
		return;
	if (cell->harm_end_bytes == 0)
		cell->harm_start_bytes = r->offset_bytes;
	cell->harm_end_bytes = vk_max_u64(cell->harm_end_bytes, end);
}

size_t vk_report_cells(const struct vk_diagnosis *d, struct vk_cell cells[VK_CELLS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < d->range_count; i++) {
		const struct vk_damage_range *r = &d->ranges[i];
		struct vk_cell *cell;

		if (r->symbol[0] == '\0' && !vk_report_harmed(r->damage))
			continue;
		cell = find_cell(cells, count, r);
		if (cell == NULL && count == VK_CELLS_MAX)
			break;
		if (cell == NULL) {
			cell = &cells[count++];
			*cell = (struct vk_cell){.range = r, .symbol = symbol_of(r), .worst = r->damage,
						 .start_bytes = r->offset_bytes};
		}
		put_into(cell, r);
	}
	return count;
}

struct vk_cell_name vk_report_cell_name(const struct vk_cell *cell)
{
	const char *what = cell->range->what, *of = strstr(what, " of the volume at sector ");
	struct vk_cell_name name;

	for (size_t i = 0; cell->several && i < sizeof(symbols) / sizeof(symbols[0]); i++)
		if (strcmp(symbols[i].symbol, cell->symbol) == 0) {
			snprintf(name.text, sizeof(name.text), "%s%s", symbols[i].name,
				 strchr("PB", cell->symbol[0]) != NULL ? "s" : "");
			return name;
		}
	snprintf(name.text, sizeof(name.text), "%.*s", of != NULL ? (int)(of - what) : (int)strlen(what), what);
	return name;
}

void vk_report_sectors(FILE *out, const struct vk_diagnosis *d, uint64_t start_bytes, uint64_t end_bytes)
{
	uint64_t first = start_bytes / d->sector_size, last = (end_bytes - 1) / d->sector_size;

	if (last > first)
		fprintf(out, "sectors %" PRIu64 " to %" PRIu64, first, last);
	else
		fprintf(out, "sector %" PRIu64, first);
}
