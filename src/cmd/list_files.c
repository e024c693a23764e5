/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit list --files: what a capture knows of the files of its volumes. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/shown.h"
#include "cmd/files/entry.h"
#include "cmd/list_files.h"
#include "cmd/shared/captures.h"
#include "report/columns.h"

struct run {
	struct vk_cmd cmd;
	struct vk_capture capture;
	struct vk_file_map *maps; /* one for each of the capture */
};

static bool read_options(void *ctx)
{
	struct run *run = ctx;

	if (vk_cli_flag(run->cmd.call, "dfxml"))
		return vk_cmd_usage(&run->cmd, "--files and --dfxml do not go together");
	return true;
}

static bool load(void *ctx)
{
	struct run *run = ctx;
	const char *name = run->cmd.call->argument_count > 0 ? run->cmd.call->arguments[0] : "latest";
	struct vk_capture *c = &run->capture;
	struct vk_error err;

	if (!vk_cmd_name_capture(&run->cmd, VK_NAME_ONE_DISK, &name))
		return false;
	if (vk_capture_open(vk_cmd_store(run->cmd.call), name, c, &err) != VK_OK)
		return vk_cmd_fail(&run->cmd, &err);
	if (c->map_count == 0) {
		vk_error_set(&err, VK_ABSENT, c->id, "this capture has no map of files");
		vk_error_remedy(&err, "look into a capture that was taken without --no-files, of a disk with VMFS");
		return vk_cmd_fail(&run->cmd, &err);
	}
	run->maps = calloc(c->map_count, sizeof(*run->maps));
	if (run->maps == NULL)
		return vk_cmd_no_memory(&run->cmd);
	for (size_t i = 0; i < c->map_count; i++) {
		struct vk_io *io;
		enum vk_status status = vk_capture_map(c, i, &io, &err);

		if (status == VK_OK) {
			status = vk_file_map_load(io, &run->maps[i], &err);
			vk_io_close(io);
		}
		if (status != VK_OK)
			return vk_cmd_fail(&run->cmd, &err);
	}
	return true;
}

/* Without runs: what is known of it all the same. */
static const char *note_of(const struct vk_file_map_file *file)
{
	if (file->unread)
		return "not read";
	if (file->torn)
		return "torn";
	return file->run_count == 0 && file->size_bytes > 0 ? "left out" : "";
}

static void put_map(FILE *out, const struct vk_saved_map *saved, const struct vk_file_map *map)
{
	static const struct vk_column columns[] = {{"SIZE", .right = true}, {"RUNS", .right = true}, {"KIND"},
						   {"NOTE", .may_go = true}, {"FILE", .prose = true}};
	struct vk_columns table = VK_COLUMNS(columns);

	fprintf(out, "\nPartition %u: %s %s, %" PRIu64 " files in %" PRIu64 " runs%s\n", saved->partition,
		map->sums.version, map->sums.volume, map->sums.files, map->sums.runs,
		vk_file_map_is_whole(&map->sums) ? "" : "; there may be more, which could not be read");
	for (size_t i = 0; i < map->count; i++) {
		const struct vk_file_map_file *file = &map->files[i];

		vk_columns_row(&table, (const char *const[]){
			file->unread ? "?" : vk_shown_size_short(file->size_bytes).text,
			vk_phrase("%" PRIu64, file->run_count).text, vk_ls_type(file->type), note_of(file),
			vk_shown_name(file->path).text});
	}
	vk_columns_end(&table, out);
}

static void put_text(const void *ctx)
{
	const struct run *run = ctx;
	FILE *out = run->cmd.call->out;

	fprintf(out, "capture %s, taken %s of %s\n", run->capture.id, run->capture.time,
		vk_shown_name(run->capture.source_path).text);
	for (size_t i = 0; i < run->capture.map_count; i++)
		put_map(out, &run->capture.maps[i], &run->maps[i]);
}

static json_t *file_json(const struct vk_file_map_file *file)
{
	struct vk_json o = vk_json_begin();

	VK_JSON_SET(&o, VK_KEY("path", vk_json_text(file->path)), VK_KEY("kind", vk_ls_type(file->type)),
		    VK_KEY("descriptor", file->address), VK_KEY("generation", file->generation),
		    VK_KEY("unread", vk_json_bool(file->unread)));
	if (file->unread)
		return vk_json_end(&o);
	VK_JSON_SET(&o, VK_KEY("size_bytes", file->size_bytes), VK_KEY("runs", file->run_count),
		    VK_KEY("left_out", vk_json_bool(file->run_count == 0 && file->size_bytes > 0)),
		    VK_KEY("torn", vk_json_bool(file->torn)));
	if (file->disk_id != NULL)
		vk_json_set(&o, "lun", vk_json_text(file->disk_id));
	return vk_json_end(&o);
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;
	json_t *volumes = json_array();

	for (size_t i = 0; i < run->capture.map_count; i++) {
		const struct vk_file_map *map = &run->maps[i];
		struct vk_json o = vk_json_begin();
		json_t *files = json_array();

		for (size_t k = 0; k < map->count; k++)
			vk_json_append(files, file_json(&map->files[k]), &o);
		VK_JSON_SET(&o, VK_KEY("partition", run->capture.maps[i].partition), VK_KEY("uuid", map->sums.volume),
			    VK_KEY("fs_version", vk_json_text(map->sums.version)),
			    VK_KEY("scope", vk_file_map_scope_name(map->sums.scope)),
			    VK_KEY("whole", vk_json_bool(vk_file_map_is_whole(&map->sums))), VK_KEY("files", files));
		vk_json_append(volumes, vk_json_end(&o), root);
	}
	VK_JSON_SET(root, VK_KEY("id", run->capture.id), VK_KEY("time", run->capture.time),
		    VK_KEY("disk", run->capture.source_path), VK_KEY("volumes", volumes));
}

static void end(void *ctx)
{
	struct run *run = ctx;

	for (size_t i = 0; run->maps != NULL && i < run->capture.map_count; i++)
		vk_file_map_free(&run->maps[i]);
	free(run->maps);
	vk_capture_close(&run->capture);
}

int vk_cmd_list_files(struct vk_cli_call *call)
{
	static const struct vk_cmd_steps steps = {"vmfskit.list-files/1", read_options, load, put_json, put_text, end};
	struct run run = {.maps = NULL};

	return vk_cmd_run(call, &run, &steps);
}
