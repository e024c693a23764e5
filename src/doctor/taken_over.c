/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks of decode say of table and headers and no incident tells already: the doctor says it, too. */
#include <string.h>

#include "base/checked.h"
#include "doctor/doctor.h"

/* The incidents that say the same as a finding of the checks, in words for the whole disk. */
static const struct {
	enum vk_finding_code code;
	enum vk_finding_code incident;
} same[] = {
	{VK_F_TABLE_LENGTH, VK_F_INCIDENT_LENGTH},
	{VK_F_TABLE_HIDDEN_VMFS, VK_F_INCIDENT_UNNAMED},
	{VK_F_TABLE_HIDDEN_VMFS, VK_F_INCIDENT_LEFT_OVER},
	{VK_F_TABLE_HIDDEN_VMFS, VK_F_INCIDENT_UNREADABLE}, /* the table may name it */
	{VK_F_TABLE_TYPE, VK_F_INCIDENT_UNNAMED},
	{VK_F_FS_VOLINFO, VK_F_INCIDENT_TWO_VOLUMES},
	{VK_F_GPT_COPIES_DIFFER, VK_F_INCIDENT_TABLE_DAMAGED},
	{VK_F_GPT_BACKUP_MISSING, VK_F_INCIDENT_SHRUNK},
	{VK_F_GPT_BACKUP_MISSING, VK_F_INCIDENT_GROWN},
	{VK_F_GPT_BACKUP_MISSING, VK_F_INCIDENT_MEMBER},
	{VK_F_GPT_ALTERNATE_LBA, VK_F_INCIDENT_SHRUNK},
	{VK_F_GPT_ALTERNATE_LBA, VK_F_INCIDENT_GROWN},
	{VK_F_GPT_ALTERNATE_LBA, VK_F_INCIDENT_MEMBER},
	{VK_F_GPT_USABLE_RANGE, VK_F_INCIDENT_SHRUNK},
	{VK_F_MBR_ENTRY_OUTSIDE, VK_F_INCIDENT_SHRUNK},
	/* a volume that only the search found told it, when the table had been judged */
	{VK_F_GPT_BACKUP_MISSING, VK_F_INCIDENT_PART},
	{VK_F_GPT_ALTERNATE_LBA, VK_F_INCIDENT_PART},
	{VK_F_GPT_USABLE_RANGE, VK_F_INCIDENT_PART},
	{VK_F_MBR_ENTRY_OUTSIDE, VK_F_INCIDENT_PART},
	{VK_F_LVM_PE_BITMAP, VK_F_INCIDENT_HEADER_LOST},
	{VK_F_LVM_PE_TABLE, VK_F_INCIDENT_HEADER_LOST},
	{VK_F_LVM_PE_GAP, VK_F_INCIDENT_HEADER_LOST},
	{VK_F_LVM_EXT_CHAIN, VK_F_INCIDENT_HEADER_LOST},
};

/* Of the table or of several volumes, not of one volume. */
static bool is_of_table(enum vk_finding_code code)
{
	const char *name = vk_finding_kind(code)->code;

	return strncmp(name, "mbr.", 4) == 0 || strncmp(name, "ebr.", 4) == 0 || strncmp(name, "gpt.", 4) == 0 ||
	       strncmp(name, "table.", 6) == 0 || code == VK_F_SOURCE_TOO_MANY_VOLUMES;
}

static bool meets(const struct vk_stretch *s, const struct vk_finding *f)
{
	return vk_ranges_meet(s->offset_bytes, s->length_bytes, f->offset_bytes, vk_max_u64(f->length_bytes, 1));
}

/* What lies in harm is reported as that. */
static bool is_harmed(const struct vk_doctor *doc, const struct vk_finding *f)
{
	for (size_t i = 0; i < doc->stretch_count; i++)
		if (meets(&doc->stretches[i], f) && (vk_damage_is_harm(doc->stretches[i].damage) ||
						     doc->stretches[i].damage == VK_DAMAGE_UNREADABLE))
			return true;
	return false;
}

/* The partition it lies in whose volume is the doctor's concern; SIZE_MAX: none. */
static size_t subject_of(const struct vk_doctor *doc, uint64_t at)
{
	size_t found = doc->source.kind != VK_SOURCE_DISK ? 0 : SIZE_MAX;

	for (size_t i = 0; i < doc->subject_count && doc->source.kind == VK_SOURCE_DISK; i++)
		if (at >= doc->subjects[i].start_bytes)
			found = i;
	return found;
}

/* A header that is a ghost, or was left over, is decoded, too. */
static bool is_of_nobody(const struct vk_doctor *doc, const struct vk_finding *f)
{
	uint64_t nearest = 0;
	bool decoded = false;

	for (size_t i = 0; i < doc->source.vmfs_count; i++) {
		uint64_t start = vk_mul_sat(doc->source.vmfs[i].start_sector, doc->source.sector_size);

		if (start <= f->offset_bytes && (!decoded || start > nearest)) {
			nearest = start;
			decoded = true;
		}
	}
	for (size_t i = 0; i < doc->subject_count; i++)
		if (doc->subjects[i].start_bytes == nearest)
			return doc->subjects[i].left_over;
	return true;
}

static bool is_told(const struct vk_doctor *doc, const struct vk_finding *f)
{
	bool of_table = is_of_table(f->code);

	for (size_t i = 0; i < doc->d->findings.count; i++) {
		const struct vk_finding *told = &doc->d->findings.items[i];

		if (told->code == f->code && strcmp(told->message, f->message) == 0)
			return true; /* of the other copy of the table */
		if (of_table && (told->code == VK_F_INCIDENT_TABLE_LOST || told->code == VK_F_INCIDENT_INITIALISED))
			return true;
		for (size_t k = 0; k < sizeof(same) / sizeof(same[0]); k++)
			if (same[k].code == f->code && same[k].incident == told->code &&
			    (told->code != VK_F_INCIDENT_HEADER_LOST ||
			     subject_of(doc, f->offset_bytes) == subject_of(doc, told->offset_bytes)))
				return true;
	}
	return false;
}

void vk_doctor_take_over(struct vk_doctor *doc)
{
	for (size_t i = 0; i < doc->source.findings.count; i++) {
		const struct vk_finding *f = &doc->source.findings.items[i];
		const struct vk_finding_kind *kind = vk_finding_kind(f->code);
		bool of_table = is_of_table(f->code);

		/* what a disk is, and that it has no table, the doctor says in its own words always */
		if (kind->severity == VK_INFO || f->code == VK_F_TABLE_NONE ||
		    (f->code != VK_F_SOURCE_TOO_MANY_VOLUMES && strncmp(kind->code, "source.", 7) == 0))
			continue;
		if (is_harmed(doc, f) || is_told(doc, f) || (!of_table && is_of_nobody(doc, f)))
			continue;
		vk_findings_add(&doc->d->findings, f);
		doc->table_objected = doc->table_objected || of_table;
		doc->volume_objected = doc->volume_objected || !of_table;
		/* what a check objects to has not passed all checks */
		for (size_t k = 0; k < doc->stretch_count; k++)
			if (doc->stretches[k].damage == VK_DAMAGE_CONSISTENT && meets(&doc->stretches[k], f))
				doc->stretches[k].damage = VK_DAMAGE_UNKNOWN;
	}
}
