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

__BEGIN_DECLS

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
 *   ledger.capture-unrecorded, ledger.capture-differs, ledger.damaged), and both folders must belong to
 *   root or to this user, the store not be writable for others (capture.writable; of the capture verify tells that);
 * - elsewhere (a copy on a stick): the ledger of the store is asked. Nothing is wrong when it does not know the
 *   capture; that it records another manifest under this name is ledger.capture-differs;
 * - with a key, it must be signed by that key (signature.missing, signature.wrong), wherever it lies.
 * These findings go to sink, and no others: its bytes are not looked at. ret_by is who vouches for it; it means
 * something only when there was no finding. Errors: VK_ABSENT (no folder), VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_vouch(struct vk_vouching *vouching, const char *path, const struct vk_finding_sink *sink,
				    unsigned *ret_by, struct vk_error *err);
/* That and vk_capture_verify in one: all that can be said of a capture. cache may be NULL. */
VK_MUST_USE enum vk_status vk_capture_judge(struct vk_vouching *vouching, const char *path,
					    struct vk_verify_cache *cache, const struct vk_finding_sink *sink,
					    unsigned *ret_by, struct vk_error *err);

/*
 * What findings of a judgement leave of a capture's word, as bits; 0: it may be believed in all it says. Whoever asks
 * captures about a disk goes by these and has no list of codes of its own. To accuse a disk takes a capture without
 * any; of one that is only incomplete what it has is true, and what it lacks says nothing.
 */
enum vk_capture_flaw {
	VK_FLAW_BROKEN = 1,     /* its bytes are not what was saved */
	VK_FLAW_UNTRUSTED = 2,  /* they may not be what was saved: ledger, signature or place speak against it */
	VK_FLAW_EXPOSED = 4,    /* the same: others could have written to it */
	VK_FLAW_INCOMPLETE = 8, /* the disk was damaged, or not read whole, when it was taken */
	VK_FLAW_EXTRA = 16,     /* something lies in it that it did not come with */
	VK_FLAW_DOUBT = VK_FLAW_UNTRUSTED | VK_FLAW_EXPOSED
};
unsigned vk_finding_flaw(enum vk_finding_code code);
unsigned vk_findings_flaws(const struct vk_findings *findings);
/* A sink that gathers the flaws of what is put into it; *flaws begins as 0 and must outlive it. */
struct vk_finding_sink vk_flaws_sink(unsigned *flaws);

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

__END_DECLS
#endif
