/* SPDX-License-Identifier: Apache-2.0 */
/* history: a practice volume that lives. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lab/history/life.h"
#include "lab/lab_verbs.h"

static const struct vk_cli_option options[] = {
	{0, "record", "FILE", "what happened, in lines; the history goes on from there. By default FILE.history",
	 "FILE"},
	{0, "seed", "NUMBER", "seed of the steps, 0 unless given; the same seed gives the same history", NULL},
	{0, "steps", "NUMBER", "how many steps to draw", NULL},
	{0, "script", "FILE", "take the steps from this file instead, one a line", "FILE"},
	{0, "every", "MS", "wait so many milliseconds between two steps", NULL},
	{0, "partition", "NUMBER", "this partition only; by default the first VMFS partition", NULL},
	{0, "start", "SECTOR", "the partition starts here; for a disk whose table is gone", NULL},
	{0, "sector-size", "BYTES", "size of a logical sector, where the disk does not tell", "512 4096"},
	{0, "really", NULL, "accept a loop device", NULL},
	{0, NULL, NULL, NULL, NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit-lab history --seed 7 --steps 40 disk.img", "40 steps; disk.img.history tells what they were"},
	{"vmfskit-lab history --steps 500 --every 10 disk.img &", "a volume that is in use for five seconds"},
	{NULL, NULL},
};

/* What the command line asks for. */
struct asked {
	const char *record;
	uint64_t seed, steps, every_ms;
	const char *script;
};

static void wait_ms(uint64_t ms)
{
	struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000L};

	while (ms > 0 && nanosleep(&left, &left) != 0 && errno == EINTR)
		continue;
}

static enum vk_status draw_steps(struct vk_life *life, const struct asked *asked)
{
	enum vk_status status = VK_OK;

	for (uint64_t i = 0; i < asked->steps && status == VK_OK; i++) {
		if (i > 0)
			wait_ms(asked->every_ms);
		status = vk_life_step(life);
		/* whoever reads it beside us finds whole moments */
		fflush(life->log);
	}
	return status;
}

static enum vk_status run_script(struct vk_life *life, const struct asked *asked)
{
	FILE *in = fopen(asked->script, "re");
	enum vk_status status = VK_OK;
	char *line = NULL;
	size_t size = 0;

	if (in == NULL)
		return vk_error_errno(life->err, errno, asked->script, "the script cannot be opened");
	while (status == VK_OK && getline(&line, &size, in) > 0) {
		status = vk_life_script_line(life, line);
		fflush(life->log);
		wait_ms(asked->every_ms);
	}
	if (status == VK_OK && ferror(in))
		status = vk_error_errno(life->err, EIO, asked->script, "the script cannot be read");
	free(line);
	fclose(in);
	return status;
}

static enum vk_status live(struct vk_cli_call *call, struct vk_lab_disk *disk, const struct vk_lab_choice *choice,
			   const struct asked *asked, struct vk_error *err)
{
	struct vk_error closing;
	struct vk_lab_table t;
	struct vk_life life;
	enum vk_status status = vk_lab_choose(disk, choice, &t, err), closed;
	uint64_t files = 0;

	if (status != VK_OK)
		return status;
	status = vk_life_open(disk, t.found[0].start_bytes, asked->record, asked->seed, &life, err);
	if (status == VK_OK)
		status = asked->script != NULL ? run_script(&life, asked) : draw_steps(&life, asked);
	if (status == VK_OK)
		status = disk->failed;
	for (size_t i = 1; i < life.record.count; i++)
		files += life.record.files[i].died == 0;
	if (status == VK_OK)
		fprintf(call->out, "partition %u: moment %llu, %llu files of %llu that were made\n", t.found[0].number,
			(unsigned long long)life.record.moment, (unsigned long long)files,
			(unsigned long long)life.record.count - 1);
	life.err = status == VK_OK ? err : &closing;
	closed = vk_life_close(&life);
	return status == VK_OK ? closed : status;
}

static int run(struct vk_cli_call *call)
{
	const char *seed = vk_cli_value(call, "seed"), *steps = vk_cli_value(call, "steps");
	const char *every = vk_cli_value(call, "every"), *file = call->arguments[0];
	struct asked asked = {.record = vk_cli_value(call, "record"), .script = vk_cli_value(call, "script")};
	struct vk_error err = {.status = VK_OK}, closing;
	struct vk_lab_choice choice;
	struct vk_lab_disk disk;
	char record[4096];
	enum vk_status status;

	if ((steps == NULL) == (asked.script == NULL))
		return vk_cli_usage(call, "give either --steps or --script");
	if (seed != NULL && !vk_text_parse_number(seed, UINT64_MAX, &asked.seed))
		return vk_cli_usage(call, "\"%s\" is not a number to start from", seed);
	if (steps != NULL && !vk_text_parse_number(steps, UINT32_MAX, &asked.steps))
		return vk_cli_usage(call, "\"%s\" is not a number of steps", steps);
	if (every != NULL && !vk_text_parse_number(every, 3600000, &asked.every_ms))
		return vk_cli_usage(call, "\"%s\" is not a number of milliseconds", every);
	if (asked.record == NULL && snprintf(record, sizeof(record), "%s.history", file) < (int)sizeof(record))
		asked.record = record;
	if (asked.record == NULL)
		return vk_cli_usage(call, "the name of the file is too long: say --record");
	if (vk_lab_choice_parse(call, &choice, &err) != VK_OK ||
	    vk_lab_disk_open(file, vk_cli_flag(call, "really"), &disk, &err) != VK_OK)
		return vk_cli_fail(call, &err);
	status = live(call, &disk, &choice, &asked, &err);
	if (status != VK_OK)
		disk.err = &closing;
	if (vk_lab_disk_close(&disk) != VK_OK || status != VK_OK)
		return vk_cli_fail(call, &err);
	return VK_EXIT_OK;
}

const struct vk_cli_verb vk_lab_verb_history = {
	.name = "history",
	.arguments = "FILE",
	.purpose = "let files be made, written, grown, cut, renamed and deleted on a practice volume",
	.description =
		"Changes the VMFS volume on FILE in place, as a host would: bitmaps and their counts, locks, "
		"generations, descriptors, pointer blocks, folders. --seed draws the steps. A deleted file loses its "
		"name and its addresses, its blocks and its descriptor are free, and its bytes stay until somebody "
		"writes there. The volume must have been made by make, on one disk.\n\n"
		"A line of a script is a step. PATH has no blank, a size is like 8193 or 3M:\n"
		"\n"
		"  folder PATH              a new folder\n"
		"  create PATH SIZE [HOW]   a new file, written in whole; HOW is thin\n"
		"                           (nothing is written), thick (blocks to be\n"
		"                           zeroed), resident, sub-block, block or\n"
		"                           pointer-block\n"
		"  reuse PATH SIZE [HOW]    the same, over blocks of deleted files\n"
		"  write PATH OFFSET SIZE   write there\n"
		"  resize PATH SIZE         longer (with a hole) or shorter\n"
		"  rename PATH NEW          another name, or another folder\n"
		"  delete PATH              gone; a folder must be empty\n"
		"\n"
		"What a file writes begins every 64 KiB with its number, the moment and the offset. The record says "
		"for each moment what happened to which file and where on the volume (src/lab/history/record.h "
		"explains its lines). It is all that the program remembers of the files: the next call goes on from "
		"it, and must get the same record.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = 1,
	.run = run,
};
