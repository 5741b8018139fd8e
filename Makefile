# The commands of this project. `make` alone lists them.
#
# Nothing has to be installed by hand but Python >= 3.10, git and make: the targets make .venv, with versions that are
# locked with hashes in requirements/, and `make servers`, with apt, installs what the server tests need.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

VENV ?= .venv
PY := $(VENV)/bin/python
DEV_STAMP := $(VENV)/.installed-dev
DEMO_STAMP := $(VENV)/.installed-demo
CONSUMERS := .consumers
CONSUMERS_STAMP := $(CONSUMERS)/.installed
SIDE_BY_SIDE := .side-by-side
SIDE_BY_SIDE_STAMP := $(SIDE_BY_SIDE)/.installed

# The Python that .venv is made with. 3.11 comes first because the reference implementation (ml-metadata), which the
# differential tests need, has no wheels for 3.12 and later. Each is tried by running it: a pyenv shim may exist and
# fail. A PYTHON from the command line or the environment wins.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python3.14 python3.10; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then echo $$p; break; fi; done)

# A .venv whose interpreter does not run any more (Python was upgraded, or the folder came from another machine) counts as absent.
$(shell if [ -e $(VENV) ] && ! $(PY) -c 'import pip' >/dev/null 2>&1; then rm -f $(DEV_STAMP) $(DEMO_STAMP) $(PY); fi)

PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check
PYTEST_ARGS ?=
DEMO_ARGS ?=
BENCH_ARGS ?=
CHAOS_ARGS ?=

# The folders with Python code in them.
CODE := conftest.py $(foreach d,lineage backends cypher browser tests benchmarks examples,$(if $(wildcard $d/*.py $d/*/*.py),$d))

say = @printf '==> %s\n' "$(1)"

.PHONY: help
help:  ## List the commands
	@awk 'BEGIN {FS = ":.*##"} /^[a-z0-9-]+:.*##/ {printf "  make %-15s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "  Variables: PYTHON=/path/to/python (>= 3.10), PYTEST_ARGS='-k name', DEMO_ARGS=..., BENCH_ARGS=..., CHAOS_ARGS=..., UPGRADE=1 (for lock)"

# --- the environment ---------------------------------------------------------------------------------------------

$(PY):
	@if [ -z "$(PYTHON)" ]; then \
		echo "error: no Python >= 3.10 was found (tried python3.11, python3 and others)."; \
		echo "       Install one (Debian, Ubuntu: sudo apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python3.11"; \
		exit 1; \
	fi
	@if ! v=$$($(PYTHON) -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])'); then \
		echo "error: PYTHON=$(PYTHON) does not run; name a Python >= 3.10: make PYTHON=/path/to/python3.11"; \
		exit 1; \
	fi; \
	if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then \
		echo "error: $(PYTHON) is Python $$v, and this project needs 3.10 or newer; name another: make PYTHON=/path/to/python3.11"; \
		exit 1; \
	fi; \
	if ! $(PYTHON) -c 'import ensurepip, venv' >/dev/null 2>&1; then \
		echo "error: $(PYTHON) (Python $$v) cannot make virtual environments: its venv or ensurepip module is missing."; \
		echo "       Debian, Ubuntu: sudo apt-get install python3-venv    (or python$${v%.*}-venv)"; \
		exit 1; \
	fi; \
	echo "==> making $(VENV) with Python $$v ($(PYTHON))"; \
	$(PYTHON) -m venv --clear $(VENV)

$(DEV_STAMP): requirements/dev.txt pyproject.toml | $(PY)
	$(call say,installing the locked development requirements and this package (minutes the first time))
	@$(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@ $(DEMO_STAMP)

$(DEMO_STAMP): requirements/demo.txt pyproject.toml | $(PY)
	$(call say,installing the locked requirements of the demo and this package (a minute the first time))
	@$(PIP_INSTALL) --require-hashes -r requirements/demo.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: venv
venv: $(DEV_STAMP)  ## Create or update .venv with everything for development

# --- every day ---------------------------------------------------------------------------------------------------

.PHONY: demo
demo: $(DEMO_STAMP)  ## Run a real small pipeline, recorded, and ask it everything (DEMO_ARGS=...)
	@$(PY) examples/pipeline_demo.py $(DEMO_ARGS)

.PHONY: test
test: servers check suite wheel-test protobuf-matrix  ## Everything that CI runs: check, all tests, some on the built wheel, other protobufs
	$(call say,all passed)
	@$(PY) -m tests.oracle

.PHONY: check
check: $(DEV_STAMP)  ## Lint, format, types (mypy strict, pyright), import directions; no tests
	$(call say,ruff check)
	@$(PY) -m ruff check --quiet .
	$(call say,ruff format --check)
	@$(PY) -m ruff format --check --quiet . || { echo "error: the files listed above are not formatted; run: make format"; exit 1; }
	$(call say,mypy --strict)
	@$(PY) -m mypy $(CODE)
	$(call say,pyright)
	@$(PY) -m pyright --pythonpath $(PY) --warnings
	$(call say,import-linter)
	@out=$$($(VENV)/bin/lint-imports --no-logo 2>&1) || { echo "$$out"; exit 1; }; echo "$$out" | tail -n 1

.PHONY: servers
servers: $(DEV_STAMP)  ## Install what the server tests need (Java, Maven, MariaDB, PostgreSQL, Chromium, Graphviz) or say how; fetch Neo4j's jars once
	$(call say,what the server tests need)
	@$(PY) -m tests.servers.ensure

$(CONSUMERS_STAMP): requirements/consumers.txt | $(DEV_STAMP)
	$(call say,installing TFX's pipelines and artitrack in $(CONSUMERS) (a minute the first time))
	@$(PY) -m venv --clear $(CONSUMERS)
	@$(CONSUMERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
		--require-hashes -r requirements/consumers.txt
	@touch $@

$(SIDE_BY_SIDE_STAMP): requirements/side-by-side.txt | $(DEV_STAMP)
	$(call say,installing MLflow in $(SIDE_BY_SIDE) (a minute the first time))
	@$(PY) -m venv --clear $(SIDE_BY_SIDE)
	@$(SIDE_BY_SIDE)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements/side-by-side.txt
	@touch $@

.PHONY: side-by-side
side-by-side: $(SIDE_BY_SIDE_STAMP)  ## Run the grid of docs/side_by_side.md with MLflow too, in an environment of its own
	@$(PY) -m pytest -q tests/recorder/test_side_by_side.py $(PYTEST_ARGS)

.PHONY: consumers
consumers: $(CONSUMERS_STAMP)  ## Install the published packages that tests/consumers runs, in an environment of their own

.PHONY: suite
suite: $(DEV_STAMP) servers consumers  ## The whole test suite, and no checks (PYTEST_ARGS=...)
	$(call say,pytest: the whole suite)
	@$(PY) -m pytest -q -n auto --dist worksteal $(PYTEST_ARGS)

.PHONY: unit
unit: $(DEV_STAMP)  ## The fast part for every day: unit tests, conformance on the memory store itself (PYTEST_ARGS=...)
	$(call say,pytest: unit and conformance without the slow ones and the differential and Neo4j tests)
	@$(PY) -m pytest -q -n auto -m "not slow and not differential and not neo4j" --backend memory --path direct $(wildcard tests/unit tests/conformance tests/neo4j/test_golden.py tests/neo4j/test_writes.py) $(PYTEST_ARGS)

.PHONY: format
format: $(DEV_STAMP)  ## Format the code and fix what ruff can fix by itself
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .

.PHONY: bench
bench: $(DEV_STAMP)  ## Compare the speed with the reference implementation (BENCH_ARGS=...)
	@$(PY) -m benchmarks $(BENCH_ARGS)

.PHONY: chaos
chaos: $(DEV_STAMP)  ## Kill, cut, interrupt, fork and step clocks, and check every acknowledged write (CHAOS_ARGS=...)
	@$(PY) -m tests.chaos $(CHAOS_ARGS)

.PHONY: golden
golden: $(DEV_STAMP)  ## Write anew what comes from the code of filters: golden.jsonl of tests/neo4j and tests/sql, the docs' table of functions
	@$(PY) -W ignore -m tests.neo4j.make_golden
	@$(PY) -m tests.sql.make_golden

.PHONY: docs
docs: $(DEV_STAMP)  ## Write docs/api.md anew, from the docstrings
	@$(PY) -m tests.make_reference

.PHONY: protos
protos: $(DEV_STAMP)  ## Compile lineage/mlmd/proto_source: descriptors, and stubs for editors
	@$(PY) -m tests.mlmd.compile_protos

.PHONY: protobuf-matrix
protobuf-matrix: $(DEV_STAMP)  ## Run the tests of lineage.mlmd on protobuf 4.25, 5, 6, the newest, and in pure Python
	@$(PY) -m tests.mlmd.protobuf_matrix

.PHONY: python-matrix
python-matrix: $(DEV_STAMP)  ## Run the unit and the memory conformance tests on every Python from 3.10 on that is on this machine
	@$(PY) -m tests.python_matrix

.PHONY: mutants
mutants: $(DEV_STAMP)  ## Change MODULE='lineage/catalog.py ...' in small ways; list the changes that no test notices (TESTS=..., MINUTES=30)
	@$(PY) -m tests.mutants $(MODULE) $(if $(TESTS),--tests $(TESTS)) $(if $(MINUTES),--minutes $(MINUTES))

.PHONY: neo4j-matrix
neo4j-matrix: $(DEV_STAMP)  ## Run the Neo4j tests on 5.26 and the newest (Cypher 5 and 25), with the oldest and the newest driver
	@$(PY) -m tests.neo4j_matrix

# --- now and then ------------------------------------------------------------------------------------------------

# The tests and what they read, copied to a folder where lineage/, backends/ and cypher/ are not, so that only the installed wheel can be imported.
TESTED := $(wildcard tests examples benchmarks docs browser deploy Dockerfile docker-compose.yml README.md CHANGELOG.md CONTRIBUTING.md pyproject.toml Makefile)

# tests.wheel_files says what the wheel lacks. These tests show that what is there is found and works from where it is installed; all others
# have run in the checkout.
ON_WHEEL := tests/unit tests/cli tests/mlmd tests/recorder tests/viewing/test_boxes.py tests/viewing/test_exports.py tests/viewing/test_svg.py tests/server/test_command.py tests/server/test_served.py \
	tests/server/test_remote_store.py
QUICK := not slow and not differential and not neo4j and not mariadb and not postgres and not consumers

.PHONY: wheel-test
wheel-test: $(DEV_STAMP)  ## Build the wheel, install it in a fresh environment outside the checkout, compare its files, run quick tests on it
	@work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; \
	echo "==> building the wheel"; \
	out=$$($(PY) -m build --wheel --no-isolation --outdir "$$work/dist" . 2>&1) || { echo "$$out"; exit 1; }; \
	echo "==> installing $$(basename "$$work"/dist/*.whl) in a fresh environment"; \
	$(PY) -m venv "$$work/venv"; \
	pip="$$work/venv/bin/python -m pip --disable-pip-version-check"; \
	$$pip install --quiet --require-hashes -r requirements/test.txt; \
	$$pip install --quiet --no-deps "$$work"/dist/*.whl; \
	$$pip check >"$$work/pip-check" || { cat "$$work/pip-check"; exit 1; }; \
	$(PY) -m tests.wheel_files "$$work"/dist/*.whl; \
	mkdir "$$work/src"; cp -R $(TESTED) "$$work/src"; cd "$$work/src"; \
	echo "==> pytest on the installed wheel"; \
	env -u PYTHONPATH "$$work/venv/bin/python" -c 'import lineage, sys; f = lineage.__file__; sys.exit(None if f.startswith(sys.prefix) else f"error: imported {f}, not the wheel")'; \
	env -u PYTHONPATH "$$work/venv/bin/python" -m pytest -q -n auto --dist worksteal -p no:cacheprovider -m "$(QUICK)" --backend memory --path direct $(ON_WHEEL) $(PYTEST_ARGS)

.PHONY: browser
browser: | $(DEV_STAMP)  ## Write Neo4j Browser's style and saved queries anew after a change in browser/
	@$(PY) browser/build.py

# uv is in the locked development requirements. Pins stay as they are unless UPGRADE=1.
LOCK = $(PY) -m uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.PHONY: lock
lock: | $(DEV_STAMP)  ## Write the lock files in requirements/ anew after a change of dependencies (UPGRADE=1: newest versions)
	$(call say,locking requirements/dev.txt; test.txt, demo.txt and mutants.txt follow it; consumers.txt and protos.txt stand alone)
	@$(LOCK) pyproject.toml --extra neo4j --extra demo requirements/dev.in -o requirements/dev.txt
	@for n in test demo; do $(LOCK) pyproject.toml --extra neo4j --extra demo requirements/$$n.in --constraints requirements/dev.txt -o requirements/$$n.txt; done
	@$(LOCK) pyproject.toml --extra neo4j --extra mlmd requirements/consumers.in --overrides requirements/consumers-overrides.txt -o requirements/consumers.txt
	@$(LOCK) requirements/side-by-side.in -o requirements/side-by-side.txt
	@$(LOCK) requirements/protos.in -o requirements/protos.txt
	@$(LOCK) requirements/mutants.in --constraints requirements/dev.txt -o requirements/mutants.txt
	@if grep -nE 'https?:|--(extra-)?index-url|--find-links' requirements/*.txt; then echo "error: a lock file names a place to download from"; exit 1; fi

.PHONY: clean
clean:  ## Remove .venv, build results and caches
	@rm -rf $(VENV) $(CONSUMERS) $(SIDE_BY_SIDE) .mutants build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
