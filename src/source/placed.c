/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that begins at a byte that was named by hand: what lies around it may say how long it is, and how it opens. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "io/io_handle.h"
#include "source/survey.h"

void vk_put_losetup(struct vk_command *line, const struct vk_loop *loop)
{
	vk_command_add(line, "losetup --find --show --read-only");
	if (loop->sector_size != 0)
		vk_command_add(line, " --sector-size %" PRIu32, loop->sector_size);
	if (loop->at_bytes != 0 || loop->length_bytes != 0)
		vk_command_add(line, " --offset %" PRIu64, loop->at_bytes);
	if (loop->length_bytes != 0)
		vk_command_add(line, " --sizelimit %" PRIu64, loop->length_bytes);
	vk_command_add(line, " %s", loop->device);
}

/* By a loop device, where the path names all of the source. */
static void open_by_loop(const struct vk_io *all, const char *path, struct vk_reading *place)
{
	struct vk_shell_word word = vk_shell_path(path);
	struct vk_command line;
	char *text;

	if (strcmp(path, "-") == 0 || vk_io_is_view(all))
		return;
	vk_command_begin(&line, "");
	vk_put_losetup(&line, &(struct vk_loop){.device = word.text, .at_bytes = place->at_bytes,
						.length_bytes = place->length_bytes});
	text = vk_command_end(&line);
	snprintf(place->attach, sizeof(place->attach), "%s", text != NULL ? text : "");
	free(text);
}

enum vk_status vk_source_place(struct vk_io *io, const char *path, const struct vk_source_options *options,
			       struct vk_reading *ret_place, struct vk_error *err)
{
	const struct vk_source_options as_it_is = {.look = VK_LOOK_AT, .as = VK_SOURCE_DISK,
						   .sector_size = options->sector_size};
	struct vk_io *all = io->owned != NULL ? vk_io_window(io->owned, 0, UINT64_MAX) : NULL;
	struct vk_source around;
	enum vk_status status;

	*ret_place = (struct vk_reading){.at_bytes = options->view.at_bytes};
	if (io->owned == NULL)
		return VK_OK;
	if (all == NULL)
		return vk_no_memory(err, path);
	status = vk_source_open_io(all, path, VK_FORM_RAW, &as_it_is, &around, err);
	if (status != VK_OK)
		return status;
	for (size_t i = 0; i < around.readings.count && ret_place->length_bytes == 0; i++)
		if (around.readings.items[i].at_bytes == options->view.at_bytes)
			*ret_place = around.readings.items[i];
	if (ret_place->length_bytes != 0)
		vk_io_cut(io, ret_place->length_bytes);
	if (ret_place->attach[0] == '\0')
		open_by_loop(around.raw, path, ret_place);
	vk_source_close(&around);
	return VK_OK;
}
