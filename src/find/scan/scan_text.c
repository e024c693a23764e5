/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a scan as lines of text: written, and read from what may have been damaged or made by anybody. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "find/scan/scan_resume.h"
#include "vmfskit/gpt.h"

typedef unsigned long long ull;

enum { SECTOR = 512, NAME_MAX_BYTES = 400 };

static const char *const mark_words[] = {[VK_MARK_LVM] = "lvm", [VK_MARK_FS] = "fs", [VK_MARK_GPT] = "gpt"};

static void put_all(FILE *f, const struct vk_scan_job *job, const struct vk_scan_state *state)
{
	fprintf(f, "vmfskit scan 3\ndisk ");
	/* a name may hold anything: what is not plain is written as %XX */
	for (const unsigned char *p = (const unsigned char *)job->identity; *p != '\0'; p++)
		fprintf(f, *p > ' ' && *p < 0x7f && *p != '%' ? "%c" : "%%%02X", *p);
	fprintf(f, "\nsaved %llu\nsize %llu %u\nrange %llu %llu\ndone %llu %llu %llu %llu\n", (ull)state->saved_s,
		(ull)job->disk_bytes, (unsigned)job->sector_size, (ull)job->start_bytes, (ull)job->length_bytes,
		(ull)state->position, (ull)state->scanned_bytes, (ull)state->holes_bytes, (ull)state->marks_left_out);
	for (size_t i = 0; i < state->sample_count; i++)
		fprintf(f, "sample %llu %u\n", (ull)state->samples[i].offset_bytes, (unsigned)state->samples[i].crc);
	for (size_t i = 0; i < state->mark_count; i++)
		fprintf(f, "%s %llu\n", mark_words[state->marks[i].kind],
			(ull)state->marks[i].offset_bytes);
	for (size_t i = 0; i < state->tallies.count; i++) {
		const struct vk_place_tally *tally = &state->tallies.tallies[i];
		const struct vk_vote *v = &tally->vote;

		fprintf(f, "vote %lld %llu %llu %llu %llu %llu %u %llu %llu", (long long)v->volume_start_bytes,
			(ull)v->blocks, (ull)v->first_bytes, (ull)v->last_bytes, (ull)v->heartbeats,
			(ull)v->heartbeats_in_use, (unsigned)v->heartbeat_stride_bytes, (ull)tally->last_heartbeat,
			(ull)tally->weight);
		for (size_t k = 0; k < sizeof(v->locks) / sizeof(v->locks[0]); k++)
			fprintf(f, " %llu", (ull)v->locks[k]);
		fputc('\n', f);
	}
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

/* What is read: the rest of the text, which ends with a NUL; numbers are read past nothing else. */
struct cursor {
	const char *at;
	const struct vk_scan_job *job; /* that the text is of */
	struct vk_scan_state *state;
	bool no_memory;
};

/*
 * A word and what separates it from the next. Blanks and signs that strtoull lets pass do not come out again when the
 * text is written anew, which is the last test.
 */
static bool word(struct cursor *c, const char *want)
{
	size_t len = strlen(want);

	if (strncmp(c->at, want, len) != 0)
		return false;
	c->at += len;
	return true;
}

static bool numbers(struct cursor *c, uint64_t *ret_numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *end;

		ret_numbers[i] = strtoull(c->at, &end, 10);
		if (end == c->at || (*end != ' ' && *end != '\n'))
			return false;
		c->at = end + 1;
	}
	return true;
}

/* In order, before where the scan was. */
static bool read_mark(struct cursor *c)
{
	struct vk_scan_state *state = c->state;
	enum vk_mark_kind kind = VK_MARK_FS;
	uint64_t least = c->job->start_bytes;
	uint64_t offset;

	if (word(c, "lvm "))
		kind = VK_MARK_LVM;
	else if (word(c, "gpt "))
		kind = VK_MARK_GPT;
	else if (!word(c, "fs "))
		return false;
	if (state->mark_count > 0)
		least = state->marks[state->mark_count - 1].offset_bytes + SECTOR;
	if (!numbers(c, &offset, 1) || offset % SECTOR != 0 || offset < least || offset >= state->position ||
	    state->mark_count == VK_MARKS_MAX)
		return false;
	c->no_memory = !vk_scan_state_mark(state, kind, offset);
	return !c->no_memory;
}

/* In order and apart as they were taken, so that the next one is taken where it would have been. */
static bool read_sample(struct cursor *c)
{
	struct vk_scan_state *state = c->state;
	uint64_t n[2];
	uint64_t least = state->sample_count > 0 ? state->next_sample : c->job->start_bytes;

	if (!word(c, "sample ") || !numbers(c, n, 2) || n[0] % SECTOR != 0 || n[0] < least || n[0] >= state->position ||
	    n[1] > UINT32_MAX || state->sample_count == VK_SCAN_SAMPLES_MAX)
		return false;
	state->samples[state->sample_count++] = (struct vk_scan_sample){n[0], (uint32_t)n[1]};
	state->next_sample = vk_add_sat(n[0], state->sample_stride);
	return true;
}

/* Whether blocks between first and last could have given these counts. */
static bool tally_is_sound(const struct vk_place_tally *tally, const struct vk_scan_job *job, uint64_t position)
{
	const struct vk_vote *v = &tally->vote;
	uint64_t sum = v->heartbeats;

	if (v->first_bytes % SECTOR != 0 || v->last_bytes % SECTOR != 0 || v->first_bytes < job->start_bytes ||
	    v->first_bytes > v->last_bytes || v->last_bytes >= position)
		return false;
	if (v->last_addr == 0 || v->last_addr % SECTOR != 0 || v->last_addr > VK_SCAN_ADDR_MAX ||
	    v->last_bytes - v->first_bytes >= v->last_addr)
		return false;
	for (size_t i = 0; i < sizeof(v->locks) / sizeof(v->locks[0]); i++)
		sum = vk_add_sat(sum, v->locks[i]);
	if (sum != v->blocks || v->blocks == 0 || v->blocks - 1 > (v->last_bytes - v->first_bytes) / SECTOR)
		return false;
	if (tally->weight == 0 || tally->weight > v->blocks || v->heartbeats_in_use > v->heartbeats)
		return false;
	if (v->heartbeat_stride_bytes != 0 && v->heartbeat_stride_bytes != 512 && v->heartbeat_stride_bytes != 4096)
		return false;
	return (tally->last_heartbeat == 0) == (v->heartbeats == 0) && tally->last_heartbeat % SECTOR == 0 &&
	       tally->last_heartbeat <= v->last_addr;
}

static bool read_tally(struct cursor *c)
{
	struct vk_place_tally tally = {0};
	struct vk_vote *v = &tally.vote;
	char *end;
	uint64_t n[8 + sizeof(v->locks) / sizeof(v->locks[0])];

	if (!word(c, "vote "))
		return false;
	v->volume_start_bytes = strtoll(c->at, &end, 10);
	if (end == c->at || *end != ' ')
		return false;
	c->at = end + 1;
	if (!numbers(c, n, sizeof(n) / sizeof(n[0])) || n[5] > UINT32_MAX)
		return false;
	tally.vote = (struct vk_vote){.volume_start_bytes = v->volume_start_bytes, .blocks = n[0], .first_bytes = n[1],
				      .last_bytes = n[2], .heartbeats = n[3], .heartbeats_in_use = n[4],
				      .heartbeat_stride_bytes = (uint32_t)n[5]};
	memcpy(v->locks, n + 8, sizeof(v->locks));
	tally.last_heartbeat = n[6];
	tally.weight = n[7];
	v->last_addr = v->last_bytes - (uint64_t)v->volume_start_bytes;
	return tally_is_sound(&tally, c->job, c->state->position) && vk_tallies_put(&c->state->tallies, &tally);
}

static bool read_range(struct cursor *c)
{
	const struct vk_range_set *set = &c->state->unreadable;
	uint64_t least = c->job->start_bytes;
	uint64_t n[2];
	uint64_t end;

	if (set->count > 0)
		least = set->ranges[set->count - 1].offset_bytes + set->ranges[set->count - 1].length_bytes + 1;
	if (!word(c, "unreadable ") || !numbers(c, n, 2) || n[0] < least || n[1] == 0 ||
	    !vk_add_u64(n[0], n[1], &end) || end > c->state->position || set->count == VK_SCAN_RANGES_MAX)
		return false;
	c->no_memory = !vk_scan_state_unreadable(c->state, n[0], n[1]);
	return !c->no_memory;
}

/* A name as it was before what is not plain was written as %XX; false: no name that we write. */
static bool read_name(struct cursor *c, char *ret_name, size_t cap)
{
	size_t len = 0;

	for (; *c->at != '\n'; c->at++) {
		unsigned byte = (unsigned char)*c->at;

		if (byte == '\0' || len + 1 >= cap)
			return false;
		if (byte == '%') {
			if (sscanf(c->at + 1, "%2X", &byte) != 1 || c->at[1] == '\0' || c->at[2] == '\0')
				return false;
			c->at += 2;
		}
		ret_name[len++] = (char)byte;
	}
	ret_name[len] = '\0';
	c->at++;
	return true;
}

/* What a scan is of. That the name was written as we would is seen when the whole text is written again. */
static bool read_head(struct cursor *c, struct vk_scan_job *job, char name[NAME_MAX_BYTES])
{
	struct vk_scan_state *state = c->state;
	uint64_t n[8];
	uint64_t end;

	if (!word(c, "vmfskit scan 3\ndisk ") || !read_name(c, name, NAME_MAX_BYTES) || !word(c, "saved ") ||
	    !numbers(c, &state->saved_s, 1) || !word(c, "size ") || !numbers(c, n, 2) ||
	    !word(c, "range ") || !numbers(c, n + 2, 2) ||
	    !word(c, "done ") || !numbers(c, n + 4, 4) || n[1] > UINT32_MAX)
		return false;
	job->disk_bytes = n[0];
	job->sector_size = (uint32_t)n[1];
	job->start_bytes = n[2];
	job->length_bytes = n[3];
	if (n[2] % SECTOR != 0 || !vk_add_u64(n[2], n[3], &end) || end > INT64_MAX || end > n[0] || n[4] < n[2] ||
	    n[4] > end || n[5] > n[4] - n[2] || n[6] > n[5] || n[7] > (n[4] - n[2]) / SECTOR)
		return false;
	state->sample_stride = vk_scan_sample_stride(n[3]);
	state->next_sample = n[2];
	state->position = n[4];
	state->scanned_bytes = n[5];
	state->holes_bytes = n[6];
	state->marks_left_out = n[7];
	return true;
}

/* All lines but the last. */
static bool read_lines(struct cursor *c, struct vk_scan_job *job, char name[NAME_MAX_BYTES])
{
	static const struct {
		const char *begin; /* of the first word of such a line */
		bool (*read)(struct cursor *c);
	} lists[] = {{"s", read_sample}, {"lfg", read_mark}, {"v", read_tally}, {"u", read_range}};

	if (!read_head(c, job, name))
		return false;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		while (*c->at != '\0' && strchr(lists[i].begin, *c->at) != NULL)
			if (!lists[i].read(c))
				return false;
	/* marks are left out when there is no room for them, and not before */
	return c->state->marks_left_out == 0 || c->state->mark_count == VK_MARKS_MAX;
}

/* Whether it is a scan of the same disk; if not, what differs. */
static enum vk_status compare_jobs(const char *path, const struct vk_scan_job *theirs, const struct vk_scan_job *ours,
				   struct vk_error *err)
{
	if (strcmp(theirs->identity, ours->identity) != 0)
		return vk_error_set(err, VK_USAGE, path,
				    "the state in this file is that of a scan of another disk: of %s, and this is %s",
				    theirs->identity[0] != '\0' ? theirs->identity : "one without a name",
				    ours->identity[0] != '\0' ? ours->identity : "one without a name");
	if (theirs->disk_bytes != ours->disk_bytes || theirs->sector_size != ours->sector_size)
		return vk_error_set(err, VK_USAGE, path,
				    "the state in this file is that of a scan of another disk: of %llu bytes in "
				    "sectors of %u, and this one has %llu in sectors of %u",
				    (ull)theirs->disk_bytes, theirs->sector_size, (ull)ours->disk_bytes,
				    ours->sector_size);
	if (theirs->start_bytes != ours->start_bytes || theirs->length_bytes != ours->length_bytes)
		return vk_error_set(err, VK_USAGE, path,
				    "the state in this file is that of a scan of another range: of %llu bytes from "
				    "byte %llu on, and this is %llu from byte %llu on",
				    (ull)theirs->length_bytes, (ull)theirs->start_bytes, (ull)ours->length_bytes,
				    (ull)ours->start_bytes);
	return VK_OK;
}

/*
 * The checks, in turn. The last line holds a checksum of all before it; that names and numbers are written as we would
 * is seen when the whole text is written again.
 */
static enum vk_status read_text(const char *path, const char *text, size_t len, const struct vk_scan_job *job,
				struct vk_scan_state *state, struct vk_error *err)
{
	static const char head[] = "vmfskit scan ", version[] = "vmfskit scan 3\n";
	struct vk_scan_job theirs = *job;
	struct cursor c = {.at = text, .job = &theirs, .state = state};
	char name[NAME_MAX_BYTES] = "", end[VK_SCAN_END_BYTES + 1];
	enum vk_status status;
	bool same;
	char *again;
	size_t again_len;

	if (len < sizeof(head) - 1 || strncmp(text, head, sizeof(head) - 1) != 0)
		return vk_error_set(err, VK_USAGE, path, "this file holds no state of a scan, and it is left as it is");
	if (strncmp(text, version, sizeof(version) - 1) != 0)
		return vk_error_set(err, VK_USAGE, path,
				    "the state of the scan in this file has the format of another vmfskit, and it is "
				    "left as it is");
	if (len >= VK_SCAN_END_BYTES)
		vk_scan_text_end(text, len - VK_SCAN_END_BYTES, end);
	same = len >= VK_SCAN_END_BYTES && memcmp(text + len - VK_SCAN_END_BYTES, end, VK_SCAN_END_BYTES) == 0 &&
	       strlen(text) == len && read_lines(&c, &theirs, name);
	if (c.no_memory)
		return vk_no_memory(err, path);
	if (same) {
		theirs.identity = name;
		status = compare_jobs(path, &theirs, job, err);
		if (status != VK_OK)
			return status;
		again = vk_scan_text(job, state, &again_len);
		if (again == NULL)
			return vk_no_memory(err, path);
		same = again_len == len && memcmp(again, text, len) == 0;
		free(again);
	}
	return same ? VK_OK : vk_error_set(err, VK_USAGE, path, "the state of the scan in this file is damaged");
}

enum vk_status vk_scan_text_read(const char *path, const char *text, size_t len, const struct vk_scan_job *job,
				 struct vk_scan_state *state, struct vk_error *err)
{
	enum vk_status status = read_text(path, text, len, job, state, err);

	if (status == VK_USAGE)
		(void)vk_error_remedy(err, "%s", VK_SCAN_ANEW);
	return status;
}
