/* SPDX-License-Identifier: Apache-2.0 */
/* File descriptors: found by their address, and compared with what they say of themselves. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "fs/fs_parts.h"

/* What of a descriptor is not as its place and address demand. */
struct faults {
	unsigned count;
	const char *field;
	struct vk_phrase seen, expected;
};

static void compare(struct faults *f, const char *field, uint64_t seen, uint64_t expected)
{
	if (seen == expected)
		return;
	f->count++;
	f->field = field;
	f->seen = vk_phrase("0x%" PRIx64, seen);
	f->expected = vk_phrase("0x%" PRIx64, expected);
}

/* What lies there is no descriptor of that address. */
static enum vk_status refuse(struct vk_fs *fs, const struct vk_fs_file *file, struct vk_error *err)
{
	const bool zeros = vk_all_zero(file->fd, file->fd_seen_bytes);
	uint64_t at, rest;
	size_t extent;

	fs->info.zero_metadata |= zeros;
	vk_error_set(err, VK_DAMAGED, vk_io_name(fs->volume),
		     "no file descriptor with address 0x%08" PRIx32 " lies at volume offset 0x%" PRIx64 "%s",
		     file->address, file->volume_offset, zeros ? ": zeros stand there" : "");
	if (vk_fs_place(fs, file->volume_offset, &extent, &at, &rest) && extent == 0)
		vk_error_at(err, at);
	return VK_DAMAGED;
}

static enum vk_status judge(struct vk_fs *fs, const struct vk_fs_file *file, const struct vk_finding_sink *sink,
			    struct vk_error *err)
{
	struct faults f = {0};

	compare(&f, "the type of its lock", file->lock.type, VK_LOCK_FD);
	compare(&f, "addr of its lock", file->lock.addr, file->volume_offset);
	compare(&f, "descAddr", file->meta.descAddr, file->address);
	if (fs->info.vmfs6)
		compare(&f, "signature", file->meta.signature, VK_FD_SIGNATURE);
	if (f.count > 1)
		return refuse(fs, file, err);
	if (f.count == 1)
		vk_fs_say(fs, sink, file->address, VK_F_FILE_DESCRIPTOR, file->volume_offset, fs->info.fd.fd_bytes,
			  f.seen.text,
			  f.expected.text, "file descriptor 0x%08" PRIx32 ": %s is wrong", file->address, f.field);
	return VK_OK;
}

static enum vk_status read_file(struct vk_fs *fs, struct vk_fs_file *file, struct vk_error *err)
{
	const struct vk_fd_geometry *g = &fs->info.fd;
	enum vk_status status;

	file->fd = malloc(g->fd_bytes);
	if (file->fd == NULL)
		return vk_no_memory(err, NULL);
	status = vk_fs_get(fs, file->volume_offset, file->fd, g->fd_bytes, &file->fd_seen_bytes, err);
	if (status != VK_OK)
		return status;
	memset(file->fd + file->fd_seen_bytes, 0, g->fd_bytes - file->fd_seen_bytes);
	if (file->fd_seen_bytes < g->metadata_offset + VK_FILE_METADATA_BYTES)
		return vk_error_set(err, VK_ABSENT, vk_io_name(fs->volume),
				    "the file descriptor at volume offset 0x%" PRIx64 " is %s", file->volume_offset,
				    vk_fs_lack_said(vk_fs_lack_at(fs, file->volume_offset, VK_ABSENT)));
	vk_lock_decode(file->fd, g->metadata_offset, &file->lock);
	vk_file_metadata_decode(file->fd + g->metadata_offset, g->fd_bytes - g->metadata_offset, &file->meta);
	return VK_OK;
}

enum vk_status vk_fs_file_at(struct vk_fs *fs, uint64_t volume_offset, uint32_t address,
			     const struct vk_finding_sink *sink, struct vk_fs_file **ret_file, struct vk_error *err)
{
	struct vk_fs_file *file = calloc(1, sizeof(*file));
	enum vk_status status;

	if (file == NULL)
		return vk_no_memory(err, NULL);
	file->address = address;
	file->volume_offset = volume_offset;
	status = read_file(fs, file, err);
	if (status == VK_OK)
		status = judge(fs, file, sink, err);
	if (status == VK_OK)
		*ret_file = file;
	else
		vk_fs_file_close(file);
	return status;
}

enum vk_status vk_fs_file_open(struct vk_fs *fs, uint32_t address, const struct vk_finding_sink *sink,
			       struct vk_fs_file **ret_file, struct vk_error *err)
{
	struct vk_address a;
	uint64_t at;

	vk_address_decode(address, &fs->info.addresses, &a);
	if (a.kind != VK_ADDRESS_FD || a.unknown_bits)
		return vk_error_set(err, VK_DAMAGED, vk_io_name(fs->volume),
				    "0x%08" PRIx32 " is no address of a file descriptor", address);
	switch (vk_fs_resource(fs, VK_SYSTEM_FDC, a.cluster, a.resource, &at)) {
	case VK_OK:
		return vk_fs_file_at(fs, at, address, sink, ret_file, err);
	case VK_ABSENT:
		return vk_error_set(err, VK_ABSENT, vk_io_name(fs->volume),
				    "what leads to file descriptor 0x%08" PRIx32 " is not in the source", address);
	default:
		return vk_error_set(err, VK_DAMAGED, vk_io_name(fs->volume),
				    "the volume has no file descriptor 0x%08" PRIx32, address);
	}
}

enum vk_fs_lack vk_fs_file_lack(struct vk_fs *fs, uint32_t address, enum vk_status status)
{
	struct vk_address a;
	uint64_t at;

	vk_address_decode(address, &fs->info.addresses, &a);
	if (a.kind != VK_ADDRESS_FD || a.unknown_bits)
		return VK_LACK_DAMAGED;
	switch (vk_fs_resource(fs, VK_SYSTEM_FDC, a.cluster, a.resource, &at)) {
	case VK_OK:
		return vk_fs_lack_at(fs, at, status);
	case VK_ABSENT:
		return fs->info.system[VK_SYSTEM_FDC].lack;
	default:
		return VK_LACK_DAMAGED;
	}
}

void vk_fs_file_close(struct vk_fs_file *file)
{
	if (file == NULL)
		return;
	free(file->fd);
	free(file);
}

bool vk_fs_file_is_folder(const struct vk_fs_file *file)
{
	return file->meta.type == VK_FILE_FOLDER || (file->meta.type == VK_FILE_SYSTEM && S_ISDIR(file->meta.mode));
}
