/* SPDX-License-Identifier: Apache-2.0 */
/* What lies where on a disk, and in which order it is written. */
#include "repair_bench.h"

static struct vk_place make_place(const char *name, const struct vk_layout *layout, uint64_t offset,
				  uint64_t length)
{
	struct vk_place place = {
		.layout = layout, .part = VK_PART_LVM, .offset_bytes = offset, .length_bytes = length};

	snprintf(place.name, sizeof(place.name), "%s", name);
	return place;
}

static void structures_do_not_overlap(void **state)
{
	struct vk_place places[] = {
		make_place("header", &vk_lvm_device_layout, 0x100000, 0xd6),
		make_place("descriptor", &vk_lvm_volume_layout, 0x100200, 512),
		make_place("sd", NULL, 0x17e200, 8192),
		make_place("bitmap", NULL, 0x17f000, 8192),
		make_place("fs", &vk_fs_descriptor_layout, 0x1300000, 512),
		make_place("empty", NULL, 0x1400000, 0),
		make_place("hostile", NULL, UINT64_MAX - 10, 100),
	};
	struct vk_vmfs vmfs = {.start_sector = 2048,
			       .places = places,
			       .place_count = sizeof(places) / sizeof(places[0])};
	struct vk_source source = {.path = (char *)(uintptr_t)"disk",
				   .kind = VK_SOURCE_DISK,
				   .sector_size = 512,
				   .vmfs = &vmfs,
				   .vmfs_count = 1};
	const struct vk_region region = {.file = "p1-lvm.raw",
					 .part = VK_PART_LVM,
					 .offset_bytes = 0x100000,
					 .length_bytes = 0x1100000};
	struct vk_structures list;
	struct vk_structure at;

	(void)state;
	for (source.sector_size = 512; source.sector_size <= 4096; source.sector_size *= 8) {
		assert_int_equal(vk_structures_list(&source, &list, NULL), VK_OK);
		assert_int_equal(list.count, source.sector_size == 512 ? 5 : 3);
		for (size_t i = 0; i < list.count; i++) {
			assert_true(list.items[i].start < list.items[i].end);
			assert_int_equal(list.items[i].start % source.sector_size, 0);
			assert_true(i == 0 || list.items[i].start >= list.items[i - 1].end);
		}
		vk_structures_free(&list);
	}
	source.sector_size = 512;
	assert_int_equal(vk_structures_list(&source, &list, NULL), VK_OK);
	at = vk_structures_at(&list, &region, 0x200000, 0x300000);
	assert_string_equal(at.name, "LVM device header");
	assert_int_equal(at.write_class, VK_WRITE_LVM_HEADER);
	assert_int_equal(at.end, 0x200200);
	/* between two structures: the region's name, up to the next */
	at = vk_structures_at(&list, &region, 0x200400, 0x300000);
	assert_string_equal(at.name, "LVM region");
	assert_int_equal(at.end, 0x27e200);
	at = vk_structures_at(&list, &region, 0x1400000, 0x1500000);
	assert_int_equal(at.write_class, VK_WRITE_FS_DESCRIPTOR);
	/* behind the last but the hostile one */
	at = vk_structures_at(&list, &region, 0x1400200, 0x1400400);
	assert_string_equal(at.name, "LVM region");
	assert_int_equal(at.end, 0x1400400);
	vk_structures_free(&list);
}

static void the_table_is_written_in_its_order(void **state)
{
	struct vk_place places[] = {
		make_place("MBR", &vk_mbr_layout, 0, 512),
		make_place("GPT header (primary)", &vk_gpt_header_layout, 512, 512),
		make_place("GPT entries (primary)", NULL, 1024, 16384),
		make_place("extended boot record", &vk_mbr_layout, 32768, 512),
		make_place("GPT entries (backup)", NULL, 0x100000, 16384),
		make_place("GPT header (backup)", &vk_gpt_header_layout, 0x104000, 512),
		make_place("hostile", NULL, UINT64_MAX - 511, 16384),
	};
	const unsigned classes[] = {VK_WRITE_MBR, VK_WRITE_GPT_PRIMARY, VK_WRITE_GPT_PRIMARY,
				    VK_WRITE_EBR, VK_WRITE_GPT_BACKUP,  VK_WRITE_GPT_BACKUP};
	struct vk_source source = {.path = (char *)(uintptr_t)"disk",
				   .kind = VK_SOURCE_DISK,
				   .sector_size = 512,
				   .table = {.sector_size = 512,
					     .places = places,
					     .place_count = sizeof(places) / sizeof(places[0])}};
	static const struct {
		const char *file;
		unsigned write_class;
	} gaps[] = {
		{"head.raw", VK_WRITE_EBR},
		{"ebr-63.raw", VK_WRITE_EBR},
		{"gpt-tail.raw", VK_WRITE_GPT_BACKUP},
	};
	struct vk_structures list;

	(void)state;
	source.table.gpt[0] = (struct vk_gpt_copy){.lba = 1, .header = {.entriesLBA = 2}};
	source.table.gpt[1] = (struct vk_gpt_copy){.lba = 0x820, .header = {.entriesLBA = 0x800}};
	assert_int_equal(vk_structures_list(&source, &list, NULL), VK_OK);
	assert_int_equal(list.count, 6);
	for (size_t i = 0; i < list.count; i++) {
		assert_string_equal(list.items[i].name, places[i].name);
		assert_int_equal(list.items[i].write_class, classes[i]);
	}
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		struct vk_region region = {.part = VK_PART_TABLE};

		strcpy(region.file, gaps[i].file);
		assert_int_equal(vk_structures_at(&list, &region, 40960, 41472).write_class,
				 gaps[i].write_class);
	}
	vk_structures_free(&list);
	/* one good copy stands at any moment, and what makes a volume known comes last */
	assert_true(VK_WRITE_GPT_BACKUP < VK_WRITE_GPT_PRIMARY && VK_WRITE_GPT_PRIMARY < VK_WRITE_MBR &&
		    VK_WRITE_MBR < VK_WRITE_HEADERS && VK_WRITE_HEADERS < VK_WRITE_FS_DESCRIPTOR &&
		    VK_WRITE_FS_DESCRIPTOR < VK_WRITE_LVM_HEADER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structures_do_not_overlap),
		cmocka_unit_test(the_table_is_written_in_its_order),
	};

	return cmocka_run_group_tests_name("structures", tests, NULL, NULL);
}
