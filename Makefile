# Everything a newcomer, a developer and CI run.  `make help` lists it.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m agent
Q ?=

.DEFAULT_GOAL := help
.PHONY: help embedder ask ui docs test check eval bench test-slow format lock clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

ask: $(VENV)/.core embedder  ## the sample question on the sample web; Q="…" asks the live web
	@if [ -n "$(Q)" ]; then $(RUN) ask "$$ASK_Q"; else \
	  AGENT_MODEL=extractive AGENT_BASE_URL= AGENT_FOLDER= $(RUN) ask --search sample "$$($(BIN)/python -m agent.sample)"; fi
ask: export ASK_Q = $(Q)

ui: $(VENV)/.ui embedder  ## the app in a browser
	@$(RUN) ui

docs: $(VENV)/.docs  ## the documents as a site, in build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict && echo build/site/index.html

test: $(VENV)/.dev embedder check  ## lint, types, import floors, tests
	@$(BIN)/pytest -n 2

check: $(VENV)/.dev  ## lint, types, import floors
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .
	@rm -rf build/tree && mkdir -p build/tree/agent && ln -s $(CURDIR)/agent/* build/tree/agent/ \
	  && ln -s $(CURDIR)/ui build/tree/agent/ui && ln -s $(CURDIR)/prompts build/tree/agent/prompts
	@cd build/tree && $(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml --cache-dir $(CURDIR)/.mypy_cache
	@$(BIN)/mypy --config-file tests/mypy.ini --cache-dir .mypy_cache/tests tests
	@cd build/tree && PYTHONPATH=. $(CURDIR)/$(BIN)/lint-imports --config $(CURDIR)/pyproject.toml --no-cache >$(CURDIR)/build/floors.txt \
	  || { cat $(CURDIR)/build/floors.txt; exit 1; }

test-slow: $(VENV)/.dev embedder  ## browser, third-party servers, kills, the built wheel
	@sh tests/system_packages.sh
	@$(BIN)/pytest -m slow --timeout 900

eval: $(VENV)/.dev embedder  ## how well it checks and finds: tables from labelled claims and questions
	@$(BIN)/python -m tests.verify.evaluate && echo && $(BIN)/python -m tests.verify.mutations
	@echo && $(BIN)/python -m tests.library.evaluate

bench: $(VENV)/.dev embedder  ## how fast it starts, finds, embeds and reads pages: about a quarter of an hour
	@$(BIN)/python -m tests.bench_start && echo && $(BIN)/python -m tests.library.bench && echo && $(BIN)/python -m tests.bench_extract \
	  && echo && $(BIN)/python -m tests.text.growth

format: $(VENV)/.dev  ## format and mend what a tool can
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean:  ## remove what was built; the library and the cache stay
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

embedder: $(VENV)/.core  ## the built-in embedder, once; the agent answers without it, too
	@$(RUN) setup-embeddings --quiet || echo "Going on without it." >&2

# ---------------------------------------------------------------------------------------------- environments

$(VENV)/.venv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (Debian: apt-get install python3 python3-venv)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --upgrade pip && touch $@

$(VENV)/.core: $(VENV)/.venv pyproject.toml requirements.lock
	@echo "Installing into $(VENV) …" >&2
	@$(BIN)/python -m pip install --quiet --quiet --constraint requirements.lock --editable . && touch $@

$(VENV)/.ui: $(VENV)/.core
	@$(BIN)/python -m pip install --quiet --quiet --constraint requirements.lock --editable '.[ui]' && touch $@

$(VENV)/.docs: $(VENV)/.core
	@$(BIN)/python -m pip install --quiet --quiet --constraint requirements.lock --editable '.[docs]' && touch $@

$(VENV)/.dev: $(VENV)/.venv pyproject.toml requirements.lock  # in one go: pip's second look at all of it takes a minute
	@echo "Installing into $(VENV), with what the tests need …" >&2
	@$(BIN)/python -m pip install --quiet --quiet --constraint requirements.lock --editable '.[dev]' && touch $(VENV)/.core $(VENV)/.ui $(VENV)/.docs $@

lock:  ## requirements.lock anew, from the newest versions that pyproject allows
	@rm -rf build/lock && $(PYTHON) -m venv build/lock && build/lock/bin/python -m pip install --quiet --upgrade pip \
	  && build/lock/bin/python -m pip install --quiet '.[dev]' \
	  && build/lock/bin/python -m pip freeze --exclude r1-research-agent --exclude pip | LC_ALL=C sort -f > requirements.lock
