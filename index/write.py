"""The files of a build, written. `index.store` reads them; the folder is described there."""

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from index.articles import ARTICLES, CHANGES, RUNS, Entry, Row, Whole, write_articles
from index.plane import Plane, write_plane
from index.types import FootnoteError, HalfMatrix
from index.vectors import EXACT, write_vectors
from index.words import change_words, write_words

VECTORS = "vectors.faiss"
WORDS = "words"
PLANE = "plane.npz"


@dataclass(frozen=True, slots=True)
class Part:
    """Articles with their chunks: `texts` and the rows of `vectors`, shape (n, dimension)."""

    entries: Sequence[Entry]
    rows: Sequence[Row]
    texts: Sequence[str]
    vectors: HalfMatrix


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Raise FootnoteError, with a sentence for the user, where the disk is full or refuses."""
    try:
        yield
    except (OSError, RuntimeError, ValueError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error).strip().split("\n")[0]
        raise FootnoteError(
            f"The index cannot be written to {folder} ({reason}): make room there, or name another "
            "folder with `--index`. The old index stays as it was."
        ) from error


def write_base(build: Path, part: Part, whole: Whole, kind: str = EXACT) -> None:
    """Write a part that holds every article; its vectors are kept in the way of `kind`."""
    build.mkdir(parents=True, exist_ok=True)
    write_articles(build, part.entries, part.rows, whole)
    write_vectors(build / VECTORS, part.vectors, kind)
    write_words(build / WORDS, _documents(part))
    write_plane(build / PLANE, part.vectors)


def write_changes(
    build: Path, part: Part, whole: Whole, *, base: Path, gone: Sequence[str], on: Plane
) -> None:
    """Write what came after the build `base`, whose own part is taken over.

    The files `gone` of that part count no more; points are put on its map.
    """
    folder = build / CHANGES
    folder.mkdir(parents=True)
    for name in (ARTICLES, RUNS, VECTORS, PLANE):
        lend(base / name, build / name)
    for source in (base / WORDS).iterdir():
        if source.suffix != ".lock":
            lend(source, build / WORDS / source.name)
            # The lists of files, which a change writes anew, are the only ones with this ending.
            lend(source, folder / WORDS / source.name, copied=source.suffix == ".json")
    write_articles(folder, part.entries, part.rows, whole, gone)
    write_vectors(folder / VECTORS, part.vectors)
    change_words(folder / WORDS, gone, _documents(part))
    write_plane(folder / PLANE, part.vectors, on)


def lend(source: Path, target: Path, *, copied: bool = False) -> None:
    """Give a file a second name, or a copy where names cannot be shared."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not copied:
        try:
            os.link(source, target)
        except OSError:
            copied = True
    if copied:
        shutil.copy2(source, target)


def _documents(part: Part) -> Iterator[tuple[int, str, str]]:
    for (id, file, *_), text in zip(part.rows, part.texts, strict=True):
        yield id, file, text
