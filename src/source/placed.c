/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that begins at a byte that was named by hand: what lies around it may say how long it is, and how it opens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/io_handle.h"
#include "source/survey.h"

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
	struct vk_io *all = io->owned;
	struct vk_foreigners foreign = {.count = 0};
	struct vk_readings readings = {.count = 0};
	struct vk_table table = {.gpt_chosen = -1};
	struct vk_survey survey = {.io = all, .path = path, .sector_size = options->sector_size, .table = &table,
				   .foreign = &foreign, .readings = &readings, .err = err};

	*ret_place = (struct vk_reading){.at_bytes = options->view.at_bytes};
	if (all == NULL)
		return VK_OK;
	survey.status = vk_table_read(all, options->sector_size, true, NULL, &table, err);
	if (survey.status == VK_OK)
		survey.status = vk_lun_signs_read(all, options->sector_size, &survey.own, err);
	if (survey.status == VK_OK)
		survey.status = vk_foreign_look(all, 0, vk_io_size_bytes(all), &foreign, err);
	if (survey.status == VK_OK)
		vk_look_at_carriers(&survey);
	for (size_t i = 0; i < readings.count && ret_place->length_bytes == 0; i++)
		if (readings.items[i].at_bytes == options->view.at_bytes)
			*ret_place = readings.items[i];
	if (ret_place->length_bytes != 0)
		vk_io_cut(io, ret_place->length_bytes);
	if (ret_place->attach[0] == '\0')
		open_by_loop(all, path, ret_place);
	free(readings.items);
	vk_foreigners_free(&foreign);
	vk_table_free(&table);
	return survey.status;
}
