/* SPDX-License-Identifier: Apache-2.0 */
/* A verb's work in a process of its own. */
#include "cmd/shared/worker.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The process cannot end as long as one of its threads is inside a call that does not come back, and all of its descriptors stay
 * open until then: who waits for the end of our output must not wait for that.
 */
static void leave_behind(struct vk_cli_call *call, int tell_fd, int code)
{
	uint8_t byte;

	code = vk_cli_flush(call->program, code);
	byte = (uint8_t)code;
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	while (write(tell_fd, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(code);
}

/* The end of the other process, as one of this. */
static int follow(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return VK_EXIT_INTERNAL;
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : VK_EXIT_INTERNAL;
}

static int wait_for(pid_t pid, int tell_fd)
{
	uint8_t byte;
	ssize_t n;

	do
		n = read(tell_fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	close(tell_fd);
	return n == 1 ? byte : follow(pid);
}

int vk_cmd_in_worker(struct vk_cli_call *call, vk_cmd_work work, void *ctx)
{
	const pid_t parent = getpid();
	bool stuck = false;
	int tell[2];
	pid_t pid;
	int code;

	fflush(call->out);
	fflush(call->err);
	if (pipe(tell) != 0)
		return work(call, ctx, &stuck);
	pid = fork();
	if (pid > 0) {
		close(tell[1]);
		return wait_for(pid, tell[0]);
	}
	close(tell[0]);
	/* it may have gone before it could be asked for */
	if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent))
		_exit(VK_EXIT_INTERNAL);
	code = work(call, ctx, &stuck);
	if (stuck)
		leave_behind(call, tell[1], code);
	close(tell[1]);
	return code;
}
