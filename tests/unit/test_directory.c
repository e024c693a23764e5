/* SPDX-License-Identifier: Apache-2.0 */
/* Folders: published entries, locations, maps, the hash of names. */
#include "base/bytes.h"
#include "disk_support.h"
#include "vmfskit/directory.h"

static void entry(void **state)
{
	/* entry 7 of the root of an ESX 3.5 volume */
	uint8_t b[VK_DIR_ENTRY_BYTES] = {0};
	struct vk_dir_entry e;

	(void)state;
	bytes_of("03 00 00 00 84 01 00 00 01 00 00 00 74 68 69 6e 2d 66 6c 61 74 2e 76 6d 64 6b 00", b, sizeof(b));
	assert_int_equal(vk_dir_entry_decode(b, sizeof(b), &e), VK_DIR_ENTRY_BYTES);
	assert_round_trip(&vk_dir_entry_layout, b, sizeof(b));
	assert_int_equal(e.type, 3);
	assert_int_equal(e.descAddr, 0x184);
	assert_int_equal(e.generation, 1);
	assert_string_equal((const char *)e.name, "thin-flat.vmdk");
	assert_int_equal(vk_layout_field(&vk_dir_entry_layout, "name")->offset, VK_DIR_ENTRY_NAME);
	assert_int_equal(vk_layout_field(&vk_dir6_entry_layout, "name")->offset, VK_DIR6_ENTRY_NAME);
	assert_int_equal(vk_layout_field(&vk_dir6_header_layout, "selfEntry")->offset, VK_DIR6_SELF);
	assert_int_equal(vk_layout_field(&vk_dir6_header_layout, "parentEntry")->offset, VK_DIR6_PARENT);
	assert_true(VK_DIR6_HASH + 4 * VK_DIR6_HASH_SLOTS <= VK_DIR6_BLOCKS);
}

static void locations(void **state)
{
	/* slot 0x3C82 of the root's hash table on a real volume: block 1, slot 8 */
	struct vk_dir6_location at = vk_dir6_location_decode(0x08000005);

	(void)state;
	assert_int_equal(at.type, VK_DIR6_ENTRIES);
	assert_int_equal(at.block, 1);
	assert_int_equal(at.slot, 8);
	assert_int_equal(vk_dir6_location_offset(&at, 4096), 0x11040 + 8 * 288);
	at = vk_dir6_location_decode(0xFFFFFFFE);
	assert_int_equal(at.type, VK_DIR6_LINKS);
	assert_int_equal(at.block, 0x3FFFFF);
	assert_int_equal(at.slot, 255);
	assert_int_equal(vk_dir6_location_offset(&at, 65536), 0x10000 + 0x3FFFFFULL * 65536 + 64 + 255 * 84);
	assert_int_equal(vk_dir6_block_slots(VK_DIR6_ENTRIES, 4096), 14);
	assert_int_equal(vk_dir6_block_slots(VK_DIR6_LINKS, 4096), 48);
	/* the bitmap has no more bits */
	assert_int_equal(vk_dir6_block_slots(VK_DIR6_LINKS, 65536), VK_DIR6_SLOTS_MAX);
}

static void allocation_map(void **state)
{
	uint8_t map[4096];

	(void)state;
	memset(map, 0x88, sizeof(map));
	map[64] = 0x35;
	assert_int_equal(vk_dir6_map_items(4096), 2 * 4096 - 128);
	assert_int_equal(vk_dir6_map_item(map, 0), VK_DIR6_MAP);
	assert_int_equal(vk_dir6_map_item(map, 1), VK_DIR6_ENTRIES | VK_DIR6_ITEM_FREE_SLOTS);
	map[4095] = 0x12;
	assert_int_equal(vk_dir6_map_item(map, vk_dir6_map_items(4096) - 2), 1);
	assert_int_equal(vk_dir6_map_item(map, vk_dir6_map_items(4096) - 1), 2);
}

static void check_hash(const char *name, uint64_t hash, unsigned link_hash, unsigned slot, unsigned root_slot)
{
	const uint8_t *bytes = (const uint8_t *)name;
	size_t len = strlen(name);
	struct vk_dir6_key key, in_root;

	assert_int_equal(vk_dir6_hash(bytes, len), hash);
	assert_true(vk_dir6_key(bytes, len, false, &key));
	assert_true(vk_dir6_key(bytes, len, true, &in_root));
	assert_int_equal(key.hash, hash & 0xFFFFFFFF);
	assert_int_equal(key.link_hash, link_hash);
	assert_int_equal(key.slot, slot);
	assert_int_equal(in_root.hash, key.hash);
	assert_int_equal(in_root.link_hash, link_hash);
	assert_int_equal(in_root.slot, root_slot);
}

static void hashes(void **state)
{
	char longest[VK_DIR6_NAME_MAX + 2];
	struct vk_dir6_key key;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_false(vk_dir6_key((const uint8_t *)longest, VK_DIR6_NAME_MAX + 1, false, &key));
	longest[VK_DIR6_NAME_MAX] = '\0';
	check_hash("a", 0xB9450C76925060B2, 0x9250, 0x1BD9, 0x158A);
	check_hash("small", 0xB778B175A46B776D, 0xA46B, 0x3BE0, 0x11B7);
	check_hash("vmware.log", 0x452FF6371A788DAC, 0x1A78, 0x1776, 0x1D36);
	check_hash("testvm01", 0xF9180F149F70C3E8, 0x9F70, 0x173C, 0x2B3F);
	check_hash("testvm01-flat.vmdk", 0xCB64E54F2350B551, 0x2350, 0x3D44, 0x3154);
	check_hash("lost+found", 0x8D9C3EAB39BB142C, 0x39BB, 0x1603, 0x2945);
	check_hash("directory", 0x5F1265850DBC9F66, 0x0DBC, 0x0F97, 0x3C82);
	check_hash("\xc3\x9cn\xc3\xaf\x63ode.vmdk", 0x6D3BC57D342C3591, 0x342C, 0x2896, 0x2AEC);
	check_hash(longest, 0x3DFE8951AFDB5E22, 0xAFDB, 0x00BF, 0x0E7B);
}

static void names_that_collide(void **state)
{
	static const char *const three[] = {"f1", "f16947", "f62971"};
	static const unsigned links[] = {0x9FC3, 0x82D9, 0xC1A6};
	static const char *const many[] = {"f0",      "f21338",  "f30378",  "f37121",  "f44993",  "f106888", "f111663",
					   "f125187", "f133099", "f149826", "f164662", "f172257", "f191631", "f197071"};
	struct vk_dir6_key key;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(vk_dir6_key((const uint8_t *)three[i], strlen(three[i]), false, &key));
		assert_int_equal(key.slot, 0x2CBA);
		assert_int_equal(key.link_hash, links[i]);
	}
	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
		assert_true(vk_dir6_key((const uint8_t *)many[i], strlen(many[i]), false, &key));
		assert_int_equal(key.slot, 0x317D);
	}
}

static void fixed_slots(void **state)
{
	static const char *const names[] = {".fbb.sf", ".fdc.sf", ".pbc.sf", ".sbc.sf",   ".vh.sf",
					    ".pb2.sf", ".sdd.sf", ".jbc.sf", ".unmap.sf", ".dfd.sf"};
	struct vk_dir6_key key;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const uint8_t *name = (const uint8_t *)names[i];
		size_t len = strlen(names[i]);

		assert_true(vk_dir6_key(name, len, true, &key));
		assert_int_equal(key.slot, 0x3E66 + i);
		assert_int_equal(key.hash | key.link_hash, 0);
		/* any other folder may have such a file, and a name that only begins so has none */
		assert_true(vk_dir6_key(name, len, false, &key));
		assert_int_equal(key.slot, vk_dir6_hash(name, len) % 16001);
		assert_true(vk_dir6_key(name, len - 1, true, &key));
		assert_int_equal(key.slot, vk_dir6_hash(name, len - 1) % 15973);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entry),         cmocka_unit_test(locations),
		cmocka_unit_test(allocation_map), cmocka_unit_test(hashes),
		cmocka_unit_test(names_that_collide), cmocka_unit_test(fixed_slots),
	};

	return cmocka_run_group_tests_name("directory", tests, NULL, NULL);
}
