/* SPDX-License-Identifier: Apache-2.0 */
/* Every decoder on the one real volume that is public: all its headers, extents, heartbeats and locks are sound. */
#include "disk_support.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/heartbeat.h"
#include "vmfskit/io.h"
#include "vmfskit/lock.h"
#include "vmfskit/lvm.h"

enum { DATA = 0x1100000 };
static struct vk_findings list;
static struct vk_io *io;

static int open_volume(void **state)
{
	const char *shared = getenv("VMFSKIT_SHARED");
	char path[512];
	struct vk_error err = {0};
	enum vk_io_form form;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/data/vmfs3-esx35-volume/partition.vmfsimg",
		 shared != NULL && shared[0] != '\0' ? shared : "../shared");
	f = fopen(path, "rb");
	if (f == NULL)
		return 0;
	fclose(f);
	if (vk_io_open(path, &(struct vk_open_options){0}, &io, &form, &err) != VK_OK) {
		fprintf(stderr, "%s: %s\n", path, err.what);
		return -1;
	}
	return 0;
}

static int close_volume(void **state)
{
	(void)state;
	vk_io_close(io);
	return 0;
}

static void need(void)
{
	if (io == NULL)
		skip();
}

static void get(uint64_t offset, void *buf, size_t len)
{
	struct vk_error err = {0};

	assert_int_equal(vk_io_read_all(io, offset, buf, len, &err), VK_OK);
}

static void device_and_volume(void **state)
{
	const struct vk_finding_sink sink = vk_findings_sink(&list);
	struct vk_lvm_geometry g;
	struct vk_lvm_device d;
	struct vk_lvm_volume v;
	uint8_t b[1024];

	(void)state;
	need();
	get(VK_LVM_HEADER_OFFSET, b, 512);
	assert_round_trip(&vk_lvm_device_layout, b, 512);
	vk_lvm_device_check(&d, vk_lvm_device_decode(b, 512, &d), vk_io_size_bytes(io),
			    VK_LVM_HEADER_OFFSET, &sink);
	assert_true(vk_lvm_geometry(&d, VK_LVM_HEADER_OFFSET, &g));
	get(g.volume_table, b, 512);
	assert_round_trip(&vk_lvm_volume_layout, b, 512);
	vk_lvm_volume_check(&v, &d, vk_lvm_volume_decode(b, 512, &v), g.volume_table, &sink);
	assert_codes(&list, 0);
	assert_int_equal(d.totalBytes, 1258435584);
	assert_int_equal(v.logicalSize, 1 << 30);
	assert_field(&vk_lvm_volume_layout, "creationTimeUS", &v, "2009-04-21T16:45:56.217087Z");
	get(g.first_bitmap, b, 1024);
	assert_int_equal(b[0], 0x0F);
	for (uint32_t i = 0; i < 5; i++) {
		struct vk_lvm_pe pe;

		get(g.first_bitmap + g.bitmap_bytes + (uint64_t)i * VK_LVM_PE_STRIDE, b, VK_LVM_PE_STRIDE);
		vk_lvm_pe_decode(b, VK_LVM_PE_STRIDE, &pe);
		assert_int_equal(vk_lvm_pe_plausible(&pe, &d), i < 4);
		assert_int_equal(vk_lvm_pe_at_place(&pe, &d, i, d.dataOffset, i), i < 4);
		assert_int_equal(pe.lOffset, i < 4 ? i * VK_LVM_PE_BYTES : 0);
	}
}

static void descriptor_and_heartbeats(void **state)
{
	const struct vk_finding_sink sink = vk_findings_sink(&list);
	struct vk_fs_descriptor fs;
	struct vk_fs_geometry g;
	unsigned history = 0;
	uint8_t b[512];

	(void)state;
	need();
	get(DATA + VK_FS_OFFSET, b, sizeof(b));
	assert_round_trip(&vk_fs_descriptor_layout, b, sizeof(b));
	vk_fs_descriptor_check(&fs, vk_fs_descriptor_decode(b, sizeof(b), &fs), NULL, 0, &sink);
	assert_field(&vk_fs_descriptor_layout, "fsLabel", &fs, "\"toto\"");
	assert_true(vk_fs_geometry(&fs, VK_FS_DESCRIPTOR_BYTES, &g));
	assert_int_equal(g.vh_end, 0x400000);
	for (uint32_t slot = 0; slot < g.heartbeat_slots; slot++) {
		uint64_t at = g.heartbeat_offset + (uint64_t)slot * g.heartbeat_slot_bytes;
		struct vk_heartbeat hb;

		get(DATA + at, b, sizeof(b));
		vk_heartbeat_check(&hb, vk_heartbeat_decode(b, sizeof(b), &hb), at, DATA + at, &sink);
		assert_round_trip(&vk_heartbeat_layout, b, sizeof(b));
		if (!vk_heartbeat_has_history(&hb))
			continue;
		history++;
		assert_int_equal(slot, 1795);
		assert_field(&vk_heartbeat_layout, "stamp", &hb, "392.36 s");
	}
	assert_int_equal(history, 1);
	assert_codes(&list, 0);
}

static void every_lock(void **state)
{
	uint64_t size;
	unsigned locks = 0;

	(void)state;
	need();
	size = vk_io_size_bytes(io);
	for (uint64_t at = DATA; at + 512 <= size;) {
		struct vk_span span = vk_io_span(io, at);
		uint64_t end = at + span.length_bytes;

		assert_int_not_equal(span.state, VK_SPAN_ABSENT);
		for (; span.state == VK_SPAN_DATA && at + 512 <= end; at += 512) {
			struct vk_lock lock;
			uint8_t b[512];
			size_t seen;

			get(at, b, sizeof(b));
			seen = vk_lock_decode(b, sizeof(b), &lock);
			if (vk_view_name(VK_VIEW_LOCK_TYPE, lock.type) == NULL)
				continue;
			locks++;
			assert_int_equal(seen, VK_LOCK_BYTES);
			assert_int_equal(lock.addr, at - DATA);
			assert_non_null(vk_view_name(VK_VIEW_LOCK_MODE, lock.mode));
			assert_round_trip(&vk_lock_layout, b, sizeof(b));
		}
		at = end;
	}
	assert_int_equal(locks, 93);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_and_volume),
		cmocka_unit_test(descriptor_and_heartbeats),
		cmocka_unit_test(every_lock),
	};

	return cmocka_run_group_tests_name("real_volume", tests, open_volume, close_volume);
}
