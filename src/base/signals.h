/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that have to wait while something must not be left half done. */
#ifndef VK_BASE_SIGNALS_H
#define VK_BASE_SIGNALS_H

#include <signal.h>

/*
 * Let every signal wait that can, except those that tell of a fault of the process itself. Of the calling thread;
 * threads that are made from then on inherit it. May be nested.
 */
void vk_signals_hold(sigset_t *ret_before);
/* As it was before; what came meanwhile is delivered now. */
void vk_signals_release(const sigset_t *before);
/* A signal that came meanwhile and asks the process to end; 0: none did. */
int vk_signals_waiting(void);

#endif
