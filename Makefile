# Everything a newcomer needs: `make demo`, `make test`. Each creates the environment first if it is not there.
VENV ?= .venv
PY := $(VENV)/bin/python
OUT ?= build/demo
DATA ?= ../shared/data
PYTEST_ARGS ?= -n 2

.PHONY: demo test check backtest yields bench docs lint types layers clean

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

types: $(VENV)/.ok
	$(VENV)/bin/mypy

layers: $(VENV)/.ok
	$(VENV)/bin/lint-imports

docs: $(VENV)/.ok
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --quiet --strict

backtest: $(VENV)/.ok  ## table and picture of docs/method/credit.md, from the measured harvests under DATA
	$(VENV)/bin/agrocredit data adapt us_winter_wheat $(DATA)/yields/us_winter_wheat --out build/wheat
	$(VENV)/bin/agrocredit backtest --policy winter-wheat-ch --history build/wheat \
		--area-ha 2 --area-ha 5 --area-ha 10 --plot docs/images/credit-backtest.png
	$(VENV)/bin/agrocredit data adapt oaf_maize_cropcuts $(DATA)/yields/oaf_maize_cropcuts --out build/cropcuts
	$(VENV)/bin/agrocredit backtest --policy maize-ke --history build/cropcuts \
		--prices $(DATA)/prices/prices_kenya/fao_producer_prices_ken.csv --plot build/cropcuts.png

yields: $(VENV)/.ok    ## every table of docs/method/yield.md and smallholders.md on measured harvests, from those under DATA
	for name in us_winter_wheat india_rice_districts illinois_soybean_hls oaf_maize_cropcuts national_fao; do \
		$(VENV)/bin/agrocredit data adapt $$name $(DATA)/yields/$$name --out build/labels/$$name || [ $$? = 1 ] || exit 1; done
	$(VENV)/bin/agrocredit train pipelines/training/wheat_us_county.toml --data build/labels/us_winter_wheat --out build/models/wheat-us-county
	$(VENV)/bin/agrocredit train pipelines/training/rice_india_district.toml --data build/labels/india_rice_districts --out build/models/rice-india-district
	$(VENV)/bin/agrocredit train pipelines/training/soybean_illinois_county.toml --data build/labels/illinois_soybean_hls --out build/models/soybean
	$(PY) -m pipelines.smallholder_scores build/labels/oaf_maize_cropcuts build/labels/national_fao

bench: $(VENV)/.ok     ## side by side with what a user would pick instead, CPU time as ratios
	$(PY) -m benchmarks

clean:
	rm -rf $(VENV) build site .mypy_cache .ruff_cache .pytest_cache .hypothesis
