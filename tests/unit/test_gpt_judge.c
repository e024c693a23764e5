/* SPDX-License-Identifier: Apache-2.0 */
/* The GPT doctor: every single and double damage of the five parts, and that nothing is ever guessed in silence. */
#include "disk_support.h"

#include "base/bytes.h"
#include "rebuild/gpt_judge.h"

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
static uint32_t rnd(uint32_t below)
{
	random_state = random_state * 1664525U + 1013904223U;
	return (uint32_t)((uint64_t)random_state * below >> 32);
}

static void guid_of(unsigned seed, struct vk_guid *guid)
{
	for (unsigned i = 0; i < 16; i++)
		guid->b[i] = (uint8_t)(seed * 37 + i * 11 + 1);
}

static void put_entry(uint8_t *array, unsigned number, const char *type, uint64_t first, uint64_t last)
{
	struct vk_gpt_entry e = {.firstLBA = first, .lastLBA = last};

	assert_true(vk_guid_parse(type, &e.typeGUID));
	guid_of(number, &e.uniqueGUID);
	memset(e.name + 2, 0xFF, sizeof(e.name) - 2);
	vk_gpt_entry_encode(&e, array + (size_t)(number - 1) * 128, 128);
}

static void make_disk(const struct bench *b, uint8_t *disk, uint64_t sectors, bool grown)
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
	vk_gpt_protective_mbr(disk, sectors, mbr);
	memcpy(disk, mbr, sizeof(mbr));
}

static void bench_make(struct bench *b, uint32_t ss, uint32_t handle, bool entries_changed)
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

static void bench_free(struct bench *b)
{
	free(b->now);
	free(b->old);
	free(b->disk);
}

/* Where a part lies on a disk of that many sectors. */
static size_t part_at(const struct bench *b, enum vk_table_part part, uint64_t sectors, size_t *ret_len)
{
	uint64_t array_sectors = ARRAY / b->ss;
	const uint64_t lba[] = {0, 1, 2, sectors - 1 - array_sectors, sectors - 1};

	*ret_len = part == VK_TP_MBR ? VK_MBR_BYTES :
		   part == VK_TP_PRIMARY_ARRAY || part == VK_TP_BACKUP_ARRAY ? ARRAY : VK_GPT_HEADER_BYTES;
	return lba[part] * b->ss;
}

/* A bit that somebody reads: not of the boot code, and of arrays mostly one of an entry in use. */
static size_t some_bit(enum vk_table_part part)
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

static void break_part(struct bench *b, enum vk_table_part part, enum damage damage)
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

/* What the doctor makes of b->disk: the judgement, and the disk after the repair (NULL: it refused). */
static uint8_t *repair(const struct bench *b, const struct vk_find *find,
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
	assert_int_equal(vk_gpt_judge(&source, find, judgement, &err), VK_OK);
	overlay = vk_overlay_new(source.io);
	assert_non_null(overlay);
	if (vk_gpt_put(&judgement->image, overlay, changed, &err) == VK_OK) {
		assert_int_equal(vk_io_read_all(vk_overlay_io(overlay), 0, after, b->bytes, &err), VK_OK);
		for (int part = 0; part <= VK_TP_BACKUP_HEADER; part++)
			if (!changed[part] && vk_gpt_proof_exact(judgement->proof) &&
			    judgement->parts[part].state != VK_PART_STATE_SOUND)
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

static void explain(const struct vk_gpt_judgement *j)
{
	for (int part = 0; part <= VK_TP_BACKUP_HEADER; part++)
		print_message("  %s: %d %s\n", part_names[part], (int)j->parts[part].state, j->parts[part].why);
	print_message("  right: %d %s; proof %d\n", j->right, j->why_right, (int)j->proof);
	for (size_t i = 0; i < j->lost_count; i++)
		print_message("  lost: %s\n", j->lost[i]);
	for (size_t i = 0; i < j->note_count; i++)
		print_message("  note: %s\n", j->notes[i]);
}

static bool says(char *const *list, size_t count, const char *words)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(list[i], words) != NULL)
			return true;
	return false;
}

/* Where parts differ from how they were. */
static void assert_same_disk(const struct bench *b, const uint8_t *after, const struct vk_gpt_judgement *j,
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

/* What of a pair of damages cannot be brought back, as the words that must be said; NULL: nothing. */
static const char *what_is_lost(const struct bench *b, const enum damage kind[5], const bool hit[5])
{
	bool first = hit[2] && kind[2] != BIT;
	bool second = hit[3] && kind[3] != BIT;
	bool second_gone = kind[3] == ZERO || kind[3] == STALE_AT_OLD_PLACE;
	/* behind the last partition one of before the grow is found, inside of it not */
	bool gone = kind[4] == ZERO || (kind[4] == STALE_AT_OLD_PLACE && b->entries_changed);
	bool headers = hit[1] && hit[4] && kind[1] == ZERO && gone;

	if (headers)
		return "disk GUID";
	if (first && second && kind[2] == ZERO && second_gone)
		return "All GPT entries";
	if (first && second && b->entries_changed)
		return "ntries";
	if (hit[0] && kind[0] == ZERO)
		return "Boot code";
	return NULL;
}

static void try_damage(struct bench *b, const enum damage kind[5], const bool hit[5], const char *what)
{
	const char *lost = what_is_lost(b, kind, hit);
	struct vk_gpt_judgement j;
	uint8_t *after;

	memcpy(b->disk, b->now, b->bytes);
	for (int part = 0; part < 5; part++)
		if (hit[part])
			break_part(b, (enum vk_table_part)part, kind[part]);
	after = repair(b, NULL, &j);
	if (j.sector_size != b->ss)
		fail_msg("%s: taken for sectors of %u", what, j.sector_size);
	assert_true(j.was_gpt);
	if (j.sound && memcmp(b->disk, b->now, b->bytes) != 0)
		fail_msg("%s: called sound", what);
	if (lost != NULL && !says(j.lost, j.lost_count, lost)) {
		explain(&j);
		fail_msg("%s: not said: %s", what, lost);
	}
	if (lost == NULL && j.lost_count > 0) {
		explain(&j);
		fail_msg("%s: said to be lost", what);
	}
	if (lost == NULL || strcmp(lost, "Boot code") == 0) {
		if (after == NULL) {
			explain(&j);
			fail_msg("%s: cannot be put", what);
		}
		assert_same_disk(b, after, &j, what);
	}
	free(after);
	vk_gpt_judgement_free(&j);
}

static void try_all(uint32_t ss, uint32_t handle, bool entries_changed)
{
	struct bench b;
	char what[200];

	bench_make(&b, ss, handle, entries_changed);
	for (int p = 0; p < 5; p++)
		for (int q = p; q < 5; q++)
			for (int k = 0; k < DAMAGES; k++)
				for (int l = 0; l < (p == q ? 1 : (int)DAMAGES); l++) {
					enum damage kind[5] = {0};
					bool hit[5] = {false};
					int times = k == BIT || l == BIT ? 12 : 1;

					hit[p] = hit[q] = true;
					kind[q] = (enum damage)l;
					kind[p] = (enum damage)k;
					snprintf(what, sizeof(what), "%u/%u %s %s, %s %s", ss, handle, part_names[p],
						 damage_names[k], part_names[q], damage_names[l]);
					while (times-- > 0)
						try_damage(&b, kind, hit, what);
				}
	bench_free(&b);
}

static void all_singles_and_doubles(void **state)
{
	(void)state;
	random_state = 7;
	for (int changed = 0; changed < 2; changed++) {
		if (!getenv("S")) try_all(512, 512, changed);
		try_all(4096, 4096, changed);
		try_all(4096, 512, changed);
	}
}

/* What no list of cases holds: any number of parts, also overwritten by noise, by the other's bytes, or in a stretch. */
static void break_anyhow(struct bench *b)
{
	for (int part = 0; part < 5; part++) {
		size_t len, other_len;
		size_t at = part_at(b, (enum vk_table_part)part, b->sectors, &len);
		size_t other = part_at(b, (enum vk_table_part)rnd(5), b->sectors, &other_len);
		size_t from = rnd((uint32_t)len);
		size_t count = 1 + rnd((uint32_t)(len - from));

		switch (rnd(8)) {
		case 0:
		case 1:
			break_part(b, (enum vk_table_part)part, (enum damage)rnd(DAMAGES));
			break;
		case 2:
			for (size_t i = 0; i < count; i++)
				b->disk[at + from + i] = (uint8_t)rnd(256);
			break;
		case 3:
			memset(b->disk + at + from, 0, count);
			break;
		case 4:
			memmove(b->disk + at, b->now + other, len < other_len ? len : other_len);
			break;
		default:
			break;
		}
	}
}

/* CHS bytes have no copy and no checksum either, and nobody reads them. */
static void forget_chs(uint8_t *disk)
{
	memset(disk + VK_MBR_ENTRY_OFFSET + 1, 0, 3);
	memset(disk + VK_MBR_ENTRY_OFFSET + 5, 0, 3);
}

static void nothing_is_guessed_in_silence(void **state)
{
	struct bench b;
	unsigned healed = 0;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		bool large = round % 4 == 3;
		struct vk_gpt_judgement j;
		uint8_t *after;
		size_t parts_len, array_at;

		random_state = (uint32_t)round;
		bench_make(&b, large ? 4096 : 512, large && round % 8 == 3 ? 4096 : 512, round % 2);
		memcpy(b.disk, b.now, b.bytes);
		break_anyhow(&b);
		after = repair(&b, NULL, &j);
		if (after != NULL)
			forget_chs(after);
		forget_chs(b.now);
		array_at = part_at(&b, VK_TP_PRIMARY_ARRAY, b.sectors, &parts_len);
		/* the boot code has no copy and no checksum, so that nobody can know it */
		if (after != NULL && memcmp(after + VK_MBR_ENTRY_OFFSET, b.now + VK_MBR_ENTRY_OFFSET,
					    array_at + parts_len - VK_MBR_ENTRY_OFFSET) == 0)
			healed++;
		else if (j.lost_count == 0 && !says(j.notes, j.note_count, "both arrays hold alike")) {
			size_t at = VK_MBR_ENTRY_OFFSET;

			while (after != NULL && at < b.bytes && after[at] == b.now[at])
				at++;
			explain(&j);
			fail_msg("round %d: another table at byte %zu, and nothing is said to be lost", round, at);
		}
		forget_chs(b.disk);
		if (j.sound && memcmp(b.disk + VK_MBR_ENTRY_OFFSET, b.now + VK_MBR_ENTRY_OFFSET,
				      b.bytes - VK_MBR_ENTRY_OFFSET) != 0)
			fail_msg("round %d: called sound", round);
		free(after);
		vk_gpt_judgement_free(&j);
		bench_free(&b);
	}
	print_message("%u of 3000 healed\n", healed);
	assert_true(healed > 1000);
}

/* Entry 3 is damaged in one array, entry 1 in the other: the checksum finds the one right choice. */
static void entries_of_both_arrays(void **state)
{
	struct vk_gpt_judgement j;
	struct bench b;
	uint8_t *after;

	(void)state;
	bench_make(&b, 512, 512, true);
	memcpy(b.disk, b.now, b.bytes);
	memset(b.disk + 2 * 512 + 256 + 30, 0x5A, 40);
	memset(b.disk + (b.sectors - 33) * 512 + 3, 0xA5, 77);
	after = repair(&b, NULL, &j);
	assert_int_equal(j.proof, VK_GPT_PROOF_PIECED);
	assert_int_equal(j.lost_count, 0);
	assert_non_null(after);
	assert_memory_equal(after, b.now, b.bytes);
	assert_int_equal(j.entry_count, 4);
	assert_int_equal(j.entries[0].origin, VK_ENTRY_PRIMARY);
	assert_int_equal(j.entries[1].origin, VK_ENTRY_BOTH);
	assert_int_equal(j.entries[2].origin, VK_ENTRY_BACKUP);
	assert_true(j.entries[2].exact);
	free(after);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

/* Both arrays are of before the grow, the headers are not: the volume found gives the end that the checksum proves. */
static void the_end_of_a_grown_volume(void **state)
{
	struct vk_candidate volume = {.start_bytes = 200 * 512ULL, .length_exact = true, .inside = SIZE_MAX};
	struct vk_find find = {.candidates = &volume, .count = 1};
	struct vk_gpt_judgement j;
	struct bench b;
	uint8_t *after;
	size_t len;

	(void)state;
	bench_make(&b, 512, 512, false);
	make_disk(&b, b.now, b.sectors, false);
	/* grown, and nothing else: entry 3 now ends further behind */
	for (int copy = 0; copy < 2; copy++) {
		uint8_t *array = b.now + part_at(&b, copy ? VK_TP_BACKUP_ARRAY : VK_TP_PRIMARY_ARRAY,
						 b.sectors, &len);

		put_entry(array, 3, VK_GPT_TYPE_VMFS, 200, 1000);
	}
	for (int copy = 0; copy < 2; copy++)
		assert_true(vk_gpt_seal(b.now + part_at(&b, copy ? VK_TP_BACKUP_HEADER : VK_TP_PRIMARY_HEADER,
							b.sectors, &len),
					512, b.now + 1024));
	volume.length_bytes = 801 * 512ULL;
	memcpy(b.disk, b.now, b.bytes);
	break_part(&b, VK_TP_PRIMARY_ARRAY, STALE);
	break_part(&b, VK_TP_BACKUP_ARRAY, ZERO);
	after = repair(&b, &find, &j);
	assert_int_equal(j.lost_count, 0);
	assert_non_null(after);
	assert_memory_equal(after, b.now, b.bytes);
	assert_int_equal(j.entries[2].origin, VK_ENTRY_FOUND);
	assert_true(j.entries[2].exact && j.entries[2].length_fits && j.entries[2].candidate == 0);
	free(after);
	vk_gpt_judgement_free(&j);
	/* without it, what is left is of before, and said to be */
	after = repair(&b, NULL, &j);
	assert_true(says(j.lost, j.lost_count, "entries as"));
	assert_false(j.entries[2].exact);
	assert_true(j.entries[2].suspicious);
	free(after);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

/* The array grew under a table that nobody told: everything is sound, and of a smaller disk. */
static void a_grown_disk(void **state)
{
	struct vk_gpt_judgement j;
	struct bench b;
	uint8_t *after;
	size_t len;

	(void)state;
	bench_make(&b, 512, 512, false);
	memcpy(b.disk, b.old, b.bytes);
	after = repair(&b, NULL, &j);
	assert_non_null(after);
	assert_int_equal(j.grown_from_sectors, b.old_sectors);
	assert_int_equal(j.lost_count, 0);
	assert_true(says(j.notes, j.note_count, "was grown from 700 to 1200 sectors"));
	assert_true(says(j.notes, j.note_count, "sectors 667 to 699, is left as it is"));
	assert_int_equal(j.parts[VK_TP_MBR].state, VK_PART_STATE_STALE);
	assert_int_equal(j.parts[VK_TP_PRIMARY_HEADER].state, VK_PART_STATE_STALE);
	assert_int_equal(j.parts[VK_TP_PRIMARY_ARRAY].state, VK_PART_STATE_SOUND);
	assert_int_equal(j.parts[VK_TP_BACKUP_HEADER].state, VK_PART_STATE_LOST);
	for (int part = 0; part < 5; part++) {
		size_t at = part_at(&b, (enum vk_table_part)part, b.sectors, &len);

		assert_memory_equal(after + at, b.now + at, len);
	}
	/* the old backup stays */
	assert_memory_equal(after + 667 * 512, b.old + 667 * 512, 33 * 512);
	free(after);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

/* Start and end were zeroed after a grow: the backup of before stands behind the last volume, where nothing points to. */
static void a_backup_behind_the_volume(void **state)
{
	struct vk_candidate volume = {.start_bytes = 200 * 512ULL,
				      .length_bytes = 467 * 512ULL,
				      .length_exact = true,
				      .inside = SIZE_MAX};
	struct vk_find find = {.candidates = &volume, .count = 1};
	struct vk_gpt_judgement j;
	struct bench b;
	uint8_t *after;

	(void)state;
	bench_make(&b, 512, 512, false);
	memcpy(b.disk, b.old, b.bytes);
	memset(b.disk, 0, 34 * 512);
	after = repair(&b, &find, &j);
	assert_true(j.was_gpt && j.disk_guid_known);
	assert_int_equal(j.proof, VK_GPT_PROOF_CRC);
	assert_int_equal(j.entry_count, 3);
	assert_memory_equal(after, b.now, 34 * 512);
	free(after);
	vk_gpt_judgement_free(&j);
	after = repair(&b, NULL, &j);
	assert_false(j.was_gpt);
	free(after);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

/* Both copies whole, for this disk, and different: systems read the primary; the volumes may say otherwise. */
static void two_copies_that_differ(void **state)
{
	struct vk_candidate volume = {.start_bytes = 300 * 512ULL,
				      .length_bytes = 100 * 512ULL,
				      .length_exact = true,
				      .inside = SIZE_MAX};
	struct vk_find find = {.candidates = &volume, .count = 1};
	struct vk_gpt_judgement j;
	struct bench b;
	size_t len;

	(void)state;
	bench_make(&b, 512, 512, true);
	memcpy(b.disk, b.now, b.bytes);
	put_entry(b.disk + part_at(&b, VK_TP_BACKUP_ARRAY, b.sectors, &len), 3, VK_GPT_TYPE_VMFS, 300, 399);
	assert_true(vk_gpt_seal(b.disk + part_at(&b, VK_TP_BACKUP_HEADER, b.sectors, &len), 512,
				b.disk + part_at(&b, VK_TP_BACKUP_ARRAY, b.sectors, &len)));
	free(repair(&b, NULL, &j));
	assert_int_equal(j.right, 0);
	assert_int_equal(j.used, 0);
	assert_non_null(strstr(j.why_right, "it is the one that systems read"));
	assert_true(says(j.notes, j.note_count, "compare both before writing"));
	assert_int_equal(j.parts[VK_TP_BACKUP_ARRAY].state, VK_PART_STATE_STALE);
	vk_gpt_judgement_free(&j);
	free(repair(&b, &find, &j));
	assert_int_equal(j.right, 1);
	assert_int_equal(j.used, 0);
	assert_non_null(strstr(j.why_right, "fit the volumes"));
	assert_int_equal(j.parts[VK_TP_PRIMARY_ARRAY].state, VK_PART_STATE_STALE);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

static void a_sound_disk(void **state)
{
	struct vk_gpt_judgement j;
	struct bench b;
	uint8_t *after;

	(void)state;
	for (int large = 0; large < 2; large++) {
		bench_make(&b, large ? 4096 : 512, 512, true);
		memcpy(b.disk, b.now, b.bytes);
		memset(b.disk, 0x90, 440);
		after = repair(&b, NULL, &j);
		assert_true(j.sound);
		assert_int_equal(j.used, 0);
		assert_int_equal(j.right, 0);
		assert_int_equal(j.lost_count, 0);
		assert_string_equal(j.why_right, "both headers agree");
		assert_memory_equal(after, b.disk, b.bytes);
		free(after);
		vk_gpt_judgement_free(&j);
		bench_free(&b);
	}
}

/* Somebody's MBR over the protective one; then a disk that never had a GPT. */
static void another_table(void **state)
{
	struct vk_mbr_entry e = {.type = 0x42, .firstLBA = 63, .sectors = 900};
	struct vk_gpt_judgement j;
	struct bench b;
	uint8_t *after;

	(void)state;
	bench_make(&b, 512, 512, true);
	memcpy(b.disk, b.now, b.bytes);
	vk_layout_encode(&vk_mbr_entry_layout, &e, b.disk + VK_MBR_ENTRY_OFFSET, VK_MBR_ENTRY_BYTES);
	memset(b.disk, 0x33, 444);
	after = repair(&b, NULL, &j);
	assert_true(j.was_gpt && j.foreign_mbr);
	assert_int_equal(j.used, -1);
	assert_int_equal(j.parts[VK_TP_MBR].state, VK_PART_STATE_FOREIGN);
	assert_memory_equal(after, b.disk, 444);
	assert_memory_equal(after + 444, b.now + 444, b.bytes - 444);
	free(after);
	vk_gpt_judgement_free(&j);
	memset(b.disk + 512, 0, b.bytes - 512);
	after = repair(&b, NULL, &j);
	assert_true(j.foreign_mbr && !j.was_gpt);
	assert_int_equal(j.lost_count, 0);
	assert_int_equal(j.proof, VK_GPT_PROOF_NONE);
	free(after);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

/* The first part of a disk: nothing is missing that could be seen, and nothing can be put. */
static void a_cut_disk(void **state)
{
	struct vk_gpt_judgement j;
	struct bench b;

	(void)state;
	bench_make(&b, 512, 512, true);
	memcpy(b.disk, b.now, b.bytes);
	b.bytes = 400 * 512;
	assert_null(repair(&b, NULL, &j));
	assert_true(j.cut && !j.sound);
	assert_int_equal(j.disk_sectors, DISK_512);
	assert_int_equal(j.parts[VK_TP_PRIMARY_ARRAY].state, VK_PART_STATE_SOUND);
	assert_int_equal(j.parts[VK_TP_BACKUP_HEADER].state, VK_PART_STATE_UNREADABLE);
	assert_int_equal(j.entry_count, 4);
	vk_gpt_judgement_free(&j);
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_disk),
		cmocka_unit_test(all_singles_and_doubles),
		cmocka_unit_test(nothing_is_guessed_in_silence),
		cmocka_unit_test(entries_of_both_arrays),
		cmocka_unit_test(the_end_of_a_grown_volume),
		cmocka_unit_test(a_grown_disk),
		cmocka_unit_test(a_backup_behind_the_volume),
		cmocka_unit_test(two_copies_that_differ),
		cmocka_unit_test(another_table),
		cmocka_unit_test(a_cut_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
