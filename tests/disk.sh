# SPDX-License-Identifier: Apache-2.0
# Disks for the tests of restore and undo: real partitions placed on tables that other programs made, damage,
# and a hash of every byte. To be sourced behind lib.sh.

VMFS_GUID=AA31E02A-400F-11DB-9590-000C2911D1B8
REAL_SECTORS=2457882

# Size and every byte of a file. Holes are not read, but a hole and zeros that were written hash alike.
disk_sum() {
	perl -e '
		use strict;
		open(my $f, "<:raw", $ARGV[0]) or die "$ARGV[0]: $!";
		my ($size, $block, $next, $pos) = (-s $f, 65536, 0, 0);
		my $zero = "\0" x $block;
		print "$size\n";
		while (defined(my $data = sysseek($f, $pos, 3))) {
			my $hole = sysseek($f, $data + 0, 4) // $size;
			$next = int($data / $block) if $next < int($data / $block);
			for (; $next * $block < $hole; $next++) {
				my $got = "";
				sysseek($f, $next * $block, 0);
				while (length($got) < $block) {
					my $n = sysread($f, $got, $block - length($got), length($got));
					die "$ARGV[0]: $!" unless defined $n;
					last unless $n;
				}
				print "$next\n", $got if $got ne substr($zero, 0, length($got));
			}
			$pos = $hole;
		}' "$1" | sha256sum | cut -d ' ' -f 1
}

# copy a disk and keep its holes
copy_disk() { cp --sparse=always --no-preserve=timestamps -- "$1" "$2"; }

# real_partition: the unpacked partition of the reference data, once for each test
real_partition() {
	if [ ! -f "$TMP/real.img" ]; then
		unpack "$SHARED/data/vmfs3-esx35-volume/partition.img.xz" "$TMP/real.img" || return 1
	fi
	echo "$TMP/real.img"
}

# place IMAGE DISK SECTOR
place() {
	dd if="$1" of="$2" bs=1M oflag=seek_bytes seek=$(($3 * 512)) conv=notrunc,sparse status=none
}

# zero DISK OFFSET LENGTH, in bytes
zero() {
	dd if=/dev/zero of="$1" bs=1M iflag=count_bytes oflag=seek_bytes seek="$2" count="$3" \
		conv=notrunc status=none
}

newest() { ls -1t -- "$1" | grep -v "^ledger\." | head -n 1; }

# the id of the undo capture in the JSON of restore --write
undo_of() { sed -n 's/^ *"undo": "\(.*\)",*$/\1/p' "$1"; }

# the guards that stand in the way, in the JSON of restore, undo or repair
objected() { jq -r '[.objections[] | select(.overridden | not) | .guard] | unique | join(" ")' "$1"; }

# its bytes and when they were written last
disk_state() { stat -c '%y %s' "$1"; disk_sum "$1"; }

# stops POINT VERB...: the program with crash points in the background, until it stops at one; its process in $pid, the one
# that stopped (a worker of it, maybe) in $worker; what it says in bg.out and bg.err. go_on: lets it go on, to its end
stops() {
	local point=$1 tries=0
	shift
	VMFSKIT_STOP_AT=$point "$HOOKS" "$@" >bg.out 2>bg.err &
	pid=$!
	# the worker of the run stops, and what waits for it with it
	until stopped_process; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || { fail "the run stops at crash point $point" "$(cat bg.err)"; return 1; }
		sleep 0.05
	done
}
stopped_process() {
	local p
	for p in "$pid" $(cat "/proc/$pid/task/"*/children 2>/dev/null); do
		grep -q '^State:[[:space:]]*T' "/proc/$p/status" 2>/dev/null && worker=$p && return
	done
	return 1
}
go_on() {
	kill -CONT "$worker"
	wait "$pid"
}
