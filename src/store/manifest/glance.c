/* SPDX-License-Identifier: Apache-2.0 */
/* The few lines of a manifest that tell whose capture it is, found without reading all of its JSON. */
#include <stdlib.h>
#include <string.h>

#include "store/folder/folder.h"
#include "store/manifest/glance.h"
#include "store/manifest/manifest.h"
#include "store/folder/reader.h"

/* Text values: under which key of the top level they stand ("" for the top level itself), and how their lines begin. */
static const struct {
	const char *section;
	const char *begins;
	size_t at; /* in struct vk_glance */
} values[] = {
	{"", " \"id\": \"", offsetof(struct vk_glance, id)},
	{"", " \"purpose\": \"", offsetof(struct vk_glance, purpose)},
	{"", " \"time\": \"", offsetof(struct vk_glance, time)},
	{"", " \"ended\": \"", offsetof(struct vk_glance, ended)},
	{"", " \"host\": \"", offsetof(struct vk_glance, host)},
	{" \"source\": {", "  \"path\": \"", offsetof(struct vk_glance, path)},
	{" \"source\": {", "  \"kind\": \"", offsetof(struct vk_glance, kind)},
	{" \"device\": {", "  \"serial\": \"", offsetof(struct vk_glance, serial)},
	{" \"device\": {", "  \"wwid\": \"", offsetof(struct vk_glance, wwid)},
};
enum { VALUES = sizeof(values) / sizeof(values[0]) };

static bool begins_with(const char *line, const char *prefix)
{
	return strncmp(line, prefix, strlen(prefix)) == 0;
}

static const char **member(struct vk_glance *glance, size_t i)
{
	return (const char **)(void *)((char *)glance + values[i].at);
}

/* The line, which ends with NUL, may be one of the values. Its closing quote becomes a NUL. */
static bool take_value(struct vk_glance *glance, const char *section, char *line)
{
	for (size_t i = 0; i < VALUES; i++) {
		size_t len = strlen(values[i].begins);
		char *end;

		if (!begins_with(line, values[i].begins) ||
		    (values[i].section[0] != '\0' && strcmp(section, values[i].section) != 0))
			continue;
		end = strrchr(line + len, '"');
		if (end != NULL)
			*end = '\0';
		/* what could steer a terminal is no text of a manifest */
		if (vk_text_printable(line + len))
			*member(glance, i) = line + len;
		return true;
	}
	return false;
}

/* FNV-1a. */
static void add_content(struct vk_glance *glance, const char *line)
{
	for (; *line != '\0'; line++)
		glance->content = (glance->content ^ (uint8_t)*line) * 0x100000001b3;
}

/* What a restore would write: size, regions with their digests, and what could not be read. */
static bool is_content(const char *section)
{
	return begins_with(section, " \"source\"") || begins_with(section, " \"regions\"") ||
	       begins_with(section, " \"unreadable\"");
}

static void take_lines(struct vk_glance *glance)
{
	const char *section = "";
	bool ticks = false; /* this region is one of heartbeats */

	for (char *line = glance->text, *next; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (begins_with(line, " \""))
			section = line;
		if (take_value(glance, section, line) || !is_content(section))
			continue;
		if (begins_with(line, "  {"))
			ticks = false;
		ticks = ticks || begins_with(line, "   \"part\": \"heartbeats\"");
		if (!ticks || !begins_with(line, "   \"sha256\": "))
			add_content(glance, line);
	}
}

enum vk_status vk_glance_read(int folder_fd, struct vk_glance *ret_glance, struct vk_error *err)
{
	struct vk_glance glance = {.content = 0xcbf29ce484222325};
	size_t len;
	enum vk_status status =
		vk_folder_slurp(folder_fd, VK_MANIFEST_FILE, VK_MANIFEST_MAX_BYTES, &glance.text, &len, err);

	if (status != VK_OK)
		return status;
	take_lines(&glance);
	/* older versions did not tell when a capture ended */
	if (glance.ended == NULL)
		glance.ended = glance.time;
	for (size_t i = 0; i < VALUES; i++) {
		if (*member(&glance, i) != NULL)
			continue;
		vk_glance_free(&glance);
		return vk_error_set(err, VK_DAMAGED, VK_MANIFEST_FILE,
				    "the manifest is not laid out as vmfskit writes it");
	}
	*ret_glance = glance;
	return VK_OK;
}

void vk_glance_free(struct vk_glance *glance)
{
	free(glance->text);
	memset(glance, 0, sizeof(*glance));
}
