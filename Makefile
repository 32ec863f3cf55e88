# Quietlegs needs Python 3.11 or later and make; everything else is set up here, in .venv.
#
#   make run                        start the bot (without a token: a chat page on this machine)
#   make test                       check everything
#   make test ARGS="-k morning"     only the tests whose name says morning
#   make test PYTHON=python3.13     with that Python, in a .venv of its own

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

ifeq ($(origin PYTHON),undefined)
PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
VENV := .venv
else
VENV := .venv-$(notdir $(PYTHON))
endif

CODE := bot handlers content tests
PY := $(VENV)/bin/python
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes

# What a virtual environment was made of: another Python, another lock or a moved folder makes a new one.
KEY := $(shell $(PYTHON) -c "import glob, hashlib, os, sys; \
	made_of = [sys.version, sys.base_prefix, os.getcwd(), *(open(name).read() for name in sorted(glob.glob('requirements/[!b]*.txt')))]; \
	print(hashlib.sha256('\n'.join(made_of).encode()).hexdigest()[:16])" 2>/dev/null)
ifeq ($(KEY)$(filter help clean image,$(or $(MAKECMDGOALS),help)),)
$(error No usable Python $(or $(PYTHON),3.11 or later): say which with PYTHON=/path/to/python3.11)
endif

# The pinned zone rules, not the system's: the same evening on every machine, and as in the image.
export PYTHONTZPATH :=

.PHONY: help run test lint format types imports fault bench picture lock image clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@sed -n '/^#   make/s/^# //p' $(firstword $(MAKEFILE_LIST))

run: $(VENV)/.run-$(KEY) ## start the bot; without BOT_TOKEN, in a chat page on this machine
	@if [ -n "$$BOT_TOKEN$$BOT_TOKEN_FILE" ] || \
		grep -Eqs "^ *(export +)?BOT_TOKEN(_FILE)? *= *[\"']?[^ \"'#]" .env; \
	then exec $(PY) -m bot run $(ARGS); else exec $(PY) -m bot run --sandbox $(ARGS); fi

test: lint types imports ## lint, types, import directions, then every test; ARGS goes to pytest
	@$(PY) -m tests.servers
	$(PY) -m pytest --numprocesses=auto $(ARGS)

lint: $(VENV)/.test-$(KEY) ## lint, and check the format
	$(PY) -m ruff check $(CODE)
	$(PY) -m ruff format --check $(CODE)

format: $(VENV)/.test-$(KEY) ## put the code into shape
	$(PY) -m ruff check --fix-only --quiet $(CODE)
	$(PY) -m ruff format $(CODE)

types: $(VENV)/.test-$(KEY) ## mypy, strict
	$(PY) -m mypy $(CODE)

imports: $(VENV)/.test-$(KEY) ## the imports run one way
	$(VENV)/bin/lint-imports --no-logo

fault: $(VENV)/.test-$(KEY) ## every fault and load test, not the short share of them
	$(PY) -m pytest tests/fault $(ARGS)

bench: $(VENV)/.test-$(KEY) $(VENV)-bench/.made ## measure, beside others
	$(PY) -m tests.benchmarks $(ARGS)

picture: $(VENV)/.test-$(KEY) ## take the README's picture anew, from the chat page
	$(PY) -m tests.picture

# The second and third lock take their versions from the first; the last, for `make bench`, stands alone. No index address is written.
COMPILE = $(PY) -m uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate
lock: $(VENV)/.test-$(KEY) ## pin the requirements anew; ARGS=--upgrade for newer versions
	$(COMPILE) $(ARGS) --all-extras --group dev --output-file requirements/test.txt
	$(COMPILE) $(ARGS) --constraints requirements/test.txt --extra postgres --output-file requirements/image.txt
	$(COMPILE) $(ARGS) --constraints requirements/test.txt --output-file requirements/run.txt
	$(subst pyproject.toml,,$(COMPILE)) $(ARGS) --group bench --output-file requirements/bench.txt

image: ## the container image, with docker or podman
	$(if $(shell command -v docker),docker,podman) build --tag quietlegs $(ARGS) .

clean: ## remove what was made here; .env and databases stay
	rm -rf .venv .venv-* build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find $(CODE) -name __pycache__ -prune -exec rm -rf {} +

# The other library wants other versions of what we use, so it has a place of its own.
$(VENV)-bench/.made: requirements/bench.txt
	rm -rf $(VENV)-bench
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

# A set-up that was cut short leaves no stamp, and is begun again from nothing.
$(VENV)/.made-$(KEY):
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run-$(KEY) $(VENV)/.test-$(KEY): $(VENV)/.%-$(KEY): | $(VENV)/.made-$(KEY)
	@rm $(VENV)/.made-$(KEY)
	$(INSTALL) --requirement requirements/$*.txt
	@touch $(VENV)/.made-$(KEY) $@
