/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit undelete: which captures know this volume, and which of them can be believed. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/shown.h"
#include "base/texts.h"
#include "cmd/undelete/undelete.h"
#include "vmfskit/of_disk.h"
#include "vmfskit/vmfs_uuid.h"

enum { CAPTURES_MAX = 400 }; /* the newest; a year of nights. Each has an open file */

/* The number of the map of the volume with that UUID; SIZE_MAX: it has none. */
static size_t map_of(const struct vk_capture *c, const char *uuid)
{
	for (size_t i = 0; i < c->map_count; i++)
		for (size_t k = 0; k < c->identity_count; k++)
			if (c->identities[k].partition == c->maps[i].partition &&
			    strcmp(c->identities[k].fs_uuid, uuid) == 0)
				return i;
	return SIZE_MAX;
}

/* A replica has the same UUIDs, and other files; what is not known to be another LUN is this one by its volume. */
static bool is_of_another(const struct vk_capture *c, struct vk_disk_facts *facts, size_t count)
{
	struct vk_of_disk answer;

	for (size_t i = 0; i < count; i++)
		if (vk_capture_is_of(c, &facts[i], &answer) != VK_OF_NO)
			return false;
	return count > 0;
}

struct choice {
	struct vk_lost_run *run;
	char uuid[VK_VMFS_UUID_TEXT_BYTES];
	struct vk_disk_facts *facts;
	size_t fact_count;
	const char *named;       /* the capture of --capture or --from: an id or a path; NULL: none */
	bool named_there;
	char **paths;            /* of those that may be asked, newest first */
	size_t count;
	char outside[VK_CAPTURE_ID_BYTES]; /* which one named by a path is; empty: none. It is asked once */
	size_t others;           /* captures of other LUNs with this volume */
	size_t without;          /* of this LUN, without a map of this volume */
};

static bool is_named(const struct choice *choice, const char *path)
{
	const char *slash = strrchr(path, '/');

	return choice->named != NULL &&
	       (strcmp(choice->named, path) == 0 || strcmp(choice->named, slash != NULL ? slash + 1 : path) == 0);
}

/* Takes path over. False: memory ran out. */
static bool consider(struct choice *choice, char *path, bool outside)
{
	struct vk_capture c;
	bool named, keep = false;

	if (path == NULL || vk_capture_open("", path, &c, NULL) != VK_OK) {
		free(path);
		return path != NULL;
	}
	named = is_named(choice, path);
	if (outside)
		snprintf(choice->outside, sizeof(choice->outside), "%s", c.id);
	if ((outside || strcmp(choice->outside, c.id) != 0) && !c.is_undo && !c.is_rebuilt &&
	    choice->count < CAPTURES_MAX) {
		const bool has = map_of(&c, choice->uuid) != SIZE_MAX;
		const bool other = !named && is_of_another(&c, choice->facts, choice->fact_count);

		keep = has && !other;
		choice->others += has && other;
		choice->without += !has && !other;
		choice->named_there = choice->named_there || (named && keep);
	}
	vk_capture_close(&c);
	if (keep && vk_append(&choice->paths, &choice->count, &path, sizeof(path)) != NULL)
		return true;
	free(path);
	return !keep;
}

static bool list_captures(struct choice *choice)
{
	struct vk_cmd *cmd = &choice->run->copy.files.cmd;
	const bool outside = choice->named != NULL && strchr(choice->named, '/') != NULL;
	struct vk_error err;
	bool sound = true;
	size_t count = 0;
	char **paths = NULL;
	const enum vk_status status = vk_cmd_store_paths(vk_cmd_store(cmd->call), &paths, &count, &err);

	if (status != VK_OK && (status != VK_ABSENT || !outside))
		return vk_cmd_fail(cmd, &err);
	/* a capture of another folder, a stick for example: it is taken for newer than those of the store */
	if (outside)
		sound = consider(choice, strdup(choice->named), true);
	for (size_t i = status == VK_OK ? count : 0; i-- > 0;) {
		if (sound)
			sound = consider(choice, paths[i], false);
		else
			free(paths[i]);
	}
	if (status == VK_OK)
		free(paths);
	return sound || vk_cmd_no_memory(cmd);
}

/* Why it cannot be believed; NULL: it can. */
static const char *distrust(const struct vk_cmd_judged *judged)
{
	const unsigned flaws = vk_findings_flaws(&judged->findings);

	if (!judged->known || judged->status != VK_OK)
		return "it cannot be read";
	for (size_t i = 0; i < judged->findings.count; i++)
		if (judged->findings.items[i].code == VK_F_CAPTURE_FILE_MAP)
			return "its map of files is damaged";
	if ((flaws & (VK_FLAW_BROKEN | VK_FLAW_EXTRA)) != 0)
		return "it is damaged";
	/* outside of a store nothing speaks against a capture that nobody knows, and nobody for it */
	return (flaws & VK_FLAW_DOUBT) != 0 || judged->vouched_by == 0 ? "it is not vouched for" : NULL;
}

/*
 * The volume as the metadata of the capture holds it, absent elsewhere: bytes in descriptors come from there. NULL:
 * there is none, or it cannot be opened; then they are not known. Of several extents only the head is in it.
 */
static struct vk_io *kept_volume(const struct choice *choice, const struct vk_capture *c, unsigned partition,
				 struct vk_io **ret_bundle)
{
	const struct vk_files *files = &choice->run->copy.files;
	uint64_t start = 0, place, length;
	struct vk_io *volume = NULL;
	enum vk_io_form form;
	char *path = NULL;
	size_t extent;

	for (size_t i = 0; i < c->metadata_count && path == NULL; i++)
		if (c->metadata[i].partition == partition &&
		    asprintf(&path, "%s/%s", c->path, c->metadata[i].file) < 0)
			return NULL;
	for (size_t i = 0; i < c->identity_count && c->source_kind == VK_SOURCE_DISK; i++)
		if (c->identities[i].partition == partition)
			start = c->identities[i].start_sector * c->sector_size;
	if (path != NULL && files->extent_count == 1 && vk_fs_place(files->fs, 0, &extent, &place, &length) &&
	    vk_io_open(path, NULL, ret_bundle, &form, NULL) == VK_OK)
		volume = vk_io_window(*ret_bundle, start + place - files->extents[0].source_bytes, UINT64_MAX);
	free(path);
	return volume;
}

static bool add_moment(struct choice *choice, const struct vk_cmd_judged *judged)
{
	struct vk_lost_run *run = choice->run;
	const struct vk_capture *c = &judged->capture;
	struct vk_lost_moment moment = {.capture = c, .map = map_of(c, choice->uuid)};
	struct vk_lost_moment *last = run->moment_count > 0 ? &run->moments[run->moment_count - 1] : NULL;
	struct vk_undelete_known known = {.id = c->id};
	struct vk_error err;

	snprintf(moment.since, sizeof(moment.since), "%s", c->time);
	/* an unchanged night is the same map; one that was named stands for itself */
	if (last != NULL && !is_named(choice, judged->path) &&
	    strcmp(last->capture->maps[last->map].sha256, c->maps[moment.map].sha256) == 0) {
		memcpy(last->since, moment.since, sizeof(last->since));
		return true;
	}
	if (vk_capture_map(c, moment.map, &known.map, &err) != VK_OK)
		return vk_cmd_fail(&run->copy.files.cmd, &err);
	known.volume = kept_volume(choice, c, c->maps[moment.map].partition, &moment.bundle);
	if (is_named(choice, judged->path))
		run->newest = run->moment_count;
	if (vk_append(&run->known, &run->known_count, &known, sizeof(known)) == NULL) {
		vk_io_close(known.volume);
		vk_io_close(moment.bundle);
		vk_io_close(known.map);
		return vk_cmd_no_memory(&run->copy.files.cmd);
	}
	return vk_append(&run->moments, &run->moment_count, &moment, sizeof(moment)) != NULL ||
	       vk_cmd_no_memory(&run->copy.files.cmd);
}

static bool open_maps(struct choice *choice)
{
	struct vk_lost_run *run = choice->run;
	struct vk_cmd *cmd = &run->copy.files.cmd;
	const bool only = vk_cli_value(cmd->call, "capture") != NULL;
	const char *why;

	run->judged = vk_cmd_judge(choice->paths, choice->count, cmd->vouching);
	if (run->judged == NULL)
		return vk_cmd_no_memory(cmd);
	run->judged_count = choice->count;
	for (size_t i = 0; i < run->judged_count; i++) {
		why = distrust(&run->judged[i]);
		if (why != NULL) {
			fprintf(cmd->call->err, "%s: note: capture %s is not asked: %s; vmfskit verify says more\n",
				cmd->call->program->name, vk_cmd_judged_id(&run->judged[i]), why);
			choice->named_there = choice->named_there && !is_named(choice, run->judged[i].path);
			(void)vk_cmd_ok(cmd, VK_EXIT_FINDINGS);
			continue;
		}
		run->believed_count++;
		if (!add_moment(choice, &run->judged[i]))
			return false;
		/* older ones know more files, and nothing that came later */
		if (only && is_named(choice, run->judged[i].path))
			break;
	}
	return true;
}

static bool report_none(const struct choice *choice)
{
	struct vk_cmd *cmd = &choice->run->copy.files.cmd;
	const char *store = vk_cmd_store(cmd->call);
	struct vk_error err;

	if (choice->named != NULL && !choice->named_there)
		vk_error_set(&err, VK_ABSENT, choice->named, "this capture has no map of the files of this volume that "
			     "can be believed");
	else if (choice->others > 0)
		vk_error_set(&err, VK_ABSENT, store, "no capture of this LUN has a map of the files of volume %s; %zu "
			     "of another LUN with the same volume, a replica or a copy, %s", choice->uuid,
			     choice->others, choice->others == 1 ? "has" : "have");
	else
		vk_error_set(&err, VK_ABSENT, store, "no capture in this store has a map of the files of volume %s",
			     choice->uuid);
	(void)vk_error_remedy(&err, choice->others > 0 ? "if this is what you want, name it: --capture ID; vmfskit "
			      "list shows them" : "vmfskit list shows the captures; --store DIR names another store. "
			      "capture --no-files, and versions before maps of files, left none");
	return vk_cmd_fail(cmd, &err);
}

bool vk_lost_know(struct vk_lost_run *run)
{
	struct vk_files *files = &run->copy.files;
	struct vk_cmd *cmd = &files->cmd;
	struct choice choice = {.run = run, .named = vk_cli_value(cmd->call, "capture")};
	bool known;

	if (choice.named == NULL)
		choice.named = vk_cli_value(cmd->call, "from");
	if (choice.named != NULL && !vk_cmd_name_capture(cmd, VK_NAME_ONE_DISK, &choice.named))
		return false;
	vk_vmfs_uuid_format(&vk_fs_info(files->fs)->descriptor.uuid, choice.uuid);
	choice.facts = calloc(files->opened.count, sizeof(*choice.facts));
	if (choice.facts == NULL)
		return vk_cmd_no_memory(cmd);
	for (; choice.fact_count < files->opened.count; choice.fact_count++)
		vk_disk_facts_read(&files->opened.sources[choice.fact_count], &choice.facts[choice.fact_count]);
	known = vk_cmd_open_vouching(cmd) && list_captures(&choice) && open_maps(&choice);
	if (known && (run->known_count == 0 || (choice.named != NULL && !choice.named_there)))
		known = report_none(&choice);
	/* their paths belong to judged, unless it did not come to that */
	for (size_t i = 0; run->judged == NULL && i < choice.count; i++)
		free(choice.paths[i]);
	free(choice.paths);
	for (size_t i = 0; i < choice.fact_count; i++)
		vk_disk_facts_free(&choice.facts[i]);
	free(choice.facts);
	return known;
}

void vk_lost_know_end(struct vk_lost_run *run)
{
	for (size_t i = 0; i < run->known_count; i++) {
		vk_io_close(run->known[i].volume);
		vk_io_close(run->known[i].map);
	}
	for (size_t i = 0; i < run->moment_count; i++)
		vk_io_close(run->moments[i].bundle);
	free(run->known);
	free(run->moments);
	vk_cmd_judged_free(run->judged, run->judged_count);
}
