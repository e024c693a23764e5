/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Histories of practice volumes: after each part check is silent, and the map of the volume has what the record has.
 * Beside a writer: each file of a map that is not called torn is as it was at one moment. HISTORIES=50 VOLUMES.
 */
#include <inttypes.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "history_bench.h"
#include "vmfskit/fs_check.h"

/* A file of a map: its descriptor and its lines. */
struct mapped {
	uint32_t address, generation, type;
	uint64_t size;
	bool torn;
	char path[VK_LIFE_PATH_BYTES];
	char *runs;
	size_t runs_bytes;
};
struct mapped_files {
	struct mapped of[2000];
	size_t count, torn;
};

/* The test reads the text itself: it does not use the reader that it would check. */
static void split_map(const struct text_map *map, struct mapped_files *files)
{
	char *line = map->text;

	files->count = files->torn = 0;
	for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		uint32_t address, generation, links;

		if (*line == 'F') {
			struct mapped *m = &files->of[files->count++];
			int at = 0;

			assert_true(files->count < 2000);
			*m = (struct mapped){.runs = end + 1};
			assert_int_equal(sscanf(line, "F %" SCNu32 " %" SCNx32 " %" SCNu32 " %" SCNu64 " %*s %*s %*s %*s "
						"%*s %" SCNu32 " %*s %*s %n", &m->type, &m->address, &m->generation,
						&m->size, &links, &at), 5);
			/* of a deleted file nothing is in a map */
			assert_true(links > 0);
			assert_true(at > 0 && end - (line + at) < VK_LIFE_PATH_BYTES);
			memcpy(m->path, line + at, (size_t)(end - (line + at)));
		} else if (strchr("dhzrm", *line) != NULL) {
			assert_true(files->count > 0);
			files->of[files->count - 1].runs_bytes =
				(size_t)(end + 1 - files->of[files->count - 1].runs);
		} else if (sscanf(line, "T %" SCNx32 " %" SCNu32, &address, &generation) == 2) {
			files->torn++;
			for (size_t i = 0; i < files->count; i++)
				files->of[i].torn = files->of[i].torn || (files->of[i].address == address &&
									  files->of[i].generation == generation);
		}
	}
}

static bool same_runs(const struct mapped *m, const struct vk_life_file *file, const struct vk_lab_fill *f)
{
	struct text_map runs;
	bool same;

	lived_runs(file, lived_resident_place(f, file), &runs);
	same = m->size == file->size_bytes && m->runs_bytes == runs.len && memcmp(m->runs, runs.text, runs.len) == 0 &&
	       strcmp(m->path, file->path) == 0;
	free(runs.text);
	return same;
}

/* All that is in the record is in the map, and nothing else but system files. */
static void compare_now(const struct lived *l, const struct mapped_files *files)
{
	size_t there = 0, ours = 0;

	for (size_t i = 0; i < l->life.record.count; i++)
		there += l->life.record.files[i].died == 0;
	for (size_t i = 0; i < files->count; i++) {
		const struct mapped *m = &files->of[i];
		const struct vk_life_file *file = m->type == VK_FILE_SYSTEM ? NULL
								      : vk_life_find(&l->life.record, m->path);

		if (m->type == VK_FILE_SYSTEM)
			continue;
		ours++;
		if (file == NULL || file->address != m->address || file->generation != m->generation ||
		    !same_runs(m, file, l->life.f))
			fail_msg("seed %llu, moment %llu: %s is not as the record has it:\n%.*s",
				 (unsigned long long)l->life.seed, (unsigned long long)l->life.record.moment, m->path,
				 (int)m->runs_bytes, m->runs);
	}
	assert_int_equal(ours, there);
	assert_int_equal(files->torn, 0);
}

static void check_silent(const struct lived *l)
{
	struct vk_fs_check result;
	struct vk_error err = {0};
	struct opened_fs o;

	lived_open(l, &sound, &o);
	if (vk_fs_check(o.fs, &sound, &result, &err) != VK_OK)
		fail_msg("%s", err.what);
	vk_fs_check_free(&result);
	fs_done(&o);
}

static uint64_t wanted(uint64_t usual)
{
	const char *text = getenv("HISTORIES");

	return text == NULL ? usual : strtoull(text, NULL, 10);
}

static const unsigned versions[] = {3, 5, 6};

static void reader_and_record_agree(void **state)
{
	static struct mapped_files files;
	const uint64_t count = wanted(9);
	uint64_t maps = 0;

	(void)state;
	for (uint64_t i = 0; i < count; i++) {
		struct text_map map;
		struct lived l;

		lived_begin(&l, versions[i % 3], 100 + i, (i % 3 == 2 ? 3 : 2) * GIB << (i % 2));
		for (unsigned part = 0; part < 8; part++) {
			lived_steps(&l, 12);
			lived_map(&l, &map);
			split_map(&map, &files);
			compare_now(&l, &files);
			check_silent(&l);
			free(map.text);
			maps++;
		}
		lived_end(&l);
	}
	print_message("# %" PRIu64 " histories, %" PRIu64 " maps as the record has them\n", count, maps);
}

/* ---- beside a writer */

enum { CHANGED_MOST = 100 };

/* How a file was from one moment on until another. */
struct was {
	uint32_t address, generation;
	uint64_t from, until, size;
	char *path;
	struct text_map runs;
};
struct past {
	struct was *was;
	size_t count;
	uint64_t moments;
	uint64_t files[4000]; /* there at that moment */
	struct changed {
		size_t count;
		uint64_t of[CHANGED_MOST]; /* address and generation of what changes at that moment */
	} changed[4000];
};

static void note_state(struct past *past, const struct vk_life_record *r, const struct vk_life_file *file,
		       const struct vk_lab_fill *f)
{
	struct was now = {.address = file->address, .generation = file->generation, .from = r->moment,
			  .until = UINT64_MAX, .size = file->size_bytes};

	for (size_t i = past->count; i-- > 0;)
		if (past->was[i].address == file->address && past->was[i].generation == file->generation &&
		    past->was[i].until == UINT64_MAX) {
			past->was[i].until = r->moment;
			break;
		}
	if (file->died != 0)
		return;
	now.path = strdup(file->path);
	lived_runs(file, lived_resident_place(f, file), &now.runs);
	assert_non_null(vk_append(&past->was, &past->count, &now, sizeof(now)));
}

/* The record once more, moment by moment. */
static void read_past(const struct lived *l, struct past *past)
{
	struct vk_life_record r = {NULL};
	bool changed[4000] = {false};
	FILE *in = fopen(l->record, "r");
	char *line = NULL;
	size_t size = 0;
	bool more = true;

	*past = (struct past){NULL};
	assert_non_null(in);
	assert_true(getline(&line, &size, in) > 0);
	while (more) {
		more = getline(&line, &size, in) > 0;
		if (!more || *line == 'M') {
			for (size_t i = 0; i < r.count; i++) {
				if (changed[i]) {
					struct changed *c = &past->changed[r.moment];

					note_state(past, &r, &r.files[i], l->life.f);
					assert_true(c->count < CHANGED_MOST);
					c->of[c->count++] = (uint64_t)r.files[i].address << 32 | r.files[i].generation;
				}
				changed[i] = false;
				past->files[r.moment] += r.files[i].died == 0;
			}
			assert_true(r.moment + 1 < 4000 && r.count + 2 < 4000);
			past->moments = r.moment + 1;
		}
		if (more)
			assert_int_equal(vk_life_record_add(&r, line, NULL), VK_OK);
		if (more && *line != 'M')
			changed[strtoull(line + 2, NULL, 10)] = true;
	}
	free(line);
	fclose(in);
	vk_life_record_free(&r);
}

static void free_past(struct past *past)
{
	for (size_t i = 0; i < past->count; i++) {
		free(past->was[i].path);
		free(past->was[i].runs.text);
	}
	free(past->was);
}

struct live_counts {
	uint64_t maps, whole, files, torn, unread;
	uint64_t wrong, wrong_whole;
};

/* Whether a file of a map is as it was at one moment; counts up those moments. */
static bool was_so(const struct past *past, const struct mapped *m, uint64_t *fits)
{
	bool found = false, named = false;

	for (size_t i = 0; i < past->count; i++) {
		const struct was *w = &past->was[i];
		bool path;

		if (w->address != m->address || w->generation != m->generation)
			continue;
		path = strcmp(w->path, m->path) == 0;
		named = named || path;
		if (w->size != m->size || w->runs.len != m->runs_bytes ||
		    memcmp(w->runs.text, m->runs, m->runs_bytes) != 0)
			continue;
		found = true;
		for (uint64_t at = w->from; path && at < past->moments && at < w->until; at++)
			fits[at]++;
	}
	return found && named;
}

static bool was_then(const struct past *past, const struct mapped *m, uint64_t at)
{
	for (size_t i = 0; i < past->count; i++) {
		const struct was *w = &past->was[i];

		if (w->address == m->address && w->generation == m->generation && w->from <= at && at < w->until)
			return w->size == m->size && w->runs.len == m->runs_bytes &&
			       memcmp(w->runs.text, m->runs, m->runs_bytes) == 0 && strcmp(w->path, m->path) == 0;
	}
	return false;
}

/* A map between two moments: only what the second one changes is not as at the first. */
static bool is_between(const struct past *past, const struct mapped_files *files, uint64_t ours, uint64_t at)
{
	const struct changed *next = &past->changed[at + 1];
	uint64_t others = 0;

	for (size_t i = 0; i < files->count; i++) {
		const struct mapped *m = &files->of[i];
		bool changes = false;

		for (size_t k = 0; k < next->count; k++)
			changes = changes || next->of[k] == ((uint64_t)m->address << 32 | m->generation);
		if (m->type == VK_FILE_SYSTEM || was_then(past, m, at))
			continue;
		if (!changes)
			return false;
		others++;
	}
	return past->files[at] - (ours - others) <= next->count;
}

static void judge_map(const struct past *past, const struct text_map *map, struct live_counts *counts, uint64_t seed)
{
	static struct mapped_files files;
	uint64_t fits[4000] = {0}, ours = 0, unread = 0, faults = 0, torn = 0;
	const char *last = strstr(map->text, "\nE ");
	bool one = false;

	assert_non_null(last);
	assert_int_equal(sscanf(last, "\nE all %*u %*u %" SCNu64 " %" SCNu64 " %" SCNu64, &unread, &torn, &faults), 3);
	split_map(map, &files);
	counts->maps++;
	counts->torn += files.torn;
	counts->unread += unread + faults;
	for (size_t i = 0; i < files.count; i++) {
		const struct mapped *m = &files.of[i];

		if (m->type == VK_FILE_SYSTEM)
			continue;
		ours++;
		counts->files++;
		if (was_so(past, m, fits) || m->torn)
			continue;
		counts->wrong++;
		print_message("# seed %" PRIu64 ": %s, %" PRIu64 " bytes, was never so:\n%.*s", seed, m->path, m->size,
			      (int)(m->runs_bytes > 300 ? 300 : m->runs_bytes), m->runs);
	}
	if (torn != 0 || unread != 0 || faults != 0)
		return;
	counts->whole++;
	for (uint64_t at = 0; at < past->moments && !one; at++)
		one = (fits[at] == ours && past->files[at] == ours) ||
		      (at + 1 < past->moments && fits[at] + 4 >= ours && is_between(past, &files, ours, at));
	counts->wrong_whole += !one;
	if (!one)
		print_message("# seed %" PRIu64 ": a whole map of no moment\n", seed);
}

enum { MAPS = 8, STEPS_MOST = 2500 };

/* The other process: it writes until it is told to stop. */
static void write_beside(struct lived *l, const volatile int *stop)
{
	for (unsigned i = 0; i < STEPS_MOST && !*stop; i++)
		if (vk_life_step(&l->life) != VK_OK || l->disk.failed != VK_OK)
			_exit(1);
	_exit(vk_life_close(&l->life) == VK_OK ? 0 : 1);
}

static void live_once(unsigned version, uint64_t seed, struct live_counts *counts)
{
	int *stop = mmap(NULL, sizeof(*stop), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), status;
	static struct text_map maps[MAPS];
	static struct past past;
	struct lived l;
	pid_t child;

	assert_true(stop != MAP_FAILED);
	*stop = 0;
	lived_begin(&l, version, seed, 8 * GIB);
	lived_steps(&l, 60);
	fflush(l.life.log);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		write_beside(&l, stop);
	for (unsigned i = 0; i < MAPS; i++)
		lived_map(&l, &maps[i]);
	*stop = 1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	read_past(&l, &past);
	for (unsigned i = 0; i < MAPS; i++) {
		judge_map(&past, &maps[i], counts, seed);
		free(maps[i].text);
	}
	free_past(&past);
	munmap(stop, sizeof(*stop));
	lived_end(&l);
}

static void no_torn_map_is_called_whole(void **state)
{
	const uint64_t count = wanted(50 / CASES_SHARE);
	struct live_counts c = {0};

	(void)state;
	for (uint64_t i = 0; i < count; i++)
		live_once(versions[i % 3], 1000 + i, &c);
	print_message("# %" PRIu64 " volumes in use, %" PRIu64 " maps, %" PRIu64 " of them whole and without a torn file; %"
		      PRIu64 " files, %" PRIu64 " torn, %" PRIu64 " faults\n", count, c.maps, c.whole, c.files, c.torn,
		      c.unread);
	assert_int_equal(c.wrong, 0);
	assert_int_equal(c.wrong_whole, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_and_record_agree),
		cmocka_unit_test(no_torn_map_is_called_whole),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
