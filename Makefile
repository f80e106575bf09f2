# A thin front; each target is one script or one CMake preset.
.PHONY: run test build setup bench fuzz sanitize coverage determinism differential lint format clean

ONCE ?=

run: build
	@scripts/run $(if $(ONCE),--first-answer-only)

test: setup
	@scripts/test

build: setup
	@scripts/build release

setup:
	@scripts/setup

bench: build
	@scripts/bench

fuzz: setup
	@scripts/fuzz

sanitize: setup
	@scripts/sanitize

coverage: setup
	@scripts/coverage

determinism: setup
	@scripts/determinism

differential: setup
	@scripts/differential

lint: setup
	@scripts/lint

format:
	@scripts/format

clean:
	rm -rf build
