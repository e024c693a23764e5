/* SPDX-License-Identifier: Apache-2.0 */
/* beat: the command line of living hosts. */
#include <errno.h>
#include <time.h>

#include "lab/lab_verbs.h"

static const struct vk_cli_option options[] = {
	{0, "every", "MS", "beat again after so many milliseconds; needs --times", NULL},
	{0, "times", "NUMBER", "how often to beat, 1 unless given; needs --every", NULL},
	{0, "partition", "NUMBER", "this partition only; by default every VMFS partition", NULL},
	{0, "start", "SECTOR", "the partition starts here; for a disk whose table is gone", NULL},
	{0, "sector-size", "BYTES", "size of a logical sector, where the disk does not tell", "512 4096"},
	{0, "really", NULL, "accept a loop device", NULL},
	{0, NULL, NULL, NULL, NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit-lab beat disk.img", "every host that holds a heartbeat beats once"},
	{"vmfskit-lab beat --every 200 --times 50 disk.img &", "hosts are at work for ten seconds"},
	{NULL, NULL},
};

struct beating {
	FILE *out;
	bool quiet;
};

static void print_beat(void *arg, unsigned partition, uint32_t slot, const struct vk_heartbeat *hb)
{
	const struct beating *b = arg;
	char owner[VK_VMFS_UUID_TEXT_BYTES];

	if (b->quiet)
		return;
	vk_vmfs_uuid_format(&hb->owner, owner);
	fprintf(b->out, "partition %u, slot %u: host %s, stamp %llu\n", partition, slot, owner,
		(unsigned long long)hb->stamp);
}

static void pause_ms(uint64_t ms)
{
	struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000L};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		continue;
}

static enum vk_status beat(struct vk_cli_call *call, const struct vk_lab_choice *choice,
			   uint64_t every_ms, uint64_t times, struct vk_error *err)
{
	struct beating b = {call->out, false};
	struct vk_lab_disk disk;
	enum vk_status status = vk_lab_disk_open(call->arguments[0], vk_cli_flag(call, "really"), &disk,
						 err);
	size_t count = 0;

	if (status != VK_OK)
		return status;
	for (uint64_t i = 0; i < times && status == VK_OK; i++) {
		if (i > 0)
			pause_ms(every_ms);
		b.quiet = i > 0;
		status = vk_lab_beat(&disk, choice, print_beat, &b, &count, err);
		if (status == VK_OK && count == 0) {
			vk_error_set(err, VK_ABSENT, disk.path, "No host holds a heartbeat here");
			status = vk_error_remedy(err, "make a disk with --live, or name the right partition");
		}
		fflush(call->out);
	}
	if (status == VK_OK)
		return vk_lab_disk_close(&disk, err);
	vk_lab_disk_abandon(&disk);
	return status;
}

static int run(struct vk_cli_call *call)
{
	const char *every = vk_cli_value(call, "every");
	const char *times = vk_cli_value(call, "times");
	struct vk_lab_choice choice;
	struct vk_error err = {.status = VK_OK};
	uint64_t ms = 0;
	uint64_t n = 1;

	if ((every == NULL) != (times == NULL))
		return vk_cli_usage(call, "--every and --times go together");
	if (every != NULL && !vk_text_parse_number(every, 3600000, &ms))
		return vk_cli_usage(call, "\"%s\" is not a number of milliseconds", every);
	if (times != NULL && (!vk_text_parse_number(times, UINT32_MAX, &n) || n == 0))
		return vk_cli_usage(call, "\"%s\" is not a number of beats", times);
	if (vk_lab_choice_parse(call, &choice, &err) != VK_OK ||
	    beat(call, &choice, ms, n, &err) != VK_OK)
		return vk_cli_fail(call, &err);
	return VK_EXIT_OK;
}

const struct vk_cli_verb vk_lab_verb_beat = {
	.name = "beat",
	.arguments = "FILE",
	.purpose = "let the hosts of a practice disk show that they are alive",
	.description =
		"Every heartbeat slot in use gets a stamp three seconds later than before, as its host would write "
		"it. The "
		"slots are those that make --live made. The first beat is printed on standard output; with --every "
		"and --times it is repeated, for as long as a drill needs a volume that is in use.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = 1,
	.run = run,
};
