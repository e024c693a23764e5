/* SPDX-License-Identifier: Apache-2.0 */
/* Live LUNs: pages made by the rules of SPC, hostile ones, names, sysfs, and saved texts of ESX. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex_digit.h"
#include "disk_support.h"
#include "scsi/live_lun.h"

#define N6 "600144f07ed404000000496ff8cd0003"
#define N5 "5005076719d163d8"
#define N3 "3aaaaaaaaaaaaaa1"
#define N2 "2002000af7000001"
#define EUI "0025385b71b0aaaa"
#define EUI12 "0025385b71b0aaaa00000001"
#define EUI16 "0025385b71b0aaaa0000000000000001"

/* A page of designators: "KCA payload|...": kind, code set (b binary, a ASCII, u UTF-8), association. */
static size_t make_page83(const char *spec, uint8_t page[2048])
{
	size_t n = 4;

	memset(page, 0, 2048);
	page[1] = 0x83;
	while (*spec != '\0') {
		size_t len = strcspn(spec, "|") - 4, used = 0;

		page[n] = (uint8_t)(spec[1] == 'b' ? 1 : spec[1] == 'a' ? 2 : 3);
		page[n + 1] = (uint8_t)((spec[2] - '0') << 4 | (spec[0] - '0'));
		if (spec[1] == 'b')
			for (size_t i = 0; i < len; i += 2)
				page[n + 4 + used++] = vk_hex_byte(spec + 4 + i);
		else
			for (size_t i = 0; i < len; i++)
				page[n + 4 + used++] = (uint8_t)spec[4 + i];
		page[n + 3] = (uint8_t)used;
		n += 4 + used;
		spec += 4 + len;
		spec += *spec == '|';
	}
	page[2] = (uint8_t)((n - 4) >> 8);
	page[3] = (uint8_t)(n - 4);
	return n;
}

static void inquiry_of(const char *model, uint8_t inquiry[36])
{
	memset(inquiry, ' ', 36);
	memset(inquiry, 0, 8);
	memcpy(inquiry + 16, model, strlen(model));
}

static size_t page80_of(const char *serial, uint8_t page[260])
{
	memset(page, 0, 260);
	page[1] = 0x80;
	page[3] = (uint8_t)strlen(serial);
	memcpy(page + 4, serial, strlen(serial));
	return 4 + strlen(serial);
}

static struct vk_live_lun lun_of(const char *model, const char *serial, const char *spec)
{
	uint8_t inquiry[36], page80[260], page83[2048];
	struct vk_lun_pages pages = {.inquiry = inquiry, .inquiry_len = 36, .page80 = page80, .page83 = page83};
	struct vk_live_lun lun;

	inquiry_of(model, inquiry);
	if (serial != NULL)
		pages.page80_len = page80_of(serial, page80);
	if (spec != NULL)
		pages.page83_len = make_page83(spec, page83);
	vk_live_lun_of_pages(&pages, &lun);
	return lun;
}

#define VML6 "vml.0200000000" N6
/* What ESX would record: the vml. name; "" where the id cannot be known from the device alone. */
static void devices(void **state)
{
	static const struct {
		const char *model, *serial, *spec, *name, *vml;
		unsigned names;
	} rows[] = {
		{"COMSTAR", NULL, "3b0 " N6, "naa." N6, VML6 "434f4d535441", 1},
		{"DTN146G2SAS", NULL, "3b0 " N5, "naa." N5, "vml.0200000000" N5 "44544e313436", 1},
		{"RAID 0", NULL, "3b0 6006016033d119005c8ef7b7f6a0dd11", "naa.6006016033d119005c8ef7b7f6a0dd11",
		 "vml.02000000006006016033d119005c8ef7b7f6a0dd11524149442030", 1},
		{"X", NULL, "3b0 " N6, "naa." N6, VML6 "582020202020", 1},
		{"", NULL, "3b0 " N6, "naa." N6, VML6 "202020202020", 1},
		{"Old", NULL, "3b0 " N2, "naa." N2, "vml.0200000000" N2 "4f6c64202020", 1},
		{"Local", NULL, "3b0 " N3, "naa." N3, "vml.0200000000" N3 "4c6f63616c20", 1},
		/* several of the LUN: 6 before 5, 2 and 3, then EUI, T10, name string */
		{"COMSTAR", NULL, "3b0 " N5 "|3b0 " N6, "naa." N6, VML6 "434f4d535441", 2},
		{"COMSTAR", NULL, "3b0 " N6 "|3b0 " N5, "naa." N6, VML6 "434f4d535441", 2},
		{"M", NULL, "3b0 " N3 "|3b0 " N2 "|3b0 " N5, "naa." N5, "vml.0200000000" N5 "4d2020202020", 3},
		{"M", NULL, "3b0 " N3 "|3b0 " N2, "naa." N2, "vml.0200000000" N2 "4d2020202020", 2},
		{"COMSTAR", NULL, "2b0 " EUI "|3b0 " N6, "naa." N6, VML6 "434f4d535441", 2},
		{"COMSTAR", NULL, "1a0 SUN     COMSTAR 4711|3b0 " N6, "naa." N6, VML6 "434f4d535441", 2},
		{"COMSTAR", NULL, "8u0 naa." N6 "|3b0 " N6, "naa." N6, VML6 "434f4d535441", 1},
		{"COMSTAR", NULL, "8u0 NAA.600144F07ED404000000496FF8CD0003", "naa." N6, VML6 "434f4d535441", 1},
		{"COMSTAR", NULL, "8u0 naa." N5 "|3b0 " N6, "naa." N6, VML6 "434f4d535441", 2},
		/* of another LUN first: the order of the page decides */
		{"M", NULL, "3b0 600144f07ed404000000496ff8cd0009|3b0 " N6, "naa.600144f07ed404000000496ff8cd0009",
		 "vml.0200000000600144f07ed404000000496ff8cd00094d2020202020", 2},
		/* a target port, a target device and a reserved association are none of the LUN */
		{"COMSTAR", NULL, "3b1 " N5 "|3b0 " N6, "naa." N6, VML6 "434f4d535441", 1},
		{"COMSTAR", NULL, "3b2 600144f07ed404000000496ff8cd0009|3b0 " N6, "naa." N6, VML6 "434f4d535441", 1},
		{"COMSTAR", "S1", "3b1 " N5, "serial S1", "vml.01000000005331434f4d535441", 1},
		{"M", "S1", "3b3 " N6 "|3b2 " N5, "serial S1", "vml.010000000053314d2020202020", 1},
		{"M", NULL, "8u1 iqn.2009-01.org:t,t,0x0001|4b1 00000001|5b1 00000001|3b0 " N5, "naa." N5,
		 "vml.0200000000" N5 "4d2020202020", 1},
		/* EUI-64: the path is recorded, which only the host knows */
		{"SSD", "S1", "2b0 " EUI, "eui." EUI, "", 2},
		{"SSD", NULL, "2b0 " EUI12, "eui." EUI12, "", 1},
		{"SSD", NULL, "2b0 " EUI16, "eui." EUI16, "", 1},
		{"SSD", NULL, "8u0 eui.0025385B71B0AAAA", "eui." EUI, "", 1},
		/* T10 and serial numbers */
		{"VBOX HARDDISK", "VB22cd9e3f-f90775ba ", "1a0 ATA     VBOX HARDDISK                           "
		 "VB22cd9e3f-f90775ba ", "t10.ATA_____VBOX_HARDDISK___________________________VB22cd9e3f2Df90775ba_",
		 "vml.0100000000564232326364396533662d66393037373562612056424f582048", 2},
		{"Expansion", "NAAXKTRD", NULL, "serial NAAXKTRD", "vml.01000000004e4141584b545244457870616e73", 1},
		{"VMware Virtual N", "VMWare NVME_0000    ", NULL, "serial VMWare NVME_0000",
		 "vml.0100000000564d57617265204e564d455f3030303020202020564d77617265", 1},
		{"M", "S1", "1a0 SHORT", "serial S1", "vml.010000000053314d2020202020", 1},
		{"M", "S1", "1u0 VENDOR  serial", "t10.VENDOR__serial", "vml.010000000053314d2020202020", 2},
		/* binary T10, ASCII NAA: not what SPC allows */
		{"M", "S1", "1b0 5645", "serial S1", "vml.010000000053314d2020202020", 1},
		{"M", "S1", "3a0 6001", "serial S1", "vml.010000000053314d2020202020", 1},
		/* kinds of NAA that are none, and lengths that do not fit them */
		{"M", "S1", "3b0 4005076719d163d8", "serial S1", "vml.010000000053314d2020202020", 1},
		{"M", "S1", "3b0 6005076719d163d8", "serial S1", "vml.010000000053314d2020202020", 1},
		{"M", "S1", "3b0 500144f07ed404000000496ff8cd0003", "serial S1", "vml.010000000053314d2020202020", 1},
		{"M", "S1", "2b0 00253800", "serial S1", "vml.010000000053314d2020202020", 1},
		{"M", "S1", "0b0 0102030405060708", "serial S1", "vml.010000000053314d2020202020", 1},
		/* the longest serial number that an id holds, and one that it does not */
		{"M", "12345678901234567890123456789012345678", NULL, "serial 12345678901234567890123456789012345678",
		 "vml.01000000003132333435363738393031323334353637383930313233343536373839303132333435363738"
		 "4d2020202020", 1},
		{"M", "123456789012345678901234567890123456789", NULL,
		 "serial 123456789012345678901234567890123456789", "", 1},
		/* nothing at all, and a serial number of blanks */
		{"M", NULL, NULL, "", "", 0},
		{"M", "          ", NULL, "", "", 0},
	};

	(void)state;
	assert_true(sizeof(rows) / sizeof(rows[0]) >= 40);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vk_live_lun lun = lun_of(rows[i].model, rows[i].serial, rows[i].spec);
		char vml[VK_SCSI_NAME_BYTES];

		vk_scsi_disk_id_vml(&lun.id, vml);
		if (strcmp(lun.name, rows[i].name) != 0 || lun.id_known != (rows[i].vml[0] != '\0') ||
		    (lun.id_known && strcmp(vml, rows[i].vml) != 0) || lun.name_count != rows[i].names)
			fail_msg("row %zu: %s, %s, %zu names", i, lun.name, vml, lun.name_count);
	}
}

/* Every page of a device cut at every byte, and with every length of page and designator a lie. */
static void hostile_pages(void **state)
{
	static const char spec[] = "3b1 " N5 "|1a0 SUN     COMSTAR 4711|3b0 " N6 "|2b0 " EUI "|8u0 naa." N6;
	uint8_t page[2048], *cut;
	size_t whole = make_page83(spec, page);
	struct vk_live_lun lun;

	(void)state;
	for (size_t len = 0; len <= whole; len++) {
		struct vk_lun_pages pages = {.inquiry_len = len, .page80_len = len, .page83_len = len};

		/* memory of exactly that length, so that a read behind it is seen */
		cut = malloc(len + (len == 0));
		assert_non_null(cut);
		memcpy(cut, page, len);
		pages.inquiry = pages.page80 = pages.page83 = cut;
		vk_live_lun_of_pages(&pages, &lun);
		assert_int_equal(strcmp(lun.name, "naa." N6) == 0, len >= 4 + 12 + 24 + 20);
		free(cut);
	}
	for (size_t at = 2; at < whole; at++) {
		const uint8_t was = page[at];

		for (unsigned lie = 0; lie < 256; lie++) {
			struct vk_lun_pages pages = {.page83_len = whole};

			page[at] = (uint8_t)lie;
			cut = malloc(whole);
			assert_non_null(cut);
			memcpy(cut, page, whole);
			pages.page83 = cut;
			vk_live_lun_of_pages(&pages, &lun);
			assert_true(lun.id.len <= VK_SCSI_ID_MAX && lun.name_count <= VK_LUN_NAMES_MAX);
			free(cut);
		}
		page[at] = was;
	}
}

static void names(void **state)
{
	static const struct {
		const char *given, *name;
		int type; /* -1: not known */
		bool id, model, lun;
		unsigned number;
	} rows[] = {
		{"vml.0200040000" N6 "434f4d535441", "naa." N6, 2, true, true, true, 4},
		{"vml.0200030000" N6 "434f4d535441:1", "naa." N6, 2, true, true, true, 3},
		{"vml.02000501006000eb3952315fbe0000000000000041695343534944", "naa.6000eb3952315fbe0000000000000041", 2,
		 true, true, true, 261},
		{"vml.0000000000766d68626133323a303a30", "mpx.vmhba32:C0:T0:L0", 0, true, false, true, 0},
		{"vml.072b6522e97f86428c91e193efa93c864f", "vml.072b6522e97f86428c91e193efa93c864f", -1, false, false,
		 false, 0},
		{"naa." N6 ":1", "naa." N6, 2, true, false, false, 0},
		{"naa.600144F07ED404000000496FF8CD0003", "naa." N6, 2, true, false, false, 0},
		{"eui." EUI, "eui." EUI, 0, false, false, false, 0},
		{"t10.ATA_____VBOX", "t10.ATA_____VBOX", 1, false, false, false, 0},
		{"mpx.vmhba1:C0:T0:L0:3", "mpx.vmhba1:C0:T0:L0", 0, true, false, false, 0},
	};
	static const char *const none[] = {"naa.60014", "naa.", "naa.6001zz", "vml.", "vml.02", "vml.020", "eui.12",
					   "eui.0025385b71b0aaaz", "t10.", "mpx.", "sdb", "", "serial X"};
	struct vk_live_lun lun;
	struct vk_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(vk_live_lun_of_name(rows[i].given, &lun, &err), VK_OK);
		assert_string_equal(lun.name, rows[i].name);
		assert_int_equal(lun.kind_known ? lun.id.type : -1, rows[i].type);
		assert_int_equal(lun.id_known, rows[i].id);
		assert_int_equal(lun.model_known, rows[i].model);
		assert_int_equal(lun.lun_known, rows[i].lun);
		assert_int_equal(lun.lun_known ? lun.id.lun : 0, rows[i].number);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (vk_live_lun_of_name(none[i], &lun, &err) != VK_USAGE)
			fail_msg("\"%s\" was taken for a name", none[i]);
}

static struct vk_live_luns read_text(const char *text)
{
	struct vk_live_luns luns;
	struct vk_error err;

	assert_int_equal(vk_live_luns_of_text(text, strlen(text), &luns, &err), VK_OK);
	return luns;
}

static void saved_texts(void **state)
{
	static const char device_list[] =
		"naa." N6 "\n   Display Name: SUN iSCSI Disk (naa." N6 ")\n   Size: 1048576\n"
		"   Device Type: Direct-Access\n   Devfs Path: /vmfs/devices/disks/naa." N6 "\n"
		"   Vendor: SUN     \n   Model: COMSTAR         \n   Revision: 1.0 \n"
		"   Other UIDs: vml.0200040000" N6 "434f4d535441\n\n"
		"t10.ATA_____VBOX_HARDDISK\n   Model: VBOX HARDDISK   \n"
		"   Other UIDs: vml.0100000000564232326364396533662d66393037373562612056424f582048\r\n";
	static const char scsidevs[] =
		"naa." N6 "\n   Device Type: Direct-Access \n   Vendor: SUN       Model: RAID 5            Revis: 0223\n"
		"   Other Names:\n      vml.0200040000" N6 "524149442035\n";
	static const char mapping[] =
		"naa." N6 ":1 /vmfs/devices/disks/naa." N6 ":1 49716cd8-ebcbbf9a-6792-000d60d46e2e  0  dsA\n"
		"mpx.vmhba1:C0:T1:L0:1    /vmfs/devices/disks/mpx.vmhba1:C0:T1:L0:1 555acc28-b82a2519-a19d-000c29b96d8d  0  "
		"MyVol\n";
	static const char paths[] =
		"iqn.1998-01.com.vmware:esx-00023d000001,iqn.2009,t,1-naa." N6 "\n   Runtime Name: vmhba33:C0:T0:L4\n"
		"   Device: naa." N6 "\n   Device Display Name: SUN iSCSI Disk (naa." N6 ")\n"
		"   Adapter: vmhba33 Channel: 0 Target: 0 LUN: 4\n\nfc.2000:2100-fc.5006:5006-naa." N6 "\n"
		"   Device: naa." N6 "\n   Adapter: vmhba2 Channel: 0 Target: 1 LUN: 7\n"
		"   Adapter: vmhba2 Channel: 0 Target: 1 LUN: 99999\n";
	struct vk_live_luns luns = read_text(device_list);
	char vml[VK_SCSI_NAME_BYTES];
	struct vk_error err;

	(void)state;
	assert_int_equal(luns.count, 2);
	assert_string_equal(luns.items[0].name, "naa." N6);
	assert_string_equal(luns.items[0].model, "COMSTAR");
	vk_scsi_disk_id_vml(&luns.items[0].id, vml);
	assert_string_equal(vml, "vml.0200040000" N6 "434f4d535441");
	assert_true(luns.items[0].id_known && luns.items[0].model_known && luns.items[0].lun_known);
	assert_string_equal(luns.items[1].name, "t10.ATA_____VBOX_HARDDISK");
	assert_true(luns.items[1].id_known);
	assert_int_equal(luns.items[1].id.len, 26);
	vk_live_luns_free(&luns);

	luns = read_text(scsidevs);
	assert_int_equal(luns.count, 1);
	assert_string_equal(luns.items[0].model, "RAID 5");
	assert_int_equal(luns.items[0].id.lun, 4);
	assert_memory_equal(luns.items[0].id.id + 16, "RAID 5", 6);
	vk_live_luns_free(&luns);

	luns = read_text(mapping);
	assert_int_equal(luns.count, 2);
	assert_string_equal(luns.items[0].volume, "49716cd8-ebcbbf9a-6792-000d60d46e2e");
	assert_string_equal(luns.items[1].name, "mpx.vmhba1:C0:T1:L0");
	assert_string_equal(luns.items[1].volume, "555acc28-b82a2519-a19d-000c29b96d8d");
	assert_false(luns.items[0].lun_known);
	vk_live_luns_free(&luns);

	luns = read_text(paths);
	assert_int_equal(luns.count, 1);
	assert_int_equal(luns.items[0].lun_count, 2);
	assert_int_equal(luns.items[0].luns[0], 4);
	assert_int_equal(luns.items[0].luns[1], 7);
	vk_live_luns_free(&luns);

	assert_int_equal(vk_live_luns_of_text("nothing\n  Device: sda\n", 22, &luns, &err), VK_USAGE);
}

static void many_devices(void **state)
{
	char *text = malloc(5000 * 40);
	size_t len = 0;
	struct vk_live_luns luns;
	struct vk_error err;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < 5000; i++)
		len += (size_t)sprintf(text + len, "naa.600144f07ed4040000004970%08x\n", i);
	assert_int_equal(vk_live_luns_of_text(text, len, &luns, &err), VK_UNSUPPORTED);
	free(text);
}

static void put(const char *folder, const char *name, const void *bytes, size_t len)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* A disk of sysfs: its folder, and what its link "device" leads to. */
static void make_disk(const char *top, const char *name, const char *hctl)
{
	char path[300], target[300];

	snprintf(path, sizeof(path), "%s/%s", top, hctl);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/device", top, name);
	snprintf(target, sizeof(target), "../%s", hctl);
	assert_int_equal(symlink(target, path), 0);
}

static void sysfs(void **state)
{
	char top[] = "/tmp/vk-live-XXXXXX", path[300], command[100];
	uint8_t page[2048], inquiry[36];
	struct vk_live_lun lun;
	size_t len = make_page83("3b0 " N6, page);

	(void)state;
	assert_non_null(mkdtemp(top));
	make_disk(top, "sda", "3:0:0:4");
	make_disk(top, "sdb", "4:0:0:261");
	inquiry_of("COMSTAR", inquiry);
	snprintf(path, sizeof(path), "%s/3:0:0:4", top);
	put(path, "vpd_pg83", page, len);
	put(path, "inquiry", inquiry, sizeof(inquiry));
	snprintf(path, sizeof(path), "%s/sda", top);
	assert_true(vk_live_lun_of_sysfs(path, -1, &lun));
	assert_string_equal(lun.name, "naa." N6);
	assert_true(lun.model_known && lun.lun_known);
	assert_int_equal(lun.id.lun, 4);
	/* a multipath device: the LUN number of both paths */
	snprintf(path, sizeof(path), "%s/dm-0", top);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/dm-0/dm", top);
	assert_int_equal(mkdir(path, 0700), 0);
	put(path, "uuid", "mpath-3" N6 "\n", 41);
	snprintf(path, sizeof(path), "%s/dm-0/slaves", top);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/dm-0/slaves/sda", top);
	assert_int_equal(symlink("../../sda", path), 0);
	snprintf(path, sizeof(path), "%s/dm-0/slaves/sdb", top);
	assert_int_equal(symlink("../../sdb", path), 0);
	snprintf(path, sizeof(path), "%s/dm-0", top);
	assert_true(vk_live_lun_of_sysfs(path, -1, &lun));
	assert_string_equal(lun.name, "naa." N6);
	assert_int_equal(lun.lun_count, 2);
	assert_int_equal(lun.luns[1], 261);
	/* an NVMe namespace has no pages; a number of zeros names nothing */
	make_disk(top, "nvme0n1", "nvme0");
	snprintf(path, sizeof(path), "%s/nvme0n1", top);
	put(path, "nguid", "00000000-0000-0000-0000-000000000000\n", 37);
	put(path, "eui", "00 25 38 5b 71 b0 aa aa\n", 24);
	put(path, "uuid", "2b6522e9-7f86-428c-91e1-93efa93c864f\n", 37);
	put(path, "wwid", "eui.0025385b71b0aaaa\n", 21);
	assert_true(vk_live_lun_of_sysfs(path, -1, &lun));
	assert_string_equal(lun.name, "eui." EUI);
	assert_int_equal(lun.name_count, 2);
	assert_string_equal(lun.names[1], "uuid.2b6522e97f86428c91e193efa93c864f");
	assert_true(lun.kind_known && !lun.id_known);
	/* pages that no driver kept: the kernel's own name */
	make_disk(top, "sdc", "5:0:0:0");
	snprintf(path, sizeof(path), "%s/sdc", top);
	put(path, "wwid", "naa." N5 "\n", 21);
	put(path, "device/model", "DTN146G2SAS     \n", 17);
	assert_true(vk_live_lun_of_sysfs(path, -1, &lun));
	assert_string_equal(lun.name, "naa." N5);
	assert_true(lun.id_known && lun.model_known);
	assert_memory_equal(lun.id.id + 8, "DTN146", 6);
	snprintf(path, sizeof(path), "%s/none", top);
	assert_false(vk_live_lun_of_sysfs(path, -1, &lun));
	snprintf(command, sizeof(command), "rm -rf %s", top);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices),     cmocka_unit_test(hostile_pages), cmocka_unit_test(names),
		cmocka_unit_test(saved_texts), cmocka_unit_test(many_devices),  cmocka_unit_test(sysfs),
	};

	return cmocka_run_group_tests_name("live_lun", tests, NULL, NULL);
}
