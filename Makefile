# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Needs Python 3.11 or later with pip, make and git. Everything else is installed, pinned, into .venv.
# All paths are relative, because make does not know spaces in names and the folder may be called anything.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The interpreter that .venv is made with.
PYTHON ?= python3
# Further arguments: of pytest for unit, contract and integration, of ansible-test for sanity, of the simulator, of faults.
ARGS ?=
# Processes that tests run in: one more than the two cores of a small machine, since much of what they do is wait. The tests
# of the code wait most, so they get twice as many.
JOBS ?= 3
# The ansible-playbook that the integration suites run, such as that of another ansible-core; by default the one of .venv.
PLAYBOOK ?=
# The ansible-playbook of the oldest ansible-core that is supported.
OLDEST := .venv/oldest/bin/ansible-playbook

BIN := .venv/bin
PY := $(BIN)/python
PYTEST := $(PY) -m pytest --dist worksteal -n $(JOBS)
# Checks that use one core each and depend on nothing but the checkout, those that take longest first.
CHECKS := sanity molecule types ansible-lint docs-lint ruff yamllint changelog-lint build
COLLECTION := ansible_collections.ksvla.light_agent.plugins

# .venv is made with the interpreter of the caller's PATH, everything else runs with .venv first on it.
ORIGINAL_PATH := $(PATH)

export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.venv/collections
export ANSIBLE_HOME := $(CURDIR)/.venv/ansible
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PLAYBOOK
export PYTHONPATH :=
# What Python compiles is kept, whatever the caller's shell says: most programs here are started hundreds of times.
export PYTHONDONTWRITEBYTECODE :=
export VIRTUAL_ENV := $(CURDIR)/.venv

.PHONY: help
help: ## list the targets
	@printf 'Targets:\n'
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)$$/\1\t\2/p' Makefile | while IFS=$$'\t' read -r name text; \
	do printf '  make %-19s %s\n' "$$name" "$$text"; done

.PHONY: environment
environment: ## install the pinned requirements into .venv, when the pins have changed
	@PATH="$(ORIGINAL_PATH)" "$(PYTHON)" tests/tools/environment.py

.PHONY: constraints
constraints: ## resolve tests/requirements.txt again and write tests/constraints.txt
	@PATH="$(ORIGINAL_PATH)" "$(PYTHON)" tests/tools/environment.py --lock

# --- Showing and rehearsing ---------------------------------------------------------------------------------------

.PHONY: demo
demo: environment ## show the collection at work against a simulated Integration Server
	@$(PY) tests/demo/run.py $(ARGS)

.PHONY: simulator
simulator: environment ## start a simulated Integration Server to rehearse against (ARGS="--help" lists its options)
	@PYTHONPATH=tests $(PY) -m simulator $(ARGS)

# --- Tests --------------------------------------------------------------------------------------------------------

.PHONY: test
test: environment ## run every check and every test
	@$(MAKE) --jobs=2 --output-sync=target checks suites
	@# It plays for a minute, as many rounds as the machine can.
	@$(MAKE) faults ARGS="--seconds 60 --seed 1"
	@printf '\nAll checks and tests passed.\n'

# Beside the suites, so that neither core waits where one of them has less to do.
.PHONY: checks
checks: environment ## run every check, one after the other
	@$(MAKE) $(CHECKS)

.PHONY: suites
suites: environment ## run all tests but those of the drawn faults
	@# Two by two: at the end of each, one core waits for the last test on the other.
	@# Those that take longest first; one process more than the cores need: some of these tests wait for half a minute. The
	@# checks, which use one core, go before them, or else they would be left over in the end and leave a core idle.
	@nice $(MAKE) --output-sync=none integration ARGS="tests/awx --durations=10 -n $$(($(JOBS) + 1))"
	@nice $(MAKE) --output-sync=none unit ARGS="tests/unit tests/modules tests/project tests/contract"

.PHONY: unit
unit: environment ## run the tests of the code and of the project itself
	$(PYTEST) -n $$((2 * $(JOBS))) $(or $(ARGS),tests/unit tests/modules tests/project)

.PHONY: contract
contract: environment ## hold the simulator against the contract of the API
	$(PYTEST) tests/contract $(ARGS)

.PHONY: integration
integration: environment ## run the integration suites, on the controller and as modules (PLAYBOOK=… for another Ansible)
	$(PYTEST) tests/integration $(ARGS)

.PHONY: integration-oldest
integration-oldest: environment ## run the integration suites with the oldest ansible-core that is supported
	@$(MAKE) integration PLAYBOOK=$(OLDEST)

.PHONY: awx
awx: environment ## check extensions/awx and run its jobs as AWX does, and what depends on ansible-core with the oldest one
	$(PYTEST) tests/awx $(ARGS)

.PHONY: sanity
sanity: environment ## run ansible-test sanity over the collection as it is built
	$(PY) tests/tools/sanity.py $(ARGS)

.PHONY: molecule
molecule: environment ## run the molecule scenarios of the roles
	$(PY) -m molecule test --all $(ARGS)

.PHONY: faults
faults: environment ## draw faults, kill runs, and see whether repeats get everything done once (ARGS="--help" lists the options)
	PYTHONPATH=tests:.venv/collections $(PY) -m faults $(ARGS)

.PHONY: load
load: environment ## many controllers at once, and a slow server (ARGS="names")
	PYTHONPATH=tests:.venv/collections $(PY) -m faults.load $(ARGS)

.PHONY: mutations
mutations: environment ## break the code on purpose and see whether the tests notice (ARGS="words of names or files")
	$(PY) tests/mutations/run.py --jobs $(JOBS) $(ARGS)

.PHONY: benchmark
benchmark: environment ## measure side by side with others, and write docs/benchmark.md (ARGS="ansible vms report")
	$(PY) tests/benchmark/run.py $(ARGS)

.PHONY: coverage
coverage: environment ## run the unit and contract tests with their coverage measured
	$(PY) -m coverage erase
	$(PY) -m coverage run -m pytest tests/unit tests/modules tests/contract $(ARGS)
	$(PY) -m coverage combine --quiet
	$(PY) -m coverage report

# --- Checks -------------------------------------------------------------------------------------------------------

.PHONY: lint
lint: ruff types ansible-lint yamllint docs-lint changelog-lint ## run every static check

.PHONY: ruff
ruff: environment ## check style and format of the Python files
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

.PHONY: types
types: environment ## check the types of the plugins and of everything that runs beside the tests
	$(PY) -m mypy -p $(COLLECTION) -p simulator -p faults
	MYPYPATH=tests/demo $(PY) -m mypy tests/tools tests/mutations/run.py tests/demo/run.py
	MYPYPATH=tests/benchmark $(PY) -m mypy tests/benchmark/run.py

.PHONY: ansible-lint
ansible-lint: environment ## check roles, playbooks and the collection as Galaxy would
	$(PY) -m ansiblelint --offline --profile production

.PHONY: yamllint
yamllint: environment ## check the style of the YAML files
	$(PY) -m yamllint --strict .

.PHONY: docs-lint
docs-lint: environment ## check the documentation of plugins and roles, and all references in it
	$(BIN)/antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=all .

.PHONY: changelog-lint
changelog-lint: environment ## check the changelog fragments
	$(BIN)/antsibull-changelog lint

.PHONY: format
format: environment ## format the Python files
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# --- Products -----------------------------------------------------------------------------------------------------

.PHONY: build
build: environment ## build the collection artifact into build/
	@mkdir -p build
	$(BIN)/ansible-galaxy collection build --force --output-path build

.PHONY: docs
docs: environment ## render the documentation site into build/docs
	@rm -rf build/docs && mkdir -p build/docs
	$(BIN)/antsibull-docs sphinx-init --use-current --lenient --fail-on-error --dest-dir build/docs \
	  --project ksvla.light_agent --copyright 'ksvla.light_agent contributors' --title ksvla.light_agent \
	  ksvla.light_agent
	build/docs/build.sh
	@echo 'Open build/docs/build/html/index.html'

.PHONY: changelog
changelog: environment ## turn the changelog fragments into the section of the version in galaxy.yml
	$(BIN)/antsibull-changelog release

.PHONY: clean
clean: ## remove everything that was made here
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* .ansible collections extensions/awx/context
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
