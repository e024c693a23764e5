/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damage number N of something that is sound: where and how bytes are hurt follows from a name and a number alone, so
 * one case can be had again. A map says which regions there are, and which bytes are copies of one fact.
 */
#ifndef VK_TESTS_DAMAGE_DRAW_H
#define VK_TESTS_DAMAGE_DRAW_H

#include "disk_support.h"
#include "vmfskit/overlay.h"

enum { DAMAGE_REGIONS_MAX = 48, DAMAGE_FACTS_MAX = 40, DAMAGE_COPIES_MAX = 8, DAMAGE_SECTOR = 512, WOUND_MAX = 80 };

/* A region that is hurt, with its sound bytes (the first sectors of it). */
struct damage_region {
	const char *name;
	uint64_t at;
	size_t len;
	uint8_t sound[8 * DAMAGE_SECTOR];
};
/* Places that say the same, or follow from each other. */
struct damage_fact {
	const char *name;
	size_t count;
	struct {
		uint64_t at;
		size_t len;
	} copies[DAMAGE_COPIES_MAX];
};
struct damage_map {
	size_t region_count, fact_count;
	struct damage_region regions[DAMAGE_REGIONS_MAX];
	struct damage_fact facts[DAMAGE_FACTS_MAX];
};

struct damage {
	const char *kind, *what;
	uint64_t at;
	size_t len;
	uint8_t bytes[DAMAGE_SECTOR];
};
struct wound {
	size_t count;
	struct damage list[WOUND_MAX];
};

/* splitmix64 (public domain, S. Vigna). */
static inline uint64_t damage_random(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15ULL;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
	return z ^ (z >> 31);
}

static inline size_t damage_below(uint64_t *state, size_t bound)
{
	return (size_t)(damage_random(state) % bound);
}

static inline void damage_read(struct vk_io *io, uint64_t at, void *buf, size_t len)
{
	struct vk_error err = {0};

	if (vk_io_read_all(io, at, buf, len, &err) != VK_OK)
		fail_msg("%s at %llu", err.what, (unsigned long long)at);
}

static inline void damage_add_region(struct damage_map *map, struct vk_io *healthy, const char *name, uint64_t at,
				     size_t len)
{
	struct damage_region *r = &map->regions[map->region_count++];

	assert_true(map->region_count <= DAMAGE_REGIONS_MAX);
	*r = (struct damage_region){.name = name, .at = at, .len = len < sizeof(r->sound) ? len : sizeof(r->sound)};
	damage_read(healthy, at, r->sound, r->len);
}

/* One more copy of the fact of that name; the copies of one fact are added one behind the other. */
static inline void damage_add_copy(struct damage_map *map, const char *name, uint64_t at, size_t len)
{
	struct damage_fact *f = map->fact_count > 0 ? &map->facts[map->fact_count - 1] : NULL;

	if (f == NULL || strcmp(f->name, name) != 0) {
		f = &map->facts[map->fact_count++];
		assert_true(map->fact_count <= DAMAGE_FACTS_MAX);
		*f = (struct damage_fact){.name = name};
	}
	assert_true(f->count < DAMAGE_COPIES_MAX);
	f->copies[f->count].at = at;
	f->copies[f->count++].len = len;
}

/* Lay bytes over what the overlay shows. */
static inline void damage_put(struct vk_overlay *overlay, uint64_t at, const uint8_t *bytes, size_t len)
{
	uint32_t unit = vk_io_sector_size(vk_overlay_io(overlay));
	uint8_t sectors[3 * 4096];
	uint64_t from = at - at % unit;
	size_t whole = (size_t)((at + len - from + unit - 1) / unit * unit);
	struct vk_error err = {0};

	assert_true(whole <= sizeof(sectors));
	damage_read(vk_overlay_io(overlay), from, sectors, whole);
	memcpy(sectors + (at - from), bytes, len);
	assert_int_equal(vk_overlay_put(overlay, from, sectors, whole, "damage", 0, &err), VK_OK);
}

enum damage_kind {
	DAMAGE_BIT,
	DAMAGE_BYTE,
	DAMAGE_ZEROS,
	DAMAGE_ONES,
	DAMAGE_RUN,
	DAMAGE_NEIGHBOUR,
	DAMAGE_WHOLE_SECTOR,
	DAMAGE_KINDS
};
static const char *const damage_kind_names[DAMAGE_KINDS] = {"bit", "byte", "zeros", "ones",
							    "run", "neighbour", "sector"};

static inline size_t damage_length(uint64_t *state)
{
	static const size_t usual[] = {1, 1, 2, 4, 4, 8, 8, 16, 16, 32, 64};
	size_t n = damage_below(state, 14);

	return n < 11 ? usual[n] : 1 + damage_below(state, 64);
}

static inline struct damage *damage_next(struct wound *w, const char *kind, const char *what, uint64_t at, size_t len)
{
	struct damage *d = &w->list[w->count++];

	assert_true(w->count <= WOUND_MAX && len > 0 && len <= DAMAGE_SECTOR);
	d->kind = kind;
	d->what = what;
	d->at = at;
	d->len = len;
	return d;
}

/* Bytes of that kind over the sound ones of the same place. */
static inline void damage_fill(struct damage *d, enum damage_kind kind, const uint8_t *sound, uint64_t *state)
{
	memcpy(d->bytes, sound, d->len);
	if (kind == DAMAGE_BIT)
		d->bytes[0] = (uint8_t)(d->bytes[0] ^ 1U << damage_below(state, 8));
	else if (kind == DAMAGE_ZEROS || kind == DAMAGE_ONES)
		memset(d->bytes, kind == DAMAGE_ZEROS ? 0 : 0xFF, d->len);
	else
		for (size_t i = 0; i < d->len; i++)
			d->bytes[i] = (uint8_t)damage_random(state);
}

/* What lies elsewhere in the region, or at the same place of another one. */
static inline void damage_copy_neighbour(struct damage *d, const struct damage_map *map, const struct damage_region *r,
					 uint64_t *state)
{
	const struct damage_region *other = &map->regions[damage_below(state, map->region_count)];
	const struct damage_region *from = damage_below(state, 2) == 0 ? r : other;
	size_t room = from->len > d->len ? from->len - d->len : 0;
	size_t same = (size_t)(d->at - r->at);

	if (d->len > from->len)
		d->len = from->len;
	memcpy(d->bytes, from->sound + (from != r && same <= room ? same : damage_below(state, room + 1)), d->len);
}

/* Mostly at a byte that is not zero, for there is little else in these structures. */
static inline size_t damage_place(const struct damage_region *r, uint64_t *state)
{
	size_t at = damage_below(state, r->len);

	if (damage_below(state, 5) == 0)
		return at;
	for (size_t i = 0; i < r->len; i++)
		if (r->sound[(at + i) % r->len] != 0)
			return (at + i) % r->len;
	return at;
}

static inline void damage_one_place(struct wound *w, const struct damage_map *map, uint64_t *state)
{
	static const enum damage_kind kinds[] = {DAMAGE_BIT, DAMAGE_BIT, DAMAGE_BIT, DAMAGE_BYTE, DAMAGE_BYTE, DAMAGE_ZEROS,
						 DAMAGE_ZEROS, DAMAGE_ONES, DAMAGE_RUN, DAMAGE_RUN, DAMAGE_NEIGHBOUR,
						 DAMAGE_NEIGHBOUR, DAMAGE_WHOLE_SECTOR};
	const struct damage_region *r = &map->regions[damage_below(state, map->region_count)];
	enum damage_kind kind = kinds[damage_below(state, sizeof(kinds) / sizeof(kinds[0]))];
	size_t at = damage_place(r, state);
	size_t len = kind == DAMAGE_BIT || kind == DAMAGE_BYTE ? 1 : damage_length(state);
	struct damage *d;

	if (kind == DAMAGE_WHOLE_SECTOR) {
		static const enum damage_kind whole[] = {DAMAGE_ZEROS, DAMAGE_ZEROS, DAMAGE_ONES, DAMAGE_RUN,
							 DAMAGE_NEIGHBOUR};

		kind = whole[damage_below(state, 5)];
		at = at / DAMAGE_SECTOR * DAMAGE_SECTOR;
		len = DAMAGE_SECTOR;
	}
	if (len > r->len - at)
		len = r->len - at;
	d = damage_next(w, damage_kind_names[kind], r->name, r->at + at, len);
	if (kind == DAMAGE_NEIGHBOUR)
		damage_copy_neighbour(d, map, r, state);
	else
		damage_fill(d, kind, r->sound + at, state);
}

/*
 * Copy number `copy` of a fact, so that no two copies become wrong alike: another bit than in the others (three
 * bits on: one copy may count bytes and another sectors), a byte that differs from the sound one in another way.
 */
static inline void damage_fill_copy(struct damage *d, enum damage_kind kind, const uint8_t *sound, size_t copy,
				    size_t bit, uint64_t *state)
{
	damage_fill(d, kind, sound, state);
	if (kind == DAMAGE_BIT)
		d->bytes[0] = (uint8_t)(sound[0] ^ 1U << (bit + 3 * copy) % 8);
	if (kind != DAMAGE_BYTE && kind != DAMAGE_RUN)
		return;
	while ((d->bytes[0] ^ sound[0]) % 7 != copy % 7 || d->bytes[0] == sound[0])
		d->bytes[0] = (uint8_t)damage_random(state);
}

/*
 * The same kind of damage in several copies of one fact. All of a copy may become zeros or ones: that is no witness.
 * But copies that say the same wrong thing would be believed, and nothing could tell that they are not right.
 */
static inline void damage_one_fact(struct wound *w, const struct damage_map *map, struct vk_io *healthy,
				   uint64_t *state)
{
	static const enum damage_kind kinds[] = {DAMAGE_BIT, DAMAGE_BYTE, DAMAGE_ZEROS, DAMAGE_ZEROS, DAMAGE_ONES, DAMAGE_RUN};
	const struct damage_fact *f = &map->facts[damage_below(state, map->fact_count)];
	enum damage_kind kind = kinds[damage_below(state, sizeof(kinds) / sizeof(kinds[0]))];
	size_t hit = f->count < 2 ? f->count : 2 + damage_below(state, f->count - 1);
	bool whole = kind != DAMAGE_BIT && kind != DAMAGE_BYTE && damage_below(state, 3) != 0;
	size_t first = damage_below(state, f->count), bit = damage_below(state, 8);

	for (size_t i = 0; i < hit; i++) {
		uint64_t at = f->copies[(first + i) % f->count].at;
		size_t len = f->copies[(first + i) % f->count].len;
		uint8_t sound[DAMAGE_SECTOR];

		if (len > DAMAGE_SECTOR)
			len = DAMAGE_SECTOR;
		if (!whole) {
			/* each copy in its own part of it */
			size_t from = len * i / hit, to = len * (i + 1) / hit, part = from;

			if (to > from)
				part += damage_below(state, to - from);
			at += part;
			len = kind == DAMAGE_BIT || kind == DAMAGE_BYTE || to <= part ? 1 : 1 + damage_below(state, to - part);
		}
		damage_read(healthy, at, sound, len);
		damage_fill_copy(damage_next(w, damage_kind_names[kind], f->name, at, len), kind, sound, i, bit, state);
	}
}

/* What stands there as a number, a little more or less: a count, a sector, an extent. */
static inline void damage_slip(struct wound *w, const struct damage_map *map, uint64_t *state)
{
	static const uint64_t steps[] = {1, 2, 8, 34, 63, 512, 2048, 65536, 1 << 20, 1 << 28};
	const struct damage_region *r = &map->regions[damage_below(state, map->region_count)];
	size_t len = damage_below(state, 2) == 0 ? 4 : 8, at = damage_place(r, state);
	uint64_t value = 0, step = steps[damage_below(state, 10)];
	struct damage *d;

	if (at + len > r->len)
		len = r->len - at;
	d = damage_next(w, "slip", r->name, r->at + at, len);
	for (size_t i = 0; i < len; i++)
		value |= (uint64_t)r->sound[at + i] << 8 * i;
	value += damage_below(state, 2) == 0 ? step : -step;
	for (size_t i = 0; i < len; i++)
		d->bytes[i] = (uint8_t)(value >> 8 * i);
}

/* Bytes that moved: the rest of a sector some bytes up or down, or the places of two stretches exchanged. */
static inline void damage_move(struct wound *w, const struct damage_map *map, uint64_t *state)
{
	const struct damage_region *r = &map->regions[damage_below(state, map->region_count)];
	size_t sector = r->len < DAMAGE_SECTOR ? r->len : DAMAGE_SECTOR, len = 1 + damage_below(state, 64);
	size_t a = damage_place(r, state) % sector, b = damage_place(r, state) % sector;

	if (damage_below(state, 2) == 0) {
		size_t by = 1 + damage_below(state, 8);
		struct damage *d = damage_next(w, "shifted", r->name, r->at + a, sector - a);

		for (size_t i = 0; i < d->len; i++)
			d->bytes[i] = i + by < d->len ? r->sound[a + i + by] : 0;
		return;
	}
	len = len > sector - a ? sector - a : len;
	len = len > sector - b ? sector - b : len;
	memcpy(damage_next(w, "exchanged", r->name, r->at + a, len)->bytes, r->sound + b, len);
	memcpy(damage_next(w, "exchanged", r->name, r->at + b, len)->bytes, r->sound + a, len);
}

/* A part of one copy of a fact over a copy of another one: a write that tore, or went to the wrong place. */
static inline void damage_torn(struct wound *w, const struct damage_map *map, struct vk_io *healthy, uint64_t *state)
{
	const struct damage_fact *f = &map->facts[damage_below(state, map->fact_count)];
	const struct damage_fact *from = &map->facts[damage_below(state, map->fact_count)];
	size_t to = damage_below(state, f->count), source = damage_below(state, from->count);
	size_t len = f->copies[to].len < from->copies[source].len ? f->copies[to].len : from->copies[source].len;
	struct damage *d;

	if (len > DAMAGE_SECTOR)
		len = DAMAGE_SECTOR;
	len = 1 + damage_below(state, len);
	d = damage_next(w, "torn", f->name, f->copies[to].at, len);
	damage_read(healthy, from->copies[source].at, d->bytes, len);
}

/* From this number on damage is heavier, and of kinds that an adversary would try. */
enum { DAMAGE_HARD_FROM = 5000, DAMAGE_HARD_PLACES = 8 };

static inline void damage_one_hard(struct wound *w, const struct damage_map *map, struct vk_io *healthy,
				   uint64_t *state)
{
	size_t how = damage_below(state, map->fact_count > 0 ? 8 : 3);

	if (how < 2)
		damage_slip(w, map, state);
	else if (how == 2)
		damage_move(w, map, state);
	else if (how < 5)
		damage_torn(w, map, healthy, state);
	else
		damage_one_fact(w, map, healthy, state);
}

/* Damage number `number` of what is called `name`. */
static inline void wound_draw(struct wound *w, const struct damage_map *map, struct vk_io *healthy, const char *name,
			      uint64_t number)
{
	static const unsigned usual[] = {1, 1, 1, 1, 2, 2, 2, 3, 3, 4};
	uint64_t state = 0xCBF29CE484222325ULL;
	unsigned places;

	for (const char *c = name; *c != '\0'; c++)
		state = (state ^ (uint8_t)*c) * 0x100000001B3ULL;
	state ^= number * 0xD1342543DE82EF95ULL;
	places = usual[damage_below(&state, sizeof(usual) / sizeof(usual[0]))];
	if (number >= DAMAGE_HARD_FROM)
		places = 1 + (unsigned)damage_below(&state, DAMAGE_HARD_PLACES);
	w->count = 0;
	for (unsigned i = 0; i < places && w->count + DAMAGE_COPIES_MAX <= WOUND_MAX; i++) {
		if (number >= DAMAGE_HARD_FROM && damage_below(&state, 2) == 0)
			damage_one_hard(w, map, healthy, &state);
		else if (map->fact_count > 0 && damage_below(&state, 3) == 0)
			damage_one_fact(w, map, healthy, &state);
		else
			damage_one_place(w, map, &state);
	}
}

static inline void wound_apply(const struct wound *w, struct vk_overlay *overlay)
{
	for (size_t i = 0; i < w->count; i++)
		damage_put(overlay, w->list[i].at, w->list[i].bytes, w->list[i].len);
}

static inline void wound_print(const struct wound *w)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct damage *d = &w->list[i];

		fprintf(stderr, "  damage: %s in %s, at 0x%llx:", d->kind, d->what, (unsigned long long)d->at);
		for (size_t k = 0; k < d->len && k < 64; k++)
			fprintf(stderr, " %02x", d->bytes[k]);
		fprintf(stderr, "%s (%zu)\n", d->len > 64 ? " ..." : "", d->len);
	}
}

#endif
