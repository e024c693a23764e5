#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installing, using what was installed, and leaving nothing behind.
. "$(dirname "$0")/../lib.sh"
cd "$ROOT" || exit 1
case $BUILD in
*/asan) skip "install" "done in the ordinary pass"; exit 0 ;;
esac

into=$TMP/into
ok "make install" make -s BUILD="$BUILD" DESTDIR="$into" PREFIX=/usr install
for file in bin/vmfskit bin/vmfskit-lab lib/libvmfskit.a lib/libvmfskit.so lib/libvmfskit.so.0 lib/pkgconfig/vmfskit.pc \
	include/vmfskit/vmfskit.h share/man/man1/vmfskit.1 share/man/man1/vmfskit-restore.1 share/man/man1/vmfskit-lab.1 \
	share/bash-completion/completions/vmfskit share/doc/vmfskit/README.md share/doc/vmfskit/LICENSE \
	bin/vmfskit-push share/vmfskit/vmfskit-nightly share/vmfskit/vmfskit-receive share/vmfskit/vmfskit-esxi.sh \
	lib/systemd/system/vmfskit.service lib/systemd/system/vmfskit.timer lib/systemd/system/vmfskit-weekly.timer \
	share/vmfskit/vmfskit.conf share/doc/vmfskit/vmfskit.conf.example; do
	ok "installed: $file" test -s "$into/usr/$file"
done
[ ! -e cron/vmfskit-collect.sh ] || ok "installed: the collector" test -x "$into/usr/share/vmfskit/vmfskit-collect.sh"
for file in cron.daily/vmfskit cron.weekly/vmfskit vmfskit/vmfskit.conf; do ok "installed: /etc/$file" test -s "$into/etc/$file"; done
is "no path left to fill in" "$(grep -rlE '@[A-Z]+@' "$into/etc" "$into/usr/bin/vmfskit-push" "$into/usr/share/vmfskit" "$into/usr/lib/systemd")" ""
is "scripts of cron can be run, units cannot" "$(find "$into/etc/cron.daily" "$into/usr/share/vmfskit" "$into/usr/lib/systemd" -type f -printf '%m %f\n' |
	grep -vE '^(755 (vmfskit|vmfskit-[a-z]*|vmfskit-[a-z]*\.sh)|644 (vmfskit\.conf|.*\.(service|timer)))$')" ""
echo 'jobs = 8' >>"$into/etc/vmfskit/vmfskit.conf"
ok "make install once more" make -s BUILD="$BUILD" DESTDIR="$into" PREFIX=/usr install
has "a configuration that was changed stays" "$into/etc/vmfskit/vmfskit.conf" '^jobs = 8$'
is "no path of the build in the pkg-config file" "$(grep -n -e "$TMP" -e "$BUILD" "$into/usr/lib/pkgconfig/vmfskit.pc")" ""
ok "the installed program runs" "$into/usr/bin/vmfskit" --version

cat >"$TMP/user.c" <<'C'
#include <stdio.h>
#include <vmfskit/vmfskit.h>
int main(void)
{
	struct vk_vmfs_uuid uuid;
	char text[VK_VMFS_UUID_TEXT_BYTES];

	if (!vk_vmfs_uuid_parse("49edf842-dcb35d37-b383-0021280083cf", &uuid))
		return 1;
	vk_vmfs_uuid_format(&uuid, text);
	return puts(text) < 0;
}
C
export PKG_CONFIG_PATH=$into/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$into
# shellcheck disable=SC2046
ok "a program builds with pkg-config" ${CC:-gcc} -o "$TMP/user" "$TMP/user.c" $(pkg-config --cflags --libs vmfskit)
ok "and runs with the shared library" env LD_LIBRARY_PATH="$into/usr/lib" "$TMP/user"
has "and says what it should" "$OUT" '^49edf842-dcb35d37-b383-0021280083cf$'
unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
# another prefix, as the package has it, beside it
ok "make install elsewhere, too" make -s BUILD="$BUILD" DESTDIR="$into" PREFIX=/usr/local install
cp "$into/etc/cron.daily/vmfskit" "$TMP/daily"
ok "make uninstall elsewhere" make -s BUILD="$BUILD" DESTDIR="$into" PREFIX=/usr/local uninstall
is "make uninstall elsewhere: nothing of it is left" "$(find "$into/usr/local" ! -type d)" ""
same "make uninstall elsewhere: the script of cron stays for the other one" "$into/etc/cron.daily/vmfskit" "$TMP/daily"
has "which finds its part in either place" "$TMP/daily" 'in /usr/local/share /usr/share; do'
mkdir -p "$into/var/lib/vmfskit"
ok "make uninstall" make -s BUILD="$BUILD" DESTDIR="$into" PREFIX=/usr uninstall
is "make uninstall: says what stays" "$(cat "$OUT")" "$into/etc/vmfskit stays: its files were changed or are in use
$into/var/lib/vmfskit stays: your captures"
is "nothing is left but the changed configuration" "$(find "$into" ! -type d)" "$into/etc/vmfskit/vmfskit.conf"
sed -i '$d' "$into/etc/vmfskit/vmfskit.conf"
ok "make uninstall of one that was not changed" make -s BUILD="$BUILD" DESTDIR="$into" PREFIX=/usr uninstall
is "nothing is left" "$(find "$into" ! -type d)" ""
