"""What a command may import: a cold question must not wait for libraries that it never uses."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, write_articles

# Each costs a tenth of a second to several seconds, and none is needed to answer.
HEAVY = {
    "torch",
    "transformers",
    "sentence_transformers",
    "gradio",
    "scipy",
    "sklearn",
    "pandas",
    "openai",
    "httpx",
    "trafilatura",
    "lxml",
    "pypdfium2",
    "langchain_text_splitters",
    "onnx",
    "rich",
}
MODELS = {"faiss", "onnxruntime", "tantivy", "tokenizers", "numpy"}
RUN = """
import json, sys
from ui.cli import main
try:
    code = main(sys.argv[1:])
except SystemExit as left:
    code = left.code
print("\\n" + json.dumps([code, sorted({name.split(".")[0] for name in sys.modules})]))
"""


def imported(*arguments: str) -> tuple[int, set[str]]:
    """The exit code of `rag` with these arguments, and every top-level module it imported."""
    run = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, cwd=ROOT
    )
    assert run.returncode == 0, run.stderr
    code, modules = json.loads(run.stdout.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_cold_question_imports_nothing_it_does_not_need(sample_index: Path, command: str) -> None:
    """Models run through onnxruntime; the libraries that they are made with stay out."""
    question = "How tall is the lighthouse on Gannet Rock?"
    code, modules = imported(command, question, "--index", os.fspath(sample_index))
    assert code == 0
    assert modules >= MODELS
    assert not modules & HEAVY


def test_status_imports_no_format(sample_index: Path) -> None:
    """What reads articles is imported when there is one to read."""
    code, modules = imported("status", "--index", os.fspath(sample_index))
    assert code == 0
    assert not modules & HEAVY


@pytest.mark.parametrize("arguments", [["--help"], ["ask", "--help"], ["--version"]])
def test_help_imports_no_library(arguments: list[str]) -> None:
    """Help is text: the standard library and the flags."""
    code, modules = imported(*arguments)
    assert code == 0
    assert not modules & (HEAVY | MODELS | {"sqlite3", "index", "rag"})


def test_an_import_that_is_not_needed_would_be_seen(tmp_path: Path, models: Path) -> None:
    """The tests above can fail: a build needs what a question does not."""
    write_articles(tmp_path / "articles", {"a.html": "<p>The wall was raised in 2019.</p>"})
    shutil.copytree(models, tmp_path / "index" / "models")
    paths = [os.fspath(tmp_path / name) for name in ("articles", "index")]
    _, modules = imported("index", paths[0], "--index", paths[1])
    assert modules >= {"trafilatura", "langchain_text_splitters"}
