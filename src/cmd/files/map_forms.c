/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of a file as a table for dmsetup, and as a domain for GNU ddrescue. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/checked.h"
#include "base/screen.h"
#include "cmd/files/map.h"
#include "io/range_set.h"

enum { SECTOR = 512 };

/* What the table calls the disk: the value of --device with that number, or the source. */
static const char *device_of(const struct vk_map *map, size_t source)
{
	const char *name = vk_cli_nth_value(map->files.cmd.call, "device", source);

	return name != NULL ? name : vk_files_source(&map->files, source);
}

/* dmsetup takes its line apart at blanks; a backslash keeps what follows. */
static void put_device(FILE *out, const char *name)
{
	for (; *name != '\0'; name++)
		fprintf(out, *name == ' ' || *name == '\t' || *name == '\\' ? "\\%c" : "%c", *name);
}

struct alignment {
	bool odd;
	uint64_t at; /* of the file */
};

static void see_alignment(void *ctx, const struct vk_map *map, const struct vk_fs_run *run)
{
	struct alignment *found = ctx;
	const bool is_last = run->file_offset + run->length_bytes == map->file->meta.fileLength;

	if (!found->odd && (run->file_offset % SECTOR != 0 || (!is_last && run->length_bytes % SECTOR != 0) ||
			    (vk_map_on_disk(run) && run->source_offset % SECTOR != 0)))
		*found = (struct alignment){true, run->file_offset};
}

static void put_target(void *ctx, const struct vk_map *map, const struct vk_fs_run *run)
{
	uint64_t sectors = vk_round_up_sat(run->length_bytes, SECTOR) / SECTOR;
	FILE *out = ctx;

	fprintf(out, "%" PRIu64 " %" PRIu64 " ", run->file_offset / SECTOR, sectors);
	if (vk_map_on_disk(run)) {
		fputs("linear ", out);
		put_device(out, device_of(map, map->files.extents[run->extent].source));
		fprintf(out, " %" PRIu64 "\n", run->source_offset / SECTOR);
	} else {
		/* what is not known reads as an error, never as zeros */
		fputs(run->kind == VK_RUN_MISSING ? "error\n" : "zero\n", out);
	}
}

bool vk_map_show_dmsetup(struct vk_map *map)
{
	struct alignment found = {false, 0};
	struct vk_cmd *cmd = &map->files.cmd;
	FILE *out = cmd->call->out;
	struct vk_error err;
	bool done;

	if (!vk_map_each(map, NULL, see_alignment, &found))
		return false;
	if (found.odd || map->file->meta.fileLength == 0) {
		vk_error_set(&err, VK_UNSUPPORTED, map->path, map->file->meta.fileLength == 0
			     ? "an empty file cannot be a device"
			     : "byte %llu of the file does not lie at a sector, so it cannot be a device",
			     (unsigned long long)found.at);
		vk_error_remedy(&err, "vmfskit map --dd prints a script that copies it");
		return vk_cmd_fail(cmd, &err);
	}
	(void)vk_screen_exact(out, true);
	fputs("# ", out);
	vk_map_put_title(map, out);
	fputs("\n# dmsetup create --readonly NAME <this table\n", out);
	if (map->file->meta.fileLength % SECTOR != 0)
		fprintf(out, "# the last sector holds %" PRIu64 " bytes of the file\n",
			map->file->meta.fileLength % SECTOR);
	done = vk_map_each(map, NULL, put_target, out);
	(void)vk_screen_exact(out, false);
	return done;
}

struct collected {
	struct vk_range *ranges;
	size_t count;
	uint64_t elsewhere_bytes; /* on other devices */
	bool failed;
};

static void collect(void *ctx, const struct vk_map *map, const struct vk_fs_run *run)
{
	struct collected *all = ctx;
	struct vk_range range;

	if (!vk_map_on_disk(run))
		return;
	if (map->files.extents[run->extent].source != 0) {
		all->elsewhere_bytes += run->length_bytes;
		return;
	}
	range.offset_bytes = run->source_offset / SECTOR * SECTOR;
	range.length_bytes = vk_round_up_sat(run->source_offset + run->length_bytes, SECTOR) - range.offset_bytes;
	all->failed |= vk_append(&all->ranges, &all->count, &range, sizeof(range)) == NULL;
}

static void put_domain(FILE *out, const struct vk_map *map, const struct vk_range_set *set)
{
	uint64_t at = 0;

	fputs("# Domain for GNU ddrescue: ", out);
	vk_map_put_title(map, out);
	fprintf(out, "\n# ddrescue -m this-file DEVICE IMAGE MAPFILE reads only its blocks; '+' is the domain\n"
		     "# current_pos  current_status  current_pass\n0x00000000     ?               1\n"
		     "#      pos        size  status\n");
	for (size_t i = 0; i < set->count; i++) {
		const struct vk_range *r = &set->ranges[i];

		if (r->offset_bytes > at)
			fprintf(out, "0x%08" PRIX64 "  0x%08" PRIX64 "  ?\n", at, r->offset_bytes - at);
		fprintf(out, "0x%08" PRIX64 "  0x%08" PRIX64 "  +\n", r->offset_bytes, r->length_bytes);
		at = r->offset_bytes + r->length_bytes;
	}
}

bool vk_map_show_ddrescue(struct vk_map *map)
{
	struct collected all = {.count = 0};
	struct vk_cmd *cmd = &map->files.cmd;
	struct vk_range_set set = {NULL, 0};
	FILE *out = cmd->call->out;
	struct vk_error err;
	bool done = vk_map_each(map, NULL, collect, &all);

	if (done && (all.failed || !vk_range_set_add_all(&set, all.ranges, all.count)))
		done = vk_cmd_no_memory(cmd);
	if (done && set.count == 0) {
		vk_error_set(&err, VK_ABSENT, map->path, "no block of the file lies on %s",
			     vk_shown_name(vk_files_source(&map->files, 0)).text);
		if (vk_map_told_by(map) != NULL)
			vk_error_remedy(&err, "where it lies is told by %s, which is not wholly in the source: ask for "
					"the blocks of that first, which this lists:", vk_map_told_by(map));
		else if (map->sums.unknown_bytes > 0 && map->files.chosen.volume != NULL &&
			 !map->files.chosen.volume->complete)
			vk_error_remedy(&err, "it lies on a device of the volume that is not named: name it with "
					"--extent");
		else
			vk_error_remedy(&err, "vmfskit map %s %s%s shows where it lies",
					vk_shell_path(vk_files_source(&map->files, 0)).text,
					vk_shell_path(map->path).text,
					map->files.options != NULL ? map->files.options : "");
		done = vk_cmd_fail(cmd, &err);
		if (vk_map_told_by(map) != NULL)
			vk_files_put_again(&map->files, NULL, map->path,
					   vk_phrase("/%s", vk_map_told_by(map)).text, NULL);
	}
	if (done) {
		(void)vk_screen_exact(out, true);
		put_domain(out, map, &set);
		(void)vk_screen_exact(out, false);
	}
	if (done && all.elsewhere_bytes > 0) {
		(void)vk_cmd_ok(cmd, VK_EXIT_FINDINGS);
		fprintf(cmd->call->err, "%s: note: %" PRIu64 " bytes of the file lie on other devices: name each of "
					"them as SOURCE, and this one with --extent\n", cmd->call->program->name,
			all.elsewhere_bytes);
	}
	free(all.ranges);
	vk_range_set_free(&set);
	return done;
}
