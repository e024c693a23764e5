#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rules of the tree that a compiler does not check, one function each: run in the top of a tree, it prints what breaks the rule and
# nothing when all is well. To be sourced; tests/cli/00-layers.sh applies them to this tree, and each to one that breaks it.

# which other folders the files of a folder may include; "store/*" stands for all folders of the store
library="base explain disk io io/image vol fs vdisk filemap source bundle scsi lunid evidence evidence/* find find/scan rebuild/* store store/* extract undelete repair repair/* doctor"
declare -A may=(
	[base]="" [explain]="base" [disk]="base" [io]="base" [io/image]="base io" [vol]="base disk io io/image" [fs]="base disk io vol" [vdisk]="base disk io vol fs" [filemap]="base disk io fs vdisk"
	[source]="base disk io io/image vol" [scsi]="base disk io vol source" [lunid]="base disk io vol source scsi"
	[evidence]="base disk io vol fs source" [evidence/gpt]="base disk io vol fs source evidence" [evidence/mbr]="base disk io vol fs source evidence"
	[evidence/lvm]="base disk io vol fs source evidence" [evidence/self]="base disk io vol fs source evidence"
	[find/scan]="base disk io vol fs source" [find]="base disk io vol fs source evidence evidence/* find/scan"
	[rebuild/table]="base disk io vol fs source evidence evidence/* find find/scan" [rebuild/header]="base disk io vol fs source evidence evidence/* find find/scan lunid"
	[store/folder]="base disk io vol source filemap" [store/plan]="base disk io vol source store/folder"
	[store/manifest]="base disk io vol source filemap scsi store/folder"
	[store/ledger]="base store/folder store/manifest" [store/verify]="base io filemap store/folder store/manifest store/ledger"
	[store/capture]="base disk io vol fs source filemap scsi evidence store/plan store/folder store/manifest store/ledger store/verify lunid"
	[store/diff]="base disk io vol source filemap evidence store/folder store/plan"
	[store/import]="base disk io io/image vol source store/plan store/folder store/manifest store/capture"
	[store/retention]="base store/folder store/manifest store/ledger store/verify"
	[store]="base store/folder store/manifest store/ledger store/verify store/retention"
	[bundle]="base disk io io/image vol fs source store/folder store/plan"
	[extract]="base disk io vol fs store/folder"
	[undelete]="base disk io vol fs vdisk filemap extract"
	[repair/plan]="base disk io vol source store store/*"
	[repair/guard]="base disk io io/image vol fs source scsi find find/scan evidence evidence/* store store/* repair/plan"
	[repair]="base disk io io/image vol fs source scsi find find/scan evidence evidence/* rebuild/* store store/* repair/plan repair/guard"
	[doctor]="base disk io vol fs source scsi evidence evidence/* find find/scan store store/* lunid"
	[report]="$library" [cli]="base" [cmd/shared]="$library report cli"
	[cmd/files]="$library report cli cmd/shared" [cmd/lunid]="$library report cli cmd/shared" [cmd/bundle]="$library report cli cmd/shared cmd/files" [cmd/capture]="$library report cli cmd/shared cmd/bundle" [cmd/status]="$library report cli cmd/shared" [cmd/restore]="$library report cli cmd/shared"
	[cmd/repair]="$library report cli cmd/shared cmd/restore" [cmd]="$library report cli cmd/*"
	[cmd/copy]="$library report cli cmd/shared cmd/files" [cmd/explain]="$library report cli cmd/shared"
	[cmd/undelete]="$library report cli cmd/shared cmd/files cmd/copy"
	[lab/disk]="base disk io vol source" [lab/files]="base disk store/folder lab/disk" [lab/history]="base disk lab/disk lab/files" [lab]="base disk io vol source cli lab/*"
	[tools]="$library report cli cmd cmd/* lab"
)
# the lowest folder that may include each public header
declare -A layer=(
	[error]=base [text]=base [finding]=base [finding_codes]=base [finding_codes_file]=base [finding_codes_lunid]=base [explain]=explain
	[layout]=disk [mbr]=disk [gpt]=disk [fat_boot]=disk [vmfs_uuid]=disk [scsi_id]=disk [lvm]=disk [fs_descriptor]=disk
	[heartbeat]=disk [lock]=disk [address]=disk [file_descriptor]=disk [resource_file]=disk [directory]=disk
	[io]=io [bundle]=io [overlay]=io [place]=vol [table]=vol [vmfs]=vol [fs]=fs [fs_check]=fs [fs_hit]=fs [fs_metadata]=fs [fs_clusters]=fs [virtual_disk]=vdisk [file_map]=filemap [extract]=extract [undelete]=undelete [undelete_carve]=undelete [reading]=source [source]=source [foreign]=source [luns]=scsi [live_lun]=scsi [lunid]=lunid [table_parts]=evidence
	[find]=find/scan [rebuild_table]=rebuild/table [rebuild_header]=rebuild/header
	[store]=store/folder [ledger]=store/folder [signature]=store/folder [vouch]=store/folder [capture]=store/folder
	[of_disk]=store/capture [diff]=store/folder [retention]=store/retention [import]=store/import
	[restore]=repair/plan [repair]=repair [doctor]=doctor [vmfskit]=cmd
)

# FOLDER TARGET: whether it may
may_include() {
	local pattern
	[ "$1" != "$2" ] || return 0
	for pattern in ${may[$1]}; do
		# shellcheck disable=SC2053
		[[ $2 == $pattern ]] && return 0
	done
	return 1
}

includes_of() { sed -n 's/^#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$1"; }

# includes point downwards only
rule_includes() {
	local file folder header target
	set -f
	while read -r file; do
		folder=${file%/*} folder=${folder#src/}
		if [ "${file#include/}" != "$file" ]; then
			folder=$(basename "$file" .h) folder=${layer[$folder]:-}
			[ -n "$folder" ] || { echo "$file: in no layer"; continue; }
		fi
		[ -n "${may[$folder]+x}" ] || { echo "$file: its folder has no row in tests/rules.sh"; continue; }
		while read -r header; do
			case $header in
			vmfskit/*) target=${header#vmfskit/} target=${layer[${target%.h}]:-unknown} ;;
			*/*) target=${header%/*} ;;
			*) target="no folder" ;;
			esac
			may_include "$folder" "$target" || echo "$file ($folder) includes $header ($target)"
		done < <(includes_of "$file")
	done < <(find src include/vmfskit -name '*.[ch]' | sort)
	set +f
}

# uses OBJECTS: a line "user definer symbol" for each symbol that one object uses of another
uses() {
	# an object of a file that is gone is not of this tree
	find "$1" -name '*.o' | sort | while read -r object; do
		source=${object#"$1"/}
		[ ! -e "src/${source%.o}.c" ] || echo "$object"
	done | xargs nm -A | awk -v top="$1/" '{ unit = $1; sub(/:.*/, "", unit); unit = substr(unit, length(top) + 1) }
		$(NF - 1) ~ /^[TDBRVW]$/ && $NF != "main" { by[$NF] = unit }
		$(NF - 1) == "U" { user[++n] = unit; what[n] = $NF }
		END { for (i = 1; i <= n; i++) if (what[i] in by && by[what[i]] != user[i]) print user[i], by[what[i]], what[i] }'
}
circle() { tsort 2>&1 >/dev/null | sed 's/^tsort: //' | tr '\n' ' '; }
# no circle of files, none of folders, as the objects use each other: OBJECTS is a folder of them
rule_circles() {
	local all
	all=$(uses "$1")
	cut -d ' ' -f 1,2 <<<"$all" | sort -u | circle
	awk '{ sub(/\/[^\/]*$/, "", $1); sub(/\/[^\/]*$/, "", $2); if ($1 != $2) print $1, $2 }' <<<"$all" | sort -u | circle
}

# rooms of at most 32 files
rule_rooms() { find src include/vmfskit -name '*.[ch]' -printf '%h\n' | grep -v '^include' | sort | uniq -c | awk '$1 > 32'; }

# no struct tag is defined twice
rule_tags() {
	find src include -name '*.h' -exec sed -n 's/^struct \([a-z0-9_]*\) {.*/\1/p' {} + | sort | uniq -d
}

# what fills practice volumes knows nothing of how files are read but the rows of the structures: a misread rule must show
rule_apart() {
	grep -nE 'vmfskit/(fs|address|virtual_disk)\.h|\bvk_(vmdk_|vdisk_|address_|fd_address|fd_pointer|file_block_|dir6_(hash|key|location|map_item|block_slots))' -r src/lab/files src/lab/history
}

# lines of at most 120 columns, a tab is 8
rule_columns() {
	find src include -name '*.[ch]' | sort | while read -r file; do
		expand "$file" | awk -v file="$file" 'length($0) > 120 { print file ":" FNR }'
	done
}

# a stack trace tells which: no static function with a name of one such word
rule_names() {
	grep -rnE '^(static|inline)[^=;]*[ *](look|say|tell|put|add|think|take)\([^;]*$' src --include='*.[ch]'
}

# files and functions that a person reads in one go
rule_sizes() {
	find src include tests -name '*.[ch]' -exec wc -l {} + | awk '$2 != "total" && $1 > 450'
	find src -name '*.c' -exec awk '/^\{/ { start = FNR }
		/^\}/ && start { if (FNR - start > 90) print FILENAME ":" start; start = 0 }' {} +
}

# disk/ is functions of bytes
rule_disk() {
	grep -nE '#[ \t]*include[ \t]*<(stdio|unistd|errno|fcntl|stdlib|time|sys/.*)\.h>' -r src/disk
	grep -nE '\b(malloc|calloc|realloc|reallocarray|strdup|free|printf|fprintf|puts)[ ]*\(' -r src/disk
}

library_files() { find src -name '*.[ch]' -not -path 'src/c[ml][di]/*' -not -path 'src/report/*' -not -path 'src/lab/*' -not -path 'src/tools/*' | sort; }
# the library prints nothing
rule_silent() {
	library_files | xargs grep -nE '\b(printf|puts|putchar|perror)\(|\b(stdout|stderr)\b' | grep -vE '^[^:]*:[0-9]+:[ \t]*(/?\*|//)'
}

# Opening for writing: the writer of disks, the state of a scan, the store, output files; an unnamed temporary file is nobody's disk.
writers() {
	xargs grep -HE '\b(O_RDWR|O_WRONLY|O_CREAT)\b|\bf(d|re)?open\([^;]*"([wa]|r[bexm]*\+)' |
		grep -vE 'O_TMPFILE|memfd|^[^:]*:[ \t]*(/?\*|//)' | cut -d : -f 1 | sort -u
}
rule_writers() {
	[ "$(find src/repair -name '*.c' | writers)" = src/repair/writer.c ] ||
		find src/repair -name '*.c' | writers | grep -vx src/repair/writer.c
	find src -name '*.[ch]' -not -path 'src/repair/*' -not -path 'src/store/*' -not -path 'src/lab/*' -not -path 'src/tools/*' | writers |
		grep -vx -e src/base/crash_point.c -e src/cmd/shared/output_file.c -e src/find/scan/scan_file.c
}

# Phrases that readers had to read twice; what is said instead stands where they were.
old_words='that systems read|it concerns|headers are in order|no good one|nothing proves every|lies where would be|stood there: see each|name for device
setptbl drops|was asked for, and nobody|nobody vouches|where who can write|heartbeat that can be read
nowhere to be found|refused are: |look with vmfskit|if it is missed|says that it lives|uses it any more|not work any more|` is told'
# FILES on standard input: each as one line, with texts that go over several lines put together: "FILE: ..."
joined() {
	sort | xargs awk '
		function put() {
			gsub(/"[ \t\\]*"/, "", text)
			gsub(/[ \t]+/, " ", text)
			if (text != "") print file ":" text
			text = ""
		}
		FNR == 1 { put(); file = FILENAME }
		{ text = text " " $0 }
		END { put() }'
}
# prints FILE: PHRASE
rule_words() {
	find src include cron README.md docs -type f | joined | awk -v words="${old_words//$'\n'/|}" '
		BEGIN { count = split(words, word, "|") }
		{ for (i = 1; i <= count; i++) if (index(tolower($0), tolower(word[i]))) print substr($0, 1, index($0, ":")) " " word[i] }'
}

# errors, reasons, findings and notes stand behind a name and a colon: they begin in lower case, unless with a name (ESXi, Windows)
sentences='vk_(error_(set|errno|remedy)|guard_(object|ask_tail)|target_changed|c(li|md)_usage|lab_fail|work_(lost|note|verdict)|table_(note|doubt|lost)'
sentences+='|rebuilt_say|sentence_add|restore_add_remark|doctor_report|finding_[a-z_]*)|report_harm|put_finding|choose_kind|F|G|R'
rule_lower() {
	find src include -name '*.[ch]' | joined | awk -v names="(^|[^a-z_A-Z])($sentences)\\(" '{
		file = substr($0, 1, index($0, ":"))
		gsub(/\\ [FGR]\(/, ");&")
		for (count = split($0, part, /\) ?;/); count > 0; count--)
			if (part[count] ~ names && part[count] !~ /"(Windows|Linux) / &&
			    match(part[count], /[,(?:] ?"([A-Z][a-z]+|A|An)[ ,:]/))
				print file " " substr(part[count], RSTART, 60)
	}'
}
