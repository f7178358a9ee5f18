# Every command of the project. A second call does only what changed: the stamp files remember the rest.
VENV ?= .venv
PY := $(VENV)/bin/python
HOST ?= 127.0.0.1
PORT ?= 8501
export HOST PORT

# Python and Streamlit must not ask the network for anything they can do without.
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# Without compiled files each child process would compile what it imports, and pytest rewrite every assert each time.
unexport PYTHONDONTWRITEBYTECODE
COMPILE = $(PY) -m compileall -q app.py pages server tlcore

.DEFAULT_GOAL := help
.PHONY: help run test check soak room bench film audit deploy-check assets locales clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: $(VENV)/.run-stamp  ## install what is needed and start the app at http://HOST:PORT (default 127.0.0.1:8501)
	@$(COMPILE) || true
	@exec $(PY) -m tlcore serve

# In three processes, for some tests wait, see tests/side_by_side.py; PYTEST_ARGS=-n0 is one. The fast ones wait for
# nothing, and the types are checked beside them: of these two processes.
SIDE_BY_SIDE = $(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test: $(VENV)/.browser-stamp  ## every test, in a real browser too, and a sample of each grid: 16 to 30 minutes
	@$(COMPILE) tests || true
	@$(SIDE_BY_SIDE) --sample --sum-up "all tests" $(PYTEST_ARGS)

check: $(VENV)/.dev-stamp  ## lint, formatting, types and the fast tests, a few cases of each grid: about a minute
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	@$(COMPILE) tests || true
	@types=$$(mktemp); $(VENV)/bin/pyright > $$types 2>&1 & checker=$$!; \
	$(SIDE_BY_SIDE) -n 2 -q --few --fast --sum-up "fast tests" -m "not keras and not browser and not slow and not soak" \
	    $(PYTEST_ARGS); tests=$$?; wait $$checker; typed=$$?; cat $$types; rm -f $$types; exit $$((tests || typed))

soak: $(VENV)/.browser-stamp  ## every case of every grid, and faults and load that take minutes
	$(SIDE_BY_SIDE) -m "grid and not soak" --sum-up "full grids" $(PYTEST_ARGS)
	$(PY) -m pytest -m soak --timeout=0 $(PYTEST_ARGS)

PEOPLE ?= 100
MINUTES ?= 10
room: $(VENV)/.dev-stamp  ## a hundred people for ten minutes, 60 in a room, 20 with cameras, 20 free; PEOPLE=12 MINUTES=120 is two hours
	$(PY) -m bench.room --people $(PEOPLE) --minutes $(MINUTES)

bench: $(VENV)/.dev-stamp  ## every benchmark, each against the plain way; writes bench/results.json and docs/benchmarks.md
	$(PY) -m bench $(BENCH)

film: $(VENV)/.browser-stamp  ## the README's moving picture, taken of the real app
	$(PY) docs/film.py

audit: $(VENV)/.dev-stamp  ## hold the installed packages against published weaknesses; needs the network
	@$(PY) tests/hostile/audit.py

deploy-check: $(VENV)/.dev-stamp  ## lint deploy/, and do its steps without a container runtime: fresh packages, closed root, no network
	@$(PY) deploy/check.py $(DEPLOY_CHECK)

assets: $(VENV)/.run-stamp  ## build the shipped data again from MNIST's four files: make assets FROM=folder
	@test -n "$(FROM)" || { echo "Say where MNIST's four files are: make assets FROM=folder"; exit 2; }
	$(PY) -m tlcore.datasets build "$(FROM)"

# What is written in the catalogues is compiled by whatever starts: the server, a command, the tests.
locales: $(VENV)/.run-stamp  ## find every visible string, merge it into the catalogues, and list what is untranslated
	@$(PY) locales/catalogues.py $(NEW)

clean:  ## remove the virtual environment and the caches; runs and results in var/ stay
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# -- what the targets stand on ---------------------------------------------------------------------------------------

$(VENV)/.made:
	@set -e; python=; for name in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	    if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	test -n "$$python" || { echo "Python 3.11 or newer is needed; $$(python3 --version 2>/dev/null || echo none) was found." \
	    "Install one, or name it: make PYTHON=/path/to/python3"; exit 1; }; \
	$$python -m venv $(VENV) || { rm -rf $(VENV); echo "$$python cannot make virtual environments." \
	    "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@touch $@

# Compiled after the install, by all processors: without it importing Keras takes 20 s, not 7.
$(VENV)/.run-stamp: requirements.txt $(VENV)/.made
	$(PY) -m pip install --quiet --no-compile -r requirements.txt || { echo "$$NOT_INSTALLED"; exit 1; }
	@$(PY) -m compileall -q -j 0 $(VENV)/lib >/dev/null || true
	@touch $@

$(VENV)/.dev-stamp: requirements-dev.txt requirements-cluster.txt requirements.txt $(VENV)/.run-stamp
	$(PY) -m pip install --quiet --no-compile -r requirements-dev.txt || { echo "$$NOT_INSTALLED"; exit 1; }
	@$(PY) -m compileall -q -j 0 $(VENV)/lib >/dev/null || true
	@touch $@

# Looked for at every call, for a browser can be uninstalled behind the stamp's back; finding one takes 0.1 s.
.PHONY: $(VENV)/.browser-stamp
$(VENV)/.browser-stamp: $(VENV)/.dev-stamp
	@$(PY) tests/browser/find_chromium.py --install
	@$(PY) tests/postgres_server.py --install

define NOT_INSTALLED
The packages could not be installed: the reason is above. Without a network, give pip a folder of wheels
(PIP_FIND_LINKS=folder PIP_NO_INDEX=1 make run).
endef
export NOT_INSTALLED
