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
			/* a later modTimeUS may be right */
			header_bench_hurt(&b, kinds[k].volume_at + at, at % 3 == 0 || at == 0x88 ? "\0\0" : "\xEE\x11", 2);
			header_bench_must_plan(&b, &options);
			if (!header_bench_lvm_same(&b))
				fail_msg("%s: byte 0x%llx of the volume did not come back", kinds[k].spec,
					 (unsigned long long)at);
		}
		header_bench_reset(&b);
		header_bench_zero(&b, 0x100000, 0x1000000);
		header_bench_must_plan(&b, &options);
		assert_true(header_bench_lvm_same(&b));
		assert_true(b.header.guessed); /* whether anything was changed since is not known */
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

/* Of a lost structure a capture knows what never changes; whether the other one was changed since tells nothing of it. */
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
		const enum vk_field_origin may_change = VK_FIELD_USUAL;

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
		assert_true(b.header.guessed);
		assert_true(header_bench_says(b.header.notes, b.header.note_count, "may be old"));
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
	header_bench_must_plan(&b, &options); /* the header as it was says nothing of the volume descriptor */
	assert_origin(&b, &vk_lvm_volume_layout, "generation", VK_FIELD_USUAL);
	header_bench_hurt(&b, 0x100072, "\x2A", 1);
	header_bench_hurt(&b, 0x10009A + 5, "\x2A", 1);
	header_bench_must_plan(&b, &options);
	assert_origin(&b, &vk_lvm_volume_layout, "generation", VK_FIELD_USUAL);
	assert_origin(&b, &vk_lvm_volume_layout, "uuid", VK_FIELD_COPY);
	assert_origin(&b, &vk_lvm_volume_layout, "creationTimeUS", VK_FIELD_CAPTURE);
	assert_true(vk_field_origin_exact(header_bench_field(&b, &vk_lvm_volume_layout, "numPEs")->origin));
	assert_true(header_bench_same(&b, 0x100200, 512));
	assert_true(header_bench_says(b.header.notes, b.header.note_count, "the volume descriptor is lost"));
	/* one field of a sound header is told by its own name */
	header_bench_reset(&b);
	header_bench_hurt(&b, 0x10000E, "\x09", 1);
	header_bench_must_plan(&b, &options);
	assert_origin(&b, &vk_scsi_disk_id_layout, "lun", VK_FIELD_CAPTURE);
	header_bench_close(&b);
	vk_source_close(&source);
}

/* Nothing but the caller says that the capture is of this disk: not even what never changes is sure. */
static void captures_that_nothing_ties(void **state)
{
	struct vk_io *io = header_bench_lab("version=5", five_gib, 1, 0);
	struct vk_source source = open_source(io);
	struct vk_known_header known = {&source, 0, "earlier", false};
	struct vk_rebuild_header_options options = {.known = &known, .known_count = 1};
	struct header_bench b;

	(void)state;
	header_bench_open(&b, io);
	header_bench_zero(&b, 0x100000, 0x1300000);
	header_bench_must_plan(&b, &options);
	assert_origin(&b, &vk_lvm_device_layout, "devID", VK_FIELD_USUAL);
	assert_origin(&b, &vk_lvm_volume_layout, "uuid", VK_FIELD_USUAL);
	assert_origin(&b, &vk_fs_descriptor_layout, "uuid", VK_FIELD_USUAL);
	for (size_t i = 0; i < b.header.field_count; i++)
		if (b.header.fields[i].origin == VK_FIELD_CAPTURE)
			fail_msg("%s %s", b.header.fields[i].layout->name,
				 b.header.fields[i].field != NULL ? b.header.fields[i].field->name : "");
	header_bench_close(&b);
	vk_source_close(&source);
}

/* The tables, the members' names and the descriptor of a volume whose volume descriptor stands as it was. */
static void captures_beside_a_sound_volume(void **state)
{
	struct vk_io *io = header_bench_lab("version=5", five_gib, 1, 0);
	struct vk_source source = open_source(io);
	struct vk_known_header known = {&source, 0, "earlier", false};
	struct vk_rebuild_header_options options = {.known = &known, .known_count = 1};
	struct vk_lvm_geometry g;
	struct header_bench b;

	(void)state;
	vk_lvm_geometry(&source.vmfs[0].lvm, 0x100000, &g);
	header_bench_open(&b, io);
	header_bench_zero(&b, g.first_bitmap, g.bitmap_bytes + 0x100000);
	header_bench_must_plan(&b, &options);
	assert_false(b.header.guessed); /* a volume that did not change did not grow */
	header_bench_hurt(&b, 0x100208, "\x2A", 1);
	header_bench_hurt(&b, 0x100288 + 5, "\x2A", 1);
	header_bench_must_plan(&b, &options);
	assert_true(b.header.guessed);
	header_bench_reset(&b);
	header_bench_zero(&b, 0x1300000, 512); /* changes without the LVM region: an upgrade, a new label */
	header_bench_must_plan(&b, &options);
	assert_origin(&b, &vk_fs_descriptor_layout, "config", VK_FIELD_USUAL);
	assert_origin(&b, &vk_fs_descriptor_layout, "gblGeneration", VK_FIELD_USUAL);
	assert_origin(&b, &vk_fs_descriptor_layout, "uuid", VK_FIELD_CAPTURE);
	assert_true(header_bench_same(&b, 0x1300000, 512));
	header_bench_close(&b);
	vk_source_close(&source);
}

/* Generation counts changes of the structure; times and locks pass by, and are not set back. */
static void newer_times_and_locks_stay(void **state)
{
	struct vk_io *io = header_bench_lab("version=6", five_gib, 1, 0);
	struct vk_source source = open_source(io);
	struct vk_known_header known = {&source, 0, "earlier", false};
	struct vk_rebuild_header_options options = {.known = &known, .known_count = 1};
	struct header_bench b;
	uint8_t later;

	(void)state;
	header_bench_open(&b, io);
	header_bench_get(io, 0x10009D, &later, 1);
	later++;
	header_bench_hurt(&b, 0x10009D, &later, 1);
	header_bench_hurt(&b, 0x1000A2, "0123456789abcdef", 16); /* lockedBy */
	header_bench_hurt(&b, 0x10000E, "\x09", 1);               /* LUN */
	header_bench_get(io, 0x10108B, &later, 1);
	later++;
	header_bench_hurt(&b, 0x10108B, &later, 1);
	header_bench_must_plan(&b, &options);
	assert_true(b.header.nothing_to_do);
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
		header_bench_zero(&b, 0x100200, 512);
		assert_int_equal(header_bench_plan(&b, NULL), VK_UNSUPPORTED);
		assert_non_null(strstr(b.err.what, "the volume descriptor is lost"));
		header_bench_zero(&b, 0x100000, 0x1000000);
		header_bench_must_plan(&b, &options);
		header_bench_reads_the_same(&b);
		f = header_bench_field(&b, &vk_lvm_volume_layout, "logicalSize");
		assert_int_equal(f->origin, VK_FIELD_USUAL); /* one other extent alone */
		assert_origin(&b, &vk_lvm_volume_layout, "modTimeUS", VK_FIELD_FRESH);
		assert_true(header_bench_says(b.header.lost, b.header.lost_count, "modTimeUS"));
		header_bench_close(&b);
		vk_source_close(&source);
		vk_io_close(other);
	}
}

/* A capture of before a resignature: the UUID of then is not put back, and volInfo, which stands, is not bent to it. */
static void resignatured_since(void **state)
{
	struct vk_io *io = header_bench_lab("version=5", five_gib, 1, 0);
	struct vk_source source = open_source(io);
	struct vk_known_header known = {&source, 0, "earlier", false};
	struct vk_rebuild_header_options options = {.known = &known, .known_count = 1};
	struct vk_lvm_volume *then = &source.vmfs[0].volumes[0].volume;
	char text[VK_VMFS_UUID_TEXT_BYTES];
	struct header_bench b;

	(void)state;
	assert_true(vk_vmfs_uuid_parse("47000000-12345678-9abc-0050560ec449", &then->uuid));
	vk_vmfs_uuid_format(&then->uuid, text);
	memcpy(then->name, text, sizeof(text));
	header_bench_open(&b, io);
	header_bench_zero(&b, 0x100200, 512);
	header_bench_must_plan(&b, &options);
	assert_true(header_bench_same(&b, 0x100254, 16) && header_bench_same(&b, 0x100214, 64));
	assert_true(header_bench_same(&b, 0x1300000, 512));
	assert_origin(&b, &vk_lvm_volume_layout, "uuid", VK_FIELD_USUAL);
	assert_true(header_bench_says(b.header.notes, b.header.note_count, "it was resignatured since"));
	header_bench_close(&b);
	vk_source_close(&source);
}

/* One disk that is named twice is one witness, and this extent, or a copy of it, is none. */
static void a_disk_that_is_named_twice(void **state)
{
	static const char *const names[] = {"once", "twice"};
	struct vk_io *first = header_bench_lab("version=5", five_gib, 2, 0), *io = header_bench_lab("version=5", five_gib, 2, 1);
	struct vk_source source = open_source(first), own = open_source(io);
	struct vk_known_header known[2];
	struct vk_rebuild_header_options options = {.known = known, .known_count = 2};
	struct header_bench b;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		known[i] = (struct vk_known_header){&source, 0, names[i], true};
	header_bench_open(&b, io);
	header_bench_zero(&b, 0x100200, 512);
	header_bench_must_plan(&b, &options);
	assert_origin(&b, &vk_lvm_volume_layout, "generation", VK_FIELD_USUAL);
	header_bench_reset(&b);
	known[0] = known[1] = (struct vk_known_header){&own, 0, "itself", true};
	header_bench_must_plan(&b, &options);
	assert_true(header_bench_says(b.header.notes, b.header.note_count, "itself begins where this extent does"));
	header_bench_close(&b);
	vk_source_close(&source);
	vk_source_close(&own);
	vk_io_close(first);
}

/* A capture of another extent of the volume is none of this one, and one extent that is wrong is outvoted. */
static void extents_are_told_apart(void **state)
{
	static const struct {
		const char *field;
		uint64_t at;
	} fields[] = {{"logicalSize", 0x100200}, {"generation", 0x100208}, {"creationTimeUS", 0x100268}, {"numDevs", 0x100290}};
	struct vk_io *io[3];
	struct vk_source source[3];
	struct vk_known_header known[2];
	struct vk_rebuild_header_options options = {.known = known, .known_count = 2};
	struct header_bench b;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		io[i] = header_bench_lab("version=5", five_gib, 3, i);
		source[i] = open_source(io[i]);
	}
	header_bench_open(&b, io[1]);
	known[0] = (struct vk_known_header){&source[0], 0, "first", false};
	header_bench_zero(&b, 0x100000, 512);
	options.known_count = 1;
	header_bench_must_plan(&b, &options);
	assert_true(header_bench_says(b.header.notes, b.header.note_count, "first is of another volume"));
	options.known_count = 2;
	for (size_t i = 0; i < 2; i++)
		known[i] = (struct vk_known_header){&source[2 * i], 0, i == 0 ? "first" : "third", true};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct vk_lvm_volume *v = &source[0].vmfs[0].volumes[0].volume, was = *v;

		header_bench_reset(&b);
		header_bench_zero(&b, 0x100200, 512);
		header_bench_must_plan(&b, &options);
		assert_origin(&b, &vk_lvm_volume_layout, fields[i].field, VK_FIELD_MEMBER);
		v->logicalSize ^= i == 0 ? 4U : 0U;
		v->generation ^= i == 1 ? 4U : 0U;
		v->creationTimeUS ^= i == 2 ? 4U : 0U;
		v->numDevs ^= i == 3 ? 64U : 0U;
		header_bench_must_plan(&b, &options); /* the two differ: it is not what stood there for certain */
		assert_origin(&b, &vk_lvm_volume_layout, fields[i].field, VK_FIELD_USUAL);
		header_bench_reset(&b); /* here it stands, and with the third extent it outvotes the first */
		header_bench_must_plan(&b, &options);
		assert_true(b.header.nothing_to_do);
		*v = was;
		header_bench_hurt(&b, fields[i].at, "\x07", 1);
		header_bench_must_plan(&b, &options);
		assert_origin(&b, &vk_lvm_volume_layout, fields[i].field, VK_FIELD_MEMBER);
		assert_true(header_bench_same(&b, 0x100200, 512));
		assert_false(b.header.guessed);
	}
	header_bench_close(&b);
	for (size_t i = 0; i < 3; i++)
		vk_source_close(&source[i]);
	vk_io_close(io[0]);
	vk_io_close(io[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captures_know_every_field),
		cmocka_unit_test(captures_are_not_believed_blindly),
		cmocka_unit_test(captures_of_before_a_change),
		cmocka_unit_test(captures_that_nothing_ties),
		cmocka_unit_test(captures_beside_a_sound_volume),
		cmocka_unit_test(newer_times_and_locks_stay),
		cmocka_unit_test(resignatured_since),
		cmocka_unit_test(a_disk_that_is_named_twice),
		cmocka_unit_test(extents_are_told_apart),
		cmocka_unit_test(the_live_lun_is_told),
		cmocka_unit_test(other_extents_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
