/* SPDX-License-Identifier: Apache-2.0 */
/* The partitions that the ESXi installers make on a boot disk, as published partition listings show them. */
#include <string.h>

#include "lab/disk/practice.h"

enum what { EFI, BASIC, DIAG, OSDATA, DATASTORE };

struct row {
	unsigned number;
	uint64_t start;
	uint64_t end; /* inclusive; 0: the end of the disk */
	enum what what;
	const char *name; /* NULL: the ESXi 5 installer left none */
};

/*
 * ESXi 5.0 and 5.1. Where p3 starts is published; what lies in front of it follows from the layout of 5.5, without
 * its 9.
 */
#define ESXI5_BOOT \
	{1, 64, 8191, EFI, NULL}, {5, 8224, 520191, BASIC, NULL}, {6, 520224, 1032191, BASIC, NULL}, \
	{7, 1032224, 1257471, DIAG, NULL}, {8, 1257504, 1843199, BASIC, NULL}
static const struct row esxi50[] = {
	ESXI5_BOOT,
	{2, 1843200, 10229759, BASIC, NULL},
	{3, 10229760, 0, DATASTORE, NULL},
};
/* The numbers do not follow the order on the disk, and 4 was never used. */
static const struct row esxi5[] = {
	ESXI5_BOOT,
	{9, 1843200, 7086079, DIAG, NULL},
	{2, 7086080, 15472639, BASIC, NULL},
	{3, 15472640, 0, DATASTORE, NULL},
};
static const struct row esxi7[] = {
	{1, 64, 204863, EFI, "BOOT"},
	{5, 208896, 8595455, BASIC, "BOOTBANK1"},
	{6, 8597504, 16984063, BASIC, "BOOTBANK2"},
	{7, 16986112, 268435455, OSDATA, "OSDATA"},
	{8, 268437504, 0, DATASTORE, "datastore1"},
};
/* The datastore does not start on a multiple of 4096 bytes. */
static const struct row esxi7_small[] = {
	{1, 64, 204863, EFI, "BOOT"},
	{5, 208896, 2306047, BASIC, "BOOTBANK1"},
	{6, 2308096, 4405247, BASIC, "BOOTBANK2"},
	{7, 4407296, 20971486, OSDATA, "OSDATA"},
	{8, 20973535, 0, DATASTORE, "datastore1"},
};

static const struct {
	const char *name;
	const struct row *rows;
	size_t count;
	unsigned version;  /* of volumes that do not say */
	const char *label;
} layouts[] = {
	{"plain", NULL, 0, 5, "practice"},
	{"esxi50", esxi50, sizeof(esxi50) / sizeof(esxi50[0]), 5, "datastore1"},
	{"esxi5", esxi5, sizeof(esxi5) / sizeof(esxi5[0]), 5, "datastore1"},
	{"esxi7", esxi7, sizeof(esxi7) / sizeof(esxi7[0]), 6, "datastore1"},
	{"esxi7-small", esxi7_small, sizeof(esxi7_small) / sizeof(esxi7_small[0]), 6, "datastore1"},
};

/* The datastore, or the system partition: a VMFS-L of its own on the same LUN. */
static void place_volume(struct vk_lab_spec *spec, const struct row *row)
{
	struct vk_lab_volume *v = &spec->volumes[0];

	if (row->what == OSDATA) {
		v = &spec->volumes[spec->volume_count++];
		*v = spec->volumes[0];
		v->size_bytes = (row->end - row->start + 1) * 512;
		v->version = 6;
		v->local = true;
		v->block_bytes = 0;
		v->live = 0;
		v->image[0] = '\0';
		strcpy(v->label, "OSDATA");
	}
	v->has_start = true;
	v->start_sector = row->start;
	v->number = row->number;
	v->gpt_name = row->name;
}

enum vk_status vk_lab_layout_apply(struct vk_lab_spec *spec, const char *name, struct vk_error *err)
{
	static const char *const types[] = {VK_GPT_TYPE_EFI, VK_GPT_TYPE_BASIC, VK_GPT_TYPE_VMKDIAG};
	size_t i = 0;

	while (i < sizeof(layouts) / sizeof(layouts[0]) && strcmp(layouts[i].name, name) != 0)
		i++;
	if (i == sizeof(layouts) / sizeof(layouts[0]))
		return vk_error_set(err, VK_USAGE, NULL,
				    "there is no layout \"%s\"; esxi50, esxi5, esxi7, esxi7-small and plain are known",
				    name);
	for (size_t v = 0; v < spec->volume_count; v++) {
		if (spec->volumes[v].version == 0)
			spec->volumes[v].version = layouts[i].version;
		if (!spec->volumes[v].has_label)
			strcpy(spec->volumes[v].label, layouts[i].label);
	}
	if (layouts[i].count == 0)
		return VK_OK;
	if (spec->table != VK_TABLE_GPT)
		return vk_error_set(err, VK_USAGE, NULL, "the boot layout %s is a GPT", name);
	if (spec->sector_size != 512)
		return vk_error_set(err, VK_USAGE, NULL,
				    "the boot layout %s is made of sectors of 512 bytes", name);
	if (spec->volume_count != 1 || spec->volumes[0].has_start || spec->volumes[0].logical ||
	    spec->volumes[0].number != 0)
		return vk_error_set(err, VK_USAGE, NULL,
				    "the boot layout %s fixes the place of its one datastore", name);
	if (spec->foreign_count + layouts[i].count > VK_LAB_FOREIGN_MAX)
		return vk_error_set(err, VK_USAGE, NULL, "these are too many partitions");
	for (size_t r = 0; r < layouts[i].count; r++) {
		const struct row *row = &layouts[i].rows[r];

		struct vk_lab_partition *f = &spec->foreign[spec->foreign_count];

		if (row->what == DATASTORE || row->what == OSDATA) {
			place_volume(spec, row);
			continue;
		}
		*f = (struct vk_lab_partition){.number = row->number, .start_sector = row->start,
					       .sectors = row->end - row->start + 1, .gpt_name = row->name,
					       .fat = row->what == EFI || row->what == BASIC};
		if (!vk_guid_parse(types[row->what], &f->type))
			return vk_error_set(err, VK_INTERNAL, NULL, "a type GUID of the program is wrong");
		spec->foreign_count++;
	}
	return VK_OK;
}
