# `make reproduce` and `make test` do all of their set-up; interrupted, they continue where they were.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m
NOTEBOOKS := $(wildcard */[0-9][0-9]_*.ipynb)
TRANSFORMS := $(patsubst %,tests/common/test_%.py,wavelet radon fourier scramble)
# For each of the processes that share the cores.
ONE_THREAD := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
# Containers often set it; every start of Python would then compile all of TensorFlow again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help reproduce test faults test-backends lab bench scratch notebooks lock clean

help:                ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

reproduce: .venv/ready   ## execute every notebook, compare it with the committed one, make build/index.html
	$(RUN) common.notebooks reproduce

test: .venv/ready        ## lint, tests, strict nbval on every notebook, audit of a sample of stored results
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(ONE_THREAD) $(RUN) pytest -n auto --dist loadfile --no-loadscope-reorder --nbval $(NOTEBOOKS) tests
	$(RUN) common.experiments.audit sample

faults: .venv/ready      ## kill every long command 20 times, spoil disks, folders and files, fuzz; an hour or more
	KILLS=20 $(ONE_THREAD) $(RUN) pytest -n auto --dist worksteal -m fault --hypothesis-profile faults tests

test-backends: .venv/backends  ## the tests of the transforms on JAX and PyTorch
	TEST_BACKEND=jax $(RUN) pytest $(TRANSFORMS)
	TEST_BACKEND=torch $(RUN) pytest $(TRANSFORMS)

lab: .venv/ready         ## JupyterLab
	$(BIN)/jupyter lab

bench: .venv/peers       ## speed and memory beside PyWavelets, ptwt, scikit-image, torchskradon, SciPy, PyTorch, foolbox, a Keras guide
	$(RUN) tests.benchmarks

scratch: .venv/ready     ## measure every stored result again, report the differences; STUDY=name for one
	$(RUN) common.experiments.audit scratch $(STUDY)

notebooks: .venv/ready   ## write the committed outputs and the figures of the READMEs
	$(RUN) common.notebooks write

# Each direct dependency gets the comment that it has in pyproject.toml.
lock: .venv/ready        ## write requirements.txt, the full lock, from the ranges in pyproject.toml
	@mkdir -p build
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --upgrade \
	  --no-emit-index-url --no-header --no-annotate | awk -F '[">=]+' ' \
	    NR == FNR { if (/^    ".*# /) why[tolower($$2)] = substr($$0, index($$0, "#")); next } \
	    { print $$0 (tolower($$1) in why ? "  " why[tolower($$1)] : "") } \
	    END { print "-e ." }' pyproject.toml - > build/requirements.txt
	mv build/requirements.txt requirements.txt

clean:               ## delete the environment and everything that was built
	rm -rf .venv $(UNFINISHED) build .pytest_cache .ruff_cache .hypothesis *.egg-info

# A killed installation may leave packages that look whole. The mark that it leaves makes the next one start
# anew; pip keeps what it had downloaded.
UNFINISHED := .venv.unfinished
ifneq ($(wildcard $(UNFINISHED)),)
.PHONY: .venv/ready
endif

# Where pip itself gives up, for want of a registry, a complete environment is as it was. Python compiles what
# is imported, which is little of what is installed.
define install
$(BIN)/pip install --quiet --disable-pip-version-check --no-compile $(1) || { [ ! -e .venv/ready ] || rm $(UNFINISHED); exit 1; }
@touch $@
@rm $(UNFINISHED)
endef

.venv/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing; on Debian: apt install python3-venv"; exit 1; }
	@[ ! -e $(UNFINISHED) ] || rm -rf .venv
	@[ $$(df -Pk . | awk 'NR == 2 {print $$4}') -gt 5000000 ] || \
	  { echo "Too little disk: the environment needs 5 GB here"; exit 1; }
	@touch $(UNFINISHED)
	[ -x $(BIN)/pip ] || $(PYTHON) -m venv .venv
	$(call install,--no-deps -r requirements.txt)

.venv/backends .venv/peers: .venv/%: .venv/ready
	@touch $(UNFINISHED)
	$(call install,-e .[$*])
