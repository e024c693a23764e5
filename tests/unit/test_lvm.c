/* SPDX-License-Identifier: Apache-2.0 */
/* VMFS LVM: published headers and volume descriptors, and each finding on its own. */
#include "lvm_samples.h"

static struct vk_findings list;

static struct vk_lvm_volume d1_volume(void)
{
	uint8_t b[512];
	struct vk_lvm_volume v;

	sample_bytes("d1-lvm316-vmfs331", 0x100200, b, sizeof(b));
	assert_int_equal(vk_lvm_volume_decode(b, sizeof(b), &v), 512);
	assert_round_trip(&vk_lvm_volume_layout, b, sizeof(b));
	return v;
}

static void check_in(const struct vk_lvm_device *d, size_t seen, uint64_t partition_bytes)
{
	const struct vk_finding_sink sink = vk_findings_sink(&list);

	vk_lvm_device_check(d, seen, partition_bytes, VK_LVM_HEADER_OFFSET, &sink);
}

static void check(const struct vk_lvm_device *d)
{
	check_in(d, VK_LVM_DEVICE_BYTES, 0);
}

static void check_volume(const struct vk_lvm_volume *v, size_t seen)
{
	const struct vk_finding_sink sink = vk_findings_sink(&list);
	struct vk_lvm_device d = d1();

	vk_lvm_volume_check(v, &d, seen, 0x100200, &sink);
}

static void published_headers(void **state)
{
	static const struct {
		const char *sample;
		uint32_t major, minor, pes;
		uint64_t total, generation;
		uint32_t lun, maps;
		const char *dev_id;
		const char *init;
		const char *locked_from;
	} rows[] = {
		{"d1-lvm316-vmfs331", 3, 16, 399, 107372739584ULL, 401, 3, 0,
		 "49716cd8-9b97aab0-2f6c-000d60d46e2e", "2009-01-17T05:30:00.435054Z", "0.0.0.0"},
		{"d2-lvm317", 3, 17, 399, 209712382ULL * 512, 3, 0, 0,
		 "4fc903ba-fb4a3104-54f4-00505617149e", "2012-06-01T18:02:34.536493Z", "192.168.0.101"},
		{"d3-lvm521", 5, 21, 39, 20971392ULL * 512, 3, 5, 1,
		 "505831c7-72b2f8c0-6fdb-d027886f3882", "2012-09-18T08:33:11.010678Z", "0.0.0.0"},
		{"d4-lvm521-older", 5, 21, 39, 20964762ULL * 512, 3, 5, 1,
		 "5058f7fa-9ba54a22-9ac7-d027886f3882", "2012-09-18T22:38:50.120136Z", "0.0.0.0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vk_lvm_device d = device_of(rows[i].sample);
		const struct vk_layout *l = &vk_lvm_device_layout;

		assert_int_equal(d.magic, VK_LVM_MAGIC);
		assert_int_equal(d.majorVersion, rows[i].major);
		assert_int_equal(d.minorVersion, rows[i].minor);
		assert_int_equal(d.diskID.lun, rows[i].lun);
		assert_int_equal(d.diskBlockSize, 512);
		assert_int_equal(d.totalBytes, rows[i].total);
		assert_int_equal(d.numPEs, rows[i].pes);
		assert_int_equal(d.lastPEIndex, rows[i].pes - 1);
		assert_int_equal(d.generation, rows[i].generation);
		assert_int_equal(d.dataOffset, VK_LVM_DATA_OFFSET);
		assert_int_equal(d.numPEMaps, rows[i].maps);
		assert_int_equal(vk_lvm_main_maps(&d), 1);
		assert_field(l, "devID", &d, rows[i].dev_id);
		assert_field(l, "initTimeUS", &d, rows[i].init);
		assert_field(l, "lockedFromIPv4", &d, rows[i].locked_from);
		assert_field(l, "lockedBy", &d, "none");
		assert_field(l, "lockedWhenUS", &d, "never (0)");
		assert_true(vk_lvm_device_usable(&d, VK_LVM_DEVICE_BYTES));
		assert_false(vk_lvm_device_usable(&d, VK_LVM_DEVICE_BYTES - 1));
		check_in(&d, VK_LVM_DEVICE_BYTES, rows[i].total);
		assert_codes(&list, 0);
	}
}

/* The header of a real ESX 3.5 volume as far as it is printed; the rest of it is zero. */
static void a_volume_of_esx35(void **state)
{
	uint8_t b[512] = {0};
	struct vk_lvm_device d;

	(void)state;
	bytes_of("0d d0 01 c0 03 00 00 00 10 00 00 00 00 0f 00 00 00 03 53 75 6e 20 20 20 20 20 56 4f 4c 31 20 20 "
		 "20 20 20 20 20 20 20 20 20 20 56 31 2e 30 76 6d 68 62 61 30 3a 43 30 3a 54 30 3a 4c 30 00 00 00",
		 b, 64);
	bytes_of("00 00 00 00 00 00 00 00 00 00 00 02 00 00 00 34 02 4b 00 00 00 00 01 00 00 00 04 00 00 00 03 00 "
		 "00 00 06 00 00 00 00 00 00 00 00 00 10 01 00 00 00 00 44 f8 ed 49 19 de 2d da 7b 74 00 21 28 00 "
		 "83 cf e7 d1 7e 61 13 68 04 00 98 55 80 61 13 68 04 00", b + 0x50, 0x70);
	vk_lvm_device_decode(b, sizeof(b), &d);
	assert_int_equal(d.totalBytes, 1258435584);
	assert_int_equal(d.numPEs, 4);
	assert_int_equal(d.generation, 6);
	assert_field(&vk_lvm_device_layout, "devID", &d, "49edf844-da2dde19-747b-0021280083cf");
	assert_field(&vk_lvm_device_layout, "initTimeUS", &d, "2009-04-21T16:45:56.211175Z");
	assert_field(&vk_lvm_device_layout, "diskID", &d, "mpx.vmhba0:C0:T0:L0, LUN 0");
	assert_field(&vk_lvm_device_layout, "totalBytes", &d, "1.17 GiB (1258435584 bytes)");
	check_in(&d, VK_LVM_DEVICE_BYTES, 1258435584);
	assert_codes(&list, 0);
}

static void a_cut_header_is_not_judged_by_what_is_cut_off(void **state)
{
	static const char *const samples[] = {"d1-lvm316-vmfs331", "d2-lvm317", "d3-lvm521"};
	uint8_t b[512];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (size_t len = 0; len <= sizeof(b); len++) {
			struct vk_lvm_device d;

			sample_bytes(samples[i], VK_LVM_HEADER_OFFSET, b, sizeof(b));
			check_in((vk_lvm_device_decode(b, len, &d), &d),
				 len < VK_LVM_DEVICE_BYTES ? len : VK_LVM_DEVICE_BYTES, 0);
			assert_codes(&list, 0);
			len += len > 0x100 ? 50 : 0;
		}
	sample_bytes("d1-lvm316-vmfs331", 0x100200, b, sizeof(b));
	for (size_t len = 0; len <= sizeof(b); len++) {
		struct vk_lvm_volume v;

		check_volume((vk_lvm_volume_decode(b, len, &v), &v), len);
		/* an unnamed state would be judged the same, so nothing may be said before it is there */
		assert_codes(&list, 0);
	}
}

/* One damage and what it must provoke. */
#define DAMAGED(base, change, offset, length, code) \
	do { \
		struct vk_lvm_device d = base; \
		change; \
		check(&d); \
		assert_range(&list, 0, VK_LVM_HEADER_OFFSET + (offset), length); \
		assert_codes(&list, 1, code); \
	} while (0)
#define SOUND(base, change) \
	do { \
		struct vk_lvm_device d = base; \
		change; \
		check(&d); \
		assert_codes(&list, 0); \
	} while (0)

static struct vk_lvm_device lvm6(void)
{
	struct vk_lvm_device d = device_of("d3-lvm521");

	d.majorVersion = 6;
	d.minorVersion = 22;
	d.mdAlignment = 4096;
	d.numPEs6 = d.numPEs;
	d.numPEs = 1;
	d.lastPEIndex = 0;
	return d;
}

static void header_findings(void **state)
{
	(void)state;
	DAMAGED(d1(), d.magic = 0, 0, 4, "lvm.magic-missing");
	/* without magic nothing else is said */
	DAMAGED(d1(), (d.magic ^= 1, d.totalBytes = 1, d.majorVersion = 99), 0, 4, "lvm.magic-missing");
	DAMAGED(d1(), d.majorVersion = 2, 4, 4, "lvm.version");
	DAMAGED(d1(), d.majorVersion = 7, 4, 4, "lvm.version");
	DAMAGED(d1(), d.majorVersion = 0x10003, 4, 4, "lvm.version");
	SOUND(d1(), d.majorVersion = 4);
	DAMAGED(d1(), d.diskBlockSize = 0, 0x5A, 4, "lvm.block-size");
	DAMAGED(d1(), d.diskBlockSize = 1024, 0x5A, 4, "lvm.block-size");
	SOUND(d1(), d.diskBlockSize = 4096);
	DAMAGED(d1(), d.totalBytes = 0, 0x5E, 8, "lvm.total-bytes");
	DAMAGED(d1(), d.totalBytes = d.dataOffset, 0x5E, 8, "lvm.total-bytes");
	DAMAGED(d1(), d.totalBytes += 1, 0x5E, 8, "lvm.total-bytes");
	DAMAGED(d1(), d.dataOffset = 0, 0x7A, 8, "lvm.data-offset");
	DAMAGED(d1(), d.dataOffset = 0x1000000 - 4096, 0x7A, 8, "lvm.data-offset");
	DAMAGED(d1(), d.dataOffset += 512, 0x7A, 8, "lvm.data-offset");
	DAMAGED(d1(), d.dataOffset = UINT64_MAX, 0x7A, 8, "lvm.data-offset");
	DAMAGED(d1(), d.dataOffset = 0x1000000, 0x7A, 8, "lvm.data-offset-unusual");
	DAMAGED(d1(), (d.numPEs -= 1, d.lastPEIndex -= 1), 0x6A, 4, "lvm.num-pes");
	DAMAGED(d1(), (d.numPEs = 0), 0x6A, 4, "lvm.num-pes");
	DAMAGED(d1(), (d.totalBytes += VK_LVM_PE_BYTES), 0x6A, 4, "lvm.num-pes");
	/* how a device with extended metadata counts is not settled */
	SOUND(d1(), (d.numPEs -= 1, d.lastPEIndex -= 1, d.extDevMetadataOffset = 0x100000000));
	DAMAGED(d1(), d.lastPEIndex += 1, 0x6E, 4, "lvm.last-pe");
	DAMAGED(d1(), d.initTimeUS += 1000000, 0x92, 8, "lvm.init-time");
	DAMAGED(d1(), d.devID.b[0] ^= 1, 0x92, 8, "lvm.init-time");
	SOUND(d1(), d.initTimeUS += 1000000 - 435054 - 1);
	DAMAGED(d1(), d.numVolumes = 513, 0x66, 4, "lvm.num-volumes");
	SOUND(d1(), d.numVolumes = 512);
	DAMAGED(d1(), d.numVolumes = 0, 0x66, 4, "lvm.no-volume");
	DAMAGED(d1(), d.lockedBy.b[15] = 1, 0xA2, 16, "lvm.locked");
	DAMAGED(d1(), d.mdAlignment = 4096, 0xCA, 4, "lvm.md-alignment");
	DAMAGED(device_of("d3-lvm521"), d.mdAlignment = 1, 0xCA, 4, "lvm.md-alignment");
	DAMAGED(d1(), d.diskID.len = 21, 0x0C + 1, 1, "lvm.disk-id-length");

	struct vk_lvm_device many = d1();
	many.numPEs = 5;
	many.lastPEIndex = 4;
	check(&many);
	assert_string_equal(list.items[0].seen, "5");
	assert_string_equal(list.items[0].expected, "399");
	assert_codes(&list, 1, "lvm.num-pes");
	many = d1();
	many.numVolumes = 600;
	check(&many);
	assert_string_equal(list.items[0].expected, "at most 512");
	assert_codes(&list, 1, "lvm.num-volumes");
	many = lvm6();
	many.numVolumes = 600;
	check(&many);
	assert_string_equal(list.items[0].expected, "0 or 1");
	assert_codes(&list, 1, "lvm.num-volumes");

	SOUND(lvm6(), (void)0);
	DAMAGED(lvm6(), d.lastPEIndex = 77, 0x6E, 4, "lvm.last-pe");
	DAMAGED(lvm6(), d.numPEs6 -= 1, 0xCE, 4, "lvm.num-pes");
	DAMAGED(lvm6(), d.numPEs6 = 0, 0xCE, 4, "lvm.num-pes");
	SOUND(lvm6(), (d.numPEs6 -= 1, d.extDevMetadataOffset = 0x100000000));
	DAMAGED(lvm6(), d.numVolumes = 2, 0x66, 4, "lvm.num-volumes");
	DAMAGED(lvm6(), d.mdAlignment = 0, 0xCA, 4, "lvm.md-alignment");
	DAMAGED(lvm6(), d.mdAlignment = 4095, 0xCA, 4, "lvm.md-alignment");
	DAMAGED(lvm6(), d.mdAlignment = 131072, 0xCA, 4, "lvm.md-alignment");
	DAMAGED(lvm6(), d.mdAlignment = 256, 0xCA, 4, "lvm.md-alignment");
}

static void partition_length(void **state)
{
	struct vk_lvm_device d = d1();

	(void)state;
	check_in(&d, VK_LVM_DEVICE_BYTES, d.totalBytes);
	assert_codes(&list, 0);
	check_in(&d, VK_LVM_DEVICE_BYTES, d.totalBytes + 512);
	assert_range(&list, 0, 0x100000 + 0x5E, 8);
	assert_string_equal(list.items[0].seen, "partition of 107372740096 bytes");
	assert_string_equal(list.items[0].expected, "107372739584 bytes (209712382 sectors of 512)");
	assert_codes(&list, 1, "table.length-mismatch");
	/* an impossible length says nothing about the partition */
	d.totalBytes += 1;
	check_in(&d, VK_LVM_DEVICE_BYTES, 4096);
	assert_codes(&list, 1, "lvm.total-bytes");
}

static void headers_that_carry_nothing(void **state)
{
	struct vk_lvm_device d = d1();
	struct vk_lvm_ext ext = {.magic = VK_LVM_MAGIC, .numPEMaps = 4, .dataOffset = 0x40000000000};
	uint8_t b[512] = {0};

	(void)state;
	d.magic = 0;
	assert_false(vk_lvm_device_usable(&d, VK_LVM_DEVICE_BYTES));
	d = d1();
	d.majorVersion = 7;
	assert_false(vk_lvm_device_usable(&d, VK_LVM_DEVICE_BYTES));
	d = d1();
	d.dataOffset = 0;
	assert_false(vk_lvm_device_usable(&d, VK_LVM_DEVICE_BYTES));
	d = d1();
	d.totalBytes = d.dataOffset;
	assert_false(vk_lvm_device_usable(&d, VK_LVM_DEVICE_BYTES));
	/* extended metadata begins with the same magic and something like a version */
	assert_int_equal(vk_lvm_ext_encode(&ext, b, sizeof(b)), VK_LVM_EXT_BYTES);
	vk_lvm_device_decode(b, sizeof(b), &d);
	assert_int_equal(d.majorVersion, 4);
	assert_false(vk_lvm_device_usable(&d, VK_LVM_DEVICE_BYTES));
	assert_round_trip(&vk_lvm_ext_layout, b, sizeof(b));
}

static void published_volume(void **state)
{
	struct vk_lvm_volume v = d1_volume();
	const struct vk_layout *l = &vk_lvm_volume_layout;

	(void)state;
	assert_int_equal(v.logicalSize, 399 * VK_LVM_PE_BYTES);
	assert_int_equal(v.generation, 400);
	assert_int_equal(v.snapID, 1);
	assert_int_equal(v.numPEs, 399);
	assert_int_equal(v.lastPE, 398);
	assert_int_equal(v.numDevs, 1);
	assert_field(l, "name", &v, "\"49716cd8-6075899a-ad1c-000d60d46e2e\"");
	assert_field(l, "uuid", &v, "49716cd8-6075899a-ad1c-000d60d46e2e");
	assert_field(l, "state", &v, "1 (LVM_NORMAL)");
	check_volume(&v, 512);
	assert_codes(&list, 0);
}

#define VOLUME(change, offset, length, code) \
	do { \
		struct vk_lvm_volume v = d1_volume(); \
		change; \
		check_volume(&v, 512); \
		assert_range(&list, 0, 0x100200 + (offset), length); \
		assert_codes(&list, 1, code); \
	} while (0)
#define VOLUME_SOUND(change) \
	do { \
		struct vk_lvm_volume v = d1_volume(); \
		change; \
		check_volume(&v, 512); \
		assert_codes(&list, 0); \
	} while (0)

/* On LVM6 header and volume count the entries of the PE table. */
static void entries_of_lvm6(void)
{
	const struct vk_finding_sink sink = vk_findings_sink(&list);
	struct vk_lvm_volume v = d1_volume();
	struct vk_lvm_device d = lvm6();

	v.numPEs = d.numPEs6;
	v.lastPE = v.numPEs - 1;
	v.logicalSize = v.numPEs * VK_LVM_PE_BYTES;
	v.consumedPEs = 1;
	vk_lvm_volume_check(&v, &d, 512, 0x101000, &sink);
	assert_codes(&list, 0);
	v.consumedPEs = 2;
	vk_lvm_volume_check(&v, &d, 512, 0x101000, &sink);
	assert_range(&list, 0, 0x101110, 4);
	assert_codes(&list, 1, "volume.pe-count");
	/* a header that contradicts itself is no witness */
	d.numPEs = 2;
	v.consumedPEs = 1;
	vk_lvm_volume_check(&v, &d, 512, 0x101000, &sink);
	assert_codes(&list, 0);
	/* what is cut off is not judged */
	vk_lvm_volume_check(&v, &d, 0x110, 0x101000, &sink);
	assert_codes(&list, 0);
}

/* The table of member devices tells whose the disk id is. */
static void names_of_members(void **state)
{
	static const struct {
		const char *table, *id; /* id: by its canonical name */
		bool objects;
	} rows[] = {
		{"naa.600144f07ed404000000496ff8cd0003:1", "naa.600144f07ed404000000496ff8cd0003", false},
		{"naa.600144f07ed404000000496ff8cd0003:1", "naa.600144f07ed404000000496ff8cd0004", true},
		{"naa.600144f07ed404000000496ff8cd0003:1", "mpx.vmhba0:C0:T2:L0", true},
		{"mpx.vmhba0:C0:T2:L0:1", "mpx.vmhba0:C0:T2:L0", false},
		{"mpx.vmhba0:C0:T3:L0:1", "mpx.vmhba0:C0:T2:L0", true},
		{"mpx.vmhba0:C1:T2:L0:1", "mpx.vmhba0:C1:T2:L0", false}, /* the short form has no channel */
		{"eui.0025385971b0c0f1:1", "mpx.vmhba0:C0:T2:L0", false},
		{"t10.ATA_____disk:1", "serial 0123456789", false},
		{"no name", "naa.600144f07ed404000000496ff8cd0003", false},
		{"", "naa.600144f07ed404000000496ff8cd0003", false},
	};
	const struct vk_finding_sink sink = vk_findings_sink(&list);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int shortened = 0; shortened < 2; shortened++) {
			struct vk_lvm_device d = device_of("d3-lvm521");
			struct vk_lvm_sd sd = {0};

			memcpy(sd.deviceName, rows[i].table, strlen(rows[i].table));
			assert_int_equal(vk_scsi_disk_id_from_name(rows[i].id, "MODEL", 7, &d.diskID), VK_OK);
			if (shortened)
				vk_scsi_disk_id_shorten(&d.diskID);
			vk_lvm_sd_check(&sd, &d, 0x100000, &sink);
			if (rows[i].objects)
				assert_range(&list, 0, 0x10000C, 78);
			assert_codes(&list, rows[i].objects, "lvm.disk-id-name");
		}
}

static void volume_findings(void **state)
{
	static const uint8_t hostile[64] = "\xe2\x80\xae\x1b[2J";
	static const uint8_t chosen[][64] = {"x", "datastore7", "datastor-backup01-prod-east", "speicher f\xc3\xbcr alles",
					     "49716cd", "this name has as many characters as fit into it, which are 64.."};

	(void)state;
	VOLUME(v.state = VK_LVM_RESIG_PENDING, 0x10, 4, "volume.state");
	VOLUME(v.state = 99, 0x10, 4, "volume.state");
	/* the text of a UUID that is damaged, or of another one, or no text: not what somebody chose */
	VOLUME(v.name[0] ^= 1, 0x14, 64, "volume.name-damaged");
	VOLUME(v.name[35] = 'x', 0x14, 64, "volume.name-damaged");
	VOLUME(v.name[36] = 'x', 0x14, 64, "volume.name-damaged");
	VOLUME(v.name[60] = 'x', 0x14, 64, "volume.name-damaged");
	VOLUME(v.uuid.b[9] ^= 1, 0x14, 64, "volume.name-damaged");
	VOLUME(memset(v.name, '-', 26), 0x14, 64, "volume.name-damaged");
	VOLUME(memcpy(v.name, "01234567-89abcdef-0123-456789abcdef", 35), 0x14, 64, "volume.name-damaged");
	VOLUME(memset(v.name, 0, 64), 0x14, 64, "volume.name-damaged");
	VOLUME(memcpy(v.name, hostile, 64), 0x14, 64, "volume.name-damaged");
	VOLUME(memset(v.name, 0xe2, 64), 0x14, 64, "volume.name-damaged");
	/* names that somebody chose */
	for (size_t i = 0; i < sizeof(chosen) / sizeof(chosen[0]); i++)
		VOLUME(memcpy(v.name, chosen[i], 64), 0x14, 64, "volume.name");
	VOLUME(v.lastPE += 1, 0x74, 4, "volume.pe-count");
	VOLUME((v.firstPE = UINT64_MAX, v.lastPE = 397), 0x74, 4, "volume.pe-count");
	VOLUME(v.lastPE = UINT64_MAX, 0x74, 4, "volume.pe-count");
	/* consistent in itself, but more than the device has */
	VOLUME((v.numPEs = 401, v.lastPE = 400, v.logicalSize = 401 * VK_LVM_PE_BYTES), 0x74, 4,
	       "volume.pe-count");
	VOLUME((v.numPEs = UINT32_MAX, v.lastPE = UINT32_MAX - 1ULL,
		v.logicalSize = UINT32_MAX * VK_LVM_PE_BYTES), 0x74, 4, "volume.pe-count");
	VOLUME(v.logicalSize -= 1, 0, 8, "volume.logical-size");
	VOLUME(v.creationTimeUS += 62000000, 0x68, 8, "volume.creation-time");
	VOLUME(v.creationTimeUS -= 62000000, 0x68, 8, "volume.creation-time");
	VOLUME(v.creationTimeUS = 0, 0x68, 8, "volume.creation-time");
	VOLUME_SOUND(v.creationTimeUS += 60000000);
	VOLUME_SOUND((v.creationTimeUS -= 60000000));
	VOLUME(v.creationTimeUS += 61000000, 0x68, 8, "volume.creation-time");
	entries_of_lvm6();
	/* of one extent of several the size of the whole says nothing */
	VOLUME_SOUND((v.numDevs = 2, v.logicalSize *= 2));
	VOLUME_SOUND((v.numDevs = 2, v.firstPE += 5000, v.lastPE += 5000, v.logicalSize *= 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_headers),
		cmocka_unit_test(a_volume_of_esx35),
		cmocka_unit_test(a_cut_header_is_not_judged_by_what_is_cut_off),
		cmocka_unit_test(header_findings),
		cmocka_unit_test(partition_length),
		cmocka_unit_test(headers_that_carry_nothing),
		cmocka_unit_test(published_volume),
		cmocka_unit_test(volume_findings), cmocka_unit_test(names_of_members),
	};

	return cmocka_run_group_tests_name("lvm", tests, NULL, NULL);
}
