# Crema's tasks. `make` alone lists them.

CONFIG ?= Sources/crema/Shop/crema.yaml
CREMA := .build/release/crema
PREFIX ?= /usr/local

.DEFAULT_GOAL := help
.PHONY: help prepare build certs demo serve test fuzz bench image install format docs clean

help: ## list these tasks
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build certs ## the whole way once: an order by HTTP and MQTT, its status on two screens, over TLS
	@.ci/prepare.sh demo
	$(CREMA) demo --config $(CONFIG)

serve: build certs ## the broker of the demo with the shop's screens, until Ctrl-C
	$(CREMA) demo --links --config $(CONFIG)
	$(CREMA) serve --config $(CONFIG)

test: ## everything that CI runs
	@.ci/test.sh

fuzz: ## feed the readers of packets and frames with the kept inputs and with new ones for a while
	@.ci/prepare.sh build
	@.ci/fuzz.sh

bench: build ## the benchmarks, and Crema beside Debian's mosquitto
	@.ci/prepare.sh bench
	@.ci/bench.sh

image: ## the container image's steps, without a Docker engine, in a bare Debian root
	@.ci/prepare.sh test
	@docker/check.sh

install: build ## crema, manual pages, completions and systemd's unit, below PREFIX (/usr/local)
	@.ci/prepare.sh install
	@.ci/install.sh $(CREMA) $(PREFIX) $(DESTDIR)

format: ## lay out the Swift sources
	swift format --in-place --parallel --recursive Sources Tests Benchmarks Package.swift

docs: build ## the documentation, into .build/docs
	@.ci/docs.sh

prepare: ## install the Debian packages that are missing
	@.ci/prepare.sh all

build: ## crema, in release
	@.ci/prepare.sh build
	swift build -c release --product crema

certs: build ## a development certificate authority and its certificates, under certs/
	@CREMA=$(CURDIR)/$(CREMA) certs/generate.sh customer neighbour barista device-1 operator

clean: ## remove everything that was built (certs/ stays)
	rm -rf .build Benchmarks/.build
