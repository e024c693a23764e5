#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Can the tests fail? Switches off every guard, every finding of verify, ledger and signature, and every check named in
# tests/mutations, one at a time, in a copy of the tree; builds it; and wants at least one test to fail. Takes an hour or two and is
# no part of make check.
#
#   tests/mutate.sh [WORD...]     all of them, or those whose name has one of the words
#   tests/mutate.sh --list        only their names
#   tests/mutate.sh --check       only whether each fits this tree: its text is there once, and its tests are there
#   MUTATE_JOBS=2                 how many copies of the tree are worked on at the same time
#
# One line for each: "killed NAME  by TEST: CASE" or "ALIVE NAME"; the exit code is 1 when one stayed alive.
set -u
cd "$(dirname "$0")/.." || exit 1
ROOT=$PWD
jobs=${MUTATE_JOBS:-2}

# Lines of five fields, $sep between them: name; file; the text that is there once; what it becomes; tests, as words for
# tests/run.sh. No tests: every one whose text names the guard or finding, the smallest first. \t, \n and \\ as in tests/mutations.
sep=$'\037'
row() { local IFS=$sep; printf '%s\n' "$*"; }
guards() {
	local id name
	sed -n '/define VK_GUARDS/,/enum vk_guard /s/^\tG(\([A-Z_]*\), "\([a-z-]*\)".*/\1 \2/p' include/vmfskit/restore.h |
		while read -r id name; do
			row "guard $name" src/repair/plan/objections.c '\tva_start(args, message);' \
				"\\tif (guard == VK_GUARD_$id)\\n\\t\\treturn VK_OK;\\n\\tva_start(args, message);" ""
		done
}
findings() {
	local id name
	sed -n 's/^\tF(\([A-Z_]*\), "\(\(capture\|ledger\|signature\|store\)\.[a-z-]*\)".*/\1 \2/p' include/vmfskit/finding_codes.h |
		while read -r id name; do
			row "finding $name" src/base/finding.c 'if (sink != NULL && sink->put != NULL)' \
				"if (sink != NULL && sink->put != NULL && finding->code != VK_F_$id)" ""
		done
}
others() {
	local file old new tests
	grep -v '^#' tests/mutations | tr '\t' "$sep" | while IFS=$sep read -r file old new tests; do
		row "check ${file##*/}: $(sed 's/^\(\\t\)*//' <<<"$old" | cut -c 1-70)" "$file" "$old" "$new" "$tests"
	done
}

wanted() {
	local name=$1 word
	shift
	[ $# -eq 0 ] && return 0
	for word; do case $name in *"$word"*) return 0 ;; esac; done
	return 1
}

list=()
while IFS= read -r line; do list+=("$line"); done < <(guards; findings; others)
[ "${1:-}" = --list ] && { printf '%s\n' "${list[@]%%"$sep"*}"; exit 0; }
# does_fit FILE OLD
does_fit() {
	perl -0777 -e '
		$old = shift;
		%of = (t => "\t", n => "\n", "\\" => "\\");
		$old =~ s/\\([tn\\])/$of{$1}/g;
		$n = () = <> =~ /\Q$old\E/g;
		exit($n != 1);
	' -- "$2" "$1"
}
if [ "${1:-}" = --check ]; then
	bad=0
	for line in "${list[@]}"; do
		IFS=$sep read -r name file old _ tests <<<"$line"
		does_fit "$file" "$old" || { echo "$name: its text is not there once in $file"; bad=1; }
		for test in $tests; do
			compgen -G "tests/$test[.-]*" >/dev/null || { echo "$name: there is no test $test"; bad=1; }
		done
	done
	exit $bad
fi
chosen=()
for line in "${list[@]}"; do wanted "${line%%"$sep"*}" "$@" && chosen+=("$line"); done
[ ${#chosen[@]} -gt 0 ] || { echo "mutate.sh: nothing has that name" >&2; exit 2; }

work=$(mktemp -d "${TMPDIR:-/tmp}/vmfskit-mutate.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; wait; exit 130' INT TERM
[ -d ../shared/data ] && ln -s "$(cd ../shared && pwd)" "$work/shared"

# tests that name a guard or finding in their text, as words for tests/run.sh
tests_of() {
	local word=$1 id
	id=$(tr 'a-z.-' 'A-Z__' <<<"$word")
	{
		grep -lE "VK_(GUARD|F)_$id\b" tests/unit/test_*.c | sed 's|tests/unit/\(.*\)\.c|unit/\1|'
		grep -lE "(^|[^a-z-])${word//./\\\\?\\.}([^a-z-]|\$)" tests/cli/[2-9]*.sh | xargs -r wc -l | sort -n |
			sed -n 's|.*tests/cli/\(.*\)\.sh|cli/\1|p'
	}
}

# replace FILE OLD NEW
replace() {
	perl -0777 -i -pe '
		BEGIN {
			($old, $new) = splice @ARGV, 0, 2;
			%of = (t => "\t", n => "\n", "\\" => "\\");
			s/\\([tn\\])/$of{$1}/g for $old, $new;
		}
		$n = () = /\Q$old\E/g;
		$n == 1 or die "$ARGV: $n places have this text: $old\n";
		s/\Q$old\E/$new/;
	' -- "$2" "$3" "$1"
}

# build what TEST needs, quietly
build() {
	local goals=(build/vmfskit build/vmfskit-lab build/hooks/vmfskit)
	case $1 in unit/*) goals=("build/$1") ;; esac
	make -s "${goals[@]}" >"$PWD/../$2.log" 2>&1
}

# one NUMBER LINE COPY
one() {
	local number=$1 copy=$3 name file old new tests test verdict
	IFS=$sep read -r name file old new tests <<<"$2"
	cd "$work/$copy" || exit 1
	[ -n "$tests" ] || tests=$(tests_of "${name#* }")
	verdict="ALIVE  $name  ($(wc -w <<<"$tests") tests)"
	if ! replace "$file" "$old" "$new" 2>"../$number.why"; then
		verdict="ALIVE  $name  ($(cat "../$number.why"))"
		tests=
	fi
	for test in $tests; do
		# what does not build is no test that failed
		if ! build "$test" "$number"; then
			verdict="ALIVE  $name  (does not build: $(grep -m 1 error "../$number.log"))"
			break
		fi
		if ! TEST_JOBS=1 tests/run.sh "$test" >"../$number.out" 2>&1; then
			verdict="killed $name  by $test: $(sed -n 's/^ *not ok [-0-9 ]*//p' "../$number.out" | head -n 1)"
			break
		fi
	done
	echo "$verdict" >"../$number.verdict"
	echo "$verdict"
	cp "$ROOT/$file" "$file"
}

for ((copy = 0; copy < jobs; copy++)); do
	mkdir "$work/$copy" || exit 1
	git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$work/$copy" || exit 1
	(cd "$work/$copy" && make -s build/vmfskit build/vmfskit-lab build/hooks/vmfskit >/dev/null) || exit 1
done
for ((copy = 0; copy < jobs; copy++)); do
	for ((i = copy; i < ${#chosen[@]}; i += jobs)); do one "$i" "${chosen[i]}" "$copy"; done &
done
wait
alive=$(cat "$work"/*.verdict | grep -c '^ALIVE')
# a test that fails in the tree as it is has proved nothing
broken=0
cd "$work/0" || exit 1
for test in $(sed -n 's/^killed .*  by \([^:]*\): .*/\1/p' "$work"/*.verdict | sort -u); do
	build "$test" broken && TEST_JOBS=1 tests/run.sh "$test" >../broken.out 2>&1 && continue
	broken=$((broken + 1))
	echo "$test fails without any change: $(sed -n 's/^ *not ok [-0-9 ]*//p' ../broken.out | head -n 1)"
done
echo "$((${#chosen[@]} - alive)) killed, $alive alive, $broken tests fail without any change"
[ $((alive + broken)) -eq 0 ]
