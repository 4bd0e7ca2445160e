# make, or make help: what there is.  Every target sets up what it needs.
# Without PYTHON= the first of these that is 3.11 or newer (one of pyenv's that is not switched on only looks like one).
PYTHON ?= $(shell for each in python3.11 python3.12 python3.13 python3; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
TESTS  := $(VENV)/.tests
ARGS   ?=
# Test files that run at once: two more than two cores, since many tests wait for a server; each needs about 1.5 GB.
JOBS   ?= 4
PIP    := $(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt
VERSION := -c 'import sys; print("%d.%d" % sys.version_info[:2])'

.DEFAULT_GOAL := help
.PHONY: help python setup demo test fast check docs format bench peers clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo 'Another Python: make setup PYTHON=python3.13.  Arguments: make test ARGS="tests/serving -x".'

# A Python that will do, and an environment of that Python; else a sentence about what to type.
python:
	@test -n "$(PYTHON)" || { echo "error: tillside needs Python 3.11 or newer, and none of python3.11, python3.12," \
	  "python3.13 and python3 is that; with one that lies elsewhere: make setup PYTHON=/path/to/python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "error: PYTHON=$(PYTHON) is" \
	  "$$($(PYTHON) --version 2>/dev/null || echo not there), tillside needs Python 3.11 or newer: make setup PYTHON=python3.12" >&2; exit 2; }
	@test ! -e $(BIN) || $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: the environment $(VENV) has no Python of 3.11 or newer that runs;" \
	  "make clean removes it, and make setup makes it anew" >&2; exit 2; }
ifneq ($(filter command environment,$(firstword $(origin PYTHON))),)
	@test ! -e $(BIN) || test "$$($(BIN)/python $(VERSION))" = "$$($(PYTHON) $(VERSION))" || { \
	  echo "error: the environment $(VENV) is of Python $$($(BIN)/python $(VERSION)), PYTHON=$(PYTHON) is" \
	  "$$($(PYTHON) $(VERSION)); make clean removes it, or take another beside it: make setup VENV=.venv-other PYTHON=$(PYTHON)" >&2; exit 2; }
endif

setup: $(READY)  ## the environment .venv, with the versions that constraints.txt pins

$(READY): pyproject.toml constraints.txt | python
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -e '.[train,serve,client,trace,dev,docs]'
	touch $@

# Spark's 450 MB are for its test alone, and only where there is a Java to run it.
$(TESTS): $(READY)
	if command -v java >/dev/null; then $(PIP) -e '.[spark]'; fi
	touch $@

# The whole way, from a log to answers. Another log: make demo ARGS="data=rees46 data.path=events.csv.gz"
demo: $(READY)  ## the whole way: a simulated shop, data set, model, bundle, server, answers
	$(BIN)/python -m training.demo $(ARGS)

test: $(TESTS)  ## every test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

fast: $(READY)  ## the tests that take no training run: what CI runs on every Python
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m 'not slow' $(ARGS)

check: $(READY)  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict -d $(abspath $(VENV))/site

# The documentation as a site, in site/; the reference pages are made anew from the code first.
docs: $(READY)  ## the documentation as a site
	$(BIN)/python -m docs.generate
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "open site/index.html"

format: $(READY)  ## mends what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Trains on every log in DATA and rewrites benchmarks/results/quality-*. One log: python -m benchmarks.quality rees46
DATA ?= ../shared/data
bench: $(READY)  ## measures quality on the published logs in DATA
	$(BIN)/python -m benchmarks.quality rees46 online-retail beauty diginetica --data $(DATA)

# RecTools and RePlay to compare with (python -m benchmarks.peers --help), each in an environment of its own.
peers: runs/peers/rectools/.ready runs/peers/replay/.ready  ## environments of the libraries to compare with

runs/peers/%/.ready: benchmarks/peers/%.txt
	test -x runs/peers/$*/bin/python || $(PYTHON) -m venv runs/peers/$*
	runs/peers/$*/bin/python -m pip install --disable-pip-version-check -q -r $<
	touch $@

clean:  ## removes .venv and the demo
	rm -rf $(VENV) demo
