#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The names that the headers in include/vmfskit declare, one a line: what libvmfskit.so shows.
# Usage: src/tools/exports.sh [--map]; with --map as a version script. Functions and data count, inline functions, types and macros do not.
cd "$(dirname "$0")/../.." || exit 1

# all of them as the compiler sees them, what other headers declare left out
declared() {
	printf '#include "%s"\n' include/vmfskit/*.h | ${CC:-gcc} -std=gnu17 -Iinclude -I. -E -x c - |
		awk '/^# [0-9]+ "/ { ours = $3 ~ /include\/vmfskit\//; next } ours'
}
# a declaration ends with ; outside of braces; a name stands before the first ( or [ or at the end
names() {
	tr '\n' ' ' | sed -E 's/__attribute__ *\(\(([^()]|\([^()]*\))*\)\)//g' | awk '{
		depth = 0; text = ""
		n = length($0)
		for (i = 1; i <= n; i++) {
			c = substr($0, i, 1)
			if (c == "{") { depth++; if (depth == 1) text = text "{}" }
			else if (c == "}") { depth--; if (depth == 0 && text ~ /\).*\{\}$/) text = "" }
			else if (depth == 0 && c == ";") { print text; text = "" }
			else if (depth == 0) text = text c
		}
	}' | grep -vE '^ *(typedef|_Static_assert)|\{\} *$|^ *(struct|union|enum) +[a-z0-9_]+ *$' |
		sed -E 's/[([].*//; s/.*[^[:alnum:]_]([[:alnum:]_]+) *$/\1/' | grep -E '^vk_' | sort -u
}

case ${1-} in
--map)
	printf '/* made by src/tools/exports.sh from include/vmfskit */\nVMFSKIT_0 {\nglobal:\n'
	declared | names | sed 's/.*/\t&;/'
	printf 'local:\n\t*;\n};\n'
	;;
*) declared | names ;;
esac
