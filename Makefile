# `make check` is what has to be green before a change lands.
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: check lint format help settings tutorial notebook pictures bench

check: lint
	$(BIN)/python -m pytest

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32

format: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

help: $(VENV)/.installed
	$(BIN)/python -m tests.help_blocks

settings: $(VENV)/.installed
	$(BIN)/python -m tests.settings_page

tutorial: $(VENV)/.installed
	$(BIN)/python -m tests.tutorial

notebook: $(VENV)/.installed
	$(BIN)/python -m tests.notebook

pictures: $(VENV)/.installed
	$(BIN)/python docs/make_pictures.py

bench: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[bench]'
	$(BIN)/python benchmarks/performance.py

$(VENV)/.installed: pyproject.toml
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@
