/* SPDX-License-Identifier: Apache-2.0 */
/* What the two names of vmfskit diff mean: captures of the store, folders, files, devices. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cmd/diff/diff_run.h"
#include "store/folder/folder.h"

enum meaning { CAPTURE, PATH };

static bool is_path(const char *name)
{
	struct stat st;

	return strcmp(name, "-") == 0 || (stat(name, &st) == 0 && !S_ISDIR(st.st_mode));
}

/* An id of the store goes before a folder, and that before a file; two things of one name are refused. */
static enum vk_status find(const char *store, const char *name, enum meaning *ret_meaning,
			   char **ret_path, struct vk_error *err)
{
	bool path = is_path(name);
	enum vk_status status;

	*ret_meaning = PATH;
	*ret_path = NULL;
	if (strcmp(name, "-") == 0 || (path && strchr(name, '/') != NULL))
		return VK_OK;
	status = vk_store_find(store, name, ret_path, err);
	if (status == VK_OK && path) {
		free(*ret_path);
		*ret_path = NULL;
		vk_error_set(err, VK_USAGE, name, "there is a file of this name here and a capture in the store %s",
			     store);
		return vk_error_remedy(err, "write ./%s or %s/%s", name, store, name);
	}
	if (status == VK_OK) {
		*ret_meaning = CAPTURE;
		return VK_OK;
	}
	if (path && status != VK_USAGE && status != VK_NOMEM)
		return VK_OK;
	if (status == VK_ABSENT && err != NULL) {
		vk_error_set(err, VK_ABSENT, name, "there is no such capture in the store %s, and no such file here",
			     store);
		vk_error_remedy(err, "vmfskit list shows the captures of a store");
	}
	return status;
}

static enum vk_status open_capture(struct vk_diff_side *side, const char *path, struct vk_error *err)
{
	enum vk_status status = vk_capture_open("", path, &side->capture, err);

	if (status != VK_OK)
		return status;
	side->is_capture = true;
	strncpy(side->time, side->capture.time, sizeof(side->time) - 1);
	return vk_capture_source(&side->capture, &side->source, err);
}

static enum vk_status open_path(struct vk_diff_side *side, const struct vk_source_options *options,
				struct vk_error *err)
{
	struct vk_text text;
	enum vk_status status;

	vk_text_init(&text, side->time, sizeof(side->time));
	vk_text_time_s(&text, (uint64_t)time(NULL));
	status = vk_source_open(side->name, options, &side->source, err);
	return status == VK_OK ? vk_source_refuse_container(&side->source, err) : status;
}

static bool is_unrecognised(const struct vk_source *source)
{
	for (size_t i = 0; i < source->findings.count; i++)
		if (source->findings.items[i].code == VK_F_SOURCE_UNRECOGNISED ||
		    source->findings.items[i].code == VK_F_TABLE_NONE)
			return true;
	return false;
}

/*
 * A disk whose table is gone does not tell what it is, nor its sector size where it is a file; the other side does,
 * and it is read again by that.
 */
static enum vk_status agree(struct vk_diff_side *side, const struct vk_diff_side *other,
			    const struct vk_source_options *given, struct vk_error *err)
{
	struct vk_source_options options = {.as = other->source.kind, .sector_size = given->sector_size};
	bool same = side->source.kind == other->source.kind &&
		    side->source.sector_size == other->source.sector_size;

	if (side->is_capture || same || strcmp(side->name, "-") == 0 || given->as != VK_SOURCE_AUTO ||
	    !is_unrecognised(&side->source))
		return VK_OK;
	if (options.sector_size == 0 && !vk_io_is_device(side->source.raw))
		options.sector_size = other->source.sector_size;
	vk_source_close(&side->source);
	return open_path(side, &options, err);
}

enum vk_status vk_diff_sides_open(struct vk_diff_run *run, struct vk_error *err)
{
	struct vk_diff_side *sides = run->sides;

	for (int i = 0; i < 2; i++) {
		enum meaning meaning;
		enum vk_status status;
		char *path;

		sides[i].name = run->cmd.call->arguments[i];
		status = find(vk_cmd_store(run->cmd.call), sides[i].name, &meaning, &path, err);
		if (status == VK_OK && meaning == CAPTURE)
			status = open_capture(&sides[i], path, err);
		else if (status == VK_OK)
			status = open_path(&sides[i], &run->given, err);
		free(path);
		if (status != VK_OK)
			return status;
	}
	for (int i = 0; i < 2; i++) {
		enum vk_status status = agree(&sides[i], &sides[1 - i], &run->given, err);

		if (status != VK_OK)
			return status;
	}
	return VK_OK;
}

void vk_diff_side_close(struct vk_diff_side *side)
{
	vk_source_close(&side->source);
	if (side->is_capture)
		vk_capture_close(&side->capture);
}
