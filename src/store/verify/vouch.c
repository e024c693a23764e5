/* SPDX-License-Identifier: Apache-2.0 */
/* Who vouches for a capture: the ledger of its store, a signature, and that nobody else can write there. */
#include "base/memory.h"
#include "vmfskit/vouch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/ledger/ledger_captures.h"
#include "store/verify/verify.h"

enum { LEDGERS_MAX = 16 };

/* The ledger of a folder that captures lie in. */
struct ledger {
	dev_t dev; /* of that folder */
	ino_t ino;
	bool expected; /* there is one, or there was */
	enum vk_status status; /* VK_ABSENT: there is none */
	struct vk_error err;
	struct vk_recorded_set recorded;
};

struct vk_vouching {
	pthread_mutex_t lock; /* ledgers */
	struct ledger ledgers[LEDGERS_MAX];
	size_t ledger_count;
	int store_fd; /* -1: there is no such store */
	const struct vk_public_key *key;
};

struct vk_vouching *vk_vouching_new(const char *store, const struct vk_public_key *key)
{
	struct vk_vouching *v = calloc(1, sizeof(*v));

	if (v != NULL && pthread_mutex_init(&v->lock, NULL) != 0) {
		free(v);
		return NULL;
	}
	if (v != NULL) {
		v->store_fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		v->key = key;
	}
	return v;
}

void vk_vouching_free(struct vk_vouching *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < v->ledger_count; i++)
		vk_recorded_free(&v->ledgers[i].recorded);
	if (v->store_fd >= 0)
		close(v->store_fd);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

/* With the lock held. Of more folders than are kept the last one gives way; its set is no longer used by then. */
static const struct ledger *ledger_of(struct vk_vouching *v, int folder_fd, const struct stat *st)
{
	struct ledger *l;

	for (size_t i = 0; i < v->ledger_count; i++)
		if (v->ledgers[i].dev == st->st_dev && v->ledgers[i].ino == st->st_ino)
			return &v->ledgers[i];
	if (v->ledger_count == LEDGERS_MAX)
		vk_recorded_free(&v->ledgers[--v->ledger_count].recorded);
	l = &v->ledgers[v->ledger_count++];
	*l = (struct ledger){.dev = st->st_dev, .ino = st->st_ino};
	l->status = vk_ledger_recorded(folder_fd, v->key, &l->recorded, &l->expected, &l->err);
	return l;
}

static void doubt(const struct vk_finding_sink *sink, enum vk_finding_code code, const char *message)
{
	vk_finding_say(sink, code, 0, 0, NULL, NULL, "%s", message);
}

/* Whoever owns a folder, or may write to it, can replace what is in it. */
static void check_owner(const struct stat *st, const char *what, const struct vk_finding_sink *sink)
{
	if (st->st_uid != geteuid() && st->st_uid != 0)
		vk_finding_say(sink, VK_F_CAPTURE_WRITABLE, 0, 0, vk_phrase("user %u", (unsigned)st->st_uid).text, NULL,
			       "%s belongs to another user than you or root", what);
}

/* What is asked of ledgers about one capture. */
struct question {
	const char *name; /* of its folder */
	const char *manifest_sha256;
	const struct vk_finding_sink *sink;
};

/*
 * With the lock held. The folder that it lies in (beside) is a store when it has a ledger, had one, or is the one that
 * was named; false when it is none.
 */
static bool ask_beside(const struct ledger *l, const struct stat *beside, bool is_store, const struct question *q,
		       unsigned *ret_by)
{
	if (l->status == VK_ABSENT && !l->expected && !is_store)
		return false;
	if (l->status == VK_ABSENT)
		doubt(q->sink, VK_F_LEDGER_MISSING, "there is no " VK_LEDGER_FILE " in its store");
	else if (l->status != VK_OK)
		vk_finding_say(q->sink, VK_F_LEDGER_DAMAGED, 0, 0, NULL, NULL,
			       "the ledger of its store cannot be read: %s", l->err.what);
	else if (vk_recorded_vouches(&l->recorded, q->name, q->manifest_sha256, q->sink))
		*ret_by |= VK_VOUCHED_LEDGER;
	check_owner(beside, "the store", q->sink);
	if ((beside->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		vk_finding_say(q->sink, VK_F_CAPTURE_WRITABLE, 0, 0,
			       vk_phrase("mode %04o", (unsigned)(beside->st_mode & 07777)).text, NULL,
			       "others may write to the store");
	return true;
}

static enum vk_status ask_ledgers(struct vk_vouching *v, int folder_fd, const struct question *q, unsigned *ret_by,
				  struct vk_error *err)
{
	struct stat folder, beside, store = {.st_ino = 0};
	bool has_store = v->store_fd >= 0 && fstat(v->store_fd, &store) == 0;
	bool in_store;
	int fd = openat(folder_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &beside) != 0) {
		enum vk_status status =
			vk_error_errno(err, errno, q->name, "cannot open the folder of the capture");

		if (fd >= 0)
			close(fd);
		return status;
	}
	in_store = has_store && beside.st_dev == store.st_dev && beside.st_ino == store.st_ino;
	pthread_mutex_lock(&v->lock);
	if (ask_beside(ledger_of(v, fd, &beside), &beside, in_store, q, ret_by)) {
		if (fstat(folder_fd, &folder) == 0)
			check_owner(&folder, "the capture's folder", q->sink);
	} else if (has_store) {
		const struct ledger *l = ledger_of(v, v->store_fd, &store);

		if (l->status == VK_OK && vk_recorded_knows(&l->recorded, q->name, q->manifest_sha256, q->sink))
			*ret_by |= VK_VOUCHED_LEDGER;
	}
	pthread_mutex_unlock(&v->lock);
	close(fd);
	return VK_OK;
}

/* signature.missing, signature.wrong: whether the folder has the key's signature of that text of its manifest. */
static enum vk_status ask_signature(const struct vk_public_key *key, int folder_fd, const char *text, size_t len,
				    const struct vk_finding_sink *sink, unsigned *ret_by, struct vk_error *err)
{
	char *signature = NULL;
	size_t signature_len = 0;
	enum vk_status status = vk_folder_slurp(folder_fd, VK_SIGNATURE_FILE, VK_SIGNATURE_BYTES, &signature,
						&signature_len, err);
	bool fits = status == VK_OK && signature_len == VK_SIGNATURE_BYTES &&
		    vk_signature_fits(key, text, len, (const uint8_t *)signature);

	free(signature);
	if (status != VK_OK && status != VK_ABSENT && status != VK_DAMAGED)
		return status;
	if (fits)
		*ret_by |= VK_VOUCHED_SIGNATURE;
	else if (status == VK_ABSENT)
		doubt(sink, VK_F_SIGNATURE_MISSING, "the capture is not signed");
	else
		doubt(sink, VK_F_SIGNATURE_WRONG,
			    VK_SIGNATURE_FILE " is not a signature of " VK_MANIFEST_FILE " by this key");
	return VK_OK;
}

enum vk_status vk_vouch_folder(struct vk_vouching *v, int folder_fd, const char *path,
			       const struct vk_finding_sink *sink, unsigned *ret_by,
			       char ret_sha256[VK_SHA256_HEX_BYTES], struct vk_error *err)
{
	char *real = realpath(path, NULL);
	const char *slash = real != NULL ? strrchr(real, '/') : NULL;
	struct question q = {.name = slash != NULL ? slash + 1 : path, .manifest_sha256 = ret_sha256, .sink = sink};
	struct vk_error why = {.status = VK_OK};
	enum vk_status status;
	char *text;
	size_t len;

	*ret_by = 0;
	ret_sha256[0] = '\0';
	status = vk_folder_slurp(folder_fd, VK_MANIFEST_FILE, VK_MANIFEST_MAX_BYTES, &text, &len, &why);
	if (status != VK_OK) {
		free(real);
		/* without one there is nothing to vouch for, and that it is missing is for who verifies */
		return status == VK_ABSENT || status == VK_DAMAGED ? VK_OK : (*err = why).status;
	}
	status = vk_digest_bytes(text, len, ret_sha256) ? ask_ledgers(v, folder_fd, &q, ret_by, err)
							: vk_no_memory(err, path);
	if (status == VK_OK && v->key != NULL)
		status = ask_signature(v->key, folder_fd, text, len, q.sink, ret_by, err);
	free(text);
	free(real);
	return status;
}

/* verify: also that its files are what the manifest says. */
static enum vk_status judge(struct vk_vouching *v, const char *path, bool verify, struct vk_verify_cache *cache,
			    const struct vk_finding_sink *sink, unsigned *ret_by, struct vk_error *err)
{
	char sha256[VK_SHA256_HEX_BYTES];
	struct vk_error own = {.status = VK_OK};
	enum vk_status status;
	int fd;

	err = err != NULL ? err : &own;
	*ret_by = 0;
	status = vk_folder_open(path, &fd, err);
	if (status != VK_OK)
		return status;
	if (verify)
		status = vk_verify_folder(fd, path, cache, sink, err);
	if (status == VK_OK)
		status = vk_vouch_folder(v, fd, path, sink, ret_by, sha256, err);
	close(fd);
	return status;
}

enum vk_status vk_vouch(struct vk_vouching *vouching, const char *path, const struct vk_finding_sink *sink,
			unsigned *ret_by, struct vk_error *err)
{
	return judge(vouching, path, false, NULL, sink, ret_by, err);
}

enum vk_status vk_capture_judge(struct vk_vouching *vouching, const char *path, struct vk_verify_cache *cache,
				const struct vk_finding_sink *sink, unsigned *ret_by, struct vk_error *err)
{
	return judge(vouching, path, true, cache, sink, ret_by, err);
}
