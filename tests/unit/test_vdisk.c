/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors of virtual disks: what is read of them, what is made anew, which names are a disk's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vmfskit/virtual_disk.h"

#define MARK "# Disk DescriptorFile\n"

static struct vk_vmdk_descriptor d;

static bool parse(const char *text)
{
	return vk_vmdk_parse(text, strlen(text), &d);
}

/* As an ESX 3.5 host wrote it. */
static void usual(void **state)
{
	(void)state;
	assert_true(parse(MARK "version=1\nCID=05a15a72\nparentCID=ffffffff\ncreateType=\"vmfs\"\n\n# Extent description\n"
			  "RW 409600 VMFS \"thick-flat.vmdk\"\n\n# The Disk Data Base \n#DDB\n\n"
			  "ddb.virtualHWVersion = \"4\"\nddb.adapterType = \"buslogic\"\n"));
	assert_true(d.has_cid && d.has_parent_cid);
	assert_int_equal(d.cid, 0x05a15a72);
	assert_int_equal(d.parent_cid, VK_VMDK_NO_PARENT);
	assert_string_equal(d.create_type, "vmfs");
	assert_string_equal(d.parent_hint, "");
	assert_int_equal(d.extent_count, 1);
	assert_int_equal(d.extents[0].type, VK_VMDK_VMFS);
	assert_int_equal(d.extents[0].sectors, 409600);
	assert_int_equal(d.extents[0].start_sector, 0);
	assert_string_equal(d.extents[0].name, "thick-flat.vmdk");
}

static void delta(void **state)
{
	(void)state;
	assert_true(parse(MARK "cid = \"1234ABCD\"\r\nPARENTCID=\t5a1\r\nparentFileNameHint=\"../a b/\xff.vmdk\"\r\n"
			  "rw 8 vmfssparse \"vm-000001-delta.vmdk\"\r\nRDONLY 5 FLAT \"x\" 63\r\nNOACCESS 7 ZERO"));
	assert_int_equal(d.cid, 0x1234abcd);
	assert_int_equal(d.parent_cid, 0x5a1);
	assert_string_equal(d.parent_hint, "../a b/\xff.vmdk");
	assert_int_equal(d.extent_count, 3);
	assert_int_equal(d.extents[0].type, VK_VMDK_VMFSSPARSE);
	assert_int_equal(d.extents[1].type, VK_VMDK_FLAT);
	assert_int_equal(d.extents[1].start_sector, 63);
	assert_int_equal(d.extents[2].type, VK_VMDK_ZERO);
	assert_string_equal(d.extents[2].name, "");
}

static void hostile(void **state)
{
	char text[VK_VMDK_TEXT_BYTES + 1], name[VK_VMDK_NAME_BYTES + 1];
	size_t len;

	(void)state;
	assert_false(parse(""));
	assert_false(parse("CID=1\n" MARK));
	assert_false(parse("\n\n# a remark\nversion=1\n"));
	assert_true(parse("\n# a remark\n##  disk descriptorfile of somebody\nCID=1"));
	/* numbers that are none, twice the same key, a NUL, quotes that do not end */
	assert_true(vk_vmdk_parse(MARK "CID=\0CID=123456789\nCID=12g\nCID=a\nCID=b\nRW 99999999999999999999 VMFS \"a\"\n"
				  "RW -1 VMFS \"a\"\nRW 0x10 ODD open\"\nRW 1 VMFS \"open\n",
				  sizeof(MARK "CID=\0CID=123456789\nCID=12g\nCID=a\nCID=b\nRW 99999999999999999999 VMFS \"a\"\n"
					 "RW -1 VMFS \"a\"\nRW 0x10 ODD open\"\nRW 1 VMFS \"open\n") - 1, &d));
	assert_true(d.has_cid);
	assert_int_equal(d.cid, 0xa);
	assert_false(d.has_parent_cid);
	assert_int_equal(d.extent_count, 2);
	assert_int_equal(d.extents[0].type, VK_VMDK_OTHER);
	assert_string_equal(d.extents[0].name, "open\"");
	assert_string_equal(d.extents[1].name, "\"open");
	/* names: the longest, and one that is too long to be kept */
	memset(name, 'n', sizeof(name));
	name[VK_VMDK_NAME_BYTES] = '\0';
	len = (size_t)snprintf(text, sizeof(text), MARK "RW 1 VMFS \"%s\"\nRW 1 VMFS \"%s\"\n", name, name + 1);
	assert_true(vk_vmdk_parse(text, len, &d));
	assert_string_equal(d.extents[0].name, "");
	assert_int_equal(strlen(d.extents[1].name), VK_VMDK_NAME_BYTES - 1);
	/* as many extents as a text can hold, the shortest and those with a name */
	for (size_t k = 0; k < 2; k++) {
		static const char *const lines[] = {"RW 1\n", "RW 1 X Y\n"};
		size_t count = 0;

		len = (size_t)snprintf(text, sizeof(text), MARK);
		for (; len + strlen(lines[k]) <= VK_VMDK_TEXT_BYTES; count++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", lines[k]);
		assert_true(vk_vmdk_parse(text, len, &d));
		assert_int_equal(d.extent_count, count);
		assert_in_range(count, 7000, VK_VMDK_EXTENTS);
		assert_string_equal(d.extents[count - 1].name, k == 0 ? "" : "Y");
		assert_in_range(d.names_bytes, count, sizeof(d.names));
	}
	/* 64 KiB, and a byte more */
	memset(text, '#', sizeof(text));
	memcpy(text, MARK, strlen(MARK));
	assert_true(vk_vmdk_parse(text, VK_VMDK_TEXT_BYTES, &d));
	assert_false(vk_vmdk_parse(text, VK_VMDK_TEXT_BYTES + 1, &d));
}

static void headers(void **state)
{
	static const struct {
		uint8_t bytes[VK_VMDK_HEADER_BYTES];
		struct vk_vmdk_header header;
	} cases[] = {
		{{'C', 'O', 'W', 'D', 1, 0, 0, 0, 3, 0, 0, 0, 0, 0x40, 6, 0, 1, 0, 0, 0, 4}, {VK_VMDK_COWD, 1, 409600, 1}},
		{{0xBE, 0xBA, 0xFE, 0xCA, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0x40, 6, 0, 0, 0, 0, 0, 8},
		 {VK_VMDK_SESPARSE_MAGIC, 0x200000001, 409600, 8}},
		{{'K', 'D', 'M', 'V', 1, 0, 0, 0, 3, 0, 0, 0, 0, 0x40, 6, 0, 0, 0, 0, 0, 0x80}, {VK_VMDK_KDMV, 1, 409600, 128}},
		/* the upper half of the magic is zeros */
		{{0xBE, 0xBA, 0xFE, 0xCA, 1}, {VK_VMDK_NO_MAGIC, 0, 0, 0}},
	};
	struct vk_vmdk_header header;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct vk_vmdk_header *expected = &cases[i].header;

		assert_int_equal(vk_vmdk_header_decode(cases[i].bytes, VK_VMDK_HEADER_BYTES, &header),
				 expected->magic != VK_VMDK_NO_MAGIC);
		assert_int_equal(header.magic, expected->magic);
		assert_int_equal(header.version, expected->version);
		assert_int_equal(header.capacity_sectors, expected->capacity_sectors);
		assert_int_equal(header.grain_sectors, expected->grain_sectors);
		assert_false(vk_vmdk_header_decode(cases[i].bytes, VK_VMDK_HEADER_BYTES - 1, &header));
	}
}

/* Length, cylinders, heads and sectors of descriptors that ESX wrote and people published. */
static void geometry(void **state)
{
	static const struct {
		uint64_t length, cylinders;
		uint32_t heads, sectors;
		bool seen;
	} cases[] = {
		{409600, 200, 64, 32, true},       /* the VMFS3 volume */
		{192780, 94, 64, 32, true},
		{83886080, 5221, 255, 63, true},
		{937703088, 58369, 255, 63, true},
		{1048576000, 65270, 255, 63, true},
		{2097151, 1023, 64, 32, true},
		{2097152, 512, 128, 32, false},    /* this one, and the next, by the rule only */
		{4194303, 1023, 128, 32, false},
		{4194304, 261, 255, 63, true},
		{UINT64_MAX, 1148256711715502, 255, 63, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vk_vmdk_geometry g;

		vk_vmdk_geometry_of(cases[i].length, &g);
		assert_int_equal(g.cylinders, cases[i].cylinders);
		assert_int_equal(g.heads, cases[i].heads);
		assert_int_equal(g.sectors, cases[i].sectors);
		assert_int_equal(g.seen, cases[i].seen);
	}
}

static void compose(void **state)
{
	static const struct vk_vmdk_new refused[] = {
		{"a\"b-flat.vmdk", 512, false, 4}, {"a\nb-flat.vmdk", 512, false, 4}, {"", 512, false, 4},
		{"a\x7f-flat.vmdk", 512, false, 4}, {"a-flat.vmdk", 513, false, 4}, {"a-flat.vmdk", 0, false, 4},
	};
	char buf[2048];
	struct vk_text text = vk_text_in(buf, sizeof(buf));

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_false(vk_vmdk_compose(&refused[i], &text));
	assert_string_equal(buf, "");
	assert_true(vk_vmdk_compose(&(struct vk_vmdk_new){"thin-flat.vmdk", 209715200, true, 4}, &text));
	assert_string_equal(buf, MARK "version=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType=\"vmfs\"\n\n"
			    "# Extent description\nRW 409600 VMFS \"thin-flat.vmdk\"\n\n# The Disk Data Base \n#DDB\n\n"
			    "ddb.virtualHWVersion = \"4\"\nddb.geometry.cylinders = \"200\"\nddb.geometry.heads = \"64\"\n"
			    "ddb.geometry.sectors = \"32\"\nddb.adapterType = \"lsilogic\"\nddb.thinProvisioned = \"1\"\n");
}

static void names(void **state)
{
	static const struct {
		const char *name, *descriptor, *kind;
	} cases[] = {
		{"/vm/vm-flat.vmdk", "/vm/vm.vmdk", "flat"},
		{"vm-000001-delta.vmdk", "vm-000001.vmdk", "delta"},
		{"vm-000001-sesparse.vmdk", "vm-000001.vmdk", "sesparse"},
		{"VM-RDM.VMDK", "VM.vmdk", "rdm"},
		{"vm-rdmp.vmdk", "vm.vmdk", "physical rdm"},
		{"vm.vmdk", "vm.vmdk.vmdk", "unknown"},
		{"disk.img", "disk.img.vmdk", "unknown"},
		/* nothing stands in front of the end */
		{"-flat.vmdk", "-flat.vmdk.vmdk", "unknown"},
		{"/vm/-flat.vmdk", "/vm/-flat.vmdk.vmdk", "unknown"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *name = vk_vdisk_descriptor_name(cases[i].name);

		assert_non_null(name);
		assert_string_equal(name, cases[i].descriptor);
		assert_string_equal(vk_vdisk_kind_name(vk_vdisk_kind_of_name(cases[i].name)), cases[i].kind);
		free(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual), cmocka_unit_test(delta), cmocka_unit_test(hostile), cmocka_unit_test(headers),
		cmocka_unit_test(geometry), cmocka_unit_test(compose), cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
