# Every target sets up .venv first, once; all that is needed beforehand is python3 (3.11 or later) and make.
# Extra words go in ARGS:  make demo ARGS="train.steps=20_000"    make test ARGS="-k registry"

PYTHON ?= python3
PY := .venv/bin/python
READY := .venv/.ready
ROOT := $(CURDIR)

# Two torch threads on a busy machine are many times slower than one.
export OMP_NUM_THREADS := 1

.PHONY: help demo examples test docs lint check-science check-faults gpu-site check-gpu models dist check-dist test-lowest clean

help:
	@echo "make demo           simulate, train and judge in the smart home, in a minute or two; writes runs/"
	@echo "make examples       installs what examples/ needs, runs each and says how long it took"
	@echo "make test           the tests (ARGS=... for pytest)"
	@echo "make check-science  the slow tests: does learning do what it should?"
	@echo "make check-faults   changed input, kills, full disks, agents that misbehave, long lives: many times over"
	@echo "make gpu-site       packs the pure-Python packages that a GPU machine may lack, into build/gpu-site"
	@echo "make check-gpu      what a GPU is worth, by the Python that PYTHON=... names; installs nothing"
	@echo "make models         trains the policies that come with the kit anew, as a usual run does: about an hour"
	@echo "make dist           the wheel and the source distribution, into dist/"
	@echo "make check-dist     installs both in a new environment, away from the checkout, and tries them"
	@echo "make test-lowest    a quick part of the tests with the lowest versions that pyproject.toml admits"
	@echo "make docs           the documentation site, in docs/_build/html"
	@echo "make lint           ruff and mypy"
	@echo "make clean          remove caches and build folders; keeps .venv and runs/"

demo: $(READY)
	$(PY) -m lam_env.run scenario=smart_home config=demo $(ARGS)
	@echo "That was small: log, predictor and policy were made in this minute, of few days. The full job, 2 to 6 minutes on two free cores:"
	@echo "  $(PY) -m lam_env.run scenario=smart_home"

examples: $(READY)
	$(PY) -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[test,examples]'
	@said=; for file in examples/*.py; do \
	  echo "== $$file"; begun=$$(date +%s); $(PY) $$file || exit 1; \
	  said="$$said$$(printf '%-34s %4d s' $$file $$(($$(date +%s) - begun)))\n"; \
	done; printf "\n$$said"

test: $(READY)
	$(PY) -m pytest -n 2 --dist worksteal $(ARGS)

check-science: $(READY)
	$(PY) -m pytest -n 2 -m slow $(ARGS)

check-faults: $(READY)
	$(PY) -m pytest -n 2 -m faults -rP $(ARGS)

# Their own dependencies are not packed: where torch is, those it needs are too.
PURE := gymnasium stable_baselines3 simpy cloudpickle farama_notifications typing_extensions.py
gpu-site: $(READY)
	rm -rf build/gpu-site && mkdir -p build/gpu-site
	cd "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" && cp -r $(PURE) $(ROOT)/build/gpu-site/
	find build/gpu-site -name __pycache__ -type d -exec rm -rf {} +

# A folder of links, as lam_env is not installed in that Python.
check-gpu:
	rm -rf build/linked && mkdir -p build/linked/lam_env
	ln -s $(ROOT)/lam_env/* $(ROOT)/agents $(ROOT)/scenarios build/linked/lam_env/
	PYTHONPATH=build/linked:build/gpu-site $(PYTHON) -P tests/gpu/check_gpu.py $(ARGS)

# A usual run of seed 0 each, of which the models are kept; one that was stopped goes on.
models: $(READY)
	for world in smart_home traffic game; do \
	  $(PY) -m lam_env.run scenario=$$world agents=ppo_prior out=runs/trained/$$world $(ARGS) && \
	  rm -rf lam_env/trained/$$world && mkdir -p lam_env/trained/$$world/model && \
	  cp runs/trained/$$world/config.json lam_env/trained/$$world/ && \
	  cp -r runs/trained/$$world/model/prior runs/trained/$$world/model/policy lam_env/trained/$$world/model/ || exit 1; \
	done

dist: $(READY)
	rm -rf build/lib dist
	PIP_CONSTRAINT=$(ROOT)/constraints.txt $(PY) -m build

check-dist: dist
	$(PY) tests/release/check_dist.py

# What fails here, raises its bound. Old releases beside new ones warn of what is deprecated. TORCH=lowest takes torch's too, gigabytes.
LOWEST := .venv-lowest/bin/python
TORCH ?= pinned
QUICK := tests/test_golden.py tests/config tests/core tests/envs/test_contract.py tests/logs/formats/test_table_files.py
QUICK += $(addprefix tests/agents/,predictors/test_store.py predictors/test_boosting.py fine_tuning/test_saved.py)
QUICK += tests/evaluation/test_statistics.py tests/experiment/test_policies.py
test-lowest: $(READY)
	$(PYTHON) -m venv --clear .venv-lowest
	$(PY) tests/release/lowest.py torch=$(TORCH) > .venv-lowest/lowest.txt
	$(LOWEST) -m pip install --disable-pip-version-check --quiet -r .venv-lowest/lowest.txt
	$(LOWEST) -m pip install --disable-pip-version-check --quiet --no-deps -e .
	cat .venv-lowest/lowest.txt
	$(LOWEST) -m pytest -q -p no:cacheprovider -W ignore::DeprecationWarning $(QUICK) $(ARGS)

# Links within the site are checked as it is built: what leads nowhere is a warning, and warnings are errors.
SITE := docs/_build/html
docs: .venv/.docs
	$(PY) -m sphinx -b html -W --keep-going -n -q docs $(SITE) $(ARGS)
	@test -s $(SITE)/searchindex.js && echo "written: $(SITE)/index.html"

# mypy cannot see through an editable install, nor that agents/ is lam_env.agents: it gets a folder of links.
lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	rm -rf build/typed && mkdir -p build/typed/lam_env
	ln -s $(ROOT)/lam_env/* $(ROOT)/agents $(ROOT)/scenarios build/typed/lam_env/
	cd build/typed && MYPYPATH=. $(ROOT)/$(PY) -m mypy --config-file $(ROOT)/pyproject.toml -p lam_env

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

.venv/.docs: $(READY)
	$(PY) -m pip install --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

$(READY): pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python 3.11 or later is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@
