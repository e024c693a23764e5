/* SPDX-License-Identifier: Apache-2.0 */
/* Text as XML 1.0 takes it. */
#include "report/xml_text.h"

#include <string.h>

#include "base/utf8.h"

/*
 * U+FDD0 to U+FDEF, and the last two of each plane. Of these XML refuses U+FFFE and U+FFFF, and advises against the
 * rest.
 */
static bool is_noncharacter(uint32_t point)
{
	return (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) == 0xfffe;
}

void vk_report_xml_text(FILE *out, const char *bytes)
{
	size_t len = strlen(bytes);

	for (size_t i = 0; i < len;) {
		uint32_t point;
		size_t n = vk_utf8_decode((const uint8_t *)bytes + i, len - i, &point);

		if (n == 0 || vk_utf8_steers(point) || is_noncharacter(point)) {
			fprintf(out, "\\x%02x", (unsigned char)bytes[i]);
			i++;
			continue;
		}
		if (point == '<')
			fputs("&lt;", out);
		else if (point == '>')
			fputs("&gt;", out);
		else if (point == '&')
			fputs("&amp;", out);
		else if (point == '"')
			fputs("&quot;", out);
		else
			fwrite(bytes + i, 1, n, out);
		i += n;
	}
}
