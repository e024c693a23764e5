/* SPDX-License-Identifier: Apache-2.0 */
/* Where the best reading is not of the source's own bytes: what is said of it, and what comes next. */
#include <string.h>

#include "doctor/doctor.h"

const char *vk_doctor_first_piece(const struct vk_doctor *doc)
{
	const struct vk_io_join *join = vk_io_join(doc->source.given);

	return join != NULL && join->first[0] != '\0' ? join->first : NULL;
}

bool vk_doctor_judges(const struct vk_doctor *doc)
{
	if (vk_doctor_first_piece(doc) != NULL)
		return false;
	return doc->source.readings.items[0].repairable || vk_source_looked_through(&doc->source) ||
	       vk_source_in_other_units(&doc->source);
}

bool vk_doctor_was_datastore(const struct vk_doctor *doc)
{
	return doc->source.readings.items[0].kind == VK_READING_OTHER && doc->known.found &&
	       doc->known.capture.identity_count > 0;
}

/* What speaks for a datastore on a disk that is another system's now. */
static void report_other(struct vk_doctor *doc)
{
	/* a disk that nobody knows otherwise is well as it is; here somebody does */
	if (vk_doctor_was_datastore(doc))
		vk_doctor_report(doc, VK_F_INCIDENT_FORMATTED, 0, 0,
				 "it was a datastore when capture %s was taken; another system has replaced it",
				 doc->known.capture.id);
	for (size_t i = 0; i < doc->find.count; i++) {
		const struct vk_candidate *c = &doc->find.candidates[i];

		if (c->standing == VK_GHOST_FOREIGN && c->has_header && c->has_fs)
			vk_doctor_report(doc, VK_F_INCIDENT_LEFT_OVER, c->start_bytes, c->length_bytes,
					 "under it lie header and file-system descriptor of a volume that begins at "
					 "sector %llu", vk_doctor_sector(doc, c->start_bytes));
		else if (c->standing == VK_STANDING_LIVING)
			vk_doctor_report(doc, VK_F_INCIDENT_UNNAMED, c->start_bytes, c->length_bytes,
					 "the volume that begins at sector %llu is listed in no partition",
					 vk_doctor_sector(doc,
					 c->start_bytes));
	}
}

void vk_doctor_report_reading(struct vk_doctor *doc)
{
	const struct vk_findings *own = &doc->source.findings;
	const struct vk_reading *best = doc->source.readings.items;

	for (size_t i = 0; i < own->count; i++) {
		enum vk_finding_code code = own->items[i].code;
		bool of_reading = !best->repairable && strncmp(vk_finding_kind(code)->code, "source.", 7) == 0 &&
				  strcmp(own->items[i].message, best->what) == 0;

		/* sectors that cannot be read, and an end that is cut off, are incidents; volumes are taken over */
		if (of_reading || (vk_finding_is_of_source(&own->items[i]) && code != VK_F_SOURCE_UNREADABLE &&
				   code != VK_F_SOURCE_CUT_SHORT && code != VK_F_SOURCE_TOO_MANY_VOLUMES))
			vk_findings_add(&doc->d->findings, &own->items[i]);
	}
	if (doc->source.readings.items[0].kind == VK_READING_OTHER)
		report_other(doc);
	/* the marks of a LUN are no marks of damage where none is */
	if (!vk_doctor_judges(doc)) {
		doc->stretch_count = 0;
		memset(doc->certain, 0, sizeof(doc->certain));
	}
}
