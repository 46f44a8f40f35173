# One rule per thing a person does. `make demo` and `make test` set up everything they need.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -q
CORE   := $(VENV)/.core
DEV    := $(VENV)/.dev
BUILD  := pyproject.toml setup.py constraints.txt $(wildcard src/kanna/_kernel*.[ch])
# Without a C compiler torch computes, in the demo and in the tests.
CC_THERE := $(shell command -v cc || command -v gcc || command -v clang)
STRICT   := $(if $(CC_THERE),1,0)
KERNEL   := $(if $(CC_THERE),native,torch)

.PHONY: demo test check lint suite portable docs sanitize fuzz bench clean

demo: $(CORE)
	$(BIN)/kanna demo

test: suite

check: lint suite portable

suite: $(DEV)
	KANNA_KERNEL=$(KERNEL) $(BIN)/python -m pytest -n auto -q

# The same suite without the C extension and without the system's fast calls.
portable: $(DEV)
	KANNA_KERNEL=torch KANNA_DISK=plain $(BIN)/python -m pytest -n auto -q

lint: $(DEV)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

# The pages that are made of rules and their messages.
docs: $(DEV)
	$(BIN)/python tools/write_check_docs.py
	$(BIN)/python tools/write_scan_docs.py
	$(BIN)/python tools/write_method_docs.py

# The kernel's own tests under AddressSanitizer and UndefinedBehaviorSanitizer.
sanitize: $(DEV)
	$(BIN)/python tests/sanitize/run.py

# Every parser under a fuzzer (atheris, Linux and macOS): RUNS inputs each.
RUNS ?= 500000
fuzz: $(DEV)
	$(PIP) install -c constraints.txt atheris
	$(BIN)/python fuzz/run.py --runs $(RUNS)

bench: $(DEV)
	$(BIN)/python bench/run.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(CORE): $(VENV)/bin/python $(BUILD)
	$(PIP) install -c constraints.txt setuptools
	$(PIP) install -c constraints.txt --no-build-isolation -e .
	$(BIN)/python -c "import kanna._kernel" || $(PIP) install -c constraints.txt torch
	$(BIN)/python -m compileall -q src/kanna
	touch $@

$(DEV): $(VENV)/bin/python $(BUILD)
	$(PIP) install -c constraints.txt setuptools torch
	KANNA_BUILD_STRICT=$(STRICT) $(PIP) install -c constraints.txt --no-build-isolation -e '.[dev]'
	$(BIN)/python -m compileall -q src/kanna
	touch $@ $(CORE)

clean:
	rm -rf $(VENV) build dist src/*.egg-info src/kanna/*.so .bench .fuzz
