#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Debian package: what is in it, then installed, one night by hand, removed and purged in a fresh Debian.
. "$(dirname "$0")/../lib.sh"
cd "$ROOT" || exit 1
case $BUILD in
*/asan) skip "the package" "done in the ordinary pass"; exit 0 ;;
esac
need dpkg-deb dpkg-shlibdeps

# beside the build, not in it: others may make one there at the same time
mkdir "$TMP/build"
ok "make deb" make -s BUILD="$BUILD" DEB_DIR="$TMP/build" deb-run
deb=$(tail -n 1 "$OUT")
ok "it is there" test -s "$deb"
mkdir "$TMP/again"
ok "make deb again" make -s BUILD="$BUILD" DEB_DIR="$TMP/again" deb-run
lab=${deb%/*}/vmfskit-lab_${deb##*/vmfskit_}
for file in "$deb" "$lab"; do same "${file##*/}: the same bytes" "$file" "$TMP/again/${file##*/}"; done

dpkg-deb -x "$deb" "$TMP/x" && dpkg-deb -e "$deb" "$TMP/x/DEBIAN"
for file in usr/bin/vmfskit usr/bin/vmfskit-push usr/share/vmfskit/vmfskit-nightly usr/share/vmfskit/vmfskit-receive \
	usr/share/man/man1/vmfskit.1.gz usr/share/doc/vmfskit/copyright usr/share/doc/vmfskit/changelog.gz etc/cron.daily/vmfskit \
	usr/share/vmfskit/vmfskit.conf lib/systemd/system/vmfskit.service lib/systemd/system/vmfskit.timer; do
	ok "holds $file" test -s "$TMP/x/$file"
done
is "nothing in the store's place" "$(find "$TMP/x/var" 2>/dev/null)" ""
is "dpkg asks about scripts of cron at most, and never about the configuration" "$(sort "$TMP/x/DEBIAN/conffiles")" "/etc/cron.daily/vmfskit
/etc/cron.weekly/vmfskit"
is "the configuration is made by postinst" "$(find "$TMP/x/etc/vmfskit" 2>/dev/null)" ""
has "needs the libraries" "$TMP/x/DEBIAN/control" '^Depends: .*libjansson4.*libssl3'
has "control" "$TMP/x/DEBIAN/control" '^Version: [0-9]'
ok "the digests are those of the files" bash -c "cd '$TMP/x' && md5sum --quiet -c DEBIAN/md5sums"
ok "the program runs" "$TMP/x/usr/bin/vmfskit" --version
is "no path of this machine" "$(grep -rl -e "$ROOT" -e "$TMP" "$TMP/x" | sed "s|^$TMP/x/||")" ""
for script in postinst prerm postrm; do ok "$script: sh can read it" sh -n "$TMP/x/DEBIAN/$script"; done

# practice disks are a package of their own
dpkg-deb -x "$lab" "$TMP/l" && dpkg-deb -e "$lab" "$TMP/l/DEBIAN"
for file in usr/bin/vmfskit-lab usr/share/man/man1/vmfskit-lab.1.gz usr/share/man/man1/vmfskit-lab-break.1.gz \
	usr/share/bash-completion/completions/vmfskit-lab usr/share/doc/vmfskit-lab/copyright usr/share/doc/vmfskit-lab/changelog.gz; do
	ok "the lab's holds $file" test -s "$TMP/l/$file"
done
is "the lab is in its own package only" "$(cd "$TMP/x" && find . -name 'vmfskit-lab*')" ""
is "no file is in both" "$(for d in x l; do (cd "$TMP/$d" && find . -path ./DEBIAN -prune -o -type f -print); done | sort | uniq -d)" ""
is "the lab has no configuration and no scripts" "$(cd "$TMP/l/DEBIAN" && ls)" "control
md5sums"
has "the lab needs the C library" "$TMP/l/DEBIAN/control" '^Depends: .*libc6'
has "the lab takes its place from older packages" "$TMP/l/DEBIAN/control" '^Replaces: vmfskit \(<< '
ok "the lab's digests are those of the files" bash -c "cd '$TMP/l' && md5sum --quiet -c DEBIAN/md5sums"
ok "the lab runs" "$TMP/l/usr/bin/vmfskit-lab" --version

need_root "a fresh Debian"
# in_root COMMAND...: as in an installed system without systemd
in_root() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
# what is there, but for the folders that make uninstall leaves in /usr/local
tree() { (cd "$root" && find . -path ./var -prune -o -path ./proc -prune -o -path ./dev -prune -o -path './usr/local/*' -type d -o -print | sort); }
live() { # what is there after install, one night, removal, purge
	local exec_start before
	before=$(tree)
	cp "$deb" "$root/vmfskit.deb"
	# what make install left there, with a line of the administrator's
	make -s BUILD="$BUILD" DESTDIR="$root" PREFIX=/usr/local install >/dev/null
	echo "jobs = 3" >>"$root/etc/vmfskit/vmfskit.conf"
	cp "$root/etc/vmfskit/vmfskit.conf" "$TMP/conf"
	# nobody answers
	ok "$1: install over make install" in_root dpkg -i /vmfskit.deb </dev/null
	hasnt "$1: install: nothing is asked" "$OUT" 'What would you like to do|conffile'
	has "$1: install: the other program is named" "$OUT" '^vmfskit: /usr/local/bin/vmfskit, from make install, is found before'
	same "$1: install: the configuration is as it was" "$root/etc/vmfskit/vmfskit.conf" "$TMP/conf"
	ok "$1: make uninstall then" make -s BUILD="$BUILD" DESTDIR="$root" PREFIX=/usr/local uninstall
	same "$1: make uninstall: the configuration is as it was" "$root/etc/vmfskit/vmfskit.conf" "$TMP/conf"
	is "$1: make uninstall: the package is whole" "$(in_root dpkg -V vmfskit)" ""
	ok "$1: installed anew" in_root dpkg -i /vmfskit.deb </dev/null
	same "$1: installed anew: the configuration is as it was" "$root/etc/vmfskit/vmfskit.conf" "$TMP/conf"
	rm "$root/etc/vmfskit/vmfskit.conf"
	ok "$1: installed without a configuration" in_root dpkg -i /vmfskit.deb </dev/null
	same "$1: it gets one" "$root/etc/vmfskit/vmfskit.conf" "$ROOT/cron/vmfskit.conf"
	rm "$root/vmfskit.deb"
	is "$1: no timer is enabled" "$(find "$root/etc/systemd" -name 'vmfskit*' 2>/dev/null)" ""
	# a disk instead of those of this machine
	mkdir -p "$root/srv/disks"
	"$LAB" make --label night "$root/srv/disks/lun" >/dev/null
	exec_start=$(sed -n 's/^ExecStart=//p' "$root/lib/systemd/system/vmfskit.service")
	has "$1: the unit's line" "$exec_start" '^/usr/share/vmfskit/vmfskit-nightly --no-push daily$'
	if "$VMFSKIT" capture --help | grep -q -- --dev-dir; then
		echo "dev-dir = /srv/disks" >>"$root/etc/vmfskit/vmfskit.conf"
		# shellcheck disable=SC2086
		exits "$1: one night" 1 in_root $exec_start
		has "$1: one night: tells what is new" "$OUT" 'lun: new'
		has "$1: one night: a capture" "$(ls "$root/var/lib/vmfskit")" '^[0-9]{8}T[0-9]{6}Z-lun'
		# shellcheck disable=SC2086
		ok "$1: a second night" in_root $exec_start
		is "$1: a second night: says nothing" "$(cat "$OUT" "$ERR")" ""
		ok "$1: the same from cron.daily" in_root run-parts /etc/cron.daily --regex '^vmfskit$'
		if "$VMFSKIT" verify --help | grep -q -- --ledger; then
			ok "$1: the week" in_root /etc/cron.weekly/vmfskit
			is "$1: the week: says nothing" "$(cat "$OUT" "$ERR")" ""
		fi
	else
		ok "$1: a capture" in_root vmfskit capture /srv/disks/lun
	fi
	ok "$1: verify" in_root vmfskit verify
	find "$root/var/lib/vmfskit" -type f | sort >"$TMP/captures"
	ok "$1: remove" in_root dpkg -r vmfskit
	ok "$1: removed: the configuration stays" test -e "$root/etc/vmfskit/vmfskit.conf"
	ok "$1: removed: what is left for cron" in_root /etc/cron.daily/vmfskit
	is "$1: removed: and it says nothing" "$(cat "$OUT" "$ERR")" ""
	touch "$root/etc/vmfskit/push_key"
	ok "$1: purge" in_root dpkg -P vmfskit
	rm -r "$root/srv/disks"
	is "$1: purged: nothing is left" "$(tree | diff <(echo "$before") -)" ""
	is "$1: purged: dpkg knows nothing of it" "$(ls "$root/var/lib/dpkg/info" | grep vmfskit)" ""
	is "$1: purged: the captures are all there" "$(find "$root/var/lib/vmfskit" -type f | sort)" "$(cat "$TMP/captures")"
	ok "$1: purged: there are captures" test -s "$TMP/captures"
}

# a network is not a condition of the tests: where there is no mirror, this much is said
root=$TMP/root
mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' 2>/dev/null | awk '$2 !~ /-/ { print; exit }')
release=${mirror#* } site=${mirror%% *}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
if ! PATH=$PATH:/usr/sbin command -v debootstrap >/dev/null || [ -z "$site" ]; then
	skip "a fresh Debian" "there is no debootstrap, or apt has no mirror"
	exit 0
fi
libraries=$(sed -n 's/^Depends: //p' "$TMP/x/DEBIAN/control" | sed 's/ *([^)]*)//g; s/, /,/g')
# what debootstrap mounts is gone with its namespace; in a chroot there can be none, and it unmounts by itself
apart=(unshare -m)
"${apart[@]}" true 2>/dev/null || apart=()
if ! PATH=$PATH:/usr/sbin timeout 800 "${apart[@]}" debootstrap --variant=minbase ${libraries:+--include=$libraries} \
	$([ -r $keyring ] && echo "--keyring=$keyring") "$release" "$root" "$site" >"$TMP/debootstrap.log" 2>&1; then
	if grep -qiE 'Failed getting release file|Couldn.t download|timed? ?out' "$TMP/debootstrap.log"; then
		skip "a fresh Debian" "the mirror cannot be reached"
	else
		fail "debootstrap" "$(tail -n 20 "$TMP/debootstrap.log")"
	fi
	exit
fi
live "fresh $release"
