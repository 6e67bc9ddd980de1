# SPDX-License-Identifier: Apache-2.0
# One binary from base/ inject/ k8sclient/ controller/ webhook/ cmd/; `make help` lists the rest.
VARIANT ?= release
B       := build/$(VARIANT)
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
PYTHON  ?= python3
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)
say      = @printf '  %-8s %s\n' $(1) $(2)

PKGS    := libcurl libcjson yaml-0.1 libssl libcrypto libwebsockets libuv
# -isystem: warnings of other people's headers are not ours to fix.
PKG_CFLAGS = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS) 2>/dev/null))
PKG_LIBS   = $(shell pkg-config --libs $(PKGS) 2>/dev/null)
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	   -Wvla -Wcast-qual -Wformat=2 -Wundef -Werror
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

CFLAGS_release  := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -ffunction-sections -fdata-sections
LDFLAGS_release := -pie -Wl,-z,relro,-z,now,--gc-sections,--as-needed
CFLAGS_clang    := $(CFLAGS_release)
LDFLAGS_clang   := $(LDFLAGS_release)
CFLAGS_san      := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_san     := -fsanitize=address,undefined
CFLAGS_fuzz     := -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_fuzz    := -fsanitize=address,undefined,fuzzer

ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -I. -I$(B)/gen $(WARN) $(CFLAGS_$(VARIANT)) $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LDFLAGS_$(VARIANT)) $(LDFLAGS)

LIB_SRC  := $(wildcard base/*.c inject/*.c k8sclient/*.c controller/*.c webhook/*.c)
CMD_SRC  := $(wildcard cmd/*.c)
TPL      := $(wildcard templates/*)
GEN_C    := $(if $(TPL),$(B)/gen/templates.c)
LIB_OBJ  := $(LIB_SRC:%.c=$(B)/%.o) $(GEN_C:.c=.o)
CMD_OBJ  := $(CMD_SRC:%.c=$(B)/%.o)
UNIT     := $(patsubst %.c,$(B)/%,$(wildcard test/unit/test_*.c))
FUZZ     := $(patsubst %.c,$(B)/%,$(wildcard test/fuzz/fuzz_*.c))
TOOLS    := $(patsubst %.c,$(B)/%,$(wildcard test/tools/*.c test/bench/*.c))
BIN      := $(B)/llmd-tracing
# The operator as its next version might be: other rules in place of these (test/next/rules.c).
NEXT     := $(B)/test/next/llmd-tracing

.DEFAULT_GOAL := all
.PHONY: all help setup run test check unit golden integration e2e asan fuzz lint format image bench clean docs chart manifests
.SECONDARY:
.DELETE_ON_ERROR:

all: $(BIN) ## build the binary (VARIANT=release|san, CC=gcc|clang)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18

$(BIN): $(CMD_OBJ) $(B)/libllmd.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(NEXT): $(filter-out $(B)/cmd/version.o,$(CMD_OBJ)) $(B)/test/next/rules.o $(B)/libllmd.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(B)/libllmd.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# The compiler stands in the variant's stamp, so that CC=clang rebuilds.
$(B)/.cc-$(notdir $(CC)):
	@mkdir -p $(B) && rm -f $(B)/.cc-* && touch $@

$(B)/%.o: %.c $(B)/.cc-$(notdir $(CC)) Makefile
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(if $(filter cmd/version.c,$<),-DLLMD_VERSION='"$(VERSION)"') -MMD -MP -c -o $@ $<

$(B)/gen/templates.c: $(TPL) hack/embed
	$(call say,EMBED,$@)
	@mkdir -p $(@D)
	$(Q)hack/embed templates > $@

$(B)/gen/%.o: $(B)/gen/%.c
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(UNIT) $(TOOLS) $(FUZZ): %: %.o $(B)/libllmd.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)


-include $(shell find $(B) -name '*.d' 2>/dev/null)

setup: ## install what is missing (Debian packages, PyPI, npm)
	$(Q)hack/setup

run: setup all ## a cluster of its own, sample llm-d, operator, traced (CONTEXT=name: your cluster; NODE=0: no node)
	$(Q)hack/run

test: setup ## everything: unit, golden, property, integration, sanitizers, fuzz corpora
	$(Q)hack/test all

check: all ## the everyday part: unit, golden, property (under two minutes)
	$(Q)hack/test check

unit: ## C unit tests
	$(Q)hack/test unit

integration: all ## pytest against a real API server
	$(Q)hack/test integration

.PHONY: telemetry
telemetry: all ## pytest with the real collector and Jaeger (built from Go modules on first use)
	$(Q)hack/test telemetry

e2e: all ## pytest against a real cluster of one node (root; Debian packages of hack/setup)
	$(Q)hack/test e2e

asan: ## every suite of the binary under ASan and UBSan
	$(Q)hack/test asan

fuzz: ## each libFuzzer target for FUZZ_SECONDS (default 60)
	$(Q)hack/test fuzz

lint: ## folder law, purity, format, warnings of both compilers, static analysis
	$(Q)hack/lint

format: ## clang-format in place
	$(Q)clang-format -i $$(git ls-files '*.c' '*.h')

docs: all ## regenerate docs that come from tables
	$(Q)hack/gen-docs

image: all ## the OCI image of the operator and its SBOM, in build/image (no Docker needed)
	$(Q)hack/image

chart: ## the Helm chart as build/llmd-tracing-VERSION.tgz
	$(Q)build/tools/helm package charts/llmd-tracing --destination build

manifests: ## plain YAML for kubectl apply -f and a Kustomize base, into build/manifests
	$(Q)hack/manifests

bench: all ## figures for docs/bench.md (never a pass/fail test)
	$(Q)hack/bench

units: $(UNIT)
tools: $(TOOLS) $(NEXT)
fuzzers: $(FUZZ)
.PHONY: units tools fuzzers

clean: ## remove build/
	$(Q)rm -rf build
