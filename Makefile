# One rule per thing a person does. `make demo` and `make test` set up everything they need.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -q
CORE   := $(VENV)/.core
DEV    := $(VENV)/.dev
BUILD  := pyproject.toml setup.py constraints.txt src/kanna/_kernel.c $(wildcard src/kanna/_kernel*.h)

.PHONY: demo test check lint portable sanitize bench clean

demo: $(CORE)
	$(BIN)/kanna demo

test: $(DEV)
	$(BIN)/python -m pytest -n auto -q

check: lint test portable

lint: $(DEV)
	$(BIN)/ruff format --check src tests tools bench setup.py
	$(BIN)/ruff check src tests tools bench setup.py
	$(BIN)/mypy
	$(BIN)/lint-imports

# The same suite without the C extension and without the system's fast calls.
portable: $(DEV)
	KANNA_KERNEL=torch KANNA_DISK=plain $(BIN)/python -m pytest -n auto -q

# The kernel's own tests under AddressSanitizer and UndefinedBehaviorSanitizer.
sanitize: $(DEV)
	$(BIN)/python tests/sanitize/run.py

bench: $(DEV)
	$(BIN)/python bench/run.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(CORE): $(VENV)/bin/python $(BUILD)
	$(PIP) install -c constraints.txt setuptools
	$(PIP) install -c constraints.txt --no-build-isolation -e .
	touch $@

$(DEV): $(VENV)/bin/python $(BUILD)
	$(PIP) install -c constraints.txt setuptools torch
	KANNA_BUILD_STRICT=1 $(PIP) install -c constraints.txt --no-build-isolation -e '.[dev]'
	touch $@ $(CORE)

clean:
	rm -rf $(VENV) build dist src/*.egg-info src/kanna/*.so .bench
