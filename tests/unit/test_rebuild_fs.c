/* SPDX-License-Identifier: Apache-2.0 */
/* The file-system descriptor is damaged in every way and mended or made new; what is not exact is said. */
#include "fs_bench.h"

static void sound_one_stays(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct vk_io *io = open_kind(kind);
		struct header_bench b;

		if (io == NULL)
			continue;
		header_bench_open(&b, io);
		assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
		assert_int_equal(verdict(&b)->state, VK_STRUCTURE_CONSISTENT);
		assert_true(b.header.nothing_to_do);
		assert_int_equal(b.header.lost_count, 0);
		header_bench_close(&b);
	}
}

static void magic_alone(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct vk_io *io = open_kind(kind);
		struct header_bench b;

		if (io == NULL)
			continue;
		header_bench_open(&b, io);
		header_bench_zero(&b, FS, 4);
		header_bench_zero(&b, VK_LVM_HEADER_OFFSET, 4);
		assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
		assert_true(fs_same(&b));
		assert_true(header_bench_lvm_same(&b));
		assert_int_equal(verdict(&b)->state, VK_STRUCTURE_MENDED);
		assert_string_equal(verdict(&b)->why, "only its magic was gone");
		assert_int_equal(b.header.field_count, 2);
		/* nothing but the configuration says of a VMFS5 that it is no VMFS-L */
		assert_int_equal(b.header.guessed, kind == LAB5);
		header_bench_close(&b);
	}
}

/* Ways to damage a field. */
static void damage(uint8_t *bytes, size_t len, int way)
{
	for (size_t i = 0; i < len; i++) {
		if (way == 0)
			bytes[i] = (uint8_t)~bytes[i];
		else if (way == 1)
			bytes[i] = 0;
		else if (way == 2 && i == 0)
			bytes[i] ^= 1;
		else if (way == 3)
			bytes[i] = (uint8_t)(bytes[i] * 167U + 91U + (unsigned)i * 13U);
	}
}
enum { WAYS = 4 };

/* What decides how files are read: these must come back exactly, whatever was done to them. */
static bool decides(const char *name, int kind)
{
	static const char *const all[] = {"magic", "majorVersion", "fileBlockSize", "diskBlockSize", "snapID", "volInfo",
					  "volInfoSnapID", "volInfoRest", "fdcClusterGroupOffset",
					  "fdcClustersPerGroup", "subBlockSize"};
	static const char *const six[] = {"mdAlignment", "sfbToLfbShift"};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(name, all[i]) == 0)
			return true;
	for (size_t i = 0; kind >= 3 && i < 2; i++)
		if (strcmp(name, six[i]) == 0)
			return true;
	return false;
}

static void one_field(struct header_bench *b, int kind, const struct vk_field *f, int way)
{
	uint8_t bytes[512];
	const struct vk_rebuilt_field *told;

	header_bench_get(b->sound, FS + f->offset, bytes, f->size);
	damage(bytes, f->size, way);
	header_bench_hurt(b, FS + f->offset, bytes, f->size);
	if (header_bench_plan(b, NULL) != VK_OK)
		fail_msg("kind %d, %s damaged in way %d: %s", kind, f->name, way, b->err.what);
	told = header_bench_field(b, &vk_fs_descriptor_layout, f->name);
	if (decides(f->name, kind) && !fs_same(b))
		fail_msg("kind %d, %s damaged in way %d is %s", kind, f->name, way, told != NULL ? told->is : "not touched");
	if (decides(f->name, kind) && told != NULL && !vk_field_origin_exact(told->origin) &&
	    (kind != LAB5 || strcmp(f->name, "magic") != 0))
		fail_msg("kind %d, %s damaged in way %d is mended, but not exactly: %s", kind, f->name, way, told->from);
	/* what was changed is right, or says that it is a guess */
	if (told != NULL && vk_field_origin_exact(told->origin) && !fs_same(b))
		fail_msg("kind %d, %s damaged in way %d is %s and claims to be exact: %s", kind, f->name, way,
			 told->is, told->from);
	/* and nothing else was touched */
	for (size_t i = 0; i < b->header.field_count; i++)
		if (&b->header.fields[i] != told)
			fail_msg("kind %d, %s damaged in way %d: %s was changed", kind, f->name, way,
				 b->header.fields[i].field->name);
	assert_int_equal(verdict(b)->state, told != NULL ? VK_STRUCTURE_MENDED : VK_STRUCTURE_CONSISTENT);
}

static void single_fields(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct vk_io *io = open_kind(kind);
		struct header_bench b;

		if (io == NULL)
			continue;
		header_bench_open(&b, io);
		for (size_t i = 0; i < vk_fs_descriptor_layout.count; i++)
			for (int way = 0; way < WAYS; way++) {
				one_field(&b, kind, &vk_fs_descriptor_layout.fields[i], way);
				header_bench_reset(&b);
			}
		header_bench_close(&b);
	}
}

static void gone_and_made_anew(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		const struct vk_rebuild_header_options named = {.label = "mail store \xc3\xa9"};
		struct vk_io *io = open_kind(kind);
		struct vk_fs_descriptor first, second;
		struct header_bench b;

		if (io == NULL)
			continue;
		header_bench_open(&b, io);
		header_bench_zero(&b, FS - 512, 2048);
		assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
		assert_int_equal(verdict(&b)->state, VK_STRUCTURE_REBUILT);
		assert_same_for_reading(&b);
		assert_true(b.header.guessed);
		get_fs(vk_overlay_io(b.plan), &first);
		assert_int_equal(strncmp((char *)first.fsLabel, "vmfskit-recovered-", 18), 0);
		assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "uuid")->origin, VK_FIELD_FRESH);
		assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "fsLabel")->origin, VK_FIELD_FRESH);
		assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "volInfo")->origin, VK_FIELD_COPY);
		assert_null(header_bench_field(&b, &vk_fs_descriptor_layout, "checksum"));
		assert_true(header_bench_says(b.header.lost, b.header.lost_count, "/vmfs/volumes/<UUID>"));
		assert_true(header_bench_says(b.header.lost, b.header.lost_count, "label is lost"));
		/* a second run makes the same, and with a name given, that */
		assert_int_equal(header_bench_plan(&b, &named), VK_OK);
		get_fs(vk_overlay_io(b.plan), &second);
		assert_memory_equal(&second.uuid, &first.uuid, 16);
		assert_string_equal((char *)second.fsLabel, named.label);
		assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "fsLabel")->origin, VK_FIELD_ASKED);
		assert_false(header_bench_says(b.header.lost, b.header.lost_count, "label is lost"));
		header_bench_close(&b);
	}
}

/* Nothing to do on what was made. */
static void what_was_made_is_sound(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct vk_io *io = open_kind(kind);
		struct vk_rebuild_header again = {0};
		struct vk_overlay *third;
		struct vk_error err = {0};
		struct header_bench b;

		if (io == NULL)
			continue;
		header_bench_open(&b, io);
		header_bench_zero(&b, FS, 512);
		assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
		third = vk_overlay_new(vk_overlay_io(b.plan));
		assert_int_equal(rebuild_of(vk_overlay_io(b.plan), 0, b.length_bytes, 512, NULL, third, &again, &err),
				 VK_OK);
		assert_true(again.nothing_to_do);
		vk_rebuild_header_free(&again);
		vk_overlay_free(third);
		header_bench_close(&b);
	}
}

static void header_and_descriptor_gone(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct vk_io *io = open_kind(kind);
		struct vk_fs_descriptor fs;
		struct header_bench b;
		uint8_t sector[512];
		struct vk_lvm_volume lv;

		if (io == NULL)
			continue;
		header_bench_open(&b, io);
		header_bench_zero(&b, VK_LVM_HEADER_OFFSET, 0x1000000);
		header_bench_zero(&b, FS, 512);
		assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
		assert_int_equal(verdict(&b)->state, VK_STRUCTURE_REBUILT);
		header_bench_reads_the_same(&b);
		get_fs(vk_overlay_io(b.plan), &fs);
		header_bench_get(vk_overlay_io(b.plan), kind >= 3 ? 0x101000 : 0x100200, sector, 512);
		vk_lvm_volume_decode(sector, 512, &lv);
		assert_memory_equal(&fs.volInfo, &lv.uuid, 16);
		assert_int_equal(fs.fileBlockSize, 1 << 20);
		header_bench_close(&b);
	}
}

static void nothing_left_to_make_it_of(void **state)
{
	(void)state;
	struct vk_io *io = open_kind(2);
	struct header_bench b;

	header_bench_open(&b, io);
	header_bench_zero(&b, FS, 512);
	header_bench_zero(&b, DATA + 0x400000, 1 << 20);
	assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
	assert_int_equal(verdict(&b)->state, VK_STRUCTURE_LOST);
	assert_true(header_bench_says(b.header.lost, b.header.lost_count, "only a capture brings it back"));
	assert_true(b.header.nothing_to_do);
	header_bench_close(&b);
}

static void other_block_sizes(void **state)
{
	static const char *const specs[] = {"version=3,block-size=2M", "version=3,block-size=4M", "version=3,block-size=8M", "version=5,block-size=8M"};

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct header_bench b;

		header_bench_open(&b, header_bench_lab(specs[i], five_gib, 1, 0));
		header_bench_zero(&b, FS, 512);
		assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
		assert_same_for_reading(&b);
		assert_true(b.header.guessed);
		header_bench_close(&b);
	}
}

/* What is done with a label: bytes are laid over "mail store" from at on. */
struct label_case {
	const char *bytes;
	size_t at, len;
	const char *becomes;  /* NULL: it stays as it is */
	bool guessed;
	const char *said;     /* part of what is told to be lost; NULL: nothing of the label */
};
static const struct label_case label_cases[] = {
	/* readable: never replaced */
	{"bad\xff\x1b[2Jlabel", 0, 13, NULL, false, "\"bad\\xff\\x1b[2Jlabel"},
	{"\x80", 4, 1, NULL, false, "is damaged"},
	/* something far behind its end is no label: the tail alone is cleared */
	{"\x01", 60, 1, "mail store", false, NULL},
	{"\x80\xff\x07", 90, 3, "mail store", false, NULL},
	{"\xff", 127, 1, "mail store", false, NULL},
	/* what reads on may be its rest */
	{"\0", 4, 1, NULL, false, "behind its end stands more (\"store\")"},
	{"\0\0\0\0\0", 2, 5, NULL, false, "behind its end stands more (\"ore\")"},
	{"\x01", 11, 1, NULL, false, "behind its end stands more"},
	{"@", 60, 1, NULL, false, "behind its end stands more (\"@\")"},
	{"archive of 2019", 80, 15, NULL, false, "behind its end stands more (\"archive of 2019\")"},
	/* nothing readable is left */
	{"\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f", 0, 10, "vmfskit-recovered-", true, "is lost"},
	/* a label may be empty */
	{"\0\0\0\0\0\0\0\0\0\0", 0, 10, NULL, false, NULL},
};

static void one_label(const struct label_case *c, const char *asked)
{
	const struct vk_rebuild_header_options options = {.label = asked};
	struct header_bench b;
	struct vk_fs_descriptor fs, hurt;

	header_bench_open(&b, open_kind(LAB5));
	header_bench_hurt(&b, FS + 0x1D + c->at, c->bytes, c->len);
	header_bench_must_plan(&b, &options);
	get_fs(vk_overlay_io(b.plan), &fs);
	get_fs(vk_overlay_io(b.damage), &hurt);
	assert_int_equal(b.header.guessed, c->guessed);
	if (c->becomes == NULL)
		assert_memory_equal(fs.fsLabel, hurt.fsLabel, sizeof(fs.fsLabel));
	else
		assert_int_equal(strncmp((char *)fs.fsLabel, c->becomes, strlen(c->becomes)), 0);
	if (c->becomes != NULL && strcmp(c->becomes, "mail store") == 0)
		assert_true(fs_same(&b));
	assert_int_equal(b.header.field_count, c->becomes == NULL ? 0 : 1);
	assert_true(c->said == NULL ? b.header.lost_count == 0 : header_bench_says(b.header.lost, b.header.lost_count, c->said));
	header_bench_close(&b);
}

static void labels(void **state)
{
	static const struct label_case asked = {"bad\xff\x1b[2Jlabel", 0, 13, "new name", false, NULL};
	static const struct label_case not_asked = {"\x01", 60, 1, "mail store", false, NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(label_cases) / sizeof(label_cases[0]); i++)
		one_label(&label_cases[i], NULL);
	/* a damaged one gives way to the caller's, a readable one does not */
	one_label(&asked, "new name");
	one_label(&not_asked, "new name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_one_stays),
		cmocka_unit_test(magic_alone),
		cmocka_unit_test(single_fields),
		cmocka_unit_test(gone_and_made_anew),
		cmocka_unit_test(what_was_made_is_sound),
		cmocka_unit_test(header_and_descriptor_gone),
		cmocka_unit_test(nothing_left_to_make_it_of),
		cmocka_unit_test(other_block_sizes),
		cmocka_unit_test(labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
