/* SPDX-License-Identifier: Apache-2.0 */
/* The VMFS partitions of a disk: those of its table, those that were found without one, those that a capture knows. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "doctor/doctor.h"
#include "evidence/lvm/belief.h"
#include "source/recognise.h"

static struct vk_vmfs *vmfs_of(struct vk_doctor *doc, size_t subject)
{
	return &doc->source.vmfs[doc->subjects[subject].vmfs];
}

static uint64_t start_of(const struct vk_source *source, const struct vk_vmfs *v)
{
	return vk_mul_sat(v->start_sector, source->sector_size);
}

static uint64_t known_length(const struct vk_source *source, const struct vk_vmfs *v)
{
	if (v->lvm_usable)
		return v->lvm.totalBytes;
	if (v->sectors != 0)
		return vk_mul_sat(v->sectors, source->sector_size);
	return v->partition_bytes;
}

/*
 * Whether the place is a subject's, or lies in one whose header is there: then it is none of its own. A volume may not
 * have grown into all of its partition yet; what lies in the rest is what was left there before.
 */
static bool is_anothers(struct vk_doctor *doc, uint64_t start)
{
	for (size_t i = 0; i < doc->subject_count; i++) {
		const struct vk_subject *s = &doc->subjects[i];

		if (start == s->start_bytes ||
		    (vmfs_of(doc, i)->lvm_usable && start > s->start_bytes &&
		     start - s->start_bytes < vk_max_u64(s->length_bytes, vk_proved_length(doc, s))))
			return true;
	}
	return false;
}

static const struct vk_candidate *candidate_at(const struct vk_doctor *doc, uint64_t start)
{
	for (size_t i = 0; i < doc->find.count; i++)
		if (doc->find.candidates[i].start_bytes == start && !doc->find.candidates[i].start_before_disk)
			return &doc->find.candidates[i];
	return NULL;
}

/* What lies under an intruder, or reaches past the end of a disk, is what the doctor is called for. */
static bool is_patient(const struct vk_candidate *c)
{
	return !vk_standing_is_ghost(c->standing) ||
	       ((c->standing == VK_GHOST_FOREIGN || c->standing == VK_GHOST_OUTSIDE) && c->has_header);
}

static void add_decoded(struct vk_doctor *doc, size_t vmfs)
{
	const struct vk_vmfs *v = &doc->source.vmfs[vmfs];
	const struct vk_table *t = &doc->source.table;
	struct vk_subject *s = &doc->subjects[doc->subject_count++];

	*s = (struct vk_subject){.vmfs = vmfs,
				 .start_bytes = start_of(&doc->source, v),
				 .length_bytes = known_length(&doc->source, v),
				 .named = doc->source.kind != VK_SOURCE_DISK};
	/* everybody ignores an MBR without the two bytes at its end, and a GPT without the eight at its beginning */
	if (t->kind == VK_TABLE_MBR ? t->mbr.signature == VK_MBR_SIGNATURE : !vk_table_signatures_lost(t))
		for (size_t i = 0; i < t->partition_count; i++)
			s->named = s->named || (t->partitions[i].start_sector == v->start_sector &&
						vk_partition_is_vmfs(&t->partitions[i]));
}

/* Decode what stands at start, which no table names. */
static bool add_missing(struct vk_doctor *doc, uint64_t start, uint64_t length)
{
	/* no entry gives it a length; the one that was worked out is not held against its header */
	const struct vk_vmfs part = {.start_sector = start / doc->source.sector_size};

	if (doc->subject_count == VK_SUBJECTS_MAX || is_anothers(doc, start) || start >= doc->source.size_bytes ||
	    start % doc->source.sector_size != 0)
		return true;
	doc->status = vk_source_add_vmfs(&doc->source, &part, start, length == 0 ? UINT64_MAX : length, doc->err);
	if (doc->status != VK_OK)
		return false;
	add_decoded(doc, doc->source.vmfs_count - 1);
	if (doc->subjects[doc->subject_count - 1].length_bytes == 0)
		doc->subjects[doc->subject_count - 1].length_bytes = length;
	return true;
}

static void settle(struct vk_doctor *doc, size_t index)
{
	struct vk_subject *s = &doc->subjects[index];
	const struct vk_vmfs *v = vmfs_of(doc, index);
	const struct vk_source *was = doc->known.found ? &doc->known.source : NULL;
	struct vk_fs_descriptor fs = v->fs;

	for (size_t i = 0; was != NULL && i < was->vmfs_count; i++)
		if (start_of(was, &was->vmfs[i]) == s->start_bytes)
			s->was = &was->vmfs[i];
	s->candidate = candidate_at(doc, s->start_bytes);
	if (v->lvm_usable) {
		s->lvm = v->lvm;
		s->lvm_known = true;
	} else if (v->lvm.magic != VK_LVM_MAGIC && vk_belief_device_mended(&v->lvm, v->lvm_seen_bytes, &s->lvm)) {
		s->lvm_known = true;
		s->magic_only = true;
	} else if (s->was != NULL && s->was->lvm_usable) {
		s->lvm = s->was->lvm;
		s->lvm_known = true;
	}
	s->lvm_fits = s->lvm_known && vk_header_fits(&s->lvm, VK_LVM_DEVICE_BYTES);
	if (s->lvm_known && s->length_bytes == 0)
		s->length_bytes = s->lvm.totalBytes;
	fs.magic = VK_FS_MAGIC_VMFS;
	s->fs_magic_only = !v->fs_usable && v->fs_expected && !vk_fs_magic_known(v->fs.magic) &&
			   vk_fs_descriptor_usable(&fs, v->fs_seen_bytes) && !vk_vmfs_uuid_is_nil(&fs.uuid);
}

bool vk_doctor_add_subjects(struct vk_doctor *doc)
{
	const struct vk_source *was = doc->known.found ? &doc->known.source : NULL;

	for (size_t i = 0; i < doc->source.vmfs_count && doc->subject_count < VK_SUBJECTS_MAX; i++) {
		const struct vk_candidate *c = candidate_at(doc, start_of(&doc->source, &doc->source.vmfs[i]));

		if (doc->source.vmfs[i].sectors != 0 || doc->source.kind != VK_SOURCE_DISK || c == NULL ||
		    is_patient(c))
			add_decoded(doc, i);
	}
	for (size_t i = 0; i < doc->find.count; i++) {
		const struct vk_candidate *c = &doc->find.candidates[i];

		if (is_patient(c) && !c->start_before_disk && !add_missing(doc, c->start_bytes, c->length_bytes))
			return false;
	}
	for (size_t i = 0; was != NULL && i < was->vmfs_count; i++)
		if (!add_missing(doc, start_of(was, &was->vmfs[i]), known_length(was, &was->vmfs[i])))
			return false;
	for (size_t i = 0; i < doc->subject_count; i++) {
		settle(doc, i);
		doc->names_some = doc->names_some || doc->subjects[i].named;
	}
	/* nothing but a header: no file system behind it, no block that knows its place, no capture that knows it */
	for (size_t i = 0; i < doc->subject_count; i++) {
		struct vk_subject *s = &doc->subjects[i];

		s->left_over = !s->named && doc->names_some && s->was == NULL && !s->fs_magic_only &&
			       !vmfs_of(doc, i)->fs_usable &&
			       (s->candidate == NULL || s->candidate->vote.blocks == 0);
	}
	vk_doctor_sort(doc->subjects, doc->subject_count, sizeof(doc->subjects[0]));
	/* one that no table names may tell that this is not all of the disk */
	vk_source_measure(&doc->source);
	return true;
}
