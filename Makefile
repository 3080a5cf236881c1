# Every command a person needs. `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run site test test-rust test-browser test-browsers test-servers test-examples screenshots day bench growth fairness fuzz watch lint coverage weight release clean

# The program for the tests that run it. Built as the Rust tests build it: other features would compile everything twice.
program := cargo test --quiet --no-run -p server --test stop

site_sources := $(shell find app crates/model style public packages/embed/embed.js scripts/site scripts/trim-wasm.mjs -type f) Cargo.toml Cargo.lock rust-toolchain.toml

help: ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: site ## build what is missing, start the demo and print its addresses
	cargo run --quiet -p server -- demo $(DEMO)

site: target/site.stamp ## build what the browser downloads
target/site.stamp: $(site_sources)
	scripts/site
	@touch $@

test: site test-rust test-browser ## install what the tests need and run all of them

test-rust:
	scripts/postgresql
	cargo test --workspace --features app/ssr

test-browser: site
	$(program)
	scripts/postgresql
	scripts/browser-tests

test-browsers: site ## the tutorial in Firefox and WebKit, Lighthouse in Chromium, a provider that is not ours
	$(program)
	scripts/other-browsers

test-servers: ## the same conversation against Postfix, Dovecot, Exim and OpenSMTPD (as root, on Debian)
	cargo test --no-run -p server --test real
	scripts/mail-servers cargo test -p server --test real -- --ignored

test-examples: site ## the portals of examples/, and what docs/ says, against `facteur serve`
	$(program)
	scripts/test-examples

screenshots: site ## a picture of every page and state, in target/screenshots/index.html
	$(program)
	scripts/screenshots

day: ## a day of a portal: ten accounts, mail servers of every kind, Facteur killed at random; SEED= MESSAGES= KILLS= DATABASE=postgres REPLICAS=
	$(program)
	scripts/day

bench: site ## messages a second, CPU, memory, the API, beside nodemailer and smtp-source; results in target/bench
	cargo build --release -p server
	scripts/bench

growth: site ## the same measures with little and with a million messages and profiles, on both databases; about half an hour
	cargo build --release -p server
	scripts/growth

fairness: site ## a good account beside forty on slow, dead and hostile servers
	cargo build --release -p server
	scripts/fairness

fuzz: ## feed the parsers with whatever a fuzzer finds; SECONDS_EACH=20
	scripts/fuzz $(SECONDS_EACH)

watch: ## rebuild and restart on every change
	scripts/watch

lint: ## formatting, width of view!, clippy (native, wasm32, fuzz), documents, arrows between modules, dependencies
	scripts/lint

coverage: ## which lines the Rust tests run; pages in target/llvm-cov/html
	scripts/coverage

weight: site ## the page's weight against its budget
	scripts/weight

release: ## binary, npm package, sources and checksums of the tagged version, in target/release-VERSION
	scripts/release

clean: ## remove what was built (not the data)
	rm -rf target .tools end2end/node_modules end2end/test-results bench/node_modules
