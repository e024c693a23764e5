/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the volumes in the sources is meant. */
#include "cmd/files/choice.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/screen.h"
#include "base/shown.h"
#include "vmfskit/text.h"

struct choices {
	struct vk_files_choice *items;
	size_t count;
};

const struct vk_vmfs *vk_files_vmfs(const struct vk_files *files, const struct vk_files_choice *choice)
{
	return &files->opened.sources[choice->first.source].vmfs[choice->first.vmfs];
}

uint64_t vk_files_source_bytes(const struct vk_files *files, const struct vk_extent *extent)
{
	const struct vk_source *source = &files->opened.sources[extent->source];
	uint64_t at = source->vmfs[extent->vmfs].start_sector * source->sector_size - source->origin_bytes;

	if (vk_source_looked_through(source))
		at += source->readings.items[0].at_bytes;
	return extent->source == 0 ? at + files->how.view.at_bytes : at;
}

static bool has_source(const struct vk_files_choice *choice, size_t source)
{
	if (choice->volume == NULL)
		return choice->first.source == source;
	for (size_t i = 0; i < choice->volume->extent_count; i++)
		if (choice->volume->extents[i].source == source)
			return true;
	return false;
}

static bool is_extent(const struct vk_files *files, size_t source, size_t vmfs)
{
	for (size_t i = 0; i < files->volume_count; i++)
		for (size_t k = 0; k < files->volumes[i].extent_count; k++)
			if (files->volumes[i].extents[k].source == source && files->volumes[i].extents[k].vmfs == vmfs)
				return true;
	return false;
}

/* Of SOURCE: the volumes that LVM headers tell of, and the devices of which none does. */
static bool collect(const struct vk_files *files, struct choices *all)
{
	for (size_t i = 0; i < files->volume_count; i++) {
		const struct vk_files_choice choice = {&files->volumes[i], files->volumes[i].extents[0]};

		if (has_source(&choice, 0) &&
		    vk_append(&all->items, &all->count, &choice, sizeof(choice)) == NULL)
			return false;
	}
	for (size_t v = 0; v < files->opened.sources[0].vmfs_count; v++)
		if (!is_extent(files, 0, v) &&
		    vk_append(&all->items, &all->count, &(struct vk_files_choice){NULL, {.source = 0, .vmfs = v}},
			      sizeof(*all->items)) == NULL)
			return false;
	return true;
}

static bool is_named(const struct vk_files *files, const struct vk_files_choice *choice, const char *name)
{
	const struct vk_vmfs *v = vk_files_vmfs(files, choice);
	struct vk_vmfs_uuid uuid;
	uint64_t number;

	if (v->fs_usable && strncmp((const char *)v->fs.fsLabel, name, sizeof(v->fs.fsLabel)) == 0)
		return true;
	if (vk_vmfs_uuid_parse(name, &uuid))
		return (v->fs_usable && vk_vmfs_uuid_equal(&uuid, &v->fs.uuid)) ||
		       (choice->volume != NULL && vk_vmfs_uuid_equal(&uuid, &choice->volume->uuid));
	return choice->first.source == 0 && vk_text_parse_number(name, UINT32_MAX, &number) && number > 0 &&
	       v->partition == number;
}

static size_t keep_if(struct choices *all, bool (*keeps)(const struct vk_files *, const struct vk_files_choice *,
							   const char *),
		      const struct vk_files *files, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++)
		kept += keeps(files, &all->items[i], name);
	if (kept == 0)
		return 0;
	kept = 0;
	for (size_t i = 0; i < all->count; i++)
		if (keeps(files, &all->items[i], name))
			all->items[kept++] = all->items[i];
	all->count = kept;
	return kept;
}

/* Whether all that was named holds a piece of it. */
static bool has_all(const struct vk_files *files, const struct vk_files_choice *choice, const char *unused)
{
	(void)unused;
	for (size_t i = 0; i < files->opened.count; i++)
		if (!has_source(choice, i))
			return false;
	return true;
}

static bool has_descriptor(const struct vk_files *files, const struct vk_files_choice *choice, const char *unused)
{
	(void)unused;
	return vk_files_vmfs(files, choice)->fs_usable;
}

/* What a choice is called: its label, and where it lies. */
static struct vk_shown_label name_of(const struct vk_files *files, const struct vk_files_choice *choice)
{
	const struct vk_vmfs *v = vk_files_vmfs(files, choice);
	struct vk_shown_label label = {"a volume without a readable name"};

	if (v->fs_usable)
		return vk_shown_label(v->fs.fsLabel, sizeof(v->fs.fsLabel));
	if (choice->volume != NULL)
		snprintf(label.text, sizeof(label.text), "volume %s", vk_vmfs_uuid_text(&choice->volume->uuid).text);
	return label;
}

/* The command line once more, with the choice made. */
static void put_command(const struct vk_files *files, const struct vk_files_choice *choice)
{
	const struct vk_vmfs *v = vk_files_vmfs(files, choice);
	struct vk_command chosen;
	char *text;

	vk_command_begin(&chosen, "--volume");
	if (choice->first.source == 0 && v->partition > 0)
		vk_command_add(&chosen, " %u", v->partition);
	else
		vk_command_word(&chosen, vk_vmfs_uuid_text(v->fs_usable ? &v->fs.uuid : &choice->volume->uuid).text);
	text = vk_command_end(&chosen);
	/* the one that was given is replaced */
	if (text != NULL)
		vk_files_put_again(files, text, NULL, NULL, "--volume");
	free(text);
}

static void put_list(const struct vk_files *files, const struct choices *all)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct vk_vmfs *v = vk_files_vmfs(files, &all->items[i]);
		char version[40];

		if (!v->fs_usable)
			continue;
		vk_fs_version_name(&v->fs, version);
		fprintf(files->cmd.call->err, "%s, %s, %s:\n", name_of(files, &all->items[i]).text, version,
			vk_vmfs_uuid_text(&v->fs.uuid).text);
		put_command(files, &all->items[i]);
	}
}

/* Of random bytes they do not. */
static bool numbers_agree(const struct vk_lvm_volume *volume)
{
	return volume->lastPE >= volume->firstPE && volume->lastPE - volume->firstPE == volume->numPEs - 1ULL;
}

/* The command line once more, with SOURCE as a further extent of the volume. */
static void put_with_first(const struct vk_files *files)
{
	struct vk_command extent;
	char *text;

	vk_command_begin(&extent, "--extent");
	vk_command_path(&extent, files->cmd.call->arguments[0]);
	text = vk_command_end(&extent);
	if (text != NULL)
		vk_files_put_again(files, text, files->cmd.call->arguments[0], "DEVICE", NULL);
	free(text);
}

/* Of a device without a descriptor that can be used: why, and what to do. */
static bool refuse_lost(struct vk_files *files, const struct vk_files_choice *choice)
{
	const struct vk_source *source = &files->opened.sources[choice->first.source];
	const struct vk_vmfs *v = vk_files_vmfs(files, choice);
	const struct vk_shown_label name = name_of(files, choice);
	const uint64_t at = v->fs_offset_bytes + vk_files_source_bytes(files, &choice->first);
	struct vk_error err;

	if (choice->volume != NULL && choice->first.first_pe != 0 && !numbers_agree(&v->volumes[0].volume)) {
		vk_error_set(&err, VK_DAMAGED, source->path,
			     "the LVM volume descriptor is damaged: where the volume lies is not known");
		vk_error_at(&err, v->volumes[0].offset_bytes + vk_files_source_bytes(files, &choice->first));
		vk_error_remedy(&err, "vmfskit doctor %s says what happened, vmfskit repair header rebuilds it, on a "
				"copy for example", vk_shell_path(source->path).text);
	} else if (choice->volume != NULL && choice->first.first_pe != 0) {
		vk_error_set(&err, VK_ABSENT, source->path,
			     "this holds physical extents %llu to %llu of %s: its files are described on the device "
			     "that holds extent 0", (unsigned long long)choice->first.first_pe,
			     (unsigned long long)choice->first.last_pe, name.text);
		vk_error_remedy(&err, "name that DEVICE first, and this one with --extent; vmfskit decode shows which "
				"volume and which extents a device holds");
		(void)vk_cmd_fail(&files->cmd, &err);
		put_with_first(files);
		return false;
	} else if (v->fs_seen_bytes == 0) {
		vk_error_set(&err, VK_ABSENT, source->path, "the file-system descriptor of %s is not in the source",
			     name.text);
		vk_error_at(&err, at);
		vk_error_remedy(&err, VK_FILES_LONGER_DUMP);
	} else {
		vk_error_set(&err, VK_DAMAGED, source->path, "the file-system descriptor of %s is lost", name.text);
		vk_error_at(&err, at);
		vk_error_remedy(&err, "vmfskit doctor %s says what happened, vmfskit repair header rebuilds it, on a "
				"copy for example", vk_shell_path(source->path).text);
	}
	return vk_cmd_fail(&files->cmd, &err);
}

static bool refuse_without(struct vk_files *files)
{
	const struct vk_source *source = &files->opened.sources[0];
	struct vk_error err;

	if (vk_source_refuse_container(source, &err) != VK_OK)
		return vk_cmd_fail(&files->cmd, &err);
	vk_error_set(&err, VK_ABSENT, source->path, "no VMFS volume was found in it");
	if (vk_source_is_text(source))
		vk_error_remedy(&err, "it is a text; vmfskit decode says what of it can be used");
	else
		vk_error_remedy(&err, "vmfskit find %s searches all of it, vmfskit doctor says what happened to it",
				vk_shell_path(source->path).text);
	return vk_cmd_fail(&files->cmd, &err);
}

/* A further extent that is none of the volume. */
static bool refuse_extent(struct vk_files *files, const struct vk_files_choice *choice, size_t source)
{
	const struct vk_shown_label name = name_of(files, choice);
	const char *path = files->opened.sources[source].path;
	struct vk_error err;
	char uuid[VK_VMFS_UUID_TEXT_BYTES] = "none that an LVM header names";

	for (size_t i = 0; i < files->volume_count; i++)
		for (size_t k = 0; k < files->volumes[i].extent_count; k++)
			if (files->volumes[i].extents[k].source == source)
				vk_vmfs_uuid_format(&files->volumes[i].uuid, uuid);
	if (choice->volume == NULL)
		vk_error_set(&err, VK_USAGE, path, "the LVM header of %s is lost: which extents belong to it is not "
			     "known", name.text);
	else
		vk_error_set(&err, VK_USAGE, path, "this is no extent of %s: it belongs to volume %s, not to %s",
			     name.text, uuid, vk_vmfs_uuid_text(&choice->volume->uuid).text);
	vk_error_remedy(&err, "vmfskit decode %s shows which volume it belongs to", vk_shell_path(path).text);
	return vk_cmd_fail(&files->cmd, &err);
}

static bool refuse_several(struct vk_files *files, const struct choices *all, const char *name)
{
	struct vk_error err;

	if (name != NULL)
		vk_error_set(&err, VK_USAGE, files->opened.sources[0].path, "--volume %s means %zu volumes",
			     vk_shown_name(name).text, all->count);
	else
		vk_error_set(&err, VK_USAGE, files->opened.sources[0].path, "there are %zu volumes in it", all->count);
	vk_error_remedy(&err, "take one of these commands");
	(void)vk_cmd_fail(&files->cmd, &err);
	put_list(files, all);
	return false;
}

static bool choose(struct vk_files *files, struct choices *all)
{
	const char *name = vk_cli_value(files->cmd.call, "volume");
	struct vk_error err;

	if (all->count == 0)
		return refuse_without(files);
	if (name != NULL && keep_if(all, is_named, files, name) == 0) {
		vk_error_set(&err, VK_USAGE, files->opened.sources[0].path, "no volume in it has the label, the UUID "
			     "or the partition number %s", vk_shown_name(name).text);
		vk_error_remedy(&err, "take one of these commands");
		(void)vk_cmd_fail(&files->cmd, &err);
		put_list(files, all);
		return false;
	}
	if (keep_if(all, has_descriptor, files, NULL) == 0)
		return refuse_lost(files, &all->items[0]);
	if (all->count > 1)
		(void)keep_if(all, has_all, files, NULL);
	if (all->count > 1)
		return refuse_several(files, all, name);
	for (size_t i = 0; i < files->opened.count; i++)
		if (!has_source(&all->items[0], i))
			return refuse_extent(files, &all->items[0], i);
	files->chosen = all->items[0];
	return true;
}

bool vk_files_choose(struct vk_files *files)
{
	struct choices all = {NULL, 0};
	bool chosen = collect(files, &all) ? choose(files, &all) : vk_cmd_no_memory(&files->cmd);

	free(all.items);
	return chosen;
}
