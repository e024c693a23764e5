/* SPDX-License-Identifier: Apache-2.0 */
/* beat: hosts that are alive; their heartbeats tick. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "lab/lab_verbs.h"

#define TICK_US 3000000ULL /* hosts beat every three seconds */

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
	{"vmfskit-lab beat disk.img", "every host with a heartbeat beats once"},
	{"vmfskit-lab beat --every 200 --times 50 disk.img &", "hosts are at work for ten seconds"},
	{NULL, NULL},
};

/* Every slot in use of a partition; to out goes a line for each, unless it is NULL. */
static void beat_partition(struct vk_lab_disk *disk, unsigned partition, const struct vk_lab_places *places, FILE *out,
			   size_t *count)
{
	size_t len = (size_t)places->heartbeats.length_bytes;
	uint64_t start = places->heartbeats.offset_bytes;
	uint8_t *region = vk_lab_alloc(disk, len);

	if (region == NULL || vk_lab_fail(disk, vk_lab_get(disk, start, region, len, disk->err)) != VK_OK)
		len = 0;
	for (size_t slot = 0; (slot + 1) * places->slot_bytes <= len; slot++) {
		const size_t at = slot * places->slot_bytes;
		char owner[VK_VMFS_UUID_TEXT_BYTES];
		struct vk_heartbeat hb;

		vk_heartbeat_decode(region + at, places->slot_bytes, &hb);
		/* a member that is not the head has ordinary data here */
		if (hb.state != VK_HB_IN_USE || hb.addr != VK_HEARTBEATS_OFFSET + at)
			continue;
		hb.stamp += TICK_US;
		vk_heartbeat_encode(&hb, region + at, places->slot_bytes);
		if (vk_lab_put(disk, start + at, region + at, places->slot_bytes) != VK_OK)
			break;
		++*count;
		vk_vmfs_uuid_format(&hb.owner, owner);
		if (out != NULL)
			fprintf(out, "partition %u, slot %zu: host %s, stamp %llu\n", partition, slot, owner,
				(unsigned long long)hb.stamp);
	}
	free(region);
}

static enum vk_status beat(struct vk_cli_call *call, const struct vk_lab_choice *choice,
			   uint64_t every_ms, uint64_t times, struct vk_error *err)
{
	struct vk_lab_disk disk;
	struct vk_lab_table t;
	struct vk_lab_places places;
	enum vk_status status = vk_lab_disk_open(call->arguments[0], vk_cli_flag(call, "really"), &disk,
						 err);

	if (status != VK_OK)
		return status;
	for (uint64_t i = 0; i < times && disk.failed == VK_OK; i++) {
		struct timespec left = {(time_t)(every_ms / 1000), (long)(every_ms % 1000) * 1000000L};
		FILE *out = i == 0 ? call->out : NULL;
		size_t count = 0;

		while (i > 0 && nanosleep(&left, &left) != 0 && errno == EINTR)
			continue;
		if (vk_lab_fail(&disk, vk_lab_choose(&disk, choice, &t, err)) != VK_OK)
			break;
		for (size_t k = 0; k < t.count && disk.failed == VK_OK; k++)
			if (vk_lab_fail(&disk, vk_lab_places_find(&disk, &t.found[k], &places, err)) == VK_OK)
				beat_partition(&disk, t.found[k].number, &places, out, &count);
		vk_lab_sync(&disk);
		if (disk.failed == VK_OK && count == 0) {
			vk_error_set(err, VK_ABSENT, disk.path, "no host heartbeat found");
			vk_error_remedy(err, "make a disk with --live, or name the right partition");
			vk_lab_fail(&disk, VK_ABSENT);
		}
		fflush(call->out);
	}
	return vk_lab_disk_close(&disk);
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
		"Sets the stamp of every heartbeat slot in use three seconds later, as its host would. These are the "
		"slots that make --live made. The first beat is printed on standard output. --every and --times "
		"repeat it, for a drill with a volume that is in use.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = 1,
	.run = run,
};
