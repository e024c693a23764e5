/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read by `make tidy` in front of every file: tells the analyser, which sees one file at a time, that the functions
 * of error.h and memory.h return the failure they were given. Without it every error path seems to go on as if all
 * were well.
 */
#ifndef VK_TOOLS_TIDY_H
#define VK_TOOLS_TIDY_H

#include <stddef.h>

#include "base/memory.h"

/*
 * Neither is defined anywhere. The arguments of a message count as read, and err as filled with something; that it
 * happens only if vk_tidy_reads, which nobody knows, keeps them from counting as handed over.
 */
extern const int vk_tidy_reads;
int vk_tidy_use(struct vk_error *err, ...);

/* No functions: the analyser does not follow calls to any depth. */
#define VK_TIDY_FAIL(error, failure, ...)                                                                              \
	__extension__({                                                                                                \
		struct vk_error *vk_tidy_err = (error);                                                                \
		const enum vk_status vk_tidy_status = (failure);                                                       \
		if (vk_tidy_reads)                                                                                     \
			vk_tidy_use(vk_tidy_err, __VA_ARGS__);                                                         \
		if (vk_tidy_err != NULL)                                                                               \
			vk_tidy_err->status = vk_tidy_status;                                                          \
		vk_tidy_status;                                                                                        \
	})
#define VK_TIDY_KEPT(error) ((error) != NULL ? (error)->status : VK_INTERNAL)

#define vk_error_set(err, failure, ...) VK_TIDY_FAIL(err, failure, __VA_ARGS__)
#define vk_error_errno(err, ...) VK_TIDY_FAIL(err, VK_IO, __VA_ARGS__)
#define vk_error_at(err, ...) VK_TIDY_FAIL(err, VK_TIDY_KEPT(err), __VA_ARGS__)
#define vk_error_remedy(err, ...) VK_TIDY_FAIL(err, VK_TIDY_KEPT(err), __VA_ARGS__)
#define vk_no_memory(err, where) VK_TIDY_FAIL(err, VK_NOMEM, where)

/* In tests: an assertion that failed does not return. */
#ifdef VK_TIDY_TEST
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

_Noreturn void vk_tidy_ends(void);

#define _assert_true(holds, ...) ((holds) ? (void)0 : vk_tidy_ends())
#define _assert_int_equal(a, b, ...) ((a) == (b) ? (void)0 : vk_tidy_ends())
#define _fail(...) vk_tidy_ends()
#define _skip(...) vk_tidy_ends()
#endif

#endif
