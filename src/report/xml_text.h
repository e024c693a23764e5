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

#endif
