/* SPDX-License-Identifier: Apache-2.0 */
/* Findings for people and for scripts. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/screen.h"
#include "report/report.h"

struct vk_report_style vk_report_style_for(FILE *out)
{
	const char *term = getenv("TERM");
	struct vk_report_style style = {0};

	style.colour = vk_screen_is_terminal(out) && getenv("NO_COLOR") == NULL && term != NULL &&
		       strcmp(term, "dumb") != 0;
	return style;
}

static const char *colour_of(enum vk_severity severity)
{
	switch (severity) {
	case VK_ERROR:
		return "\033[1;31m";
	case VK_WARNING:
		return "\033[1;33m";
	case VK_INFO:
		break;
	}
	return "\033[1;34m";
}

/* brief: indented, and without a remedy. */
static void put_finding(FILE *out, const struct vk_finding *f, const char *source, bool brief,
			const struct vk_report_rows *rows, const struct vk_report_style *style)
{
	const struct vk_finding_kind *kind = vk_finding_kind(f->code);
	const char *indent = brief ? "  " : "";

	fprintf(out, "%s%s%s%s %s: %s\n", indent, style->colour ? colour_of(kind->severity) : "",
		vk_severity_name(kind->severity), style->colour ? "\033[0m" : "", kind->code, f->message);
	if (rows->in != NULL)
		fprintf(out, "%s  in        %s\n", indent, rows->in);
	if (rows->since != NULL)
		fprintf(out, "%s  since     %s\n", indent, rows->since);
	if (f->length_bytes > 0)
		fprintf(out, "%s  where     %s%sbytes %" PRIu64 " to %" PRIu64 " (0x%" PRIx64 ")\n", indent,
			source == NULL ? "" : source, source == NULL ? "" : ", ", f->offset_bytes,
			f->offset_bytes + f->length_bytes - 1, f->offset_bytes);
	if (f->seen[0] != '\0')
		fprintf(out, "%s  seen      %s\n", indent, f->seen);
	if (f->expected[0] != '\0')
		fprintf(out, "%s  expected  %s\n", indent, f->expected);
	/* what a code means is said once */
	if (!rows->explained[f->code])
		fprintf(out, "%s  why       %s\n", indent, kind->why);
	if (!rows->explained[f->code] && !brief)
		fprintf(out, "  next      %s\n", kind->remedy);
	rows->explained[f->code] = true;
}

void vk_report_finding_text(FILE *out, const struct vk_finding *finding, const struct vk_report_rows *rows,
			    const struct vk_report_style *style)
{
	put_finding(out, finding, NULL, false, rows, style);
}

static void put_findings(FILE *out, const struct vk_findings *findings, const char *source, bool brief,
			 const struct vk_report_style *style)
{
	bool explained[VK_F_COUNT] = {false};
	const struct vk_report_rows rows = {.explained = explained};

	for (int severity = VK_ERROR; severity >= VK_INFO; severity--)
		for (size_t i = 0; i < findings->count; i++)
			if ((int)vk_finding_kind(findings->items[i].code)->severity == severity)
				put_finding(out, &findings->items[i], source, brief, &rows, style);
}

void vk_report_findings_text(FILE *out, const struct vk_findings *findings, const char *source,
			     const struct vk_report_style *style)
{
	put_findings(out, findings, source, false, style);
	if (findings->dropped > 0)
		fprintf(out, "and %zu more findings that are not shown\n", findings->dropped);
}

void vk_report_findings_brief(FILE *out, const struct vk_findings *findings, const struct vk_report_style *style)
{
	put_findings(out, findings, NULL, true, style);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

void vk_report_findings_sum(FILE *out, size_t errors, size_t warnings, size_t infos, size_t absent)
{
	size_t remarks = infos - absent;

	if (errors + warnings == 0)
		fprintf(out, "%ssound: no errors, no warnings", absent > 0 ? "what is here is " : "");
	else
		fprintf(out, "%zu error%s, %zu warning%s", errors, plural(errors), warnings,
			plural(warnings));
	if (remarks > 0)
		fprintf(out, ", %zu remark%s", remarks, plural(remarks));
	if (absent > 0)
		fprintf(out, "; %zu structure%s not in the source", absent, absent == 1 ? " is" : "s are");
	fputc('\n', out);
}

bool vk_report_findings_json(json_t *array, const char *source, const struct vk_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct vk_finding *f = &findings->items[i];
		const struct vk_finding_kind *kind = vk_finding_kind(f->code);

		json_t *row = VK_JSON_OBJECT(VK_KEY("severity", vk_severity_name(kind->severity)),
					     VK_KEY("code", kind->code),
					     VK_KEY("source", source == NULL ? "" : source),
					     VK_KEY("offset", f->offset_bytes), VK_KEY("length", f->length_bytes),
					     VK_KEY("seen", f->seen), VK_KEY("expected", f->expected),
					     VK_KEY("message", f->message), VK_KEY("why", kind->why),
					     VK_KEY("remedy", kind->remedy));

		if (json_array_append_new(array, row) != 0)
			return false;
	}
	return true;
}
