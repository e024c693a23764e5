/* SPDX-License-Identifier: Apache-2.0 */
/* The disks of one run of capture: found, compared with their last captures, each taken by a process of its own. */
#ifndef VK_CMD_CAPTURE_RUN_H
#define VK_CMD_CAPTURE_RUN_H

#include <sys/types.h>

#include "cmd/shared/captures.h"
#include "store/capture/previous.h"
#include "vmfskit/diff.h"
#include "vmfskit/luns.h"

/* A LUN that lies in a disk, elsewhere than in its own places. */
struct capture_inside {
	struct vk_reading reading;
	char uuid[VK_VMFS_UUID_TEXT_BYTES];   /* its first VMFS device; empty: not known */
	/* of all that a capture of it would save but heartbeats; empty: not known */
	char sha256[VK_SHA256_HEX_BYTES];
	char saved[VK_CAPTURE_ID_BYTES];      /* the capture of this run that has the same; empty: none */
	char like[VK_CAPTURE_ID_BYTES];       /* the capture of this run that has its device UUID, but not the same */
};
enum { CAPTURE_INSIDE_MAX = 32 };

/* What became of a disk. No pointers: one process hands it to another. */
struct capture_result {
	enum vk_status status;
	struct vk_error err;
	bool skipped;           /* nothing was captured, and err.what says why that is right */
	char id[VK_CAPTURE_ID_BYTES];
	struct vk_reading reading; /* what it is, as far as that was asked */
	bool is_device;
	struct capture_inside inside[CAPTURE_INSIDE_MAX]; /* the best reading first */
	size_t inside_count;
	bool inside_more;       /* more than are listed */
	uint64_t most_map_bytes, most_metadata_bytes; /* as of struct vk_capture_watch */
	size_t decode_findings; /* warnings and errors that decode has for the disk */
	bool compared;          /* there was a last capture to compare with */
	size_t changes_dropped;
	size_t findings_dropped;
	enum vk_severity dropped_worst; /* the gravest of them */
};

/* Memory that the process of a disk shares with the run. */
struct capture_shared {
	struct vk_capture_watch watch; /* all that is looked at while the process runs */
	bool is_complete;          /* set last: the process came to its end */
	struct capture_result result;
	size_t finding_count;
	size_t change_count;
	struct vk_finding findings[VK_FINDINGS_MAX];
	struct vk_change changes[VK_CHANGES_MAX];
};

struct capture_job {
	struct capture_run *run;
	const char *disk;
	struct vk_io_view view;         /* its pieces, when it is a split dump */
	const char *const *other_paths; /* ends with NULL */
	const char *wwid;
	bool only_with_vmfs;
	char previous[VK_CAPTURE_ID_BYTES]; /* the last capture; empty: none */

	pid_t pid;                  /* 0: no process works on it */
	struct capture_shared *shared;
	int words_fd;               /* a file in memory: what the process printed */

	struct capture_result result;
	struct vk_findings findings;
	struct vk_change *changes;  /* that matter */
	size_t change_count;
	char *path;
	struct vk_capture capture;  /* as it was saved */
	char *next[CAPTURE_INSIDE_MAX]; /* the command that saves each LUN in it; NULL: it is saved, or there is none */
};

/* How many disks ended in which way. */
struct capture_sums {
	size_t unchanged;
	size_t changed;
	size_t new_ones;
	size_t failed;
	size_t skipped;
	size_t bad; /* with findings */
};

struct capture_run {
	struct vk_cmd cmd;
	bool all;
	bool vmfs_only;
	bool quiet;          /* only what is new */
	bool by_name;        /* disks are told apart by the last part of their path */
	bool fail_on_change;
	bool is_done;        /* all disks were worked on, whatever came of it */
	unsigned processes;  /* at a time; 0: as many as make sense */
	unsigned timeout_s;
	struct vk_source_options source;
	struct vk_capture_options capture;
	const char **include; /* of --all; end with NULL */
	const char **exclude;
	struct vk_lun *luns; /* of --all */
	size_t lun_count;
	struct capture_job *jobs;
	size_t count;
	struct vk_disk_facts *facts; /* of each job, what is known of it before it is opened */
	struct vk_seen_scope scope; /* which disks --all looks for */
	char scope_folder[4096];
	char scope_words[8192];
	struct vk_gones gones;
	struct capture_sums sums;
	bool no_links_reported; /* that the store has no hard links is reported once, not for each disk */
};

/* Find the disks of --all, or take the named ones, and the last capture of each. */
VK_MUST_USE enum vk_status vk_capture_prepare(struct capture_run *run, struct vk_error *err);
void vk_capture_run_free(struct capture_run *run);
/*
 * Take one disk into result, findings and changes of the job. In a process of its own, which may be killed at any time.
 */
void vk_capture_job(struct capture_job *job);
/* All of them, a few at a time; those that do not answer are given up. */
void vk_capture_work(struct capture_run *run);

/*
 * In the process of a disk: what it is, which goes into the result; of a named disk also into the findings. source was
 * opened with options.
 */
void vk_capture_look(struct capture_job *job, const struct vk_source_options *options, const struct vk_source *source);
/* VK_ABSENT, with what it is, when there is nothing of its own on it that could be saved. */
VK_MUST_USE enum vk_status vk_capture_refuse_others(const struct capture_job *job, const struct vk_source *source,
						    struct vk_error *err);
/* When all disks are done: which LUNs that lie in disks are saved by none of the others. */
void vk_capture_settle_inside(struct capture_run *run);
void vk_capture_put_inside(FILE *out, const struct capture_run *run);
json_t *vk_capture_inside_json(const struct capture_run *run, struct vk_json *root);

static inline bool vk_capture_is_changed(const struct capture_job *job)
{
	return job->result.compared && job->change_count + job->result.changes_dropped > 0;
}
void vk_capture_put_text(const void *run);
void vk_capture_put_json(const void *run, struct vk_json *root);

#endif
