/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_Descriptor: layout, checks, and where heartbeats and .vh.sf lie. */
#include "base/checked.h"
#include "disk/field_check.h"
#include "disk/layout_table.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/heartbeat.h"

VK_LAYOUT_DEFINE(
	vk_fs_descriptor_layout, VK_FS_DESCRIPTOR_ROWS, struct vk_fs_descriptor, VK_FS_DESCRIPTOR_BYTES,
	"FS3_Descriptor", "File-system descriptor (volume offset 0x200000)",
	"decoded from real volumes of VMFS 3, 5 and 6; names and meanings from 0xDD on from readers of others");

enum { MIB = 1 << 20 };

bool vk_fs_magic_known(uint32_t magic)
{
	return magic >= VK_FS_MAGIC_VMFS && magic <= VK_FS_MAGIC_VMFS6L;
}

bool vk_fs_version_known(uint32_t major)
{
	return major == VK_FS_VMFS3 || major == VK_FS_VMFS5 || major == VK_FS_VMFS6;
}

bool vk_fs_is_vmfs6(const struct vk_fs_descriptor *fs)
{
	return fs->majorVersion >= VK_FS_VMFS6;
}

static bool is_local(const struct vk_fs_descriptor *fs)
{
	return fs->magic == VK_FS_MAGIC_VMFSL || fs->magic == VK_FS_MAGIC_VMFS6L;
}

void vk_fs_version_name(const struct vk_fs_descriptor *fs, char ret_text[40])
{
	const char *known = vk_view_name(VK_VIEW_FS_VERSION, fs->majorVersion);
	struct vk_text text = vk_text_in(ret_text, 40);

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

static void check_identity(const struct vk_fs_descriptor *fs, const struct vk_vmfs_uuid *lv_uuid,
			   const struct vk_checked *c)
{
	struct vk_vmfs_uuid_parts id;

	if (lv_uuid != NULL && !vk_vmfs_uuid_equal(&fs->volInfo, lv_uuid)) {
		vk_checked_say(c, VK_F_FS_VOLINFO, "volInfo",
			       "the file system names another LVM volume than the one it lies on",
			       vk_vmfs_uuid_text(&fs->volInfo).text, vk_vmfs_uuid_text(lv_uuid).text);
	}
	vk_vmfs_uuid_decode(&fs->uuid, &id);
	if (!vk_same_event(fs->creationTime, id.timeLo))
		vk_checked_say(c, VK_F_FS_TIME, "creationTime",
			       "creation time and file-system UUID name different times", VK_NUMBER(fs->creationTime),
			       vk_phrase("about %u", id.timeLo).text);
}

/* Both are what a host decides by whether others may mount the volume. */
static void check_local(const struct vk_fs_descriptor *fs, const struct vk_checked *c)
{
	enum { LOCAL = 0x100, OSDATA = 0x800 };
	bool by_config = (fs->config & (LOCAL | OSDATA)) != 0;

	if (is_local(fs) != by_config && vk_checked_held(c, "config"))
		vk_checked_say(c, VK_F_FS_LOCAL, "magic",
			       is_local(fs) ? "the magic is that of VMFS-L, and config has neither LOCAL nor OSDATA"
					    : "the magic is that of VMFS, and config has LOCAL or OSDATA as VMFS-L has",
			       vk_phrase("magic 0x%08x, config 0x%x", fs->magic, fs->config).text, NULL);
}

void vk_fs_descriptor_check(const struct vk_fs_descriptor *fs, size_t seen_bytes,
			    const struct vk_vmfs_uuid *lv_uuid, uint64_t offset_bytes,
			    const struct vk_finding_sink *sink)
{
	const struct vk_checked c = {&vk_fs_descriptor_layout, seen_bytes, offset_bytes, sink};

	if (!vk_fs_magic_known(fs->magic)) {
		vk_checked_say(&c, VK_F_FS_MAGIC, "magic", "no file-system descriptor where one should be",
			       VK_HEX32(fs->magic), VK_HEX32(VK_FS_MAGIC_VMFS));
		return;
	}
	if (!vk_fs_version_known(fs->majorVersion))
		vk_checked_say(&c, VK_F_FS_VERSION, "majorVersion", "the file-system version is not known",
			       VK_NUMBER(fs->majorVersion), "4, 14 or 24");
	check_local(fs, &c);
	if (!block_size_sound(fs->fileBlockSize))
		vk_checked_say(&c, VK_F_FS_BLOCK_SIZE, "fileBlockSize", "the block size is impossible",
			       VK_NUMBER(fs->fileBlockSize), "1, 2, 4 or 8 MiB");
	if (fs->diskBlockSize != 512 && fs->diskBlockSize != 4096)
		vk_checked_say(&c, VK_F_FS_DISK_BLOCK_SIZE, "diskBlockSize", "the disk block size is impossible",
			       VK_NUMBER(fs->diskBlockSize), "512 or 4096");
	if (!alignment_sound(fs))
		vk_checked_say(&c, VK_F_FS_MD_ALIGNMENT, "mdAlignment", "the size of the metadata blocks is impossible",
			       VK_NUMBER(fs->mdAlignment), "a power of two from 512 to 65536, normally 4096");
	check_identity(fs, lv_uuid, &c);
}

bool vk_fs_geometry(const struct vk_fs_descriptor *fs, size_t seen_bytes,
		    struct vk_fs_geometry *ret_geometry)
{
	bool usable = fs != NULL && vk_fs_descriptor_usable(fs, seen_bytes);
	bool six = usable && vk_fs_is_vmfs6(fs);
	uint32_t slot = six ? fs->mdAlignment : 512;
	uint32_t slots = six ? 1024 : 2048;
	uint64_t end = VK_HEARTBEATS_OFFSET + (uint64_t)slot * slots;

	*ret_geometry = (struct vk_fs_geometry){
		.heartbeat_offset = VK_HEARTBEATS_OFFSET,
		.heartbeat_slot_bytes = slot,
		.heartbeat_slots = slots,
		.heartbeat_end = end,
		.vh_end = vk_round_up_sat(end, six ? MIB : usable ? fs->fileBlockSize : MIB),
	};
	return usable;
}
