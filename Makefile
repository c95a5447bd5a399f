# `make` lists the targets. Everything set up here lives in .venv and .cache, nothing outside.
.DEFAULT_GOAL := help
SHELL := bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 3  # processes of tests, each with engines of its own: most of their time is waiting
# Engine tests whose outcome is Kafka's alone: no other Elasticsearch makes them another.
KAFKA_ALONE := $(patsubst %,--ignore-glob=tests/engines/test_%.py,kafka_* group* engine* threads tutorial *_pages compose_settings)
STAMP := $(VENV)/.installed

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) -V 2>&1). Install it, or: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing. Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: setup
setup: $(STAMP) ## make .venv from the hashed requirements

.PHONY: engines
engines: $(STAMP) ## fetch the real Kafka and Elasticsearch (Maven Central) into the cache
	$(BIN)/python -m engines fetch

.PHONY: demo
demo: $(STAMP) ## run the whole job on real engines; DEMO_SECONDS=20 ends by itself
	$(BIN)/python -m demo $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS))

.PHONY: test
test: $(STAMP) ## every test, the ones on the real engines included
	$(BIN)/python -m engines fetch
	$(BIN)/pytest -q -n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: test-es9
test-es9: $(STAMP) ## the engine tests on Elasticsearch 9 (needs a JDK 21 or newer)
	ES_VERSION=9.5.3 $(BIN)/pytest -q -n $(WORKERS) --dist loadfile tests/engines $(KAFKA_ALONE) $(ARGS)

.PHONY: faults
faults: $(STAMP) ## fault scenarios on real engines; ONLY=12 SEED=7 repeats one, SEEDS=100 random kill -9 schedules
	$(BIN)/python -m engines fetch
	$(BIN)/python -m tests.faults $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) $(ARGS)

.PHONY: simulate
simulate: $(STAMP) ## thousands of random schedules on fakes and a virtual clock; SEED=7 SCHEDULES=5000
	$(BIN)/python -m tests.simulation --seed $(or $(SEED),0) --schedules $(or $(SCHEDULES),5000) $(ARGS)

.PHONY: fuzz
fuzz: $(STAMP) ## arbitrary values, answers, letters and configurations; SECONDS=600 SEED=7
	$(BIN)/python -m fuzz --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: mutants
mutants: $(STAMP) ## change the source a little, thousands of times: do the tests notice? ONLY=sink/core/offsets.py PATIENCE=3
	nice $(BIN)/python -m tests.mutants $(if $(ONLY),--only $(ONLY)) $(if $(PATIENCE),--patience $(PATIENCE)) $(ARGS)

.PHONY: soak
soak: $(STAMP) ## steady load with a random fault every minute; MINUTES=30 SEED=7
	$(BIN)/python -m engines fetch
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),30) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: planted
planted: $(STAMP) ## plant bugs in a copy, one at a time, and show which tests catch each
	$(BIN)/python -m tests.planted $(ARGS)

.PHONY: lint
lint: $(STAMP) ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: bench
bench: $(STAMP) ## CPU and memory a record beside the floor loop; last line is JSON
	$(BIN)/python -m bench.collectors
	$(BIN)/python -m bench

.PHONY: bench-parked
bench-parked: $(STAMP) ## what other topics lose while an index is blocked; last line is JSON
	$(BIN)/python -m bench.parked

.PHONY: bench-accounting
bench-accounting: $(STAMP) ## what tracking, ledger and commits cost; last line is JSON
	$(BIN)/python -m bench.accounting

.PHONY: bench-memory
bench-memory: $(STAMP) ## peak memory beside the bound, for each kind of records; last line is JSON
	$(BIN)/python -m bench.memory

.PHONY: bench-adaptive
bench-adaptive: $(STAMP) ## does the sink find how many bulks to send at a time; last line is JSON
	$(BIN)/python -m bench.adaptive $(ARGS)

.PHONY: bench-peers
bench-peers: $(STAMP) ## the sink beside rsyslog and the OpenTelemetry Collector; last line is JSON
	$(BIN)/python -m bench.peers $(ARGS)

.PHONY: bench-latency
bench-latency: $(STAMP) ## from produced to acknowledged at 1,000, 10,000 and 50,000 records/s; last line is JSON
	$(BIN)/python -m bench.latency $(ARGS)

.PHONY: bench-scale
bench-scale: $(STAMP) ## topics, partitions, processes, idling, starting; last line is JSON
	$(BIN)/python -m bench.scale $(ARGS)

.PHONY: bench-engine
bench-engine: $(STAMP) ## what a document costs a real Elasticsearch; last line is JSON
	$(BIN)/python -m bench.engine $(ARGS)

.PHONY: bench-guard
bench-guard: $(STAMP) ## CPU a record against the floor loop's, in half a minute; part of CI
	$(BIN)/python -m bench.guard

.PHONY: docs
docs: $(STAMP) ## write the generated pages of docs/ again
	$(BIN)/python -m docs

.PHONY: lock
lock: $(STAMP) ## compile the requirements again, with hashes
	$(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --strip-extras --allow-unsafe --no-header -o requirements/run.txt pyproject.toml
	$(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --strip-extras --allow-unsafe --no-header -o requirements/dev.txt pyproject.toml requirements/dev.in

.PHONY: clean
clean: ## remove what make made
	rm -rf $(VENV) .run build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
