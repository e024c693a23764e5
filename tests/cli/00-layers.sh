#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rules of the tree that a compiler does not check.
. "$(dirname "$0")/../lib.sh"
cd "$ROOT" || exit 1

# what the files of a folder may include, besides their own folder
declare -A may=(
	[base]="" [disk]="base" [io]="base" [vol]="base disk io" [fs]="base disk io vol" [scsi]="base disk io vol"
	[find]="base disk io vol" [rebuild]="base disk io vol find"
	[store]="base disk io vol fs scsi" [repair]="base disk io vol fs scsi find rebuild store"
	[doctor]="base disk io vol fs scsi find rebuild store repair"
	[report]="base disk io vol fs scsi find rebuild store repair doctor" [cli]="base"
	[cmd]="base disk io vol fs scsi find rebuild store repair doctor report cli" [lab]="base disk io vol cli"
	[tools]="base disk io vol fs scsi find rebuild store repair doctor report cli cmd lab"
)
# the layer of each public header
declare -A layer=(
	[error]=base [text]=base [finding]=base [layout]=disk [mbr]=disk [gpt]=disk [fat_boot]=disk [vmfs_uuid]=disk [scsi_id]=disk
	[lvm]=disk [fs_descriptor]=disk [heartbeat]=disk [lock]=disk [file_descriptor]=disk [resource_file]=disk
	[io]=io [overlay]=io [place]=vol [table]=vol [vmfs]=vol
	[source]=vol [luns]=scsi [capture]=store [of_disk]=store [store]=store [ledger]=store [signature]=store [diff]=store [retention]=store [import]=store [vouch]=store
	[restore]=repair [foreign]=find [find]=find [rebuild_table]=rebuild [rebuild_header]=rebuild [repair]=repair
	[doctor]=doctor [vmfskit]=cmd
)

bad=
check_include() {
	local file=$1 folder=$2 header=$3 target
	if [ "${header%%/*}" = vmfskit ]; then
		target=$(basename "$header" .h)
		target=${layer[$target]:-unknown}
	elif [ "$header" = "${header#*/}" ]; then
		bad+="$file includes \"$header\": name its folder too"$'\n'
		return
	else
		target=${header%%/*}
	fi
	case " $folder ${may[$folder]} " in
	*" $target "*) ;;
	*) bad+="$file ($folder) includes $header ($target)"$'\n' ;;
	esac
}
includes=0
for file in src/*/*.c src/*/*.h; do
	folder=$(basename "$(dirname "$file")")
	if [ -z "${may[$folder]+x}" ]; then
		bad+="$folder: not a layer"$'\n'
		continue
	fi
	while read -r header; do
		includes=$((includes + 1))
		check_include "$file" "$folder" "$header"
	done < <(sed -n 's/^#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$file")
done
for file in include/vmfskit/*.h; do
	name=$(basename "$file" .h)
	if [ -z "${layer[$name]+x}" ]; then
		bad+="$file belongs to no layer"$'\n'
		continue
	fi
	while read -r header; do
		includes=$((includes + 1))
		check_include "$file" "${layer[$name]}" "$header"
	done < <(sed -n 's/^#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$file")
done
is "includes point downwards only" "$bad" ""
ok "there were includes to look at" [ "$includes" -gt 100 ]

is "disk/ includes no stdio, unistd, errno, fcntl, stdlib, time" \
	"$(grep -nE '#[ \t]*include[ \t]*<(stdio|unistd|errno|fcntl|stdlib|time|sys/.*)\.h>' src/disk/*)" ""
is "disk/ allocates and prints nothing" "$(grep -nwE '(malloc|calloc|realloc|strdup|free|printf|fprintf|puts)[ ]*\(' src/disk/*)" ""
is "the library prints nothing" "$(grep -nE '\b(printf|puts|putchar|perror)\(|\b(stdout|stderr)\b' \
	$(ls src/{base,disk,io,vol,fs,scsi,find,rebuild,store,repair,doctor}/*.c 2>/dev/null) | grep -vE '^[^:]*:[0-9]+:[ \t]*(/?\*|//)')" ""

# an unnamed temporary file is nobody's disk
opening='\b(O_RDWR|O_WRONLY|O_CREAT)\b|\bf(d|re)?open\([^;]*"([wa]|r[bexm]*\+)'
writers() {
	grep -HE "$opening" "$@" 2>/dev/null | grep -vE 'O_TMPFILE|memfd|^[^:]*:[ \t]*(/?\*|//)' | cut -d : -f 1 | sort -u
}
is "one file writes disks, and it is in repair/" "$(writers src/repair/*.c | wc -l)" 1
is "one file of find/ writes: the state of a scan" "$(writers src/find/*.[ch])" src/find/scan/scan_file.c
is "nothing else opens for writing" \
	"$(writers $(ls src/{base,disk,io,vol,fs,scsi,rebuild,doctor,report,cli,cmd}/*.[ch] 2>/dev/null | grep -vx 'src/base/crash_point.c' |
		grep -vx src/cmd/shared/output_file.c))" ""

is "files of at most 450 lines" \
	"$(wc -l src/*/*.[ch] include/vmfskit/*.h tests/*/*.c | awk '$2 != "total" && $1 > 450')" ""
is "functions of at most 90 lines" "$(awk '/^\{/ { start = FNR } /^\}/ && start { if (FNR - start > 90) print FILENAME ":" start; start = 0 }' \
	src/*/*.c)" ""

sources() {
	find . \( -name .git -o -path "./$(realpath --relative-to=. "$BUILD")" -o -name corpus \) -prune -o -type f \( -name '*.[ch]' \
		-o -name '*.sh' -o -name '*.md' -o -name '*.in' -o -name '*.map' -o -name Makefile -o -path './.ci/*' -o -name '.clang*' \) -print
}
is "an SPDX line in every file" \
	"$(sources | while read -r file; do head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file"; done)" ""
is "a line of purpose in every source file" \
	"$(for file in src/*/*.[ch] include/vmfskit/*.h tests/*/*.c; do sed -n 2p "$file" | grep -qE '^/\*' || echo "$file"; done)" ""
word='TO''DO|FIX''ME|X''XX|HA''CK'
is "nothing left open" "$(sources | xargs grep -nwE "$word" | grep -v '^\./docs/')" ""
is "public headers stand alone" "$(for file in include/vmfskit/*.h; do
	echo "#include \"$file\"" | ${CC:-gcc} -std=c17 -Wall -Wextra -Werror -Iinclude -I. -fsyntax-only -x c - 2>&1; done)" ""
