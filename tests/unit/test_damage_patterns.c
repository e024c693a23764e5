/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thousand disks damaged at random, over the table and the first 32 MiB: nothing crashes or hangs, no planned table
 * overlaps or exceeds the disk, nothing is called intact whose bytes are not what they were, nor wrong what is as it was.
 * The same verdicts of the doctor on the three real volumes, where they are at hand.
 */
#include "diff_bench.h"
#include "disk_support.h"
#include "real_disk.h"

#include <fcntl.h>
#include <time.h>

#include "test_store.h"
#include "vmfskit/capture.h"
#include "vmfskit/doctor.h"
#include "rebuild_of.h"
#include "vmfskit/rebuild_table.h"

enum { PATTERNS = 1000 / CASES_SHARE, PATTERNS_REAL = 600 / CASES_SHARE };
enum { DISKS = 4, HURTS_MAX = 6, HURT_MAX_BYTES = 256 << 10, REACH_BYTES = 32 << 20, BLOCK = 4096 };

/* One disk as it was, and the one that is damaged. */
struct patient {
	const char *words;
	enum vk_table_kind table;
	uint32_t sector_size;
	struct bench sound;
	int fd;
	uint64_t size;
	char path[64];
};
static struct patient patients[DISKS] = {
	{.words = "version=5,size=300M,start=2048", .table = VK_TABLE_GPT, .sector_size = 512},
	{.words = "version=3,size=300M,start=128", .table = VK_TABLE_MBR, .sector_size = 512},
	{.words = "version=6,size=300M,start=2048", .table = VK_TABLE_GPT, .sector_size = 512},
	{.words = "version=6,size=300M", .table = VK_TABLE_GPT, .sector_size = 4096},
};
static struct patient real_patients[REAL_VOLUMES];
static char store_path[64];

/* What was done, so that it can be taken back. */
struct hurt {
	uint64_t offset;
	uint64_t length;
};
struct pattern {
	unsigned number;
	uint64_t state;
	struct hurt hurts[HURTS_MAX];
	size_t count;
};

static uint64_t draw(struct pattern *p, uint64_t below)
{
	p->state ^= p->state << 13;
	p->state ^= p->state >> 7;
	p->state ^= p->state << 17;
	return p->state % below;
}

static void copy_blocks(struct patient *a, uint64_t from, uint64_t to)
{
	uint8_t block[BLOCK];

	for (uint64_t at = from - from % BLOCK; at < to; at += BLOCK) {
		size_t len = at + BLOCK > a->size ? (size_t)(a->size - at) : BLOCK;

		assert_int_equal(pread(a->sound.disk.fd, block, len, (off_t)at), (ssize_t)len);
		if (len == BLOCK && vk_all_zero(block, len))
			assert_int_equal(fallocate(a->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, BLOCK), 0);
		else
			assert_int_equal(pwrite(a->fd, block, len, (off_t)at), (ssize_t)len);
	}
}

static void admit(struct patient *a)
{
	off_t data = 0, hole;

	a->size = a->sound.disk.size_bytes;
	a->fd = memfd_create("patient", MFD_CLOEXEC);
	assert_true(a->fd >= 0);
	assert_int_equal(ftruncate(a->fd, (off_t)a->size), 0);
	while ((data = lseek(a->sound.disk.fd, data, SEEK_DATA)) >= 0) {
		hole = lseek(a->sound.disk.fd, data, SEEK_HOLE);
		copy_blocks(a, (uint64_t)data, (uint64_t)hole);
		data = hole;
	}
	snprintf(a->path, sizeof(a->path), "/proc/self/fd/%d", a->fd);
}

/* A whole disk, of the oldest volume its partition. False when it is not at hand. */
static bool admit_real(const struct real_volume *v, struct patient *a)
{
	const struct vk_source_options options = {.sector_size = 512};
	uint64_t size = v->disk_start + v->bytes;
	struct vk_error err;
	char path[64];
	int fd = real_volume_unpack(v, v->disk_start, size);

	if (fd < 0)
		return false;
	if (v->disk_start > 0)
		write_primary(fd, size);
	*a = (struct patient){.words = v->name, .sector_size = 512};
	a->sound = (struct bench){.sector_size = 512, .start = v->disk_start};
	a->sound.disk.fd = fd;
	a->sound.disk.size_bytes = size;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(vk_io_open_raw(path, &(struct vk_open_options){512}, &a->sound.base, &err), &err);
	must(vk_source_open(path, &options, &a->sound.source, &err), &err);
	admit(a);
	return true;
}

/* Where: mostly where something stands. */
static uint64_t choose_place(struct patient *a, struct pattern *p)
{
	uint64_t start = a->sound.start;

	switch (draw(p, 6)) {
	case 0:
		return draw(p, 40 * 512);
	case 1:
		return a->size - 1 - draw(p, 40 * 512);
	case 2:
		return start + VK_LVM_HEADER_OFFSET + draw(p, 4096);
	case 3:
		return start + VK_LVM_DATA_OFFSET + VK_FS_OFFSET + draw(p, 1024);
	case 4:
		return start + VK_LVM_DATA_OFFSET + 0x300000 + draw(p, 1 << 20);
	default:
		return draw(p, REACH_BYTES);
	}
}

static void do_hurt(struct patient *a, struct pattern *p)
{
	static const uint64_t lengths[] = {1, 4, 16, 512, 4096, 16384, 65536, HURT_MAX_BYTES};
	static uint8_t bytes[HURT_MAX_BYTES];
	uint64_t at = choose_place(a, p), length = 1 + draw(p, lengths[draw(p, 8)]), how = draw(p, 6);
	uint64_t from = draw(p, REACH_BYTES);

	if (draw(p, 2) == 0)
		at -= at % 512;
	if (length > a->size - at)
		length = a->size - at;
	assert_int_equal(pread(a->fd, bytes, (size_t)length, (off_t)at), (ssize_t)length);
	if (how == 0)
		memset(bytes, 0, (size_t)length);
	else if (how == 1)
		memset(bytes, 0xff, (size_t)length);
	else if (how == 2)
		bytes[draw(p, length)] ^= (uint8_t)(1U << draw(p, 8));
	else if (how == 3)
		assert_int_equal(pread(a->fd, bytes, (size_t)length, (off_t)(from - from % 512)), (ssize_t)length);
	else
		for (uint64_t i = 0; i < length; i++)
			bytes[i] = (uint8_t)draw(p, 256);
	assert_int_equal(pwrite(a->fd, bytes, (size_t)length, (off_t)at), (ssize_t)length);
	p->hurts[p->count++] = (struct hurt){at, length};
}

static bool same(struct patient *a, uint64_t at, uint64_t length)
{
	uint8_t x[BLOCK], y[BLOCK];

	while (length > 0) {
		size_t n = length < BLOCK ? (size_t)length : BLOCK;

		assert_int_equal(pread(a->sound.disk.fd, x, n, (off_t)at), (ssize_t)n);
		assert_int_equal(pread(a->fd, y, n, (off_t)at), (ssize_t)n);
		if (memcmp(x, y, n) != 0)
			return false;
		at += n;
		length -= n;
	}
	return true;
}

static bool is_hurt(const struct pattern *p, uint64_t at, uint64_t length)
{
	for (size_t i = 0; i < p->count; i++)
		if (at < p->hurts[i].offset + p->hurts[i].length && p->hurts[i].offset < at + length)
			return true;
	return false;
}

/* What is called wrong is: each unit of it. */
static void check_blame(struct patient *a, const struct pattern *p, const struct vk_damage_range *r)
{
	if (r->damage != VK_DAMAGE_DAMAGED && r->damage != VK_DAMAGE_ZERO && r->damage != VK_DAMAGE_FOREIGN)
		return;
	for (uint64_t at = r->offset_bytes; at < r->offset_bytes + r->length_bytes; at += 512)
		if (same(a, at, 512))
			fail_msg("pattern %u: %s at %llu is called %s and is what it was", p->number, r->what,
				 (unsigned long long)at, vk_damage_name(r->damage));
}

static void check_ranges(struct patient *a, const struct pattern *p, const struct vk_diagnosis *d)
{
	uint64_t end = 0;

	for (size_t i = 0; i < d->range_count; i++) {
		const struct vk_damage_range *r = &d->ranges[i];

		assert_true(r->length_bytes > 0 && r->offset_bytes >= end);
		end = r->offset_bytes + r->length_bytes;
		assert_true(end <= a->size);
		assert_printable(r->what, sizeof(r->what));
		/* bytes that nobody touched are what they were */
		if (r->damage == VK_DAMAGE_INTACT && is_hurt(p, r->offset_bytes, r->length_bytes) &&
		    !same(a, r->offset_bytes, r->length_bytes))
			fail_msg("pattern %u: %s is called intact and differs (%llu bytes at %llu)", p->number, r->what,
				 (unsigned long long)r->length_bytes, (unsigned long long)r->offset_bytes);
		check_blame(a, p, r);
	}
	assert_int_equal(d->damaged, d->last_damaged_bytes > 0);
	assert_true(d->last_damaged_bytes < a->size && d->first_damaged_bytes <= d->last_damaged_bytes);
	if (d->damaged && !d->bad)
		fail_msg("pattern %u: something is wrong and no incident says what", p->number);
	assert_true(d->headline[0] != '\0');
	assert_printable(d->headline, sizeof(d->headline));
	for (size_t i = 0; i < d->advice_count; i++)
		assert_false(d->advice[i].writes);
}

/* A disk of which a whole structure is provably wrong is never called well. */
static void diagnose(struct patient *a, const struct pattern *p)
{
	const struct vk_doctor_options options = {.store = p->number % 4 == 0 ? store_path : NULL,
						  .sector_size = a->sector_size,
						  .scan = p->number % 3 == 0,
						  .live_id = ""};
	struct vk_diagnosis d;
	struct vk_error err;
	enum vk_status status = vk_diagnose(NULL, a->path, &options, &d, &err);

	if (status != VK_OK)
		fail_msg("pattern %u: %s", p->number, err.what);
	check_ranges(a, p, &d);
	vk_diagnosis_free(&d);
}

static void check_table(const struct patient *a, const struct pattern *p, const struct vk_rebuild_table *t)
{
	uint64_t sectors = a->size / a->sector_size;

	assert_true(t->disk_sectors <= sectors);
	for (size_t i = 0; i < t->entry_count; i++) {
		const struct vk_partition *x = &t->entries[i].partition;

		if (x->sectors == 0 || x->start_sector >= sectors || x->sectors > sectors - x->start_sector)
			fail_msg("pattern %u: entry %u exceeds the disk", p->number, x->number);
		for (size_t k = 0; k < i; k++) {
			const struct vk_partition *y = &t->entries[k].partition;

			if (!vk_partition_is_extended(x) && !vk_partition_is_extended(y) &&
			    x->start_sector < y->start_sector + y->sectors && y->start_sector < x->start_sector + x->sectors)
				fail_msg("pattern %u: entries %u and %u overlap", p->number, y->number, x->number);
		}
	}
}

static void plan_headers(struct patient *a, const struct vk_find *found, struct vk_overlay *overlay)
{
	for (size_t i = 0; i < found->count && i < 2; i++) {
		const struct vk_candidate *c = &found->candidates[i];
		const struct vk_rebuild_header_options options = {.candidate = c};
		struct vk_rebuild_header header;
		struct vk_error err;

		if (vk_standing_is_ghost(c->standing) || c->start_before_disk)
			continue;
		if (rebuild_of(vk_overlay_io(overlay), c->start_bytes, c->length_bytes, a->sector_size, &options, overlay,
				      &header, &err) == VK_OK)
			vk_rebuild_header_free(&header);
	}
}

/* What find and both planners of repair make of it. */
static void plan(struct patient *a, const struct pattern *p)
{
	const struct vk_source_options as = {.as = VK_SOURCE_DISK, .sector_size = a->sector_size};
	const struct vk_find_options how = {.likely_only = p->number % 3 != 0};
	const struct vk_rebuild_table_options options = {.label = VK_TABLE_NONE};
	struct vk_source source;
	struct vk_find found;
	struct vk_overlay *overlay;
	struct vk_rebuild_table table;
	struct vk_error err;

	must(vk_source_open(a->path, &as, &source, &err), &err);
	must(vk_find(&source, &how, &found, &err), &err);
	overlay = vk_overlay_new(source.io);
	assert_non_null(overlay);
	if (vk_rebuild_table(&source, &found, &options, overlay, &table, &err) == VK_OK) {
		check_table(a, p, &table);
		vk_rebuild_table_free(&table);
	}
	plan_headers(a, &found, overlay);
	vk_overlay_free(overlay);
	vk_find_free(&found);
	vk_source_close(&source);
}

static void take_captures(const struct patient *list, size_t count)
{
	struct vk_store *store = test_store(store_path, VK_STORE_ADD);

	for (size_t i = 0; i < count; i++) {
		const struct vk_capture_options options = {.store = store, .sector_size = list[i].sector_size};
		struct vk_findings findings = {0};
		const struct vk_finding_sink sink = vk_findings_sink(&findings);
		char id[VK_CAPTURE_ID_BYTES];
		struct vk_error err;

		must(vk_capture_take(&list[i].sound.source, &options, &sink, id, &err), &err);
		vk_findings_free(&findings);
	}
	vk_store_close(store);
}

static void suffer(struct patient *list, size_t disks, unsigned count, bool planned)
{
	for (unsigned n = 0; n < count; n++) {
		struct patient *a = &list[n % disks];
		struct pattern p = {.number = n, .state = 0x9E3779B97F4A7C15ULL * (n + 1)};
		size_t hurts;

		for (int i = 0; i < 8; i++)
			draw(&p, 2);
		hurts = 1 + draw(&p, HURTS_MAX);
		while (p.count < hurts)
			do_hurt(a, &p);
		diagnose(a, &p);
		if (planned)
			plan(a, &p);
		for (size_t i = 0; i < p.count; i++)
			copy_blocks(a, p.hurts[i].offset, p.hurts[i].offset + p.hurts[i].length);
	}
}

static void patterns(void **state)
{
	(void)state;
	suffer(patients, DISKS, PATTERNS, true);
}

static void is_well(const struct patient *a, bool captured)
{
	const struct vk_doctor_options options = {.store = captured ? store_path : NULL, .sector_size = a->sector_size};
	struct vk_diagnosis d;
	struct vk_error err;

	must(vk_diagnose(NULL, a->path, &options, &d, &err), &err);
	if (d.bad)
		fail_msg("%s: %s", a->words, d.findings.items[0].message);
	assert_false(d.damaged);
	assert_string_equal(d.headline, "Nothing wrong was found");
	assert_int_equal(d.capture[0] != '\0', captured);
	for (size_t i = 0; i < d.advice_count; i++)
		assert_null(strstr(d.advice[i].command, "repair"));
	vk_diagnosis_free(&d);
}

/* The method itself: undamaged disks are well, and are so again behind a thousand patterns. */
static void well_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * DISKS; i++)
		is_well(&patients[i / 2], i % 2 != 0);
}

/* The real volumes, captured and not: well as they are, whatever is wrong is wrong, what is called intact is. */
static void real_volumes_too(void **state)
{
	(void)state;
	for (size_t i = 0; i < REAL_VOLUMES; i++)
		if (!admit_real(&real_volumes[i], &real_patients[i]))
			skip();
	take_captures(real_patients, REAL_VOLUMES);
	for (unsigned round = 0; round < 2; round++) {
		for (size_t i = 0; i < 2 * (size_t)REAL_VOLUMES; i++)
			is_well(&real_patients[i / 2], i % 2 != 0);
		if (round == 0)
			suffer(real_patients, REAL_VOLUMES, PATTERNS_REAL, false);
	}
	for (size_t i = 0; i < REAL_VOLUMES; i++) {
		bench_free(&real_patients[i].sound);
		close(real_patients[i].fd);
	}
}

static int setup(void **state)
{
	(void)state;
	strcpy(store_path, "/tmp/vmfskit-patterns.XXXXXX");
	assert_non_null(mkdtemp(store_path));
	for (size_t i = 0; i < DISKS; i++) {
		struct patient *a = &patients[i];

		a->sound = bench_make_of(3 + i, a->table, a->sector_size, 320 << 20, a->words);
		admit(a);
	}
	take_captures(patients, DISKS);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	for (size_t i = 0; i < DISKS; i++) {
		bench_free(&patients[i].sound);
		close(patients[i].fd);
	}
	snprintf(command, sizeof(command), "rm -rf %s", store_path);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_again),
		cmocka_unit_test(patterns),
		cmocka_unit_test(well_again),
		cmocka_unit_test(real_volumes_too),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
