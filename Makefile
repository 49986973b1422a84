# One command a chore. `make` prints what there is; the first run of any of them sets up .venv by itself.
PORT ?= 8000
WORKERS ?= 2
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet --quiet

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo demo-reset lint format types test bench clean

help: ## Show this list
	@echo "Tabwright. make ..."
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1|\2/' | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

# ---- .venv: a stamp tells what it holds, so that a second run costs nothing ----------------------------

$(PY):
	@python="$${PYTHON:-$$(tools/find_python)}" && echo "Making $(VENV) with $$python" && "$$python" -m venv --clear $(VENV)

# What the product needs to run.
$(VENV)/.runtime: requirements/runtime.lock requirements/build.lock pyproject.toml | $(PY)
	@echo "Installing what Tabwright runs on (once, about half a minute)"
	@$(PIP) --require-hashes -r requirements/runtime.lock -r requirements/build.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# What working on it needs: a superset, so the other stamp holds as well.
$(VENV)/.dev: requirements/dev.lock pyproject.toml | $(PY)
	@echo "Installing what Tabwright is built and tested with (once, about a minute)"
	@$(PIP) --require-hashes -r requirements/dev.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $(VENV)/.runtime $@

setup: $(VENV)/.dev ## Make .venv with everything for development

demo: $(VENV)/.runtime ## Serve a demo tenant with data on 127.0.0.1:8000 (PORT=...)
	@exec $(PY) -m tabwright demo --port $(PORT)

demo-reset: ## Throw ./var away: the next `make demo` starts anew
	@rm -rf var && echo "./var is gone; 'make demo' makes a new one"

lint: $(VENV)/.dev ## Style: ruff check and ruff format --check
	@$(PY) -m ruff check --quiet --output-format concise . && $(PY) -m ruff format --quiet --check . && echo "lint: clean"

format: $(VENV)/.dev ## Put the style right where a tool can
	@$(PY) -m ruff check --quiet --fix . ; $(PY) -m ruff format .

types: $(VENV)/.dev ## Types: mypy --strict over every room and the tests
	@$(PY) -m mypy
	@$(PY) -m mypy --explicit-package-bases tests tools/vendor_assets
	@$(PY) -m mypy tools/take_screens

test: $(VENV)/.dev lint types ## Everything that must be green: lint, types, tests (ARGS=... for pytest)
	@if tools/ensure_chromium; then \
		$(PY) -m pytest -q -n $(WORKERS) --dist worksteal $(ARGS); \
	else \
		$(PY) -m pytest -q -n $(WORKERS) --dist worksteal -m "not browser" $(ARGS); \
	fi

bench: $(VENV)/.dev ## Measure: every benchmarks/bench_*.py, one after the other
	@for file in $(wildcard benchmarks/bench_*.py); do echo "== $$file"; $(PY) "$$file" || exit 1; done

clean: ## Remove what tools left behind (.venv and ./var stay)
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
