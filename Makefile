# Everything a person types here. Python 3.11 or newer (with venv), git 2.38 or newer and make are all it needs.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: help demo test lint fmt bench lock clean
.DEFAULT_GOAL := help

help: ## say what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

demo: $(VENV)/run.stamp ## review two pull requests of a small Drizzle repository on a real PostgreSQL
	@$(RUN) -m bot demo

test: $(VENV)/dev.stamp ## run the test suite (FAST=1 leaves the long tests out)
	@$(RUN) -m pytest -n auto $(if $(FAST),-m "not bench and not long",-m "not bench") $(ARGS)

lint: $(VENV)/dev.stamp ## ruff, pyright (strict) and the import contracts
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/basedpyright
	@$(VENV)/bin/lint-imports

fmt: $(VENV)/dev.stamp ## format the code
	@$(VENV)/bin/ruff check --fix-only --quiet .
	@$(VENV)/bin/ruff format .

bench: $(VENV)/dev.stamp ## measure, as ratios against a peer or a floor in the same run
	@$(RUN) -m pytest tests/bench -m bench -p no:xdist -q -s $(ARGS)

lock: ## write the hash-pinned lock files anew (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --group dev pyproject.toml -o requirements-dev.txt

clean: ## remove what was made here
	rm -rf $(VENV) .ruff_cache .pytest_cache .hypothesis .benchmarks

$(VENV)/run.stamp: requirements.txt .ci/environment
	@PYTHON="$(PYTHON)" sh .ci/environment $(VENV) requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt .ci/environment
	@PYTHON="$(PYTHON)" sh .ci/environment $(VENV) requirements-dev.txt
	@touch $@ $(VENV)/run.stamp
