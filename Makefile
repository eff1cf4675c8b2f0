# Everything a newcomer needs: `make demo`, `make test`. Each creates the environment first if it is not there.
VENV ?= .venv
PY := $(VENV)/bin/python
OUT ?= build/demo
PYTEST_ARGS ?= -n 2

.PHONY: demo test check bench docs lint types layers clean

$(VENV)/.ok: requirements/lock.txt pyproject.toml
	sh requirements/create-venv.sh $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements/lock.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: $(VENV)/.ok      ## the main job on the simulated sample region, end to end
	$(VENV)/bin/agrocredit demo --out $(OUT)

test: $(VENV)/.ok      ## all tests; real data is read from ../shared/data where it is present
	$(PY) -m pytest $(PYTEST_ARGS)

check: lint types layers docs

lint: $(VENV)/.ok
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/interrogate --quiet --fail-under 100 --ignore-init-method --ignore-magic --ignore-private --ignore-semiprivate --ignore-nested-functions agrocredit pipelines

types: $(VENV)/.ok
	$(VENV)/bin/mypy

layers: $(VENV)/.ok
	$(VENV)/bin/lint-imports

docs: $(VENV)/.ok
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --quiet --strict

bench: $(VENV)/.ok     ## side by side with what a user would pick instead, CPU time as ratios
	$(PY) -m benchmarks

clean:
	rm -rf $(VENV) build site .mypy_cache .ruff_cache .pytest_cache .hypothesis
