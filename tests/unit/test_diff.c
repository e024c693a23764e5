/* SPDX-License-Identifier: Apache-2.0 */
/* What changes in a field is told by that field's name, once; what no field explains is told, too. */
#include "diff_bench.h"
#include "store/diff/differ.h"

static const char volume5[] = "version=5,start=2048,label=drill,naa=naa.600144f07ed404000000496ff8cd0003,lun=3,live=2";
static const char volume6[] = "version=6,start=256,label=drill,naa=naa.600144f07ed404000000496ff8cd0003,lun=3";
static const char volume3[] = "version=3,start=128,label=drill,naa=naa.600144f07ed404000000496ff8cd0003,model=SUN:COMSTAR:1.0";

/* Flip one byte and compare. */
static struct vk_diff flip(struct bench *b, uint64_t offset, uint8_t mask)
{
	struct vk_overlay *overlay = vk_overlay_new(b->base);
	struct vk_diff diff;
	uint8_t byte;

	assert_non_null(overlay);
	assert_int_equal(vk_io_read_all(b->base, offset, &byte, 1, NULL), VK_OK);
	byte ^= mask;
	bench_put(b, overlay, offset, &byte, 1);
	diff = bench_diff(b, overlay);
	vk_overlay_free(overlay);
	return diff;
}

/* What the change of a field may be called: its own name, its alias, or that the structure is gone. */
static bool names(const struct vk_change *change, const struct vk_layout *layout, const char *field)
{
	static const char *const disk_id[] = {"disk id", "LUN", "device type", "SCSI level",
					      "vendor and model"};
	if (strcmp(field, "diskID") == 0) {
		for (size_t i = 0; i < sizeof(disk_id) / sizeof(disk_id[0]); i++)
			if (strcmp(change->field, disk_id[i]) == 0)
				return true;
		return false;
	}
	if (strcmp(field, "magic") == 0 && strcmp(change->field, "structure") == 0)
		return true;
	return strcmp(change->field, vk_diff_row_called(layout, field)) == 0;
}

static void check_flip(struct bench *b, const struct vk_layout *layout, const struct vk_field *field,
		       uint64_t at, uint32_t byte)
{
	struct vk_diff diff = flip(b, at + field->offset + byte, 0x01);
	bool named = false;

	for (size_t i = 0; i < diff.change_count; i++)
		if (names(&diff.changes[i], layout, field->name)) {
			named = true;
			assert_int_equal(diff.changes[i].is_volatile, (field->marks & VK_VOLATILE) != 0);
		}
	if (!named || diff.change_count > 2) {
		bench_show(&diff);
		fail_msg("%s, %s, byte %u: %zu changes", layout->name, field->name, byte, diff.change_count);
	}
	vk_diff_free(&diff);
}

static void check_layout(struct bench *b, const struct vk_layout *layout, uint64_t at)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct vk_field *field = &layout->fields[i];

		check_flip(b, layout, field, at, 0);
		check_flip(b, layout, field, at, field->size / 2);
		check_flip(b, layout, field, at, field->size - 1);
	}
}

static void check_disk(enum vk_table_kind table, uint32_t sector_size, const char *volume,
		       uint64_t volume_table)
{
	struct bench b = bench_make(table, sector_size, 1200ULL << 20, volume);

	check_layout(&b, &vk_lvm_device_layout, b.start + VK_LVM_HEADER_OFFSET);
	check_layout(&b, &vk_lvm_volume_layout, b.start + volume_table);
	check_layout(&b, &vk_fs_descriptor_layout, b.start + VK_LVM_DATA_OFFSET + VK_FS_OFFSET);
	bench_free(&b);
}

static void every_field_of_vmfs5(void **state)
{
	(void)state;
	check_disk(VK_TABLE_GPT, 512, volume5, 0x100200);
}

static void every_field_of_vmfs6_on_4kn(void **state)
{
	(void)state;
	check_disk(VK_TABLE_GPT, 4096, volume6, 0x101000);
}

static void every_field_of_vmfs3_on_mbr(void **state)
{
	(void)state;
	check_disk(VK_TABLE_MBR, 512, volume3, 0x100200);
}

/* Every byte of the table: one change at least; the invariants of bench_diff do the rest. */
static void check_bytes(struct bench *b, uint64_t from, uint64_t to, uint64_t step)
{
	for (uint64_t at = from; at < to; at += step) {
		struct vk_diff diff = flip(b, at, 0x01);

		if (diff.change_count == 0 || diff.change_count > 3) {
			bench_show(&diff);
			fail_msg("byte 0x%llx: %zu changes", (unsigned long long)at, diff.change_count);
		}
		vk_diff_free(&diff);
	}
}

static void every_byte_of_an_mbr(void **state)
{
	struct bench b = bench_make(VK_TABLE_MBR, 512, 1200ULL << 20, volume3);

	(void)state;
	check_bytes(&b, 0, 440, 37);
	check_bytes(&b, 440, 512, 1);
	bench_free(&b);
}

static void every_byte_of_a_gpt(void **state)
{
	struct bench b = bench_make(VK_TABLE_GPT, 512, 1200ULL << 20, volume5);
	uint64_t end = 1200ULL << 20;

	(void)state;
	check_bytes(&b, 440, 640, 3);
	check_bytes(&b, 1024, 1024 + 128, 3);
	check_bytes(&b, end - 33 * 512, end - 33 * 512 + 128, 5);
	check_bytes(&b, end - 512, end, 7);
	bench_free(&b);
}

/* Bytes anywhere in what a capture saves. */
static void bytes_anywhere(void **state)
{
	struct bench b = bench_make(VK_TABLE_GPT, 512, 1200ULL << 20, volume5);
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct vk_diff diff;

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		diff = flip(&b, b.start + (random >> 33) % (VK_LVM_DATA_OFFSET + 0x300000),
			    (uint8_t)(1U << (random >> 30 & 7)));
		assert_true(diff.matters && diff.change_count <= 2);
		vk_diff_free(&diff);
	}
	bench_free(&b);
}

static void the_same_is_the_same(void **state)
{
	struct bench b = bench_make(VK_TABLE_GPT, 512, 1200ULL << 20, volume5);
	struct vk_overlay *overlay = vk_overlay_new(b.base);
	struct vk_diff diff = bench_diff(&b, overlay);

	(void)state;
	assert_int_equal(diff.change_count, 0);
	assert_int_equal(diff.missing_bytes, 0);
	assert_true(diff.compared_bytes > 0x1100000);
	assert_false(diff.matters || diff.unrelated);
	vk_diff_free(&diff);
	vk_overlay_free(overlay);
	bench_free(&b);
}

static void one_message(struct bench *b, uint64_t offset, const void *bytes, size_t len,
			const char *message)
{
	struct vk_overlay *overlay = vk_overlay_new(b->base);
	struct vk_diff diff;

	bench_put(b, overlay, offset, bytes, len);
	diff = bench_diff(b, overlay);
	if (diff.change_count != 1 || strcmp(diff.changes[0].message, message) != 0) {
		bench_show(&diff);
		fail_msg("expected: %s", message);
	}
	vk_diff_free(&diff);
	vk_overlay_free(overlay);
}

static void messages(void **state)
{
	struct bench b = bench_make(VK_TABLE_GPT, 512, 1200ULL << 20, volume5);
	uint64_t lvm = b.start + VK_LVM_HEADER_OFFSET;
	uint64_t fs = b.start + VK_LVM_DATA_OFFSET + VK_FS_OFFSET;
	static const uint8_t zeros[512];
	uint8_t foreign[512];
	char steering[] = "a\x1b[2Jb";

	(void)state;
	one_message(&b, lvm + 0x0e, "\x04\x00", 2, "partition 1: LUN 3 -> 4");
	one_message(&b, lvm + 0x2e + 15, "\x04", 1,
		    "partition 1: disk id naa.600144f07ed404000000496ff8cd0003 -> naa.600144f07ed404000000496ff8cd0004");
	one_message(&b, fs + 0x1d, "other", 6, "partition 1: label \"drill\" -> \"other\"");
	one_message(&b, fs + 0x1d, steering, sizeof(steering),
		    "partition 1: label \"drill\" -> \"a\\x1b[2Jb\"");
	one_message(&b, b.start + 0x100210, "\x02", 1,
		    "partition 1: volume state 1 (LVM_NORMAL) -> 2 (LVM_RESIG_PENDING)");
	one_message(&b, lvm, zeros, sizeof(zeros), "partition 1: LVM device header: present -> zeros");
	one_message(&b, lvm, "x", 1, "partition 1: LVM device header: present -> overwritten");
	one_message(&b, lvm + 0x1f0, "x", 1,
		    "partition 1: LVM region: 1 byte from 0x2001f0 on differs that no field explains (00 -> 78)");
	memset(foreign, 0xa5, sizeof(foreign));
	one_message(&b, b.start + 0x100200, foreign, sizeof(foreign),
		    "partition 1: LVM volume descriptor: present -> overwritten");
	one_message(&b, b.start + 0x180600, "\x00", 1, "partition 1: PE table: extents 4 -> 3");
	bench_free(&b);
}

/* A resignature: identities change, and what only repeats them is not told again. */
static void repeated_identities_are_told_once(void **state)
{
	struct bench b = bench_make(VK_TABLE_GPT, 512, 1200ULL << 20, volume5);
	uint64_t volume = b.start + 0x100200;
	uint64_t fs = b.start + VK_LVM_DATA_OFFSET + VK_FS_OFFSET;
	struct vk_overlay *overlay = vk_overlay_new(b.base);
	struct vk_vmfs_uuid uuid = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
	char text[VK_VMFS_UUID_TEXT_BYTES];
	struct vk_diff diff;

	(void)state;
	vk_vmfs_uuid_format(&uuid, text);
	bench_put(&b, overlay, volume + 0x54, &uuid, 16);
	bench_put(&b, overlay, volume + 0x14, text, sizeof(text));
	bench_put(&b, overlay, fs + 0xb1, &uuid, 16);
	diff = bench_diff(&b, overlay);
	assert_int_equal(diff.change_count, 1);
	assert_non_null(bench_find(&diff, "partition 1: volume UUID "));
	vk_diff_free(&diff);
	vk_overlay_free(overlay);
	bench_free(&b);
}

static void heartbeats_are_summed_up(void **state)
{
	struct bench b = bench_make(VK_TABLE_GPT, 512, 1200ULL << 20, volume5);
	const struct vk_heartbeats *beats = &b.source.vmfs[0].heartbeats;
	uint64_t region = b.start + beats->offset_bytes;
	struct vk_overlay *overlay = vk_overlay_new(b.base);
	static const uint8_t zeros[1024];
	const struct vk_change *change;
	uint8_t slot[512];
	struct vk_heartbeat hb;
	struct vk_diff diff;

	(void)state;
	assert_int_equal(beats->in_use_count, 2);
	/* the first host leaves, a new one comes, the second beats */
	hb = beats->in_use[0].hb;
	memset(slot, 0, sizeof(slot));
	hb.state = VK_HB_FREE;
	memset(&hb.owner, 0, sizeof(hb.owner));
	vk_heartbeat_encode(&hb, slot, sizeof(slot));
	bench_put(&b, overlay, region + beats->in_use[0].slot * 512ULL, slot, sizeof(slot));
	hb = beats->in_use[0].hb;
	hb.owner.b[0] ^= 1;
	hb.addr = 0x300000;
	memset(slot, 0, sizeof(slot));
	vk_heartbeat_encode(&hb, slot, sizeof(slot));
	bench_put(&b, overlay, region, slot, sizeof(slot));
	bench_put(&b, overlay, region + beats->in_use[1].slot * 512ULL + 0x14, "\x55\x55", 2);
	diff = bench_diff(&b, overlay);
	assert_false(diff.matters);
	assert_int_equal(diff.change_count, 3);
	assert_non_null(bench_find(&diff, "left"));
	assert_non_null(bench_find(&diff, "appeared"));
	assert_non_null(bench_find(&diff, "partition 1: heartbeats: 3 slots changed"));
	vk_diff_free(&diff);
	/* a wiped piece of the region is no beat */
	bench_put(&b, overlay, region + 512 * 100, zeros, sizeof(zeros));
	diff = bench_diff(&b, overlay);
	change = bench_find(&diff, "partition 1: heartbeats: damaged slots 0 -> 2");
	assert_non_null(change);
	assert_false(change->is_volatile);
	vk_diff_free(&diff);
	vk_overlay_free(overlay);
	bench_free(&b);
}

/* Both copies are sound, but say different things: that is the state of the backup. */
static void copies_that_disagree(void **state)
{
	struct bench b = bench_make(VK_TABLE_GPT, 512, 1200ULL << 20, volume5);
	const struct vk_gpt_copy *backup = &b.source.table.gpt[1];
	struct vk_overlay *overlay = vk_overlay_new(b.base);
	uint32_t bytes = vk_gpt_entries_bytes(&backup->header);
	uint8_t sector[512];
	uint8_t *array = malloc(bytes);
	struct vk_diff diff;

	(void)state;
	assert_non_null(array);
	memcpy(sector, backup->sector, sizeof(sector));
	memcpy(array, backup->array, bytes);
	array[0x30] ^= 1;
	assert_true(vk_gpt_seal(sector, sizeof(sector), array));
	bench_put(&b, overlay, backup->lba * 512, sector, sizeof(sector));
	bench_put(&b, overlay, backup->header.entriesLBA * 512, array, bytes);
	diff = bench_diff(&b, overlay);
	assert_int_equal(diff.change_count, 1);
	assert_string_equal(diff.changes[0].message,
			    "partition table: backup GPT sound -> sound, but of other content than the primary");
	vk_diff_free(&diff);
	free(array);
	vk_overlay_free(overlay);
	bench_free(&b);
}

/* Bytes that differ everywhere: still one line, and no more ranges than are allowed. */
static void ranges_are_bounded(void **state)
{
	struct bench b = bench_make(VK_TABLE_GPT, 512, 1200ULL << 20, volume5);
	struct vk_overlay *overlay = vk_overlay_new(b.base);
	const size_t len = 4 << 20, step = 32;
	uint8_t *bytes = calloc(1, len);
	struct vk_diff diff;

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < len; i += step)
		bytes[i] = 1;
	bench_put(&b, overlay, b.start + 0x400000, bytes, len);
	diff = bench_diff(&b, overlay);
	assert_int_equal(diff.range_count, VK_BYTE_CHANGES_MAX);
	assert_int_equal(diff.ranges_dropped, len / step - VK_BYTE_CHANGES_MAX);
	assert_int_equal(diff.change_count, 1);
	assert_string_equal(diff.changes[0].message,
			    "partition 1: LVM region: 131072 bytes from 0x500000 on differ that no field "
			    "explains (0000000000000000... -> 0101010101010101...)");
	vk_diff_free(&diff);
	free(bytes);
	vk_overlay_free(overlay);
	bench_free(&b);
}

static void a_gap_is_no_difference(void **state)
{
	struct bench b = bench_make(VK_TABLE_GPT, 512, 1200ULL << 20, volume5);
	uint8_t bytes[512];
	const struct vk_io_piece piece = {b.start + VK_LVM_HEADER_OFFSET, sizeof(bytes), bytes};
	struct vk_source after;
	struct vk_diff diff;
	struct vk_error err;
	struct vk_io *io;

	(void)state;
	assert_int_equal(vk_io_read_all(b.base, piece.offset_bytes, bytes, sizeof(bytes), NULL), VK_OK);
	io = vk_io_pieces("gap", &piece, 1, 512, NULL);
	assert_non_null(io);
	must(vk_source_open_io(io, "gap", VK_FORM_RAW,
			       &(struct vk_source_options){.as = VK_SOURCE_DISK, .sector_size = 512}, &after,
			       &err),
	     &err);
	after.size_bytes = b.source.size_bytes;
	must(vk_diff_sources(&b.source, &after, &diff, &err), &err);
	if (diff.change_count != 0)
		bench_show(&diff);
	assert_int_equal(diff.change_count, 0);
	assert_true(diff.compared_bytes == 512);
	assert_true(diff.missing_bytes > 0x1000000);
	vk_diff_free(&diff);
	vk_source_close(&after);
	bench_free(&b);
}

static void other_disks_and_other_kinds(void **state)
{
	struct bench a = bench_make(VK_TABLE_GPT, 512, 1200ULL << 20, volume5);
	struct bench b = bench_make(VK_TABLE_MBR, 512, 800ULL << 20, "version=3,start=63,label=other");
	struct vk_diff diff;
	struct vk_error err;

	(void)state;
	must(vk_diff_sources(&a.source, &b.source, &diff, &err), &err);
	assert_true(diff.matters);
	assert_non_null(bench_find(&diff, "disk: size 1.17 GiB (1258291200 bytes) -> 800 MiB (838860800 bytes)"));
	assert_non_null(bench_find(&diff, "partition table: kind gpt (1 partition) -> mbr (1 partition)"));
	vk_diff_free(&diff);
	b.source.kind = VK_SOURCE_PARTITION;
	assert_int_equal(vk_diff_sources(&a.source, &b.source, &diff, &err), VK_USAGE);
	a.source.kind = VK_SOURCE_VOLUME;
	b.source.kind = VK_SOURCE_VOLUME;
	assert_int_equal(vk_diff_sources(&a.source, &b.source, &diff, &err), VK_USAGE);
	bench_free(&a);
	bench_free(&b);
}

/* What hosts write by themselves: one more, or one less, is a decision about every night's mail. */
static void few_fields_are_volatile(void **state)
{
	static const struct vk_layout *const layouts[] = {
		&vk_lvm_device_layout, &vk_lvm_volume_layout, &vk_fs_descriptor_layout};
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		for (size_t k = 0; k < layouts[i]->count; k++)
			count += (layouts[i]->fields[k].marks & VK_VOLATILE) != 0;
	assert_int_equal(count, 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_the_same),
		cmocka_unit_test(messages),
		cmocka_unit_test(every_field_of_vmfs5),
		cmocka_unit_test(every_field_of_vmfs6_on_4kn),
		cmocka_unit_test(every_field_of_vmfs3_on_mbr),
		cmocka_unit_test(every_byte_of_an_mbr),
		cmocka_unit_test(every_byte_of_a_gpt),
		cmocka_unit_test(bytes_anywhere),
		cmocka_unit_test(repeated_identities_are_told_once),
		cmocka_unit_test(heartbeats_are_summed_up),
		cmocka_unit_test(copies_that_disagree),
		cmocka_unit_test(ranges_are_bounded),
		cmocka_unit_test(a_gap_is_no_difference),
		cmocka_unit_test(other_disks_and_other_kinds),
		cmocka_unit_test(few_fields_are_volatile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
