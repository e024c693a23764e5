# SPDX-License-Identifier: Apache-2.0
# Captures as people name them: latest, latest:LABEL, the beginning or the end of an id; and what is refused.
# shellcheck shell=bash
. "$(dirname "$0")/../lib.sh"
cd "$TMP" || exit 1

make() { "$LAB" make --vmfs 5 --size 3G "$@" >/dev/null; }
make --label 'web 01' --naa naa.600144f07ed404000000496ff8cd0003 a.img
make --label web02 --naa naa.600144f07ed404000000496ff8cd0004 b.img
S=(--store "$TMP/st")
take() { "$VMFSKIT" capture "${S[@]}" "$@" >/dev/null; }
# ids of a disk, oldest first
of() { captures st | grep -e "-$1\$"; }
newest() { "$VMFSKIT" list "${S[@]}" --no-verify --json | jq -r --arg disk "$TMP/$1" '[.captures[] | select(.disk == $disk and .purpose == "capture") | .id][-1]'; }
verified() { jq -r '.captures[].id' "$OUT"; }

# --- no store, an empty one
exits "no store" 4 "$VMFSKIT" verify --store nothing latest
has "no store: that is all that is said" "$ERR" 'there is no such capture, neither here nor in the store nothing'
mkdir -m 700 empty
exits "an empty store" 4 "$VMFSKIT" verify --store empty latest
has "an empty store: said" "$ERR" 'there are no backups in the store'

# --- one disk, two runs, as a rule in one second
take a.img
take a.img
first=$(of a.img | head -n 1) second=$(newest a.img)
[ "${first%%[Z]*}" != "${second%%[Z]*}" ] ||
	is "two runs in one second: the number stands behind the time, the name is that of the disk" "$second" "${first/Z-/Z.2-}"
has "and it ends as the disk is called" "$second" '^[0-9]{8}T[0-9]{6}Z(\.2)?-a\.img$'
is "list: oldest first" "$("$VMFSKIT" list "${S[@]}" --json | jq -r '.captures[].id' | tr '\n' ' ')" "$first $second "
ok "latest" "$VMFSKIT" verify "${S[@]}" --json latest
is "latest: the newest" "$(verified)" "$second"
is "latest: which one is said" "$(cat "$ERR")" \
	"vmfskit: latest is $second, taken $(jq -r .time "st/$second/manifest.json"), of web 01"
ok "restore of the latest, one disk" "$VMFSKIT" restore "${S[@]}" latest a.img
is "restore of the latest: which one is said first" "$(head -n 1 "$ERR")" \
	"vmfskit: latest is $second, taken $(jq -r .time "st/$second/manifest.json"), of web 01"
exits "the end of two ids" 2 "$VMFSKIT" verify "${S[@]}" a.img
has "the end of two ids: how many" "$ERR" 'a\.img may be any of 2 captures in the store'
has "the end of two ids: each with time and label" "$ERR" "^  20[0-9-]{8}T[0-9:]{8}Z  web 01  naa\\.600.*  $first\$"
ok "the beginning of one id" "$VMFSKIT" verify "${S[@]}" --json "${second%.img}"
is "the beginning of one id: that one" "$(verified)" "$second"
ok "the whole id of one" "$VMFSKIT" verify "${S[@]}" --json "$first"
is "the whole id: nothing is said" "$(cat "$ERR")" ""
exits "too short a part" 4 "$VMFSKIT" verify "${S[@]}" 20

# --- two disks
# of two in one second nothing says which was later
sleep 1.1
take b.img
b=$(newest b.img)
ok "latest of all" "$VMFSKIT" verify "${S[@]}" --json latest
is "latest of all: whichever it is" "$(verified)" "$b"
for verb in "restore latest a.img" "restore latest:web a.img" "diff latest a.img" "pin latest" "repair table a.img --capture latest"; do
	# shellcheck disable=SC2086 # words
	exits "$verb: of which disk" 2 "$VMFSKIT" $verb "${S[@]}"
	has "$verb: refused" "$ERR" 'latest.*: the store has backups of 2 disks'
	has "$verb: the newest of the one" "$ERR" "web 01 +naa\\.600.*0003  $second\$"
	has "$verb: and of the other" "$ERR" "web02 +naa\\.600.*0004  $b\$"
	is "$verb: nothing was planned" "$(cat "$OUT")" ""
	is "$verb: a list of 80 columns" "$(grep '^  ' "$ERR" | awk 'length($0) > 80')" ""
done
for name in 'latest:web 01' latest:naa.600144f07ed404000000496ff8cd0003 latest:CD0003 'latest:B 01'; do
	ok "$name" "$VMFSKIT" verify "${S[@]}" --json "$name"
	is "$name: the newest of that disk" "$(verified)" "$second"
done
exits "nobody has that name" 4 "$VMFSKIT" verify "${S[@]}" latest:nobody
has "nobody has that name: said" "$ERR" 'no disk with backups in the store is called nobody'
exits "no name at all" 2 "$VMFSKIT" verify "${S[@]}" latest:
make --label web --naa naa.600144f07ed404000000496ff8cd0005 c.img
take c.img
ok "a whole label goes before a part of others" "$VMFSKIT" verify "${S[@]}" --json latest:web
is "a whole label: that disk" "$(verified)" "$(newest c.img)"

# --- what is planned is what is written: the command has the id
dd if=/dev/zero of=a.img bs=512 count=1 conv=notrunc status=none
ok "a plan of the latest" "$VMFSKIT" restore "${S[@]}" 'latest:web 01' a.img
next=$(sed -n 's/^  \(vmfskit restore .*\)/\1/p' "$OUT")
has "the command to write has the whole id" "$next" "^vmfskit restore $second a\\.img .*--plan [0-9a-f]+ --write\$"
cp --sparse=always a.img broken.img
exits "latest is never written" 2 "$VMFSKIT" restore "${S[@]}" 'latest:web 01' a.img --write
has "latest is never written: why" "$ERR" '^vmfskit: --write takes the whole id of the capture whose plan was shown'
exits "not with a plan either" 2 "$VMFSKIT" restore "${S[@]}" 'latest:web 01' a.img --write --plan "${next##*--plan }"
exits "nor is a part of an id" 2 "$VMFSKIT" restore "${S[@]}" "${second%.img}" a.img --write
exits "latest is never written by repair" 2 "$VMFSKIT" repair table "${S[@]}" a.img --capture 'latest:web 01' --write
same "and nothing was" a.img broken.img
# a capture of the broken disk arrives between plan and writing
take a.img
third=$(newest a.img)
ok "the command as it was printed" bash -c "${next/#vmfskit/\"\$VMFSKIT\"}"
hasnt "it did not ask again what is latest" "$ERR" 'latest'
is "the ledger has the capture that was planned" \
	"$(jq -r 'select(.event == "restore") | .captures[0]' st/ledger.jsonl)" "$second"
ok "the table is back" "$VMFSKIT" diff "${S[@]}" "$first" a.img
ok "the newer one is another" test "$third" != "$second"

# --- undo captures are no backups, and are what undo means
undo=$(of a.img-undo)
ok "latest is no undo capture" "$VMFSKIT" verify "${S[@]}" --json 'latest:web 01'
is "latest is no undo capture: the backup" "$(verified)" "$third"
ok "undo of the latest" "$VMFSKIT" undo "${S[@]}" latest a.img
has "undo of the latest: said" "$ERR" "^vmfskit: latest is $undo, "
has "undo of the latest: the command has its id" "$OUT" "^  vmfskit undo $undo a\\.img .*--write\$"
exits "undo of the latest is not written" 2 "$VMFSKIT" undo "${S[@]}" latest a.img --write
ok "undo of the end of an id" "$VMFSKIT" undo "${S[@]}" a.img-undo a.img
has "undo of the end of an id: the command" "$OUT" "^  vmfskit undo $undo a\\.img "
ok "repair with the latest" "$VMFSKIT" repair table "${S[@]}" broken.img --capture "$second" --override capture-vouched
cp "$OUT" by-id
run "$VMFSKIT" repair table "${S[@]}" broken.img --capture "${second%.img}" --override capture-vouched
same "repair: the same plan, and the whole id in its command" "$OUT" by-id

# --- the other verbs
ok "pin" "$VMFSKIT" pin "${S[@]}" latest:web02
is "pin: that one" "$(cat "$OUT")" "$b: pinned"
ok "unpin" "$VMFSKIT" pin "${S[@]}" --unpin "${b%.img}"
is "unpin: that one" "$(cat "$OUT")" "$b: no longer pinned"
ok "decode an id of the store" "$VMFSKIT" decode "${S[@]}" "$b"
has "decode an id: its folder" "$OUT" "^$TMP/st/$b: disk"
ok "decode the latest of a disk" "$VMFSKIT" decode "${S[@]}" latest:web02
has "decode the latest: its folder" "$OUT" "^$TMP/st/$b: disk"
exits "decode what is neither" 4 "$VMFSKIT" decode "${S[@]}" nothing-here
has "decode what is neither: a file that is not there" "$ERR" 'nothing-here'
ok "decode and a store that is not there" "$VMFSKIT" decode --store "$TMP/nothing" b.img
ok "diff: a file of that name goes before the end of an id" "$VMFSKIT" diff "${S[@]}" latest:web02 b.img
has "diff: the capture" "$OUT" "^before  capture $b, "
has "diff: the file" "$OUT" '^after   disk b\.img, '

# --- what lies here
cp --sparse=always b.img latest
exits "a file called latest is not guessed about: diff" 2 "$VMFSKIT" diff "${S[@]}" latest b.img
has "a file called latest: what to write" "$ERR" 'write \./latest, or the id'
exits "a file called latest is not guessed about: decode" 2 "$VMFSKIT" decode "${S[@]}" latest
ok "a file by its path" "$VMFSKIT" diff "${S[@]}" ./latest b.img
rm latest
cp -r "st/$first" latest
for verb in "restore latest a.img" "verify latest" "decode latest" "drill latest" "diff latest a.img"; do
	# shellcheck disable=SC2086 # words
	exits "a folder called latest is not guessed about: $verb" 2 "$VMFSKIT" $verb "${S[@]}"
	has "a folder called latest: $verb: what to write" "$(tr '\n' ' ' <"$ERR")" 'a folder of this name here, .*  write \./latest, or the id'
done
ok "a folder by its path" "$VMFSKIT" restore "${S[@]}" --override capture-vouched ./latest a.img
has "a folder by its path: it is that one" "$OUT" "$first"
mv latest 'latest:web 01'
exits "nor about one called latest:LABEL" 2 "$VMFSKIT" restore "${S[@]}" 'latest:web 01' a.img
mv 'latest:web 01' st/latest
exits "nor about one in the store" 2 "$VMFSKIT" restore "${S[@]}" latest a.img
has "one in the store: what to write" "$ERR" "write $TMP/st/latest, or the id"
mv st/latest 20
short=${first%%T*}
mv 20 "$short"
for verb in "restore $short a.img" "verify $short" "decode $short"; do
	# shellcheck disable=SC2086 # words
	exits "a folder called like the beginning of ids: $verb" 2 "$VMFSKIT" $verb "${S[@]}"
	has "like the beginning of ids: which, $verb" "$ERR" " $second\$"
done
mv "$short" "st/$short"
exits "in the store, too" 2 "$VMFSKIT" verify "${S[@]}" "$short"
mv "st/$short" mine
cp --sparse=always a.img whole.img
dd if=/dev/zero of=a.img bs=512 count=1 conv=notrunc status=none
ok "a folder whose name is nothing else is taken" "$VMFSKIT" restore "${S[@]}" --override capture-vouched mine a.img
has "it has a slash in the command" "$OUT" '^  vmfskit restore \./mine a\.img .*--write$'
exits "without it nothing is written" 2 "$VMFSKIT" restore "${S[@]}" --override capture-vouched mine a.img --write
has "without it nothing is written: why" "$(tr '\n' ' ' <"$ERR")" '^vmfskit: --write takes a capture in the current folder only by a path with a slash \(mine\)   write \./mine'
cp --sparse=always whole.img a.img
rm -r mine whole.img
ok "the whole id of one that another begins with" "$VMFSKIT" verify "${S[@]}" --json "${undo%-undo}"

# --- a clock was wrong
ahead=20990101T000000Z-b.img
cp -a "st/$b" "st/$ahead"
chmod -R u+w "st/$ahead"
sed -i -e "s/$b/$ahead/" -e 's/^ "\(time\|ended\)": ".*"/ "\1": "2099-01-01T00:00:00Z"/' "st/$ahead/manifest.json"
ok "one of the future is not the latest" "$VMFSKIT" decode "${S[@]}" latest:web02
has "one of the future: the newest before now" "$OUT" "^$TMP/st/$b: disk"
has "one of the future: said" "$ERR" "^vmfskit: note: passed over $ahead: its time lies in the future\$"
mv "st/$b" kept
run "$VMFSKIT" decode "${S[@]}" latest:web02
has "where there is no other it is" "$OUT" "^$TMP/st/$ahead: disk"
has "where there is no other: said" "$ERR" "^vmfskit: latest:web02 is $ahead, taken 2099-01-01T00:00:00Z \(which lies in the future\), of web02\$"
exits "its disk is one of several" 2 "$VMFSKIT" restore "${S[@]}" latest b.img
has "its disk is one of several: listed" "$ERR" " $ahead\$"
mv kept "st/$b"
rm -r "st/$ahead"

# --- newest captures that say nothing of themselves
mkdir st/20991231T000000Z-x
ok "a folder without a manifest" "$VMFSKIT" diff "${S[@]}" latest:web02 b.img
has "a folder without a manifest: passed over, and said" "$ERR" '^vmfskit: note: passed over 20991231T000000Z-x: no manifest'
rmdir st/20991231T000000Z-x
mv "st/$b" st/20991231T000000Z-b.img
exits "one that was renamed is not what its name says" 4 "$VMFSKIT" verify "${S[@]}" latest:web02
mv st/20991231T000000Z-b.img "st/$b"

# --- at most ten are listed
for i in 01 02 03 04 05 06 07 08 09 10 11; do
	cp -r "st/$b" "st/20200101T0000${i}Z-many"
done
exits "many" 2 "$VMFSKIT" verify "${S[@]}" many
is "many: ten lines" "$(grep -c 'Z-many$' "$ERR")" 10
has "many: and the rest" "$ERR" '^  and 1 more$'

# --- completion: ids, labels and LUNs of the store, in a bash that has only this file; bash cuts words at = and :
complete_words() {
	COMPLETION=$BUILD/generated/completion/vmfskit bash --norc --noprofile -c '
		source "$COMPLETION"
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		compopt() { :; }
		_vmfskit
		[ "${#COMPREPLY[@]}" -eq 0 ] || printf "%s\n" "${COMPREPLY[@]}"' bash "$VMFSKIT" "$@"
}
rm -r st/2020*
is "restore la<TAB>" "$(complete_words restore -s st la | tr '\n' ' ')" 'latest latest:web\ 01 latest:web latest:web02 '
is "restore latest:web\\ <TAB>: what stands behind the colon" "$(complete_words restore -s st latest : 'web\ ')" 'web\ 01'
is "restore latest:<TAB>" "$(complete_words restore -s st latest : | tr '\n' ' ')" 'web\ 01 web web02 '
is "restore 20<TAB>: ids, newest first" "$(complete_words restore --store = st 20 | tr '\n' ' ')" "$(captures st | sort -V | tac | tr '\n' ' ')"
is "restore CAPTURE <TAB>: no captures" "$(complete_words restore -s st latest : web 20)" ""
is "restore CAPTURE b.<TAB>: a target" "$(complete_words restore -s st "$b" b.)" b.img
is "restore --part table CAPTURE b.<TAB>" "$(complete_words restore -s st --part table --verbose "$b" b.)" b.img
is "undo 20<TAB>" "$(complete_words undo -s st 20 | grep -c undo)" "$(captures st | grep -c undo)"
is "verify CAPTURE latest:web0<TAB>: each" "$(complete_words verify -s st "$b" latest : web0)" web02
is "repair table x --capture latest:web0<TAB>" "$(complete_words repair table -s st x --capture latest : web0)" web02
is "decode b<TAB>: files" "$(complete_words decode -s st b.)" b.img
is "decode latest:web0<TAB>: captures" "$(complete_words decode -s st latest : web0)" web02
is "a path of a capture" "$(complete_words verify -s st "st/${b%img}")" "st/$b"
is "no store: files, and not a word" "$(complete_words verify -s nothing b. 2>&1)" b.img
is "a store that is none" "$(complete_words verify -s a.img latest 2>&1)" ""
ok "LUNs of this host" "$VMFSKIT" list --words luns
cp "$OUT" luns
is "restore CAPTURE /dev/<TAB>: LUNs are offered" "$(complete_words restore -s st "$b" /dev/ | sort | comm -13 - <(sort luns))" ""
# what a label says is offered, never run
make --label '$(touch hacked)`touch hacked`' d.img
take d.img
is "a hostile label" "$(complete_words restore -s st 'latest' : '\$' | head -n 1)" '\$\(touch\ hacked\)\`touch\ hacked\`'
ok "is not run" test ! -e hacked
# words of a screen that is narrow are the same words
make --label 'a label that is longer than 30 columns' e.img
take e.img
"$VMFSKIT" list "${S[@]}" --words captures >wide
COLUMNS=30 run "$VMFSKIT" list "${S[@]}" --words captures
same "words of a narrow screen" "$OUT" wide
