"""What tests share: the converted model, an index of articles/, and a way to index any texts."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OFFLINE = ROOT / "tests" / "offline"
SHARED = ROOT.parent / "shared"

sys.path.insert(0, str(OFFLINE))
import sitecustomize as _offline  # noqa: E402, F401  # Blocks every connection off the machine.

if "_only_here" not in str(__import__("socket").socket.connect):
    # Another sitecustomize was there first: load ours by its path.
    exec((OFFLINE / "sitecustomize.py").read_text())  # noqa: S102

os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(OFFLINE), str(ROOT), os.environ.get("PYTHONPATH")])
)

from index import Index, open_index  # noqa: E402
from index.build import Report, build  # noqa: E402
from index.embed import DEFAULT_MODEL, load_embedder  # noqa: E402
from tests.pages import address, browser, open_page, scripted_address  # noqa: E402, F401

Content = str | bytes


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models/ folder with the default model converted, once for the whole run."""
    folder = tmp_path_factory.mktemp("converted") / "models"
    load_embedder(DEFAULT_MODEL, folder)
    return folder


@pytest.fixture(scope="session")
def sample_index(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Path:
    """The index folder of the sample corpus."""
    folder = tmp_path_factory.mktemp("sample") / ".rag"
    index_folder(ROOT / "articles", folder, models)
    return folder


@pytest.fixture(scope="session")
def sample(sample_index: Path) -> Index:
    """The opened index of the sample corpus."""
    return open_index(sample_index)


@pytest.fixture
def make_index(tmp_path: Path, models: Path) -> Callable[[dict[str, Content]], Index]:
    """Index the given files; tmp_path/articles and tmp_path/.rag are theirs."""

    def make(files: dict[str, Content]) -> Index:
        write_articles(tmp_path / "articles", files)
        index_folder(tmp_path / "articles", tmp_path / ".rag", models)
        return open_index(tmp_path / ".rag")

    return make


@pytest.fixture
def rebuild(tmp_path: Path) -> Callable[..., Report]:
    """Bring tmp_path/.rag up to date with tmp_path/articles."""

    def run(**options: object) -> Report:
        return finish(tmp_path / "articles", tmp_path / ".rag", **options)

    return run


def write_articles(folder: Path, files: dict[str, Content]) -> None:
    """Write articles by name; text as UTF-8."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def index_folder(articles: Path, folder: Path, models: Path) -> Report:
    """Build an index that uses an already converted model."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "models").exists():
        shutil.copytree(models, folder / "models")
    return finish(articles, folder)


def finish(articles: Path, folder: Path, **options: object) -> Report:
    """Run a build to its end and return its report."""
    *_, last = build([articles], folder, **options)  # type: ignore[arg-type]
    assert last.report is not None
    return last.report
