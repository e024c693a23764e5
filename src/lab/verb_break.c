/* SPDX-License-Identifier: Apache-2.0 */
/* break: the command line of damage. */
#include <string.h>

#include "lab/lab_verbs.h"

static const struct vk_cli_option options[] = {
	{0, "how", "KIND", "what to break, see above",
	 "table primary backup magic header start ext4 ntfs heartbeat-corrupt cut"},
	{0, "partition", "NUMBER", "this partition only; by default every VMFS partition", NULL},
	{0, "start", "SECTOR", "the partition starts here; for a disk whose table is gone", NULL},
	{0, "sector-size", "BYTES", "size of a logical sector, where the disk does not tell", "512 4096"},
	{0, "at", "PLACE", "ntfs: at the start of the disk (default) or of the partition", "disk partition"},
	{0, "to", "SIZE", "cut: the length that stays", NULL},
	{0, "really", NULL, "accept a loop device", NULL},
	{0, NULL, NULL, NULL, NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit-lab break --how table disk.img", "the partition table is gone, both copies of it"},
	{"vmfskit-lab break --how header --start 2048 disk.img", "then also the headers of the volume"},
	{"vmfskit-lab break --how ext4 disk.img", "somebody formatted the LUN with Linux"},
	{"vmfskit-lab break --how ntfs --at partition --partition 8 boot.img",
	 "somebody formatted the partition with Windows"},
	{"vmfskit-lab break --how cut --to 2M disk.img", "a dump that was cut short"},
	{NULL, NULL},
};

enum vk_status vk_lab_choice_parse(const struct vk_cli_call *call, struct vk_lab_choice *ret_choice,
				   struct vk_error *err)
{
	const char *partition = vk_cli_value(call, "partition");
	const char *start = vk_cli_value(call, "start");
	const char *sector = vk_cli_value(call, "sector-size");
	struct vk_lab_choice choice = {.has_start = start != NULL};
	uint64_t number = 0;

	if (partition != NULL && start != NULL)
		return vk_error_set(err, VK_USAGE, NULL, "Give either --partition or --start, not both");
	if (partition != NULL && (!vk_text_parse_number(partition, 16384, &number) || number == 0))
		return vk_error_set(err, VK_USAGE, NULL, "\"%s\" is not the number of a partition",
				    partition);
	choice.partition = (unsigned)number;
	if (start != NULL && !vk_text_parse_number(start, UINT64_MAX, &choice.start_sector))
		return vk_error_set(err, VK_USAGE, NULL, "\"%s\" is not the number of a sector", start);
	number = 0;
	if (sector != NULL && (!vk_text_parse_number(sector, 4096, &number) ||
			       (number != 512 && number != 4096)))
		return vk_error_set(err, VK_USAGE, NULL, "Sectors have 512 or 4096 bytes, not \"%s\"",
				    sector);
	choice.sector_size = (uint32_t)number;
	*ret_choice = choice;
	return VK_OK;
}

static void print_damage(void *arg, const struct vk_lab_range *range, const char *what)
{
	fprintf(arg, "%s: %s, %llu bytes at byte %llu\n", what, range->name,
		(unsigned long long)range->length_bytes, (unsigned long long)range->offset_bytes);
}

static int check_options(struct vk_cli_call *call, struct vk_lab_break *what)
{
	const char *at = vk_cli_value(call, "at");
	const char *to = vk_cli_value(call, "to");
	bool cut;

	what->how = vk_cli_value(call, "how");
	if (what->how == NULL)
		return vk_cli_usage(call, "Say what to break with --how");
	cut = strcmp(what->how, "cut") == 0;
	if (at != NULL && strcmp(what->how, "ntfs") != 0)
		return vk_cli_usage(call, "--at goes with --how ntfs only");
	if (at != NULL && strcmp(at, "disk") != 0 && strcmp(at, "partition") != 0)
		return vk_cli_usage(call, "--at is disk or partition, not \"%s\"", at);
	what->at_partition = at != NULL && strcmp(at, "partition") == 0;
	if (cut != (to != NULL))
		return vk_cli_usage(call, "--how cut and --to go together");
	if (to != NULL && !vk_text_parse_size(to, &what->to_bytes))
		return vk_cli_usage(call, "\"%s\" is not a length", to);
	what->really = vk_cli_flag(call, "really");
	return VK_EXIT_OK;
}

/* An option that changes nothing would only pretend to. */
static int check_choice(struct vk_cli_call *call, const struct vk_lab_break *what)
{
	static const char *const whole_disk[] = {"table", "primary", "backup", "ext4", "cut"};
	bool chosen = what->choice.partition != 0 || what->choice.has_start;
	bool whole = strcmp(what->how, "ntfs") == 0 && !what->at_partition;

	for (size_t i = 0; i < sizeof(whole_disk) / sizeof(whole_disk[0]); i++)
		if (strcmp(what->how, whole_disk[i]) == 0)
			whole = true;
	if (chosen && whole)
		return vk_cli_usage(call, "--how %s is about the whole disk, not about a partition",
				    what->how);
	return VK_EXIT_OK;
}

static int run(struct vk_cli_call *call)
{
	struct vk_lab_break what = {.how = NULL};
	struct vk_error err = {.status = VK_OK};
	int code = check_options(call, &what);

	if (code != VK_EXIT_OK)
		return code;
	if (vk_lab_choice_parse(call, &what.choice, &err) != VK_OK)
		return vk_cli_fail(call, &err);
	code = check_choice(call, &what);
	if (code != VK_EXIT_OK)
		return code;
	if (vk_lab_break(call->arguments[0], &what, print_damage, call->out, &err) != VK_OK)
		return vk_cli_fail(call, &err);
	return VK_EXIT_OK;
}

const struct vk_cli_verb vk_lab_verb_break = {
	.name = "break",
	.arguments = "FILE",
	.purpose = "damage a practice disk",
	.description =
		"Destroys a part of FILE and says which bytes. There is no way back, except the capture that was taken "
		"before. KIND is one of these:\n"
		"\n"
		"  table    sector 0 and both copies of the GPT are zeroed\n"
		"  primary  the first copy of the GPT is zeroed: header and entries\n"
		"  backup   the copy at the end of the disk is zeroed\n"
		"  magic    only the four bytes that make LVM header and descriptor known\n"
		"  header   LVM header, volume descriptor and file-system descriptor\n"
		"  start    the first 21 MiB of the partition\n"
		"  ext4     the disk is formatted with mkfs.ext4, from e2fsprogs\n"
		"  ntfs     boot sector and first file records of a Windows format\n"
		"  cut      the file is cut off at --to\n"
		"  heartbeat-corrupt\n"
		"           the slot at volume offset 3305472 becomes the corrupt\n"
		"           heartbeat that VMware's documentation shows\n"
		"\n"
		"A loop device is refused unless --really is given, and always while it is mounted or in use; other "
		"block devices are always refused.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = 1,
	.run = run,
};
