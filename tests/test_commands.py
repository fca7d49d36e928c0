"""`make run` from a fresh copy, as a new user runs it, with what is installed already."""

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import ROOT

COPIED = ("Makefile", "pyproject.toml", "constraints.txt", "articles", "index", "rag", "ui")


@pytest.mark.skipif(
    not (Path(sys.prefix) / "bin" / "rag").exists(), reason="rag is not installed here"
)
@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed here")
def test_make_run_indexes_the_articles_and_serves_the_chat(tmp_path: Path, models: Path) -> None:
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / ".rag").mkdir()
    shutil.copytree(models, tmp_path / ".rag" / "models")
    process = subprocess.Popen(
        # What make would install is installed: pip is not run, whatever the times of the files.
        ["make", "run", "--old-file=.venv/installed"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # Whatever is started in the background of a script ignores Ctrl-C, and so do its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if address := re.search(r"http://\S+", line):
            break
    else:
        pytest.fail("".join(printed))
    assert "22 articles" in "".join(printed)
    with urllib.request.urlopen(address[0]) as page:
        assert "Footnote" in page.read().decode()
    # Ctrl-C reaches the whole group, as in a terminal.
    os.killpg(process.pid, signal.SIGINT)
    rest = process.stdout.read()
    process.wait(timeout=20)
    process.stdout.close()
    assert "Traceback" not in rest
