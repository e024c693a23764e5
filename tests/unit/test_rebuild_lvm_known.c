/* SPDX-License-Identifier: Apache-2.0 */
/* Captures, other extents and the live LUN: what the repair of LVM regions takes from them, and how sure that is. */
#include "header_bench.h"
#include "scsi/device_info.h"

static const uint64_t five_gib = 5 * GIB + 100 * 512;

/* The sound partition as a decoded source, as a capture or another extent would be. */
static struct vk_source open_source(struct vk_io *io)
{
	struct vk_source_options how = {.as = VK_SOURCE_PARTITION, .sector_size = 512};
	struct vk_io *all = vk_io_window(io, 0, vk_io_size_bytes(io));
	struct vk_source source;
	struct vk_error err = {0};

	assert_non_null(all);
	if (vk_source_open_io(all, "earlier", VK_FORM_RAW, &how, &source, &err) != VK_OK)
		fail_msg("%s", err.what);
	assert_int_equal(source.vmfs_count, 1);
	return source;
}

/* With a capture every field comes back, also those that nothing else tells. */
static void captures_know_every_field(void **state)
{
	static const struct {
		const char *spec;
		uint64_t volume_at;
	} kinds[] = {{"version=3", 0x100200}, {"version=5", 0x100200}, {"version=6", 0x101000}};

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct vk_io *io = header_bench_lab(kinds[k].spec, five_gib, 1, 0);
		struct vk_source source = open_source(io);
		struct vk_known_header known = {&source, 0, "capture of yesterday", false};
		struct vk_rebuild_header_options options = {.known = &known, .known_count = 1};
		struct header_bench b;

		header_bench_open(&b, io);
		for (uint64_t at = 0x100000; at < 0x1000D6; at += 2) {
			header_bench_reset(&b);
			header_bench_hurt(&b, at, at % 3 == 0 ? "\0\0" : "\xEE\x11", 2);
			header_bench_must_plan(&b, &options);
			if (!header_bench_lvm_same(&b))
				fail_msg("%s: byte 0x%llx did not come back", kinds[k].spec, (unsigned long long)at);
		}
		for (uint64_t at = 0; at < 0x114; at += 2) {
			header_bench_reset(&b);
			header_bench_hurt(&b, kinds[k].volume_at + at, at % 3 == 0 ? "\0\0" : "\xEE\x11", 2);
			header_bench_must_plan(&b, &options);
			if (!header_bench_lvm_same(&b))
				fail_msg("%s: byte 0x%llx of the volume did not come back", kinds[k].spec,
					 (unsigned long long)at);
		}
		header_bench_reset(&b);
		header_bench_zero(&b, 0x100000, 0x1000000);
		header_bench_must_plan(&b, &options);
		assert_true(header_bench_lvm_same(&b));
		assert_false(b.header.guessed); /* nor are the PE tables, which the capture shows */
		source.vmfs[0].start_sector++;  /* so that it shows others */
		header_bench_must_plan(&b, &options);
		assert_true(b.header.guessed);
		header_bench_close(&b);
		vk_source_close(&source);
	}
}

/* A capture from before a change of the header gives nothing that may change, and one of another device nothing at all. */
static void captures_are_not_believed_blindly(void **state)
{
	struct vk_io *io = header_bench_lab("version=5", five_gib, 1, 0);
	struct vk_io *other = header_bench_lab("version=5,label=other,block-size=2M", 6 * GIB, 1, 0);
	struct vk_source source = open_source(io), stranger = open_source(other);
	struct vk_known_header known[2] = {{&stranger, 0, "stranger", false}, {&source, 0, "earlier", false}};
	struct vk_rebuild_header_options options = {.known = known, .known_count = 2};
	struct header_bench b;
	uint8_t later;

	(void)state;
	stranger.vmfs[0].fs.volInfo.b[5] ^= 0x55;
	stranger.vmfs[0].lvm.devID.b[5] ^= 0x55;
	stranger.vmfs[0].lvm.initTimeUS += 86400ULL * 1000000;
	stranger.vmfs[0].volumes[0].volume.uuid.b[5] ^= 0x55;
	stranger.vmfs[0].volumes[0].volume.name[12] ^= 1;
	header_bench_open(&b, io);
	header_bench_hurt(&b, 0x100072, "\x2A", 1); /* generation and time of change: the header is newer */
	header_bench_get(io, 0x10009D, &later, 1);
	later++;
	header_bench_hurt(&b, 0x10009D, &later, 1);
	header_bench_hurt(&b, 0x10000E, "\x09", 1); /* LUN */
	header_bench_must_plan(&b, &options);
	assert_true(b.header.nothing_to_do);
	assert_true(header_bench_says(b.header.notes, b.header.note_count, "stranger is of another volume"));
	assert_true(header_bench_says(b.header.notes, b.header.note_count, "was changed since earlier"));
	header_bench_close(&b);
	vk_source_close(&source);
	vk_source_close(&stranger);
	vk_io_close(other);
}

static void assert_origin(const struct header_bench *b, const struct vk_layout *layout, const char *name,
			  enum vk_field_origin origin)
{
	const struct vk_rebuilt_field *f = header_bench_field(b, layout, name);

	if (f == NULL || f->origin != origin)
		fail_msg("%s: %s", name, f == NULL ? "not told" : vk_field_origin_name(f->origin));
}

/* Generation and time of change of what is left are others than in the capture: it knows the lost half of before. */
static void captures_of_before_a_change(void **state)
{
	struct vk_io *io = header_bench_lab("version=5", five_gib, 1, 0);
	struct vk_source source = open_source(io);
	struct vk_known_header known = {&source, 0, "earlier", false};
	struct vk_rebuild_header_options options = {.known = &known, .known_count = 1};
	struct vk_scsi_disk_id live = source.vmfs[0].lvm.diskID;
	struct header_bench b;

	(void)state;
	header_bench_open(&b, io);
	for (unsigned later = 0; later < 2; later++) {
		enum vk_field_origin may_change = later ? VK_FIELD_USUAL : VK_FIELD_CAPTURE;

		header_bench_reset(&b);
		header_bench_zero(&b, 0x100000, 512);
		if (later) {
			header_bench_hurt(&b, 0x100208, "\x2A", 1);
			header_bench_hurt(&b, 0x100288 + 5, "\x2A", 1);
		}
		header_bench_must_plan(&b, &options);
		assert_origin(&b, &vk_lvm_device_layout, "generation", may_change);
		assert_origin(&b, &vk_lvm_device_layout, "modTimeUS", may_change);
		assert_origin(&b, &vk_scsi_disk_id_layout, "id", may_change);
		assert_origin(&b, &vk_lvm_device_layout, "devID", VK_FIELD_CAPTURE);
		assert_true(vk_field_origin_exact(header_bench_field(&b, &vk_lvm_device_layout, "numPEs")->origin));
		assert_true(vk_field_origin_exact(header_bench_field(&b, &vk_lvm_device_layout, "totalBytes")->origin));
		assert_true(header_bench_same(&b, 0x100000, 512));
		assert_int_equal(b.header.guessed, later);
		assert_int_equal(header_bench_says(b.header.notes, b.header.note_count, "may be old"), later);
	}
	/* and whose label is told is not surer than that */
	header_bench_zero(&b, 0x1300000, 512);
	header_bench_must_plan(&b, &options);
	assert_origin(&b, &vk_fs_descriptor_layout, "minorVersion", VK_FIELD_USUAL);
	assert_origin(&b, &vk_fs_descriptor_layout, "uuid", VK_FIELD_CAPTURE);
	/* where the disk lies now is told better by itself */
	options.live_id = &live;
	header_bench_must_plan(&b, &options);
	assert_string_equal(header_bench_field(&b, &vk_scsi_disk_id_layout, "id")->from, "the LUN as this host sees it");
	options.live_id = NULL;
	header_bench_reset(&b);
	header_bench_zero(&b, 0x100200, 512);
	header_bench_hurt(&b, 0x100072, "\x2A", 1);
	header_bench_hurt(&b, 0x10009A + 5, "\x2A", 1);
	header_bench_must_plan(&b, &options);
	assert_origin(&b, &vk_lvm_volume_layout, "generation", VK_FIELD_USUAL);
	assert_origin(&b, &vk_lvm_volume_layout, "uuid", VK_FIELD_COPY);
	assert_origin(&b, &vk_lvm_volume_layout, "creationTimeUS", VK_FIELD_CAPTURE);
	assert_true(vk_field_origin_exact(header_bench_field(&b, &vk_lvm_volume_layout, "numPEs")->origin));
	assert_true(header_bench_same(&b, 0x100200, 512));
	assert_true(header_bench_says(b.header.notes, b.header.note_count, "The volume descriptor is lost"));
	/* one field of a sound header is told by its own name */
	header_bench_reset(&b);
	header_bench_hurt(&b, 0x10000E, "\x09", 1);
	header_bench_must_plan(&b, &options);
	assert_origin(&b, &vk_scsi_disk_id_layout, "lun", VK_FIELD_CAPTURE);
	header_bench_close(&b);
	vk_source_close(&source);
}

/* A disk id that survives nowhere becomes that of the LUN; not when the SD table names another one. */
static void the_live_lun_is_told(void **state)
{
	const struct vk_device_info virtual = {.wwid = "naa.600144f0c0ffee000000000000000042", .model = "Virtual disk"};
	const struct vk_device_info none = {.wwid = "t10.ATA     disk", .model = "disk"};
	struct vk_io *io = header_bench_lab("version=5", five_gib, 1, 0);
	struct vk_scsi_disk_id live;
	struct vk_rebuild_header_options options = {.live_id = &live};
	struct vk_lvm_geometry g;
	struct header_bench b;

	(void)state;
	assert_false(vk_device_info_disk_id(&none, &live));
	assert_true(vk_device_info_disk_id(&virtual, &live));
	assert_int_equal(live.type, VK_SCSI_ID_NAA);
	assert_int_equal(live.len, 22);
	assert_memory_equal(live.id + 16, "Virtua", 6);
	header_bench_open(&b, io);
	header_bench_zero(&b, 0x100000, 0x80000);
	header_bench_must_plan(&b, &options);
	assert_origin(&b, &vk_scsi_disk_id_layout, "id", VK_FIELD_USUAL);
	assert_true(header_bench_says(b.header.notes, b.header.note_count, "as the original on this LUN"));
	assert_false(header_bench_says(b.header.lost, b.header.lost_count, "diskID"));
	vk_lvm_geometry(&(struct vk_lvm_device){.majorVersion = 5}, 0x100000, &g);
	header_bench_hurt(&b, g.sd_table, "naa.600144f0c0ffee000000000000000043:1", 39);
	header_bench_must_plan(&b, &options);
	assert_true(header_bench_says(b.header.notes, b.header.note_count, "it may be a copy"));
	assert_origin(&b, &vk_scsi_disk_id_layout, "id", VK_FIELD_FRESH);
	header_bench_close(&b);
}

static void other_extents_tell(void **state)
{
	(void)state;
	for (size_t lost = 0; lost < 2; lost++) {
		struct vk_io *io = header_bench_lab("version=5", five_gib, 2, lost);
		struct vk_io *other = header_bench_lab("version=5", five_gib, 2, 1 - lost);
		struct vk_source source = open_source(other);
		struct vk_known_header known = {&source, 0, "the other extent", true};
		struct vk_rebuild_header_options options = {.known = &known, .known_count = 1};
		const struct vk_rebuilt_field *f;
		struct header_bench b;

		header_bench_open(&b, io);
		header_bench_must_plan(&b, NULL);
		assert_true(b.header.nothing_to_do);
		header_bench_hurt(&b, 0x100290, "\x07", 1); /* numDevs */
		header_bench_must_plan(&b, &options);
		assert_true(header_bench_lvm_same(&b));
		assert_int_equal(header_bench_field(&b, &vk_lvm_volume_layout, "numDevs")->origin, VK_FIELD_MEMBER);
		header_bench_reset(&b);
		header_bench_zero(&b, 0x100000, 0x1000000);
		header_bench_must_plan(&b, &options);
		header_bench_reads_the_same(&b);
		f = header_bench_field(&b, &vk_lvm_volume_layout, "logicalSize");
		assert_int_equal(f->origin, VK_FIELD_MEMBER);
		header_bench_close(&b);
		vk_source_close(&source);
		vk_io_close(other);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captures_know_every_field),
		cmocka_unit_test(captures_are_not_believed_blindly),
		cmocka_unit_test(captures_of_before_a_change),
		cmocka_unit_test(the_live_lun_is_told),
		cmocka_unit_test(other_extents_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
