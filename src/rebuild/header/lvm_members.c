/* SPDX-License-Identifier: Apache-2.0 */
/* What the other extents of the volume say for this one: each is one witness, and none is believed alone. */
#include <string.h>

#include "base/bytes.h"
#include "rebuild/header/lvm_case.h"

enum { WITNESSES_MAX = VK_LVM_SD_ENTRIES + 1 };

/* Volume descriptors that say something: that of this device first, when it is believed, then those of the others. */
struct witnesses {
	const struct vk_lvm_volume *of[WITNESSES_MAX];
	const char *name[WITNESSES_MAX];
	size_t count, first_member;
};

static const struct vk_lvm_volume *volume_of(const struct vk_known_header *known)
{
	const struct vk_vmfs *k = vk_lvm_known_decoded(known);

	return k != NULL ? &k->volumes[0].volume : NULL;
}

bool vk_lvm_member_fits(const struct vk_lvm_case *c, const struct vk_known_header *known)
{
	const struct vk_lvm_volume *v = volume_of(known);

	if (c->volume_believed)
		return vk_vmfs_uuid_equal(&c->v0.uuid, &v->uuid);
	if (c->fs_believed)
		return vk_vmfs_uuid_equal(&c->fs.volInfo, &v->uuid);
	return true;
}

/* One extent is one witness, however often it is named: twice, by another path, as a copy, or in a capture, too. */
static bool is_heard(const struct witnesses *w, const struct vk_lvm_volume *v)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->of[i]->firstPE == v->firstPE)
			return true;
	return false;
}

static void gather(const struct vk_lvm_case *c, struct witnesses *ret_witnesses)
{
	const struct vk_rebuild_header_options *o = c->work->options;
	struct witnesses *w = ret_witnesses;

	memset(w, 0, sizeof(*w));
	if (c->volume_believed) {
		w->name[w->count] = "this one";
		w->of[w->count++] = &c->v0;
	}
	w->first_member = w->count;
	for (size_t i = 0; i < o->known_count && w->count < WITNESSES_MAX; i++) {
		const struct vk_lvm_volume *v = o->known[i].member ? volume_of(&o->known[i]) : NULL;

		if (v == NULL || !vk_lvm_member_fits(c, &o->known[i]) || is_heard(w, v))
			continue;
		w->name[w->count] = o->known[i].name;
		w->of[w->count++] = v;
	}
}

static const uint8_t *value_of(const struct vk_lvm_volume *v, const struct vk_field *f)
{
	return (const uint8_t *)v + f->member;
}

/* Bytes that are all zero or all ones, and numbers that no volume has, are no vote. */
static bool says(const struct vk_lvm_volume *v, const struct vk_field *f)
{
	const uint8_t *b = value_of(v, f);
	bool ones = true;

	for (size_t i = 0; i < f->size; i++)
		ones = ones && b[i] == 0xFF;
	if (strcmp(f->name, "logicalSize") == 0 && v->logicalSize % VK_LVM_PE_BYTES != 0)
		return false;
	if (strcmp(f->name, "numDevs") == 0 && (v->numDevs < 2 || v->numDevs > VK_LVM_SD_ENTRIES))
		return false;
	return !ones && !vk_all_zero(b, f->size);
}

/* How many extents there are and where the last one ends, when all that are known lie one behind the other. */
static bool in_a_row(const struct witnesses *w, uint64_t *ret_end)
{
	uint64_t at = 0;

	for (size_t found = 0; found < w->count; found++) {
		size_t i = 0;

		while (i < w->count && w->of[i]->firstPE != at)
			i++;
		if (i == w->count || w->of[i]->lastPE < at || w->of[i]->lastPE - at != w->of[i]->numPEs - 1ULL)
			return false;
		at = w->of[i]->lastPE + 1ULL;
	}
	*ret_end = at * VK_LVM_PE_BYTES;
	return w->count > 1;
}

/* The extents are counted and measured when some descriptor says that these are all of them. */
static bool row_says(const struct witnesses *w, const struct vk_field *f, const struct vk_lvm_volume *v)
{
	bool size = strcmp(f->name, "logicalSize") == 0, number = strcmp(f->name, "numDevs") == 0;
	uint64_t end;

	if ((!size && !number) || !in_a_row(w, &end) || (size ? v->logicalSize != end : v->numDevs != w->count))
		return false;
	for (size_t i = 0; i < w->count; i++)
		if (size ? w->of[i]->numDevs == w->count : w->of[i]->logicalSize == end)
			return true;
	return false;
}

/* What else on this device has the same value as that descriptor. */
static bool device_says(const struct vk_lvm_case *c, const struct vk_field *f, const struct vk_lvm_volume *v)
{
	if (strcmp(f->name, "uuid") == 0)
		return c->fs_believed && vk_vmfs_uuid_equal(&c->fs.volInfo, &v->uuid);
	return strcmp(f->name, "numDevs") == 0 && c->name_count > 1 && c->name_count == v->numDevs;
}

/*
 * Whose value of a field counts; ret_proved: two devices, or one and something else, have it, and more than all others.
 */
static size_t elect(const struct vk_lvm_case *c, const struct witnesses *w, const struct vk_field *f, bool *ret_proved)
{
	const struct vk_ballot *best;
	struct vk_tally t = {0};

	for (size_t i = 0; i < w->count; i++) {
		size_t same = 0;

		if (!says(w->of[i], f))
			continue;
		while (memcmp(value_of(w->of[same], f), value_of(w->of[i], f), f->size) != 0)
			same++;
		vk_tally_add(&t, same, 1, w->name[i]);
		if (same == i && row_says(w, f, w->of[i]))
			vk_tally_add(&t, same, 1, "the extents, one behind the other");
		if (same == i && device_says(c, f, w->of[i]))
			vk_tally_add(&t, same, 1, "this device");
	}
	best = vk_tally_best(&t);
	*ret_proved = best != NULL && vk_tally_proves(&t, best->value);
	return best != NULL ? (size_t)best->value : WITNESSES_MAX;
}

void vk_lvm_members_ask(struct vk_lvm_case *c)
{
	struct witnesses w;

	gather(c, &w);
	if (w.count == w.first_member) {
		vk_work_note(c->work, "%s begins where this extent does: it is this one or a copy of it, and no "
				      "witness.", c->member->name);
		c->member = NULL;
		return;
	}
	c->elected = *w.of[w.first_member];
	for (size_t i = 0; i < vk_lvm_volume_layout.count; i++) {
		const struct vk_field *f = &vk_lvm_volume_layout.fields[i];
		size_t from;

		if ((f->marks & VK_ALIKE) == 0)
			continue;
		from = elect(c, &w, f, &c->elected_proved[i]);
		if (from < WITNESSES_MAX)
			memcpy((uint8_t *)&c->elected + f->member, value_of(w.of[from], f), f->size);
		else if (c->volume_believed)
			memcpy((uint8_t *)&c->elected + f->member, value_of(&c->v0, f), f->size);
		if (from == WITNESSES_MAX)
			vk_work_lost(c->work, "The extents of the volume differ in %s, and it cannot be told which is "
					      "right: %s.", f->name,
				     c->volume_believed ? "it stays" : "see that field");
	}
	c->sibling = &c->elected;
}

/* The one gap that the other extents leave, when all of them are here. */
static bool find_gap(const struct vk_lvm_case *c, const struct witnesses *w, uint64_t *ret_first, uint64_t *ret_count)
{
	uint64_t total = c->sibling->logicalSize / VK_LVM_PE_BYTES;
	uint64_t at = 0, first = 0, count = 0;
	unsigned gaps = 0, members = 0;

	for (bool more = true; more;) {
		uint64_t next = total, end = total;

		more = false;
		for (size_t i = w->first_member; i < w->count; i++) {
			const struct vk_lvm_volume *v = w->of[i];

			if (v->firstPE < at || v->firstPE >= next || v->lastPE < v->firstPE || v->lastPE >= total)
				continue;
			next = v->firstPE;
			end = v->lastPE + 1ULL;
			more = true;
		}
		if (next > at) {
			gaps++;
			first = at;
			count = next - at;
		}
		members += more;
		at = end;
	}
	*ret_first = first;
	*ret_count = count;
	return gaps == 1 && members + 1 == c->sibling->numDevs && count <= UINT32_MAX;
}

static void take_gap(struct vk_lvm_case *c, const struct witnesses *w)
{
	struct vk_mending *v = &c->volume;
	enum vk_field_origin origin;
	uint64_t first, count;

	if (!find_gap(c, w, &first, &count))
		return;
	/*
	 * a wrong border of an extent, or a wrong size of the volume, would make a gap of another size than this device
	 * has
	 */
	origin = vk_origin_if(c->device_believed && count == (c->six ? c->d0.numPEs6 : c->d0.numPEs), VK_FIELD_MEMBER);
	vk_mend_number(v, "numPEs", count, origin, "the gap between the other extents");
	vk_mend_number(v, "firstPE", first, origin, "the gap between the other extents");
	vk_mend_number(v, "lastPE", first + count - 1, origin, "the gap between the other extents");
}

void vk_lvm_members_apply(struct vk_lvm_case *c)
{
	struct witnesses w;

	gather(c, &w);
	for (size_t i = 0; i < vk_lvm_volume_layout.count; i++) {
		const struct vk_field *f = &vk_lvm_volume_layout.fields[i];

		if ((f->marks & VK_ALIKE) == 0 || (c->volume_believed && strcmp(f->name, "state") == 0))
			continue;
		vk_mend_as(&c->volume, f, c->sibling, vk_origin_if(c->elected_proved[i], VK_FIELD_MEMBER), "%s%s",
			      c->member->name, c->elected_proved[i] ? "" : ", and nothing else agrees with it");
	}
	if (!c->volume_believed)
		take_gap(c, &w);
}
