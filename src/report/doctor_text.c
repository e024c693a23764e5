/* SPDX-License-Identifier: Apache-2.0 */
/* A diagnosis for the person on the phone. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "report/doctor.h"
#include "report/report.h"

static unsigned width_of(FILE *out)
{
	struct winsize size;

	if (isatty(fileno(out)) == 1 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 100;
}

static void put_size(FILE *out, uint64_t bytes)
{
	char buf[80];
	struct vk_text text;

	vk_text_init(&text, buf, sizeof(buf));
	vk_text_size(&text, bytes);
	fputs(buf, out);
}

static void put_label(FILE *out, const char *bytes)
{
	char buf[1200];
	struct vk_text text;

	vk_text_init(&text, buf, sizeof(buf));
	vk_text_label(&text, (const uint8_t *)bytes, strlen(bytes));
	fputs(buf, out);
}

static void put_volume(FILE *out, const struct vk_diagnosis *d, const struct vk_diagnosed_volume *v)
{
	fprintf(out, "  sector %" PRIu64, v->start_bytes / d->sector_size);
	if (v->length_bytes != 0)
		fprintf(out, ", %" PRIu64 " sectors", v->length_bytes / d->sector_size);
	if (v->fs_version[0] != '\0')
		fprintf(out, ", %s \"%s\"", v->fs_version, v->label);
	if (v->volume_uuid[0] != '\0')
		fprintf(out, ", volume %s", v->volume_uuid);
	if (d->kind == VK_SOURCE_DISK && v->named && v->partition != 0)
		fprintf(out, ", partition %u", v->partition);
	else if (d->kind == VK_SOURCE_DISK)
		fputs(", in no table that systems read", out);
	fputc('\n', out);
}

static void put_list(FILE *out, const char *title, char *const *lines, size_t count)
{
	if (count == 0)
		return;
	fprintf(out, "\n%s\n", title);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "  %s\n", lines[i]);
}

static void put_use(FILE *out, const struct vk_diagnosis *d)
{
	if (d->alive)
		fputs("In use: yes, a host is writing its heartbeat\n", out);
	else if (d->in_use && d->watched)
		fputs("In use: a host left its heartbeat behind, and it did not move while it was watched\n", out);
	else if (d->in_use)
		fputs("In use: a heartbeat slot is taken; it was not watched\n", out);
	else if (d->volume_count > 0)
		fputs("In use: no heartbeat slot that can be read is taken by a host\n", out);
}

/* What to do next is said once, in the end, for all of it together. */
static void put_findings(FILE *out, const struct vk_findings *findings, const struct vk_report_style *style)
{
	bool explained[VK_F_COUNT] = {false};

	for (int severity = VK_ERROR; severity >= VK_INFO; severity--)
		for (size_t i = 0; i < findings->count; i++) {
			const struct vk_finding *f = &findings->items[i];
			const struct vk_finding_kind *kind = vk_finding_kind(f->code);

			if ((int)kind->severity != severity)
				continue;
			fprintf(out, "  %s%s%s %s: %s\n", !style->colour ? "" : severity == VK_ERROR ? "\033[1;31m" : "\033[1;33m",
				vk_severity_name(kind->severity), style->colour ? "\033[0m" : "", kind->code, f->message);
			if (f->length_bytes > 0)
				fprintf(out, "    where     bytes %" PRIu64 " to %" PRIu64 " (0x%" PRIx64 ")\n", f->offset_bytes,
					f->offset_bytes + f->length_bytes - 1, f->offset_bytes);
			if (f->seen[0] != '\0')
				fprintf(out, "    seen      %s\n", f->seen);
			if (f->expected[0] != '\0')
				fprintf(out, "    expected  %s\n", f->expected);
			if (!explained[f->code])
				fprintf(out, "    why       %s\n", kind->why);
			explained[f->code] = true;
		}
}

static void put_advice(FILE *out, const struct vk_diagnosis *d)
{
	if (d->advice_count == 0)
		return;
	fputs("\nNext\n", out);
	for (size_t i = 0; i < d->advice_count; i++) {
		if (d->advice[i].command != NULL)
			fprintf(out, "  %zu. %s\n     %s\n", i + 1, d->advice[i].command, d->advice[i].why);
		else
			fprintf(out, "  %zu. %s\n", i + 1, d->advice[i].why);
	}
}

void vk_report_diagnosis_text(FILE *out, const struct vk_diagnosis *d, const char *store, unsigned columns,
			      const struct vk_report_style *style)
{
	put_label(out, d->path);
	fprintf(out, ": %s, ", vk_source_kind_name(d->kind));
	put_size(out, d->size_bytes);
	fprintf(out, ", sectors of %" PRIu32 " bytes\n", d->sector_size);
	vk_report_tail_text(out, &d->source->tail);
	vk_report_container_text(out, d->source);
	fprintf(out, "\n%s.\n\n", d->headline);
	if (d->volume_count > 0)
		fprintf(out, "Volume%s\n", d->volume_count == 1 ? "" : "s");
	for (size_t i = 0; i < d->volume_count; i++)
		put_volume(out, d, &d->volumes[i]);
	put_use(out, d);
	if (d->capture[0] != '\0')
		fprintf(out, "Capture: %s\n", d->capture);
	else if (store != NULL) {
		fputs(d->captures_unknown[0] != '\0' ? "Capture: not known whether there is a good one of this disk in "
						      : "Capture: no good one of this disk in ", out);
		put_label(out, store);
		fputc('\n', out);
	}
	if (d->passed_over_id[0] != '\0') {
		fprintf(out, "  not used: %s: ", d->passed_over_id);
		put_label(out, d->passed_over);
		fputc('\n', out);
	}
	if (d->captures_unknown[0] != '\0') {
		fputs("  not read: ", out);
		put_label(out, d->captures_unknown);
		fputc('\n', out);
	}
	if (d->findings.count > 0) {
		fputs("\nWhat happened\n", out);
		put_findings(out, &d->findings, style);
	}
	put_list(out, "Lost or damaged", d->lost, d->lost_count);
	put_list(out, "Still there", d->intact, d->intact_count);
	if (d->range_count > 0) {
		fputc('\n', out);
		vk_report_damage_map(out, d, columns != 0 ? columns : width_of(out));
	}
	put_advice(out, d);
}
