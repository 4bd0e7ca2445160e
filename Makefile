# make setup | demo | test | check | docs | bench | peers.  Every target sets up what it needs.
PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=
# Test files that run at once; each process imports torch and needs about 1.5 GB.
JOBS   ?= 2

.PHONY: setup demo test check docs format bench peers clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[train,serve,client,trace,dev,docs]'
	touch $@

# The whole way, from a log to answers. Another log: make demo ARGS="data=rees46 data.path=events.csv.gz"
demo: $(READY)
	$(BIN)/python -m training.demo $(ARGS)

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

# The documentation as a site, in site/; the reference pages are made anew from the code first.
docs: $(READY)
	$(BIN)/python -m docs.generate
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "open site/index.html"

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Trains on every log in DATA and rewrites benchmarks/results/quality-*. One log: python -m benchmarks.quality rees46
DATA ?= ../shared/data
bench: $(READY)
	$(BIN)/python -m benchmarks.quality rees46 online-retail beauty diginetica --data $(DATA)

# RecTools and RePlay to compare with (python -m benchmarks.peers --help), each in an environment of its own.
peers: runs/peers/rectools/.ready runs/peers/replay/.ready

runs/peers/%/.ready: benchmarks/peers/%.txt
	test -x runs/peers/$*/bin/python || $(PYTHON) -m venv runs/peers/$*
	runs/peers/$*/bin/python -m pip install --disable-pip-version-check -q -r $<
	touch $@

clean:
	rm -rf $(VENV) demo
