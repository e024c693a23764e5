/* SPDX-License-Identifier: Apache-2.0 */
/* The table of messages, and when each of them counts. */
#ifndef VK_EXPLAIN_MESSAGES_H
#define VK_EXPLAIN_MESSAGES_H

#include "vmfskit/explain.h"

enum vk_explain_place {
	VK_IN_A_LOG,	/* anywhere in a line; it names its subject itself */
	VK_A_LINE,	/* a whole line, or its beginning, of the output of a tool */
	VK_OPENS_BLOCK, /* the same: what follows speaks of its subject until an empty
                     line, or the next one */
	VK_IN_BLOCK,	/* a line of such a block: what it names is added to the subject,
                  and its own is that */
	VK_NO_TABLE,	/* geometry behind the word unknown: output of partedUtil */
	VK_TABLE_ROW,	/* behind label and geometry */
	VK_EXTENT_ROW	/* behind the head of esxcli storage vmfs extent list */
};
struct vk_explain_message {
	const char *form; /* as in match.h */
	const char *code;
	enum vk_explain_weight weight;
	const char *means, *next;
};
struct vk_explain_row {
	enum vk_explain_place place;
	struct vk_explain_message message;
};
extern const struct vk_explain_row vk_explain_rows[]; /* of the same first byte the first that fits counts */
extern const size_t vk_explain_row_count;

#endif
