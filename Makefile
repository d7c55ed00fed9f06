# make demo    what the shipped model can do, as a report; offline once installed
# make test    the tests that are quick; SLOW=1 runs those that take longer, too, as .ci/run does
# make types   what the annotations promise, checked by mypy
# make clean   remove the environment and the demo's output
#
# VENV=path            where the environment lives (default .venv)
# PYTHON=python3.12    what it is made from; 3.10 or later
# TORCH_INDEX=url      another source of the torch wheel; README says which one has no CUDA in it
# CONSTRAINTS=file     exact versions (default .ci/constraints.txt; /dev/null takes the newest)
# EXTRAS=test,maps     what the tests may use beside the package (default test)
# WORKERS=0            processes that share the tests (default 2; 0: none beside pytest itself)
# ARGS="..."           handed to chemvae demo, to pytest or to mypy

VENV ?= .venv
PYTHON ?= python3
CONSTRAINTS ?= .ci/constraints.txt
TORCH_INDEX ?=
EXTRAS ?= test
SLOW ?=
WORKERS ?= 2
ARGS ?=

BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
TORCH := $(or $(shell grep -s '^torch==' $(CONSTRAINTS)),torch)
PIP := PIP_CONSTRAINT=$(CONSTRAINTS) $(BIN)/python -m pip --disable-pip-version-check --no-input

# Processes that share the cores take one thread each: with a team of threads apiece they wait for one another.
SHARED := $(if $(filter-out 0,$(WORKERS)),OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1,)

comma := ,
TOOLS := $(VENV)/.installed-$(subst $(comma),-,$(EXTRAS))

.DEFAULT_GOAL := help
.PHONY: help demo test types clean
.DELETE_ON_ERROR:

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

demo: $(VENV)/.installed
	$(BIN)/chemvae demo $(ARGS)

test: $(TOOLS)
	$(SHARED) $(BIN)/python -m pytest $(if $(SLOW),,-m "not slow") $(if $(filter-out 0,$(WORKERS)),-n $(WORKERS) --dist worksteal) $(ARGS)

types: $(VENV)/.installed-dev
	$(BIN)/python -m mypy $(ARGS)

clean:
	rm -rf $(VENV) demo

# Stamps: nothing is installed again until pyproject.toml or the constraints change. Sources need none: the install is editable.
$(VENV)/.installed: pyproject.toml $(wildcard $(CONSTRAINTS))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "chemvae needs Python 3.10 or later; name one with PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV): minutes the first time, nothing after that."
	$(PIP) install --quiet '$(TORCH)' $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	$(PIP) install --quiet --editable '.[app]'
	@touch $@

$(TOOLS): $(VENV)/.installed
	$(PIP) install --quiet --editable '.[$(EXTRAS)]'
	@touch $@

$(VENV)/.installed-dev: $(TOOLS)
	$(PIP) install --quiet --editable '.[dev]'
	@touch $@
