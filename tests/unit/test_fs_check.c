/* SPDX-License-Identifier: Apache-2.0 */
/* The check: silent on the real volumes and on pieces of them, and what it says of damage in each of their structures. */
#include "fs_open.h"
#include "vmfskit/fs_check.h"
#include "vmfskit/overlay.h"

enum { HEADER = 0x1100000, R3 = 0, R5, R6 };

static struct vk_io *images[REAL_VOLUMES];

static int open_images(void **state)
{
	(void)state;
	for (size_t i = 0; i < REAL_VOLUMES; i++)
		images[i] = real_volume_open(&real_volumes[i]);
	return 0;
}
static int close_images(void **state)
{
	(void)state;
	for (size_t i = 0; i < REAL_VOLUMES; i++)
		vk_io_close(images[i]);
	return 0;
}

static bool have(size_t volume)
{
	if (images[volume] == NULL)
		print_message("skipped: ../shared/data is not there\n");
	return images[volume] != NULL;
}

/* io is taken over. What is given back has numbers only. */
static struct vk_fs_check check_io(struct vk_io *io, const struct vk_finding_sink *sink)
{
	struct vk_fs_check check = {.files = 0}, numbers;
	struct vk_error err = {0};
	struct opened_fs o;

	if (fs_try(io, false, sink, &o, &err) != VK_OK || vk_fs_check(o.fs, sink, &check, &err) != VK_OK)
		fail_msg("%s", err.what);
	numbers = check;
	numbers.names = NULL;
	vk_fs_check_free(&check);
	fs_done(&o);
	return numbers;
}

static void sound_volumes(void **state)
{
	static const struct {
		uint64_t files, blocks, allocated;
	} expected[REAL_VOLUMES] = {{14, 1024, 674}, {15, 256, 15}, {16, 768, 768}};

	(void)state;
	for (size_t i = 0; i < REAL_VOLUMES && have(i); i++) {
		struct vk_fs_check c = check_io(vk_io_window(images[i], 0, UINT64_MAX), &sound);

		assert_int_equal(c.files, expected[i].files);
		assert_int_equal(c.blocks, expected[i].blocks);
		assert_int_equal(c.blocks_allocated, expected[i].allocated);
		for (size_t p = 0; p < VK_FS_CHECK_PHASES; p++) {
			assert_true(c.phases[p].checked > 0);
			assert_int_equal(c.phases[p].findings, 0);
			assert_int_equal(c.phases[p].unknown, 0);
		}
	}
}

/* What is not in a cut dump is no damage, wherever it ends. */
static void cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < REAL_VOLUMES && have(i); i++)
		for (uint64_t mib = 26; mib < 500; mib += mib / 3 + 1) {
			struct vk_fs_check c = check_io(vk_io_window(images[i], 0, (mib << 20) + 4096 * mib), &sound);
			uint64_t unknown = 0;

			for (size_t p = 0; p < VK_FS_CHECK_PHASES; p++)
				unknown += c.phases[p].unknown;
			assert_true(unknown > 0 || mib > 26);
		}
}

/* One damage: bytes at a volume offset, and the finding that it must lead to. */
struct damage {
	size_t volume;
	uint64_t at;
	const char *bytes;
	size_t len;
	enum vk_finding_code code;
	const char *in_message; /* a part of it */
};

static const struct damage damages[] = {
	/* VMFS3: .fdc.sf begins at 0x400000, its clusters at 0x410000, file descriptors of cluster 6 at 0x478000 */
	{R3, 0x410000 + 6 * 1024 + 5, "\x99", 1, VK_F_FILE_CLUSTER, "cluster 6 of .fdc.sf: addr of its lock"},
	{R3, 0x410000 + 6 * 1024 + 512, "\7", 1, VK_F_FILE_CLUSTER, "clusterNum"},
	{R3, 0x410000 + 6 * 1024 + 512 + 8, "\7", 1, VK_F_FILE_CLUSTER, "freeResources"},
	{R3, 0x410000 + 6 * 1024 + 512 + 4, "\7", 1, VK_F_FILE_CLUSTER, "totalResources"},
	{R3, 0x410000 + 6 * 1024, "\1", 1, VK_F_FILE_CLUSTER, "type of its lock"},
	/* thin.vmdk, <6,1> */
	{R3, 0x478800 + 4, "\1", 1, VK_F_FILE_DESCRIPTOR, "thin.vmdk"},
	{R3, 0x478A00 + 4, "\x55", 1, VK_F_FILE_GENERATION, NULL},
	{R3, 0x478A00 + 8, "\5", 1, VK_F_FILE_LINK_COUNT, "thin.vmdk"},
	{R3, 0x478A00 + 0x24, "\5", 1, VK_F_FILE_BLOCK_COUNT, "thin.vmdk"},
	{R3, 0x478C00, "\x82\x08\0\0", 4, VK_F_FILE_BLOCK_FREE, "thin.vmdk"},
	{R3, 0x478C00, "\x82\x08\0\0", 4, VK_F_FILE_BLOCK_LOST, "sub-blocks"},
	{R3, 0x478C00, "\xC2\xff\xff\x0f", 4, VK_F_FILE_ADDRESS, "thin.vmdk"},
	{R3, 0x478A00 + 0x14 + 7, "\1", 1, VK_F_FILE_LENGTH, "thin.vmdk"},
	{R3, 0x478800, "\0\0\0\0\0\0\0\0", 8, VK_F_FILE_DESCRIPTOR, "thin.vmdk"},
	/* thin-flat.vmdk, <6,0>: its block becomes one of thick-flat.vmdk */
	{R3, 0x478400, "\x01\x65\0\0", 4, VK_F_FILE_BLOCK_TWICE, "thin-flat.vmdk"},
	{R3, 0x478400, "\x01\x65\0\0", 4, VK_F_FILE_BLOCK_TWICE, "thick-flat.vmdk"},
	/* a lock without a heartbeat, and one that is none */
	{R3, 0x478800 + 0x24, "\1", 1, VK_F_FILE_LOCK, "thin.vmdk"},
	{R3, 0x478800 + 0x24, "\x9", 1, VK_F_FILE_LOCK_FIELD, "mode is none"},
	{R3, 0x478800 + 0x0C, "\7", 1, VK_F_FILE_LOCK_FIELD, "hbAddr"},
	{R3, 0x478800 + 0x14, "\x77", 1, VK_F_FILE_LOCK_FIELD, "hbGen"},
	{R3, 0x478800 + 0x28, "\7", 1, VK_F_FILE_LOCK_FIELD, "owner contradicts mode"},
	{R3, 0x478800 + 0x22, "\7", 1, VK_F_FILE_LOCK_FIELD, "token"},
	{R3, 0x478A00 + 0x40, "\x80\x41", 2, VK_F_FILE_DESCRIPTOR, "thin.vmdk"},
	{R3, 0x478A00 + 0x44, "\7", 1, VK_F_FILE_DESCRIPTOR, "zeroLevelAddrType"},
	{R3, 0x478A00 + 0x89, "\7", 1, VK_F_FILE_DESCRIPTOR, "blockOffsetShift"},
	{R3, 0x478A00 + 0x68, "\7", 1, VK_F_FILE_DESCRIPTOR, "affinityFD"},
	{R3, 0x300000, "\0", 1, VK_F_HEARTBEAT_STATE, NULL},
	/* the file-system descriptor: a place without an address; sectors of no size */
	{R3, 0x200105 + 2, "\7", 1, VK_F_FILE_RESOURCE, "sddVolAddr"},
	{R3, 0x20010D, "\4", 1, VK_F_FILE_RESOURCE, "sddFDAddr"},
	{R6, 0x200130 + 2, "\7", 1, VK_F_FILE_RESOURCE, "physDiskBlockSize"},
	/* VMFS5: numbers that the header has as well */
	{R5, 0x400000 + 4, "\x41", 1, VK_F_FILE_RESOURCE, ".fdc.sf"},
	{R5, 0x424000 + 2048 * 6, "\0\0\0\0\0\0\0\0", 8, VK_F_FILE_DESCRIPTOR, NULL},
	/* VMFS6: file5, <0,15>; the cluster of small blocks; the signature of a cluster of .fdc.sf */
	{R6, 0x73E000 + 4096 + 0x64, "\0", 1, VK_F_FILE_DESCRIPTOR, "file5"},
	{R6, 0x73F600, "\2\0\0\0\0\0\0\5", 8, VK_F_FILE_BLOCK_FREE, "file5"},
	{R6, 0x710000 + 4096 + 0x10, "\0", 1, VK_F_FILE_CLUSTER, "signature"},
	{R6, 0x710000 + 4096 + 0x18, "\3", 1, VK_F_FILE_CLUSTER, "clusterNum"},
};

static bool said(const struct vk_findings *found, const struct damage *d)
{
	for (size_t i = 0; i < found->count; i++)
		if (found->items[i].code == d->code &&
		    (d->in_message == NULL || strstr(found->items[i].message, d->in_message) != NULL))
			return true;
	return false;
}

static void damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		const struct damage *d = &damages[i];
		struct vk_findings found = {0};
		const struct vk_finding_sink sink = vk_findings_sink(&found);
		struct vk_overlay *overlay;
		struct vk_error err = {0};
		bool changed = false;

		if (!have(d->volume))
			return;
		overlay = vk_overlay_new(images[d->volume]);
		assert_int_equal(vk_overlay_lay(overlay, HEADER + d->at, d->bytes, d->len, "damage", 0, &changed, &err),
				 VK_OK);
		if (!changed)
			fail_msg("damage %zu changes nothing", i);
		check_io(vk_io_window(vk_overlay_io(overlay), 0, UINT64_MAX), &sink);
		if (!said(&found, d)) {
			for (size_t k = 0; k < found.count; k++)
				print_message("%s: %s\n", vk_finding_kind(found.items[k].code)->code,
					      found.items[k].message);
			fail_msg("damage %zu: no %s", i, vk_finding_kind(d->code)->code);
		}
		vk_findings_free(&found);
		vk_overlay_free(overlay);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_volumes), cmocka_unit_test(cut), cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, open_images, close_images);
}
