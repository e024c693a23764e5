/* SPDX-License-Identifier: Apache-2.0 */
/* Text as XML 1.0 takes it. */
#ifndef VK_REPORT_XML_TEXT_H
#define VK_REPORT_XML_TEXT_H

#include <stdio.h>

/*
 * bytes as content or as an attribute in double quotes. What XML has no way to say, or should not be in it (control
 * characters, characters that steer a terminal, non-characters, bytes that are not UTF-8), becomes \xNN as in all our
 * texts.
 */
void vk_report_xml_text(FILE *out, const char *bytes);
/* The same, for a place that takes so many columns of a font of one width: what is longer ends in "...". */
void vk_report_xml_cut(FILE *out, const char *bytes, size_t columns);
/*
 * The first line of a text that is broken at blanks (columns: at least 4). Returns the rest of bytes, NULL when there
 * is none. out may be NULL.
 */
const char *vk_report_xml_line(FILE *out, const char *bytes, size_t columns);

#endif
