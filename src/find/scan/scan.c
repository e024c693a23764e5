/* SPDX-License-Identifier: Apache-2.0 */
/* The scan of a disk: takes what the reader brings, searches it, tells how far it is and keeps what is known. */
#include "base/memory.h"
#include "find/scan/scan.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/checked.h"
#include "find/scan/scan_resume.h"
#include "io/read_ahead.h"

enum { TELL_EVERY_MS = 200, SAVE_EVERY_MS = 5000, SAVE_SHARE = 50 };

struct run {
	struct vk_io *io;
	const struct vk_scan_options *options;
	uint64_t end;
	struct vk_scan_state state;
	struct vk_scan_job job;
	uint64_t told_ms, save_ms; /* when it was told last, and is to be saved next */
	uint64_t resumed_bytes, resumed_s;
	uint64_t saved_position; /* up to where the file has it */
	bool stopped;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void report_progress(struct run *run)
{
	const struct vk_scan_options *o = run->options;

	run->told_ms = now_ms();
	if (o->progress != NULL &&
	    !o->progress(o->ctx, run->state.position - o->start_bytes, run->end - o->start_bytes))
		run->stopped = true;
}

/* A large state on a slow disk is saved less often: it is not to take more than a small share of the time. */
static enum vk_status save(struct run *run, struct vk_error *err)
{
	const char *path = run->options->resume_path;
	uint64_t begun = now_ms();
	enum vk_status status = VK_OK;

	/* a state that nothing was added to keeps its date */
	if (run->state.position != run->saved_position || run->state.saved_s == 0)
		run->state.saved_s = (uint64_t)time(NULL);
	if (path != NULL)
		status = vk_scan_file_save(path, &run->job, &run->state, err);
	if (status == VK_OK)
		run->saved_position = run->state.position;
	run->save_ms = now_ms();
	run->save_ms += vk_max_u64(SAVE_EVERY_MS, SAVE_SHARE * (run->save_ms - begun));
	return status;
}

/* Add a piece to what is known. False when memory ran out. */
static bool take_in(struct vk_scan_state *state, const struct vk_piece *piece)
{
	bool ok = true;

	switch (piece->kind) {
	case VK_PIECE_BYTES:
		ok = vk_scan_state_search(state, piece->bytes, (size_t)piece->length_bytes, piece->offset_bytes);
		vk_scan_state_sample(state, piece->bytes, (size_t)piece->length_bytes, piece->offset_bytes);
		state->scanned_bytes += piece->length_bytes;
		break;
	case VK_PIECE_ZERO:
		state->scanned_bytes += piece->length_bytes;
		state->holes_bytes += piece->length_bytes;
		break;
	case VK_PIECE_MISSING:
		ok = vk_scan_state_unreadable(state, piece->offset_bytes, piece->length_bytes);
		break;
	}
	state->position = piece->offset_bytes + piece->length_bytes;
	return ok;
}

static enum vk_status read_on(struct run *run, struct vk_error *err)
{
	struct vk_read_ahead *reader;
	enum vk_status status = VK_OK;
	bool over = false;

	if (run->stopped || run->state.position >= run->end)
		return VK_OK;
	status = vk_read_ahead_open(run->io, run->state.position, run->end, 0, &reader, err);
	if (status != VK_OK)
		return status;
	while (!over && !run->stopped && run->state.position < run->end) {
		const struct vk_piece *piece;
		uint64_t now;

		status = vk_read_ahead_next(reader, TELL_EVERY_MS, &piece, err);
		over = status != VK_OK || (piece != NULL && piece->length_bytes == 0);
		if (!over && piece != NULL) {
			if (!take_in(&run->state, piece)) {
				status = vk_no_memory(err, vk_io_name(run->io));
				break;
			}
			vk_read_ahead_give_back(reader);
		}
		now = now_ms();
		if (!over && now - run->told_ms >= TELL_EVERY_MS)
			report_progress(run);
		/* that it cannot be saved now is told when it matters: when the scan ends before the disk does */
		if (!over && now >= run->save_ms)
			(void)!save(run, NULL);
	}
	vk_read_ahead_close(reader);
	if (status == VK_OK && !run->stopped)
		report_progress(run);
	return status;
}

/* From the start, or from where the resume file says; that it can be written is found out now, not after hours. */
static enum vk_status begin(struct run *run, struct vk_error *err)
{
	const struct vk_scan_options *o = run->options;
	enum vk_status status = VK_OK;

	run->job = (struct vk_scan_job){.identity = o->identity != NULL ? o->identity : "",
					.disk_bytes = vk_io_size_bytes(run->io),
					.sector_size = o->sector_size,
					.start_bytes = o->start_bytes,
					.length_bytes = o->length_bytes};
	if (o->resume_path != NULL) {
		struct vk_error why = {0};

		status = vk_scan_file_load(o->resume_path, &run->job, &run->state, &why);
		if (status == VK_OK)
			status = vk_scan_state_check(run->io, o->resume_path, &run->state, &why);
		if (status == VK_ABSENT)
			status = VK_OK;
		else if (status != VK_OK && err != NULL)
			*err = why;
	}
	run->resumed_bytes = run->state.position - o->start_bytes;
	run->resumed_s = run->resumed_bytes > 0 ? run->state.saved_s : 0;
	run->saved_position = run->state.position;
	if (status == VK_OK)
		status = save(run, err);
	if (status == VK_OK)
		report_progress(run);
	return status;
}

/* What stops a scan, a failure too, is not to cost what was done. Of a scan that came to its end nothing is lost. */
static enum vk_status end(struct run *run, enum vk_status status, struct vk_error *err)
{
	run->stopped = run->stopped && run->state.position < run->end;
	if (status != VK_OK) {
		if (save(run, NULL) == VK_OK && status == VK_IO && run->options->resume_path != NULL)
			(void)vk_error_remedy(
				err,
				"when the disk answers again run the same command: the scan continues where it "
				"stopped");
		return status;
	}
	status = save(run, err);
	return run->stopped ? status : VK_OK;
}

enum vk_status vk_scan(struct vk_io *io, const struct vk_scan_options *options, struct vk_scan *ret_scan,
		       struct vk_error *err)
{
	struct run run = {.io = io, .options = options};
	struct vk_scan_state *state = &run.state;
	struct vk_scan scan = {0};
	enum vk_status status = VK_OK;

	if (options->start_bytes % 512 != 0)
		return vk_error_set(err, VK_USAGE, vk_io_name(io),
				    "a scan begins between two sectors, not at byte %llu",
				    (unsigned long long)options->start_bytes);
	if (!vk_add_u64(options->start_bytes, options->length_bytes, &run.end) || run.end > vk_io_size_bytes(io) ||
	    run.end > INT64_MAX)
		return vk_error_set(err, VK_USAGE, vk_io_name(io), "the range to be scanned reaches past the end");
	if (!vk_scan_state_init(state, options->start_bytes))
		status = vk_no_memory(err, vk_io_name(io));
	state->sample_stride = vk_scan_sample_stride(options->length_bytes);
	state->next_sample = options->start_bytes;
	if (status == VK_OK)
		status = begin(&run, err);
	if (status == VK_OK)
		status = end(&run, read_on(&run, err), err);
	if (status == VK_OK && !vk_tallies_ranked(&state->tallies, &scan.votes, &scan.vote_count))
		status = vk_no_memory(err, vk_io_name(io));
	if (status == VK_OK) {
		/* the lists go to the caller */
		scan.marks = state->marks;
		scan.mark_count = state->mark_count;
		scan.marks_left_out = state->marks_left_out;
		scan.scanned_bytes = state->scanned_bytes;
		scan.holes_bytes = state->holes_bytes;
		scan.resumed_bytes = run.resumed_bytes;
		scan.resumed_s = run.resumed_s;
		scan.unreadable = state->unreadable.ranges;
		scan.unreadable_count = state->unreadable.count;
		scan.stopped = run.stopped;
		state->marks = NULL;
		memset(&state->unreadable, 0, sizeof(state->unreadable));
		*ret_scan = scan;
	}
	vk_scan_state_free(state);
	return status;
}

void vk_scan_free(struct vk_scan *scan)
{
	free(scan->marks);
	free(scan->votes);
	free(scan->unreadable);
	memset(scan, 0, sizeof(*scan));
}
