/* SPDX-License-Identifier: Apache-2.0 */
/* Proving a capture: the files it should have, and those it should not. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/shown.h"
#include "store/folder/save.h"
#include "store/folder/map_file.h"
#include "store/verify/verify.h"
#include "vmfskit/bundle.h"

static int compare_expected(const void *a, const void *b)
{
	const struct vk_expected_file *x = a;
	const struct vk_expected_file *y = b;

	return strcmp(x->file, y->file);
}

/* NULL when memory ran out. */
static struct vk_expected_file *expect(struct vk_verifier *v, const char *file, const char *sha256, uint64_t length)
{
	struct vk_expected_file *e = vk_append(&v->expected, &v->expected_count, NULL, sizeof(*e));

	if (e == NULL)
		return NULL;
	memcpy(e->file, file, strlen(file) + 1);
	memcpy(e->sha256, sha256, VK_SHA256_HEX_BYTES);
	e->has_length = true;
	e->length_bytes = length;
	return e;
}

static bool collect_from_manifest(struct vk_verifier *v)
{
	const struct vk_capture *c = &v->manifest.capture;
	char sha256[VK_SHA256_HEX_BYTES];
	char *text;
	bool sound;

	for (size_t i = 0; i < c->region_count; i++) {
		const struct vk_region *r = &c->regions[i];
		struct vk_expected_file *e = expect(v, r->file, r->sha256, r->length_bytes);

		if (e == NULL)
			return false;
		memcpy(e->md5, r->md5, sizeof(e->md5));
		e->offset_bytes = r->offset_bytes;
	}
	for (size_t i = 0; i < c->map_count; i++) {
		struct vk_expected_file *e = expect(v, c->maps[i].file, c->maps[i].sha256, c->maps[i].length_bytes);

		if (e == NULL)
			return false;
		e->map = &c->maps[i];
	}
	for (size_t i = 0; i < c->metadata_count; i++) {
		const struct vk_saved_metadata *m = &c->metadata[i];
		struct vk_expected_file *e = expect(v, m->file, m->sha256, m->length_bytes);

		if (e == NULL)
			return false;
		e->metadata = m;
	}
	sound = expect(v, VK_RESTORE_FILE, v->manifest.restore_sha256, v->manifest.restore_bytes) != NULL &&
		(c->signer[0] == '\0' ||
		 expect(v, VK_SIGNATURE_FILE, v->signature_sha256, VK_SIGNATURE_BYTES) != NULL);
	if (!sound || !vk_capture_has_md5(c))
		return sound;
	/* what it says is told by the manifest; that it is in SHA256SUMS with this digest is checked there */
	text = vk_md5sums_text(c);
	sound = text != NULL && vk_digest_bytes(text, strlen(text), sha256) &&
		expect(v, VK_MD5SUMS_FILE, sha256, strlen(text)) != NULL;
	free(text);
	return sound;
}

/* Whether a file of this name can be one of a capture's. */
static bool is_capture_file(const char *name)
{
	static const char *const names[] = {VK_RESTORE_FILE, VK_MD5SUMS_FILE, VK_SIGNATURE_FILE, VK_MANIFEST_FILE};
	bool is_one = vk_file_name_plain(name);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		is_one = is_one || strcmp(name, names[i]) == 0;
	return is_one;
}

/* A line that is not of the form of sha256sum vouches for nothing and is told of. */
static bool collect_from_sums(struct vk_verifier *v)
{
	const size_t digest_len = VK_SHA256_HEX_BYTES - 1;
	char *p = v->sums;

	while (*p != '\0') {
		char *end = strchr(p, '\n');
		size_t len = end != NULL ? (size_t)(end - p) : strlen(p);
		struct vk_expected_file line = {.file = ""};
		bool sound = end != NULL && len > digest_len + 2 &&
			     len - digest_len - 2 < sizeof(line.file) && p[digest_len] == ' ' &&
			     p[digest_len + 1] == ' ';

		if (sound) {
			memcpy(line.sha256, p, digest_len);
			memcpy(line.file, p + digest_len + 2, len - digest_len - 2);
			sound = vk_sha256_text(line.sha256) && is_capture_file(line.file);
		}
		if (sound && vk_append(&v->expected, &v->expected_count, &line, sizeof(line)) == NULL)
			return false;
		if (!sound)
			vk_finding_say(v->sink, VK_F_CAPTURE_SUMS, 0, 0, NULL, NULL,
				       VK_SUMS_FILE " has a line that is none of sha256sum's");
		p += end != NULL ? len + 1 : len;
	}
	return true;
}

/*
 * The digests of a file that may have been read for another capture; one that changes meanwhile is not remembered,
 * and one that was read without MD5 is read again when a capture has such a digest of it.
 */
static bool digest_once(const struct vk_verifier *v, struct vk_saver *s, const struct vk_expected_file *e, int fd,
			uint64_t length, struct vk_verify_digests *ret_digests)
{
	struct vk_verify_key before;
	struct vk_verify_key after;
	bool keyed = v->cache != NULL && vk_verify_key_of(fd, &before) &&
		     (uint64_t)before.size_bytes == length;

	if (keyed && vk_verify_cache_find(v->cache, &before, ret_digests) &&
	    (e->md5[0] == '\0' || ret_digests->md5[0] != '\0'))
		return true;
	if (!vk_saver_keep(s, fd, length, NULL, ret_digests->sha256))
		return false;
	memcpy(ret_digests->md5, s->digest.md5_hex, sizeof(ret_digests->md5));
	if (keyed && vk_verify_key_of(fd, &after) && memcmp(&before, &after, sizeof(before)) == 0)
		vk_verify_cache_add(v->cache, &before, ret_digests);
	return true;
}

/* What is wrong with a file. A map of files is not what a capture is for: its headers are as good as they were. */
static enum vk_finding_code code_of(const struct vk_expected_file *e, enum vk_finding_code code)
{
	return e->map != NULL || e->metadata != NULL ? VK_F_CAPTURE_FILE_MAP : code;
}

/* The digest is right: what was saved must be a map all the same, with the sums that the manifest has. */
static enum vk_status check_map(const struct vk_verifier *v, const struct vk_expected_file *e, struct vk_error *err)
{
	const struct vk_saved_map *map = e->map;
	struct vk_file_map_sums sums;
	struct vk_error why = {.status = VK_OK};
	struct vk_io *io;
	enum vk_status status = vk_map_open(v->folder_fd, map->file, map->length_bytes, &io, &why);

	if (status == VK_OK) {
		status = vk_file_map_read(io, NULL, &sums, &why);
		vk_io_close(io);
	}
	if (status == VK_OK && (sums.files != map->files || sums.runs != map->runs || sums.unread != map->unread ||
				sums.torn != map->torn || sums.faults != map->faults || sums.scope != map->scope))
		status = vk_error_set(&why, VK_DAMAGED, e->file, "it has other sums than the manifest");
	if (status == VK_NOMEM || status == VK_IO)
		return (*err = why).status;
	if (status != VK_OK)
		vk_finding_say(v->sink, VK_F_CAPTURE_FILE_MAP, 0, 0, NULL, NULL, "%s: %s", e->file, why.what);
	return VK_OK;
}

/* The same of a bundle: what is in it is what the manifest says. */
static enum vk_status check_metadata(const struct vk_verifier *v, const struct vk_expected_file *e,
				     struct vk_error *err)
{
	struct vk_error why = {.status = VK_OK};
	struct vk_io *io = NULL, *bundle = NULL;
	uint64_t held = 0, unreadable = 0;
	enum vk_status status = vk_map_open(v->folder_fd, e->file, e->metadata->length_bytes, &io, &why);

	if (status == VK_OK) {
		status = vk_io_bundle(io, &bundle, &why);
		if (status != VK_OK)
			vk_io_close(io);
	}
	for (uint64_t at = 0, size = status == VK_OK ? vk_io_size_bytes(bundle) : 0; at < size;) {
		const struct vk_span span = vk_io_span(bundle, at);

		held += span.state == VK_SPAN_DATA || span.state == VK_SPAN_ZERO ? span.length_bytes : 0;
		unreadable += span.state == VK_SPAN_UNREADABLE ? span.length_bytes : 0;
		at = span.length_bytes == 0 ? size : at + span.length_bytes;
	}
	vk_io_close(bundle);
	if (status == VK_OK && (held != e->metadata->held_bytes || unreadable != e->metadata->unreadable_bytes))
		status = vk_error_set(&why, VK_DAMAGED, e->file, "it has other ranges than the manifest says");
	if (status == VK_NOMEM || status == VK_IO)
		return (*err = why).status;
	if (status != VK_OK)
		vk_finding_say(v->sink, VK_F_CAPTURE_FILE_MAP, 0, 0, NULL, NULL, "%s: %s", e->file, why.what);
	return VK_OK;
}

static bool check_length(const struct vk_verifier *v, const struct vk_expected_file *e, uint64_t length)
{
	if (!e->has_length && length > VK_REGION_MAX_BYTES) {
		vk_finding_say(v->sink, VK_F_CAPTURE_FILE_SIZE, e->offset_bytes, 0, NULL, NULL,
			       "%s: longer than any file of a capture", e->file);
		return false;
	}
	if (!e->has_length || length == e->length_bytes)
		return true;
	vk_finding_say(v->sink, code_of(e, VK_F_CAPTURE_FILE_SIZE), e->offset_bytes, e->length_bytes,
		       vk_phrase("%" PRIu64 " bytes", length).text,
		       vk_phrase("%" PRIu64 " bytes", e->length_bytes).text, "%s does not have its length", e->file);
	return false;
}

/* Only what is known to be wrong is damage: a store that cannot be read right now says nothing of its captures. */
static enum vk_status check_file(const struct vk_verifier *v, struct vk_saver *s,
				 const struct vk_expected_file *e, struct vk_error *err)
{
	struct vk_error why = {.status = VK_OK};
	struct vk_verify_digests is;
	uint64_t length;
	int fd;
	enum vk_status status = vk_folder_open_fresh(v->folder_fd, e->file, &fd, &length, &why);

	if (status == VK_ABSENT || status == VK_DAMAGED) {
		vk_finding_say(v->sink, code_of(e, VK_F_CAPTURE_FILE_MISSING), e->offset_bytes, e->length_bytes, NULL,
			       NULL, "%s: %s", e->file, why.what);
		return VK_OK;
	}
	if (status != VK_OK)
		return (*err = why).status;
	/* a file of another length is not what was saved, whatever it holds */
	if (!check_length(v, e, length)) {
		close(fd);
		return VK_OK;
	}
	if (!digest_once(v, s, e, fd, length, &is)) {
		status = vk_error_errno(err, errno, e->file, "the file cannot be read");
		(void)vk_error_remedy(
			err, "look at the disk of the store; nothing is known of this capture until it can be read");
	} else if (e->sha256[0] != '\0' && strcmp(is.sha256, e->sha256) != 0) {
		vk_finding_say(v->sink, code_of(e, VK_F_CAPTURE_DIGEST), e->offset_bytes, e->length_bytes, is.sha256,
			       e->sha256, "%s is not what was saved", e->file);
	} else if (e->map != NULL) {
		status = check_map(v, e, err);
	} else if (e->metadata != NULL) {
		status = check_metadata(v, e, err);
	} else if (e->md5[0] != '\0' && strcmp(is.md5, e->md5) != 0) {
		/*
		 * both digests are of the same bytes: when only one of them fits, the other was never that of the
		 * file
		 */
		vk_finding_say(v->sink, VK_F_CAPTURE_DIGEST, e->offset_bytes, e->length_bytes, is.md5, e->md5,
			       "%s: the MD5 digest in the manifest is not that of the file", e->file);
	}
	close(fd);
	return status;
}

static bool is_expected(const struct vk_verifier *v, const char *name)
{
	struct vk_expected_file key = {.file = ""};

	if (strcmp(name, VK_MANIFEST_FILE) == 0 || strcmp(name, VK_SUMS_FILE) == 0)
		return true;
	if (strlen(name) >= sizeof(key.file))
		return false;
	memcpy(key.file, name, strlen(name) + 1);
	return v->expected_count > 0 &&
	       bsearch(&key, v->expected, v->expected_count, sizeof(key), compare_expected) != NULL;
}

/* Who else than its owner may have changed a file, or the folder. */
static void check_mode(const struct vk_verifier *v, const char *name, const struct stat *st)
{
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		vk_finding_say(v->sink, VK_F_CAPTURE_WRITABLE, 0, 0,
			       vk_phrase("mode %04o", (unsigned)(st->st_mode & 07777)).text, NULL,
			       "others may write to %s", vk_shown_name(name).text);
	if (st->st_uid != v->owner && st->st_uid != 0)
		vk_finding_say(v->sink, VK_F_CAPTURE_WRITABLE, 0, 0, vk_phrase("user %u", (unsigned)st->st_uid).text,
			       vk_phrase("user %u", (unsigned)v->owner).text,
			       "%s belongs to another user than the capture", vk_shown_name(name).text);
}

/* What lies in the folder: whether it belongs there, and whether others may write to it. */
static bool check_entry(void *ctx, int folder_fd, const char *name)
{
	const struct vk_verifier *v = ctx;
	struct stat st;

	if (!is_expected(v, name))
		vk_finding_say(v->sink, VK_F_CAPTURE_EXTRA_FILE, 0, 0, NULL, NULL, "%s does not belong to the capture",
			       vk_shown_name(name).text);
	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
		check_mode(v, name, &st);
	return true;
}

static enum vk_status check_folder(struct vk_verifier *v, struct vk_error *err)
{
	struct stat folder;

	if (fstat(v->folder_fd, &folder) != 0)
		return vk_error_errno(err, errno, v->path, "cannot look at the capture's folder");
	v->owner = folder.st_uid;
	check_mode(v, "the capture's folder", &folder);
	if (vk_each_entry(v->folder_fd, check_entry, v))
		return VK_OK;
	return vk_error_errno(err, errno, v->path, "cannot list the capture's folder");
}

enum vk_status vk_verify_files(struct vk_verifier *v, struct vk_error *err)
{
	struct vk_saver saver;
	enum vk_status status;

	if (v->has_manifest ? !collect_from_manifest(v) : v->sums != NULL && !collect_from_sums(v))
		return vk_no_memory(err, v->path);
	if (v->expected_count > 0)
		qsort(v->expected, v->expected_count, sizeof(*v->expected), compare_expected);
	status = vk_saver_init(&saver, NULL, err);
	if (status != VK_OK)
		return status;
	if (v->has_manifest && vk_capture_has_md5(&v->manifest.capture) && !vk_digest_add_md5(&saver.digest))
		status = vk_no_memory(err, v->path);
	for (size_t i = 0; i < v->expected_count && status == VK_OK; i++)
		status = check_file(v, &saver, &v->expected[i], err);
	vk_saver_free(&saver);
	return status == VK_OK ? check_folder(v, err) : status;
}
