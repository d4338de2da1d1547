# `make demo` and `make test` each set up their own .venv; the README shows the same commands without make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench

# The tests start many processes; where this is set, each of them compiles what it imports anew.
unexport PYTHONDONTWRITEBYTECODE

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.installed-dev: pyproject.toml client/pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]' -e client
	touch $(VENV)/.installed $@

demo: $(VENV)/.installed
	$(BIN)/signoff demo

test: $(VENV)/.installed-dev
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks
