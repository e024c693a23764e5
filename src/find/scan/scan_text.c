/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the state of a scan as lines of text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "find/scan/scan_resume.h"
#include "vmfskit/gpt.h"

typedef unsigned long long ull;

/* A name may hold anything: what is not plain is written as %XX. */
static void put_name(FILE *f, const char *name)
{
	for (const unsigned char *p = (const unsigned char *)name; *p != '\0'; p++) {
		if (*p > ' ' && *p < 0x7f && *p != '%')
			fputc(*p, f);
		else
			fprintf(f, "%%%02X", *p);
	}
}

static void put_tally(FILE *f, const struct vk_place_tally *tally)
{
	const struct vk_vote *v = &tally->vote;

	fprintf(f, "vote %lld %llu %llu %llu %llu %llu %u %llu %llu", (long long)v->volume_start_bytes, (ull)v->blocks,
		(ull)v->first_bytes, (ull)v->last_bytes, (ull)v->heartbeats, (ull)v->heartbeats_in_use,
		(unsigned)v->heartbeat_stride_bytes, (ull)tally->last_heartbeat, (ull)tally->weight);
	for (size_t i = 0; i < sizeof(v->locks) / sizeof(v->locks[0]); i++)
		fprintf(f, " %llu", (ull)v->locks[i]);
	fputc('\n', f);
}

static void put_all(FILE *f, const struct vk_scan_job *job, const struct vk_scan_state *state)
{
	fprintf(f, "vmfskit scan 2\ndisk ");
	put_name(f, job->identity);
	fprintf(f, "\nsaved %llu\nsize %llu %u\nrange %llu %llu\ndone %llu %llu %llu %llu\n", (ull)state->saved_s,
		(ull)job->disk_bytes, (unsigned)job->sector_size, (ull)job->start_bytes, (ull)job->length_bytes,
		(ull)state->position, (ull)state->scanned_bytes, (ull)state->holes_bytes, (ull)state->marks_left_out);
	for (size_t i = 0; i < state->sample_count; i++)
		fprintf(f, "sample %llu %u\n", (ull)state->samples[i].offset_bytes, (unsigned)state->samples[i].crc);
	for (size_t i = 0; i < state->mark_count; i++)
		fprintf(f, "%s %llu\n", state->marks[i].kind == VK_MARK_LVM ? "lvm" : "fs",
			(ull)state->marks[i].offset_bytes);
	for (size_t i = 0; i < state->tallies.count; i++)
		put_tally(f, &state->tallies.tallies[i]);
	for (size_t i = 0; i < state->unreadable.count; i++)
		fprintf(f, "unreadable %llu %llu\n", (ull)state->unreadable.ranges[i].offset_bytes,
			(ull)state->unreadable.ranges[i].length_bytes);
}

void vk_scan_text_end(const char *text, size_t len, char ret_line[VK_SCAN_END_BYTES + 1])
{
	snprintf(ret_line, VK_SCAN_END_BYTES + 1, "end %08x\n", (unsigned)vk_crc32(0, (const uint8_t *)text, len));
}

char *vk_scan_text(const struct vk_scan_job *job, const struct vk_scan_state *state, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);
	char end[VK_SCAN_END_BYTES + 1];
	bool ok;

	if (f == NULL)
		return NULL;
	put_all(f, job, state);
	ok = fflush(f) == 0;
	if (ok) {
		vk_scan_text_end(text, *ret_len, end);
		fputs(end, f);
	}
	ok = !ferror(f) && ok;
	ok = fclose(f) == 0 && ok;
	if (ok)
		return text;
	free(text);
	return NULL;
}
