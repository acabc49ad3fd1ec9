# Everything happens in .venv inside this checkout; nothing is installed outside it.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint types unit test-realserver setup clean

setup: $(BIN)/.ready

$(BIN)/.ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: setup  ## ask a question over a scratch copy of vault/
	@bash docs/demo.sh

test: lint types unit  ## all checks

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

# Many tests watch real processes and real events. What fails while two run at a time is tried once more, alone: a fault
# fails again, a busy machine does not.
unit: setup
	$(BIN)/pytest -n auto || $(BIN)/pytest --last-failed --last-failed-no-failures none

# llama.cpp's own server with a scripted model: its tokenizer, template, stream and overflow. Built once a machine, from
# its Python package, into the user's cache.
test-realserver: setup
	$(BIN)/python tests/realserver/build.py
	$(BIN)/pytest -m realserver tests/realserver

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
