/* SPDX-License-Identifier: Apache-2.0 */
/* The file-system descriptor is damaged in every way and mended or made new; what is not exact is said. */
#include "header_bench.h"
#include "vmfskit/file_descriptor.h"
#include "vmfskit/lock.h"
#include "vmfskit/source.h"

static const uint64_t five_gib = 5 * GIB + 100 * 512;
enum { DATA = 0x1100000, FS = DATA + 0x200000, KINDS = 5 };

static struct vk_io *open_kind(int kind)
{
	switch (kind) {
	case 0:
		return header_bench_real();
	case 1:
		return header_bench_lab("version=3,label=mail store", five_gib, 1, 0);
	case 2:
		return header_bench_lab("version=5,label=mail store", five_gib, 1, 0);
	case 3:
		return header_bench_lab("version=6,label=mail store", five_gib, 1, 0);
	default:
		return header_bench_lab("version=6l,label=mail store", five_gib, 1, 0);
	}
}

static const struct vk_header_verdict *verdict(const struct header_bench *b)
{
	return &b->header.verdicts[VK_HS_FS_DESCRIPTOR];
}

static void get_fs(struct vk_io *io, struct vk_fs_descriptor *ret)
{
	uint8_t sector[512];

	header_bench_get(io, FS, sector, sizeof(sector));
	vk_fs_descriptor_decode(sector, sizeof(sector), ret);
}

static bool fs_same(struct header_bench *b)
{
	return header_bench_same(b, FS, 512);
}

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
		assert_int_equal(verdict(&b)->state, VK_STRUCTURE_INTACT);
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
		assert_false(b.header.guessed);
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
	/* what was changed is right, or says that it is a guess */
	if (told != NULL && vk_field_origin_exact(told->origin) && !fs_same(b))
		fail_msg("kind %d, %s damaged in way %d is %s and claims to be exact: %s", kind, f->name, way,
			 told->is, told->from);
	/* and nothing else was touched */
	for (size_t i = 0; i < b->header.field_count; i++)
		if (&b->header.fields[i] != told)
			fail_msg("kind %d, %s damaged in way %d: %s was changed", kind, f->name, way,
				 b->header.fields[i].field->name);
	assert_int_equal(verdict(b)->state, told != NULL ? VK_STRUCTURE_MENDED : VK_STRUCTURE_INTACT);
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

static void assert_same_for_reading(struct header_bench *b)
{
	struct vk_fs_descriptor was, is;

	get_fs(b->sound, &was);
	get_fs(vk_overlay_io(b->plan), &is);
	assert_int_equal(is.magic, was.magic);
	assert_int_equal(is.majorVersion, was.majorVersion);
	assert_int_equal(is.minorVersion, was.minorVersion);
	assert_int_equal(is.config & 7, was.config & 7);
	assert_int_equal(is.diskBlockSize, was.diskBlockSize);
	assert_int_equal(is.fileBlockSize, was.fileBlockSize);
	assert_int_equal(is.creationTime, was.creationTime);
	assert_int_equal(is.snapID, was.snapID);
	assert_memory_equal(&is.volInfo, &was.volInfo, 16);
	assert_int_equal(is.volInfoSnapID, was.volInfoSnapID);
	assert_int_equal(is.fdcClusterGroupOffset, was.fdcClusterGroupOffset);
	assert_int_equal(is.fdcClustersPerGroup, was.fdcClustersPerGroup);
	assert_int_equal(is.subBlockSize, was.subBlockSize);
	assert_int_equal(is.mdAlignment, was.mdAlignment);
	assert_int_equal(is.sfbToLfbShift, was.sfbToLfbShift);
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
		assert_false(b.header.guessed);
		get_fs(vk_overlay_io(b.plan), &first);
		assert_int_equal(strncmp((char *)first.fsLabel, "vmfskit-recovered-", 18), 0);
		assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "uuid")->origin, VK_FIELD_FRESH);
		assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "fsLabel")->origin, VK_FIELD_FRESH);
		assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "volInfo")->origin, VK_FIELD_COPY);
		assert_true(header_bench_says(b.header.lost, b.header.lost_count, "/vmfs/volumes/<UUID>"));
		assert_true(header_bench_says(b.header.lost, b.header.lost_count, "label survives nowhere"));
		/* a second run makes the same, and with a name given, that */
		assert_int_equal(header_bench_plan(&b, &named), VK_OK);
		get_fs(vk_overlay_io(b.plan), &second);
		assert_memory_equal(&second.uuid, &first.uuid, 16);
		assert_string_equal((char *)second.fsLabel, named.label);
		assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "fsLabel")->origin, VK_FIELD_ASKED);
		assert_false(header_bench_says(b.header.lost, b.header.lost_count, "label survives nowhere"));
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
		assert_int_equal(vk_rebuild_header(vk_overlay_io(b.plan), 0, b.length_bytes, 512, NULL, third, &again, &err),
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
		assert_int_equal(b.header.lost_count, 0);
		assert_false(b.header.guessed);
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
		assert_true(header_bench_says(b.header.notes, b.header.note_count, "The label is \"renamed\""));
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
		assert_false(b.header.guessed);
		header_bench_close(&b);
	}
}

/* A label of damaged bytes is replaced and shown; one with a remainder behind its end too. */
static void damaged_labels(void **state)
{
	struct header_bench b;
	struct vk_fs_descriptor fs;

	(void)state;
	header_bench_open(&b, open_kind(2));
	header_bench_hurt(&b, FS + 0x1D, "bad\xff\x1b[2Jlabel", 13);
	assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
	get_fs(vk_overlay_io(b.plan), &fs);
	assert_int_equal(strncmp((char *)fs.fsLabel, "vmfskit-recovered-", 18), 0);
	assert_int_equal(b.header.field_count, 1);
	assert_true(header_bench_says(b.header.lost, b.header.lost_count, "\"bad\\xff\\x1b[2Jlabel"));
	assert_false(b.header.guessed);
	header_bench_close(&b);
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
	header_bench_open(&b, open_kind(2));
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
		cmocka_unit_test(sound_one_stays),
		cmocka_unit_test(magic_alone),
		cmocka_unit_test(single_fields),
		cmocka_unit_test(gone_and_made_anew),
		cmocka_unit_test(what_was_made_is_sound),
		cmocka_unit_test(header_and_descriptor_gone),
		cmocka_unit_test(nothing_left_to_make_it_of),
		cmocka_unit_test(beside_a_capture),
		cmocka_unit_test(beside_what_is_no_capture_of_it),
		cmocka_unit_test(other_block_sizes),
		cmocka_unit_test(damaged_labels),
		cmocka_unit_test(an_upgraded_volume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
