/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of lab volumes and of the real one are damaged in every way and mended; what is not exact is said. */
#include "header_bench.h"

static const uint64_t five_gib = 5 * GIB + 100 * 512;

static struct vk_io *open_kind(int kind)
{
	switch (kind) {
	case 0:
		return header_bench_real();
	case 1:
		return header_bench_lab("version=3", five_gib, 1, 0);
	case 2:
		return header_bench_lab("version=5", five_gib, 1, 0);
	case 3:
		return header_bench_lab("version=6", five_gib, 1, 0);
	default:
		return header_bench_lab("version=6l", five_gib, 1, 0);
	}
}
enum { KINDS = 5 };

static uint64_t volume_at(int kind)
{
	return kind >= 3 ? 0x101000 : 0x100200;
}

static void sound_headers_stay(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct vk_io *io = open_kind(kind);
		struct header_bench b;

		if (io == NULL)
			continue;
		header_bench_open(&b, io);
		assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
		assert_true(b.header.nothing_to_do);
		assert_int_equal(vk_overlay_dirty_bytes(b.plan), 0);
		assert_false(b.header.guessed);
		assert_int_equal(b.header.lost_count, 0);
		for (unsigned i = 0; i <= VK_HS_PE_TABLES; i++)
			assert_int_equal(b.header.verdicts[i].state, VK_STRUCTURE_CONSISTENT);
		header_bench_close(&b);
	}
}

static void magic_alone_comes_back(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct vk_io *io = open_kind(kind);
		const struct vk_rebuilt_field *f;
		struct header_bench b;

		if (io == NULL)
			continue;
		header_bench_open(&b, io);
		header_bench_zero(&b, VK_LVM_HEADER_OFFSET, 4);
		assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
		assert_true(header_bench_lvm_same(&b));
		assert_int_equal(b.header.field_count, 1);
		f = header_bench_field(&b, &vk_lvm_device_layout, "magic");
		assert_non_null(f);
		assert_int_equal(f->origin, VK_FIELD_CONSTANT);
		assert_int_equal(b.header.verdicts[VK_HS_LVM_HEADER].state, VK_STRUCTURE_MENDED);
		header_bench_close(&b);
	}
}

static void lost_region(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct vk_io *io = open_kind(kind);
		struct header_bench b;

		if (io == NULL)
			continue;
		header_bench_open(&b, io);
		header_bench_zero(&b, VK_LVM_HEADER_OFFSET, 0x1000000);
		assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
		header_bench_reads_the_same(&b);
		assert_int_equal(b.header.verdicts[VK_HS_LVM_HEADER].state, VK_STRUCTURE_REBUILT);
		assert_int_equal(b.header.verdicts[VK_HS_VOLUME].state, VK_STRUCTURE_REBUILT);
		assert_int_equal(b.header.verdicts[VK_HS_PE_TABLES].state, VK_STRUCTURE_REBUILT);
		assert_int_equal(header_bench_field(&b, &vk_lvm_volume_layout, "uuid")->origin, VK_FIELD_USUAL);
		assert_int_equal(header_bench_field(&b, &vk_lvm_device_layout, "devID")->origin, VK_FIELD_FRESH);
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

/* Exact, or said to be not: by the field's origin, by a sentence, or by the list of what nothing tells. */
static void check_said(struct header_bench *b, const struct vk_layout *layout, const struct vk_field *field,
		       uint64_t at, int kind, int way)
{
	const struct vk_rebuilt_field *f = header_bench_field(b, layout, field->name);
	bool exact = header_bench_same(b, at + field->offset, field->size);

	if (exact)
		return;
	if ((f != NULL && !vk_field_origin_exact(f->origin)) || b->header.lost_count > 0)
		return;
	if (header_bench_says(b->header.notes, b->header.note_count, field->name))
		return;
	print_error("kind %d, %s.%s damaged in way %d: not exact, and nothing says so (%s)\n", kind,
		 layout->name, field->name, way, f != NULL ? vk_field_origin_name(f->origin) : "not touched");
}

static void every_field(const struct vk_layout *layout, uint64_t at, struct header_bench *b, int kind)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct vk_field *field = &layout->fields[i];

		for (int way = 0; field->kind != VK_KIND_DISKID && way < WAYS; way++) {
			uint8_t bytes[256];

			header_bench_get(b->sound, at + field->offset, bytes, field->size);
			damage(bytes, field->size, way);
			header_bench_reset(b);
			header_bench_hurt(b, at + field->offset, bytes, field->size);
			if (getenv("HEADER_BENCH_SHOW") != NULL)
				fprintf(stderr, "== kind %d %s.%s way %d\n", kind, layout->name, field->name, way);
			if (header_bench_plan(b, NULL) != VK_OK)
				fail_msg("kind %d, %s.%s way %d: %s", kind, layout->name, field->name, way,
					 b->err.what);
			check_said(b, layout, field, at, kind, way);
			header_bench_reads_the_same(b);
		}
	}
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
		every_field(&vk_lvm_device_layout, VK_LVM_HEADER_OFFSET, &b, kind);
		every_field(&vk_scsi_disk_id_layout, VK_LVM_HEADER_OFFSET + 0x0C, &b, kind);
		every_field(&vk_lvm_volume_layout, volume_at(kind), &b, kind);
		header_bench_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_headers_stay),
		cmocka_unit_test(magic_alone_comes_back),
		cmocka_unit_test(lost_region),
		cmocka_unit_test(single_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
