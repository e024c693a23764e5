/* SPDX-License-Identifier: Apache-2.0 */
/* Who does something, where, and by which command: the same in manifests and in the ledger. */
#ifndef VK_STORE_WHO_H
#define VK_STORE_WHO_H

#include <stddef.h>

enum { VK_WHO_USER_BYTES = 64, VK_WHO_HOST_BYTES = 256 };

/* A text of the system as it may stand in a file of ours: printable, cut off where it does not fit. */
void vk_who_label(char *ret_text, size_t cap, const char *from);
/* "root", "root (sudo: alice)", "1000" where the number has no name. */
void vk_who_user(char ret_user[VK_WHO_USER_BYTES]);
void vk_who_host(char ret_host[VK_WHO_HOST_BYTES]);
/*
 * A command line, printable; max_bytes of it and then "...". Ends with NULL; free with vk_texts_free. NULL when
 * memory ran out.
 */
char **vk_who_command(const char *const *command, size_t max_bytes);

#endif
