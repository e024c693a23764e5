#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# map on the three real volumes and on practice volumes: what other programs make of a file by its script, table and mapfile has the right SHA-256, also when
# these come from the first 26 MiB alone.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"

[ -n "$SHARED" ] || { skip "blocks of the real volumes" "no ../shared/data"; exit 0; }
PATH=$PATH:/usr/sbin:/sbin
need jq debugvmfs debugvmfs6 perl
cd "$TMP" || exit 1

mv "$(real_partition)" vmfs3.img
for v in vmfs5 vmfs6; do unpack "$SHARED/data/$v-esxi-2021/disk-from-lba-2048.img.xz" "$v.img"; done
for v in vmfs3 vmfs5 vmfs6; do head -c 26M $v.img >$v.dd; done
sum() { sha256sum "$1" 2>/dev/null | cut -d ' ' -f 1; }

# "VOLUME PATH SHA-256": the page of the reference data; of VMFS3 what debugvmfs reads
page=$SHARED/data/README.md
{
	sed -n 's#^| `/directory/file4` | [0-9]* | `\([0-9a-f]*\)`.*#vmfs5 /directory/file4 \1\nvmfs6 /directory/file4 \1#p
		s#^| `/directory/file5` | [0-9]* | `\([0-9a-f]*\)`.*#vmfs5 /directory/file5 \1\nvmfs6 /directory/file5 \1#p
		s#^| `/directory/file1`.* | 0 | `\([0-9a-f]*\)`.*#vmfs5 /directory/file3 \1\nvmfs6 /directory/file2 \1#p
		s#^| `\(\.[a-z0-9]*\.sf\)` | [0-9]*, `\([0-9a-f]*\)`.*#vmfs5 /\1 \2#p' "$page"
	sed -n 's#^| `\(\.[a-z0-9]*\.sf\)` | .* | [0-9]*, `\([0-9a-f]*\)` |$#vmfs6 /\1 \2#p' "$page"
	debugvmfs vmfs3.img ls / 2>/dev/null | grep -vx '\.\.*' | while read -r name; do
		echo "vmfs3 /$name $(debugvmfs vmfs3.img cat "/$name" 2>/dev/null | sha256sum | cut -d ' ' -f 1)"
	done
} >files
ok "there are files to copy" [ "$(wc -l <files)" -ge 32 ]

# and practice volumes: every way to store a file, as the lab has written it
cat >recipe <<'END'
file /tiny.vmx size=900
file /sub size=8000
file /several size=20000 stored=sub-block
file /thin-flat.vmdk size=6M data=0+2M,4M+1M
file /thick-flat.vmdk size=4M thick data=0+1M,3M+512K
file /strewn size=3M fragments=3
file /pointers size=9M stored=pointer-block data=0+1M,7M+1M
END
for v in 3 5 6; do
	rest=
	[ $v = 3 ] || rest="file /double size=9M stored=double data=0+1M,8M+1M"
	[ $v = 5 ] && rest+=$'\n'"file /pointers2 size=9M stored=pointer-block2 data=5M+1M,8M+1M"
	[ $v = 6 ] && rest+=$'\n'"file /large size=9M stored=large data=0+1M,8M+1M"
	{ cat recipe; echo "$rest"; } >recipe$v
	ok "practice VMFS$v: made" "$LAB" make --table none --vmfs $v --size 8G --files recipe$v --truth truth lab$v.img
	head -c 26M lab$v.img >lab$v.dd
	jq -r --arg v lab$v 'select(.type == "file" and .sha256) | "\($v) \(.path) \(.sha256)"' truth >>files
done
ok "there are files of practice volumes" [ "$(grep -c ^lab files)" -ge 20 ]

# what dmsetup reads: sectors from 0 on without a gap, a target, its arguments; the bytes that the device would have
as_device() { # TABLE OUT
	perl -e '
		use strict;
		my ($table, $name) = @ARGV;
		my $next = 0;
		open(my $t, "<", $table) or die; open(my $out, ">:raw", $name) or die;
		while (my $line = <$t>) {
			next if $line =~ /^\s*(#|$)/;
			my ($start, $length, $target, @args) = split " ", $line;
			die "line $.: from $start on, not $next\n" if $start ne $next || $length !~ /^[1-9][0-9]*$/;
			$next += $length;
			if ($target eq "zero") { die "line $.: arguments of zero\n" if @args; seek($out, 512 * $length, 1); next }
			die "line $.: target $target\n" if $target ne "linear" || @args != 2 || $args[1] !~ /^[0-9]+$/;
			open(my $in, "<:raw", $args[0]) or die "$args[0]: $!\n"; seek($in, 512 * $args[1], 0);
			for (my $left = 512 * $length; $left > 0;) {
				my $n = read($in, my $buf, $left > 1 << 20 ? 1 << 20 : $left) or die "line $.: behind the end\n";
				print $out $buf; $left -= $n;
			}
		}
		truncate($out, 512 * $next);' "$1" "$2"
}

from_dump=0
while read -r v path wanted; do
	run "$VMFSKIT" map --json $v.img "$path"
	cp "$OUT" map.json
	is "$v $path: the runs follow each other" "$(jq -r '.size_bytes as $size | reduce .extents[] as $e (0;
		if . == $e.file_offset and $e.length > 0 then . + $e.length else "gap" end) | . == $size' map.json)" true
	is "$v $path: nothing is missing" "$(jq '[.extents[].missing_bytes] | add // 0' map.json)" 0
	for source in $v.img $v.dd; do
		rm -f copy copy.dm image image.map
		run "$VMFSKIT" map --dd $source "$path"
		cp "$OUT" copy.sh
		# what the dump does not lead to is said
		if [ $source = $v.dd ] && { [ "$CODE" -ne 0 ] || [ ! -s copy.sh ]; }; then
			has "$v $path: the dump does not reach it, which is said" "$ERR" 'not in the source|is not known|does not hold'
			continue
		fi
		[ $source = $v.img ] || from_dump=$((from_dump + 1))
		ok "$source $path: the script" sh copy.sh $v.img copy
		is "$source $path: its SHA-256" "$(sum copy)" "$wanted"
		size=$(stat -c %s copy)
		# the large ones once
		[ $source = $v.dd ] || [ "$size" -lt 10000000 ] || continue
		if [ "$size" -gt 0 ]; then
			run "$VMFSKIT" map --dmsetup --device $v.img $source "$path"
			cp "$OUT" table
			ok "$source $path: the table" as_device table copy.dm
			is "$source $path: the device is as long as its sectors" "$(stat -c %s copy.dm)" $(((size + 511) / 512 * 512))
			truncate -s "$size" copy.dm
			is "$source $path: its SHA-256 as a device" "$(sum copy.dm)" "$wanted"
		fi
		command -v ddrescue >/dev/null || continue
		run "$VMFSKIT" map --ddrescue $source "$path"
		[ "$CODE" -eq 0 ] || continue
		cp "$OUT" domain
		ok "$source $path: ddrescue takes the domain" ddrescue -q -m domain $v.img image image.map
		is "$source $path: all of it was rescued" "$(ddrescuelog --list-blocks=+ image.map | wc -l)" \
			"$(ddrescuelog --list-blocks=+ domain | wc -l)"
		rm -f copy
		run sh copy.sh image copy
		# the image has the file's blocks, and not the header by which the script knows the disk
		[ "$CODE" -ne 0 ] && sed '/^check "/d' copy.sh >blind.sh && sh blind.sh image copy
		is "$source $path: its SHA-256 in the image that ddrescue made" "$(sum copy)" "$wanted"
	done
done <files
ok "files were copied by scripts made from 26 MiB" [ $from_dump -ge 35 ]
command -v ddrescue >/dev/null || skip "domains for ddrescue" "there is no ddrescue"

# --- blocks, one by one, as debugvmfs sees them: kind and address of each MiB
for name in thick thin zeroedthick eagerzeroedthick; do
	told=$(for at in 0 1 2 57 195 196 197 198 199; do
		address=$(debugvmfs vmfs3.img get_file_block /$name-flat.vmdk "$(printf %x $((at * 1048576)))" 2>/dev/null)
		# debugvmfs takes hexadecimal offsets; bits 6 and up of an address are the block, bit 5 is to be zeroed
		if [ $((address)) -eq 0 ]; then echo "$at hole"
		else echo "$at $([ $((address & 32)) -ne 0 ] && echo tbz || echo data) $((address >> 6))"; fi
	done)
	run "$VMFSKIT" map --json vmfs3.img $name-flat.vmdk
	is "$name-flat.vmdk: its blocks" "$(jq -r '.extents as $all | (0, 1, 2, 57, 195, 196, 197, 198, 199) as $at | ($at * 1048576) as $o |
		$all[] | select(.file_offset <= $o and $o < .file_offset + .length) |
		if .kind == "hole" then "\($at) hole" else "\($at) \(.kind) \((.volume_offset + $o - .file_offset) / 1048576)" end' "$OUT")" "$told"
done

# --- how it is printed
run "$VMFSKIT" map vmfs3.img thin-flat.vmdk
has "a table: data" "$OUT" '^ +0 +1048576  data +422576128 +440401920$'
has "a table: a hole" "$OUT" '^ +1048576  208666624  hole +- +-$'
run "$VMFSKIT" map vmfs3.dd thin-flat.vmdk
has "from a dump: whether it is there" "$OUT" '^ +0 +1048576  data +422576128 +440401920  no$'
has "from a dump: how much is not" "$OUT" '^1 MiB .* not in the source; where they lie on the disk is known'
run "$VMFSKIT" map vmfs6.img /directory/file4
has "resident data" "$OUT" '^ +0 +8  resident +7582208 +25408000$'
run "$VMFSKIT" map vmfs6.img /directory/symlink
has "a link is followed" "$OUT" ' resident +7582208 '
for two in "--dd --json" "--dd --dmsetup" "--dmsetup --ddrescue"; do
	# shellcheck disable=SC2086
	exits "$two" 2 "$VMFSKIT" map $two vmfs3.img thin.vmdk
done
exits "--device alone" 2 "$VMFSKIT" map --device x vmfs3.img thin.vmdk
exits "an empty file is no device" 1 "$VMFSKIT" map --dmsetup vmfs6.img /directory/file1
exits "nor has it blocks" 4 "$VMFSKIT" map --ddrescue vmfs6.img /directory/file1

# --- the script: which disk, and which file it writes
run "$VMFSKIT" map --dd vmfs3.dd thick-flat.vmdk
cp "$OUT" copy.sh
rm -f copy
exits "another disk" 1 sh copy.sh vmfs6.img copy
has "another disk: says so" "$ERR" 'vmfs6.img is another disk'
exits "the dump instead of the disk" 1 sh copy.sh vmfs3.dd copy
has "the dump instead of the disk: says so" "$ERR" 'are needed: is it the whole disk'
ok "no file came of it" [ ! -e copy ]
echo mine >copy
exits "a file that is there" 1 sh copy.sh vmfs3.img copy
has "which one" "$ERR" '^copy is there: name a new file, or remove it$'
is "a file that is there stays" "$(cat copy)" mine
echo mine >new.part
exits "what a stopped copy left" 1 sh copy.sh vmfs3.img new
is "that stays, too" "$(cat new.part)" mine
if [ "$(id -u)" -eq 0 ]; then
	printf '%0512d' 7 >device.img
	truncate -s 1M device.img
	loop=$(loop_attach device.img)
	exits "a device as OUT" 1 sh copy.sh vmfs3.img "$loop"
	is "no byte of it was written" "$(head -c 512 device.img)" "$(printf '%0512d' 7)"
	loop_detach "$loop"
fi
exits "no arguments" 2 sh copy.sh
for shell in dash "busybox sh" bash; do
	command -v "${shell%% *}" >/dev/null || continue
	rm -f copy
	# shellcheck disable=SC2086
	ok "the script runs in $shell" $shell copy.sh vmfs3.img copy
done
mkdir "a b'\$(touch hit)" && cp --sparse=always vmfs3.dd "a b'\$(touch hit)/x
y.dd"
run "$VMFSKIT" map --dd "a b'\$(touch hit)/x
y.dd" thin-flat.vmdk
cp "$OUT" odd.sh
rm -f copy
ok "a source with an odd name" sh odd.sh vmfs3.img copy
ok "nothing of the name was run" [ ! -e hit ]
run "$VMFSKIT" map --dmsetup --device "/dev/disk/by-id/a b\\c" vmfs3.dd thin-flat.vmdk
has "a device with a blank in dmsetup's table" "$OUT" '^0 2048 linear /dev/disk/by-id/a\\ b\\\\c 860160$'

# --- a pointer block that is not in the source: what of the file is not known, is said
run "$VMFSKIT" map --json vmfs6.dd .sbc.sf
is "a pointer block that is not in the dump" "$(jq -c '[.extents[].kind] | unique' "$OUT")" '["missing"]'
exits "a script of it" 1 "$VMFSKIT" map --dd vmfs6.dd .sbc.sf
has "a script of it: a comment" "$OUT" '^# NOT WHOLE: where 387973120 bytes of it lie is not known'
has "a script of it: a word" "$ERR" 'where 370 MiB .* of \.sbc\.sf lie is not known'
cp "$OUT" copy.sh
rm -f copy
exits "the script says it, too" 1 sh copy.sh vmfs6.img copy
has "the script says it, too: which" "$ERR" 'copy is not whole'
exits "a table of it" 1 "$VMFSKIT" map --dmsetup vmfs6.dd .sbc.sf
has "a table of it: errors, no zeros" "$OUT" '^0 757760 error$'

# --- cut off anywhere: the place of what is known is that of the whole volume
RANDOM=9
for v in vmfs3 vmfs5 vmfs6; do
	paths=$(awk -v v=$v '$1 == v { print $2 }' files)
	for path in $paths; do "$VMFSKIT" map --json $v.img "$path" | jq -c '[.path, .extents]'; done | jq -cs 'map({(.[0]): .[1]}) | add' >whole.json
	cp --sparse=always $v.img cut.img
	wrong='' mapped=0
	while read -r length; do
		truncate -s "$length" cut.img
		for path in $paths; do
			run "$VMFSKIT" map --json cut.img "$path"
			if insane || [ "$CODE" -ne 0 ] && [ "$CODE" -ne 4 ]; then wrong+="$length $path: exit code $CODE "; fi
			[ "$CODE" -eq 0 ] || continue
			mapped=$((mapped + 1))
			told=$(jq -r --argjson stop "$length" --slurpfile whole whole.json '.path as $path | .extents[] | . as $e |
				select(.kind != "missing") | [$whole[0][$path][] | select(.file_offset <= $e.file_offset and
					.file_offset + .length >= $e.file_offset + $e.length and .kind == $e.kind)] |
				if length == 0 then "\($e.file_offset) is not in the map of the whole"
				elif $e.device_offset and .[0].device_offset + $e.file_offset - .[0].file_offset != $e.device_offset then "\($e.file_offset) lies elsewhere"
				elif $e.device_offset and $e.kind != "tbz" and $e.missing_bytes != ([0, $e.device_offset + $e.length - ([$stop, $e.device_offset] | max)] | max)
					then "\($e.file_offset): \($e.missing_bytes) are not here" else empty end' "$OUT" 2>&1)
			[ -z "$told" ] || wrong+="$length $path: $told "
		done
	done < <({ echo $((26 * 1048576)); for _ in {1..14}; do echo $((18 * 1048576 + (RANDOM * 32768 + RANDOM) % (128 * 1048576))); done; } | sort -rn)
	is "$v cut off: what is mapped lies where it does" "$wrong" ""
	ok "$v cut off: most was mapped" [ "$mapped" -gt 30 ]
done
