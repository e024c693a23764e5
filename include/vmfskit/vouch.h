/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who vouches for a capture. That its files fit its manifest (vk_capture_verify) is arranged by anybody who can write
 * to it. That the manifest is the one that was saved, only the ledger of its store and a signature tell, and only
 * where nobody else can write. Whoever goes by what a capture says asks here first.
 */
#ifndef VMFSKIT_VOUCH_H
#define VMFSKIT_VOUCH_H

#include "vmfskit/capture.h"
#include "vmfskit/signature.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What one run knows: the store and the key that it was told, and the ledgers that it has read, each once, when it is
 * first asked for. So the captures to be judged must be known (vk_store_list, vk_capture_open) before the first
 * question. Safe for use by several threads. store is opened here; key is borrowed and may be NULL. NULL when memory
 * ran out. Free with vk_vouching_free (NULL is allowed).
 */
struct vk_vouching;
struct vk_vouching *vk_vouching_new(const char *store, const struct vk_public_key *key);
void vk_vouching_free(struct vk_vouching *vouching);

/* Who does, bits; 0: nobody but the capture itself. */
enum { VK_VOUCHED_LEDGER = 1, VK_VOUCHED_SIGNATURE = 2 };

/*
 * The capture in the folder at path:
 * - in a folder with a ledger, or in the store: the ledger must record the manifest as it is (ledger.missing,
 *   ledger.capture-unrecorded, ledger.capture-differs, ledger.line-altered, ledger.damaged), and both folders must belong to
 *   root or to this user, the store not be writable for others (capture.writable; of the capture verify tells that);
 * - elsewhere (a copy on a stick): the ledger of the store is asked. Nothing is wrong when it does not know the capture; that
 *   it records another manifest under this name is ledger.capture-differs;
 * - with a key, it must be signed by that key (signature.missing, signature.wrong), wherever it lies.
 * These findings go to sink, and no others: its bytes are not looked at. ret_by is who vouches for it; it means something
 * only when there was no finding. Errors: VK_ABSENT (no folder), VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_vouch(struct vk_vouching *vouching, const char *path, const struct vk_finding_sink *sink,
				    unsigned *ret_by, struct vk_error *err);
/* That and vk_capture_verify in one: all that can be said of a capture. cache may be NULL. */
VK_MUST_USE enum vk_status vk_capture_judge(struct vk_vouching *vouching, const char *path,
					    struct vk_verify_cache *cache, const struct vk_finding_sink *sink,
					    unsigned *ret_by, struct vk_error *err);
/* A finding that says nothing of the bytes of a capture, but that they may not be what was saved. */
bool vk_finding_is_doubt(enum vk_finding_code code);

/*
 * Judge an open capture, and keep its regions: all through one descriptor of its folder, against the manifest that
 * the capture was opened with. Each region is read once more, into memory, and digested in that very read, so that
 * what is taken from the capture afterwards (vk_capture_io, vk_capture_region, vk_capture_source) are the bytes that
 * were judged, whatever becomes of its files. Findings as of vk_capture_judge. Holes and zeros take no memory; errors
 * as there, and VK_UNSUPPORTED: it holds more than VK_HELD_MAX_BYTES of other bytes. What is missing in it is absent
 * then.
 */
enum { VK_HELD_MAX_BYTES = 1 << 30 };
VK_MUST_USE enum vk_status vk_capture_hold(struct vk_capture *capture, struct vk_vouching *vouching,
					   const struct vk_finding_sink *sink, unsigned *ret_by, struct vk_error *err);

#ifdef __cplusplus
}
#endif
#endif
