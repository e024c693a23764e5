/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.json, SHA256SUMS and RESTORE.txt: what a capture says of itself. */
#ifndef VK_STORE_MANIFEST_H
#define VK_STORE_MANIFEST_H

#include "scsi/device_info.h"
#include "vmfskit/capture.h"

#define VK_MANIFEST_SCHEMA "vmfskit.manifest/1"
/* No capture comes near these; a manifest is read from a folder that anyone may have written to. */
enum {
	VK_MANIFEST_MAX_BYTES = 16 << 20,
	VK_SUMS_MAX_BYTES = 16 << 20,
	VK_REGION_MAX_BYTES = 1 << 30,
	/* what JSON is made of; each costs far more memory than its byte */
	VK_MANIFEST_MAX_TOKENS = 400000,
	VK_MANIFEST_MAX_VOLUMES = 256
};

struct vk_manifest {
	struct vk_capture capture; /* path stays NULL */
	struct vk_device_info device;
	char restore_sha256[VK_SHA256_HEX_BYTES]; /* of RESTORE.txt */
	uint64_t restore_bytes;
	struct vk_findings findings; /* of taking it; not read back, but for the two below */
	size_t taken_bad;            /* warnings and errors among them */
	char taken_first[240];       /* message of the first such */
};
void vk_manifest_free(struct vk_manifest *manifest);
/* What a capture says of the device itself. */
void vk_manifest_set_device(struct vk_capture *capture, const struct vk_device_info *device);
/* What a manifest says of the disk that was captured; none is NULL. */
struct vk_disk_said {
	const char *wwid, *host, *path, *serial;
	bool is_disk; /* else a partition of it */
};
/*
 * The same text for captures of the same disk, as far as their manifests tell; free it, NULL without memory. A disk is
 * known by what it says of itself, as in vmfskit/of_disk.h; without a WWID also by its path on its host, so that never
 * the captures of two disks count as those of one. Partitions that were captured by themselves share the first and are
 * told apart by the second.
 */
char *vk_disk_key(const struct vk_disk_said *said);
char *vk_capture_disk_key(const struct vk_capture *capture);

/* The text of manifest.json. Free ret_text. */
VK_MUST_USE enum vk_status vk_manifest_write(const struct vk_manifest *manifest, char **ret_text,
					     size_t *ret_len, struct vk_error *err);
/*
 * The reverse. Every number, name and text is checked, but not how regions lie to each other.
 * ret_canonical (may be NULL): whether the text is laid out exactly as vk_manifest_write does it;
 * keys that this version does not know may be among it. where names the file in errors. VK_DAMAGED, VK_UNSUPPORTED
 * (another schema), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_manifest_read(const char *text, size_t len, const char *where,
					    struct vk_manifest *ret_manifest, bool *ret_canonical,
					    struct vk_error *err);
/* Read manifest.json of an open folder; ret_text (may be NULL) is the file's text to free. */
VK_MUST_USE enum vk_status vk_manifest_load(int folder_fd, const char *where,
					    struct vk_manifest *ret_manifest, struct vk_error *err);

/*
 * capture.range: regions that overlap or reach past the end of the disk. Returns whether there
 * are none.
 */
bool vk_manifest_check_ranges(const struct vk_capture *capture, const struct vk_finding_sink *sink);

/*
 * A file name that may stand in a manifest: no folder, nothing hidden, no character that needs
 * quoting.
 */
bool vk_file_name_plain(const char *name);

/* Digests of files that the manifest cannot know. Borrowed. */
struct vk_sums {
	const char *manifest_sha256;
	const char *signature_sha256; /* of manifest.json.sig; NULL: it is not listed */
};
/* The whole of SHA256SUMS, and of MD5SUMS. Free the result; NULL when memory ran out. */
char *vk_sums_text(const struct vk_manifest *manifest, const struct vk_sums *sums);
char *vk_md5sums_text(const struct vk_capture *capture);
bool vk_capture_has_md5(const struct vk_capture *capture);
/* The whole of RESTORE.txt. Free the result; NULL when memory ran out. */
char *vk_restore_text(const struct vk_capture *capture);

#endif
