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
	share/bash-completion/completions/vmfskit share/doc/vmfskit/README.md share/doc/vmfskit/LICENSE; do
	ok "installed: $file" test -s "$into/usr/$file"
done
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
ok "make uninstall" make -s BUILD="$BUILD" DESTDIR="$into" PREFIX=/usr uninstall
is "nothing is left" "$(find "$into" ! -type d)" ""
