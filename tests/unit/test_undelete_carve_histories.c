/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candidates without a capture, on volumes that lived: random histories, and each candidate against the record. A hit
 * has bytes of one file that lost them, each at its offset in that file, and of nobody else, as far as nobody who is
 * there has them. HISTORIES=200 is the long run, FIRST=N begins with seed N, SHOW=1 tells what is no hit.
 */
#include <inttypes.h>

#include "base/checked.h"
#include "history_bench.h"
#include "disk_support.h"
#include "vmfskit/undelete_carve.h"

enum {
	KINDS = VK_UNDELETE_SIGNATURE + 1, USUAL = 60,
	HITS_LEAST = 45              /* of 100 candidates of the usual seeds; 48 when this was written */
};

struct told {
	uint64_t hits, partly;        /* partly: bytes of one such file, and others */
	uint64_t shifted;             /* bytes that files lost, but none at its offset: the first guess was wrong */
	uint64_t wrong;               /* none of these: nobody lost them */
	uint64_t spent;               /* all of its bytes are those of files of today */
};

/* What happened last to a byte of the volume: who got it, and whether he has it; NULL: nobody ever did. */
static const struct vk_life_event *last_got(const struct vk_life_record *r, uint64_t place, bool *ret_has)
{
	*ret_has = true;
	for (size_t i = r->event_count; i-- > 0;) {
		const struct vk_life_event *e = &r->events[i];

		if (e->what == 'W' || place - e->place >= e->length)
			continue;
		if (e->what == '+' || e->what == 'P')
			return e;
		*ret_has = false;
	}
	return NULL;
}

/* Bytes of a candidate, against the record. */
struct judging {
	const struct lived *l;
	const struct vk_undelete_file *file;
	const char *name;
	uint64_t id;                  /* the file that they are of; 0: none was met */
	bool strange;                 /* some are of no such file */
	bool lost;                    /* some were lost by a file, if at another offset */
	bool left;                    /* that nobody has */
};

static void judge_bytes(struct judging *j, const struct vk_undelete_range *range, uint64_t done)
{
	const uint64_t place = range->volume_offset + done, offset = range->file_offset + done;
	bool has;
	const struct vk_life_event *e = last_got(&j->l->life.record, place, &has);

	if (range->state == VK_UNDELETE_REUSED) {
		if (e == NULL || !has)
			fail_msg("seed %" PRIu64 ", %s: bytes at %" PRIu64 " are called reused, and nobody has them",
				 j->l->life.seed, j->name, place);
		return;
	}
	j->left = true;
	j->lost = j->lost || (e != NULL && !has && e->what == '+');
	if (e == NULL || has || e->what == 'P' || e->file_offset + (place - e->place) != offset ||
	    (j->id != 0 && e->file != j->id))
		j->strange = true;
	else
		j->id = e->file;
}

static bool was_deleted(const struct vk_life_record *r, uint32_t address, uint32_t generation)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->files[i].address == address && r->files[i].generation == generation)
			return r->files[i].died != 0;
	return false;
}

static void judge(const struct lived *l, const struct vk_undelete_file *file, const struct vk_carve_mark *mark,
		  struct told *told)
{
	const uint64_t step = l->life.f->sub_block_bytes;
	const bool known = file->from == VK_UNDELETE_DESCRIPTOR;
	struct judging j = {.l = l, .file = file, .name = mark->name};
	const char *word = "hit";

	assert_true(file->guess || (known && mark->size_known));
	if (known && !was_deleted(&l->life.record, file->address, file->generation))
		j.strange = true;
	for (size_t i = 0; i < file->range_count; i++) {
		const struct vk_undelete_range *r = &file->ranges[i];

		if (r->state == VK_UNDELETE_UNTOUCHED || file->verdict == VK_UNDELETE_ALL_UNTOUCHED)
			fail_msg("seed %" PRIu64 ", %s is called untouched", l->life.seed, mark->name);
		assert_int_equal(r->state == VK_UNDELETE_UNKNOWN, r->why != VK_UNDELETE_SURE);
		for (uint64_t done = 0; r->kind == VK_RUN_DATA && done < r->length_bytes; done += step)
			judge_bytes(&j, r, done);
	}
	if (j.strange) {
		*(j.id != 0 ? &told->partly : j.lost ? &told->shifted : &told->wrong) += 1;
		word = j.id != 0 ? "partly" : j.lost ? "shifted" : "false";
	} else if (j.left || known) {
		told->hits++;
	} else {
		told->spent++;
		word = "spent";
	}
	if (getenv("SHOW") != NULL && strcmp(word, "hit") != 0)
		print_message("# seed %" PRIu64 ", VMFS%u: %s, %" PRIu64 " bytes in %zu ranges: %s\n", l->life.seed,
			      l->life.device.version, mark->name, file->size_bytes, file->range_count, word);
}

static void live_and_carve(unsigned version, uint64_t seed, struct told told[KINDS], uint64_t *cleared)
{
	struct vk_carved carved;
	struct vk_error err = {0};
	struct opened_fs o;
	struct lived l;

	lived_begin(&l, version, seed, (version == 6 ? 3 : 2) * GIB);
	lived_steps(&l, 20 + vk_lab_random(seed, "steps", 0) % 80);
	lived_open(&l, &sound, &o);
	if (vk_carve(o.fs, NULL, &sound, &carved, &err) != VK_OK)
		fail_msg("seed %" PRIu64 ": %s", seed, err.what);
	for (size_t i = 0; i < carved.found.count; i++)
		judge(&l, &carved.found.files[i], &carved.marks[i], &told[carved.found.files[i].from]);
	*cleared += carved.cleared;
	vk_carved_free(&carved);
	fs_done(&o);
	lived_end(&l);
}

static uint64_t number(const char *name, uint64_t usual)
{
	const char *text = getenv(name);

	return text == NULL ? usual : strtoull(text, NULL, 10);
}

static void candidates_are_those_of_the_record(void **state)
{
	static const unsigned versions[] = {3, 5, 6};
	const uint64_t first = number("FIRST", 0), count = number("HISTORIES", USUAL / CASES_SHARE);

	uint64_t hits = 0, all = 0;

	(void)state;
	for (unsigned v = 0; v < 3; v++) {
		struct told t[KINDS] = {0};
		uint64_t cleared = 0;

		for (uint64_t i = 0; i < count; i++)
			if ((first + i) % 3 == v)
				live_and_carve(versions[v], first + i, t, &cleared);
		print_message("# VMFS%u: %" PRIu64 " descriptors are cleared\n", versions[v], cleared);
		for (unsigned k = 0; k < KINDS; k++) {
			const uint64_t sum = t[k].hits + t[k].partly + t[k].shifted + t[k].wrong + t[k].spent;

			if (sum > 0)
				print_message("# VMFS%u, %s: %" PRIu64 " hits, %" PRIu64 " partly, %" PRIu64
					      " shifted, %" PRIu64 " false, %" PRIu64 " spent\n", versions[v],
					      vk_undelete_from_name(k), t[k].hits, t[k].partly, t[k].shifted,
					      t[k].wrong, t[k].spent);
			assert_int_equal(t[k].wrong, 0);
			hits += t[k].hits;
			all += sum;
		}
	}
	if (first == 0 && count == USUAL)
		assert_true(all > 0 && hits * 100 >= all * HITS_LEAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(candidates_are_those_of_the_record),
	};

	return cmocka_run_group_tests_name("carve histories", tests, NULL, NULL);
}
