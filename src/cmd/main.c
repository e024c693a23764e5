/* SPDX-License-Identifier: Apache-2.0 */
/* The program vmfskit. */
#include "cmd/shared/verbs.h"

int main(int argc, char **argv)
{
	return vk_cli_main(&vk_vmfskit_program, argc, argv);
}
