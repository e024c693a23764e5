#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rules of the tree that a compiler does not check, and that each of them sees when it is broken.
. "$(dirname "$0")/../lib.sh"
cd "$ROOT" || exit 1

. "$ROOT/tests/rules.sh"

objects=$BUILD/obj/src
is "includes point downwards only" "$(rule_includes)" ""
is "no circle of files or folders" "$(rule_circles "$objects")" ""
ok "there were uses to look at" [ "$(uses "$objects" | wc -l)" -gt 1000 ]
is "rooms of at most 32 files" "$(rule_rooms)" ""
is "no struct tag is defined twice" "$(rule_tags)" ""
is "lines of at most 120 columns" "$(rule_columns)" ""
is "no static function has a name of one such word" "$(rule_names)" ""
is "files of at most 450 lines, functions of at most 90" "$(rule_sizes)" ""
is "what fills practice volumes shares rows of structures only with the readers" "$(rule_apart)" ""
is "disk/ neither allocates nor prints, and knows no system" "$(rule_disk)" ""
is "the library prints nothing" "$(rule_silent)" ""
is "only the writer of disks, the state of a scan and output files are opened for writing" "$(rule_writers)" ""
is "no phrase that has to be read twice" "$(rule_words)" ""
is "errors, findings and notes begin in lower case" "$(rule_lower)" ""

# --- each rule, in a tree that breaks it
mkdir "$TMP/tree"
cp -r src include tests cron docs README.md "$TMP/tree" 2>/dev/null
# broken NAME RULE WHAT-IT-MUST-NAME FILE TEXT: with the text appended to that file the rule speaks of it
broken() {
	local kept=
	[ ! -e "$TMP/tree/$4" ] || kept=$(mktemp "$TMP/kept.XXXXXX") && cp "$TMP/tree/$4" "$kept" 2>/dev/null
	mkdir -p "$TMP/tree/${4%/*}"
	printf "$5" >>"$TMP/tree/$4"
	has "$1 is seen" "$(cd "$TMP/tree" && "rule_$2")" "$3"
	if [ -s "${kept:-}" ]; then cp "$kept" "$TMP/tree/$4"; else rm "$TMP/tree/$4"; fi
}
broken "an include that points upwards" includes 'base/text\.c .*doctor/doctor\.h' src/base/text.c '#include "doctor/doctor.h"\n'
broken "an include between rooms of one floor" includes 'store/plan/plan\.c .*store/ledger' src/store/plan/plan.c '#include "store/ledger/x.h"\n'
broken "an include without its folder" includes 'io/io\.c .*no folder' src/io/io.c '#include "range_set.h"\n'
broken "a folder that no rule knows" includes 'attic/x\.c' src/attic/x.c '/* */\n'
broken "a public header that no rule knows" includes 'vmfskit/new\.h' include/vmfskit/new.h '/* */\n'
broken "a public header that includes upwards" includes 'vmfskit/gpt\.h .*vmfskit/doctor' include/vmfskit/gpt.h '#include "vmfskit/doctor.h"\n'
broken "a struct tag that is used twice" tags '^vk_text$' src/cmd/shared/verbs.h 'struct vk_text {\n};\n'
broken "a line that is too long" columns 'base/text\.c:' src/base/text.c "$(printf '/* %0130d */' 0)\n"
broken "a line that its tabs make too long" columns 'base/text\.c:' src/base/text.c "$(printf '\t\t\t\t/* %095d */' 0)\n"
broken "a static function named say" names 'base/text\.c:.* say' src/base/text.c 'static void say(int x)\n{\n}\n'
broken "a file that is too long" sizes 'base/text\.c' src/base/text.c "$(printf '\\n%.0s' {1..450})"
broken "a function that is too long" sizes 'x\.c:' src/base/x.c "int x(void)\n{\n$(printf '\\n%.0s' {1..95})}\n"
broken "a reader's function in what fills volumes" apart 'files/x\.c.*vk_address_decode' src/lab/files/x.c 'vk_address_decode(a, f, &x);\n'
broken "memory in disk/" disk 'malloc' src/disk/gpt.c 'p = malloc(1);\n'
broken "a system header in disk/" disk 'unistd' src/disk/gpt.c '#include <unistd.h>\n'
broken "a library that prints" silent 'vol/table\.c' src/vol/table.c '\tprintf("x");\n'
broken "a second writer of disks" writers 'repair/guard/x\.c' src/repair/guard/x.c 'fd = open(path, O_RDWR);\n'
broken "a writer outside of the store" writers 'vol/x\.c' src/vol/x.c 'fd = open(path, O_WRONLY);\n'
broken "a phrase over two lines" words 'base/text\.c: nobody vouches' src/base/text.c '"Nobody " \\\n\t"vouches"\n'
broken "an error that begins with a capital" lower 'base/text\.c: .*The disk is gone' src/base/text.c 'x = vk_error_set(err, VK_IO, path,\n\t"The disk "\n\t"is gone");\n'
broken "a finding that begins with a capital" lower 'finding_codes\.h: .*The disk is gone' include/vmfskit/finding_codes.h '\tF(X, "x", ERROR, "The disk is gone", "y") \\\n'
for i in {1..40}; do : >"$TMP/tree/src/base/room$i.c"; done
has "a room that is too full is seen" "$(cd "$TMP/tree" && rule_rooms)" 'src/base$'
rm "$TMP"/tree/src/base/room*.c
# four files in two folders: the files make no circle, the folders do; then the files, too
mkdir -p "$TMP"/tree/{objects,src}/{up,down}
unit() { # FOLDER/NAME TEXT
	echo "$2" >"$TMP/tree/src/$1.c"
	${CC:-gcc} -c -o "$TMP/tree/objects/$1.o" "$TMP/tree/src/$1.c" || fail "$1 compiles"
}
unit up/a 'void b(void); void a(void); void a(void) { b(); }'
unit down/b 'void b(void); void b(void) { }'
is "files without a circle are none" "$(cd "$TMP/tree" && rule_circles objects)" ""
unit down/c 'void d(void); void c(void); void c(void) { d(); }'
unit up/d 'void d(void); void d(void) { }'
has "a circle of folders is seen" "$(cd "$TMP/tree" && rule_circles objects)" 'loop.*(up.*down|down.*up)'
rm "$TMP"/tree/{src,objects}/up/d.*
unit down/d 'void c(void); void d(void); void d(void) { c(); }'
has "a circle of files is seen" "$(cd "$TMP/tree" && rule_circles objects)" 'down/[cd]\.o'

sources() {
	find . \( -name .git -o -path "./$(realpath --relative-to=. "$BUILD")" -o -name corpus \) -prune -o -type f \( -name '*.[ch]' \
		-o -name '*.sh' -o -name '*.md' -o -name '*.in' -o -name '*.map' -o -name Makefile -o -path './.ci/*' -o -name '.clang*' \) -print
}
is "an SPDX line in every file" \
	"$(sources | while read -r file; do head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file"; done)" ""
is "a line of purpose in every source file" \
	"$(for file in $(find src include tests -name "*.[ch]"); do sed -n 2p "$file" | grep -qE '^/\*' || echo "$file"; done)" ""
word='TO''DO|FIX''ME|X''XX|HA''CK'
is "nothing left open" "$(sources | xargs grep -nwE "$word" | grep -v '^\./docs/')" ""
is "public headers stand alone" "$(for file in include/vmfskit/*.h; do
	echo "#include \"$file\"" | ${CC:-gcc} -std=c17 -Wall -Wextra -Werror -Iinclude -I. -fsyntax-only -x c - 2>&1; done)" ""
