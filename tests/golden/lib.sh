# SPDX-License-Identifier: Apache-2.0
# Golden cases: a folder here or in samples/ with
#
#   input.hex      bytes as text: "offset: hex bytes" or a line of hexdump -C; what lies between is a hole
#   input.txt      or: handed over as it is (a pasted listing)
#   make.sh        or: a script that makes the input; called with the name to write and the folder of the case
#   cmd            arguments of vmfskit, with @INPUT@ and @CASE@; the words are split at blanks
#   expected.txt   its standard output
#   expected.exit  its exit code (0 when there is no such file)
#   origin.txt     where the bytes come from
#
# To be sourced after tests/lib.sh.

golden_cases() {
	local file
	for file in "$ROOT"/tests/golden/*/cmd "$ROOT"/samples/*/cmd; do
		[ -e "$file" ] && dirname "$file"
	done
}

# bytes of input.hex; two blanks and more or a bar end the hex digits of a line, as hexdump -C has them
unhex() {
	awk '
	BEGIN { for (i = 0; i < 256; i++) { h = sprintf("%02x", i); oct[h] = sprintf("\\%03o", i) } }
	function number(text,  i, n) {
		n = 0
		for (i = 1; i <= length(text); i++) n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
		return n
	}
	/^[ \t]*(#|$)/ { next }
	{
		line = tolower($0)
		sub(/\|.*/, "", line)
		sub(/\r$/, "", line)
		count = split(line, word, /[ \t]+/)
		first = word[1] == "" ? 2 : 1
		sub(/:$/, "", word[first])
		at = number(word[first])
		bytes = ""
		for (i = first + 1; i <= count; i++) {
			text = word[i]
			for (j = 1; j + 1 <= length(text); j += 2) bytes = bytes oct[substr(text, j, 2)]
		}
		if (bytes != "") printf "%d %s\n", at, bytes
	}' "$1" | while read -r at bytes; do
		printf "%b" "$bytes" | dd of="$2" bs=64K oflag=seek_bytes seek="$at" conv=notrunc status=none
	done
}

# Run a case in a fresh folder: sets $OUT, $ERR, $CODE. CASE is its folder.
golden_run() {
	local case=$1 dir words=() word input=input.bin
	dir=$(mktemp -d "$TMP/golden.XXXXXX") || return 1
	cd "$dir" || return 1
	if [ -e "$case/input.hex" ]; then
		unhex "$case/input.hex" input.bin
	elif [ -e "$case/input.txt" ]; then
		input=input.txt
		cp "$case/input.txt" input.txt
	elif [ -e "$case/make.sh" ]; then
		bash "$case/make.sh" input.bin "$case" >"$ERR" 2>&1 || { CODE=make; return 1; }
	fi
	read -ra words < <(tr '\n' ' ' <"$case/cmd")
	for word in "${!words[@]}"; do
		words[word]=${words[word]//@INPUT@/$input}
		words[word]=${words[word]//@CASE@/$case}
	done
	run "$VMFSKIT" "${words[@]}"
	cd "$ROOT" || return 1
	rm -rf "$dir"
}
