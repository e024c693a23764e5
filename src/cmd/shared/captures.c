/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs that speak of captures have in common. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/shared/captures.h"
#include "base/shown.h"
#include "store/manifest/rebuilt.h"

/*
 * Twice as many as processors: while one waits for a disk or for the store to be flushed, another
 * digests.
 */
enum { THREADS_LEAST = 4, THREADS_MAX = 64 };

struct spread {
	atomic_size_t next;
	size_t count;
	void (*work)(void *ctx, size_t index);
	void *ctx;
};

static void *spread_thread(void *arg)
{
	struct spread *s = arg;
	size_t i;

	while ((i = atomic_fetch_add(&s->next, 1)) < s->count)
		s->work(s->ctx, i);
	return NULL;
}

void vk_cmd_spread(size_t count, void (*work)(void *ctx, size_t index), void *ctx)
{
	struct spread s = {.count = count, .work = work, .ctx = ctx};
	pthread_t threads[THREADS_MAX];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t want = cpus > 0 ? (size_t)cpus * 2 : 1;
	size_t started = 0;

	want = want > THREADS_LEAST ? want : THREADS_LEAST;
	want = want < count ? want : count;
	want = want < THREADS_MAX ? want : THREADS_MAX;
	/* this thread works, too: what could not be started is made up for */
	while (started + 1 < want && pthread_create(&threads[started], NULL, spread_thread, &s) == 0)
		started++;
	spread_thread(&s);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

void vk_cmd_show_saved(FILE *out, const struct vk_capture *capture)
{
	fprintf(out, "saved %s", vk_shown_size_short(vk_cmd_saved_bytes(capture)).text);
	for (size_t i = 0; i < capture->identity_count; i++) {
		const struct vk_identity *id = &capture->identities[i];

		fprintf(out, "; partition %u: %s", id->partition, id->fs_label[0] != '\0' ? id->fs_label : "no label");
		if (id->disk_id[0] != '\0')
			fprintf(out, ", %s", id->disk_id);
	}
}

uint64_t vk_cmd_saved_bytes(const struct vk_capture *capture)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < capture->region_count; i++)
		sum += capture->regions[i].length_bytes;
	for (size_t i = 0; i < capture->map_count; i++)
		sum += capture->maps[i].length_bytes;
	for (size_t i = 0; i < capture->metadata_count; i++)
		sum += capture->metadata[i].length_bytes;
	return sum;
}

static json_t *map_json(const struct vk_saved_map *map)
{
	return VK_JSON_OBJECT(VK_KEY("partition", map->partition), VK_KEY("scope", vk_file_map_scope_name(map->scope)),
			      VK_KEY("files", map->files), VK_KEY("runs", map->runs), VK_KEY("torn", map->torn),
			      VK_KEY("unread", map->unread), VK_KEY("faults", map->faults),
			      VK_KEY("size_bytes", map->length_bytes));
}

static json_t *metadata_json(const struct vk_saved_metadata *m)
{
	return VK_JSON_OBJECT(VK_KEY("partition", m->partition), VK_KEY("scope", vk_metadata_scope_name(m->scope)),
			      VK_KEY("size_bytes", m->length_bytes), VK_KEY("held_bytes", m->held_bytes),
			      VK_KEY("unreadable_bytes", m->unreadable_bytes), VK_KEY("faults", m->faults));
}

/* Of a structure that could not be read nothing is told; of one that could, also empty texts. */
static json_t *volume_json(const struct vk_identity *id)
{
	struct vk_json o = vk_json_begin();

	VK_JSON_SET(&o, VK_KEY("partition", id->partition), VK_KEY("start_sector", id->start_sector),
		    VK_KEY("sectors", id->sectors));
	if (id->device_uuid[0] != '\0')
		vk_json_set_text(&o, "device_uuid", id->device_uuid);
	if (id->volume_uuid[0] != '\0')
		vk_json_set_text(&o, "volume_uuid", id->volume_uuid);
	if (id->fs_uuid[0] != '\0') {
		VK_JSON_SET(&o, VK_KEY("label", id->fs_label), VK_KEY("uuid", id->fs_uuid),
			    VK_KEY("fs_version", id->fs_version));
	}
	if (id->disk_id[0] != '\0') {
		VK_JSON_SET(&o, VK_KEY("lun", id->lun), VK_KEY("disk_id", id->disk_id), VK_KEY("vml", id->vml),
			    VK_KEY("target_label", id->target_label));
	}
	return vk_json_end(&o);
}

struct vk_json vk_cmd_capture_json(const char *id, const char *path, const struct vk_capture *c)
{
	struct vk_json o = vk_json_begin();
	json_t *volumes = json_array(), *maps = json_array(), *metadata = json_array();

	for (size_t i = 0; i < c->identity_count; i++)
		vk_json_append(volumes, volume_json(&c->identities[i]), &o);
	for (size_t i = 0; i < c->map_count; i++)
		vk_json_append(maps, map_json(&c->maps[i]), &o);
	for (size_t i = 0; i < c->metadata_count; i++)
		vk_json_append(metadata, metadata_json(&c->metadata[i]), &o);
	VK_JSON_SET(&o, VK_KEY("id", id), VK_KEY("path", path), VK_KEY("time", c->time), VK_KEY("host", c->host),
		    VK_KEY("disk", c->source_path), VK_KEY("kind", vk_source_kind_name(c->source_kind)),
		    VK_KEY("purpose", vk_capture_purpose(c)), VK_KEY("undo_of", c->is_undo ? c->undo_of : NULL),
		    VK_KEY("size_bytes", c->size_bytes), VK_KEY("sector_size", c->sector_size),
		    VK_KEY("saved_bytes", vk_cmd_saved_bytes(c)), VK_KEY("volumes", volumes),
		    VK_KEY("file_maps", maps), VK_KEY("metadata", metadata));
	return o;
}

json_t *vk_cmd_change_json(const struct vk_change *change, bool with_volatile)
{
	struct vk_json o = vk_json_begin();

	if (with_volatile)
		vk_json_set_bool(&o, "volatile", change->is_volatile);
	VK_JSON_SET(&o, VK_KEY("partition", change->partition), VK_KEY("subject", change->subject),
		    VK_KEY("field", change->field), VK_KEY("before", change->before), VK_KEY("after", change->after),
		    VK_KEY("message", change->message));
	return vk_json_end(&o);
}

struct judging {
	struct vk_cmd_judged *items;
	struct vk_vouching *vouching;
	struct vk_verify_cache *cache; /* NULL: without memory for it files are read once for each capture */
};

static void judge_one(void *ctx, size_t index)
{
	struct judging *judging = ctx;
	struct vk_cmd_judged *judged = &judging->items[index];
	struct vk_finding_sink sink = vk_findings_sink(&judged->findings);
	enum vk_status opened = vk_capture_open("", judged->path, &judged->capture, &judged->err);

	judged->verified = judging->vouching != NULL;
	judged->known = opened == VK_OK;
	if (judging->vouching == NULL)
		judged->status = opened == VK_IO ? opened : VK_OK;
	else
		judged->status = vk_capture_judge(judging->vouching, judged->path, judging->cache, &sink,
						  &judged->vouched_by, &judged->err);
}

struct vk_cmd_judged *vk_cmd_judge(char *const *paths, size_t count, struct vk_vouching *vouching)
{
	struct judging judging = {.items = calloc(count + 1, sizeof(*judging.items)), .vouching = vouching};

	for (size_t i = 0; i < count; i++) {
		if (judging.items == NULL)
			free(paths[i]);
		else
			judging.items[i].path = paths[i];
	}
	if (judging.items == NULL)
		return NULL;
	judging.cache = vouching != NULL ? vk_verify_cache_new() : NULL;
	vk_cmd_spread(count, judge_one, &judging);
	vk_verify_cache_free(judging.cache);
	return judging.items;
}

void vk_cmd_judged_free(struct vk_cmd_judged *items, size_t count)
{
	for (size_t i = 0; items != NULL && i < count; i++) {
		free(items[i].path);
		if (items[i].known)
			vk_capture_close(&items[i].capture);
		vk_findings_free(&items[i].findings);
	}
	free(items);
}

const char *vk_cmd_judged_id(const struct vk_cmd_judged *judged)
{
	const char *slash = strrchr(judged->path, '/');

	return slash != NULL ? slash + 1 : judged->path;
}

const char *vk_cmd_verdict(const struct vk_cmd_judged *judged)
{
	unsigned flaws = vk_findings_flaws(&judged->findings);
	bool undo = judged->known && judged->capture.is_undo;

	if (judged->status != VK_OK)
		return "cannot be read";
	if (!judged->verified)
		return undo ? VK_VERDICT_UNDO : "not checked";
	if ((flaws & (VK_FLAW_BROKEN | VK_FLAW_EXTRA)) != 0)
		return "damaged";
	if ((flaws & VK_FLAW_UNTRUSTED) != 0)
		return "not trusted";
	/* whether it is whole is not what matters most of it: nobody may take it for a backup */
	if (undo)
		return VK_VERDICT_UNDO;
	if ((flaws & VK_FLAW_INCOMPLETE) != 0)
		return "incomplete";
	return flaws != 0 ? "exposed" : "sound";
}

void vk_cmd_set_verdict(struct vk_json *object, const struct vk_cmd_judged *judged)
{
	const char *verdict = vk_cmd_verdict(judged);

	vk_json_set_text(object, "verdict", verdict);
	if (strcmp(verdict, VK_VERDICT_UNDO) == 0)
		vk_json_set_text(object, "use", VK_UNDO_USE);
}

enum vk_status vk_cmd_store_paths(const char *store, char ***ret_paths, size_t *ret_count,
				  struct vk_error *err)
{
	enum vk_status status = vk_store_list(store, ret_paths, ret_count, err);
	bool sound = true;

	for (size_t i = 0; status == VK_OK && i < *ret_count; i++) {
		char *id = (*ret_paths)[i];

		if (!sound || asprintf(&(*ret_paths)[i], "%s/%s", store, id) < 0) {
			(*ret_paths)[i] = NULL;
			sound = false;
		}
		free(id);
	}
	if (sound)
		return status;
	for (size_t i = 0; i < *ret_count; i++)
		free((*ret_paths)[i]);
	free(*ret_paths);
	return vk_no_memory(err, store);
}
