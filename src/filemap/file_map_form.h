/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a file map, as writer and reader have them. docs/file-map.md says what they mean. */
#ifndef VK_FILEMAP_FILE_MAP_FORM_H
#define VK_FILEMAP_FILE_MAP_FORM_H

#include "vmfskit/file_map.h"

#define VK_FILE_MAP_FIRST_LINE "vmfskit file map 2\n"
#define VK_FILE_MAP_FORM_1 "vmfskit file map 1" /* without lines C, and without their number in the last line */
enum { VK_FILE_MAP_LINE_BYTES = VK_FS_PATH_BYTES + 512, VK_FILE_MAP_CLUSTERS_MAX = 1 << 27 };
/* Letters of runs, by their kind; and of those that are copied when they are written to ('-': there are none). */
static const char vk_file_map_kinds[] = "dhzrm", vk_file_map_kinds_cow[] = "D-Z--";

bool vk_file_map_ends(const char *path, const char *end); /* in letters of either size */

#endif
