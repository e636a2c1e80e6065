# `make` or `make help` lists the targets.

.DEFAULT_GOAL := help
.PHONY: help run demo test test-next-year pictures check format bench bench-scale fuzz lock migration prove-image clean
.SILENT:

# The first Python that is new enough; `make PYTHON=… run` selects another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; exit; }; done; echo python3)
BIN := .venv/bin
FUZZ_SECONDS ?= 60
BENCH ?= quick
# `make lock UPGRADE=` keeps the pinned versions, and only adds or removes packages.
UPGRADE ?= --upgrade
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 $(UPGRADE)

help:  ## Show this list
	awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

run: .venv/.installed-run  ## Start the service provider and an empty demo directory, for the tutorial
	exec $(BIN)/virtual-office demo

demo: .venv/.installed-run  ## Start both, connected, with Britta Simon assigned
	exec $(BIN)/virtual-office demo --connected

test: .venv/.installed-dev  ## Run all tests, browser tests included
	$(BIN)/python scripts/install_chromium.py
	$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

test-next-year: .venv/.installed-dev  ## Run all tests with the clock a year ahead (Debian: apt-get install faketime)
	$(BIN)/python scripts/install_chromium.py
	$(BIN)/python scripts/test_next_year.py -n 2 $(PYTEST_ARGS)

pictures: .venv/.installed-dev  ## Take screenshots of every page in both themes and widths, into test-results/pages
	$(BIN)/python scripts/install_chromium.py
	PICTURES=1 $(BIN)/python -m pytest -n 2 tests/journeys/test_every_page.py

check: .venv/.installed-dev  ## Check style, types, import rules and the lock files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m scripts.check_locks

format: .venv/.installed-dev  ## Format the code and apply automatic fixes
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/.installed-dev  ## Measure the cost of a sign-in, in minutes; BENCH=full takes an hour (bench/README.md)
	$(BIN)/python -m bench $(if $(filter full,$(BENCH)),--full)

bench-scale: .venv/.installed-dev  ## Measure sign-ins with 5 000 000 users and 20 000 000 attempts (hours, 40 GB of disk)
	$(BIN)/python -m bench.curves --users 5000000 --accounts 100000 --attempts 20000000 --number 300 --keep-as scale
	$(BIN)/python -m bench.growth --number 200000 --keep-as long_growth
	$(BIN)/python -m bench.report

fuzz: .venv/.installed-dev  ## Fuzz each parser for FUZZ_SECONDS=60 (Linux, Python 3.11 to 3.13)
	$(BIN)/python -m pip --quiet --disable-pip-version-check install --require-hashes --no-deps --only-binary :all: -r requirements/fuzz.txt
	$(BIN)/python -m pip --disable-pip-version-check check >/dev/null
	$(BIN)/python -m fuzz message $(FUZZ_SECONDS) test-results/fuzz-message
	$(BIN)/python -m fuzz certificate $(FUZZ_SECONDS) test-results/fuzz-certificate
	$(BIN)/python -m fuzz capture $(FUZZ_SECONDS) test-results/fuzz-capture
	$(BIN)/python -m pytest -q --hypothesis-profile=default $$(grep -rl "^from hypothesis import" tests --include="test_*.py")

lock: .venv/.installed-dev  ## Pin the newest dependencies and record their requirements (needs uv; takes minutes)
	command -v uv >/dev/null || { echo "make lock needs the program uv: install it outside this folder (python3 -m venv ~/uv && ~/uv/bin/pip install uv), then run PATH=~/uv/bin:\$$PATH make lock." >&2; exit 1; }
	$(COMPILE) pyproject.toml --extra postgresql --group build -o requirements/run.txt
	$(COMPILE) pyproject.toml --extra postgresql --group build --group dev -c requirements/run.txt -o requirements/dev.txt
	$(COMPILE) --group fuzz -c requirements/dev.txt -o requirements/fuzz.txt
	$(PYTHON) scripts/bootstrap.py dev
	$(BIN)/python -m scripts.record_dependencies
	$(BIN)/python -m scripts.check_locks

migration: .venv/.installed-dev  ## Write a migration from the models: make migration MESSAGE="What changes"
	$(BIN)/python scripts/new_migration.py "$(MESSAGE)"

prove-image:  ## Run the Dockerfile's steps in a clean Debian tree, without a container engine (needs root, debootstrap)
	$(PYTHON) scripts/prove_image.py

clean:  ## Remove installed and cached files, but not the data folder
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results

.venv/.installed-%: requirements/%.txt pyproject.toml scripts/bootstrap.py
	command -v $(PYTHON) >/dev/null || { echo "This needs Python 3.11 or newer, and $(PYTHON) is not installed: install it (Debian: apt-get install python3 python3-venv), or name it with make PYTHON=…" >&2; exit 1; }
	$(PYTHON) scripts/bootstrap.py $*
