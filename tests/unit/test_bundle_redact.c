/* SPDX-License-Identifier: Apache-2.0 */
/* What is left out of a bundle without names: of names, entries, descriptors and heartbeats, sound ones and others. */
#include "io_helpers.h"

#include "base/bytes.h"
#include "bundle/redact.h"
#include "vmfskit/directory.h"
#include "vmfskit/heartbeat.h"

static const uint8_t key[VK_REDACT_KEY_BYTES] = "a key of thirty-two bytes, fixed";
static struct vk_redact redact = {.key = key};

static struct vk_phrase redacted(const char *name)
{
	uint8_t room[128] = {0};

	memcpy(room, name, strlen(name));
	vk_redact_name(&redact, room, sizeof(room));
	assert_false(redact.failed);
	return vk_phrase("%s", (const char *)room);
}

static bool has(const uint8_t *bytes, size_t len, const char *word)
{
	return memmem(bytes, len, word, strlen(word)) != NULL;
}

static void names_become_hashes_and_endings_stay(void **state)
{
	static const char *const kept[] = {".", "..", ".fbb.sf", ".sdd.sf", ".dfd.sf"};
	static const char *const endings[] = {".vmdk", "-flat.vmdk", "-000001.vmdk", "-000023-delta.vmdk", ".vmx", ""};
	static const uint8_t other_key[VK_REDACT_KEY_BYTES] = "another";
	struct vk_redact other = {.key = other_key};
	uint8_t full[128], again[128] = "web";

	(void)state;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		assert_string_equal(redacted(kept[i]).text, kept[i]);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		struct vk_phrase name = redacted(vk_phrase("web%s", endings[i]).text);

		assert_int_equal(strlen(name.text), 17 + strlen(endings[i]));
		assert_memory_equal(name.text, redacted("web").text, 17);
		assert_string_equal(name.text + 17, endings[i]);
	}
	assert_string_not_equal(redacted("web").text, redacted("Web").text);
	/* what only looks like an ending, or is one alone, is a name */
	assert_int_equal(strlen(redacted(".vmdk").text), 17);
	assert_int_equal(strlen(redacted("-000001").text), 17);
	assert_int_equal(strlen(redacted("report.secret").text), 17);
	assert_int_equal(strlen(redacted(".fbb.sf2").text), 17);
	vk_redact_name(&other, again, sizeof(again));
	assert_string_not_equal((const char *)again, redacted("web").text);
	/* a name without an end */
	memset(full, 's', sizeof(full));
	vk_redact_name(&redact, full, sizeof(full));
	assert_int_equal(strnlen((const char *)full, sizeof(full)), 17);
}

static void entries_keep_what_they_lead_to(void **state)
{
	uint8_t bytes[3 * VK_DIR_ENTRY_BYTES + 50];

	(void)state;
	memset(bytes, 's', sizeof(bytes));
	vk_put_le32(bytes, VK_FILE_ORDINARY);
	vk_put_le32(bytes + 4, 0x184);
	vk_put_le32(bytes + 8, 7);
	memcpy(bytes + VK_DIR_ENTRY_NAME, "secret.vmx\0old secret", 22);
	vk_redact_entries(&redact, bytes, sizeof(bytes));
	assert_int_equal(vk_get_le32(bytes + 4), 0x184);
	assert_int_equal(vk_get_le32(bytes + 8), 7);
	assert_string_equal((const char *)bytes + VK_DIR_ENTRY_NAME, redacted("secret.vmx").text);
	assert_false(has(bytes, sizeof(bytes), "secret"));
	/* bytes that are no entry, and what is behind the last */
	assert_true(vk_all_zero(bytes + VK_DIR_ENTRY_BYTES, sizeof(bytes) - VK_DIR_ENTRY_BYTES));
}

static void folders_of_vmfs6_lose_their_hashes(void **state)
{
	enum { ALIGNMENT = 4096 };
	static uint8_t bytes[VK_DIR6_BLOCKS + 4 * ALIGNMENT];
	uint8_t *block = bytes + VK_DIR6_BLOCKS, *entry = block + VK_DIR6_BLOCK_BYTES;

	(void)state;
	fill_bytes(bytes, sizeof(bytes), 5);
	for (size_t i = 0; i + 6 < sizeof(bytes); i += 100)
		memcpy(bytes + i, "secret", 6);
	vk_put_le16(block + 2, VK_DIR6_ENTRIES);
	vk_put_le16(block + ALIGNMENT + 2, VK_DIR6_LINKS);
	vk_put_le16(block + 2 * ALIGNMENT + 2, 7);
	memset(block + 3 * ALIGNMENT, 0, ALIGNMENT);
	vk_put_le16(block + 3 * ALIGNMENT + 2, VK_DIR6_MAP);
	memset(block + 3 * ALIGNMENT + VK_DIR6_BLOCK_BYTES, 0x88, 100);
	vk_put_le32(entry + 4, 0x184);
	memset(entry + VK_DIR6_ENTRY_NAME, 0, 256);
	memcpy(entry + VK_DIR6_ENTRY_NAME, "secret.vmdk", 11);
	vk_redact_folder6(&redact, 0, bytes, sizeof(bytes), ALIGNMENT);
	assert_false(has(bytes + 0x210, sizeof(bytes) - 0x210, "secret"));
	assert_true(vk_all_zero(bytes + VK_DIR6_HASH, VK_DIR6_BLOCKS - VK_DIR6_HASH));
	assert_int_equal(vk_get_le32(entry + 4), 0x184);
	assert_string_equal((const char *)entry + VK_DIR6_ENTRY_NAME, redacted("secret.vmdk").text);
	assert_int_equal(vk_get_le32(entry + 0x0C),
			 (uint32_t)vk_dir6_hash(entry + VK_DIR6_ENTRY_NAME, strlen(redacted("secret.vmdk").text)));
	assert_true(vk_all_zero(block + ALIGNMENT + VK_DIR6_BLOCK_BYTES, ALIGNMENT - VK_DIR6_BLOCK_BYTES));
	assert_true(vk_all_zero(block + 2 * ALIGNMENT, ALIGNMENT));
	assert_int_equal(block[3 * ALIGNMENT + VK_DIR6_BLOCK_BYTES + 99], 0x88);
	/* a part that is no whole block */
	memset(bytes, 's', ALIGNMENT);
	vk_redact_folder6(&redact, VK_DIR6_BLOCKS, bytes, ALIGNMENT - 1, ALIGNMENT);
	assert_true(vk_all_zero(bytes, ALIGNMENT - 1));
}

/* A descriptor with that type and ZLA; how much of it is kept, and whether its data is zeros. */
static size_t descriptor(uint32_t alignment, uint32_t type, uint32_t zla, bool *ret_zeros)
{
	struct vk_fs_info info = {.vmfs6 = alignment != 0, .md_alignment = alignment};
	uint8_t *fd, *meta;
	size_t kept;

	vk_fd_geometry(alignment, &info.fd);
	info.resident_offset = info.vmfs6 ? info.fd.metadata_offset + 512 : info.fd.pointers_offset;
	info.resident_bytes = info.fd.fd_bytes - info.resident_offset;
	fd = malloc(info.fd.fd_bytes);
	memset(fd, 's', info.fd.fd_bytes);
	meta = fd + info.fd.metadata_offset;
	vk_put_le32(fd, VK_FD_LOCK_TYPE);
	vk_put_le32(meta + 0x0C, type);
	vk_put_le32(meta + 0x44, zla);
	kept = vk_redact_descriptor(&redact, &info, fd);
	*ret_zeros = vk_all_zero(fd + info.fd.pointers_offset, info.fd.fd_bytes - info.fd.pointers_offset);
	assert_true(vk_all_zero(meta + VK_FILE_METADATA_BYTES, 512 - VK_FILE_METADATA_BYTES));
	if (info.vmfs6 && type != VK_FILE_RDM)
		assert_true(vk_all_zero(fd + info.resident_offset, info.fd.pointers_offset - info.resident_offset));
	kept = kept == info.fd.fd_bytes ? SIZE_MAX : kept == info.resident_offset ? 0 : kept;
	free(fd);
	return kept;
}

static void descriptors_keep_addresses_and_no_contents(void **state)
{
	static const uint32_t alignments[] = {0, 4096, 65536};
	bool zeros;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(descriptor(alignments[i], VK_FILE_ORDINARY, VK_ZLA_SUB_BLOCK, &zeros), SIZE_MAX);
		assert_false(zeros);
		assert_int_equal(descriptor(alignments[i], VK_FILE_ORDINARY, VK_ZLA_RESIDENT, &zeros), 0);
		assert_true(zeros);
		assert_int_equal(descriptor(alignments[i], VK_FILE_LINK, VK_ZLA_RESIDENT, &zeros), 0);
		assert_true(zeros);
		assert_int_equal(descriptor(alignments[i], VK_FILE_ORDINARY, 77, &zeros), SIZE_MAX);
		assert_true(zeros);
		assert_int_equal(descriptor(alignments[i], VK_FILE_FOLDER, VK_ZLA_RESIDENT, &zeros),
				 alignments[i] == 0 ? SIZE_MAX : 0);
		assert_true(zeros);
	}
}

static void heartbeats_lose_addresses(void **state)
{
	uint8_t slot[512];

	(void)state;
	memset(slot, 's', sizeof(slot));
	vk_put_le32(slot, VK_HB_IN_USE);
	vk_redact_heartbeat(slot);
	assert_true(vk_all_zero(slot + 0x36, 46));
	assert_int_equal(slot[0x35], 's');
	assert_int_equal(slot[0x64], 's');
	assert_true(vk_all_zero(slot + VK_HEARTBEAT_BYTES, sizeof(slot) - VK_HEARTBEAT_BYTES));
	memset(slot, 's', sizeof(slot));
	vk_redact_heartbeat(slot);
	assert_true(vk_all_zero(slot, sizeof(slot)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_hashes_and_endings_stay),
		cmocka_unit_test(entries_keep_what_they_lead_to),
		cmocka_unit_test(folders_of_vmfs6_lose_their_hashes),
		cmocka_unit_test(descriptors_keep_addresses_and_no_contents),
		cmocka_unit_test(heartbeats_lose_addresses),
	};

	return cmocka_run_group_tests_name("bundle: what is left out", tests, NULL, NULL);
}
