/* SPDX-License-Identifier: Apache-2.0 */
/* Facts and findings for people (text, hexdump) and for scripts (JSON). Where the facts came from is not known here. */
#ifndef VK_REPORT_REPORT_H
#define VK_REPORT_REPORT_H

#include <stdio.h>

#include "base/json.h"
#include "base/shown.h"
#include "vmfskit/source.h"

struct vk_report_style {
	bool colour; /* the output is a terminal that shows colours */
	bool all;    /* also fields that say nothing, and every element of an array */
};
/* Colour when out is a terminal, TERM is not dumb and NO_COLOR is not set. */
struct vk_report_style vk_report_style_for(FILE *out);

/* "0x1.. (sector N)"; sizes readable with exact bytes beside them. */
void vk_report_source_text(FILE *out, const struct vk_source *source,
			   const struct vk_report_style *style);
/* Of which part of a disk the source is an image, where the GPT at its end tells; else nothing. */
void vk_report_tail_text(FILE *out, const struct vk_tail_gpt *tail);
/* "disk, 300 MiB (...), sectors of 512 bytes"; of a disk inside something else how long that is, too. */
void vk_report_extent_text(FILE *out, const struct vk_source *source);
/* What the source is: its best reading, others that are worth a word, and what the rest is about. */
void vk_report_readings_text(FILE *out, const struct vk_source *source);
/* The bytes of every structure beside the names of their fields. */
void vk_report_source_hex(FILE *out, const struct vk_source *source,
			  const struct vk_report_style *style);
/* One structure: each field on a line. Fields not held are left out; so are those without a meaning. */
void vk_report_fields_text(FILE *out, const struct vk_layout *layout, const void *in,
			   size_t seen_bytes, const char *indent,
			   const struct vk_report_style *style);
/*
 * "2009-04-21T16:45:56Z, by the host with MAC 00:50:56:...": when and where a UUID was made; before stands between the
 * two.
 */
struct vk_shown vk_report_made(const struct vk_vmfs_uuid *uuid, const char *before);
void vk_report_volumes_text(FILE *out, const struct vk_volume *volumes, size_t count,
			    const struct vk_source *sources);

/* Findings, worst first; source names where they were found and may be NULL. */
void vk_report_findings_text(FILE *out, const struct vk_findings *findings, const char *source,
			     const struct vk_report_style *style);
/* What stands beside a finding that is shown by itself. */
struct vk_report_rows {
	const char *in;    /* which captures have it; NULL: that is clear */
	const char *since; /* NULL: it is new */
	bool *explained;   /* [VK_F_COUNT]: what a code means is said once */
};
void vk_report_finding_text(FILE *out, const struct vk_finding *finding, const struct vk_report_rows *rows,
			    const struct vk_report_style *style);
/* The same, indented, without what to do about each: that is told for all of them together. */
void vk_report_findings_brief(FILE *out, const struct vk_findings *findings, const struct vk_report_style *style);
/* One line: "2 errors, 1 warning; 3 structures are not in the source". infos counts the absent, too. */
void vk_report_findings_sum(FILE *out, size_t errors, size_t warnings, size_t infos, size_t absent);

/* JSON objects of docs/json.md; NULL when memory ran out. */
/* The readings of a source, the best first. */
json_t *vk_report_readings_json(const struct vk_source *source);
json_t *vk_report_source_json(const struct vk_source *source);
/* "whole", where the source has less than that; else nothing. */
void vk_report_set_whole(struct vk_json *o, const struct vk_source *source);
/* Number, start_sector, sectors, type and type_name of a partition; end it with vk_json_end. */
struct vk_json vk_report_partition_json(const struct vk_partition *partition);
json_t *vk_report_vmfs_json(const struct vk_source *source, const struct vk_vmfs *vmfs);
json_t *vk_report_volumes_json(const struct vk_volume *volumes, size_t count,
			       const struct vk_source *sources);
/* Append findings to an array; false when memory ran out. source may be NULL. */
VK_MUST_USE bool vk_report_findings_json(json_t *array, const char *source,
					 const struct vk_findings *findings);

/* Whether a header is worth showing although its magic is gone: its other fields make sense. */
bool vk_report_lvm_readable(const struct vk_vmfs *vmfs);
bool vk_report_fs_readable(const struct vk_vmfs *vmfs);

#endif
