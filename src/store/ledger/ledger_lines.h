/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger inside the library: its lines and head, as bytes and as values. */
#ifndef VK_STORE_LEDGER_LINES_H
#define VK_STORE_LEDGER_LINES_H

#include <stdio.h>

#include "vmfskit/ledger.h"

#define VK_LEDGER_HEAD_SIG VK_LEDGER_HEAD_FILE ".sig"
#define VK_LEDGER_HEAD_SCHEMA "vmfskit.ledger-head/1"
#define VK_LEDGER_ORIGIN "0000000000000000000000000000000000000000000000000000000000000000" /* before the first line */

/* No line that is written comes near these; the files may be anyone's. */
enum {
	VK_LEDGER_LINE_MAX = 256 << 10,    /* bytes */
	VK_LEDGER_LINES_MAX = 2000000,     /* in one ledger that is verified: a thousand each night for five years */
	VK_LEDGER_LINE_CAPTURES = 1000,    /* an event about more of them takes several lines */
	VK_LEDGER_COMMAND_BYTES = 2000,
	VK_LEDGER_TARGET_BYTES = 4096,
	VK_LEDGER_RESULT_BYTES = 400,
	VK_LEDGER_HEAD_MAX = 1024
};
#define VK_LEDGER_SEQ_MAX ((uint64_t)1 << 53)

struct vk_ledger_line {
	uint64_t seq;
	enum vk_event_kind kind; /* VK_EVENT_COUNT: one that a newer version writes */
	char time[32];
	char previous[VK_SHA256_HEX_BYTES];
	char manifest_sha256[VK_SHA256_HEX_BYTES]; /* empty: it has none */
	char **captures;                           /* ends with NULL; NULL: none; printable */
	bool is_signed;
	uint8_t signature[VK_SIGNATURE_BYTES];
	size_t body_len; /* the line without the signature are this many of its bytes and "}" */
};

/* "capture", ... */
const char *vk_event_word(enum vk_event_kind kind);
/* What an event does to the captures it names; none for one that a newer version writes. */
enum {
	VK_EFFECT_ADDS = 1,         /* they enter the store */
	VK_EFFECT_REMOVES = 2,      /* they leave it */
	VK_EFFECT_BEGINS_WRITE = 4, /* a write to a disk begins: what is written, and the undo capture last */
	VK_EFFECT_ENDS_WRITE = 8    /* and how it ended */
};
unsigned vk_event_effects(enum vk_event_kind kind);

/*
 * One line without its line end. VK_DAMAGED (none that vmfskit writes: also when only its spelling is another),
 * VK_NOMEM. Free ret_line with vk_ledger_line_free, also after a failure.
 */
VK_MUST_USE enum vk_status vk_ledger_line_read(const char *text, size_t len, struct vk_ledger_line *ret_line,
					       struct vk_error *err);
void vk_ledger_line_free(struct vk_ledger_line *line);
/* Whether the line's signature is this key's. text and len as they were read. */
VK_MUST_USE bool vk_ledger_line_fits(const struct vk_ledger_line *line, const char *text, size_t len,
				     const struct vk_public_key *key);
/*
 * The line, with its line end, of captures from .. from+count of the event. place has its number, time and previous;
 * key may be NULL. Free ret_text.
 */
VK_MUST_USE enum vk_status vk_ledger_line_write(const struct vk_event *event, size_t from, size_t count,
						const struct vk_ledger_line *place, const char *const *command,
						const struct vk_sign_key *key, char **ret_text, size_t *ret_len,
						struct vk_error *err);

/* What a head says. Plain value. */
struct vk_ledger_head {
	uint64_t seq; /* 0: there is none */
	char sha256[VK_SHA256_HEX_BYTES];
	char time[32]; /* of that line */
	char text[VK_LEDGER_HEAD_MAX]; /* as it is in the file */
	size_t len;
	bool is_signed;
	uint8_t signature[VK_SIGNATURE_BYTES];
	bool odd_signature; /* a signature file that is none */
};
/* The one text of a head with these values; returns its length. */
size_t vk_ledger_head_text(uint64_t seq, const char *sha256, const char *time, char ret_text[VK_LEDGER_HEAD_MAX]);
/* Fill seq, sha256 and time from text and len; VK_DAMAGED, VK_NOMEM. file names it in errors. */
VK_MUST_USE enum vk_status vk_ledger_head_parse(const char *file, struct vk_ledger_head *head, struct vk_error *err);
/* VK_ABSENT, VK_DAMAGED (not what vmfskit writes), VK_IO. folder_fd may be AT_FDCWD; sig_file may be missing. */
VK_MUST_USE enum vk_status vk_ledger_head_read(int folder_fd, const char *file, const char *sig_file,
					       struct vk_ledger_head *ret_head, struct vk_error *err);
/* The head that was kept outside, with its signature beside it. VK_IO (not there either), VK_USAGE (not a head). */
VK_MUST_USE enum vk_status vk_ledger_anchor_read(const char *file, struct vk_ledger_head *ret_head,
						 struct vk_error *err);

/* Lines of an open file, one after the other. */
struct vk_ledger_scan {
	FILE *in;
	char *buf;
	uint64_t offset; /* in the file, of the next line */
};
struct vk_ledger_span {
	uint64_t offset;
	const char *text; /* borrowed until the next call; NUL is behind it */
	size_t len;       /* without the line end */
	bool is_torn;     /* the file ends without a line end behind it */
	bool is_too_long; /* text is empty then */
};
/* fd is borrowed; its position moves. Close also after a failure. */
VK_MUST_USE enum vk_status vk_ledger_scan_open(int fd, struct vk_ledger_scan *ret_scan, struct vk_error *err);
/* False at the end, or when reading failed (status of err then not VK_OK). */
VK_MUST_USE bool vk_ledger_scan_next(struct vk_ledger_scan *scan, struct vk_ledger_span *ret_span,
				     struct vk_error *err);
void vk_ledger_scan_close(struct vk_ledger_scan *scan);

/* Open the ledger of a store for reading, with a lock that keeps writers away where the file system can do that. */
VK_MUST_USE enum vk_status vk_ledger_open(int store_fd, int *ret_fd, struct vk_error *err);

/*
 * Whether the signature beside the head is that of the head, or of the head of a line behind it: a run that died
 * between signature and head left it so.
 */
VK_MUST_USE bool vk_ledger_head_signed(int ledger_fd, const struct vk_ledger_head *head,
				       const struct vk_public_key *key);

#endif
