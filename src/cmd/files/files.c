/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs about files inside a volume have in common. */
#include "cmd/files/files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/memory.h"
#include "cmd/files/choice.h"
#include "report/report.h"
#include "base/shown.h"
#include "cmd/files/watch.h"
#include "vmfskit/vmfs_uuid.h"

/* Of the hosts that use a volume. */
enum { HOSTS_NAMED = 3 };

bool vk_files_read_options(void *ctx)
{
	struct vk_files *files = ctx;

	files->sink = vk_findings_sink(&files->findings);
	files->timeout_s = VK_FILES_TIMEOUT_S;
	return vk_cmd_read_number(&files->cmd, "timeout", 1, 86400, &files->timeout_s) &&
	       vk_cmd_read_how(&files->cmd, &files->how.sector_size, &files->how.view);
}

/* SOURCE, then the further extents. */
static bool open_sources(struct vk_files *files)
{
	struct vk_cmd *cmd = &files->cmd;
	struct vk_error err;
	const char *name;

	if (!vk_cmd_name_argument(cmd, VK_NAME_ONE_DISK | VK_NAME_OR_FILE, 0))
		return false;
	name = vk_cmd_next_source(cmd->call, &files->path_index, &files->how.view);
	files->how.in_call_since_ms = vk_files_watch(cmd->call->program->name, cmd->call->arguments[0],
						     files->timeout_s);
	if (vk_cmd_open_any(cmd, name, &files->how, &files->opened, &err) != VK_OK)
		return vk_cmd_fail(cmd, &err);
	for (size_t n = 0; (name = vk_cli_nth_value(cmd->call, "extent", n)) != NULL; n++) {
		const struct vk_source_options plain = {.sector_size = files->how.sector_size,
							   .in_call_since_ms = files->how.in_call_since_ms};

		if (!vk_cmd_name_capture(cmd, VK_NAME_ONE_DISK | VK_NAME_OR_FILE, &name))
			return false;
		if (vk_cmd_open_any(cmd, name, &plain, &files->opened, &err) != VK_OK)
			return vk_cmd_fail(cmd, &err);
	}
	return true;
}

static bool add_extent(struct vk_files *files, const struct vk_extent *extent)
{
	const struct vk_source *source = &files->opened.sources[extent->source];
	const struct vk_vmfs *v = &source->vmfs[extent->vmfs];
	uint64_t start = v->start_sector * source->sector_size;
	struct vk_fs_extent e = {.vmfs = v, .source = extent->source,
				 .source_bytes = vk_files_source_bytes(files, extent),
				 .name = vk_files_source(files, extent->source), .options = files->options};

	e.io = vk_io_window(source->io, start, UINT64_MAX);
	if (e.io == NULL)
		return vk_cmd_no_memory(&files->cmd);
	if (vk_append(&files->windows, &files->window_count, &e.io, sizeof(struct vk_io *)) == NULL) {
		vk_io_close(e.io);
		return vk_cmd_no_memory(&files->cmd);
	}
	return vk_append(&files->extents, &files->extent_count, &e, sizeof(e)) != NULL ||
	       vk_cmd_no_memory(&files->cmd);
}

/* Without a table the volume at a usual start is found, and no other one. */
static void say_without_table(const struct vk_files *files)
{
	const struct vk_source *source = &files->opened.sources[files->chosen.first.source];
	const struct vk_vmfs *v = vk_files_vmfs(files, &files->chosen);

	if (source->kind != VK_SOURCE_DISK || v->partition != 0 || vk_table_absent(&source->table))
		return;
	fprintf(files->cmd.call->err,
		"%s: note: no partition table names this volume, which begins at sector %" PRIu64 ". Others may lie "
		"behind it: vmfskit find %s searches for them, --at BYTE opens the one that begins there; vmfskit "
		"doctor %s says what happened to the table\n",
		files->cmd.call->program->name, v->start_sector, vk_shell_path(source->path).text,
		vk_shell_path(source->path).text);
}

/* One look cannot tell a host that is alive from one that was cut off: both have their slot in use. */
static void say_hosts(const struct vk_files *files)
{
	const struct vk_heartbeats *h = &files->extents[0].vmfs->heartbeats;
	FILE *out = files->cmd.call->err;

	if (h->in_use_count == 0)
		return;
	fprintf(out, "%s: note: in use by %u host%s that may be alive", files->cmd.call->program->name, h->in_use_count,
		h->in_use_count == 1 ? "" : "s");
	for (uint32_t i = 0; i < h->in_use_count && i < HOSTS_NAMED; i++) {
		const struct vk_heartbeat *hb = &h->in_use[i].hb;
		const size_t ip_len = strnlen((const char *)hb->ip, sizeof(hb->ip));
		const bool damaged = hb->addr != h->in_use[i].volume_offset || ip_len == sizeof(hb->ip) ||
				     strspn((const char *)hb->ip, "0123456789abcdefABCDEF.:") < ip_len;
		struct vk_vmfs_uuid_parts host;
		char mac[VK_MAC_TEXT_BYTES];

		vk_vmfs_uuid_decode(&hb->owner, &host);
		vk_mac_format(host.macAddr, mac);
		fputs(i == 0 ? " (" : "; ", out);
		if (damaged)
			fprintf(out, "heartbeat slot %" PRIu32 ", which is damaged", h->in_use[i].slot);
		else
			fprintf(out, "MAC %s%s%s", mac, ip_len > 0 ? ", IP " : "", (const char *)hb->ip);
	}
	fprintf(out, "%s): what is read may be of two moments\n", h->in_use_count > HOSTS_NAMED ? "; ..." : "");
}

/* One --extent for each device that is missing; of many, or of a number that cannot be, one. */
static void say_missing_devices(const struct vk_files *files)
{
	static const char more[] = "--extent DEVICE --extent DEVICE --extent DEVICE";
	const size_t one = strlen("--extent DEVICE");
	const struct vk_volume *volume = files->chosen.volume;
	const struct vk_finding *said = NULL;
	size_t missing;

	for (size_t i = 0; i < files->findings.count && said == NULL; i++)
		if (files->findings.items[i].code == VK_F_VOLUME_EXTENT_MISSING)
			said = &files->findings.items[i];
	if (volume == NULL || said == NULL)
		return;
	missing = volume->num_devs > volume->extent_count ? volume->num_devs - volume->extent_count : 1;
	fprintf(files->cmd.call->err,
		"%s: note: of this volume %s are named: what lies on the others is called not in the source. "
		"vmfskit decode shows the volume UUID of a DEVICE, here %s; with the others the command is:\n",
		files->cmd.call->program->name, said->seen, vk_vmfs_uuid_text(&volume->uuid).text);
	vk_files_put_again(files, vk_phrase("%.*s", (int)(missing > 3 ? one : missing * (one + 1) - 1), more).text,
			   NULL, NULL, NULL);
}

static bool open_chosen(struct vk_files *files)
{
	const struct vk_volume *volume = files->chosen.volume;
	struct vk_error err;

	if (volume == NULL && !add_extent(files, &files->chosen.first))
		return false;
	for (size_t i = 0; volume != NULL && i < volume->extent_count; i++)
		if (!add_extent(files, &volume->extents[i]))
			return false;
	say_missing_devices(files);
	if (vk_fs_open(files->extents, files->extent_count, &files->sink, &files->fs, &err) != VK_OK) {
		if (err.status == VK_ABSENT && err.remedy[0] == '\0')
			vk_error_remedy(&err, VK_FILES_LONGER_DUMP);
		return vk_cmd_fail(&files->cmd, &err);
	}
	if (!files->extents[0].vmfs->volume_only && !files->extents[0].vmfs->lvm_usable)
		fprintf(files->cmd.call->err,
			"%s: note: the LVM header is lost: the volume is taken to lie in one piece "
					      "at the usual place; vmfskit doctor says what happened\n",
			files->cmd.call->program->name);
	say_without_table(files);
	say_hosts(files);
	return true;
}

/* What was said of the chosen volume; the others are not asked about. */
static void keep_findings(struct vk_files *files, const struct vk_findings *all)
{
	char uuid[VK_VMFS_UUID_TEXT_BYTES] = "";

	if (files->chosen.volume != NULL)
		vk_vmfs_uuid_format(&files->chosen.volume->uuid, uuid);
	for (size_t i = 0; i < all->count; i++)
		if (files->volume_count == 1 || strstr(all->items[i].message, uuid) != NULL)
			vk_findings_add(&files->findings, &all->items[i]);
}

/* What the next command needs as well to open the same volume; NULL: no memory, and they are left out. */
static char *options_of(const struct vk_cli_call *call)
{
	struct vk_command command;

	vk_command_begin(&command, "");
	vk_cmd_put_options(&command, call, VK_HOW_OPTION_NAMES " extent volume store");
	return vk_command_end(&command);
}

bool vk_files_open(struct vk_files *files)
{
	struct vk_findings across = {.count = 0};
	const struct vk_finding_sink sink = vk_findings_sink(&across);
	struct vk_error err;
	bool opened = open_sources(files);
	const char *path;

	/* a variable of a script that is not set is not the root folder */
	for (size_t n = 0; opened && (path = vk_files_path(files, n)) != NULL; n++)
		if (path[0] == '\0')
			opened = vk_cmd_usage(&files->cmd, "a PATH is empty: / is the root of the volume");

	if (opened && vk_volumes_assemble(files->opened.sources, files->opened.count, &sink, &files->volumes,
					  &files->volume_count, &err) != VK_OK)
		opened = vk_cmd_fail(&files->cmd, &err);
	opened = opened && vk_files_choose(files);
	if (opened)
		keep_findings(files, &across);
	if (opened)
		files->options = options_of(files->cmd.call);
	vk_findings_free(&across);
	return opened && open_chosen(files);
}

void vk_files_close(struct vk_files *files)
{
	vk_fs_close(files->fs);
	for (size_t i = 0; i < files->window_count; i++)
		vk_io_close(files->windows[i]);
	free(files->windows);
	free(files->options);
	free(files->extents);
	vk_volumes_free(files->volumes, files->volume_count);
	vk_cmd_opened_free(&files->opened);
	vk_findings_free(&files->findings);
}

const char *vk_files_path(const struct vk_files *files, size_t n)
{
	const struct vk_cli_call *call = files->cmd.call;

	return n < call->argument_count - files->path_index ? call->arguments[files->path_index + n] : NULL;
}

bool vk_files_at_most(struct vk_files *files, size_t count)
{
	const char *more = vk_files_path(files, count);

	return more == NULL ||
	       vk_cmd_ok(&files->cmd, vk_cli_usage(files->cmd.call, "unexpected argument %s: after SOURCE comes PATH; "
						   "a further extent of the volume is named with --extent", more));
}

const char *vk_files_source(const struct vk_files *files, size_t source)
{
	return files->opened.sources[source].path;
}

bool vk_files_is_part(const struct vk_files *files)
{
	for (size_t i = 0; i < files->opened.count; i++)
		if (vk_source_is_part(&files->opened.sources[i]) || files->opened.captures[i].path != NULL)
			return true;
	return false;
}

enum vk_status vk_files_refuse_raw(const struct vk_files *files, const struct vk_fs_file *file, const char *path,
				   struct vk_error *err)
{
	if (file->meta.type != VK_FILE_RDM)
		return VK_OK;
	vk_error_set(err, VK_UNSUPPORTED, vk_files_source(files, 0),
		     "%s is the mapping file of a raw device: it has no bytes of its own", vk_shown_name(path).text);
	return vk_error_remedy(err, "its disk is another LUN, which vmfskit stat names");
}

json_t *vk_files_volume_json(const struct vk_files *files)
{
	const struct vk_fs_descriptor *fs = &vk_fs_info(files->fs)->descriptor;
	struct vk_json o = vk_json_begin();
	char version[40];

	vk_fs_version_name(fs, version);
	VK_JSON_SET(&o, VK_KEY("uuid", (const char *)vk_vmfs_uuid_text(&fs->uuid).text),
		    VK_KEY("label", vk_json_label((const uint8_t *)fs->fsLabel, sizeof(fs->fsLabel))),
		    VK_KEY("version", (const char *)version));
	return vk_json_end(&o);
}

void vk_files_set_findings(const struct vk_files *files, struct vk_json *root)
{
	json_t *findings = json_array();

	vk_cmd_findings_json(findings, files->opened.count == 1 ? vk_files_source(files, 0) : NULL, &files->findings,
			     root);
	vk_json_set(root, "findings", findings);
}

void vk_files_show_findings(const struct vk_files *files)
{
	const struct vk_report_style style = vk_report_style_for(files->cmd.call->err);
	const size_t absent = vk_findings_absent(&files->findings);
	struct vk_findings shown = {.dropped = files->findings.dropped};

	for (size_t i = 0; i < files->findings.count; i++)
		if (files->findings.items[i].code != VK_F_STRUCTURE_ABSENT &&
		    files->findings.items[i].code != VK_F_STRUCTURE_CUT)
			vk_findings_add(&shown, &files->findings.items[i]);
	fflush(files->cmd.call->out);
	vk_report_findings_text(files->cmd.call->err, &shown, NULL, &style);
	vk_findings_free(&shown);
	if (absent > 0)
		fprintf(files->cmd.call->err, "%s: note: %zu structure%s of the file system %s not in the source\n",
			files->cmd.call->program->name, absent, absent == 1 ? "" : "s", absent == 1 ? "is" : "are");
	if (files->fs != NULL && vk_fs_info(files->fs)->zero_metadata && files->how.view.mapfile == NULL)
		fprintf(files->cmd.call->err,
			"%s: note: zeros stand where the file system has its metadata. In an image that ddrescue made "
			"these may be blocks that were not copied: name its mapfile, --mapfile FILE. Without it zeros "
			"are taken for data\n", files->cmd.call->program->name);
}
