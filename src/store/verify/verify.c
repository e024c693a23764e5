/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proving a capture. SHA256SUMS vouches for every file and the manifest for every file but
 * itself, so that no byte can change unnoticed; all that is wrong is told, not only the first
 * thing.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/shown.h"
#include "store/verify/verify.h"
#include "vmfskit/ledger.h"

/*
 * Read a file whole from the disk, as files with digests are. One that is not there, or is no such file, is a finding
 * of that code: *ret_text is then NULL. Errors of the environment only.
 */
static enum vk_status read_text(const struct vk_verifier *v, const char *file, size_t max, enum vk_finding_code code,
				char **ret_text, size_t *ret_len, struct vk_error *err)
{
	struct vk_error why = {.status = VK_OK};
	uint64_t length;
	int fd;
	enum vk_status status = vk_folder_open_fresh(v->folder_fd, file, &fd, &length, &why);

	*ret_text = NULL;
	if (status == VK_OK) {
		close(fd);
		status = vk_folder_slurp(v->folder_fd, file, max, ret_text, ret_len, &why);
	}
	if (status == VK_OK)
		return VK_OK;
	if (status != VK_ABSENT && status != VK_DAMAGED)
		return (*err = why).status;
	vk_finding_say(v->sink, code, 0, 0, NULL, NULL, "%s: %s", file, why.what);
	return VK_OK;
}

/* The manifest's digest and, when it can be understood, its values. */
static enum vk_status read_manifest(struct vk_verifier *v, struct vk_error *err)
{
	struct vk_error why = {.status = VK_OK};
	bool canonical = false;
	char *text;
	size_t len;
	enum vk_status status =
		read_text(v, VK_MANIFEST_FILE, VK_MANIFEST_MAX_BYTES, VK_F_CAPTURE_MANIFEST, &text, &len, err);

	if (status != VK_OK || text == NULL)
		return status;
	status = vk_digest_bytes(text, len, v->manifest_sha256)
			 ? vk_manifest_read(text, len, VK_MANIFEST_FILE, &v->manifest, &canonical, &why)
			 : VK_NOMEM;
	free(text);
	if (status == VK_NOMEM)
		return vk_no_memory(err, v->path);
	v->has_manifest = status == VK_OK;
	if (!v->has_manifest)
		vk_finding_say(v->sink, VK_F_CAPTURE_MANIFEST, 0, 0, NULL, NULL, "%s", why.what);
	else if (!canonical)
		vk_finding_say(v->sink, VK_F_CAPTURE_MANIFEST, 0, 0, NULL, NULL,
			       "the manifest was altered: it is not written as vmfskit writes it");
	return VK_OK;
}

static size_t line_length(const char *p)
{
	const char *end = strchr(p, '\n');

	return end != NULL ? (size_t)(end - p) + 1 : strlen(p);
}

/* One line of each that differs. */
static void put_line(const struct vk_verifier *v, const char *is, size_t is_len, const char *should, size_t should_len,
		     unsigned number)
{
	static const char manifest_line[] = "  " VK_MANIFEST_FILE "\n";
	const size_t tail = sizeof(manifest_line) - 1;
	const bool of_manifest =
		should_len > tail && strncmp(should + should_len - tail, manifest_line, tail) == 0;

	is_len -= is_len > 0 && is[is_len - 1] == '\n';
	should_len -= should_len > 0;
	vk_finding_say(v->sink, of_manifest ? VK_F_CAPTURE_MANIFEST : VK_F_CAPTURE_SUMS, 0, 0,
		       vk_shown_name(vk_phrase("%.*s", (int)is_len, is).text).text,
		       vk_shown_name(vk_phrase("%.*s", (int)should_len, should).text).text,
		       of_manifest ? "the manifest is not the one that line %u of %s vouches for"
				   : "line %u of %s contradicts the manifest",
		       number, VK_SUMS_FILE);
}

/* Line by line what differs; a NUL byte in the file ends its text, which then differs in length. */
static void compare_lines(const struct vk_verifier *v, const char *should)
{
	const char *is = v->sums;
	unsigned number = 1;
	bool told = false;

	while (*is != '\0' || *should != '\0') {
		size_t is_len = line_length(is);
		size_t should_len = line_length(should);

		if (is_len != should_len || memcmp(is, should, is_len) != 0) {
			put_line(v, is, is_len, should, should_len, number);
			told = true;
		}
		is += is_len;
		should += should_len;
		number++;
	}
	if (!told)
		vk_finding_say(v->sink, VK_F_CAPTURE_SUMS, 0, 0, NULL, NULL, VK_SUMS_FILE " has bytes behind its end");
}

/*
 * Only SHA256SUMS knows the digest of the signature: the manifest says that there is one, SHA256SUMS which, and a
 * signature that was altered then is a file that does not fit its line.
 */
static void find_signature_line(struct vk_verifier *v)
{
	static const char name[] = "  " VK_SIGNATURE_FILE "\n";
	const size_t digest_len = VK_SHA256_HEX_BYTES - 1;
	const char *at = v->sums != NULL ? strstr(v->sums, name) : NULL;

	if (at == NULL || (size_t)(at - v->sums) < digest_len)
		return;
	memcpy(v->signature_sha256, at - digest_len, digest_len);
	if (!vk_sha256_text(v->signature_sha256))
		v->signature_sha256[0] = '\0';
}

static enum vk_status check_sums(const struct vk_verifier *v, struct vk_error *err)
{
	static const char no_digest[] = "(a digest)";
	const struct vk_sums sums = {
		.manifest_sha256 = v->manifest_sha256,
		.signature_sha256 = v->manifest.capture.signer[0] == '\0' ? NULL
				    : v->signature_sha256[0] != '\0'	  ? v->signature_sha256
									  : no_digest,
	};
	char *should = vk_sums_text(&v->manifest, &sums);

	if (should == NULL)
		return vk_no_memory(err, v->path);
	if (v->sums_len != strlen(should) || memcmp(v->sums, should, v->sums_len) != 0)
		compare_lines(v, should);
	free(should);
	return VK_OK;
}

/*
 * A folder of a store, or one with the name of an id, must hold the capture of that name; one elsewhere may have any
 * name: it was copied there.
 */
static void check_place(const struct vk_verifier *v)
{
	char *path = realpath(v->path, NULL);
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : "";
	const char *id = v->manifest.capture.id;

	if (slash != NULL && strcmp(name, id) != 0 && name[0] != '.' &&
	    (vk_id_stamped(name) || vk_is_there(v->folder_fd, "../" VK_LEDGER_FILE)))
		vk_finding_say(v->sink, VK_F_CAPTURE_MISPLACED, 0, 0, vk_shown_name(name).text, id,
			       "the folder holds the capture %s of %.100s", id, v->manifest.capture.source_path);
	free(path);
}

static enum vk_status verify(struct vk_verifier *v, struct vk_error *err)
{
	enum vk_status status = read_manifest(v, err);

	if (status == VK_OK)
		status = read_text(v, VK_SUMS_FILE, VK_SUMS_MAX_BYTES, VK_F_CAPTURE_SUMS, &v->sums, &v->sums_len, err);
	if (status != VK_OK)
		return status;
	find_signature_line(v);
	if (v->has_manifest) {
		vk_manifest_check_ranges(&v->manifest.capture, v->sink);
		check_place(v);
		/* the files may be just what was saved, and what was saved not what one hopes for */
		if (v->manifest.taken_bad > 0)
			vk_finding_say(v->sink, VK_F_CAPTURE_INCOMPLETE, 0, 0, NULL, NULL,
				       "it was taken with %zu finding%s, the first: %s", v->manifest.taken_bad,
				       v->manifest.taken_bad == 1 ? "" : "s", v->manifest.taken_first);
		if (v->sums != NULL)
			status = check_sums(v, err);
	}
	return status == VK_OK ? vk_verify_files(v, err) : status;
}

enum vk_status vk_verify_folder(int folder_fd, const char *path, struct vk_verify_cache *cache,
				const struct vk_finding_sink *sink, struct vk_error *err)
{
	struct vk_verifier *v = calloc(1, sizeof(*v));
	struct vk_error own;
	enum vk_status status;

	if (v == NULL)
		return vk_no_memory(err, path);
	v->path = path;
	v->sink = sink;
	v->cache = cache;
	v->folder_fd = folder_fd;
	status = verify(v, err != NULL ? err : &own);
	vk_manifest_free(&v->manifest);
	free(v->sums);
	free(v->expected);
	free(v);
	return status;
}

enum vk_status vk_capture_verify(const char *path, const struct vk_finding_sink *sink, struct vk_error *err)
{
	int fd;
	enum vk_status status = vk_folder_open(path, &fd, err);

	if (status != VK_OK)
		return status;
	status = vk_verify_folder(fd, path, NULL, sink, err);
	close(fd);
	return status;
}
