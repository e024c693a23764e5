/* SPDX-License-Identifier: Apache-2.0 */
/* Every layout table: sound in itself, round trips, and harmless on every length and on hostile bytes. */
#include "disk_support.h"
#include "vmfskit/lvm.h"

static uint32_t seed = 20090421;

static uint8_t any_byte(void)
{
	seed = seed * 1664525 + 1013904223;
	return (uint8_t)(seed >> 24);
}

static void rows_are_sound(void **state)
{
	size_t layouts = 0;

	(void)state;
	for (const struct vk_layout *const *l = vk_layouts; *l != NULL; l++, layouts++) {
		uint8_t covered[1600] = {0};

		assert_true((*l)->size <= sizeof(covered));
		assert_true((*l)->name[0] != '\0' && (*l)->title[0] != '\0' && (*l)->source[0] != '\0');
		for (size_t i = 0; i < (*l)->count; i++) {
			const struct vk_field *f = &(*l)->fields[i];

			assert_true(f->offset + f->size <= (*l)->size);
			assert_true(f->member + f->size <= (*l)->struct_size);
			assert_ptr_equal(vk_layout_field(*l, f->name), f);
			assert_true(i == 0 || f->offset > f[-1].offset);
			for (uint32_t b = f->offset; b < f->offset + f->size; b++)
				assert_int_equal(covered[b]++, 0);
			if (f->evidence == VK_EV_U)
				assert_true(f->note[0] != '\0');
		}
		for (const struct vk_layout *const *k = vk_layouts; k < l; k++)
			assert_string_not_equal((*k)->name, (*l)->name);
	}
	assert_int_equal(layouts, 25);
	assert_null(vk_layout_field(vk_layouts[0], "no such field"));
	assert_int_equal(vk_evidence_letter(VK_EV_V), 'V');
	assert_int_equal(vk_evidence_letter(VK_EV_P), 'P');
	assert_int_equal(vk_evidence_letter(VK_EV_X), 'X');
	assert_int_equal(vk_evidence_letter(VK_EV_S), 'S');
	assert_int_equal(vk_evidence_letter(VK_EV_U), 'U');
}

/* Random bytes in, the same bytes out; what lies between the rows keeps its value. */
static void round_trips(void **state)
{
	(void)state;
	for (const struct vk_layout *const *l = vk_layouts; *l != NULL; l++)
		for (int round = 0; round < 200; round++) {
			uint8_t bytes[1600];
			uint8_t target[1600];
			uint8_t expected[1600];
			void *in = malloc((*l)->struct_size);

			assert_non_null(in);
			for (size_t i = 0; i < sizeof(bytes); i++) {
				bytes[i] = any_byte();
				expected[i] = target[i] = any_byte();
			}
			for (size_t i = 0; i < (*l)->count; i++)
				memcpy(expected + (*l)->fields[i].offset,
				       bytes + (*l)->fields[i].offset, (*l)->fields[i].size);
			assert_int_equal(vk_layout_decode(*l, bytes, sizeof(bytes), in), (*l)->size);
			assert_int_equal(vk_layout_encode(*l, in, target, sizeof(target)), (*l)->size);
			assert_memory_equal(target, expected, sizeof(target));
			free(in);
		}
}

/* At every length only what is wholly there is read and written. The buffers end where the data ends. */
static void every_truncation(void **state)
{
	(void)state;
	for (const struct vk_layout *const *l = vk_layouts; *l != NULL; l++)
		for (size_t len = 0; len <= (*l)->size; len++) {
			uint8_t *bytes = malloc(len + 1);
			uint8_t *again = calloc(1, len + 1);
			uint8_t *in = malloc((*l)->struct_size);
			uint8_t *zero = calloc(1, (*l)->struct_size);

			assert_true(bytes != NULL && again != NULL && in != NULL && zero != NULL);
			memset(bytes, 0xEE, len);
			memset(in, 0x55, (*l)->struct_size);
			assert_int_equal(vk_layout_decode(*l, bytes, len, in), len);
			assert_int_equal(vk_layout_encode(*l, in, again, len), len);
			for (size_t i = 0; i < (*l)->count; i++) {
				const struct vk_field *f = &(*l)->fields[i];
				bool held = f->offset + f->size <= len;

				assert_int_equal(vk_field_held(f, len), held);
				if (held)
					assert_memory_equal(again + f->offset, bytes + f->offset, f->size);
				else
					assert_memory_equal(in + f->member, zero + f->member, f->size);
				for (size_t b = f->offset; !held && b < len; b++)
					assert_int_equal(again[b], 0);
			}
			free(bytes);
			free(again);
			free(in);
			free(zero);
		}
}

/* Whatever the bytes and however small the room: a text that ends, is UTF-8 and steers nothing. */
static void hostile_texts(void **state)
{
	static const uint8_t patterns[] = {0x00, 0xff, 0x1b, 0x80, 0xe2, 0x5c, 0x22, 0x7f};

	(void)state;
	for (const struct vk_layout *const *l = vk_layouts; *l != NULL; l++)
		for (size_t round = 0; round < 60; round++) {
			uint8_t bytes[1600];
			char out[640];
			void *in = malloc((*l)->struct_size);

			assert_non_null(in);
			for (size_t i = 0; i < sizeof(bytes); i++)
				bytes[i] = round < sizeof(patterns) ? patterns[round] : any_byte();
			vk_layout_decode(*l, bytes, sizeof(bytes), in);
			for (size_t i = 0; i < (*l)->count; i++) {
				size_t room = 1 + (round * 37 + i * 11) % 600;
				struct vk_text text;

				memset(out, 'Z', sizeof(out));
				vk_text_init(&text, out, room);
				vk_field_text(&(*l)->fields[i], in, &text);
				assert_printable(out, room);
				assert_int_equal(text.len_bytes, strlen(out));
				for (size_t z = room; z < sizeof(out); z++)
					assert_int_equal(out[z], 'Z');
			}
			free(in);
		}
}

static void numbers_and_bytes(void **state)
{
	struct vk_lvm_device d = {.majorVersion = 6, .totalBytes = UINT64_MAX};
	const struct vk_layout *l = &vk_lvm_device_layout;

	(void)state;
	d.diskID.lun = 261;
	d.devID.b[15] = 9;
	assert_int_equal(vk_field_number(vk_layout_field(l, "majorVersion"), &d), 6);
	assert_int_equal(vk_field_number(vk_layout_field(l, "totalBytes"), &d), UINT64_MAX);
	assert_int_equal(vk_field_number(vk_layout_field(l, "devID"), &d), 0);
	assert_int_equal(vk_field_bytes(vk_layout_field(l, "devID"), &d)[15], 9);
	assert_int_equal(vk_field_number(vk_layout_field(&vk_scsi_disk_id_layout, "lun"), &d.diskID),
			 261);
	assert_string_equal(vk_view_name(VK_VIEW_VOL_STATE, 2), "LVM_RESIG_PENDING");
	assert_null(vk_view_name(VK_VIEW_VOL_STATE, 5));
	assert_null(vk_view_name(VK_VIEW_DEC, 1));
}

/* Every named value, and that its neighbours have none of its name. */
static void named_values(void **state)
{
	static const struct {
		enum vk_view view;
		uint64_t value;
		const char *name;
	} rows[] = {
		{VK_VIEW_DISKID_TYPE, 0, "path"},
		{VK_VIEW_DISKID_TYPE, 1, "serial number"},
		{VK_VIEW_DISKID_TYPE, 2, "NAA"},
		{VK_VIEW_DISKID_TYPE, 3, "SYMM"},
		{VK_VIEW_SCSI_TYPE, 0, "disk"},
		{VK_VIEW_SCSI_TYPE, 1, "tape"},
		{VK_VIEW_SCSI_TYPE, 4, "WORM"},
		{VK_VIEW_SCSI_TYPE, 5, "CD"},
		{VK_VIEW_SCSI_TYPE, 7, "MO"},
		{VK_VIEW_SCSI_TYPE, 8, "changer"},
		{VK_VIEW_SCSI_TYPE, 12, "RAID"},
		{VK_VIEW_SCSI_TYPE, 13, "enclosure"},
		{VK_VIEW_SCSI_TYPE, 14, "RBC"},
		{VK_VIEW_SCSI_TYPE, 127, "no LUN"},
		{VK_VIEW_VOL_STATE, 0, "LVM_INVALID"},
		{VK_VIEW_VOL_STATE, 1, "LVM_NORMAL"},
		{VK_VIEW_VOL_STATE, 2, "LVM_RESIG_PENDING"},
		{VK_VIEW_VOL_STATE, 3, "LVM_RESIG_DONE"},
		{VK_VIEW_VOL_STATE, 4, "LVM_SENTINEL"},
		{VK_VIEW_FS_MAGIC, 0x2FABF15E, "VMFS"},
		{VK_VIEW_FS_MAGIC, 0x2FABF15F, "VMFS-L"},
		{VK_VIEW_FS_MAGIC, 0x2FABF160, "VMFS6, known from a symbol only"},
		{VK_VIEW_FS_MAGIC, 0x2FABF161, "VMFS6-L, known from a symbol only"},
		{VK_VIEW_FS_VERSION, 4, "VMFS3"},
		{VK_VIEW_FS_VERSION, 14, "VMFS5"},
		{VK_VIEW_FS_VERSION, 24, "VMFS6"},
		{VK_VIEW_HB_STATE, 0xABCDEF01, "free"},
		{VK_VIEW_HB_STATE, 0xABCDEF02, "in use"},
		{VK_VIEW_LOCK_TYPE, 0x10C00001, "file descriptor"},
		{VK_VIEW_LOCK_TYPE, 0x10C00002, "cluster of .fbb.sf"},
		{VK_VIEW_LOCK_TYPE, 0x10C00003, "cluster of .sbc.sf"},
		{VK_VIEW_LOCK_TYPE, 0x10C00004, "cluster of .pbc.sf"},
		{VK_VIEW_LOCK_TYPE, 0x10C00005, "cluster of .fdc.sf"},
		{VK_VIEW_LOCK_TYPE, 0x10C00006, "cluster of .pb2.sf"},
		{VK_VIEW_LOCK_TYPE, 0x10C00007, "cluster of .jbc.sf"},
		{VK_VIEW_LOCK_TYPE, 0x10C00008, "cluster of large blocks of .fbb.sf"},
		{VK_VIEW_LOCK_MODE, 0, "free"},
		{VK_VIEW_LOCK_MODE, 1, "exclusive"},
		{VK_VIEW_LOCK_MODE, 2, "shared read-only"},
		{VK_VIEW_LOCK_MODE, 3, "multi-writer"},
		{VK_VIEW_UNMAP_PRIO, 0, "none"},
		{VK_VIEW_UNMAP_PRIO, 1, "low"},
		{VK_VIEW_UNMAP_PRIO, 2, "medium"},
		{VK_VIEW_UNMAP_PRIO, 3, "high"},
	};
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(vk_view_name(rows[i].view, rows[i].value), rows[i].name);
	/* and no others, in the ranges in which they lie */
	for (unsigned view = 0; view <= VK_VIEW_RESERVED; view++)
		for (uint64_t low = 0; low < 256; low++) {
			found += vk_view_name((enum vk_view)view, low) != NULL;
			found += vk_view_name((enum vk_view)view, 0x10C00000 + low) != NULL;
			found += vk_view_name((enum vk_view)view, 0xABCDEF00 + low) != NULL;
			found += vk_view_name((enum vk_view)view, 0x2FABF100 + low) != NULL;
		}
	assert_int_equal(found, sizeof(rows) / sizeof(rows[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sound),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(hostile_texts),
		cmocka_unit_test(numbers_and_bytes),
		cmocka_unit_test(named_values),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
