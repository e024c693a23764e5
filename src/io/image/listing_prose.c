/* SPDX-License-Identifier: Apache-2.0 */
/* Lines around the rows. The forms of partedUtil are those of its usage text; KB 2046610 uses echo and hexdump. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "io/image/listing_prose.h"

enum { WORDS_MAX = 48, WORD_BYTES = VK_LISTING_NAME_BYTES };

/* The words of a line, cut off where they are longer than a name. */
struct words {
	char list[WORDS_MAX][WORD_BYTES];
	size_t count;
};

static void split_words(const struct vk_listing_line *line, struct words *w)
{
	const char *p = line->text + strspn(line->text, " >#|");

	for (w->count = 0; *p != '\0' && w->count < WORDS_MAX; w->count++) {
		size_t len;

		p += strspn(p, "\"'");
		len = strcspn(p, " ");
		snprintf(w->list[w->count], WORD_BYTES, "%.*s", (int)(len < WORD_BYTES ? len : WORD_BYTES - 1), p);
		p += len;
		p += strspn(p, " ");
	}
}

static bool begins(const char *word, const char *with)
{
	return strncasecmp(word, with, strlen(with)) == 0;
}

static bool is_number(const char *word)
{
	return *word != '\0' && strspn(word, "0123456789") == strlen(word);
}

static bool is_device(const char *word)
{
	static const char *const fronts[] = {"/dev/", "/vmfs/devices/", "\\\\.\\", "naa.",
					    "mpx.",  "t10.",           "eui.",      "vml."};

	for (size_t i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++)
		if (begins(word, fronts[i]) && strlen(word) > strlen(fronts[i]))
			return true;
	return false;
}

/* Programs that print listings. */
enum program { NO_PROGRAM, HEXDUMP, OD, XXD, OTHER_PROGRAM };

static enum program program_of(const char *word)
{
	static const struct {
		const char *name;
		enum program program;
	} programs[] = {{"hexdump", HEXDUMP},         {"hd", HEXDUMP},
			{"od", OD},                   {"xxd", XXD},
			{"format-hex", OTHER_PROGRAM}, {"fhx", OTHER_PROGRAM},
			{"certutil", OTHER_PROGRAM},  {"hexyl", OTHER_PROGRAM},
			{"dd", OTHER_PROGRAM},        {"block_dump", OTHER_PROGRAM},
			{"partedUtil", OTHER_PROGRAM}};
	const char *slash = strrchr(word, '/');
	const char *name = slash != NULL ? slash + 1 : word;

	/* a prompt may stand in front of it without a blank */
	name += strcspn(name, "$#%") < strlen(name) ? strcspn(name, "$#%") + 1 : 0;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (strcasecmp(name, programs[i].name) == 0)
			return programs[i].program;
	return NO_PROGRAM;
}

static unsigned radix_of_letter(char c)
{
	return c == 'x' || c == 'h' || c == 'X' ? 16 : c == 'd' || c == 'D' ? 10 : c == 'o' ? 8 : 0;
}

/* An argument of the program: a name, not an option, its value or a number. */
static bool is_name(const struct words *w, size_t i, size_t program)
{
	static const char with_value[] = "sncglojNAteSwv";
	const char *word = w->list[i];
	const char *before = i > program + 1 ? w->list[i - 1] : "";

	if (word[0] == '-' || word[0] == '\0' || is_number(word) || begins(word, "0x") || strcmp(word, "\\") == 0)
		return false;
	if (before[0] == '-' && before[1] != '-' && before[1] != '\0' && before[2] == '\0' &&
	    strchr(with_value, before[1]) != NULL && before[1] != 'v' && !is_device(word) &&
	    strchr(word, '/') == NULL && strlen(word) <= 6)
		return false;
	return strcspn(word, "$*?()") == strlen(word);
}

/* Whether the words are a command and not a sentence that names a program. */
static bool is_command(const struct words *w, size_t at)
{
	const char *before = at > 0 ? w->list[at - 1] : "";
	const char *name = w->list[at];
	bool begins_line = at == 0 || strcmp(before, "sudo") == 0 || strpbrk(name, "$#%") != NULL ||
			   strchr("$#%>]", before[strlen(before) - 1]) != NULL;
	bool option = false;

	for (size_t i = at + 1; i < w->count; i++)
		option |= w->list[i][0] == '-' || is_device(w->list[i]) || begins(w->list[i], "if=") ||
			  strpbrk(w->list[i], "/\\") != NULL || (begins_line && at + 2 == w->count);
	return begins_line && option;
}

static void set_device(struct vk_listing_prose *prose, const char *name)
{
	snprintf(prose->device, sizeof(prose->device), "%s", name);
	prose->device[strcspn(prose->device, ";'\"`#")] = '\0';
	while (prose->device[0] != '\0' && strchr(":,", prose->device[strlen(prose->device) - 1]) != NULL)
		prose->device[strlen(prose->device) - 1] = '\0';
}

/* What a command says: the program, its radix, the device. */
static void read_command(struct vk_listing_prose *prose, const struct words *w, size_t at, enum program program)
{
	struct vk_listing_hints *h = &prose->hints;
	size_t i;

	h->radix = program == OD ? 8 : 0;
	h->hexdump = program == HEXDUMP;
	h->xxd = program == XXD;
	h->swapped = false;
	prose->device[0] = '\0';
	for (i = at + 1; i < w->count; i++) {
		const char *word = w->list[i];

		if (strchr("|><&;", word[0]) != NULL)
			break;
		if (program == OD && begins(word, "-A") && (word[2] != '\0' || i + 1 < w->count))
			h->radix = radix_of_letter(word[2] != '\0' ? word[2] : w->list[i + 1][0]);
		if (program == OD && begins(word, "--address-radix="))
			h->radix = radix_of_letter(word[strlen("--address-radix=")]);
		if (program == XXD && word[0] == '-' && strchr(word, 'e') != NULL && word[1] != '-')
			h->swapped = true;
		if (program == XXD && strcmp(word, "-d") == 0)
			h->radix = 10;
		if (begins(word, "if="))
			set_device(prose, word + 3);
		else if (is_name(w, i, at) && strchr(word, '=') == NULL)
			set_device(prose, word);
	}
	/* dd if=X | hexdump */
	for (; i < w->count && prose->device[0] != '\0'; i++) {
		struct vk_listing_prose piped = {.device = ""};
		enum program next = program_of(w->list[i]);

		if (next == NO_PROGRAM)
			continue;
		read_command(&piped, w, i, next);
		prose->hints.radix = piped.hints.radix;
		prose->hints.hexdump = piped.hints.hexdump;
		prose->hints.xxd = piped.hints.xxd;
		prose->hints.swapped = piped.hints.swapped;
		break;
	}
}

/* ESX runs on little-endian processors only, as do these. */
static void read_host(struct vk_listing_prose *prose, const char *text)
{
	static const char *const words[] = {"/vmfs/",  "x86_64", "i686",   "i386",  "amd64",
					    "aarch64", "arm64",  "VMkernel", "ESXi", "little-endian"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		prose->hints.little |= strstr(text, words[i]) != NULL;
}

static bool read_table_line(struct vk_listing_prose *prose, const struct words *w)
{
	char *end = prose->table + strlen(prose->table);
	size_t room = sizeof(prose->table) - strlen(prose->table);
	size_t numbers = 0;

	while (numbers < w->count && is_number(w->list[numbers]))
		numbers++;
	if (prose->awaits == 1 && numbers == 4 && w->count == 4) {
		snprintf(end, room, ", %s sectors", w->list[3]);
		prose->awaits = 2;
		return true;
	}
	if (prose->awaits != 2 || numbers < 3 || (w->count != 5 && w->count != 6))
		return false;
	snprintf(end, room, "; partition %s: %s to %s (%s)", w->list[0], w->list[1], w->list[2],
		 w->list[w->count == 6 ? 4 : 3]);
	return true;
}

bool vk_listing_prose_claims(const struct vk_listing_prose *prose, const struct vk_listing_line *line)
{
	struct vk_listing_prose probe = *prose;
	struct words w;

	if (prose->awaits == 0)
		return false;
	split_words(line, &w);
	return read_table_line(&probe, &w);
}

static enum vk_listing_said read_table(struct vk_listing_prose *prose, const struct vk_listing_line *line,
				       const struct words *w)
{
	static const char *const labels[] = {"gpt", "msdos", "unknown"};

	if (prose->awaits != 0 && read_table_line(prose, w))
		return VK_LISTING_SAID_TABLE;
	if (prose->awaits == 2) {
		prose->awaits = 0;
		return VK_LISTING_SAID_TABLE_DONE;
	}
	prose->awaits = 0;
	for (size_t i = 0; i < 3 && w->count == 1; i++)
		if (strcmp(w->list[0], labels[i]) == 0) {
			prose->awaits = 1;
			prose->table_line = line->number;
			snprintf(prose->table, sizeof(prose->table), "%s", labels[i]);
			return VK_LISTING_SAID_TABLE;
		}
	return VK_LISTING_SAID_NOTHING;
}

/* "Checking offset found at 2048:" */
static bool read_search(struct vk_listing_prose *prose, const struct vk_listing_line *line)
{
	const char *at = strstr(line->text, "Checking offset found at ");
	char *end;

	if (at == NULL)
		return false;
	at += strlen("Checking offset found at ");
	prose->start_sector = strtoull(at, &end, 10);
	if (end == at || *end != ':')
		return false;
	prose->start_line = line->number;
	prose->hints.hexdump = true;
	prose->hints.radix = 0;
	return true;
}

static bool read_heads(struct vk_listing_prose *prose, const struct words *w)
{
	const char *head = w->count > 0 ? w->list[0] : "";

	if (!begins(head, "Offset"))
		return false;
	if (strlen(head) == strlen("Offset(h)") && head[6] == '(')
		prose->hints.radix = radix_of_letter(head[7]);
	return w->count > 1;
}

static bool names_program(const struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (program_of(w->list[i]) != NO_PROGRAM || begins(w->list[i], "listing"))
			return true;
	return false;
}

enum vk_listing_said vk_listing_prose_line(struct vk_listing_prose *prose, const struct vk_listing_line *line)
{
	enum vk_listing_said said;
	struct words w;

	read_host(prose, line->text);
	split_words(line, &w);
	said = read_table(prose, line, &w);
	if (said != VK_LISTING_SAID_NOTHING)
		return said;
	if (read_search(prose, line))
		return VK_LISTING_SAID_BREAK;
	for (size_t i = 0; i < w.count && i < 8; i++) {
		enum program program = program_of(w.list[i]);

		if (program == NO_PROGRAM || i + 1 >= w.count || !is_command(&w, i))
			continue;
		prose->device[0] = '\0';
		read_command(prose, &w, i, program);
		return VK_LISTING_SAID_BREAK;
	}
	/* a device alone on its line, as a script prints it, or a heading */
	for (size_t i = 0; i < w.count && (w.count <= 3 || names_program(&w)); i++)
		if (is_device(w.list[i])) {
			prose->hints = (struct vk_listing_hints){.little = prose->hints.little};
			set_device(prose, w.list[i]);
			return VK_LISTING_SAID_BREAK;
		}
	return read_heads(prose, &w) ? VK_LISTING_SAID_BREAK : VK_LISTING_SAID_NOTHING;
}
