/* SPDX-License-Identifier: Apache-2.0 */
/* break: damage to practice disks, of the kinds that real ones suffer. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "lab/lab_verbs.h"

#define START_BYTES (21ULL << 20) /* LVM region, descriptor and the heartbeats of VMFS3 and 5 */

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

struct breaking {
	struct vk_lab_disk disk;
	const char *how;
	struct vk_lab_choice choice;
	bool at_partition; /* ntfs: at the partition's first sector, not the disk's */
	uint64_t to_bytes; /* cut: the length that stays */
	struct vk_lab_table table;
	FILE *out;
};

/* Reported is only what was written. */
static void report_range(const struct breaking *b, const struct vk_lab_range *range, const char *what)
{
	if (b->disk.failed == VK_OK)
		fprintf(b->out, "%s: %s, %llu bytes at byte %llu\n", what, range->name,
			(unsigned long long)range->length_bytes, (unsigned long long)range->offset_bytes);
}

static void zero(struct breaking *b, const struct vk_lab_range *range)
{
	vk_lab_zero(&b->disk, range->offset_bytes, range->length_bytes);
	if (range->length_bytes > 0)
		report_range(b, range, "zeroed");
}

static enum vk_status break_table(struct breaking *b, struct vk_error *err)
{
	if (!b->table.mbr && !b->table.gpt)
		return vk_error_set(err, VK_ABSENT, b->disk.path, "The disk has no partition table");
	if (b->table.mbr)
		zero(b, &(struct vk_lab_range){0, b->table.sector_size, "sector 0"});
	for (size_t i = 0; i < 2; i++)
		zero(b, &b->table.primary[i]);
	for (size_t i = 0; i < 2; i++)
		zero(b, &b->table.backup[i]);
	return VK_OK;
}

static enum vk_status break_copy(struct breaking *b, struct vk_error *err)
{
	const struct vk_lab_range *copy = strcmp(b->how, "primary") == 0 ? b->table.primary : b->table.backup;

	if (copy[0].length_bytes == 0)
		return vk_error_set(err, VK_ABSENT, b->disk.path, "The disk has no %s GPT", b->how);
	zero(b, &copy[0]);
	zero(b, &copy[1]);
	return VK_OK;
}

static enum vk_status break_ntfs(struct breaking *b, struct vk_error *err)
{
	struct vk_lab_found found = {.length_bytes = b->disk.size_bytes};
	struct vk_lab_range ranges[2] = {{0}};

	(void)err;
	for (size_t i = 0; i < (b->at_partition ? b->table.count : 1); i++) {
		if (b->at_partition)
			found = b->table.found[i];
		vk_lab_put_ntfs(&b->disk, found.start_bytes, found.length_bytes, b->table.sector_size, ranges);
		report_range(b, &ranges[0], "overwritten");
		report_range(b, &ranges[1], "overwritten");
	}
	return VK_OK;
}

static enum vk_status break_cut(struct breaking *b, struct vk_error *err)
{
	const struct vk_lab_range gone = {b->to_bytes, b->disk.size_bytes - b->to_bytes, "end of the file"};

	if (b->disk.device)
		return vk_error_set(err, VK_USAGE, b->disk.path, "A block device cannot be cut");
	if (b->to_bytes > b->disk.size_bytes)
		return vk_error_set(err, VK_USAGE, b->disk.path, "The file is only %llu bytes long",
				    (unsigned long long)b->disk.size_bytes);
	if (ftruncate(b->disk.fd, (off_t)b->to_bytes) != 0)
		return vk_error_errno(err, errno, b->disk.path, "The file could not be cut");
	report_range(b, &gone, "cut off");
	return VK_OK;
}

static enum vk_status break_ext4(struct breaking *b, struct vk_error *err)
{
	const struct vk_lab_range all = {0, b->disk.size_bytes, "disk"};
	enum vk_status status = vk_lab_mkfs_ext4(b->disk.path, err);

	if (status == VK_OK)
		report_range(b, &all, "formatted with ext4");
	return status;
}

static void break_magic(struct breaking *b, const struct vk_lab_found *found, const struct vk_lab_places *p)
{
	(void)found;
	zero(b, &(struct vk_lab_range){p->lvm.offset_bytes, 4, "LVM magic"});
	zero(b, &(struct vk_lab_range){p->fs.offset_bytes, 4, "file-system magic"});
}

static void break_header(struct breaking *b, const struct vk_lab_found *found, const struct vk_lab_places *p)
{
	(void)found;
	zero(b, &p->lvm);
	zero(b, &p->fs);
}

static void break_start(struct breaking *b, const struct vk_lab_found *found, const struct vk_lab_places *p)
{
	(void)p;
	zero(b, &(struct vk_lab_range){found->start_bytes, vk_min_u64(found->length_bytes, START_BYTES),
				       "start of the partition"});
}

/* The slot of VMware's own example: "Corrupt heartbeat detected at offset 3305472: [HB state 0 offset 605283...". */
static void break_heartbeat(struct breaking *b, const struct vk_lab_found *found, const struct vk_lab_places *p)
{
	const struct vk_heartbeat hb = {.addr = 6052837899185946624ULL, .hbGen = 15439450, .stamp = 5};
	uint8_t raw[VK_HEARTBEAT_BYTES] = {0};
	const struct vk_lab_range slot = {p->heartbeats.offset_bytes + 0x27000, sizeof(raw),
					  "heartbeat slot at volume offset 3305472"};

	(void)found;
	vk_heartbeat_encode(&hb, raw, sizeof(raw));
	vk_lab_put(&b->disk, slot.offset_bytes, raw, sizeof(raw));
	report_range(b, &slot, "corrupted");
}

/* Of the whole disk, with or without its table, or of each chosen partition. */
static const struct kind {
	const char *how;
	bool table;
	enum vk_status (*disk)(struct breaking *b, struct vk_error *err);
	void (*place)(struct breaking *b, const struct vk_lab_found *found, const struct vk_lab_places *places);
} kinds[] = {
	{"table", true, break_table, NULL},
	{"primary", true, break_copy, NULL},
	{"backup", true, break_copy, NULL},
	{"magic", true, NULL, break_magic},
	{"header", true, NULL, break_header},
	{"start", true, NULL, break_start},
	{"ext4", false, break_ext4, NULL},
	{"ntfs", true, break_ntfs, NULL},
	{"cut", false, break_cut, NULL},
	{"heartbeat-corrupt", true, NULL, break_heartbeat},
};

/* --at, --to and --how as they fit each other. */
static int read_options(struct vk_cli_call *call, struct breaking *b, const struct kind **ret_kind)
{
	const char *at = vk_cli_value(call, "at");
	const char *to = vk_cli_value(call, "to");
	size_t i = 0;

	b->how = vk_cli_value(call, "how");
	if (b->how == NULL)
		return vk_cli_usage(call, "Say what to break with --how");
	if (at != NULL && strcmp(b->how, "ntfs") != 0)
		return vk_cli_usage(call, "--at goes with --how ntfs only");
	if (at != NULL && strcmp(at, "disk") != 0 && strcmp(at, "partition") != 0)
		return vk_cli_usage(call, "--at is disk or partition, not \"%s\"", at);
	b->at_partition = at != NULL && strcmp(at, "partition") == 0;
	if ((strcmp(b->how, "cut") == 0) != (to != NULL))
		return vk_cli_usage(call, "--how cut and --to go together");
	if (to != NULL && !vk_text_parse_size(to, &b->to_bytes))
		return vk_cli_usage(call, "\"%s\" is not a length", to);
	while (i < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[i].how, b->how) != 0)
		i++;
	*ret_kind = i < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[i] : NULL;
	return VK_EXIT_OK;
}

static enum vk_status break_disk(struct breaking *b, const struct kind *kind, struct vk_error *err)
{
	bool chosen = kind->place != NULL || b->at_partition;
	enum vk_status status = VK_OK;

	if (chosen)
		status = vk_lab_choose(&b->disk, &b->choice, &b->table, err);
	else if (kind->table)
		status = vk_lab_table_read(&b->disk, b->choice.sector_size, &b->table, err);
	if (status == VK_OK && kind->disk != NULL)
		status = kind->disk(b, err);
	for (size_t i = 0; kind->place != NULL && i < b->table.count && status == VK_OK; i++) {
		struct vk_lab_places places;

		status = vk_lab_places_find(&b->disk, &b->table.found[i], &places, err);
		if (status == VK_OK)
			kind->place(b, &b->table.found[i], &places);
	}
	return status;
}

static int run(struct vk_cli_call *call)
{
	struct breaking b = {.out = call->out};
	struct vk_error err = {.status = VK_OK}, closing;
	const struct kind *kind = NULL;
	int code = read_options(call, &b, &kind);
	enum vk_status status;

	if (code != VK_EXIT_OK)
		return code;
	if (vk_lab_choice_parse(call, &b.choice, &err) != VK_OK)
		return vk_cli_fail(call, &err);
	/* an option that changes nothing would only pretend to */
	if (kind != NULL && kind->place == NULL && !b.at_partition && (b.choice.partition != 0 || b.choice.has_start))
		return vk_cli_usage(call, "--how %s is about the whole disk, not about a partition", b.how);
	if (vk_lab_disk_open(call->arguments[0], vk_cli_flag(call, "really"), &b.disk, &err) != VK_OK)
		return vk_cli_fail(call, &err);
	if (kind == NULL)
		status = vk_error_set(&err, VK_USAGE, NULL, "There is no way to break called \"%s\"", b.how);
	else
		status = break_disk(&b, kind, &err);
	if (status != VK_OK)
		b.disk.err = &closing;
	if (vk_lab_disk_close(&b.disk) != VK_OK || status != VK_OK)
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
