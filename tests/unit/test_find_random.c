/* SPDX-License-Identifier: Apache-2.0 */
/* Random damage in the table and the first 32 MiB: no volume is invented, no length is called exact that is not. */
#include "find_bench.h"

enum { PATTERNS = 250 };
#define AREA_BYTES (32ULL << 20)

/* The same numbers in every run. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Zeros, noise, or one bit, anywhere in front; short stretches as often as long ones. */
static void damage(struct vk_lab_disk *disk, uint64_t start, uint64_t *seed)
{
	static uint8_t noise[4 << 20];
	static const uint64_t places[] = {0, HEADER, HEADER + 0x80200, DESCRIPTOR, HEARTBEATS};
	uint64_t kind = next_random(seed) % 3;
	uint64_t length = 1ULL << next_random(seed) % 23;
	uint64_t at = next_random(seed) % AREA_BYTES;

	if (next_random(seed) % 2 == 0)
		at = start + places[next_random(seed) % 5] + next_random(seed) % 512;
	if (kind == 0) {
		zero(disk, at, length);
		return;
	}
	if (kind == 2)
		length = 1;
	for (size_t i = 0; i < length; i++)
		noise[i] = (uint8_t)next_random(seed);
	if (kind == 2) {
		uint8_t bit = (uint8_t)(1U << (noise[0] & 7));

		get(disk, at, noise, 1);
		noise[0] ^= bit;
	}
	put(disk, at, noise, (size_t)length);
}

static void test_random_damage(void **state)
{
	unsigned lost = 0;

	(void)state;
	for (uint64_t pattern = 1; pattern <= PATTERNS; pattern++) {
		struct vk_lab_disk disk = memory_disk(3 * GIB);
		uint64_t seed = pattern * 0x9E3779B97F4A7C15ULL;
		uint64_t start = (pattern % 4 == 0 ? 2048 : 63 + next_random(&seed) % 20000) * SECTOR;
		unsigned version = pattern % 3 == 0 ? 6 : pattern % 3 == 1 ? 5 : 3;
		struct searched s;
		bool met = false;

		put_volume(&disk, version, start, 2 * GIB, pattern);
		for (uint64_t i = 0; i <= pattern % 3; i++)
			damage(&disk, start, &seed);
		s = search(&disk);
		for (size_t i = 0; i < s.find.count; i++) {
			const struct vk_candidate *c = &s.find.candidates[i];

			if (vk_standing_is_ghost(c->standing))
				continue;
			if (c->start_bytes != start)
				fail_msg("pattern %llu: a volume at %llu", (unsigned long long)pattern,
					 (unsigned long long)c->start_bytes);
			if (c->length_exact && c->length_bytes != 2 * GIB)
				fail_msg("pattern %llu: length %llu", (unsigned long long)pattern,
					 (unsigned long long)c->length_bytes);
			assert_true(c->length_bytes <= 2 * GIB);
			met = true;
		}
		lost += !met;
		search_free(&s);
		close(disk.fd);
	}
	if (lost > PATTERNS / 50)
		fail_msg("%u of %d volumes were not found", lost, PATTERNS);
}

/* What must hold of every candidate of one damaged volume. Returns whether the volume was found. */
static bool judge(const struct searched *s, uint64_t start, uint64_t length, unsigned version, uint64_t bit)
{
	bool met = false;

	for (size_t i = 0; i < s->find.count; i++) {
		const struct vk_candidate *c = &s->find.candidates[i];

		if (vk_standing_is_ghost(c->standing) || c->start_bytes != start)
			continue;
		met = true;
		if (c->length_bytes > length || (c->length_exact && c->length_bytes != length) ||
		    (c->most_bytes != 0 && c->most_bytes < length))
			fail_msg("VMFS%u, bit %llu of totalBytes: %llu%s, at most %llu", version, (unsigned long long)bit,
				 (unsigned long long)c->length_bytes, c->length_exact ? " exact" : "",
				 (unsigned long long)c->most_bytes);
		assert_true(c->sure_percent < 99);
	}
	return met;
}

/* totalBytes with one wrong bit, on disks with room behind the volume and without: never exact, and never lost. */
static void test_every_bit_of_the_length(void **state)
{
	static const uint64_t rooms[] = {0, 33 * SECTOR, 1 << 20, 2047 * SECTOR, 64 << 20, GIB};
	static const unsigned versions[] = {3, 5, 6};

	(void)state;
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]) * 3; i++) {
		const uint64_t start = 2048 * SECTOR, length = 2 * GIB + (200 << 20), at = start + HEADER + 0x5E;
		struct vk_lab_disk disk = memory_disk(start + length + rooms[i / 3]);
		uint8_t right[8], wrong[8];

		put_volume(&disk, versions[i % 3], start, length, i + 1);
		get(&disk, at, right, sizeof(right));
		assert_int_equal(vk_get_le64(right), length);
		for (uint64_t bit = 0; bit < 64; bit++) {
			struct searched s;

			vk_put_le64(wrong, length ^ 1ULL << bit);
			put(&disk, at, wrong, sizeof(wrong));
			s = search_likely(&disk);
			if (!judge(&s, start, length, versions[i % 3], bit))
				fail_msg("VMFS%u, bit %llu of totalBytes: the volume is lost", versions[i % 3], (unsigned long long)bit);
			search_free(&s);
		}
		close(disk.fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_damage), cmocka_unit_test(test_every_bit_of_the_length)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
