#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Ledger and signatures: every attack is found, also when the attacker puts right what he can without the key.
. "$(dirname "$0")/../lib.sh"
need perl openssl jq sha256sum md5sum
cd "$TMP" || exit 1

"$LAB" make --table gpt --size 320M --vmfs 5 --label one one.img >/dev/null || exit 1
"$LAB" make --table mbr --vmfs 3 --start 63 --size 320M --label two two.img >/dev/null || exit 1
for key in key foreign; do
	openssl genpkey -algorithm ed25519 -out $key 2>/dev/null
	openssl pkey -in $key -pubout -out $key.pub
	chmod 600 $key
done

# what of the store an attacker without the key can put right: digests of captures, the chain from line N on, the head
cat >fix.pl <<'END'
use strict; use Digest::SHA qw(sha256_hex);
my ($store, $renumber) = @ARGV;
open(my $in, "<", "$store/ledger.jsonl") or die; chomp(my @lines = <$in>); close $in;
my ($previous, $seq, $time) = ("0" x 64, 0, "");
for (@lines) {
	$seq = $renumber ? $seq + 1 : (/^\{"seq":(\d+)/)[0];
	s/^\{"seq":\d+/{"seq":$seq/;
	s/"previous":"[0-9a-f]{64}"/"previous":"$previous"/;
	$previous = sha256_hex($_);
	$time = (/"time":"([^"]*)"/)[0];
}
open(my $out, ">", "$store/ledger.jsonl") or die; print $out "$_\n" for @lines; close $out;
open($out, ">", "$store/ledger.head") or die;
print $out "{\"schema\":\"vmfskit.ledger-head/1\",\"seq\":$seq,\"sha256\":\"$previous\",\"time\":\"$time\"}\n";
END
fix() { perl fix.pl st "${1:-}"; }
line() { sed -n "$1p" st/ledger.jsonl; }
fix_sums() { # FOLDER: SHA256SUMS anew
	(cd "$1" && rm -f SHA256SUMS && sha256sum -- $(ls | LC_ALL=C sort) >.s && mv .s SHA256SUMS)
}

# codes of the findings of verify --ledger, each once
codes() { jq -r '[.findings[].code] | unique | join(" ")' "$OUT"; }
# judge NAME EXIT CODES [OPTIONS]: a copy is judged, so that the store stays as the attacker left it
judge() {
	local name=$1 code=$2 expected=$3
	shift 3
	rm -rf seen
	cp -a st seen
	exits "$name" "$code" "$VMFSKIT" verify --json --store seen --ledger "$@"
	is "$name: what it is" "$(codes)" "$expected"
}

# --- two stores of three nights each, one signed and one not
build() { # STORE OPTIONS...
	local store=$1
	shift
	"$VMFSKIT" capture --store "$store" "$@" one.img two.img >/dev/null &&
		"$VMFSKIT" capture --store "$store" "$@" --anchor "$store.anchor.old" one.img >/dev/null &&
		cp -a "$store" "$store.yesterday" &&
		"$VMFSKIT" capture --store "$store" "$@" two.img >/dev/null &&
		"$VMFSKIT" capture --store "$store" "$@" --anchor "$store.anchor" one.img two.img >/dev/null
}
ok "a store" build plain
ok "a signed store" build signed --sign-key key --md5
sleep 1.1 # a head is told from another by its time, too
ok "another one, by someone else" build foreign.st --sign-key foreign

for kind in plain signed; do
	options=()
	[ $kind = plain ] || options=(--public-key key.pub)
	# what only the key tells
	key=
	[ $kind = plain ] || key=1
	renew() { rm -rf st && cp -a $kind st && chmod -R u+w st; }
	# capture of line N
	capture_of() { line "$1" | jq -r '.captures[0]'; }

	renew
	judge "$kind: sound" 0 "" "${options[@]}"
	is "$kind: lines" "$(jq .ledger.lines "$OUT")" 6
	is "$kind: head" "$(jq -c '[.ledger.head.seq, .ledger.head.signed]' "$OUT")" "[6,$([ $kind = signed ] && echo true || echo false)]"
	judge "$kind: sound with its anchor" 0 "" "${options[@]}" --anchor $kind.anchor
	judge "$kind: sound with an older anchor" 0 "" "${options[@]}" --anchor $kind.anchor.old

	sed -i 3d st/ledger.jsonl
	judge "$kind: a line deleted" 1 "ledger.broken ledger.capture-unrecorded" "${options[@]}"
	has "$kind: it is named" "$OUT" 'line 3 of the ledger does not follow from the one before it'
	renew
	sed -i 3,4d st/ledger.jsonl
	judge "$kind: two lines deleted" 1 "ledger.broken ledger.capture-unrecorded" "${options[@]}"
	has "$kind: where is told" "$OUT" 'line 3 of the ledger does not follow'
	renew
	sed -i 1d st/ledger.jsonl
	judge "$kind: the first line deleted" 1 "ledger.broken ledger.capture-unrecorded" "${options[@]}"
	renew
	sed -i '3s/"user":"[^"]*"/"user":"nobody"/' st/ledger.jsonl
	judge "$kind: a line altered" 1 "ledger.broken ledger.capture-unrecorded${key:+ signature.wrong}" "${options[@]}"
	has "$kind: it is named" "$OUT" 'line 4 of the ledger does not follow from the one before it'
	renew
	sed -i '6s/"user":"[^"]*"/"user":"nobody"/' st/ledger.jsonl
	judge "$kind: the last line altered" 1 "ledger.capture-unrecorded ledger.head-wrong${key:+ signature.wrong}" "${options[@]}"
	renew
	sed -i '3s/"previous":"../"previous":"00/' st/ledger.jsonl
	judge "$kind: a digest in a line altered" 1 "ledger.broken ledger.capture-unrecorded${key:+ signature.wrong}" "${options[@]}"
	renew
	sed -i '3s/^{"seq":3/{"seq":5/' st/ledger.jsonl
	judge "$kind: a number altered" 1 "ledger.broken ledger.capture-unrecorded${key:+ signature.wrong}" "${options[@]}"
	renew
	sed -i '3s/"user"/ "user"/' st/ledger.jsonl
	judge "$kind: another spelling" 1 "ledger.capture-unrecorded ledger.damaged" "${options[@]}"
	renew
	sed -i '3s/.*/nonsense/' st/ledger.jsonl
	judge "$kind: nonsense" 1 "ledger.capture-unrecorded ledger.damaged" "${options[@]}"
	renew
	sed -i "3a $(line 2 | sed 's/^{"seq":2/{"seq":4/; s/"event":"capture"/"event":"verify"/')" st/ledger.jsonl
	judge "$kind: a line put in" 1 "ledger.broken ledger.capture-unrecorded${key:+ signature.wrong}" "${options[@]}"
	renew
	sed -i "3a $(line 2)" st/ledger.jsonl
	judge "$kind: a line doubled" 1 "ledger.broken ledger.capture-unrecorded" "${options[@]}"
	renew
	perl -ni -e '$. == 3 ? ($x = $_) : print($. == 4 ? ($_, $x) : $_)' st/ledger.jsonl
	judge "$kind: two lines swapped" 1 "ledger.broken ledger.capture-unrecorded" "${options[@]}"
	renew
	sed -i '5,$d' st/ledger.jsonl
	judge "$kind: the end cut off" 1 "ledger.capture-unrecorded ledger.cut-short" "${options[@]}"
	has "$kind: what is gone is named" "$OUT" 'the ledger ends with line 4, and its head names line 6'
	"$VMFSKIT" capture --store st $([ $kind = plain ] || echo --sign-key key) two.img >/dev/null
	judge "$kind: the next night does not hide it" 1 "ledger.broken ledger.capture-unrecorded" "${options[@]}"
	renew
	printf '{"seq":7,"time' >>st/ledger.jsonl
	judge "$kind: a torn line" 0 "ledger.torn-line" "${options[@]}"
	renew
	sed -i 's/"time":"2/"time":"1/' st/ledger.head
	judge "$kind: the head altered" 1 "ledger.head-wrong" "${options[@]}"
	renew
	cp -p foreign.st/ledger.head* st/
	judge "$kind: the head of another store" 1 "$([ -n "$key" ] || echo 'ledger.capture-unrecorded ')ledger.head-wrong" "${options[@]}"
	renew
	rm st/ledger.head*
	judge "$kind: no head" 1 "ledger.head-wrong" "${options[@]}"
	renew
	rm st/ledger.jsonl
	judge "$kind: no ledger" 1 "ledger.missing" "${options[@]}"
	run "$VMFSKIT" verify --store st
	ok "$kind: verify does not begin a new one" [ ! -e st/ledger.jsonl ]

	renew
	a=$(capture_of 1) b=$(capture_of 3)
	mv "st/$a" st/x && mv "st/$b" "st/$a" && mv st/x "st/$b"
	judge "$kind: captures swapped" 1 "capture.misplaced ledger.capture-differs" "${options[@]}"
	exits "$kind: verify alone tells that" 1 "$VMFSKIT" verify --store st
	has "$kind: as not trusted" "$OUT" ': not trusted'
	has "$kind: what it really is" "$OUT" "capture\\.misplaced.* $a of "
	renew
	mv "st/$a" "st/20200101T000000Z-other"
	judge "$kind: a capture renamed" 1 "capture.misplaced ledger.capture-missing ledger.capture-unrecorded" "${options[@]}"
	renew
	rm -r "st/$a"
	judge "$kind: a capture removed without prune" 1 "ledger.capture-missing" "${options[@]}"
	has "$kind: it is named" "$OUT" "$a is recorded and not there"
	renew
	other=$(ls foreign.st | grep -m 1 Z)
	cp -a "foreign.st/$other" "st/20200101T000000Z-one.img"
	sed -i "s/\"id\": \"$other\"/\"id\": \"20200101T000000Z-one.img\"/" st/20200101T000000Z-one.img/manifest.json
	fix_sums st/20200101T000000Z-one.img
	judge "$kind: a capture slipped in" 1 "ledger.capture-unrecorded${key:+ signature.wrong}" "${options[@]}"

	# --- the attacker puts right what he can
	renew
	perl -pi -e 's/"label": "one"/"label": "evil"/; s/"fs_label": "one"/"fs_label": "evil"/; s/"serial": ""/"serial": "x"/' "st/$a/manifest.json"
	fix_sums "st/$a"
	exits "$kind: a capture that fits itself: verify asks the ledger by itself" 1 "$VMFSKIT" verify "st/$a"
	has "$kind: and trusts it no more than the ledger does" "$OUT" ': not trusted, '
	has "$kind: says why" "$OUT" "ledger\\.capture-differs: $a "
	exits "$kind: list, too" 1 "$VMFSKIT" list --store st
	has "$kind: list: not trusted" "$OUT" "^not trusted .*$a\$"
	judge "$kind: manifest altered, digests put right" 1 "ledger.capture-differs${key:+ signature.wrong}" "${options[@]}"
	renew
	sed -i 3d st/ledger.jsonl
	rm -r "st/$b"
	fix renumber
	if [ -z "$key" ]; then
		judge "$kind: all put right, as only a key could tell" 0 ""
	else
		judge "$kind: all put right" 1 "ledger.capture-unrecorded ledger.head-wrong signature.wrong" "${options[@]}"
		has "$kind: from where on" "$OUT" 'line 3 of the ledger: the signature does not fit'
		perl -pi -e 's/,"signature":"[0-9a-f]*"//' st/ledger.jsonl
		fix renumber
		rm -f st/ledger.head.sig
		judge "$kind: without signatures" 1 "ledger.unsigned-line signature.missing" "${options[@]}"
	fi
	judge "$kind: all put right, but for the anchor" 1 "ledger.rolled-back$([ -z "$key" ] || echo ' ledger.unsigned-line signature.missing')" \
		"${options[@]}" --anchor $kind.anchor
	renew
	sed -i 3d st/ledger.jsonl
	fix
	run "$VMFSKIT" verify --json --store st --ledger "${options[@]}"
	has "$kind: the chain put right, not the numbers" "$(codes)" 'ledger.broken'

	# --- the whole store rolled back
	rm -rf st && cp -a $kind.yesterday st
	judge "$kind: rolled back by a night" 1 "ledger.rolled-back" "${options[@]}" --anchor $kind.anchor
	has "$kind: how far" "$OUT" 'the anchor names line 6'
	judge "$kind: without the anchor nobody could tell" 0 "" "${options[@]}"
	for i in 1 2 3; do "$VMFSKIT" capture --store st $([ $kind = plain ] || echo --sign-key key) one.img >/dev/null; done
	judge "$kind: rolled back and gone on" 1 "ledger.rolled-back" "${options[@]}" --anchor $kind.anchor
	cp $kind.anchor witness
	exits "$kind: a run does not replace the anchor that knows better" 3 "$VMFSKIT" capture --store st --anchor $kind.anchor \
		$([ $kind = plain ] || echo --sign-key key) one.img
	has "$kind: and says so" "$ERR" 'the anchor stays as it is'
	same "$kind: it is as it was" witness $kind.anchor
	printf 'anchor = %s\n' "$PWD/$kind.anchor" >anchored.conf
	exits "$kind: the configured anchor is asked" 1 "$VMFSKIT" verify --config anchored.conf --store st --ledger
	has "$kind: and tells" "$OUT" 'ledger\.rolled-back'
done

# --- signatures
rm -rf st && cp -a signed st && chmod -R u+w st
a=$(sed -n 1p st/ledger.jsonl | jq -r '.captures[0]')
ok "openssl: the manifest" openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in "st/$a/manifest.json" -sigfile "st/$a/manifest.json.sig"
ok "openssl: the head" openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in st/ledger.head -sigfile st/ledger.head.sig
ok "openssl: the anchor" openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in signed.anchor -sigfile signed.anchor.sig
sed -n 2p st/ledger.jsonl | perl -pe 'chomp; s/,"signature":"([0-9a-f]+)"\}$/}/ or die; open(S, ">", "line.sig"); print S pack("H*", $1)' >line
ok "openssl: a line" openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in line -sigfile line.sig
ok "sha256sum -c" bash -c "cd 'st/$a' && sha256sum --quiet -c SHA256SUMS"
ok "md5sum -c" bash -c "cd 'st/$a' && md5sum --quiet -c MD5SUMS"
is "MD5SUMS has the regions" "$(cut -c 35- "st/$a/MD5SUMS" | tr '\n' ' ')" "$(cd "st/$a" && ls *.raw | tr '\n' ' ')"
is "the key is named" "$(jq -r .signer "st/$a/manifest.json")" \
	"$(openssl pkey -pubin -in key.pub -outform DER | sha256sum | cut -d ' ' -f 1)"
exits "a foreign key" 1 "$VMFSKIT" verify --store signed.yesterday --public-key foreign.pub
has "every capture" "$OUT" 'signature\.wrong'
exits "an unsigned store" 1 "$VMFSKIT" verify --json --store plain --ledger --public-key key.pub
is "what it lacks" "$(codes)" "ledger.unsigned-line signature.missing"
# without any key no byte of the evidence may change or vanish
capture_codes() { run "$VMFSKIT" verify --json "st/$a"; codes; }
for file in manifest.json.sig MD5SUMS; do
	perl -e 'open(my $f, "+<:raw", $ARGV[0]); sysread($f, my $b, 1); sysseek($f, 0, 0); syswrite($f, chr(ord($b) ^ 1))' "st/$a/$file"
	is "$file altered" "$(capture_codes)" capture.digest
	rm "st/$a/$file"
	is "$file gone" "$(capture_codes)" capture.file-missing
	(cd "st/$a" && sed -i "/ $file\$/d" SHA256SUMS)
	has "and its line in SHA256SUMS" "$(capture_codes)" '^capture\.file-missing.* capture\.sums$'
	rm -rf st && cp -a signed st && chmod -R u+w st
done
sed -i '/manifest.json.sig$/s/^./x/' "st/$a/SHA256SUMS"
has "the line of the signature altered" "$(capture_codes)" capture.sums
rm -rf st && cp -a signed st && chmod -R u+w st
rm "st/$a/manifest.json"
run "$VMFSKIT" verify --json "st/$a"
is "no manifest: what vouches is no stranger" "$(codes)" "capture.file-missing capture.manifest"

# signing may begin late: what stood there before is vouched for by the chain
ok "an old store" "$VMFSKIT" capture --store late one.img
ok "signed from now on" "$VMFSKIT" capture --store late --sign-key key two.img
run "$VMFSKIT" verify --json --store late --ledger
is "no finding without the key" "$(codes)" ""
ok "an unsigned capture after that" "$VMFSKIT" capture --store late one.img
run "$VMFSKIT" verify --json --store late --ledger
is "is one" "$(codes)" ledger.unsigned-line

# --- bad keys
openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:1024 -out rsa 2>/dev/null
openssl genpkey -algorithm ed25519 -aes256 -pass pass:secret -out locked 2>/dev/null
cp key readable
chmod 600 rsa locked
chmod 644 readable
exits "an RSA key" 2 "$VMFSKIT" capture --store none --sign-key rsa one.img
exits "a key with a passphrase" 2 "$VMFSKIT" capture --store none --sign-key locked one.img </dev/null
has "says so" "$ERR" 'passphrase'
exits "a key that others can read" 3 "$VMFSKIT" capture --store none --sign-key readable one.img
exits "no key" 4 "$VMFSKIT" capture --store none --sign-key nowhere one.img
exits "a private key as the public one" 2 "$VMFSKIT" verify --store signed --public-key key
ok "nothing was made" [ ! -e none ]
exits "an anchor in the store" 3 "$VMFSKIT" capture --store late --anchor late/anchor one.img
exits "no anchor" 4 "$VMFSKIT" verify --store late --ledger --anchor nowhere
exits "an anchor that is none" 2 "$VMFSKIT" verify --store late --ledger --anchor key.pub

# --- who, what, when
is "the line" "$(sed -n 1p signed/ledger.jsonl | jq -c '[.event, .user, .host, (.command | length > 3)]')" \
	"[\"capture\",\"$(id -un)\",\"$(uname -n)\",true]"
SUDO_USER=$'al\eice' "$VMFSKIT" capture --store sudo one.img >/dev/null
is "who used sudo" "$(jq -r .user sudo/ledger.jsonl)" "$(id -un) (sudo: al\\x1bice)"
is "and in the manifest" "$(jq -r .user sudo/*Z-one.img/manifest.json)" "$(id -un) (sudo: al\\x1bice)"
is "end in UTC" "$(jq -r .ended sudo/*Z-one.img/manifest.json | tr 0-9 9)" "9999-99-99T99:99:99Z"

# --- restore and undo
rm -rf st && cp -a signed st
cp one.img wreck.img
"$LAB" break --how header wreck.img >/dev/null
id=$(sed -n 3p st/ledger.jsonl | jq -r '.captures[0]')
ok "restore" "$VMFSKIT" restore --json --store st --sign-key key "$id" wreck.img --write
undo=$(jq -r .undo "$OUT")
ok "undo" "$VMFSKIT" undo --json --store st --sign-key key "$undo" wreck.img --write
is "their lines" "$(tail -n 6 st/ledger.jsonl | jq -r .event | tr '\n' ' ')" \
	"undo-capture restore-begun restore undo-capture restore-begun undo "
is "of what" "$(tail -n 4 st/ledger.jsonl | head -n 1 | jq -c '[.captures, .target]')" "[[\"$id\",\"$undo\"],\"wreck.img\"]"
is "of what, before the first write" "$(tail -n 5 st/ledger.jsonl | head -n 1 | jq -c '[.captures, .target]')" \
	"[[\"$id\",\"$undo\"],\"$(realpath wreck.img)\"]"
ok "all signed" "$VMFSKIT" verify --store st --ledger --public-key key.pub

# --- prune
rm -rf kept && cp -a signed kept
ok "prune" "$VMFSKIT" prune --store kept --keep-daily 0 --keep-weekly 0 --keep-monthly 0 --keep-yearly 0 --write \
	--sign-key key --anchor kept.anchor
ok "its line is signed, what it removed is not missed" "$VMFSKIT" verify --store kept --ledger --public-key key.pub --anchor kept.anchor
is "it names them" "$(tail -n 2 kept/ledger.jsonl | jq -r 'select(.event == "prune") | .captures[]' | sort)" \
	"$(comm -23 <(ls signed | grep 'Z[-.]' | sort) <(ls kept | grep 'Z[-.]' | sort))"
cp -a "signed/$(tail -n 2 kept/ledger.jsonl | jq -r 'select(.event == "prune") | .captures[0]')" kept/
run "$VMFSKIT" verify --json --store kept --ledger --public-key key.pub
is "one of them put back is told" "$(codes)" ledger.unfinished
run "$VMFSKIT" verify --json --store kept --ledger --public-key foreign.pub
has "a foreign key: the lines are told" "$(codes)" 'signature\.wrong'
hasnt "a foreign key: what was pruned is not missing" "$(codes)" 'capture-missing'

# --- verify records itself; twenty at once
"$VMFSKIT" verify --store st "$id" >/dev/null
is "verify of one" "$(tail -n 1 st/ledger.jsonl | jq -c '[.event, .captures, .result]')" "[\"verify\",[\"$id\"],\"1 of 1 sound\"]"
before=$(wc -l <st/ledger.jsonl)
for i in $(seq 20); do "$VMFSKIT" verify --store st "$id" >/dev/null & done
wait
is "twenty lines more" $(($(wc -l <st/ledger.jsonl) - before)) 20
ok "and a whole chain" "$VMFSKIT" verify --store st --ledger --public-key key.pub

# --- power cut at every step of a signed capture
mkdir cut
"$VMFSKIT" capture --store cut/st --sign-key key two.img >/dev/null
cp -a cut/st cut/keep
cp -a cut/st cut/count
VMFSKIT_CRASH_LOG=$TMP/points "$HOOKS" capture --store cut/count --sign-key key one.img >/dev/null
points=$(wc -l <points)
ok "there are crash points" [ "$points" -gt 30 ]
ok "the ledger's, too" grep -q 'ledger: write' points
bad='' between=''
for n in $(seq "$points"); do
	rm -rf cut/st && cp -a cut/keep cut/st
	VMFSKIT_CRASH_AT=$n "$HOOKS" capture --store cut/st --sign-key key one.img >/dev/null 2>&1
	[ $? -eq 99 ] || bad="$bad $n:exit"
	cp -a cut/st cut/then
	run "$VMFSKIT" verify --json --store cut/then --ledger --public-key key.pub
	[ "$CODE" -eq 0 ] || bad="$bad $n:before:$(codes)"
	between="$between $(codes)"
	rm -rf cut/then
	"$VMFSKIT" capture --store cut/st --sign-key key two.img >/dev/null 2>&1 || bad="$bad $n:next"
	run "$VMFSKIT" verify --json --store cut/st --ledger --public-key key.pub
	[ "$CODE" -eq 0 ] && ! grep -q head-wrong "$OUT" || bad="$bad $n:after:$(codes)"
done
is "power cut at each of $points points" "$bad" ""
has "some of them were seen" "$between" 'ledger.torn-line'
has "others, too" "$between" 'ledger.unfinished'

# --- evidence that cannot be written to
if [ "$(id -u)" -eq 0 ] && mkdir ro && mount --bind signed ro 2>/dev/null; then
	echo "$TMP/ro" >>"$TMP/.mounts"
	mount -o remount,ro,bind ro
	before=$(sha256sum <signed/ledger.jsonl)
	ok "a read-only store" "$VMFSKIT" verify --store ro
	is "nothing is said" "$(cat "$ERR")" ""
	ok "with its ledger" "$VMFSKIT" verify --store ro --ledger --public-key key.pub
	has "then it says what it could not do" "$ERR" 'note: not recorded'
	is "nothing was written" "$(sha256sum <signed/ledger.jsonl)" "$before"
else
	skip "a read-only store" "needs root"
fi

# --- DFXML
PATH=$PATH:/usr/sbin
if command -v xmllint >/dev/null; then
	ok "list --dfxml" "$VMFSKIT" list --dfxml --store signed
	cp "$OUT" signed.xml
	ok "is well-formed" xmllint --noout signed.xml
	xpath() { xmllint --xpath "$1" "$2" 2>/dev/null; }
	is "its root" "$(xpath 'concat(name(/*), " ", namespace-uri(/*))' signed.xml)" \
		"dfxml http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML"
	is "every capture" "$(xpath 'count(//*[local-name()="partitionsystemobject"])' signed.xml)" 6
	a=$(sed -n 1p signed/ledger.jsonl | jq -r '.captures[0]')
	is "every region, place and digest" "$(xpath "//*[local-name()='partitionsystemobject'][*[local-name()='id']='$a']//*[local-name()='fileobject']" signed.xml |
		tr -d '\n' | sed 's/<fileobject/\n&/g' | sed -n 's|.*<filename>\(.*\)</filename>.*img_offset="\([0-9]*\)" len="\([0-9]*\)".*sha256">\([0-9a-f]*\)<.*md5">\([0-9a-f]*\)<.*|\1 \2 \3 \4 \5|p' | sort)" \
		"$(jq -r '.regions[] | "\(.file) \(.offset_bytes) \(.length_bytes) \(.sha256) \(.md5)"' "signed/$a/manifest.json" | sort)"
	odd=$'a<b>&"c\'\x01\xff\xe2\x80\xae.img'
	cp one.img "$odd"
	ok "a disk of an odd name" "$VMFSKIT" capture --store odd "$odd"
	ok "in DFXML" "$VMFSKIT" list --dfxml --store odd
	cp "$OUT" odd.xml
	ok "is well-formed, too" xmllint --noout odd.xml
	has "and still tells the name" odd.xml 'a&lt;b&gt;&amp;&quot;c'
	exits "two forms at once" 2 "$VMFSKIT" list --dfxml --json --store signed
	mkdir -m 700 nothing
	ok "nothing to tell of" "$VMFSKIT" list --dfxml --store nothing
	cp "$OUT" none.xml
	ok "is well-formed as well" xmllint --noout none.xml
else
	skip "list --dfxml" "there is no xmllint"
fi
