/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever bytes a disk holds, a plan for it is made or refused with what is wrong: none ends as a fault of the program. Random MBRs with
 * a signature, GPTs whose checksums are right and whose entries lie anywhere, chains, real headers in between, odd lengths.
 *
 * ROUNDS: how many; ROUND: only this one.
 */
#include "table_bench.h"

#include <fcntl.h>

#include "base/bytes.h"
#include "vmfskit/repair.h"

enum { ROUNDS = 300, HEADS = 4 };

static uint64_t random_state;
static uint64_t rnd(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	assert_true(below > 0);
	return random_state % below;
}

/* The disk that is written to, and the first 24 MiB of some volumes. */
struct anything {
	char path[64];
	int fd;
	uint32_t ss;
	uint64_t sectors;
	struct table_bench heads[HEADS];
};

static void write_at(const struct anything *a, uint64_t at, const void *bytes, size_t len)
{
	uint64_t size = a->sectors * a->ss;

	if (at < size)
		assert_true(pwrite(a->fd, bytes, len < size - at ? len : (size_t)(size - at), (off_t)at) > 0);
}

/* Anywhere: at places that matter, a little beside them, beyond the end, or just a number. */
static uint64_t some_sector(const struct anything *a)
{
	const uint64_t places[] = {0, 1, 2, 34, 63, 128, 2048, a->sectors / 2, a->sectors - 34, a->sectors - 1, a->sectors,
				   UINT32_MAX, 1ULL << 33, UINT64_MAX};
	uint64_t at = places[rnd(sizeof(places) / sizeof(places[0]))];

	switch (rnd(4)) {
	case 0:
		return at + rnd(5) - 2;
	case 1:
		return rnd(a->sectors);
	case 2:
		return rnd(UINT32_MAX);
	default:
		return at;
	}
}

static void put_record(const struct anything *a, uint64_t lba, bool extended)
{
	static const uint8_t types[] = {0xFB, 0xFB, 0xEE, 0x07, 0x83, 0x05, 0x0F, 0xFC, 0x00};
	uint8_t sector[512] = {0};

	for (unsigned i = 0; i < 4; i++) {
		uint8_t *e = sector + VK_MBR_ENTRY_OFFSET + i * VK_MBR_ENTRY_BYTES;

		if (rnd(2) == 0)
			continue;
		e[0] = rnd(4) == 0 ? (uint8_t)rnd(256) : 0;
		e[4] = extended && i == 1 ? 0x05 : types[rnd(sizeof(types))];
		vk_put_le32(e + 8, (uint32_t)(rnd(3) == 0 ? rnd(3) : some_sector(a)));
		vk_put_le32(e + 12, (uint32_t)some_sector(a));
	}
	vk_put_le16(sector + 510, rnd(8) == 0 ? 0 : VK_MBR_SIGNATURE);
	write_at(a, lba * a->ss, sector, sizeof(sector));
	for (unsigned i = 0; i < 4 && rnd(2) == 0; i++) {
		uint64_t next = vk_get_le32(sector + VK_MBR_ENTRY_OFFSET + i * VK_MBR_ENTRY_BYTES + 8);

		if (vk_mbr_type_is_extended(sector[VK_MBR_ENTRY_OFFSET + i * VK_MBR_ENTRY_BYTES + 4]) && next < a->sectors && next > 0)
			put_record(a, next, true);
	}
}

/* Both copies, or one, with right checksums; each entry anywhere. */
static void put_gpt(const struct anything *a)
{
	static const char *const types[] = {VK_GPT_TYPE_VMFS, VK_GPT_TYPE_VMFSL, VK_GPT_TYPE_BASIC, VK_GPT_TYPE_VMKDIAG};
	struct vk_gpt_header h = {.signature = "EFI PART", .revision = 0x10000, .headerSize = VK_GPT_HEADER_BYTES,
				  .numEntries = 128, .entrySize = VK_GPT_ENTRY_BYTES};
	uint64_t array = 16384 / a->ss, last = a->sectors - 1;
	uint8_t *bytes = calloc(1, 16384), *sector = calloc(1, a->ss);
	bool other = rnd(3) == 0;

	assert_true(bytes != NULL && sector != NULL);
	if (rnd(8) == 0)
		last = some_sector(a) % a->sectors;
	for (unsigned n = 0; n < 128 && rnd(6) != 0; n += 1 + (unsigned)rnd(3)) {
		struct vk_gpt_entry e = {.firstLBA = some_sector(a), .lastLBA = some_sector(a), .attributes = rnd(4)};

		if (rnd(4) != 0 && e.firstLBA > e.lastLBA) {
			uint64_t swap = e.firstLBA;

			e.firstLBA = e.lastLBA;
			e.lastLBA = swap;
		}
		if (rnd(3) == 0)
			e.lastLBA = e.firstLBA + rnd(100000);
		assert_true(vk_guid_parse(types[rnd(4)], &e.typeGUID));
		for (size_t i = 0; i < 16 && rnd(8) != 0; i++)
			e.uniqueGUID.b[i] = (uint8_t)rnd(256);
		vk_gpt_entry_encode(&e, bytes + n * 128ULL, 128);
	}
	h.firstUsableLBA = rnd(4) == 0 ? some_sector(a) : 2 + array;
	h.lastUsableLBA = rnd(4) == 0 ? some_sector(a) : last - array - 1;
	h.diskGUID.b[0] = (uint8_t)rnd(256);
	for (int primary = 0; primary < 2; primary++) {
		if (rnd(5) == 0)
			continue;
		if (other && !primary)
			bytes[(rnd(40)) % 128 + 32] ^= (uint8_t)rnd(256);
		h.myLBA = primary ? 1 : last;
		h.alternateLBA = primary ? last : 1;
		h.entriesLBA = primary ? 2 : last - array;
		memset(sector, 0, a->ss);
		vk_gpt_header_encode(&h, sector, a->ss);
		assert_true(vk_gpt_seal(sector, a->ss, bytes));
		write_at(a, h.myLBA * a->ss, sector, a->ss);
		if (h.entriesLBA < a->sectors)
			write_at(a, h.entriesLBA * a->ss, bytes, 16384);
	}
	free(bytes);
	free(sector);
}

/* The head of a volume: all that is ever looked at of it. Sometimes only its headers. */
static void put_head(struct anything *a, uint64_t lba)
{
	struct table_bench *b = &a->heads[rnd(HEADS)];
	uint64_t from = b->plan->partitions[0].start_sector * b->spec->sector_size;
	uint64_t length = rnd(3) == 0 ? 0x110000 : 24 << 20;
	static uint8_t buf[1 << 16];

	for (uint64_t at = 0x100000; at < length; at += sizeof(buf)) {
		get(&b->disk, from + at, buf, sizeof(buf));
		if (!vk_all_zero(buf, sizeof(buf)))
			write_at(a, lba * a->ss + at, buf, sizeof(buf));
	}
}

static void fill(struct anything *a)
{
	a->ss = rnd(5) == 0 ? 4096 : 512;
	a->sectors = rnd(10) == 0 ? 1 + rnd(200) : 8192 + rnd(200000);
	if (a->ss == 4096)
		a->sectors = a->sectors / 8 + 1;
	assert_int_equal(ftruncate(a->fd, 0), 0);
	assert_int_equal(ftruncate(a->fd, (off_t)(a->sectors * a->ss + (rnd(6) == 0 ? rnd(a->ss) : 0))), 0);
	if (rnd(3) != 0)
		put_gpt(a);
	if (rnd(3) != 0)
		put_record(a, 0, false);
	for (uint64_t n = rnd(4); n > 0; n--)
		put_head(a, rnd(3) == 0 ? rnd(a->sectors) : rnd(2) == 0 ? 2048 : some_sector(a) % a->sectors);
	for (uint64_t n = rnd(4); n > 0; n--) {
		uint8_t noise[64];

		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)rnd(256);
		write_at(a, (some_sector(a) % a->sectors) * a->ss + rnd(a->ss), noise, 1 + rnd(sizeof(noise)));
	}
}

static void look(const struct anything *a, uint64_t round, bool header)
{
	uint64_t include = rnd(2) == 0 ? 2048 : some_sector(a);
	const struct vk_repair_options options = {
		.restore = {.store = "/nonexistent", .heartbeat_wait_ms = 1, .sector_size = a->ss},
		.scan = rnd(2) == 0 ? VK_REPAIR_SCAN_WHOLE : VK_REPAIR_SCAN_LIKELY,
		.table = {.label = (enum vk_table_kind)(rnd(6) < 4 ? 0 : rnd(3)),
			  .include_sectors = &include,
			  .include_count = rnd(4) == 0,
			  .exclude_sectors = &include,
			  .exclude_count = rnd(8) == 0},
		.has_start = header,
		.start_sector = rnd(3) == 0 ? some_sector(a) : rnd(a->sectors),
	};
	struct vk_repair *repair = NULL;
	struct vk_error err = {.what = ""};
	enum vk_status status = header ? vk_repair_plan_header(a->path, &options, &repair, &err)
				       : vk_repair_plan_table(a->path, &options, &repair, &err);

	if (status == VK_INTERNAL || (status == VK_IO && strstr(err.what, "cannot be read") != NULL))
		fail_msg("round %llu, %s: %s (%s)", (unsigned long long)round, header ? "header" : "table", err.what, err.where);
	if (status == VK_OK)
		vk_repair_free(repair);
	else
		assert_true(err.what[0] != '\0');
}

static void nothing_ends_as_a_fault(void **state)
{
	static const char *const heads[HEADS] = {"version=3,size=300M", "version=5,size=300M", "version=6,size=2G", "version=3,size=1G,live=2"};
	const char *only = getenv("ROUND"), *many = getenv("ROUNDS");
	uint64_t rounds = many != NULL ? strtoull(many, NULL, 10) : ROUNDS;
	struct anything a = {.path = "/tmp/vmfskit-anything.XXXXXX"};

	(void)state;
	a.fd = mkostemp(a.path, O_CLOEXEC);
	assert_true(a.fd >= 0);
	for (size_t i = 0; i < HEADS; i++)
		a.heads[i] = bench_disk(VK_TABLE_GPT, 0, heads[i], NULL);
	for (uint64_t round = 1; round <= rounds; round++) {
		if (only != NULL && strtoull(only, NULL, 10) != round)
			continue;
		random_state = round * 0x9E3779B97F4A7C15ULL;
		fill(&a);
		look(&a, round, false);
		look(&a, round, true);
	}
	for (size_t i = 0; i < HEADS; i++)
		bench_free(&a.heads[i]);
	close(a.fd);
	unlink(a.path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_ends_as_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
