/* SPDX-License-Identifier: Apache-2.0 */
/* The form of a message against a line. */
#ifndef VK_EXPLAIN_MATCH_H
#define VK_EXPLAIN_MATCH_H

#include "vmfskit/explain.h"

/*
 * Whether form lies at the beginning of the bytes. %n a decimal number, %p one that is the number of a partition, %x a
 * hexadecimal one, %d a device with or without path and partition, %u a UUID, %l a name and %* anything, both up to the
 * first place where what follows in the form does, at its end to the end of the line; %$ the end. A blank is one or
 * more blanks or tabs. Nothing is tried twice: the time is that of reading the line once. What %d, %u and %l are goes
 * into subject; more than one: the last. subject may be changed where the answer is no.
 */
bool vk_explain_match(const char *form, const char *at, size_t len, struct vk_explain_subject *subject);

#endif
