# make setup | run | test | lint | docs-pictures | clean. Everything lives in .venv; after the first time no
# target needs the network. `run` installs what the program uses, all others what its tests use as well.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.calf_viz_setup
TESTS_STAMP := $(VENV)/.calf_viz_tests_setup
# The stamp names its folder: a checkout that was copied or moved would else use its old shaders.
MADE_HERE := $(shell [ -x $(BIN)/python ] && grep -sxF '$(CURDIR)' $(STAMP))
ARGS ?=
PYTEST_ARGS ?=
PICTURES ?=

# One target at a time with -j too: two of them may call apt-get.
.NOTPARALLEL:

.DEFAULT_GOAL := help
.PHONY: help setup system-run system-test again run test lint docs-pictures clean

help:
	@echo 'make setup   what the program and its tests need: OpenGL (Debian and Ubuntu) and $(VENV)'
	@echo "make run     the program, with ARGS='--system point_mass --n_agents 20'"
	@echo "make test    the tests, with PYTEST_ARGS='-k ring'"
	@echo 'make lint    ruff and mypy'
	@echo "make docs-pictures  README's and the docs' pictures anew, or PICTURES='readme looks'"
	@echo 'make clean   remove $(VENV), builds and caches'

# The system's packages are looked at every time, since .venv may outlive them; where all are
# there that is one dpkg query.
setup: system-test $(TESTS_STAMP)

system-run:
	@bash tools/setup_system.sh run "$(PYTHON)"

system-test:
	@bash tools/setup_system.sh test "$(PYTHON)"

# The stamps are written last, so that a set-up cut short starts again. Setuptools comes first
# and builds without isolation, so that its version too is the one in constraints.txt.
NEEDS := pyproject.toml setup.py constraints.txt
INSTALL = $(BIN)/python -m pip install --quiet -c constraints.txt

$(STAMP): $(NEEDS) $(if $(MADE_HERE),,again) | system-run
	@echo 'setup: $(VENV), which takes minutes where torch is not here yet'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(VENV)
	$(INSTALL) setuptools
	$(INSTALL) --no-build-isolation -e '.[gym,record,video]'
	@echo '$(CURDIR)' >$@

$(TESTS_STAMP): $(STAMP)
	$(INSTALL) --no-build-isolation -e '.[dev]'
	@touch $@

again:

run: system-run $(STAMP)
	$(BIN)/python -m calf_viz $(ARGS)

# A worker a core, two at most: drawing in software takes both anyway. What is not yet begun goes
# to whoever is idle.
WORKERS := $(shell [ "$$(nproc 2>/dev/null || echo 1)" -gt 1 ] && echo 2 || echo 0)

test: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

lint: setup
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

docs-pictures: setup
	$(BIN)/python tools/docs_pictures.py $(PICTURES)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .hypothesis .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
