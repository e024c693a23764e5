#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Is every LUN saved? The headline, the line of each LUN and the exit code, of every state that a store can be in.
. "$(dirname "$0")/../lib.sh"
cd "$TMP" || exit 1

night() { "$VMFSKIT" capture --all --quiet --dev-dir luns --store store "$@" >/dev/null; }
status() { "$VMFSKIT" status --store store "$@"; }
headline() { head -n 1 "$OUT"; }
# of LUN number N in JSON: a member of its object
lun() { status --json | jq -r ".luns[] | select(.disk | endswith(\"/$1\")).$2"; }
# so that two nights have different times
next_second() { local now; now=$(date +%s); while [ "$(date +%s)" = "$now" ]; do sleep 0.05; done; }
# move the newest capture of a LUN back in time, as if no night had saved it since; its files stay what they are
age() { # LUN HOURS
	local id new seconds time
	id=$(cd store && printf '%s\n' *-"$1" | tail -n 1)
	seconds=$(date -u -d "$((-$2)) hours" +%s)
	new=$(date -u -d "@$seconds" +%Y%m%dT%H%M%SZ)-$1
	time=$(date -u -d "@$seconds" +%Y-%m-%dT%H:%M:%SZ)
	mv "store/$id" "store/$new"
	chmod -R u+w "store/$new"
	sed -i -e "s/$id/$new/" -e "s/^ \"\(time\|ended\)\": \".*\"/ \"\1\": \"$time\"/" "store/$new/manifest.json"
	(cd "store/$new" && sed -i "s/^[0-9a-f]*  manifest.json/$(sha256sum manifest.json)/" SHA256SUMS)
	sed -i "s/$id/$new/" store/seen.json
	record store
}
no_long_line() { is "$1: fits 80 columns" "$(($(sed -n '/^STATE/,/^  why/p' "$OUT" | grep -v '^  why' | LC_ALL=C.UTF-8 wc -L) <= 80))" 1; }

exits "no store" 4 status
has "no store: says so" "$ERR" 'there is no store here yet'
: >store
exits "a file in the place of the store" 4 status
has "a file in its place: says so" "$ERR" 'cannot open the store'
rm store
mkdir -m 700 store
exits "no capture" 1 status
is "no capture: the headline" "$(headline)" "no LUN is saved here"
is "no capture: as JSON" "$(status --json | jq -c '[.schema, .headline, .saved, .luns]')" '["vmfskit.status/1","no LUN is saved here",0,[]]'

mkdir luns
"$LAB" make --table gpt --size 2G --label 'web 01' --naa naa.600144f07ed404000000496ff8cd0003 luns/lun1 >/dev/null
night
ok "one LUN" status
is "one LUN: the headline" "$(headline)" "1 of 1 LUN saved today"
has "one LUN: its line" "$OUT" '^saved  web 01  naa\.600144f[0-9a-f.]*6ff8cd0003  0 min  never    never     never$'
no_long_line "one LUN"
for n in 2 3 4 5 6; do
	"$LAB" make --table gpt --size 2G --label "Größe mit einem langen Namen $n" --seed "$n" "luns/lun$n" >/dev/null
done
next_second
night
ok "six LUNs" status
is "six LUNs: the headline" "$(headline)" "6 of 6 LUNs saved today"
has "six LUNs: a long label is cut, by characters" "$OUT" '^saved  Größe mit\.\.\.n Namen 2  naa'
is "six LUNs: two captures of the first" "$(lun lun1 captures)" 2
is "six LUNs: the label whole" "$(lun lun4 label)" "Größe mit einem langen Namen 4"
"$VMFSKIT" verify --store store >/dev/null
has "verified: since when" "$(lun lun2 verified)" '^20[0-9-]*T[0-9:]*Z$'
echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) vmfskit@backup.example.org" >store/.pushed
has "pushed: since when" "$(lun lun2 pushed)" '^20[0-9-]*T[0-9:]*Z$'
is "pushed: to" "$(status --json | jq -r .pushed_to)" vmfskit@backup.example.org
printf '2026-13-41 \033[31m' >store/.pushed
is "a stamp that is none tells nothing" "$(lun lun2 pushed)" null
rm store/.pushed

# what changed, and when
is "nothing changed yet" "$(lun lun1 changed)" null
printf 'X' | dd of=luns/lun1 bs=1 seek=440 conv=notrunc status=none
next_second
night
is "a change: is that of the night that saw it" "$(lun lun1 changed)" "$(lun lun1 saved)"
next_second
night
is "a change: of the night before" "$(lun lun1 changed)" "$(jq -r .time "store/$(cd store && printf '%s\n' *-lun1 | tail -n 2 | head -n 1)/manifest.json")"
is "a change: the others did not" "$(lun lun2 changed)" null

# one too old, one damaged, one gone
cp -a store store.sound
# when, by the clock of who asks: it is ten there
at_ten() { TZ=XYZ$(($(date -u +%-H) - 10)) "$VMFSKIT" status --store "$1" | head -n 1; }
aged() { # HOURS
	local id name
	rm -rf store.night
	cp -a store.sound store.night
	mv store store.away
	mv store.night store
	for id in $(cd store && printf '%s\n' *-lun[2-6]); do rm -r "store/$id"; done
	age lun1 "$1"
	for name in $(cd store && printf '%s\n' *-lun1 | sed 1d); do rm -r "store/$name"; done
	record store
	mv store store.night
	mv store.away store
}
aged 9
is "at one in the night" "$(at_ten store.night)" "1 of 1 LUN saved last night"
aged 3
is "at seven, by hand" "$(at_ten store.night)" "1 of 1 LUN saved today"
aged 19
has "at three yesterday" "$(at_ten store.night)" '^1 of 1 LUN saved in the last (19|20) hours$'
rm -rf store.night
age lun3 73
for id in store/*-lun3; do case $id in "$(printf '%s\n' store/*-lun3 | head -n 1)") ;; *) rm -r "$id" ;; esac; done
record store
exits "one is old" 1 status
is "one is old: the headline" "$(headline)" "5 of 6 LUNs saved today, 1 is 3 days old"
has "one is old: its line" "$OUT" '^old    Größe mit\.\.\.n Namen 3  .*  3 d '
has "one is old: since when" "$OUT" '^  why   not captured since 20[^ ]*$'
has "one is old: what to do" "$OUT" '^  next  look whether the nightly run works$'
ok "one is old: not when that is allowed" status --max-age 4d
is "one is old: the headline then" "$(status --max-age 4d | head -n 1)" "6 of 6 LUNs saved in the last 4 days"
ok "one is old: not one that is left out" status --exclude '*lun3'
is "one is old: left out" "$(status --exclude '*lun3' | head -n 1)" "5 of 5 LUNs saved today"
newest=$(cd store && printf '%s\n' *-lun4 | tail -n 1)
before=$(cd store && printf '%s\n' *-lun4 | tail -n 2 | head -n 1)
rm -f "store/$newest/p1-vh.raw"
exits "one is damaged" 1 status
is "one is damaged: the headline" "$(headline)" "4 of 6 LUNs saved today, 1 is 3 days old, 1 has a damaged capture"
has "one is damaged: why, and which one is sound" "$OUT" "^  why   $newest: p1-vh.raw is missing\$"
has "one is damaged: what to do" "$OUT" "^  next  vmfskit capture --all takes a new one; the newest sound capture is $before\$"
is "one is damaged: the newest sound one" "$(lun lun4 sound)" "$before"
is "one is damaged: its state" "$(lun lun4 state)" damaged
rm luns/lun5
next_second
night
record store
age lun3 73
exits "one is gone" 1 status
is "one is gone: the headline" "$(headline)" "4 of 6 LUNs saved today, 1 is 3 days old, 1 is gone"
is "one is gone: its state" "$(lun lun5 state)" gone
has "one is gone: what to do" "$OUT" '^  next  if intended: exclude = .*/lun5 in '
no_long_line "one is gone"
has "one is gone: what to do if not intended" "$OUT" '; if not: look at its paths \(lsblk\), then vmfskit capture --all$'
echo "exclude = nosuch" >my.conf
run status --config my.conf
has "one is gone: in the configuration that was read" "$OUT" 'exclude = .*/lun5 in my\.conf; '
is "as many as the headline says" "$(status --json | jq -c '[.saved, .old, .damaged, .gone, .unreadable]')" '[4,1,0,1,0]'

# a clock was wrong once: what lies in the future hides nothing
rm -r store
cp -a store.sound store
age lun2 -4000
ahead=$(cd store && printf '%s\n' *-lun2 | tail -n 1)
before=$(cd store && printf '%s\n' *-lun2 | tail -n 2 | head -n 1)
exits "one lies in the future" 1 status
is "in the future: the headline" "$(headline)" "5 of 6 LUNs saved today, 1 has a capture from the future"
has "in the future: its line has the age of the one before" "$OUT" '^future  Größe mit.*2  naa.*  0 min  '
has "in the future: which, and what is the newest" "$OUT" "^  why   $ahead: its time, 20.*Z, lies in the future: a clock was wrong\$"
has "in the future: what is the newest" "$OUT" "^  next  the newest before now is $before\$"
is "in the future: in JSON" "$(status --json | jq -c '.future, (.luns[] | select(.future != null) | [.state, .captures, .newest, .sound, .future])' | tr '\n' ' ')" \
	"1 [\"future\",3,\"$before\",\"$before\",\"$ahead\"] "
for id in $(cd store && printf '%s\n' *-lun2 | head -n 2); do rm -r "store/$id"; done
record store
exits "all lie in the future" 1 status
is "all lie in the future: the headline" "$(headline)" "5 of 6 LUNs saved today, 1 has a capture from the future"
has "all lie in the future: no age" "$OUT" '^future  Größe mit.*2  naa.*  never  '
has "all lie in the future: said" "$OUT" "^  next  no capture is from before now\$"
no_long_line "in the future"
rm -r store
cp -a store.sound store

# the newest capture of a LUN is not there, or cannot be read; then all captures of one: neither is gone
cp -a store.sound store.lost
newest=$(cd store.lost && printf '%s\n' *-lun6 | tail -n 1)
before=$(cd store.lost && printf '%s\n' *-lun6 | tail -n 2 | head -n 1)
chmod u+w "store.lost/$newest/manifest.json"
echo '{' >"store.lost/$newest/manifest.json"
exits "unreadable" 1 "$VMFSKIT" status --store store.lost
is "unreadable: no LUN is gone" "$(headline)" "5 of 6 LUNs saved today, 1 has a damaged capture"
rm -r "store.lost/$newest"
exits "not there" 1 "$VMFSKIT" status --store store.lost
is "not there: no LUN is gone" "$(headline)" "5 of 6 LUNs saved today, 1 has a damaged capture"
has "not there: which" "$OUT" "^  why   $newest: the last capture --all took it, "
has "not there: what to do" "$OUT" "^  next  vmfskit capture --all takes a new one; the newest sound capture is $before\$"
hasnt "not there: nobody is told to exclude it" "$OUT" exclude
rm -r store.lost/*-lun6
exits "no capture left" 1 "$VMFSKIT" status --store store.lost
is "no capture left: the LUN stays" "$(headline)" "5 of 6 LUNs saved today, 1 has a damaged capture; 2 recorded captures are missing"
has "no capture left: why" "$OUT" "^  why   $newest: "
has "no capture left: whose" "$OUT" '^lun6$'
exits "no capture left: drill" 1 "$VMFSKIT" drill --scratch . --store store.lost
has "no capture left: drill names it" "$OUT" '^lun6: no sound capture'
rm -rf store.lost

# what is lost of the past stays named until its loss is recorded
cp -a store.sound store.lost
"$LAB" make --table gpt --size 2G --label "Größe mit einem langen Namen 5" --seed 5 luns/lun5 >/dev/null
first=$(cd store.lost && printf '%s\n' *-lun6 | head -n 1)
rm -r "store.lost/$first"
night --store store.lost
exits "lost" 1 "$VMFSKIT" status --store store.lost
is "lost: the headline" "$(headline)" "6 of 6 LUNs saved today; 1 recorded capture is missing"
has "lost: which, and what to do" "$OUT" "^  why   the ledger records what the store does not have: $first\$"
has "lost: the command" "$OUT" '^        vmfskit prune --store store\.lost --override missing --write$'
is "lost: as JSON" "$("$VMFSKIT" status --json --store store.lost | jq -c '[.saved, .missing]')" "[6,[\"$first\"]]"
exits "lost: prune refuses" 3 "$VMFSKIT" prune --write --store store.lost
exits "lost: what would be recorded" 1 "$VMFSKIT" prune --override missing --store store.lost
has "lost: is shown" "$OUT" "^$first is missing: --write records this in the ledger\$"
kept=$(captures store.lost)
# who can write there adds a later one, so that prune would remove the genuine ones
cp -a store.lost store.forged
genuine=$(captures store.forged | tail -n 1) forged=20991231T235959Z-forged
cp -a "store.forged/$genuine" store.forged/$forged
chmod -R u+w store.forged/$forged
sed -i "s/$genuine/$forged/g; s/\"time\": *\"[^\"]*\"/\"time\": \"2099-12-31T23:59:59Z\"/" store.forged/$forged/manifest.json
(cd store.forged/$forged && cut -d ' ' -f 3 SHA256SUMS | xargs sha256sum >new && mv new SHA256SUMS)
exits "lost, and one is forged: refused" 3 "$VMFSKIT" prune --override missing --write --store store.forged
is "lost, and one is forged: all are there" "$(captures store.forged)" "$(printf '%s\n20991231T235959Z-forged' "$kept")"
run "$VMFSKIT" prune --override ledger --write --keep-daily 1 --keep-weekly 0 --keep-monthly 0 --keep-yearly 0 --store store.forged
has "the forged one counts for nothing" "$OUT" "unclear +$forged +the ledger does not record it as it is"
is "its genuine neighbour is there" "$(captures store.forged | grep -cFx "$genuine")" 1
is "each LUN keeps its newest genuine one" "$(captures store.forged | grep -c -v forged)" 6
rm -rf store.forged
exits "lost: is recorded" 1 "$VMFSKIT" prune --override missing --write --store store.lost
is "lost: nothing was removed" "$(captures store.lost)" "$kept"
ok "lost: and is lost no more" "$VMFSKIT" status --store store.lost
ok "lost: nor for verify" "$VMFSKIT" verify --quiet --store store.lost
ok "lost: nor for prune" "$VMFSKIT" prune --write --store store.lost
rm -rf store.lost

# a capture that is whole, of a disk that was damaged
cp luns/lun6 lun6.sound
"$LAB" break --how table luns/lun6 >/dev/null
next_second
"$VMFSKIT" capture --all --quiet --dev-dir luns --store store >/dev/null
newest=$(cd store && printf '%s\n' *-lun6 | tail -n 1)
before=$(cd store && printf '%s\n' *-lun6 | tail -n 2 | head -n 1)
exits "a bad disk" 1 status
is "a bad disk: the headline" "$(headline)" "5 of 6 LUNs saved today, 1 was damaged when it was saved"
has "a bad disk: its line" "$OUT" '^bad disk  Größe mi'
has "a bad disk: what to do" "$OUT" "^  next  vmfskit doctor .*luns/lun6 shows what happened; the newest sound capture is $before\$"
has "a bad disk: why" "$OUT" "^  why   $newest is whole, but the disk was damaged when it was taken: "
is "a bad disk: in JSON" "$(status --json | jq -c '[.damaged, .bad_disk, (.luns[] | select(.state == "bad_disk") | .newest, .sound)]')" "[0,1,\"$newest\",\"$before\"]"
mv lun6.sound luns/lun6

# damage that only reading finds: as the last verify of the store told it
rm -r store
mv store.sound store
newest=$(cd store && printf '%s\n' *-lun2 | tail -n 1)
chmod u+w "store/$newest/p1-lvm.raw"
printf 'X' | dd of="store/$newest/p1-lvm.raw" bs=1 seek=5000 conv=notrunc status=none
chmod u-w "store/$newest/p1-lvm.raw"
record store
ok "not known yet" status
exits "verify finds it" 1 "$VMFSKIT" verify --quiet --store store
is "verify finds it: one block for the file that all nights share" "$(grep -c '^error capture.digest' "$OUT")" 1
has "verify finds it: in which captures" "$OUT" '^  in        20[^ ]*-lun2, 20[^ ]*-lun2, 20[^ ]*-lun2$'
hasnt "verify finds it: it is new" "$OUT" '^  since '
exits "known now" 1 status
is "known now: the headline" "$(headline)" "5 of 6 LUNs saved today, 1 has a damaged capture"
has "known now: no other is sound" "$OUT" "^  next  vmfskit capture --all takes a new one; the LUN has no sound capture\$"
has "known now: why" "$OUT" "^  why   $newest: vmfskit verify found it damaged\$"
exits "verify again" 1 "$VMFSKIT" verify --quiet --store store
has "verify again: since when" "$OUT" '^  since     20[0-9-]*T[0-9:]*Z$'

# a manifest that nobody can read, one that the ledger does not have, a store that others can write to
cp -a store other
chmod u+w "store/$newest/manifest.json"
echo '{' >"store/$newest/manifest.json"
exits "a manifest is damaged" 1 status
has "a manifest is damaged: is counted" "$OUT" '^1 capture cannot be read; vmfskit verify says which$'
printf ' "id": "%s",\n "purpose": "capture",\n "time": "\033[31mnow",\n' "$newest" >"store/$newest/manifest.json"
exits "a manifest that would colour the screen" 1 status
hasnt "a manifest that would colour the screen: does not" "$OUT" "$(printf '\033')"
rm -r store
mv other store
newest=$(cd store && printf '%s\n' *-lun6 | tail -n 1)
rm store/.findings.json
sed -i "/\"captures\":\\[\"$newest\"\\]/d" store/ledger.jsonl
exits "a capture that is not recorded" 1 status
has "not recorded: is said" "$OUT" "^  why   $newest is not recorded in the ledger\$"
chmod g+w store
exits "others can write to the store" 1 status
is "others can write: nothing is saved" "$(headline)" "0 of 6 LUNs saved in the last 26 hours, 6 have a damaged capture"
is "others can write: is said once, and what to do" "$(grep 'others can write' "$OUT")" \
	"others can write to the store: find out who did that, then chmod go-w store; until then no capture is believed"
chmod g-w store
mv store/ledger.jsonl ledger.away
exits "no ledger" 1 status
is "no ledger: is said once" "$(grep -c 'no ledger that can be read' "$OUT")" 1
mv ledger.away store/ledger.jsonl
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$TMP"
	exits "a store that cannot be read" 4 setpriv --reuid 65534 --clear-groups "$VMFSKIT" status --store "$TMP/store"
	has "it cannot be read: says so" "$ERR" 'cannot open the store'
else
	skip "a store that cannot be read" "this is not root, or there is no setpriv"
fi
# what a restore overwrote is no backup, and no LUN
"$LAB" break --how table luns/lun6 >/dev/null
"$VMFSKIT" restore --store store "$(cd store && printf '%s\n' *-lun1 | head -n 1)" luns/lun1 --write --override worse >/dev/null 2>&1
is "an undo capture is not counted" "$(status --json | jq '.luns | length')" 6
exits "an age that is none" 2 status --max-age soon
exits "an argument" 2 status now
# nothing is written by a look
before=$(find store -type f -printf '%p %T@ %C@\n' | sort | sha256sum)
run status
is "a look changes nothing" "$(find store -type f -printf '%p %T@ %C@\n' | sort | sha256sum)" "$before"

# what is saved of a disk that only contains a LUN is not the LUN
. "$ROOT/tests/disk.sh" && . "$ROOT/tests/wrap.sh"
"$LAB" make --vmfs 5 --table gpt --size 300M --start 2048 inner.img >/dev/null
wrap partition inner.img outer.img
exits "a carrier: capture names the LUN in it" 1 "$VMFSKIT" capture --store carried outer.img
ok "a carrier" "$VMFSKIT" status --store carried
is "a carrier: the headline" "$(headline)" "1 of 1 LUN saved today; no VMFS volume on 1 of them"
has "a carrier: what to do" "$OUT" '^  next  vmfskit decode says what it is$'
is "a carrier: which" "$(tail -n 3 "$OUT" | head -n 1)" outer.img
ok "a carrier: JSON" "$VMFSKIT" status --json --store carried
is "a carrier: no volume" "$(jq -c '[.luns[].volumes]' "$OUT")" '[0]'

# 256 LUNs
rm -r store luns
mkdir luns
"$LAB" make --table gpt --size 2G luns/lun000 >/dev/null
for n in $(seq -f '%03.0f' 1 255); do cp --sparse=always luns/lun000 "luns/lun$n"; done
night
ok "256 LUNs" status
is "256 LUNs: the headline" "$(headline)" "256 of 256 LUNs saved today"
is "256 LUNs: a line for each" "$(grep -c '^saved ' "$OUT")" 256
rm luns/lun1*
next_second
night
exits "100 are gone" 1 status
is "100 are gone: the headline" "$(headline)" "156 of 256 LUNs saved today, 100 are gone"
