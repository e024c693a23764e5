#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A device that stops answering while its files are looked at: table and headers are kept, the map is said to be missing; the device may
# be one whose reader cannot even be killed.
. "$(dirname "$0")/../lib.sh"
need jq perl
[ -x "$HOOKS" ] || { skip "disks that hang" "no test build"; exit 0; }
cd "$TMP" || exit 1
: >none.conf
newest() { captures "$1" | tail -n 1; }
why='partition 1: its files are not saved: the device did not answer for 1 s'

printf '%s\n' 'folder /vm' 'file /vm/a-flat.vmdk size=4M content=zeros' >recipe
"$LAB" make --overwrite --vmfs 5 --size 1G --label files --files recipe d.img >/dev/null
# a block that only the walk over the files reads
at=$("$VMFSKIT" map --json d.img /vm | jq '.extents[0].device_offset')
ok "a whole night" "$VMFSKIT" capture --config none.conf --store st d.img
export VMFSKIT_TEST_STUCK_AT=$at
VMFSKIT_TEST_STUCK=d.img exits "the device hangs in the walk" 1 "$HOOKS" capture --config none.conf --store st --timeout 1 d.img
has "it is said" "$OUT" "^warning capture\.files-unread: $why\$"
has "what vanished is not known" "$OUT" 'partition 1: the files could not be listed: what vanished is not known$'
is "there is no map" "$(jq 'has("file_maps")' "st/$(newest st)/manifest.json")" false
is "the headers are those of the night before" "$(cd "st/$(newest st)" && sha256sum head.raw gpt-tail.raw p1-*.raw)" \
	"$(cd "st/$(captures st | head -n 1)" && sha256sum head.raw gpt-tail.raw p1-*.raw)"
ok "all verifies" "$VMFSKIT" verify --config none.conf --store st
mkdir luns
cp --sparse=always d.img luns/one
cp --sparse=always d.img luns/two
VMFSKIT_TEST_STUCK=luns/one exits "one of two hangs, a process at a time" 1 "$HOOKS" capture --config none.conf --all --dev-dir luns --store st \
	--timeout 1 --jobs 1 --json
is "both are captured" "$(jq -c '[(.captures[] | [(.disk | sub(".*/"; "")), (.file_maps | length)]), (.errors | length)]' "$OUT")" '[["one",0],["two",1],0]'
unset VMFSKIT_TEST_STUCK_AT
VMFSKIT_TEST_STUCK=luns/one exits "one that hangs from the begin is not captured" 4 "$HOOKS" capture --config none.conf --all --dev-dir luns --store st \
	--timeout 1
has "as before" "$ERR" 'did not answer for 1 s and was given up'

# reads of one block never come back, and who waits for them is in the kernel: not even SIGKILL ends him
cat >dead.pl <<'E2'
use Fcntl;
my ($folder, $image, $dead) = @ARGV;
open(my $file, "<:raw", $image) or exit 1;
sysopen(my $fuse, "/dev/fuse", O_RDWR) or exit 1;
fcntl($fuse, F_SETFD, 0);
system("mount", "-i", "-t", "fuse", "-o", "fd=" . fileno($fuse) . ",rootmode=40000,user_id=0,group_id=0", "dead", $folder) == 0 or exit 1;
sub attr { my ($ino, $mode) = @_; pack("Q6 L10", $ino, -s $file, 8, 0, 0, 0, 0, 0, 0, $mode, 1, 0, 0, 0, 4096, 0) }
sub answer { my ($unique, $error, $data) = @_; syswrite($fuse, pack("L l Q", 16 + length $data, $error, $unique) . $data) }
while (sysread($fuse, my $in, 1 << 17)) {
	my ($len, $what, $unique, $node) = unpack("L L Q Q", $in);
	if ($what == 26) { answer($unique, 0, pack("L4 S2 L x40", 7, 31, 0, 0, 16, 16, 1 << 16)) } # init
	elsif ($what == 1) { answer($unique, 0, pack("Q4 L2", 2, 0, 60, 60, 0, 0) . attr(2, 0100600)) } # look up
	elsif ($what == 3) { answer($unique, 0, pack("Q L2", 60, 0, 0) . ($node == 1 ? attr(1, 040755) : attr(2, 0100600))) }
	elsif ($what == 14) { answer($unique, 0, pack("Q L2", 1, 1, 0)) } # open, without the page cache
	elsif ($what == 15) { # read
		my ($handle, $offset, $size) = unpack("x40 Q Q L", $in);
		next if $offset <= $dead && $dead < $offset + $size;
		seek($file, $offset, 0);
		read($file, my $bytes, $size);
		answer($unique, 0, $bytes);
	}
	elsif ($what == 18 || $what == 25) { answer($unique, 0, "") } # release, flush
	elsif ($what != 2 && $what != 36) { answer($unique, -38, "") } # not: forget, interrupt
}
E2
mkdir mnt
perl dead.pl "$TMP/mnt" d.img "$at" >/dev/null 2>&1 &
server=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ -e mnt/dead ] && break
	sleep 0.2
done
if [ -e mnt/dead ]; then
	echo "$TMP/mnt" >>"$TMP/.mounts"
	exits "the reader cannot be killed" 1 "$VMFSKIT" capture --config none.conf --store fuse --timeout 1 mnt/dead
	has "the reader cannot be killed: it is said" "$OUT" "$why"
	hung=0
	for process in /proc/[0-9]*; do
		grep -q ') D ' "$process/stat" 2>/dev/null && tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -qF -- "--store fuse " && hung=$((hung + 1))
	done
	is "it hangs in the kernel" "$hung" 1
	is "the headers are saved" "$(cd "fuse/$(newest fuse)" && sha256sum head.raw gpt-tail.raw p1-*.raw)" \
		"$(cd "st/$(captures st | head -n 1)" && sha256sum head.raw gpt-tail.raw p1-*.raw)"
	ok "the next run has the lock" "$VMFSKIT" capture --config none.conf --store fuse d.img
	umount -l mnt
	kill $server
	wait $server 2>/dev/null
else
	wait $server 2>/dev/null
	skip "a reader that cannot be killed" "needs root and FUSE"
fi
:
