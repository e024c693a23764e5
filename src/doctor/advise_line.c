/* SPDX-License-Identifier: Apache-2.0 */
/* A line of advice: a command that reads the same bytes, and why to run it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/memory.h"
#include "doctor/advise.h"
#include "find/wish.h"

enum { ADVICE_MAX = 8 };

/* What makes the next command read the same bytes. */
static void put_view(struct vk_command *line, const struct vk_io_view *view)
{
	if (view->at_bytes != 0)
		vk_command_add(line, " --at %llu", (unsigned long long)view->at_bytes);
	if (view->stride_bytes != 0)
		vk_command_add(line, " --stride %u", (unsigned)view->stride_bytes);
	if (view->mapfile == NULL)
		return;
	vk_command_add(line, " --mapfile");
	vk_command_path(line, view->mapfile);
}

char *vk_advice_command(const struct vk_doctor *doc, const char *verb, const char *first, bool store)
{
	const struct vk_doctor_options *o = doc->options;
	struct vk_command line;

	vk_command_begin(&line, "vmfskit ");
	vk_command_add(&line, "%s", verb);
	if (first != NULL)
		vk_command_path(&line, first);
	if (strcmp(verb, "verify") != 0) {
		vk_command_path(&line, doc->path);
		for (size_t i = 0; i < o->view.piece_count; i++)
			vk_command_path(&line, o->view.pieces[i]);
		put_view(&line, &o->view);
	}
	if (store && o->store != NULL && strcmp(o->store, VK_STORE_DEFAULT) != 0) {
		vk_command_add(&line, " --store");
		vk_command_path(&line, o->store);
	}
	/* the doctor takes the disk; these ask which is meant */
	if (doc->either && (strcmp(verb, "capture") == 0 || strcmp(verb, "find") == 0 || strcmp(verb, "decode") == 0))
		vk_command_add(&line, " --as disk");
	/* capture asks no capture for its word */
	if (store && o->public_key_file != NULL && strcmp(verb, "capture") != 0) {
		vk_command_add(&line, " --public-key");
		vk_command_path(&line, o->public_key_file);
	}
	for (size_t i = 0; i < doc->subject_count && strcmp(verb, "repair table") == 0; i++)
		if (doc->subjects[i].candidate != NULL)
			vk_find_put_wish(&doc->find, &doc->source, doc->subjects[i].candidate, &line);
	/* what a scan found is not found again without one */
	if (o->scan && strcmp(verb, "repair table") == 0)
		vk_command_add(&line, " --scan");
	if (o->sector_size != 0 && strcmp(verb, "verify") != 0)
		vk_command_add(&line, " --sector-size %u", o->sector_size);
	return vk_command_end(&line);
}

void vk_advise(struct vk_doctor *doc, char *command_line, const char *fmt, ...)
{
	struct vk_diagnosis *d = doc->d;
	struct vk_advice *a = NULL;
	va_list args;

	if (d->advice_count < ADVICE_MAX)
		a = vk_append(&d->advice, &d->advice_count, NULL, sizeof(*a));
	if (a == NULL) {
		free(command_line);
		return;
	}
	a->command = command_line;
	va_start(args, fmt);
	vsnprintf(a->why, sizeof(a->why), fmt, args);
	va_end(args);
}
