# SPDX-License-Identifier: Apache-2.0
# vmfskit: build, test, install. Everything that is made goes to $(BUILD); sources are found by being there.

VERSION := 0.1.0
DATE := 2026-11-21
SONAME := libvmfskit.so.0

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system

ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
PKG_CONFIG ?= pkg-config
PKGS := blkid uuid libcrypto jansson zlib libzstd
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 300

# CPPFLAGS, CFLAGS and LDFLAGS are the user's; ours stand in front of them.
STD := -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wcast-qual -Wformat=2 -Wundef -Wvla -Wwrite-strings -Wno-missing-field-initializers -Werror
OPT ?= -O2 -g
HARDEN ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2
SAN ?=
# asked once, and only when something is compiled or linked: the packages may have to be installed first
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell $(PKG_CONFIG) --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $$(shell $(PKG_CONFIG) --libs $(PKGS)))$(PKG_LIBS)
PKG_LIBS_STATIC = $(eval PKG_LIBS_STATIC := $$(shell $(PKG_CONFIG) --static --libs $(PKGS)))$(PKG_LIBS_STATIC)
# without libfuse3 there is no vmfskit mount, and it says so
FUSE_CFLAGS = $(eval FUSE_CFLAGS := $$(shell ! $(PKG_CONFIG) --exists fuse3 || { echo -DVK_HAVE_FUSE; $(PKG_CONFIG) --cflags fuse3; }))$(FUSE_CFLAGS)
FUSE_LIBS = $(eval FUSE_LIBS := $$(shell ! $(PKG_CONFIG) --exists fuse3 || echo -Wl,--as-needed `$(PKG_CONFIG) --libs fuse3` -Wl,--no-as-needed))$(FUSE_LIBS)
ALL_CPPFLAGS = -Iinclude -Isrc -DVK_VERSION='"$(VERSION)"' -DVK_DATE='"$(DATE)"' $(STD) $(PKG_CFLAGS) $(EXTRA_CPPFLAGS) $(CPPFLAGS)
ALL_CFLAGS = $(OPT) $(WARN) $(HARDEN) $(SAN) -fPIC $(CFLAGS)
ALL_LDFLAGS = $(SAN) -Wl,-z,relro,-z,now $(LDFLAGS)
LIBS = $(PKG_LIBS) $(FUSE_LIBS) -lpthread

sources = $(sort $(foreach d,$(1),$(wildcard src/$(d)/*.c src/$(d)/*/*.c)))
obj = $(patsubst %.c,$(BUILD)/$(1)/%.o,$(2))
LIB_SRC := $(call sources,base explain disk io vol source fs vdisk filemap scsi lunid evidence find rebuild store \
	bundle extract undelete repair doctor)
CMD_SRC := $(call sources,cli report cmd)
LAB_SRC := $(call sources,cli lab)
# everything above the library but the two main(): for the generator of the pages and for unit tests
APP_SRC := $(filter-out %/main.c %_main.c,$(sort $(CMD_SRC) $(LAB_SRC)))

# one line for each step; V=1 shows the commands
ifeq ($(V),1)
say =
else
say = @printf '  %-5s %s\n' '$(1)' '$(patsubst $(BUILD)/%,%,$(2))';
endif

.PHONY: all
all: $(BUILD)/libvmfskit.a $(BUILD)/libvmfskit.so $(BUILD)/vmfskit $(BUILD)/vmfskit-lab

%/src/cmd/files/mount_fuse.o: EXTRA_CPPFLAGS = $(patsubst -I%,-isystem %,$(FUSE_CFLAGS))

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# the same with crash points and read faults, for tests
$(BUILD)/hooks/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CPPFLAGS) -DVK_TEST_HOOKS $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libvmfskit.a: $(call obj,obj,$(LIB_SRC))
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $^

$(BUILD)/libapp.a: $(call obj,obj,$(APP_SRC))
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $^

# it shows what the public headers declare, and nothing else
$(BUILD)/libvmfskit.map: src/tools/exports.sh $(wildcard include/vmfskit/*.h)
	@mkdir -p $(@D)
	@CC="$(CC)" src/tools/exports.sh --map >$@

$(BUILD)/libvmfskit.so.$(VERSION): $(call obj,obj,$(LIB_SRC)) $(BUILD)/libvmfskit.map
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=$(BUILD)/libvmfskit.map -Wl,-z,defs \
		-o $@ $(filter %.o,$^) $(LIBS)

$(BUILD)/libvmfskit.so: $(BUILD)/libvmfskit.so.$(VERSION)
	@ln -sf $(<F) $(BUILD)/$(SONAME)
	@ln -sf $(SONAME) $@

$(BUILD)/vmfskit: $(call obj,obj,$(CMD_SRC)) $(BUILD)/libvmfskit.a
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/vmfskit-lab: $(call obj,obj,$(LAB_SRC)) $(BUILD)/libvmfskit.a
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/hooks/vmfskit: $(call obj,hooks,$(CMD_SRC)) $(call obj,hooks,$(LIB_SRC))
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# one file that needs nothing of the system it runs on; glibc's warnings concern functions of libcrypto that
# are never called (engines, sockets)
$(BUILD)/static/obj/mount_fuse.o: src/cmd/files/mount_fuse.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

.PHONY: static
static: $(BUILD)/static/vmfskit
$(BUILD)/static/vmfskit: $(filter-out %/mount_fuse.o,$(call obj,obj,$(CMD_SRC))) $(BUILD)/static/obj/mount_fuse.o $(BUILD)/libvmfskit.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -static -s -o $@ $^ $(PKG_LIBS_STATIC) -lpthread 2>$@.log || { cat $@.log >&2; exit 1; }
	@grep -v -e 'in statically linked applications requires at runtime' -e ': in function ' $@.log >&2 || true

# pages and completions that come from the tables
$(BUILD)/gen_docs: $(BUILD)/obj/src/tools/gen_docs.o $(BUILD)/libapp.a $(BUILD)/libvmfskit.a
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/generated: $(BUILD)/gen_docs
	@rm -rf $@
	@mkdir -p $@/man $@/completion
	@$< $@
	@touch $@

.PHONY: docs
docs: $(BUILD)/generated
	@mkdir -p docs/man
	rm -f docs/man/*.1
	cp $(BUILD)/generated/*.md docs/
	cp $(BUILD)/generated/man/*.1 docs/man/

# unit tests: one program for each file
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libapp.a $(BUILD)/libvmfskit.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

# fuzz entries: under libFuzzer with `make fuzz`, and their corpora with an ordinary compiler in `make check`
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAY := $(FUZZ_NAMES:%=$(BUILD)/replay/%)
$(BUILD)/replay/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o $(BUILD)/libapp.a $(BUILD)/libvmfskit.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
$(BUILD)/fuzz/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CLANG) $(ALL_CPPFLAGS) -O1 -g $(WARN) $(FUZZ_SAN) -fsanitize=fuzzer-no-link -fno-omit-frame-pointer -MMD -MP -c -o $@ $<
# and what of the programs above the library reads text of others
$(BUILD)/fuzz/libvmfskit.a: $(call obj,fuzz/obj,$(LIB_SRC) src/cli/config_text.c)
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $^
$(BUILD)/fuzz/bin/%: $(BUILD)/fuzz/obj/tests/fuzz/fuzz_%.o $(BUILD)/fuzz/libvmfskit.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CLANG) $(FUZZ_SAN) -fsanitize=fuzzer -o $@ $^ $(LIBS)

.PHONY: fuzz fuzz-run
fuzz:
	@src/tools/deps.sh build fuzz
	@$(MAKE) --no-print-directory fuzz-run
fuzz-run: $(FUZZ_NAMES:%=$(BUILD)/fuzz/bin/%)
	@src/tools/fuzz.sh $(BUILD)/fuzz $(FUZZ_SECONDS) $(JOBS) $(FUZZ_NAMES)

# SANITIZED: no static program then, an address sanitizer cannot be in one
TESTED := $(BUILD)/vmfskit $(BUILD)/vmfskit-lab $(BUILD)/hooks/vmfskit $(BUILD)/libvmfskit.so $(BUILD)/generated \
	$(UNIT) $(REPLAY) $(if $(SAN),,$(BUILD)/static/vmfskit)
.PHONY: check check-run check-asan
check:
	@src/tools/deps.sh build check
	@$(MAKE) --no-print-directory -j$(JOBS) check-run
check-run: $(TESTED)
	@BUILD='$(BUILD)' tests/run.sh

# random damage in the thousands, of which check runs some hundred: DAMAGES of each volume and disk, the last thousand of them
# heavier and of other kinds
DAMAGES ?= 6000
.PHONY: check-long check-long-run
check-long:
	@src/tools/deps.sh build check
	@$(MAKE) --no-print-directory -j$(JOBS) check-long-run
check-long-run: $(filter %/test_damage_property %/test_damage_table,$(UNIT))
	@BUILD='$(BUILD)' DAMAGES='$(DAMAGES)' TEST_SECONDS=7200 tests/run.sh unit/test_damage_property unit/test_damage_table

# the programs, built and run with the sanitizers
WITH_SANITIZERS = ASAN_OPTIONS=exitcode=86:abort_on_error=0 UBSAN_OPTIONS=exitcode=86:print_stacktrace=1 \
	LSAN_OPTIONS=exitcode=86 $(MAKE) --no-print-directory -j$(JOBS) BUILD='$(BUILD)/asan' \
	OPT='-O1 -g -fno-omit-frame-pointer' HARDEN= SAN='-fsanitize=address,undefined -fno-sanitize-recover=all'
check-asan:
	@src/tools/deps.sh build check
	+@$(WITH_SANITIZERS) check-run

# 3000 damages to file systems, of which check runs a part, with the sanitizers: FILE_DAMAGES of each volume, from number
# DAMAGES_FROM on; and HISTORIES of volumes whose deleted files are judged
FILE_DAMAGES ?= 430
HISTORIES ?= 200
DAMAGES_FROM ?= 0
.PHONY: check-files check-files-run
check-files:
	@src/tools/deps.sh build check
	+@$(WITH_SANITIZERS) check-files-run
check-files-run: $(filter %/test_fs_damage %/test_fs_noticed %/test_undelete_histories,$(UNIT))
	@$(BUILD)/unit/test_fs_damage; damage=$$?; $(BUILD)/unit/test_fs_noticed; noticed=$$?; \
		HISTORIES=$(HISTORIES) $(BUILD)/unit/test_undelete_histories && exit $$((damage + noticed))
check-files-run: export DAMAGES = $(FILE_DAMAGES)
check-files-run: export DAMAGES_FROM := $(DAMAGES_FROM)

.PHONY: deps demo bench bench-run
deps:
	@src/tools/deps.sh build

demo:
	@src/tools/deps.sh build
	@src/tools/quietly.sh 'Compiling' $(MAKE) --no-print-directory -j$(JOBS) $(BUILD)/vmfskit $(BUILD)/vmfskit-lab
	@src/tools/demo.sh $(BUILD)

bench:
	@src/tools/deps.sh build bench
	@$(MAKE) --no-print-directory -s -j$(JOBS) bench-run
bench-run: $(BUILD)/vmfskit $(BUILD)/vmfskit-lab
	@BUILD='$(BUILD)' tests/bench.sh
	@BUILD='$(BUILD)' tests/bench_nights.sh
	@BUILD='$(BUILD)' tests/bench_find.sh
	@BUILD='$(BUILD)' tests/bench_files.sh

.PHONY: tidy tidy-run
tidy:
	@src/tools/deps.sh build tidy
	@$(MAKE) --no-print-directory tidy-run
tidy-run:
	@printf '%s\n' $(sort $(wildcard src/*/*.c src/*/*/*.c tests/unit/*.c tests/fuzz/*.c)) | \
		xargs -P $(JOBS) -n 1 src/tools/tidy.sh $(ALL_CPPFLAGS)
	@cppcheck -q -j $(JOBS) --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppress=missingIncludeSystem --suppress='*:/usr/*' -Iinclude -Isrc -DVK_VERSION='""' -DVK_DATE='""' src

# what works at night: programs, units, and the scripts of cron, which are at work as soon as they are in place. A file is
# there when it is there: parts of it come from other hands.
NIGHT_PARTS := $(wildcard cron/vmfskit-nightly cron/vmfskit-receive cron/vmfskit-collect.sh cron/esxi/vmfskit-esxi.sh)
NIGHT_UNITS := $(notdir $(wildcard cron/systemd/*))
# the scripts of cron are the same wherever these files go, so that make install and the package do not undo each other
SHARES := $(sort $(DATADIR) /usr/local/share /usr/share)
paths = sed -e 's|@BINDIR@|$(BINDIR)|g' -e 's|@DATADIR@|$(DATADIR)|g' -e 's|@SHARES@|$(SHARES)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' \
	$(1) >$(2) && chmod $(3) $(2)
OTHER_NIGHT := $(addsuffix /vmfskit/vmfskit-nightly,$(addprefix $(DESTDIR),$(filter-out $(DATADIR),$(SHARES))))
ETC_CONF = $(DESTDIR)$(SYSCONFDIR)/vmfskit/vmfskit.conf

.PHONY: install install-night uninstall
install: all $(BUILD)/generated
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/vmfskit \
		$(DESTDIR)$(DATADIR)/man/man1 $(DESTDIR)$(DATADIR)/bash-completion/completions \
		$(DESTDIR)$(DATADIR)/doc/vmfskit
	install -m 755 $(BUILD)/vmfskit $(BUILD)/vmfskit-lab $(DESTDIR)$(BINDIR)
	install -m 644 $(BUILD)/libvmfskit.a $(BUILD)/libvmfskit.so.$(VERSION) $(DESTDIR)$(LIBDIR)
	ln -sf libvmfskit.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libvmfskit.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
		-e 's|@VERSION@|$(VERSION)|' -e 's|@PKGS@|$(PKGS)|' src/vmfskit.pc.in \
		>$(DESTDIR)$(LIBDIR)/pkgconfig/vmfskit.pc
	install -m 644 include/vmfskit/*.h $(DESTDIR)$(INCLUDEDIR)/vmfskit
	install -m 644 $(BUILD)/generated/man/*.1 $(DESTDIR)$(DATADIR)/man/man1
	install -m 644 $(BUILD)/generated/completion/* $(DESTDIR)$(DATADIR)/bash-completion/completions
	install -m 644 README.md LICENSE $(wildcard docs/*.md) $(DESTDIR)$(DATADIR)/doc/vmfskit
	@test -n '$(DESTDIR)' || ldconfig 2>/dev/null || true
	@$(MAKE) --no-print-directory install-night

install-night:
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(DATADIR)/vmfskit $(DESTDIR)$(DATADIR)/doc/vmfskit $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(SYSCONFDIR)/cron.daily $(DESTDIR)$(SYSCONFDIR)/cron.weekly $(DESTDIR)$(SYSCONFDIR)/vmfskit
	$(call paths,cron/vmfskit-push,$(DESTDIR)$(BINDIR)/vmfskit-push,755)
	$(foreach f,$(NIGHT_PARTS),$(call paths,$(f),$(DESTDIR)$(DATADIR)/vmfskit/$(notdir $(f)),755) &&) true
	$(foreach f,$(NIGHT_UNITS),$(call paths,cron/systemd/$(f),$(DESTDIR)$(UNITDIR)/$(f),644) &&) true
	$(call paths,cron/vmfskit.cron.daily,$(DESTDIR)$(SYSCONFDIR)/cron.daily/vmfskit,755)
	$(call paths,cron/vmfskit.cron.weekly,$(DESTDIR)$(SYSCONFDIR)/cron.weekly/vmfskit,755)
	install -m 644 cron/vmfskit.conf $(DESTDIR)$(DATADIR)/vmfskit/vmfskit.conf
	install -m 644 cron/vmfskit.conf $(DESTDIR)$(DATADIR)/doc/vmfskit/vmfskit.conf.example
	install -m 644 cron/push.conf.example $(DESTDIR)$(DATADIR)/doc/vmfskit/push.conf.example
	@test -e $(ETC_CONF) || install -m 644 cron/vmfskit.conf $(ETC_CONF)

# A changed configuration stays, and what else was put beside it. What the package uses, too, stays with the package.
uninstall:
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,vmfskit vmfskit-lab vmfskit-push)
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,libvmfskit.a libvmfskit.so $(SONAME) libvmfskit.so.$(VERSION) pkgconfig/vmfskit.pc)
	@ls $(OTHER_NIGHT) >/dev/null 2>&1 || { \
		rm -f $(DESTDIR)$(SYSCONFDIR)/cron.daily/vmfskit $(DESTDIR)$(SYSCONFDIR)/cron.weekly/vmfskit; \
		! cmp -s cron/vmfskit.conf $(ETC_CONF) || rm -f $(ETC_CONF); }
	@rmdir $(DESTDIR)$(SYSCONFDIR)/vmfskit 2>/dev/null || true
	rm -rf $(DESTDIR)$(INCLUDEDIR)/vmfskit $(DESTDIR)$(DATADIR)/vmfskit $(DESTDIR)$(DATADIR)/doc/vmfskit
	rm -f $(addprefix $(DESTDIR)$(UNITDIR)/,$(NIGHT_UNITS))
	rm -f $(DESTDIR)$(DATADIR)/man/man1/vmfskit.1 $(DESTDIR)$(DATADIR)/man/man1/vmfskit-*.1
	rm -f $(addprefix $(DESTDIR)$(DATADIR)/bash-completion/completions/,vmfskit vmfskit-lab)
	@test -z "$$(ls -A $(DESTDIR)$(SYSCONFDIR)/vmfskit 2>/dev/null)" || echo "$(DESTDIR)$(SYSCONFDIR)/vmfskit stays: its files were changed or are in use"
	@test ! -d $(DESTDIR)/var/lib/vmfskit || echo "$(DESTDIR)/var/lib/vmfskit stays: your captures"

.PHONY: deb deb-run
deb:
	@src/tools/deps.sh build deb
	@$(MAKE) --no-print-directory -j$(JOBS) deb-run
deb-run: all $(BUILD)/generated
	@cron/debian/build.sh $(BUILD) $(VERSION) $(DATE) $(or $(DEB_DIR),$(BUILD))

.PHONY: clean
clean:
	rm -rf $(BUILD)

.DELETE_ON_ERROR:
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
