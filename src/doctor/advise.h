/* SPDX-License-Identifier: Apache-2.0 */
/* What the files advise*.c have in common. */
#ifndef VK_DOCTOR_ADVISE_H
#define VK_DOCTOR_ADVISE_H

#include "doctor/doctor.h"

/* "vmfskit VERB FIRST PATH --store DIR --sector-size N"; NULL when memory ran out. */
char *vk_advice_command(const struct vk_doctor *doc, const char *verb, const char *first, bool store);
/* To be shown in this order; command_line becomes the diagnosis's. NULL: something to do elsewhere. */
void vk_advise(struct vk_doctor *doc, char *command_line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The way to the disk itself, for reading: reading->attach. */
void vk_advise_attach(struct vk_doctor *doc, const struct vk_reading *reading);
/* Nothing may be written to a source whose bytes are not the disk's own. */
void vk_advise_reading(struct vk_doctor *doc, const struct vk_reading *best);

#endif
