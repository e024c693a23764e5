/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs about files inside a volume have in common: SOURCE and PATH on the command line, further extents, the
 * choice of a volume, its file system opened. A verb's run begins with struct vk_files; its steps call
 * vk_files_read_options and vk_files_open, and vk_files_close at its end.
 */
#ifndef VK_CMD_FILES_H
#define VK_CMD_FILES_H

#include "cmd/shared/opened.h"
#include "vmfskit/fs.h"

/* Of a verb that prints no JSON. */
#define VK_FILES_SOURCE_OPTIONS \
	{.name = "extent", .argument = "SOURCE", .choices = "FILE", .several = true, \
	 .help = "a further extent of the same volume; --at, --stride and --mapfile do not concern it"}, \
	{.name = "volume", .argument = "VOLUME", \
	 .help = "of several volumes in SOURCE this one: its label, its UUID, or the number of its partition"}, \
	{.name = "timeout", .argument = "SECONDS", \
	 .help = "give up when the device has not answered for this long (default 120)"}, \
	VK_HOW_OPTIONS, VK_STORE_OPTION
#define VK_FILES_OPTIONS VK_FILES_SOURCE_OPTIONS, VK_JSON_OPTION
/* What must be in the description of such a verb. */
#define VK_FILES_SOURCE_TEXT_BEGIN \
	"SOURCE is anything that vmfskit decode takes: a disk, a partition, a dump that ends anywhere, a listing, a " \
	"capture. A volume of several extents needs the others with --extent; what lies on one that is not named is " \
	"called missing. PATH counts from the root of the volume, with or without a slash in front. "
#define VK_FILES_NAME_TEXT \
	"A name is written as vmfskit ls prints it: with %0a for a control character of that code, and with %25 " \
	"for a percent sign that two hexadecimal digits follow."
#define VK_FILES_SOURCE_TEXT \
	VK_FILES_SOURCE_TEXT_BEGIN \
	"A PATH '#0x03000004' " \
	"is the file with that file descriptor, also when no folder names it, and " \
	"'#0x03000004/NAME' what is in that folder. " \
	VK_FILES_NAME_TEXT

/* A volume that may be meant. */
struct vk_files_choice {
	const struct vk_volume *volume; /* NULL: no LVM header tells of it */
	struct vk_extent first;         /* which of the devices holds its file-system descriptor, or should */
};

struct vk_files {
	struct vk_cmd cmd;
	struct vk_source_options how; /* of SOURCE */
	struct vk_cmd_opened opened;  /* SOURCE first, then the values of --extent */
	size_t path_index;            /* of the first argument that is a PATH */
	struct vk_volume *volumes;
	size_t volume_count;
	struct vk_files_choice chosen;
	char *options;                /* the choice of source and volume, for commands to paste; owned */
	struct vk_fs_extent *extents; /* as they were given to vk_fs_open; source: number in opened */
	size_t extent_count;
	struct vk_io **windows;       /* byte 0 is that of the partition; owned */
	size_t window_count;
	struct vk_findings findings;  /* about the volume and its files */
	struct vk_finding_sink sink;  /* into findings */
	struct vk_fs *fs;
	unsigned timeout_s;           /* --timeout */
};

/* A step of the frame: the values of VK_FILES_OPTIONS. */
bool vk_files_read_options(void *files);
/*
 * Open SOURCE and the extents, choose the volume, open its file system; what goes wrong is reported. After it
 * path_index is set.
 */
bool vk_files_open(struct vk_files *files);
void vk_files_close(struct vk_files *files);

/* PATH number n behind SOURCE as it was given; NULL: there is none. */
const char *vk_files_path(const struct vk_files *files, size_t n);
/* False: there are more PATHs than that, which is reported. */
bool vk_files_at_most(struct vk_files *files, size_t count);
/* Of the mapping file of a raw device, which has no bytes of its own: VK_UNSUPPORTED, and what to do. Else VK_OK. */
VK_MUST_USE enum vk_status vk_files_refuse_raw(const struct vk_files *files, const struct vk_fs_file *file,
					       const char *path, struct vk_error *err);
/*
 * Print the command line once more to paste, with options (or NULL) added, instead in the place of the argument word,
 * and without the option of that name and its value. Each may be NULL.
 */
void vk_files_put_again(const struct vk_files *files, const char *options, const char *word, const char *instead,
			const char *without);
/* Print it to out with further words at its end; each may be NULL. */
void vk_files_put_longer(const struct vk_files *files, FILE *out, const char *first, const char *second);
/* The path of the source with that number, as it was named. */
const char *vk_files_source(const struct vk_files *files, size_t source);
/*
 * Whether a source is only a part: a cut dump, a capture, a listing. What is not in it is not missing on the disk.
 */
bool vk_files_is_part(const struct vk_files *files);
/*
 * Whether that is a file that the run reads: a source, a piece of one, the mapfile. Nothing that a verb writes,
 * replaces or removes may be.
 */
struct stat;
bool vk_files_is_source(const struct vk_files *files, const struct stat *st);
/*
 * That what is open under fd, a folder or a file to write to, does not lie on a disk that is read. Errors: VK_REFUSED.
 */
VK_MUST_USE enum vk_status vk_files_check_disk(const struct vk_files *files, int fd, const char *shown,
					       struct vk_error *err);
/* {"uuid", "label", "version"} */
json_t *vk_files_volume_json(const struct vk_files *files);
/* The array of the findings, with the source of each. */
void vk_files_set_findings(const struct vk_files *files, struct vk_json *root);
/* The findings to stderr, under what was printed. */
void vk_files_show_findings(const struct vk_files *files);

#endif
