# The same commands for people, for continuous integration and for the website.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Each folder here is a package with lessons of its own.
PLUGINS := $(wildcard plugins/*/pyproject.toml)

.DEFAULT_GOAL := help
.PHONY: help env course serve test lint format lock clean

help: ## Show what there is to make
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1	\2/' | expand -t 18

env: $(STAMP) ## Create the environment, or bring it up to date

# Every package that is fetched stands in constraints.txt with its hash. --no-deps: nothing is left to
# resolve, and pip would look past the pin of a package that another asks for with an extra.
$(STAMP): constraints.txt pyproject.toml $(PLUGINS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "neuroprimer needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
		  echo "Name another: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--editable . $(addprefix --editable ,$(dir $(PLUGINS)))
	$(BIN)/python -m pip check --disable-pip-version-check
	@# matplotlib lists the machine's fonts once and would say so in the first lesson
	@$(BIN)/python -c 'import matplotlib.font_manager'
	@touch $@

course: $(STAMP) ## Execute, validate and publish the course
	@$(BIN)/neuroprimer build
	@echo 'From here, `make serve` shows it in a browser.'

serve: $(STAMP) ## Show the built course in a browser on this machine
	@$(BIN)/neuroprimer serve

test: lint ## Check everything: style, types, import contracts, doctests, tests
	$(BIN)/pytest -n auto --dist loadfile --durations=25

lint: $(STAMP) ## Check style, types and import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## Put the code into the house's form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: ## Choose versions anew and write constraints.txt (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --upgrade --quiet -o constraints.txt

clean: ## Remove the built course, the environment and caches
	rm -rf _build $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
