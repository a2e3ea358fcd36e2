# The verbs of the project. Each works from a clean clone and does nothing twice.
PYTHON ?= python3.11
PORT ?= 8000
DATA ?=
QUICK ?=
BIN := .venv/bin

.PHONY: setup demo test check soak bench docs lock front help

help: ## list the verbs
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: .venv/.base static/dist/manifest.json ## virtual environment, dependencies, front end

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.torch: scripts/install_torch.sh | .venv/bin/python
	scripts/install_torch.sh
	@touch $@

.venv/.base: requirements/base.lock .venv/.torch
	$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements/base.lock
	@touch $@

.venv/.dev: requirements/dev.lock .venv/.base
	$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements/dev.lock
	@touch $@

static/node_modules/.package-lock.json: static/package-lock.json
	cd static && npm ci --no-audit --no-fund

front: static/dist/manifest.json

static/dist/manifest.json: static/node_modules/.package-lock.json $(shell find static/src -type f 2>/dev/null) static/vite.config.ts
	cd static && npm run build

demo: setup ## start everything with the demo study (PORT=8000, DATA=folder, QUICK=1)
	@$(BIN)/python -m demo --port $(PORT) $(if $(DATA),--data $(DATA)) $(if $(QUICK),--quick)

test: ## Debian packages, then every check and test
	scripts/debian_packages.sh
	$(MAKE) setup .venv/.dev
	scripts/run_tests.sh

check: .venv/.dev ## format, lint, types, import rules
	scripts/check.sh

soak: setup .venv/.dev ## the full dose of kills, cuts and damaged files (an hour or so)
	READERSTUDY_KILLS=100 READERSTUDY_CASES=500 READERSTUDY_CUTS=200 $(BIN)/python -m pytest -q tests/durability
	READERSTUDY_MUTANTS=100000 $(BIN)/python -m pytest -q -m slow tests/imaging

bench: setup .venv/.dev ## benchmarks, each as ratios to a named peer in one run
	@for script in benchmarks/bench_*.py; do echo "== $$script"; PYTHONPATH=. $(BIN)/python $$script; done

docs: .venv/.dev ## run the examples of the documents and check their links
	$(BIN)/python -m pytest -q --doctest-glob='*.md' --doctest-modules README.md docs readerstudy/stats
	$(BIN)/python -m pytest -q tests/architecture

lock: .venv/.dev ## resolve the dependencies again
	scripts/lock.sh
