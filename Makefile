# Every target sets up .venv first, once; all that is needed beforehand is python3 (3.11 or later) and make.
# Extra words go in ARGS:  make demo ARGS="train.steps=20_000"    make test ARGS="-k registry"

PYTHON ?= python3
PY := .venv/bin/python
READY := .venv/.ready
ROOT := $(CURDIR)

# Two torch threads on a busy machine are many times slower than one.
export OMP_NUM_THREADS := 1

.PHONY: help demo test lint check-science check-faults gpu-site check-gpu clean

help:
	@echo "make demo           simulate, train and judge in the smart home; writes runs/"
	@echo "make test           the tests (ARGS=... for pytest)"
	@echo "make check-science  the slow tests: does learning do what it should?"
	@echo "make check-faults   changed input, kills, full disks, agents that misbehave, long lives: many times over"
	@echo "make gpu-site       packs the pure-Python packages that a GPU machine may lack, into build/gpu-site"
	@echo "make check-gpu      what a GPU is worth, by the Python that PYTHON=... names; installs nothing"
	@echo "make lint           ruff and mypy"
	@echo "make clean          remove caches and build folders; keeps .venv and runs/"

demo: $(READY)
	$(PY) -m lam_env.run scenario=smart_home $(ARGS)

test: $(READY)
	$(PY) -m pytest -n 2 $(ARGS)

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

$(READY): pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python 3.11 or later is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@
