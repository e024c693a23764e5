/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings: what the checks say about decoded bytes. Every verb speaks in findings, so that a person and a
 * script learn one vocabulary. The codes (finding_codes.h) are stable: they may be added to, and one that says
 * what another says may be merged with it, but none is renamed or reused.
 */
#ifndef VMFSKIT_FINDING_H
#define VMFSKIT_FINDING_H

#include <stddef.h>
#include <stdint.h>

#include "vmfskit/error.h"
#include "vmfskit/finding_codes.h"

__BEGIN_DECLS

/* Warnings and errors make a command exit 1; information does not. */
enum vk_severity { VK_INFO, VK_WARNING, VK_ERROR };

#define VK_FINDING_ENUM(id, code, severity, why, remedy) VK_F_##id,
enum vk_finding_code { VK_FINDING_CODES(VK_FINDING_ENUM) VK_F_COUNT };
#undef VK_FINDING_ENUM

/* What is known of a code without a disk at hand. Static texts. */
struct vk_finding_kind {
	const char *code;
	enum vk_severity severity;
	const char *why;
	const char *remedy;
};
const struct vk_finding_kind *vk_finding_kind(enum vk_finding_code code);
const char *vk_severity_name(enum vk_severity severity); /* "info", "warning", "error" */

/* One finding: a plain value. offset_bytes and length_bytes are in the source that was looked at. */
struct vk_finding {
	enum vk_finding_code code;
	uint64_t offset_bytes;
	uint64_t length_bytes; /* 0: no byte range belongs to it */
	uint32_t fd;           /* in a file system: address of the descriptor of the file that it hits; 0: none */
	char seen[120];        /* what stands there; empty where it makes no sense */
	char expected[120];
	char message[240];     /* one sentence, specific to this place */
};

/*
 * Where checks put their findings. A check is told the offset of its structure and speaks of offsets in the
 * coordinates of that offset.
 */
struct vk_finding_sink {
	void (*put)(void *ctx, const struct vk_finding *finding);
	void *ctx;
};

/* A finding without seen and expected; returns a value to be completed with the two calls below. */
void vk_finding_init(struct vk_finding *finding, enum vk_finding_code code, uint64_t offset_bytes,
		     uint64_t length_bytes, const char *message, ...)
	__attribute__((format(printf, 5, 6)));
void vk_finding_seen(struct vk_finding *finding, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void vk_finding_expected(struct vk_finding *finding, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void vk_finding_put(const struct vk_finding_sink *sink, const struct vk_finding *finding);
/* All of it in one call; seen and expected may be NULL. */
void vk_finding_say(const struct vk_finding_sink *sink, enum vk_finding_code code, uint64_t offset_bytes,
		    uint64_t length_bytes, const char *seen, const char *expected, const char *message, ...)
	__attribute__((format(printf, 7, 8)));
/* A few words to be named in the arguments of such a call: vk_phrase("%u", n).text lives as long as the statement. */
struct vk_phrase {
	char text[120];
};
struct vk_phrase vk_phrase(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A growing list of findings, for callers that keep them. Start with all zero; free with vk_findings_free. */
struct vk_findings {
	struct vk_finding *items;
	size_t count;
	size_t dropped; /* findings that no memory could be had for, or beyond VK_FINDINGS_MAX */
	enum vk_severity dropped_worst; /* the gravest of them */
};
enum { VK_FINDINGS_MAX = 4096 };
void vk_findings_add(struct vk_findings *list, const struct vk_finding *finding);
struct vk_finding_sink vk_findings_sink(struct vk_findings *list);
/* vk_finding_say into such a list. */
#define VK_FINDINGS_SAY(list, ...) \
	do { \
		const struct vk_finding_sink to_list = vk_findings_sink(list); \
		vk_finding_say(&to_list, __VA_ARGS__); \
	} while (0)
/* Whether the list holds a warning or an error (exit 1), or an error. */
int vk_findings_bad(const struct vk_findings *list);
int vk_findings_errors(const struct vk_findings *list);
/* How many structures are not, or not wholly, in the source: no fault of the disk, and no proof of anything either. */
size_t vk_findings_absent(const struct vk_findings *list);
/* Whether it holds a finding of this code at this byte: the same one, when two states of one source are compared. */
bool vk_findings_have(const struct vk_findings *list, enum vk_finding_code code, uint64_t offset_bytes);
void vk_findings_free(struct vk_findings *list);

__END_DECLS
#endif
