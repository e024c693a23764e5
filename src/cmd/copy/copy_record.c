/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit cp: what was copied, for those who read it now and later. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/copy/copy.h"
#include "base/shown.h"

enum { RANGES_SHOWN = 10 };

static void report_missing(const struct vk_copy *copy, const struct vk_copied *c)
{
	FILE *out = copy->files.cmd.call->err;
	const char *said = copy->absent_said != NULL ? copy->absent_said : "not in the source";
	uint64_t absent = 0;

	for (size_t i = 0; i < c->missing_count; i++)
		absent += c->missing[i].absent ? c->missing[i].length_bytes : 0;
	fprintf(out, "%s: %s: %s missing: ", copy->files.cmd.call->program->name, vk_shown_name(c->path).text,
		vk_shown_size(c->missing_bytes).text);
	if (absent > 0)
		fprintf(out, "%s %s%s", vk_shown_size_short(absent).text, said, absent < c->missing_bytes ? ", " : "");
	if (absent < c->missing_bytes)
		fprintf(out, "%s cannot be read", vk_shown_size_short(c->missing_bytes - absent).text);
	fprintf(out, "; what there is of it is in %s, the map of it beside it in " VK_COPY_MAP "\n",
		vk_shown_name(c->dest).text);
	if (copy->ranges_told)
		return;
	for (size_t i = 0; i < c->missing_count && i < RANGES_SHOWN; i++)
		fprintf(out, "  bytes %llu to %llu: %s\n", (unsigned long long)c->missing[i].file_offset,
			(unsigned long long)(c->missing[i].file_offset + c->missing[i].length_bytes - 1),
			c->missing[i].absent ? said : "cannot be read");
	if (c->missing_count > RANGES_SHOWN)
		fprintf(out, "  and %zu more ranges\n", c->missing_count - RANGES_SHOWN);
}

/* coreutils: a name with a backslash or a line feed is escaped, and the line says so. */
static void put_sum(const struct vk_copy *copy, const struct vk_copied *c)
{
	if (copy->sums.out == NULL || c->sha256[0] == '\0')
		return;
	fprintf(copy->sums.out, "%s%s  ", strpbrk(c->dest, "\\\n\r") != NULL ? "\\" : "", c->sha256);
	for (const char *p = c->dest; *p != '\0'; p++) {
		if (*p == '\\' || *p == '\n' || *p == '\r')
			fprintf(copy->sums.out, "\\%c", *p == '\\' ? '\\' : *p == '\n' ? 'n' : 'r');
		else
			fputc(*p, copy->sums.out);
	}
	fputc('\n', copy->sums.out);
}

bool vk_copy_record(struct vk_copy *copy, struct vk_copied *c, const char *path, const char *dest,
		    struct vk_extract *extract)
{
	const bool whole = !copy->stopped && extract->missing_count == 0;

	c->whole = whole;
	c->path = strdup(path);
	if (asprintf(&c->dest, "%s%s", dest, whole ? "" : VK_COPY_PART) < 0)
		c->dest = NULL;
	c->missing = extract->missing;
	c->missing_count = extract->missing_count;
	c->missing_bytes = extract->missing_bytes;
	c->zero_bytes += extract->zero_bytes;
	extract->missing = NULL;
	extract->missing_count = 0;
	if (c->path == NULL || c->dest == NULL ||
	    vk_append(&copy->copied, &copy->count, c, sizeof(*c)) == NULL) {
		free(c->path);
		free(c->dest);
		free(c->missing);
		return vk_cmd_no_memory(&copy->files.cmd);
	}
	if (c->missing_count > 0 && !copy->stopped) {
		report_missing(copy, c);
		(void)vk_cmd_ok(&copy->files.cmd, VK_EXIT_FINDINGS);
	}
	put_sum(copy, c);
	return whole;
}

void vk_copy_leave_out(struct vk_copy *copy, const char *path, const char *why)
{
	fprintf(copy->files.cmd.call->err, "%s: %s is left out: %s\n", copy->files.cmd.call->program->name,
		vk_shown_name(path).text, why);
	copy->left_out++;
	(void)vk_cmd_ok(&copy->files.cmd, VK_EXIT_FINDINGS);
}
