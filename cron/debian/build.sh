#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes INTO/vmfskit-lab_VERSION_ARCH.deb and INTO/vmfskit_VERSION_ARCH.deb of what make install installs, and prints their
# names: build.sh BUILD VERSION DATE INTO. Without root.
set -eu
if [ $# -ne 4 ]; then
	echo "usage: build.sh BUILD VERSION DATE INTO" >&2
	exit 2
fi
cd "$(dirname "$0")/../.."
build=$(cd "$1" && pwd) version=$2 date=$3 into=$(cd "$4" && pwd)
arch=$(dpkg --print-architecture)
# the same sources and compiler make the same bytes
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(date -u -d "$date" +%s)} LC_ALL=C
umask 022

work=$(mktemp -d "$into/deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/vmfskit
lab=$work/vmfskit-lab
make -s --no-print-directory BUILD="$build" DESTDIR="$root" PREFIX=/usr UNITDIR=/lib/systemd/system install >/dev/null
# for developers: from the sources
rm -rf "$root/usr/include" "$root/usr/lib" "$root/usr/share/doc/vmfskit/LICENSE"
# what makes and breaks practice disks is not on a host with real ones unless somebody wants it there
for file in bin/vmfskit-lab share/bash-completion/completions/vmfskit-lab "$root"/usr/share/man/man1/vmfskit-lab*; do
	file=${file#"$root/usr/"}
	mkdir -p "$lab/usr/${file%/*}"
	mv "$root/usr/$file" "$lab/usr/$file"
done
strip --strip-unneeded -R .comment -R .note "$root/usr/bin/vmfskit" "$lab/usr/bin/vmfskit-lab"
mkdir "$work/debian"
printf 'Source: vmfskit\n\nPackage: vmfskit\nArchitecture: %s\n\nPackage: vmfskit-lab\nArchitecture: %s\n' "$arch" "$arch" \
	>"$work/debian/control"

# pack NAME: the package of the files under $work/NAME
pack() {
	local root=$work/$1 doc=$work/$1/usr/share/doc/$1 depends
	mkdir -p "$doc" "$root/DEBIAN"
	{
		echo "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
		echo "Upstream-Name: vmfskit"
		printf '\nFiles: *\nCopyright: the vmfskit developers\nLicense: Apache-2.0\n'
		printf ' On Debian systems the text of this license is in\n /usr/share/common-licenses/Apache-2.0.\n'
	} >"$doc/copyright"
	printf 'vmfskit (%s) stable; urgency=medium\n\n  * Made from the sources by make deb; what changed stands in their history.\n\n -- vmfskit developers <vmfskit@localhost>  %s\n' \
		"$version" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$doc/changelog.gz"
	find "$root/usr/share/man" -name '*.1' -exec gzip -9n {} +
	depends=$(cd "$work" && dpkg-shlibdeps -O "$1/usr/bin/$1" | sed -n 's/^shlibs:Depends=//p')
	sed -e "s|@VERSION@|$version|" -e "s|@ARCH@|$arch|" -e "s|@DEPENDS@|$depends|" \
		-e "s|@SIZE@|$(du -sk --apparent-size "$root"/[!D]* | awk '{ n += $1 } END { print n }')|" \
		-e '/^#/d' "cron/debian/$2" >"$root/DEBIAN/control"
	# the configuration is the administrator's: postinst makes one where there is none, and nothing ever asks about it
	rm -rf "$root/etc/vmfskit"
	[ ! -d "$root/etc" ] || (cd "$root" && find etc -type f | sort | sed 's,^,/,') >"$root/DEBIAN/conffiles"
	(cd "$root" && find [!D]* -path etc -prune -o -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
	chmod -R u=rwX,go=rX "$root"
	dpkg-deb --root-owner-group -Zxz --build "$root" "$work/out.deb" >/dev/null
	mv "$work/out.deb" "$into/$1_${version}_$arch.deb"
	echo "$into/$1_${version}_$arch.deb"
}
pack vmfskit-lab control.lab
mkdir "$root/DEBIAN"
for script in postinst prerm postrm; do install -m 755 "cron/debian/$script" "$root/DEBIAN/$script"; done
pack vmfskit control
