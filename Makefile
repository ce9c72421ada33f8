# SPDX-License-Identifier: Apache-2.0
# seccomp-authz: `make help` says what there is.

# V=1 shows the commands
Q := $(if $(V),,@)
MODE   ?= release
PREFIX ?= /usr
VERSION := 0.1.0
B      := build/$(MODE)

# ---- what is built from what ------------------------------------------------------
# The judge links little and connects to nothing; the rest is the command line's.
CORE := $(sort $(wildcard plugin/core/*.c))
EDGE := $(sort $(wildcard plugin/edge/*.c))
CMD  := $(sort $(wildcard plugin/cmd/*.c))
UNIT := $(sort $(wildcard tests/unit/test_*.c))
FUZZ := $(sort $(wildcard tests/fuzz/fuzz_*.c))

obj = $(patsubst %.c,$(B)/%.o,$(1))

DEPS_LIBS   := libmicrohttpd gnutls jansson libseccomp nettle
JUDGE_LIBS  := -lmicrohttpd -lgnutls -ljansson -lseccomp -lnettle -lpthread
CMD_LIBS    := -ljansson -lseccomp -lnettle -lcurl -lyaml -lz -lpthread

# ---- flags --------------------------------------------------------------------------
WARN := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wswitch-enum -Wcast-qual -Wundef $(if $(WERROR),-Werror)
# clang before 16 wants to be begged for it
AUTO_INIT := $(shell echo 'int x;' | $(CC) -ftrivial-auto-var-init=zero -x c -c -o /dev/null - \
	2>/dev/null && echo -ftrivial-auto-var-init=zero)
HARD := -fstack-protector-strong -fstack-clash-protection -fcf-protection \
	$(AUTO_INIT) -fPIE
HARD_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
CPPFLAGS_ALL = -Iinclude -D_GNU_SOURCE -DVERSION='"$(VERSION)"' $(CPPFLAGS_$(MODE)) $(CPPFLAGS)

# the same bytes wherever the tree stands
# -ffunction-sections: what nobody calls is left out, since all of it would be resident
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -ffile-prefix-map=$(CURDIR)=. $(HARD) \
	-ffunction-sections -fdata-sections
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
CFLAGS_cov  := -O0 -g --coverage
# these make calls of their own, which the judge's filter would kill (sandbox.h)
CPPFLAGS_asan := -DSANDBOX_OFF
CPPFLAGS_tsan := -DSANDBOX_OFF
CPPFLAGS_cov  := -DSANDBOX_OFF
LDFLAGS_release := $(HARD_LD) -Wl,--gc-sections
LDFLAGS_asan := -fsanitize=address,undefined
LDFLAGS_tsan := -fsanitize=thread
LDFLAGS_cov  := --coverage
ifeq ($(CFLAGS_$(MODE)),)
$(error MODE is one of release asan tsan cov)
endif
ALL_CFLAGS  = -std=gnu17 $(WARN) $(CFLAGS_$(MODE)) $(CFLAGS)
ALL_LDFLAGS = $(LDFLAGS_$(MODE)) $(LDFLAGS) -Wl,--as-needed

# ---- programs -----------------------------------------------------------------------
.PHONY: all
all: $(B)/seccomp-authzd $(B)/seccomp-authz links

# build/seccomp-authz* are the release programs
.PHONY: links
links: $(B)/seccomp-authzd $(B)/seccomp-authz
ifeq ($(MODE),release)
	@ln -sf release/seccomp-authzd build/seccomp-authzd
	@ln -sf release/seccomp-authz build/seccomp-authz
endif

$(B)/libcore.a: $(call obj,$(CORE))
$(B)/libedge.a: $(call obj,$(EDGE))
$(B)/%.a:
	@rm -f $@
	@echo '  AR  $@'
	$(Q)$(AR) rcs $@ $^

$(B)/seccomp-authzd: $(call obj,$(wildcard plugin/daemon*.c)) $(B)/libedge.a $(B)/libcore.a
	@echo '  LD  $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(JUDGE_LIBS)

$(B)/seccomp-authz: $(B)/plugin/main.o $(call obj,$(CMD)) $(B)/libedge.a $(B)/libcore.a
	@echo '  LD  $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(CMD_LIBS)

# a change of compiler, mode or flags rebuilds; -MMD -MP keep the headers in view
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(ALL_CFLAGS) $(CPPFLAGS_ALL)' | cmp -s - $@ || \
	    echo '$(CC) $(ALL_CFLAGS) $(CPPFLAGS_ALL)' > $@
.PHONY: FORCE
FORCE:

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@echo '  CC  $<'
	$(Q)$(CC) $(ALL_CFLAGS) $(CPPFLAGS_ALL) -MMD -MP -c -o $@ $<

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# ---- the two commands of the README -------------------------------------------------
.PHONY: run
run:
	@tests/e2e/setup.sh run
	@$(MAKE) --no-print-directory -s all
	@tests/e2e/show.sh build/release

.PHONY: test
test:
	@tests/e2e/setup.sh test
	$(MAKE) -j$$(nproc) all built
	$(MAKE) test-unit test-cases test-cli
	$(MAKE) fuzz-replay
	$(MAKE) e2e

# ---- tests --------------------------------------------------------------------------
TESTS := $(patsubst tests/unit/%.c,$(B)/tests/%,$(UNIT))

$(B)/tests/%: $(B)/tests/unit/%.o $(B)/libedge.a $(B)/libcore.a
	@mkdir -p $(@D)
	@echo '  LD  $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -lyaml -lz $(JUDGE_LIBS)

# its allocations pass through functions of the test, so that each can fail
$(B)/tests/test_no_memory: ALL_LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

# runs all, then fails if any failed
.PHONY: test-unit
test-unit: $(TESTS)
	@failed=0; for t in $(TESTS); do \
	    $(WRAP) $$t || { failed=$$((failed + 1)); echo "FAILED: $$t" >&2; }; \
	done; echo "unit programs: $(words $(TESTS)) run, $$failed failed"; [ $$failed = 0 ]

.PHONY: test-cases
test-cases: $(B)/seccomp-authz $(B)/seccomp-authzd
	@tests/cases/run.py $(B)/seccomp-authz
	@tests/policies/run.py $(B)/seccomp-authz
	@tests/policies/commands.py $(B)/seccomp-authz

# the suites of other projects, where they are at hand
.PHONY: conformance
conformance: all
	@tests/conformance/webhook.sh $(B)

.PHONY: test-cli
test-cli: $(B)/seccomp-authz
	@for t in tests/cli/test_*.py; do $$t $(B)/seccomp-authz || exit 1; done

.PHONY: test-valgrind
test-valgrind: all $(TESTS)
	@$(MAKE) --no-print-directory test-unit \
	    WRAP="valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect --child-silent-after-fork=yes"
	@tests/cases/run.py --wrap "valgrind -q --error-exitcode=99 --leak-check=full" \
	    --sample 60 $(B)/seccomp-authz

.PHONY: e2e
e2e: all
	@tests/e2e/run.sh $(CURDIR)/$(B)

# the HTML report in headless Chromium; SHOTS: a folder for the screenshots
.PHONY: test-browser
test-browser: all
	@tests/e2e/setup.sh test browser
	@tests/browser/run.py $(CURDIR)/$(B) $(SHOTS)

# a real API server, built from Debian's source package: 5 minutes and 2 GB the first time
KUBERNETES_DIR ?= /var/cache/seccomp-authz-e2e/kubernetes
.PHONY: e2e-kubernetes
e2e-kubernetes: all
	@tests/e2e/setup.sh test
	@tests/e2e/kubernetes/build.sh $(KUBERNETES_DIR)
	@tests/e2e/kubernetes/apiserver.py $(CURDIR)/$(B) $(KUBERNETES_DIR)

# COUNT, SEED, ENGINES, ONLY: see tests/oracle/oracle.py
.PHONY: oracle
oracle: $(B)/seccomp-authzd
	@tests/e2e/setup.sh test
	@tests/oracle/oracle.py $(CURDIR)/$(B)

# what many exceptions cost
.PHONY: bench-policy
bench-policy: $(B)/tests/bench_policy
	@$<

$(B)/tests/bench_%: $(B)/tests/bench/bench_%.o $(B)/libcore.a
	@mkdir -p $(@D)
	@echo '  LD  $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lseccomp -lnettle

# many denials while the disk, the collector and the judge fail
DENIALS ?= 300000
.PHONY: soak
soak: all
	@DENIALS=$(DENIALS) tests/e2e/run.sh $(CURDIR)/$(B) soak_record

# ---- speed -----------------------------------------------------------------------------
BENCH := build/bench

$(BENCH)/%: tests/bench/%.c
	@mkdir -p $(@D)
	@echo '  LD  $@'
	$(Q)$(CC) -std=gnu17 $(WARN) -O2 -g -D_GNU_SOURCE -o $@ $< -lmicrohttpd -lpthread

$(BENCH)/instructions: $(B)/tests/bench/instructions.o $(B)/libcore.a
	@mkdir -p $(@D)
	@echo '  LD  $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(FUZZ_LIBS)

# KEEP=1 writes the counts to tests/bench/instructions.txt
.PHONY: instructions
instructions: $(BENCH)/instructions
	@tests/bench/instructions.sh $< '$(CC)' $(if $(KEEP),keep)

# BENCH_ARGS: see tests/bench/bench.py --help
.PHONY: bench
bench: all $(BENCH)/bare $(BENCH)/load
	@tests/bench/bench.py $(B)/seccomp-authzd $(BENCH) $(BENCH_ARGS)

# the same through a real engine: without a plugin, with ours, with servers that judge nothing
.PHONY: bench-engine
bench-engine: all $(BENCH)/bare # ROUNDS=3
	@tests/e2e/setup.sh run
	@tests/bench/engine.py $(CURDIR)/$(B) $(CURDIR)/$(BENCH)
# millions of questions: memory and descriptors stay flat
REQUESTS ?= 5000000
.PHONY: soak-requests
soak-requests: all
	@REQUESTS=$(REQUESTS) tests/e2e/run.sh $(CURDIR)/$(B) soak_requests

# no data race under load, reloads and an orderly end
.PHONY: races
races:
	@$(MAKE) --no-print-directory MODE=tsan all
	@tests/e2e/run.sh $(CURDIR)/build/tsan load_races

# what the judge does to the kernel, by strace, beside what it may do
.PHONY: sandbox-audit
sandbox-audit: all
	@tests/e2e/setup.sh test
	@tests/e2e/run.sh $(CURDIR)/$(B) test_sandbox.Audit

# what fails, what clients see, what is lost
.PHONY: faults
faults: all
	@tests/e2e/run.sh $(CURDIR)/$(B) test_faults

# ---- fuzzers: clang's libFuzzer, a build of their own ---------------------------------
FUZZ_SECONDS ?= 10
FUZZ_CC ?= clang
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZ))
FUZZ_LIBS := -ljansson -lseccomp -lnettle -lyaml
FUZZ_CFLAGS := -std=gnu17 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_HEADERS := $(wildcard include/core/*.h include/edge/yaml*.h tests/fuzz/*.h)
# the core, and what else parses
FUZZ_SOURCES := $(CORE) $(wildcard plugin/edge/yaml*.c)

build/fuzz/%.o: %.c $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	@echo '  CC  $@'
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link $(CPPFLAGS_ALL) -c -o $@ $<

build/fuzz/fuzz_%: build/fuzz/tests/fuzz/fuzz_%.o $(FUZZ_SOURCES:%.c=build/fuzz/%.o)
	@echo '  LD  $@'
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(FUZZ_LIBS)

# what a run finds stays in build/fuzz: inputs of new coverage, and NAME-crash-...
.PHONY: fuzz
fuzz: $(FUZZ_NAMES:%=build/fuzz/fuzz_%)
	@failed=; for name in $(FUZZ_NAMES); do \
	    mkdir -p build/fuzz/corpus/$$name; \
	    build/fuzz/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
	        -rss_limit_mb=2048 -dict=tests/fuzz/words.dict \
	        -artifact_prefix=build/fuzz/$$name- build/fuzz/corpus/$$name \
	        tests/fuzz/seeds/$$name > build/fuzz/$$name.log 2>&1 && \
	    echo "fuzz: $$name: $$(tail -1 build/fuzz/$$name.log)" || \
	    { failed="$$failed $$name"; grep -aE 'does not hold|ERROR|runtime error|Test unit' \
	        build/fuzz/$$name.log >&2; echo "FAILED: fuzz_$$name" >&2; }; \
	done; [ -z "$$failed" ]

# the same harnesses over the seeds, without libFuzzer and with any compiler
REPLAY_SANITIZE = $(eval REPLAY_SANITIZE := $(shell echo 'int main(void) { return 0; }' | \
	$(CC) -fsanitize=address,undefined -x c -o /dev/null - 2>/dev/null && \
	echo -fsanitize=address,undefined -fno-sanitize-recover=all))$(REPLAY_SANITIZE)
REPLAYS := $(FUZZ_NAMES:%=build/replay/replay_%)

build/replay/%.o: %.c $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	@echo '  CC  $@'
	$(Q)$(CC) -std=gnu17 -g -O1 $(WARN) $(REPLAY_SANITIZE) $(CPPFLAGS_ALL) -c -o $@ $<

build/replay/replay_%: build/replay/tests/fuzz/fuzz_%.o \
    build/replay/tests/fuzz/replay_main.o $(FUZZ_SOURCES:%.c=build/replay/%.o)
	@echo '  LD  $@'
	$(Q)$(CC) $(REPLAY_SANITIZE) -o $@ $^ $(FUZZ_LIBS)

.SECONDARY:

# what `make test` runs
.PHONY: built
built: $(TESTS) $(REPLAYS)

.PHONY: fuzz-replay
fuzz-replay: $(REPLAYS)
	@for name in $(FUZZ_NAMES); do \
	    build/replay/replay_$$name tests/fuzz/seeds/$$name || exit 1; done

# ---- quality ------------------------------------------------------------------------
.PHONY: lint
lint:
	@tests/lint.sh

# ---- packaging ----------------------------------------------------------------------
.PHONY: plugin
plugin:
	@plugin-spec/make-plugin.sh

# a Debian package for the release this runs on, in build/deb
.PHONY: deb
deb:
	@tests/e2e/setup.sh deb
	@plugin-spec/make-deb.sh build/deb

# the package installed, used, upgraded under load and purged on clean machines
SUITES ?= bookworm trixie
.PHONY: test-deb
test-deb:
	@tests/e2e/setup.sh test deb
	$(MAKE) all
	@DEB_SUITES="$(SUITES)" tests/e2e/run.sh $(CURDIR)/$(B) deb_machine

UNIT_DIR := $(PREFIX)/lib/systemd/system
DOC_DIR := $(PREFIX)/share/doc/seccomp-authz
MAN_DIR := $(PREFIX)/share/man
BASH_DIR := $(PREFIX)/share/bash-completion/completions
ZSH_DIR := $(PREFIX)/share/zsh/$(if $(wildcard /etc/debian_version),vendor-completions,site-functions)
UNITS := $(wildcard plugin-spec/systemd/*)
DOCS := README.md $(wildcard plugin-spec/*.schema.json) plugin-spec/policy.example.json \
	plugin-spec/policy-tests.example.json
MANS := $(wildcard plugin-spec/man/*)
# folders that pages link to, as they are; but for the certificates that
# openssl/certificate.sh makes
TREES := $(sort $(shell cd plugin-spec && find docs ci prometheus grafana kubernetes swarm \
	-type f ! -name '.*' ! -name 'tls.*' ! -name 'ca.*' ! -name 'ca-*'))
INSTALLED := $(PREFIX)/bin/seccomp-authz $(PREFIX)/bin/seccomp-authzd \
	$(addprefix $(UNIT_DIR)/,$(notdir $(UNITS))) $(addprefix $(DOC_DIR)/,$(notdir $(DOCS))) \
	$(foreach m,$(MANS),$(MAN_DIR)/man$(subst .,,$(suffix $m))/$(notdir $m)) \
	$(BASH_DIR)/seccomp-authz $(ZSH_DIR)/_seccomp-authz \
	$(MAN_DIR)/man8/seccomp-authzd.8 $(PREFIX)/lib/sysusers.d/seccomp-authz.conf \
	$(addprefix $(DOC_DIR)/,$(TREES))

.PHONY: install
install: all
	install -d $(addprefix $(DESTDIR),$(sort $(dir $(INSTALLED))))
	install -m 755 $(B)/seccomp-authz $(B)/seccomp-authzd $(DESTDIR)$(PREFIX)/bin/
	for unit in $(UNITS); do \
	    sed 's|/usr/bin/|$(PREFIX)/bin/|' $$unit > $(DESTDIR)$(UNIT_DIR)/$${unit##*/} || exit 1; \
	    chmod 644 $(DESTDIR)$(UNIT_DIR)/$${unit##*/}; done
	install -m 644 $(DOCS) $(DESTDIR)$(DOC_DIR)/
	sed 's,\[\([a-z-]*([58])\)\](plugin-spec/man/[^)]*),\1,g; s,](plugin-spec/,](,g' README.md \
	    > $(DESTDIR)$(DOC_DIR)/README.md
	for file in $(TREES); do \
	    install -m $$(stat -c %a plugin-spec/$$file) plugin-spec/$$file \
	        $(DESTDIR)$(DOC_DIR)/$$file || exit 1; done
	for page in $(MANS); do \
	    install -m 644 $$page $(DESTDIR)$(MAN_DIR)/man$${page##*.}/ || exit 1; done
	ln -sf seccomp-authz.8 $(DESTDIR)$(MAN_DIR)/man8/seccomp-authzd.8
	install -m 644 plugin-spec/completions/seccomp-authz.bash $(DESTDIR)$(BASH_DIR)/seccomp-authz
	install -m 644 plugin-spec/completions/_seccomp-authz $(DESTDIR)$(ZSH_DIR)/
	install -m 644 plugin-spec/sysusers/seccomp-authz.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/

# policies, records and state are the operator's and stay
.PHONY: uninstall
uninstall:
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	-find $(DESTDIR)$(DOC_DIR) -depth -type d -empty -delete 2>/dev/null

.PHONY: clean
clean:
	rm -rf build

.PHONY: help
help:
	@sed -n 's/^## //p' Makefile

## make            build build/seccomp-authzd (the judge) and build/seccomp-authz
## make run        show the plugin guarding a throwaway engine (root, Debian)
## make test       install what is missing, then all tests (root, Debian)
## make test-unit  the unit tests alone          make test-cases   the cases alone
## make test-cli   the command line on files, the example hooks
## make test-valgrind   unit tests and cases under valgrind
## make conformance   the suites of Pod Security Admission and Gatekeeper, sent to the webhook
##                 over HTTPS: agreed, differed and why
## make test-browser SHOTS=DIR   the audit's HTML report in Chromium: clicked, looked at
## make e2e-kubernetes   the manifests on a real kube-apiserver, which is built first (minutes)
## make e2e        the end-to-end tests against real engines
## make soak DENIALS=300000   the record under every failure at once
## make bench-policy   what 10,000 exceptions cost, to load and for each decision
## make soak-requests REQUESTS=5000000   memory and descriptors stay flat
## make faults     every fault under load: what clients see, what is lost
## make sandbox-audit   system calls of the judge (strace), beside its filter
## make races      ThreadSanitizer under load with reloads
## make oracle COUNT=300 SEED=1   random requests: our verdict against what real engines run
## make fuzz       every fuzzer for FUZZ_SECONDS each (clang)   make fuzz-replay   over the seeds
## make bench      the judge beside a bare libmicrohttpd server; table in build/bench.txt, .json
## make bench-engine   what a plugin costs a real engine's docker ps and create
## make instructions   instructions of a decision, counted by valgrind, against those kept
## make lint       format, clang-tidy, cppcheck, rooms and purity
## make deb        a Debian package for this release, in build/deb
## make test-deb SUITES="bookworm trixie"   installed, used, upgraded under load, purged
## make plugin     the managed plugin, by docker build and docker plugin create
## make install DESTDIR= PREFIX=/usr     make uninstall     make clean
## MODE=asan|tsan|cov   sanitizers or coverage, in build/MODE; CC=clang; WERROR=1
