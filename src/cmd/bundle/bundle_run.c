/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit capture --bundle FILE DISK */
#include "cmd/bundle/bundle_run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/shown.h"
#include "bundle/bundle.h"
#include "cmd/files/files.h"
#include "cmd/files/watch.h"
#include "cmd/shared/output_file.h"
#include "io/image/bundle_form.h"
#include "report/report.h"

enum { KEY_FILE_BYTES = 1 << 20, LEVEL = 9 };

struct run {
	struct vk_files files; /* first */
	const char *path;      /* of the bundle */
	bool redact;
	uint8_t key[VK_REDACT_KEY_BYTES];
	struct vk_bundle_plan plan;
	uint64_t file_bytes, added[VK_BUNDLE_KINDS];
};

bool vk_bundle_asked(const struct vk_cli_call *call)
{
	return vk_cli_value(call, "bundle") != NULL || vk_cli_flag(call, "redact") ||
	       vk_cli_value(call, "redact-key") != NULL || vk_cli_flag(call, "overwrite");
}

static bool read_key(struct run *run)
{
	const char *path = vk_cli_value(run->files.cmd.call, "redact-key");
	struct vk_error err;
	uint8_t *bytes;
	size_t got;
	FILE *file;

	if (path == NULL)
		return getrandom(run->key, sizeof(run->key), 0) == (ssize_t)sizeof(run->key) ||
		       vk_cmd_no_memory(&run->files.cmd);
	bytes = malloc(KEY_FILE_BYTES);
	if (bytes == NULL)
		return vk_cmd_no_memory(&run->files.cmd);
	file = fopen(path, "rbe");
	got = file != NULL ? fread(bytes, 1, KEY_FILE_BYTES, file) : 0;
	if (file != NULL)
		fclose(file);
	if (got >= 16 && vk_bundle_sha(bytes, got, run->key)) {
		free(bytes);
		return true;
	}
	free(bytes);
	vk_error_set(&err, VK_USAGE, path, "this is no key: it cannot be read, or has fewer than 16 bytes");
	(void)vk_error_remedy(&err, "head -c 32 /dev/urandom > FILE makes one");
	return vk_cmd_fail(&run->files.cmd, &err);
}

static bool read_options(void *ctx)
{
	static const char *const of_store[] = {"all", "store", "jobs", "fail-on-change", "files-limit", "no-files",
					       "md5", "sign-key", "anchor", "quiet"};
	struct run *run = ctx;
	struct vk_cmd *cmd = &run->files.cmd;
	const struct vk_cli_call *call = cmd->call;

	run->path = vk_cli_value(call, "bundle");
	run->redact = vk_cli_flag(call, "redact");
	if (run->path == NULL)
		return vk_cmd_usage(cmd, "--redact, --redact-key and --overwrite are for --bundle FILE");
	if (!run->redact && vk_cli_value(call, "redact-key") != NULL)
		return vk_cmd_usage(cmd, "--redact-key is for --redact");
	for (size_t i = 0; i < sizeof(of_store) / sizeof(of_store[0]); i++)
		if (vk_cli_given_here(call, of_store[i]))
			return vk_cmd_usage(cmd, "--%s is not for --bundle, which uses no store", of_store[i]);
	if (call->argument_count == 0)
		return vk_cmd_usage(cmd, "which DISK?");
	return vk_files_read_options(&run->files) && vk_cmd_read_kind(cmd, &run->files.how.as) &&
	       (!run->redact || read_key(run));
}

/* The bundle lies on no disk that is read, and is none of the files that are. */
static enum vk_status check_place(struct run *run, struct vk_error *err)
{
	const bool overwrite = vk_cli_flag(run->files.cmd.call, "overwrite");
	char *copy = strdup(run->path);
	enum vk_status status;
	struct stat st;
	int fd;

	if (copy == NULL)
		return vk_no_memory(err, run->path);
	fd = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0)
		return vk_error_errno(err, errno, run->path, "cannot open its folder");
	status = vk_files_check_disk(&run->files, fd, run->path, err);
	close(fd);
	if (status == VK_OK && stat(run->path, &st) == 0 && vk_files_is_source(&run->files, &st))
		return vk_error_set(err, VK_REFUSED, run->path, "this is what is read");
	return status == VK_OK ? vk_output_check(run->path, overwrite, err) : status;
}

static bool open_source(struct run *run)
{
	struct vk_files *files = &run->files;
	struct vk_cmd *cmd = &files->cmd;
	const struct vk_source *source;
	struct vk_error err;
	const char *name = vk_cmd_name_argument(cmd, VK_NAME_ONE_DISK | VK_NAME_OR_FILE, 0)
				   ? vk_cmd_one_source(cmd, 0, &files->how.view) : NULL;

	if (name == NULL)
		return false;
	files->how.in_call_since_ms = vk_files_watch(cmd->call->program->name, name, files->timeout_s);
	if (vk_cmd_open_any(cmd, name, &files->how, &files->opened, &err) != VK_OK)
		return vk_cmd_fail(cmd, &err);
	source = &files->opened.sources[0];
	if (vk_source_is_text(source)) {
		vk_error_set(&err, VK_USAGE, name, "this is text, and no disk");
		return vk_cmd_fail(cmd, &err);
	}
	if (vk_source_refuse_container(source, &err) != VK_OK || check_place(run, &err) != VK_OK ||
	    vk_bundle_plan_begin(source, &run->plan, &err) != VK_OK)
		return vk_cmd_fail(cmd, &err);
	return true;
}

static enum vk_status put_bytes(void *ctx, const void *bytes, size_t len, struct vk_error *err)
{
	struct vk_output_file *file = ctx;

	if (fwrite(bytes, 1, len, file->out) == len)
		return VK_OK;
	return vk_error_errno(err, errno, file->path, "cannot write the file");
}

static enum vk_status write_pieces(struct run *run, struct vk_output_file *file, struct vk_error *err)
{
	const struct vk_source *source = run->plan.source;
	const struct vk_bundle_options options = {.name = run->path, .source_bytes = vk_io_size_bytes(source->io),
						  .sector_size = source->sector_size, .level = LEVEL,
						  .redacted = run->redact, .put = put_bytes, .ctx = file};
	struct vk_bundle_writer *writer = NULL;
	char *facts = vk_bundle_facts(&run->plan, run->redact);
	enum vk_status status = facts != NULL ? VK_OK : vk_no_memory(err, run->path);

	if (status == VK_OK)
		status = vk_bundle_begin(&options, &writer, err);
	if (status == VK_OK)
		status = vk_bundle_write(&run->plan, writer, run->redact ? run->key : NULL, err);
	if (status == VK_OK)
		status = vk_bundle_end(writer, facts, &run->file_bytes, err);
	for (unsigned i = 0; i < VK_BUNDLE_KINDS && status == VK_OK; i++)
		run->added[i] = vk_bundle_added(writer, (enum vk_bundle_kind)i);
	vk_bundle_free(writer);
	free(facts);
	return status;
}

static enum vk_status write_file(struct run *run, struct vk_error *err)
{
	struct vk_output_file file;
	struct vk_error unwritten;
	enum vk_status status =
		vk_output_open(run->path, vk_cli_flag(run->files.cmd.call, "overwrite"), &file, err);

	if (status != VK_OK)
		return status;
	status = write_pieces(run, &file, err);
	if (status == VK_OK)
		return vk_output_close(&file, true, err);
	return vk_output_close(&file, false, &unwritten) != VK_OK ? unwritten.status : status;
}

static bool work(void *ctx)
{
	struct run *run = ctx;
	struct vk_cmd *cmd = &run->files.cmd;
	struct vk_error err;

	if (!open_source(run))
		return false;
	fprintf(cmd->call->err, "%s: note: about %s are to be read, at most; besides folders%s. The file will be "
		"smaller: it is compressed\n", cmd->call->program->name,
		vk_shown_size_short(run->plan.estimate_bytes).text, run->redact ? "" : " and small files");
	if (vk_bundle_plan_find(&run->plan, run->redact, &err) != VK_OK || write_file(run, &err) != VK_OK)
		return vk_cmd_fail(cmd, &err);
	vk_io_say_faults(run->plan.source->given, &run->files.sink);
	vk_cmd_judge_findings(cmd, &run->files.findings);
	return true;
}

static void put_text(const void *ctx)
{
	const struct run *run = ctx;
	const struct vk_bundle_plan *plan = &run->plan;
	FILE *out = run->files.cmd.call->out;

	fprintf(out, "%s: %s, a bundle of %s (%s)\n\n", run->path, vk_shown_size_short(run->file_bytes).text,
		plan->source->path, vk_shown_size_short(vk_io_size_bytes(plan->source->io)).text);
	for (unsigned i = 0; i < VK_PIECE_KINDS; i++)
		if (plan->bytes[i] > 0)
			fprintf(out, "  %-18s %s\n", vk_piece_kind_name(i), vk_shown_size_short(plan->bytes[i]).text);
	fprintf(out, "  %-18s %s, of them %s zeros\n", "in all", vk_shown_size_short(plan->total_bytes).text,
		vk_shown_size_short(run->added[VK_BUNDLE_ZEROS]).text);
	if (run->added[VK_BUNDLE_UNREADABLE] > 0)
		fprintf(out, "  %-18s %s\n", "unreadable", vk_shown_size_short(run->added[VK_BUNDLE_UNREADABLE]).text);
	if (run->redact)
		fputs("Names were hashed. Labels, UUIDs, MAC addresses in them, and names of LUNs are as they were.\n",
		      out);
	if (plan->unknown)
		fputs("What leads to some metadata is damaged or not in the source: it may lack here.\n", out);
	if (plan->unfinished)
		fputs("There is more metadata than is looked for: some is not in the bundle.\n", out);
	fflush(out);
	vk_files_show_findings(&run->files);
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;
	const struct vk_bundle_plan *plan = &run->plan;
	json_t *kinds = json_array();

	for (unsigned i = 0; i < VK_PIECE_KINDS; i++)
		vk_json_append(kinds, VK_JSON_OBJECT(VK_KEY("kind", vk_piece_kind_name(i)),
						     VK_KEY("bytes", plan->bytes[i])), root);
	VK_JSON_SET(root, VK_KEY("file", run->path), VK_KEY("file_bytes", run->file_bytes),
		    VK_KEY("source", (const char *)plan->source->path),
		    VK_KEY("size_bytes", vk_io_size_bytes(plan->source->io)),
		    VK_KEY("estimate_bytes", plan->estimate_bytes), VK_KEY("total_bytes", plan->total_bytes),
		    VK_KEY("zero_bytes", run->added[VK_BUNDLE_ZEROS]),
		    VK_KEY("unreadable_bytes", run->added[VK_BUNDLE_UNREADABLE]), VK_KEY("redacted", run->redact),
		    VK_KEY("unknown", plan->unknown), VK_KEY("unfinished", plan->unfinished), VK_KEY("kinds", kinds));
	vk_files_set_findings(&run->files, root);
}

static void end(void *ctx)
{
	struct run *run = ctx;

	vk_bundle_plan_free(&run->plan);
	vk_files_close(&run->files);
}

VK_CMD_VERB(run_bundle, struct run, "vmfskit.bundle/1", read_options, work, put_json, put_text, end)

int vk_bundle_run(struct vk_cli_call *call)
{
	return run_bundle(call);
}
