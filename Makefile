# Two commands are enough: `make drill` and `make test`. Everything else is listed by `make help`.
.PHONY: help setup drill image test test-docker test-crash bench prove clean
MAKEFLAGS += --no-print-directory
DRDRILL = .venv/bin/drdrill
# A test that hangs is shown where it hangs, and ends the tests.
PYTEST = .venv/bin/python -m pytest -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true
ARGS =
STACK = local
DRILL = due --or monthly
export PYTHON

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo '  PYTHON=… chooses the interpreter; ARGS=… goes to the command (make drill ARGS="--rung loopback")'

setup: ## make .venv, or make it anew when its parts have changed
	@bin/set-up $(if $(filter docker,$(STACK)),docker)

drill: setup ## run what is due this month, or else all monthly drills; DRILL=monthly: all; STACK=docker: on containers
	@$(DRDRILL) run $(DRILL) --stack $(STACK) $(ARGS)

prove: setup ## show that the monthly drills can fail: run them with recovery broken in named ways (long)
	@$(DRDRILL) prove monthly --stack $(STACK) $(ARGS)

image: ## make the image of the container stack, also where no image registry can be reached
	@bin/set-up docker
	@$(DRDRILL) stack image

test: ## lint, types, unit tests, and tests on the real stack
	@bin/set-up test
	@bin/timed lint .venv/bin/ruff check .
	@bin/timed format .venv/bin/ruff format --check .
	@bin/timed types .venv/bin/mypy
	@bin/timed 'unit tests' $(PYTEST) -q tests --ignore tests/real --ignore tests/crash --ignore tests/contract $(ARGS)
	@bin/timed 'real tests' $(PYTEST) -q tests/real $(ARGS)
	@bin/timed 'contract tests' $(PYTEST) -q tests/contract --ignore tests/contract/test_engine.py $(ARGS)
	@echo 'left out: the contract on containers (make test-docker)'

test-docker: ## the contract of stacks and faults, on containers: wants a Docker engine
	@bin/set-up test
	@$(DRDRILL) stack image
	@bin/timed 'contract tests on containers' $(PYTEST) -q tests/contract --kind docker $(ARGS)

test-crash: ## kill -9 at every journal line and at random moments (long)
	@bin/set-up test
	@bin/timed 'crash tests' $(PYTEST) -q tests/crash $(ARGS)

bench: setup ## how exact the clock of an outage is, how fast ledgers are compared, and how fast commands start
	@bin/timed 'the clock of an outage' .venv/bin/python -m benchmarks.precision
	@bin/timed 'the ledger check' .venv/bin/python -m benchmarks.ledger
	@bin/timed 'the start of commands' .venv/bin/python -m benchmarks.start

clean: ## remove .venv and caches; evidence/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -not -path './evidence/*' -prune -exec rm -rf {} +
