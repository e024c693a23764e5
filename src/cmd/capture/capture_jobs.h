/* SPDX-License-Identifier: Apache-2.0 */
/* The disks of one run of capture: found, compared with their last captures, worked on and watched. */
#ifndef VK_CMD_CAPTURE_JOBS_H
#define VK_CMD_CAPTURE_JOBS_H

#include <stdatomic.h>
#include <time.h>

#include "cmd/shared/captures.h"
#include "store/capture/previous.h"
#include "vmfskit/diff.h"
#include "vmfskit/luns.h"

/*
 * A job is given up by the watcher, or goes on to its commit, never both: each of them takes it out of RUNNING. One that was given
 * up belongs to a thread that may wake up at any time, so nobody else touches more of it than its name.
 */
enum capture_state {
	CAPTURE_WAITING,
	CAPTURE_RUNNING,
	CAPTURE_COMMITTING,
	CAPTURE_DONE,
	CAPTURE_GIVEN_UP
};

struct capture_run;

struct capture_job {
	struct capture_run *run;
	const char *disk;
	char *shown;                /* the same, fit for JSON */
	const char *const *other_paths; /* ends with NULL */
	const char *wwid;
	bool only_with_vmfs;
	char previous[VK_CAPTURE_ID_BYTES]; /* the last capture; empty: none */

	atomic_int state;
	uint64_t progress;          /* as in vk_open_options */
	uint64_t seen_progress;     /* of the watcher, as the next one */
	struct timespec seen_at;

	enum vk_status status;
	struct vk_error err;
	const char *skipped;        /* why nothing was captured; NULL: it was, or it failed */
	char id[VK_CAPTURE_ID_BYTES];
	char *path;
	struct vk_findings findings;
	struct vk_capture capture;  /* as it was saved */
	size_t decode_findings;     /* warnings and errors that decode has for the disk */
	bool compared;              /* there was a last capture to compare with */
	struct vk_change *changes;  /* that matter */
	size_t change_count;
	size_t changes_dropped;
};

struct capture_run {
	bool all;
	bool vmfs_only;
	bool quiet;          /* only what is new */
	bool by_name;        /* disks are told apart by the last part of their path */
	bool fail_on_change;
	bool progress;       /* shown on a terminal */
	unsigned threads;    /* 0: as many as make sense */
	unsigned timeout_s;
	struct vk_source_options source;
	struct vk_capture_options capture;
	const char *store;
	const char **include; /* of --all; end with NULL */
	const char **exclude;
	struct vk_lun *luns; /* of --all */
	size_t lun_count;
	struct capture_job *jobs;
	size_t count;
	struct vk_disk_facts *facts; /* of each job, what is known of it before it is opened */
	struct vk_last_gones gones;
	size_t given_up;
	size_t saved;
};

/* Find the disks of --all, or take the named ones, and the last capture of each. */
VK_MUST_USE enum vk_status vk_capture_prepare(const struct vk_cli_call *call,
					      struct capture_run *run, struct vk_error *err);
void vk_capture_run_free(struct capture_run *run);
/* Take one disk; on any thread. */
void vk_capture_job(struct capture_job *job);
/* Compare a capture that was taken with the last one of its disk. */
void vk_capture_compare(struct capture_job *job);
/* All of them, on a few threads; those that do not answer are given up. */
void vk_capture_work(struct capture_run *run);
/* Print what came of it; returns the exit code. */
int vk_capture_report(struct vk_cli_call *call, const struct capture_run *run);
json_t *vk_capture_run_json(const struct capture_run *run);

static inline bool vk_capture_gave_up(const struct capture_job *job)
{
	return atomic_load(&job->state) == CAPTURE_GIVEN_UP;
}
/* The error of a job that was given up. */
void vk_capture_stuck_error(const struct capture_run *run, const struct capture_job *job,
			    struct vk_error *ret_err);

#endif
