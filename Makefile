# One virtual environment in .venv, made on the first use of any target.
PY ?= python3
EXTRAS ?= video,backbone,data,report,tensorboard,dev
UV = UV_SYSTEM_CERTS=1 .venv/bin/uv pip install -q --python .venv -c constraints.txt
.PHONY: demo test check oracle
.venv/.ready: pyproject.toml constraints.txt
	$(PY) -m venv .venv
	.venv/bin/pip install -q --disable-pip-version-check uv
	links="$${PIP_FIND_LINKS:-$$(.venv/bin/pip config get global.find-links 2>/dev/null)}"; \
	if ls $$links/torch-*+cpu-*.whl >/dev/null 2>&1; \
	then $(UV) --find-links "$$links" -e '.[$(EXTRAS)]'; \
	else $(UV) --torch-backend=auto -e '.[$(EXTRAS)]'; fi
	touch $@
demo: .venv/.ready
	.venv/bin/playahead demo
test: .venv/.ready
	.venv/bin/python -m pytest -q
check:
	.ci/run
oracle: .venv/.ready
	.venv/bin/uv pip install -q --python .venv --no-deps SoccerNet==0.2.0
