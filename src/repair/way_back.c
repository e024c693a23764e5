/* SPDX-License-Identifier: Apache-2.0 */
/* Names the command that takes a half-done restore back. */
#include <inttypes.h>
#include <string.h>

#include "repair/writer.h"

/* One word of a shell command. */
static void put_word(struct vk_text *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789@%+=:,./_-";

	if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
		vk_text_put(out, word);
		return;
	}
	vk_text_put(out, "'");
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			vk_text_put(out, "'\\''");
		else
			vk_text_fmt(out, "%c", *word);
	}
	vk_text_put(out, "'");
}

void vk_writer_way_back(const struct vk_write_job *job, struct vk_text *out)
{
	vk_text_put(out, "vmfskit undo ");
	put_word(out, job->undo_id);
	vk_text_put(out, " ");
	put_word(out, job->path);
	vk_text_put(out, " --store ");
	put_word(out, job->store);
	if (job->given_sector_size != 0)
		vk_text_fmt(out, " --sector-size %" PRIu32, job->given_sector_size);
	vk_text_put(out, " --write");
}
