/* SPDX-License-Identifier: Apache-2.0 */
/* The file-system descriptor beside captures and other extents, and on upgraded volumes. */
#include "fs_bench.h"
#include "vmfskit/file_descriptor.h"
#include "vmfskit/lock.h"
#include "vmfskit/source.h"

/* A second reading of the same volume: what a capture would hold. */
static void open_capture(int kind, struct vk_source *ret)
{
	const struct vk_source_options options = {.as = VK_SOURCE_PARTITION};
	struct vk_error err = {0};
	struct vk_io *io = open_kind(kind);

	assert_non_null(io);
	if (vk_source_open_io(io, "capture", VK_FORM_RAW, &options, ret, &err) != VK_OK)
		fail_msg("%s", err.what);
	assert_int_equal(ret->vmfs_count, 1);
}

static void beside_a_capture(void **state)
{
	(void)state;
	for (int kind = 1; kind < KINDS; kind++) {
		struct vk_source capture;
		const struct vk_known_header known = {&capture, 0, "capture of last night", false};
		const struct vk_rebuild_header_options with = {.known = &known, .known_count = 1, .label = "another"};
		struct header_bench b;

		open_capture(kind, &capture);
		header_bench_open(&b, open_kind(kind));
		header_bench_zero(&b, FS, 512);
		assert_int_equal(header_bench_plan(&b, &with), VK_OK);
		assert_true(fs_same(&b));
		assert_int_equal(verdict(&b)->state, VK_STRUCTURE_REBUILT);
		assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "uuid")->origin, VK_FIELD_CAPTURE);
		assert_string_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "fsLabel")->from, known.name);
		assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "fsLabel")->origin, VK_FIELD_USUAL);
		assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "config") == NULL ? VK_FIELD_USUAL :
				 header_bench_field(&b, &vk_fs_descriptor_layout, "config")->origin, VK_FIELD_USUAL);
		assert_true(header_bench_says(b.header.notes, b.header.note_count, "that was renamed since"));
		assert_int_equal(b.header.lost_count, 0);
		assert_true(b.header.guessed); /* label, config and more may have changed since */
		/* what never changes is compared, though nothing else speaks against it */
		header_bench_reset(&b);
		header_bench_hurt(&b, FS + 9 + 4, "\x01\x02\x03\x04", 4);
		assert_int_equal(header_bench_plan(&b, &with), VK_OK);
		assert_true(fs_same(&b));
		assert_int_equal(b.header.field_count, 1);
		assert_int_equal(b.header.fields[0].origin, VK_FIELD_CAPTURE);
		/* a datastore may have been renamed */
		header_bench_reset(&b);
		header_bench_hurt(&b, FS + 0x1D, "renamed\0\0\0", 10);
		assert_int_equal(header_bench_plan(&b, &with), VK_OK);
		assert_true(b.header.nothing_to_do);
		assert_true(header_bench_says(b.header.notes, b.header.note_count, "the label is \"renamed\""));
		header_bench_close(&b);
		vk_source_close(&capture);
	}
}

/* The capture of another volume, and another extent, say nothing of this descriptor. */
static void beside_what_is_no_capture_of_it(void **state)
{
	struct vk_source other;
	struct vk_known_header known = {&other, 0, "capture of another volume", false};
	const struct vk_rebuild_header_options with = {.known = &known, .known_count = 1};
	struct header_bench b;

	(void)state;
	open_capture(1, &other);
	header_bench_open(&b, open_kind(2));
	header_bench_zero(&b, FS, 512);
	assert_int_equal(header_bench_plan(&b, &with), VK_OK);
	assert_same_for_reading(&b);
	assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "uuid")->origin, VK_FIELD_FRESH);
	assert_true(header_bench_says(b.header.notes, b.header.note_count, "holds the descriptor of another volume"));
	known.member = true;
	assert_int_equal(header_bench_plan(&b, &with), VK_OK);
	assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "uuid")->origin, VK_FIELD_FRESH);
	header_bench_close(&b);
	vk_source_close(&other);
}

/* A driver of VMFS5 has used the volume, whose files are those of VMFS3. */
static void put_driver(struct header_bench *b)
{
	struct vk_heartbeat hb = {.state = VK_HB_FREE, .addr = 0x300000, .hbGen = 1, .driveX = 14, .driveY = 81};
	uint8_t raw[512] = {0};

	vk_heartbeat_encode(&hb, raw, sizeof(raw));
	header_bench_hurt(b, DATA + 0x300000, raw, sizeof(raw));
}

/* .pb2.sf of a VMFS5 that was upgraded: in cluster 1 of .fdc.sf, named by the root directory. */
static void put_pb2_elsewhere(struct header_bench *b)
{
	enum { AT = 0x429800 };
	const uint32_t address = vk_fd_address(1, 3);
	struct vk_lock lock = {.type = VK_FD_LOCK_TYPE, .addr = AT};
	struct vk_file_metadata m = {.descAddr = address, .generation = 3, .linkCount = 1, .type = VK_FILE_SYSTEM};
	struct vk_file_metadata root;
	uint8_t raw[1024] = {0}, entry[140] = {5};

	vk_lock_encode(&lock, raw, 512);
	vk_file_metadata_encode(&m, raw + 512, 512);
	header_bench_hurt(b, DATA + AT, raw, sizeof(raw));
	header_bench_get(b->sound, DATA + 0x418200, raw, 512);
	vk_file_metadata_decode(raw, 512, &root);
	memcpy(entry + 4, &address, 4);
	memcpy(entry + 12, ".pb2.sf", 7);
	header_bench_hurt(b, DATA + 0x500000 + root.fileLength, entry, sizeof(entry));
	root.fileLength += sizeof(entry);
	vk_file_metadata_encode(&root, raw, 512);
	header_bench_hurt(b, DATA + 0x418200, raw, 512);
}

static void an_upgraded_volume(void **state)
{
	struct vk_fs_descriptor fs;
	struct header_bench b;

	(void)state;
	header_bench_open(&b, open_kind(1));
	put_driver(&b);
	put_pb2_elsewhere(&b);
	header_bench_zero(&b, FS, 512);
	assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
	get_fs(vk_overlay_io(b.plan), &fs);
	assert_int_equal(fs.pb2VolAddr, 0x429800);
	assert_int_equal(fs.pb2FDAddr, vk_fd_address(1, 3));
	assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "pb2VolAddr")->origin, VK_FIELD_COPY);
	assert_int_equal(fs.config, 2);
	/* without its root it cannot be known, and that is said */
	header_bench_zero(&b, DATA + 0x500000, 4096);
	assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
	assert_null(header_bench_field(&b, &vk_fs_descriptor_layout, "pb2VolAddr"));
	assert_true(header_bench_says(b.header.lost, b.header.lost_count, ".pb2.sf is not known"));
	header_bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beside_a_capture),
		cmocka_unit_test(beside_what_is_no_capture_of_it),
		cmocka_unit_test(an_upgraded_volume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
