/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A repair of a table puts back what stood there, or says that it is not known and asks for guard guess, or leaves it:
 * thousands of random damages of the real disks and of lab disks of each kind, and not one exception.
 *
 * One case again: test_damage_table DISK NUMBER. What the environment can ask for: damage_run.h.
 */
#include "damage_run.h"
#include "damage_table_said.h"
#include "vmfskit/doctor.h"

/* Every so many numbers the whole disk is searched instead of the likely places, or the doctor is asked, too. */
enum { SCAN_EVERY = 8, DOCTOR_EVERY = 4 };

static void check_byte(struct damage_case *c, const void *arg, const struct damage_byte *byte)
{
	const struct state *s = arg;
	const struct vk_rebuild_table *t = &s->r.table;
	bool other = t->kind != s->healthy.table.kind;
	char name[100], kind[160];
	enum said said;

	if (byte->becomes == byte->stood)
		return;
	said = t->kind == VK_TABLE_GPT ? said_of_gpt_byte(s, byte->at, name, sizeof(name)) :
					 said_of_mbr_byte(s, byte->at, name, sizeof(name));
	if (other)
		snprintf(name, sizeof(name), "a table of another kind");
	if ((said == SAID_OPEN || other) && t->guessed)
		return;
	snprintf(kind, sizeof(kind), "%s%s", name, said == SAID_OPEN ? ", not exact, without guard" : "");
	damage_wrong(c, kind, "0x%llx: %02x, becomes %02x, stood %02x", (unsigned long long)byte->at, byte->damaged,
		     byte->becomes, byte->stood);
}

static const struct vk_partition *partition_was(const struct state *s, uint64_t start)
{
	for (size_t i = 0; i < s->healthy.table.partition_count; i++)
		if (s->healthy.table.partitions[i].start_sector == start)
			return &s->healthy.table.partitions[i];
	return NULL;
}

/* An entry that is called exact is the one that stood there. */
static void check_entries(struct damage_case *c, const struct state *s)
{
	for (size_t i = 0; i < s->r.table.entry_count; i++) {
		const struct vk_planned_entry *e = &s->r.table.entries[i];
		const struct vk_partition *p = &e->partition, *was = partition_was(s, p->start_sector);
		size_t len = p->gpt ? VK_GPT_ENTRY_BYTES : VK_MBR_ENTRY_BYTES;
		uint8_t before[VK_GPT_ENTRY_BYTES] = {0}, after[VK_GPT_ENTRY_BYTES] = {1};
		char kind[100];

		if (e->bytes_exact && was != NULL) {
			damage_read(s->disk, was->entry_offset_bytes, before, len);
			damage_read(vk_overlay_io(s->plan), p->entry_offset_bytes != 0 ? p->entry_offset_bytes :
				    2ULL * s->healthy.sector_size + (p->number - 1ULL) * VK_GPT_ENTRY_BYTES, after, len);
		}
		if (e->bytes_exact && (was == NULL || memcmp(before, after, len) != 0)) {
			snprintf(kind, sizeof(kind), "entry called exact, byte for byte (%s, %s)", p->gpt ? "GPT" : "MBR",
				 vk_entry_origin_name(e->origin));
			damage_wrong(c, kind, "partition %u at sector %llu", p->number, (unsigned long long)p->start_sector);
		} else if (e->length_exact && (was == NULL || was->sectors != p->sectors)) {
			snprintf(kind, sizeof(kind), "entry with a wrong end that is called exact (%s, %s)", p->gpt ? "GPT" : "MBR",
				 vk_entry_origin_name(e->origin));
			damage_wrong(c, kind, "partition %u at sector %llu: %llu sectors, not %llu; %s", p->number,
				     (unsigned long long)p->start_sector, (unsigned long long)p->sectors,
				     was != NULL ? (unsigned long long)was->sectors : 0, e->why);
		}
	}
}

static void check_part(struct damage_case *c, const struct state *s, enum vk_table_part part, uint64_t at, size_t len)
{
	static uint8_t was[ARRAY_BYTES], is[ARRAY_BYTES];
	char kind[100];

	damage_read(s->disk, at, was, len);
	damage_read(vk_overlay_io(s->damage), at, is, len);
	if (memcmp(was, is, len) == 0)
		return;
	snprintf(kind, sizeof(kind), "%s of %s called sound", vk_table_part_name(part),
		 s->healthy.table.kind == VK_TABLE_GPT ? "a GPT disk" : "an MBR disk");
	damage_wrong(c, kind, "and is not what it was");
}

/* What is called sound is now what it was before the damage: the table's own bytes of it. */
static void check_parts(struct damage_case *c, const struct state *s)
{
	const size_t mbr = VK_MBR_BYTES - VK_MBR_ENTRY_OFFSET;
	const size_t lengths[VK_TP_COUNT] = {mbr, VK_GPT_HEADER_BYTES, ARRAY_BYTES, ARRAY_BYTES, VK_GPT_HEADER_BYTES, mbr};

	for (unsigned i = 0; i < VK_TP_COUNT; i++) {
		const struct vk_table_part_verdict *part = &s->r.table.parts[i];

		if (part->state != VK_PART_STATE_SOUND)
			continue;
		if (i != VK_TP_EBR)
			check_part(c, s, i, part->offset_bytes + (i == VK_TP_MBR ? VK_MBR_ENTRY_OFFSET : 0), lengths[i]);
		for (size_t k = 0; i == VK_TP_EBR && k < s->healthy.table.ebr_count; k++)
			check_part(c, s, i, s->healthy.table.ebr_lbas[k] * 512 + VK_MBR_ENTRY_OFFSET, lengths[i]);
	}
}

/* By chance an entry and a header may have become wrong alike: nothing could tell. */
static bool wrong_alike(const struct state *s, const struct vk_candidate *f)
{
	const struct vk_table *t = &s->r.source.table;

	for (size_t i = 0; i < t->partition_count; i++)
		if (t->partitions[i].start_sector * t->sector_size == f->start_bytes)
			return f->lvm.totalBytes == f->length_bytes &&
			       t->partitions[i].sectors * t->sector_size == f->length_bytes;
	return false;
}

/* A length that find calls exact is the one that the volume's header had. */
static void check_found(struct damage_case *c, const struct state *s)
{
	for (size_t i = 0; i < s->r.find.count; i++) {
		const struct vk_candidate *f = &s->r.find.candidates[i];
		bool known = false;

		if (!f->length_exact || vk_standing_is_ghost(f->standing))
			continue;
		for (size_t k = 0; k < s->healthy.vmfs_count; k++)
			known = known || (s->healthy.vmfs[k].start_sector * s->healthy.sector_size == f->start_bytes &&
					  s->healthy.vmfs[k].lvm.totalBytes == f->length_bytes);
		if (!known && !wrong_alike(s, f))
			damage_wrong(c, f->standing == VK_STANDING_LIVING ? "find: living, a length that is called exact" :
									    "find: a length that is called exact",
				     "%llu bytes from byte %llu on, %u %%", (unsigned long long)f->length_bytes,
				     (unsigned long long)f->start_bytes, f->sure_percent);
	}
}

static bool same_bytes(const struct state *s, uint64_t at, uint64_t len)
{
	uint8_t was[DAMAGE_SECTOR], is[DAMAGE_SECTOR];

	for (; len > 0; at += DAMAGE_SECTOR, len -= DAMAGE_SECTOR) {
		damage_read(s->disk, at, was, sizeof(was));
		damage_read(vk_overlay_io(s->damage), at, is, sizeof(is));
		if (memcmp(was, is, sizeof(was)) != 0)
			return false;
	}
	return true;
}

/* What the doctor calls intact is what it was. */
static void check_doctor(struct damage_case *c, const struct state *s)
{
	const struct vk_doctor_options options = {.sector_size = s->subject->sector_size, .live_id = ""};
	struct vk_io *view = vk_io_window(vk_overlay_io(s->damage), 0, vk_io_size_bytes(s->disk));
	struct vk_diagnosis d;
	struct vk_error err = {0};

	assert_non_null(view);
	vk_io_set_sector_size(view, s->subject->sector_size);
	must(vk_diagnose(view, "disk", &options, &d, &err), &err);
	for (size_t i = 0; i < d.range_count; i++)
		if (d.ranges[i].damage == VK_DAMAGE_INTACT && !same_bytes(s, d.ranges[i].offset_bytes, d.ranges[i].length_bytes))
			damage_wrong(c, "doctor: intact, and not what it was", "%s", d.ranges[i].what);
	vk_diagnosis_free(&d);
}

static void think(const struct state *s, struct vk_overlay *below, struct vk_overlay *plan, uint64_t number,
		  struct rebuilt *r)
{
	const struct vk_find_options options = {.likely_only = number % SCAN_EVERY != SCAN_EVERY - 1};
	const struct vk_rebuild_table_options none = {.label = VK_TABLE_NONE};

	memset(r, 0, sizeof(*r));
	r->overlay = plan;
	table_source(vk_overlay_io(below), s->subject->sector_size, &r->source);
	must(vk_find(&r->source, &options, &r->find, &r->err), &r->err);
	r->status = vk_rebuild_table(&r->source, &r->find, &none, plan, &r->table, &r->err);
}

static void forget(struct rebuilt *r)
{
	if (r->status == VK_OK)
		vk_rebuild_table_free(&r->table);
	vk_find_free(&r->find);
	vk_source_close(&r->source);
}

static void check_again(struct damage_case *c, const struct state *s)
{
	struct vk_overlay *plan = vk_overlay_new(vk_overlay_io(s->plan));
	struct rebuilt r;

	assert_non_null(plan);
	think(s, s->plan, plan, c->number, &r);
	if (r.status != VK_OK)
		damage_wrong(c, "a second repair refuses", "%s", r.err.what);
	else if (vk_overlay_dirty_bytes(plan) != 0)
		damage_wrong(c, "a second repair changes more", "%llu bytes", (unsigned long long)vk_overlay_dirty_bytes(plan));
	forget(&r);
	vk_overlay_free(plan);
}

static void run_case(struct damage_case *c, void *arg)
{
	struct state *s = arg;

	s->damage = vk_overlay_new(s->disk);
	assert_non_null(s->damage);
	wound_draw(&c->wound, &s->map, s->disk, c->subject, c->number);
	wound_apply(&c->wound, s->damage);
	s->plan = vk_overlay_new(vk_overlay_io(s->damage));
	assert_non_null(s->plan);
	think(s, s->damage, s->plan, c->number, &s->r);
	check_found(c, s);
	if (c->number % DOCTOR_EVERY == 1)
		check_doctor(c, s);
	if (s->r.status != VK_OK) {
		c->end = DAMAGE_REFUSED;
		if (s->r.status != VK_ABSENT && s->r.status != VK_USAGE && s->r.status != VK_REFUSED)
			damage_wrong(c, "a status that damage must not bring about", "%d, %s", s->r.status, s->r.err.what);
	} else {
		damage_each_byte(c, s->disk, s->plan, check_byte, s);
		check_entries(c, s);
		check_parts(c, s);
		check_again(c, s);
		c->end = vk_overlay_dirty_bytes(s->plan) == 0 ? DAMAGE_LEFT : s->r.table.guessed ? DAMAGE_GUESSED : DAMAGE_EXACT;
		c->whole = wound_is_healed(&c->wound, s->disk, vk_overlay_io(s->plan));
	}
	if (c->explain)
		rebuilt_print(&s->r);
	forget(&s->r);
	vk_overlay_free(s->plan);
	vk_overlay_free(s->damage);
}

/* Zeros over one sector of one copy: the other one proves what stood there. */
static void mends_sector(struct damage_case *c, struct state *s, const char *what, uint64_t at)
{
	c->wound.count = 0;
	memset(damage_next(&c->wound, "zeros", what, at, DAMAGE_SECTOR)->bytes, 0, DAMAGE_SECTOR);
	s->damage = vk_overlay_new(s->disk);
	assert_non_null(s->damage);
	wound_apply(&c->wound, s->damage);
	s->plan = vk_overlay_new(vk_overlay_io(s->damage));
	assert_non_null(s->plan);
	think(s, s->damage, s->plan, 0, &s->r);
	if (s->r.status != VK_OK || s->r.table.guessed || !wound_is_healed(&c->wound, s->disk, vk_overlay_io(s->plan))) {
		rebuilt_print(&s->r);
		fail_msg("%s: zeros in the %s are not mended exactly", s->subject->name, what);
	}
	forget(&s->r);
	vk_overlay_free(s->plan);
	vk_overlay_free(s->damage);
}

static void one_copy_is_mended_exactly(void **state)
{
	static struct state s;
	static struct damage_case c;
	uint64_t ss, last;

	memset(&s, 0, sizeof(s));
	s.subject = &table_subjects[(uintptr_t)*state];
	s.disk = table_subject_open(s.subject);
	if (s.disk == NULL)
		skip();
	table_source(s.disk, s.subject->sector_size, &s.healthy);
	ss = s.subject->sector_size;
	last = vk_io_size_bytes(s.disk) - ss;
	mends_sector(&c, &s, "primary GPT header", ss);
	mends_sector(&c, &s, "primary GPT entries", 2 * ss);
	mends_sector(&c, &s, "backup GPT entries", last - ARRAY_BYTES);
	mends_sector(&c, &s, "backup GPT header", last);
	vk_source_close(&s.healthy);
	vk_io_close(s.disk);
}

static bool run_subject(size_t index, uint64_t first, uint64_t count, struct damage_show *show)
{
	struct state *s = calloc(1, sizeof(*s));
	bool there;

	assert_non_null(s);
	s->subject = &table_subjects[index];
	s->disk = table_subject_open(s->subject);
	there = s->disk != NULL;
	if (there) {
		table_source(s->disk, s->subject->sector_size, &s->healthy);
		damage_map_table(&s->map, s->disk, &s->healthy);
		damage_series(s->subject->name, first, count, show, run_case, s);
		vk_source_close(&s->healthy);
		vk_io_close(s->disk);
	}
	free(s);
	return there;
}

static const char *subject_name(size_t index)
{
	return index < TABLE_SUBJECTS ? table_subjects[index].name : NULL;
}

static void nothing_right_is_changed(void **state)
{
	damage_test(*state, TABLE_SUBJECTS, run_subject);
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[2 * TABLE_SUBJECTS];
	size_t count = 0;

	if (argc > 1)
		return damage_replay(argc, argv, subject_name, run_subject);
	for (size_t i = 0; i < TABLE_SUBJECTS; i++) {
		tests[count++] = damage_unit_test("nothing_right_is_changed", subject_name(i), nothing_right_is_changed, i);
		if (table_subjects[i].kind == VK_TABLE_GPT)
			tests[count++] = damage_unit_test("one_copy_is_mended_exactly", subject_name(i),
							  one_copy_is_mended_exactly, i);
	}
	return damage_group("damage_table", tests, count);
}
