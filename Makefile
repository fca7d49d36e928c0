# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
RAG := $(VENV)/bin/rag
PIP := $(VENV)/bin/python -m pip install --disable-pip-version-check -qq --constraint constraints.txt

.PHONY: run test check index chromium screenshots clean

run: $(VENV)/installed  ## Index articles/ if there is no index, open the browser chat.
	$(RAG) ui

index: $(VENV)/installed  ## Bring the index of articles/ up to date.
	$(RAG) index

check: $(VENV)/tested  ## Ruff, mypy --strict, the test of the rooms.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m pytest tests/test_rooms.py

test: check chromium  ## Everything: check, then all tests.
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist loadfile

# pip takes minutes here, so it says first what is coming.
$(VENV)/installed: pyproject.toml constraints.txt
	@echo "Installing Footnote into $(VENV) (once; see README.md for time and size) ..."
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/tested: $(VENV)/installed
	$(PIP) pytest pytest-xdist hypothesis playwright axe-playwright-python ruff mypy accelerate
	touch $@

# The browser tests need a Chromium; without one, and without the right to install it, they are
# skipped and say so.
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 || \
	if command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
		echo "Installing Chromium for the browser tests ..."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else echo "No Chromium, and not root: the browser tests will be skipped."; fi

screenshots: $(VENV)/tested chromium  ## The pictures in docs/, from the real page.
	$(VENV)/bin/python docs/screenshots.py

clean:  ## Remove what was installed and built.
	rm -rf $(VENV) .rag .pytest_cache .mypy_cache .ruff_cache
