/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the lab decode back and have no finding; what cannot be is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "lab/lab_break.h"
#include "lab_memory.h"

static struct vk_lab_spec *spec_of(enum vk_table_kind table, uint32_t sector_size,
				   const char *const *volumes)
{
	struct vk_lab_spec *spec = calloc(1, sizeof(*spec));

	assert_non_null(spec);
	spec->table = table;
	spec->sector_size = sector_size;
	for (; *volumes != NULL; volumes++) {
		vk_lab_volume_init(&spec->volumes[spec->volume_count]);
		assert_int_equal(vk_lab_volume_parse(&spec->volumes[spec->volume_count++], *volumes,
						     NULL),
				 VK_OK);
	}
	assert_int_equal(vk_lab_layout_apply(spec, "plain", NULL), VK_OK);
	return spec;
}

static void check_gpt_copy(struct vk_lab_disk *disk, uint32_t sector_size, uint64_t lba,
			   uint64_t last, uint8_t array[16384])
{
	uint8_t sector[4096];
	struct vk_gpt_header h;

	get(disk, lba * sector_size, sector, sector_size);
	assert_true(vk_gpt_has_signature(sector, sector_size));
	assert_true(vk_gpt_header_check(sector, sector_size, lba, last, &sound));
	vk_gpt_header_decode(sector, sector_size, &h);
	assert_int_equal(h.alternateLBA, lba == 1 ? last : 1);
	assert_int_equal(vk_gpt_entries_bytes(&h), 16384);
	get(disk, h.entriesLBA * sector_size, array, 16384);
	vk_gpt_entries_check(&h, array, h.entriesLBA * sector_size, &sound);
}

static void gpt_copies_are_sound_and_equal(void **state)
{
	static const char *const volumes[] = {"size=2G", "size=3G,number=7,version=6l", NULL};
	static const uint32_t sector_sizes[] = {512, 4096};
	struct vk_lab_plan *plan = malloc(sizeof(*plan));

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vk_lab_spec *spec = spec_of(VK_TABLE_GPT, sector_sizes[i], volumes);
		uint8_t primary[16384], backup[16384], sector[512];
		struct vk_lab_disk disk;
		struct vk_gpt_entry e;
		struct vk_mbr mbr;

		assert_int_equal(vk_lab_plan_make(spec, plan, NULL), VK_OK);
		disk = memory_disk(plan->disk_sectors * sector_sizes[i]);
		assert_int_equal(vk_lab_write_table(&disk, plan), VK_OK);
		check_gpt_copy(&disk, sector_sizes[i], 1, plan->disk_sectors - 1, primary);
		check_gpt_copy(&disk, sector_sizes[i], plan->disk_sectors - 1, plan->disk_sectors - 1,
			       backup);
		assert_memory_equal(primary, backup, sizeof(primary));
		vk_gpt_entry_decode(primary, VK_GPT_ENTRY_BYTES, &e);
		assert_int_equal(e.firstLBA, (1 << 20) / sector_sizes[i]);
		assert_string_equal(vk_gpt_type_name(&e.typeGUID), "VMFS");
		assert_int_equal(vk_get_le16(e.name), 0);
		assert_true(vk_all_bytes(e.name + 2, 70, 0xFF));
		vk_gpt_entry_decode(primary + 6 * 128, VK_GPT_ENTRY_BYTES, &e);
		assert_string_equal(vk_gpt_type_name(&e.typeGUID), "VMFS-L");
		get(&disk, 0, sector, sizeof(sector));
		vk_mbr_decode(sector, sizeof(sector), &mbr);
		assert_true(vk_mbr_is_protective(&mbr));
		vk_mbr_check(&mbr, sizeof(sector), plan->disk_sectors, 0, &sound);
		close(disk.fd);
		free(spec);
	}
	free(plan);
}

static void mbr_and_its_chain_decode_back(void **state)
{
	static const char *const volumes[] = {"start=63,size=1G,version=3", "size=1G,version=3,logical",
					      "size=2G,logical", "size=1G,logical", NULL};
	struct vk_lab_spec *spec = spec_of(VK_TABLE_MBR, 512, volumes);
	struct vk_lab_plan *plan = malloc(sizeof(*plan));
	struct vk_lab_table *table = malloc(sizeof(*table));
	struct vk_lab_disk disk;
	uint8_t sector[512];
	struct vk_mbr mbr;

	(void)state;
	assert_int_equal(vk_lab_plan_make(spec, plan, NULL), VK_OK);
	disk = memory_disk(plan->disk_sectors * 512);
	assert_int_equal(vk_lab_write_table(&disk, plan), VK_OK);
	get(&disk, 0, sector, sizeof(sector));
	vk_mbr_decode(sector, sizeof(sector), &mbr);
	vk_mbr_check(&mbr, sizeof(sector), plan->disk_sectors, 0, &sound);
	assert_int_equal(mbr.entries[0].firstLBA, 63);
	assert_int_equal(mbr.entries[1].type, 5);
	assert_int_equal(vk_lab_table_read(&disk, 512, table, NULL), VK_OK);
	assert_int_equal(table->count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(table->found[i].number, i == 0 ? 1 : 4 + i);
		assert_int_equal(table->found[i].start_bytes, plan->partitions[i].start_sector * 512);
		assert_int_equal(table->found[i].length_bytes, plan->partitions[i].sectors * 512);
		assert_true(table->found[i].vmfs);
	}
	close(disk.fd);
	free(table);
	free(plan);
	free(spec);
}

static void refuses(enum vk_table_kind table, const char *a, const char *b, const char *says)
{
	const char *const volumes[] = {a, b, NULL};
	struct vk_lab_spec *spec = spec_of(table, 512, volumes);
	struct vk_lab_plan *plan = malloc(sizeof(*plan));
	struct vk_error err;

	if (vk_lab_plan_make(spec, plan, &err) != VK_USAGE)
		fail_msg("\"%s\" is accepted, although: %s", a, says);
	if (strstr(err.what, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.what, says);
	free(plan);
	free(spec);
}

static void impossible_plans_are_refused(void **state)
{
	(void)state;
	refuses(VK_TABLE_GPT, "start=2048,size=2G", "start=4096,size=2G", "overlaps");
	refuses(VK_TABLE_GPT, "start=33,size=2G", NULL, "do not fit");
	refuses(VK_TABLE_MBR, "start=128,size=2T", "size=1G", "an MBR cannot");
	refuses(VK_TABLE_MBR, "start=128,size=3T", NULL, "an MBR cannot");
	refuses(VK_TABLE_GPT, "size=2G,logical", NULL, "only an MBR");
	refuses(VK_TABLE_MBR, "start=2048,size=1500G,logical", "size=1500G,logical", "span");
	refuses(VK_TABLE_MBR, "size=2G,logical,number=5", NULL, "numbered by their place");
	refuses(VK_TABLE_MBR, "start=1,size=2G,logical", NULL, "no sector is free");
	refuses(VK_TABLE_GPT, "size=2G,number=3", "size=2G,number=3", "the number 3");
	refuses(VK_TABLE_MBR, "size=2G,number=5", NULL, "at most 4");
	refuses(VK_TABLE_GPT, "size=2000000001", NULL, "whole sectors");
	refuses(VK_TABLE_GPT, "start=18446744073709551615,size=1G", NULL, "large");
	refuses(VK_TABLE_GPT, "size=8192P", NULL, "large");
	refuses(VK_TABLE_NONE, "size=2G", "size=2G", "one volume");
	refuses(VK_TABLE_GPT, "size=2G,block-size=2M,version=5", NULL, "only VMFS3");
}

static void words_that_are_wrong_are_refused(void **state)
{
	static const char *const specs[] = {
		"start=", "start=12x", "start=99999999999999999999", "size=0", "size=x", "version=4",
		"version=3l", "lun=65536", "live=513", "block-size=3M", "number=0", "number=129",
		"logical=yes", "naa=naa.1234", "naa=vml.02", "model=", "model=123456789:x",
		"image=", "colour=red", "start=1,,size=1G",
	};
	struct vk_lab_volume v;

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct vk_error err;

		vk_lab_volume_init(&v);
		if (vk_lab_volume_parse(&v, specs[i], &err) != VK_USAGE)
			fail_msg("\"%s\" is accepted", specs[i]);
		assert_true(err.what[0] != '\0');
	}
}

/* Tables of strangers: a break must not write because a number wrapped around. */
static void places_beyond_the_disk_are_absent(void **state)
{
	struct vk_lab_disk disk = memory_disk(1 << 30);
	const uint64_t starts[] = {1ULL << 30, (1ULL << 30) + 512, UINT64_MAX, UINT64_MAX - 0x100000 + 1};
	struct vk_lvm_device d = {.magic = VK_LVM_MAGIC, .majorVersion = 5,
				  .dataOffset = UINT64_MAX - 0x200000 - 4095, .totalBytes = UINT64_MAX - 511};
	struct vk_lab_places places;
	struct vk_error err;
	uint8_t raw[512] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		const struct vk_lab_found found = {.number = 1, .start_bytes = starts[i]};

		assert_int_equal(vk_lab_places_find(&disk, &found, &places, &err), VK_ABSENT);
	}
	vk_lvm_device_encode(&d, raw, sizeof(raw));
	assert_true(vk_lvm_device_usable(&d, VK_LVM_DEVICE_BYTES));
	assert_int_equal(vk_lab_put(&disk, VK_LVM_HEADER_OFFSET, raw, sizeof(raw)), VK_OK);
	assert_int_equal(vk_lab_places_find(&disk, &(struct vk_lab_found){.number = 1}, &places, &err),
			 VK_ABSENT);
	close(disk.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpt_copies_are_sound_and_equal),
		cmocka_unit_test(mbr_and_its_chain_decode_back),
		cmocka_unit_test(impossible_plans_are_refused),
		cmocka_unit_test(words_that_are_wrong_are_refused),
		cmocka_unit_test(places_beyond_the_disk_are_absent),
	};

	return cmocka_run_group_tests_name("lab_plan", tests, NULL, NULL);
}
