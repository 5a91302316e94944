# Everything runs inside .venv, which these targets make. Paths stay relative, so the checkout may lie anywhere.
SHELL := /bin/bash
PYTHON ?= python3
PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check -q
OUT ?= livecut-out
export PYTHONUTF8 := 1

.PHONY: help setup demo setup-test test check bench bench-detect faults styles golden docs sample clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/.made:
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.core: .venv/.made pyproject.toml
	@echo "installing livecut into .venv"
	$(PIP) install -e .
	@touch $@

.venv/.dev: .venv/.core tests/constraints.txt
	@echo "installing what the tests need"
	$(PIP) install -e ".[dev,whisper,generate,ray,urls]" -c tests/constraints.txt
	@touch $@

setup: .venv/.core ## install livecut and its model files
	$(PY) -m pipelines models fetch

demo: setup ## cut the sample recording and say where the clips lie
	$(PY) -m pipelines clip samples/show.mp4 -o "$(OUT)"
	@echo
	@echo "clips:  $(OUT)/show/clips"
	@echo "report: $(OUT)/show/report.html"

setup-test: setup .venv/.dev
	@bash tests/install_browser.sh

test: setup-test ## install what the tests need and run all of them
	$(PY) -m pytest

check: .venv/.dev ## formatting, lint and types
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

bench: setup-test ## measure against the plain alternatives: make bench RECORDING=show.mp4
	$(PY) -m tests.bench $(RECORDING)

bench-detect: .venv/.dev ## accuracy of the finding on 24 simulated hours and labelled streams; ARGS=--full for 240 hours
	$(PY) -m tests.bench.detect $(ARGS)

faults: setup-test ## break everything that can break, and print the table of what must hold: make faults SOAK_S=600
	$(PY) -m tests.faults

styles: .venv/.dev ## film every style on three sample products, for docs/styles.md
	$(PY) -m tests.docs.styles

golden: .venv/.dev ## write the golden files anew; the diff is the review
	$(PY) -m pytest tests/unit tests/golden --golden

docs: .venv/.dev ## write the generated pages of docs/reference anew
	$(PY) -m tests.docs.generate

sample: ## make the sample recording anew (downloads a voice and a renderer, takes an hour)
	$(PYTHON) -m venv .sample-venv
	.sample-venv/bin/python -m pip -q install -r samples/requirements.txt
	.sample-venv/bin/python samples/make_samples.py

clean: ## remove everything that these targets made
	rm -rf .venv .sample-venv "$(OUT)" .pytest_cache .mypy_cache .ruff_cache .hypothesis
