/* SPDX-License-Identifier: Apache-2.0 */
/* Proving a capture: the files it should have, and those it should not. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/checked.h"
#include "store/folder/save.h"
#include "store/verify/verify.h"
#include "store/verify/verify_cache.h"

static int compare_expected(const void *a, const void *b)
{
	const struct vk_expected_file *x = a;
	const struct vk_expected_file *y = b;

	return strcmp(x->file, y->file);
}

static void expect(struct vk_verifier *v, const char *file, size_t file_len, const char *sha256)
{
	struct vk_expected_file *e = &v->expected[v->expected_count++];

	memcpy(e->file, file, file_len);
	memcpy(e->sha256, sha256, VK_SHA256_HEX_BYTES - 1);
}

/* What it says is told by the manifest; that it is in SHA256SUMS with this digest is checked there. */
static bool expect_md5sums(struct vk_verifier *v)
{
	char *text = vk_md5sums_text(&v->manifest.capture);
	char sha256[VK_SHA256_HEX_BYTES];
	bool sound = text != NULL && vk_digest_bytes(text, strlen(text), sha256);

	if (sound) {
		v->expected[v->expected_count].has_length = true;
		v->expected[v->expected_count].length_bytes = strlen(text);
		expect(v, VK_MD5SUMS_FILE, strlen(VK_MD5SUMS_FILE), sha256);
	}
	free(text);
	return sound;
}

static bool collect_from_manifest(struct vk_verifier *v)
{
	const struct vk_capture *c = &v->manifest.capture;

	for (size_t i = 0; i < c->region_count; i++) {
		struct vk_expected_file *e = &v->expected[i];

		expect(v, c->regions[i].file, strlen(c->regions[i].file), c->regions[i].sha256);
		memcpy(e->md5, c->regions[i].md5, sizeof(e->md5));
		e->has_length = true;
		e->length_bytes = c->regions[i].length_bytes;
		e->offset_bytes = c->regions[i].offset_bytes;
	}
	v->expected[v->expected_count].has_length = true;
	v->expected[v->expected_count].length_bytes = v->manifest.restore_bytes;
	expect(v, VK_RESTORE_FILE, strlen(VK_RESTORE_FILE), v->manifest.restore_sha256);
	if (c->signer[0] != '\0') {
		v->expected[v->expected_count].has_length = true;
		v->expected[v->expected_count].length_bytes = VK_SIGNATURE_BYTES;
		expect(v, VK_SIGNATURE_FILE, strlen(VK_SIGNATURE_FILE), v->signature_sha256);
	}
	return !vk_capture_has_md5(c) || expect_md5sums(v);
}

/* A line that is not of the form of sha256sum vouches for nothing and is told of. */
static void collect_from_sums(struct vk_verifier *v)
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
			sound = vk_sha256_text(line.sha256) &&
				(vk_file_name_plain(line.file) ||
				 strcmp(line.file, VK_RESTORE_FILE) == 0 ||
				 strcmp(line.file, VK_MD5SUMS_FILE) == 0 ||
				 strcmp(line.file, VK_SIGNATURE_FILE) == 0 ||
				 strcmp(line.file, VK_MANIFEST_FILE) == 0);
		}
		if (sound) {
			v->expected[v->expected_count++] = line;
		} else {
			struct vk_finding finding;

			vk_finding_init(&finding, VK_F_CAPTURE_SUMS, 0, 0,
					VK_SUMS_FILE " has a line that is none of sha256sum's");
			vk_finding_put(v->sink, &finding);
		}
		p += end != NULL ? len + 1 : len;
	}
}

static size_t count_lines(const char *p)
{
	size_t count = 1;

	for (; *p != '\0'; p++)
		count += *p == '\n';
	return count;
}

enum vk_status vk_verify_collect(struct vk_verifier *v, struct vk_error *err)
{
	size_t cap = v->has_manifest	 ? v->manifest.capture.region_count + 3
		     : v->sums != NULL ? count_lines(v->sums)
				       : 1;

	v->expected = calloc(cap, sizeof(*v->expected));
	if (v->expected == NULL)
		return vk_no_memory(err, v->path);
	if (v->has_manifest && !collect_from_manifest(v))
		return vk_no_memory(err, v->path);
	if (!v->has_manifest && v->sums != NULL)
		collect_from_sums(v);
	qsort(v->expected, v->expected_count, sizeof(*v->expected), compare_expected);
	return VK_OK;
}

/*
 * The digests of a file that may have been read for another capture; one that changes meanwhile is not remembered, and one
 * that was read without MD5 is read again when a capture has such a digest of it.
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
	if (keyed && vk_verify_key_of(fd, &after) && vk_verify_key_equal(&before, &after))
		vk_verify_cache_add(v->cache, &before, ret_digests);
	return true;
}

static void put_file(const struct vk_verifier *v, const struct vk_expected_file *e,
		     enum vk_finding_code code, const char *what)
{
	struct vk_finding finding;

	vk_finding_init(&finding, code, e->offset_bytes, e->has_length ? e->length_bytes : 0, "%s: %s",
			e->file, what);
	vk_finding_put(v->sink, &finding);
}

static bool check_length(const struct vk_verifier *v, const struct vk_expected_file *e, uint64_t length)
{
	struct vk_finding finding;

	if (!e->has_length && length > VK_REGION_MAX_BYTES) {
		put_file(v, e, VK_F_CAPTURE_FILE_SIZE, "longer than any file of a capture");
		return false;
	}
	if (!e->has_length || length == e->length_bytes)
		return true;
	vk_finding_init(&finding, VK_F_CAPTURE_FILE_SIZE, e->offset_bytes, e->length_bytes,
			"%s does not have its length", e->file);
	vk_finding_seen(&finding, "%llu bytes", (unsigned long long)length);
	vk_finding_expected(&finding, "%llu bytes", (unsigned long long)e->length_bytes);
	vk_finding_put(v->sink, &finding);
	return false;
}

/* Both digests are of the same bytes: when only one of them fits, the other was never that of the file. */
static void check_md5(const struct vk_verifier *v, const char *md5, const struct vk_expected_file *e)
{
	struct vk_finding finding;

	if (e->md5[0] == '\0' || strcmp(md5, e->md5) == 0)
		return;
	vk_finding_init(&finding, VK_F_CAPTURE_DIGEST, e->offset_bytes, e->length_bytes,
			"%s: the MD5 digest in the manifest is not that of the file", e->file);
	vk_finding_seen(&finding, "%s", md5);
	vk_finding_expected(&finding, "%s", e->md5);
	vk_finding_put(v->sink, &finding);
}

/* Only what is known to be wrong is damage: a store that cannot be read right now says nothing of its captures. */
static enum vk_status check_file(const struct vk_verifier *v, struct vk_saver *s,
				 const struct vk_expected_file *e, struct vk_error *err)
{
	struct vk_error why = {.status = VK_OK};
	enum vk_status status;
	struct vk_verify_digests is;
	struct vk_finding finding;
	uint64_t length;
	int fd;

	status = vk_folder_open_fresh(v->folder_fd, e->file, &fd, &length, &why);
	if (status == VK_ABSENT || status == VK_DAMAGED) {
		put_file(v, e, VK_F_CAPTURE_FILE_MISSING, why.what);
		return VK_OK;
	}
	if (status != VK_OK) {
		*err = why;
		return status;
	}
	/* a file of another length is not what was saved, whatever it holds */
	if (!check_length(v, e, length)) {
		close(fd);
		return VK_OK;
	}
	if (!digest_once(v, s, e, fd, length, &is)) {
		status = vk_error_errno(err, errno, e->file, "the file cannot be read");
		(void)vk_error_remedy(err, "look at the disk of the store; nothing is known of this capture until it can be read");
	} else if (e->sha256[0] != '\0' && strcmp(is.sha256, e->sha256) != 0) {
		vk_finding_init(&finding, VK_F_CAPTURE_DIGEST, e->offset_bytes,
				e->has_length ? e->length_bytes : 0, "%s is not what was saved",
				e->file);
		vk_finding_seen(&finding, "%s", is.sha256);
		vk_finding_expected(&finding, "%s", e->sha256);
		vk_finding_put(v->sink, &finding);
	} else {
		check_md5(v, is.md5, e);
	}
	close(fd);
	return status;
}

enum vk_status vk_verify_files(struct vk_verifier *v, struct vk_error *err)
{
	struct vk_saver saver;
	enum vk_status status = vk_saver_init(&saver, NULL, err);

	if (status != VK_OK)
		return status;
	if (v->has_manifest && vk_capture_has_md5(&v->manifest.capture) && !vk_digest_add_md5(&saver.digest))
		status = vk_no_memory(err, v->path);
	for (size_t i = 0; i < v->expected_count && status == VK_OK; i++)
		status = check_file(v, &saver, &v->expected[i], err);
	vk_saver_free(&saver);
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
	return bsearch(&key, v->expected, v->expected_count, sizeof(key), compare_expected) != NULL;
}

enum vk_status vk_verify_extras(struct vk_verifier *v, struct vk_error *err)
{
	const struct dirent *entry;
	int fd = openat(v->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir == NULL) {
		vk_error_errno(err, errno, v->path, "cannot list the capture's folder");
		if (fd >= 0)
			close(fd);
		return VK_IO;
	}
	while ((entry = readdir(dir)) != NULL) {
		char name[200];
		struct vk_text text;
		struct vk_finding finding;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    is_expected(v, entry->d_name))
			continue;
		vk_text_init(&text, name, sizeof(name));
		vk_text_label(&text, (const uint8_t *)entry->d_name, strlen(entry->d_name));
		vk_finding_init(&finding, VK_F_CAPTURE_EXTRA_FILE, 0, 0,
				"%s does not belong to the capture", name);
		vk_finding_put(v->sink, &finding);
	}
	closedir(dir);
	return VK_OK;
}
