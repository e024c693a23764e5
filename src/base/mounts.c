/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted; proc(5) has the format of its lines. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/mounts.h"

void vk_unescape_octal(char *text)
{
	char *out = text;

	for (const char *p = text; *p != '\0'; p++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' &&
		    p[3] <= '7') {
			*out++ = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
			p += 3;
		} else {
			*out++ = *p;
		}
	}
	*out = '\0';
}

struct vk_mounts vk_mounts_begin(void)
{
	return (struct vk_mounts){.file = fopen("/proc/self/mountinfo", "re")};
}

/* Number, parent, device, root, place, options, any more of them, a lone dash, type, source, options. */
static bool split(struct vk_mounts *m)
{
	char *fields[6] = {NULL}, *rest = m->line, *end = strstr(m->line, " - "), *source;
	unsigned major_number, minor_number;

	if (end == NULL)
		return false;
	*end = '\0';
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		fields[i] = strsep(&rest, " ");
	rest = end + 3;
	(void)strsep(&rest, " ");
	source = strsep(&rest, " \n");
	if (fields[4] == NULL || source == NULL || sscanf(fields[2], "%u:%u", &major_number, &minor_number) != 2)
		return false;
	vk_unescape_octal(fields[4]);
	vk_unescape_octal(source);
	m->device = makedev(major_number, minor_number);
	m->place = fields[4];
	m->source = source;
	return true;
}

bool vk_mounts_next(struct vk_mounts *m)
{
	while (m->file != NULL && getline(&m->line, &m->cap, m->file) > 0)
		if (split(m))
			return true;
	if (m->file != NULL)
		fclose(m->file);
	free(m->line);
	*m = (struct vk_mounts){.file = NULL};
	return false;
}

dev_t vk_mounts_source_device(const struct vk_mounts *m)
{
	struct stat st;

	return m->source[0] == '/' && stat(m->source, &st) == 0 && S_ISBLK(st.st_mode) ? st.st_rdev : 0;
}
