/* SPDX-License-Identifier: Apache-2.0 */
/* The datastore's label: what is readable stays, whatever is wrong with it. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "rebuild/header/fs_work.h"

enum {
	LABEL_BYTES = 128,
	/* so many zeros behind the end of the text are no hole in a label: what follows them is no part of it */
	SURE_END = 16
};

static bool printable(uint8_t c)
{
	return c >= 0x20 && c < 0x7F;
}

/* Whether a person can make out something: text, or most of what is not zero. */
static bool readable(const uint8_t label[LABEL_BYTES])
{
	size_t letters = 0, others = 0;

	if (vk_label_text_bytes(label) > 0)
		return true;
	for (size_t i = 0; i < LABEL_BYTES; i++) {
		letters += printable(label[i]);
		others += label[i] != 0 && !printable(label[i]);
	}
	return letters > others;
}

/* What stands behind the end of a label and cannot be the rest of one in which a byte became zero. */
static bool stray_tail(const uint8_t label[LABEL_BYTES])
{
	size_t len = vk_label_text_bytes(label);
	size_t at = len;

	while (at < LABEL_BYTES && label[at] == 0)
		at++;
	if (len == 0 || at - len < SURE_END)
		return false;
	for (; at < LABEL_BYTES; at++)
		if (printable(label[at]))
			return false;
	return true;
}

static void put_placeholder(struct vk_fs_work *fs, const char *asked)
{
	uint8_t label[LABEL_BYTES] = {0};

	if (asked != NULL && fs->capture == NULL) {
		snprintf((char *)label, sizeof(label), "%s", asked);
		vk_mend_bytes(&fs->m, "fsLabel", label, VK_FIELD_ASKED, "--label");
		return;
	}
	if (fs->capture != NULL)
		vk_work_note(fs->work, "The label is the one in %s; a datastore that was renamed since has another "
				       "one.",
			     fs->m.capture_name);
	else
		vk_work_lost(fs->work, "The datastore's label survives nowhere; rename the datastore once it is "
				       "mounted, or say --label.");
	snprintf((char *)label, sizeof(label), "vmfskit-recovered-%08x", fs->lv != NULL ? vk_get_le32(fs->lv->uuid.b) :
		 0);
	vk_mend_bytes(&fs->m, "fsLabel", label, VK_FIELD_FRESH, "left recognisable");
}

/* It stays as it is, damaged as it is. */
static void leave(struct vk_fs_work *fs)
{
	char seen[4 * LABEL_BYTES + 1], behind[4 * LABEL_BYTES + 1] = "";
	size_t end = strnlen((const char *)fs->was.fsLabel, LABEL_BYTES), next = end;
	struct vk_text text;

	while (next < LABEL_BYTES && fs->was.fsLabel[next] == 0)
		next++;
	vk_text_init(&text, seen, sizeof(seen));
	vk_text_label(&text, fs->was.fsLabel, sizeof(fs->was.fsLabel));
	vk_text_init(&text, behind, sizeof(behind));
	vk_text_label(&text, fs->was.fsLabel + next, LABEL_BYTES - next);
	if (next < LABEL_BYTES)
		vk_work_lost(fs->work, "The datastore's label is \"%s\", but behind its end stands more (\"%s\"): it "
				       "stays as it is. If a byte in its middle was lost, rename the datastore once it "
				       "is mounted, or say --label.",
			     seen, behind);
	else
		vk_work_lost(fs->work, "The datastore's label is damaged (\"%s\") and stays as it is; rename the "
				       "datastore once it is mounted, or say --label.", seen);
}

void vk_fs_judge_label(struct vk_fs_work *fs)
{
	const uint8_t *was = fs->was.fsLabel;
	uint8_t label[LABEL_BYTES] = {0};

	if (vk_label_sound(was) && (fs->trusted || was[0] != 0)) {
		memcpy(fs->is.fsLabel, was, LABEL_BYTES);
	} else if (stray_tail(was)) {
		memcpy(label, was, vk_label_text_bytes(was));
		vk_mend_bytes(&fs->m, "fsLabel", label, VK_FIELD_CONSTANT,
			      "zero behind the end of the text, as every host writes it");
	} else if (fs->trusted && readable(was) && fs->work->options->label == NULL) {
		leave(fs);
	} else {
		put_placeholder(fs, fs->work->options->label);
	}
}
