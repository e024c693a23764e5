#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Help, exit codes, manual pages and completion of both programs, for every verb there is.
. "$(dirname "$0")/../lib.sh"

verbs() { "$1" help | awk '/^verbs:/ { on = 1; next } /^$/ { on = 0 } on && /^  [a-z]/ { print $1 }'; }
# long options in a verb's help, without --help
options() { "$1" help "$2" | awk '/^options:/ { on = 1; next } /^$/ { on = 0 } on && match($0, /^  (-.,|   ) --[a-z0-9-]+/) {
	split(substr($0, 1, RLENGTH), w, "--"); print "--" w[2] }' | grep -vx -e --help; }

is "verbs of vmfskit" "$(verbs "$VMFSKIT" | tr '\n' ' ')" "doctor decode find diff lunid explain ls stat map cat cp undelete mount check capture import list status verify drill prune pin restore repair undo wipe "
exits "vmfskit alone" 2 "$VMFSKIT"
is "vmfskit alone: nothing where results go" "$(cat "$OUT")" ""
is "vmfskit alone: its verbs, in four groups" "$(grep -E '^ [a-z]' "$ERR")" " look (no disk is written):
 look into a volume (no disk is written):
 keep (no disk is written):
 put back (nothing is written without --write):"
has "vmfskit alone: where more is" "$ERR" '^more: vmfskit --help, vmfskit help VERB, man vmfskit$'
ok "vmfskit alone: fits a screen of 34 lines" [ "$(wc -l <"$ERR")" -le 34 ]
for program in "$VMFSKIT" "$LAB"; do
	p=$(basename "$program")
	ok "$p --help" "$program" --help
	has "$p --help: names the verbs" "$OUT" '^verbs:'
	has "$p --help: names the exit codes" "$OUT" '^  3  refused'
	is "$p --help: nothing on stderr" "$(cat "$ERR")" ""
	ok "$p --version" "$program" --version
	has "$p --version: name and number" "$OUT" "^$p [0-9]+\.[0-9]+\.[0-9]+\$"
	exits "$p without a verb" 2 "$program"
	is "$p without a verb: nothing on stdout" "$(cat "$OUT")" ""
	has "$p without a verb: usage on stderr" "$ERR" '^usage: '
	exits "$p with an unknown verb" 2 "$program" nosuchverb
	has "$p with an unknown verb: what to try" "$ERR" "^try: $p --help"
	exits "$p help of an unknown verb" 2 "$program" help nosuchverb
	exits "$p --version and more" 2 "$program" --version more

	run verbs "$program"
	list=$(cat "$OUT")
	ok "$p has verbs" [ -n "$list" ]
	for verb in $list; do
		ok "$p $verb --help" "$program" "$verb" --help
		has "$p $verb --help: usage" "$OUT" "^usage: $p $verb "
		cp "$OUT" "$TMP/help"
		ok "$p help $verb" "$program" help "$verb"
		same "$p help $verb: the same" "$OUT" "$TMP/help"
		is "$p help $verb: at most 100 columns" "$(grep -vE '^  ' "$OUT" | awk 'length($0) > 100')" ""
		exits "$p $verb: unknown option" 2 "$program" "$verb" --nosuchoption
		has "$p $verb: names the unknown option" "$ERR" '--nosuchoption'
		has "$p $verb: shows its usage" "$ERR" "^usage: $p $verb "
		has "$p $verb: says what to try" "$ERR" "^try: $p $verb --help"
		is "$p $verb: unknown option, nothing on stdout" "$(cat "$OUT")" ""
		exits "$p $verb: abbreviated option" 2 "$program" "$verb" --hel
		near=${verb}x
		exits "$p $near: unknown" 2 "$program" "$near"
		has "$p $near: suggests $verb" "$ERR" "$verb is near"

		page=$BUILD/generated/man/$p-$verb.1
		ok "$p-$verb.1 exists" [ -s "$page" ]
		run groff -man -ww -Tutf8 "$page"
		is "$p-$verb.1: groff is quiet" "$(cat "$ERR")" ""
		col -b <"$OUT" >"$TMP/page" 2>/dev/null || sed 's/\x1b\[[0-9;]*m//g' "$OUT" >"$TMP/page"
		sed -i 's/\x1b\[[0-9;]*m//g' "$TMP/page"
		missing=
		for option in $(options "$program" "$verb"); do
			grep -q -e "$option" "$TMP/page" || missing+="$option "
		done
		is "$p-$verb.1: every option" "$missing" ""
	done
	run groff -man -ww -Tutf8 "$BUILD/generated/man/$p.1"
	is "$p.1: groff is quiet" "$(cat "$ERR")" ""
	if command -v mandoc >/dev/null; then
		run mandoc -T lint -W warning "$BUILD/generated/man/$p.1" "$BUILD"/generated/man/"$p"-*.1
		is "$p: mandoc is quiet" "$(cat "$OUT" "$ERR")" ""
	else
		skip "$p: mandoc is quiet" "there is no mandoc"
	fi

	# completion: in a bash that has only this file
	ok "$p: the completion is bash" bash -n "$BUILD/generated/completion/$p"
	complete_words() {
		bash --norc --noprofile -c '
			source "$1"; shift
			COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
			compopt() { :; }
			"_${COMP_WORDS[0]//-/_}"
			printf "%s\n" "${COMPREPLY[@]}"' bash "$BUILD/generated/completion/$p" "$@"
	}
	for verb in $list; do
		is "$p <TAB>: $verb" "$(complete_words "$p" "$verb" | grep -cx -e "$verb")" 1
		is "$p $verb --<TAB>: its options" "$(complete_words "$p" "$verb" -- | grep -vx -e --help | sort | tr '\n' ' ')" \
			"$(options "$program" "$verb" | sort | tr '\n' ' ')"
	done
done
is "vmfskit decode --as p<TAB>" "$(p=vmfskit; complete_words vmfskit decode --as p)" partition
is "vmfskit decode --as=p<TAB>" "$(p=vmfskit; complete_words vmfskit decode --as = p)" partition
is "vmfskit restore --part table,l<TAB>" "$(p=vmfskit; complete_words vmfskit restore --part table,l)" table,lvm
is "vmfskit help l<TAB>" "$(p=vmfskit; complete_words vmfskit help l)" "lunid
ls
list"

# options
exits "missing value" 2 "$VMFSKIT" decode --as
has "missing value: named" "$ERR" 'option --as wants a value'
exits "value of a flag" 2 "$VMFSKIT" decode --json=yes x
has "value of a flag: named" "$ERR" 'option --json takes no value'
exits "value that is no choice" 2 "$VMFSKIT" decode --as floppy x
has "value that is no choice: the choices" "$ERR" 'disk partition volume header'
exits "no arguments" 2 "$VMFSKIT" decode
exits "too many arguments" 2 "$VMFSKIT" restore a b c
has "too many arguments: which" "$ERR" 'one argument too many: c'
exits "a file that is not there" 4 "$VMFSKIT" decode "$TMP/nosuchfile"
has "a file that is not there: named" "$ERR" "^vmfskit: .*nosuchfile"
head -c 4096 /dev/zero >"$TMP/zeros"
run "$VMFSKIT" decode "$TMP/zeros" --json
cp "$OUT" "$TMP/first"
run "$VMFSKIT" decode --json -- "$TMP/zeros"
same "options before or behind the arguments" "$OUT" "$TMP/first"
POSIXLY_CORRECT=1 run "$VMFSKIT" decode "$TMP/zeros" --json
same "options behind the arguments with POSIXLY_CORRECT" "$OUT" "$TMP/first"
cd "$TMP" || exit 1
cp zeros ./--json
run "$VMFSKIT" decode -- --json
has "a file named like an option" "$OUT" '--json'

# where the results go
full() { "$@" >/dev/full; }
closed() { "$@" >&-; }
exits "results to a full disk" 4 full "$VMFSKIT" help
has "results to a full disk: why" "$ERR" 'No space left'
exits "results to a closed stream" 4 closed "$VMFSKIT" help
slow() { (trap '' PIPE; sleep 0.3; "$@" 2>"$TMP/broken"; echo $? >"$TMP/code") | :; }
slow "$VMFSKIT" help
is "results to a pipe that nobody reads" "$(cat "$TMP/code")" 4
has "results to a pipe that nobody reads: why" "$TMP/broken" 'Broken pipe'
exits "all streams closed" 4 bash -c '"$1" decode "$2" <&- >&- 2>&-' bash "$VMFSKIT" "$TMP/zeros"

# one letter, one meaning: in every verb that has the option
for verb in doctor decode find capture import list status verify diff restore repair undo drill prune pin; do
	run "$VMFSKIT" $verb --help
	for option in s:store j:json; do
		hasnt "$verb: --${option#*:} has its letter" "$OUT" "^ +--${option#*:}( |\$)"
		hasnt "$verb: the letter is no other option's" "$(grep -E "^ +-${option%:*}, " "$OUT" | grep -vE -- "--${option#*:}( |\$)")" .
	done
done
mkdir -m 700 "$TMP/empty"
exits "and the letter works" 0 "$VMFSKIT" list -s "$TMP/empty" -j
