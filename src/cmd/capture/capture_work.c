/* SPDX-License-Identifier: Apache-2.0 */
/* The threads of a run of capture, and the watch over devices that do not answer. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/capture/capture_jobs.h"

/*
 * Twice as many as processors: while one waits for a disk or for the store to be flushed, another
 * digests.
 */
enum { THREADS_LEAST = 4, THREADS_MAX = 64, LOOK_MS = 100 };

struct pool {
	struct capture_run *run;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	size_t next;
	size_t ended; /* jobs that are done or given up */
	pthread_t *threads;
	size_t started;
	size_t lacking; /* threads that hang, and that no other could be started for yet */
	struct timespec begun;
};

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

static struct capture_job *next_job(struct pool *pool)
{
	struct capture_job *job = NULL;

	pthread_mutex_lock(&pool->mutex);
	if (pool->next < pool->run->count)
		job = &pool->run->jobs[pool->next++];
	if (job != NULL) {
		clock_gettime(CLOCK_MONOTONIC, &job->seen_at);
		atomic_store(&job->state, CAPTURE_RUNNING);
	}
	pthread_mutex_unlock(&pool->mutex);
	return job;
}

static void *work(void *arg)
{
	struct pool *pool = arg;
	struct capture_job *job;

	while ((job = next_job(pool)) != NULL) {
		vk_capture_job(job);
		/* another thread took over, and the run may be at its end */
		if (vk_capture_gave_up(job))
			return NULL;
		pthread_mutex_lock(&pool->mutex);
		pool->ended++;
		pthread_cond_signal(&pool->changed);
		pthread_mutex_unlock(&pool->mutex);
	}
	return NULL;
}

static bool start(struct pool *pool)
{
	if (pthread_create(&pool->threads[pool->started], NULL, work, pool) != 0)
		return false;
	pool->started++;
	return true;
}

/* Odd: a call into the device has not come back. Time spent anywhere else is not the device's. */
static bool is_stuck(struct capture_job *job, const struct timespec *now, unsigned timeout_s)
{
	uint64_t progress = __atomic_load_n(&job->progress, __ATOMIC_SEQ_CST);

	if (progress != job->seen_progress || progress % 2 == 0) {
		job->seen_progress = progress;
		job->seen_at = *now;
		return false;
	}
	return seconds_between(&job->seen_at, now) >= timeout_s;
}

static void give_up_stuck(struct pool *pool)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (size_t i = 0; i < pool->next; i++) {
		struct capture_job *job = &pool->run->jobs[i];
		int running = CAPTURE_RUNNING;

		if (atomic_load(&job->state) != CAPTURE_RUNNING ||
		    !is_stuck(job, &now, pool->run->timeout_s) ||
		    !atomic_compare_exchange_strong(&job->state, &running, CAPTURE_GIVEN_UP))
			continue;
		pool->run->given_up++;
		pool->ended++;
		pool->lacking++;
	}
	while (pool->lacking > 0 && start(pool))
		pool->lacking--;
}

static void show_progress(const struct pool *pool)
{
	size_t count = pool->run->count;
	struct timespec now;
	double left;

	if (!pool->run->progress || pool->ended == 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	left = seconds_between(&pool->begun, &now) / (double)pool->ended * (double)(count - pool->ended);
	dprintf(STDERR_FILENO, "\rcaptured %zu of %zu, %.1f s left\033[K", pool->ended, count, left);
}

static void watch(struct pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	while (pool->ended < pool->run->count) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += LOOK_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		/* a look at each end of a job would be one for each of many jobs */
		while (pool->ended < pool->run->count &&
		       pthread_cond_timedwait(&pool->changed, &pool->mutex, &until) == 0)
			;
		give_up_stuck(pool);
		show_progress(pool);
	}
	pthread_mutex_unlock(&pool->mutex);
	if (pool->run->progress)
		dprintf(STDERR_FILENO, "\r\033[K");
}

static size_t threads_wanted(const struct capture_run *run)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t want = cpus > 0 ? (size_t)cpus * 2 : 1;

	want = want > THREADS_LEAST ? want : THREADS_LEAST;
	want = want < THREADS_MAX ? want : THREADS_MAX;
	want = run->threads > 0 ? run->threads : want;
	return want < run->count ? want : run->count;
}

void vk_capture_work(struct capture_run *run)
{
	/* lives on when threads are left behind that may wake up later */
	struct pool *pool = calloc(1, sizeof(*pool));
	size_t want = threads_wanted(run);
	pthread_condattr_t attributes;

	if (pool != NULL)
		pool->threads = calloc(want + run->count + 1, sizeof(*pool->threads));
	if (pool == NULL || pool->threads == NULL) {
		free(pool);
		for (size_t i = 0; i < run->count; i++)
			vk_capture_job(&run->jobs[i]);
		return;
	}
	pool->run = run;
	clock_gettime(CLOCK_MONOTONIC, &pool->begun);
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->changed, &attributes);
	while (pool->started < want && start(pool))
		;
	/* without a single thread nobody can watch */
	if (pool->started == 0)
		(void)work(pool);
	watch(pool);
	if (run->given_up > 0)
		return;
	for (size_t i = 0; i < pool->started; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->changed);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_destroy(&pool->mutex);
	free(pool->threads);
	free(pool);
}
