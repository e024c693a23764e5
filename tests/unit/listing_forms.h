/* SPDX-License-Identifier: Apache-2.0 */
/* Listings of the same bytes in every form that programs print and people paste. */
#ifndef TESTS_UNIT_LISTING_FORMS_H
#define TESTS_UNIT_LISTING_FORMS_H

#include "io_helpers.h"

enum { RAW_BYTES = 2048 };

/* Bytes with all that listings trip over: a magic, words, blanks, bars and digits as text, rows that repeat, zeros. */
static inline void make_raw(uint8_t raw[RAW_BYTES], bool magic)
{
	static const char words[] = "00 11 22 33 ab  |0123456789abcdef| >deadbeef< * <b>&amp;</b> 00000010: 4142";

	fill_bytes(raw, RAW_BYTES, 7);
	memset(raw + 256, 0, 256);
	memset(raw + 512, 'e', 64);
	memcpy(raw + 640, words, sizeof(words));
	memset(raw + 1100, ' ', 40);
	memset(raw + RAW_BYTES - 100, 0xff, 100);
	memcpy(raw, magic ? "\x0d\xd0\x01\xc0\x03" : "\x1d\xd1\x11\xc1\x03", 5);
}

/* A form: a command over the file $F that prints it. $A is an awk program: see below. */
struct form {
	const char *name;
	const char *command;
	const char *says; /* of a finding; NULL: none is due */
	bool refused;     /* says is then of the error */
	bool no_magic;    /* of bytes in which nothing tells the order of words */
};

/* od -An -v -tx1 -w16 into lines of any other form: fmt (offset, digits, text), sep, up, high */
static const char awk_program[] =
	"function byte(s) { return index(\"0123456789abcdef\", substr(s, 1, 1)) * 16 - 16 + "
	"index(\"0123456789abcdef\", substr(s, 2, 1)) - 1 }\n"
	"BEGIN { for (i = 32; i < 127; i++) chr[i] = sprintf(\"%c\", i) }\n"
	"{ t = \"\"; h = \"\"\n"
	"  for (i = 1; i <= NF; i++) { v = byte($i)\n"
	"    t = t (v in chr ? chr[v] : v > 127 && high ? \"\\303\\204\" : \".\")\n"
	"    h = h sprintf(sep, $i) }\n"
	"  printf fmt, (NR - 1) * 16, up ? toupper(h) : h, t }\n";
#define AWK(options) "od -An -v -tx1 -w16 $F | awk " options " -v sep='%s ' -f $A"
#define HEADS "00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F"

static const struct form forms[] = {
	/* what the programs of a Debian print */
	{"hexdump -C", "hexdump -C $F", NULL, false, false},
	{"hexdump -C without magic", "hexdump -C $F", NULL, false, true},
	{"hexdump -C, all rows", "hexdump -vC $F", NULL, false, false},
	{"hexdump", "hexdump $F", "the last digits of a group first, so an LVM header stands at byte 0", false,
	 false},
	{"hexdump -x", "hexdump -x $F", "last digits of a group first", false, false},
	{"hexdump -b", "hexdump -b $F", "hexadecimal offsets", false, false},
	{"hexdump -d", "hexdump -d $F", "last digits of a group first", false, false},
	{"hexdump -o", "hexdump -o $F", "last digits of a group first", false, false},
	{"od", "od $F", "octal offsets, the last digits of a group first", false, false},
	{"od -b", "od -b $F", "octal offsets", false, false},
	{"od -x", "od -x $F", "octal offsets, the last digits of a group first", false, false},
	{"od -A o -t x1", "od -A o -t x1 $F", "octal offsets", false, false},
	{"od -A d -t x1", "od -A d -t x1 $F", "decimal offsets", false, false},
	{"od -A x -t x1", "od -A x -t x1 $F", NULL, false, false},
	{"od -A n -t x1", "od -v -A n -t x1 $F", "no offsets, from byte 0 on", false, false},
	{"od -A x -t x1z", "od -A x -t x1z $F", NULL, false, false},
	{"od -A d -t x1z", "od -A d -t x1z $F", "decimal offsets", false, false},
	{"od -t x2", "od -A x -t x2 $F", "last digits of a group first", false, false},
	{"od -t x2z", "od -A x -t x2z $F", "last digits of a group first, so the text column has it", false,
	 true},
	{"od -t x4z", "od -A d -t x4z $F", "decimal offsets, the last digits", false, true},
	{"od -t x4", "od -t x4 $F", "last digits of a group first", false, false},
	{"od -t x8", "od -t x8 $F", "last digits of a group first", false, false},
	{"od -t u1", "od -t u1 $F", "octal offsets", false, false},
	{"od -t u2", "od -A d -t u2 $F", "decimal offsets, the last digits", false, false},
	{"od -t d2", "od -t d2 $F", "last digits of a group first", false, false},
	{"od -t o4", "od -t o4 $F", "last digits of a group first", false, false},
	{"od -w32", "od -A x -t x1 -w32 $F", NULL, false, false},
	{"od -w8", "od -A d -t x1 -w8 $F", "decimal offsets", false, false},
	{"od --endian=big", "od --endian=big -A x -t x2z $F", NULL, false, true},
	{"xxd", "xxd $F", NULL, false, true},
	{"xxd -u -g 1", "xxd -u -g 1 $F", NULL, false, true},
	{"xxd -c 8 -g 4", "xxd -c 8 -g 4 $F", NULL, false, true},
	{"xxd -c 256", "xxd -c 256 $F", NULL, false, true},
	{"xxd -g 3 -c 15", "xxd -g 3 -c 15 $F", NULL, false, true},
	{"xxd -e", "xxd -e $F", "last digits of a group first, so the text column has it", false, true},
	{"xxd -e -g 2", "xxd -e -g 2 $F", "last digits of a group first, so the text column", false, true},
	{"xxd -b", "xxd -b $F", "hexadecimal offsets", false, true},
	{"xxd -b -c 8", "xxd -b -c 8 $F", "hexadecimal offsets", false, true},
	{"xxd -p", "xxd -p $F", "no offsets", false, true},
	{"busybox hexdump -C", "busybox hexdump -C $F", NULL, false, true},
	{"busybox hexdump", "busybox hexdump $F", "last digits of a group first", false, false},
	{"busybox od", "busybox od $F", "octal offsets", false, false},
	{"busybox od -x", "busybox od -x $F", "octal offsets", false, false},
	{"busybox xxd", "busybox xxd $F", NULL, false, true},
	/* editors and other systems */
	{"HxD", "echo 'Offset(h) " HEADS "'; echo; " AWK("-v up=1 -v high=1 -v fmt='%08X  %s %s\\n'"), NULL,
	 false, true},
	{"HxD, decimal", "echo 'Offset(d) " HEADS "'; " AWK("-v up=1 -v fmt='%08d  %s %s\\n'"), "decimal",
	 false, true},
	{"WinHex", "echo 'Offset      0  1  2  3  4  5  6  7   8  9  A  B  C  D  E  F'; " AWK(
	 "-v up=1 -v high=1 -v fmt='%08X   %s  %s\\n'"), NULL, false, true},
	{"Format-Hex", "echo; echo '           " HEADS "'; echo; " AWK("-v up=1 -v fmt='%08X   %s %s\\n'"),
	 NULL, false, true},
	{"Format-Hex of PowerShell 7", "echo '          Offset Bytes         Ascii'; echo '                 "
	 HEADS "'; " AWK("-v up=1 -v fmt='%016X %s%s\\n'"), NULL, false, true},
	{"certutil -encodehex", AWK("-v fmt='%04x\\t%s  %s\\n'"), NULL, false, true},
	{"debugfs block_dump", "od -An -v -tx1 -w16 $F | awk '{ printf \"%04o  \", (NR - 1) * 16; "
	 "for (i = 1; i < 16; i += 2) printf \"%s%s \", $i, $(i + 1); print \"\" }'", "octal offsets, the "
	 "first digits of a group first", false, false},
	{"six digits and a colon", AWK("-v fmt='%06X: %s\\n'"), NULL, false, true},
	{"twelve digits", AWK("-v fmt='%012x: %s\\n'"), NULL, false, true},
	{"sixteen digits", AWK("-v fmt='%016x  %s |%s|\\n'"), NULL, false, true},
	{"0x in front of offsets and bytes", "od -An -v -tx1 -w16 $F | awk -v sep='0x%s, ' -v fmt='0x%08x: "
	 "%s\\n' -f $A", NULL, false, true},
	{"h behind offsets", AWK("-v fmt='%08xh: %s; %s\\n'"), NULL, false, true},
	{"brackets", AWK("-v fmt='[%08x] %s\\n'"), NULL, false, true},
	/* what happens to them on the way */
	{"upper case", "hexdump -C $F | cut -c 1-58 | tr a-f A-F", NULL, false, true},
	{"no text column", "hexdump -C $F | cut -c 1-58", NULL, false, true},
	{"tabs", "hexdump -C $F | cut -c 1-60 | sed 's/   */\t/g'", NULL, false, true},
	{"no-break blanks", "hexdump -C $F | sed 's/ /\302\240/g'", NULL, false, true},
	{"no-break blanks, Latin-1", "hexdump -C $F | LC_ALL=C sed 's/ /\240/g'", NULL, false, true},
	{"UTF-16", "hexdump -C $F | sed 's/$/\\r/' | iconv -f LATIN1 -t UTF-16LE | { printf '\\377\\376'; "
	 "cat; }", NULL, false, true},
	{"UTF-16, big-endian", "xxd $F | iconv -f LATIN1 -t UTF-16BE | { printf '\\376\\377'; cat; }", NULL,
	 false, true},
	{"line numbers", "hexdump -C $F | cat -n", NULL, false, true},
	{"line numbers of grep", "hexdump -C $F | grep -n .", NULL, false, true},
	{"quoted in a mail", "hexdump -C $F | sed 's/^/> > /'", NULL, false, true},
	{"quoted with bars", "xxd $F | sed 's/^/| /'", NULL, false, true},
	{"behind a prompt", "echo '[root@esx1:~] hexdump -C /vmfs/devices/disks/naa.6'; hexdump -C $F", NULL,
	 false, true},
	{"words of an ESX host", "echo '[root@esx1:~] hexdump /vmfs/devices/disks/naa.6'; hexdump $F",
	 "so the host that the text names", false, true},
	{"wrapped at 72", "hexdump -C $F | fold -s -w 72", NULL, false, true},
	{"wrapped at 50", "hexdump -C $F | fold -s -w 50", NULL, false, true},
	{"od, wrapped", "od -A x -t x1 $F | fold -s -w 40", NULL, false, true},
	{"a web page", "echo '<html><pre>'; hexdump -C $F | sed 's/&/\\&amp;/g; s/</\\&lt;/g; s/>/\\&gt;/g'; "
	 "echo '</pre>'", NULL, false, true},
	{"mark-up in every line", "hexdump -C $F | cut -c 1-58 | sed 's/ /\\&nbsp;/g; s/^/<p><b>/; s/$/<br>/'",
	 NULL, false, true},
	{"a fence", "echo '```'; xxd $F; echo '```'", NULL, false, true},
	{"in two pieces, the second first", "hexdump -C -s 1024 $F; hexdump -C -n 1024 $F", NULL, false, true},
	{"two forms of one disk", "hexdump -C -n 1024 $F; od -A d -t x1 -j 1024 $F", "decimal offsets", false,
	 true},
	{"the same twice", "hexdump -C $F; xxd $F", NULL, false, true},
	/* what cannot be told */
	{"words without anything to tell", "hexdump -v $F", "the first digits first; or groups of 2 bytes, "
	 "the last", true, true},
	{"octal words without anything to tell", "od -v $F", "can be read in two ways", true, true},
	{"xxd -e or xxd -g 4", "xxd -e $F | cut -c 1-45", "groups of 4 bytes, the first digits first", true,
	 true},
	{"one short row", "od -A d -t x1 -j 1024 -N 4 $F", "hexadecimal offsets (first byte 4132)", true, true},
	{"zeros, octal or hexadecimal", "od -t x1 -j 256 -N 256 $F", "octal offsets (first byte 256)", true,
	 true},
};

static char folder[] = "/tmp/vmfskit-listing-XXXXXX";

static inline int make_folder(void **state)
{
	FILE *f;

	(void)state;
	if (mkdtemp(folder) == NULL || chdir(folder) != 0)
		return 1;
	f = fopen("lines.awk", "w");
	if (f == NULL || fputs(awk_program, f) < 0 || fclose(f) != 0)
		return 1;
	return setenv("A", "lines.awk", 1) != 0 || setenv("F", "raw", 1) != 0;
}

static inline int drop_folder(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "cd / && rm -r %s", folder);
	return shell(command);
}

static inline void print_form(const struct form *form, const uint8_t raw[RAW_BYTES])
{
	char command[1000];
	FILE *f = fopen("raw", "w");

	assert_non_null(f);
	assert_int_equal(fwrite(raw, 1, RAW_BYTES, f), RAW_BYTES);
	assert_int_equal(fclose(f), 0);
	snprintf(command, sizeof(command), "{ %s; } >text", form->command);
	if (shell(command) != 0)
		fail_msg("%s: it is not printed", form->name);
}

#endif
