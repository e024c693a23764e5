/* SPDX-License-Identifier: Apache-2.0 */
/* File descriptors, addresses, resource files and clusters: published bytes. */
#include "disk_support.h"
#include "vmfskit/file_descriptor.h"
#include "vmfskit/resource_file.h"

/* FS3_FileMetadata of a file of 393 bytes on an ESX 3.5 volume. */
static struct vk_file_metadata small_file(void)
{
	struct vk_file_metadata m;
	uint8_t b[512] = {0};

	bytes_of("84 01 40 00 02 00 00 00 01 00 00 00 03 00 00 00 00 00 00 00 89 01 00 00 00 00 00 00 "
		 "00 00 01 00 00 00 00 00 01 00 00 00 00 00 00 00 95 f8 ed 49 95 f8 ed 49 95 f8 ed 49 "
		 "00 00 00 00 00 00 00 00 80 81 00 00 02 00 00 00", b, sizeof(b));
	assert_int_equal(vk_file_metadata_decode(b, sizeof(b), &m), VK_FILE_METADATA_BYTES);
	assert_round_trip(&vk_file_metadata_layout, b, sizeof(b));
	return m;
}

static void file_descriptors(void **state)
{
	struct vk_file_metadata m = small_file();

	(void)state;
	assert_int_equal(m.fileLength, 393);
	assert_int_equal(m.blockSize, 65536);
	assert_int_equal(m.zeroLevelAddrType, VK_ZLA_SUB_BLOCK);
	assert_field(&vk_file_metadata_layout, "mtime", &m, "2009-04-21T16:47:17Z");
	assert_int_equal(m.descAddr, vk_fd_address(6, 1));
}

static void addresses(void **state)
{
	uint64_t block;

	(void)state;
	assert_int_equal(vk_fd_address(0, 1), 0x00400004);
	assert_int_equal(vk_fd_address(6, 7), 0x01C00184);
	assert_true(vk_file_block_number(false, 0x64C1, 0, &block));
	assert_int_equal(block, 403);
	assert_true(vk_file_block_number(false, 0x96E1, 0, &block)); /* reads as zeros, but is this block */
	assert_int_equal(block, 603);
	assert_false(vk_file_block_number(false, 0x30000782, 0, &block)); /* a sub-block */
	assert_false(vk_file_block_number(false, 0, 0, &block));
	assert_false(vk_file_block_number(false, 1ULL << 40 | 1, 0, &block));
	assert_int_equal(vk_file_block_address(false, 403, 0), 0x64C1);
	for (uint64_t n = 0; n < 70000; n += 511) {
		assert_true(vk_file_block_number(true, vk_file_block_address(true, n, 512), 512, &block));
		assert_int_equal(block, n);
	}
	/* cluster 1, resource 5 */
	assert_int_equal(vk_file_block_address(true, 517, 512), 1 | 1ULL << 15 | 5ULL << 51);
	assert_false(vk_file_block_number(true, 1 | 600ULL << 51, 512, &block));
	assert_false(vk_file_block_number(true, 7, 512, &block));
}

struct address_case {
	uint64_t raw;
	struct vk_address_form form;
	struct vk_address expected;
	const char *text;
};

/* Every kind of both widths; those of real volumes first. */
static void address_kinds(void **state)
{
	static const struct vk_address_form three = {0}, dense = {.dense = true}, six = {.vmfs6 = true};
	const struct address_case cases[] = {
		{0x000064C1, three, {1, .block = 403}, "FB 403"},
		{0x000096E1, three, {1, .block = 603, .zeroed = true}, "FB 603"},
		{0x30000782, three, {2, 30, 3}, "SB <30,3>"},
		{0x10000102, dense, {2, 4, 1}, "SB <4,1>"},
		{0x01C00184, three, {4, 6, 7}, "FD <6,7>"},
		{0x0E58000000000001, six, {1, 0, 459}, "SFB <0,459>"},
		{0x0200000000000002, six, {2, 0, 2}, "SB <0,2>"},
		{5, six, {5}, "PB2 <0,0>"},
		{0, three, {0}, "hole"},
		/* stated by readers of others */
		{0x000064D1, three, {1, .block = 403, .copy_on_write = true}, "FB 403"},
		{0x000064C9, three, {1, .block = 403, .unknown_bits = true}, "FB 403"},
		{0x3000079A, dense, {2, 30, 51}, "SB <30,51>"},
		{0x3000079A, three, {2, 30, 3, .unknown_bits = true}, "SB <30,3>"},
		{0xFFFFFFE2, three, {2, 0x3FFFFF, 15, .copy_on_write = true}, "SB <4194303,15>"},
		{0x200000C3, three, {3, 3, 2}, "PB <3,2>"},
		{0x200000E5, three, {5, 3, 2, .copy_on_write = true}, "PB2 <3,2>"},
		{6, three, {6, .unknown_bits = true}, "0x6"},
		{7, three, {7, .unknown_bits = true}, "0x7"},
		{1ULL << 40 | 0x64C1, three, {1, .block = 403, .unknown_bits = true}, "FB 403"},
		{5ULL << 51 | 1 << 15 | 1 << 5 | 1, six, {1, 1, 5, .copy_on_write = true}, "SFB <1,5>"},
		{5ULL << 51 | 1 << 15 | 0x81 << 7 | 1, six, {1, 1, 5, 0, false, true, 0x81}, "SFB <1,5>"},
		{1ULL << 46 | 1, six, {1, .unknown_bits = true}, "SFB <0,0>"},
		{7ULL << 56 | 1ULL << 41 | 2, six, {2, 1ULL << 35, 7}, "SB <34359738368,7>"},
		{7ULL << 56 | 1ULL << 42 | 3, six, {3, 0, 7, .unknown_bits = true}, "PB <0,7>"},
		{9ULL << 15 | 1 << 7 | 7, six, {7, .block = 9, .zeroed = true, .zeroed_parts = 1}, "LFB 9"},
		{40ULL << 26 | 3 << 3 | 6, six, {6, 3, 40}, "JB <3,40>"},
		{1ULL << 32 | 4, six, {4, .unknown_bits = true}, "FD <0,0>"},
		{8, six, {0, .unknown_bits = true}, "0x8"},
	};
	char text[VK_ADDRESS_TEXT_BYTES];
	struct vk_address a;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct address_case *c = &cases[i];

		vk_address_decode(c->raw, &c->form, &a);
		assert_int_equal(a.kind, c->expected.kind);
		assert_int_equal(a.cluster, c->expected.cluster);
		assert_int_equal(a.resource, c->expected.resource);
		assert_int_equal(a.block, c->expected.block);
		assert_int_equal(a.copy_on_write, c->expected.copy_on_write);
		assert_int_equal(a.zeroed, c->expected.zeroed);
		assert_int_equal(a.zeroed_parts, c->expected.zeroed_parts);
		assert_int_equal(a.unknown_bits, c->expected.unknown_bits);
		vk_address_text(c->raw, &c->form, text);
		assert_string_equal(text, c->text);
	}
}

static void geometries(void **state)
{
	struct vk_fd_geometry g;
	uint8_t fd[8192] = {0};

	(void)state;
	vk_fd_geometry(0, &g);
	assert_int_equal(g.fd_bytes, 2048);
	assert_int_equal(g.pointers_offset, 0x400);
	fd[0x404] = 0xC1;
	fd[0x405] = 0x64;
	assert_int_equal(vk_fd_pointer(&g, fd, 1), 0x64C1);
	assert_int_equal(vk_fd_pointer(&g, fd, 256), 0);
	vk_fd_geometry(4096, &g);
	assert_int_equal(g.fd_bytes, 8192);
	assert_int_equal(g.metadata_offset, 4096);
	assert_int_equal(g.pointers_offset, 0x1600);
	assert_int_equal(g.pointers, 320);
	assert_int_equal(vk_fdc_start(1 << 20, 0), 0x400000);
	assert_int_equal(vk_fdc_start(8 << 20, 0), 0x800000);
	assert_int_equal(vk_fdc_start(1 << 20, 4096), 0x700000);
}

/* .fdc.sf of an ESX 3.5 volume. */
static struct vk_resource_file fdc(void)
{
	return (struct vk_resource_file){.resourcesPerCluster = 32, .clustersPerGroup = 32, .clusterGroupOffset = 0x10000,
					 .resourceSize = 2048, .clusterGroupSize = 2129920, .numResourcesLo = 256,
					 .numClusterGroups = 1};
}

static void check_resource(const struct vk_resource_file *r, uint32_t alignment, bool usable)
{
	assert_int_equal(vk_resource_file_usable(r, VK_RESOURCE_FILE_BYTES, alignment), usable);
	assert_false(vk_resource_file_usable(r, 20, alignment));
}

static void resource_files(void **state)
{
	struct vk_resource_file r = fdc();

	(void)state;
	check_resource(&r, 0, true);
	/* file descriptor 1 of cluster 6 lies at volume offset 0x478800, .fdc.sf begins at 0x400000 */
	assert_int_equal(vk_resource_offset(&r, 0, 6, 1), 0x78800);
	assert_int_equal(vk_cluster_header_offset(&r, 0, 6), 0x10000 + 6 * 1024);
	assert_int_equal(vk_cluster_header_offset(&r, 0, 33), 0x10000 + 2129920 + 1024);
	r.clusterGroupSize--;
	check_resource(&r, 0, false);
	/* without the headers of the clusters, as one listing of a real volume has it */
	r.clusterGroupSize = 32 * 32 * 2048;
	check_resource(&r, 0, true);
	r = fdc();
	r.numResourcesLo = 1025;
	check_resource(&r, 0, false);
	r = fdc();
	r.clustersPerGroup = 0;
	check_resource(&r, 0, false);
	r = fdc();
	r.clusterGroupOffset = 0x10001;
	check_resource(&r, 0, false);
	/* VMFS6 signs it, and its cluster headers are longer */
	r = fdc();
	r.resourceSize = 8192;
	r.clusterGroupSize = 32 * (8192 + 32 * 8192);
	check_resource(&r, 4096, false);
	r.signature = VK_RESOURCE_SIGNATURE;
	check_resource(&r, 4096, true);
}

/* The files of a small VMFS6: none contradicts itself, not even the one that holds nothing. */
static void files_of_vmfs6(void **state)
{
	static const struct vk_resource_file files[] = {
		{16, 8, 0x10000, 0x2000, 0x110000, 2, 1, 0, VK_RESOURCE_SIGNATURE, 1, 0x35, .childMetaOffset = 0x1000},
		{512, 8, 0x10000, 0, 0x10000, 768, 1, 0, VK_RESOURCE_SIGNATURE, 1, 0x2A, .parentClustersPerGroup = 8},
		{256, 8, 0x10000, 0x2000, 0x1010000, 16384, 8, 0, VK_RESOURCE_SIGNATURE, 1, 4},
		{0, 8, 0x10000, 0x10000, 0x10000, 0, 0, 0, VK_RESOURCE_SIGNATURE, 1, 4},
		{256, 8, 0x10000, 0x10000, 0x8010000, 5916, 3, 0, VK_RESOURCE_SIGNATURE, 1, 4},
		{32, 8, 0x10000, 0x10000, 0x1010000, 1, 1, 0, VK_RESOURCE_SIGNATURE, 1, 4},
		{8, 4, 0x10000, 0x200000, 0x4008000, 128, 4, 0, VK_RESOURCE_SIGNATURE, 1, 0},
	};
	struct vk_resource_file empty = files[3];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		check_resource(&files[i], 4096, true);

	/* resources in clusters that hold none */
	empty.numResourcesLo = 1;
	check_resource(&empty, 4096, false);
}

static void clusters(void **state)
{
	struct vk_cluster c;
	uint8_t b[512] = {0};

	(void)state;
	/* cluster 0 of .fdc.sf: six of 32 are taken */
	bytes_of("00 00 00 00 20 00 00 00 1a 00 00 00 06 00 00 00 c0 ff ff ff", b, sizeof(b));
	assert_int_equal(vk_cluster_decode(b, sizeof(b), &c), VK_CLUSTER_BYTES);
	assert_round_trip(&vk_cluster_layout, b, sizeof(b));
	assert_int_equal(c.totalResources, 32);
	assert_int_equal(c.freeResources, 26);
	assert_int_equal(c.clusterNum, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_descriptors), cmocka_unit_test(addresses), cmocka_unit_test(geometries),
		cmocka_unit_test(address_kinds),
		cmocka_unit_test(resource_files),   cmocka_unit_test(clusters),  cmocka_unit_test(files_of_vmfs6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
