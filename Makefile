# SPDX-License-Identifier: GPL-2.0-only
#
# `make` builds culvert.ko for the running kernel; `make help` says what else
# there is. What the module is made of is in Kbuild.

PACKAGE	:= $(shell sed -n 's/^PACKAGE_NAME="\(.*\)"/\1/p' dkms.conf)
VERSION	:= $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

# The kernel to build for: KVER=release, or KDIR=a directory of headers.
KVER	?= $(shell uname -r)
KDIR	?= /lib/modules/$(KVER)/build

# The kernels to test on: make check KERNELS="12 13"
KERNELS	?= 11 12 13 testing
KERNEL	?= 12

SRC	:= $(DESTDIR)/usr/src/$(PACKAGE)-$(VERSION)
CONF	:= $(DESTDIR)/etc/modprobe.d/culvert.conf
VM	:= selftests/vm

KBUILD	= $(MAKE) -C $(KDIR) M=$(CURDIR)

# Our own builds stop at a warning. A user's must not, when a newer compiler
# than ours finds something new to say.
ifeq ($(CULVERT_WERROR),1)
export KCFLAGS += -Werror
endif

.PHONY: modules help clean install uninstall dkms-install dkms-uninstall \
	check check-static run-in-tree parity shell demo bench check-debug fuzz \
	need-headers need-root need-dkms

modules: need-headers
	$(KBUILD) modules

help:
	@sed -n 's/^#: \?//p' Makefile

#: Build and install
#:   make                   build culvert.ko for the running kernel
#:   make KVER=R | KDIR=D   ... for kernel release R, or against the headers in D
#:   make dkms-install      install it, and again for every kernel to come (DKMS)
#:   make dkms-uninstall    ... and go back to the in-tree modules
#:   make install           install it for this one kernel, without DKMS
#:   make uninstall         ... and go back
#:   make clean             remove what a build left in this directory

clean:
	@find . -path ./.git -prune -o -type f \( -name '*.o' -o -name '*.ko' \
		-o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' -o -name '*.o.d' \
		-o -name '.module-common.*' \
		-o -name Module.symvers -o -name modules.order \) -exec rm -f {} +
	@rm -rf .tmp_versions

install: need-root modules
	$(KBUILD) INSTALL_MOD_DIR=updates modules_install
	install -D -m 644 module/modprobe.d/culvert.conf $(CONF)
	depmod -a $(KVER)

uninstall: need-root
	rm -f $(CONF) $(DESTDIR)/lib/modules/$(KVER)/updates/culvert.ko*
	depmod -a $(KVER)
	@$(say-loaded)

# The copy that DKMS builds from holds the module and nothing of its tests.
dkms-install: need-root need-dkms need-headers
	@! dkms status $(PACKAGE)/$(VERSION) | grep -q . || \
		dkms remove $(PACKAGE)/$(VERSION) --all
	rm -rf $(SRC)
	mkdir -p $(SRC)
	cp -r Kbuild Makefile dkms.conf module $(SRC)/
	$(MAKE) -s -C $(SRC) clean
	dkms add $(PACKAGE)/$(VERSION)
	dkms build $(PACKAGE)/$(VERSION) -k $(KVER)
	dkms install $(PACKAGE)/$(VERSION) -k $(KVER)
	install -D -m 644 module/modprobe.d/culvert.conf $(CONF)

dkms-uninstall: need-root need-dkms
	rm -f $(CONF)
	@! dkms status $(PACKAGE)/$(VERSION) | grep -q . || \
		dkms remove $(PACKAGE)/$(VERSION) --all
	rm -rf $(SRC)
	@$(say-loaded)

say-loaded = [ ! -d /sys/module/culvert ] || echo "culvert is still loaded; \
	its devices go, and the in-tree modules can come, with: modprobe -r culvert"

#: Test (as root, on Debian; everything runs in virtual machines)
#:   make check             every test on every kernel: KERNELS="11 12 13 testing"
#:                          some of them: TESTS="router.sh counters.sh"
#:                          the longest on 6.1 only, or: CULVERT_LONG="11 12 13 testing"
#:   make run-in-tree       the same tests on the in-tree modules, as the reference
#:   make parity            what differs from the in-tree modules, case by case: doc/parity.md
#:   make check-static      sparse, warnings, shellcheck, kernel-doc; Linux 7.3 compiles
#:   make check-debug       the tests on a kernel with KASAN, lockdep and kmemleak, or
#:                          some: DEBUG="fuzz/packets.sh", or DEBUG=--short; races:
#:                          DEBUG=--kcsan; uses of what nobody wrote: DEBUG=--kmsan
#:   make fuzz              the fuzzers of the wire formats: FUZZ=--short
#:   make bench             instructions per packet, beside the in-tree modules
#:   make demo              watch traffic go through a tunnel
#:   make shell KERNEL=12   a shell in a virtual machine with culvert loaded

check:
	@KERNELS="$(KERNELS)" TESTS="$(TESTS)" $(VM)/check

run-in-tree:
	@KERNELS="$(KERNELS)" TESTS="$(TESTS)" $(VM)/check --in-tree

check-static:
	@$(VM)/static

check-debug:
	@$(VM)/debug/run $(DEBUG)

fuzz:
	@selftests/fuzz/run $(FUZZ)

parity:
	@selftests/parity/run $(PARITY)

bench:
	@bench/run

demo:
	@$(VM)/demo

shell:
	@$(VM)/shell $(KERNEL)

need-headers:
	@[ -e $(KDIR)/Makefile ] || { \
	echo "There are no kernel headers in $(KDIR)."; \
	echo "Debian, Ubuntu:  apt install linux-headers-$(KVER)"; \
	echo "Fedora, RHEL:    dnf install kernel-devel-$(KVER)"; \
	echo "Arch:            pacman -S linux-headers"; \
	echo "or say where they are: make KDIR=/path/to/headers"; \
	exit 1; } >&2

need-root:
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" = 0 ] || { \
	echo "This changes the system: run it as root." >&2; exit 1; }

need-dkms:
	@command -v dkms >/dev/null || { \
	echo "DKMS is missing: apt install dkms (or: make install, for this kernel only)" >&2; \
	exit 1; }
