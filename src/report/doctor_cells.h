/* SPDX-License-Identifier: Apache-2.0 */
/* The structures of a diagnosis in their order, each with the worst of its verdicts: for the map and the picture. */
#ifndef VK_REPORT_DOCTOR_CELLS_H
#define VK_REPORT_DOCTOR_CELLS_H

#include <stdio.h>

#include "vmfskit/doctor.h"

enum { VK_CELLS_MAX = 256 };

/* One structure, or some of one kind beside each other. Plain value; borrows from the diagnosis. */
struct vk_cell {
	const struct vk_damage_range *range; /* the first of it */
	const char *symbol;
	enum vk_damage worst;
	uint64_t start_bytes, end_bytes;
	uint64_t harm_start_bytes, harm_end_bytes; /* around what is bad; both 0: nothing is */
	bool several;                              /* structures of one kind */
};

/* What is empty and as it should be is left out; of more than VK_CELLS_MAX the last ones, too. Returns how many. */
size_t vk_report_cells(const struct vk_diagnosis *diagnosis, struct vk_cell cells[VK_CELLS_MAX]);
/* "LVM device header", "PE tables": what it is, without the volume that it belongs to. */
struct vk_cell_name {
	char text[sizeof(((struct vk_damage_range *)0)->what)];
};
struct vk_cell_name vk_report_cell_name(const struct vk_cell *cell);
/* "LVM header"; NULL behind the last one. They are in the order of the legend. */
const char *vk_report_symbol_name(size_t index, const char **ret_symbol);
/* What is drawn of two verdicts in one place. */
unsigned vk_report_damage_rank(enum vk_damage damage);
/* "sector 7", "sectors 7 to 9"; start < end */
void vk_report_sectors(FILE *out, const struct vk_diagnosis *diagnosis, uint64_t start_bytes, uint64_t end_bytes);
/* It is wrong, and not only changed or not known. */
bool vk_report_harmed(enum vk_damage damage);

#endif
