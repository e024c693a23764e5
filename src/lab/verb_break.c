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
		return vk_error_set(err, VK_USAGE, NULL, "give either --partition or --start, not both");
	if (partition != NULL && (!vk_text_parse_number(partition, 16384, &number) || number == 0))
		return vk_error_set(err, VK_USAGE, NULL, "\"%s\" is not the number of a partition",
				    partition);
	choice.partition = (unsigned)number;
	if (start != NULL && !vk_text_parse_number(start, UINT64_MAX, &choice.start_sector))
		return vk_error_set(err, VK_USAGE, NULL, "\"%s\" is not the number of a sector", start);
	number = 0;
	if (sector != NULL && (!vk_text_parse_number(sector, 4096, &number) ||
			       (number != 512 && number != 4096)))
		return vk_error_set(err, VK_USAGE, NULL, "sectors have 512 or 4096 bytes, not \"%s\"",
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

enum kind { TABLE, PRIMARY, BACKUP, EXT4, NTFS, CUT, MAGIC, HEADER, START, HEARTBEAT, KINDS };
static const char *const kinds[KINDS] = {"table", "primary", "backup", "ext4", "ntfs",
					 "cut", "magic", "header", "start", "heartbeat-corrupt"};

/* Up to CUT it is the whole disk that is broken, but for NTFS at a partition. */
static bool is_of_places(const struct breaking *b, enum kind kind)
{
	return kind > CUT || b->at_partition;
}

static enum vk_status cut(struct breaking *b, struct vk_error *err)
{
	const struct vk_lab_range gone = {b->to_bytes, b->disk.size_bytes - b->to_bytes, "end of the file"};

	if (b->disk.device)
		return vk_error_set(err, VK_USAGE, b->disk.path, "a block device cannot be cut");
	if (b->to_bytes > b->disk.size_bytes)
		return vk_error_set(err, VK_USAGE, b->disk.path, "the file is only %llu bytes long",
				    (unsigned long long)b->disk.size_bytes);
	if (ftruncate(b->disk.fd, (off_t)b->to_bytes) != 0)
		return vk_error_errno(err, errno, b->disk.path, "the file could not be cut");
	report_range(b, &gone, "cut off");
	return VK_OK;
}

static void put_ntfs(struct breaking *b, uint64_t start_bytes, uint64_t length_bytes)
{
	struct vk_lab_range ranges[2] = {{0}};

	vk_lab_put_ntfs(&b->disk, start_bytes, length_bytes, b->table.sector_size, ranges);
	report_range(b, &ranges[0], "overwritten");
	report_range(b, &ranges[1], "overwritten");
}

static enum vk_status break_disk(struct breaking *b, enum kind kind, struct vk_error *err)
{
	const struct vk_lab_range *copies[] = {b->table.primary, b->table.backup};
	enum vk_status status = VK_OK;

	if (kind == CUT)
		return cut(b, err);
	if (kind == EXT4) {
		status = vk_lab_mkfs_ext4(b->disk.path, err);
		if (status == VK_OK)
			report_range(b, &(struct vk_lab_range){0, b->disk.size_bytes, "disk"}, "formatted with ext4");
		return status;
	}
	status = vk_lab_table_read(&b->disk, b->choice.sector_size, &b->table, err);
	if (status != VK_OK)
		return status;
	if (kind == NTFS)
		put_ntfs(b, 0, b->disk.size_bytes);
	if (kind == TABLE && !b->table.mbr && !b->table.gpt)
		return vk_error_set(err, VK_ABSENT, b->disk.path, "the disk has no partition table");
	if (kind == TABLE && b->table.mbr)
		zero(b, &(struct vk_lab_range){0, b->table.sector_size, "sector 0"});
	for (size_t i = 0; i < 2; i++) {
		if (kind != TABLE && kind != (i == 0 ? PRIMARY : BACKUP))
			continue;
		if (kind != TABLE && copies[i][0].length_bytes == 0)
			return vk_error_set(err, VK_ABSENT, b->disk.path, "the disk has no %s GPT", b->how);
		zero(b, &copies[i][0]);
		zero(b, &copies[i][1]);
	}
	return VK_OK;
}

/* The slot of VMware's own example: "Corrupt heartbeat detected at offset 3305472: [HB state 0 offset 605283...". */
static void corrupt_heartbeat(struct breaking *b, const struct vk_lab_places *p)
{
	const struct vk_heartbeat hb = {.addr = 6052837899185946624ULL, .hbGen = 15439450, .stamp = 5};
	uint8_t raw[VK_HEARTBEAT_BYTES] = {0};
	const struct vk_lab_range slot = {p->heartbeats.offset_bytes + 0x27000, sizeof(raw),
					  "heartbeat slot at volume offset 3305472"};

	vk_heartbeat_encode(&hb, raw, sizeof(raw));
	vk_lab_put(&b->disk, slot.offset_bytes, raw, sizeof(raw));
	report_range(b, &slot, "corrupted");
}

/* Each chosen partition. */
static enum vk_status break_places(struct breaking *b, enum kind kind, struct vk_error *err)
{
	enum vk_status status = vk_lab_choose(&b->disk, &b->choice, &b->table, err);

	for (size_t i = 0; i < b->table.count && status == VK_OK; i++) {
		const struct vk_lab_found *found = &b->table.found[i];
		struct vk_lab_places p;

		if (kind == NTFS) {
			put_ntfs(b, found->start_bytes, found->length_bytes);
			continue;
		}
		status = vk_lab_places_find(&b->disk, found, &p, err);
		if (status != VK_OK)
			break;
		if (kind == HEADER) {
			zero(b, &p.lvm);
			zero(b, &p.fs);
		} else if (kind == MAGIC) {
			zero(b, &(struct vk_lab_range){p.lvm.offset_bytes, 4, "LVM magic"});
			zero(b, &(struct vk_lab_range){p.fs.offset_bytes, 4, "file-system magic"});
		} else if (kind == START) {
			zero(b, &(struct vk_lab_range){found->start_bytes, vk_min_u64(found->length_bytes, START_BYTES),
						       "start of the partition"});
		} else {
			corrupt_heartbeat(b, &p);
		}
	}
	return status;
}

/* --at, --to and --how as they fit each other. */
static int read_options(struct vk_cli_call *call, struct breaking *b, enum kind *ret_kind)
{
	const char *at = vk_cli_value(call, "at");
	const char *to = vk_cli_value(call, "to");
	unsigned i = 0;

	b->how = vk_cli_value(call, "how");
	if (b->how == NULL)
		return vk_cli_usage(call, "say what to break with --how");
	if (at != NULL && strcmp(b->how, "ntfs") != 0)
		return vk_cli_usage(call, "--at goes with --how ntfs only");
	if (at != NULL && strcmp(at, "disk") != 0 && strcmp(at, "partition") != 0)
		return vk_cli_usage(call, "--at is disk or partition, not \"%s\"", at);
	b->at_partition = at != NULL && strcmp(at, "partition") == 0;
	if ((strcmp(b->how, "cut") == 0) != (to != NULL))
		return vk_cli_usage(call, "--how cut and --to go together");
	if (to != NULL && !vk_text_parse_size(to, &b->to_bytes))
		return vk_cli_usage(call, "\"%s\" is not a length", to);
	while (i < KINDS && strcmp(kinds[i], b->how) != 0)
		i++;
	*ret_kind = (enum kind)i;
	return VK_EXIT_OK;
}

static int run(struct vk_cli_call *call)
{
	struct breaking b = {.out = call->out};
	struct vk_error err = {.status = VK_OK}, closing;
	enum kind kind = KINDS;
	int code = read_options(call, &b, &kind);
	enum vk_status status;

	if (code != VK_EXIT_OK)
		return code;
	if (vk_lab_choice_parse(call, &b.choice, &err) != VK_OK)
		return vk_cli_fail(call, &err);
	/* an option that changes nothing would only pretend to */
	if (kind != KINDS && !is_of_places(&b, kind) && (b.choice.partition != 0 || b.choice.has_start))
		return vk_cli_usage(call, "--how %s is about the whole disk, not about a partition", b.how);
	if (vk_lab_disk_open(call->arguments[0], vk_cli_flag(call, "really"), &b.disk, &err) != VK_OK)
		return vk_cli_fail(call, &err);
	if (kind == KINDS)
		status = vk_error_set(&err, VK_USAGE, NULL, "there is no way to break called \"%s\"", b.how);
	else
		status = is_of_places(&b, kind) ? break_places(&b, kind, &err) : break_disk(&b, kind, &err);
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
		"Destroys a part of FILE and says which bytes. Only a capture that was taken before can bring them "
		"back. KIND is one of these:\n"
		"\n"
		"  table    sector 0 and both copies of the GPT are zeroed\n"
		"  primary  the first copy of the GPT is zeroed: header and entries\n"
		"  backup   the copy at the end of the disk is zeroed\n"
		"  magic    only the four bytes by which LVM header and descriptor are known\n"
		"  header   LVM header, volume descriptor and file-system descriptor\n"
		"  start    the first 21 MiB of the partition\n"
		"  ext4     the disk is formatted with mkfs.ext4, from e2fsprogs\n"
		"  ntfs     boot sector and first file records of a Windows format\n"
		"  cut      the file is cut off at --to\n"
		"  heartbeat-corrupt\n"
		"           the slot at volume offset 3305472 becomes the corrupt\n"
		"           heartbeat that VMware's documentation shows\n"
		"\n"
		"A loop device needs --really, and is refused while it is mounted or in use. Other block devices are "
		"always refused.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = 1,
	.run = run,
};
