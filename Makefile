.DEFAULT_GOAL := help
PYTHON ?= python3
# test processes; more help little, since the GPU or PyTorch's own threads are the limit
JOBS ?= 2
REQUESTS ?= 5000
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# these tests have to cover what they test; to watch that slows down all that runs
HEART := tests/search tests/service/store
# in the order of their names: those that mostly wait run beside those that mostly compute
SHARED := --dist loadscope --no-loadscope-reorder
# the same examples every time, so that nobody is kept out by a draw; pytest by hand draws new ones
GATE := $(BIN)/pytest -n $(JOBS) $(SHARED) --hypothesis-profile ci

.PHONY: help demo test check style types rules audit fuzz bench bench-search bench-service chaos fmt secrets lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## from a fresh clone to a searched network: service, search, plots
	$(BIN)/bitfloor demo

test: check ## check, then every test, with the coverage gate
	$(GATE) $(HEART) --cov search --cov service/store --cov-report json
	$(BIN)/python -m tools.coverage_gate search=95 service/store=95
	$(GATE) --ignore tests/rules $(HEART:%=--ignore %)

check: $(READY) ## format, lint, types, imports, house rules, known vulnerabilities; no test of behaviour
	@$(MAKE) --no-print-directory -j 2 types audit style rules

style: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

rules: $(READY)
	$(BIN)/pytest -q tests/rules

audit: $(READY) ## ask the package index whether a pinned version is known to be vulnerable
	$(BIN)/python -m tools.audit constraints.txt

fuzz: $(READY) ## send each database's API thousands of generated requests, or: make fuzz REQUESTS=50000
	$(BIN)/pytest -q -s --timeout 0 --fuzz $(REQUESTS) tests/security/test_fuzz.py

bench: $(READY) ## measure every claim in benchmarks/*.py, one JSON line a figure
	@set -e; for name in $(basename $(notdir $(wildcard benchmarks/*.py))); do \
	  echo "# $$name" >&2; $(BIN)/python -m benchmarks.$$name; done

bench-search: $(READY) ## compare searches on the embedded network, or: make bench-search SEARCH="MODELS DATASETS"
	$(BIN)/python -m benchmarks.search $(SEARCH)

bench-service: $(READY) ## load the service over SQLite and PostgreSQL, or: make bench-service LOAD="--seconds 3"
	$(BIN)/python -m benchmarks.service_load $(LOAD)

chaos: $(READY) ## make every fault happen and rewrite the table of docs/reliability.md, or: make chaos CHAOS="--short"
	$(BIN)/python -m benchmarks.chaos --write docs/reliability.md $(CHAOS)

fmt: $(READY) ## format, and fix what can be fixed
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

secrets: ## passwords for docker-compose.yml, made once and kept in secrets/
	@mkdir -p -m 700 secrets
	@for name in postgres_password webhook_secret; do test -s secrets/$$name || { \
	  $(PYTHON) -c 'import secrets; print(secrets.token_hex(32))' > secrets/$$name; \
	  chmod 644 secrets/$$name; }; done  # the folder is closed; the user within a container may read

lock: $(READY) ## move constraints.txt to the newest versions that pyproject.toml allows
	$(BIN)/python -m tools.lock constraints.txt

# done again only when what is to be installed has changed
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "bitfloor needs Python 3.11 or newer; $(PYTHON) is missing or older." \
	       "Name another: make PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; \
	  rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install -c constraints.txt -e '.[service,worker,dev]'
	@touch $@
