# Everything starts from a machine with only Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
STATIC := $(VENV)/.static
SHELL := /bin/bash
PEERS := .venv-peers
FIRST ?= 2013
LAST ?= 2022

.PHONY: demo test static crash bench bench-robot bench-peers docs pictures constraints constraints-peers format clean

demo: $(READY) static  ## a synthetic town: its leaks predicted, with maps and report; its wrong invoices cancelled
	$(BIN)/vardag demo --folder demo
	$(BIN)/vardag invoices demo --folder demo-invoices

test: $(READY) static  ## lint, types, architecture, tests
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2

crash: $(READY)  ## RUNS=500 runs in which the robot, the wires and the servers fail; prints the count by fault
	VARDAG_CRASH_RUNS=$(or $(RUNS),500) $(BIN)/pytest -s tests/crash/test_robot_killed.py

bench: $(READY)  ## speed and memory, as ratios and against the budgets in docs/explanation/performance.md
	$(BIN)/python -m benchmarks

bench-robot: $(READY)  ## the invoice robot: its speed, its own share of the time, and how well it reads
	$(BIN)/python -m benchmarks.robot
	$(BIN)/python -m benchmarks.reading

bench-peers: $(PEERS)/.ready  ## other people's models beside ours; CITY=folder FIRST=year LAST=year OUT=file
	$(PEERS)/bin/python -m benchmarks.peers $(if $(OUT),--out $(OUT)) \
	  $(if $(CITY),--city $(CITY) --first $(FIRST) --last $(LAST))

docs: $(READY)  ## write the generated reference pages again
	$(BIN)/vardag docs --folder docs/reference

static: $(STATIC)  ## the browser libraries of the caseworkers' desk, from npm; without npm the desk does without

# Not made where npm is missing: asked for again next time, and no reason to stop.
$(STATIC): src/vardag/app/desk/vendor.toml $(READY)
	@$(BIN)/python -m tools.static && touch $@ || true

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Vardag needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps -e .
	touch $(READY)

# The peers live apart: pandas < 3, and GPL. What they share with the product has the product's versions.
$(PEERS)/.ready: constraints-peers.txt $(READY)
	$(PYTHON) -m venv --clear $(PEERS)
	echo '*' > $(PEERS)/.gitignore
	$(BIN)/uv pip install --quiet --python $(PEERS)/bin/python --require-hashes -r constraints-peers.txt
	$(BIN)/uv pip install --quiet --python $(PEERS)/bin/python --no-build-isolation --no-deps -e .
	touch $@

constraints-peers: $(READY)  ## resolve the peers' environment again, after `constraints`
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-annotate --no-header --constraints <(sed '/^pandas==/,/[^\\]$$/d' constraints.txt) \
	  --extra peers --group build --output-file constraints-peers.txt pyproject.toml

pictures: $(READY) static  ## the desk's pictures in the docs, taken by its browser test
	VARDAG_PICTURES=docs/images $(BIN)/pytest tests/web/test_desk_browser.py

constraints: $(READY)  ## resolve the dependencies again; no host names in the result
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-annotate --no-header --group dev --extra demo --extra browser --output-file constraints.txt pyproject.toml

format: $(READY)
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) $(PEERS) demo demo-invoices
