/* SPDX-License-Identifier: Apache-2.0 */
/* The GPT doctor: every single and double damage of the five parts, and that nothing is ever guessed in silence. */
#include "gpt_bench.h"

enum { ROUNDS = 1500 };

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
		return "all GPT entries";
	if (first && second && b->entries_changed)
		return "ntries";
	/* both arrays hold them alike, but only a header of before is left to say what they were */
	if (hit[1] && hit[4] && kind[1] != BIT && kind[4] != BIT && b->entries_changed)
		return "cannot be proved";
	/* a whole array of before stands beside a lost header: it might as well be the newer one */
	if (b->entries_changed && ((hit[1] && hit[2] && kind[1] == ZERO && kind[2] >= STALE) ||
				   (hit[3] && hit[4] && kind[3] == STALE && (kind[4] == ZERO || kind[4] == STALE_AT_OLD_PLACE))))
		return "cannot be proved";
	if (hit[0] && kind[0] == ZERO)
		return "boot code";
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
	if (lost == NULL || strcmp(lost, "boot code") == 0 || strcmp(lost, "cannot be proved") == 0) {
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
					int times = k == BIT || l == BIT ? 6 : 1;

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
		try_all(512, 512, changed);
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
		enum damage kind;

		switch (rnd(8)) {
		case 0:
		case 1:
			kind = (enum damage)rnd(DAMAGES);
			/* nobody writes the array of before to the end of a disk that was grown since */
			if (part == VK_TP_BACKUP_ARRAY && kind == STALE)
				kind = STALE_AT_OLD_PLACE;
			break_part(b, (enum vk_table_part)part, kind);
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

/* No part tells of the time after the grow any more: it looks as if nobody had told the table of it. */
static bool only_older_is_left(const struct vk_gpt_judgement *j)
{
	return j->grown_from_sectors != 0 && j->parts[VK_TP_MBR].state != VK_PART_STATE_CONSISTENT &&
	       j->parts[VK_TP_BACKUP_HEADER].state == VK_PART_STATE_LOST &&
	       j->parts[VK_TP_BACKUP_ARRAY].state == VK_PART_STATE_LOST;
}

static void nothing_is_guessed_in_silence(void **state)
{
	struct bench b;
	unsigned healed = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
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
		/* of a disk on which no part of a GPT is left, nothing is claimed */
		else if (j.was_gpt && j.lost_count == 0 && !only_older_is_left(&j) && !says(j.notes, j.note_count, "both arrays share")) {
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
	print_message("%u of %d healed\n", healed, ROUNDS);
	assert_true(healed > ROUNDS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_singles_and_doubles),
		cmocka_unit_test(nothing_is_guessed_in_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
