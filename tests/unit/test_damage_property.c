/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A repair of headers puts back what stood there, or says that it is not known and asks for guard guess, or leaves it:
 * thousands of random damages of the real volumes and of lab volumes, and not one exception.
 *
 * One case again: test_damage_property VOLUME NUMBER. What the environment can ask for: damage_run.h.
 */
#include "damage_header.h"
#include "damage_run.h"
#include "header_bench.h"
#include "real_volumes.h"

struct subject {
	const char *name;
	const char *spec;                /* of a lab volume; NULL: a real one of that name */
	uint64_t extent_bytes;
	size_t extents, member;
};
static const struct subject subjects[] = {
	{"real3", NULL, 0, 0, 0},
	{"real5", NULL, 0, 0, 0},
	{"real6", NULL, 0, 0, 0},
	{"lab3", "version=3,label=mail store", 5 * GIB + 100 * 512, 1, 0},
	{"lab5", "version=5,label=mail store,live=3", 5 * GIB + 100 * 512, 1, 0},
	{"lab6", "version=6,label=mail store", 5 * GIB + 100 * 512, 1, 0},
	{"lab6l", "version=6l,label=OSDATA", 120 * GIB + 512, 1, 0},
	{"lab3-8M", "version=3,label=volumes,block-size=8M,live=2", 700 * GIB, 1, 0},
	{"lab5-head", "version=5,label=two disks", 3 * GIB, 2, 0},
	{"lab5-member", "version=5,label=two disks", 3 * GIB, 2, 1},
};
enum { SUBJECTS = sizeof(subjects) / sizeof(subjects[0]) };

/* One volume, sound and as its damage is repaired. */
struct state {
	const struct subject *subject;
	struct vk_vmfs healthy;
	struct damage_map map;
	struct header_bench b;
};

/* The entry of the plan that speaks of that byte: the one with the fewest bytes, of equals one that is called exact. */
static const struct vk_rebuilt_field *field_of(const struct vk_rebuild_header *h, uint64_t at)
{
	const struct vk_rebuilt_field *best = NULL;

	for (size_t i = 0; i < h->field_count; i++) {
		const struct vk_rebuilt_field *f = &h->fields[i];

		if (at - f->at_bytes >= f->len_bytes)
			continue;
		if (best == NULL || f->len_bytes < best->len_bytes ||
		    (f->len_bytes == best->len_bytes && vk_field_origin_exact(f->origin)))
			best = f;
	}
	return best;
}

/* Each changed byte is what stood there or is said to be a guess, and lies in what the plan names. */
static void check_byte(struct damage_case *c, const void *arg, const struct damage_byte *byte)
{
	const struct vk_rebuild_header *h = arg;
	const struct vk_rebuilt_field *f = field_of(h, byte->at);
	bool exact = f == NULL || vk_field_origin_exact(f->origin);
	char kind[160];

	if (f == NULL)
		snprintf(kind, sizeof(kind), "byte changed in no field (%s)",
			 byte->becomes == byte->stood ? "rightly" : "not what stood there");
	else if (byte->becomes == byte->stood || (!exact && h->guessed))
		return;
	else
		snprintf(kind, sizeof(kind), "%s.%s %s%s", f->layout->name, f->field != NULL ? f->field->name : "as a whole",
			 vk_field_origin_name(f->origin), exact ? "" : " without guard");
	damage_wrong(c, kind, "0x%llx: %02x, becomes %02x, stood %02x; \"%s\" -> \"%s\" from %s", (unsigned long long)byte->at,
		     byte->damaged, byte->becomes, byte->stood, f != NULL ? f->was : "", f != NULL ? f->is : "",
		     f != NULL ? f->from : "nothing");
}

/* Where that structure lies: what "intact" would speak of. */
static bool structure_place(const struct vk_vmfs *v, enum vk_header_structure s, uint64_t *ret_at, size_t *ret_len)
{
	const struct vk_fs_geometry *g = &v->heartbeats.geometry;

	*ret_at = s == VK_HS_LVM_HEADER ? VK_LVM_HEADER_OFFSET :
		  s == VK_HS_VOLUME ? v->volumes[0].offset_bytes :
		  s == VK_HS_PE_TABLES ? v->geometry.first_bitmap :
		  s == VK_HS_SD_TABLE ? v->geometry.sd_table :
		  s == VK_HS_FS_DESCRIPTOR ? v->fs_offset_bytes : v->heartbeats.offset_bytes;
	*ret_len = s == VK_HS_PE_TABLES ? v->geometry.bitmap_bytes + (size_t)v->lvm.numPEs * VK_LVM_PE_STRIDE :
		   s == VK_HS_SD_TABLE ? VK_LVM_SD_BYTES * VK_LVM_SD_ENTRIES :
		   s == VK_HS_HEARTBEATS ? (size_t)(g->heartbeat_end - g->heartbeat_offset) : 512;
	return v->fs_expected || (s != VK_HS_FS_DESCRIPTOR && s != VK_HS_HEARTBEATS);
}

/* Words that promise every byte may stand only where every byte is what it was. */
static bool promises(const char *text)
{
	static const char *const words[] = {"intact", "sound", "proved", "100 %"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *at = strstr(text, words[i]);

		if (at != NULL && (at - text < 4 || memcmp(at - 4, "not ", 4) != 0))
			return true;
	}
	return false;
}

static void check_verdicts(struct damage_case *c, struct header_bench *b, const struct vk_vmfs *healthy)
{
	for (unsigned s = 0; s < VK_HS_COUNT; s++) {
		const struct vk_header_verdict *v = &b->header.verdicts[s];
		const char *state = vk_structure_state_name(v->state);
		char kind[100];
		uint64_t at;
		size_t len;

		if ((!promises(state) && !promises(v->why)) || !structure_place(healthy, s, &at, &len) ||
		    header_bench_same(b, at, len))
			continue;
		snprintf(kind, sizeof(kind), "%s called %s", vk_header_structure_name(s), state);
		damage_wrong(c, kind, "and is not what it was: %s", v->why);
	}
}

/* The plan of the plan is empty. */
static void check_again(struct damage_case *c, struct header_bench *b)
{
	struct vk_overlay *again = vk_overlay_new(vk_overlay_io(b->plan));
	struct vk_rebuild_header header;
	struct vk_error err = {0};

	assert_non_null(again);
	if (rebuild_of(vk_overlay_io(b->plan), 0, b->length_bytes, 512, NULL, again, &header, &err) != VK_OK) {
		damage_wrong(c, "a second repair refuses", "%s", err.what);
	} else {
		const struct vk_rebuilt_field *f = header.fields;

		if (vk_overlay_dirty_bytes(again) != 0)
			damage_wrong(c, "a second repair changes more", "%s.%s: \"%s\" -> \"%s\" from %s", f != NULL ? f->layout->name : "",
			      f != NULL && f->field != NULL ? f->field->name : "", f != NULL ? f->was : "", f != NULL ? f->is : "",
			      f != NULL ? f->from : "");
		vk_rebuild_header_free(&header);
	}
	vk_overlay_free(again);
}

static void run_case(struct damage_case *c, void *arg)
{
	struct state *s = arg;
	struct header_bench *b = &s->b;
	enum vk_status status;

	header_bench_reset(b);
	/* every fourth time nobody knows where the partition ends */
	b->length_bytes = c->number % 4 == 3 ? 0 : s->healthy.partition_bytes;
	wound_draw(&c->wound, &s->map, b->sound, c->subject, c->number);
	wound_apply(&c->wound, b->damage);
	if (c->explain)
		setenv("HEADER_BENCH_SHOW", "1", 0);
	status = header_bench_plan(b, NULL);
	if (status != VK_OK) {
		c->end = DAMAGE_REFUSED;
		if (status != VK_ABSENT && status != VK_UNSUPPORTED)
			damage_wrong(c, "a status that damage must not bring about", "%d, %s", status, b->err.what);
		return;
	}
	damage_each_byte(c, b->sound, b->plan, check_byte, &b->header);
	check_verdicts(c, b, &s->healthy);
	check_again(c, b);
	c->end = vk_overlay_dirty_bytes(b->plan) == 0 ? DAMAGE_LEFT : b->header.guessed ? DAMAGE_GUESSED : DAMAGE_EXACT;
	c->whole = wound_is_healed(&c->wound, b->sound, vk_overlay_io(b->plan));
}

static struct vk_io *subject_open(const struct subject *s, uint64_t *ret_partition_bytes)
{
	if (s->spec != NULL) {
		*ret_partition_bytes = s->extent_bytes;
		return header_bench_lab(s->spec, s->extent_bytes, s->extents, s->member);
	}
	for (size_t i = 0; i < REAL_VOLUMES; i++) {
		*ret_partition_bytes = real_volumes[i].partition_bytes;
		if (strcmp(real_volumes[i].name, s->name) == 0)
			return real_volume_open(&real_volumes[i]);
	}
	return NULL;
}

/* False: it is not there. */
static bool state_open(struct state *s, size_t index)
{
	struct vk_error err = {0};
	struct vk_io *io;

	memset(s, 0, sizeof(*s));
	s->subject = &subjects[index];
	io = subject_open(s->subject, &s->healthy.partition_bytes);
	if (io == NULL)
		return false;
	header_bench_open(&s->b, io);
	assert_int_equal(vk_vmfs_read(io, NULL, &s->healthy, &err), VK_OK);
	return true;
}

static void state_close(struct state *s)
{
	vk_vmfs_free(&s->healthy);
	header_bench_close(&s->b);
}

static bool run_subject(size_t index, uint64_t first, uint64_t count, struct damage_show *show)
{
	struct state *s = malloc(sizeof(*s));
	bool there;

	assert_non_null(s);
	there = state_open(s, index);
	if (there) {
		damage_map_header(&s->map, s->b.sound, s->healthy.partition_bytes);
		damage_series(s->subject->name, first, count, show, run_case, s);
		state_close(s);
	}
	free(s);
	return there;
}

static const char *subject_name(size_t index)
{
	return index < SUBJECTS ? subjects[index].name : NULL;
}

static void nothing_right_is_changed(void **state)
{
	damage_test(*state, SUBJECTS, run_subject);
}

/* What at least two others tell is mended exactly when nothing else is damaged: refusing everything is no repair. */
static void mends_one(struct header_bench *b, const char *volume, const char *what, uint64_t at, size_t len)
{
	static const uint8_t fill[] = {0x00, 0xFF, 0xA7};
	uint8_t bytes[DAMAGE_SECTOR];

	for (size_t i = 0; i < sizeof(fill); i++) {
		header_bench_reset(b);
		memset(bytes, fill[i], len);
		damage_put(b->damage, at, bytes, len);
		if (header_bench_plan(b, NULL) != VK_OK)
			fail_msg("%s, %s filled with %02x: %s", volume, what, fill[i], b->err.what);
		if (b->header.guessed || !header_bench_same(b, at, len))
			fail_msg("%s, %s filled with %02x: %s", volume, what, fill[i],
				 b->header.guessed ? "a guess" : "not what stood there");
	}
}

static const struct damage_row told_by_others[] = {
	{"", 'D', "magic", 0, 0}, {"", 'D', "numPEs", 0, 0}, {"", 'D', "lastPEIndex", 0, 0},
	{"", 'V', "logicalSize", 0, 0}, {"", 'V', "numPEs", 0, 0}, {"", 'V', "lastPE", 0, 0}, {"", 'V', "name", 0, 0},
	{"", 'V', "uuid", 0, 0}, {"", 'F', "volInfo", 0, 0}, {"", 'F', "magic", 0, 0},
};

static void single_damage_is_mended_exactly(void **state)
{
	struct state s;
	const struct vk_vmfs *v = &s.healthy;

	if (!state_open(&s, (uintptr_t)*state))
		skip();
	s.b.length_bytes = v->partition_bytes;
	for (size_t i = 0; i < sizeof(told_by_others) / sizeof(told_by_others[0]); i++) {
		const struct damage_row *row = &told_by_others[i];
		uint64_t at;
		size_t len;

		/* how much of a volume lies on its other disks only they tell */
		if (s.subject->extents > 1 && strcmp(row->field, "logicalSize") == 0)
			continue;
		/* and without a file-system descriptor name and uuid have one other copy only */
		if (!v->fs_expected && (strcmp(row->field, "name") == 0 || strcmp(row->field, "uuid") == 0))
			continue;
		/* that a VMFS5 is no VMFS-L only its config says beside its magic */
		if (row->structure == 'F' && strcmp(row->field, "magic") == 0 && v->lvm.majorVersion == 5)
			continue;
		if (damage_row_place(row, v, &at, &len))
			mends_one(&s.b, s.subject->name, row->field, at, len);
	}
	mends_one(&s.b, s.subject->name, "PE bitmap", v->geometry.first_bitmap, 8);
	if (v->lvm.numPEs > 1)
		mends_one(&s.b, s.subject->name, "PE 0", v->geometry.first_bitmap + v->geometry.bitmap_bytes, VK_LVM_PE_BYTES_USED);
	state_close(&s);
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[2 * SUBJECTS];

	if (argc > 1)
		return damage_replay(argc, argv, subject_name, run_subject);
	for (size_t i = 0; i < SUBJECTS; i++) {
		tests[i] = damage_unit_test("nothing_right_is_changed", subject_name(i), nothing_right_is_changed, i);
		tests[SUBJECTS + i] = damage_unit_test("single_damage_is_mended_exactly", subject_name(i),
						       single_damage_is_mended_exactly, i);
	}
	return damage_group("damage_property", tests, sizeof(tests) / sizeof(tests[0]));
}
