/* SPDX-License-Identifier: Apache-2.0 */
/* Disks whose tables are damaged at random: the real ones as whole disks, and lab disks of every kind. */
#ifndef VK_TESTS_DAMAGE_TABLE_H
#define VK_TESTS_DAMAGE_TABLE_H

#include "damage_draw.h"
#include "real_volumes.h"
#include "table_bench.h"

enum { TABLE_SUBJECT_VOLUMES = 4, ARRAY_BYTES = 128 * VK_GPT_ENTRY_BYTES };
struct table_subject {
	const char *name;
	const char *real;      /* name of a real volume; NULL: a lab disk */
	enum vk_table_kind kind;
	uint32_t sector_size;
	uint64_t bytes;        /* of the disk; 0: of the real disk */
	const char *layout;
	const char *volumes[TABLE_SUBJECT_VOLUMES];
	const char *foreign;
};
static const struct table_subject table_subjects[] = {
	{"real5", "real5", VK_TABLE_GPT, 512, 536870912, NULL, {NULL}, NULL},
	{"real6", "real6", VK_TABLE_GPT, 512, 1073741824, NULL, {NULL}, NULL},
	{"real3", "real3", VK_TABLE_MBR, 512, 1258435584 + 128 * 512 + 2000 * 512, NULL, {NULL}, NULL},
	{"gpt6", NULL, VK_TABLE_GPT, 512, 4 * GIB, "plain", {"version=6"}, NULL},
	{"gpt-several", NULL, VK_TABLE_GPT, 512, 8 * GIB, "plain",
	 {"start=2048,size=1G,version=5", "start=4194304,size=2G,version=6,label=second",
	  "start=10485760,size=1000M,version=5"},
	 "14000000+5000:linux"},
	{"gpt-4096", NULL, VK_TABLE_GPT, 4096, 4 * GIB, "plain", {"version=6,size=2G", "version=5,size=1G"}, NULL},
	{"mbr3", NULL, VK_TABLE_MBR, 512, 4 * GIB, "plain", {"version=3"}, NULL},
	{"mbr5-several", NULL, VK_TABLE_MBR, 512, 8 * GIB, "plain",
	 {"start=128,size=1G,version=5", "start=4194304,size=2G,version=3", "start=10485760,size=1000M,version=5"},
	 "14000000+5000:83"},
	{"mbr-logical", NULL, VK_TABLE_MBR, 512, 8 * GIB, "plain",
	 {"start=128,size=1G,version=3", "start=4194304,size=2G,version=3,logical",
	  "start=10485760,size=1000M,version=3,logical"},
	 NULL},
	{"esxi5-boot", NULL, VK_TABLE_GPT, 512, 12 * GIB, "esxi5", {"label=datastore1"}, NULL},
	{"esxi7-boot", NULL, VK_TABLE_GPT, 512, 16 * GIB, "esxi7-small", {"label=datastore1"}, NULL},
};
enum { TABLE_SUBJECTS = sizeof(table_subjects) / sizeof(table_subjects[0]) };

static inline void write_at(int fd, uint64_t at, const void *bytes, size_t len)
{
	assert_int_equal(pwrite(fd, bytes, len, (off_t)at), (ssize_t)len);
}

/*
 * The first MiB of a disk of which the rest is there: sector 0 and the primary GPT, made from the copy. The entry
 * that protects it begins at head 0, sector 1 with ESXi, at sector 2 with gdisk.
 */
static inline void write_primary(int fd, uint64_t disk_bytes, bool gdisk)
{
	uint64_t sectors = disk_bytes / 512;
	uint8_t header[512], mbr[VK_MBR_BYTES], array[ARRAY_BYTES];
	struct vk_mbr protective = {.signature = VK_MBR_SIGNATURE};
	struct vk_gpt_header h;

	assert_int_equal(pread(fd, header, sizeof(header), (off_t)(disk_bytes - 512)), 512);
	assert_int_equal(pread(fd, array, sizeof(array), (off_t)(disk_bytes - 33 * 512)), ARRAY_BYTES);
	vk_gpt_header_decode(header, sizeof(header), &h);
	h.myLBA = 1;
	h.alternateLBA = sectors - 1;
	h.entriesLBA = 2;
	vk_gpt_header_encode(&h, header, sizeof(header));
	assert_true(vk_gpt_seal(header, 512, array));
	protective.entries[0] = (struct vk_mbr_entry){.firstCHS = {0, gdisk ? 2 : 1, 0}, .type = VK_MBR_TYPE_PROTECTIVE,
						      .lastCHS = {0xFE, 0xFF, 0xFF}, .firstLBA = 1,
						      .sectors = (uint32_t)(sectors - 1)};
	memset(mbr, 0, sizeof(mbr));
	vk_mbr_encode(&protective, mbr, sizeof(mbr));
	write_at(fd, 0, mbr, sizeof(mbr));
	write_at(fd, 512, header, sizeof(header));
	write_at(fd, 1024, array, sizeof(array));
}

/* A VMFS3 partition at sector 128 of a disk that is a little longer. */
static inline void write_mbr_around(int fd, uint64_t partition_bytes)
{
	struct vk_mbr table = {.signature = VK_MBR_SIGNATURE};
	struct vk_mbr_entry *e = &table.entries[0];
	uint8_t mbr[VK_MBR_BYTES] = {0};

	*e = (struct vk_mbr_entry){.type = VK_MBR_TYPE_VMFS, .firstLBA = 128, .sectors = (uint32_t)(partition_bytes / 512)};
	vk_mbr_chs(128, e->firstCHS);
	vk_mbr_chs(128 + e->sectors - 1, e->lastCHS);
	vk_mbr_encode(&table, mbr, sizeof(mbr));
	write_at(fd, 0, mbr, sizeof(mbr));
}

static inline struct vk_io *table_subject_real(const struct table_subject *s)
{
	const struct real_volume *v = real_volumes;
	int fd;

	while (strcmp(v->name, s->real) != 0)
		v++;
	fd = real_volume_unpack(v, v->disk_start != 0 ? v->disk_start : 128 * 512, s->bytes);
	if (fd < 0)
		return NULL;
	if (s->kind == VK_TABLE_GPT)
		write_primary(fd, s->bytes, strcmp(s->name, "real6") == 0);
	else
		write_mbr_around(fd, v->partition_bytes);
	return memory_io(fd);
}

/* The disk; NULL: the real one is not there. */
static inline struct vk_io *table_subject_open(const struct table_subject *s)
{
	struct vk_lab_spec *spec;
	struct table_bench b;
	struct vk_io *io;

	if (s->real != NULL)
		return table_subject_real(s);
	spec = bench_spec(s->kind, s->sector_size, s->bytes);
	for (size_t i = 0; i < TABLE_SUBJECT_VOLUMES && s->volumes[i] != NULL; i++)
		bench_volume(spec, s->volumes[i]);
	if (s->foreign != NULL)
		bench_foreign(spec, s->foreign);
	b = bench_make(spec, s->layout);
	io = memory_io(dup(b.disk.fd));
	vk_io_set_sector_size(io, s->sector_size);
	bench_free(&b);
	return io;
}

/* A decoded view of a disk that somebody else owns. */
static inline void table_source(struct vk_io *disk, uint32_t sector_size, struct vk_source *ret_source)
{
	const struct vk_source_options options = {.as = VK_SOURCE_DISK, .sector_size = sector_size};
	struct vk_io *view = vk_io_window(disk, 0, vk_io_size_bytes(disk));
	struct vk_error err = {0};

	assert_non_null(view);
	vk_io_set_sector_size(view, sector_size);
	must(vk_source_open_io(view, "disk", VK_FORM_RAW, &options, ret_source, &err), &err);
}

static inline void damage_map_gpt(struct damage_map *map, struct vk_io *disk, const struct vk_source *source)
{
	uint32_t ss = source->sector_size;
	uint64_t last = vk_io_size_bytes(disk) - ss, backup = last - ARRAY_BYTES;
	size_t used = 0;

	for (size_t i = 0; i < source->table.partition_count; i++)
		if (source->table.partitions[i].number > used)
			used = source->table.partitions[i].number;
	for (int i = 0; i < 2; i++) {
		damage_add_region(map, disk, "primary GPT header", ss, VK_GPT_HEADER_BYTES);
		damage_add_region(map, disk, "primary GPT entries", 2ULL * ss, used * VK_GPT_ENTRY_BYTES);
		damage_add_region(map, disk, "backup GPT entries", backup, used * VK_GPT_ENTRY_BYTES);
		damage_add_region(map, disk, "backup GPT header", last, VK_GPT_HEADER_BYTES);
	}
	damage_add_region(map, disk, "primary GPT sector", ss, DAMAGE_SECTOR);
	damage_add_region(map, disk, "primary GPT array", 2ULL * ss, 4 * DAMAGE_SECTOR);
	damage_add_region(map, disk, "backup GPT array", backup, 4 * DAMAGE_SECTOR);
	damage_add_copy(map, "whole table", 0, DAMAGE_SECTOR);
	damage_add_copy(map, "whole table", ss, DAMAGE_SECTOR);
	damage_add_copy(map, "whole table", 2ULL * ss, DAMAGE_SECTOR);
	damage_add_copy(map, "whole table", backup, DAMAGE_SECTOR);
	damage_add_copy(map, "whole table", last, DAMAGE_SECTOR);
	for (size_t i = 0; i < vk_gpt_header_layout.count; i++) {
		const struct vk_field *f = &vk_gpt_header_layout.fields[i];

		damage_add_copy(map, f->name, ss + f->offset, f->size);
		damage_add_copy(map, f->name, last + f->offset, f->size);
	}
	for (size_t i = 0; i < used && i < 4; i++) {
		static const char *const names[] = {"entry 1", "entry 2", "entry 3", "entry 4"};

		damage_add_copy(map, names[i], 2ULL * ss + i * VK_GPT_ENTRY_BYTES, VK_GPT_ENTRY_BYTES);
		damage_add_copy(map, names[i], backup + i * VK_GPT_ENTRY_BYTES, VK_GPT_ENTRY_BYTES);
	}
}

static inline void damage_map_mbr(struct damage_map *map, struct vk_io *disk, const struct vk_source *source)
{
	size_t entries = VK_MBR_BYTES - VK_MBR_ENTRY_OFFSET;

	for (int i = 0; i < 3; i++)
		damage_add_region(map, disk, "MBR entries", VK_MBR_ENTRY_OFFSET, entries);
	for (size_t i = 0; i < source->table.ebr_count && i < 3; i++) {
		damage_add_region(map, disk, "EBR entries", source->table.ebr_lbas[i] * 512 + VK_MBR_ENTRY_OFFSET, entries);
		damage_add_region(map, disk, "EBR", source->table.ebr_lbas[i] * 512, VK_MBR_BYTES);
		damage_add_copy(map, "chain", source->table.ebr_lbas[i] * 512, VK_MBR_BYTES);
	}
	if (source->table.ebr_count > 0)
		damage_add_copy(map, "chain", 0, VK_MBR_BYTES);
}

/* What is hurt on a sound disk: its table, and the headers of its volumes, whose lengths tell of their entries. */
static inline void damage_map_table(struct damage_map *map, struct vk_io *disk, const struct vk_source *source)
{
	bool gpt = source->table.kind == VK_TABLE_GPT;

	memset(map, 0, sizeof(*map));
	damage_add_region(map, disk, "sector 0", 0, VK_MBR_BYTES);
	damage_add_region(map, disk, "MBR entries", VK_MBR_ENTRY_OFFSET, VK_MBR_BYTES - VK_MBR_ENTRY_OFFSET);
	if (gpt)
		damage_map_gpt(map, disk, source);
	else
		damage_map_mbr(map, disk, source);
	for (size_t i = 0; i < source->vmfs_count && i < 3; i++) {
		static const char *const names[] = {"length of volume 1", "length of volume 2", "length of volume 3"};
		uint64_t start = source->vmfs[i].start_sector * source->sector_size;
		uint64_t total = start + VK_LVM_HEADER_OFFSET + vk_layout_field(&vk_lvm_device_layout, "totalBytes")->offset;
		const struct vk_partition *p = NULL;

		for (size_t k = 0; k < source->table.partition_count; k++)
			if (source->table.partitions[k].start_sector == source->vmfs[i].start_sector)
				p = &source->table.partitions[k];
		assert_non_null(p);
		damage_add_region(map, disk, "LVM header", start + VK_LVM_HEADER_OFFSET, DAMAGE_SECTOR);
		damage_add_region(map, disk, "totalBytes", total, 8);
		damage_add_region(map, disk, "volume descriptor", start + source->vmfs[i].volumes[0].offset_bytes, DAMAGE_SECTOR);
		damage_add_copy(map, names[i], total, 8);
		damage_add_copy(map, names[i], p->entry_offset_bytes + (p->gpt ? 0x28 : 12), p->gpt ? 8 : 4);
		if (p->gpt)
			damage_add_copy(map, names[i], p->entry_offset_bytes + vk_io_size_bytes(disk) - source->sector_size -
				ARRAY_BYTES - 2ULL * source->sector_size + 0x28, 8);
	}
}

#endif
