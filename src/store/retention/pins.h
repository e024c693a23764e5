/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pins: the names of captures that prune never removes, each a file .pins/<id> with the reason as its text. The
 * capture itself is not touched, so that it stays what was saved.
 */
#ifndef VK_STORE_PINS_H
#define VK_STORE_PINS_H

#include <stdbool.h>
#include <stddef.h>

#include "vmfskit/capture.h"

enum { VK_PIN_REASON_BYTES = 400 };

struct vk_pin {
	char id[VK_CAPTURE_ID_BYTES];
	char reason[VK_PIN_REASON_BYTES]; /* fit for a terminal; empty: none, or it cannot be read */
};

/* Start with all zero; free with vk_pins_free. */
struct vk_pins {
	struct vk_pin *items;
	size_t count;
};

/* All pins of a store; whatever lies under a pin's name pins. Errors: VK_IO (.pins cannot be read), VK_NOMEM. */
VK_MUST_USE enum vk_status vk_pins_read(int store_fd, const char *store, struct vk_pins *ret_pins,
					struct vk_error *err);
/* NULL: it is not pinned. */
const struct vk_pin *vk_pins_find(const struct vk_pins *pins, const char *id);
void vk_pins_free(struct vk_pins *pins);

/*
 * Pin a capture, durably. reason NULL: a pin that is there stays as it is. Errors: VK_ABSENT (no such capture),
 * VK_USAGE (a reason that is too long or has control characters in it), VK_IO.
 */
VK_MUST_USE enum vk_status vk_pin_set(int store_fd, const char *store, const char *id, const char *reason,
				      struct vk_error *err);
/* ret_was: whether there was a pin. */
VK_MUST_USE enum vk_status vk_pin_clear(int store_fd, const char *store, const char *id, bool *ret_was,
					struct vk_error *err);
/* Whether a pin is there now; also when that cannot be found out. */
bool vk_pin_holds(int store_fd, const char *id);

#endif
