/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of vmfskit, each defined in its own file, and the program made of them. */
#ifndef VK_CMD_SHARED_VERBS_H
#define VK_CMD_SHARED_VERBS_H

#include "cli/cli.h"

extern const struct vk_cli_verb vk_verb_decode;
extern const struct vk_cli_verb vk_verb_find;
extern const struct vk_cli_verb vk_verb_lunid;
extern const struct vk_cli_verb vk_verb_ls;
extern const struct vk_cli_verb vk_verb_stat;
extern const struct vk_cli_verb vk_verb_map;
extern const struct vk_cli_verb vk_verb_doctor;
extern const struct vk_cli_verb vk_verb_cat;
extern const struct vk_cli_verb vk_verb_cp;
extern const struct vk_cli_verb vk_verb_undelete;
extern const struct vk_cli_verb vk_verb_check;
extern const struct vk_cli_verb vk_verb_mount;
extern const struct vk_cli_verb vk_verb_explain;
extern const struct vk_cli_verb vk_verb_capture;
extern const struct vk_cli_verb vk_verb_import;
extern const struct vk_cli_verb vk_verb_list;
extern const struct vk_cli_verb vk_verb_status;
extern const struct vk_cli_verb vk_verb_verify;
extern const struct vk_cli_verb vk_verb_diff;
extern const struct vk_cli_verb vk_verb_drill;
extern const struct vk_cli_verb vk_verb_restore;
extern const struct vk_cli_verb vk_verb_repair;
extern const struct vk_cli_verb vk_verb_wipe;
extern const struct vk_cli_verb vk_verb_undo;
extern const struct vk_cli_verb vk_verb_prune;
extern const struct vk_cli_verb vk_verb_pin;

extern const struct vk_cli_program vk_vmfskit_program;

#endif
