/* SPDX-License-Identifier: Apache-2.0 */
/* What another program says. */
#ifndef TESTS_UNIT_FIRST_LINE_H
#define TESTS_UNIT_FIRST_LINE_H

#include <stdio.h>
#include <string.h>

/* The first line that a command of the shell prints, without its end; empty when it prints none. */
static inline void first_line(const char *command, char *ret_line, int cap)
{
	FILE *p = popen(command, "re"); /* NOLINT(cert-env33-c): fixed commands */

	ret_line[0] = '\0';
	if (p == NULL)
		return;
	if (fgets(ret_line, cap, p) == NULL)
		ret_line[0] = '\0';
	ret_line[strcspn(ret_line, "\n")] = '\0';
	pclose(p);
}

#endif
