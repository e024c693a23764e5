#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# doctor --svg: every structure is named, damage is wide enough to be seen, the legend has what occurs, texts neither overlap nor
# leave the picture.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../disk.sh"
. "$(dirname "$0")/../wrap.sh"
need xmllint perl jq
cd "$TMP" || exit 1
mkdir store
big=$(big_dir) || exit 1

# Every text with its box, of a font of one width: what lies outside of the picture, what lies over another text.
crowded() {
	perl -CSD -e '
		my ($width, $height, @boxes);
		while (<>) {
			($width, $height) = ($1, $2) if /<svg .*? width="(\d+)" height="(\d+)"/;
			while (m{<text([^>]*)>(.*?)</text>}g) {
				my ($attributes, $text) = ($1, $2);
				my %a = $attributes =~ /([-a-z]+)="([^"]*)"/g;
				$text =~ s/&[a-z]+;/&/g; $text =~ s/[\x{1100}-\x{10ffff}]/##/g;
				my $wide = length($text) * $a{"font-size"} * 0.61 if $a{"font-size"};
				$wide //= length($text) * 12 * 0.61;
				my $from = $a{x} - ({end => 1, middle => 0.5}->{$a{"text-anchor"} // ""} // 0) * $wide;
				push @boxes, [$from, $from + $wide, $a{y}, $a{"font-size"} // 12, $text];
			}
		}
		for my $b (@boxes) {
			print "outside: $b->[4]\n" if $b->[0] < 0 || $b->[1] > $width || $b->[2] > $height || $b->[2] < $b->[3];
			for my $c (@boxes) {
				last if $c == $b;
				print "over each other: $b->[4], $c->[4]\n" if abs($b->[2] - $c->[2]) < $b->[3] && $b->[0] < $c->[1] && $c->[0] < $b->[1];
			}
		}
		print "no text\n" if @boxes < 10;' "$1"
}
# row NAME FILE: the texts of the structure of that name in the list: number, sign, name, volume, sectors, size, verdict
row() {
	perl -e 'my ($name, $file) = @ARGV; open(my $f, "<", $file) or die; local $/; my $all = <$f>;
		for my $g ($all =~ m{<g[^>]*>\n(.*?)</g>}gs) { my @t = $g =~ m{<text[^>]*>(.*?)</text>}g; print "@t\n" if $t[2] eq $name; }' "$1" "$2"
}
legend() { perl -ne 'print "$1 " if m{<text font-size="12"[^>]*>(not looked at|[a-z]+(?=: ))(?!.*volume)}' "$1"; }
# as many pixels as the thinnest damage of that colour has
thinnest() { grep -o "<rect x=\"[0-9]*\" y=\"[0-9]*\" width=\"[0-9]*\" height=\"30\" fill=\"$1\"" "$2" | sed 's/.* width="//; s/".*//' | sort -n | head -n 1; }
"$LAB" make --table gpt --vmfs 6 --start 2048 --size 20G --label datastore1 sound.img >/dev/null || exit 1
# the cells of the map in the text
map_cells() { awk '/^Map$/ { on = 1; next } on { n = 0; for (i = 1; i <= NF; i++) if ($i ~ /^[A-Z_+][?=.~#0X!]$/) n++; if (n == 0) exit; sum += n } END { print sum }'; }
# picture NAME CODE DISK: draws NAME.svg and checks what holds for each
picture() {
	exits "$1: drawn" "$2" "$VMFSKIT" doctor --store store --heartbeat-wait 0 --svg "$1.svg" "$3"
	is "$1: as many structures as the map of the text has" "$(grep -c '^<g' "$1.svg")" "$(map_cells <"$OUT")"
	ok "$1: well-formed" xmllint --noout "$1.svg"
	is "$1: texts have room" "$(crowded "$1.svg")" ""
	hasnt "$1: nothing runs, nothing is fetched" "$1.svg" '<script|[ :]href=|url\(|@import| on[a-z]+='
	has "$1: for dark paper, too" "$1.svg" '@media \(prefers-color-scheme: dark\) \{ text \{ fill: #ececec \}'
}

picture sound 0 sound.img
is "sound: a structure by its name" "$(row 'LVM device header' sound.svg)" "4 . LVM device header 1 4096 512 bytes consistent"
is "sound: what the legend has" "$(legend sound.svg)" "not looked at unknown intact consistent "
has "sound: the scale in sectors" sound.svg '>8388608</text>'
has "sound: the scale in bytes" sound.svg '>4 GiB ?</text>'
has "sound: the volume in its place" sound.svg '>volume 1: datastore1</text>'
has "sound: and in words" sound.svg '>volume 1: from sector 2048 to 41943006, partition 1, VMFS-6\.[0-9]+ &quot;datastore1&quot;</text>'
hasnt "sound: no damage is painted" sound.svg '#d73027|#111111'

copy_disk sound.img table.img
"$LAB" break --how table table.img >/dev/null
picture table 1 table.img
is "table wiped: in the list" "$(row 'primary GPT header' table.svg)" "2 0 primary GPT header 1 512 bytes zero"
is "table wiped: what the legend has" "$(legend table.svg)" "not looked at unknown consistent zero "
has "table wiped: what is bad stands out" "$(tr -d '\n' <table.svg)" '<g font-weight="bold"><text[^>]*>14</text>'

copy_disk sound.img header.img
"$LAB" break --how header header.img >/dev/null
picture header 1 header.img
is "header wiped: wide enough to be seen" "$(thinnest '#111111' header.svg)" 4

# one sector of a large structure
copy_disk sound.img one.img
printf '\377\377\377\377\377\377\377\377' | dd of=one.img bs=1 seek=$((6000 * 512)) conv=notrunc status=none
picture one 1 one.img
is "one sector: which one" "$(row 'PE table 0' one.svg)" "8 # PE table 0 1 5136 to 7183 1 MiB damaged in sector 6000"

"$LAB" make --table gpt --vmfs 6 --start 2048 --size 64T --label big "$big/big.img" >/dev/null
printf '\377' | dd of="$big/big.img" bs=1 seek=$((40960 * 512)) conv=notrunc status=none
picture big 1 "$big/big.img"
has "64 TB, one sector: named above the whole disk" big.svg '<text font-size="11" x="20" y="[0-9]*">9 file-system descriptor</text>'
is "64 TB, one sector: wide enough to be seen" "$(thinnest '#d73027' big.svg)" 4
has "64 TB, one sector: what the mouse tells" big.svg '<title>file-system descriptor of the volume at sector 2048: damaged, sector 40960</title>'

# numbers as long as they get
printf '\377' | dd of="$big/big.img" bs=1 seek=$(((137438953472 - 33) * 512 + 5000)) conv=notrunc status=none
picture long 1 "$big/big.img"

"$LAB" make --table gpt --vmfs 6 --sector-size 4096 --size 8G --label fourk 4kn.img >/dev/null
"$LAB" break --how header --sector-size 4096 4kn.img >/dev/null
picture 4kn 1 4kn.img
is "4Kn: counted in its own sectors" "$(row 'LVM device header' 4kn.svg)" "4 0 LVM device header 1 512 512 bytes zero"

odd=$(printf '<&>"\xe6\x97\xa5\xe6\x9c\xac]]><script>')
"$LAB" make --table gpt --size 30G --volume start=2048,size=10G,label=first --volume "start=25000000,size=10G,label=$odd" two.img >/dev/null
"$LAB" break --how magic --partition 2 two.img >/dev/null
picture two 1 two.img
is "two volumes: whose structure it is" "$(row 'LVM device header' two.svg)" "4 . LVM device header 1 4096 512 bytes consistent
13 # LVM device header 2 25002048 512 bytes damaged"
has "a label like XML: it is a text" two.svg '>volume 2: &lt;&amp;&gt;&quot;.*\]\]&gt;&lt;script&gt;</text>'

wrap md-1.2 sound.img md.img
picture md 0 md.img
has "a carrier: what it is" md.svg 'member of a Linux RAID'
is "a carrier: sectors of the LUN inside" "$(row 'LVM device header' md.svg)" "4 . LVM device header 1 4096 512 bytes consistent"

"$LAB" make --table mbr --vmfs 3 --size 100G --label mbr mbr.img >/dev/null
picture mbr 0 mbr.img
is "MBR: by its name" "$(row MBR mbr.svg)" "1 . MBR 0 512 bytes consistent"
