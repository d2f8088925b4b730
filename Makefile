# Two commands are enough: `make drill` and `make test`. Everything else is listed by `make help`.
.PHONY: help setup drill image test test-all test-real test-contract test-docker test-crash test-wheel bench prove clean
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory
DRDRILL = .venv/bin/drdrill
# A test that hangs is shown where it hangs, and ends the tests.
PYTEST = .venv/bin/python -m pytest -q -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true
UNIT_TESTS = tests --ignore tests/real --ignore tests/crash --ignore tests/contract
# One more worker than cores: some tests wait for a clock, and leave theirs to the others.
ALL_CORES = -n $(shell echo $$(($$(nproc) + 1))) --maxprocesses 8 --dist loadgroup --no-loadscope-reorder
BESIDES = make test-all runs besides: tests/real and tests/contract on the embedded stack (11 more minutes). \
	On containers: make test-docker. Killed everywhere: make test-crash.
ARGS =
TESTS =
STACK = local
DRILL = due --or monthly
export PYTHON

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
	@echo '  PYTHON=… chooses the interpreter; ARGS=… goes to the command (make drill ARGS="--sandbox loopback")'

setup: ## make .venv, or make it anew when its parts have changed
	@bin/set-up $(if $(filter docker,$(STACK)),docker)

drill: setup ## run what is due this month, or else all monthly drills; DRILL=monthly: all; STACK=docker: on containers
	@$(DRDRILL) run $(DRILL) --stack $(STACK) $(ARGS)

prove: setup ## show that the monthly drills can fail: run them with recovery broken in named ways (long)
	@$(DRDRILL) prove monthly --stack $(STACK) $(ARGS)

image: ## make the image of the container stack, also where no image registry can be reached
	@bin/set-up docker
	@$(DRDRILL) stack image

test: ## lint, types, unit tests, and one scenario on the real stack: at most 5 minutes on 2 quiet cores
	@bin/set-up test
	@bin/timed lint .venv/bin/ruff check .
	@bin/timed format .venv/bin/ruff format --check .
	@bin/timed types .venv/bin/mypy
	@bin/timed 'unit tests' $(PYTEST) $(ALL_CORES) $(UNIT_TESTS) $(ARGS)
	@bin/timed 'one scenario' bin/one-scenario
	@$(if $(filter test-all,$(MAKECMDGOALS)),,echo '$(BESIDES)')

test-all: test test-real test-contract ## make test, then everything else that needs neither containers nor hours

test-real: ## backups and their copies, sandbox levels, packs verified by hand, the runbook by hand, drills in a row, a watched drill and its page in a browser, on the embedded stack
	@bin/set-up test
	@bin/timed 'real tests' $(PYTEST) $(or $(TESTS),tests/real) $(ARGS)

test-contract: ## the contract of stacks and faults, on the embedded stack
	@bin/set-up test
	@bin/timed 'contract tests' $(PYTEST) $(or $(TESTS),tests/contract --ignore tests/contract/test_engine.py --ignore tests/contract/test_attached.py --ignore tests/contract/test_checked.py --ignore tests/contract/test_owner.py --ignore tests/contract/test_restore_image.py) $(ARGS)

test-docker: ## the contract of stacks and faults, on containers: wants a Docker engine
	@bin/set-up test
	@bin/set-up compose
	@$(DRDRILL) stack image
	@bin/timed 'contract tests on containers' $(PYTEST) --kind docker $(or $(TESTS),tests/contract) $(ARGS)

test-crash: ## kill -9 at every journal line and at random moments (long)
	@bin/set-up test
	@bin/timed 'crash tests' $(PYTEST) $(or $(TESTS),tests/crash) $(ARGS)

test-wheel: ## the wheel in an empty environment, outside of this folder: its size, stored packs, a small project
	@bin/set-up
	@bin/timed 'the wheel alone' bin/try-wheel

bench: setup ## how exact the clock of an outage is, how fast ledgers are compared, how fast commands start, and how fast a backup is restored beside (PostgreSQL 15 and pgBackRest)
	@bin/timed 'the clock of an outage' .venv/bin/python -m benchmarks.precision
	@bin/timed 'the ledger check' .venv/bin/python -m benchmarks.ledger
	@bin/timed 'the start of commands' .venv/bin/python -m benchmarks.start
	@bin/timed 'a restore beside' .venv/bin/python -m benchmarks.restore

clean: ## remove .venv and caches; evidence/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -not -path './evidence/*' -prune -exec rm -rf {} +
