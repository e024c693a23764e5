/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_Descriptor: two published ones, the geometry of each version, and each finding on its own. */
#include "disk_support.h"
#include "vmfskit/fs_descriptor.h"

enum { AT = 0x1300000 };
static struct vk_findings list;

static struct vk_fs_descriptor d1(void)
{
	uint8_t b[512];
	struct vk_fs_descriptor fs;

	sample_bytes("d1-lvm316-vmfs331", AT, b, sizeof(b));
	assert_int_equal(vk_fs_descriptor_decode(b, sizeof(b), &fs), VK_FS_DESCRIPTOR_BYTES);
	assert_round_trip(&vk_fs_descriptor_layout, b, sizeof(b));
	return fs;
}

static struct vk_fs_descriptor vmfs6(void)
{
	struct vk_fs_descriptor fs = d1();

	fs.majorVersion = 24;
	fs.minorVersion = 82;
	fs.mdAlignment = 4096;
	return fs;
}

static void check_on(const struct vk_fs_descriptor *fs, size_t seen, const struct vk_vmfs_uuid *lv)
{
	const struct vk_finding_sink sink = vk_findings_sink(&list);

	vk_fs_descriptor_check(fs, seen, lv, AT, &sink);
}

static void published_descriptors(void **state)
{
	const struct vk_layout *l = &vk_fs_descriptor_layout;
	struct vk_fs_descriptor fs = d1();
	struct vk_vmfs_uuid lv;
	uint8_t b[512] = {0};
	char text[40];

	(void)state;
	assert_field(l, "magic", &fs, "0x2fabf15e (VMFS)");
	assert_field(l, "majorVersion", &fs, "4 (VMFS3)");
	assert_field(l, "uuid", &fs, "49716cd8-ebcbbf9a-6792-000d60d46e2e");
	assert_field(l, "fsLabel", &fs, "\"ss2-cstar-zs0.2\"");
	assert_field(l, "fileBlockSize", &fs, "1 MiB (1048576 bytes)");
	assert_field(l, "volInfo", &fs, "49716cd8-6075899a-ad1c-000d60d46e2e");
	assert_field(l, "config", &fs, "0x2 (access public)");
	assert_field(l, "creationTime", &fs, "2009-01-17T05:30:00Z");
	vk_fs_version_name(&fs, text);
	assert_string_equal(text, "VMFS-3.31");
	assert_true(vk_vmfs_uuid_parse("49716cd8-6075899a-ad1c-000d60d46e2e", &lv));
	check_on(&fs, VK_FS_DESCRIPTOR_BYTES, &lv);
	check_on(&fs, VK_FS_DESCRIPTOR_BYTES, NULL);
	assert_codes(&list, 0);

	/* the volume of an ESX 3.5 host, as printed */
	bytes_of("5e f1 ab 2f 04 00 00 00 1f 44 f8 ed 49 f3 28 fc eb cb 65 00 21 28 00 83 cf 02 00 00 00 74 6f 74 6f",
		 b, sizeof(b));
	bytes_of("00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00 00 10 00 00 00 00 00 44 f8 ed 49 01 00 00 "
		 "00 42 f8 ed 49 37 5d b3 dc 83 b3 00 21 28 00 83 cf 01 00 00 00",
		 b + 0x90, 0x60);
	bytes_of("00 00 00 01 00 20 00 00 00 00 00 01 00 00 00 00", b + 0xD0, 16);
	vk_fs_descriptor_decode(b, sizeof(b), &fs);
	assert_field(l, "uuid", &fs, "49edf844-ebfc28f3-65cb-0021280083cf");
	assert_field(l, "fsLabel", &fs, "\"toto\"");
	assert_field(l, "volInfo", &fs, "49edf842-dcb35d37-b383-0021280083cf");
	assert_int_equal(fs.volInfoSnapID, 1);
	assert_int_equal(fs.diskBlockSize, 512);
	assert_int_equal(fs.fileBlockSize, 0x100000);
	assert_int_equal(fs.creationTime, 0x49EDF844);
	assert_int_equal(fs.fdcClusterGroupOffset, 0x10000);
	assert_int_equal(fs.fdcClustersPerGroup, 32);
	assert_int_equal(fs.subBlockSize, 0x10000);
	check_on(&fs, VK_FS_DESCRIPTOR_BYTES, &fs.volInfo);
	assert_codes(&list, 0);
}

/* The descriptors of two volumes that an ESXi host made in 2021: VMFS 5.81 and 6.82. */
static void of_two_new_volumes(void **state)
{
	const struct vk_layout *l = &vk_fs_descriptor_layout;
	struct vk_fs_descriptor five, six;
	struct vk_vmfs_uuid lv;
	uint8_t b[512] = {0};

	(void)state;
	bytes_of("5e f1 ab 2f 0e 00 00 00 51 d5 7d 13 61 c8 c2 6b df e7 f0 00 0c 29 80 16 86 06 00 00 00 56 4d 46 "
		 "53 35 20 54 65 73 74", b, sizeof(b));
	bytes_of("00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00 00 10 00 00 00 00 00 d5 7d 13 61 01 00 00 "
		 "00 d5 7d 13 61 10 78 72 d0 c2 7a 00 0c 29 80 16 86 01 00 00", b + 0x90, 0x40);
	bytes_of("00 00 00 01 00 40 00 00 00 00 20 00 00 08 00 00 00 00 30 42 00 00 00 00 00 04 00 80 01 5a 7d 13 "
		 "61 78 87 df a2 d5 7e 00 0c 29 80 16 86 01 00 00 00 00 00 00 00 00 38 42 00 00 00 00 00 04 00 c0 01",
		 b + 0xD0, 0x41);
	vk_fs_descriptor_decode(b, sizeof(b), &five);
	assert_round_trip(l, b, sizeof(b));
	assert_field(l, "config", &five, "0x6 (access public, DENSE_SBPC)");
	assert_int_equal(five.fdcClustersPerGroup, 64);
	assert_int_equal(five.subBlockSize, 8192);
	assert_int_equal(five.maxJournalSlotsPerTxn, 8);
	assert_int_equal(five.pb2VolAddr, 0x423000);
	assert_int_equal(five.pb2FDAddr, 0x01800004);
	assert_field(l, "hostUuid", &five, "61137d5a-a2df8778-7ed5-000c29801686");
	assert_int_equal(five.gblGeneration, 1);
	assert_int_equal(five.sddVolAddr, 0x423800);
	assert_int_equal(five.sddFDAddr, 0x01C00004);
	assert_true(vk_vmfs_uuid_parse("61137dd5-d0727810-7ac2-000c29801686", &lv));
	check_on(&five, VK_FS_DESCRIPTOR_BYTES, &lv);
	assert_codes(&list, 0);

	bytes_of("5e f1 ab 2f 18 00 00 00 52", b, 9);
	bytes_of("00 02 00 00 00 10 00 00 09 00 00 00 00 00 10 00 2c 00 00 00 00 00 10 00 00 00 20 00 80 3e 00 00 a0 0f",
		 b + 0x130, 0x22);
	vk_fs_descriptor_decode(b, sizeof(b), &six);
	assert_int_equal(six.physDiskBlockSize, 512);
	assert_int_equal(six.mdAlignment, 4096);
	assert_int_equal(six.sfbToLfbShift, 9);
	assert_int_equal(six.ptrBlockShift, 16);
	assert_int_equal(six.sfbAddrBits, 44);
	assert_int_equal(six.tbzGranularity, 1 << 20);
	assert_int_equal(six.journalBlockSize, 2 << 20);
	assert_int_equal(six.leaseIntervalMs, 16000);
	assert_int_equal(six.reclaimWindowMs, 4000);
	check_on(&six, VK_FS_DESCRIPTOR_BYTES, &lv);
	assert_codes(&list, 0);
	/* their bytes were seen; what no real volume showed was not */
	for (size_t i = 0; i < l->count; i++) {
		const char *name = l->fields[i].name;
		bool unseen = l->fields[i].offset >= 0x154 || strncmp(name, "checksum", 8) == 0 || l->fields[i].view == VK_VIEW_RESERVED;

		if ((l->fields[i].evidence == VK_EV_V) == unseen && strcmp(name, "volInfoRest") != 0)
			fail_msg("%s: evidence %d", name, l->fields[i].evidence);
	}
}

static void versions(void **state)
{
	static const struct {
		uint32_t magic, major;
		uint8_t minor;
		const char *name;
		bool six;
	} rows[] = {
		{VK_FS_MAGIC_VMFS, 4, 46, "VMFS-3.46", false},
		{VK_FS_MAGIC_VMFS, 14, 81, "VMFS-5.81", false},
		{VK_FS_MAGIC_VMFS, 24, 82, "VMFS-6.82", true},
		{VK_FS_MAGIC_VMFSL, 24, 82, "VMFS-L 6.82", true},
		{VK_FS_MAGIC_VMFS6, 24, 81, "VMFS-6.81", true},
		{VK_FS_MAGIC_VMFS6L, 24, 81, "VMFS-L 6.81", true},
		{VK_FS_MAGIC_VMFS, 25, 255, "unknown version 25.255", true},
		{VK_FS_MAGIC_VMFS, UINT32_MAX, 255, "unknown version 4294967295.255", true},
		{VK_FS_MAGIC_VMFS, 0, 0, "unknown version 0.0", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vk_fs_descriptor fs = {.magic = rows[i].magic,
					      .majorVersion = rows[i].major,
					      .minorVersion = rows[i].minor};
		char text[40];

		vk_fs_version_name(&fs, text);
		assert_string_equal(text, rows[i].name);
		assert_int_equal(vk_fs_is_vmfs6(&fs), rows[i].six);
	}
	assert_false(vk_fs_magic_known(VK_FS_MAGIC_VMFS - 1));
	assert_false(vk_fs_magic_known(VK_FS_MAGIC_VMFS6L + 1));
	assert_true(vk_fs_magic_known(VK_FS_MAGIC_VMFSL));
	assert_true(vk_fs_magic_known(VK_FS_MAGIC_VMFS6L));
}

static void flags(void **state)
{
	struct vk_fs_descriptor fs = {.config = 0x1D0F, .unmapPriority = 3};

	(void)state;
	assert_field(&vk_fs_descriptor_layout, "config", &fs,
		     "0x1d0f (access shared, DENSE_SBPC, MAINTENANCE, LOCAL, SHARED, OSDATA, VSAN)");
	assert_field(&vk_fs_descriptor_layout, "unmapPriority", &fs, "3 (high)");
	static const struct {
		uint32_t bit;
		const char *text;
	} bits[] = {
		{0x4, "0x4 (access private, DENSE_SBPC)"},   {0x8, "0x8 (access private, MAINTENANCE)"},
		{0x100, "0x100 (access private, LOCAL)"},    {0x400, "0x400 (access private, SHARED)"},
		{0x800, "0x800 (access private, OSDATA)"},   {0x1000, "0x1000 (access private, VSAN)"},
		{0x10, "0x10 (access private)"},             {0x1, "0x1 (access shared)"},
		{0x80000000, "0x80000000 (access private)"},
	};
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		fs.config = bits[i].bit;
		assert_field(&vk_fs_descriptor_layout, "config", &fs, bits[i].text);
	}
	fs.config = 0;
	assert_field(&vk_fs_descriptor_layout, "config", &fs, "0x0 (access private)");
}

#define DAMAGED(base, change, offset, length, code) \
	do { \
		struct vk_fs_descriptor fs = base; \
		change; \
		check_on(&fs, VK_FS_DESCRIPTOR_BYTES, NULL); \
		assert_range(&list, 0, AT + (offset), length); \
		assert_codes(&list, 1, code); \
	} while (0)
#define SOUND(base, change) \
	do { \
		struct vk_fs_descriptor fs = base; \
		change; \
		check_on(&fs, VK_FS_DESCRIPTOR_BYTES, NULL); \
		assert_codes(&list, 0); \
		assert_true(vk_fs_descriptor_usable(&fs, VK_FS_DESCRIPTOR_BYTES)); \
	} while (0)

static void findings(void **state)
{
	(void)state;
	DAMAGED(d1(), fs.magic = 0, 0, 4, "fs.magic-missing");
	DAMAGED(d1(), (fs.magic = 0, fs.fileBlockSize = 3, fs.majorVersion = 99), 0, 4, "fs.magic-missing");
	SOUND(d1(), (fs.magic = VK_FS_MAGIC_VMFSL, fs.config |= 0x100));
	SOUND(d1(), (fs.magic = VK_FS_MAGIC_VMFS6L, fs.config |= 0x900));
	/* magic and config say by themselves whether others may mount it */
	DAMAGED(d1(), fs.magic = VK_FS_MAGIC_VMFSL, 0, 4, "fs.local-mismatch");
	DAMAGED(d1(), fs.config |= 0x100, 0, 4, "fs.local-mismatch");
	DAMAGED(vmfs6(), fs.config |= 0x800, 0, 4, "fs.local-mismatch");
	DAMAGED(d1(), fs.majorVersion = 7, 4, 4, "fs.version");
	DAMAGED(vmfs6(), fs.majorVersion = 25, 4, 4, "fs.version");
	SOUND(d1(), fs.majorVersion = 14);
	SOUND(vmfs6(), (void)0);
	DAMAGED(d1(), fs.fileBlockSize = 0, 0xA1, 8, "fs.block-size");
	DAMAGED(d1(), fs.fileBlockSize = 3 << 20, 0xA1, 8, "fs.block-size");
	DAMAGED(d1(), fs.fileBlockSize = 1 << 19, 0xA1, 8, "fs.block-size");
	DAMAGED(d1(), fs.fileBlockSize = 1 << 24, 0xA1, 8, "fs.block-size");
	DAMAGED(d1(), fs.fileBlockSize = 1ULL << 63, 0xA1, 8, "fs.block-size");
	for (unsigned shift = 20; shift < 24; shift++)
		SOUND(d1(), fs.fileBlockSize = 1ULL << shift);
	DAMAGED(d1(), fs.diskBlockSize = 0, 0x9D, 4, "fs.disk-block-size");
	SOUND(d1(), fs.diskBlockSize = 4096);
	SOUND(d1(), fs.mdAlignment = 77);
	DAMAGED(vmfs6(), fs.mdAlignment = 0, 0x134, 4, "fs.md-alignment");
	DAMAGED(vmfs6(), fs.mdAlignment = 4097, 0x134, 4, "fs.md-alignment");
	DAMAGED(vmfs6(), fs.mdAlignment = 1 << 17, 0x134, 4, "fs.md-alignment");
	SOUND(vmfs6(), fs.mdAlignment = 65536);
	SOUND(vmfs6(), fs.mdAlignment = 512);
	DAMAGED(d1(), fs.creationTime += 61, 0xA9, 4, "fs.creation-time");
	DAMAGED(d1(), fs.creationTime = 0, 0xA9, 4, "fs.creation-time");
	DAMAGED(d1(), fs.creationTime = UINT32_MAX, 0xA9, 4, "fs.creation-time");
	SOUND(d1(), fs.creationTime += 60);
}

static void volume_of_another(void **state)
{
	struct vk_fs_descriptor fs = d1();
	struct vk_vmfs_uuid other = fs.volInfo;

	(void)state;
	other.b[15] ^= 1;
	check_on(&fs, VK_FS_DESCRIPTOR_BYTES, &other);
	assert_range(&list, 0, AT + 0xB1, 16);
	assert_string_equal(list.items[0].seen, "49716cd8-6075899a-ad1c-000d60d46e2e");
	assert_string_equal(list.items[0].expected, "49716cd8-6075899a-ad1c-000d60d46e2f");
	assert_codes(&list, 1, "fs.volinfo-mismatch");
}

static void a_cut_descriptor_is_not_judged_by_what_is_cut_off(void **state)
{
	uint8_t b[VK_FS_DESCRIPTOR_BYTES];
	struct vk_fs_descriptor whole = vmfs6();
	struct vk_vmfs_uuid lv = whole.volInfo;

	(void)state;
	memset(b, 0, sizeof(b));
	vk_fs_descriptor_encode(&whole, b, sizeof(b));
	for (size_t len = 0; len <= sizeof(b); len++) {
		struct vk_fs_descriptor fs;

		check_on((vk_fs_descriptor_decode(b, len, &fs), &fs), len, &lv);
		assert_codes(&list, 0);
		assert_int_equal(vk_fs_descriptor_usable(&fs, len), len == sizeof(b));
	}
}

static void geometry(void **state)
{
	static const struct {
		uint32_t major, alignment;
		uint64_t block;
		bool usable;
		uint32_t slot, slots;
		uint64_t end, vh_end;
	} rows[] = {
		{4, 0, 1 << 20, true, 512, 2048, 0x400000, 0x400000},
		{4, 0, 2 << 20, true, 512, 2048, 0x400000, 0x400000},
		{4, 0, 4 << 20, true, 512, 2048, 0x400000, 0x400000},
		{4, 0, 8 << 20, true, 512, 2048, 0x400000, 0x800000},
		{14, 0, 1 << 20, true, 512, 2048, 0x400000, 0x400000},
		{24, 4096, 1 << 20, true, 4096, 1024, 0x700000, 0x700000},
		{24, 512, 1 << 20, true, 512, 1024, 0x380000, 0x400000},
		{24, 65536, 1 << 20, true, 65536, 1024, 0x4300000, 0x4300000},
		{24, 0, 1 << 20, false, 512, 2048, 0x400000, 0x400000},
		{4, 0, 3 << 20, false, 512, 2048, 0x400000, 0x400000},
	};
	struct vk_fs_geometry g;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vk_fs_descriptor fs = d1();

		fs.majorVersion = rows[i].major;
		fs.mdAlignment = rows[i].alignment;
		fs.fileBlockSize = rows[i].block;
		assert_int_equal(vk_fs_geometry(&fs, VK_FS_DESCRIPTOR_BYTES, &g), rows[i].usable);
		assert_int_equal(g.heartbeat_offset, 0x300000);
		assert_int_equal(g.heartbeat_slot_bytes, rows[i].slot);
		assert_int_equal(g.heartbeat_slots, rows[i].slots);
		assert_int_equal(g.heartbeat_end, rows[i].end);
		assert_int_equal(g.vh_end, rows[i].vh_end);
		assert_false(vk_fs_geometry(&fs, 100, &g));
		assert_int_equal(g.vh_end, 0x400000);
	}
	assert_false(vk_fs_geometry(NULL, 512, &g));
	assert_int_equal(g.heartbeat_slots, 2048);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_descriptors),
		cmocka_unit_test(of_two_new_volumes),
		cmocka_unit_test(versions),
		cmocka_unit_test(flags),
		cmocka_unit_test(findings),
		cmocka_unit_test(volume_of_another),
		cmocka_unit_test(a_cut_descriptor_is_not_judged_by_what_is_cut_off),
		cmocka_unit_test(geometry),
	};

	return cmocka_run_group_tests_name("fs_descriptor", tests, NULL, NULL);
}
