/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are gone, on volumes that lived: random histories with maps at random moments, and each range's verdict
 * against the record. HISTORIES=200 is the long run, FIRST=N begins with seed N, SHOW=1 tells each history.
 */
#include <inttypes.h>

#include "base/checked.h"
#include "history_bench.h"
#include "disk_support.h"
#include "vmfskit/undelete.h"

enum { MAPS_MOST = 6, COMPLAINTS = 12 };
#define NOBODY UINT64_MAX

struct told {
	uint64_t outlived; /* known from a map, though a later one has them */
	uint64_t histories, maps, files, cut, ranges, bytes[VK_UNDELETE_STATES];
	uint64_t sure, possible; /* bytes called untouched; bytes that nobody else wrote */
	uint64_t wrong;
};
struct history {
	struct lived l;
	struct text_map maps[MAPS_MOST]; /* newest first, as are their moments */
	uint64_t moments[MAPS_MOST];
	size_t map_count;
	char *record;                    /* its text */
	struct told *told;
};

__attribute__((format(printf, 3, 4)))
static void complain(const struct history *h, const struct vk_undelete_file *file, const char *fmt, ...)
{
	va_list args;

	if (h->told->wrong++ >= COMPLAINTS)
		return;
	printf("# seed %" PRIu64 ", VMFS%u, %s: ", h->l.life.seed, h->l.life.device.version, file->path);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	puts("");
}

/* ---- what the record says */

static bool takes(const struct vk_life_event *e)
{
	return e->what == '+' || e->what == 'P';
}

/* A byte of the volume, as a byte of a file. */
struct spot {
	uint64_t id, offset, place;
};

/* Whether an event is about these bytes, but not as this part of this file. */
static bool is_of_others(const struct vk_life_event *e, const struct spot *spot)
{
	return spot->place - e->place < e->length &&
	       (e->file != spot->id || e->file_offset + (spot->place - e->place) != spot->offset);
}

/* Who else had a byte of the volume at the end of a moment. */
static uint64_t other_at(const struct history *h, const struct spot *spot, uint64_t moment)
{
	const struct vk_life_record *r = &h->l.life.record;
	uint64_t owner = NOBODY;

	for (size_t i = 0; i < r->event_count && r->events[i].moment <= moment; i++) {
		const struct vk_life_event *e = &r->events[i];

		if (e->what != 'W' && spot->place - e->place < e->length)
			owner = takes(e) && is_of_others(e, spot) ? e->file : NOBODY;
	}
	return owner;
}

/*
 * Whether others wrote there behind a moment, or the file gave it back and got it anew. A block that is got is cleared,
 * unless it is to be zeroed.
 */
static bool written_since(const struct history *h, const struct spot *spot, uint64_t moment)
{
	const struct vk_life_record *r = &h->l.life.record;

	for (size_t i = r->event_count; i-- > 0 && r->events[i].moment > moment;) {
		const struct vk_life_event *e = &r->events[i];

		if ((is_of_others(e, spot) && (e->what == 'W' || (takes(e) && !e->tbz))) ||
		    (e->file == spot->id && e->what == '+' && !e->tbz && spot->place - e->place < e->length))
			return true;
	}
	return false;
}

/* Whether the file had written the unit that begins there at a moment. */
static bool had_written(const struct history *h, uint64_t id, uint64_t place, uint64_t moment)
{
	const struct vk_life_record *r = &h->l.life.record;

	for (size_t i = 0; i < r->event_count && r->events[i].moment <= moment; i++)
		if (r->events[i].file == id && r->events[i].what == 'W' && place == r->events[i].place)
			return true;
	return false;
}

/* Whether a file was ever called so. */
static bool was_called(const struct history *h, uint64_t id, const char *path)
{
	for (const char *line = h->record; line != NULL; line = strchr(line, '\n')) {
		const char *end, *slash;

		line += *line == '\n';
		if ((*line != 'N' && *line != 'R') || strtoull(line + 2, NULL, 10) != id)
			continue;
		end = line + strcspn(line, "\n");
		slash = strchr(line, '/');
		if (slash != NULL && slash < end && strlen(path) == (size_t)(end - slash) &&
		    memcmp(path, slash, (size_t)(end - slash)) == 0)
			return true;
	}
	return false;
}

static const struct vk_life_file *file_known(const struct history *h, uint32_t address, uint32_t generation)
{
	const struct vk_life_record *r = &h->l.life.record;

	for (size_t i = 0; i < r->count; i++)
		if (r->files[i].address == address && r->files[i].generation == generation)
			return &r->files[i];
	return NULL;
}

/* ---- what is said of a file, against that */

static void judge_bytes(struct history *h, const struct vk_undelete_file *file, const struct vk_undelete_range *range,
			uint64_t done, uint64_t length)
{
	const struct vk_life_file *f = file_known(h, file->address, file->generation);
	const uint64_t known = h->moments[file->map], place = range->volume_offset + done;
	const struct spot spot = {f->id, range->file_offset + done, place};
	bool written = written_since(h, &spot, known);
	uint64_t owner = NOBODY, since = VK_UNDELETE_TODAY;
	char stamp[64], words[64];

	/* the maps after that, in the order of time; then today */
	for (size_t i = file->map; i-- > 0 && owner == NOBODY;) {
		owner = other_at(h, &spot, h->moments[i]);
		since = i;
	}
	if (owner == NOBODY) {
		owner = other_at(h, &spot, UINT64_MAX);
		since = VK_UNDELETE_TODAY;
	}
	h->told->possible += written ? 0 : length;
	h->told->sure += range->state == VK_UNDELETE_UNTOUCHED ? length : 0;
	if (range->state == VK_UNDELETE_UNTOUCHED && written)
		complain(h, file, "bytes at %" PRIu64 " are called untouched and were written since", place);
	/* behind the end of the file in a block that it has for another part now: nobody says whose that is */
	if (owner == f->id && range->state == VK_UNDELETE_UNKNOWN)
		return;
	if ((range->state == VK_UNDELETE_REUSED) != (owner != NOBODY))
		complain(h, file, "bytes at %" PRIu64 " are called %s (%s), and %s", place,
			 vk_undelete_state_name(range->state), vk_undelete_why_said(range->why),
			 owner == NOBODY ? "nobody is known to have them" : h->l.life.record.files[owner].path);
	else if (owner != NOBODY && (range->since != since || !was_called(h, owner, range->by)))
		complain(h, file, "bytes at %" PRIu64 " are said to be reused by %s since %u, and it is %s since %" PRIu64,
			 place, range->by, range->since, h->l.life.record.files[owner].path, since);
	if (range->state != VK_UNDELETE_UNTOUCHED || f->type == VK_FILE_FOLDER || !had_written(h, f->id, place, known))
		return;
	/* and what lies there */
	snprintf(words, sizeof(words), "vmfskit-lab file %" PRIu64 " ", f->id);
	assert_int_equal(vk_lab_volume_get(h->l.life.f, place, stamp, sizeof(stamp)), VK_OK);
	if (memcmp(stamp, words, strlen(words)) != 0)
		complain(h, file, "bytes at %" PRIu64 " are called untouched, and there stands \"%.40s\"", place, stamp);
}

static void judge_resident(struct history *h, const struct vk_undelete_file *file, const struct vk_undelete_range *range)
{
	const struct vk_life_file *f = file_known(h, file->address, file->generation);
	char words[64];

	if (range->state != VK_UNDELETE_UNTOUCHED)
		return;
	snprintf(words, sizeof(words), "vmfskit-lab file %" PRIu64 " ", f->id);
	if (file->resident == NULL || file->resident_bytes != range->length_bytes)
		complain(h, file, "its bytes are called untouched and are not given");
	else if (file->resident[0] != 0 &&
		 memcmp(file->resident, words, vk_min_u64(strlen(words), file->resident_bytes)) != 0)
		complain(h, file, "\"%.*s\" stands in its descriptor", (int)vk_min_u64(40, file->resident_bytes),
			 file->resident);
}

static void judge_file(struct history *h, const struct vk_undelete_file *file)
{
	const uint64_t step = h->l.life.f->sub_block_bytes;
	uint64_t at = 0;

	for (size_t i = 0; i < file->range_count; i++) {
		const struct vk_undelete_range *r = &file->ranges[i];

		h->told->ranges++;
		h->told->bytes[r->state] += r->length_bytes;
		assert_int_equal(r->file_offset, at);
		at += r->length_bytes;
		if (r->kind == VK_RUN_RESIDENT)
			judge_resident(h, file, r);
		for (uint64_t done = 0; r->kind == VK_RUN_DATA && done < r->length_bytes; done += step)
			judge_bytes(h, file, r, done, vk_min_u64(step, r->length_bytes - done));
		if (r->kind != VK_RUN_DATA && r->kind != VK_RUN_RESIDENT && r->state != VK_UNDELETE_HOLE)
			complain(h, file, "bytes without a place are called %s", vk_undelete_state_name(r->state));
	}
	if (at != file->size_bytes)
		complain(h, file, "its ranges end at %" PRIu64 " of %" PRIu64, at, file->size_bytes);
}

static bool is_in(const struct history *h, const struct vk_life_file *f, size_t map)
{
	return f->born <= h->moments[map] && (f->died == 0 || f->died > h->moments[map]);
}

/* Its size in a map, by the line of it; ret_disk: it is called *.vmdk there. */
static uint64_t size_in(const struct history *h, const struct vk_life_file *f, size_t map, bool *ret_disk)
{
	char words[64];
	const char *line;
	size_t len;

	snprintf(words, sizeof(words), "\nF %d 0x%08" PRIx32 " %" PRIu32 " ", f->type, f->address, f->generation);
	line = strstr(h->maps[map].text, words);
	assert_non_null(line);
	line += strlen(words);
	len = strcspn(line, "\n");
	*ret_disk = len > 5 && memcmp(line + len - 5, ".vmdk", 5) == 0;
	return strtoull(line, NULL, 10);
}

/* The map that a file must be known from: the newest, or of a disk one in which it is longer. MAPS_MOST: none. */
static size_t known_from(const struct history *h, const struct vk_life_file *f, uint64_t *ret_size)
{
	size_t from = MAPS_MOST;

	*ret_size = 0;
	for (size_t i = 0; i < h->map_count; i++) {
		bool disk;
		uint64_t size;

		if (!is_in(h, f, i))
			continue;
		size = size_in(h, f, i, &disk);
		if (from == MAPS_MOST || (disk && size > *ret_size && (size >= 1 << 20 || *ret_size == 0))) {
			from = i;
			*ret_size = size;
		}
	}
	return from;
}

/* Whether a file that is there lost a place that it had written to at a moment, and has not got it back. */
static bool lost_blocks(const struct history *h, const struct vk_life_file *f, uint64_t moment)
{
	const struct vk_life_record *r = &h->l.life.record;

	for (size_t i = 0; i < r->event_count; i++) {
		const struct vk_life_event *e = &r->events[i];
		const struct spot nobodys = {NOBODY, 0, e->place};

		if (e->file == f->id && e->what == '-' && e->moment > moment && had_written(h, f->id, e->place, moment) &&
		    other_at(h, &nobodys, moment) == f->id && other_at(h, &nobodys, UINT64_MAX) != f->id)
			return true;
	}
	return false;
}

/* A file that was cut and grew again is not listed while it keeps a block. */
static bool must_be_listed(const struct history *h, const struct vk_life_file *f)
{
	uint64_t size;
	size_t map = known_from(h, f, &size);

	if (map == MAPS_MOST || f->type == VK_FILE_FOLDER)
		return false;
	return f->died != 0 || (f->size_bytes < size && lost_blocks(h, f, h->moments[map]));
}

static void judge_list(struct history *h, const struct vk_undelete *gone)
{
	for (size_t i = 0; i < gone->count; i++) {
		const struct vk_undelete_file *file = &gone->files[i];
		const struct vk_life_file *f = file_known(h, file->address, file->generation);
		uint64_t size;
		size_t from;

		if (f == NULL) {
			complain(h, file, "nobody made it");
			continue;
		}
		h->told->files++;
		h->told->cut += file->cut;
		from = known_from(h, f, &size);
		h->told->outlived += from > 0 && from < MAPS_MOST && is_in(h, f, from - 1);
		if (from != file->map || size != file->size_bytes || !was_called(h, f->id, file->path))
			complain(h, file, "it is known from map %zu, not %zu", from, file->map);
		/* a file is cut within a block, too */
		else if (file->cut != (f->died == 0) ||
			 (file->cut && file->size_bytes <= f->size_bytes && !lost_blocks(h, f, h->moments[file->map])))
			complain(h, file, "it is there, and lost nothing");
		else
			judge_file(h, file);
	}
	for (size_t i = 1; i < h->l.life.record.count; i++) {
		const struct vk_life_file *f = &h->l.life.record.files[i];
		size_t k = 0;

		if (!must_be_listed(h, f))
			continue;
		while (k < gone->count &&
		       (gone->files[k].address != f->address || gone->files[k].generation != f->generation))
			k++;
		if (k == gone->count) {
			const struct vk_undelete_file missing = {.path = f->path};

			complain(h, &missing, "it is gone, or lost blocks, and is not listed");
		}
	}
}

static void find_gone(struct history *h)
{
	struct vk_undelete_known known[MAPS_MOST];
	struct vk_undelete gone;
	struct vk_error err = {0};
	struct opened_fs o;

	for (size_t i = 0; i < h->map_count; i++)
		known[i] = (struct vk_undelete_known){
			.map = vk_io_memory("map", h->maps[i].text, h->maps[i].len, false), .id = "map"};
	lived_open(&h->l, &sound, &o);
	if (vk_undelete_find(o.fs, known, h->map_count, NULL, &sound, &gone, &err) != VK_OK)
		fail_msg("seed %" PRIu64 ": %s", h->l.life.seed, err.what);
	assert_false(gone.went_back);
	judge_list(h, &gone);
	vk_undelete_free(&gone);
	for (size_t i = 0; i < h->map_count; i++)
		vk_io_close(known[i].map);
	fs_done(&o);
}

static void read_record(struct history *h)
{
	struct text_map text = {NULL, 0};
	char piece[4096];
	FILE *in;

	fflush(h->l.life.log);
	in = fopen(h->l.record, "r");
	assert_non_null(in);
	for (size_t n; (n = fread(piece, 1, sizeof(piece), in)) > 0;)
		put_text(&text, piece, n);
	fclose(in);
	h->record = text.text;
}

/* A map at up to six moments, steps before, between and behind them. */
static void live_and_judge(unsigned version, uint64_t seed, struct told *told)
{
	struct history h = {.told = told};
	const size_t maps = 1 + vk_lab_random(seed, "maps", 0) % MAPS_MOST;
	const uint64_t wrong = told->wrong;

	lived_begin(&h.l, version, seed, (version == 6 ? 3 : 2) * GIB);
	for (size_t i = maps; i-- > 0;) {
		lived_steps(&h.l, 1 + vk_lab_random(seed, "steps", i) % 25);
		lived_map(&h.l, &h.maps[i]);
		h.moments[i] = h.l.life.record.moment;
	}
	h.map_count = maps;
	lived_steps(&h.l, vk_lab_random(seed, "last steps", 0) % 25);
	read_record(&h);
	find_gone(&h);
	told->histories++;
	told->maps += maps;
	if (getenv("SHOW") != NULL)
		print_message("# seed %" PRIu64 ", VMFS%u: %zu maps, %" PRIu64 " moments, %" PRIu64 " wrong\n", seed, version,
			      maps, h.l.life.record.moment, told->wrong - wrong);
	for (size_t i = 0; i < maps; i++)
		free(h.maps[i].text);
	free(h.record);
	lived_end(&h.l);
}

static uint64_t number(const char *name, uint64_t usual)
{
	const char *text = getenv(name);

	return text == NULL ? usual : strtoull(text, NULL, 10);
}

static void verdicts_are_those_of_the_record(void **state)
{
	static const unsigned versions[] = {3, 5, 6};
	const uint64_t first = number("FIRST", 0), count = number("HISTORIES", 60 / CASES_SHARE);

	uint64_t wrong = 0;

	(void)state;
	for (unsigned v = 0; v < 3; v++) {
		struct told t = {0};

		for (uint64_t i = 0; i < count; i++)
			if ((first + i) % 3 == v)
				live_and_judge(versions[v], first + i, &t);
		print_message("# VMFS%u: %" PRIu64 " histories, %" PRIu64 " maps; %" PRIu64 " files gone (%" PRIu64
			      " cut, %" PRIu64 " shorter in a later map), %" PRIu64 " ranges; MiB untouched %" PRIu64 ", reused %" PRIu64 ", unknown %" PRIu64
			      ", holes %" PRIu64 "; of bytes that nobody wrote %.1f %% are called untouched\n", versions[v],
			      t.histories, t.maps, t.files, t.cut, t.outlived, t.ranges, t.bytes[VK_UNDELETE_UNTOUCHED] >> 20,
			      t.bytes[VK_UNDELETE_REUSED] >> 20, t.bytes[VK_UNDELETE_UNKNOWN] >> 20,
			      t.bytes[VK_UNDELETE_HOLE] >> 20, t.possible == 0 ? 0 : 100.0 * (double)t.sure / (double)t.possible);
		assert_true(t.files > 0 || count < 20);
		wrong += t.wrong;
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_are_those_of_the_record),
	};

	return cmocka_run_group_tests_name("histories", tests, NULL, NULL);
}
