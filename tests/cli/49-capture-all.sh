#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# capture --all: 256 disks, one LUN by several names, quiet nights, each change one line, disks that fail or hang.
. "$(dirname "$0")/../lib.sh"
need perl jq
config=$TMP/none.conf
: >"$config"

make() { "$LAB" make --overwrite "$@" >/dev/null || exit 1; }
# all FOLDER STORE [OPTIONS]
all() {
	local folder=$1 store=$2
	shift 2
	"${PROGRAM:-$VMFSKIT}" capture --all --config "$config" --dev-dir "$folder" --store "$store" "$@"
}
lines() { grep -c '' "$OUT"; }

# --- 256 disks
mkdir "$TMP/luns"
big=$(big_dir) || big=
i=0
while [ $i -lt 256 ]; do
	name=$(printf 'naa.600144f07ed404000000%012d' $i)
	where=$TMP/luns/$name
	case $((i % 8)) in
	0) spec="--table mbr --vmfs 3 --start 63 --size 1G" ;;
	1) spec="--table mbr --vmfs 3 --start 128 --size 1G --live 1" ;;
	2) spec="--table mbr --vmfs 5 --start 2048 --size 2G" ;;
	3) spec="--table gpt --vmfs 5 --size 2G --live 2" ;;
	4) spec="--table gpt --vmfs 5 --start 12345 --size 3G" ;;
	5) spec="--table gpt --vmfs 6 --size 2G" ;;
	6) spec="--table gpt --vmfs 6 --start 4095 --size 3G" ;;
	*)
		spec="--table gpt --vmfs 5 --size 2G"
		if [ -n "$big" ] && [ $((i % 32)) -eq 7 ]; then
			spec="--table gpt --vmfs $((i % 64 == 7 ? 5 : 6)) --size 64T"
			where=$big/$name
			ln -s "$where" "$TMP/luns/$name"
		fi
		;;
	esac
	# shellcheck disable=SC2086 # words
	make $spec --label "ds $i" --naa "$name" --lun $((i % 200)) --seed $i "$where"
	i=$((i + 1))
done
is "256 disks" "$(ls "$TMP/luns" | wc -l)" 256
[ -n "$big" ] && is "8 of them of 64 TB" "$(find -L "$TMP/luns" -size +60000G | wc -l)" 8

# the largest resident size of a command in KiB, behind what it prints
cat >"$TMP/rss.pl" <<'E2'
use POSIX ();
my %wait4 = (x86_64 => 61, aarch64 => 260);
my $number = $wait4{(POSIX::uname())[4]};
my $out = shift;
my $pid = fork // die;
exec @ARGV or die unless $pid;
my ($status, $usage) = (pack("i", 0), "\0" x 144);
defined $number ? syscall($number, $pid, $status, 0, $usage) : waitpid($pid, 0);
open(my $f, ">", $out) or die;
print $f defined $number ? unpack("x32 q", $usage) : "?";
exit(defined $number ? unpack("i", $status) >> 8 : $? >> 8);
E2
measured() { perl "$TMP/rss.pl" "$TMP/rss" "$@"; }
exits "all at once" 0 measured "$VMFSKIT" capture --all --config "$config" --dev-dir "$TMP/luns" --store "$TMP/st" --json
cp "$OUT" "$TMP/first.json"
rss=$(cat "$TMP/rss")
case $BUILD:$rss in
*/asan:* | *:\?) skip "memory" "cannot be measured here" ;;
*) ok "under 64 MiB of memory: $rss KiB" [ "$rss" -lt 65536 ] ;;
esac
is "the JSON names each" "$(jq -r '.captures[].disk | sub(".*/"; "")' "$TMP/first.json" | sort | md5sum)" "$(ls "$TMP/luns" | sort | md5sum)"
is "sorted as people count" "$(jq -r '.captures[].disk | sub(".*/"; "")' "$TMP/first.json" | md5sum)" "$(ls -v "$TMP/luns" | md5sum)"
is "summary" "$(jq -c .summary "$TMP/first.json")" \
	'{"disks":256,"unchanged":0,"changed":0,"new":256,"failed":0,"skipped":0,"gone":0}'
is "a first capture has no previous" "$(jq -c '[.captures[].previous] | unique' "$TMP/first.json")" "[null]"
is "labels" "$(jq -r '[.captures[].volumes[0].label] | unique | length' "$TMP/first.json")" 256
ok "verify: all sound" "$VMFSKIT" verify --config "$config" --store "$TMP/st"

exits "the second night" 0 measured "$VMFSKIT" capture --all --config "$config" --dev-dir "$TMP/luns" --store "$TMP/st"
is "says nothing" "$(cat "$OUT" "$ERR")" ""
rss=$(cat "$TMP/rss")
case $BUILD:$rss in
*/asan:* | *:\?) skip "memory" "cannot be measured here" ;;
*) ok "under 64 MiB of memory: $rss KiB" [ "$rss" -lt 65536 ] ;;
esac
rm -rf "$TMP/luns" "$TMP/st" ${big:+"$big"}

# --- one LUN by several names
d=$TMP/d st=$TMP/few
mkdir "$d"
for i in 1 2 3 4; do make --vmfs 5 --size 1G --label "ds$i" --live 1 --seed $i "$d/naa.$i"; done
ln "$d/naa.2" "$d/other"
ln -s naa.3 "$d/soft"
cp --sparse=always "$d/naa.1" "$d/naa.1:1"
ln -s naa.1 "$d/vml.02"
truncate -s 1M "$d/blank"
exits "names of one LUN" 0 all "$d" "$st" --json
is "one capture for each" "$(jq -c '[.captures[].disk | sub(".*/"; "")]' "$OUT")" '["naa.1","naa.2","naa.3","naa.4"]'
is "other names are told" "$(jq -c '[.captures[].other_paths | map(sub(".*/"; ""))]' "$OUT")" '[[],["other"],["soft"],[]]'
is "a blank disk is passed over" "$(jq -c '[.skipped[] | .disk | sub(".*/"; "")]' "$OUT")" '["blank"]'
is "manifests have the other names" "$(jq -r '.source.other_paths[]?' "$st"/*/manifest.json | sort | tr '\n' ' ')" "$d/other $d/soft "
is "and are sound" "$("$VMFSKIT" verify --config "$config" --store "$st" | grep -c ': sound')" 4
exits "a quiet night" 0 all "$d" "$st"
is "without a word" "$(cat "$OUT" "$ERR")" ""

exits "in JSON" 0 all "$d" "$st" --json
is "all unchanged" "$(jq -c .summary "$OUT")" '{"disks":5,"unchanged":4,"changed":0,"new":0,"failed":0,"skipped":1,"gone":0}'
is "each knows its last capture" "$(jq '[.captures[] | select(.unchanged and .previous != null and .changes == [])] | length' "$OUT")" 4

# --- loop devices on one file
if [ "$(id -u)" -eq 0 ] && l1=$(loop_attach "$d/naa.4") && l2=$(loop_attach "$d/naa.4"); then
	mkdir "$TMP/loops"
	ln -s "$l1" "$TMP/loops/a"
	ln -s "$l2" "$TMP/loops/b"
	exits "two loop devices on one file" 0 all "$TMP/loops" "$TMP/loops.st" --json
	is "one capture with both" "$(jq -c '[.captures[] | (.disk, .other_paths[]) | sub(".*/"; "")]' "$OUT")" '["a","b"]'
	loop_detach "$l1"
	loop_detach "$l2"
else
	skip "two loop devices on one file" "needs root and loop devices"
fi

# --- which disks
exits "include and exclude" 0 all "$d" "$TMP/some" --include 'naa.[123]' --exclude '*.2' --json
is "chosen by name" "$(jq -c '[.captures[].disk | sub(".*/"; "")]' "$OUT")" '["naa.1","naa.3"]'
exits "nothing matches" 4 all "$d" "$TMP/some" --include 'eui.*'
has "is told" "$ERR" "not one disk was found"
exits "--all and a name" 2 all "$d" "$TMP/some" "$d/naa.1"
exits "--include without --all" 2 "$VMFSKIT" capture --config "$config" --include x "$d/naa.1"
exits "neither" 2 "$VMFSKIT" capture --config "$config"
exits "--jobs 0" 2 all "$d" "$TMP/some" --jobs 0
exits "--timeout soon" 2 all "$d" "$TMP/some" --timeout soon
exits "no such folder" 4 all "$TMP/nosuch" "$TMP/some"
mkdir "$TMP/mixed"
make --table gpt --layout esxi7-small --size 40G "$TMP/mixed/boot"
cp --sparse=always "$d/naa.1" "$TMP/mixed/vmfs"
perl -e 'open(my $f, "+>", $ARGV[0]); truncate($f, 1<<20); seek($f, 446, 0); print $f pack("CCCCCCCCVV", 0,0,0,0,0x83,0,0,0, 63, 1000); seek($f, 510, 0); print $f "\x55\xaa"' "$TMP/mixed/linux"
exits "a disk without VMFS is saved, too" 0 all "$TMP/mixed" "$TMP/mixed.st" --json
is "with its table" "$(jq -c '[.captures[] | select(.volumes == []) | .disk | sub(".*/"; "")]' "$OUT")" '["linux"]'
is "and is no finding" "$(jq '.findings | length' "$OUT")" 0
exits "unless --vmfs-only" 0 all "$TMP/mixed" "$TMP/mixed2.st" --json --vmfs-only
is "passes it over" "$(jq -c '[.skipped[] | .disk | sub(".*/"; "")]' "$OUT")" '["linux"]'
exits "by name it is one" 1 "$VMFSKIT" capture --config "$config" --store "$TMP/mixed.st" "$TMP/mixed/linux"
has "as ever" "$OUT" "capture.no-vmfs"

# --- what changed: one line for each, once
# changed NAME PATTERN: the next run prints exactly one line, the one after it none
changed() {
	exits "$1" 0 all "$d" "$st"
	has "$1: is told" "$OUT" "$2"
	is "$1: in one line" "$(lines)" 1
	exits "$1: the night after" 0 all "$d" "$st"
	is "$1: is quiet" "$(cat "$OUT" "$ERR")" ""
}
# poke FILE OFFSET TEXT
poke() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
make --vmfs 5 --size 1G --label web --seed 2 "$TMP/again"
cat "$TMP/again" >"$d/naa.2"
changed "a label" '^naa\.2: partition 1: label.*ds2.*web'
make --vmfs 5 --size 1G --label ds3 --lun 7 --seed 3 "$TMP/again"
cat "$TMP/again" >"$d/naa.3"
changed "a LUN in the disk id" '^naa\.3: partition 1: .*LUN.* 7'
make --table mbr --vmfs 3 --start 128 --size 1G --seed 9 "$d/naa.5"
changed "a new LUN" '^naa\.5: new, captured as '
# one sector less
perl -e 'open(my $f, "+<", $ARGV[0]); seek($f, 446 + 12, 0); read($f, my $b, 4); seek($f, 446 + 12, 0); print $f pack("V", unpack("V", $b) - 1)' "$d/naa.5"
changed "a partition end" '^naa\.5: partition 1: .*end'
mv "$d/naa.4" "$TMP/naa.4"
changed "a LUN that is gone" '^naa\.4: no longer seen, last captured 20'
"$HOOKS" capture --config "$config" --store "$TMP/order.st" --all --dev-dir "$d" >/dev/null 2>&1
mv "$d/naa.5" "$TMP/naa.5"
run "$HOOKS" capture --config "$config" --store "$TMP/order.st" --dev-dir "$d" --all
has "a LUN that is gone, with the words in another order" "$(cat "$OUT" "$ERR")" '^naa\.5: no longer seen'
mv "$TMP/naa.5" "$d/naa.5"
mv "$TMP/naa.4" "$d/naa.4"
exits "it came back" 0 all "$d" "$st"
is "and is what it was" "$(cat "$OUT" "$ERR")" ""
ok "a host is alive" "$LAB" beat "$d/naa.4"
exits "a heartbeat" 0 all "$d" "$st" --json
is "is no change" "$(jq -c .summary.changed "$OUT")" 0
make --vmfs 5 --size 1G --label db --seed 2 "$TMP/again"
cat "$TMP/again" >"$d/naa.2"
exits "--fail-on-change" 1 all "$d" "$st" --fail-on-change
is "one line" "$(lines)" 1
exits "--fail-on-change without one" 0 all "$d" "$st" --fail-on-change
cat "$d/naa.1" >"$TMP/whole1"
dd if=/dev/zero of="$d/naa.1" bs=1M count=40 conv=notrunc status=none
dd if=/dev/zero of="$d/naa.1" bs=1M seek=1023 count=1 conv=notrunc status=none
exits "a disk that was wiped is a finding" 1 all "$d" "$st"
has "names it" "$OUT" '^naa\.1: '
has "table" "$OUT" 'capture.not-containing'
has "volume" "$OUT" 'capture.no-vmfs'
exits "every night" 1 all "$d" "$st"
has "the night after, too" "$OUT" 'capture.not-containing'
cp --sparse=always "$TMP/whole1" "$d/naa.1"
exits "JSON of a change" 0 all "$d" "$st" --json
is "says what" "$(jq -c '[.captures[] | select(.changes != []) | .disk | sub(".*/"; "")]' "$OUT")" '["naa.1"]'
# named disks are told of, and compared as well
poke "$d/naa.4" 0 'x'
exits "a named disk" 0 "$VMFSKIT" capture --config "$config" --store "$st" "$d/naa.4"
has "its line" "$OUT" "^[0-9TZ.]*-naa.4.*: $d/naa.4, 1 GiB"
has "and what changed" "$OUT" "^$d/naa.4: "
exits "quietly" 0 "$VMFSKIT" capture --config "$config" --store "$st" --quiet "$d/naa.4"
is "without a word" "$(cat "$OUT" "$ERR")" ""

# --- a disk that fails, a disk that hangs
if [ -x "$HOOKS" ]; then
	PROGRAM=$HOOKS
	VMFSKIT_TEST_BAD=1048576+512 exits "unreadable sectors" 1 all "$d" "$TMP/bad.st" --json
	is "are findings" "$(jq -c '[.findings[].code] | unique' "$OUT")" '["capture.unreadable"]'
	started=$SECONDS
	VMFSKIT_TEST_STUCK=$d/naa.3 exits "a disk that does not answer" 4 all "$d" "$st" --timeout 1
	has "is named" "$ERR" "did not answer for 1 s and was given up \($d/naa.3\)"
	ok "and given up" [ $((SECONDS - started)) -lt 30 ]
	is "nothing else is told" "$(cat "$OUT")" ""
	VMFSKIT_TEST_STUCK=$d/naa.3 exits "JSON of it" 4 all "$d" "$st" --timeout 1 --json
	is "the others are captured" "$(jq -c '[.errors[].disk, (.captures | length)] | map(if type == "string" then sub(".*/"; "") else . end)' "$OUT")" \
		'["naa.3",4]'
	is "the hung one left nothing" "$(ls -A "$st" | grep -c '^[^.].*naa\.3')" \
		"$(jq -r 'select(.source.path | endswith("naa.3")) | .id' "$st"/*/manifest.json | wc -l)"
	# nothing waits for the process that hangs
	started=$SECONDS
	told=$(VMFSKIT_TEST_STUCK=$d/naa.3 all "$d" "$st" --timeout 1 2>&1 | cat)
	ok "nor does who reads what it prints" [ $((SECONDS - started)) -lt 30 ]
	has "as told" "$told" "did not answer"
	VMFSKIT_TEST_STUCK=$d/naa.3 exits "one thread for all" 4 all "$d" "$st" --timeout 1 --jobs 1 --json
	is "goes on behind it" "$(jq '.captures | length' "$OUT")" 4
	exits "the lock was given back" 0 all "$d" "$st"
	is "and nothing is new" "$(cat "$OUT")" ""
	exits "verify: one disk was wiped" 1 "$VMFSKIT" verify --config "$config" --store "$st"
	is "nothing but that" "$(grep -v -e ': sound' -e ': incomplete' "$OUT" | grep -c '^/.*damaged')" 0
	exits "what ends the worker ends the program" 99 env VMFSKIT_CRASH_AT=5 "$HOOKS" capture --config "$config" --store "$st" "$d/naa.4"
	VMFSKIT_TEST_STUCK=$d/naa.3 "$HOOKS" capture --config "$config" --store "$st" "$d/naa.3" 2>/dev/null &
	pid=$!
	sleep 0.7
	kill -KILL $pid
	wait $pid 2>/dev/null
	exits "killed with its worker: the next run has the lock" 0 all "$d" "$st"
	unset PROGRAM
else
	skip "disks that fail" "no test build"
fi

# a file whose reads never come back: who reads it is in the kernel, and not even SIGKILL ends him
cat >"$TMP/dead.pl" <<'E2'
use Fcntl;
sysopen(my $fuse, "/dev/fuse", O_RDWR) or exit 1;
fcntl($fuse, F_SETFD, 0);
system("mount", "-i", "-t", "fuse", "-o", "fd=" . fileno($fuse) . ",rootmode=40000,user_id=0,group_id=0", "dead", $ARGV[0]) == 0 or exit 1;
sub attr { my ($ino, $mode) = @_; pack("Q6 L10", $ino, 1 << 30, 8, 0, 0, 0, 0, 0, 0, $mode, 1, 0, 0, 0, 4096, 0) }
sub answer { my ($unique, $error, $data) = @_; syswrite($fuse, pack("L l Q", 16 + length $data, $error, $unique) . $data) }
while (sysread($fuse, my $in, 1 << 17)) {
	my ($len, $what, $unique, $node) = unpack("L L Q Q", $in);
	if ($what == 26) { answer($unique, 0, pack("L4 S2 L x40", 7, 31, 0, 0, 16, 16, 1 << 16)) } # init
	elsif ($what == 1) { answer($unique, 0, pack("Q4 L2", 2, 0, 60, 60, 0, 0) . attr(2, 0100600)) } # look up
	elsif ($what == 3) { answer($unique, 0, pack("Q L2", 60, 0, 0) . ($node == 1 ? attr(1, 040755) : attr(2, 0100600))) }
	elsif ($what == 14) { answer($unique, 0, pack("Q L2", 1, 1, 0)) } # open, without the page cache
	elsif ($what == 18 || $what == 25) { answer($unique, 0, "") } # release, flush
	elsif ($what != 15 && $what != 2 && $what != 36) { answer($unique, -38, "") } # not: read, forget, interrupt
}
E2
mkdir "$TMP/mnt"
perl "$TMP/dead.pl" "$TMP/mnt" >/dev/null 2>&1 &
server=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ -e "$TMP/mnt/dead" ] && break
	sleep 0.2
done
if [ -e "$TMP/mnt/dead" ]; then
	echo "$TMP/mnt" >>"$TMP/.mounts"
	ln -s "$TMP/mnt/dead" "$d/naa.9"
	started=$SECONDS
	told=$(all "$d" "$st" --timeout 1 2>&1 | cat)
	ok "a process that cannot be killed is not waited for" [ $((SECONDS - started)) -lt 30 ]
	has "its disk is named" "$told" "did not answer for 1 s and was given up \($d/naa.9\)"
	hung=0
	for process in /proc/[0-9]*; do
		grep -q ') D ' "$process/stat" 2>/dev/null && tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -qF -- "--store $st " && hung=$((hung + 1))
	done
	is "it hangs in the kernel" "$hung" 1
	exits "the others are captured, the next run has the lock" 4 all "$d" "$st" --timeout 1 --json
	is "each of them" "$(jq '.captures | length' "$OUT")" 5
	rm "$d/naa.9"
	umount -l "$TMP/mnt"
	kill $server
	wait $server 2>/dev/null
	exits "when it is gone" 0 all "$d" "$st"
else
	wait $server 2>/dev/null
	skip "a process that cannot be killed" "needs root and FUSE"
fi

# --- the configuration
printf '# nightly\nstore = %s\ndev-dir = %s\ninclude = naa.1\ninclude = naa.4\nfail-on-change = no\n' "$TMP/conf.st" "$d" >"$TMP/conf"
exits "options from the configuration" 0 "$VMFSKIT" capture --all --config "$TMP/conf" --json
is "are used" "$(jq -c '[.store, (.captures[].disk | sub(".*/"; ""))]' "$OUT")" "[\"$TMP/conf.st\",\"naa.1\",\"naa.4\"]"
exits "the command line comes first" 0 "$VMFSKIT" capture --all --config "$TMP/conf" --include naa.3 --json
is "and replaces lists" "$(jq -c '[.captures[].disk | sub(".*/"; "")]' "$OUT")" '["naa.3"]'
exits "named disks do not mind what is for --all" 0 "$VMFSKIT" capture --config "$TMP/conf" "$d/naa.5"
exits "other verbs take the store" 0 "$VMFSKIT" list --config "$TMP/conf"
has "from there" "$OUT" "naa.3"
if command -v openssl >/dev/null && (umask 077 && openssl genpkey -algorithm ed25519 -out "$TMP/key") 2>/dev/null; then
	printf 'md5 = yes\nsign-key = %s\nanchor = %s\n' "$TMP/key" "$TMP/anchor" >>"$TMP/conf"
	exits "keys, anchor and MD5 from the configuration" 0 "$VMFSKIT" capture --all --config "$TMP/conf" --store "$TMP/signed.st"
	ok "signed, with MD5" ls "$TMP/signed.st"/*naa.1/manifest.json.sig "$TMP/signed.st"/*naa.1/MD5SUMS
	ok "an anchor" [ -s "$TMP/anchor" ]
	sed -i '/^md5/d; /^sign-key/d; /^anchor/d' "$TMP/conf"
else
	skip "keys, anchor and MD5 from the configuration" "there is no openssl"
fi
echo 'sotre = /x' >>"$TMP/conf"
exits "an unknown key" 2 "$VMFSKIT" list --config "$TMP/conf"
has "is named with its line" "$ERR" "$TMP/conf, line 7: .*sotre"
echo 'write = yes' >"$TMP/conf"
exits "nothing that writes" 2 "$VMFSKIT" list --config "$TMP/conf"
: >"$TMP/conf"
chmod 666 "$TMP/conf"
exits "one that others can write" 3 "$VMFSKIT" list --config "$TMP/conf"
exits "one that is not there" 4 "$VMFSKIT" list --config "$TMP/nosuch"
