/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this is the LUN that the header was written for, and as long as the table and the volumes say. */
#include "base/checked.h"
#include "doctor/doctor.h"
#include "vmfskit/lunid.h"

/* A finding of the judge of LUN ids, about the volume that begins in one sector. */
struct hearing {
	struct vk_doctor *doc;
	const struct vk_subject *subject;
};

static void take_finding(void *ctx, const struct vk_finding *said)
{
	const struct hearing *h = ctx;
	struct vk_finding *f = vk_doctor_report(h->doc, said->code, said->offset_bytes, said->length_bytes,
						"the volume at sector %llu: %s",
						vk_doctor_sector(h->doc, h->subject->start_bytes), said->message);

	vk_finding_seen(f, "%s", said->seen);
	vk_finding_expected(f, "%s", said->expected);
}

/* A header on the disk, or else a capture of another LUN that has a volume of this disk, too. */
static void ask_names(struct vk_doctor *doc, const struct vk_live_lun *live)
{
	for (size_t i = 0; i < doc->subject_count; i++) {
		const struct vk_subject *s = &doc->subjects[i];
		const struct vk_vmfs *v = &doc->source.vmfs[s->vmfs];
		struct hearing hearing = {doc, s};
		const struct vk_finding_sink sink = {take_finding, &hearing};

		if (v->lvm_usable && live != NULL)
			vk_lunid_judge_elsewhere(&v->lvm.diskID, live, s->start_bytes + VK_LVM_HEADER_OFFSET + 0x0C,
						 &sink);
	}
	if (!vk_doctor_has(doc, VK_F_LUNID_DESIGNATOR_CHANGED) && doc->copy_of[0] != '\0' && !doc->known.found &&
	    doc->subject_count > 0)
		vk_doctor_report(doc, VK_F_LUNID_DESIGNATOR_CHANGED, doc->subjects[0].start_bytes, 0,
				 "a volume of this disk was captured on another LUN (%s): %.200s; that capture was "
				 "not used for this disk",
				 doc->copy_of, doc->copy_why);
}

/* The disk has another length than who says. */
static void report_size(struct vk_doctor *doc, uint64_t expected, const char *who)
{
	uint64_t size = doc->source.size_bytes, offset = vk_min_u64(expected, size);
	bool grown = expected < size;
	struct vk_finding *f;

	/* a member of a known kind is another reading, and is not judged as a disk (source/carriers.c) */
	if (grown && vk_source_tail_in_use(&doc->source)) {
		vk_doctor_report(doc, VK_F_INCIDENT_MEMBER, offset, size - offset,
				 "the disk is longer than its partition table says, and its last sectors are not "
				 "empty: they may be data of a RAID or a controller");
		return;
	}
	f = vk_doctor_report(doc, grown ? VK_F_INCIDENT_GROWN : VK_F_INCIDENT_SHRUNK, offset, 0,
			     "the disk is %s than %s says", grown ? "longer" : "shorter", who);
	vk_finding_seen(f, "%llu bytes", (unsigned long long)size);
	vk_finding_expected(f, "%llu bytes", (unsigned long long)expected);
}

/* The same image was longer when it was captured. A dump of a LUN that was captured is not that LUN. */
static bool was_longer(const struct vk_doctor *doc)
{
	const struct vk_capture *c = &doc->known.capture;

	return doc->known.found && !c->size_uncertain && c->size_bytes > doc->source.size_bytes &&
	       c->wwid[0] == '\0' && c->disk_serial[0] == '\0';
}

/* The beginning of a longer disk is no fault of it; one that was cut short is told with what lay behind its end. */
static void report_missing_end(struct vk_doctor *doc)
{
	const struct vk_source *s = &doc->source;
	bool part = vk_source_is_part(s) && !was_longer(doc);
	uint64_t cut = s->whole.bytes - vk_min_u64(s->whole.bytes, vk_io_size_bytes(s->io));
	char words[200];
	struct vk_text text = vk_text_in(words, sizeof(words));
	struct vk_finding *f;

	if (part) {
		vk_source_put_part(s, &text);
		f = vk_doctor_report(doc, VK_F_INCIDENT_PART, s->size_bytes, 0, "this is %s", words);
	} else {
		doc->cut_into = vk_source_put_missing(s, &text);
		f = vk_doctor_report(doc, VK_F_INCIDENT_SHRUNK, s->size_bytes, 0,
				     "the disk is shorter than %s says: %s%llu bytes are missing; they held %s",
				     s->whole.by, s->whole.at_least ? "at least " : "", (unsigned long long)cut, words);
	}
	vk_finding_seen(f, "%llu bytes", (unsigned long long)s->whole.held_bytes);
	vk_finding_expected(f, "%s%llu bytes, by %s", s->whole.at_least ? "at least " : "",
			    (unsigned long long)s->whole.bytes, s->whole.by);
}

/* Table and volumes say it first, then the last capture; a volume that a whole table contradicts comes last. */
static void ask_size(struct vk_doctor *doc)
{
	const struct vk_capture *c = &doc->known.capture;
	uint64_t size = doc->source.size_bytes, sectors = size / doc->source.sector_size, end = 0;

	if (doc->source.whole.bytes != 0 && !doc->table_foreign) {
		report_missing_end(doc);
		return;
	}
	for (size_t i = 0; i < doc->subject_count; i++) {
		const struct vk_subject *s = &doc->subjects[i];

		end = vk_add_sat(s->start_bytes, s->lvm.totalBytes);
		if (!doc->source.vmfs[s->vmfs].lvm_usable || end <= size)
			continue;
		report_size(doc, end, "the volume that begins on it");
		return;
	}
	end = 0;
	if (doc->source.kind == VK_SOURCE_DISK && !doc->table_foreign)
		end = vk_table_gpt_disk_sectors(&doc->source.table);
	if (end == sectors)
		return;
	/* a copy in front of the end that names the end is one that is out of place, not a disk that grew */
	if (end >= 3)
		report_size(doc, vk_mul_sat(end, doc->source.sector_size), "its partition table");
	else if (doc->known.found && !c->size_uncertain && c->size_bytes != size)
		report_size(doc, c->size_bytes, "its last capture");
}

void vk_doctor_ask_identity(struct vk_doctor *doc)
{
	const char *name = doc->options->live_id;
	struct vk_live_lun live;
	struct vk_error ignored;
	bool known = name != NULL ? vk_live_lun_of_name(name, &live, &ignored) == VK_OK
				  : vk_live_lun_of_io(doc->source.io, &live);

	ask_names(doc, known ? &live : NULL);
	ask_size(doc);
}
