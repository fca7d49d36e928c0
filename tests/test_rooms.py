"""The plan of the house is a test: who may import whom, and which library is known where."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {"index": {"index"}, "rag": {"rag", "index"}, "ui": {"ui", "rag", "index"}}
ONLY_IN = {
    "faiss": {"index/vectors.py"},
    "sqlite3": {"index/articles.py", "index/store.py", "index/write.py", "ui/conversations.py"},
    "sentence_transformers": {"index/convert.py", "index/embed.py"},
    "transformers": {"index/convert.py", "rag/llm.py"},
    "torch": {"index/convert.py", "rag/llm.py"},
    "openai": {"rag/llm.py"},
    "httpx2": {"rag/llm.py"},
    "onnxruntime": {"index/convert.py", "index/embed.py"},
    "tokenizers": {"index/embed.py", "rag/reader.py"},
    "tantivy": {"index/words.py"},
    "sentencex": {"index/sentences.py"},
    "langchain_text_splitters": {"index/chunk.py"},
    "trafilatura": {"index/read_html.py"},
    "lxml": {"index/read_html.py", "index/read_epub.py"},
    "docx": {"index/read_docx.py"},
    "odf": {"index/read_odt.py"},
    "striprtf": {"index/read_rtf.py"},
    "pypdfium2": {"index/read_pdf.py"},
    "chardet": {"index/read_text.py"},
    "dateutil": {"index/origin.py"},
    "filelock": {"index/current.py"},
    "gradio": {"ui/web.py"},
    "watchfiles": {"ui/indexing.py"},
    "argparse": {
        "ui/cli.py",
        "ui/commands.py",
        "ui/doctor.py",
        "ui/evaluation.py",
        "ui/indexing.py",
    },
}
LONGEST_FILE = 360  # Lines; a longer one holds two things.
FILES = sorted(path for room in MAY_IMPORT for path in (ROOT / room).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""


def breaches(room: str, file: str, modules: Iterator[str]) -> list[str]:
    """What a file of a room imports and may not."""
    found = []
    for module in modules:
        top = module.split(".")[0]
        if top in MAY_IMPORT and top not in MAY_IMPORT[room]:
            found.append(f"{file} imports {module}: {room} may not know {top}")
        if file not in ONLY_IN.get(top, {file}):
            found.append(f"{file} imports {module}: only {ONLY_IN[top]} may")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way_and_each_library_is_known_in_one_file(path: Path) -> None:
    """Ui -> rag -> index, never back."""
    file = path.relative_to(ROOT).as_posix()
    assert breaches(file.split("/")[0], file, imports(path)) == []


def test_a_planted_breach_is_caught() -> None:
    """The test above can fail."""
    assert breaches("index", "index/x.py", iter(["rag.types", "gradio"])) == [
        "index/x.py imports rag.types: index may not know rag",
        "index/x.py imports gradio: only {'ui/web.py'} may",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_too_long_to_read(path: Path) -> None:
    """One file, one thing."""
    assert path.read_text("utf-8").count("\n") <= LONGEST_FILE


def test_nothing_is_unpickled() -> None:
    """No index, model or article can run code: nothing here loads pickles or evaluates text."""
    for path in FILES:
        names = {
            node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)
        }
        assert not names & {"eval", "exec", "pickle"}, path
        assert not set(imports(path)) & {"pickle", "shelve", "marshal", "dill", "joblib"}, path
