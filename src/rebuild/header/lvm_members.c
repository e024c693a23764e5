/* SPDX-License-Identifier: Apache-2.0 */
/* What the other extents of the volume say for this one: each is one witness, and none is believed alone. */
#include <string.h>

#include "base/bytes.h"
#include "rebuild/header/header_work.h"

enum { WITNESSES_MAX = VK_LVM_SD_ENTRIES + 1 };

/* Volume descriptors that say something: that of this device first, when it is believed, then those of the others. */
struct witnesses {
	const struct vk_lvm_volume *of[WITNESSES_MAX];
	const char *name[WITNESSES_MAX];
	size_t count, first_member;
};

bool vk_lvm_member_fits(const struct vk_header_work *c, const struct vk_lvm_volume *other)
{
	if (c->volume_believed)
		return vk_vmfs_uuid_equal(&c->v0.uuid, &other->uuid);
	return !c->fs_believed || vk_vmfs_uuid_equal(&c->fs.volInfo, &other->uuid);
}

static void gather(const struct vk_header_work *c, struct witnesses *ret_witnesses)
{
	const struct vk_rebuild_header_options *o = c->options;
	struct witnesses *w = ret_witnesses;

	memset(w, 0, sizeof(*w));
	if (c->volume_believed) {
		w->name[w->count] = "this one";
		w->of[w->count++] = &c->v0;
	}
	w->first_member = w->count;
	for (size_t i = 0; i < o->known_count && w->count < WITNESSES_MAX; i++) {
		const struct vk_vmfs *k = o->known[i].member ? vk_lvm_known_decoded(&o->known[i]) : NULL;
		bool heard = k == NULL || !vk_lvm_member_fits(c, &k->volumes[0].volume);

		/* one extent is one witness, however often it is named: by another path, as a copy, in a capture */
		for (size_t n = 0; n < w->count && !heard; n++)
			heard = w->of[n]->firstPE == k->volumes[0].volume.firstPE;
		if (heard)
			continue;
		w->name[w->count] = o->known[i].name;
		w->of[w->count++] = &k->volumes[0].volume;
	}
}

/* Bytes that are all zero or all ones, and numbers that no volume has, are no vote. */
static bool says(const struct vk_lvm_volume *v, const struct vk_field *f)
{
	if (strcmp(f->name, "logicalSize") == 0 && v->logicalSize % VK_LVM_PE_BYTES != 0)
		return false;
	if (strcmp(f->name, "numDevs") == 0 && (v->numDevs < 2 || v->numDevs > VK_LVM_SD_ENTRIES))
		return false;
	return !vk_all_bytes(vk_mend_member(f, v), f->size, 0xFF) && !vk_all_zero(vk_mend_member(f, v), f->size);
}

/* The extents are counted and measured when they lie one behind the other, and some descriptor says: these are all. */
static bool row_says(const struct witnesses *w, const struct vk_field *f, const struct vk_lvm_volume *v)
{
	bool size = strcmp(f->name, "logicalSize") == 0, number = strcmp(f->name, "numDevs") == 0, all = false;
	uint64_t end = 0;

	for (size_t found = 0; found < w->count; found++) {
		size_t i = 0;

		while (i < w->count && w->of[i]->firstPE != end)
			i++;
		if (i == w->count || w->of[i]->lastPE < end || w->of[i]->lastPE - end != w->of[i]->numPEs - 1ULL)
			return false;
		end = w->of[i]->lastPE + 1ULL;
	}
	end *= VK_LVM_PE_BYTES;
	for (size_t i = 0; i < w->count; i++)
		all = all || (size ? w->of[i]->numDevs == w->count : w->of[i]->logicalSize == end);
	return all && w->count > 1 && ((size && v->logicalSize == end) || (number && v->numDevs == w->count));
}

/* What else on this device has the same value as that descriptor. */
static bool device_says(const struct vk_header_work *c, const struct vk_field *f, const struct vk_lvm_volume *v)
{
	if (strcmp(f->name, "uuid") == 0)
		return c->fs_believed && vk_vmfs_uuid_equal(&c->fs.volInfo, &v->uuid);
	return strcmp(f->name, "numDevs") == 0 && c->name_count > 1 && c->name_count == v->numDevs;
}

/* Whose value of a field counts: proved when two devices, or one and something else, have it, and more than others. */
static struct vk_ballot elect(const struct vk_header_work *c, const struct witnesses *w, const struct vk_field *f)
{
	struct vk_tally t = {0};

	for (size_t i = 0; i < w->count; i++) {
		size_t same = 0;

		if (!says(w->of[i], f))
			continue;
		while (memcmp(vk_mend_member(f, w->of[same]), vk_mend_member(f, w->of[i]), f->size) != 0)
			same++;
		vk_tally_add(&t, true, same, 1, w->name[i]);
		vk_tally_add(&t, same == i && row_says(w, f, w->of[i]), same, 1, "the extents, one behind the other");
		vk_tally_add(&t, same == i && device_says(c, f, w->of[i]), same, 1, "this device");
	}
	return vk_tally_best(&t, 0, "");
}

void vk_lvm_members_ask(struct vk_header_work *c)
{
	struct witnesses w;

	gather(c, &w);
	if (w.count == w.first_member) {
		vk_work_note(c, "%s begins where this extent does: it is this one or a copy of it, and is not used.",
			     c->member->name);
		c->member = NULL;
		return;
	}
	c->elected = *w.of[w.first_member];
	for (size_t i = 0; i < vk_lvm_volume_layout.count; i++) {
		const struct vk_field *f = &vk_lvm_volume_layout.fields[i];
		uint8_t *elected = (uint8_t *)&c->elected + f->member;
		struct vk_ballot best;

		if ((f->marks & VK_ALIKE) == 0)
			continue;
		best = elect(c, &w, f);
		c->elected_proved[i] = best.proved;
		if (best.weight > 0)
			memcpy(elected, vk_mend_member(f, w.of[best.value]), f->size);
		else if (c->volume_believed)
			memcpy(elected, vk_mend_member(f, &c->v0), f->size);
		if (best.weight == 0)
			vk_work_lost(c, "the extents of the volume differ in %s, and which is right is not known: %s.",
					f->name, c->volume_believed ? "it stays" : "see that field");
	}
	c->sibling = &c->elected;
}

/* The one gap that the other extents leave, when all of them are here. */
static void take_gap(struct vk_header_work *c, const struct witnesses *w)
{
	uint64_t total = c->sibling->logicalSize / VK_LVM_PE_BYTES, at = 0, first = 0, count = 0;
	static const char from[] = "the gap between the other extents";
	unsigned gaps = 0, members = 0;
	enum vk_field_origin origin;

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
	if (gaps != 1 || members + 1 != c->sibling->numDevs || count > UINT32_MAX)
		return;
	/*
	 * a wrong border of an extent, or a wrong size of the volume, would make a gap of another size than this device
	 * has
	 */
	origin = vk_origin_if(c->device_believed && count == (c->six ? c->d0.numPEs6 : c->d0.numPEs), VK_FIELD_MEMBER);
	vk_mend_number(&c->volume, "numPEs", count, origin, from);
	vk_mend_number(&c->volume, "firstPE", first, origin, from);
	vk_mend_number(&c->volume, "lastPE", first + count - 1, origin, from);
}

void vk_lvm_members_apply(struct vk_header_work *c)
{
	struct witnesses w;

	gather(c, &w);
	for (size_t i = 0; i < vk_lvm_volume_layout.count; i++) {
		const struct vk_field *f = &vk_lvm_volume_layout.fields[i];

		if ((f->marks & VK_ALIKE) == 0 || (c->volume_believed && strcmp(f->name, "state") == 0))
			continue;
		vk_mend_bytes(&c->volume, f->name, vk_mend_member(f, c->sibling),
			      vk_origin_if(c->elected_proved[i], VK_FIELD_MEMBER), "%s%s", c->member->name,
			      c->elected_proved[i] ? "" : ", and nothing else agrees with it");
	}
	if (!c->volume_believed)
		take_gap(c, &w);
}
