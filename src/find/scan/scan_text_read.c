/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the state of a scan from a text that may have been damaged or made by anybody. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "find/scan/scan_resume.h"

enum { SECTOR = 512, NAME_MAX_BYTES = 400 };

/* The rest of the text. It ends with a NUL, and numbers are read past nothing else. */
struct cursor {
	const char *at;
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

static bool number(struct cursor *c, uint64_t *ret_number)
{
	char *end;

	*ret_number = strtoull(c->at, &end, 10);
	if (end == c->at || (*end != ' ' && *end != '\n'))
		return false;
	c->at = end + 1;
	return true;
}

static bool numbers(struct cursor *c, uint64_t *ret_numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!number(c, &ret_numbers[i]))
			return false;
	return true;
}

static bool read_mark(struct cursor *c, const struct vk_scan_job *job, struct vk_scan_state *state, bool *ret_nomem)
{
	enum vk_mark_kind kind = VK_MARK_FS;
	uint64_t least = job->start_bytes;
	uint64_t offset;

	if (word(c, "lvm "))
		kind = VK_MARK_LVM;
	else if (!word(c, "fs "))
		return false;
	if (state->mark_count > 0)
		least = state->marks[state->mark_count - 1].offset_bytes + SECTOR;
	if (!number(c, &offset) || offset % SECTOR != 0 || offset < least || offset >= state->position ||
	    state->mark_count == VK_MARKS_MAX)
		return false;
	*ret_nomem = !vk_scan_state_mark(state, kind, offset);
	return !*ret_nomem;
}

/* In order and apart as they were taken, so that the next one is taken where it would have been. */
static bool read_sample(struct cursor *c, const struct vk_scan_job *job, struct vk_scan_state *state)
{
	uint64_t n[2];
	uint64_t least = state->sample_count > 0 ? state->next_sample : job->start_bytes;

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

static bool read_tally(struct cursor *c, const struct vk_scan_job *job, struct vk_scan_state *state)
{
	struct vk_place_tally tally = {0};
	struct vk_vote *v = &tally.vote;
	char *end;
	uint64_t n[8];

	if (!word(c, "vote "))
		return false;
	v->volume_start_bytes = strtoll(c->at, &end, 10);
	if (end == c->at || *end != ' ')
		return false;
	c->at = end + 1;
	if (!numbers(c, n, 8) || !numbers(c, v->locks, sizeof(v->locks) / sizeof(v->locks[0])) || n[5] > UINT32_MAX)
		return false;
	v->blocks = n[0];
	v->first_bytes = n[1];
	v->last_bytes = n[2];
	v->heartbeats = n[3];
	v->heartbeats_in_use = n[4];
	v->heartbeat_stride_bytes = (uint32_t)n[5];
	tally.last_heartbeat = n[6];
	tally.weight = n[7];
	v->last_addr = v->last_bytes - (uint64_t)v->volume_start_bytes;
	return tally_is_sound(&tally, job, state->position) && vk_tallies_put(&state->tallies, &tally);
}

static bool read_range(struct cursor *c, const struct vk_scan_job *job, struct vk_scan_state *state, bool *ret_nomem)
{
	const struct vk_range_set *set = &state->unreadable;
	uint64_t least = job->start_bytes;
	uint64_t n[2];
	uint64_t end;

	if (set->count > 0)
		least = set->ranges[set->count - 1].offset_bytes + set->ranges[set->count - 1].length_bytes + 1;
	if (!word(c, "unreadable ") || !numbers(c, n, 2) || n[0] < least || n[1] == 0 ||
	    !vk_add_u64(n[0], n[1], &end) || end > state->position || set->count == VK_SCAN_RANGES_MAX)
		return false;
	*ret_nomem = !vk_scan_state_unreadable(state, n[0], n[1]);
	return !*ret_nomem;
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
static bool read_head(struct cursor *c, struct vk_scan_job *job, char name[NAME_MAX_BYTES], struct vk_scan_state *state)
{
	uint64_t n[8];
	uint64_t end;

	if (!word(c, "vmfskit scan 2\ndisk ") || !read_name(c, name, NAME_MAX_BYTES) || !word(c, "saved ") ||
	    !number(c, &state->saved_s))
		return false;
	if (!word(c, "size ") || !numbers(c, n, 2) || !word(c, "range ") || !numbers(c, n + 2, 2) ||
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

static bool read_all(const char *text, struct vk_scan_job *job, char name[NAME_MAX_BYTES], struct vk_scan_state *state,
		     bool *ret_nomem)
{
	struct cursor c = {text};

	*ret_nomem = false;
	if (!read_head(&c, job, name, state))
		return false;
	while (*c.at == 's')
		if (!read_sample(&c, job, state))
			return false;
	while (*c.at == 'l' || *c.at == 'f')
		if (!read_mark(&c, job, state, ret_nomem))
			return false;
	while (*c.at == 'v')
		if (!read_tally(&c, job, state))
			return false;
	while (*c.at == 'u')
		if (!read_range(&c, job, state, ret_nomem))
			return false;
	/* marks are left out when there is no room for them, and not before */
	return state->marks_left_out == 0 || state->mark_count == VK_MARKS_MAX;
}

__attribute__((format(printf, 3, 4)))
static enum vk_status refuse(struct vk_error *err, const char *path, const char *what, ...)
{
	char text[600];
	va_list args;

	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	vk_error_set(err, VK_USAGE, path, "%s", text);
	(void)vk_error_remedy(err, "%s", VK_SCAN_ANEW);
	return VK_USAGE;
}

/* Whether it is a scan of the same disk; if not, what differs. */
static enum vk_status compare_jobs(const char *path, const struct vk_scan_job *theirs, const struct vk_scan_job *ours,
				   struct vk_error *err)
{
	typedef unsigned long long ull;

	if (strcmp(theirs->identity, ours->identity) != 0)
		return refuse(err, path,
			      "the state in this file is that of a scan of another disk: of %s, and this is %s",
			      theirs->identity[0] != '\0' ? theirs->identity : "one without a name",
			      ours->identity[0] != '\0' ? ours->identity : "one without a name");
	if (theirs->disk_bytes != ours->disk_bytes || theirs->sector_size != ours->sector_size)
		return refuse(
			err, path,
			"the state in this file is that of a scan of another disk: of %llu bytes in sectors of %u, "
			"and this "
			"one has %llu in sectors of %u",
			(ull)theirs->disk_bytes, theirs->sector_size, (ull)ours->disk_bytes, ours->sector_size);
	if (theirs->start_bytes != ours->start_bytes || theirs->length_bytes != ours->length_bytes)
		return refuse(
			err, path,
			"the state in this file is that of a scan of another range: of %llu bytes from byte %llu on, "
			"and this "
			"is %llu from byte %llu on",
			(ull)theirs->length_bytes, (ull)theirs->start_bytes, (ull)ours->length_bytes,
			(ull)ours->start_bytes);
	return VK_OK;
}

/* The last line holds a checksum of all before it. */
static bool checksum_is_right(const char *text, size_t len)
{
	char want[VK_SCAN_END_BYTES + 1];

	if (len < VK_SCAN_END_BYTES)
		return false;
	vk_scan_text_end(text, len - VK_SCAN_END_BYTES, want);
	return memcmp(text + len - VK_SCAN_END_BYTES, want, VK_SCAN_END_BYTES) == 0;
}

enum vk_status vk_scan_text_read(const char *path, const char *text, size_t len, const struct vk_scan_job *job,
				 struct vk_scan_state *state, struct vk_error *err)
{
	static const char head[] = "vmfskit scan ", version[] = "vmfskit scan 2\n";
	struct vk_scan_job theirs = *job;
	char name[NAME_MAX_BYTES] = "";
	enum vk_status status;
	bool nomem = false;
	bool same;
	char *again;
	size_t again_len;

	if (len < sizeof(head) - 1 || strncmp(text, head, sizeof(head) - 1) != 0)
		return refuse(err, path, "this file holds no state of a scan, and it is left as it is");
	if (strncmp(text, version, sizeof(version) - 1) != 0)
		return refuse(
			err, path,
			"the state of the scan in this file has the format of another vmfskit, and it is left "
			"as it is");
	if (!checksum_is_right(text, len) || strlen(text) != len || !read_all(text, &theirs, name, state, &nomem)) {
		if (nomem)
			return vk_no_memory(err, path);
		return refuse(err, path, "the state of the scan in this file is damaged");
	}
	theirs.identity = name;
	status = compare_jobs(path, &theirs, job, err);
	if (status != VK_OK)
		return status;
	again = vk_scan_text(job, state, &again_len);
	if (again == NULL)
		return vk_no_memory(err, path);
	same = again_len == len && memcmp(again, text, len) == 0;
	free(again);
	return same ? VK_OK : refuse(err, path, "the state of the scan in this file is damaged");
}
