/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor on disks in memory: what is damage and what hosts write, exact sectors, bounds. */
#include "diff_bench.h"
#include "disk_support.h"

#include <sys/stat.h>

#include "test_store.h"
#include "vmfskit/capture.h"
#include "vmfskit/doctor.h"

/* A practice disk, a store with a capture of it. */
struct clinic {
	struct bench b;
	char path[64];
	char store[64];
	uint64_t lvm, volume, pes, fs, heartbeats; /* where they lie on the disk */
};

static struct clinic clinic_open(enum vk_table_kind table, uint32_t sector_size, const char *words)
{
	struct clinic c = {.b = bench_make(table, sector_size, 320 << 20, words)};
	const struct vk_vmfs *v = &c.b.source.vmfs[0];
	struct vk_store *store;
	struct vk_findings findings = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&findings);
	char id[VK_CAPTURE_ID_BYTES];
	struct vk_error err;

	snprintf(c.path, sizeof(c.path), "/proc/self/fd/%d", c.b.disk.fd);
	strcpy(c.store, "/tmp/vmfskit-doctor.XXXXXX");
	assert_non_null(mkdtemp(c.store));
	store = test_store(c.store, VK_STORE_ADD);
	must(vk_capture_take(&c.b.source, &(struct vk_capture_options){.store = store, .sector_size = sector_size}, &sink, id,
			     &err),
	     &err);
	vk_store_close(store);
	vk_findings_free(&findings);
	c.lvm = c.b.start + VK_LVM_HEADER_OFFSET;
	c.volume = c.b.start + v->geometry.volume_table;
	c.pes = c.b.start + v->geometry.first_bitmap + v->geometry.bitmap_bytes;
	c.fs = c.b.start + v->fs_offset_bytes;
	c.heartbeats = c.b.start + v->heartbeats.offset_bytes;
	return c;
}

static void clinic_close(struct clinic *c)
{
	char command[128];

	bench_free(&c->b);
	snprintf(command, sizeof(command), "rm -rf %s", c->store);
	assert_int_equal(system(command), 0);
}

static void poke(const struct clinic *c, uint64_t at, const void *bytes, size_t len)
{
	assert_int_equal(pwrite(c->b.disk.fd, bytes, len, (off_t)at), (ssize_t)len);
}

static void poke64(const struct clinic *c, uint64_t at, uint64_t value)
{
	uint8_t raw[8];

	vk_put_le64(raw, value);
	poke(c, at, raw, sizeof(raw));
}

static struct vk_diagnosis examine(const struct clinic *c, bool captured)
{
	const struct vk_doctor_options options = {.store = captured ? c->store : NULL,
						  .sector_size = c->b.sector_size,
						  .live_id = ""};
	struct vk_diagnosis d;
	struct vk_error err;

	must(vk_diagnose(NULL, c->path, &options, &d, &err), &err);
	assert_int_equal(d.capture[0] != '\0', captured);
	return d;
}

/* The verdict on the byte at `at`. */
static enum vk_damage verdict(const struct vk_diagnosis *d, uint64_t at)
{
	for (size_t i = 0; i < d->range_count; i++)
		if (at >= d->ranges[i].offset_bytes && at - d->ranges[i].offset_bytes < d->ranges[i].length_bytes)
			return d->ranges[i].damage;
	return VK_DAMAGE_UNKNOWN;
}

static const struct vk_finding *incident(const struct vk_diagnosis *d, const char *code)
{
	for (size_t i = 0; i < d->findings.count; i++)
		if (strcmp(vk_finding_kind(d->findings.items[i].code)->code, code) == 0)
			return &d->findings.items[i];
	return NULL;
}

static void assert_verdict(const struct clinic *c, bool captured, uint64_t at, enum vk_damage wanted)
{
	struct vk_diagnosis d = examine(c, captured);

	assert_string_equal(vk_damage_name(verdict(&d, at)), vk_damage_name(wanted));
	assert_int_equal(d.damaged, wanted == VK_DAMAGE_DAMAGED || wanted == VK_DAMAGE_ZERO);
	if (d.damaged) {
		assert_int_equal(d.first_damaged_bytes, at - at % 512);
		assert_int_equal(d.last_damaged_bytes, at - at % 512 + 511);
	}
	vk_diagnosis_free(&d);
}

static void every_verdict_has_words(void **state)
{
	(void)state;
	for (int i = 0; i < VK_DAMAGE_COUNT; i++) {
		assert_true(strlen(vk_damage_name((enum vk_damage)i)) > 3);
		assert_true(strlen(vk_damage_meaning((enum vk_damage)i)) > 8);
		for (int k = 0; k < i; k++)
			assert_true(vk_damage_sign((enum vk_damage)i) != vk_damage_sign((enum vk_damage)k));
	}
}

/* What hosts and administrators write is no damage, whether there is a capture or not. */
static void hosts_may_write(void **state)
{
	struct clinic c = clinic_open(VK_TABLE_GPT, 512, "version=5,size=300M,label=before");
	uint8_t label[128] = "after";
	uint64_t generation;

	(void)state;
	assert_verdict(&c, true, c.lvm, VK_DAMAGE_INTACT);
	assert_verdict(&c, false, c.lvm, VK_DAMAGE_CONSISTENT);
	poke(&c, c.fs + 0x1d, label, sizeof(label));
	assert_verdict(&c, true, c.fs, VK_DAMAGE_CHANGED);
	assert_verdict(&c, false, c.fs, VK_DAMAGE_CONSISTENT);
	/* a heartbeat: more generations, another stamp */
	poke64(&c, c.heartbeats + 5 * 512 + 0x0c, 77);
	poke64(&c, c.heartbeats + 5 * 512 + 0x14, 123456789);
	assert_verdict(&c, true, c.heartbeats + 5 * 512, VK_DAMAGE_CHANGED);
	assert_verdict(&c, true, c.heartbeats + 6 * 512, VK_DAMAGE_INTACT);
	/* a later generation of the LVM metadata, with another disk id */
	generation = c.b.source.vmfs[0].lvm.generation;
	poke64(&c, c.lvm + 0x72, generation + 3);
	poke(&c, c.lvm + 0x0e, "\x09", 1);
	assert_verdict(&c, true, c.lvm, VK_DAMAGE_CHANGED);
	clinic_close(&c);
}

/* The same places, in ways that no host writes. */
static void others_may_not(void **state)
{
	struct clinic c = clinic_open(VK_TABLE_GPT, 512, "version=5,size=300M,label=before");
	static const uint8_t garbage[16] = {0xff, 0xfe, 0x01, 0x80};

	(void)state;
	poke(&c, c.fs + 0x1d, garbage, sizeof(garbage));
	assert_verdict(&c, true, c.fs, VK_DAMAGE_DAMAGED);
	clinic_close(&c);
	c = clinic_open(VK_TABLE_GPT, 512, "version=5,size=300M");
	poke(&c, c.lvm + 0x0e, "\x09", 1);
	assert_verdict(&c, true, c.lvm, VK_DAMAGE_DAMAGED);
	assert_verdict(&c, false, c.lvm, VK_DAMAGE_CONSISTENT);
	clinic_close(&c);
	c = clinic_open(VK_TABLE_GPT, 512, "version=5,size=300M");
	poke64(&c, c.heartbeats + 9 * 512 + 4, 0x300000);
	assert_verdict(&c, true, c.heartbeats + 9 * 512, VK_DAMAGE_DAMAGED);
	assert_verdict(&c, false, c.heartbeats + 9 * 512, VK_DAMAGE_DAMAGED);
	clinic_close(&c);
}

/* A PE table has no checksum, but each entry has but one place. */
static void extents_know_their_places(void **state)
{
	struct clinic c = clinic_open(VK_TABLE_MBR, 512, "version=3,size=300M,start=128");
	struct vk_diagnosis d;
	const struct vk_finding *f;

	(void)state;
	poke64(&c, c.pes + 0x09, 0x21100000);
	assert_verdict(&c, false, c.pes, VK_DAMAGE_DAMAGED);
	d = examine(&c, false);
	f = incident(&d, "incident.header-lost");
	assert_non_null(f);
	assert_int_equal(f->offset_bytes, c.pes);
	assert_int_equal(f->length_bytes, 512);
	vk_diagnosis_free(&d);
	clinic_close(&c);
}

/* A header that is damaged, or gone, is no witness against tables that are what they were. */
static void tables_are_not_blamed(void **state)
{
	static const struct {
		const char *words;
		uint32_t sector_size;
		size_t from, len;
		uint8_t byte;
	} harms[] = {
		{"version=3,size=300M", 512, 0x61, 1, 0x10},              /* totalBytes: too short for its extents */
		{"version=5,size=300M", 512, 0x7c, 2, 0x22},              /* dataOffset */
		{"version=5,size=300M", 512, 0x6b, 1, 0x01},              /* numPEs */
		{"version=6,size=300M", 512, 0xca, 4, 0x00},              /* mdAlignment: where the tables lie */
		{"version=6,size=300M", 4096, 0xca, 4, 0xff},
		{"version=6,size=300M", 512, 0x04, 1, 0x04},              /* majorVersion: the same */
		{"version=6,size=300M", 512, 0x00, 512, 0xff},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(harms) / sizeof(harms[0]); i++) {
		struct clinic c = clinic_open(VK_TABLE_GPT, harms[i].sector_size, harms[i].words);
		uint8_t bytes[512];
		struct vk_diagnosis d;

		memset(bytes, harms[i].byte, sizeof(bytes));
		poke(&c, c.lvm + harms[i].from, bytes, harms[i].len);
		d = examine(&c, false);
		for (size_t k = 0; k < d.range_count; k++)
			if ((d.ranges[k].damage == VK_DAMAGE_DAMAGED || d.ranges[k].damage == VK_DAMAGE_ZERO) &&
			    d.ranges[k].offset_bytes / 512 != c.lvm / 512)
				fail_msg("%s, byte %zu: %s is called %s", harms[i].words, harms[i].from, d.ranges[k].what,
					 vk_damage_name(d.ranges[k].damage));
		assert_int_equal(verdict(&d, c.lvm), VK_DAMAGE_DAMAGED);
		vk_diagnosis_free(&d);
		clinic_close(&c);
	}
}

/* One array damaged here, the other there: the checksum tells which piece of which is right. */
static void two_halves_of_a_table(void **state)
{
	struct clinic c = clinic_open(VK_TABLE_GPT, 512, "version=5,size=300M");
	uint64_t backup = (c.b.disk.size_bytes / 512 - 33) * 512;
	static const uint8_t noise[700] = {1, 2, 3};
	struct vk_diagnosis d;

	(void)state;
	poke(&c, 1024 + 10 * 512, noise, sizeof(noise));
	poke(&c, backup + 20 * 512, noise, sizeof(noise));
	poke(&c, backup, noise, 20);
	d = examine(&c, false);
	assert_non_null(incident(&d, "incident.table-damaged"));
	assert_int_equal(verdict(&d, 1024), VK_DAMAGE_INTACT);
	assert_int_equal(verdict(&d, 1024 + 10 * 512), VK_DAMAGE_DAMAGED);
	assert_int_equal(verdict(&d, 1024 + 12 * 512), VK_DAMAGE_INTACT);
	assert_int_equal(verdict(&d, backup), VK_DAMAGE_DAMAGED);
	assert_int_equal(verdict(&d, backup + 512), VK_DAMAGE_INTACT);
	assert_int_equal(verdict(&d, backup + 20 * 512), VK_DAMAGE_DAMAGED);
	assert_int_equal(d.first_damaged_bytes, 1024 + 10 * 512);
	assert_int_equal(d.last_damaged_bytes, backup + 21 * 512 - 1);
	vk_diagnosis_free(&d);
	clinic_close(&c);
}

static void large_sectors(void **state)
{
	struct clinic c = clinic_open(VK_TABLE_GPT, 4096, "version=6,size=300M");
	static const uint8_t zeros[4096];
	struct vk_diagnosis d = examine(&c, false);

	(void)state;
	assert_false(d.bad);
	assert_int_equal(verdict(&d, 4096), VK_DAMAGE_INTACT);
	vk_diagnosis_free(&d);
	poke(&c, 4096, zeros, sizeof(zeros));
	d = examine(&c, true);
	assert_non_null(incident(&d, "incident.table-damaged"));
	assert_int_equal(d.first_damaged_bytes, 4096);
	assert_int_equal(d.last_damaged_bytes, 4096 + 511);
	vk_diagnosis_free(&d);
	clinic_close(&c);
}

/* Every second slot wrong: the list of ranges stays bounded, and first and last are exact all the same. */
static void many_pieces(void **state)
{
	struct clinic c = clinic_open(VK_TABLE_GPT, 512, "version=5,size=300M");
	struct vk_diagnosis d;
	uint64_t end = 0;

	(void)state;
	for (uint64_t slot = 1; slot < 2048; slot += 2)
		poke64(&c, c.heartbeats + slot * 512 + 4, 1);
	for (uint64_t entry = 4; entry < 8192; entry += 8)
		poke64(&c, c.pes + entry * 128, ~0ULL);
	d = examine(&c, false);
	assert_true(d.range_count > 1000 && d.range_count <= 8192);
	for (size_t i = 0; i < d.range_count; i++) {
		assert_true(d.ranges[i].offset_bytes >= end);
		end = d.ranges[i].offset_bytes + d.ranges[i].length_bytes;
	}
	assert_int_equal(d.first_damaged_bytes, c.pes + 512);
	assert_int_equal(d.last_damaged_bytes, c.heartbeats + 2048 * 512 - 1);
	assert_true(d.lost_count < 64);
	vk_diagnosis_free(&d);
	clinic_close(&c);
}

/* A resignature gives volume and file system new UUIDs that agree; no damage. One that stopped half-way is. */
static void resignature(void **state)
{
	struct clinic c = clinic_open(VK_TABLE_GPT, 512, "version=5,size=300M,label=old");
	struct vk_vmfs_uuid uuid = c.b.source.vmfs[0].volumes[0].volume.uuid;
	struct vk_lvm_volume volume = c.b.source.vmfs[0].volumes[0].volume;
	struct vk_fs_descriptor fs = c.b.source.vmfs[0].fs;
	uint8_t raw[512];
	char text[VK_VMFS_UUID_TEXT_BYTES];
	struct vk_diagnosis d;

	(void)state;
	assert_int_equal(pread(c.b.disk.fd, raw, sizeof(raw), (off_t)c.volume), 512);
	uuid.b[6] ^= 0x34;
	volume.uuid = uuid;
	vk_vmfs_uuid_format(&uuid, text);
	memcpy(volume.name, text, sizeof(text));
	volume.generation++;
	vk_lvm_volume_encode(&volume, raw, sizeof(raw));
	poke(&c, c.volume, raw, sizeof(raw));
	d = examine(&c, false);
	assert_non_null(incident(&d, "incident.descriptor-lost"));
	vk_diagnosis_free(&d);
	assert_int_equal(pread(c.b.disk.fd, raw, sizeof(raw), (off_t)c.fs), 512);
	fs.volInfo = uuid;
	fs.uuid.b[6] ^= 0x34;
	vk_fs_descriptor_encode(&fs, raw, sizeof(raw));
	poke(&c, c.fs, raw, sizeof(raw));
	d = examine(&c, false);
	assert_false(d.bad);
	vk_diagnosis_free(&d);
	d = examine(&c, true);
	assert_int_equal(verdict(&d, c.fs), VK_DAMAGE_CHANGED);
	assert_int_equal(verdict(&d, c.volume), VK_DAMAGE_CHANGED);
	assert_false(d.damaged);
	vk_diagnosis_free(&d);
	clinic_close(&c);
}

/* Names of different kinds say nothing about each other. */
static void names_of_luns(void **state)
{
	static const struct {
		const char *live;
		bool replica;
	} cases[] = {
		{"naa.600144f07ed404000000496ff8cd0003", false}, {"naa.600144f07ed404000000496ff8cd0004", true},
		{"t10.ATA     disk", false}, {"eui.0025385971b0c0f1", false}, {"", false},
	};
	struct clinic c = clinic_open(VK_TABLE_GPT, 512, "version=5,size=300M,naa=naa.600144f07ed404000000496ff8cd0003");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct vk_doctor_options options = {.sector_size = 512, .live_id = cases[i].live};
		struct vk_diagnosis d;
		struct vk_error err;

		must(vk_diagnose(NULL, c.path, &options, &d, &err), &err);
		assert_int_equal(incident(&d, "lunid.designator-changed") != NULL, cases[i].replica);
		vk_diagnosis_free(&d);
	}
	clinic_close(&c);
}

static void what_cannot_be_looked_at(void **state)
{
	const struct vk_doctor_options options = {.live_id = ""};
	struct vk_diagnosis d;
	struct vk_error err;

	(void)state;
	assert_int_equal(vk_diagnose(NULL, "/nonexistent", &options, &d, &err), VK_IO);
	assert_int_equal(vk_diagnose(NULL, "/tmp", &options, &d, &err), VK_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verdict_has_words), cmocka_unit_test(hosts_may_write),
		cmocka_unit_test(others_may_not),          cmocka_unit_test(extents_know_their_places),
		cmocka_unit_test(tables_are_not_blamed),   cmocka_unit_test(two_halves_of_a_table),   cmocka_unit_test(large_sectors),
		cmocka_unit_test(many_pieces),             cmocka_unit_test(resignature),
		cmocka_unit_test(names_of_luns),           cmocka_unit_test(what_cannot_be_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
