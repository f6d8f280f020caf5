# Octavo. `make run` and `make test` are the two commands of the README; both can be run again at any time.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OCTAVO_PORT ?= 8000
OCTAVO_SITE ?= site
WORKERS ?= 2
export OCTAVO_SITE

RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev
ASSETS := web/static/vendor/manifest.json
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test check fuzz bench assets mission-status screenshots clean look

run: look $(RUN_STAMP) assets
	@$(BIN)/octavo init $(OCTAVO_SITE) --demo --if-missing
	@$(BIN)/octavo serve --port $(OCTAVO_PORT)

test: look $(DEV_STAMP) assets
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

check: $(DEV_STAMP)
	@$(BIN)/ruff format --check --quiet . || { echo "make check: run '$(BIN)/ruff format .'"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@MYPYPATH=examples/service_jobs:examples/functions_days $(BIN)/mypy $(wildcard examples/*/octavo_*)
	@$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest -q tests/house

fuzz: $(DEV_STAMP)
	@OCTAVO_FUZZ=$${OCTAVO_FUZZ:-20} $(BIN)/python -m pytest -q tests/agreement tests/metadata tests/schema tests/records -k "fuzz or agree or random or sequence or property"

bench: $(DEV_STAMP) assets
	@$(BIN)/octavo bench

mission-status: $(DEV_STAMP) assets
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --mission-status docs/mission-status.md

screenshots: $(DEV_STAMP) assets
	@$(BIN)/python -m tests.browser.screenshots docs/images
	@$(BIN)/python -m tests.browser.guide docs

# What a bare machine may lack, said before anything fails half-way.
look:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or later is missing. Debian/Ubuntu: sudo apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Octavo needs Python 3.11 or later; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 run"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing. Debian/Ubuntu: sudo apt-get install python3-venv"; exit 1; }

$(VENV)/bin/python:
	@echo "Creating $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): pyproject.toml | $(VENV)/bin/python
	@echo "Installing Octavo into $(VENV) …"
	@$(PIP) --editable '.[server,postgres]'
	@touch $@

$(DEV_STAMP): pyproject.toml | $(VENV)/bin/python
	@echo "Installing Octavo and its development tools into $(VENV) …"
	@$(PIP) --editable '.[dev]'
	@touch $@ $(RUN_STAMP)

# Browser files come from npm by the lock file; a machine without Node gets one as a Python wheel.
assets: $(ASSETS)

$(ASSETS): web/assets/package-lock.json web/assets/build.mjs web/build_assets.py $(wildcard web/assets/src/*) | $(VENV)/bin/python
	@$(BIN)/python -m web.build_assets

clean:
	rm -rf $(VENV) web/static/vendor web/assets/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
