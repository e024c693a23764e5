#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copying files out of volumes: every file of the real ones, whole or with its gaps named; what stands in the way of a copy.
. "$(dirname "$0")/../lib.sh"
cd "$TMP" || exit 1
# --- the list of files is not in the dump: that is no empty volume ------------------------------------------------------
ok "a disk with files" "$LAB" make --table gpt --vmfs 6 --size 20G --files all whole
head -c 26M whole >start
for verb in ls "cp -r"; do
	# shellcheck disable=SC2086
	exits "$verb of the root of a dump without it" 4 "$VMFSKIT" $verb start / $([ "$verb" = ls ] || echo out)
	has "$verb: what is missing" "$ERR" 'does not hold the names in the root folder'
	has "$verb: what to ask for" "$ERR" '^  vmfskit map --ddrescue start / lists the blocks of it'
done
ok "a system file is found without the root" "$VMFSKIT" map --ddrescue start /.fdc.sf
"$VMFSKIT" map --json whole / | jq '[.extents[] | .device_offset + .length] | max' >end
head -c "$(cat end)" whole >start
exits "a folder is not in the dump" 4 "$VMFSKIT" cp -r start / some
has "that is said" "$ERR" 'names are missing: not everything below / is in the source'
rm -rf whole start out some

# --- names that look like the escape of another -------------------------------------------------------------------------
mkdir names
printf newline >names/$'a\n'
printf escape >'names/a%0a'
printf percent >'names/a%250a'
printf part >names/x.vmfskit-part
printf dot >names/x%2evmfskit-part
ln -s 'a%0a' names/link
for version in 5 6; do
	ok "VMFS$version: a volume with such names" "$LAB" make --overwrite --vmfs $version --size 4G --from names named
	run "$VMFSKIT" ls named
	is "VMFS$version: each file has a name of its own" "$(tr '\n' ' ' <"$OUT")" "a%0a a%250a a%25250a link x%252evmfskit-part x.vmfskit-part "
	is "VMFS$version: and is found by it" "$("$VMFSKIT" ls named | while read -r name; do "$VMFSKIT" cat named "/$name"; echo; done | tr '\n' ' ')" \
		"newline escape percent escape dot part "
	is "VMFS$version: --bodyfile has these names" "$("$VMFSKIT" ls --bodyfile named | cut -d '|' -f 2 | grep -v '^/[.]' | tr '\n' ' ')" \
		"/a%0a /a%250a /a%25250a /link -> a%250a /x%252evmfskit-part /x.vmfskit-part "
	is "VMFS$version: map is of the same file" "$("$VMFSKIT" map --json named /a%250a | jq -r .size_bytes)" 6
	exits "VMFS$version: cp -r" 0 "$VMFSKIT" cp -r named / tree
	is "VMFS$version: cp -r puts each on a name of its own" "$(cd tree && for name in *; do printf '%s=%s ' "$name" "$(cat "$name")"; done)" \
		"a%0a=newline a%250a=escape a%25250a=percent link=escape x%252evmfskit-part=dot x%2evmfskit-part=part "
	is "VMFS$version: a check has nothing to say" "$("$VMFSKIT" check named >out; echo $?)" 0
	rm -rf tree
done

# --- cat on a terminal --------------------------------------------------------------------------------------------------
if type -P script >/dev/null; then
	mkdir screen
	seq 1 3 >screen/short.vmx
	printf 'a\tb \303\244\r\n' >screen/utf8
	seq 1 20000 >screen/long.log
	printf 'text\0text' >screen/nul
	printf 'text\033[2Jtext' >screen/escape
	printf 'text\302\233text' >screen/control8
	printf 'text\377' >screen/byte
	: >screen/empty
	ok "texts and others" "$LAB" make --overwrite --vmfs 5 --size 4G --from screen named
	terminal() { script -qec "$(printf '%q ' "$@")" /dev/null </dev/null >screened; }
	for name in short.vmx utf8 empty; do
		exits "$name on a terminal" 0 terminal "$VMFSKIT" cat named /$name
		is "$name: is printed" "$(tr -d '\r' <screened)" "$(tr -d '\r' <screen/$name)"
	done
	for name in long.log nul escape control8 byte .fdc.sf; do
		exits "$name on a terminal is refused" 2 terminal "$VMFSKIT" cat named /$name
		has "$name: why" screened "standard output is a terminal, and /$name is (no text|longer than 64 KiB)"
		has "$name: what to do" screened 'with >FILE behind the command or with vmfskit cp'
		hasnt "$name: nothing of it is printed" screened '^(text|1.?$)'
		exits "$name in a pipe is printed" 0 sh -c '"$1" cat named /$2 | cat >piped' - "$VMFSKIT" $name
		[ ! -e screen/$name ] || same "$name in a pipe is as it was" piped screen/$name
	done
else
	skip "cat on a terminal" "there is no script"
fi

[ -n "$SHARED" ] || { skip "the rest of this test" "no real volumes in ../shared"; exit 0; }
umask 022

unpack "$SHARED/data/vmfs5-esxi-2021/disk-from-lba-2048.img.xz" v5
unpack "$SHARED/data/vmfs6-esxi-2021/disk-from-lba-2048.img.xz" v6
unpack "$SHARED/data/vmfs3-esx35-volume/partition.img.xz" v3

# path, size, SHA-256 of each file as the data page has them: table row, column of the volume
page=$SHARED/data/README.md
{
	awk -F '|' '/^\| `\/directory\/file/ { n = split($2, part, ","); gsub(/ /, "", $3); split($4, sum, "`")
		for (i = 1; i <= n; i++) { gsub(/[` ]/, "", part[i]); sub(/^file/, "/directory/file", part[i]); print "both", part[i], $3, sum[2] } }' "$page"
	awk -F '|' '/^\| `\.[a-z0-9]*\.sf/ { split($2, name, "`")
		for (i = 3; i <= 4; i++) if (split($i, part, "[ ,`]+") > 2) print i + 2, "/" name[2], part[2], part[3] }' "$page" | sed 's/^5/v5/; s/^6/v6/'
} >files
sed -i '/ [0-9][0-9]* [0-9a-f]*$/!d' files
is "the data page names files" "$(grep -c . files)" 18
while read -r volume path size sum; do
	for v in v5 v6; do
		[ "$volume" = both ] || [ "$volume" = $v ] || continue
		[ "$size" -lt 20000000 ] || continue # the digests of cp -ra are compared, too
		run "$VMFSKIT" cat $v "$path"
		is "cat $v $path" "$CODE $(stat -c %s "$OUT") $(sha256sum <"$OUT" | cut -d ' ' -f 1)" "0 $size $sum"
	done
done <files
for v in v5 v6; do
	run "$VMFSKIT" cat $v /directory/symlink
	is "a symbolic link of $v is followed" "$CODE $(cat "$OUT")" "0 content"
done

# --- the other readers, where they are right --------------------------------------------------------------------------
if type -P debugvmfs >/dev/null && type -P debugvmfs6 >/dev/null; then
	for path in /directory/file4 /directory/file5 /.fbb.sf /.pbc.sf /.vh.sf /.pb2.sf; do
		debugvmfs v5 cat $path >theirs 2>/dev/null
		"$VMFSKIT" cat v5 $path >ours
		same "debugvmfs cat $path" ours theirs
		debugvmfs6 v6 cat $path 2>/dev/null | tail -c +17 >theirs
		"$VMFSKIT" cat v6 $path >ours
		same "debugvmfs6 cat $path" ours theirs
	done
	independent=1
else
	skip "debugvmfs agrees" "no debugvmfs"
fi

# --- a whole volume ---------------------------------------------------------------------------------------------------
for v in v3 v5 v6; do
	exits "cp -r of all of $v" 0 "$VMFSKIT" cp -r $v / $v.tree
	is "cp -r of $v: no part is left" "$(find $v.tree -name '*.vmfskit-*')" ""
	exits "cp -r -a of all of $v" 0 "$VMFSKIT" cp -ra --sums $v.sums $v / $v.all
	[ $v = v6 ] || ok "cp -r -a of $v: sha256sum agrees" sha256sum -c --quiet $v.sums
	ok "cp -r -a of $v: with system files" [ -f $v.all/.fdc.sf ]
	while read -r volume path size sum; do
		[ "$volume" = both ] || [ "$volume" = $v ] || continue
		[ $v != v3 ] || continue
		has "cp -r -a of $v: the digest of $path is that of the data page" $v.sums "^$sum  $v.all$path\$"
	done <files
done
if [ -n "${independent:-}" ]; then
	for path in $(cd v3.tree && find . -type f -size -4000000c); do
		debugvmfs v3 cat "/$path" >theirs 2>/dev/null
		same "debugvmfs cat $path of VMFS3" v3.tree/$path theirs
	done
fi
is "the files of VMFS5" "$(cd v5.tree && find . | sort | tr '\n' ' ')" \
	". ./directory ./directory/file1 ./directory/file2 ./directory/file3 ./directory/file4 ./directory/file5 ./directory/symlink "
is "a symbolic link is one" "$(readlink v5.tree/directory/symlink)" file4
facts() { stat -c '%a %Y %s' "$1"; }
is "mode and time are kept" "$(facts v5.tree/directory/file5)" "644 1628667519 8193"
ok "virtual disks of zeros stay holes" [ "$(du -sk v3.tree | cut -f 1)" -lt 20000 ]
for disk in $(cd v3.tree && find . -name '*-flat.vmdk' | head -4); do
	is "$disk is zeros" "$(sha256sum <"v3.tree/$disk")" "$(head -c "$(stat -c %s "v3.tree/$disk")" /dev/zero | sha256sum)"
done

# --- JSON -------------------------------------------------------------------------------------------------------------
exits "cp --json" 0 "$VMFSKIT" cp --json v5 /directory/file5 j
is "cp --json: the file" "$(jq -c '[.schema, .files, .findings]' "$OUT")" \
	'["vmfskit.cp/1",[{"path":"/directory/file5","dest":"j","size_bytes":8193,"sha256":"227c62ef44ec9d9d4dbda23feaf622078a496368e919980afcd786acd9f455c4","unreadable":[]}],[]]'

# --- what is refused --------------------------------------------------------------------------------------------------
ok "a copy" "$VMFSKIT" cp v5 /directory/file5 there
exits "an existing file is refused" 2 "$VMFSKIT" cp v5 /directory/file4 there
has "an existing file: what to do" "$ERR" '--overwrite'
is "an existing file: it stays" "$(stat -c %s there)" 8193
ok "an existing file with --overwrite" "$VMFSKIT" cp --overwrite v5 /directory/file4 there
is "--overwrite: it was replaced" "$(cat there)" content
ln -s nowhere link
exits "a link at DEST is refused" 2 "$VMFSKIT" cp --overwrite v5 /directory/file4 link
mkdir dir
ln -s ../nowhere dir/file4
exits "a link below DEST is refused" 2 "$VMFSKIT" cp --overwrite v5 /directory/file4 dir
ok "nothing was written through them" [ ! -e nowhere ]
exits "a folder without -r" 2 "$VMFSKIT" cp v5 /directory dir
exits "the source itself" 3 "$VMFSKIT" cp --overwrite v5 /directory/file4 v5
sha=$(sha256sum <v5)
ln v5 other-name
exits "the source under another name" 3 "$VMFSKIT" cp --overwrite v5 /directory/file4 other-name
exits "the source, read from standard input" 3 sh -c '"$VMFSKIT" cp --overwrite - /directory/file4 v5 <v5'
is "the source stays" "$(sha256sum <v5)" "$sha"
exits "no such file" 4 "$VMFSKIT" cp v5 /directory/nothing x
exits "no such folder" 2 "$VMFSKIT" cp v5 /directory/file4 no/such/place
ln -s elsewhere v5.link
exits "a link in the way of -r" 2 "$VMFSKIT" cp -r v5 / v5.link
mkdir outside tree
ln -s ../outside tree/directory
exits "a link in the tree" 2 "$VMFSKIT" cp -r --overwrite v5 / tree
is "a link in the tree: nothing was written through it" "$(ls outside)" ""
exits "cat of a folder" 2 "$VMFSKIT" cat v5 /directory

# --- what is missing --------------------------------------------------------------------------------------------------
# file5 is one block of VMFS5
at=32505856
VMFSKIT_TEST_BAD=$((at + 4096))+512 exits "cat stops at a bad sector" 4 "$HOOKS" cat v5 /directory/file5
is "cat: all before it, nothing behind it" "$(stat -c %s "$OUT") $(tr -d a <"$OUT" | wc -c)" "4096 0"
VMFSKIT_TEST_BAD=$((at + 4096))+512 exits "cat --holes goes on" 1 "$HOOKS" cat --holes v5 /directory/file5
is "cat --holes: zeros in its place" "$(stat -c %s "$OUT") $(tr -d '\000' <"$OUT" | wc -c)" "8193 7681"
has "cat --holes names them" "$ERR" 'bytes 4096 to 4607'
VMFSKIT_TEST_BAD=$((at + 4096))+512 exits "cp of it" 1 "$HOOKS" cp --json --sums gap.sums v5 /directory/file5 gap
is "cp: what is missing" "$(jq -c '.files[0] | [.dest, .sha256, .unreadable]' "$OUT")" \
	'["gap.vmfskit-part",null,[{"file_offset":4096,"length":512}]]'
ok "cp: the file has not its name" [ ! -e gap ]
is "cp: no digest of what is not whole" "$(cat gap.sums)" ""
is "cp: the map" "$(grep -v '^#' gap.vmfskit-map | tail -n +2 | tr -s ' ' | tr '\n' ,)" \
	"0x00000000 0x00001000 +,0x00001000 0x00000200 -,0x00001200 0x00000E01 +,"
if type -P ddrescuelog >/dev/null; then
	is "ddrescuelog reads the map" "$(ddrescuelog -l- gap.vmfskit-map)" 8
fi
is "a hole where it is missing" "$(dd if=gap.vmfskit-part bs=512 skip=8 count=1 status=none | tr -d '\000' | wc -c)" 0
exits "begun anew it is refused" 2 "$VMFSKIT" cp v5 /directory/file5 gap
exits "another file cannot go on with it" 3 "$VMFSKIT" cp --resume v5 /directory/file4 gap
ok "--resume reads what is missing" "$VMFSKIT" cp --resume --sums gap.sums --overwrite v5 /directory/file5 gap
is "--resume: the digest" "$(cat gap.sums)" "227c62ef44ec9d9d4dbda23feaf622078a496368e919980afcd786acd9f455c4  gap"
is "--resume: nothing is left" "$(ls gap gap.* | tr '\n' ' ')" "gap gap.sums "
ok "--resume of what is whole" "$VMFSKIT" cp --resume v5 /directory/file5 gap
head -c $((at + 4608)) v5 >cut
exits "cat of a cut dump" 4 "$VMFSKIT" cat cut /directory/file5
has "cat of a cut dump says that it is no fault of the disk" "$ERR" 'not in the source'
exits "cp of a cut dump" 1 "$VMFSKIT" cp cut /directory/file5 from-cut
is "cp of a cut dump: not tried" "$(grep -v '^#' from-cut.vmfskit-map | tail -n 1 | tr -s ' ')" "0x00001200 0x00000E01 ?"
ok "the whole dump gives the rest" "$VMFSKIT" cp --resume v5 /directory/file5 from-cut
is "the whole dump: the digest" "$(sha256sum <from-cut)" "$(sha256sum <gap)"

# --- hostile names ----------------------------------------------------------------------------------------------------
# OLD NEW...: v5 with names of five bytes replaced, one after the other; "link" is the target of the symbolic link
hostile() {
	local at
	cp --sparse=always v5 bad
	while [ $# -gt 1 ]; do
		case $1 in
		link) at=$(grep -obUa file4 v5 | sed -n 2p) ;;
		*) at=$(grep -obUa "$1" v5 | head -n 1) ;;
		esac
		printf "$2" | dd of=bad bs=1 seek="${at%%:*}" conv=notrunc status=none
		shift 2
	done
	rm -rf h
	mkdir h
	run "$VMFSKIT" cp -r bad / h/tree
}
hostile file1 '../x/' file2 '\n\033[2J' link '../..'
is "hostile names: nothing beside the tree" "$(ls -A h)" tree
is "hostile names: what they are called" "$(ls -A h/tree/directory | tr '\n' ' ')" "%0a%1b[2J ..%2fx%2f file3 file4 file5 "
is "a link that leads out is left out" "$CODE" 1
has "a link that leads out is named" "$ERR" '/directory/symlink is left out'
hasnt "no control characters on the terminal" "$ERR" "$(printf '\033')"
hostile link '/etc/'
has "an absolute link is left out" "$ERR" '/directory/symlink is left out'
hostile link 'a/../'
has "a link that goes down and up is left out" "$ERR" '/directory/symlink is left out'
hostile file3 file4
isnt() { if [ "$2" != "$3" ]; then pass "$1"; else fail "$1" "got: $2"; fi; }
isnt "two files of one name are no success" "$CODE" 0
hostile file3 file4
"$VMFSKIT" cp -r --overwrite bad / h/tree >out 2>err
isnt "two files of one name, with --overwrite" $? 0
has "two files of one name are told" err 'two files of the volume have this name'
# a link stands for a file system that knows no large letters: both names are one file
mkdir -p linked && printf same >linked/a && printf same >linked/B
ok "two equal files" "$LAB" make --overwrite --table none --vmfs 5 --size 2G --from linked names.img
run "$VMFSKIT" cp -r names.img / one
rm one/B && ln one/a one/B
exits "two names for one file" 2 "$VMFSKIT" cp -r --resume names.img / one
has "that they are one is said" "$ERR" 'that is the file under which [aB] was copied, as well \(one/[aB]\)'
has "and what to do" "$ERR" 'does not tell large letters from small ones holds only one of them'
hostile file1 '.\0\0\0\0' file2 '..\0\0\0'
is "names of dots lead nowhere, and their files are there" "$(ls -A h) $(ls -A h/tree/directory | tr '\n' ' ')" \
	"tree %2e %2e%2e file3 file4 file5 symlink "

# --- power cuts -------------------------------------------------------------------------------------------------------
steps=$(VMFSKIT_CRASH_LOG=log "$HOOKS" cp v6 /.pbc.sf crash >/dev/null 2>&1; wc -l <log)
ok "a copy has crash points" [ "$steps" -gt 5 ]
for ((n = 1; n <= steps; n++)); do
	rm -f crash crash.*
	VMFSKIT_CRASH_AT=$n "$HOOKS" cp v6 /.pbc.sf crash >/dev/null 2>&1
	is "crash point $n" $? 99
	[ ! -e crash ] || is "crash point $n: what has the name is whole" "$(sha256sum <crash)" "$(sha256sum <v6.all/.pbc.sf)"
	run "$VMFSKIT" cp --resume v6 /.pbc.sf crash
	is "crash point $n: --resume" "$CODE $(sha256sum <crash)" "0 $(sha256sum <v6.all/.pbc.sf)"
	is "crash point $n: nothing else is left" "$(ls crash*)" crash
done

# --- stopped by a signal, and by a disk that does not answer ----------------------------------------------------------
VMFSKIT_STOP_AT=4 "$HOOKS" cp v6 /.pbc.sf stopped >out 2>err &
pid=$!
for ((i = 0; i < 100; i++)); do [ "$(awk '/^State/ { print $2 }' /proc/$pid/status 2>/dev/null)" = T ] && break; sleep 0.05; done
kill -INT $pid
kill -CONT $pid
wait $pid
code=$?
if [ $code -ne 0 ]; then
	is "stopped by a signal" $code 4
	has "stopped by a signal: how to go on" err '--resume'
fi
ok "a stopped copy goes on" "$VMFSKIT" cp --resume v6 /.pbc.sf stopped
same "a stopped copy is whole at last" stopped v6.all/.pbc.sf

# --- a closed pipe ----------------------------------------------------------------------------------------------------
"$VMFSKIT" cat v6 /.fdc.sf 2>err | head -c 100 >/dev/null
is "a closed pipe ends cat quietly" "${PIPESTATUS[0]} $(cat err)" "141 "
exits "a full disk" 4 sh -c '"$VMFSKIT" cat v6 /.pbc.sf >/dev/full'

# --- a disk that does not answer: what is there is kept ---------------------------------------------------------------
VMFSKIT_TEST_STUCK=v5 VMFSKIT_TEST_STUCK_AT=$((at + 4096)) exits "a disk that does not answer" 4 \
	timeout 60 "$HOOKS" cp --timeout 1 --sums stuck.sums v5 /directory/file5 stuck
has "a disk that does not answer: what happened" "$ERR" 'did not answer for 1 s'
is "a disk that does not answer: what is left" "$(ls stuck*)" "stuck.vmfskit-map
stuck.vmfskit-part"
ok "a disk that answers again" "$VMFSKIT" cp --resume v5 /directory/file5 stuck
same "a disk that answers again: all of it" stuck gap

# --- on the source's own disk -----------------------------------------------------------------------------------------
need_root "a copy onto the disk that is read"
PATH=$PATH:/usr/sbin:/sbin
need mkfs.ext4
# a file system in the first 100 MiB of a disk, the volume behind it
truncate -s 640M disk
dd if=v5 of=disk bs=1M seek=104 conv=notrunc,sparse status=none
loop=$(loop_attach disk) || { skip "a copy onto the disk that is read" "no loop device"; exit 0; }
if mkfs.ext4 -qF "$loop" 100M && mkdir -p mnt && mount "$loop" mnt; then
	echo "$TMP/mnt" >>"$TMP/.mounts"
	exits "onto the disk that is read" 3 "$VMFSKIT" cp --at 104M "$loop" /directory/file5 mnt/x
	has "onto the disk that is read: the reason" "$ERR" 'lies on the disk that is read'
	exits "onto a file system in the image that is read" 3 "$VMFSKIT" cp --at 104M disk /directory/file5 mnt/x
	exits "a tree onto the disk that is read" 3 "$VMFSKIT" cp -r --at 104M "$loop" / mnt
	is "nothing was written there" "$(ls mnt)" lost+found
	ok "from the device to elsewhere" "$VMFSKIT" cp --at 104M "$loop" /directory/file5 from-device
	same "from the device: all of it" from-device gap
	umount mnt
else
	skip "a copy onto the disk that is read" "no ext4"
fi
