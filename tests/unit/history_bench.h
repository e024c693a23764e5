/* SPDX-License-Identifier: Apache-2.0 */
/* Practice volumes that live, in memory: their histories, their maps, and what the record says of both. */
#ifndef VK_TESTS_HISTORY_BENCH_H
#define VK_TESTS_HISTORY_BENCH_H

#include "base/bytes.h"
#include "fs_open.h"
#include "lab/history/life.h"
#include "vmfskit/file_map.h"

/* A volume with its record, which is a file that only this process knows. */
struct lived {
	struct vk_lab_disk disk;
	struct vk_life life;
	char record[64];
	struct vk_error err;
};

static inline void lived_begin(struct lived *l, unsigned version, uint64_t seed, uint64_t bytes)
{
	struct vk_lab_extent extent = {bytes, 1};
	struct vk_lab_device device = {0};
	struct vk_lab_volume volume;

	*l = (struct lived){.disk = memory_disk(bytes)};
	strcpy(l->record, "/tmp/vmfskit-history.XXXXXX");
	close(mkstemp(l->record));
	unlink(l->record);
	vk_lab_volume_init(&volume);
	volume.version = version;
	assert_int_equal(vk_lab_devices_make(&volume, seed, 0, &extent, 1, 512, &device, &l->err), VK_OK);
	assert_int_equal(vk_lab_write_device(&l->disk, 0, &device), VK_OK);
	l->disk.err = &l->err;
	if (vk_life_open(&l->disk, 0, l->record, seed, &l->life, &l->err) != VK_OK)
		fail_msg("VMFS%u: %s", version, l->err.what);
}

static inline void lived_steps(struct lived *l, uint64_t steps)
{
	for (uint64_t i = 0; i < steps; i++)
		if (vk_life_step(&l->life) != VK_OK || l->disk.failed != VK_OK)
			fail_msg("seed %llu, moment %llu: %s", (unsigned long long)l->life.seed,
				 (unsigned long long)l->life.record.moment, l->err.what);
}

static inline void lived_end(struct lived *l)
{
	assert_int_equal(vk_life_close(&l->life), VK_OK);
	unlink(l->record);
	close(l->disk.fd);
}

/* The volume as it is now, for a reader. */
static inline void lived_open(const struct lived *l, const struct vk_finding_sink *sink, struct opened_fs *ret)
{
	struct vk_error err = {0};

	if (fs_try(memory_io(dup(l->disk.fd)), false, sink, ret, &err) != VK_OK)
		fail_msg("%s", err.what);
}

/* A text that grows. */
struct text_map {
	char *text;
	size_t len;
};

static inline bool put_text(void *ctx, const void *bytes, size_t len)
{
	struct text_map *map = ctx;

	map->text = realloc(map->text, map->len + len + 1);
	assert_non_null(map->text);
	memcpy(map->text + map->len, bytes, len);
	map->len += len;
	map->text[map->len] = '\0';
	return true;
}

static inline bool restart_text(void *ctx)
{
	((struct text_map *)ctx)->len = 0;
	return true;
}

static inline void lived_map(const struct lived *l, struct text_map *map)
{
	const struct vk_file_map_out out = {put_text, restart_text, map};
	struct vk_file_map_made made;
	struct opened_fs o = {.io = memory_io(dup(l->disk.fd))};
	const struct vk_fs_extent extent = {.io = o.io, .vmfs = &o.vmfs};
	struct vk_error err = {0};

	*map = (struct text_map){NULL, 0};
	assert_int_equal(vk_vmfs_read(o.io, NULL, &o.vmfs, &err), VK_OK);
	if (vk_file_map_make(&extent, 1, VK_FILE_MAP_USUAL_BYTES, &out, &made, &err) != VK_OK)
		fail_msg("%s", err.what);
	vk_vmfs_free(&o.vmfs);
	vk_io_close(o.io);
}

/* The lines of a map for the runs of a file, as the record has it now; data says where descriptors have contents. */
static inline void lived_runs(const struct vk_life_file *file, uint64_t resident_place, struct text_map *to)
{
	struct {
		char kind;
		uint64_t length, place;
	} run = {0};
	char line[64];

	*to = (struct text_map){NULL, 0};
	put_text(to, "", 0);
	if (file->zla == VK_ZLA_RESIDENT && file->size_bytes > 0)
		put_text(to, line, (size_t)sprintf(line, "r %llu %llu\n", (unsigned long long)file->size_bytes,
						   (unsigned long long)resident_place));
	for (uint64_t at = file->zla == VK_ZLA_RESIDENT ? file->size_bytes : 0;; at += file->unit_bytes) {
		uint64_t left = at < file->size_bytes ? file->size_bytes - at : 0;
		uint64_t length = left < file->unit_bytes ? left : file->unit_bytes, i = at / file->unit_bytes;
		const struct vk_life_unit *u = i < file->unit_count && file->units[i].there ? &file->units[i] : NULL;
		char kind = left == 0 ? 0 : u == NULL ? 'h' : u->tbz ? 'z' : 'd';

		if (kind != 0 && kind == run.kind && (u == NULL || run.place + run.length == u->place)) {
			run.length += length;
			continue;
		}
		if (run.kind == 'h')
			put_text(to, line, (size_t)sprintf(line, "h %llu\n", (unsigned long long)run.length));
		else if (run.kind != 0)
			put_text(to, line, (size_t)sprintf(line, "%c %llu %llu\n", run.kind,
							   (unsigned long long)run.length,
							   (unsigned long long)run.place));
		if (kind == 0)
			break;
		run.kind = kind;
		run.length = length;
		run.place = u == NULL ? 0 : u->place;
	}
}

/* Volume offset of what lies in the descriptor of a file. */
static inline uint64_t lived_resident_place(const struct vk_lab_fill *f, const struct vk_life_file *file)
{
	return vk_lab_pool_offset(f, VK_LAB_POOL_FD, file->fd) + f->fd.metadata_offset + 512;
}

#endif
