/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crash points: in test builds (VK_TEST_HOOKS) every write, flush and rename that touches a disk or the store passes
 * one, and the process can be made to die, to stop or to run out of space at exactly the N-th. In other builds they are
 * nothing at all. Points are counted over all threads and processes of a run.
 *
 * VMFSKIT_CRASH_AT=N         die at crash point N (from 1), exit code 99
 * VMFSKIT_STOP_AT=N          stop there (SIGSTOP), for a look at a run that is under way; SIGCONT lets it go on
 * VMFSKIT_STOP_AT=NAME       the same at a stop point of that name, where nothing is written yet; they are not counted
 * VMFSKIT_TEST_NOSPACE_AT=N  what is done at crash point N fails with ENOSPC, where it is a step of the store
 * VMFSKIT_CRASH_LOG=FILE     append "N name" for each point passed, to learn how many there are
 */
#ifndef VK_BASE_CRASH_POINT_H
#define VK_BASE_CRASH_POINT_H

#include <stdbool.h>

#ifdef VK_TEST_HOOKS
/* True when the process is meant to die here: the caller may first do half of its work (a torn write). */
bool vk_crash_here(const char *name);
void vk_crash_now(void) __attribute__((noreturn));
void vk_stop_point(const char *name);
/* A process of this run ended so (waitpid): when it died at a crash point, this one dies, too. */
void vk_crash_with(int wait_status);
/*
 * A crash point in front of a system call that changes the store: write, ftruncate, mkdir, creating open, link, rename,
 * fsync. True: the call is to be left out and to count as failed; errno is set.
 */
bool vk_step_fails(const char *name);
static inline void vk_crash_point(const char *name)
{
	if (vk_crash_here(name))
		vk_crash_now();
}
#else
static inline bool vk_crash_here(const char *name)
{
	(void)name;
	return false;
}
static inline void vk_crash_now(void)
{
}
static inline void vk_stop_point(const char *name)
{
	(void)name;
}
static inline void vk_crash_with(int wait_status)
{
	(void)wait_status;
}
static inline bool vk_step_fails(const char *name)
{
	(void)name;
	return false;
}
static inline void vk_crash_point(const char *name)
{
	(void)name;
}
#endif

#endif
