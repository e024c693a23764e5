/* SPDX-License-Identifier: Apache-2.0 */
/* Sources that are no disk: files that hold one in another form; and what others keep behind a disk's end. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "vmfskit/source.h"
#include "source/survey.h"

enum { PATH_SHOWN_MAX = 60 };

/* A header and a file system that belong to it, both inside the source: no file holds another disk just so. */
static bool has_whole_volume(const struct vk_source *s)
{
	for (size_t i = 0; i < s->vmfs_count; i++) {
		uint64_t start = vk_mul_sat(s->vmfs[i].start_sector, s->sector_size);

		if (s->vmfs[i].lvm_usable && s->vmfs[i].fs_usable &&
		    vk_add_sat(start, s->vmfs[i].lvm.totalBytes) <= s->size_bytes)
			return true;
	}
	return false;
}

/*
 * A table that systems would go by, where the disk itself begins: the backup copy may be the last bytes of a container.
 */
static bool has_table_in_place(const struct vk_source *s)
{
	const struct vk_table *t = &s->table;

	return s->kind == VK_SOURCE_DISK && t->partition_count > 0 &&
	       (t->gpt[0].sound || (t->kind == VK_TABLE_MBR && t->mbr.signature == VK_MBR_SIGNATURE &&
				    vk_mbr_entries_plausible(&t->mbr, s->size_bytes / s->sector_size)));
}

bool vk_source_say_container(struct vk_source *s)
{
	struct vk_reading reading = {.kind = VK_READING_CONTAINER,
				     .sure = VK_SURE_CERTAIN,
				     .weight = VK_WEIGHT_CONTAINER};
	const struct vk_image_format *format = vk_io_image_format(s->raw);
	struct vk_finding f;
	struct vk_text open;

	if (s->form != VK_FORM_RAW || format == NULL)
		return true;
	if (format->raw_inside) {
		vk_finding_init(&f, VK_F_SOURCE_FOOTER, s->size_bytes, 0,
				"a %s: the %llu bytes in front of its footer are the disk", format->name,
				(unsigned long long)s->size_bytes);
	} else if (has_table_in_place(s) || has_whole_volume(s)) {
		return true;
	} else {
		s->container = format;
		open = vk_text_in(reading.attach, sizeof(reading.attach));
		/* some name it twice, and a finding has room for that: with a long path FILE stands for it */
		vk_image_format_put_open(format, strlen(s->path) > PATH_SHOWN_MAX ? "-" : s->path, &open);
		vk_finding_init(&f, VK_F_SOURCE_CONTAINER, 0, 0, "this is a %s, not a disk; open it with: %s",
				format->name, reading.attach);
	}
	/* nothing else that is said can be understood without it */
	vk_findings_add(&s->findings, &f);
	for (size_t i = s->findings.count - 1; i > 0; i--)
		s->findings.items[i] = s->findings.items[i - 1];
	if (s->findings.count > 0)
		s->findings.items[0] = f;
	if (s->container == NULL)
		return true;
	snprintf(reading.what, sizeof(reading.what), "a %s, not a disk", format->name);
	snprintf(reading.evidence, sizeof(reading.evidence), "its first or last bytes");
	return vk_readings_put(&s->readings, &reading);
}

enum vk_status vk_source_refuse_container(const struct vk_source *source, struct vk_error *err)
{
	if (source->container == NULL)
		return VK_OK;
	vk_error_set(err, VK_UNSUPPORTED, source->path, "this is a %s, not a disk", source->container->name);
	vk_error_remedy(err, "open it and name the disk that comes out: %s%s", source->readings.items[0].attach,
			vk_io_is_device(source->raw) ? "; if this device held a datastore, it was overwritten: look "
						       "for what is left with vmfskit find"
						     : "");
	return VK_UNSUPPORTED;
}

bool vk_source_tail_in_use(const struct vk_source *source)
{
	enum { BACKUP_SECTORS = 33 };
	uint32_t ss = source->sector_size;
	uint64_t sectors = source->size_bytes / ss, end = vk_table_gpt_disk_sectors(&source->table);
	uint64_t first = sectors > BACKUP_SECTORS ? sectors - BACKUP_SECTORS : 0;
	uint8_t sector[4096];

	if (source->kind != VK_SOURCE_DISK || end == 0 || end >= sectors)
		return false;
	for (uint64_t i = vk_max_u64(first, end); i < sectors; i++) {
		size_t got = 0;

		if (vk_io_read(source->io, i * ss, sector, ss, &got, NULL) == VK_OK && !vk_all_zero(sector, got))
			return true;
	}
	return false;
}
