# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The short way in; CMake does the work. `make help` lists the targets.

BUILD ?= build
BUILD_TYPE ?= Release
PREFIX ?= /usr/local
LLVM ?=
CMAKE_FLAGS ?=
export LLVM

launcher := $(shell command -v ccache)
linker := $(if $(shell command -v mold),mold,$(if $(shell command -v ld.lld),lld))
sources = $(shell git ls-files '*.cpp' '*.h' '*.c')

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: setup
setup: ## Install what is missing (apt)
	@tools/setup.sh

.PHONY: setup-tests
setup-tests:
	@tools/setup.sh tests

# Looks at the machine once it is set up, so it is not an ordinary prerequisite.
configure = cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=$(BUILD_TYPE) \
  -DCMAKE_INSTALL_PREFIX=$(PREFIX) -DAPR_LLVM_VERSION=$(LLVM) \
  $(if $(launcher),-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache) \
  $(if $(linker),-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=$(linker)) $(CMAKE_FLAGS) --log-level=WARNING

.PHONY: tools
tools: setup ## Build aprc, apr-opt, aprun and libaprt
	@$(configure)
	@cmake --build $(BUILD) --target apr_tools

.PHONY: build
build: setup ## Build everything, tests included
	@$(configure)
	@cmake --build $(BUILD)

.PHONY: demo
demo: tools ## Train the digit classifier (docs/examples/digits)
	$(BUILD)/tools/aprun/aprun train docs/examples/digits/digits.run.toml

.PHONY: test
test: setup-tests build ## Build everything and run all tests
	@ctest --test-dir $(BUILD) --output-on-failure -j$(shell nproc)

.PHONY: examples
examples: tools ## Train every example in full; APR_DATA=FOLDER for images and texts
	@tools/run_examples.sh $(BUILD) $(APR_DATA)

.PHONY: run-ch12
run-ch12: tools ## Run the linear regression chapter
	$(BUILD)/tools/aprun/aprun train docs/examples/linear_regression/line.run.toml
	$(BUILD)/tools/aprun/aprun train docs/examples/linear_regression/descent.run.toml

.PHONY: test-ch12
test-ch12: tools ## Test the linear regression chapter
	@cmake --build $(BUILD) --target check-linear-regression

.PHONY: mutants
mutants: setup-tests ## Put faults into the compiler and count those that the tests notice (hours)
	/usr/bin/python3 test/mutants/mutate.py $(BUILD)/mutants
	/usr/bin/python3 test/mutants/run_mutants.py $(BUILD)/mutants
	/usr/bin/python3 test/mutants/report.py $(BUILD)/mutants --at-least 95

FUZZ_SECONDS ?= 600
FUZZ_SEED ?= $(shell date +%s)
.PHONY: fuzz-bits
fuzz-bits: build ## Compare interpreter and native code on random graphs (FUZZ_SECONDS=600, FUZZ_SEED=…)
	@mkdir -p $(BUILD)/fuzz
	@$(BUILD)/tools/apr-fuzz/apr-fuzz --seed=$(FUZZ_SEED) --graphs=100000000 \
	  --seconds=$(FUZZ_SECONDS) --jobs=$(shell nproc) --out=$(BUILD)/fuzz \
	  --log=$(BUILD)/fuzz/$(FUZZ_SEED).json --commit=$(shell git rev-parse --short HEAD)

FUZZ_RUNS ?= 1000000
.PHONY: fuzz-readers
fuzz-readers: setup ## Feed hostile bytes to every reader of files, by libFuzzer (clang; FUZZ_RUNS=1000000)
	@test/readers/fuzz.sh $(BUILD)/fuzz-readers $(FUZZ_RUNS)

KILLS ?= 200
KILL_SEED ?= 1
.PHONY: kill-tests
kill-tests: build ## Kill a training at random moments (KILLS=200, KILL_SEED=1), let each write fail, and resume: same bits
	@mkdir -p $(BUILD)/kill-tests && cd $(BUILD)/kill-tests && \
	  python3 $(CURDIR)/test/e2e/Inputs/resume_training.py kills $(KILL_SEED) $(KILLS) \
	  $(abspath $(BUILD))/tools/aprun/aprun $(CURDIR)/docs/examples/digits/digits.run.toml \
	  --epochs 20 --record step --checkpoint-every "40 steps"
	@cd $(BUILD)/kill-tests && cc -shared -fPIC $(CURDIR)/test/e2e/Inputs/fail_writes.c -o fail_writes.so -ldl && \
	  python3 $(CURDIR)/test/e2e/Inputs/fail_training.py 1 fail_writes.so \
	  $(abspath $(BUILD))/tools/aprun/aprun $(CURDIR)/docs/examples/linear_regression/line.run.toml \
	  --epochs 2 --record step --checkpoint-every "2 steps"

# BENCH: options of test/bench/peers/bench.py, as "--only 'lenet|gpt' --rounds 15".
BENCH_PYTHON ?= $(firstword $(wildcard $(BUILD)/bench-peers/bin/python) python3)
.PHONY: bench
bench: tools ## Time compiled models beside the peers found here; page in build/bench.html (BENCH=options)
	@cmake --build $(BUILD) --target bench_programs
	@python3 test/bench/peers/bench.py --build $(BUILD) --python $(BENCH_PYTHON) \
	  --json $(BUILD)/bench.json --html $(BUILD)/bench.html $(BENCH)

.PHONY: bench-peers
bench-peers: ## Get the peers of the benchmark: PyTorch in build/bench-peers, OpenBLAS, oneDNN (2 GB)
	@tools/setup.sh bench
	python3 -m venv $(BUILD)/bench-peers
	$(BUILD)/bench-peers/bin/pip install -q -r test/bench/peers/requirements.txt

.PHONY: bench-kernels
bench-kernels: build ## Time matrix and convolution kernels alone
	@cmake --build $(BUILD) --target run_bench_matmul run_bench_conv

.PHONY: bench-exactness
bench-exactness: build ## Measure what exactness costs
	@cmake --build $(BUILD) --target run_bench_exactness

.PHONY: check-bits
check-bits: tools ## Compare the interpreter before and after every pass, on all tests and examples
	@for what in ops passes; do \
	  python3 test/relations/Inputs/check_bits.py $(BUILD)/tools/apr-opt/apr-opt \
	    $(BUILD)/tools/aprc/aprc . $$what --cases=50 || exit 1; done
	@python3 test/relations/Inputs/check_bits.py $(BUILD)/tools/apr-opt/apr-opt \
	  $(BUILD)/tools/aprc/aprc . examples --cases=4 --check-work=5e8

# Every build of the compiler gets rows of its own: build-llvm22, build-clang.
other_aprc = $(foreach aprc,$(wildcard $(BUILD)-*/tools/aprc/aprc),\
  --aprc=$(patsubst $(BUILD)-%/tools/aprc/aprc,%,$(aprc))=$(aprc))

.PHONY: bits
bits: setup-tests tools ## Train models in every cell of a grid, one hash for all (MODEL=FILE.apr, BITS=--help)
	@python3 test/bits/bits.py --aprc=$(BUILD)/tools/aprc/aprc $(other_aprc) $(BITS) $(MODEL)

.PHONY: bits-tools
bits-tools: tools ## Build the compiler with other LLVMs and clang, for make bits
	@test/bits/compilers.sh $(BUILD)

.PHONY: check-code
check-code: tools ## Disassemble all examples at every level: no arithmetic outside the guards
	@python3 test/e2e/Inputs/check_code.py $(BUILD)/tools/aprc/aprc --grid \
	  $(wildcard docs/examples/*/*.apr) test/e2e/Inputs/tiny.apir

.PHONY: probe
probe: tools ## Recover the order of every kind of sum from its results (test/probe)
	@test/probe/probe_levels.sh $(BUILD)/tools/aprc/aprc

.PHONY: reproducible
reproducible: tools ## Compile every example twenty times in other surroundings: the same bytes
	@python3 test/e2e/Inputs/compile_often.py $(BUILD)/tools/aprc/aprc 20 \
	  $(wildcard docs/examples/*/*.apr) test/e2e/Inputs/tiny.apir

# JOBS processes' worth of threads; several `make exhaustive` may also run beside each other.
JOBS ?= $(shell nproc)
exhaustive = $(BUILD)/tools/exhaustive/apr-exhaustive

.PHONY: apr-exhaustive
apr-exhaustive: setup-tests
	@$(configure)
	@cmake --build $(BUILD) --target apr-exhaustive

.PHONY: exhaustive
exhaustive: apr-exhaustive ## Prove the f32 functions on all inputs; can be continued (FUNCTIONS="exp sin", JOBS=n)
	$(exhaustive) prove -j$(JOBS) --state $(BUILD)/exhaustive-state --record $(FUNCTIONS)

.PHONY: exhaustive-check
exhaustive-check: apr-exhaustive tools ## Compare the f32 functions of every CPU level with the proven hashes (SAMPLE=n blocks)
	$(exhaustive) check -j$(JOBS) $(if $(SAMPLE),--sample $(SAMPLE)) $(FUNCTIONS)
	@# Samples through compiled models, on aarch64 too where its tools are installed.
	$$(sed -n 's/^APR_LIT:[^=]*=//p' $(BUILD)/CMakeCache.txt) -v $(BUILD)/test --filter=e2e/functions

.PHONY: exhaustive-f64
exhaustive-f64: apr-exhaustive ## Measure the errors of the f64 functions, pow and atan2 by MPFR
	$(exhaustive) f64 -j$(JOBS) $(FUNCTIONS)

.PHONY: exhaustive-conversions
exhaustive-conversions: tools ## Check bf16 and f32 conversions on all floats, wider ones on a hundred million numbers
	$(BUILD)/tools/aprc/aprc docs/examples/functions/functions.apr -o $(BUILD)/functions.o
	$(CC) -std=c11 -O2 -I$(BUILD) test/e2e/Inputs/functions_conversions.c $(BUILD)/functions.o -lm \
	  -o $(BUILD)/functions_conversions
	$(BUILD)/functions_conversions 1

.PHONY: install
install: tools ## Install the tools, libaprt and the CMake package below PREFIX
	@cmake --install $(BUILD)

.PHONY: format
format: ## Format all sources (clang-format 19)
	clang-format-19 -i $(sources)

.PHONY: tidy
tidy: ## Lint all sources (clang-tidy 19)
	@$(configure)
	run-clang-tidy-19 -quiet -p $(BUILD) $(filter %.cpp,$(sources))

.PHONY: clean
clean: ## Remove the build folder
	rm -rf $(BUILD)
