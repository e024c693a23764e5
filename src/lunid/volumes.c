/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes that extents form: copies, gaps, resignatures; and whether one may be mounted by force. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/checked.h"
#include "base/hex_digit.h"
#include "base/memory.h"
#include "base/shown.h"
#include "vmfskit/lunid.h"

enum { DISK_ID_OFFSET = 0x0C };

const struct vk_vmfs *vk_lunid_vmfs(const struct vk_lunid_extent *extent)
{
	return &extent->source->vmfs[extent->vmfs];
}

uint64_t vk_lunid_offset(const struct vk_lunid_extent *extent)
{
	uint64_t start = vk_mul_sat(vk_lunid_vmfs(extent)->start_sector, extent->source->sector_size);

	return vk_add_sat(start, VK_LVM_HEADER_OFFSET + DISK_ID_OFFSET);
}

static const struct vk_lvm_volume *volume_of(const struct vk_lunid_extent *extent)
{
	const struct vk_vmfs *v = vk_lunid_vmfs(extent);

	return v->volume_count > 0 && v->volumes[0].seen_bytes == VK_LVM_VOLUME_BYTES ? &v->volumes[0].volume : NULL;
}

static bool one_volume(const struct vk_lunid_extent *a, const struct vk_lunid_extent *b)
{
	const struct vk_lvm_volume *x = volume_of(a), *y = volume_of(b);

	return x != NULL && y != NULL && !vk_vmfs_uuid_is_nil(&x->uuid) && vk_vmfs_uuid_equal(&x->uuid, &y->uuid);
}

/* Two nodes of one LUN, or one that was named twice. */
static bool one_lun(const struct vk_lunid_extent *a, const struct vk_lunid_extent *b)
{
	if (strcmp(a->source->path, b->source->path) == 0)
		return a->vmfs == b->vmfs;
	return a->live_known && b->live_known && a->live.name[0] != '\0' &&
	       strcasecmp(a->live.name, b->live.name) == 0;
}

static bool ranges_meet(const struct vk_lunid_extent *a, const struct vk_lunid_extent *b)
{
	return vk_lunid_vmfs(a)->first_pe <= volume_of(b)->lastPE && vk_lunid_vmfs(b)->first_pe <= volume_of(a)->lastPE;
}

static bool are_copies(const struct vk_lunid_extent *a, const struct vk_lunid_extent *b)
{
	return a != b && one_volume(a, b) && !one_lun(a, b) && ranges_meet(a, b);
}

/* Members of one volume one behind the other, by what they hold of it. */
static int by_place(const void *a, const void *b)
{
	const struct vk_lunid_extent *x = *(const struct vk_lunid_extent *const *)a;
	const struct vk_lunid_extent *y = *(const struct vk_lunid_extent *const *)b;
	int order = memcmp(&volume_of(x)->uuid, &volume_of(y)->uuid, sizeof(volume_of(x)->uuid));
	uint64_t p = vk_lunid_vmfs(x)->first_pe, q = vk_lunid_vmfs(y)->first_pe;

	return order != 0 ? order : (p > q) - (p < q);
}

static void say_copies(const struct vk_lunid_extent *a, const struct vk_lunid_extent *b,
		       const struct vk_finding_sink *sink)
{
	const bool spanned = volume_of(a)->numDevs > 1;

	vk_finding_say(sink, spanned ? VK_F_LUNID_EXTENT_DOUBLED : VK_F_LUNID_CONFLICT, 0, 0, NULL, NULL,
		       spanned ? "%.80s and %.80s both hold the extent of volume %s that begins with PE %llu"
			       : "%.80s and %.80s both hold volume %s, beginning with PE %llu",
		       a->source->path, b->source->path, vk_vmfs_uuid_text(&volume_of(a)->uuid).text,
		       (unsigned long long)vk_lunid_vmfs(b)->first_pe);
}

static void say_missing(const struct vk_lvm_volume *v, uint64_t from, uint64_t to, const struct vk_finding_sink *sink)
{
	vk_finding_say(sink, VK_F_LUNID_EXTENT_MISSING, 0, 0, NULL, NULL,
		       "volume %s spans %u LUNs, and the one with PE %llu to %llu was not named",
		       vk_vmfs_uuid_text(&v->uuid).text, v->numDevs, (unsigned long long)from,
		       (unsigned long long)to);
}

/* members: count of them, of one volume, sorted by place. */
static void judge_members(const struct vk_lunid_extent *const *members, size_t count,
			  const struct vk_finding_sink *sink)
{
	const struct vk_lvm_volume *v = volume_of(members[0]);
	const uint64_t pes = v->logicalSize / VK_LVM_PE_BYTES;
	uint64_t next = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t first = vk_lunid_vmfs(members[i])->first_pe;

		if (i > 0 && are_copies(members[i - 1], members[i]))
			say_copies(members[i - 1], members[i], sink);
		if (first > next)
			say_missing(v, next, first - 1, sink);
		next = vk_max_u64(next, vk_add_sat(volume_of(members[i])->lastPE, 1));
	}
	if (next < pes && v->numDevs > 1)
		say_missing(v, next, pes - 1, sink);
}

/* "snap-xxxxxxxx-NAME": what ESX calls a volume that it gave a new signature. */
static bool is_snap_label(const char *label)
{
	if (strncmp(label, "snap-", 5) != 0)
		return false;
	for (size_t i = 5; i < 13; i++)
		if (vk_hex_digit(label[i]) < 0)
			return false;
	return label[13] == '-' && label[14] != '\0';
}

static void judge_resignature(const struct vk_lunid_extent *e, const struct vk_finding_sink *sink)
{
	const struct vk_lvm_volume *v = volume_of(e);
	const struct vk_vmfs *vmfs = vk_lunid_vmfs(e);
	char label[sizeof(vmfs->fs.fsLabel) + 1] = "";
	uint64_t at = vmfs->volume_count > 0 ? vmfs->volumes[0].offset_bytes : 0;

	if (vmfs->fs_usable)
		memcpy(label, vmfs->fs.fsLabel, sizeof(vmfs->fs.fsLabel));
	at = vk_add_sat(vk_mul_sat(vmfs->start_sector, e->source->sector_size), at);
	if (v != NULL && v->state == VK_LVM_RESIG_PENDING) {
		vk_finding_say(sink, VK_F_LUNID_RESIGNATURE_PENDING, at, VK_LVM_VOLUME_BYTES, "2 (RESIG_PENDING)",
			       "1 (NORMAL)", "a resignature of the volume was begun and not ended");
	} else if (v != NULL && v->state == VK_LVM_RESIG_DONE) {
		vk_finding_say(sink, VK_F_LUNID_RESIGNATURE_DONE, at, VK_LVM_VOLUME_BYTES, "3 (RESIG_DONE)", NULL,
			       "the volume got a new signature, and its state still says so");
	} else if (is_snap_label(label)) {
		vk_finding_say(sink, VK_F_LUNID_RESIGNATURE_DONE, at, VK_LVM_VOLUME_BYTES,
			       vk_phrase("label %.100s", vk_shown_name(label).text).text, NULL,
			       "the volume got a new signature: its label was made by ESX; before, it was %.60s",
			       vk_shown_name(label + 14).text);
	} else if (v != NULL && v->snapID > 1) {
		vk_finding_say(sink, VK_F_LUNID_RESIGNATURE_DONE, at, VK_LVM_VOLUME_BYTES,
			       vk_phrase("snapID %u", v->snapID).text, "snapID 1",
			       "the volume got a new signature: its snapshot id is above 1");
	}
}

enum vk_status vk_lunid_judge_volumes(const struct vk_lunid_extent *extents, size_t count,
				      const struct vk_finding_sink *sink, struct vk_error *err)
{
	const struct vk_lunid_extent **members = calloc(count + 1, sizeof(*members));
	size_t used = 0, from = 0;

	if (members == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < count; i++) {
		judge_resignature(&extents[i], sink);
		if (volume_of(&extents[i]) != NULL)
			members[used++] = &extents[i];
	}
	qsort(members, used, sizeof(*members), by_place);
	for (size_t i = 1; i <= used; i++) {
		if (i < used && one_volume(members[from], members[i]))
			continue;
		judge_members(members + from, i - from, sink);
		from = i;
	}
	free(members);
	return VK_OK;
}

static void add_reason(struct vk_text *text, const char *reason)
{
	if (text->len_bytes > 0)
		vk_text_put(text, "; ");
	vk_text_put(text, reason);
}

/* Whether the volume of an extent lacks one: the findings name the volume. */
static bool lacks(const struct vk_findings *found, enum vk_finding_code code, const struct vk_lvm_volume *v)
{
	for (size_t i = 0; i < found->count; i++)
		if (found->items[i].code == code &&
		    strstr(found->items[i].message, vk_vmfs_uuid_text(&v->uuid).text) != NULL)
			return true;
	return false;
}

enum vk_lunid_mount vk_lunid_may_mount(const struct vk_lunid_extent *extents, size_t count, size_t index,
				       const struct vk_findings *found, struct vk_text *ret_why)
{
	const struct vk_lunid_extent *e = &extents[index];
	const struct vk_vmfs *vmfs = vk_lunid_vmfs(e);
	const struct vk_lvm_volume *v = volume_of(e);
	bool copy = false;

	for (size_t i = 0; i < count; i++)
		copy = copy || are_copies(e, &extents[i]);
	if (copy)
		add_reason(ret_why, "another visible LUN holds the same volume: hosts would write to the one and to "
		"the "
				    "other");
	if (e->alive)
		add_reason(ret_why, e->who);
	if (v != NULL && lacks(found, VK_F_LUNID_EXTENT_MISSING, v))
		add_reason(ret_why, "an extent of the volume is missing");
	if (v != NULL && v->state == VK_LVM_RESIG_PENDING)
		add_reason(ret_why, "a resignature of it was begun and not ended");
	if (ret_why->len_bytes > 0)
		return VK_LUNID_MOUNT_NO;
	if (v == NULL || !vmfs->fs_usable)
		add_reason(ret_why, vmfs->fs_expected || v == NULL
					    ? "its volume descriptor or its file system cannot be read"
					    : "the heartbeats are on another extent");
	else if (e->source->given == NULL || !vk_io_is_device(e->source->given))
		add_reason(ret_why, "this is a file: the heartbeats in it tell nothing of now; ask the LUN itself");
	else if (!e->watched)
		add_reason(ret_why, "a heartbeat is in use, and it was looked at only once");
	if (ret_why->len_bytes > 0)
		return VK_LUNID_MOUNT_UNKNOWN;
	add_reason(ret_why, "no host wrote a heartbeat, all extents are here, and none of the LUNs that were named "
	"is a "
			    "copy of it; LUNs that were not named were not looked at");
	return VK_LUNID_MOUNT_MAY;
}
