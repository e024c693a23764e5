#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The pages in the tree are those that the tables yield; links and commands in the words exist.
. "$(dirname "$0")/../lib.sh"
cd "$ROOT" || exit 1

for file in "$BUILD"/generated/*.md "$BUILD"/generated/man/*.1; do
	name=${file#"$BUILD"/generated/}
	told=$(diff -u "docs/$name" "$file" 2>&1 | head -n 20)
	is "docs/$name is what the tables yield (else: make docs)" "$told" ""
done
is "no page of a verb that is gone" "$(comm -23 <(ls docs/man) <(ls "$BUILD/generated/man"))" ""
is "every layout is in docs/format.md" "$(grep -c '^## ' docs/format.md)" \
	"$(sed -n '/vk_layouts\[\] = {/,/NULL/p' src/disk/layouts.c | grep -o '&vk_' | wc -l)"

broken=
for file in README.md docs/*.md samples/*.md; do
	[ -e "$file" ] || continue
	while read -r link; do
		case $link in http* | '#'*) continue ;; esac
		[ -e "$(dirname "$file")/${link%%#*}" ] || broken+="$file: $link "
	done < <(grep -oE '\]\([^)]+\)' "$file" | sed 's/^](//; s/)$//')
done
is "links lead somewhere" "$broken" ""
is "targets of make named in README exist" "$(grep -oE '`make [a-z-]+' README.md docs/*.md | sed 's/.*`make //' | sort -u |
	while read -r target; do grep -qE "^$target:" Makefile || echo "$target"; done)" ""
is "findings named in the pages exist" "$(grep -ohE '`(source|structure|mbr|ebr|gpt|table|lvm|volume|fs|heartbeat|lock|capture)\.[a-z-]+`' \
	README.md docs/design.md samples/README.md | tr -d '\140' | sort -u |
	while read -r code; do grep -qhF "\"$code\"" include/vmfskit/finding_codes*.h || echo "$code"; done)" ""
