/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_Descriptor: layout, checks, and where heartbeats and .vh.sf lie. */
#include <string.h>

#include "base/checked.h"
#include "disk/layout_table.h"
#include "vmfskit/fs_descriptor.h"

VK_LAYOUT_DEFINE(vk_fs_descriptor_layout, VK_FS_DESCRIPTOR_ROWS, struct vk_fs_descriptor,
		 VK_FS_DESCRIPTOR_BYTES, "FS3_Descriptor",
		 "File-system descriptor (volume offset 0x200000)",
		 "decoded from real volumes of VMFS 3, 5 and 6; names and meanings from 0xDD on from readers of others");

enum { VMFS6_MAJOR = 24, SAME_EVENT_SECONDS = 60, HB_OFFSET = 0x300000, MIB = 1 << 20 };

size_t vk_fs_descriptor_decode(const uint8_t *buf, size_t len, struct vk_fs_descriptor *ret_fs)
{
	return vk_layout_decode(&vk_fs_descriptor_layout, buf, len, ret_fs);
}

size_t vk_fs_descriptor_encode(const struct vk_fs_descriptor *fs, uint8_t *buf, size_t len)
{
	return vk_layout_encode(&vk_fs_descriptor_layout, fs, buf, len);
}

bool vk_fs_magic_known(uint32_t magic)
{
	return magic >= VK_FS_MAGIC_VMFS && magic <= VK_FS_MAGIC_VMFS6L;
}

bool vk_fs_is_vmfs6(const struct vk_fs_descriptor *fs)
{
	return fs->majorVersion >= VMFS6_MAJOR;
}

static bool is_local(const struct vk_fs_descriptor *fs)
{
	return fs->magic == VK_FS_MAGIC_VMFSL || fs->magic == VK_FS_MAGIC_VMFS6L;
}

void vk_fs_version_name(const struct vk_fs_descriptor *fs, char ret_text[40])
{
	const char *known = vk_view_name(VK_VIEW_FS_VERSION, fs->majorVersion);
	struct vk_text text;

	vk_text_init(&text, ret_text, 40);
	if (known == NULL)
		vk_text_fmt(&text, "unknown version %u.%u", fs->majorVersion, fs->minorVersion);
	else
		vk_text_fmt(&text, "VMFS-%s%c.%u", is_local(fs) ? "L " : "", known[4], fs->minorVersion);
}

static bool block_size_sound(uint64_t size)
{
	return size >= MIB && size <= 8ULL * MIB && (size & (size - 1)) == 0;
}

static bool alignment_sound(const struct vk_fs_descriptor *fs)
{
	uint32_t a = fs->mdAlignment;

	return !vk_fs_is_vmfs6(fs) || (a >= 512 && a <= 65536 && (a & (a - 1)) == 0);
}

bool vk_fs_descriptor_usable(const struct vk_fs_descriptor *fs, size_t seen_bytes)
{
	return seen_bytes >= VK_FS_DESCRIPTOR_BYTES && vk_fs_magic_known(fs->magic) &&
	       block_size_sound(fs->fileBlockSize) && alignment_sound(fs);
}

/* A finding about one field; false when the source does not hold it. */
static bool start(struct vk_finding *f, enum vk_finding_code code, const char *field_name,
		  size_t seen_bytes, uint64_t offset_bytes, const char *message)
{
	const struct vk_field *field = vk_layout_field(&vk_fs_descriptor_layout, field_name);

	if (field == NULL || !vk_field_held(field, seen_bytes))
		return false;
	vk_finding_init(f, code, offset_bytes + field->offset, field->size, "%s", message);
	return true;
}

static void check_sizes(const struct vk_fs_descriptor *fs, size_t seen, uint64_t at,
			const struct vk_finding_sink *sink)
{
	struct vk_finding f;

	if (!block_size_sound(fs->fileBlockSize) &&
	    start(&f, VK_F_FS_BLOCK_SIZE, "fileBlockSize", seen, at, "the block size is impossible")) {
		vk_finding_seen(&f, "%llu", (unsigned long long)fs->fileBlockSize);
		vk_finding_expected(&f, "1, 2, 4 or 8 MiB");
		vk_finding_put(sink, &f);
	}
	if (fs->diskBlockSize != 512 && fs->diskBlockSize != 4096 &&
	    start(&f, VK_F_FS_DISK_BLOCK_SIZE, "diskBlockSize", seen, at,
		  "the disk block size is impossible")) {
		vk_finding_seen(&f, "%u", fs->diskBlockSize);
		vk_finding_expected(&f, "512 or 4096");
		vk_finding_put(sink, &f);
	}
	if (!alignment_sound(fs) && start(&f, VK_F_FS_MD_ALIGNMENT, "mdAlignment", seen, at,
					  "the size of the metadata blocks is impossible")) {
		vk_finding_seen(&f, "%u", fs->mdAlignment);
		vk_finding_expected(&f, "a power of two from 512 to 65536, normally 4096");
		vk_finding_put(sink, &f);
	}
}

static void check_identity(const struct vk_fs_descriptor *fs, size_t seen,
			   const struct vk_vmfs_uuid *lv_uuid, uint64_t at,
			   const struct vk_finding_sink *sink)
{
	struct vk_vmfs_uuid_parts id;
	uint64_t apart;
	struct vk_finding f;

	if (lv_uuid != NULL && !vk_vmfs_uuid_equal(&fs->volInfo, lv_uuid) &&
	    start(&f, VK_F_FS_VOLINFO, "volInfo", seen, at,
		  "the file system names another LVM volume than the one it lies on")) {
		char text[VK_VMFS_UUID_TEXT_BYTES];

		vk_vmfs_uuid_format(&fs->volInfo, text);
		vk_finding_seen(&f, "%s", text);
		vk_vmfs_uuid_format(lv_uuid, text);
		vk_finding_expected(&f, "%s", text);
		vk_finding_put(sink, &f);
	}
	vk_vmfs_uuid_decode(&fs->uuid, &id);
	apart = fs->creationTime > id.timeLo ? fs->creationTime - id.timeLo
					     : id.timeLo - fs->creationTime;
	if (apart > SAME_EVENT_SECONDS &&
	    start(&f, VK_F_FS_TIME, "creationTime", seen, at,
		  "creation time and file-system UUID name different times")) {
		vk_finding_seen(&f, "%u", fs->creationTime);
		vk_finding_expected(&f, "about %u", id.timeLo);
		vk_finding_put(sink, &f);
	}
}

/* Both are what a host decides by whether others may mount the volume. */
static void check_local(const struct vk_fs_descriptor *fs, size_t seen, uint64_t at, const struct vk_finding_sink *sink)
{
	enum { LOCAL = 0x100, OSDATA = 0x800 };
	bool by_config = (fs->config & (LOCAL | OSDATA)) != 0;
	struct vk_finding f;

	if (is_local(fs) == by_config || !vk_field_held(vk_layout_field(&vk_fs_descriptor_layout, "config"), seen) ||
	    !start(&f, VK_F_FS_LOCAL, "magic", seen, at,
		   is_local(fs) ? "the magic is that of VMFS-L, and config has neither LOCAL nor OSDATA"
				: "the magic is that of VMFS, and config has LOCAL or OSDATA as VMFS-L has"))
		return;
	vk_finding_seen(&f, "magic 0x%08x, config 0x%x", fs->magic, fs->config);
	vk_finding_put(sink, &f);
}

void vk_fs_descriptor_check(const struct vk_fs_descriptor *fs, size_t seen_bytes,
			    const struct vk_vmfs_uuid *lv_uuid, uint64_t offset_bytes,
			    const struct vk_finding_sink *sink)
{
	struct vk_finding f;

	if (!vk_fs_magic_known(fs->magic)) {
		if (!start(&f, VK_F_FS_MAGIC, "magic", seen_bytes, offset_bytes,
			   "no file-system descriptor where one should be"))
			return;
		vk_finding_seen(&f, "0x%08x", fs->magic);
		vk_finding_expected(&f, "0x%08x", VK_FS_MAGIC_VMFS);
		vk_finding_put(sink, &f);
		return;
	}
	if (vk_view_name(VK_VIEW_FS_VERSION, fs->majorVersion) == NULL &&
	    start(&f, VK_F_FS_VERSION, "majorVersion", seen_bytes, offset_bytes,
		  "the file-system version is not known")) {
		vk_finding_seen(&f, "%u", fs->majorVersion);
		vk_finding_expected(&f, "4, 14 or 24");
		vk_finding_put(sink, &f);
	}
	check_local(fs, seen_bytes, offset_bytes, sink);
	check_sizes(fs, seen_bytes, offset_bytes, sink);
	check_identity(fs, seen_bytes, lv_uuid, offset_bytes, sink);
}

bool vk_fs_geometry(const struct vk_fs_descriptor *fs, size_t seen_bytes,
		    struct vk_fs_geometry *ret_geometry)
{
	bool usable = fs != NULL && vk_fs_descriptor_usable(fs, seen_bytes);
	bool six = usable && vk_fs_is_vmfs6(fs);
	uint32_t slot = six ? fs->mdAlignment : 512;
	uint32_t slots = six ? 1024 : 2048;
	uint64_t end = HB_OFFSET + (uint64_t)slot * slots;

	*ret_geometry = (struct vk_fs_geometry){
		.heartbeat_offset = HB_OFFSET,
		.heartbeat_slot_bytes = slot,
		.heartbeat_slots = slots,
		.heartbeat_end = end,
		.vh_end = vk_round_up_sat(end, six ? MIB : usable ? fs->fileBlockSize : MIB),
	};
	return usable;
}
