"""`rag doctor`: what works here, what does not, and how to mend it."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

from index.types import FootnoteError
from ui.commands import ANSWERED, FAILED, chosen_llm, print_json
from ui.terminal import clean

PACKAGES = (
    "sentence-transformers faiss-cpu gradio langchain-text-splitters onnxruntime tokenizers "
    "tantivy openai"
).split()
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is well, and what is to be said of it."""

    what: str
    well: bool
    told: str


def run_doctor(chosen: argparse.Namespace) -> int:
    """Print what was found; fails when something that is needed is missing."""
    found = list(examine(chosen))
    if chosen.json:
        print_json(
            {"well": all(one.well for one in found), "found": [asdict(one) for one in found]}
        )
    else:
        for one in found:
            print(f"{'ok ' if one.well else 'BAD'}  {one.what:<16} {clean(one.told)}")
    return ANSWERED if all(one.well for one in found) else FAILED


def examine(chosen: argparse.Namespace) -> Iterator[Finding]:
    """Python, the packages, the index and its model, and the language model that is named."""
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= OLDEST_PYTHON, python)
    for package in PACKAGES:
        try:
            yield Finding(package, True, version(package))
        except PackageNotFoundError:
            yield Finding(package, False, "is missing: run `pip install .`")
    try:
        from index import open_index
        from index.manifest import check_files

        index = open_index(chosen.index)
        # Opening reads only files that were written to since: a disk can fail without that.
        check_files(index.build, index.manifest, every=True)
        counts = f"{index.manifest.articles:,} articles, {index.manifest.chunks:,} passages"
        yield Finding("index", True, f"{counts} in {chosen.index}")
        index.embedder.question("Is it well?")
        yield Finding("embedding model", True, index.manifest.model)
        from rag.reader import load_reader

        load_reader().read("Who?", ["Ada Firth of Dray."])
        yield Finding("reader", True, "reads")
    except FootnoteError as error:
        yield Finding("index", False, str(error))
    if chosen.llm_url:
        yield _models(chosen.llm_url)
    if chosen.llm:
        yield _language_model(chosen)
    elif chosen.find_llm:
        yield from _servers()


def _models(url: str) -> Finding:
    from rag.llm import models_at

    try:
        return Finding("models", True, ", ".join(models_at(url)) or "none")
    except FootnoteError as error:
        return Finding("models", False, str(error))


def _language_model(chosen: argparse.Namespace) -> Finding:
    from rag.types import Message

    try:
        llm = chosen_llm(chosen)
        if llm is None:
            raise AssertionError("A language model was named.")
        with_words = next((piece for piece in llm.stream([Message("user", "Say yes.")])), "")
    except FootnoteError as error:
        return Finding("language model", False, str(error))
    return Finding("language model", bool(with_words), f"{llm.name} answers")


def _servers() -> Iterator[Finding]:
    """The servers that run on their usual ports of this machine, with their models."""
    from rag.llm import LOCAL_SERVERS, models_at

    found = False
    for name, url in LOCAL_SERVERS.items():
        try:
            named = models_at(url)
        except FootnoteError:
            continue
        found = True
        yield Finding("language model", True, f"{name} at {url}: {', '.join(named) or 'no model'}")
    if not found:
        yield Finding("language model", True, "none runs on this machine; none is needed")
