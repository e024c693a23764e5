/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The custody ledger of a store: one line of JSON for each event, each with the digest of the line before it.
 *
 * A capture is committed by its line: the folder is whole and flushed under its temporary name, then the line is
 * appended and flushed, then the folder gets its name. So a run that dies leaves either an unrecorded .tmp- folder,
 * which the next one removes, or a recorded whole one, which the next one finishes: ledger and store never contradict
 * each other by accident.
 *
 * ledger.jsonl is canonical JSON, one compact object for each line, keys in the order of docs/json.md. "previous" is
 * the SHA-256 of the line before, without its line end (64 zeros in the first); "signature", the last member, is
 * Ed25519 over the line as it would be without that member. ledger.head names number and digest of a line near the
 * end: it is written behind the ledger and may lag, but never names a line that is not there. Where the head is
 * signed, only who has a key moves it on. Of a ledger that turns out to be shorter than its head says, the numbers go
 * on behind the head's, so that the gap stays visible for ever.
 */
#ifndef VMFSKIT_LEDGER_H
#define VMFSKIT_LEDGER_H

#include "vmfskit/capture.h"
#include "vmfskit/signature.h"
#include "vmfskit/store.h"

__BEGIN_DECLS

#define VK_LEDGER_FILE "ledger.jsonl"
#define VK_LEDGER_HEAD_FILE "ledger.head"

/* E(id, word in the ledger, what it does to the captures it names): add at the end, never rename. */
#define VK_EVENTS(E) \
	E(CAPTURE, "capture", VK_EFFECT_ADDS) \
	E(IMPORT, "import", VK_EFFECT_ADDS) \
	E(UNDO_CAPTURE, "undo-capture", VK_EFFECT_ADDS) \
	E(VERIFY, "verify", 0) \
	E(RESTORE, "restore", VK_EFFECT_ENDS_WRITE) \
	E(UNDO, "undo", VK_EFFECT_ENDS_WRITE) \
	E(PRUNE, "prune", VK_EFFECT_REMOVES) \
	E(PIN, "pin", 0) \
	E(UNPIN, "unpin", 0) \
	E(ABANDON, "abandon", VK_EFFECT_REMOVES) \
	E(REBUILT_CAPTURE, "rebuilt-capture", VK_EFFECT_ADDS) \
	E(REPAIR, "repair", VK_EFFECT_ENDS_WRITE) \
	E(RESTORE_BEGUN, "restore-begun", VK_EFFECT_BEGINS_WRITE)
#define VK_EVENT_ENUM(id, word, effects) VK_EVENT_##id,
enum vk_event_kind { VK_EVENTS(VK_EVENT_ENUM) VK_EVENT_COUNT };
#undef VK_EVENT_ENUM

/*
 * What the caller knows of an event; time, host, user, version and command line are added. Texts are borrowed, NULL
 * where there is nothing to say.
 */
struct vk_event {
	enum vk_event_kind kind;
	const char *const *captures; /* ids it is about */
	size_t capture_count;
	const char *manifest_sha256; /* of the one capture that was added */
	const char *target;          /* of restore, undo, repair, and of restore-begun before each of them: the disk */
	const char *plan;            /* of the same: vk_restore_plan_digest of what is, or was, carried out */
	const char *result;          /* "sound", "3 damaged", "written 4096 bytes", a reason of a pin */
};

/*
 * Append one line, flushed; the head is written anew behind it. Runs of several processes and threads wait for each
 * other (a lock on the ledger, held for the moment). A torn last line of a killed run is cut off first. With a key in
 * the store the line is signed. Errors: VK_IO, VK_NOMEM, VK_DAMAGED (the last line of the ledger cannot be
 * understood: nothing is appended to it).
 */
VK_MUST_USE enum vk_status vk_ledger_append(struct vk_store *store, const struct vk_event *event,
					    struct vk_error *err);

struct vk_ledger_check {
	const struct vk_public_key *public_key; /* NULL: signatures are not asked for */
	const char *anchor; /* file with a head that was kept outside (with its .sig beside it); NULL: none */
	bool lines_only;    /* captures are not compared with what the ledger says of them */
};
/*
 * Compare ledger, head, anchor and the captures of the store with each other; offsets of findings are bytes of the
 * ledger. Does not read the captures' region files: that is vk_capture_verify. ret_lines (may be NULL): how many
 * lines there are. Errors: VK_ABSENT (no store), VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_ledger_verify(const char *store, const struct vk_ledger_check *check,
					    const struct vk_finding_sink *sink, size_t *ret_lines,
					    struct vk_error *err);
/*
 * Whether vk_ledger_anchor can replace file when the work is done; to be asked before it begins. Nothing is changed.
 * A store that is not there yet is none that an old anchor knows. Errors: VK_REFUSED (inside the store; the anchor
 * that is there knows of lines that the store has not), VK_USAGE (no file; a file that is no anchor), VK_IO (its
 * folder is not there or cannot be written to).
 */
VK_MUST_USE enum vk_status vk_ledger_anchor_check(const char *store, const char *file, struct vk_error *err);
/*
 * Copy the head (and its signature) to a file outside of the store, replacing it atomically. Errors: VK_IO,
 * VK_REFUSED (inside the store).
 */
VK_MUST_USE enum vk_status vk_ledger_anchor(struct vk_store *store, const char *file, struct vk_error *err);

__END_DECLS
#endif
