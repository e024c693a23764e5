/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random damage of the three real volumes and of lab volumes of each version: whatever find says exactly, or is sure of
 * altogether, is what stood there; the least and the most that a volume needs hold in any case.
 */
#include "find_bench.h"
#include "real_volumes.h"
#include "table_bench.h"

enum { DAMAGES = 200, PLACES_MAX = 4, PIECE_MAX = 512 };

/* A sound image: where its volume begins and what must stand there. */
struct subject {
	const char *name;
	struct vk_lab_disk disk;
	uint64_t start, length;
	bool table; /* it begins with one, or ends with a GPT of its disk */
	struct vk_candidate sound;
};

struct wound {
	uint64_t at;
	size_t len;
	uint8_t old[PIECE_MAX];
};

static uint64_t draw(uint64_t *state, uint64_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % below;
}

/* Bits, bytes, zeros, 0xff, noise and copies of neighbours, mostly where the fields are. */
static void hurt(const struct subject *s, struct wound *w, uint64_t *seed)
{
	static const uint64_t parts[] = {HEADER, HEADER, HEADER, HEADER + 512, HEADER + 4096, HEADER + 0x80200, HEADER + 0x81000,
					 DESCRIPTOR, DESCRIPTOR, HEARTBEATS};
	const uint64_t tail = s->disk.size_bytes - 33 * SECTOR;
	uint64_t where = draw(seed, 12), kind = draw(seed, 6);
	uint8_t bytes[PIECE_MAX];

	w->len = kind < 2 ? 1 : (size_t)1 << draw(seed, 9);
	w->at = where < 10 ? s->start + parts[where] + draw(seed, 250)
			   : where == 10 ? tail + draw(seed, 256) : s->disk.size_bytes - SECTOR + draw(seed, 92);
	if (w->at + w->len > s->disk.size_bytes)
		w->len = (size_t)(s->disk.size_bytes - w->at);
	assert_int_equal(pread(s->disk.fd, w->old, w->len, (off_t)w->at), (ssize_t)w->len);
	memcpy(bytes, w->old, w->len);
	for (size_t i = 0; i < w->len; i++)
		bytes[i] = (uint8_t)(kind == 0 ? bytes[i] ^ 1U << draw(seed, 8) : kind == 2 ? 0 : kind == 3 ? 0xff : draw(seed, 256));
	if (kind == 5)
		assert_int_equal(pread(s->disk.fd, bytes, w->len, (off_t)(w->at - 8 * (1 + draw(seed, 8)))), (ssize_t)w->len);
	assert_int_equal(pwrite(s->disk.fd, bytes, w->len, (off_t)w->at), (ssize_t)w->len);
}

/* One bit of totalBytes, too: of all fields the one without a copy that a length hangs on. */
static void hurt_length(const struct subject *s, struct wound *w, uint64_t *seed)
{
	uint8_t byte;

	w->at = s->start + HEADER + 0x5E + draw(seed, 4);
	w->len = 1;
	assert_int_equal(pread(s->disk.fd, w->old, 1, (off_t)w->at), 1);
	byte = (uint8_t)(w->old[0] ^ 1U << draw(seed, 8));
	assert_int_equal(pwrite(s->disk.fd, &byte, 1, (off_t)w->at), 1);
}

static struct searched look(const struct subject *s)
{
	const struct vk_find_options options = {.likely_only = true};
	const struct vk_source_options how = {.as = VK_SOURCE_AUTO};
	struct searched found = {0};
	struct vk_error err = {0};
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->disk.fd);
	if (vk_source_open(path, &how, &found.source, &err) != VK_OK ||
	    vk_find(&found.source, &options, &found.find, &err) != VK_OK)
		fail_msg("%s: %s", s->name, err.what);
	return found;
}

static bool same_facts(const struct vk_candidate *a, const struct vk_candidate *b)
{
	return a->fs.majorVersion == b->fs.majorVersion && a->fs.minorVersion == b->fs.minorVersion &&
	       memcmp(a->fs.fsLabel, b->fs.fsLabel, sizeof(a->fs.fsLabel)) == 0 &&
	       vk_vmfs_uuid_equal(&a->fs.uuid, &b->fs.uuid) && vk_vmfs_uuid_equal(&a->volume.uuid, &b->volume.uuid) &&
	       vk_vmfs_uuid_equal(&a->lvm.devID, &b->lvm.devID);
}

static void judge(const struct subject *s, const struct vk_candidate *c, unsigned number)
{
	const char *wrong = NULL;

	if (vk_standing_is_ghost(c->standing) || c->start_before_disk)
		return;
	if (c->start_bytes != s->start)
		wrong = "start";
	else if (c->length_exact && c->length_bytes != s->length)
		wrong = "exact length";
	else if (c->length_bytes > s->length)
		wrong = "least length";
	else if (c->most_bytes != 0 && c->most_bytes < s->length)
		wrong = "most length";
	else if (c->sure_percent >= 100 && (!c->length_exact || !same_facts(c, &s->sound)))
		wrong = "surely";
	if (wrong != NULL)
		fail_msg("%s, damage %u: %s: %llu + %llu (%llu at most): %s", s->name, number, wrong, (unsigned long long)c->start_bytes,
			 (unsigned long long)c->length_bytes, (unsigned long long)c->most_bytes, c->why);
}

static void damage_and_judge(struct subject *s)
{
	unsigned met = 0, exact = 0;

	for (unsigned n = 1; n <= DAMAGES; n++) {
		uint64_t seed = n * 0x9E3779B97F4A7C15ULL;
		struct wound wounds[PLACES_MAX + 1];
		size_t count = 1 + draw(&seed, PLACES_MAX);
		bool length = draw(&seed, 3) == 0;
		struct searched found;

		for (size_t i = 0; i < count; i++)
			hurt(s, &wounds[i], &seed);
		if (length)
			hurt_length(s, &wounds[count++], &seed);
		found = look(s);
		for (size_t i = 0; i < found.find.count; i++) {
			judge(s, &found.find.candidates[i], n);
			met += found.find.candidates[i].start_bytes == s->start && !vk_standing_is_ghost(found.find.candidates[i].standing);
			exact += found.find.candidates[i].length_exact;
		}
		search_free(&found);
		while (count-- > 0)
			assert_int_equal(pwrite(s->disk.fd, wounds[count].old, wounds[count].len, (off_t)wounds[count].at),
					 (ssize_t)wounds[count].len);
	}
	/* a test that meets nothing, or where nothing is exact any more, proves nothing */
	if (met < DAMAGES * 9 / 10 || (s->table && exact < DAMAGES / 4))
		fail_msg("%s: found in %u of %d, exact in %u", s->name, met, DAMAGES, exact);
}

static void run(struct subject *s)
{
	struct searched found = look(s);

	assert_candidate(&found, 0, VK_STANDING_LIVING, s->start);
	s->sound = found.find.candidates[0];
	if (s->sound.length_exact != s->table || s->sound.told_bytes != s->length)
		fail_msg("%s, undamaged: %llu bytes%s", s->name, (unsigned long long)s->sound.told_bytes, s->sound.length_exact ? ", exact" : "");
	search_free(&found);
	damage_and_judge(s);
	close(s->disk.fd);
}

static void real(size_t i)
{
	const struct real_volume *v = &real_volumes[i];
	struct subject s = {.name = v->name, .length = v->partition_bytes, .table = true, .disk.size_bytes = v->bytes};

	s.disk.fd = real_volume_unpack(v, 0, v->bytes);
	if (s.disk.fd < 0)
		skip();
	run(&s);
}

static void real_vmfs3(void **state)
{
	(void)state;
	real(0);
}

static void real_vmfs5(void **state)
{
	(void)state;
	real(1);
}

static void real_vmfs6(void **state)
{
	(void)state;
	real(2);
}

static void lab_volumes(void **state)
{
	static const struct {
		const char *name, *words;
		enum vk_table_kind kind;
		bool wiped;
	} rows[] = {
		{"VMFS3, MBR", "version=3,size=2G,label=three", VK_TABLE_MBR, false},
		{"VMFS3, MBR lost", "version=3,size=2G,label=three", VK_TABLE_MBR, true},
		{"VMFS5, GPT", "version=5,size=2G,label=five", VK_TABLE_GPT, false},
		{"VMFS5, GPT lost", "version=5,size=3G,label=five", VK_TABLE_GPT, true},
		{"VMFS6, GPT", "version=6,size=2G,label=six", VK_TABLE_GPT, false},
		{"VMFS6, GPT lost", "version=6,size=2G,label=six", VK_TABLE_GPT, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct table_bench b = bench_disk(rows[i].kind, 0, rows[i].words, NULL);
		struct subject s = {.name = rows[i].name,
				    .disk = b.disk,
				    .start = b.plan->partitions[0].start_sector * SECTOR,
				    .length = b.plan->partitions[0].sectors * SECTOR,
				    .table = !rows[i].wiped};

		if (rows[i].wiped)
			bench_wipe_table(&b, true);
		run(&s);
		free(b.spec);
		free(b.plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_vmfs3),
		cmocka_unit_test(real_vmfs5),
		cmocka_unit_test(real_vmfs6),
		cmocka_unit_test(lab_volumes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
