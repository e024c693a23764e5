/* SPDX-License-Identifier: Apache-2.0 */
/* Names, contents and addresses of hosts in the structures of a file system: what is not known to be none goes. */
#include "bundle/redact.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/bytes.h"
#include "vmfskit/directory.h"
#include "vmfskit/heartbeat.h"

enum { HASH_DIGITS = 16, SECTOR = 512 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* -000001, as snapshots are counted, in front of what ends at name[len]. */
static size_t without_count(const char *name, size_t len)
{
	if (len < 8 || name[len - 7] != '-')
		return len;
	for (size_t i = len - 6; i < len; i++)
		if (!is_digit(name[i]))
			return len;
	return len - 7;
}

/* How long what is in front of a usual ending is. */
static size_t stem_of(const char *name, size_t len)
{
	static const char *const endings[] = {
		"-flat.vmdk", "-delta.vmdk", "-sesparse.vmdk", "-ctk.vmdk", "-rdm.vmdk", "-rdmp.vmdk", ".vmdk", ".vmxf",
		".vmx", ".vmsd", ".vmsn", ".vmss", ".vmem", ".vswp", ".nvram", ".log", ".iso", ".lck"};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		const size_t n = strlen(endings[i]);

		if (len > n && memcmp(name + len - n, endings[i], n) == 0)
			return without_count(name, len - n);
	}
	return len;
}

static bool is_system(const char *name)
{
	static const char *const others[] = {".", "..", ".unmap.sf", ".dfd.sf"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(name, others[i]) == 0)
			return true;
	for (unsigned i = VK_SYSTEM_ROOT + 1; i < VK_SYSTEM_COUNT; i++)
		if (strcmp(name, vk_system_file_name((enum vk_system_file)i)) == 0)
			return true;
	return false;
}

void vk_redact_name(struct vk_redact *redact, uint8_t *name, size_t room)
{
	static const char digits[] = "0123456789abcdef";
	char old[257] = "";
	const size_t len = strnlen((const char *)name, room), kept_room = room < 256 ? room : 256;
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned got = 0;
	size_t stem, at = 0;

	memcpy(old, name, kept_room);
	memset(name, 0, room);
	if (len == 0)
		return;
	if (is_system(old)) {
		memcpy(name, old, len);
		return;
	}
	stem = stem_of(old, len);
	if (HMAC(EVP_sha256(), redact->key, VK_REDACT_KEY_BYTES, (const uint8_t *)old, stem, hash, &got) == NULL) {
		redact->failed = true;
		return;
	}
	name[at++] = 'x';
	for (size_t i = 0; i < HASH_DIGITS; i++)
		name[at++] = (uint8_t)digits[hash[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xF];
	memcpy(name + at, old + stem, len - stem);
}

void vk_redact_entries(struct vk_redact *redact, uint8_t *bytes, size_t len)
{
	for (; len >= VK_DIR_ENTRY_BYTES; bytes += VK_DIR_ENTRY_BYTES, len -= VK_DIR_ENTRY_BYTES) {
		/* bytes that are no entry */
		if (vk_get_le32(bytes) > VK_FILE_RDM)
			memset(bytes, 0, VK_DIR_ENTRY_BYTES);
		else
			vk_redact_name(redact, bytes + VK_DIR_ENTRY_NAME, VK_DIR_ENTRY_BYTES - VK_DIR_ENTRY_NAME);
	}
	memset(bytes, 0, len);
}

static void redact_entry6(struct vk_redact *redact, uint8_t *entry)
{
	const bool keeps_hash = vk_get_le32(entry + 0x0C) == 0;

	vk_redact_name(redact, entry + VK_DIR6_ENTRY_NAME, 256);
	memset(entry + VK_DIR6_ENTRY_NAME + 256, 0, VK_DIR6_ENTRY_BYTES - VK_DIR6_ENTRY_NAME - 256);
	if (!keeps_hash)
		vk_put_le32(entry + 0x0C,
			    (uint32_t)vk_dir6_hash(entry + VK_DIR6_ENTRY_NAME,
						   strnlen((const char *)entry + VK_DIR6_ENTRY_NAME,
							   VK_DIR6_NAME_MAX)));
}

static void redact_block6(struct vk_redact *redact, uint8_t *block, uint32_t md_alignment)
{
	const uint32_t type = vk_get_le16(block + 2);
	uint8_t *at = block + VK_DIR6_BLOCK_BYTES, *end = block + md_alignment;

	if (type == VK_DIR6_MAP)
		return;
	for (; type == VK_DIR6_ENTRIES && end - at >= VK_DIR6_ENTRY_BYTES; at += VK_DIR6_ENTRY_BYTES)
		redact_entry6(redact, at);
	memset(at, 0, (size_t)(end - at));
	if (type != VK_DIR6_ENTRIES && type != VK_DIR6_LINKS)
		memset(block, 0, VK_DIR6_BLOCK_BYTES);
}

static void redact_header6(struct vk_redact *redact, uint8_t *bytes, size_t len)
{
	memset(bytes + 0x210, 0, VK_DIR6_SELF - 0x210);
	redact_entry6(redact, bytes + VK_DIR6_SELF);
	redact_entry6(redact, bytes + VK_DIR6_PARENT);
	memset(bytes + VK_DIR6_HASH, 0, len - VK_DIR6_HASH);
}

void vk_redact_folder6(struct vk_redact *redact, uint64_t file_offset, uint8_t *bytes, size_t len,
		       uint32_t md_alignment)
{
	size_t done = 0;

	for (; len - done >= md_alignment; done += md_alignment) {
		if (file_offset + done == 0)
			redact_header6(redact, bytes, md_alignment);
		else if (file_offset + done < VK_DIR6_BLOCKS || (file_offset + done) % md_alignment != 0)
			memset(bytes + done, 0, md_alignment);
		else
			redact_block6(redact, bytes + done, md_alignment);
	}
	memset(bytes + done, 0, len - done);
}

static bool has_addresses(uint32_t zla)
{
	return zla == VK_ZLA_FILE_BLOCK || zla == VK_ZLA_SUB_BLOCK || zla == VK_ZLA_POINTER_BLOCK ||
	       zla == VK_ZLA_POINTER_BLOCK2 || zla == VK_ZLA_DOUBLE;
}

size_t vk_redact_descriptor(struct vk_redact *redact, const struct vk_fs_info *info, uint8_t *bytes)
{
	const struct vk_fd_geometry *g = &info->fd;
	uint8_t *data = bytes + info->resident_offset;
	const size_t data_bytes = g->fd_bytes - info->resident_offset;
	struct vk_file_metadata meta;

	vk_file_metadata_decode(bytes + g->metadata_offset, VK_FILE_METADATA_BYTES, &meta);
	memset(bytes + SECTOR, 0, g->metadata_offset - SECTOR);
	memset(bytes + g->metadata_offset + VK_FILE_METADATA_BYTES, 0,
	       info->resident_offset - g->metadata_offset - VK_FILE_METADATA_BYTES);
	if (vk_get_le32(bytes) == VK_FD_LOCK_TYPE && has_addresses(meta.zeroLevelAddrType)) {
		memset(data, 0, g->pointers_offset - info->resident_offset);
	} else if (vk_get_le32(bytes) == VK_FD_LOCK_TYPE && meta.type == VK_FILE_RDM) {
		memset(data + SECTOR, 0, data_bytes - SECTOR);
	} else if (meta.type == VK_FILE_FOLDER && !info->vmfs6) {
		vk_redact_entries(redact, data, data_bytes);
	} else {
		memset(data, 0, data_bytes);
		if (meta.zeroLevelAddrType == VK_ZLA_RESIDENT && meta.fileLength > 0)
			return info->resident_offset;
	}
	return g->fd_bytes;
}

void vk_redact_heartbeat(uint8_t sector[512])
{
	const uint32_t state = vk_get_le32(sector);

	if (state != VK_HB_FREE && state != VK_HB_IN_USE) {
		memset(sector, 0, SECTOR);
		return;
	}
	memset(sector + 0x36, 0, 46);
	memset(sector + VK_HEARTBEAT_BYTES, 0, SECTOR - VK_HEARTBEAT_BYTES);
}
