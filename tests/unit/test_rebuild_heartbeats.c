/* SPDX-License-Identifier: Apache-2.0 */
/* Heartbeat slots that are zero or damaged become free, each with its own address; one in use is never touched. */
#include "header_bench.h"
#include "real_volumes.h"

static const uint64_t five_gib = 5 * GIB + 100 * 512;
enum { REGION = 0x1100000 + 0x300000 };

static struct header_bench b;
static uint32_t slot_bytes, slots;

static void open_lab(const char *spec, bool six)
{
	header_bench_open(&b, header_bench_lab(spec, five_gib, 1, 0));
	slot_bytes = six ? 4096 : 512;
	slots = six ? 1024 : 2048;
}

static struct vk_heartbeat get_slot(struct vk_io *io, uint32_t slot)
{
	struct vk_heartbeat hb;
	uint8_t raw[512];

	header_bench_get(io, REGION + (uint64_t)slot * slot_bytes, raw, sizeof(raw));
	vk_heartbeat_decode(raw, sizeof(raw), &hb);
	return hb;
}

static void put_slot(uint32_t slot, const struct vk_heartbeat *hb)
{
	uint8_t raw[512] = {0};

	vk_heartbeat_encode(hb, raw, sizeof(raw));
	header_bench_hurt(&b, REGION + (uint64_t)slot * slot_bytes, raw, sizeof(raw));
}

static uint32_t slot_with(uint32_t state, bool history)
{
	for (uint32_t i = 0; i < slots; i++) {
		struct vk_heartbeat hb = get_slot(b.sound, i);

		if (hb.state == state && vk_heartbeat_has_history(&hb) == history)
			return i;
	}
	fail();
	return 0;
}

static const struct vk_header_verdict *verdict(void)
{
	return &b.header.verdicts[VK_HS_HEARTBEATS];
}

static void assert_free(uint32_t slot)
{
	struct vk_heartbeat hb = get_slot(vk_overlay_io(b.plan), slot);

	assert_int_equal(hb.state, VK_HB_FREE);
	assert_int_equal(hb.addr, 0x300000 + (uint64_t)slot * slot_bytes);
	assert_true(vk_vmfs_uuid_is_nil(&hb.owner));
	assert_int_equal(hb.journalAddr, 0);
	assert_int_equal(hb.journalVolAddr, 0);
}

static void plan_with(unsigned structures)
{
	const struct vk_rebuild_header_options options = {.structures = structures};

	assert_int_equal(header_bench_plan(&b, &options), VK_OK);
}

static void every_version(const char *spec, bool six)
{
	uint32_t used;

	open_lab(spec, six);
	used = slot_with(VK_HB_IN_USE, false);
	plan_with(0);
	assert_int_equal(verdict()->state, VK_STRUCTURE_CONSISTENT);
	/* three zero ones in a row and a lone one of noise: two records */
	header_bench_zero(&b, REGION + 100ULL * slot_bytes, 3 * (size_t)slot_bytes);
	header_bench_hurt(&b, REGION + 200ULL * slot_bytes, "noise of another system", 23);
	assert_true(used < 100 || (used > 102 && used != 200));
	plan_with(0);
	assert_int_equal(verdict()->state, VK_STRUCTURE_MENDED);
	assert_int_equal(b.header.field_count, 2);
	assert_string_equal(b.header.fields[0].from,
			    "slots 100 to 102, each: free, with its own address; hbGen, if there was one, begins anew");
	assert_string_equal(b.header.fields[1].from,
			    "slot 200: free, with its own address; hbGen, if there was one, begins anew");
	assert_int_equal(b.header.fields[1].origin, VK_FIELD_FRESH);
	assert_true(b.header.guessed);
	assert_int_equal(b.header.fields[1].structure_bytes, REGION + 200ULL * slot_bytes);
	assert_true(header_bench_same(&b, REGION, (size_t)slots * slot_bytes));
	assert_int_equal(vk_overlay_dirty_bytes(b.plan), six ? 4 * 512 : 4 * 512);
	header_bench_close(&b);
}

static void zero_and_noise(void **state)
{
	(void)state;
	every_version("version=3,live=2", false);
	every_version("version=5,live=2", false);
	every_version("version=6,live=2", true);
}

static void in_use_is_never_touched(void **state)
{
	struct vk_heartbeat hb;
	uint32_t used;

	(void)state;
	open_lab("version=5,live=3", false);
	used = slot_with(VK_HB_IN_USE, false);
	/* in use and lying about its place: told, not touched, also when asked for */
	hb = get_slot(b.sound, used);
	hb.addr += 512;
	put_slot(used, &hb);
	header_bench_zero(&b, REGION + 7 * 512, 512);
	assert_true(used != 7);
	for (unsigned round = 0; round < 2; round++) {
		plan_with(round << VK_HS_HEARTBEATS);
		assert_int_equal(b.header.field_count, 1);
		assert_free(7);
		hb = get_slot(vk_overlay_io(b.plan), used);
		assert_int_equal(hb.state, VK_HB_IN_USE);
		assert_int_not_equal(hb.addr, 0x300000 + (uint64_t)used * 512);
		assert_true(header_bench_says(b.header.notes, b.header.note_count, "1 heartbeat slot is marked as in use without"));
	}
	header_bench_close(&b);
}

static void an_owner_without_a_state(void **state)
{
	struct vk_heartbeat hb;
	uint32_t used;

	(void)state;
	open_lab("version=5,live=1", false);
	used = slot_with(VK_HB_IN_USE, false);
	hb = get_slot(b.sound, used);
	hb.state ^= 0x10;
	put_slot(used, &hb);
	plan_with(0);
	assert_true(b.header.nothing_to_do);
	assert_int_equal(verdict()->state, VK_STRUCTURE_CONSISTENT);
	assert_true(header_bench_says(b.header.notes, b.header.note_count, "1 heartbeat slot shows an owner while the state is damaged"));
	plan_with(1U << VK_HS_HEARTBEATS);
	assert_free(used);
	/* that it was free is no more than a wish; its last user's traces stay, and what goes is told */
	assert_int_equal(b.header.fields[0].origin, VK_FIELD_FRESH);
	assert_true(b.header.guessed);
	assert_true(header_bench_says(b.header.lost, b.header.lost_count, "names the owner"));
	assert_int_equal(get_slot(vk_overlay_io(b.plan), used).hbGen, hb.hbGen);
	assert_int_equal(get_slot(vk_overlay_io(b.plan), used).stamp, hb.stamp);
	assert_memory_equal(get_slot(vk_overlay_io(b.plan), used).ip, hb.ip, sizeof(hb.ip));
	header_bench_close(&b);
}

static void astray(void **state)
{
	struct vk_heartbeat hb;
	uint32_t old;

	(void)state;
	open_lab("version=5", false);
	/* a free slot of another place, as a wrong order of disks brings it here */
	hb = get_slot(b.sound, 50);
	put_slot(60, &hb);
	/* history stays where the slot is sound, and its generation where only the state is damaged */
	old = slot_with(VK_HB_FREE, true);
	hb = get_slot(b.sound, old);
	hb.state = 0;
	put_slot(old, &hb);
	assert_true(old != 50 && old != 60);
	plan_with(0);
	assert_true(header_bench_same(&b, REGION, (size_t)slots * slot_bytes));
	/* the place of a slot is certain, a state of which nothing is left is not */
	assert_int_equal(b.header.field_count, 2);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(b.header.fields[i].origin,
				 b.header.fields[i].structure_bytes == REGION + 60 * 512 ? VK_FIELD_COMPUTED : VK_FIELD_FRESH);
	header_bench_close(&b);
}

static void all_of_them(void **state)
{
	(void)state;
	for (unsigned six = 0; six < 2; six++) {
		open_lab(six ? "version=6,live=1" : "version=3,live=1", six);
		header_bench_zero(&b, REGION, (size_t)slots * slot_bytes);
		plan_with(0);
		assert_int_equal(verdict()->state, VK_STRUCTURE_REBUILT);
		assert_int_equal(b.header.field_count, 1);
		for (uint32_t i = 0; i < slots; i++)
			assert_free(i);
		/* with the descriptor too: the size of a slot is told by the files */
		header_bench_zero(&b, REGION - 0x100000, 512);
		plan_with(0);
		assert_int_equal(verdict()->state, VK_STRUCTURE_REBUILT);
		assert_free(slots - 1);
		plan_with(1U << VK_HS_HEARTBEATS);
		assert_int_equal(b.header.verdicts[VK_HS_FS_DESCRIPTOR].state, VK_STRUCTURE_NONE);
		assert_free(slots - 1);
		header_bench_close(&b);
	}
}

/* What is mostly something else is not overwritten, whoever says that heartbeats lie there. */
static void not_a_heartbeat_region(void **state)
{
	struct vk_rebuild_header_options six = {.fs_major = 24};
	uint8_t *noise = malloc(1200 * 512);

	(void)state;
	assert_non_null(noise);
	for (size_t i = 0; i < 1200 * 512; i++)
		noise[i] = (uint8_t)(i * 2654435761U >> 13);
	open_lab("version=5,live=1", false);
	header_bench_hurt(&b, REGION + 600 * 512, noise, 1200 * 512);
	for (unsigned round = 0; round < 2; round++) {
		plan_with(round << VK_HS_HEARTBEATS);
		assert_int_equal(verdict()->state, VK_STRUCTURE_LOST);
		assert_true(header_bench_says(b.header.lost, b.header.lost_count, "does not look like one"));
		assert_true(b.header.nothing_to_do);
	}
	/* half of it is mended */
	header_bench_reset(&b);
	header_bench_hurt(&b, REGION + 600 * 512, noise, 900 * 512);
	plan_with(0);
	assert_int_equal(verdict()->state, VK_STRUCTURE_MENDED);
	/* a version that is not this one's does not lead into the system files behind */
	header_bench_reset(&b);
	header_bench_zero(&b, REGION - 0x100000, 512);
	for (unsigned lvm = 0; lvm < 2; lvm++) {
		if (lvm == 1)
			header_bench_zero(&b, 0x100000, 0x80000);
		assert_int_equal(header_bench_plan(&b, &six), VK_OK);
		assert_true(header_bench_says(b.header.notes, b.header.note_count, "(24) is not used"));
		assert_true(header_bench_same(&b, REGION, 0x400000));
	}
	header_bench_close(&b);
	/* a descriptor that says so neither */
	open_lab("version=6", true);
	header_bench_hurt(&b, REGION - 0x100000 + 4, "\x0e", 1);
	plan_with(1U << VK_HS_HEARTBEATS);
	assert_true(header_bench_same(&b, REGION, 0x400000));
	header_bench_close(&b);
	free(noise);
}

static void not_asked_for(void **state)
{
	(void)state;
	open_lab("version=5", false);
	header_bench_zero(&b, REGION, 512);
	plan_with(1U << VK_HS_FS_DESCRIPTOR);
	assert_int_equal(verdict()->state, VK_STRUCTURE_NONE);
	assert_true(b.header.nothing_to_do);
	header_bench_close(&b);
	/* a member that is not the head has none */
	header_bench_open(&b, header_bench_lab("version=5", five_gib, 2, 1));
	plan_with(1U << VK_HS_HEARTBEATS);
	assert_int_equal(verdict()->state, VK_STRUCTURE_NONE);
	header_bench_close(&b);
}

static void the_real_region(void **state)
{
	struct vk_io *io = header_bench_real();

	(void)state;
	if (io == NULL)
		skip();
	header_bench_open(&b, io);
	slot_bytes = 512;
	header_bench_zero(&b, REGION, 1 << 20);
	plan_with(0);
	/* all as it was but for what slot 1795 kept of its last host */
	assert_true(header_bench_same(&b, REGION, 1795 * 512));
	assert_true(header_bench_same(&b, REGION + 1796 * 512, (2048 - 1796) * 512));
	assert_free(1795);
	header_bench_close(&b);
}

/* A slot that a host has used, on each real volume: what is wrong is mended, all else stays. */
static void last_users_stay(void **state)
{
	static const uint32_t used[REAL_VOLUMES] = {1795, 984, 120};
	size_t volume = (size_t)(uintptr_t)*state;
	struct vk_io *io = real_volume_open(&real_volumes[volume]);
	bool in_use = volume == 1;
	uint64_t at;

	if (io == NULL)
		skip();
	header_bench_open(&b, io);
	b.length_bytes = real_volumes[volume].partition_bytes;
	slot_bytes = volume == 2 ? 4096 : 512;
	at = REGION + (uint64_t)used[volume] * slot_bytes;
	for (unsigned bit = 0; bit < 96; bit++) {
		uint8_t byte;
		bool left;

		header_bench_get(b.sound, at + bit / 8, &byte, 1);
		byte ^= (uint8_t)(1U << bit % 8);
		header_bench_hurt(&b, at + bit / 8, &byte, 1);
		header_bench_must_plan(&b, NULL);
		left = b.header.nothing_to_do;
		/* in use: never touched. Free: mended exactly, but for two bits of the state that make it as near to "in use" */
		if (in_use ? !left : !header_bench_same(&b, at, 512))
			fail_msg("%s, bit %u: slot %u", real_volumes[volume].name, bit, used[volume]);
		if (!in_use)
			assert_int_equal(b.header.guessed, bit < 2);
		header_bench_reset(&b);
	}
	/* its first bytes are gone: an owner is not wiped, and without one nothing but state and place is put */
	header_bench_zero(&b, at, 12);
	header_bench_must_plan(&b, NULL);
	assert_int_equal(b.header.nothing_to_do, in_use);
	if (!in_use)
		assert_true(header_bench_same(&b, at, 512));
	assert_int_equal(b.header.guessed, !in_use);
	header_bench_close(&b);
}

/* A volume that does not begin where it seems to: its slots are not bent to fit. */
static void the_whole_region_astray(void **state)
{
	uint8_t *region = malloc(2048 * 512);

	(void)state;
	assert_non_null(region);
	open_lab("version=5,live=1", false);
	header_bench_get(b.sound, REGION, region, 2048 * 512);
	header_bench_hurt(&b, REGION + 512, region, 2047 * 512);
	plan_with(1U << VK_HS_HEARTBEATS);
	assert_int_equal(verdict()->state, VK_STRUCTURE_LOST);
	assert_true(b.header.nothing_to_do);
	free(region);
	header_bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_and_noise),
		cmocka_unit_test(in_use_is_never_touched),
		cmocka_unit_test(an_owner_without_a_state),
		cmocka_unit_test(astray),
		cmocka_unit_test(all_of_them),
		cmocka_unit_test(not_a_heartbeat_region),
		cmocka_unit_test(not_asked_for),
		cmocka_unit_test(the_real_region),
		cmocka_unit_test(the_whole_region_astray),
		{.name = "last_users_stay: VMFS3", .test_func = last_users_stay, .initial_state = (void *)0},
		{.name = "last_users_stay: VMFS5", .test_func = last_users_stay, .initial_state = (void *)1},
		{.name = "last_users_stay: VMFS6", .test_func = last_users_stay, .initial_state = (void *)2},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
