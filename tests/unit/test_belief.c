/* SPDX-License-Identifier: Apache-2.0 */
/* How far headers are believed: with any one field wrong they are, and what is no header is not. */
#include "evidence/lvm/belief.h"
#include "header_bench.h"

static const uint64_t five_gib = 5 * GIB + 100 * 512;
static const char *const specs[] = {"version=3,label=mail store", "version=5", "version=6"};

struct headers {
	struct vk_lvm_device device;
	struct vk_lvm_volume volume;
	struct vk_fs_descriptor fs;
};

static struct headers headers_of(const char *spec)
{
	struct vk_io *io = header_bench_lab(spec, five_gib, 1, 0);
	struct vk_vmfs vmfs = {.partition_bytes = five_gib};
	struct vk_error err = {0};
	struct headers h;

	assert_int_equal(vk_vmfs_read(io, NULL, &vmfs, &err), VK_OK);
	h = (struct headers){vmfs.lvm, vmfs.volumes[0].volume, vmfs.fs};
	vk_vmfs_free(&vmfs);
	vk_io_close(io);
	return h;
}

static bool believed(const struct headers *h)
{
	return vk_belief_device(&h->device) && vk_belief_fs(&h->fs, NULL) && vk_belief_fs(&h->fs, &h->volume.uuid) &&
	       vk_belief_volume(&h->volume, NULL) >= VK_BELIEF_ENOUGH;
}

/* Each field of a layout wrong in turn. */
static void hurt_each(struct headers *h, void *in, const struct vk_layout *layout)
{
	const struct headers before = *h;

	for (size_t i = 0; i < layout->count; i++) {
		const struct vk_field *f = &layout->fields[i];

		for (unsigned fill = 0; fill <= 0xFF; fill += 0x55) {
			memset((uint8_t *)in + f->member, (int)fill, f->kind == VK_KIND_DISKID ? 1 : f->size);
			if (!believed(h))
				fail_msg("%s.%s filled with %02x is not believed", layout->name, f->name, fill);
			*h = before;
		}
	}
}

static void one_wrong_field_is_forgiven(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct headers h = headers_of(specs[i]);

		hurt_each(&h, &h.device, &vk_lvm_device_layout);
		hurt_each(&h, &h.volume, &vk_lvm_volume_layout);
		hurt_each(&h, &h.fs, &vk_fs_descriptor_layout);
	}
}

static void what_is_no_header_is_not_believed(void **state)
{
	uint64_t seed = 42;

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		struct headers h;
		struct vk_lvm_device ignored;
		uint8_t bytes[512];

		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			bytes[i] = n < 256 ? (uint8_t)n : (uint8_t)(seed >> 56);
		}
		vk_lvm_device_decode(bytes, sizeof(bytes), &h.device);
		vk_lvm_volume_decode(bytes, sizeof(bytes), &h.volume);
		vk_fs_descriptor_decode(bytes, sizeof(bytes), &h.fs);
		assert_false(vk_belief_device(&h.device));
		assert_false(vk_belief_device_mended(&h.device, sizeof(bytes), &ignored));
		assert_true(vk_belief_volume(&h.volume, NULL) < VK_BELIEF_ENOUGH);
		assert_false(vk_belief_fs(&h.fs, NULL));
	}
}

/* The one field that keeps a header from being used is put right, and no other; two are not. */
static void one_field_is_mended(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		const struct headers h = headers_of(specs[i]);
		struct vk_lvm_device hurt = h.device, mended;

		hurt.magic = 7;
		assert_true(vk_belief_device_mended(&hurt, 512, &mended));
		assert_memory_equal(&mended, &h.device, sizeof(mended));
		hurt.majorVersion = 99;
		assert_false(vk_belief_device_mended(&hurt, 512, &mended));
		assert_memory_equal(&mended, &hurt, sizeof(mended));
		hurt = h.device;
		hurt.dataOffset = 5;
		assert_true(vk_belief_device_mended(&hurt, 512, &mended));
		assert_memory_equal(&mended, &h.device, sizeof(mended));
		hurt.dataOffset = 0x21100000; /* possible, but the extents say otherwise */
		assert_true(vk_belief_device_mended(&hurt, 512, &mended));
		assert_int_equal(mended.dataOffset, VK_LVM_DATA_OFFSET);
		hurt = h.device;
		hurt.majorVersion = 99;
		assert_true(vk_belief_device_mended(&hurt, 512, &mended));
		assert_int_equal(mended.majorVersion == 6, h.device.majorVersion == 6);
		hurt = h.device;
		hurt.magic = 7;
		hurt.lastPEIndex = 77;
		hurt.initTimeUS = 0;
		assert_false(vk_belief_device_mended(&hurt, 512, &mended));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_wrong_field_is_forgiven),
		cmocka_unit_test(what_is_no_header_is_not_believed),
		cmocka_unit_test(one_field_is_mended),
	};

	return cmocka_run_group_tests_name("belief", tests, NULL, NULL);
}
