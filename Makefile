# The two commands are 'make synth' and 'make test'; both set themselves up. 'make check' is what CI runs.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
ORG ?= organization.toml
FUZZ_SECONDS ?= 60
BIN := .venv/bin
STAMP := .venv/.installed
# One worker a core: what a worker waits for is a process of its own that works, and each has four seconds to collect.
WORKERS ?= auto
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q

export CDK_DISABLE_CLI_TELEMETRY := true
# Hundreds of processes start here; each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help synth test check lint format snapshots walkthrough bench fuzz clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

$(STAMP): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer was not found; install it or run make PYTHON=/path/to/python3" >&2; exit 2; fi
	@echo "Setting up .venv with $(PYTHON); the first time takes about two minutes" >&2
	@$(PYTHON) -m venv .venv
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

synth: $(STAMP) ## synthesize ORG=organization.toml into cdk.out, then a developer team's app; print what they hold
	@$(BIN)/python app.py --organization "$(ORG)"
	@$(BIN)/python examples/payments/app.py

test: $(STAMP) ## run the whole test suite
	@$(PYTEST)

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/basedpyright

check: lint ## everything that CI asks for: style, layers, types, tests with branch coverage, synth
	@$(PYTEST) --cov --cov-report=term --cov-fail-under=95
	@$(MAKE) --no-print-directory synth

format: $(STAMP) ## format the code and mend what can be mended
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

snapshots: $(STAMP) ## rewrite the template snapshots; review the difference like code
	@$(PYTEST) --snapshot-update tests/cdk/test_snapshots.py

walkthrough: $(STAMP) ## run the four patterns of Lambda code signing step by step against a local AWS
	@$(BIN)/python examples/walkthrough/run.py

bench: $(STAMP) ## measure speed and memory against references in the same run; rewrites benchmarks/results
	@for script in benchmarks/*_speed.py benchmarks/*_cost.py; do $(BIN)/python $$script || exit 1; done

fuzz: $(STAMP) ## fuzz the readers of ZIP, BER and CMS for FUZZ_SECONDS=60 each
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check '.[fuzz]'
	@for target in zip ber cms; do $(BIN)/python tests/fuzz/fuzz.py $$target --seconds $(FUZZ_SECONDS) || exit 1; done

clean: ## remove everything that the other commands made
	@rm -rf .venv cdk.out .coverage .coverage.* .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist
