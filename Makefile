# SPDX-License-Identifier: Apache-2.0
# vmfskit: build, test, install. Everything that is made goes to $(BUILD).

VERSION := 0.1.0
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=

CC ?= gcc
PKG_CONFIG ?= pkg-config
PKGS := blkid uuid libcrypto jansson

STD := -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wcast-qual -Wformat=2 -Wundef -Wvla -Wwrite-strings -Werror
OPT ?= -O2 -g
HARDEN ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2
SAN ?=
CPPFLAGS += -Iinclude -Isrc -DVK_VERSION='"$(VERSION)"' $(STD)
CFLAGS += $(OPT) $(WARN) $(HARDEN) $(SAN) -fPIC
LDFLAGS += $(SAN) -Wl,-z,relro,-z,now
LIBS = $(shell $(PKG_CONFIG) --libs $(PKGS)) -lpthread
CPPFLAGS += $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)

LIB_DIRS := base disk io vol store repair
CMD_DIRS := cli report cmd
LAB_DIRS := cli lab
sources = $(sort $(foreach d,$(1),$(wildcard src/$(d)/*.c)))
LIB_SRC := $(call sources,$(LIB_DIRS))
CMD_SRC := $(call sources,$(CMD_DIRS))
LAB_SRC := $(call sources,$(LAB_DIRS))
obj = $(patsubst %.c,$(BUILD)/$(1)/%.o,$(2))

.PHONY: all
all: $(BUILD)/libvmfskit.a $(BUILD)/vmfskit $(BUILD)/vmfskit-lab

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# the same with crash points and read faults, for tests
$(BUILD)/hooks/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -DVK_TEST_HOOKS $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libvmfskit.a: $(call obj,obj,$(LIB_SRC))
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/vmfskit: $(call obj,obj,$(CMD_SRC)) $(BUILD)/libvmfskit.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/vmfskit-lab: $(call obj,obj,$(LAB_SRC)) $(BUILD)/libvmfskit.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/hooks/vmfskit: $(call obj,hooks,$(CMD_SRC)) $(call obj,hooks,$(LIB_SRC))
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# unit tests: one program for each file
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libvmfskit.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
