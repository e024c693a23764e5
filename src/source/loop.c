/* SPDX-License-Identifier: Apache-2.0 */
/* The command that makes a device of a part of a file or device. */
#include <inttypes.h>

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
