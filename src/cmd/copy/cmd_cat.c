/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit cat: a file of a volume on standard output. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/shown.h"
#include "base/utf8.h"
#include "cmd/files/holder.h"
#include "cmd/shared/verbs.h"
#include "vmfskit/extract.h"

/* A pipe as large as the system lets anybody have: fewer switches between the two programs. */
enum { PIPE_BYTES = 1 << 20 };
/* A longer file is nothing to be read on a screen. */
enum { TERMINAL_BYTES = 64 << 10 };
#define OUT_NAME "standard output"

struct run {
	struct vk_files files; /* first */
	struct vk_fs_file *file;
	struct vk_extract extract;
};

/* A file that is still empty takes the holes as holes. */
static bool takes_holes(int fd)
{
	const int flags = fcntl(fd, F_GETFL);
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0 && flags >= 0 &&
	       (flags & O_APPEND) == 0 && lseek(fd, 0, SEEK_CUR) == 0;
}

static enum vk_status look_up(struct run *run, const char *path, struct vk_error *err)
{
	const char *where = vk_files_source(&run->files, 0);
	enum vk_status status = vk_fs_lookup(run->files.fs, path, true, &run->files.sink, &run->file, err);

	if (status != VK_OK)
		return status;
	if (vk_fs_file_is_folder(run->file)) {
		vk_error_set(err, VK_USAGE, where, "%s is a folder", vk_shown_name(path).text);
		return vk_error_remedy(err, "vmfskit ls shows what is in it, vmfskit cp -r copies it");
	}
	return vk_files_refuse_raw(&run->files, run->file, path, err);
}

/* What moves the cursor is none, but for the ends of lines. */
static bool is_text(const uint8_t *bytes, size_t len)
{
	uint32_t point;

	for (size_t used; len > 0; bytes += used, len -= used) {
		used = vk_utf8_decode(bytes, len, &point);
		if (used == 0 || (vk_utf8_steers(point) && point != '\t' && point != '\n' && point != '\r'))
			return false;
	}
	return true;
}

/* A terminal takes the bytes of a virtual disk for commands. */
static enum vk_status check_terminal(const struct run *run, const char *path, struct vk_error *err)
{
	const uint64_t size = run->file->meta.fileLength;
	uint8_t *bytes;
	size_t got = 0;
	enum vk_status status = VK_OK;
	bool text;

	if (isatty(STDOUT_FILENO) != 1)
		return VK_OK;
	bytes = malloc(TERMINAL_BYTES);
	if (bytes == NULL)
		return vk_no_memory(err, NULL);
	if (size <= TERMINAL_BYTES)
		status = vk_fs_read(run->files.fs, run->file, 0, bytes, (size_t)size, &got, err);
	/* --holes prints zeros for what is missing */
	text = size <= TERMINAL_BYTES && is_text(bytes, got) &&
	       (got == size || !vk_cli_flag(run->files.cmd.call, "holes"));
	free(bytes);
	if (status != VK_OK || text)
		return status;
	vk_error_set(err, VK_USAGE, NULL, OUT_NAME " is a terminal, and %s is %s", vk_shown_name(path).text,
		     size <= TERMINAL_BYTES ? "no text" : "longer than 64 KiB");
	return vk_error_remedy(err, "write it to a file, with >FILE behind the command or with vmfskit cp; or send it "
			       "to another program: | less, | hexdump -C");
}

/* What the shell has opened may be what is read, or lie on its disk. */
static enum vk_status check_output(const struct run *run, struct vk_error *err)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)))
		return VK_OK;
	if (vk_files_is_source(&run->files, &st)) {
		vk_error_set(err, VK_REFUSED, OUT_NAME, "this is the source itself");
		return vk_error_remedy(err, "choose another place");
	}
	return vk_files_check_disk(&run->files, STDOUT_FILENO, OUT_NAME, err);
}

static enum vk_status copy(struct run *run, const char *path, struct vk_error *err)
{
	struct vk_extract *x = &run->extract;
	const uint64_t size = run->file->meta.fileLength;
	struct vk_io *io;
	enum vk_status status = check_output(run, err);

	if (status == VK_OK)
		status = check_terminal(run, path, err);
	if (status == VK_OK)
		status = vk_fs_file_io(run->files.fs, run->file, path, &run->files.sink, &io, err);
	if (status != VK_OK)
		return status;
	*x = (struct vk_extract){.fd = STDOUT_FILENO, .sparse = takes_holes(STDOUT_FILENO) && size <= INT64_MAX,
				 .stop_at_missing = !vk_cli_flag(run->files.cmd.call, "holes")};
	(void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_BYTES);
	vk_files_say_held(&run->files, run->file, path);
	status = vk_extract(x, io, 0, size, OUT_NAME, err);
	if (status == VK_OK && x->sparse &&
	    (ftruncate(STDOUT_FILENO, (off_t)x->position) != 0 || lseek(STDOUT_FILENO, 0, SEEK_END) < 0))
		status = vk_error_errno(err, errno, OUT_NAME, "cannot write");
	vk_io_close(io);
	return status;
}

/* The first missing bytes end it; with --holes all of them are named. */
static void report_missing(struct run *run, const char *path)
{
	const struct vk_extract *x = &run->extract;
	struct vk_cmd *cmd = &run->files.cmd;
	struct vk_error err;

	if (x->end == VK_EXTRACT_MISSING) {
		vk_error_set(&err, x->missing[0].absent ? VK_ABSENT : VK_IO, vk_files_source(&run->files, 0),
			     "%s: bytes from %llu on %s; what was printed ends before them", vk_shown_name(path).text,
			     (unsigned long long)x->position,
			     x->missing[0].absent ? "are not in the source" : "cannot be read");
		(void)vk_error_remedy(&err, "--holes prints zeros in their place, vmfskit cp keeps a map of them");
		(void)vk_cmd_fail(cmd, &err);
		return;
	}
	for (size_t i = 0; i < x->missing_count; i++)
		fprintf(cmd->call->err, "%s: %s: bytes %llu to %llu: %s, zeros were printed\n",
			cmd->call->program->name, vk_shown_name(path).text,
			(unsigned long long)x->missing[i].file_offset,
			(unsigned long long)(x->missing[i].file_offset + x->missing[i].length_bytes - 1),
			x->missing[i].absent ? "not in the source" : "cannot be read");
	(void)vk_cmd_ok(cmd, x->missing_count > 0 ? VK_EXIT_FINDINGS : VK_EXIT_OK);
}

static bool work(void *ctx)
{
	struct run *run = ctx;
	struct vk_cmd *cmd = &run->files.cmd;
	const char *path;
	struct vk_error err;

	if (!vk_files_open(&run->files))
		return false;
	path = vk_files_path(&run->files, 0);
	if (path == NULL || vk_files_path(&run->files, 1) != NULL)
		return vk_cmd_ok(cmd, vk_cli_usage(cmd->call, "SOURCE and one PATH are needed"));
	if (look_up(run, path, &err) != VK_OK || copy(run, path, &err) != VK_OK)
		return vk_cmd_fail(cmd, &err);
	report_missing(run, path);
	vk_cmd_judge_findings(cmd, &run->files.findings);
	vk_files_show_findings(&run->files);
	return false;
}

static void put_nothing(const void *ctx)
{
	(void)ctx;
}

static void end(void *ctx)
{
	struct run *run = ctx;

	vk_extract_free(&run->extract);
	vk_fs_file_close(run->file);
	vk_files_close(&run->files);
}

static int run_cat(struct vk_cli_call *call)
{
	static const struct vk_cmd_steps steps = {NULL, vk_files_read_options, work, NULL, put_nothing, end};
	struct run run = {.file = NULL};

	return vk_cmd_run(call, &run, &steps);
}

static const struct vk_cli_option options[] = {
	{.name = "holes", .help = "print zeros where bytes are missing, and name them, instead of ending there"},
	VK_FILES_SOURCE_OPTIONS,
	{0},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit cat /dev/sdb /web/web.vmx", "the configuration of a virtual machine"},
	{"vmfskit cat /dev/sdb /web/web-flat.vmdk | ssh other 'cat > web.raw'", "a virtual disk to another host"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_cat = {
	.name = "cat",
	.arguments = "SOURCE PATH",
	.purpose = "print a file of a volume",
	.description =
		"Prints the bytes of the file PATH. "
		VK_FILES_SOURCE_TEXT
		"\n\n"
		"Blocks that are not allocated, and those that were never written, are zeros. Standard output "
		"that is a new file gets holes for them. Where bytes are not in the source or cannot be read, cat"
		" ends with an error; it never prints zeros for them, unless --holes asks for it. Then each range"
		" is named, and the exit code is 1.\n\n"
		"On a terminal only text of at most 64 KiB is printed: bytes of a virtual disk could change its state."
		" To see them all the same, send them through another program, | hexdump -C for example.\n\n"
		"Symbolic links are followed inside the volume.",
	.options = options,
	.examples = examples,
	.least_arguments = 2,
	.most_arguments = SIZE_MAX,
	.run = run_cat,
};
