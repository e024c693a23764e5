/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an array was put together in the wrong order: blocks that carry their own place lie displaced, in pieces of
 * one power of two, now this way and now that. Said only when many pieces agree.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "doctor/doctor.h"
#include "vmfskit/heartbeat.h"

enum { RUNS_LEAST = 4, BLOCKS_LEAST = 64, STRIPE_LEAST = 4096, RUNS_KEPT = 512 };
static const uint64_t window_bytes = 8ULL << 20;

/* Neighbouring slots with one displacement. */
struct run {
	uint64_t offset;  /* on the disk */
	uint64_t last;    /* its last block */
	int64_t displaced;
	uint64_t blocks;
};
struct runs {
	struct run items[RUNS_KEPT];
	size_t count;
};

static void add_block(struct runs *runs, uint64_t offset, uint64_t addr, uint64_t base)
{
	int64_t displaced = (int64_t)(offset - base - addr);
	struct run *last = runs->count > 0 ? &runs->items[runs->count - 1] : NULL;

	if (last != NULL && last->displaced == displaced) {
		last->blocks++;
		last->last = offset;
		return;
	}
	if (runs->count < RUNS_KEPT)
		runs->items[runs->count++] = (struct run){offset, offset, displaced, 1};
}

static bool collect(struct vk_doctor *doc, uint64_t base, uint64_t from, uint64_t to, struct runs *runs)
{
	uint8_t *piece = malloc(VK_CHUNK_BYTES);

	if (piece == NULL)
		return vk_doctor_fail(doc, VK_NOMEM, "no memory for a piece of the disk");
	for (uint64_t at = from; at < to; at += VK_CHUNK_BYTES) {
		size_t got = vk_doctor_read(doc, at, piece, (size_t)vk_min_u64(VK_CHUNK_BYTES, to - at));

		for (size_t i = 0; i + VK_UNIT_BYTES <= got; i += VK_UNIT_BYTES) {
			uint32_t state = vk_get_le32(piece + i);
			uint64_t addr = vk_get_le64(piece + i + 4);

			if ((state == VK_HB_FREE || state == VK_HB_IN_USE) && addr % VK_UNIT_BYTES == 0 &&
			    addr >= VK_HEARTBEATS_OFFSET && addr < 0x1000000)
				add_block(runs, at + i, addr, base);
		}
	}
	free(piece);
	return true;
}

/* The power of two that all displacements and all borders share; 0: there is none. */
static uint64_t stripe_of(const struct runs *runs, uint64_t *ret_displaced_blocks, size_t *ret_displaced_runs)
{
	uint64_t bits = 0;
	bool forth = false, back = false;

	*ret_displaced_blocks = 0;
	*ret_displaced_runs = 0;
	for (size_t i = 0; i < runs->count; i++) {
		const struct run *r = &runs->items[i];

		bits |= (uint64_t)r->displaced;
		if (i > 0)
			bits |= r->offset;
		if (r->displaced == 0)
			continue;
		forth = forth || r->displaced > 0;
		back = back || r->displaced < 0;
		++*ret_displaced_runs;
		*ret_displaced_blocks += r->blocks;
	}
	return forth && back ? bits & (~bits + 1) : 0;
}

static bool look_around(struct vk_doctor *doc, const struct vk_subject *s, struct runs *runs)
{
	const struct vk_vmfs *v = &doc->source.vmfs[s->vmfs];
	uint64_t region = vk_add_sat(s->start_bytes, v->heartbeats.offset_bytes);
	uint64_t base = region - v->heartbeats.geometry.heartbeat_offset;
	uint64_t from = region > window_bytes ? region - window_bytes : 0;
	uint64_t to = vk_min_u64(doc->source.size_bytes, vk_add_sat(region, 2 * window_bytes));
	uint64_t stripe, blocks;
	size_t displaced;
	int64_t at;
	struct vk_finding *f;

	runs->count = 0;
	from -= from % VK_UNIT_BYTES;
	if (!v->fs_expected || region < v->heartbeats.geometry.heartbeat_offset)
		return true;
	if (!collect(doc, base, from, to, runs))
		return false;
	stripe = stripe_of(runs, &blocks, &displaced);
	if (stripe < STRIPE_LEAST || displaced < RUNS_LEAST || blocks < BLOCKS_LEAST)
		return true;
	f = vk_doctor_report(doc, VK_F_INCIDENT_STRIPES, runs->items[0].offset,
			     vk_min_u64(to, runs->items[runs->count - 1].last + VK_UNIT_BYTES) - runs->items[0].offset,
			     "heartbeats lie displaced in %zu pieces, all of them by multiples of %llu bytes, "
			     "forwards and backwards", displaced, (unsigned long long)stripe);
	at = runs->items[runs->items[0].displaced != 0 ? 0 : 1].displaced;
	vk_finding_seen(f, "the first piece lies %lld bytes from its place", (long long)at);
	vk_finding_expected(f, "each slot at the offset that it carries");
	return true;
}

bool vk_doctor_look_for_stripes(struct vk_doctor *doc)
{
	struct runs *runs = calloc(1, sizeof(*runs));
	bool sound = runs != NULL;

	if (!sound)
		vk_doctor_fail(doc, VK_NOMEM, "no memory for the places of heartbeats");
	for (size_t i = 0; i < doc->subject_count && sound; i++)
		sound = look_around(doc, &doc->subjects[i], runs);
	free(runs);
	return sound;
}
