/* SPDX-License-Identifier: Apache-2.0 */
/* The command table as a bash completion that needs nothing but bash. */
#include "cli/cli.h"

#include <string.h>

#include "cli/parse.h"

/* A shell function's name. */
static void put_name(FILE *out, const char *name)
{
	fputc('_', out);
	for (; *name != '\0'; name++)
		fputc(*name == '-' ? '_' : *name, out);
}

static void put_verb_names(FILE *out, const struct vk_cli_program *program)
{
	for (size_t i = 0; program->verbs[i] != NULL; i++)
		fprintf(out, "%s ", program->verbs[i]->name);
}

/* For one verb: which options take a value, of what kind, and the options themselves. */
static void put_verb(FILE *out, const struct vk_cli_verb *verb)
{
	size_t count = vk_cli_option_count(verb);

	fprintf(out, "\t%s)\n\t\tcase $prev in\n", verb->name);
	for (size_t i = 0; i < count; i++) {
		const struct vk_cli_option *option = &verb->options[i];

		if (option->argument == NULL)
			continue;
		fprintf(out, "\t\t--%s", option->name);
		if (option->letter != 0)
			fprintf(out, " | -%c", option->letter);
		fputs(") takes=yes", out);
		if (option->choices == NULL)
			fputs(" kind=free", out);
		else if (strcmp(option->choices, "FILE") == 0)
			fputs(" kind=file", out);
		else if (strcmp(option->choices, "DIR") == 0)
			fputs(" kind=folder", out);
		else
			fprintf(out, " words=\"%s\"", option->choices);
		fputs(" ;;\n", out);
	}
	fputs("\t\tesac\n", out);
	if (verb->words != NULL)
		fprintf(out, "\t\tfirst=\"%s\"\n", verb->words);
	fputs("\t\toptions=\"", out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "--%s ", verb->options[i].name);
	fputs("--help\"\n\t\t;;\n", out);
}

void vk_cli_bash_completion(const struct vk_cli_program *program, FILE *out)
{
	fprintf(out, "# SPDX-License-Identifier: Apache-2.0\n# bash completion of %s, generated from the command "
		"table\n", program->name);
	put_name(out, program->name);
	fputs("()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=\"\" takes=no kind=\"\" words=\"\" options=\"\" done=\"\" "
	      "first=\"\" word\n\tlocal at=$COMP_CWORD\n"
	      "\tCOMPREPLY=()\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"",
	      out);
	put_verb_names(out, program);
	fputs("help --help --version\" -- \"$cur\")\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\t# bash cuts --option=value into three words\n"
	      "\tif [ \"$cur\" = = ]; then\n"
	      "\t\tcur=\"\" prev=${COMP_WORDS[at - 1]}\n"
	      "\telif [ \"${COMP_WORDS[at - 1]}\" = = ] && [ \"$at\" -gt 2 ]; then\n"
	      "\t\tprev=${COMP_WORDS[at - 2]}\n"
	      "\telse\n"
	      "\t\tprev=${COMP_WORDS[at - 1]}\n"
	      "\tfi\n"
	      "\tcase ${COMP_WORDS[1]} in\n"
	      "\thelp)\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"",
	      out);
	put_verb_names(out, program);
	fputs("\" -- \"$cur\")\n\t\treturn\n\t\t;;\n", out);
	for (size_t i = 0; program->verbs[i] != NULL; i++)
		put_verb(out, program->verbs[i]);
	fputs("\tesac\n"
	      "\t# the word that goes before all other arguments, unless it is there\n"
	      "\tfor word in \"${COMP_WORDS[@]:2:at-2}\"; do\n"
	      "\t\tcase \" $first \" in *\" $word \"*) first=\"\" ;; esac\n"
	      "\tdone\n"
	      "\tif [ -n \"$words\" ]; then\n"
	      "\t\t# several values, commas between them: complete the last one\n"
	      "\t\tcase $cur in *,*) done=${cur%,*}, ;; esac\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -P \"$done\" -W \"$words\" -- \"${cur##*,}\")\n"
	      "\telif [ \"$kind\" = folder ]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
	      "\t\tcompopt -o filenames 2>/dev/null\n"
	      "\telif [ \"$kind\" = free ]; then\n"
	      "\t\tcompopt +o default +o bashdefault 2>/dev/null\n"
	      "\telif [ \"$takes\" = no ] && [ \"${cur#-}\" != \"$cur\" ]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
	      "\telif [ \"$takes\" = no ] && [ -n \"$first\" ]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$first\" -- \"$cur\")\n"
	      "\telse\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	      "\t\tcompopt -o filenames 2>/dev/null\n"
	      "\tfi\n"
	      "}\ncomplete -o bashdefault -o default -F ",
	      out);
	put_name(out, program->name);
	fprintf(out, " %s\n", program->name);
}
