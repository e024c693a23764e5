/* SPDX-License-Identifier: Apache-2.0 */
/* The LVM regions of the real volumes: nothing is done where nothing is damaged, and one field alone is mended alone. */
#include "header_bench.h"
#include "real_volumes.h"

static bool open_real(struct header_bench *b, size_t which)
{
	struct vk_io *io = real_volume_open(&real_volumes[which]);

	if (io == NULL)
		return false;
	header_bench_open(b, io);
	b->length_bytes = real_volumes[which].partition_bytes;
	return true;
}

static uint64_t volume_at(size_t which)
{
	return which == 2 ? 0x101000 : 0x100200;
}

static void undamaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < REAL_VOLUMES; i++) {
		struct header_bench b;

		if (!open_real(&b, i))
			skip();
		/* numPEMaps of LVM6 is 0 on the real one; 1 means the same */
		for (int maps = 0; maps < (i == 2 ? 2 : 1); maps++) {
			if (i == 2)
				header_bench_hurt(&b, 0x1000BE, &(uint8_t){(uint8_t)maps}, 1);
			/* as the image lies there, and as the partition that it holds */
			for (int known = 0; known < 3; known++) {
				b.length_bytes = known == 0 ? 0 : known == 1 ? real_volumes[i].partition_bytes : real_volumes[i].bytes;
				header_bench_must_plan(&b, NULL);
				assert_true(b.header.nothing_to_do);
				assert_int_equal(vk_overlay_dirty_bytes(b.plan), 0);
				assert_int_equal(b.header.lost_count, 0);
			}
		}
		header_bench_close(&b);
	}
}

/* Only the damaged field may change, and then it is what it was, or said not to be. */
static void check_alone(struct header_bench *b, const struct vk_layout *layout, const struct vk_field *field, uint64_t at)
{
	for (size_t i = 0; i < b->header.field_count; i++) {
		const struct vk_rebuilt_field *f = &b->header.fields[i];

		if (f->at_bytes != at || f->field == NULL || strcmp(f->field->name, field->name) != 0)
			fail_msg("%s.%s was damaged, and %s changes", layout->name, field->name,
				 f->field != NULL ? f->field->name : "a table");
		if (vk_field_origin_exact(f->origin) && !header_bench_same(b, at, field->size))
			fail_msg("%s.%s is called exact", layout->name, field->name);
	}
}

static void one_structure(struct header_bench *b, const struct vk_layout *layout, uint64_t at)
{
	for (size_t i = 0; i < layout->count * 3; i++) {
		const struct vk_field *f = &layout->fields[i / 3];
		uint8_t bytes[256];

		if (f->kind == VK_KIND_DISKID)
			continue;
		header_bench_get(b->sound, at + f->offset, bytes, f->size);
		for (size_t k = 0; k < f->size; k++)
			bytes[k] = i % 3 == 0 ? (uint8_t)~bytes[k] : i % 3 == 1 ? 0 : (uint8_t)(bytes[k] ^ (k == 0));
		header_bench_reset(b);
		header_bench_hurt(b, at + f->offset, bytes, f->size);
		header_bench_must_plan(b, NULL);
		check_alone(b, layout, f, at + f->offset);
	}
}

static void one_field_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < REAL_VOLUMES; i++) {
		struct header_bench b;

		if (!open_real(&b, i))
			skip();
		one_structure(&b, &vk_lvm_device_layout, 0x100000);
		one_structure(&b, &vk_scsi_disk_id_layout, 0x10000C);
		one_structure(&b, &vk_lvm_volume_layout, volume_at(i));
		header_bench_close(&b);
	}
}

/* The SD table names the path of the disk; such headers have it in its short form. */
static void disk_ids_of_paths(void **state)
{
	static const char *const ids[] = {NULL, "vmhba0:4:0", "vmhba0:2:0"};

	(void)state;
	for (size_t i = 1; i < REAL_VOLUMES; i++) {
		struct header_bench b;

		if (!open_real(&b, i))
			skip();
		for (int whole = 0; whole < 2; whole++) {
			header_bench_reset(&b);
			header_bench_zero(&b, whole ? 0x100000 : 0x10000C, whole ? 0xD6 : 78);
			header_bench_must_plan(&b, NULL);
			assert_true(header_bench_same(&b, 0x10000C, 78));
			assert_int_equal(header_bench_field(&b, &vk_scsi_disk_id_layout, "len")->origin, VK_FIELD_USUAL);
			assert_non_null(strstr(header_bench_field(&b, &vk_scsi_disk_id_layout, "id")->from, "SD table"));
			assert_true(b.header.guessed);
		}
		/* type and length alone: the bytes and the name tell */
		header_bench_reset(&b);
		header_bench_hurt(&b, 0x10000D, "\x06", 1);
		header_bench_must_plan(&b, NULL);
		assert_true(header_bench_lvm_same(&b));
		assert_false(b.header.guessed);
		header_bench_hurt(&b, 0x10002E, ids[i], 3);
		/* some of its bytes are lost: most of what is left is what the name says */
		for (size_t hurt = 0; hurt < 2; hurt++) {
			header_bench_reset(&b);
			header_bench_hurt(&b, hurt ? 0x100032 : 0x10002E, "\0\0\0", hurt ? 1 : 4);
			header_bench_must_plan(&b, NULL);
			assert_int_equal(header_bench_field(&b, &vk_scsi_disk_id_layout, "id")->origin, VK_FIELD_USUAL);
			assert_true(header_bench_lvm_same(&b));
		}
		/* and where no name says it, it stays, and is not called consistent */
		header_bench_reset(&b);
		header_bench_zero(&b, i == 1 ? 0x17E200 : 0x17F000, 128);
		header_bench_zero(&b, 0x10002E, 4);
		header_bench_must_plan(&b, NULL);
		assert_null(header_bench_field(&b, &vk_scsi_disk_id_layout, "id"));
		assert_int_equal(b.header.verdicts[VK_HS_LVM_HEADER].state, VK_STRUCTURE_LOST);
		/* an eui. device has a path id, too, and its name tells no path */
		header_bench_reset(&b);
		header_bench_hurt(&b, i == 1 ? 0x17E200 : 0x17F000, "eui.00a0504658335330:1\0", 23);
		header_bench_must_plan(&b, NULL);
		assert_true(b.header.nothing_to_do);
		header_bench_zero(&b, 0x10000C, 78);
		header_bench_must_plan(&b, NULL);
		assert_null(header_bench_field(&b, &vk_scsi_disk_id_layout, "id"));
		header_bench_close(&b);
	}
}

/* The backup GPT in the tail of the image proves how long the partition is, and so what totalBytes was. */
static void lengths_from_the_tail(void **state)
{
	(void)state;
	for (size_t i = 1; i < REAL_VOLUMES; i++) {
		const struct vk_rebuilt_field *f;
		struct header_bench b;

		if (!open_real(&b, i))
			skip();
		b.length_bytes = 0;
		header_bench_zero(&b, 0x10005E, 8);
		header_bench_must_plan(&b, NULL);
		f = header_bench_field(&b, &vk_lvm_device_layout, "totalBytes");
		assert_non_null(f);
		assert_true(vk_field_origin_exact(f->origin));
		assert_true(header_bench_lvm_same(&b));
		assert_false(b.header.guessed);
		/* without it there is one witness less */
		header_bench_zero(&b, real_volumes[i].bytes - 512, 512);
		b.length_bytes = real_volumes[i].partition_bytes;
		header_bench_must_plan(&b, NULL);
		assert_int_equal(header_bench_field(&b, &vk_lvm_device_layout, "totalBytes")->origin, VK_FIELD_USUAL);
		header_bench_close(&b);
	}
}

/* LVM6: numPEs and consumedPEs count table entries, numPEs6 units; the header that is made anew has the same numbers. */
static void a_lost_header_of_lvm6(void **state)
{
	static const char *const fields[] = {"majorVersion", "minorVersion", "totalBytes", "numVolumes", "numPEs", "lastPEIndex",
					     "generation", "dataOffset", "numPEMaps", "mdAlignment", "numPEs6", "flags"};
	struct header_bench b;

	(void)state;
	if (!open_real(&b, 2))
		skip();
	header_bench_zero(&b, 0x100000, 512);
	header_bench_must_plan(&b, NULL);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct vk_field *f = vk_layout_field(&vk_lvm_device_layout, fields[i]);

		if (!header_bench_same(&b, 0x100000 + f->offset, f->size))
			fail_msg("%s is not what it was", fields[i]);
	}
	header_bench_reset(&b);
	header_bench_zero(&b, 0x101000, 512);
	header_bench_must_plan(&b, NULL);
	assert_true(header_bench_same(&b, 0x101000 + 0x110, 4));
	assert_true(header_bench_same(&b, 0x101000, 16));
	header_bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(undamaged),
		cmocka_unit_test(one_field_alone),
		cmocka_unit_test(disk_ids_of_paths),
		cmocka_unit_test(lengths_from_the_tail),
		cmocka_unit_test(a_lost_header_of_lvm6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
