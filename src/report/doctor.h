/* SPDX-License-Identifier: Apache-2.0 */
/* A diagnosis for people, for scripts, and as a picture. */
#ifndef VK_REPORT_DOCTOR_H
#define VK_REPORT_DOCTOR_H

#include "report/report.h"
#include "vmfskit/doctor.h"

/* store: where captures were looked for, NULL: nowhere. */
void vk_report_diagnosis_text(FILE *out, const struct vk_diagnosis *diagnosis, const char *store,
			      const struct vk_report_style *style);
/* doctor_files.c: the files that damaged ranges belong to; JSON of one volume, hits may be NULL. */
void vk_report_diagnosed_files_text(FILE *out, const struct vk_diagnosis *diagnosis);
json_t *vk_report_diagnosed_files_json(const struct vk_diagnosed_hits *hits);
/* The structures in their order, each with its verdict, and a legend. */
void vk_report_damage_map(FILE *out, const struct vk_diagnosis *diagnosis);
/* As docs/json.md describes it; NULL when memory ran out. */
json_t *vk_report_diagnosis_json(const struct vk_diagnosis *diagnosis);
/*
 * The disk to scale, its structures enlarged and in a list; the same bytes for the same diagnosis. False when memory
 * ran out.
 */
bool vk_report_diagnosis_svg(FILE *out, const struct vk_diagnosis *diagnosis);

#endif
