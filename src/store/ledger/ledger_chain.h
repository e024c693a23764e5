/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a chain of lines: a judgement of numbers and digests alone, without files. */
#ifndef VK_STORE_LEDGER_CHAIN_H
#define VK_STORE_LEDGER_CHAIN_H

#include "store/ledger/ledger_lines.h"

enum { VK_CHAIN_DIGEST_BYTES = 32 };

struct vk_chain_line {
	uint64_t seq; /* 0: the line cannot be understood */
	uint64_t offset_bytes;
	uint8_t digest[VK_CHAIN_DIGEST_BYTES];
	uint8_t previous[VK_CHAIN_DIGEST_BYTES];
	uint32_t length_bytes;
	enum vk_event_kind kind;
	bool is_signed;
	bool signature_fits; /* when there was a key to ask */
	/* filled by vk_chain_judge */
	bool is_linked;
	bool is_genuine; /* has its place in the ledger; the others were put in */
	bool is_altered;
};

/* A line that is known from elsewhere: from the head or an anchor. */
struct vk_chain_mark {
	uint64_t seq; /* 0: none */
	uint8_t digest[VK_CHAIN_DIGEST_BYTES];
};

struct vk_chain {
	struct vk_chain_line *lines; /* as they stand in the file */
	size_t count;
	struct vk_chain_mark head;
	struct vk_chain_mark anchor;
	/* filled by vk_chain_judge */
	uint32_t *order; /* the genuine ones by number; free it */
	size_t order_count;
};

void vk_chain_digest(const char *hex, uint8_t ret_digest[VK_CHAIN_DIGEST_BYTES]);
/*
 * Which lines are genuine, and ledger.line-removed, -altered, -inserted, -moved. Time n log n whatever the lines say.
 * VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_chain_judge(struct vk_chain *chain, const struct vk_finding_sink *sink,
					  struct vk_error *err);
/* The genuine line of that number, NULL when there is none. */
struct vk_chain_line *vk_chain_find(const struct vk_chain *chain, uint64_t seq);
/* How a mark lies to the chain. */
enum vk_chain_fit {
	VK_CHAIN_FITS,   /* that line is there, or is the one that was altered or removed here */
	VK_CHAIN_BEYOND, /* behind the last line */
	VK_CHAIN_LAST,   /* it names the last line, but not as it is: either may be the altered one */
	VK_CHAIN_OTHER   /* it names a line that was never in this chain */
};
enum vk_chain_fit vk_chain_fit(const struct vk_chain *chain, const struct vk_chain_mark *mark);

#endif
