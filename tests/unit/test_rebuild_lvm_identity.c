/* SPDX-License-Identifier: Apache-2.0 */
/* Which volume it is: each part of the UUID is decided from the copies that are whole in it, and nothing right gives way. */
#include "header_bench.h"
#include "rebuild/header/volume_identity.h"

static const char good_text[] = "6113001e-95afd8fb-d830-000c29801686";
enum { OPEN = VK_PART_OPEN, LIKELY = VK_PART_LIKELY, PROVED = VK_PART_PROVED };

/* What each copy says; "" is no copy, for a name any text. Expected: the proof of each part, and the UUID. */
struct row {
	const char *name, *uuid, *info;
	int proof[VK_UUID_PARTS];
	const char *is;
};
static const struct row rows[] = {
	{good_text, good_text, good_text, {PROVED, PROVED, PROVED, PROVED}, good_text},
	/* one bit wrong in uuid, another part of name wrong: two of three for each part */
	{"6113001e-95afd8fb-d832-000c29801686", "6113001e-95afd8f3-d830-000c29801686", good_text,
	 {PROVED, PROVED, LIKELY, PROVED}, good_text},
	{"6113001e-95afdxfb-d830-000c29801686", "6113001e-95afd8fb-d830-000c29801687", good_text,
	 {PROVED, PROVED, PROVED, PROVED}, good_text},
	/* the same part wrong in two: nobody knows */
	{"6113001e-95afd8ff-d830-000c29801686", "6113001e-95afd8f3-d830-000c29801686", "",
	 {PROVED, OPEN, PROVED, PROVED}, "6113001e-95afd8f3-d830-000c29801686"},
	{"6113001e-95afd8ff-d830-000c29801686", "6113001e-95afd8f3-d830-000c29801686", "6113001e-95afd8f1-d830-000c29801686",
	 {PROVED, OPEN, PROVED, PROVED}, "6113001e-95afd8f3-d830-000c29801686"},
	/* zeros and ones are no vote */
	{"6113001e-95afd8fb-d830-000c29801686", "6113001e-00000000-d830-000c29801686", "6113001e-00000000-d830-000c29801686",
	 {PROVED, LIKELY, PROVED, PROVED}, good_text},
	{"", "6113001e-ffffffff-d830-000c29801686", "6113001e-95afd8fb-d830-000c29801686",
	 {PROVED, LIKELY, PROVED, PROVED}, good_text},
	/* time and host have witnesses, and only they; but a volume may be a second older than what lies in it */
	{"", "6113001f-95afd8fb-d830-000c29801686", "6113001e-95afd8fb-d830-000c29801686", {LIKELY, PROVED, PROVED, PROVED}, good_text},
	{"6113001c-95afd8fb-d830-000c29801686", "6113001e-95afd8fb-d830-000c29801686", "6113001c-95afd8fb-d830-000c29801686",
	 {PROVED, PROVED, PROVED, PROVED}, "6113001c-95afd8fb-d830-000c29801686"},
	{"", "6113001e-95afd8fb-d830-000c29801687", "6113001e-95afd8fb-d830-000c29801686", {PROVED, PROVED, PROVED, PROVED}, good_text},
	{"", "", "", {OPEN, OPEN, OPEN, OPEN}, "00000000-00000000-0000-000000000000"},
	/* a name that somebody chose has no vote */
	{"archive", good_text, good_text, {PROVED, PROVED, PROVED, PROVED}, good_text},
	{"11111111-22222222-3333-000c29801686", good_text, good_text, {PROVED, PROVED, PROVED, PROVED}, good_text},
	/* the part of the name that can be read says otherwise */
	{"6113001e-95afd8fb-7k30-000c29801686", "6113001e-95afd8fb-f830-000c29801686", "6113001e-95afd8fb-f830-000c29801686",
	 {PROVED, PROVED, LIKELY, PROVED}, "6113001e-95afd8fb-f830-000c29801686"},
};

static void decide(const struct row *r, struct vk_volume_identity *ret_identity)
{
	static struct vk_vmfs_uuid uuid, info, host;
	static uint8_t name[64];
	struct vk_identity_sources s = {.seconds = {0x6113001e, 0x6113001e}, .hosts = {&host, &host}, .second_count = 2,
					.host_count = 2, .fs_seconds = 1, .fs_hosts = 1};

	assert_true(vk_vmfs_uuid_parse("00000001-00000001-0001-000c29801686", &host));
	memset(name, 0, sizeof(name));
	snprintf((char *)name, sizeof(name), "%s", r->name);
	s.name = r->name[0] != '\0' ? name : NULL;
	s.uuid = vk_vmfs_uuid_parse(r->uuid, &uuid) ? &uuid : NULL;
	s.info = vk_vmfs_uuid_parse(r->info, &info) ? &info : NULL;
	vk_volume_identity_decide(&s, ret_identity);
}

static void parts_are_decided(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vk_volume_identity id;
		char text[VK_VMFS_UUID_TEXT_BYTES];

		decide(&rows[i], &id);
		vk_vmfs_uuid_format(&id.uuid, text);
		for (size_t k = 0; k < VK_UUID_PARTS; k++)
			if ((int)id.proof[k] != rows[i].proof[k])
				fail_msg("row %zu: part %zu has proof %d", i, k, (int)id.proof[k]);
		if (strcmp(text, rows[i].is) != 0)
			fail_msg("row %zu: %s", i, text);
		assert_false(id.info_foreign);
	}
}

/* What is only likely is not put where nothing doubts; what is proved is, and the weakest proof is told. */
static void only_what_is_proved_is_put(void **state)
{
	struct vk_volume_identity id;
	struct vk_vmfs_uuid uuid;

	(void)state;
	decide(&rows[6], &id);
	assert_true(vk_vmfs_uuid_parse("6113001e-11111111-d831-000c29801686", &uuid));
	assert_int_equal(vk_volume_identity_put(&id, VK_PART_PROVED, &uuid), VK_PART_PROVED);
	assert_int_equal(uuid.b[8], 0x30);
	assert_int_equal(uuid.b[4], 0x11);
	assert_int_equal(vk_volume_identity_put(&id, VK_PART_LIKELY, &uuid), VK_PART_LIKELY);
	assert_int_equal(uuid.b[4], 0xFB);
}

static struct vk_io *open_kind(int kind)
{
	static const char *const specs[] = {"version=3", "version=5", "version=6"};

	return kind == 3 ? header_bench_real() : header_bench_lab(specs[kind], 5 * GIB + 100 * 512, 1, 0);
}

/*
 * One bit wrong in a part of uuid and one in another part of name: the sound volInfo stays, and what is changed is what
 * stood there.
 */
static void two_bits_in_two_copies(void **state)
{
	static const struct {
		unsigned in_uuid, in_name;
	} places[] = {{8, 27}, {0, 12}, {4, 1}, {12, 20}, {8, 5}, {5, 30}};

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		struct vk_io *io = open_kind(kind);
		uint64_t volume = kind == 2 ? 0x101000 : 0x100200;
		struct header_bench b;

		if (io == NULL)
			continue;
		header_bench_open(&b, io);
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			uint8_t byte;

			header_bench_reset(&b);
			header_bench_get(io, volume + 0x54 + places[i].in_uuid, &byte, 1);
			byte ^= 8;
			header_bench_hurt(&b, volume + 0x54 + places[i].in_uuid, &byte, 1);
			header_bench_get(io, volume + 0x14 + places[i].in_name, &byte, 1);
			byte ^= 2;
			header_bench_hurt(&b, volume + 0x14 + places[i].in_name, &byte, 1);
			header_bench_must_plan(&b, NULL);
			assert_true(header_bench_same(&b, volume + 0x54, 16));
			assert_true(header_bench_same(&b, 0x1300000, 512));
			assert_false(b.header.guessed);
			assert_true(header_bench_same(&b, volume + 0x14, 64) || b.header.lost_count > 0);
		}
		header_bench_close(&b);
	}
}

/* A name that somebody chose, whole or not, is not replaced by the UUID. */
static void chosen_names_stay(void **state)
{
	static const char *const names[] = {"archive", "mirror of site B", "ab\xff" "cd", "0123"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct vk_io *io = open_kind(1);
		uint8_t name[64] = {0};
		struct header_bench b;

		header_bench_open(&b, io);
		snprintf((char *)name, sizeof(name), "%s", names[i]);
		header_bench_hurt(&b, 0x100214, name, sizeof(name));
		header_bench_must_plan(&b, NULL);
		assert_true(b.header.nothing_to_do);
		header_bench_close(&b);
	}
}

/* A name that is plainly damaged is mended from uuid and volInfo, which agree: a guess, for one damage may have hit both alike. */
static void damaged_names_are_mended(void **state)
{
	const struct vk_rebuilt_field *f;
	struct header_bench b;
	uint8_t digit;

	(void)state;
	header_bench_open(&b, open_kind(1));
	header_bench_get(b.sound, 0x100214 + 11, &digit, 1);
	header_bench_hurt(&b, 0x100214 + 10, "13cd73-b", 8);
	header_bench_must_plan(&b, NULL);
	f = header_bench_field(&b, &vk_lvm_volume_layout, "name");
	assert_non_null(f);
	assert_int_equal(f->origin, VK_FIELD_USUAL);
	assert_true(header_bench_lvm_same(&b));
	assert_false(header_bench_says(b.header.lost, b.header.lost_count, "different volumes"));
	/* one digit reads as another one: it stays, and nobody says that nothing contradicts it */
	header_bench_reset(&b);
	digit = digit == '7' ? '8' : '7';
	header_bench_hurt(&b, 0x100214 + 11, &digit, 1);
	header_bench_must_plan(&b, NULL);
	assert_true(b.header.nothing_to_do);
	assert_int_equal(b.header.verdicts[VK_HS_VOLUME].state, VK_STRUCTURE_LOST);
	assert_true(header_bench_says(b.header.lost, b.header.lost_count, "uuid and volInfo of the file-system descriptor, which agree"));
	header_bench_close(&b);
}

/* The descriptor of another volume, or a volume descriptor of another one: neither side is bent. */
static void strangers_are_left(void **state)
{
	static const struct {
		uint64_t at;
		size_t len;
	} moved[] = {{0x1300000, 512}, {0x100200, 512}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vk_io *io = open_kind(1), *other = open_kind(3);
		uint8_t sector[512];
		struct header_bench b;

		if (other == NULL)
			skip();
		header_bench_open(&b, io);
		header_bench_get(other, moved[i].at, sector, sizeof(sector));
		header_bench_hurt(&b, moved[i].at, sector, sizeof(sector));
		header_bench_must_plan(&b, NULL);
		assert_null(header_bench_field(&b, &vk_lvm_volume_layout, "uuid"));
		assert_null(header_bench_field(&b, &vk_lvm_volume_layout, "name"));
		assert_null(header_bench_field(&b, &vk_fs_descriptor_layout, "volInfo"));
		assert_true(header_bench_says(b.header.lost, b.header.lost_count, "are of different volumes"));
		assert_null(strstr(b.header.verdicts[VK_HS_FS_DESCRIPTOR].why, "everything in it"));
		assert_int_not_equal(b.header.verdicts[VK_HS_VOLUME].state, VK_STRUCTURE_CONSISTENT);
		header_bench_close(&b);
		vk_io_close(other);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_decided),
		cmocka_unit_test(only_what_is_proved_is_put),
		cmocka_unit_test(two_bits_in_two_copies),
		cmocka_unit_test(chosen_names_stay),
		cmocka_unit_test(damaged_names_are_mended),
		cmocka_unit_test(strangers_are_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
