/* SPDX-License-Identifier: Apache-2.0 */
/* Who does something, where, and by which command. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/shown.h"
#include "base/texts.h"
#include "store/folder/identity_of_run.h"
#include "vmfskit/text.h"

enum { WORDS_MAX = 1000, WORD_BYTES = 4096, ENTRY_BYTES = 4096 };

void vk_who_label(char *ret_text, size_t cap, const char *from)
{

	vk_label_into(ret_text, cap, from, strlen(from));
}

/*
 * The file alone, not the whole of the name services: in a static program those load libraries of the system that it
 * happens to run on, which need not fit.
 */
static bool find_name(uid_t uid, struct vk_text *ret_name)
{
	FILE *file = fopen("/etc/passwd", "re");
	char buf[ENTRY_BYTES];
	struct passwd entry;
	struct passwd *found = NULL;

	if (file == NULL)
		return false;
	while (fgetpwent_r(file, &entry, buf, sizeof(buf), &found) == 0 && found != NULL && found->pw_uid != uid)
		found = NULL;
	fclose(file);
	if (found != NULL)
		vk_text_label(ret_name, (const uint8_t *)found->pw_name, strlen(found->pw_name));
	return found != NULL;
}

void vk_who_user(char ret_user[VK_WHO_USER_BYTES])
{
	const char *sudo = getenv("SUDO_USER");
	struct vk_text text = vk_text_in(ret_user, VK_WHO_USER_BYTES);

	if (!find_name(getuid(), &text))
		vk_text_fmt(&text, "%lu", (unsigned long)getuid());
	if (sudo == NULL || sudo[0] == '\0')
		return;
	vk_text_put(&text, " (sudo: ");
	vk_text_label(&text, (const uint8_t *)sudo, strlen(sudo));
	vk_text_put(&text, ")");
}

void vk_who_host(char ret_host[VK_WHO_HOST_BYTES])
{
	struct utsname name;

	ret_host[0] = '\0';
	if (uname(&name) == 0)
		vk_who_label(ret_host, VK_WHO_HOST_BYTES, name.nodename);
}

char **vk_who_command(const char *const *command, size_t max_bytes)
{
	char **words = calloc(WORDS_MAX + 2, sizeof(*words));
	char *word = malloc(WORD_BYTES);
	size_t bytes = 0;
	size_t count = 0;

	while (words != NULL && word != NULL && command[count] != NULL) {
		bool last = count == WORDS_MAX;

		vk_who_label(word, WORD_BYTES, command[count]);
		bytes += strlen(word);
		last = last || bytes > max_bytes;
		words[count] = strdup(last ? "..." : word);
		if (words[count] == NULL) {
			vk_texts_free(words);
			words = NULL;
		}
		if (last)
			break;
		count++;
	}
	if (word == NULL) {
		vk_texts_free(words);
		words = NULL;
	}
	free(word);
	return words;
}
