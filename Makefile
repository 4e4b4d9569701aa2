# Every target does its own set-up; a fresh machine needs Python 3.11 or newer, git and make.
# the distribution's where it is new enough: it is built with optimisations, which one compiled on the spot rarely is, and a fifth quicker
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo /usr/bin/python3 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
# tests wait for servers half of the time: half more of them at once than there are processors, and never more than a dozen
TESTERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); n=$$((n + (n + 1) / 2)); echo $$((n < 12 ? n : 12)))

.DEFAULT_GOAL := help
.PHONY: help setup run test test-browser test-postgres test-slow lint lock clean

help:            ## say what can be made
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 24

setup: $(VENV)/.run  ## install the server into .venv, with the command `.venv/bin/grantway`

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Grantway needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.python requirements/run.txt pyproject.toml
	@echo "Installing what the server needs into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.demo: $(VENV)/.run requirements/demo.txt
	@echo "Installing what the demonstration's app needs into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.txt
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements/test.txt
	@echo "Installing what the tests need into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	@touch $@

# OAuth clients from npm for the interop tests; without npm these tests are skipped, and say so
$(VENV)/.node: $(VENV)/.test tests/interop/node/package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund --prefix tests/interop/node; else echo "npm is not there: two OAuth clients are not tried"; fi
	@touch $@

run: $(VENV)/.demo  ## start the demonstration: a server, an app, a person, an access grant
	@$(BIN)/grantway demo

test: lint $(VENV)/.node  ## lint, types, architecture contracts and the tests, but for browsers and slow ones
	$(BIN)/pytest -n $(TESTERS) -m "not slow" --ignore tests/browser

test-browser: $(VENV)/.node  ## every page in Debian's chromium; pictures in build/screenshots
	$(BIN)/pytest -n auto tests/browser

test-postgres: $(VENV)/.test  ## the storage and the stories on a real PostgreSQL
	GRANTWAY_TEST_ENGINE=postgresql $(BIN)/pytest -n $(TESTERS) -m "not slow" tests/storage tests/accounts tests/stories

test-slow: $(VENV)/.test  ## the suites that take long
	$(BIN)/pytest -m slow
	GRANTWAY_TEST_ENGINE=postgresql $(BIN)/pytest -m slow tests/stories/test_at_once.py tests/stories/test_workers.py

lint: $(VENV)/.test  ## lint, types and architecture contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

lock: $(VENV)/.python  ## compile requirements/*.in, and those of the benchmarks' peers, into files with hashes
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@for part in run demo test; do $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header requirements/$$part.in -o requirements/$$part.txt; done
	@for peer in tools authlib django; do $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header bench/peers/$$peer/requirements.in -o bench/peers/$$peer/requirements.txt; done

clean:           ## remove what set-up and tests made
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build src/*.egg-info
