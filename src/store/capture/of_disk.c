/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a capture is of a disk: the one judgement of it. */
#include "vmfskit/of_disk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/checked.h"
#include "base/memory.h"
#include "vmfskit/lunid.h"
#include "store/plan/plan.h"
#include "store/folder/identity_of_run.h"

enum { PLACES_MAX = 256 };

/* SAME and OTHER are only said of what both sides know. */
enum relation { SILENT, SAME, OTHER };

static enum relation relate(const char *a, const char *b)
{
	if (a[0] == '\0' || b[0] == '\0')
		return SILENT;
	return strcasecmp(a, b) == 0 ? SAME : OTHER;
}

/* A UUID of zeros is none. */
static enum relation relate_uuids(const char *a, const char *b)
{
	return a[strspn(a, "0-")] == '\0' || b[strspn(b, "0-")] == '\0' ? SILENT : relate(a, b);
}

static enum relation relate_ids(const char *a, const char *b)
{
	enum vk_lun_relation relation = vk_lun_relate_names(a, b);

	/* an eui. in a header may be inferred, so nobody is accused of it; but who writes takes two for two LUNs */
	if (relation == VK_LUN_NOT_COMPARABLE && strlen(a) == strlen(b) && strncasecmp(a, "eui.", 4) == 0 &&
	    strncasecmp(b, "eui.", 4) == 0)
		return OTHER;
	return relation == VK_LUN_SAME ? SAME : relation == VK_LUN_OTHER ? OTHER : SILENT;
}

/* Numbers of files are given again, and each host gives its own: the time of making tells them apart. */
static enum relation relate_files(const struct vk_capture *c, const struct vk_file_id *now)
{
	char host[VK_WHO_HOST_BYTES];

	if (c->file.inode == 0 || now->inode == 0)
		return SILENT;
	if (c->file.device != now->device || c->file.inode != now->inode)
		return OTHER;
	if (c->file.born_ns != 0 && now->born_ns != 0)
		return c->file.born_ns == now->born_ns ? SAME : OTHER;
	vk_who_host(host);
	return strcmp(c->host, host) == 0 ? SAME : SILENT;
}

/* Which partition of the disk it is, where one was captured. SAME also where that is no question. */
static enum relation relate_partitions(const struct vk_capture *c, const struct vk_disk_facts *facts)
{
	if (c->source_kind != facts->kind)
		return SAME;
	/* a whole disk was captured, and this is one of its partitions, or the reverse */
	if (c->source_kind == VK_SOURCE_DISK)
		return c->device_partition == 0 && facts->device_partition != 0 ? OTHER : SAME;
	if (c->device_partition == 0)
		return facts->device_partition == 0 ? SAME : SILENT;
	if (facts->device_partition == 0)
		return facts->is_device ? OTHER : SILENT;
	if (c->device_start_sector != 0 && facts->device_start_sector != 0)
		return c->device_start_sector == facts->device_start_sector ? SAME : OTHER;
	return c->device_partition == facts->device_partition ? SAME : SILENT;
}

static bool same_size(const struct vk_capture *c, const struct vk_disk_facts *facts)
{
	return c->size_bytes == facts->size_bytes ||
	       (c->size_uncertain && facts->size_bytes > c->size_bytes);
}

/* A place that was not asked yet; NULL: there is no room for it. */
static struct vk_identity *add_place(struct vk_disk_facts *facts, uint64_t start)
{
	const struct vk_disk_place place = {.start_bytes = start};
	struct vk_disk_place *added = NULL;

	if (facts->place_count < PLACES_MAX)
		added = vk_append(&facts->places, &facts->place_count, &place, sizeof(place));
	return added != NULL ? &added->identity : NULL;
}

static const struct vk_identity *known_place(const struct vk_disk_facts *facts, uint64_t start)
{
	for (size_t i = 0; i < facts->place_count; i++)
		if (facts->places[i].start_bytes == start)
			return &facts->places[i].identity;
	return NULL;
}

void vk_disk_facts_learn(struct vk_disk_facts *facts, uint64_t start, const struct vk_vmfs *vmfs)
{
	struct vk_identity *identity = known_place(facts, start) == NULL ? add_place(facts, start) : NULL;

	if (identity != NULL)
		vk_identity_fill(facts->source, vmfs, identity);
}

const struct vk_identity *vk_disk_facts_place(struct vk_disk_facts *facts, uint64_t start)
{
	const struct vk_source *source = facts->source;
	const struct vk_identity *known = known_place(facts, start);
	struct vk_identity *identity;
	struct vk_io *window;
	struct vk_error ignored;

	if (known != NULL)
		return known;
	identity = source != NULL && start < source->size_bytes ? add_place(facts, start) : NULL;
	if (identity == NULL)
		return NULL;
	window = vk_io_window(source->io, start, source->size_bytes - start);
	if (window != NULL) {
		struct vk_vmfs vmfs = {.start_sector = start / source->sector_size};

		if (vk_vmfs_read(window, NULL, &vmfs, &ignored) == VK_OK) {
			vk_identity_fill(source, &vmfs, identity);
			vk_vmfs_free(&vmfs);
		}
	}
	vk_io_close(window);
	return identity;
}

/* Where on the target the volume would begin; false: not on it. */
static bool place_of(const struct vk_capture *c, const struct vk_identity *was, const struct vk_disk_facts *facts,
		     uint64_t *ret_start)
{
	uint64_t start = c->source_kind == VK_SOURCE_DISK ? vk_mul_sat(was->start_sector, c->sector_size)
							  : vk_mul_sat(c->device_start_sector, 512);
	uint64_t own = vk_mul_sat(facts->device_start_sector, 512);

	/* of a partition without a known start only the ids can tell which of several it is */
	if (facts->kind != VK_SOURCE_DISK) {
		*ret_start = 0;
		return c->source_kind != VK_SOURCE_DISK || own == 0 || own == start;
	}
	*ret_start = start;
	return true;
}

/* What the headers of the target say. Kept are texts for the sentence. */
struct header_match {
	bool same_id, other_id, same_device, other_device, same_volume, other_volume;
	char seen[VK_SCSI_NAME_BYTES]; /* of the first that differs */
	char want[VK_SCSI_NAME_BYTES];
};

static void note_other(const struct vk_capture *c, enum relation relation, const char *seen, const char *want,
		       bool *ret_other, struct header_match *match)
{
	/* an id of the target that repair found to be damage is no name */
	for (char *const *replaced = c->rebuilt.replaced; replaced != NULL && *replaced != NULL; replaced++)
		if (strcmp(*replaced, seen) == 0)
			return;
	if (relation != OTHER)
		return;
	if (match->seen[0] == '\0') {
		snprintf(match->seen, sizeof(match->seen), "%s", seen);
		snprintf(match->want, sizeof(match->want), "%s", want);
	}
	*ret_other = true;
}

static void match_headers_at(const struct vk_capture *c, const struct vk_identity *was, const struct vk_identity *now,
			     struct header_match *match)
{
	enum relation id = relate_ids(now->disk_id, was->disk_id);
	enum relation device = relate_uuids(now->device_uuid, was->device_uuid);
	enum relation volume = relate_uuids(now->volume_uuid, was->volume_uuid);
	enum relation fs = relate_uuids(now->fs_uuid, was->fs_uuid);

	match->same_id |= id == SAME;
	note_other(c, id, now->disk_id, was->disk_id, &match->other_id, match);
	match->same_device |= device == SAME;
	match->same_volume |= volume == SAME || fs == SAME;
	/* one that is the same says more than another that is not: a volume may have been made anew on its device */
	if (device == SAME || volume == SAME || fs == SAME)
		return;
	note_other(c, device, now->device_uuid, was->device_uuid, &match->other_device, match);
	note_other(c, volume, now->volume_uuid, was->volume_uuid, &match->other_volume, match);
	note_other(c, fs, now->fs_uuid, was->fs_uuid, &match->other_volume, match);
}

static void match_headers(const struct vk_capture *c, struct vk_disk_facts *facts, struct header_match *ret_match)
{
	memset(ret_match, 0, sizeof(*ret_match));
	for (size_t i = 0; i < c->identity_count; i++) {
		const struct vk_identity *now;
		uint64_t start;

		if (!place_of(c, &c->identities[i], facts, &start))
			continue;
		now = vk_disk_facts_place(facts, start);
		if (now != NULL)
			match_headers_at(c, &c->identities[i], now, ret_match);
	}
	/* a partition is one of those that a whole disk had: it is not the others */
	if (facts->kind != c->source_kind && (ret_match->same_device || ret_match->same_volume))
		ret_match->other_device = ret_match->other_volume = false;
}

/*
 * Against the GUID of the captured disk, from the first sound copy of its GPT. A table without partitions may have been
 * made in despair; one with partitions belongs to a disk in use.
 */
static enum relation relate_guids(const struct vk_capture *c, const struct vk_disk_facts *facts)
{
	const struct vk_guid *guid = NULL;
	enum relation relation = SILENT;
	struct vk_table table;
	struct vk_error ignored;
	struct vk_io *io;

	if (facts->disk_guid_count == 0 || c->source_kind != VK_SOURCE_DISK || c->table_kind != VK_TABLE_GPT ||
	    c->path == NULL || vk_capture_io(c, &io, &ignored) != VK_OK)
		return SILENT;
	if (vk_table_read(io, c->sector_size, !c->size_uncertain, NULL, &table, &ignored) == VK_OK) {
		for (int i = 0; i < 2 && guid == NULL; i++)
			if (table.gpt[i].present && table.gpt[i].sound)
				guid = &table.gpt[i].header.diskGUID;
		if (guid != NULL && !vk_guid_is_nil(guid)) {
			relation = facts->has_partitions ? OTHER : SILENT;
			for (size_t i = 0; i < facts->disk_guid_count; i++)
				if (vk_guid_equal(&facts->disk_guids[i], guid))
					relation = SAME;
		}
		vk_table_free(&table);
	}
	vk_io_close(io);
	return relation;
}

static void answer(struct vk_of_disk *a, enum vk_is_of is_of, enum vk_proof by, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static void answer(struct vk_of_disk *a, enum vk_is_of is_of, enum vk_proof by, const char *format, ...)
{
	va_list args;

	a->is_of = is_of;
	a->by = by;
	va_start(args, format);
	vsnprintf(a->why, sizeof(a->why), format, args);
	va_end(args);
}

/* Of all volumes on it: the disk id in their headers against the name of the LUN. */
static enum relation relate_recorded(const struct vk_capture *c, const char *wwid, const char **ret_id)
{
	enum relation relation = SILENT;

	for (size_t i = 0; i < c->identity_count && relation != SAME; i++) {
		enum relation one = relate_ids(c->identities[i].disk_id, wwid);

		if (one == SILENT)
			continue;
		relation = one;
		*ret_id = c->identities[i].disk_id;
	}
	return relation;
}

/*
 * What the device says of itself. True: that decides. *ret_known: it is the captured disk, but which partition is not
 * known.
 */
static bool ask_device(const struct vk_capture *c, const struct vk_disk_facts *facts, bool *ret_known,
		       struct vk_of_disk *a)
{
	enum relation wwid = relate(c->wwid, facts->wwid), part = relate_partitions(c, facts), id = SILENT;
	enum vk_is_of yes = same_size(c, facts) ? VK_OF_CERTAIN : VK_OF_LIKELY;
	const char *recorded = "";

	if (wwid == SILENT && c->wwid[0] == '\0')
		id = relate_recorded(c, facts->wwid, &recorded);
	*ret_known = wwid == SAME || id == SAME;
	if (wwid == OTHER)
		answer(a, VK_OF_NO, VK_PROOF_WWID, "the captured disk has the WWID %.120s, this one has %.120s",
		       c->wwid, facts->wwid);
	else if (id == OTHER)
		answer(a, VK_OF_NO, VK_PROOF_RECORDED_ID,
		       "the captured headers were written for the LUN %.120s, this one has the WWID %.120s", recorded,
		       facts->wwid);
	else if (wwid == SILENT && id == SILENT && relate(c->disk_serial, facts->serial) == OTHER)
		answer(a, VK_OF_NO, VK_PROOF_SERIAL,
		       "the captured disk has the serial number %.120s, this one has %.120s",
		       c->disk_serial, facts->serial);
	else if (*ret_known && part == OTHER)
		answer(a, VK_OF_NO, VK_PROOF_PARTITION,
		       "it is the captured disk, but %s was captured and this is %s",
		       c->source_kind == VK_SOURCE_DISK ? "the whole of it" : "a partition of it",
		       facts->device_partition == 0  ? "the whole of it"
		       : c->device_partition == 0 ? "one of its partitions"
						  : "another one");
	else if (*ret_known && part == SAME)
		answer(a, yes, wwid == SAME ? VK_PROOF_WWID : VK_PROOF_RECORDED_ID,
		       "it has the WWID of the captured disk, %.120s",
		       facts->wwid);
	else
		return false;
	return true;
}

/* What is left on it. */
static bool ask_bytes(const struct vk_capture *c, const struct vk_disk_facts *facts, const struct header_match *match,
		      struct vk_of_disk *a)
{
	bool file = relate_files(c, &facts->file) == SAME && same_size(c, facts);
	bool uuid = match->same_device || match->same_volume;
	bool others = match->other_id || match->other_device || match->other_volume;
	enum vk_is_of yes = same_size(c, facts) && !others ? VK_OF_CERTAIN : VK_OF_LIKELY;

	/* of a file that is the same one, an id that differs is damage */
	if (match->same_id || (uuid && (file || !match->other_id))) {
		answer(a, yes,
		       match->same_id       ? VK_PROOF_DISK_ID
		       : match->same_device ? VK_PROOF_DEVICE_UUID
					    : VK_PROOF_VOLUME_UUID,
		       "its headers have the captured %s", match->same_id ? "disk id" : "UUIDs");
		return true;
	}
	if (others) {
		answer(a, VK_OF_NO,
		       match->other_id       ? VK_PROOF_DISK_ID
		       : match->other_device ? VK_PROOF_DEVICE_UUID
					     : VK_PROOF_VOLUME_UUID,
		       "its headers say %s, the captured ones said %s", match->seen, match->want);
		return true;
	}
	if (file) {
		answer(a, VK_OF_CERTAIN, VK_PROOF_FILE, "it is the file that was captured");
		return true;
	}
	switch (relate_guids(c, facts)) {
	case SAME:
		answer(a, yes, VK_PROOF_GUID, "its GPT has the captured disk GUID");
		return true;
	case OTHER:
		answer(a, VK_OF_NO, VK_PROOF_GUID, "its GPT is that of another disk");
		return true;
	case SILENT:
		break;
	}
	return false;
}

enum vk_is_of vk_capture_is_of(const struct vk_capture *capture, struct vk_disk_facts *facts,
			       struct vk_of_disk *ret_answer)
{
	struct vk_of_disk a = {.is_of = VK_OF_UNKNOWN};
	bool known;
	bool decided = ask_device(capture, facts, &known, &a);
	struct header_match match;

	/* the volumes are not asked when the answer is yes: that may be a disk that answers no reads */
	if (!decided || a.is_of == VK_OF_NO) {
		match_headers(capture, facts, &match);
		a.same_volume = match.same_device || match.same_volume;
	}
	if (!decided && !ask_bytes(capture, facts, &match, &a)) {
		if (!known && relate(capture->disk_serial, facts->serial) == SAME &&
		    relate(capture->disk_model, facts->model) != OTHER && relate_partitions(capture, facts) == SAME)
			answer(&a, VK_OF_LIKELY, VK_PROOF_SERIAL,
			       "it has the serial number of the captured disk, %.120s", facts->serial);
		else
			answer(&a, VK_OF_UNKNOWN, VK_PROOF_NONE, "%s",
			       known ? "it is a partition of the captured disk, but which one is not known"
				     : "neither a name of the device nor anything that is left on it is that of the "
				       "captured disk");
	}
	*ret_answer = a;
	return a.is_of;
}

bool vk_capture_tells_of(const struct vk_capture *capture, struct vk_disk_facts *facts, struct vk_of_disk *ret_answer)
{
	memset(ret_answer, 0, sizeof(*ret_answer));
	return !capture->is_undo && !capture->is_rebuilt &&
	       vk_capture_is_of(capture, facts, ret_answer) >= VK_OF_LIKELY;
}

bool vk_capture_may_be_of(const struct vk_capture *capture, const struct vk_disk_facts *facts,
			  const struct vk_of_disk *answer)
{
	return answer->is_of == VK_OF_UNKNOWN && !capture->is_undo && !capture->is_rebuilt &&
	       capture->source_kind == facts->kind && same_size(capture, facts);
}

bool vk_capture_is_of_old_use(const struct vk_capture *capture, struct vk_disk_facts *facts)
{
	struct header_match match;

	match_headers(capture, facts, &match);
	return match.other_volume && !match.same_device && !match.same_volume;
}

bool vk_capture_contradicts(const struct vk_capture *capture, const struct vk_disk_facts *facts)
{
	enum relation wwid = relate(capture->wwid, facts->wwid);
	const char *recorded;

	if (wwid != SILENT)
		return wwid == OTHER ||
		       (capture->device_start_sector != 0 && facts->device_start_sector != 0 &&
			capture->device_start_sector != facts->device_start_sector);
	return (capture->wwid[0] == '\0' && relate_recorded(capture, facts->wwid, &recorded) == OTHER) ||
	       relate(capture->disk_serial, facts->serial) == OTHER ||
	       (relate_files(capture, &facts->file) == OTHER && !same_size(capture, facts));
}
