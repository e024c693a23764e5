#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What works at night: silent when nothing happened, an alarm when something did, and never twice.
. "$(dirname "$0")/../lib.sh"
cd "$ROOT" || exit 1

mkdir "$TMP/bin" "$TMP/installed" "$TMP/etc" "$TMP/etc/vmfskit" "$TMP/share" "$TMP/share/vmfskit"
put() { # FILE AS: as make install does
	sed -e "s|@BINDIR@|$TMP/installed|g" -e "s|@DATADIR@|$TMP/share|g" -e "s|@SHARES@|$TMP/nowhere $TMP/share $TMP/later|g" -e "s|@SYSCONFDIR@|$TMP/etc|g" "$1" >"$2" && chmod 755 "$2"
}
put cron/vmfskit-nightly "$TMP/share/vmfskit/vmfskit-nightly"
put cron/vmfskit.cron.daily "$TMP/daily"
put cron/vmfskit.cron.weekly "$TMP/weekly"
stand_in() { printf '#!/bin/sh\n%s\n' "$2" >"$TMP/bin/$1" && chmod 755 "$TMP/bin/$1"; }
# what vmfskit says and does: $TMP/says.VERB, $TMP/code.VERB
# shellcheck disable=SC2016
stand_in vmfskit 'echo "vmfskit $*${COLUMNS:+ in $COLUMNS columns}" >>"'"$TMP"'/calls"; cat "'"$TMP"'/says.$1" 2>/dev/null; exit "$(cat "'"$TMP"'/code.$1" 2>/dev/null || echo 0)"'
stand_in vmfskit-push 'echo "vmfskit-push $*" >>"'"$TMP"'/calls"; cat "'"$TMP"'/says.push" 2>/dev/null; exit "$(cat "'"$TMP"'/code.push" 2>/dev/null || echo 0)"'
stand_in logger 'echo "$*" >>"'"$TMP"'/syslog"'
stand_in systemctl 'echo "systemctl $*" >>"'"$TMP"'/asked"; [ "$1 $2" = "is-active --quiet" ] && [ -e "'"$TMP"'/timer.$3" ]'
anew() { rm -f "$TMP"/says.* "$TMP"/code.* "$TMP"/timer.*; : >"$TMP/calls"; : >"$TMP/syslog"; : >"$TMP/asked"; }
as_cron() { env -i HOME=/root PATH="$TMP/bin:/usr/bin:/bin" SHELL=/bin/sh $cron_shell "$@"; }
# A busybox may run its own logger and sendmail whatever the PATH says; functions go before them in every shell.
# stand_ins SCRIPT ARGUMENT...: the script with the stand-ins of this test
cat >"$TMP/stand_ins" <<SH
for name in logger sendmail; do
	[ ! -x "$TMP/bin/\$name" ] || eval "\$name() { $TMP/bin/\$name \"\\\$@\"; }"
done
script=\$1
shift
. "\$script"
SH

shells="sh dash bash"
command -v busybox >/dev/null && shells="$shells busybox"
for script in cron/vmfskit* cron/esxi/*.sh cron/debian/p*; do
	case $script in *.conf) continue ;; esac
	for shell in $shells; do
		[ "$shell" = busybox ] && shell="busybox ash"
		# shellcheck disable=SC2086
		command -v ${shell%% *} >/dev/null && ok "$shell can read $script" $shell -n "$script"
	done
done

night_under() {
	anew
	ok "$1: a night" as_cron "$TMP/daily"
	is "$1: says nothing" "$(cat "$OUT" "$ERR")" ""
	is "$1: captures all" "$(cat "$TMP/calls")" "vmfskit capture --all"
	has "$1: is in the log, with its exit code" "$TMP/syslog" '^-t vmfskit -p daemon.info -- vmfskit capture --all: exit code 0, [0-9]+ s$'
	echo "naa.6001: partition 1: end sector: 100 -> 200" >"$TMP/says.capture"
	exits "$1: something changed" 1 as_cron "$TMP/daily"
	is "$1: something changed: what cron mails" "$(cat "$OUT" "$ERR")" "$(uname -n), vmfskit capture --all: something changed (exit code 0)
naa.6001: partition 1: end sector: 100 -> 200"
	for code in 1 3 4 5; do
		echo $code >"$TMP/code.capture"
		: >"$TMP/syslog"
		exits "$1: exit code $code" $code as_cron "$TMP/daily"
		has "$1: exit code $code: is told" "$OUT" "vmfskit capture --all: .*\\(exit code $code\\)\$"
		has "$1: exit code $code: with what was said" "$OUT" '^naa.6001: '
		has "$1: exit code $code: is in the log" "$TMP/syslog" "daemon.err -- vmfskit capture --all: exit code $code,"
	done
	rm "$TMP/says.capture"
	exits "$1: a failure without a word" 5 as_cron "$TMP/daily"
	has "$1: a failure without a word: is told" "$OUT" 'a fault of the program \(exit code 5\)'
}
cron_shell=''
night_under cron
for shell in dash "busybox ash"; do
	command -v "${shell%% *}" >/dev/null || { skip "under $shell" "there is none"; continue; }
	sed "s|^exec \"|exec $shell $TMP/stand_ins \"|" "$TMP/daily" >"$TMP/daily.shell"
	cp "$TMP/daily" "$TMP/daily.kept"
	mv "$TMP/daily.shell" "$TMP/daily"
	chmod 755 "$TMP/daily"
	cron_shell=$shell
	night_under "$shell"
	mv "$TMP/daily.kept" "$TMP/daily"
done
cron_shell=''

anew
touch "$TMP/timer.vmfskit.timer"
echo 4 >"$TMP/code.capture"
ok "a timer that runs" as_cron "$TMP/daily"
is "a timer that runs: nothing is done" "$(cat "$TMP/calls" "$OUT" "$ERR")" ""
ok "the week's timer does not run" as_cron "$TMP/weekly"
has "the week's timer does not run: done" "$TMP/calls" '^vmfskit verify'
anew
touch "$TMP/timer.vmfskit-weekly.timer"
ok "the week's timer runs" as_cron "$TMP/weekly"
is "the week's timer runs: nothing is done" "$(cat "$TMP/calls")" ""
mv "$TMP/bin/systemctl" "$TMP/systemctl"
anew
ok "no systemd" as_cron "$TMP/daily"
mv "$TMP/systemctl" "$TMP/bin/systemctl"

anew
echo "store: sound, 300 captures" >"$TMP/says.verify"
echo "would keep" >"$TMP/says.prune"
ok "a week" as_cron "$TMP/weekly"
is "a week: says nothing" "$(cat "$OUT" "$ERR")" ""
is "a week: verifies, then prunes" "$(cat "$TMP/calls")" "vmfskit verify --ledger --quiet
vmfskit prune --write"
echo "error ledger.broken" >"$TMP/says.verify"
echo 1 >"$TMP/code.verify"
exits "a week: damage" 1 as_cron "$TMP/weekly"
has "a week: damage is told" "$OUT" '^error ledger.broken'
hasnt "a week: what went well is not told" "$OUT" 'would keep'
for finding in 'error ledger.rolled-back: the anchor' 'warning ledger.unsigned-line: line 3' 'error signature.wrong: line 3' \
	'error capture.digest: head.raw is not'; do
	: >"$TMP/calls"
	echo "$finding" >"$TMP/says.verify"
	exits "a week: ${finding%%:*}" 1 as_cron "$TMP/weekly"
	is "a week: ${finding%%:*}: nothing is pruned" "$(cat "$TMP/calls")" "vmfskit verify --ledger --quiet"
	has "a week: ${finding%%:*}: and that is said" "$OUT" '^nothing is pruned until that is solved'
done
: >"$TMP/calls"
echo "warning capture.incomplete: it was taken with 1 finding" >"$TMP/says.verify"
exits "a week: a disk that was damaged when it was captured" 1 as_cron "$TMP/weekly"
has "a week: is no reason to keep all" "$TMP/calls" '^vmfskit prune --write$'

anew
# shellcheck disable=SC2086 # perhaps two words, or none
run env -i HOME=/root COLUMNS=20 PATH="$TMP/bin:/usr/bin:/bin" SHELL=/bin/sh $cron_shell "$TMP/weekly"
is "a week: lines that are looked for stay whole" "$(head -n 1 "$TMP/calls")" "vmfskit verify --ledger --quiet"

anew
echo '#scratch = /var/tmp' >"$TMP/etc/vmfskit/vmfskit.conf"
ok "a week without a scratch folder" as_cron "$TMP/weekly"
hasnt "a week without a scratch folder: no drill" "$TMP/calls" drill
echo 'scratch = /var/tmp' >"$TMP/etc/vmfskit/vmfskit.conf"
echo "1 of 1 captures restored and compared" >"$TMP/says.drill"
ok "a week with a scratch folder" as_cron "$TMP/weekly"
is "a week with a scratch folder: drills" "$(tail -n 1 "$TMP/calls")" "vmfskit drill"
is "a drill that went well is not told" "$(cat "$OUT" "$ERR")" ""
echo 1 >"$TMP/code.drill"
exits "a drill that failed" 1 as_cron "$TMP/weekly"
has "a drill that failed is told" "$OUT" '^1 of 1 captures'
rm "$TMP/etc/vmfskit/vmfskit.conf"

anew
touch "$TMP/etc/vmfskit/push.conf"
echo 1 >"$TMP/code.capture"
exits "the push follows also a night with findings" 1 as_cron "$TMP/daily"
is "the push follows" "$(tail -n 1 "$TMP/calls")" "vmfskit-push "
anew
echo 4 >"$TMP/code.push"
echo "vmfskit-push: no route" >"$TMP/says.push"
exits "a push that fails" 4 as_cron "$TMP/daily"
has "a push that fails: is told" "$OUT" '^vmfskit-push: no route'
anew
ok "without the push" as_cron "$TMP/share/vmfskit/vmfskit-nightly" --no-push daily
hasnt "without the push: none" "$TMP/calls" push
rm "$TMP/etc/vmfskit/push.conf"
ok "no target" as_cron "$TMP/share/vmfskit/vmfskit-nightly" push
is "no target: no push" "$(grep -c push "$TMP/calls")" 0
exits "usage" 2 as_cron "$TMP/share/vmfskit/vmfskit-nightly" hourly

# the program is not in cron's path, or not there at all
mv "$TMP/bin/vmfskit" "$TMP/installed/vmfskit"
if PATH=/usr/local/bin:/usr/bin:/bin command -v vmfskit >/dev/null; then
	skip "the program is not in the path" "this machine has one that is"
else
	anew
	ok "the program is not in the path" as_cron "$TMP/daily"
	has "the program is found where it was installed" "$TMP/calls" '^vmfskit capture --all$'
	mv "$TMP/installed/vmfskit" "$TMP/vmfskit"
	exits "the program is gone" 127 as_cron "$TMP/daily"
	has "the program is gone: is told" "$OUT" 'cannot be started'
	mv "$TMP/vmfskit" "$TMP/installed/vmfskit"
fi
mv "$TMP/installed/vmfskit" "$TMP/bin/vmfskit"
mv "$TMP/share/vmfskit/vmfskit-nightly" "$TMP/nightly"
ok "removed, the script left behind" as_cron "$TMP/daily"
is "removed: says nothing" "$(cat "$OUT" "$ERR")" ""
mv "$TMP/nightly" "$TMP/share/vmfskit/vmfskit-nightly"

# the alarm of systemd: a mail to root with the journal of that run
stand_in systemctl 'echo 0123abcd'
stand_in journalctl 'printf "journal: %s\n.\nthe rest of it\n" "$*"'
# as mailers do: a line with a single dot ends the mail, unless they are told that it does not
# shellcheck disable=SC2016
stand_in sendmail 'case " $* " in *" -t "*) ;; *) exit 64 ;; esac
case " $* " in *" -oi "* | *" -i "*) cat ;; *) sed "/^\.\$/q" ;; esac >"'"$TMP"'/mail"'
for shell in sh dash "busybox ash"; do
	command -v "${shell%% *}" >/dev/null || continue
	rm -f "$TMP/mail"
	# shellcheck disable=SC2086
	ok "alarm under $shell" env PATH="$TMP/bin:$PATH" $shell "$TMP/stand_ins" "$TMP/share/vmfskit/vmfskit-nightly" alarm vmfskit.service
	has "alarm: to root" "$TMP/mail" '^To: root$'
	has "alarm: the journal of that run" "$TMP/mail" '_SYSTEMD_INVOCATION_ID=0123abcd'
	has "alarm: also what follows a line with a single dot" "$TMP/mail" '^the rest of it$'
done

# a mail is at most a screen; all that was said is in the log
anew
stand_in systemctl 'exit 1'
seq 1000 | sed 's/^/line /' >"$TMP/says.capture"
exits "a long night" 1 as_cron "$TMP/daily"
is "a long night: a screen of it" "$(wc -l <"$OUT")" 26
is "a long night: its end" "$(tail -n 1 "$OUT")" "and 976 more lines: journalctl -t vmfskit, or look for vmfskit in /var/log/syslog"

# the test mail by cron, which here is this test: it runs what it finds in the folder, once, and mails what it says
anew
test_mail() { env PATH="$TMP/bin:/usr/bin:/bin" VMFSKIT_TEST_MAIL_SECONDS="$1" sh "$TMP/stand_ins" "$TMP/share/vmfskit/vmfskit-nightly" --test-mail; }
exits "test mail: no cron" 4 test_mail 1
has "test mail: no cron: says so" "$ERR" 'cron is not installed'
mkdir "$TMP/etc/cron.d"
exits "test mail: a cron that does not run" 4 test_mail 1
has "test mail: a cron that does not run: says so" "$ERR" 'cron did not run anything for 1 seconds'
is "test mail: nothing is left for a cron that is started later" "$(ls "$TMP/etc/cron.d")" ""
echo 'MAILTO=""' >"$TMP/etc/crontab"
exits "test mail: cron that mails nobody" 4 test_mail 1
has "test mail: cron that mails nobody: says so" "$ERR" 'MAILTO is empty in '
echo 'MAILTO=admin@example.org' >"$TMP/etc/crontab"
(
	for _ in $(seq 200); do
		[ ! -e "$TMP/etc/cron.d/vmfskit-test-mail" ] || break
		sleep 0.1
	done
	cp "$TMP/etc/cron.d/vmfskit-test-mail" "$TMP/entry"
	sh -c "$(sed -n 's/^\* \* \* \* \*  root  //p' "$TMP/entry")" >"$TMP/mail" 2>&1
) &
ok "test mail by cron" test_mail 60
wait $!
has "test mail by cron: says by what, and to whom" "$OUT" '^sent by cron to admin@example.org; if it does not arrive: '
has "test mail by cron: to whom the night's goes" "$TMP/entry" '^MAILTO=admin@example.org$'
is "test mail by cron: what a night says" "$(head -n 1 "$TMP/mail")" "$(uname -n), vmfskit capture --all: something changed (exit code 0)"
has "test mail by cron: a change" "$TMP/mail" '^/dev/sdX .*: partition 1: label "before" -> "after"$'
has "test mail by cron: that it is a test" "$TMP/mail" '^This is a test mail'
rm "$TMP/etc/crontab"
mv "$TMP/bin/sendmail" "$TMP/sendmail"
if PATH=/usr/bin:/bin:/usr/local/bin:/usr/sbin:/sbin command -v sendmail >/dev/null; then
	skip "test mail: no mailer" "this machine has one"
else
	exits "test mail: no mailer" 4 env PATH="$TMP/bin:/usr/bin:/bin" sh "$TMP/share/vmfskit/vmfskit-nightly" --test-mail
	has "test mail: no mailer: what is missing" "$ERR" 'there is no program sendmail'
	has "test mail: no mailer: what to install" "$ERR" 'apt-get install default-mta'
fi
mv "$TMP/sendmail" "$TMP/bin/sendmail"
# by the timer: systemd runs a unit that fails, and that starts the alarm
# shellcheck disable=SC2016
stand_in systemd-run 'for word; do case $word in --property=OnFailure=*) alarm=${word#*OnFailure=vmfskit-alarm@}; esac; done
shift $(($# - 2)); "$@" >"'"$TMP"'/journal"; code=$?
PATH="'"$TMP"'/bin:$PATH" sh "'"$TMP"'/stand_ins" "'"$TMP"'/share/vmfskit/vmfskit-nightly" alarm "${alarm%.service}"; echo $? >"'"$TMP"'/alarmed"; exit $code'
# shellcheck disable=SC2016
stand_in systemctl 'case "$*" in *ActiveState*) echo inactive ;; *Result*) [ "$(cat "'"$TMP"'/alarmed")" = 0 ] && echo success || echo exit-code ;; *InvocationID*) echo 0123abcd ;; esac'
stand_in journalctl 'cat "'"$TMP"'/journal"'
rm -f "$TMP/mail"
ok "test mail by the timer" test_mail 5
has "test mail by the timer: says by what" "$OUT" '^sent by the alarm of the systemd timer to root'
has "test mail by the timer: is the mail of the alarm" "$TMP/mail" '^Subject: vmfskit on .*: vmfskit-test-mail.service$'
has "test mail by the timer: a change" "$TMP/mail" 'label "before" -> "after"$'
stand_in sendmail 'cat >/dev/null; exit 75'
exits "test mail by the timer: a mailer that fails" 4 test_mail 5
has "test mail by the timer: a mailer that fails: where it says why" "$ERR" 'journalctl -u vmfskit-alarm@vmfskit-test-mail.service.service'

# the units
mkdir "$TMP/units"
for unit in cron/systemd/*; do put "$unit" "$TMP/units/${unit##*/}" && chmod 644 "$TMP/units/${unit##*/}"; done
if command -v systemd-analyze >/dev/null; then
	for unit in "$TMP"/units/*.timer "$TMP"/units/vmfskit*.service; do
		case $unit in *@*) continue ;; esac
		run env SYSTEMD_UNIT_PATH="$TMP/units:/lib/systemd/system" systemd-analyze verify --man=no "$unit"
		is "${unit##*/}: systemd has nothing to say" "$(grep "$TMP/units" "$ERR")" ""
	done
else
	skip "the units" "there is no systemd-analyze"
fi
# the filter of system calls lets through what a capture needs; a sanitizer needs more
if [ "${BUILD%/asan}" = "$BUILD" ] && command -v systemd-analyze >/dev/null && command -v strace >/dev/null; then
	allowed() {
		local name
		for name in $(systemd-analyze syscall-filter "$1" | sed -n 's/^ *\([@a-z0-9_-]*\)$/\1/p' | tail -n +2); do
			case $name in @*) allowed "$name" ;; *) echo "$name" ;; esac
		done
	}
	allowed @system-service | sort -u >"$TMP/allowed"
	"$LAB" make "$TMP/disk" >/dev/null
	traced "$TMP/trace" "$VMFSKIT" capture --store "$TMP/store" "$TMP/disk" >/dev/null
	traced "$TMP/trace.verify" "$VMFSKIT" verify --store "$TMP/store" >/dev/null
	sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' "$TMP/trace" "$TMP/trace.verify" | sort -u >"$TMP/used"
	ok "system calls were seen" [ "$(wc -l <"$TMP/used")" -gt 15 ]
	is "the filter of system calls lets vmfskit work" "$(comm -13 "$TMP/allowed" "$TMP/used")" ""
else
	skip "system calls" "there is no systemd-analyze or strace, or this is the pass with sanitizers"
fi
for word in ProtectSystem=strict NoNewPrivileges=yes PrivateNetwork=yes IOSchedulingClass=idle 'DeviceAllow=block-\* r'; do
	has "vmfskit.service: $word" cron/systemd/vmfskit.service "^$word\$"
done
# oneshot has no limit by default: what hangs would be told to nobody, and no timer would start it again
for unit in cron/systemd/*.service; do
	has "${unit##*/}: ends some time" "$unit" '^TimeoutStartSec=[1-9][0-9]*(h|min)$'
done
for unit in vmfskit vmfskit-weekly; do
	has "$unit.timer: a night that was slept through is made up for" cron/systemd/$unit.timer '^Persistent=true$'
	has "$unit.timer: not all hosts at once" cron/systemd/$unit.timer '^RandomizedDelaySec='
done

# the configuration adds nothing to the defaults
is "every line of vmfskit.conf is a comment" "$(grep -v '^#' cron/vmfskit.conf | grep .)" ""
for key in store dev-dir include exclude vmfs-only jobs timeout files-limit no-files md5 sign-key public-key anchor max-age scratch fail-on-change keep-daily keep-weekly \
	keep-monthly keep-yearly; do
	has "vmfskit.conf names $key" cron/vmfskit.conf "^#$key = "
done

# ESXi: its crontab, what survives a boot, and the night, in a folder in the place of /
esxi_shell=sh
command -v busybox >/dev/null && esxi_shell="busybox ash"
folder=$TMP/esxi/vmfs/volumes/4f4173d6/vmfskit
mkdir -p "$folder" "$TMP/esxi/var/spool/cron/crontabs" "$TMP/esxi/etc/rc.local.d" "$TMP/esxi/usr/lib/vmware/busybox/bin" "$TMP/esxi/var/run"
printf '#min hour day mon dow command\n1 1 * * * /sbin/tmpwatch.py\n' >"$TMP/esxi/var/spool/cron/crontabs/root"
cp "$TMP/esxi/var/spool/cron/crontabs/root" "$TMP/crontab.before"
printf '#!/bin/sh ++group=host/vim/vmvisor/boot\n# local configuration options\n\nexit 0\n' >"$TMP/esxi/etc/rc.local.d/local.sh"
chmod 1555 "$TMP/esxi/var/spool/cron/crontabs/root" "$TMP/esxi/etc/rc.local.d/local.sh"
cp "$TMP/esxi/etc/rc.local.d/local.sh" "$TMP/local.before"
printf '#!/bin/sh\necho "$*" >>"%s"\n' "$TMP/crond" >"$TMP/esxi/usr/lib/vmware/busybox/bin/busybox"
chmod 755 "$TMP/esxi/usr/lib/vmware/busybox/bin/busybox"
cp cron/esxi/vmfskit-esxi.sh "$folder"
# shellcheck disable=SC2086
esxi() { env VMFSKIT_ROOT="$TMP/esxi" TMPDIR="$TMP" PATH="$TMP/bin:$PATH" $esxi_shell "$folder/vmfskit-esxi.sh" "$@"; }
exits "ESXi: no collector" 4 esxi install "$folder"
printf '#!/bin/sh\necho "a tar"; echo "one disk could not be read" >&2; exit 1\n' >"$folder/vmfskit-collect.sh"
exits "ESXi: a relative folder" 2 esxi install vmfskit
ok "ESXi: install" esxi install "$folder"
ok "ESXi: install once more" esxi install "$folder" 5 3
is "ESXi: one line in the crontab" "$(cat "$TMP/esxi/var/spool/cron/crontabs/root")" "$(cat "$TMP/crontab.before")
5 3 * * * /bin/sh $folder/vmfskit-esxi.sh night $folder >>$folder/collect.log 2>&1"
is "ESXi: local.sh does it again, before its end" "$(sed -n '4,$p' "$TMP/esxi/etc/rc.local.d/local.sh")" "# vmfskit begin
/bin/sh $folder/vmfskit-esxi.sh line $folder 5 3 >/dev/null 2>&1
# vmfskit end
exit 0"
is "ESXi: cron was started anew" "$(sort -u "$TMP/crond")" crond
cp "$TMP/crontab.before" "$TMP/esxi/var/spool/cron/crontabs/root"
local_sum=$(cksum <"$TMP/esxi/etc/rc.local.d/local.sh")
ok "ESXi: after a boot" env VMFSKIT_ROOT="$TMP/esxi" TMPDIR="$TMP" sh "$TMP/esxi/etc/rc.local.d/local.sh"
is "ESXi: after a boot local.sh is what it was" "$(cksum <"$TMP/esxi/etc/rc.local.d/local.sh")" "$local_sum"
has "ESXi: after a boot the line is there again" "$TMP/esxi/var/spool/cron/crontabs/root" "^5 3 \\* \\* \\* /bin/sh $folder/"
line=$(sed -n "s/^5 3 \\* \\* \\* //p" "$TMP/esxi/var/spool/cron/crontabs/root")
exits "ESXi: the line works as it is" 1 env TMPDIR="$TMP" PATH="$TMP/bin:$PATH" sh -c "$line"
is "ESXi: it prints nothing" "$(cat "$OUT" "$ERR")" ""
is "ESXi: the tar is there" "$(cat "$folder"/*-[1-7].tar)" "a tar"
has "ESXi: its log" "$folder/collect.log" 'vmfskit-collect.sh: exit code 1'
has "ESXi: its log says why" "$folder/collect.log" 'one disk could not be read'
ok "ESXi: remove" esxi remove
same "ESXi: the crontab is as it was" "$TMP/esxi/var/spool/cron/crontabs/root" "$TMP/crontab.before"
same "ESXi: local.sh is as it was" "$TMP/esxi/etc/rc.local.d/local.sh" "$TMP/local.before"

# a RAM disk that is full: what a boot runs is the old file or the new one, and whole
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=64k tmpfs "$TMP/esxi/etc/rc.local.d"; then
	echo "$TMP/esxi/etc/rc.local.d" >>"$TMP/.mounts"
	boot=$TMP/esxi/etc/rc.local.d/local.sh
	# one page of the file system is all that it has
	{
		printf '#!/bin/sh\n'
		for _ in $(seq 67); do printf '# %57s\n' "local configuration"; done
		printf 'exit 0\n'
	} >"$TMP/local.long"
	cp "$TMP/local.long" "$boot"
	head -c 1M /dev/zero >"$TMP/esxi/etc/rc.local.d/full" 2>"$TMP/full.said"
	ok "ESXi: a RAM disk that is full" [ "$(stat -f -c %f "$boot")" -eq 0 ]
	exits "ESXi: full: install says so" 4 esxi install "$folder"
	has "ESXi: full: what, and that nothing is lost" "$ERR" 'local\.sh cannot be written and is unchanged'
	same "ESXi: full: local.sh is as it was" "$boot" "$TMP/local.long"
	rm "$TMP/esxi/etc/rc.local.d/full"
	ok "ESXi: room again: install" esxi install "$folder"
	has "ESXi: room again: the line is there" "$boot" "^/bin/sh $folder/vmfskit-esxi.sh line "
	is "ESXi: room again: it ends with exit" "$(tail -n 1 "$boot")" "exit 0"
	cp "$boot" "$TMP/local.with"
	# no room for copies
	mkdir "$TMP/small"
	mount -t tmpfs -o size=8k tmpfs "$TMP/small" && echo "$TMP/small" >>"$TMP/.mounts"
	for verb in remove "install $folder"; do
		# shellcheck disable=SC2086
		exits "ESXi: no room for copies: ${verb%% *}" 4 env TMPDIR="$TMP/small" VMFSKIT_ROOT="$TMP/esxi" $esxi_shell "$folder/vmfskit-esxi.sh" $verb
		same "ESXi: no room for copies: ${verb%% *}: local.sh is as it was" "$boot" "$TMP/local.with"
		is "ESXi: no room for copies: ${verb%% *}: nothing is left" "$(ls -A "$TMP/small")" ""
	done
	# what an older version cut
	sed '/# vmfskit end/,$d' "$TMP/local.with" >"$boot"
	cp "$boot" "$TMP/local.cut"
	exits "ESXi: a local.sh that was cut" 4 esxi install "$folder"
	has "ESXi: a local.sh that was cut: for a person to mend" "$ERR" 'repair it by hand'
	same "ESXi: a local.sh that was cut: is as it was" "$boot" "$TMP/local.cut"
else
	skip "ESXi: a RAM disk that is full" "needs root"
fi
