/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are gone, for tests: a volume of the lab that lives, and maps of it. */
#ifndef VK_TEST_UNDELETE_SCENE_H
#define VK_TEST_UNDELETE_SCENE_H

#include <fcntl.h>
#include <unistd.h>

#include "lab/history/life.h"
#include "real_volumes.h"
#include "vmfskit/undelete.h"

static const char *const versions[] = {"version=3", "version=5", "version=6"};
enum { VERSIONS = sizeof(versions) / sizeof(versions[0]) };

enum { MAPS = 8, MIB = 1 << 20 };

/* A volume that lives. */
struct scene {
	struct vk_lab_disk disk;
	struct vk_lab_device device;
	char record[64];
	struct vk_io *io;
	struct vk_vmfs vmfs;
	struct vk_fs *fs;
	struct vk_undelete_known known[MAPS]; /* newest first */
	size_t count;
	struct vk_undelete gone;
	struct vk_error err;
};

static inline void scene_open(struct scene *s, const char *spec)
{
	struct vk_lab_extent extent = {2 * GIB, 1};
	struct vk_lab_volume volume;
	int fd;

	*s = (struct scene){.disk = memory_disk(2 * GIB)};
	strcpy(s->record, "/tmp/vmfskit-undelete.XXXXXX");
	fd = mkstemp(s->record);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(unlink(s->record), 0);
	vk_lab_volume_init(&volume);
	if (vk_lab_volume_parse(&volume, spec, &s->err) != VK_OK ||
	    vk_lab_devices_make(&volume, 7, 0, &extent, 1, 512, &s->device, &s->err) != VK_OK)
		fail_msg("%s: %s", spec, s->err.what);
	assert_int_equal(vk_lab_write_device(&s->disk, 0, &s->device), VK_OK);
	s->io = memory_io(dup(s->disk.fd));
	s->vmfs.partition_bytes = vk_io_size_bytes(s->io);
	assert_int_equal(vk_vmfs_read(s->io, NULL, &s->vmfs, &s->err), VK_OK);
}

static inline void scene_close(struct scene *s)
{
	vk_undelete_free(&s->gone);
	vk_fs_close(s->fs);
	vk_vmfs_free(&s->vmfs);
	vk_io_close(s->io);
	for (size_t i = 0; i < s->count; i++)
		vk_io_close(s->known[i].map);
	close(s->disk.fd);
	unlink(s->record);
}

/* Steps, one a line. */
static inline void live(struct scene *s, const char *steps)
{
	char *copy = strdup(steps), *rest = copy, *line;
	struct vk_life life;

	if (vk_life_open(&s->disk, 0, s->record, 5, &life, &s->err) != VK_OK)
		fail_msg("%s", s->err.what);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (vk_life_script_line(&life, line) != VK_OK)
			fail_msg("%s: %s", steps, s->err.what);
	assert_int_equal(vk_life_close(&life), VK_OK);
	free(copy);
}

struct text_map {
	char *text;
	size_t len;
};

static inline bool put_text(void *ctx, const void *bytes, size_t len)
{
	struct text_map *map = ctx;

	map->text = realloc(map->text, map->len + len);
	assert_non_null(map->text);
	memcpy(map->text + map->len, bytes, len);
	map->len += len;
	return true;
}

static inline bool restart(void *ctx)
{
	((struct text_map *)ctx)->len = 0;
	return true;
}

static inline void know(struct scene *s, const char *text, size_t len)
{
	assert_true(s->count < MAPS);
	memmove(s->known + 1, s->known, s->count * sizeof(*s->known));
	s->known[0] = (struct vk_undelete_known){.map = vk_io_memory("map", text, len, true), .id = "night"};
	s->count++;
}

/* A night whose map has at most limit bytes. */
static inline void capture_at_most(struct scene *s, uint64_t limit)
{
	const struct vk_fs_extent extent = {.io = s->io, .vmfs = &s->vmfs};
	struct text_map map = {.len = 0};
	const struct vk_file_map_out out = {put_text, restart, &map};
	struct vk_file_map_made made;

	if (vk_file_map_make(&extent, 1, limit, &out, &made, &s->err) != VK_OK)
		fail_msg("%s", s->err.what);
	assert_int_equal(made.bytes, map.len);
	know(s, map.text, map.len);
	free(map.text);
}

static inline void capture(struct scene *s)
{
	capture_at_most(s, VK_FILE_MAP_USUAL_BYTES);
}

static inline enum vk_status find(struct scene *s, const struct vk_undelete_wish *wish)
{
	const struct vk_fs_extent extent = {.io = s->io, .vmfs = &s->vmfs};

	vk_undelete_free(&s->gone);
	vk_fs_close(s->fs);
	assert_int_equal(vk_fs_open(&extent, 1, &sound, &s->fs, &s->err), VK_OK);
	return vk_undelete_find(s->fs, s->known, s->count, wish, &sound, &s->gone, &s->err);
}

static inline void forged(struct scene *s, const char *lines, const char *end)
{
	char text[4000], volume[40];

	assert_int_equal(find(s, NULL), VK_OK);
	vk_vmfs_uuid_format(&vk_fs_info(s->fs)->descriptor.uuid, volume);
	snprintf(text, sizeof(text), "vmfskit file map 1\nV %s 1048576 VMFS-5.81\n%sE all %s\n", volume, lines, end);
	know(s, text, strlen(text));
}

static inline void forget(struct scene *s)
{
	while (s->count > 0)
		vk_io_close(s->known[--s->count].map);
}

static inline void say_bytes(struct vk_text *text, uint64_t bytes)
{
	if (bytes % MIB == 0)
		vk_text_fmt(text, " %lluM", (unsigned long long)bytes / MIB);
	else
		vk_text_fmt(text, " %llu", (unsigned long long)bytes);
}

/* What is said of a file: how much of it by whom, since which map; or why not. */
static inline void say_file(const struct vk_undelete_file *f, struct vk_text *text)
{
	uint64_t end = 0, bytes = 0;

	vk_text_fmt(text, "%s %s%s:", f->path, f->torn ? "torn " : "", vk_undelete_verdict_name(f->verdict));
	for (size_t r = 0; r < f->range_count; r++) {
		const struct vk_undelete_range *range = &f->ranges[r];

		assert_int_equal(range->file_offset, end);
		assert_int_equal(range->state == VK_UNDELETE_REUSED, range->by != NULL);
		assert_int_equal(range->state == VK_UNDELETE_UNKNOWN, range->why != VK_UNDELETE_SURE);
		end += range->length_bytes;
		bytes += range->state == VK_UNDELETE_UNTOUCHED ? range->length_bytes : 0;
	}
	assert_int_equal(end, f->size_bytes);
	assert_int_equal(bytes, f->bytes[VK_UNDELETE_UNTOUCHED]);
	if (bytes > 0)
		say_bytes(text, bytes);
	for (size_t r = 0; r < f->range_count; r++) {
		const struct vk_undelete_range *range = &f->ranges[r];

		if (range->state == VK_UNDELETE_UNTOUCHED)
			continue;
		say_bytes(text, range->length_bytes);
		vk_text_fmt(text, " %s", vk_undelete_state_name(range->state));
		if (range->why != VK_UNDELETE_SURE)
			vk_text_fmt(text, " (%s)", vk_undelete_why_said(range->why));
		if (range->by != NULL && range->since == VK_UNDELETE_TODAY)
			vk_text_fmt(text, " by %s today", range->by);
		else if (range->by != NULL)
			vk_text_fmt(text, " by %s since %u", range->by, range->since);
	}
}

static inline void tell(struct scene *s, char *told, size_t size)
{
	struct vk_text text = vk_text_in(told, size);

	if (find(s, NULL) != VK_OK)
		fail_msg("%s", s->err.what);
	for (size_t i = 0; i < s->gone.count; i++) {
		vk_text_fmt(&text, "%s", i > 0 ? "; " : "");
		say_file(&s->gone.files[i], &text);
	}
	assert_false(s->gone.went_back);
}

static inline void expect(struct scene *s, const char *expected)
{
	char told[4000];

	tell(s, told, sizeof(told));
	assert_string_equal(told, expected);
}

static inline void read_file(struct scene *s, const char *path, uint8_t *buf, size_t len)
{
	struct vk_fs_file *file;
	size_t got = 0;

	assert_int_equal(find(s, NULL), VK_OK);
	assert_int_equal(vk_fs_lookup(s->fs, path, false, NULL, &file, &s->err), VK_OK);
	assert_int_equal(vk_fs_read(s->fs, file, 0, buf, len, &got, &s->err), VK_OK);
	assert_int_equal(got, len);
	vk_fs_file_close(file);
}

static inline void read_all(struct vk_io *io, uint64_t at, uint8_t *buf, size_t len)
{
	size_t got = 0;

	assert_int_equal(vk_io_read(io, at, buf, len, &got, NULL), VK_OK);
	assert_int_equal(got, len);
}

/* Whatever is called untouched has the bytes that it had. */
static inline void compare_untouched(struct scene *s, const struct vk_undelete_file *f, const uint8_t *was)
{
	uint8_t *is = malloc(f->size_bytes + 1);
	struct vk_io *io;

	assert_non_null(is);
	assert_int_equal(vk_undelete_io(s->fs, f, 0, &io, &s->err), VK_OK);
	read_all(io, 0, is, f->size_bytes);
	vk_io_close(io);
	for (size_t r = 0; r < f->range_count; r++)
		if (f->ranges[r].state == VK_UNDELETE_UNTOUCHED)
			assert_memory_equal(is + f->ranges[r].file_offset, was + f->ranges[r].file_offset,
					    f->ranges[r].length_bytes);
	free(is);
}

#endif
