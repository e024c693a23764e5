/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that have to wait while something must not be left half done. */
#include "base/signals.h"

#include <pthread.h>
#include <stddef.h>

void vk_signals_hold(sigset_t *ret_before)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
	sigset_t held;

	sigfillset(&held);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&held, faults[i]);
	(void)pthread_sigmask(SIG_BLOCK, &held, ret_before);
}

void vk_signals_release(const sigset_t *before)
{
	(void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

int vk_signals_waiting(void)
{
	static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE};
	sigset_t waiting;

	if (sigpending(&waiting) != 0)
		return 0;
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		struct sigaction action;

		/* one that is ignored waits, too, as long as it is held */
		if (sigismember(&waiting, ending[i]) == 1 && sigaction(ending[i], NULL, &action) == 0 &&
		    action.sa_handler != SIG_IGN)
			return ending[i];
	}
	return 0;
}
