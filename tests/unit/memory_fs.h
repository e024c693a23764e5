/* SPDX-License-Identifier: Apache-2.0 */
/* A small VMFS5 or VMFS6 in memory, made byte by byte: what no real volume at hand has. */
#ifndef VK_TESTS_MEMORY_FS_H
#define VK_TESTS_MEMORY_FS_H

#include "fs_open.h"

enum {
	MEM_MIB = 1 << 20,
	MEM_GROUP = 0x10000,                              /* clusterGroupOffset of all */
	MEM_FBB = 20 * MEM_MIB, MEM_PB2 = 21 * MEM_MIB, MEM_SBC = 40 * MEM_MIB, /* first blocks */
	MEM_FDS = 32, MEM_PBS = 32, MEM_SUB_BLOCKS = 64,
	MEM_BLOCKS = 65536                                /* 64 GiB */
};
struct memory_fs {
	struct vk_lab_disk disk;
	bool six;
	uint32_t alignment; /* 0 on VMFS5 */
	struct vk_fd_geometry fd;
	uint64_t fdc_start;
	uint32_t header_bytes, pointer_block_bytes;
};

static inline void mem_put(struct memory_fs *m, uint64_t at, const void *bytes, size_t len)
{
	assert_int_equal(pwrite(m->disk.fd, bytes, len, (off_t)at), (ssize_t)len);
}

static inline void mem_pointer_at(struct memory_fs *m, uint64_t at, uint64_t address)
{
	uint8_t raw[8];

	vk_put_le64(raw, address);
	mem_put(m, at, raw, m->fd.pointer_bytes);
}

/* One cluster a group, so that a resource is easily found. */
static inline void mem_resource(struct memory_fs *m, uint64_t at, uint32_t per_cluster, uint32_t size, uint32_t count)
{
	struct vk_resource_file r = {.resourcesPerCluster = per_cluster, .clustersPerGroup = 1,
				     .clusterGroupOffset = MEM_GROUP, .resourceSize = size, .numResourcesLo = count,
				     .clusterGroupSize = m->header_bytes + per_cluster * size,
				     .numClusterGroups = (count + per_cluster - 1) / per_cluster,
				     .signature = m->six ? VK_RESOURCE_SIGNATURE : 0};
	uint8_t raw[VK_RESOURCE_FILE_BYTES] = {0};

	vk_resource_file_encode(&r, raw, sizeof(raw));
	mem_put(m, at, raw, sizeof(raw));
}

static inline uint64_t mem_fd_at(const struct memory_fs *m, uint32_t resource)
{
	return m->fdc_start + MEM_GROUP + m->header_bytes + (uint64_t)resource * m->fd.fd_bytes;
}
static inline uint64_t mem_pb_at(const struct memory_fs *m, uint32_t resource)
{
	return MEM_PB2 + MEM_GROUP + m->header_bytes + (uint64_t)resource * m->pointer_block_bytes;
}
static inline uint64_t mem_pb(const struct memory_fs *m, uint32_t resource)
{
	return m->six ? VK_ADDRESS_POINTER_BLOCK2 | (uint64_t)resource << 56
		      : VK_ADDRESS_POINTER_BLOCK2 | (uint64_t)(resource % 16) << 28 | (uint64_t)(resource / 16) << 6;
}
static inline uint64_t mem_block(const struct memory_fs *m, uint64_t block)
{
	return vk_file_block_address(m->six, block, 512);
}

static inline void mem_file(struct memory_fs *m, uint32_t resource, uint32_t type, uint32_t zla, uint64_t length,
			    uint64_t block_size)
{
	struct vk_lock lock = {.type = VK_LOCK_FD, .addr = mem_fd_at(m, resource)};
	struct vk_file_metadata meta = {.descAddr = vk_fd_address(0, resource), .generation = 1, .linkCount = 1,
					.type = type, .fileLength = length, .blockSize = block_size,
					.zeroLevelAddrType = zla, .signature = m->six ? VK_FD_SIGNATURE : 0};
	uint8_t raw[512] = {0};

	vk_lock_encode(&lock, raw, sizeof(raw));
	mem_put(m, mem_fd_at(m, resource), raw, sizeof(raw));
	memset(raw, 0, sizeof(raw));
	vk_file_metadata_encode(&meta, raw, sizeof(raw));
	mem_put(m, mem_fd_at(m, resource) + m->fd.metadata_offset, raw, sizeof(raw));
}
static inline void mem_pointer(struct memory_fs *m, uint32_t resource, uint32_t index, uint64_t address)
{
	mem_pointer_at(m, mem_fd_at(m, resource) + m->fd.pointers_offset + (uint64_t)index * m->fd.pointer_bytes,
		       address);
}
static inline void mem_entry(struct memory_fs *m, uint32_t pointer_block, uint32_t index, uint64_t address)
{
	mem_pointer_at(m, mem_pb_at(m, pointer_block) + (uint64_t)index * m->fd.pointer_bytes, address);
}

static inline void mem_system(struct memory_fs *m, enum vk_system_file file, uint64_t start, uint64_t length)
{
	mem_file(m, file, file == VK_SYSTEM_ROOT ? VK_FILE_FOLDER : VK_FILE_SYSTEM, VK_ZLA_FILE_BLOCK, length, MEM_MIB);
	for (uint32_t i = 0; i * (uint64_t)MEM_MIB < length; i++)
		mem_pointer(m, file, i, mem_block(m, start / MEM_MIB + i));
}

/* Resources: .pbc.sf holds none on both. */
static inline struct memory_fs memory_fs(bool six)
{
	struct memory_fs m = {.disk = memory_disk((uint64_t)MEM_BLOCKS * MEM_MIB), .six = six,
			      .alignment = six ? 4096 : 0, .pointer_block_bytes = six ? 65536 : 4096};
	struct vk_fs_descriptor d = {.magic = VK_FS_MAGIC_VMFS, .majorVersion = six ? VK_FS_VMFS6 : VK_FS_VMFS5,
				     .config = 6, .fileBlockSize = MEM_MIB, .diskBlockSize = 512,
				     .fdcClusterGroupOffset = MEM_GROUP, .fdcClustersPerGroup = 1,
				     .subBlockSize = six ? 65536 : 8192, .mdAlignment = six ? 4096 : 0,
				     .sfbToLfbShift = six ? 9 : 0};
	uint8_t raw[VK_FS_DESCRIPTOR_BYTES] = {0};

	vk_fd_geometry(m.alignment, &m.fd);
	m.header_bytes = vk_cluster_header_bytes(m.alignment);
	m.fdc_start = vk_fdc_start(MEM_MIB, m.alignment);
	vk_fs_descriptor_encode(&d, raw, sizeof(raw));
	mem_put(&m, VK_FS_OFFSET, raw, sizeof(raw));
	mem_system(&m, VK_SYSTEM_ROOT, 0, 0);
	mem_system(&m, VK_SYSTEM_FBB, MEM_FBB, MEM_MIB);
	mem_system(&m, VK_SYSTEM_FDC, m.fdc_start, MEM_MIB);
	mem_system(&m, VK_SYSTEM_PBC, 0, 0);
	mem_system(&m, VK_SYSTEM_SBC, MEM_SBC, 5 * MEM_MIB);
	mem_system(&m, VK_SYSTEM_VH, 0, m.fdc_start);
	mem_system(&m, VK_SYSTEM_PB2, MEM_PB2, 5 * MEM_MIB);
	mem_system(&m, VK_SYSTEM_SDD, 0, 0);
	mem_resource(&m, m.fdc_start, MEM_FDS, m.fd.fd_bytes, MEM_FDS);
	/* of VMFS6 it should be that of the large blocks */
	mem_resource(&m, MEM_FBB, 512, 0, MEM_BLOCKS);
	mem_resource(&m, MEM_PB2, six ? 32 : 16, m.pointer_block_bytes, MEM_PBS);
	mem_resource(&m, MEM_SBC, MEM_SUB_BLOCKS, six ? 65536 : 8192, MEM_SUB_BLOCKS);
	return m;
}

/* m->disk is taken over. */
static inline void mem_open(struct memory_fs *m, const struct vk_finding_sink *sink, struct opened_fs *ret)
{
	struct vk_error err = {0};

	if (fs_try(memory_io(m->disk.fd), true, sink, ret, &err) != VK_OK)
		fail_msg("%s", err.what);
}

#endif
