#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is said and done about missing packages, on systems made of stand-ins for dpkg-query, apt-get, id and sudo.
. "$(dirname "$0")/../lib.sh"
deps=$ROOT/src/tools/deps.sh

mkdir "$TMP/bin"
for tool in bash sh env head grep sed cat printf tr mktemp tail rm; do ln -s "$(command -v "$tool")" "$TMP/bin/$tool"; done
stand_in() { printf '#!/bin/sh\n%s\n' "$2" >"$TMP/bin/$1" && chmod +x "$TMP/bin/$1"; }
# $TMP/absent: names of packages that are missing
# shellcheck disable=SC2016
stand_in dpkg-query 'for last; do :; done
grep -qxF -e "$last" "'"$TMP"'/absent" && exit 1
echo "ii "'
stand_in apt-get 'echo "apt-get $*" >>"'"$TMP"'/calls"; [ ! -e "'"$TMP"'/broken" ]'
stand_in id 'echo 0'
: >"$TMP/absent"
: >"$TMP/calls"
look() { TMPDIR=$TMP PATH=$TMP/bin "$(command -v bash)" "$deps" "$@"; }

ok "nothing missing" look build check fuzz tidy bench deb
is "nothing missing: says nothing" "$(cat "$OUT" "$ERR")" ""
is "nothing missing: calls nothing" "$(cat "$TMP/calls")" ""
exits "unknown purpose" 2 look nosuch

printf 'libjansson-dev\njq\n' >"$TMP/absent"
ok "missing, as root" look build check
has "says which and why" "$OUT" '^  libjansson-dev +JSON'
has "says which and why, of the second list" "$OUT" '^  jq +reads the JSON'
hasnt "does not name what is there" "$OUT" 'libssl-dev'
is "refreshes the lists, then installs" "$(cat "$TMP/calls")" "apt-get -qq update
apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install libjansson-dev jq"
ok "said before it is done" [ "$(grep -n 'will be installed' "$OUT" | cut -d : -f 1)" -lt "$(grep -n 'Installed' "$OUT" | cut -d : -f 1)" ]

printf 'pkgconf\n' >"$TMP/absent"
: >"$TMP/calls"
ok "one of two names is enough" look build
is "one of two names is enough: calls nothing" "$(cat "$TMP/calls")" ""

printf 'gcc\n' >"$TMP/absent"
: >"$TMP/broken"
exits "apt-get fails" 1 look build
has "apt-get fails: where all is that it said" "$ERR" "^All that apt-get said is in $TMP/vmfskit-packages\.[A-Za-z0-9]+\$"
has "apt-get fails: the line to type" "$ERR" 'as root: apt-get update && apt-get install gcc$'
rm "$TMP/broken"

stand_in id 'echo 1000'
: >"$TMP/calls"
exits "not root, no sudo" 1 look build
has "not root, no sudo: the line to type" "$ERR" 'As root: apt-get update && apt-get install gcc$'
is "not root, no sudo: calls nothing" "$(cat "$TMP/calls")" ""
# shellcheck disable=SC2016
stand_in sudo 'echo sudo >>"'"$TMP"'/calls"; exec "$@"'
ok "not root, with sudo" look build
is "not root, with sudo: uses it" "$(grep -c '^sudo$' "$TMP/calls")" 2

# a package that would bring a listening server with it
: >"$TMP/calls"
stand_in systemctl 'echo "systemctl $*" >>"'"$TMP"'/calls"'
is "openssh-server is among what check wants" "$(grep -c '"openssh-server:' "$ROOT/src/tools/deps.sh")" 1
echo openssh-server >"$TMP/absent"
run look check
is "its service neither runs nor is enabled" "$(grep -o '^systemctl [a-z]*\|^apt-get -qq -y' "$TMP/calls" | tr '\n' ' ')" \
	"systemctl mask apt-get -qq -y systemctl unmask systemctl disable "
rm "$TMP/bin/systemctl"

rm "$TMP/bin/apt-get" "$TMP/bin/dpkg-query"
exits "no Debian" 1 look build
has "no Debian: says so, and what is needed" "$ERR" 'no Debian'
has "no Debian: the packages" "$ERR" 'gcc libc6-dev'
export VMFSKIT_NO_DEPS=1
ok "no Debian, told not to look" look build
unset VMFSKIT_NO_DEPS

# what is long is told in one line, and a failure in its last lines
quietly() { TMPDIR=$TMP "$ROOT/src/tools/quietly.sh" "$@"; }
ok "quietly" quietly Compiling seq 1000
has "quietly: one line" "$(cat "$OUT" "$ERR")" '^Compiling \.\.\. done in [0-9]+ s\.$'
exits "quietly, and it fails" 3 quietly Compiling bash -c 'seq 1000; exit 3'
is "quietly, and it fails: the last lines" "$(sed -n '2p;21p' "$ERR" | tr '\n' ' ')" "981 1000 "
is "quietly, and it fails: where all is" "$(wc -l <"$(sed -n 's/^All that was said is in //p' "$ERR")")" 1000

# the Makefile is read without compiler, pkg-config and git
ln -s "$(command -v make)" "$(command -v find)" "$(command -v nproc)" "$TMP/bin/"
make_bare() { (cd "$ROOT" && PATH=$TMP/bin make -n BUILD="$TMP/none" "$@"); }
ok "make -n deps on a bare system" make_bare deps
is "make on a bare system: no complaint" "$(cat "$ERR")" ""
ok "make -n demo on a bare system" make_bare demo
is "make demo on a bare system: no complaint" "$(grep -v '^make' "$ERR")" ""
