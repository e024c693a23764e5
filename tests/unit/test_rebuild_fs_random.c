/* SPDX-License-Identifier: Apache-2.0 */
/* Random damage over the first 32 MiB: headers are planned without a fault, and nothing damaged is called intact unseen. */
#include "fs_bench.h"

enum { ROUNDS = 60, AREA = 32 << 20, HITS_MAX = 6, LONGEST = 1 << 16 };

static uint64_t next(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 24;
}

/* A place worth hitting: any, or one near the structures. */
static uint64_t draw_place(uint64_t *state)
{
	static const uint64_t near[] = {0x100000, 0x100200, 0x101000, 0x180200, 0x181000, FS, FS + 0x100000, DATA + 0x400000,
					DATA + 0x410000, DATA + 0x418000, DATA + 0x500000, DATA + 0x700000, DATA + 0x752000};
	uint64_t r = next(state);

	if (r % 3 == 0)
		return next(state) % (AREA - LONGEST);
	return near[r % (sizeof(near) / sizeof(near[0]))] + next(state) % 4096;
}

static void hit(struct header_bench *b, uint64_t *state)
{
	static uint8_t noise[LONGEST];
	uint64_t at = draw_place(state);
	unsigned how = (unsigned)(next(state) % 4);
	size_t len = how == 0 ? 1 : (size_t)1 << next(state) % 17;

	memset(noise, 0, len);
	for (size_t i = 0; how != 1 && i < len; i++)
		noise[i] = (uint8_t)next(state);
	if (how == 3) /* something from elsewhere on the volume */
		header_bench_get(b->sound, draw_place(state), noise, len);
	header_bench_hurt(b, at, noise, len);
}

/* Fields in which damage cannot be seen; the notes say so. */
static bool unseen(const struct vk_field *f)
{
	static const char *const names[] = {"fsLabel", "minorVersion", "config", "uuid", "creationTime", "majorVersion", "magic"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(f->name, names[i]) == 0)
			return true;
	return f->offset >= 0xDD;
}

static void judge_intact(struct header_bench *b, int kind, unsigned round)
{
	uint8_t was[512], is[512];

	header_bench_get(b->sound, FS, was, sizeof(was));
	header_bench_get(vk_overlay_io(b->plan), FS, is, sizeof(is));
	for (size_t i = 0; i < vk_fs_descriptor_layout.count; i++) {
		const struct vk_field *f = &vk_fs_descriptor_layout.fields[i];

		if (verdict(b)->state == VK_STRUCTURE_CONSISTENT && !unseen(f) && memcmp(was + f->offset, is + f->offset, f->size) != 0)
			fail_msg("kind %d round %u: %s differs, yet the descriptor is called intact", kind, round, f->name);
	}
}

static void random_damage(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct vk_io *io = open_kind(kind);
		struct header_bench b;

		if (io == NULL)
			continue;
		header_bench_open(&b, io);
		for (unsigned round = 0; round < ROUNDS; round++) {
			uint64_t seed = 0x9E3779B97F4A7C15ULL * (round + 1) + (unsigned)kind;
			unsigned hits = 1 + (unsigned)(next(&seed) % HITS_MAX);
			enum vk_status status;

			for (unsigned i = 0; i < hits; i++)
				hit(&b, &seed);
			status = header_bench_plan(&b, NULL);
			if (status != VK_OK && status != VK_ABSENT && status != VK_UNSUPPORTED)
				fail_msg("kind %d round %u: %s", kind, round, b.err.what);
			if (status == VK_OK)
				judge_intact(&b, kind, round);
			header_bench_reset(&b);
		}
		header_bench_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
