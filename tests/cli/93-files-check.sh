#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check: silent on sound volumes, real and filled ones; one damage of each phase with the file or folder that it hits; what a cut dump
# does not hold is no damage.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
need jq
cd "$TMP" || exit 1

silent() { # NAME ARGUMENT...
	local name=$1
	shift
	exits "$name: check finds nothing" 0 "$VMFSKIT" check "$@"
	has "$name: and says so" "$OUT" "^No damage was found in the file system\.$"
	run "$VMFSKIT" check --json "$@"
	is "$name: five phases without a finding, all in the source" \
		"$(jq -c '[.phases[] | select(.checked > 0) | .findings + .not_in_source]' "$OUT")" "[0,0,0,0,0]"
	is "$name: nothing but remarks" "$(jq -c '[.findings[] | select(.severity != "info")]' "$OUT")" "[]"
}
cut_silent() { # FILE MIB...: its beginnings; the last is shorter than its metadata
	local mib file=$1
	shift
	for mib; do
		head -c $((mib << 20)) "$file" >cut.dd
		exits "$file, $mib MiB of it: what is not there is no damage" 0 "$VMFSKIT" check cut.dd
		hasnt "$file, $mib MiB of it: and none is reported" "$ERR" "^(error|warning)"
	done
	run "$VMFSKIT" check --json cut.dd
	is "$file: what is not there is counted" "$(jq '[.phases[].not_in_source] | add > 0' "$OUT")" true
	run "$VMFSKIT" check cut.dd
	has "$file: and not said to be sound" "$OUT" "^No damage was found in the rest of the file system\.$"
	rm cut.dd
}

if [ -n "$SHARED" ]; then
	mv "$(real_partition)" real3.img
	for v in 5 6; do unpack "$SHARED/data/vmfs$v-esxi-2021/disk-from-lba-2048.img.xz" real$v.img; done
	for v in 3 5 6; do silent "the real VMFS$v" real$v.img; cut_silent real$v.img 97 40 26; done
	rm real?.img
else
	skip "the real volumes" "no ../shared/data"
fi

# as HEX FILE BYTE: the bytes there become these; what they were is kept for back
put() { printf "$(printf %s "$1" | sed 's/../\\x&/g')" | dd of="$2" bs=1 seek="$3" conv=notrunc status=none; }
damage() { # NAME PHASE CODE PATH BYTE HEX [PATH FOLDER in JSON]
	local hex
	hex=$(od -An -v -tx1 -j "$5" -N $((${#6} / 2)) volume.img | tr -d ' \n')
	put "$6" volume.img "$5"
	exits "$1: exit code 1" 1 "$VMFSKIT" check volume.img
	has "$1: $3" "$ERR" "^(error|warning) $3:.*$4( |\$)"
	hasnt "$1: not called sound" "$OUT" "No damage"
	run "$VMFSKIT" check --json volume.img
	is "$1: counted in its phase" "$(jq --arg phase "$2" '.phases[] | select(.name == $phase) | .findings > 0' "$OUT")" true
	is "$1: in JSON" \
		"$(jq --arg code "$3" --arg path "$4" 'any(.findings[]; .code == $code and (.message | contains($path)))' "$OUT")" true
	is "$1: with its file, and the virtual machine that it is of" \
		"$(jq -r --arg code "$3" '[.findings[] | select(.code == $code and .severity != "info") | "\(.path) \(.folder)"] | unique[]' "$OUT")" "${7-$4 /$(cut -d / -f 2 <<<"$4")}"
	is "$1: and among the folders that are hit" \
		"$(jq -r '[.findings[] | select(.folder and .severity != "info")] | group_by(.folder) | map("\(.[0].folder) \(length)") | join(", ")' "$OUT")" \
		"$(jq -r '[.hits[] | select(.findings > 0) | "\(.folder) \(.findings)"] | join(", ")' "$OUT")"
	put "$hex" volume.img "$5"
}
number() { run "$VMFSKIT" "$1" --json volume.img "$2" && jq -r "$3" "$OUT"; }
descriptor() { number stat "$1" '.files[0].device_offset'; }
content() { number map "$1" '.extents[0].device_offset'; }

cat >recipe.txt <<'END'
file /vm/a.vmx size=900
file /vm/thin-flat.vmdk size=2G data=0+3M,512M+1M
file /vm/thick-flat.vmdk size=12M thick data=0+1M
file /vm/pointers-flat.vmdk size=40M stored=pointer-block data=0+1M,30M+2M
file /vm/gone size=3M deleted
folder /deep/1/2
folder /many entries=100 names=entry-
link /link to=vm/a.vmx
file /locks/stale size=600 lock=exclusive:dead
END
for v in 3 5 6; do
	name="VMFS$v"
	ok "$name: everything, made" "$LAB" make --overwrite --vmfs $v --size 8G --live 2 --files all volume.img
	silent "$name, everything" volume.img
	ok "$name: made" "$LAB" make --overwrite --table none --vmfs $v --size 3G --files recipe.txt volume.img
	silent "$name" volume.img
	cut_silent volume.img 26
	meta=$((v == 6 ? 4096 : 512))
	pointers=$((v == 6 ? 0x1600 : 0x400))
	flat=$(descriptor /vm/thick-flat.vmdk)
	folder=$(descriptor /deep/1)
	damage "$name: groups of .sbc.sf" "header and resource files" file.resource-metadata .sbc.sf $(($(content /.sbc.sf) + 0x18)) 70 "/.sbc.sf /"
	damage "$name: a lock" "heartbeats and locks" file.lock-field /vm/thick-flat.vmdk $((flat + 0x24)) 09
	damage "$name: type of a file" "file descriptors" file.descriptor /vm/thick-flat.vmdk $((flat + meta + 0x0C)) 09
	damage "$name: links of a file" "names and links" file.link-count /vm/thick-flat.vmdk $((flat + meta + 8)) 05
	damage "$name: links of a folder" "names and links" file.link-count /deep/1 $((folder + meta + 8)) 05
	damage "$name: number of blocks" "blocks and bitmaps" file.block-count /vm/thick-flat.vmdk $((flat + meta + 0x24)) 77
	damage "$name: an address" "blocks and bitmaps" file.block-count /vm/thick-flat.vmdk $((flat + pointers)) 0000000000000000
	damage "$name: a free heartbeat with an owner" "heartbeats and locks" heartbeat.state 0x300000 $((0x1400000 + 0x1C)) 55 "null null"
	damage "$name: length of a folder" "blocks and bitmaps" file.length /deep/1 $((folder + meta + 0x14)) 000000ffffff
	put 000000ffffff volume.img $((folder + meta + 0x14))
	run "$VMFSKIT" check --json volume.img
	is "$name: said once" "$(jq -c '[.findings[] | select(.code == "file.length") | .path]' "$OUT")" '["/deep/1"]'
	run "$VMFSKIT" ls volume.img /deep/1
	ok "$name: said once by ls" [ "$(grep -c '^error file.length' "$ERR")" -le 1 ]
	ok "$name: made again" "$LAB" make --overwrite --table none --vmfs $v --size 3G --files recipe.txt volume.img
	if [ $v = 6 ]; then
		damage "$name: the folder of a file" "names and links" file.descriptor /vm/thick-flat.vmdk $((flat + meta + 0x70)) 04000001
		damage "$name: .. of a folder" "names and links" folder.entry /deep/1 $(($(content /deep/1) + 0x4D8 + 4)) 04000001
		damage "$name: an empty slot of a hash table" "names and links" folder.hash "hash table" $(($(content /deep/1) + 0x5F8 + 4)) 01ffff7f "/deep/1 /deep"
	else
		damage "$name: .. of a folder" "names and links" folder.entry /deep/1 $(($(content /deep/1) + 140 + 4)) 04000001
	fi
done
silent "all damages undone" volume.img

# --- damaged clusters: whose descriptors and blocks they hold ----------------------------------------------------------
printf 'file /one/a.vmx size=900\nfile /one/thick-flat.vmdk size=12M thick data=0+1M\nfolder /none\n' >recipe
printf 'file /two/flat.vmdk size=40M stored=pointer-block data=0+1M,30M+2M\nfile /top.iso size=3M\n' >>recipe
doubted() { # NAME FILE IN-DOUBT TEXT: the number of cluster 0 of a system file is another
	local at
	at=$(($(content "$2") + 0x10000 + $3))
	put 07 volume.img $at
	exits "$1: exit code 1" 1 "$VMFSKIT" check volume.img
	has "$1: the root" "$OUT" '^hits: / \(1 finding; [0-9]+ files? in clusters whose header is damaged\)$'
	is "$1: the folders" "$(grep '^hits: /[a-z]' "$OUT")" "$5"
	run "$VMFSKIT" check --json volume.img
	is "$1: the files" "$(jq -r '[.hits[].in_doubt[] | select(startswith("/.") | not)] | join(" ")' "$OUT")" "$4"
	is "$1: the finding is about the system file" "$(jq -r '[.findings[] | select(.code == "file.cluster") | .path, .folder] | join(" ")' "$OUT")" "$2 /"
	put 00 volume.img $at
}
for v in 5 6; do
	name="VMFS$v, a damaged cluster"
	ok "$name: made" "$LAB" make --overwrite --table none --vmfs $v --size 3G --files recipe volume.img
	meta=$((v == 6 ? 4096 + 0x18 : 512))
	all="/ /top.iso /none /one /one/a.vmx /one/thick-flat.vmdk /two /two/flat.vmdk"
	doubt="in clusters whose header is damaged)"
	folders="hits: /none (1 file $doubt
hits: /one (3 files $doubt
hits: /two (2 files $doubt"
	# the blocks of .fdc.sf lie there, too
	doubted "$name of blocks" /.fbb.sf $meta "$all" "$folders"
	doubted "$name of pointer blocks" $([ $v = 6 ] && echo /.pb2.sf || echo /.pbc.sf) $meta /two/flat.vmdk "hits: /two (1 file $doubt"
	doubted "$name of descriptors" /.fdc.sf $meta "$all" "$folders"
done
silent "those undone" volume.img

exits "no such source" 4 "$VMFSKIT" check nothing.img
exits "a path too many" 2 "$VMFSKIT" check volume.img /vm
truncate -s 64M zeros.img
run "$VMFSKIT" check zeros.img
ok "no volume: exit code is neither 0 nor 1" [ "$CODE" -gt 1 ]

# --- what lies around the file system ---------------------------------------------------------------------------------
ok "a disk" "$LAB" make --table gpt --vmfs 5 --size 2G around.img
dd if=/dev/urandom of=around.img bs=512 seek=4096 count=1 conv=notrunc status=none
exits "the file system is whole, no host mounts it" 1 "$VMFSKIT" check around.img
has "the file system" "$OUT" '^No damage was found in the file system\.$'
has "what is around it" "$OUT" '^The partition table or the LVM header is damaged: vmfskit doctor around\.img$'

# --- names that lead to another file, or nowhere ----------------------------------------------------------------------
printf 'file /web/one size=5000 content=pattern\nfile /web/two size=6000 content=pattern\n' >recipe
# patch OLD NEW: the name of an entry of /web in names.img
patch() {
	local at
	ok "a volume" "$LAB" make --overwrite --table none --vmfs 5 --size 2G --files recipe names.img
	at=$("$VMFSKIT" map --json names.img /web | command jq '.extents[0].device_offset')
	at=$((at + $(dd if=names.img bs=1 skip="$at" count=2000 status=none | grep -abo "$1" | head -n 1 | cut -d : -f 1)))
	printf '%s\0' "$2" | dd of=names.img bs=1 seek="$at" conv=notrunc status=none
}
patch two one
exits "two names are one" 1 "$VMFSKIT" check names.img
has "which" "$ERR" 'two entries of a folder have one name'
has "and both descriptors" "$ERR" '#0x[0-9a-f]+ and #0x[0-9a-f]+'
patch two ..
exits "a name that means a folder" 1 "$VMFSKIT" check names.img
run "$VMFSKIT" ls names.img /web
is "is shown under another" "$(cat "$OUT")" "$(printf '%%2e%%2e\none')"
exits "and found by it" 1 "$VMFSKIT" cat names.img /web/%2e%2e
is "its bytes" "$(wc -c <"$OUT")" 6000
