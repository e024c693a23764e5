/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The saved output of esxcli storage core device list and path list, esxcfg-scsidevs -l and -m, esxcfg-mpath -l.
 * A device begins with its name in the first column, or with "Device: NAME"; what is indented belongs to it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "scsi/live_lun.h"

enum { LUNS_MAX = 4096, LINE_MAX_BYTES = 1024 };

struct parser {
	struct vk_live_luns *luns;
	size_t current; /* index; SIZE_MAX: none */
	struct vk_error *err;
};

/* A whole number and nothing else behind blanks. */
static bool read_lun(const char *text, uint16_t *ret_number)
{
	unsigned long n = 0;

	text += strspn(text, " \t");
	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9' && n <= UINT16_MAX; text++)
		n = n * 10 + (unsigned long)(*text - '0');
	*ret_number = (uint16_t)n;
	return n <= UINT16_MAX && text[strspn(text, " \t")] == '\0';
}

/* The device of this name, which may have ":N" of a partition behind it, becomes the current one. */
static enum vk_status select_device(struct parser *p, const char *name)
{
	struct vk_live_lun lun;
	struct vk_error ignored;

	p->current = SIZE_MAX;
	if (!vk_live_lun_is_name(name) || vk_live_lun_of_name(name, &lun, &ignored) != VK_OK)
		return VK_OK;
	for (size_t i = 0; i < p->luns->count; i++)
		if (strcmp(p->luns->items[i].name, lun.name) == 0) {
			p->current = i;
			return VK_OK;
		}
	if (p->luns->count == LUNS_MAX)
		return vk_error_set(p->err, VK_UNSUPPORTED, NULL, "the text has more than %d devices", LUNS_MAX);
	if (vk_append(&p->luns->items, &p->luns->count, &lun, sizeof(lun)) == NULL)
		return vk_no_memory(p->err, NULL);
	p->current = p->luns->count - 1;
	return VK_OK;
}

/* The word at *s, cut off there; *s becomes what is behind it. */
static char *take_word(char **s)
{
	char *word = *s + strspn(*s, " \t,");
	size_t len = strcspn(word, " \t,");

	*s = word + len;
	if (**s != '\0')
		*(*s)++ = '\0';
	return word;
}

/* "naa.X:1  /vmfs/devices/disks/naa.X:1 UUID  0  LABEL" of esxcfg-scsidevs -m. */
static void read_mapping(struct vk_live_lun *lun, char *rest)
{
	const char *uuid;

	(void)take_word(&rest);
	uuid = take_word(&rest);
	if (strlen(uuid) == 35 && strspn(uuid, "0123456789abcdefABCDEF-") == 35)
		memcpy(lun->volume, uuid, 36);
}

/* All vml. names of a line: one of them is the id that ESX forms. */
static void read_vml(struct vk_live_lun *lun, char *rest)
{
	struct vk_live_lun told;
	struct vk_error ignored;

	while (*rest != '\0') {
		const char *word = take_word(&rest);

		/* one of another kind, or of another designator, is another name of the device */
		if (strncmp(word, "vml.", 4) != 0 || vk_live_lun_of_name(word, &told, &ignored) != VK_OK ||
		    !told.id_known ||
		    (lun->id_known && (lun->id.type != told.id.type || strcmp(lun->name, told.name) != 0)))
			continue;
		lun->id = told.id;
		lun->kind_known = lun->id_known = true;
		lun->model_known = told.model_known;
		vk_live_lun_add_path(lun, told.id.lun);
		lun->lun_known = true;
	}
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* "Model: RAID 5            Revis: 0223", or what is behind it on a line of its own. */
static void read_model(struct vk_live_lun *lun, const char *value)
{
	const char *end = strstr(value, "Revis:");

	value += *value == ' ';
	vk_live_lun_set_model(lun, value, end != NULL && end > value ? (size_t)(end - value) : strlen(value));
}

static void read_detail(struct vk_live_lun *lun, char *line)
{
	const char *model = strstr(line, "Model:"), *number = strstr(line, "LUN:");
	uint16_t lun_number;

	if (begins(line, "Model:") || (begins(line, "Vendor:") && model != NULL))
		read_model(lun, model + strlen("Model:"));
	else if ((begins(line, "LUN:") || begins(line, "Adapter:")) && number != NULL) {
		if (read_lun(number + strlen("LUN:"), &lun_number))
			vk_live_lun_add_path(lun, lun_number);
	} else if (begins(line, "Other UIDs:")) {
		read_vml(lun, line + strlen("Other UIDs:"));
	} else if (begins(line, "vml.")) {
		read_vml(lun, line);
	}
}

static enum vk_status read_line(struct parser *p, char *line)
{
	char *text = line + strspn(line, " \t");
	enum vk_status status;

	if (*text == '\0')
		return VK_OK;
	if (text == line) {
		char *rest = line;
		const char *name = take_word(&rest);

		status = select_device(p, name);
		if (status == VK_OK && p->current != SIZE_MAX && strstr(rest, "/vmfs/devices/") != NULL)
			read_mapping(&p->luns->items[p->current], rest);
		return status;
	}
	if (begins(text, "Device:")) {
		text += strlen("Device:");
		return select_device(p, take_word(&text));
	}
	if (p->current != SIZE_MAX)
		read_detail(&p->luns->items[p->current], text);
	return VK_OK;
}

/* The next line, at most so long, with blanks where bytes are no ASCII characters. */
static size_t next_line(const char *text, size_t len, char ret_line[LINE_MAX_BYTES])
{
	const char *end = memchr(text, '\n', len);
	size_t bytes = end != NULL ? (size_t)(end - text) : len;
	size_t kept = bytes < LINE_MAX_BYTES ? bytes : LINE_MAX_BYTES - 1;

	for (size_t i = 0; i < kept; i++)
		ret_line[i] = text[i] > ' ' && text[i] <= '~' ? text[i] : ' ';
	while (kept > 0 && ret_line[kept - 1] == ' ')
		kept--;
	ret_line[kept] = '\0';
	return bytes + (end != NULL);
}

enum vk_status vk_live_luns_of_text(const char *text, size_t len, struct vk_live_luns *ret_luns, struct vk_error *err)
{
	struct vk_live_luns luns = {.count = 0};
	struct parser p = {.luns = &luns, .current = SIZE_MAX, .err = err};
	enum vk_status status = VK_OK;
	char line[LINE_MAX_BYTES];

	while (len > 0 && status == VK_OK) {
		size_t used = next_line(text, len, line);

		text += used;
		len -= used;
		status = read_line(&p, line);
	}
	if (status == VK_OK && luns.count == 0) {
		vk_error_set(err, VK_USAGE, NULL, "no device of ESX is named in the text");
		status = vk_error_remedy(err, "save the output of esxcli storage core device list, esxcfg-scsidevs "
					      "-l or -m, or esxcfg-mpath -l");
	}
	if (status != VK_OK) {
		vk_live_luns_free(&luns);
		return status;
	}
	*ret_luns = luns;
	return VK_OK;
}

void vk_live_luns_free(struct vk_live_luns *luns)
{
	free(luns->items);
	*luns = (struct vk_live_luns){.count = 0};
}
