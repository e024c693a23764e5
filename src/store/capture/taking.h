/* SPDX-License-Identifier: Apache-2.0 */
/* A capture while it is being made; shared by captures and undo captures. */
#ifndef VK_STORE_TAKING_H
#define VK_STORE_TAKING_H

#include "store/manifest/manifest.h"
#include "store/folder/save.h"
#include "vmfskit/ledger.h"

struct vk_taking {
	struct vk_manifest manifest;
	struct vk_folder folder;
	struct vk_saver saver;
	struct vk_previous previous;
	/* one for each region, behind them one for RESTORE.txt, one for each map of files, and of metadata */
	struct vk_written *written;
	size_t written_count;
	bool hung;   /* the device did not answer while files were read: it is not asked again */
	bool reread; /* the written files were read again and are what was read from the disk */
	uint64_t unix_seconds;
	struct vk_region *left_out;  /* regions of which it holds nothing */
	size_t left_out_count;
	struct vk_store *store; /* borrowed */
	enum vk_event_kind event; /* capture or import; undo and rebuilt captures are known by themselves */
	char manifest_sha256[VK_SHA256_HEX_BYTES];
};

/* A path as the manifest has it: whole, and fit to be shown. */
void vk_taking_path(const char *path, char *ret_text, size_t cap);
/* NULL when memory ran out. vk_taking_free removes the folder unless it was committed; NULL is allowed. */
struct vk_taking *vk_taking_new(void);
void vk_taking_free(struct vk_taking *taking);
/*
 * Fill in host, time, device and version, and copy path, size and sector size; begin the folder.
 * suffix "", "-undo" or "-rebuilt".
 */
VK_MUST_USE enum vk_status vk_taking_begin(struct vk_taking *taking, struct vk_io *io,
					   const char *path,
					   const struct vk_capture_options *options,
					   const char *suffix, struct vk_error *err);
/* Copy every region of manifest.capture into its file; fills digests and unreadable ranges. */
VK_MUST_USE enum vk_status vk_taking_copy(struct vk_taking *taking, struct vk_error *err);
/* Name and length of the file with that index, as in written. */
const char *vk_taking_file(const struct vk_taking *taking, size_t index, uint64_t *ret_length);
/* Bytes that are no region's: a text, or (text NULL) those of an open file from its begin on. */
struct vk_taking_bytes {
	const char *text;
	int fd;
	char *ret_sha256; /* NULL: nobody asks */
};
/* Make that file; bytes NULL: it is a region. What equals the previous capture's file becomes a link to it. */
VK_MUST_USE enum vk_status vk_taking_put(struct vk_taking *taking, size_t index, const struct vk_taking_bytes *bytes,
					 struct vk_error *err);
/*
 * The maps of the files of all volumes, when options ask for them: into the capture, which is whole without them, too.
 * What is missing in them are findings for sink. Errors: those of the store, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_taking_maps(struct vk_taking *taking, const struct vk_source *source,
					  const struct vk_capture_options *options, const struct vk_finding_sink *sink,
					  struct vk_error *err);
/* Into a file without a name (vk_folder_scratch); err may be NULL. Make it empty again. */
enum vk_status vk_scratch_put(int fd, const void *bytes, size_t len, struct vk_error *err);
bool vk_scratch_restart(int fd);
/* Whether the store has room for such a file. what: "file map". */
bool vk_taking_has_room(const struct vk_taking *taking, const char *file, const char *what, uint64_t bytes,
			struct vk_error *err);
/* The finding that it is not saved. what: "files are". */
void vk_taking_report_lost(unsigned partition, uint64_t base, const char *what, const struct vk_error *why,
			   const struct vk_finding_sink *sink);
/* The metadata of all volumes; behind the maps. As these. */
VK_MUST_USE enum vk_status vk_taking_metadata(struct vk_taking *taking, const struct vk_source *source,
					      const struct vk_capture_options *options,
					      const struct vk_finding_sink *sink, struct vk_error *err);
/*
 * RESTORE.txt, manifest, what vouches for it; all flushed and read again; a line in the ledger, and the folder's
 * name.
 */
VK_MUST_USE enum vk_status vk_taking_commit(struct vk_taking *taking,
					    char ret_id[VK_CAPTURE_ID_BYTES], struct vk_error *err);
/* Copy arrays of plain values into the manifest. */
VK_MUST_USE enum vk_status vk_taking_set(struct vk_taking *taking, const struct vk_region *regions,
					 size_t region_count, const struct vk_identity *identities,
					 size_t identity_count, struct vk_error *err);

/*
 * Bytes of the source as they stand in the written files. False when no region holds all of them,
 * or the file cannot be read back. ret_file is the region's file, NULL when there is no region.
 */
bool vk_taking_read_back(const struct vk_taking *taking, uint64_t offset, void *buf, size_t len,
			 const char **ret_file);

/*
 * Read the structures that tell where everything lies once more and compare them with what was saved, and that with
 * what the plan was made from. capture.changing, in ret_changes, for each that moved.
 */
VK_MUST_USE enum vk_status vk_taking_moved(const struct vk_taking *taking,
					   const struct vk_source *source,
					   struct vk_findings *ret_changes, struct vk_error *err);

#endif
