# Two commands set everything up:  make scan IMAGE=name:tag   and   make test
.DEFAULT_GOAL := help
SHELL := /bin/sh

# Debian's python3 is built with profile-guided optimisation, about a sixth faster than a plain build.
PYTHON ?= $(shell for p in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
WORK := .scan
SOURCES := $(shell git ls-files '*.py' '*.sql' '*.json' '*.yaml' '*.zst' 2>/dev/null || find anchorecli analyzers feeds policy -type f)

.PHONY: help scan test lint types bench bench-memory bench-feeds quality quality-audit quality-labels compare coverage fuzz binary starter clean system-scan system-test

help:  ## this text
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ —/'

scan: system-scan $(VENV)/.installed  ## scan IMAGE (registry name, archive, directory); without IMAGE a small real one is made
ifdef IMAGE
	@$(BIN)/anchore scan $(ARGS) "$(IMAGE)"
else
	@$(BIN)/python benchmarks/images.py small $(WORK)/small.tar
	@$(BIN)/anchore --store $(WORK)/store.db scan $(ARGS) "$$(cat $(WORK)/small.tar.source)"; status=$$?; \
	case $$status in 0|1|4) echo "(exit code $$status: anchore --help explains them)" ;; *) exit $$status ;; esac
endif

test: system-test $(VENV)/.tests  ## the whole suite
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

lint: $(VENV)/.tests
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.tests
	@$(BIN)/mypy

bench: system-scan $(VENV)/.bench  ## speed and memory beside Syft and Trivy, on images made here (takes long)
	@$(BIN)/python benchmarks/run.py $(ARGS)

bench-memory: $(VENV)/.installed  ## what scans take at most of memory, on images with very many of one thing, or NAME="npm same"
	@$(BIN)/python benchmarks/memory.py $(NAME) $(ARGS)

bench-feeds: $(VENV)/.installed  ## what feeds cost: matching, import, deltas, a year of syncs at a tenth of the size (takes long)
	@mkdir -p $(WORK)
	@$(BIN)/python benchmarks/matching_db.py $(WORK)/feeds.db
	@$(BIN)/python benchmarks/distribution.py $(WORK)/feeds.db --work $(WORK)
	@rm -f $(WORK)/year.db && $(BIN)/python benchmarks/feeds_year.py $(WORK)/year.db --part 0.1 $(ARGS)

quality: $(VENV)/.tests  ## are the findings right? beside slow oracles on the upstream files in FROM=directory; versions beside each tool
ifdef FROM
	@$(BIN)/python benchmarks/quality.py $(FROM) $(ARGS)
else
	@echo "make quality FROM=directory compares the findings too; without it the versions alone" >&2
	@$(BIN)/python benchmarks/version_orders.py $(ARGS)
endif

quality-audit: $(VENV)/.tests  ## findings beside pip-audit and npm audit, where they are, on the upstream files in FROM=directory
ifdef FROM
	@$(BIN)/python benchmarks/audit_tools.py $(FROM) $(ARGS)
else
	@echo "make quality-audit FROM=directory: upstream's files, as for make quality" >&2; exit 2
endif

quality-labels: $(VENV)/.tests  ## what people said of findings (Grype's labels), LABELS=clone, beside what is found by the feeds of STORE=store
ifdef LABELS
	@$(BIN)/python benchmarks/labels.py $(LABELS) $(if $(STORE),--store $(STORE)) $(ARGS)
else
	@echo "make quality-labels LABELS=directory STORE=store: a clone of github.com/anchore/vulnerability-match-labels, and feeds" >&2; exit 2
endif

compare: system-scan $(VENV)/.bench $(VENV)/.tests  ## what is found beside each ecosystem's own tool, Syft and Trivy, in IMAGES="archives" or images made here (takes long)
	@$(BIN)/python benchmarks/compare.py $(IMAGES) $(ARGS)

fuzz: $(VENV)/.fuzz  ## hostile bytes against every parser, or PARSER="name …"; SECONDS for each (60)
	@$(BIN)/python -m tests.fuzz.target $(PARSER) --seconds $(or $(SECONDS),60) $(ARGS)

coverage: system-test $(VENV)/.tests  ## the suite with branch coverage
	@$(BIN)/python -m pytest -n auto --cov --cov-report=term:skip-covered $(ARGS)

binary: $(VENV)/.binary  ## dist/anchore: one executable file that needs no Python
	@$(BIN)/python .ci/binary.py

starter: $(VENV)/.installed  ## rebuild the embedded starter feed from FROM=directory of upstream files
	@$(BIN)/python -m anchorecli.feeds.make_starter $(FROM)

clean:  ## remove what these targets made
	rm -rf $(VENV) $(WORK) .bench .fuzz build dist *.egg-info

# ── what the targets stand on ─────────────────────────────────────────────────────────────────────────────

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary hyperscan

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "anchore needs Python 3.11 or newer: install it, or say make PYTHON=/path/to/python3" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || sh .ci/system-packages python3-venv
	@$(PYTHON) -m venv $(VENV)

# The package is installed, not linked: what runs is what a user gets. Not every machine has a wheel of Hyperscan.
$(VENV)/.installed: $(VENV)/bin/python pyproject.toml $(SOURCES)
	@echo "installing anchore into $(VENV)" >&2
	@{ $(PIP) '.[fast]' 2>/dev/null || $(PIP) .; } && touch $@

$(VENV)/.tests: $(VENV)/bin/python pyproject.toml
	@echo "installing the test tools into $(VENV)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check '.[test]' && touch $@

$(VENV)/.bench: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check '.[bench]' && touch $@

# Where there is no atheris for this Python the changes are random instead of led by coverage.
$(VENV)/.fuzz: $(VENV)/.tests
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check '.[fuzz]' \
	|| echo "no atheris for this Python: see tests/fuzz/target.py" >&2; touch $@

$(VENV)/.binary: $(VENV)/.installed
	@$(PIP) '.[binary,signing]' && touch $@

system-scan:
	@sh .ci/system-packages skopeo $(if $(IMAGE),,mmdebstrap)

system-test:
	@sh .ci/system-packages skopeo docker-registry htpasswd
