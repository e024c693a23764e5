/* SPDX-License-Identifier: Apache-2.0 */
/* Work on a device in a process of its own, which is given up when the device does not answer. */
#include "store/capture/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/crash_point.h"

enum { LOOK_MS = 100 };

static bool is_stuck(const struct vk_capture_watch *watch)
{
	const uint64_t since = __atomic_load_n(&watch->in_call_since_ms, __ATOMIC_SEQ_CST);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return since != 0 && (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 >=
				     since + 1000 * (uint64_t)watch->timeout_s;
}

/* A process that ends closes its end of the pipe. False: it was given up. */
static bool wait_for(const struct vk_capture_watch *watch, int end_fd)
{
	for (;;) {
		struct pollfd end = {.fd = end_fd, .events = POLLIN};

		if (poll(&end, 1, LOOK_MS) > 0)
			return true;
		if (is_stuck(watch))
			return false;
	}
}

static _Noreturn void work(pid_t parent, void (*fn)(void *ctx), void *ctx)
{
	/* it may have gone before it could be asked for */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(1);
	fn(ctx);
	_exit(0);
}

static enum vk_status look_after(const struct vk_capture_watch *watch, pid_t pid, int end_fd, struct vk_error *err)
{
	int status = 0;

	if (!wait_for(watch, end_fd)) {
		(void)kill(pid, SIGKILL);
		return vk_error_set(err, VK_IO, NULL, "the device did not answer for %u s", watch->timeout_s);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	vk_crash_with(status);
	if (status == 0)
		return VK_OK;
	return vk_error_set(err, VK_IO, NULL, "the process that read them ended before it was done");
}

enum vk_status vk_apart(struct vk_capture_watch *watch, void (*fn)(void *ctx), void *ctx, struct vk_error *err)
{
	const pid_t self = getpid();
	enum vk_status status;
	int ends[2];
	pid_t pid;

	if (watch == NULL) {
		fn(ctx);
		return VK_OK;
	}
	if (pipe2(ends, O_CLOEXEC) != 0)
		return vk_error_errno(err, errno, NULL, "cannot start the process that reads them");
	/* from here on whoever watches this process has nothing to watch */
	__atomic_store_n(&watch->apart, true, __ATOMIC_SEQ_CST);
	pid = fork();
	if (pid == 0)
		work(self, fn, ctx);
	close(ends[1]);
	status = pid > 0 ? look_after(watch, pid, ends[0], err)
			 : vk_error_errno(err, errno, NULL, "cannot start the process that reads them");
	close(ends[0]);
	__atomic_store_n(&watch->in_call_since_ms, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&watch->apart, false, __ATOMIC_SEQ_CST);
	return status;
}
