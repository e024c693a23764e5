/* SPDX-License-Identifier: Apache-2.0 */
/* Where the best reading is not of the source's own bytes: what is said of it, and what comes next. */
#include <string.h>

#include "doctor/doctor.h"

bool vk_doctor_judges(const struct vk_doctor *doc)
{
	return doc->source.readings.items[0].repairable || vk_source_looked_through(&doc->source) ||
	       vk_source_in_other_units(&doc->source);
}

void vk_doctor_report_reading(struct vk_doctor *doc)
{
	const struct vk_findings *own = &doc->source.findings;

	for (size_t i = 0; i < own->count && !doc->source.readings.items[0].repairable; i++) {
		const char *code = vk_finding_kind(own->items[i].code)->code;

		if (strncmp(code, "source.", 7) == 0 &&
		    strcmp(own->items[i].message, doc->source.readings.items[0].what) == 0)
			vk_findings_add(&doc->d->findings, &own->items[i]);
	}
	/* the marks of a LUN are no marks of damage where none is */
	if (!vk_doctor_judges(doc))
		doc->stretch_count = 0;
}
