/* SPDX-License-Identifier: Apache-2.0 */
/* A disk with a GPT in memory, as it is and as it was before it was grown; ways to damage it; what the doctor makes of it. */
#ifndef VK_TESTS_GPT_BENCH_H
#define VK_TESTS_GPT_BENCH_H

#include "disk_support.h"

#include "base/bytes.h"
#include "evidence/gpt/judge.h"
#include "find/known_starts.h"
#include "rebuild/table/plan.h"
#include "vmfskit/find.h"

enum { DISK_512 = 1200, OLD_512 = 700, DISK_4096 = 420, OLD_4096 = 300, ENTRIES = 128, ARRAY = ENTRIES * 128 };
enum damage { ZERO, BIT, STALE, STALE_AT_OLD_PLACE, DAMAGES };
static const char *const damage_names[DAMAGES] = {"zeroed", "one bit", "stale", "stale at its old place"};
static const char *const part_names[] = {"MBR", "primary header", "primary array", "backup array", "backup header"};

/* A disk of 512- or 4096-byte sectors, as it is now and as it was before it was grown. */
struct bench {
	uint32_t ss;
	uint32_t handle; /* sector size of the handle: a file does not tell 4096 */
	uint64_t sectors, old_sectors;
	bool entries_changed; /* the grow also made the last partition longer and added one */
	uint8_t *now, *old, *disk;
	size_t bytes;
};

static uint32_t random_state;
static inline uint32_t rnd(uint32_t below)
{
	random_state = random_state * 1664525U + 1013904223U;
	return (uint32_t)((uint64_t)random_state * below >> 32);
}

static inline void guid_of(unsigned seed, struct vk_guid *guid)
{
	for (unsigned i = 0; i < 16; i++)
		guid->b[i] = (uint8_t)(seed * 37 + i * 11 + 1);
}

static inline void put_entry(uint8_t *array, unsigned number, const char *type, uint64_t first, uint64_t last)
{
	struct vk_gpt_entry e = {.firstLBA = first, .lastLBA = last};

	assert_true(vk_guid_parse(type, &e.typeGUID));
	guid_of(number, &e.uniqueGUID);
	memset(e.name + 2, 0xFF, sizeof(e.name) - 2);
	vk_gpt_entry_encode(&e, array + (size_t)(number - 1) * 128, 128);
}

static inline void make_disk(const struct bench *b, uint8_t *disk, uint64_t sectors, bool grown)
{
	uint64_t array_sectors = ARRAY / b->ss;
	uint64_t last = sectors - 1;
	uint8_t array[ARRAY] = {0};
	uint8_t mbr[VK_MBR_BYTES];

	put_entry(array, 1, VK_GPT_TYPE_EFI, 100, 149);
	put_entry(array, 3, VK_GPT_TYPE_VMFS, 200,
		  grown ? sectors - array_sectors - 2 : b->old_sectors - array_sectors - 2);
	put_entry(array, 2, VK_GPT_TYPE_VMKDIAG, 160, 180);
	if (grown)
		put_entry(array, 7, VK_GPT_TYPE_BASIC, 150, 155);
	for (int primary = 0; primary < 2; primary++) {
		struct vk_gpt_header h = {
			.signature = "EFI PART",
			.revision = 0x00010000,
			.headerSize = VK_GPT_HEADER_BYTES,
			.myLBA = primary ? 1 : last,
			.alternateLBA = primary ? last : 1,
			.firstUsableLBA = 2 + array_sectors,
			.lastUsableLBA = last - array_sectors - 1,
			.entriesLBA = primary ? 2 : last - array_sectors,
			.numEntries = ENTRIES,
			.entrySize = 128,
		};

		guid_of(99, &h.diskGUID);
		memset(disk + h.myLBA * b->ss, 0, b->ss);
		vk_gpt_header_encode(&h, disk + h.myLBA * b->ss, b->ss);
		assert_true(vk_gpt_seal(disk + h.myLBA * b->ss, b->ss, array));
		memcpy(disk + h.entriesLBA * b->ss, array, ARRAY);
	}
	(void)vk_gpt_protective_mbr(disk, sectors, 0, mbr);
	memcpy(disk, mbr, sizeof(mbr));
}

static inline void bench_make(struct bench *b, uint32_t ss, uint32_t handle, bool entries_changed)
{
	b->ss = ss;
	b->handle = handle;
	b->entries_changed = entries_changed;
	b->sectors = ss == 512 ? DISK_512 : DISK_4096;
	b->old_sectors = ss == 512 ? OLD_512 : OLD_4096;
	b->bytes = b->sectors * ss;
	b->now = calloc(1, b->bytes);
	b->old = calloc(1, b->bytes);
	b->disk = calloc(1, b->bytes);
	assert_true(b->now != NULL && b->old != NULL && b->disk != NULL);
	make_disk(b, b->old, b->old_sectors, false);
	make_disk(b, b->now, b->sectors, entries_changed);
}

static inline void bench_free(struct bench *b)
{
	free(b->now);
	free(b->old);
	free(b->disk);
}

/* Where a part lies on a disk of that many sectors. */
static inline size_t part_at(const struct bench *b, enum vk_table_part part, uint64_t sectors, size_t *ret_len)
{
	uint64_t array_sectors = ARRAY / b->ss;
	const uint64_t lba[] = {0, 1, 2, sectors - 1 - array_sectors, sectors - 1};

	*ret_len = part == VK_TP_MBR ? VK_MBR_BYTES :
		   part == VK_TP_PRIMARY_ARRAY || part == VK_TP_BACKUP_ARRAY ? ARRAY : VK_GPT_HEADER_BYTES;
	return lba[part] * b->ss;
}

/* A bit that somebody reads: not of the boot code, and of arrays mostly one of an entry in use. */
static inline size_t some_bit(enum vk_table_part part)
{
	static const unsigned used[] = {0, 1, 2, 6};

	switch (part) {
	case VK_TP_MBR:
		return rnd(4) == 0 ? 510 * 8 + rnd(16) : VK_MBR_ENTRY_OFFSET * 8 + 8 + rnd(15 * 8);
	case VK_TP_PRIMARY_ARRAY:
	case VK_TP_BACKUP_ARRAY:
		return rnd(4) == 0 ? rnd(ARRAY * 8) : used[rnd(3)] * 1024 + rnd(1024);
	default:
		return rnd(VK_GPT_HEADER_BYTES * 8);
	}
}

static inline void break_part(struct bench *b, enum vk_table_part part, enum damage damage)
{
	size_t len, old_len, bit;
	size_t at = part_at(b, part, b->sectors, &len);
	size_t old_at = part_at(b, part, b->old_sectors, &old_len);

	switch (damage) {
	case ZERO:
		memset(b->disk + at, 0, len);
		break;
	case BIT:
		bit = some_bit(part);
		b->disk[at + bit / 8] ^= (uint8_t)(1 << bit % 8);
		break;
	case STALE:
		memcpy(b->disk + at, b->old + old_at, len);
		break;
	default:
		memset(b->disk + at, 0, len);
		memcpy(b->disk + old_at, b->old + old_at, len);
		break;
	}
}

static inline enum vk_status judge(const struct vk_source *source, const struct vk_find *find, struct vk_gpt_judgement *judgement,
				   struct vk_error *err)
{
	struct vk_known_start *starts = NULL;
	size_t count = 0;
	enum vk_status status;

	if (find != NULL)
		assert_int_equal(vk_find_known_starts(find, &starts, &count, err), VK_OK);
	status = vk_gpt_judge(source, starts, count, judgement, err);
	free(starts);
	return status;
}

/* What the judge makes of b->disk, and the disk after the repair (NULL: it refused). */
static inline uint8_t *repair(const struct bench *b, const struct vk_find *find,
		       struct vk_gpt_judgement *judgement)
{
	struct vk_io *io = vk_io_memory("disk", b->disk, b->bytes, false);
	const struct vk_source_options options = {.as = VK_SOURCE_DISK};
	struct vk_error err = {0};
	struct vk_overlay *overlay;
	struct vk_source source;
	uint8_t *after = malloc(b->bytes);
	bool changed[VK_TP_COUNT];

	assert_true(io != NULL && after != NULL);
	vk_io_set_sector_size(io, b->handle);
	assert_int_equal(vk_source_open_io(io, "disk", VK_FORM_RAW, &options, &source, &err), VK_OK);
	assert_int_equal(judge(&source, find, judgement, &err), VK_OK);
	overlay = vk_overlay_new(source.io);
	assert_non_null(overlay);
	if (vk_gpt_put(&judgement->image, overlay, changed, &err) == VK_OK) {
		assert_int_equal(vk_io_read_all(vk_overlay_io(overlay), 0, after, b->bytes, &err), VK_OK);
		for (int part = 0; part <= VK_TP_BACKUP_HEADER; part++)
			if (!changed[part] && vk_gpt_proof_exact(judgement->proof) &&
			    !vk_part_state_stands(judgement->parts[part].state))
				fail_msg("%s is not sound (%s) and stays", part_names[part], judgement->parts[part].why);
	} else {
		assert_int_equal(err.status, VK_USAGE);
		free(after);
		after = NULL;
	}
	vk_overlay_free(overlay);
	vk_source_close(&source);
	return after;
}

static inline void explain(const struct vk_gpt_judgement *j)
{
	for (int part = 0; part <= VK_TP_BACKUP_HEADER; part++)
		print_message("  %s: %d %s\n", part_names[part], (int)j->parts[part].state, j->parts[part].why);
	print_message("  right: %d %s; proof %d\n", j->right, j->why_right, (int)j->proof);
	for (size_t i = 0; i < j->lost_count; i++)
		print_message("  lost: %s\n", j->lost[i]);
	for (size_t i = 0; i < j->note_count; i++)
		print_message("  note: %s\n", j->notes[i]);
}

static inline bool says(char *const *list, size_t count, const char *words)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(list[i], words) != NULL)
			return true;
	return false;
}

/* Where parts differ from how they were. */
static inline void assert_same_disk(const struct bench *b, const uint8_t *after, const struct vk_gpt_judgement *j,
			     const char *what)
{
	if (memcmp(after, b->now, b->bytes) == 0)
		return;
	for (size_t i = 0; i < b->bytes; i++)
		if (after[i] != b->now[i]) {
			/* what lay in front of the new places is nobody's */
			if (after[i] == b->disk[i] && i >= (b->old_sectors - 60) * b->ss && i < b->old_sectors * b->ss)
				continue;
			explain(j);
			fail_msg("%s: byte %zu is %02x, was %02x", what, i, after[i], b->now[i]);
		}
}

#endif
