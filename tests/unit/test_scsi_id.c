/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI_DiskId: the published ids, vml and canonical names both ways, and its finding. */
#include "disk_support.h"
#include "vmfskit/scsi_id.h"

enum { AT = 0x0C };
static struct vk_findings list;

static struct vk_scsi_disk_id id_of(const char *sample)
{
	uint8_t b[VK_SCSI_DISK_ID_BYTES];
	struct vk_scsi_disk_id id;

	sample_bytes(sample, 0x100000 + AT, b, sizeof(b));
	assert_int_equal(vk_scsi_disk_id_decode(b, sizeof(b), &id), sizeof(b));
	assert_round_trip(&vk_scsi_disk_id_layout, b, sizeof(b));
	return id;
}

static void check(const struct vk_scsi_disk_id *id)
{
	const struct vk_finding_sink sink = vk_findings_sink(&list);

	vk_scsi_disk_id_check(id, 0x10000C, &sink);
}

static void assert_names(const struct vk_scsi_disk_id *id, const char *name, bool certain,
			 const char *vml, const char *guid, const char *label)
{
	char text[VK_SCSI_NAME_BYTES];
	bool seen = !certain;

	vk_scsi_disk_id_name(id, text, &seen);
	assert_string_equal(text, name);
	assert_int_equal(seen, certain);
	vk_scsi_disk_id_vml(id, text);
	assert_string_equal(text, vml);
	vk_scsi_disk_id_guid(id, text);
	assert_string_equal(text, guid);
	vk_scsi_disk_id_label(id, text);
	assert_string_equal(text, label);
}

static void published_ids(void **state)
{
	struct vk_scsi_disk_id id = id_of("d1-lvm316-vmfs331");
	uint8_t b[VK_SCSI_DISK_ID_BYTES] = {0};

	(void)state;
	assert_int_equal(id.len, 22);
	assert_int_equal(id.scsiLevel, 6);
	assert_names(&id, "naa.600144f07ed404000000496ff8cd0003", true,
		     "vml.0200030000600144f07ed404000000496ff8cd0003434f4d535441",
		     "600144f07ed404000000496ff8cd0003", "SUN COMSTAR 1.0");
	assert_field(&vk_scsi_disk_id_layout, "vendor", &id, "\"SUN\"");
	assert_field(&vk_scsi_disk_id_layout, "type", &id, "2 (NAA)");
	assert_field(&vk_scsi_disk_id_layout, "deviceType", &id, "0 (disk)");
	check(&id);
	id = id_of("d2-lvm317");
	assert_names(&id, "naa.600144f0928c010000004fc511ec0001", true,
		     "vml.0200000000600144f0928c010000004fc511ec0001434f4d535441",
		     "600144f0928c010000004fc511ec0001", "");
	check(&id);
	id = id_of("d3-lvm521");
	assert_int_equal(id.lun, 5);
	assert_names(&id, "naa.600144f0e8cb470000005053b9b50001", true,
		     "vml.0200050000600144f0e8cb470000005053b9b50001434f4d535441",
		     "600144f0e8cb470000005053b9b50001", "");
	check(&id);

	/* the path id of a volume of an ESX 3.5 host; a device that is named eui. would have one, too */
	bytes_of("00 0f 00 00 00 03 53 75 6e 20 20 20 20 20 56 4f 4c 31 20 20 20 20 20 20 20 20 20 20 20 20 "
		 "56 31 2e 30 76 6d 68 62 61 30 3a 43 30 3a 54 30 3a 4c 30", b, sizeof(b));
	vk_scsi_disk_id_decode(b, sizeof(b), &id);
	assert_names(&id, "mpx.vmhba0:C0:T0:L0", false,
		     "vml.0000000000766d686261303a43303a54303a4c30", "vmhba0:C0:T0:L0", "Sun VOL1 V1.0");
	check(&id);
	assert_codes(&list, 0);
}

static void vml_names(void **state)
{
	static const struct {
		const char *vml;
		unsigned type, lun, len;
		const char *name;
		bool certain;
		const char *guid;
		const char *tail;
	} rows[] = {
		{"vml.0200030000600144f07ed404000000496ff8cd0003434f4d535441", 2, 3, 22,
		 "naa.600144f07ed404000000496ff8cd0003", true, "600144f07ed404000000496ff8cd0003", "COMSTA"},
		{"vml.02000000005005076719d163d844544e313436", 2, 0, 14, "naa.5005076719d163d8", true,
		 "5005076719d163d8", "DTN146"},
		{"vml.02000000006000eb3952315fbe000000000000001b695343534944", 2, 0, 22,
		 "naa.6000eb3952315fbe000000000000001b", true, "6000eb3952315fbe000000000000001b", "iSCSID"},
		{"vml.02000501006000eb3952315fbe0000000000000041695343534944", 2, 261, 22,
		 "naa.6000eb3952315fbe0000000000000041", true, "6000eb3952315fbe0000000000000041", "iSCSID"},
		{"vml.02006500006006016033d119005c8ef7b7f6a0dd11524149442030", 2, 101, 22,
		 "naa.6006016033d119005c8ef7b7f6a0dd11", true, "6006016033d119005c8ef7b7f6a0dd11", "RAID 0"},
		{"vml.0100000000564232326364396533662d66393037373562612056424f582048", 1, 0, 26,
		 "serial VB22cd9e3f-f90775ba", false, "VB22cd9e3f-f90775ba", "VBOX H"},
		{"vml.01000000004e4141584b545244457870616e73", 1, 0, 14, "serial NAAXKTRD", false,
		 "NAAXKTRD", "Expans"},
		{"vml.0100010000564d57617265204e564d455f3030303020202020564d77617265", 1, 1, 26,
		 "serial VMWare NVME_0000", false, "VMWare NVME_0000", "VMware"},
		{"vml.0000000000766d68626133323a303a30", 0, 0, 11, "mpx.vmhba32:C0:T0:L0", false,
		 "vmhba32:0:0", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vk_scsi_disk_id id;
		char with[128];
		unsigned partition = 99;

		assert_int_equal(vk_scsi_vml_parse(rows[i].vml, &id, &partition), VK_OK);
		assert_int_equal(partition, 0);
		assert_int_equal(id.type, rows[i].type);
		assert_int_equal(id.lun, rows[i].lun);
		assert_int_equal(id.len, rows[i].len);
		assert_names(&id, rows[i].name, rows[i].certain, rows[i].vml, rows[i].guid, "");
		if (rows[i].tail != NULL)
			assert_memory_equal(id.id + id.len - 6, rows[i].tail, 6);
		check(&id);
		snprintf(with, sizeof(with), "%s:12", rows[i].vml);
		assert_int_equal(vk_scsi_vml_parse(with, &id, &partition), VK_OK);
		assert_int_equal(partition, 12);
		snprintf(with, sizeof(with), "%s:9", rows[i].vml);
		assert_int_equal(vk_scsi_vml_parse(with, &id, &partition), VK_OK);
		assert_int_equal(partition, 9);
		snprintf(with, sizeof(with), "%s;9", rows[i].vml);
		assert_int_equal(vk_scsi_vml_parse(with, &id, &partition), VK_DAMAGED);
	}
	assert_codes(&list, 0);
}

static void vml_names_that_are_none(void **state)
{
	static const char *const damaged[] = {
		"", "vml.", "vml", "naa.600144f0", "vml.02", "vml.0200030000", "vml.02000300006",
		"vml.020003000060zz", "vml.020003000060:", "vml.020003000060:0", "vml.020003000060:x",
		"vml.020003000060:1x", "vml.020003000060:12345", "vml.020003000060:-1", "VML.020003000060",
		"vml.020003000060 ",
		/* 45 bytes of id */
		("vml.0200000000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223242526"
		 "2728292a2b2c"),
	};
	static const char opaque[] =
		"vml.05a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";
	struct vk_scsi_disk_id id = {.lun = 77};
	unsigned partition = 99;

	(void)state;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++)
		if (vk_scsi_vml_parse(damaged[i], &id, &partition) != VK_DAMAGED)
			fail_msg("\"%s\" was taken for a vml name", damaged[i]);
	assert_int_equal(vk_scsi_vml_parse(opaque, &id, &partition), VK_UNSUPPORTED);
	assert_int_equal(vk_scsi_vml_parse("vml.04000000000102", &id, &partition), VK_UNSUPPORTED);
	/* nothing was touched */
	assert_int_equal(id.lun, 77);
	assert_int_equal(partition, 99);
	/* type 3 was never seen, but it has this form */
	assert_int_equal(vk_scsi_vml_parse("vml.030000000001:9999", &id, &partition), VK_OK);
	assert_int_equal(id.type, VK_SCSI_ID_SYMM);
	assert_int_equal(partition, 9999);
	assert_int_equal(vk_scsi_vml_parse("vml.030000000001:10000", &id, &partition), VK_DAMAGED);
	/* 44 bytes do fit */
	assert_int_equal(vk_scsi_vml_parse("vml.0200000000000102030405060708090a0b0c0d0e0f10111213141516171819"
					   "1a1b1c1d1e1f202122232425262728292a2b", &id, &partition), VK_OK);
	assert_int_equal(id.len, 44);
}

/* The t10. name of an NVMe disk, and of an ATA disk with punctuation in its model. */
static void t10_names(void **state)
{
	static const struct {
		const char *designator, *name;
	} rows[] = {
		{"NVMe    KXG5AZNV512G TOSHIBA                    77F55800020D0800",
		 "t10.NVMe____KXG5AZNV512G_TOSHIBA____________________77F55800020D0800"},
		{"ATA     WDC WD10-68Z", "t10.ATA_____WDC_WD102D68Z"},
		{"A_.", "t10.A5F2E"},
		{"", "t10."},
	};
	char name[VK_SCSI_NAME_BYTES];
	uint8_t longest[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		vk_scsi_t10_name((const uint8_t *)rows[i].designator, strlen(rows[i].designator), name);
		assert_string_equal(name, rows[i].name);
	}
	memset(longest, 0xff, sizeof(longest));
	vk_scsi_t10_name(longest, sizeof(longest), name);
	assert_true(strlen(name) < sizeof(name));
}

static void ids_made_from_names(void **state)
{
	static const struct {
		const char *name;
		const char *tail;
		unsigned lun;
		const char *vml;
	} rows[] = {
		{"naa.600144f07ed404000000496ff8cd0003", "COMSTAR", 3,
		 "vml.0200030000600144f07ed404000000496ff8cd0003434f4d535441"},
		{"naa.5005076719d163d8", "DTN146", 0, "vml.02000000005005076719d163d844544e313436"},
		{"naa.5005076719D163D8", "HP", 0, "vml.02000000005005076719d163d8485020202020"},
		{"naa.5005076719d163d8", NULL, 261, "vml.02000501005005076719d163d8202020202020"},
		{"serial NAAXKTRD", "Expansion", 0, "vml.01000000004e4141584b545244457870616e73"},
		{"mpx.vmhba0:C0:T0:L0", NULL, 0, "vml.0000000000766d686261303a43303a54303a4c30"},
	};
	static const char *const wrong[] = {
		"", "naa.", "naa.6001", "naa.600144f07ed404000000496ff8cd00", "naa.600144f07ed40400",
		"naa.5005076719d163d", "naa.5005076719d163d8 ", "naa.5005076719d163d800", "naa.zz",
		"naa.100144f07ed404000000496ff8cd0003", "naa.600144f07ed404000000496ff8cd000300", "mpx.",
		"serial ", "t10.ATA", "vmhba0:0:0",
		"mpx.123456789012345678901234567890123456789012345",
		"serial 123456789012345678901234567890123456789",
	};
	struct vk_scsi_disk_id id;
	struct vk_scsi_disk_id untouched;
	char text[VK_SCSI_NAME_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(vk_scsi_disk_id_from_name(rows[i].name, rows[i].tail,
							   (uint16_t)rows[i].lun, &id), VK_OK);
		vk_scsi_disk_id_vml(&id, text);
		assert_string_equal(text, rows[i].vml);
		check(&id);
	}
	assert_codes(&list, 0);
	untouched = id;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (vk_scsi_disk_id_from_name(wrong[i], "", 0, &id) != VK_USAGE)
			fail_msg("\"%s\" was taken for a name", wrong[i]);
	assert_memory_equal(&id, &untouched, sizeof(id));
	assert_int_equal(vk_scsi_disk_id_from_name("serial 12345678901234567890123456789012345678", "ABCDEF",
						   0, &id), VK_OK);
	assert_int_equal(id.len, 44);
	assert_int_equal(vk_scsi_disk_id_from_name("mpx.12345678901234567890123456789012345678901234", NULL, 0,
						   &id), VK_OK);
	assert_int_equal(id.len, 44);
}

/* Published headers: ESX 3.5 records the whole path, ESXi 6 the short one. */
static void paths_of_newer_headers(void **state)
{
	static const char *const rows[][2] = {
		{"mpx.vmhba0:C0:T4:L0", "vmhba0:4:0"},   {"mpx.vmhba32:C1:T10:L255", "vmhba32:10:255"},
		{"mpx.vmhba0:4:0", "vmhba0:4:0"},        {"mpx.vmhba0:C0:T4", "vmhba0:C0:T4"},
		{"mpx.vmhba0:C0:T4:L0x", "vmhba0:C0:T4:L0x"}, {"mpx.vmhba:C0:T4:L0", "vmhba:C0:T4:L0"},
		{"serial vmhba0:C0:T4:L0", "vmhba0:C0:T4:L0      "},
	};
	struct vk_scsi_disk_id id;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i][1]);

		assert_int_equal(vk_scsi_disk_id_from_name(rows[i][0], NULL, 0, &id), VK_OK);
		vk_scsi_disk_id_shorten(&id);
		assert_int_equal(id.len, len);
		assert_memory_equal(id.id, rows[i][1], len);
		for (size_t k = len; k < sizeof(id.id); k++)
			assert_int_equal(id.id[k], 0);
	}
}

static void names_that_are_inferred(void **state)
{
	struct vk_scsi_disk_id id = {.type = VK_SCSI_ID_NAA, .len = 14};
	char text[VK_SCSI_NAME_BYTES];
	bool certain = true;

	(void)state;
	/* a designator that is no NAA: perhaps an EUI-64 */
	bytes_of("00 17 38 00 03 06 00 15", id.id, 8);
	vk_scsi_disk_id_name(&id, text, &certain);
	assert_string_equal(text, "eui.0017380003060015");
	assert_false(certain);
	/* an NAA of the wrong length stays one, without certainty */
	id.id[0] = 0x60;
	vk_scsi_disk_id_name(&id, text, &certain);
	assert_string_equal(text, "naa.6017380003060015");
	assert_false(certain);
	id = (struct vk_scsi_disk_id){.type = VK_SCSI_ID_NAA, .len = 3};
	vk_scsi_disk_id_name(&id, text, &certain);
	assert_string_equal(text, "naa.");
	assert_false(certain);
	id = (struct vk_scsi_disk_id){.type = VK_SCSI_ID_SYMM, .len = 2, .id = {0xab, 0xcd}};
	vk_scsi_disk_id_name(&id, text, &certain);
	assert_string_equal(text, "type 3 abcd");
	assert_false(certain);
	id = (struct vk_scsi_disk_id){0};
	assert_true(vk_scsi_disk_id_is_nil(&id));
	vk_scsi_disk_id_name(&id, text, &certain);
	assert_string_equal(text, "none");
	id.id[43] = 1;
	assert_false(vk_scsi_disk_id_is_nil(&id));
	/* paths that only look like the short form keep what they are */
	static const char *const paths[] = {"vmhba:0:0", "vmhba1:0", "vmhba1:0:", "vmhba1::0",
					    "vmhba1:0:0:1", "vmhba1:C0:T0:L0", "xmhba1:0:0"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char expected[64];

		memset(&id, 0, sizeof(id));
		id.len = (uint8_t)strlen(paths[i]);
		memcpy(id.id, paths[i], id.len);
		snprintf(expected, sizeof(expected), "mpx.%s", paths[i]);
		vk_scsi_disk_id_name(&id, text, &certain);
		assert_string_equal(text, expected);
		assert_false(certain);
	}
}

static void hostile_ids(void **state)
{
	struct vk_scsi_disk_id id;
	char text[VK_SCSI_NAME_BYTES];
	bool certain;

	(void)state;
	for (unsigned type = 0; type < 6; type++)
		for (unsigned len = 0; len < 256; len += 5)
			for (unsigned fill = 0; fill < 256; fill += 15) {
				memset(&id, (int)fill, sizeof(id));
				id.type = (uint8_t)type;
				id.len = (uint8_t)len;
				id.id[1] = 0xe2;
				vk_scsi_disk_id_name(&id, text, &certain);
				assert_printable(text, sizeof(text));
				vk_scsi_disk_id_vml(&id, text);
				assert_printable(text, sizeof(text));
				vk_scsi_disk_id_guid(&id, text);
				assert_printable(text, sizeof(text));
				vk_scsi_disk_id_label(&id, text);
				assert_printable(text, sizeof(text));
			}
}

static void findings(void **state)
{
	static const struct {
		uint8_t type, len, first;
		bool sound;
	} rows[] = {
		{2, 22, 0x60, true}, {2, 14, 0x50, true}, {2, 14, 0x20, true}, {2, 14, 0x3f, true},
		{2, 14, 0x60, false}, {2, 22, 0x50, false}, {2, 21, 0x60, false}, {2, 0, 0x60, false},
		{2, 14, 0x00, true}, {2, 22, 0x00, true}, {2, 15, 0x00, false}, {2, 6, 0x00, false},
		{2, 0, 0x00, false}, {2, 255, 0x60, false}, {1, 26, 'a', true}, {1, 7, 'a', true},
		{1, 6, 'a', false}, {1, 0, 'a', false}, {1, 44, 'a', true}, {1, 45, 'a', false},
		{0, 0, 0, true}, {0, 15, 'v', true}, {0, 45, 'v', false}, {3, 44, 1, true},
		{9, 255, 1, false},
	};
	struct vk_scsi_disk_id odd = {.type = VK_SCSI_ID_NAA, .len = 9};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vk_scsi_disk_id id = {.type = rows[i].type, .len = rows[i].len};

		id.id[0] = rows[i].first;
		check(&id);
		if (rows[i].sound) {
			assert_codes(&list, 0);
		} else {
			assert_range(&list, 0, 0x10000C + 1, 1);
			assert_codes(&list, 1, "lvm.disk-id-length");
		}
	}
	check(&odd);
	assert_string_equal(list.items[0].expected, "14 or 22");
	odd.id[0] = 0x50;
	check(&odd);
	assert_string_equal(list.items[1].expected, "14");
	assert_codes(&list, 2, "lvm.disk-id-length", "lvm.disk-id-length");
}

static void same_lun(void **state)
{
	struct vk_scsi_disk_id a = id_of("d1-lvm316-vmfs331");
	struct vk_scsi_disk_id b = a;

	(void)state;
	b.lun = 9;
	memset(b.vendor, 0, sizeof(b.vendor));
	memset(b.model, 0, sizeof(b.model));
	b.scsiLevel = 0;
	/* behind len nothing counts */
	b.id[22] = 1;
	assert_true(vk_scsi_disk_id_same_lun(&a, &b));
	b.id[21] ^= 1;
	assert_false(vk_scsi_disk_id_same_lun(&a, &b));
	b = a;
	b.type = 1;
	assert_false(vk_scsi_disk_id_same_lun(&a, &b));
	b = a;
	b.len = 21;
	assert_false(vk_scsi_disk_id_same_lun(&a, &b));
	a.len = b.len = 255;
	assert_true(vk_scsi_disk_id_same_lun(&a, &b));
	b.id[43] = 1;
	assert_false(vk_scsi_disk_id_same_lun(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_ids),
		cmocka_unit_test(vml_names),
		cmocka_unit_test(vml_names_that_are_none),
		cmocka_unit_test(ids_made_from_names),
		cmocka_unit_test(paths_of_newer_headers),
		cmocka_unit_test(names_that_are_inferred),
		cmocka_unit_test(hostile_ids),
		cmocka_unit_test(findings),
		cmocka_unit_test(same_lun),
		cmocka_unit_test(t10_names),
	};

	return cmocka_run_group_tests_name("scsi_id", tests, NULL, NULL);
}
