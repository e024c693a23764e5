/* SPDX-License-Identifier: Apache-2.0 */
/* Random damage to the headers of lab volumes and of the real one: repaired, or said to be lost. */
#include "header_bench.h"

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

static void hurt_at_random(struct header_bench *b, uint64_t *seed)
{
	static const uint64_t places[] = {0x100000, 0x100200, 0x101000, 0x180200, 0x180600, 0x182000, 0x1300000};
	unsigned hits = 1 + (unsigned)(next_random(seed) % 6);

	for (unsigned i = 0; i < hits; i++) {
		uint64_t at = places[next_random(seed) % 7] + next_random(seed) % 0x130;
		size_t len = 1 + next_random(seed) % (next_random(seed) % 4 == 0 ? 300 : 9);
		uint8_t bytes[300];

		for (size_t k = 0; k < len; k++)
			bytes[k] = next_random(seed) % 3 == 0 ? 0 : (uint8_t)next_random(seed);
		header_bench_hurt(b, at, bytes, len);
	}
}

/* Whatever is damaged together: the volume is mapped as it was, or something is said to be lost or guessed. */
static void random_damage_is_never_hidden(void **state)
{
	static const uint64_t five_gib = 5 * GIB + 100 * 512;
	static const char *const specs[] = {"version=3", "version=5", "version=6"};
	const char *rounds = getenv("HEADER_BENCH_ROUNDS");
	int patterns = rounds != NULL ? atoi(rounds) : 150;
	uint64_t seed = 20090421 + (uint64_t)(patterns != 150 ? patterns : 0);

	(void)state;
	for (size_t s = 0; s < 4; s++) {
		struct vk_io *io = s < 3 ? header_bench_lab(specs[s], five_gib, 1, 0) : header_bench_real();
		struct header_bench b;

		if (io == NULL)
			continue;
		header_bench_open(&b, io);
		for (int i = 0; i < patterns; i++) {
			uint64_t start = seed;
			enum vk_status status;

			header_bench_reset(&b);
			hurt_at_random(&b, &seed);
			status = header_bench_plan(&b, NULL);
			if (status != VK_OK) {
				assert_true(status == VK_ABSENT || status == VK_UNSUPPORTED);
				continue;
			}
			header_bench_again(&b, NULL);
			if (b.header.lost_count == 0 && !b.header.guessed && !header_bench_maps_the_same(&b))
				fail_msg("kind %zu, seed %llu: the volume is mapped otherwise, and nothing says so", s,
					 (unsigned long long)start);
		}
		header_bench_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_damage_is_never_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
