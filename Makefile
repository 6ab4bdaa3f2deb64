# Everything here works on a bare machine with Python >= 3.11, git and make: each target builds .venv itself.
#   PYTHON=/path/to/python   which interpreter makes a new .venv
#   JOBS=N                   how many tests at once: one more than there are cores, which have work then while one waits
#   ARGS='...'               more arguments for test, test-system, chaos, demo, bench, bench-compare and tck

.DEFAULT_GOAL := help
.PHONY: help check test test-system demo bench bench-compare tck contracts chaos wheel clean

PYTHON ?=
ARGS ?=
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
VENV := .venv
BIN := $(VENV)/bin
PINS := .ci/constraints.txt
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --constraint $(PINS)
PYTEST = $(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal
SYSTEM := postgresql-15 redis-server
AS_ROOT := $(if $(filter-out 0,$(shell id -u)),sudo)
FIND_PYTHON := for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python); do \
	if "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then break; fi; python=; done

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

check: $(VENV)/.dev ## Format, lint, types, import rules, contracts unchanged
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/basedpyright --warnings
	@$(BIN)/lint-imports --no-logo
	@if [ -f tests/contracts/generate.py ]; then $(BIN)/python -m tests.contracts.generate --check; fi

test: $(VENV)/.dev ## The suite (ARGS='-k lease -x' narrows it)
	@$(PYTEST) $(ARGS)

test-system: $(VENV)/.dev ## The stores on Debian's PostgreSQL 15 and Redis 7, which it installs (as root)
	@if ! [ -x /usr/lib/postgresql/15/bin/postgres -a -x /usr/bin/redis-server ]; then \
		if ! command -v apt-get >/dev/null; then \
			echo 'make test-system installs Debian packages ($(SYSTEM)), and there is no apt-get here.' >&2; exit 1; \
		fi; \
		echo 'Installing $(SYSTEM) ...'; \
		$(AS_ROOT) apt-get -qq update && $(AS_ROOT) env DEBIAN_FRONTEND=noninteractive \
			apt-get -qq install --yes --no-install-recommends $(SYSTEM) >/dev/null; \
	fi
	@CODETETHER_TEST_SERVERS=debian $(PYTEST) -k '(postgres or redis) and not redis-cluster' -m 'not chaos and not recent' \
		tests/stores tests/channels tests/e2e $(ARGS)

demo: $(VENV)/.run ## A real task through server, store, worker and git checkout, and kill -9 of the server
	@$(BIN)/python -m codetether_apps.demo $(ARGS)

bench: $(VENV)/.dev ## Measure this machine (STORE=sqlite|postgresql|redis|redis-cluster: that store)
	@$(BIN)/python -m tests.bench $(if $(STORE),--store $(STORE)) $(ARGS)

bench-compare: $(VENV)/.dev ## Measure and compare with the last figures
	@$(BIN)/python -m tests.bench --compare $(ARGS)

tck: $(VENV)/.dev ## The A2A protocol's own compatibility kit (A2A_TCK=/path/to/checkout)
	@$(BIN)/python -m tests.a2a.tck $(ARGS)

contracts: $(VENV)/.dev ## Rewrite contracts/ from the code, for review as a diff
	@$(BIN)/python -m tests.contracts.generate

chaos: $(VENV)/.dev ## The long fault runs
	@$(BIN)/python -m pytest -m chaos $(ARGS)

wheel: $(VENV)/.dev ## Build dist/, install the wheel in a throwaway environment and run it
	@rm -rf dist
	@$(BIN)/python -m build --outdir dist . >build.log 2>&1 || { cat build.log; exit 1; }
	@rm -f build.log
	@set -e; try=$$(mktemp -d); trap 'rm -rf "$$try"' EXIT; \
	$(BIN)/python -m venv "$$try/venv"; \
	"$$try/venv/bin/python" -m pip --disable-pip-version-check install -qq -c $(PINS) dist/*.whl; \
	cd "$$try"; ./venv/bin/codetether version
	@ls dist

clean: ## Remove .venv, dist and every cache
	@rm -rf $(VENV) dist build.log .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name .git -prune -o -name __pycache__ -type d -exec rm -rf {} +

$(VENV)/.run: pyproject.toml $(PINS)
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		$(FIND_PYTHON); \
		if [ -z "$$python" ]; then \
			echo 'CodeTether needs Python 3.11 or newer with its venv module; install it (on Debian or Ubuntu: apt install python3-venv) or name one with make PYTHON=/path/to/python.' >&2; \
			exit 1; \
		fi; \
		echo "Making $(VENV) with $$("$$python" --version) ..."; \
		"$$python" -m venv --clear $(VENV); \
	fi
	@$(PIP) --upgrade pip
	@$(PIP) --build-constraint $(PINS) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo 'Installing the development tools ...'
	@$(PIP) --build-constraint $(PINS) --editable '.[all]' --group dev
	@$(PIP) --no-deps --ignore-requires-python --only-binary :all: opa-golib-python-bindings
	@touch $@
