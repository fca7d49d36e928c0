"""The index folder, written and read. The only file that knows faiss and SQLite.

.rag/current -> builds/NAME        one atomic rename of this link makes a build current
.rag/builds/NAME/manifest.json     what made it, and size and SHA-256 of every other file
                 articles.sqlite   texts, offsets of chunks, files that were left out
                 vectors.faiss     row i is chunk i, half precision, exact search
                 words/            BM25, document i is chunk i
                 plane.npz         where each chunk lies on the map of passages
.rag/models/                       converted models, made again when missing
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from index.copies import Runs
from index.embed import load_embedder
from index.manifest import REBUILD, Manifest, check_files, current_build, read_manifest
from index.plane import Plane, read_plane
from index.types import (
    Article,
    Chunk,
    Embedder,
    FootnoteError,
    Heading,
    IndexUnusable,
    LeftOut,
    Matrix,
    ModelUnusable,
    Range,
    Selection,
)
from index.words import Words, stems

ARTICLES = "articles.sqlite"
VECTORS = "vectors.faiss"
WORDS = "words"
PLANE = "plane.npz"
SCHEMA = """
CREATE TABLE article (
    file TEXT PRIMARY KEY, digest TEXT, title TEXT, text TEXT, numbered INTEGER,
    headings TEXT, left_out TEXT, markup TEXT, sentences TEXT,
    date TEXT, author TEXT, pages TEXT, remarks TEXT, sketch BLOB, indexed TEXT);
CREATE TABLE chunk (id INTEGER PRIMARY KEY, file TEXT, start INTEGER, "end" INTEGER, key TEXT);
CREATE INDEX chunk_file ON chunk (file);
CREATE TABLE copy (file TEXT PRIMARY KEY, original TEXT);
CREATE TABLE skipped (file TEXT PRIMARY KEY, reason TEXT, digest TEXT);
"""
SELECT = (
    "SELECT digest, file, title, text, numbered, headings, left_out, markup, sentences, date, "
    "author, pages, remarks FROM article"
)


class Index:
    """An index that was opened: search it, match it, and get the articles behind it.

    Safe to use from several threads. It goes on working when a newer build becomes current.
    """

    def __init__(self, build: Path, manifest: Manifest, models: Path) -> None:
        self.build = build
        self.manifest = manifest
        self._models = models
        self._embedder: Embedder | None = None
        self._articles = _connect(build)
        try:
            self._vectors = faiss.read_index(str(build / VECTORS))
            self._words = Words.open(build / WORDS)
            chunks = self._articles.execute("SELECT count(*) FROM chunk").fetchone()[0]
        except (RuntimeError, MemoryError, ValueError, sqlite3.DatabaseError) as error:
            raise IndexUnusable(f"The index in {build} is damaged: {REBUILD}.") from error
        counts = {manifest.chunks, chunks, self._vectors.ntotal, len(self._words)}
        if len(counts) != 1 or self._vectors.d != manifest.dimension:
            raise IndexUnusable(f"The parts of the index in {build} do not fit: {REBUILD}.")

    @property
    def embedder(self) -> Embedder:
        """The model that made the vectors, loaded at first use. Raises ModelUnusable."""
        if self._embedder is None:
            embedder = load_embedder(self.manifest.model, self._models)
            if embedder.fingerprint != self.manifest.fingerprint:
                raise ModelUnusable(
                    f"The model {self.manifest.model} is not the one the index was made with: "
                    f"{REBUILD}."
                )
            self._embedder = embedder
        return self._embedder

    def search(
        self, question: Matrix, limit: int, only: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        """The chunks nearest to a question vector of shape (1, dimension): id and cosine."""
        if limit < 1 or not self.manifest.chunks or (only is not None and not len(only)):
            return []
        if only is None:
            scores, ids = self._vectors.search(question, min(limit, self.manifest.chunks))
        else:
            chosen = faiss.IDSelectorBatch(np.asarray(only, np.int64))
            options = faiss.SearchParameters(sel=chosen)  # type: ignore[call-arg]
            scores, ids = self._vectors.search(question, min(limit, len(only)), params=options)
        return [
            (int(id), float(score)) for id, score in zip(ids[0], scores[0], strict=True) if id >= 0
        ]

    def match(
        self, text: str, limit: int, only: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        """The chunks that share words with a text: id and BM25 score, best first."""
        if only is None:
            return self._words.match(text, limit)
        allowed = set(only)
        every = self._words.match(text, max(1, self.manifest.chunks))
        return [hit for hit in every if hit[0] in allowed][:limit]

    def count(self, stem: str) -> int:
        """In how many chunks a stem occurs; see `index.words.stems`."""
        return self._words.count(stem)

    def resembles(self, stem: str) -> bool:
        """Whether a stem, or one that differs from it by a letter, occurs at all."""
        return self._words.resembles(stem)

    def stems(self, text: str) -> list[str]:
        """The words of a text as this index compares them."""
        return stems(text)

    def vectors(self, ids: Sequence[int]) -> Matrix:
        """The stored vectors of chunks, shape (len(ids), dimension)."""
        rows: Matrix = self._vectors.reconstruct_batch(np.asarray(ids, np.int64))
        return rows

    def chunk(self, id: int) -> Chunk:
        """One chunk with its text."""
        row = self._articles.execute(
            'SELECT chunk.file, title, start, "end", substr(text, start + 1, "end" - start) '
            "FROM chunk JOIN article USING (file) WHERE id = ?",
            (id,),
        ).fetchone()
        return Chunk(id, *row)

    def files(self, only: str | Selection | None = None) -> list[str]:
        """The names of all articles, sorted, or of those that fit a pattern or a selection."""
        fits = (Selection((only,)) if isinstance(only, str) else only or Selection()).fits()
        rows = self._articles.execute("SELECT file, date FROM article ORDER BY file")
        return [file for file, date in rows if fits(file, date)]

    def chunk_ids(self, only: str | Selection) -> list[int]:
        """The ids of the chunks of the articles that fit a pattern or a selection."""
        rows = self._articles.execute(
            "SELECT id FROM chunk WHERE file IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json.dumps(self.files(only)),),
        )
        return [id for (id,) in rows]

    @cached_property
    def plane(self) -> Plane:
        """Where each chunk lies on the map of passages. Raises IndexUnusable when damaged."""
        return read_plane(self.build / PLANE, self.manifest.chunks, self.manifest.dimension)

    def article(self, file: str) -> Article | None:
        """An article by its name, or None."""
        row = self._articles.execute(SELECT + " WHERE file = ?", (file,)).fetchone()
        return _article(row) if row else None

    def articles(self) -> Iterator[tuple[Article, str]]:
        """Every article with the SHA-256 of its file, sorted by name."""
        for row in self._articles.execute(SELECT + " ORDER BY file"):
            yield _article(row), row[0]

    def summaries(self) -> Iterator[tuple[str, str, str, str, str, list[LeftOut], list[str]]]:
        """Of every article, sorted by name: file, title, author, date, text, left out, remarks.

        Far quicker than `articles`, since the sentences and headings are not read.
        """
        for *told, left_out, remarks in self._articles.execute(
            "SELECT file, title, author, date, text, left_out, remarks FROM article ORDER BY file"
        ):
            gaps = [LeftOut(**values) for values in json.loads(left_out)]
            file, title, author, date, text = told
            yield file, title, author, date, text, gaps, json.loads(remarks)

    def lengths(self) -> dict[str, int]:
        """The characters of each article's text."""
        return dict(self._articles.execute("SELECT file, length(text) FROM article"))

    def digests(self) -> dict[str, str]:
        """The SHA-256 of each article's file as it was indexed."""
        return dict(self._articles.execute("SELECT file, digest FROM article"))

    def indexed(self) -> dict[str, str]:
        """When each article was read last because it was new or had changed (ISO, UTC)."""
        return dict(self._articles.execute("SELECT file, indexed FROM article"))

    def sketches(self) -> dict[str, Runs]:
        """What each article is compared by; see `index.copies`."""
        rows = self._articles.execute("SELECT file, sketch FROM article")
        return {file: np.frombuffer(stored, np.uint64) for file, stored in rows}

    @cached_property
    def originals(self) -> dict[str, str]:
        """For each article that is a copy of another one, the name of that one."""
        return dict(self._articles.execute("SELECT file, original FROM copy ORDER BY file"))

    def skipped(self) -> dict[str, tuple[str, str]]:
        """Each file that is not in the index: the reason, and the SHA-256 of what was seen."""
        rows = self._articles.execute("SELECT file, reason, digest FROM skipped ORDER BY file")
        return {file: (reason, digest) for file, reason, digest in rows}

    def chunk_rows(self) -> list[tuple[int, str, int, int, str]]:
        """Every chunk: id, file, start, end, and the digest of the text that was embedded."""
        return list(
            self._articles.execute('SELECT id, file, start, "end", key FROM chunk ORDER BY id')
        )

    def close(self) -> None:
        """Let go of the files."""
        self._articles.close()


def open_index(folder: Path | str = ".rag") -> Index:
    """Open the current build of an index folder, after checking size and digest of every file.

    Raises IndexUnusable when there is none, or it is damaged, or of another version.
    """
    root = Path(folder)
    while True:
        build = current_build(root)
        try:
            manifest = read_manifest(build)
            check_files(build, manifest)
            return Index(build, manifest, root / "models")
        except (IndexUnusable, sqlite3.OperationalError):
            # A build that was replaced and removed while it was being opened: take the newer one.
            if current_build(root) == build:
                raise


def read_digests(build: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The SHA-256 of each file of a build, and of each it left out, without opening the rest.

    Raises IndexUnusable when they cannot be read.
    """
    try:
        with closing(_connect(build)) as database:
            indexed = dict(database.execute("SELECT file, digest FROM article"))
            return indexed, dict(database.execute("SELECT file, digest FROM skipped"))
    except sqlite3.Error as error:
        raise IndexUnusable(f"The index in {build} is damaged: {REBUILD}.") from error


def _connect(build: Path) -> sqlite3.Connection:
    address = f"{(build / ARTICLES).absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(address, uri=True, check_same_thread=False)


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


def write_articles(
    path: Path,
    articles: Iterable[tuple[Article, str]],
    chunks: Iterable[tuple[int, str, int, int, str]],
    skipped: dict[str, tuple[str, str]],
    sketches: Mapping[str, Runs],
    originals: Mapping[str, str],
    indexed: Mapping[str, str],
) -> None:
    """Write articles (with the digest of their file), chunk rows, skipped files, and copies.

    `indexed` says when each article was read.
    """
    database = sqlite3.connect(path)
    with database:
        database.executescript(SCHEMA)
        database.executemany(
            "INSERT INTO article VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    article.file,
                    digest,
                    article.title,
                    article.text,
                    article.numbered,
                    json.dumps([asdict(heading) for heading in article.headings]),
                    json.dumps([asdict(gap) for gap in article.left_out]),
                    json.dumps(article.markup),
                    json.dumps(article.sentences),
                    article.date,
                    article.author,
                    json.dumps(article.pages),
                    json.dumps(article.remarks),
                    sketches[article.file].tobytes(),
                    indexed[article.file],
                )
                for article, digest in articles
            ),
        )
        database.executemany("INSERT INTO chunk VALUES (?, ?, ?, ?, ?)", chunks)
        database.executemany("INSERT INTO copy VALUES (?, ?)", originals.items())
        database.executemany(
            "INSERT INTO skipped VALUES (?, ?, ?)",
            ((file, reason, digest) for file, (reason, digest) in skipped.items()),
        )
    database.close()


def write_vectors(path: Path, vectors: Matrix) -> None:
    """Write unit vectors for exact inner-product search in half precision."""
    index = faiss.IndexScalarQuantizer(
        vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    index.train(vectors)
    index.add(vectors)
    faiss.write_index(index, str(path))


def _article(row: Sequence[Any]) -> Article:
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
