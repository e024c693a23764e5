/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptor of each real volume is gone: field by field it comes back, or is said not to be known. */
#include "fs_bench.h"
#include "real_volumes.h"

struct expected {
	const char *field;
	enum vk_field_origin origin;
};
/* What must come back exactly, and is said to; all else may come back as a guess. */
static const struct expected exact3[] = {
	{"fileBlockSize", VK_FIELD_COPY}, {"fdcClusterGroupOffset", VK_FIELD_COPY}, {"fdcClustersPerGroup", VK_FIELD_COPY},
	{"subBlockSize", VK_FIELD_COPY}, {"diskBlockSize", VK_FIELD_COPY}, {"volInfo", VK_FIELD_COPY},
	{"majorVersion", VK_FIELD_COPY},
};
static const struct expected exact5[] = {
	{"fileBlockSize", VK_FIELD_COPY}, {"fdcClusterGroupOffset", VK_FIELD_COPY}, {"fdcClustersPerGroup", VK_FIELD_COPY},
	{"subBlockSize", VK_FIELD_COPY}, {"diskBlockSize", VK_FIELD_COPY}, {"volInfo", VK_FIELD_COPY},
	{"majorVersion", VK_FIELD_COPY}, {"creationTime", VK_FIELD_COPY}, {"pb2VolAddr", VK_FIELD_COPY},
	{"pb2FDAddr", VK_FIELD_COPY}, {"sddVolAddr", VK_FIELD_COPY}, {"sddFDAddr", VK_FIELD_COPY},
};
static const struct expected exact6[] = {
	{"fileBlockSize", VK_FIELD_COPY}, {"fdcClusterGroupOffset", VK_FIELD_COPY}, {"fdcClustersPerGroup", VK_FIELD_COPY},
	{"subBlockSize", VK_FIELD_COPY}, {"diskBlockSize", VK_FIELD_COPY}, {"volInfo", VK_FIELD_COPY},
	{"majorVersion", VK_FIELD_COPY}, {"creationTime", VK_FIELD_COPY}, {"pb2VolAddr", VK_FIELD_COPY},
	{"pb2FDAddr", VK_FIELD_COPY}, {"sddVolAddr", VK_FIELD_COPY}, {"sddFDAddr", VK_FIELD_COPY},
	{"mdAlignment", VK_FIELD_COPY}, {"sfbToLfbShift", VK_FIELD_COPY}, {"ptrBlockShift", VK_FIELD_COPY},
	{"journalBlockSize", VK_FIELD_COPY},
};
/* Seen on one volume of each version only: never more than usual. */
static const char *const usual[] = {
	"config", "maxJournalSlotsPerTxn", "gblGeneration", "hostUuid", "unmapPriority", "physDiskBlockSize", "sfbAddrBits",
	"tbzGranularity", "leaseIntervalMs", "reclaimWindowMs", "minorVersion", "snapID", "volInfoSnapID",
};
static const struct {
	const struct expected *fields;
	size_t count;
} exact[REAL_VOLUMES] = {
	{exact3, sizeof(exact3) / sizeof(exact3[0])},
	{exact5, sizeof(exact5) / sizeof(exact5[0])},
	{exact6, sizeof(exact6) / sizeof(exact6[0])},
};

static void open_bench(struct header_bench *b, size_t i)
{
	struct vk_io *io = real_volume_open(&real_volumes[i]);

	if (io == NULL)
		skip();
	header_bench_open(b, io);
	b->length_bytes = real_volumes[i].partition_bytes;
}

static void equal_or_a_guess(struct header_bench *b, size_t volume)
{
	uint8_t was[512], is[512];

	header_bench_get(b->sound, FS, was, sizeof(was));
	header_bench_get(vk_overlay_io(b->plan), FS, is, sizeof(is));
	for (size_t i = 0; i < vk_fs_descriptor_layout.count; i++) {
		const struct vk_field *f = &vk_fs_descriptor_layout.fields[i];
		const struct vk_rebuilt_field *told = header_bench_field(b, &vk_fs_descriptor_layout, f->name);

		if (memcmp(was + f->offset, is + f->offset, f->size) != 0 && (told == NULL || vk_field_origin_exact(told->origin)))
			fail_msg("%s: %s is not what it was, and that is not said", real_volumes[volume].name, f->name);
		/* the label and the UUID that was drawn are all that does not come back */
		if (memcmp(was + f->offset, is + f->offset, f->size) != 0 && strcmp(f->name, "uuid") != 0 &&
		    strcmp(f->name, "fsLabel") != 0)
			fail_msg("%s: %s does not come back", real_volumes[volume].name, f->name);
	}
	assert_memory_equal(was + VK_FS_DESCRIPTOR_BYTES, is + VK_FS_DESCRIPTOR_BYTES, 512 - VK_FS_DESCRIPTOR_BYTES);
}

static void gone(void **state)
{
	size_t volume = (size_t)(uintptr_t)*state;
	struct header_bench b;

	open_bench(&b, volume);
	header_bench_zero(&b, FS, 512);
	header_bench_must_plan(&b, NULL);
	assert_int_equal(verdict(&b)->state, VK_STRUCTURE_REBUILT);
	assert_true(b.header.guessed);
	equal_or_a_guess(&b, volume);
	for (size_t i = 0; i < exact[volume].count; i++) {
		const struct vk_rebuilt_field *told = header_bench_field(&b, &vk_fs_descriptor_layout, exact[volume].fields[i].field);

		if (told == NULL || told->origin != exact[volume].fields[i].origin)
			fail_msg("%s: %s is %s", real_volumes[volume].name, exact[volume].fields[i].field,
				 told == NULL ? "not told" : vk_field_origin_name(told->origin));
	}
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		const struct vk_rebuilt_field *told = header_bench_field(&b, &vk_fs_descriptor_layout, usual[i]);

		assert_true(told == NULL || told->origin == VK_FIELD_USUAL);
	}
	assert_int_equal(header_bench_field(&b, &vk_fs_descriptor_layout, "uuid")->origin, VK_FIELD_FRESH);
	header_bench_close(&b);
}

/* Something else stands there: what becomes zero is named, behind the last field too. */
static void overwritten(void **state)
{
	size_t volume = (size_t)(uintptr_t)*state;
	struct header_bench b;
	uint8_t noise[512];
	bool behind = false;

	open_bench(&b, volume);
	memset(noise, 0x9D, sizeof(noise));
	header_bench_hurt(&b, FS, noise, sizeof(noise));
	header_bench_must_plan(&b, NULL);
	equal_or_a_guess(&b, volume);
	for (size_t i = 0; i < vk_fs_descriptor_layout.count; i++)
		if (header_bench_field(&b, &vk_fs_descriptor_layout, vk_fs_descriptor_layout.fields[i].name) == NULL)
			fail_msg("%s: %s changes and is not named", real_volumes[volume].name, vk_fs_descriptor_layout.fields[i].name);
	for (size_t i = 0; i < b.header.field_count; i++) {
		const struct vk_rebuilt_field *f = &b.header.fields[i];

		behind |= f->field == NULL && f->at_bytes == FS + VK_FS_DESCRIPTOR_BYTES && !vk_field_origin_exact(f->origin) &&
			  f->len_bytes == 512 - VK_FS_DESCRIPTOR_BYTES;
	}
	assert_true(behind);
	header_bench_close(&b);
}

/* One field is gone, and the others stand: what comes back is what was there. */
static void one_is_zero(void **state)
{
	size_t volume = (size_t)(uintptr_t)*state;
	struct header_bench b;

	open_bench(&b, volume);
	for (size_t i = 0; i < exact[volume].count; i++) {
		const struct vk_field *f = vk_layout_field(&vk_fs_descriptor_layout, exact[volume].fields[i].field);

		header_bench_zero(&b, FS + f->offset, f->size);
		header_bench_must_plan(&b, NULL);
		if (!fs_same(&b) || b.header.guessed || b.header.field_count != 1)
			fail_msg("%s: %s alone is not mended exactly", real_volumes[volume].name, f->name);
		header_bench_reset(&b);
	}
	header_bench_close(&b);
}

/* The area of the system files is damaged with it: no field may be called exact and differ. */
static void with_a_witness_gone(void **state)
{
	static const uint64_t hurt[REAL_VOLUMES][6] = {
		{0x400000, 0x410000, 0x418800, 0x419000, 0x41A000, 0x800000},
		{0x400000, 0x410000, 0x420800, 0x421000, 0x422000, 0x423000},
		{0x700000, 0x710000, 0x722000, 0x724000, 0x728000, 0x72C000},
	};
	size_t volume = (size_t)(uintptr_t)*state;
	struct header_bench b;

	open_bench(&b, volume);
	for (size_t i = 0; i < 6; i++) {
		for (unsigned way = 0; way < 3; way++) {
			uint8_t sector[512];

			header_bench_get(b.sound, DATA + hurt[volume][i], sector, sizeof(sector));
			if (way == 0)
				memset(sector, 0, sizeof(sector));
			else
				for (size_t k = way; k < sizeof(sector); k += 7)
					sector[k] ^= (uint8_t)(sector[k] != 0 ? 1U << way : 0);
			header_bench_hurt(&b, DATA + hurt[volume][i], sector, sizeof(sector));
			header_bench_zero(&b, FS, 512);
			assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
			for (size_t k = 0; k < b.header.field_count; k++) {
				const struct vk_rebuilt_field *f = &b.header.fields[k];

				if (vk_field_origin_exact(f->origin) && !header_bench_same(&b, f->at_bytes, f->len_bytes))
					fail_msg("%s, sector 0x%llx, way %u: %s claims to be exact, from %s", real_volumes[volume].name,
						 (unsigned long long)hurt[volume][i], way, f->field->name, f->from);
			}
			header_bench_reset(&b);
		}
	}
	header_bench_close(&b);
}

/* One structure says it, agrees with itself, and is wrong: what is taken from it is no more than a guess. */
static void a_lone_witness(void **state)
{
	enum { SBC = DATA + 0x800000 };
	const struct vk_rebuilt_field *told;
	struct vk_resource_file r;
	struct header_bench b;
	uint8_t sector[512];

	(void)state;
	open_bench(&b, 0);
	header_bench_get(b.sound, SBC, sector, sizeof(sector));
	vk_resource_file_decode(sector, sizeof(sector), &r);
	assert_int_equal(r.resourceSize, 65536);
	r.resourceSize = 32768;
	r.clusterGroupSize = r.clustersPerGroup * (1024 + r.resourcesPerCluster * r.resourceSize);
	vk_resource_file_encode(&r, sector, sizeof(sector));
	header_bench_hurt(&b, SBC, sector, sizeof(sector));
	/* a sound descriptor stays, a lost one is guessed */
	assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
	assert_true(b.header.nothing_to_do);
	assert_true(header_bench_says(b.header.notes, b.header.note_count, "which is right is not known"));
	header_bench_zero(&b, FS, 512);
	assert_int_equal(header_bench_plan(&b, NULL), VK_OK);
	told = header_bench_field(&b, &vk_fs_descriptor_layout, "subBlockSize");
	assert_non_null(told);
	assert_int_equal(told->origin, VK_FIELD_USUAL);
	header_bench_close(&b);
}

int main(void)
{
	static const struct {
		const char *name;
		CMUnitTestFunction test;
	} kinds[] = {{"gone", gone}, {"overwritten", overwritten}, {"one_is_zero", one_is_zero}, {"with_a_witness_gone", with_a_witness_gone}};
	enum { COUNT = REAL_VOLUMES * (sizeof(kinds) / sizeof(kinds[0])) };
	struct CMUnitTest tests[COUNT + 1] = {[COUNT] = cmocka_unit_test(a_lone_witness)};
	char names[COUNT][64];

	for (size_t i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof(names[i]), "%s: %s", kinds[i / REAL_VOLUMES].name, real_volumes[i % REAL_VOLUMES].name);
		tests[i] = (struct CMUnitTest){.name = names[i], .test_func = kinds[i / REAL_VOLUMES].test,
					       .initial_state = (void *)(uintptr_t)(i % REAL_VOLUMES)};
	}
	return _cmocka_run_group_tests("rebuild_fs_real", tests, COUNT + 1, NULL, NULL);
}
