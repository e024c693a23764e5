# SPDX-License-Identifier: Apache-2.0
# Keeps a page true whose console blocks are commands with what they print: to be sourced behind lib.sh. A line "..." stands for any
# lines. A block stands behind "<!-- scene: NAME -->". UPDATE=1 writes what is printed into the blocks that have no such line.
#
#   keep_page PAGE COMMANDS LEAST   runs the blocks; COMMANDS: a pattern of what is run behind "# "; at least so many blocks
#
# The test defines set_scene NAME, which makes what a scene needs, and obey LINE, which runs a command and prints what it printed.

# matches WANTED GOT: lines "..." stand for any lines
matches() {
	perl -e 'my ($w, $g) = map { local (@ARGV, $/) = $_; scalar <> } @ARGV;
		my $re = join "", map { $_ eq "...\n" ? "(?:.*\n)*?" : quotemeta } split /(?<=\n)/, $w;
		exit($g =~ /\A$re\z/ ? 0 : 1)' "$1" "$2"
}

keep_page() {
	local page=$1 commands=$2 least=$3 block='' in_block=0 scene='' count=0 line told first
	: >new.md
	while IFS= read -r line || [ -n "$line" ]; do
		case $in_block:$line in
		0:'<!-- scene: '*)
			scene=${line#<!-- scene: }
			scene=${scene% -->}
			set_scene "$scene" || fail "the scene $scene can be set"
			;;
		'0:```console') in_block=1 block='' ;;
		'1:```')
			in_block=0
			count=$((count + 1))
			printf '%s' "$block" >wanted
			: >got
			while IFS= read -r told; do
				[[ $told =~ ^'# '($commands)' ' ]] || continue
				printf '%s\n' "$told" >>got
				obey "${told#\# }" >>got
			done <wanted
			first=$(grep -m 1 '^# ' wanted | tail -c +3)
			if matches wanted got; then
				pass "$scene: $first"
			elif [ "${UPDATE:-}" = 1 ] && ! grep -qx '\.\.\.' wanted; then
				block=$(cat got)$'\n'
				pass "$scene: written anew"
			else
				fail "$scene: $first" "$(diff wanted got | head -n 40)"
			fi
			printf '%s' "$block" >>new.md
			;;
		1:*) block+=$line$'\n' ;;
		esac
		[ $in_block -eq 1 ] && [ "$line" != '```console' ] || printf '%s\n' "$line" >>new.md
	done <"$page"
	ok "there were commands to run" [ "$count" -ge "$least" ]
	is "no block is left open" "$in_block" 0
	[ "${UPDATE:-}" != 1 ] || cp new.md "$page"
}
