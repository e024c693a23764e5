/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series of damages with a number each: what became of them is counted, the first failures are told so that one case
 * can be had again. DAMAGES: so many of each subject (else 500 of all together); DAMAGES_FROM: the first number;
 * DAMAGES_SHOW: how many failures of a subject are told.
 */
#ifndef VK_TESTS_DAMAGE_RUN_H
#define VK_TESTS_DAMAGE_RUN_H

#include <errno.h>

#include "damage_draw.h"

enum { DAMAGES_IN_ALL = 500, DAMAGE_KINDS_OF_WRONG = 400 };
enum damage_end { DAMAGE_EXACT, DAMAGE_GUESSED, DAMAGE_REFUSED, DAMAGE_LEFT, DAMAGE_ENDS };

struct damage_case {
	const char *subject;
	uint64_t number;
	bool explain;        /* the plan is to be told */
	struct wound wound;
	enum damage_end end; /* of the plan */
	bool whole;          /* all that was hurt is what it was */
	char why[4096];      /* what is wrong, a line each; empty: nothing */
	char last[160];
};
struct damage_show {
	unsigned left;       /* failures that may still be told */
	bool explain;
	unsigned cases, wrong;
};

/* How often which kind of wrong was met. */
static struct {
	char what[160];
	unsigned cases;
} damage_kinds_of_wrong[DAMAGE_KINDS_OF_WRONG];
static size_t damage_kind_of_wrong_count;

static inline void damage_count_kind(const char *what)
{
	size_t i = 0;

	while (i < damage_kind_of_wrong_count && strcmp(damage_kinds_of_wrong[i].what, what) != 0)
		i++;
	if (i == DAMAGE_KINDS_OF_WRONG)
		return;
	if (i == damage_kind_of_wrong_count)
		snprintf(damage_kinds_of_wrong[damage_kind_of_wrong_count++].what, sizeof(damage_kinds_of_wrong[0].what), "%s", what);
	damage_kinds_of_wrong[i].cases++;
}

static inline void damage_print_kinds(void)
{
	for (size_t i = 0; i < damage_kind_of_wrong_count; i++)
		fprintf(stderr, "%6u x %s\n", damage_kinds_of_wrong[i].cases, damage_kinds_of_wrong[i].what);
}

/* Something is wrong. Of neighbouring bytes that are wrong alike only the first is told. */
__attribute__((format(printf, 3, 4))) static inline void
damage_wrong(struct damage_case *c, const char *kind, const char *fmt, ...)
{
	size_t used = strlen(c->why);
	va_list ap;

	if (strcmp(c->last, kind) == 0)
		return;
	damage_count_kind(kind);
	snprintf(c->last, sizeof(c->last), "%s", kind);
	if (used + 800 > sizeof(c->why))
		return;
	used += (size_t)snprintf(c->why + used, sizeof(c->why) - used, "  wrong: %s, ", kind);
	va_start(ap, fmt);
	vsnprintf(c->why + used, sizeof(c->why) - used - 2, fmt, ap);
	va_end(ap);
	strcat(c->why, "\n");
}

/* One byte that a plan changes. */
struct damage_byte {
	uint64_t at;
	uint8_t damaged, becomes, stood;
};

static inline void damage_each_byte(struct damage_case *c, struct vk_io *healthy, const struct vk_overlay *plan,
				    void (*check)(struct damage_case *c, const void *arg, const struct damage_byte *byte),
				    const void *arg)
{
	const struct vk_edit *edits;
	size_t count = vk_overlay_edits(plan, &edits);

	for (size_t i = 0; i < count; i++) {
		const struct vk_edit *e = &edits[i];
		uint8_t *stood = malloc(e->length_bytes);

		assert_non_null(stood);
		damage_read(healthy, e->offset_bytes, stood, e->length_bytes);
		for (size_t k = 0; k < e->length_bytes; k++) {
			const struct damage_byte byte = {e->offset_bytes + k, e->old_bytes[k], e->new_bytes[k], stood[k]};

			if (byte.becomes != byte.damaged)
				check(c, arg, &byte);
		}
		free(stood);
	}
}

static inline bool wound_is_healed(const struct wound *w, struct vk_io *healthy, struct vk_io *now)
{
	for (size_t i = 0; i < w->count; i++) {
		uint8_t was[DAMAGE_SECTOR], is[DAMAGE_SECTOR];

		damage_read(healthy, w->list[i].at, was, w->list[i].len);
		damage_read(now, w->list[i].at, is, w->list[i].len);
		if (memcmp(was, is, w->list[i].len) != 0)
			return false;
	}
	return true;
}

/* Numbers first to first + count - 1 of one subject; run fills the case. */
static inline void damage_series(const char *subject, uint64_t first, uint64_t count, struct damage_show *show,
				 void (*run)(struct damage_case *c, void *arg), void *arg)
{
	struct damage_case *c = calloc(1, sizeof(*c));
	unsigned ends[DAMAGE_ENDS] = {0}, whole = 0;

	assert_non_null(c);
	for (uint64_t number = first; number < first + count; number++) {
		memset(c, 0, sizeof(*c));
		c->subject = subject;
		c->number = number;
		c->explain = show->explain;
		run(c, arg);
		ends[c->end]++;
		whole += c->whole;
		show->cases++;
		show->wrong += c->why[0] != '\0';
		if (!show->explain && (c->why[0] == '\0' || show->left == 0))
			continue;
		show->left -= show->left > 0;
		fprintf(stderr, "%s %s %llu\n", program_invocation_short_name, subject, (unsigned long long)number);
		wound_print(&c->wound);
		fputs(c->why, stderr);
	}
	fprintf(stderr, "%s: %u damages: %u mended exactly, %u guessed, %u refused, %u left; %u whole again; %u wrong\n",
		subject, show->cases, ends[DAMAGE_EXACT], ends[DAMAGE_GUESSED], ends[DAMAGE_REFUSED], ends[DAMAGE_LEFT], whole,
		show->wrong);
	free(c);
}

static inline unsigned long damage_number_of(const char *variable, unsigned long usual)
{
	const char *value = getenv(variable);

	return value != NULL && value[0] != '\0' ? strtoul(value, NULL, 10) : usual;
}

/* Runs numbers of a subject; false: it is not there. */
typedef bool damage_run_subject(size_t subject, uint64_t first, uint64_t count, struct damage_show *show);

/* The body of a cmocka test; state is the number of the subject. */
static inline void damage_test(void *state, size_t subjects, damage_run_subject *run)
{
	struct damage_show show = {.left = (unsigned)damage_number_of("DAMAGES_SHOW", 3)};

	if (!run((uintptr_t)state, damage_number_of("DAMAGES_FROM", 0), damage_number_of("DAMAGES", DAMAGES_IN_ALL / subjects),
		 &show))
		skip();
	if (show.wrong != 0)
		fail_msg("%u of %u damages were repaired wrongly", show.wrong, show.cases);
}

static inline struct CMUnitTest damage_unit_test(const char *what, const char *subject, CMUnitTestFunction function,
						 size_t index)
{
	static char names[64][80]; /* cmocka borrows them until the end */
	static size_t used;
	char *name;

	assert_true(used < sizeof(names) / sizeof(names[0]));
	name = names[used++];
	snprintf(name, sizeof(names[0]), "%s: %s", what, subject);
	return (struct CMUnitTest){.name = name, .test_func = function, .initial_state = (void *)(uintptr_t)index};
}

/* Arguments SUBJECT [NUMBER]: with a number that case is told in full, without one all of its failures. */
static inline int damage_replay(int argc, char **argv, const char *(*name)(size_t index), damage_run_subject *run)
{
	bool one = argc > 2;
	struct damage_show show = {.left = (unsigned)damage_number_of("DAMAGES_SHOW", 1000), .explain = one};

	for (size_t i = 0; name(i) != NULL; i++) {
		if (strcmp(name(i), argv[1]) != 0)
			continue;
		if (!run(i, one ? strtoull(argv[2], NULL, 10) : damage_number_of("DAMAGES_FROM", 0),
			 one ? 1 : damage_number_of("DAMAGES", DAMAGES_IN_ALL), &show))
			return 77;
		damage_print_kinds();
		return show.wrong != 0;
	}
	fprintf(stderr, "nothing is called %s\n", argv[1]);
	return 2;
}

static inline int damage_group(const char *group, const struct CMUnitTest *tests, size_t count)
{
	int failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);

	damage_print_kinds();
	return failed;
}

#endif
