/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the file-system descriptor's repair share: volumes of every kind, and the descriptor before and after. */
#ifndef VK_TESTS_FS_BENCH_H
#define VK_TESTS_FS_BENCH_H

#include "header_bench.h"

static const uint64_t five_gib = 5 * GIB + 100 * 512;
enum { DATA = 0x1100000, FS = DATA + 0x200000, LAB5 = 2, KINDS = 5 };

static inline struct vk_io *open_kind(int kind)
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

static inline void get_fs(struct vk_io *io, struct vk_fs_descriptor *ret)
{
	uint8_t sector[512];

	header_bench_get(io, FS, sector, sizeof(sector));
	vk_fs_descriptor_decode(sector, sizeof(sector), ret);
}

static inline bool fs_same(struct header_bench *b)
{
	return header_bench_same(b, FS, 512);
}

static inline void assert_same_for_reading(struct header_bench *b)
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

#endif
