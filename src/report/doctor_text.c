/* SPDX-License-Identifier: Apache-2.0 */
/* A diagnosis for the person on the phone. */
#include <inttypes.h>
#include <string.h>

#include "base/screen.h"
#include "report/doctor.h"
#include "report/report.h"
#include "base/shown.h"

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
		fputs(vk_table_absent(&d->source->table) ? ", the table is not in the source"
							: ", in no usable partition table", out);
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

/* Of a split dump: that is all of the answer. */
static bool is_later_piece(const struct vk_diagnosis *d)
{
	const struct vk_io_join *join = vk_io_join(d->source->given);

	return join != NULL && join->first[0] != '\0';
}

/* What the source is stands in the line above: only what follows it is new. */
static void put_answer(FILE *out, const struct vk_diagnosis *d)
{
	const char *what = d->source->readings.items[0].what, *rest = d->headline;

	if (is_later_piece(d))
		return;
	if (strncmp(rest, "This is ", 8) == 0 && strncmp(rest + 8, what, strlen(what)) == 0)
		rest += 8 + strlen(what);
	rest += strspn(rest, ". ");
	fprintf(out, "%s%s%s\n", *rest != '\0' ? "\n" : "", rest, *rest != '\0' ? ".\n" : "");
}

void vk_report_diagnosis_text(FILE *out, const struct vk_diagnosis *d, const char *store,
			      const struct vk_report_style *style)
{
	fprintf(out, "%s: ", vk_shown_name(d->path).text);
	vk_report_extent_text(out, d->source);
	fputc('\n', out);
	vk_report_tail_text(out, &d->source->tail);
	vk_report_readings_text(out, d->source);
	put_answer(out, d);
	if (d->volume_count > 0)
		fprintf(out, "Volume%s\n", d->volume_count == 1 ? "" : "s");
	for (size_t i = 0; i < d->volume_count; i++)
		put_volume(out, d, &d->volumes[i]);
	if (d->alive)
		fputs("In use: yes, a host is writing its heartbeat\n", out);
	else if (d->in_use && d->watched)
		fputs("In use: a host left its heartbeat behind; it did not change while it was watched\n", out);
	else if (d->in_use)
		fputs("In use: a heartbeat slot is taken; it was not watched\n", out);
	else if (d->volume_count > 0)
		fputs("In use: no host heartbeat found\n", out);
	if (d->capture[0] != '\0')
		fprintf(out, "Capture: %s\n", d->capture);
	else if (store != NULL && !is_later_piece(d))
		fprintf(out, "Capture: %s for this disk in %s\n",
			d->captures_unknown[0] != '\0' ? "not known whether one is usable" : "none usable",
			vk_shown_name(store).text);
	if (d->passed_over_id[0] != '\0')
		fprintf(out, "  not used: %s: %s\n", d->passed_over_id, vk_shown_name(d->passed_over).text);
	else if (d->passed_over[0] != '\0')
		fprintf(out, "  %s\n", d->passed_over);
	if (d->captures_unknown[0] != '\0')
		fprintf(out, "  not read: %s\n", vk_shown_name(d->captures_unknown).text);
	if (d->findings.count > 0) {
		fputs("\nWhat happened\n", out);
		vk_report_findings_brief(out, &d->findings, style);
	}
	put_list(out, "Lost or damaged", d->lost, d->lost_count);
	vk_report_diagnosed_files_text(out, d);
	put_list(out, "Still there", d->intact, d->intact_count);
	if (d->range_count > 0) {
		fputc('\n', out);
		vk_report_damage_map(out, d);
	}
	if (d->advice_count > 0)
		fputs("\nNext\n", out);
	for (size_t i = 0; i < d->advice_count; i++) {
		const char *command = d->advice[i].command;

		fprintf(out, "  %zu. ", i + 1);
		if (command != NULL)
			vk_screen_paste(out, "%s\n", command);
		fprintf(out, "%s%s\n", command != NULL ? "     " : "", d->advice[i].why);
	}
}
