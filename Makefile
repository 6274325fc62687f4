.DEFAULT_GOAL := help
.PHONY: help run notebook demo-recovery test every-test test-browser test-trino policies test-fast check bench deploy down clean generate assets lock

EARWORM := .venv/bin/earworm
TOOLS := sam checkov aws notebook
# The tests start hundreds of processes, each of which would compile anew what it imports.
unexport PYTHONDONTWRITEBYTECODE
SERVICES := $(patsubst services/%/requirements.in,%,$(wildcard services/*/requirements.in))

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.run ## Run the whole pipeline on the embedded local cloud: 26 weeks of two playlists, and charts, asked through Athena
	@$(EARWORM) demo

notebook: .venv/tools/notebook/.ready ## Open the guided tour of the tables, on the cloud that the environment names or on the local one
	@.venv/bin/python -m infra.tools.notebook open

demo-recovery: .venv/.run ## Damage documents and code on a local cloud of its own, mend both, and compare with a clean lake
	@$(EARWORM) demo-recovery

test: .venv/.ready $(TOOLS:%=.venv/tools/%/.ready) ## Run every check and every test
	@$(MAKE) --no-print-directory --jobs=2 check every-test

# Beside the checks, which take one processor: types above all.
every-test: .venv/.ready
	.venv/bin/pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder

test-browser: .venv/.ready ## Look at the report in headless Chromium, which must be installed; pictures go to report/
	.venv/bin/pytest --numprocesses=0 tests/browser/report_in_a_browser.py

test-trino: run ## Compare every view and query with a real Trino, on the lake of `make run`; needs Maven and Java 24
	@infra/tools/trino.sh
	.venv/bin/pytest --numprocesses=0 --capture=no -q tests/trino/queries_on_trino.py

policies: .venv/tools/policies/.ready ## Have every policy evaluated by an evaluator that is not ours; needs Node.js 20 and npm
	.venv/bin/pytest --numprocesses=0 -q tests/policies/evaluated_policies.py

test-fast: .venv/.ready ## Run the tests that take seconds
	.venv/bin/pytest --numprocesses=2 -m "not slow"

check: .venv/.ready ## Lint, check types and the direction of imports
	.venv/bin/ruff check --quiet .
	.venv/bin/ruff format --quiet --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

bench: .venv/tools/bench/.ready ## Measure bundles, transforms, cold starts and the flow beside their peers: tests/benchmarks/results.md
	@$(EARWORM) build
	@.venv/bin/python -m tests.benchmarks $(SECTIONS)

deploy: .venv/.run ## Deploy the platform and every service to the cloud that the environment names
	@$(EARWORM) deploy

down: .venv/.run ## Stop the local cloud
	@$(EARWORM) down

clean: ## Stop the local cloud and remove everything that was made
	@if [ -x $(EARWORM) ]; then $(EARWORM) down; fi
	rm -rf .earworm .venv build report .mypy_cache .pytest_cache .ruff_cache .hypothesis

generate: .venv/.ready ## Write what follows from the code: schemas, services of tables, views and queries, the pages' figures
	.venv/bin/python -m contracts.json_schema
	.venv/bin/python -m infra.tools.templates
	.venv/bin/python -m infra.tools.views
	.venv/bin/python -m infra.tools.cost
	.venv/bin/python -m infra.tools.scale

assets: run .venv/tools/notebook/.ready ## Make the README's pictures and the notebook's outputs anew, with Chromium, which must be installed
	@set -a; . .earworm/env; $(EARWORM) report
	.venv/bin/python -m infra.tools.assets
	@set -a; . .earworm/env; .venv/bin/python -m infra.tools.notebook execute

COMPILE = .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header
lock: .venv/.ready ## Lock the dependencies anew, with hashes
	$(COMPILE) --upgrade --python-version 3.11 --group dev pyproject.toml -o requirements/dev.txt
	$(COMPILE) --python-version 3.11 -c requirements/dev.txt --group local pyproject.toml -o requirements/run.txt
	$(COMPILE) -c requirements/dev.txt requirements/bootstrap.in -o requirements/bootstrap.txt
	$(COMPILE) --no-deps requirements/catalogue.in -o requirements/catalogue.txt
	for service in $(SERVICES); do \
		$(COMPILE) --python-version 3.11 -c requirements/dev.txt \
			services/$$service/requirements.in -o services/$$service/requirements.txt || exit 1; \
	done
	$(COMPILE) --python-version 3.11 -c requirements/dev.txt requirements/transformer.in -o requirements/transformer.txt
	for tool in $(TOOLS) bench; do \
		$(COMPILE) --upgrade --python-version 3.11 requirements/$$tool.in -o requirements/$$tool.txt || exit 1; \
	done

SET_UP := infra/setup.sh pyproject.toml requirements/bootstrap.txt requirements/catalogue.txt
.venv/.ready: $(SET_UP) requirements/dev.txt requirements/run.txt
	@infra/setup.sh dev

# What runs needs half of what develops.
.venv/.run: $(SET_UP) requirements/run.txt
	@infra/setup.sh run

# Each has an environment of its own, for they pin what the project needs newer or not at all.
.venv/tools/%/.ready: requirements/%.txt .venv/.run
	@.venv/bin/uv venv --quiet --clear --python .venv/bin/python $(@D)
	@VIRTUAL_ENV=$(@D) .venv/bin/uv pip sync --quiet --require-hashes $<
	@touch $@

.venv/tools/policies/.ready: requirements/policies/package.json requirements/policies/package-lock.json .venv/.ready
	@mkdir -p $(@D)
	@cp requirements/policies/package.json requirements/policies/package-lock.json $(@D)
	@npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

.venv/tools/bench/.ready: export UV_COMPILE_BYTECODE = 1
