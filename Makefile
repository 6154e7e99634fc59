# What a newcomer needs: `make run` and `make test`. `make help` lists the rest.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
BIN := $(VENV)/bin
STUDY ?= examples/houston/study.toml
OUT ?= runs/$(notdir $(patsubst %/,%,$(dir $(STUDY))))

# The flagship judges fictitious readings of early racks, and says so; FLAGS= leaves them out.
FLAGS ?= --rehearse

.DEFAULT_GOAL := help
.PHONY: help run picture test test-all check bench constraints clean

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: $(VENV)/installed ## install what is needed, run the flagship example, show its answer
	@echo "== running $(STUDY) into $(OUT); the first run compiles kernels, later ones take seconds"
	@$(BIN)/rackwright run $(STUDY) $(FLAGS) --out $(OUT)

test: $(VENV)/installed-dev ## install what is needed, then check style and types and run the tests
	@$(MAKE) --no-print-directory check

check: $(VENV)/installed-dev ## what the continuous integration runs: ruff, mypy --strict, pytest, doctests
	@echo "== format and lint (ruff)"
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@echo "== types (mypy --strict)"
	@$(BIN)/mypy
	@echo "== tests and doctests (pytest, $(JOBS) processes; the first run compiles kernels)"
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not slow"

test-all: $(VENV)/installed-dev ## every test, the slow ones too
	@echo "== all tests"
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

picture: run ## draw the picture of the README anew from the flagship
	@cp $(OUT)/picture.svg docs/houston.svg
	@echo "== docs/houston.svg is drawn anew"

bench: $(VENV)/installed ## time the help, the flagship, the search, fabrics and the simulator, after compilation
	@echo "== rackwright --help"
	@bash -c 'time $(BIN)/rackwright --help >/dev/null'
	@echo "== the flagship, once to compile"
	@$(BIN)/rackwright run $(STUDY) $(FLAGS) --out $(OUT) >/dev/null
	@echo "== the flagship, timed"
	@bash -c 'time $(BIN)/rackwright run $(STUDY) $(FLAGS) --out $(OUT) >/dev/null'
	@echo "== the search, beside llm-analysis from the package index in an environment of its own"
	@other=$$(mktemp -d); $(PYTHON) -m venv $$other; \
	  $$other/bin/python -m pip install --quiet --disable-pip-version-check llm-analysis || true; \
	  LLM_ANALYSIS=$$other/bin/python $(BIN)/python tools/bench_search.py; rm -rf $$other
	@echo "== fabrics of 131,072 accelerators, port by port with lengths"
	@$(BIN)/python tools/bench_fabric.py
	@echo "== a rack as built: rules and formats"
	@$(BIN)/python tools/bench_rack.py
	@echo "== the simulator, requests one by one on one core"
	@$(BIN)/python tools/bench_simulate.py

constraints: $(VENV)/installed-dev ## write the versions of this environment to constraints.txt
	@echo "== writing constraints.txt"
	@{ sed -n '/^#/p' constraints.txt; $(BIN)/python -m pip freeze --exclude-editable; } > constraints.new
	@mv constraints.new constraints.txt

clean: ## remove the environment, caches and runs
	@echo "== removing $(VENV), caches and runs"
	@rm -rf $(VENV) runs .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "== making a virtual environment in $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "The venv module is missing; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/installed: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "== installing Rackwright and what it needs (a minute or two)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@echo "== installing the tools for tests"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
