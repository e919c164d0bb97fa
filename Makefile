# One virtual environment in .venv, made on the first use of any target.
PY ?= python3
EXTRAS ?= all,docs,dev
UV = UV_SYSTEM_CERTS=1 .venv/bin/uv
LINKS = links="$${PIP_FIND_LINKS:-$$(.venv/bin/pip config get global.find-links 2>/dev/null)}"; \
	if nvidia-smi -L >/dev/null 2>&1; then torch="--torch-backend=auto"; elif ls $$links/torch-*+cpu-*.whl >/dev/null 2>&1; then torch="--find-links $$links"; else torch="--torch-backend=auto"; fi
# Or every process that a target starts would compile all libraries anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: setup demo test test-all lint mutations fuzz check docs wheel oracle ray
setup: .venv/.ready
.venv/.ready: pyproject.toml constraints.txt
	$(PY) -m venv .venv
	.venv/bin/pip install -q --disable-pip-version-check uv
	$(LINKS); $(UV) pip install -q --python .venv -c constraints.txt $$torch -e '.[$(EXTRAS)]'
	touch $@
demo: .venv/.ready
	.venv/bin/playahead demo
# All tests but those marked slow: minutes on two cores. make test PYTEST="-k feed -n0"
test: .venv/.ready
	.venv/bin/python -m pytest -q -m "not slow" $(PYTEST)
test-all: .venv/.ready
	.venv/bin/python -m pytest -q $(PYTEST)
lint: .venv/.ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/pyrefly check
# Mistakes in the paper's code, each of which its test must notice (tests/paper/mutations.py): make mutations ONLY="post-LN"
mutations: .venv/.ready
	OMP_NUM_THREADS=1 .venv/bin/python -m tests.paper.mutate $(if $(ONLY),"$(ONLY)")
# Damaged inputs by the thousand, for a night (make test runs 500): make fuzz CASES=100000 SEED=7
CASES ?= 100000
SEED ?= 0
fuzz: .venv/.ready
	.venv/bin/python -W ignore -m tests.fuzz.run $(CASES) $(SEED)
# What .ci/run checks, which is everything that one machine can.
check:
	.ci/run
# The docs site, without network.
docs: .venv/.ready
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict -q
# Wheel and sdist; the wheel answers from an environment without extras, in another folder.
wheel: .venv/.ready
	rm -rf dist .venv/wheel
	$(UV) build -q --out-dir dist
	$(UV) venv -q .venv/wheel
	$(UV) pip install -q --python .venv/wheel -c constraints.txt dist/*.whl
	cd .venv/wheel && bin/playahead predict sample --to 0:40 --format csv | head -3 | grep -q observed_until_ms
# SoccerNet's own scorer, to compare ours with.
oracle: .venv/.ready
	$(UV) pip install -q --python .venv --no-deps SoccerNet==0.2.0
# Ray, which is large: without it, its tests are skipped.
ray: .venv/.ready
	$(LINKS); $(UV) pip install -q --python .venv -c constraints.txt $$torch -e '.[$(EXTRAS),ray]'
	.venv/bin/python -c "import ray.data, ray.serve"
