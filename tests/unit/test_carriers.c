/* SPDX-License-Identifier: Apache-2.0 */
/* Superblocks of arrays and pools: what they say, and what is not believed of them. */
#include "io_helpers.h"

#include "base/bytes.h"
#include "source/carrier_lvm.h"
#include "vmfskit/gpt.h"
#include "vmfskit/source.h"

#define MIB (1ULL << 20)

enum { DISK_BYTES = 8 << 20 };

/* Both sums of md: words of 32 bits, folded once. */
static uint32_t md_sum(const uint8_t *sb, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i + 4 <= len; i += 4)
		sum += vk_get_le32(sb + i);
	return (uint32_t)(sum + (sum >> 32));
}

static void put_md1(uint8_t *disk, uint64_t at, int level, uint32_t disks, uint64_t data, uint64_t length)
{
	uint8_t *sb = disk + at;

	memset(sb, 0, 4096);
	vk_put_le32(sb, 0xa92b4efc);
	vk_put_le32(sb + 4, 1);
	vk_put_le32(sb + 72, (uint32_t)level);
	vk_put_le32(sb + 92, disks);
	vk_put_le64(sb + 128, data);
	vk_put_le64(sb + 136, length);
	vk_put_le64(sb + 144, at / 512);
	vk_put_le32(sb + 220, 2);
	vk_put_le32(sb + 216, md_sum(sb, 260));
}

static struct vk_layers read_layers(uint8_t *disk, const char *type, uint64_t magic)
{
	struct vk_foreign f = {.kind = VK_FOREIGN_VOLUME_MANAGER, .magic_bytes = magic};
	struct vk_io *io = vk_io_memory("disk", disk, DISK_BYTES, false);
	struct vk_layers layers = {.count = 0};

	assert_non_null(io);
	snprintf(f.type, sizeof(f.type), "%s", type);
	assert_true(vk_layers_read(io, &f, &layers));
	vk_io_close(io);
	/* whatever was read, there is a layer, and it lies in the disk */
	assert_true(layers.count > 0);
	for (size_t i = 0; i < layers.count; i++) {
		assert_true(layers.items[i].data_bytes < DISK_BYTES);
		assert_true(layers.items[i].length_bytes <= DISK_BYTES - layers.items[i].data_bytes);
		assert_true(layers.items[i].name[0] != '\0' && layers.items[i].evidence[0] != '\0');
	}
	return layers;
}

static void assert_layer(uint8_t *disk, const char *type, uint64_t magic, bool whole, uint64_t at, uint64_t length)
{
	struct vk_layers layers = read_layers(disk, type, magic);

	assert_int_equal(layers.count, 1);
	assert_int_equal(layers.items[0].whole, whole);
	if (whole) {
		assert_int_equal(layers.items[0].data_bytes, at);
		assert_int_equal(layers.items[0].length_bytes, length);
	}
	free(layers.items);
}

static void test_md_levels(void **state)
{
	static const struct {
		int level;
		uint32_t disks, layout;
		bool whole;
	} rows[] = {{1, 2, 0, true},      {1, 4, 0, true},     {0, 1, 0, true},    {0, 2, 0, false},  {4, 3, 0, false},
		    {5, 3, 0, false},     {6, 4, 0, false},    {-1, 2, 0, false},  {-1, 1, 0, true},  {-4, 2, 0, true},
		    {10, 2, 0x102, true}, {10, 4, 0x102, false}, {10, 2, 0x201, false}};
	uint8_t *disk = calloc(1, DISK_BYTES);
	struct vk_layers layers;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_md1(disk, 4096, rows[i].level, rows[i].disks, 2048, 4096);
		vk_put_le32(disk + 4096 + 76, rows[i].layout);
		assert_layer(disk, "linux_raid_member", 4096, rows[i].whole, MIB, 2 * MIB);
	}
	put_md1(disk, 4096, 1, 2, 2048, 4096);
	layers = read_layers(disk, "linux_raid_member", 4096);
	assert_string_equal(layers.items[0].name, "a member of a Linux RAID (md 1.2, RAID1, 2 disks)");
	assert_string_equal(layers.items[0].evidence, "md superblock at byte 4096, its checksum fits");
	free(layers.items);
	disk[4096 + 200]++;
	layers = read_layers(disk, "linux_raid_member", 4096);
	assert_string_equal(layers.items[0].evidence, "md superblock at byte 4096, its checksum does not fit");
	free(layers.items);
	/* nothing of the array is on a spare or a faulty disk */
	vk_put_le16(disk + 4096 + 256, 0xffff);
	assert_layer(disk, "linux_raid_member", 4096, false, 0, 0);
	free(disk);
}

static void test_md_numbers(void **state)
{
	uint8_t *disk = calloc(1, DISK_BYTES);
	uint64_t end = DISK_BYTES - 8192;

	(void)state;
	put_md1(disk, 4096, 1, 2, UINT64_MAX, UINT64_MAX);
	assert_layer(disk, "linux_raid_member", 4096, false, 0, 0);
	put_md1(disk, 4096, 1, 2, 2048, UINT64_MAX);
	assert_layer(disk, "linux_raid_member", 4096, true, MIB, DISK_BYTES - MIB);
	/* so many roles do not fit a superblock */
	vk_put_le32(disk + 4096 + 220, UINT32_MAX);
	vk_put_le32(disk + 4096 + 160, UINT32_MAX - 1);
	assert_layer(disk, "linux_raid_member", 4096, true, MIB, DISK_BYTES - MIB);
	/* the data of one at the end ends in front of it */
	put_md1(disk, end, 1, 2, 0, UINT64_MAX);
	assert_layer(disk, "linux_raid_member", end, true, 0, end);
	/* one that says that it lies elsewhere was copied here */
	put_md1(disk, 4096, 1, 2, 2048, 4096);
	memmove(disk + 12288, disk + 4096, 4096);
	assert_layer(disk, "linux_raid_member", 12288, false, 0, 0);
	free(disk);
}

static uint32_t lvm_crc(const void *bytes, size_t len)
{
	return ~vk_crc32(~0xf597a6cfU, bytes, len);
}

/* A label, its area of text at 4096, 64 KiB long, with the text from `at` of it on, around its end where need be. */
static void put_lvm(uint8_t *disk, const char *text, size_t at, uint64_t data_area)
{
	uint8_t *label = disk + 512, *area = disk + 4096, *entry = label + 32 + 40;
	size_t len = strlen(text), length = 65536;

	memset(disk, 0, MIB);
	memcpy(label, "LABELONE", 8);
	vk_put_le32(label + 20, 32);
	memcpy(label + 24, "LVM2 001", 8);
	memset(label + 32, 'b', 32);
	if (data_area != 0) {
		vk_put_le64(entry, data_area);
		entry += 16;
	}
	vk_put_le64(entry + 16, 4096);
	vk_put_le64(entry + 24, length);
	memcpy(area + 4, " LVM2 x[5A%r0N*>", 16);
	vk_put_le64(area + 40, at);
	vk_put_le64(area + 48, len);
	vk_put_le32(area + 56, lvm_crc(text, len));
	for (size_t i = 0; i < len; i++)
		area[at + i < length ? at + i : at + i - length + 512] = (uint8_t)text[i];
}

#define LVM_HEAD "vg0 {\nextent_size = 64 # of 32 KiB\nstatus = [\"READ\", \"WRITE\"]\nphysical_volumes {\npv0 {\n" \
		 "id = \"bbbbbb-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb\"\npe_start = 2048\n}\n" \
		 "pv1 {\nid = \"cccccc-cccc-cccc-cccc-cccc-cccc-cccccc\"\npe_start = 4096\n}\n}\nlogical_volumes {\n"
#define LVM_VOLUME(name, status, segments) name " {\nstatus = [\"READ\", " status "]\n" segments "}\n"
#define LVM_SEGMENT(name, from, count, type, stripes, on) \
	name " {\nstart_extent = " from "\nextent_count = " count "\ntype = \"" type "\"\nstripe_count = " stripes \
	     "\nstripes = [ " on " ]\n}\n"
#define LVM_TAIL "}\n}\ncontents = \"Text Format Volume Group\"\n"

static void test_lvm_volumes(void **state)
{
	static const char text[] = LVM_HEAD
		LVM_VOLUME("one", "\"VISIBLE\"", LVM_SEGMENT("segment1", "0", "10", "striped", "1", "\"pv0\", 4"))
		LVM_VOLUME("grown", "\"VISIBLE\"", LVM_SEGMENT("segment1", "0", "10", "striped", "1", "\"pv0\", 20")
			   LVM_SEGMENT("segment2", "10", "5", "striped", "1", "\"pv0\", 30"))
		LVM_VOLUME("apart", "\"VISIBLE\"", LVM_SEGMENT("segment1", "0", "10", "striped", "1", "\"pv0\", 40")
			   LVM_SEGMENT("segment2", "10", "5", "striped", "1", "\"pv0\", 60"))
		LVM_VOLUME("elsewhere", "\"VISIBLE\"", LVM_SEGMENT("segment1", "0", "9", "striped", "1", "\"pv1\", 0"))
		LVM_VOLUME("wide", "\"VISIBLE\"",
			   LVM_SEGMENT("segment1", "0", "9", "striped", "2", "\"pv0\", 70, \"pv1\", 3"))
		LVM_VOLUME("thin", "\"VISIBLE\"", LVM_SEGMENT("segment1", "0", "9", "thin", "1", "\"pv0\", 80"))
		LVM_VOLUME("hidden", "\"WRITE\"", LVM_SEGMENT("segment1", "0", "9", "striped", "1", "\"pv0\", 90"))
		LVM_VOLUME("far", "\"VISIBLE\"", LVM_SEGMENT("segment1", "0", "18446744073709551615", "striped", "1",
							    "\"pv0\", 18446744073709551615")) LVM_TAIL;
	static const size_t places[] = {512, 1024, 65536 - 100, 65536 - 1};
	uint8_t *disk = calloc(1, DISK_BYTES);

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct vk_layers layers;

		put_lvm(disk, text, places[i], MIB);
		layers = read_layers(disk, "LVM2_member", 512 + 24);
		assert_int_equal(layers.count, 3);
		assert_string_equal(layers.items[0].name, "a physical volume of LVM2 (volume vg0/one)");
		assert_int_equal(layers.items[0].data_bytes, MIB + 4 * 32768);
		assert_int_equal(layers.items[0].length_bytes, 10 * 32768);
		assert_string_equal(layers.items[0].device, "/dev/vg0/one");
		assert_string_equal(layers.items[1].name, "a physical volume of LVM2 (volume vg0/grown)");
		assert_int_equal(layers.items[1].length_bytes, 15 * 32768);
		assert_string_equal(layers.items[2].name, "a physical volume of LVM2 (group vg0)");
		assert_true(layers.items[2].in_use && !layers.items[2].whole);
		free(layers.items);
	}
	/* a text that its sum does not fit is not read; where the data begins, the label says, too */
	disk[4096 + 56]++;
	assert_layer(disk, "LVM2_member", 512 + 24, true, MIB, DISK_BYTES - MIB);
	put_lvm(disk, LVM_HEAD LVM_TAIL, 512, 0);
	vk_put_le64(disk + 4096 + 48, UINT64_MAX);
	assert_layer(disk, "LVM2_member", 512 + 24, false, 0, 0);
	free(disk);
}

/* In no group: the area has a header whose sum fits, and no text. Without either nobody knows. */
static void test_lvm_empty(void **state)
{
	uint8_t *disk = calloc(1, DISK_BYTES), *area = disk + 4096;
	static const struct {
		size_t at; /* a byte of the area that is another one, and the sum as it is then; 0: none */
		bool fits, empty;
	} rows[] = {{0, true, true}, {0, false, false}, {4, true, false}, {48, true, false}, {60, true, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vk_layers layers;

		put_lvm(disk, "", 512, MIB);
		memset(area + 40, 0, 24);
		if (rows[i].at != 0)
			area[rows[i].at] ^= 1;
		vk_put_le32(area, lvm_crc(area + 4, 508) + !rows[i].fits);
		layers = read_layers(disk, "LVM2_member", 512 + 24);
		assert_int_equal(layers.count, 1);
		assert_int_equal(layers.items[0].empty, rows[i].empty);
		assert_true(layers.items[0].whole);
		free(layers.items);
	}
	free(disk);
}

static void test_lvm_texts(void **state)
{
	static const char *const texts[] = {
		"", "}", "vg {", "vg { extent_size = ", "vg { extent_size = [", "vg { a = \"x", "a", "= 1",
		"vg { extent_size = 64 }", "a { b { c { d { e { f { g { h { i {", "\"vg\" { }", "vg { x = \"\\",
		LVM_HEAD, "-x" LVM_HEAD LVM_TAIL};
	uint8_t uuid[VK_LVM2_UUID_BYTES];
	struct vk_lvm2_group *group = malloc(sizeof(*group));
	char text[] = LVM_HEAD LVM_VOLUME("one", "\"VISIBLE\"",
					  LVM_SEGMENT("segment1", "0", "10", "striped", "1", "\"pv0\", 4")) LVM_TAIL;

	(void)state;
	memset(uuid, 'b', sizeof(uuid));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memset(group, 0, sizeof(*group));
		assert_false(vk_lvm2_read_text(texts[i], uuid, group));
	}
	/* every byte another one: nothing is read past its end, and no volume comes from nowhere */
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		static const char others[] = "}{[]\"=#\\ 9\xff";
		char was = text[i];

		for (size_t k = 0; k < sizeof(others); k++) {
			text[i] = others[k];
			memset(group, 0, sizeof(*group));
			if (vk_lvm2_read_text(text, uuid, group))
				assert_true(group->extent_bytes > 0 && group->name[0] != '\0');
			assert_true(group->volume_count <= 1);
		}
		text[i] = was;
	}
	free(group);
}

/* Sixty volumes that are the physical volume itself, in each of which there are sixty again. */
static void test_endless(void **state)
{
	static const struct vk_source_options options = {.look = VK_LOOK_THROUGH};
	uint8_t *disk = calloc(1, DISK_BYTES);
	struct vk_source source;
	struct vk_error err;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	fputs("vg0 {\nextent_size = 64\nphysical_volumes {\npv0 {\nid = \"bbbbbb-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb\"\n"
	      "pe_start = 0\n}\n}\nlogical_volumes {\n", out);
	for (int i = 0; i < 60; i++)
		fprintf(out, "v%d {\nstatus = [\"VISIBLE\"]\n%s}\n", i,
			LVM_SEGMENT("segment1", "0", "256", "striped", "1", "\"pv0\", 0"));
	fputs("}\n}\n", out);
	assert_int_equal(fclose(out), 0);
	put_lvm(disk, text, 512, 0);
	vk_put_le32(disk + 512 + 16, lvm_crc(disk + 512 + 20, 512 - 20));
	vk_put_le64(disk + 512, vk_get_le64((const uint8_t *)"LABELONE"));
	vk_put_le64(disk + 512 + 8, 1);
	vk_put_le32(disk + 512 + 16, lvm_crc(disk + 512 + 20, 512 - 20));
	assert_int_equal(vk_source_open_io(vk_io_memory("disk", disk, DISK_BYTES, true), "disk", VK_FORM_RAW, &options,
					   &source, &err), VK_OK);
	assert_int_equal(source.readings.items[0].kind, VK_READING_MEMBER);
	vk_source_close(&source);
	free(text);
	free(disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_md_levels), cmocka_unit_test(test_md_numbers), cmocka_unit_test(test_lvm_volumes),
		cmocka_unit_test(test_lvm_empty), cmocka_unit_test(test_lvm_texts),
		cmocka_unit_test(test_endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
