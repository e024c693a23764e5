/* SPDX-License-Identifier: Apache-2.0 */
/* A script of dd commands that copies a file out of the disk. */
#include <inttypes.h>

#include "base/checked.h"
#include "base/screen.h"
#include "cmd/files/map.h"

enum { BLOCK_MOST = 4 << 20, SECTOR = 512 };

/* d1, d2, ...: the extents that hold something of the file, as the script names their devices. 0: it holds nothing */
static unsigned device_number(const struct vk_map *map, size_t extent)
{
	unsigned number = 0;

	if (map->sums.ends[extent] == 0)
		return 0;
	for (size_t i = 0; i <= extent; i++)
		number += map->sums.ends[i] > 0;
	return number;
}

/* Blocks as large as both places allow. What is behind the end of the file in its last sector is cut off afterwards. */
static void put_copy(void *ctx, const struct vk_map *map, const struct vk_fs_run *run)
{
	uint64_t from = run->source_offset, to = run->file_offset, left = run->length_bytes;
	FILE *out = ctx;

	if (!vk_map_on_disk(run))
		return;
	while (left > 0) {
		const bool is_last = to + left == map->file->meta.fileLength;
		uint64_t block = BLOCK_MOST, count;

		while (block > 1 && ((from | to) % block != 0 || (block > left && (block > SECTOR || !is_last))))
			block /= 2;
		count = left > block ? left / block : 1;
		fprintf(out,
			"dd if=\"$d%u\" of=\"$out\" bs=%" PRIu64 " skip=%" PRIu64 " seek=%" PRIu64 " count=%" PRIu64
			" conv=notrunc status=none\n",
			device_number(map, run->extent), block, from / block, to / block, count);
		if (count * block >= left)
			return;
		from += count * block;
		to += count * block;
		left -= count * block;
	}
}

/* Bytes on the device by which it is recognised: of the LVM header, or of the file system. */
static void put_check(const struct vk_map *map, size_t extent, FILE *out)
{
	const struct vk_fs_extent *e = &map->files.extents[extent];
	const struct vk_vmfs *v = e->vmfs;
	const struct vk_field *field = v->lvm_usable ? vk_layout_field(&vk_lvm_device_layout, "devID")
						      : vk_layout_field(&vk_fs_descriptor_layout, "uuid");
	const uint8_t *uuid = v->lvm_usable ? v->lvm.devID.b : v->fs.uuid.b;
	uint64_t at = e->source_bytes + (v->lvm_usable ? VK_LVM_HEADER_OFFSET : v->fs_offset_bytes) + field->offset;

	fprintf(out, "check \"$d%u\" %" PRIu64 " %" PRIu64 " ", device_number(map, extent),
		vk_round_up_sat(map->sums.ends[extent], SECTOR), at);
	for (size_t i = 0; i < 16; i++)
		fprintf(out, "%02x", uuid[i]);
	fputc('\n', out);
}

static void put_head(const struct vk_map *map, unsigned devices, FILE *out)
{
	char names[256] = "DEVICE";

	fputs("#!/bin/sh\n# Copies ", out);
	vk_map_put_title(map, out);
	fputs("\n# out of ", out);
	for (size_t i = 0, n = 0; i < map->files.extent_count; i++)
		if (map->sums.ends[i] > 0)
			fprintf(out, "%sthe disk of %s", n++ > 0 ? " and " : "",
				vk_shown_name(vk_files_source(&map->files, map->files.extents[i].source)).text);
	fputs(". It is right as long as nothing was written to the volume since.\n", out);
	if (map->sums.unknown_bytes > 0)
		fprintf(out, "# NOT WHOLE: where %" PRIu64 " bytes of it lie is not known; they are left out, and the "
			     "exit code is 1.\n", map->sums.unknown_bytes);
	if (devices > 1)
		snprintf(names, sizeof(names), "DEVICE1 ... DEVICE%u", devices);
	fprintf(out, "# sh SCRIPT %s OUT\nset -eu\n"
		     "[ $# -eq %u ] || { echo \"usage: sh $0 %s OUT\" >&2; exit 2; }\n", names, devices + 1, names);
	for (unsigned n = 1; n <= devices; n++)
		fprintf(out, "d%u=$1\nshift\n", n);
	fputs("out=$1\n"
	      "# DEVICE LENGTH OFFSET BYTES: it is at least so long, and these bytes stand there\n"
	      "check() {\n"
	      "\tif [ -b \"$1\" ]; then size=$(blockdev --getsize64 \"$1\"); else size=$(stat -L -c %s \"$1\"); fi\n"
	      "\t[ \"$size\" -ge \"$2\" ] || { echo \"$1 has $size bytes, $2 are needed: is it the whole disk?\" >&2; "
	      "exit 1; }\n"
	      "\t[ \"$(dd if=\"$1\" bs=1 skip=\"$3\" count=16 2>/dev/null | od -A n -v -t x1 | tr -d ' \\n')\" = "
	      "\"$4\" ] ||\n"
	      "\t\t{ echo \"$1 is another disk: the UUID at byte $3 is not $4\" >&2; exit 1; }\n"
	      "}\n", out);
}

bool vk_map_show_dd(struct vk_map *map)
{
	FILE *out = map->files.cmd.call->out;
	unsigned devices = 0;
	bool done;

	for (size_t i = 0; i < map->files.extent_count; i++)
		devices += map->sums.ends[i] > 0;
	(void)vk_screen_exact(out, true);
	/* of a file without blocks the script is called like any other */
	put_head(map, devices > 0 ? devices : 1, out);
	for (size_t i = 0; i < map->files.extent_count; i++)
		if (map->sums.ends[i] > 0)
			put_check(map, i, out);
	/* noclobber alone lets a block device through */
	fputs("# a new file, never over what is there; until it is whole it is called OUT.part\n"
	      "new=$out out=$out.part\n"
	      "for name in \"$new\" \"$out\"; do\n"
	      "\t[ ! -e \"$name\" ] && [ ! -L \"$name\" ] ||\n"
	      "\t\t{ echo \"$name is there: name a new file, or remove it\" >&2; exit 1; }\n"
	      "done\n"
	      "set -C\n: >\"$out\"\nset +C\n", out);
	done = vk_map_each(map, NULL, put_copy, out);
	fprintf(out, "# the length of the file; what was not copied is a hole\ntruncate -s %" PRIu64 " \"$out\"\n"
		     "mv \"$out\" \"$new\"\n", map->file->meta.fileLength);
	if (map->sums.unknown_bytes > 0)
		fprintf(out, "echo \"$new is not whole: %" PRIu64 " bytes of it were left out\" >&2\nexit 1\n",
			map->sums.unknown_bytes);
	else
		fprintf(out, "echo \"$new is copied: %" PRIu64 " bytes long\"\n", map->file->meta.fileLength);
	(void)vk_screen_exact(out, false);
	return done;
}
