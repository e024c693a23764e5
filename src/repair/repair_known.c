/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which captures are of this disk. Names of devices move from one boot to the next, so a path alone proves nothing: ids
 * of the device, UUIDs that stand on the target, or the GUID of its table have to agree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "repair/repair_state.h"
#include "scsi/device_info.h"
#include "store/plan.h"

enum { KNOWN_MAX = 4, PLACES_MAX = 64, TABLES_MAX = 32, MANIFESTS_MAX = 4096 };

struct counted {
	size_t errors;
};

/* Who a place of the target says it is. */
struct place {
	uint64_t start;
	struct vk_identity identity;
};

struct search {
	struct vk_repair *repair;
	struct vk_device_info device;
	struct stat st; /* of the target */
	struct place places[PLACES_MAX];
	size_t place_count;
	size_t tables_opened;
};

void vk_known_free(struct vk_known *known)
{
	vk_source_close(&known->source);
	vk_capture_close(&known->capture);
}

static bool equal(const char *a, const char *b)
{
	return a[0] != '\0' && strcmp(a, b) == 0;
}

static bool differ(const char *a, const char *b)
{
	return a[0] != '\0' && b[0] != '\0' && strcmp(a, b) != 0;
}

static uint64_t start_of(const struct vk_capture *capture, const struct vk_identity *identity)
{
	return capture->source_kind == VK_SOURCE_DISK
		       ? vk_mul_sat(identity->start_sector, capture->sector_size)
		       : 0;
}

static const struct place *look_at(struct search *s, uint64_t start)
{
	const struct vk_source *source = &s->repair->source;
	struct place *place;
	struct vk_vmfs vmfs = {.start_sector = start / source->sector_size};
	struct vk_io *window;
	struct vk_error ignored;

	for (size_t i = 0; i < s->place_count; i++)
		if (s->places[i].start == start)
			return &s->places[i];
	if (s->place_count == PLACES_MAX || start >= source->size_bytes)
		return NULL;
	place = &s->places[s->place_count++];
	memset(place, 0, sizeof(*place));
	place->start = start;
	window = vk_io_window(source->io, start, source->size_bytes - start);
	if (window != NULL && vk_vmfs_read(window, NULL, &vmfs, &ignored) == VK_OK) {
		vk_identity_fill(source, &vmfs, &place->identity);
		vk_vmfs_free(&vmfs);
	}
	vk_io_close(window);
	return place;
}

/* An id that stands on the target where the capture saw it. Volume UUIDs of all zeros are none. */
static bool says_the_same(const struct vk_identity *now, const struct vk_identity *was)
{
	return equal(now->device_uuid, was->device_uuid) || equal(now->fs_uuid, was->fs_uuid);
}

static bool volumes_agree(struct search *s, const struct vk_capture *capture)
{
	for (size_t i = 0; i < capture->identity_count; i++) {
		const struct vk_identity *was = &capture->identities[i];
		const struct place *place;

		if (s->repair->source.kind == VK_SOURCE_PARTITION)
			place = look_at(s, 0);
		else
			place = look_at(s, start_of(capture, was));
		if (place != NULL && says_the_same(&place->identity, was))
			return true;
	}
	return false;
}

static bool is_lasting_name(const char *path)
{
	return strncmp(path, "/dev/disk/by-", 13) == 0 && strncmp(path + 13, "path/", 5) != 0;
}

/* An image file stays what it is; of a device only names that are made of its ids do. */
static bool same_name(const struct search *s, const struct vk_capture *capture)
{
	const struct vk_source *source = &s->repair->source;
	char *real = realpath(source->path, NULL);
	bool same = capture->size_bytes == source->size_bytes &&
		    (equal(capture->source_path, source->path) ||
		     (real != NULL && equal(capture->source_path, real))) &&
		    (S_ISREG(s->st.st_mode) || is_lasting_name(capture->source_path));

	free(real);
	return same;
}

static bool guids_agree(const struct vk_table *a, const struct vk_table *b)
{
	for (int i = 0; i < 4; i++) {
		const struct vk_gpt_copy *x = &a->gpt[i / 2], *y = &b->gpt[i % 2];

		if (x->present && y->present && vk_guid_equal(&x->header.diskGUID, &y->header.diskGUID))
			return true;
	}
	return false;
}

/* A copy of the GPT that is left on the target names the disk, too. */
static bool tables_agree(struct search *s, const struct vk_capture *capture)
{
	const struct vk_table *now = &s->repair->source.table;
	struct vk_source source;
	struct vk_error ignored;
	bool agree;

	if (capture->source_kind != VK_SOURCE_DISK || capture->table_kind != VK_TABLE_GPT ||
	    (!now->gpt[0].present && !now->gpt[1].present) || s->tables_opened == TABLES_MAX)
		return false;
	s->tables_opened++;
	if (vk_capture_source(capture, &source, &ignored) != VK_OK)
		return false;
	agree = guids_agree(now, &source.table);
	vk_source_close(&source);
	return agree;
}

static bool fits(struct search *s, const struct vk_capture *capture)
{
	if (capture->is_undo || capture->is_rebuilt || differ(capture->wwid, s->device.wwid))
		return false;
	if (s->repair->source.kind == VK_SOURCE_DISK && capture->source_kind != VK_SOURCE_DISK)
		return false;
	if (capture->source_kind == s->repair->source.kind &&
	    (equal(capture->wwid, s->device.wwid) || same_name(s, capture)))
		return true;
	return volumes_agree(s, capture) || tables_agree(s, capture);
}

static void note_error(void *ctx, const struct vk_finding *finding)
{
	struct counted *counted = ctx;

	counted->errors += vk_finding_kind(finding->code)->severity == VK_ERROR &&
			   finding->code != VK_F_CAPTURE_UNREADABLE &&
			   finding->code != VK_F_CAPTURE_NOT_CONTAINING;
}

static bool is_sound(const struct vk_capture *capture)
{
	struct counted counted = {0};
	const struct vk_finding_sink sink = {note_error, &counted};
	struct vk_error ignored;

	return vk_capture_verify(capture->path, &sink, &ignored) == VK_OK && counted.errors == 0;
}

/* capture becomes known's, also when this fails. */
static enum vk_status add(struct vk_repair *repair, struct vk_capture *capture, struct vk_known **ret_known,
			  struct vk_error *err)
{
	struct vk_known *items = realloc(repair->known, (repair->known_count + 1) * sizeof(*items));
	struct vk_known *known;
	enum vk_status status;

	if (items == NULL) {
		vk_capture_close(capture);
		return vk_repair_no_memory(err);
	}
	repair->known = items;
	known = &items[repair->known_count];
	memset(known, 0, sizeof(*known));
	known->capture = *capture;
	snprintf(known->name, sizeof(known->name), "capture %s", capture->id);
	status = vk_capture_source(&known->capture, &known->source, err);
	if (status != VK_OK) {
		vk_capture_close(&known->capture);
		return status;
	}
	repair->known_count++;
	*ret_known = known;
	return VK_OK;
}

static void compare(struct vk_known *known, const struct place *place, const struct vk_identity *was)
{
	bool device = differ(place->identity.device_uuid, was->device_uuid);

	if (!device && !differ(place->identity.fs_uuid, was->fs_uuid))
		return;
	known->misfit_guard = device ? VK_GUARD_DEVICE_UUID : VK_GUARD_VOLUME_UUID;
	snprintf(known->misfit, sizeof(known->misfit),
		 "Capture %s was named; at byte %llu it has the %s %s, the target has %s", known->capture.id,
		 (unsigned long long)place->start, device ? "LVM device" : "file system",
		 device ? was->device_uuid : was->fs_uuid,
		 device ? place->identity.device_uuid : place->identity.fs_uuid);
}

static void say_misfit(struct search *s, struct vk_known *known)
{
	const struct vk_capture *capture = &known->capture;

	if (differ(capture->wwid, s->device.wwid)) {
		known->misfit_guard = VK_GUARD_DISK_ID;
		snprintf(known->misfit, sizeof(known->misfit),
			 "Capture %s was named; it is of the disk %.120s, the target is %.120s", capture->id,
			 capture->wwid, s->device.wwid);
		return;
	}
	for (size_t i = 0; i < capture->identity_count && known->misfit[0] == '\0'; i++) {
		const struct vk_identity *was = &capture->identities[i];
		bool whole = s->repair->source.kind == VK_SOURCE_DISK;
		const struct place *place = look_at(s, whole ? start_of(capture, was) : 0);

		/* which of several partitions the target is, only the ids could tell */
		if (!whole && capture->identity_count > 1)
			break;
		if (place != NULL && !says_the_same(&place->identity, was))
			compare(known, place, was);
	}
}

static enum vk_status consult_named(struct search *s, const char *store, struct vk_error *err)
{
	struct vk_capture capture;
	struct vk_known *known;
	enum vk_status status = vk_capture_open(store, s->repair->options.capture, &capture, err);

	/* absent is what the planners say when too little is left of the disk */
	if (status == VK_ABSENT && err != NULL)
		err->status = VK_IO;
	if (status != VK_OK)
		return status == VK_ABSENT ? VK_IO : status;
	if (capture.is_undo || capture.is_rebuilt) {
		vk_error_set(err, VK_USAGE, capture.path, "This is no capture of what a disk held: %s",
			     capture.is_undo ? "a restore took it of what it overwrote" : "repair made it");
		vk_capture_close(&capture);
		return VK_USAGE;
	}
	status = add(s->repair, &capture, &known, err);
	if (status != VK_OK)
		return status;
	say_misfit(s, known);
	if (!is_sound(&known->capture)) {
		known->misfit_guard = VK_GUARD_CAPTURE_VERIFIED;
		snprintf(known->misfit, sizeof(known->misfit), "Capture %s was named; it fails verification",
			 known->capture.id);
	}
	return VK_OK;
}

/* A capture that cannot be read may know better than all that a planner finds. */
static enum vk_status refuse_unread(const struct vk_error *unread, struct vk_error *err)
{
	if (err != NULL)
		*err = *unread;
	(void)vk_error_remedy(err, "run this as root or as the owner of the store; --no-captures plans without them");
	return VK_IO;
}

static enum vk_status consult_store(struct search *s, const char *store, struct vk_error *err)
{
	char **ids = NULL;
	size_t count = 0;
	struct vk_error unread, ignored;
	enum vk_status status = vk_store_list(store, &ids, &count, &unread);

	/* a repair that has no captures to ask is what repair is for */
	if (status == VK_ABSENT)
		return VK_OK;
	if (status != VK_OK)
		return status == VK_NOMEM ? vk_repair_no_memory(err) : refuse_unread(&unread, err);
	for (size_t i = count; i-- > 0 && status == VK_OK && s->repair->known_count < KNOWN_MAX &&
			       count - i <= MANIFESTS_MAX;) {
		struct vk_capture capture;
		struct vk_known *known;

		enum vk_status opened = vk_capture_open(store, ids[i], &capture, &unread);

		if (opened == VK_IO)
			status = refuse_unread(&unread, err);
		if (opened != VK_OK)
			continue;
		if (!fits(s, &capture) || !is_sound(&capture))
			vk_capture_close(&capture);
		else if (add(s->repair, &capture, &known, &ignored) == VK_NOMEM)
			status = vk_repair_no_memory(err);
	}
	for (size_t i = 0; i < count; i++)
		free(ids[i]);
	free(ids);
	return status;
}

/* Where the captures saw volumes is looked at first. */
static enum vk_status take_hints(struct vk_repair *repair, struct vk_error *err)
{
	const struct vk_find_options *given = &repair->options.find;
	size_t most = given->hint_count + 1;

	for (size_t i = 0; i < repair->known_count; i++)
		most += repair->known[i].capture.identity_count;
	repair->hints = calloc(most, sizeof(*repair->hints));
	if (repair->hints == NULL)
		return vk_repair_no_memory(err);
	for (size_t i = 0; i < given->hint_count; i++)
		repair->hints[repair->hint_count++] = given->hints[i];
	for (size_t i = 0; i < repair->known_count; i++) {
		const struct vk_capture *capture = &repair->known[i].capture;

		for (size_t k = 0; k < capture->identity_count; k++) {
			const struct vk_identity *identity = &capture->identities[k];
			uint64_t start = start_of(capture, identity);

			if (capture->source_kind != repair->source.kind)
				start = 0;
			repair->hints[repair->hint_count++] = (struct vk_find_hint){
				.start_sector = start / repair->source.sector_size,
				.sectors = vk_mul_sat(identity->sectors, capture->sector_size) /
					   repair->source.sector_size,
				.from = repair->known[i].name};
		}
	}
	return VK_OK;
}

enum vk_status vk_repair_consult(struct vk_repair *repair, struct vk_error *err)
{
	const char *store = repair->options.restore.store;
	struct search *s = calloc(1, sizeof(*s));
	enum vk_status status = VK_OK;

	if (s == NULL)
		return vk_repair_no_memory(err);
	s->repair = repair;
	store = store != NULL ? store : VK_STORE_DEFAULT;
	vk_device_info_read(repair->source.path, &s->device);
	if (stat(repair->source.path, &s->st) != 0)
		s->st.st_mode = 0;
	if (repair->options.capture != NULL)
		status = consult_named(s, store, err);
	else if (repair->options.use_captures)
		status = consult_store(s, store, err);
	free(s);
	return status == VK_OK ? take_hints(repair, err) : status;
}
