/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ranges of a volume are metadata: from these alone check, the map of the files and the bytes of small files are
 * the same as from the whole volume; ranges in any order, over each other; the limit, and what is told beforehand.
 */
#include "fs/metadata.h"
#include "fs_filled.h"
#include "fs_open.h"
#include "vmfskit/file_map.h"
#include "vmfskit/fs_check.h"

enum { VOLUMES = REAL_VOLUMES + FILLED, LIMIT = 16 << 20 };

static struct vk_io *volume(size_t number)
{
	return number < REAL_VOLUMES ? real_volume_open(&real_volumes[number])
				     : filled_volume(filled_volumes[number - REAL_VOLUMES]);
}

/* A text of everything that verbs say of a volume. */
struct said {
	struct vk_fs *fs;
	char *text;
	size_t len, small; /* small: files of which the bytes are in it */
};

static bool put_said(void *ctx, const void *bytes, size_t len)
{
	struct said *s = ctx;

	s->text = realloc(s->text, s->len + len + 1);
	assert_non_null(s->text);
	memcpy(s->text + s->len, bytes, len);
	s->len += len;
	s->text[s->len] = '\0';
	return true;
}

static bool restart(void *ctx)
{
	((struct said *)ctx)->len = 0;
	return true;
}

static void say_finding(void *ctx, const struct vk_finding *f)
{
	char line[1000];

	put_said(ctx, line, (size_t)snprintf(line, sizeof(line), "%u %llu %s\n", (unsigned)f->code,
					     (unsigned long long)f->offset_bytes, f->message));
}

static bool say_small(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	struct said *s = ctx;
	const struct vk_fs_file *file = visit->file;
	uint8_t *bytes;
	struct vk_error err = {0};
	size_t got = 0;

	(void)ret_stop;
	assert_non_null(file);
	if (file->meta.type != VK_FILE_ORDINARY || file->meta.fileLength > VK_METADATA_SMALL_BYTES)
		return true;
	bytes = malloc(file->meta.fileLength + 1);
	assert_non_null(bytes);
	assert_int_equal(vk_fs_read(s->fs, file, 0, bytes, file->meta.fileLength, &got, &err), VK_OK);
	put_said(s, bytes, got);
	s->small += file->meta.fileLength > 0;
	free(bytes);
	return true;
}

static void say_all(struct vk_io *io, const struct vk_vmfs *vmfs, bool small, struct said *ret)
{
	const struct vk_fs_extent extent = {.io = io, .vmfs = vmfs};
	const struct vk_file_map_out out = {put_said, restart, ret};
	const struct vk_finding_sink sink = {say_finding, ret};
	struct vk_file_map_made made;
	struct vk_fs_check check;
	struct vk_error err = {0};
	char line[200];

	*ret = (struct said){.fs = NULL};
	if (vk_file_map_make(&extent, 1, LIMIT, &out, &made, &err) != VK_OK ||
	    vk_fs_open(&extent, 1, &sink, &ret->fs, &err) != VK_OK ||
	    vk_fs_check(ret->fs, &sink, &check, &err) != VK_OK)
		fail_msg("%s", err.what);
	for (unsigned i = 0; i < VK_FS_CHECK_PHASES; i++)
		put_said(ret, line,
			 (size_t)snprintf(line, sizeof(line), "%llu %llu %llu\n",
					  (unsigned long long)check.phases[i].checked,
					  (unsigned long long)check.phases[i].findings,
					  (unsigned long long)check.phases[i].unknown));
	if (small)
		assert_int_equal(vk_fs_walk_tree(ret->fs, "/", say_small, ret, &sound, &err), VK_OK);
	vk_fs_check_free(&check);
	vk_fs_close(ret->fs);
}

/* Only these ranges of the source, and what lies in front of the volume. */
static struct vk_io *only(struct vk_io *io, struct vk_fs *fs, const struct vk_fs_metadata *m, uint64_t front)
{
	struct vk_io_part *parts = calloc(m->count + 1, sizeof(*parts));
	struct vk_io *ret;
	size_t count = 0, extent;

	assert_non_null(parts);
	parts[count++] = (struct vk_io_part){.length_bytes = front, .base = io};
	for (size_t i = 0; i < m->count; i++) {
		uint64_t at, held;

		assert_true(vk_fs_place(fs, m->ranges[i].volume_offset, &extent, &at, &held));
		assert_true(held >= m->ranges[i].length_bytes);
		parts[count++] = (struct vk_io_part){at, m->ranges[i].length_bytes, io, at};
	}
	ret = vk_io_parts("only metadata", parts, count, vk_io_size_bytes(io), VK_SPAN_ABSENT);
	assert_non_null(ret);
	free(parts);
	return ret;
}

static void check_order(const struct vk_fs_metadata *m, unsigned kinds)
{
	uint64_t sums[VK_METADATA_KINDS] = {0}, all = 0, end = 0;

	for (size_t i = 0; i < m->count; i++) {
		const struct vk_fs_metadata_range *r = &m->ranges[i];

		assert_true(r->length_bytes > 0 && r->volume_offset >= end && (kinds & 1U << r->kind) != 0);
		assert_true(i == 0 || r->volume_offset > end || r->kind != r[-1].kind || r->owner != r[-1].owner);
		end = r->volume_offset + r->length_bytes;
		sums[r->kind] += r->length_bytes;
		all += r->length_bytes;
	}
	assert_int_equal(end, m->end_bytes);
	assert_int_equal(all, m->total_bytes);
	assert_memory_equal(sums, m->bytes, sizeof(sums));
}

static void test_same_answers(void **state)
{
	(void)state;
	for (size_t v = 0; v < VOLUMES; v++) {
		struct vk_io *io = volume(v), *part;
		struct opened_fs o;
		struct vk_fs_metadata m;
		struct vk_fs_metadata_sizes sizes;
		struct said whole, few;
		struct vk_error err = {0};

		if (io == NULL)
			continue;
		assert_int_equal(fs_try(io, false, NULL, &o, &err), VK_OK);
		assert_int_equal(vk_fs_metadata_estimate(o.fs, &sizes, &err), VK_OK);
		assert_int_equal(vk_fs_metadata_find(o.fs, VK_METADATA_ALL, 0, &sound, &m, &err), VK_OK);
		check_order(&m, VK_METADATA_ALL);
		assert_false(m.unfinished);
		if (getenv("METADATA_SHOW") != NULL) {
			for (unsigned k = 0; k < VK_METADATA_KINDS; k++)
				print_message("%zu %-16s %10llu of at most %10llu\n", v,
					      vk_fs_metadata_kind_name((enum vk_fs_metadata_kind)k),
					      (unsigned long long)m.bytes[k], (unsigned long long)sizes.bytes[k]);
			print_message("%zu: %zu ranges, %llu bytes, up to %llu; unknown %d; %llu files, %llu runs\n", v,
				      m.count, (unsigned long long)m.total_bytes, (unsigned long long)m.end_bytes,
				      m.unknown, (unsigned long long)sizes.files, (unsigned long long)sizes.runs);
		}
		assert_false(m.unknown || sizes.unknown);
		for (unsigned k = 0; k < VK_METADATA_KINDS; k++)
			assert_true(m.bytes[k] <= sizes.bytes[k] || k == VK_METADATA_FOLDERS ||
				    k == VK_METADATA_LINKS || k == VK_METADATA_SMALL_FILES);
		part = only(io, o.fs, &m, o.vmfs.lvm.dataOffset);
		say_all(io, &o.vmfs, true, &whole);
		say_all(part, &o.vmfs, true, &few);
		assert_string_equal(whole.text, few.text);
		assert_int_equal(whole.len, few.len);
		assert_memory_equal(whole.text, few.text, few.len);
		assert_true(few.small > 0);
		free(whole.text);
		free(few.text);
		vk_io_close(part);
		vk_fs_metadata_free(&m);
		fs_done(&o);
	}
}

/* Ranges over each other, in any order: each byte has the first of its kinds, as in an array of bytes. */
static void test_settled(void **state)
{
	enum { ROUNDS = 2000, BYTES = 200, RANGES = 12 };
	uint64_t seed = 20261201;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct vk_fs_metadata m = {.count = 0};
		uint8_t kind_at[BYTES], seen[BYTES];
		unsigned kinds = VK_METADATA_ALL;

		memset(kind_at, VK_METADATA_KINDS, sizeof(kind_at));
		memset(seen, VK_METADATA_KINDS, sizeof(seen));
		m.ranges = calloc(RANGES, sizeof(*m.ranges));
		assert_non_null(m.ranges);
		for (unsigned i = 0; i < RANGES; i++) {
			struct vk_fs_metadata_range *r = &m.ranges[m.count];

			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			r->volume_offset = (seed >> 33) % BYTES;
			r->length_bytes = 1 + (seed >> 45) % (BYTES - r->volume_offset);
			r->kind = (enum vk_fs_metadata_kind)((seed >> 55) % VK_METADATA_KINDS);
			r->owner = (uint32_t)(seed >> 62);
			m.count += i < round % (RANGES + 1);
			for (uint64_t b = r->volume_offset; m.count > i && b < r->volume_offset + r->length_bytes; b++)
				if (r->kind < kind_at[b])
					kind_at[b] = (uint8_t)r->kind;
		}
		kinds &= ~(1U << round % (VK_METADATA_KINDS + 3));
		assert_true(vk_fs_metadata_settle(&m, kinds));
		check_order(&m, kinds);
		for (size_t i = 0; i < m.count; i++)
			memset(seen + m.ranges[i].volume_offset, (int)m.ranges[i].kind, m.ranges[i].length_bytes);
		for (unsigned b = 0; b < BYTES; b++)
			assert_int_equal(seen[b], kind_at[b] < VK_METADATA_KINDS && (kinds & 1U << kind_at[b]) != 0
							  ? kind_at[b] : VK_METADATA_KINDS);
		vk_fs_metadata_free(&m);
	}
}

/* A limit ends the list, and kinds that are not asked for do not count. */
static void test_limit(void **state)
{
	struct opened_fs o;
	struct vk_fs_metadata all, some;
	struct vk_error err = {0};
	const unsigned descriptors = 1U << VK_METADATA_DESCRIPTORS;

	(void)state;
	assert_int_equal(fs_try(filled_volume("version=5"), false, NULL, &o, &err), VK_OK);
	assert_int_equal(vk_fs_metadata_find(o.fs, VK_METADATA_ALL, 0, &sound, &all, &err), VK_OK);
	assert_int_equal(vk_fs_metadata_find(o.fs, VK_METADATA_ALL, all.total_bytes / 2, &sound, &some, &err), VK_OK);
	assert_true(some.unfinished && some.total_bytes <= all.total_bytes / 2);
	check_order(&some, VK_METADATA_ALL);
	vk_fs_metadata_free(&some);
	assert_int_equal(vk_fs_metadata_find(o.fs, descriptors, all.total_bytes / 2, &sound, &some, &err),
			 VK_OK);
	assert_true(!some.unfinished && some.count > 0);
	assert_int_equal(some.total_bytes, all.bytes[VK_METADATA_DESCRIPTORS]);
	check_order(&some, descriptors);
	vk_fs_metadata_free(&some);
	vk_fs_metadata_free(&all);
	fs_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_answers),
		cmocka_unit_test(test_settled),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
