/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit map: where the bytes of a file lie. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cmd/files/map.h"
#include "cmd/shared/verbs.h"
#include "report/columns.h"

static bool read_options(void *ctx)
{
	struct vk_map *map = ctx;
	const struct vk_cli_call *call = map->files.cmd.call;

	if (vk_cli_flag(call, "dd") + vk_cli_flag(call, "dmsetup") + vk_cli_flag(call, "ddrescue") +
		    map->files.cmd.json > 1)
		return vk_cmd_usage(&map->files.cmd,
				    "--dd, --dmsetup, --ddrescue and --json exclude each other");
	if (vk_cli_flag(call, "device") && !vk_cli_flag(call, "dmsetup"))
		return vk_cmd_usage(&map->files.cmd, "--device is for --dmsetup");
	return vk_files_read_options(ctx);
}

static bool for_others(const struct vk_map *map)
{
	const struct vk_cli_call *call = map->files.cmd.call;

	return vk_cli_flag(call, "dd") || vk_cli_flag(call, "dmsetup") || vk_cli_flag(call, "ddrescue");
}

static void add_up(void *ctx, const struct vk_map *map, const struct vk_fs_run *run)
{
	struct vk_map_sums *sums = ctx;
	uint64_t end = run->source_offset + run->length_bytes;

	sums->runs++;
	if (run->kind == VK_RUN_MISSING) {
		sums->unknown_bytes += run->length_bytes;
		sums->lack = run->lack > sums->lack ? run->lack : sums->lack;
	}
	if (!vk_map_on_disk(run))
		return;
	sums->absent_bytes += vk_map_absent(map, run);
	sums->ends[run->extent] = end > sums->ends[run->extent] ? end : sums->ends[run->extent];
}

/* Bytes between which others lie have no place on a device. */
static bool refuse_stride(struct vk_map *map)
{
	struct vk_error err;

	for (size_t i = 0; i < map->files.opened.count; i++) {
		const struct vk_source *source = &map->files.opened.sources[i];

		if ((i > 0 || map->files.how.view.stride_bytes == 0) &&
		    !(vk_source_looked_through(source) && source->readings.items[0].stride_bytes != 0))
			continue;
		vk_error_set(&err, VK_UNSUPPORTED, source->path, "this is a copy of a drive with longer sectors: no "
			     "run of its bytes is one of the disk");
		vk_error_remedy(&err, "copy it without the bytes in between, and name that copy");
		return vk_cmd_fail(&map->files.cmd, &err);
	}
	return true;
}

static bool find(void *ctx)
{
	struct vk_map *map = ctx;
	struct vk_cmd *cmd = &map->files.cmd;
	struct vk_error err;

	if (!vk_files_open(&map->files) || !vk_files_at_most(&map->files, 1))
		return false;
	map->path = vk_files_path(&map->files, 0);
	if (map->path == NULL)
		return vk_cmd_usage(cmd, "name a PATH in the volume");
	if (for_others(map) && !refuse_stride(map))
		return false;
	map->sums.ends = calloc(map->files.extent_count, sizeof(*map->sums.ends));
	if (map->sums.ends == NULL)
		return vk_cmd_no_memory(cmd);
	if (vk_fs_lookup(map->files.fs, map->path, true, &map->files.sink, &map->file, &err) != VK_OK ||
	    vk_files_refuse_raw(&map->files, map->file, map->path, &err) != VK_OK)
		return vk_cmd_fail(cmd, &err);
	if (!vk_map_each(map, &map->files.sink, add_up, &map->sums))
		return false;
	vk_cmd_judge_findings(cmd, &map->files.findings);
	if (for_others(map) && map->sums.unknown_bytes > 0)
		(void)vk_cmd_ok(cmd, VK_EXIT_FINDINGS);
	return true;
}

static struct vk_phrase number_or_none(uint64_t number)
{
	return number == UINT64_MAX ? vk_phrase("-") : vk_phrase("%" PRIu64, number);
}

static void put_row(void *ctx, const struct vk_map *map, const struct vk_fs_run *run)
{
	const bool several = map->files.extent_count > 1 && run->extent != SIZE_MAX;
	uint64_t absent = vk_map_absent(map, run);

	vk_columns_row(ctx, (const char *const[]){
		number_or_none(run->file_offset).text, number_or_none(run->length_bytes).text,
		vk_run_kind_name(run->kind), number_or_none(run->volume_offset).text,
		number_or_none(run->source_offset).text,
		map->sums.absent_bytes == 0 || !vk_map_on_disk(run) ? ""
		: absent == 0                                       ? "yes"
		: absent == run->length_bytes                       ? "no"
								    : "in part",
		several ? vk_shown_name(vk_files_source(&map->files, map->files.extents[run->extent].source)).text
			: ""});
}

static void put_table(struct vk_map *map)
{
	static const struct vk_column columns[] = {
		{"FILE OFFSET", .right = true}, {"LENGTH", .right = true}, {"KIND"}, {"VOLUME OFFSET", .right = true},
		{"DEVICE OFFSET", .right = true}, {"IN SOURCE", .may_go = true},
		{"DEVICE", .may_go = true, .prose = true}};
	struct vk_columns table = VK_COLUMNS(columns);
	FILE *out = map->files.cmd.call->out;

	vk_map_put_title(map, out);
	fputc('\n', out);
	if (map->sums.unknown_bytes > 0)
		fprintf(out, "Where %s of it lie is not known: what tells it is %s.\n",
			vk_shown_size(map->sums.unknown_bytes).text, vk_fs_lack_said(map->sums.lack));
	if (map->sums.absent_bytes > 0)
		fprintf(out, "%s of it are not in the source; where they lie on the disk is known.\n",
			vk_shown_size(map->sums.absent_bytes).text);
	if (map->sums.runs > 0 && vk_map_each(map, NULL, put_row, &table))
		vk_columns_end(&table, out);
}

static void put_text(const void *ctx)
{
	struct vk_map *map = (struct vk_map *)(uintptr_t)ctx;
	struct vk_cmd *cmd = &map->files.cmd;

	if (vk_cli_flag(cmd->call, "dd"))
		(void)vk_map_show_dd(map);
	else if (vk_cli_flag(cmd->call, "dmsetup"))
		(void)vk_map_show_dmsetup(map);
	else if (vk_cli_flag(cmd->call, "ddrescue"))
		(void)vk_map_show_ddrescue(map);
	else
		put_table(map);
	fflush(cmd->call->out);
	if (for_others(map) && map->sums.unknown_bytes > 0)
		fprintf(cmd->call->err, "%s: note: where %s of %s lie is not known, as what tells it is %s: what was "
			"printed leaves them out\n", cmd->call->program->name,
			vk_shown_size(map->sums.unknown_bytes).text,
			vk_shown_name(map->path).text, vk_fs_lack_said(map->sums.lack));
	vk_files_show_findings(&map->files);
}

struct listed {
	json_t *extents;
	struct vk_json *root;
};

static void add_extent(void *ctx, const struct vk_map *map, const struct vk_fs_run *run)
{
	struct listed *listed = ctx;
	struct vk_json o = vk_json_begin();

	VK_JSON_SET(&o, VK_KEY("file_offset", run->file_offset), VK_KEY("length", run->length_bytes),
		    VK_KEY("kind", vk_run_kind_name(run->kind)));
	if (run->volume_offset != UINT64_MAX)
		vk_json_set_number(&o, "volume_offset", run->volume_offset);
	if (run->extent != SIZE_MAX)
		vk_json_set_text(&o, "source", vk_files_source(&map->files, map->files.extents[run->extent].source));
	if (run->source_offset != UINT64_MAX)
		vk_json_set_number(&o, "device_offset", run->source_offset);
	vk_json_set_number(&o, "missing_bytes", vk_map_absent(map, run));
	if (run->kind == VK_RUN_MISSING)
		vk_json_set_text(&o, "missing", vk_fs_lack_said(run->lack));
	vk_json_append(listed->extents, vk_json_end(&o), listed->root);
}

static void put_json(const void *ctx, struct vk_json *root)
{
	struct vk_map *map = (struct vk_map *)(uintptr_t)ctx;
	struct listed listed = {json_array(), root};

	VK_JSON_SET(root, VK_KEY("path", map->path), VK_KEY("size_bytes", map->file->meta.fileLength));
	if (!vk_map_each(map, NULL, add_extent, &listed))
		root->failed = true;
	vk_json_set(root, "extents", listed.extents);
	vk_files_set_findings(&map->files, root);
}

static void end(void *ctx)
{
	struct vk_map *map = ctx;

	vk_fs_file_close(map->file);
	free(map->sums.ends);
	vk_files_close(&map->files);
}

static int run_map(struct vk_cli_call *call)
{
	static const struct vk_cmd_steps steps = {"vmfskit.map/1", read_options, find, put_json, put_text, end};
	struct vk_map run = {.path = NULL};

	return vk_cmd_run(call, &run, &steps);
}

static const struct vk_cli_option options[] = {
	{.name = "dd", .help = "print a script of dd commands that copies the file: sh SCRIPT DEVICE OUT"},
	{.name = "dmsetup", .help = "print a table for dmsetup that shows the file as a device"},
	{.name = "ddrescue",
	 .help = "print a mapfile of GNU ddrescue: the blocks of the file on SOURCE, a domain for ddrescue -m "
		 "(--mapfile names another one, which tells what was read of SOURCE)"},
	{.name = "device", .argument = "DEVICE", .choices = "FILE", .several = true,
	 .help = "what --dmsetup calls the disk of SOURCE; once more for each --extent"},
	VK_FILES_OPTIONS,
	{0},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit map /dev/sdb /vm/vm-flat.vmdk", "the blocks of a virtual disk"},
	{"vmfskit map --dd first-26-MiB.dd /vm/vm-flat.vmdk >copy.sh",
	 "made on the desk; where the disk is: sh copy.sh /dev/sdb vm-flat.vmdk"},
	{"vmfskit map --dmsetup /dev/sdb /vm/vm-flat.vmdk | dmsetup create --readonly vm",
	 "the virtual disk as a device"},
	{"vmfskit map --ddrescue lun.img /vm/vm-flat.vmdk >vm.domain",
	 "then ddrescue -m vm.domain /dev/sdb lun.img lun.map reads only this file"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_map = {
	.name = "map",
	.arguments = "SOURCE PATH",
	.purpose = "show where a file lies, or print commands that read it there",
	.description =
		"Prints a line for each run of bytes: where it begins in the file, its length in bytes, and where it "
		"lies in the volume and on the device, counted from the start of SOURCE as it was named. Of what kind "
		"it is:\n\n"
		"  data      it lies there\n"
		"  hole      never allocated: zeros\n"
		"  tbz       allocated, to be zeroed: zeros, whatever lies there\n"
		"  resident  in the file descriptor itself\n"
		"  missing   not known: what tells its place is damaged or not in the source, or the extent\n"
		"            was not named\n\n"
		"A dump of the beginning of a disk mostly tells where each byte of each file lies, although it does "
		"not hold them. So a script, a table or a mapfile that was made from it can be used where the whole "
		"disk is. The script refuses a device that is too short or another one, and an OUT that is there. "
		"Runs that are missing are left out of it (in a table they are targets that give errors), and the "
		"exit code is 1.\n\n"
		"A symbolic link is followed.\n\n"
		VK_FILES_SOURCE_TEXT "\n\n"
		"The exit code is 1 when something is damaged.",
	.options = options,
	.examples = examples,
	.least_arguments = 2,
	.most_arguments = SIZE_MAX,
	.run = run_map,
};
