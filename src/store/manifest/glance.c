/* SPDX-License-Identifier: Apache-2.0 */
/* The few lines of a manifest that tell whose capture it is, found without reading all of its JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/folder/folder.h"
#include "store/manifest/glance.h"
#include "store/manifest/manifest.h"
#include "store/folder/reader.h"

/* Text values: under which key of the top level they stand ("" for the top level itself), and how their lines begin. */
#define VALUE(section, begins, member) {section, begins, sizeof(begins) - 1, offsetof(struct vk_glance, member)}
static const struct {
	const char *section;
	const char *begins;
	size_t len; /* of begins */
	size_t at;  /* in struct vk_glance */
} values[] = {
	VALUE("", " \"id\": \"", id),
	VALUE("", " \"purpose\": \"", purpose),
	VALUE("", " \"time\": \"", time),
	VALUE("", " \"ended\": \"", ended),
	VALUE("", " \"host\": \"", host),
	VALUE(" \"source\": {", "  \"path\": \"", path),
	VALUE(" \"source\": {", "  \"kind\": \"", kind),
	VALUE(" \"device\": {", "  \"serial\": \"", serial),
	VALUE(" \"device\": {", "  \"wwid\": \"", wwid),
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
		size_t len = values[i].len;
		char *end;

		/* most differ there; a line that gets here has that byte */
		if (line[2] != values[i].begins[2] || strncmp(line, values[i].begins, len) != 0 ||
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

/* To compare, not to prove: eight bytes at a time. */
static void add_content(struct vk_glance *glance, const char *line, size_t len)
{
	for (size_t n; len > 0; line += n, len -= n) {
		uint64_t part = 0;

		n = len < sizeof(part) ? len : sizeof(part);
		memcpy(&part, line, n);
		glance->content = (glance->content ^ part ^ n) * 0x100000001b3;
		glance->content ^= glance->content >> 29;
	}
}

/* What a restore would write: size, regions with their digests, and what could not be read. */
static bool is_content(const char *section)
{
	return begins_with(section, " \"source\"") || begins_with(section, " \"regions\"") ||
	       begins_with(section, " \"unreadable\"");
}

static void take_lines(struct vk_glance *glance, char *text)
{
	const char *section = "";
	bool content = false, ticks = false; /* ticks: this region is one of heartbeats */

	for (char *line = text, *next; line != NULL; line = next) {
		size_t len = (size_t)(strchrnul(line, '\n') - line);

		next = line[len] == '\n' ? line + len + 1 : NULL;
		line[len] = '\0';
		if (line[0] != ' ')
			continue;
		if (line[1] == '"') {
			section = line;
			content = is_content(section);
		}
		/* most lines are deeper than any value */
		if ((line[1] == '"' || (line[1] == ' ' && line[2] == '"')) && take_value(glance, section, line))
			continue;
		if (!content)
			continue;
		if (begins_with(line, "  {"))
			ticks = false;
		ticks = ticks || begins_with(line, "   \"part\": \"heartbeats\"");
		if (!ticks || !begins_with(line, "   \"sha256\": "))
			add_content(glance, line, len);
	}
}

/* Copy the values out of the text: of thousands of manifests nothing else stays in memory. */
static enum vk_status keep_values(struct vk_glance *glance, struct vk_error *err)
{
	size_t bytes = 0;
	char *to;

	for (size_t i = 0; i < VALUES; i++) {
		if (*member(glance, i) == NULL)
			return vk_error_set(err, VK_DAMAGED, VK_MANIFEST_FILE,
					    "the manifest is not laid out as vmfskit writes it");
		bytes += strlen(*member(glance, i)) + 1;
	}
	to = glance->text = malloc(bytes);
	if (to == NULL)
		return vk_no_memory(err, VK_MANIFEST_FILE);
	for (size_t i = 0; i < VALUES; i++) {
		const char **value = member(glance, i);

		bytes = strlen(*value) + 1;
		*value = memcpy(to, *value, bytes);
		to += bytes;
	}
	return VK_OK;
}

enum vk_status vk_glance_take(char *text, struct vk_glance *ret_glance, struct vk_error *err)
{
	struct vk_glance glance = {.content = 0xcbf29ce484222325};
	enum vk_status status;

	take_lines(&glance, text);
	/* older versions did not tell when a capture ended */
	if (glance.ended == NULL)
		glance.ended = glance.time;
	status = keep_values(&glance, err);
	if (status == VK_OK)
		*ret_glance = glance;
	return status;
}

enum vk_status vk_glance_read(int store_fd, const char *id, struct vk_glance *ret_glance, struct vk_error *err)
{
	char file[VK_CAPTURE_ID_BYTES + sizeof(VK_MANIFEST_FILE)];
	char *text;
	size_t len;
	enum vk_status status;

	snprintf(file, sizeof(file), "%s/" VK_MANIFEST_FILE, id);
	status = vk_folder_slurp(store_fd, file, VK_MANIFEST_MAX_BYTES, &text, &len, err);
	if (status != VK_OK)
		return status;
	status = vk_glance_take(text, ret_glance, err);
	free(text);
	return status;
}

void vk_glance_free(struct vk_glance *glance)
{
	free(glance->text);
	memset(glance, 0, sizeof(*glance));
}
