# `make demo` and `make test` do all the set-up that they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
SETUP := pyproject.toml constraints.txt
DEMO := local,reports
DEV := local,viewer,reports,postgres,ray,train,sources,studio,docs,dev

# pip is quiet, so a line every nine seconds says that it is at work; the loop ends with the recipe's shell, also on Ctrl-C.
define install
@( sleep 8; while kill -0 $$$$ 2>/dev/null; do echo "installing packages into $(VENV)"; sleep 9; done ) & beat=$$!; \
  $(PIP) -e '$(1)'; status=$$?; kill $$beat 2>/dev/null; exit $$status
endef

.DEFAULT_GOAL := help
.PHONY: help demo weights test coverage lint types bench fuzz vulnerabilities docs site view clean

help:  ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 17

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(SETUP) | $(BIN)/python
	$(call install,.[$(DEMO)])
	@touch $@

$(VENV)/.dev: $(SETUP) | $(BIN)/python
	$(call install,.[$(DEV)])
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo  ## Set up, fetch the small weights, run the jury on the demo's traces
	$(BIN)/tracejury demo

weights: $(VENV)/.demo
	@$(BIN)/tracejury models fetch minilm
	@$(BIN)/tracejury models fetch smollm2-135m

test: $(VENV)/.dev weights  ## Set up and run all tests; a part: make test ARGS="-k demo"
	$(BIN)/pytest -n 3 --dist worksteal $(ARGS)

coverage: $(VENV)/.dev weights  ## Run all tests, commands in processes of their own included, and report branch coverage
	$(BIN)/pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered --cov-fail-under=$(or $(UNDER),90)

lint: $(VENV)/.dev  ## Ruff, import contracts, plain names
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python .ci/names.py

types: $(VENV)/.dev  ## mypy, strict, for Python 3.11 and 3.13
	$(BIN)/mypy --python-version 3.11
	$(BIN)/mypy --python-version 3.13

bench: $(VENV)/.dev weights  ## The quick benchmarks; benchmarks/README.md lists them all
	$(BIN)/python -m benchmarks

fuzz: $(VENV)/.dev  ## Fuzz readers, reply parser and quote check, MINUTES each (default 10)
	$(PIP) -e '.[fuzz,sources]'
	$(BIN)/python -m benchmarks.fuzz.run --minutes $(or $(MINUTES),10)

vulnerabilities: $(VENV)/.dev  ## Known vulnerabilities of the installed packages; says so where it cannot ask
	@.ci/vulnerabilities $(BIN)/pip-audit

docs: $(VENV)/.dev weights  ## Write the generated table, then run every command of README and docs/
	$(BIN)/python -m tracejury.agents.truth_table docs/policy.md
	$(BIN)/pytest tests/test_docs.py

site: $(VENV)/.dev  ## Write the documentation with the API reference to build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

view: $(VENV)/.demo  ## Look at the newest run in a browser
	$(PIP) -e '.[viewer]'
	$(BIN)/tracejury view last

clean:  ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist
