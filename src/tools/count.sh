#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How large the sources are: files, lines and tokens of src and include, by folder. Comments are no tokens, a text or a number is one,
# an operator is one. Usage: src/tools/count.sh [TREE]
cd "${1:-$(dirname "$0")/../..}" || exit 1
token='"([^"\\]|\\.)*"|'"'([^'\\\\]|\\\\.)*'"'|[[:alnum:]_.]+|->|\+\+|--|<<=?|>>=?|[-+*/%&|^=!<>]=|&&|\|\||##|[^[:space:]]'
folders=$(find src include -name '*.[ch]' -printf '%h\n' | sort -u)
printf '%-22s %6s %7s %8s\n' folder files lines tokens
files=0 lines=0 tokens=0
for folder in $folders; do
	mapfile -t list < <(find "$folder" -maxdepth 1 -name '*.[ch]')
	l=$(cat "${list[@]}" | wc -l)
	t=$(for file in "${list[@]}"; do ${CC:-gcc} -fpreprocessed -dD -E -P -x c "$file" 2>/dev/null; done | grep -oE "$token" | wc -l)
	printf '%-22s %6d %7d %8d\n' "$folder" "${#list[@]}" "$l" "$t"
	files=$((files + ${#list[@]})) lines=$((lines + l)) tokens=$((tokens + t))
done
printf '%-22s %6d %7d %8d\n' total "$files" "$lines" "$tokens"
