# Every command a person or the checks' machine calls. `make` alone lists them.
# Overridable: make app PORT=8600   make app PYTHON=python3.12   make test PYTEST="-k results"
# Let a class-room's machines in: make app ARGS="--server.address 0.0.0.0"

PYTHON  ?= python3
PORT    ?= 8501
ARGS    ?=
PYTEST  ?=

ifeq ($(OS),Windows_NT)
VENV_PYTHON := .venv/Scripts/python.exe
else
VENV_PYTHON := .venv/bin/python
endif

.DEFAULT_GOAL := help
.PHONY: help app test soak lint format clean setup setup-dev

help:
	@echo "make app          set up (first time only) and open the app at http://localhost:$(PORT)"
	@echo "make test         set up (first time only), check the code and run every test"
	@echo "make soak         kill runs, damage files and crowd the server, for an hour; see docs/reliability.md"
	@echo "make lint         check style, format and types only"
	@echo "make format       put the code into its format"
	@echo "make clean        remove .venv and every cache; runs/ stays"

setup:
	@$(PYTHON) scripts/setup.py app

setup-dev:
	@$(PYTHON) scripts/setup.py dev

app: setup
	@echo "[app] Opening http://localhost:$(PORT). Ctrl+C ends the page; runs in training go on."
	@$(VENV_PYTHON) -m streamlit run server.py \
		--server.port $(PORT) $(ARGS)

test: setup-dev lint
	@echo "[test] Running every test; the browser tests too where Chromium is installed."
	@$(VENV_PYTHON) -m pytest -n auto --dist loadfile $(PYTEST)

soak: setup-dev
	@$(VENV_PYTHON) -m benchmarks.soak $(ARGS)

lint: setup-dev
	@echo "[test] Style, format, types."
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .
	@$(VENV_PYTHON) -m mypy

format: setup-dev
	@$(VENV_PYTHON) -m ruff check --fix .
	@$(VENV_PYTHON) -m ruff format .

clean:
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache artifacts
