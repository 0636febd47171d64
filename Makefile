# `make demo` and `make test` work on a fresh machine; everything they install goes into .venv.
.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:
.NOTPARALLEL:

VENV := .venv
PYTHON := $(VENV)/bin/python
LINT := build/lint
# A folder is newer than its stamp when a file in it came or went.
SOURCES := pyproject.toml CMakeLists.txt README.md LICENSE \
           $(shell find cpp/include cpp/src cpp/bindings python -not -path '*/__pycache__*')

# Settings of the user's that would lead pip out of the environment.
export PIP_USER := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONNOUSERSITE := 1

# The build tools stand in .venv and the object files in build/python, so that an edit recompiles what it touches.
# Not editable: what runs is what a wheel would hold.
INSTALL = CXX="$$(tools/setup compiler)" && export CXX && \
          $(PYTHON) -m pip install -qq --no-build-isolation --config-settings=build-dir=build/python
BUILD_TOOLS = $$($(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])')

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/demo.stamp ## install anygram into .venv and show what it does
	@$(VENV)/bin/anygram demo -o build/demo
	@echo '(the command is $(VENV)/bin/anygram here)'

.PHONY: test
test: $(VENV)/test.stamp ## install anygram into .venv and run the tests and the documents' examples
	@$(PYTHON) -m pytest --doctest-modules --doctest-glob='*.md' --ignore-glob='*/anygram/integrations/*' --ignore-glob='*/decontamination/datatrove.py' \
	    tests README.md docs --pyargs anygram

.PHONY: soak
soak: $(VENV)/test.stamp ## the tests again with many more random examples (long)
	@HYPOTHESIS_PROFILE=soak $(PYTHON) -m pytest tests

.PHONY: test-cpp
test-cpp: $(LINT)/stamp ## the C++ tests: plain, and under the address, undefined and thread sanitizers
	@PATH="$(CURDIR)/$(LINT)/bin:$$PATH" tools/test-cpp $(PRESETS)

.PHONY: lint
lint: $(VENV)/test.stamp $(LINT)/stamp ## ruff, mypy, import-linter, clang-format, clang-tidy
	@PATH="$(CURDIR)/$(LINT)/bin:$(CURDIR)/$(VENV)/bin:$$PATH" tools/lint

.PHONY: format
format: $(LINT)/stamp ## rewrite the sources as the linters want them
	$(LINT)/bin/ruff check --fix-only .
	$(LINT)/bin/ruff format .
	find cpp -name '*.hpp' -o -name '*.cpp' | xargs $(LINT)/bin/clang-format -i

.PHONY: bench
bench: ## all benchmarks, into benchmarks/results (half an hour; see benchmarks/README.md)
	@$$(tools/setup python) benchmarks/run.py build/bench $(BENCH)

.PHONY: clean
clean: ## remove .venv and everything built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# What was compiled goes too: it may have been for another Python.
$(VENV)/venv.stamp: tools/setup
	@tools/setup compiler >/dev/null
	@tools/setup venv $(VENV)
	@rm -rf build/python
	@touch $@

$(VENV)/tools.stamp: $(VENV)/venv.stamp pyproject.toml
	@$(PYTHON) -m pip install -qq $(BUILD_TOOLS) 'cmake>=3.24' ninja
	@touch $@

$(VENV)/demo.stamp: $(VENV)/tools.stamp $(SOURCES)
	@echo 'Installing anygram into $(VENV); the first time takes a minute or two, for all of it is compiled.' >&2
	@$(INSTALL) .
	@touch $@

$(VENV)/test.stamp: $(VENV)/tools.stamp $(SOURCES)
	@echo 'Installing anygram and what its tests need into $(VENV); the first time takes a few minutes.' >&2
	@$(INSTALL) '.[all,test]'
	@touch $(VENV)/demo.stamp $@

# The linters' versions are pinned, and kept away from what is tested.
$(LINT)/stamp: tools/setup tools/lint-requirements.txt
	@tools/setup venv $(LINT)
	@$(LINT)/bin/python -m pip install -qq -r tools/lint-requirements.txt
	@touch $@
