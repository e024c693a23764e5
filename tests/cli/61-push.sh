#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The push against a real sshd: links stay, what was cut off goes on, and the key can neither read, change nor delete.
if [ "$(id -u)" -eq 0 ] && [ -z "${VMFSKIT_TEST_NAMESPACE-}" ] && unshare -m true 2>/dev/null; then
	# mounts of its own: the account that receives exists in this test only
	VMFSKIT_TEST_NAMESPACE=1 exec unshare -m bash "$0"
fi
. "$(dirname "$0")/../lib.sh"
need_root "the push"
need sshd ssh ssh-keygen rsync flock runuser openssl
if [ -z "${VMFSKIT_TEST_NAMESPACE-}" ]; then
	skip "the push" "no mount namespaces here"
	exit 0
fi

# a path to the scratch folder on which the account does not need anybody's leave
mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && mkdir /run/test && mount --bind "$TMP" /run/test || exit 1
scratch=$TMP
TMP=/run/test
sshd_pid=
trap '[ -z "$sshd_pid" ] || kill "$sshd_pid" 2>/dev/null; TMP=$scratch; cleanup' EXIT

# the account, the scripts with their paths, sshd
account=vmfskit-test uid=64917
there=$TMP/there base=$TMP/there/host etc=$TMP/etc
chmod 711 "$TMP"
mkdir -p "$there" "$base" "$etc/vmfskit" "$TMP/bin" "$TMP/share/vmfskit"
chmod 755 "$there"
chown $uid:$uid "$base"
chmod 700 "$base"
for file in passwd group shadow; do cp -p "/etc/$file" "$TMP/$file"; done
echo "$account:x:$uid:$uid::$there:/bin/sh" >>"$TMP/passwd"
echo "$account:x:$uid:" >>"$TMP/group"
echo "$account:*:19000:0:99999:7:::" >>"$TMP/shadow"
for file in passwd group shadow; do mount --bind "$TMP/$file" "/etc/$file" || exit 1; done
for script in vmfskit-push vmfskit-receive; do
	sed -e "s|@SYSCONFDIR@|$etc|g" -e "s|@DATADIR@|$TMP/share|g" "$ROOT/cron/$script" >"$TMP/bin/$script"
	chmod 755 "$TMP/bin/$script"
	for shell in sh dash bash; do
		command -v $shell >/dev/null && ok "$script: $shell can read it" $shell -n "$TMP/bin/$script"
	done
done
# quiet, and what it says is kept
printf '#!/bin/sh\necho "$*" >>"%s"\n' "$TMP/syslog" >"$TMP/bin/logger"
chmod 755 "$TMP/bin/logger" "$TMP/bin"
: >"$TMP/syslog"
chmod 666 "$TMP/syslog"
sed -i "s|PATH=/usr/local/bin:|PATH=$TMP/bin:/usr/local/bin:|" "$TMP/bin/vmfskit-receive"

key=$etc/vmfskit/push_key
ssh-keygen -q -t ed25519 -N '' -C push -f "$key"
ssh-keygen -q -t ed25519 -N '' -C host -f "$TMP/host_key"
cp "$TMP/bin/vmfskit-receive" "$TMP/share/vmfskit/vmfskit-receive"
# the line that the script for the other machine has, with the places of this test
PATH=$TMP/bin:$PATH vmfskit-push --there "$account@127.0.0.1" | sed -n "s/^line='\(restrict,.*\)'\$/\1/p" |
	sed -e "s|/usr/local/bin/vmfskit-receive|$TMP/bin/vmfskit-receive|" -e "s|/srv/vmfskit/$(uname -n)\"|$base\"|" >"$TMP/authorized_keys"
has "there: the line for the key" "$TMP/authorized_keys" "^restrict,command=\"$TMP/bin/vmfskit-receive $base\" ssh-ed25519 "
chmod 644 "$TMP/authorized_keys"
sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd)
start_sshd() {
	local try
	for try in 1 2 3 4 5 6 7 8; do
		port=$((20000 + (RANDOM * 32768 + RANDOM) % 40000))
		printf '%s\n' "Port $port" "ListenAddress 127.0.0.1" "HostKey $TMP/host_key" "AuthorizedKeysFile $TMP/authorized_keys" \
			"StrictModes no" "UsePAM no" "PidFile none" "PasswordAuthentication no" "Subsystem sftp internal-sftp" \
			"AllowUsers $account" "LogLevel VERBOSE" >"$TMP/sshd_config"
		"$sshd" -D -e -f "$TMP/sshd_config" 2>"$TMP/sshd.log" &
		sshd_pid=$!
		for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			grep -q 'Server listening' "$TMP/sshd.log" && return 0
			kill -0 "$sshd_pid" 2>/dev/null || break
			sleep 0.1
		done
		kill "$sshd_pid" 2>/dev/null
	done
	return 1
}
ok "sshd listens" start_sshd
printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d ' ' -f 1,2 "$TMP/host_key.pub")" >"$etc/vmfskit/push_known_hosts"
printf '# where to\ntarget = %s@127.0.0.1\n  port=%s\n' "$account" "$port" >"$etc/vmfskit/push.conf"

push() { PATH=${SSH_BIN:+$SSH_BIN:}$TMP/bin:$PATH timeout 60 vmfskit-push --store "$@"; }
# bytes that went to ssh, once all is counted
sent() {
	for _ in $(seq 50); do
		[ -s "$TMP/sent" ] && break
		sleep 0.1
	done
	cat "$TMP/sent"
}
as_account() { runuser -u $account -- "$@"; }
# everything that is kept: names, kinds, modes, inodes and contents
state() { (cd "$base" && find store ledger -printf '%y %m %i %s %T@ %p\n' | sort && find store ledger -type f -exec sha256sum {} + | sort); }
unchanged() {
	state >"$TMP/state.now"
	if cmp -s "$TMP/state" "$TMP/state.now"; then pass "$1"; else fail "$1" "$(diff "$TMP/state" "$TMP/state.now" | head -n 20)"; fi
}
quiet() { is "$1" "$(cat "$OUT" "$ERR")" ""; }
inode() { stat -c %i "$1"; }

# a signed store with two nights of two disks, linked
store=$TMP/store
openssl genpkey -algorithm ed25519 -out "$TMP/sign.pem" 2>/dev/null && openssl pkey -in "$TMP/sign.pem" -pubout -out "$TMP/sign.pub" || exit 1
chmod 600 "$TMP/sign.pem"
chmod 644 "$TMP/sign.pub"
for disk in a b; do "$LAB" make --seed 1$disk --label "volume $disk" "$TMP/$disk.img" >/dev/null 2>&1 || "$LAB" make --label "volume-$disk" "$TMP/$disk.img" >/dev/null; done
night() { "$VMFSKIT" capture --store "$store" --sign-key "$TMP/sign.pem" "$TMP/a.img" "$TMP/b.img" >/dev/null; }
newest() { ls "$store" | grep -- "-$1.img" | sort | tail -n 1; }
link_to_last() {
	local disk last now file
	for disk in a b; do
		now=$(ls "$store" | grep -- "-$disk.img" | sort | tail -n 1)
		last=$(ls "$store" | grep -- "-$disk.img" | sort | tail -n 2 | head -n 1)
		[ "$now" != "$last" ] || continue
		for file in "$store/$now"/*; do
			[ "$(inode "$file")" = "$(inode "$store/$last/${file##*/}")" ] || ! cmp -s "$file" "$store/$last/${file##*/}" ||
				ln -f "$store/$last/${file##*/}" "$file"
		done
	done
}
# a ledger as long as it has none of its own
tell_ledger() {
	[ -e "$TMP/real-ledger" ] && return
	printf '{"event":"capture","number":%s}\n' "$RANDOM" >>"$store/ledger.jsonl"
	wc -l <"$store/ledger.jsonl" >"$store/ledger.head"
	rev "$store/ledger.head" >"$store/ledger.head.sig"
}
night
[ ! -e "$store/ledger.jsonl" ] || : >"$TMP/real-ledger"
sleep 1.1
night
link_to_last
tell_ledger
first=$(ls "$store" | grep -- -a.img | sort | head -n 1)
mkdir "$store/.tmp-20200101T000000Z-x" "$store/.gone-20200101T000000Z-y" "$store/.pins"
echo secret | tee "$store/.tmp-20200101T000000Z-x/head.raw" "$store/.gone-20200101T000000Z-y/head.raw" "$store/.pins/$first" >/dev/null
[ -e "$store/.lock" ] || : >"$store/.lock"

# the first push
ok "push" push "$store"
quiet "push: says nothing"
has "push: the receiver logs it" "$TMP/syslog" 'vmfskit-receive.*4 captures taken, 0 refused'
has "vmfskit status can tell of it" "$store/.pushed" '^20[0-9-]*T[0-9:]*Z [^ ]*@'
is "all captures are there, and nothing else but the ledger" "$(ls -A "$base/store" | grep -v '^ledger')" "$(ls "$store" | grep -v '^ledger')"
is "with the same contents" "$(diff -r -x '.*' "$store" "$base/store" 2>&1)" ""
now=$(newest a)
is "links are links there" "$(inode "$base/store/$now/p1-lvm.raw")" "$(inode "$base/store/$first/p1-lvm.raw")"
is "as many as here" "$(find "$base/store" -mindepth 2 -type f -printf '%n %P\n' | sort)" \
	"$(find "$store" -mindepth 2 -not -path '*/.*' -type f -printf '%n %P\n' | sort)"
ok "holes are holes there" [ "$(stat -c '%b' "$base/store/$first/p1-lvm.raw")" -lt 4096 ]
is "folders 0700, files 0400" "$(find "$base/store" -mindepth 1 -printf '%y%m\n' -name 'ledger*' -o -true | sort -u | grep -v f600 | tr '\n' ' ')" "d700 f400 "
cp "$VMFSKIT" "$TMP/bin/vmfskit"
chmod 755 "$TMP/bin/vmfskit"
ok "verify there, by that account" as_account "$TMP/bin/vmfskit" verify --store "$base/store"
proven() { # NAME: what the other machine has is what was signed here
	cp "$base/ledger/ledger.head.$(wc -l <"$store/ledger.jsonl")" "$TMP/anchor"
	cp "$base/ledger/ledger.head.$(wc -l <"$store/ledger.jsonl").sig" "$TMP/anchor.sig"
	chmod 644 "$TMP"/anchor*
	ok "$1: there, with the public key, the ledger and the head that came" as_account "$TMP/bin/vmfskit" verify --ledger \
		--public-key "$TMP/sign.pub" --anchor "$TMP/anchor" --store "$base/store"
	hasnt "$1: nothing to tell" "$OUT" 'signature\.|ledger\.[a-z]*-'
}
is "each capture came with its signature" "$(find "$base/store" -name manifest.json.sig | wc -l)" 4
proven "the first push"
openssl genpkey -algorithm ed25519 -out "$TMP/other.pem" 2>/dev/null && openssl pkey -in "$TMP/other.pem" -pubout -out "$TMP/other.pub"
chmod 644 "$TMP/other.pub"
exits "with another key it is not" 1 as_account "$TMP/bin/vmfskit" verify --ledger --public-key "$TMP/other.pub" --store "$base/store"
has "with another key: says so" "$OUT" 'signature\.'
put_state() { state >"$TMP/state"; }
# verify writes into the ledger there; the next push makes it again what it is here
ok "push after a verify there" push "$store"
put_state
ok "push again" push "$store"
quiet "push again: says nothing"
unchanged "push again: nothing changed"

# the next night: what is linked is not sent again
mkdir "$TMP/counting"
cat >"$TMP/counting/ssh" <<SH
#!/bin/bash
exec 3<&0
exec $(command -v ssh) "\$@" < <(tee >(wc -c >"$TMP/sent") <&3)
SH
chmod +x "$TMP/counting/ssh"
cp -a "$store" "$TMP/store.before"
sleep 1.1
"$LAB" beat "$TMP/a.img" >/dev/null 2>&1
night
link_to_last
tell_ledger
SSH_BIN=$TMP/counting ok "the next night" push "$store"
quiet "the next night: says nothing"
is "the next night: is there" "$(diff -r -x '.*' "$store" "$base/store" 2>&1)" ""
is "the next night: linked to what was there" "$(inode "$base/store/$(newest a)/p1-lvm.raw")" "$(inode "$base/store/$first/p1-lvm.raw")"
sent=$(sent)
ok "the next night: little was sent ($sent bytes)" [ "$sent" -lt 200000 ]
is "the ledger there is the one here" "$(cat "$base/store/ledger.jsonl")" "$(cat "$store/ledger.jsonl")"
proven "the next night"
ok "push after that verify" push "$store"
same "push after that verify: the ledger is the sender's" "$base/store/ledger.jsonl" "$store/ledger.jsonl"
is "old heads stay" "$(ls "$base/ledger" | grep -c '^ledger.head.[0-9]*$')" 2
put_state

# what the key cannot do
ssh_raw() { ssh -F none -T -p "$port" -i "$key" -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile="$etc/vmfskit/push_known_hosts" \
	-o StrictHostKeyChecking=yes "$@"; }
to=$account@127.0.0.1
for command in "" "sh" "id" "cat $base/store/$first/manifest.json" "rm -rf $base/store" "rsync --server --sender -logDtpre.iLsfxCIvu . ." \
	"rsync --server --sender -WHtrSze.LsfxCIvu --timeout=600 . ." "rsync --server -vlogDtpre.iLsfxCIvu . ." \
	"rsync --server -WHtrSze.LsfxCIvu --timeout=600 . /" "rsync --server -WHtrSze.LsfxCIvu --timeout=600 . ..; id" \
	"rsync --server -WHtrSze.LsfxCIvu --timeout=600 --delete . ." "rsync --server -WHtrSze.LsfxCIvu --inplace . ." \
	"rsync --server -WHtrSze.\$(id>/tmp/x) --timeout=600 . ." "rsync --server -WHtrSSe.LsfxCIvu --timeout=600 . ." \
	"rsync --server -pWHtrSze.LsfxCIvu --timeout=600 . ." "rsync --server --daemon ." "internal-sftp" "scp -f $base/store/$first/head.raw" \
	"scp -t $base/store/$first/head.raw" "vmfskit-receive /"; do
	exits "the key does not run: ${command:-a shell}" 3 ssh_raw "$to" $command
	is "and hands nothing out" "$(cat "$OUT")" ""
done
run ssh_raw -tt "$to"
has "no terminal" "$ERR" 'PTY allocation request failed'
exits "no sftp subsystem" 3 ssh_raw -s "$to" sftp
mkdir "$TMP/loot"
run rsync -r -e "ssh -F none -p $port -i $key -o BatchMode=yes -o UserKnownHostsFile=$etc/vmfskit/push_known_hosts" "$to:store/" "$TMP/loot/"
ok "rsync cannot read back" [ "$CODE" -ne 0 ]
run scp -O -F none -P "$port" -i "$key" -o BatchMode=yes -o UserKnownHostsFile="$etc/vmfskit/push_known_hosts" "$to:store/$first/head.raw" "$TMP/loot/"
run scp -s -F none -P "$port" -i "$key" -o BatchMode=yes -o UserKnownHostsFile="$etc/vmfskit/push_known_hosts" "$to:store/$first/head.raw" "$TMP/loot/"
is "nothing came" "$(ls -A "$TMP/loot")" ""
run timeout 10 ssh -F none -p "$port" -i "$key" -o BatchMode=yes -o UserKnownHostsFile="$etc/vmfskit/push_known_hosts" -o ExitOnForwardFailure=yes \
	-W "127.0.0.1:$port" "$to" </dev/null
ok "no forwarding to elsewhere" [ "$CODE" -ne 0 ]
hasnt "no forwarding: nothing came through" "$OUT" 'SSH-2'
run timeout 10 ssh -F none -N -p "$port" -i "$key" -o BatchMode=yes -o UserKnownHostsFile="$etc/vmfskit/push_known_hosts" -o ExitOnForwardFailure=yes \
	-R "0:127.0.0.1:$port" "$to"
ok "no forwarding back ($CODE)" [ "$CODE" -eq 255 ]
unchanged "all of this changed nothing"

# a sender that has been broken into: it uses the command that is allowed
evil=$TMP/evil
fresh() { rm -rf "$evil" && cp -a "$store" "$evil"; }
fresh
chmod u+w "$evil/$first/head.raw"
printf 'altered' | dd of="$evil/$first/head.raw" conv=notrunc status=none
exits "an altered capture" 1 push "$evil"
has "an altered capture: told" "$ERR" "not taken: $first: it is here already, and what was sent is not the same"
unchanged "an altered capture: nothing changed"
fresh
echo more >"$evil/$first/more"
exits "a file more in a capture" 1 push "$evil"
unchanged "a file more: nothing changed"
fresh
rm -rf "${evil:?}/$first" "${evil:?}/$now"/*.raw
ok "captures removed at the sender" push "$evil"
unchanged "removed: they stay there"
fresh
chmod -R 0777 "$evil/$first"
ok "modes changed at the sender" push "$evil"
unchanged "modes: stay as they are"

fresh
touch -d 2001-01-01 "$evil/$first"/*
ok "time stamps changed at the sender" push "$evil"
unchanged "time stamps: stay as they are"

crafted() { # NAME: a capture of a few files with random bytes
	local dir=$1 n
	mkdir "$dir"
	for n in 1 2 3 4 5 6; do head -c 500000 /dev/urandom >"$dir/p1-$n.raw"; done
	echo '{}' >"$dir/manifest.json"
	(cd "$dir" && sha256sum -- * >"$TMP/sums" && mv "$TMP/sums" SHA256SUMS)
	chmod 0400 "$dir"/*
	chmod 0700 "$dir"
}
not_taken() { # NAME WHY
	exits "$1" 1 push "$evil"
	has "$1: told" "$ERR" "not taken: $2"
	unchanged "$1: nothing changed"
}
id=20300101T000000Z-sdx
fresh
crafted "$evil/$id"
chmod u+w "$evil/$id/p1-3.raw"
echo x >>"$evil/$id/p1-3.raw"
not_taken "a new capture with a wrong digest" "$id: its files do not have the digests"
fresh
crafted "$evil/$id"
rm "$evil/$id/p1-3.raw"
not_taken "a file less" "$id: its files are not those"
fresh
crafted "$evil/$id"
echo x >"$evil/$id/surplus"
not_taken "a file that is not in the list" "$id: its files are not those"
fresh
crafted "$evil/$id"
rm "$evil/$id/SHA256SUMS"
not_taken "no list" "$id: it is not whole"
fresh
crafted "$evil/$id"
mkdir "$evil/$id/folder"
not_taken "a folder in it" "$id: it holds what a capture does not hold"
# a list is the client's text: no file that it names is opened, whatever its digest
echo secret >"$there/secret"
chown $uid:$uid "$there/secret"
secret=$(sha256sum "$there/secret" | cut -c 1-64)
zeros=$(printf '%064d' 0)
wrong_id() { printf '203002%02dT000000Z-sdx' "$n"; }
wrong_list() { # NAME WHY SED-SCRIPT LINE...: one more capture of the next push, its list changed, with more lines
	local name=$1 why=$2 script=$3 dir
	shift 3
	n=$((n + 1))
	dir=$evil/$(wrong_id)
	cp -r "$TMP/crafted" "$dir"
	chmod u+w "$dir/SHA256SUMS"
	sed -i "$script" "$dir/SHA256SUMS"
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$dir/SHA256SUMS"
	printf '%s\t%s\t%s\n' "$(wrong_id)" "$name" "$why" >>"$TMP/wrong"
}
no_line='its SHA256SUMS has a line that is not'
fresh
crafted "$TMP/crafted"
n=0
wrong_list "a file elsewhere, and its digest" "$no_line" '' "$secret  $there/secret"
wrong_list "a file elsewhere, and another digest" "$no_line" '' "$zeros  $there/secret"
wrong_list "a device that never ends" "$no_line" '' "$zeros  /dev/zero"
wrong_list "a path upwards" "$no_line" '' "$secret  ../../../secret"
wrong_list "a name that is escaped" "$no_line" '' "\\$secret  ../../../secret"
wrong_list "the form of BSD" "$no_line" '' "SHA256 ($there/secret) = $secret"
wrong_list "digits that are not lower case" "$no_line" '1s/^[0-9a-f]*/\U&/'
wrong_list "a digest too short" "$no_line" '1s/^.//'
wrong_list "one blank" "$no_line" '1s/  / /'
wrong_list "a line without a name" "$no_line" '' "$zeros  "
wrong_list "an empty line" "$no_line" '' ""
wrong_list "a list that is empty" 'its files are not those' 'd'
wrong_list "a file twice" 'its files are not those' '1p'
wrong_list "a file that is not there" 'its files are not those' '' "$zeros  p1-7.raw"
wrong_list "the folder above" 'its files are not those' '' "$zeros  .."
wrong_list "the list itself" 'its files are not those' '' "$zeros  SHA256SUMS"
wrong_list "two digests exchanged" 'its files do not have the digests' '2s/p1-1/p1-x/;3s/p1-2/p1-1/;2s/p1-x/p1-2/'
wrong_list "a list that is too long" 'its SHA256SUMS is too long' '' "$(yes "$zeros  x" | head -n 20000)"
wrong_list "a signature that is none" 'its manifest.json.sig is no signature' '' "$(sha256sum /dev/null | cut -c 1-64)  manifest.json.sig"
: >"$evil/$(wrong_id)/manifest.json.sig"
wrong_list "a signature that is not in the list" 'its files are not those' ''
head -c 64 /dev/urandom >"$evil/$(wrong_id)/manifest.json.sig"
wrong_list "a file longer than any of a capture" 'it holds what a capture does not hold' '' "$zeros  p1-7.raw"
truncate -s 1073741825 "$evil/$(wrong_id)/p1-7.raw"
exits "lists that are wrong" 1 push "$evil"
while IFS=$'\t' read -r wrong name why; do
	has "$name: told" "$ERR" "^vmfskit-receive: not taken: $wrong: $why"
done <"$TMP/wrong"
is "the answer does not tell which digest of a file elsewhere is right" \
	"$(sed -n 's/.*20300201T000000Z-sdx//p' "$ERR")" "$(sed -n 's/.*20300202T000000Z-sdx//p' "$ERR")"
unchanged "lists that are wrong: nothing changed"
# nothing of this was in the way of what is right
fresh
crafted "$evil/$id"
(cd "$evil/$id" && chmod u+w SHA256SUMS && sed -i 's/  / */' SHA256SUMS)
ok "a list of binary files" push "$evil"
is "a list of binary files: is taken" "$(diff -r "$evil/$id" "$base/store/$id" 2>&1)" ""
rm -rf "${base:?}/store/$id"
put_state
fresh
crafted "$evil/$id"
ln -s "$base/store/$first/head.raw" "$evil/$id/link"
run push "$evil"
hasnt "a link in it does not arrive" "$(find "$base" -type l)" .
rm -rf "$base/store/$id"
put_state
fresh
crafted "$evil/20300101T000000Z bad name"
exits "a name that no capture has" 1 push "$evil"
unchanged "a bad name: nothing changed"

# the ledger only grows
fresh
head -n 1 "$store/ledger.jsonl" >"$TMP/short"
cp "$TMP/short" "$evil/ledger.jsonl"
not_taken "a ledger that was cut" "the ledger: it is shorter"
fresh
chmod u+w "$evil/ledger.jsonl"
sed -i '1s/capture/verify!/' "$evil/ledger.jsonl"
not_taken "a ledger that was altered" "the ledger: its beginning is not"
fresh
rm -f "$evil"/ledger.*
ok "no ledger" push "$evil"
unchanged "no ledger: nothing changed"
fresh
chmod u+w "$evil/ledger.head"
echo 'another' >"$evil/ledger.head"
not_taken "another head for the same ledger" "ledger.head: there is another one"
fresh
chmod u+w "$evil/ledger.jsonl"
head -c 300000 /dev/zero >>"$evil/ledger.jsonl"
not_taken "a line that is longer than any of a ledger" "the ledger: its last line is longer"
for file in ledger.head ledger.head.sig; do
	fresh
	echo '{"event":"more"}' >>"$evil/ledger.jsonl"
	head -c 4000 /dev/zero >"$evil/$file"
	cp -a "$base" "$TMP/base.kept"
	exits "$file is too long" 1 push "$evil"
	has "$file is too long: told" "$ERR" "not taken: $file: it does not have the length of one"
	rm -rf "${base:?}" && mv "$TMP/base.kept" "$base"
	put_state
done
fresh
chmod u+w "$evil/ledger.jsonl"
printf '{"event":"torn' >>"$evil/ledger.jsonl"
ok "a torn last line" push "$evil"
unchanged "a torn line is not taken"

# what is noted there does not stand in the way of what comes from here
cp -p "$base/store/ledger.jsonl" "$TMP/ledger.there"
echo '{"event":"verify","host":"there"}' >>"$base/store/ledger.jsonl"
ok "a line that was added there" push "$store"
quiet "a line that was added there: no obstacle"
same "a line that was added there: the ledger is the sender's again" "$base/store/ledger.jsonl" "$TMP/ledger.there"
put_state

# a client that speaks rsync's protocol as it likes: whatever it makes of the folder that rsync may write into
mkdir "$TMP/hostile"
cat >"$TMP/hostile/rsync" <<SH
#!/bin/sh
for f in */*; do [ ! -f "\$f" ] || { rm -f "\$f"; echo evil >"\$f"; }; done
mkdir -p $id/x && ln -s ../store store && ln -s ../../store/$first "$id/y" && mkfifo "$id/p"
ln -s ../../store 20300101T000001Z-z
mv $first 20300101T000002Z-moved; rm -rf $now
ln -s ../../ledger/ledger.jsonl ledger.jsonl; touch ledger.head "a
b"
exit 0
SH
chmod 755 "$TMP/hostile" "$TMP/hostile/rsync"
sed "s|PATH=|PATH=$TMP/hostile:|; s|patience=900|patience=1|" "$TMP/bin/vmfskit-receive" >"$TMP/hostile/vmfskit-receive"
chmod 755 "$TMP/hostile/vmfskit-receive"
hostile() { as_account env SSH_ORIGINAL_COMMAND="rsync --server -WHtrSze.LsfxCIvu --timeout=600 . ." \
	timeout 60 "$TMP/hostile/vmfskit-receive" "$base"; }
exits "a hostile client" 65 hostile
unchanged "a hostile client: nothing changed"
nothing_left() { is "$1: nothing is left" "$(ls -A "$base" | tr '\n' ' ')" ".lock ledger store "; }
nothing_left "a hostile client"
ok "after all this, a push" push "$store"
quiet "after all this, a push: says nothing"
unchanged "after all this: nothing changed"
# folders that are closed to us, files that are none in the places of the list and the manifest, far too many, a name of two lines, a link
# to the very file of the store in its place
cat >"$TMP/hostile/rsync" <<SH
#!/bin/sh
mkdir $id ${id}2 ${id}3 ${id}4 ${id}5 "1
.." ${id}6 ${id}6/x && mkfifo $id/SHA256SUMS && echo {} >$id/manifest.json
ln -s /dev/zero ${id}2/SHA256SUMS && echo {} >${id}2/manifest.json
ln -s /dev/zero ${id}3/manifest.json && (cd ${id}3 && sha256sum /dev/null | sed 's, .*,  manifest.json,' >SHA256SUMS)
ln -sf ../../store/$first/head.raw $first/head.raw
ulimit -f >&2
(cd ${id}4 && seq 5000 | xargs touch) && chmod 0 ${id}5 ${id}6/x && chmod 500 ${id}6
exit 0
SH
exits "folders that are none" 65 hostile
unchanged "folders that are none: nothing changed"
nothing_left "folders that are none"
has "folders that are none: not even a link to the same bytes" "$ERR" "not taken: $first: it is here already"
has "and no file of rsync's gets longer than 2 GiB" "$ERR" '^4194304$'
for kind in "" 2 3 4 5 6; do has "folders that are none: $id$kind" "$ERR" "not taken: $id$kind: it (holds what|is not|cannot be)"; done
# the same, from a client that then cuts the line off
sed -i 's/^exit 0/touch .x ${id}4\/.p1-1.raw.Ab12Cd; ln -s \/ 7; mkfifo 8; chmod 500 .; exit 12/' "$TMP/hostile/rsync"
exits "folders that are none, then cut off" 12 hostile
unchanged "then cut off: nothing changed"
exits "then cut off: the next push drops them" 1 push "$store"
unchanged "then cut off: and changes nothing"
ok "then cut off: the one after it" push "$store"
quiet "then cut off: the one after it: says nothing"
unchanged "then cut off: all is as it was"
# a file of somebody else, left by whatever means
mkdir "$base/incoming"
cp -r "$TMP/crafted" "$base/incoming/$id"
chown -R $uid:$uid "$base/incoming"
chown 0:0 "$base/incoming/$id/p1-1.raw"
chmod 444 "$base/incoming/$id/p1-1.raw"
printf '#!/bin/sh\nexit 0\n' >"$TMP/hostile/rsync"
exits "a file of somebody else" 65 hostile
has "a file of somebody else: told" "$ERR" "not taken: $id: it holds what a capture does not hold"
nothing_left "a file of somebody else"
# a file that takes for ever to read: the folder is dropped, the others are taken
cat >"$TMP/hostile/rsync" <<SH
#!/bin/sh
cp -r "$TMP/slow" $id && cp -r "$TMP/quick" ${id}2
SH
crafted "$TMP/slow"
crafted "$TMP/quick"
mv "$TMP/slow/p1-6.raw" "$TMP/slow/p1-slow.raw"
sed -i 's/p1-6/p1-slow/' "$TMP/slow/SHA256SUMS"
printf '#!/bin/sh\ncase "$*" in *slow*) exec sleep 600 ;; esac\nexec %s "$@"\n' "$(command -v sha256sum)" >"$TMP/hostile/sha256sum"
chmod 755 "$TMP/hostile/sha256sum"
chmod -R a+rX "$TMP/slow" "$TMP/quick"
exits "digests that take for ever" 65 hostile
has "digests that take for ever: told" "$ERR" "not taken: $id: its digests could not be made within"
is "digests that take for ever: the others are taken" "$(ls -d "$base/store/$id"*)" "$base/store/${id}2"
nothing_left "digests that take for ever"
# a program that fails there: what is not known to be sound is not taken
printf '#!/bin/sh\nexit 1\n' >"$TMP/hostile/sha256sum"
exits "digests that cannot be made" 65 hostile
has "digests that cannot be made: told" "$ERR" "not taken: $id: its files cannot be read"
printf '#!/bin/sh\nexit 0\n' >"$TMP/hostile/sha256sum"
exits "digests of which nothing is said" 65 hostile
has "digests of which nothing is said: told" "$ERR" "not taken: $id: its files do not have the digests"
is "nor is it there" "$(ls -d "$base/store/$id"*)" "$base/store/${id}2"
rm -rf "$base/store/${id}2"
put_state

# cut off in the middle
for n in 3 4 5; do crafted "$store/2030010${n}T000000Z-sdx"; done
link_of=$store/20300105T000000Z-sdx/p1-1.raw
ln -f "$store/20300103T000000Z-sdx/p1-1.raw" "$link_of"
(cd "$store/20300105T000000Z-sdx" && chmod u+w SHA256SUMS && sha256sum p1-* manifest.json >SHA256SUMS && chmod 0400 SHA256SUMS)
mkdir "$TMP/cutting" "$TMP/stalling"
cat >"$TMP/cutting/ssh" <<SH
#!/bin/bash
exec 3<&0
exec $(command -v ssh) "\$@" < <(stdbuf -o0 head -c 4000000 <&3)
SH
cat >"$TMP/stalling/ssh" <<SH
#!/bin/bash
exec 3<&0
exec $(command -v ssh) "\$@" < <(stdbuf -o0 head -c 2500000 <&3; touch "$TMP/stalled"; exec sleep 60)
SH
chmod +x "$TMP/cutting/ssh" "$TMP/stalling/ssh"
SSH_BIN=$TMP/stalling setsid bash -c 'exec "$@"' bash env PATH="$TMP/stalling:$TMP/bin:$PATH" vmfskit-push --store "$store" >/dev/null 2>&1 &
pushing=$!
for _ in $(seq 100); do
	[ -e "$TMP/stalled" ] && break
	sleep 0.1
done
ok "a push that is under way" [ -e "$TMP/stalled" ]
sleep 0.5
exits "a second one beside it" 4 push "$store"
has "a second one: says why" "$ERR" 'another push into this folder is under way'
kill -KILL -- "-$pushing"
{ wait "$pushing"; } 2>/dev/null
unchanged "killed: nothing changed in the store"
released() {
	for _ in $(seq 100); do
		flock -n "$base/.lock" true && return
		sleep 0.1
	done
	return 1
}
ok "killed: the receiver gives up, too" released
ok "killed: what came stays" [ "$(find "$base/incoming" -name 'p1-*.raw' -path '*/203*' | wc -l)" -gt 2 ]
# what rsync itself leaves when it is killed, and what belongs to nothing
left=$(ls -d "$base/incoming"/203* | head -n 1)
touch "$left/.p1-1.raw.Ab12Cd" && mkfifo "$left/pipe"
SSH_BIN=$TMP/cutting exits "cut off" 4 push "$store"
has "cut off: says so" "$ERR" 'the next push sends the rest'
unchanged "cut off: nothing changed in the store"
ok "cut off: gives up" released
rm -f "$TMP/sent"
SSH_BIN=$TMP/counting ok "the next push" push "$store"
quiet "the next push: says nothing"
is "the next push: all is there" "$(diff -r -x '.*' "$store" "$base/store" 2>&1)" ""
is "the next push: links are links" "$(inode "$base/store/20300105T000000Z-sdx/p1-1.raw")" "$(inode "$base/store/20300103T000000Z-sdx/p1-1.raw")"
sent=$(sent)
ok "the next push: what came before was not sent again ($sent of 8500000 bytes)" [ "$sent" -lt 6000000 ]
hasnt "the next push: leaves nothing behind" "$(ls -A "$base" | tr '\n' ' ')" incoming

# setting it up, and settings
ok "there" push "$store" --there
has "there: the line for the key" "$OUT" "^line='restrict,command=\"/usr/local/bin/vmfskit-receive /srv/vmfskit/$(uname -n)\" ssh-ed25519 "
# the other machine, with its places in this test; twice
sed -e "s|/srv/vmfskit|$TMP/srv|g" -e "s|/usr/local/bin/vmfskit-receive|$TMP/local/vmfskit-receive|g" "$OUT" >"$TMP/there.sh"
mkdir -p "$TMP/local"
for time in once twice; do
	ok "there: run $time" sh "$TMP/there.sh"
	has "there: run $time: says so" "$OUT" "^ready: $account receives the captures of $(uname -n) in $TMP/srv/$(uname -n)\$"
done
# the script is run with its places replaced, those of the receiving end, too
is "there: the receiving end" "$(sed "s|$TMP/local/vmfskit-receive|/usr/local/bin/vmfskit-receive|g; s|$TMP/srv|/srv/vmfskit|g" "$TMP/local/vmfskit-receive" | sha256sum)" \
	"$(sha256sum <"$TMP/share/vmfskit/vmfskit-receive")"
is "there: the key once, and not the account's to change" "$(grep -c . "$TMP/srv/.ssh/authorized_keys") $(stat -c '%U %a' "$TMP/srv/.ssh/authorized_keys")" "1 root 644"
is "there: a folder for this host" "$(stat -c '%U %a' "$TMP/srv/$(uname -n)")" "$account 700"
# step 1, of which a key scan that brings nothing must be the end
step_one() { sed -n "/^sh -eu <<'STEP'/,/^STEP/p" "$1" | sed '1d;$d'; }
printf 'target = %s\nport = %s\nknown-hosts = %s/scanned\nkey = %s/made_key\n' "$to" 1 "$TMP" "$TMP" >"$TMP/scan.conf"
run push "$store" --config "$TMP/scan.conf" --setup
cp "$OUT" "$TMP/setup"
ok "setup: can be pasted" sh -n "$TMP/setup"
step_one "$TMP/setup" | sed "s|$TMP/scan.conf|$TMP/made.conf|" >"$TMP/step"
exits "setup: a machine that does not answer" 1 sh -eu "$TMP/step"
has "setup: a machine that does not answer: says so" "$ERR" '^stopped: no ed25519 key came from 127\.0\.0\.1, port 1: is sshd running there\?$'
is "setup: a machine that does not answer: no configuration, no known key" "$(ls "$TMP/made.conf" "$TMP/scanned" "$TMP/scanned.new" 2>/dev/null)" ""
sed -i "s|-p 1 |-p $port |; s|port = %s|&|; s|'1' >|'$port' >|" "$TMP/step"
ok "setup: one that answers" sh -eu "$TMP/step"
is "setup: one that answers: its key" "$(cut -d ' ' -f 2- "$TMP/scanned")" "$(cut -d ' ' -f 1,2 "$TMP/host_key.pub")"
is "setup: one that answers: where to" "$(cat "$TMP/made.conf")" "target = $to
port = $port"
rm "$TMP/made_key.pub"
exits "there, before step 1" 4 push "$store" --config "$TMP/scan.conf" --there
has "there, before step 1: what to do" "$ERR" 'there is no key yet; step 1 of vmfskit-push --setup makes it$'
rm "$etc/vmfskit/push.conf"
exits "no configuration" 2 push "$store"
has "no configuration: says what to do" "$ERR" 'vmfskit-push --setup'
ok "there with an account" push "$store" --there backup@vault.example.org
has "there with an account: in the script" "$OUT" '^id backup >/dev/null 2>&1 || useradd .* backup$'
ok "setup with an account" push "$store" --setup backup@vault.example.org
has "setup with an account: one command for the other machine" "$OUT" '^vmfskit-push --there backup@vault\.example\.org | ssh -p 22 root@vault\.example\.org sh$'
for bad in 'no-account' '-oProxyCommand=id@x' 'a@b c'; do
	printf 'target = %s\n' "$bad" >"$etc/vmfskit/push.conf"
	exits "target $bad" 2 push "$store"
done
printf 'target = %s\nport = %s\n' "$to" "$port" >"$etc/vmfskit/push.conf"
exits "no store" 4 push "$TMP/nosuch"
printf 'store = %s\n' "$store" >"$etc/vmfskit/vmfskit.conf"
ok "the store is that of vmfskit.conf" env PATH="$TMP/bin:$PATH" vmfskit-push
printf 'store = "%s" # in quotes\n' "$store" >"$etc/vmfskit/vmfskit.conf"
ok "the store of vmfskit.conf, in quotes" env PATH="$TMP/bin:$PATH" vmfskit-push
ssh-keygen -q -t ed25519 -N '' -f "$TMP/other_key"
printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d ' ' -f 1,2 "$TMP/other_key.pub")" >"$etc/vmfskit/push_known_hosts"
exits "another machine in its place" 4 push "$store"
