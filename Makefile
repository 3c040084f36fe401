# Everything that a checkout can do; `make` alone lists it. All of it happens in .venv, built from hashed locks.

PY ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKED := --quiet --disable-pip-version-check --require-hashes
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --no-header --annotation-style=line --strip-extras --allow-unsafe
SOURCES := pyproject.toml README.md LICENSE \
	$(shell find services schemas deploy -not -path '*__pycache__*' -not -name '* *' 2>/dev/null)

# A virtual environment without pip of its own (Debian without python3-venv) is filled by the pip outside it.
PIP = $(if $(shell test -x $(BIN)/pip && echo own),$(BIN)/python -m pip,$(PY) -m pip --python $(BIN)/python)

# What the shell happens to have must not decide which copy of the package is tested.
unexport PYTHONPATH PYTHONHOME

# What `make faults` does at least; without a seed it takes one and says it.
KILLS := 100
SECONDS := 300
SEED :=
FAULTS_JSON := var/faults/hub.json

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test lint format bench faults evidence compose-test develop lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.package ## Install expathub with its local broker into .venv; again only if something changed

demo: install ## Play newcomers' journeys through all partners on a real broker, live
	$(BIN)/expathub demo

test: install $(VENV)/.dev ## Run all tests against the installed package, on a real broker
	EXPATHUB_TEST_INSTALLED=1 $(BIN)/pytest --cov --cov-report=term $(ARGS)

lint: install $(VENV)/.dev ## Check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev ## Bring the code into the project's form
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: install $(VENV)/.dev ## Measure what an event costs, against a loop written by hand, and how long it takes
	$(BIN)/python -m benchmarks $(ARGS)

faults: install $(VENV)/.dev ## Kill, stop, cut off and flood everything: KILLS=100 SECONDS=300 SEED=random; an hour or more
	EXPATHUB_TEST_INSTALLED=1 EXPATHUB_TEST_FAULTS=full EXPATHUB_TEST_KILLS=$(KILLS) EXPATHUB_TEST_SECONDS=$(SECONDS) \
		EXPATHUB_TEST_SEED=$(SEED) EXPATHUB_TEST_FAULTS_JSON=$(FAULTS_JSON) \
		$(BIN)/pytest -s tests/faults $(ARGS)
	EXPATHUB_TEST_EXAMPLES=20000 $(BIN)/pytest tests/unit/test_catalogue.py --timeout 7200 \
		-k "keeps_its_laws or several_majors or generates or lets_out_more"

evidence: install ## Write the figures of recorded runs (docs/evidence/*/*.json) into the pages
	$(BIN)/python -m expathub.testing.fault_tables docs/evidence/faults.md $(wildcard docs/evidence/faults/*.json)

compose-test: ## Build, use, break and remove the containers of docker-compose.yml; needs a Docker engine
	@tests/docker/compose_test $(ARGS)

develop: $(VENV)/.dev ## Install the checkout itself, so that changes count at once (`make install` ends that)
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	rm -f $(VENV)/.package

lock: $(VENV)/.dev ## Renew the locks in requirements/ from pyproject.toml
	$(COMPILE) --extra broker --build-deps-for wheel --build-deps-for editable \
		--output-file requirements/runtime.txt pyproject.toml
	$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']['dev'], sep='\n')" \
		| $(COMPILE) --constraint requirements/runtime.txt --output-file requirements/dev.txt -
	$(COMPILE) --constraint requirements/runtime.txt --output-file requirements/image.txt pyproject.toml
	$(COMPILE) --constraint requirements/runtime.txt --only-build-deps --build-deps-for wheel \
		--output-file requirements/build.txt pyproject.toml

clean: ## Stop the checkout's broker and remove everything that can be made again
	-test ! -x $(BIN)/expathub || $(BIN)/expathub broker stop
	rm -rf $(VENV) var dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "expathub needs Python 3.11 or newer; found $$($(PY) --version 2>&1). Run: make PY=python3.11" >&2; exit 1; }
	@$(PY) -m venv $(VENV) >/dev/null 2>&1 || $(PY) -m venv --clear --without-pip $(VENV)

$(VENV)/.runtime: requirements/runtime.txt | $(BIN)/python
	$(PIP) install $(LOCKED) --requirement requirements/runtime.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	$(PIP) install $(LOCKED) --requirement requirements/dev.txt
	@touch $@

$(VENV)/.package: $(SOURCES) $(VENV)/.runtime
	$(PIP) install --quiet --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall .
	@touch $@
