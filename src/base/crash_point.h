/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crash points: in test builds (VK_TEST_HOOKS) every write, flush and rename that touches a disk or the store passes
 * one, and the process can be made to die at exactly the N-th. In other builds they are nothing at all.
 *
 * VMFSKIT_CRASH_AT=N     die at crash point N (from 1), exit code 99
 * VMFSKIT_CRASH_LOG=FILE append "N name" for each point passed, to learn how many there are
 */
#ifndef VK_BASE_CRASH_POINT_H
#define VK_BASE_CRASH_POINT_H

#include <stdbool.h>

#ifdef VK_TEST_HOOKS
/* True when the process is meant to die here: the caller may first do half of its work (a torn write). */
bool vk_crash_here(const char *name);
void vk_crash_now(void) __attribute__((noreturn));
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
static inline void vk_crash_point(const char *name)
{
	(void)name;
}
#endif

#endif
