# SPDX-License-Identifier: Apache-2.0
# capture and list: what is saved, that it is enough for dd, that only whole captures appear.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
PATH=$PATH:/usr/sbin:/sbin
need perl sha256sum

make() { "$LAB" make "$@" >/dev/null || exit 1; }

# the captures of a store; id of the only one, its folder
captures() { ls "$1" | grep -v '^ledger\.'; }
only() { captures "$1" | head -n 1; }
folder() { echo "$1/$(only "$1")"; }

# json EXPRESSION FILE: a Perl expression over the decoded JSON in $j
json() { perl -MJSON::PP -e 'local $/; open(my $f, "<", $ARGV[0]) or die; our $j = decode_json(<$f>); print eval($ARGV[1]) // "undef: $@"' "$2" "$1"; }

# the lines of RESTORE.txt, run as a person would; heartbeats, too, when named
restore_by_dd() {
	local dir=$1 disk=$2 what=${3:-}
	(cd "$dir" && sha256sum --quiet -c SHA256SUMS) || return 1
	sed -n -e 's/^dd /dd /p' ${what:+-e 's/^# dd \(if=[a-z0-9.-]*heartbeats\)/dd \1/p'} "$dir/RESTORE.txt" \
		>"$TMP/lines"
	[ -s "$TMP/lines" ] || return 1
	sed "s|of=TARGET|of=$disk status=none|" "$TMP/lines" >"$TMP/lines.sh"
	(cd "$dir" && bash -e "$TMP/lines.sh")
}

# --- every kind of disk: saved, sound, and put back with nothing but dd
make --vmfs 3 --table mbr --start 128 --size 2G --live 1 "$TMP/mbr128.img"
make --vmfs 3 --table mbr --start 63 --size 2G "$TMP/mbr63.img"
make --vmfs 5 --table gpt --start 2048 --size 3G "$TMP/gpt.img"
make --vmfs 6 --table gpt --size 3G --live 2 "$TMP/vmfs6.img"
make --vmfs 5 --table gpt --sector-size 4096 --size 3G "$TMP/4k.img"
make --volume start=63,size=1G,logical --volume size=1G,logical --table mbr --vmfs 3 --size 4G "$TMP/ebr.img"
make --layout esxi7 --size 300G "$TMP/esxi7.img"
for disk in mbr128 mbr63 gpt vmfs6 4k ebr esxi7; do
	sectors=512
	[ $disk = 4k ] && sectors=4096
	store=$TMP/store-$disk
	before=$(disk_sum "$TMP/$disk.img")
	ok "$disk: capture" "$VMFSKIT" capture --store "$store" --sector-size $sectors "$TMP/$disk.img"
	is "$disk: the disk is as it was" "$(disk_sum "$TMP/$disk.img")" "$before"
	ok "$disk: verify" "$VMFSKIT" verify --store "$store"
	ok "$disk: sha256sum -c" bash -c "cd '$(folder "$store")' && sha256sum -c SHA256SUMS"
	cp --sparse=always "$TMP/$disk.img" "$TMP/wreck.img"
	# all that was saved is destroyed
	perl -MJSON::PP -e 'local $/; open(my $f, "<", $ARGV[0]); for (@{decode_json(<$f>)->{regions}}) {
		print "$_->{offset_bytes} $_->{length_bytes}\n" }' "$(folder "$store")/manifest.json" |
		while read -r at len; do
			perl -e 'open(my $f, "+<", $ARGV[0]); sysseek($f, $ARGV[1], 0);
				syswrite($f, "\xdb" x $ARGV[2]) == $ARGV[2] or die' "$TMP/wreck.img" "$at" "$len"
		done
	ok "$disk: dd alone" restore_by_dd "$(folder "$store")" "$TMP/wreck.img" heartbeats
	is "$disk: the very bytes are back" "$(disk_sum "$TMP/wreck.img")" "$before"
	rm "$TMP/wreck.img"
done
has "EBRs are saved" "$(ls "$(folder "$TMP/store-ebr")")" '^ebr-[0-9]+\.raw$'
is "two logical partitions, two sets" "$(ls "$(folder "$TMP/store-ebr")" | grep -c -- -lvm.raw)" 2
has "VMFS-L partition, too" "$(ls "$(folder "$TMP/store-esxi7")")" '^p7-lvm.raw$'

# --- a live heartbeat is not written back by the lines as they stand
store=$TMP/store-mbr128
cp --sparse=always "$TMP/mbr128.img" "$TMP/beat.img"
ok "a host is alive" "$LAB" beat "$TMP/beat.img"
now=$(disk_sum "$TMP/beat.img")
ok "dd of everything but heartbeats" restore_by_dd "$(folder "$store")" "$TMP/beat.img"
is "heartbeats are left alone" "$(disk_sum "$TMP/beat.img")" "$now"

# --- the folder
dir=$(folder "$store")
is "modes" "$(stat -c %a "$store" "$dir" "$dir"/* | sort -u | tr '\n' ' ')" "400 700 "
has "id is time and disk" "$(only "$store")" '^[0-9]{8}T[0-9]{6}Z-mbr128\.img$'
ok "sparse" test "$(du -k "$dir" | cut -f 1)" -lt 4096
is "manifest names the schema" "$(json '$j->{schema}' "$dir/manifest.json")" vmfskit.manifest/1
awk -F '|' '/^## vmfskit.manifest/ { on = 1; next } /^## / { on = 0 }
	on && /^\| `/ { n = split($2, k, ","); for (i = 1; i <= n; i++) print k[i] }' "$ROOT/docs/json.md" |
	tr -d '` ' | grep -v '?' | sed 's/\[\]$//; s/.*\.//' >"$TMP/keys"
ok "docs/json.md names keys of the manifest" [ "$(wc -l <"$TMP/keys")" -gt 30 ]
lacking=$(while read -r key; do grep -q "\"$key\"" "$dir/manifest.json" || echo "$key"; done <"$TMP/keys")
is "and has the keys that docs/json.md names" "$lacking" ""
is "and the path" "$(json '$j->{source}{path}' "$dir/manifest.json")" "$TMP/mbr128.img"
is "length of the LVM region" "$(stat -c %s "$dir/p1-lvm.raw")" 17825792
is "heartbeats apart" "$(stat -c %s "$dir/p1-heartbeats.raw")" 1048576
(cd "$TMP" && "$VMFSKIT" capture --store rel mbr128.img >/dev/null)
is "a relative path is made whole" "$(json '$j->{source}{path}' "$(folder "$TMP/rel")/manifest.json")" "$TMP/mbr128.img"

# --- several disks at once, one bad
exits "one disk is not there" 4 "$VMFSKIT" capture --store "$TMP/many" "$TMP/mbr128.img" "$TMP/nowhere.img" "$TMP/gpt.img"
has "the bad one is named" "$ERR" 'nowhere\.img'
is "the others are captured" "$(captures "$TMP/many" | wc -l)" 2
ok "and sound" "$VMFSKIT" verify --store "$TMP/many"
mkdir "$TMP/x" "$TMP/y"
cp --sparse=always "$TMP/mbr63.img" "$TMP/x/same.img"
cp --sparse=always "$TMP/mbr63.img" "$TMP/y/same.img"
ok "two of one name at one time" "$VMFSKIT" capture --store "$TMP/same" "$TMP/x/same.img" "$TMP/y/same.img" "$TMP/x/same.img"
is "three captures" "$(captures "$TMP/same" | wc -l)" 3
ok "three sound captures" "$VMFSKIT" verify --store "$TMP/same"

# --- JSON
ok "capture --json" "$VMFSKIT" capture --json --store "$TMP/json" "$TMP/esxi7.img"
is "its schema" "$(json '$j->{schema}' "$OUT")" vmfskit.capture/1
is "id" "$(json '$j->{captures}[0]{id}' "$OUT")" "$(only "$TMP/json")"
is "volumes" "$(json 'join " ", map { $_->{label} } @{$j->{captures}[0]{volumes}}' "$OUT")" "OSDATA datastore1"
exits "capture --json of nothing" 4 "$VMFSKIT" capture --json --store "$TMP/json" "$TMP/nowhere.img"
is "the error is in it" "$(json '$j->{errors}[0]{disk}' "$OUT")" "$TMP/nowhere.img"

# --- what does not contain what it is for
cp --sparse=always "$TMP/mbr128.img" "$TMP/hurt.img"
zero "$TMP/hurt.img" $((128 * 512 + 0x100000)) 4
exits "no LVM magic" 1 "$VMFSKIT" capture --store "$TMP/hurt" "$TMP/hurt.img"
has "says so" "$OUT" 'p1-lvm\.raw does not contain an LVM header'
has "by its code" "$OUT" 'capture\.not-containing'
is "and is kept" "$(captures "$TMP/hurt" | wc -l)" 1
exits "verify says that it is not whole" 1 "$VMFSKIT" verify --store "$TMP/hurt"
has "verify says why" "$OUT" ': incomplete, '
has "verify says what was found" "$OUT" 'capture\.incomplete: it was taken with 1 finding'
exits "the same in JSON" 1 "$VMFSKIT" capture --json --store "$TMP/hurt" "$TMP/hurt.img"
is "one finding" "$(json 'join " ", map { "$_->{code} $_->{offset}" } @{$j->{findings}}' "$OUT")" "capture.not-containing 1114112"
cp --sparse=always "$TMP/mbr128.img" "$TMP/hurt.img"
zero "$TMP/hurt.img" $((128 * 512 + 0x1300000)) 4
exits "no descriptor magic" 1 "$VMFSKIT" capture --store "$TMP/hurt" "$TMP/hurt.img"
has "says so" "$OUT" 'p1-vh\.raw does not contain a file-system descriptor'
truncate -s 100M "$TMP/empty.img"
exits "an empty disk" 1 "$VMFSKIT" capture --as disk --store "$TMP/hurt" "$TMP/empty.img"
has "no VMFS on it" "$OUT" 'capture\.no-vmfs'

# --- sectors that cannot be read
exits "bad sectors" 1 env VMFSKIT_TEST_BAD="1115136+1024,20971520+512" "$HOOKS" capture --store "$TMP/bad" "$TMP/mbr128.img"
is "recorded to the sector" "$(json 'join " ", map { "$_->{offset_bytes}+$_->{length_bytes}" } @{$j->{unreadable}}' \
	"$(folder "$TMP/bad")/manifest.json")" "1115136+1024 20971520+512"
exits "the rest is what was saved" 1 "$VMFSKIT" verify --store "$TMP/bad"
has "and nothing is damaged" "$OUT" ': incomplete, '
has "dd would write zeros there: not offered" "$(cat "$(folder "$TMP/bad")/RESTORE.txt")" '^# dd if=p1-lvm\.raw'

# --- what cannot be captured
head -c 4M /dev/zero >"$TMP/vh.sf"
dd if="$(folder "$TMP/store-mbr128")/p1-vh.raw" of="$TMP/vh.sf" conv=notrunc status=none
exits "a volume has no place on a disk" 2 "$VMFSKIT" capture --store "$TMP/none" "$TMP/vh.sf"
exits "sector sizes are 512 and 4096" 2 "$VMFSKIT" capture --store "$TMP/none" --sector-size 520 "$TMP/mbr128.img"
exits "kinds are disk and partition" 2 "$VMFSKIT" capture --store "$TMP/none" --as header "$TMP/mbr128.img"
exits "no disk named" 2 "$VMFSKIT" capture
: >"$TMP/file"
exits "a store that is a file" 4 "$VMFSKIT" capture --store "$TMP/file" "$TMP/mbr128.img"
exits "a store below nothing" 4 "$VMFSKIT" capture --store "$TMP/a/b/c" "$TMP/mbr128.img"

# --- a partition by itself
dd if="$TMP/mbr128.img" of="$TMP/part.img" bs=64K skip=1 conv=sparse status=none
ok "a partition" "$VMFSKIT" capture --store "$TMP/part" "$TMP/part.img"
is "of that kind" "$(json '$j->{source}{kind}' "$(folder "$TMP/part")/manifest.json")" partition
is "without a table" "$(ls "$(folder "$TMP/part")" | tr '\n' ' ')" \
	"RESTORE.txt SHA256SUMS manifest.json p0-files.map p0-heartbeats.raw p0-lvm.raw p0-metadata.bundle p0-vh.raw "

# --- the disk is only read
if command -v strace >/dev/null; then
	STRACE_OPTIONS="-e trace=open,openat,openat2" traced "$TMP/trace" "$VMFSKIT" capture --store "$TMP/traced" "$TMP/mbr128.img" >/dev/null
	has "it opens the disk" "$TMP/trace" 'mbr128\.img"'
	hasnt "but never for writing" "$TMP/trace" 'mbr128\.img", O_(WRONLY|RDWR)'
else
	skip "the disk is only read" "there is no strace"
fi

# --- power cut at every step: what was there stays, and no half capture appears
mkdir "$TMP/cut"
"$VMFSKIT" capture --store "$TMP/cut" "$TMP/gpt.img" >/dev/null
first=$(only "$TMP/cut")
cp -a "$TMP/cut" "$TMP/keep"
VMFSKIT_CRASH_LOG=$TMP/points "$HOOKS" capture --store "$TMP/cut" "$TMP/mbr128.img" >/dev/null
points=$(wc -l <"$TMP/points")
ok "there are crash points" test "$points" -gt 20
rm -rf "$TMP/cut" && cp -a "$TMP/keep" "$TMP/cut"
bad=
for n in $(seq "$points"); do
	VMFSKIT_CRASH_AT=$n "$HOOKS" capture --store "$TMP/cut" "$TMP/mbr128.img" >/dev/null 2>&1
	[ $? -eq 99 ] || bad="$bad $n:exit"
	"$VMFSKIT" verify --store "$TMP/cut" >"$TMP/told" 2>&1 || bad="$bad $n:$(head -n 1 "$TMP/told")"
	left=$(captures "$TMP/cut" | wc -l)
	[ "$left" -eq 1 ] || { [ "$left" -eq 2 ] && [ "$n" -eq "$points" ]; } || bad="$bad $n:$left"
	rm -rf "$TMP/cut" && cp -a "$TMP/keep" "$TMP/cut"
done
is "power cut at each of $points points" "$bad" ""
VMFSKIT_CRASH_AT=$((points / 2)) "$HOOKS" capture --store "$TMP/cut" "$TMP/mbr128.img" >/dev/null 2>&1
is "a temporary folder is left" "$(ls -d "$TMP/cut/".tmp-* | wc -l)" 1
ok "the next run succeeds" "$VMFSKIT" capture --store "$TMP/cut" "$TMP/mbr128.img"
is "and is listed, the left one is not" "$("$VMFSKIT" list --json --store "$TMP/cut" >"$OUT"; json 'scalar @{$j->{captures}}' "$OUT")" 2
has "the first is still there" "$(ls "$TMP/cut")" "^$first\$"

# --- no room
if [ "$(id -u)" -eq 0 ] && mkdir "$TMP/full" && mount -t tmpfs -o size=600k tmpfs "$TMP/full" 2>/dev/null; then
	echo "$TMP/full" >>"$TMP/.mounts"
	exits "no room in the store" 4 "$VMFSKIT" capture --store "$TMP/full/st" "$TMP/mbr128.img"
	is "nothing is left of it" "$(ls -A "$TMP/full/st" | grep -vxE "\.lock|ledger\..*" | wc -l)" 0
else
	skip "no room in the store" "needs root"
fi

# --- list
exits "no store" 4 "$VMFSKIT" list --store "$TMP/nothing"
has "no store: says so, as the other verbs do" "$ERR" 'there is no store here yet \(.*/nothing\)'
exits "no store, JSON" 4 "$VMFSKIT" list --json --store "$TMP/nothing"
mkdir -m 700 "$TMP/nothing"
ok "an empty store" "$VMFSKIT" list --store "$TMP/nothing"
has "says what to do" "$OUT" "vmfskit capture --store $TMP/nothing DISK"
ok "an empty store, JSON" "$VMFSKIT" list --json --store "$TMP/nothing"
is "an empty list" "$(json '"$j->{schema} " . scalar @{$j->{captures}}' "$OUT")" "vmfskit.list/1 0"
make --vmfs 5 --label 'web 01' --lun 261 --naa naa.600144f07ed404000000496ff8cd0003 --size 3G "$TMP/web.img"
ok "capture of a LUN" "$VMFSKIT" capture --store "$TMP/list" "$TMP/web.img"
ok "list" "$VMFSKIT" list --store "$TMP/list"
has "has what decides" "$OUT" "^sound    20[0-9-]{8} [0-9:]{5}  web 01  3 GiB  $(only "$TMP/list")\$"
ok "list --wide" "$VMFSKIT" list --wide --store "$TMP/list"
has "has LUN, NAA name and label" "$OUT" '^sound .* 261 +naa\.600144f07ed404000000496ff8cd0003 +web 01 '
ok "list --json" "$VMFSKIT" list --json --store "$TMP/list"
is "the same" "$(json 'my $c = $j->{captures}[0]; my $v = $c->{volumes}[0];
	join "|", $c->{verdict}, $c->{purpose}, $c->{disk}, $c->{path}, $c->{size_bytes}, $v->{lun}, $v->{disk_id}, $v->{label}' "$OUT")" \
	"sound|capture|$TMP/web.img|$TMP/list/$(only "$TMP/list")|3221225472|261|naa.600144f07ed404000000496ff8cd0003|web 01"
is "host" "$(json '$j->{captures}[0]{host}' "$OUT")" "$(uname -n)"
sleep 1.1
ok "a later one" "$VMFSKIT" capture --store "$TMP/list" "$TMP/gpt.img"
ok "list --json" "$VMFSKIT" list --json --store "$TMP/list"
is "oldest first" "$(json 'join " ", map { $_->{disk} } @{$j->{captures}}' "$OUT")" "$TMP/web.img $TMP/gpt.img"
chmod u+w "$(folder "$TMP/list")/p1-lvm.raw"
printf x | dd of="$(folder "$TMP/list")/p1-lvm.raw" seek=5000 bs=1 conv=notrunc status=none
exits "a damaged one" 1 "$VMFSKIT" list --json --store "$TMP/list"
is "is told" "$(json 'join " ", map { $_->{verdict} } @{$j->{captures}}' "$OUT")" "damaged sound"
ok "unless nobody looks" "$VMFSKIT" list --no-verify --json --store "$TMP/list"
is "not checked" "$(json '$j->{captures}[0]{verdict}' "$OUT")" "not checked"
rm -f "$(folder "$TMP/list")/manifest.json"
exits "no manifest" 1 "$VMFSKIT" list --store "$TMP/list"
has "listed all the same" "$OUT" "^damaged .*$(only "$TMP/list")\$"
