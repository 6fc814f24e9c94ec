# Everything starts from a machine with only Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SHELL := /bin/bash

.PHONY: demo test bench docs constraints format clean

demo: $(READY)  ## make a synthetic town, predict its leaks and write the maps and the report
	$(BIN)/vardag demo --folder demo

test: $(READY)  ## lint, types, architecture, tests
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2

bench: $(READY)  ## speed and memory, as ratios and against the budgets in docs/explanation/performance.md
	$(BIN)/python -m benchmarks

docs: $(READY)  ## write the generated reference pages again
	$(BIN)/vardag docs --folder docs/reference

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Vardag needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps -e .
	touch $(READY)

constraints: $(READY)  ## resolve the dependencies again; no host names in the result
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-annotate --no-header --group dev --output-file constraints.txt pyproject.toml

format: $(READY)
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) demo
