/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder: 1 byte (VMFS6 or not), 4 of fileLength, then what it holds: a list of offset (3 bytes), length (2 bytes), the
 * bytes. It is the root of a small volume that is sound. Everything is listed, looked up, and walked.
 */
#include "base/checked.h"
#include "fuzz.h"
#include "vmfskit/fs.h"
#include "vmfskit/overlay.h"

enum { MIB = 1 << 20, GROUP = 0x10000, FOLDER_BLOCK = 16, ALIGNMENT = 4096, ENTRIES_MAX = 40 };

static struct vk_overlay *overlay;
static struct vk_fs *fs;

static void lay(uint64_t at, const void *bytes, size_t len)
{
	struct vk_error err = {0};

	FUZZ_ASSERT(vk_overlay_lay(overlay, at, bytes, len, "fuzz", 0, NULL, &err) == VK_OK);
}

/* The descriptor of a file that has one block. */
static void lay_fd(bool six, uint32_t number, uint32_t type, uint64_t length, uint64_t block)
{
	struct vk_fd_geometry g;
	uint64_t start = vk_fdc_start(MIB, six ? ALIGNMENT : 0);
	uint64_t at = start + GROUP + vk_cluster_header_bytes(six ? ALIGNMENT : 0);
	struct vk_file_metadata m = {.descAddr = vk_fd_address(0, number), .generation = 1, .linkCount = 1, .type = type,
				     .fileLength = length, .blockSize = MIB, .zeroLevelAddrType = VK_ZLA_FILE_BLOCK,
				     .signature = six ? VK_FD_SIGNATURE : 0};
	uint64_t address = vk_file_block_address(six, block, 512);
	struct vk_lock lock = {.type = VK_LOCK_FD};
	uint8_t raw[512] = {0}, pointer[8];

	vk_fd_geometry(six ? ALIGNMENT : 0, &g);
	at += (uint64_t)number * g.fd_bytes;
	lock.addr = at;
	vk_lock_encode(&lock, raw, sizeof(raw));
	lay(at, raw, sizeof(raw));
	memset(raw, 0, sizeof(raw));
	vk_file_metadata_encode(&m, raw, sizeof(raw));
	lay(at + g.metadata_offset, raw, sizeof(raw));
	for (size_t i = 0; i < 8; i++)
		pointer[i] = (uint8_t)(address >> 8 * i);
	lay(at + g.pointers_offset, pointer, g.pointer_bytes);
}

static void lay_volume(bool six, uint64_t length)
{
	uint64_t start = vk_fdc_start(MIB, six ? ALIGNMENT : 0);
	uint32_t header = vk_cluster_header_bytes(six ? ALIGNMENT : 0);
	struct vk_fs_descriptor d = {.magic = VK_FS_MAGIC_VMFS, .majorVersion = six ? VK_FS_VMFS6 : VK_FS_VMFS5,
				     .config = 6, .fileBlockSize = MIB, .diskBlockSize = 512,
				     .fdcClusterGroupOffset = GROUP, .fdcClustersPerGroup = 1,
				     .subBlockSize = six ? 65536 : 8192, .mdAlignment = six ? ALIGNMENT : 0,
				     .sfbToLfbShift = six ? 9 : 0};
	struct vk_resource_file r = {.resourcesPerCluster = 32, .clustersPerGroup = 1, .clusterGroupOffset = GROUP,
				     .resourceSize = six ? 8192 : 2048, .numResourcesLo = 32, .numClusterGroups = 1,
				     .signature = six ? VK_RESOURCE_SIGNATURE : 0};
	uint8_t raw[512] = {0};

	r.clusterGroupSize = header + 32 * r.resourceSize;
	vk_fs_descriptor_encode(&d, raw, sizeof(raw));
	lay(VK_FS_OFFSET, raw, sizeof(raw));
	memset(raw, 0, sizeof(raw));
	vk_resource_file_encode(&r, raw, sizeof(raw));
	lay(start, raw, sizeof(raw));
	lay_fd(six, VK_SYSTEM_ROOT, VK_FILE_FOLDER, length, FOLDER_BLOCK);
	lay_fd(six, VK_SYSTEM_FDC, VK_FILE_SYSTEM, MIB, start / MIB);
	/* a second folder with the same bytes, and a file */
	lay_fd(six, 12, VK_FILE_FOLDER, length, FOLDER_BLOCK);
	lay_fd(six, 13, VK_FILE_ORDINARY, 5, FOLDER_BLOCK);
}

struct seen {
	char names[ENTRIES_MAX][256];
	size_t count;
};

static bool look_at_entry(void *ctx, const struct vk_fs_entry *entry)
{
	char name[VK_FS_PATH_NAME_BYTES];
	struct seen *seen = ctx;

	FUZZ_ASSERT(entry->name[0] != '\0' && memchr(entry->name, '\0', sizeof(entry->name)) != NULL);
	vk_fs_name_in_path(entry, name);
	for (const char *c = name; *c != '\0'; c++)
		FUZZ_ASSERT((unsigned char)*c >= ' ' && *c != '/' && *c != 0x7F);
	if (!entry->deleted && seen->count < ENTRIES_MAX)
		memcpy(seen->names[seen->count++], entry->name, sizeof(entry->name));
	return true;
}

static bool look_at_visit(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	FUZZ_ASSERT(visit->path[0] == '/' && strlen(visit->path) < VK_FS_PATH_BYTES);
	FUZZ_ASSERT(visit->file != NULL || visit->error->what[0] != '\0');
	*ret_stop = ++*(unsigned *)ctx > 5000;
	return true;
}

static void look_at_folder(const struct vk_finding_sink *sink)
{
	static struct seen seen;
	struct vk_fs_file *root, *file;
	struct vk_fs_entry entry;
	struct vk_error err = {0};
	unsigned visits = 0;
	size_t names;

	seen.count = 0;
	if (vk_fs_lookup(fs, "/", true, sink, &root, &err) != VK_OK)
		return;
	FUZZ_ASSERT(vk_fs_list(fs, root, true, look_at_entry, &seen, sink, &err) == VK_OK || err.what[0] != '\0');
	/* every name that is listed is found; without a hash each costs a walk over the folder: of a long one the first */
	names = root->meta.fileLength > MIB && seen.count > 2 ? 2 : seen.count;
	for (size_t i = 0; i < names; i++) {
		FUZZ_ASSERT(vk_fs_find(fs, root, seen.names[i], NULL, &entry, NULL, &err) == VK_OK);
		if (vk_fs_lookup(fs, seen.names[i], true, sink, &file, &err) == VK_OK)
			vk_fs_file_close(file);
	}
	vk_fs_file_close(root);
	/* none of its names may be in the source, or what leads to them is damaged */
	FUZZ_ASSERT(vk_fs_walk_tree(fs, "/", look_at_visit, &visits, sink, &err) == VK_OK || err.status == VK_ABSENT ||
		    err.status == VK_DAMAGED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct vk_io_piece all = {0, 1ULL << 30, NULL};
	struct fuzz_input in = {data, size};
	bool six = (fuzz_take(&in, 1) & 1) != 0;
	struct vk_vmfs vmfs = {.volume_only = true};
	struct vk_fs_extent extent = {.vmfs = &vmfs};
	struct vk_io *zeros = vk_io_pieces("fuzz", &all, 1, 512, NULL);
	struct vk_error err = {0};
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);

	overlay = vk_overlay_new(zeros);
	lay_volume(six, fuzz_take(&in, 4));
	while (in.size > 0) {
		uint64_t offset = fuzz_take(&in, 3);
		uint64_t length = fuzz_take(&in, 2);

		length = vk_min_u64(length, in.size);
		if (length > 0 && offset + length <= MIB)
			lay((uint64_t)FOLDER_BLOCK * MIB + offset, in.data, (size_t)length);
		in.data += length;
		in.size -= length;
	}
	extent.io = vk_overlay_io(overlay);
	fs = NULL;
	FUZZ_ASSERT(vk_fs_open(&extent, 1, &sink, &fs, &err) == VK_OK);
	look_at_folder(&sink);
	vk_fs_close(fs);
	vk_overlay_free(overlay);
	vk_io_close(zeros);
	return 0;
}
