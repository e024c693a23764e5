/* SPDX-License-Identifier: Apache-2.0 */
/* The command vmfskit-lab. */
#include "lab/lab_verbs.h"

int main(int argc, char **argv)
{
	return vk_cli_main(&vk_lab_program, argc, argv);
}
