/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of vmfskit-lab, and what their command lines share. */
#ifndef VK_LAB_LAB_VERBS_H
#define VK_LAB_LAB_VERBS_H

#include "cli/cli.h"
#include "lab/lab.h"
#include "lab/lab_break.h"

extern const struct vk_cli_verb vk_lab_verb_make;
extern const struct vk_cli_verb vk_lab_verb_break;
extern const struct vk_cli_verb vk_lab_verb_beat;
extern const struct vk_cli_verb vk_lab_verb_history;
extern const struct vk_cli_program vk_lab_program;

/* The options partition, start and sector-size of the verbs that work on an existing disk. */
VK_MUST_USE enum vk_status vk_lab_choice_parse(const struct vk_cli_call *call,
					       struct vk_lab_choice *ret_choice,
					       struct vk_error *err);

#endif
