/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of a history, one a line. */
#include <string.h>

#include "lab/history/life.h"
#include "vmfskit/text.h"

/* A size or an offset of a script. */
static bool take_size(char **line, uint64_t *ret_size)
{
	char *word = strsep(line, " ");

	return word != NULL && vk_text_parse_size(word, ret_size) != 0;
}

static enum vk_status script_create(struct vk_life *life, const char *path, char *line, bool reuse)
{
	static const struct {
		const char *word;
		enum vk_lab_stored stored;
	} stored[] = {{"resident", VK_LAB_RESIDENT}, {"sub-block", VK_LAB_SUB_BLOCK}, {"block", VK_LAB_BLOCK},
		      {"pointer-block", VK_LAB_POINTER_BLOCK}};
	enum vk_lab_stored how = VK_LAB_AUTO;
	bool thick = false, thin = false;
	uint64_t size = 0, id = life->record.count;
	enum vk_status status;

	if (line != NULL && !take_size(&line, &size))
		return vk_error_set(life->err, VK_USAGE, path, "its size is missing");
	for (char *word; (word = strsep(&line, " ")) != NULL;) {
		thick = thick || strcmp(word, "thick") == 0;
		thin = thin || strcmp(word, "thin") == 0;
		for (size_t i = 0; i < sizeof(stored) / sizeof(stored[0]); i++)
			if (strcmp(word, stored[i].word) == 0)
				how = stored[i].stored;
	}
	life->from = reuse ? VK_LIFE_FREED : VK_LIFE_NEXT;
	status = vk_life_create(life, path, VK_FILE_ORDINARY, size, how, thick);
	return status == VK_OK && !thick && !thin ? vk_life_write(life, id, 0, size) : status;
}

/* Of a file that is there. */
static enum vk_status script_change(struct vk_life *life, const char *verb, uint64_t id, char *line)
{
	uint64_t a = 0, b = 0;

	if (strcmp(verb, "delete") == 0)
		return vk_life_delete(life, id);
	if (strcmp(verb, "rename") == 0 && line != NULL)
		return vk_life_rename(life, id, line);
	if (strcmp(verb, "write") == 0 && take_size(&line, &a) && take_size(&line, &b))
		return vk_life_write(life, id, a, b);
	if (strcmp(verb, "resize") == 0 && take_size(&line, &a))
		return vk_life_resize(life, id, a);
	return vk_error_set(life->err, VK_USAGE, NULL, "\"%s\" is no step of a history, or a word of it is missing",
			    verb);
}

enum vk_status vk_life_script_line(struct vk_life *life, char *line)
{
	char *verb, *path;
	const struct vk_life_file *file;
	enum vk_status status;

	line[strcspn(line, "\n")] = '\0';
	if (*line == '\0' || *line == '#')
		return VK_OK;
	verb = strsep(&line, " ");
	path = strsep(&line, " ");
	if (path == NULL)
		return vk_error_set(life->err, VK_USAGE, NULL, "\"%s\": the path is missing", verb);
	status = vk_life_moment(life, verb, path);
	if (status != VK_OK)
		return status;
	if (strcmp(verb, "folder") == 0)
		return vk_life_create(life, path, VK_FILE_FOLDER, 0, VK_LAB_AUTO, false);
	if (strcmp(verb, "create") == 0 || strcmp(verb, "reuse") == 0)
		return script_create(life, path, line, *verb == 'r');
	file = vk_life_find(&life->record, path);
	if (file == NULL)
		return vk_error_set(life->err, VK_USAGE, path, "the history has no such file");
	return script_change(life, verb, file->id, line);
}
