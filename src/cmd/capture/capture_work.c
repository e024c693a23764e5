/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a run of capture, one for each disk. Whatever a process does to the store is its own: the folder
 * that it fills has a name only once its line is in the ledger, where the processes wait for each other, so it may end
 * at any moment. The run only counts what came of it. A process that is inside a call into its device for too long is
 * killed; one that the kernel cannot end (a dead device) is not waited for. It holds none of our descriptors that
 * somebody may wait on.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "base/memory.h"
#include "base/shown.h"
#include "cmd/capture/capture_run.h"

/* Twice as many as processors: while one waits for a disk or for the store to be flushed, another digests. */
enum { PROCESSES_LEAST = 4, PROCESSES_MAX = 64, LOOK_MS = 100 };

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static _Noreturn void work_on(struct capture_job *job, pid_t parent)
{
	struct capture_shared *shared = job->shared;

	/* it may have gone before it could be asked for */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent || dup2(job->words_fd, STDOUT_FILENO) < 0 ||
	    dup2(job->words_fd, STDERR_FILENO) < 0)
		_exit(VK_EXIT_INTERNAL);
	vk_capture_job(job);
	shared->result = job->result;
	shared->finding_count = job->findings.count;
	shared->change_count = job->change_count < VK_CHANGES_MAX ? job->change_count : VK_CHANGES_MAX;
	shared->result.changes_dropped += job->change_count - shared->change_count;
	shared->result.findings_dropped = job->findings.dropped;
	shared->result.dropped_worst = job->findings.dropped_worst;
	for (size_t i = 0; i < shared->finding_count; i++)
		shared->findings[i] = job->findings.items[i];
	for (size_t i = 0; i < shared->change_count; i++)
		shared->changes[i] = job->changes[i];
	shared->is_complete = true;
	_exit(VK_EXIT_OK);
}

static bool begin(struct capture_job *job)
{
	const pid_t parent = getpid();
	struct capture_shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (shared == MAP_FAILED)
		return false;
	job->words_fd = memfd_create("vmfskit", MFD_CLOEXEC);
	if (job->words_fd >= 0) {
		job->shared = shared;
		job->pid = fork();
		if (job->pid == 0)
			work_on(job, parent);
		if (job->pid > 0)
			return true;
		job->pid = 0;
		close(job->words_fd);
	}
	munmap(shared, sizeof(*shared));
	return false;
}

/* A library's last words, or a sanitizer's. */
static void pass_words_on(const struct capture_job *job)
{
	char buf[4096];
	ssize_t n;

	for (off_t at = 0; (n = pread(job->words_fd, buf, sizeof(buf), at)) > 0; at += n)
		fwrite(buf, 1, (size_t)n, job->run->cmd.call->err);
	close(job->words_fd);
}

#define END_TEXT(text) ((text)[sizeof(text) - 1] = '\0')

static void end_reading(struct vk_reading *reading)
{
	END_TEXT(reading->what);
	END_TEXT(reading->attach);
	END_TEXT(reading->device);
}

/*
 * Of what a process that was led astray could have written, nothing is used but what fits: counts, codes, ends of
 * texts, and an id that is a name.
 */
static void take_over(struct capture_job *job)
{
	struct capture_shared *shared = job->shared;
	struct capture_result *r = &job->result;

	*r = shared->result;
	END_TEXT(r->id);
	END_TEXT(r->err.what);
	END_TEXT(r->err.where);
	END_TEXT(r->err.remedy);
	end_reading(&r->reading);
	r->inside_count = r->inside_count < CAPTURE_INSIDE_MAX ? r->inside_count : CAPTURE_INSIDE_MAX;
	for (size_t i = 0; i < r->inside_count; i++) {
		end_reading(&r->inside[i].reading);
		END_TEXT(r->inside[i].uuid);
		END_TEXT(r->inside[i].sha256);
	}
	if (strchr(r->id, '/') != NULL)
		r->id[0] = '\0';
	for (size_t i = 0; i < shared->finding_count && i < VK_FINDINGS_MAX; i++) {
		struct vk_finding *finding = &shared->findings[i];

		END_TEXT(finding->seen);
		END_TEXT(finding->expected);
		END_TEXT(finding->message);
		if ((unsigned)finding->code >= VK_F_COUNT ||
		    (finding->code == VK_F_CAPTURE_NO_LINKS && job->run->no_links_reported))
			continue;
		job->run->no_links_reported = job->run->no_links_reported || finding->code == VK_F_CAPTURE_NO_LINKS;
		vk_findings_add(&job->findings, finding);
	}
	job->findings.dropped += r->findings_dropped;
	job->findings.dropped_worst = r->dropped_worst;
	for (size_t i = 0; i < shared->change_count && i < VK_CHANGES_MAX; i++) {
		END_TEXT(shared->changes[i].subject);
		END_TEXT(shared->changes[i].field);
		END_TEXT(shared->changes[i].before);
		END_TEXT(shared->changes[i].after);
		END_TEXT(shared->changes[i].message);
		if (vk_append(&job->changes, &job->change_count, &shared->changes[i], sizeof(shared->changes[i])) ==
		    NULL)
			r->changes_dropped++;
	}
	if (r->status != VK_OK)
		return;
	if (asprintf(&job->path, "%s/%s", vk_cmd_store(job->run->cmd.call), r->id) >= 0) {
		r->status = vk_capture_open("", job->path, &job->capture, &r->err);
	} else {
		job->path = NULL;
		r->status = vk_no_memory(&r->err, job->disk);
	}
}

static void finish(struct capture_job *job, int wait_status)
{
	vk_crash_with(wait_status);
	pass_words_on(job);
	if (WIFEXITED(wait_status) && job->shared->is_complete)
		take_over(job);
	else if (WIFSIGNALED(wait_status))
		job->result.status =
			vk_error_set(&job->result.err, VK_INTERNAL, job->disk,
				     "the process that captured it was ended by signal %d", WTERMSIG(wait_status));
	else
		job->result.status = vk_error_set(&job->result.err, VK_INTERNAL, job->disk,
						  "the process that captured it ended before it was done");
	munmap(job->shared, sizeof(*job->shared));
	job->pid = 0;
}

/* Time spent anywhere but in the device is not held against it. */
static bool is_stuck(const struct capture_job *job)
{
	const struct vk_capture_watch *watch = &job->shared->watch;
	/* in this order: a call that another process was in is over before apart is false again */
	const bool apart = __atomic_load_n(&watch->apart, __ATOMIC_SEQ_CST);
	uint64_t since = __atomic_load_n(&watch->in_call_since_ms, __ATOMIC_SEQ_CST);

	return since != 0 && !apart && now_ms() >= since + 1000 * (uint64_t)job->run->timeout_s;
}

static void give_up(struct capture_job *job)
{
	(void)kill(job->pid, SIGKILL);
	job->pid = 0;
	close(job->words_fd);
	munmap(job->shared, sizeof(*job->shared));
	job->result.status = vk_error_set(&job->result.err, VK_IO, job->disk,
					  "the device did not answer for %u s and was given up", job->run->timeout_s);
	vk_error_remedy(&job->result.err,
			"look at the paths to it and at the kernel's log; the other disks were captured");
}

/* Returns how many of the first count jobs came to an end. */
static size_t look_after(struct capture_run *run, size_t count)
{
	size_t ended = 0;

	for (size_t i = 0; i < count; i++) {
		struct capture_job *job = &run->jobs[i];
		int status = -1;

		if (job->pid == 0)
			continue;
		if (waitpid(job->pid, &status, WNOHANG) != 0)
			finish(job, status);
		else if (is_stuck(job))
			give_up(job);
		ended += job->pid == 0;
	}
	return ended;
}

/* What is read of files is told before: it may take long. */
static uint64_t most_bytes(const struct capture_run *run)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < run->count; i++) {
		const struct capture_job *job = &run->jobs[i];

		if (job->pid != 0)
			sum += __atomic_load_n(&job->shared->watch.most_map_bytes, __ATOMIC_SEQ_CST) +
			       __atomic_load_n(&job->shared->watch.most_metadata_bytes, __ATOMIC_SEQ_CST);
	}
	return sum;
}

static void show_progress(const struct capture_run *run, size_t ended, uint64_t begun_ms)
{
	double seconds = (double)(now_ms() - begun_ms) / 1000;
	const uint64_t most = most_bytes(run);

	if (ended == 0 && most == 0)
		return;
	dprintf(STDERR_FILENO, "\rcaptured %zu of %zu", ended, run->count);
	if (ended > 0)
		dprintf(STDERR_FILENO, ", %.1f s left", seconds / (double)ended * (double)(run->count - ended));
	if (most > 0)
		dprintf(STDERR_FILENO, ", now files: at most %s", vk_shown_size_short(most).text);
	dprintf(STDERR_FILENO, "\033[K");
}

static size_t processes_wanted(const struct capture_run *run)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t want = cpus > 0 ? (size_t)cpus * 2 : 1;

	want = want > PROCESSES_LEAST ? want : PROCESSES_LEAST;
	want = want < PROCESSES_MAX ? want : PROCESSES_MAX;
	return run->processes > 0 ? run->processes : want;
}

void vk_capture_work(struct capture_run *run)
{
	const struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};
	const bool progress = isatty(STDERR_FILENO) == 1 && !run->quiet;
	const size_t want = processes_wanted(run);
	const uint64_t begun = now_ms();
	size_t next = 0;
	size_t running = 0;
	sigset_t ends;

	/* the end of a process is waited for, so it must neither be ignored nor handled before */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	fflush(run->cmd.call->out);
	fflush(run->cmd.call->err);
	while (next < run->count || running > 0) {
		while (next < run->count && running < want) {
			struct capture_job *job = &run->jobs[next];

			if (begin(job))
				running++;
			else if (running > 0)
				break; /* there will be room when another has ended */
			else
				job->result.status = vk_error_errno(&job->result.err, errno, job->disk,
								    "cannot start the process that captures it");
			next++;
		}
		if (running > 0)
			(void)sigtimedwait(&ends, NULL, &look);
		running -= look_after(run, next);
		if (progress)
			show_progress(run, next - running, begun);
	}
	if (progress)
		dprintf(STDERR_FILENO, "\r\033[K");
}
