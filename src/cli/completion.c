/* SPDX-License-Identifier: Apache-2.0 */
/* The command table as a bash completion that needs nothing but bash. */
#include "cli/cli.h"

#include <string.h>

#include "cli/parse.h"

/* A shell function's name: "_vmfskit_lab". */
static void function_name(const char *program, char *ret_name, size_t cap)
{
	snprintf(ret_name, cap, "_%s", program);
	for (; *ret_name != '\0'; ret_name++)
		*ret_name = *ret_name == '-' ? '_' : *ret_name;
}

static void put_name(FILE *out, const char *program)
{
	char name[64];

	function_name(program, name, sizeof(name));
	fputs(name, out);
}

static void put_verb_names(FILE *out, const struct vk_cli_program *program)
{
	for (size_t i = 0; program->verbs[i] != NULL; i++)
		fprintf(out, "%s ", program->verbs[i]->name);
}

/*
 * What each argument is: a capture, a LUN, any of these or a file; + behind the last that may be repeated. A word of
 * choices ("table|header") has its own list.
 */
static void put_places(FILE *out, const struct vk_cli_verb *verb)
{
	static const char *const kinds[][2] = {{"CAPTURE", "capture"}, {"TARGET", "lun"}, {"DISK", "lun"},
					       {"SOURCE", "any"},      {"BEFORE", "any"}, {"AFTER", "any"}};
	struct vk_words rest = vk_words_of(verb->arguments), word;

	fputs("\t\tplaces=\"", out);
	while (vk_words_next(&rest, &word)) {
		const char *kind = "file";

		for (size_t i = sizeof(kinds) / sizeof(kinds[0]); i-- > 0;)
			if (memmem(word.text, word.len, kinds[i][0], strlen(kinds[i][0])) != NULL)
				kind = kinds[i][1];
		fprintf(out, "%s%s ", kind, memmem(word.text, word.len, "...", 3) != NULL ? "+" : "");
	}
	fputs("\" valued=\" ", out);
	for (size_t i = 0; i < vk_cli_option_count(verb); i++) {
		if (verb->options[i].argument == NULL)
			continue;
		fprintf(out, "--%s ", verb->options[i].name);
		if (verb->options[i].letter != 0)
			fprintf(out, "-%c ", verb->options[i].letter);
	}
	fputs("\"\n", out);
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
		if (strcmp(option->argument, "CAPTURE") == 0)
			fputs(" kind=capture", out);
		else if (option->choices == NULL)
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
	put_places(out, verb);
	fputs("\t\toptions=\"", out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "--%s ", verb->options[i].name);
	fputs("--help\"\n\t\t;;\n", out);
}

/* Functions that the completion calls: which argument this word is, and what stands in the store or is a LUN. */
static void put_functions(const struct vk_cli_program *program, FILE *out)
{
	char name[64];

	if (program->words_command == NULL)
		return;
	function_name(program->name, name, sizeof(name));
	/* kind is set for the argument at this place, unless it is an option's value */
	fprintf(out,
		"%s_place()\n{\n"
		"\tlocal i place=0 word list\n"
		"\tfor ((i = 2; i < $1; i++)); do\n"
		"\t\tword=${COMP_WORDS[i]}\n"
		"\t\tif [ \"$word\" = : ] || { [ \"${COMP_WORDS[i + 1]}\" = = ] && [ \"${word#-}\" != \"$word\" ]; }; "
		"then\n"
		"\t\t\ti=$((i + 1 + $([ \"$word\" = : ] && echo 0 || echo 1)))\n"
		"\t\telif [[ $valued == *\" $word \"* ]]; then\n"
		"\t\t\ti=$((i + 1))\n"
		"\t\telif [ \"${word#-}\" = \"$word\" ]; then\n"
		"\t\t\tplace=$((place + 1))\n"
		"\t\tfi\n"
		"\tdone\n"
		"\tread -ra list <<<\"$places\"\n"
		"\t[ \"${#list[@]}\" -gt 0 ] || return\n"
		"\t[[ ${list[-1]} != *+ ]] || [ \"$place\" -lt \"${#list[@]}\" ] || place=$((${#list[@]} - 1))\n"
		"\tkind=${list[place]-} kind=${kind%%+}\n"
		"}\n", name);
	/* asked of the program; whatever goes wrong, there is nothing to offer */
	fprintf(out,
		"%s_words()\n{\n"
		"\tlocal i word options=() run=()\n"
		"\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
		"\t\tcase ${COMP_WORDS[i]} in\n"
		"\t\t--store | -s | --config)\n"
		"\t\t\tword=${COMP_WORDS[i + 1]}\n"
		"\t\t\t[ \"$word\" != = ] || word=${COMP_WORDS[i + 2]}\n"
		"\t\t\toptions+=(\"${COMP_WORDS[i]}\" \"$word\")\n"
		"\t\t\t;;\n"
		"\t\tesac\n"
		"\tdone\n"
		"\ttype -P timeout >/dev/null && run=(timeout 2)\n"
		"\t\"${run[@]}\" \"${COMP_WORDS[0]}\" %s \"$1\" \"${options[@]}\" 2>/dev/null </dev/null\n"
		"}\n", name, program->words_command);
	/* those that begin with cur, as they are typed; with nothing typed only the newest */
	fprintf(out,
		"%s_offer()\n{\n"
		"\tlocal word\n"
		"\twhile IFS= read -r word; do\n"
		"\t\tprintf -v word %%q \"$word\"\n"
		"\t\t[[ $word != \"$cur\"* ]] || COMPREPLY+=(\"$word\")\n"
		"\t\t[ -n \"$cur\" ] || [ \"${#COMPREPLY[@]}\" -lt 60 ] || break\n"
		"\tdone < <(%s_words \"$1\")\n"
		"}\n", name, name);
}

/* What is neither an option nor its value, or an option's value that is a capture. */
static void put_asking(const struct vk_cli_program *program, FILE *out)
{
	char name[64];

	function_name(program->name, name, sizeof(name));
	fprintf(out,
		"\t\t[ \"$takes\" = yes ] || %s_place \"$from\"\n"
		"\t\tcase $cur in */*) [ \"$kind\" != capture ] || kind=file ;; esac\n"
		"\t\tcase $kind:$cur in capture:* | any:?*) %s_offer captures ;; esac\n"
		"\t\t# names of captures are quoted already\n"
		"\t\t[ \"${#COMPREPLY[@]}\" -gt 0 ] || compopt -o filenames 2>/dev/null\n"
		"\t\tcase $kind in lun | any) %s_offer luns ;; esac\n"
		"\t\tif [ \"$kind\" != capture ] || [ \"${#COMPREPLY[@]}\" -eq 0 ]; then\n"
		"\t\t\tmapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$cur\")\n"
		"\t\tfi\n"
		"\t\t# bash replaces what stands behind the colon only\n"
		"\t\t[ \"$from\" = \"$at\" ] || COMPREPLY=(\"${COMPREPLY[@]#\"${cur%%\"${cur##*:}\"}\"}\")\n",
		name, name, name);
}

void vk_cli_bash_completion(const struct vk_cli_program *program, FILE *out)
{
	fprintf(out, "# SPDX-License-Identifier: Apache-2.0\n# bash completion of %s, generated from the command "
		"table\n", program->name);
	put_functions(program, out);
	put_name(out, program->name);
	fputs("()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=\"\" takes=no kind=\"\" words=\"\" options=\"\" done=\"\" "
	      "first=\"\" word places=\"\" valued=\"\" from\n\tlocal at=$COMP_CWORD\n"
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
	      "\t# and latest:LABEL as well\n"
	      "\tfrom=$at\n"
	      "\tif [ \"$at\" -gt 2 ] && [ \"$cur\" = : ]; then\n"
	      "\t\tfrom=$((at - 1)) cur=${COMP_WORDS[at - 1]}:\n"
	      "\telif [ \"$at\" -gt 3 ] && [ \"${COMP_WORDS[at - 1]}\" = : ]; then\n"
	      "\t\tfrom=$((at - 2)) cur=${COMP_WORDS[at - 2]}:$cur\n"
	      "\tfi\n"
	      "\t[ \"$from\" = \"$at\" ] || prev=${COMP_WORDS[from - 1]}\n"
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
	      "\telse\n",
	      out);
	if (program->words_command != NULL)
		put_asking(program, out);
	else
		fputs("\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
		      "\t\tcompopt -o filenames 2>/dev/null\n", out);
	fputs("\tfi\n"
	      "}\ncomplete -o bashdefault -o default -F ",
	      out);
	put_name(out, program->name);
	fprintf(out, " %s\n", program->name);
}
