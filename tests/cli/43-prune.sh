#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# prune and pin: five years of nights against an independent calculation; what is protected stays; a run can be killed.
. "$(dirname "$0")/../lib.sh"
need jq awk flock sfdisk perl
PATH=$PATH:/usr/sbin:/sbin

# in memory where there is some: thousands of small files
BIG=$(mktemp -d /dev/shm/vmfskit-prune.XXXXXX 2>/dev/null) || BIG=$(mktemp -d "$TMP/prune.XXXXXX") || exit 1
echo "$BIG" >>"$TMP/.dirs"
cd "$BIG" || exit 1

# --- real captures, one of each kind, from which the others are made: other ids and times in manifest and SHA256SUMS
declare -A text sums digest old_id old_time header volume
model() {
	local kind=$1 dir=$2
	mkdir -p base
	mv "$dir" "base/$kind"
	old_id[$kind]=$(basename "$dir")
	text[$kind]=$(cat "base/$kind/manifest.json")
	sums[$kind]=$(cat "base/$kind/SHA256SUMS")
	old_time[$kind]=$(jq -r .time "base/$kind/manifest.json")
	digest[$kind]=$(sha256sum <"base/$kind/manifest.json" | cut -d ' ' -f 1)
	header[$kind]=$(jq -r '[.regions[] | select(.part == "lvm").sha256] as $lvm |
		[.regions[] | select(.part == "table").sha256] as $table |
		if $lvm == [] then $table else $lvm end | join("")' "base/$kind/manifest.json")
	volume[$kind]=$(jq -r '[.partitions[].volume_uuid | select(. != "")] | join(",") | if . == "" then "-" else . end' \
		"base/$kind/manifest.json")
	rm -f "base/$kind/manifest.json" "base/$kind/SHA256SUMS"
}
taken() {
	"$VMFSKIT" capture --store first disk.img >/dev/null 2>&1
	model "$1" "$(ls -d first/2*)"
}
make() { "$LAB" make --overwrite --size 320M "$@" disk.img >/dev/null || exit 1; }
make --vmfs 5 --lun 3
taken old
make --vmfs 5 --lun 4
taken new
"$LAB" break --how header disk.img >/dev/null
taken wreck
make --vmfs 6 --lun 5
taken two
"$VMFSKIT" capture --store first disk.img >/dev/null
"$LAB" break --how table disk.img >/dev/null
"$VMFSKIT" restore --store first "$(captures first)" disk.img --write >/dev/null
model undo "$(ls -d first/*-undo)"
rm -rf first
make --vmfs 5 --lun 3
dd if=disk.img of=part.img bs=1M skip=1 conv=sparse status=none
mv part.img disk.img
"$VMFSKIT" capture --store first --as partition disk.img >/dev/null
model part "$(ls -d first/2*)"
rm -rf first disk.img
truncate -s 40M disk.img
printf 'label: dos\n2048,20480,83\n' | sfdisk -q disk.img
taken bare
printf 'label: dos\n2048,4096,83\n' | sfdisk -q disk.img
taken bare2
is "a model of each kind" "$(ls base | tr '\n' ' ')" "bare bare2 new old part two undo wreck "

# lines of the file plan: KIND SECONDS PATH WWID DAMAGED(0/1)
# build STORE: makes what was planned; the file facts then tells of each: id, seconds, disk, verdict (0 sound, 1 incomplete,
# 2 damaged), undo, header, volumes
build() {
	local store=$1 kind seconds path wwid damaged stamp iso id manifest verdict
	sort -k 2,2n -k 3 plan >sorted
	awk '{ print "@" $2 }' sorted | date -u -f - '+%Y%m%dT%H%M%SZ %Y-%m-%dT%H:%M:%SZ' | paste -d ' ' sorted - >work
	mkdir -m 700 "$store"
	awk -v s="$store" '{ n = $3; sub(/.*\//, "", n); print s "/" $6 "-" n }' work | xargs mkdir -m 700
	while read -r kind seconds path wwid damaged stamp iso; do
		id=$stamp-${path##*/}
		manifest=${text[$kind]//"${old_id[$kind]}"/$id}
		manifest=${manifest/"\"time\": \"${old_time[$kind]}\""/"\"time\": \"$iso\""}
		manifest=${manifest/"\"path\": \"$BIG/disk.img\""/"\"path\": \"$path\""}
		[ "$wwid" = - ] || manifest=${manifest/'"wwid": ""'/"\"wwid\": \"$wwid\""}
		ln "base/$kind"/* "$store/$id/"
		printf '%s\n' "$manifest" >"$store/$id/manifest.json"
		verdict=0
		case $kind in wreck | bare*) verdict=1 ;; esac
		if [ "$damaged" = 1 ]; then
			rm "$store/$id/RESTORE.txt"
			echo altered >"$store/$id/RESTORE.txt"
			verdict=2
		fi
		[ "$wwid" = - ] || path=$wwid
		echo "$id $seconds $path $verdict $([[ $kind = undo ]] && echo 1 || echo 0) ${header[$kind]} ${volume[$kind]} $kind"
	done <work >facts
	(cd "$store" && sha256sum -- */manifest.json) | sed 's|/manifest.json$||' |
		awk 'NR == FNR { kind[$1] = $8; next } { print kind[$2], $2, $1 }' facts - >todo
	while read -r kind id manifest; do
		printf '%s\n' "${sums[$kind]/"${digest[$kind]}"/$manifest}" >"$store/$id/SHA256SUMS"
	done <todo
	record "$store"
	: >plan
}

# expected DAILY WEEKLY MONTHLY YEARLY [PINNED...]: the ids that stay, calculated from facts by another program
expected() {
	local keep="$1 $2 $3 $4"
	shift 4
	printf '%s\n' "$@" >pinned
	# periods as GNU date names them: day, Friday of the week, month, year
	awk '{ print "@" $2 }' facts | date -u -f - '+%Y-%m-%d %Y-%m %Y %u %s' | awk '{
		print $1, $2, $3, "@" $5 + (12 - $4) % 7 * 86400 }' >periods
	awk '{ print $4 }' periods | date -u -f - +%Y-%m-%d | paste -d ' ' facts periods - | sort -k 2,2nr -k 1,1r |
		awk -v keep="$keep" '
		BEGIN { split(keep, limit, " "); while ((getline line <"pinned") > 0) stays[line] = 1 }
		# newest first
		{
			n++; id[n] = $1; disk[n] = $3; verdict[n] = $4; undo[n] = $5; head[n] = $3 " " $6; volumes[n] = $7
			name[n, 1] = $9; name[n, 2] = $13; name[n, 3] = $10; name[n, 4] = $11
		}
		# the best of a group: a better verdict, else the newer one
		function offer(group, i) {
			if (!(group in best) || verdict[i] < verdict[best[group]]) best[group] = i
		}
		END {
			for (i = 1; i <= n; i++) {
				if (undo[i]) {
					# the newest of a disk, or one that days, weeks or months reach back to
					if (!(disk[i] in undone)) stays[id[i]] = 1
					undone[disk[i]] = 1
					for (p = 1; p <= 3; p++)
						if (count[disk[i], p] - ((disk[i], p, name[i, p]) in seen) < limit[p]) stays[id[i]] = 1
					continue
				}
				offer("disk " disk[i], i)
				offer("head " head[i], i)
				k = split(volumes[i], v, ",")
				for (j = 1; j <= k; j++) if (v[j] != "-") offer("volume " v[j], i)
				if (verdict[i] == 2) {
					newer = days[disk[i]] - ((disk[i], 1, name[i, 1]) in seen)
					if (newer < limit[1]) stays[id[i]] = 1
					continue
				}
				for (p = 1; p <= 4; p++) {
					if ((disk[i], p, name[i, p]) in seen) continue
					seen[disk[i], p, name[i, p]] = 1
					if (p == 1) days[disk[i]]++
					if (++count[disk[i], p] <= limit[p]) stays[id[i]] = 1
				}
			}
			for (group in best) stays[id[best[group]]] = 1
			# where there are damaged ones only, all of them
			for (i = 1; i <= n; i++)
				if (!undo[i] && verdict[i] == 2 && (verdict[best["disk " disk[i]]] == 2 ||
					verdict[best["head " head[i]]] == 2)) stays[id[i]] = 1
			for (i = 1; i <= n; i++) if (id[i] in stays) print id[i]
		}' | sort
}
kept() { jq -r '.captures[] | select(.keep).id' "$1" | sort; }
listing() { find "$1" -printf '%p %i %m %n %s %T@ %C@\n' | sort; }
differs() { diff <(sort "$1") <(sort "$2") | head -n 10; }

# --- five years of nights
night=86400
first=$(date -u -d '2021-11-21 02:30' +%s)
changed=$(date -u -d '2023-06-15' +%s)
away=$(date -u -d '2024-08-01' +%s)
back=$(date -u -d '2024-09-10' +%s)
last=$(date -u -d '2026-11-20 02:30' +%s)
for ((t = first, n = 0; t <= last; t += night, n++)); do
	((t >= away && t < back)) && continue
	kind=old damaged=0
	((t >= changed)) && kind=new
	# the last two nights find the header destroyed
	((t > last - 2 * night)) && kind=wreck
	((n % 97 == 5 || (t > last - 8 * night && n % 3 == 0 && t < last - 2 * night))) && damaged=1
	echo "$kind $t /dev/sda - $damaged"
	((n % 60 == 7)) && echo "$kind $((t + 41400)) /dev/sda - 0"
	# one LUN, whose node changes; its nights begin an hour before midnight
	((n % 9 == 0)) && echo "two $((t - 12600)) /dev/sd$((n % 2)) naa.600b 0"
	((n % 30 == 0)) && echo "$([ "$n" -lt 900 ] && echo bare || echo bare2) $t /dev/sdc - 0"
	((n == 300 || n == 1500)) && echo "undo $((t + 3600)) /dev/sda-undo - 0"
	((n == 310 || n == 1510)) && echo "undo $((t + 3600)) /dev/sda - 0"
	((n == 100 || n == 101)) && echo "two $t /dev/sdd - 1"
done >plan
build nights
cp facts facts.nights
total=$(wc -l <facts)
ok "there are enough of them" [ "$total" -gt 2000 ]
exits "all of them are read" 1 "$VMFSKIT" verify --store nights --json
is "their verdicts are those that were planned" "$(jq -r '.captures[] | "\(.id) \(.verdict)"' "$OUT" | sort |
	diff - <(awk '{ split("sound incomplete damaged", v); print $1, $5 ? "undo" : v[$4 + 1] }' facts | sort) | head -n 5)" ""

listing nights >before
exits "a dry run" 1 "$VMFSKIT" prune --store nights --json
cp "$OUT" dry.json
listing nights >after
same "changes nothing" before after
expected 7 5 12 10 >want
kept dry.json >got
is "keeps what the other calculation keeps" "$(diff want got | head -n 10)" ""
is "which is not much" "$([ "$(wc -l <got)" -lt 150 ] && echo yes)" yes
is "counts them" "$(jq -r '"\(.keep_count) \(.remove_count) \(.written) \(.policy.keep_weekly)"' dry.json)" \
	"$(wc -l <want) $((total - $(wc -l <want))) false 5"
is "and says why, of each" "$(jq '[.captures[] | select(.why == "")] | length' dry.json)" 0
for policy in "0 0 0 0" "1 0 0 0" "0 1 0 0" "0 0 1 0" "0 0 0 1" "30 10 0 0" "0 60 60 60" "1000000 0 0 0"; do
	read -r d w m y <<<"$policy"
	run "$VMFSKIT" prune --store nights --json --keep-daily "$d" --keep-weekly "$w" --keep-monthly "$m" --keep-yearly "$y"
	kept "$OUT" >got
	expected "$d" "$w" "$m" "$y" >want
	is "policy $policy" "$(diff want got | head -n 10)" ""
done

# what stays under no rule at all, by name
run "$VMFSKIT" prune --store nights --json --keep-daily 0 --keep-weekly 0 --keep-monthly 0 --keep-yearly 0
cp "$OUT" zero.json
why() { jq -r --arg id "$1" '.captures[] | select(.id == $id) | "\(.keep) \(.why)"' "$2"; }
newest() { awk -v disk="$1" -v kind="$2" '$3 == disk && $8 == kind && $4 < 2 { id = $1 } END { print id }' facts; }
has "the newest sound one of the disk" "$(why "$(newest /dev/sda new)" zero.json)" '^true newest sound capture of its disk'
has "the newest with the header before" "$(why "$(newest /dev/sda old)" zero.json)" '^true .*newest capture with this LVM header$'
has "the newest with the destroyed header" "$(why "$(newest /dev/sda wreck)" zero.json)" '^true newest capture with this LVM header$'
has "the newest of a LUN by its WWID" "$(why "$(newest naa.600b two)" zero.json)" '^true newest sound capture of its disk'
has "tables of a disk without VMFS" "$(why "$(newest /dev/sdc bare)" zero.json)" '^true newest capture with this partition table$'
is "undo captures" "$(awk '$5 == 1 { print $1 }' facts | while read -r id; do why "$id" zero.json; done | sort | uniq -c | tr -s ' ')" \
	" 2 false undo capture older than the days, weeks and months that are kept
 2 true newest undo capture of its disk"
is "a disk with damaged ones only" "$(jq -r '[.captures[] | select(.disk == "/dev/sdd").keep] | join(" ")' zero.json)" "true true"

# pins
pins=$(awk '$3 == "/dev/sda" && NR % 400 == 9 { print $1 }' facts)
ok "pin" "$VMFSKIT" pin --store nights $pins --reason 'an audit'
run "$VMFSKIT" prune --store nights --json --keep-daily 0 --keep-weekly 0 --keep-monthly 0 --keep-yearly 0
kept "$OUT" >got
# shellcheck disable=SC2086
expected 0 0 0 0 $pins >want
is "pinned ones stay" "$(diff want got | head -n 10)" ""
has "and it says so" "$(why "${pins%%$'\n'*}" "$OUT")" '^true pinned'

# and now in earnest, killed in the middle of renaming and of removing
# shellcheck disable=SC2086
expected 7 5 12 10 $pins >want
awk '{ split("sound incomplete damaged", v); print $1, $5 ? "undo" : v[$4 + 1] }' facts | sort >verdicts
run "$VMFSKIT" prune --store nights --json
free=$(jq .free_bytes "$OUT")
bytes() { find nights -type f ! -name .lock ! -name 'ledger*' -printf '%i %b\n' | sort -u | awk '{ n += $2 * 512 } END { print n }'; }
before=$(bytes)
bad=
for point in 700 3000 9000; do
	VMFSKIT_CRASH_AT=$point "$HOOKS" prune --store nights --write >/dev/null 2>&1
	[ $? -eq 99 ] || bad+="$point: no crash "
	[ -n "$(find nights -maxdepth 1 -name '.gone-*' -print -quit)" ] || bad+="$point: nothing was under way "
	"$VMFSKIT" verify --store nights --json >now.json 2>"$ERR"
	jq -r '.captures[] | "\(.path | sub(".*/"; "")) \(.verdict)"' now.json | sort >now
	captures nights | join - verdicts | cmp -s - now || bad+="$point: a capture is not what it was "
	captures nights | join -v 2 - want | grep -q . && bad+="$point: a capture that stays is gone "
done
is "killed in the middle: what has a name verifies as before" "$bad" ""
"$VMFSKIT" prune --store nights --write >/dev/null 2>&1 &
pid=$!
sleep 0.4
kill -KILL $pid 2>/dev/null
wait $pid 2>/dev/null
has "the rest is removed" "$("$VMFSKIT" prune --store nights --write)" '^[0-9]+ captures: kept [0-9]+, removed [0-9]+, freed about '
captures nights >got
is "what is left is what was calculated" "$(diff want got | head -n 10)" ""
is "nothing half removed is left" "$(find nights -maxdepth 1 -name '.gone-*')" ""
is "as much came free as was told" "$((before - $(bytes)))" "$free"
run "$VMFSKIT" verify --store nights --json
is "the store verifies as before" "$(jq -r '.captures[] | "\(.id) \(.verdict)"' "$OUT" | sort | diff - <(join verdicts want) | head -n 5)" ""
rm -rf nights

# --- a small store: killed at every step
# is_own_step LOG N: whether point N is a step of prune or pin; the ledger is tested elsewhere
is_own_step() { ! sed -n "$2p" "$1" | grep -q ' ledger'; }
small() {
	rm -rf small
	for ((n = 0; n < 4; n++)); do echo "new $((last + n * 3600)) /dev/sda - 0"; done >plan
	build small
}
small
expected 1 1 1 1 >want
VMFSKIT_CRASH_LOG=$TMP/points "$HOOKS" prune --store small --write >/dev/null
points=$(wc -l <"$TMP/points")
ok "there are steps to be killed at" [ "$points" -gt 20 ]
small
cp -a small clean
bad=
for ((n = 1; n <= points; n++)); do
	rm -rf small
	cp -a clean small
	VMFSKIT_CRASH_AT=$n "$HOOKS" prune --store small --write >/dev/null 2>&1
	[ $? -eq 99 ] || bad+=" $n: no crash"
	captures clean | comm -23 - <(captures small) |
		comm -23 - <(jq -rR 'fromjson? | .captures[]' small/ledger.jsonl 2>/dev/null | sort) | grep -q . &&
		bad+=" $n: gone and not in the ledger"
	"$VMFSKIT" verify --store small >/dev/null 2>&1 || bad+=" $n: does not verify"
	"$VMFSKIT" prune --store small --write >/dev/null 2>&1 || bad+=" $n: the next run fails"
	captures small | cmp -s - want || bad+=" $n: not what should stay"
	[ -z "$(find small -maxdepth 1 -name '.gone-*')" ] || bad+=" $n: something is left"
done
is "killed at each of $points steps" "$bad" ""
captures clean | comm -23 - want >gone
is "the ledger has what went" "$(jq -r 'select(.event == "prune").captures[]' small/ledger.jsonl | sort -u | diff - gone)" ""
bad=
for ((n = 1; n <= points; n++)); do
	is_own_step "$TMP/points" $n || continue
	rm -rf small
	cp -a clean small
	VMFSKIT_TEST_NOSPACE_AT=$n "$HOOKS" prune --store small --write >/dev/null 2>"$ERR"
	[ $? -eq 4 ] || bad+=" $n: no error"
	"$VMFSKIT" verify --store small >/dev/null 2>&1 || bad+=" $n: does not verify"
	"$VMFSKIT" prune --store small --write >/dev/null 2>&1 || bad+=" $n: the next run fails"
	captures small | cmp -s - want || bad+=" $n: not what should stay"
	[ -z "$(find small -maxdepth 1 -name '.gone-*')" ] || bad+=" $n: something is left"
done
is "each step fails" "$bad" ""

# --- pins, one by one
small
ids=($(captures small))
id=${ids[0]}
ok "pin by path" "$VMFSKIT" pin --store small "small/$id/" --reason 'before the migration'
is "says so" "$(cat "$OUT")" "$id: pinned"
is "a file beside the captures" "$(cat "small/.pins/$id")" 'before the migration'
is "for its owner only" "$(stat -c '%a' small/.pins "small/.pins/$id" | tr '\n' ' ')" "700 600 "
ok "pin it again" "$VMFSKIT" pin --store small "$id"
is "the reason stays" "$(cat "small/.pins/$id")" 'before the migration'
ok "with another reason" "$VMFSKIT" pin --store small "$id" --reason other
is "which is new" "$(cat "small/.pins/$id")" other
ok "list" "$VMFSKIT" list --store small
has "marks it" "$OUT" "^sound +pin .*$id\$"
has "and not the others" "$OUT" "^sound +- .*${ids[1]}\$"
ok "list --json" "$VMFSKIT" list --store small --json
is "the same" "$(jq -c '[.captures[] | .pinned, .pin_reason]' "$OUT")" '[true,"other",false,null,false,null,false,null]'
ok "prune" "$VMFSKIT" prune --store small
has "keeps it" "$OUT" "^keep +sound +$id +pinned\$"
has "removes another" "$OUT" "^remove +sound +${ids[1]} +a later one of the same day stays\$"
has "sum" "$OUT" '^4 captures: keep 2, remove 2, which frees about '
has "and what to paste" "$OUT" "^  vmfskit prune --store small --write\$"
ok "unpin" "$VMFSKIT" pin --store small --unpin "$id"
has "says so" "$OUT" "$id: no longer pinned"
is "no pin is left" "$(ls -A small/.pins)" ""
is "the ledger has it all" "$(jq -c 'select(.event == "pin" or .event == "unpin") | [.event, .captures[], .result]' small/ledger.jsonl | tr '\n' ' ')" \
	"[\"pin\",\"$id\",\"before the migration\"] [\"pin\",\"$id\",null] [\"pin\",\"$id\",\"other\"] [\"unpin\",\"$id\",null] "
ok "unpin again" "$VMFSKIT" pin --store small --unpin "$id"
has "says so" "$OUT" "$id: was not pinned"
ok "pin --json" "$VMFSKIT" pin --store small --json "$id"
is "its form" "$(jq -c . "$OUT")" "{\"schema\":\"vmfskit.pin/1\",\"store\":\"small\",\"captures\":[{\"id\":\"$id\",\"pinned\":true}]}"
exits "pin what is not there" 4 "$VMFSKIT" pin --store small 20090421T164556Z-none
has "says what to do" "$ERR" 'vmfskit list --store small'
exits "one that is not there, one that is" 4 "$VMFSKIT" pin --store small 20090421T164556Z-none "${ids[1]}"
has "the other is pinned" "$OUT" "${ids[1]}: pinned"
for name in .lock .pins .. "small/$id/../.pins" "../small" "$id/manifest.json"; do
	run "$VMFSKIT" pin --store small "$name"
	ok "pin $name is refused" [ "$CODE" -ge 2 ]
done
exits "pin of another store" 2 "$VMFSKIT" pin --store base "small/$id"
exits "a reason with a line end" 2 "$VMFSKIT" pin --store small "$id" --reason $'a\nb'
exits "a reason that is too long" 2 "$VMFSKIT" pin --store small "$id" --reason "$(printf '%0400d' 0)"
exits "a reason for nothing" 2 "$VMFSKIT" pin --store small "$id" --unpin --reason x
exits "no store to pin in" 4 "$VMFSKIT" pin --store nothing "$id"
exits "no store to prune" 4 "$VMFSKIT" prune --store nothing --write
ok "neither makes one" [ ! -e nothing ]
rm -rf "small/$id"
ok "a pin of a capture that is gone goes" "$VMFSKIT" pin --store small --unpin "$id"
VMFSKIT_CRASH_LOG=$TMP/pin-points "$HOOKS" pin --store small "${ids[2]}" --reason x >/dev/null
points=$(wc -l <"$TMP/pin-points")
bad=
for ((n = 1; n <= points; n++)); do
	rm -rf small/.pins
	VMFSKIT_CRASH_AT=$n "$HOOKS" pin --store small "${ids[2]}" --reason x >/dev/null 2>&1
	[ $? -eq 99 ] || bad+=" $n: no crash"
	[ ! -e "small/.pins/${ids[2]}" ] || [ "$(cat "small/.pins/${ids[2]}")" = x ] || bad+=" $n: half a pin"
	"$VMFSKIT" pin --store small "${ids[2]}" --reason y >/dev/null || bad+=" $n: the next one fails"
	[ "$(ls -A small/.pins) $(cat "small/.pins/${ids[2]}")" = "${ids[2]} y" ] || bad+=" $n: something is left"
done
is "pin: killed at each of $points steps" "$bad" ""
bad=
for ((n = 1; n <= points; n++)); do
	is_own_step "$TMP/pin-points" $n || continue
	rm -rf small/.pins
	VMFSKIT_TEST_NOSPACE_AT=$n "$HOOKS" pin --store small "${ids[2]}" --reason x >/dev/null 2>"$ERR"
	[ $? -eq 4 ] || bad+=" $n: no error"
	grep -q 'No space' "$ERR" || bad+=" $n: does not say why"
	[ -z "$(find small/.pins -name '.tmp*' 2>/dev/null)" ] || bad+=" $n: something is left"
done
is "pin: each step fails" "$bad" ""

# --- numbers that are none
for value in -1 '' x 7x 1.5 ' 7' +7 1000001 99999999999999999999 0x 0x100000; do
	exits "--keep-daily '$value'" 2 "$VMFSKIT" prune --store small --write "--keep-daily=$value"
done
exits "--keep-yearly without a number" 2 "$VMFSKIT" prune --store small --keep-yearly
exits "an argument" 2 "$VMFSKIT" prune --store small 2009
is "nothing went" "$(captures small | wc -l)" 3

# --- what is never removed
small
ids=($(captures small))
echo '{' >"small/${ids[0]}/manifest.json"
mkdir "small/${ids[1]}/notes"
cp -a "small/${ids[2]}" small/20200101T000000Z-sda
mkdir small/20200102T000000Z-empty
none=(--keep-daily 0 --keep-weekly 0 --keep-monthly 0 --keep-yearly 0)
# the ledger knows nothing of what was slipped in, and another manifest of what was altered
before=$(captures small)
exits "what the ledger does not vouch for" 3 "$VMFSKIT" prune --store small --write "${none[@]}"
has "is told" "$OUT" '^error ledger\.capture-unrecorded: 20200101T000000Z-sda'
has "and that nothing is removed" "$ERR" 'ledger is not sound, so nothing is removed: ledger\.'
is "nothing was" "$(captures small)" "$before"
exits "the plan alone is refused, too" 3 "$VMFSKIT" prune --store small "${none[@]}"
hasnt "and no command is shown" "$OUT" '--write'
exits "in JSON" 3 "$VMFSKIT" prune --store small --write --json "${none[@]}"
is "nothing was written, and no next command" "$(jq -c '[.written, .next, ([.findings[].code] | index("ledger.capture-differs") != null)]' "$OUT")" \
	'[false,null,true]'
exits "another guard is none" 2 "$VMFSKIT" prune --store small --write --override size "${none[@]}"
exits "unreadable, with a folder, misplaced, empty" 1 "$VMFSKIT" prune --store small --write --override ledger "${none[@]}"
has "no manifest that can be read" "$OUT" "^keep +unclear +${ids[0]} +its manifest cannot be read: "
has "a folder in it" "$OUT" "^keep +unclear +${ids[1]} +it contains something that vmfskit does not make: "
has "another's manifest" "$OUT" "^keep +unclear +20200101T000000Z-sda +its manifest is that of another capture: ${ids[2]}\$"
has "no manifest" "$OUT" "^keep +unclear +20200102T000000Z-empty +its manifest cannot be read: "
is "only the one that the rules speak of went" "$(captures small | tr '\n' ' ')" "20200101T000000Z-sda 20200102T000000Z-empty ${ids[0]} ${ids[1]} ${ids[3]} "

# --- an older store in the place of the newer one; lines that the key did not sign; a ledger that is gone
if command -v openssl >/dev/null; then
	openssl genpkey -algorithm ed25519 -out prune.key 2>/dev/null
	openssl pkey -in prune.key -pubout -out prune.pub
	chmod 600 prune.key
	small
	"$VMFSKIT" pin --store small --unpin "$(captures small | head -n 1)" >/dev/null
	cp -a small older
	"$VMFSKIT" verify --store small >/dev/null
	ok "the head is kept" "$VMFSKIT" prune --store small --keep-daily 100 --anchor kept.anchor --write
	for i in 1 2 3 4 5; do "$VMFSKIT" verify --store small >/dev/null; done
	rm kept.anchor*
	ok "a newer one" "$VMFSKIT" prune --store small --keep-daily 100 --anchor kept.anchor --write
	before=$(captures older)
	exits "rolled back" 3 "$VMFSKIT" prune --store older --write --anchor kept.anchor "${none[@]}"
	has "rolled back: is told" "$ERR" 'the store is older than it'
	exits "rolled back, dry" 3 "$VMFSKIT" prune --store older --anchor kept.anchor "${none[@]}"
	has "rolled back, dry: is told" "$OUT" '^error ledger\.rolled-back'
	is "rolled back: nothing was removed" "$(captures older)" "$before"
	exits "unsigned, and a key is configured" 3 "$VMFSKIT" prune --store older --write --public-key prune.pub "${none[@]}"
	is "unsigned: nothing was removed" "$(captures older)" "$before"
	rm older/ledger.jsonl
	exits "no ledger" 3 "$VMFSKIT" prune --store older --write "${none[@]}"
	has "no ledger: is told" "$ERR" 'ledger\.missing'
	is "no ledger: nothing was removed" "$(captures older)" "$before"
	rm -rf older
else
	skip "a ledger that is not sound" "there is no openssl"
fi

# --- two partitions of one LUN, captured by themselves, are not one disk
rm -rf small
for ((n = 0; n < 4; n++)); do echo "part $((last + n * 3600)) /dev/sda$((n % 2 + 1)) naa.600c 0"; done >plan
build small
ok "partitions" "$VMFSKIT" prune --store small --json --keep-daily 0 --keep-weekly 0 --keep-monthly 0 --keep-yearly 0
is "the newest of each stays" "$(jq -c '[.captures[] | .disk, .keep]' "$OUT")" \
	'["/dev/sda1",false,"/dev/sda2",false,"/dev/sda1",true,"/dev/sda2",true]'

# --- who else is there
small
flock small/.lock sh -c "\"$VMFSKIT\" prune --store small --write >'$TMP/o' 2>'$TMP/e'; echo \$? >'$TMP/c'; \"$VMFSKIT\" prune --store small >'$TMP/dry'"
is "another run holds the store" "$(cat "$TMP/c")" 4
has "says so" "$TMP/e" 'in use'
has "a dry run does not mind" "$TMP/dry" '^4 captures: '
# somebody else's file, or a mode bit, is no reason to let a capture go
mkdir odd
last=$(captures small | tail -n 1)
cp -a "small/$last" odd/
record odd
for stamp in 20210101T000000Z 20210102T000000Z; do
	[ "$("$VMFSKIT" prune --store odd --json | jq '.captures | length')" = 1 ] || fail "the odd store"
done
chmod g+w "odd/$last"
is "a folder that others can write to is not damaged" \
	"$("$VMFSKIT" prune --store odd --json | jq -r '.captures[].verdict')" "$("$VMFSKIT" prune --store small --json | jq -r '.captures[-1].verdict')"
chmod g-w "odd/$last"
echo mine >"odd/$last/note.txt"
is "a capture with somebody's file in it is never removed" \
	"$("$VMFSKIT" prune --store odd --json | jq -r '.captures[] | "\(.verdict) \(.keep)"')" "unclear true"
rm -rf odd
chmod 777 small
exits "a store that others can write to" 3 "$VMFSKIT" prune --store small --write
exits "the same for pins" 3 "$VMFSKIT" pin --store small "$(captures small | head -n 1)"
chmod 700 small
mkdir elsewhere
ln -s ../elsewhere small/.pins
exits "pins elsewhere" 4 "$VMFSKIT" prune --store small --write
exits "are not written, either" 4 "$VMFSKIT" pin --store small "$(captures small | head -n 1)"
is "nothing went, nothing came" "$(captures small | wc -l) $(ls elsewhere | wc -l)" "4 0"
rm small/.pins
mkdir -m 700 small/.pins
ln -s /dev/null "small/.pins/$(captures small | head -n 1)"
ok "a link for a pin" "$VMFSKIT" prune --store small --json
is "pins" "$(jq -c '[.captures[].pinned]' "$OUT")" '[true,false,false,false]'
rm -rf small/.pins
mkdir small/.gone-20200101T000000Z-sda
ln -s "$BIG/elsewhere" small/.gone-20200101T000000Z-sdb
: >elsewhere/file
exits "a link in the place of leftovers" 1 "$VMFSKIT" prune --store small --write
has "is told" "$OUT" "store\.left-over"
is "is not followed" "$(ls elsewhere)" file
is "and the rest was removed" "$(captures small | wc -l) $(find small -maxdepth 1 -name '.gone-*sda' | wc -l)" "1 0"
rm small/.gone-*-sdb
ok "without it" "$VMFSKIT" prune --store small --write
mkdir empty
ok "an empty store" "$VMFSKIT" prune --store empty
has "says so" "$OUT" '^no captures in empty$'
ok "an empty store, JSON" "$VMFSKIT" prune --store empty --json
is "its form" "$(jq -c '[.schema, .captures, .next]' "$OUT")" '["vmfskit.prune/1",[],null]'
