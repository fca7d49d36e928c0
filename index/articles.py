"""Texts, the places of their chunks, and what is known of their files, in SQLite.

Where changes lie beside a first part, both are one to whoever asks.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.copies import Runs
from index.manifest import REBUILD
from index.recurring import Edge
from index.types import Article, Heading, IndexUnusable, LeftOut, Range

ARTICLES = "articles.sqlite"
CHANGES = "changes"  # The folder of what came later.
RUNS = "runs.npy"
# What is long stands last: SQLite reads a row up to the last column that is asked for.
SCHEMA = """
CREATE TABLE article (
    file TEXT PRIMARY KEY, digest TEXT, stamp TEXT, indexed TEXT, first_run INTEGER, runs INTEGER,
    date TEXT, author TEXT, title TEXT, numbered INTEGER, edges TEXT, left_out TEXT, remarks TEXT,
    pages TEXT, headings TEXT, markup TEXT, sentences TEXT, text TEXT);
CREATE TABLE chunk (id INTEGER PRIMARY KEY, file TEXT, start INTEGER, "end" INTEGER, key TEXT);
CREATE INDEX chunk_file ON chunk (file);
CREATE TABLE near (file TEXT, other TEXT);
CREATE TABLE copy (file TEXT PRIMARY KEY, original TEXT);
CREATE TABLE skipped (file TEXT PRIMARY KEY, reason TEXT, digest TEXT);
CREATE TABLE gone (file TEXT PRIMARY KEY);
"""
SELECT = (
    "SELECT digest, file, title, text, numbered, headings, left_out, markup, sentences, date, "
    "author, pages, remarks FROM article"
)
# What was before and is not gone, and what came later, under one name.
TOGETHER = """
CREATE TEMP VIEW {0} AS
    SELECT * FROM main.{0} WHERE file NOT IN (SELECT file FROM changes.gone)
    UNION ALL SELECT * FROM changes.{0}
"""
LATEST = "CREATE TEMP VIEW {0} AS SELECT * FROM changes.{0}"

Row = tuple[int, str, int, int, str]
"""A chunk: id, file, start, end, and the digest of the text that was embedded."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An article, and what is known of its file: SHA-256, size and times, when it was read.

    `edges` and `runs` are what it is compared with other articles by; see `index.recurring` and
    `index.copies`.
    """

    article: Article
    digest: str
    stamp: str
    indexed: str
    edges: Sequence[Edge]
    runs: Runs


@dataclass(frozen=True, slots=True)
class Whole:
    """What only all articles together say: which are near each other, copies, and left out."""

    near: Iterable[tuple[str, str]]
    copies: Mapping[str, str]
    skipped: Mapping[str, tuple[str, str]]


def write_articles(
    folder: Path,
    entries: Sequence[Entry],
    rows: Iterable[Row],
    whole: Whole,
    gone: Iterable[str] = (),
) -> None:
    """Write articles, the places of their chunks, and what is known of all together.

    `gone` are the articles of the first part that count no more.
    """
    database = sqlite3.connect(folder / ARTICLES)
    with database:
        database.executescript(SCHEMA)
        database.executemany(
            "INSERT INTO article VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            _values(entries),
        )
        database.executemany("INSERT INTO chunk VALUES (?, ?, ?, ?, ?)", rows)
        database.executemany("INSERT INTO near VALUES (?, ?)", sorted(whole.near))
        database.executemany("INSERT INTO copy VALUES (?, ?)", whole.copies.items())
        database.executemany(
            "INSERT INTO skipped VALUES (?, ?, ?)",
            ((file, reason, digest) for file, (reason, digest) in whole.skipped.items()),
        )
        database.executemany("INSERT INTO gone VALUES (?)", ((file,) for file in gone))
    database.close()
    runs = [entry.runs for entry in entries]
    np.save(folder / RUNS, np.concatenate(runs) if runs else np.zeros(0, np.uint64))


def _values(entries: Iterable[Entry]) -> Iterator[tuple[object, ...]]:
    first = 0
    for entry in entries:
        article = entry.article
        yield (
            article.file,
            entry.digest,
            entry.stamp,
            entry.indexed,
            first,
            len(entry.runs),
            article.date,
            article.author,
            article.title,
            article.numbered,
            json.dumps(entry.edges),
            json.dumps([asdict(gap) for gap in article.left_out]),
            json.dumps(article.remarks),
            json.dumps(article.pages),
            json.dumps([asdict(heading) for heading in article.headings]),
            json.dumps(article.markup),
            json.dumps(article.sentences),
            article.text,
        )
        first += len(entry.runs)


def read_digests(build: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The SHA-256 of each file of a build, and of each it left out, without opening the rest.

    Raises IndexUnusable when they cannot be read.
    """
    try:
        with closing(connect(build)) as database:
            indexed = dict(database.execute("SELECT file, digest FROM article"))
            return indexed, dict(database.execute("SELECT file, digest FROM skipped"))
    except sqlite3.Error as error:
        raise IndexUnusable(f"The index in {build} is damaged: {REBUILD}.") from error


def connect(build: Path) -> sqlite3.Connection:
    """Open the texts of a build to read them, those of its changes included.

    The tables `article` and `chunk` are what is there now; `main.` and `changes.` before them name
    the parts. Raises sqlite3.Error.
    """

    def address(folder: Path) -> str:
        return f"{(folder / ARTICLES).absolute().as_uri()}?mode=ro&immutable=1"

    database = sqlite3.connect(address(build), uri=True, check_same_thread=False)
    if (build / CHANGES).is_dir():
        database.execute("ATTACH ? AS changes", (address(build / CHANGES),))
        for table in ("article", "chunk"):
            database.execute(TOGETHER.format(table))
        # These are about all articles, and written whole each time.
        for table in ("near", "copy", "skipped"):
            database.execute(LATEST.format(table))
    return database


def read_row(row: Sequence[Any]) -> Article:
    """The article of a row of `SELECT`."""
    _, file, title, text, numbered, headings, left_out, markup, sentences, *rest = row
    date, author, pages, remarks = rest
    return Article(
        file=file,
        title=title,
        text=text,
        numbered=bool(numbered),
        headings=tuple(Heading(**values) for values in json.loads(headings)),
        left_out=tuple(LeftOut(**values) for values in json.loads(left_out)),
        markup=_ranges(markup),
        sentences=_ranges(sentences),
        date=date,
        author=author,
        pages=tuple(json.loads(pages)),
        remarks=tuple(json.loads(remarks)),
    )


def _ranges(stored: str) -> tuple[Range, ...]:
    return tuple((start, end) for start, end in json.loads(stored))
