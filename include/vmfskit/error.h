/* SPDX-License-Identifier: Apache-2.0 */
/* The one error value of the library: what went wrong, where, and what to do next. */
#ifndef VMFSKIT_ERROR_H
#define VMFSKIT_ERROR_H

#include <stdbool.h>
#include <stdint.h>

__BEGIN_DECLS

/* Results must be looked at. */
#define VK_MUST_USE __attribute__((warn_unused_result))

enum vk_status {
	VK_OK = 0,
	VK_USAGE,       /* the caller asked for something that makes no sense */
	VK_IO,          /* a read, a write or the environment failed */
	VK_ABSENT,      /* the thing asked for is not there */
	VK_DAMAGED,     /* it is there, but its bytes are wrong */
	VK_UNSUPPORTED, /* sound, but not something this version handles */
	VK_REFUSED,     /* a guard stands in the way */
	VK_NOMEM,       /* memory ran out */
	VK_INTERNAL     /* a fault of this library */
};

/*
 * Filled by the function that fails and owned by the caller. The status that a function returns is the
 * status in here. Texts are complete sentences without a final full stop, empty where there is nothing to say; one that
 * does not fit ends with " [...]". So a command that has to be whole is never part of them.
 */
struct vk_error {
	enum vk_status status;
	char what[400];        /* what is wrong */
	char where[400];       /* file, device or capture */
	bool has_offset;       /* whether offset_bytes means anything */
	uint64_t offset_bytes; /* where in it */
	char remedy[400];      /* what to do next */
};

/* Fill err (may be NULL) and return status; where may be NULL. */
enum vk_status vk_error_set(struct vk_error *err, enum vk_status status, const char *where,
			    const char *what, ...) __attribute__((format(printf, 4, 5)));

/* The same, with the text of errno value code put behind what. */
enum vk_status vk_error_errno(struct vk_error *err, int code, const char *where, const char *what,
			      ...) __attribute__((format(printf, 4, 5)));

/*
 * Say where in the file it is, and what to do next. Both return the status that err holds. err may be NULL;
 * there is then no status to return and it is VK_INTERNAL, so return the status of vk_error_set instead.
 */
enum vk_status vk_error_at(struct vk_error *err, uint64_t offset_bytes);
enum vk_status vk_error_remedy(struct vk_error *err, const char *remedy, ...)
	__attribute__((format(printf, 2, 3)));

/* Name of a status: "usage", "I/O", ... Static text. */
const char *vk_status_name(enum vk_status status);

__END_DECLS
#endif
