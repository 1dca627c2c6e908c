# `make reproduce` and `make test` install all they need. Repeat an interrupted command and it continues.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m
SITE := $(RUN) sphinx -c docs . build/site --quiet
NOTEBOOKS := $(wildcard */[0-9][0-9]_*.ipynb)
TRANSFORMS := $(patsubst %,tests/common/test_%.py,wavelet radon fourier scramble layers)
# The settings of processes that share the cores.
ONE_THREAD := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
# Containers often set this variable; every start of Python would then compile all of TensorFlow again.
unexport PYTHONDONTWRITEBYTECODE
# Kernels run in the folders of the studies, where a relative path would lead elsewhere.
ifdef RESEARCH_DATA
export RESEARCH_DATA := $(abspath $(RESEARCH_DATA))
endif

.DEFAULT_GOAL := help
.PHONY: help reproduce test site lab notebooks study data scratch bench faults test-backends lock clean

help:                ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

reproduce: .venv/ready   ## execute every notebook, compare its outputs with the committed ones, build the site
	$(RUN) common.notebooks reproduce
	$(SITE)

test: .venv/ready        ## run lint, type checks, all tests and notebooks, and measure a sample of the records again
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(ONE_THREAD) $(RUN) pytest -n auto --dist loadfile --no-loadscope-reorder --nbval --nbval-current-env $(NOTEBOOKS) tests

site: .venv/ready        ## build the site from the committed notebooks: build/site/index.html
	$(SITE)

# JupyterLab refuses to run as root, the usual user of a container, unless it is told to.
lab: .venv/ready         ## open JupyterLab
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root)

notebooks: .venv/ready   ## execute the notebooks and write outputs, figures and READMEs; STUDY=name for one study
	$(RUN) common.notebooks write $(STUDY)
	$(BIN)/python docs/tables.py

study: .venv/ready       ## make the skeleton of a new study: make study NAME=name
	$(RUN) common.notebooks.skeleton $(NAME)

data: .venv/ready        ## download the data that do not ship, about 75 MB
	$(RUN) common.data

scratch: .venv/ready     ## measure every record again and report the differences; STUDY=name for one study
	$(RUN) common.experiments.audit scratch $(STUDY)

bench: .venv/peers       ## compare speed and memory with PyWavelets, ptwt, scikit-image, SciPy, PyTorch and others
	$(RUN) tests.benchmarks
	$(RUN) tests.benchmarks.tomography

faults: .venv/ready      ## kill every long command 20 times, damage files, fill a disk, fuzz; takes an hour or more
	KILLS=20 $(ONE_THREAD) $(RUN) pytest -n auto --dist worksteal -m fault --hypothesis-profile faults tests

test-backends: .venv/backends  ## test the transforms on JAX and PyTorch
	TEST_BACKEND=jax $(RUN) pytest $(TRANSFORMS)
	TEST_BACKEND=torch $(RUN) pytest $(TRANSFORMS)

# Each direct dependency keeps its comment from pyproject.toml, and its version where the ranges allow it.
lock: .venv/ready        ## write requirements.txt, the lock, from the ranges in pyproject.toml; UPGRADE=1 for new versions
	@mkdir -p build
	@sed '/^-e/d' requirements.txt > build/lock.txt
	$(UV) pip compile pyproject.toml --extra notebooks --extra tests --extra docs --quiet --universal \
	  --python-version 3.11 --no-emit-index-url --no-header --no-annotate $(if $(UPGRADE),--upgrade) -o build/lock.txt
	awk -F '[">=]+' ' \
	    NR == FNR { if (/^    ".*# /) why[tolower($$2)] = substr($$0, index($$0, "#")); next } \
	    { print $$0 (tolower($$1) in why ? "  " why[tolower($$1)] : "") } \
	    END { print "-e ." }' pyproject.toml build/lock.txt > build/requirements.txt
	mv build/requirements.txt requirements.txt

clean:               ## delete the environment and everything that was built
	rm -rf .venv $(UNFINISHED) build .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info

# A killed installation may leave packages that look complete. This mark outlives it, and the next installation
# then starts anew; what was downloaded is kept in a cache.
UNFINISHED := .venv.unfinished
ifneq ($(wildcard $(UNFINISHED)),)
.PHONY: .venv/ready
endif

# uv installs in a third of pip's time, but does not know pip's settings; pip does what uv cannot do.
UV := $(BIN)/uv
PIP := $(BIN)/pip --disable-pip-version-check
UV_INSTALL = $(UV) pip install --quiet --python $(BIN)/python
# Without a package registry, a complete environment stays as it is.
define install
@[ -x $(UV) ] || $(PIP) install --quiet uv 2> /dev/null || true
@echo "Installing packages into .venv"
@$(UV_INSTALL) $(1) 2> /dev/null || $(PIP) install --quiet --no-compile $(1) \
  || { [ ! -e .venv/ready ] || rm $(UNFINISHED); exit 1; }
@$(RUN) common.environment kernelspec
@touch $@
@rm $(UNFINISHED)
endef

.venv/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "This project needs Python 3.11, 3.12 or 3.13; choose one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing; on Debian, install it with: apt install python3-venv"; exit 1; }
	@[ ! -e $(UNFINISHED) ] || rm -rf .venv
	@[ $$(df -Pk . | awk 'NR == 2 {print $$4}') -gt 5000000 ] || \
	  { echo "The environment needs 5 GB of disk space here, and there is less."; exit 1; }
	@touch $(UNFINISHED)
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv .venv
	$(call install,--no-deps -r requirements.txt)

.venv/backends .venv/peers: .venv/%: .venv/ready
	@touch $(UNFINISHED)
	$(call install,-e .[$*])
