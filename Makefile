# make run    the app, on http://localhost:8501
# make dev    the same, and it runs anew when a file of it changes
# make test   every test, after installing what they need into .venv
# make check  format, lint, types and tests
# make docs   the documentation site in site/, warnings are errors
# make soak   the tests with long counts, an hour or more
# make house  docs/house.svg: folders as rooms, imports as arrows
# make lock   constraints.txt from what is installed
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SOAK := ALF_SOAK=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest --timeout 3600
TRAINING := $(addprefix tests/browser/test_,inspection.py runs.py train.py)

.PHONY: run dev test check lint docs house soak lock clean

run: $(VENV)/run.stamp
	$(BIN)/alf app

dev: $(VENV)/run.stamp
	$(BIN)/alf app --server.fileWatcherType auto --server.runOnSave true

# Two at a time, browsers in processes of their own; browsers that watch a training have the machine alone.
test: export OMP_NUM_THREADS = 1
test: export ALF_RERUNS = $(VENV)/reruns
test: $(VENV)/dev.stamp
	rm -f $(ALF_RERUNS)
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/runs --ignore tests/browser
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/browser $(TRAINING:%=--ignore %)
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/runs
	$(BIN)/python -m pytest $(TRAINING)

check: lint test

lint: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/biome lint --error-on-warnings
	$(BIN)/lint-imports --no-cache

docs: export NO_MKDOCS_2_WARNING = 1
docs: $(VENV)/dev.stamp
	$(BIN)/python -m mkdocs build --quiet --strict

house: $(VENV)/dev.stamp
	$(BIN)/python -m docs.generate.house > docs/house.svg

soak: $(VENV)/dev.stamp
	$(SOAK) -n 2 --dist worksteal tests/theory tests/export tests/losses tests/training tests/figures tests/phase tests/ui
	$(SOAK) tests/runs

lock: $(VENV)/dev.stamp
	{ echo "# Every version, transitive ones too, so that a fresh clone next year installs what was tested. Written by 'make lock'."; \
	  $(BIN)/pip freeze --exclude-editable | sed 's/+.*//' ; } > constraints.txt

$(VENV)/run.stamp: pyproject.toml requirements.txt constraints.txt
	$(PYTHON) -c "import sys; sys.exit('Python 3.11 or newer is needed, got ' + sys.version.split()[0] if sys.version_info < (3, 11) else 0)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.txt
	touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	$(PIP) -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV)
