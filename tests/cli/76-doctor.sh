#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The phone call: other systems at work on a LUN; doctor names them, the damaged sectors, and what to run next.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
PATH=$PATH:/usr/sbin:/sbin
need perl jq mkfs.ext4 mkfs.xfs mkfs.vfat wipefs sfdisk blkdiscard fallocate
cd "$TMP" || exit 1
mkdir -m 700 nowhere # a store without captures

# differing FIRST SECOND: numbers of the 512-byte sectors that differ, one on a line; holes of both are skipped
differing() {
	perl -e '
		use strict;
		my ($p, $q) = @ARGV;
		open(my $f, "<:raw", $p) or die; open(my $g, "<:raw", $q) or die;
		my $size = -s $f; my $step = 1 << 20; my $zero = "\0" x $step;
		sub part { my ($h, $at) = @_; my $buf = "";
			my $data = sysseek($h, $at, 3); return $zero if !defined $data || $data >= $at + $step;
			sysseek($h, $at, 0); sysread($h, $buf, $step); $buf .= "\0" x ($step - length $buf); $buf }
		for (my $at = 0; $at < $size; $at += $step) {
			my ($x, $y) = (part($f, $at), part($g, $at));
			next if $x eq $y;
			for (my $i = 0; $i < $step; $i += 512) {
				print +(($at + $i) / 512), "\n" if substr($x, $i, 512) ne substr($y, $i, 512);
			}
		}' "$1" "$2"
}

# sectors of JSON ranges "OFFSET LENGTH" on standard input
sectors_of() { perl -ne 'my ($o, $l) = split; print "$_\n" for $o / 512 .. ($o + $l) / 512 - 1'; }
harmed() { jq -r '.sources[0].ranges[] | select(.damage == "damaged" or .damage == "zero" or .damage == "foreign") | "\(.offset_bytes) \(.length_bytes)"' "$1" | sectors_of; }
intact() { jq -r '.sources[0].ranges[] | select(.damage == "intact") | "\(.offset_bytes) \(.length_bytes)"' "$1" | sectors_of; }
captured() { jq -r '.regions[] | "\(.offset_bytes // .offset) \(.length_bytes // .length)"' "$1"/*/manifest.json | sectors_of; }
minus() { comm -23 <(sort "$1") <(sort "$2"); }
both() { comm -12 <(sort "$1") <(sort "$2"); }

# examine NAME DISK ORIGINAL STORE: what doctor says against what differs; STORE may be empty
examine() {
	local name=$1 disk=$2 original=$3 store=$4 first
	exits "$name: exit code" 1 "$VMFSKIT" doctor --heartbeat-wait 0 --json --store "${store:-nowhere}" "$disk"
	cp "$OUT" doctor.json
	differing "$original" "$disk" | sort >truth
	harmed doctor.json | sort >told
	intact doctor.json | sort >sound
	is "$name: no sector is called damaged that is not" "$(minus told truth | head -n 5)" ""
	is "$name: no sector is called intact that is not" "$(both sound truth | head -n 5)" ""
	first=$(sort -n truth | head -n 1)
	# a protective MBR fits every GPT: whether it was written again only a capture tells
	case $name in *"MSR partition, without") first=$(sort -n truth | sed -n 2p) ;; esac
	is "$name: the first damaged sector" "$(jq '.sources[0].damaged.first_sector' doctor.json)" "$first"
	is "$name: the last damaged sector is that of its ranges" "$(jq '.sources[0].damaged.last_sector' doctor.json)" "$(sort -n told | tail -n 1)"
	[ -n "$store" ] || return
	captured "$store" | sort >saved
	is "$name: every damaged sector that was captured is named" "$(both truth saved | comm -23 - told | head -n 5)" ""
}

# run_printed NAME: every command that is printed runs as it stands; plans of what guards refuse are shown, too
run_printed() {
	local name=$1 line
	mkdir -p bin && ln -sf "$VMFSKIT" bin/vmfskit
	while read -r line; do
		PATH=$TMP/bin:$PATH bash -c "$line" >"$OUT" 2>"$ERR"
		CODE=$?
		case $line:$CODE in
		*:0 | *" capture "*:1 | *" restore "*:3 | *" repair "*:[13]) pass "$name: $line" ;;
		*) fail "$name: $line" "exit code $CODE"; explain "$line" ;;
		esac
		case $line in
		*" restore "* | *" repair "*) has "$name: $line shows a plan" "$OUT" '[Nn]othing was written|would be written|Refused' ;;
		esac
	done < <(jq -r '.sources[0].next[].command | values' doctor.json)
}
code_is() { has "$1: $2" "$(jq -r '.sources[0].findings[].code' doctor.json)" "^$2\$"; }
seen_is() { has "$1: names $2" "$(jq -r '.sources[0].findings[] | .seen + " " + .message' doctor.json)" "$2"; }
# the commands, without paths: "restore", "capture repair-table"
commands() { jq -r '[.sources[0].next[].command | values | split(" ")[1:3] | if .[0] == "repair" then "repair-" + .[1] else .[0] end] | join(" ")' doctor.json; }

"$LAB" make --table gpt --vmfs 5 --start 2048 --size 420M --label five five.img >/dev/null || exit 1
"$LAB" make --table gpt --vmfs 6 --start 2048 --size 420M --label six six.img >/dev/null || exit 1
"$LAB" make --table mbr --vmfs 3 --start 128 --size 420M --label three --model SUN:COMSTAR:1.0 three.img >/dev/null || exit 1
for disk in five six three; do
	"$VMFSKIT" capture --store "store-$disk" "$disk.img" >/dev/null || exit 1
	copy_disk "$disk.img" "$disk.orig"
	exits "$disk, nothing done: healthy" 0 "$VMFSKIT" doctor --store "store-$disk" "$disk.img"
	has "$disk, nothing done: says so" "$OUT" '^Nothing wrong was found'
	exits "$disk, no capture: healthy" 0 "$VMFSKIT" doctor --store nowhere "$disk.img"
	has "$disk, no capture: take one" "$OUT" "^  1\. vmfskit capture $disk.img --store nowhere"
done

# deed NAME DISK PATTERN CODES COMMAND...: what was done, what must be named, which codes; COMMAND gets the image last
deed() {
	local name=$1 disk=$2 pattern=$3 codes=$4 code work
	shift 4
	work=$disk.img
	copy_disk "$disk.orig" "$work"
	if ! "$@" "$work" >"$TMP/deed" 2>&1; then
		fail "$disk, $name: could not be done" "$(cat "$TMP/deed")"
		return
	fi
	examine "$disk, $name, with a capture" "$work" "$disk.orig" "store-$disk"
	for code in $codes; do code_is "$disk, $name, with a capture" "incident.$code"; done
	seen_is "$disk, $name, with a capture" "$pattern"
	is "$disk, $name, with a capture: what is next" "$(commands)" "${offered-restore}"
	run_printed "$disk, $name, with a capture"
	examine "$disk, $name, without" "$work" "$disk.orig" ""
	for code in $codes; do code_is "$disk, $name, without" "incident.$code"; done
	seen_is "$disk, $name, without" "$pattern"
	has "$disk, $name, without: saving comes first, repair after it" "$(commands)" \
		"^capture${offered+\$}${offered- repair-(table|header)( repair-header)?\$}"
	run_printed "$disk, $name, without"
	rm -rf nowhere && mkdir -m 700 nowhere
}

mbr_of_windows() { printf 'label: dos\nstart=2048, size=600000, type=7\n' | sfdisk -q --no-tell-kernel "$1"; }
dynamic_disk() { printf 'label: dos\nstart=63, size=600000, type=42\n' | sfdisk -q --no-tell-kernel "$1"; }
gpt_of_windows() {
	printf 'label: gpt\nfirst-lba: 34\nstart=34, size=32734, type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE, name="Microsoft reserved partition"\nstart=34816, size=700000, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n' |
		sfdisk -q --no-tell-kernel "$1"
}
discard() {
	local device code
	if [ "$(id -u)" -ne 0 ]; then
		fallocate -p -o 0 -l 1MiB "$1"
		return
	fi
	device=$(loop_attach "$1") && blkdiscard -f -o 0 -l 1MiB "$device"
	code=$?
	loop_detach "$device"
	return $code
}
physical_volume() {
	local device code
	device=$(loop_attach "$1") || return 1
	pvcreate -ff -y -q --config 'devices{use_devicesfile=0 filter=["a|.*|"]} global{locking_type=1}' "$device"
	code=$?
	sync
	loop_detach "$device"
	return $code
}

for disk in five six three; do
	table=table-damaged
	[ $disk != three ] || table=table-lost
	deed "mkfs.ext4" $disk 'ext4, UUID [0-9a-f-]{36}' "formatted table-lost" mkfs.ext4 -F -q -E nodiscard
	deed "mkfs.xfs" $disk 'xfs, UUID [0-9a-f-]{36}' "formatted table-lost" mkfs.xfs -f -q -K
	deed "mkfs.vfat" $disk 'vfat, UUID [0-9A-F-]{9}' "formatted $table" mkfs.vfat -I
	deed "NTFS boot sector" $disk '[nN][tT][fF][sS]' "formatted $table" "$LAB" break --how ntfs
	deed "a Windows MBR" $disk 'Windows' initialised mbr_of_windows
	deed "a dynamic disk" $disk 'dynamic disk' initialised dynamic_disk
	deed "a GPT with an MSR partition" $disk 'Microsoft reserved' initialised gpt_of_windows
	if [ "$(id -u)" -eq 0 ] && command -v pvcreate >/dev/null; then
		# a part of a pool is none to repair: who knows that it is none lifts the guard
		offered='' deed "pvcreate" $disk 'LVM2_member, UUID' formatted physical_volume
		unset offered
	else
		skip "$disk, pvcreate" "needs root and lvm2"
	fi
	deed "wipefs -a" $disk 'partition table' table-lost wipefs -a -f -q
	deed "discard of the first MiB" $disk zeros "$table" discard
done
